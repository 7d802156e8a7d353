//! An attempt's directory: the request, the enclave's attested keys, the participants' shares.

use super::{
    Pool,
    log::{ChainLog, Event},
    read_committee,
    settings::ATTEMPT_LIFETIME,
};
use crate::{
    error::{Error, NotShare},
    files::{
        self, Audience, Replace,
        passphrase::Passphrases,
        sealed::{Content, SealedError},
        secret::{self, Secrets},
    },
};
use ccc_core::{
    enclave::AttemptKeys,
    encoding::{EncodingError, Kind},
    envelope::Envelope,
    keys::{Committee, KeyShare, ParticipantKeys},
    suite,
    table::Header,
    vault::{AttestedRecipient, Mode, Request},
};
use ccc_enclave::{attempt::Enclave, intake::RoundPlan, query::QueryError, round::RoundError, upkeep::Duty};
use rand_core::CryptoRng;
use std::path::{Path, PathBuf};

const MAX_REQUEST: u64 = 4 << 20;
const MAX_RECIPIENT: u64 = 1 << 17;
const MAX_SHARE: u64 = 8 << 20;

/// What an attempt is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Purpose {
    /// Open, clear, settle.
    Round = 1,
    /// Compare reserves with liabilities.
    ReserveCheck = 2,
    /// Take the table to the next tier.
    Growth = 3,
    /// Take the table into the epoch of the committee.
    Epoch = 4,
    /// Answer owners' queries.
    Query = 5,
    /// Seal the table's totals to the auditors.
    Summary = 6,
    /// Take the table to the pool's master public key, with the former committee's shares.
    Rotation = 7,
}

impl Purpose {
    const ALL: [Self; 7] =
        [Self::Round, Self::ReserveCheck, Self::Growth, Self::Epoch, Self::Query, Self::Summary, Self::Rotation];

    /// The purpose with this number.
    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| *purpose as u8 == byte)
    }

    /// Whether it opens the table's key alone and makes no version.
    fn reads_alone(self) -> bool {
        matches!(self, Self::ReserveCheck | Self::Query | Self::Summary)
    }

    /// The instruction for a version of its own, if it is one.
    pub(crate) fn duty(self) -> Option<Duty> {
        match self {
            Self::Round | Self::ReserveCheck | Self::Query | Self::Summary => None,
            Self::Growth => Some(Duty::Growth),
            Self::Epoch => Some(Duty::Epoch),
            Self::Rotation => Some(Duty::Rotation),
        }
    }

    /// The epochs of table and committee must fit: the same, but for an attempt that takes the table into a later one.
    fn check_epochs(self, header: &Header, committee: &Committee) -> Result<(), Error> {
        let (found, expected) = (header.epoch(), committee.epoch());
        match self {
            Self::Epoch | Self::Rotation if expected <= found => {
                Err(Error::EpochStands { table: found, committee: expected })
            }
            Self::Round | Self::Growth if expected != found => Err(RoundError::Epoch { expected, found }.into()),
            _ => Ok(()),
        }
    }
}

/// Where the parts of an attempt are.
#[derive(Clone, Debug)]
pub(crate) struct AttemptPaths(PathBuf);

impl AttemptPaths {
    pub(crate) fn new(directory: &Path) -> Self {
        Self(directory.into())
    }

    pub(crate) fn request(&self) -> PathBuf {
        self.0.join("request.ccc")
    }

    pub(crate) fn recipient(&self) -> PathBuf {
        self.0.join("recipient.ccc")
    }

    /// The committee of an attempt that takes the table into its epoch.
    pub(crate) fn committee(&self) -> PathBuf {
        self.0.join("committee.ccc")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.0.join("attempt.key")
    }

    pub(crate) fn share(&self, i: u16) -> PathBuf {
        self.0.join(format!("share-{i}.ccc"))
    }

    pub(crate) fn report(&self) -> PathBuf {
        self.0.join("report.ccc")
    }

