//! Delivering signed reports: those of several signers, and with the feature `bls-quorum` those of a group.

use alloy::{
    primitives::{Address, B256, Bytes, TxHash},
    providers::Provider,
    rpc::types::{Filter, Log, TransactionReceipt, TransactionRequest},
    sol_types::SolEvent,
};
#[cfg(feature = "bls-quorum")]
use ccc_core::report::group::GroupReport;
use ccc_core::report::{Report, ReportContext, SignedReport};

use crate::{
    Chain, ChainError, Refusal, Sent, Wallet,
    bindings::{QuorumForwarder, ReserveAttestation},
    embedded::TRANSACTION_GAS_CAP,
    submitter::{self, Policy, Submission, SystemClock, machine::Landed, patiently},
    watch::SPAN,
};

/// What the forwarder keeps back for itself, and for the receiver's probe.
const FORWARDER_GAS: u64 = 250_000;

/// How many spans of blocks are searched for a delivery of before.
const MOST_SPANS: u32 = 64;

/// A report with what the forwarder checks of its quorum.
pub trait QuorumReport: Sync {
    /// The report.
    fn report(&self) -> &Report;
    /// The context under which it was signed.
    fn context(&self) -> &ReportContext;
    /// The signatures as the forwarder takes them: f + 1 of 65 bytes, or one of 256 by a group.
    fn proof(&self) -> Vec<Bytes>;
}

impl QuorumReport for SignedReport {
    fn report(&self) -> &Report {
        self.report()
    }

    fn context(&self) -> &ReportContext {
        self.context()
    }

    fn proof(&self) -> Vec<Bytes> {
        self.signatures().iter().map(|signature| Bytes::copy_from_slice(&signature.to_bytes())).collect()
    }
}

#[cfg(feature = "bls-quorum")]
impl QuorumReport for GroupReport {
    fn report(&self) -> &Report {
        self.report()
    }

    fn context(&self) -> &ReportContext {
        self.context()
    }

    fn proof(&self) -> Vec<Bytes> {
        vec![Bytes::copy_from_slice(&self.signature().to_eip2537())]
    }
}

/// A report that its receiver accepted.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The transaction.
    pub transaction: TxHash,
    /// The block that holds it.
    pub block: u64,
    /// The gas it used.
    pub gas_used: u64,
    /// The report's execution id.
    pub execution_id: B256,
    /// The receiver's events and the forwarder's.
    pub logs: Vec<Log>,
    /// Whose transaction brought it.
    pub transmitter: Address,
}

/// Asks forwarder and receiver whether they would accept the report now.
///
/// # Errors
/// [`ChainError::Refused`] by the one that would not; the forwarder is asked first.
pub async fn check(
    chain: &Chain,
    sender: Address,
    forwarder: Address,
    signed: &dyn QuorumReport,
) -> Result<(), ChainError> {
    chain.simulate(&report_request(chain, forwarder, signed).from(sender)).await?;
    chain.simulate(&on_report_request(chain, forwarder, signed)).await?;
    Ok(())
}

/// Who delivered the report already, if its receiver accepted it.
///
/// # Errors
/// See [`ChainError`].
pub async fn delivered(
    chain: &Chain,
    forwarder: Address,
    signed: &dyn QuorumReport,
) -> Result<Option<Address>, ChainError> {
    let header = signed.report().header();
    let (execution_id, report_id) = (header.execution_id.into(), header.report_id.into());
    let contract = QuorumForwarder::new(forwarder, chain.provider());
    let info = contract.getTransmissionInfo(receiver_of(signed), execution_id, report_id).call().await?;
    Ok(info.success.then_some(info.transmitter))
}

