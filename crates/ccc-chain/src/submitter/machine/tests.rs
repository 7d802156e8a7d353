//! What is done after what was seen.

use super::*;

const POLL: Duration = Duration::from_secs(1);
const FEES: Fees = Fees { most: 100, tip: 10 };

const fn policy() -> Policy {
    Policy {
        confirmations: 2,
        poll: POLL,
        patience: Duration::from_secs(10),
        limit: Duration::from_secs(100),
        bump: 10,
        most_fee: 200,
        most_sends: 4,
        most_failures: 3,
    }
}

const fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Nothing has happened: nonce 5 is free, the transaction is pending.
const fn seen() -> Seen {
    Seen { landed: None, head: 20, mined: 5, queued: 6, known: true, fees: FEES }
}

fn landed(block: u64) -> Option<Landed> {
    Some(Landed { transaction: B256::repeat_byte(1), block })
}

/// A machine whose first transaction, of nonce 5, was sent at second 0, and the node said that it has it.
fn sent() -> Machine {
    answered(Answer::Taken)
}

fn answered(answer: Answer) -> Machine {
    let mut machine = Machine::new(policy(), at(0));
    let first = Seen { queued: 5, known: false, ..seen() };
    assert_eq!(machine.step(at(0), &first), Step::Sign { nonce: 5, fees: FEES });
    machine.signed(B256::repeat_byte(1), 5, FEES, at(0));
    machine.answered(answer);
    machine
}

#[test]
fn a_delivery_that_is_deep_enough_is_the_end() {
    let mut machine = sent();
    assert_eq!(machine.step(at(1), &seen()), Step::Wait(POLL));
    for head in [19, 20, 21] {
        assert_eq!(machine.step(at(2), &Seen { landed: landed(20), head, ..seen() }), Step::Wait(POLL));
    }
    let deep = Seen { landed: landed(20), head: 22, ..seen() };
    assert_eq!(machine.step(at(3), &deep), Step::Finish(landed(20).unwrap()));
}

#[test]
fn a_transaction_that_waits_too_long_is_replaced_at_the_same_nonce_for_a_tenth_more() {
    let mut machine = sent();
    assert_eq!(machine.step(at(9), &seen()), Step::Wait(POLL));
    let dearer = Fees { most: 111, tip: 12 };
    assert_eq!(machine.step(at(10), &seen()), Step::Sign { nonce: 5, fees: dearer });
    machine.signed(B256::repeat_byte(2), 5, dearer, at(10));
    assert_eq!(machine.step(at(19), &seen()), Step::Wait(POLL));
    let market = Seen { fees: Fees { most: 180, tip: 1 }, ..seen() };
    let then = Fees { most: 180, tip: 15 };
    assert_eq!(machine.step(at(20), &market), Step::Sign { nonce: 5, fees: then });
}

#[test]
fn an_underpriced_transaction_is_replaced_at_once() {
    let mut machine = sent();
    machine.answered(Answer::Underpriced);
    let fees = Fees { most: 111, tip: 12 };
    assert_eq!(machine.step(at(0), &Seen { known: false, ..seen() }), Step::Sign { nonce: 5, fees });
}

#[test]
fn what_the_node_forgot_is_sent_again_as_it_is() {
    let mut machine = sent();
    let forgot = Seen { known: false, queued: 5, ..seen() };
    assert_eq!(machine.step(at(0), &seen()), Step::Wait(POLL));
    assert_eq!(machine.step(at(0), &forgot), Step::Wait(POLL), "it had no time to know it");
    assert_eq!(machine.step(at(1), &forgot), Step::Repeat);
    machine.repeated(at(1));
    assert_eq!(machine.step(at(1), &forgot), Step::Wait(POLL));
    assert_eq!((machine.attempts().len(), machine.sends()), (1, 2));
    assert_eq!(answered(Answer::Unclear).step(at(1), &forgot), Step::Repeat, "it never said that it has it");
}

