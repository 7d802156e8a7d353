//! The whole set, as one puts it in front of an auditor: forwarder, registries, attestation and pool, with roles and
//! delays. It is what `contracts/script/Deploy.s.sol` deploys, in the same order, so that one deployer gets the same
//! addresses from both where nothing is simulated.
//!
//! *Security*: afterwards the deployer holds nothing. What adds power waits for the delay, what takes it away does not.

mod plan;

use alloy::{
    eips::BlockId,
    primitives::{Address, FixedBytes, keccak256},
    providers::Provider,
    rpc::types::TransactionRequest,
    sol_types::SolCall,
};
use ccc_core::report::Kind;
use serde::{Deserialize, Serialize};

pub use plan::{CommitteePlan, CustodyPlan, Part, PlanError, Roles, TokenPart};

use crate::{
    Chain, ChainError, Deployment, EmbeddedConfig, Wallet,
    bindings::{
        AccessManager, CREDarkPool, EnclaveRegistry, QuorumForwarder, ReserveAttestation, SimulatedFeed, TestToken,
        VaultRegistry,
    },
    deploy::{self, DeployedToken, FeedPlan, PoolParts, Registries, Signers, TokenPlan, Workflow},
    read,
};

/// Sets signer sets and resumes, after the delay.
pub const OPERATOR: u64 = 1;
/// Stops, at once.
pub const GUARDIAN: u64 = 2;
/// Everything else of the manager.
const ADMIN: u64 = 0;

/// Why a deployment did not end; what was done stays on the chain and belongs to nobody else.
#[derive(Debug, thiserror::Error)]
pub enum CustodyError {
    /// Nothing was sent.
    #[error("the plan: {0}")]
    Plan(#[from] PlanError),
    /// A step failed.
    #[error("{step}, after {} transactions: {source}", steps.len())]
    Step {
        /// The step.
        step: &'static str,
        /// The transactions that came before, with what they made.
        steps: Vec<Step>,
        /// Why.
        source: ChainError,
    },
}

impl CustodyError {
    /// The same failure where nothing was sent: what the rehearsal made stands nowhere.
    fn unsent(self) -> Self {
        match self {
            Self::Step { step, source, .. } => Self::Step { step, steps: Vec::new(), source },
            other @ Self::Plan(_) => other,
        }
    }
}

/// A transaction of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What it did.
    pub what: String,
    /// The contract that it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// The gas that it used.
    pub gas: u64,
}

/// Deploys everything and gives it away.
///
/// # Errors
/// [`CustodyError`]. A deployment that failed midway is left as it is; nobody but the deployer has a role in it.
pub async fn deploy(
    chain: &Chain,
    wallet: &Wallet,
    plan: &CustodyPlan,
) -> Result<(Deployment, Vec<Step>), CustodyError> {
    plan.check(wallet.address())?;
    let mut run = Run { chain, wallet, plan, steps: Vec::new(), step: "the price feed" };
    match run.all().await {
        Ok(deployment) => Ok((deployment, run.steps)),
        Err(source) => Err(CustodyError::Step { step: run.step, steps: run.steps, source }),
    }
}

/// Deploys on an embedded chain what [`deploy()`] would on this one: same chain id, deployer and nonce, so the addresses are
/// those that a deployment now would have. Feed and tokens that stand already are stood in for by simulated ones with
/// their decimal places; gas differs by what theirs costs.
///
/// # Errors
/// As [`deploy()`]; nothing is sent.
pub async fn rehearse(
    chain: &Chain,
    wallet: &Wallet,
    plan: &CustodyPlan,
) -> Result<(Deployment, Vec<Step>), CustodyError> {
    plan.check(wallet.address())?;
    let before = |step| move |source| CustodyError::Step { step, steps: Vec::new(), source };
    let stage = stage(chain, wallet).await.map_err(before("the rehearsal"))?;
    let stood_in = stand_ins(chain, &stage, wallet.address(), plan).await.map_err(before("what stands already"))?;
    let (mut deployment, steps) = deploy(&stage, wallet, &stood_in).await.map_err(CustodyError::unsent)?;
    if let Part::Standing(feed) = plan.feed {
        deployment.feed = feed;
    }
    for (token, part) in deployment.tokens.iter_mut().zip(&plan.tokens) {
        if let Part::Standing(address) = part.contract {
            token.address = address;
        }
    }
    Ok((deployment, steps))
}

