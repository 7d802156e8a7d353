//! What happened, as Rust values.

use alloy::{
    primitives::{Address, B256, Bytes, I256, U256},
    providers::Provider,
    rpc::types::{Filter, Log},
    sol_types::SolEventInterface,
};
use serde::{Deserialize, Serialize};

use crate::{
    Chain, ChainError, Deployment, Refusal,
    bindings::{
        CREDarkPool::{self, CREDarkPoolEvents},
        QuorumForwarder::{self, QuorumForwarderEvents},
        ReserveAttestation::{self, ReserveAttestationEvents},
        SimulatedFeed::{self, SimulatedFeedEvents},
    },
};

/// The most blocks that one question to a node spans.
pub(crate) const SPAN: u64 = 2_000;

/// The ranges of blocks to ask for, first and last included.
pub(crate) fn spans(first: u64, last: u64) -> impl Iterator<Item = (u64, u64)> {
    let step = usize::try_from(SPAN).unwrap_or(usize::MAX);
    (first..=last).step_by(step).map(move |from| (from, last.min(from.saturating_add(SPAN - 1))))
}

/// The same from the newest block on, the last range first.
pub(crate) fn spans_back(first: u64, last: u64) -> impl Iterator<Item = (u64, u64)> {
    let next = move |to: u64| to.checked_sub(SPAN).filter(|to| *to >= first);
    let tos = std::iter::successors(Some(last).filter(|last| *last >= first), move |to| next(*to));
    tos.map(move |to| (first.max(to.saturating_sub(SPAN - 1)), to))
}

/// An event of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are named as in the contracts, where they are documented")]
pub enum Event {
    /// Tokens entered the pool's custody.
    Deposited { id: B256, index: u64, from: Address, asset: u32, amount: U256, salt: B256, ciphertext: Bytes },
    /// A maker asked for a payout.
    WithdrawalRequested { id: B256, index: u64, from: Address, salt: B256, ciphertext: Bytes },
    /// A maker promised liquidity under seal.
    StandingOrderSubmitted { id: B256, maker: Address, salt: B256, ciphertext: Bytes },
    /// The reserve asked for collateral under seal.
    CollateralRequested { id: B256, requester: Address, deadline: u64, salt: B256, ciphertext: Bytes },
    /// A request ended.
    Fill { request: B256, success: bool, time: U256 },
    /// The table moved to its next version.
    RoundClosed { version: u64, header_hash: B256 },
    /// A withdrawal was paid.
    WithdrawalPaid { id: B256, to: Address, token: Address, amount: U256 },
    /// An owner left with a proof.
    Exited { account: Address, asset: u32, amount: U256 },
    /// A deposit that no round consumed was taken back.
    DepositReclaimed { index: u64, from: Address, token: Address, amount: U256 },
    /// Rounds have ended for ever.
    RoundsHalted { version: u64, time: U256 },
    /// The reserve changed who may request for it.
    OperatorApproved { operator: Address, approved: bool },
    /// The reserve's status was set.
    ReserveStatus { solvent: bool, time: U256 },
    /// A solvency report was accepted.
    SolvencyReport {
        status: u8,
        block: u64,
        header_hash: B256,
        envelope_digest: B256,
        attestation: B256,
        sequence: u64,
    },
    /// The forwarder handed a report on.
    ReportProcessed { receiver: Address, execution_id: B256, report_id: u16, result: bool },
    /// A receiver refused a report.
    DeliveryReverted { receiver: Address, execution_id: B256, refusal: Refusal },
    /// The feed has a new answer.
    PriceUpdated { round: U256, answer: I256, updated_at: U256 },
}

/// An event with its place on the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// The block.
    pub block: u64,
    /// The log's index in the block.
    pub log_index: u64,
    /// The transaction.
    pub transaction: B256,
    /// The contract.
    pub contract: Address,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// Reads events from a block on, each once.
#[derive(Clone, Debug)]
pub struct Watcher {
    chain: Chain,
    contracts: Watched,
    next_block: u64,
}

#[derive(Clone, Copy, Debug)]
struct Watched {
    forwarder: Address,
    attestation: Address,
    pool: Address,
    feed: Address,
}

impl Watcher {
    /// A watcher that starts at `first_block`.
    #[must_use]
    pub fn new(chain: &Chain, deployment: &Deployment, first_block: u64) -> Self {
        let Deployment { forwarder, attestation, pool, feed, .. } = *deployment;
        let contracts = Watched { forwarder, attestation, pool, feed };
        Self { chain: chain.clone(), contracts, next_block: first_block }
    }

