//! Which genuine evidence a participant accepts.

use super::body::{self, EvidenceError};
use super::hardware::Hardware;
use super::simulated::{self, SimulatedError, SimulatedRoot};
use super::{DcapStatus, Evidence, EvidenceList, MAX_PIECES, ProviderKind, SnpGeneration, SnpTcb, Tcb};
use crate::encoding::EncodingError;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// Seconds by which evidence may seem to come from the future: clocks differ.
pub const MAX_SKEW: u64 = 60;

/// Whether simulated parts are acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperatingMode {
    /// Real hardware only.
    Production,
    /// Simulated evidence is accepted.
    Simulation,
}

/// What a participant accepts. Without a measurement and without a program it accepts nothing.
///
/// *Units*: the greatest age of evidence in seconds. It holds for providers that say when their evidence was made;
/// reports of SEV-SNP and quotes do not, and are fresh by their user data alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether simulated evidence is accepted.
    pub mode: OperatingMode,
    /// Programs that are accepted, by the digest that names them in every kind of evidence.
    pub measurements: Vec<[u8; 32]>,
    /// Seconds after it was made for which evidence is fresh.
    pub max_age: u64,
    /// Keys that stand for the hardware, in mode simulation.
    pub simulated_roots: Vec<SimulatedRoot>,
    /// What is accepted of real hardware.
    pub hardware: Hardware,
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
    /// Evidence of hardware that is not genuine, or that this build cannot verify.
    #[error(transparent)]
    Hardware(EvidenceError),
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
    /// Keys or request are not the ones that the evidence speaks of, or, of hardware, the configuration is none of the
    /// accepted ones.
    #[error("the evidence does not carry the enclave's keys for this request, or is of another configuration")]
    UserData,
    /// Hardware, where no configuration is accepted.
    #[error("the policy lists no configuration, and hardware does not measure the one that a program runs under")]
    NoConfiguration,
    /// Too old.
    #[error("the evidence is {found} seconds old, where {max_age} are accepted")]
    Age {
        /// Its age.
        found: u64,
        /// The greatest age.
        max_age: u64,
    },
    /// Made later than it is.
    #[error("the evidence was made {found} seconds from now, where {max} are accepted")]
    Future {
        /// Seconds from now.
        found: u64,
        /// [`MAX_SKEW`].
        max: u64,
    },
    /// Asked for at a privilege level below the guest's highest.
    #[error("the report was asked for at privilege level {found}, where 0 is accepted")]
    Privilege {
        /// The level.
        found: u32,
    },
    /// The enclave may be moved to another platform.
    #[error("the enclave may be moved to another platform")]
    Migratable,
    /// Firmware of SEV-SNP that is too old.
    #[error("firmware {found}, where {minimum} is the least")]
    Firmware {
        /// What runs.
        found: SnpTcb,
        /// The least.
        minimum: SnpTcb,
    },
    /// Firmware of a generation for which the policy states no least one, though it does for others.
    #[error("the policy states no least firmware of {found}")]
    Generation {
        /// The generation.
        found: SnpGeneration,
    },
    /// A verdict of Intel's that is not accepted.
    #[error("the platform's status is {found}, which is not accepted")]
    Status {
        /// The verdict.
        found: DcapStatus,
    },
    /// A verdict by an old evaluation.
    #[error("evaluation {found} of the platform, where {minimum} is the least")]
    Evaluation {
        /// Its number.
        found: u32,
        /// The least.
        minimum: u32,
    },
    /// Fewer makers of enclaves vouch than have to.
    #[error("enclaves of {found} makers vouch, where {needed} have to; {} refused", refused.len())]
    Kinds {
        /// The number of makers whose evidence is accepted.
        found: usize,
        /// The number that has to.
        needed: usize,
        /// Why which evidence is not, by its position.
        refused: Vec<(usize, PolicyRefusal)>,
    },
    /// A policy that asks for more makers than it accepts programs of.
    #[error("the policy asks for evidence of {needed} makers, and accepts programs of at most {listed}")]
    Unreachable {
        /// The number that has to vouch.
        needed: usize,
        /// The number that could.
        listed: usize,
    },
    /// In production, SEV-SNP of any firmware.
    #[error("the policy states no least firmware of SEV-SNP, which production needs")]
    NoMinimum,
    /// A production policy that accepts nothing.
    #[error("the policy lists no program")]
    NoProgram,
    /// A policy that asks for no kind at all.
    #[error("the policy asks for evidence of 0 kinds, where at least 1 has to vouch")]
    NoKinds,
    /// A program without what its registers hang on: of Nitro, those of its code; of SEV-SNP, the key that signed its
    /// family and its image.
    #[error("{kind} program {index} of the policy does not give {missing}")]
    Incomplete {
        /// Whose program.
        kind: ProviderKind,
        /// What is missing.
        missing: &'static str,
        /// Its position.
        index: usize,
    },
}

