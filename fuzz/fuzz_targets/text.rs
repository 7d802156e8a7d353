//! The JSON files of the command `ccc` that participants send each other, those of a pool, and policies in both forms: no input makes a reader
//! panic, what is accepted is one object, written one way, and the members of a session that makes a roster are the
//! roster's. A participant's journal that is cut anywhere is what was written before the cut, and the next line follows it;
//! of a journal that was changed nothing is read but the beginning of what was written.
//!
//! `cargo +nightly fuzz run text`
#![no_main]

use arbitrary::Arbitrary;
use ccc_core::{
    enclave::attestation::Policy,
    identifier::Identifier,
    keys::{ParticipantKeys, PublicKeys},
};
use head::Head;
use libfuzzer_sys::fuzz_target;
use lines::{Entry, JournalKey, Lines, Said, lacks_its_end};
use policy_file::PolicyFile;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::sync::LazyLock;
use text::{MemberLine, PublicLine, SessionFile};

#[allow(dead_code, reason = "the readers are driven")]
#[path = "../../crates/ccc-cli/src/pool/head.rs"]
mod head;
#[allow(dead_code, reason = "the readers are driven")]
#[path = "../../crates/ccc-server/src/hexed.rs"]
mod hexed;
#[allow(dead_code, reason = "the readers are driven")]
#[path = "../../crates/ccc-server/src/journal/lines.rs"]
mod lines;
#[path = "../../crates/ccc-node/src/policy_file.rs"]
mod policy_file;
#[allow(dead_code, reason = "the readers are driven")]
#[path = "../../crates/ccc-cli/src/rounds/session/text.rs"]
mod text;

/// What was agreed on with a chain is not read here: a session that has it is refused.
#[derive(Serialize, Deserialize)]
enum Unread {}

/// Where the command has it.
mod pool {
    pub(crate) use super::hexed;
}

static PARTICIPANTS: LazyLock<Vec<ParticipantKeys>> = LazyLock::new(|| {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    (0..4).map(|_| ParticipantKeys::generate(&mut rng).expect("works")).collect()
});
static KEYS: LazyLock<Vec<PublicKeys>> =
    LazyLock::new(|| PARTICIPANTS.iter().map(ParticipantKeys::public_keys).collect());

/// Bytes as they are; a session of these numbers and keys, of whose text one byte may be changed; or a journal of these
/// answers, cut at a place, of which one byte may be changed.
#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Raw(&'a [u8]),
    Session { protocol: u8, epoch: u64, threshold: u8, old: bool, members: Vec<Line>, change: Option<(u16, u8)> },
    Journal { answers: Vec<(u8, &'a [u8])>, cut: u16, change: Option<(u16, u8)> },
}

#[derive(Arbitrary, Debug)]
struct Line {
    number: u16,
    keys: Keys,
}

/// Good keys, or 32 bytes twice.
#[derive(Arbitrary, Debug)]
enum Keys {
    Good(u8),
    Raw([u8; 32], [u8; 32]),
}

fuzz_target!(|input: Input| match input {
    Input::Raw(bytes) => read(bytes),
    Input::Session { protocol, epoch, threshold, old, members, change } => {
        let protocol = ["key-generation", "refresh", "reshare"][usize::from(protocol) % 3];
        let mut session = serde_json::json!({
            "format": 1, "protocol": protocol, "epoch": epoch, "threshold": threshold, "nonce": "09".repeat(32),
            "members": members.iter().map(line).collect::<Vec<_>>(),
        });
        if old {
            session["committee"] = "07".repeat(64).into();
        }
        let mut text = session.to_string().into_bytes();
        if let Some((at, byte)) = change {
            let at = usize::from(at) % text.len();
            text[at] = byte;
        }
        read(&text);
    }
    Input::Journal { answers, cut, change } => journal(&answers, cut, change),
});

fn line(Line { number, keys }: &Line) -> serde_json::Value {
    let line = match keys {
        Keys::Good(at) => {
            let keys = &KEYS[usize::from(*at) % KEYS.len()];
            Identifier::new(*number).map(|number| serde_json::to_value(MemberLine::new(&keys.member(number))))
        }
        Keys::Raw(signing, dealing) => {
            let hex = |bytes| hexed::Hex::<32>(bytes);
            let (signing, dealing) = (hex(*signing), hex(*dealing));
            Ok(Ok(serde_json::json!({"number": number, "signing_key": signing, "dealing_key": dealing})))
        }
    };
    line.map_or(serde_json::Value::Null, |line| line.expect("numbers and text always serialise"))
}

fn read(bytes: &[u8]) {
    if let Some(file) = settles::<SessionFile<Unread>>(bytes) {
        session(&file);
    }
    if let Some(line) = settles::<PublicLine>(bytes) {
        public_keys(&line);
    }
    if let Some(head) = settles::<Head>(bytes) {
        let _ = head.paid(&[0; 20]);
    }
    if let Some(file) = settles::<PolicyFile>(bytes) {
        policy(&file);
    }
    if let Ok(file) = toml::from_slice::<PolicyFile>(bytes) {
        policy(&file);
    }
    assert!(opened(0, bytes).is_none_or(|lines| lines.count() == 0), "a line that this participant never wrote");
}

/// What means a policy is written in both forms, and read as the same one.
fn policy(file: &PolicyFile) {
    let Ok(policy) = Policy::try_from(file) else { return };
    let file = PolicyFile::from(&policy);
    let written = toml::to_string(&file).expect("numbers and text always serialise");
    let again: PolicyFile = toml::from_str(&written).expect("what was written is read");
    assert_eq!([Policy::try_from(&file), Policy::try_from(&again)], [Ok(policy.clone()), Ok(policy)]);
}

/// What is accepted is written in a form that is read as the same object and written back as it was.
fn settles<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let found: T = serde_json::from_slice(bytes).ok()?;
    let written = json(&found);
    let again: T = serde_json::from_slice(&written).expect("what was written is read");
    assert_eq!(json(&again), written);
    Some(found)
}

