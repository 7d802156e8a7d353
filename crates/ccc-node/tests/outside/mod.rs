//! What somebody outside sees of a run, with everything replaced that is meant to look random.
//!
//! Ciphertexts, hashes of them, signatures, evidence and the table's bytes become placeholders of the same
//! length, numbered in the order in which they appear. So two runs are equal here exactly if they agree in
//! every length, count, event and readable byte, and if the same opaque value recurs in the same places.

use alloy::sol_types::SolInterface;
use ccc_chain::{
    bindings::{
        dark_pool::CREDarkPool::{CREDarkPoolCalls, depositCall},
        quorum_forwarder::QuorumForwarder::{QuorumForwarderCalls, reportCall},
    },
    transcript::{StorageRecord, StorageWord, TransactionRecord, Transcript},
};
use ccc_core::{
    ciphertext::{Ciphertext, LABEL_LEN},
    report::{Accumulator, Report, SIGNATURE_LEN, Statement, keccak256},
    table::{Header, P1_LEN},
};
use ccc_enclave::agent::envelope_digest;
use ccc_node::{
    recovery::RecoveryReport,
    timeline::{Observer, Span},
};
use std::collections::HashMap;

const KEY: usize = 8;
const HEADER: usize = 8;
const SIDECAR_HEAD: usize = 38;
/// Bytes of the gas in a word of the forwarder about a delivery.
const GAS_LIMIT: usize = 10;
/// Where a request says whether it names a table.
const HAS_TABLE: usize = 68;
/// Keys of mappings are hashes; the other words of storage stand at small numbers.
const PLAIN_SLOT_ZEROS: usize = 24;

/// One readable or masked piece of what is public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) place: String,
    pub(crate) bytes: Vec<u8>,
}

/// Where two runs can be told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    Count { left: usize, right: usize },
    Place { left: String, right: String },
    Length { place: String, left: usize, right: usize },
    Byte { place: String, offset: usize, left: u8, right: u8 },
}

/// Every difference between two runs.
pub(crate) fn differences(left: &[Part], right: &[Part]) -> Vec<Difference> {
    let mut found = Vec::new();
    if left.len() != right.len() {
        found.push(Difference::Count { left: left.len(), right: right.len() });
    }
    for (left, right) in left.iter().zip(right) {
        compare(left, right, &mut found);
    }
    found
}

fn compare(left: &Part, right: &Part, found: &mut Vec<Difference>) {
    let place = left.place.clone();
    if left.place != right.place {
        found.push(Difference::Place { left: place, right: right.place.clone() });
    } else if left.bytes.len() != right.bytes.len() {
        found.push(Difference::Length { place, left: left.bytes.len(), right: right.bytes.len() });
    } else {
        let pairs = left.bytes.iter().zip(&right.bytes).enumerate();
        let byte = |(offset, (left, right)): (usize, (&u8, &u8))| {
            (left != right).then(|| Difference::Byte { place: place.clone(), offset, left: *left, right: *right })
        };
        found.extend(pairs.filter_map(byte));
    }
}

/// Keeps what an observer of a run would print.
#[derive(Clone, Default)]
pub(crate) struct Recorder {
    pub(crate) lines: Vec<String>,
}

impl Observer for Recorder {
    fn started(&mut self, name: &'static str) {
        self.lines.push(format!("started {name}"));
    }

    fn advanced(&mut self, done: u64, of: u64) {
        self.lines.push(format!("{done} of {of}"));
    }

    fn finished(&mut self, span: &Span) {
        self.lines.push(format!("finished {}: {}", span.name, span.status.unwrap_or("done")));
    }
}

/// Opaque values and their placeholders.
#[derive(Default)]
struct Opaque {
    known: HashMap<[u8; KEY], Vec<(Vec<u8>, u32)>>,
    count: u32,
}

impl Opaque {
    fn add(&mut self, value: &[u8]) {
        let Some(key) = value.first_chunk::<KEY>() else { panic!("an opaque value of {} bytes", value.len()) };
        let values = self.known.entry(*key).or_default();
        if values.iter().all(|(known, _)| known != value) {
            values.push((value.to_vec(), self.count));
            self.count += 1;
        }
    }

    /// The bytes with every known value replaced.
    fn mask(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out = bytes.to_vec();
        let mut at = 0;
        while at < bytes.len() {
            at += self.mask_at(bytes, at, &mut out).unwrap_or(1);
        }
        out
    }

    fn mask_at(&self, bytes: &[u8], at: usize, out: &mut [u8]) -> Option<usize> {
        let values = self.known.get(bytes.get(at..)?.first_chunk::<KEY>()?)?;
        let (value, number) = values.iter().find(|(value, _)| bytes[at..].starts_with(value))?;
        let placeholder = &mut out[at..at + value.len()];
        placeholder.fill(0xee);
        placeholder[..4].copy_from_slice(&number.to_be_bytes());
        Some(value.len())
    }

