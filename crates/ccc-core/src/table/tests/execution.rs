//! Reports: their bytes, and who opens them.

use super::first;
use crate::{
    encoding::EncodingError,
    table::{Execution, Header, Markouts, REPORT_LEN, Receipt, ReceiptError, Receipts, SlotReport},
};

fn execution() -> Execution {
    Execution {
        outcome: 1,
        reason: 2,
        allocation: 3,
        pricing: 4,
        request: [5; 32],
        ordered: 6,
        filled: 7,
        average: 8,
        last: 9,
        total: 10,
        cost: -2,
        cost_rate: -3,
        over_last: 11,
        admitted: 12,
        premium: 13,
        ratio: 14,
        largest_share: 15,
        herfindahl: 16,
        makers: 17,
    }
}

fn markouts() -> Markouts {
    Markouts {
        outcome: 1,
        lots: 2,
        price: 3,
        references: [4, 5, 6],
        reference_time: 7,
        markouts: [8, -1, 9],
        rates: [10, 11, -1],
    }
}

/// The bytes of the layouts above, field by field.
#[test]
fn the_reports_are_the_written_layouts() {
    let word = |value: u64| value.to_be_bytes().to_vec();
    let wide = |value: i128| value.to_be_bytes().to_vec();
    let layout = [
        vec![1, 1, 2, 3, 4, 0, 0, 0],
        vec![5; 32],
        [6, 7, 8, 9].map(word).concat(),
        [10, -2].map(wide).concat(),
        vec![0xff, 0xff, 0xff, 0xfd, 0, 0, 0, 11],
        vec![0, 12, 0, 13, 0, 14, 0, 15, 0, 16, 0, 0, 0, 17, 0, 0],
    ];
    assert_eq!(SlotReport::Request(execution()).to_bytes()[..], layout.concat());
    let layout = [
        vec![2, 1, 0, 0, 0, 0, 0, 0],
        [2, 3, 4, 5, 6, 7].map(word).concat(),
        [8, -1, 9].map(wide).concat(),
        vec![0, 0, 0, 10, 0, 0, 0, 11, 0xff, 0xff, 0xff, 0xff],
        vec![0; 12],
    ];
    assert_eq!(SlotReport::Order(markouts()).to_bytes()[..], layout.concat());
}

#[test]
fn what_is_written_is_read_and_nothing_else() {
    for (report, what, zeros) in [
        (SlotReport::Request(execution()), "execution report", vec![5, 7, 126, 127]),
        (SlotReport::Order(markouts()), "markouts", vec![2, 7, 116, 127]),
    ] {
        let wire = report.to_bytes();
        assert_eq!(SlotReport::from_bytes(&wire), Ok(report));
        for at in zeros {
            let mut bent = wire;
            bent[at] = 1;
            assert_eq!(SlotReport::from_bytes(&bent), Err(EncodingError::Reserved { what }), "byte {at}");
        }
        for len in 0..REPORT_LEN {
            assert!(matches!(SlotReport::from_bytes(&wire[..len]), Err(EncodingError::Truncated { .. })), "{len}");
        }
        let long = [&wire[..], &[0]].concat();
        assert_eq!(SlotReport::from_bytes(&long), Err(EncodingError::Trailing { found: 1 }));
        for found in [0, 3, 255] {
            let mut bent = wire;
            bent[0] = found;
            assert_eq!(SlotReport::from_bytes(&bent), Err(EncodingError::UnknownKind { found }));
        }
    }
}

fn header() -> Header {
    first(1).table.header
}

#[test]
fn a_report_opens_for_its_owner_place_and_version_only_and_is_no_receipt() {
    let (header, key) = (header(), [7; 32]);
    let report = SlotReport::Order(markouts());
    let sealed = report.seal(&key, &header, 3);
    assert_eq!(SlotReport::open(&sealed, &key, &header, 3), Ok(report));
    let closed = Err(ReceiptError::Sealed);
    assert_eq!(SlotReport::open(&sealed, &key, &header, 4), closed);
    assert_eq!(SlotReport::open(&sealed, &[8; 32], &header, 3), closed);
    assert_eq!(SlotReport::open(&sealed[1..], &key, &header, 3), closed);
    assert_eq!(SlotReport::open(&[], &key, &header, 3), closed);
    assert_eq!(Receipt::open(&sealed, &key, &header, 3), Err(ReceiptError::Sealed));
}

#[test]
fn of_a_rounds_file_the_second_half_are_the_reports() {
    let (header, key) = (header(), [7; 32]);
    let receipt = Receipt { version: 2, lots: 5, ..Default::default() };
    let report = SlotReport::Request(execution());
    let sealed = vec![[0; 144], receipt.seal(&key, &header, 1), [0; 144], report.seal(&key, &header, 3)];
    let file = Receipts::new(header.hash(), sealed.clone()).expect("four");
    assert_eq!(file.open(&key, &header), [(1, receipt)]);
    assert_eq!(file.reports(&key, &header), [(1, report)]);
    assert_eq!(file.reports(&[8; 32], &header), Vec::new());
    let of_another = Receipts::new([9; 32], sealed.clone()).expect("four");
    assert_eq!(of_another.reports(&key, &header), Vec::new());
    let mut swapped = sealed;
    swapped.swap(2, 3);
    let swapped = Receipts::new(header.hash(), swapped).expect("four");
    assert_eq!(swapped.reports(&key, &header), Vec::new());
}
