//! What stands behind a server's doors: a participant, an enclave's host, a signer of reports.

use crate::{
    audit::{Auditor, Named},
    frame::{self, Reply},
    node::{Node, NodeError, Outcome},
};
use ccc_node::vault_node::Journal;

/// One path of a server: POST alone, with one content type each way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Door {
    /// The path.
    pub path: &'static str,
    /// Content type of a call.
    pub asks: &'static str,
    /// Content type of its answer.
    pub replies: &'static str,
}

/// The answer to a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Its body.
    pub body: Vec<u8>,
    /// What became of each thing that was asked for, for the meters.
    pub outcomes: Vec<&'static str>,
    /// Whether it leaves at a multiple of the refusal step alone, so that its time does not tell what was refused.
    pub held: bool,
}

/// Why a call gets no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// A body that is none, with what is wrong about it.
    Malformed(String),
    /// The application does not trust what it reads, or stops.
    NotReady,
    /// Not for this peer, or not now; the reason stays in the log.
    Refused,
}

/// What a server asks for its answers.
pub trait Application: Send + Sync + 'static {
    /// Its paths.
    fn doors(&self) -> &'static [Door];
    /// Whether it would answer; otherwise why not.
    ///
    /// # Errors
    /// The reason, for the operator.
    fn ready(&self) -> Result<(), String>;
    /// Answers a call of a known peer. It runs on the blocking pool; `body` is dropped when it is read.
    ///
    /// # Errors
    /// [`Denied`].
    fn answer(&self, door: &Door, peer: &str, body: &mut dyn Body) -> Result<Said, Denied>;
    /// Brings to its medium what waits; called every few seconds, and before the server ends.
    fn settle(&self) {}
    /// Takes out what is past, a page at a time; whether there is more to do. It may block.
    fn tidy(&self) -> bool {
        false
    }
}

/// A call's body, which takes room until it is dropped.
pub trait Body {
    /// Its bytes; none after [`Self::done`].
    fn bytes(&self) -> &[u8];
    /// Gives the room back.
    fn done(&mut self);
}

/// Answers a call that is no ask for shares, and writes what became of it into the node's audit log.
pub(crate) fn audited(
    audit: &Auditor,
    (door, peer): (&Door, &str),
    body: &mut dyn Body,
    answer: impl FnOnce(&mut dyn Body) -> Result<Said, Denied>,
) -> Result<Said, Denied> {
    let mut named = Named::call(door, body.bytes());
    let said = answer(body);
    let outcome = match &said {
        Ok(said) if said.outcomes.contains(&Outcome::Given.word()) => Outcome::Given,
        Ok(_) | Err(Denied::Refused) => Outcome::Refused,
        // nothing was looked at
        Err(Denied::Malformed(_) | Denied::NotReady) => return said,
    };
    if let Ok(said) = &said {
        named = named.answered(&said.body);
    }
    audit.append(peer, [(named, outcome)]);
    said
}

pub(crate) const VAULT: [Door; 1] = [Door { path: frame::PATH, asks: frame::ASKS, replies: frame::REPLIES }];

impl<J: Journal + Send + Sync + 'static> Application for Node<J> {
    fn doors(&self) -> &'static [Door] {
        &VAULT
    }

    fn ready(&self) -> Result<(), String> {
        Node::ready(self).map_err(|reason| reason.to_string())
    }

    fn answer(&self, _: &Door, peer: &str, body: &mut dyn Body) -> Result<Said, Denied> {
        let asks = frame::read_asks(body.bytes()).map_err(|error| Denied::Malformed(error.to_string()))?;
        body.done();
        let replies = Node::answer(self, peer, &asks).map_err(|_: NodeError| Denied::NotReady)?;
        let outcome = |reply: &Reply| match reply {
            Reply::Answered(_) => "given",
            Reply::Refused => "refused",
            Reply::Later => "later",
        };
        Ok(Said {
            body: frame::write_replies(&replies),
            outcomes: replies.iter().map(outcome).collect(),
            held: replies.iter().any(|reply| !matches!(reply, Reply::Answered(_))),
        })
    }

    fn settle(&self) {
        self.sync_audit();
    }

    fn tidy(&self) -> bool {
        self.forget()
    }
}