#[test]
fn what_the_node_says_it_has_and_never_shows_is_asked_for_slowly_and_counts_for_nothing() {
    let mut machine = sent();
    let hidden = Seen { known: false, queued: 5, ..seen() };
    for second in 0..5 {
        assert_eq!(machine.step(at(second), &hidden), Step::Wait(POLL));
    }
    assert_eq!(machine.step(at(5), &hidden), Step::Repeat);
    machine.repeated(at(5));
    machine.answered(Answer::Taken);
    let dearer = Fees { most: 111, tip: 12 };
    assert_eq!(machine.step(at(10), &hidden), Step::Sign { nonce: 5, fees: dearer }, "it waits too long");
    machine.signed(B256::repeat_byte(2), 5, dearer, at(10));
    machine.answered(Answer::Taken);
    // from here on the policy pays no more
    machine.policy.most_fee = dearer.most;
    for second in [15, 20, 25] {
        assert_eq!(machine.step(at(second), &hidden), Step::Repeat, "at {second}");
        machine.repeated(at(second));
        machine.answered(Answer::Taken);
    }
    assert_eq!((machine.attempts().len(), machine.counted), (2, 2), "repetitions that it knew count for nothing");
}

#[test]
fn a_block_that_is_taken_back_is_as_if_it_had_not_been() {
    let mut machine = sent();
    assert_eq!(machine.step(at(1), &Seen { landed: landed(20), ..seen() }), Step::Wait(POLL));
    assert_eq!(machine.step(at(2), &Seen { known: false, queued: 5, head: 19, ..seen() }), Step::Repeat);
}

#[test]
fn a_nonce_that_another_transaction_took_is_believed_after_three_looks() {
    let mut machine = sent();
    let taken = Seen { mined: 6, queued: 7, ..seen() };
    assert_eq!(machine.step(at(1), &taken), Step::Wait(POLL));
    assert_eq!(machine.step(at(2), &taken), Step::Wait(POLL));
    assert_eq!(machine.step(at(3), &taken), Step::Sign { nonce: 7, fees: FEES });
    let mut machine = sent();
    assert_eq!(machine.step(at(1), &taken), Step::Wait(POLL));
    assert_eq!(machine.step(at(2), &Seen { landed: landed(20), ..taken }), Step::Wait(POLL), "it was ours");
}

#[test]
fn a_gap_before_the_nonce_is_filled_by_the_report_itself_after_a_while_and_three_looks() {
    let gap = Seen { mined: 3, queued: 3, ..seen() };
    let mut machine = sent();
    for second in [8, 9] {
        assert_eq!(machine.step(at(second), &gap), Step::Wait(POLL), "the one before may still come");
    }
    assert_eq!(machine.step(at(10), &gap), Step::Sign { nonce: 3, fees: FEES });
    let mut machine = sent();
    for (second, look) in [(8, gap), (9, seen()), (11, gap), (12, gap)] {
        let step = machine.step(at(second), &look);
        assert!(!matches!(step, Step::Sign { nonce: 3, .. }), "one machine of the node lags at {second}");
    }
    let forgotten = Seen { known: false, ..gap };
    for second in [1, 2, 3] {
        assert_eq!(sent().step(at(second), &forgotten), Step::Wait(POLL), "hidden is not lost");
    }
}

#[test]
fn a_nonce_where_the_node_has_another_transaction_is_left_to_it() {
    let mut machine = answered(Answer::Occupied);
    let lagging = Seen { known: false, queued: 5, ..seen() };
    assert_eq!(machine.step(at(0), &lagging), Step::Sign { nonce: 6, fees: FEES }, "not dearer at the same nonce");
    machine.signed(B256::repeat_byte(2), 6, FEES, at(0));
    machine.answered(Answer::Taken);
    assert_eq!(machine.step(at(1), &lagging), Step::Wait(POLL), "no gap");

    // the same where a gap seemed to be: the report behind it goes on waiting
    let mut machine = sent();
    let gap = Seen { mined: 3, queued: 3, ..seen() };
    for second in [8, 9] {
        machine.step(at(second), &gap);
    }
    assert_eq!(machine.step(at(10), &gap), Step::Sign { nonce: 3, fees: FEES });
    machine.signed(B256::repeat_byte(2), 3, FEES, at(10));
    machine.answered(Answer::Occupied);
    assert_eq!(machine.current(), Some(0));
    for second in 10..19 {
        let step = machine.step(at(second), &gap);
        assert!(!matches!(step, Step::Sign { nonce: 3, .. }), "{step:?} at {second}");
    }
}

