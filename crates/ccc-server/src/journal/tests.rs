//! Journals that are cut, bent, put back, full, and whose counter fails.

use super::*;
use rand::{SeedableRng, rngs::StdRng};

/// Keeps one answer and has it on the medium.
fn kept(journal: &mut FileJournal, id: u8, answer: Answer<'_>) {
    journal.keep([id; 32], answer).expect("kept");
    journal.settle().expect("on the medium");
}

fn keys(seed: u64) -> ParticipantKeys {
    ParticipantKeys::generate(&mut StdRng::seed_from_u64(seed)).expect("keys")
}

#[test]
fn the_answers_of_one_request_are_read_again_in_their_order() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (keys, key_file) = (keys(1), dir.path().join("p.ccc"));
    std::fs::write(&key_file, "").expect("written");
    let first = Answer { request: [1; 64], recipient: [2; 64], bytes: &[3; 5] };
    let second = Answer { recipient: [4; 64], bytes: &[5; 6], ..first };
    let mut journal = FileJournal::beside(&key_file, &keys).expect("an absent journal is empty");
    kept(&mut journal, 7, first);
    kept(&mut journal, 8, Answer { bytes: &[], ..first });
    kept(&mut journal, 7, second);
    drop(journal);
    let journal = FileJournal::beside(&key_file, &keys).expect("read again");
    assert_eq!(journal.answers(&[7; 32]), [first, second]);
    assert_eq!(journal.answers(&[9; 32]), []);
}

#[test]
fn n047_two_processes_of_one_participant_answer_one_after_the_other() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let key_file = dir.path().join("p.ccc");
    std::fs::write(&key_file, "").expect("written");
    let mut journal = FileJournal::beside(&key_file, &keys(1)).expect("an absent journal is empty");
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            let journal = FileJournal::beside(&key_file, &keys(1)).expect("read");
            journal.answers(&[7; 32]).len()
        });
        std::thread::sleep(std::time::Duration::from_millis(200));
        assert!(!other.is_finished());
        kept(&mut journal, 7, Answer { request: [1; 64], recipient: [2; 64], bytes: &[3] });
        drop(journal);
        assert_eq!(other.join().expect("the other"), 1, "it sees the first one's answer");
    });
}

#[test]
fn no_byte_of_a_journal_can_change() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (ours, theirs) = (keys(1), keys(2));
    let (key_file, path) = (dir.path().join("p.ccc"), dir.path().join("p.journal"));
    std::fs::write(&key_file, "").expect("written");
    let mut journal = FileJournal::beside(&key_file, &ours).expect("an absent journal is empty");
    for i in [1_u8, 2, 3] {
        let answer = Answer { request: [0xab; 64], recipient: [0xef; 64], bytes: &[0xcd, i] };
        kept(&mut journal, i, answer);
    }
    drop(journal);
    let good = std::fs::read(&path).expect("read");
    let refused_at = |bytes: &[u8], keys: &ParticipantKeys| {
        std::fs::write(&path, bytes).expect("written");
        match FileJournal::beside(&key_file, keys) {
            Err(JournalError::Line { line, .. }) => line,
            Err(other) => panic!("{other}"),
            Ok(_) => 0,
        }
    };
    assert_eq!(refused_at(&good, &ours), 0);
    assert_eq!(refused_at(&good, &theirs), 1, "another participant's");
    for byte in 0..good.len() {
        for bit in [0x01, 0x20] {
            let mut bent = good.clone();
            bent[byte] ^= bit;
            assert_ne!(refused_at(&bent, &ours), 0, "byte {byte}");
        }
    }
    let lines: Vec<&[u8]> = good.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(refused_at(&[lines[0], lines[2]].concat(), &ours), 2, "a line taken out");
    assert_eq!(refused_at(&[lines[1], lines[0], lines[2]].concat(), &ours), 1, "reordered");
    assert_eq!(refused_at(&[lines[0], lines[1], lines[1]].concat(), &ours), 3, "repeated");
    assert_eq!(refused_at(&good[..good.len() - 1], &ours), 0, "the end of the last line is added");
    assert_eq!(std::fs::read(&path).expect("read"), good);
    assert_eq!(refused_at(&[&good[..good.len() - 1], b"}"].concat(), &ours), 3, "longer than a line");
    assert_eq!(refused_at(&[&good, b"x".as_slice()].concat(), &ours), 4, "no beginning of a line");
    assert_eq!(refused_at(&[&good[..good.len() - 2], b"\n"].concat(), &ours), 3, "torn, and a line after it");
}

