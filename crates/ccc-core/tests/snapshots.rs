//! Every kind is fixed byte for byte: by the vectors of the independent implementation, or by a snapshot.

#![allow(missing_docs, reason = "a test crate exports nothing")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure fails the test")]

mod cast;
mod support;

use cast::{Cast, Run};
use ccc_core::ciphertext::Ciphertext;
use ccc_core::enclave::AttemptKeys;
use ccc_core::enclave::identity::IdentityKey;
use ccc_core::enclave::sealing::SealingKey;
use ccc_core::encoding::{Kind, kind_of};
use ccc_core::envelope::Envelope;
use ccc_core::keys::repair::{RepairComplaint, RepairPacket, RepairRequest};
use ccc_core::keys::reshare::Certificate;
use ccc_core::keys::{Committee, Complaint, Dealing, KeyShare, ParticipantKeys};
use ccc_core::report::SignedReport;
use ccc_core::table::Receipts;
use ccc_core::vault::compact::Partials;
use ccc_core::vault::sealed::SealedShare;
use ccc_core::vault::{AttestedRecipient, Request, Shares};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::BTreeSet;
use support::{snapshot, snapshots, vectors};

/// What holds the bytes of a kind.
enum Fixed {
    /// A vector of the independent implementation, by file and JSON pointer.
    Vector(&'static str, &'static str),
    /// A snapshot that this file makes from fixed seeds.
    Snapshot(&'static [&'static str]),
    /// A snapshot that the crate of this kind, or this crate behind a feature, makes in its own tests.
    OfAnotherCrate(&'static [&'static str]),
}

/// A new kind does not compile until it stands here.
fn fixed(kind: Kind) -> Fixed {
    use Fixed::{OfAnotherCrate, Snapshot, Vector};
    match kind {
        Kind::Ciphertext => Vector("ciphertext", "/cases/0/wire"),
        Kind::Share => Vector("share", "/public/0/wire"),
        Kind::Composite => Vector("share", "/composite/0/wire"),
        Kind::Sealed => Vector("sealed", "/cases/0/wire"),
        Kind::Compact => Vector("compact", "/cases/0/answers/0/payload"),
        Kind::Dealing => Vector("dealing", "/dkg/dealings/0/wire"),
        Kind::Complaint => Vector("complaint", "/cases/0/wire"),
        Kind::Envelope => Vector("envelope", "/cases/0/wire"),
        Kind::Certificate => Vector("reshare", "/reshare/certificate"),
        Kind::RepairRequest => Vector("repair", "/request"),
        Kind::RepairPacket => Vector("repair", "/splits/0/payload"),
        Kind::RepairComplaint => Vector("repair", "/complaints/0/payload"),
        Kind::SignedReport => Snapshot(&["signed_report"]),
        Kind::Committee => Snapshot(&["committee"]),
        Kind::KeyShare => Snapshot(&["key_share"]),
        Kind::ParticipantKeys => Snapshot(&["participant_keys"]),
        Kind::Request => Snapshot(&["request", "request_with_table"]),
        Kind::Evidence => Snapshot(&["evidence"]),
        Kind::Recipient => Snapshot(&["recipient"]),
        Kind::AttemptKeys => Snapshot(&["attempt_keys"]),
        Kind::RoundsState => Snapshot(&["state_1", "state_2", "state_3", "state_4", "state_5"]),
        Kind::SealedState => Snapshot(&["sealed_identity"]),
        Kind::AgentEnvelope => OfAnotherCrate(&["agent_envelope"]),
        Kind::SealedFile => OfAnotherCrate(&["sealed_file_clear", "sealed_file_passphrase"]),
        Kind::Receipts => Snapshot(&["receipts"]),
        Kind::Query => OfAnotherCrate(&["query"]),
        Kind::Answers => OfAnotherCrate(&["answers"]),
        Kind::GroupDealing => OfAnotherCrate(&["group_dealing"]),
    }
}

fn names(kind: Kind) -> &'static [&'static str] {
    match fixed(kind) {
        Fixed::Vector(..) => &[],
        Fixed::Snapshot(names) | Fixed::OfAnotherCrate(names) => names,
    }
}

/// Decodes and encodes again; nothing for what is not read here.
fn again(kind: Kind, wire: &[u8]) -> Option<Vec<u8>> {
    Some(match kind {
        Kind::Ciphertext => Ciphertext::from_bytes(wire).unwrap().to_bytes(),
        Kind::Share => Shares::from_bytes(wire, 1).unwrap().to_bytes(),
        Kind::Composite => Shares::from_bytes(wire, 3).unwrap().to_bytes(),
        Kind::Sealed => SealedShare::from_bytes(wire, 1).unwrap().to_bytes(),
        Kind::Compact => Partials::from_bytes(wire, 1).unwrap().to_bytes(),
        Kind::Dealing => Dealing::from_bytes(wire).unwrap().to_bytes(),
        Kind::Complaint => Complaint::from_bytes(wire).unwrap().to_bytes(),
        Kind::Envelope => Envelope::from_bytes(wire).unwrap().to_bytes(),
        Kind::Certificate => Certificate::from_bytes(wire).unwrap().to_bytes(),
        Kind::RepairRequest => RepairRequest::from_bytes(wire).unwrap().to_bytes().unwrap(),
        Kind::RepairPacket => RepairPacket::from_bytes(wire).unwrap().to_bytes(),
        Kind::RepairComplaint => RepairComplaint::from_bytes(wire).unwrap().to_bytes(),
        Kind::SignedReport => SignedReport::from_bytes(wire).unwrap().to_bytes().unwrap(),
        Kind::Committee => Committee::from_bytes(wire).unwrap().to_bytes(),
        Kind::KeyShare => KeyShare::from_bytes(wire).unwrap().to_bytes().to_vec(),
        Kind::ParticipantKeys => ParticipantKeys::from_bytes(wire).unwrap().to_bytes().to_vec(),
        Kind::Request => Request::from_bytes(wire).unwrap().to_bytes(),
        Kind::Recipient => AttestedRecipient::from_bytes(wire).unwrap().to_bytes(),
        Kind::AttemptKeys => AttemptKeys::from_bytes(wire).unwrap().to_bytes().to_vec(),
        Kind::Receipts => Receipts::from_bytes(wire).unwrap().to_bytes(),
        // Checked with the root's key, read for a party, or read in another crate: below, and there.
        Kind::Evidence | Kind::RoundsState | Kind::AgentEnvelope | Kind::SealedFile => return None,
        Kind::Query | Kind::Answers | Kind::GroupDealing | Kind::SealedState => return None,
    })
}

