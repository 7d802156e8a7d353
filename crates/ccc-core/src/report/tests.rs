//! Reports and quorums, above all what is refused.

use super::*;
use crate::encoding::EncodingError;

const FORWARDER: Address = [0xf0; 20];
const CHAIN: u64 = 31337;
/// The order of secp256k1's group.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc,
    0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];

fn signer(seed: u8) -> ReportSigner {
    ReportSigner::from_bytes(&[seed; 32]).unwrap()
}

fn set() -> SignerSet {
    let signers = (1..=4).map(|seed| signer(seed).address()).collect();
    SignerSet { don_id: 7, config_version: 1, f: 1, signers }
}

fn origin() -> Origin {
    let mut workflow_id = [0x33; 32];
    workflow_id[0] = 0;
    Origin { don_id: 7, config_version: 1, workflow_id, workflow_owner: [0x44; 20] }
}

fn binding() -> Binding {
    Binding {
        chain: CHAIN,
        receiver: [0xaa; 20],
        epoch: 2,
        sequence: 5,
        valid_until: 1_700_000_600,
        attestation: [0xbb; 32],
    }
}

pub(super) fn solvency() -> Statement {
    Statement::Solvency(Solvency {
        verdict: Verdict::Solvent,
        block: 10,
        block_time: 1_700_000_000,
        header_hash: [1; 32],
        envelope_digest: [2; 32],
    })
}

fn round() -> Round {
    Round {
        request_id: [3; 32],
        success: true,
        version: 2,
        previous: [4; 32],
        header_hash: [5; 32],
        count: 6,
        accumulator: [7; 32],
        price_block: 8,
        source: [9; 20],
        price_digest: [10; 32],
    }
}

fn statements() -> [Statement; 4] {
    let enclave = EnclaveAdmission { measurement: [1; 32], box_key: [2; 32], signer: [3; 20], expiry: 4 };
    let payout = Payout { withdrawal_id: [1; 32], to: [2; 20], token: [3; 20], amount: u128::MAX, version: 4 };
    [solvency(), Statement::Round(round()), Statement::Enclave(enclave), Statement::Payout(payout)]
}

pub(super) fn report_of(statement: Statement) -> Report {
    Report::new(origin(), 10, Payload { binding: binding(), statement }).unwrap()
}

fn context() -> ReportContext {
    ReportContext { config_digest: set().config_digest(CHAIN, &FORWARDER), sequence: 5 }
}

fn sign(seed: u8) -> Signature65 {
    signer(seed).sign(&report_of(solvency()), &context())
}

fn assemble(signatures: &[Signature65]) -> Result<SignedReport, QuorumError> {
    SignedReport::assemble(report_of(solvency()), context(), signatures, &set(), &FORWARDER)
}

/// A finished report whose signatures were put in by hand, as a stranger's file would.
fn file_with(signatures: &[Signature65]) -> SignedReport {
    let mut bytes = assemble(&[sign(1), sign(2)]).unwrap().to_bytes().unwrap();
    bytes.truncate(bytes.len() - 2 * SIGNATURE_LEN - 1);
    bytes.push(u8::try_from(signatures.len()).unwrap());
    signatures.iter().for_each(|s| bytes.extend_from_slice(&s.to_bytes()));
    SignedReport::from_bytes(&bytes).unwrap()
}

#[test]
fn raw_reports_of_every_kind_come_back_and_have_the_stated_length() {
    for statement in statements() {
        let report = report_of(statement);
        let raw = report.raw();
        assert_eq!(raw.len(), FORWARDER_HEADER_LEN + statement.kind().payload_length());
        assert_eq!(Report::from_raw(&raw), Ok(report));
    }
}

#[test]
fn header_fields_stand_at_the_forwarders_offsets() {
    let report = report_of(Statement::Round(round()));
    let raw = report.raw();
    assert_eq!(raw[0], 1);
    assert_eq!(raw[1..33], keccak256(&[&raw[FORWARDER_HEADER_LEN..]]));
    assert_eq!(raw[33..37], 10u32.to_be_bytes());
    assert_eq!(raw[37..41], 7u32.to_be_bytes());
    assert_eq!(raw[41..45], 1u32.to_be_bytes());
    assert_eq!(raw[45..77], origin().workflow_id);
    assert_eq!(raw[77..87], workflow_name("ccc-round"));
    assert_eq!(raw[87..107], [0x44; 20]);
    assert_eq!(raw[107..109], [0, 2]);
    assert_eq!(raw[45..109], report.header().metadata());
}

