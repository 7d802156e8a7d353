//! Putting the contracts on a chain.

use alloy::{
    network::TransactionBuilder,
    primitives::{Address, B256, Bytes, FixedBytes},
    providers::Provider,
    rpc::types::TransactionRequest,
    sol_types::SolConstructor,
};
use ccc_core::report::{Binding, Kind, Origin, ReportContext, SignerSet};
use serde::{Deserialize, Serialize};

use crate::{
    Chain, ChainError, Sent, Wallet,
    bindings::{CREDarkPool, EnclaveRegistry, QuorumForwarder, ReserveAttestation, SimulatedFeed, TestToken},
};

/// A token to deploy. It is a test token that anybody may mint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenPlan {
    /// Its name.
    pub name: String,
    /// Its symbol.
    pub symbol: String,
    /// Its decimal places.
    pub decimals: u8,
    /// Smallest units in a lot of the pool.
    pub lot: u64,
}

/// The committee's report signers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signers {
    /// The committee's number at the forwarder.
    pub don_id: u32,
    /// The version of the set.
    pub config_version: u32,
    /// The number of faulty signers tolerated.
    pub f: u8,
    /// The signers' addresses.
    pub addresses: Vec<Address>,
}

impl Signers {
    /// The set as reports are checked against.
    #[must_use]
    pub fn set(&self) -> SignerSet {
        SignerSet {
            don_id: self.don_id,
            config_version: self.config_version,
            f: self.f,
            signers: self.addresses.iter().map(|address| address.0.0).collect(),
        }
    }
}

/// Whose reports the receivers take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workflow {
    /// The workflow id; its first byte is zero, not all of them: receivers would not check an id of zero.
    pub id: B256,
    /// The workflow's owner.
    pub owner: Address,
    /// The vault's epoch.
    pub epoch: u64,
}

/// The pool's durations, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolTimes {
    /// How long after its deadline a request may be settled.
    pub fill_window: u64,
    /// How far ahead a deadline may lie.
    pub max_delay: u64,
    /// How long without a round until owners may exit.
    pub exit_delay: u64,
}

/// The simulated price feed to deploy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedPlan {
    /// The decimal places of its answers.
    pub decimals: u8,
    /// What it prices, for example `BTC / USD`.
    pub description: String,
}

/// What to deploy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentPlan {
    /// The report signers.
    pub signers: Signers,
    /// Whose reports are taken.
    pub workflow: Workflow,
    /// The account that requests collateral.
    pub reserve: Address,
    /// The key that solvency envelopes are sealed to.
    pub agent_key: B256,
    /// Seconds until a solvency answer is stale.
    pub max_age: u64,
    /// The balance table.
    pub table_id: B256,
    /// The tokens, by asset index.
    pub tokens: Vec<TokenPlan>,
    /// The feed that rounds read.
    pub feed: FeedPlan,
    /// The pool's durations.
    pub times: PoolTimes,
}

/// A token of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployedToken {
    /// Its address.
    pub address: Address,
    /// Its plan.
    #[serde(flatten)]
    pub plan: TokenPlan,
}

/// The contracts of a deployment for custody, which one for demonstrations does without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registries {
    /// OpenZeppelin's `AccessManager`: who may do what, after which delay.
    pub manager: Address,
    /// `VaultRegistry`.
    pub vault: Address,
    /// `EnclaveRegistry`.
    pub enclaves: Address,
}

/// What stands on a chain. It can be written to a file and read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// The chain.
    pub chain_id: u64,
    /// The first block of the deployment.
    pub first_block: u64,
    /// `QuorumForwarder`.
    pub forwarder: Address,
    /// `ReserveAttestation`.
    pub attestation: Address,
    /// `CREDarkPool`.
    pub pool: Address,
    /// `SimulatedFeed`.
    pub feed: Address,
    /// The decimal places of the feed's answers.
    pub feed_decimals: u8,
    /// The tokens, by asset index.
    pub tokens: Vec<DeployedToken>,
    /// The report signers.
    pub signers: Signers,
    /// Whose reports are taken.
    pub workflow: Workflow,
    /// The account that requests collateral.
    pub reserve: Address,
    /// The key that solvency envelopes are sealed to.
    pub agent_key: B256,
    /// Seconds until a solvency answer is stale.
    pub max_age: u64,
    /// The balance table.
    pub table_id: B256,
    /// The pool's durations.
    pub times: PoolTimes,
    /// Manager and registries, where the deployment has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registries: Option<Registries>,
    /// `EnclaveRegistry` of a deployment without the other registries: [`enclave_registry`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enclaves: Option<Address>,
}

