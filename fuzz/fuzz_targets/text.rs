//! The JSON files of the command `ccc` that participants send each other, and those of a pool: no input makes a reader
//! panic, what is accepted is one object, written one way, and the members of a session that makes a roster are the
//! roster's.
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
use policy_file::PolicyFile;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::LazyLock;
use text::{MemberLine, PublicLine, SessionFile};

#[allow(dead_code, reason = "the readers are driven")]
#[path = "../../crates/ccc-cli/src/pool/head.rs"]
mod head;
#[allow(dead_code, reason = "the readers are driven")]
#[path = "../../crates/ccc-cli/src/pool/hexed.rs"]
mod hexed;
#[path = "../../crates/ccc-node/src/policy_file.rs"]
mod policy_file;
#[allow(dead_code, reason = "the readers are driven")]
#[path = "../../crates/ccc-cli/src/rounds/session/text.rs"]
mod text;

/// Where the command has it.
mod pool {
    pub(crate) use super::hexed;
}

static KEYS: LazyLock<Vec<PublicKeys>> = LazyLock::new(|| {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    (0..4).map(|_| ParticipantKeys::generate(&mut rng).expect("works").public_keys()).collect()
});

/// Bytes as they are, or a session of these numbers and keys, of whose text one byte may be changed.
#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Raw(&'a [u8]),
    Session { protocol: u8, epoch: u64, threshold: u8, old: bool, members: Vec<Line>, change: Option<(u16, u8)> },
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
    if let Some(file) = settles::<SessionFile>(bytes) {
        session(&file);
    }
    if let Some(line) = settles::<PublicLine>(bytes) {
        public_keys(&line);
    }
    if let Some(head) = settles::<Head>(bytes) {
        let _ = head.paid(&[0; 20]);
    }
    if let Some(file) = settles::<PolicyFile>(bytes)
        && let Ok(policy) = Policy::try_from(&file)
    {
        assert_eq!(Policy::try_from(&PolicyFile::from(&policy)), Ok(policy));
    }
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

fn session(file: &SessionFile) {
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
