//! The confirmations of a handover, in one piece: what decides which epoch serves.

use crate::encoding::{EncodingError, HEADER_LEN, Kind, Reader, header};
use crate::envelope::Envelope;
use crate::identifier::MAX_PARTICIPANTS;
use crate::keys::rounds::package::confirmations;
use crate::keys::session::Session;
use crate::suite::length_prefixed;
use alloc::vec::Vec;

/// Bytes of a confirmation's envelope.
const CONFIRMATION_LEN: usize = 219;

/// n′ − F′ signed confirmations of one transcript.
///
/// Made by whoever saw the confirm round, kept beside the new share, shown to whoever was away: a participant with a
/// stored state gives it to [`Unconfirmed::confirm_by_certificate`](super::Unconfirmed::confirm_by_certificate).
///
/// *Security*: it proves who signed, not when. Which session of an epoch counts, the board's close decides, or the
/// contract that records it.
///
/// *Layout*: header ‖ session 32 ‖ transcript 32 ‖ count u16 × LP(envelope), ascending by sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    session: [u8; 32],
    transcript: [u8; 32],
    confirmations: Vec<Envelope>,
}

/// Why a certificate does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// A certificate of another session.
    #[error("a certificate of another session")]
    Session,
    /// Fewer than n′ − F′ receivers confirm the transcript.
    #[error("{have} participants confirm the transcript, where {need} are needed")]
    NotConfirmed {
        /// n′ − F′.
        need: usize,
        /// Valid confirmations.
        have: usize,
    },
}

impl Certificate {
    pub(super) fn new(session: [u8; 32], transcript: [u8; 32], confirmations: Vec<Envelope>) -> Self {
        Self { session, transcript, confirmations }
    }

    /// The session that it claims to certify; [`Certificate::verify`] tells whether it does.
    #[must_use]
    pub fn session(&self) -> [u8; 32] {
        self.session
    }

    /// The transcript that is confirmed.
    #[must_use]
    pub fn transcript(&self) -> [u8; 32] {
        self.transcript
    }

    /// The envelopes, as the board carried them.
    #[must_use]
    pub fn confirmations(&self) -> &[Envelope] {
        &self.confirmations
    }

    /// Checks that enough receivers of this session signed the transcript.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn verify(&self, session: &Session) -> Result<(), CertificateError> {
        if self.session != session.id() {
            return Err(CertificateError::Session);
        }
        let need = session.enough_confirmations();
        let have = confirmations(session, &self.transcript, &self.confirmations).len();
        if have >= need { Ok(()) } else { Err(CertificateError::NotConfirmed { need, have }) }
    }

    /// Encodes the certificate.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let count = u16::try_from(self.confirmations.len()).expect("at most one confirmation of each member");
        let mut out = Vec::with_capacity(HEADER_LEN + 66 + (CONFIRMATION_LEN + 4) * self.confirmations.len());
        out.extend_from_slice(&header(Kind::Certificate));
        out.extend_from_slice(&self.session);
        out.extend_from_slice(&self.transcript);
        out.extend_from_slice(&count.to_be_bytes());
        self.confirmations.iter().for_each(|envelope| length_prefixed(&mut out, &envelope.to_bytes()));
        out
    }

    /// Reads a certificate; whether it counts, [`Certificate::verify`] tells.
    ///
    /// # Errors
    /// [`EncodingError`]; senders that do not ascend are out of range.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        reader.header(Kind::Certificate)?;
        let (session, transcript) = (reader.array("session")?, reader.array("transcript")?);
        let count = reader.u16("number of confirmations")?;
        if count > MAX_PARTICIPANTS {
            let (what, range) = ("number of confirmations", "0 to 1024");
            return Err(EncodingError::Range { what, found: count.into(), range });
        }
        let mut all: Vec<Envelope> = Vec::new();
        for _ in 0..count {
            let envelope = Envelope::from_bytes(reader.length_prefixed("confirmation", CONFIRMATION_LEN)?)?;
            if all.last().is_some_and(|last| last.identifier() >= envelope.identifier()) {
                let found = envelope.identifier().get().into();
                return Err(EncodingError::Range { what: "sender", found, range: "ascending senders" });
            }
            all.push(envelope);
        }
        reader.finish()?;
        Ok(Self { session, transcript, confirmations: all })
    }
}
