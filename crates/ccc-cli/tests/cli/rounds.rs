//! A key generation, a refresh, a reshare and a repair, by files.

use super::support::{Run, circle::Circle, liar::Liar, mode, set_mode};
use serde_json::json;
use std::fs;

const NOTE: &[u8] = b"meet at the usual place\n";

fn code(run: &Run, exit: i32) -> String {
    assert_eq!(run.code, exit, "{}{}", run.stdout, run.stderr);
    run.json_error()["code"].as_str().expect("a code").to_owned()
}

fn encrypted(circle: &Circle) {
    circle.scratch.write("note.txt", NOTE);
    circle.done("encrypt --key vault/committee.ccc --out note.ccc note.txt");
}

#[test]
fn four_processes_make_a_vault_and_three_shares_open() {
    let circle = Circle::new(4);
    let first = circle.dkg(1, "");
    assert_eq!((first.code, &first.json()["waiting"]["missing"]), (1, &serde_json::json!([2, 3, 4])));
    assert_eq!(first.json()["posted"], serde_json::json!(["board/commit-1.ccc"]));
    #[cfg(unix)]
    assert_eq!(mode(&circle.scratch.path("s1")), 0o600);
    circle.everybody(1..=4, |circle, i| circle.dkg(i, ""));
    encrypted(&circle);
    assert_eq!(circle.opens("vault", "note.ccc", &[1, 3, 4]).out, NOTE);
    let digests = |i| circle.dkg(i, "").json()["closed"].clone();
    assert_eq!(digests(1).as_object().expect("four rounds").len(), 4);
    assert!((2..=4).all(|i| digests(i) == digests(1)), "everybody closed the same rounds");
    circle.done("verify vault/committee.ccc");
    circle.done("verify --committee vault/committee.ccc board/commit-2.ccc board/open-2.ccc board/confirm-2.ccc");
}

#[test]
fn a_repeated_step_posts_the_same_bytes() {
    let circle = Circle::new(4);
    for _ in 0..4 {
        for i in 1..=4 {
            circle.dkg(i, "");
            let board = || {
                circle
                    .scratch
                    .snapshot()
                    .into_iter()
                    .filter(|(path, _)| path.parent().is_some_and(|p| p.ends_with("board")))
                    .collect::<Vec<_>>()
            };
            let before = board();
            for (path, _) in before.iter().filter(|(path, _)| path.to_string_lossy().ends_with(&format!("-{i}.ccc"))) {
                fs::remove_file(path).expect("removed");
            }
            // what the state still posts comes back as it was; rounds that are closed are not posted again
            circle.dkg(i, "");
            for (path, bytes) in board() {
                let earlier = before.iter().find(|(known, _)| *known == path);
                assert!(earlier.is_none_or(|(_, known)| *known == bytes), "{}", path.display());
            }
            for (path, bytes) in before {
                fs::write(path, bytes).expect("restored");
            }
        }
    }
    circle.everybody(1..=4, |circle, i| circle.dkg(i, ""));
}

#[test]
fn a_participant_that_deals_a_wrong_share_is_named_by_all_and_the_vault_is_made() {
    let circle = Circle::new(4);
    let liar = Liar::new(&circle, 3);
    let dealing = liar.dealing_against(0);
    liar.commits(&circle, "commit-3.ccc", &dealing);
    liar.says(&circle, "open-3.ccc", dealing);
    let others = [1, 2, 4];
    for _ in 0..3 {
        others.iter().for_each(|i| drop(circle.dkg(*i, "")));
    }
    assert!(circle.scratch.path("board/complaint-1-1.ccc").exists(), "the victim complains");
    assert!(!circle.scratch.path("board/complaint-2-1.ccc").exists(), "nobody else does");
    // the liar says nothing more: the others end the round without it
    let close = |i| {
        let waits = circle.dkg(i, "").json();
        assert_eq!(waits["waiting"], json!({ "round": "complain", "have": 3, "missing": [3] }));
        circle.dkg(i, "--close")
    };
    let mut runs: Vec<_> = others.iter().map(|i| close(*i)).collect();
    for i in others {
        let run = circle.dkg(i, "");
        assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
        runs.push(run);
    }
    let ends: Vec<_> = runs.iter().map(Run::json).collect();
    let named: Vec<_> = ends.iter().filter_map(|end| end.get("culprits")).collect();
    assert_eq!(named, [&json!(["dealer 3: the share does not open", "receiver 3: silent"]); 3]);
    encrypted(&circle);
    assert_eq!(circle.opens("vault", "note.ccc", &others).out, NOTE);
}