/// Checks the report and delivers it. A node that is away for a while is waited for, in both. A report that somebody
/// delivered before is done: that delivery is the answer.
///
/// # Errors
/// [`ChainError::Refused`] with the forwarder's or the receiver's reason; nothing changed on the chain. When the receiver
/// refused in the block itself, [`ChainError::RefusedInBlock`]: then the delivery may be repeated by anyone. Where the
/// report is there and its transaction is not found in 128,000 blocks, [`ChainError::DeliveredBefore`].
pub async fn deliver(
    chain: &Chain,
    wallet: &Wallet,
    forwarder: Address,
    signed: &dyn QuorumReport,
) -> Result<Delivery, ChainError> {
    let (policy, clock) = (Policy::of(chain), SystemClock::start());
    let checked = patiently(&policy, &clock, async || check(chain, wallet.address(), forwarder, signed).await).await;
    if let Err(error) = checked {
        // what the forwarder has it refuses; so may the receiver what it took in between
        let ask = async || delivered(chain, forwarder, signed).await;
        let before = error.refusal().is_some() && patiently(&policy, &clock, ask).await?.is_some();
        return if before { found_before(chain, forwarder, signed, &policy, &clock).await } else { Err(error) };
    }
    deliver_unchecked(chain, wallet, forwarder, signed).await
}

/// Delivers the report without asking whether it would be accepted, through the [`submitter`] and with
/// the policy that suits the chain.
///
/// # Errors
/// As [`deliver`]. A receiver's refusal is read from the forwarder's event, which keeps 256 bytes of it.
pub async fn deliver_unchecked(
    chain: &Chain,
    wallet: &Wallet,
    forwarder: Address,
    signed: &dyn QuorumReport,
) -> Result<Delivery, ChainError> {
    let (policy, clock) = (Policy::of(chain), SystemClock::start());
    match submitter::deliver(chain, wallet, forwarder, signed, &policy, &clock).await? {
        Submission::Delivered(submitted) => Ok(submitted.delivery),
        Submission::Before { .. } => found_before(chain, forwarder, signed, &policy, &clock).await,
    }
}

/// As [`delivered_before`], of a node that may be away, or between two blocks.
async fn found_before(
    chain: &Chain,
    forwarder: Address,
    signed: &dyn QuorumReport,
    policy: &Policy,
    clock: &SystemClock,
) -> Result<Delivery, ChainError> {
    patiently(policy, clock, async || delivered_before(chain, forwarder, signed).await).await
}

/// The delivery of a report that the forwarder says it has, by whomever, from the newest block backwards.
///
/// # Errors
/// [`ChainError::DeliveredBefore`] where it lies further back than 128,000 blocks; a report that nobody delivered.
pub async fn delivered_before(
    chain: &Chain,
    forwarder: Address,
    signed: &dyn QuorumReport,
) -> Result<Delivery, ChainError> {
    let missing = || ChainError::NoBlock { block: format!("of the delivery of {}", execution_id(signed)) };
    let transmitter = delivered(chain, forwarder, signed).await?.ok_or_else(missing)?;
    let mut last = chain.provider().get_block_number().await?;
    for _ in 0..MOST_SPANS {
        let first = last.saturating_sub(SPAN - 1);
        let filter = deliveries(forwarder, signed).from_block(first).to_block(last);
        if let Some(landed) = landed(chain, &filter).await? {
            let receipt = chain.provider().get_transaction_receipt(landed.transaction).await?.ok_or_else(missing)?;
            return outcome(chain, forwarder, signed, sent_of(&receipt, landed), transmitter).await;
        }
        let Some(next) = first.checked_sub(1) else { break };
        last = next;
    }
    Err(ChainError::DeliveredBefore { transmitter })
}

fn execution_id(signed: &dyn QuorumReport) -> B256 {
    B256::from(signed.report().header().execution_id)
}

/// The forwarder's events about a report.
pub(crate) fn deliveries(forwarder: Address, signed: &dyn QuorumReport) -> Filter {
    let filter = Filter::new().address(forwarder).event_signature(QuorumForwarder::ReportProcessed::SIGNATURE_HASH);
    let filter = filter.topic1(receiver_of(signed)).topic2(execution_id(signed));
    filter.topic3(B256::right_padding_from(&signed.report().header().report_id))
}

/// The delivery that succeeded, of those that the filter selects.
pub(crate) async fn landed(chain: &Chain, filter: &Filter) -> Result<Option<Landed>, ChainError> {
    let logs = chain.provider().get_logs(filter).await?;
    Ok(logs.iter().find_map(|log| {
        let event = QuorumForwarder::ReportProcessed::decode_log(&log.inner).ok()?;
        let (transaction, block) = (log.transaction_hash?, log.block_number?);
        event.result.then_some(Landed { transaction, block })
    }))
}

