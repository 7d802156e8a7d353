//! A new database is made under another name and takes its own when it is whole: redb does not open a file whose making was
//! cut in the middle.

use super::{builder, opening};
use ccc_core::table::StoreError;
use redb::Database;
use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// Opens the database in a file and has it `prepare`d, or makes it.
pub(crate) fn open<T>(path: &Path, prepare: fn(Database) -> Result<T, StoreError>) -> Result<T, StoreError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let parent = File::open(parent).map_err(medium("opening the directory"))?;
    let made = if is_due(path)? { create(path, &parent, prepare)? } else { None };
    // also for a file that is there: whoever made it may have been stopped before its name was durable
    parent.sync_all().map_err(medium("syncing the directory"))?;
    match made {
        Some(store) => Ok(store),
        None => prepare(builder().open(path).map_err(opening)?),
    }
}

/// Whether a journal has to be made: there is no file, or an empty one.
fn is_due(path: &Path) -> Result<bool, StoreError> {
    match fs::metadata(path) {
        Ok(found) => Ok(found.is_file() && found.len() == 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(medium("looking for the journal")(error)),
    }
}

/// Makes the journal `path` in the directory `parent`; `None` where another process has made it meanwhile.
///
/// One at a time makes journals in a directory, under the directory's lock. What a former one left unfinished goes.
fn create<T>(
    path: &Path,
    parent: &File,
    prepare: fn(Database) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    parent.lock().map_err(medium("locking the directory"))?;
    let made = if is_due(path)? { make(path, prepare).map(Some) } else { Ok(None) };
    parent.unlock().map_err(medium("unlocking the directory"))?;
    made
}

fn make<T>(path: &Path, prepare: fn(Database) -> Result<T, StoreError>) -> Result<T, StoreError> {
    let unfinished = unfinished(path);
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(medium("removing an unfinished journal")(error));
        }
        _ => {}
    }
    let store = prepare(builder().create(&unfinished).map_err(opening)?)?;
    fs::rename(&unfinished, path).map_err(medium("naming the journal"))?;
    Ok(store)
}

/// `<name>.new`, beside the journal.
fn unfinished(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".new");
    name.into()
}

fn medium(operation: &'static str) -> impl Fn(io::Error) -> StoreError {
    move |source| StoreError::Medium { operation, source: Box::new(source) }
}
