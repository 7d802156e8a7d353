//! One participant lies, or is silent, in a refresh, a reshare or a repair: it is named, nobody else is, and the others
//! end with a result. The key generation's liar is in `rounds.rs`.

use super::support::{
    Run, Scratch,
    circle::Circle,
    liar::{Liar, bends, spoils_a_part},
};
use serde_json::json;

const NOTE: &[u8] = b"meet at the usual place\n";

/// A vault of four with a note.
fn vault() -> Circle {
    let circle = Circle::with_vault(4);
    circle.scratch.write("note.txt", NOTE);
    circle.done("encrypt --key vault/committee.ccc --out note.ccc note.txt");
    circle
}

/// One run of old member `i`.
fn hands_over(circle: &Circle, verb: &str, i: u16, flags: &str) -> Run {
    circle.ccc(&format!(
        "--json --no-passphrase {verb} --session {verb}.json --committee vault/committee.ccc \
         --participant vault/participant-{i}.ccc --state {verb}-{i} --board board-2 --out next {flags}"
    ))
}

/// Everybody of these runs until all have finished; gives whom the runs that finished named.
fn all_name(run: impl Fn(u16) -> Run, who: &[u16]) -> Vec<serde_json::Value> {
    let mut named = Vec::new();
    for _ in 0..4 {
        for i in who {
            let run = run(*i);
            assert!(run.code < 2, "{}{}", run.stdout, run.stderr);
            named.extend(run.json().get("culprits").cloned());
        }
    }
    named
}

#[test]
fn n011_a_dealer_of_a_reshare_that_deals_a_wrong_share_is_named_alone() {
    let circle = vault();
    circle.participant("e");
    circle.done("keygen session --committee vault/committee.ccc --out reshare.json k1.pub k2.pub k4.pub e.pub");
    let liar = Liar::in_handover(&circle, "reshare.json", 3, "board-2");
    let dealing = liar.dealing_against(3);
    liar.commits(&circle, "commit-3.ccc", &dealing);
    liar.says(&circle, "open-3.ccc", dealing);
    let run = |i: u16| match i {
        5 => circle.ccc(
            "--json --no-passphrase reshare --session reshare.json --committee vault/committee.ccc --keys e.ccc \
             --state reshare-5 --board board-2 --out next",
        ),
        i => hands_over(&circle, "reshare", i, ""),
    };
    assert_eq!(all_name(run, &[1, 2, 4, 5]), vec![json!(["dealer 3: the share does not open"]); 4]);
    assert!(circle.scratch.path("board-2/complaint-4-1.ccc").exists(), "the victim complains");
    assert!(!circle.scratch.path("board-2/complaint-1-1.ccc").exists(), "nobody else does");
    assert_eq!(circle.opens("next", "note.ccc", &[1, 2, 4]).out, NOTE);
    // whoever was not there sees the same
    let audit =
        "--json verify --session reshare.json --committee vault/committee.ccc --board board-2 next/committee.ccc";
    let seen = circle.done(audit).json();
    assert_eq!(seen["verified"][0]["culprits"], json!(["dealer 3: the share does not open"]));
    assert_eq!(seen["verified"][0]["dealers"], json!([1, 2, 4]));
}

#[test]
fn n013_a_receiver_of_a_reshare_that_confirms_twice_is_named_alone() {
    let circle = vault();
    circle.done("keygen session --committee vault/committee.ccc --out reshare.json k1.pub k2.pub k3.pub k4.pub");
    let run = |i: u16| hands_over(&circle, "reshare", i, "");
    (0..3).for_each(|_| (1..=3).for_each(|i| drop(run(i))));
    (0..2).for_each(|_| drop(run(4)));
    (1..=3).for_each(|i| drop(run(i)));
    // number 4 confirms something else before it confirms
    let liar = Liar::in_handover(&circle, "reshare.json", 4, "board-2");
    liar.says(&circle, "again.ccc", [&[3][..], &[5; 32]].concat());
    let named = all_name(run, &[4, 1, 2, 3]);
    assert_eq!(named, vec![json!(["receiver 4: two different messages in one round"]); 4]);
    assert_eq!(circle.opens("next", "note.ccc", &[1, 2, 4]).out, NOTE);
    circle.done("verify --session reshare.json --committee vault/committee.ccc --board board-2 next/certificate.ccc");
}

