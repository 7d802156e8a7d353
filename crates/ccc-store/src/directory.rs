//! A directory of sealed versions.
//!
//! *Layout*:
//!
//! | path | content |
//! |---|---|
//! | `lock` | empty; locked while the store is open |
//! | `new/` | files that are being written; emptied at opening |
//! | `bodies/<body root>` | the sealed chunks |
//! | `sidecars/<header hash>` | the sidecar |
//! | `versions/<header hash>` | header 435 ‖ BLAKE3 of the sidecar 32; written last, so that it exists only for a complete version |
//! | `heads/<chain>-<contract>-<table>` | header hash 32 ‖ BLAKE3 of it 32 |
//!
//! Every file is written under `new/`, synced, renamed into place, and its directory synced, before the next one is
//! begun. After a failed sync nobody knows what the medium holds, so the store takes no further write until it is
//! opened again; it never repeats a failed sync as if that could have worked.

use crate::files::{Disk, FileSystem};
use ccc_core::table::{
    HEADER_LEN, Header, SealedTable, StoreError, TableId, TableStore, Tier, body_len, body_root, header_hash,
    sidecar_len,
};
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

const DIGEST_LEN: usize = 32;
const MANIFEST_LEN: usize = HEADER_LEN + DIGEST_LEN;
const HINT_LEN: usize = 2 * DIGEST_LEN;
const PARTS: [&str; 5] = ["new", "bodies", "sidecars", "versions", "heads"];

/// Sealed versions in a directory of the local file system.
#[derive(Debug)]
pub struct DirectoryStore<F: FileSystem = Disk> {
    root: PathBuf,
    files: F,
    halted: AtomicBool,
    _lock: F::Lock,
}

impl DirectoryStore<Disk> {
    /// Opens the store in a directory, which is made if it is missing.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another store has it open, [`StoreError::Medium`].
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::open_on(Disk, root)
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
        for leftover in files.list(&root.join("new")).map_err(medium("listing unfinished files"))? {
            files.remove(&leftover).map_err(medium("removing an unfinished file"))?;
        }
        settle_names(&files, &root)?;
        Ok(Self { root, files, halted: AtomicBool::new(false), _lock: lock })
    }

    /// Header hashes of the complete versions, in no order.
    ///
    /// # Errors
    /// [`StoreError::Medium`].
    pub fn versions(&self) -> Result<Vec<[u8; 32]>, StoreError> {
        let listed = self.files.list(&self.root.join("versions")).map_err(medium("listing versions"))?;
        Ok(listed.iter().filter_map(|path| hash_of(path)).collect())
    }

    fn path(&self, part: &str, name: &str) -> PathBuf {
        self.root.join(part).join(name)
    }

    fn check_running(&self) -> Result<(), StoreError> {
        if self.halted.load(Ordering::SeqCst) { Err(StoreError::Halted) } else { Ok(()) }
    }

    /// Write, sync, rename, sync the directory.
    fn keep(&self, part: &str, name: &str, bytes: &[&[u8]]) -> Result<(), StoreError> {
        let new = self.path("new", &format!("{part}-{name}"));
        let kept = self.write(&new, bytes).and_then(|()| {
            self.files.rename(&new, &self.path(part, name)).map_err(medium("renaming a file into place"))
        });
        if kept.is_err() {
            // best effort: what is left under new/ is removed at the next opening
            let _ = self.files.remove(&new);
        }
        kept?;
        self.files.sync_dir(&self.root.join(part)).map_err(self.halting("syncing a directory"))
    }

    fn write(&self, path: &Path, bytes: &[&[u8]]) -> Result<(), StoreError> {
        let mut file = self.files.create(path).map_err(medium("creating a file"))?;
        for bytes in bytes {
            file.write_all(bytes).map_err(medium("writing a file"))?;
        }
        file.flush().map_err(medium("writing a file"))?;
        self.files.sync(&file).map_err(self.halting("syncing a file"))
    }

    fn halting(&self, operation: &'static str) -> impl Fn(io::Error) -> StoreError {
        move |source| {
            self.halted.store(true, Ordering::SeqCst);
            medium(operation)(source)
        }
    }

    /// A file's bytes; `None` where it is absent or longer than it may be.
    fn read(&self, part: &str, name: &str, limit: usize) -> Result<Option<Vec<u8>>, StoreError> {
        match self.files.read(&self.path(part, name), limit as u64) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Ok(Some(vec![])),
            Err(error) => Err(medium("reading a file")(error)),
        }
    }

    /// The header of a complete version and the digest of its sidecar.
    fn manifest(&self, hash: &[u8; 32]) -> Result<(Header, [u8; DIGEST_LEN]), StoreError> {
        let bytes = self.read("versions", &hex::encode(hash), MANIFEST_LEN)?;
        let bytes = bytes.ok_or(StoreError::Missing { header_hash: *hash })?;
        let altered = || StoreError::Corrupt { header_hash: *hash, part: "manifest" };
        let (header, digest) = bytes.split_at_checked(HEADER_LEN).ok_or_else(altered)?;
        let digest = digest.try_into().map_err(|_| altered())?;
        if header_hash(header) != *hash {
            return Err(StoreError::Corrupt { header_hash: *hash, part: "header" });
        }
        Ok((Header::from_bytes(header).map_err(|_| altered())?, digest))
    }

    fn part(&self, hash: &[u8; 32], part: &'static str, name: &str, limit: usize) -> Result<Vec<u8>, StoreError> {
        self.read(part, name, limit)?.ok_or(StoreError::Missing { header_hash: *hash })
    }
}