#[test]
fn who_is_silent_is_named() {
    let circle = Circle::new(4);
    for i in 1..=3 {
        assert_eq!(circle.dkg(i, "").code, 1);
    }
    let waits = circle.dkg(1, "").json();
    assert_eq!(waits["waiting"], json!({ "round": "commit", "have": 3, "missing": [4] }));
    (1..=3).for_each(|i| drop(circle.dkg(i, "--close")));
    let ends: Vec<_> = (0..4).flat_map(|_| (1..=3).map(|i| circle.dkg(i, "").json())).collect();
    let named: Vec<_> = ends.iter().filter_map(|end| end.get("culprits")).collect();
    assert_eq!(named, [&json!(["dealer 4: silent"]); 3]);
    encrypted(&circle);
    assert_eq!(circle.opens("vault", "note.ccc", &[1, 2, 3]).out, NOTE);
}

#[test]
fn who_says_two_things_is_named_and_nothing_changes() {
    let circle = Circle::new(4);
    let liar = Liar::new(&circle, 3);
    liar.commits(&circle, "commit-3.ccc", b"one dealing");
    liar.commits(&circle, "again.ccc", b"another dealing");
    assert_eq!((circle.dkg(1, "").code, circle.dkg(2, "").code), (1, 1));
    let before = circle.scratch.snapshot();
    let run = circle.dkg(1, "--close");
    assert_eq!(code(&run, 2), "rounds");
    let error = run.json_error()["error"].as_str().expect("a sentence").to_owned();
    for culprit in ["dealer 3: two different messages in one round", "dealer 4: silent"] {
        assert!(error.contains(culprit), "{error}");
    }
    assert!(!error.contains("dealer 1") && !error.contains("dealer 2"), "{error}");
    assert!(circle.scratch.snapshot() == before, "files changed");
}

#[test]
fn messages_of_others_and_foreign_files_are_left_out() {
    let circle = Circle::new(4);
    let other = Circle::new(4);
    other.dkg(1, "");
    circle.dkg(1, "");
    fs::copy(other.scratch.path("board/commit-1.ccc"), circle.scratch.path("board/commit-2.ccc")).expect("copied");
    let mut forged = circle.scratch.read("board/commit-1.ccc");
    forged[81] = 3;
    circle.scratch.write("board/commit-3.ccc", &forged);
    circle.scratch.write("board/readme.txt", "hello");
    let run = circle.dkg(1, "").json();
    assert_eq!(run["waiting"]["missing"], json!([2, 3, 4]));
    let notes = run["notes"].to_string();
    for reason in ["it is of another session", "its sender did not sign it", "it is no message"] {
        assert!(notes.contains(reason), "{notes}");
    }
}

#[test]
fn what_is_late_counts_for_nothing_and_is_told() {
    let circle = Circle::new(4);
    (1..=3).for_each(|i| drop(circle.dkg(i, "")));
    circle.dkg(1, "--close");
    circle.dkg(4, "");
    let notes = circle.dkg(1, "").json()["notes"].to_string();
    assert!(notes.contains("the commit round on the board is not what this participant closed"), "{notes}");
}

#[test]
fn bad_inputs_are_refused_and_files_stay() {
    let circle = Circle::new(4);
    circle.participant("stranger");
    circle.done("keygen session --out other.json k1.pub k2.pub k3.pub k4.pub");
    circle.scratch.write_private("wrong", "not the passphrase");
    circle.dkg(1, "");
    circle.scratch.write_private("right", "the passphrase");
    circle.done("--passphrase-file right keygen participant --out sealed.ccc");
    fs::copy(circle.scratch.path("session.json"), circle.scratch.path("copy.json")).expect("copied");
    circle.scratch.write("bad.json", "{\"protocol\":\"key-generation\"}");
    let before = circle.scratch.snapshot();
    let run = |session: &str, keys: &str, state: &str, flags: &str| {
        let files = format!("--session {session} --keys {keys} --state {state} --board board --out vault");
        circle.ccc(&format!("--json {flags} keygen dkg {files}"))
    };
    let clear = "--no-passphrase";
    for (expected, refused) in [
        ("state", run("other.json", "k1.ccc", "s1", clear)),
        ("state", run("session.json", "k2.ccc", "s1", clear)),
        ("not-a-member", run("session.json", "stranger.ccc", "s9", clear)),
        ("other-content", run("session.json", "k1.ccc", "k1.ccc", clear)),
        ("state-lost", run("session.json", "k1.ccc", "lost", clear)),
        ("passphrase", run("session.json", "sealed.ccc", "s9", "--passphrase-file wrong")),
        ("malformed", run("bad.json", "k1.ccc", "s1", clear)),
        ("read", run("missing.json", "k1.ccc", "s1", clear)),
        ("rounds", circle.dkg(1, "--close")),
    ] {
        assert_eq!(code(&refused, 2), expected);
        assert!(circle.scratch.snapshot() == before, "{expected} changed files");
    }
    set_mode(&circle.scratch.path("s1"), 0o644);
    assert_eq!(code(&circle.dkg(1, ""), 2), "readable-secret");
}