#[test]
fn a_node_that_wants_more_for_our_own_nonce_gets_it() {
    let mut machine = sent();
    let dearer = Fees { most: 111, tip: 12 };
    assert_eq!(machine.step(at(10), &seen()), Step::Sign { nonce: 5, fees: dearer });
    machine.signed(B256::repeat_byte(2), 5, dearer, at(10));
    machine.answered(Answer::Occupied);
    let fees = Fees { most: 124, tip: 15 };
    assert_eq!(machine.step(at(10), &Seen { known: false, ..seen() }), Step::Sign { nonce: 5, fees });
}

#[test]
fn an_older_transaction_behind_a_nonce_that_is_gone_is_waited_for() {
    let mut machine = sent();
    let gap = Seen { mined: 3, queued: 3, ..seen() };
    for second in [8, 9, 10] {
        machine.step(at(second), &gap);
    }
    machine.signed(B256::repeat_byte(2), 3, FEES, at(10));
    machine.answered(Answer::Taken);
    let filled = Seen { mined: 5, queued: 6, ..seen() };
    for second in [11, 12, 13] {
        assert_eq!(machine.step(at(second), &filled), Step::Wait(POLL));
    }
    assert_eq!(machine.current(), Some(0), "no third transaction");
}

#[test]
fn each_bound_ends_it_with_its_name() {
    let mut machine = sent();
    let last = Some(B256::repeat_byte(1));
    assert_eq!(machine.step(at(100), &seen()), Step::GiveUp(GaveUp::Time { seconds: 100, sends: 1, last }));
    let shallow = GaveUp::Shallow { transaction: B256::repeat_byte(1), block: 20, expected: 2, found: 0 };
    assert_eq!(machine.step(at(100), &Seen { landed: landed(20), ..seen() }), Step::GiveUp(shallow));

    let mut machine = answered(Answer::Unclear);
    machine.heard("internal error");
    let forgot = Seen { known: false, queued: 5, ..seen() };
    for second in 1..4 {
        assert_eq!(machine.step(at(second), &forgot), Step::Repeat);
        machine.repeated(at(second));
    }
    let sends = GaveUp::Sends { sends: 4, last, said: "internal error".into() };
    assert_eq!(machine.step(at(9), &forgot), Step::GiveUp(sends));
    assert_eq!(machine.step(at(20), &seen()), Step::Wait(POLL), "what is pending may still be mined");

    let dear = Seen { fees: Fees { most: 201, tip: 1 }, queued: 5, ..seen() };
    let fee = GaveUp::Fee { needed: 201, most: 200 };
    assert_eq!(Machine::new(policy(), at(0)).step(at(0), &dear), Step::GiveUp(fee.clone()));
    let mut machine = sent();
    assert_eq!(machine.step(at(10), &dear), Step::Wait(POLL), "the cheaper one may still be mined");
    machine.answered(Answer::Underpriced);
    assert_eq!(machine.step(at(10), &dear), Step::Wait(POLL), "and so where the node asked for more");
    let unseen = Seen { known: false, ..dear };
    assert_eq!(answered(Answer::Underpriced).step(at(1), &unseen), Step::GiveUp(fee));
    let lie = Seen { fees: Fees { most: 200, tip: 21 }, queued: 5, ..seen() };
    let tip = GaveUp::Tip { needed: 21, most: 20 };
    assert_eq!(Machine::new(policy(), at(0)).step(at(0), &lie), Step::GiveUp(tip));
}

#[test]
fn failures_in_a_row_are_counted_and_forgotten() {
    let mut machine = sent();
    assert_eq!(machine.away(at(1), "a"), Step::Wait(POLL * 2));
    assert_eq!(machine.away(at(2), "b"), Step::Wait(POLL * 4));
    assert_eq!(machine.step(at(3), &seen()), Step::Wait(POLL));
    assert_eq!(machine.away(at(4), "c"), Step::Wait(POLL * 2));
    assert_eq!(machine.away(at(5), "d"), Step::Wait(POLL * 4));
    let away = GaveUp::Away { failures: 3, reason: "e".into() };
    assert_eq!(machine.away(at(6), "e"), Step::GiveUp(away));
}

#[test]
fn a_bump_is_more_in_both_parts_even_of_nothing() {
    assert_eq!(Fees { most: 0, tip: 0 }.bumped(10, Fees { most: 0, tip: 0 }), Fees { most: 1, tip: 1 });
    let most = Fees { most: u128::MAX, tip: u128::MAX };
    assert_eq!(most.bumped(10, FEES), most);
}