/// An embedded chain on which the wallet stands as it does on the other one.
async fn stage(chain: &Chain, wallet: &Wallet) -> Result<Chain, ChainError> {
    let nonce = chain.provider().get_transaction_count(wallet.address()).pending().await?;
    let time = chain.block(BlockId::latest()).await?.time;
    let config = EmbeddedConfig { chain_id: chain.chain_id(), genesis_time: time, rich: vec![wallet.address()] };
    let stage = Chain::embedded(&config);
    stage.request("anvil_setNonce", (wallet.address(), alloy::primitives::U64::from(nonce))).await?;
    Ok(stage)
}

async fn stand_ins(
    chain: &Chain,
    stage: &Chain,
    deployer: Address,
    plan: &CustodyPlan,
) -> Result<CustodyPlan, ChainError> {
    // whoever it is, it is not the deployer, whose nonce counts
    let helper = Wallet::from_key(&keccak256(deployer))?;
    stage.fund(helper.address()).await?;
    let mut stood_in = plan.clone();
    if let Part::Standing(feed) = plan.feed {
        let decimals = read::price_decimals(chain, feed, BlockId::latest()).await?;
        let description = "stands in".to_owned();
        stood_in.feed = Part::Standing(feed_at(stage, &helper, FeedPlan { decimals, description }).await?.0);
    }
    for token in &mut stood_in.tokens {
        if let Part::Standing(address) = token.contract {
            let (name, symbol, decimals) = described(chain, address).await?;
            token.contract = Part::Standing(token_at(stage, &helper, name, symbol, decimals).await?.0);
        }
    }
    Ok(stood_in)
}

/// Name, symbol and decimal places of a token.
async fn described(chain: &Chain, token: Address) -> Result<(String, String, u8), ChainError> {
    if chain.provider().get_code_at(token).await?.is_empty() {
        return Err(ChainError::NotDeployed { contract: token.to_string() });
    }
    let contract = TestToken::new(token, chain.provider());
    Ok((contract.name().call().await?, contract.symbol().call().await?, contract.decimals().call().await?))
}

async fn feed_at(chain: &Chain, wallet: &Wallet, plan: FeedPlan) -> Result<(Address, u64), ChainError> {
    let arguments = SimulatedFeed::constructorCall { decimals_: plan.decimals, description_: plan.description };
    let made = deploy::create(chain, wallet, "SimulatedFeed", &SimulatedFeed::BYTECODE, &arguments).await?;
    Ok((made.0, made.1.gas_used))
}

async fn token_at(
    chain: &Chain,
    wallet: &Wallet,
    name_: String,
    symbol_: String,
    decimals_: u8,
) -> Result<(Address, u64), ChainError> {
    let arguments = TestToken::constructorCall { name_, symbol_, decimals_ };
    let made = deploy::create(chain, wallet, "TestToken", &TestToken::BYTECODE, &arguments).await?;
    Ok((made.0, made.1.gas_used))
}

/// A deployment as it proceeds.
struct Run<'a> {
    chain: &'a Chain,
    wallet: &'a Wallet,
    plan: &'a CustodyPlan,
    steps: Vec<Step>,
    /// What is being done.
    step: &'static str,
}

/// Makes a contract and notes the step; the block that made it comes along.
macro_rules! create {
    ($run:ident, $contract:ident, $arguments:expr) => {{
        $run.step = stringify!($contract);
        let (chain, wallet) = ($run.chain, $run.wallet);
        let made = deploy::create(chain, wallet, stringify!($contract), &$contract::BYTECODE, &$arguments).await?;
        $run.note(stringify!($contract), Some(made.0), made.1.gas_used);
        (made.0, made.1.block)
    }};
}

