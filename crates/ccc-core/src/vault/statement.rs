//! The statement of a share proof: committee, request, recipient and ciphertexts, checked against each other.

use super::request::{Mode, Request, RequestError};
use crate::ciphertext::{LabelKind, VerifiedCiphertext};
use crate::identifier::Identifier;
use crate::keys::Committee;
use crate::point::Encoded;
use crate::suite::SUITE_BYTES;

/// What a share answers. Making one checks that its parts belong together.
pub(crate) struct Statement<'a> {
    pub(crate) committee: &'a Committee,
    pub(crate) request: &'a Request,
    pub(crate) request_digest: [u8; 64],
    pub(crate) ciphertexts: &'a [VerifiedCiphertext],
    recipient: Option<[u8; 64]>,
}

impl<'a> Statement<'a> {
    /// Of decryption shares, in the clear or sealed.
    pub(crate) fn new(
        committee: &'a Committee,
        request: &'a Request,
        recipient: Option<&[u8; 64]>,
        ciphertexts: &'a [VerifiedCiphertext],
    ) -> Result<Self, RequestError> {
        check_mode(request, recipient)?;
        Self::checked(committee, request, recipient, ciphertexts)
    }

    /// Of compact partials.
    pub(crate) fn compact(
        committee: &'a Committee,
        request: &'a Request,
        recipient: &[u8; 64],
        ciphertexts: &'a [VerifiedCiphertext],
    ) -> Result<Self, RequestError> {
        if request.mode != Mode::Compact {
            return Err(RequestError::Mode { expected: Mode::Compact, found: request.mode });
        }
        Self::checked(committee, request, Some(recipient), ciphertexts)
    }

    fn checked(
        committee: &'a Committee,
        request: &'a Request,
        recipient: Option<&[u8; 64]>,
        ciphertexts: &'a [VerifiedCiphertext],
    ) -> Result<Self, RequestError> {
        request.check()?;
        check_committee(committee, request)?;
        check_ciphertexts(committee, request, ciphertexts)?;
        let recipient = recipient.copied();
        Ok(Self { committee, request, request_digest: request.digest(), ciphertexts, recipient })
    }

    /// Whether answers to this statement are meant for the recipient with this digest.
    pub(crate) fn is_for(&self, recipient: &[u8; 64]) -> bool {
        self.recipient.as_ref() == Some(recipient)
    }

    /// S, mode, committee, ε, i, P_i, request, recipient: the fields with which every challenge starts.
    pub(crate) fn opening(&self, identifier: Identifier, verification_key: &Encoded) -> Opening {
        Opening {
            mode: [self.request.mode as u8],
            committee: self.committee.digest(),
            epoch: self.committee.epoch().to_bytes(),
            identifier: identifier.to_bytes(),
            verification_key: *verification_key.bytes(),
            request: self.request_digest,
            recipient: self.recipient,
        }
    }
}

/// The fields with which every challenge of a share starts.
pub(crate) struct Opening {
    pub(crate) mode: [u8; 1],
    pub(crate) committee: [u8; 64],
    pub(crate) epoch: [u8; 8],
    pub(crate) identifier: [u8; 2],
    pub(crate) verification_key: [u8; 32],
    pub(crate) request: [u8; 64],
    pub(crate) recipient: Option<[u8; 64]>,
}

impl Opening {
    pub(crate) const COUNT: usize = 8;

    pub(crate) fn fields(&self) -> [&[u8]; Self::COUNT] {
        let recipient = self.recipient.as_ref().map_or(&[][..], <[u8; 64]>::as_slice);
        let Self { mode, committee, epoch, identifier, verification_key, request, .. } = self;
        [&SUITE_BYTES, mode, committee, epoch, identifier, verification_key, request, recipient]
    }
}

fn check_committee(committee: &Committee, request: &Request) -> Result<(), RequestError> {
    if request.epoch != committee.epoch() {
        return Err(RequestError::Epoch { expected: committee.epoch(), found: request.epoch });
    }
    if request.committee != committee.digest() {
        return Err(RequestError::Committee);
    }
    Ok(())
}

fn check_mode(request: &Request, recipient: Option<&[u8; 64]>) -> Result<(), RequestError> {
    match (request.mode, recipient) {
        (Mode::Public, None) | (Mode::Sealed, Some(_)) => Ok(()),
        (Mode::Compact, _) => Err(RequestError::Mode { expected: Mode::Sealed, found: Mode::Compact }),
        (mode, _) => Err(RequestError::Recipient { mode }),
    }
}

fn check_ciphertexts(
    committee: &Committee,
    request: &Request,
    ciphertexts: &[VerifiedCiphertext],
) -> Result<(), RequestError> {
    let (expected, found) = (request.ciphertexts.len(), ciphertexts.len());
    if expected != found {
        return Err(RequestError::CiphertextCount { expected, found });
    }
    for (index, (ciphertext, digest)) in ciphertexts.iter().zip(&request.ciphertexts).enumerate() {
        if ciphertext.digest() != *digest {
            return Err(RequestError::Ciphertext { index });
        }
        check_ciphertext(committee, request, index, ciphertext)?;
    }
    Ok(())
}

fn check_ciphertext(
    committee: &Committee,
    request: &Request,
    index: usize,
    ciphertext: &VerifiedCiphertext,
) -> Result<(), RequestError> {
    let (label, threshold) = (ciphertext.label(), committee.threshold());
    if ciphertext.master_public_key() != committee.master_public_key() {
        return Err(RequestError::MasterKey { index });
    }
    if label.chain != request.chain {
        return Err(RequestError::Chain { index, expected: request.chain, found: label.chain });
    }
    if request.mode == Mode::Public && label.kind != LabelKind::Public {
        return Err(RequestError::NotPublic { index });
    }
    if label.kind == LabelKind::TableKey && !threshold.protects_tables() {
        return Err(RequestError::TableThreshold { t: threshold.t(), n: threshold.n() });
    }
    Ok(())
}
