//! Stored states of a key generation, behind a true opening: no input makes a reader panic, and what is accepted is
//! written back as it was.
//!
//! `cargo +nightly fuzz run states`
#![no_main]

use ccc_core::{
    encoding::{Kind, header},
    epoch::Epoch,
    identifier::Identifier,
    keys::{
        ParticipantKeys, Protocol, Roster, Session,
        dkg::{Committed, Complained, Opened, Participant, Party, Unconfirmed},
    },
    threshold::Threshold,
};
use libfuzzer_sys::fuzz_target;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::sync::LazyLock;

struct Table {
    session: Session,
    identifier: Identifier,
    keys: ParticipantKeys,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let keys: Vec<_> = (0..4).map(|_| ParticipantKeys::generate(&mut rng).expect("works")).collect();
    let numbered = (1..).zip(&keys).map(|(i, keys)| keys.public(Identifier::new(i).expect("not zero"))).collect();
    let roster = Roster::new(Epoch(0), Threshold::default_for(4).expect("four"), numbered).expect("a roster");
    let session = Session::new(Protocol::Dkg, None, roster, &[2; 32]);
    let keys = keys.into_iter().next().expect("four keys");
    Table { session, identifier: Identifier::new(1).expect("not zero"), keys }
});

fn party() -> Party<'static> {
    Party::new(TABLE.session.clone(), TABLE.identifier, &TABLE.keys).expect("on the roster")
}

/// header ‖ step ‖ protocol ‖ session ‖ dealer ‖ receiver ‖ what the fuzzer says.
fn state(step: u8, rest: &[u8]) -> Vec<u8> {
    let number = TABLE.identifier.to_bytes();
    let opening: [&[u8]; 6] =
        [&header(Kind::RoundsState), &[step, Protocol::Dkg as u8], &TABLE.session.id(), &number, &number, rest];
    opening.concat()
}

macro_rules! settles {
    ($state:ident, $bytes:expr) => {
        if let Ok(state) = $state::from_bytes($bytes, party()) {
            assert_eq!(state.to_bytes().as_slice(), $bytes);
        }
    };
}

fuzz_target!(|bytes: &[u8]| {
    for (step, bytes) in (1..=5).map(|step| (step, state(step, bytes))) {
        match step {
            1 => settles!(Participant, &bytes[..]),
            2 => settles!(Committed, &bytes[..]),
            3 => settles!(Opened, &bytes[..]),
            4 => settles!(Complained, &bytes[..]),
            _ => settles!(Unconfirmed, &bytes[..]),
        }
    }
});
