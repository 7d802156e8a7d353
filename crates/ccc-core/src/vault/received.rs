//! What arrived for a request, sorted by sender before anything is opened.

use super::statement::Statement;
use crate::encoding::Kind;
use crate::envelope::Envelope;
use crate::flood::{Different, Place};
use crate::identifier::Identifier;

/// Envelopes per member that are looked at; whoever collects them, and can drop any, sorts out a flood beforehand.
const MAX_PER_MEMBER: usize = 64;

/// The distinct payloads of a kind that members signed for a request, ascending by sender.
///
/// More of one sender than are looked into are dropped, and blame nobody: an honest participant answers every attempt
/// anew, and whoever collects the answers can bring those of many attempts at once.
pub(crate) struct Received<'e>(Different<Identifier, &'e [u8]>);

impl<'e> Received<'e> {
    pub(crate) fn sort(statement: &Statement<'_>, kind: Kind, envelopes: &'e [Envelope]) -> Self {
        let mut sorted = Different::default();
        let bound = MAX_PER_MEMBER * statement.committee.members().len();
        for envelope in envelopes.iter().take(bound) {
            if envelope.kind() != kind || envelope.topic() != statement.request_digest {
                continue;
            }
            if sorted.place(envelope.identifier(), &envelope.unverified_payload()) != Place::New {
                continue;
            }
            if let Ok(payload) = envelope.verify(statement.committee) {
                sorted.put(envelope.identifier(), payload);
            }
        }
        Self(sorted)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Identifier, &'e [u8])> {
        self.0.iter().map(|(identifier, payload)| (identifier, *payload))
    }
}
