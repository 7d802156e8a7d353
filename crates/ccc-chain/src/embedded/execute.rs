//! Running one message in revm.

use alloy::{
    consensus::{Transaction as _, TxEnvelope},
    primitives::{Address, B256, TxKind, U256},
    rpc::types::TransactionRequest,
};
use revm::{
    Context, ExecuteEvm, MainBuilder, MainContext,
    context::{
        BlockEnv, CfgEnv, TxEnv,
        result::{ExecutionResult, ResultAndState},
    },
    database_interface::WrapDatabaseRef,
    primitives::hardfork::SpecId,
};

use super::{
    BLOCK_GAS_LIMIT, TRANSACTION_GAS_CAP,
    fault::{Answer, invalid, rejected},
    state::State,
};

/// The rules of the embedded chain.
const RULES: SpecId = SpecId::OSAKA;

/// The block that a message runs in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) chain_id: u64,
    pub(super) number: u64,
    pub(super) timestamp: u64,
    pub(super) base_fee: u64,
}

impl Place {
    fn block_env(&self) -> BlockEnv {
        BlockEnv {
            number: U256::from(self.number),
            timestamp: U256::from(self.timestamp),
            gas_limit: BLOCK_GAS_LIMIT,
            basefee: self.base_fee,
            prevrandao: Some(B256::ZERO),
            ..BlockEnv::default()
        }
    }
}

/// Runs a signed transaction by the full rules.
///
/// # Errors
/// A transaction that cannot be part of the block: nonce, balance, fee or gas.
pub(super) fn transact(state: &State, place: &Place, transaction: TxEnv) -> Answer<ResultAndState> {
    run(state, place, transaction, |_| {})
}

/// Runs a question: nonce, balance and fees are not checked and nothing is kept.
///
/// # Errors
/// A message that cannot start, for example with less gas than its data costs.
pub(super) fn question(state: &State, place: &Place, message: TxEnv) -> Answer<ExecutionResult> {
    let relaxed = |rules: &mut CfgEnv| {
        rules.disable_base_fee = true;
        rules.disable_balance_check = true;
        rules.disable_eip3607 = true;
        rules.disable_nonce_check = true;
    };
    run(state, place, message, relaxed).map(|outcome| outcome.result)
}

fn run(state: &State, place: &Place, message: TxEnv, relax: impl FnOnce(&mut CfgEnv)) -> Answer<ResultAndState> {
    Context::mainnet()
        .with_db(WrapDatabaseRef(state))
        .with_block(place.block_env())
        .modify_cfg_chained(|rules| {
            rules.chain_id = place.chain_id;
            rules.set_spec_and_mainnet_gas_params(RULES);
            relax(rules);
        })
        .build_mainnet()
        .transact(message)
        .map_err(rejected)
}

/// The message of a signed transaction.
///
/// # Errors
/// A transaction type other than legacy, access list and fee market.
pub(super) fn signed_message(transaction: &TxEnvelope, caller: Address) -> Answer<TxEnv> {
    if matches!(transaction, TxEnvelope::Eip4844(_) | TxEnvelope::Eip7702(_)) {
        return Err(rejected("transactions with blobs or authorisations are not supported"));
    }
    Ok(TxEnv {
        tx_type: transaction.tx_type().into(),
        caller,
        gas_limit: transaction.gas_limit(),
        gas_price: transaction.max_fee_per_gas(),
        gas_priority_fee: transaction.max_priority_fee_per_gas(),
        kind: transaction.kind(),
        value: transaction.value(),
        data: transaction.input().clone(),
        nonce: transaction.nonce(),
        chain_id: transaction.chain_id(),
        access_list: transaction.access_list().cloned().unwrap_or_default(),
        ..TxEnv::default()
    })
}

/// The message of an unsigned question.
///
/// # Errors
/// Fields that a question cannot carry here: blobs and authorisations.
pub(super) fn unsigned_message(request: TransactionRequest, chain_id: u64) -> Answer<TxEnv> {
    if request.blob_versioned_hashes.is_some() || request.authorization_list.is_some() {
        return Err(invalid("blobs and authorisations are not supported"));
    }
    Ok(TxEnv {
        caller: request.from.unwrap_or_default(),
        gas_limit: request.gas.unwrap_or(TRANSACTION_GAS_CAP).min(TRANSACTION_GAS_CAP),
        gas_price: 0,
        kind: request.to.unwrap_or(TxKind::Create),
        value: request.value.unwrap_or_default(),
        data: request.input.into_input().unwrap_or_default(),
        chain_id: Some(chain_id),
        ..TxEnv::default()
    })
}
