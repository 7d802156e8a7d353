//! What the participants of a ceremony agree on beforehand, in one piece that all of them hold.

use super::{Ceremony, Opening};
use alloy::{
    primitives::{Address, B256, keccak256},
    sol_types::SolValue,
};
use serde::{Deserialize, Serialize};

/// Seconds after the last round in which the handover that the ceremony led to can be delivered.
const DELIVERY: u64 = 7_200;

/// A ceremony on a chain, with everything that its nonce hashes: whoever changes a field names another ceremony.
///
/// Made by whoever opens it, handed to every participant beside the session. The salt is keccak256 of `seed`, registry (zero
/// without one), dealers and receivers, each as words, and so binds what the contract does not look at.
///
/// *Units*: `ends` in Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// The chain.
    pub chain_id: u64,
    /// The contract, a `VaultBoard`.
    pub board: Address,
    /// Who opened it.
    pub opener: Address,
    /// The block in which it was opened.
    pub first_block: u64,
    /// Last second of each round.
    pub ends: [u64; 4],
    /// Drawn by whoever opened it.
    pub seed: B256,
    /// The `VaultRegistry` whose entry moves with the epoch, in a handover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<Address>,
    /// Accounts of the committee that hands over, in the order of its numbers; none in a key generation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dealers: Vec<Address>,
    /// Accounts of the new roster, in the order of its numbers.
    pub receivers: Vec<Address>,
}

impl Agreement {
    /// What the ceremony is opened with: its members are the dealers and, after them, the receivers that do not deal.
    #[must_use]
    pub fn opening(&self) -> Opening {
        let mut members = self.dealers.clone();
        members.extend(self.receivers.iter().filter(|receiver| !self.dealers.contains(receiver)));
        let lists = [&self.dealers, &self.receivers].map(|accounts| accounts.abi_encode_packed());
        let registry = self.registry.unwrap_or_default();
        let [dealers, receivers] = lists.map(keccak256);
        let salt = keccak256((self.seed, registry, dealers, receivers).abi_encode());
        Opening { members, ends: self.ends, salt }
    }

    /// The ceremony that it names.
    #[must_use]
    pub fn ceremony(&self) -> Ceremony {
        let nonce = self.opening().nonce(self.chain_id, self.board, self.opener);
        Ceremony { board: self.board, nonce, first_block: self.first_block }
    }

    /// Last second at which the handover may be delivered. Nothing keeps a dealer of two sessions from signing another one before: the
    /// one that is delivered first is in office.
    #[must_use]
    pub fn deliverable_until(&self) -> u64 {
        self.ends[3].saturating_add(DELIVERY)
    }
}
