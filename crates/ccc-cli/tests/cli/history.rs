//! The chain of versions as the command lists it: reports, receipts, breaks.

use super::support::{Run, Scratch, Story};
use ccc_core::report::keccak256;
use serde_json::Value;
use std::fs;

const HISTORY: &str = "--json table history --pool pool";

fn history(story: &Story, flags: &str) -> Value {
    story.done(&format!("{HISTORY} {flags}")).json()
}

/// Version 3 fills a request of one coin.
fn filled() -> Story {
    let story = Story::stocked();
    story.prices();
    story.done("encrypt-order --pool pool --size 100000000 --spread 100");
    story.attempt("fill", "", &[1, 2, 3]);
    story.done("fill run --pool pool --attempt fill --price prices.json");
    story
}

fn header_hash(history: &Value, at: usize) -> String {
    history["versions"][at]["header_hash"].as_str().expect("text").to_owned()
}

fn code(run: &Run) -> (i32, String) {
    (run.code, run.json_error()["code"].as_str().expect("text").to_owned())
}

#[test]
fn every_version_is_listed_with_what_was_reported_of_it() {
    let story = filled();
    let seen = history(&story, "");
    let versions = seen["versions"].as_array().expect("a list");
    let told: Vec<_> = versions
        .iter()
        .map(|version| (version["version"].as_u64(), version["report"]["outcome"].as_str(), version["tier"].as_u64()))
        .collect();
    assert_eq!(
        told,
        [(Some(3), Some("filled"), Some(10)), (Some(2), Some("idle"), Some(10)), (Some(1), Some("idle"), Some(10))]
    );
    assert_eq!((&seen["head"], &seen["broken"], &seen["beside"]), (&3.into(), &Value::Null, &Value::Array(vec![])));
    for (next, before) in versions.iter().zip(&versions[1..]) {
        assert_eq!(next["previous"], before["header_hash"]);
        assert!(next["report"]["time"].as_u64() >= before["report"]["time"].as_u64());
    }
    assert_eq!(versions[0]["epoch"], 1);
    let manifest = story.scratch.read(&format!("pool/table/versions/{}", header_hash(&seen, 0)));
    let sidecar = format!("pool/table/sidecars/{}", hex::encode(&manifest[435..467]));
    let sidecar = fs::metadata(story.scratch.path(&sidecar)).expect("there");
    let parts = 435 + 65_552 + sidecar.len();
    assert_eq!(versions[0]["bytes"], parts);
    let lines = story.done("table history --pool pool").stdout;
    let rows: Vec<Vec<&str>> = lines.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0][..5], ["version", "header", "rows", "epoch", "bytes"], "{lines}");
    let (short, bytes) = (&header_hash(&seen, 0)[..16], parts.to_string());
    assert_eq!((rows[1][0], rows[1][1], rows[1].contains(&"filled")), ("3", short, true), "{lines}");
    assert!(lines.replace(' ', "").contains(&bytes), "{lines}");
    let ends: Vec<Option<usize>> = lines.lines().map(|line| line.find("filled").or(line.find("idle"))).collect();
    assert_eq!(ends[1..], [ends[1]; 3], "columns stand below each other\n{lines}");
}

