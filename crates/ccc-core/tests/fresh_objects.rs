//! Objects of this run, with randomness from the operating system, for the slow twin to verify and to open.
//!
//! With `CCC_FRESH_OBJECTS` in the environment they are written to the file that it names; `tools/slow_twin/test_fresh.py`
//! reads them. Without it they are made and opened here alone.

#![allow(missing_docs, reason = "a test crate exports nothing")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure fails the test")]

mod support;

use ccc_core::ciphertext::{Ciphertext, Label, LabelKind, VerifiedCiphertext};
use ccc_core::enclave::AttemptKeys;
use ccc_core::encoding::{Kind, header};
use ccc_core::envelope::Envelope;
use ccc_core::epoch::Epoch;
use ccc_core::identifier::Identifier;
use ccc_core::keys::board::{Board, MemoryBoard, Round};
use ccc_core::keys::{Committee, Complaint, Dealing, KeyShare, ParticipantKeys, Protocol, PublicKeys, Roster, Session};
use ccc_core::keys::{MasterPublicKey, Verdict, dkg};
use ccc_core::threshold::Threshold;
use ccc_core::vault::compact::{self, Partials};
use ccc_core::vault::{AttestedRecipient, Mode, Recipient, Request, Shares, combine_public, sealed::seal};
use rand::rngs::SysRng;
use rand_core::{Rng, UnwrapErr};
use serde_json::{Value, json};
use support::{array, bytes, list, number, vectors};

type System = UnwrapErr<SysRng>;

const N: u16 = 4;
const CHAIN: u64 = 31_337;
const DEADLINE: u64 = 1_800_000_000;

fn id(i: u16) -> Identifier {
    Identifier::new(i).unwrap()
}

fn drawn<const L: usize>(rng: &mut System) -> [u8; L] {
    let mut out = [0; L];
    rng.fill_bytes(&mut out);
    out
}

/// A message of 0 to 255 bytes.
fn message(rng: &mut System) -> Vec<u8> {
    let [length] = drawn(rng);
    drawn::<255>(rng)[..usize::from(length)].to_vec()
}

fn hexes(wires: impl IntoIterator<Item = Vec<u8>>) -> Vec<String> {
    wires.into_iter().map(hex::encode).collect()
}

/// A committee out of a key generation, with everything that its members and the board hold.
struct World {
    rng: System,
    keys: Vec<(Identifier, ParticipantKeys)>,
    committee: Committee,
    shares: Vec<KeyShare>,
    board: MemoryBoard,
}

impl World {
    fn new() -> Self {
        let mut rng = UnwrapErr(SysRng);
        let keys: Vec<_> = (1..=N).map(|i| (id(i), ParticipantKeys::generate(&mut rng).unwrap())).collect();
        let members = keys.iter().map(|(i, keys)| keys.public(*i)).collect();
        let epoch = Epoch(u64::from(u16::from_be_bytes(drawn(&mut rng))));
        let roster = Roster::new(epoch, Threshold::default_for(N).unwrap(), members).unwrap();
        let mut board = MemoryBoard::new(drawn(&mut rng));
        let outcomes = dkg::run_in_process(&roster, &keys, &mut board, &mut rng).unwrap();
        let outcomes: Vec<_> = outcomes.into_iter().map(|(_, outcome)| outcome.unwrap()).collect();
        let committee = outcomes[0].committee.clone();
        let shares = outcomes.into_iter().map(|outcome| outcome.key_share).collect();
        Self { rng, keys, committee, shares, board }
    }

    fn ciphertext(&mut self, kind: LabelKind, message: &[u8]) -> VerifiedCiphertext {
        let (contract, id, requester, context) =
            (drawn(&mut self.rng), drawn(&mut self.rng), drawn(&mut self.rng), drawn(&mut self.rng));
        let label = Label { kind, chain: CHAIN, contract, id, version: 1, requester, expiry: DEADLINE, context };
        let key: MasterPublicKey = *self.committee.master_public_key();
        let made = Ciphertext::encrypt(&key, &label, message, &mut self.rng).unwrap();
        made.verify(&key).unwrap()
    }

