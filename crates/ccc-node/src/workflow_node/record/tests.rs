//! Signatures of one signer over reports that do and do not contradict each other.

#![allow(clippy::panic, reason = "a helper of a test fails as the test does")]

use super::*;
use alloy::primitives::{Address, B256};
use ccc_chain::{
    Deployment, conflict,
    deploy::{PoolTimes, Signers, Workflow},
};
use ccc_core::report::{Binding, Origin, Payout, ReportSigner, Round, SignedReport, Solvency, Statement, Verdict};
use ccc_store::{MemoryRecords, RedbRecords};

const SIGNER: [u8; 20] = [9; 20];
const CONTEXT: ReportContext = ReportContext { config_digest: [5; 32], sequence: 1 };
const MADE: u64 = 10_000;
const LIFETIME: u64 = 900;

fn report_at(made: u64, sequence: u64, statement: Statement) -> Report {
    let receiver = if matches!(statement, Statement::Solvency(_)) { [1; 20] } else { [2; 20] };
    let binding =
        Binding { chain: 1, receiver, epoch: 1, sequence, valid_until: made + LIFETIME, attestation: [0; 32] };
    let origin = Origin { don_id: 1, config_version: 1, workflow_id: [0; 32], workflow_owner: [8; 20] };
    Report::new(origin, made, Payload { binding, statement }).expect("a report")
}

fn solvency(verdict: Verdict, block: u64, envelope: u8) -> Statement {
    Statement::Solvency(Solvency {
        verdict,
        block,
        block_time: MADE,
        header_hash: [3; 32],
        envelope_digest: [envelope; 32],
    })
}

fn round(version: u64, request: u8, header: u8) -> Statement {
    Statement::Round(Round {
        request_id: [request; 32],
        success: false,
        version,
        previous: [0; 32],
        header_hash: [header; 32],
        count: 0,
        accumulator: [0; 32],
        price_block: 1,
        source: [4; 20],
        price_digest: [0; 32],
    })
}

fn payout(withdrawal: u8, amount: u128) -> Statement {
    Statement::Payout(Payout { withdrawal_id: [withdrawal; 32], to: [1; 20], token: [2; 20], amount, version: 1 })
}

fn fresh() -> SignedRecord {
    SignedRecord::open(Arc::new(MemoryRecords::new()), SIGNER).expect("a record")
}

