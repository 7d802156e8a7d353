//! A full pool grows, and a pool goes on under the shares of the next epoch.

use super::support::{Run, Scratch, Story, circle::Circle};

/// Deposits of one unit each from as many addresses, without instructions: the addresses themselves are credited.
fn crowd(story: &Story, deposits: u32) {
    let mut log = String::from_utf8(story.scratch.read("pool/log.jsonl")).expect("text");
    let last: serde_json::Value = serde_json::from_str(log.lines().last().expect("a line")).expect("JSON");
    for number in 0..deposits {
        let deposit = serde_json::json!({
            "event": "deposit", "time": last["time"], "id": format!("{number:064x}"), "who": format!("{:040x}", number + 1),
            "asset": 0, "amount": "1", "ciphertext": "",
        });
        log.push_str(&format!("{deposit}\n"));
    }
    story.scratch.write("pool/log.jsonl", log);
}

fn head(scratch: &Scratch) -> serde_json::Value {
    serde_json::from_slice(&scratch.read("pool/head.json")).expect("JSON")
}

#[test]
fn a_full_pool_grows_and_books_what_waited() {
    let story = Story::funded();
    crowd(&story, 511);
    story.attempt("full", "", &[1, 2, 3]);
    let run = story.ccc("fill run --pool pool --attempt full");
    run.fails(2, "no unused row is left");
    assert!(run.stderr.contains("--upkeep growth"), "{}", run.stderr);
    let before = head(&story.scratch);
    story.attempt("grow", "--upkeep growth", &[1, 2, 3]);
    let run = story.ccc("fill run --pool pool --attempt grow --price prices.json");
    assert_eq!(run.code, 2, "no file, and none is read");
    let grown = story.done("--json fill run --pool pool --attempt grow").json();
    assert_eq!((&grown["kind"], &grown["version"]), (&"growth".into(), &2.into()));
    let after = head(&story.scratch);
    for same in ["consumed", "accumulator", "orders_taken", "orders_read_at", "live_orders"] {
        assert_eq!(after[same], before[same], "{same}");
    }
    story.done("verify --pool pool grow/report.ccc");
    story.attempt("book", "", &[1, 2, 3]);
    assert_eq!(story.done("--json fill run --pool pool --attempt book").json()["version"], 3);
    let booked = head(&story.scratch);
    assert_eq!((&booked["consumed"], &booked["orders_taken"]), (&513.into(), &1.into()));
    assert_eq!(story.balance("maker")["rows"][0]["amount"], "500000000");
}

fn refreshed(circle: &Circle) {
    circle.done("keygen session --committee vault/committee.ccc --refresh --out refresh.json");
    circle.everybody(1..=4, |circle, i| {
        circle.ccc(&format!(
            "--json --no-passphrase refresh --session refresh.json --committee vault/committee.ccc \
             --participant vault/participant-{i}.ccc --state r{i} --board board-r --out fresh"
        ))
    });
}

fn attempt(circle: &Circle, shares: &str, name: &str, flags: &str, reencrypt: &str) -> Run {
    circle.done(&format!("--no-passphrase fill prepare --pool pool --out {name} {flags}"));
    for i in 1..=3 {
        circle.done(&format!(
            "reencrypt --participant {shares}/participant-{i}.ccc --pool pool --attempt {name} {reencrypt}"
        ));
    }
    circle.done(&format!("--json fill run --pool pool --attempt {name}"))
}

/// What was signed in an epoch that the pool has left stands under that epoch's committee, as long as the pool holds it.
fn former_reports_are_verified(circle: &Circle) {
    const VERIFY: &str = "verify --pool pool pay/payout-1.ccc";
    let kept = circle.scratch.read("pool/committee-1.ccc");
    assert_eq!(kept, circle.scratch.read("vault/committee.ccc"));
    assert!(circle.done(VERIFY).stdout.contains("in epoch 1, still valid"));
    circle.ccc("verify --pool pool pay/report.ccc").fails(1, "it is superseded: it made table version 2");
    circle.scratch.write("pool/committee-1.ccc", circle.scratch.read("fresh/committee.ccc"));
    circle.ccc(VERIFY).fails(1, "it is of epoch 1, whose committee the pool does not hold");
    std::fs::remove_file(circle.scratch.path("pool/committee-1.ccc")).expect("removed");
    circle.ccc(VERIFY).fails(1, "it is of epoch 1, whose committee the pool does not hold");
    circle.scratch.write("pool/committee-1.ccc", kept);
}