#[test]
fn an_account_reads_its_own_receipts_and_nobody_elses() {
    let story = filled();
    let seen = history(&story, "--account-key maker.ccc");
    let [receipt] = seen["versions"][0]["receipts"].as_array().expect("a list").as_slice() else {
        panic!("one receipt: {seen}")
    };
    assert_eq!((&receipt["filled"], &receipt["lots"], &receipt["slot"]), (&true.into(), &10_000.into(), &0.into()));
    assert_eq!((&receipt["new_amount"], &receipt["asset"]), (&"400000000".into(), &0.into()));
    let balance = story.balance("maker");
    let amounts: Vec<_> = balance["rows"].as_array().expect("rows").iter().map(|row| &row["amount"]).collect();
    assert_eq!(amounts, [&receipt["new_amount"], &receipt["notional"]]);
    let first = &seen["versions"][1]["receipts"];
    assert_eq!(
        (&first[0]["carried_out"], &first[0]["filled"], &first[0]["lots"]),
        (&true.into(), &false.into(), &0.into())
    );
    assert_eq!(
        (first.as_array().map(Vec::len), &receipt["carried_out"]),
        (Some(1), &Value::Null),
        "the order was new then"
    );
    let reserve = history(&story, "--account-key reserve.ccc");
    let receipts = &reserve["versions"][0]["receipts"];
    assert_eq!((&receipts[0]["lots"], &receipts[0]["slot"]), (&10_000.into(), &16.into()));
    assert_eq!(reserve["versions"][1]["receipts"][0]["filled"], false, "each round has one for the reserve");
    story.done("--no-passphrase keygen account --out stranger.ccc");
    let stranger = history(&story, "--account-key stranger.ccc");
    for version in stranger["versions"].as_array().expect("a list") {
        assert_eq!(version["receipts"], Value::Array(vec![]));
    }
    let lines = story.done("table history --pool pool --account-key maker.ccc").stdout;
    let receipt = lines.lines().find(|line| line.contains("10 000")).expect("the receipt of the fill");
    assert!(receipt.contains(" filled ") && receipt.contains(" 4.00000000 "), "{lines}");
    let shown = story.done("table balance --pool pool --account-key maker.ccc").stdout;
    assert!(shown.starts_with("asset ") && shown.contains(" 4.00000000 ") && shown.contains(" 3.00000000 "), "{shown}");
    assert_eq!(story.scratch.read("fill/receipts.ccc"), kept(&story.scratch, &header_hash(&seen, 0), "receipts"));
}

#[test]
fn the_requester_and_the_maker_read_their_reports_and_nobody_elses() {
    let story = filled();
    story.prices();
    story.attempt("later", "", &[1, 2, 3]);
    story.done("fill run --pool pool --attempt later --price prices.json");
    let reserve = history(&story, "--account-key reserve.ccc");
    let [report] = reserve["versions"][1]["reports"].as_array().expect("a list").as_slice() else {
        panic!("one report: {reserve}")
    };
    let receipt = &reserve["versions"][1]["receipts"][0];
    assert_eq!((&report["kind"], &report["slot"]), (&"execution".into(), &16.into()));
    assert_eq!((&report["total"], &report["request"]), (&receipt["notional"], &receipt["request"]));
    assert_eq!((&report["ordered_lots"], &report["filled_lots"]), (&10_000.into(), &10_000.into()));
    // one maker at half a basis point
    let figures = ["largest_share_bp", "herfindahl", "fill_ratio_bp", "makers_at_most", "premium", "admitted_spread"];
    assert_eq!(figures.map(|field| report[field].as_u64()), [10_000, 10_000, 10_000, 1, 50, 100].map(Some));
    assert_eq!((&report["rule"], &report["pricing"]), (&"a".into(), &"as-bid".into()));
    let maker = history(&story, "--account-key maker.ccc");
    let [report] = maker["versions"][1]["reports"].as_array().expect("a list").as_slice() else {
        panic!("one report: {maker}")
    };
    assert_eq!((&report["kind"], &report["lots"]), (&"markouts".into(), &10_000.into()));
    let average = &report["markouts"][0];
    assert_eq!((&average["against"], &average["rate"]), (&"average".into(), &50.into()));
    let idle = &maker["versions"][0]["reports"][0];
    assert_eq!((&idle["lots"], &idle["markouts"][0]["markout"]), (&0.into(), &"0".into()));
    story.done("--no-passphrase keygen account --out stranger.ccc");
    let stranger = history(&story, "--account-key stranger.ccc");
    assert_eq!(stranger["versions"][1]["reports"], Value::Array(vec![]));
    let lines = story.done("table history --pool pool --account-key reserve.ccc").stdout;
    assert!(lines.contains("executed 10000 of 10000 lots (100.00 %)"), "{lines}");
    assert!(
        lines.contains("makers 1 at most, largest part 100.00 %, Herfindahl index 10000; rule a, paid as bid"),
        "{lines}"
    );
    let lines = story.done("table history --pool pool --account-key maker.ccc").stdout;
    assert!(
        lines.contains("version 3, slot 0: sold at ") && lines.contains("average ") && lines.contains("(0.50 bp)"),
        "{lines}"
    );
}