fn refused(record: &SignedRecord, report: &Report) -> Option<Claim> {
    match record.keep(report, &CONTEXT, 7) {
        Ok(()) => None,
        Err(NotRecorded::Contradicts { claim, .. }) => Some(claim),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn n119_another_report_for_a_sequence_is_refused_and_the_same_one_is_not() {
    let record = fresh();
    let first = report_at(MADE, 3, solvency(Verdict::Solvent, 7, 1));
    assert!(record.is_empty() && !record.has(&first, &CONTEXT));
    assert_eq!([refused(&record, &first), refused(&record, &first)], [None, None]);
    assert!(!record.is_empty() && record.has(&first, &CONTEXT));
    let other = report_at(MADE + 60, 3, solvency(Verdict::Solvent, 8, 1));
    let error = record.keep(&other, &CONTEXT, 8).expect_err("another");
    let digest = first.signing_digest(&CONTEXT);
    let until = MADE + LIFETIME;
    let same = NotRecorded::Contradicts { claim: Claim::Sequence(3), digest, until };
    assert_eq!(error.to_string(), same.to_string());
    assert!(
        matches!(error, NotRecorded::Contradicts { claim: Claim::Sequence(3), digest: found, .. } if found == digest)
    );
    assert_eq!(refused(&record, &report_at(MADE, 4, solvency(Verdict::Solvent, 8, 1))), None, "another sequence");
    assert_eq!(refused(&record, &report_at(MADE, 3, round(1, 0, 1))), None, "another receiver and kind");
}

/// Each of two enclaves seals an envelope of its own: who makes signers sign the one and the other splits nobody.
#[test]
fn n119_two_enclaves_that_say_the_same_of_the_reserve_contradict_nothing() {
    let record = fresh();
    let [one, other] = [1, 2].map(|envelope| report_at(MADE, 3, solvency(Verdict::Solvent, 7, envelope)));
    assert_eq!([refused(&record, &one), refused(&record, &other)], [None, None]);
    assert!(record.has(&one, &CONTEXT) && record.has(&other, &CONTEXT));
    let another = report_at(MADE, 3, solvency(Verdict::Insolvent, 7, 3));
    assert_eq!(refused(&record, &another), Some(Claim::Block(7)));
    let another = report_at(MADE, 3, solvency(Verdict::Solvent, 8, 3));
    assert_eq!(refused(&record, &another), Some(Claim::Sequence(3)), "of another block");
}

#[test]
fn n119_a_report_that_can_be_delivered_no_more_gives_way() {
    let record = fresh();
    assert_eq!(refused(&record, &report_at(MADE, 3, round(3, 0, 1))), None);
    let last = report_at(MADE + LIFETIME, 3, round(3, 0, 2));
    assert_eq!(refused(&record, &last), Some(Claim::Version(3)), "at its last second");
    assert_eq!(refused(&record, &report_at(MADE + LIFETIME + 1, 3, round(3, 0, 3))), None);
    assert_eq!(refused(&record, &last), Some(Claim::Version(3)), "made before, so both could be delivered");
}

#[test]
fn n119_a_restart_forgets_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("workflow-1.signed");
    let open = |signer| SignedRecord::open(Arc::new(RedbRecords::open(&path).expect("a file")), signer);
    let first = report_at(MADE, 3, round(3, 6, 1));
    open(SIGNER).expect("new").keep(&first, &CONTEXT, 7).expect("kept");
    let again = open(SIGNER).expect("a record");
    assert_eq!(refused(&again, &report_at(MADE + 1, 4, round(3, 6, 2))), Some(Claim::Version(3)));
    assert_eq!(refused(&again, &report_at(MADE + 1, 4, round(4, 6, 2))), Some(Claim::Request([6; 32].into())));
    assert_eq!(refused(&again, &first), None, "the same one once more");
    let place = Place { chain: 1, receiver: [2; 20], kind: Kind::Round, epoch: 1 };
    assert_eq!(again.pending(&place, 3, MADE + LIFETIME), Some(7));
    assert_eq!(again.pending(&place, 3, MADE + LIFETIME + 1), None);
    assert_eq!(again.pending(&Place { epoch: 2, ..place }, 3, MADE), None);
    drop(again);
    let other = open([8; 20]).err();
    assert!(matches!(other, Some(NotRecorded::OtherSigner { found: SIGNER, .. })), "{other:?}");
}

/// A deployment of these signers, that stands nowhere.
fn deployment(addresses: Vec<Address>) -> Deployment {
    let signers = Signers { don_id: 1, config_version: 1, f: 1, addresses };
    let zero = Address::ZERO;
    Deployment {
        chain_id: 1,
        first_block: 1,
        forwarder: Address::repeat_byte(3),
        attestation: zero,
        pool: zero,
        feed: zero,
        feed_decimals: 8,
        tokens: Vec::new(),
        signers,
        workflow: Workflow { id: B256::ZERO, owner: zero, epoch: 1 },
        reserve: zero,
        agent_key: B256::ZERO,
        max_age: 1,
        table_id: B256::ZERO,
        times: PoolTimes { fill_window: 1, max_delay: 1, exit_delay: 1 },
        registries: None,
        enclaves: None,
    }
}

/// What a signer with its record signed is never a conflict, and what it refused for a contradiction is one.
#[test]
fn n119_exactly_what_would_be_a_conflict_is_refused() {
    let keys = [1, 2, 3, 4].map(|seed| ReportSigner::from_bytes(&[seed; 32]).expect("a key"));
    let deployment = deployment(keys.iter().map(|key| key.address().into()).collect());
    let set = deployment.signer_set();
    let forwarder = deployment.forwarder.0.0;
    let context = |report: &Report| ReportContext {
        config_digest: set.config_digest(1, &forwarder),
        sequence: report.payload().binding.sequence,
    };
    let signed = |report: &Report| {
        let signatures = [&keys[0], &keys[1]].map(|key| key.sign(report, &context(report)));
        SignedReport::assemble(report.clone(), context(report), &signatures, &set, &forwarder).expect("a quorum")
    };
    let statements = [
        solvency(Verdict::Solvent, 7, 1),
        solvency(Verdict::Solvent, 7, 2),
        solvency(Verdict::Insolvent, 7, 1),
        round(3, 0, 1),
        round(3, 0, 2),
        round(4, 6, 1),
        round(5, 6, 1),
        payout(6, 1),
        payout(6, 2),
    ];
    let places = [(MADE, 1), (MADE + LIFETIME + 1, 1), (MADE + LIFETIME, 2)];
    let reports: Vec<_> = statements
        .iter()
        .flat_map(|statement| places.map(|(made, sequence)| report_at(made, sequence, *statement)))
        .collect();
    let mut conflicts = 0;
    for (place, one) in reports.iter().enumerate() {
        for other in &reports[..place] {
            let conflict = conflict::between(&deployment, &signed(one), &signed(other)).is_ok();
            for [first, second] in [[one, other], [other, one]] {
                let record = fresh();
                record.keep(first, &context(first), 7).expect("the first");
                let refused = record.keep(second, &context(second), 7).is_err();
                assert_eq!(refused, conflict, "{first:?} and {second:?}");
            }
            conflicts += usize::from(conflict);
        }
    }
    assert_eq!(conflicts, 47, "of 351 pairs");
}

#[test]
fn n119_what_is_long_over_goes_and_nothing_before_it_is_signed() {
    let store = Arc::new(MemoryRecords::new());
    let record = SignedRecord::open(Arc::clone(&store) as Arc<dyn RecordStore>, SIGNER).expect("a record");
    assert_eq!(refused(&record, &report_at(MADE, 1, round(1, 0, 1))), None);
    let until = MADE + LIFETIME;
    assert_eq!(refused(&record, &report_at(until + KEPT, 2, round(2, 0, 1))), None);
    assert_eq!(store.records_from(0, 9).expect("records").len(), 2, "not yet");
    assert_eq!(refused(&record, &report_at(until + KEPT + 1, 3, round(3, 0, 1))), None);
    assert_eq!(store.records_from(0, 9).expect("records").len(), 2);
    for record in [&record, &SignedRecord::open(store.clone(), SIGNER).expect("a record")] {
        let late = record.keep(&report_at(until, 9, round(9, 0, 2)), &CONTEXT, 7);
        assert!(
            matches!(late, Err(NotRecorded::Before { made, floor }) if made == until && floor == until),
            "{late:?}"
        );
    }
}

#[test]
fn n119_a_store_that_fails_gives_no_signature_and_a_bent_one_no_record() {
    struct Failing(MemoryRecords);
    impl RecordStore for Failing {
        fn commit(&self, change: &Change<'_>) -> Result<(), StoreError> {
            if change.add.is_empty() { self.0.commit(change) } else { Err(StoreError::Halted) }
        }
        fn records_from(&self, first: u64, most: usize) -> Result<Vec<Record>, StoreError> {
            self.0.records_from(first, most)
        }
        fn value(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
            self.0.value(name)
        }
    }
    let record = SignedRecord::open(Arc::new(Failing(MemoryRecords::new())), SIGNER).expect("a record");
    let failed = record.keep(&report_at(MADE, 1, round(1, 0, 1)), &CONTEXT, 7);
    assert!(matches!(failed, Err(NotRecorded::Store(StoreError::Halted))), "{failed:?}");
    let store = Arc::new(MemoryRecords::new());
    SignedRecord::open(store.clone(), SIGNER).expect("a record");
    let bent = Record { number: 4, key: [0; 32], bytes: vec![0; 25] };
    store.commit(&Change { add: &[bent], ..Change::default() }).expect("written");
    assert!(matches!(SignedRecord::open(store, SIGNER).err(), Some(NotRecorded::Malformed { number: 4 })));
    let store = Arc::new(MemoryRecords::new());
    store.commit(&Change { values: &[(super::SIGNER, &[1; 20])], ..Change::default() }).expect("written");
    assert!(matches!(SignedRecord::open(store, SIGNER).err(), Some(NotRecorded::Malformed { number: 0 })));
}
