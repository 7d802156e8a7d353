//! Anybody audits a key generation, a refresh or a reshare from its board, and a repair from its request.

use super::support::{Run, circle::Circle, liar::Liar};
use serde_json::json;
use std::fs;

fn code(run: &Run, exit: i32) -> String {
    assert_eq!(run.code, exit, "{}{}", run.stdout, run.stderr);
    run.json_error()["code"].as_str().expect("a code").to_owned()
}

const AUDIT: &str = "verify --session session.json --board board";

#[test]
fn n023_anybody_computes_the_vault_of_a_key_generation_anew() {
    let circle = Circle::with_vault(4);
    let files = "vault/committee.ccc session.json board/commit-1.ccc board/open-2.ccc board/complained-3.ccc board/confirm-4.ccc";
    let run = circle.done(&format!("{AUDIT} {files}"));
    for line in [
        "a distributed key generation, 4 members, any 3 open",
        "board: 4 of 4 members confirm transcript ",
        "dealers that count: 1, 2, 3, 4",
        "vault/committee.ccc: a committee, what the board gives: every key of it was computed anew",
        "a commitment to a dealing, signed by dealer 1 for this session",
        "a dealing, signed by dealer 2 for this session",
        "the end of its complaints, signed by receiver 3 for this session",
        "a confirmation, signed by receiver 4 for this session",
    ] {
        assert!(run.stdout.contains(line), "{line}\n{}", run.stdout);
    }
    let seen = circle.done(&format!("--json {AUDIT}")).json();
    let (found, vault) = (&seen["verified"][0], circle.done("--json inspect vault/committee.ccc").json());
    assert_eq!(found["master_public_key"], vault["master_public_key"]);
    assert_eq!(found["confirmed"], json!([1, 2, 3, 4]));
    assert_eq!(found["culprits"], json!([]));
    circle.done("verify session.json");
    circle.done("verify --session session.json vault/committee.ccc board/commit-1.ccc");
}

#[test]
fn who_says_a_second_thing_after_the_end_is_named() {
    let circle = Circle::with_vault(4);
    let audit = || circle.ccc(&format!("--json {AUDIT}"));
    let transcript = circle.done(&format!("--json {AUDIT}")).json()["verified"][0]["transcript"].clone();
    Liar::new(&circle, 2).commits(&circle, "late-2.ccc", b"another dealing");
    let one = audit();
    assert_eq!(code(&one, 1), "other-transcript");
    let error = one.json_error()["error"].as_str().expect("a sentence").to_owned();
    let transcript = transcript.as_str().expect("text");
    assert!(error.ends_with(&format!(" give: {transcript}; dealer 2 says two things in the commit round")), "{error}");
    Liar::new(&circle, 3).says(&circle, "late-3.ccc", [&[3][..], &[7; 32]].concat());
    let both = audit();
    assert_eq!(code(&both, 1), "other-transcript");
    assert!(both.stderr.contains("; receiver 3 says two things in the confirm round"), "{}", both.stderr);
    ["late-2", "late-3"].iter().for_each(|name| {
        fs::remove_file(circle.scratch.path(&format!("board/{name}.ccc"))).expect("moved away");
    });
    assert_eq!(audit().code, 0);
}

#[test]
fn a_board_that_was_changed_does_not_give_the_result_that_was_confirmed() {
    let circle = Circle::with_vault(4);
    let other = Circle::with_vault(4);
    let audit = |files: &str| circle.ccc(&format!("--json {AUDIT} {files}"));
    let without = |names: &[&str]| {
        let kept: Vec<_> =
            names.iter().map(|name| (*name, circle.scratch.read(&format!("board/{name}.ccc")))).collect();
        for (name, _) in &kept {
            fs::remove_file(circle.scratch.path(&format!("board/{name}.ccc"))).expect("removed");
        }
        let run = audit("");
        for (name, bytes) in kept {
            circle.scratch.write(&format!("board/{name}.ccc"), bytes);
        }
        run
    };
    for missing in [&["open-3"][..], &["commit-2"], &["open-1", "open-2"]] {
        assert_eq!(code(&without(missing), 1), "other-transcript", "{missing:?}");
    }
    let run = without(&["confirm-1", "confirm-2"]);
    assert_eq!(code(&run, 1), "not-verified");
    assert!(run.stderr.contains("2 participants confirm the transcript, where 3 are needed"), "{}", run.stderr);
    circle.scratch.write("other.ccc", other.scratch.read("vault/committee.ccc"));
    circle.ccc(&format!("{AUDIT} other.ccc")).fails(1, "the master public key differs");
    circle.scratch.write("other.json", other.scratch.read("session.json"));
    circle.ccc(&format!("{AUDIT} other.json")).fails(1, "the session differs");
    circle.scratch.write("foreign.ccc", other.scratch.read("board/open-1.ccc"));
    circle.ccc(&format!("{AUDIT} foreign.ccc")).fails(1, "the session differs");
    let mut forged = circle.scratch.read("board/open-1.ccc");
    *forged.last_mut().expect("a signature") ^= 1;
    circle.scratch.write("forged.ccc", forged);
    circle.ccc(&format!("{AUDIT} forged.ccc")).fails(1, "its sender did not sign it");
    circle.ccc("verify --session session.json --board nowhere").fails(2, "cannot read nowhere");
    circle
        .ccc("verify --committee vault/committee.ccc --board board vault/committee.ccc")
        .fails(2, "without its session");
    assert_eq!(audit("").code, 0);
}

#[test]
fn n077_anybody_computes_a_refresh_anew_from_the_committee_that_hands_over() {
    let circle = Circle::with_vault(4);
    circle.done("keygen session --committee vault/committee.ccc --refresh --out refresh.json");
    circle.everybody(1..=4, |circle, i| {
        circle.ccc(&format!(
            "--json --no-passphrase refresh --session refresh.json --committee vault/committee.ccc \
             --participant vault/participant-{i}.ccc --state r{i} --board board-r --out fresh"
        ))
    });
    let audit = "verify --session refresh.json --committee vault/committee.ccc";
    let files = "fresh/committee.ccc fresh/certificate.ccc refresh.json";
    let run = circle.done(&format!("{audit} --board board-r {files}"));
    for line in ["dealers that count: 1, 2, 3", "enough members confirm the transcript that the board gives"] {
        assert!(run.stdout.contains(line), "{line}\n{}", run.stdout);
    }
    circle.done(&format!("{audit} {files}"));
    circle.done("verify --committee vault/committee.ccc refresh.json");
    circle.ccc(&format!("{audit} --board board-r vault/committee.ccc")).fails(1, "the committee differs");
    circle.ccc("verify refresh.json").fails(2, "cannot be checked without the committee that hands over");
    circle.ccc("verify --committee fresh/committee.ccc refresh.json").fails(1, "another committee");
    circle.ccc("verify --session refresh.json --board board-r").fails(2, "another committee");
    circle.ccc(&format!("{audit} --board board")).fails(1, "0 dealers qualify");
}
