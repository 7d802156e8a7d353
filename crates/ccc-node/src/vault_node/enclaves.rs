//! Whether the enclave that asks is current in the registry, as a participant reads the registry itself.
//!
//! A participant judges fresh evidence for the keys of each attempt under its own policy, and that alone says *such a program
//! runs*. *Which* enclave it is, its identity says, which signs the attempt's keys; and whether that one may still speak, the
//! registry says, into which a quorum of signers admitted it by evidence of its own. So a participant admits nobody by
//! itself: it has nothing to remember over a restart, and a revocation reaches it with the block that carries it.

use super::{Ask, ChainView, Participant, Refusal};
use ccc_chain::status::{EnclaveState, Standing};
use ccc_core::enclave::identity::IdentityRefusal;
use std::{collections::HashMap, sync::Arc};

/// What the registry says at the block of a view: everybody who was ever admitted, by the address that it signs as.
#[derive(Clone, Debug, Default)]
pub struct Enclaves(Arc<HashMap<[u8; 20], EnclaveState>>);

impl FromIterator<EnclaveState> for Enclaves {
    fn from_iter<I: IntoIterator<Item = EnclaveState>>(states: I) -> Self {
        Self(Arc::new(states.into_iter().map(|state| (state.signer.0.0, state)).collect()))
    }
}

/// Why an enclave gets no share, whatever its evidence says.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnclaveRefusal {
    /// A view without the registry's word, of a participant that needs it.
    #[error("the view does not say how the enclave stands in the registry")]
    NotAsked,
    /// Keys that no identity signed, where the deployment has a registry.
    #[error("no identity signed the enclave's keys, and the registry knows enclaves by theirs")]
    Unsigned,
    /// What signed is no identity, or one of another epoch, or one whose time is over.
    #[error("identity: {0}")]
    Identity(#[from] IdentityRefusal),
    /// The registry does not call it current.
    #[error("the registry says of the enclave 0x{}: {}", hex::encode(.signer), standing.words())]
    NotCurrent {
        /// Who signed the keys.
        signer: [u8; 20],
        /// How it stands.
        standing: Standing,
    },
    /// The identity of another program than the one that the evidence speaks of.
    #[error("the evidence is of the program {}, and the registry knows the enclave as {}", hex::encode(.found), hex::encode(.expected))]
    OtherProgram {
        /// The registry's.
        expected: [u8; 32],
        /// The evidence's.
        found: [u8; 32],
    },
}

impl Participant {
    /// The enclave is current in the registry, by the block of the view and by the participant's own time: between two final
    /// blocks minutes may pass. Judged after the evidence, so that who has none learns nothing of the registry.
    pub(super) fn check_enclave(
        &self,
        view: &ChainView,
        ask: &Ask,
        request: &[u8; 64],
        now: u64,
    ) -> Result<(), Refusal> {
        let Some(enclaves) = &view.enclaves else {
            return if self.asks_registry { Err(EnclaveRefusal::NotAsked.into()) } else { Ok(()) };
        };
        let signed = ask.identity.ok_or(EnclaveRefusal::Unsigned)?;
        let signer = signed.signer(&ask.card.recipient.user_data(request)).map_err(identity)?;
        let state = enclaves.current(signer)?;
        check_epochs([state.epoch, signed.epoch], self.committee.epoch().0)?;
        let not_after = state.valid_until;
        if now > not_after {
            return Err(identity(IdentityRefusal::Expired { not_after, now }));
        }
        let (expected, found) = (state.measurement.0, ask.card.recipient.measurement);
        if expected == found { Ok(()) } else { Err(EnclaveRefusal::OtherProgram { expected, found }.into()) }
    }
}

impl Enclaves {
    fn current(&self, signer: [u8; 20]) -> Result<&EnclaveState, EnclaveRefusal> {
        let refused = |standing| EnclaveRefusal::NotCurrent { signer, standing };
        match self.0.get(&signer) {
            None => Err(refused(Standing::Unknown)),
            Some(state) if state.standing == Standing::Current => Ok(state),
            Some(state) => Err(refused(state.standing)),
        }
    }
}

/// It speaks in the epoch in which it was admitted, and that is none before the committee's. It may be a later one: a
/// committee serves the rotation away from itself, which the enclaves of the next one ask for.
fn check_epochs([admitted, signed]: [u64; 2], own: u64) -> Result<(), Refusal> {
    match (admitted == signed, admitted >= own) {
        (false, _) => Err(identity(IdentityRefusal::Epoch { expected: admitted, found: signed })),
        (true, false) => Err(identity(IdentityRefusal::Epoch { expected: own, found: admitted })),
        (true, true) => Ok(()),
    }
}

fn identity(refusal: impl Into<IdentityRefusal>) -> Refusal {
    EnclaveRefusal::Identity(refusal.into()).into()
}
