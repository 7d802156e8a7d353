//! The hidden file under which a write grows before it takes its name.
//!
//! Its name is `.ccc-`, 16 hexadecimal digits of the target's name, `-`, six letters or digits. A writer that is killed
//! leaves it behind, with whatever it held; the next write to the same target removes it. A writer holds a lock on its
//! file, so that what another one still writes stays.

use super::Audience;
use ccc_core::suite;
use std::{
    ffi::OsStr,
    fs::{self, File, TryLockError},
    io,
    path::Path,
};
use tempfile::NamedTempFile;

const RANDOM_LEN: usize = 6;
const TRIES: usize = 8;

/// A new file beside the target, locked by this process.
///
/// # Errors
/// Those of creating it; `WouldBlock` where somebody takes each new file for one that was left.
pub(super) fn create(directory: &Path, target: &OsStr, audience: Audience) -> io::Result<NamedTempFile> {
    for _ in 0..TRIES {
        let file = draw(directory, &prefix(target), audience)?;
        match file.as_file().try_lock() {
            // locked before another writer took it for one that was left
            Ok(()) if file.path().exists() => return Ok(file),
            // a medium without locks: there nothing is removed either
            Err(TryLockError::Error(_)) => return Ok(file),
            Ok(()) | Err(TryLockError::WouldBlock) => {}
        }
    }
    Err(io::ErrorKind::WouldBlock.into())
}

fn draw(directory: &Path, prefix: &str, audience: Audience) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).rand_bytes(RANDOM_LEN);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = if audience == Audience::Owner { 0o600 } else { 0o644 };
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = audience;
    builder.tempfile_in(directory)
}

/// Removes what killed writers of this target left; what cannot be removed stays.
pub(super) fn remove_stale(directory: &Path, target: &OsStr) {
    let prefix = prefix(target);
    let Ok(entries) = fs::read_dir(directory) else { return };
    let of_target = entries.flatten().filter(|entry| is_of(&prefix, &entry.file_name()));
    of_target.for_each(|entry| remove_unlocked(&entry.path()));
}

/// Removes a plain file while it holds the file's lock.
fn remove_unlocked(path: &Path) {
    if !fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return;
    }
    let Ok(file) = File::open(path) else { return };
    if file.try_lock().is_ok() {
        let _stays = fs::remove_file(path);
    }
}

fn prefix(target: &OsStr) -> String {
    format!(".ccc-{}-", hex::encode(&suite::digest(target.as_encoded_bytes())[..8]))
}

fn is_of(prefix: &str, name: &OsStr) -> bool {
    let random = name.to_str().and_then(|name| name.strip_prefix(prefix));
    random.is_some_and(|random| random.len() == RANDOM_LEN && random.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{Replace, write};

    fn left(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).expect("listed").flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// What a writer leaves that is killed before it has finished.
    fn killed(directory: &Path, target: &str) -> String {
        let file = create(directory, OsStr::new(target), Audience::Owner).expect("created");
        let (_, path) = file.keep().expect("kept");
        path.file_name().expect("a name").to_string_lossy().into_owned()
    }

    #[test]
    fn the_next_write_removes_what_a_killed_one_left_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let target = dir.path().join("key.ccc");
        let stale = [killed(dir.path(), "key.ccc"), killed(dir.path(), "key.ccc")];
        let other = killed(dir.path(), "other.ccc");
        let longer = format!("{}x", stale[0]);
        fs::write(dir.path().join(&longer), b"somebody's").expect("written");
        let writing = create(dir.path(), OsStr::new("key.ccc"), Audience::Owner).expect("created");
        write(&target, b"x", Audience::Owner, Replace::Never).expect("written");
        let writing = writing.path().file_name().expect("a name").to_string_lossy().into_owned();
        let mut expected = vec![other, longer, writing, "key.ccc".to_owned()];
        expected.sort();
        assert_eq!(left(dir.path()), expected);
    }

    #[test]
    fn a_write_that_is_refused_removes_nothing() {
        let dir = tempfile::tempdir().expect("a scratch directory");
        fs::write(dir.path().join("key.ccc"), b"kept").expect("written");
        let stale = killed(dir.path(), "key.ccc");
        assert!(write(&dir.path().join("key.ccc"), b"x", Audience::Owner, Replace::Never).is_err());
        assert!(left(dir.path()).contains(&stale));
    }
}