/// However much of the last line is there, the lines before it stand and the next one follows them.
#[test]
fn a_line_cut_anywhere_is_left_out_and_the_next_one_takes_its_place() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (keys, key_file, path) = (keys(1), dir.path().join("p.ccc"), dir.path().join("p.journal"));
    std::fs::write(&key_file, "").expect("written");
    let answer = |byte| Answer { request: [byte; 64], recipient: [2; 64], bytes: &[3; 5] };
    let mut journal = FileJournal::beside(&key_file, &keys).expect("an absent journal is empty");
    kept(&mut journal, 1, answer(1));
    let whole = std::fs::metadata(&path).expect("a journal").len();
    let first = std::fs::read(&path).expect("read");
    kept(&mut journal, 2, answer(2));
    drop(journal);
    let both = std::fs::read(&path).expect("read");
    let cuts = first.len()..both.len();
    for cut in cuts.step_by(7).chain([both.len() - 2]) {
        std::fs::write(&path, &both[..cut]).expect("written");
        let mut journal = FileJournal::beside(&key_file, &keys).expect("read");
        assert_eq!((journal.answers(&[1; 32]).len(), journal.answers(&[2; 32]).len()), (1, 0), "cut at {cut}");
        kept(&mut journal, 3, answer(3));
        // what a failed write leaves that could not be taken back
        let mut file = OpenOptions::new().append(true).open(&path).expect("opened");
        file.write_all(&first[..usize::try_from(whole / 2).expect("short")]).expect("written");
        kept(&mut journal, 4, answer(4));
        drop(journal);
        let journal = FileJournal::beside(&key_file, &keys).expect("read again");
        assert_eq!([1, 2, 3, 4].map(|id| journal.answers(&[id; 32]).len()), [1, 0, 1, 1], "cut at {cut}");
    }
}

/// A journal that was put back to an earlier state, with the counter that has seen more.
#[test]
fn n155_an_older_journal_than_its_counter_is_refused() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (keys, key_file) = (keys(1), dir.path().join("p.ccc"));
    let (path, counter) = (dir.path().join("p.journal"), dir.path().join("p.counter"));
    std::fs::write(&key_file, "").expect("written");
    let counted = |expected| FileJournal::counted(&key_file, &counter, expected, &keys);
    let open = || counted(CounterFile::Kept);
    let answer = |byte| Answer { request: [byte; 64], recipient: [2; 64], bytes: &[3; 5] };
    assert!(matches!(open(), Err(JournalError::NoCounter { .. })));
    let mut journal = counted(CounterFile::Begun).expect("an absent journal is empty");
    assert!(matches!(open(), Err(JournalError::Busy { .. })));
    kept(&mut journal, 1, answer(1));
    let earlier = std::fs::read(&path).expect("read");
    journal.keep([2; 32], answer(2)).expect("kept");
    journal.keep([3; 32], answer(3)).expect("kept");
    journal.settle().expect("on the medium");
    drop(journal);
    drop(open().expect("as it was left"));
    let now = std::fs::read(&path).expect("read");
    std::fs::write(&path, &earlier).expect("written");
    assert!(matches!(open(), Err(JournalError::Behind { counted: 3, found: 1, .. })));
    std::fs::remove_file(&path).expect("removed");
    assert!(matches!(open(), Err(JournalError::Behind { counted: 3, found: 0, .. })));
    std::fs::write(&path, &now).expect("written");
    let seen = std::fs::read(&counter).expect("read");
    let bent: Vec<u8> = seen.iter().map(|byte| byte ^ 1).collect();
    std::fs::write(&counter, bent).expect("written");
    assert!(matches!(open(), Err(JournalError::Counter { .. })));
    std::fs::write(&counter, seen).expect("written");
    assert!(matches!(counted(CounterFile::Begun), Err(JournalError::CounterExists { .. })));
    let journal = open().expect("as it was left");
    assert_eq!([1, 2, 3, 4].map(|id| journal.answers(&[id; 32]).len()), [1, 1, 1, 0]);
}