    /// The first block that was not read: where a restarted watcher goes on.
    #[must_use]
    pub const fn next_block(&self) -> u64 {
        self.next_block
    }

    /// Everything new up to the newest final block.
    ///
    /// # Errors
    /// See [`ChainError`]; what was not read is read by the next call.
    pub async fn poll(&mut self) -> Result<Vec<Observed>, ChainError> {
        let last = self.chain.finalised_block().await?.number;
        self.poll_to(last).await
    }

    /// Everything new up to a block.
    ///
    /// # Errors
    /// See [`ChainError`]; what was not read is read by the next call.
    pub async fn poll_to(&mut self, last: u64) -> Result<Vec<Observed>, ChainError> {
        let mut observed = Vec::new();
        for (from, to) in spans(self.next_block, last) {
            observed.extend(self.span(from, to).await?);
        }
        self.next_block = self.next_block.max(last.saturating_add(1));
        Ok(observed)
    }

    async fn span(&self, from: u64, to: u64) -> Result<Vec<Observed>, ChainError> {
        let Watched { forwarder, attestation, pool, feed } = self.contracts;
        let filter = Filter::new().address(vec![forwarder, attestation, pool, feed]).from_block(from).to_block(to);
        let mut logs = self.chain.provider().get_logs(&filter).await?;
        logs.sort_by_key(|log| (log.block_number, log.log_index));
        let observed = logs.iter().map(|log| self.observe(log)).collect::<Result<Vec<_>, _>>()?;
        Ok(observed.into_iter().flatten().collect())
    }

    /// `None` for events that say nothing about money or reports (ownership, configuration).
    pub(crate) fn observe(&self, log: &Log) -> Result<Option<Observed>, ChainError> {
        let contract = log.address();
        let (block, log_index) = (log.block_number.unwrap_or_default(), log.log_index.unwrap_or_default());
        let transaction = log.transaction_hash.unwrap_or_default();
        let event = self.event(log).map_err(|_| ChainError::Event { contract, block, log_index })?;
        Ok(event.map(|event| Observed { block, log_index, transaction, contract, event }))
    }

    fn event(&self, log: &Log) -> Result<Option<Event>, alloy::sol_types::Error> {
        let (raw, contract) = (&log.inner, log.address());
        if contract == self.contracts.pool {
            return CREDarkPoolEvents::decode_log(raw).map(|event| of_pool(event.data));
        }
        if contract == self.contracts.attestation {
            return ReserveAttestationEvents::decode_log(raw).map(|event| Some(of_attestation(event.data)));
        }
        if contract == self.contracts.forwarder {
            return QuorumForwarderEvents::decode_log(raw).map(|event| of_forwarder(event.data));
        }
        SimulatedFeedEvents::decode_log(raw).map(|event| of_feed(event.data))
    }
}

fn of_pool(event: CREDarkPoolEvents) -> Option<Event> {
    let event = match event {
        CREDarkPoolEvents::Deposited(e) => of_deposit(e),
        CREDarkPoolEvents::WithdrawalRequested(e) => of_withdrawal(e),
        CREDarkPoolEvents::StandingOrderSubmitted(e) => of_standing_order(e),
        CREDarkPoolEvents::CollateralRequested(e) => of_request(e),
        CREDarkPoolEvents::DarkPoolFill(e) => {
            Event::Fill { request: e.requestId, success: e.success, time: e.timestamp }
        }
        CREDarkPoolEvents::RoundClosed(e) => Event::RoundClosed { version: e.version, header_hash: e.headerHash },
        CREDarkPoolEvents::WithdrawalPaid(e) => {
            Event::WithdrawalPaid { id: e.id, to: e.to, token: e.token, amount: e.amount }
        }
        CREDarkPoolEvents::Exited(e) => Event::Exited { account: e.account, asset: e.asset, amount: e.amount },
        CREDarkPoolEvents::DepositReclaimed(e) => {
            Event::DepositReclaimed { index: e.index, from: e.from, token: e.token, amount: e.amount }
        }
        CREDarkPoolEvents::RoundsHalted(e) => Event::RoundsHalted { version: e.version, time: e.timestamp },
        CREDarkPoolEvents::OperatorApproved(e) => {
            Event::OperatorApproved { operator: e.operator, approved: e.approved }
        }
        CREDarkPoolEvents::AuthorityUpdated(_) | CREDarkPoolEvents::Paused(_) | CREDarkPoolEvents::Unpaused(_) => {
            return None;
        }
    };
    Some(event)
}

