//! One participant behind its server: every ask is checked as the actor checks it, and what is given is on the medium
//! before it leaves.

use crate::{
    audit::AuditLog,
    follow::{Clock, Followed, NotReady},
    frame::Reply,
};
use ccc_core::identifier::Identifier;
use ccc_node::vault_node::{Ask, Journal, Prepared, Refusal, VaultNode};
use rand::{
    SeedableRng,
    rngs::{StdRng, SysRng},
};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

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
    vault: RwLock<VaultNode<J>>,
    identifier: Identifier,
    followed: Followed,
    clock: Arc<dyn Clock>,
    audit: Mutex<Option<AuditLog>>,
}

impl<J: Journal> Node<J> {
    /// A node that answers for this participant.
    #[must_use]
    pub fn new(vault: VaultNode<J>, followed: Followed, clock: Arc<dyn Clock>, audit: Option<AuditLog>) -> Self {
        let identifier = vault.identifier();
        Self { vault: RwLock::new(vault), identifier, followed, clock, audit: Mutex::new(audit) }
    }

    /// Who it is.
    #[must_use]
    pub fn identifier(&self) -> Identifier {
        self.identifier
    }

    /// Whether it would answer.
    ///
    /// # Errors
    /// [`NotReady`].
    pub fn ready(&self) -> Result<(), Arc<NotReady>> {
        self.followed.snapshot().map(|_| ())
    }

    /// Answers asks in their order. It blocks: the checks take processor time, the journal waits for its medium.
    ///
    /// # Errors
    /// [`NodeError`]: none was looked at.
    pub fn answer(&self, peer: &str, asks: &[Ask]) -> Result<Vec<Reply>, NodeError> {
        let snapshot = self.followed.snapshot()?;
        let mut rng = StdRng::try_from_rng(&mut SysRng).map_err(|_| NodeError::Randomness)?;
        let now = self.clock.now();
        let prepared: Vec<_> = {
            let vault = self.vault.read().unwrap_or_else(PoisonError::into_inner);
            let one = |ask: &Ask| vault.prepare(&snapshot.view(&ask.request.block_hash), ask, now, &mut rng);
            asks.iter().map(one).collect()
        };
        let replies: Vec<_> = asks.iter().zip(self.keep(prepared)).map(|(ask, kept)| said(peer, ask, kept)).collect();
        self.log(peer, now, asks, &replies);
        Ok(replies)
    }

    /// Nothing is given before all of it is on the medium.
    fn keep(&self, prepared: Vec<Result<Option<Prepared>, Refusal>>) -> Vec<Result<Reply, Refusal>> {
        let mut vault = self.vault.write().unwrap_or_else(PoisonError::into_inner);
        let kept = prepared.into_iter().map(|prepared| match prepared? {
            Some(prepared) => vault.keep(prepared).map(|envelope| Reply::Answered(Box::new(envelope))),
            None => Ok(Reply::Refused),
        });
        let kept: Vec<_> = kept.collect();
        match vault.settle() {
            Ok(()) => kept,
            Err(refusal) => {
                tracing::error!(target: "ccc_server::node", "{refusal}");
                kept.into_iter().map(|reply| reply.map(|_| Reply::Refused)).collect()
            }
        }
    }

    fn log(&self, peer: &str, now: u64, asks: &[Ask], replies: &[Reply]) {
        let mut audit = self.audit.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(log) = audit.as_mut() else { return };
        for (ask, reply) in asks.iter().zip(replies) {
            if let Err(error) = log.append(now, peer, &ask.request, Outcome::of(reply)) {
                tracing::error!(target: "ccc_server::audit", "the audit log did not take an entry: {error}");
            }
        }
    }

    /// Has the audit log on its medium.
    pub fn sync_audit(&self) {
        let mut audit = self.audit.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Err(error)) = audit.as_mut().map(AuditLog::sync) {
            tracing::error!(target: "ccc_server::audit", "the audit log is not on its medium: {error}");
        }
    }
}

/// The reply to a kept answer or a refusal; the reason stays in this node's own log.
fn said(peer: &str, ask: &Ask, kept: Result<Reply, Refusal>) -> Reply {
    let request = hex::encode(ask.request.id);
    match kept {
        Ok(reply) => {
            tracing::info!(target: "ccc_server::node", peer, request, ciphertexts = ask.ciphertexts.len(), "answered");
            reply
        }
        Err(Refusal::Block) => Reply::Later,
        Err(refusal) => {
            tracing::warn!(target: "ccc_server::node", peer, request, "refused: {refusal}");
            Reply::Refused
        }
    }
}