impl<F: FileSystem> TableStore for DirectoryStore<F> {
    fn put(&self, table: &SealedTable) -> Result<(), StoreError> {
        self.check_running()?;
        let SealedTable { header, body, sidecar } = table;
        let hash = header.hash();
        if self.get(&hash).is_ok() {
            return Ok(());
        }
        let name = hex::encode(hash);
        self.keep("bodies", &hex::encode(header.body_root()), &[body])?;
        self.keep("sidecars", &name, &[sidecar])?;
        self.keep("versions", &name, &[&header.to_bytes(), blake3::hash(sidecar).as_bytes()])
    }

    fn get(&self, hash: &[u8; 32]) -> Result<SealedTable, StoreError> {
        let (header, digest) = self.manifest(hash)?;
        let tier: Tier = header.tier();
        let body = self.part(hash, "bodies", &hex::encode(header.body_root()), body_len(tier))?;
        if body_root(&body) != header.body_root() {
            return Err(StoreError::Corrupt { header_hash: *hash, part: "body" });
        }
        let sidecar = self.part(hash, "sidecars", &hex::encode(hash), sidecar_len(tier))?;
        if *blake3::hash(&sidecar).as_bytes() != digest {
            return Err(StoreError::Corrupt { header_hash: *hash, part: "sidecar" });
        }
        Ok(SealedTable { header, body, sidecar })
    }

    fn set_head_hint(&self, table: &TableId, hash: &[u8; 32]) -> Result<(), StoreError> {
        self.check_running()?;
        self.keep("heads", &table_name(table), &[hash, blake3::hash(hash).as_bytes()])
    }

    fn head_hint(&self, table: &TableId) -> Result<Option<[u8; 32]>, StoreError> {
        let Some(bytes) = self.read("heads", &table_name(table), HINT_LEN)? else { return Ok(None) };
        let (hash, digest) =
            bytes.split_first_chunk::<DIGEST_LEN>().ok_or(StoreError::Malformed { what: "head hint" })?;
        if blake3::hash(hash).as_bytes() != digest {
            return Err(StoreError::Malformed { what: "head hint" });
        }
        Ok(Some(*hash))
    }

    fn remove(&self, hash: &[u8; 32]) -> Result<(), StoreError> {
        self.check_running()?;
        let body = match self.manifest(hash) {
            Ok((header, _)) => Some(hex::encode(header.body_root())),
            Err(StoreError::Missing { .. } | StoreError::Corrupt { .. }) => None,
            Err(error) => return Err(error),
        };
        let name = hex::encode(hash);
        // the manifest goes first and for good: what is left after a cut is no version any more
        self.files.remove(&self.path("versions", &name)).map_err(medium("removing a version"))?;
        self.files.sync_dir(&self.root.join("versions")).map_err(self.halting("syncing a directory"))?;
        self.files.remove(&self.path("sidecars", &name)).map_err(medium("removing a sidecar"))?;
        body.map_or(Ok(()), |body| self.files.remove(&self.path("bodies", &body))).map_err(medium("removing a body"))
    }
}

/// Syncs every directory: a name that an earlier process left without a sync is durable before anything relies on it.
/// The bytes behind a name were synced before it was given.
fn settle_names(files: &impl FileSystem, root: &Path) -> Result<(), StoreError> {
    let parent = root.parent().map_or(Path::new("."), |p| if p.as_os_str().is_empty() { Path::new(".") } else { p });
    let parts = PARTS.iter().map(|part| root.join(part));
    for directory in parts.chain([root.to_owned(), parent.to_owned()]) {
        files.sync_dir(&directory).map_err(medium("syncing the store's directories"))?;
    }
    Ok(())
}

fn medium(operation: &'static str) -> impl Fn(io::Error) -> StoreError {
    move |source| StoreError::Medium { operation, source: Box::new(source) }
}

fn hash_of(path: &Path) -> Option<[u8; 32]> {
    hex::decode(path.file_name()?.to_str()?).ok()?.try_into().ok()
}

fn table_name(table: &TableId) -> String {
    format!("{}-{}-{}", table.chain, hex::encode(table.contract), hex::encode(table.table))
}
