//! One buy request.

use crate::kernel::division::{divide_wide, floor_by_ten_to_4};
use crate::kernel::mask::{at_most, bit, less, nonzero, select};
use crate::kernel::scalar::Demand;
use crate::types::{AMOUNT_MAX, BasisPoints, Lots, OwnerId, Spread, TierMask, UnixSeconds};

/// The highest admissible spread as a function of time: from `s0` at `t0` in a straight line to `s1` at `t1`.
///
/// Before `t0` it is `s0`, after `t1` it is `s1`; with `t1` ≤ `t0` it is `s0` throughout.
///
/// *Security*: evaluated once, at the deadline, and never published: success at one step of a public
/// schedule would tell the pool's depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpreadSchedule {
    /// The spread at `t0`.
    pub s0: Spread,
    /// The spread at `t1`.
    pub s1: Spread,
    /// The start.
    pub t0: UnixSeconds,
    /// The end.
    pub t1: UnixSeconds,
}

impl SpreadSchedule {
    /// One spread at all times.
    #[must_use]
    pub const fn flat(spread: Spread) -> Self {
        Self { s0: spread, s1: spread, t0: UnixSeconds(0), t1: UnixSeconds(0) }
    }

    /// S = s₀ + ⌊(s₁ − s₀)(t − t₀) / (t₁ − t₀)⌋ with t clamped to [t₀, t₁].
    ///
    /// *Timing*: constant; no division instruction.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "the value lies between two spreads of 14 bits")]
    pub fn at(&self, t: UnixSeconds) -> Spread {
        let (s0, s1) = (u64::from(self.s0.get()), u64::from(self.s1.get()));
        let falling = less(s1, s0);
        let rise = select(falling, s0.wrapping_sub(s1), s1.wrapping_sub(s0));
        let (elapsed, whole) = self.elapsed(t);
        let (floor, exact) = divide_wide::<14>(u128::from(rise) * u128::from(elapsed), whole);
        // the floor of a negative number lies one further from zero
        let step = floor.wrapping_add(bit(falling & !exact));
        let spread = select(falling, s0.wrapping_sub(step), s0.wrapping_add(step));
        Spread::masked(spread as u16)
    }

    /// (t − t₀, t₁ − t₀) with t clamped; the whole is at least 1 and at least the part.
    fn elapsed(&self, t: UnixSeconds) -> (u64, u64) {
        let (t0, t1) = (self.t0.0, self.t1.0);
        let whole = t1.wrapping_sub(t0) & less(t0, t1);
        let since = t.0.wrapping_sub(t0) & less(t0, t.0);
        let elapsed = select(less(since, whole), since, whole);
        (elapsed, whole | bit(!nonzero(whole)))
    }
}

/// When a clearing counts as success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuccessRule {
    /// The whole size or nothing.
    AllOrNone,
    /// As much as there is, and at least this much.
    AtLeast(Lots),
}

/// One buy request, as opened inside the enclave.
///
/// The size and the minimum total are rounded up to lots at the boundary ([`Lots::ceil`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The requester's account; its own standing orders are not filled.
    pub owner: OwnerId,
    /// The size Q.
    pub size: Lots,
    /// The highest admissible spread over time.
    pub schedule: SpreadSchedule,
    /// When the clearing counts as success.
    pub success: SuccessRule,
    /// The most that one maker may fill, if limited ([`dispersion_limit`]).
    pub dispersion: Option<Lots>,
    /// The tiers admitted.
    pub tiers: TierMask,
    /// The moment for which everything is evaluated.
    pub deadline: UnixSeconds,
}

/// What the standing orders are held against: a request at its deadline, as bare numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) owner: OwnerId,
    pub(crate) tiers: TierMask,
    pub(crate) deadline: u64,
    /// S, the admissible spread at the deadline.
    pub(crate) spread: u64,
    /// D, or the greatest amount if there is no limit.
    pub(crate) limit: u64,
    pub(crate) demand: Demand,
}

impl Terms {
    /// Evaluates a request at its deadline, once.
    pub(crate) fn of(request: &Request) -> Self {
        Self {
            owner: request.owner,
            tiers: request.tiers,
            deadline: request.deadline.0,
            spread: u64::from(request.schedule.at(request.deadline).get()),
            limit: request.dispersion.map_or(AMOUNT_MAX, Lots::get),
            demand: Demand { size: request.size.get(), least: least(request).get() },
        }
    }
}

fn least(request: &Request) -> Lots {
    match request.success {
        SuccessRule::AllOrNone => request.size,
        SuccessRule::AtLeast(least) => least,
    }
}

