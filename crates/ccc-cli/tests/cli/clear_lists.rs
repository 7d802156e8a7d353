//! `ccc clear` with counterparty lists: who meets whom, what is refused, and that the fills are the reference's.

use super::{
    clear::REQUEST,
    support::{Run, Scratch},
};
use ccc_core::suite::{self, domain};
use darkpool_matcher::{
    BaseUnits, Batch, CounterpartyList, Lots, Market, MicroDollars, Observation, OwnerId, PriceRules, Request, Spread,
    SpreadSchedule, StandingOrder, SuccessRule, TierMask, UnixSeconds, reference, twap,
};

const ORDERS: &str = "\
id,owner,spread,size,counterparties
a,one,300,400000,allow:desk-1+reserve
b,two,400,900000,deny:reserve
c,three,500,600000,allow:desk-1
d,four,900,900000,
";

const SECOND: &str = "
[[request]]
name = \"second\"
owner = \"desk-1\"
size = 850000
spread = [1000, 1000]
deadline = 1800000001
";

fn cleared(orders: &str, request: &str, flags: &str) -> Run {
    let scratch = Scratch::new();
    scratch.write("book.csv", orders);
    scratch.write("request.toml", request);
    scratch.ccc(&format!("--json clear --orders book.csv --request request.toml {flags}"))
}

/// Names and amounts of one request.
fn filled(run: &Run, place: usize) -> Vec<(String, u64)> {
    let object = run.json();
    let fills = object["requests"][place]["fills"].as_array().expect("a list");
    let one = |fill: &serde_json::Value| {
        (fill["id"].as_str().expect("text").to_owned(), fill["amount"].as_u64().expect("a number"))
    };
    fills.iter().map(one).collect()
}

fn amounts(pairs: &[(&str, u64)]) -> Vec<(String, u64)> {
    pairs.iter().map(|&(id, amount)| (id.to_owned(), amount)).collect()
}

#[test]
fn a_list_of_either_side_keeps_owners_apart() {
    let run = cleared(ORDERS, REQUEST, "");
    assert_eq!((run.code, filled(&run, 0)), (0, amounts(&[("a", 400_000), ("d", 450_000)])), "{}", run.stderr);
    for (list, expected) in [
        ("all", amounts(&[("a", 400_000), ("d", 450_000)])),
        ("deny:one", amounts(&[("d", 850_000)])),
        ("allow:two+four", amounts(&[("d", 850_000)])),
        ("allow:one+two+three", vec![]),
    ] {
        let request = format!("{REQUEST}counterparties = \"{list}\"\n");
        let run = cleared(ORDERS, &request, "");
        assert_eq!((filled(&run, 0), run.code), (expected.clone(), i32::from(expected.is_empty())), "{list}");
        let rows = ORDERS.lines().map(|line| line.rsplit_once(',').expect("two cells").0.to_owned() + "\n");
        let run = cleared(&rows.collect::<String>(), &request, "");
        assert!(!filled(&run, 0).is_empty(), "{list}: without the lists of the makers");
    }
}

#[test]
fn lists_hold_for_each_request_of_a_batch() {
    let run = cleared(ORDERS, &format!("{REQUEST}{SECOND}"), "--slots 9");
    assert_eq!(filled(&run, 0), amounts(&[("a", 400_000), ("d", 450_000)]), "{}", run.stderr);
    // a is spent; b refuses the reserve alone
    assert_eq!(filled(&run, 1), amounts(&[("b", 850_000)]));
}

#[test]
fn json_has_the_same_lists() {
    let order = |cells: Vec<&str>| {
        let list = Some(cells[4]).filter(|list| !list.is_empty());
        serde_json::json!({"id": cells[0], "owner": cells[1], "spread": cells[2], "size": cells[3], "counterparties": list})
    };
    let rows = ORDERS.lines().skip(1).map(|line| order(line.split(',').collect()));
    let json = serde_json::Value::Array(rows.collect()).to_string();
    let run = cleared(&json, REQUEST, "");
    assert_eq!((run.code, filled(&run, 0)), (0, amounts(&[("a", 400_000), ("d", 450_000)])), "{}", run.stderr);
}

#[test]
fn n136_bad_lists_are_told_by_place() {
    let form = "expected `all`, or `allow:` or `deny:` and 1 to 8 accounts joined by `+`, found";
    let account = "expected `0x` and 40 hexadecimal digits, or a name of 1 to 20 characters, found";
    let nine = ["m"; 9].join("+");
    for (list, sentence) in [
        ("reserve", format!("{form} `reserve`")),
        ("Deny:reserve", format!("{form} `Deny:reserve`")),
        (&format!("allow:{nine}"), format!("{form} `allow:{nine}`")),
        ("allow:", format!("{account} nothing")),
        ("allow:NaN+two words", format!("{account} `two words`")),
    ] {
        let run = cleared(&ORDERS.replace("deny:reserve", list), REQUEST, "");
        refused(&run, "orders-value", &format!("order 2, counterparties: {sentence}"));
        let request = format!("{REQUEST}counterparties = \"{list}\"\n");
        refused(&cleared(ORDERS, &request, ""), "clear-request", &format!("request 1, counterparties: {sentence}"));
    }
    let request = format!("{REQUEST}counterparties = [\"one\"]\n");
    refused(&cleared(ORDERS, &request, ""), "clear-request", "line 11: invalid type: sequence, expected a string");
}