#[test]
fn n112_production_refuses_a_handover_to_a_roster_that_tolerates_no_fault() {
    let circle = Circle::with_vault(4);
    let session = |flags: &str, out: &str| {
        circle.done(&format!("keygen session --committee vault/committee.ccc --out {out} {flags}"));
    };
    session("--refresh", "four.json");
    session("k1.pub k2.pub k3.pub", "three.json");
    session("k1.pub k1.pub k2.pub k3.pub", "weighty.json");
    let run = |verb: &str, session: &str, flags: &str| {
        circle.ccc(&format!(
            "--json --no-passphrase {verb} --session {session} --committee vault/committee.ccc {flags} \
             --participant vault/participant-4.ccc --state new --board board-new --out new-vault"
        ))
    };
    let before = circle.scratch.snapshot();
    for (session, sentence) in [
        ("three.json", "committee: 3 participants tolerate no fault; production needs at least 4"),
        ("weighty.json", "roster: "),
    ] {
        let refused = run("reshare", session, "--production");
        assert_eq!(code(&refused, 2), "production");
        assert!(refused.stderr.contains(sentence), "{}", refused.stderr);
    }
    assert!(circle.scratch.snapshot() == before, "nothing is written");
    assert_eq!(run("refresh", "four.json", "--production").code, 1, "it waits");
}

#[test]
fn a_refresh_and_a_reshare_keep_the_key_and_retire_the_shares() {
    let circle = Circle::with_vault(4);
    encrypted(&circle);
    circle.done("--no-passphrase keygen participant --renew vault/participant-1.ccc --out r1.ccc");
    circle.done("keygen session --committee vault/committee.ccc --refresh --out refresh.json r1.pub");
    let refresh = |circle: &Circle, i: u16, flags: &str| {
        let keys = if i == 1 { "--keys r1.ccc" } else { "" };
        circle.ccc(&format!(
            "--json --no-passphrase refresh --session refresh.json --committee vault/committee.ccc \
             --participant vault/participant-{i}.ccc {keys} --state r{i} --board board-r --out fresh {flags}"
        ))
    };
    let old = circle.scratch.read("vault/participant-2.ccc");
    let first = refresh(&circle, 2, "--erase-old");
    assert_eq!((first.code, circle.scratch.read("vault/participant-2.ccc")), (1, old), "the old share serves");
    circle.everybody(1..=4, |circle, i| refresh(circle, i, ""));
    assert_eq!(circle.opens("fresh", "note.ccc", &[1, 2, 3]).out, NOTE);
    circle.done("verify --committee fresh/committee.ccc fresh/certificate.ccc");
    let mixed = circle.ccc("verify --committee vault/committee.ccc fresh/certificate.ccc");
    mixed.fails(1, "fresh/certificate.ccc does not verify");
    let run = circle
        .ccc("--json share --participant vault/participant-3.ccc --key fresh/committee.ccc --out old-3.ccc note.ccc");
    assert_eq!(code(&run, 2), "key-share");
    circle.done("share --participant vault/participant-3.ccc --key vault/committee.ccc --out old-3.ccc note.ccc");
    circle
        .ccc("open --key fresh/committee.ccc note.ccc fresh-share-1.ccc fresh-share-2.ccc old-3.ccc")
        .fails(2, "2 of 3");
    assert_eq!(refresh(&circle, 2, "--erase-old").code, 0);
    assert!(!circle.scratch.path("vault/participant-2.ccc").exists() && refresh(&circle, 2, "--erase-old").code == 0);
    reshared(&circle);
}

