//! A participant's share of the master secret.
//!
//! *Source*: Shamir 1979: x_i = f(i), f(0) the master secret; P_i = x_i·G is its verification key (Feldman 1987).

use super::committee::{Committee, Member};
use crate::encoding::{EncodingError, HEADER_LEN, Kind, Reader, header};
use crate::epoch::Epoch;
use crate::identifier::Identifier;
use crate::secret::SecretScalar;
use alloc::boxed::Box;
use alloc::vec::Vec;
use curve25519_dalek::RistrettoPoint;
use zeroize::Zeroizing;

/// Bytes of an encoded key share.
pub const KEY_SHARE_LEN: usize = HEADER_LEN + 8 + 64 + 2 + 32;

/// x_i, bound to the committee in which it counts.
///
/// Made by a key generation for one participant, kept in a sealed file, never sent.
///
/// It is neither copied nor printed:
///
/// ```compile_fail,E0277
/// fn print<T: core::fmt::Debug>() {}
/// print::<ccc_core::keys::KeyShare>();
/// ```
///
/// ```compile_fail,E0277
/// fn copy<T: Clone>() {}
/// copy::<ccc_core::keys::KeyShare>();
/// ```
///
/// *Layout*, 114 bytes: header ‖ ε u64 ‖ committee digest 64 ‖ i u16 ‖ x_i 32; only inside a sealed file.
pub struct KeyShare {
    identifier: Identifier,
    epoch: Epoch,
    committee: [u8; 64],
    secret: SecretScalar,
    /// x_i·G, computed when the secret came: a share that is used often is compared with its committee each time.
    public: Box<RistrettoPoint>,
}

/// Why a share does not serve a committee.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyShareError {
    /// A share of another epoch.
    #[error("a share of epoch {found}, where epoch {expected} is served")]
    Epoch {
        /// The committee's epoch.
        expected: Epoch,
        /// The share's epoch.
        found: Epoch,
    },
    /// A share of another committee of the same epoch.
    #[error("a share of another committee")]
    Committee,
    /// The share is not the logarithm of its verification key.
    #[error("the share of participant {identifier} does not match its verification key")]
    VerificationKey {
        /// Whose share.
        identifier: Identifier,
    },
}

impl KeyShare {
    pub(crate) fn new(
        identifier: Identifier,
        secret: SecretScalar,
        committee: &Committee,
    ) -> Result<Self, KeyShareError> {
        let share = Self::of(identifier, committee.epoch(), committee.digest(), secret);
        share.matches(committee)?;
        Ok(share)
    }

    fn of(identifier: Identifier, epoch: Epoch, committee: [u8; 64], secret: SecretScalar) -> Self {
        let public = Box::new(RistrettoPoint::mul_base(secret.expose()));
        Self { identifier, epoch, committee, secret, public }
    }

    /// The share of a member whose P_i the caller has computed from it.
    pub(super) fn behind_its_key(member: &Member, secret: SecretScalar, committee: &Committee) -> Self {
        let (identifier, public) = (member.identifier, Box::new(member.verification_key));
        Self { identifier, epoch: committee.epoch(), committee: committee.digest(), secret, public }
    }

    /// Whose share it is.
    #[must_use]
    pub fn identifier(&self) -> Identifier {
        self.identifier
    }

    /// The epoch in which it counts.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Digest of the committee in which it counts.
    #[must_use]
    pub fn committee(&self) -> [u8; 64] {
        self.committee
    }

    /// Checks that the share belongs to this committee: epoch, digest, and x_i·G = P_i.
    ///
    /// # Errors
    /// [`KeyShareError`].
    pub fn matches(&self, committee: &Committee) -> Result<(), KeyShareError> {
        if self.epoch != committee.epoch() {
            return Err(KeyShareError::Epoch { expected: committee.epoch(), found: self.epoch });
        }
        if self.committee != committee.digest() {
            return Err(KeyShareError::Committee);
        }
        match committee.member(self.identifier) {
            Some(member) if member.verification_key == *self.public => Ok(()),
            _ => Err(KeyShareError::VerificationKey { identifier: self.identifier }),
        }
    }

    /// Encodes the secret.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(KEY_SHARE_LEN));
        out.extend_from_slice(&header(Kind::KeyShare));
        out.extend_from_slice(&self.epoch.to_bytes());
        out.extend_from_slice(&self.committee);
        out.extend_from_slice(&self.identifier.to_bytes());
        out.extend_from_slice(self.secret.to_bytes().as_slice());
        out
    }

    /// Reads a share; whether it serves a committee, [`KeyShare::matches`] tells.
    ///
    /// # Errors
    /// [`EncodingError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        reader.header(Kind::KeyShare)?;
        let epoch = Epoch(reader.u64("epoch")?);
        let committee = reader.array("committee digest")?;
        let identifier = Identifier::new(reader.u16("identifier")?)?;
        let secret = SecretScalar::new(reader.scalar("key share")?);
        reader.finish()?;
        Ok(Self::of(identifier, epoch, committee, secret))
    }

    pub(crate) fn secret(&self) -> &SecretScalar {
        &self.secret
    }
}
