//! A crossing, explained: what each maker could have given to a request, what it gave, and why.
//!
//! In a pool nobody sees this: orders are opened inside the enclave, and each maker learns its own fill.

use ccc_examples::{Anything, holds};
use darkpool_matcher::{
    BasisPoints, Fill, Lots, Market, MicroDollars, Observation, Outcome, OwnerId, PriceRules, Request, Spread,
    SpreadSchedule, StandingOrder, SuccessRule, TierMask, Twap, UnixSeconds, clear, dispersion_limit, twap,
};

const DEADLINE: UnixSeconds = UnixSeconds(1_800_000_000);
/// One lot is a hundredth of a coin.
const LOT: u64 = 1_000_000;
const REQUESTER: OwnerId = OwnerId([0xFF; 20]);
/// Tiers are bits; the request admits the first alone.
const REGULATED: TierMask = TierMask(1);
const OTHER: TierMask = TierMask(2);

fn main() -> Result<(), Anything> {
    let price = price()?;
    let request = request()?;
    let orders = orders()?;
    explain_request(&request, &price);

    let mut fills = [Fill::default(); 9];
    // the canonical order; in a round it follows from the epoch's secret salt
    let permutation = [4, 0, 7, 2, 5, 8, 1, 3, 6];
    let outcome = clear(&request, &orders, &permutation, Ok(price), &Market::new(LOT)?, &mut fills)?;
    let margin = orders.iter().zip(&fills).filter(|(_, fill)| fill.lots > Lots::ZERO).map(|(order, _)| order.spread);
    let margin = margin.max().ok_or("nobody was filled")?;
    explain_fills(&request, &orders, &fills, margin);
    explain_outcome(&outcome, price);

    let lots: Vec<u64> = fills.iter().map(|fill| fill.lots.get()).collect();
    holds("fills add up to the request", lots.iter().sum::<u64>() == request.size.get())?;
    holds("who is not admitted gives nothing", lots[4..].iter().all(|lots| *lots == 0))?;
    holds("makers at the margin share in proportion, to a lot", lots[2].abs_diff(2 * lots[3]) <= 2)?;
    holds("nobody gives more than the limit", lots.iter().all(|lots| Some(*lots) <= request.dispersion.map(Lots::get)))
}

/// 80 coins, all or none, at a premium that rises to 8 basis points by the deadline.
fn request() -> Result<Request, Anything> {
    let size = Lots::new(8_000)?;
    // in a round the draw comes from a seed inside the encrypted order
    let draw = u64::MAX / 3;
    Ok(Request {
        owner: REQUESTER,
        size,
        schedule: SpreadSchedule {
            s0: Spread::new(200)?,
            s1: Spread::new(800)?,
            t0: UnixSeconds(DEADLINE.0 - 600),
            t1: DEADLINE,
        },
        success: SuccessRule::AllOrNone,
        dispersion: Some(dispersion_limit(draw, BasisPoints::new(4_000)?, BasisPoints::new(6_000)?, size)),
        tiers: REGULATED,
        deadline: DEADLINE,
    })
}

fn orders() -> Result<[StandingOrder; 9], Anything> {
    let plain = |maker: u8, spread: u16, lots: u64| -> Result<StandingOrder, Anything> {
        let lots = Lots::new(lots)?;
        Ok(StandingOrder {
            owner: OwnerId([maker; 20]),
            spread: Spread::new(spread)?,
            size: lots,
            balance: lots,
            cap: Lots::MAX,
            minimum: Lots::ZERO,
            expiry: DEADLINE,
            tiers: REGULATED,
            frozen: false,
        })
    };
    Ok([
        plain(1, 250, 9_000)?,
        StandingOrder { cap: Lots::new(1_500)?, ..plain(2, 400, 2_000)? },
        plain(3, 600, 3_000)?,
        StandingOrder { balance: Lots::new(1_500)?, ..plain(4, 600, 4_000)? },
        plain(5, 900, 5_000)?,
        StandingOrder { expiry: UnixSeconds(DEADLINE.0 - 1), ..plain(6, 100, 5_000)? },
        StandingOrder { tiers: OTHER, ..plain(7, 100, 5_000)? },
        StandingOrder { owner: REQUESTER, ..plain(8, 100, 5_000)? },
        StandingOrder { frozen: true, ..plain(9, 100, 5_000)? },
    ])
}

