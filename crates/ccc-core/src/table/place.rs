//! Putting a few items into many bins without showing which bins: sorting and routing networks.
//!
//! Above 64 keys a row is compared with the sixteen slots of one bin instead of with every key. Bins are chosen by a
//! hash under a secret seed; what is put where passes through networks whose addresses depend on the numbers of items
//! and bins alone: a bitonic sort by bin, then moves by powers of two towards the slot (the distribution of Krastnikov,
//! Kerschbaum and Stebila, VLDB 2020, section 5.2), and the same moves backwards.
//!
//! *Security*: n keys in at least n bins overflow one of them with probability below n·e⁻¹/17!·1.1, 2^-42 for 256 keys
//! and 2^-32 for 2^18; then the next seed is taken. That is the one address that depends on what is placed.

use super::{lookup::LANES, mask, touch::slot};
use alloc::vec::Vec;
use zeroize::Zeroize;

/// An item that is in no bin.
pub(super) const NOWHERE: u32 = u32::MAX;

/// Seeds that are tried before every row meets everything.
const ATTEMPTS: u64 = 4;
/// Added to every word of a seed for each further attempt: 2⁶⁴ over the golden ratio, odd.
const NEXT_SEED: u64 = 0x9E37_79B9_7F4A_7C15;

/// The seeds to try, the given one first. Each changes every word, so that what shares a bin under one does not under
/// the next: with a change of the first word's last bits alone, inputs would exchange their bins among neighbours.
pub(super) fn seeds(seed: [u64; 4]) -> impl Iterator<Item = [u64; 4]> {
    (0..ATTEMPTS).map(move |attempt| seed.map(|word| word.wrapping_add(attempt.wrapping_mul(NEXT_SEED))))
}

/// Something of `N` words under a number to sort by.
#[derive(Clone, Copy)]
pub(super) struct Item<const N: usize> {
    pub(super) number: u32,
    pub(super) words: [u32; N],
}

impl<const N: usize> Item<N> {
    /// An item of zeros in no bin.
    pub(super) const EMPTY: Self = Self { number: NOWHERE, words: [0; N] };

    #[inline]
    fn select(mask: u32, new: &Self, old: &Self) -> Self {
        let pick = |new: u32, old: u32| old ^ (mask & (new ^ old));
        Self { number: pick(new.number, old.number), words: core::array::from_fn(|i| pick(new.words[i], old.words[i])) }
    }
}

impl<const N: usize> Zeroize for Item<N> {
    fn zeroize(&mut self) {
        self.words.zeroize();
        self.number.zeroize();
    }
}

/// Sorts by number; the items are filled up to a power of two with empty ones.
pub(super) fn sort<const N: usize>(items: &mut Vec<Item<N>>) {
    items.resize(items.len().next_power_of_two(), Item::EMPTY);
    let mut run = 2;
    while run <= items.len() {
        let mut step = run / 2;
        while step > 0 {
            for low in (0..items.len()).filter(|at| at & step == 0) {
                exchange(items, low, low + step, low & run == 0);
            }
            step /= 2;
        }
        run *= 2;
    }
}

/// Puts the smaller number first where `ascending`, else last.
#[inline]
fn exchange<const N: usize>(items: &mut [Item<N>], low: usize, high: usize, ascending: bool) {
    slot(low);
    slot(high);
    let (a, b) = (items[low], items[high]);
    let swap = less(b.number, a.number) ^ if ascending { 0 } else { u32::MAX };
    items[low] = Item::select(swap, &b, &a);
    items[high] = Item::select(swap, &a, &b);
}

/// Where the items of each bin stand: `slots` slots, sixteen for each bin.
pub(super) struct Placed<const N: usize> {
    /// Slot by slot; the number of an item is how far it has moved.
    pub(super) slots: Vec<Item<N>>,
    items: usize,
}

/// Puts every item into a slot of the bin that its number names; none where a bin overflows.
pub(super) fn place<const N: usize>(mut items: Vec<Item<N>>, bins: usize) -> Option<Placed<N>> {
    sort(&mut items);
    let (mut bin, mut rank, mut overflow) = (NOWHERE, 0, 0);
    let lanes = u32::try_from(LANES).expect("sixteen");
    for (at, item) in (0u32..).zip(&mut items) {
        rank = (rank + 1) & mask::is_zero_32(bin ^ item.number);
        bin = item.number;
        let live = !mask::is_zero_32(bin ^ NOWHERE);
        overflow |= live & !less(rank, lanes);
        let slot = bin.wrapping_mul(lanes).wrapping_add(rank);
        item.number = (live & slot.wrapping_sub(at)) | (!live & NOWHERE);
    }
    let count = items.len();
    let mut slots = items;
    slots.resize((bins * LANES).max(count), Item::EMPTY);
    spread(&mut slots);
    (overflow == 0).then_some(Placed { slots, items: count })
}

/// Moves every item as far as its number says, by falling powers of two.
fn spread<const N: usize>(slots: &mut [Item<N>]) {
    let mut step = slots.len().next_power_of_two() / 2;
    while step > 0 {
        for at in (0..slots.len().saturating_sub(step)).rev() {
            route(slots, at, at + step, step);
        }
        step /= 2;
    }
}

/// Moves the item at `from` to `to`, which is empty, where its distance has the bit of this step.
#[inline]
fn route<const N: usize>(slots: &mut [Item<N>], from: usize, to: usize, step: usize) {
    slot(from);
    slot(to);
    let item = slots[from];
    let moves = bit(&item, step);
    slots[to] = Item::select(moves, &item, &slots[to]);
    slots[from] = Item::select(moves, &Item::EMPTY, &item);
}

