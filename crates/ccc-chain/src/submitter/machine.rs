//! What to do next, from what was seen. No chain, no clock, no randomness.

use std::time::Duration;

use alloy::primitives::B256;

use super::{GaveUp, Policy};

/// How many times in a row a nonce has to be seen taken, with no receipt of ours, until it is believed: a node may show the
/// count of a block before its receipts.
const BELIEVED: u32 = 3;

/// The price of a unit of gas, in wei.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// The most that is paid.
    pub most: u128,
    /// What of it goes to the block's maker.
    pub tip: u128,
}

impl Fees {
    /// Dearer by `percent` and by one wei in both parts, and no cheaper than what the chain asks for now.
    #[must_use]
    pub fn bumped(self, percent: u32, now: Self) -> Self {
        let more = |fee: u128| {
            let part = fee.saturating_mul(u128::from(percent)).div_ceil(100);
            fee.saturating_add(part).saturating_add(1)
        };
        Self { most: more(self.most).max(now.most), tip: more(self.tip).max(now.tip) }
    }
}

/// Where the report, or a transaction of ours that did not bring it, is on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Landed {
    /// The transaction.
    pub transaction: B256,
    /// Its block.
    pub block: u64,
}

/// What the chain showed, all of it newer than the last step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The delivery, by whomever; else a transaction of ours that was mined without one.
    pub landed: Option<Landed>,
    /// The newest block.
    pub head: u64,
    /// The sender's transactions in blocks.
    pub mined: u64,
    /// The same, with those that wait one behind the other.
    pub queued: u64,
    /// Whether the node knows our newest transaction.
    pub known: bool,
    /// What the chain asks for now.
    pub fees: Fees,
}

/// A transaction of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its hash, known before it is sent.
    pub transaction: B256,
    /// Its nonce.
    pub nonce: u64,
    /// What it pays.
    pub fees: Fees,
    /// When it was signed.
    pub signed: Duration,
    /// When it was last handed to the node.
    pub sent: Duration,
    /// What became of it.
    pub state: State,
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody said.
    Unknown,
    /// The node said that it has it, and did not show it. Some show no transaction before its block.
    Said,
    /// The node showed it.
    Shown,
    /// Another transaction has its nonce: in a block, or pending and not ours.
    Gone,
}

impl Attempt {
    /// Whether the node has or had it among those that wait.
    const fn entered(&self) -> bool {
        matches!(self.state, State::Said | State::Shown)
    }
}

/// What the node said to a sending. No answer at all is none of these: what the chain shows decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has the transaction, since now or before.
    Taken,
    /// It wants a higher price.
    Underpriced,
    /// It has another transaction of this nonce, and wants a higher price for taking that one's place.
    Occupied,
    /// It speaks of the nonce, or did not answer.
    Unclear,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Sign a transaction and send it.
    Sign {
        /// Its nonce.
        nonce: u64,
        /// What it pays.
        fees: Fees,
    },
    /// Send the bytes of [`Machine::current`] again.
    Repeat,
    /// Ask again after this time.
    Wait(Duration),
    /// It is over.
    Finish(Landed),
    /// It cannot go on.
    GiveUp(GaveUp),
}

/// One delivery.
#[derive(Clone, Debug)]
pub struct Machine {
    policy: Policy,
    started: Duration,
    attempts: Vec<Attempt>,
    sends: u32,
    counted: u32,
    failures: u32,
    taken: u32,
    gaps: u32,
    repeating: bool,
    underpriced: bool,
    occupied: Option<(u64, Duration)>,
    said: String,
}

impl Machine {
    /// A delivery that begins now.
    #[must_use]
    pub const fn new(policy: Policy, now: Duration) -> Self {
        Self {
            policy,
            started: now,
            attempts: Vec::new(),
            sends: 0,
            counted: 0,
            failures: 0,
            taken: 0,
            gaps: 0,
            repeating: false,
            underpriced: false,
            occupied: None,
            said: String::new(),
        }
    }

    /// Every transaction that was signed, oldest first.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// The place in [`attempts`](Self::attempts) of the one that is waited for: the newest whose nonce nobody else has.
    #[must_use]
    pub fn current(&self) -> Option<usize> {
        self.attempts.iter().rposition(|attempt| attempt.state != State::Gone)
    }

