//! Journals that are bent, put back, full, past, taken over from a file, and whose counter fails.

mod chains;
mod files;
mod past;

use super::*;
use rand::{SeedableRng, rngs::StdRng};
use std::path::PathBuf;
use tempfile::TempDir;

const UNTIL: u64 = 1_000;

/// A participant's key file with its journal and counter.
struct Bench {
    _dir: TempDir,
    keys: ParticipantKeys,
    key_file: PathBuf,
    path: PathBuf,
    counter: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let key_file = dir.path().join("p.ccc");
        std::fs::write(&key_file, "").expect("written");
        let (path, counter) = (key_file.with_extension("answers"), key_file.with_extension("counter"));
        Self { _dir: dir, keys: keys(1), key_file, path, counter }
    }

    fn beside(&self) -> Result<FileJournal, JournalError> {
        FileJournal::beside(&self.key_file, &self.keys)
    }

    fn counted(&self, expected: CounterFile) -> Result<FileJournal, JournalError> {
        FileJournal::counted(&self.key_file, &self.counter, expected, &self.keys)
    }

    fn kept(&self) -> Result<FileJournal, JournalError> {
        self.counted(CounterFile::Kept)
    }
}

fn keys(seed: u64) -> ParticipantKeys {
    ParticipantKeys::generate(&mut StdRng::seed_from_u64(seed)).expect("keys")
}

fn answer(byte: u8) -> Answer {
    Answer { request: [byte; 64], recipient: [2; 64], until: UNTIL, bytes: vec![3; 5] }
}

/// Keeps one answer and has it on the medium.
fn keep(journal: &mut FileJournal, id: u8, answer: &Answer) {
    journal.keep([id; 32], answer).expect("kept");
    journal.settle().expect("on the medium");
}

/// How many answers there are under each identifier.
fn counts<const N: usize>(journal: &FileJournal, ids: [u8; N]) -> [usize; N] {
    ids.map(|id| journal.answers(&[id; 32]).expect("read").len())
}

#[test]
fn the_answers_of_one_request_are_read_again_in_their_order() {
    let bench = Bench::new();
    let (first, second) = (answer(1), Answer { recipient: [4; 64], bytes: vec![5; 6], ..answer(1) });
    let mut journal = bench.beside().expect("an absent journal is empty");
    keep(&mut journal, 7, &first);
    keep(&mut journal, 8, &Answer { bytes: Vec::new(), ..answer(1) });
    journal.keep([7; 32], &second).expect("kept");
    assert_eq!(journal.answers(&[7; 32]).expect("read"), [first.clone(), second.clone()], "before it is settled");
    journal.settle().expect("on the medium");
    drop(journal);
    let journal = bench.beside().expect("read again");
    assert_eq!(journal.answers(&[7; 32]).expect("read"), [first, second]);
    assert_eq!(journal.answers(&[9; 32]).expect("read"), []);
}

#[test]
fn n047_two_processes_of_one_participant_answer_one_after_the_other() {
    let bench = Bench::new();
    let mut journal = bench.beside().expect("an absent journal is empty");
    std::thread::scope(|scope| {
        let other = scope.spawn(|| counts(&bench.beside().expect("read"), [7]));
        std::thread::sleep(std::time::Duration::from_millis(200));
        assert!(!other.is_finished());
        keep(&mut journal, 7, &answer(1));
        drop(journal);
        assert_eq!(other.join().expect("the other"), [1], "it sees the first one's answer");
    });
}

/// A journal that was put back to an earlier state, with the counter that has seen more.
#[test]
fn n155_an_older_journal_than_its_counter_is_refused() {
    let bench = Bench::new();
    assert!(matches!(bench.kept(), Err(JournalError::NoCounter { .. })));
    let mut journal = bench.counted(CounterFile::Begun).expect("an absent journal is empty");
    assert!(matches!(bench.kept(), Err(JournalError::Busy { .. })));
    keep(&mut journal, 1, &answer(1));
    drop(journal);
    let earlier = std::fs::read(&bench.path).expect("read");
    let mut journal = bench.kept().expect("as it was left");
    journal.keep([2; 32], &answer(2)).expect("kept");
    journal.keep([3; 32], &answer(3)).expect("kept");
    journal.settle().expect("on the medium");
    drop(journal);
    drop(bench.kept().expect("as it was left"));
    let now = std::fs::read(&bench.path).expect("read");
    std::fs::write(&bench.path, &earlier).expect("written");
    assert!(matches!(bench.kept(), Err(JournalError::Behind { counted: 3, found: 1, .. })));
    std::fs::remove_file(&bench.path).expect("removed");
    assert!(matches!(bench.kept(), Err(JournalError::Behind { counted: 3, found: 0, .. })));
    std::fs::write(&bench.path, &now).expect("written");
    let seen = std::fs::read(&bench.counter).expect("read");
    let bent: Vec<u8> = seen.iter().map(|byte| byte ^ 1).collect();
    std::fs::write(&bench.counter, bent).expect("written");
    assert!(matches!(bench.kept(), Err(JournalError::Counter { .. })));
    std::fs::write(&bench.counter, seen).expect("written");
    assert!(matches!(bench.counted(CounterFile::Begun), Err(JournalError::CounterExists { .. })));
    assert_eq!(counts(&bench.kept().expect("as it was left"), [1, 2, 3, 4]), [1, 1, 1, 0]);
}

