//! One handle for both chains.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::{Address, U256},
    providers::{DynProvider, Provider, ProviderBuilder},
    rpc::client::RpcClient,
    transports::{
        TransportErrorKind,
        http::{
            Http,
            reqwest::{Client, Url, redirect::Policy},
        },
    },
};
use serde_json::Value;

use crate::{
    ChainError,
    embedded::{CLIENT_VERSION, EmbeddedConfig, EmbeddedTransport},
    https::{Authorities, HttpsTransport},
    read::BlockRef,
    submitter::MOST_FEE,
    transcript::RevertRecord,
};

const ETHER_GIVEN: u64 = 10_000;
const WEI_PER_ETHER: u64 = 1_000_000_000_000_000_000;
const GRACE_SECONDS: u64 = 300;

/// What stands behind a [`Chain`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainKind {
    /// The chain in this process, or one that another process serves.
    Embedded,
    /// An anvil node, whose time can be set and whose accounts can be funded.
    Anvil,
    /// Any other node.
    Node,
}

/// When a block counts as final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finality {
    /// When the node says so (tag `finalized`).
    Tag,
    /// When this many blocks stand on it. Zero suits only chains that never reorganise.
    Confirmations(u64),
}

/// How to use a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectOptions {
    /// Refuse a node of another chain.
    pub expected_chain_id: Option<u64>,
    /// How often receipts and time are asked for.
    pub poll_interval: Duration,
    /// How long the node may take for an answer.
    pub answer_timeout: Duration,
    /// How long to wait for a receipt.
    pub receipt_timeout: Duration,
    /// When a block counts as final; by default the node's tag, and every block on anvil.
    pub finality: Option<Finality>,
    /// Let an anvil node's blocks be one second apart, so that runs repeat.
    pub pin_block_times: bool,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            expected_chain_id: None,
            poll_interval: Duration::from_millis(250),
            answer_timeout: Duration::from_secs(30),
            receipt_timeout: Duration::from_secs(120),
            finality: None,
            pin_block_times: true,
        }
    }
}

/// A handle to a chain; clones share it.
#[derive(Clone, Debug)]
pub struct Chain {
    provider: DynProvider,
    kind: ChainKind,
    chain_id: u64,
    finality: Finality,
    poll_interval: Duration,
    receipt_timeout: Duration,
    most_fee: u128,
    reverts: Arc<Mutex<Vec<RevertRecord>>>,
}

impl Chain {
    /// A new chain in this process.
    #[must_use]
    pub fn embedded(config: &EmbeddedConfig) -> Self {
        let client = RpcClient::new(EmbeddedTransport::new(config), true);
        let options = ConnectOptions { poll_interval: Duration::from_millis(1), ..ConnectOptions::default() };
        Self::over(client, ChainKind::Embedded, config.chain_id, &options)
    }

    /// A node at an `http://` or `https://` address. Whose certificate a node behind TLS may have, the system says.
    ///
    /// *Security*: over `http://` everybody on the way reads and changes what is said. It is for nodes of this machine, and
    /// of networks that one trusts.
    ///
    /// # Errors
    /// A malformed address, a node that does not answer, a node of another chain; [`ChainError::Tls`].
    pub async fn connect(url: &str, options: &ConnectOptions) -> Result<Self, ChainError> {
        Self::reach(url, None, options).await
    }

    /// As [`connect`](Self::connect), where a node behind TLS is believed on the word of these authorities alone.
    ///
    /// # Errors
    /// As [`connect`](Self::connect); [`ChainError::Url`] for an `http://` address, at which nobody's word counts.
    pub async fn connect_trusting(
        url: &str,
        authorities: &Authorities,
        options: &ConnectOptions,
    ) -> Result<Self, ChainError> {
        Self::reach(url, Some(authorities), options).await
    }

