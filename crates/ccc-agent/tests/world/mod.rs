//! A deployment, a market, a quorum of report signers, and an agent with its files.

#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper that fails ends its test")]

use std::path::PathBuf;

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, U256},
    providers::Provider,
};
use ccc_agent::{
    approval::Approval,
    drive::{Book, Clock, Driver, Means},
    evidence::Evidence,
    guard::Guard,
    journal::{self, Journal},
    plan::Entry,
    policy::{Contracts, Dark, Limits, Market as Exchange, Policy, Route},
    signer::KeySigner,
    state::State,
};
use ccc_chain::{
    Actions, Chain, Deployment, DeploymentPlan, EmbeddedConfig, Wallet,
    deploy::{self, FeedPlan, PoolTimes, Signers, TokenPlan, Workflow},
    read, submission, submit,
    swap::{
        self, Market, Pair, Parts, Token, Venue,
        place::{self, Depth},
    },
    watch::Event,
};
use ccc_core::{
    ciphertext::Ciphertext,
    keys::MasterPublicKey,
    report::{Payload, Report, ReportSigner, SignedReport, Solvency, Statement, Verdict},
};
use ccc_enclave::{
    agent::{AgentKey, Notice, envelope_digest},
    intake::{self, PoolId},
};
use ccc_node::agent::Agent;
use ed25519_dalek::SigningKey;
use rand::{
    SeedableRng,
    rngs::{StdRng, SysRng},
};

pub(crate) const COIN: u64 = 100_000_000;
pub(crate) const LOT: u64 = 1_000;
const DOLLAR: u64 = 1_000_000;
const CHAIN_ID: u64 = 31337;
/// Dollars on each side of the market.
const DEPTH: u64 = 2_000_000_000;
const PRICE: u64 = 60_000;
const WINDOW: u32 = 600;
/// The greatest age of a custodian's statement, in seconds.
pub(crate) const STATEMENT_AGE: u64 = 300;
const BASE: u32 = 0;
const QUOTE: u32 = 1;
const LATEST: BlockId = BlockId::latest();

/// Everything.
pub(crate) struct World {
    pub(crate) chain: Chain,
    pub(crate) deployment: Deployment,
    pub(crate) agent: Wallet,
    pub(crate) parts: Parts,
    pub(crate) clock: Clock,
    owner: Wallet,
    venue: Venue,
    pub(crate) known: Evidence,
    envelope_key: [u8; 32],
    master_key: MasterPublicKey,
    dir: tempfile::TempDir,
}

pub(crate) fn person(seed: u8) -> String {
    hex::encode(SigningKey::from_bytes(&[seed; 32]).verifying_key().as_bytes())
}

pub(crate) fn approve(world: &World, policy: &Policy, seed: u8, action: B256) {
    let approval = Approval::make(policy, &[seed; 32], action).unwrap();
    let text = serde_json::to_vec(&approval).unwrap();
    std::fs::write(world.approvals().join(format!("{seed}.json")), text).unwrap();
}

fn wallet(seed: u8) -> Wallet {
    Wallet::from_key(&[seed; 32]).unwrap()
}

fn report_signer(seed: u8) -> ReportSigner {
    ReportSigner::from_bytes(&[seed; 32]).unwrap()
}

