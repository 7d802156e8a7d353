//! A journal that is full takes no answer, forgets what is past and takes answers again.

use super::*;

fn until(byte: u8, until: u64) -> Answer {
    Answer { until, ..answer(byte) }
}

fn forget(journal: &mut FileJournal, now: u64) {
    while journal.forget(now).expect("forgotten") {}
}

#[test]
fn a_full_journal_takes_no_answer_until_what_is_past_is_taken_out() {
    let bench = Bench::new();
    let mut journal = bench.counted(CounterFile::Begun).expect("begun");
    keep(&mut journal, 1, &answer(1));
    let room = journal.chain.length();
    journal.most = 3 * room;
    keep(&mut journal, 2, &until(2, UNTIL + 50));
    journal.keep([3; 32], &answer(3)).expect("the last that fits");
    let full = JournalError::Full { length: 4 * room, most: 3 * room }.to_string();
    assert_eq!(journal.keep([4; 32], &answer(4)), Err(full.clone()));
    journal.settle().expect("on the medium");
    forget(&mut journal, UNTIL);
    assert_eq!(journal.keep([4; 32], &answer(4)), Err(full), "the last second is not past");
    forget(&mut journal, UNTIL + 1);
    assert_eq!(counts(&journal, [1, 2, 3]), [0, 1, 0]);
    keep(&mut journal, 4, &until(4, UNTIL + 50));
    drop(journal);
    let journal = bench.kept().expect("opened again");
    assert_eq!(counts(&journal, [1, 2, 3, 4]), [0, 1, 0, 1]);
    assert_eq!(journal.chain.length(), 2 * room);
    assert_eq!(journal.answers(&[2; 32]).expect("read"), [until(2, UNTIL + 50)]);
}

/// Otherwise a clock that is set back would let a host have a second answer where the first is forgotten.
#[test]
fn what_was_forgotten_is_past_for_ever() {
    let bench = Bench::new();
    let mut journal = bench.counted(CounterFile::Begun).expect("begun");
    keep(&mut journal, 1, &answer(1));
    forget(&mut journal, UNTIL + 1);
    assert_eq!(counts(&journal, [1]), [0]);
    let past = JournalError::Past { until: UNTIL, past: UNTIL + 1 }.to_string();
    assert_eq!(journal.keep([1; 32], &answer(1)), Err(past.clone()));
    drop(journal);
    let mut journal = bench.kept().expect("opened again");
    assert_eq!(journal.keep([1; 32], &answer(1)), Err(past), "after a restart too");
    forget(&mut journal, 5);
    keep(&mut journal, 2, &until(2, UNTIL + 1));
    assert_eq!(counts(&journal, [2]), [1]);
}

/// Several pages, with answers that stay between those that go; stopped after each page, and with a counter that did not
/// follow.
#[test]
fn n156_a_forgetting_that_stops_anywhere_loses_no_answer_that_counts() {
    let bench = Bench::new();
    let mut journal = bench.counted(CounterFile::Begun).expect("begun");
    let number = |index: u32| u64::from(index % 3);
    let id = |index: u32| -> [u8; 32] {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&index.to_be_bytes());
        id
    };
    let many = 2_600;
    for index in 0..many {
        let stays = number(index) == 0;
        journal.keep(id(index), &until(1, if stays { 9_000 } else { UNTIL })).expect("kept");
    }
    journal.settle().expect("on the medium");
    let counter_before = std::fs::read(&bench.counter).expect("read");
    let mut pages = 0;
    loop {
        let more = journal.forget(UNTIL + 1).expect("a page");
        drop(journal);
        pages += 1;
        let counter_now = std::fs::read(&bench.counter).expect("read");
        // the counter as it was when the forgetting began: a stop before it followed
        std::fs::write(&bench.counter, &counter_before).expect("written");
        drop(bench.kept().expect("no answer that it counted went before it"));
        std::fs::write(&bench.counter, counter_now).expect("written");
        journal = bench.kept().expect("opened again");
        for index in (0..many).step_by(13) {
            let found = journal.answers(&id(index)).expect("read").len();
            assert!(number(index) != 0 || found == 1, "{index} is gone after page {pages}");
        }
        if !more {
            break;
        }
        // it goes on after a restart, from where it is worth it
        journal.forgetting = Some(u64::from(many) + 1);
    }
    assert!(pages >= 3, "{pages} pages");
    for index in 0..many {
        assert_eq!(journal.answers(&id(index)).expect("read").len(), usize::from(number(index) == 0), "{index}");
    }
    assert_eq!(journal.chain.dead(UNTIL + 1), 0);
}

/// An old copy from before the forgetting holds what was forgotten and more; it is the counter's history all the same.
#[test]
fn n155_a_journal_from_before_answers_that_came_after_a_forgetting_is_refused() {
    let bench = Bench::new();
    let mut journal = bench.counted(CounterFile::Begun).expect("begun");
    keep(&mut journal, 1, &answer(1));
    drop(journal);
    let before = std::fs::read(&bench.path).expect("read");
    let mut journal = bench.kept().expect("as it was left");
    forget(&mut journal, UNTIL + 1);
    keep(&mut journal, 2, &until(2, 9_000));
    drop(journal);
    std::fs::write(&bench.path, before).expect("written");
    assert!(matches!(bench.kept(), Err(JournalError::Behind { counted: 2, found: 1, .. })));
}
