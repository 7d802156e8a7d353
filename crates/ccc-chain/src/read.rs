//! Reading the contracts at a block.

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, U256, aliases::U80},
    providers::DynProvider,
    rpc::types::Header,
};
use ccc_core::report::{PriceObservation, Verdict};
use serde::{Deserialize, Serialize};

use crate::{
    Chain, ChainError,
    bindings::{CREDarkPool, ReserveAttestation, SimulatedFeed, TestToken, VaultRegistry},
};

/// A block by number, hash and time.
///
/// *Units*: `time` in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockRef {
    /// The number.
    pub number: u64,
    /// The hash.
    pub hash: B256,
    /// The time.
    pub time: u64,
}

impl BlockRef {
    pub(crate) fn of(header: &Header) -> Self {
        Self { number: header.inner.number, hash: header.hash, time: header.inner.timestamp }
    }

    /// The block for a read: by hash, so that a reorganisation is noticed.
    #[must_use]
    pub fn id(&self) -> BlockId {
        BlockId::from(self.hash)
    }
}

/// Where a collateral request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RequestStatus {
    /// Nobody made it.
    None,
    /// It waits for its round.
    Pending,
    /// A round filled it.
    Filled,
    /// A round could not fill it.
    Failed,
    /// No round came in time.
    Expired,
    /// It was taken back before its deadline.
    Cancelled,
}

/// A collateral request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestState {
    /// Who made it.
    pub requester: Address,
    /// Before which time it is settled, Unix time.
    pub deadline: u64,
    /// Where it stands.
    pub status: RequestStatus,
    /// keccak256 of the encrypted order.
    pub ciphertext_hash: B256,
}

/// A withdrawal request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithdrawalState {
    /// Whether somebody made it.
    pub requested: bool,
    /// Its place among deposits and withdrawal requests.
    pub index: u64,
    /// Whether it was paid.
    pub paid: bool,
}

/// An asset of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Its token.
    pub token: Address,
    /// The token's decimal places.
    pub decimals: u8,
    /// Smallest units in a lot.
    pub lot: u64,
}

/// The table as the chain knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableState {
    /// The version; zero before the first round.
    pub version: u64,
    /// The header's hash; zero before the first round.
    pub header_hash: B256,
    /// The operations that the version contains.
    pub consumed: u64,
    /// When the last round closed, Unix time.
    pub last_round: u64,
    /// Whether rounds have ended for ever.
    pub halted: bool,
}

/// Reads a pool.
///
/// *Security*: several reads belong together only when they name one block; use [`BlockRef::id`] of a final one.
#[derive(Clone, Debug)]
pub struct Pool {
    chain: Chain,
    address: Address,
}

impl Pool {
    /// A reader of the pool at `address`.
    #[must_use]
    pub fn new(chain: &Chain, address: Address) -> Self {
        Self { chain: chain.clone(), address }
    }

