//! Every decoder of the core: no input makes it panic, and what it accepts it writes back as it was.
//!
//! `cargo +nightly fuzz run decode`
#![no_main]

use ccc_core::{
    ciphertext::{Ciphertext, Label},
    encoding,
    table::{DataKey, Header, Receipt, Row, Sidecar},
};
use libfuzzer_sys::fuzz_target;

fn header(bytes: &[u8]) {
    if let Ok(header) = Header::from_bytes(bytes) {
        assert_eq!(header.to_bytes(), bytes);
    }
}

/// The first 435 bytes as a header, the rest as its sidecar and receipts.
fn sidecar(bytes: &[u8]) {
    let Some((head, rest)) = bytes.split_at_checked(ccc_core::table::HEADER_LEN) else { return };
    let Ok(header) = Header::from_bytes(head) else { return };
    if let Ok(sidecar) = Sidecar::parse(rest, &header) {
        let _ = sidecar.open_entry(&[0; 32], 0);
    }
    let _ = Receipt::open(rest, &[0; 32], &header, 0);
}

fn rows(bytes: &[u8]) {
    for row in bytes.as_chunks().0 {
        if let Ok(found) = Row::from_bytes(row) {
            assert_eq!(found.to_bytes(), *row);
        }
    }
    if let Ok(receipt) = Receipt::from_bytes(bytes) {
        assert_eq!(receipt.to_bytes(), bytes);
    }
    assert_eq!(DataKey::from_opened(bytes).is_ok(), bytes.len() == 32);
}

fn ciphertext(bytes: &[u8]) {
    let _ = encoding::kind_of(bytes);
    if let Ok(found) = Ciphertext::from_bytes(bytes) {
        assert_eq!(found.to_bytes(), bytes);
    }
    if let Ok(label) = Label::from_bytes(bytes) {
        assert_eq!(label.to_bytes(), bytes);
    }
}

fuzz_target!(|bytes: &[u8]| {
    header(bytes);
    sidecar(bytes);
    rows(bytes);
    ciphertext(bytes);
});