/// An older copy that went on to as many answers as were counted is another history.
#[test]
fn n155_a_journal_of_another_history_is_refused() {
    let bench = Bench::new();
    let mut journal = bench.counted(CounterFile::Begun).expect("begun");
    keep(&mut journal, 1, &answer(1));
    drop(journal);
    let [journal_then, counter_then] = [&bench.path, &bench.counter].map(|path| std::fs::read(path).expect("read"));
    keep(&mut bench.kept().expect("kept"), 2, &answer(2));
    let [journal_now, counter_now] = [&bench.path, &bench.counter].map(|path| std::fs::read(path).expect("read"));
    std::fs::write(&bench.path, journal_then).expect("written");
    std::fs::write(&bench.counter, counter_then).expect("written");
    keep(&mut bench.kept().expect("both put back"), 3, &answer(3));
    std::fs::write(&bench.counter, counter_now).expect("written");
    assert!(matches!(bench.kept(), Err(JournalError::Behind { counted: 2, found: 2, .. })));
    std::fs::write(&bench.path, journal_now).expect("written");
    assert_eq!(counts(&bench.kept().expect("the newest"), [1, 2, 3]), [1, 1, 0]);
}

/// A machine that was set up anew from last week's copy of key and journal, and a counter that a crash left without a slot.
#[test]
fn n155_a_journal_whose_counter_is_gone_answers_only_when_the_operator_begins_another() {
    let bench = Bench::new();
    keep(&mut bench.counted(CounterFile::Begun).expect("begun"), 1, &answer(1));
    for is_empty in [false, true] {
        std::fs::remove_file(&bench.counter).expect("removed");
        if is_empty {
            std::fs::write(&bench.counter, "").expect("written");
        }
        assert!(matches!(bench.kept(), Err(JournalError::NoCounter { .. })));
        drop(bench.counted(CounterFile::Begun).expect("begun again"));
        assert_eq!(counts(&bench.kept().expect("as it was left"), [1]), [1]);
    }
}

/// `ccc reencrypt` beside a service: it is held against the counter, and takes it on.
#[test]
fn n155_who_opens_a_journal_beside_a_counter_is_held_against_it() {
    let bench = Bench::new();
    drop(bench.counted(CounterFile::Begun).expect("begun"));
    keep(&mut bench.beside().expect("beside"), 1, &answer(1));
    let now = std::fs::read(&bench.path).expect("read");
    std::fs::remove_file(&bench.path).expect("removed");
    assert!(matches!(bench.beside(), Err(JournalError::Behind { counted: 1, found: 0, .. })));
    std::fs::write(&bench.path, now).expect("written");
    drop(bench.beside().expect("as it was left"));
}

/// The slot may be on the medium although its synchronisation failed: its answers must not be replaced by others.
#[test]
fn after_a_counter_that_failed_nothing_is_kept_before_a_restart() {
    let bench = Bench::new();
    let mut journal = bench.counted(CounterFile::Begun).expect("begun");
    keep(&mut journal, 1, &answer(1));
    assert_eq!(Journal::writable(&journal), Ok(()));
    journal.counter.as_mut().expect("a counter").fail_once();
    journal.keep([2; 32], &answer(2)).expect("kept");
    journal.settle().expect_err("the counter fails, and nothing of the call is given");
    assert_eq!(journal.keep([3; 32], &answer(3)), Err(JournalError::Uncounted.to_string()));
    assert_eq!(journal.settle(), Err(JournalError::Uncounted.to_string()));
    assert_eq!(journal.forget(UNTIL + 1), Err(JournalError::Uncounted.to_string()));
    assert_eq!(Journal::writable(&journal), Err(JournalError::Uncounted.to_string()));
    drop(journal);
    let journal = bench.kept().expect("the slot counts");
    assert_eq!(counts(&journal, [1, 2, 3]), [1, 1, 0]);
}

#[test]
fn n155_what_was_seen_of_a_chain_is_remembered_for_each_deployment_apart() {
    use crate::follow::{Memory, Seen};
    let bench = Bench::new();
    let seen = Seen { number: 7, hash: [8; 32], time: 9, version: 10 };
    let (pool, other) = (Address::repeat_byte(1), Address::repeat_byte(2));
    let journal = bench.beside().expect("begun");
    assert_eq!(journal.seen(1, &pool).last(), Ok(None));
    journal.seen(1, &pool).keep(&Seen { number: 6, ..seen }).expect("kept");
    journal.seen(1, &pool).keep(&seen).expect("kept");
    drop(journal);
    let mut journal = bench.beside().expect("opened again");
    assert_eq!(journal.seen(1, &pool).last(), Ok(Some(seen)));
    keep(&mut journal, 1, &answer(1));
    journal.seen(1, &pool).forget().expect("forgotten");
    assert_eq!(journal.seen(1, &pool).last(), Ok(None));
    assert_eq!(counts(&journal, [1]), [1], "the answers stay");
    journal.seen(1, &pool).keep(&seen).expect("kept");
    assert_eq!([journal.seen(2, &pool).last(), journal.seen(1, &other).last()], [Ok(None), Ok(None)]);
    let name = format!("seen-1-{}", hex::encode(pool));
    let stored = journal.chain.store().value(&name).expect("read").expect("kept");
    for byte in 0..stored.len() {
        let mut bent = stored.clone();
        bent[byte] ^= 1;
        let change = ccc_store::Change { values: &[(&name, &bent)], ..Default::default() };
        journal.chain.store().commit(&change).expect("written");
        assert!(journal.seen(1, &pool).last().is_err(), "byte {byte}");
    }
    let moved = format!("seen-1-{}", hex::encode(other));
    let change = ccc_store::Change { values: &[(&moved, &stored)], ..Default::default() };
    journal.chain.store().commit(&change).expect("written");
    assert!(journal.seen(1, &other).last().is_err(), "another deployment's");
}
