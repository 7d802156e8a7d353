//! What production refuses, in one place.
//!
//! A caller states the mode: `ccc recover --production`, `--production` of `ccc keygen dealer`, `ccc keygen dkg`,
//! `ccc refresh` and `ccc reshare`, `mode` in a pool's settings.
//! What it configures is held against these rules before anything is made. Evidence of a simulated provider is
//! refused again where it is judged: [`Policy::check`].

use ccc_core::{
    enclave::attestation::{OperatingMode, Policy, PolicyRefusal},
    guard::REMOVABLE,
    keys::{MembershipError, Roster},
    threshold::{Threshold, ThresholdError},
};

/// The sharing of the master key, as far as it is known when the rules are asked.
#[derive(Clone, Copy, Debug)]
pub enum Sharing<'a> {
    /// Its sizes: every participant owns one identifier.
    Sizes(Threshold),
    /// Its roster, in which a participant may own several identifiers.
    Roster(&'a Roster),
}

/// What a caller configured, as far as production has a rule about it.
#[derive(Clone, Copy, Debug)]
pub struct Configuration<'a> {
    /// What the caller states.
    pub mode: OperatingMode,
    /// Whether keys follow from a seed.
    pub seeded: bool,
    /// Whether one dealer makes every share.
    pub dealt: bool,
    /// Who shares the master key, and how many of them open.
    pub sharing: Sharing<'a>,
    /// Which enclaves are accepted; none where no enclave takes part.
    pub policy: Option<&'a Policy>,
    /// Parts that stand for others.
    pub simulated: &'a [&'static str],
}