/// An hour of observations around 60 000 dollars, averaged over time.
fn price() -> Result<Twap, Anything> {
    let collar = BasisPoints::new(200)?;
    let rules = PriceRules { window: 3_600, max_gap: 1_200, max_stale: 600, collar, minimum_observations: 2 };
    let dollars = [60_000, 60_120, 60_240, 60_120, 60_060, 60_060];
    let observations = (0u32..).zip(dollars).map(|(i, dollars)| {
        let at = UnixSeconds(DEADLINE.0 - 3_600 + 600 * u64::from(i));
        Ok(Observation { round: u128::from(i), price: MicroDollars::new(dollars * 1_000_000)?, at })
    });
    let observations = observations.collect::<Result<Vec<_>, Anything>>()?;
    twap(&observations, &rules, DEADLINE).map_err(|refusal| format!("the price is refused: {refusal}").into())
}

fn explain_request(request: &Request, price: &Twap) {
    println!("1. The price is an average over the hour before the deadline: {} dollars.", whole_dollars(price));
    let admissible = request.schedule.at(request.deadline);
    println!(
        "2. The request wants {} coins, all or none, at {} or less above it.",
        coins(request.size),
        bp(admissible)
    );
    let limit = request.dispersion.unwrap_or(request.size);
    println!("3. No maker may give more than {} coins: a draw that the makers do not know.", coins(limit));
    println!("4. What each maker could give, and what it gives:\n");
    println!("   maker  asks bp  offers  gives  because");
}

fn explain_fills(request: &Request, orders: &[StandingOrder], fills: &[Fill], margin: Spread) {
    for ((order, fill), maker) in orders.iter().zip(fills).zip(1..) {
        println!(
            "   {maker:5}  {:>7}  {:>6}  {:>5}  {}",
            hundredths(u64::from(order.spread.get())),
            coins(order.size),
            coins(fill.lots),
            because(request, order, margin)
        );
    }
}

/// The first reason that holds, in the order of the capacity's formula.
fn because(request: &Request, order: &StandingOrder, margin: Spread) -> &'static str {
    let limit = request.dispersion.unwrap_or(request.size);
    let own = order.size.min(order.balance).min(order.cap);
    match () {
        () if order.expiry < request.deadline => "it has expired",
        () if order.owner == request.owner => "the requester does not buy from itself",
        () if order.tiers.0 & request.tiers.0 == 0 => "no tier in common",
        () if order.frozen => "its row is frozen",
        () if order.spread > request.schedule.at(request.deadline) => "it asks for more than is admitted",
        () if order.spread > margin => "cheaper makers suffice",
        () if order.spread == margin && own == order.balance && own < order.size => {
            "at the margin: in proportion to its balance"
        }
        () if order.spread == margin => "at the margin: in proportion to its size",
        () if limit < own => "below the margin: in full, up to the limit",
        () if order.cap < order.size => "below the margin: in full, up to its cap",
        () => "below the margin: in full",
    }
}

fn explain_outcome(outcome: &Outcome, price: Twap) {
    let at_price = u128::from(outcome.filled.get()) * u128::from(price.price().get()) / 100;
    let premium = outcome.total.get().saturating_sub(at_price);
    println!("\n5. Success: {}. Filled {} coins.", outcome.success, coins(outcome.filled));
    println!("6. Each is paid as it asked, rounded up: {} dollars,", micro(outcome.total.get()));
    println!("   which is {} dollars above the average price.", micro(premium));
    println!("7. The chain of a pool sees that a round closed, and `true`. Nothing of the above.");
}

fn whole_dollars(price: &Twap) -> u64 {
    price.price().get() / 1_000_000
}

fn coins(lots: Lots) -> String {
    hundredths(lots.get())
}

fn bp(spread: Spread) -> String {
    format!("{} basis points", hundredths(u64::from(spread.get())))
}

fn hundredths(number: u64) -> String {
    format!("{}.{:02}", number / 100, number % 100)
}

fn micro(micro_dollars: u128) -> String {
    format!("{}.{:06}", micro_dollars / 1_000_000, micro_dollars % 1_000_000)
}
