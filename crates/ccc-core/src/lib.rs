//! Threshold encryption under a master key that no single node holds, re-encryption of ciphertexts to one
//! attested enclave, encrypted balance tables, and quorum-signed reports.
//!
//! The data's way through the crate: an order becomes a `Ciphertext`, once checked a `VerifiedCiphertext`;
//! participants turn it into sealed shares for an attested enclave; the enclave opens it, settles in the
//! [`table`] and speaks to the chain through a report.
//!
//! # One encryption
//! Four participants generate a key that none of them holds. An order is encrypted to it, re-encrypted to one enclave,
//! and opened there.
//!
//! ```
//! use ccc_core::ciphertext::{Ciphertext, Label, LabelKind};
//! use ccc_core::keys::{
//!     Committee, KeyShare, ParticipantKeys, Protocol, Roster, Session, board::MemoryBoard, dkg, reshare,
//! };
//! use ccc_core::vault::{Mode, Recipient, Request, answer};
//! use ccc_core::{enclave::AttemptKeys, envelope::Envelope, epoch::Epoch, identifier::Identifier, threshold::Threshold};
//! use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//!
//! let mut rng = ChaCha20Rng::seed_from_u64(1); // of the operating system, where it matters
//!
//! // keys: a roster, and a key generation over a board
//! let mut keys = Vec::new();
//! for i in 1..=4 {
//!     keys.push((Identifier::new(i)?, ParticipantKeys::generate(&mut rng)?));
//! }
//! let members = |keys: &[(Identifier, ParticipantKeys)]| keys.iter().map(|(i, keys)| keys.public(*i)).collect();
//! let roster = Roster::new(Epoch(1), Threshold::default_for(4)?, members(&keys))?;
//! let outcomes = dkg::run_in_process(&roster, &keys, &mut MemoryBoard::new([1; 32]), &mut rng)?;
//! let outcomes: Vec<_> = outcomes.into_iter().map(|(_, outcome)| outcome).collect::<Result<_, _>>()?;
//! let committee = outcomes[0].committee.clone();
//!
//! // ciphertext: the label says for whom, the proof covers all of it
//! let master = *committee.master_public_key();
//! let (chain, contract, id) = (1, [2; 20], [3; 32]);
//! let (kind, requester, context) = (LabelKind::Recipient, [4; 20], [0; 32]);
//! let label = Label { kind, chain, contract, id, version: 1, requester, expiry: 1_900_000_000, context };
//! let ciphertexts = [Ciphertext::encrypt(&master, &label, b"an order", &mut rng)?.verify(&master)?];
//!
//! // vault: a request names the ciphertexts, and each participant answers to the enclave's keys
//! let request = |committee: &Committee| Request {
//!     chain, contract, id, table_header: None, block_hash: [5; 32], deadline: 1_800_000_000, mode: Mode::Sealed,
//!     epoch: committee.epoch(), committee: committee.digest(), ciphertexts: vec![ciphertexts[0].digest()],
//! };
//! let enclave = AttemptKeys::generate(&mut rng)?;
//! let recipient = enclave.recipient([6; 32]); // with evidence for it, outside of this walk
//! let reencrypt = |keys: &ParticipantKeys, share: &KeyShare, committee: &Committee, recipient: &Recipient,
//!                  rng: &mut ChaCha20Rng| {
//!     let request = request(committee);
//!     let answered = answer(share, committee, &request, recipient, &ciphertexts, rng)?;
//!     let (i, digest, topic) = (share.identifier(), committee.digest(), request.digest());
//!     Ok::<_, Box<dyn core::error::Error>>(Envelope::sign(
//!         keys, &digest, committee.epoch(), i, &topic, answered.kind, answered.payload,
//!     )?)
//! };
//! let mut envelopes = Vec::new();
//! for ((_, keys), outcome) in keys.iter().zip(&outcomes) {
//!     envelopes.push(reencrypt(keys, &outcome.key_share, &committee, &recipient, &mut rng)?);
//! }
//!
//! // enclave: any t of the envelopes open it; whoever lied is named
//! let opened = enclave.open(&committee, &request(&committee), recipient.measurement, &ciphertexts, envelopes)?;
//! assert!(opened.culprits.is_empty());
//! assert_eq!(opened.every(&ciphertexts)?[0].as_slice(), b"an order");
//!
//! // reshare: five others take over. The master public key stays, so what was encrypted to it still opens
//! let mut others = Vec::new();
//! for i in 1..=5 {
//!     others.push((Identifier::new(i)?, ParticipantKeys::generate(&mut rng)?));
//! }
//! let next = Roster::new(Epoch(2), Threshold::default_for(5)?, members(&others))?;
//! let session = Session::handover(Protocol::Reshare, committee.into(), next, &[7; 32])?;
//! let mut parties = Vec::new();
//! for ((_, keys), outcome) in keys.iter().zip(&outcomes) {
//!     let old = reshare::OldMember { key_share: &outcome.key_share, keys };
//!     parties.push(reshare::Party::new(session.clone(), Some(old), None)?);
//! }
//! for (identifier, keys) in &others {
//!     let new = reshare::NewMember { identifier: *identifier, keys };
//!     parties.push(reshare::Party::new(session.clone(), None, Some(new))?);
//! }
//! let handed = reshare::run_in_process(parties, &mut MemoryBoard::new([7; 32]), &mut rng)?.split_off(4);
//! let handed: Vec<_> = handed.into_iter().collect::<Result<_, _>>()?;
//! let enclave = AttemptKeys::generate(&mut rng)?; // fresh for every attempt
//! let recipient = enclave.recipient([6; 32]);
//! let mut envelopes = Vec::new();
//! for ((_, keys), receiver) in others.iter().zip(&handed) {
//!     let share = receiver.key_share.as_ref().ok_or("a member of the new committee has a share")?;
//!     envelopes.push(reencrypt(keys, share, &receiver.committee, &recipient, &mut rng)?);
//! }
//! let next = &handed[0].committee;
//! assert_eq!(next.master_public_key(), &master);
//! let opened = enclave.open(next, &request(next), recipient.measurement, &ciphertexts, envelopes)?;
//! assert_eq!(opened.every(&ciphertexts)?[0].as_slice(), b"an order");
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # Without `std`
//! Without default features the crate needs `alloc` alone. It reads no clock, file, socket or generator. That is the
//! cryptography that an enclave needs, with `darkpool-matcher` the clearing; the program around them, `ccc-enclave`, needs
//! `std`.
//!
//! # Features
//! `std` and `parallel` (all cores, by rayon) are on by default; `tdh2-p256` adds [`compat`]'s reader and writer of
//! Chainlink's tdh2 and tdh2easy JSON; `bls-quorum` one signature of a whole committee by blsttc, `suite-aes-gcm` suite 2 of the [`table`], by AWS-LC, which both need a C compiler;
//! `simulated-liars` a participant that seals wrong shares and a dealer that deals them, for simulations and tests; `unguarded` lets fault tests take checks out: no build without debug assertions compiles with it, and production mode is refused.
//!
//! # Assumptions
//! The random-oracle model, DDH in ristretto255, static corruption of at most t−1
//! participants for secrecy and at most F = ⌊(n−1)/3⌋ faulty ones for liveness.

#![forbid(unsafe_code)]
#![cfg_attr(not(any(test, feature = "std")), no_std)]

extern crate alloc;

pub mod ciphertext;
pub mod compat;
pub mod enclave;
pub mod encoding;
pub mod envelope;
pub mod epoch;
mod flood;
#[doc(hidden)]
pub mod guard;
pub mod identifier;
pub mod keys;
mod parallel;
mod point;
mod polynomial;
mod proof;
pub mod report;
pub mod secret;
pub mod suite;
pub mod table;
pub mod threshold;
pub mod vault;

/// Types of these two crates stand in this crate's signatures, and nobody else's do: the generator that every function
/// which draws takes as an argument ([`rand_core::CryptoRng`]), and plaintexts and encoded secrets that are erased when
/// dropped ([`zeroize::Zeroizing`]). Keys, points and scalars of the curve libraries stay inside; they are made from
/// bytes and give bytes.
pub use {rand_core, zeroize};

#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod support;

/// The README's example is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
