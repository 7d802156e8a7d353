//! Refresh and reshare, with everybody honest and with some who are not.

use super::*;
use crate::ciphertext::{Ciphertext, Label, LabelKind, VerifiedCiphertext};
use crate::encoding::{EncodingError, HEADER_LEN};
use crate::envelope::{Envelope, EnvelopeError};
use crate::epoch::Epoch;
use crate::keys::board::{MemoryBoard, Round};
use crate::keys::dealing::forge::Lie;
use crate::keys::dealing::{Dealing, DealingError, ShareFault};
use crate::keys::rounds::package::Package;
use crate::keys::rounds::stage::{Keys, Log, NONCE, Rewritten, id, keys, named, roster, signed, with_restarts};
use crate::keys::rounds::{Fault, Role, StateError};
use crate::keys::{KeyShareError, Protocol, SessionError, dealer};
use crate::suite::digest32;
use crate::threshold::Threshold;
use crate::vault::combine::combine_public;
use crate::vault::{CombineError, CulpritReason, Mode, Request, ShareError, Shares};
use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::{RistrettoPoint, Scalar};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::sync::Arc;

mod attacks;
mod sessions;

/// A committee with everybody's secrets.
struct Holders {
    committee: Arc<Committee>,
    keys: Keys,
    shares: Vec<KeyShare>,
}

fn threshold(n: u16) -> Threshold {
    Threshold::default_for(n).unwrap()
}

impl Holders {
    fn deal(epoch: u64, threshold: Threshold, numbers: &[u16], rng: &mut ChaCha20Rng) -> Self {
        let keys = keys(numbers.iter().copied(), rng);
        let (committee, shares) = dealer::deal(&roster(epoch, threshold, &keys), rng).unwrap();
        Self { committee: Arc::new(committee), keys, shares }
    }

    fn session(&self, protocol: Protocol, threshold: Threshold, new: &Keys) -> Session {
        let roster = roster(self.committee.epoch().0 + 1, threshold, new);
        Session::handover(protocol, self.committee.clone(), roster, &NONCE).unwrap()
    }

    /// Dealers only: the members at these places.
    fn dealers<'k>(&'k self, session: &Session, places: &[usize]) -> Vec<Party<'k>> {
        let old = |at: usize| OldMember { key_share: &self.shares[at], keys: &self.keys[at].1 };
        places.iter().map(|&at| Party::new(session.clone(), Some(old(at)), None).unwrap()).collect()
    }

    /// Everybody deals and receives, under the same numbers.
    fn both<'k>(&'k self, session: &Session) -> Vec<Party<'k>> {
        let members = self.keys.iter().zip(&self.shares);
        let party = |((identifier, keys), key_share): (&'k (Identifier, ParticipantKeys), &'k KeyShare)| {
            let new = NewMember { identifier: *identifier, keys };
            Party::new(session.clone(), Some(OldMember { key_share, keys }), Some(new)).unwrap()
        };
        members.map(party).collect()
    }

    fn encrypt(&self, rng: &mut ChaCha20Rng) -> VerifiedCiphertext {
        let master = *self.committee.master_public_key();
        Ciphertext::encrypt(&master, &label(), b"message", rng).unwrap().verify(&master).unwrap()
    }
}

fn receivers<'k>(new: &'k Keys, session: &Session) -> Vec<Party<'k>> {
    let member = |(identifier, keys): &'k (Identifier, ParticipantKeys)| NewMember { identifier: *identifier, keys };
    new.iter().map(|line| Party::new(session.clone(), None, Some(member(line))).unwrap()).collect()
}

fn run(parties: Vec<Party<'_>>, rng: &mut ChaCha20Rng) -> Vec<Result<Handover, RoundsError>> {
    run_in_process(parties, &mut MemoryBoard::new(NONCE), rng).unwrap()
}

/// All agree and nobody is at fault: the new committee and the new shares.
fn settle(outcomes: Vec<Result<Handover, RoundsError>>, culprits: &[(Role, u16, Fault)]) -> (Committee, Vec<KeyShare>) {
    let outcomes: Vec<_> = outcomes.into_iter().map(|o| o.unwrap_or_else(|e| panic!("{e}"))).collect();
    let (committee, transcript) = (outcomes[0].committee.clone(), outcomes[0].transcript);
    let mut shares = Vec::new();
    for outcome in outcomes {
        assert_eq!((&outcome.committee, outcome.transcript), (&committee, transcript));
        assert_eq!(named(&outcome.culprits), culprits);
        assert_eq!(outcome.certificate.transcript(), transcript);
        if let Some(share) = outcome.key_share {
            assert_eq!(share.matches(&committee), Ok(()));
            shares.push(share);
        }
    }
    (committee, shares)
}

