//! Every actor of a recovery, each with its own secrets, on one chain.

use super::{
    RecoveryError,
    refill::{Refill, Route},
    report::Figure,
    services::Services,
};
use crate::{
    agent::Agent,
    leak::Secret,
    maker::TableOwner,
    reading::{ChainLog, Place},
    seed::Randomness,
    vault_node::{MemoryJournal, VaultNode},
    workflow_node::WorkflowNode,
};
use alloy::primitives::Address;
use ccc_chain::{Chain, Deployment, Wallet};
use ccc_core::{
    enclave::{
        attestation::{Policy, simulated::SimulatedProvider},
        identity::IdentityKey,
    },
    keys::Committee,
    table::{Execution, Header, SealedTable, TableStore},
    vault::Mode,
};
use ccc_enclave::config::EnclaveConfig;
use ccc_store::MemoryStore;
use std::{collections::BTreeMap, sync::Arc};

/// One participant and its own reading of the chain.
pub(super) struct Participant {
    pub(super) node: VaultNode<MemoryJournal>,
    pub(super) log: ChainLog,
}

/// One signer of reports and its own reading of the chain.
pub(super) struct Signer {
    pub(super) node: WorkflowNode,
    pub(super) log: ChainLog,
}

/// One market maker.
pub(super) struct Maker {
    pub(super) wallet: Wallet,
    pub(super) owner: TableOwner,
    /// Digest of its standing order's ciphertext, once that is submitted.
    pub(super) order: Option<[u8; 32]>,
}

/// The last sequence number of each kind of report.
#[derive(Clone, Copy, Default)]
pub(super) struct Sequences {
    pub(super) solvency: u64,
    pub(super) round: u64,
    pub(super) payout: u64,
}

/// A public file of the run.
pub(super) struct Artifact {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// Everybody.
pub(super) struct World {
    pub(super) chain: Chain,
    pub(super) deployment: Deployment,
    pub(super) config: EnclaveConfig,
    pub(super) committee: Committee,
    /// How participants answer the enclave.
    pub(super) mode: Mode,
    pub(super) provider: Arc<SimulatedProvider>,
    /// The enclave's identity; none before it was admitted.
    pub(super) identity: Option<Arc<IdentityKey>>,
    /// The same, sealed, as its host keeps it: a renewal is of what is read out of it.
    pub(super) sealed_identity: Vec<u8>,
    /// How often an identity was admitted.
    pub(super) admissions: u64,
    /// What participants and signers accept as the enclave.
    pub(super) policy: Policy,
    pub(super) nodes: Vec<Participant>,
    pub(super) signers: Vec<Signer>,
    pub(super) makers: Vec<Maker>,
    pub(super) reserve_owner: TableOwner,
    pub(super) agent: Agent,
    pub(super) operator: Wallet,
    pub(super) reserve: Wallet,
    pub(super) randomness: Randomness,
    pub(super) store: MemoryStore,
    /// The enclave host's reading of the chain.
    pub(super) log: ChainLog,
    pub(super) sequences: Sequences,
    /// Attempts so far; each has its own generator.
    pub(super) attempts: u64,
    /// The header of the current table.
    pub(super) head: Option<Header>,
    /// Who misbehaved, and how.
    pub(super) culprits: BTreeMap<u16, String>,
    pub(super) artifacts: Vec<Artifact>,
    pub(super) secrets: Vec<Secret>,
    /// The secret numbers themselves.
    pub(super) figures: Vec<Figure>,
    /// What the requester was told of its order.
    pub(super) execution: Option<Execution>,
    /// Payload of the report that made the current table.
    pub(super) former: Option<Vec<u8>>,
    /// The agent, where it is not the stand-in.
    pub(super) refill: Option<Box<dyn Refill>>,
    /// Contracts of the agent's market.
    pub(super) market: Vec<Address>,
    /// Which way the hole was filled.
    pub(super) route: Option<Route>,
    /// Enclaves, participants and signers, where they are processes of their own.
    pub(super) services: Option<Box<dyn Services>>,
}

impl World {
    /// Where everything is read.
    pub(super) fn place(&self) -> Place<'_> {
        let key = self.committee.master_public_key();
        Place { chain: &self.chain, deployment: &self.deployment, config: &self.config, key }
    }

    /// Keeps a public file of the run.
    pub(super) fn keep(&mut self, name: impl Into<String>, bytes: Vec<u8>) {
        self.artifacts.push(Artifact { name: name.into(), bytes });
    }

    /// Keeps a secret number for the search at the end, and for whoever the figures belong to.
    pub(super) fn hide(&mut self, name: &'static str, value: u128) {
        self.figure(name, value);
        self.search_for(name, value);
    }

    /// Keeps a number for whoever the figures belong to.
    pub(super) fn figure(&mut self, name: &'static str, value: u128) {
        self.figures.push(Figure { name, value });
    }

    /// Keeps a number for the search at the end.
    pub(super) fn search_for(&mut self, name: &'static str, value: u128) {
        self.secrets.extend(Secret::number(name, value));
    }

    /// The current table from the store.
    pub(super) fn table(&self) -> Result<Option<SealedTable>, RecoveryError> {
        let Some(header) = &self.head else { return Ok(None) };
        Ok(Some(self.store.get(&header.hash())?))
    }
}
