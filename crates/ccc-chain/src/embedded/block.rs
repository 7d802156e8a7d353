//! Blocks, each with at most one transaction.

use alloy::{
    consensus::{BlockHeader, Header, Transaction as _, TxEnvelope, transaction::Recovered},
    primitives::{Address, B64, B256, Bloom, Bytes, TxHash, U256},
    rpc::types::{Block as RpcBlock, BlockTransactions, Header as RpcHeader, Log, Transaction, TransactionReceipt},
};

use super::{BASE_FEE, BLOCK_GAS_LIMIT, state::Undo};

/// A mined transaction and what came of it.
#[derive(Clone, Debug)]
pub(super) struct Mined {
    pub(super) envelope: Recovered<TxEnvelope>,
    pub(super) receipt: TransactionReceipt,
}

/// A block.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) header: Header,
    pub(super) hash: B256,
    pub(super) mined: Option<Mined>,
    pub(super) undo: Undo,
}

impl Block {
    pub(super) fn logs(&self) -> &[Log] {
        self.mined.as_ref().map_or(&[], |mined| mined.receipt.logs())
    }

    pub(super) fn transaction_hash(&self) -> Option<TxHash> {
        self.mined.as_ref().map(|mined| mined.receipt.transaction_hash)
    }

    /// The transaction as a node shows it.
    pub(super) fn transaction(&self) -> Option<Transaction> {
        let mined = self.mined.as_ref()?;
        Some(Transaction {
            inner: mined.envelope.clone(),
            block_hash: Some(self.hash),
            block_number: Some(self.header.number),
            transaction_index: Some(0),
            effective_gas_price: Some(mined.receipt.effective_gas_price),
            block_timestamp: Some(self.header.timestamp),
        })
    }

    /// The block as a node shows it, with whole transactions or their hashes.
    pub(super) fn shown(&self, full: bool) -> RpcBlock {
        let transactions = if full {
            BlockTransactions::Full(self.transaction().into_iter().collect())
        } else {
            BlockTransactions::Hashes(self.transaction_hash().into_iter().collect())
        };
        let header = RpcHeader { hash: self.hash, inner: self.header.clone(), total_difficulty: None, size: None };
        RpcBlock { header, uncles: Vec::new(), transactions, withdrawals: None }
    }
}

/// A header on top of `parent`. There is no trie: the three roots are zero, except that the transaction's hash stands
/// in the place of the transactions' root, so that the block's hash covers it.
pub(super) fn header(parent: Option<&Block>, timestamp: u64, transaction: Option<TxHash>) -> Header {
    Header {
        parent_hash: parent.map(|parent| parent.hash).unwrap_or_default(),
        ommers_hash: B256::ZERO,
        beneficiary: Address::ZERO,
        state_root: B256::ZERO,
        transactions_root: transaction.unwrap_or_default(),
        receipts_root: B256::ZERO,
        logs_bloom: Bloom::ZERO,
        difficulty: U256::ZERO,
        number: parent.map_or(0, |parent| parent.header.number().saturating_add(1)),
        gas_limit: BLOCK_GAS_LIMIT,
        gas_used: 0,
        timestamp,
        extra_data: Bytes::new(),
        mix_hash: B256::ZERO,
        nonce: B64::ZERO,
        base_fee_per_gas: Some(BASE_FEE),
        ..Header::default()
    }
}

/// What a transaction pays for a unit of gas.
pub(super) fn effective_gas_price(transaction: &TxEnvelope) -> u128 {
    transaction.effective_gas_price(Some(BASE_FEE))
}
