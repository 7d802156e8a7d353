//! Every decoder of the core and of the enclave: no input makes it panic, and what it accepts it writes back as it was.
//!
//! `cargo +nightly fuzz run decode`
#![no_main]

use ccc_core::{
    ciphertext::{Ciphertext, Label},
    enclave::{
        AttemptKeys,
        attestation::{
            ProviderKind,
            simulated::{self, SimulatedHardware, SimulatedRoot},
        },
    },
    encoding::{self, Kind},
    envelope::Envelope,
    keys::{
        Committee, Complaint, Dealing, KeyShare, MasterPublicKey, ParticipantKeys, PublicKeys,
        repair::{RepairComplaint, RepairPacket, RepairRequest},
        reshare::Certificate,
        rounds::step_of,
    },
    report::{
        CONTEXT_LEN, FORWARDER_HEADER_LEN, ForwarderHeader, Payload, ReportContext, ReportSigner, Signature65,
        SignedReport,
    },
    table::{
        ChunkProof, DataKey, HEADER_LEN, Header, Holdings, Receipt, Receipts, Row, SEALED_CHUNK_LEN,
        SEALED_RECEIPT_LEN, Sidecar, SlotReport, Summary, Tier,
    },
    vault::{AttestedRecipient, Combined, Partials, Request, SealedShare, Shares},
};
use ccc_enclave::{
    agent::AgentKey,
    authorisation::AccountKey,
    instruction::{
        BalanceQuery, CancelInstruction, CollateralOrder, DepositInstruction, ForcedTransferInstruction,
        FreezeInstruction, StandingOrderTerms, TransferInstruction, WithdrawalInstruction,
    },
    query::{Answers, GREATEST_QUERIES, QueryFile, SEALED_QUERY_LEN},
    reader::ReaderKey,
    statement::Statement,
};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use zeroize::Zeroizing;

/// Ciphertexts of a request whose shares are read.
const MOST_CIPHERTEXTS: usize = 4;

static AGENT: LazyLock<AgentKey> = LazyLock::new(|| AgentKey::from_bytes(&[0x48; 32]).expect("a key"));
static READER: LazyLock<ReaderKey> = LazyLock::new(|| ReaderKey::from_bytes(&[0x50; 32]).expect("a key"));
static ROOT: LazyLock<SimulatedRoot> = LazyLock::new(|| SimulatedHardware::from_seed(&[9; 32]).root());

/// What is accepted is written back as it was.
fn round_trip<T, E, B: AsRef<[u8]>>(bytes: &[u8], read: impl Fn(&[u8]) -> Result<T, E>, write: impl Fn(&T) -> B) {
    if let Ok(found) = read(bytes) {
        assert_eq!(write(&found).as_ref(), bytes);
    }
}

/// A layout of one length: the bytes as they are, and behind its prefix, cut or filled up to the length.
fn fixed<T, E, B: AsRef<[u8]>>(
    bytes: &[u8],
    (prefix, len): (&[u8], usize),
    read: impl Fn(&[u8]) -> Result<T, E>,
    write: impl Fn(&T) -> B,
) {
    let mut whole = [prefix, bytes].concat();
    whole.resize(len, 0);
    round_trip(bytes, &read, &write);
    round_trip(&whole, read, write);
}

/// The first 435 bytes as a header, the rest as its sidecar and receipts.
fn sidecar(bytes: &[u8]) {
    let Some((head, rest)) = bytes.split_at_checked(HEADER_LEN) else { return };
    let Ok(header) = Header::from_bytes(head) else { return };
    if let Ok(sidecar) = Sidecar::parse(rest, &header) {
        let _ = sidecar.open_entry(&[0; 32], 0);
    }
    let _ = Receipt::open(rest, &[0; 32], &header, 0);
    let _ = SlotReport::open(rest, &[0; 32], &header, 0);
    let mut proof = rest.to_vec();
    proof.resize(ChunkProof::len(header.tier()), 0);
    let proof = ChunkProof::from_bytes(header.tier(), &proof).expect("the tier's length");
    assert!(proof.verify(&header, 0, &[0; SEALED_CHUNK_LEN]).is_err());
}