fn kept(scratch: &Scratch, hash: &str, what: &str) -> Vec<u8> {
    scratch.read(&format!("pool/rounds/{hash}.{what}"))
}

#[test]
fn receipts_are_told_and_verified_against_their_version() {
    let story = filled();
    let told = story.done("--json inspect fill/receipts.ccc").json();
    assert_eq!((&told["file"], &told["receipts"]), (&"the receipts of a round".into(), &34.into()));
    story.done("verify --pool pool fill/receipts.ccc");
    story.ccc("verify --pool pool intake/receipts.ccc").fails(1, "the table header differs");
    let mut cut = story.scratch.read("fill/receipts.ccc");
    cut.pop();
    story.scratch.write("cut.ccc", &cut);
    assert_eq!(code(&story.ccc("--json inspect cut.ccc")), (2, "unknown-file".into()));
}

#[test]
fn a_receipt_that_was_altered_opens_for_nobody() {
    let story = filled();
    let seen = history(&story, "--account-key maker.ccc");
    let hash = header_hash(&seen, 0);
    let whole = kept(&story.scratch, &hash, "receipts");
    for (at, left) in [(44, 0), (44 + 144, 1)] {
        let mut bent = whole.clone();
        bent[at] ^= 1;
        story.scratch.write(&format!("pool/rounds/{hash}.receipts"), bent);
        let seen = history(&story, "--account-key maker.ccc");
        assert_eq!(seen["versions"][0]["receipts"].as_array().map(Vec::len), Some(left));
    }
}

#[test]
fn what_belongs_to_another_version_is_refused() {
    let story = filled();
    let seen = history(&story, "");
    let (newest, older) = (header_hash(&seen, 0), header_hash(&seen, 1));
    for (what, sentence) in
        [("receipts", "they are the receipts of another version"), ("report", "it does not report this version")]
    {
        let right = kept(&story.scratch, &newest, what);
        story.scratch.write(&format!("pool/rounds/{newest}.{what}"), kept(&story.scratch, &older, what));
        story.ccc("table history --pool pool --account-key maker.ccc").fails(1, sentence);
        story.scratch.write(&format!("pool/rounds/{newest}.{what}"), &right[..right.len() - 1]);
        assert!(story.ccc("table history --pool pool --account-key maker.ccc").code > 0, "{what}");
        story.scratch.write(&format!("pool/rounds/{newest}.{what}"), right);
    }
    let report = kept(&story.scratch, &newest, "report");
    let mut unsigned = report.clone();
    let last = unsigned.len() - 2;
    unsigned[last] ^= 1;
    story.scratch.write(&format!("pool/rounds/{newest}.report"), unsigned);
    assert_eq!(code(&story.ccc(HISTORY)), (1, "not-verified".into()));
    fs::remove_file(story.scratch.path(&format!("pool/rounds/{newest}.report"))).expect("removed");
    assert_eq!(history(&story, "")["versions"][0]["report"], Value::Null, "the log has it, or it has not");
}

#[test]
fn a_break_of_the_chain_is_named() {
    let story = filled();
    let seen = history(&story, "");
    let lost = header_hash(&seen, 1);
    fs::remove_file(story.scratch.path(&format!("pool/table/versions/{lost}"))).expect("removed");
    let run = story.ccc(HISTORY);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let broken = run.json();
    let sentence = format!("version 3 follows header {lost}, which the store does not hold");
    assert_eq!(broken["broken"], sentence);
    assert_eq!((broken["versions"].as_array().map(Vec::len), &broken["beside"][0]["version"]), (Some(1), &1.into()));
    let run = story.ccc("table history --pool pool");
    assert!(run.code == 1 && run.stdout.contains(&format!("broken: {sentence}")), "{}", run.stdout);
    let run = story.ccc("--json table export --pool pool --version 2 --out v2");
    assert_eq!(code(&run), (2, "no-version".into()));
    assert!(!story.scratch.path("v2").exists());
}

