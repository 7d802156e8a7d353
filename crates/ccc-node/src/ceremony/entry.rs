//! The registry's entry, which moves with the epoch: each dealer of a finished handover signs it on the board, and whoever
//! first sees n−F signatures delivers them.

use ccc_chain::{
    ChainError, Wallet,
    bindings::vault_registry::VaultRegistry::Committee as Entry,
    board::{Agreement, CheckedCeremony},
    handover::{self, InOffice},
};
use ccc_core::keys::{
    Committee, Session,
    board::{BoardError, Round},
    rounds::{RoundsError, audit},
};

use alloy::{
    eips::BlockId,
    primitives::{Address, B256},
};

/// A finished handover whose entry is to move.
pub struct Handing<'a> {
    /// What the participants agreed on.
    pub agreement: &'a Agreement,
    /// The session of the handover.
    pub session: &'a Session,
    /// The committee that this participant holds as the result. What is signed is what the closed rounds give: the two have
    /// to be the same.
    pub next: &'a Committee,
}

/// Where the entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entered {
    /// The registry has the new committee at a final block: old shares have had their time.
    Final,
    /// The registry has it, in a block that is not final: the old share serves.
    Delivered,
    /// Signatures are missing: the old share serves.
    Waits {
        /// Signatures on the board that count.
        have: usize,
        /// n−F.
        need: usize,
    },
}

/// Why the entry does not move. Nothing was sent, and the old share serves.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The board.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// The agreement names no registry, or nothing is handed over.
    #[error("the ceremony names no registry, or hands nothing over")]
    NoRegistry,
    /// No registry stands where the agreement names one.
    #[error("there is no VaultRegistry at {registry}: another contract, or none")]
    OtherContract {
        /// The address.
        registry: Address,
    },
    /// The agreement is of another ceremony than the board.
    #[error("the agreement is of the ceremony {expected}, the board of {found}")]
    OtherCeremony {
        /// The agreement's nonce.
        expected: B256,
        /// The board's.
        found: B256,
    },
    /// The closed rounds give no result.
    #[error("the rounds ended: {0}")]
    Rounds(#[from] RoundsError),
    /// The closed rounds give another committee than the one held.
    #[error("the rounds give a committee of root {expected}, this participant holds one of {found}")]
    OtherResult {
        /// Root over the verification keys that the rounds give.
        expected: B256,
        /// Root over those held.
        found: B256,
    },
    /// The registry has neither the committee that hands over nor the one that was made.
    #[error("the registry {registry} has the committee {found} of epoch {epoch}, expected {expected}")]
    OtherCommittee {
        /// The registry.
        registry: Address,
        /// Its epoch.
        epoch: u64,
        /// Digest of the committee that hands over, or of the new one.
        expected: B256,
        /// Digest of the committee in office.
        found: B256,
    },
    /// The handover can be delivered no more.
    #[error("the handover could be delivered until {until}, it is {now}")]
    Expired {
        /// Its last second.
        until: u64,
        /// The newest block's time.
        now: u64,
    },
}

struct Place<'a> {
    board: &'a CheckedCeremony,
    registry: Address,
    old: B256,
    next: Entry,
    until: u64,
}

/// Signs, where the wallet is a dealer's, delivers once there are n−F signatures, and says where the entry stands. Call it
/// again until it is final.
///
/// *Security*: call it once the new share is on its medium. The committee that is signed is computed from the rounds as
/// final blocks closed them, whatever the caller holds.
///
/// # Errors
/// [`EntryError`].
pub async fn enter(handing: &Handing<'_>, board: &CheckedCeremony, wallet: &Wallet) -> Result<Entered, EntryError> {
    let Handing { agreement, session, next } = *handing;
    let old = session.old().ok_or(EntryError::NoRegistry)?;
    let (expected, found) = (agreement.ceremony().nonce, B256::from(board.nonce()));
    if expected != found {
        return Err(EntryError::OtherCeremony { expected, found });
    }
    let (chain, registry) = (board.chain(), agreement.registry.ok_or(EntryError::NoRegistry)?);
    if !handover::is_registry(chain, registry).await? {
        return Err(EntryError::OtherContract { registry });
    }
    let place = Place {
        board,
        registry,
        old: handover::digest_of(&handover::entry(old, &agreement.dealers)?),
        next: handover::entry(next, &agreement.receivers)?,
        until: agreement.deliverable_until(),
    };
    let last = chain.finalised_block().await?;
    if place.has_next(last.id()).await?.is_none() {
        return Ok(Entered::Final);
    }
    let Some(office) = place.has_next(BlockId::latest()).await? else { return Ok(Entered::Delivered) };
    check_result(session, board, next).await?;
    let now = chain.block(BlockId::latest()).await?.time;
    if now > place.until {
        return Err(EntryError::Expired { until: place.until, now });
    }
    place.sign_and_deliver(&office, agreement.dealers.contains(&wallet.address()), wallet).await
}

/// What is held is what the closed rounds give.
async fn check_result(session: &Session, board: &CheckedCeremony, held: &Committee) -> Result<(), EntryError> {
    let (commit, open) = (board.closed(Round::Commit).await?, board.closed(Round::Open).await?);
    let (complain, confirm) = (board.closed(Round::Complain).await?, board.closed(Round::Confirm).await?);
    let audited = audit(session, [&commit, &open, &complain, &confirm])?;
    if audited.committee.digest() == held.digest() {
        return Ok(());
    }
    let [expected, found] = [&audited.committee, held].map(handover::verification_root);
    Err(EntryError::OtherResult { expected, found })
}

impl Place<'_> {
    /// Nothing where the new committee is in office at a block; the old one where it still is.
    async fn has_next(&self, at: BlockId) -> Result<Option<InOffice>, EntryError> {
        let office = handover::in_office(self.board.chain(), self.registry, at).await?;
        let next = handover::digest_of(&self.next);
        match office.digest {
            found if found == next => Ok(None),
            found if found == self.old => Ok(Some(office)),
            found => {
                let expected = if office.epoch < self.next.epoch { self.old } else { next };
                Err(EntryError::OtherCommittee { registry: self.registry, epoch: office.epoch, expected, found })
            }
        }
    }

    async fn sign_and_deliver(&self, office: &InOffice, deals: bool, wallet: &Wallet) -> Result<Entered, EntryError> {
        let chain = self.board.chain();
        let digest = handover::signed_digest(chain.chain_id(), self.registry, self.old, &self.next, self.until);
        if deals {
            self.board.sign(&handover::sign(wallet, &digest)?, wallet).await?;
        }
        let signatures = self.board.signatures().await?;
        let mut counted = handover::that_count(chain, self.registry, office, &digest, &signatures).await?;
        let (have, need) = (counted.len(), office.quorum);
        if have < need {
            return Ok(Entered::Waits { have, need });
        }
        counted.truncate(need);
        let next = (self.next.clone(), self.until);
        match handover::deliver(chain, wallet, self.registry, next, counted).await {
            Ok(()) => Ok(Entered::Delivered),
            // somebody was first: the registry says so
            Err(error) => match self.has_next(BlockId::latest()).await? {
                None => Ok(Entered::Delivered),
                Some(_) => Err(error.into()),
            },
        }
    }
}