fn json<T: Serialize>(object: &T) -> Vec<u8> {
    serde_json::to_vec(object).expect("numbers and text always serialise")
}

fn session(file: &SessionFile<Unread>) {
    let roster = file.roster();
    assert_eq!(file.id().is_ok(), roster.is_ok());
    let Ok(roster) = roster else { return };
    let members: Vec<_> = roster.members().iter().map(MemberLine::new).collect();
    assert_eq!(json(&members), json(&file.members));
    let weights: usize = roster.participants().iter().map(|participant| participant.weight()).sum();
    assert_eq!(weights, usize::from(roster.threshold().n()));
    assert_eq!(roster.epoch().0, file.epoch);
}

fn public_keys(line: &PublicLine) {
    let keys = PublicKeys::from_bytes(&line.signing_key(), &line.dealing_key());
    assert_eq!(line.check().is_ok(), keys.is_ok());
    if let Ok(keys) = keys {
        assert_eq!(json(&PublicLine::new(&keys)), json(line));
    }
}

/// A participant's journal as its reader takes it: an end of line that alone is missing is added before.
fn opened(participant: usize, bytes: &[u8]) -> Option<Lines> {
    let mut bytes = bytes.to_vec();
    if lacks_its_end(&bytes) {
        bytes.push(b'\n');
    }
    Lines::read(JournalKey::of(&PARTICIPANTS[participant]), &bytes).ok()
}

fn written(lines: &Lines, id: u8, answer: &[u8]) -> (Entry, Vec<u8>) {
    let said = Said { id: [id; 32], digest: [id ^ 1; 64], recipient: [id ^ 2; 64], answer };
    lines.next(&said).expect("numbers and text always serialise")
}

fn journal(answers: &[(u8, &[u8])], cut: u16, change: Option<(u16, u8)>) {
    let mut honest = opened(0, b"").expect("an absent journal is empty");
    let mut text = Vec::new();
    for (id, answer) in answers {
        let (entry, line) = written(&honest, *id, answer);
        text.extend(&line);
        honest.add(entry, &line);
    }
    assert_eq!(honest.length(), text.len() as u64);
    let torn = &text[..usize::from(cut) % (text.len() + 1)];
    let read = opened(0, torn).expect("a line that is cut is left out");
    let whole = torn.iter().filter(|byte| **byte == b'\n').count() + usize::from(lacks_its_end(torn));
    // an authenticator stands for every line up to its own
    assert_eq!((read.count(), read.head(whole)), (whole, honest.head(whole)));
    goes_on(&read, &text);
    assert_eq!(opened(1, torn).map(|other| other.count()), (whole == 0).then_some(0), "another participant's");
    if let Some((at, byte)) = change
        && !torn.is_empty()
    {
        let mut bent = torn.to_vec();
        bent[usize::from(at) % torn.len()] = byte;
        if let Some(found) = opened(0, &bent) {
            assert!(found.count() <= honest.count());
            assert_eq!(found.head(found.count()), honest.head(found.count()));
        }
    }
}

/// The next line takes the place of what was cut.
fn goes_on(read: &Lines, text: &[u8]) {
    let (entry, line) = written(read, 9, b"next");
    let whole = usize::try_from(read.length()).expect("it was in memory");
    let again = opened(0, &[&text[..whole], &line].concat()).expect("whole lines");
    assert_eq!((again.count(), again.head(read.count())), (read.count() + 1, read.head(read.count())));
    assert_eq!(again.of(&[9; 32]).last(), Some(&entry));
}
