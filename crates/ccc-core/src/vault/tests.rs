//! From encryption to opening in an enclave, with everybody misbehaving.

use crate::ciphertext::{Ciphertext, CiphertextError, EncryptError, Label, LabelKind, MAX_MESSAGE, VerifiedCiphertext};
use crate::enclave::AttemptKeys;
use crate::encoding::{EncodingError, Kind};
use crate::envelope::Envelope;
use crate::epoch::Epoch;
use crate::identifier::Identifier;
use crate::keys::{Committee, KeyShare, KeyShareError, ParticipantKeys, Roster, dealer};
use crate::threshold::Threshold;
use crate::vault::combine::combine_public;
use crate::vault::received::Received;
use crate::vault::request::RequestError;
use crate::vault::sealed::{seal, seal_encoded};
use crate::vault::share::verify_all;
use crate::vault::statement::Statement;
use crate::vault::{
    CombineError, Culprit, CulpritReason, Mode, Recipient, Request, SealError, ShareError, Shares, answer,
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

mod batches;
mod ciphertexts;
mod compact;
mod floods;
mod liars;
mod network;
mod properties;
mod rotation;
mod shares;

const MEASUREMENT: [u8; 32] = [7; 32];

struct World {
    rng: ChaCha20Rng,
    keys: Vec<ParticipantKeys>,
    committee: Committee,
    shares: Vec<KeyShare>,
}

fn id(i: u16) -> Identifier {
    Identifier::new(i).unwrap()
}

fn world_with(numbers: &[u16], epoch: u64, seed: u64) -> World {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let keys: Vec<_> = numbers.iter().map(|_| ParticipantKeys::generate(&mut rng).unwrap()).collect();
    let members = numbers.iter().zip(&keys).map(|(&i, k)| k.public(id(i))).collect();
    let threshold = Threshold::default_for(u16::try_from(numbers.len()).unwrap()).unwrap();
    let roster = Roster::new(Epoch(epoch), threshold, members).unwrap();
    let (committee, shares) = dealer::deal(&roster, &mut rng).unwrap();
    World { rng, keys, committee, shares }
}

fn world(n: u16) -> World {
    world_with(&(1..=n).collect::<Vec<_>>(), 1, 1)
}

fn label(kind: LabelKind) -> Label {
    let expiry = if kind == LabelKind::TableKey { 0 } else { 2_000_000_000 };
    Label {
        kind,
        chain: 31337,
        contract: [1; 20],
        id: [2; 32],
        version: 1,
        requester: [3; 20],
        expiry,
        context: [0; 32],
    }
}

impl World {
    fn encrypt(&mut self, kind: LabelKind, message: &[u8]) -> VerifiedCiphertext {
        let master = *self.committee.master_public_key();
        Ciphertext::encrypt(&master, &label(kind), message, &mut self.rng).unwrap().verify(&master).unwrap()
    }

    fn request(&self, mode: Mode, ciphertexts: &[VerifiedCiphertext]) -> Request {
        Request {
            chain: 31337,
            contract: [1; 20],
            id: [2; 32],
            table_header: None,
            block_hash: [4; 32],
            deadline: 1_900_000_000,
            mode,
            epoch: self.committee.epoch(),
            committee: self.committee.digest(),
            ciphertexts: ciphertexts.iter().map(VerifiedCiphertext::digest).collect(),
        }
    }

    fn public_shares(&mut self, request: &Request, cts: &[VerifiedCiphertext]) -> Vec<(Identifier, Shares)> {
        let Self { shares, committee, rng, .. } = self;
        let make = |key: &KeyShare| (key.identifier(), Shares::create(key, committee, request, cts, rng).unwrap());
        shares.iter().map(make).collect()
    }

    fn seal(&mut self, at: usize, request: &Request, to: &Recipient, cts: &[VerifiedCiphertext]) -> Vec<u8> {
        seal(&self.shares[at], &self.committee, request, to, cts, &mut self.rng).unwrap().to_bytes()
    }

    fn envelope(&self, at: usize, request: &Request, payload: Vec<u8>) -> Envelope {
        let (identifier, epoch) = (self.shares[at].identifier(), self.committee.epoch());
        let topic = request.digest();
        let kind = if request.mode == Mode::Compact { Kind::Compact } else { Kind::Sealed };
        Envelope::sign(&self.keys[at], &self.committee.digest(), epoch, identifier, &topic, kind, payload).unwrap()
    }

    /// A participant's honest answer in the mode of the request.
    fn answer(&mut self, at: usize, request: &Request, to: &Recipient, cts: &[VerifiedCiphertext]) -> Envelope {
        let answer = answer(&self.shares[at], &self.committee, request, to, cts, &mut self.rng).unwrap();
        let envelope = self.envelope(at, request, answer.payload);
        assert_eq!(envelope.kind(), answer.kind);
        envelope
    }

    fn answers(&mut self, request: &Request, to: &Recipient, cts: &[VerifiedCiphertext]) -> Vec<Envelope> {
        (0..self.shares.len()).map(|at| self.answer(at, request, to, cts)).collect()
    }

    fn sealed(&mut self, at: usize, request: &Request, to: &Recipient, cts: &[VerifiedCiphertext]) -> Envelope {
        let payload = self.seal(at, request, to, cts);
        self.envelope(at, request, payload)
    }

    /// Sealed bytes of the participant's own making.
    fn seal_raw(
        &mut self,
        at: usize,
        wire: &[u8],
        request: &Request,
        to: &Recipient,
        cts: &[VerifiedCiphertext],
    ) -> Envelope {
        let i = self.shares[at].identifier();
        let payload = seal_encoded(wire, i, &self.committee, request, to, cts, &mut self.rng);
        self.envelope(at, request, payload.to_bytes())
    }

    /// Shares that open and are wrong: the first one belongs to another ciphertext.
    fn bad(&mut self, at: usize, request: &Request, to: &Recipient, cts: &[VerifiedCiphertext]) -> Envelope {
        let digest = to.digest();
        let (key, committee, rng) = (&self.shares[at], &self.committee, &mut self.rng);
        let mut wire = Shares::unsealed(key, committee, request, Some(&digest), cts, rng).unwrap().to_bytes();
        let other = [self.encrypt(LabelKind::Recipient, b"other")];
        let alien = self.request(Mode::Sealed, &other);
        let (key, committee, rng) = (&self.shares[at], &self.committee, &mut self.rng);
        let foreign = Shares::unsealed(key, committee, &alien, Some(&digest), &other, rng).unwrap().to_bytes();
        wire[..32].copy_from_slice(&foreign[..32]);
        self.seal_raw(at, &wire, request, to, cts)
    }

    fn open(
        &self,
        keys: AttemptKeys,
        request: &Request,
        cts: &[VerifiedCiphertext],
        envelopes: Vec<Envelope>,
    ) -> Result<(Vec<Vec<u8>>, Vec<Culprit>), CombineError> {
        let opened = keys.open(&self.committee, request, MEASUREMENT, cts, envelopes)?;
        let culprits = opened.culprits.clone();
        Ok((opened.every(cts)?.iter().map(|p| p.to_vec()).collect(), culprits))
    }
}

fn attempt(world: &mut World) -> (AttemptKeys, Recipient) {
    let keys = AttemptKeys::generate(&mut world.rng).unwrap();
    let keys = AttemptKeys::from_bytes(&keys.to_bytes()).unwrap();
    let recipient = keys.recipient(MEASUREMENT);
    (keys, recipient)
}

fn fault(i: u16, reason: CulpritReason) -> Culprit {
    Culprit { identifier: id(i), reason }
}

#[test]
fn n055_one_share_too_few_opens_nothing() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"a")];
    let request = w.request(Mode::Sealed, &cts);
    let (keys, to) = attempt(&mut w);
    let envelopes = (0..2).map(|at| w.sealed(at, &request, &to, &cts)).collect();
    let expected = CombineError::NotEnoughShares { need: 3, have: 2, culprits: vec![] };
    assert_eq!(w.open(keys, &request, &cts, envelopes), Err(expected));
}

