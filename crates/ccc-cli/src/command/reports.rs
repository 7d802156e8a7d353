//! What an account is told of a clearing beside its receipts: the requester how its order was executed, a maker what its
//! fill was worth, also at the reference prices of the rounds after it.

use crate::pool::hexed::Hex;
use ccc_core::table::{Execution, Markouts, SlotReport};
use darkpool_matcher::BASE_UNITS_PER_COIN;
use serde_json::{Value, json};

/// Rounds after a fill at whose reference prices it is measured.
const LATER: usize = 8;
/// What the prices of a maker's report are, in their order.
const HORIZONS: [&str; 3] = ["average", "last", "block"];

/// The reports of one version that an account opened, with their slots.
pub(super) type Reports = Vec<(u32, SlotReport)>;

/// The reference price of one round.
#[derive(Clone, Copy)]
struct Reference {
    version: u64,
    price: u64,
    time: u64,
}

/// A fill at the reference price of a later round.
///
/// *Units*: the markout in quote units, rounded down.
struct Later {
    reference: Reference,
    markout: i128,
}

/// The reference prices that an account's reports tell, of every version of a list that begins with the newest.
pub(super) struct References {
    lot: u64,
    all: Vec<Reference>,
}

impl References {
    pub(super) fn new<'a>(lot: u64, versions: impl Iterator<Item = (u64, &'a Reports)>) -> Self {
        let all = versions.filter_map(|(version, reports)| reference(version, reports)).collect();
        Self { lot, all }
    }

    /// The fill of a report at the reference prices of the rounds after its own, the next one first.
    fn later(&self, version: u64, markouts: &Markouts, notional: u128) -> Vec<Later> {
        let [_, _, own] = markouts.references;
        let after =
            self.all.iter().rev().filter(|reference| {
                reference.version > version && (own == 0 || reference.time > markouts.reference_time)
            });
        let filled = after.filter(|_| markouts.lots != 0).take(LATER);
        filled
            .filter_map(|reference| {
                let markout = self.markout(markouts.lots, notional, reference.price)?;
                Some(Later { reference: *reference, markout })
            })
            .collect()
    }

    /// What was received above what a price gives.
    fn markout(&self, lots: u64, notional: u128, price: u64) -> Option<i128> {
        let units = u128::from(lots).checked_mul(self.lot.into())?;
        let value = units.checked_mul(price.into())?.div_ceil(BASE_UNITS_PER_COIN.into());
        i128::try_from(notional).ok()?.checked_sub(i128::try_from(value).ok()?)
    }
}

fn reference(version: u64, reports: &Reports) -> Option<Reference> {
    reports.iter().find_map(|(_, report)| match report {
        SlotReport::Order(Markouts { references: [_, _, price], reference_time, .. }) if *price != 0 => {
            Some(Reference { version, price: *price, time: *reference_time })
        }
        _ => None,
    })
}

/// A report in words; an order's without a fill says nothing that the receipt does not.
pub(super) fn lines(
    references: &References,
    version: u64,
    (slot, report): &(u32, SlotReport),
    notional: u128,
) -> Vec<String> {
    match report {
        SlotReport::Request(execution) => execution_lines(*slot, execution),
        SlotReport::Order(markouts) if markouts.lots == 0 => Vec::new(),
        SlotReport::Order(markouts) => markout_lines(references, version, (*slot, markouts), notional),
    }
}

fn execution_lines(slot: u32, execution: &Execution) -> Vec<String> {
    let Execution { ordered, filled, total, cost, average, last, makers, herfindahl, .. } = execution;
    if execution.request == [0; 32] {
        return Vec::new();
    }
    let mut lines = vec![format!(
        "  slot {slot}: executed {filled} of {ordered} lots ({} %), average price {average}, last {last}, at most {} admitted",
        hundredths(i64::from(execution.ratio)),
        basis_points(execution.admitted.into()),
    )];
    if *filled != 0 {
        lines.push(format!(
            "  slot {slot}: paid {total} quote, {cost} or {} above the average, {} above the last price; mean spread {}",
            basis_points(execution.cost_rate.into()),
            basis_points(execution.over_last.into()),
            basis_points(execution.premium.into()),
        ));
        lines.push(format!(
            "  slot {slot}: makers {makers} at most, largest part {} %, Herfindahl index {herfindahl}; {}, {}",
            hundredths(i64::from(execution.largest_share)),
            allocation(execution.allocation),
            pricing(execution.pricing),
        ));
    }
    lines
}

