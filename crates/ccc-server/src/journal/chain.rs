//! The answers of a participant as records: each under an authenticator over the one before it, and a state that says where
//! the chain begins and ends.
//!
//! *Layout*: a record's key is the request's identifier, its bytes are request digest 64 ‖ recipient digest 64 ‖ until u64 ‖
//! authenticator 64 ‖ answer. The authenticator is HMAC-SHA-512(journal key; "ccc/v1/journal-answer" ‖ the one before 64 ‖
//! number u64 ‖ identifier 32 ‖ request digest ‖ recipient digest ‖ until ‖ answer). The value `answers` is first u64 ‖
//! before 64 ‖ next u64 ‖ head 64 ‖ past u64 ‖ taken over: lines u64 ‖ authenticator 64 ‖ HMAC-SHA-512(journal key;
//! "ccc/v1/journal-state" ‖ the fields before) 64. Numbers from `first` to below `next` are all there, from 1 on; `before` is
//! the authenticator before `first`, `head` that of the last.
//!
//! What is past goes from the beginning. What is not, and stands there, is written anew at the end in the same transaction,
//! so that the chain has no gap.
//!
//! *Security*: which answers there are under an identifier is known from the records that were authenticated when the chain
//! was opened, and from no index of the store; what is read later is held against their authenticators again.

use super::{
    Heads,
    lines::{JournalKey, authenticator},
};
use ccc_core::table::StoreError;
use ccc_node::vault_node::Answer;
use ccc_store::{Change, Record, RecordStore};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

const ANSWER: &[u8] = b"ccc/v1/journal-answer";
const STATE: &[u8] = b"ccc/v1/journal-state";
const STATE_NAME: &str = "answers";
/// Records that are read or moved at a time.
const PAGE: usize = 1_024;
/// Bytes of a record before the answer, without its key.
const FIELDS: usize = 64 + 64 + 8 + 64;
/// What a record takes beside its answer, index and pages left out.
const OVERHEAD: u64 = 8 + 32 + FIELDS as u64;

/// Why a chain is not one that this participant wrote.
#[derive(Debug)]
pub(super) enum Broken {
    /// The medium.
    Store(StoreError),
    /// The record with this number.
    Record(u64),
    /// The state.
    State,
}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    first: u64,
    before: [u8; 64],
    next: u64,
    head: [u8; 64],
    past: u64,
    /// Lines of the file that was taken over, and the authenticator of its last.
    lines: u64,
    line: [u8; 64],
}

impl Default for State {
    fn default() -> Self {
        Self { first: 1, before: [0; 64], next: 1, head: [0; 64], past: 0, lines: 0, line: [0; 64] }
    }
}

/// A participant's answers in a store.
pub(super) struct Chain {
    store: Arc<dyn RecordStore>,
    key: JournalKey,
    state: State,
    /// Authenticators of what the medium holds, in order, the one before the first answer at the beginning.
    heads: VecDeque<[u8; 64]>,
    /// Numbers of the answers that the medium holds under an identifier.
    places: HashMap<[u8; 32], Vec<u64>>,
    /// Nothing was ever written.
    is_new: bool,
    /// Answers that no medium holds yet.
    pending: Vec<Record>,
    /// The state with them.
    ahead: State,
    /// Bytes by the second after which they are past, those of pending answers among them.
    dues: BTreeMap<u64, u64>,
    length: u64,
}

impl State {
    fn fields(&self) -> Vec<u8> {
        let numbers = [self.first, self.next, self.past, self.lines].map(u64::to_be_bytes);
        let [first, next, past, lines] = &numbers;
        [first.as_slice(), &self.before, next, &self.head, past, lines, &self.line].concat()
    }

    fn to_bytes(self, key: &JournalKey) -> Vec<u8> {
        let fields = self.fields();
        let mac = authenticator(key.bytes(), &[STATE, &fields]);
        [fields.as_slice(), &mac].concat()
    }

    fn read(bytes: &[u8], key: &JournalKey) -> Option<Self> {
        let (fields, mac) = bytes.split_at_checked(bytes.len().checked_sub(64)?)?;
        if authenticator(key.bytes(), &[STATE, fields]) != mac {
            return None;
        }
        let mut rest = fields;
        let state = Self {
            first: number(&mut rest)?,
            before: taken(&mut rest)?,
            next: number(&mut rest)?,
            head: taken(&mut rest)?,
            past: number(&mut rest)?,
            lines: number(&mut rest)?,
            line: taken(&mut rest)?,
        };
        rest.is_empty().then_some(state)
    }
}

fn taken<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    taken(rest).map(u64::from_be_bytes)
}

fn answer_mac(key: &JournalKey, before: &[u8; 64], number: u64, id: &[u8; 32], answer: &Answer) -> [u8; 64] {
    let Answer { request, recipient, until, bytes } = answer;
    let (number, until) = (number.to_be_bytes(), until.to_be_bytes());
    authenticator(key.bytes(), &[ANSWER, before, &number, id, request, recipient, &until, bytes])
}

