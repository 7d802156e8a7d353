//! A journal of an earlier release, one JSON line per answer in a file, is taken over into the records.
//!
//! Its answers have no time until which they matter, so none of them is ever past. Order: the file is held against the
//! counter; all of it enters in one transaction; the file goes; the counter follows. A stop between any two steps is
//! finished by the next opening.

use super::{
    Heads, JournalError, MAX_JOURNAL,
    chain::Chain,
    counter::Counter,
    lines::{self, Entry, Lines},
    of_store, sync_directory,
};
use ccc_node::vault_node::Answer;
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// Takes the file over, if there is one.
pub(super) fn take_over(path: &Path, counter: Option<&Path>, chain: &mut Chain) -> Result<(), JournalError> {
    let read = |source| JournalError::Read { path: path.into(), source };
    let Some(mut bytes) = stored(path).map_err(read)? else { return Ok(()) };
    if lines::lacks_its_end(&bytes) {
        bytes.push(b'\n');
    }
    let lines = Lines::read(chain.key().clone(), &bytes);
    let lines = lines.map_err(|line| JournalError::Answer { path: path.into(), number: line as u64 })?;
    if chain.is_new() {
        if let Some(counter) = counter {
            Counter::open(counter, path, &lines, chain.key())?;
        }
        let (_, line) = lines.last();
        chain.take_over(lines.each().map(answer), line).map_err(|error| of_store(path, error))?;
    } else if chain.taken_over() != lines.last() {
        return Err(JournalError::TwoJournals { path: path.into() });
    }
    let gone = std::fs::remove_file(path).and_then(|()| sync_directory(path));
    gone.map_err(|source| JournalError::Write { path: path.into(), source })
}

fn answer(entry: &Entry) -> ([u8; 32], Answer) {
    let (request, recipient, bytes) = (entry.digest.0, entry.recipient.0, entry.answer.0.clone());
    (entry.id.0, Answer { request, recipient, until: u64::MAX, bytes })
}

/// A file's bytes; none of an absent one. A link is followed nowhere: a journal is a file of its own.
fn stored(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok(found) if !found.is_file() => return Err(io::Error::other("no regular file")),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_JOURNAL + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_JOURNAL { Err(io::Error::other("longer than 256 MiB")) } else { Ok(Some(bytes)) }
}

impl Heads for Lines {
    fn is_head(&self, count: u64, head: &[u8; 64]) -> bool {
        usize::try_from(count).ok().and_then(|count| self.head(count)) == Some(*head)
    }

    fn last(&self) -> (u64, [u8; 64]) {
        (self.count() as u64, self.head(self.count()).unwrap_or([0; 64]))
    }
}