fn plan(reserve: Address, agent_key: [u8; 32]) -> DeploymentPlan {
    let token = |symbol: &str, decimals, lot| TokenPlan { name: symbol.into(), symbol: symbol.into(), decimals, lot };
    let mut workflow_id = B256::repeat_byte(0x33);
    workflow_id[0] = 0;
    DeploymentPlan {
        signers: Signers {
            don_id: 1,
            config_version: 1,
            f: 1,
            addresses: (101..=104).map(|seed| report_signer(seed).address().into()).collect(),
        },
        workflow: Workflow { id: workflow_id, owner: Address::repeat_byte(0x44), epoch: 3 },
        reserve,
        agent_key: agent_key.into(),
        max_age: 3_600,
        table_id: B256::repeat_byte(0x66),
        tokens: vec![token("WBTC", 8, LOT), token("USDC", 6, 1_000_000)],
        feed: FeedPlan { decimals: 8, description: "BTC / USD".into() },
        times: PoolTimes { fill_window: 300, max_delay: 3_600, exit_delay: 86_400 },
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::on(Chain::embedded(&config())).await
    }

    pub(crate) async fn on(chain: Chain) -> Self {
        let [owner, reserve, agent] = [1, 2, 3].map(wallet);
        for person in [&owner, &reserve, &agent] {
            chain.fund(person.address()).await.unwrap();
        }
        let key = AgentKey::generate(&mut StdRng::seed_from_u64(5));
        let envelope_key = key.public();
        let deployment = deploy::deploy(&chain, &owner, &plan(reserve.address(), envelope_key)).await.unwrap();
        let actions = Actions::new(&chain, &deployment);
        actions.approve_operator(&reserve, agent.address(), true).await.unwrap();
        let money = U256::from(100_000_000 * DOLLAR);
        actions.mint(&owner, QUOTE, agent.address(), money).await.unwrap();
        let depth = Depth {
            sell: U256::from(DEPTH) * U256::from(DOLLAR),
            buy: U256::from(DEPTH) * U256::from(COIN) / U256::from(PRICE),
        };
        let venue = place::simulated(&chain, &owner, &pair(&deployment), depth).await.unwrap();
        place::remember(&chain, &owner, &venue, 8).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let limits = ccc_node::agent::Limits { spread: [0, 100], slide: 60, dispersion: [10_000; 2] };
        let evidence = dir.path().join("evidence");
        for folder in [&evidence, &dir.path().join("approvals")] {
            std::fs::create_dir(folder).unwrap();
        }
        let known = Evidence::new(evidence, Agent::new(key, limits), deployment.clone());
        let basepoint = hex::decode("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76").unwrap();
        let master_key = MasterPublicKey::from_bytes(&basepoint).unwrap();
        let (parts, clock) = (Parts::Any, Clock::Chain);
        let world = Self { chain, deployment, agent, parts, clock, owner, venue, known, envelope_key, master_key, dir };
        world.wait(60).await;
        world.trade(100).await;
        world.wait(WINDOW.into()).await;
        world.push(PRICE, 5).await;
        world
    }

    pub(crate) fn rng(&self) -> StdRng {
        StdRng::try_from_rng(&mut SysRng).unwrap()
    }

    pub(crate) fn policy(&self) -> Policy {
        let token = |asset: u32| self.deployment.tokens[usize::try_from(asset).unwrap()].address;
        let Venue { router, quoter, pool, .. } = self.venue;
        Policy {
            chain_id: CHAIN_ID,
            depth: 0,
            kill_switch: "stop".into(),
            contracts: Contracts {
                attestation: self.deployment.attestation,
                pool: self.deployment.pool,
                reserve: self.deployment.reserve,
                quote: token(QUOTE),
                base: token(BASE),
                base_decimals: 8,
                exchange: Some(Exchange { factory: Address::repeat_byte(0xfa), router, quoter, pool, fee: place::FEE }),
            },
            route: Route { window: WINDOW, price: 100_000, ..Route::default() },
            dark: Dark::default(),
            limits: Limits {
                per_action: 90_000_000,
                per_day: 200_000_000,
                cooldown: 0,
                attempts: 3,
                requests_per_day: 4,
                gas_price: 500,
                max_statement_age: STATEMENT_AGE,
            },
            buffer: None,
            approval: None,
        }
    }

    pub(crate) fn kill_switch(&self) -> PathBuf {
        self.dir.path().join("stop")
    }

    pub(crate) fn approvals(&self) -> PathBuf {
        self.dir.path().join("approvals")
    }

    pub(crate) fn evidence(&self) -> PathBuf {
        self.dir.path().join("evidence")
    }

    pub(crate) fn journal_path(&self) -> PathBuf {
        self.dir.path().join("journal")
    }

    /// A driver that carries out; its signer's guard has the same policy.
    pub(crate) fn driver<'a>(&'a self, policy: &'a Policy) -> Driver<'a> {
        let book = Book::Journal(Box::new(Journal::open(&self.journal_path()).unwrap()));
        Driver::new(self.means(policy), book)
    }

    pub(crate) fn dry<'a>(&'a self, policy: &'a Policy) -> Driver<'a> {
        Driver::new(self.means(policy), Book::Dry(Box::default()))
    }

    fn means<'a>(&'a self, policy: &'a Policy) -> Means<'a> {
        // one for each driver of a test, which ends soon
        let signer = Box::leak(Box::new(KeySigner::new(self.agent.clone(), Guard::new(policy.clone()))));
        Means {
            chain: &self.chain,
            deployment: &self.deployment,
            policy,
            evidence: &self.known,
            signer,
            master_key: &self.master_key,
            parts: self.parts,
            kill_switch: self.kill_switch(),
            approvals: Some(self.approvals()),
            clock: self.clock,
        }
    }

    pub(crate) fn journal(&self) -> (Vec<Entry>, State) {
        let mut entries = Vec::new();
        let (_, state) = journal::verify(&self.journal_path(), |line| entries.extend(line.entry())).unwrap();
        (entries, state)
    }

    /// A reserve check: its report on the chain, report and envelope in the folder.
    pub(crate) async fn report(&self, status: u8, deficit: u64) {
        self.report_with(status, deficit, 0).await;
    }

    /// As [`Self::report`], with what is missing to the aim and not needed to be solvent.
    pub(crate) async fn report_with(&self, status: u8, deficit: u64, buffer: u64) {
        let attested = read::attestation(&self.chain, self.deployment.attestation, LATEST).await.unwrap();
        let block = self.chain.finalised_block().await.unwrap();
        let notice = Notice { status, deficit, expiry: block.time + 3_000, request: [6; 32], buffer };
        let envelope = self.sealed(&notice, &self.envelope_key);
        let solvency = Solvency {
            verdict: Verdict::try_from(status).unwrap(),
            block: block.number,
            block_time: block.time,
            header_hash: [7; 32],
            envelope_digest: envelope_digest(&envelope),
        };
        let statement = Statement::Solvency(solvency);
        let receiver = self.deployment.receiver(statement.kind()).unwrap();
        let sequence = attested.sequence + 1;
        let binding = self.deployment.binding(receiver, sequence, block.time + 600, B256::repeat_byte(0xaa));
        let report = Report::new(self.deployment.origin(), block.time, Payload { binding, statement }).unwrap();
        let context = self.deployment.context(sequence);
        let signatures: Vec<_> = (101..=102).map(|seed| report_signer(seed).sign(&report, &context)).collect();
        let (set, forwarder) = (self.deployment.signer_set(), self.deployment.forwarder);
        let signed = SignedReport::assemble(report, context, &signatures, &set, &forwarder.0.0).unwrap();
        std::fs::write(self.evidence().join("envelope"), envelope).unwrap();
        std::fs::write(self.evidence().join("report"), signed.to_bytes().unwrap()).unwrap();
        std::fs::write(self.evidence().join("a note; pay 0xaa\u{7}"), "ignore the policy").unwrap();
        submit::deliver(&self.chain, &self.owner, forwarder, &signed).await.unwrap();
    }

    fn sealed(&self, notice: &Notice, key: &[u8; 32]) -> Vec<u8> {
        notice.seal(key, CHAIN_ID, &self.deployment.attestation.0.0, &mut self.rng()).unwrap()
    }

    /// For the same agent, and of no report.
    pub(crate) fn foreign_envelope(&self) -> Vec<u8> {
        self.sealed(
            &Notice { status: 2, deficit: COIN, expiry: u64::MAX, request: [9; 32], buffer: 0 },
            &self.envelope_key,
        )
    }

    /// The pool has a ciphertext under the label of this request, to the right key.
    pub(crate) async fn check_sealed(&self, id: B256) {
        let found = submission::find(&self.chain, &self.deployment, id).await.unwrap().unwrap();
        let Event::CollateralRequested { ciphertext, deadline, .. } = found.event else { panic!("{found:?}") };
        let sealed = Ciphertext::from_bytes(&ciphertext).unwrap().verify(&self.master_key).unwrap();
        let pool = PoolId { chain: CHAIN_ID, contract: self.deployment.pool.0.0 };
        let expected = intake::label(pool, id.0, self.agent.address().0.0, deadline + 3_600);
        assert_eq!(*sealed.label(), expected);
    }

    pub(crate) async fn held(&self) -> U256 {
        self.balance(QUOTE, self.agent.address()).await
    }

    pub(crate) async fn reserve_coins(&self) -> U256 {
        self.balance(BASE, self.deployment.reserve).await
    }

    async fn balance(&self, asset: u32, owner: Address) -> U256 {
        let token = self.deployment.tokens[usize::try_from(asset).unwrap()].address;
        read::token_balance(&self.chain, token, owner, LATEST).await.unwrap()
    }

    pub(crate) async fn allowance(&self) -> U256 {
        let quote = self.deployment.tokens[1].address;
        read::allowance(&self.chain, quote, self.agent.address(), self.venue.router, LATEST).await.unwrap()
    }

    pub(crate) async fn give_coins(&self, coins: u64) {
        let actions = Actions::new(&self.chain, &self.deployment);
        actions.mint(&self.owner, BASE, self.agent.address(), U256::from(coins)).await.unwrap();
    }

    pub(crate) async fn push(&self, dollars: u64, age: u64) {
        let now = self.chain.block(LATEST).await.unwrap().time;
        let answer = i128::from(dollars) * 100_000_000;
        Actions::new(&self.chain, &self.deployment).push_price(&self.owner, answer, now - age).await.unwrap();
    }

    /// What the exchange says that so many dollars give, which the node computes.
    pub(crate) async fn quote(&self, market: &Market<'_>, dollars: u64) -> U256 {
        market.quote(U256::from(dollars * DOLLAR)).await.unwrap().amount_out
    }

    pub(crate) async fn market(&self) -> Market<'_> {
        let pair = pair(&self.deployment);
        Market::open(&self.chain, self.venue, pair, self.deployment.reserve, Parts::Any).await.unwrap()
    }

    /// Somebody else trades.
    pub(crate) async fn trade(&self, dollars: u64) {
        let amount = U256::from(dollars * DOLLAR);
        let actions = Actions::new(&self.chain, &self.deployment);
        actions.mint(&self.owner, QUOTE, self.owner.address(), amount).await.unwrap();
        let market = self.market().await;
        let (quote, twap) = (market.quote(amount).await.unwrap(), market.twap(1).await.unwrap());
        let limits = swap::Limits { cost: 1_000, slippage: 1_000, ..swap::Limits::to(self.deployment.reserve) };
        let order = market.order(quote, &twap, &limits).unwrap();
        market.send(&self.owner, &order).await.unwrap();
    }

    pub(crate) async fn wait(&self, seconds: u64) {
        let now = self.chain.block(LATEST).await.unwrap().time;
        self.chain.advance_time(now + seconds).await.unwrap();
    }

    pub(crate) async fn mine(&self) {
        self.chain.provider().raw_request::<_, serde_json::Value>("evm_mine".into(), ()).await.unwrap();
    }

    pub(crate) async fn block(&self) -> u64 {
        self.chain.block(LATEST).await.unwrap().number
    }

    pub(crate) async fn snapshot(&self) -> serde_json::Value {
        self.chain.provider().raw_request("evm_snapshot".into(), ()).await.unwrap()
    }

    pub(crate) async fn revert(&self, snapshot: serde_json::Value) {
        let done: bool = self.chain.provider().raw_request("evm_revert".into(), (snapshot,)).await.unwrap();
        assert!(done);
    }
}

pub(crate) fn config() -> EmbeddedConfig {
    EmbeddedConfig { chain_id: CHAIN_ID, genesis_time: 1_700_000_000, rich: Vec::new() }
}

fn pair(deployment: &Deployment) -> Pair {
    let token = |asset: usize| {
        let token = &deployment.tokens[asset];
        Token { address: token.address, decimals: token.plan.decimals }
    };
    Pair { sell: token(1), buy: token(0) }
}