/// The answer of a record, and the record's authenticator.
fn read(bytes: &[u8]) -> Option<(Answer, [u8; 64])> {
    let mut rest = bytes;
    let (request, recipient, until) = (taken(&mut rest)?, taken(&mut rest)?, number(&mut rest)?);
    let mac = taken(&mut rest)?;
    Some((Answer { request, recipient, until, bytes: rest.to_vec() }, mac))
}

pub(super) fn room(answer: &Answer) -> u64 {
    OVERHEAD + answer.bytes.len() as u64
}

impl Chain {
    /// Reads the answers and checks each of them.
    pub(super) fn open(store: Arc<dyn RecordStore>, key: JournalKey) -> Result<Self, Broken> {
        let stored = store.value(STATE_NAME)?;
        let is_new = stored.is_none();
        let state = stored.map_or(Some(State::default()), |bytes| State::read(&bytes, &key)).ok_or(Broken::State)?;
        let (pending, dues, places, heads) = (Vec::new(), BTreeMap::new(), HashMap::new(), [state.before].into());
        let mut chain = Self { store, key, state, heads, places, is_new, pending, ahead: state, dues, length: 0 };
        chain.check()?;
        Ok(chain)
    }

    fn check(&mut self) -> Result<(), Broken> {
        let (mut next, mut mac) = (self.state.first, self.state.before);
        let mut from = 0;
        loop {
            let page = self.store.records_from(from, PAGE)?;
            let Some(last) = page.last() else { break };
            from = last.number.saturating_add(1);
            for record in &page {
                mac = self.follows(record, next, &mac).ok_or(Broken::Record(next))?;
                self.place(record, mac);
                next += 1;
            }
        }
        if (next, mac) == (self.state.next, self.state.head) { Ok(()) } else { Err(Broken::Record(next)) }
    }

    /// The authenticator of a record that stands where it was written.
    fn follows(&mut self, record: &Record, expected: u64, before: &[u8; 64]) -> Option<[u8; 64]> {
        let (answer, mac) = read(&record.bytes)?;
        let is_next = record.number == expected && expected < self.state.next;
        if !is_next || answer_mac(&self.key, before, expected, &record.key, &answer) != mac {
            return None;
        }
        self.count(&answer);
        Some(mac)
    }

    /// Notes an authentic record as the last one of the medium.
    fn place(&mut self, record: &Record, mac: [u8; 64]) {
        self.heads.push_back(mac);
        self.places.entry(record.key).or_default().push(record.number);
    }

    /// The first record of the medium is gone.
    fn displace(&mut self, record: &Record) {
        self.heads.pop_front();
        if let Some(numbers) = self.places.get_mut(&record.key) {
            numbers.retain(|number| *number != record.number);
            if numbers.is_empty() {
                self.places.remove(&record.key);
            }
        }
    }

    /// The answer with this number, as it was authenticated.
    fn known(&self, record: Option<&Record>, number: u64) -> Result<Answer, Broken> {
        let known = || {
            let (record, at) = (record?, usize::try_from(number.checked_sub(self.state.first)?).ok()?);
            let (before, expected) = (self.heads.get(at)?, self.heads.get(at + 1)?);
            let (answer, mac) = read(&record.bytes)?;
            let is_same = record.number == number
                && mac == *expected
                && answer_mac(&self.key, before, number, &record.key, &answer) == mac;
            is_same.then_some(answer)
        };
        known().ok_or(Broken::Record(number))
    }

    fn count(&mut self, answer: &Answer) {
        let room = room(answer);
        *self.dues.entry(answer.until).or_default() += room;
        self.length += room;
    }

    fn discount(&mut self, answer: &Answer) {
        let room = room(answer);
        if let Some(bytes) = self.dues.get_mut(&answer.until) {
            *bytes = bytes.saturating_sub(room);
            if *bytes == 0 {
                self.dues.remove(&answer.until);
            }
        }
        self.length = self.length.saturating_sub(room);
    }

    pub(super) fn key(&self) -> &JournalKey {
        &self.key
    }

    pub(super) fn store(&self) -> &Arc<dyn RecordStore> {
        &self.store
    }

