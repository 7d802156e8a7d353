//! `ccc clear`: books and requests in the clear, what is refused, and that the fills are the reference's.

use super::support::{Run, Scratch};
use ccc_core::suite::{self, domain};
use darkpool_matcher::{
    Allocation, BaseUnits, BasisPoints, Lots, Market, MicroDollars, Observation, OwnerId, PriceRules, Pricing, Request,
    Rules, Spread, SpreadSchedule, StandingOrder, SuccessRule, TierMask, UnixSeconds, dispersion_limit, reference,
    twap,
};
use serde_json::Value;

const SCHEMA: &str = include_str!("../../../../docs/spec/clear.schema.json");

const ORDERS: &str = "\
id,owner,spread,size,cap
a,one,300,400000,
b,two,500,900000,300000
c,three,500,600000,
d,four,900,900000,
";

pub(crate) const REQUEST: &str = "\
lot = 100

[price]
micro_dollars = 60_000_000_000

[[request]]
owner = \"reserve\"
size = 850000
spread = [1000, 1000]
deadline = 1800000000
";

fn scratch(orders: &str, request: &str) -> Scratch {
    let scratch = Scratch::new();
    scratch.write("book.csv", orders);
    scratch.write("request.toml", request);
    scratch
}

fn clear(scratch: &Scratch, flags: &str) -> Run {
    scratch.ccc(&format!("clear --orders book.csv --request request.toml {flags}"))
}

fn filled(run: &Run) -> Vec<(String, u64)> {
    let fills = run.json()["requests"][0]["fills"].as_array().expect("a list").clone();
    let one =
        |fill: &Value| (fill["id"].as_str().expect("text").to_owned(), fill["amount"].as_u64().expect("a number"));
    fills.iter().map(one).collect()
}

fn amounts(pairs: &[(&str, u64)]) -> Vec<(String, u64)> {
    pairs.iter().map(|&(id, amount)| (id.to_owned(), amount)).collect()
}

#[test]
fn rule_a_fills_by_price_and_rule_b_evenly() {
    let scratch = scratch(ORDERS, REQUEST);
    let run = clear(&scratch, "--json");
    assert_eq!((run.code, filled(&run)), (0, amounts(&[("a", 400_000), ("b", 150_000), ("c", 300_000)])));
    let run = clear(&scratch, "--json --rule b");
    let amount: Vec<u64> = filled(&run).into_iter().map(|(_, amount)| amount).collect();
    assert_eq!((run.code, amount.iter().sum::<u64>()), (0, 850_000));
    assert!(amount.iter().all(|amount| (212_500 - 100..=212_500 + 100).contains(amount)), "{amount:?}");
}

#[test]
fn a_uniform_price_is_the_greatest_spread_filled() {
    let scratch = scratch(ORDERS, REQUEST);
    let premium = |flags: &str| clear(&scratch, flags).json()["requests"][0]["premium_ppb"].clone();
    // 400 000 at 300 and 450 000 at 500 hundredths of a basis point, beside 500 for all
    assert_eq!((premium("--json"), premium("--json --pricing uniform")), (405_882.into(), 500_000.into()));
}

#[test]
fn what_a_person_reads() {
    let scratch = scratch(ORDERS, REQUEST);
    let run = clear(&scratch, "");
    assert_eq!(run.code, 0);
    assert!(run.stderr.contains("note: orders in the clear: for trying the engine"), "{}", run.stderr);
    for line in [
        "orders            4 in 4 slots",
        "result            filled",
        "filled            0.00850000 coins in 3 fills of 3 makers",
        "average premium   4.05882 bp",
        "margin            5.00 bp",
        "largest share     47.05 %",
        "Herfindahl index  3771 of 10 000",
        "order  owner  spread bp       coins  dollars  share %",
        "b      two         5.00  0.00150000    90.05    17.64",
    ] {
        assert!(run.stdout.lines().any(|found| found == line), "{line}\n{}", run.stdout);
    }
}

