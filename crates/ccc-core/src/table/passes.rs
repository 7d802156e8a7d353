//! The passes over a sealed body: a few chunks at a time, chunk by chunk on all threads.
//!
//! The first pass opens every chunk and finds the rows of the round. The second one checks the chunk, opens it, writes,
//! commits to the rows, seals and hashes, while the chunk is in the cache. Memory is a few chunks per thread.
//!
//! *What is checked when*: chunks from the enclave's own memory are hashed once, in the second pass, because both
//! passes see the same bytes. Chunks from outside are hashed in the first pass; their leaves are kept and every later
//! reading of a chunk is compared with its leaf before it is opened.

use super::{
    AssetId, Header, StructuralError, Tier,
    chunks::{ChunkSink, ChunkSource, MediumError},
    lookup::{Findings, Lookup},
    patch::Patches,
    rooms::{Content, Rooms},
    row::{ROW_LEN, Status},
    rows::{Halves, sum_chunk},
    seal::{BodyCipher, CHUNK_LEN, CHUNK_ROWS, SEALED_CHUNK_LEN, leaf, number, root_of},
    stream::{Progress, Stage, StreamError},
    tree::Node,
    working::Survey,
};
use crate::parallel::{prelude::*, threads};
use alloc::vec;
use alloc::vec::Vec;

/// Chunks that a thread is given at a time.
const PER_THREAD: u32 = 16;

/// The body of a version, or none before the first.
pub(super) struct Old<'a> {
    pub(super) header: &'a Header,
    pub(super) cipher: BodyCipher,
    pub(super) aad: [u8; 32],
}

/// Both passes over one body.
pub(super) struct Passes<'a, S> {
    source: &'a mut S,
    old: Option<Old<'a>>,
    /// Chunks of the old body; those behind them are empty.
    present: u32,
    /// Leaves of the old body as the first pass saw them, where it can change between readings.
    leaves: Option<Vec<[u8; 32]>>,
    rooms: Rooms,
}

/// What the second pass does with the rows of a chunk before it seals them.
pub(super) trait Commit: Sync {
    /// Nodes for each chunk; at least one.
    const NODES: usize;

    /// Takes the rows of a chunk, the first of which has the number `first`.
    fn commit(&self, first: u32, rows: &[[u8; ROW_LEN]], nodes: &mut [Node]);
}

/// The new version as the second pass needs it.
pub(super) struct New<'a> {
    pub(super) tier: Tier,
    pub(super) cipher: BodyCipher,
    pub(super) aad: [u8; 32],
    pub(super) status: Status,
    pub(super) patches: &'a Patches,
}

/// The leaves of a chunk before and after.
struct Leaves {
    old: [u8; 32],
    new: [u8; 32],
    opened: bool,
}

struct Taken {
    findings: Findings,
    sums: Vec<Halves>,
    first: Option<[u8; ROW_LEN]>,
    leaves: Vec<(u32, [u8; 32])>,
    closed: Option<u32>,
}

/// First chunk and number of chunks of each wave.
pub(super) fn waves(chunks: core::ops::Range<u32>) -> impl Iterator<Item = (u32, u32)> {
    let (wave, end) = (wave(chunks.end), chunks.end);
    chunks.step_by(wave as usize).map(move |first| (first, wave.min(end - first)))
}

/// Chunks that are worked on at a time.
pub(super) fn wave(chunks: u32) -> u32 {
    PER_THREAD.saturating_mul(number(threads())).clamp(1, chunks.max(1))
}

impl<'a, S: ChunkSource> Passes<'a, S> {
    /// Checks the length of the body.
    pub(super) fn new(source: &'a mut S, old: Option<Old<'a>>, tier: Tier) -> Result<Self, StreamError> {
        let present = old.as_ref().map_or(0, |old| old.header.tier().chunks());
        let expected = present as usize * SEALED_CHUNK_LEN;
        let found = usize::try_from(source.len()?).unwrap_or(usize::MAX);
        if old.is_some() && expected != found {
            return Err(StructuralError::Length { expected, found }.into());
        }
        Ok(Self { source, old, present, leaves: None, rooms: Rooms::new(present, tier.chunks()) })
    }

