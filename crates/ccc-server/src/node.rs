//! One participant behind its server: every ask is checked as the actor checks it, and what is given is on the medium
//! before it leaves.

use crate::{
    audit::{AuditLog, Auditor, Named},
    follow::{Clock, Followed, NotReady, Snapshot},
    frame::Reply,
};
use alloy::primitives::B256;
use ccc_chain::handover::verification_root;
use ccc_core::identifier::Identifier;
use ccc_node::vault_node::{Answered, Ask, ChainView, Journal, Participant, Prepared, Refusal, VaultNode};
use rand::{
    CryptoRng, SeedableRng,
    rngs::{StdRng, SysRng},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What became of one ask, for logs and meters; the peer sees the [`Reply`] alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A share was given.
    Given,
    /// Refused.
    Refused,
    /// The block is not read here yet.
    Later,
}

impl Outcome {
    /// The outcome in a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Refused => "refused",
            Self::Later => "later",
        }
    }

    fn of(reply: &Reply) -> Self {
        match reply {
            Reply::Answered(_) => Self::Given,
            Reply::Refused => Self::Refused,
            Reply::Later => Self::Later,
        }
    }
}

/// Why a call as a whole gets no replies.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The node does not trust what it reads.
    #[error(transparent)]
    NotReady(#[from] Arc<NotReady>),
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    Randomness,
}

/// A participant, the chain as it reads it, its clock and its audit log.
pub struct Node<J> {
    participant: Participant,
    /// With a share of the next epoch, which serves once the registry has that epoch.
    staged: Option<Participant>,
    /// Held for a look or for one synchronisation, and never while an ask is checked.
    answered: Mutex<Answered<J>>,
    identifier: Identifier,
    followed: Followed,
    clock: Arc<dyn Clock>,
    audit: Auditor,
}

impl<J: Journal> Node<J> {
    /// A node that answers for this participant.
    #[must_use]
    pub fn new(vault: VaultNode<J>, followed: Followed, clock: Arc<dyn Clock>, audit: Option<AuditLog>) -> Self {
        let identifier = vault.identifier();
        let (participant, answered) = vault.into_parts();
        let (answered, audit) = (Mutex::new(answered), Auditor::new(audit, Arc::clone(&clock)));
        Self { participant, staged: None, answered, identifier, followed, clock, audit }
    }

    /// The same node with a share of the next epoch beside its own. One of the two serves, as the registry says at a final
    /// block; the journal is one for both, so that no request identifier is answered in two epochs.
    #[must_use]
    pub fn with_staged(self, staged: Option<Participant>) -> Self {
        Self { staged, ..self }
    }

    /// Who it is.
    #[must_use]
    pub fn identifier(&self) -> Identifier {
        self.identifier
    }

    /// Whether it would answer. It waits for nobody: a journal that is being written counts as one that can be.
    ///
    /// # Errors
    /// [`NotReady`].
    pub fn ready(&self) -> Result<(), Arc<NotReady>> {
        self.in_office(&self.followed.snapshot()?)?;
        let writable = self.answered.try_lock().map_or(Ok(()), |answered| answered.writable());
        writable.map_err(|refusal| Arc::new(NotReady::Journal { reason: refusal.to_string() }))
    }

    /// Answers asks in their order. It blocks: the checks take processor time, the journal waits for its medium.
    ///
    /// # Errors
    /// [`NodeError`]: none was looked at.
    pub fn answer(&self, peer: &str, asks: &[Ask]) -> Result<Vec<Reply>, NodeError> {
        let snapshot = self.followed.snapshot()?;
        let participant = self.in_office(&snapshot)?;
        let mut rng = StdRng::try_from_rng(&mut SysRng).map_err(|_| NodeError::Randomness)?;
        let now = self.clock.now();
        let one = |ask: &Ask| self.prepare(participant, &snapshot.view(&ask.request.block_hash), ask, now, &mut rng);
        let prepared: Vec<_> = asks.iter().map(one).collect();
        let replies = said(peer, asks, self.keep(prepared));
        let outcome = |(ask, reply): (&Ask, &Reply)| (Named::from(ask), Outcome::of(reply));
        self.audit.append(peer, asks.iter().zip(&replies).map(outcome));
        Ok(replies)
    }

