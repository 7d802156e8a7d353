//! Inside the pool: transfers between accounts, orders taken back, and what the pool's operator does to a row.

use super::support::Story;
use serde_json::Value;

/// Runs an idle round in this directory.
fn settle(story: &Story, name: &str) {
    story.attempt(name, "", &[1, 2, 3]);
    story.done(&format!("fill run --pool pool --attempt {name}"));
}

fn row(story: &Story, owner: &str, asset: &str) -> Value {
    let balance = story.balance(owner);
    let rows = balance["rows"].as_array().expect("rows").clone();
    rows.into_iter().find(|row| row["asset"] == asset).expect("a row")
}

/// The account of a key file: the address that its own balance is kept under.
fn account(story: &Story, name: &str) -> String {
    let made = story.done(&format!("--no-passphrase keygen account --out {name}.ccc")).stdout;
    made.trim().to_owned()
}

/// A second maker with a deposit, credited by a round.
fn second(story: &Story) -> String {
    let second = account(story, "second");
    story.done("table deposit --pool pool --account-key second.ccc --asset base --amount 1000000");
    settle(story, "second");
    second
}

#[test]
fn a_transfer_is_made_by_the_next_round_and_by_no_other() {
    let story = Story::stocked();
    let to = second(&story);
    let run = story
        .done(&format!("table transfer --pool pool --account-key maker.ccc --asset base --amount 30000 --to {to}"));
    assert!(run.stdout.starts_with("transfer ") && run.stdout.contains("the next round makes it"), "{}", run.stdout);
    assert_eq!(row(&story, "maker", "base")["amount"], "500000000");
    for name in ["first", "again"] {
        settle(&story, name);
        assert_eq!(row(&story, "maker", "base")["amount"], "499970000");
        assert_eq!(row(&story, "second", "base")["amount"], "1030000");
    }
    let log = String::from_utf8(story.scratch.read("pool/log.jsonl")).expect("text").to_lowercase();
    let line = log.lines().rev().find(|line| line.contains("standing-order")).expect("looks like an order");
    for secret in ["30000\"", &hex::encode(30_000_u128.to_be_bytes()), to.trim_start_matches("0x")] {
        assert!(!line.contains(&secret.to_lowercase()), "{secret}");
    }
}

#[test]
fn n126_a_transfer_of_more_than_is_free_moves_nothing() {
    let story = Story::stocked();
    let to = second(&story);
    let pay = |amount: &str, to: &str| {
        story.ccc(&format!(
            "table transfer --pool pool --account-key maker.ccc --asset base --amount {amount} --to {to}"
        ))
    };
    assert_eq!(pay("100000001", &to).code, 0, "four fifths are reserved");
    settle(&story, "pay");
    assert_eq!(row(&story, "maker", "base")["amount"], "500000000");
    pay("0", &to).fails(2, "the amount: zero");
    let nobody = "00".repeat(20);
    pay("1", &nobody).fails(2, "the account that is credited: zero, or the one that is debited");
}

#[test]
fn n135_an_order_is_taken_back_by_its_own_account_alone() {
    let story = Story::stocked();
    second(&story);
    let log = String::from_utf8(story.scratch.read("pool/log.jsonl")).expect("text");
    let events = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let ids: Vec<_> =
        events.filter(|event| event["event"] == "standing-order").map(|event| event["id"].clone()).collect();
    let order = ids[0].as_str().expect("an id");
    let cancel = |who: &str| format!("table cancel --pool pool --account-key {who}.ccc --order {order}");
    let reserved = || row(&story, "maker", "base")["reserved_lots"].clone();
    let newest = |who: &str| {
        let seen = story.done(&format!("--json table history --pool pool --account-key {who}.ccc")).json();
        let receipts = seen["versions"][0]["receipts"].as_array().expect("a list").clone();
        receipts.last().expect("a receipt").clone()
    };
    story.done(&cancel("second"));
    settle(&story, "strangers");
    assert_eq!(reserved(), 40_000);
    let told = newest("second");
    assert_eq!((&told["carried_out"], &told["reason"]), (&false.into(), &20.into()), "{told}");
    let run = story.done(&cancel("maker"));
    assert!(
        run.stdout.starts_with("cancellation ") && run.stdout.contains("the next round reads it"),
        "{}",
        run.stdout
    );
    settle(&story, "own");
    assert_eq!((reserved(), &newest("maker")["carried_out"]), (0.into(), &true.into()));
    story.done(&cancel("maker"));
    settle(&story, "again");
    assert_eq!(newest("maker")["carried_out"], false, "nothing of it is left");
    let other = "02".repeat(32);
    let unknown = format!("table cancel --pool pool --account-key maker.ccc --order {other}");
    story.ccc(&unknown).fails(2, "the order: the log has none under this id");
    story.ccc(&format!("{} --lifetime 60", cancel("maker"))).fails(2, "the lifetime: it ends before the order's");
}