/// The dispersion limit D of one request, the same for every maker.
///
/// d = d_lo + ⌊u · (d_hi − d_lo + 1) / 2^64⌋ basis points; D = max(1, ⌊d · Q / 10^4⌋). With `d_hi` below
/// `d_lo`, d is `d_lo`.
///
/// *Units*: `u` is a uniform draw of 64 bits, the first 8 bytes, big-endian, of
/// H("dispersion"; request id, seed inside the order).
///
/// *Security*: one draw per request, reused on retry; a draw per maker could be averaged away. A maker filled
/// to its limit learns only Q ∈ \[fill / d_hi, fill / d_lo\].
///
/// *Timing*: constant; no division.
#[must_use]
#[allow(clippy::cast_possible_truncation, reason = "u·w / 2^64 < w ≤ 10 001, and d·Q / 10^4 ≤ 2·Q < 2^52")]
pub fn dispersion_limit(u: u64, d_lo: BasisPoints, d_hi: BasisPoints, size: Lots) -> Lots {
    let (lo, hi) = (u64::from(d_lo.get()), u64::from(d_hi.get()));
    let width = (hi.wrapping_sub(lo) & less(lo, hi)).wrapping_add(1);
    let drawn = lo.wrapping_add(((u128::from(u) * u128::from(width)) >> 64) as u64);
    let limit = floor_by_ten_to_4(u128::from(drawn) * u128::from(size.get())) as u64;
    Lots::masked(select(at_most(1, limit), limit, 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    fn spread(value: u16) -> Spread {
        Spread::new(value).unwrap()
    }

    fn schedule(s0: u16, s1: u16, t0: u64, t1: u64) -> SpreadSchedule {
        SpreadSchedule { s0: spread(s0), s1: spread(s1), t0: UnixSeconds(t0), t1: UnixSeconds(t1) }
    }

    #[test]
    fn the_schedule_clamps_and_floors() {
        let rising = schedule(100, 200, 1_000, 1_003);
        let falling = schedule(200, 100, 1_000, 1_003);
        for (t, up, down) in [
            (0, 100, 200),
            (1_000, 100, 200),
            (1_001, 133, 166),
            (1_002, 166, 133),
            (1_003, 200, 100),
            (u64::MAX, 200, 100),
        ] {
            assert_eq!(rising.at(UnixSeconds(t)).get(), up, "rising at {t}");
            assert_eq!(falling.at(UnixSeconds(t)).get(), down, "falling at {t}");
        }
    }

    #[test]
    fn a_schedule_without_length_is_its_start() {
        for t in [0, 4, 5, 6, u64::MAX] {
            assert_eq!(schedule(7, 9, 5, 5).at(UnixSeconds(t)).get(), 7);
            assert_eq!(schedule(7, 9, 6, 5).at(UnixSeconds(t)).get(), 7);
            assert_eq!(SpreadSchedule::flat(spread(16_383)).at(UnixSeconds(t)), Spread::MAX);
        }
        assert_eq!(schedule(0, 16_383, 0, u64::MAX).at(UnixSeconds(u64::MAX)), Spread::MAX);
    }

    #[test]
    fn the_limit_is_at_least_one_lot() {
        let bps = |value| BasisPoints::new(value).unwrap();
        let lots = |value| Lots::new(value).unwrap();
        assert_eq!(dispersion_limit(0, bps(500), bps(1_000), lots(1)), lots(1));
        assert_eq!(dispersion_limit(0, bps(0), bps(0), Lots::MAX), lots(1));
        assert_eq!(dispersion_limit(0, bps(500), bps(1_000), lots(10_000)), lots(500));
        assert_eq!(dispersion_limit(u64::MAX, bps(500), bps(1_000), lots(10_000)), lots(1_000));
        assert_eq!(dispersion_limit(u64::MAX, bps(10_000), bps(10_000), Lots::MAX), Lots::MAX);
        assert_eq!(dispersion_limit(u64::MAX, bps(700), bps(600), lots(10_000)), lots(700));
    }

    proptest! {
        #[test]
        fn the_schedule_is_the_formula(
            s0 in 0u16..16_384, s1 in 0u16..16_384, t0 in any::<u32>(), length in 1u32.., t in any::<u64>(),
        ) {
            let (t0, t1) = (u64::from(t0), u64::from(t0) + u64::from(length));
            let found = schedule(s0, s1, t0, t1).at(UnixSeconds(t % (1 << 34)));
            let clamped = (t % (1 << 34)).clamp(t0, t1);
            let rise = (i128::from(s1) - i128::from(s0)) * i128::from(clamped - t0);
            prop_assert_eq!(i128::from(found.get()), i128::from(s0) + rise.div_euclid(i128::from(t1 - t0)));
        }

        #[test]
        fn the_limit_is_the_formula(u in any::<u64>(), a in 0u16..=10_000, b in 0u16..=10_000, size in 0u64..1 << 51) {
            let (lo, hi) = (a.min(b), a.max(b));
            let found = dispersion_limit(u, BasisPoints::new(lo).unwrap(), BasisPoints::new(hi).unwrap(), Lots::new(size).unwrap());
            let drawn = u128::from(lo) + ((u128::from(u) * u128::from(hi - lo + 1)) >> 64);
            prop_assert!(drawn <= u128::from(hi));
            prop_assert_eq!(u128::from(found.get()), (drawn * u128::from(size) / 10_000).max(1));
        }
    }
}
