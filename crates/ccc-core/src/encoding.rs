//! The header of everything that leaves a process, and a strict reader of canonical bytes.
//!
//! *Layout* of the header, 8 bytes: `"CC"`, version u8 = 1, kind u8, suite u16, reserved u16 = 0; integers
//! are big-endian. Trailing bytes are an error everywhere.

use crate::suite::SUITE;
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::{RistrettoPoint, Scalar, ristretto::CompressedRistretto, traits::IsIdentity};
use ed25519_dalek::VerifyingKey;

/// Bytes of the header.
pub const HEADER_LEN: usize = 8;
const MAGIC: [u8; 2] = *b"CC";
const VERSION: u8 = 1;

/// What a headed object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A threshold ciphertext.
    Ciphertext = 1,
    /// One decryption share.
    Share = 2,
    /// Decryption shares of many ciphertexts with one proof.
    Composite = 3,
    /// A share or composite, sealed to an enclave.
    Sealed = 4,
    /// A compact re-encryption.
    Compact = 5,
    /// A dealing.
    Dealing = 6,
    /// A complaint against a dealer.
    Complaint = 7,
    /// A dealing of a group's signing key.
    GroupDealing = 8,
    /// A report with its quorum's signatures.
    SignedReport = 16,
    /// A committee.
    Committee = 17,
    /// A participant's key share, in the clear: only inside a sealed file.
    KeyShare = 18,
    /// A participant's signing and dealing keys, in the clear: only inside a sealed file.
    ParticipantKeys = 19,
    /// A request for re-encryption, with everything that its digest covers.
    Request = 20,
    /// Evidence of an attestation provider.
    Evidence = 21,
    /// A signed envelope.
    Envelope = 22,
    /// The enclave's keys of one attempt, public part, with their evidence.
    Recipient = 23,
    /// The enclave's keys of one attempt, in the clear: only inside a sealed file.
    AttemptKeys = 24,
    /// The agent's envelope.
    AgentEnvelope = 25,
    /// A file sealed with a passphrase.
    SealedFile = 26,
    /// The sealed receipts of a round.
    Receipts = 27,
    /// An owner's sealed query.
    Query = 28,
    /// An enclave's sealed answers to queries or to auditors, with its evidence.
    Answers = 29,
    /// A state of a key generation, a refresh or a reshare, in the clear: only inside a sealed file.
    RoundsState = 32,
    /// The confirmations of a finished refresh or reshare.
    Certificate = 33,
    /// What an enclave keeps over a restart, sealed to its measurement.
    SealedState = 34,
    /// A participant's request for its lost share.
    RepairRequest = 40,
    /// Scalars that a helper of a repair sends, sealed and committed to.
    RepairPacket = 41,
    /// A complaint against the sender of a repair packet.
    RepairComplaint = 42,
}

impl Kind {
    /// Every kind, in the order of its number.
    pub const ALL: [Self; 28] = [
        Self::Ciphertext,
        Self::Share,
        Self::Composite,
        Self::Sealed,
        Self::Compact,
        Self::Dealing,
        Self::Complaint,
        Self::GroupDealing,
        Self::SignedReport,
        Self::Committee,
        Self::KeyShare,
        Self::ParticipantKeys,
        Self::Request,
        Self::Evidence,
        Self::Envelope,
        Self::Recipient,
        Self::AttemptKeys,
        Self::AgentEnvelope,
        Self::SealedFile,
        Self::Receipts,
        Self::Query,
        Self::Answers,
        Self::RoundsState,
        Self::Certificate,
        Self::SealedState,
        Self::RepairRequest,
        Self::RepairPacket,
        Self::RepairComplaint,
    ];

    /// The kind with this number.
    ///
    /// # Errors
    /// [`EncodingError::UnknownKind`].
    pub fn from_byte(byte: u8) -> Result<Self, EncodingError> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte).ok_or(EncodingError::UnknownKind { found: byte })
    }
}

impl core::fmt::Display for Kind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Ciphertext => "a ciphertext",
            Self::Share => "a decryption share",
            Self::Composite => "decryption shares of many ciphertexts",
            Self::Sealed => "sealed shares",
            Self::Compact => "compact partials",
            Self::Dealing => "a dealing",
            Self::Complaint => "a complaint",
            Self::GroupDealing => "a dealing of a group's key",
            Self::SignedReport => "a signed report",
            Self::Committee => "a committee",
            Self::KeyShare => "a key share",
            Self::ParticipantKeys => "a participant's keys",
            Self::Request => "a request for re-encryption",
            Self::Evidence => "attestation evidence",
            Self::Envelope => "an envelope",
            Self::Recipient => "an enclave's attested keys",
            Self::AttemptKeys => "an attempt's keys",
            Self::AgentEnvelope => "an agent's envelope",
            Self::SealedFile => "a sealed file",
            Self::Receipts => "the receipts of a round",
            Self::Query => "a sealed query",
            Self::Answers => "an enclave's sealed answers",
            Self::RoundsState => "a state of a key generation or handover",
            Self::Certificate => "a certificate of a handover",
            Self::SealedState => "sealed state of an enclave",
            Self::RepairRequest => "a request for a lost share",
            Self::RepairPacket => "a packet of a repair",
            Self::RepairComplaint => "a complaint of a repair",
        })
    }
}

