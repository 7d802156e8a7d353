//! The native form, opened by hand: the request follows from the ciphertext and the committee, so that everybody who
//! holds both names the same one without a chain.

use super::{Opened, read_share};
use crate::{
    cli::EncryptArgs,
    error::{Error, NotShare},
    files::passphrase::Passphrases,
    pool::{attempt::open_participant, now, random},
};
use ccc_core::{
    ciphertext::{Ciphertext, Label, LabelKind, VerifiedCiphertext},
    encoding::Kind,
    envelope::Envelope,
    identifier::Identifier,
    keys::Committee,
    vault::{Culprit, CulpritReason, Mode, Request, Shares, combine_public},
};
use rand_core::CryptoRng;
use std::path::{Path, PathBuf};

/// Thirty days.
const LIFETIME: u64 = 30 * 24 * 60 * 60;

/// The label that the flags give.
///
/// # Errors
/// [`Error::Label`].
pub(crate) fn label(arguments: &EncryptArgs, rng: &mut impl CryptoRng) -> Result<Label, Error> {
    let kind = match arguments.label.as_deref() {
        None | Some("public") => LabelKind::Public,
        Some("recipient") => LabelKind::Recipient,
        Some(_) => return Err(Error::Label { reason: "a native label is `public` or `recipient`" }),
    };
    Ok(Label {
        kind,
        chain: arguments.chain.unwrap_or(0),
        contract: arguments.contract.map_or([0; 20], |address| address.0),
        id: arguments.id.map_or_else(|| random(rng), |id| id.0),
        version: 1,
        requester: [0; 20],
        expiry: now().saturating_add(arguments.lifetime.unwrap_or(LIFETIME)),
        context: [0; 32],
    })
}

/// The request of an opening by hand.
///
/// *Layout*: chain, contract, id and deadline are the label's; no table; block hash zero; mode public.
fn request(committee: &Committee, ciphertext: &VerifiedCiphertext) -> Request {
    let label = ciphertext.label();
    Request {
        chain: label.chain,
        contract: label.contract,
        id: label.id,
        table_header: None,
        block_hash: [0; 32],
        deadline: label.expiry,
        mode: Mode::Public,
        epoch: committee.epoch(),
        committee: committee.digest(),
        ciphertexts: vec![ciphertext.digest()],
    }
}

/// One participant's signed share, and its number.
///
/// # Errors
/// [`Error::Expired`], [`Error::NoShare`] and the errors of the key file.
pub(crate) fn share(
    ciphertext: Ciphertext,
    committee: &Committee,
    participant: &Path,
    passphrases: &Passphrases,
    rng: &mut impl CryptoRng,
) -> Result<(u16, Vec<u8>), Error> {
    let ciphertext = ciphertext.verify(committee.master_public_key())?;
    let (expiry, at) = (ciphertext.label().expiry, now());
    if expiry < at {
        return Err(Error::Expired { expiry, at });
    }
    let request = request(committee, &ciphertext);
    let (key, keys) = open_participant(participant, committee, passphrases)?;
    let shares = Shares::create(&key, committee, &request, &[ciphertext], rng)?;
    let (digest, identifier) = (committee.digest(), key.identifier());
    let (topic, payload) = (request.digest(), shares.to_bytes());
    let envelope = Envelope::sign(&keys, &digest, committee.epoch(), identifier, &topic, Kind::Share, payload);
    let envelope = envelope.map_err(|source| Error::Encoding { path: participant.into(), source })?;
    Ok((identifier.get(), envelope.to_bytes()))
}

/// Opens with the shares in these files.
///
/// # Errors
/// [`Error::TooFewShares`] with whoever signed a wrong one and the files left out; [`Error::Combine`].
pub(crate) fn open(
    ciphertext: Ciphertext,
    committee: &Committee,
    paths: &[PathBuf],
    rng: &mut impl CryptoRng,
) -> Result<Opened, Error> {
    let ciphertext = [ciphertext.verify(committee.master_public_key())?];
    let request = request(committee, &ciphertext[0]);
    let (mut shares, mut not_shares) = (Vec::new(), Vec::new());
    for path in paths {
        match read(&read_share(path)?, committee, &request.digest()) {
            Ok(share) => shares.push(share),
            Err(reason) => not_shares.push(NotShare { path: path.clone(), reason }),
        }
    }
    let mut notes: Vec<_> = not_shares.iter().map(NotShare::to_string).collect();
    let opened = combine_public(committee, &request, &ciphertext, shares, rng);
    let opened = opened.map_err(|error| Error::combine(error, not_shares))?;
    notes.extend(opened.culprits.iter().map(at_fault));
    let plaintexts = opened.every(&ciphertext).map_err(|error| Error::combine(error, Vec::new()))?;
    let plaintext = plaintexts.into_iter().next().unwrap_or_default();
    Ok(Opened { plaintext, notes })
}

fn at_fault(culprit: &Culprit) -> String {
    let what = match culprit.reason {
        CulpritReason::TooMany => "sent more different shares than are looked at, none of them right",
        _ => "sent a wrong share",
    };
    format!("participant {} {what}", culprit.identifier)
}

/// Whether a share is the one of its signer for one of these ciphertexts.
///
/// # Errors
/// Why it is not.
pub(crate) fn check<'a>(
    share: &Envelope,
    committee: &Committee,
    ciphertexts: impl Iterator<Item = &'a Ciphertext>,
) -> Result<(), String> {
    let payload = share.verify(committee).map_err(|error| error.to_string())?;
    let verified = ciphertexts.filter_map(|ciphertext| ciphertext.clone().verify(committee.master_public_key()).ok());
    let mut named = verified.map(|ciphertext| (request(committee, &ciphertext), ciphertext));
    let answered = named.find(|(request, _)| request.digest() == *share.topic());
    let (request, ciphertext) = answered.ok_or("it is a share of another ciphertext")?;
    let shares = Shares::from_bytes(payload, 1).map_err(|error| error.to_string())?;
    let checked = shares.verify(share.identifier(), committee, &request, None, &[ciphertext]);
    checked.map_err(|error| error.to_string())
}

fn read(bytes: &[u8], committee: &Committee, topic: &[u8]) -> Result<(Identifier, Shares), String> {
    let envelope = Envelope::from_bytes(bytes).map_err(|error| error.to_string())?;
    let payload = envelope.verify(committee).map_err(|error| error.to_string())?;
    if envelope.topic() != topic {
        return Err("it is a share of another ciphertext".into());
    }
    if envelope.kind() != Kind::Share {
        return Err("it is signed, and no plain share".into());
    }
    let shares = Shares::from_bytes(payload, 1).map_err(|error| error.to_string())?;
    Ok((envelope.identifier(), shares))
}