    fn now_waited_for(&mut self) -> Option<&mut Attempt> {
        let place = self.current()?;
        self.attempts.get_mut(place)
    }

    /// How often bytes were handed to the node.
    #[must_use]
    pub const fn sends(&self) -> u32 {
        self.sends
    }

    /// A transaction is about to be sent: from here on it may be on the chain.
    pub fn signed(&mut self, transaction: B256, nonce: u64, fees: Fees, now: Duration) {
        self.attempts.push(Attempt { transaction, nonce, fees, signed: now, sent: now, state: State::Unknown });
        self.count();
        (self.underpriced, self.repeating, self.gaps) = (false, false, 0);
    }

    /// The bytes of [`current`](Self::current) are about to be sent again.
    pub fn repeated(&mut self, now: Duration) {
        self.count();
        self.repeating = true;
        if let Some(current) = self.now_waited_for() {
            current.sent = now;
        }
    }

    const fn count(&mut self) {
        self.sends = self.sends.saturating_add(1);
        self.counted = self.counted.saturating_add(1);
    }

    /// The node's words to a sending that it did not take.
    pub fn heard(&mut self, words: &str) {
        words.clone_into(&mut self.said);
    }

    /// What the node said to the last sending.
    pub fn answered(&mut self, answer: Answer) {
        self.underpriced = answer == Answer::Underpriced;
        match answer {
            Answer::Taken => self.has_it(),
            Answer::Occupied => self.is_occupied(),
            Answer::Underpriced | Answer::Unclear => {}
        }
    }

    /// A repetition that only made the node say so again counts for nothing.
    fn has_it(&mut self) {
        if self.repeating {
            self.counted = self.counted.saturating_sub(1);
        }
        if let Some(current) = self.now_waited_for() {
            current.state = State::Said;
        }
    }

    /// Where none of ours ever entered, the nonce is another's: a higher price would throw that one out.
    fn is_occupied(&mut self) {
        let Some(place) = self.current() else { return };
        let Some(&Attempt { nonce, signed, .. }) = self.attempts.get(place) else { return };
        if self.attempts.iter().any(|attempt| attempt.nonce == nonce && attempt.entered()) {
            self.underpriced = true;
        } else {
            self.occupied = Some((nonce, signed));
            self.set_gone(|attempt| attempt.nonce == nonce);
        }
    }

    fn set_gone(&mut self, gone: impl Fn(&Attempt) -> bool) {
        for attempt in self.attempts.iter_mut().filter(|attempt| gone(attempt)) {
            attempt.state = State::Gone;
        }
    }

    /// The node did not show what was asked for.
    pub fn away(&mut self, now: Duration, reason: &str) -> Step {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= self.policy.most_failures {
            return Step::GiveUp(GaveUp::Away { failures: self.failures, reason: reason.to_owned() });
        }
        if self.is_over(now) {
            return Step::GiveUp(self.time(now));
        }
        Step::Wait(self.policy.poll.saturating_mul(1 << self.failures.min(6)).min(self.policy.patience))
    }

    /// What to do after what was seen.
    pub fn step(&mut self, now: Duration, seen: &Seen) -> Step {
        self.failures = 0;
        self.believe(seen);
        if let Some(landed) = seen.landed {
            return self.settle(now, seen.head, landed);
        }
        if self.is_over(now) {
            return Step::GiveUp(self.time(now));
        }
        let Some(last) = self.current().and_then(|place| self.attempts.get(place)).copied() else {
            return self.sign(self.free(now, seen), seen.fees);
        };
        if seen.mined > last.nonce {
            return self.nonce_gone(now, seen);
        }
        self.taken = 0;
        self.gaps = if self.free(now, seen) < last.nonce { self.gaps.saturating_add(1) } else { 0 };
        self.pending(now, seen, last)
    }

    /// What the node shows is believed; from then on it is believed too when it shows it no more.
    fn believe(&mut self, seen: &Seen) {
        let landed = seen.landed.map(|landed| landed.transaction);
        if let Some(current) = self.now_waited_for()
            && (seen.known || landed == Some(current.transaction))
        {
            current.state = State::Shown;
        }
    }

