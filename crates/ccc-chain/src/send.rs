//! Sending transactions.

use alloy::{
    eips::{BlockId, eip2718::Encodable2718},
    network::{NetworkTransactionBuilder, TransactionBuilder},
    primitives::{Address, B256, Bytes, TxHash, keccak256},
    providers::Provider,
    rpc::types::{Log, TransactionReceipt, TransactionRequest},
    transports::RpcError,
};

use crate::{
    Chain, ChainError, Wallet,
    embedded::TRANSACTION_GAS_CAP,
    submitter::{affords, machine::Fees},
    transcript::RevertRecord,
};

/// A mined transaction that succeeded.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The transaction.
    pub transaction: TxHash,
    /// The block that holds it.
    pub block: u64,
    /// The gas it used.
    pub gas_used: u64,
    /// Its events.
    pub logs: Vec<Log>,
    /// The contract it made.
    pub contract: Option<Address>,
}

/// A signed transaction that was not sent yet.
#[derive(Clone, Debug)]
pub struct Signed {
    request: TransactionRequest,
    nonce: u64,
    raw: Vec<u8>,
}

impl Signed {
    /// The transaction's hash.
    #[must_use]
    pub fn transaction(&self) -> TxHash {
        keccak256(&self.raw)
    }
}

impl Chain {
    /// Asks a contract without changing anything.
    ///
    /// # Errors
    /// [`ChainError::Refused`] with the decoded reason.
    pub async fn simulate(&self, request: &TransactionRequest) -> Result<Bytes, ChainError> {
        let answer = self.provider().call(request.clone()).await;
        answer.map_err(|error| self.refusal_of(request, error))
    }

    /// Asks a contract in the state of a block.
    ///
    /// # Errors
    /// As [`simulate`](Self::simulate).
    pub async fn simulate_at(&self, request: &TransactionRequest, at: BlockId) -> Result<Bytes, ChainError> {
        let answer = self.provider().call(request.clone()).block(at).await;
        answer.map_err(|error| self.refusal_of(request, error))
    }

    /// The gas that a request needs.
    ///
    /// # Errors
    /// [`ChainError::Refused`] with the decoded reason.
    pub async fn estimate(&self, request: &TransactionRequest) -> Result<u64, ChainError> {
        let answer = self.provider().estimate_gas(request.clone()).await;
        answer.map_err(|error| self.refusal_of(request, error))
    }

    /// Signs a request, sends it and waits for its block. Without a gas limit in the request it is estimated first, so
    /// a refusal costs nothing.
    ///
    /// # Errors
    /// [`ChainError::Refused`] when the contract refuses before, [`ChainError::RefusedInBlock`] in the block; see
    /// [`ChainError`] for the rest.
    pub async fn send(&self, wallet: &Wallet, request: TransactionRequest) -> Result<Sent, ChainError> {
        let signed = self.sign(wallet, request).await?;
        self.send_signed(signed).await
    }

    /// Signs a request and sends nothing: its hash is known before anybody else has it.
    ///
    /// # Errors
    /// As [`Self::send`] before anything is sent.
    pub async fn sign(&self, wallet: &Wallet, request: TransactionRequest) -> Result<Signed, ChainError> {
        let request = request.with_from(wallet.address());
        let request = self.with_gas(request).await?;
        let (nonce, raw) = self.signed(wallet, request.clone()).await?;
        Ok(Signed { request, nonce, raw })
    }

    /// Sends a signed request and waits for its block.
    ///
    /// # Errors
    /// As [`Self::send`]. After [`ChainError::Rpc`] and [`ChainError::NotMined`] it may be mined all the same.
    pub async fn send_signed(&self, signed: Signed) -> Result<Sent, ChainError> {
        let Signed { request, nonce, raw } = signed;
        let receipt = self.mined(&raw).await?;
        let block = receipt.block_number.unwrap_or_default();
        if !receipt.status() {
            return Err(self.reason_of(&request, receipt.transaction_hash, block).await);
        }
        Ok(Sent {
            transaction: receipt.transaction_hash,
            block,
            gas_used: receipt.gas_used,
            contract: made(&request, request.from.unwrap_or_default().create(nonce), receipt.contract_address)?,
            logs: receipt.inner.logs().to_vec(),
        })
    }

    /// A quarter more than the estimate: the state may move before the block.
    async fn with_gas(&self, request: TransactionRequest) -> Result<TransactionRequest, ChainError> {
        if request.gas.is_some() {
            return Ok(request);
        }
        let estimate = self.estimate(&request).await?;
        let limit = estimate.saturating_add(estimate / 4).min(TRANSACTION_GAS_CAP);
        Ok(request.with_gas_limit(limit))
    }

