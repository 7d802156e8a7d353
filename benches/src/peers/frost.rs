//! Key generation of frost-ristretto255 for one node among honest ones, its packages in memory.
//!
//! What it leaves to its user and ours does: the broadcast channel with signatures, the encryption of shares, and
//! reading packages from bytes. Both check every share against its dealer's commitments and derive all verification
//! keys: in part 3.

use frost_ristretto255::Identifier;
use frost_ristretto255::keys::dkg::{part1, part2, part3, round1, round2};
use frost_ristretto255::rand_core::{CryptoRng, Error, RngCore};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::collections::BTreeMap;
use std::hint::black_box;

/// Our generator under the traits of the peer's year.
struct Draws(ChaCha20Rng);

impl RngCore for Draws {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Draws {}

/// One node before its last part, with everything that the others sent.
pub struct Frost {
    t: u16,
    n: u16,
    first: round1::SecretPackage,
    second: round2::SecretPackage,
    commitments: BTreeMap<Identifier, round1::Package>,
    shares: BTreeMap<Identifier, round2::Package>,
}

impl Frost {
    /// Runs parts 1 and 2 for everybody.
    #[must_use]
    pub fn new(t: u16, n: u16) -> Self {
        let mut draws = Draws(ChaCha20Rng::seed_from_u64(4));
        let me = Identifier::try_from(1).unwrap();
        let mut secrets = BTreeMap::new();
        let mut packages = BTreeMap::new();
        for i in (1..=n).map(|i| Identifier::try_from(i).unwrap()) {
            let (secret, package) = part1(i, n, t, &mut draws).unwrap();
            secrets.insert(i, secret);
            packages.insert(i, package);
        }
        let without = |i: &Identifier| {
            let mut others = packages.clone();
            others.remove(i);
            others
        };
        let first = secrets.remove(&me).unwrap();
        let (second, _) = part2(first.clone(), &without(&me)).unwrap();
        let to_me = |(i, secret)| (i, part2(secret, &without(&i)).unwrap().1.remove(&me).unwrap());
        let shares = secrets.into_iter().map(to_me).collect();
        Self { t, n, first, second, commitments: without(&me), shares }
    }

    /// Part 3: checks n − 1 shares, derives n verification keys.
    pub fn part3(&self) {
        black_box(part3(&self.second, &self.commitments, &self.shares).unwrap());
    }

    /// Parts 1, 2 and 3.
    pub fn all(&self) {
        let mut draws = Draws(ChaCha20Rng::seed_from_u64(5));
        let me = Identifier::try_from(1).unwrap();
        black_box(part1(me, self.n, self.t, &mut draws).unwrap());
        black_box(part2(self.first.clone(), &self.commitments).unwrap());
        self.part3();
    }
}