fn label() -> Label {
    Label {
        kind: LabelKind::Public,
        chain: 31337,
        contract: [1; 20],
        id: [2; 32],
        version: 1,
        requester: [3; 20],
        expiry: 2_000_000_000,
        context: [0; 32],
    }
}

fn request(committee: &Committee, ciphertext: &VerifiedCiphertext) -> Request {
    Request {
        chain: 31337,
        contract: [1; 20],
        id: [2; 32],
        table_header: None,
        block_hash: [4; 32],
        deadline: 1_900_000_000,
        mode: Mode::Public,
        epoch: committee.epoch(),
        committee: committee.digest(),
        ciphertexts: vec![ciphertext.digest()],
    }
}

fn answer(
    committee: &Committee,
    share: &KeyShare,
    ciphertext: &VerifiedCiphertext,
    rng: &mut ChaCha20Rng,
) -> Result<(Identifier, Shares), ShareError> {
    let (request, cts) = (request(committee, ciphertext), std::slice::from_ref(ciphertext));
    Shares::create(share, committee, &request, cts, rng).map(|shares| (share.identifier(), shares))
}

fn open(
    committee: &Committee,
    shares: &[&KeyShare],
    ciphertext: &VerifiedCiphertext,
    rng: &mut ChaCha20Rng,
) -> Result<Vec<u8>, CombineError> {
    let answers = shares.iter().map(|share| answer(committee, share, ciphertext, rng).unwrap()).collect();
    let (request, cts) = (request(committee, ciphertext), std::slice::from_ref(ciphertext));
    let opened = combine_public(committee, &request, cts, answers, rng)?;
    Ok(opened.every(cts)?[0].to_vec())
}

#[test]
fn n085_growing_shrinking_swapped_and_disjoint_committees_open_old_ciphertexts() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let old = Holders::deal(3, threshold(4), &[1, 2, 3, 4], &mut rng);
    let ciphertext = old.encrypt(&mut rng);
    for numbers in [&[1, 2, 3, 4, 5, 6, 7][..], &[2, 9], &[5], &[4, 3000, 65_534, 65_535]] {
        let mut numbers = numbers.to_vec();
        numbers.sort_unstable();
        let new = keys(numbers.iter().copied(), &mut rng);
        let t = threshold(u16::try_from(new.len()).unwrap());
        let session = old.session(Protocol::Reshare, t, &new);
        let mut parties = old.dealers(&session, &[0, 1, 2, 3]);
        parties.extend(receivers(&new, &session));
        let (committee, shares) = settle(run(parties, &mut rng), &[]);
        assert_eq!(committee.master_public_key(), old.committee.master_public_key());
        assert_eq!((committee.epoch(), shares.len()), (Epoch(4), new.len()));
        let chosen: Vec<_> = shares.iter().rev().take(usize::from(t.t())).collect();
        assert_eq!(open(&committee, &chosen, &ciphertext, &mut rng).unwrap(), b"message");
    }
}

#[test]
fn n080_a_hundred_refreshes_keep_the_key_and_change_every_share() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let mut holders = Holders::deal(1, threshold(4), &[1, 2, 3, 4], &mut rng);
    let (ciphertext, first) = (holders.encrypt(&mut rng), holders.committee.clone());
    for _ in 0..100 {
        let session = holders.session(Protocol::Refresh, threshold(4), &holders.keys);
        let (committee, shares) = settle(run(holders.both(&session), &mut rng), &[]);
        assert_eq!(committee.master_public_key(), first.master_public_key());
        for (old, new) in holders.committee.members().iter().zip(committee.members()) {
            assert_ne!(old.verification_key, new.verification_key);
        }
        holders = Holders { committee: Arc::new(committee), shares, ..holders };
    }
    assert_eq!(holders.committee.epoch(), Epoch(101));
    let shares: Vec<_> = holders.shares.iter().skip(1).collect();
    assert_eq!(open(&holders.committee, &shares, &ciphertext, &mut rng).unwrap(), b"message");
}

