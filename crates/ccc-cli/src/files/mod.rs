//! Files and standard streams: bounded reads, atomic writes, secret files.
//!
//! A write never follows a symbolic link, never replaces a file without being told to, and leaves either
//! the old bytes or the new ones. A write that is killed may leave a hidden file, which the next one to the same path
//! removes. No path is ever made from what a file or a peer says.

pub(crate) mod passphrase;
pub(crate) mod sealed;
pub(crate) mod secret;
mod temporary;

use crate::error::Error;
use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, IsTerminal, Read, Write},
    path::{Path, PathBuf},
};

/// The longest file that is read.
pub(crate) const MAX_READ: u64 = 1 << 30;

/// Who may read what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Mode 0644.
    Everyone,
    /// Mode 0600.
    Owner,
}

/// Whether an existing file may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replace {
    /// Refuse.
    Never,
    /// `--force`.
    Force,
}

impl Replace {
    pub(crate) fn from_flag(force: bool) -> Self {
        if force { Self::Force } else { Self::Never }
    }
}

/// Whether a path argument means a standard stream.
pub(crate) fn is_stream(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Reads a file, or standard input for `-`, up to `limit` bytes.
///
/// # Errors
/// [`Error::Read`], [`Error::TooLong`].
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    if is_stream(path) {
        return read_from(std::io::stdin().lock(), path, limit);
    }
    let file = File::open(path).map_err(|source| Error::Read { path: path.into(), source })?;
    read_from(file, path, limit)
}

/// What lies where others may put anything: nothing, at most `limit` bytes, or why it has none. Only a regular file is
/// read: a pipe is not waited for.
pub(crate) fn found(path: &Path, limit: u64) -> Option<Result<Vec<u8>, String>> {
    let file = match open_without_waiting(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        opened => opened,
    };
    let regular = file.and_then(|file| Ok(if file.metadata()?.is_file() { Some(file) } else { None }));
    Some(match regular {
        Err(error) => Err(format!("it cannot be read: {error}")),
        Ok(None) => Err("it is no regular file".into()),
        Ok(Some(file)) => read_from(file, path, limit).map_err(|error| match error {
            Error::TooLong { limit, .. } => format!("it is longer than {limit} bytes"),
            other => other.to_string(),
        }),
    })
}

#[cfg(unix)]
fn open_without_waiting(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    File::options().read(true).custom_flags(flags).open(path)
}

#[cfg(not(unix))]
fn open_without_waiting(path: &Path) -> io::Result<File> {
    File::open(path)
}

pub(crate) fn read_from(source: impl Read, path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let error = |source| Error::Read { path: path.into(), source };
    source.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(error)?;
    if bytes.len() as u64 > limit {
        return Err(Error::TooLong { path: path.into(), limit });
    }
    Ok(bytes)
}

/// Refuses a command that names standard input more than once.
///
/// # Errors
/// [`Error::StandardInputTwice`].
pub(crate) fn one_standard_input<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Result<(), Error> {
    match paths.into_iter().filter(|path| is_stream(path)).count() {
        0 | 1 => Ok(()),
        count => Err(Error::StandardInputTwice { count }),
    }
}

/// Writes a file atomically, or standard output for `-`.
///
/// # Errors
/// [`Error::Terminal`] for bytes on a terminal; [`Error::Exists`], [`Error::Symlink`],
/// [`Error::NotRegular`], [`Error::Write`]; in every case the path is as it was.
pub(crate) fn write(path: &Path, bytes: &[u8], audience: Audience, replace: Replace) -> Result<(), Error> {
    if is_stream(path) {
        return write_stdout(bytes);
    }
    check_target(path, replace)?;
    write_atomically(path, bytes, audience, replace)
}

fn write_stdout(bytes: &[u8]) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    if out.is_terminal() && !is_text(bytes) {
        return Err(Error::Terminal);
    }
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|source| Error::Write { path: "-".into(), source })
}

/// Whether bytes may go to a terminal: what somebody else wrote must not steer it.
fn is_text(bytes: &[u8]) -> bool {
    let plain = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().all(plain))
}

/// Whether a write to `path` would be refused; for commands that write several files and must write none
/// of them when one is refused.
///
/// # Errors
/// As [`write()`].
pub(crate) fn check_target(path: &Path, replace: Replace) -> Result<(), Error> {
    let metadata = match fs::symlink_metadata(path) {
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(Error::Write { path: path.into(), source }),
        Ok(metadata) => metadata,
    };
    if metadata.file_type().is_symlink() {
        return Err(Error::Symlink { path: path.into() });
    }
    if !metadata.is_file() {
        return Err(Error::NotRegular { path: path.into() });
    }
    match replace {
        Replace::Force => Ok(()),
        Replace::Never => Err(Error::Exists { path: path.into() }),
    }
}

fn write_atomically(path: &Path, bytes: &[u8], audience: Audience, replace: Replace) -> Result<(), Error> {
    begin(path, audience)?.finish(bytes, replace)
}

