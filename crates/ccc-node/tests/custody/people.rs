//! Who acts on the chain, with which keys, and how the enclave gets into the registry.

use super::{
    super::support::pool::{LOT, NOW, PRICE, World, observations},
    Scene,
};
use alloy::{
    primitives::{Address, B256, keccak256},
    signers::{SignerSync, local::PrivateKeySigner},
};
use ccc_chain::{
    Actions, Chain, Deployment, EmbeddedConfig, Wallet,
    bindings::VaultRegistry,
    custody::{self, CommitteePlan, CustodyPlan, Part, Roles, TokenPart},
    deploy::{FeedPlan, PoolTimes, Signers},
    status,
};
use ccc_core::{enclave::identity::IdentityKey, keys::Committee, report::ReportSigner};
use ccc_enclave::attempt::Enclave;
use ccc_node::workflow_node::{Decision, RegistryView, WorkflowNode};

/// Participants that may be faulty: one of four.
const FAULTS: u8 = 1;
const SENDER: u8 = 99;
/// Seconds.
const MAX_LIFETIME: u64 = 24 * 3_600;

/// The wallet of an account's key, which has its address.
pub(crate) fn wallet(owner: u8) -> Wallet {
    Wallet::from_key(&[owner; 32]).expect("a key")
}

pub(crate) fn report_signer(number: usize) -> ReportSigner {
    ReportSigner::from_bytes(&[100 + u8::try_from(number).expect("few"); 32]).expect("a key")
}

/// The key with which a participant speaks to the registry in an epoch.
fn seat(epoch: u64, number: u8) -> PrivateKeySigner {
    let key = keccak256([&epoch.to_be_bytes()[..], &[number]].concat());
    PrivateKeySigner::from_bytes(&key).expect("a key")
}

fn seats(committee: &Committee) -> Vec<Address> {
    (0..4).map(|number| seat(committee.epoch().0, number).address()).collect()
}

pub(crate) fn handover_signature(epoch: u64, number: u8, digest: &B256) -> alloy::primitives::Bytes {
    seat(epoch, number).sign_hash_sync(digest).expect("signed").as_rsy().into()
}

/// A committee as the registry has it.
pub(crate) fn registered(committee: &Committee) -> VaultRegistry::Committee {
    VaultRegistry::Committee {
        epoch: committee.epoch().0,
        faults: FAULTS,
        participants: seats(committee),
        masterKey: B256::from(committee.master_public_key().to_bytes()),
        verificationRoot: keccak256(committee.digest()),
    }
}

fn plan(world: &World) -> CustodyPlan {
    let first = registered(&world.committee);
    let mut workflow_id = B256::repeat_byte(0x33);
    workflow_id[0] = 0;
    let [admin, operator, guardian, workflow_owner] = [0xad, 0x0b, 0x0c, 0x44].map(Address::repeat_byte);
    let token =
        |name: &str, decimals, lot| TokenPart { contract: Part::Simulated((name.into(), name.into(), decimals)), lot };
    CustodyPlan {
        roles: Roles { admin, operator, guardian, delay: 3_600 },
        committee: CommitteePlan {
            epoch: first.epoch,
            faults: first.faults,
            participants: first.participants,
            master_key: first.masterKey,
            verification_root: first.verificationRoot,
        },
        signers: Signers {
            don_id: 1,
            config_version: 1,
            f: 1,
            addresses: (0..4).map(|number| report_signer(number).address().into()).collect(),
        },
        workflow_id,
        workflow_owner,
        agent_key: B256::from(world.agent.public()),
        max_age: 3_600,
        max_lifetime: MAX_LIFETIME,
        reserve: world.reserve.account().into(),
        table_id: B256::from(world.config.table),
        feed: Part::Simulated(FeedPlan { decimals: 8, description: "BTC / USD".into() }),
        tokens: vec![token("WBTC", 8, LOT), token("USDC", 6, 1)],
        times: PoolTimes { fill_window: 600, max_delay: 24 * 3_600, exit_delay: 30 * 24 * 3_600 },
    }
}