impl Deployment {
    /// The signer set.
    #[must_use]
    pub fn signer_set(&self) -> SignerSet {
        self.signers.set()
    }

    /// The constants of every report's header.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin {
            don_id: self.signers.don_id,
            config_version: self.signers.config_version,
            workflow_id: self.workflow.id.0,
            workflow_owner: self.workflow.owner.0.0,
        }
    }

    /// The context of a report with this sequence.
    #[must_use]
    pub fn context(&self, sequence: u64) -> ReportContext {
        let config_digest = self.signer_set().config_digest(self.chain_id, &self.forwarder.0.0);
        ReportContext { config_digest, sequence }
    }

    /// The contract that takes reports of a kind; without a registry of enclaves none takes enclave reports.
    #[must_use]
    pub const fn receiver(&self, kind: Kind) -> Option<Address> {
        match kind {
            Kind::Solvency => Some(self.attestation),
            Kind::Round | Kind::Payout => Some(self.pool),
            Kind::Enclave => self.enclave_registry(),
        }
    }

    /// `EnclaveRegistry`, where the deployment has one: its report signers ask it which enclaves are current.
    #[must_use]
    pub const fn enclave_registry(&self) -> Option<Address> {
        match self.registries {
            Some(registries) => Some(registries.enclaves),
            None => self.enclaves,
        }
    }

    /// The binding of a payload for `receiver`.
    #[must_use]
    pub fn binding(&self, receiver: Address, sequence: u64, valid_until: u64, attestation: B256) -> Binding {
        Binding {
            chain: self.chain_id,
            receiver: receiver.0.0,
            epoch: self.workflow.epoch,
            sequence,
            valid_until,
            attestation: attestation.0,
        }
    }

    /// Every contract of the deployment.
    #[must_use]
    pub fn contracts(&self) -> Vec<Address> {
        let tokens = self.tokens.iter().map(|token| token.address);
        let registries = self.registries.into_iter().flat_map(|r| [r.manager, r.vault, r.enclaves]);
        let own = [self.forwarder, self.attestation, self.pool, self.feed];
        own.into_iter().chain(registries).chain(self.enclaves).chain(tokens).collect()
    }
}

/// Deploys everything from `wallet`, which owns forwarder and feed afterwards, and configures the signers.
///
/// *Security*: a deployment for tests and demonstrations. The epoch is fixed, nobody can pause the pool, and signer sets
/// change at once; [`custody::deploy`](crate::custody::deploy) deploys with registries, roles and delays.
///
/// # Errors
/// An unusable signer set, a workflow id that is zero or whose first byte is not, a constructor's refusal.
pub async fn deploy(chain: &Chain, wallet: &Wallet, plan: &DeploymentPlan) -> Result<Deployment, ChainError> {
    plan.signers.set().check()?;
    if plan.workflow.id[0] != 0 || plan.workflow.id.is_zero() {
        return Err(ChainError::OutOfRange { field: "workflow id", found: plan.workflow.id.to_string() });
    }
    let deployer = Deployer { chain, wallet, plan };
    let (forwarder, first_block) = deployer.forwarder().await?;
    let feed = deployer.feed().await?;
    let tokens = deployer.tokens().await?;
    let attestation = deployer.attestation(forwarder).await?;
    let pool = deployer.pool(forwarder, feed, &tokens).await?;
    Ok(Deployment {
        chain_id: chain.chain_id(),
        first_block,
        forwarder,
        attestation,
        pool,
        feed,
        feed_decimals: plan.feed.decimals,
        tokens,
        signers: plan.signers.clone(),
        workflow: plan.workflow,
        reserve: plan.reserve,
        agent_key: plan.agent_key,
        max_age: plan.max_age,
        table_id: plan.table_id,
        times: plan.times,
        registries: None,
        enclaves: None,
    })
}

/// Deploys `EnclaveRegistry` alone, for a deployment of [`deploy`]: with the same forwarder, workflow and fixed epoch.
///
/// # Errors
/// A lifetime of zero, which the constructor refuses.
pub async fn enclave_registry(
    chain: &Chain,
    wallet: &Wallet,
    deployment: &Deployment,
    max_lifetime: u64,
) -> Result<Address, ChainError> {
    let Workflow { id, owner, epoch } = deployment.workflow;
    let ingress = EnclaveRegistry::Ingress {
        forwarder: deployment.forwarder,
        workflowId: id,
        workflowOwner: owner,
        workflowName: FixedBytes(Kind::Enclave.workflow_name()),
        epoch,
        vault: Address::ZERO,
    };
    let arguments = EnclaveRegistry::constructorCall { ingress, maxLifetime_: max_lifetime };
    Ok(create(chain, wallet, "EnclaveRegistry", &EnclaveRegistry::BYTECODE, &arguments).await?.0)
}