/// The t smallest numbers among the qualified count: a fourth dealer changes nothing.
#[test]
fn the_dealers_with_the_smallest_numbers_count() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let old = Holders::deal(1, threshold(4), &[1, 2, 3, 4], &mut rng);
    let new = keys(1..=4, &mut rng);
    let session = old.session(Protocol::Reshare, threshold(4), &new);
    let outcome = |dealers: &[usize], culprits: &[(Role, u16, Fault)]| {
        let mut parties = receivers(&new, &session);
        parties.splice(0..0, old.dealers(&session, dealers));
        // Receivers come last, so that dealers draw the same in both runs.
        let outcomes = run(parties, &mut ChaCha20Rng::seed_from_u64(30));
        let transcript = outcomes[0].as_ref().map(|handover| handover.transcript).unwrap();
        (settle(outcomes, culprits).0, transcript)
    };
    let all = outcome(&[0, 1, 2, 3], &[]);
    let three = outcome(&[0, 1, 2], &[(Role::Dealer, 4, Fault::Silent)]);
    let others = outcome(&[0, 1, 3], &[(Role::Dealer, 3, Fault::Silent)]);
    assert_eq!(all, three);
    assert_ne!(all.1, others.1);
}

/// Session, table and transcript once more, from their definitions and without the code that made them.
#[test]
fn n023_the_result_is_what_the_definitions_say() {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let old = Holders::deal(1, threshold(4), &[2, 5, 6, 9], &mut rng);
    let new = keys([1, 4, 700, 65_535], &mut rng);
    let session = old.session(Protocol::Reshare, threshold(4), &new);
    let (s, roster) = ([0, 1], session.roster().digest());
    let fields: [&[u8]; 5] = [&s, &[4], &old.committee.digest(), &roster, &NONCE];
    assert_eq!(session.id(), digest32("session", &fields));

    let mut parties = old.dealers(&session, &[0, 1, 2, 3]);
    parties.extend(receivers(&new, &session));
    let (mut dealings, mut seen_transcript) = (Vec::new(), [0; 32]);
    let alter = |round: Round, seen: &mut Vec<Envelope>| match round {
        Round::Open => dealings = seen.iter().map(|e| e.unverified_payload().to_vec()).collect(),
        Round::Confirm => seen_transcript.copy_from_slice(&seen[0].unverified_payload()[1..]),
        _ => {}
    };
    let mut board = Rewritten { inner: MemoryBoard::new(NONCE), alter };
    let (committee, _) = settle(run_in_process(parties, &mut board, &mut rng).unwrap(), &[]);

    let x = [2u8, 5, 6].map(Scalar::from);
    let lambda = |i: usize| -> Scalar { (0..3).filter(|j| *j != i).map(|j| x[j] * (x[j] - x[i]).invert()).product() };
    let mut parts = vec![s.to_vec(), vec![4], session.id().to_vec(), 2u64.to_be_bytes().to_vec(), roster.to_vec()];
    parts.push(vec![0, 3]);
    for (i, wire) in [2u16, 5, 6].iter().zip(&dealings) {
        parts.extend([i.to_be_bytes().to_vec(), digest32("dealing-commitment", &[wire]).to_vec()]);
    }
    parts.push(old.committee.master_public_key().to_bytes().to_vec());
    for (j, member) in [1u16, 4, 700, 65_535].into_iter().zip(committee.members()) {
        let value = |wire: &Vec<u8>| -> RistrettoPoint {
            let c = |k: usize| CompressedRistretto::from_slice(&wire[117 + 32 * k..149 + 32 * k]).unwrap();
            let power = |k: usize| (0..k).map(|_| Scalar::from(j)).product::<Scalar>();
            (0..3).map(|k| c(k).decompress().unwrap() * power(k)).sum()
        };
        let key: RistrettoPoint = (0..3).map(|i| value(&dealings[i]) * lambda(i)).sum();
        assert_eq!(member.verification_key, key);
        parts.extend([j.to_be_bytes().to_vec(), key.compress().to_bytes().to_vec()]);
    }
    let parts: Vec<_> = parts.iter().map(Vec::as_slice).collect();
    assert_eq!(seen_transcript, digest32("transcript", &parts));
}

#[test]
fn n021_a_restart_at_any_step_says_the_same_again() {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let old = Holders::deal(1, threshold(4), &[1, 2, 3, 4], &mut rng);
    let new = keys([1, 2, 8], &mut rng);
    let session = old.session(Protocol::Reshare, threshold(3), &new);
    let mut parties = old.dealers(&session, &[0, 1, 3]);
    let both = NewMember { identifier: id(1), keys: &new[0].1 };
    let dealer = OldMember { key_share: &old.shares[2], keys: &old.keys[2].1 };
    parties.push(Party::new(session.clone(), Some(dealer), Some(both)).unwrap());
    parties.extend(receivers(&new, &session).drain(1..));
    let spoilt = spoilt(&old, &session, 1, &Lie::Shift(2, Scalar::ONE));
    let lie =
        |round: Round, seen: &mut Vec<Envelope>| substitute(&session, &old, std::slice::from_ref(&spoilt), round, seen);
    let straight = with_restarts(&parties, lie, |_, _| false);
    assert_eq!(straight.posted[3].len(), 1, "one complaint");
    for (at, step) in (0..parties.len()).flat_map(|at| (1..=5u8).map(move |step| (at, step))) {
        let log = with_restarts(&parties, lie, |i, s| i == at && s as u8 == step);
        assert_eq!((&log.posted, &log.stored), (&straight.posted, &straight.stored));
    }
    for step in 0..5 {
        for (at, party) in parties.iter().enumerate() {
            let other = parties[(at + 1) % parties.len()].clone();
            let stored = &straight.stored[step][at];
            assert_eq!(Log::<Handover>::reread(step, stored, party.clone()).as_ref(), Ok(stored));
            assert!(matches!(Log::<Handover>::reread(step, stored, other), Err(StateError::Participant { .. })));
        }
    }
}