/// Flips a byte of a version's manifest.
fn alter(story: &Story, hash: &str, at: usize) {
    let name = format!("pool/table/versions/{hash}");
    let mut bytes = story.scratch.read(&name);
    bytes[at] ^= 1;
    story.scratch.write(&name, bytes);
}

#[test]
fn an_altered_manifest_is_a_break_that_hides_nothing() {
    let story = filled();
    let seen = history(&story, "");
    let hashes = [0, 1, 2].map(|at| header_hash(&seen, at));
    for (at, hash) in hashes.iter().enumerate().rev() {
        alter(&story, hash, 100);
        let run = story.ccc(HISTORY);
        assert_eq!(run.code, 1, "{at}: {}", run.stderr);
        let broken = run.json();
        let text = broken["broken"].as_str().expect("a break");
        assert!(text.starts_with(&format!("table version {hash}: the ")), "{text}");
        assert_eq!(broken["versions"].as_array().map(Vec::len), Some(at), "{broken}");
        let beside = broken["beside"].as_array().expect("a list");
        assert_eq!(beside.len(), 3 - at, "{broken}");
        let altered = beside.iter().find(|entry| entry["header_hash"] == hash.as_str()).expect("named");
        assert!(altered["altered"].is_string() && altered["version"].is_null(), "{altered}");
        let text = story.ccc("table history --pool pool").stdout;
        assert!(text.contains(&format!("beside the chain: header {hash}, ")), "{text}");
        alter(&story, hash, 100);
    }
    assert_eq!(history(&story, ""), seen);
}

#[test]
fn a_version_that_the_head_never_followed_stands_beside_the_chain() {
    let story = Story::stocked();
    let head = story.scratch.read("pool/head.json");
    story.attempt("idle", "", &[1, 2, 3]);
    story.done("fill run --pool pool --attempt idle");
    story.scratch.write("pool/head.json", &head);
    let seen = history(&story, "");
    assert_eq!((&seen["versions"][0]["version"], &seen["beside"][0]["version"]), (&2.into(), &3.into()));
    let text = String::from_utf8(head).expect("text").replace("\"version\": 2", "\"version\": 7");
    story.scratch.write("pool/head.json", text);
    let run = story.ccc("table history --pool pool");
    run.fails(2, "head.json: it names version 7, and its header is of version 2");
}

/// The head is forged onto the first version, two numbers above it: the hash fits, the number does not.
#[test]
fn a_version_that_cannot_follow_its_predecessor_is_a_break() {
    let story = Story::stocked();
    let seen = history(&story, "");
    let [newest, first] = [0, 1].map(|at| header_hash(&seen, at));
    let manifest = story.scratch.read(&format!("pool/table/versions/{newest}"));
    // in the directory's first format, which has no digest of its own, and of a sidecar that nobody has
    let (mut header, digest) = (manifest[..435].to_vec(), &[0; 32][..]);
    header[76..84].copy_from_slice(&3u64.to_be_bytes());
    assert_eq!(hex::encode(&header[84..116]), first, "the predecessor's hash stands here");
    let forged = hex::encode(keccak256(&[&header]));
    story.scratch.write(&format!("pool/table/versions/{forged}"), [&header, digest].concat());
    let head = String::from_utf8(story.scratch.read("pool/head.json")).expect("text");
    let head = head.replace(&newest, &forged).replace("\"version\": 2", "\"version\": 3");
    story.scratch.write("pool/head.json", head);
    let run = story.ccc(HISTORY);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let seen = run.json();
    assert_eq!(seen["broken"], "version 3 does not follow its predecessor: version 3, where 2 follows");
    assert_eq!(seen["versions"][0]["complete"], false, "nobody has its sidecar");
    assert_eq!(seen["beside"].as_array().map(Vec::len), Some(2));
}
