//! What the command `ccc` tells from a file's bytes alone, the text files of a pool directory, and scenarios: no input
//! makes a reader panic, what is told is written back as it was, and what is read as text is written in a form that is read
//! as the same.
//!
//! Two readers of JSON are not here, as alloy and the EVM stay out: those of deployments and transcripts, and with them that
//! of a contract's refusal. `ccc-chain` reads arbitrary bytes with them in its own tests.
//!
//! `cargo +nightly fuzz run artifact`
#![no_main]

// the crates that these readers name, and of which they need what is compiled here
extern crate self as ccc_chain;
extern crate self as ccc_node;

use arbitrary::Arbitrary;
use artifact::Artifact;
use ccc_core::{
    enclave::attestation::Body,
    encoding::{Kind, header},
};
use change::Change;
use libfuzzer_sys::fuzz_target;
use log::ChainLog;
use policy_file::PolicyFile;
use scenario::{BUILT_IN, Scenario};
use serde::{Deserialize, de::IgnoredAny};
use settings::Settings;
use std::sync::LazyLock;

#[allow(dead_code, reason = "the reader is driven")]
#[path = "../../crates/ccc-cli/src/artifact.rs"]
mod artifact;
mod change;
#[allow(dead_code, reason = "the readers are driven")]
#[path = "../../crates/ccc-cli/src/message/document.rs"]
mod document;
#[allow(dead_code, reason = "the readers are driven")]
#[path = "../../crates/ccc-server/src/hexed.rs"]
mod hexed;
#[allow(dead_code, reason = "the reader is driven")]
#[path = "../../crates/ccc-cli/src/pool/log.rs"]
mod log;
#[path = "../../crates/ccc-node/src/policy_file.rs"]
mod policy_file;
#[allow(dead_code, reason = "the reader is driven")]
#[path = "../../crates/ccc-node/src/scenario.rs"]
mod scenario;
#[allow(dead_code, reason = "the reader is driven; sealing derives a key from 19 MiB up")]
#[path = "../../crates/ccc-cli/src/files/sealed.rs"]
mod sealed;
#[allow(dead_code, reason = "the reader is driven")]
#[path = "../../crates/ccc-cli/src/pool/settings.rs"]
mod settings;
#[allow(dead_code, reason = "the readers are driven")]
#[path = "../../crates/ccc-cli/src/rounds/session/text.rs"]
mod text;

/// Where the command has them.
mod pool {
    pub(crate) use super::hexed;
}
mod message {
    pub(crate) mod tdh2 {
        pub(crate) use crate::document::{Document, is_json};
    }
}
mod rounds {
    pub(crate) mod session {
        pub(crate) use crate::text::PublicLine;

        /// What was agreed on with a chain is not read here: a session that has it is refused.
        #[derive(serde::Deserialize, serde::Serialize)]
        pub(crate) enum Unread {}
        pub(crate) type SessionFile = crate::text::SessionFile<Unread>;
    }
}

/// The errors of the command that these readers give.
mod error {
    use std::{io, path::PathBuf};

    #[derive(Debug)]
    #[allow(dead_code, reason = "their sentences are the command's")]
    pub(crate) enum Error {
        OtherContent { path: PathBuf, expected: &'static str, found: &'static str },
        PoolLog { line: usize, reason: String },
        Read { path: PathBuf, source: io::Error },
        Write { path: PathBuf, source: io::Error },
    }
}

/// Nothing is opened here.
mod files {
    pub(crate) use super::sealed;
    use crate::error::Error;
    use std::{io::ErrorKind, path::Path};

    pub(crate) enum Replace {
        Force,
    }

    pub(crate) fn read(path: &Path, _: u64) -> Result<Vec<u8>, Error> {
        Err(Error::Read { path: path.into(), source: ErrorKind::Unsupported.into() })
    }

    pub(crate) fn check_target(path: &Path, _: Replace) -> Result<(), Error> {
        Err(Error::Write { path: path.into(), source: ErrorKind::Unsupported.into() })
    }
}

/// In the place of the chain's, whose reader is alloy's: any value.
#[derive(Deserialize)]
#[allow(dead_code, reason = "it is only told from others")]
struct Deployment(IgnoredAny);

