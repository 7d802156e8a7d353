//! Questions that change nothing.

use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::{Address, B256, Bytes, StorageKey, TxHash, U64, U256},
    rpc::types::{FeeHistory, Filter, TransactionRequest},
};
use revm::context::{TxEnv, result::ExecutionResult};
use serde::de::IgnoredAny;

use super::{
    BASE_FEE, TRANSACTION_GAS_CAP,
    execute::{Place, question, unsigned_message},
    fault::{Answer, Told, reverted, told, unavailable},
    filters::select,
    node::World,
    parameters::Parameters,
    state::State,
};

const MOST_FEE_HISTORY: u64 = 1024;

/// A number as a node writes it.
pub(super) fn quantity(value: u64) -> Answer<Told> {
    told(&U64::from(value))
}

impl World {
    pub(super) fn nonce(&self, parameters: &Parameters<'_>) -> Answer<Told> {
        let state = self.state_at(parameters.block(1)?)?;
        quantity(state.account(&parameters.required(0)?).nonce)
    }

    pub(super) fn balance(&self, parameters: &Parameters<'_>) -> Answer<Told> {
        let state = self.state_at(parameters.block(1)?)?;
        told(&state.account(&parameters.required(0)?).balance)
    }

    pub(super) fn code(&self, parameters: &Parameters<'_>) -> Answer<Told> {
        let state = self.state_at(parameters.block(1)?)?;
        let code = state.account(&parameters.required(0)?).code;
        told(&code.map_or_else(Bytes::new, |code| code.original_bytes()))
    }

    pub(super) fn storage(&self, parameters: &Parameters<'_>) -> Answer<Told> {
        let (address, key) = (parameters.required::<Address>(0)?, parameters.required::<U256>(1)?);
        let state = self.state_at(parameters.block(2)?)?;
        told(&B256::from(state.slot(address, key)))
    }

    /// Every word of an account that is not zero: what a public chain shows to whoever replays it.
    pub(super) fn storage_dump(&self, parameters: &Parameters<'_>) -> Answer<Told> {
        let words = self.state.words(parameters.required(0)?);
        let pairs: Vec<(StorageKey, B256)> = words.map(|(key, value)| (key.into(), value.into())).collect();
        told(&pairs)
    }

    pub(super) fn block_by_number(&self, parameters: &Parameters<'_>) -> Answer<Told> {
        let tag: BlockNumberOrTag = parameters.required(0)?;
        let full = parameters.optional(1)?.unwrap_or(false);
        told(&self.block_by_tag(tag).map(|block| block.shown(full)))
    }

    pub(super) fn block_by_hash(&self, parameters: &Parameters<'_>) -> Answer<Told> {
        let id = BlockId::from(parameters.required::<B256>(0)?);
        let full = parameters.optional(1)?.unwrap_or(false);
        told(&self.block(id).map(|block| block.shown(full)))
    }

    pub(super) fn transaction(&self, parameters: &Parameters<'_>) -> Answer<Told> {
        let block = self.block_with(parameters.required(0)?);
        told(&block.and_then(super::block::Block::transaction))
    }

    pub(super) fn receipt(&self, hash: TxHash) -> Answer<Told> {
        let mined = self.block_with(hash).and_then(|block| block.mined.as_ref());
        told(&mined.map(|mined| &mined.receipt))
    }

    pub(super) fn block_receipts(&self, parameters: &Parameters<'_>) -> Answer<Told> {
        let block = self.block(parameters.required(0)?);
        told(&block.map(|block| block.mined.iter().map(|mined| &mined.receipt).collect::<Vec<_>>()))
    }

    fn block_with(&self, hash: TxHash) -> Option<&super::block::Block> {
        self.by_transaction.get(&hash).and_then(|at| self.blocks.get(*at))
    }

    pub(super) fn logs(&self, parameters: &Parameters<'_>) -> Answer<Told> {
        let filter: Filter = parameters.required(0)?;
        told(&select(&filter, &self.blocks, self.blocks.len()))
    }

