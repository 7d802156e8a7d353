//! Who signs. The only way to a signature leads through the [`Guard`].
//!
//! A threshold signature or a Safe as the holder of funds takes the place of [`KeySigner`] behind [`Signer`]: each of their
//! parties holds a guard of its own.

use std::{future::Future, pin::Pin};

use alloy::{
    network::TransactionBuilder,
    primitives::{Address, B256, Bytes, keccak256},
    rpc::types::TransactionRequest,
};
use ccc_chain::{ChainError, Wallet};

use crate::guard::{Forbidden, Guard, Permitted, Unsigned};

/// A transaction that was permitted and signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCall {
    /// What it is, as the signer read it.
    pub permitted: Permitted,
    /// Its hash.
    pub transaction: B256,
    /// Its bytes.
    pub raw: Bytes,
}

/// Why there is no signature.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The policy does not contain it.
    #[error("the signer refuses: {0}")]
    Forbidden(#[from] Forbidden),
    /// The key could not be used.
    #[error(transparent)]
    Key(#[from] ChainError),
}

/// What a signer gives, later.
pub type Signing<'a> = Pin<Box<dyn Future<Output = Result<SignedCall, SignerError>> + Send + 'a>>;

/// Who signs.
///
/// *Security*: an implementation MUST decode the calldata itself and refuse what its own copy of the policy does not
/// contain, before any secret is used.
pub trait Signer: Send + Sync {
    /// Whose transactions these are.
    fn address(&self) -> Address;
    /// Reads the call and signs it.
    fn sign<'a>(&'a self, transaction: &'a Unsigned, now: u64) -> Signing<'a>;
}

/// One key in this process.
pub struct KeySigner {
    wallet: Wallet,
    guard: Guard,
}

impl KeySigner {
    /// A key behind a guard.
    #[must_use]
    pub const fn new(wallet: Wallet, guard: Guard) -> Self {
        Self { wallet, guard }
    }
}

impl Signer for KeySigner {
    fn address(&self) -> Address {
        self.wallet.address()
    }

    fn sign<'a>(&'a self, transaction: &'a Unsigned, now: u64) -> Signing<'a> {
        Box::pin(async move {
            let permitted = self.guard.permit(transaction, now)?;
            let raw = self.wallet.sign(request(transaction)).await?;
            Ok(SignedCall { permitted, transaction: keccak256(&raw), raw: raw.into() })
        })
    }
}

/// The transaction as the chain's client names it.
pub(crate) fn request(transaction: &Unsigned) -> TransactionRequest {
    TransactionRequest::default()
        .to(transaction.to)
        .value(transaction.ether)
        .with_input(transaction.data.clone())
        .with_chain_id(transaction.chain_id)
        .with_nonce(transaction.nonce)
        .with_gas_limit(transaction.gas)
        .with_max_fee_per_gas(transaction.fee)
        .with_max_priority_fee_per_gas(transaction.tip)
}