    pub(crate) fn payout(&self, sequence: u64) -> PathBuf {
        self.0.join(format!("payout-{sequence}.ccc"))
    }

    pub(crate) fn envelope(&self) -> PathBuf {
        self.0.join("envelope.ccc")
    }

    /// The sealed receipts of a round.
    pub(crate) fn receipts(&self) -> PathBuf {
        self.0.join("receipts.ccc")
    }

    /// A query of an attempt that answers them; numbers begin with 1.
    pub(crate) fn query(&self, number: usize) -> PathBuf {
        self.0.join(format!("query-{number}.ccc"))
    }

    /// The answers to queries, or to auditors.
    pub(crate) fn answers(&self) -> PathBuf {
        self.0.join("answers.ccc")
    }
}

/// The public part of an attempt, as read by anyone.
pub(crate) struct PublicAttempt {
    pub(crate) request: Request,
    pub(crate) card: AttestedRecipient,
}

impl PublicAttempt {
    /// Reads request and attested keys.
    ///
    /// # Errors
    /// [`Error::Encoding`].
    pub(crate) fn read(paths: &AttemptPaths) -> Result<Self, Error> {
        let request = decode(&paths.request(), MAX_REQUEST, Request::from_bytes)?;
        let card = decode(&paths.recipient(), MAX_RECIPIENT, AttestedRecipient::from_bytes)?;
        Ok(Self { request, card })
    }

    /// The block at which the attempt reads everything.
    ///
    /// # Errors
    /// [`Error::UnknownBlock`] when the log has no such block.
    pub(crate) fn block(&self, log: &ChainLog) -> Result<ChainLog, Error> {
        log.up_to(&self.request.block_hash).ok_or(Error::UnknownBlock)
    }
}

/// Reads a file of at most `limit` bytes as one object.
///
/// # Errors
/// [`Error::Encoding`] and the errors of reading.
pub(crate) fn decode<T>(
    path: &Path,
    limit: u64,
    read: impl FnOnce(&[u8]) -> Result<T, EncodingError>,
) -> Result<T, Error> {
    read(&files::read(path, limit)?).map_err(|source| Error::Encoding { path: path.into(), source })
}

/// The identifier under which participants journal an attempt: that of the collateral request, so that its order is
/// opened once, or one of block and purpose.
pub(crate) fn attempt_id(block: &[u8; 32], purpose: Purpose, collateral: Option<&[u8; 32]>) -> [u8; 32] {
    collateral.copied().unwrap_or_else(|| suite::digest(&[&block[..], &[purpose as u8]].concat()))
}

/// What an attempt opens: digests in order, for a round with its plan.
pub(crate) struct Scope {
    pub(crate) purpose: Purpose,
    pub(crate) digests: Vec<[u8; 32]>,
    pub(crate) collateral: Option<[u8; 32]>,
    pub(crate) plan: Option<RoundPlan>,
}

impl Pool {
    /// Refuses an attempt whose request for collateral a round has closed already.
    ///
    /// # Errors
    /// [`Error::Settled`] with the version that closed it, [`Error::Encoding`].
    pub(crate) fn refuse_settled(&self, paths: &AttemptPaths) -> Result<(), Error> {
        let request = decode(&paths.request(), MAX_REQUEST, Request::from_bytes)?;
        match self.head.closed_requests.iter().find(|closed| closed.id.0 == request.id) {
            Some(closed) => Err(Error::Settled { version: closed.version }),
            None => Ok(()),
        }
    }

    /// The pool under the committee that an attempt was prepared for: its own, or that of the attempt's directory.
    ///
    /// # Errors
    /// [`Error::OtherCommittee`] when the request names another one than the directory holds, and as [`Self::under`].
    pub(crate) fn under_attempt(self, paths: &AttemptPaths) -> Result<Self, Error> {
        let path = paths.committee();
        if !path.exists() {
            return Ok(self);
        }
        let request = decode(&paths.request(), MAX_REQUEST, Request::from_bytes)?;
        let pool = self.under(&path)?;
        if request.committee == pool.committee.digest() { Ok(pool) } else { Err(Error::OtherCommittee { path }) }
    }