#[test]
fn a_pool_goes_on_under_the_shares_of_the_next_epoch() {
    let circle = Circle::with_vault(4);
    let reserve = circle.done("--no-passphrase keygen account --out reserve.ccc").stdout;
    circle.done("--no-passphrase keygen agent --out agent.ccc");
    let init = format!("--committee vault/committee.ccc --reserve {} --agent-key agent.pub", reserve.trim());
    circle.done(&format!("--no-passphrase table init {init} --out pool"));
    circle.done("table deposit --pool pool --account-key reserve.ccc --asset quote --amount 1000");
    let to = "--to 0x0202020202020202020202020202020202020202";
    circle.done(&format!("table withdraw --pool pool --account-key reserve.ccc --asset quote --amount 100 {to}"));
    let run = attempt(&circle, "vault", "pay", "", "").json();
    assert_eq!(run["payouts"][0]["amount"], "100");
    refreshed(&circle);
    let same = circle.ccc("--no-passphrase fill prepare --pool pool --out no --upkeep epoch");
    same.fails(2, "the table is of epoch 1 already, the committee of epoch 1");
    let unread = "--upkeep growth --committee fresh/committee.ccc";
    circle.ccc(&format!("--no-passphrase fill prepare --pool pool --out no {unread}")).fails(2, "reads no committee");
    let old = circle.scratch.read("pool/committee.ccc");
    circle.scratch.write("pool/committee.ccc", circle.scratch.read("fresh/committee.ccc"));
    let stuck = circle.ccc("--no-passphrase fill prepare --pool pool --out no");
    stuck.fails(2, "a table of epoch 1 under a request of epoch 2");
    assert!(stuck.stderr.contains("--upkeep epoch"), "{}", stuck.stderr);
    circle.scratch.write("pool/committee.ccc", old);
    let to = "--committee fresh/committee.ccc";
    let run = attempt(&circle, "fresh", "epoch", &format!("--upkeep epoch {to}"), to).json();
    assert_eq!((&run["kind"], &run["version"]), (&"epoch".into(), &3.into()));
    assert_eq!(circle.scratch.read("pool/committee.ccc"), circle.scratch.read("fresh/committee.ccc"));
    circle.done("verify --pool pool epoch/report.ccc");
    former_reports_are_verified(&circle);
    let run = attempt(&circle, "fresh", "round", "", "").json();
    assert_eq!((&run["kind"], &run["version"]), (&"idle".into(), &4.into()));
    let rows = circle.done("--json table balance --pool pool --account-key reserve.ccc").json();
    assert!(rows.to_string().contains("\"900\""), "{rows}");
}

/// Another vault of four, `next`, in this epoch.
fn another_vault(circle: &Circle, epoch: u64) {
    (1..=4).for_each(|i| circle.participant(&format!("n{i}")));
    let members = "n1.pub n2.pub n3.pub n4.pub";
    circle.done(&format!("keygen session --epoch {epoch} --out next-{epoch}.json {members}"));
    circle.everybody(1..=4, |circle, i| {
        circle.ccc(&format!(
            "--json --no-passphrase keygen dkg --session next-{epoch}.json --keys n{i}.ccc --state n{epoch}-{i} \
             --board board-n{epoch} --out next-{epoch}"
        ))
    });
}

/// Nothing is rotated while something waits for the present key, unless it is given up.
fn waiting_is_not_left_behind(circle: &Circle) {
    const ROTATE: &str = "table rotate --pool pool --committee next-3/committee.ccc";
    let settings = circle.scratch.read("pool/pool.toml");
    circle.done("table deposit --pool pool --account-key reserve.ccc --asset quote --amount 100");
    let waits = circle.ccc(ROTATE);
    waits.fails(2, "1 deposits and withdrawal requests, 0 new and 0 live orders and 0 requests wait");
    assert!(waits.stderr.contains("deliver their payouts"), "{}", waits.stderr);
    attempt(circle, "vault", "second", "", "");
    circle.done("encrypt-order --pool pool --size 300000000 --spread 100");
    circle.ccc(ROTATE).fails(2, "0 deposits and withdrawal requests, 0 new and 0 live orders and 1 requests wait");
    assert_eq!(circle.scratch.read("pool/pool.toml"), settings);
    let rotated = circle.done(&format!("--json {ROTATE} --leave-waiting")).json();
    assert_eq!(rotated["epoch"], 3);
    assert!(rotated["former_measurement"].is_string() && rotated["measurement"] != rotated["former_measurement"]);
    assert_eq!(circle.scratch.read("pool/committee-1.ccc"), circle.scratch.read("vault/committee.ccc"));
    // as after a stop between the two files
    circle.scratch.write("pool/committee.ccc", circle.scratch.read("vault/committee.ccc"));
    circle.ccc("verify --pool pool").fails(2, "is not the committee of this pool");
    assert!(circle.done(&format!("--json {ROTATE}")).json()["former_measurement"].is_null());
    assert_eq!(circle.scratch.read("pool/committee.ccc"), circle.scratch.read("next-3/committee.ccc"));
}

