//! Everything that an observer of the chain saw.

use alloy::{
    consensus::Transaction as _,
    eips::{BlockId, BlockNumberOrTag},
    network::TransactionResponse,
    primitives::{Address, B256, Bytes, TxHash},
    providers::Provider,
    rpc::types::{Filter, Log},
};
use serde::{Deserialize, Serialize};

use crate::{Chain, ChainError, ChainKind, Refusal, watch::spans};

/// A transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionRecord {
    /// Its hash.
    pub hash: TxHash,
    /// The block that holds it.
    pub block: u64,
    /// The block's time, Unix time.
    pub time: u64,
    /// The sender.
    pub from: Address,
    /// The called contract; none for a deployment.
    pub to: Option<Address>,
    /// The data that went along.
    pub calldata: Bytes,
    /// The gas it used.
    pub gas_used: u64,
    /// Whether it succeeded.
    pub success: bool,
    /// The contract that it made.
    pub created: Option<Address>,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRecord {
    /// The contract.
    pub contract: Address,
    /// The block.
    pub block: u64,
    /// The log's index in the block.
    pub log_index: u64,
    /// The indexed words.
    pub topics: Vec<B256>,
    /// The other data.
    pub data: Bytes,
}

/// A call that a contract refused. Most were only simulated: the node saw them, the chain did not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevertRecord {
    /// The caller.
    pub from: Address,
    /// The called contract.
    pub to: Option<Address>,
    /// The data that went along.
    pub calldata: Bytes,
    /// The reason with its revert data.
    pub refusal: Refusal,
}

/// The contracts' memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StorageRecord {
    /// Every word that is not zero.
    Words {
        /// Contract, key, value.
        words: Vec<StorageWord>,
    },
    /// The chain does not list it.
    Skipped {
        /// Why.
        reason: String,
    },
}

/// One word of a contract's memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageWord {
    /// The contract.
    pub contract: Address,
    /// The key.
    pub key: B256,
    /// The value.
    pub value: B256,
}

/// What the chain saw between two blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transcript {
    /// The chain.
    pub chain_id: u64,
    /// The first block.
    pub first_block: u64,
    /// The last block.
    pub last_block: u64,
    /// Every transaction, in order.
    pub transactions: Vec<TransactionRecord>,
    /// Every event, in order.
    pub events: Vec<EventRecord>,
    /// The refusals that this process met, in order.
    pub reverts: Vec<RevertRecord>,
    /// The contracts' memory at the end.
    pub storage: StorageRecord,
}

impl TransactionRecord {
    /// Sender, called contract, made contract, hash.
    fn parties(&self) -> impl Iterator<Item = &[u8]> {
        let accounts = [Some(&self.from), self.to.as_ref(), self.created.as_ref()];
        accounts.into_iter().flatten().map(|account| account.0.as_slice()).chain([self.hash.as_slice()])
    }
}

impl Transcript {
    /// Every byte string of the transcript, senders and recipients included: what a search for a secret goes
    /// through.
    pub fn byte_strings(&self) -> impl Iterator<Item = &[u8]> {
        let parties = self.transactions.iter().flat_map(TransactionRecord::parties);
        let calldata = self.transactions.iter().map(|record| record.calldata.as_ref());
        let contracts = self.events.iter().map(|record| record.contract.0.as_slice());
        let topics = self.events.iter().flat_map(|record| record.topics.iter().map(B256::as_slice));
        let data = self.events.iter().map(|record| record.data.as_ref());
        let refused = self.reverts.iter().flat_map(|record| [record.calldata.as_ref(), record.refusal.data.as_ref()]);
        let words: &[StorageWord] = match &self.storage {
            StorageRecord::Words { words } => words,
            StorageRecord::Skipped { .. } => &[],
        };
        let storage = words.iter().flat_map(|word| [word.key.as_slice(), word.value.as_slice()]);
        parties.chain(calldata).chain(contracts).chain(topics).chain(data).chain(refused).chain(storage)
    }
}

/// Collects everything from `first_block` to the newest block, with the memory of `contracts`.
///
/// # Errors
/// See [`ChainError`].
pub async fn collect(chain: &Chain, first_block: u64, contracts: &[Address]) -> Result<Transcript, ChainError> {
    let last_block = chain.provider().get_block_number().await?;
    let mut transactions = Vec::new();
    for number in first_block..=last_block {
        transactions.extend(transactions_of(chain, number).await?);
    }
    Ok(Transcript {
        chain_id: chain.chain_id(),
        first_block,
        last_block,
        transactions,
        events: events(chain, first_block, last_block).await?,
        reverts: chain.recorded_reverts(),
        storage: storage(chain, contracts).await?,
    })
}

async fn transactions_of(chain: &Chain, number: u64) -> Result<Vec<TransactionRecord>, ChainError> {
    let missing = || ChainError::NoBlock { block: number.to_string() };
    let id = BlockId::from(BlockNumberOrTag::Number(number));
    let block = chain.provider().get_block(id).full().await?.ok_or_else(missing)?;
    let time = block.header.inner.timestamp;
    let mut records = Vec::new();
    for transaction in block.transactions.into_transactions() {
        let hash = transaction.tx_hash();
        let receipt = chain.provider().get_transaction_receipt(hash).await?.ok_or_else(missing)?;
        records.push(TransactionRecord {
            hash,
            block: number,
            time,
            from: transaction.from(),
            to: transaction.to(),
            calldata: transaction.input().clone(),
            gas_used: receipt.gas_used,
            success: receipt.status(),
            created: receipt.contract_address,
        });
    }
    Ok(records)
}

async fn events(chain: &Chain, first: u64, last: u64) -> Result<Vec<EventRecord>, ChainError> {
    let mut events = Vec::new();
    for (from, to) in spans(first, last) {
        let filter = Filter::new().from_block(from).to_block(to);
        events.extend(chain.provider().get_logs(&filter).await?.into_iter().map(event));
    }
    Ok(events)
}

fn event(log: Log) -> EventRecord {
    EventRecord {
        contract: log.address(),
        block: log.block_number.unwrap_or_default(),
        log_index: log.log_index.unwrap_or_default(),
        topics: log.topics().to_vec(),
        data: log.inner.data.data,
    }
}

async fn storage(chain: &Chain, contracts: &[Address]) -> Result<StorageRecord, ChainError> {
    if chain.kind() != ChainKind::Embedded {
        let reason = "a node over HTTP does not list the memory of its contracts".to_owned();
        return Ok(StorageRecord::Skipped { reason });
    }
    let mut words = Vec::new();
    for contract in contracts {
        let found: Vec<(B256, B256)> = chain.provider().raw_request("ccc_dumpStorage".into(), (contract,)).await?;
        words.extend(found.into_iter().map(|(key, value)| StorageWord { contract: *contract, key, value }));
    }
    Ok(StorageRecord::Words { words })
}