    /// The first pass: opens every chunk, finds the rows of the round and the sums of some assets.
    pub(super) fn survey(
        &mut self,
        lookup: &Lookup,
        assets: &[AssetId],
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Survey, StreamError> {
        let mut survey = Survey { findings: lookup.start(), sums: vec![Halves::default(); assets.len()], first: None };
        let mut leaves = vec![[0; 32]; if self.source.is_fixed() { 0 } else { self.present as usize }];
        let mut closed = None;
        for (first, count) in waves(0..self.present) {
            let taken = self.take(lookup, assets, (first, count))?;
            survey.findings = survey.findings.merge(&taken.findings);
            survey.sums = survey.sums.iter().zip(&taken.sums).map(|(a, b)| a.with(*b)).collect();
            survey.first = survey.first.or(taken.first);
            for (index, leaf) in &taken.leaves {
                leaves[*index as usize] = *leaf;
            }
            closed = closed.or(taken.closed);
            progress(Progress { stage: Stage::Find, done: first + count, of: self.present });
        }
        if let Some(index) = closed {
            return Err(self.tampered(index)?.into());
        }
        if !self.source.is_fixed() && self.present != 0 {
            self.check_root(&leaves)?;
            self.leaves = Some(leaves);
        }
        Ok(survey)
    }

    fn take(&mut self, lookup: &Lookup, assets: &[AssetId], wave: (u32, u32)) -> Result<Taken, StreamError> {
        let (first, count) = wave;
        let Some(old) = &self.old else { return Ok(Taken::start(lookup, assets)) };
        let hashed = !self.source.is_fixed();
        let sealed = self.source.load(first, count)?;
        let room = self.rooms.for_each();
        let part = (count as usize).div_ceil(self.rooms.threads());
        let rooms = self.rooms.of(wave, part, room);
        let each = rooms.each;
        let plain = rooms.bytes.par_chunks_mut(each * CHUNK_LEN);
        let parts = sealed.par_chunks(part * SEALED_CHUNK_LEN).zip(plain).enumerate();
        Ok(parts.fold_into(
            || Taken::start(lookup, assets),
            |taken, (at, (sealed, plain))| {
                for (group, sealed) in sealed.chunks(room * SEALED_CHUNK_LEN).enumerate() {
                    let (from, index) = (group * room, first + number(at * part + group * room));
                    let plain = &mut plain[from % each * CHUNK_LEN..][..sealed.len() / SEALED_CHUNK_LEN * CHUNK_LEN];
                    taken.open(old, hashed, index, sealed, plain);
                    taken.rows(lookup, assets, index, plain);
                }
            },
            Taken::merge,
        ))
    }

    /// The second pass over a body of `new.tier`; calls `nodes` with what was committed, wave after wave.
    ///
    /// Returns the body root.
    pub(super) fn reseal<B: ChunkSink, C: Commit>(
        &mut self,
        new: &New<'_>,
        sink: &mut B,
        commit: &C,
        mut nodes: impl FnMut(u32, &[Node]) -> Result<(), MediumError>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<[u8; 32], StreamError> {
        let chunks = new.tier.chunks();
        if chunks != self.present || !self.rooms.hold_whole(wave(chunks), chunks) {
            self.rooms.release();
        }
        let (mut old_leaves, mut new_leaves) = (vec![], vec![]);
        let mut committed = vec![[0; 32]; wave(chunks) as usize * C::NODES];
        for (first, count) in waves(0..chunks) {
            let committed = &mut committed[..count as usize * C::NODES];
            let made = self.reseal_wave(new, sink.space(first, count)?, commit, committed, first)?;
            for leaves in made {
                if !leaves.opened {
                    return Err(self.tampered(number(new_leaves.len()))?.into());
                }
                old_leaves.push(leaves.old);
                new_leaves.push(leaves.new);
            }
            sink.keep()?;
            nodes(first, committed)?;
            progress(Progress { stage: Stage::Seal, done: first + count, of: chunks });
        }
        self.rooms.set_written();
        if self.leaves.is_none() && self.old.is_some() {
            old_leaves.truncate(self.present as usize);
            self.check_root(&old_leaves)?;
        }
        Ok(root_of(&new_leaves))
    }

    fn reseal_wave<C: Commit>(
        &mut self,
        new: &New<'_>,
        space: &mut [u8],
        commit: &C,
        committed: &mut [Node],
        first: u32,
    ) -> Result<Vec<Leaves>, StreamError> {
        let count = number(space.len() / SEALED_CHUNK_LEN);
        let part = (count as usize).div_ceil(self.rooms.parts());
        let Self { source, old, rooms, leaves, .. } = self;
        // the leaf of a chunk that stayed open is still to be hashed where the first pass did not
        let read = rooms.content((first, count)) == Content::Other || leaves.is_none();
        let there = if read { self.present.saturating_sub(first).min(count) } else { 0 };
        let sealed = if there == 0 { &[][..] } else { source.load(first, there)? };
        let rooms = rooms.of((first, count), part, 1);
        let opening = Opening { old: old.as_ref(), leaves: leaves.as_deref(), sealed, first, content: rooms.content };
        let each = rooms.each;
        let plain = rooms.bytes.par_chunks_mut(each * CHUNK_LEN).zip(space.par_chunks_mut(part * SEALED_CHUNK_LEN));
        let parts = plain.zip(committed.par_chunks_mut(part * C::NODES)).enumerate();
        let made = parts.map(|(at, ((plain, sealed), nodes))| {
            let chunks = (0..).zip(sealed.chunks_mut(SEALED_CHUNK_LEN).zip(nodes.chunks_mut(C::NODES)));
            let chunk = |(of_part, (sealed, nodes)): (usize, (&mut [u8], &mut [Node]))| {
                let at = at * part + of_part;
                let index = first + number(at);
                let plain = &mut plain[of_part % each * CHUNK_LEN..][..CHUNK_LEN];
                let (old, opened) = opening.rows(at, new, plain);
                commit.commit(index * number(CHUNK_ROWS), plain.as_chunks().0, nodes);
                new.cipher.seal(index, &new.aad, plain, sealed);
                Leaves { old, new: leaf(index, sealed), opened }
            };
            chunks.map(chunk).collect()
        });
        let made: Vec<Vec<Leaves>> = made.collect();
        Ok(made.into_iter().flatten().collect())
    }

    /// Opens a few chunks once more as they are after the update, and hands each to `each`.
    pub(super) fn revisit<A: Send>(
        &mut self,
        new: &New<'_>,
        wave: (u32, u32),
        each: impl Fn(u32, &[[u8; ROW_LEN]]) -> A + Sync + Send,
    ) -> Result<Vec<A>, StreamError> {
        let (first, count) = wave;
        let part = (count as usize).div_ceil(self.rooms.parts());
        let Self { source, old, rooms, leaves, .. } = self;
        let rooms = rooms.of(wave, part, 1);
        let read = rooms.content == Content::Other;
        let there = if read { self.present.saturating_sub(first).min(count) } else { 0 };
        let sealed = if there == 0 { &[][..] } else { source.load(first, there)? };
        let opening = Opening { old: old.as_ref(), leaves: leaves.as_deref(), sealed, first, content: rooms.content };
        let in_part = rooms.each;
        let parts = rooms.bytes.par_chunks_mut(in_part * CHUNK_LEN).enumerate();
        let results = parts.map(|(at, plain)| {
            let from = at * part;
            let chunks = from..(from + part).min(count as usize);
            let chunk = |at: usize| {
                let plain = &mut plain[(at - from) % in_part * CHUNK_LEN..][..CHUNK_LEN];
                let (_, opened) = opening.rows(at, new, plain);
                opened.then(|| each((first + number(at)) * number(CHUNK_ROWS), plain.as_chunks().0)).ok_or(at)
            };
            chunks.map(chunk).collect()
        });
        let results: Vec<Result<Vec<A>, usize>> = results.collect();
        let results: Result<Vec<Vec<A>>, usize> = results.into_iter().collect();
        match results {
            Ok(results) => Ok(results.into_iter().flatten().collect()),
            Err(at) => Err(self.tampered(first + number(at))?.into()),
        }
    }

    /// Why a chunk was refused: the body is another one, or is one that the key does not open.
    fn tampered(&mut self, index: u32) -> Result<StructuralError, StreamError> {
        let mut leaves = Vec::with_capacity(self.present as usize);
        for (first, count) in waves(0..self.present) {
            let sealed = self.source.load(first, count)?.par_chunks(SEALED_CHUNK_LEN).enumerate();
            let wave: Vec<_> = sealed.map(|(at, sealed)| leaf(first + number(at), sealed)).collect();
            leaves.extend(wave);
        }
        Ok(self.check_root(&leaves).err().unwrap_or(StructuralError::Chunk { index }))
    }

    fn check_root(&self, leaves: &[[u8; 32]]) -> Result<(), StructuralError> {
        let Some(old) = &self.old else { return Ok(()) };
        let (expected, found) = (old.header.body_root(), root_of(leaves));
        if expected == found { Ok(()) } else { Err(StructuralError::BodyRoot { expected, found }) }
    }
}

/// Reading chunks of the old body as they are after the update.
struct Opening<'a> {
    old: Option<&'a Old<'a>>,
    leaves: Option<&'a [[u8; 32]]>,
    sealed: &'a [u8],
    first: u32,
    content: Content,
}

impl Opening<'_> {
    /// Opens chunk `at` of the wave into `plain`, unless it stayed open there, and writes onto it. Returns its old leaf,
    /// where it was read, and whether it opened.
    fn rows(&self, at: usize, new: &New<'_>, plain: &mut [u8]) -> ([u8; 32], bool) {
        let index = self.first + number(at);
        let mut result = ([0; 32], true);
        match (self.content, self.old, self.sealed.chunks(SEALED_CHUNK_LEN).nth(at)) {
            (Content::Written, ..) => return result,
            (Content::Opened, _, sealed) => result.0 = sealed.map_or(result.0, |sealed| leaf(index, sealed)),
            (Content::Other, Some(old), Some(sealed)) => {
                result.0 = leaf(index, sealed);
                let known = self.leaves.is_none_or(|leaves| leaves.get(index as usize) == Some(&result.0));
                result.1 = known && old.cipher.open(index, &old.aad, sealed, plain).is_some();
            }
            (Content::Other, ..) => plain.fill(0),
        }
        let rows = plain.as_chunks_mut().0;
        new.patches.apply(index * number(CHUNK_ROWS), rows);
        if let Some(row) = rows.first_mut().filter(|_| index == 0) {
            *row = new.status.to_bytes();
        }
        result
    }
}

