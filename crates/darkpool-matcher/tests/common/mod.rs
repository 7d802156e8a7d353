//! Orders, requests and prices to clear, and the strategies that draw them.
#![allow(dead_code, reason = "every test file uses its own part")]

pub(crate) mod adversarial;
pub(crate) mod batches;
pub(crate) mod exhaustive;

use darkpool_matcher::{
    Allocation, BasisPoints, ClearError, Fill, Kernel, Lots, Market, MicroDollars, Observation, Outcome, OwnerId,
    PriceRefusal, PriceRules, Pricing, Request, Rules, Solves, Spread, SpreadSchedule, StandingOrder, SuccessRule,
    TierMask, Twap, UnixSeconds, Workspace, clear, clear_in, twap,
};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof};

/// So many cases, times `CCC_CASE_FACTOR` where it is set: `.ci/deep` sets it. As many more may be rejected.
pub(crate) fn cases(number: u32) -> ProptestConfig {
    let factor: u32 = std::env::var("CCC_CASE_FACTOR").map_or(1, |factor| factor.parse().unwrap());
    let config = ProptestConfig::with_cases(number.checked_mul(factor).unwrap());
    let max_global_rejects = config.max_global_rejects.checked_mul(factor).unwrap();
    let max_local_rejects = config.max_local_rejects.checked_mul(factor).unwrap();
    ProptestConfig { max_global_rejects, max_local_rejects, ..config }
}

/// The moment at which everything is cleared.
pub(crate) const DEADLINE: UnixSeconds = UnixSeconds(1_000_000);

pub(crate) fn lots(value: u64) -> Lots {
    Lots::new(value).unwrap()
}

pub(crate) fn spread(value: u16) -> Spread {
    Spread::new(value).unwrap()
}

pub(crate) fn owner(value: u8) -> OwnerId {
    OwnerId([value; 20])
}

/// A hundredth of a coin.
pub(crate) fn market() -> Market {
    Market::new(1_000_000).unwrap()
}

pub(crate) fn rules() -> PriceRules {
    PriceRules {
        window: 3_600,
        max_gap: 1_200,
        max_stale: 600,
        collar: BasisPoints::new(200).unwrap(),
        minimum_observations: 2,
    }
}

pub(crate) fn observation(round: u128, price: u64, at: u64) -> Observation {
    Observation { round, price: MicroDollars::new(price).unwrap(), at: UnixSeconds(at) }
}

/// One observation every ten minutes up to the deadline, all at one price.
pub(crate) fn observations(price: u64) -> Vec<Observation> {
    (0..8).map(|i| observation(u128::from(i), price, DEADLINE.0 - 4_200 + i * 600)).collect()
}

pub(crate) fn priced(price: u64) -> Result<Twap, PriceRefusal> {
    twap(&observations(price), &rules(), DEADLINE)
}

/// 60 000 dollars.
pub(crate) fn price() -> Result<Twap, PriceRefusal> {
    priced(60_000_000_000)
}

/// A refused price: the last observation is too old.
pub(crate) fn refused() -> Result<Twap, PriceRefusal> {
    let mut old = observations(60_000_000_000);
    old.truncate(6);
    twap(&old, &rules(), DEADLINE)
}

pub(crate) fn order(by: u8, at: u16, size: u64) -> StandingOrder {
    StandingOrder {
        owner: owner(by),
        spread: spread(at),
        size: lots(size),
        balance: lots(size),
        cap: Lots::MAX,
        minimum: Lots::ZERO,
        expiry: UnixSeconds(u64::MAX),
        tiers: TierMask::ALL,
        frozen: false,
    }
}

/// All or none, at any spread, from an owner who makes no market.
pub(crate) fn request(size: u64) -> Request {
    Request {
        owner: owner(255),
        size: lots(size),
        schedule: SpreadSchedule::flat(Spread::MAX),
        success: SuccessRule::AllOrNone,
        dispersion: None,
        tiers: TierMask::ALL,
        deadline: DEADLINE,
    }
}

