//! Journals of an earlier release, one line per answer in a file.

use super::*;
use crate::journal::lines::{Lines, Said};
use std::fs;

/// The bytes of a file with answers under these identifiers, and its lines.
fn file(keys: &ParticipantKeys, ids: &[u8]) -> (Vec<u8>, Lines) {
    let mut lines = Lines::read(JournalKey::of(keys), b"").expect("empty");
    let mut bytes = Vec::new();
    for id in ids {
        let Answer { request, recipient, bytes: answer, .. } = answer(*id);
        let said = Said { id: [*id; 32], digest: request, recipient, answer: &answer };
        let (entry, line) = lines.next(&said).expect("a line");
        bytes.extend(&line);
        lines.add(entry, &line);
    }
    (bytes, lines)
}

fn old(bench: &Bench) -> PathBuf {
    bench.key_file.with_extension("journal")
}

/// The counter as the earlier release left it.
fn count(bench: &Bench, lines: &Lines) {
    if bench.counter.exists() {
        fs::remove_file(&bench.counter).expect("removed");
    }
    Counter::begin(&bench.counter, lines, lines.key()).expect("begun");
}

#[test]
fn n156g_a_file_of_lines_is_taken_over_and_the_counter_goes_on() {
    let bench = Bench::new();
    let (bytes, lines) = file(&bench.keys, &[1, 2, 1]);
    fs::write(old(&bench), &bytes).expect("written");
    count(&bench, &lines);
    let mut journal = bench.kept().expect("taken over");
    assert!(!old(&bench).exists());
    assert_eq!(counts(&journal, [1, 2, 3]), [2, 1, 0]);
    assert_eq!(journal.answers(&[2; 32]).expect("read"), [Answer { until: u64::MAX, ..answer(2) }], "never past");
    while journal.forget(u64::MAX).expect("nothing to forget") {}
    assert_eq!(counts(&journal, [1, 2, 3]), [2, 1, 0]);
    keep(&mut journal, 3, &answer(3));
    drop(journal);
    assert_eq!(counts(&bench.kept().expect("opened again"), [1, 2, 3]), [2, 1, 1]);
}

#[test]
fn n155_n156g_an_older_file_than_its_counter_is_refused_and_stays() {
    let bench = Bench::new();
    let (_, lines) = file(&bench.keys, &[1, 2]);
    let (older, _) = file(&bench.keys, &[1]);
    count(&bench, &lines);
    fs::write(old(&bench), &older).expect("written");
    assert!(matches!(bench.kept(), Err(JournalError::Behind { counted: 2, found: 1, .. })));
    assert_eq!(fs::read(old(&bench)).expect("it stays"), older);
    fs::write(old(&bench), file(&bench.keys, &[1, 2]).0).expect("written");
    assert_eq!(counts(&bench.kept().expect("the newest"), [1, 2]), [1, 1]);
}

/// A stop before the file goes, and one before the counter follows.
#[test]
fn n156g_a_taking_over_that_was_stopped_is_finished_at_the_next_opening() {
    let bench = Bench::new();
    let (bytes, lines) = file(&bench.keys, &[1, 2]);
    fs::write(old(&bench), &bytes).expect("written");
    count(&bench, &lines);
    drop(bench.kept().expect("taken over"));
    fs::write(old(&bench), &bytes).expect("as if it had not gone");
    count(&bench, &lines);
    let mut journal = bench.kept().expect("finished");
    assert!(!old(&bench).exists());
    assert_eq!(counts(&journal, [1, 2]), [1, 1]);
    keep(&mut journal, 3, &answer(3));
    drop(journal);
    let (other, _) = file(&bench.keys, &[1]);
    fs::write(old(&bench), &other).expect("another one");
    assert!(matches!(bench.kept(), Err(JournalError::TwoJournals { .. })));
    assert!(old(&bench).exists());
}

#[test]
fn a_file_beside_answers_that_it_did_not_bring_is_refused() {
    let bench = Bench::new();
    keep(&mut bench.beside().expect("begun"), 9, &answer(9));
    fs::write(old(&bench), file(&bench.keys, &[1]).0).expect("written");
    assert!(matches!(bench.beside(), Err(JournalError::TwoJournals { .. })));
}

#[test]
fn no_byte_of_a_file_that_is_taken_over_can_change() {
    let keys = keys(1);
    let (good, _) = file(&keys, &[1, 2]);
    let refused = |bytes: &[u8]| {
        let bench = Bench::new();
        fs::write(old(&bench), bytes).expect("written");
        match bench.beside() {
            Err(JournalError::Answer { number, .. }) => number,
            Err(other) => panic!("{other}"),
            Ok(_) => 0,
        }
    };
    assert_eq!(refused(&good), 0);
    for byte in (0..good.len()).step_by(23) {
        let mut bent = good.clone();
        bent[byte] ^= 1;
        assert_ne!(refused(&bent), 0, "byte {byte}");
    }
    assert_eq!(refused(&[&good, b"x".as_slice()].concat()), 3, "no beginning of a line");
    let theirs = file(&super::keys(2), &[1]).0;
    assert_eq!(refused(&theirs), 1, "another participant's");
}

/// However much of the last line is there, the lines before it stand.
#[test]
fn a_last_line_that_was_cut_is_left_out() {
    let keys = keys(1);
    let (one, _) = file(&keys, &[1]);
    let (both, _) = file(&keys, &[1, 2]);
    for cut in (one.len()..both.len()).step_by(97).chain([both.len() - 2, both.len() - 1]) {
        let bench = Bench::new();
        fs::write(old(&bench), &both[..cut]).expect("written");
        let journal = bench.beside().expect("taken over");
        let whole = cut == both.len() - 1;
        assert_eq!(counts(&journal, [1, 2]), [1, usize::from(whole)], "cut at {cut}");
    }
}