/// A file that is begun and has no name yet; dropping it leaves nothing.
pub(crate) struct Begun<'a> {
    path: &'a Path,
    file: tempfile::NamedTempFile,
}

/// Begins a file in the target's directory: that nothing can be written there shows before there is anything to write.
///
/// # Errors
/// [`Error::Write`].
pub(crate) fn begin(path: &Path, audience: Audience) -> Result<Begun<'_>, Error> {
    let (directory, name) = place_of(path);
    let file = temporary::create(directory, name, audience);
    file.map(|file| Begun { path, file }).map_err(|source| Error::Write { path: path.into(), source })
}

fn place_of(path: &Path) -> (&Path, &OsStr) {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    (directory, path.file_name().unwrap_or_default())
}

impl Begun<'_> {
    /// Writes the bytes and gives the file its name.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::Write`]; in every case the path is as it was.
    pub(crate) fn finish(self, bytes: &[u8], replace: Replace) -> Result<(), Error> {
        let Self { path, mut file } = self;
        let error = |source| Error::Write { path: path.into(), source };
        let (directory, name) = place_of(path);
        file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(error)?;
        let persisted = match replace {
            Replace::Force => file.persist(path),
            Replace::Never => file.persist_noclobber(path),
        };
        persisted.map_err(|failed| match failed.error.kind() {
            std::io::ErrorKind::AlreadyExists => Error::Exists { path: path.into() },
            _ => error(failed.error),
        })?;
        temporary::remove_stale(directory, name);
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(error)
    }
}

/// Makes a directory and its parents. An existing directory is kept as it is.
///
/// # Errors
/// [`Error::Symlink`], [`Error::Write`].
pub(crate) fn directory(path: &Path) -> Result<(), Error> {
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_symlink()) {
        return Err(Error::Symlink { path: path.into() });
    }
    fs::create_dir_all(path).map_err(|source| Error::Write { path: path.into(), source })
}

/// Refuses a directory that holds anything: what it held would mix with what is written.
///
/// # Errors
/// [`Error::NotEmpty`], [`Error::Write`].
pub(crate) fn check_empty(path: &Path) -> Result<(), Error> {
    let entries = match fs::read_dir(path) {
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(Error::Write { path: path.into(), source }),
        Ok(entries) => entries,
    };
    if entries.count() == 0 { Ok(()) } else { Err(Error::NotEmpty { path: path.into() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> tempfile::TempDir {
        tempfile::tempdir().expect("a scratch directory")
    }

    #[test]
    fn existing_files_are_kept_unless_forced() {
        let dir = scratch();
        let path = dir.path().join("file");
        write(&path, b"one", Audience::Everyone, Replace::Never).expect("written");
        let refused = write(&path, b"two", Audience::Everyone, Replace::Never);
        assert!(matches!(refused, Err(Error::Exists { .. })));
        assert_eq!(fs::read(&path).expect("read"), b"one");
        write(&path, b"two", Audience::Everyone, Replace::Force).expect("forced");
        assert_eq!(fs::read(&path).expect("read"), b"two");
        assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 1, "no temporary file stays");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_directories_are_never_written_through() {
        let dir = scratch();
        let target = dir.path().join("target");
        let link = dir.path().join("link");
        fs::write(&target, b"kept").expect("written");
        std::os::unix::fs::symlink(&target, &link).expect("linked");
        let refused = write(&link, b"x", Audience::Owner, Replace::Force);
        assert!(matches!(refused, Err(Error::Symlink { .. })));
        assert!(matches!(write(dir.path(), b"x", Audience::Owner, Replace::Force), Err(Error::NotRegular { .. })));
        assert_eq!(fs::read(&target).expect("read"), b"kept");
    }

    #[cfg(unix)]
    #[test]
    fn secrets_are_written_for_their_owner() {
        use std::os::unix::fs::PermissionsExt;
        let dir = scratch();
        let path = dir.path().join("secret");
        write(&path, b"x", Audience::Owner, Replace::Never).expect("written");
        assert_eq!(fs::metadata(&path).expect("metadata").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_terminal_is_given_text_alone() {
        assert!(is_text("a line\twith é\r\n".as_bytes()) && is_text(b""));
        for bytes in [&b"\xff"[..], b"\x1b[2J", b"\0", b"\x7f", "\u{9b}2J".as_bytes()] {
            assert!(!is_text(bytes), "{bytes:?}");
        }
    }

    #[test]
    fn reads_are_bounded() {
        let dir = scratch();
        let path = dir.path().join("file");
        fs::write(&path, [0; 11]).expect("written");
        assert!(matches!(read(&path, 10), Err(Error::TooLong { limit: 10, .. })));
        assert_eq!(read(&path, 11).expect("read").len(), 11);
    }

    #[test]
    fn standard_input_is_read_once() {
        let stream = PathBuf::from("-");
        assert!(one_standard_input([&stream]).is_ok());
        assert!(matches!(one_standard_input([&stream, &stream]), Err(Error::StandardInputTwice { count: 2 })));
    }
}