impl Policy {
    /// Judges evidence for these keys and this request: one piece, or an [`EvidenceList`] of several, of which the first has
    /// to be accepted and with it as many makers as the policy asks for. Gives what the first says: it is of the enclave that
    /// holds the keys. *Units*: now in Unix seconds.
    ///
    /// # Errors
    /// [`PolicyRefusal`]; [`PolicyRefusal::Kinds`] where fewer makers vouch than have to.
    pub fn check(
        &self,
        bytes: &[u8],
        user_data: &[u8; 64],
        nonce: &[u8; 64],
        now: u64,
    ) -> Result<Evidence, PolicyRefusal> {
        Ok(self.check_pieces(bytes, user_data, nonce, now)?.swap_remove(0).1)
    }

    /// As [`Self::check`], with everything that is accepted by its position, the first with position 0.
    pub(crate) fn check_pieces(
        &self,
        bytes: &[u8],
        user_data: &[u8; 64],
        nonce: &[u8; 64],
        now: u64,
    ) -> Result<Vec<(usize, Evidence)>, PolicyRefusal> {
        let list = EvidenceList::from_bytes(bytes)?;
        self.led(list.pieces().iter().map(|piece| self.check_one(piece, user_data, nonce, now)))
    }

    /// As [`Self::genuine`], of one piece or of several: enclaves of as many makers as the policy asks for ran. The first
    /// has to be accepted.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn genuine_together(&self, bytes: &[u8], now: u64) -> Result<Vec<Evidence>, PolicyRefusal> {
        let list = EvidenceList::from_bytes(bytes)?;
        let accepted = self.led(list.pieces().iter().map(|piece| self.genuine(piece, now)))?;
        Ok(accepted.into_iter().map(|(_, evidence)| evidence).collect())
    }

    /// The first is accepted, and with it as many makers as have to vouch. Where one is enough, the first alone is judged.
    pub(super) fn led(
        &self,
        mut judged: impl Iterator<Item = Result<Evidence, PolicyRefusal>>,
    ) -> Result<Vec<(usize, Evidence)>, PolicyRefusal> {
        let first = judged.next().ok_or(PolicyRefusal::NoKinds)??;
        let needed = self.hardware.kinds;
        let others = judged.take(if needed == 1 { 0 } else { MAX_PIECES });
        self.counted(core::iter::once(Ok(first)).chain(others))
    }

    /// Judges the evidence of several enclaves for the same keys and request: enclaves of as many makers as the
    /// policy asks for have to be accepted, whatever else is presented. Gives what is accepted, in the order given.
    ///
    /// *Security*: evidence of one maker counts once, however often and of whichever kind, so that TDX and SGX do not
    /// vouch for each other.
    ///
    /// # Errors
    /// [`PolicyRefusal::Kinds`] with a reason for each that is refused, [`PolicyRefusal::NoKinds`].
    pub fn check_all(
        &self,
        evidence: &[&[u8]],
        user_data: &[u8; 64],
        nonce: &[u8; 64],
        now: u64,
    ) -> Result<Vec<Evidence>, PolicyRefusal> {
        self.together(evidence.iter().map(|bytes| self.check_one(bytes, user_data, nonce, now)))
    }

    /// Whether what is accepted is of as many makers as have to vouch.
    pub(super) fn together(
        &self,
        judged: impl Iterator<Item = Result<Evidence, PolicyRefusal>>,
    ) -> Result<Vec<Evidence>, PolicyRefusal> {
        Ok(self.counted(judged)?.into_iter().map(|(_, evidence)| evidence).collect())
    }

    fn counted(
        &self,
        judged: impl Iterator<Item = Result<Evidence, PolicyRefusal>>,
    ) -> Result<Vec<(usize, Evidence)>, PolicyRefusal> {
        let (mut accepted, mut refused) = (Vec::new(), Vec::new());
        for (position, judged) in judged.enumerate() {
            match judged {
                Ok(found) => accepted.push((position, found)),
                Err(refusal) => refused.push((position, refusal)),
            }
        }
        let found = accepted.iter().map(|(_, found)| found.kind.maker()).collect::<BTreeSet<_>>().len();
        match self.hardware.kinds {
            0 => Err(PolicyRefusal::NoKinds),
            needed if found < needed => Err(PolicyRefusal::Kinds { found, needed, refused }),
            _ => Ok(accepted),
        }
    }

    fn check_one(
        &self,
        bytes: &[u8],
        user_data: &[u8; 64],
        nonce: &[u8; 64],
        now: u64,
    ) -> Result<Evidence, PolicyRefusal> {
        let evidence = self.genuine(bytes, now)?;
        self.check_binding(&evidence, user_data, nonce)?;
        Ok(evidence)
    }

    /// Judges evidence without the keys and the request that it speaks of: provider, program and age.
    ///
    /// *Security*: it says that such an enclave ran, and nothing of what it was asked. [`Self::check`] does. Where the
    /// provider states no time, it says nothing of when either.
    /// *Units*: now in Unix seconds.
    ///
    /// # Errors
    /// [`PolicyRefusal`].
    pub fn genuine(&self, bytes: &[u8], now: u64) -> Result<Evidence, PolicyRefusal> {
        let evidence = match ProviderKind::of(bytes)? {
            ProviderKind::Simulated => self.genuine_simulated(bytes, now)?,
            _ => body::verify(bytes, now).map_err(PolicyRefusal::Hardware)?,
        };
        self.check_revocation(bytes, now)?;
        self.accept(&evidence, now)?;
        Ok(evidence)
    }

    /// Judges what genuine evidence says: provider, program, platform and age. *Units*: now in Unix seconds.
    ///
    /// *Security*: it takes the evidence's word. Evidence comes from [`super::verify`] or a provider's own verifier.
    ///
    /// # Errors
    /// [`PolicyRefusal`].
    pub fn accept(&self, evidence: &Evidence, now: u64) -> Result<(), PolicyRefusal> {
        self.check_lasting(evidence)?;
        self.check_age(evidence, now)
    }

    /// Judges again what was accepted before of presented evidence, under a policy that may have changed: all but its age, its
    /// dates and its signatures. Its chain is held against the revocation lists of now.
    pub(crate) fn check_again(
        &self,
        (presented, accepted): (&[u8], &[(usize, Evidence)]),
        (user_data, nonce): (&[u8; 64], &[u8; 64]),
        now: u64,
    ) -> Result<(), PolicyRefusal> {
        let list = EvidenceList::from_bytes(presented)?;
        let one = |(position, evidence): &(usize, Evidence)| {
            self.check_lasting(evidence)?;
            self.check_binding(evidence, user_data, nonce)?;
            let piece = list.pieces().get(*position).copied().unwrap_or_default();
            self.check_revocation(piece, now)?;
            Ok(evidence.clone())
        };
        self.led(accepted.iter().map(one)).map(drop)
    }

    /// Holds the chain of accepted evidence against the policy's revocation lists, where it has any.
    fn check_revocation(&self, bytes: &[u8], now: u64) -> Result<(), PolicyRefusal> {
        let simulated = ProviderKind::of(bytes)? == ProviderKind::Simulated;
        if simulated || self.hardware.revocation.is_empty() {
            return Ok(());
        }
        body::check_revocation(bytes, &self.hardware.revocation, now).map_err(PolicyRefusal::Hardware)
    }

    /// What time does not change: provider, program and platform.
    fn check_lasting(&self, evidence: &Evidence) -> Result<(), PolicyRefusal> {
        if evidence.kind == ProviderKind::Simulated && self.mode == OperatingMode::Production {
            return Err(PolicyRefusal::Simulated);
        }
        self.check_program(evidence)?;
        self.hardware.check_platform(evidence)?;
        match evidence.tcb {
            Tcb::Snp { generation, .. } if self.takes_any_firmware(generation) => Err(PolicyRefusal::NoMinimum),
            _ => Ok(()),
        }
    }

    /// Whether a production policy, which may not, takes every firmware of a generation.
    fn takes_any_firmware(&self, generation: SnpGeneration) -> bool {
        self.mode == OperatingMode::Production && self.hardware.takes_any_firmware(generation)
    }

    /// Refuses a configuration that names simulated roots for production, or that could never be meant.
    ///
    /// # Errors
    /// [`PolicyRefusal::Simulated`], [`PolicyRefusal::NoKinds`], [`PolicyRefusal::Incomplete`],
    /// [`PolicyRefusal::Unreachable`]; in production also [`PolicyRefusal::NoProgram`], [`PolicyRefusal::NoMinimum`],
    /// [`PolicyRefusal::NoConfiguration`].
    pub fn check_configuration(&self) -> Result<(), PolicyRefusal> {
        if self.mode == OperatingMode::Production && !self.simulated_roots.is_empty() {
            return Err(PolicyRefusal::Simulated);
        }
        self.hardware.check()?;
        let (needed, listed) = (self.hardware.kinds, self.makers());
        if needed > 1 && needed > listed {
            return Err(PolicyRefusal::Unreachable { needed, listed });
        }
        match self.mode {
            OperatingMode::Production => self.check_production(),
            OperatingMode::Simulation => Ok(()),
        }
    }

    fn check_production(&self) -> Result<(), PolicyRefusal> {
        if self.measurements.is_empty() && self.hardware.programs() == 0 {
            return Err(PolicyRefusal::NoProgram);
        }
        if !self.hardware.snp.is_empty() && !self.hardware.states_firmware() {
            return Err(PolicyRefusal::NoMinimum);
        }
        if self.hardware.configurations.is_empty() {
            return Err(PolicyRefusal::NoConfiguration);
        }
        Ok(())
    }

    /// How many makers could vouch at most. A digest does not say whose program it names, and names one.
    fn makers(&self) -> usize {
        let known = match self.mode {
            OperatingMode::Production => 3,
            OperatingMode::Simulation => 4,
        };
        known.min(self.hardware.makers() + self.measurements.len())
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
        let (found, listed) = (evidence.measurement, self.measurements.len() + self.hardware.programs());
        if self.measurements.contains(&found) || self.hardware.lists(&evidence.registers) {
            return Ok(());
        }
        Err(PolicyRefusal::Measurement { found, listed })
    }

    fn check_age(&self, evidence: &Evidence, now: u64) -> Result<(), PolicyRefusal> {
        let Some(issued) = evidence.issued else { return Ok(()) };
        let (found, ahead) = (now.saturating_sub(issued), issued.saturating_sub(now));
        if ahead > MAX_SKEW {
            return Err(PolicyRefusal::Future { found: ahead, max: MAX_SKEW });
        }
        if found > self.max_age {
            return Err(PolicyRefusal::Age { found, max_age: self.max_age });
        }
        Ok(())
    }

    /// Whether genuine evidence speaks of these keys, this request and, of hardware, of an accepted configuration.
    pub(super) fn check_binding(
        &self,
        evidence: &Evidence,
        user_data: &[u8; 64],
        nonce: &[u8; 64],
    ) -> Result<(), PolicyRefusal> {
        if evidence.nonce.as_ref().is_some_and(|found| found != nonce) {
            return Err(PolicyRefusal::Nonce);
        }
        match self.configuration(evidence, user_data) {
            Some(_) => Ok(()),
            None if self.configurations(evidence.kind).is_empty() => Err(PolicyRefusal::NoConfiguration),
            None => Err(PolicyRefusal::UserData),
        }
    }

    /// The accepted configuration that evidence for these keys and this request carries; zeros of simulated evidence,
    /// which measures it.
    pub(crate) fn configuration(&self, evidence: &Evidence, user_data: &[u8; 64]) -> Option<[u8; 32]> {
        let carried =
            |configuration: &&[u8; 32]| evidence.user_data == evidence.kind.user_data(user_data, configuration);
        self.configurations(evidence.kind).iter().find(carried).copied()
    }

    fn configurations(&self, kind: ProviderKind) -> &[[u8; 32]] {
        match kind {
            ProviderKind::Simulated => &[[0; 32]], // measured, and so not in the user data
            _ => &self.hardware.configurations,
        }
    }
}
