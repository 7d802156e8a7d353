//! Before the first round: keys, contracts, actors.

use super::{
    RecoveryError, RecoveryOptions,
    identity::MAX_LIFETIME,
    services::Services,
    statement,
    world::{Maker, Participant, Sequences, Signer, World},
};
use crate::{
    agent::{Agent, Limits},
    domain::{self, stream},
    leak::Secret,
    maker::TableOwner,
    reading::ChainLog,
    scenario::Scenario,
    seed::Randomness,
    timeline::Timeline,
    vault_node::{Behaviour, MemoryJournal, VaultNode},
    workflow_node::WorkflowNode,
};
use alloy::primitives::{Address, B256};
use ccc_chain::{
    Chain, ConnectOptions, Deployment, DeploymentPlan, EmbeddedConfig, Wallet,
    deploy::{FeedPlan, PoolTimes, Signers, TokenPlan, Workflow, deploy},
};
use ccc_core::{
    enclave::attestation::{
        Hardware, OperatingMode, Policy,
        simulated::{SimulatedHardware, SimulatedProvider},
    },
    epoch::Epoch,
    identifier::Identifier,
    keys::{Committee, KeyShare, ParticipantKeys, Roster, board::MemoryBoard, dkg},
    report::ReportSigner,
    suite,
    table::{TableSuite, Tier},
};
use ccc_enclave::{
    agent::AgentKey,
    config::{Asset, EnclaveConfig, PriceBounds},
};
use ccc_store::MemoryStore;
use rand::Rng;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use zeroize::Zeroizing;

/// Chain identifier of the embedded chain.
const EMBEDDED_CHAIN: u64 = 31_337;
/// Time of a seeded run: the first second of 2026.
const SEEDED_TIME: u64 = 1_767_225_600;
/// Seconds for which evidence is fresh.
const EVIDENCE_AGE: u64 = 600;
/// Faulty signers tolerated.
const SIGNER_FAULTS: u8 = 1;
/// Satoshi in a lot.
pub(super) const BASE_LOT: u64 = 1_000_000;
/// Index of the asset that the reserve holds, and of the one that pays.
pub(super) const BASE: u32 = 0;
pub(super) const QUOTE: u32 = 1;
/// Seconds for which submissions may be opened.
pub(super) const SUBMISSION_LIFETIME: u64 = 30 * 24 * 3_600;
/// Seconds after its deadline in which a request can be settled.
pub(super) const FILL_WINDOW: u64 = 600;

/// The participants' keys and shares, before they become actors.
pub(super) struct Vault {
    pub(super) committee: Committee,
    pub(super) members: Vec<(ParticipantKeys, KeyShare)>,
}

impl Vault {
    /// Every participant's secrets once more, for a process of its own.
    pub(super) fn copies(&self) -> Result<Vec<(ParticipantKeys, KeyShare)>, RecoveryError> {
        let copy = |(keys, share): &(ParticipantKeys, KeyShare)| {
            Ok((ParticipantKeys::from_bytes(&keys.to_bytes())?, KeyShare::from_bytes(&share.to_bytes())?))
        };
        self.members.iter().map(copy).collect()
    }
}

/// Runs the key generation among the scenario's participants.
pub(super) fn generate_keys(scenario: &Scenario, randomness: &Randomness) -> Result<Vault, RecoveryError> {
    let threshold = scenario.threshold().map_err(crate::scenario::ScenarioError::from)?;
    let mut rng = randomness.generator(stream::PARTICIPANT_KEYS, 0);
    let mut keys = Vec::new();
    for i in 1..=scenario.participants {
        let identifier = Identifier::new(i).map_err(|_| RecoveryError::Range { what: "an identifier" })?;
        keys.push((identifier, ParticipantKeys::generate(&mut rng)?));
    }
    let members = keys.iter().map(|(identifier, keys)| keys.public(*identifier)).collect();
    let roster = Roster::new(Epoch(1), threshold, members)?;
    let mut nonce = [0; 32];
    rng.fill_bytes(&mut nonce);
    let mut board = MemoryBoard::new(nonce);
    let outcomes =
        dkg::run_in_process(&roster, &keys, &mut board, &mut randomness.generator(stream::KEY_GENERATION, 0))?;
    let mut committee = None;
    let mut members = Vec::new();
    for ((_, keys), (_, outcome)) in keys.into_iter().zip(outcomes) {
        let outcome = outcome?;
        members.push((keys, outcome.key_share));
        committee = Some(outcome.committee);
    }
    let committee = committee.ok_or(RecoveryError::Range { what: "the number of participants" })?;
    Ok(Vault { committee, members })
}