pub(crate) fn sent_of(receipt: &TransactionReceipt, landed: Landed) -> Sent {
    Sent {
        transaction: landed.transaction,
        block: landed.block,
        gas_used: receipt.gas_used,
        logs: receipt.inner.logs().to_vec(),
        contract: None,
    }
}

/// The forwarder succeeds even when too little gas is left for the receiver, so its estimate alone would starve the
/// receiver: both estimates are added.
pub(crate) async fn delivery_gas(
    chain: &Chain,
    sender: Address,
    forwarder: Address,
    signed: &dyn QuorumReport,
) -> Result<u64, ChainError> {
    let outer = chain.estimate(&report_request(chain, forwarder, signed).from(sender)).await?;
    let inner = match chain.estimate(&on_report_request(chain, forwarder, signed)).await {
        Err(ChainError::Refused(_)) => 0,
        other => other?,
    };
    let sum = outer.saturating_add(inner).saturating_add(inner / 4);
    Ok(sum.saturating_add(FORWARDER_GAS).min(TRANSACTION_GAS_CAP))
}

pub(crate) fn receiver_of(signed: &dyn QuorumReport) -> Address {
    Address::from(signed.report().payload().binding.receiver)
}

pub(crate) fn report_request(chain: &Chain, forwarder: Address, signed: &dyn QuorumReport) -> TransactionRequest {
    let raw = Bytes::from(signed.report().raw());
    let context = Bytes::copy_from_slice(&signed.context().to_bytes());
    QuorumForwarder::new(forwarder, chain.provider())
        .report(receiver_of(signed), raw, context, signed.proof())
        .into_transaction_request()
}

/// The call that the forwarder makes; every receiver has the same.
fn on_report_request(chain: &Chain, forwarder: Address, signed: &dyn QuorumReport) -> TransactionRequest {
    let metadata = Bytes::copy_from_slice(&signed.report().header().metadata());
    let payload = Bytes::from(signed.report().payload().to_bytes());
    ReserveAttestation::new(receiver_of(signed), chain.provider())
        .onReport(metadata, payload)
        .into_transaction_request()
        .from(forwarder)
}

pub(crate) async fn outcome(
    chain: &Chain,
    forwarder: Address,
    signed: &dyn QuorumReport,
    sent: Sent,
    transmitter: Address,
) -> Result<Delivery, ChainError> {
    match Heard::of(&About::of(forwarder, signed), &sent.logs) {
        Heard::Accepted => {}
        Heard::Nothing => return Err(ChainError::NotDelivered { transaction: sent.transaction }),
        Heard::Refused(Some(refusal)) => {
            return Err(ChainError::RefusedInBlock { refusal, transaction: sent.transaction, block: sent.block });
        }
        Heard::Refused(None) => return Err(unexplained(chain, forwarder, signed, sent.transaction).await?),
    }
    let Sent { transaction, block, gas_used, logs, .. } = sent;
    Ok(Delivery { transaction, block, gas_used, execution_id: execution_id(signed), logs, transmitter })
}

/// What the forwarder's events name a report by.
struct About {
    forwarder: Address,
    receiver: Address,
    execution_id: B256,
    report_id: B256,
}

impl About {
    fn of(forwarder: Address, signed: &dyn QuorumReport) -> Self {
        let report_id = B256::right_padding_from(&signed.report().header().report_id);
        Self { forwarder, receiver: receiver_of(signed), execution_id: execution_id(signed), report_id }
    }

    fn names(&self, log: &Log) -> bool {
        let topics = log.topics();
        let (receiver, id) = (self.receiver.into_word(), self.execution_id);
        log.address() == self.forwarder && topics.get(1) == Some(&receiver) && topics.get(2) == Some(&id)
    }
}

/// What a transaction's events say of a report.
#[derive(Debug)]
enum Heard {
    /// Its receiver took it.
    Accepted,
    /// Its receiver refused it, with the reason where the forwarder keeps one.
    Refused(Option<Box<Refusal>>),
    /// It is not in there.
    Nothing,
}

