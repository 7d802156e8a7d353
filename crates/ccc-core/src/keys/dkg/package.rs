//! What travels in a key generation.
//!
//! *Layout* of the payload: commitment `01` ‖ digest 32; dealing: its own wire; complaint: dealer u16 ‖ complaint 128;
//! confirmation `03` ‖ transcript 32. The first byte tells the rounds apart, so no message counts in another round.

use crate::encoding::{Kind, Reader};
use crate::envelope::Envelope;
use crate::identifier::Identifier;
use crate::keys::complaint::Complaint;
use crate::keys::session::Session;
use crate::suite::{digest32, domain};
use std::collections::BTreeMap;

const COMMITMENT: u8 = 1;
const CONFIRMATION: u8 = 3;
/// Different messages of one sender in one round that are looked at, besides one complaint per dealer.
const MAX_PER_SENDER: usize = 4;

pub(crate) enum Package {
    Commitment([u8; 32]),
    Dealing(Vec<u8>),
    Complaint(Identifier, Box<Complaint>),
    Confirmation([u8; 32]),
}

impl Package {
    pub(crate) fn encode(self) -> (Kind, Vec<u8>) {
        match self {
            Self::Commitment(digest) => (Kind::Dealing, [&[COMMITMENT][..], &digest].concat()),
            Self::Dealing(wire) => (Kind::Dealing, wire),
            Self::Complaint(dealer, complaint) => {
                (Kind::Complaint, [&dealer.to_bytes()[..], &complaint.to_bytes()].concat())
            }
            Self::Confirmation(transcript) => (Kind::Dealing, [&[CONFIRMATION][..], &transcript].concat()),
        }
    }

    pub(crate) fn commitment(kind: Kind, payload: &[u8]) -> Option<[u8; 32]> {
        marked(kind, payload, COMMITMENT)
    }

    pub(crate) fn confirmation(kind: Kind, payload: &[u8]) -> Option<[u8; 32]> {
        marked(kind, payload, CONFIRMATION)
    }

    pub(crate) fn dealing(kind: Kind, payload: &[u8]) -> Option<Vec<u8>> {
        (kind == Kind::Dealing && crate::encoding::kind_of(payload) == Ok(Kind::Dealing)).then(|| payload.to_vec())
    }

    pub(crate) fn complaint(kind: Kind, payload: &[u8]) -> Option<(Identifier, Complaint)> {
        let mut reader = Reader::new(payload);
        let dealer = Identifier::new(reader.u16("dealer").ok()?).ok()?;
        let complaint = Complaint::from_bytes(reader.bytes("complaint", reader.remaining()).ok()?).ok()?;
        (kind == Kind::Complaint).then_some((dealer, complaint))
    }

    /// The digest under which a dealing with these bytes was committed.
    pub(crate) fn digest(wire: &[u8]) -> [u8; 32] {
        digest32(domain::DEALING_COMMITMENT, &[wire])
    }
}

fn marked(kind: Kind, payload: &[u8], mark: u8) -> Option<[u8; 32]> {
    match payload.split_first() {
        Some((first, rest)) if kind == Kind::Dealing && *first == mark => rest.try_into().ok(),
        _ => None,
    }
}

/// The distinct messages of a round that members signed for this session, per sender in the board's order. Whatever
/// is not signed, or is of another round, counts for nothing.
pub(crate) fn collect<T: PartialEq>(
    session: &Session,
    envelopes: &[Envelope],
    read: impl Fn(Kind, &[u8]) -> Option<T>,
) -> BTreeMap<Identifier, Vec<T>> {
    let bound = MAX_PER_SENDER.max(session.roster().members().len());
    let mut collected: BTreeMap<Identifier, Vec<T>> = BTreeMap::new();
    for envelope in envelopes.iter().filter(|envelope| envelope.topic() == session.id()) {
        let Some(message) = read(envelope.kind(), envelope.unverified_payload()) else { continue };
        let known = collected.get(&envelope.identifier());
        if known.is_some_and(|all| all.len() >= bound || all.contains(&message)) {
            continue;
        }
        if envelope.verify_roster(session.roster()).is_ok() {
            collected.entry(envelope.identifier()).or_default().push(message);
        }
    }
    collected
}
