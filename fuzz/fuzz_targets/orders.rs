//! The text files of `ccc clear`, orders as CSV or JSON and requests as TOML: no input makes a reader panic, a book never
//! holds more than its slots, and what is accepted is read as the same when it is written anew, orders in either form.
//!
//! `cargo +nightly fuzz run orders`
#![no_main]

use arbitrary::Arbitrary;
use change::Change;
use clearing::{Book, Entry, Named, Requests, owner_text};
use darkpool_matcher::{BaseUnits, CounterpartyList, Lots, Market, Rules, SuccessRule, TierMask};
use libfuzzer_sys::fuzz_target;

mod change;
#[allow(dead_code, reason = "the readers are driven")]
#[path = "../../crates/ccc-server/src/hexed.rs"]
mod hexed;

/// Where the command has it.
mod pool {
    pub(crate) use super::hexed;
}

/// The errors of the command that these readers give.
mod error {
    use crate::clearing::OrdersError;
    use std::{io, path::PathBuf};

    #[derive(Debug)]
    #[allow(dead_code, reason = "their sentences are the command's")]
    pub(crate) enum Error {
        Orders { path: PathBuf, source: OrdersError },
        Read { path: PathBuf, source: io::Error },
    }
}

#[allow(dead_code, unused_imports, reason = "the readers are driven")]
#[path = "../../crates/ccc-cli/src/clearing"]
mod clearing {
    mod book;
    mod canonical;
    mod cell;
    mod columns;
    mod error;
    mod form;
    mod orders_csv;
    mod orders_json;
    mod request;

    pub(crate) use book::{Book, Entry};
    pub(crate) use cell::owner_text;
    pub(crate) use error::OrdersError;
    pub(crate) use request::{Named, Requests};

    use darkpool_matcher::{CounterpartyList, Market};
    use std::{iter, path::Path};

    /// The book that bytes are.
    pub(crate) fn book(bytes: &[u8], slots: usize, market: &Market) -> Option<Book> {
        let mut book = Book::new(slots);
        form::read(bytes, Path::new("-"), market, &mut book).is_ok().then_some(book)
    }

    pub(crate) fn entries(book: &Book) -> Vec<Entry> {
        let lists = book.lists.iter().copied().chain(iter::repeat(CounterpartyList::EMPTY));
        let orders = book.ids.iter().zip(&book.orders).zip(lists);
        orders.map(|((id, order), list)| Entry { id: *id, order: *order, list }).collect()
    }

    /// The canonical order of its slots; none where a name is given twice.
    pub(crate) fn order(book: &Book) -> Option<Vec<u32>> {
        canonical::order(&[7; 16], 1, book).ok()
    }
}

/// The most orders of a book here.
const SLOTS: usize = 64;
const NAMES: [&str; 11] =
    ["id", "owner", "spread", "size", "balance", "cap", "minimum", "expiry", "tiers", "frozen", "counterparties"];
