//! What storage and chain see: the same sizes whatever happened, and bytes that link nothing.

use super::super::{Receipt, ReceiptError, SealedTable, Sidecar};
use super::{account, delta, deposit, first, funded, next};

fn differing(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).filter(|(a, b)| a != b).count()
}

/// Two uniform byte strings differ in all but 1 of 256 places; this allows far more than chance would.
fn assert_unrelated(a: &[u8], b: &[u8]) {
    assert_eq!(a.len(), b.len());
    assert!(differing(a, b) > a.len() * 98 / 100, "{} of {} bytes differ", differing(a, b), a.len());
}

fn sizes(table: &SealedTable) -> [usize; 3] {
    [table.header.to_bytes().len(), table.body.len(), table.sidecar.len()]
}

#[test]
fn n130_sizes_and_changed_bytes_do_not_depend_on_the_round() {
    let before = funded().table;
    let idle = next(funded(), &[], &[], 3).expect("seals").table;
    let filled = next(funded(), &[deposit(3, 2, 9)], &[delta(1, 0, -1, 0), delta(2, 0, 1, 0)], 4).expect("seals").table;
    let refused = next(funded(), &[], &[delta(1, 0, -1, 0)], 5).expect("seals").table;
    for after in [&idle, &filled, &refused] {
        assert_eq!(sizes(after), sizes(&before));
        assert_unrelated(&after.body, &before.body);
        assert_unrelated(&after.sidecar[38..], &before.sidecar[38..]);
        assert_eq!(after.header.version(), before.header.version() + 1);
        assert_ne!(after.header.state_root(), before.header.state_root());
    }
    assert_eq!(sizes(&first(1).table), sizes(&before));
}

#[test]
fn n131_the_same_rows_sealed_twice_are_unlinkable() {
    let (one, two) = (next(funded(), &[], &[], 3).expect("seals"), next(funded(), &[], &[], 4).expect("seals"));
    assert_eq!(one.rows.rows.all(), two.rows.rows.all());
    assert_unrelated(&one.table.body, &two.table.body);
    assert_unrelated(&one.table.sidecar[38..], &two.table.sidecar[38..]);
    assert_ne!(one.table.header.state_root(), two.table.header.state_root());
    assert_ne!(one.table.header.key_commitment(), two.table.header.key_commitment());
}

#[test]
fn n131_a_cloned_machine_does_not_repeat_a_key() {
    // the same generator state, another update: the hedge over the update digest separates the two
    let (one, two) = (next(funded(), &[deposit(1, 0, 1)], &[], 3), next(funded(), &[deposit(1, 0, 2)], &[], 3));
    let (one, two) = (one.expect("seals"), two.expect("seals"));
    assert_ne!(one.rows.key.expose(), two.rows.key.expose());
    assert_unrelated(&one.table.body, &two.table.body);
}

#[test]
fn unused_and_used_entries_look_alike() {
    let table = funded().table;
    let sidecar = Sidecar::parse(&table.sidecar, &table.header).expect("sidecar");
    let entries: Vec<_> = (0..1024).filter_map(|index| sidecar.entry(index)).collect();
    assert_eq!(entries.len(), 1024);
    let ones: u32 = entries.iter().flat_map(|entry| entry.iter()).map(|byte| byte.count_ones()).sum();
    let half = 1024 * 112 * 4;
    assert!(ones.abs_diff(half) < half / 100, "{ones} of {}", 2 * half);
}

#[test]
fn receipts_open_for_their_slot_owner_and_version_only() {
    let table = funded();
    let header = &table.table.header;
    let key = **table.rows.reading_keys(&[account(1)])[0].as_ref().expect("registered");
    let receipt = Receipt { version: 2, outcome: 1, lots: 5, new_amount: 100, ..Receipt::default() };
    let sealed = receipt.seal(&key, header, 3);
    assert_eq!(Receipt::open(&sealed, &key, header, 3), Ok(receipt));
    assert_eq!(Receipt::open(&sealed, &key, header, 4), Err(ReceiptError::Sealed));
    assert_eq!(Receipt::open(&sealed, &[0; 32], header, 3), Err(ReceiptError::Sealed));
    assert_eq!(Receipt::open(&sealed[1..], &key, header, 3), Err(ReceiptError::Sealed));
    assert_eq!(Receipt::open(&[], &key, header, 3), Err(ReceiptError::Sealed));
    let later = next(table, &[], &[], 3).expect("seals").table.header;
    assert_eq!(Receipt::open(&sealed, &key, &later, 3), Err(ReceiptError::Sealed));
}
