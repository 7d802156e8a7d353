//! The lines of a participant's journal as bytes: one JSON object per answer, each under an authenticator over the one
//! before it.

use crate::pool::hexed::{Hex, HexBytes};
use ccc_core::keys::ParticipantKeys;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha512;
use zeroize::Zeroizing;

const KEY_LABEL: &[u8] = b"ccc/v1/journal";

/// One answer: the request's identifier, the digests of request and recipient, the signed envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) id: Hex<32>,
    pub(crate) digest: Hex<64>,
    pub(crate) recipient: Hex<64>,
    pub(crate) answer: HexBytes,
    mac: Hex<64>,
}

/// What a line is to say.
#[derive(Clone, Copy)]
pub(crate) struct Said<'a> {
    pub(crate) id: [u8; 32],
    pub(crate) digest: [u8; 64],
    pub(crate) recipient: [u8; 64],
    pub(crate) answer: &'a [u8],
}

/// The key of a journal's authenticators.
///
/// *Layout*: HMAC-SHA-512(participant's keys (kind 19); "ccc/v1/journal"). A line's authenticator is
/// HMAC-SHA-512(key; the one before, 64 zero bytes at first ‖ id 32 ‖ request digest 64 ‖ recipient digest 64 ‖
/// answer).
pub(crate) struct JournalKey(Zeroizing<[u8; 64]>);

/// The whole lines of a journal, every one of them authentic.
pub(crate) struct Lines {
    key: JournalKey,
    entries: Vec<Entry>,
    length: u64,
}

impl JournalKey {
    pub(crate) fn of(keys: &ParticipantKeys) -> Self {
        Self(Zeroizing::new(authenticator(&keys.to_bytes(), &[KEY_LABEL])))
    }

    fn line(&self, last: Option<&Entry>, said: &Said<'_>) -> [u8; 64] {
        let before = last.map_or([0; 64], |entry| entry.mac.0);
        authenticator(self.0.as_slice(), &[&before, &said.id, &said.digest, &said.recipient, said.answer])
    }
}

fn authenticator(key: &[u8], parts: &[&[u8]]) -> [u8; 64] {
    let mut mac = Hmac::<Sha512>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

impl Lines {
    /// Reads a journal; a torn line at its end is left out.
    ///
    /// # Errors
    /// The number, from 1, of the first line that this participant did not write there.
    pub(crate) fn read(key: JournalKey, bytes: &[u8]) -> Result<Self, usize> {
        let mut lines = Self { key, entries: Vec::new(), length: 0 };
        for line in bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| !is_torn(line)) {
            let entry = lines.authentic(line).ok_or(lines.entries.len() + 1)?;
            lines.add(entry, line);
        }
        Ok(lines)
    }

    /// In the order in which they were given.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Bytes of the lines.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The next line and its bytes; it is none of these before it is [added](Self::add).
    ///
    /// # Errors
    /// As serde's; no value of these fields gives one.
    pub(crate) fn next(&self, said: &Said<'_>) -> Result<(Entry, Vec<u8>), serde_json::Error> {
        let mac = Hex(self.key.line(self.entries.last(), said));
        let (id, digest, recipient) = (Hex(said.id), Hex(said.digest), Hex(said.recipient));
        let entry = Entry { id, digest, recipient, answer: HexBytes(said.answer.to_vec()), mac };
        let line = written(&entry)?;
        Ok((entry, line))
    }

    pub(crate) fn add(&mut self, entry: Entry, line: &[u8]) {
        self.length += line.len() as u64;
        self.entries.push(entry);
    }

    /// The entry of a line that stands as it was written, after the entries before it.
    fn authentic(&self, line: &[u8]) -> Option<Entry> {
        let entry: Entry = serde_json::from_slice(line).ok()?;
        let mac = self.key.line(self.entries.last(), &entry.said());
        (mac == entry.mac.0 && written(&entry).ok()? == line).then_some(entry)
    }
}

impl Entry {
    fn said(&self) -> Said<'_> {
        Said { id: self.id.0, digest: self.digest.0, recipient: self.recipient.0, answer: &self.answer.0 }
    }
}

/// Whether bytes are the beginning of a line and not all of it.
fn is_torn(line: &[u8]) -> bool {
    line.last() != Some(&b'\n') && serde_json::from_slice::<Entry>(line).is_err_and(|error| error.is_eof())
}

/// Whether the last line is whole but for its end.
pub(crate) fn lacks_its_end(bytes: &[u8]) -> bool {
    let last = bytes.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    !last.is_empty() && serde_json::from_slice::<Entry>(last).is_ok()
}

fn written(entry: &Entry) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    Ok(line)
}