/// The chain of a run.
pub(super) async fn open_chain(options: &RecoveryOptions) -> Result<Chain, RecoveryError> {
    match &options.rpc_url {
        Some(url) => {
            let connect =
                ConnectOptions { poll_interval: std::time::Duration::from_millis(20), ..ConnectOptions::default() };
            Ok(match &options.rpc_ca {
                Some(authorities) => Chain::connect_trusting(url, authorities, &connect).await?,
                None => Chain::connect(url, &connect).await?,
            })
        }
        None => Ok(Chain::embedded(&EmbeddedConfig {
            chain_id: EMBEDDED_CHAIN,
            genesis_time: genesis_time(options),
            rich: Vec::new(),
        })),
    }
}

fn genesis_time(options: &RecoveryOptions) -> u64 {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(SEEDED_TIME, |elapsed| elapsed.as_secs());
    options.seed.map_or_else(now, |_| SEEDED_TIME)
}

/// A wallet that can pay for gas.
pub(super) async fn wallet(
    chain: &Chain,
    randomness: &Randomness,
    name: &str,
    index: u64,
) -> Result<Wallet, RecoveryError> {
    let mut key = Zeroizing::new([0; 32]);
    randomness.generator(name, index).fill_bytes(key.as_mut_slice());
    let wallet = Wallet::from_key(&key)?;
    chain.fund(wallet.address()).await?;
    Ok(wallet)
}

/// The contracts, who may change them, and who asks them for collateral.
struct Contracts {
    operator: Wallet,
    reserve: Wallet,
    deployment: Deployment,
}

async fn contracts(
    chain: &Chain,
    randomness: &Randomness,
    (agent, signers): (&AgentKey, &[ReportSigner]),
    epoch: Epoch,
) -> Result<Contracts, RecoveryError> {
    let operator = wallet(chain, randomness, stream::OPERATOR, 0).await?;
    let reserve = wallet(chain, randomness, stream::RESERVE, 0).await?;
    let plan = plan(&operator, &reserve, agent, signers, epoch);
    let deployment = deploy(chain, &operator, &plan).await?;
    Ok(Contracts { operator, reserve, deployment })
}

/// Deploys the contracts and makes every actor; those that are services are not made here.
pub(super) async fn build(
    options: &RecoveryOptions,
    randomness: Randomness,
    chain: Chain,
    vault: Vault,
    timeline: &mut Timeline<'_>,
    services: Option<Box<dyn Services>>,
) -> Result<World, RecoveryError> {
    let Some(services) = services else {
        return build_with(options, randomness, chain, vault, timeline, |_| ()).await;
    };
    let world = actors(options, randomness, chain, vault, timeline, |_| ()).await?;
    Ok(World { nodes: Vec::new(), signers: Vec::new(), services: Some(services), ..world })
}

/// As [`build`] without services, with another configuration of the enclave.
pub(super) async fn build_with(
    options: &RecoveryOptions,
    randomness: Randomness,
    chain: Chain,
    vault: Vault,
    timeline: &mut Timeline<'_>,
    configure: impl FnOnce(&mut EnclaveConfig),
) -> Result<World, RecoveryError> {
    let mut world = actors(options, randomness, chain, vault, timeline, configure).await?;
    world.found_registry(timeline).await?;
    Ok(world)
}

async fn actors(
    options: &RecoveryOptions,
    randomness: Randomness,
    chain: Chain,
    vault: Vault,
    timeline: &mut Timeline<'_>,
    configure: impl FnOnce(&mut EnclaveConfig),
) -> Result<World, RecoveryError> {
    let scenario = &options.scenario;
    let agent_key = AgentKey::generate(&mut randomness.generator(stream::AGENT, 0));
    let signers = report_signers(&randomness)?;
    let epoch = vault.committee.epoch();
    let placed = timeline.chain(contracts(&chain, &randomness, (&agent_key, &signers), epoch)).await?;
    let Contracts { operator, reserve, deployment } = placed;
    let account = statement::account(&options.statement).await?;
    let config = configuration(scenario, &deployment, &vault.committee, &agent_key, account, configure)?;
    let provider = hardware(&randomness, &config);
    let policy = Policy { measurements: vec![config.measurement()], ..policy(options.mode, &randomness) };
    let participants = Participants { committee: &vault.committee, policy: &policy, deployment: &deployment };
    let secrets = vault.members.iter().filter_map(|(_, share)| key_share(share)).collect();
    let nodes = participants.nodes(scenario, vault.members, &chain);
    let signers = participants.signing(signers, &config, &chain);
    let makers = makers(&chain, &randomness, scenario, timeline).await?;
    Ok(World {
        nodes,
        signers,
        agent: Agent::new(agent_key, limits(scenario)),
        reserve_owner: reserve_owner(&randomness)?,
        makers,
        log: ChainLog::new(&chain, &deployment),
        store: MemoryStore::default(),
        committee: vault.committee,
        mode: scenario.mode.into(),
        randomness,
        chain,
        deployment,
        config,
        provider: Arc::new(provider),
        identity: None,
        sealed_identity: Vec::new(),
        admissions: 0,
        policy,
        operator,
        reserve,
        sequences: Sequences::default(),
        attempts: 0,
        head: None,
        culprits: BTreeMap::new(),
        artifacts: Vec::new(),
        secrets,
        execution: None,
        former: None,
        services: None,
    })
}

