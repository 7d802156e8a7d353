//! Room for open chunks: the first chunks of a body stay open from the first pass to the last, the others take turns.
//!
//! What a pass holds open it need not open again. How many chunks stay open depends on the tier and on the threads alone,
//! and is bounded, so that memory does not grow with the table.

use super::{
    passes::wave,
    seal::{CHUNK_LEN, number},
};
use crate::parallel::threads;
use alloc::{vec, vec::Vec};

/// Chunks that a thread holds open besides: few enough for the cache of one core.
const OPEN: usize = 4;
/// Chunks that stay open: 4 MiB. Tests have fewer, so that their tables of 64 have both kinds of chunks, on one thread, on
/// two and on three.
const HELD: u32 = if cfg!(test) { 48 } else { 64 };

/// Open chunks, erased when dropped.
struct Plain(Vec<u8>);

impl Plain {
    fn new(chunks: usize) -> Self {
        Self(vec![0; chunks * CHUNK_LEN])
    }
}

impl Drop for Plain {
    /// A fill, for erasing byte by byte would take longer than sealing; the barrier keeps it.
    fn drop(&mut self) {
        self.0.fill(0);
        core::hint::black_box(&self.0);
    }
}

/// What lies in a room when a pass comes to its chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Anything: the chunk has to be opened.
    Other,
    /// The chunk as it was opened.
    Opened,
    /// The chunk as it is after the update.
    Written,
}

/// Room for open chunks, the same number for each thread, and the chunks that stay.
pub(super) struct Rooms {
    held: Plain,
    content: Content,
    shared: Plain,
    for_each: usize,
    /// Threads when the rooms were made; a later step may run on others.
    threads: usize,
}

/// The rooms of a wave: parts of it lie `each` chunks apart, and a part uses its rooms in turn.
pub(super) struct Part<'a> {
    pub(super) bytes: &'a mut [u8],
    pub(super) each: usize,
    pub(super) content: Content,
}

impl Rooms {
    /// For a body of `present` chunks, none before the first version, that becomes one of `chunks`.
    pub(super) fn new(present: u32, chunks: u32) -> Self {
        let (wave, threads) = (wave(present), threads());
        let held = if present <= HELD { present } else { HELD / wave * wave };
        let mut rooms = Self {
            held: Plain::new(held as usize),
            content: Content::Opened,
            shared: Plain::new(0),
            for_each: (chunks as usize).div_ceil(threads).clamp(1, OPEN),
            threads,
        };
        if held < chunks {
            rooms.share();
        }
        rooms
    }

    fn share(&mut self) {
        self.shared = Plain::new(self.parts());
    }

    /// Chunks that a thread opens before it looks at their rows.
    pub(super) fn for_each(&self) -> usize {
        self.for_each
    }

    /// Parts of a wave of which each opens several chunks before it looks at their rows.
    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    /// Parts of a wave of which each has one room.
    pub(super) fn parts(&self) -> usize {
        self.threads * self.for_each
    }

    /// Chunks that stay open.
    fn held(&self) -> u32 {
        number(self.held.0.len() / CHUNK_LEN)
    }

    /// What is in the rooms of a wave.
    pub(super) fn content(&self, (first, count): (u32, u32)) -> Content {
        if first + count <= self.held() { self.content } else { Content::Other }
    }

    /// The rooms of a wave of which parts have `part` chunks; the shared ones are `shared` for each part.
    pub(super) fn of(&mut self, wave: (u32, u32), part: usize, shared: usize) -> Part<'_> {
        let content = self.content(wave);
        if content == Content::Other {
            return Part { bytes: &mut self.shared.0, each: shared, content };
        }
        let from = wave.0 as usize * CHUNK_LEN;
        Part { bytes: &mut self.held.0[from..from + wave.1 as usize * CHUNK_LEN], each: part, content }
    }

    /// Whether each wave of a body of `chunks` stays open whole or not at all. Otherwise the rooms of one in part would keep
    /// its chunks as they were opened, and later steps would take them for those after the update.
    pub(super) fn hold_whole(&self, wave: u32, chunks: u32) -> bool {
        self.held() == chunks || self.held().is_multiple_of(wave)
    }

    /// Lets the chunks go that stay open, where the waves to come are others: a larger tier, other threads.
    pub(super) fn release(&mut self) {
        if self.held() > 0 {
            self.held = Plain::new(0);
            self.share();
        }
    }

    /// The chunks that stay open are those after the update from now on.
    pub(super) fn set_written(&mut self) {
        self.content = Content::Written;
    }
}
