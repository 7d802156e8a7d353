//! Delivering signed reports.

use alloy::{
    primitives::{Address, B256, Bytes, TxHash},
    rpc::types::{Log, TransactionRequest},
    sol_types::SolEvent,
};
use ccc_core::report::SignedReport;

use crate::{
    Chain, ChainError, Refusal, Sent, Wallet,
    bindings::{QuorumForwarder, ReserveAttestation},
    embedded::TRANSACTION_GAS_CAP,
    submitter::{self, Policy, Submission, SystemClock},
};

/// What the forwarder keeps back for itself, and for the receiver's probe.
const FORWARDER_GAS: u64 = 250_000;

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
}

/// Asks forwarder and receiver whether they would accept the report now.
///
/// # Errors
/// [`ChainError::Refused`] by the one that would not; the forwarder is asked first.
pub async fn check(
    chain: &Chain,
    sender: Address,
    forwarder: Address,
    signed: &SignedReport,
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
    signed: &SignedReport,
) -> Result<Option<Address>, ChainError> {
    let header = signed.report().header();
    let (execution_id, report_id) = (header.execution_id.into(), header.report_id.into());
    let contract = QuorumForwarder::new(forwarder, chain.provider());
    let info = contract.getTransmissionInfo(receiver_of(signed), execution_id, report_id).call().await?;
    Ok(info.success.then_some(info.transmitter))
}

/// Checks the report and delivers it. A node that is away for a while is waited for, in both.
///
/// # Errors
/// [`ChainError::Refused`] with the forwarder's or the receiver's reason; nothing changed on the chain. When the receiver
/// refused in the block itself, [`ChainError::RefusedInBlock`]: then the delivery may be repeated by anyone.
pub async fn deliver(
    chain: &Chain,
    wallet: &Wallet,
    forwarder: Address,
    signed: &SignedReport,
) -> Result<Delivery, ChainError> {
    let (policy, clock) = (Policy::of(chain), SystemClock::start());
    submitter::patiently(&policy, &clock, async || check(chain, wallet.address(), forwarder, signed).await).await?;
    deliver_unchecked(chain, wallet, forwarder, signed).await
}

/// Delivers the report without asking whether it would be accepted, through the [`submitter`] and with
/// the policy that suits the chain.
///
/// # Errors
/// As [`deliver`]. A receiver's refusal is read from the forwarder's event, which keeps 256 bytes of it. A report that was
/// delivered before is refused by the forwarder.
pub async fn deliver_unchecked(
    chain: &Chain,
    wallet: &Wallet,
    forwarder: Address,
    signed: &SignedReport,
) -> Result<Delivery, ChainError> {
    let (policy, clock) = (Policy::of(chain), SystemClock::start());
    match submitter::deliver(chain, wallet, forwarder, signed, &policy, &clock).await? {
        Submission::Delivered(submitted) => Ok(submitted.delivery),
        Submission::Before { transmitter } => {
            chain.simulate(&report_request(chain, forwarder, signed).from(wallet.address())).await?;
            Err(ChainError::DeliveredBefore { transmitter })
        }
    }
}

/// The forwarder succeeds even when too little gas is left for the receiver, so its estimate alone would starve the
/// receiver: both estimates are added.
pub(crate) async fn delivery_gas(
    chain: &Chain,
    sender: Address,
    forwarder: Address,
    signed: &SignedReport,
) -> Result<u64, ChainError> {
    let outer = chain.estimate(&report_request(chain, forwarder, signed).from(sender)).await?;
    let inner = match chain.estimate(&on_report_request(chain, forwarder, signed)).await {
        Err(ChainError::Refused(_)) => 0,
        other => other?,
    };
    let sum = outer.saturating_add(inner).saturating_add(inner / 4);
    Ok(sum.saturating_add(FORWARDER_GAS).min(TRANSACTION_GAS_CAP))
}

pub(crate) fn receiver_of(signed: &SignedReport) -> Address {
    Address::from(signed.report().payload().binding.receiver)
}

pub(crate) fn report_request(chain: &Chain, forwarder: Address, signed: &SignedReport) -> TransactionRequest {
    let signatures = signed.signatures().iter().map(|s| Bytes::copy_from_slice(&s.to_bytes())).collect();
    let raw = Bytes::from(signed.report().raw());
    let context = Bytes::copy_from_slice(&signed.context().to_bytes());
    QuorumForwarder::new(forwarder, chain.provider())
        .report(receiver_of(signed), raw, context, signatures)
        .into_transaction_request()
}

/// The call that the forwarder makes; every receiver has the same.
fn on_report_request(chain: &Chain, forwarder: Address, signed: &SignedReport) -> TransactionRequest {
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
    signed: &SignedReport,
    sent: Sent,
) -> Result<Delivery, ChainError> {
    let execution_id = B256::from(signed.report().header().execution_id);
    let own = sent.logs.iter().filter(|log| log.address() == forwarder);
    let own: Vec<&Log> = own.filter(|log| log.topics().get(2) == Some(&execution_id)).collect();
    let processed = own.iter().find_map(|log| QuorumForwarder::ReportProcessed::decode_log(&log.inner).ok());
    let Some(processed) = processed else {
        return Err(ChainError::NotDelivered { transaction: sent.transaction });
    };
    if !processed.result {
        return Err(match reason(receiver_of(signed), &own) {
            Some(refusal) => ChainError::RefusedInBlock {
                refusal: Box::new(refusal),
                transaction: sent.transaction,
                block: sent.block,
            },
            None => unexplained(chain, forwarder, signed, sent.transaction).await?,
        });
    }
    let Sent { transaction, block, gas_used, logs, .. } = sent;
    Ok(Delivery { transaction, block, gas_used, execution_id, logs })
}

fn reason(receiver: Address, logs: &[&Log]) -> Option<Refusal> {
    let reverted = logs.iter().find_map(|log| QuorumForwarder::DeliveryReverted::decode_log(&log.inner).ok());
    reverted.map(|event| Refusal::decode(receiver, event.data.revertData))
}

/// Chainlink's own forwarder keeps no reason; it does tell a contract that takes no reports from one that refused.
async fn unexplained(
    chain: &Chain,
    forwarder: Address,
    signed: &SignedReport,
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