    fn request(&mut self, mode: Mode, table: bool, ciphertexts: &[VerifiedCiphertext]) -> Request {
        Request {
            chain: CHAIN,
            contract: drawn(&mut self.rng),
            id: drawn(&mut self.rng),
            table_header: table.then(|| drawn(&mut self.rng)),
            block_hash: drawn(&mut self.rng),
            deadline: DEADLINE,
            mode,
            epoch: self.committee.epoch(),
            committee: self.committee.digest(),
            ciphertexts: ciphertexts.iter().map(VerifiedCiphertext::digest).collect(),
        }
    }

    fn case(&mut self, mode: Mode, m: usize) -> Case {
        let kind = if mode == Mode::Public { LabelKind::Public } else { LabelKind::Recipient };
        let messages: Vec<_> = (0..m).map(|_| message(&mut self.rng)).collect();
        let ciphertexts: Vec<_> = messages.iter().map(|message| self.ciphertext(kind, message)).collect();
        let request = self.request(mode, m > 1, &ciphertexts);
        Case { messages, ciphertexts, request }
    }

    /// What every member says to a request, in its envelope.
    fn envelopes(
        &mut self,
        case: &Case,
        kind: Kind,
        answer: impl Fn(&KeyShare, &mut System) -> Vec<u8>,
    ) -> Vec<Envelope> {
        let (committee, topic) = (&self.committee, case.request.digest());
        let mut sign = |((i, keys), share): (&(Identifier, ParticipantKeys), &KeyShare)| {
            let payload = answer(share, &mut self.rng);
            Envelope::sign(keys, &committee.digest(), committee.epoch(), *i, &topic, kind, payload).unwrap()
        };
        self.keys.iter().zip(&self.shares).map(&mut sign).collect()
    }
}

/// A request with its ciphertexts and what they hold.
struct Case {
    messages: Vec<Vec<u8>>,
    ciphertexts: Vec<VerifiedCiphertext>,
    request: Request,
}

impl Case {
    fn require(&self, opened: ccc_core::vault::Opened) {
        let plaintexts = opened.every(&self.ciphertexts).unwrap();
        assert!(plaintexts.iter().map(|p| p.as_slice()).eq(self.messages.iter().map(Vec::as_slice)));
    }

    fn write(&self, envelopes: &[Envelope]) -> Value {
        json!({
            "request": hex::encode(self.request.to_bytes()),
            "ciphertexts": hexes(self.ciphertexts.iter().map(|c| c.ciphertext().to_bytes())),
            "messages": hexes(self.messages.iter().cloned()),
            "envelopes": hexes(envelopes.iter().map(Envelope::to_bytes)),
        })
    }
}

/// Shares in the clear, of one ciphertext or of several.
fn public(world: &mut World, m: usize) -> Value {
    let case = world.case(Mode::Public, m);
    let committee = world.committee.clone();
    let kind = if m == 1 { Kind::Share } else { Kind::Composite };
    let envelopes = world.envelopes(&case, kind, |share, rng| {
        Shares::create(share, &committee, &case.request, &case.ciphertexts, rng).unwrap().to_bytes()
    });
    let read = |e: &Envelope| (e.identifier(), Shares::from_bytes(e.verify(&committee).unwrap(), m).unwrap());
    let shares = envelopes.iter().map(read).collect();
    case.require(combine_public(&committee, &case.request, &case.ciphertexts, shares, &mut world.rng).unwrap());
    case.write(&envelopes)
}

/// The keys of an attempt, with the recipient that they are.
fn attempt(world: &mut World) -> (AttemptKeys, Recipient) {
    let keys = AttemptKeys::generate(&mut world.rng).unwrap();
    let recipient = keys.recipient(drawn(&mut world.rng));
    (keys, recipient)
}

fn directed(mut written: Value, keys: &[u8], recipient: Recipient) -> Value {
    let recipient = AttestedRecipient { recipient, evidence: Vec::new() };
    written["attempt_keys"] = hex::encode(keys).into();
    written["recipient"] = hex::encode(recipient.to_bytes()).into();
    written
}