    /// Whose share serves: that of the registry's epoch, and where no registry is asked, the one in use. The staged one is
    /// of the very committee that the registry has.
    fn in_office(&self, snapshot: &Snapshot) -> Result<&Participant, Arc<NotReady>> {
        let Some(office) = snapshot.vault() else { return Ok(&self.participant) };
        let expected = B256::from(self.participant.committee().master_public_key().to_bytes());
        if office.master_key != expected {
            return Err(Arc::new(NotReady::OtherVault { expected, found: office.master_key }));
        }
        let (held, found) = (self.participant.epoch().0, office.epoch);
        match &self.staged {
            _ if held == found => Ok(&self.participant),
            Some(staged) if staged.epoch().0 != found => {
                Err(Arc::new(NotReady::OtherEpoch { held, staged: Some(staged.epoch().0), found }))
            }
            Some(staged) if verification_root(staged.committee()) == office.root => Ok(staged),
            Some(_) => Err(Arc::new(NotReady::OtherCommittee { epoch: found })),
            None => Err(Arc::new(NotReady::OtherEpoch { held, staged: None, found })),
        }
    }

    fn prepare(
        &self,
        participant: &Participant,
        view: &ChainView,
        ask: &Ask,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Option<Prepared>, Refusal> {
        let Some(checked) = participant.check(view, ask, now)? else { return Ok(None) };
        // a statement of its own: the lock ends with it
        let before = self.answered().before(&checked)?;
        before.map_or_else(|| participant.make(ask, checked, rng), Ok).map(Some)
    }

    fn answered(&self) -> MutexGuard<'_, Answered<J>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing is given before all of it is on the medium.
    fn keep(&self, prepared: Vec<Result<Option<Prepared>, Refusal>>) -> Vec<Result<Reply, Refusal>> {
        let mut answered = self.answered();
        let kept = prepared.into_iter().map(|prepared| match prepared? {
            Some(prepared) => answered.keep(prepared).map(|envelope| Reply::Answered(Box::new(envelope))),
            None => Ok(Reply::Refused),
        });
        let kept: Vec<_> = kept.collect();
        match answered.settle() {
            Ok(()) => kept,
            Err(refusal) => {
                tracing::error!(target: "ccc_server::node", "{refusal}");
                kept.into_iter().map(|reply| reply.map(|_| Reply::Refused)).collect()
            }
        }
    }

    /// Takes a page of what is past, by the clock and by the newest finalised block, out of the journal: calls go on between
    /// two pages. Whether there is more to do. It blocks.
    pub fn forget(&self) -> bool {
        let Ok(snapshot) = self.followed.snapshot() else { return false };
        let now = self.clock.now().min(snapshot.finalised.time);
        let more = self.answered().forget(now);
        more.unwrap_or_else(|refusal| {
            tracing::error!(target: "ccc_server::node", "{refusal}");
            false
        })
    }

    /// Has the audit log on its medium.
    pub fn sync_audit(&self) {
        self.audit.sync();
    }
}

/// The replies to kept answers and refusals; the reasons stay in this node's own log, of a call's refusals the first one.
fn said(peer: &str, asks: &[Ask], kept: Vec<Result<Reply, Refusal>>) -> Vec<Reply> {
    let mut refused = 0_usize;
    let one = |(ask, kept): (&Ask, Result<Reply, Refusal>)| match kept {
        Ok(reply) => {
            let request = hex::encode(ask.request.id);
            tracing::info!(target: "ccc_server::node", peer, request, ciphertexts = ask.ciphertexts.len(), "answered");
            reply
        }
        Err(Refusal::Block) => Reply::Later,
        Err(refusal) => {
            if refused == 0 {
                let request = hex::encode(ask.request.id);
                tracing::warn!(target: "ccc_server::node", peer, request, "refused: {refusal}");
            }
            refused += 1;
            Reply::Refused
        }
    };
    let replies = asks.iter().zip(kept).map(one).collect();
    if refused > 1 {
        tracing::warn!(target: "ccc_server::node", peer, "{refused} of {} asks of the call refused", asks.len());
    }
    replies
}
