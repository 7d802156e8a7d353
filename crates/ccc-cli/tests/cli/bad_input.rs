//! Input that is wrong: a typed error with a hint, and every file as it was; or a round that closes unfilled.

use super::support::{Story, now};
use std::fs;

const STANDING: &str = "--standing --account-key maker.ccc";
const RUN: &str = "fill run --pool pool --attempt fill --price prices.json";

fn ordered(size: u64) -> Story {
    let story = Story::stocked();
    story.prices();
    story.done(&format!("encrypt-order --pool pool --size {size} --spread 100"));
    story.attempt("fill", "", &[1, 2, 3]);
    story
}

/// The round closes: exit code 1, the next version, the same balances.
fn closes_unfilled(story: &Story) {
    let before = story.balance("maker");
    let run = story.ccc(&format!("--json {RUN}"));
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_eq!((&run.json()["success"], &run.json()["version"]), (&false.into(), &3.into()));
    let after = story.balance("maker");
    assert_eq!((&after["rows"], &after["version"]), (&before["rows"], &3.into()));
}

#[test]
fn an_order_above_the_supply_closes_the_round_unfilled() {
    closes_unfilled(&ordered(400_010_000));
}

#[test]
fn a_stale_price_closes_the_round_unfilled() {
    let story = ordered(300_000_000);
    let seen =
        |round: u64, age: u64| format!(r#"{{"round":{round},"answer":9700000000000,"updated_at":{}}}"#, now() - age);
    story.scratch.write("prices.json", format!("[{},{}]", seen(1, 5_000), seen(2, 4_000)));
    closes_unfilled(&story);
}

#[test]
fn a_round_that_fills_a_request_is_not_run_without_a_price() {
    let story = ordered(300_000_000);
    let before = story.scratch.snapshot();
    let run = story.ccc("--json fill run --pool pool --attempt fill");
    assert_eq!((run.code, &run.json_error()["code"]), (2, &"no-price".into()), "{}", run.stderr);
    assert_eq!(story.scratch.snapshot(), before, "the attempt's keys are not spent");
    story.done(RUN);
}

#[test]
fn a_list_without_observations_closes_the_round_unfilled() {
    let story = ordered(300_000_000);
    story.scratch.write("prices.json", "[]");
    closes_unfilled(&story);
}

#[test]
fn a_second_fill_of_the_same_request_is_refused() {
    let story = ordered(300_000_000);
    story.done(RUN);
    let before = story.scratch.snapshot();
    for again in [RUN, &format!("{RUN} --force"), "fill run --pool pool --attempt fill --price missing.json"] {
        story.ccc(again).fails(2, "this request has been settled by version 3");
    }
    assert_eq!(story.scratch.snapshot(), before);
    story.attempt("second", "", &[1, 2, 3]);
    let run = story.done("--json fill run --pool pool --attempt second --price prices.json");
    assert_eq!(run.json()["kind"], "idle", "a closed request is not settled again");
}

#[test]
fn a_report_is_not_replaced() {
    let story = ordered(300_000_000);
    story.scratch.write("fill/report.ccc", "kept");
    let before = story.scratch.snapshot();
    story.ccc(RUN).fails(2, "report.ccc exists");
    assert_eq!(story.scratch.snapshot(), before);
}

#[test]
fn a_table_whose_header_is_not_the_current_one_is_refused() {
    let story = ordered(300_000_000);
    let path = story.scratch.path("pool/head.json");
    let head = fs::read_to_string(&path).expect("read");
    let mut altered: serde_json::Value = serde_json::from_str(&head).expect("JSON");
    altered["header_hash"] = "00".repeat(32).into();
    fs::write(&path, altered.to_string()).expect("written");
    let before = story.scratch.snapshot();
    story.ccc(RUN).fails(2, "prepared on another");
    let run = story.ccc("reencrypt --participant keys/participant-4.ccc --pool pool --attempt fill");
    run.fails(2, "prepared on another");
    story.ccc("table balance --pool pool --account-key maker.ccc").fails(2, "this store does not have it");
    assert_eq!(story.scratch.snapshot(), before);
}

#[test]
fn a_log_that_lost_or_invented_a_deposit_is_refused() {
    let story = Story::stocked();
    let path = story.scratch.path("pool/log.jsonl");
    let log = fs::read_to_string(&path).expect("read");
    let deposit = log.lines().position(|line| line.contains("deposit")).expect("a deposit");
    let without: String =
        log.lines().enumerate().filter(|(i, _)| *i != deposit).map(|(_, line)| format!("{line}\n")).collect();
    let inflated = log.replace("\"amount\":\"500000000\"", "\"amount\":\"900000000\"");
    let doubled = log.replacen(
        log.lines().nth(deposit).expect("a line"),
        &[log.lines().nth(deposit).expect("a line"); 2].join("\n"),
        1,
    );
    for altered in [without, inflated, doubled] {
        assert_ne!(altered, log);
        fs::write(&path, &altered).expect("written");
        story.ccc("verify --pool pool").fails(2, "head.json has consumed what log.jsonl does not hold");
        let prepare = story.ccc("--no-passphrase fill prepare --pool pool --out attempt");
        prepare.fails(2, "head.json has consumed what log.jsonl does not hold");
        assert!(!story.scratch.path("attempt").exists());
        assert_eq!(fs::read_to_string(&path).expect("read"), altered, "no block was made");
    }
}

#[test]
fn an_attempt_is_not_prepared_into_a_directory_that_holds_anything() {
    let story = Story::stocked();
    fs::create_dir(story.scratch.path("attempt")).expect("made");
    story.scratch.write("attempt/share-1.ccc", story.scratch.read("intake/share-1.ccc"));
    let before = story.scratch.snapshot();
    story.ccc("--no-passphrase fill prepare --pool pool --out attempt").fails(2, "attempt is not empty");
    assert_eq!(story.scratch.snapshot(), before);
    fs::remove_file(story.scratch.path("attempt/share-1.ccc")).expect("removed");
    story.attempt("attempt", "", &[1]);
}

#[test]
fn a_report_on_standard_output_is_the_report_alone() {
    let story = Story::stocked();
    for flags in ["", "--json "] {
        let name = if flags.is_empty() { "plain" } else { "json" };
        story.attempt(name, "", &[1, 2, 3]);
        let run = story.done(&format!("{flags}fill run --pool pool --attempt {name} --out -"));
        story.scratch.write("report.ccc", &run.out);
        story.done("verify --pool pool report.ccc");
    }
}

#[test]
fn statements_with_bad_numbers_are_refused() {
    let story = Story::stocked();
    story.attempt("check", "--reserve-check", &[1, 2, 3]);
    let long = "9".repeat(400);
    for (reserves, sentence) in [
        ("-1", "`reserves` is negative"),
        ("1.5", "`reserves` is not an integer"),
        ("1e9", "`reserves` is not an integer"),
        ("\"7\"", "`reserves` is not an integer"),
        (long.as_str(), "`reserves` is above what can exist"),
    ] {
        let time = now() - 5;
        story.scratch.write(
            "statement.json",
            format!(r#"{{"account":"a","unit":"satoshi","time":{time},"reserves":{reserves},"liabilities":1}}"#),
        );
        let before = story.scratch.snapshot();
        story.ccc("fill run --pool pool --attempt check --statement statement.json").fails(2, sentence);
        assert_eq!(story.scratch.snapshot(), before);
    }
    let another = r#"{"account":"warm","unit":"satoshi","time":1,"reserves":1,"liabilities":1}"#;
    story.scratch.write("statement.json", another);
    let refused = story.ccc("fill run --pool pool --attempt check --statement statement.json");
    refused.fails(2, "about another account than the one");
    story.ccc("fill run --pool pool --attempt check").fails(2, "needs the custodian's statement");
    story.statement(2_000_000_000, 1_000_000_000);
    story.done("fill run --pool pool --attempt check --statement statement.json");
}

#[test]
fn what_an_attempt_does_not_read_is_refused() {
    let story = ordered(300_000_000);
    story.statement(2_000_000_000, 1_000_000_000);
    story.attempt("check", "--reserve-check", &[1, 2, 3]);
    let before = story.scratch.snapshot();
    story.ccc(&format!("{RUN} --statement statement.json")).fails(2, "a round reads no statement");
    let check = "fill run --pool pool --attempt check --statement statement.json --price prices.json";
    story.ccc(check).fails(2, "a reserve check reads no price observations");
    assert_eq!(story.scratch.snapshot(), before);
}

#[test]
fn n112_a_pool_that_says_production_is_not_opened() {
    let story = Story::stocked();
    let settings = String::from_utf8(story.scratch.read("pool/pool.toml")).expect("text");
    assert!(settings.contains("mode = \"simulation\""), "{settings}");
    story.scratch.write("pool/pool.toml", settings.replace("mode = \"simulation\"", "mode = \"production\""));
    let before = story.scratch.snapshot();
    for verb in
        ["verify --pool pool", "table balance --pool pool --account-key maker.ccc", "fill prepare --pool pool --out x"]
    {
        story.ccc(verb).fails(2, "simulated attestation is refused in production");
    }
    assert_eq!(story.scratch.snapshot(), before);
    let root = settings.lines().find(|line| line.starts_with("simulated_hardware")).expect("a root");
    // 2 is no coordinate of a point
    let rootless = settings.replace(root, &format!("simulated_hardware = \"02{}\"", "00".repeat(31)));
    story.scratch.write("pool/pool.toml", rootless.replace("mode = \"simulation\"", "mode = \"production\""));
    story.ccc("verify --pool pool").fails(2, "the enclave's hardware is simulated, which production mode refuses");
}

#[test]
fn malformed_prices_are_refused() {
    let story = ordered(300_000_000);
    let before = story.scratch.snapshot();
    for text in ["{}", "[{\"round\":1}]", "[{\"round\":1,\"answer\":1.5,\"updated_at\":1}]", "nonsense"] {
        let run = story.scratch.ccc_stdin("fill run --pool pool --attempt fill --price -", text.as_bytes());
        assert_eq!(run.code, 2, "{text}");
    }
    assert_eq!(story.scratch.snapshot(), before);
}

#[test]
fn orders_outside_their_range_are_refused() {
    let story = Story::funded();
    let before = story.scratch.snapshot();
    for arguments in [
        "--size 0 --spread 1",
        "--size 2251799813685248 --spread 1",
        "--size -5 --spread 1",
        "--size 1.5 --spread 1",
        "--size 1 --spread 16384",
        "--size 1 --spread 5:x",
        "--spread 5",
    ] {
        assert_eq!(story.ccc(&format!("encrypt-order --pool pool {arguments}")).code, 2, "{arguments}");
    }
    for amount in ["0", "-1", "1.5", "340282366920938463463374607431768211456"] {
        let run =
            story.ccc(&format!("table deposit --pool pool --account-key maker.ccc --asset base --amount {amount}"));
        assert_eq!(run.code, 2, "{amount}");
    }
    for (flags, terms, sentence) in [
        ("", "size = 5\nspread = [1, 1]\nminimum = 6\n", "the minimum: above the size"),
        ("", "size = 5\nspread = [1, 1]\ncap = 5\n", "a collateral order reads no cap"),
        ("", "size = 5\nspread = [1, 1]\ndispersion = [2, 1]\n", "the dispersion: not two ascending"),
        ("", "size = 5\nspread = [1, 1]\ndispersion = [1, 10001]\n", "the dispersion: not two ascending"),
        (STANDING, "size = 20000\nspread = [1, 1]\ncap = 20001\n", "the cap: above the size"),
        (STANDING, "size = 20000\nspread = [1, 1]\ndispersion = [1, 2]\n", "a standing order reads no dispersion"),
        (STANDING, "size = 9999\nspread = [1, 1]\n", "the size of a standing order: less than one lot"),
    ] {
        story.scratch.write("terms.toml", terms);
        story.ccc(&format!("encrypt-order --pool pool --terms terms.toml {flags}")).fails(2, sentence);
    }
    story.scratch.write("terms.toml", "size = 1\nspread = [1, 1]\nsecret = 1\n");
    story.ccc("encrypt-order --pool pool --terms terms.toml").fails(2, "unknown field");
    fs::remove_file(story.scratch.path("terms.toml")).expect("removed");
    assert_eq!(story.scratch.snapshot(), before);
}

#[test]
fn a_pool_is_not_made_over_another() {
    let story = Story::funded();
    let before = story.scratch.snapshot();
    let reserve = "0x0101010101010101010101010101010101010101";
    let init = |flags: &str| {
        story.ccc(&format!(
            "--no-passphrase table init --committee keys/committee.ccc --reserve {reserve} --agent-key agent.pub {flags}"
        ))
    };
    init("--out pool").fails(2, "pool is not empty");
    init("--out other --tier 11").fails(2, "tier is outside its range");
    init("--out other --signers 0").fails(2, "");
    assert_eq!(story.scratch.snapshot(), before, "no draft stays");
}

#[test]
fn two_runs_do_not_move_the_table_at_once() {
    let story = ordered(300_000_000);
    let lock = ccc_store::DirectoryStore::open(story.scratch.path("pool/table")).expect("opened");
    story.ccc(RUN).fails(2, "another process has the store open");
    drop(lock);
    story.done(RUN);
}