fn sealed(world: &mut World, m: usize) -> Value {
    let case = world.case(Mode::Sealed, m);
    let (committee, (keys, recipient)) = (world.committee.clone(), attempt(world));
    let envelopes = world.envelopes(&case, Kind::Sealed, |share, rng| {
        seal(share, &committee, &case.request, &recipient, &case.ciphertexts, rng).unwrap().to_bytes()
    });
    let (wire, measurement) = (keys.to_bytes(), recipient.measurement);
    case.require(keys.open(&committee, &case.request, measurement, &case.ciphertexts, envelopes.clone()).unwrap());
    directed(case.write(&envelopes), &wire, recipient)
}

fn compact(world: &mut World, m: usize) -> Value {
    let case = world.case(Mode::Compact, m);
    let (committee, (keys, recipient)) = (world.committee.clone(), attempt(world));
    let Case { request, ciphertexts, .. } = &case;
    let envelopes = world.envelopes(&case, Kind::Compact, |share, rng| {
        Partials::create(share, &committee, request, &recipient, ciphertexts, rng).unwrap().to_bytes()
    });
    let combination =
        compact::combine(&committee, request, &recipient, ciphertexts, &envelopes, &mut world.rng).unwrap();
    let (wire, measurement, combined) = (keys.to_bytes(), recipient.measurement, combination.combined);
    let unasked = || panic!("the pairs open the ciphertexts");
    case.require(keys.open_combined(&committee, request, measurement, ciphertexts, &combined, unasked).unwrap());
    let mut written = directed(case.write(&envelopes), &wire, recipient);
    written["combined"] = hex::encode(combined.to_bytes()).into();
    written
}

/// The key generation, as the board has it and as its participants could open it.
fn generation(world: &mut World) -> Value {
    let mut round = |round| hexes(world.board.close(round).unwrap().iter().map(Envelope::to_bytes));
    let (opened, confirmed) = (round(Round::Open), round(Round::Confirm));
    json!({
        "board_nonce": hex::encode(world.board.nonce()),
        "opened": opened,
        "confirmed": confirmed,
        "participant_keys": hexes(world.keys.iter().map(|(_, keys)| keys.to_bytes().to_vec())),
        "key_shares": hexes(world.shares.iter().map(|share| share.to_bytes().to_vec())),
    })
}

/// A complaint of this run about the recorded dealing with a wrong share.
fn complaint(rng: &mut System) -> Value {
    let (file, committees) = (vectors("complaint"), vectors("committee"));
    let member = |m: &Value| {
        let keys = PublicKeys::from_bytes(&array(m, "signing_key"), &array(m, "dealing_key")).unwrap();
        keys.member(id(u16::try_from(number(m, "identifier")).unwrap()))
    };
    let members = list(&committees["cases"][0], "members").iter().map(member).collect();
    let roster = Roster::new(Epoch(number(&file, "epoch")), Threshold::new(3, 5).unwrap(), members).unwrap();
    let session = Session::new(Protocol::Dkg, None, roster, &array(&file["session"], "board_nonce"));
    let dealing = Dealing::from_bytes(&bytes(&file["dealing"], "wire")).unwrap().verify(&session).unwrap();
    let secret: [u8; 32] = array(&file["cases"][0], "dealing_secret");
    let wire = [header(Kind::ParticipantKeys).as_slice(), &[1; 32], &secret].concat();
    let made = Complaint::create(&dealing, id(4), &ParticipantKeys::from_bytes(&wire).unwrap(), rng).unwrap();
    assert!(matches!(made.judge(&dealing, id(4)), Verdict::Dealer(_)));
    hex::encode(made.to_bytes()).into()
}

#[test]
fn objects_of_this_run_open_and_are_written_for_the_slow_twin() {
    let mut world = World::new();
    let made = json!({
        "committee": hex::encode(world.committee.to_bytes()),
        "generation": generation(&mut world),
        "public": [public(&mut world, 1), public(&mut world, 2)],
        "sealed": [sealed(&mut world, 1), sealed(&mut world, 2)],
        "compact": [compact(&mut world, 1), compact(&mut world, 2)],
        "complaint": complaint(&mut world.rng),
    });
    if let Some(path) = std::env::var_os("CCC_FRESH_OBJECTS") {
        std::fs::write(path, format!("{made:#}\n")).unwrap();
    }
}