/// Checks that a deployment, for example from a file, stands on this chain with its signer set.
///
/// # Errors
/// Those of [`check_place`]; another signer set at the forwarder.
pub async fn check(chain: &Chain, deployment: &Deployment) -> Result<(), ChainError> {
    check_place(chain, deployment).await?;
    let Signers { don_id, config_version, .. } = deployment.signers;
    let forwarder = QuorumForwarder::new(deployment.forwarder, chain.provider());
    let found = forwarder.configDigest(don_id, config_version).call().await?;
    let expected = B256::from(deployment.context(0).config_digest);
    if expected == found { Ok(()) } else { Err(ChainError::SignerSet { expected, found }) }
}

/// Checks that a deployment stands on this chain.
///
/// # Errors
/// Another chain, an address without code, a registry of enclaves that stands alone and takes other reports than this
/// deployment's.
pub async fn check_place(chain: &Chain, deployment: &Deployment) -> Result<(), ChainError> {
    let (expected, found) = (deployment.chain_id, chain.chain_id());
    if expected != found {
        return Err(ChainError::WrongChain { expected, found });
    }
    for address in deployment.contracts() {
        if chain.provider().get_code_at(address).await?.is_empty() {
            return Err(ChainError::NotDeployed { contract: address.to_string() });
        }
    }
    match deployment.enclaves {
        Some(registry) => check_registry(chain, deployment, registry).await,
        None => Ok(()),
    }
}

/// Another pool's registry, or a contract of somebody's own, would call other enclaves current.
async fn check_registry(chain: &Chain, deployment: &Deployment, registry: Address) -> Result<(), ChainError> {
    let Workflow { id, epoch, .. } = deployment.workflow;
    let contract = EnclaveRegistry::new(registry, chain.provider());
    let same = |what, holds: bool| if holds { Ok(()) } else { Err(ChainError::OtherRegistry { registry, what }) };
    same("forwarder", contract.forwarder().call().await? == deployment.forwarder)?;
    same("workflow", contract.workflowId().call().await? == id)?;
    same("epoch", contract.epoch().call().await? == epoch)
}

/// As [`check_place`], and that the pool is the deployment's: its table and its tokens are those that the deployment names.
///
/// # Errors
/// Those of [`check_place`]; [`ChainError::OtherPool`].
pub async fn check_pool(chain: &Chain, deployment: &Deployment) -> Result<(), ChainError> {
    check_place(chain, deployment).await?;
    let pool = CREDarkPool::new(deployment.pool, chain.provider());
    let other = |what, expected: String, found: String| {
        if expected == found { Ok(()) } else { Err(ChainError::OtherPool { what, expected, found }) }
    };
    let no_pool =
        |_| ChainError::OtherPool { what: "code", expected: "a pool".into(), found: "another contract".into() };
    let table = pool.tableId().call().await.map_err(no_pool)?;
    other("table", deployment.table_id.to_string(), table.to_string())?;
    let vault = deployment.registries.map_or(Address::ZERO, |registries| registries.vault);
    other("vault", vault.to_string(), pool.vault().call().await?.to_string())?;
    other("forwarder", deployment.forwarder.to_string(), pool.forwarder().call().await?.to_string())?;
    other("reserve", deployment.reserve.to_string(), pool.reserve().call().await?.to_string())?;
    for (index, token) in (0u32..).zip(&deployment.tokens) {
        let found = pool.asset(index).call().await?;
        other("token", token.address.to_string(), found.token.to_string())?;
        other("lot", token.plan.lot.to_string(), found.lot.to_string())?;
    }
    Ok(())
}

/// Makes a contract of its creation code and its constructor's arguments.
pub(crate) async fn create<C: SolConstructor>(
    chain: &Chain,
    wallet: &Wallet,
    contract: &'static str,
    code: &Bytes,
    arguments: &C,
) -> Result<(Address, Sent), ChainError> {
    let init: Vec<u8> = [code.as_ref(), arguments.abi_encode().as_slice()].concat();
    let request = TransactionRequest::default().with_deploy_code(init);
    let sent = chain.send(wallet, request).await?;
    let address = sent.contract.ok_or_else(|| ChainError::NotDeployed { contract: contract.to_owned() })?;
    Ok((address, sent))
}

/// What a pool is made of.
pub(crate) struct PoolParts<'a> {
    pub(crate) forwarder: Address,
    /// Without them nobody can pause the pool, and its epoch is fixed.
    pub(crate) registries: Option<Registries>,
    pub(crate) feed: Address,
    pub(crate) tokens: &'a [DeployedToken],
    pub(crate) workflow: Workflow,
    pub(crate) times: PoolTimes,
    pub(crate) reserve: Address,
    pub(crate) table_id: B256,
}

