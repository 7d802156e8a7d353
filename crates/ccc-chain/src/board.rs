//! The messages of a ceremony on a chain: [`VaultBoard`] as the board of a key generation, a refresh or a reshare.
//!
//! A round is over when a final block is later than its end; then everybody reads the same messages in the same order.
//! What is posted again is not sent again, so a participant that restarts goes on where it was.

use crate::{Chain, ChainError, Wallet, bindings::VaultBoard, watch::spans};
use alloy::{
    network::TransactionBuilder,
    primitives::{Address, B256, Bytes, U256, keccak256},
    providers::Provider,
    rpc::types::{Filter, TransactionRequest},
    sol_types::{SolEvent, SolValue},
};
use ccc_core::{
    envelope::Envelope,
    identifier::Identifier,
    keys::board::{Board, BoardError, Round},
};
use std::collections::BTreeMap;
use tokio::runtime::Runtime;

const ROUNDS: [Round; 4] = [Round::Commit, Round::Open, Round::Complain, Round::Confirm];

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

/// A ceremony on a chain, as somebody says; [`ChainBoard::new`] holds it against the chain.
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
    chain: Chain,
    ceremony: Ceremony,
    ends: [u64; 4],
    wallets: BTreeMap<Identifier, Wallet>,
    runtime: Runtime,
}

impl ChainBoard {
    /// Holds a ceremony against what was agreed on: its members, ends, salt and opener give its nonce, the contract is a
    /// [`VaultBoard`], and a final block, the one that is named, opened it. So all who agreed read the same messages.
    ///
    /// # Errors
    /// [`BoardError::Unreachable`], also where the ceremony is another one or its opening is not final.
    pub fn new(chain: Chain, ceremony: Ceremony, agreed: &Opening, opener: Address) -> Result<Self, BoardError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(unreachable)?;
        if agreed.nonce(chain.chain_id(), ceremony.board, opener) != ceremony.nonce {
            return Err(other(&ceremony, "is not the one of these members, ends, salt and opener"));
        }
        runtime.block_on(check_opened(&chain, &ceremony, agreed))?;
        Ok(Self { chain, ceremony, ends: agreed.ends, wallets: BTreeMap::new(), runtime })
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
        self.ends[usize::from(number(round) - 1)]
    }

    /// Everything that was posted to a round up to a block, in the chain's order, whether the round is over or not.
    async fn messages(&self, round: Round, last: u64) -> Result<Vec<Bytes>, ChainError> {
        let topics = (self.ceremony.nonce, B256::with_last_byte(number(round)));
        let filter = Filter::new().address(self.ceremony.board).event_signature(VaultBoard::Posted::SIGNATURE_HASH);
        let filter = filter.topic1(topics.0).topic2(topics.1);
        let mut logs = Vec::new();
        for (from, to) in spans(self.ceremony.first_block, last) {
            logs.extend(self.chain.provider().get_logs(&filter.clone().from_block(from).to_block(to)).await?);
        }
        logs.sort_by_key(|log| (log.block_number, log.log_index));
        let message = |log: &alloy::rpc::types::Log| {
            let place = (log.block_number.unwrap_or_default(), log.log_index.unwrap_or_default());
            let posted = VaultBoard::Posted::decode_log(&log.inner);
            let wrong = |_| ChainError::Event { contract: log.address(), block: place.0, log_index: place.1 };
            posted.map(|posted| posted.data.message).map_err(wrong)
        };
        logs.iter().map(message).collect()
    }

    async fn send(&self, round: Round, envelope: &Envelope) -> Result<(), ChainError> {
        let Some(wallet) = self.wallets.get(&envelope.identifier()) else {
            return Err(ChainError::OutOfRange { field: "sender", found: envelope.identifier().to_string() });
        };
        let message = Bytes::from(envelope.to_bytes());
        let newest = self.chain.block(alloy::eips::BlockId::latest()).await?;
        if self.messages(round, newest.number).await?.contains(&message) {
            return Ok(());
        }
        let instance = VaultBoard::new(self.ceremony.board, self.chain.provider());
        let request = instance.post(self.ceremony.nonce, number(round), message).into_transaction_request();
        self.chain.send(wallet, request).await.map(drop)
    }

    /// Which round runs by the chain's newest block, none once all are over.
    async fn running(&self) -> Result<Option<Round>, ChainError> {
        let time = self.chain.block(alloy::eips::BlockId::latest()).await?.time;
        Ok(ROUNDS.into_iter().find(|round| time <= self.end(*round)))
    }

    async fn post_to(&self, round: Round, envelope: &Envelope) -> Result<(), BoardError> {
        match self.running().await.map_err(unreachable)? {
            Some(running) if running > round => Err(BoardError::Late { round }),
            None => Err(BoardError::Late { round }),
            Some(running) if running < round => Err(BoardError::Early { round }),
            Some(_) => self.send(round, envelope).await.map_err(unreachable),
        }
    }

    async fn closed(&self, round: Round) -> Result<Vec<Envelope>, BoardError> {
        let last = self.chain.finalised_block().await.map_err(unreachable)?;
        if last.time <= self.end(round) {
            return Err(BoardError::Early { round });
        }
        let messages = self.messages(round, last.number).await.map_err(unreachable)?;
        Ok(messages.iter().filter_map(|message| Envelope::from_bytes(message).ok()).collect())
    }
}

async fn check_opened(chain: &Chain, ceremony: &Ceremony, agreed: &Opening) -> Result<(), BoardError> {
    let code = chain.provider().get_code_at(ceremony.board).await.map_err(unreachable)?;
    if code != *VaultBoard::DEPLOYED_BYTECODE {
        return Err(other(ceremony, "is on no board: another contract, or none, is there"));
    }
    if chain.finalised_block().await.map_err(unreachable)?.number < ceremony.first_block {
        return Err(other(ceremony, "is not open by a final block yet"));
    }
    let filter = Filter::new().address(ceremony.board).event_signature(VaultBoard::CeremonyOpened::SIGNATURE_HASH);
    let filter = filter.topic1(ceremony.nonce).from_block(ceremony.first_block).to_block(ceremony.first_block);
    let logs = chain.provider().get_logs(&filter).await.map_err(unreachable)?;
    let opened = logs.first().and_then(|log| VaultBoard::CeremonyOpened::decode_log(&log.inner).ok());
    let opened = opened.ok_or_else(|| other(ceremony, "was not opened in the block that is named"))?;
    if opened.members == agreed.members && opened.ends == agreed.ends {
        return Ok(());
    }
    Err(other(ceremony, "has other members or ends"))
}

fn other(ceremony: &Ceremony, what: &str) -> BoardError {
    BoardError::Unreachable(format!("the ceremony {} at {} {what}", ceremony.nonce, ceremony.board))
}

fn number(round: Round) -> u8 {
    match round {
        Round::Commit => 1,
        Round::Open => 2,
        Round::Complain => 3,
        Round::Confirm => 4,
    }
}

fn unreachable(error: impl std::fmt::Display) -> BoardError {
    BoardError::Unreachable(error.to_string())
}

impl Board for ChainBoard {
    fn nonce(&self) -> [u8; 32] {
        self.ceremony.nonce.0
    }

    fn post(&mut self, round: Round, envelope: Envelope) -> Result<(), BoardError> {
        self.runtime.block_on(self.post_to(round, &envelope))
    }

    /// What was posted in a round that is over by a final block.
    ///
    /// # Errors
    /// [`BoardError::Early`] until then.
    fn close(&mut self, round: Round) -> Result<Vec<Envelope>, BoardError> {
        self.runtime.block_on(self.closed(round))
    }
}
