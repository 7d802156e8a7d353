use super::*;
use darkpool_matcher::{
    Lots, MicroDollars, Notional, OwnerId, Reason, SpreadSchedule, SuccessRule, TierMask, UnixSeconds,
};
use proptest::prelude::*;

const LOT: u64 = 1_000_000;
const PRICE: u64 = 65_000_000_000;

fn prices() -> Prices {
    Prices { average: PRICE, last: PRICE + PRICE / 1_000, reference: PRICE - PRICE / 1_000, reference_time: 9 }
}

fn spread(value: u16) -> Spread {
    Spread::new(value).expect("a spread")
}

fn lots(value: u64) -> Lots {
    Lots::new(value).expect("lots")
}

fn request(size: u64) -> Request {
    Request {
        owner: OwnerId([9; 20]),
        size: lots(size),
        schedule: SpreadSchedule::flat(spread(5_000)),
        success: SuccessRule::AllOrNone,
        dispersion: None,
        tiers: TierMask(1),
        deadline: UnixSeconds(1),
    }
}

fn order(owner: u8, value: u16) -> StandingOrder {
    StandingOrder {
        owner: OwnerId([owner; 20]),
        spread: spread(value),
        size: Lots::MAX,
        balance: Lots::MAX,
        cap: Lots::MAX,
        minimum: Lots::ZERO,
        expiry: UnixSeconds(1),
        tiers: TierMask(1),
        frozen: false,
    }
}

/// Fills at these spreads as a market prices them, and what they come to.
fn filled(sold: &[(u64, u16)]) -> (Vec<Fill>, Vec<StandingOrder>, Outcome) {
    let market = Market::new(LOT).expect("a market");
    let average = MicroDollars::new(PRICE).expect("a price");
    let fill = |(sold, at): &(u64, u16)| Fill {
        lots: lots(*sold),
        notional: if *sold == 0 { Notional::ZERO } else { market.notional(lots(*sold), average, spread(*at)) },
    };
    let fills: Vec<_> = sold.iter().map(fill).collect();
    let orders = (0..).zip(sold).map(|(owner, (_, at))| order(owner, *at)).collect();
    let total = fills.iter().map(|fill| fill.notional.get()).sum();
    let filled = fills.iter().map(|fill| fill.lots.get()).sum();
    let outcome = Outcome { success: true, reason: Reason::Ok, filled: lots(filled), total: Notional::new(total) };
    (fills, orders, outcome)
}

fn analysis(size: u64, sold: &[(u64, u16)]) -> Analysis {
    let (fills, orders, outcome) = filled(sold);
    Analysis::new(&Market::new(LOT).expect("a market"), prices(), &request(size), &outcome, (&fills, &orders))
}

#[test]
fn the_requester_hears_what_it_paid_and_how_it_was_shared() {
    // 0.7, 0.2 and 0.1 coins at 10, 20 and 40 basis points over 65 000
    let execution = analysis(125, &[(70, 1_000), (20, 2_000), (10, 4_000), (0, 1)]).execution([3; 32], (1, 0), true);
    let value = u128::from(PRICE);
    let paid = (value * 7 / 10 * 1_001 + value * 2 / 10 * 1_002 + value / 10 * 1_004) / 1_000;
    let expected = Execution {
        outcome: 1,
        reason: 0,
        allocation: 1,
        pricing: 1,
        request: [3; 32],
        ordered: 125,
        filled: 100,
        average: PRICE,
        last: PRICE + PRICE / 1_000,
        total: paid,
        cost: (paid - value).cast_signed(),
        cost_rate: 1_500,
        // 1.0015 / 1.001 − 1 = 499.5 of a million
        over_last: 500,
        admitted: 5_000,
        premium: 1_500,
        ratio: 8_000,
        largest_share: 7_000,
        herfindahl: 5_400,
        makers: 4,
    };
    assert_eq!(execution, expected);
}

#[test]
fn one_maker_alone_and_shares_that_do_not_divide() {
    let alone = analysis(7, &[(7, 0)]).execution([0; 32], (1, 0), true);
    assert_eq!((alone.largest_share, alone.herfindahl, alone.makers, alone.ratio), (10_000, 10_000, 1, 10_000));
    assert_eq!((alone.cost, alone.cost_rate, alone.premium, alone.over_last), (0, 0, 0, -999));
    let thirds = analysis(3, &[(1, 1), (1, 1), (1, 2)]).execution([0; 32], (1, 0), true);
    assert_eq!((thirds.largest_share, thirds.herfindahl, thirds.makers), (3_333, 3_333, 4), "rounded down");
    assert_eq!((thirds.premium, thirds.cost_rate), (2, 2), "rounded up");
}