/// Bytes that are not what they claim to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodingError {
    /// Fewer bytes than the layout needs.
    #[error("{what}: {found} bytes where {expected} are needed")]
    Truncated {
        /// The field.
        what: &'static str,
        /// Bytes needed.
        expected: usize,
        /// Bytes left.
        found: usize,
    },
    /// Bytes left over after the last field.
    #[error("{found} bytes after the end")]
    Trailing {
        /// Bytes left over.
        found: usize,
    },
    /// The first two bytes are not `CC`.
    #[error("not one of this project's objects: it starts with {found:02x?}")]
    Magic {
        /// The bytes found.
        found: [u8; 2],
    },
    /// A version this code does not read.
    #[error("version {found}, where 1 is read")]
    Version {
        /// The version found.
        found: u8,
    },
    /// A suite this code does not read.
    #[error("suite {found}, where {SUITE} is read")]
    Suite {
        /// The suite found.
        found: u16,
    },
    /// A reserved field is not zero.
    #[error("{what}: reserved bytes are not zero")]
    Reserved {
        /// The field.
        what: &'static str,
    },
    /// A number that names no kind.
    #[error("kind {found} is unknown")]
    UnknownKind {
        /// The number found.
        found: u8,
    },
    /// Another kind than the one wanted.
    #[error("{found}, where {expected} is wanted")]
    WrongKind {
        /// The kind wanted.
        expected: Kind,
        /// The kind found.
        found: Kind,
    },
    /// A point that is not in the canonical encoding of its group, ristretto255 or Ed25519.
    #[error("{what}: not a canonical point")]
    Point {
        /// The field.
        what: &'static str,
    },
    /// The identity, where it has no meaning.
    #[error("{what}: the identity")]
    Identity {
        /// The field.
        what: &'static str,
    },
    /// A scalar at or above the group order.
    #[error("{what}: not a canonical scalar")]
    Scalar {
        /// The field.
        what: &'static str,
    },
    /// A value outside its range.
    #[error("{what}: {found} is outside {range}")]
    Range {
        /// The field.
        what: &'static str,
        /// The value found.
        found: u64,
        /// The range, in words.
        range: &'static str,
    },
}

/// The 8-byte header of an object of this kind.
#[must_use]
pub fn header(kind: Kind) -> [u8; HEADER_LEN] {
    let [s0, s1] = SUITE.to_be_bytes();
    [MAGIC[0], MAGIC[1], VERSION, kind as u8, s0, s1, 0, 0]
}

/// The kind that a headed object claims, for detection.
///
/// # Errors
/// As [`Reader::header`], without the check of the kind.
pub fn kind_of(bytes: &[u8]) -> Result<Kind, EncodingError> {
    Reader::new(bytes).any_header()
}

