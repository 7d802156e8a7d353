//! Arbitrary pools, requests and canonical orders: each kernel gives what the slow reference gives, outcome and fills, under
//! every rule, and nothing panics.
//!
//! Numbers come clustered, so that ties, exact fits and shortages are common, and now and then from their whole range.
//!
//! `cargo +nightly fuzz run clearing`
#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use darkpool_matcher::{
    Allocation, BasisPoints, ClearError, Fill, Kernel, Lots, Market, MicroDollars, Notional, Observation, Outcome,
    OwnerId, PriceRefusal, PriceRules, Pricing, Request, Rules, Solves, Spread, SpreadSchedule, StandingOrder,
    SuccessRule, TierMask, Twap, UnixSeconds, Workspace, clear_in, dispersion_limit, reference, twap,
};
use libfuzzer_sys::fuzz_target;

/// Orders in one pool.
const MOST: usize = 80;
const DEADLINE: UnixSeconds = UnixSeconds(1_000_000);

fn lots(input: &mut Unstructured<'_>) -> Result<Lots> {
    let (kind, number) = (input.int_in_range(0..=9)?, input.arbitrary::<u64>()?);
    let value = match kind {
        0..=5 => number % 40,
        6..=7 => number % 100_000,
        8 => number % (Lots::MAX.get() + 1),
        _ => [0, 1, 1 << 50, Lots::MAX.get()][(number % 4) as usize],
    };
    Ok(Lots::new(value).expect("every arm is below 2^51"))
}

fn spread(input: &mut Unstructured<'_>) -> Result<Spread> {
    let number = input.arbitrary::<u16>()?;
    let value = if number & 3 == 0 { number >> 2 } else { 100 + number % 3 };
    Ok(Spread::new(value).expect("14 bits"))
}

/// Mostly without a bound.
fn bound(input: &mut Unstructured<'_>) -> Result<Lots> {
    if input.ratio(2, 3)? { Ok(Lots::MAX) } else { lots(input) }
}

fn owner(input: &mut Unstructured<'_>) -> Result<OwnerId> {
    Ok(OwnerId([input.int_in_range(0..=8)?; 20]))
}

fn tiers(input: &mut Unstructured<'_>) -> Result<TierMask> {
    if input.ratio(7, 8)? { Ok(TierMask::ALL) } else { Ok(TierMask(input.arbitrary()?)) }
}

fn moment(input: &mut Unstructured<'_>) -> Result<UnixSeconds> {
    let near = DEADLINE.0 - 1 + input.int_in_range(0..=2)?;
    Ok(UnixSeconds(if input.ratio(7, 8)? { near } else { input.arbitrary()? }))
}

fn order(input: &mut Unstructured<'_>) -> Result<StandingOrder> {
    Ok(StandingOrder {
        owner: owner(input)?,
        spread: spread(input)?,
        size: lots(input)?,
        balance: bound(input)?,
        cap: bound(input)?,
        minimum: if input.ratio(2, 3)? { Lots::ZERO } else { lots(input)? },
        expiry: moment(input)?,
        tiers: tiers(input)?,
        frozen: input.ratio(1, 16)?,
    })
}

fn schedule(input: &mut Unstructured<'_>) -> Result<SpreadSchedule> {
    if input.ratio(1, 2)? {
        return Ok(SpreadSchedule::flat(Spread::MAX));
    }
    Ok(SpreadSchedule { s0: spread(input)?, s1: spread(input)?, t0: moment(input)?, t1: moment(input)? })
}

fn request(input: &mut Unstructured<'_>) -> Result<Request> {
    let size =
        if input.ratio(2, 3)? { Lots::new(input.int_in_range(0..=2_000)?).expect("small") } else { lots(input)? };
    let share = |input: &mut Unstructured<'_>| -> Result<BasisPoints> {
        Ok(BasisPoints::new(input.int_in_range(0..=10_000)?).expect("at most 10 000"))
    };
    let dispersion = match input.int_in_range(0..=3)? {
        0 => Some(dispersion_limit(input.arbitrary()?, share(input)?, share(input)?, size)),
        1 => Some(lots(input)?),
        _ => None,
    };
    let success = if input.ratio(1, 2)? { SuccessRule::AllOrNone } else { SuccessRule::AtLeast(lots(input)?) };
    let (owner, tiers) = (owner(input)?, tiers(input)?);
    Ok(Request { owner, size, schedule: schedule(input)?, success, dispersion, tiers, deadline: DEADLINE })
}

