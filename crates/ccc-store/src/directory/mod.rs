//! A directory of sealed versions.
//!
//! *Layout*:
//!
//! | path | content |
//! |---|---|
//! | `format` | the format's number in decimal, here 2; a directory without it is of the release before the number |
//! | `lock` | empty; locked while the store is open |
//! | `new/` | files that are being written; emptied at opening |
//! | `bodies/<body root>` | the sealed chunks |
//! | `sidecars/<BLAKE3 of it>` | the sidecar; in format 1 `sidecars/<header hash>`, which is still read |
//! | `versions/<header hash>` | header 435 ‖ BLAKE3 of the sidecar 32 ‖ BLAKE3 of both 32, which format 1 has not; written last, so that it exists only for a complete version |
//! | `heads/<chain>-<contract>-<table>` | header hash 32 ‖ BLAKE3 of it 32 |
//!
//! Every file is written under `new/`, synced, renamed into place, and its directory synced, before the next one is
//! begun. Nothing that a manifest names is ever written over, so that a version whose sidecar is replaced has the former
//! or the new one at every instant. After a failed sync nobody knows what the medium holds, so the store takes no further write until it is
//! opened again; it never repeats a failed sync as if that could have worked.

mod reader;
mod record;
mod writer;

use crate::{
    files::{Disk, FileSystem},
    record::{HINT_LEN, hash_of, hint_bytes, read_hint, table_name},
};
use ccc_core::table::{Header, Part, StoreError, TableId, TableStore, Tier, VersionReader, VersionWriter, part_digest};
use reader::DirectoryReader;
use record::Record;
use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};
use writer::DirectoryWriter;

const PARTS: [&str; 5] = ["new", "bodies", "sidecars", "versions", "heads"];
const FORMAT_FILE: &str = "format";
/// The format of this release, as its file says it.
const FORMAT: u64 = 2;
/// The oldest format that is read.
const OLDEST: u64 = 1;
/// No number that is written in decimal is longer.
const FORMAT_LIMIT: u64 = 21;

/// Sealed versions in a directory of the local file system.
#[derive(Debug)]
pub struct DirectoryStore<F: FileSystem = Disk> {
    root: PathBuf,
    files: F,
    halted: AtomicBool,
    drafts: AtomicU64,
    /// What whoever may write holds; nothing where the store was opened for reading.
    lock: Option<F::Lock>,
}

impl DirectoryStore<Disk> {
    /// Opens the store in a directory, which is made if it is missing.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another store has it open, [`StoreError::Medium`].
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::open_on(Disk, root)
    }

    /// Opens the store in a directory for reading alone: a backup, or a medium that takes no write. Nothing is made,
    /// locked or removed there, and every write is refused.
    ///
    /// # Errors
    /// [`StoreError::Format`], [`StoreError::Malformed`]; [`StoreError::Medium`], also where the directory is no store.
    pub fn open_to_read(root: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::open_to_read_on(Disk, root)
    }
}

impl<F: FileSystem> DirectoryStore<F> {
    /// [`DirectoryStore::open`] on another file system.
    ///
    /// # Errors
    /// As there.
    pub fn open_on(files: F, root: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let root = root.into();
        for part in PARTS {
            files.create_dir(&root.join(part)).map_err(medium("making the store's directories"))?;
        }
        let lock = files.lock(&root.join("lock")).map_err(medium("locking the store"))?.ok_or(StoreError::Locked)?;
        let store = Self::new(files, root, Some(lock));
        store.settle()?;
        Ok(store)
    }

    /// [`DirectoryStore::open_to_read`] on another file system.
    ///
    /// # Errors
    /// As there.
    pub fn open_to_read_on(files: F, root: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let store = Self::new(files, root.into(), None);
        store.known_format()?;
        store.versions()?;
        Ok(store)
    }

    fn new(files: F, root: PathBuf, lock: Option<F::Lock>) -> Self {
        Self { root, files, halted: AtomicBool::new(false), drafts: AtomicU64::new(0), lock }
    }

    /// What an earlier process left: unfinished files go, and what no version names, names become durable, an older format is marked as this one.
    fn settle(&self) -> Result<(), StoreError> {
        let Self { files, root, .. } = self;
        let found = self.known_format()?;
        for leftover in files.list(&root.join("new")).map_err(medium("listing unfinished files"))? {
            files.remove(&leftover).map_err(medium("removing an unfinished file"))?;
        }
        settle_names(files, root)?;
        self.sweep()?;
        // what an older format left is read as it is; before the first file of this one, the number keeps an older release
        // away
        if found == Some(FORMAT) { Ok(()) } else { self.keep("", FORMAT_FILE, FORMAT.to_string().as_bytes()) }
    }

