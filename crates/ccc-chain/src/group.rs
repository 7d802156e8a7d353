//! Reports that a group signed with one BLS signature: its configuration at the forwarder, and delivery.
//!
//! Behind the feature `bls-quorum`. The chain needs the precompiles of EIP-2537; on one without them the forwarder refuses
//! with `PrecompileFailed`, at configuration already.

use alloy::{
    primitives::{Address, B256, Bytes},
    rpc::types::TransactionRequest,
    sol_types::SolEvent,
};
use ccc_core::report::group::{GroupReport, GroupSet, GroupSignature};

use crate::{
    Chain, ChainError, Delivery, Refusal, Sent, Wallet,
    bindings::{QuorumForwarder, ReserveAttestation},
    embedded::TRANSACTION_GAS_CAP,
};

/// What the forwarder keeps back for itself, and for the receiver's probe.
const FORWARDER_GAS: u64 = 250_000;

/// Puts a group's key into the forwarder, in place of what the committee's number and version had.
///
/// # Errors
/// [`ChainError::Refused`]: not the owner; a possession that the group did not sign for this chain, forwarder and set.
pub async fn configure(
    chain: &Chain,
    owner: &Wallet,
    forwarder: Address,
    set: &GroupSet,
    possession: &GroupSignature,
) -> Result<Sent, ChainError> {
    let call = configuration(chain, forwarder, set, possession);
    chain.simulate(&call.clone().from(owner.address())).await?;
    chain.send(owner, call).await
}

/// The call that [`configure`] sends, for an owner that is a contract.
#[must_use]
pub fn configuration(
    chain: &Chain,
    forwarder: Address,
    set: &GroupSet,
    possession: &GroupSignature,
) -> TransactionRequest {
    let GroupSet { don_id, config_version, f, participants, key } = *set;
    let key = Bytes::copy_from_slice(&key.to_eip2537());
    let possession = Bytes::copy_from_slice(&possession.to_eip2537());
    QuorumForwarder::new(forwarder, chain.provider())
        .setGroupConfig(don_id, config_version, f, participants, key, possession)
        .into_transaction_request()
}

/// Asks forwarder and receiver, and delivers the report.
///
/// # Errors
/// [`ChainError::Refused`] with the forwarder's or the receiver's reason; as [`deliver`](crate::submit::deliver).
pub async fn deliver(
    chain: &Chain,
    wallet: &Wallet,
    forwarder: Address,
    signed: &GroupReport,
) -> Result<Delivery, ChainError> {
    let (report, inner) = (report_request(chain, forwarder, signed), on_report_request(chain, forwarder, signed));
    chain.simulate(&report.clone().from(wallet.address())).await?;
    chain.simulate(&inner).await?;
    let (outer, inner) = (chain.estimate(&report.clone().from(wallet.address())).await?, chain.estimate(&inner).await?);
    let gas = outer.saturating_add(inner).saturating_add(inner / 4).saturating_add(FORWARDER_GAS);
    let sent = chain.send(wallet, report.gas_limit(gas.min(TRANSACTION_GAS_CAP))).await?;
    outcome(forwarder, signed, sent)
}

fn receiver_of(signed: &GroupReport) -> Address {
    Address::from(signed.report().payload().binding.receiver)
}

fn report_request(chain: &Chain, forwarder: Address, signed: &GroupReport) -> TransactionRequest {
    let signature = Bytes::copy_from_slice(&signed.signature().to_eip2537());
    let raw = Bytes::from(signed.report().raw());
    let context = Bytes::copy_from_slice(&signed.context().to_bytes());
    QuorumForwarder::new(forwarder, chain.provider())
        .report(receiver_of(signed), raw, context, vec![signature])
        .into_transaction_request()
}

/// The call that the forwarder makes; every receiver has the same.
fn on_report_request(chain: &Chain, forwarder: Address, signed: &GroupReport) -> TransactionRequest {
    let metadata = Bytes::copy_from_slice(&signed.report().header().metadata());
    let payload = Bytes::from(signed.report().payload().to_bytes());
    ReserveAttestation::new(receiver_of(signed), chain.provider())
        .onReport(metadata, payload)
        .into_transaction_request()
        .from(forwarder)
}

fn outcome(forwarder: Address, signed: &GroupReport, sent: Sent) -> Result<Delivery, ChainError> {
    let (receiver, execution_id) = (receiver_of(signed), B256::from(signed.report().header().execution_id));
    let own = sent.logs.iter().filter(|log| log.address() == forwarder);
    let own: Vec<_> = own.filter(|log| log.topics().get(2) == Some(&execution_id)).collect();
    let accepted = own.iter().find_map(|log| QuorumForwarder::ReportProcessed::decode_log(&log.inner).ok());
    let reverted = own.iter().find_map(|log| QuorumForwarder::DeliveryReverted::decode_log(&log.inner).ok());
    let Sent { transaction, block, gas_used, .. } = sent;
    match (accepted.map(|event| event.result), reverted) {
        (Some(true), _) => Ok(Delivery { transaction, block, gas_used, execution_id, logs: sent.logs }),
        (_, Some(event)) => Err(ChainError::Refused(Box::new(Refusal::decode(receiver, event.data.revertData)))),
        (Some(false), None) => Err(ChainError::InvalidReceiver { receiver }),
        (None, None) => Err(ChainError::NotDelivered { transaction }),
    }
}
