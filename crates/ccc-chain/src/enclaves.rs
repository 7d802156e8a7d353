//! The registry of enclaves, read on and on: who was ever admitted, and how each stands at a block.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::Address;

use crate::{
    Chain, ChainError,
    bindings::EnclaveRegistry::EnclaveAdmitted,
    read::BlockRef,
    status::{EnclaveState, Place, Standing, enclave, events},
};

/// Reads `EnclaveRegistry` from block to block. Admissions are found by their events, once each; how somebody stands is asked
/// of the contract.
#[derive(Clone, Debug)]
pub struct EnclaveReader {
    registry: Address,
    first: u64,
    known: BTreeMap<Address, EnclaveState>,
}

impl EnclaveReader {
    /// A reader of a registry that did not stand before a block.
    #[must_use]
    pub fn new(registry: Address, first_block: u64) -> Self {
        Self { registry, first: first_block, known: BTreeMap::new() }
    }

    /// Everybody who was admitted up to a block, as they stand there. The block is final, and none before one that was read:
    /// of whom the registry then takes for over it is not asked again, until there is another admission of it.
    ///
    /// # Errors
    /// See [`ChainError`]; the next call reads the same blocks again.
    pub async fn read_to(
        &mut self,
        chain: &Chain,
        block: BlockRef,
    ) -> Result<impl Iterator<Item = &EnclaveState>, ChainError> {
        let admitted: Vec<(Place, EnclaveAdmitted)> = events(chain, self.registry, (self.first, block.number)).await?;
        let mut asked: BTreeSet<Address> = admitted.iter().map(|(_, event)| event.signer).collect();
        asked.extend(self.known.values().filter(|state| may_change(state.standing)).map(|state| state.signer));
        let mut found = Vec::with_capacity(asked.len());
        for signer in asked {
            found.push((signer, enclave(chain, self.registry, signer, block.id()).await?));
        }
        self.known.extend(found);
        self.first = block.number.saturating_add(1);
        Ok(self.known.values())
    }
}

/// Whether it may stand otherwise at a later block without another admission. A program that was withdrawn can be allowed
/// again; the rest is for ever, or ends with an admission, which is an event.
const fn may_change(standing: Standing) -> bool {
    match standing {
        Standing::Unknown | Standing::Current | Standing::MeasurementNotAllowed => true,
        Standing::Revoked | Standing::Expired | Standing::OtherEpoch => false,
    }
}
