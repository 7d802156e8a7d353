//! Arbitrary rows, sealed under a proper key: the decoder behind the seal. A table is refused with a typed error exactly
//! where `docs/spec/table.md` refuses it, or is read as what was sealed; a round, growth, a new epoch or a rotation on it gives the same
//! version on the open table and on the sealed one, and leaves every row that it does not name as it was.
//!
//! `cargo +nightly fuzz run rows`
#![no_main]

mod plain;
mod rounds;
mod sealing;

use arbitrary::{Arbitrary, Unstructured};
use ccc_core::{
    ciphertext::Ciphertext,
    epoch::Epoch,
    keys::MasterPublicKey,
    table::{
        AssetId, ChunkSource, DataKey, FileSource, HEADER_LEN, Header, OpenTable, Outputs, P0_LEN, P1_LEN, ROW_LEN,
        ResultCode, Rotation, Row, RowFault, SealedBody, SealedTable, Sidecar, SliceSink, StreamError, StructuralError,
        TableId, TableParams, TableSuite, Tier, Update, Updated, body_len, genesis, sidecar_len,
    },
};
use curve25519_dalek::Scalar;
use libfuzzer_sys::fuzz_target;
use plain::{Plain, VERSION};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use rounds::{ASSETS, EPOCH, Round, lengthened, master, unwrap};
use std::{io::Cursor, sync::LazyLock};

/// The data key of every sealed input.
const KEY: [u8; 32] = [0x71; 32];

static MASTER: LazyLock<(MasterPublicKey, Scalar)> = LazyLock::new(|| with_secret(77));
static ROTATED: LazyLock<(MasterPublicKey, Scalar)> = LazyLock::new(|| with_secret(78));
/// The header whose roots are replaced.
static HEADER: LazyLock<[u8; HEADER_LEN]> = LazyLock::new(|| {
    let id = TableId { chain: 1, contract: [1; 20], table: [2; 32] };
    let params = TableParams { id, epoch: EPOCH, tier: Tier::SMALLEST, suite: TableSuite::ChaCha20Poly1305 };
    let first = genesis(&params, &MASTER.0, &mut ChaCha20Rng::seed_from_u64(1)).expect("genesis");
    assert_eq!(first.table.header.version(), VERSION);
    first.table.header.to_bytes()
});

#[derive(Arbitrary, Debug)]
struct Input {
    plain: Plain,
    next: Next,
    /// Whether the body is read from a file, which could change between two readings.
    file: bool,
}

#[derive(Arbitrary, Debug)]
enum Next {
    Round(Round),
    Growth,
    /// So many epochs later, and one.
    Epoch(u32),
    /// The same, under another master public key.
    Rotation(u32),
    /// Rounds are half of all.
    OtherRound(Round),
}

impl Next {
    fn update(&self) -> Update<'_> {
        match self {
            Self::Round(Round { boundary, deltas, slots }) | Self::OtherRound(Round { boundary, deltas, slots }) => {
                Update::Round { boundary, deltas, k: *slots, assets: &ASSETS }
            }
            Self::Growth => Update::Growth,
            Self::Epoch(later) => Update::Epoch(Epoch(EPOCH.0 + 1 + u64::from(*later))),
            Self::Rotation(later) => {
                let epoch = Epoch(EPOCH.0 + 1 + u64::from(*later));
                Update::Rotation(Rotation::new(epoch, MASTER.0, ROTATED.0).expect("two keys"))
            }
        }
    }
}