    /// The pool under another committee of the same key, that of a refresh or a reshare.
    ///
    /// # Errors
    /// [`Error::OtherCommittee`], [`Error::Committee`].
    pub(crate) fn under(self, path: &Path) -> Result<Self, Error> {
        let committee = read_committee(path)?;
        if committee.master_public_key() != self.committee.master_public_key() {
            return Err(Error::OtherCommittee { path: path.into() });
        }
        Ok(Self { committee, ..self })
    }

    /// The committee whose shares an attempt on this table takes: the pool's, or for a rotation the one before.
    ///
    /// # Errors
    /// As [`Self::former_committee`].
    pub(crate) fn asked(&self, purpose: Purpose, header: &Header) -> Result<Committee, Error> {
        if purpose == Purpose::Rotation { self.former_committee(header.epoch()) } else { Ok(self.committee.clone()) }
    }

    /// What an attempt at a block opens.
    ///
    /// # Errors
    /// [`Error::Plan`], [`Error::PoolLog`].
    pub(crate) fn scope(&self, at: &ChainLog, header: Option<&Header>, purpose: Purpose) -> Result<Scope, Error> {
        if purpose.reads_alone() {
            let digests = header.map(|header| header.wrapped().digest()).into_iter().collect();
            return Ok(Scope { purpose, digests, collateral: None, plan: None });
        }
        let log = self.attempt_log(at, purpose.duty())?;
        let collateral = log.collateral.as_ref().map(|request| request.submission.id);
        let key = self.committee.master_public_key();
        let plan = RoundPlan::new(&self.config, key, header, log, at.time())?;
        Ok(Scope { purpose, digests: plan.digests().to_vec(), collateral, plan: Some(plan) })
    }

    /// The request of an attempt at a block to a committee.
    pub(crate) fn request(
        &self,
        committee: &Committee,
        at: &ChainLog,
        header: Option<&Header>,
        scope: &Scope,
    ) -> Request {
        Request {
            chain: self.config.chain,
            contract: self.config.pool,
            id: attempt_id(&at.hash(), scope.purpose, scope.collateral.as_ref()),
            table_header: header.map(Header::hash),
            block_hash: at.hash(),
            deadline: at.time().saturating_add(ATTEMPT_LIFETIME),
            mode: Mode::Sealed,
            epoch: committee.epoch(),
            committee: committee.digest(),
            ciphertexts: scope.digests.clone(),
        }
    }

    /// Makes a block, names what the attempt opens, generates and attests its keys, writes the directory.
    ///
    /// # Errors
    /// [`Error`]; a directory that holds anything, and a log that gives no plan, leave the log alone.
    pub(crate) fn prepare(
        &mut self,
        paths: &AttemptPaths,
        purpose: Purpose,
        passphrases: &Passphrases,
        rng: &mut impl CryptoRng,
    ) -> Result<Request, Error> {
        files::check_empty(&paths.0)?;
        if purpose == Purpose::Summary && self.config.auditors.is_none() {
            return Err(QueryError::NoAuditors.into());
        }
        let provider = self.hardware(passphrases)?;
        let header = self.header()?;
        purpose.check_epochs(&header, &self.committee)?;
        if purpose.reads_alone() {
            self.check_followed(&header)?;
        }
        let asked = self.asked(purpose, &header)?;
        let block = Event::Block { time: self.now() };
        self.scope(&self.log.then(&block), Some(&header), purpose)?;
        self.append(&block)?;
        let scope = self.scope(&self.log, Some(&header), purpose)?;
        let request = self.request(&asked, &self.log, Some(&header), &scope);
        let enclave = Enclave::new(self.config.clone(), &provider)?;
        let attempt = enclave.attempt(request.clone(), self.log.time(), rng)?;
        let card = attempt.card().to_bytes();
        let secrets = Secrets::new(&[&[purpose as u8], attempt.into_keys().to_bytes().as_slice()]);
        files::directory(&paths.0)?;
        secret::save(&paths.key(), Content::Attempt, &secrets, Replace::Never, passphrases, rng)?;
        if purpose == Purpose::Epoch {
            files::write(&paths.committee(), &self.committee.to_bytes(), Audience::Everyone, Replace::Never)?;
        }
        files::write(&paths.recipient(), &card, Audience::Everyone, Replace::Never)?;
        files::write(&paths.request(), &request.to_bytes(), Audience::Everyone, Replace::Never)?;
        Ok(request)
    }
}