    /// Whether nothing was ever written.
    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }

    /// Bytes of all answers.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Bytes of the answers whose time ended before this.
    pub(super) fn dead(&self, now: u64) -> u64 {
        self.dues.range(..now).map(|(_, bytes)| bytes).sum()
    }

    /// Before this second everything is past.
    pub(super) fn past(&self) -> u64 {
        self.ahead.past
    }

    /// The lines that were taken over from a file.
    pub(super) fn taken_over(&self) -> (u64, [u8; 64]) {
        (self.state.lines, self.state.line)
    }

    pub(super) fn under(&self, id: &[u8; 32]) -> Result<Vec<Answer>, Broken> {
        let stored = self.places.get(id).into_iter().flatten().map(|number| {
            let page = self.store.records_from(*number, 1)?;
            self.known(page.first(), *number)
        });
        let pending = self.pending.iter().filter(|record| record.key == *id);
        let pending =
            pending.map(|record| read(&record.bytes).map(|(answer, _)| answer).ok_or(Broken::Record(record.number)));
        stored.chain(pending).collect()
    }

    /// An answer that comes last; [`Self::settle`] brings it to the medium.
    pub(super) fn add(&mut self, id: [u8; 32], answer: &Answer) {
        let record = next(&self.key, &mut self.ahead, id, answer);
        self.pending.push(record);
        self.count(answer);
    }

    pub(super) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// What is pending goes to the medium in one transaction. What fails is taken back here; the medium may have it.
    pub(super) fn settle(&mut self) -> Result<(), StoreError> {
        let added = std::mem::take(&mut self.pending);
        let settled = self.commit(&[], &added, self.ahead);
        if settled.is_err() {
            for (answer, _) in added.iter().filter_map(|record| read(&record.bytes)) {
                self.discount(&answer);
            }
            self.ahead = self.state;
        }
        settled
    }

    /// Takes over the lines of a file: `line` is the authenticator of the last.
    pub(super) fn take_over(
        &mut self,
        answers: impl Iterator<Item = ([u8; 32], Answer)>,
        line: [u8; 64],
    ) -> Result<(), StoreError> {
        answers.for_each(|(id, answer)| self.add(id, &answer));
        (self.ahead.lines, self.ahead.line) = (self.ahead.next - 1, line);
        self.settle()
    }

    /// Moves the beginning of the chain over a page, no further than before `end`: what is past by then goes, the rest comes
    /// again at the end. Whether `end` is reached.
    ///
    /// *Security*: what the medium holds now is authenticated anew, before an authenticator of a new place makes it so.
    pub(super) fn forget(&mut self, now: u64, end: u64) -> Result<bool, Broken> {
        let page = self.store.records_from(self.state.first, PAGE)?;
        if page.is_empty() && self.state.first < end {
            return Err(Broken::Record(self.state.first));
        }
        let mut state = State { past: self.state.past.max(now), ..self.state };
        let (mut gone, mut dead, mut moved) = (Vec::new(), Vec::new(), Vec::new());
        for record in page.into_iter().take_while(|record| record.number < end) {
            let answer = self.known(Some(&record), state.first)?;
            (state.first, state.before) =
                (record.number + 1, answer_mac(&self.key, &state.before, record.number, &record.key, &answer));
            if answer.until < now {
                dead.push(answer);
            } else {
                moved.push(next(&self.key, &mut state, record.key, &answer));
            }
            gone.push(record);
        }
        self.commit(&gone, &moved, state)?;
        self.ahead = state;
        dead.iter().for_each(|answer| self.discount(answer));
        Ok(state.first >= end)
    }

    fn commit(&mut self, gone: &[Record], add: &[Record], state: State) -> Result<(), StoreError> {
        let value = state.to_bytes(&self.key);
        let remove: Vec<_> = gone.iter().map(|record| record.number).collect();
        self.store.commit(&Change { remove: &remove, add, values: &[(STATE_NAME, &value)] })?;
        gone.iter().for_each(|record| self.displace(record));
        for record in add {
            if let Some((_, mac)) = read(&record.bytes) {
                self.place(record, mac);
            }
        }
        (self.state, self.is_new) = (state, false);
        Ok(())
    }
}

/// The record of an answer that comes after the last one of a state.
fn next(key: &JournalKey, state: &mut State, id: [u8; 32], answer: &Answer) -> Record {
    let number = state.next;
    let mac = answer_mac(key, &state.head, number, &id, answer);
    let fields = [answer.request.as_slice(), &answer.recipient, &answer.until.to_be_bytes(), &mac, &answer.bytes];
    (state.next, state.head) = (number + 1, mac);
    Record { number, key: id, bytes: fields.concat() }
}

impl Heads for Chain {
    /// The authenticators that are known: those from before the first answer on, and that of the file that was taken over.
    fn is_head(&self, count: u64, head: &[u8; 64]) -> bool {
        let State { first, lines, line, .. } = self.state;
        let at = count.checked_sub(first - 1).and_then(|at| usize::try_from(at).ok());
        let found = at.and_then(|at| self.heads.get(at));
        // a counter that was to follow the file into this store, and was not written
        found == Some(head) || (lines > 0 && first == 1 && (count, head) == (lines, &line))
    }

    fn last(&self) -> (u64, [u8; 64]) {
        (self.state.next - 1, self.state.head)
    }
}
