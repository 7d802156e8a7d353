//! The few file operations that durability rests on, behind a trait so that every one of them can be made to fail.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A file system as the directory store uses it.
///
/// The real one is [`Disk`]; tests replace it by one that fails, loses what was not synced, or stops half-way.
pub trait FileSystem: Send + Sync {
    /// An open file.
    type File: Send + Sync;
    /// Holds the lock until it is dropped.
    type Lock: Send + Sync;

    /// Makes a directory and its parents, if they are missing.
    ///
    /// # Errors
    /// Those of the medium.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Creates a file, or empties it, for writing and reading.
    ///
    /// # Errors
    /// Those of the medium.
    fn create(&self, path: &Path) -> io::Result<Self::File>;

    /// Opens a file for reading.
    ///
    /// # Errors
    /// Those of the medium.
    fn open(&self, path: &Path) -> io::Result<Self::File>;

    /// A file's bytes.
    ///
    /// # Errors
    /// Those of the medium.
    fn len(&self, file: &Self::File) -> io::Result<u64>;

    /// Fills `bytes` from a place in a file.
    ///
    /// # Errors
    /// Those of the medium, [`io::ErrorKind::UnexpectedEof`].
    fn read_at(&self, file: &Self::File, offset: u64, bytes: &mut [u8]) -> io::Result<()>;

    /// Writes all of `bytes` at a place in a file; what lies before an end that is passed is zero.
    ///
    /// # Errors
    /// Those of the medium; afterwards any part of the bytes may be there.
    fn write_at(&self, file: &Self::File, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes a file's bytes survive a power cut.
    ///
    /// # Errors
    /// Those of the medium; after one of them nothing is known about the bytes.
    fn sync(&self, file: &Self::File) -> io::Result<()>;

    /// Moves a file within the file system, atomically.
    ///
    /// # Errors
    /// Those of the medium.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Makes the names in a directory survive a power cut.
    ///
    /// # Errors
    /// Those of the medium; after one of them nothing is known about the names.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// The whole file, refused where it is longer than `limit` bytes.
    ///
    /// # Errors
    /// Those of the medium, [`io::ErrorKind::FileTooLarge`].
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>>;

    /// Removes a file; an absent one is no error.
    ///
    /// # Errors
    /// Those of the medium.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// The files of a directory.
    ///
    /// # Errors
    /// Those of the medium.
    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>>;

    /// Takes the exclusive lock of a file, made if it is missing; `None` where another holder has it.
    ///
    /// # Errors
    /// Those of the medium.
    fn lock(&self, path: &Path) -> io::Result<Option<Self::Lock>>;
}

/// The operating system's files.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

/// A file of the operating system; the lock keeps a place and what is read or written there together.
#[derive(Debug)]
pub struct DiskFile(Mutex<File>);

impl DiskFile {
    fn new(file: File) -> Self {
        Self(Mutex::new(file))
    }

    /// The place is set anew for each use, so a panic elsewhere does not spoil the file.
    fn file(&self) -> MutexGuard<'_, File> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FileSystem for Disk {
    type File = DiskFile;
    type Lock = File;

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        std::fs::create_dir_all(path)
    }

    fn create(&self, path: &Path) -> io::Result<DiskFile> {
        OpenOptions::new().create(true).truncate(true).read(true).write(true).open(path).map(DiskFile::new)
    }

    fn open(&self, path: &Path) -> io::Result<DiskFile> {
        open_regular(path).map(DiskFile::new)
    }

    fn len(&self, file: &DiskFile) -> io::Result<u64> {
        Ok(file.file().metadata()?.len())
    }

    fn read_at(&self, file: &DiskFile, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let mut file = file.file();
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(bytes)
    }

    fn write_at(&self, file: &DiskFile, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut file = file.file();
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }

    fn sync(&self, file: &DiskFile) -> io::Result<()> {
        file.file().sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![];
        open_regular(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        std::fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect()
    }

    fn lock(&self, path: &Path) -> io::Result<Option<File>> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// Opens a file that holds bytes: a pipe is not waited for.
fn open_regular(path: &Path) -> io::Result<File> {
    if std::fs::metadata(path)?.is_file() {
        return File::open(path);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "no regular file"))
}
