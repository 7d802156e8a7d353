//! Tests of the table as a whole: golden bytes, the slow twin, tampering, rollback, what the outside sees.

mod answers;
mod execution;
mod forced;
mod inclusion;
mod nonces;
mod oblivious;
mod operation_vectors;
mod outside;
mod refusals;
mod rotation;
mod rounds;
mod stream;
mod tampering;
mod trace;
mod transfers;
mod twin;
mod updates;
mod vectors;
mod versions;
mod waves;

use super::{
    AccountId, AssetId, AssetRule, BoundaryOperation, Delta, ResultCode, StructuralError, TableId, TableParams,
    TableSuite, Tier, Updated, genesis,
};
use crate::{epoch::Epoch, keys::MasterPublicKey};
use curve25519_dalek::RistrettoPoint;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

pub(super) const ASSETS: [AssetRule; 3] = [AssetRule { lot: 1 }, AssetRule { lot: 1_000 }, AssetRule { lot: u64::MAX }];
const EPOCH: Epoch = Epoch(3);

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn master() -> MasterPublicKey {
    MasterPublicKey::new(RistrettoPoint::mul_base(&77u64.into())).expect("not the identity")
}

fn params() -> TableParams {
    let id = TableId { chain: 31_337, contract: [0xC0; 20], table: [0x7A; 32] };
    TableParams { id, epoch: EPOCH, tier: Tier::SMALLEST, suite: TableSuite::ChaCha20Poly1305 }
}

fn account(number: u8) -> AccountId {
    AccountId([number; 20])
}

fn deposit(number: u8, asset: u32, amount: u128) -> BoundaryOperation {
    BoundaryOperation::Deposit {
        account: account(number),
        asset: AssetId(asset),
        amount,
        reading_key: [number ^ 0xFF; 32],
    }
}

fn delta(number: u8, asset: u32, amount: i128, reserved: i64) -> Delta {
    Delta { account: account(number), asset: AssetId(asset), amount, reserved }
}

fn first(seed: u64) -> Updated {
    genesis(&params(), &master(), &mut rng(seed)).expect("genesis")
}

/// The work, on a pool of one thread.
fn on_one_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    #[cfg(feature = "parallel")]
    return rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread").install(work);
    #[cfg(not(feature = "parallel"))]
    return work();
}

/// The next version of a table.
fn next(
    from: Updated,
    boundary: &[BoundaryOperation],
    deltas: &[Delta],
    seed: u64,
) -> Result<Updated, StructuralError> {
    from.rows.update(boundary, deltas, 16, &ASSETS, EPOCH, &master(), &mut rng(seed))
}

/// Version 2: accounts 1 and 2 hold 100 of asset 0 and 5000 of asset 1.
fn funded() -> Updated {
    let deposits = [deposit(1, 0, 100), deposit(2, 0, 100), deposit(1, 1, 5000), deposit(2, 1, 5000)];
    let table = next(first(1), &deposits, &[], 2).expect("deposits");
    assert_eq!(table.boundary, [Ok(()); 4]);
    assert_eq!(table.code, ResultCode::Done);
    table
}
