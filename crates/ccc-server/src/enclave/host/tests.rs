//! For how long what a host makes can be delivered.

use super::*;
use alloy::primitives::B256;
use ccc_chain::conflict::Claim;
use ccc_core::report::{Binding, Origin, Report, ReportContext, Round as RoundStatement, Statement};
use ccc_node::workflow_node::record::{NotRecorded, SignedRecord};
use ccc_store::MemoryRecords;

const CONTEXT: ReportContext = ReportContext { config_digest: [5; 32], sequence: 1 };

fn block(number: u64, time: u64) -> BlockRef {
    BlockRef { number, hash: B256::ZERO, time }
}

/// A round of version 3 at a final block, as a host has it delivered by the newest.
fn round(last: &BlockRef, latest: &BlockRef, header: u8) -> Payload {
    let Validity { sequence, valid_until } = validity(1, latest);
    let binding = Binding { chain: 1, receiver: [2; 20], epoch: 1, sequence, valid_until, attestation: [0; 32] };
    let statement = Statement::Round(RoundStatement {
        request_id: [0; 32],
        success: false,
        version: 3,
        previous: [0; 32],
        header_hash: [header; 32],
        count: 0,
        accumulator: [0; 32],
        price_block: last.number,
        source: [4; 20],
        price_digest: [0; 32],
    });
    Payload { binding, statement }
}

/// The first round is signed, and nobody delivers it: five minutes later a signer signs another one of the same version.
#[test]
fn n119_a_delivery_that_fails_stops_rounds_for_five_minutes() {
    let record = SignedRecord::open(Arc::new(MemoryRecords::new()), [9; 20]).expect("a record");
    let keep = |last: &BlockRef, latest: &BlockRef, header| {
        let origin = Origin { don_id: 1, config_version: 1, workflow_id: [0; 32], workflow_owner: [8; 20] };
        let report = Report::new(origin, last.time, round(last, latest, header)).expect("a report");
        record.keep(&report, &CONTEXT, last.number)
    };
    let first = block(7, 10_000);
    keep(&first, &first, 1).expect("signed");
    let last = block(8, 10_000 + 300);
    match keep(&last, &last, 2) {
        Err(NotRecorded::Contradicts { claim: Claim::Version(3), until, .. }) => assert_eq!(until, last.time),
        other => panic!("{other:?}"),
    }
    let next = block(9, 10_000 + 301);
    keep(&next, &next, 2).expect("rounds go on");
}

/// Where finality is twenty minutes behind, a round can still be delivered when it is made.
#[test]
fn a_report_lives_from_the_newest_block_on() {
    let (last, latest) = (block(7, 10_000), block(107, 11_200));
    assert_eq!(round(&last, &latest, 1).binding.valid_until, 11_500);
}

#[test]
fn a_round_that_is_kept_says_until_when() {
    let latest = block(7, 10_000);
    let made = |payload: Vec<u8>| {
        let mut made = crate::attested::tests::made();
        made.result.payload = payload;
        made.to_bytes()
    };
    assert_eq!(until(&made(round(&latest, &latest, 1).to_bytes())), Some(10_300));
    assert_eq!(until(&made(vec![1])), None);
    assert_eq!(until(&[]), None);
}
