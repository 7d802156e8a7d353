//! Secrets for valgrind's memcheck.
//!
//! Memcheck knows of each bit in memory and registers whether it was ever written, carries that through every instruction,
//! and reports a conditional jump, and an address, that depends on one that was not. Told that a secret was never written,
//! it reports where compiled code branches on the secret or looks it up. What it follows is the machine code that ran, so
//! it sees what a compiler made of the source, in every run and not by statistics; it sees nothing of code that did not
//! run, nor of instructions whose time depends on their operands.
//!
//! *Source*: Langley, *Checking that functions are constant time with Valgrind*, 2010 (ctgrind).
//!
//! Values are not changed. Outside of valgrind, and on processors other than x86-64, nothing happens.
#![deny(unsafe_code)]

mod request;

use request::{Request, ask};
use std::hint::black_box;

/// Whether valgrind runs the program.
#[must_use]
pub fn running() -> bool {
    ask(Request::RunningOnValgrind, [0; 2]) != 0
}

/// Jumps and addresses reported so far, and whatever else valgrind found, each as often as it happened; zero outside of it.
#[must_use]
pub fn errors() -> u64 {
    ask(Request::CountErrors, [0; 2])
}

/// From here on the value is secret: all its bytes, and nothing behind its pointers.
///
/// It is taken by unique reference so that no copy of it lives on in a register.
pub fn make_secret<T: ?Sized>(value: &mut T) {
    let length = size_of_val(value) as u64;
    ask(Request::MakeMemUndefined, [core::ptr::from_mut(value).cast::<u8>().expose_provenance() as u64, length]);
}

/// Whether the last bit of a word depends on a secret: it is jumped on, which counts as an error if it does.
///
/// What is asked is whether a secret's mark came through to the word; `false` outside of valgrind.
#[must_use]
pub fn depends_on_secret(word: u64) -> bool {
    let before = errors();
    if black_box(word) & 1 == 1 {
        black_box(before);
    }
    errors() > before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_of_valgrind_nothing_is_reported_and_no_value_changes() {
        let mut values = [1u64, 2, 3];
        make_secret(&mut values[..]);
        let largest = values.iter().max().copied();
        assert_eq!((values, largest), ([1, 2, 3], Some(3)));
        assert!(running() || errors() == 0 && !depends_on_secret(values[0]));
    }
}