fn of_deposit(e: CREDarkPool::Deposited) -> Event {
    let CREDarkPool::Deposited { id, index, from, asset, amount, salt, ciphertext } = e;
    Event::Deposited { id, index, from, asset, amount, salt, ciphertext }
}

fn of_withdrawal(e: CREDarkPool::WithdrawalRequested) -> Event {
    let CREDarkPool::WithdrawalRequested { id, index, from, salt, ciphertext } = e;
    Event::WithdrawalRequested { id, index, from, salt, ciphertext }
}

fn of_standing_order(e: CREDarkPool::StandingOrderSubmitted) -> Event {
    let CREDarkPool::StandingOrderSubmitted { id, maker, salt, ciphertext } = e;
    Event::StandingOrderSubmitted { id, maker, salt, ciphertext }
}

fn of_request(e: CREDarkPool::CollateralRequested) -> Event {
    let CREDarkPool::CollateralRequested { requestId, requester, deadline, salt, ciphertext } = e;
    Event::CollateralRequested { id: requestId, requester, deadline, salt, ciphertext }
}

fn of_attestation(event: ReserveAttestationEvents) -> Event {
    match event {
        ReserveAttestationEvents::ReserveStatusUpdated(e) => {
            Event::ReserveStatus { solvent: e.isSolvent, time: e.timestamp }
        }
        ReserveAttestationEvents::SolvencyReport(e) => of_solvency(e),
    }
}

fn of_solvency(e: ReserveAttestation::SolvencyReport) -> Event {
    Event::SolvencyReport {
        status: e.status,
        block: e.blockNumber,
        header_hash: e.headerHash,
        envelope_digest: e.envelopeDigest,
        attestation: e.attestation,
        sequence: e.sequence,
    }
}

fn of_forwarder(event: QuorumForwarderEvents) -> Option<Event> {
    match event {
        QuorumForwarderEvents::ReportProcessed(e) => Some(of_processed(&e)),
        QuorumForwarderEvents::DeliveryReverted(e) => Some(of_reverted(e)),
        QuorumForwarderEvents::ConfigSet(_)
        | QuorumForwarderEvents::GroupConfigSet(_)
        | QuorumForwarderEvents::OwnershipTransferStarted(_)
        | QuorumForwarderEvents::OwnershipTransferred(_) => None,
    }
}

fn of_processed(e: &QuorumForwarder::ReportProcessed) -> Event {
    Event::ReportProcessed {
        receiver: e.receiver,
        execution_id: e.workflowExecutionId,
        report_id: u16::from_be_bytes(e.reportId.0),
        result: e.result,
    }
}

fn of_reverted(e: QuorumForwarder::DeliveryReverted) -> Event {
    let refusal = Refusal::decode(e.receiver, e.revertData);
    Event::DeliveryReverted { receiver: e.receiver, execution_id: e.workflowExecutionId, refusal }
}

fn of_feed(event: SimulatedFeedEvents) -> Option<Event> {
    match event {
        SimulatedFeedEvents::AnswerUpdated(SimulatedFeed::AnswerUpdated { current, roundId, updatedAt }) => {
            Some(Event::PriceUpdated { round: roundId, answer: current, updated_at: updatedAt })
        }
        SimulatedFeedEvents::OwnershipTransferred(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_meet_and_miss_no_block_in_either_direction() {
        for (first, last) in [(0, 0), (0, SPAN - 1), (0, SPAN), (7, 7 + SPAN), (5, 3 * SPAN + 4), (9, 8)] {
            for mut ranges in [spans(first, last).collect::<Vec<_>>(), spans_back(first, last).collect()] {
                ranges.sort_unstable();
                let blocks: Vec<u64> = ranges.iter().flat_map(|(from, to)| *from..=*to).collect();
                assert_eq!(blocks, (first..=last).collect::<Vec<_>>(), "{first} to {last}");
                assert!(ranges.iter().all(|(from, to)| to - from < SPAN));
            }
        }
        assert_eq!(spans_back(5, 2 * SPAN).next(), Some((SPAN + 1, 2 * SPAN)), "the newest first");
    }
}