#[test]
fn f_plus_one_signatures_make_a_report_that_survives_its_file() {
    let signed = assemble(&[sign(4), sign(2)]).unwrap();
    assert_eq!(signed.verify(&set(), &FORWARDER), Ok(()));
    let bytes = signed.to_bytes().unwrap();
    assert_eq!(&bytes[..8], b"CC\x01\x10\x00\x01\x00\x00");
    assert_eq!(SignedReport::from_bytes(&bytes), Ok(signed));
}

#[test]
fn assembly_takes_the_first_quorum_of_the_set_whatever_the_order_of_arrival() {
    let one = assemble(&[sign(4), sign(3), sign(1)]).unwrap();
    let two = assemble(&[sign(1), sign(4), sign(3)]).unwrap();
    assert_eq!(one, two);
    assert_eq!(one.signatures(), [sign(1), sign(3)]);
}

#[test]
fn n113_repeated_signer_counts_once_and_is_refused_in_a_finished_report() {
    let fault = Fault::Repeated { first: 0 };
    let culprits = vec![Culprit { position: 1, fault }];
    assert_eq!(assemble(&[sign(1), sign(1)]), Err(QuorumError::BelowThreshold { needed: 2, found: 1, culprits }));
    assert_eq!(
        file_with(&[sign(1), sign(1)]).verify(&set(), &FORWARDER),
        Err(QuorumError::Signature(Culprit { position: 1, fault }))
    );
}

#[test]
fn n113_malleated_twin_with_high_s_is_refused() {
    let bytes = sign(1).to_bytes();
    let mut twin = bytes;
    twin[32..64].copy_from_slice(&negate(bytes[32..64].try_into().unwrap()));
    twin[64] ^= 1;
    assert_eq!(Signature65::from_bytes(&twin), Err(SignatureFault::HighS));
}

/// order − s by schoolbook subtraction.
fn negate(s: [u8; 32]) -> [u8; 32] {
    let mut out = [0; 32];
    let mut borrow = 0u16;
    for i in (0..32).rev() {
        let value = 0x100 + u16::from(ORDER[i]) - u16::from(s[i]) - borrow;
        out[i] = u8::try_from(value & 0xff).unwrap();
        borrow = 1 - (value >> 8);
    }
    out
}

#[test]
fn n114_foreign_signer_is_named_with_its_position() {
    let foreign = signer(9);
    let fault = Fault::UnknownSigner { recovered: foreign.address() };
    let culprits = vec![Culprit { position: 1, fault }];
    let signatures = [sign(1), foreign.sign(&report_of(solvency()), &context())];
    assert_eq!(
        assemble(&signatures),
        Err(QuorumError::BelowThreshold { needed: 2, found: 1, culprits: culprits.clone() })
    );
    assert_eq!(file_with(&signatures).verify(&set(), &FORWARDER), Err(QuorumError::Signature(culprits[0])));
}

#[test]
fn n114_signer_of_the_previous_set_is_refused() {
    let mut next = set();
    next.config_version = 2;
    next.signers[0] = signer(8).address();
    let origin = Origin { config_version: 2, ..origin() };
    let report = Report::new(origin, 10, Payload { binding: binding(), statement: solvency() }).unwrap();
    let context = ReportContext { config_digest: next.config_digest(CHAIN, &FORWARDER), sequence: 5 };
    let signatures = [signer(1).sign(&report, &context), signer(2).sign(&report, &context)];
    let fault = Fault::UnknownSigner { recovered: signer(1).address() };
    assert_eq!(
        SignedReport::assemble(report, context, &signatures, &next, &FORWARDER),
        Err(QuorumError::BelowThreshold { needed: 2, found: 1, culprits: vec![Culprit { position: 0, fault }] })
    );
}

