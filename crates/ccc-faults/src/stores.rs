//! Table versions on a disk that loses its power, runs full or fails, and writers that are killed.
//!
//! The simulated disk is that of the tests of `ccc-store`: bytes survive a cut after a sync of their file, names after a sync
//! of their directory.

use crate::{
    common::{ID, Versions, two_versions},
    disk::SimulatedDisk,
    media::{Fault, Faulty, Medium, assert_old_or_new, prepare, put_both},
    table::{Extent, Failure, Measured, Row, require},
};
use ccc_core::table::{HEADER_LEN, Header, SealedTable, StoreError, TableStore, body_len};
use ccc_store::DirectoryStore;
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use std::{
    fs,
    io::{self, BufRead, BufReader, ErrorKind, Write},
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// The rows of this room.
pub const ROWS: &[Row] = &[
    Row {
        name: "store-power",
        fault: "power cut at every operation of a table write, and again after the next write",
        goal: "no acknowledged version lost, none unreadable",
        run: power,
    },
    Row {
        name: "store-full",
        fault: "disk full, EIO and read-only at every operation of a table write: write, fsync, rename",
        goal: "typed error, old versions readable, goes on once freed and opened again",
        run: full,
    },
    Row {
        name: "store-kills",
        fault: "kill -9 of a process at a random instant of its opening or its table writes, again and again on one directory",
        goal: "no acknowledged version lost, none unreadable",
        run: kills,
    },
];

fn missed(why: impl Into<String>) -> Failure {
    Failure::Missed(why.into())
}

fn power(extent: &Extent) -> Result<Measured, Failure> {
    let pair = two_versions(extent.seed);
    let (mut cuts, survivors) = (0, if extent.deep { 64 } else { 4 });
    for at in 0.. {
        let mut acknowledged = false;
        for seed in 0..survivors {
            acknowledged = cut_at(&pair, at, seed)?;
            cuts += 2;
        }
        if acknowledged {
            break;
        }
    }
    Ok(Measured { figures: format!("{cuts} cuts, 0 lost, 0 unreadable"), took: None })
}

/// One write that is cut at an operation, and one more cut after the reopening; whether the write was acknowledged.
fn cut_at((first, second): &(SealedTable, SealedTable), at: usize, seed: u64) -> Result<bool, Failure> {
    let disk = SimulatedDisk::default();
    prepare(&disk, first);
    let store = disk.open().map_err(|error| missed(error.to_string()))?;
    disk.strike(at, Fault::PowerCut);
    let acknowledged = put_both(&*store, second).is_ok();
    drop(store);
    disk.heal();
    disk.cut(seed);
    let store = disk.open().map_err(|error| missed(format!("operation {at}: after the cut {error}")))?;
    let kept = assert_old_or_new(&*store, first, second);
    require(kept || !acknowledged, || format!("operation {at}, seed {seed}: an acknowledged version is gone"))?;
    put_both(&*store, second).map_err(|error| missed(format!("operation {at}: a write after the cut: {error}")))?;
    drop(store);
    disk.cut(seed);
    let store = disk.open().map_err(|error| missed(format!("operation {at}: after the second cut {error}")))?;
    require(assert_old_or_new(&*store, first, second), || format!("operation {at}: gone after a second cut"))?;
    Ok(acknowledged)
}

fn full(extent: &Extent) -> Result<Measured, Failure> {
    let pair = two_versions(extent.seed);
    let mut refused = 0;
    for kind in [ErrorKind::StorageFull, ErrorKind::Other] {
        for at in 0.. {
            match fail_at(&pair, at, kind)? {
                Struck::Refused => refused += 1,
                Struck::Survived => {}
                Struck::Beyond => break,
            }
        }
    }
    read_only(&pair)?;
    require(refused > 10, || format!("{refused} writes refused: too few operations were struck"))?;
    Ok(Measured {
        figures: format!(
            "{refused} writes refused by type, 0 lost, each done once freed and opened again; read-only too"
        ),
        took: None,
    })
}

enum Struck {
    Refused,
    /// An operation that the write does without.
    Survived,
    /// The write was over before.
    Beyond,
}

fn fail_at((first, second): &(SealedTable, SealedTable), at: usize, kind: ErrorKind) -> Result<Struck, Failure> {
    let disk = SimulatedDisk::default();
    prepare(&disk, first);
    let store = disk.open().map_err(|error| missed(error.to_string()))?;
    disk.strike(at, Fault::Fails(kind));
    let put = put_both(&*store, second);
    if !disk.was_struck() {
        return Ok(Struck::Beyond);
    }
    disk.heal();
    let kept = assert_old_or_new(&*store, first, second);
    require(kept || put.is_err(), || format!("operation {at}, {kind}: acknowledged and not there"))?;
    let typed = matches!(put, Ok(()) | Err(StoreError::Medium { .. } | StoreError::Halted));
    require(typed, || format!("operation {at}, {kind}: {put:?}"))?;
    drop(store);
    // after a failed sync the store halts until it is opened again
    let store = disk.open().map_err(|error| missed(format!("operation {at}, {kind}: {error}")))?;
    put_both(&*store, second).map_err(|error| missed(format!("operation {at}, {kind}: once freed {error}")))?;
    require(assert_old_or_new(&*store, first, second), || format!("operation {at}, {kind}: not kept once freed"))?;
    Ok(if put.is_err() { Struck::Refused } else { Struck::Survived })
}

fn read_only((first, second): &(SealedTable, SealedTable)) -> Result<(), Failure> {
    let disk = SimulatedDisk::default();
    prepare(&disk, first);
    let store = disk.open().map_err(|error| missed(error.to_string()))?;
    disk.set_read_only(true);
    let put = put_both(&*store, second);
    require(matches!(put, Err(StoreError::Medium { .. })), || format!("on a read-only disk: {put:?}"))?;
    require(store.get(&first.header.hash()).is_ok(), || "unreadable on a read-only disk".to_owned())?;
    disk.set_read_only(false);
    drop(store);
    let store = disk.open().map_err(|error| missed(error.to_string()))?;
    put_both(&*store, second).map_err(|error| missed(format!("writable again: {error}")))
}

/// Versions that one directory takes before a new one begins.
const VERSIONS: usize = 60;
/// How many are killed in the long run, and for how long in the quick one.
const DEEP_ROUNDS: u64 = 10_000;
const QUICK: Duration = Duration::from_secs(6);
/// Versions of the same table whoever writes them.
const HISTORY: u64 = 11;

/// What the process does that is killed: it goes on from the version that the directory's hint names.
///
/// # Errors
/// What the store says.
pub fn write(directory: &Path, history: &Path) -> Result<(), WriteError> {
    let store = DirectoryStore::open(directory)?;
    let mut out = std::io::stdout();
    for index in held(&store)?..VERSIONS {
        put_both(&store, &sealed(&fs::read(history.join(index.to_string()))?)?)?;
        writeln!(out, "acknowledged {index};")?;
    }
    Ok(())
}

/// Why a writer stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The store.
    #[error(transparent)]
    Store(#[from] ccc_core::table::StoreError),
    /// The sealed versions, or whoever reads what is acknowledged.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A version as the row left it for its writers: header, body, sidecar.
fn sealed(bytes: &[u8]) -> io::Result<SealedTable> {
    let wrong = || io::Error::new(ErrorKind::InvalidData, "not a sealed version");
    let (header, parts) = bytes.split_at_checked(HEADER_LEN).ok_or_else(wrong)?;
    let header = Header::from_bytes(header).map_err(|_| wrong())?;
    let (body, sidecar) = parts.split_at_checked(body_len(header.tier())).ok_or_else(wrong)?;
    Ok(SealedTable { body: body.to_vec(), sidecar: sidecar.to_vec(), header })
}

/// The versions that writers write, sealed once: as files for them, and for the row that checks.
fn seal_history(directory: &Path) -> Result<Vec<SealedTable>, Failure> {
    let versions: Vec<_> = Versions::new(HISTORY).take(VERSIONS).collect();
    for (index, SealedTable { header, body, sidecar }) in versions.iter().enumerate() {
        let bytes = [&header.to_bytes()[..], body, sidecar].concat();
        fs::write(directory.join(index.to_string()), bytes).map_err(|error| Failure::NotRun(error.to_string()))?;
    }
    Ok(versions)
}

/// How many versions the hint counts.
fn held(store: &DirectoryStore) -> Result<usize, ccc_core::table::StoreError> {
    let Some(hint) = store.head_hint(&ID)? else { return Ok(0) };
    Ok(usize::try_from(store.header(&hint)?.version()).unwrap_or(usize::MAX))
}

fn kills(extent: &Extent) -> Result<Measured, Failure> {
    let program = std::env::current_exe().map_err(|error| Failure::NotRun(format!("this program: {error}")))?;
    let (sealed, began) = (scratch()?, Instant::now());
    let history = seal_history(sealed.path())?;
    let (mut acknowledged, mut last, mut directory, mut rounds, mut struck) = (0, 0, scratch()?, 0, 0);
    let mut rng = ChaCha20Rng::seed_from_u64(extent.seed);
    while (extent.deep && rounds < DEEP_ROUNDS) || (!extent.deep && began.elapsed() < QUICK) {
        let round = rounds;
        rounds += 1;
        let (written, was_killed) = killed(&program, [directory.path(), sealed.path()], Strike::draw(&mut rng))?;
        struck += u64::from(was_killed);
        acknowledged += written.len();
        let behind = written.last().map_or(last, |index| index + 1);
        let next =
            whole(directory.path(), &history, behind).map_err(|failure| missed(format!("round {round}: {failure}")))?;
        last = next;
        if next >= VERSIONS {
            (directory, last) = (scratch()?, 0);
        }
    }
    require(acknowledged > 0, || "no writer acknowledged anything".to_owned())?;
    require(2 * struck > rounds, || format!("{struck} of {rounds} writers were killed, the others had ended"))?;
    Ok(Measured {
        figures: format!(
            "{struck} of {rounds} writers killed, {acknowledged} versions acknowledged, 0 lost, 0 unreadable"
        ),
        took: None,
    })
}

fn scratch() -> Result<tempfile::TempDir, Failure> {
    tempfile::tempdir().map_err(|error| Failure::NotRun(format!("no directory to write to: {error}")))
}

/// When a writer is killed.
#[derive(Clone, Copy)]
enum Strike {
    /// So long after it was started: while it opens what the last one left, as a rule.
    Opening(Duration),
    /// So long after its first word.
    Writing(Duration),
}

impl Strike {
    fn draw(rng: &mut ChaCha20Rng) -> Self {
        let mut below = |bound: u64| Duration::from_micros(rng.next_u64() % bound);
        if below(2).is_zero() { Self::Opening(below(100_000)) } else { Self::Writing(below(25_000)) }
    }
}

/// Starts a writer and kills it; what it acknowledged, and whether it was still there to be killed.
fn killed(program: &Path, paths: [&Path; 2], strike: Strike) -> Result<(Vec<usize>, bool), Failure> {
    let not_run = |error| Failure::NotRun(format!("a writer: {error}"));
    let mut writer = Command::new(program);
    let mut writer = writer.arg("--writer").args(paths).stdout(Stdio::piped()).spawn().map_err(not_run)?;
    let Some(stdout) = writer.stdout.take() else { return Err(missed("a writer without an output")) };
    let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
    let (first, wait) = match strike {
        Strike::Opening(wait) => (None, wait),
        Strike::Writing(wait) => (lines.by_ref().next(), wait),
    };
    sleep(wait);
    writer.kill().map_err(not_run)?;
    let status = writer.wait().map_err(not_run)?;
    require(status.success() || status.code().is_none(), || format!("a writer stopped by itself with {status}"))?;
    // a line that was cut short has no semicolon
    let index = |line: String| line.strip_prefix("acknowledged ")?.strip_suffix(';')?.parse().ok();
    Ok((first.into_iter().chain(lines).filter_map(index).collect(), status.code().is_none()))
}

/// Everything behind the last acknowledged version is there and what was written, the hint is that version or the one after.
fn whole(directory: &Path, history: &[SealedTable], behind: usize) -> Result<usize, Failure> {
    let store = DirectoryStore::open(directory).map_err(|error| missed(format!("does not open: {error}")))?;
    let next = held(&store).map_err(|error| missed(format!("no hint: {error}")))?;
    require(next == behind || next == behind + 1, || format!("{behind} acknowledged, and the hint counts {next}"))?;
    for (index, table) in history.iter().enumerate().take(next) {
        let found = store.get(&table.header.hash()).map_err(|error| missed(format!("version {index}: {error}")))?;
        require(found.body == table.body && found.sidecar == table.sidecar, || format!("version {index} is another"))?;
    }
    Ok(next)
}
