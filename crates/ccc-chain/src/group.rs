//! The configuration of a group at the forwarder. What it signs is delivered as every report is, by [`submit`](crate::submit).
//!
//! Behind the feature `bls-quorum`. The chain needs the precompiles of EIP-2537; on one without them the forwarder refuses
//! with `PrecompileFailed`, at configuration already.

use alloy::{
    primitives::{Address, Bytes},
    rpc::types::TransactionRequest,
};
use ccc_core::report::group::{GroupSet, GroupSignature};

use crate::{Chain, ChainError, Sent, Wallet, bindings::QuorumForwarder};

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