#[test]
fn n114_report_of_another_config_version_is_refused() {
    let signed = assemble(&[sign(1), sign(2)]).unwrap();
    let other = SignerSet { config_version: 2, ..set() };
    assert!(matches!(
        signed.verify(&other, &FORWARDER),
        Err(QuorumError::Report(ReportError::Mismatch { field: "config version", .. }))
    ));
}

#[test]
fn n115_one_signature_too_few_is_refused() {
    assert_eq!(assemble(&[sign(1)]), Err(QuorumError::BelowThreshold { needed: 2, found: 1, culprits: vec![] }));
    assert_eq!(
        file_with(&[sign(1)]).verify(&set(), &FORWARDER),
        Err(QuorumError::SignatureCount { expected: 2, found: 1 })
    );
    assert_eq!(
        file_with(&[sign(1), sign(2), sign(3)]).verify(&set(), &FORWARDER),
        Err(QuorumError::SignatureCount { expected: 2, found: 3 })
    );
}

#[test]
fn n115_empty_list_is_refused() {
    assert_eq!(assemble(&[]), Err(QuorumError::BelowThreshold { needed: 2, found: 0, culprits: vec![] }));
    assert_eq!(file_with(&[]).verify(&set(), &FORWARDER), Err(QuorumError::SignatureCount { expected: 2, found: 0 }));
}

#[test]
fn n115_set_without_fault_tolerance_or_signers_is_refused() {
    assert_eq!(SignerSet { f: 0, ..set() }.check(), Err(QuorumError::ZeroFaults));
    assert_eq!(
        SignerSet { f: 2, ..set() }.check(),
        Err(QuorumError::SignerCount { f: 2, least: 6, most: 31, found: 4 })
    );
    let mut twice = set();
    twice.signers[3] = twice.signers[1];
    assert_eq!(twice.check(), Err(QuorumError::DuplicateSigner { first: 1, second: 3 }));
    let mut zero = set();
    zero.signers[2] = [0; 20];
    assert_eq!(zero.check(), Err(QuorumError::ZeroSigner { position: 2 }));
}

#[test]
fn n116_digest_changes_with_every_bound_field() {
    let base = report_of(solvency()).signing_digest(&context());
    let changes: [fn(&mut Binding); 6] = [
        |b| b.chain += 1,
        |b| b.receiver[0] ^= 1,
        |b| b.epoch += 1,
        |b| b.sequence += 1,
        |b| b.valid_until += 1,
        |b| b.attestation[31] ^= 1,
    ];
    for change in changes {
        let mut changed = binding();
        change(&mut changed);
        let payload = Payload { binding: changed, statement: solvency() };
        let report = Report::new(origin(), 10, payload).unwrap();
        assert_ne!(report.signing_digest(&context()), base);
    }
}

#[test]
fn n116_digest_changes_with_request_and_version() {
    let base = report_of(Statement::Round(round())).signing_digest(&context());
    let request = Round { request_id: [0xee; 32], ..round() };
    let version = Round { version: 3, ..round() };
    for changed in [request, version] {
        assert_ne!(report_of(Statement::Round(changed)).signing_digest(&context()), base);
    }
}

#[test]
fn n116_quorum_of_another_chain_or_forwarder_is_refused() {
    let signed = assemble(&[sign(1), sign(2)]).unwrap();
    let refused = signed.verify(&set(), &[0xf1; 20]);
    assert!(matches!(refused, Err(QuorumError::Report(ReportError::Mismatch { field: "config digest", .. }))));
    let other_chain = Binding { chain: 1, ..binding() };
    let payload = Payload { binding: other_chain, statement: solvency() };
    let report = Report::new(origin(), 10, payload).unwrap();
    let refused = SignedReport::assemble(report, context(), &[], &set(), &FORWARDER);
    assert!(matches!(refused, Err(QuorumError::Report(ReportError::Mismatch { field: "config digest", .. }))));
}