/// The scalar of a share ends its bytes.
fn key_share(share: &KeyShare) -> Option<Secret> {
    share.to_bytes().last_chunk::<32>().map(|scalar| Secret::bytes("a share of the vault's key", scalar))
}

/// What participants and signers hold in common.
struct Participants<'a> {
    committee: &'a Committee,
    policy: &'a Policy,
    deployment: &'a Deployment,
}

impl Participants<'_> {
    fn nodes(&self, scenario: &Scenario, members: Vec<(ParticipantKeys, KeyShare)>, chain: &Chain) -> Vec<Participant> {
        let served = (self.deployment.chain_id, self.deployment.pool.0.0);
        let node = |(keys, share): (ParticipantKeys, KeyShare)| {
            let behaviour = behaviour(scenario, share.identifier().get());
            let journal = MemoryJournal::default();
            let node = VaultNode::new(keys, share, self.committee.clone(), self.policy.clone(), served, journal);
            let node = node.with_mode(scenario.mode.into()).with_behaviour(behaviour).with_registry();
            Participant { node, log: ChainLog::new(chain, self.deployment) }
        };
        members.into_iter().map(node).collect()
    }

    /// The report signers, each with a log of its own.
    fn signing(&self, signers: Vec<ReportSigner>, config: &EnclaveConfig, chain: &Chain) -> Vec<Signer> {
        let key = *self.committee.master_public_key();
        let epoch = self.committee.epoch().0;
        let signer = |signer| Signer {
            node: WorkflowNode::new(signer, self.policy.clone(), config.clone(), key)
                .with_identities(epoch, MAX_LIFETIME),
            log: ChainLog::new(chain, self.deployment),
        };
        signers.into_iter().map(signer).collect()
    }
}

fn behaviour(scenario: &Scenario, identifier: u16) -> Behaviour {
    if scenario.faults.silent.contains(&identifier) {
        Behaviour::Silent
    } else if scenario.faults.lying.contains(&identifier) {
        Behaviour::Lying
    } else {
        Behaviour::Honest
    }
}

fn report_signers(randomness: &Randomness) -> Result<Vec<ReportSigner>, RecoveryError> {
    signer_keys(randomness).iter().map(|key| ReportSigner::from_bytes(key).map_err(RecoveryError::from)).collect()
}

/// The report signers' secret scalars.
pub(super) fn signer_keys(randomness: &Randomness) -> Vec<Zeroizing<[u8; 32]>> {
    let mut rng = randomness.generator(stream::REPORT_SIGNERS, 0);
    let key = |_| {
        let mut key = Zeroizing::new([0; 32]);
        rng.fill_bytes(key.as_mut_slice());
        key
    };
    (0..=3 * SIGNER_FAULTS).map(key).collect()
}

fn plan(
    operator: &Wallet,
    reserve: &Wallet,
    agent: &AgentKey,
    signers: &[ReportSigner],
    epoch: Epoch,
) -> DeploymentPlan {
    let token = |name: &str, symbol: &str, decimals, lot| TokenPlan {
        name: name.to_owned(),
        symbol: symbol.to_owned(),
        decimals,
        lot,
    };
    let mut workflow_id = suite::digest(domain::WORKFLOW);
    workflow_id[0] = 0;
    DeploymentPlan {
        signers: Signers {
            don_id: 1,
            config_version: 1,
            f: SIGNER_FAULTS,
            addresses: signers.iter().map(|signer| Address::from(signer.address())).collect(),
        },
        workflow: Workflow { id: B256::from(workflow_id), owner: operator.address(), epoch: epoch.0 },
        reserve: reserve.address(),
        agent_key: B256::from(agent.public()),
        max_age: 24 * 3_600,
        table_id: B256::from(suite::digest(domain::TABLE)),
        tokens: vec![token("Test Bitcoin", "tBTC", 8, BASE_LOT), token("Test Dollar", "tUSD", 6, 1)],
        feed: FeedPlan { decimals: 8, description: "BTC / USD".to_owned() },
        times: PoolTimes { fill_window: FILL_WINDOW, max_delay: 24 * 3_600, exit_delay: 30 * 24 * 3_600 },
    }
}