/// A proof of each tier.
fn chunk_proofs(bytes: &[u8]) {
    for tier in (10..=24).filter_map(Tier::new) {
        let len = (&[][..], ChunkProof::len(tier));
        fixed(bytes, len, |bytes| ChunkProof::from_bytes(tier, bytes), ChunkProof::to_bytes);
    }
}

fn table(bytes: &[u8]) {
    round_trip(bytes, Header::from_bytes, Header::to_bytes);
    sidecar(bytes);
    for row in bytes.as_chunks().0 {
        round_trip(row, |_| Row::from_bytes(row), Row::to_bytes);
    }
    round_trip(bytes, Receipt::from_bytes, Receipt::to_bytes);
    // a report is the same 128 bytes, of two kinds
    for kind in [1, 2] {
        fixed(bytes, (&[kind], 128), SlotReport::from_bytes, SlotReport::to_bytes);
    }
    receipts(bytes);
    round_trip(bytes, Holdings::from_bytes, Holdings::to_bytes);
    round_trip(bytes, Summary::from_bytes, Summary::to_bytes);
    chunk_proofs(bytes);
    assert_eq!(DataKey::from_opened(bytes).is_ok(), bytes.len() == 32);
}

/// The bytes as they are, and as so many whole receipts.
fn receipts(bytes: &[u8]) {
    round_trip(bytes, Receipts::from_bytes, Receipts::to_bytes);
    let sealed: Vec<_> = bytes.as_chunks::<SEALED_RECEIPT_LEN>().0.to_vec();
    if let Ok(made) = Receipts::new([7; 32], sealed) {
        assert_eq!(Receipts::from_bytes(&made.to_bytes()), Ok(made));
    }
}

fn ciphertext(bytes: &[u8]) {
    let _ = encoding::kind_of(bytes);
    round_trip(bytes, Ciphertext::from_bytes, Ciphertext::to_bytes);
    round_trip(bytes, Label::from_bytes, Label::to_bytes);
}

fn keys(bytes: &[u8]) {
    round_trip(bytes, MasterPublicKey::from_bytes, MasterPublicKey::to_bytes);
    round_trip(bytes, Committee::from_bytes, Committee::to_bytes);
    round_trip(bytes, KeyShare::from_bytes, KeyShare::to_bytes);
    round_trip(bytes, ParticipantKeys::from_bytes, ParticipantKeys::to_bytes);
    round_trip(bytes, Dealing::from_bytes, Dealing::to_bytes);
    round_trip(bytes, Complaint::from_bytes, Complaint::to_bytes);
    round_trip(bytes, Certificate::from_bytes, Certificate::to_bytes);
    round_trip(bytes, RepairRequest::from_bytes, |request| request.to_bytes().expect("as many helpers as were read"));
    round_trip(bytes, RepairPacket::from_bytes, RepairPacket::to_bytes);
    round_trip(bytes, RepairComplaint::from_bytes, RepairComplaint::to_bytes);
    let _ = step_of(bytes);
}

fn vault(bytes: &[u8]) {
    round_trip(bytes, Envelope::from_bytes, Envelope::to_bytes);
    round_trip(bytes, Request::from_bytes, Request::to_bytes);
    round_trip(bytes, AttestedRecipient::from_bytes, AttestedRecipient::to_bytes);
    for m in 0..=MOST_CIPHERTEXTS {
        round_trip(bytes, |bytes| Shares::from_bytes(bytes, m), Shares::to_bytes);
        round_trip(bytes, |bytes| SealedShare::from_bytes(bytes, m), SealedShare::to_bytes);
        round_trip(bytes, |bytes| Partials::from_bytes(bytes, m), Partials::to_bytes);
        round_trip(bytes, |bytes| Combined::from_bytes(bytes, m), Combined::to_bytes);
    }
}

fn report(bytes: &[u8]) {
    round_trip(bytes, Payload::from_bytes, Payload::to_bytes);
    round_trip(bytes, SignedReport::from_bytes, |report| report.to_bytes().expect("as many signatures as were read"));
    if let Some(header) = bytes.first_chunk::<FORWARDER_HEADER_LEN>() {
        round_trip(header, |_| ForwarderHeader::from_bytes(header), ForwarderHeader::to_bytes);
    }
    if let Some(context) = bytes.first_chunk::<CONTEXT_LEN>() {
        round_trip(context, |_| ReportContext::from_bytes(context), ReportContext::to_bytes);
    }
    if let Some(signature) = bytes.first_chunk() {
        round_trip(signature, |_| Signature65::from_bytes(signature), Signature65::to_bytes);
    }
}

