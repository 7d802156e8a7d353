//! Collecting a few rows whose places are known here and nowhere else, in one scan that touches every row alike.
//!
//! A row meets three slots in turn ([`turns`](super::turns)); one of them waits for it, or none. So each row costs three
//! comparisons, however many rows are wanted.
//!
//! *Timing*: no branch and no address depends on which rows are wanted, but for the seed that is taken.

use super::{
    lanes::{self, Quad},
    lookup::Touch,
    place,
    row::ROW_LEN,
    touch::slot,
    turns::{TABLES, Turns},
};
use alloc::vec::Vec;

/// Where the three quads of a row begin: amount; reservation and nonce; the nonce once more, and the rest.
const QUADS_AT: [usize; 3] = [24, 40, 48];

/// Bytes 24..40, 40..56 and 48..64 of a row.
pub(super) type Collected = [Quad; 3];

/// The index of the row that is waited for, four times, and what was collected.
#[derive(Clone)]
struct Slot {
    index: Quad,
    held: Collected,
}

/// What was collected for each wanted row, in their order. Erased when dropped.
pub(super) struct Gathered(Vec<Collected>);

impl core::ops::Deref for Gathered {
    type Target = [Collected];

    fn deref(&self) -> &[Collected] {
        &self.0
    }
}

impl Drop for Gathered {
    /// A fill, as for [`Slots`].
    fn drop(&mut self) {
        self.0.fill([[0; 4]; 3]);
        core::hint::black_box(&self.0);
    }
}

/// Tables of slots, each twice: the rows of a block meet slots without a gap. Erased when dropped.
struct Slots([Vec<Slot>; TABLES]);

impl Drop for Slots {
    /// A fill, which is faster than erasing word by word; the barrier keeps it.
    fn drop(&mut self) {
        for table in &mut self.0 {
            table.fill(Slot { index: [0; 4], held: [[0; 4]; 3] });
        }
        core::hint::black_box(&self.0);
    }
}

/// The wanted rows among `rows`, the first of which has the number `first`, a multiple of [`CHUNK_ROWS`]; zeros for
/// [`NOWHERE`]. None where every seed left a row without a slot.
///
/// [`CHUNK_ROWS`]: super::seal::CHUNK_ROWS
/// [`NOWHERE`]: place::NOWHERE
#[inline]
pub(super) fn gather(
    seed: [u64; 4],
    (first, rows): (u32, &[[u8; ROW_LEN]]),
    wanted: &[u32],
    touch: &mut impl FnMut(Touch),
) -> Option<Gathered> {
    let (turns, standing) = place::seeds(seed).find_map(|seed| {
        let turns = Turns::new(seed, wanted.len());
        turns.place(wanted).map(|standing| (turns, standing))
    })?;
    let waiting = |index: &u32| Slot { index: [*index; 4], held: [[0; 4]; 3] };
    let mut slots = Slots(standing.map(|table| table.iter().chain(&table).map(waiting).collect()));
    for (first, rows) in (first..).step_by(turns.slots()).zip(rows.chunks(turns.slots())) {
        slots.block(first, rows, turns.block(first), touch);
    }
    slots.fold();
    Some(Gathered(wanted.iter().map(|index| slots.held(*index)).collect()))
}

impl Slots {
    #[inline]
    fn block(&mut self, first: u32, rows: &[[u8; ROW_LEN]], from: [usize; TABLES], touch: &mut impl FnMut(Touch)) {
        let Self([one, two, three]) = self;
        let [a, b, c] = from;
        let met = one[a..].iter_mut().zip(&mut two[b..]).zip(&mut three[c..]);
        for ((index, row), ((one, two), three)) in (first..).zip(rows).zip(met) {
            touch(Touch::Row(index));
            from.into_iter().for_each(|from| touch(Touch::Group(from)));
            let quads = QUADS_AT.map(|at| lanes::quad(row, at));
            for (at, waiting) in [one, two, three].into_iter().enumerate() {
                slot(at);
                waiting.take(index, &quads);
            }
        }
    }

    /// Adds the second half of each table, the same slots once more, to the first.
    fn fold(&mut self) {
        for table in &mut self.0 {
            let half = table.len() / 2;
            let (first, second) = table.split_at_mut(half);
            for (at, (first, again)) in first.iter_mut().zip(second).enumerate() {
                slot(at);
                first.held = core::array::from_fn(|quad| lanes::or(first.held[quad], again.held[quad]));
            }
        }
    }

    /// What was collected for a row, in the first half of any table.
    fn held(&self, index: u32) -> Collected {
        let mut held = Slot { index: [index; 4], held: [[0; 4]; 3] };
        let first_halves = self.0.iter().flat_map(|table| &table[..table.len() / 2]);
        for (at, waiting) in first_halves.enumerate() {
            slot(at);
            let [index, ..] = waiting.index;
            held.take(index, &waiting.held);
        }
        held.held
    }
}

impl Slot {
    #[inline]
    fn take(&mut self, index: u32, quads: &Collected) {
        let mask = lanes::same(self.index, [index; 4]);
        let [a, b, c] = self.held;
        let [d, e, f] = quads.map(|quad| lanes::and(mask, quad));
        self.held = [lanes::or(a, d), lanes::or(b, e), lanes::or(c, f)];
    }
}

#[cfg(test)]
mod tests {
    use super::{super::place::NOWHERE, *};

    const SEED: [u64; 4] = [0x9d39_247e_3377_6d41, 0x2af7_3980_05aa_a5c7, 0x44db_0150_2462_3547, 0x9c15_f73e_62a7_6ae2];

    #[test]
    fn wanted_rows_are_collected_and_nobody_is_nothing() {
        let mut rows = alloc::vec![[0; ROW_LEN]; 3072];
        for (number, row) in (2048u32..).zip(&mut rows) {
            row.as_chunks_mut::<4>().0.iter_mut().for_each(|word| *word = number.to_be_bytes());
            row[24..28].fill(9);
        }
        let numbered = |index: u32| lanes::quad(&rows[index as usize - 2048], 48);
        for wanted in [&[2048u32, 2049, 2050, 5119, NOWHERE][..], &[3000; 2], &[NOWHERE; 16], &[]] {
            let found = gather(SEED, (2048, &rows), wanted, &mut |_| ()).expect("slots for all");
            for (index, quads) in wanted.iter().zip(&*found) {
                let expected = if *index == NOWHERE { [0; 4] } else { numbered(*index) };
                assert_eq!(quads[2], expected);
                assert_eq!(quads[0][0], if *index == NOWHERE { 0 } else { 0x0909_0909 });
            }
        }
        assert!(gather(SEED, (2048, &rows), &[3000; 4], &mut |_| ()).is_none());
    }
}
