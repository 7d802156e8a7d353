//! A participant of a key generation, a handover or a repair that speaks for itself: it can sign what the command would
//! not say.

use super::{Scratch, circle::Circle};
use ccc_core::{
    encoding::{Kind, Reader, header},
    envelope::Envelope,
    epoch::Epoch,
    identifier::Identifier,
    keys::{
        Committee, KeyShare, ParticipantKeys, Protocol, PublicKeys, Roster, Session, dkg,
        reshare::{self, OldMember},
    },
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
    /// Its old share, in a handover.
    share: Option<KeyShare>,
    board: &'static str,
}

fn bytes<const N: usize>(value: &serde_json::Value) -> [u8; N] {
    let bytes = hex::decode(value.as_str().expect("text")).expect("hexadecimal");
    bytes.try_into().expect("the length")
}

fn session(circle: &Circle, name: &str, old: Option<Committee>) -> Session {
    let file: serde_json::Value = serde_json::from_slice(&circle.scratch.read(name)).expect("JSON");
    let members = file["members"].as_array().expect("a list").iter().zip(1..).map(|(member, number)| {
        let keys = PublicKeys::from_bytes(&bytes(&member["signing_key"]), &bytes(&member["dealing_key"]));
        keys.expect("two keys").member(Identifier::new(number).expect("not zero"))
    });
    let members: Vec<_> = members.collect();
    let (t, n) = (file["threshold"].as_u64().expect("a number"), members.len());
    let threshold = Threshold::new(u16::try_from(t).expect("few"), u16::try_from(n).expect("few"));
    let epoch = Epoch(file["epoch"].as_u64().expect("a number"));
    let roster = Roster::new(epoch, threshold.expect("a threshold"), members).expect("a roster");
    let nonce = bytes(&file["nonce"]);
    let Some(old) = old else { return Session::new(Protocol::Dkg, None, roster, &nonce) };
    let protocol = if file["protocol"] == "refresh" { Protocol::Refresh } else { Protocol::Reshare };
    Session::handover(protocol, old.into(), roster, &nonce).expect("a session")
}

/// The objects of a key file in the clear.
pub(crate) fn objects(file: &[u8]) -> Vec<Vec<u8>> {
    let mut reader = Reader::new(&file[12..file.len() - 32]);
    let mut objects = Vec::new();
    while let Ok(object) = reader.length_prefixed("object", 1 << 16) {
        objects.push(object.to_vec());
    }
    objects
}

fn keys_of(scratch: &Scratch, path: &str) -> ParticipantKeys {
    let objects = objects(&scratch.read(path));
    ParticipantKeys::from_bytes(objects.last().expect("keys")).expect("keys in the clear")
}

pub(crate) fn committee(scratch: &Scratch, path: &str) -> Committee {
    Committee::from_bytes(&scratch.read(path)).expect("a committee")
}

/// Changes a message of a repair, and signs it again with its sender's keys.
pub(crate) fn bends(scratch: &Scratch, keys: &str, vault: &str, message: &str, bend: impl FnOnce(&mut Vec<u8>)) {
    let (keys, committee) = (keys_of(scratch, keys), committee(scratch, vault));
    let envelope = Envelope::from_bytes(&scratch.read(message)).expect("an envelope");
    let mut payload = envelope.verify(&committee).expect("signed").to_vec();
    bend(&mut payload);
    let (digest, epoch, number) = (committee.digest(), committee.epoch(), envelope.identifier());
    let bent = Envelope::sign(&keys, &digest, epoch, number, envelope.topic(), envelope.kind(), payload);
    scratch.write(message, bent.expect("an envelope").to_bytes());
}

/// Makes the part of a split that is for the helper at this place one that does not open, under a proof that covers it.
pub(crate) fn spoils_a_part(scratch: &Scratch, participant: &str, vault: &str, message: &str, victim: usize) {
    let envelope = Envelope::from_bytes(&scratch.read(message)).expect("an envelope");
    let share = objects(&scratch.read(participant)).swap_remove(0);
    bends(scratch, participant, vault, message, |payload| {
        *payload = spoiled(payload.clone(), envelope.topic(), &share[82..], victim);
    });
}

/// stage 1 ‖ sender 2 ‖ seen 32 ‖ count 2 ‖ (D 32 ‖ sealed 48)… ‖ R 32 ‖ T 32 ‖ z 32.
fn spoiled(mut packet: Vec<u8>, session: &[u8], x: &[u8], victim: usize) -> Vec<u8> {
    let parts = packet.len() - 96;
    packet[37 + 80 * victim + 32] ^= 1;
    let [stage, sender, seen, r] = [(0, 1), (1, 2), (3, 32), (parts, 32)].map(|(at, n)| field(&packet, at, n));
    let (commitments, sealed): (Vec<_>, Vec<_>) = packet[37..parts].chunks(80).map(|part| part.split_at(32)).unzip();
    let seed = suite::hash(domain::REPAIR_SEED, &[x, session, &sender, &stage, &seen]);
    let u = challenge(domain::REPAIR_EPHEMERAL, &[&[&seed[..]], &commitments[..], &[&[0]]].concat());
    assert_eq!(times_g(&u.to_bytes()).to_vec(), r, "u is what the helper derived");
    let v = challenge("any nonce", &[b"of this test"]);
    let t = times_g(&v.to_bytes());
    let front: [&[u8]; 4] = [session, &stage, &sender, &seen];
    let fields = [&front, &commitments[..], &[&r], &sealed[..], &[&t]].concat();
    let z = v + challenge(domain::REPAIR, &fields) * u;
    packet.truncate(parts + 32);
    [&packet[..], &t, &z.to_bytes()].concat()
}