/// Files that are what they should be.
const SAMPLES: [&str; 3] =
    [include_str!("samples/orders.csv"), include_str!("samples/orders.json"), include_str!("samples/request.toml")];

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Raw(&'a [u8], u64),
    Sample(u8, Vec<Change<'a>>, u64),
    /// Cells of CSV behind the line of names.
    Cells(Vec<[&'a str; NAMES.len()]>, u64),
}

fuzz_target!(|input: Input| match input {
    Input::Raw(bytes, lot) => read(bytes, lot),
    Input::Sample(which, changes, lot) => {
        let mut bytes = SAMPLES[usize::from(which) % SAMPLES.len()].as_bytes().to_vec();
        changes.iter().for_each(|change| change.apply(&mut bytes));
        read(&bytes, lot);
    }
    Input::Cells(rows, lot) => {
        let lines = rows.iter().map(|cells| cells.join(","));
        read([NAMES.join(",")].into_iter().chain(lines).collect::<Vec<_>>().join("\n").as_bytes(), lot);
    }
});

fn read(bytes: &[u8], lot: u64) {
    // mostly the market of whole base units, of which nothing is rounded away
    let market = Market::new(lot.checked_sub(1 << 62).unwrap_or(1)).unwrap_or(Market::new(1).expect("one base unit"));
    if let Some(book) = clearing::book(bytes, SLOTS, &market) {
        orders(&book, &market);
    }
    if let Ok(found) = Requests::parse(bytes, 1, Rules::default()) {
        requests(&found);
    }
}

fn orders(book: &Book, market: &Market) {
    let entries = clearing::entries(book);
    assert!(entries.len() <= SLOTS);
    assert!(entries.len() == book.len());
    for text in [csv(&entries, market), json(&entries, market)] {
        let again = clearing::book(text.as_bytes(), SLOTS, market).expect("what was written is read");
        assert_eq!(told(&clearing::entries(&again)), told(&entries));
    }
    let mut names: Vec<_> = entries.iter().map(|entry| entry.id.text()).collect();
    names.sort_unstable();
    let twice = names.windows(2).any(|pair| pair[0] == pair[1]);
    let order = clearing::order(book);
    assert_eq!(order.is_none(), twice);
    if let Some(mut slots) = order {
        slots.sort_unstable();
        assert!(slots.into_iter().eq(0..entries.len() as u32));
    }
}

fn told(entries: &[Entry]) -> Vec<impl PartialEq + std::fmt::Debug + use<>> {
    entries.iter().map(|entry| (entry.id, entry.order, entry.list)).collect()
}

fn csv(entries: &[Entry], market: &Market) -> String {
    let lines = entries.iter().map(|entry| cells(entry, market).join(","));
    [NAMES.join(",")].into_iter().chain(lines).collect::<Vec<_>>().join("\r\n")
}

fn json(entries: &[Entry], market: &Market) -> String {
    let object = |entry: &Entry| {
        let members = NAMES.into_iter().map(str::to_owned).zip(cells(entry, market).map(serde_json::Value::from));
        serde_json::Value::Object(members.collect())
    };
    serde_json::Value::from(entries.iter().map(object).collect::<Vec<_>>()).to_string()
}

/// In the order of [`NAMES`].
fn cells(Entry { id, order, list }: &Entry, market: &Market) -> [String; NAMES.len()] {
    // an order of less than a lot rounds down to nothing, as one base unit does where a lot is more
    let size = units(order.size, market).max(1);
    [
        id.text(),
        owner_text(&order.owner),
        order.spread.get().to_string(),
        size.to_string(),
        units(order.balance, market).to_string(),
        units(order.cap, market).to_string(),
        units(order.minimum, market).to_string(),
        order.expiry.0.to_string(),
        mask(order.tiers).map_or("all".to_owned(), |tiers| tiers.join("+")),
        order.frozen.to_string(),
        counterparties(list),
    ]
}

/// So many base units that they are these lots again, rounded up or down.
fn units(lots: Lots, market: &Market) -> u64 {
    lots.get().saturating_mul(market.lot()).min(BaseUnits::MAX.get())
}

/// The tiers of a mask; none for all of them.
fn mask(TierMask(mask): TierMask) -> Option<Vec<String>> {
    (mask != u64::MAX).then(|| (0..64).filter(|tier| mask >> tier & 1 == 1).map(|tier| tier.to_string()).collect())
}

fn counterparties(list: &CounterpartyList) -> String {
    let names: Vec<_> = list.names().iter().map(owner_text).collect();
    match (names.as_slice(), list.is_allow()) {
        ([], _) => "all".into(),
        (names, true) => format!("allow:{}", names.join("+")),
        (names, false) => format!("deny:{}", names.join("+")),
    }
}

/// Everything but the price and the drawn dispersion is read as the same.
fn requests(found: &Requests) {
    assert!((1..=64).contains(&found.requests.len()));
    let again = Requests::parse(toml(found).as_bytes(), 2, Rules::default()).expect("what was written is read");
    assert_eq!((again.market, again.salt, again.epoch), (found.market, found.salt, found.epoch));
    assert_eq!(again.requests.len(), found.requests.len());
    for (again, found) in again.requests.iter().zip(&found.requests) {
        assert_eq!((again.name, again.list), (found.name, found.list));
        assert!(found.request.dispersion.is_none_or(|most| most <= found.request.size));
        let request = darkpool_matcher::Request { dispersion: None, ..found.request };
        assert_eq!(again.request, request);
    }
}

fn toml(found: &Requests) -> String {
    let (lot, epoch, salt) = (found.market.lot(), found.epoch, hex::encode(found.salt));
    let head = format!("lot = {lot}\nepoch = {epoch}\nsalt = \"{salt}\"\n[price]\nmicro_dollars = 1\n");
    let tables = found.requests.iter().map(|named| table(named, &found.market));
    [head].into_iter().chain(tables).collect()
}

fn table(Named { name, request, list, .. }: &Named, market: &Market) -> String {
    let schedule = &request.schedule;
    let (name, owner, list) = (name.text(), owner_text(&request.owner), counterparties(list));
    let (size, deadline) = (units(request.size, market), request.deadline.0);
    let mut text = format!("[[request]]\nname = \"{name}\"\nowner = \"{owner}\"\ncounterparties = \"{list}\"\n");
    text += &format!("size = {size}\ndeadline = {deadline}\nspread = [{}, {}]\n", schedule.s0.get(), schedule.s1.get());
    if schedule.t0 < schedule.t1 {
        text += &format!("times = [{}, {}]\n", schedule.t0.0, schedule.t1.0);
    }
    if let SuccessRule::AtLeast(least) = request.success {
        text += &format!("minimum_total = {}\n", units(least, market));
    }
    if let Some(tiers) = mask(request.tiers) {
        text += &format!("tiers = [{}]\n", tiers.join(", "));
    }
    text
}