/// Snapshots of what has no kind of its own: messages on the board, whose envelopes have the kind of a dealing, and what
/// stands sealed or hashed, which `ccc-enclave` compares in its own tests.
const WITHOUT_A_KIND: [&str; 14] = [
    "board_commitment",
    "board_confirmation",
    "board_no_more_complaints",
    "collateral_order",
    "standing_order_terms",
    "deposit_instruction",
    "withdrawal_instruction",
    "balance_query",
    "transfer_instruction",
    "freeze_instruction",
    "forced_transfer_instruction",
    "cancel_instruction",
    "result_inputs",
    "result_user_data",
];

/// The payloads of envelopes have no header of their own: the envelope's header names them.
fn has_a_header(kind: Kind) -> bool {
    use Kind::{Compact, Complaint, Composite, Envelope, RepairComplaint, RepairPacket, RepairRequest, Sealed, Share};
    let without =
        [Share, Composite, Sealed, Compact, Complaint, Envelope, RepairRequest, RepairPacket, RepairComplaint];
    !without.contains(&kind)
}

#[test]
fn every_kind_is_fixed_and_what_is_read_here_is_written_back_as_it_was() {
    for kind in Kind::ALL {
        let wires = match fixed(kind) {
            Fixed::Vector(file, pointer) => {
                let file = vectors(file);
                vec![hex::decode(file.pointer(pointer).and_then(|v| v.as_str()).unwrap()).unwrap()]
            }
            Fixed::Snapshot(names) | Fixed::OfAnotherCrate(names) => names.iter().map(|name| snapshot(name)).collect(),
        };
        assert!(!wires.is_empty(), "{kind:?}");
        for wire in wires {
            if let Some(again) = again(kind, &wire) {
                assert_eq!(hex::encode(again), hex::encode(&wire), "{kind:?}");
            }
            if has_a_header(kind) {
                assert_eq!(kind_of(&wire), Ok(kind));
            }
        }
    }
}

#[test]
fn every_snapshot_belongs_to_a_kind_or_is_named_here() {
    let of_kinds = Kind::ALL.into_iter().flat_map(names).chain(&WITHOUT_A_KIND);
    let known: BTreeSet<String> = of_kinds.map(|name| (*name).to_owned()).collect();
    assert_eq!(snapshots(), known);
}

#[test]
fn objects_from_fixed_seeds_are_the_snapshots() {
    let cast = Cast::new();
    for (name, made) in [
        ("committee", cast.committee.to_bytes()),
        ("key_share", cast.shares[0].to_bytes().to_vec()),
        ("participant_keys", cast.keys[0].to_bytes().to_vec()),
        ("request", cast.request(None).to_bytes()),
        ("request_with_table", cast.request(Some([6; 32])).to_bytes()),
        ("attempt_keys", cast.attempt.to_bytes().to_vec()),
        ("evidence", cast.evidence()),
        ("recipient", cast.recipient().to_bytes()),
        ("receipts", cast.receipts().to_bytes()),
        ("signed_report", cast.report().to_bytes().unwrap()),
    ] {
        support::assert_snapshot(name, &made);
    }
}

/// Sealed under a fixed key, and read back under it.
#[test]
fn a_sealed_identity_is_the_snapshot() {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let identity = IdentityKey::generate(7, 1_800_000_000, &mut rng).unwrap();
    let key = SealingKey::derive(&[2; 32], &[3; 32], &[4; 32]);
    let sealed = identity.seal(&key, &mut rng).unwrap();
    support::assert_snapshot("sealed_identity", &sealed);
    assert_eq!(IdentityKey::unseal(&sealed, &key).unwrap().identity(), identity.identity());
}

/// Each of the five states of the first participant, read back for its party and written as it was.
#[test]
fn states_from_fixed_seeds_are_the_snapshots() {
    let run = Run::new();
    for (at, made) in run.states().iter().enumerate() {
        support::assert_snapshot(&format!("state_{}", at + 1), made);
        assert_eq!(run.reread(at, made), *made);
    }
}

/// What the first participant posts beside its dealing, in envelopes that are read back; the payload stands before the
/// signature.
#[test]
fn board_messages_from_fixed_seeds_are_the_snapshots() {
    let messages = Run::new().messages();
    let front: [(&str, &[u8], usize); 3] =
        [("board_commitment", &[1], 33), ("board_no_more_complaints", &[2, 0, 0], 3), ("board_confirmation", &[3], 33)];
    for ((name, begins, length), envelope) in front.into_iter().zip(messages) {
        let wire = envelope.to_bytes();
        support::assert_snapshot(name, &wire);
        assert_eq!(Envelope::from_bytes(&wire).unwrap(), envelope);
        let (before, _signature) = wire.split_last_chunk::<64>().unwrap();
        let payload = &before[before.len() - length..];
        assert!(payload.starts_with(begins), "{name}");
    }
}
