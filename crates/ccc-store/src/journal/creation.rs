//! A new journal is made under another name and takes its own when it is whole: redb does not open a file whose making was
//! cut in the middle.

use super::{JournalStore, builder, opening};
use ccc_core::table::StoreError;
use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// Whether a journal has to be made: there is no file, or an empty one.
pub(super) fn is_due(path: &Path) -> Result<bool, StoreError> {
    match fs::metadata(path) {
        Ok(found) => Ok(found.is_file() && found.len() == 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(medium("looking for the journal")(error)),
    }
}

/// Makes the journal `path` in the directory `parent`; `None` where another process has made it meanwhile.
///
/// One at a time makes journals in a directory, under the directory's lock. What a former one left unfinished goes.
pub(super) fn create(path: &Path, parent: &File) -> Result<Option<JournalStore>, StoreError> {
    parent.lock().map_err(medium("locking the directory"))?;
    let made = if is_due(path)? { make(path).map(Some) } else { Ok(None) };
    parent.unlock().map_err(medium("unlocking the directory"))?;
    made
}

fn make(path: &Path) -> Result<JournalStore, StoreError> {
    let unfinished = unfinished(path);
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(medium("removing an unfinished journal")(error));
        }
        _ => {}
    }
    let store = JournalStore::prepare(builder().create(&unfinished).map_err(opening)?)?;
    fs::rename(&unfinished, path).map_err(medium("naming the journal"))?;
    Ok(store)
}

/// `<name>.new`, beside the journal.
fn unfinished(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".new");
    name.into()
}

pub(super) fn medium(operation: &'static str) -> impl Fn(io::Error) -> StoreError {
    move |source| StoreError::Medium { operation, source: Box::new(source) }
}
