//! A deployment on a chain, looked at again and again.
//!
//! What is shown is what the node says of the newest block, by this machine's clock; reports are verified here against the
//! deployment's signers. Nothing is sent.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use alloy::{
    consensus::Transaction as _,
    eips::BlockId,
    network::TransactionResponse as _,
    primitives::{B256, TxHash},
    providers::Provider,
};
use ccc_chain::{
    Chain, ChainError, ChainKind, Deployment, status,
    transcript::{EventRecord, TransactionRecord},
    watch::Watcher,
};

use crate::{
    board::{Board, Seen},
    clock,
    labels::Names,
    look,
};

/// Blocks before the newest that are read at the start.
const BACK: u64 = 50_000;
/// Transactions that are taken in at one look.
const MOST_AT_ONCE: usize = 128;

/// Looks at a deployment.
pub struct Looking {
    chain: Chain,
    deployment: Deployment,
    names: Names,
    watcher: Watcher,
    /// Seen in an event, and not read yet.
    waiting: VecDeque<B256>,
    board: Arc<Board>,
}

impl Looking {
    /// One that has seen nothing; it begins at the deployment's first block, or 50,000 blocks before the newest.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn new(chain: Chain, deployment: Deployment, board: Arc<Board>) -> Result<Self, ChainError> {
        let newest = chain.block(BlockId::latest()).await?.number;
        let first = deployment.first_block.max(newest.saturating_sub(BACK));
        let watcher = Watcher::new(&chain, &deployment, first);
        let names = Names::of(&deployment);
        let file = serde_json::to_vec_pretty(&deployment).unwrap_or_default();
        board.show(Seen { files: vec![("deployment.json".to_owned(), file)], ..Seen::default() });
        Ok(Self { chain, deployment, names, watcher, waiting: VecDeque::new(), board })
    }

    /// Looks every so often, for ever. What a node does not say is told as trouble, and its last word gets old.
    pub async fn run(mut self, every: Duration, trouble: impl Fn(&ChainError)) {
        loop {
            if let Err(error) = self.look().await {
                trouble(&error);
                self.board.set_status(|status| status.trouble = Some("the chain cannot be read"));
            }
            tokio::time::sleep(every).await;
        }
    }

    /// Looks once.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn look(&mut self) -> Result<(), ChainError> {
        let read = status::read(&self.chain, &self.deployment).await?;
        let observed = self.watcher.poll_to(read.block.number).await?;
        for transaction in observed.iter().map(|seen| seen.transaction) {
            if self.waiting.back() != Some(&transaction) {
                self.waiting.push_back(transaction);
            }
        }
        let skipped = self.waiting.len().saturating_sub(MOST_AT_ONCE);
        self.waiting.drain(..skipped);
        let mut seen = Seen::default();
        let all_read = self.read_waiting(&mut seen).await;
        if !seen.transactions.is_empty() {
            self.board.show(seen);
        }
        all_read?;
        self.show_status(&read);
        Ok(())
    }

    /// One that cannot be read now is read at the next look.
    async fn read_waiting(&mut self, seen: &mut Seen) -> Result<(), ChainError> {
        while let Some(hash) = self.waiting.front().copied() {
            let found = self.transaction(hash).await?;
            self.waiting.pop_front();
            let Some((record, events)) = found else { continue };
            let one = std::slice::from_ref(&record);
            for (report, bytes) in look::reports(&self.deployment, one, &events) {
                seen.files.push((report.file.clone(), bytes));
                seen.reports.push(report);
            }
            seen.transactions.extend(look::transactions(&self.names, one, &events));
        }
        Ok(())
    }

    fn show_status(&self, read: &status::Status) {
        let attested = &read.attestation;
        let known = attested.block_time != 0;
        // the embedded chain's time is its own: what is left of it is put on this machine's
        let now = if self.chain.kind() == ChainKind::Embedded { read.now } else { clock::now() };
        let until = attested.block_time.saturating_add(self.deployment.max_age);
        let until = if attested.stale { until.min(now.saturating_sub(1)) } else { until };
        self.board.set_status(|status| {
            status.last = look::word(attested.verdict);
            status.since = known.then_some(attested.block_time);
            status.until = known.then_some(until);
            status.block = known.then_some(attested.block);
            status.sequence = known.then_some(attested.sequence);
            status.chain_id = Some(self.deployment.chain_id);
            status.table_version = Some(read.table.version);
            (status.read_at, status.trouble) = (Some(clock::now()), None);
        });
    }

    async fn transaction(&self, hash: TxHash) -> Result<Option<(TransactionRecord, Vec<EventRecord>)>, ChainError> {
        let provider = self.chain.provider();
        let (Some(sent), Some(receipt)) =
            (provider.get_transaction_by_hash(hash).await?, provider.get_transaction_receipt(hash).await?)
        else {
            return Ok(None);
        };
        let block = receipt.block_number.unwrap_or_default();
        let time = self.chain.block(block.into()).await?.time;
        let record = TransactionRecord {
            hash,
            block,
            time,
            from: sent.from(),
            to: sent.to(),
            calldata: sent.input().clone(),
            gas_used: receipt.gas_used,
            success: receipt.status(),
            created: receipt.contract_address,
        };
        let events = receipt.logs().iter().map(|log| EventRecord {
            contract: log.address(),
            block,
            log_index: log.log_index.unwrap_or_default(),
            topics: log.topics().to_vec(),
            data: log.inner.data.data.clone(),
        });
        Ok(Some((record, events.collect())))
    }
}
