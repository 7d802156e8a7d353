//! The passes over the columns by AVX-512, eight slots a step, and those in plain Rust compiled for AVX2.
//!
//! The only module with `unsafe` that a program has: loads and stores of eight words, and the calls of functions that are
//! compiled for instructions the processor may lack. An [`Ifma`] or an [`Avx2`] is the proof that it has them.
//!
//! The search of rule A adds capacities under masks, that of rule B is plain Rust that the compiler turns into minima and
//! additions. An allocation pass is
//!
//! ```text
//! x        weights: capacities at the margin (rule A), one per order above the level (rule B)
//! c        their running sum: a prefix sum inside the register, and what was carried from the registers before
//! G(c)     the high half of a 104-bit product, by the 52-bit multiplication of IFMA
//! fill     b + G(c) − G(c − x), with b what is filled in full; G(c − x) is G(c) one lane before
//! ```
//!
//! IFMA multiplies the low 52 bits of its operands. c is below 2^51; ρ = 2^52 is the one value that does not fit, and
//! means G(c) = c. Its low 52 bits are zero, so the product is zero and c is added under a mask.
//!
//! *Timing*: the steps depend on the number of slots alone: no branch on data, no gather, and instructions whose time
//! does not depend on their operands.
#![allow(unsafe_code, reason = "vector loads and stores, and calls of functions with target features")]

use core::arch::x86_64::{
    __m128i, __m512i, __mmask8, _mm_cmpeq_epu16_mask, _mm_cmplt_epu16_mask, _mm_extract_epi16, _mm_loadu_si128,
    _mm_mask_max_epu16, _mm_set1_epi16, _mm_setzero_si128, _mm512_add_epi64, _mm512_alignr_epi64, _mm512_and_si512,
    _mm512_cmpgt_epu64_mask, _mm512_loadu_si512, _mm512_madd52hi_epu64, _mm512_mask_add_epi64,
    _mm512_mask_cmplt_epu64_mask, _mm512_mask_mov_epi64, _mm512_maskz_mov_epi64, _mm512_min_epu64,
    _mm512_permutexvar_epi64, _mm512_reduce_add_epi64, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_storeu_si512,
    _mm512_sub_epi64, _mm512_test_epi64_mask,
};

use super::columns::SliceColumns;
use super::eights::{self, padded};
use super::equal;
use super::mask::{equal as same, lesser, nonzero};
use super::scalar::{Allocated, Margin};
use crate::allocation::Rate;

cpufeatures::new!(processor, "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512ifma");
cpufeatures::new!(processor_avx2, "avx2", "bmi2");

/// Slots in a register.
const LANES: usize = eights::SLOTS;

/// The proof that the processor and the operating system have AVX2 and BMI2.
///
/// The passes are those of the portable kernel, compiled once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// Asks the processor, once per program.
    pub(crate) fn detected() -> Option<Self> {
        processor_avx2::get().then_some(Self(()))
    }

    /// The capacity at spreads below a threshold.
    pub(crate) fn sum_below(self, columns: &SliceColumns<'_>, threshold: u16) -> u64 {
        // SAFETY: `self` exists, so the processor has the features of the function.
        unsafe { sum_below_avx2(columns.spreads, columns.capacities, threshold) }
    }

    /// Σ min(e, t) for each of three levels.
    pub(crate) fn sums_up_to(self, columns: &SliceColumns<'_>, levels: [u64; 3]) -> [u64; 3] {
        // SAFETY: as in `sum_below`.
        unsafe { sums_up_to_avx2(columns, levels) }
    }

    /// Fills by rule A, and drops unless this is the last solve.
    pub(crate) fn hand_out(self, columns: &mut SliceColumns<'_>, margin: &Margin, rate: Rate, last: bool) -> Allocated {
        // SAFETY: as in `sum_below`.
        unsafe { hand_out_avx2(columns, margin, rate, last) }
    }

    /// Fills by rule B, and drops unless this is the last solve.
    pub(crate) fn level_out(self, columns: &mut SliceColumns<'_>, level: &Margin, rate: Rate, last: bool) -> Allocated {
        // SAFETY: as in `sum_below`.
        unsafe { level_out_avx2(columns, level, rate, last) }
    }
}