/// The canonical order in which the orders are given.
pub(crate) fn in_order(orders: &[StandingOrder]) -> Vec<u32> {
    (0..u32::try_from(orders.len()).unwrap()).collect()
}

/// Clears into fills that held something else before, by every kernel that there is; all agree.
pub(crate) fn run_with(
    request: &Request,
    orders: &[StandingOrder],
    permutation: &[u32],
    price: Result<Twap, PriceRefusal>,
    market: &Market,
) -> Result<(Outcome, Vec<Fill>), ClearError> {
    let stale = Fill { lots: Lots::MAX, notional: darkpool_matcher::Notional::new(7) };
    let mut fills = vec![stale; orders.len()];
    let outcome = clear(request, orders, permutation, price, market, &mut fills)?;
    for kernel in Kernel::available() {
        let found = run_by(kernel, request, orders, permutation, price, market)?;
        assert_eq!((outcome, &fills), (found.0, &found.1), "{}", kernel.name());
    }
    Ok((outcome, fills))
}

/// Clears by one kernel in a workspace that held something else before.
pub(crate) fn run_by(
    kernel: Kernel,
    request: &Request,
    orders: &[StandingOrder],
    permutation: &[u32],
    price: Result<Twap, PriceRefusal>,
    market: &Market,
) -> Result<(Outcome, Vec<Fill>), ClearError> {
    let slots = orders.len();
    let (mut spreads, mut capacities) = (vec![9; slots], vec![8; slots]);
    let (mut minimums, mut filled) = (vec![7; slots], vec![6; slots]);
    let workspace = Workspace::new(&mut spreads, &mut capacities, &mut minimums, &mut filled)?;
    let mut fills = vec![Fill::default(); slots];
    let mut workspace = workspace.with_kernel(kernel);
    let outcome = clear_in(request, orders, permutation, price, market, &mut workspace, &mut fills)?;
    Ok((outcome, fills))
}

/// Clears in the order given, at 60 000 dollars, in hundredths of a coin.
pub(crate) fn run(request: &Request, orders: &[StandingOrder]) -> (Outcome, Vec<Fill>) {
    run_with(request, orders, &in_order(orders), price(), &market()).unwrap()
}

pub(crate) fn sizes(fills: &[Fill]) -> Vec<u64> {
    fills.iter().map(|fill| fill.lots.get()).collect()
}

/// Small and clustered numbers, so that ties, exact fits and shortages are common; now and then anything.
pub(crate) fn amount() -> impl Strategy<Value = Lots> {
    prop_oneof![
        6 => 0u64..40,
        3 => 0u64..100_000,
        1 => prop_oneof![Just(0), Just((1u64 << 51) - 1), Just(1 << 50), 0u64..1 << 51],
    ]
    .prop_map(lots)
}

pub(crate) fn any_spread() -> impl Strategy<Value = Spread> {
    prop_oneof![4 => 100u16..104, 2 => 0u16..5_000, 1 => prop_oneof![Just(0u16), Just(16_383)]].prop_map(spread)
}

pub(crate) fn any_order() -> impl Strategy<Value = StandingOrder> {
    let sizes =
        (amount(), prop_oneof![3 => Just(Lots::MAX), 1 => amount()], prop_oneof![2 => Just(Lots::MAX), 1 => amount()]);
    let minimum = prop_oneof![3 => Just(Lots::ZERO), 1 => (0u64..30).prop_map(lots)];
    let expiry = prop_oneof![8 => Just(u64::MAX), 1 => Just(DEADLINE.0), 1 => Just(DEADLINE.0 - 1)];
    let tiers = prop_oneof![8 => Just(u64::MAX), 1 => any::<u64>(), 1 => Just(0)];
    let who = prop_oneof![12 => 0u8..8, 1 => Just(255)];
    let frozen = prop::bool::weighted(0.05);
    (who, any_spread(), sizes, minimum, expiry, tiers, frozen).prop_map(
        |(who, spread, (size, balance, cap), minimum, expiry, tiers, frozen)| StandingOrder {
            owner: owner(who),
            spread,
            size,
            balance,
            cap,
            minimum,
            expiry: UnixSeconds(expiry),
            tiers: TierMask(tiers),
            frozen,
        },
    )
}