/// The keys of an attempt and what it is for.
///
/// # Errors
/// Those of opening a secret file; [`Error::NoAttemptKeys`] when they were spent.
pub(crate) fn open_keys(paths: &AttemptPaths, passphrases: &Passphrases) -> Result<(Purpose, AttemptKeys), Error> {
    let path = paths.key();
    if !path.exists() {
        return Err(Error::NoAttemptKeys { path });
    }
    let secrets = secret::open(&path, Content::Attempt, passphrases)?;
    let opened = secrets.split::<2>().and_then(|[purpose, keys]| {
        let purpose = if let [byte] = purpose { Purpose::from_byte(*byte) } else { None };
        Ok((purpose.ok_or(SealedError::Altered)?, AttemptKeys::from_bytes(keys)?))
    });
    opened.map_err(|source| Error::Sealed { path, source })
}

/// The shares that lie in an attempt's directory, one file per participant of the committee, and the files that
/// count for nothing: no regular files, no envelopes, not signed by their senders, or answers to another request.
pub(crate) fn shares(paths: &AttemptPaths, committee: &Committee, topic: &[u8]) -> (Vec<Envelope>, Vec<NotShare>) {
    let (mut shares, mut not_shares) = (Vec::new(), Vec::new());
    for member in committee.members() {
        let path = paths.share(member.identifier.get());
        let Some(found) = files::found(&path, MAX_SHARE) else { continue };
        match found.and_then(|bytes| envelope(&bytes, committee, topic)) {
            Ok(envelope) => shares.push(envelope),
            Err(reason) => not_shares.push(NotShare { path, reason }),
        }
    }
    (shares, not_shares)
}

fn envelope(bytes: &[u8], committee: &Committee, topic: &[u8]) -> Result<Envelope, String> {
    let envelope = Envelope::from_bytes(bytes).map_err(|error| error.to_string())?;
    envelope.verify(committee).map_err(|error| error.to_string())?;
    if envelope.topic() != topic {
        return Err("it answers another request".into());
    }
    match envelope.kind() {
        Kind::Sealed => Ok(envelope),
        _ => Err("it is signed, and no sealed share".into()),
    }
}

/// A participant's keys from its file, checked against a committee.
///
/// # Errors
/// [`Error::KeyShare`], [`Error::OtherKeys`].
pub(crate) fn open_participant(
    path: &Path,
    committee: &Committee,
    passphrases: &Passphrases,
) -> Result<(KeyShare, ParticipantKeys), Error> {
    let secrets = secret::open(path, Content::Participant, passphrases)?;
    let sealed = |source: SealedError| Error::Sealed { path: path.into(), source };
    let [share, keys] = secrets.split::<2>().map_err(sealed)?;
    let share = KeyShare::from_bytes(share).map_err(|error| sealed(error.into()))?;
    let keys = ParticipantKeys::from_bytes(keys).map_err(|error| sealed(error.into()))?;
    share.matches(committee).map_err(|source| Error::KeyShare { path: path.into(), source })?;
    let known = committee.member(share.identifier()).map(|member| member.keys().signing_key());
    if known != Some(keys.public_keys().signing_key()) {
        return Err(Error::OtherKeys { path: path.into(), identifier: share.identifier().get() });
    }
    Ok((share, keys))
}