#[target_feature(enable = "avx2,bmi2")]
fn sum_below_avx2(spreads: &[u16], capacities: &[u64], threshold: u16) -> u64 {
    eights::sum_below(spreads, capacities, threshold)
}

#[target_feature(enable = "avx2,bmi2")]
fn sums_up_to_avx2(columns: &SliceColumns<'_>, levels: [u64; 3]) -> [u64; 3] {
    equal::sums_up_to(columns, levels)
}

#[target_feature(enable = "avx2,bmi2")]
fn hand_out_avx2(columns: &mut SliceColumns<'_>, margin: &Margin, rate: Rate, last: bool) -> Allocated {
    eights::hand_out(columns, margin, rate, last)
}

#[target_feature(enable = "avx2,bmi2")]
fn level_out_avx2(columns: &mut SliceColumns<'_>, level: &Margin, rate: Rate, last: bool) -> Allocated {
    equal::level_out(columns, level, rate, last)
}

/// The proof that the processor and the operating system have what these passes are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ifma(());

impl Ifma {
    /// Asks the processor, once per program.
    pub(crate) fn detected() -> Option<Self> {
        processor::get().then_some(Self(()))
    }

    /// The capacity at spreads below each of three thresholds.
    pub(crate) fn sums_below(self, columns: &SliceColumns<'_>, thresholds: [u16; 3]) -> [u64; 3] {
        // SAFETY: `self` exists, so the processor has the features of the function.
        unsafe { sums_below(columns.spreads, columns.capacities, thresholds) }
    }

    /// Σ min(e, t) for each of three levels.
    pub(crate) fn sums_up_to(self, columns: &SliceColumns<'_>, levels: [u64; 3]) -> [u64; 3] {
        // SAFETY: as in `sums_below`.
        unsafe { sums_up_to(columns.capacities, levels) }
    }

    /// Fills by rule A, and drops unless this is the last solve.
    pub(crate) fn hand_out(self, columns: &mut SliceColumns<'_>, margin: &Margin, rate: Rate, last: bool) -> Allocated {
        // SAFETY: as in `sums_below`.
        unsafe { if last { hand_out::<true>(columns, margin, rate) } else { hand_out::<false>(columns, margin, rate) } }
    }