#[test]
fn n020_who_is_silent_in_a_refresh_is_named_alone_and_its_old_share_is_worth_nothing() {
    let circle = vault();
    circle.done("keygen session --committee vault/committee.ccc --refresh --out refresh.json");
    let run = |i: u16, flags: &str| hands_over(&circle, "refresh", i, flags);
    (1..=3).for_each(|i| {
        assert_eq!(run(i, "").json()["waiting"]["missing"].as_array().map(Vec::len), Some(4 - usize::from(i)))
    });
    // the silence of 4 ends two rounds: that of its dealing and that of its complaints
    for _ in 0..2 {
        (1..=3).for_each(|i| assert!(run(i, "--close").code < 2));
        (1..=3).for_each(|i| assert!(run(i, "").code < 2));
    }
    let named = all_name(|i| run(i, ""), &[1, 2, 3]);
    assert!(named.is_empty(), "finished already: {named:?}");
    let audit =
        "--json verify --session refresh.json --committee vault/committee.ccc --board board-2 next/committee.ccc";
    let seen = circle.done(audit).json();
    assert_eq!(seen["verified"][0]["culprits"], json!(["dealer 4: silent", "receiver 4: silent"]));
    assert_eq!(circle.opens("next", "note.ccc", &[1, 2, 3]).out, NOTE);
    circle
        .ccc("share --participant vault/participant-4.ccc --key next/committee.ccc --out old.ccc note.ccc")
        .fails(2, "a share of epoch 1, where epoch 2 is served");
}

#[test]
fn a_vault_of_a_dealer_goes_to_people_with_keys_of_their_own() {
    let circle = Circle::new(4);
    circle.done("--no-passphrase keygen dealer -n 4 --out vault");
    circle.scratch.write("note.txt", NOTE);
    circle.done("encrypt --key vault/committee.ccc --out note.ccc note.txt");
    circle.done("keygen session --committee vault/committee.ccc --out reshare.json k1.pub k2.pub k3.pub k4.pub");
    let run = |circle: &Circle, i: u16| hands_over(circle, "reshare", i, &format!("--keys k{i}.ccc"));
    circle.everybody(1..=4, run);
    assert_eq!(circle.opens("next", "note.ccc", &[1, 2, 3]).out, NOTE);
    let old = circle.ccc("share --participant vault/participant-1.ccc --key next/committee.ccc --out old.ccc note.ccc");
    old.fails(2, "a share of epoch 1, where epoch 2 is served");
}

/// A vault of seven, any five open, of which the last has lost its share.
fn robbed() -> Scratch {
    let scratch = Scratch::new();
    scratch.done("--no-passphrase keygen dkg -n 7 --out vault");
    scratch
}

fn repair(scratch: &Scratch, verb: &str, who: &str, board: &str) -> Run {
    let request = format!("--request {board}.request --board {board}");
    scratch.ccc(&format!("--json --no-passphrase repair-share {verb} --committee vault/committee.ccc {who} {request}"))
}

fn requests(scratch: &Scratch, helpers: &str, board: &str) {
    let who = "--committee vault/committee.ccc --keys vault/participant-7.ccc";
    scratch.done(&format!("repair-share request {who} --helpers {helpers} --out {board}.request"));
}

fn assists(scratch: &Scratch, i: u16, board: &str) -> Run {
    repair(scratch, "assist", &format!("--participant vault/participant-{i}.ccc"), board)
}

fn finishes(scratch: &Scratch, board: &str, out: &str) -> Run {
    repair(scratch, "finish", &format!("--keys vault/participant-7.ccc --out {out}"), board)
}

/// The repair ended, and its error names participant 2 and nobody else.
fn names_two(run: &Run, what: &str) {
    assert_eq!((run.code, &run.json_error()["code"]), (2, &"repair".into()), "{}{}", run.stdout, run.stderr);
    let error = run.json_error()["error"].as_str().expect("a sentence").to_owned();
    assert!(error.starts_with("the repair ended: participant 2 ") && error.contains(what), "{error}");
    assert!(![1, 3, 4, 5].iter().any(|i| error.contains(&format!("participant {i}"))), "{error}");
}