    /// The pool's address.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.address
    }

    fn contract(&self) -> CREDarkPool::CREDarkPoolInstance<&DynProvider> {
        CREDarkPool::new(self.address, self.chain.provider())
    }

    /// The table at a block, all of it at one, also where a tag is given.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn table(&self, at: BlockId) -> Result<TableState, ChainError> {
        let (pool, at) = (self.contract(), self.chain.pinned(at).await?);
        Ok(TableState {
            version: pool.tableVersion().block(at).call().await?,
            header_hash: pool.headerHash().block(at).call().await?,
            consumed: pool.consumed().block(at).call().await?,
            last_round: pool.lastRound().block(at).call().await?,
            halted: pool.halted().block(at).call().await?,
        })
    }

    /// The header hash at a block.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn header_hash(&self, at: BlockId) -> Result<B256, ChainError> {
        Ok(self.contract().headerHash().block(at).call().await?)
    }

    /// The table version at a block.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn table_version(&self, at: BlockId) -> Result<u64, ChainError> {
        Ok(self.contract().tableVersion().block(at).call().await?)
    }

    /// The number of deposits and withdrawal requests at a block.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn count(&self, at: BlockId) -> Result<u64, ChainError> {
        Ok(self.contract().count().block(at).call().await?)
    }

    /// The accumulator after `count` operations.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn history(&self, count: u64, at: BlockId) -> Result<B256, ChainError> {
        Ok(self.contract().history(count).block(at).call().await?)
    }

    /// keccak256 of the ciphertext that was submitted under an id; zero for none.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn ciphertext_hash(&self, id: B256, at: BlockId) -> Result<B256, ChainError> {
        Ok(self.contract().ciphertextHash(id).block(at).call().await?)
    }

    /// A collateral request.
    ///
    /// # Errors
    /// [`ChainError::OutOfRange`] for a status that this version does not know.
    pub async fn request(&self, id: B256, at: BlockId) -> Result<RequestState, ChainError> {
        let found = self.contract().request(id).block(at).call().await?;
        Ok(RequestState {
            requester: found.requester,
            deadline: found.deadline,
            status: request_status(found.status)?,
            ciphertext_hash: found.hash,
        })
    }

    /// A withdrawal request.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn withdrawal(&self, id: B256, at: BlockId) -> Result<WithdrawalState, ChainError> {
        let found = self.contract().withdrawal(id).block(at).call().await?;
        Ok(WithdrawalState { requested: found.requested, index: found.index, paid: found.paid })
    }

    /// The sequence of the last accepted report of a kind.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn last_sequence(&self, kind: ccc_core::report::Kind, at: BlockId) -> Result<u64, ChainError> {
        Ok(self.contract().lastSequence(kind.number()).block(at).call().await?)
    }

    /// Whether deposits and requests are stopped at a block.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn paused(&self, at: BlockId) -> Result<bool, ChainError> {
        Ok(self.contract().paused().block(at).call().await?)
    }

    /// The registry whose epoch every report must name; none where the pool has none.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn vault(&self, at: BlockId) -> Result<Option<Address>, ChainError> {
        let vault = self.contract().vault().block(at).call().await?;
        Ok(Some(vault).filter(|vault| !vault.is_zero()))
    }

    /// An asset.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn asset(&self, index: u32, at: BlockId) -> Result<Asset, ChainError> {
        let found = self.contract().asset(index).block(at).call().await?;
        Ok(Asset { token: found.token, decimals: found.decimals, lot: found.lot })
    }

    /// The pool's balance of a token.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn token_balance(&self, token: Address, at: BlockId) -> Result<U256, ChainError> {
        token_balance(&self.chain, token, self.address, at).await
    }
}

fn request_status(number: u8) -> Result<RequestStatus, ChainError> {
    match number {
        0 => Ok(RequestStatus::None),
        1 => Ok(RequestStatus::Pending),
        2 => Ok(RequestStatus::Filled),
        3 => Ok(RequestStatus::Failed),
        4 => Ok(RequestStatus::Expired),
        5 => Ok(RequestStatus::Cancelled),
        found => Err(ChainError::OutOfRange { field: "request status", found: found.to_string() }),
    }
}

/// An account's balance of a token.
///
/// # Errors
/// See [`ChainError`].
pub async fn token_balance(chain: &Chain, token: Address, owner: Address, at: BlockId) -> Result<U256, ChainError> {
    Ok(TestToken::new(token, chain.provider()).balanceOf(owner).block(at).call().await?)
}

/// What `spender` may take of an account's token.
///
/// # Errors
/// See [`ChainError`].
pub async fn allowance(
    chain: &Chain,
    token: Address,
    owner: Address,
    spender: Address,
    at: BlockId,
) -> Result<U256, ChainError> {
    Ok(TestToken::new(token, chain.provider()).allowance(owner, spender).block(at).call().await?)
}

/// The vault's master public key, as its registry has it.
///
/// # Errors
/// See [`ChainError`].
pub async fn master_key(chain: &Chain, registry: Address) -> Result<B256, ChainError> {
    Ok(VaultRegistry::new(registry, chain.provider()).masterKey().call().await?)
}

