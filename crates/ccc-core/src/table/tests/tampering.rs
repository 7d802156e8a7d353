//! Altered, foreign, missing and stale bytes are refused with the error of the first check that sees them.

use super::super::{
    DataKey, EntryError, Head, Header, HeaderError, OpenTable, RollbackError, RowFault, SealedTable, Sidecar,
    SidecarError, StructuralError, SuccessionError, TableId, TableParams, Tier, Update, check_current,
    check_succession, genesis, header::Roots, row::Status, rows::Rows, sidecar_len, update::Sealing,
};
use super::{EPOCH, account, deposit, first, funded, master, next, params, rng};
use crate::{ciphertext::CiphertextError, encoding::EncodingError, epoch::Epoch};

fn open(table: &SealedTable, key: &DataKey) -> Result<OpenTable, StructuralError> {
    OpenTable::open(&table.header, &table.body, key)
}

/// Opens with altered bytes in place of the header, the body or both.
fn open_bytes(header: &[u8], head: Head, body: &[u8], key: &DataKey) -> StructuralError {
    OpenTable::open_current(header, head, Some(body), key).expect_err("refused")
}

#[test]
fn every_byte_of_the_header_counts() {
    let table = funded();
    let good = table.table.header.to_bytes();
    let head = table.table.header.head();
    for at in 0..good.len() {
        let mut bytes = good;
        bytes[at] ^= 1;
        let found = open_bytes(&bytes, head, &table.table.body, &table.rows.key);
        assert!(matches!(found, StructuralError::Hash { .. }), "byte {at}: {found:?}");
        // even with its own hash on chain: either malformed, or another version, or another key, body or state
        let Ok(header) = Header::from_bytes(&bytes) else { continue };
        let opened = OpenTable::open(&header, &table.table.body, &table.rows.key);
        let in_wrapped = at >= 219;
        let (expected, found) = (table.table.header.wrapped(), header.wrapped());
        assert!(opened.is_err() || (in_wrapped && expected != found), "byte {at}");
        assert!(check_current(&header, head.hash, head.version).is_err());
    }
}

#[test]
fn the_wrapped_key_is_bound_to_p1() {
    let table = funded().table;
    let mut bytes = table.header.to_bytes();
    assert!(table.header.wrapped().clone().verify(&master()).is_ok());
    bytes[187] ^= 1;
    let moved = Header::from_bytes(&bytes).expect("still a header");
    assert_eq!(moved.wrapped().clone().verify(&master()).err(), Some(CiphertextError::Proof));
}

#[test]
fn malformed_headers_are_told_apart() {
    let good = first(1).table.header.to_bytes();
    let with = |at: usize, byte: u8| {
        let mut bytes = good;
        bytes[at] = byte;
        Header::from_bytes(&bytes).expect_err("refused")
    };
    assert_eq!(with(0, b'X'), HeaderError::Magic { found: *b"XCTB" });
    assert_eq!(with(5, 2), HeaderError::Format { found: 2 });
    assert_eq!(with(7, 3), HeaderError::Suite { found: 3 });
    #[cfg(not(feature = "suite-aes-gcm"))]
    assert_eq!(with(7, 2), HeaderError::Suite { found: 2 });
    assert_eq!(with(83, 0), HeaderError::Version { version: 0, has_previous: false });
    assert_eq!(with(83, 2), HeaderError::Version { version: 2, has_previous: false });
    assert_eq!(with(90, 1), HeaderError::Version { version: 1, has_previous: true });
    assert_eq!(with(116, 11), HeaderError::Tier { found: 11 });
    assert_eq!(with(116, 26), HeaderError::Tier { found: 26 });
    assert_eq!(with(118, 65), HeaderError::RowSize { found: 65 });
    assert_eq!(with(122, 2), HeaderError::Chunks { expected: 1, found: 2 });
    assert!(matches!(with(219, 0), HeaderError::Wrapped(CiphertextError::Encoding(EncodingError::Magic { .. }))));
    let truncated = Header::from_bytes(&good[..434]).expect_err("refused");
    assert!(matches!(truncated, HeaderError::Encoding(EncodingError::Truncated { .. })));
    let longer = Header::from_bytes(&[&good[..], &[0]].concat()).expect_err("refused");
    assert_eq!(longer, HeaderError::Encoding(EncodingError::Trailing { found: 1 }));
}