/// Reads fields from the front of a slice; every method fails on too few bytes.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes not yet read.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next `n` bytes.
    ///
    /// # Errors
    /// [`EncodingError::Truncated`].
    pub fn bytes(&mut self, what: &'static str, n: usize) -> Result<&'a [u8], EncodingError> {
        let found = self.rest.len();
        let (head, tail) =
            self.rest.split_at_checked(n).ok_or(EncodingError::Truncated { what, expected: n, found })?;
        self.rest = tail;
        Ok(head)
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    /// [`EncodingError::Truncated`].
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], EncodingError> {
        let mut out = [0; N];
        out.copy_from_slice(self.bytes(what, N)?);
        Ok(out)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`EncodingError::Truncated`].
    pub fn u8(&mut self, what: &'static str) -> Result<u8, EncodingError> {
        Ok(self.array::<1>(what)?[0])
    }

    /// A big-endian u16.
    ///
    /// # Errors
    /// [`EncodingError::Truncated`].
    pub fn u16(&mut self, what: &'static str) -> Result<u16, EncodingError> {
        Ok(u16::from_be_bytes(self.array(what)?))
    }

    /// A big-endian u32.
    ///
    /// # Errors
    /// [`EncodingError::Truncated`].
    pub fn u32(&mut self, what: &'static str) -> Result<u32, EncodingError> {
        Ok(u32::from_be_bytes(self.array(what)?))
    }

    /// A big-endian u64.
    ///
    /// # Errors
    /// [`EncodingError::Truncated`].
    pub fn u64(&mut self, what: &'static str) -> Result<u64, EncodingError> {
        Ok(u64::from_be_bytes(self.array(what)?))
    }

    /// A big-endian u128.
    ///
    /// # Errors
    /// [`EncodingError::Truncated`].
    pub fn u128(&mut self, what: &'static str) -> Result<u128, EncodingError> {
        Ok(u128::from_be_bytes(self.array(what)?))
    }

    /// LP(x), at most `max` bytes: the length is checked before anything is read.
    ///
    /// # Errors
    /// [`EncodingError::Range`] above `max`, [`EncodingError::Truncated`].
    pub fn length_prefixed(&mut self, what: &'static str, max: usize) -> Result<&'a [u8], EncodingError> {
        let n = self.u32(what)? as usize;
        if n > max {
            return Err(EncodingError::Range { what, found: n as u64, range: "the field's maximum length" });
        }
        self.bytes(what, n)
    }

    /// A canonical point other than the identity.
    ///
    /// # Errors
    /// [`EncodingError::Point`], [`EncodingError::Identity`], [`EncodingError::Truncated`].
    pub(crate) fn point(&mut self, what: &'static str) -> Result<RistrettoPoint, EncodingError> {
        let point = self.point_or_identity(what)?;
        if point.is_identity() {
            return Err(EncodingError::Identity { what });
        }
        Ok(point)
    }

    /// A canonical point, the identity allowed.
    ///
    /// # Errors
    /// [`EncodingError::Point`], [`EncodingError::Truncated`].
    pub(crate) fn point_or_identity(&mut self, what: &'static str) -> Result<RistrettoPoint, EncodingError> {
        let bytes = self.array::<32>(what)?;
        CompressedRistretto(bytes).decompress().ok_or(EncodingError::Point { what })
    }

    /// An Ed25519 public key (RFC 8032, section 5.1.3): the one encoding of its point. Of small order it may be.
    ///
    /// *Security*: decompression alone also takes y + p for a y below 19, and either sign for x = 0 (ZIP 215), so that
    /// one key would have two names.
    ///
    /// # Errors
    /// [`EncodingError::Point`], [`EncodingError::Truncated`].
    pub(crate) fn signing_key(&mut self, what: &'static str) -> Result<VerifyingKey, EncodingError> {
        let bytes = self.array::<32>(what)?;
        let point = CompressedEdwardsY(bytes).decompress().ok_or(EncodingError::Point { what })?;
        let key = VerifyingKey::from(point);
        if *key.as_bytes() != bytes {
            return Err(EncodingError::Point { what });
        }
        Ok(key)
    }

    /// A canonical scalar.
    ///
    /// # Errors
    /// [`EncodingError::Scalar`], [`EncodingError::Truncated`].
    pub(crate) fn scalar(&mut self, what: &'static str) -> Result<Scalar, EncodingError> {
        let bytes = self.array::<32>(what)?;
        Option::from(Scalar::from_canonical_bytes(bytes)).ok_or(EncodingError::Scalar { what })
    }

    /// The header of an object of this kind.
    ///
    /// # Errors
    /// One variant of [`EncodingError`] per field.
    pub fn header(&mut self, expected: Kind) -> Result<(), EncodingError> {
        let found = self.any_header()?;
        if found == expected { Ok(()) } else { Err(EncodingError::WrongKind { expected, found }) }
    }

    /// A header of any kind.
    ///
    /// # Errors
    /// One variant of [`EncodingError`] per field.
    pub fn any_header(&mut self) -> Result<Kind, EncodingError> {
        let magic = self.array("magic")?;
        if magic != MAGIC {
            return Err(EncodingError::Magic { found: magic });
        }
        let version = self.u8("version")?;
        if version != VERSION {
            return Err(EncodingError::Version { found: version });
        }
        let kind = self.u8("kind")?;
        let suite = self.u16("suite")?;
        if suite != SUITE {
            return Err(EncodingError::Suite { found: suite });
        }
        if self.u16("reserved")? != 0 {
            return Err(EncodingError::Reserved { what: "header" });
        }
        Kind::from_byte(kind)
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// [`EncodingError::Trailing`].
    pub fn finish(self) -> Result<(), EncodingError> {
        match self.rest.len() {
            0 => Ok(()),
            found => Err(EncodingError::Trailing { found }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_told_apart() {
        let good = header(Kind::Share);
        assert_eq!(kind_of(&good), Ok(Kind::Share));
        let mut bad = good;
        bad[2] = 2;
        assert_eq!(kind_of(&bad), Err(EncodingError::Version { found: 2 }));
        bad = good;
        bad[5] = 9;
        assert_eq!(kind_of(&bad), Err(EncodingError::Suite { found: 9 }));
        bad = good;
        bad[7] = 1;
        assert_eq!(kind_of(&bad), Err(EncodingError::Reserved { what: "header" }));
        assert!(matches!(Reader::new(&good).header(Kind::Dealing), Err(EncodingError::WrongKind { .. })));
    }

    #[test]
    fn lengths_are_checked_before_reading() {
        let mut bytes = u32::MAX.to_be_bytes().to_vec();
        bytes.push(0);
        assert!(matches!(Reader::new(&bytes).length_prefixed("x", 64), Err(EncodingError::Range { .. })));
    }

    #[test]
    fn identity_and_non_canonical_points_are_refused() {
        assert_eq!(Reader::new(&[0; 32]).point("p"), Err(EncodingError::Identity { what: "p" }));
        assert_eq!(Reader::new(&[0xff; 32]).point("p"), Err(EncodingError::Point { what: "p" }));
        assert_eq!(Reader::new(&[0xff; 32]).scalar("s"), Err(EncodingError::Scalar { what: "s" }));
    }
}
