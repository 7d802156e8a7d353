//! The lines of a participant's journal in a file, which an earlier release wrote: one JSON object per answer, each under an
//! authenticator over the one before it.

use crate::hexed::{Hex, HexBytes};
use ccc_core::keys::ParticipantKeys;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha512;
use std::collections::HashMap;
use zeroize::Zeroizing;

const KEY_LABEL: &[u8] = b"ccc/v1/journal";

/// One answer: the request's identifier, the digests of request and recipient, the signed envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) id: Hex<32>,
    pub(super) digest: Hex<64>,
    pub(super) recipient: Hex<64>,
    pub(super) answer: HexBytes,
    mac: Hex<64>,
}

/// What a line is to say.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) id: [u8; 32],
    pub(super) digest: [u8; 64],
    pub(super) recipient: [u8; 64],
    pub(super) answer: &'a [u8],
}

/// The key of a journal's authenticators.
///
/// *Layout*: HMAC-SHA-512(participant's keys (kind 19); "ccc/v1/journal"). A line's authenticator is
/// HMAC-SHA-512(key; the one before, 64 zero bytes at first ‖ id 32 ‖ request digest 64 ‖ recipient digest 64 ‖
/// answer).
#[derive(Clone)]
pub(super) struct JournalKey(Zeroizing<[u8; 64]>);

/// The whole lines of a journal, every one of them authentic.
pub(super) struct Lines {
    key: JournalKey,
    entries: Vec<Entry>,
    /// Places of a request's answers.
    places: HashMap<[u8; 32], Vec<usize>>,
    length: u64,
}

impl JournalKey {
    pub(super) fn of(keys: &ParticipantKeys) -> Self {
        Self(Zeroizing::new(authenticator(&keys.to_bytes(), &[KEY_LABEL])))
    }

    /// Its bytes, for the authenticator of the counter.
    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    fn line(&self, last: Option<&Entry>, said: &Said<'_>) -> [u8; 64] {
        let before = last.map_or([0; 64], |entry| entry.mac.0);
        authenticator(self.0.as_slice(), &[&before, &said.id, &said.digest, &said.recipient, said.answer])
    }
}

pub(super) fn authenticator(key: &[u8], parts: &[&[u8]]) -> [u8; 64] {
    let mut mac = Hmac::<Sha512>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

impl Lines {
    /// Reads a journal; a torn line at its end is left out.
    ///
    /// # Errors
    /// The number, from 1, of the first line that this participant did not write there.
    pub(super) fn read(key: JournalKey, bytes: &[u8]) -> Result<Self, usize> {
        let mut lines = Self { key, entries: Vec::new(), places: HashMap::new(), length: 0 };
        for line in bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| !is_torn(line)) {
            let entry = lines.authentic(line).ok_or(lines.entries.len() + 1)?;
            lines.add(entry, line);
        }
        Ok(lines)
    }

    /// The answers of a request, in the order in which they were given.
    pub(super) fn of(&self, id: &[u8; 32]) -> impl Iterator<Item = &Entry> {
        self.places.get(id).into_iter().flatten().filter_map(|place| self.entries.get(*place))
    }

    /// Every answer, in their order.
    pub(super) fn each(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// How many there are, and the authenticator of the line with this number, from 1; of none 64 zero bytes.
    pub(super) fn head(&self, count: usize) -> Option<[u8; 64]> {
        match count.checked_sub(1) {
            None => Some([0; 64]),
            Some(place) => self.entries.get(place).map(|entry| entry.mac.0),
        }
    }

    /// Lines so far.
    pub(super) fn count(&self) -> usize {
        self.entries.len()
    }

    /// The key of the lines' authenticators.
    pub(super) fn key(&self) -> &JournalKey {
        &self.key
    }

    /// Takes back the lines that were added after this many, which no medium holds.
    pub(super) fn take_back(&mut self, count: usize, length: u64) {
        for entry in self.entries.split_off(count.min(self.entries.len())) {
            self.places.entry(entry.id.0).or_default().retain(|place| *place < count);
        }
        self.length = length;
    }

    /// Bytes of the lines.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The next line and its bytes; it is none of these before it is [added](Self::add).
    ///
    /// # Errors
    /// As serde's; no value of these fields gives one.
    pub(super) fn next(&self, said: &Said<'_>) -> Result<(Entry, Vec<u8>), serde_json::Error> {
        let mac = Hex(self.key.line(self.entries.last(), said));
        let (id, digest, recipient) = (Hex(said.id), Hex(said.digest), Hex(said.recipient));
        let entry = Entry { id, digest, recipient, answer: HexBytes(said.answer.to_vec()), mac };
        let line = written(&entry)?;
        Ok((entry, line))
    }

    pub(super) fn add(&mut self, entry: Entry, line: &[u8]) {
        self.length += line.len() as u64;
        self.places.entry(entry.id.0).or_default().push(self.entries.len());
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
pub(super) fn lacks_its_end(bytes: &[u8]) -> bool {
    let last = bytes.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    !last.is_empty() && serde_json::from_slice::<Entry>(last).is_ok()
}

fn written(entry: &Entry) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    Ok(line)
}