/// What a pool does whose table has not followed yet.
fn nothing_happens_before_the_table_follows(circle: &Circle) {
    let again = circle.ccc("table rotate --pool pool --committee vault/committee.ccc");
    again.fails(2, "a committee of epoch 1, where epoch 4 or a later one follows");
    let stuck = circle.ccc("--no-passphrase fill prepare --pool pool --out no");
    stuck.fails(2, "a table of epoch 1 under a request of epoch 3");
    assert!(stuck.stderr.contains("--upkeep rotation"), "{}", stuck.stderr);
    for early in ["--no-passphrase fill prepare --pool pool --out no --query", "verify --pool pool"] {
        let refused = circle.ccc(early);
        refused.fails(2, "the table is still wrapped for the master public key before the pool's");
        assert!(refused.stderr.contains("--upkeep rotation"), "{}", refused.stderr);
    }
}

#[test]
fn a_pool_follows_a_rotation_of_the_master_key() {
    let circle = Circle::with_vault(4);
    let reserve = circle.done("--no-passphrase keygen account --out reserve.ccc").stdout;
    circle.done("--no-passphrase keygen agent --out agent.ccc");
    let init = format!("--committee vault/committee.ccc --reserve {} --agent-key agent.pub", reserve.trim());
    circle.done(&format!("--no-passphrase table init {init} --out pool"));
    circle.done("table deposit --pool pool --account-key reserve.ccc --asset quote --amount 1000");
    attempt(&circle, "vault", "book", "", "");
    let own = circle.ccc("table rotate --pool pool --committee vault/committee.ccc");
    own.fails(2, "the committee has the pool's own master public key");
    let none = circle.ccc("--no-passphrase fill prepare --pool pool --out no --upkeep rotation");
    none.fails(2, "the committee of epoch 1");
    another_vault(&circle, 1);
    let early = circle.ccc("table rotate --pool pool --committee next-1/committee.ccc");
    early.fails(2, "a committee of epoch 1, where epoch 2 or a later one follows");
    for i in 1..=4 {
        std::fs::remove_file(circle.scratch.path(&format!("n{i}.pub"))).expect("removed");
        std::fs::remove_file(circle.scratch.path(&format!("n{i}.ccc"))).expect("removed");
    }
    // the epochs between are those that the new committee spent before the pool came to it
    another_vault(&circle, 3);
    waiting_is_not_left_behind(&circle);
    nothing_happens_before_the_table_follows(&circle);
    let former = "--committee pool/committee-1.ccc";
    let run = attempt(&circle, "vault", "rotation", "--upkeep rotation", former).json();
    assert_eq!((&run["kind"], &run["version"]), (&"rotation".into(), &4.into()));
    circle.done("verify --pool pool rotation/report.ccc");
    circle.done("verify --pool pool");
    let done = circle.ccc("--no-passphrase fill prepare --pool pool --out no --upkeep rotation");
    done.fails(2, "the table is of epoch 3 already, the committee of epoch 3");
    circle.done("table deposit --pool pool --account-key reserve.ccc --asset quote --amount 500");
    // the request for the former key is open, due and not expired: no round waits for it
    let run = attempt(&circle, "next-3", "after", "", "").json();
    assert_eq!((&run["kind"], &run["version"]), (&"idle".into(), &5.into()));
    let rows = circle.done("--json table balance --pool pool --account-key reserve.ccc").json();
    assert!(rows["rows"].as_array().expect("rows").iter().any(|row| row["amount"] == "1600"), "{rows}");
}