/// The reserve's public status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// The last answer; unknown before the first.
    pub verdict: Verdict,
    /// Solvent and not stale.
    pub solvent: bool,
    /// The last answer is too old.
    pub stale: bool,
    /// The block that the answer is about.
    pub block: u64,
    /// That block's time, Unix time.
    pub block_time: u64,
    /// The table's header hash then.
    pub header_hash: B256,
    /// The digest of the agent's envelope.
    pub envelope_digest: B256,
    /// The sequence of the last accepted report.
    pub sequence: u64,
    /// The key that envelopes are sealed to.
    pub agent_key: B256,
}

/// Reads the attestation contract at `address`, all of it at one block, also where a tag is given: a report that arrives
/// meanwhile changes nothing of the answer.
///
/// # Errors
/// [`ChainError::OutOfRange`] for a status that this version does not know.
pub async fn attestation(chain: &Chain, address: Address, at: BlockId) -> Result<Attestation, ChainError> {
    let (contract, at) = (ReserveAttestation::new(address, chain.provider()), chain.pinned(at).await?);
    let status = contract.status().block(at).call().await?;
    let verdict = Verdict::try_from(status);
    let out_of_range = |_| ChainError::OutOfRange { field: "solvency status", found: status.to_string() };
    Ok(Attestation {
        verdict: verdict.map_err(out_of_range)?,
        solvent: contract.isSolvent().block(at).call().await?,
        stale: contract.isStale().block(at).call().await?,
        block: contract.attestedBlock().block(at).call().await?,
        block_time: contract.attestedTime().block(at).call().await?,
        header_hash: contract.headerHash().block(at).call().await?,
        envelope_digest: contract.envelopeDigest().block(at).call().await?,
        sequence: contract.sequence().block(at).call().await?,
        agent_key: contract.agentKey().block(at).call().await?,
    })
}

/// The most rounds of a feed that one reading takes.
pub const MOST_PRICE_ROUNDS: u64 = 1024;

/// The latest rounds of an aggregator at a block, oldest first, at most `limit` and never more than
/// [`MOST_PRICE_ROUNDS`].
///
/// Rounds are read downward from the latest until one is missing: a feed behind a proxy starts a new phase with a gap.
///
/// # Errors
/// [`ChainError::OutOfRange`] for an answer or time beyond 127 and 64 bits.
pub async fn price_observations(
    chain: &Chain,
    feed: Address,
    limit: u64,
    at: BlockId,
) -> Result<Vec<PriceObservation>, ChainError> {
    let contract = SimulatedFeed::new(feed, chain.provider());
    let newest = match contract.latestRoundData().block(at).call().await {
        Ok(newest) => newest,
        Err(error) if error.as_revert_data().is_some() => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut rounds = vec![observation(newest._0, newest._1, newest._3)?];
    while u64::try_from(rounds.len()).unwrap_or(u64::MAX) < limit.min(MOST_PRICE_ROUNDS) {
        let Some(next) = previous_round(&rounds) else { break };
        match contract.getRoundData(next).block(at).call().await {
            Ok(found) => rounds.push(observation(found._0, found._1, found._3)?),
            Err(error) if error.as_revert_data().is_some() => break,
            Err(error) => return Err(error.into()),
        }
    }
    rounds.reverse();
    Ok(rounds)
}

fn previous_round(rounds: &[PriceObservation]) -> Option<U80> {
    let round = rounds.last()?.round.checked_sub(1).filter(|round| *round > 0)?;
    U80::try_from(round).ok()
}

fn observation(round: U80, answer: alloy::primitives::I256, updated_at: U256) -> Result<PriceObservation, ChainError> {
    let answer_out = |_| ChainError::OutOfRange { field: "price", found: answer.to_string() };
    let time_out = |_| ChainError::OutOfRange { field: "price time", found: updated_at.to_string() };
    Ok(PriceObservation {
        round: round.to(),
        answer: i128::try_from(answer).map_err(answer_out)?,
        updated_at: u64::try_from(updated_at).map_err(time_out)?,
    })
}

/// The decimal places of an aggregator.
///
/// # Errors
/// See [`ChainError`].
pub async fn price_decimals(chain: &Chain, feed: Address, at: BlockId) -> Result<u8, ChainError> {
    Ok(SimulatedFeed::new(feed, chain.provider()).decimals().block(at).call().await?)
}
