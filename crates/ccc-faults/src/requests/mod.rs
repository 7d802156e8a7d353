//! Re-encryption on the simulated network: participants of `ccc-node` with a journal on a simulated medium, and a host that
//! asks all of them and opens with the first t valid answers.

mod asker;
mod asks;
mod journal;
mod node;
pub mod rows;

use crate::network::{Event, Host, Message, Outbox};
use asker::Asker;
use ccc_core::envelope::Envelope;
use ccc_node::vault_node::Ask;
use node::Node;
use std::sync::Arc;

/// The host that asks; participants follow it.
const ASKER: usize = 0;
/// The chain's time when the simulation begins. *Units*: Unix seconds.
const BEGINS: u64 = 1_800_000_000;

/// What travels between the host and participants.
#[derive(Clone)]
pub(crate) enum Word {
    Ask(Arc<Ask>),
    Answer(Arc<Envelope>),
}

impl Message for Word {
    fn trace(&self, hash: &mut blake3::Hasher) {
        match self {
            Self::Ask(ask) => hash.update(&[0]).update(&ask.request.digest()),
            Self::Answer(envelope) => hash.update(&[1]).update(&envelope.to_bytes()),
        };
    }
}

/// A machine of a re-encryption.
pub(crate) enum Machine {
    Asker(Box<Asker>),
    Node(Box<Node>),
}

impl Host for Machine {
    type Message = Word;

    fn take(&mut self, event: Event<Word>, out: &mut Outbox<Word>) {
        match self {
            Self::Asker(asker) => asker.take(event, out),
            Self::Node(node) => node.take(event, out),
        }
    }

    fn crash(&mut self) {
        match self {
            Self::Asker(_) => {}
            Self::Node(node) => node.crash(),
        }
    }
}
