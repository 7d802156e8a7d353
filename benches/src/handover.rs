//! One node of a handover among honest ones: it deals its share, receives another, and is the last of the roster.

use crate::world::roster;
use ccc_core::envelope::Envelope;
use ccc_core::epoch::Epoch;
use ccc_core::identifier::Identifier;
use ccc_core::keys::reshare::{Committed, NewMember, OldMember, Opened, Participant, Party, Unconfirmed};
use ccc_core::keys::{KeyShare, ParticipantKeys, Protocol, Roster, Session, dealer};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

/// A committee, the session in which it hands over to the same members, and the board's rounds, encoded.
pub struct Handover {
    session: Session,
    keys: Vec<ParticipantKeys>,
    shares: Vec<KeyShare>,
    committed: Vec<Vec<u8>>,
    opened: Vec<Vec<u8>>,
}

fn read(round: &[Vec<u8>]) -> Vec<Envelope> {
    round.iter().map(|bytes| Envelope::from_bytes(bytes).unwrap()).collect()
}

fn posted(outgoing: &[Envelope]) -> Vec<u8> {
    outgoing[0].to_bytes()
}

impl Handover {
    /// Runs a refresh or a reshare up to its dealings.
    #[must_use]
    pub fn new(protocol: Protocol, t: u16, n: u16) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(8);
        let (old, keys) = roster(t, n, &mut rng);
        let (committee, shares) = dealer::deal(&old, &mut rng).unwrap();
        let next = Roster::new(Epoch(2), old.threshold(), old.members().to_vec()).unwrap();
        let session = Session::handover(protocol, committee.into(), next, &[7; 32]).unwrap();
        let mut handover = Self { session, keys, shares, committed: Vec::new(), opened: Vec::new() };
        let states: Vec<_> = (0..handover.keys.len()).map(|at| handover.commit(at)).collect();
        let committed: Vec<_> = states.iter().map(|state| posted(state.outgoing())).collect();
        let open = |state: Committed<'_>| posted(state.open(&read(&committed)).unwrap().outgoing());
        let opened = states.into_iter().map(open).collect();
        (handover.committed, handover.opened) = (committed, opened);
        handover
    }

    /// The state in which the last node has all dealings before it.
    #[must_use]
    pub fn before_dealings(&self) -> Opened<'_> {
        self.commit(self.keys.len() - 1).open(&read(&self.committed)).unwrap()
    }

    /// Reads all dealings, checks them and the shares in them, and derives share and verification keys.
    #[must_use]
    pub fn finish<'k>(&self, state: Opened<'k>) -> Unconfirmed<'k> {
        let state = state.complain(&read(&self.opened)).unwrap();
        assert!(state.outgoing().is_empty());
        state.finish(&[]).unwrap()
    }

    fn commit(&self, at: usize) -> Committed<'_> {
        let mut rng = ChaCha20Rng::seed_from_u64(2000 + at as u64);
        let (keys, identifier) = (&self.keys[at], Identifier::new(u16::try_from(at + 1).unwrap()).unwrap());
        let old = OldMember { key_share: &self.shares[at], keys };
        let party = Party::new(self.session.clone(), Some(old), Some(NewMember { identifier, keys })).unwrap();
        Participant::join(party, &mut rng).unwrap().commit().unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_ends_in_a_committee_with_the_same_key() {
        for protocol in [Protocol::Refresh, Protocol::Reshare] {
            let handover = Handover::new(protocol, 3, 5);
            let state = handover.finish(handover.before_dealings());
            let old = handover.session.old().unwrap();
            assert_eq!(state.committee().master_public_key(), old.master_public_key());
            assert_eq!(state.committee().epoch(), Epoch(2));
        }
    }
}
