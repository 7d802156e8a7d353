//! What travels in the four rounds.
//!
//! *Layout* of the payload: commitment `01` ‖ digest 32; dealing: its own wire; complaint: dealer u16 ‖ complaint 128;
//! end of complaints `02` ‖ their number u16; confirmation `03` ‖ transcript 32. The first byte tells the rounds apart, so no message counts in another round.

use crate::encoding::{Kind, Reader, kind_of};
use crate::envelope::Envelope;
use crate::identifier::Identifier;
use crate::keys::complaint::Complaint;
use crate::keys::dealing::Dealing;
use crate::keys::session::Session;
use crate::suite::{digest32, domain};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use ed25519_dalek::VerifyingKey;

const COMMITMENT: u8 = 1;
const NO_MORE_COMPLAINTS: u8 = 2;
const CONFIRMATION: u8 = 3;
/// Different messages of one sender in one round that are looked at; of complaints as many in all as there are dealers,
/// where those are more.
pub(crate) const MAX_PER_SENDER: usize = 4;

pub(crate) enum Package {
    Commitment([u8; 32]),
    Dealing(Vec<u8>),
    Complaint(Identifier, Box<Complaint>),
    NoMoreComplaints(u16),
    Confirmation([u8; 32]),
}

/// A dealing that somebody posted: kept only if it is the one committed to, else its digest.
#[derive(PartialEq, Eq)]
pub(crate) enum Opening {
    AsCommitted(Vec<u8>),
    Other([u8; 32]),
}

impl Opening {
    pub(crate) fn as_committed(&self) -> Option<&[u8]> {
        match self {
            Self::AsCommitted(wire) => Some(wire),
            Self::Other(_) => None,
        }
    }
}

impl Package {
    pub(crate) fn encode(self) -> (Kind, Vec<u8>) {
        match self {
            Self::Commitment(digest) => (Kind::Dealing, [&[COMMITMENT][..], &digest].concat()),
            Self::Dealing(wire) => (Kind::Dealing, wire),
            Self::Complaint(dealer, complaint) => {
                (Kind::Complaint, [&dealer.to_bytes()[..], &complaint.to_bytes()].concat())
            }
            Self::NoMoreComplaints(count) => {
                (Kind::Dealing, [&[NO_MORE_COMPLAINTS][..], &count.to_be_bytes()].concat())
            }
            Self::Confirmation(transcript) => (Kind::Dealing, [&[CONFIRMATION][..], &transcript].concat()),
        }
    }

    pub(crate) fn commitment(envelope: &Envelope) -> Option<[u8; 32]> {
        marked(envelope, COMMITMENT)
    }

    pub(crate) fn confirmation(envelope: &Envelope) -> Option<[u8; 32]> {
        marked(envelope, CONFIRMATION)
    }

    pub(crate) fn no_more_complaints(envelope: &Envelope) -> Option<u16> {
        marked(envelope, NO_MORE_COMPLAINTS).map(u16::from_be_bytes)
    }

    pub(crate) fn dealing(session: &Session, envelope: &Envelope, committed: &[u8; 32]) -> Option<Opening> {
        let digest = Self::any_dealing(session, envelope)?;
        let wire = envelope.unverified_payload();
        Some(if digest == *committed { Opening::AsCommitted(wire.to_vec()) } else { Opening::Other(digest) })
    }

    /// The digest of a dealing, whatever was committed to.
    pub(crate) fn any_dealing(session: &Session, envelope: &Envelope) -> Option<[u8; 32]> {
        let is_dealing = Self::is_dealing(envelope, Dealing::longest(session));
        is_dealing.then(|| digest32(domain::DEALING_COMMITMENT, &[envelope.unverified_payload()]))
    }

    /// Whether a payload is marked as a dealing and no longer than one may be: what is longer is of no round, and is
    /// neither hashed nor kept.
    pub(crate) fn is_dealing(envelope: &Envelope, longest: usize) -> bool {
        let wire = envelope.unverified_payload();
        envelope.kind() == Kind::Dealing && wire.len() <= longest && kind_of(wire) == Ok(Kind::Dealing)
    }