    /// Removes bodies and sidecars that no version names: a write or a removal that was cut left them. Nothing goes while
    /// a manifest cannot be read, since nobody knows what it names.
    fn sweep(&self) -> Result<(), StoreError> {
        let Some(records) = self.records()? else { return Ok(()) };
        let bodies = records.iter().map(|record| record.manifest.header.body_root()).collect();
        let sidecars = records.iter().flat_map(Record::sidecars).collect();
        self.sweep_part("bodies", &bodies)?;
        self.sweep_part("sidecars", &sidecars)
    }

    fn sweep_part(&self, part: &str, named: &BTreeSet<[u8; 32]>) -> Result<(), StoreError> {
        for path in self.files.list(&self.root.join(part)).map_err(medium("listing files"))? {
            let hash = path.file_name().and_then(|name| hash_of(name.to_str()?));
            if hash.is_some_and(|hash| !named.contains(&hash)) {
                self.files.remove(&path).map_err(medium("removing a file that no version names"))?;
            }
        }
        Ok(())
    }

    /// The number in the format file; `None` where there is none.
    fn format(&self) -> Result<Option<u64>, StoreError> {
        let Some(bytes) = self.read("", FORMAT_FILE, FORMAT_LIMIT)? else { return Ok(None) };
        let number = std::str::from_utf8(&bytes).ok().and_then(|text| text.trim_end().parse().ok());
        number.map(Some).ok_or(StoreError::Malformed { what: "format file" })
    }

    /// [`Self::format`], if this release reads it.
    fn known_format(&self) -> Result<Option<u64>, StoreError> {
        match self.format()? {
            Some(found) if !(OLDEST..=FORMAT).contains(&found) => Err(StoreError::Format { expected: FORMAT, found }),
            known => Ok(known),
        }
    }

    fn path(&self, part: &str, name: &str) -> PathBuf {
        self.root.join(part).join(name)
    }

    /// Whether the store takes a write.
    fn check_running(&self) -> Result<(), StoreError> {
        if self.lock.is_none() {
            let refused = medium("writing to a store that was opened for reading");
            return Err(refused(io::ErrorKind::ReadOnlyFilesystem.into()));
        }
        if self.halted.load(Ordering::SeqCst) { Err(StoreError::Halted) } else { Ok(()) }
    }

    /// Write, sync, rename, sync the directory.
    fn keep(&self, part: &str, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let new = self.path("new", &format!("{part}-{name}"));
        let kept = self.write(&new, bytes).and_then(|()| self.rename(&new, part, name));
        if kept.is_err() {
            // best effort: what is left under new/ is removed at the next opening
            let _ = self.files.remove(&new);
        }
        kept
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let file = self.files.create(path).map_err(medium("creating a file"))?;
        self.files.write_at(&file, 0, bytes).map_err(medium("writing a file"))?;
        self.files.sync(&file).map_err(self.halting("syncing a file"))
    }

    /// Gives a synced file its name, durably.
    fn rename(&self, new: &Path, part: &str, name: &str) -> Result<(), StoreError> {
        self.files.rename(new, &self.path(part, name)).map_err(medium("renaming a file into place"))?;
        self.files.sync_dir(&self.root.join(part)).map_err(self.halting("syncing a directory"))
    }

    fn halting(&self, operation: &'static str) -> impl Fn(io::Error) -> StoreError {
        move |source| {
            self.halted.store(true, Ordering::SeqCst);
            medium(operation)(source)
        }
    }

    /// A file's bytes; `None` where it is absent, empty where it is longer than it may be.
    fn read(&self, part: &str, name: &str, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        match self.files.read(&self.path(part, name), limit) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Ok(Some(vec![])),
            Err(error) => Err(medium("reading a file")(error)),
        }
    }

    fn remove_file(&self, part: &str, name: &str) -> Result<(), StoreError> {
        self.files.remove(&self.path(part, name)).map_err(medium("removing a file"))
    }

    /// Every manifest; `None` where one of them cannot be read, so that nobody knows what it names.
    fn records(&self) -> Result<Option<Vec<Record>>, StoreError> {
        let mut found = vec![];
        for hash in self.versions()? {
            match self.record(&hash) {
                Ok(record) => found.push(record),
                Err(StoreError::Corrupt { .. }) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(Some(found))
    }

    /// The header of a version and the digest of its sidecar.
    fn record(&self, hash: &[u8; 32]) -> Result<Record, StoreError> {
        let bytes = self.read("versions", &hex::encode(hash), Record::LEN as u64)?;
        let record = Record::read(&bytes.ok_or(StoreError::Missing { header_hash: *hash })?, hash)?;
        let [content, former] = record.sidecars();
        if record.is_former() && self.has_sidecar(&content)? && !self.has_sidecar(&former)? {
            // this format's manifest without its digest: format 1 names no sidecar by its content
            return Err(StoreError::Corrupt { header_hash: *hash, part: "manifest" });
        }
        Ok(record)
    }

    /// The digest of what lies where format 1 keeps the sidecar of a version; `None` where it cannot be read.
    fn former_sidecar_digest(&self, record: &Record) -> Result<Option<[u8; 32]>, StoreError> {
        let header = &record.manifest.header;
        let file = match self.files.open(&self.path("sidecars", &hex::encode(record.sidecar()))) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(medium("opening a file"))?,
        };
        let read =
            |offset, bytes: &mut [u8]| self.files.read_at(&file, offset, bytes).map_err(medium("reading a file"));
        Ok(part_digest(Part::Sidecar, header.tier(), read).ok())
    }

    fn has_sidecar(&self, name: &[u8; 32]) -> Result<bool, StoreError> {
        match self.files.open(&self.path("sidecars", &hex::encode(name))) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(medium("opening a file")(error)),
        }
    }
}

