//! What a signer signed. It is on the medium before a signature leaves, and what contradicts it is refused, after a restart
//! too, as long as the former report can be delivered.
//!
//! *Layout*: records of a [`RecordStore`], numbered from 1. A record's key is the digest that was signed; its bytes are made
//! u64 ‖ until u64 ‖ block u64 ‖ count u8 ‖ count × (slot 32 ‖ word 32): when the block of the report was, Unix time; the last
//! second at which the report is accepted; that block's number; what is claimed, under the hash `signed-claim`, and the word
//! of [`claims`]. The value `signer` is the signer's address, the value `floor` a u64: the last `until` of what was taken out.
//!
//! *Security*: two reports that a signer with its record signed never make a [`Conflict`](ccc_chain::conflict::Conflict). The
//! file has no authenticator and no counter: an older copy of it is not noticed, and whoever can write it is whoever can read
//! the key beside it.

use crate::domain;
use ccc_chain::conflict::{Claim, claims};
use ccc_core::{
    report::{Kind, Payload, Report, ReportContext},
    suite,
    table::StoreError,
};
use ccc_store::{Change, Record, RecordStore};
use std::sync::{Arc, Mutex, PoisonError};

/// Seconds for which a record stays after its report can be delivered no more: a report of an older block may still come.
const KEPT: u64 = 24 * 3_600;
/// Records read at once.
const PAGE: usize = 1024;
const SIGNER: &str = "signer";
const FLOOR: &str = "floor";

/// Why nothing is signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotRecorded {
    /// Another report about the same was signed, and can still be delivered.
    #[error(
        "this signer signed another report about {}, digest {}, that can be delivered until {until}",
        words(.claim), hex::encode(.digest)
    )]
    Contradicts {
        /// What both are about.
        claim: Claim,
        /// What was signed.
        digest: [u8; 32],
        /// The last second of the former, Unix time.
        until: u64,
    },
    /// The report is of a time whose records are taken out.
    #[error("the report is of a block at {made}, and what was signed before {floor} is not kept any more")]
    Before {
        /// When its block was, Unix time.
        made: u64,
        /// The last second of a report that is not kept.
        floor: u64,
    },
    /// The record is of another signer.
    #[error("the record of signatures is that of 0x{}, not of 0x{}", hex::encode(.found), hex::encode(.expected))]
    OtherSigner {
        /// This signer.
        expected: [u8; 20],
        /// The record's.
        found: [u8; 20],
    },
    /// A record that is none.
    #[error("the record of signatures is malformed at number {number}")]
    Malformed {
        /// Its number.
        number: u64,
    },
    /// The store.
    #[error("the record of signatures: {0}")]
    Store(#[from] StoreError),
}

fn words(claim: &Claim) -> String {
    match claim {
        Claim::Sequence(sequence) => format!("sequence {sequence} of its kind"),
        Claim::Version(version) => format!("version {version} of the table"),
        Claim::Request(id) => format!("the end of request {id}"),
        Claim::Withdrawal(id) => format!("the payout of withdrawal {id}"),
        Claim::Block(block) => format!("the reserve at block {block}"),
    }
}

/// One signed report.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    number: u64,
    digest: [u8; 32],
    made: u64,
    until: u64,
    block: u64,
    slots: Vec<([u8; 32], [u8; 32])>,
}

/// The reports that one signer signed.
pub struct SignedRecord {
    store: Arc<dyn RecordStore>,
    kept: Mutex<Kept>,
}

struct Kept {
    entries: Vec<Entry>,
    next: u64,
    floor: u64,
}

impl SignedRecord {
    /// Reads the record of a signer, or begins it.
    ///
    /// # Errors
    /// [`NotRecorded::OtherSigner`], [`NotRecorded::Malformed`], [`NotRecorded::Store`].
    pub fn open(store: Arc<dyn RecordStore>, signer: [u8; 20]) -> Result<Self, NotRecorded> {
        let malformed = NotRecorded::Malformed { number: 0 };
        let floor = match (store.value(SIGNER)?, store.value(FLOOR)?) {
            (None, None) => {
                store.commit(&Change { values: &[(SIGNER, &signer), (FLOOR, &[0; 8])], ..Change::default() })?;
                0
            }
            (Some(found), Some(floor)) => {
                let (Ok(found), Ok(floor)) = (found.try_into(), floor.try_into()) else { return Err(malformed) };
                if found != signer {
                    return Err(NotRecorded::OtherSigner { expected: signer, found });
                }
                u64::from_be_bytes(floor)
            }
            _ => return Err(malformed),
        };
        let entries = read(&*store)?;
        let next = entries.last().map_or(1, |last| last.number.saturating_add(1));
        Ok(Self { store, kept: Kept { entries, next, floor }.into() })
    }

