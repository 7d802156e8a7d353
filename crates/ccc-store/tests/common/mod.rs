//! Sealed versions to store.

use ccc_core::{
    epoch::Epoch,
    keys::MasterPublicKey,
    table::{DataKey, Header, SealedTable, TableId, TableParams, TableSuite, Tier, Update, Updated, genesis},
};
use curve25519_dalek::{RistrettoPoint, Scalar, ristretto::CompressedRistretto};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

pub(crate) const ID: TableId = TableId { chain: 31_337, contract: [0xC0; 20], table: [0x7A; 32] };

const SECRET: u64 = 77;

pub(crate) fn master() -> MasterPublicKey {
    MasterPublicKey::from_bytes(RistrettoPoint::mul_base(&SECRET.into()).compress().as_bytes()).expect("a key")
}

/// The data key of a version, opened with the master secret.
pub(crate) fn data_key(header: &Header) -> DataKey {
    let wrapped = header.wrapped().clone();
    // U follows the length prefix and the label
    let u = CompressedRistretto::from_slice(&wrapped.to_bytes()[137..169]).expect("32 bytes");
    let shared = u.decompress().expect("a point") * Scalar::from(SECRET);
    let verified = wrapped.verify(&master()).expect("well formed");
    DataKey::from_opened(&verified.open_with(shared.compress().as_bytes()).expect("opens")).expect("a data key")
}

/// An endless sequence of idle versions.
#[allow(dead_code, reason = "each test program compiles this module for itself")]
pub(crate) struct Versions {
    next: Option<Updated>,
    rng: ChaCha20Rng,
}

#[allow(dead_code, reason = "each test program compiles this module for itself")]
impl Versions {
    pub(crate) fn new(seed: u64) -> Self {
        Self::of(ID, Tier::SMALLEST, seed)
    }

    pub(crate) fn of(id: TableId, tier: Tier, seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let params = TableParams { id, epoch: Epoch(0), tier, suite: TableSuite::ChaCha20Poly1305 };
        let first = genesis(&params, &master(), &mut rng).expect("genesis");
        Self { next: Some(first), rng }
    }

    /// From here on another history than other sequences of the same seed; the next version is still theirs.
    pub(crate) fn diverge(&mut self, seed: u64) {
        self.rng = ChaCha20Rng::seed_from_u64(seed);
    }
}

impl Iterator for Versions {
    type Item = SealedTable;

    fn next(&mut self) -> Option<SealedTable> {
        let Updated { table, rows, .. } = self.next.take()?;
        let idle = Update::Round { boundary: &[], deltas: &[], k: 16, assets: &[] };
        self.next = rows.apply(&idle, &master(), &mut self.rng).ok();
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
