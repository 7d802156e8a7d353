//! The directory store on a simulated disk: every operation made to fail, power cut after every operation.

mod common;

use ccc_core::table::{SealedTable, StoreError, TableStore};
use ccc_store::{DirectoryStore, FileSystem};
use common::{ID, Versions, assert_same};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    rc::Rc,
};

#[derive(Clone, Default)]
struct Inode {
    cached: Vec<u8>,
    durable: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The operation fails, its effect is absent, later ones work.
    Fails(ErrorKind),
    /// The power goes: this and all later operations fail, and what was not synced is gone.
    PowerCut,
}

#[derive(Default)]
struct State {
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    locked: bool,
    operations: usize,
    fault: Option<(usize, Fault)>,
    read_only: bool,
}

impl State {
    /// Counts an operation and fails it if its turn has come.
    fn operate(&mut self, writes: bool) -> io::Result<()> {
        let turn = self.operations;
        self.operations += 1;
        match self.fault {
            _ if writes && self.read_only => Err(ErrorKind::ReadOnlyFilesystem.into()),
            Some((at, Fault::Fails(kind))) if at == turn => Err(kind.into()),
            Some((at, Fault::PowerCut)) if at <= turn => Err(ErrorKind::BrokenPipe.into()),
            _ => Ok(()),
        }
    }

    fn power_cut(&mut self) {
        self.names = self.durable_names.clone();
        for inode in &mut self.inodes {
            inode.cached = inode.durable.clone();
        }
    }
}

/// A disk with a cache: bytes survive a cut after a sync of their file, names after a sync of their directory.
#[derive(Clone, Default)]
struct SimulatedDisk(Rc<RefCell<State>>);

struct SimulatedFile(SimulatedDisk, usize);

struct SimulatedLock(SimulatedDisk);

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        self.0.0.borrow_mut().locked = false;
    }
}

