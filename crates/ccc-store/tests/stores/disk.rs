//! A disk with a cache, which fails when it is told to.

use crate::media::{Faulty, Medium, Strikes};
use ccc_core::table::{StoreError, TableStore};
use ccc_store::{DirectoryStore, FileSystem};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

/// What a disk writes at once, or not at all.
pub(crate) const SECTOR: usize = 512;

#[derive(Clone, Default)]
struct Inode {
    cached: Vec<u8>,
    durable: Vec<u8>,
}

#[derive(Default)]
struct State {
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    directories: BTreeSet<PathBuf>,
    durable_directories: BTreeSet<PathBuf>,
    locked: bool,
    strikes: Strikes,
    read_only: bool,
}

impl State {
    fn require_parent(&self, path: &Path) -> io::Result<()> {
        let there = path.parent().is_some_and(|parent| self.directories.contains(parent));
        if there { Ok(()) } else { Err(ErrorKind::NotFound.into()) }
    }

    /// A directory that goes takes with it what is in it.
    fn cut_directories(&mut self, survives: &mut impl FnMut() -> bool) {
        let mut left = BTreeSet::from([PathBuf::from("/")]);
        // a directory comes after the one that it is in
        for name in &self.directories {
            let held = name.parent().is_some_and(|parent| left.contains(parent));
            if held && (self.durable_directories.contains(name) || survives()) {
                left.insert(name.clone());
            }
        }
        for names in [&mut self.names, &mut self.durable_names] {
            names.retain(|name, _| name.parent().is_some_and(|parent| left.contains(parent)));
        }
        self.durable_directories.clone_from(&left);
        self.directories = left;
    }

    /// Counts an operation and fails it if its turn has come.
    fn operate(&mut self, writes: bool) -> io::Result<()> {
        let outcome = self.strikes.operate();
        if writes && self.read_only { Err(ErrorKind::ReadOnlyFilesystem.into()) } else { outcome }
    }
}

/// Where the store lies: no directory of it is there before the store is made.
pub(crate) const ROOT: &str = "/srv/tables/store";

/// Bytes survive a cut after a sync of their file, names of files and directories after a sync of their directory.
#[derive(Clone, Default)]
pub(crate) struct SimulatedDisk(Arc<Mutex<State>>);

pub(crate) struct SimulatedFile(usize);

pub(crate) struct SimulatedLock(SimulatedDisk);

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        self.0.state().locked = false;
    }
}

impl SimulatedDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics while it holds the disk")
    }

    fn operate(&self, writes: bool) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        state.operate(writes)?;
        Ok(state)
    }

    /// A file as it would be after a cut; for tests of what an older release left.
    pub(crate) fn forget_file(&self, path: &str) {
        let mut state = self.state();
        state.names.remove(Path::new(path));
        state.durable_names.remove(Path::new(path));
    }
}

