//! The master secret is nowhere: a process that plays every role, searched from outside.
//!
//! Linux only, since it reads another process's memory through `/proc`.
#![cfg(target_os = "linux")]
#![allow(missing_docs, reason = "a test crate exports nothing")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure fails the test")]

use ccc_core::ciphertext::{Ciphertext, Label, LabelKind, VerifiedCiphertext};
use ccc_core::enclave::AttemptKeys;
use ccc_core::encoding::Kind;
use ccc_core::envelope::Envelope;
use ccc_core::epoch::Epoch;
use ccc_core::identifier::Identifier;
use ccc_core::keys::{Committee, KeyShare, ParticipantKeys, Roster, board::MemoryBoard, dkg};
use ccc_core::threshold::Threshold;
use ccc_core::vault::{Mode, Request, sealed::seal};
use curve25519_dalek::{RistrettoPoint, Scalar};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::fs::{File, read_to_string};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::process::{Child, Command, Stdio};

const CHILD: &str = "CCC_MEMORY_CHILD";
const READY: &str = "every role has been played";
const N: u16 = 4;
const MEASUREMENT: [u8; 32] = [7; 32];

type Keys = Vec<(Identifier, ParticipantKeys)>;

/// The same committee in both processes: everything follows from one seed.
fn generate(rng: &mut ChaCha20Rng) -> (Keys, Committee, Vec<KeyShare>) {
    let keys: Keys = (1..=N).map(|i| (Identifier::new(i).unwrap(), ParticipantKeys::generate(rng).unwrap())).collect();
    let members = keys.iter().map(|(i, keys)| keys.public(*i)).collect();
    let roster = Roster::new(Epoch(1), Threshold::default_for(N).unwrap(), members).unwrap();
    let outcomes = dkg::run_in_process(&roster, &keys, &mut MemoryBoard::new([9; 32]), rng).unwrap();
    let outcomes: Vec<_> = outcomes.into_iter().map(|(_, outcome)| outcome.unwrap()).collect();
    let committee = outcomes[0].committee.clone();
    (keys, committee, outcomes.into_iter().map(|outcome| outcome.key_share).collect())
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(76)
}

fn encrypt(committee: &Committee, rng: &mut ChaCha20Rng) -> VerifiedCiphertext {
    let (kind, master) = (LabelKind::Recipient, committee.master_public_key());
    let label = Label {
        kind,
        chain: 1,
        contract: [1; 20],
        id: [2; 32],
        version: 1,
        requester: [3; 20],
        expiry: 9,
        context: [0; 32],
    };
    Ciphertext::encrypt(master, &label, b"an order", rng).unwrap().verify(master).unwrap()
}

fn request(committee: &Committee, ciphertext: &VerifiedCiphertext) -> Request {
    Request {
        chain: 1,
        contract: [1; 20],
        id: [2; 32],
        table_header: None,
        block_hash: [4; 32],
        deadline: 8,
        mode: Mode::Sealed,
        epoch: committee.epoch(),
        committee: committee.digest(),
        ciphertexts: vec![ciphertext.digest()],
    }
}

/// Not a test of its own: the process that the test below searches. It generates, encrypts, re-encrypts and opens.
#[test]
fn child_with_every_role() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let mut rng = rng();
    let (keys, committee, shares) = generate(&mut rng);
    let ciphertexts = [encrypt(&committee, &mut rng)];
    let request = request(&committee, &ciphertexts[0]);
    let enclave = AttemptKeys::generate(&mut rng).unwrap();
    let recipient = enclave.recipient(MEASUREMENT);
    let answer = |((i, keys), share): (&(Identifier, ParticipantKeys), &KeyShare)| {
        let payload = seal(share, &committee, &request, &recipient, &ciphertexts, &mut rng).unwrap().to_bytes();
        let topic = request.digest();
        Envelope::sign(keys, &committee.digest(), committee.epoch(), *i, &topic, Kind::Sealed, payload).unwrap()
    };
    let envelopes = keys.iter().zip(&shares).map(answer).collect();
    let opened = enclave.open(&committee, &request, MEASUREMENT, &ciphertexts, envelopes).unwrap();
    assert_eq!(opened.every(&ciphertexts).unwrap()[0].as_slice(), b"an order");
    println!("{READY}");
    std::io::stdout().flush().unwrap();
    std::io::stdin().read_line(&mut String::new()).unwrap();
    drop(shares);
}

/// Waits until the child has played its roles.
fn start() -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child_with_every_role", "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let ready = out.lines().map_while(Result::ok).any(|line| line.ends_with(READY));
    assert!(ready, "the child ended early");
    child
}

/// Every readable byte of the process, mapping by mapping; what the kernel keeps to itself is left out.
fn memory(pid: u32) -> Vec<Vec<u8>> {
    let mut file = File::open(format!("/proc/{pid}/mem")).unwrap();
    let read = |line: &str| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let [start, end] = [start, end].map(|hex| u64::from_str_radix(hex, 16).unwrap());
        if !rest.starts_with('r') || line.ends_with("[vvar]") || line.ends_with("[vsyscall]") {
            return None;
        }
        let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
        file.seek(SeekFrom::Start(start)).ok()?;
        file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    };
    read_to_string(format!("/proc/{pid}/maps")).unwrap().lines().filter_map(read).collect()
}

fn occurs(memory: &[Vec<u8>], secret: &[u8; 32]) -> bool {
    let reversed: Vec<u8> = secret.iter().rev().copied().collect();
    memory.iter().any(|part| part.windows(32).any(|window| window == secret || window == reversed))
}

fn secret(share: &KeyShare) -> Scalar {
    let bytes = share.to_bytes();
    Scalar::from_canonical_bytes(bytes[bytes.len() - 32..].try_into().unwrap()).unwrap()
}

/// Σ λ_i·x_i over the first t shares.
fn master_secret(shares: &[KeyShare], t: u16) -> Scalar {
    let shares = &shares[..usize::from(t)];
    let x = |share: &KeyShare| Scalar::from(share.identifier().get());
    let term = |share: &KeyShare| {
        let others = shares.iter().map(x).filter(|other| *other != x(share));
        secret(share) * others.map(|other| other * (other - x(share)).invert()).product::<Scalar>()
    };
    shares.iter().map(term).sum()
}

/// The shares are there, so the search finds what is there; the master secret is not.
#[test]
fn n076_the_master_secret_is_in_no_memory_of_a_process_that_plays_every_role() {
    let (_, committee, shares) = generate(&mut rng());
    let master = master_secret(&shares, committee.threshold().t());
    assert_eq!(RistrettoPoint::mul_base(&master).compress().to_bytes(), committee.master_public_key().to_bytes());
    let mut child = start();
    let memory = memory(child.id());
    child.kill().unwrap();
    child.wait().unwrap();
    for share in &shares {
        assert!(occurs(&memory, secret(share).as_bytes()), "the search does not find share {}", share.identifier());
    }
    assert!(!occurs(&memory, master.as_bytes()));
}
