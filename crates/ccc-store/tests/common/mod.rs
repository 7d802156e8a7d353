//! Sealed versions to store.

use ccc_core::{
    epoch::Epoch,
    keys::MasterPublicKey,
    table::{SealedTable, TableId, TableParams, TableSuite, Tier, Updated, genesis},
};
use curve25519_dalek::RistrettoPoint;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

pub(crate) const ID: TableId = TableId { chain: 31_337, contract: [0xC0; 20], table: [0x7A; 32] };

/// An endless sequence of idle versions.
pub(crate) struct Versions {
    next: Option<Updated>,
    master: MasterPublicKey,
    rng: ChaCha20Rng,
}

impl Versions {
    pub(crate) fn new(seed: u64) -> Self {
        let master = MasterPublicKey::from_bytes(RistrettoPoint::mul_base(&77u64.into()).compress().as_bytes())
            .expect("not the identity");
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let params = TableParams { id: ID, epoch: Epoch(0), tier: Tier::SMALLEST, suite: TableSuite::ChaCha20Poly1305 };
        let first = genesis(&params, &master, &mut rng).expect("genesis");
        Self { next: Some(first), master, rng }
    }
}

impl Iterator for Versions {
    type Item = SealedTable;

    fn next(&mut self) -> Option<SealedTable> {
        let Updated { table, rows, .. } = self.next.take()?;
        self.next = rows.update(&[], &[], 16, &[], Epoch(0), &self.master, &mut self.rng).ok();
        Some(table)
    }
}

/// Used by some of the test files only.
#[allow(dead_code, reason = "each test file compiles this module for itself")]
pub(crate) fn assert_same(found: &SealedTable, expected: &SealedTable) {
    assert_eq!(found.header.to_bytes(), expected.header.to_bytes());
    assert!(found.body == expected.body && found.sidecar == expected.sidecar);
}