/// The maker's order, by the log.
fn first_order(story: &Story) -> String {
    let log = String::from_utf8(story.scratch.read("pool/log.jsonl")).expect("text");
    let events = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let order = events.filter(|event| event["event"] == "standing-order").map(|event| event["id"].clone()).next();
    order.as_ref().and_then(Value::as_str).expect("an id").to_owned()
}

/// Neither the round in between nor the request's own reads what comes after the request; what came before it is read
/// before it is settled.
#[test]
fn n135_an_order_taken_back_after_a_request_fills_it_all_the_same() {
    let story = Story::stocked();
    let to = second(&story);
    let order = first_order(&story);
    story.done(&format!("table transfer --pool pool --account-key maker.ccc --asset base --amount 30000 --to {to}"));
    story.prices();
    story.done("encrypt-order --pool pool --size 100000000 --spread 100");
    let taken = story.done(&format!("table cancel --pool pool --account-key maker.ccc --order {order}"));
    assert!(taken.stdout.contains("a request waits; when it has ended, the next round reads it"), "{}", taken.stdout);
    story.done("table deposit --pool pool --account-key second.ccc --asset base --amount 500");
    let prepared = story.done("--json --no-passphrase fill prepare --pool pool --out first").json();
    assert_eq!(prepared["reads_first"], true);
    let run = |name: &str, flags: &str| {
        for i in 1..4 {
            story.done(&format!("reencrypt --participant keys/participant-{i}.ccc --pool pool --attempt {name}"));
        }
        story.done(&format!("--json fill run --pool pool --attempt {name} {flags}")).json()
    };
    assert_eq!(run("first", "")["kind"], "idle");
    let own = || row(&story, "maker", "base");
    assert_eq!(
        (&own()["amount"], &own()["reserved_lots"]),
        (&"499970000".into(), &40_000.into()),
        "the transfer alone"
    );
    assert_eq!(row(&story, "second", "base")["amount"], "1030000", "and no deposit from after the request");
    let prepared = story.done("--json --no-passphrase fill prepare --pool pool --out fill").json();
    assert_eq!(prepared["reads_first"], false);
    let filled = run("fill", "--price prices.json");
    assert_eq!((&filled["kind"], &filled["success"]), (&"round".into(), &true.into()));
    assert_eq!((&own()["amount"], &own()["reserved_lots"]), (&"399970000".into(), &30_000.into()), "it sold");
    settle(&story, "after");
    assert_eq!(own()["reserved_lots"], 0, "what is left is taken back");
}

/// The maker takes its order back between two requests. That the first one ends moves nothing for the second.
#[test]
fn n135_the_end_of_one_request_takes_no_order_out_of_the_next() {
    let story = Story::stocked();
    let order = first_order(&story);
    story.prices();
    story.done("encrypt-order --pool pool --size 100000000 --spread 100");
    story.done(&format!("table cancel --pool pool --account-key maker.ccc --order {order}"));
    story.done("encrypt-order --pool pool --size 100000000 --spread 100");
    let own = || row(&story, "maker", "base");
    for (name, amount, reserved) in [("one", "400000000", 30_000), ("two", "300000000", 20_000)] {
        let prepared = story.done(&format!("--json --no-passphrase fill prepare --pool pool --out {name}")).json();
        assert_eq!(prepared["reads_first"], false, "{name}");
        for i in 1..4 {
            story.done(&format!("reencrypt --participant keys/participant-{i}.ccc --pool pool --attempt {name}"));
        }
        let filled = story.done(&format!("--json fill run --pool pool --attempt {name} --price prices.json")).json();
        assert_eq!((&filled["kind"], &filled["success"]), (&"round".into(), &true.into()), "{name}");
        assert_eq!((&own()["amount"], &own()["reserved_lots"]), (&amount.into(), &reserved.into()), "{name}");
    }
    settle(&story, "after");
    assert_eq!(own()["reserved_lots"], 0, "what is left is taken back");
}

