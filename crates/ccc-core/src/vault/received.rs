//! What arrived for a request, sorted by sender before anything is opened.

use super::statement::Statement;
use crate::encoding::Kind;
use crate::envelope::Envelope;
use crate::identifier::Identifier;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// Signed envelopes of one sender that are looked into; the rest is dropped.
const MAX_PER_SENDER: usize = 8;
/// Envelopes per member that are looked at; whoever collects them, and can drop any, sorts out a flood beforehand.
const MAX_PER_MEMBER: usize = 64;

/// The distinct payloads of a kind that members signed for a request, ascending by sender.
pub(crate) struct Received<'e>(BTreeMap<Identifier, Vec<&'e [u8]>>);

impl<'e> Received<'e> {
    pub(crate) fn sort(statement: &Statement<'_>, kind: Kind, envelopes: &'e [Envelope]) -> Self {
        let mut sorted: BTreeMap<Identifier, Vec<&[u8]>> = BTreeMap::new();
        let bound = MAX_PER_MEMBER * statement.committee.members().len();
        for envelope in envelopes.iter().take(bound) {
            if envelope.kind() != kind || envelope.topic() != statement.request_digest {
                continue;
            }
            let known = sorted.get(&envelope.identifier());
            if known.is_some_and(|all| all.len() == MAX_PER_SENDER || all.contains(&envelope.unverified_payload())) {
                continue;
            }
            if let Ok(payload) = envelope.verify(statement.committee) {
                sorted.entry(envelope.identifier()).or_default().push(payload);
            }
        }
        Self(sorted)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Identifier, &'e [u8])> {
        self.0.iter().flat_map(|(identifier, all)| all.iter().map(|payload| (*identifier, *payload)))
    }
}
