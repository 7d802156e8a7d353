//! Making blocks.

use alloy::{
    consensus::{
        Eip658Value, Receipt, ReceiptEnvelope, ReceiptWithBloom, Transaction as _, TxEnvelope, TxType,
        transaction::Recovered,
    },
    eips::eip2718::Decodable2718,
    primitives::{B256, Bytes, Log as EventLog, TxHash, logs_bloom},
    rpc::types::{Log, TransactionReceipt},
};
use revm::context::result::{ExecutionResult, Output};

use super::{
    block::{Block, Mined, effective_gas_price, header},
    execute::{signed_message, transact},
    fault::{Answer, invalid, rejected},
    node::World,
    recovery::sender,
    state::Undo,
};

impl World {
    /// Runs a signed transaction in a block of its own. A reverted transaction is mined too, with status 0.
    ///
    /// # Errors
    /// Malformed bytes, a signature without a signer, a transaction that breaks the chain's rules.
    pub(super) fn send(&mut self, raw: &Bytes) -> Answer<TxHash> {
        let envelope = decode(raw)?;
        let sender = sender(&envelope).map_err(invalid)?;
        let message = signed_message(&envelope, sender)?;
        let outcome = transact(&self.state, &self.next_place(), message)?;
        let undo = self.state.apply(outcome.state);
        let hash = *envelope.tx_hash();
        let block = self.block_of(Recovered::new_unchecked(envelope, sender), &outcome.result, undo);
        self.by_transaction.insert(hash, self.blocks.len());
        self.push(block);
        Ok(hash)
    }

    /// Makes a block without a transaction.
    pub(super) fn mine_empty(&mut self) {
        let header = header(Some(self.head()), self.next_timestamp(), None);
        self.push(Block { hash: header.hash_slow(), header, mined: None, undo: Undo::default() });
    }

    fn push(&mut self, mut block: Block) {
        let mut undo = std::mem::take(&mut self.pending_undo);
        undo.extend(std::mem::take(&mut block.undo));
        block.undo = undo;
        self.next_time = None;
        self.state.push_block_hash(block.hash);
        self.blocks.push(block);
    }

    fn block_of(&self, envelope: Recovered<TxEnvelope>, result: &ExecutionResult, undo: Undo) -> Block {
        let mut header = header(Some(self.head()), self.next_timestamp(), Some(*envelope.tx_hash()));
        header.gas_used = result.tx_gas_used();
        header.logs_bloom = logs_bloom(events(result));
        let hash = header.hash_slow();
        let place = LogPlace { block: hash, number: header.number, time: header.timestamp };
        let receipt = receipt(&envelope, result, place);
        Block { header, hash, mined: Some(Mined { envelope, receipt }), undo }
    }
}

fn decode(raw: &Bytes) -> Answer<TxEnvelope> {
    let mut rest = raw.as_ref();
    let envelope = TxEnvelope::decode_2718(&mut rest).map_err(invalid)?;
    if rest.is_empty() { Ok(envelope) } else { Err(rejected("bytes follow the transaction")) }
}

#[derive(Clone, Copy)]
struct LogPlace {
    block: B256,
    number: u64,
    time: u64,
}

fn events(result: &ExecutionResult) -> &[EventLog] {
    match result {
        ExecutionResult::Success { logs, .. } => logs,
        ExecutionResult::Revert { .. } | ExecutionResult::Halt { .. } => &[],
    }
}

fn placed_log(event: &EventLog, index: usize, transaction: TxHash, place: LogPlace) -> Log {
    Log {
        inner: event.clone(),
        block_hash: Some(place.block),
        block_number: Some(place.number),
        block_timestamp: Some(place.time),
        transaction_hash: Some(transaction),
        transaction_index: Some(0),
        log_index: u64::try_from(index).ok(),
        removed: false,
    }
}

fn receipt(envelope: &Recovered<TxEnvelope>, result: &ExecutionResult, place: LogPlace) -> TransactionReceipt {
    let hash = *envelope.tx_hash();
    let placed = events(result).iter().enumerate();
    let logs = placed.map(|(index, event)| placed_log(event, index, hash, place)).collect();
    let status = Eip658Value::Eip658(result.is_success());
    let body = Receipt { status, cumulative_gas_used: result.tx_gas_used(), logs };
    let inner = typed(envelope.tx_type(), ReceiptWithBloom::new(body, logs_bloom(events(result))));
    TransactionReceipt {
        inner,
        transaction_hash: hash,
        transaction_index: Some(0),
        block_hash: Some(place.block),
        block_number: Some(place.number),
        gas_used: result.tx_gas_used(),
        effective_gas_price: effective_gas_price(envelope),
        blob_gas_used: None,
        blob_gas_price: None,
        from: envelope.signer(),
        to: envelope.to(),
        contract_address: created(result),
    }
}

fn typed(kind: TxType, receipt: ReceiptWithBloom<Receipt<Log>>) -> ReceiptEnvelope<Log> {
    match kind {
        TxType::Eip2930 => ReceiptEnvelope::Eip2930(receipt),
        TxType::Eip1559 => ReceiptEnvelope::Eip1559(receipt),
        TxType::Eip4844 => ReceiptEnvelope::Eip4844(receipt),
        TxType::Eip7702 => ReceiptEnvelope::Eip7702(receipt),
        TxType::Legacy => ReceiptEnvelope::Legacy(receipt),
    }
}

fn created(result: &ExecutionResult) -> Option<alloy::primitives::Address> {
    match result {
        ExecutionResult::Success { output: Output::Create(_, address), .. } => *address,
        _ => None,
    }
}