#[test]
fn n011_a_helper_that_lies_in_a_repair_is_named_alone_and_others_give_the_share_back() {
    let scratch = robbed();
    let keys = "vault/participant-2.ccc";
    requests(&scratch, "1,2,3,4,5", "first");
    [1, 3, 4, 5, 2].iter().for_each(|i| assert!(assists(&scratch, *i, "first").code < 2));
    bends(&scratch, keys, "vault/committee.ccc", "first/split-2.ccc", |payload| {
        let last = payload.len() - 100;
        payload[last] ^= 1;
    });
    for i in [1, 3, 4] {
        let run = assists(&scratch, i, "first");
        names_two(&run, "sent a wrong packet");
        let hint = run.json_error()["hint"].as_str().expect("a hint").to_owned();
        assert!(hint.starts_with("request it again with --helpers 1,3,4,5,6, "), "{hint}");
    }
    names_two(&finishes(&scratch, "first", "back.ccc"), "sent a wrong packet");
    let before = scratch.snapshot();
    let run = finishes(&scratch, "first", "back.ccc");
    names_two(&run, "sent a wrong packet");
    assert!(run.stderr.contains("--helpers 1,3,4,5,6,"), "{}", run.stderr);
    assert!(scratch.snapshot() == before, "what it has read is kept, and nothing else is written");
    let audit = "verify --committee vault/committee.ccc --board first first.request";
    scratch.ccc(audit).fails(1, "participant 2 sent a wrong packet");
    requests(&scratch, "1,3,4,5,6", "second");
    (0..2).for_each(|_| [1, 3, 4, 5, 6].iter().for_each(|i| assert!(assists(&scratch, *i, "second").code < 2)));
    assert_eq!(finishes(&scratch, "second", "back.ccc").code, 0);
    assert_eq!(scratch.read("back.ccc"), scratch.read("vault/participant-7.ccc"), "the same share, the same keys");
    scratch.done(
        "verify --committee vault/committee.ccc --board second second.request second/split-1.ccc second/sum-6.ccc",
    );
    let foreign = "verify --committee vault/committee.ccc second.request first/split-1.ccc";
    scratch.ccc(foreign).fails(1, "the repair differs");
}

#[test]
fn n013_a_helper_that_lies_about_its_sum_or_says_two_things_is_named_alone() {
    let scratch = robbed();
    requests(&scratch, "1,2,3,4,5", "third");
    (0..2).for_each(|_| (1..=5).for_each(|i| assert!(assists(&scratch, i, "third").code < 2)));
    let (keys, vault) = ("vault/participant-2.ccc", "vault/committee.ccc");
    let honest = scratch.read("third/sum-2.ccc");
    bends(&scratch, keys, vault, "third/sum-2.ccc", |payload| {
        let last = payload.len() - 100;
        payload[last] ^= 1;
    });
    names_two(&finishes(&scratch, "third", "back.ccc"), "sent a wrong packet");
    scratch.write("third/again.ccc", honest);
    names_two(&finishes(&scratch, "third", "back.ccc"), "signed two different packets in one round");
    assert!(!scratch.path("back.ccc").exists());
}

/// Participant 2 deals 4 a part that does not open, and takes that split away once 4 has complained about it.
#[test]
fn n011_a_split_that_is_swapped_after_a_complaint_has_its_helper_named_alone() {
    let scratch = robbed();
    requests(&scratch, "1,2,3,4,5", "swap");
    [1, 3, 5, 2].iter().for_each(|i| assert!(assists(&scratch, *i, "swap").code < 2));
    let honest = scratch.read("swap/split-2.ccc");
    spoils_a_part(&scratch, "vault/participant-2.ccc", "vault/committee.ccc", "swap/split-2.ccc", 3);
    names_two(&assists(&scratch, 4, "swap"), "sealed a wrong scalar");
    assert!(scratch.path("swap/complaint-4-1.ccc").exists(), "the victim complains");
    scratch.write("swap/split-2.ccc", &honest);
    [1, 2, 3, 5].iter().for_each(|i| assert_eq!(assists(&scratch, *i, "swap").code, 0, "nobody is named"));
    let waiting = finishes(&scratch, "swap", "back.ccc");
    assert_eq!((waiting.code, &waiting.json()["waiting"]), (1, &json!({ "round": "sum", "missing": [4] })));
    assert!(waiting.json()["notes"].to_string().contains("does not fit the messages that are here"));
    names_two(&assists(&scratch, 4, "swap"), "signed two different packets in one round");
    names_two(&finishes(&scratch, "swap", "back.ccc"), "signed two different packets in one round");
    // taken away once more, it is put back by everybody who has read it
    let [spoilt] = &others(&scratch, "split-2-")[..] else { panic!("the split is put back under another name") };
    std::fs::remove_file(spoilt).expect("removed");
    names_two(&finishes(&scratch, "swap", "back.ccc"), "signed two different packets in one round");
    assert!(spoilt.exists() && !scratch.path("back.ccc").exists());
    let audit = "verify --committee vault/committee.ccc --board swap swap.request";
    scratch.ccc(audit).fails(1, "participant 2 signed two different packets in one round");
}

fn others(scratch: &Scratch, prefix: &str) -> Vec<std::path::PathBuf> {
    let all = scratch.snapshot().into_iter().map(|(path, _)| path);
    let under = |path: &std::path::PathBuf| {
        path.parent().is_some_and(|parent| parent.ends_with("swap"))
            && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
    };
    all.filter(under).collect()
}