impl Write for SimulatedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.0.borrow_mut();
        // a failing write leaves half of the bytes behind, as a full disk does
        let failed = state.operate(true);
        let written = if failed.is_ok() { bytes.len() } else { bytes.len() / 2 };
        state.inodes[self.1].cached.extend_from_slice(&bytes[..written]);
        failed.map(|()| written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl FileSystem for SimulatedDisk {
    type File = SimulatedFile;
    type Lock = SimulatedLock;

    fn create_dir(&self, _: &Path) -> io::Result<()> {
        self.0.borrow_mut().operate(true)
    }

    fn create(&self, path: &Path) -> io::Result<SimulatedFile> {
        let mut state = self.0.borrow_mut();
        state.operate(true)?;
        let inode = state.inodes.len();
        state.inodes.push(Inode::default());
        state.names.insert(path.to_owned(), inode);
        Ok(SimulatedFile(self.clone(), inode))
    }

    fn sync(&self, file: &SimulatedFile) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        state.operate(true)?;
        let inode = &mut state.inodes[file.1];
        inode.durable = inode.cached.clone();
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        state.operate(true)?;
        let inode = state.names.remove(from).ok_or(ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), inode);
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        state.operate(true)?;
        let State { names, durable_names, .. } = &mut *state;
        durable_names.retain(|name, _| name.parent() != Some(path));
        durable_names
            .extend(names.iter().filter(|(name, _)| name.parent() == Some(path)).map(|(n, i)| (n.clone(), *i)));
        Ok(())
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let mut state = self.0.borrow_mut();
        state.operate(false)?;
        let inode = *state.names.get(path).ok_or(ErrorKind::NotFound)?;
        let bytes = state.inodes[inode].cached.clone();
        if bytes.len() as u64 > limit { Err(ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        state.operate(true)?;
        state.names.remove(path);
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let mut state = self.0.borrow_mut();
        state.operate(false)?;
        Ok(state.names.keys().filter(|name| name.parent() == Some(path)).cloned().collect())
    }

    fn lock(&self, _: &Path) -> io::Result<Option<SimulatedLock>> {
        let mut state = self.0.borrow_mut();
        state.operate(true)?;
        let free = !std::mem::replace(&mut state.locked, true);
        Ok(free.then(|| SimulatedLock(self.clone())))
    }
}

impl SimulatedDisk {
    fn store(&self) -> DirectoryStore<Self> {
        DirectoryStore::open_on(self.clone(), "/store").expect("opens")
    }

    /// The fault strikes `after` more operations.
    fn strike(&self, after: usize, fault: Fault) {
        let mut state = self.0.borrow_mut();
        state.fault = Some((state.operations + after, fault));
    }

    fn heal(&self) {
        self.0.borrow_mut().fault = None;
    }
}

fn two_versions(seed: u64) -> (SealedTable, SealedTable) {
    let mut versions = Versions::new(seed);
    (versions.next().expect("a version"), versions.next().expect("a version"))
}

/// A disk that holds the first version, and the store on it.
fn prepared(first: &SealedTable) -> (SimulatedDisk, DirectoryStore<SimulatedDisk>) {
    let disk = SimulatedDisk::default();
    let store = disk.store();
    store.put(first).expect("kept");
    store.set_head_hint(&ID, &first.header.hash()).expect("kept");
    (disk, store)
}

fn put_both(store: &DirectoryStore<SimulatedDisk>, table: &SealedTable) -> Result<(), StoreError> {
    store.put(table)?;
    store.set_head_hint(&ID, &table.header.hash())
}

/// The first version is whole; the second is whole or absent; the hint names one of them that is whole.
#[expect(clippy::panic, reason = "the lint's exception covers test functions only, and this serves several")]
fn assert_old_or_new(store: &DirectoryStore<SimulatedDisk>, first: &SealedTable, second: &SealedTable) -> bool {
    assert_same(&store.get(&first.header.hash()).expect("the first version stays"), first);
    let hint = store.head_hint(&ID).expect("read").expect("kept");
    assert!(store.get(&hint).is_ok(), "the hint names a whole version");
    match store.get(&second.header.hash()) {
        Ok(found) => {
            assert_same(&found, second);
            true
        }
        Err(StoreError::Missing { .. }) => false,
        Err(other) => panic!("neither old nor new: {other}"),
    }
}

#[test]
fn n156b_any_failing_operation_leaves_the_previous_version_readable() {
    let (first, second) = two_versions(1);
    for kind in [ErrorKind::StorageFull, ErrorKind::Other] {
        let mut halts = 0;
        for at in 0.. {
            let (disk, store) = prepared(&first);
            disk.strike(at, Fault::Fails(kind));
            let outcome = put_both(&store, &second);
            let struck = disk.0.borrow().operations > disk.0.borrow().fault.map_or(0, |fault| fault.0);
            disk.heal();
            if outcome.is_ok() && !struck {
                assert!(at > 12, "the fault never struck");
                break;
            }
            assert!(matches!(outcome, Ok(()) | Err(StoreError::Medium { .. })), "operation {at}");
            assert_old_or_new(&store, &first, &second);
            match put_both(&store, &second) {
                Ok(()) => assert!(assert_old_or_new(&store, &first, &second)),
                Err(StoreError::Halted) => halts += 1,
                Err(other) => panic!("operation {at}: {other}"),
            }
            drop(store);
            let store = disk.store();
            put_both(&store, &second).expect("kept after opening again");
            assert!(assert_old_or_new(&store, &first, &second));
            drop(store);
            // what is acknowledged after a failed sync is as durable as anything else
            disk.0.borrow_mut().power_cut();
            assert!(assert_old_or_new(&disk.store(), &first, &second));
        }
        // four files, each with a sync of its bytes and one of its directory
        assert_eq!(halts, 8, "every failed sync halts the store, and nothing else does");
    }
}

#[test]
fn n156c_a_power_cut_after_any_operation_leaves_old_or_new() {
    let (first, second) = two_versions(2);
    let mut seen = [false; 2];
    for at in 0.. {
        let (disk, store) = prepared(&first);
        disk.strike(at, Fault::PowerCut);
        let acknowledged = put_both(&store, &second).is_ok();
        drop(store);
        disk.heal();
        disk.0.borrow_mut().power_cut();
        let store = disk.store();
        let kept = assert_old_or_new(&store, &first, &second);
        assert!(kept || !acknowledged, "operation {at}: an acknowledged version is gone");
        seen[usize::from(kept)] = true;
        put_both(&store, &second).expect("kept after the cut");
        drop(store);
        disk.0.borrow_mut().power_cut();
        assert!(assert_old_or_new(&disk.store(), &first, &second), "operation {at}: gone after a second cut");
        if acknowledged {
            break;
        }
    }
    assert_eq!(seen, [true; 2]);
}

#[test]
fn n156c_a_power_cut_while_removing_leaves_no_half_version() {
    let (first, second) = two_versions(3);
    for at in 0.. {
        let (disk, store) = prepared(&first);
        store.put(&second).expect("kept");
        disk.strike(at, Fault::PowerCut);
        let removed = store.remove(&second.header.hash()).is_ok();
        drop(store);
        disk.heal();
        disk.0.borrow_mut().power_cut();
        let kept = assert_old_or_new(&disk.store(), &first, &second);
        assert!(!(kept && removed), "operation {at}");
        if removed {
            break;
        }
    }
}

#[test]
fn n156h_a_read_only_medium_is_a_typed_error_at_opening() {
    let disk = SimulatedDisk::default();
    disk.0.borrow_mut().read_only = true;
    assert!(matches!(DirectoryStore::open_on(disk, "/store"), Err(StoreError::Medium { .. })));
}
