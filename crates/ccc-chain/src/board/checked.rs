//! A ceremony that was held against the chain: posting to it, reading it.

use super::{Agreement, Ceremony, Opening};
use crate::{Chain, ChainError, Wallet, bindings::VaultBoard, watch::spans};
use alloy::{
    eips::BlockId,
    primitives::{Address, B256, Bytes},
    providers::Provider,
    rpc::types::{Filter, Log},
    sol_types::SolEvent,
};
use ccc_core::{
    envelope::Envelope,
    keys::board::{BoardError, Round},
};

const ROUNDS: [Round; 4] = [Round::Commit, Round::Open, Round::Complain, Round::Confirm];

/// Where members sign the handover, after the rounds.
const SIGN: u8 = 5;
/// Bytes of a signature r ‖ s ‖ v.
const SIGNATURE: usize = 65;

/// A ceremony whose members, ends, salt and opener are those agreed on, and whose opening is final.
///
/// *Security*: what was posted is in a block that may still be taken back, and nothing sends it again by itself: post again
/// until the round is over. What is there is not sent twice.
#[derive(Clone)]
pub struct CheckedCeremony {
    chain: Chain,
    ceremony: Ceremony,
    ends: [u64; 4],
}

impl CheckedCeremony {
    /// Holds a ceremony against what was agreed on: its members, ends, salt and opener give its nonce, the contract is a
    /// [`VaultBoard`], and a final block, the one that is named, opened it. So all who agreed read the same messages.
    ///
    /// # Errors
    /// [`BoardError::Unreachable`], also where the ceremony is another one or its opening is not final.
    pub async fn check(
        chain: Chain,
        ceremony: Ceremony,
        agreed: &Opening,
        opener: Address,
    ) -> Result<Self, BoardError> {
        if agreed.nonce(chain.chain_id(), ceremony.board, opener) != ceremony.nonce {
            return Err(other(&ceremony, "is not the one of these members, ends, salt and opener"));
        }
        check_opened(&chain, &ceremony, agreed).await?;
        Ok(Self { chain, ceremony, ends: agreed.ends })
    }

    /// As [`Self::check`], of an agreement.
    ///
    /// # Errors
    /// As [`Self::check`]; [`BoardError::Unreachable`] for an agreement on another chain.
    pub async fn agreed(chain: Chain, agreement: &Agreement) -> Result<Self, BoardError> {
        let (ceremony, found) = (agreement.ceremony(), chain.chain_id());
        if found != agreement.chain_id {
            let expected = agreement.chain_id;
            return Err(BoardError::Unreachable(format!("the node is of chain {found}, the ceremony of {expected}")));
        }
        Self::check(chain, ceremony, &agreement.opening(), agreement.opener).await
    }

    /// What the participants' session is made with.
    #[must_use]
    pub fn nonce(&self) -> [u8; 32] {
        self.ceremony.nonce.0
    }

    /// Last second of a round.
    #[must_use]
    pub fn end(&self, round: Round) -> u64 {
        self.ends[usize::from(number(round) - 1)]
    }

    /// The chain that it is read from.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Posts a message to the round that runs by the newest block, unless it is there; whether it was sent.
    ///
    /// # Errors
    /// [`BoardError::Early`], [`BoardError::Late`]; [`BoardError::Unreachable`] with the contract's refusal.
    pub async fn post(&self, round: Round, envelope: &Envelope, wallet: &Wallet) -> Result<bool, BoardError> {
        match self.running().await.map_err(unreachable)? {
            Some(running) if running > round => Err(BoardError::Late { round }),
            None => Err(BoardError::Late { round }),
            Some(running) if running < round => Err(BoardError::Early { round }),
            Some(_) => self.send(number(round), envelope.to_bytes().into(), wallet).await.map_err(unreachable),
        }
    }