pub(crate) fn any_request() -> impl Strategy<Value = Request> {
    let success = prop_oneof![
        2 => Just(SuccessRule::AllOrNone),
        1 => amount().prop_map(SuccessRule::AtLeast),
        1 => Just(SuccessRule::AtLeast(Lots::ZERO)),
    ];
    let dispersion = prop_oneof![2 => Just(None), 1 => amount().prop_map(Some)];
    let schedule = (any_spread(), any_spread(), 0u64..2_000_000, 0u64..2_000_000);
    let schedule = prop_oneof![
        2 => Just(SpreadSchedule::flat(Spread::MAX)),
        1 => schedule.prop_map(|(s0, s1, t0, t1)| SpreadSchedule { s0, s1, t0: UnixSeconds(t0), t1: UnixSeconds(t1) }),
    ];
    let size = prop_oneof![3 => (0u64..400).prop_map(lots), 1 => amount()];
    let tiers = prop_oneof![8 => Just(u64::MAX), 1 => any::<u64>()];
    (size, schedule, success, dispersion, tiers).prop_map(|(size, schedule, success, dispersion, tiers)| Request {
        owner: owner(255),
        size,
        schedule,
        success,
        dispersion,
        tiers: TierMask(tiers),
        deadline: DEADLINE,
    })
}

/// Orders and a canonical order over them.
pub(crate) fn any_pool(most: usize) -> impl Strategy<Value = (Vec<StandingOrder>, Vec<u32>)> {
    prop::collection::vec(any_order(), 0..most).prop_flat_map(|orders| {
        let permutation = Just(in_order(&orders)).prop_shuffle();
        (Just(orders), permutation)
    })
}

/// A plain pool: funded orders without limits of any kind.
pub(crate) fn plain_pool(most: usize) -> impl Strategy<Value = Vec<StandingOrder>> {
    let row = (0u8..8, 100u16..106, 0u64..1_000);
    prop::collection::vec(row, 1..most)
        .prop_map(|rows| rows.into_iter().map(|(who, at, size)| order(who, at, size)).collect())
}

pub(crate) fn any_rules() -> impl Strategy<Value = Rules> {
    let allocation = prop_oneof![Just(Allocation::ProRata), Just(Allocation::EqualSplit)];
    let pricing = prop_oneof![Just(Pricing::PayAsBid), Just(Pricing::Uniform)];
    let solves = prop_oneof![3 => Just(4), 1 => 1u8..4].prop_map(|solves| Solves::new(solves).unwrap());
    (allocation, pricing, solves).prop_map(|(allocation, pricing, solves)| Rules { allocation, pricing, solves })
}

pub(crate) fn any_market() -> impl Strategy<Value = Market> {
    let lot = prop_oneof![Just(1u64), Just(1_000_000), 1u64..1 << 30];
    (lot, any_rules()).prop_map(|(lot, rules)| Market::new(lot).unwrap().with_rules(rules))
}

pub(crate) fn any_price() -> impl Strategy<Value = Result<Twap, PriceRefusal>> {
    prop_oneof![8 => (1u64..1 << 50).prop_map(priced), 1 => Just(refused())]
}

/// Numbers that are the same on every machine and under every version of every library (SplitMix64).
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// An order of a few lots with a spread out of five, often with a minimum.
    pub(crate) fn order(&mut self) -> StandingOrder {
        let (who, at) = (self.below(8), 100 + self.below(5));
        let size = self.below(60);
        let minimum = self.below(2) * self.below(20);
        StandingOrder { minimum: lots(minimum), ..order(u8::try_from(who).unwrap(), u16::try_from(at).unwrap(), size) }
    }

    pub(crate) fn orders(&mut self, number: u64) -> Vec<StandingOrder> {
        (0..number).map(|_| self.order()).collect()
    }

    pub(crate) fn permutation(&mut self, number: u32) -> Vec<u32> {
        let mut slots: Vec<u32> = (0..number).collect();
        slots.sort_by_cached_key(|_| self.next());
        slots
    }
}