    async fn reach(url: &str, trusted: Option<&Authorities>, options: &ConnectOptions) -> Result<Self, ChainError> {
        let refused = || ChainError::Url { url: url.to_owned() };
        let parsed: Url = url.parse().map_err(|_| refused())?;
        let client = match (parsed.scheme(), trusted) {
            ("https", _) => https_client(&parsed, trusted, options.answer_timeout)?,
            ("http", None) => http_client(parsed, options.answer_timeout)?,
            _ => return Err(refused()),
        };
        let asked = client.request_noparams::<alloy::primitives::U64>("eth_chainId").await;
        let found = asked.map_err(ChainError::at_connect)?.to();
        if let Some(expected) = options.expected_chain_id.filter(|expected| *expected != found) {
            return Err(ChainError::WrongChain { expected, found });
        }
        let version: String = client.request_noparams("web3_clientVersion").await?;
        let chain = Self::over(client, kind_of(&version), found, options);
        chain.pin_block_times(options.pin_block_times).await?;
        Ok(chain)
    }

    fn over(client: RpcClient, kind: ChainKind, chain_id: u64, options: &ConnectOptions) -> Self {
        client.set_poll_interval(options.poll_interval);
        let builder = ProviderBuilder::new().disable_recommended_fillers();
        Self {
            provider: builder.connect_client(client).erased(),
            kind,
            chain_id,
            finality: options.finality.unwrap_or(default_finality(kind)),
            poll_interval: options.poll_interval,
            receipt_timeout: options.receipt_timeout,
            most_fee: MOST_FEE,
            reverts: Arc::default(),
        }
    }

    async fn pin_block_times(&self, wanted: bool) -> Result<(), ChainError> {
        if wanted && self.kind == ChainKind::Anvil {
            self.request("anvil_setBlockTimestampInterval", (1,)).await?;
        }
        Ok(())
    }

    /// The provider, for reads and for the contracts' bindings. It signs nothing.
    #[must_use]
    pub const fn provider(&self) -> &DynProvider {
        &self.provider
    }

    /// What stands behind the handle.
    #[must_use]
    pub const fn kind(&self) -> ChainKind {
        self.kind
    }

    /// The chain id.
    #[must_use]
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// When a block counts as final.
    #[must_use]
    pub const fn finality(&self) -> Finality {
        self.finality
    }

    /// The same chain with another [`finality`](Self::finality).
    #[must_use]
    pub fn with_finality(self, finality: Finality) -> Self {
        Self { finality, ..self }
    }

    /// The most wei that a transaction may pay for a unit of gas.
    #[must_use]
    pub const fn most_fee(&self) -> u128 {
        self.most_fee
    }

    /// The same chain with another [`most_fee`](Self::most_fee).
    #[must_use]
    pub fn with_most_fee(self, most_fee: u128) -> Self {
        Self { most_fee, ..self }
    }

    pub(crate) const fn poll_interval(&self) -> Duration {
        self.poll_interval
    }

    pub(crate) const fn receipt_timeout(&self) -> Duration {
        self.receipt_timeout
    }

    /// Whether this is a chain for trying things out: time can be set, accounts funded.
    #[must_use]
    pub const fn is_development(&self) -> bool {
        matches!(self.kind, ChainKind::Embedded | ChainKind::Anvil)
    }

    pub(crate) async fn request<P: alloy::rpc::json_rpc::RpcSend>(
        &self,
        method: &'static str,
        parameters: P,
    ) -> Result<Value, ChainError> {
        Ok(self.provider.raw_request(Cow::Borrowed(method), parameters).await?)
    }

    /// Gives an account ether where that is possible.
    ///
    /// # Errors
    /// [`ChainError::Unfunded`] on a chain that cannot, when the account has none.
    pub async fn fund(&self, address: Address) -> Result<(), ChainError> {
        if self.is_development() {
            let wei = U256::from(ETHER_GIVEN).saturating_mul(U256::from(WEI_PER_ETHER));
            self.request("anvil_setBalance", (address, wei)).await?;
            return Ok(());
        }
        match self.provider.get_balance(address).await? {
            balance if balance.is_zero() => Err(ChainError::Unfunded { address }),
            _ => Ok(()),
        }
    }

    /// Lets the chain's time be at least `time` (Unix time): makes a block then on a development chain, waits
    /// elsewhere.
    ///
    /// # Errors
    /// [`ChainError::TimeNotReached`] when the chain does not get there within five minutes more than it should need.
    pub async fn advance_time(&self, time: u64) -> Result<BlockRef, ChainError> {
        let newest = self.block(BlockId::latest()).await?;
        if newest.time >= time {
            return Ok(newest);
        }
        if !self.is_development() {
            return self.wait_for(time, newest.time).await;
        }
        self.request("evm_setNextBlockTimestamp", (time,)).await?;
        self.request("evm_mine", ()).await?;
        self.block(BlockId::latest()).await
    }

