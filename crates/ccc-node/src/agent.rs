//! The agent's stand-in: opens its envelope, decides the order, encrypts it. It has no other source of the
//! size than the envelope, and acts only on a report that the chain shows.

use ccc_core::{
    ciphertext::{Ciphertext, EncryptError},
    keys::MasterPublicKey,
    report::Verdict,
};
use ccc_enclave::{
    agent::{AgentKey, Notice, NoticeError, envelope_digest},
    config::EnclaveConfig,
    instruction::CollateralOrder,
    intake::{self, PoolId},
};
use rand_core::CryptoRng;

/// The agent, with its envelope key and its trading limits.
pub struct Agent {
    key: AgentKey,
    limits: Limits,
}

/// What the agent may promise.
///
/// *Units*: spreads in 1/100 basis point, dispersion in basis points of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Spread admitted at the start and at the end of the sliding premium.
    pub spread: [u16; 2],
    /// Seconds over which the premium slides, ending at the deadline.
    pub slide: u64,
    /// Bounds of the largest share of one maker.
    pub dispersion: [u16; 2],
}

/// Why the agent does not act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgentRefusal {
    /// The envelope is not the one in the signed report.
    #[error("the envelope is not the one that the report names")]
    OtherEnvelope,
    /// The envelope does not open.
    #[error("envelope: {0}")]
    Notice(#[from] NoticeError),
    /// The envelope contradicts the report.
    #[error("the envelope says another status than the report")]
    OtherStatus,
    /// Too late to act on it.
    #[error("the envelope ended at {expiry}, it is {now}")]
    Expired {
        /// Last second.
        expiry: u64,
        /// Now.
        now: u64,
    },
    /// The order cannot be encrypted.
    #[error("order: {0}")]
    Encrypt(#[from] EncryptError),
}

impl Agent {
    /// An agent.
    #[must_use]
    pub fn new(key: AgentKey, limits: Limits) -> Self {
        Self { key, limits }
    }

    /// The key that the deployment registers.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.key.public()
    }

    /// Opens the envelope whose digest and status a signed report shows.
    ///
    /// # Errors
    /// [`AgentRefusal`].
    pub fn read(
        &self,
        config: &EnclaveConfig,
        envelope: &[u8],
        reported: ([u8; 32], Verdict),
        now: u64,
    ) -> Result<Notice, AgentRefusal> {
        self.read_at((config.chain, &config.reserve_attestation), envelope, reported, now)
    }

    /// As [`Self::read`], where chain and attestation contract are known and the configuration is not.
    ///
    /// # Errors
    /// [`AgentRefusal`].
    pub fn read_at(
        &self,
        place: (u64, &[u8; 20]),
        envelope: &[u8],
        reported: ([u8; 32], Verdict),
        now: u64,
    ) -> Result<Notice, AgentRefusal> {
        let (digest, verdict) = reported;
        if envelope_digest(envelope) != digest {
            return Err(AgentRefusal::OtherEnvelope);
        }
        let notice = self.key.open(place.0, place.1, envelope)?;
        if notice.status != verdict as u8 {
            return Err(AgentRefusal::OtherStatus);
        }
        if now > notice.expiry {
            return Err(AgentRefusal::Expired { expiry: notice.expiry, now });
        }
        Ok(notice)
    }

    /// The order that closes the gap of a notice at a deadline.
    #[must_use]
    pub fn order(&self, notice: &Notice, deadline: u64, rng: &mut impl CryptoRng) -> CollateralOrder {
        self.order_of(notice.deficit, deadline, rng)
    }

    /// An order of a part of the gap, where the rest comes another way.
    #[must_use]
    pub fn order_of(&self, size: u64, deadline: u64, rng: &mut impl CryptoRng) -> CollateralOrder {
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        CollateralOrder {
            size,
            minimum_total: 0,
            spread: self.limits.spread,
            times: [deadline.saturating_sub(self.limits.slide), deadline],
            dispersion: self.limits.dispersion,
            tiers: u64::MAX,
            seed,
        }
    }
}

/// Encrypts an order for the request that `who` will make under `id`.
///
/// # Errors
/// [`EncryptError`].
pub fn encrypt_order(
    pool: impl Into<PoolId>,
    key: &MasterPublicKey,
    submitted: ([u8; 32], [u8; 20]),
    expiry: u64,
    order: &CollateralOrder,
    rng: &mut impl CryptoRng,
) -> Result<Ciphertext, EncryptError> {
    let (id, who) = submitted;
    Ciphertext::encrypt(key, &intake::label(pool, id, who, expiry), &order.to_bytes(), rng)
}
