//! Sealed versions to store.

use ccc_core::{
    epoch::Epoch,
    keys::MasterPublicKey,
    table::{Header, SealedTable, TableId, TableParams, TableSuite, Tier, Updated, genesis},
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
        Self::of(ID, Tier::SMALLEST, seed)
    }

    pub(crate) fn of(id: TableId, tier: Tier, seed: u64) -> Self {
        let master = MasterPublicKey::from_bytes(RistrettoPoint::mul_base(&77u64.into()).compress().as_bytes())
            .expect("not the identity");
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let params = TableParams { id, epoch: Epoch(0), tier, suite: TableSuite::ChaCha20Poly1305 };
        let first = genesis(&params, &master, &mut rng).expect("genesis");
        Self { next: Some(first), master, rng }
    }

    /// From here on another history than other sequences of the same seed; the next version is still theirs.
    #[allow(dead_code, reason = "each test program compiles this module for itself")]
    pub(crate) fn diverge(&mut self, seed: u64) {
        self.rng = ChaCha20Rng::seed_from_u64(seed);
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

#[allow(dead_code, reason = "each test program compiles this module for itself")]
pub(crate) fn two_versions(seed: u64) -> (SealedTable, SealedTable) {
    let mut versions = Versions::new(seed);
    (versions.next().expect("a version"), versions.next().expect("a version"))
}

#[allow(dead_code, reason = "each test program compiles this module for itself")]
pub(crate) fn assert_same(found: &SealedTable, expected: &SealedTable) {
    assert_eq!(found.header.to_bytes(), expected.header.to_bytes());
    assert!(found.body == expected.body && found.sidecar == expected.sidecar);
}

/// A header that anybody can make without a key: another version number over the same body and state, and the sidecar
/// that names it.
#[allow(dead_code, reason = "each test program compiles this module for itself")]
pub(crate) fn twin(table: &SealedTable, version: u64) -> SealedTable {
    let mut bytes = table.header.to_bytes();
    bytes[76..84].copy_from_slice(&version.to_be_bytes());
    let header = Header::from_bytes(&bytes).expect("a header");
    let mut sidecar = table.sidecar.clone();
    sidecar[6..38].copy_from_slice(&header.hash());
    SealedTable { header, body: table.body.clone(), sidecar }
}