    /// Notes a report that is about to be signed: it is on the medium when this returns. One that is there stays as it is.
    ///
    /// # Errors
    /// [`NotRecorded`]: nothing may be signed then.
    pub fn keep(&self, report: &Report, context: &ReportContext, block: u64) -> Result<(), NotRecorded> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = Entry::of(kept.next, report, context, block);
        if kept.entries.iter().any(|former| former.digest == entry.digest) {
            return Ok(());
        }
        kept.check(&entry, report.payload())?;
        let (gone, floor) = kept.over(entry.made);
        let floor_bytes = floor.to_be_bytes();
        let add = [Record { number: entry.number, key: entry.digest, bytes: entry.to_bytes() }];
        self.store.commit(&Change { remove: &gone, add: &add, values: &[(FLOOR, &floor_bytes)] })?;
        kept.entries.retain(|former| !gone.contains(&former.number));
        (kept.next, kept.floor) = (entry.number.saturating_add(1), floor);
        kept.entries.push(entry);
        Ok(())
    }

    /// Whether nothing is kept: nothing was signed with it, or what was is lost.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).entries.is_empty()
    }

    /// Whether exactly this was signed: signing it once more says nothing new.
    #[must_use]
    pub fn has(&self, report: &Report, context: &ReportContext) -> bool {
        let digest = report.signing_digest(context);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.entries.iter().any(|entry| entry.digest == digest)
    }

    /// The block of the newest report that was signed with this sequence and can still be delivered. Whoever asks enclaves
    /// again asks at this block: what they say of another one is refused.
    ///
    /// *Units*: now in Unix seconds.
    #[must_use]
    pub fn pending(&self, place: &Place, sequence: u64, now: u64) -> Option<u64> {
        let slot = place.slot(&Claim::Sequence(sequence));
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = |entry: &&Entry| entry.until >= now && entry.slots.iter().any(|(found, _)| *found == slot);
        kept.entries.iter().rev().find(pending).map(|entry| entry.block)
    }
}

/// Where a claim counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The chain.
    pub chain: u64,
    /// The receiver.
    pub receiver: [u8; 20],
    /// The kind of report.
    pub kind: Kind,
    /// The committee's epoch.
    pub epoch: u64,
}

impl Place {
    fn of(payload: &Payload) -> Self {
        let binding = &payload.binding;
        let kind = payload.statement.kind();
        Self { chain: binding.chain, receiver: binding.receiver, kind, epoch: binding.epoch }
    }

    fn slot(&self, claim: &Claim) -> [u8; 32] {
        let (chain, epoch, (tag, value)) = (self.chain.to_be_bytes(), self.epoch.to_be_bytes(), claim.parts());
        let fields: [&[u8]; 6] = [&chain, &self.receiver, &[self.kind.number()], &epoch, &[tag], value.as_slice()];
        suite::digest32(domain::SIGNED_CLAIM, &fields)
    }
}

impl Kept {
    /// Nothing that is kept contradicts the report, and nothing that is not kept any more can.
    fn check(&self, entry: &Entry, payload: &Payload) -> Result<(), NotRecorded> {
        if entry.made <= self.floor {
            return Err(NotRecorded::Before { made: entry.made, floor: self.floor });
        }
        let place = Place::of(payload);
        for (claim, _) in claims(payload) {
            let slot = place.slot(&claim);
            if let Some(former) = self.entries.iter().find(|former| former.contradicts(entry, &slot)) {
                return Err(NotRecorded::Contradicts { claim, digest: former.digest, until: former.until });
            }
        }
        Ok(())
    }

    /// The records that are over for long by a time, and the floor without them.
    fn over(&self, made: u64) -> (Vec<u64>, u64) {
        let over = self.entries.iter().filter(|entry| entry.until.saturating_add(KEPT) < made);
        over.fold((Vec::new(), self.floor), |(mut gone, floor), entry| {
            gone.push(entry.number);
            (gone, floor.max(entry.until))
        })
    }
}

impl Entry {
    fn of(number: u64, report: &Report, context: &ReportContext, block: u64) -> Self {
        let payload = report.payload();
        let place = Place::of(payload);
        let slots = claims(payload).into_iter().map(|(claim, word)| (place.slot(&claim), word.0)).collect();
        let (made, until) = (report.header().timestamp.into(), payload.binding.valid_until);
        Self { number, digest: report.signing_digest(context), made, until, block, slots }
    }

    /// Whether both speak of a slot, say different things of it, and neither was over before the other was made.
    fn contradicts(&self, other: &Self, slot: &[u8; 32]) -> bool {
        let word = |entry: &Self| entry.slots.iter().find(|(found, _)| found == slot).map(|(_, word)| *word);
        let differ = matches!((word(self), word(other)), (Some(one), Some(another)) if one != another);
        differ && self.made <= other.until && other.made <= self.until
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = [self.made, self.until, self.block].map(u64::to_be_bytes).concat();
        // a payload makes three claims at most
        bytes.push(u8::try_from(self.slots.len()).unwrap_or(u8::MAX));
        self.slots.iter().for_each(|(slot, word)| bytes.extend([*slot, *word].concat()));
        bytes
    }

    fn read(record: &Record) -> Option<Self> {
        let (head, rest) = record.bytes.split_first_chunk::<25>()?;
        let number = |at: usize| Some(u64::from_be_bytes(head.get(at..at + 8)?.try_into().ok()?));
        let (pairs, trailing) = rest.as_chunks::<64>();
        if !trailing.is_empty() || pairs.len() != usize::from(head[24]) || pairs.is_empty() {
            return None;
        }
        let mut slots = Vec::new();
        for pair in pairs {
            let (slot, word) = pair.split_first_chunk::<32>()?;
            slots.push((*slot, word.try_into().ok()?));
        }
        let (made, until, block) = (number(0)?, number(8)?, number(16)?);
        Some(Self { number: record.number, digest: record.key, made, until, block, slots })
    }
}

fn read(store: &dyn RecordStore) -> Result<Vec<Entry>, NotRecorded> {
    let (mut entries, mut from) = (Vec::new(), 0);
    loop {
        let page = store.records_from(from, PAGE)?;
        let Some(last) = page.last() else { return Ok(entries) };
        from = last.number.saturating_add(1);
        for record in &page {
            entries.push(Entry::read(record).ok_or(NotRecorded::Malformed { number: record.number })?);
        }
    }
}

#[cfg(test)]
mod tests;
