//! An enclave's identity: a signing key that has an epoch and an expiry, and that fresh evidence vouches for before
//! either is over. Encryption keys are not part of it: those are fresh per attempt ([`super::AttemptKeys`]).
//!
//! *Source*: `docs/spec/attestation.md`, *Identity*. `EnclaveRegistry` keeps the same facts on chain.

mod known;

pub use known::{Challenge, IdentityRefusal, KnownIdentities};

use super::attestation::{AttestationProvider, ProviderError};
use super::keys::{clamped_secret, open_message};
use super::sealing::{SealingKey, UnsealError};
use crate::encoding::{EncodingError, Reader};
use crate::report::{Address, ReportSigner, Signature65, SignatureFault, Word};
use crate::secret::{RandomnessError, random64};
use crate::suite::{digest32, domain, hash};
use crate::vault::sealed::PrivateKey;
use alloc::vec::Vec;
use hpke::kem::X25519HkdfSha256;
use hpke::{Kem, Serializable};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// The public part of an enclave's identity.
///
/// *Units*: the expiry in Unix seconds, itself the last second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The address that its secp256k1 key signs as.
    pub signer: Address,
    /// The X25519 key that inputs for it are sealed to.
    pub box_key: [u8; 32],
    /// The committee's epoch in which it speaks.
    pub epoch: u64,
    /// The last second at which it speaks.
    pub not_after: u64,
}

impl Identity {
    /// H("identity"; signer 20, box key 32, epoch u64, expiry u64, challenge 64): what its evidence vouches for.
    #[must_use]
    pub fn user_data(&self, challenge: &[u8; 64]) -> [u8; 64] {
        let (epoch, not_after) = (self.epoch.to_be_bytes(), self.not_after.to_be_bytes());
        hash(domain::IDENTITY, &[&self.signer, &self.box_key, &epoch, &not_after, challenge])
    }
}

/// An identity with the evidence for it, unchecked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestedIdentity {
    /// The identity.
    pub identity: Identity,
    /// What the attestation provider says.
    pub evidence: Vec<u8>,
}

/// What an identity signed: its epoch and the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdentitySignature {
    /// The epoch in which it spoke.
    pub epoch: u64,
    /// Over digest32 H("identity-signature"; epoch u64, what is said 64).
    pub signature: Signature65,
}

impl IdentitySignature {
    /// The address that signed this.
    ///
    /// # Errors
    /// [`SignatureFault::Unrecoverable`].
    pub fn signer(&self, said: &[u8; 64]) -> Result<Address, SignatureFault> {
        self.signature.recover(&message(self.epoch, said))
    }
}

fn message(epoch: u64, said: &[u8; 64]) -> Word {
    digest32(domain::IDENTITY_SIGNATURE, &[&epoch.to_be_bytes(), said])
}

/// The secret of an identity, made inside the enclave.
///
/// *Security*: no `Clone`; the keys are wiped when dropped, and leave the enclave under its sealing key alone.
pub struct IdentityKey {
    signer: ReportSigner,
    inbox: PrivateKey,
    identity: Identity,
}

/// Why an identity says nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityOver {
    /// Its time is over.
    #[error("the identity spoke until {not_after}, and it is {now}")]
    Expired {
        /// The last second.
        not_after: u64,
        /// The time given.
        now: u64,
    },
    /// A renewal that would not make it live longer, or that goes back an epoch.
    #[error("renewed to epoch {epoch} until {not_after}, which is not later than it was")]
    NotLater {
        /// The epoch asked for.
        epoch: u64,
        /// The expiry asked for.
        not_after: u64,
    },
}

impl IdentityKey {
    /// Fresh keys for an epoch, until an expiry.
    ///
    /// # Errors
    /// [`RandomnessError`].
    pub fn generate(epoch: u64, not_after: u64, rng: &mut (impl CryptoRng + ?Sized)) -> Result<Self, RandomnessError> {
        let random = random64(rng)?;
        let (scalar, ikm) = random.split_first_chunk::<32>().ok_or(RandomnessError)?;
        let (inbox, _) = X25519HkdfSha256::derive_keypair(ikm);
        Self::of(scalar, inbox, epoch, not_after).ok_or(RandomnessError)
    }

    /// Nothing for a scalar that is none.
    fn of(scalar: &[u8; 32], inbox: PrivateKey, epoch: u64, not_after: u64) -> Option<Self> {
        let signer = ReportSigner::from_bytes(scalar).ok()?;
        let box_key = X25519HkdfSha256::sk_to_pk(&inbox).to_bytes().into();
        let identity = Identity { signer: signer.address(), box_key, epoch, not_after };
        Some(Self { signer, inbox, identity })
    }