impl FileSystem for SimulatedDisk {
    type File = SimulatedFile;
    type Lock = SimulatedLock;

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.operate(true)?.directories.extend(path.ancestors().map(Path::to_owned));
        Ok(())
    }

    fn create(&self, path: &Path) -> io::Result<SimulatedFile> {
        let mut state = self.operate(true)?;
        state.require_parent(path)?;
        let inode = state.inodes.len();
        state.inodes.push(Inode::default());
        state.names.insert(path.to_owned(), inode);
        Ok(SimulatedFile(inode))
    }

    fn open(&self, path: &Path) -> io::Result<SimulatedFile> {
        let state = self.operate(false)?;
        state.names.get(path).map(|inode| SimulatedFile(*inode)).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn len(&self, file: &SimulatedFile) -> io::Result<u64> {
        Ok(self.operate(false)?.inodes[file.0].cached.len() as u64)
    }

    fn read_at(&self, file: &SimulatedFile, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let state = self.operate(false)?;
        let offset = usize::try_from(offset).expect("small");
        let found = state.inodes[file.0].cached.get(offset..offset + bytes.len());
        bytes.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, file: &SimulatedFile, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        // a failing write leaves half of the bytes behind, as a full disk does
        let failed = state.operate(true);
        let written = if failed.is_ok() { bytes } else { &bytes[..bytes.len() / 2] };
        overwrite(&mut state.inodes[file.0].cached, usize::try_from(offset).expect("small"), written);
        failed
    }

    fn sync(&self, file: &SimulatedFile) -> io::Result<()> {
        let mut state = self.operate(true)?;
        let inode = &mut state.inodes[file.0];
        inode.durable = inode.cached.clone();
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.operate(true)?;
        state.require_parent(to)?;
        let inode = state.names.remove(from).ok_or(ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), inode);
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.operate(true)?;
        let State { names, durable_names, directories, durable_directories, .. } = &mut *state;
        durable_directories.extend(directories.iter().filter(|name| name.parent() == Some(path)).cloned());
        durable_names.retain(|name, _| name.parent() != Some(path));
        durable_names
            .extend(names.iter().filter(|(name, _)| name.parent() == Some(path)).map(|(n, i)| (n.clone(), *i)));
        Ok(())
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let state = self.operate(false)?;
        let inode = *state.names.get(path).ok_or(ErrorKind::NotFound)?;
        let bytes = state.inodes[inode].cached.clone();
        if bytes.len() as u64 > limit { Err(ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.operate(true)?.names.remove(path);
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let state = self.operate(false)?;
        Ok(state.names.keys().filter(|name| name.parent() == Some(path)).cloned().collect())
    }

    fn lock(&self, path: &Path) -> io::Result<Option<SimulatedLock>> {
        let mut state = self.operate(true)?;
        state.require_parent(path)?;
        let free = !std::mem::replace(&mut state.locked, true);
        Ok(free.then(|| SimulatedLock(self.clone())))
    }
}

impl Medium for SimulatedDisk {
    fn open(&self) -> Result<Box<dyn TableStore + '_>, StoreError> {
        Ok(Box::new(DirectoryStore::open_on(self.clone(), ROOT)?))
    }
}

impl Faulty for SimulatedDisk {
    fn strikes<R>(&self, change: impl FnOnce(&mut Strikes) -> R) -> R {
        change(&mut self.state().strikes)
    }

    fn set_read_only(&self, read_only: bool) {
        self.state().read_only = read_only;
    }

    fn cut(&self, seed: u64) {
        let mut survives = survival(seed);
        let mut state = self.state();
        let State { inodes, names, durable_names, .. } = &mut *state;
        for Inode { cached, durable } in inodes {
            overwrite_some(durable, 0, cached, &mut survives);
            *cached = durable.clone();
        }
        let touched: BTreeSet<_> = names.keys().chain(durable_names.keys()).cloned().collect();
        for name in touched.into_iter().filter(|_| survives()) {
            match names.get(&name) {
                Some(inode) => _ = durable_names.insert(name, *inode),
                None => _ = durable_names.remove(&name),
            }
        }
        *names = durable_names.clone();
        state.cut_directories(&mut survives);
    }
}

/// Whether the next unsynced thing survives a cut: never for seed zero, else as likely as not.
pub(crate) fn survival(seed: u64) -> impl FnMut() -> bool {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    move || seed != 0 && rng.next_u32() % 2 == 1
}

/// Writes, making the bytes longer where it must.
pub(crate) fn overwrite(bytes: &mut Vec<u8>, offset: usize, with: &[u8]) {
    bytes.resize(bytes.len().max(offset + with.len()), 0);
    bytes[offset..offset + with.len()].copy_from_slice(with);
}

/// Writes those sectors that survive.
pub(crate) fn overwrite_some(bytes: &mut Vec<u8>, offset: usize, with: &[u8], survives: &mut impl FnMut() -> bool) {
    let mut at = 0;
    while at < with.len() {
        let end = with.len().min(at + SECTOR - (offset + at) % SECTOR);
        if survives() {
            overwrite(bytes, offset + at, &with[at..end]);
        }
        at = end;
    }
}
