//! A clearing as lines, as an object and as CSV.

use super::{
    Book,
    cell::owner_text,
    engine::Cleared,
    figures::Figures,
    request::{Named, Requests},
};
use darkpool_matcher::{
    Allocation, BASE_UNITS_PER_COIN, Fill, Market, Outcome, Pricing, Reason, Rules, StandingOrder, SuccessRule,
};
use serde::Serialize;
use std::fmt::Write as _;

/// Fills that are shown to a person.
const SHOWN: usize = 20;
const MICRO: u128 = 1_000_000;

/// The whole of a run, for programs.
#[derive(Serialize)]
pub(crate) struct Object {
    orders: usize,
    slots: usize,
    lot: u64,
    salt: String,
    epoch: u64,
    rule: &'static str,
    pricing: &'static str,
    requests: Vec<OfRequest>,
    clearing_nanoseconds: u64,
    orders_per_second: Option<u64>,
}

#[derive(Serialize)]
struct OfRequest {
    name: String,
    success: bool,
    reason: &'static str,
    size: u64,
    least: u64,
    admissible_spread: u16,
    dispersion_limit: Option<u64>,
    price: Option<u64>,
    price_refusal: Option<String>,
    filled: u64,
    total: String,
    premium_ppb: Option<u64>,
    largest_share_bp: u64,
    herfindahl: u64,
    makers: usize,
    margin_spread: Option<u16>,
    fills: Vec<OfFill>,
}

#[derive(Serialize)]
struct OfFill {
    id: String,
    owner: String,
    spread: u16,
    amount: u64,
    notional: String,
}

/// One request beside what it came to.
struct Told<'a> {
    named: &'a Named,
    outcome: &'a Outcome,
    fills: &'a [Fill],
    figures: Figures,
}

fn told<'a>(book: &'a Book, requests: &'a Requests, cleared: &'a Cleared) -> impl Iterator<Item = Told<'a>> {
    requests.requests.iter().zip(cleared.outcomes()).map(|(named, (outcome, fills))| {
        let price = named.price.ok().map(|twap| twap.price());
        let figures = Figures::of(outcome, fills, &book.orders, &requests.market, price);
        Told { named, outcome, fills, figures }
    })
}

/// What was filled, in the order of the file.
fn filled<'a>(book: &'a Book, fills: &'a [Fill]) -> impl Iterator<Item = (String, &'a StandingOrder, &'a Fill)> {
    let rows = book.ids.iter().zip(&book.orders).zip(fills);
    rows.filter(|(_, fill)| fill.lots.get() > 0).map(|((id, order), fill)| (id.text(), order, fill))
}

fn units(lots: u64, market: &Market) -> u64 {
    lots.saturating_mul(market.lot())
}

fn rule(rules: Rules) -> (&'static str, &'static str) {
    match rules.allocation {
        Allocation::ProRata => ("a", "cheapest first, pro rata at the margin"),
        Allocation::EqualSplit => ("b", "equal split, each up to its capacity"),
    }
}

fn pricing(rules: Rules) -> (&'static str, &'static str) {
    match rules.pricing {
        Pricing::PayAsBid => ("as-bid", "each maker is paid its own spread"),
        Pricing::Uniform => ("uniform", "all are paid the greatest spread filled"),
    }
}

fn reason(reason: Reason) -> (&'static str, &'static str) {
    match reason {
        Reason::Ok => ("ok", "filled"),
        Reason::Price => ("price", "not filled: the price is refused"),
        Reason::TooSmall => ("too-small", "not filled: the admissible capacity is below the least total"),
        Reason::Minimum => ("minimum", "not filled: the makers' minimums cannot be met"),
        Reason::TooLarge => ("too-large", "not filled: the amounts leave the range of the engine"),
    }
}

/// The whole of a run.
pub(crate) fn object(book: &Book, requests: &Requests, cleared: &Cleared) -> Object {
    let rules = requests.market.rules();
    Object {
        orders: book.len(),
        slots: book.orders.len(),
        lot: requests.market.lot(),
        salt: hex::encode(requests.salt),
        epoch: requests.epoch,
        rule: rule(rules).0,
        pricing: pricing(rules).0,
        requests: told(book, requests, cleared).map(|told| of_request(&told, book, &requests.market)).collect(),
        clearing_nanoseconds: u64::try_from(cleared.took.as_nanos()).unwrap_or(u64::MAX),
        orders_per_second: per_second(book, cleared),
    }
}