impl Taken {
    fn start(lookup: &Lookup, assets: &[AssetId]) -> Self {
        Self {
            findings: lookup.start(),
            sums: vec![Halves::default(); assets.len()],
            first: None,
            leaves: vec![],
            closed: None,
        }
    }

    /// Opens the chunks from `index` on.
    fn open(&mut self, old: &Old<'_>, hashed: bool, index: u32, sealed: &[u8], plain: &mut [u8]) {
        let chunks = sealed.chunks(SEALED_CHUNK_LEN).zip(plain.chunks_mut(CHUNK_LEN));
        for (index, (sealed, plain)) in (index..).zip(chunks) {
            if hashed {
                self.leaves.push((index, leaf(index, sealed)));
            }
            if old.cipher.open(index, &old.aad, sealed, plain).is_none() {
                self.closed = self.closed.or(Some(index));
            }
        }
    }

    /// Takes up the rows of the chunks from `index` on.
    fn rows(&mut self, lookup: &Lookup, assets: &[AssetId], index: u32, plain: &[u8]) {
        lookup.scan(&mut self.findings, index * number(CHUNK_ROWS), plain.as_chunks().0);
        if index == 0 {
            self.first = plain.first_chunk().copied();
        }
        for chunk in plain.chunks(CHUNK_LEN) {
            for (sum, asset) in self.sums.iter_mut().zip(assets) {
                *sum = sum.with(sum_chunk(chunk, *asset));
            }
        }
    }

    fn merge(mut self, other: Self) -> Self {
        let Self { findings, sums, first, leaves, closed } = other;
        self.first = self.first.or(first);
        self.findings = self.findings.merge(&findings);
        self.sums = self.sums.iter().zip(&sums).map(|(a, b)| a.with(*b)).collect();
        self.leaves.extend(leaves);
        self.closed = self.closed.or(closed);
        self
    }
}