#[test]
fn a_pool_too_small_is_an_answer_of_no() {
    let scratch = scratch(ORDERS, &REQUEST.replace("850000", "8500000"));
    let run = clear(&scratch, "--json");
    let request = &run.json()["requests"][0];
    assert_eq!((run.code, &request["success"], &request["reason"]), (1, &false.into(), &"too-small".into()));
    assert_eq!((&request["fills"], &request["premium_ppb"]), (&Value::Array(vec![]), &Value::Null));
    for orders in ["id,owner,spread,size\n", "[]"] {
        let run = scratch.ccc_stdin("--json clear --orders - --request request.toml", orders.as_bytes());
        assert_eq!((run.code, &run.json()["requests"][0]["reason"]), (1, &"too-small".into()), "{}", run.stderr);
    }
}

#[test]
fn a_refused_price_is_an_answer_with_its_reason() {
    let price = "[price]\nwindow = 60\nmax_gap = 60\nmax_stale = 5\ncollar = 10\n\
        observations = [{ round = 1, micro_dollars = 1, at = 1799999940 }]\n";
    let scratch = scratch(ORDERS, &REQUEST.replace("[price]\nmicro_dollars = 60_000_000_000\n", price));
    let run = clear(&scratch, "--json");
    let request = &run.json()["requests"][0];
    assert_eq!((run.code, &request["reason"], &request["price"]), (1, &"price".into(), &Value::Null));
    let refusal = "age of the last observation: expected at most 5 s, found 60 s";
    assert_eq!(request["price_refusal"], refusal);
}

#[test]
fn two_requests_are_one_batch_and_fill_nothing_twice() {
    let second = "\n[[request]]\nname = \"early\"\nowner = \"other\"\nsize = 500000\nspread = [1000, 1000]\n\
        deadline = 1799999999\n";
    let scratch = scratch(ORDERS, &format!("{REQUEST}{second}"));
    let run = clear(&scratch, "--json");
    let object = run.json();
    assert_eq!((run.code, object["requests"].as_array().map(Vec::len)), (0, Some(2)), "{}", run.stderr);
    let filled = |place: usize| -> Vec<(String, u64)> {
        let fills = object["requests"][place]["fills"].as_array().expect("a list");
        let one =
            |fill: &Value| (fill["id"].as_str().expect("text").to_owned(), fill["amount"].as_u64().expect("a number"));
        fills.iter().map(one).collect()
    };
    // the earlier deadline comes first, and the cap of b is per request
    let early = filled(1);
    assert_eq!(early.iter().map(|(_, amount)| amount).sum::<u64>(), 500_000);
    assert_eq!(early[0], ("a".to_owned(), 400_000));
    let late = filled(0);
    assert_eq!(late.iter().map(|(_, amount)| amount).sum::<u64>(), 850_000);
    for (id, size) in [("a", 400_000), ("b", 900_000), ("c", 600_000), ("d", 900_000)] {
        let given: u64 = early.iter().chain(&late).filter(|(of, _)| of == id).map(|(_, amount)| amount).sum();
        assert!(given <= size, "{id}: {given} of {size}");
    }
    let twice = REQUEST.to_owned() + &second.replace("early", "request-1");
    refused(ORDERS, &twice, "", "clear-request", "request 2, name: expected every name once, found `request-1`");
    let many = REQUEST.to_owned() + &(0..5).map(|i| second.replace("early", &format!("r{i}"))).collect::<String>();
    refused(
        ORDERS,
        &many,
        "--slots 4194304",
        "clear-request",
        "request: expected at most 4 requests for 4194304 slots, found `6`",
    );
}

#[test]
fn csv_json_and_standard_input_are_one() {
    let scratch = scratch(ORDERS, REQUEST);
    let rows = ORDERS.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    let row = |cells: Vec<&str>| {
        let cap = cells[4].parse::<u64>().ok();
        serde_json::json!({"id": cells[0], "owner": cells[1], "spread": cells[2], "size": cells[3].parse::<u64>().ok(), "cap": cap})
    };
    let json = Value::Array(rows.map(row).collect()).to_string();
    let expected = filled(&clear(&scratch, "--json"));
    for stdin in [ORDERS.as_bytes(), json.as_bytes(), ORDERS.replace('\n', "\r\n").as_bytes()] {
        let run = scratch.ccc_stdin("--json clear --orders - --request request.toml", stdin);
        assert_eq!((run.code, filled(&run)), (0, expected.clone()), "{}", run.stderr);
    }
    scratch.ccc("clear --orders - --request -").fails(2, "standard input is named 2 times");
}