fn markout_lines(
    references: &References,
    version: u64,
    (slot, markouts): (u32, &Markouts),
    notional: u128,
) -> Vec<String> {
    let measured = markouts.markouts.iter().zip(&markouts.rates).zip(HORIZONS);
    let shown: Vec<_> = measured
        .map(|((markout, rate), against)| format!("{against} {markout} ({})", basis_points((*rate).into())))
        .collect();
    let mut lines = vec![format!("  slot {slot}: sold at {}, markout against {}", markouts.price, shown.join(", "))];
    lines.extend(references.later(version, markouts, notional).iter().map(|Later { reference, markout }| {
        format!("  slot {slot}: markout at version {}, price {}: {markout}", reference.version, reference.price)
    }));
    lines
}

/// A number of hundredths with two decimals.
fn hundredths(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let value = value.unsigned_abs();
    format!("{sign}{}.{:02}", value / 100, value % 100)
}

/// A rate in 1/100 basis point.
fn basis_points(rate: i64) -> String {
    format!("{} bp", hundredths(rate))
}

fn allocation(code: u8) -> &'static str {
    match code {
        1 => "rule a",
        2 => "rule b",
        _ => "another rule",
    }
}

fn pricing(code: u8) -> &'static str {
    match code {
        1 => "paid as bid",
        2 => "paid at one price",
        _ => "paid otherwise",
    }
}

pub(super) fn object(
    references: &References,
    version: u64,
    (slot, report): &(u32, SlotReport),
    notional: u128,
) -> Value {
    match report {
        SlotReport::Request(execution) => {
            let mut object = execution_object(execution);
            object["slot"] = (*slot).into();
            object
        }
        SlotReport::Order(markouts) => markouts_object(references, version, (*slot, markouts), notional),
    }
}

/// The requester's report without its slot.
pub(super) fn execution_object(execution: &Execution) -> Value {
    json!({
        "kind": "execution", "filled": execution.outcome == 1, "reason": execution.reason,
        "rule": match execution.allocation { 1 => "a", 2 => "b", _ => "other" },
        "pricing": match execution.pricing { 1 => "as-bid", 2 => "uniform", _ => "other" },
        "request": Hex(execution.request), "ordered_lots": execution.ordered, "filled_lots": execution.filled,
        "average_price": execution.average, "last_price": execution.last, "total": execution.total.to_string(),
        "cost": execution.cost.to_string(), "cost_rate": execution.cost_rate, "rate_over_last": execution.over_last,
        "admitted_spread": execution.admitted, "premium": execution.premium, "fill_ratio_bp": execution.ratio,
        "largest_share_bp": execution.largest_share, "herfindahl": execution.herfindahl, "makers_at_most": execution.makers,
    })
}

fn markouts_object(references: &References, version: u64, (slot, markouts): (u32, &Markouts), notional: u128) -> Value {
    let measured = markouts.references.iter().zip(&markouts.markouts).zip(&markouts.rates).zip(HORIZONS);
    let against = measured.map(|(((price, markout), rate), against)| {
        json!({ "against": against, "price": price, "markout": markout.to_string(), "rate": rate })
    });
    let later = references.later(version, markouts, notional).into_iter().map(|Later { reference, markout }| {
        json!({ "version": reference.version, "price": reference.price, "time": reference.time, "markout": markout.to_string() })
    });
    json!({
        "slot": slot, "kind": "markouts", "filled": markouts.outcome == 1, "lots": markouts.lots, "fill_price": markouts.price,
        "reference_time": markouts.reference_time, "markouts": against.collect::<Vec<_>>(), "later": later.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn markouts(lots: u64, reference: u64, reference_time: u64) -> Markouts {
        Markouts { lots, references: [0, 0, reference], reference_time, ..Markouts::default() }
    }

    #[test]
    fn a_fill_is_measured_at_the_rounds_after_it_the_next_one_first() {
        let order = |markouts| vec![(0, SlotReport::Order(markouts))];
        // the newest first; the round of the fill, one that read no new price, and one without a price
        let versions = [
            (7, order(markouts(0, 300_000_001, 40))),
            (6, order(markouts(0, 0, 0))),
            (5, order(markouts(0, 90_000_000, 30))),
            (4, order(markouts(0, 100_000_000, 20))),
            (3, order(markouts(10, 100_000_000, 20))),
            (2, order(markouts(5, 1, 10))),
        ];
        let references = References::new(1_000_000, versions.iter().map(|(version, reports)| (*version, reports)));
        // a tenth of a coin for 10 000 100
        let later = references.later(3, &markouts(10, 100_000_000, 20), 10_000_100);
        let found: Vec<_> = later.iter().map(|later| (later.reference.version, later.markout)).collect();
        assert_eq!(found, [(5, 1_000_100), (7, 10_000_100 - 30_000_001)], "the value is rounded up");
        assert!(references.later(3, &markouts(0, 100_000_000, 20), 0).is_empty(), "nothing was sold");
    }

    #[test]
    fn rates_have_two_decimals_and_a_sign() {
        assert_eq!([1_600, -5, 0].map(basis_points), ["16.00 bp", "-0.05 bp", "0.00 bp"]);
    }
}
