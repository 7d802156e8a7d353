//! The secret files of the command `ccc`: no input makes the reader panic, what it accepts in the clear it writes back as
//! it was, and no accepted file asks for a key derivation outside of the bounds.
//!
//! `cargo +nightly fuzz run sealed`
#![no_main]

#[allow(dead_code, reason = "the reader and the form in the clear are driven; sealing derives a key from 19 MiB up")]
#[path = "../../crates/ccc-cli/src/files/sealed.rs"]
mod sealed;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use sealed::{Content, SealedError, SecretFile, clear};
use std::rc::Rc;

/// Bytes as they are, or a body under a digest that fits, in which one byte may be changed.
#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Raw(&'a [u8]),
    Clear { content: u8, plain: &'a [u8], flip: Option<(u16, u8)> },
}

fuzz_target!(|input: Input| match input {
    Input::Raw(bytes) => drop(read(bytes)),
    Input::Clear { content, plain, flip } => {
        let Ok(content) = Content::from_byte(content % 16) else { return };
        let mut bytes = clear(content, plain).to_vec();
        let Some((at, mask)) = flip.filter(|(at, mask)| usize::from(*at) < bytes.len() && *mask != 0) else {
            assert_eq!(read(&bytes), Some((content, plain.to_vec())));
            return;
        };
        bytes[usize::from(at)] ^= mask;
        assert_eq!(read(&bytes), None);
    }
});

/// What a file in the clear holds. A file under a passphrase is not opened.
fn read(bytes: &[u8]) -> Option<(Content, Vec<u8>)> {
    let file = SecretFile::parse(bytes).ok()?;
    if let Some(cost) = file.cost() {
        assert!((19 * 1024..=1024 * 1024).contains(&cost.memory));
        assert!((2..=16).contains(&cost.passes) && (1..=4).contains(&cost.lanes));
        assert_eq!(bytes.get(9), Some(&1));
        let asked = file.open(|| Err::<Rc<_>, _>(SealedError::Passphrase));
        assert_eq!(asked.err(), Some(SealedError::Passphrase));
        return None;
    }
    let plain = file.open(|| Err::<Rc<_>, _>(SealedError::Passphrase)).expect("no passphrase is asked");
    assert_eq!(clear(file.content(), &plain).as_slice(), bytes);
    Some((file.content(), plain.to_vec()))
}
