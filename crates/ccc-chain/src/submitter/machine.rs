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
mod tests;