#[test]
fn every_byte_of_the_body_counts() {
    let table = funded();
    let SealedTable { header, mut body, .. } = table.table;
    for at in (0..body.len()).step_by(97).chain([body.len() - 1]) {
        body[at] ^= 1;
        let found = OpenTable::open(&header, &body, &table.rows.key).expect_err("refused");
        assert!(matches!(found, StructuralError::BodyRoot { .. }), "byte {at}: {found:?}");
        body[at] ^= 1;
    }
    let found = OpenTable::open(&header, &body[1..], &table.rows.key).expect_err("refused");
    assert_eq!(found, StructuralError::Length { expected: 65_552, found: 65_551 });
}

#[test]
fn a_body_under_a_root_of_its_own_still_does_not_open() {
    let table = funded();
    let SealedTable { header, mut body, .. } = table.table;
    body[5] ^= 1;
    let roots = Roots {
        body: super::super::body_root(&body),
        key_commitment: header.key_commitment(),
        state: header.state_root(),
    };
    let header = Header::new(header.prefix().clone(), roots, header.wrapped().clone()).expect("a table key");
    let found = OpenTable::open(&header, &body, &table.rows.key).expect_err("refused");
    assert_eq!(found, StructuralError::Chunk { index: 0 });
}

#[test]
fn n125_reordered_and_duplicated_chunks_are_refused() {
    let grown = funded().rows.apply(&Update::Growth, &master(), &mut rng(4)).expect("grows");
    let SealedTable { header, body, .. } = &grown.table;
    let (a, b) = body.split_at(65_552);
    for other in [[&b[..65_552], a, &b[65_552..]].concat(), [a, a, &b[65_552..]].concat()] {
        let found = OpenTable::open(header, &other, &grown.rows.key).expect_err("refused");
        assert!(matches!(found, StructuralError::BodyRoot { .. }));
        let roots = Roots {
            body: super::super::body_root(&other),
            key_commitment: header.key_commitment(),
            state: header.state_root(),
        };
        let forged = Header::new(header.prefix().clone(), roots, header.wrapped().clone()).expect("a table key");
        let found = OpenTable::open(&forged, &other, &grown.rows.key).expect_err("refused");
        assert!(matches!(found, StructuralError::Chunk { .. }));
    }
}

/// Seals rows that no update gives, to see the checks behind the cipher.
fn sealed(rows: Rows) -> (SealedTable, DataKey) {
    let prefix = first(1).table.header.prefix().clone();
    let key = DataKey::fresh(None, &prefix.to_bytes(), &[0; 32], &mut rng(8));
    let copy = key.duplicate();
    let batch = super::super::batch::Batch::new(&[], &[]);
    let (table, _) = Sealing { prefix, key, batch, accepted: 0 }.seal(rows, &master(), &mut rng(9)).expect("seals");
    (table, copy)
}

#[test]
fn n125_rows_are_checked_after_they_are_opened() {
    let status = Status { epoch_salt: [0; 16], code: super::ResultCode::Done, version: 1 };
    let mut rows = Rows::empty(Tier::SMALLEST, &status);
    rows.bytes_mut()[200] = 1;
    let (table, key) = sealed(rows);
    let found = open(&table, &key).expect_err("refused");
    assert_eq!(found, StructuralError::Row { index: 3, fault: RowFault::Gap });
    let stale = Status { version: 2, ..status };
    let (table, key) = sealed(Rows::empty(Tier::SMALLEST, &stale));
    let found = open(&table, &key).expect_err("refused");
    assert_eq!(found, StructuralError::Row { index: 0, fault: RowFault::Status });
}

