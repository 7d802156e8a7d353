//! A deployment with its people, on any chain.

#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "a helper that fails ends its test")]

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, Bytes, U256, keccak256},
};
use ccc_chain::{
    Actions, Chain, ChainError, Delivery, Deployment, DeploymentPlan, EmbeddedConfig, Wallet,
    custody::{CommitteePlan, CustodyPlan, Part, Roles, TokenPart},
    deploy::{self, FeedPlan, PoolTimes, Signers, TokenPlan, Workflow},
    read::Pool,
    submit,
};
use ccc_core::report::{
    Kind, Payload, Payout, Report, ReportSigner, Round, SIGNATURE_LEN, Signature65, SignedReport, Solvency, Statement,
    Verdict,
};

pub(crate) const CHAIN_ID: u64 = 31337;
pub(crate) const GENESIS_TIME: u64 = 1_700_000_000;
pub(crate) const EPOCH: u64 = 3;
pub(crate) const USDC_LOT: u64 = 1_000_000;

/// A deployment and everybody who acts on it.
pub(crate) struct World {
    pub(crate) chain: Chain,
    pub(crate) deployment: Deployment,
    pub(crate) owner: Wallet,
    pub(crate) reserve: Wallet,
    pub(crate) maker: Wallet,
    pub(crate) stranger: Wallet,
}

pub(crate) fn wallet(seed: u8) -> Wallet {
    Wallet::from_key(&[seed; 32]).unwrap()
}

pub(crate) fn report_signer(seed: u8) -> ReportSigner {
    ReportSigner::from_bytes(&[seed; 32]).unwrap()
}

pub(crate) fn salt(n: u8) -> B256 {
    B256::repeat_byte(n)
}

pub(crate) fn embedded_chain() -> Chain {
    Chain::embedded(&EmbeddedConfig { chain_id: CHAIN_ID, genesis_time: GENESIS_TIME, rich: Vec::new() })
}

pub(crate) fn plan(reserve: Address) -> DeploymentPlan {
    let token =
        |name: &str, symbol: &str, decimals, lot| TokenPlan { name: name.into(), symbol: symbol.into(), decimals, lot };
    let mut workflow_id = B256::repeat_byte(0x33);
    workflow_id[0] = 0;
    DeploymentPlan {
        signers: Signers {
            don_id: 1,
            config_version: 1,
            f: 1,
            addresses: (101..=104).map(|seed| report_signer(seed).address().into()).collect(),
        },
        workflow: Workflow { id: workflow_id, owner: Address::repeat_byte(0x44), epoch: EPOCH },
        reserve,
        agent_key: B256::repeat_byte(0x55),
        max_age: 3600,
        table_id: B256::repeat_byte(0x66),
        tokens: vec![token("USD Coin", "USDC", 6, USDC_LOT), token("Wrapped BTC", "WBTC", 8, 1000)],
        feed: FeedPlan { decimals: 8, description: "BTC / USD".into() },
        times: PoolTimes { fill_window: 300, max_delay: 3600, exit_delay: 86_400 },
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::on(embedded_chain()).await
    }

    pub(crate) async fn on(chain: Chain) -> Self {
        let [owner, reserve, maker, stranger] = [1, 2, 3, 4].map(wallet);
        for person in [&owner, &reserve, &maker, &stranger] {
            chain.fund(person.address()).await.unwrap();
        }
        let deployment = deploy::deploy(&chain, &owner, &plan(reserve.address())).await.unwrap();
        Self { chain, deployment, owner, reserve, maker, stranger }
    }

    pub(crate) fn act(&self) -> Actions<'_> {
        Actions::new(&self.chain, &self.deployment)
    }

    pub(crate) fn pool(&self) -> Pool {
        Pool::new(&self.chain, self.deployment.pool)
    }

    pub(crate) async fn now(&self) -> u64 {
        self.chain.block(BlockId::latest()).await.unwrap().time
    }

    /// Mints what the maker deposits, then deposits it.
    pub(crate) async fn deposit(&self, amount: u64, salt_byte: u8) -> B256 {
        let amount = U256::from(amount);
        self.act().mint(&self.owner, 0, self.maker.address(), amount).await.unwrap();
        let ciphertext = Bytes::from_static(b"sealed account");
        self.act().deposit(&self.maker, 0, amount, salt(salt_byte), ciphertext).await.unwrap().id
    }

    pub(crate) async fn request(&self, salt_byte: u8) -> (B256, u64) {
        let deadline = self.now().await + 60;
        let order = Bytes::from_static(b"sealed order");
        let made = self.act().request_collateral(&self.reserve, salt(salt_byte), deadline, order).await.unwrap();
        (made.id, deadline)
    }

    pub(crate) async fn solvency(&self, verdict: Verdict) -> Solvency {
        let block = self.chain.finalised_block().await.unwrap();
        Solvency {
            verdict,
            block: block.number,
            block_time: block.time,
            header_hash: [7; 32],
            envelope_digest: [8; 32],
        }
    }

    /// The round that the pool would take next.
    pub(crate) async fn round(&self, request_id: B256, success: bool) -> Round {
        let table = self.pool().table(BlockId::latest()).await.unwrap();
        let count = self.pool().count(BlockId::latest()).await.unwrap();
        let version = table.version + 1;
        Round {
            request_id: request_id.0,
            success,
            version,
            previous: table.header_hash.0,
            header_hash: keccak256(version.to_be_bytes()).0,
            count,
            accumulator: self.pool().history(count, BlockId::latest()).await.unwrap().0,
            price_block: self.chain.finalised_block().await.unwrap().number,
            source: self.deployment.feed.0.0,
            price_digest: [9; 32],
        }
    }

    pub(crate) fn payout(&self, withdrawal: B256, amount: u128, version: u64) -> Payout {
        Payout {
            withdrawal_id: withdrawal.0,
            to: self.maker.address().0.0,
            token: self.deployment.tokens[0].address.0.0,
            amount,
            version,
        }
    }

    pub(crate) async fn report(&self, statement: Statement, sequence: u64) -> Report {
        let valid_until = self.now().await + 600;
        self.report_until(statement, sequence, valid_until).await
    }

    pub(crate) async fn report_until(&self, statement: Statement, sequence: u64, valid_until: u64) -> Report {
        let receiver = self.deployment.receiver(statement.kind()).unwrap();
        let binding = self.deployment.binding(receiver, sequence, valid_until, B256::repeat_byte(0xaa));
        let block_time = self.chain.finalised_block().await.unwrap().time;
        Report::new(self.deployment.origin(), block_time, Payload { binding, statement }).unwrap()
    }

    /// Signed by the first f+1 signers.
    pub(crate) fn signed(&self, report: Report) -> SignedReport {
        let context = self.deployment.context(report.payload().binding.sequence);
        let signatures: Vec<Signature65> =
            (101..=102).map(|seed| report_signer(seed).sign(&report, &context)).collect();
        let forwarder = self.deployment.forwarder.0.0;
        SignedReport::assemble(report, context, &signatures, &self.deployment.signer_set(), &forwarder).unwrap()
    }

    /// A file with signatures of any keys, as a stranger may make it.
    pub(crate) fn signed_by(&self, report: Report, seeds: &[u8]) -> SignedReport {
        let context = self.deployment.context(report.payload().binding.sequence);
        let mut bytes = self.signed(report.clone()).to_bytes().unwrap();
        bytes.truncate(bytes.len() - 2 * SIGNATURE_LEN - 1);
        bytes.push(u8::try_from(seeds.len()).unwrap());
        for seed in seeds {
            bytes.extend_from_slice(&report_signer(*seed).sign(&report, &context).to_bytes());
        }
        SignedReport::from_bytes(&bytes).unwrap()
    }

    pub(crate) async fn deliver(&self, signed: &SignedReport) -> Result<Delivery, ChainError> {
        submit::deliver(&self.chain, &self.stranger, self.deployment.forwarder, signed).await
    }

    pub(crate) async fn deliver_statement(&self, statement: Statement, sequence: u64) -> Result<Delivery, ChainError> {
        let report = self.report(statement, sequence).await;
        self.deliver(&self.signed(report)).await
    }

    /// Closes an idle round with the next free sequence.
    pub(crate) async fn idle_round(&self) -> Delivery {
        let sequence = self.pool().last_sequence(Kind::Round, BlockId::latest()).await.unwrap() + 1;
        let round = self.round(B256::ZERO, false).await;
        self.deliver_statement(Statement::Round(round), sequence).await.unwrap()
    }
}