/// All ones where the item is in a bin and its distance has this bit.
#[inline]
fn bit<const N: usize>(item: &Item<N>, step: usize) -> u32 {
    let step = u32::try_from(step).unwrap_or(0);
    !mask::is_zero_32(item.number & step) & !mask::is_zero_32(item.number ^ NOWHERE)
}

impl<const N: usize> Placed<N> {
    /// The distances of all slots, for [`collect`].
    pub(super) fn distances(&self) -> Vec<u32> {
        self.slots.iter().map(|item| item.number).collect()
    }

    /// Items, empty ones included.
    pub(super) fn items(&self) -> usize {
        self.items
    }
}

/// What stands in the slots, back at the front: [`place`] backwards, for other words at the same places.
pub(super) fn collect<const N: usize>(distances: &[u32], words: &[[u32; N]], items: usize) -> Vec<Item<N>> {
    let slots = distances.iter().zip(words);
    let mut slots: Vec<_> = slots.map(|(number, words)| Item { number: *number, words: *words }).collect();
    let mut step = 1;
    while step < slots.len() {
        for at in step..slots.len() {
            route(&mut slots, at, at - step, step);
        }
        step *= 2;
    }
    let collected = slots[..items].to_vec();
    slots.iter_mut().for_each(Zeroize::zeroize);
    collected
}

/// Puts every item at the place that its number names; places are distinct and below the number of items.
pub(super) fn put<const N: usize>(mut items: Vec<Item<N>>) -> Vec<Item<N>> {
    sort(&mut items);
    for (at, item) in (0u32..).zip(&mut items) {
        let live = !mask::is_zero_32(item.number ^ NOWHERE);
        item.number = (live & item.number.wrapping_sub(at)) | (!live & NOWHERE);
    }
    spread(&mut items);
    items
}

/// All ones where a < b.
#[inline]
fn less(a: u32, b: u32) -> u32 {
    let difference = u64::from(a).wrapping_sub(u64::from(b));
    mask::is_zero_32(u32::from(difference >> 63 == 0))
}

/// Bins of items by a hash under a secret seed.
///
/// *Security*: which bin a row is compared with shows in addresses. It depends on the row's own key and on the seed,
/// never on what is looked for; the seed is new in each version and unknown outside, so that bins look random.
#[derive(Clone, Copy)]
pub(super) struct BinHash {
    pub(super) seed: [u64; 4],
    mask: u32,
}

impl BinHash {
    /// `bins` is a power of two.
    pub(super) fn new(seed: [u64; 4], bins: usize) -> Self {
        Self { seed, mask: u32::try_from(bins).unwrap_or(1 << 31).wrapping_sub(1) }
    }

    /// The bin of three words: two rounds of a folded product.
    #[inline]
    pub(super) fn bin(&self, words: [u64; 3]) -> u32 {
        let [a, b, c, d] = self.seed;
        let first = fold(words[0] ^ a, words[1] ^ b);
        let second = fold(first ^ words[2] ^ c, d | (1 << 63) | 1);
        mask::low_32(second >> 32) & self.mask
    }
}

/// Both halves of the product of a and b, and of what stays when a factor is zero.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    mask::low(product) ^ mask::high(product) ^ a.rotate_left(32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(numbers: &[u32]) -> Vec<Item<1>> {
        numbers.iter().map(|number| Item { number: *number, words: [number.wrapping_mul(3) ^ 5] }).collect()
    }

    #[test]
    fn items_are_sorted() {
        let mut numbers: Vec<u32> = (0..300u32).map(|i| i.wrapping_mul(0x9E37_79B9) >> 20).collect();
        let mut sorted = items(&numbers);
        sort(&mut sorted);
        numbers.sort_unstable();
        assert!(sorted.iter().zip(&numbers).all(|(item, number)| item.number == *number));
        assert_eq!(sorted.len(), 512);
        assert!(sorted[300..].iter().all(|item| item.number == NOWHERE));
    }

    #[test]
    fn items_stand_in_their_bins_and_come_back() {
        let numbers: Vec<u32> =
            (0..100u32).map(|i| if i % 7 == 0 { NOWHERE } else { i.wrapping_mul(37) % 64 }).collect();
        let placed = place(items(&numbers), 64).expect("no bin overflows");
        let mut found = 0;
        for (slot, item) in placed.slots.iter().enumerate().filter(|(_, item)| item.number != NOWHERE) {
            let bin = u32::try_from(slot / LANES).expect("64 bins");
            assert_eq!(item.words, [bin.wrapping_mul(3) ^ 5]);
            found += 1;
        }
        assert_eq!(found, numbers.iter().filter(|number| **number != NOWHERE).count());
        let words: Vec<_> = placed.slots.iter().map(|item| item.words).collect();
        let back = collect(&placed.distances(), &words, placed.items());
        let mut expected: Vec<_> = numbers.iter().filter(|number| **number != NOWHERE).collect();
        expected.sort_unstable();
        assert!(back.iter().zip(expected).all(|(item, number)| item.words == [number.wrapping_mul(3) ^ 5]));
    }

    #[test]
    fn a_bin_that_overflows_is_told() {
        assert!(place(items(&[3; 16]), 16).is_some());
        assert!(place(items(&[3; 17]), 32).is_none());
    }
}