#[test]
fn n116_context_of_another_sequence_is_refused() {
    let context = ReportContext { sequence: 6, ..context() };
    let refused = SignedReport::assemble(report_of(solvency()), context, &[], &set(), &FORWARDER);
    let expected = ReportError::Mismatch { field: "context sequence", expected: "5".into(), found: "6".into() };
    assert_eq!(refused, Err(QuorumError::Report(expected)));
}

#[test]
fn n117_recovery_byte_other_than_zero_or_one_is_refused() {
    for v in [2u8, 3, 27, 28, 29, 255] {
        let mut bytes = sign(1).to_bytes();
        bytes[64] = v;
        assert_eq!(Signature65::from_bytes(&bytes), Err(SignatureFault::RecoveryId { found: v }));
    }
}

#[test]
fn n117_scalars_at_zero_or_the_group_order_are_refused() {
    for value in [[0; 32], ORDER, [0xff; 32]] {
        for half in [0, 32] {
            let mut bytes = sign(1).to_bytes();
            bytes[half..half + 32].copy_from_slice(&value);
            assert_eq!(Signature65::from_bytes(&bytes), Err(SignatureFault::ScalarRange));
        }
    }
}

#[test]
fn n117_r_that_is_no_coordinate_recovers_nobody() {
    let digest = report_of(solvency()).signing_digest(&context());
    let unrecoverable = (1..=20u8).any(|x| {
        let mut bytes = sign(1).to_bytes();
        bytes[..32].fill(0);
        bytes[31] = x;
        let signature = Signature65::from_bytes(&bytes).unwrap();
        signature.recover(&digest) == Err(SignatureFault::Unrecoverable)
    });
    assert!(unrecoverable);
}

#[test]
fn n117_signing_key_out_of_range_is_refused() {
    for key in [[0; 32], ORDER, [0xff; 32]] {
        assert_eq!(ReportSigner::from_bytes(&key).err(), Some(QuorumError::SigningKey));
    }
}

#[test]
fn n120_report_past_its_time_is_refused() {
    let payload = *report_of(solvency()).payload();
    assert_eq!(payload.check_time(1_700_000_600), Ok(()));
    assert_eq!(
        payload.check_time(1_700_000_601),
        Err(ReportError::Expired { valid_until: 1_700_000_600, now: 1_700_000_601 })
    );
}

#[test]
fn payload_of_every_wrong_length_is_refused() {
    for statement in statements() {
        let bytes = Payload { binding: binding(), statement }.to_bytes();
        for length in 0..bytes.len() {
            assert!(Payload::from_bytes(&bytes[..length]).is_err());
        }
        let kind = statement.kind();
        let (expected, found) = (bytes.len(), bytes.len() + 32);
        let longer = [bytes.as_slice(), &[0; 32]].concat();
        assert_eq!(Payload::from_bytes(&longer), Err(ReportError::PayloadLength { kind, expected, found }));
    }
}

#[test]
fn every_byte_above_a_narrow_type_is_refused_and_no_payload_has_two_encodings() {
    for statement in statements() {
        let bytes = Payload { binding: binding(), statement }.to_bytes();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x80;
            if let Ok(payload) = Payload::from_bytes(&changed) {
                assert_eq!(payload.to_bytes(), changed);
            }
        }
        let mut dirty = bytes.clone();
        dirty[0] = 1;
        let refusal = ReportError::DirtyWord { index: 0, field: "chain", expected: "uint64" };
        assert_eq!(Payload::from_bytes(&dirty), Err(refusal));
    }
}

#[test]
fn unknown_kind_status_and_flag_are_refused() {
    let bytes = Payload { binding: binding(), statement: solvency() }.to_bytes();
    let with = |word: usize, value: u8| {
        let mut changed = bytes.clone();
        changed[32 * word + 31] = value;
        Payload::from_bytes(&changed)
    };
    assert_eq!(with(2, 0), Err(ReportError::UnknownKind { found: 0 }));
    assert_eq!(with(2, 5), Err(ReportError::UnknownKind { found: 5 }));
    assert_eq!(with(7, 3), Err(ReportError::UnknownVerdict { found: 3 }));
    let mut bytes = Payload { binding: binding(), statement: Statement::Round(round()) }.to_bytes();
    bytes[32 * 8 + 31] = 2;
    let refusal = ReportError::DirtyWord { index: 8, field: "success", expected: "bool" };
    assert_eq!(Payload::from_bytes(&bytes), Err(refusal));
}