    fn ciphertext(&mut self, bytes: &[u8]) {
        self.add(&bytes[HEADER + LABEL_LEN..]);
        self.add(&keccak256(&[bytes]));
        self.add(&Ciphertext::from_bytes(bytes).expect("a ciphertext").digest());
    }

    fn deposit(&mut self, call: &depositCall, from: [u8; 20], token: [u8; 20], accumulator: &mut Accumulator) {
        self.ciphertext(&call.ciphertext);
        let amount = call.amount.try_into().expect("an amount of 128 bits");
        *accumulator = accumulator.deposit(from, token, amount, &call.ciphertext).expect("a next index");
        self.add(&accumulator.value());
    }

    fn report(&mut self, call: &reportCall) {
        let report = Report::from_raw(&call.rawReport).expect("a report");
        self.add(&report.header().execution_id);
        self.add(&report.payload().binding.attestation);
        match &report.payload().statement {
            Statement::Solvency(solvency) => self.add(&solvency.envelope_digest),
            Statement::Round(_) | Statement::Payout(_) | Statement::Enclave(_) => {}
        }
        for signature in &call.signatures {
            assert_eq!(signature.len(), SIGNATURE_LEN);
            self.add(signature);
        }
    }

    fn file(&mut self, name: &str, bytes: &[u8]) {
        match name.rsplit('.').next().unwrap_or_default() {
            "header" => {
                let header = Header::from_bytes(bytes).expect("a header");
                self.add(&header.hash());
                self.add(&header.body_root());
                self.add(&header.key_commitment());
                self.add(&header.state_root());
                self.add(&header.wrapped().digest());
                self.add(&bytes[P1_LEN..]);
            }
            "body" | "evidence" => self.add(bytes),
            "sidecar" => self.add(&bytes[SIDECAR_HEAD..]),
            "receipts" => self.add(&bytes[HEADER + 36..]),
            "recipient" | "share" => self.add(&bytes[HEADER..]),
            "request" => self.add(block_hash(bytes)),
            "envelope" => {
                self.add(&bytes[HEADER..]);
                self.add(&envelope_digest(bytes));
            }
            "ciphertext" => self.ciphertext(bytes),
            _ => {}
        }
    }

    fn of(report: &RecoveryReport, tokens: &[[u8; 20]]) -> Self {
        let mut opaque = Self::default();
        report.public_files.iter().for_each(|(name, bytes)| opaque.file(name, bytes));
        let mut accumulator = Accumulator::default();
        for transaction in &report.transcript.transactions {
            opaque.transaction(transaction, tokens, &mut accumulator);
        }
        opaque
    }

    fn transaction(&mut self, record: &TransactionRecord, tokens: &[[u8; 20]], accumulator: &mut Accumulator) {
        match CREDarkPoolCalls::abi_decode(&record.calldata) {
            Ok(CREDarkPoolCalls::deposit(call)) => {
                self.deposit(&call, record.from.0.0, tokens[call.assetIndex as usize], accumulator);
            }
            Ok(CREDarkPoolCalls::submitStandingOrder(call)) => self.ciphertext(&call.ciphertext),
            Ok(CREDarkPoolCalls::requestCollateral(call)) => self.ciphertext(&call.encryptedOrder),
            _ => {}
        }
        if let Ok(QuorumForwarderCalls::report(call)) = QuorumForwarderCalls::abi_decode(&record.calldata) {
            self.report(&call);
        }
    }
}

/// The block hash of a request, which stands behind the table's header hash if there is one.
fn block_hash(request: &[u8]) -> &[u8] {
    let start = if request[HAS_TABLE] == 1 { HAS_TABLE + 33 } else { HAS_TABLE + 1 };
    &request[start..start + 32]
}

/// Everything public of a run, masked.
pub(crate) fn outside(report: &RecoveryReport, recorder: &Recorder) -> Vec<Part> {
    let deployment = file(report, "deployment.json");
    let deployment: ccc_chain::Deployment = serde_json::from_slice(deployment).expect("a deployment");
    let tokens: Vec<[u8; 20]> = deployment.tokens.iter().map(|token| token.address.0.0).collect();
    let opaque = Opaque::of(report, &tokens);
    let mut parts = Parts { opaque: &opaque, parts: Vec::new() };
    parts.transactions(&report.transcript);
    parts.events(&report.transcript);
    parts.reverts(&report.transcript);
    parts.storage(&report.transcript);
    parts.files(report);
    parts.words(report, recorder);
    parts.parts
}

/// A public file of a run.
pub(crate) fn file<'r>(report: &'r RecoveryReport, name: &str) -> &'r [u8] {
    let found = report.public_files.iter().find(|(known, _)| known == name);
    found.map(|(_, bytes)| bytes.as_slice()).unwrap_or_else(|| panic!("no file {name}"))
}

struct Parts<'o> {
    opaque: &'o Opaque,
    parts: Vec<Part>,
}

