//! The messages of a ceremony on a chain: [`VaultBoard`] as the board of a key generation, a refresh or a reshare.
//!
//! A round is over when a final block is later than its end; then everybody reads the same messages in the same order.
//! What is posted again is not sent again, so a participant that restarts goes on where it was.

mod agreement;
mod checked;

pub use agreement::Agreement;
pub use checked::CheckedCeremony;

use crate::{Chain, ChainError, Wallet, bindings::VaultBoard};
use alloy::{
    network::TransactionBuilder,
    primitives::{Address, B256, U256, keccak256},
    rpc::types::TransactionRequest,
    sol_types::SolValue,
};
use ccc_core::{
    envelope::Envelope,
    identifier::Identifier,
    keys::board::{Board, BoardError, Round},
};
use std::collections::BTreeMap;
use tokio::runtime::Runtime;

/// What a ceremony is opened with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Accounts of the participants, in the order of their numbers.
    pub members: Vec<Address>,
    /// Last second of each round.
    pub ends: [u64; 4],
    /// Makes two ceremonies of the same members differ.
    pub salt: B256,
}

impl Opening {
    /// The nonce of the ceremony that this account opens with it on this board.
    #[must_use]
    pub fn nonce(&self, chain_id: u64, board: Address, opener: Address) -> B256 {
        let label = keccak256("ccc/v1/board");
        let words: Vec<u8> = self.members.iter().flat_map(|member| member.into_word().0).collect();
        let (chain, named) = (U256::from(chain_id), keccak256(words));
        keccak256((label, chain, board, opener, named, self.ends, self.salt).abi_encode_params())
    }
}

/// A ceremony on a chain, as somebody says; [`CheckedCeremony::check`] holds it against the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceremony {
    /// The contract, a [`VaultBoard`].
    pub board: Address,
    /// What the participants' session is made with.
    pub nonce: B256,
    /// The block in which it was opened.
    pub first_block: u64,
}

/// Puts a board on a chain.
///
/// # Errors
/// [`ChainError`].
pub async fn create(chain: &Chain, wallet: &Wallet) -> Result<Address, ChainError> {
    let request = TransactionRequest::default().with_deploy_code(VaultBoard::BYTECODE.clone());
    let sent = chain.send(wallet, request).await?;
    sent.contract.ok_or_else(|| ChainError::NotDeployed { contract: "VaultBoard".to_owned() })
}

/// Opens a ceremony on a board.
///
/// # Errors
/// The contract's refusal of members or ends; see [`ChainError`].
pub async fn open(chain: &Chain, wallet: &Wallet, board: Address, opening: &Opening) -> Result<Ceremony, ChainError> {
    let nonce = opening.nonce(chain.chain_id(), board, wallet.address());
    let Opening { members, ends, salt } = opening.clone();
    let instance = VaultBoard::new(board, chain.provider());
    let sent = chain.send(wallet, instance.open(members, ends, salt).into_transaction_request()).await?;
    Ok(Ceremony { board, nonce, first_block: sent.block })
}

/// A ceremony as [`Board`], for participants that post with these wallets.
///
/// A message that was posted is in a block that may still be taken back, and nothing here sends it again by itself: post it
/// again until the round is over.
///
/// *Security*: its calls block on a runtime of their own and panic inside another one; they are for commands and tests.
pub struct ChainBoard {
    ceremony: CheckedCeremony,
    wallets: BTreeMap<Identifier, Wallet>,
    runtime: Runtime,
}

impl ChainBoard {
    /// A ceremony that was held against the chain, as [`CheckedCeremony::check`] does it.
    ///
    /// # Errors
    /// As [`CheckedCeremony::check`].
    pub fn new(chain: Chain, ceremony: Ceremony, agreed: &Opening, opener: Address) -> Result<Self, BoardError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| BoardError::Unreachable(error.to_string()))?;
        let ceremony = runtime.block_on(CheckedCeremony::check(chain, ceremony, agreed, opener))?;
        Ok(Self { ceremony, wallets: BTreeMap::new(), runtime })
    }

    /// Posts for this participant with this wallet.
    #[must_use]
    pub fn with_wallet(mut self, identifier: Identifier, wallet: Wallet) -> Self {
        self.wallets.insert(identifier, wallet);
        self
    }

    /// Last second of a round.
    #[must_use]
    pub fn end(&self, round: Round) -> u64 {
        self.ceremony.end(round)
    }
}

impl Board for ChainBoard {
    fn nonce(&self) -> [u8; 32] {
        self.ceremony.nonce()
    }

    fn post(&mut self, round: Round, envelope: Envelope) -> Result<(), BoardError> {
        let sender = envelope.identifier();
        let wallet = self.wallets.get(&sender);
        let wallet = wallet.ok_or_else(|| BoardError::Unreachable(format!("no wallet posts for {sender}")))?;
        self.runtime.block_on(self.ceremony.post(round, &envelope, wallet)).map(drop)
    }

    /// What was posted in a round that is over by a final block.
    ///
    /// # Errors
    /// [`BoardError::Early`] until then.
    fn close(&mut self, round: Round) -> Result<Vec<Envelope>, BoardError> {
        self.runtime.block_on(self.ceremony.closed(round))
    }
}
