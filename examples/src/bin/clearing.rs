//! One request is cleared against four standing orders, first within the pool's depth and then beyond it.

use ccc_examples::{Anything, holds};
use darkpool_matcher::{
    BasisPoints, Fill, Lots, Market, MicroDollars, Observation, Outcome, OwnerId, PriceRules, Request, Spread,
    SpreadSchedule, StandingOrder, SuccessRule, TierMask, Twap, UnixSeconds, clear, twap,
};

const DEADLINE: UnixSeconds = UnixSeconds(1_800_000_000);
/// One lot is a hundredth of a coin.
const LOT: u64 = 1_000_000;

fn main() -> Result<(), Anything> {
    let price = price()?;
    println!("average price: {} dollars", price.price().get() / 1_000_000);
    // maker, spread in 1/100 basis point, lots offered, cap
    let orders = [
        order(1, 300, 4_000, 4_000)?,
        order(2, 500, 9_000, 3_000)?,
        order(3, 500, 6_000, 6_000)?,
        order(4, 900, 9_000, 9_000)?,
    ];

    let (outcome, fills) = run(8_500, &orders, price)?;
    report(&outcome, &fills);
    let filled: Vec<u64> = fills.iter().map(|fill| fill.lots.get()).collect();
    holds("the cheapest maker is filled in full", filled[0] == 4_000)?;
    holds("makers at the margin share in proportion to what they can give", filled[1] * 2 == filled[2])?;
    holds("the dearest maker is not needed", filled[3] == 0)?;
    holds("fills add up to the request", filled.iter().sum::<u64>() == 8_500)?;

    let (outcome, fills) = run(30_000, &orders, price)?;
    report(&outcome, &fills);
    holds(
        "a pool that is too small fills nothing",
        !outcome.success && fills.iter().all(|fill| fill.lots == Lots::ZERO),
    )
}

fn run(size: u64, orders: &[StandingOrder], price: Twap) -> Result<(Outcome, Vec<Fill>), Anything> {
    let request = Request {
        owner: OwnerId([0xFF; 20]),
        size: Lots::new(size)?,
        schedule: SpreadSchedule::flat(Spread::new(1_000)?),
        success: SuccessRule::AllOrNone,
        dispersion: None,
        tiers: TierMask::ALL,
        deadline: DEADLINE,
    };
    let mut fills = vec![Fill::default(); orders.len()];
    // the canonical order; in a round it follows from the epoch's secret salt
    let permutation = [2, 0, 3, 1];
    let outcome = clear(&request, orders, &permutation, Ok(price), &Market::new(LOT)?, &mut fills)?;
    Ok((outcome, fills))
}

fn order(maker: u8, spread: u16, lots: u64, cap: u64) -> Result<StandingOrder, Anything> {
    Ok(StandingOrder {
        owner: OwnerId([maker; 20]),
        spread: Spread::new(spread)?,
        size: Lots::new(lots)?,
        balance: Lots::new(lots)?,
        cap: Lots::new(cap)?,
        minimum: Lots::ZERO,
        expiry: UnixSeconds(u64::MAX),
        tiers: TierMask::ALL,
        frozen: false,
    })
}

/// An hour of observations that rise from 60 000 to 60 600 dollars.
fn price() -> Result<Twap, Anything> {
    let rules = PriceRules {
        window: 3_600,
        max_gap: 1_200,
        max_stale: 600,
        collar: BasisPoints::new(200)?,
        minimum_observations: 2,
    };
    let observations = (0..=6u64)
        .map(|i| {
            let price = MicroDollars::new((60_000 + 100 * i) * 1_000_000)?;
            Ok(Observation { round: u128::from(i), price, at: UnixSeconds(DEADLINE.0 - 3_600 + 600 * i) })
        })
        .collect::<Result<Vec<_>, Anything>>()?;
    twap(&observations, &rules, DEADLINE).map_err(|refusal| format!("the price is refused: {refusal:?}").into())
}

fn report(outcome: &Outcome, fills: &[Fill]) {
    println!("success: {}, {} lots for {} micro-dollars", outcome.success, outcome.filled.get(), outcome.total.get());
    for (maker, fill) in (1..).zip(fills) {
        println!("  maker {maker}: {:>5} lots for {:>14} micro-dollars", fill.lots.get(), fill.notional.get());
    }
}
