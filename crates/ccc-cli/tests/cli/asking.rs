//! Where an owner's key for an answer goes, whether an answer is of the current version, and files in an attempt's
//! directory that are none of its own.

use super::support::{Run, Story};
use std::fs;

const RUN: &str = "--json fill run --pool pool --attempt ask";

/// A pool and an attempt that answers queries; nobody has asked yet.
fn asked() -> Story {
    let story = Story::stocked();
    story.attempt("ask", "--query", &[1, 2, 3]);
    story
}

fn ask(story: &Story, key: &str, out: &str, flags: &str) -> Run {
    let files = format!("--account-key {key} --out {out} {flags}");
    story.ccc(&format!("--json --no-passphrase table ask --pool pool --attempt ask {files}"))
}

fn refused(run: &Run, code: &str) {
    assert_eq!((run.code, &run.json_error()["code"]), (2, &code.into()), "{}", run.stderr);
}

fn copied(story: &Story, from: &str, to: &str) {
    fs::copy(story.scratch.path(from), story.scratch.path(to)).expect("copied");
}

#[test]
fn the_key_of_a_query_has_the_querys_whole_name() {
    let story = asked();
    copied(&story, "maker.ccc", "maker.key");
    let (account, enclave) = (story.scratch.read("maker.key"), story.scratch.read("pool/enclave.key"));
    let attempt = story.scratch.read("ask/attempt.key");
    for out in ["maker.query", "pool/enclave.x", "ask/attempt.x", "q1.key"] {
        let run = ask(&story, "maker.key", out, "--force");
        assert_eq!(run.code, 0, "{out}: {}", run.stderr);
        assert_eq!(run.json()["key"], format!("{out}.key"));
        let told = story.done(&format!("--json inspect {out}.key")).json();
        assert_eq!(told["content"], "a reader's key", "{out}");
    }
    assert_eq!((story.scratch.read("maker.key"), story.scratch.read("pool/enclave.key")), (account, enclave));
    assert_eq!(story.scratch.read("ask/attempt.key"), attempt);
}

#[test]
fn a_query_and_its_key_replace_a_query_and_its_key_and_nothing_else() {
    let story = asked();
    assert_eq!(ask(&story, "maker.ccc", "q.ccc", "").code, 0);
    assert_eq!(ask(&story, "maker.ccc", "q.ccc", "--force").code, 0);
    copied(&story, "maker.ccc", "other.ccc.key");
    story.scratch.write_private("text.ccc.key", "text");
    story.scratch.write("text.ccc", "text");
    let before = story.scratch.snapshot();
    refused(&ask(&story, "maker.ccc", "q.ccc", ""), "exists");
    refused(&ask(&story, "maker.ccc", "-", ""), "terms");
    refused(&ask(&story, "maker.ccc", "other.ccc", "--force"), "other-content");
    refused(&ask(&story, "maker.ccc", "maker.ccc", "--force"), "encoding");
    refused(&ask(&story, "maker.ccc", "text.ccc", "--force"), "secret-file");
    fs::remove_file(story.scratch.path("text.ccc.key")).expect("removed");
    refused(&ask(&story, "maker.ccc", "text.ccc", "--force"), "encoding");
    story.scratch.write_private("text.ccc.key", "text");
    assert_eq!(story.scratch.snapshot(), before);
}

/// What is not a regular file of a query's length is noted, and the others are answered.
#[cfg(unix)]
#[test]
fn a_file_that_is_no_query_stops_no_answer() {
    let story = asked();
    assert_eq!(ask(&story, "maker.ccc", "ask/query-1.ccc", "").code, 0);
    story.scratch.write("ask/query-2.ccc", [0; 5000]);
    fs::create_dir(story.scratch.path("ask/query-3.ccc")).expect("made");
    pipe(&story, "ask/query-4.ccc");
    std::os::unix::fs::symlink("nothing", story.scratch.path("ask/query-5.ccc")).expect("linked");
    let run = story.done(RUN).json();
    assert_eq!(run["answers"], 1);
    let left_out: Vec<_> = run["not_shares"].as_array().expect("a list").iter().map(|file| &file["reason"]).collect();
    assert_eq!(left_out, ["it is longer than 4096 bytes", "it is no regular file", "it is no regular file"]);
    story.done("table answer --pool pool --attempt ask --query-key ask/query-1.ccc.key");
}

#[cfg(unix)]
fn pipe(story: &Story, name: &str) {
    let made = std::process::Command::new("mkfifo").arg(story.scratch.path(name)).status();
    assert!(made.expect("mkfifo runs").success());
}

#[cfg(unix)]
#[test]
fn a_file_that_is_no_share_stops_no_round() {
    let story = Story::stocked();
    story.attempt("round", "", &[1, 2, 3]);
    fs::create_dir(story.scratch.path("round/share-4.ccc")).expect("made");
    let run = story.done("--json fill run --pool pool --attempt round").json();
    assert_eq!(run["not_shares"][0]["reason"], "it is no regular file");
    story.attempt("next", "", &[1, 2, 3]);
    pipe(&story, "next/share-4.ccc");
    let run = story.done("--json fill run --pool pool --attempt next").json();
    assert_eq!(run["not_shares"][0]["reason"], "it is no regular file");
}

/// Two branches of the same version: the head tells which one is current, its number does not.
#[test]
fn an_answer_of_another_branch_is_not_current() {
    let story = Story::stocked();
    let idle = |name: &str| {
        story.attempt(name, "", &[1, 2, 3]);
        story.done(&format!("fill run --pool pool --attempt {name}"));
    };
    let answer = "table answer --pool pool --attempt ask --query-key q.ccc.key";
    let head = story.scratch.read("pool/head.json");
    idle("left");
    story.attempt("ask", "--query", &[1, 2, 3]);
    assert_eq!(ask(&story, "maker.ccc", "q.ccc", "").code, 0);
    copied(&story, "q.ccc", "ask/query-1.ccc");
    story.done(RUN);
    assert_eq!(story.done(&format!("--json {answer}")).json()["current"], true);
    assert!(!story.done(answer).stdout.contains("not the current version"));
    story.scratch.write("pool/head.json", head);
    idle("right");
    let told = story.done(&format!("--json {answer}")).json();
    assert_eq!((&told["version"], &told["current"]), (&3.into(), &false.into()));
    assert!(story.done(answer).stdout.starts_with("table version 3, not the current version"));
}
