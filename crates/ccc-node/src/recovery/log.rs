//! One reader's picture of the chain's log, read by itself and once.

use super::RecoveryError;
use crate::vault_node::{ChainView, OnChain};
use alloy::primitives::B256;
use ccc_chain::{
    Chain, Deployment,
    read::{BlockRef, Pool},
    watch::{Event, Observed, Watcher},
};
use ccc_core::report::{OperationKind, keccak256};
use ccc_enclave::intake::{BoundaryEvent, Submission};
use std::{collections::HashMap, sync::Arc};

/// What a reader has seen of the pool.
pub(crate) struct ChainLog {
    watcher: Watcher,
    pool: Pool,
    submissions: Arc<HashMap<[u8; 32], OnChain>>,
    /// Deposits and withdrawal requests, in order.
    pub(super) boundary: Vec<BoundaryEvent>,
    /// Standing orders, in order.
    pub(super) orders: Vec<Submission>,
    /// Everything else that was seen.
    pub(super) observed: Vec<Observed>,
}

impl ChainLog {
    pub(super) fn new(chain: &Chain, deployment: &Deployment) -> Self {
        Self {
            watcher: Watcher::new(chain, deployment, deployment.first_block),
            pool: Pool::new(chain, deployment.pool),
            submissions: Arc::default(),
            boundary: Vec::new(),
            orders: Vec::new(),
            observed: Vec::new(),
        }
    }

    /// Reads on to a block.
    pub(super) async fn read_to(&mut self, block: &BlockRef) -> Result<(), RecoveryError> {
        for observed in self.watcher.poll_to(block.number).await? {
            self.take(&observed)?;
            self.observed.push(observed);
        }
        Ok(())
    }

    /// The view that a participant checks requests against.
    pub(super) async fn view(&mut self, block: &BlockRef) -> Result<ChainView, RecoveryError> {
        self.read_to(block).await?;
        Ok(ChainView {
            block_hash: block.hash.0,
            time: block.time,
            header_hash: self.pool.header_hash(block.id()).await?.0,
            version: self.pool.table_version(block.id()).await?,
            submissions: Arc::clone(&self.submissions),
        })
    }

    fn take(&mut self, observed: &Observed) -> Result<(), RecoveryError> {
        match &observed.event {
            Event::Deposited { id, from, asset, amount, ciphertext, .. } => {
                let amount = u128::try_from(*amount).map_err(|_| RecoveryError::Range { what: "a deposit" })?;
                let submission = self.submit(*id, from.0.0, ciphertext, 0);
                self.boundary.push(BoundaryEvent { kind: OperationKind::Deposit, asset: *asset, amount, submission });
            }
            Event::WithdrawalRequested { id, from, ciphertext, .. } => {
                let submission = self.submit(*id, from.0.0, ciphertext, 0);
                self.boundary.push(BoundaryEvent { kind: OperationKind::Withdrawal, asset: 0, amount: 0, submission });
            }
            Event::StandingOrderSubmitted { id, maker, ciphertext, .. } => {
                let submission = self.submit(*id, maker.0.0, ciphertext, 0);
                self.orders.push(submission);
            }
            Event::CollateralRequested { id, requester, deadline, ciphertext, .. } => {
                self.submit(*id, requester.0.0, ciphertext, *deadline);
            }
            _ => {}
        }
        Ok(())
    }

    fn submit(&mut self, id: B256, who: [u8; 20], ciphertext: &[u8], opens_at: u64) -> Submission {
        let on_chain = OnChain { who, hash: keccak256(&[ciphertext]), opens_at };
        Arc::make_mut(&mut self.submissions).insert(id.0, on_chain);
        Submission { id: id.0, who, ciphertext: ciphertext.to_vec() }
    }
}