    pub(super) fn fee_history(&self, parameters: &Parameters<'_>) -> Answer<Told> {
        let wanted: U64 = parameters.required(0)?;
        let newest = self.block_by_tag(parameters.optional(1)?.unwrap_or_default());
        let newest = newest.map_or(self.height(), |block| block.header.number);
        let count = wanted.to::<u64>().min(MOST_FEE_HISTORY).min(newest.saturating_add(1));
        let percentiles: Vec<f64> = parameters.optional(2)?.unwrap_or_default();
        told(&flat_fees(count, newest.saturating_add(1).saturating_sub(count), percentiles.len()))
    }

    pub(super) fn call(&self, parameters: &Parameters<'_>) -> Answer<Told> {
        if parameters.optional::<IgnoredAny>(2)?.is_some() {
            return Err(unavailable("state overrides are not supported"));
        }
        let id = parameters.block(1)?;
        let message = unsigned_message(parameters.required(0)?, self.chain_id)?;
        let state = self.state_at(id)?;
        told(&output(question(&state, &self.place_at(id)?, message)?)?)
    }

    pub(super) fn estimate(&self, parameters: &Parameters<'_>) -> Answer<Told> {
        let id = parameters.block(1)?;
        let request: TransactionRequest = parameters.required(0)?;
        let message = unsigned_message(request, self.chain_id)?;
        let state = self.state_at(id)?;
        estimate_gas(&state, &self.place_at(id)?, &message).and_then(quantity)
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

/// The least gas with which the message succeeds, and no less than what it spends where there is enough: a call passes on
/// only 63/64 of what is left, so what it spends may be too little.
fn estimate_gas(state: &State, place: &Place, message: &TxEnv) -> Answer<u64> {
    let first = question(state, place, message.clone())?;
    // refunds come back at the end, and have to be there until then
    let spent = first.gas().total_gas_spent().max(first.gas().floor_gas());
    output(first)?;
    let most = message.gas_limit.min(TRANSACTION_GAS_CAP);
    Ok(least(spent, most, |limit| {
        let message = TxEnv { gas_limit: limit, ..message.clone() };
        question(state, place, message).is_ok_and(|result| result.is_success())
    }))
}

/// The least limit from `spent` to `most` that suffices; `most` does. Most messages need what they spend. For the others
/// the limit grows by a 64th of it, then by twice the step, and is bisected at last.
fn least(spent: u64, most: u64, mut suffices: impl FnMut(u64) -> bool) -> u64 {
    let (mut short, mut enough, mut step) = (spent.saturating_sub(1), spent.min(most), spent / 64 + 1);
    while enough < most && !suffices(enough) {
        short = enough;
        enough = enough.saturating_add(step).min(most);
        step = step.saturating_mul(2);
    }
    while short.saturating_add(1) < enough {
        let middle = short + (enough - short) / 2;
        if suffices(middle) { enough = middle } else { short = middle }
    }
    enough
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The slow twin: one limit after the other.
    fn one_by_one(spent: u64, most: u64, suffices: impl Fn(u64) -> bool) -> u64 {
        (spent..most).find(|limit| suffices(*limit)).unwrap_or(most)
    }

    #[test]
    fn least_limit_is_that_of_the_slow_twin() {
        for (spent, most) in [(1, 2), (21_000, 30_000), (63_999, 64_000), (100_000, 100_000)] {
            for needed in (spent..=most).step_by(37).chain([most]) {
                let suffices = |limit: u64| limit >= needed;
                assert_eq!(least(spent, most, suffices), one_by_one(spent, most, suffices), "{spent} {needed}");
            }
        }
    }

    #[test]
    fn message_that_needs_what_it_spends_runs_once_more() {
        let mut runs = 0;
        let found = least(120_000, TRANSACTION_GAS_CAP, |_| {
            runs += 1;
            true
        });
        assert_eq!((found, runs), (120_000, 1));
    }
}