#[test]
fn the_object_follows_its_schema() {
    let schema = serde_json::from_str(SCHEMA).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let small = scratch(ORDERS, &REQUEST.replace("850000", "8500000"));
    for (scratch, flags) in [(&scratch(ORDERS, REQUEST), "--json --slots 9"), (&small, "--json --rule b")] {
        let object = clear(scratch, flags).json();
        let errors: Vec<String> = validator.iter_errors(&object).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let mut broken = object.clone();
        broken["rule"] = "c".into();
        assert!(!validator.is_valid(&broken));
    }
}

#[test]
fn results_are_written_at_once_and_never_over_others() {
    let scratch = scratch(ORDERS, REQUEST);
    let run = clear(&scratch, "--out out.json --fills fills.csv");
    assert_eq!(run.code, 0, "{}", run.stderr);
    let object: Value = serde_json::from_slice(&scratch.read("out.json")).expect("JSON");
    assert_eq!(object["requests"][0]["filled"], 850_000);
    let fills = String::from_utf8(scratch.read("fills.csv")).expect("text");
    assert_eq!(fills.lines().nth(2), Some("request-1,b,two,500,150000,90045000"));
    let before = scratch.snapshot();
    clear(&scratch, "--fills fills.csv --out other.json").fails(2, "fills.csv exists");
    clear(&scratch, "--fills one --out one").fails(2, "one is named for two results");
    clear(&scratch, "--fills - --out -").fails(2, "standard output is named 2 times");
    assert_eq!(scratch.snapshot(), before);
    assert_eq!(clear(&scratch, "--out out.json --force").code, 0);
    assert_eq!(clear(&scratch, "--fills -").stdout, fills);
}

#[test]
fn no_result_takes_the_place_of_another_or_of_an_input() {
    let scratch = scratch(ORDERS, REQUEST);
    std::fs::create_dir(scratch.path("sub")).expect("a directory");
    let before = scratch.snapshot();
    clear(&scratch, "--out x --fills ./x --force").fails(2, "./x is named for two results");
    clear(&scratch, "--out x --fills sub/../x --force").fails(2, "sub/../x is named for two results");
    for path in ["book.csv", "./book.csv", "sub/../request.toml"] {
        clear(&scratch, &format!("--out {path} --force")).fails(2, &format!("{path} is read, and named for a result"));
    }
    assert_eq!(scratch.snapshot(), before);
}

#[test]
fn a_result_without_a_directory_stops_the_others() {
    let scratch = scratch(ORDERS, REQUEST);
    let before = scratch.snapshot();
    clear(&scratch, "--out a.json --fills nodir/b.csv").fails(2, "nodir/b.csv");
    clear(&scratch, "--out a.json --fills book.csv/b.csv").fails(2, "book.csv/b.csv");
    assert_eq!(scratch.snapshot(), before);
}

#[cfg(unix)]
#[test]
fn results_are_for_their_owner() {
    let scratch = scratch(ORDERS, REQUEST);
    clear(&scratch, "--out out.json --fills fills.csv");
    for name in ["out.json", "fills.csv"] {
        assert_eq!(super::support::mode(&scratch.path(name)), 0o600);
    }
}

/// Refused with this code, in these words; nothing is written.
fn refused(orders: &str, request: &str, flags: &str, code: &str, sentence: &str) {
    let scratch = scratch(orders, request);
    let before = scratch.snapshot();
    let run = clear(&scratch, &format!("--json --out out.json --fills fills.csv {flags}"));
    let error = run.json_error();
    assert_eq!((run.code, &error["code"]), (2, &code.into()), "{error}");
    assert!(error["error"].as_str().expect("text").ends_with(sentence), "{sentence}\n{error}");
    assert!(run.stdout.is_empty());
    assert_eq!(scratch.snapshot(), before);
}