fn price(input: &mut Unstructured<'_>) -> Result<std::result::Result<Twap, PriceRefusal>> {
    let rules = PriceRules {
        window: 3_600,
        max_gap: 3_600,
        max_stale: 3_600,
        collar: BasisPoints::MAX,
        minimum_observations: 1,
    };
    let price = MicroDollars::new(input.int_in_range(1..=MicroDollars::MAX.get())?).expect("in range");
    let at = UnixSeconds(DEADLINE.0 - rules.window + u64::from(input.ratio(1, 16)?));
    Ok(twap(&[Observation { round: 1, price, at }], &rules, DEADLINE))
}

fn market(input: &mut Unstructured<'_>) -> Result<Market> {
    let lot = match input.int_in_range(0..=3u8)? {
        0 | 1 => 1,
        2 => 1_000_000,
        _ => input.int_in_range(1..=1 << 30)?,
    };
    let rules = Rules {
        allocation: if input.arbitrary()? { Allocation::ProRata } else { Allocation::EqualSplit },
        pricing: if input.arbitrary()? { Pricing::PayAsBid } else { Pricing::Uniform },
        solves: Solves::new(input.int_in_range(1..=4)?).expect("1 to 4"),
    };
    Ok(Market::new(lot).expect("below 2^51").with_rules(rules))
}

/// Every slot once; seldom any numbers at all.
fn permutation(input: &mut Unstructured<'_>, number: usize) -> Result<Vec<u32>> {
    if input.ratio(1, 32)? {
        return (0..number).map(|_| Ok(u32::from(input.arbitrary::<u8>()?))).collect();
    }
    let mut slots: Vec<u32> = (0..).take(number).collect();
    for last in (1..number).rev() {
        slots.swap(last, input.int_in_range(0..=last)?);
    }
    Ok(slots)
}

#[derive(Debug)]
struct Input {
    orders: Vec<StandingOrder>,
    permutation: Vec<u32>,
    request: Request,
    price: std::result::Result<Twap, PriceRefusal>,
    market: Market,
}

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        let (market, price, request) = (market(input)?, price(input)?, request(input)?);
        let number = input.int_in_range(0..=MOST)?;
        let orders = (0..number).map(|_| order(input)).collect::<Result<Vec<_>>>()?;
        let permutation = permutation(input, number)?;
        Ok(Self { orders, permutation, request, price, market })
    }
}

impl Input {
    /// Clears by one kernel, in memory that held something else.
    fn clear(&self, kernel: Kernel) -> std::result::Result<(Outcome, Vec<Fill>), ClearError> {
        let number = self.orders.len();
        let (mut spreads, mut capacities, mut minimums) = (vec![1; number], vec![2; number], vec![3; number]);
        let mut filled = vec![4; number];
        let workspace = Workspace::new(&mut spreads, &mut capacities, &mut minimums, &mut filled)?;
        let mut fills = vec![Fill { lots: Lots::MAX, notional: Notional::new(5) }; number];
        let (mut workspace, permutation) = (workspace.with_kernel(kernel), &self.permutation);
        let Self { request, orders, price, market, .. } = self;
        let outcome = clear_in(request, orders, permutation, *price, market, &mut workspace, &mut fills)?;
        Ok((outcome, fills))
    }
}

fuzz_target!(|input: Input| {
    let Input { request, orders, permutation, price, market } = &input;
    let expected = reference::clear(request, orders, permutation, *price, market);
    assert_eq!(input.clear(Kernel::PORTABLE), expected);
    assert_eq!(input.clear(Kernel::detected()), expected);
});
