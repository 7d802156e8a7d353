//! Slots that rows meet in turn: the way to put a few rows where few others are, at places that everybody may know.
//!
//! There are three tables of b slots. In each, the rows of a block of b rows meet one slot each, one after the other, from
//! a slot on that a hash of the block's number under a secret seed chooses. What is known of some rows, or wanted from
//! them, stands in one of the three slots that its row meets: in the first table, unless another row comes to stand there,
//! which sends it on to the next table, and so on in a circle (cuckoo hashing; Pagh and Rodler, ESA 2001).
//!
//! *Security*: the walk of a row ends after [`STEPS`] steps. With b ≥ 4n slots for n rows a step finds its slot taken with
//! probability below 1/4, and far below behind the first table: of 80 million simulated walks one in 2^22 took more than
//! three steps, two took five, and none more, so that one of seven has a probability of about 2^-40. Rows that cannot all
//! stand, four with the same three slots, are there with probability below (n choose 4)·b⁻⁹, 2^-43 for 16. Then the next
//! seed is taken. *Timing*: which slots a row meets depends on its index and
//! the seed alone; who stands where is found in scans over whole tables.

use super::{
    mask,
    place::{BinHash, NOWHERE},
    seal::number,
    touch,
};
use alloc::{vec, vec::Vec};

/// Tables; each row meets one slot of each.
pub(super) const TABLES: usize = 3;
/// The fewest slots of a table.
const LEAST: usize = 64;
/// Slots of a table for each row that stands somewhere.
const PER_ROW: usize = 4;
/// Steps of a walk: twice around.
const STEPS: usize = 2 * TABLES;

/// The slots of every row.
pub(super) struct Turns {
    hash: BinHash,
    slots: u32,
    log2: u32,
}

/// Who stands in which slot of which table: indices of rows, [`NOWHERE`] for nobody.
pub(super) type Standing = [Vec<u32>; TABLES];

impl Turns {
    /// Tables for this many rows.
    pub(super) fn new(seed: [u64; 4], rows: usize) -> Self {
        let slots = (PER_ROW * rows).next_power_of_two().max(LEAST);
        Self { hash: BinHash::new(seed, slots), slots: number(slots), log2: slots.ilog2() }
    }

    /// Slots of a table, and rows of a block.
    pub(super) fn slots(&self) -> usize {
        self.slots as usize
    }

    /// The slot of a row in a table.
    #[inline]
    fn slot(&self, table: usize, index: u32) -> u32 {
        index.wrapping_add(self.hash.bin([u64::from(index >> self.log2), table as u64, 0])) & (self.slots - 1)
    }

    /// The slots of the first row of a block; the rows behind it meet the slots behind them, around the end.
    pub(super) fn block(&self, first: u32) -> [usize; TABLES] {
        debug_assert_eq!(first & (self.slots - 1), 0);
        core::array::from_fn(|table| self.slot(table, first) as usize)
    }

    /// A slot for each of the rows, [`NOWHERE`] for none; nothing where a walk does not end.
    pub(super) fn place(&self, rows: &[u32]) -> Option<Standing> {
        let mut standing: Standing = core::array::from_fn(|_| vec![NOWHERE; self.slots()]);
        let mut left = 0;
        for row in rows {
            let last = (0..STEPS).fold(*row, |row, step| {
                let table = step % TABLES;
                exchange(&mut standing[table], self.slot(table, row), row)
            });
            left |= !mask::is_zero_32(last ^ NOWHERE);
        }
        (left == 0).then_some(standing)
    }
}

/// Puts a row into a slot and returns who stood there. Nobody stays nobody.
#[inline]
fn exchange(table: &mut [u32], slot: u32, row: u32) -> u32 {
    let live = !mask::is_zero_32(row ^ NOWHERE);
    let mut before = 0;
    for (at, standing) in (0u32..).zip(table) {
        touch::slot(at as usize);
        let here = mask::is_zero_32(at ^ slot) & live;
        before |= here & !*standing;
        *standing ^= here & (*standing ^ row);
    }
    !before
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: [u64; 4] = [0x9d39_247e_3377_6d41, 0x2af7_3980_05aa_a5c7, 0x44db_0150_2462_3547, 0x9c15_f73e_62a7_6ae2];

    #[test]
    fn a_block_meets_the_slots_of_its_rows_and_none_twice() {
        for rows in [0, 16, 17, 64] {
            let turns = Turns::new(SEED, rows);
            for first in (0..8192).step_by(turns.slots()) {
                for (table, from) in turns.block(first).into_iter().enumerate() {
                    let mut met: Vec<_> = (first..).take(turns.slots()).map(|row| turns.slot(table, row)).collect();
                    let expected: Vec<_> = (number(from)..).take(met.len()).map(|at| at % turns.slots).collect();
                    assert_eq!(met, expected);
                    met.sort_unstable();
                    assert!((0..turns.slots).eq(met));
                }
            }
        }
    }

    #[test]
    fn every_row_stands_once_in_a_slot_that_it_meets() {
        for (count, apart) in [(16, 1), (16, 37), (16, 64), (16, 4096), (64, 1), (64, 256), (64, 1009)] {
            let rows: Vec<u32> = (0..count).map(|i| if i % 5 == 4 { NOWHERE } else { i * apart }).collect();
            let turns = Turns::new(SEED, rows.len());
            let standing = turns.place(&rows).expect("every walk ends");
            let mut found = vec![];
            for (table, slots) in standing.iter().enumerate() {
                for (slot, row) in (0u32..).zip(slots).filter(|(_, row)| **row != NOWHERE) {
                    assert_eq!(turns.slot(table, *row), slot);
                    found.push(*row);
                }
            }
            found.sort_unstable();
            assert!(rows.iter().filter(|row| **row != NOWHERE).eq(&found));
        }
    }

    #[test]
    fn a_walk_that_does_not_end_is_told() {
        let turns = Turns::new(SEED, 16);
        assert!(turns.place(&[5; 3]).is_some());
        assert!(turns.place(&[5; 4]).is_none());
    }
}