#[test]
fn bad_cells_are_told_by_order_and_column() {
    let amount = "a whole number from 1 to 2251799813685247";
    let texts = ["NaN", "inf", "1e9", "-5", " 12", "0x10", "", "0", "1.5", "2251799813685248", "99999999999999999999"];
    for text in texts {
        let found = if text.is_empty() { "nothing".to_owned() } else { format!("`{text}`") };
        let orders = ORDERS.replace("c,three,500,600000,", &format!("c,three,500,{text},"));
        let sentence = format!("order 3, size: expected {amount}, found {found}");
        refused(&orders, REQUEST, "", "orders-value", &sentence);
    }
    for (cell, column, sentence) in [
        ("four,16384,9,", "spread", "expected a whole number from 0 to 16383, found `16384`"),
        ("four,1,9,-1", "cap", "expected a whole number from 0 to 2251799813685247, found `-1`"),
        (
            "two words,1,9,",
            "owner",
            "expected `0x` and 40 hexadecimal digits, or a name of 1 to 20 characters, found `two words`",
        ),
        (
            "0x12,1,9,",
            "owner",
            "expected `0x` and 40 hexadecimal digits, or a name of 1 to 20 characters, found `0x12`",
        ),
    ] {
        let orders = ORDERS.replace("four,900,900000,", cell);
        refused(&orders, REQUEST, "", "orders-value", &format!("order 4, {column}: {sentence}"));
    }
}

#[test]
fn bad_columns_are_told() {
    let names = "id,owner,spread,size,cap";
    for (with, sentence) in [
        (
            "id,owner,spread,amount,cap",
            "line of names: expected one of id, owner, spread, size, balance, cap, minimum, expiry, tiers, frozen, counterparties, found `amount`",
        ),
        ("id,owner,spread,cap,cap", "line of names: expected every column once, found cap again"),
        ("id,owner,spread,balance,cap", "line of names: expected the column size, found none"),
        (" id,owner,spread,size,cap", "found ` id`"),
    ] {
        refused(&ORDERS.replace(names, with), REQUEST, "", "orders-columns", sentence);
    }
    refused("", REQUEST, "", "orders-columns", "line of names: expected the column id, found none");
    refused(&ORDERS.replace("d,four", "d;four"), REQUEST, "", "orders-form", "order 4: expected 5 cells, found 4");
    refused(
        "[1]",
        REQUEST,
        "",
        "orders-form",
        "line 1, column 3: invalid type: integer `1`, expected an order: an object",
    );
    refused("[{\"id\":NaN}]", REQUEST, "", "orders-form", "line 1, column 8: expected value");
}

#[test]
fn an_order_comes_once_and_in_a_slot() {
    let again = ORDERS.replace("d,four", "b,four");
    refused(&again, REQUEST, "", "orders-duplicate", "order 4, id: expected every id once, found `b` of order 2 again");
    refused(ORDERS, REQUEST, "--slots 3", "orders-many", "expected at most 3 orders, found more");
    let scratch = scratch(ORDERS, REQUEST);
    let run = clear(&scratch, "--json --slots 1024");
    assert_eq!((run.code, &run.json()["slots"], &run.json()["orders"]), (0, &1024.into(), &4.into()));
    for slots in ["0", "-1", "1e3", "4194305", "NaN"] {
        assert_eq!(clear(&scratch, &format!("--json --slots={slots}")).json_error()["code"], "usage");
    }
}

