//! What accounts ask of the contracts, before anybody signs it.

use alloy::{
    primitives::{Address, B256, Bytes, U256},
    rpc::types::TransactionRequest,
    sol_types::SolCall,
};

use crate::bindings::{CREDarkPool, TestToken};

/// A proof that a row stands in the current table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExitProof {
    /// The table header, 435 bytes.
    pub header: Bytes,
    /// The row's place.
    pub index: u32,
    /// The row, 64 bytes.
    pub row: Bytes,
    /// The row's salt in this version.
    pub salt: B256,
    /// The siblings from the leaf upward.
    pub path: Vec<B256>,
}

impl ExitProof {
    /// The calldata of `exit(bytes header, uint32 index, bytes row, bytes32 salt, bytes32[] path)`.
    #[must_use]
    pub fn calldata(&self) -> Bytes {
        let Self { header, index, row, salt, path } = self.clone();
        CREDarkPool::exitCall { header, index, row, salt, path }.abi_encode().into()
    }
}

fn call(to: Address, call: &impl SolCall) -> TransactionRequest {
    TransactionRequest::default().to(to).input(call.abi_encode().into())
}

/// Lets `spender` take `amount` of a token.
#[must_use]
pub fn approve(token: Address, spender: Address, amount: U256) -> TransactionRequest {
    call(token, &TestToken::approveCall { spender, value: amount })
}

/// A deposit; the ciphertext names the table account.
#[must_use]
pub fn deposit(pool: Address, asset: u32, amount: U256, salt: B256, ciphertext: Bytes) -> TransactionRequest {
    call(pool, &CREDarkPool::depositCall { assetIndex: asset, amount, salt, ciphertext })
}

/// A deposit of what a [`permit`](crate::permit) lets the pool take.
#[must_use]
pub fn deposit_with_permit(
    pool: Address,
    asset: u32,
    amount: U256,
    (salt, ciphertext): (B256, Bytes),
    permit: CREDarkPool::Permit,
) -> TransactionRequest {
    call(pool, &CREDarkPool::depositWithPermitCall { assetIndex: asset, amount, salt, ciphertext, permit })
}

/// A request to be paid out; the ciphertext says what and from which account.
#[must_use]
pub fn request_withdrawal(pool: Address, salt: B256, ciphertext: Bytes) -> TransactionRequest {
    call(pool, &CREDarkPool::requestWithdrawalCall { salt, ciphertext })
}

/// A sealed submission: a standing order, or an instruction that looks like one.
#[must_use]
pub fn submit_standing_order(pool: Address, salt: B256, ciphertext: Bytes) -> TransactionRequest {
    call(pool, &CREDarkPool::submitStandingOrderCall { salt, ciphertext })
}

/// Leaving with a row of the current table; its account must be the sender.
#[must_use]
pub fn exit(pool: Address, proof: &ExitProof) -> TransactionRequest {
    TransactionRequest::default().to(pool).input(proof.calldata().into())
}

/// Taking back a deposit that no round consumed; who made it must be the sender.
#[must_use]
pub fn reclaim(pool: Address, index: u64, token: Address, amount: U256, ciphertext_hash: B256) -> TransactionRequest {
    call(pool, &CREDarkPool::reclaimCall { index, token, amount, hash: ciphertext_hash })
}