/// The name of the error with which a contract refused.
#[track_caller]
pub(crate) fn refusal<T: std::fmt::Debug>(outcome: Result<T, ChainError>) -> (Address, String) {
    match outcome {
        Err(ChainError::Refused(refusal) | ChainError::RefusedInBlock { refusal, .. }) => (refusal.by, refusal.name),
        other => panic!("expected a refusal, found {other:?}"),
    }
}

pub(crate) const ADMIN: Address = Address::repeat_byte(0xad);
pub(crate) const DEPLOYER: u8 = 1;
pub(crate) const GUARDIAN_SEED: u8 = 2;
pub(crate) const RESERVE: u8 = 3;

/// A simulated token of a custody deployment.
fn test_token(name: &str, decimals: u8, lot: u64) -> TokenPart {
    TokenPart { contract: Part::Simulated((name.into(), name.into(), decimals)), lot }
}

pub(crate) fn custody_plan() -> CustodyPlan {
    let mut workflow_id = B256::repeat_byte(0x33);
    workflow_id[0] = 0;
    CustodyPlan {
        roles: Roles {
            admin: ADMIN,
            operator: Address::repeat_byte(0x0b),
            guardian: wallet(GUARDIAN_SEED).address(),
            delay: 3600,
        },
        committee: CommitteePlan {
            epoch: 7,
            faults: 1,
            participants: (1..=4).map(Address::repeat_byte).collect(),
            master_key: B256::repeat_byte(0x51),
            verification_root: B256::repeat_byte(0x52),
        },
        signers: Signers {
            don_id: 1,
            config_version: 1,
            f: 1,
            addresses: (101..=104).map(|seed| report_signer(seed).address().into()).collect(),
        },
        workflow_id,
        workflow_owner: Address::repeat_byte(0x44),
        agent_key: B256::repeat_byte(0x55),
        max_age: 3600,
        max_lifetime: 86_400,
        reserve: wallet(RESERVE).address(),
        table_id: B256::repeat_byte(0x66),
        feed: Part::Simulated(FeedPlan { decimals: 8, description: "BTC / USD".into() }),
        tokens: vec![test_token("USDC", 6, 1_000_000), test_token("WBTC", 8, 1000)],
        times: PoolTimes { fill_window: 300, max_delay: 3600, exit_delay: 86_400 },
    }
}