    /// Fills by rule B, and drops unless this is the last solve.
    pub(crate) fn level_out(self, columns: &mut SliceColumns<'_>, level: &Margin, rate: Rate, last: bool) -> Allocated {
        // SAFETY: as in `sums_below`.
        unsafe { if last { level_out::<true>(columns, level, rate) } else { level_out::<false>(columns, level, rate) } }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn sums_below(spreads: &[u16], capacities: &[u64], thresholds: [u16; 3]) -> [u64; 3] {
    let mut search = Search { thresholds: [_mm_setzero_si128(); 3], sums: [_mm512_setzero_si512(); 3] };
    for (wide, threshold) in search.thresholds.iter_mut().zip(thresholds) {
        *wide = _mm_set1_epi16(threshold.cast_signed());
    }
    let (spreads, last_spreads) = spreads.as_chunks::<LANES>();
    let (capacities, last_capacities) = capacities.as_chunks::<LANES>();
    for (spreads, capacities) in spreads.iter().zip(capacities) {
        search.step(spreads, capacities);
    }
    search.step(&padded(last_spreads), &padded(last_capacities));
    let mut sums = [0; 3];
    for (sum, lanes) in sums.iter_mut().zip(search.sums) {
        *sum = _mm512_reduce_add_epi64(lanes).cast_unsigned();
    }
    sums
}

/// A search pass of rule A: a capacity is added under one mask for each threshold.
struct Search {
    thresholds: [__m128i; 3],
    /// By threshold and lane.
    sums: [__m512i; 3],
}

impl Search {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    fn step(&mut self, spreads: &[u16; LANES], capacities: &[u64; LANES]) {
        let (spreads, capacities) = (load_spreads(spreads), load(capacities));
        for (sum, threshold) in self.sums.iter_mut().zip(self.thresholds) {
            *sum = _mm512_mask_add_epi64(*sum, _mm_cmplt_epu16_mask(spreads, threshold), *sum, capacities);
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn sums_up_to(capacities: &[u64], levels: [u64; 3]) -> [u64; 3] {
    capacities.iter().fold([0u64; 3], |[a, b, c], capacity| {
        let [least, middle, most] = levels.map(|level| lesser(*capacity, level));
        [a.wrapping_add(least), b.wrapping_add(middle), c.wrapping_add(most)]
    })
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
#[allow(clippy::cast_possible_truncation, reason = "a margin has 14 bits")]
fn hand_out<const LAST: bool>(columns: &mut SliceColumns<'_>, margin: &Margin, rate: Rate) -> Allocated {
    let at = _mm_set1_epi16(margin.at.cast_signed() as i16);
    let allocated = allocate::<LAST>(columns, rate, |eight| Weighed {
        weight: _mm512_maskz_mov_epi64(_mm_cmpeq_epu16_mask(eight.spreads, at), eight.capacities),
        base: _mm512_maskz_mov_epi64(_mm_cmplt_epu16_mask(eight.spreads, at), eight.capacities),
    });
    Allocated { dearest: margin.at, ..allocated }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
fn level_out<const LAST: bool>(columns: &mut SliceColumns<'_>, level: &Margin, rate: Rate) -> Allocated {
    let at = _mm512_set1_epi64(level.at.cast_signed());
    let one = _mm512_set1_epi64(1);
    allocate::<LAST>(columns, rate, |eight| Weighed {
        weight: _mm512_maskz_mov_epi64(_mm512_cmpgt_epu64_mask(eight.capacities, at), one),
        base: _mm512_min_epu64(eight.capacities, at),
    })
}

/// Eight slots.
struct Eight {
    spreads: __m128i,
    capacities: __m512i,
    minimums: __m512i,
}

/// What an allocation pass makes of eight slots.
struct Weighed {
    /// x.
    weight: __m512i,
    /// Filled in full.
    base: __m512i,
}

/// One pass over all slots; the last ones are padded with slots that have nothing.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
fn allocate<const LAST: bool>(
    columns: &mut SliceColumns<'_>,
    rate: Rate,
    weigh: impl Fn(&Eight) -> Weighed,
) -> Allocated {
    let mut pass = Pass::<LAST>::new(rate);
    let (spreads, last_spreads) = columns.spreads.as_chunks::<LANES>();
    let (minimums, last_minimums) = columns.minimums.as_chunks::<LANES>();
    let (capacities, last_capacities) = columns.capacities.as_chunks_mut::<LANES>();
    let (fills, last_fills) = columns.fills.as_chunks_mut::<LANES>();
    let terms = spreads.iter().zip(minimums);
    for ((spreads, minimums), (capacities, fills)) in terms.zip(capacities.iter_mut().zip(fills)) {
        pass.step(spreads, minimums, capacities, fills, &weigh);
    }
    let (mut capacities, mut fills) = (padded(last_capacities), [0; LANES]);
    pass.step(&padded(last_spreads), &padded(last_minimums), &mut capacities, &mut fills, &weigh);
    last_capacities.iter_mut().zip(capacities).for_each(|(capacity, found)| *capacity = found);
    last_fills.iter_mut().zip(fills).for_each(|(fill, found)| *fill = found);
    pass.allocated()
}

/// What an allocation pass carries from one register to the next. Of the last, nobody reads the capacities.
struct Pass<const LAST: bool> {
    /// ρ, of which the multiplication sees 52 bits.
    rate: __m512i,
    /// All ones if ρ = 2^52.
    whole: __m512i,
    /// The running sum before the next register, in every lane.
    carried: __m512i,
    /// G(c) of the register before.
    handed_out: __m512i,
    /// Capacities that were not dropped, by lane.
    remaining: __m512i,
    /// Lanes in which an order was dropped.
    violated: __mmask8,
    /// The greatest spread filled, by lane.
    dearest: __m128i,
}

impl<const LAST: bool> Pass<LAST> {
    #[target_feature(enable = "avx512f")]
    fn new(rate: Rate) -> Self {
        let zero = _mm512_setzero_si512();
        Self {
            rate: _mm512_set1_epi64(rate.fraction().cast_signed()),
            whole: _mm512_set1_epi64(same(rate.fraction(), 1 << 52).cast_signed()),
            carried: zero,
            handed_out: zero,
            remaining: zero,
            violated: 0,
            dearest: _mm_setzero_si128(),
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
    fn step(
        &mut self,
        spreads: &[u16; LANES],
        minimums: &[u64; LANES],
        capacities: &mut [u64; LANES],
        fills: &mut [u64; LANES],
        weigh: &impl Fn(&Eight) -> Weighed,
    ) {
        let eight = Eight { spreads: load_spreads(spreads), capacities: load(capacities), minimums: load(minimums) };
        let Weighed { weight, base } = weigh(&eight);
        let fill = _mm512_add_epi64(base, self.share(weight));
        let filled = _mm512_test_epi64_mask(fill, fill);
        let dropped = _mm512_mask_cmplt_epu64_mask(filled, fill, eight.minimums);
        self.violated |= dropped;
        self.dearest = _mm_mask_max_epu16(self.dearest, filled, self.dearest, eight.spreads);
        store(fills, fill);
        if !LAST {
            let left = _mm512_mask_mov_epi64(eight.capacities, dropped, _mm512_setzero_si512());
            self.remaining = _mm512_add_epi64(self.remaining, left);
            store(capacities, left);
        }
    }

    /// G(c) − G(c − x): the second is the first of the lane before.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn share(&mut self, weight: __m512i) -> __m512i {
        let inside = prefix_sum(weight);
        let after = self.handed_out(_mm512_add_epi64(inside, self.carried));
        let last = _mm512_set1_epi64(LANES as i64 - 1);
        self.carried = _mm512_add_epi64(self.carried, _mm512_permutexvar_epi64(last, inside));
        let before = _mm512_alignr_epi64::<7>(after, self.handed_out);
        self.handed_out = after;
        _mm512_sub_epi64(after, before)
    }

    /// G(c).
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn handed_out(&self, running: __m512i) -> __m512i {
        _mm512_madd52hi_epu64(_mm512_and_si512(running, self.whole), running, self.rate)
    }

    #[target_feature(enable = "avx512f")]
    fn allocated(&self) -> Allocated {
        Allocated {
            remaining: _mm512_reduce_add_epi64(self.remaining).cast_unsigned(),
            violated: nonzero(u64::from(self.violated)),
            dearest: greatest(self.dearest),
        }
    }
}

/// The greatest of eight numbers of 15 bits.
#[target_feature(enable = "avx512f")]
fn greatest(eight: __m128i) -> u64 {
    let lanes = [
        _mm_extract_epi16::<0>(eight),
        _mm_extract_epi16::<1>(eight),
        _mm_extract_epi16::<2>(eight),
        _mm_extract_epi16::<3>(eight),
        _mm_extract_epi16::<4>(eight),
        _mm_extract_epi16::<5>(eight),
        _mm_extract_epi16::<6>(eight),
        _mm_extract_epi16::<7>(eight),
    ];
    lanes.into_iter().fold(0, |most, lane| {
        let lane = u64::from(lane.cast_unsigned());
        most ^ lane ^ lesser(most, lane)
    })
}

/// x₀, x₀ + x₁, …, x₀ + … + x₇.
#[inline]
#[target_feature(enable = "avx512f")]
fn prefix_sum(x: __m512i) -> __m512i {
    let zero = _mm512_setzero_si512();
    let pairs = _mm512_add_epi64(x, _mm512_alignr_epi64::<7>(x, zero));
    let fours = _mm512_add_epi64(pairs, _mm512_alignr_epi64::<6>(pairs, zero));
    _mm512_add_epi64(fours, _mm512_alignr_epi64::<4>(fours, zero))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_spreads(spreads: &[u16; LANES]) -> __m128i {
    // SAFETY: sixteen bytes behind a reference are read; the load asks for no alignment.
    unsafe { _mm_loadu_si128(spreads.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(words: &[u64; LANES]) -> __m512i {
    // SAFETY: sixty-four bytes behind a reference are read; the load asks for no alignment.
    unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(words: &mut [u64; LANES], value: __m512i) {
    // SAFETY: sixty-four bytes behind a unique reference are written; the store asks for no alignment.
    unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), value) }
}
