//! Somebody who can write to the board directory, or shows it differently: nobody honest is named for it, and the others
//! end with a result.

use super::support::{circle::Circle, liar::certificate};
use serde_json::json;
use std::fs;

fn refresh(circle: &Circle, i: u16, flags: &str) -> super::support::Run {
    circle.ccc(&format!(
        "--json --no-passphrase refresh --session refresh.json --committee vault/committee.ccc \
         --participant vault/participant-{i}.ccc --state r{i} --board board-r --out fresh-{i} {flags}"
    ))
}

#[test]
fn n020_a_certificate_on_the_board_blames_nobody_for_silence() {
    let circle = Circle::with_vault(4);
    circle.done("keygen session --committee vault/committee.ccc --refresh --out refresh.json");
    for _ in 0..3 {
        (1..=4).for_each(|i| drop(refresh(&circle, i, "")));
    }
    certificate(&circle.scratch, "board-r", &[2, 3, 4]);
    // the turn of 1 has not come yet
    let run = refresh(&circle, 2, "");
    assert_eq!((run.code, &run.json()["culprits"]), (0, &json!([])), "{}", run.stderr);
    let audit = "--json verify --session refresh.json --committee vault/committee.ccc --board board-r";
    assert_eq!(circle.done(audit).json()["verified"][0]["culprits"], json!([]));
    assert_eq!(refresh(&circle, 1, "").code, 0);
}

#[test]
fn n020_a_key_generation_takes_no_certificate_from_its_board() {
    let circle = Circle::new(4);
    for _ in 0..3 {
        (1..=4).for_each(|i| drop(circle.dkg(i, "")));
    }
    certificate(&circle.scratch, "board", &[2, 3, 4]);
    let run = circle.dkg(2, "").json();
    assert_eq!(run["waiting"], json!({ "round": "confirm", "have": 3, "missing": [1] }));
    assert!(run["notes"].to_string().contains("a key generation has no certificate"), "{run}");
}

#[test]
fn n020_a_file_name_that_somebody_took_stops_nobody() {
    let circle = Circle::new(4);
    fs::create_dir_all(circle.scratch.path("board/open-3.ccc")).expect("a directory under the name of a message");
    circle.scratch.write("board/commit-2.ccc", "mine");
    #[cfg(target_os = "linux")]
    std::os::unix::fs::symlink("/proc/self/mem", circle.scratch.path("board/no.ccc"))
        .expect("a file that nobody reads");
    circle.everybody(1..=4, |circle, i| circle.dkg(i, ""));
    let run = circle.dkg(2, "").json();
    let notes = run["notes"].to_string();
    assert!(notes.contains("commit-2.ccc is left out: it is no message"), "{notes}");
    #[cfg(target_os = "linux")]
    assert!(notes.contains("no.ccc is left out: it cannot be read"), "{notes}");
    let committee = "--committee vault/committee.ccc";
    circle.done(&format!("repair-share request {committee} --keys k4.ccc --helpers 1,2,3 --out request.ccc"));
    fs::create_dir_all(circle.scratch.path("repair")).expect("a board");
    circle.scratch.write("repair/split-1.ccc", "mine");
    for i in [1, 2, 3, 1, 2] {
        let participant = format!("--participant vault/participant-{i}.ccc");
        let run =
            circle.ccc(&format!("repair-share assist {committee} {participant} --request request.ccc --board repair"));
        assert!(run.code < 2, "{}", run.stderr);
    }
    circle.done(&format!(
        "--no-passphrase repair-share finish {committee} --keys k4.ccc --request request.ccc --board repair --out back.ccc"
    ));
}

#[test]
fn n059_empty_files_do_not_fill_a_board() {
    let circle = Circle::new(4);
    circle.dkg(1, "");
    for k in 0..(1 << 14) + 1 {
        fs::File::create(circle.scratch.path(&format!("board/{k}"))).expect("an empty file");
    }
    let run = circle.dkg(2, "").json();
    assert_eq!(run["waiting"], json!({ "round": "commit", "have": 2, "missing": [3, 4] }));
    assert!(run["notes"].as_array().is_some_and(|notes| notes.len() < 100), "the notes are bounded");
}

/// Liar 4 has two states; its second commitment is made on another board.
fn second_state(circle: &Circle) -> Vec<u8> {
    let files = "--session session.json --keys k4.ccc --state s4b --board other --out vault";
    assert_eq!(circle.ccc(&format!("--no-passphrase keygen dkg {files}")).code, 1);
    circle.scratch.read("other/commit-4.ccc")
}

