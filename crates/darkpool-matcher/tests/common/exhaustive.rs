//! The best of every way to fill: for pools small enough to try them all.

use darkpool_matcher::StandingOrder;

/// The least cost over all fills that add up to `want`, each zero or between its order's minimum and size.
///
/// `cost` takes the cost so far, an order and its fill, and must not fall with the cost so far. `None` if there
/// is no such fill.
pub(crate) fn least(
    orders: &[StandingOrder],
    want: u64,
    cost: impl Fn(u64, &StandingOrder, u64) -> u64,
) -> Option<u64> {
    let total = usize::try_from(want).unwrap();
    // by the lots taken so far
    let mut best = vec![None; total + 1];
    best[0] = Some(0);
    for order in orders {
        let mut next = best.clone();
        for fill in order.minimum.get().max(1)..=order.size.get().min(want) {
            let taken = usize::try_from(fill).unwrap();
            for (before, entry) in best[..=total - taken].iter().zip(&mut next[taken..]) {
                let candidate = before.map(|before| cost(before, order, fill));
                *entry = [*entry, candidate].into_iter().flatten().min();
            }
        }
        best = next;
    }
    best[total]
}

/// The least premium, in lots times spread.
pub(crate) fn least_premium(orders: &[StandingOrder], want: u64) -> Option<u64> {
    least(orders, want, |before, order, fill| before + fill * u64::from(order.spread.get()))
}

/// The smallest possible largest fill.
pub(crate) fn least_largest_fill(orders: &[StandingOrder], want: u64) -> Option<u64> {
    least(orders, want, |before, _, fill| before.max(fill))
}
