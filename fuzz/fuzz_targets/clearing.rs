//! Arbitrary pools, requests, counterparty lists and canonical orders: each kernel gives what the slow reference gives, outcomes
//! and fills, under every rule, of the first request alone and of all as a batch, and nothing panics.
//!
//! Numbers come clustered, so that ties, exact fits and shortages are common, and now and then from their whole range.
//!
//! `cargo +nightly fuzz run clearing`
#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use darkpool_matcher::{
    Allocation, BasisPoints, Batch, ClearError, CounterpartyList, Fill, Kernel, Lots, Market, MicroDollars, Notional,
    Observation, Outcome, OwnerId, PriceRefusal, PriceRules, Pricing, Request, Rules, Solves, Spread, SpreadSchedule,
    StandingOrder, SuccessRule, TierMask, Twap, UnixSeconds, Workspace, clear_batch_in, clear_in, dispersion_limit,
    reference, twap,
};
use libfuzzer_sys::fuzz_target;

/// Orders in one pool.
const MOST: usize = 80;
/// Requests in one batch.
const MOST_REQUESTS: usize = 4;
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

fn list(input: &mut Unstructured<'_>) -> Result<CounterpartyList> {
    let number = input.int_in_range(0..=CounterpartyList::MOST)?;
    let names = (0..number).map(|_| owner(input)).collect::<Result<Vec<_>>>()?;
    let list = if input.arbitrary()? { CounterpartyList::allow(&names) } else { CounterpartyList::deny(&names) };
    Ok(list.expect("at most eight names"))
}

/// None at all, one each, or seldom another number.
fn lists(input: &mut Unstructured<'_>, number: usize) -> Result<Vec<CounterpartyList>> {
    let number = match input.int_in_range(0..=31u8)? {
        0..=15 => 0,
        31 => input.int_in_range(0..=number + 1)?,
        _ => number,
    };
    (0..number).map(|_| list(input)).collect()
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
    order_lists: Vec<CounterpartyList>,
    permutation: Vec<u32>,
    requests: Vec<Request>,
    request_lists: Vec<CounterpartyList>,
    sequence: Vec<u32>,
    prices: Vec<std::result::Result<Twap, PriceRefusal>>,
    market: Market,
}

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        let market = market(input)?;
        let asked = input.int_in_range(1..=MOST_REQUESTS)?;
        let prices = (0..asked).map(|_| price(input)).collect::<Result<Vec<_>>>()?;
        let requests = (0..asked).map(|_| request(input)).collect::<Result<Vec<_>>>()?;
        let (request_lists, sequence) = (lists(input, asked)?, permutation(input, asked)?);
        let number = input.int_in_range(0..=MOST)?;
        let orders = (0..number).map(|_| order(input)).collect::<Result<Vec<_>>>()?;
        let (order_lists, permutation) = (lists(input, number)?, permutation(input, number)?);
        Ok(Self { orders, order_lists, permutation, requests, request_lists, sequence, prices, market })
    }
}

/// What lay in the memory before.
const STALE: Fill = Fill { lots: Lots::MAX, notional: Notional::new(5) };

impl Input {
    fn batch(&self) -> Batch<'_> {
        Batch {
            orders: &self.orders,
            order_lists: &self.order_lists,
            permutation: &self.permutation,
            requests: &self.requests,
            request_lists: &self.request_lists,
            sequence: &self.sequence,
            prices: &self.prices,
        }
    }

    /// Clears the first request, without lists, by one kernel.
    fn clear(&self, kernel: Kernel) -> std::result::Result<(Outcome, Vec<Fill>), ClearError> {
        let Self { requests, orders, permutation, prices, market, .. } = self;
        let mut fills = vec![STALE; orders.len()];
        let outcome = by(kernel, orders.len(), |workspace| {
            clear_in(&requests[0], orders, permutation, prices[0], market, workspace, &mut fills)
        })?;
        Ok((outcome, fills))
    }

    /// Clears all requests, with their lists, by one kernel.
    fn clear_all(&self, kernel: Kernel) -> std::result::Result<(Vec<Outcome>, Vec<Fill>), ClearError> {
        let (number, asked) = (self.orders.len(), self.requests.len());
        let (mut fills, mut outcomes) = (vec![STALE; number * asked], vec![Outcome::UNCLEARED; asked]);
        // memory that held other orders
        let mut standing = vec![StandingOrder { size: Lots::MAX, ..StandingOrder::EMPTY }; number];
        by(kernel, number, |workspace| {
            clear_batch_in(&self.batch(), &self.market, workspace, &mut standing, &mut fills, &mut outcomes)
        })?;
        Ok((outcomes, fills))
    }
}

/// Runs with the memory of a clearing, which held something else.
fn by<T>(
    kernel: Kernel,
    number: usize,
    run: impl FnOnce(&mut Workspace<'_>) -> std::result::Result<T, ClearError>,
) -> std::result::Result<T, ClearError> {
    let (mut spreads, mut capacities, mut minimums) = (vec![1; number], vec![2; number], vec![3; number]);
    let mut filled = vec![4; number];
    let workspace = Workspace::new(&mut spreads, &mut capacities, &mut minimums, &mut filled)?;
    run(&mut workspace.with_kernel(kernel))
}

fuzz_target!(|input: Input| {
    let Input { requests, orders, permutation, prices, market, .. } = &input;
    let expected = reference::clear(&requests[0], orders, permutation, prices[0], market);
    let of_all = reference::clear_batch(&input.batch(), market);
    for kernel in Kernel::available() {
        assert_eq!(input.clear(kernel), expected, "{}", kernel.name());
        assert_eq!(input.clear_all(kernel), of_all, "{}", kernel.name());
    }
});