    async fn wait_for(&self, time: u64, start: u64) -> Result<BlockRef, ChainError> {
        let most = Duration::from_secs(time.saturating_sub(start).saturating_add(GRACE_SECONDS));
        let reached = async {
            loop {
                tokio::time::sleep(self.poll_interval).await;
                let newest = self.block(BlockId::latest()).await?;
                if newest.time >= time {
                    return Ok(newest);
                }
            }
        };
        match tokio::time::timeout(most, reached).await {
            Ok(answer) => answer,
            Err(_) => {
                let found = self.block(BlockId::latest()).await?.time;
                Err(ChainError::TimeNotReached { wanted: time, found })
            }
        }
    }

    /// Number, hash and time of a block.
    ///
    /// # Errors
    /// [`ChainError::NoBlock`] when it is not on the chain.
    pub async fn block(&self, id: BlockId) -> Result<BlockRef, ChainError> {
        let block = self.provider.get_block(id).await?;
        block.map(|block| BlockRef::of(&block.header)).ok_or_else(|| ChainError::NoBlock { block: id.to_string() })
    }

    /// The block of several reads that belong together: a tag may name another one from call to call.
    pub(crate) async fn pinned(&self, at: BlockId) -> Result<BlockId, ChainError> {
        match at {
            BlockId::Number(BlockNumberOrTag::Latest | BlockNumberOrTag::Safe | BlockNumberOrTag::Finalized) => {
                Ok(self.block(at).await?.id())
            }
            at => Ok(at),
        }
    }

    /// The newest final block.
    ///
    /// # Errors
    /// A node without the tag `finalized`, or fewer blocks than confirmations.
    pub async fn finalised_block(&self) -> Result<BlockRef, ChainError> {
        match self.finality {
            Finality::Tag => self.block(BlockId::finalized()).await,
            Finality::Confirmations(0) => self.block(BlockId::latest()).await,
            Finality::Confirmations(depth) => {
                let newest = self.provider.get_block_number().await?;
                let number = newest
                    .checked_sub(depth)
                    .ok_or_else(|| ChainError::NoBlock { block: format!("{newest} - {depth}") })?;
                self.block(BlockNumberOrTag::Number(number).into()).await
            }
        }
    }

    /// Remembers a refusal for the transcript.
    pub(crate) fn record_revert(&self, record: RevertRecord) {
        self.reverts.lock().unwrap_or_else(PoisonError::into_inner).push(record);
    }

    /// The refusals that this handle and its clones met.
    pub(crate) fn recorded_reverts(&self) -> Vec<RevertRecord> {
        self.reverts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A client that does not wait for ever for a node that took the question and stays silent, and that asks nobody else.
fn http_client(url: Url, patience: Duration) -> Result<RpcClient, ChainError> {
    let client = Client::builder().timeout(patience).redirect(Policy::none()).no_proxy().build();
    let http = Http::with_client(client.map_err(TransportErrorKind::custom)?, url);
    let local = http.guess_local();
    Ok(RpcClient::new(http, local))
}

fn https_client(url: &Url, trusted: Option<&Authorities>, patience: Duration) -> Result<RpcClient, ChainError> {
    let authorities = match trusted {
        Some(trusted) => trusted.clone(),
        None => Authorities::system()?,
    };
    Ok(RpcClient::new(HttpsTransport::new(url, &authorities, patience)?, false))
}

fn kind_of(version: &str) -> ChainKind {
    if version.starts_with("anvil/") {
        ChainKind::Anvil
    } else if version == CLIENT_VERSION {
        ChainKind::Embedded
    } else {
        ChainKind::Node
    }
}

const fn default_finality(kind: ChainKind) -> Finality {
    match kind {
        ChainKind::Embedded | ChainKind::Node => Finality::Tag,
        ChainKind::Anvil => Finality::Confirmations(0),
    }
}