    /// The sender's first free nonce. One that was another's is that for a while: it may be dropped.
    fn free(&self, now: Duration, seen: &Seen) -> u64 {
        match self.occupied {
            Some((nonce, since)) if now.saturating_sub(since) < self.policy.patience => {
                seen.queued.max(nonce.saturating_add(1))
            }
            _ => seen.queued,
        }
    }

    /// Not in a block, and its nonce is free.
    fn pending(&self, now: Duration, seen: &Seen, last: Attempt) -> Step {
        let long = now.saturating_sub(last.signed) >= self.policy.patience;
        // one before it was lost: the node does not count up to it, for long and not by one of its machines alone
        if long && self.gaps >= BELIEVED && self.may_send() {
            return self.sign(self.free(now, seen), seen.fees);
        }
        if self.underpriced || (long && (seen.known || last.state == State::Said)) {
            let replaced = self.replace(seen, last);
            if self.underpriced || replaced != Step::Wait(self.policy.poll) {
                return replaced;
            }
        }
        if seen.known || now.saturating_sub(last.sent) < self.pause(last) {
            return Step::Wait(self.policy.poll);
        }
        match self.may_send() {
            true => Step::Repeat,
            false if last.entered() => Step::Wait(self.policy.poll),
            false => Step::GiveUp(self.most_sends()),
        }
    }

    /// How long a node may know nothing of a transaction until it is sent again.
    fn pause(&self, last: Attempt) -> Duration {
        if last.state == State::Said { self.policy.poll.max(self.policy.patience / 2) } else { self.policy.poll }
    }

    /// A block that is taken back takes the receipt with it: the next step sees nothing landed.
    fn settle(&self, now: Duration, head: u64, landed: Landed) -> Step {
        let (found, expected) = (head.saturating_sub(landed.block), self.policy.confirmations);
        if found >= expected {
            return Step::Finish(landed);
        }
        if !self.is_over(now) {
            return Step::Wait(self.policy.poll);
        }
        let Landed { transaction, block } = landed;
        Step::GiveUp(GaveUp::Shallow { transaction, block, expected, found })
    }

    /// Another transaction of the sender has the nonce. An older one of ours may still wait behind it.
    fn nonce_gone(&mut self, now: Duration, seen: &Seen) -> Step {
        self.taken = self.taken.saturating_add(1);
        if self.taken < BELIEVED {
            return Step::Wait(self.policy.poll);
        }
        self.taken = 0;
        self.set_gone(|attempt| attempt.nonce < seen.mined);
        match self.current() {
            Some(_) => Step::Wait(self.policy.poll),
            None => self.sign(self.free(now, seen), seen.fees),
        }
    }

    fn replace(&self, seen: &Seen, last: Attempt) -> Step {
        let fees = last.fees.bumped(self.policy.bump, seen.fees);
        let waits = self.attempts.iter().any(|attempt| attempt.nonce == last.nonce && attempt.entered());
        // what is pending at the highest price allowed may still be mined
        if waits && (self.policy.affords(fees).is_err() || !self.may_send()) {
            return Step::Wait(self.policy.poll);
        }
        self.sign(last.nonce, fees)
    }

    fn sign(&self, nonce: u64, fees: Fees) -> Step {
        if !self.may_send() {
            return Step::GiveUp(self.most_sends());
        }
        match self.policy.affords(fees) {
            Err(reason) => Step::GiveUp(reason),
            Ok(()) => Step::Sign { nonce, fees },
        }
    }

    const fn may_send(&self) -> bool {
        self.counted < self.policy.most_sends
    }

    fn is_over(&self, now: Duration) -> bool {
        now.saturating_sub(self.started) >= self.policy.limit
    }

    fn last(&self) -> Option<B256> {
        self.attempts.last().map(|attempt| attempt.transaction)
    }

    fn most_sends(&self) -> GaveUp {
        GaveUp::Sends { sends: self.sends, last: self.last(), said: self.said.clone() }
    }

    fn time(&self, now: Duration) -> GaveUp {
        let seconds = now.saturating_sub(self.started).as_secs();
        GaveUp::Time { seconds, sends: self.sends, last: self.last() }
    }
}

#[cfg(test)]
mod tests {
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
}