/// Files that are what they should be.
static SAMPLES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let written = [
        include_str!("../../vectors/snapshots/agent_envelope.hex"),
        include_str!("../../vectors/snapshots/answers.hex"),
        include_str!("../../vectors/snapshots/committee.hex"),
        include_str!("../../vectors/snapshots/evidence.hex"),
        include_str!("../../vectors/snapshots/query.hex"),
        include_str!("../../vectors/snapshots/receipts.hex"),
        include_str!("../../vectors/snapshots/recipient.hex"),
        include_str!("../../vectors/snapshots/request_with_table.hex"),
        include_str!("../../vectors/snapshots/sealed_file_clear.hex"),
        include_str!("../../vectors/snapshots/sealed_file_passphrase.hex"),
        include_str!("../../vectors/snapshots/signed_report.hex"),
    ];
    let as_they_are = [
        include_str!("../../vectors/snapshots/participant.pub"),
        include_str!("../../vectors/snapshots/session.json"),
        include_str!("samples/log.jsonl"),
        include_str!("samples/policy.json"),
        include_str!("samples/pool.toml"),
        include_str!("samples/summary.json"),
        include_str!("samples/transcript.json"),
    ];
    let decoded = written.iter().map(|lines| hex::decode(lines.replace('\n', "")).expect("hexadecimal"));
    let text = as_they_are.iter().chain(BUILT_IN.iter().map(|(_, text)| text)).map(|text| text.as_bytes().to_vec());
    let nitro = include_bytes!("../../vectors/attestation/nitro/real-2025-01-06-eu-central-1.cose").to_vec();
    decoded.chain(text).chain([nitro]).collect()
});

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Raw(&'a [u8]),
    /// Behind the header of a kind.
    Headed(u8, &'a [u8]),
    Sample(u8, Vec<Change<'a>>),
}

fuzz_target!(|input: Input| match input {
    Input::Raw(bytes) => read(bytes),
    Input::Headed(kind, body) => read(&[&header(Kind::ALL[usize::from(kind) % Kind::ALL.len()]), body].concat()),
    Input::Sample(which, changes) => {
        let mut bytes = SAMPLES[usize::from(which) % SAMPLES.len()].clone();
        changes.iter().for_each(|change| change.apply(&mut bytes));
        read(&bytes);
    }
});

fn read(bytes: &[u8]) {
    if let Ok(artifact) = Artifact::read(bytes.to_vec()) {
        assert!(artifact.words().starts_with('a') || artifact.words().starts_with("the"));
        told(&artifact, bytes);
    }
    blocks(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    pool_settings(text);
    read_scenario(text);
}

/// What was told from the bytes is what they hold.
fn told(artifact: &Artifact, bytes: &[u8]) {
    if let Artifact::Policy(policy) = artifact {
        let again = serde_json::to_vec(&PolicyFile::from(policy)).expect("numbers and text always serialise");
        assert!(matches!(Artifact::read(again), Ok(Artifact::Policy(same)) if same == *policy));
    }
    match written(artifact) {
        // what a chip or its driver gave is kept in an envelope of ours
        Some(written) if Body::from_raw(bytes, None).is_some() => assert!(written.ends_with(bytes)),
        Some(written) => assert_eq!(written, bytes),
        None => {}
    }
}

/// The bytes of what has one form.
fn written(artifact: &Artifact) -> Option<Vec<u8>> {
    Some(match artifact {
        Artifact::Ciphertext(ciphertext) => ciphertext.to_bytes(),
        Artifact::Envelope(envelope) => envelope.to_bytes(),
        Artifact::Request(request) => request.to_bytes(),
        Artifact::Recipient(recipient) => recipient.to_bytes(),
        Artifact::Committee(committee) => committee.to_bytes(),
        Artifact::Report(report) => report.to_bytes().expect("as many signatures as were read"),
        Artifact::Dealing(dealing) => dealing.to_bytes(),
        Artifact::Certificate(certificate) => certificate.to_bytes(),
        Artifact::Receipts(receipts) => receipts.to_bytes(),
        Artifact::Query(query) => query.to_bytes(),
        Artifact::Answers(answers) => answers.to_bytes().expect("as many answers as were read"),
        Artifact::TableHeader(header) => header.to_bytes().to_vec(),
        Artifact::Evidence(bytes)
        | Artifact::AgentEnvelope(bytes)
        | Artifact::Sidecar(bytes)
        | Artifact::TableBody(bytes) => bytes.clone(),
        Artifact::Tdh2(_) | Artifact::Deployment(_) | Artifact::Policy(_) | Artifact::Session(_) => return None,
        Artifact::PublicKeys(_) | Artifact::Transcript(_) | Artifact::Summary(_) | Artifact::Secret { .. } => {
            return None;
        }
    })
}

/// A log of a pool: as many blocks as lines, every one of them found by its hash, and the same events when written anew.
fn blocks(bytes: &[u8]) {
    let Ok(log) = ChainLog::parse(bytes, b"settings") else { return };
    assert_eq!(log.number(), bytes.split_inclusive(|byte| *byte == b'\n').count() as u64);
    assert_eq!(log.up_to(&log.hash()).map(|same| same.number()), Some(log.number()));
    let empty = ChainLog::parse(b"", b"settings").expect("a log without a block");
    let grown = log.events().iter().fold(empty, |log, event| log.then(event));
    let lines: Vec<u8> = log.events().iter().flat_map(|event| [json(event), b"\n".to_vec()].concat()).collect();
    let again = ChainLog::parse(&lines, b"settings").expect("what was written is read");
    assert_eq!((again.events(), again.hash()), (log.events(), grown.hash()));
    if log.boundary().is_ok() {
        let _ = log.accumulator(log.number(), &[[1; 20]]);
        assert!(log.deposited(0).is_ok());
    }
}

fn json<T: serde::Serialize>(object: &T) -> Vec<u8> {
    serde_json::to_vec(object).expect("numbers and text always serialise")
}

/// Settings that are read are written by the command in a form that is read as the same, and a pool elsewhere has another
/// measurement.
fn pool_settings(text: &str) {
    let Ok(settings) = toml::from_str::<Settings>(text) else { return };
    let written = settings.to_text().expect("what TOML gave, TOML takes");
    assert_eq!(toml::from_str::<Settings>(&written), Ok(settings.clone()));
    let _ = settings.enclave().validate();
    let mut elsewhere = settings.clone();
    elsewhere.pool.chain ^= 1;
    assert_ne!(elsewhere.policy().measurements, settings.policy().measurements);
    assert_eq!(settings.signer_set().signers.len(), settings.signers.addresses.len());
    assert_eq!(settings.origin().don_id, settings.signer_set().don_id);
}

/// A scenario that is read has room for everybody and somebody who opens, and is written in a form that is read as the same.
fn read_scenario(text: &str) {
    let Ok(scenario) = Scenario::from_toml(text) else { return };
    let written = toml::to_string(&scenario).expect("what TOML gave, TOML takes");
    assert!(Scenario::from_toml(&written).is_ok_and(|again| again == scenario));
    assert!(scenario.accounts() > scenario.makers);
    assert!(scenario.threshold().is_ok_and(|threshold| threshold.n() == scenario.participants));
    let _ = scenario.reserve.nominal_gap();
}