    async fn signed(&self, wallet: &Wallet, request: TransactionRequest) -> Result<(u64, Vec<u8>), ChainError> {
        let nonce = self.provider().get_transaction_count(wallet.address()).pending().await?;
        let fees = self.provider().estimate_eip1559_fees().await?;
        let fees = Fees { most: fees.max_fee_per_gas, tip: fees.max_priority_fee_per_gas };
        affords(self.most_fee(), fees)?;
        Ok((nonce, self.signed_at(wallet, request, nonce, fees).await?.1))
    }

    /// Hash and bytes of a transaction with this nonce and these fees.
    pub(crate) async fn signed_at(
        &self,
        wallet: &Wallet,
        request: TransactionRequest,
        nonce: u64,
        fees: Fees,
    ) -> Result<(TxHash, Vec<u8>), ChainError> {
        let request = request
            .with_nonce(nonce)
            .with_chain_id(self.chain_id())
            .with_max_fee_per_gas(fees.most)
            .with_max_priority_fee_per_gas(fees.tip);
        let envelope = request.build(wallet.keys()).await;
        let envelope = envelope.map_err(|error| ChainError::Signing { reason: error.to_string() })?;
        Ok((*envelope.tx_hash(), envelope.encoded_2718()))
    }

    /// Development chains answer with the receipt at once; elsewhere it is asked for until it is there.
    async fn mined(&self, raw: &[u8]) -> Result<TransactionReceipt, ChainError> {
        if self.is_development() {
            return Ok(self.provider().send_raw_transaction_sync(raw).await?);
        }
        let transaction = *self.provider().send_raw_transaction(raw).await?.tx_hash();
        let seconds = self.receipt_timeout().as_secs();
        let receipt = tokio::time::timeout(self.receipt_timeout(), self.await_receipt(transaction)).await;
        receipt.unwrap_or(Err(ChainError::NotMined { transaction, seconds }))
    }

    async fn await_receipt(&self, transaction: B256) -> Result<TransactionReceipt, ChainError> {
        loop {
            match self.provider().get_transaction_receipt(transaction).await {
                Ok(Some(receipt)) => return Ok(receipt),
                // a node that is away for a moment does not undo what was sent
                Ok(None) | Err(RpcError::Transport(_)) => {}
                Err(error) => return Err(error.into()),
            }
            tokio::time::sleep(self.poll_interval()).await;
        }
    }

    /// Receipts carry no reason: the request is asked again in the state before its block.
    pub(crate) async fn reason_of(&self, request: &TransactionRequest, transaction: B256, block: u64) -> ChainError {
        let parent = BlockId::number(block.saturating_sub(1));
        match self.provider().call(request.clone()).block(parent).await {
            Ok(_) => ChainError::Reverted { transaction, block },
            Err(error) => match self.refusal_of(request, error) {
                ChainError::Refused(refusal) => ChainError::RefusedInBlock { refusal, transaction, block },
                _ => ChainError::Reverted { transaction, block },
            },
        }
    }

    fn refusal_of(&self, request: &TransactionRequest, error: alloy::transports::TransportError) -> ChainError {
        let to = request.to.and_then(|kind| kind.into_to());
        let error = ChainError::of_call(to.unwrap_or_default(), error);
        if let ChainError::Refused(refusal) = &error {
            self.record_revert(RevertRecord {
                from: request.from.unwrap_or_default(),
                to,
                calldata: request.input.input().cloned().unwrap_or_default(),
                refusal: refusal.as_ref().clone(),
            });
        }
        error
    }
}

/// The contract that a request made. A node may not name another one than sender and nonce give: what is built next would
/// be put on it.
fn made(
    request: &TransactionRequest,
    expected: Address,
    found: Option<Address>,
) -> Result<Option<Address>, ChainError> {
    if !request.to.is_some_and(|kind| kind.is_create()) {
        return Ok(None);
    }
    if found == Some(expected) { Ok(found) } else { Err(ChainError::NotDeployed { contract: expected.to_string() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_stands_where_sender_and_nonce_say() {
        let (own, other) = (Address::from([1; 20]), Address::from([2; 20]));
        let creates = TransactionRequest::default().with_deploy_code([0]);
        assert!(matches!(made(&creates, own, Some(own)), Ok(Some(found)) if found == own));
        for found in [Some(other), None] {
            assert!(matches!(made(&creates, own, found), Err(ChainError::NotDeployed { .. })));
        }
        assert!(matches!(made(&TransactionRequest::default().to(own), own, Some(other)), Ok(None)));
    }
}
