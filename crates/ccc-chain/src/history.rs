//! What the reserve was, report by report: the history of `ReserveAttestation` is in its events.

use alloy::{
    primitives::B256,
    providers::Provider,
    rpc::types::{Filter, Log},
    sol_types::SolEvent,
};
use ccc_core::report::Verdict;

use crate::{Chain, ChainError, Deployment, bindings::ReserveAttestation, watch::spans_back};

/// The most ranges of blocks that are asked for, of 2,000 blocks each: 128,000 blocks.
const MOST_SPANS: usize = 64;

/// One accepted report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The block that took it.
    pub block: u64,
    /// That block's time, Unix time.
    pub time: u64,
    /// The transaction that brought it.
    pub transaction: B256,
    /// Its sequence.
    pub sequence: u64,
    /// What it says.
    pub verdict: Verdict,
    /// What the contract answered right after it: solvent, and fresh enough to count.
    pub solvent: bool,
    /// The block that it speaks about.
    pub attested_block: u64,
    /// The table's header hash at that block.
    pub header_hash: B256,
    /// The digest of the enclave's evidence.
    pub attestation: B256,
}

/// Reports, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The reports.
    pub answers: Vec<Answer>,
    /// The first block that was searched.
    pub from: u64,
    /// Whether there is none before them: the deployment's first block was reached.
    pub whole: bool,
}

/// The newest accepted reports up to a block, at most so many, out of at most 128,000 blocks.
///
/// # Errors
/// [`ChainError`]; [`ChainError::Event`] for events that are not the contract's.
pub async fn of_reserve(chain: &Chain, deployment: &Deployment, last: u64, most: usize) -> Result<History, ChainError> {
    let (mut answers, mut searched) = (Vec::new(), last.saturating_add(1));
    for (from, to) in spans_back(deployment.first_block, last).take(MOST_SPANS) {
        if answers.len() >= most {
            break;
        }
        answers.extend(span(chain, deployment, (from, to)).await?.into_iter().rev());
        searched = from;
    }
    let whole = searched <= deployment.first_block && answers.len() <= most;
    answers.truncate(most);
    let from = if whole { searched } else { answers.last().map_or(searched, |oldest| oldest.block.max(searched)) };
    Ok(History { answers, from, whole })
}

/// The reports of a range of blocks, in their order.
async fn span(chain: &Chain, deployment: &Deployment, (from, to): (u64, u64)) -> Result<Vec<Answer>, ChainError> {
    let signatures =
        [ReserveAttestation::SolvencyReport::SIGNATURE_HASH, ReserveAttestation::ReserveStatusUpdated::SIGNATURE_HASH];
    let filter = Filter::new()
        .address(deployment.attestation)
        .event_signature(signatures.to_vec())
        .from_block(from)
        .to_block(to);
    let mut logs = chain.provider().get_logs(&filter).await?;
    logs.sort_by_key(|log| (log.block_number, log.log_index));
    // the contract writes the two events of a report one after the other
    logs.chunks(2).map(|pair| answer(pair).ok_or_else(|| unreadable(pair))).collect()
}

fn answer(pair: &[Log]) -> Option<Answer> {
    let [report, status] = pair else { return None };
    let (transaction, block) = (report.transaction_hash?, report.block_number?);
    let next = report.log_index?.checked_add(1)?;
    if (status.transaction_hash, status.log_index, status.block_number) != (Some(transaction), Some(next), Some(block))
    {
        return None;
    }
    let report = ReserveAttestation::SolvencyReport::decode_log(&report.inner).ok()?;
    let status = ReserveAttestation::ReserveStatusUpdated::decode_log(&status.inner).ok()?;
    Some(Answer {
        block,
        time: status.timestamp.try_into().ok()?,
        transaction,
        sequence: report.sequence,
        verdict: Verdict::try_from(report.status).ok()?,
        solvent: status.isSolvent,
        attested_block: report.blockNumber,
        header_hash: report.headerHash,
        attestation: report.attestation,
    })
}

fn unreadable(pair: &[Log]) -> ChainError {
    let first = pair.first();
    let place = |number: fn(&Log) -> Option<u64>| first.and_then(number).unwrap_or_default();
    ChainError::Event {
        contract: first.map(Log::address).unwrap_or_default(),
        block: place(|log| log.block_number),
        log_index: place(|log| log.log_index),
    }
}