#[test]
fn idle_round_that_claims_success_is_refused_on_both_ways() {
    let statement = Statement::Round(Round { request_id: [0; 32], ..round() });
    let payload = Payload { binding: binding(), statement };
    assert_eq!(Report::new(origin(), 1, payload), Err(ReportError::IdleRoundSucceeded));
    assert_eq!(Payload::from_bytes(&payload.to_bytes()), Err(ReportError::IdleRoundSucceeded));
}

#[test]
fn header_that_does_not_fit_its_payload_is_refused() {
    let raw = report_of(solvency()).raw();
    let refused = |at: usize| {
        let mut changed = raw.clone();
        changed[at] ^= 1;
        match Report::from_raw(&changed) {
            Err(ReportError::Mismatch { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(0), "header version");
    assert_eq!(refused(1), "execution id");
    assert_eq!(refused(45), "first byte of the workflow id");
    assert_eq!(refused(77), "workflow name");
    assert_eq!(refused(108), "report id");
    assert_eq!(refused(FORWARDER_HEADER_LEN + 6 * 32), "execution id");
}

#[test]
fn workflow_id_with_a_first_byte_is_refused() {
    let origin = Origin { workflow_id: [1; 32], ..origin() };
    let refused = Report::new(origin, 1, Payload { binding: binding(), statement: solvency() });
    assert!(matches!(refused, Err(ReportError::Mismatch { .. })));
}

#[test]
fn block_time_beyond_the_header_is_refused() {
    let payload = Payload { binding: binding(), statement: solvency() };
    let found = u64::from(u32::MAX) + 1;
    assert_eq!(Report::new(origin(), found, payload), Err(ReportError::BlockTime { found }));
}

#[test]
fn file_of_every_wrong_length_is_refused() {
    let bytes = assemble(&[sign(1), sign(2)]).unwrap().to_bytes().unwrap();
    for length in 0..bytes.len() {
        assert!(SignedReport::from_bytes(&bytes[..length]).is_err());
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    let refusal = ReportError::Encoding(EncodingError::Trailing { found: 1 });
    assert_eq!(SignedReport::from_bytes(&longer), Err(QuorumError::Report(refusal)));
}

#[test]
fn file_with_a_huge_length_is_refused_before_it_is_read() {
    let mut bytes = assemble(&[sign(1), sign(2)]).unwrap().to_bytes().unwrap();
    bytes[8..12].fill(0xff);
    assert!(matches!(
        SignedReport::from_bytes(&bytes),
        Err(QuorumError::Report(ReportError::Encoding(EncodingError::Range { what: "raw report", .. })))
    ));
}

#[test]
fn file_with_another_kind_or_suite_is_refused() {
    let bytes = assemble(&[sign(1), sign(2)]).unwrap().to_bytes().unwrap();
    for at in 0..8 {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(matches!(SignedReport::from_bytes(&changed), Err(QuorumError::Report(ReportError::Encoding(_)))));
    }
}

#[test]
fn context_with_dirty_words_is_refused() {
    let mut bytes = context().to_bytes();
    assert_eq!(ReportContext::from_bytes(&bytes), Ok(context()));
    bytes[95] = 1;
    assert!(matches!(ReportContext::from_bytes(&bytes), Err(ReportError::Mismatch { .. })));
    bytes[95] = 0;
    bytes[32] = 1;
    assert!(matches!(ReportContext::from_bytes(&bytes), Err(ReportError::DirtyWord { .. })));
}

#[test]
fn signer_is_not_printed() {
    assert_eq!(format!("{:?}", signer(1)), "ReportSigner(\"..\")");
}

#[test]
fn address_of_the_key_one_is_the_known_one() {
    let mut key = [0; 32];
    key[31] = 1;
    let address = ReportSigner::from_bytes(&key).unwrap().address();
    assert_eq!(hex::encode(address), "7e5f4552091a69125d5dfcb7b8c2659029395bdf");
}