/// A dealing of the member at this place with something wrong.
fn spoilt(old: &Holders, session: &Session, at: usize, lie: &Lie) -> Dealing {
    drawn_from(at as u64, old, session, at, lie)
}

/// Two dealings that are drawn from one seed have one ephemeral point.
fn drawn_from(seed: u64, old: &Holders, session: &Session, at: usize, lie: &Lie) -> Dealing {
    let (share, mut rng) = (&old.shares[at], ChaCha20Rng::seed_from_u64(seed));
    Dealing::forge(session, share.identifier().get(), *share.secret().expose(), lie, &mut rng)
}

/// Puts these dealings in the place of what their dealers say.
fn substitute(session: &Session, old: &Holders, dealings: &[Dealing], round: Round, seen: &mut [Envelope]) {
    for dealing in dealings {
        let package = match round {
            Round::Commit => Package::Commitment(dealing.commitment_digest()),
            Round::Open => Package::Dealing(dealing.to_bytes()),
            _ => return,
        };
        let (dealer, keys) = old.keys.iter().find(|(i, _)| i.get() == dealing.dealer()).unwrap();
        let at = seen.iter().position(|envelope| envelope.identifier() == *dealer).unwrap();
        seen[at] = signed(session, keys, *dealer, package);
    }
}

fn any_threshold(n: u16) -> impl Strategy<Value = Threshold> {
    let least = if n < 4 { threshold(n).t() } else { (n - 1) / 3 + 1 };
    (least..=threshold(n).t()).prop_map(move |t| Threshold::new(t, n).unwrap())
}

fn numbers(n: usize) -> impl Strategy<Value = Vec<u16>> {
    proptest::collection::btree_set(1u16.., n).prop_map(|set| set.into_iter().collect())
}

fn sizes() -> impl Strategy<Value = (Threshold, Vec<u16>, Threshold, Vec<u16>, u64)> {
    (1u16..=6, 1u16..=6).prop_flat_map(|(n, m)| {
        (any_threshold(n), numbers(n.into()), any_threshold(m), numbers(m.into()), any::<u64>())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Any t of the old committee hand over to any roster; any t' of it open, t' − 1 do not.
    #[test]
    fn n085_reshare_and_refresh_preserve_the_key((t, from, t2, to, seed) in sizes()) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let old = Holders::deal(seed % 1000, t, &from, &mut rng);
        let ciphertext = old.encrypt(&mut rng);
        let new = keys(to.iter().copied(), &mut rng);
        let session = old.session(Protocol::Reshare, t2, &new);
        let willing: Vec<_> = (0..from.len()).rev().take(usize::from(t.t())).collect();
        let mut parties = old.dealers(&session, &willing);
        parties.extend(receivers(&new, &session));
        let silent: Vec<_> =
            from[..from.len() - willing.len()].iter().map(|&i| (Role::Dealer, i, Fault::Silent)).collect();
        let (committee, shares) = settle(run(parties, &mut rng), &silent);
        let shares: Vec<_> = shares.iter().collect();
        let need = usize::from(t2.t());
        let opened = open(&committee, &shares[shares.len() - need..], &ciphertext, &mut rng);
        prop_assert_eq!(opened, Ok(b"message".to_vec()));
        let too_few = open(&committee, &shares[..need - 1], &ciphertext, &mut rng);
        prop_assert_eq!(too_few, Err(CombineError::NotEnoughShares { need, have: need - 1, culprits: vec![] }));
        let session = old.session(Protocol::Refresh, t, &old.keys);
        let (committee, shares) = settle(run(old.both(&session), &mut rng), &[]);
        let shares: Vec<_> = shares.iter().take(usize::from(t.t())).collect();
        prop_assert_eq!(open(&committee, &shares, &ciphertext, &mut rng), Ok(b"message".to_vec()));
    }
}
