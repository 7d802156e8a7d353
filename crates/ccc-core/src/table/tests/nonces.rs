//! Nonces are chunk numbers under a key of one version: there is no counter that could wrap.

use super::super::Header;
use super::super::{
    HeaderError, OpenTable, SealedTable, StructuralError, Tier, Update,
    seal::{CHUNK_ROWS, SEALED_CHUNK_LEN, nonce},
};
use super::{first, funded};
use std::collections::BTreeSet;

/// u96be of the index, distinct for every chunk of the largest tier, whose last index is far from the field's end. What
/// would lie beyond is refused as such: a larger tier, more chunks than the tier has, a body of one chunk more.
#[test]
fn n033_the_last_chunk_of_the_largest_tier_has_a_nonce_of_its_own_and_nothing_lies_beyond() {
    let chunks = Tier::LARGEST.chunks();
    assert_eq!(usize::try_from(chunks).unwrap(), Tier::LARGEST.rows() / CHUNK_ROWS);
    let nonces: BTreeSet<[u8; 12]> = (0..chunks).chain([u32::MAX]).map(nonce).collect();
    assert_eq!(nonces.len(), usize::try_from(chunks).unwrap() + 1);
    assert_eq!(nonce(chunks - 1), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x3f, 0xff]);
    assert_eq!((Tier::LARGEST.next(), Tier::for_rows(Tier::LARGEST.rows() + 1)), (None, None));

    let wire = first(1).table.header.to_bytes();
    let with = |at: usize, bytes: &[u8]| {
        let mut wire = wire;
        wire[at..at + bytes.len()].copy_from_slice(bytes);
        Header::from_bytes(&wire).expect_err("refused")
    };
    assert_eq!(with(116, &[26]), HeaderError::Tier { found: 26 });
    for found in [2, chunks + 1, u32::MAX] {
        assert_eq!(with(119, &found.to_be_bytes()), HeaderError::Chunks { expected: 1, found });
    }
    let table = funded();
    let SealedTable { header, mut body, .. } = table.table;
    body.extend_from_within(..);
    let opened = OpenTable::open(&header, &body, &table.rows.key).expect_err("refused");
    assert_eq!(opened, StructuralError::Length { expected: SEALED_CHUNK_LEN, found: 2 * SEALED_CHUNK_LEN });
}

/// The same rows sealed for two versions: another key, so that the same nonce serves two messages of no key.
#[test]
fn n033_every_version_has_a_key_of_its_own() {
    let (one, two) = (funded(), funded().rows.apply(&Update::Growth, &super::master(), &mut super::rng(9)));
    let two = two.expect("grows");
    assert_ne!(one.table.header.key_commitment(), two.table.header.key_commitment());
    assert_ne!(one.table.body[..SEALED_CHUNK_LEN], two.table.body[..SEALED_CHUNK_LEN]);
}
