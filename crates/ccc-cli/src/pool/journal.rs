//! A participant's journal, beside its key file: what it has answered, so that it never answers twice
//! differently. One JSON line per answer, durable before the share is written.

use super::hexed::{Hex, HexBytes};
use crate::{error::Error, files};
use ccc_node::vault_node::Journal;
use serde::{Deserialize, Serialize};
use std::{
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
};

const MAX_JOURNAL: u64 = 1 << 28;

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: Hex<32>,
    digest: Hex<64>,
    answer: HexBytes,
}

/// A journal in a file.
pub(crate) struct FileJournal {
    path: PathBuf,
    entries: Vec<Entry>,
}

impl FileJournal {
    /// Reads the journal that belongs to a key file; an absent one is empty.
    ///
    /// # Errors
    /// [`Error::PoolFile`] for a line that is no entry: the participant must not answer then.
    pub(crate) fn beside(key_file: &Path) -> Result<Self, Error> {
        let path = key_file.with_extension("journal");
        files::check_target(&path, files::Replace::Force)?;
        let bytes = if path.exists() { files::read(&path, MAX_JOURNAL)? } else { Vec::new() };
        let lines = bytes.split_inclusive(|byte| *byte == b'\n');
        let entries = lines.map(serde_json::from_slice).collect::<Result<_, _>>();
        let entries = entries.map_err(|error| Error::PoolFile { path: path.clone(), reason: error.to_string() })?;
        Ok(Self { path, entries })
    }
}

impl Journal for FileJournal {
    fn find(&self, id: &[u8; 32]) -> Option<([u8; 64], Vec<u8>)> {
        let entry = self.entries.iter().find(|entry| entry.id.0 == *id)?;
        Some((entry.digest.0, entry.answer.0.clone()))
    }

    fn keep(&mut self, id: [u8; 32], digest: [u8; 64], answer: &[u8]) -> Result<(), String> {
        let entry = Entry { id: Hex(id), digest: Hex(digest), answer: HexBytes(answer.to_vec()) };
        let mut line = serde_json::to_vec(&entry).map_err(|error| error.to_string())?;
        line.push(b'\n');
        let file = OpenOptions::new().create(true).append(true).open(&self.path);
        file.and_then(|mut file| file.write_all(&line).and_then(|()| file.sync_all()))
            .map_err(|error| error.to_string())?;
        self.entries.push(entry);
        Ok(())
    }
}
