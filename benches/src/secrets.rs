//! Whether the compiled clearing jumps on a secret or looks one up, as valgrind's memcheck sees it.
//!
//! Everything that is asked of a clearing is asked of pools of four classes, as in
//! [`clearing_timing`](crate::clearing_timing), of which every number is marked as secret: owners, spreads, amounts,
//! minimums, expiries, tiers, flags, counterparty lists, the request but for its form, and the price. Public stay the number
//! of orders, the permutation, which success rule a request has, whether it has a limit, and whether there is a price.

use crate::clearing::Class;
use crate::clearing_timing::{Pools, Way, ways};
use ccc_memcheck::{depends_on_secret, errors, make_secret};
use darkpool_matcher::{BaseUnits, BasisPoints, Lots, Market, dispersion_limit};
use std::hint::black_box;

/// Whole blocks of sixty-four slots, whole steps of eight, and a rest.
const SLOTS: usize = 253;

/// What was run with secrets, and how often a jump or an address depended on one.
pub struct Found {
    /// What.
    pub name: String,
    /// How often.
    pub errors: u64,
    /// Whether what was computed depended on a secret at all, in every run; otherwise the line says nothing.
    pub marked: bool,
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
    clearings.map(move |(name, way)| all_classes(name, &mut pools, way)).chain(std::iter::once_with(boundary))
}

/// The control: a sort, which compares secrets.
#[must_use]
pub fn sort() -> Found {
    all_classes("sort and fill, the control".to_owned(), &mut Pools::new(SLOTS), Way::Sort)
}

fn all_classes(name: String, pools: &mut Pools, way: Way) -> Found {
    let mut found = Found { name, errors: 0, marked: true };
    for class in 0..Class::ALL.len() {
        pools.stage(0, (class, 0), way);
        pools.load(0, way);
        pools.make_secret(way);
        found.errors += counted(|| pools.run(way));
        found.marked &= depends_on_secret(pools.filled(way));
    }
    found
}

/// From base units to lots, either way, and the dispersion limit.
fn boundary() -> Found {
    let market = black_box(Market::new(1_000_000).unwrap());
    let mut amount = BaseUnits::new(123_456_789).unwrap();
    let (mut drawn, mut bounds) = (1 << 63, [500, 1_000].map(|bound| BasisPoints::new(bound).unwrap()));
    make_secret(&mut amount);
    make_secret(&mut drawn);
    make_secret(&mut bounds);
    let mut lots = [Lots::ZERO; 3];
    let errors = counted(|| {
        let size = Lots::ceil(amount, &market);
        lots = black_box([Lots::floor(amount, &market), size, dispersion_limit(drawn, bounds[0], bounds[1], size)]);
    });
    let marked = lots.iter().all(|lots| depends_on_secret(lots.get()));
    Found { name: "amounts at the boundary".to_owned(), errors, marked }
}

/// Errors of a run.
fn counted(run: impl FnOnce()) -> u64 {
    let before = errors();
    run();
    errors() - before
}