fn narrow(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn of_request(told: &Told<'_>, book: &Book, market: &Market) -> OfRequest {
    let (request, outcome, figures) = (&told.named.request, told.outcome, &told.figures);
    OfRequest {
        name: told.named.name.text(),
        success: outcome.success,
        reason: reason(outcome.reason).0,
        size: units(request.size.get(), market),
        least: units(least(told.named), market),
        admissible_spread: request.schedule.at(request.deadline).get(),
        dispersion_limit: request.dispersion.map(|limit| units(limit.get(), market)),
        price: told.named.price.ok().map(|twap| twap.price().get()),
        price_refusal: told.named.price.err().map(|refusal| refusal.to_string()),
        filled: units(outcome.filled.get(), market),
        total: outcome.total.get().to_string(),
        premium_ppb: figures.premium.map(narrow),
        largest_share_bp: narrow(figures.largest_share),
        herfindahl: narrow(figures.herfindahl),
        makers: figures.makers,
        margin_spread: figures.margin.map(|spread| spread.get()),
        fills: filled(book, told.fills).map(|(id, order, fill)| of_fill(id, order, fill, market)).collect(),
    }
}

fn of_fill(id: String, order: &StandingOrder, fill: &Fill, market: &Market) -> OfFill {
    OfFill {
        id,
        owner: owner_text(&order.owner),
        spread: order.spread.get(),
        amount: units(fill.lots.get(), market),
        notional: fill.notional.get().to_string(),
    }
}

fn least(named: &Named) -> u64 {
    match named.request.success {
        SuccessRule::AllOrNone => named.request.size.get(),
        SuccessRule::AtLeast(least) => least.get(),
    }
}

/// Slots of all requests by the matcher's time.
fn per_second(book: &Book, cleared: &Cleared) -> Option<u64> {
    let slots = (book.orders.len() as u128).checked_mul(cleared.outcomes().count() as u128)?;
    let second = slots.checked_mul(1_000_000_000)?.checked_div(cleared.took.as_nanos())?;
    u64::try_from(second).ok()
}

/// Every fill of every request: `request,id,owner,spread,amount,notional`.
pub(crate) fn fills_csv(book: &Book, requests: &Requests, cleared: &Cleared) -> String {
    let mut text = String::from("request,id,owner,spread,amount,notional\n");
    for (named, (_, fills)) in requests.requests.iter().zip(cleared.outcomes()) {
        for (id, order, fill) in filled(book, fills) {
            let (owner, spread) = (owner_text(&order.owner), order.spread.get());
            let amount = units(fill.lots.get(), &requests.market);
            let name = named.name.text();
            let _infallible = writeln!(text, "{name},{id},{owner},{spread},{amount},{}", fill.notional.get());
        }
    }
    text
}

/// A run as a person reads it: what each request came to, and the first fills.
pub(crate) fn lines(book: &Book, requests: &Requests, cleared: &Cleared) -> Vec<String> {
    let rules = requests.market.rules();
    let mut lines = vec![
        line("orders", &format!("{} in {} slots", grouped(book.len() as u128), grouped(book.orders.len() as u128))),
        line("rule", &format!("{}: {}", rule(rules).0, rule(rules).1)),
        line("pricing", &format!("{}: {}", pricing(rules).0, pricing(rules).1)),
    ];
    for told in told(book, requests, cleared) {
        lines.push(String::new());
        lines.extend(of_person(&told, &requests.market));
        lines.extend(table(&told, book, &requests.market));
    }
    lines.push(String::new());
    lines.push(line("clearing", &time(book, cleared)));
    lines
}

fn line(name: &str, text: &str) -> String {
    format!("{name:18}{text}")
}

fn of_person(told: &Told<'_>, market: &Market) -> Vec<String> {
    let (named, outcome, figures) = (told.named, told.outcome, &told.figures);
    let request = &named.request;
    let coins = |lots: u64| coins(units(lots, market));
    let price = match &named.price {
        Ok(twap) => format!("{} dollars per coin", dollars(u128::from(twap.price().get()))),
        Err(refusal) => format!("refused: {refusal}"),
    };
    let limit = request.dispersion.map_or("none".to_owned(), |limit| format!("{} coins", coins(limit.get())));
    let mut lines = vec![
        line("request", &named.name.text()),
        line("wanted", &format!("{} coins, at least {}", coins(request.size.get()), coins(least(named)))),
        line("price", &price),
        line("admissible spread", &format!("{} bp", basis_points(request.schedule.at(request.deadline).get()))),
        line("limit per maker", &limit),
        line("result", reason(outcome.reason).1),
    ];
    if outcome.success {
        let part = format!("{} fills of {} makers", grouped(figures.fills as u128), grouped(figures.makers as u128));
        lines.push(line("filled", &format!("{} coins in {part}", coins(outcome.filled.get()))));
        lines.push(line("paid", &format!("{} dollars", dollars(outcome.total.get()))));
        lines.push(line("average premium", &format!("{} bp", parted(figures.premium.unwrap_or(0), 100_000, 5))));
        lines.push(line("margin", &format!("{} bp", basis_points(figures.margin.map_or(0, |spread| spread.get())))));
        lines.push(line("largest share", &format!("{} %", parted(figures.largest_share, 100, 2))));
        lines.push(line("Herfindahl index", &format!("{} of 10 000", figures.herfindahl)));
    }
    lines
}

fn table(told: &Told<'_>, book: &Book, market: &Market) -> Vec<String> {
    let total = u128::from(told.outcome.filled.get());
    let mut rows: Vec<[String; 6]> = filled(book, told.fills)
        .take(SHOWN)
        .map(|(id, order, fill)| {
            let share = (u128::from(fill.lots.get()) * 10_000).checked_div(total).unwrap_or(0);
            [
                id,
                owner_text(&order.owner),
                basis_points(order.spread.get()),
                coins(units(fill.lots.get(), market)),
                dollars(fill.notional.get()),
                parted(share, 100, 2),
            ]
        })
        .collect();
    if rows.is_empty() {
        return Vec::new();
    }
    rows.insert(0, ["order", "owner", "spread bp", "coins", "dollars", "share %"].map(str::to_owned));
    let mut lines = vec![String::new()];
    lines.extend(aligned(&rows));
    let more = told.figures.fills.saturating_sub(SHOWN);
    if more > 0 {
        lines.push(format!("and {} more: --fills FILE has all of them", grouped(more as u128)));
    }
    lines
}

/// Names to the left, numbers to the right.
fn aligned(rows: &[[String; 6]]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    let cell = |(column, text): (usize, &String)| {
        let width = widths[column];
        if column < 2 { format!("{text:width$}") } else { format!("{text:>width$}") }
    };
    rows.iter().map(|row| row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ")).collect()
}

fn time(book: &Book, cleared: &Cleared) -> String {
    let micro = cleared.took.as_micros();
    let rate =
        per_second(book, cleared).map_or(String::new(), |rate| format!(", {} orders per second", grouped(rate.into())));
    format!("{} ms{rate}", parted(micro, 1_000, 3))
}

/// A number with a thin gap every three digits.
fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let gap = |place: usize| place > 0 && (digits.len() - place).is_multiple_of(3);
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if gap(place) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// number / whole with this many decimals; `whole` is that power of ten.
fn parted(number: u128, whole: u128, decimals: usize) -> String {
    format!("{}.{:0decimals$}", grouped(number / whole), number % whole)
}

fn coins(units: u64) -> String {
    parted(u128::from(units), u128::from(BASE_UNITS_PER_COIN), 8)
}

/// Rounded up to a cent: what is paid is not shown as less.
fn dollars(micro: u128) -> String {
    parted(micro.div_ceil(MICRO / 100), 100, 2)
}

fn basis_points(spread: u16) -> String {
    parted(u128::from(spread), 100, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1 000"), (1_234_567, "1 234 567")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(coins(123_456_700_000_001), "1 234 567.00000001");
        assert_eq!((dollars(1), dollars(20_000)), ("0.01".into(), "0.02".into()));
        assert_eq!(basis_points(16_383), "163.83");
    }
}
