//! Senders.

use alloy::{
    eips::eip2718::Encodable2718,
    network::{EthereumWallet, NetworkTransactionBuilder},
    primitives::{Address, B256},
    rpc::types::TransactionRequest,
    signers::local::PrivateKeySigner,
};

use crate::ChainError;

/// A key that sends transactions.
///
/// *Security*: the key is a secret; [`std::fmt::Debug`] shows the address alone.
#[derive(Clone)]
pub struct Wallet {
    address: Address,
    keys: EthereumWallet,
}

impl Wallet {
    /// A wallet of a 32-byte key.
    ///
    /// # Errors
    /// [`ChainError::Key`] for zero or a value not below the group order.
    pub fn from_key(key: &[u8; 32]) -> Result<Self, ChainError> {
        let signer = PrivateKeySigner::from_bytes(&B256::from(*key)).map_err(|_| ChainError::Key)?;
        Ok(Self { address: signer.address(), keys: EthereumWallet::from(signer) })
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
}

impl std::fmt::Debug for Wallet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wallet").field("address", &self.address).finish_non_exhaustive()
    }
}