fn goes_on_with_the_second(circle: &Circle) {
    fs::copy(circle.scratch.path("s4b"), circle.scratch.path("s4")).expect("copied");
    let _ = fs::remove_dir_all(circle.scratch.path("s4.seen"));
}

/// Everybody ends with a result, and names dealer 4 for two messages and nobody else.
fn ends_naming_four(circle: &Circle) {
    let mut named = Vec::new();
    for _ in 0..5 {
        for i in [1, 2, 3, 4] {
            let run = circle.dkg(i, "");
            assert!(run.code < 2, "{i}: {}{}", run.stdout, run.stderr);
            named.extend(run.json().get("culprits").cloned());
        }
    }
    // who read one commitment alone and then the dealing of the other says so, which is proved as well
    let faults = ["two different messages in one round", "the dealing is not the one committed to"];
    let faults = faults.map(|fault| json!([format!("dealer 4: {fault}")]));
    assert!(named.len() == 4 && named.iter().all(|culprits| faults.contains(culprits)), "{named:?}");
    let audit = "--json verify --session session.json --board board vault/committee.ccc";
    let seen = circle.done(audit).json();
    assert_eq!(seen["verified"][0]["culprits"], json!(["dealer 4: two different messages in one round"]));
    circle.scratch.write("note.txt", "all of them agree");
    circle.done("encrypt --key vault/committee.ccc --out note.ccc note.txt");
    assert_eq!(circle.opens("vault", "note.ccc", &[1, 2, 3]).out, b"all of them agree");
}

#[test]
fn n013_a_commitment_that_is_replaced_once_somebody_has_read_it_names_its_dealer_alone() {
    let circle = Circle::new(4);
    let other = second_state(&circle);
    (1..=4).for_each(|i| assert_eq!(circle.dkg(i, "").code, 1));
    assert_eq!(circle.dkg(1, "").json()["closed"].as_object().map(serde_json::Map::len), Some(1));
    circle.scratch.write("board/commit-4.ccc", other);
    fs::remove_file(circle.scratch.path("board/open-4.ccc")).expect("4 has opened the first");
    goes_on_with_the_second(&circle);
    [2, 3].iter().for_each(|i| assert_eq!(circle.dkg(*i, "").code, 1));
    ends_naming_four(&circle);
}

#[test]
fn n013_a_commitment_that_is_added_once_somebody_has_read_another_names_its_dealer_alone() {
    let circle = Circle::new(4);
    let other = second_state(&circle);
    (1..=4).for_each(|i| assert_eq!(circle.dkg(i, "").code, 1));
    circle.dkg(1, "");
    circle.scratch.write("board/again.ccc", other);
    [2, 3].iter().for_each(|i| assert_eq!(circle.dkg(*i, "").code, 1));
    ends_naming_four(&circle);
}

#[test]
fn n013_a_commitment_that_is_added_after_the_first_confirmation_counts_for_nothing() {
    let circle = Circle::new(4);
    let other = second_state(&circle);
    for _ in 0..2 {
        (1..=4).for_each(|i| drop(circle.dkg(i, "")));
    }
    [1, 2].iter().for_each(|i| assert_eq!(circle.dkg(*i, "").code, 1));
    assert!(
        [1, 2, 3, 4].map(|i| circle.scratch.path(&format!("board/confirm-{i}.ccc")).exists())
            == [false, true, false, false]
    );
    circle.scratch.write("board/again.ccc", other);
    let named: Vec<_> = [3, 4, 1].iter().filter_map(|i| circle.dkg(*i, "").json().get("culprits").cloned()).collect();
    assert!(!named.is_empty() && named.iter().all(|culprits| *culprits == json!([])), "{named:?}");
    assert_eq!(circle.dkg(2, "").code, 0);
}

#[test]
fn n013_who_confirms_another_transcript_saw_another_board_and_is_not_named() {
    let circle = Circle::new(4);
    for _ in 0..3 {
        (1..=4).for_each(|i| drop(circle.dkg(i, "")));
    }
    fs::remove_file(circle.scratch.path("board/confirm-4.ccc")).expect("removed");
    let liar = super::support::liar::Liar::new(&circle, 4);
    liar.says(&circle, "confirm-4.ccc", [&[3][..], &[5; 32]].concat());
    let ends: Vec<_> = (0..2).flat_map(|_| (1..=3).map(|i| circle.dkg(i, "").json())).collect();
    let told: Vec<_> = ends.iter().filter(|end| end.get("culprits").is_some()).collect();
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|end| end["culprits"] == json!([]) && end["other_boards"] == json!(["receiver 4"])));
    let audit = circle.done("verify --session session.json --board board vault/committee.ccc");
    assert!(audit.stdout.contains("receiver 4 saw another board") && !audit.stdout.contains("at fault"));
}