impl<F: FileSystem> TableStore for DirectoryStore<F> {
    fn writer(&self, tier: Tier) -> Result<Box<dyn VersionWriter + '_>, StoreError> {
        self.check_running()?;
        Ok(Box::new(DirectoryWriter::new(self, tier)?))
    }

    fn reader(&self, hash: &[u8; 32]) -> Result<Box<dyn VersionReader + '_>, StoreError> {
        Ok(Box::new(DirectoryReader::new(self, *hash)?))
    }

    fn header(&self, hash: &[u8; 32]) -> Result<Header, StoreError> {
        Ok(self.record(hash)?.manifest.header)
    }

    fn sidecar_digest(&self, hash: &[u8; 32]) -> Result<Option<[u8; 32]>, StoreError> {
        let record = self.record(hash)?;
        let digest = record.manifest.sidecar_digest;
        // a manifest of format 1 is not compared with a digest of its own: its word counts where the sidecar bears it out
        let told = !record.is_former() || self.former_sidecar_digest(&record)? == Some(digest);
        Ok(told.then_some(digest))
    }

    fn versions(&self) -> Result<Vec<[u8; 32]>, StoreError> {
        let listed = self.files.list(&self.root.join("versions")).map_err(medium("listing versions"))?;
        Ok(listed.iter().filter_map(|path| hash_of(path.file_name()?.to_str()?)).collect())
    }

    fn set_head_hint(&self, table: &TableId, hash: &[u8; 32]) -> Result<(), StoreError> {
        self.check_running()?;
        self.keep("heads", &table_name(table), &hint_bytes(hash))
    }

    fn head_hint(&self, table: &TableId) -> Result<Option<[u8; 32]>, StoreError> {
        self.read("heads", &table_name(table), HINT_LEN as u64)?.map(|bytes| read_hint(&bytes)).transpose()
    }

    fn remove(&self, hash: &[u8; 32]) -> Result<(), StoreError> {
        self.check_running()?;
        let record = match self.record(hash) {
            Ok(record) => Some(record),
            Err(StoreError::Missing { .. } | StoreError::Corrupt { .. }) => None,
            Err(error) => return Err(error),
        };
        let name = hex::encode(hash);
        // the manifest goes first and for good: what is left after a cut is no version any more
        self.remove_file("versions", &name)?;
        self.files.sync_dir(&self.root.join("versions")).map_err(self.halting("syncing a directory"))?;
        // the parts of a version whose manifest cannot be read go at an opening
        let Some(record) = record else { return Ok(()) };
        record.sidecars().iter().try_for_each(|name| self.remove_file("sidecars", &hex::encode(name)))?;
        let body = record.manifest.header.body_root();
        // versions share a body of the same content: it goes with the last of them
        let shared =
            self.records()?.is_none_or(|left| left.iter().any(|other| other.manifest.header.body_root() == body));
        if shared { Ok(()) } else { self.remove_file("bodies", &hex::encode(body)) }
    }
}

/// Syncs every directory: a name that an earlier process left without a sync is durable before anything relies on it.
/// The bytes behind a name were synced before it was given.
fn settle_names(files: &impl FileSystem, root: &Path) -> Result<(), StoreError> {
    let syncing = medium("syncing the store's directories");
    let parts = PARTS.iter().map(|part| root.join(part));
    parts.chain([root.to_owned()]).try_for_each(|part| files.sync_dir(&part)).map_err(&syncing)?;
    // the store's own name, and those of directories that were made for it
    for (height, above) in root.ancestors().enumerate().skip(1) {
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        match files.sync_dir(above) {
            Err(error) if holds_no_new_name(height, error.kind()) => {}
            outcome => outcome.map_err(&syncing)?,
        }
    }
    Ok(())
}

/// Whether a directory that cannot be synced is one in which nothing was made for the store: one on a read-only file
/// system or, above the store's parent, one that may not be read or whose file system syncs no directories.
fn holds_no_new_name(height: usize, kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, ReadOnlyFilesystem, Unsupported};
    kind == ReadOnlyFilesystem || (height > 1 && matches!(kind, PermissionDenied | InvalidInput | Unsupported))
}

fn medium(operation: &'static str) -> impl Fn(io::Error) -> StoreError {
    move |source| StoreError::Medium { operation, source: Box::new(source) }
}