impl PoolParts<'_> {
    /// The constructor's argument.
    pub(crate) fn config(&self) -> CREDarkPool::PoolConfig {
        let Workflow { id, owner, epoch } = self.workflow;
        let PoolTimes { fill_window, max_delay, exit_delay } = self.times;
        CREDarkPool::PoolConfig {
            ingress: CREDarkPool::Ingress {
                forwarder: self.forwarder,
                workflowId: id,
                workflowOwner: owner,
                workflowName: FixedBytes(Kind::Round.workflow_name()),
                epoch,
                vault: self.registries.map_or(Address::ZERO, |registries| registries.vault),
            },
            authority: self.registries.map_or(Address::ZERO, |registries| registries.manager),
            reserve: self.reserve,
            priceSource: self.feed,
            tableId: self.table_id,
            tokens: self.tokens.iter().map(|token| token.address).collect(),
            lots: self.tokens.iter().map(|token| token.plan.lot).collect(),
            fillWindow: fill_window,
            maxDelay: max_delay,
            exitDelay: exit_delay,
        }
    }
}

struct Deployer<'a> {
    chain: &'a Chain,
    wallet: &'a Wallet,
    plan: &'a DeploymentPlan,
}

impl Deployer<'_> {
    /// The contract's address and the block that made it.
    async fn create<C: SolConstructor>(
        &self,
        contract: &'static str,
        code: &Bytes,
        arguments: &C,
    ) -> Result<(Address, u64), ChainError> {
        let (address, sent) = create(self.chain, self.wallet, contract, code, arguments).await?;
        Ok((address, sent.block))
    }

    async fn forwarder(&self) -> Result<(Address, u64), ChainError> {
        let owner = self.wallet.address();
        let arguments = QuorumForwarder::constructorCall { owner };
        let (address, block) = self.create("QuorumForwarder", &QuorumForwarder::BYTECODE, &arguments).await?;
        let Signers { don_id, config_version, f, addresses } = self.plan.signers.clone();
        let request = QuorumForwarder::new(address, self.chain.provider())
            .setConfig(don_id, config_version, f, addresses)
            .into_transaction_request();
        self.chain.send(self.wallet, request).await?;
        Ok((address, block))
    }

    async fn feed(&self) -> Result<Address, ChainError> {
        let FeedPlan { decimals, description } = self.plan.feed.clone();
        let arguments = SimulatedFeed::constructorCall { decimals_: decimals, description_: description };
        Ok(self.create("SimulatedFeed", &SimulatedFeed::BYTECODE, &arguments).await?.0)
    }

    async fn tokens(&self) -> Result<Vec<DeployedToken>, ChainError> {
        let mut tokens = Vec::with_capacity(self.plan.tokens.len());
        for plan in &self.plan.tokens {
            tokens.push(DeployedToken { address: self.token(plan).await?, plan: plan.clone() });
        }
        Ok(tokens)
    }

    async fn token(&self, plan: &TokenPlan) -> Result<Address, ChainError> {
        let arguments = TestToken::constructorCall {
            name_: plan.name.clone(),
            symbol_: plan.symbol.clone(),
            decimals_: plan.decimals,
        };
        Ok(self.create("TestToken", &TestToken::BYTECODE, &arguments).await?.0)
    }

    async fn attestation(&self, forwarder: Address) -> Result<Address, ChainError> {
        let Workflow { id, owner, epoch } = self.plan.workflow;
        let ingress = ReserveAttestation::Ingress {
            forwarder,
            workflowId: id,
            workflowOwner: owner,
            workflowName: FixedBytes(Kind::Solvency.workflow_name()),
            epoch,
            vault: Address::ZERO,
        };
        let arguments =
            ReserveAttestation::constructorCall { ingress, agentKey_: self.plan.agent_key, maxAge_: self.plan.max_age };
        Ok(self.create("ReserveAttestation", &ReserveAttestation::BYTECODE, &arguments).await?.0)
    }

    async fn pool(&self, forwarder: Address, feed: Address, tokens: &[DeployedToken]) -> Result<Address, ChainError> {
        let &DeploymentPlan { workflow, times, reserve, table_id, .. } = self.plan;
        let config = PoolParts { forwarder, registries: None, feed, tokens, workflow, times, reserve, table_id };
        let arguments = CREDarkPool::constructorCall { c: config.config() };
        Ok(self.create("CREDarkPool", &CREDarkPool::BYTECODE, &arguments).await?.0)
    }
}