fn refused(run: &Run, code: &str, sentence: &str) {
    let error = run.json_error();
    assert_eq!((run.code, &error["code"]), (2, &code.into()), "{error}");
    assert!(error["error"].as_str().expect("text").ends_with(sentence), "{sentence}\n{error}");
    assert!(run.stdout.is_empty());
}

fn account(text: &str) -> OwnerId {
    let mut owner = [0; 20];
    owner[..text.len()].copy_from_slice(text.as_bytes());
    OwnerId(owner)
}

fn list(text: &str) -> CounterpartyList {
    let Some((kind, names)) = text.split_once(':') else { return CounterpartyList::EMPTY };
    let names: Vec<OwnerId> = names.split('+').map(account).collect();
    let list = if kind == "allow" { CounterpartyList::allow(&names) } else { CounterpartyList::deny(&names) };
    list.expect("at most eight")
}

/// The identifiers, orders and lists of a generated file.
fn book(csv: &str, market: &Market) -> Vec<(String, StandingOrder, CounterpartyList)> {
    let lots = |text: &str| Lots::floor(BaseUnits::new(text.parse().expect("a number")).expect("in range"), market);
    let order = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let order = StandingOrder {
            owner: account(cells[1]),
            spread: Spread::new(cells[2].parse().expect("a number")).expect("in range"),
            size: lots(cells[3]),
            balance: lots(cells[4]),
            cap: if cells[5].is_empty() { Lots::MAX } else { lots(cells[5]) },
            minimum: lots(cells[6]),
            expiry: UnixSeconds(cells[7].parse().expect("a number")),
            tiers: TierMask::ALL,
            frozen: cells[9] == "true",
        };
        (cells[0].to_owned(), order, list(cells[10]))
    };
    csv.lines().skip(1).map(order).collect()
}

/// The slots by digest32 H("order"; salt, epoch, digest of the id).
fn permutation(ids: impl Iterator<Item = String>, salt: &[u8]) -> Vec<u32> {
    let key = |id: String| suite::digest32(domain::ORDER, &[salt, &0u64.to_be_bytes(), &suite::digest(id.as_bytes())]);
    let mut keyed: Vec<_> = ids.map(key).zip(0..).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, slot)| slot).collect()
}

#[test]
fn a_generated_book_with_lists_clears_as_the_reference_does() {
    let scratch = Scratch::new();
    scratch.done("clear generate --orders 700 --seed 4 --shape ties --lists --out book.csv --request made.toml");
    let made: toml::Value = toml::from_str(&String::from_utf8(scratch.read("made.toml")).expect("text")).expect("TOML");
    let makers = made["request"][0]["counterparties"].as_str().expect("text").to_owned();
    let (size, deadline) = (20_000_000_000, 1_800_000_000);
    scratch.write(
        "request.toml",
        format!(
            "lot = 10_000\n[price]\nmicro_dollars = 60_000_000_000\n[[request]]\nowner = \"reserve\"\n\
             size = {size}\nspread = [9000, 9000]\ndeadline = {deadline}\ncounterparties = \"{makers}\"\n"
        ),
    );
    let run = scratch.done("--json clear --orders book.csv --request request.toml");
    let market = Market::new(10_000).expect("a market");
    let rows = book(&String::from_utf8(scratch.read("book.csv")).expect("text"), &market);
    let salt = hex::decode(run.json()["salt"].as_str().expect("text")).expect("hexadecimal");
    let orders: Vec<StandingOrder> = rows.iter().map(|row| row.1).collect();
    let lists: Vec<CounterpartyList> = rows.iter().map(|row| row.2).collect();
    assert!(lists.iter().filter(|list| !list.names().is_empty()).count() > 30);
    let request = request(size, deadline, &market);
    let batch = Batch {
        orders: &orders,
        order_lists: &lists,
        permutation: &permutation(rows.iter().map(|row| row.0.clone()), &salt),
        requests: &[request],
        request_lists: &[list(&makers)],
        sequence: &[0],
        prices: &[price(deadline)],
    };
    let (outcomes, fills) = reference::clear_batch(&batch, &market).expect("cleared");
    assert!(outcomes[0].success);
    let expected = rows.iter().zip(&fills).filter(|(_, fill)| fill.lots.get() > 0);
    let expected: Vec<_> = expected.map(|((id, ..), fill)| (id.clone(), fill.lots.get() * 10_000)).collect();
    assert_eq!(filled(&run, 0), expected);
    assert!(expected.len() > 30);
}

fn request(size: u64, deadline: u64, market: &Market) -> Request {
    Request {
        owner: account("reserve"),
        size: Lots::ceil(BaseUnits::new(size).expect("in range"), market),
        schedule: SpreadSchedule::flat(Spread::new(9_000).expect("in range")),
        success: SuccessRule::AllOrNone,
        dispersion: None,
        tiers: TierMask::ALL,
        deadline: UnixSeconds(deadline),
    }
}

fn price(deadline: u64) -> Result<darkpool_matcher::Twap, darkpool_matcher::PriceRefusal> {
    let price = MicroDollars::new(60_000_000_000).expect("in range");
    let collar = darkpool_matcher::BasisPoints::MAX;
    let rules = PriceRules { window: 1, max_gap: 1, max_stale: 1, collar, minimum_observations: 1 };
    twap(&[Observation { round: 1, price, at: UnixSeconds(deadline - 1) }], &rules, UnixSeconds(deadline))
}
