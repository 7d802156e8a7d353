//! Bins that rows meet in turn: the way to put a few patches where few others are, at places that everybody may know.
//!
//! With b bins, the rows of a block of b rows meet one bin each, one after the other, from a bin on that a hash of the
//! block's number under a secret seed chooses. Rows that stand together, as those of one account do, meet different bins.
//!
//! *Security*: two rows of one block never share a bin, and two of different blocks do with probability 1/b. So nine of
//! n patches fall into one of b ≥ 4n bins with probability below (n choose 9)·b⁻⁸: 2^-34 for 16 patches, 2^-29 for 64.
//! Then the next seed is taken. *Timing*: which bin a row meets depends on its index and the seed alone.

use super::{
    mask,
    place::{BinHash, NOWHERE},
    seal::number,
};
use alloc::vec::Vec;

/// Patches that a bin holds.
pub(super) const SLOTS: usize = 8;
/// The fewest bins, so that rows of one run are of one block.
pub(super) const RUN: usize = 64;
/// Bins for each patch.
const BINS_PER_PATCH: usize = 4;

/// The bin of every row.
pub(super) struct Turns {
    hash: BinHash,
    bins: u32,
    log2: u32,
}

impl Turns {
    /// Bins for this many patches.
    pub(super) fn new(seed: [u64; 4], patches: usize) -> Self {
        let bins = (BINS_PER_PATCH * patches).next_power_of_two().max(RUN);
        Self { hash: BinHash::new(seed, bins), bins: number(bins), log2: bins.ilog2() }
    }

    /// Slots of all bins.
    pub(super) fn slot_count(&self) -> u32 {
        self.bins * number(SLOTS)
    }

    /// The bin of a row.
    #[inline]
    fn bin(&self, index: u32) -> u32 {
        index.wrapping_add(self.hash.bin([u64::from(index >> self.log2), 0, 0])) & (self.bins - 1)
    }

    /// The bins of a run of rows; `first` is a multiple of [`RUN`].
    #[inline]
    pub(super) fn run(&self, first: u32) -> impl Iterator<Item = usize> + use<> {
        let (from, mask) = (self.bin(first), self.bins - 1);
        (from..).map(move |bin| (bin & mask) as usize)
    }

    /// The slot of each patch by the index of its row, [`NOWHERE`] for a patch of none; nothing where a bin overflows.
    pub(super) fn slots(&self, indices: &[u32]) -> Option<Vec<u32>> {
        let lanes = number(SLOTS);
        let bins: Vec<_> = indices.iter().map(|index| self.bin(*index)).collect();
        let mut overflow = 0;
        let slots = (0..indices.len()).map(|at| {
            let nowhere = mask::is_zero_32(indices[at] ^ NOWHERE);
            let before = bins[..at].iter().zip(indices);
            let shares =
                |(bin, index): (&u32, &u32)| mask::is_zero_32(bin ^ bins[at]) & !mask::is_zero_32(index ^ NOWHERE);
            let rank: u32 = before.map(|other| shares(other) & 1).sum();
            overflow |= !nowhere & !mask::is_zero_32(rank & !(lanes - 1));
            (!nowhere & (bins[at] * lanes + rank)) | (nowhere & NOWHERE)
        });
        let slots = slots.collect();
        (overflow == 0).then_some(slots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: [u64; 4] = [3, 1, 4, 1];

    #[test]
    fn a_run_meets_the_bins_of_its_rows_and_no_bin_twice_in_a_block() {
        for patches in [0, 16, 17, 64] {
            let turns = Turns::new(SEED, patches);
            for first in (0..4096).step_by(RUN) {
                let run: Vec<_> = turns.run(first).take(RUN).collect();
                let bins: Vec<_> = (first..).take(RUN).map(|index| turns.bin(index) as usize).collect();
                assert_eq!(run, bins);
            }
            for block in 0..4 {
                let mut bins: Vec<_> = (0..turns.bins).map(|at| turns.bin(block * turns.bins + at)).collect();
                bins.sort_unstable();
                assert!((0..turns.bins).eq(bins));
            }
        }
    }

    #[test]
    fn patches_have_slots_of_their_own_in_the_bins_of_their_rows() {
        let turns = Turns::new(SEED, 16);
        let indices: Vec<_> = (0..16).map(|i| if i % 5 == 4 { NOWHERE } else { i * i * 37 }).collect();
        let slots = turns.slots(&indices).expect("no bin overflows");
        for (slot, index) in slots.iter().zip(&indices) {
            match *index {
                NOWHERE => assert_eq!(*slot, NOWHERE),
                index => assert_eq!(slot / 8, turns.bin(index)),
            }
        }
        let mut live: Vec<_> = slots.iter().filter(|slot| **slot != NOWHERE).collect();
        let count = live.len();
        live.sort_unstable();
        live.dedup();
        assert_eq!(live.len(), count);
    }

    #[test]
    fn a_bin_that_overflows_is_told() {
        let turns = Turns::new(SEED, 16);
        let shared: Vec<u32> = (0..100_000).filter(|index| turns.bin(*index) == 5).take(9).collect();
        assert!(turns.slots(&shared[..8]).is_some());
        assert!(turns.slots(&shared).is_none());
    }
}
