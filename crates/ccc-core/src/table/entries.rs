//! The sidecar of a table that stays sealed: the levels of its state tree as they come, then an entry for each row.
//!
//! A chunk's rows are a subtree of 1 024 leaves; its levels are written in the second pass, its root is kept. Entries
//! are sealed when the header is known. Their reading keys stand in key rows that may be anywhere before: for every
//! block of chunks the accounts are collected, their keys are looked up in the chunks up to the block's end, and the
//! entries are sealed. A key row always comes before the balances of its account.
//!
//! *Timing*: like the sidecar of an open table, this shows the positions of each account's rows to a host that watches
//! memory; `docs/spec/table.md`, *What the host of the enclave sees*.

use super::{
    DataKey, Header, Tier,
    chunks::{ChunkSource, MediumError, PlaceSink},
    key::SaltKey,
    passes::{Commit, New, Passes, waves},
    row::{self, ROW_LEN},
    rows::ReadingKeys,
    seal::{CHUNK_ROWS, number},
    sidecar::{ENTRY_LEN, Owners, entry_at, head_bytes, node_at, owner_of},
    stream::{Progress, Stage, StreamError},
    tree::{self, Node, Tree},
};
use alloc::vec;
use alloc::vec::Vec;

/// Chunks whose owners are looked up at a time: 2^18 rows. Few in unit tests, so that a small table has several blocks.
const BLOCK: u32 = if cfg!(test) { 24 } else { 256 };
/// log2 of the rows of a chunk: levels of the state tree below a chunk's root.
const CHUNK_LEVELS: u8 = 10;

/// The subtree over the rows of each chunk.
pub(super) struct StateCommit<'a> {
    pub(super) salts: &'a SaltKey,
}

impl Commit for StateCommit<'_> {
    const NODES: usize = 2 * CHUNK_ROWS - 1;

    fn commit(&self, first: u32, rows: &[[u8; ROW_LEN]], nodes: &mut [Node]) {
        let (mut level, mut above) = nodes.split_at_mut(CHUNK_ROWS);
        tree::leaves((first..).zip(rows).map(|(index, row)| (self.salts.salt(index), row)), level);
        while level.len() > 1 {
            let (parents, rest) = above.split_at_mut(level.len() / 2);
            tree::parents(level, parents);
            (level, above) = (parents, rest);
        }
    }
}

/// Writes the levels of the state tree.
pub(super) struct Levels<'a, P> {
    tier: Tier,
    sidecar: &'a mut P,
    roots: Vec<Node>,
}

impl<'a, P: PlaceSink> Levels<'a, P> {
    pub(super) fn new(tier: Tier, sidecar: &'a mut P) -> Self {
        Self { tier, sidecar, roots: vec![] }
    }

    /// Takes the subtrees of a few chunks, from chunk `first` on.
    pub(super) fn take(&mut self, first: u32, nodes: &[Node]) -> Result<(), MediumError> {
        let subtrees = || nodes.chunks(StateCommit::NODES);
        for level in 0..CHUNK_LEVELS {
            let width = CHUNK_ROWS >> level;
            let from = 2 * (CHUNK_ROWS - width);
            let row: Vec<_> = subtrees().filter_map(|subtree| subtree.get(from..from + width)).collect();
            let at = node_at(self.tier, level, first as usize * width);
            self.sidecar.write_at(at as u64, row.concat().as_flattened())?;
        }
        self.roots.extend(subtrees().filter_map(<[Node]>::last));
        Ok(())
    }

    /// Writes the levels above the chunks and returns the root.
    pub(super) fn finish(self) -> Result<Node, MediumError> {
        let tree = Tree::new(self.roots);
        for (level, nodes) in (CHUNK_LEVELS..).zip(tree.levels()) {
            self.sidecar.write_at(node_at(self.tier, level, 0) as u64, nodes.as_flattened())?;
        }
        Ok(tree.root())
    }
}

/// Writes the head and every entry.
pub(super) fn write<S: ChunkSource, P: PlaceSink>(
    passes: &mut Passes<'_, S>,
    new: &New<'_>,
    header: &Header,
    keys: (&DataKey, &SaltKey),
    sidecar: &mut P,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), StreamError> {
    sidecar.write_at(0, &head_bytes(header))?;
    let ((key, salts), p1, chunks) = (keys, header.p1(), new.tier.chunks());
    for first in (0..chunks).step_by(BLOCK as usize) {
        let end = chunks.min(first + BLOCK);
        let reading_keys = reading_keys(passes, new, first..end)?;
        let owners = Owners { reading_keys: &reading_keys, key, salts, p1: &p1 };
        for wave in waves(first..end) {
            for (at, entries) in (wave.0..).zip(passes.revisit(new, wave, |first, rows| seal(&owners, first, rows))?) {
                sidecar.write_at(entry_at(new.tier, at * number(CHUNK_ROWS)) as u64, &entries)?;
            }
            progress(Progress { stage: Stage::Entries, done: wave.0 + wave.1, of: chunks });
        }
    }
    Ok(())
}

fn seal(owners: &Owners<'_>, first: u32, rows: &[[u8; ROW_LEN]]) -> Vec<u8> {
    let mut entries = vec![0; rows.len() * ENTRY_LEN];
    for ((index, row), entry) in (first..).zip(rows).zip(entries.chunks_mut(ENTRY_LEN)) {
        owners.seal(index, row, entry);
    }
    entries
}

/// The reading keys of the accounts that hold balances in a block.
fn reading_keys<S: ChunkSource>(
    passes: &mut Passes<'_, S>,
    new: &New<'_>,
    block: core::ops::Range<u32>,
) -> Result<ReadingKeys, StreamError> {
    let mut accounts = vec![];
    for wave in waves(block.clone()) {
        let owners = |_, rows: &[[u8; ROW_LEN]]| rows.iter().filter_map(owner_of).collect::<Vec<_>>();
        passes.revisit(new, wave, owners)?.iter().for_each(|owners| accounts.extend_from_slice(owners));
        accounts.sort_unstable();
        accounts.dedup();
    }
    let mut keys = ReadingKeys::new(vec![]);
    for wave in waves(0..block.end) {
        let found = passes.revisit(new, wave, |_, rows| {
            let owned = rows.iter().filter_map(row::owner_and_key);
            ReadingKeys::new(owned.filter(|(account, _)| accounts.binary_search(account).is_ok()).collect())
        })?;
        found.into_iter().for_each(|found| keys.take(found));
    }
    Ok(keys.sorted())
}