#[test]
fn a_state_root_of_other_rows_is_refused() {
    let table = funded();
    let header = &table.table.header;
    let roots = Roots { body: header.body_root(), key_commitment: header.key_commitment(), state: [9; 32] };
    let forged = Header::new(header.prefix().clone(), roots, header.wrapped().clone()).expect("a table key");
    let found = OpenTable::open(&forged, &table.table.body, &table.rows.key).expect_err("refused");
    assert!(matches!(found, StructuralError::StateRoot { expected, .. } if expected == [9; 32]));
}

#[test]
fn n121_an_older_version_is_refused_against_the_chain() {
    let old = funded();
    let (old_table, old_key) = (old.table.clone(), old.rows.key.duplicate());
    let new = next(old, &[], &[], 3).expect("seals").table;
    let current = new.header.head();
    let (bytes, body) = (old_table.header.to_bytes(), &old_table.body);
    let found = open_bytes(&bytes, current, body, &old_key);
    assert_eq!(found, StructuralError::Hash { expected: current.hash, found: old_table.header.hash() });
    let confused = Head { version: current.version, hash: old_table.header.hash() };
    let found = open_bytes(&bytes, confused, body, &old_key);
    assert_eq!(found, StructuralError::Version { expected: confused, found: old_table.header.head() });
    assert_eq!(
        check_current(&old_table.header, current.hash, current.version),
        Err(RollbackError { expected: current, found: old_table.header.head() })
    );
    assert_eq!(check_current(&new.header, current.hash, current.version), Ok(()));
    // an old body under the new header
    let found = OpenTable::open(&new.header, body, &old_key).expect_err("refused");
    assert!(matches!(found, StructuralError::BodyRoot { .. }));
}

#[test]
fn n122_another_table_contract_chain_or_epoch_has_other_keys() {
    let table = funded();
    let TableParams { id, .. } = params();
    let prefix = table.table.header.prefix();
    let others = [
        (TableId { chain: 1, ..id }, EPOCH),
        (TableId { contract: [1; 20], ..id }, EPOCH),
        (TableId { table: [1; 32], ..id }, EPOCH),
        (id, Epoch(4)),
    ];
    for (id, epoch) in others {
        let mut prefix = prefix.clone();
        (prefix.id, prefix.epoch) = (id, epoch);
        let header = &table.table.header;
        let roots =
            Roots { body: header.body_root(), key_commitment: header.key_commitment(), state: header.state_root() };
        let moved = Header::new(prefix, roots, header.wrapped().clone()).expect("a table key");
        let found = OpenTable::open(&moved, &table.table.body, &table.rows.key).expect_err("refused");
        assert_eq!(found, StructuralError::KeyCommitment);
        let moved = Header::from_bytes(&moved.to_bytes()).expect("still a header");
        assert!(moved.wrapped().clone().verify(&master()).is_err(), "the label has changed too");
    }
}

#[test]
fn n123_of_two_successors_only_one_follows() {
    let (one, two) = (funded(), funded());
    assert_eq!(one.table.header.hash(), two.table.header.hash());
    let parent = one.table.header.clone();
    let left = next(one, &[deposit(1, 0, 1)], &[], 3).expect("seals").table.header;
    let right = next(two, &[deposit(1, 0, 2)], &[], 4).expect("seals").table.header;
    assert_eq!((check_succession(&parent, &left), check_succession(&parent, &right)), (Ok(()), Ok(())));
    let expected = Some(left.version() + 1);
    assert_eq!(check_succession(&left, &right), Err(SuccessionError::Version { expected, found: right.version() }));
    let after_right = {
        let table = next(funded(), &[deposit(1, 0, 2)], &[], 4).expect("seals");
        next(table, &[], &[], 5).expect("seals").table.header
    };
    let other = SuccessionError::Previous { expected: left.hash(), found: right.hash() };
    assert_eq!(check_succession(&left, &after_right), Err(other));
}