/// From the refreshed four to five others and another threshold; 1 leaves, e and f come.
fn reshared(circle: &Circle) {
    ["e", "f"].iter().for_each(|name| circle.participant(name));
    let members = "k2.pub k3.pub k4.pub e.pub f.pub";
    circle.done(&format!("keygen session --committee fresh/committee.ccc -t 4 --out reshare.json {members}"));
    let reshare = |circle: &Circle, i: u16| {
        let who = match i {
            5 => "--keys e.ccc".to_owned(),
            6 => "--keys f.ccc".to_owned(),
            i => format!("--participant fresh/participant-{i}.ccc"),
        };
        circle.ccc(&format!(
            "--json --no-passphrase reshare --session reshare.json --committee fresh/committee.ccc {who} \
             --state n{i} --board board-n --out five"
        ))
    };
    let wrong = circle.ccc(
        "--json reshare --session reshare.json --committee vault/committee.ccc --keys e.ccc --state n5 --board b --out five",
    );
    assert_eq!(code(&wrong, 2), "session");
    circle.everybody(1..=6, reshare);
    assert!(!circle.scratch.path("five/participant-6.ccc").exists());
    assert_eq!(circle.opens("five", "note.ccc", &[1, 2, 3, 5]).out, NOTE);
    circle.ccc("open --key five/committee.ccc note.ccc five-share-1.ccc five-share-2.ccc five-share-3.ccc fresh-share-2.ccc").fails(2, "3 of 4");
}

#[test]
fn who_was_away_goes_on_with_the_certificate() {
    let circle = Circle::with_vault(4);
    circle.done("keygen session --committee vault/committee.ccc --refresh --out refresh.json");
    let refresh = |board: &str, i: u16, flags: &str| {
        circle.ccc(&format!(
            "--json --no-passphrase refresh --session refresh.json --committee vault/committee.ccc \
             --participant vault/participant-{i}.ccc --state r{i} --board {board} --out fresh-{i} {flags}"
        ))
    };
    for _ in 0..3 {
        (1..=4).for_each(|i| drop(refresh("board-r", i, "")));
    }
    (1..=3).for_each(|i| assert_eq!(refresh("board-r", i, "").code, 0));
    // an empty board does not end a round, whatever the state says of the rounds before
    let away = refresh("elsewhere", 4, "");
    let waiting = json!({ "round": "confirm", "have": 1, "missing": [1, 2, 3] });
    assert_eq!((away.code, &away.json()["waiting"]), (1, &waiting));
    fs::copy(circle.scratch.path("fresh-1/certificate.ccc"), circle.scratch.path("elsewhere/c.ccc")).expect("copied");
    assert_eq!(refresh("elsewhere", 4, "").code, 0);
}

#[test]
fn a_lost_share_is_repaired_and_a_silent_helper_is_named() {
    let circle = Circle::with_vault(4);
    encrypted(&circle);
    let lost = circle.scratch.read("vault/participant-4.ccc");
    fs::remove_file(circle.scratch.path("vault/participant-4.ccc")).expect("lost");
    let committee = "--committee vault/committee.ccc";
    circle.done(&format!("repair-share request {committee} --keys k4.ccc --helpers 3,1,2 --out request.ccc"));
    let assist = |i: u16, flags: &str| {
        let participant = format!("--participant vault/participant-{i}.ccc");
        circle.ccc(&format!(
            "--json repair-share assist {committee} {participant} --request request.ccc --board repair {flags}"
        ))
    };
    let finish = || {
        circle.ccc(&format!(
            "--json --no-passphrase repair-share finish {committee} --keys k4.ccc --request request.ccc --board repair --out vault/participant-4.ccc"
        ))
    };
    assert_eq!((assist(1, "").code, assist(2, "").code, assist(1, "").code, finish().code), (1, 1, 1, 1));
    let before = circle.scratch.snapshot();
    let early = assist(1, "--close");
    assert_eq!(code(&early, 2), "repair");
    assert!(early.json_error()["error"].as_str().is_some_and(|error| error.ends_with("participant 3 is silent")));
    let hint = "fewer members than shares open are left without a fault; who was silent may be asked again";
    assert_eq!(early.json_error()["hint"], hint);
    assert!(circle.scratch.snapshot() == before && finish().code == 1, "files changed, or too early");
    assert_eq!((assist(3, "").code, assist(1, "").code, assist(2, "").code), (0, 0, 0));
    assert_eq!(finish().code, 0);
    assert_eq!(circle.scratch.read("vault/participant-4.ccc"), lost, "the same share, the same keys");
    assert_eq!(circle.opens("vault", "note.ccc", &[1, 2, 4]).out, NOTE);
    assert_eq!(code(&finish(), 2), "exists");
    let too_few =
        circle.ccc(&format!("--json repair-share request {committee} --keys k4.ccc --helpers 1,2 --out few.ccc"));
    assert_eq!(code(&too_few, 2), "repair-request");
    circle.participant("stranger");
    let stranger = circle
        .ccc(&format!("--json repair-share request {committee} --keys stranger.ccc --helpers 1,2,3 --out few.ccc"));
    assert_eq!(code(&stranger, 2), "not-a-member");
    circle.done(&format!("verify {committee} request.ccc repair/split-1.ccc repair/sum-2.ccc"));
}