#[test]
fn n136_bad_requests_are_told_by_field() {
    let greatest = "2251799813685247";
    for (from, to, sentence) in [
        ("size = 850000", "size = 0", format!("request 1, size: expected a whole number from 1 to {greatest}, found `0`")),
        ("size = 850000", "size = 2251799813685248", format!("from 1 to {greatest}, found `2251799813685248`")),
        ("= 60_000_000_000", "= 0", "price, micro_dollars: expected a whole number from 1 to 1125899906842623, found `0`".into()),
        ("lot = 100", "lot = 0", format!("lot: expected a whole number from 1 to {greatest}, found `0`")),
        ("[1000, 1000]", "[1000, 16384]", "request 1, times: expected start and end of a spread that slides, found nothing".into()),
        ("[1000, 1000]", "[16384, 16384]", "request 1, spread: expected a whole number from 0 to 16383, found `16384`".into()),
        ("deadline = 1800000000", "deadline = 0", "request 1, deadline: expected seconds from 1, found `0`".into()),
        ("size = 850000", "size = 9\nminimum_total = 10", "request 1, minimum_total: expected a whole number from 1 to 9, found `10`".into()),
        ("size = 850000", "size = 9\ndispersion = [0, 10]", "request 1, dispersion: expected a whole number from 1 to 10000, found `0`".into()),
        ("size = 850000", "size = 9\ntiers = [64]", "request 1, tiers: expected a whole number from 0 to 63, found `64`".into()),
        ("size = 850000", "size = nan", "line 8: invalid type: floating point `NaN`, expected u64".into()),
        ("size = 850000", "size = -5", "line 8: invalid value: integer `-5`, expected u64".into()),
        ("size = 850000", "size = 1\nprice = 2", "line 9: unknown field `price`, expected one of `name`, `owner`, `size`, `minimum_total`, `spread`, `times`, `deadline`, `dispersion`, `seed`, `tiers`, `counterparties`".into()),
        ("micro_dollars", "window = 3\nmicro_dollars", "price: expected either micro_dollars alone or observations with their bounds, found `something else`".into()),
    ] {
        assert!(REQUEST.contains(from), "{from}");
        refused(ORDERS, &REQUEST.replace(from, to), "", "clear-request", &sentence);
    }
    let (head, _) = REQUEST.split_once("[[request]]").expect("a request");
    let none = format!("request = []\n{head}");
    refused(ORDERS, &none, "", "clear-request", "request: expected 1 to 64 requests, found `0`");
}

#[test]
fn a_generated_book_is_the_same_and_clears() {
    let scratch = Scratch::new();
    for shape in ["institutional", "crowd", "ties", "ladder", "whale"] {
        let flags = format!("--json clear generate --orders 10000 --seed 5 --shape {shape}");
        let made = scratch.done(&format!("{flags} --out {shape}.csv --request {shape}.toml")).json();
        assert_eq!(scratch.done(&format!("{flags} --out -")).out, scratch.read(&format!("{shape}.csv")), "{shape}");
        for rule in ["a", "b"] {
            let run = scratch.done(&format!("--json clear --orders {shape}.csv --request {shape}.toml --rule {rule}"));
            let object = run.json();
            assert_eq!(
                (&object["orders"], &object["requests"][0]["reason"]),
                (&10_000.into(), &"ok".into()),
                "{shape}"
            );
            assert_eq!(object["requests"][0]["filled"], made["request_size"], "{shape}");
        }
    }
    scratch.ccc("clear generate --orders 10 --out whale.csv").fails(2, "whale.csv exists");
    scratch.ccc("clear generate --orders 10 --out one --request one").fails(2, "one is named for two results");
}

/// The orders of a generated file, by the rules of `docs/spec/files.md`.
fn orders(csv: &str, market: &Market) -> Vec<(String, StandingOrder)> {
    let units = |text: &str| BaseUnits::new(text.parse().expect("a number")).expect("in range");
    let order = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let mut owner = [0; 20];
        owner[..cells[1].len()].copy_from_slice(cells[1].as_bytes());
        let cap = if cells[5].is_empty() { BaseUnits::MAX } else { units(cells[5]) };
        let order = StandingOrder {
            owner: OwnerId(owner),
            spread: Spread::new(cells[2].parse().expect("a number")).expect("in range"),
            size: Lots::floor(units(cells[3]), market),
            balance: Lots::floor(units(cells[4]), market),
            cap: Lots::floor(cap, market),
            minimum: Lots::ceil(units(cells[6]), market),
            expiry: UnixSeconds(cells[7].parse().expect("a number")),
            tiers: TierMask::ALL,
            frozen: cells[9] == "true",
        };
        (cells[0].to_owned(), order)
    };
    csv.lines().skip(1).map(order).collect()
}

/// Slots by digest32 H("order"; salt, epoch, digest of the id).
fn permutation(book: &[(String, StandingOrder)], salt: &[u8]) -> Vec<u32> {
    let epoch = 0u64.to_be_bytes();
    let key = |id: &str| suite::digest32(domain::ORDER, &[salt, &epoch, &suite::digest(id.as_bytes())]);
    let mut keyed: Vec<_> = book.iter().map(|(id, _)| key(id)).zip(0..).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, slot)| slot).collect()
}