    /// Seals the identity, for the same program to go on with after a restart.
    ///
    /// *Layout* of what is sealed: secp256k1 secret 32 ‖ X25519 secret 32 ‖ epoch u64 ‖ expiry u64.
    ///
    /// # Errors
    /// [`RandomnessError`].
    pub fn seal(&self, key: &SealingKey, rng: &mut (impl CryptoRng + ?Sized)) -> Result<Vec<u8>, RandomnessError> {
        let inbox: Zeroizing<[u8; 32]> = Zeroizing::new(self.inbox.to_bytes().into());
        let mut plain = Zeroizing::new(Vec::with_capacity(80));
        plain.extend_from_slice(self.signer.to_bytes().as_slice());
        plain.extend_from_slice(inbox.as_slice());
        plain.extend_from_slice(&self.identity.epoch.to_be_bytes());
        plain.extend_from_slice(&self.identity.not_after.to_be_bytes());
        key.seal(&plain, rng)
    }

    /// Reads what [`Self::seal`] sealed. Whether its time is over, [`Self::is_due`] and [`Self::speak`] say.
    ///
    /// *Security*: an older sealed identity opens too: its expiry is the earlier one, and verifiers know the later.
    ///
    /// # Errors
    /// [`UnsealError`].
    pub fn unseal(sealed: &[u8], key: &SealingKey) -> Result<Self, UnsealError> {
        let plain = key.open(sealed)?;
        let mut reader = Reader::new(&plain);
        let scalar: Zeroizing<[u8; 32]> = Zeroizing::new(reader.array("secp256k1 secret")?);
        let inbox = clamped_secret(reader.bytes("X25519 secret", 32)?)?;
        let (epoch, not_after) = (reader.u64("epoch")?, reader.u64("expiry")?);
        reader.finish()?;
        let malformed = EncodingError::Scalar { what: "secp256k1 secret" };
        Self::of(&scalar, inbox, epoch, not_after).ok_or(malformed.into())
    }

    /// Opens what somebody sealed to the box key: HPKE base mode under an info of its use, as of
    /// [`AttemptKeys::open_message`](super::AttemptKeys::open_message).
    #[must_use]
    pub fn open_message(&self, info: &[u8], aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        open_message(&self.inbox, info, aad, sealed)
    }

    /// The public part.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether it has to be renewed and attested again: its expiry is at most `ahead` seconds away, or its epoch is
    /// over.
    #[must_use]
    pub fn is_due(&self, epoch: u64, ahead: u64, now: u64) -> bool {
        self.identity.epoch != epoch || now.saturating_add(ahead) >= self.identity.not_after
    }

    /// The same key for longer or for a later epoch: nobody knows of it before it is attested again.
    ///
    /// # Errors
    /// [`IdentityOver::NotLater`].
    pub fn renew(&mut self, epoch: u64, not_after: u64) -> Result<(), IdentityOver> {
        let old = &self.identity;
        if epoch < old.epoch || not_after < old.not_after || (epoch, not_after) == (old.epoch, old.not_after) {
            return Err(IdentityOver::NotLater { epoch, not_after });
        }
        self.identity = Identity { epoch, not_after, ..self.identity };
        Ok(())
    }

    /// Has the identity attested, for a verifier's challenge and under the enclave's configuration.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub fn attest(
        &self,
        provider: &dyn AttestationProvider,
        configuration: &[u8; 32],
        challenge: &[u8; 64],
        now: u64,
    ) -> Result<AttestedIdentity, ProviderError> {
        let user_data = provider.kind().user_data(&self.identity.user_data(challenge), configuration);
        let evidence = provider.attest(&user_data, challenge, now)?;
        Ok(AttestedIdentity { identity: self.identity, evidence })
    }

    /// The identity as one that may speak at a time.
    ///
    /// # Errors
    /// [`IdentityOver::Expired`]: an honest enclave stops by itself.
    pub fn speak(&self, now: u64) -> Result<Speaker<'_>, IdentityOver> {
        let not_after = self.identity.not_after;
        if now > not_after { Err(IdentityOver::Expired { not_after, now }) } else { Ok(Speaker(self)) }
    }

    /// Signs what a verifier hashes to 64 bytes.
    ///
    /// # Errors
    /// As [`Self::speak`].
    pub fn sign(&self, said: &[u8; 64], now: u64) -> Result<IdentitySignature, IdentityOver> {
        Ok(self.speak(now)?.sign(said))
    }
}

/// An identity whose time was found not to be over.
#[derive(Clone, Copy)]
pub struct Speaker<'a>(&'a IdentityKey);

impl Speaker<'_> {
    /// Signs what a verifier hashes to 64 bytes.
    #[must_use]
    pub fn sign(&self, said: &[u8; 64]) -> IdentitySignature {
        let epoch = self.0.identity.epoch;
        IdentitySignature { epoch, signature: self.0.signer.sign_digest(&message(epoch, said)) }
    }
}

#[cfg(test)]
mod tests;