impl Run<'_> {
    fn note(&mut self, what: impl Into<String>, address: Option<Address>, gas: u64) {
        self.steps.push(Step { what: what.into(), address, gas });
    }

    async fn call(&mut self, what: &'static str, to: Address, call: &impl SolCall) -> Result<(), ChainError> {
        self.step = what;
        let request = TransactionRequest::default().to(to).input(call.abi_encode().into());
        let sent = self.chain.send(self.wallet, request).await?;
        self.note(what, None, sent.gas_used);
        Ok(())
    }

    async fn all(&mut self) -> Result<Deployment, ChainError> {
        let (feed, feed_decimals) = self.feed().await?;
        let tokens = self.tokens().await?;
        let deployer = self.wallet.address();
        let (manager, first_block) =
            create!(self, AccessManager, AccessManager::constructorCall { initialAdmin: deployer });
        let forwarder = self.forwarder(manager).await?;
        let (vault, _) = create!(self, VaultRegistry, VaultRegistry::constructorCall { first: self.committee() });
        let enclaves = self.enclaves(forwarder, vault).await?;
        let attestation = self.attestation(forwarder, vault).await?;
        let registries = Registries { manager, vault, enclaves };
        let pool = self.pool(forwarder, registries, feed, &tokens).await?;
        self.assign_functions(manager, forwarder, pool).await?;
        self.grant_roles(manager, deployer).await?;
        let plan = self.plan;
        Ok(Deployment {
            chain_id: self.chain.chain_id(),
            first_block,
            forwarder,
            attestation,
            pool,
            feed,
            feed_decimals,
            tokens,
            signers: plan.signers.clone(),
            workflow: self.workflow(),
            reserve: plan.reserve,
            agent_key: plan.agent_key,
            max_age: plan.max_age,
            table_id: plan.table_id,
            times: plan.times,
            registries: Some(registries),
            enclaves: None,
        })
    }

    const fn workflow(&self) -> Workflow {
        let CustodyPlan { workflow_id: id, workflow_owner: owner, .. } = *self.plan;
        Workflow { id, owner, epoch: self.plan.committee.epoch }
    }

    fn committee(&self) -> VaultRegistry::Committee {
        let CommitteePlan { epoch, faults, participants, master_key, verification_root } = self.plan.committee.clone();
        VaultRegistry::Committee {
            epoch,
            faults,
            participants,
            masterKey: master_key,
            verificationRoot: verification_root,
        }
    }

    async fn feed(&mut self) -> Result<(Address, u8), ChainError> {
        match &self.plan.feed {
            Part::Standing(address) => {
                Ok((*address, read::price_decimals(self.chain, *address, BlockId::latest()).await?))
            }
            Part::Simulated(plan) => {
                let (address, gas) = feed_at(self.chain, self.wallet, plan.clone()).await?;
                self.note("SimulatedFeed", Some(address), gas);
                Ok((address, plan.decimals))
            }
        }
    }

    async fn tokens(&mut self) -> Result<Vec<DeployedToken>, ChainError> {
        self.step = "the tokens";
        let mut tokens = Vec::with_capacity(self.plan.tokens.len());
        for TokenPart { contract, lot } in &self.plan.tokens {
            let (address, (name, symbol, decimals)) = match contract {
                Part::Standing(address) => (*address, described(self.chain, *address).await?),
                Part::Simulated(about) => {
                    let (name, symbol, decimals) = about.clone();
                    let (address, gas) = token_at(self.chain, self.wallet, name, symbol, decimals).await?;
                    self.note(format!("TestToken {}", about.1), Some(address), gas);
                    (address, about.clone())
                }
            };
            tokens.push(DeployedToken { address, plan: TokenPlan { name, symbol, decimals, lot: *lot } });
        }
        Ok(tokens)
    }

    /// The forwarder with its signers, given to the manager.
    async fn forwarder(&mut self, manager: Address) -> Result<Address, ChainError> {
        let owner = self.wallet.address();
        let (forwarder, _) = create!(self, QuorumForwarder, QuorumForwarder::constructorCall { owner });
        let Signers { don_id, config_version, f, addresses } = self.plan.signers.clone();
        let set =
            QuorumForwarder::setConfigCall { donId: don_id, configVersion: config_version, f, signers: addresses };
        self.call("the signer set", forwarder, &set).await?;
        let transfer = QuorumForwarder::transferOwnershipCall { newOwner: manager };
        self.call("the forwarder is offered to the manager", forwarder, &transfer).await?;
        let data = QuorumForwarder::acceptOwnershipCall {}.abi_encode().into();
        let accept = AccessManager::executeCall { target: forwarder, data };
        self.call("the manager accepts the forwarder", manager, &accept).await?;
        Ok(forwarder)
    }

    async fn enclaves(&mut self, forwarder: Address, vault: Address) -> Result<Address, ChainError> {
        let Workflow { id, owner, epoch } = self.workflow();
        let ingress = EnclaveRegistry::Ingress {
            forwarder,
            workflowId: id,
            workflowOwner: owner,
            workflowName: FixedBytes(Kind::Enclave.workflow_name()),
            epoch,
            vault,
        };
        let arguments = EnclaveRegistry::constructorCall { ingress, maxLifetime_: self.plan.max_lifetime };
        Ok(create!(self, EnclaveRegistry, arguments).0)
    }

    async fn attestation(&mut self, forwarder: Address, vault: Address) -> Result<Address, ChainError> {
        let Workflow { id, owner, epoch } = self.workflow();
        let ingress = ReserveAttestation::Ingress {
            forwarder,
            workflowId: id,
            workflowOwner: owner,
            workflowName: FixedBytes(Kind::Solvency.workflow_name()),
            epoch,
            vault,
        };
        let CustodyPlan { agent_key, max_age, .. } = *self.plan;
        let arguments = ReserveAttestation::constructorCall { ingress, agentKey_: agent_key, maxAge_: max_age };
        Ok(create!(self, ReserveAttestation, arguments).0)
    }

    async fn pool(
        &mut self,
        forwarder: Address,
        registries: Registries,
        feed: Address,
        tokens: &[DeployedToken],
    ) -> Result<Address, ChainError> {
        let workflow = self.workflow();
        let &CustodyPlan { times, reserve, table_id, .. } = self.plan;
        let registries = Some(registries);
        let config = PoolParts { forwarder, registries, feed, tokens, workflow, times, reserve, table_id }.config();
        Ok(create!(self, CREDarkPool, CREDarkPool::constructorCall { c: config }).0)
    }

    async fn assign_functions(
        &mut self,
        manager: Address,
        forwarder: Address,
        pool: Address,
    ) -> Result<(), ChainError> {
        let functions = [
            ("setConfig is OPERATOR's", forwarder, QuorumForwarder::setConfigCall::SELECTOR, OPERATOR),
            ("setGroupConfig is OPERATOR's", forwarder, QuorumForwarder::setGroupConfigCall::SELECTOR, OPERATOR),
            ("clearConfig is GUARDIAN's", forwarder, QuorumForwarder::clearConfigCall::SELECTOR, GUARDIAN),
            ("unpause is OPERATOR's", pool, CREDarkPool::unpauseCall::SELECTOR, OPERATOR),
            ("pause is GUARDIAN's", pool, CREDarkPool::pauseCall::SELECTOR, GUARDIAN),
        ];
        for (what, target, selector, role) in functions {
            let selectors = vec![FixedBytes(selector)];
            let assign = AccessManager::setTargetFunctionRoleCall { target, selectors, roleId: role };
            self.call(what, manager, &assign).await?;
        }
        Ok(())
    }

    async fn grant_roles(&mut self, manager: Address, deployer: Address) -> Result<(), ChainError> {
        for (what, role) in [("the guardian of OPERATOR", OPERATOR), ("the guardian of GUARDIAN", GUARDIAN)] {
            let guard = AccessManager::setRoleGuardianCall { roleId: role, guardian: GUARDIAN };
            self.call(what, manager, &guard).await?;
        }
        let Roles { admin, operator, guardian, delay } = self.plan.roles;
        let grants = [
            ("the operator is OPERATOR", OPERATOR, operator, delay),
            ("the operator is GUARDIAN", GUARDIAN, operator, delay),
            ("the guardian is GUARDIAN", GUARDIAN, guardian, 0),
            ("the admin is ADMIN", ADMIN, admin, delay),
        ];
        for (what, role, account, delay) in grants {
            let grant = AccessManager::grantRoleCall { roleId: role, account, executionDelay: delay };
            self.call(what, manager, &grant).await?;
        }
        let renounce = AccessManager::renounceRoleCall { roleId: ADMIN, callerConfirmation: deployer };
        self.call("the deployer gives ADMIN up", manager, &renounce).await
    }
}