/// Why a configuration does not run in production.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProductionRefusal {
    /// A seed makes every secret guessable.
    #[error("a seed is refused in production mode")]
    Seed,
    /// A dealer knows the master key.
    #[error("a dealer is refused in production mode: it knows the master key")]
    Dealer,
    /// Sizes that tolerate no fault, or that only an unsafe constructor gives.
    #[error("committee: {0}")]
    Threshold(#[from] ThresholdError),
    /// A participant that owns more identifiers than may fail.
    #[error("roster: {0}")]
    Roster(#[from] MembershipError),
    /// A threshold that does not protect tables from a rollback.
    #[error("threshold {t} of {n} does not protect tables; production needs at least {least}")]
    Tables {
        /// The threshold asked for.
        t: u16,
        /// The number of participants.
        n: u16,
        /// The least that does.
        least: u16,
    },
    /// Simulated hardware is accepted.
    #[error(transparent)]
    Policy(#[from] PolicyRefusal),
    /// The policy was made for another mode.
    #[error("the attestation policy is one of simulation, the configuration says production")]
    PolicyMode,
    /// A deployment without a registry of enclaves.
    #[error("the deployment has no registry of enclaves, without which none can be revoked")]
    NoRegistry,
    /// A part stands for another.
    #[error("{part} is simulated, which production mode refuses")]
    Simulated {
        /// Which.
        part: &'static str,
    },
    /// A build for fault tests, in which checks can be taken out.
    #[error("this build has the feature unguarded: its checks can be taken out")]
    Unguarded,
}

impl Configuration<'_> {
    /// Holds a configuration against every rule; in mode simulation there is none.
    ///
    /// # Errors
    /// [`ProductionRefusal`]: the first rule that does not hold.
    pub fn check(&self) -> Result<(), ProductionRefusal> {
        if self.mode == OperatingMode::Simulation {
            return Ok(());
        }
        if REMOVABLE {
            return Err(ProductionRefusal::Unguarded);
        }
        if self.seeded {
            return Err(ProductionRefusal::Seed);
        }
        if self.dealt {
            return Err(ProductionRefusal::Dealer);
        }
        check_sharing(self.sharing)?;
        self.policy.map_or(Ok(()), check_policy)?;
        match self.simulated.first() {
            Some(part) => Err(ProductionRefusal::Simulated { part }),
            None => Ok(()),
        }
    }
}

fn check_sharing(sharing: Sharing<'_>) -> Result<(), ProductionRefusal> {
    match sharing {
        Sharing::Sizes(threshold) => check_threshold(threshold),
        Sharing::Roster(roster) => {
            check_threshold(roster.threshold())?;
            Ok(roster.require_fault_tolerance()?)
        }
    }
}

/// A threshold does not remember its constructor, so its sizes go through the safe one again.
fn check_threshold(threshold: Threshold) -> Result<(), ProductionRefusal> {
    let (t, n) = (threshold.t(), threshold.n());
    let threshold = Threshold::new(t, n)?.require_fault_tolerance()?;
    if threshold.protects_tables() {
        Ok(())
    } else {
        Err(ProductionRefusal::Tables { t, n, least: 2 * threshold.max_faulty() + 1 })
    }
}

fn check_policy(policy: &Policy) -> Result<(), ProductionRefusal> {
    if policy.mode != OperatingMode::Production {
        return Err(ProductionRefusal::PolicyMode);
    }
    Ok(policy.check_configuration()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ccc_core::enclave::attestation::{Hardware, simulated::SimulatedHardware};
    use ccc_core::{epoch::Epoch, identifier::Identifier, keys::ParticipantKeys};
    use rand::{SeedableRng, rngs::StdRng};

    fn policy(mode: OperatingMode, roots: usize) -> Policy {
        let root = SimulatedHardware::from_seed(&[7; 32]).root();
        let mut hardware = Hardware::default();
        hardware.configurations.push([2; 32]);
        Policy { mode, measurements: vec![[1; 32]], max_age: 600, simulated_roots: vec![root; roots], hardware }
    }

    /// What every rule lets pass.
    fn sound(policy: &Policy) -> Configuration<'_> {
        Configuration {
            mode: OperatingMode::Production,
            seeded: false,
            dealt: false,
            sharing: Sharing::Sizes(Threshold::default_for(4).expect("valid")),
            policy: Some(policy),
            simulated: &[],
        }
    }

    /// The refusal in production; in simulation there must be none.
    fn refused(configuration: Configuration<'_>) -> ProductionRefusal {
        let simulation = Configuration { mode: OperatingMode::Simulation, ..configuration };
        assert_eq!(simulation.check(), Ok(()));
        configuration.check().expect_err("refused in production")
    }

    #[test]
    fn a_configuration_without_simulated_parts_passes() {
        assert_eq!(sound(&policy(OperatingMode::Production, 0)).check(), Ok(()));
        let hardware = policy(OperatingMode::Production, 0);
        assert_eq!(Configuration { policy: None, ..sound(&hardware) }.check(), Ok(()));
    }

    #[test]
    fn seeds_and_dealers_are_refused() {
        let hardware = policy(OperatingMode::Production, 0);
        assert_eq!(refused(Configuration { seeded: true, ..sound(&hardware) }), ProductionRefusal::Seed);
        assert_eq!(refused(Configuration { dealt: true, ..sound(&hardware) }), ProductionRefusal::Dealer);
    }

    #[test]
    fn n112_simulated_hardware_and_parts_are_refused() {
        let rooted = policy(OperatingMode::Production, 1);
        assert_eq!(refused(sound(&rooted)), ProductionRefusal::Policy(PolicyRefusal::Simulated));
        for roots in [0, 1] {
            let lax = policy(OperatingMode::Simulation, roots);
            assert_eq!(refused(sound(&lax)), ProductionRefusal::PolicyMode);
        }
        let hardware = policy(OperatingMode::Production, 0);
        let simulated = Configuration { simulated: &["the custodian", "the price feed"], ..sound(&hardware) };
        assert_eq!(refused(simulated), ProductionRefusal::Simulated { part: "the custodian" });
    }

    #[test]
    fn committees_that_tolerate_no_fault_are_refused() {
        let hardware = policy(OperatingMode::Production, 0);
        let refusal = |threshold| refused(Configuration { sharing: Sharing::Sizes(threshold), ..sound(&hardware) });
        for n in 1..=3 {
            let threshold = Threshold::default_for(n).expect("valid");
            assert_eq!(refusal(threshold), ProductionRefusal::Threshold(ThresholdError::NotFaultTolerant { n }));
        }
        let low = Threshold::new(6, 16).expect("valid");
        assert_eq!(refusal(low), ProductionRefusal::Tables { t: 6, n: 16, least: 11 });
    }

    /// Four participants with `weights` identifiers.
    fn roster(weights: [u16; 4]) -> Roster {
        let mut rng = StdRng::seed_from_u64(1);
        let mut keys = |weight| (ParticipantKeys::generate(&mut rng).expect("keys").public_keys(), weight);
        let participants = weights.map(&mut keys);
        Roster::weighted(Epoch(1), Threshold::default_for, &participants).expect("a roster")
    }

    #[test]
    fn a_participant_whose_silence_stops_the_service_is_refused() {
        let hardware = policy(OperatingMode::Production, 0);
        let even = roster([2, 2, 2, 1]);
        assert_eq!(Configuration { sharing: Sharing::Roster(&even), ..sound(&hardware) }.check(), Ok(()));
        let heavy = roster([1, 3, 2, 1]);
        let identifier = Identifier::new(2).expect("not zero");
        let expected = MembershipError::Weight { identifier, found: 3, most: 2 };
        let configuration = Configuration { sharing: Sharing::Roster(&heavy), ..sound(&hardware) };
        assert_eq!(refused(configuration), ProductionRefusal::Roster(expected));
    }

    #[test]
    fn what_an_unsafe_constructor_gave_is_refused() {
        let hardware = policy(OperatingMode::Production, 0);
        for (t, n) in [(16, 16), (12, 16), (1, 4), (4, 4)] {
            let threshold = Threshold::unsafe_without_fault_bound(t, n).expect("within 1 to n");
            let refusal = refused(Configuration { sharing: Sharing::Sizes(threshold), ..sound(&hardware) });
            let outside = |found: &ThresholdError| matches!(found, ThresholdError::Threshold { .. });
            assert!(matches!(&refusal, ProductionRefusal::Threshold(found) if outside(found)), "{refusal}");
        }
    }
}
