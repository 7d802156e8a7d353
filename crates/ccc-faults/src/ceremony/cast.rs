//! Who takes part in a session: keys, rosters and, in a handover, the committee before.

use ccc_core::{
    epoch::Epoch,
    identifier::Identifier,
    keys::{
        Committee, KeyShare, ParticipantKeys, Protocol, Roster, Session, dealer,
        dkg::{self, Dkg},
        reshare::{self, NewMember, OldMember, Reshare},
        rounds::Party,
    },
    threshold::Threshold,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::sync::Arc;

const WORKS: &str = "a cast of this size can be made";
/// The nonce of the board.
const NONCE: [u8; 32] = [0x4e; 32];

type Keys = Vec<(Identifier, ParticipantKeys)>;

/// A session with everybody's secrets.
pub(crate) struct Cast {
    pub(crate) session: Session,
    dealers: Keys,
    receivers: Keys,
    shares: Vec<KeyShare>,
}

fn keys(numbers: impl Iterator<Item = u16>, rng: &mut ChaCha20Rng) -> Keys {
    let one = |number| (Identifier::new(number).expect(WORKS), ParticipantKeys::generate(rng).expect(WORKS));
    numbers.map(one).collect()
}

fn roster(epoch: u64, keys: &Keys) -> Roster {
    let threshold = Threshold::default_for(u16::try_from(keys.len()).expect(WORKS)).expect(WORKS);
    Roster::new(Epoch(epoch), threshold, keys.iter().map(|(i, keys)| keys.public(*i)).collect()).expect(WORKS)
}

fn twins(keys: &Keys) -> Keys {
    let twin = |keys: &ParticipantKeys| ParticipantKeys::from_bytes(&keys.to_bytes()).expect("its own bytes");
    keys.iter().map(|(identifier, keys)| (*identifier, twin(keys))).collect()
}

impl Cast {
    /// n participants that generate a key.
    pub(crate) fn dkg(n: u16) -> Self {
        let dealers = keys(1..=n, &mut ChaCha20Rng::seed_from_u64(1));
        let session = Session::new(Protocol::Dkg, None, roster(1, &dealers), &NONCE);
        Self { session, receivers: twins(&dealers), dealers, shares: Vec::new() }
    }

    /// n holders of shares that get new ones.
    pub(crate) fn refresh(n: u16) -> Self {
        let (dealers, old, shares) = Self::holders(n);
        let receivers = twins(&dealers);
        Self::handover(Protocol::Refresh, dealers, receivers, old, shares)
    }

    /// n holders of shares that hand over to n others, of which the first half are the same.
    pub(crate) fn reshare(n: u16) -> Self {
        let (dealers, old, shares) = Self::holders(n);
        let mut receivers = twins(&dealers);
        receivers.truncate(usize::from(n / 2));
        receivers.extend(keys(n + 1..=n + n - n / 2, &mut ChaCha20Rng::seed_from_u64(3)));
        Self::handover(Protocol::Reshare, dealers, receivers, old, shares)
    }

    fn holders(n: u16) -> (Keys, Committee, Vec<KeyShare>) {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let keys = keys(1..=n, &mut rng);
        let (committee, shares) = dealer::deal(&roster(6, &keys), &mut rng).expect(WORKS);
        (keys, committee, shares)
    }

    fn handover(protocol: Protocol, dealers: Keys, receivers: Keys, old: Committee, shares: Vec<KeyShare>) -> Self {
        let session = Session::handover(protocol, Arc::new(old), roster(7, &receivers), &NONCE).expect(WORKS);
        Self { session, dealers, receivers, shares }
    }

    /// Parties of a key generation.
    pub(crate) fn generators(&self) -> Vec<Party<'_, Dkg>> {
        self.dealers.iter().map(|(i, keys)| dkg::Party::new(self.session.clone(), *i, keys).expect(WORKS)).collect()
    }

    /// Parties of a handover: the old members in their order, then the new ones that were none.
    pub(crate) fn heirs(&self) -> Vec<Party<'_, Reshare>> {
        let new = |at: usize| NewMember { identifier: self.receivers[at].0, keys: &self.receivers[at].1 };
        let place = |i: &Identifier| self.receivers.iter().position(|(receiver, _)| receiver == i);
        let mut parties = Vec::new();
        for ((identifier, keys), key_share) in self.dealers.iter().zip(&self.shares) {
            let old = OldMember { key_share, keys };
            let party = reshare::Party::new(self.session.clone(), Some(old), place(identifier).map(new));
            parties.push(party.expect(WORKS));
        }
        for (at, (identifier, _)) in self.receivers.iter().enumerate() {
            if self.dealers.iter().all(|(dealer, _)| dealer != identifier) {
                parties.push(reshare::Party::new(self.session.clone(), None, Some(new(at))).expect(WORKS));
            }
        }
        parties
    }

    /// A dealer's number, keys and old share, by its place.
    pub(crate) fn dealer(&self, at: usize) -> (Identifier, &ParticipantKeys, Option<&KeyShare>) {
        let (identifier, keys) = &self.dealers[at];
        (*identifier, keys, self.shares.get(at))
    }

    /// Everybody who takes part, as one host each.
    pub(crate) fn members(&self) -> usize {
        self.dealers.len() + self.newcomers().count()
    }

    /// Whether a host gets a share.
    pub(crate) fn receives(&self, host: usize) -> bool {
        let number = self.number(host);
        self.receivers.iter().any(|(receiver, _)| receiver.get() == number)
    }

    /// The number of a host, from 1.
    pub(crate) fn number(&self, host: usize) -> u16 {
        let old = self.dealers.get(host - 1).map(|(identifier, _)| *identifier);
        old.or_else(|| self.newcomers().nth(host - 1 - self.dealers.len())).expect("a host of the session").get()
    }

    fn newcomers(&self) -> impl Iterator<Item = Identifier> + '_ {
        let receivers = self.receivers.iter().map(|(identifier, _)| *identifier);
        receivers.filter(|receiver| self.dealers.iter().all(|(dealer, _)| dealer != receiver))
    }
}