/// The committee, whole, for which the update wraps the data key.
fn holder(update: &Update<'_>) -> &'static (MasterPublicKey, Scalar) {
    if matches!(update, Update::Rotation(_)) { &ROTATED } else { &MASTER }
}

/// The tier after the update.
fn tier_after(update: &Update<'_>) -> Tier {
    if *update == Update::Growth { Tier::SMALLEST.next().expect("a larger tier") } else { Tier::SMALLEST }
}

fn with_secret(secret: u64) -> (MasterPublicKey, Scalar) {
    let secret = Scalar::from(secret);
    (master(&secret), secret)
}

fn key() -> DataKey {
    DataKey::from_opened(&KEY).expect("32 bytes")
}

/// The version whose rows these are.
fn seal(plain: &Plain) -> (Header, Vec<u8>) {
    let mut header = *HEADER;
    let p0 = header.first_chunk().expect("a header is longer than P0");
    let (body, roots) = sealing::seal(&KEY, p0, plain.bytes());
    header[P0_LEN..P1_LEN].copy_from_slice(roots.as_flattened());
    // other roots, so another label, under which the data key is wrapped again
    let label = Header::from_bytes(&header).expect("a header with other roots").wrapped().label().clone();
    let wrapped = Ciphertext::encrypt(&MASTER.0, &label, &KEY, &mut ChaCha20Rng::seed_from_u64(3)).expect("encrypts");
    header[P1_LEN..].copy_from_slice(&wrapped.to_wrapped().expect("a table key"));
    (Header::from_bytes(&header).expect("a header"), body)
}

/// The table reads as the rows that were sealed.
fn assert_read(table: &OpenTable, plain: &Plain) {
    let used = &plain.rows()[1..plain.used()];
    assert_eq!(table.used_rows() as usize, used.len() + 1);
    let balances: Vec<_> = used.iter().filter_map(|row| Row::from_bytes(row).ok()).collect();
    let keys: Vec<_> = balances.iter().map(|row| (row.account, row.asset)).collect();
    assert!(table.find_many(&keys).into_iter().eq(balances.iter().cloned().map(Some)));
    let sealed = used.iter().filter(|row| Row::from_bytes(row).is_ok());
    assert!(balances.iter().map(Row::to_bytes).eq(sealed.copied()));
    for asset in (0..4).map(AssetId) {
        let amounts = balances.iter().filter(|row| row.asset == asset).map(|row| row.amount);
        assert_eq!(table.sum(asset), amounts.fold(0, u128::saturating_add));
    }
    assert_eq!(table.epoch_salt()[..], plain.rows()[0][24..40]);
    assert_eq!(table.result_code().byte(), plain.rows()[0][47]);
}

/// A version that an update made, and how it ended.
struct Made {
    table: SealedTable,
    code: ResultCode,
    boundary: Vec<Result<(), ResultCode>>,
}

/// The update on the sealed table.
fn stream(header: &Header, body: &mut impl ChunkSource, update: &Update<'_>) -> Result<Made, StreamError> {
    let tier = tier_after(update);
    let (mut next, mut sidecar) = (vec![0; body_len(tier)], vec![0; sidecar_len(tier)]);
    let outputs =
        Outputs { body: &mut SliceSink(&mut next), sidecar: &mut SliceSink(&mut sidecar), progress: &mut |_| () };
    let sealed = SealedBody { header, key: &key(), body };
    let made = sealed.apply(update, &holder(update).0, outputs, &mut ChaCha20Rng::seed_from_u64(2))?;
    let table = SealedTable { header: made.header, body: next, sidecar };
    Ok(Made { table, code: made.code, boundary: made.boundary })
}

/// The update on the open table gives the same version.
fn assert_same(open: OpenTable, update: &Update<'_>, made: &Made) {
    let next: Updated = open.apply(update, &holder(update).0, &mut ChaCha20Rng::seed_from_u64(2)).expect("seals");
    assert_eq!((next.code, &next.boundary), (made.code, &made.boundary));
    assert_eq!(next.table.header.to_bytes(), made.table.header.to_bytes());
    assert!(next.table.body == made.table.body, "bodies differ");
    assert!(next.table.sidecar == made.table.sidecar, "sidecars differ");
}

/// The rows of the next version, whose three roots are those that the specification gives.
fn rows_of(made: &Made, status: &[u8], update: &Update<'_>) -> Vec<u8> {
    let header = &made.table.header;
    let (master, secret) = holder(update);
    let key = unwrap(header, master, secret);
    let (rows, roots) = sealing::open(&key, &header.p0(), &made.table.body);
    assert_eq!(roots, [header.body_root(), header.key_commitment(), header.state_root()]);
    Sidecar::parse(&made.table.sidecar, header).expect("leads to the state root");
    assert_eq!(rows[..24], status[..24]);
    // a new epoch has a salt of its own
    assert_eq!(rows[24..40] == status[24..40], !matches!(update, Update::Epoch(_) | Update::Rotation(_)));
    assert_eq!(rows[40..48], u64::from(made.code.byte()).to_be_bytes());
    assert_eq!(rows[48..56], (VERSION + 1).to_be_bytes());
    rows
}

/// The fault of a row; every other error is none that rows can cause.
fn fault(error: StructuralError) -> RowFault {
    match error {
        StructuralError::Row { fault, .. } => fault,
        other => panic!("rows do not cause this: {other}"),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(input) = Input::arbitrary(&mut Unstructured::new(&lengthened(bytes))) else { return };
    let (header, body) = seal(&input.plain);
    let open = OpenTable::open(&header, &body, &key()).map_err(fault);
    assert_eq!(open.as_ref().err().copied(), input.plain.fault());

    let update = input.next.update();
    let made = match input.file {
        true => stream(&header, &mut FileSource::new(Cursor::new(&body)), &update),
        false => stream(&header, &mut &body[..], &update),
    };
    let named = match update {
        Update::Round { boundary, deltas, .. } => plain::named(boundary, deltas),
        Update::Growth | Update::Epoch(_) | Update::Rotation(_) => plain::named(&[], &[]),
    };
    let faults = input.plain.faults_in(&named);
    match made {
        Err(StreamError::Structural(error)) => assert!(faults.contains(&fault(error)) && open.is_err()),
        Err(error) => panic!("no medium fails here: {error}"),
        Ok(made) => {
            assert_eq!(faults, []);
            let rows = rows_of(&made, &input.plain.rows()[0], &update);
            input.plain.assert_kept(&rows, &named);
            assert_eq!(rows.len(), tier_after(&update).rows() * ROW_LEN);
            assert!(rows[input.plain.bytes().len()..].iter().all(|byte| *byte == 0), "growth adds unused rows");
            if let Ok(open) = open {
                assert_read(&open, &input.plain);
                assert_same(open, &update, &made);
            }
        }
    }
});