#[test]
fn n056_a_sender_counts_once() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"a")];
    let request = w.request(Mode::Sealed, &cts);
    let (keys, to) = attempt(&mut w);
    let first = w.sealed(0, &request, &to, &cts);
    let again = w.sealed(0, &request, &to, &cts);
    let second = w.sealed(1, &request, &to, &cts);
    let expected = CombineError::NotEnoughShares { need: 3, have: 2, culprits: vec![] };
    assert_eq!(w.open(keys, &request, &cts, vec![first.clone(), first, again, second]), Err(expected));
}

#[test]
fn n057_f_bad_shares_are_named_and_the_rest_opens() {
    let mut w = world(7);
    let cts = [w.encrypt(LabelKind::Recipient, b"a"), w.encrypt(LabelKind::Recipient, b"bb")];
    let request = w.request(Mode::Sealed, &cts);
    let (keys, to) = attempt(&mut w);
    let mut envelopes = vec![w.bad(1, &request, &to, &cts), w.bad(6, &request, &to, &cts)];
    envelopes.extend([0, 2, 3, 4, 5].map(|at| w.sealed(at, &request, &to, &cts)));
    let culprits = vec![fault(2, CulpritReason::Proof), fault(7, CulpritReason::Proof)];
    let opened = w.open(keys, &request, &cts, envelopes);
    assert_eq!(opened, Ok((vec![b"a".to_vec(), b"bb".to_vec()], culprits)));
}