    /// What was posted to a round by the newest block, whether the round is over or not.
    ///
    /// # Errors
    /// [`BoardError::Unreachable`].
    pub async fn so_far(&self, round: Round) -> Result<Vec<Envelope>, BoardError> {
        self.newest(number(round)).await.map(|messages| envelopes(&messages)).map_err(unreachable)
    }

    /// What was posted to a round that is over by a final block.
    ///
    /// # Errors
    /// [`BoardError::Early`] until then.
    pub async fn closed(&self, round: Round) -> Result<Vec<Envelope>, BoardError> {
        let last = self.chain.finalised_block().await.map_err(unreachable)?;
        if last.time <= self.end(round) {
            return Err(BoardError::Early { round });
        }
        let messages = self.messages(number(round), last.number).await.map_err(unreachable)?;
        Ok(envelopes(&messages))
    }

    /// Posts what a member signed of the handover, unless it is there; whether it was sent.
    ///
    /// # Errors
    /// [`BoardError::Unreachable`] with the contract's refusal: the last round runs, or the sender is no member.
    pub async fn sign(&self, signature: &[u8; SIGNATURE], wallet: &Wallet) -> Result<bool, BoardError> {
        self.send(SIGN, Bytes::copy_from_slice(signature), wallet).await.map_err(unreachable)
    }

    /// What members signed of the handover by the newest block, in the chain's order, not looked at. What has another length
    /// is left out.
    ///
    /// # Errors
    /// [`BoardError::Unreachable`].
    pub async fn signatures(&self) -> Result<Vec<[u8; SIGNATURE]>, BoardError> {
        let messages = self.newest(SIGN).await.map_err(unreachable)?;
        Ok(messages.iter().filter_map(|message| message.as_ref().try_into().ok()).collect())
    }

    /// Which round runs by the chain's newest block, none once all are over.
    async fn running(&self) -> Result<Option<Round>, ChainError> {
        let time = self.chain.block(BlockId::latest()).await?.time;
        Ok(ROUNDS.into_iter().find(|round| time <= self.end(*round)))
    }

    async fn send(&self, round: u8, message: Bytes, wallet: &Wallet) -> Result<bool, ChainError> {
        if self.newest(round).await?.contains(&message) {
            return Ok(false);
        }
        let instance = VaultBoard::new(self.ceremony.board, self.chain.provider());
        let request = instance.post(self.ceremony.nonce, round, message).into_transaction_request();
        self.chain.send(wallet, request).await.map(|_| true)
    }

    async fn newest(&self, round: u8) -> Result<Vec<Bytes>, ChainError> {
        let newest = self.chain.block(BlockId::latest()).await?;
        self.messages(round, newest.number).await
    }

    /// Everything that was posted to a round up to a block, in the chain's order.
    async fn messages(&self, round: u8, last: u64) -> Result<Vec<Bytes>, ChainError> {
        let filter = Filter::new().address(self.ceremony.board).event_signature(VaultBoard::Posted::SIGNATURE_HASH);
        let filter = filter.topic1(self.ceremony.nonce).topic2(B256::with_last_byte(round));
        let mut logs = Vec::new();
        for (from, to) in spans(self.ceremony.first_block, last) {
            logs.extend(self.chain.provider().get_logs(&filter.clone().from_block(from).to_block(to)).await?);
        }
        logs.sort_by_key(|log| (log.block_number, log.log_index));
        logs.iter().map(message).collect()
    }
}

fn message(log: &Log) -> Result<Bytes, ChainError> {
    let place = (log.block_number.unwrap_or_default(), log.log_index.unwrap_or_default());
    let posted = VaultBoard::Posted::decode_log(&log.inner);
    let wrong = |_| ChainError::Event { contract: log.address(), block: place.0, log_index: place.1 };
    posted.map(|posted| posted.data.message).map_err(wrong)
}

/// The messages that are envelopes: the others count for nothing.
fn envelopes(messages: &[Bytes]) -> Vec<Envelope> {
    messages.iter().filter_map(|message| Envelope::from_bytes(message).ok()).collect()
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