#[test]
fn what_did_not_settle_has_no_figures_of_fills() {
    let unsettled = analysis(125, &[(70, 1_000), (20, 2_000)]).execution([3; 32], (0, 20), false);
    let expected = Execution {
        reason: 20,
        allocation: 1,
        pricing: 1,
        request: [3; 32],
        ordered: 125,
        average: PRICE,
        last: PRICE + PRICE / 1_000,
        admitted: 5_000,
        ..Execution::default()
    };
    assert_eq!(unsettled, expected);
    let nothing = analysis(0, &[(0, 1), (0, 2)]).execution([0; 32], (1, 0), true);
    assert_eq!((nothing.cost, nothing.ratio, nothing.herfindahl, nothing.makers, nothing.premium), (0, 0, 0, 0, 0));
}

#[test]
fn a_maker_hears_what_its_fill_was_worth_at_each_price() {
    let analysis = analysis(100, &[(100, 1_500)]);
    let notional = u128::from(PRICE) * 10_015 / 10_000;
    let markouts = analysis.markouts(1, 100, notional);
    let over = |price: u64| notional.cast_signed() - i128::from(price);
    let Prices { average, last, reference, .. } = prices();
    let expected = Markouts {
        outcome: 1,
        lots: 100,
        price: PRICE / 10_000 * 10_015,
        references: [average, last, reference],
        reference_time: 9,
        markouts: [average, last, reference].map(over),
        // 1.0015 over 1, 1.001 and 0.999
        rates: [1_500, 499, 2_502],
    };
    assert_eq!(markouts, expected);
    let none = Markouts { references: expected.references, reference_time: 9, ..Markouts::default() };
    assert_eq!(analysis.markouts(0, 0, 0), none);
}

#[test]
fn a_price_that_there_is_not_measures_nothing() {
    let (fills, orders, outcome) = filled(&[(7, 10)]);
    let market = Market::new(LOT).expect("a market");
    let (request, prices) = (request(7), Prices { average: PRICE, ..Prices::default() });
    let markouts = Analysis::new(&market, prices, &request, &outcome, (&fills, &orders)).markouts(1, 7, 5_000_000_000);
    assert_eq!((markouts.markouts[1..].to_vec(), markouts.rates[1..].to_vec()), (vec![0; 2], vec![0; 2]));
    assert_ne!(markouts.markouts[0], 0);
}

#[test]
fn the_greatest_amounts_fit() {
    let market = Market::new(1).expect("a market");
    let (greatest, price) = (Lots::MAX, MicroDollars::MAX);
    let total = market.notional(greatest, price, Spread::MAX);
    let outcome = Outcome { success: true, reason: Reason::Ok, filled: greatest, total };
    let fills = [Fill { lots: greatest, notional: total }];
    let prices = Prices { average: price.get(), last: 1, reference: price.get(), reference_time: u64::MAX };
    let request = Request { size: greatest, ..request(1) };
    let analysis = Analysis::new(&market, prices, &request, &outcome, (&fills, &[order(1, Spread::MAX.get())]));
    let execution = analysis.execution([0; 32], (1, 0), true);
    assert_eq!((execution.cost_rate, execution.over_last, execution.premium), (16_384, i32::MAX, 16_383), "rounded up");
    assert_eq!((execution.herfindahl, execution.largest_share), (10_000, 10_000));
    let markouts = analysis.markouts(1, greatest.get(), total.get());
    assert_eq!(markouts.rates, [16_383, i32::MAX, 16_383]);
}

proptest! {
    #[test]
    fn division_is_division(dividend in 0..=u128::MAX >> 1, divisor in 1..=u128::MAX >> 1, shift in 0..127_u32) {
        let divisor = (divisor >> shift).max(1);
        prop_assert_eq!(divide(dividend, divisor), dividend / divisor);
        let signed = dividend.cast_signed();
        let (exact, rest) = (signed.div_euclid(divisor.cast_signed()), (-signed).div_euclid(divisor.cast_signed()));
        prop_assert_eq!((floor(signed, divisor), floor(-signed, divisor)), (exact, rest));
    }
}