/// Within the bound of n059.
#[test]
fn n061_bad_shares_first_and_valid_ones_last_still_open() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"a")];
    let request = w.request(Mode::Sealed, &cts);
    let (keys, to) = attempt(&mut w);
    let malformed = w.seal_raw(0, &[0; 128], &request, &to, &cts);
    let mut envelopes = vec![malformed];
    envelopes.extend([1, 2, 3].map(|at| w.sealed(at, &request, &to, &cts)));
    let opened = w.open(keys, &request, &cts, envelopes);
    assert_eq!(opened, Ok((vec![b"a".to_vec()], vec![fault(1, CulpritReason::Malformed)])));
}

#[test]
fn n070_a_bad_envelope_does_not_take_the_place_of_a_good_one() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"a")];
    let request = w.request(Mode::Sealed, &cts);
    let (keys, to) = attempt(&mut w);
    let mut forged = w.sealed(0, &request, &to, &cts).to_bytes();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let bad = w.bad(0, &request, &to, &cts);
    let mut envelopes = vec![Envelope::from_bytes(&forged).unwrap(), bad];
    envelopes.extend([2, 0, 1].map(|at| w.sealed(at, &request, &to, &cts)));
    let opened = w.open(keys, &request, &cts, envelopes);
    assert_eq!(opened, Ok((vec![b"a".to_vec()], vec![fault(1, CulpritReason::Proof)])));
}

#[test]
fn n060_order_does_not_matter_and_any_threshold_gives_the_same() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Public, b"message")];
    let request = w.request(Mode::Public, &cts);
    let all = w.public_shares(&request, &cts);
    let orders = [[0, 1, 2], [2, 1, 0], [1, 3, 0], [3, 0, 2], [3, 2, 1]];
    for order in orders {
        let chosen = order.map(|at: usize| all[at].clone()).to_vec();
        assert_eq!(verify_all(&chosen, &w.committee, &request, None, &cts, &mut w.rng), Ok(()));
        let opened = combine_public(&w.committee, &request, &cts, chosen, &mut w.rng).unwrap();
        assert_eq!(opened.every(&cts).unwrap()[0].as_slice(), b"message");
    }
}

#[test]
fn n062_identifiers_near_the_maximum_and_with_gaps_combine() {
    let mut w = world_with(&[2, 9, 700, 40_000, 65_534, 65_535], 1, 5);
    let cts = [w.encrypt(LabelKind::Public, b"message")];
    let request = w.request(Mode::Public, &cts);
    let chosen = w.public_shares(&request, &cts).split_off(1);
    let opened = combine_public(&w.committee, &request, &cts, chosen, &mut w.rng).unwrap();
    assert_eq!(opened.every(&cts).unwrap()[0].as_slice(), b"message");
}

#[test]
fn n067_n068_shares_for_another_attempt_or_request_do_not_open_and_blame_nobody() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"a")];
    let request = w.request(Mode::Sealed, &cts);
    let (keys, _) = attempt(&mut w);
    let (_, elsewhere) = attempt(&mut w);
    let envelopes = (0..4).map(|at| w.sealed(at, &request, &elsewhere, &cts)).collect();
    let expected = CombineError::NotEnoughShares { need: 3, have: 0, culprits: vec![] };
    assert_eq!(w.open(keys, &request, &cts, envelopes), Err(expected.clone()));

    let (keys, to) = attempt(&mut w);
    let other = Request { id: [9; 32], ..request.clone() };
    let payloads: Vec<_> = (0..4).map(|at| w.seal(at, &other, &to, &cts)).collect();
    let replayed = payloads.into_iter().enumerate().map(|(at, p)| w.envelope(at, &request, p)).collect();
    assert_eq!(w.open(keys, &request, &cts, replayed), Err(expected));
}

#[test]
fn n065_a_weak_recipient_is_refused() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"a")];
    let request = w.request(Mode::Sealed, &cts);
    let (_, to) = attempt(&mut w);
    let identity = Recipient { e: curve25519_dalek::RistrettoPoint::default(), ..to };
    let sealed = seal(&w.shares[0], &w.committee, &request, &identity, &cts, &mut w.rng);
    assert_eq!(sealed, Err(SealError::Recipient(EncodingError::Identity { what: "enclave key E" })));
    let small_order = Recipient { x: [0; 32], ..to };
    let sealed = seal(&w.shares[0], &w.committee, &request, &small_order, &cts, &mut w.rng);
    assert_eq!(sealed, Err(SealError::WeakRecipient));
}