fn enclave(bytes: &[u8]) {
    round_trip(bytes, AttemptKeys::from_bytes, AttemptKeys::to_bytes);
    let _ = ProviderKind::of(bytes);
    let _ = simulated::verify(bytes, &ROOT, 0);
    let _ = Statement::parse(bytes);
    let _ = AGENT.open(1, &[1; 20], bytes);
    let _ = READER.open_holdings(&[3; 64], 0, bytes);
    let _ = READER.open_summary(&[3; 64], 0, bytes);
    instructions(bytes);
    let query = (&encoding::header(Kind::Query)[..], 8 + 64 + SEALED_QUERY_LEN);
    fixed(bytes, query, QueryFile::from_bytes, QueryFile::to_bytes);
    answers(bytes);
}

fn instructions(bytes: &[u8]) {
    fixed(bytes, (&[1, 1], 82), CollateralOrder::from_bytes, CollateralOrder::to_bytes);
    fixed(bytes, (&[1, 2], 133), StandingOrderTerms::from_bytes, StandingOrderTerms::to_bytes);
    fixed(bytes, (&[1, 3], 119), DepositInstruction::from_bytes, DepositInstruction::to_bytes);
    fixed(bytes, (&[1, 4], 127), WithdrawalInstruction::from_bytes, WithdrawalInstruction::to_bytes);
    fixed(bytes, (&[1, 5], 119), BalanceQuery::from_bytes, BalanceQuery::to_bytes);
    fixed(bytes, (&[1, 6], 127), TransferInstruction::from_bytes, TransferInstruction::to_bytes);
    fixed(bytes, (&[1, 7], 93), FreezeInstruction::from_bytes, FreezeInstruction::to_bytes);
    fixed(bytes, (&[1, 8], 128), ForcedTransferInstruction::from_bytes, ForcedTransferInstruction::to_bytes);
    fixed(bytes, (&[1, 9], 119), CancelInstruction::from_bytes, CancelInstruction::to_bytes);
}

/// The bytes as they are, and cut into answers with the rest as evidence.
fn answers(bytes: &[u8]) {
    let write = |answers: &Answers| answers.to_bytes().expect("as many answers as were read");
    round_trip(bytes, Answers::from_bytes, write);
    let Some((&each, rest)) = bytes.split_first() else { return };
    let each = usize::from(each).max(1);
    let sealed = rest.chunks_exact(each).map(<[u8]>::to_vec).collect();
    let evidence = rest.chunks_exact(each).remainder().to_vec();
    let made = Answers { sealed, request: [6; 64], header: [7; 32], evidence };
    match made.to_bytes() {
        Ok(wire) => assert_eq!(Answers::from_bytes(&wire), Ok(made)),
        Err(_) => assert!(made.sealed.len() > GREATEST_QUERIES),
    }
}

/// Keys without a header: the first 32 bytes, or twice 32.
fn bare_keys(bytes: &[u8]) {
    round_trip(bytes, ReaderKey::from_bytes, |key| key.to_bytes().to_vec());
    round_trip(bytes, AgentKey::from_bytes, |key| key.to_bytes().to_vec());
    let Some(key) = bytes.first_chunk::<32>() else { return };
    let _ = ReportSigner::from_bytes(key).map(|signer| signer.address());
    let _ = AccountKey::from_bytes(&Zeroizing::new(*key)).map(|key| key.account());
    round_trip(key, |_| SimulatedRoot::from_bytes(key), SimulatedRoot::to_bytes);
    let Some(other) = bytes[32..].first_chunk::<32>() else { return };
    let both = |keys: &PublicKeys| [keys.signing_key(), keys.dealing_key()].concat();
    round_trip(&bytes[..64], |_| PublicKeys::from_bytes(key, other), both);
}

fuzz_target!(|bytes: &[u8]| {
    table(bytes);
    ciphertext(bytes);
    keys(bytes);
    vault(bytes);
    report(bytes);
    enclave(bytes);
    bare_keys(bytes);
});
