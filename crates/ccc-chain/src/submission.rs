//! What became of something that was submitted to the pool under an id, as far as the chain knows it.

use alloy::{
    consensus::Transaction as _,
    eips::BlockId,
    primitives::{Address, B256},
    providers::Provider,
    rpc::types::Filter,
    sol_types::{SolCall, SolEvent},
};
use ccc_core::report::{Report, Round, Statement};

use crate::{
    Chain, ChainError, Deployment,
    bindings::{CREDarkPool, QuorumForwarder},
    read::BlockRef,
    watch::{Event, Observed, Watcher, spans},
};

/// A version of the table as the chain saw it made.
#[derive(Clone, Debug)]
pub struct Closed {
    /// Its number.
    pub version: u64,
    /// The hash of its header.
    pub header_hash: B256,
    /// The block in which it was accepted.
    pub block: u64,
    /// What its report says; nothing where the delivery's calldata is not the forwarder's.
    pub round: Option<Round>,
}

/// The event with which the pool took a deposit, a withdrawal request, a sealed submission or a collateral request under
/// an id.
///
/// # Errors
/// See [`ChainError`].
pub async fn find(chain: &Chain, deployment: &Deployment, id: B256) -> Result<Option<Observed>, ChainError> {
    let signatures = vec![
        CREDarkPool::Deposited::SIGNATURE_HASH,
        CREDarkPool::WithdrawalRequested::SIGNATURE_HASH,
        CREDarkPool::StandingOrderSubmitted::SIGNATURE_HASH,
        CREDarkPool::CollateralRequested::SIGNATURE_HASH,
    ];
    let filter = Filter::new().event_signature(signatures).topic1(id);
    Ok(observed(chain, deployment, deployment.first_block, filter).await?.into_iter().next())
}

/// The payout of a withdrawal, where it was made.
///
/// # Errors
/// See [`ChainError`].
pub async fn payout(chain: &Chain, deployment: &Deployment, id: B256) -> Result<Option<Observed>, ChainError> {
    let filter = Filter::new().event_signature(CREDarkPool::WithdrawalPaid::SIGNATURE_HASH).topic1(id);
    Ok(observed(chain, deployment, deployment.first_block, filter).await?.into_iter().next())
}

/// The versions of the table that were made from a block on, with what their reports say.
///
/// # Errors
/// See [`ChainError`].
pub async fn closed_since(chain: &Chain, deployment: &Deployment, first: u64) -> Result<Vec<Closed>, ChainError> {
    let filter = Filter::new().event_signature(CREDarkPool::RoundClosed::SIGNATURE_HASH);
    let mut found = Vec::new();
    for event in observed(chain, deployment, first, filter).await? {
        if let Event::RoundClosed { version, header_hash } = event.event {
            let round = reported(chain, deployment.forwarder, event.transaction, header_hash).await?;
            found.push(Closed { version, header_hash, block: event.block, round });
        }
    }
    Ok(found)
}

/// Whether the pool ever made this header the one of this version.
///
/// # Errors
/// See [`ChainError`].
pub async fn was_closed(
    chain: &Chain,
    deployment: &Deployment,
    version: u64,
    header_hash: B256,
) -> Result<bool, ChainError> {
    let topic = B256::from(alloy::primitives::U256::from(version));
    let filter = Filter::new().event_signature(CREDarkPool::RoundClosed::SIGNATURE_HASH).topic1(topic);
    let found = observed(chain, deployment, deployment.first_block, filter).await?;
    Ok(found.iter().any(|event| event.event == Event::RoundClosed { version, header_hash }))
}

/// When owners may leave: no round closes for this long after the last one. Unix time.
///
/// # Errors
/// See [`ChainError`].
pub async fn exit_opens(chain: &Chain, pool: Address, at: BlockRef) -> Result<u64, ChainError> {
    let contract = CREDarkPool::new(pool, chain.provider());
    let last = contract.lastRound().block(at.id()).call().await?;
    Ok(last.saturating_add(contract.exitDelay().block(at.id()).call().await?))
}

/// Whether the deposit with this index was taken back.
///
/// # Errors
/// See [`ChainError`].
pub async fn is_reclaimed(chain: &Chain, pool: Address, index: u64, at: BlockId) -> Result<bool, ChainError> {
    Ok(CREDarkPool::new(pool, chain.provider()).reclaimed(index).block(at).call().await?)
}

/// Whether an account has left with an asset.
///
/// # Errors
/// See [`ChainError`].
pub async fn has_left(
    chain: &Chain,
    pool: Address,
    account: Address,
    asset: u32,
    at: BlockId,
) -> Result<bool, ChainError> {
    Ok(CREDarkPool::new(pool, chain.provider()).exited(account, asset).block(at).call().await?)
}

/// The pool's events that a filter selects, in the chain's order.
async fn observed(
    chain: &Chain,
    deployment: &Deployment,
    first: u64,
    filter: Filter,
) -> Result<Vec<Observed>, ChainError> {
    let watcher = Watcher::new(chain, deployment, first);
    let last = chain.block(BlockId::latest()).await?.number;
    let mut found = Vec::new();
    for (from, to) in spans(first, last) {
        let filter = filter.clone().address(deployment.pool).from_block(from).to_block(to);
        for log in chain.provider().get_logs(&filter).await? {
            found.extend(watcher.observe(&log)?);
        }
    }
    Ok(found)
}

/// What the report says that a transaction delivered, if it made the version with this header.
async fn reported(
    chain: &Chain,
    forwarder: Address,
    transaction: B256,
    header_hash: B256,
) -> Result<Option<Round>, ChainError> {
    let report = report_of(chain, forwarder, transaction).await?;
    Ok(report.and_then(|report| match report.payload().statement {
        Statement::Round(round) if round.header_hash == header_hash.0 => Some(round),
        _ => None,
    }))
}

/// The report in a delivery's calldata; nothing where the calldata is not the forwarder's.
///
/// *Security*: another contract's calldata proves nothing: it may have handed on something else. What is read here is
/// held against the execution identifiers that the pool accepted.
///
/// # Errors
/// See [`ChainError`].
pub async fn report_of(chain: &Chain, forwarder: Address, transaction: B256) -> Result<Option<Report>, ChainError> {
    let Some(sent) = chain.provider().get_transaction_by_hash(transaction).await? else { return Ok(None) };
    if sent.to() != Some(forwarder) {
        return Ok(None);
    }
    let Ok(call) = QuorumForwarder::reportCall::abi_decode(sent.input()) else { return Ok(None) };
    Ok(Report::from_raw(&call.rawReport).ok())
}