#[test]
fn an_author_that_commits_to_another_key_is_named_by_the_ciphertext() {
    let mut w = world(4);
    let master = *w.committee.master_public_key();
    let bad = crate::ciphertext::with_wrong_commitment(&master, &label(LabelKind::Recipient), b"a", &mut w.rng);
    let cts = [w.encrypt(LabelKind::Recipient, b"good"), bad.verify(&master).unwrap()];
    let request = w.request(Mode::Sealed, &cts);
    let (keys, to) = attempt(&mut w);
    let envelopes = (0..4).map(|at| w.sealed(at, &request, &to, &cts)).collect();
    let expected = CombineError::InvalidCiphertext { digest: cts[1].digest(), culprits: vec![] };
    let opened = keys.open(&w.committee, &request, MEASUREMENT, &cts, envelopes).unwrap();
    assert_eq!(opened.plaintexts[0].as_deref().map(Vec::as_slice), Some(b"good".as_slice()));
    assert_eq!(opened.plaintexts[1], None);
    assert_eq!(opened.every(&cts), Err(expected));
}

#[test]
fn table_keys_need_a_threshold_that_protects_tables() {
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    let keys: Vec<_> = (0..4).map(|_| ParticipantKeys::generate(&mut rng).unwrap()).collect();
    let members = (1..=4).zip(&keys).map(|(i, k)| k.public(id(i))).collect();
    let roster = Roster::new(Epoch(1), Threshold::new(2, 4).unwrap(), members).unwrap();
    let (committee, shares) = dealer::deal(&roster, &mut rng).unwrap();
    let mut w = World { rng, keys, committee, shares };
    let cts = [w.encrypt(LabelKind::TableKey, &[5; 32])];
    let request = w.request(Mode::Sealed, &cts);
    let (_, to) = attempt(&mut w);
    let sealed = seal(&w.shares[0], &w.committee, &request, &to, &cts, &mut w.rng);
    let expected = SealError::Share(RequestError::TableThreshold { t: 2, n: 4 }.into());
    assert_eq!(sealed, Err(expected));
}

/// What is looked at ends after 64 envelopes for each member: honest ones behind that count for nothing, and whoever collects
/// them sorts a flood out beforehand.
#[test]
fn n059_a_flood_of_envelopes_is_bounded() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"a")];
    let request = w.request(Mode::Sealed, &cts);
    let (keys, to) = attempt(&mut w);
    let honest: Vec<_> = (0..3).map(|at| w.sealed(at, &request, &to, &cts)).collect();
    let of = &honest[0];
    let (committee, epoch, topic) = (w.committee.digest(), w.committee.epoch(), request.digest());
    // each with another payload, none signed by its sender: what is looked at is verified
    let forged = |at: u32| {
        let payload = [&of.unverified_payload()[4..], &at.to_be_bytes()].concat();
        Envelope::sign(&w.keys[1], &committee, epoch, of.identifier(), &topic, of.kind(), payload).unwrap()
    };
    let looked_at = 64 * w.committee.members().len();
    let mut flood: Vec<_> = (0..u32::try_from(looked_at).unwrap()).map(forged).collect();
    let last = flood.split_off(looked_at - 3);
    let within = [flood.clone(), honest.clone()].concat();
    let beyond = [flood, last.clone(), honest.clone()].concat();
    let sorted = |envelopes: &[Envelope]| {
        let digest = to.digest();
        let statement = Statement::new(&w.committee, &request, Some(&digest), &cts).unwrap();
        Received::sort(&statement, Kind::Sealed, envelopes).iter().count()
    };
    assert_eq!((sorted(&within), sorted(&beyond)), (3, 0), "the bound is 64 for each member");
    let first_then_flood = [honest, vec![last[0].clone(); 1_000_000]].concat();
    assert_eq!(w.open(keys, &request, &cts, first_then_flood), Ok((vec![b"a".to_vec()], vec![])));
    let (keys, _) = attempt(&mut w);
    let expected = CombineError::NotEnoughShares { need: 3, have: 0, culprits: vec![] };
    assert_eq!(w.open(keys, &request, &cts, beyond), Err(expected));
}

#[test]
fn n069_a_participant_seals_to_the_keys_that_the_evidence_carries() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"a")];
    let digest = w.request(Mode::Sealed, &cts).digest();
    let (keys, to) = attempt(&mut w);
    let (_, other) = attempt(&mut w);
    assert_eq!(to.user_data(&digest), keys.user_data(&digest));
    assert_ne!(Recipient { x: other.x, ..to }.user_data(&digest), keys.user_data(&digest));
    assert_ne!(Recipient { e: other.e, ..to }.user_data(&digest), keys.user_data(&digest));
    assert_ne!(to.user_data(&[0; 64]), keys.user_data(&digest));
}
