//! The JSON of Chainlink's tdh2: no input makes a reader panic, and what is accepted is one object, written one way.
//!
//! `cargo +nightly fuzz run tdh2`
#![no_main]

use ccc_core::compat::tdh2_p256::{
    Ciphertext, DecryptionShare, FormatError, MasterSecret, PrivateShare, PublicKey, easy,
};
use libfuzzer_sys::fuzz_target;

/// What is accepted is written in a form that is read as the same object and written back as it was.
fn settles<T, S: AsRef<str>>(
    bytes: &[u8],
    read: impl Fn(&[u8]) -> Result<T, FormatError>,
    write: impl Fn(&T) -> S,
) -> Option<T> {
    let found = read(bytes).ok()?;
    let written = write(&found);
    let again = read(written.as_ref().as_bytes()).expect("what was written is read");
    assert_eq!(write(&again).as_ref(), written.as_ref());
    Some(found)
}

fuzz_target!(|bytes: &[u8]| {
    let key = settles(bytes, PublicKey::from_json, PublicKey::to_json);
    if let Some(key) = key.filter(|key| key.participants() <= 8) {
        let _ = key.threshold();
    }
    settles(bytes, PrivateShare::from_json, PrivateShare::to_json);
    settles(bytes, MasterSecret::from_json, MasterSecret::to_json);
    settles(bytes, Ciphertext::from_json, Ciphertext::to_json);
    settles(bytes, DecryptionShare::from_json, DecryptionShare::to_json);
    settles(bytes, easy::Ciphertext::from_json, easy::Ciphertext::to_json);
});