impl Heard {
    /// *Security*: who sends a transaction chooses what else happens in it. The same report to another receiver, and an
    /// attempt that failed before the one that did not, say nothing.
    fn of(about: &About, logs: &[Log]) -> Self {
        let named: Vec<&Log> = logs.iter().filter(|log| about.names(log)).collect();
        let event = |log: &&Log| QuorumForwarder::ReportProcessed::decode_log(&log.inner).ok();
        let processed = named.iter().filter(|log| log.topics().get(3) == Some(&about.report_id)).filter_map(event);
        match processed.map(|event| event.result).reduce(|one, other| one || other) {
            Some(true) => Self::Accepted,
            Some(false) => Self::Refused(reason(about.receiver, &named).map(Box::new)),
            None => Self::Nothing,
        }
    }
}

fn reason(receiver: Address, logs: &[&Log]) -> Option<Refusal> {
    let reverted = logs.iter().find_map(|log| QuorumForwarder::DeliveryReverted::decode_log(&log.inner).ok());
    reverted.map(|event| Refusal::decode(receiver, event.data.revertData))
}

/// Chainlink's own forwarder keeps no reason; it does tell a contract that takes no reports from one that refused.
async fn unexplained(
    chain: &Chain,
    forwarder: Address,
    signed: &dyn QuorumReport,
    transaction: TxHash,
) -> Result<ChainError, ChainError> {
    let (receiver, header) = (receiver_of(signed), signed.report().header());
    let (execution_id, report_id) = (header.execution_id.into(), header.report_id.into());
    let contract = QuorumForwarder::new(forwarder, chain.provider());
    let info = contract.getTransmissionInfo(receiver, execution_id, report_id).call().await?;
    Ok(match info.invalidReceiver {
        true => ChainError::InvalidReceiver { receiver },
        false => ChainError::DeliveryFailed { receiver, transaction },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORWARDER: Address = Address::repeat_byte(1);
    const RECEIVER: Address = Address::repeat_byte(2);
    const EXECUTION: B256 = B256::repeat_byte(3);
    const REPORT: B256 = B256::repeat_byte(4);

    fn log(address: Address, event: &impl SolEvent) -> Log {
        let inner = alloy::primitives::Log { address, data: event.encode_log_data() };
        Log { inner, ..Log::default() }
    }

    fn processed(receiver: Address, report: B256, result: bool) -> Log {
        let (head, _) = report.split_at(2);
        let report_id = head.try_into().expect("two bytes");
        let id = EXECUTION;
        let event = QuorumForwarder::ReportProcessed { receiver, workflowExecutionId: id, reportId: report_id, result };
        log(FORWARDER, &event)
    }

    fn reverted(receiver: Address) -> Log {
        let data = Bytes::from_static(b"words of an attacker");
        let event = QuorumForwarder::DeliveryReverted { receiver, workflowExecutionId: EXECUTION, revertData: data };
        log(FORWARDER, &event)
    }

    /// In one transaction: the report to a contract that refuses it with chosen words, and then to its receiver.
    #[test]
    fn what_else_a_transaction_does_with_a_report_says_nothing_of_it() {
        let report_id = B256::right_padding_from(&[4, 4]);
        let about = About { forwarder: FORWARDER, receiver: RECEIVER, execution_id: EXECUTION, report_id };
        let mine = |result| processed(RECEIVER, REPORT, result);
        let other = Address::repeat_byte(9);
        let elsewhere = [reverted(other), processed(other, REPORT, false), mine(true)];
        assert!(matches!(Heard::of(&about, &elsewhere), Heard::Accepted));
        let twice = [reverted(RECEIVER), mine(false), mine(true)];
        assert!(matches!(Heard::of(&about, &twice), Heard::Accepted));
        let refused = [reverted(RECEIVER), mine(false)];
        assert!(matches!(Heard::of(&about, &refused), Heard::Refused(Some(refusal)) if refusal.by == RECEIVER));
        let chosen = [reverted(other), processed(other, REPORT, true), mine(false)];
        assert!(matches!(Heard::of(&about, &chosen), Heard::Refused(None)));
        for logs in [vec![], vec![processed(other, REPORT, true)], vec![processed(RECEIVER, EXECUTION, true)]] {
            assert!(matches!(Heard::of(&about, &logs), Heard::Nothing), "{logs:?}");
        }
    }
}