/// Puts a certificate on a board that holds the confirmations of these and leaves out the others'.
pub(crate) fn certificate(scratch: &Scratch, board: &str, who: &[u16]) {
    let wires: Vec<_> = who.iter().map(|i| scratch.read(&format!("{board}/confirm-{i}.ccc"))).collect();
    let first = Envelope::from_bytes(&wires[0]).expect("an envelope");
    let mut wire = [&header(Kind::Certificate)[..], first.topic(), &wires[0][219 - 96..219 - 64]].concat();
    wire.extend_from_slice(&u16::try_from(wires.len()).expect("few").to_be_bytes());
    for envelope in wires {
        wire.extend_from_slice(&u32::try_from(envelope.len()).expect("short").to_be_bytes());
        wire.extend_from_slice(&envelope);
    }
    scratch.write(&format!("{board}/certificate.ccc"), wire);
}

fn field(bytes: &[u8], at: usize, length: usize) -> Vec<u8> {
    bytes[at..at + length].to_vec()
}

impl Liar {
    /// Plays participant `i`, with the keys of its file.
    pub(crate) fn new(circle: &Circle, i: u16) -> Self {
        let keys = keys_of(&circle.scratch, &format!("k{i}.ccc"));
        let (session, number) = (session(circle, "session.json", None), Identifier::new(i).expect("not zero"));
        Self { session, number, keys, share: None, board: "board" }
    }

    /// Plays participant `i` of `vault/` in a handover.
    pub(crate) fn in_handover(circle: &Circle, name: &str, i: u16, board: &'static str) -> Self {
        let path = format!("vault/participant-{i}.ccc");
        let share = KeyShare::from_bytes(&objects(&circle.scratch.read(&path))[0]).expect("a share");
        let session = session(circle, name, Some(committee(&circle.scratch, "vault/committee.ccc")));
        let (keys, number) = (keys_of(&circle.scratch, &path), Identifier::new(i).expect("not zero"));
        Self { session, number, keys, share: Some(share), board }
    }

    /// Puts a signed message on the board.
    pub(crate) fn says(&self, circle: &Circle, name: &str, payload: Vec<u8>) {
        let (roster, topic) = (self.session.roster(), self.session.id());
        let envelope =
            Envelope::sign(&self.keys, &roster.digest(), roster.epoch(), self.number, &topic, Kind::Dealing, payload);
        fs::create_dir_all(circle.scratch.path(self.board)).expect("a board");
        circle.scratch.write(&format!("{}/{name}", self.board), envelope.expect("short").to_bytes());
    }

    pub(crate) fn commits(&self, circle: &Circle, name: &str, dealing: &[u8]) {
        let digest = suite::digest32(domain::DEALING_COMMITMENT, &[dealing]);
        self.says(circle, name, [&[1][..], &digest].concat());
    }

    /// The state that an honest participant would store.
    fn committed(&self, rng: &mut StdRng) -> Vec<u8> {
        let Some(key_share) = &self.share else {
            let participant = dkg::Participant::new(self.session.clone(), self.number, &self.keys, rng);
            return participant.expect("joined").commit().expect("dealt").to_bytes().to_vec();
        };
        let old = OldMember { key_share, keys: &self.keys };
        let party = reshare::Party::new(self.session.clone(), Some(old), None).expect("a party");
        let participant = reshare::Participant::join(party, rng).expect("joined");
        participant.commit().expect("dealt").to_bytes().to_vec()
    }

    /// A dealing that is right in public: the share of member `victim` does not open, and the proof covers that.
    pub(crate) fn dealing_against(&self, victim: usize) -> Vec<u8> {
        let mut seed = [0; 64];
        StdRng::seed_from_u64(7).fill_bytes(&mut seed);
        // front 46, no culprits 2, seed 64, length 4
        let mut dealing = self.committed(&mut StdRng::seed_from_u64(7))[116..].to_vec();
        let t = usize::from(self.session.roster().threshold().t());
        let n = self.session.roster().members().len();
        let (r, shares) = (117 + 32 * t + 64, 117 + 32 * t + 98);
        dealing[shares + 48 * victim] ^= 1;
        let mut fields = vec![vec![self.session.protocol() as u8], self.session.id().to_vec(), field(&dealing, 41, 8)];
        fields.extend([field(&dealing, 49, 64), field(&dealing, 113, 2)]);
        fields.extend((0..t).map(|k| field(&dealing, 117 + 32 * k, 32)));
        fields.push(field(&dealing, r, 32));
        fields.extend((0..n).map(|j| field(&dealing, shares + 48 * j, 48)));
        // u is what the dealer draws after its coefficients, of which a handover gives the first
        let draws = if self.share.is_some() { t - 1 } else { t };
        let secret = &self.keys.to_bytes()[40..];
        let number = self.number.to_bytes();
        let stream: [&[u8]; 6] = [&seed, secret, &self.session.id(), &number, b"dealing", &[0]];
        let stream = suite::hash(domain::ROUNDS, &stream);
        let place = u32::try_from(draws).expect("few").to_be_bytes();
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