#[test]
fn n124_skipped_and_repeated_versions_do_not_follow() {
    let parent = first(1);
    let parent_header = parent.table.header.clone();
    let child = next(parent, &[], &[], 2).expect("seals");
    let child_header = child.table.header.clone();
    let grandchild = next(child, &[], &[], 3).expect("seals").table.header;
    let wrong = |found| Err(SuccessionError::Version { expected: Some(2), found });
    assert_eq!(check_succession(&parent_header, &grandchild), wrong(3));
    assert_eq!(check_succession(&parent_header, &parent_header), wrong(1));
    assert_eq!(check_succession(&parent_header, &child_header), Ok(()));
    let foreign = TableParams { id: TableId { chain: 9, ..params().id }, ..params() };
    let foreign = genesis(&foreign, &master(), &mut rng(1)).expect("seals").table.header;
    assert_eq!(check_succession(&foreign, &child_header), Err(SuccessionError::Table));
}

#[test]
fn n134_a_missing_body_halts() {
    let table = funded();
    let header = &table.table.header;
    let found = OpenTable::open_current(&header.to_bytes(), header.head(), None, &table.rows.key).expect_err("refused");
    assert_eq!(found, StructuralError::MissingBody { body_root: header.body_root() });
}

#[test]
fn other_data_keys_are_refused() {
    let table = funded();
    let other = DataKey::from_opened(&[7; 32]).expect("32 bytes");
    assert_eq!(open(&table.table, &other).err(), Some(StructuralError::KeyCommitment));
    assert_eq!(DataKey::from_opened(&[7; 31]).err(), Some(StructuralError::DataKeyLength { expected: 32, found: 31 }));
}

#[test]
fn every_byte_of_the_sidecar_counts() {
    let table = funded().table;
    let (header, mut bytes) = (table.header, table.sidecar);
    let nodes = 38 + 2046 * 32;
    for at in (0..38).chain((38..nodes).step_by(499)).chain([nodes - 1]) {
        bytes[at] ^= 1;
        let found = Sidecar::parse(&bytes, &header).expect_err("refused");
        match at {
            0..4 => assert!(matches!(found, SidecarError::Magic { .. })),
            4..6 => assert!(matches!(found, SidecarError::Format { .. })),
            6..38 => assert!(matches!(found, SidecarError::HeaderHash { .. })),
            _ => assert!(matches!(found, SidecarError::StateRoot { .. }), "byte {at}"),
        }
        bytes[at] ^= 1;
    }
    let short = Sidecar::parse(&bytes[..bytes.len() - 1], &header).expect_err("refused");
    let expected = sidecar_len(Tier::SMALLEST);
    assert_eq!(short, SidecarError::Length { expected, found: expected - 1 });
    assert!(matches!(Sidecar::parse(&bytes[..10], &header), Err(SidecarError::Encoding(_))));
}

#[test]
fn entries_open_for_their_owner_only() {
    let table = funded();
    let key = [1 ^ 0xFF; 32];
    let index = table.rows.locate(account(1), super::AssetId(1)).map(|(index, _)| index).expect("row");
    let sidecar = Sidecar::parse(&table.table.sidecar, &table.table.header).expect("sidecar");
    let exit = sidecar.open_entry(&key, index).expect("opens");
    assert_eq!(exit.balance().map(|row| (row.account, row.amount)), Ok((account(1), 5000)));
    assert_eq!(sidecar.open_entry(&[2 ^ 0xFF; 32], index), Err(EntryError::Sealed));
    assert_eq!(sidecar.open_entry(&key, 1024), Err(EntryError::Index { rows: 1024, found: 1024 }));
    assert_eq!(sidecar.open_entry(&key, u32::MAX), Err(EntryError::Index { rows: 1024, found: u32::MAX }));
    assert_eq!(sidecar.open_all(&key).len(), 2);
    let mut bytes = table.table.sidecar.clone();
    let entry = bytes.len() - (1024 - index as usize) * 112;
    for at in [0, 63, 95, 111] {
        bytes[entry + at] ^= 1;
        let sidecar = Sidecar::parse(&bytes, &table.table.header).expect("entries are checked by their owners");
        assert_eq!(sidecar.open_entry(&key, index), Err(EntryError::Sealed), "byte {at}");
        bytes[entry + at] ^= 1;
    }
}