    pub(crate) fn complaint(envelope: &Envelope) -> Option<(Identifier, Complaint)> {
        let mut reader = Reader::new(envelope.unverified_payload());
        let dealer = Identifier::new(reader.u16("dealer").ok()?).ok()?;
        let complaint = Complaint::from_bytes(reader.bytes("complaint", reader.remaining()).ok()?).ok()?;
        (envelope.kind() == Kind::Complaint).then_some((dealer, complaint))
    }
}

fn marked<const N: usize>(envelope: &Envelope, mark: u8) -> Option<[u8; N]> {
    match envelope.unverified_payload().split_first() {
        Some((first, rest)) if envelope.kind() == Kind::Dealing && *first == mark => rest.try_into().ok(),
        _ => None,
    }
}

/// What dealers said in a round; `read` also learns whose message it is.
pub(crate) fn collect_from_dealers<T: PartialEq>(
    session: &Session,
    envelopes: &[Envelope],
    read: impl Fn(Identifier, &Envelope) -> Option<T>,
) -> BTreeMap<Identifier, Vec<T>> {
    collect(session, envelopes, MAX_PER_SENDER, |i| session.dealer_key(i), |e| read(e.identifier(), e))
}

/// The transcripts that receivers confirm.
pub(crate) fn collect_confirmations(session: &Session, envelopes: &[Envelope]) -> BTreeMap<Identifier, Vec<[u8; 32]>> {
    collect(session, envelopes, MAX_PER_SENDER, |i| session.receiver_key(i), Package::confirmation)
}

/// The complaints of receivers: of each max(4, dealers) different ones, whichever dealers they are about.
pub(crate) fn collect_complaints(
    session: &Session,
    envelopes: &[Envelope],
) -> BTreeMap<Identifier, Vec<(Identifier, Complaint)>> {
    let bound = MAX_PER_SENDER.max(session.dealers().members().len());
    collect(session, envelopes, bound, |i| session.receiver_key(i), Package::complaint)
}

/// The distinct messages of a round that their senders signed for this session, per sender in the board's order.
/// Whatever is not signed, or is of another round, counts for nothing.
pub(crate) fn collect<'s, T: PartialEq>(
    session: &'s Session,
    envelopes: &[Envelope],
    bound: usize,
    key: impl Fn(Identifier) -> Option<&'s VerifyingKey>,
    read: impl Fn(&Envelope) -> Option<T>,
) -> BTreeMap<Identifier, Vec<T>> {
    let mut collected: BTreeMap<Identifier, Vec<T>> = BTreeMap::new();
    for envelope in envelopes.iter().filter(|envelope| envelope.topic() == session.id()) {
        let (sender, Some(message)) = (envelope.identifier(), read(envelope)) else { continue };
        if collected.get(&sender).is_some_and(|all| all.len() >= bound || all.contains(&message)) {
            continue;
        }
        if envelope.verify_session(session.roster(), key(sender)).is_ok() {
            collected.entry(sender).or_default().push(message);
        }
    }
    collected
}

/// The envelopes in which receivers confirm this transcript, one of each.
pub(crate) fn confirmations(
    session: &Session,
    transcript: &[u8; 32],
    envelopes: &[Envelope],
) -> BTreeMap<Identifier, Envelope> {
    let mut confirmed = BTreeMap::new();
    for envelope in envelopes.iter().filter(|envelope| envelope.topic() == session.id()) {
        let sender = envelope.identifier();
        if Package::confirmation(envelope) != Some(*transcript) || confirmed.contains_key(&sender) {
            continue;
        }
        if envelope.verify_session(session.roster(), session.receiver_key(sender)).is_ok() {
            confirmed.insert(sender, envelope.clone());
        }
    }
    confirmed
}