/// Three rows for each account: its reading key and one for each asset.
fn tier(accounts: u32) -> Result<u8, RecoveryError> {
    let rows = usize::try_from(accounts).ok().and_then(|accounts| accounts.checked_mul(3)?.checked_add(1));
    let tier = rows.and_then(Tier::for_rows).ok_or(RecoveryError::Capacity { accounts })?;
    Ok(tier.log2())
}

fn configuration(
    scenario: &Scenario,
    deployment: &Deployment,
    committee: &Committee,
    agent: &AgentKey,
    custodian_account: String,
    configure: impl FnOnce(&mut EnclaveConfig),
) -> Result<EnclaveConfig, RecoveryError> {
    let asset = |token: &ccc_chain::deploy::DeployedToken| Asset {
        token: token.address.0.0,
        decimals: token.plan.decimals,
        lot: token.plan.lot,
    };
    let mut config = EnclaveConfig {
        chain: deployment.chain_id,
        pool: deployment.pool.0.0,
        reserve_attestation: deployment.attestation.0.0,
        master_public_key: committee.master_public_key().to_bytes(),
        reserve: deployment.reserve.0.0,
        agent_key: agent.public(),
        table: deployment.table_id.0,
        tier: tier(scenario.accounts())?,
        assets: deployment.tokens.iter().map(asset).collect(),
        base: BASE,
        quote: QUOTE,
        price_source: deployment.feed.0.0,
        price_decimals: deployment.feed_decimals,
        price: PriceBounds { window: 1_200, max_gap: 900, max_stale: 600, collar: 300 },
        solvent_at: 10_000,
        recover_to: scenario.reserve.recover_to_basis_points,
        custodian_account,
        max_statement_age: 24 * 3_600,
        envelope_lifetime: 3_600,
        slots: 1,
        order_slots: scenario.order_slots(),
        auditors: None,
        operator: None,
        suite: TableSuite::ChaCha20Poly1305,
        former_master_public_key: None,
    };
    configure(&mut config);
    config.validate()?;
    Ok(config)
}

/// No maker takes more than about twice an equal share of the order.
fn limits(scenario: &Scenario) -> Limits {
    let share = (20_000 / scenario.makers).clamp(1, 10_000);
    let low = u16::try_from(share).unwrap_or(10_000);
    let high = u16::try_from((share + share / 4).min(10_000)).unwrap_or(10_000);
    let spread = scenario.liquidity.max_spread;
    Limits { spread: [spread / 2, spread], slide: 10, dispersion: [low, high] }
}

async fn makers(
    chain: &Chain,
    randomness: &Randomness,
    scenario: &Scenario,
    timeline: &mut Timeline<'_>,
) -> Result<Vec<Maker>, RecoveryError> {
    let mut makers = Vec::new();
    let mut owners = randomness.hidden(stream::TABLE_OWNERS, 0);
    for index in 0..u64::from(scenario.makers) {
        let wallet = timeline.chain(wallet(chain, randomness, stream::MAKER, index)).await?;
        makers.push(Maker { wallet, owner: TableOwner::generate(&mut owners)?, order: None });
        timeline.advance(makers.len(), scenario.makers as usize);
    }
    Ok(makers)
}

/// The reserve's table account is its public address: one key for both.
fn reserve_owner(randomness: &Randomness) -> Result<TableOwner, RecoveryError> {
    let mut account = Zeroizing::new([0; 32]);
    randomness.generator(stream::RESERVE, 0).fill_bytes(account.as_mut_slice());
    let mut reading_key = Zeroizing::new([0; 32]);
    randomness.hidden(stream::RESERVE_READING_KEY, 0).fill_bytes(reading_key.as_mut_slice());
    Ok(TableOwner::new(&account, reading_key)?)
}

fn hardware(randomness: &Randomness, config: &EnclaveConfig) -> SimulatedProvider {
    SimulatedProvider::new(hardware_key(randomness), config.measurement())
}

/// The key that stands for the hardware's.
fn hardware_key(randomness: &Randomness) -> SimulatedHardware {
    SimulatedHardware::from_seed(&hardware_seed(randomness))
}

/// Its seed.
pub(super) fn hardware_seed(randomness: &Randomness) -> Zeroizing<[u8; 32]> {
    let mut seed = Zeroizing::new([0; 32]);
    randomness.generator(stream::HARDWARE, 0).fill_bytes(seed.as_mut_slice());
    seed
}

/// What participants and signers accept, before it is known which program runs.
pub(super) fn policy(mode: OperatingMode, randomness: &Randomness) -> Policy {
    Policy {
        mode,
        measurements: Vec::new(),
        max_age: EVIDENCE_AGE,
        simulated_roots: vec![hardware_key(randomness).root()],
        hardware: Hardware::default(),
    }
}