/// Deploys the contracts, and has the enclave's configuration name them.
pub(crate) async fn place(world: &mut World) -> (Chain, Deployment, Wallet) {
    let (chain_id, sender) = (world.config.chain, wallet(SENDER));
    let chain = Chain::embedded(&EmbeddedConfig { chain_id, genesis_time: NOW, rich: Vec::new() });
    for number in (1..10).chain([SENDER]) {
        chain.fund(wallet(number).address()).await.expect("funded");
    }
    let (deployment, _) = custody::deploy(&chain, &sender, &plan(world)).await.expect("deployed");
    let config = &mut world.config;
    (config.pool, config.reserve_attestation) = (deployment.pool.0.0, deployment.attestation.0.0);
    config.price_source = deployment.feed.0.0;
    for (asset, token) in config.assets.iter_mut().zip(&deployment.tokens) {
        asset.token = token.address.0.0;
    }
    world.provider = world.hardware();
    let act = Actions::new(&chain, &deployment);
    for seen in observations(NOW) {
        act.push_price(&sender, PRICE * 100, seen.updated_at).await.expect("a price");
    }
    (chain, deployment, sender)
}

/// The report signers, under the world's policy, configuration and epoch.
pub(crate) fn signers(world: &World) -> Vec<WorkflowNode> {
    let epoch = world.committee.epoch().0;
    let signer = |number| {
        let node = WorkflowNode::new(report_signer(number), world.policy(), world.config.clone(), world.key());
        node.with_identities(epoch, MAX_LIFETIME)
    };
    (0..4).map(signer).collect()
}

/// A fresh identity of the enclave, for the committee's epoch.
pub(crate) fn identity(world: &mut World) -> IdentityKey {
    let (epoch, expiry) = (world.committee.epoch().0, world.time + MAX_LIFETIME / 2);
    IdentityKey::generate(epoch, expiry, &mut world.rng).expect("keys")
}

impl Scene {
    /// The vault's new committee is made, and its operators set the enclave and the signers to it. The chain knows nothing
    /// of it yet.
    pub(crate) fn prepare(&mut self, seed: u64) {
        self.world.hand_over(seed);
        self.signers = signers(&self.world);
        self.identity = identity(&mut self.world);
    }

    /// The signers allow the program and admit the enclave, and the registry takes both.
    pub(crate) async fn admit(&mut self) {
        for allows in [true, false] {
            self.decide(allows).await;
        }
    }

    async fn decide(&mut self, allows: bool) {
        let view = self.registry_view().await;
        let enclave = Enclave::new(self.world.config.clone(), &self.world.provider).expect("a configuration");
        let attested = enclave.attest_identity(&self.identity, view.challenge().bytes(), view.now).expect("evidence");
        let until = view.now + 30 * MAX_LIFETIME;
        let decision = if allows { Decision::Allow(&attested, until) } else { Decision::Admit(&attested) };
        let (context, origin) = (self.deployment.context(view.sequence()), self.deployment.origin());
        let decide = |signer: &mut WorkflowNode| signer.decide(decision, &view, origin, &context).expect("decided");
        let quorum = self.deployment.signer_set().quorum();
        let signed = self.signers.iter_mut().take(quorum).map(decide).collect();
        self.deliver(&self.assembled(signed)).await.expect("taken");
    }

    async fn registry_view(&self) -> RegistryView {
        let (block, registry) = (self.latest().await, self.registries().enclaves);
        RegistryView {
            chain: self.chain.chain_id(),
            registry: registry.0.0,
            epoch: self.epoch().await,
            block_hash: block.hash.0,
            block_time: block.time,
            now: block.time,
            last_sequence: status::enclave_sequence(&self.chain, registry, block.id()).await.expect("a sequence"),
        }
    }
}
