//! Questions that change nothing.

use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::{Address, B256, Bytes, StorageKey, TxHash, U64, U256},
    rpc::types::{FeeHistory, Filter, TransactionRequest},
};
use revm::context::{TxEnv, result::ExecutionResult};
use serde_json::{Value, json};

use super::{
    BASE_FEE, TRANSACTION_GAS_CAP,
    execute::{Place, question, unsigned_message},
    fault::{Answer, reverted, unavailable},
    filters::select,
    node::World,
    parameters::Parameters,
    state::State,
};

const MOST_FEE_HISTORY: u64 = 1024;

/// A number as a node writes it.
pub(super) fn quantity(value: u64) -> Value {
    json!(U64::from(value))
}

impl World {
    pub(super) fn nonce(&self, parameters: &Parameters) -> Answer<Value> {
        let state = self.state_at(parameters.block(1)?)?;
        Ok(quantity(state.account(&parameters.required(0)?).nonce))
    }

    pub(super) fn balance(&self, parameters: &Parameters) -> Answer<Value> {
        let state = self.state_at(parameters.block(1)?)?;
        Ok(json!(state.account(&parameters.required(0)?).balance))
    }

    pub(super) fn code(&self, parameters: &Parameters) -> Answer<Value> {
        let state = self.state_at(parameters.block(1)?)?;
        let code = state.account(&parameters.required(0)?).code;
        Ok(json!(code.map_or_else(Bytes::new, |code| code.original_bytes())))
    }

    pub(super) fn storage(&self, parameters: &Parameters) -> Answer<Value> {
        let (address, key) = (parameters.required::<Address>(0)?, parameters.required::<U256>(1)?);
        let state = self.state_at(parameters.block(2)?)?;
        Ok(json!(B256::from(state.slot(address, key))))
    }

    /// Every word of an account that is not zero: what a public chain shows to whoever replays it.
    pub(super) fn storage_dump(&self, parameters: &Parameters) -> Answer<Value> {
        let words = self.state.words(parameters.required(0)?);
        let pairs: Vec<(StorageKey, B256)> = words.map(|(key, value)| (key.into(), value.into())).collect();
        Ok(json!(pairs))
    }

    pub(super) fn block_by_number(&self, parameters: &Parameters) -> Answer<Value> {
        let tag: BlockNumberOrTag = parameters.required(0)?;
        let full = parameters.optional(1)?.unwrap_or(false);
        Ok(json!(self.block_by_tag(tag).map(|block| block.shown(full))))
    }

    pub(super) fn block_by_hash(&self, parameters: &Parameters) -> Answer<Value> {
        let id = BlockId::from(parameters.required::<B256>(0)?);
        let full = parameters.optional(1)?.unwrap_or(false);
        Ok(json!(self.block(id).map(|block| block.shown(full))))
    }

    pub(super) fn transaction(&self, parameters: &Parameters) -> Answer<Value> {
        let block = self.block_with(parameters.required(0)?);
        Ok(json!(block.and_then(super::block::Block::transaction)))
    }

    pub(super) fn receipt(&self, hash: TxHash) -> Value {
        let mined = self.block_with(hash).and_then(|block| block.mined.as_ref());
        json!(mined.map(|mined| &mined.receipt))
    }

    pub(super) fn block_receipts(&self, parameters: &Parameters) -> Answer<Value> {
        let block = self.block(parameters.required(0)?);
        Ok(json!(block.map(|block| block.mined.iter().map(|mined| &mined.receipt).collect::<Vec<_>>())))
    }

    fn block_with(&self, hash: TxHash) -> Option<&super::block::Block> {
        self.by_transaction.get(&hash).and_then(|at| self.blocks.get(*at))
    }

    pub(super) fn logs(&self, parameters: &Parameters) -> Answer<Value> {
        let filter: Filter = parameters.required(0)?;
        Ok(json!(select(&filter, &self.blocks, self.blocks.len())))
    }

    pub(super) fn fee_history(&self, parameters: &Parameters) -> Answer<Value> {
        let wanted: U64 = parameters.required(0)?;
        let newest = self.block_by_tag(parameters.optional(1)?.unwrap_or_default());
        let newest = newest.map_or(self.height(), |block| block.header.number);
        let count = wanted.to::<u64>().min(MOST_FEE_HISTORY).min(newest.saturating_add(1));
        let percentiles: Vec<f64> = parameters.optional(2)?.unwrap_or_default();
        Ok(json!(flat_fees(count, newest.saturating_add(1).saturating_sub(count), percentiles.len())))
    }

    pub(super) fn call(&self, parameters: &Parameters) -> Answer<Value> {
        if parameters.optional::<Value>(2)?.is_some() {
            return Err(unavailable("state overrides are not supported"));
        }
        let id = parameters.block(1)?;
        let message = unsigned_message(parameters.required(0)?, self.chain_id)?;
        let state = self.state_at(id)?;
        Ok(json!(output(question(&state, &self.place_at(id)?, message)?)?))
    }

    pub(super) fn estimate(&self, parameters: &Parameters) -> Answer<Value> {
        let id = parameters.block(1)?;
        let request: TransactionRequest = parameters.required(0)?;
        let message = unsigned_message(request, self.chain_id)?;
        let state = self.state_at(id)?;
        estimate_gas(&state, &self.place_at(id)?, &message).map(quantity)
    }
}

fn flat_fees(count: u64, oldest: u64, percentiles: usize) -> FeeHistory {
    let length = usize::try_from(count).unwrap_or(0);
    FeeHistory {
        base_fee_per_gas: vec![u128::from(BASE_FEE); length.saturating_add(1)],
        gas_used_ratio: vec![0.0; length],
        oldest_block: oldest,
        reward: Some(vec![vec![0; percentiles.min(128)]; length]),
        ..FeeHistory::default()
    }
}

fn output(result: ExecutionResult) -> Answer<Bytes> {
    match result {
        ExecutionResult::Success { output, .. } => Ok(output.into_data()),
        ExecutionResult::Revert { output, .. } => Err(reverted(&output)),
        ExecutionResult::Halt { reason, .. } => Err(unavailable(format!("execution halted: {reason}"))),
    }
}

/// The least gas with which the message succeeds. Gas used is no such bound: refunds come back at the end, and a call
/// passes on only 63/64 of what is left. So the limit is doubled until it suffices, then bisected.
fn estimate_gas(state: &State, place: &Place, message: &TxEnv) -> Answer<u64> {
    let first = question(state, place, message.clone())?;
    let used = first.tx_gas_used();
    output(first)?;
    let suffices = |limit: u64| {
        let message = TxEnv { gas_limit: limit, ..message.clone() };
        question(state, place, message).is_ok_and(|result| result.is_success())
    };
    let (mut short, mut enough) = bracket(used, message.gas_limit.min(TRANSACTION_GAS_CAP), suffices);
    while short.saturating_add(1) < enough {
        let middle = short + (enough - short) / 2;
        if suffices(middle) { enough = middle } else { short = middle }
    }
    Ok(enough)
}

/// A limit that is too small and one that suffices.
fn bracket(used: u64, most: u64, suffices: impl Fn(u64) -> bool) -> (u64, u64) {
    let (mut short, mut enough) = (used.saturating_sub(1), used.min(most));
    while enough < most && !suffices(enough) {
        short = enough;
        enough = enough.saturating_mul(2).min(most);
    }
    (short, enough)
}
