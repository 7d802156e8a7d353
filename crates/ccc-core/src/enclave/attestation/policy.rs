//! Which genuine evidence a participant accepts.

use super::simulated::{self, SimulatedError, SimulatedRoot};
use super::{Evidence, ProviderKind};
use crate::encoding::EncodingError;
use alloc::vec::Vec;

/// Whether simulated parts are acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperatingMode {
    /// Real hardware only.
    Production,
    /// Simulated evidence is accepted.
    Simulation,
}

/// What a participant accepts. An empty list of measurements accepts nothing.
///
/// *Units*: the greatest age of evidence in seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether simulated evidence is accepted.
    pub mode: OperatingMode,
    /// Programs that are accepted.
    pub measurements: Vec<[u8; 32]>,
    /// Seconds after its first second of validity for which evidence is fresh.
    pub max_age: u64,
    /// Keys that stand for the hardware, in mode simulation.
    pub simulated_roots: Vec<SimulatedRoot>,
}

/// Why evidence is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyRefusal {
    /// Bytes that are not evidence.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// Simulated evidence in production, or simulated roots configured for it.
    #[error("simulated attestation is refused in production")]
    Simulated,
    /// No configured root vouches for it.
    #[error("no configured simulated root vouches for the evidence")]
    NoRoot,
    /// The evidence is not genuine, or outside of its validity.
    #[error(transparent)]
    NotGenuine(SimulatedError),
    /// The enclave can be inspected from outside.
    #[error("the enclave runs in debug mode")]
    Debug,
    /// A program that is not on the list.
    #[error("the measurement is not on the list of {listed}")]
    Measurement {
        /// What runs.
        found: [u8; 32],
        /// Length of the list.
        listed: usize,
    },
    /// Another nonce than the request's digest, or none where the provider has one.
    #[error("the evidence does not carry the request's nonce")]
    Nonce,
    /// Keys or request are not the ones that the evidence speaks of.
    #[error("the evidence does not carry the enclave's keys for this request")]
    UserData,
    /// Too old.
    #[error("the evidence is {found} seconds old, where {max_age} are accepted")]
    Age {
        /// Its age.
        found: u64,
        /// The greatest age.
        max_age: u64,
    },
}

impl Policy {
    /// Judges evidence for these keys and this request. *Units*: now in Unix seconds.
    ///
    /// # Errors
    /// [`PolicyRefusal`].
    pub fn check(
        &self,
        bytes: &[u8],
        user_data: &[u8; 64],
        nonce: &[u8; 64],
        now: u64,
    ) -> Result<Evidence, PolicyRefusal> {
        let evidence = self.genuine(bytes, now)?;
        if evidence.nonce.is_some_and(|found| found != *nonce) {
            return Err(PolicyRefusal::Nonce);
        }
        if evidence.user_data != *user_data {
            return Err(PolicyRefusal::UserData);
        }
        Ok(evidence)
    }

    /// Judges evidence without the keys and the request that it speaks of: provider, program and age.
    ///
    /// *Security*: it says that such an enclave ran, and nothing of what it was asked. [`Self::check`] does.
    /// *Units*: now in Unix seconds.
    ///
    /// # Errors
    /// [`PolicyRefusal`].
    pub fn genuine(&self, bytes: &[u8], now: u64) -> Result<Evidence, PolicyRefusal> {
        let evidence = match ProviderKind::of(bytes)? {
            ProviderKind::Simulated => self.genuine_simulated(bytes, now)?,
        };
        self.check_program(&evidence)?;
        self.check_age(&evidence, now)?;
        Ok(evidence)
    }

    /// Refuses a configuration that names simulated roots for production.
    ///
    /// # Errors
    /// [`PolicyRefusal::Simulated`].
    pub fn check_configuration(&self) -> Result<(), PolicyRefusal> {
        match self.mode {
            OperatingMode::Production if !self.simulated_roots.is_empty() => Err(PolicyRefusal::Simulated),
            OperatingMode::Production | OperatingMode::Simulation => Ok(()),
        }
    }

    fn genuine_simulated(&self, bytes: &[u8], now: u64) -> Result<Evidence, PolicyRefusal> {
        if self.mode == OperatingMode::Production {
            return Err(PolicyRefusal::Simulated);
        }
        let mut refusal = PolicyRefusal::NoRoot;
        for root in &self.simulated_roots {
            match simulated::verify(bytes, root, now) {
                Ok(evidence) => return Ok(evidence),
                Err(SimulatedError::Signature) => {}
                Err(error) => refusal = PolicyRefusal::NotGenuine(error),
            }
        }
        Err(refusal)
    }

    fn check_program(&self, evidence: &Evidence) -> Result<(), PolicyRefusal> {
        if evidence.debug {
            return Err(PolicyRefusal::Debug);
        }
        let (found, listed) = (evidence.measurement, self.measurements.len());
        if self.measurements.contains(&found) { Ok(()) } else { Err(PolicyRefusal::Measurement { found, listed }) }
    }

    fn check_age(&self, evidence: &Evidence, now: u64) -> Result<(), PolicyRefusal> {
        let (found, max_age) = (now.saturating_sub(evidence.not_before), self.max_age);
        if found <= max_age { Ok(()) } else { Err(PolicyRefusal::Age { found, max_age }) }
    }
}