/// The request that is generated, from its TOML.
fn request(file: &toml::Value, market: &Market) -> Request {
    let asked = &file["request"][0];
    let number = |value: &toml::Value| u64::try_from(value.as_integer().expect("an integer")).expect("positive");
    let spread = |value: &toml::Value| Spread::new(u16::try_from(number(value)).expect("16 bits")).expect("in range");
    let size = Lots::ceil(BaseUnits::new(number(&asked["size"])).expect("in range"), market);
    let seed = suite::digest32(domain::DIGEST, &[b"ccc clear", b"dispersion", &3u64.to_be_bytes()]);
    let wide = suite::hash(domain::DISPERSION, &[&suite::digest(b"reserve"), &seed]);
    let draw = u64::from_be_bytes(wide[..8].try_into().expect("8 bytes"));
    let bounds = [1_500, 2_500].map(|points| BasisPoints::new(points).expect("in range"));
    let mut owner = [0; 20];
    owner[..7].copy_from_slice(b"reserve");
    Request {
        owner: OwnerId(owner),
        size,
        schedule: SpreadSchedule {
            s0: spread(&asked["spread"][0]),
            s1: spread(&asked["spread"][1]),
            t0: UnixSeconds(number(&asked["times"][0])),
            t1: UnixSeconds(number(&asked["times"][1])),
        },
        success: SuccessRule::AllOrNone,
        dispersion: Some(dispersion_limit(draw, bounds[0], bounds[1], size)),
        tiers: TierMask::ALL,
        deadline: UnixSeconds(number(&asked["deadline"])),
    }
}

fn observations(file: &toml::Value) -> Vec<Observation> {
    let number = |value: &toml::Value| u64::try_from(value.as_integer().expect("an integer")).expect("positive");
    let one = |observation: &toml::Value| Observation {
        round: number(&observation["round"]).into(),
        price: MicroDollars::new(number(&observation["micro_dollars"])).expect("in range"),
        at: UnixSeconds(number(&observation["at"])),
    };
    file["price"]["observations"].as_array().expect("a list").iter().map(one).collect()
}

#[test]
fn the_fills_are_those_of_the_reference() {
    let scratch = Scratch::new();
    scratch.done("clear generate --orders 600 --seed 11 --out book.csv --request request.toml");
    let csv = String::from_utf8(scratch.read("book.csv")).expect("text");
    let text = String::from_utf8(scratch.read("request.toml")).expect("text");
    let file: toml::Value = toml::from_str(&text).expect("TOML");
    let plain = Market::new(10_000).expect("a market");
    let (book, request) = (orders(&csv, &plain), request(&file, &plain));
    let standing: Vec<StandingOrder> = book.iter().map(|(_, order)| *order).collect();
    let collar = BasisPoints::new(200).expect("in range");
    let rules = PriceRules { window: 3_600, max_gap: 600, max_stale: 600, collar, minimum_observations: 2 };
    let price = twap(&observations(&file), &rules, request.deadline);
    for (allocation, rule) in [(Allocation::ProRata, "a"), (Allocation::EqualSplit, "b")] {
        for (pricing, name) in [(Pricing::PayAsBid, "as-bid"), (Pricing::Uniform, "uniform")] {
            let run = clear(&scratch, &format!("--json --seed 3 --rule {rule} --pricing {name}"));
            let object = run.json();
            let salt = hex::decode(object["salt"].as_str().expect("text")).expect("hexadecimal");
            let market = plain.with_rules(Rules { allocation, pricing, ..Rules::default() });
            let (outcome, fills) =
                reference::clear(&request, &standing, &permutation(&book, &salt), price, &market).expect("cleared");
            assert!(outcome.success && run.code == 0, "{}", run.stderr);
            let expected = book.iter().zip(&fills).filter(|(_, fill)| fill.lots.get() > 0);
            let expected: Vec<(String, u64)> =
                expected.map(|((id, _), fill)| (id.clone(), fill.lots.get() * 10_000)).collect();
            assert_eq!(filled(&run), expected);
            assert_eq!(object["requests"][0]["total"], outcome.total.get().to_string());
        }
    }
}
