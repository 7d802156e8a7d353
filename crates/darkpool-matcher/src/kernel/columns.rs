//! The memory of a clearing: four columns, one entry per slot, in canonical order.
//!
//! The kernel has no index. It reaches memory only through two passes, each over every slot from the
//! first to the last, so the addresses depend on the number of slots alone.

/// What a pass reads of one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// The spread.
    pub(crate) spread: u16,
    /// The effective capacity, in lots.
    pub(crate) capacity: u64,
    /// The minimum interaction, in lots.
    pub(crate) minimum: u64,
}

/// What a pass writes to one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// The capacity left for the next solve, in lots.
    pub(crate) capacity: u64,
    /// The fill, in lots.
    pub(crate) fill: u64,
}

/// Memory that can be passed over and not addressed.
pub(crate) trait Columns {
    /// Folds (spread, capacity) over all slots.
    fn read<A>(&self, start: A, step: impl FnMut(A, u16, u64) -> A) -> A;

    /// Rewrites capacity and fill of all slots.
    fn rewrite(&mut self, step: impl FnMut(Slot) -> Written);
}

/// Columns in slices of one length.
#[derive(Debug)]
pub(crate) struct SliceColumns<'a> {
    /// Spreads, 14 bits.
    pub(crate) spreads: &'a mut [u16],
    /// Effective capacities, in lots.
    pub(crate) capacities: &'a mut [u64],
    /// Minimum interactions, in lots.
    pub(crate) minimums: &'a mut [u64],
    /// Fills, in lots.
    pub(crate) fills: &'a mut [u64],
}

impl Columns for SliceColumns<'_> {
    #[inline]
    fn read<A>(&self, start: A, mut step: impl FnMut(A, u16, u64) -> A) -> A {
        let pairs = self.spreads.iter().zip(self.capacities.iter());
        pairs.fold(start, |folded, (spread, capacity)| step(folded, *spread, *capacity))
    }

    #[inline]
    fn rewrite(&mut self, mut step: impl FnMut(Slot) -> Written) {
        let terms = self.spreads.iter().zip(self.minimums.iter());
        let written = self.capacities.iter_mut().zip(self.fills.iter_mut());
        for ((spread, minimum), (capacity, fill)) in terms.zip(written) {
            let slot = Slot { spread: *spread, capacity: *capacity, minimum: *minimum };
            let next = step(slot);
            *capacity = next.capacity;
            *fill = next.fill;
        }
    }
}