/// A machine that was set up anew from last week's copy of key and journal, and a counter that a crash left without a slot.
#[test]
fn n155_a_journal_whose_counter_is_gone_answers_only_when_the_operator_begins_another() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (keys, key_file, counter) = (keys(1), dir.path().join("p.ccc"), dir.path().join("p.counter"));
    std::fs::write(&key_file, "").expect("written");
    let open = |expected| FileJournal::counted(&key_file, &counter, expected, &keys);
    let answer = Answer { request: [1; 64], recipient: [2; 64], bytes: &[3; 5] };
    kept(&mut open(CounterFile::Begun).expect("begun"), 1, answer);
    for gone in [None, Some([])] {
        std::fs::remove_file(&counter).expect("removed");
        if let Some(empty) = gone {
            let empty: [u8; 0] = empty;
            std::fs::write(&counter, empty).expect("written");
        }
        assert!(matches!(open(CounterFile::Kept), Err(JournalError::NoCounter { .. })));
        drop(open(CounterFile::Begun).expect("begun again"));
        assert_eq!(open(CounterFile::Kept).expect("as it was left").answers(&[1; 32]), [answer]);
    }
}

/// `ccc share` beside a service: it is held against the counter, and takes it on.
#[test]
fn n155_who_opens_a_journal_beside_a_counter_is_held_against_it() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (keys, key_file) = (keys(1), dir.path().join("p.ccc"));
    let (path, counter) = (dir.path().join("p.journal"), dir.path().join("p.counter"));
    std::fs::write(&key_file, "").expect("written");
    let answer = Answer { request: [1; 64], recipient: [2; 64], bytes: &[3; 5] };
    drop(FileJournal::counted(&key_file, &counter, CounterFile::Begun, &keys).expect("begun"));
    kept(&mut FileJournal::beside(&key_file, &keys).expect("beside"), 1, answer);
    let now = std::fs::read(&path).expect("read");
    std::fs::remove_file(&path).expect("removed");
    assert!(matches!(FileJournal::beside(&key_file, &keys), Err(JournalError::Behind { counted: 1, found: 0, .. })));
    std::fs::write(&path, now).expect("written");
    drop(FileJournal::beside(&key_file, &keys).expect("as it was left"));
}

/// What the next start could not read is not written.
#[test]
fn a_full_journal_takes_no_answer_and_opens_again() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (keys, key_file) = (keys(1), dir.path().join("p.ccc"));
    std::fs::write(&key_file, "").expect("written");
    let answer = Answer { request: [1; 64], recipient: [2; 64], bytes: &[3; 5] };
    let mut journal = FileJournal::beside(&key_file, &keys).expect("an absent journal is empty");
    kept(&mut journal, 1, answer);
    let line = journal.lines.length();
    journal.most = 3 * line;
    kept(&mut journal, 2, answer);
    journal.keep([3; 32], answer).expect("the last that fits");
    let refused = journal.keep([4; 32], answer).expect_err("no room");
    assert_eq!(refused, JournalError::Full { length: 4 * line, most: 3 * line }.to_string());
    journal.settle().expect("on the medium");
    assert_eq!([1, 2, 3, 4].map(|id| journal.answers(&[id; 32]).len()), [1, 1, 1, 0]);
    drop(journal);
    let length = std::fs::metadata(dir.path().join("p.journal")).expect("a journal").len();
    assert_eq!(length, 3 * line);
    assert_eq!(FileJournal::beside(&key_file, &keys).expect("read again").answers(&[3; 32]), [answer]);
}

/// The slot may be on the medium although its synchronisation failed: its lines must not be replaced by others.
#[test]
fn after_a_counter_that_failed_nothing_is_kept_before_a_restart() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (keys, key_file, counter) = (keys(1), dir.path().join("p.ccc"), dir.path().join("p.counter"));
    std::fs::write(&key_file, "").expect("written");
    let answer = Answer { request: [1; 64], recipient: [2; 64], bytes: &[3; 5] };
    let mut journal = FileJournal::counted(&key_file, &counter, CounterFile::Begun, &keys).expect("begun");
    kept(&mut journal, 1, answer);
    journal.counter.as_mut().expect("a counter").fail_once();
    journal.keep([2; 32], answer).expect("kept");
    journal.settle().expect_err("the counter fails");
    assert_eq!(journal.answers(&[2; 32]), [], "not given");
    assert_eq!(journal.keep([3; 32], answer), Err(JournalError::Uncounted.to_string()));
    assert_eq!(journal.settle(), Err(JournalError::Uncounted.to_string()));
    drop(journal);
    let journal = FileJournal::counted(&key_file, &counter, CounterFile::Kept, &keys).expect("the slot counts");
    assert_eq!([1, 2, 3].map(|id| journal.answers(&[id; 32]).len()), [1, 1, 0]);
}