/// A request that nobody can open would stop every reader for ever.
#[test]
fn n135_a_request_that_no_plan_opens_waits_for_nothing() {
    let story = Story::stocked();
    let log = String::from_utf8(story.scratch.read("pool/log.jsonl")).expect("text");
    let last: Value = serde_json::from_str(log.lines().last().expect("a line")).expect("JSON");
    let bytes = serde_json::json!({
        "event": "request", "time": last["time"], "id": "ab".repeat(32), "who": "cd".repeat(20),
        "deadline": last["time"], "ciphertext": "00",
    });
    story.scratch.write("pool/log.jsonl", format!("{log}{bytes}\n"));
    let order = first_order(&story);
    let taken = story.done(&format!("--json table cancel --pool pool --account-key maker.ccc --order {order}")).json();
    assert_eq!(taken["request_waits"], false);
    settle(&story, "after");
    assert_eq!(row(&story, "maker", "base")["reserved_lots"], 0);
}

#[test]
fn the_operator_freezes_takes_and_thaws() {
    let story = Story::operated();
    let to = second(&story);
    story.done("table deposit --pool pool --account-key second.ccc --asset base --amount 500");
    let of = |account: &str| format!("--pool pool --operator-key operator.ccc --account {account} --asset base");
    let run = story.done(&format!("--json table freeze {} --reason 42", of(&to)));
    assert_eq!((&run.json()["kind"], &run.json()["block"].is_u64()), (&"freeze".into(), &true));
    settle(&story, "freeze");
    let frozen = row(&story, "second", "base");
    assert_eq!((&frozen["amount"], &frozen["frozen"]), (&"1000500".into(), &true.into()));
    assert_eq!(frozen["reason"], 42);
    let shown = story.done("table balance --pool pool --account-key second.ccc").stdout;
    assert!(shown.contains("frozen for reason 42"), "{shown}");
    let other = account(&story, "other");
    story.done("table deposit --pool pool --account-key other.ccc --asset base --amount 1");
    story.done(&format!("table force-transfer {} --amount 1000400 --to {other} --reason 43", of(&to)));
    settle(&story, "force");
    assert_eq!(
        (&row(&story, "second", "base")["amount"], &row(&story, "second", "base")["reason"]),
        (&"100".into(), &43.into())
    );
    assert_eq!(row(&story, "other", "base")["amount"], "1000401");
    story.done(&format!("table unfreeze {} --reason 0", of(&to)));
    settle(&story, "thaw");
    assert_eq!(row(&story, "second", "base")["frozen"], false);
}

#[test]
fn only_the_operators_key_speaks_for_the_operator() {
    let story = Story::operated();
    let before = story.scratch.snapshot();
    let to = "01".repeat(20);
    let freeze = "table freeze --pool pool --operator-key maker.ccc --asset base --reason 1";
    story.ccc(&format!("{freeze} --account {to}")).fails(2, "the pool's operator: the key is another account's");
    let force = "table force-transfer --pool pool --operator-key operator.ccc --asset base --reason 1 --amount 1";
    story.ccc(&format!("{force} --account {to} --to {to}")).fails(2, "the account that is credited");
    assert_eq!(story.ccc(&format!("{force} --account {to} --to 0x02")).code, 2);
    assert_eq!(story.scratch.snapshot(), before);
    let story = Story::funded();
    let run = story.ccc(&format!("--json {freeze} --account {to}"));
    assert_eq!((run.code, &run.json_error()["code"]), (2, &"operator".into()));
}

#[test]
fn a_lifetime_that_ends_before_the_next_block_is_refused() {
    let story = Story::operated();
    let before = story.scratch.snapshot();
    let to = "01".repeat(20);
    let operator = format!("table freeze --operator-key operator.ccc --account {to} --asset base --reason 1");
    let submissions = [
        format!("table transfer --account-key maker.ccc --asset base --amount 1 --to {to}"),
        operator,
        "encrypt-order --size 100000000 --spread 100".to_owned(),
        "encrypt-order --standing --account-key maker.ccc --size 100000000 --spread 100".to_owned(),
    ];
    for submission in &submissions {
        for lifetime in ["0", "59", "x", "18446744073709551616"] {
            let run = story.ccc(&format!("--json {submission} --pool pool --lifetime {lifetime}"));
            assert_eq!((run.code, &run.json_error()["code"]), (2, &"usage".into()), "{submission} {}", run.stderr);
        }
    }
    assert_eq!(story.scratch.snapshot(), before);
    for submission in submissions {
        story.done(&format!("{submission} --pool pool --lifetime 60"));
    }
}

#[test]
fn every_submission_lives_as_long_unless_told_otherwise() {
    let story = Story::operated();
    for verb in ["table transfer", "table cancel", "table freeze", "table force-transfer", "encrypt-order"] {
        let help = story.done(&format!("{verb} --help")).stdout;
        let after = help.split_once("--lifetime <SECONDS>").expect("the flag").1;
        assert!(after.split("--").next().expect("its text").contains("[default: 3600]"), "{verb}: {help}");
    }
}
