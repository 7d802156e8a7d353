//! A participant of a key generation that speaks for itself: it can sign what the command would not say.

use super::circle::Circle;
use ccc_core::{
    encoding::{Kind, header},
    envelope::Envelope,
    epoch::Epoch,
    identifier::Identifier,
    keys::{ParticipantKeys, Protocol, PublicKeys, Roster, Session, dkg},
    suite::{self, domain},
    threshold::Threshold,
};
use curve25519_dalek::Scalar;
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::fs;

pub(crate) struct Liar {
    session: Session,
    number: Identifier,
    keys: ParticipantKeys,
}

fn bytes<const N: usize>(value: &serde_json::Value) -> [u8; N] {
    let bytes = hex::decode(value.as_str().expect("text")).expect("hexadecimal");
    bytes.try_into().expect("the length")
}

fn session(circle: &Circle) -> Session {
    let file: serde_json::Value = serde_json::from_slice(&circle.scratch.read("session.json")).expect("JSON");
    let members = file["members"].as_array().expect("a list").iter().zip(1..).map(|(member, number)| {
        let keys = PublicKeys::from_bytes(&bytes(&member["signing_key"]), &bytes(&member["dealing_key"]));
        keys.expect("two keys").member(Identifier::new(number).expect("not zero"))
    });
    let members: Vec<_> = members.collect();
    let threshold = Threshold::default_for(u16::try_from(members.len()).expect("few")).expect("a threshold");
    let roster = Roster::new(Epoch(1), threshold, members).expect("a roster");
    Session::new(Protocol::Dkg, None, roster, &bytes(&file["nonce"]))
}

fn field(bytes: &[u8], at: usize, length: usize) -> Vec<u8> {
    bytes[at..at + length].to_vec()
}

impl Liar {
    /// Plays participant `i`, with the keys of its file.
    pub(crate) fn new(circle: &Circle, i: u16) -> Self {
        let file = circle.scratch.read(&format!("k{i}.ccc"));
        let keys = ParticipantKeys::from_bytes(&file[16..16 + 72]).expect("keys in the clear");
        Self { session: session(circle), number: Identifier::new(i).expect("not zero"), keys }
    }

    /// Puts a signed message on the board.
    pub(crate) fn says(&self, circle: &Circle, name: &str, payload: Vec<u8>) {
        let (roster, topic) = (self.session.roster(), self.session.id());
        let envelope =
            Envelope::sign(&self.keys, &roster.digest(), roster.epoch(), self.number, &topic, Kind::Dealing, payload);
        fs::create_dir_all(circle.scratch.path("board")).expect("a board");
        circle.scratch.write(&format!("board/{name}"), envelope.expect("short").to_bytes());
    }

    pub(crate) fn commits(&self, circle: &Circle, name: &str, dealing: &[u8]) {
        let digest = suite::digest32(domain::DEALING_COMMITMENT, &[dealing]);
        self.says(circle, name, [&[1][..], &digest].concat());
    }

    /// A dealing that is right in public: the share of member `victim` does not open, and the proof covers that.
    pub(crate) fn dealing_against(&self, victim: usize) -> Vec<u8> {
        let mut seed = [0; 64];
        StdRng::seed_from_u64(7).fill_bytes(&mut seed);
        let mut rng = StdRng::seed_from_u64(7);
        let participant = dkg::Participant::new(self.session.clone(), self.number, &self.keys, &mut rng);
        let committed = participant.expect("joined").commit().expect("dealt");
        // front 46, no culprits 2, seed 64, length 4
        let mut dealing = committed.to_bytes()[116..].to_vec();
        let t = usize::from(self.session.roster().threshold().t());
        let n = self.session.roster().members().len();
        let (r, shares) = (117 + 32 * t + 64, 117 + 32 * t + 98);
        dealing[shares + 48 * victim] ^= 1;
        let mut fields = vec![vec![Protocol::Dkg as u8], self.session.id().to_vec(), field(&dealing, 41, 8)];
        fields.extend([field(&dealing, 49, 64), field(&dealing, 113, 2)]);
        fields.extend((0..t).map(|k| field(&dealing, 117 + 32 * k, 32)));
        fields.push(field(&dealing, r, 32));
        fields.extend((0..n).map(|j| field(&dealing, shares + 48 * j, 48)));
        // u is what the dealer draws after its t coefficients
        let secret = &self.keys.to_bytes()[40..];
        let number = self.number.to_bytes();
        let stream: [&[u8]; 6] = [&seed, secret, &self.session.id(), &number, b"dealing", &[0]];
        let stream = suite::hash(domain::ROUNDS, &stream);
        let place = u32::try_from(t).expect("few").to_be_bytes();
        let u = challenge(domain::NONCE, &[&stream, &place]);
        let v = challenge("any nonce", &[b"of this test"]);
        assert_eq!(times_g(&u.to_bytes()).to_vec(), field(&dealing, r, 32), "u is what the dealer drew");
        let commitment = times_g(&v.to_bytes());
        fields.push(commitment.to_vec());
        let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        let z = v + challenge(domain::DEALING, &fields) * u;
        dealing.truncate(shares + 48 * n);
        dealing.extend_from_slice(&commitment);
        dealing.extend_from_slice(&z.to_bytes());
        dealing
    }
}

/// H read little-endian and reduced.
fn challenge(label: &str, fields: &[&[u8]]) -> Scalar {
    Scalar::from_bytes_mod_order_wide(&suite::hash(label, fields))
}

/// The point of a scalar, by way of a dealing key.
fn times_g(scalar: &[u8; 32]) -> [u8; 32] {
    let wire = [&header(Kind::ParticipantKeys)[..], &[1; 32], scalar].concat();
    ParticipantKeys::from_bytes(&wire).expect("a scalar").public_keys().dealing_key()
}
