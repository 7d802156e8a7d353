//! Senders.

use alloy::{
    eips::eip2718::Encodable2718,
    network::{EthereumWallet, NetworkTransactionBuilder},
    primitives::{Address, B256, Signature},
    rpc::types::TransactionRequest,
    signers::{SignerSync, local::PrivateKeySigner},
};

use crate::ChainError;

/// A key that sends transactions.
///
/// *Security*: the key is a secret; [`std::fmt::Debug`] shows the address alone.
#[derive(Clone)]
pub struct Wallet {
    address: Address,
    signer: PrivateKeySigner,
    keys: EthereumWallet,
}

impl Wallet {
    /// A wallet of a 32-byte key.
    ///
    /// # Errors
    /// [`ChainError::Key`] for zero or a value not below the group order.
    pub fn from_key(key: &[u8; 32]) -> Result<Self, ChainError> {
        let signer = PrivateKeySigner::from_bytes(&B256::from(*key)).map_err(|_| ChainError::Key)?;
        Ok(Self { address: signer.address(), keys: EthereumWallet::from(signer.clone()), signer })
    }

    /// The sender's address.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.address
    }

    /// Signs a transaction that names everything itself: chain, number, gas, fees. It asks no node and sends nothing.
    ///
    /// # Errors
    /// [`ChainError::Signing`] for a request in which something is missing.
    pub async fn sign(&self, request: TransactionRequest) -> Result<Vec<u8>, ChainError> {
        let envelope = request.from(self.address).build(&self.keys).await;
        let envelope = envelope.map_err(|error| ChainError::Signing { reason: error.to_string() })?;
        Ok(envelope.encoded_2718())
    }

    pub(crate) const fn keys(&self) -> &EthereumWallet {
        &self.keys
    }

    /// Signs 32 bytes as they are: the caller MUST have made them of typed data.
    pub(crate) fn sign_hash(&self, hash: &B256) -> Result<Signature, ChainError> {
        let signature = self.signer.sign_hash_sync(hash);
        signature.map_err(|error| ChainError::Signing { reason: error.to_string() })
    }
}

impl std::fmt::Debug for Wallet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wallet").field("address", &self.address).finish_non_exhaustive()
    }
}
