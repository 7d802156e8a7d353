//! The few file operations that durability rests on, behind a trait so that every one of them can be made to fail.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// A file system as the directory store uses it.
///
/// The real one is [`Disk`]; tests replace it by one that fails, loses what was not synced, or stops half-way.
pub trait FileSystem {
    /// A file that was created for writing.
    type File: Write;
    /// Holds the lock until it is dropped.
    type Lock;

    /// Makes a directory and its parents, if they are missing.
    ///
    /// # Errors
    /// Those of the medium.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Creates a file, or empties it.
    ///
    /// # Errors
    /// Those of the medium.
    fn create(&self, path: &Path) -> io::Result<Self::File>;

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

impl FileSystem for Disk {
    type File = File;
    type Lock = File;

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        std::fs::create_dir_all(path)
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        File::create(path)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![];
        File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
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
