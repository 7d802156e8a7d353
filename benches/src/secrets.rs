//! Whether the compiled clearing jumps on a secret or looks one up, as valgrind's memcheck sees it.
//!
//! Everything that is asked of a clearing is asked of pools of four classes, as in
//! [`clearing_timing`](crate::clearing_timing), of which every number is marked as secret: owners, spreads, amounts,
//! minimums, expiries, tiers, flags, counterparty lists, the request but for its form, and the price. Public stay the number
//! of orders, the permutation, which success rule a request has, whether it has a limit, and whether there is a price.

use crate::clearing::Class;
use crate::clearing_timing::{Pools, Way, ways};
use ccc_memcheck::{errors, make_secret};
use darkpool_matcher::{BaseUnits, BasisPoints, Lots, Market, dispersion_limit};
use std::hint::black_box;

/// Whole steps of eight slots and a rest.
const SLOTS: usize = 253;

/// What was run with secrets, and how often a jump or an address depended on one.
pub struct Found {
    /// What.
    pub name: String,
    /// How often.
    pub errors: u64,
}

/// Every way to clear, by every kernel that there is under valgrind, and the numbers at the boundary.
pub fn clearings() -> impl Iterator<Item = Found> {
    let mut pools = Pools::new(SLOTS);
    let limited = ways().into_iter().filter_map(|(name, way)| match way {
        Way::Whole(kernel, allocation) => {
            Some((format!("{name}, limits and one price"), Way::Limited(kernel, allocation)))
        }
        _ => None,
    });
    let clearings = ways().into_iter().chain(limited);
    let boundary = std::iter::once_with(|| counted("amounts at the boundary", boundary));
    clearings.map(move |(name, way)| counted(&name, || all_classes(&mut pools, way))).chain(boundary)
}

/// The control: a sort, which compares secrets.
#[must_use]
pub fn sort() -> Found {
    let mut pools = Pools::new(SLOTS);
    counted("sort and fill, the control", || all_classes(&mut pools, Way::Sort))
}

fn counted(name: &str, run: impl FnOnce()) -> Found {
    let before = errors();
    run();
    Found { name: name.to_owned(), errors: errors() - before }
}

fn all_classes(pools: &mut Pools, way: Way) {
    for class in 0..Class::ALL.len() {
        pools.stage(0, (class, 0), way);
        pools.load(0, way);
        pools.make_secret(way);
        pools.run(way);
    }
}

/// From base units to lots, either way, and the dispersion limit.
fn boundary() {
    let market = Market::new(1_000_000).unwrap();
    let mut amount = BaseUnits::new(123_456_789).unwrap();
    let (mut drawn, mut bounds) = (1 << 63, [500, 1_000].map(|bound| BasisPoints::new(bound).unwrap()));
    make_secret(&mut amount);
    make_secret(&mut drawn);
    make_secret(&mut bounds);
    let size = Lots::ceil(amount, &market);
    black_box((Lots::floor(amount, &market), dispersion_limit(drawn, bounds[0], bounds[1], size)));
}