impl Parts<'_> {
    fn push(&mut self, place: String, bytes: &[u8]) {
        self.parts.push(Part { place, bytes: self.opaque.mask(bytes) });
    }

    fn transactions(&mut self, transcript: &Transcript) {
        let Transcript { chain_id, first_block, last_block, transactions, .. } = transcript;
        self.push("chain".into(), format!("{chain_id} {first_block} {last_block}").as_bytes());
        for (index, record) in transactions.iter().enumerate() {
            let TransactionRecord { block, time, from, to, success, created, .. } = record;
            let facts = format!("{block} {time} {from} {to:?} {success} {created:?}");
            self.push(format!("transaction {index}"), facts.as_bytes());
            self.push(format!("transaction {index}, calldata"), &record.calldata);
            self.push(format!("transaction {index}, gas"), execution_gas(record).as_bytes());
        }
    }

    fn events(&mut self, transcript: &Transcript) {
        for (index, event) in transcript.events.iter().enumerate() {
            let facts = format!("{} {} {}", event.contract, event.block, event.log_index);
            let topics: Vec<&[u8]> = event.topics.iter().map(|topic| topic.as_slice()).collect();
            self.push(format!("event {index}"), facts.as_bytes());
            self.push(format!("event {index}, topics"), &topics.concat());
            self.push(format!("event {index}, data"), &event.data);
        }
    }

    fn reverts(&mut self, transcript: &Transcript) {
        for (index, record) in transcript.reverts.iter().enumerate() {
            let facts =
                format!("{} {:?} {} {:?}", record.from, record.to, record.refusal.name, record.refusal.arguments);
            self.push(format!("revert {index}"), facts.as_bytes());
            self.push(format!("revert {index}, calldata"), &record.calldata);
            self.push(format!("revert {index}, data"), &record.refusal.data);
        }
    }

    /// Words by contract and key. The forwarder keys deliveries by execution id, an opaque value, so of its
    /// mappings only the values are compared, in order, without the gas that was left for the delivery: it
    /// follows from the calldata's zero bytes.
    fn storage(&mut self, transcript: &Transcript) {
        let StorageRecord::Words { words } = &transcript.storage else { panic!("the embedded chain lists its memory") };
        let executions = self.execution_keys(transcript, words);
        let senders: Vec<_> = transcript.transactions.iter().map(|record| record.from).collect();
        let word = |word: &StorageWord| {
            let (mut key, mut value) = (word.key.0, self.opaque.mask(word.value.as_slice()));
            if executions.contains(&key) {
                key = [0xee; 32];
                if senders.iter().any(|sender| value.ends_with(sender.as_slice())) {
                    value[..GAS_LIMIT].fill(0xee);
                }
            }
            (word.contract, key, value)
        };
        let mut masked: Vec<_> = words.iter().map(word).collect();
        masked.sort();
        for (contract, key, value) in masked {
            let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
            self.parts.push(Part { place: format!("storage of {contract} at {key}"), bytes: value });
        }
    }

    /// Keys in the memory of the contract that reports are sent to which are hashes.
    fn execution_keys(&self, transcript: &Transcript, words: &[StorageWord]) -> Vec<[u8; 32]> {
        let report = |record: &&TransactionRecord| {
            matches!(QuorumForwarderCalls::abi_decode(&record.calldata), Ok(QuorumForwarderCalls::report(_)))
        };
        let forwarder = transcript.transactions.iter().find(report).and_then(|record| record.to);
        let hashed = |word: &&StorageWord| word.key[..PLAIN_SLOT_ZEROS].iter().any(|byte| *byte != 0);
        words.iter().filter(|word| Some(word.contract) == forwarder).filter(hashed).map(|word| word.key.0).collect()
    }

    /// The transcript's file says what the transcript says, and is compared as such.
    fn files(&mut self, report: &RecoveryReport) {
        for (name, bytes) in report.public_files.iter().filter(|(name, _)| name != "transcript.json") {
            self.push(format!("file {name}"), bytes);
        }
    }

    fn words(&mut self, report: &RecoveryReport, recorder: &Recorder) {
        let mut summary = serde_json::to_value(&report.summary).expect("text and numbers");
        for span in summary["spans"].as_array_mut().expect("spans") {
            for measured in ["start_ms", "compute_ms", "chain_ms", "total_ms"] {
                span[measured] = 0.into();
            }
        }
        self.push("summary".into(), summary.to_string().as_bytes());
        for (index, line) in recorder.lines.iter().enumerate() {
            self.push(format!("line {index}"), line.as_bytes());
        }
        for (place, lines) in [("what the chain saw", &report.saw), ("what stayed private", &report.private)] {
            for line in lines {
                self.push(place.into(), format!("{} {}", line.what, line.amount).as_bytes());
            }
        }
    }
}

/// The gas without what the calldata's zero bytes save; where the calldata alone set the price, that it did.
fn execution_gas(record: &TransactionRecord) -> String {
    let zeros = record.calldata.iter().filter(|byte| **byte == 0).count() as u64;
    let tokens = zeros + 4 * (record.calldata.len() as u64 - zeros);
    match record.gas_used {
        floor if floor == 21_000 + 10 * tokens => "floor".to_owned(),
        gas => (gas - 4 * tokens).to_string(),
    }
}
