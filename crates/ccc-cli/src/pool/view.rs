//! What each party reads from the log for itself: the participants, the enclave's host, the report signers.

use super::{
    Pool,
    head::{ClosedRequest, Head},
    hexed::Hex,
    log::{ChainLog, Event},
};
use crate::error::Error;
use ccc_core::{
    ciphertext::Ciphertext,
    report::{Accumulator, PriceObservation, Statement, keccak256},
    table::Header,
};
use ccc_enclave::{
    intake::{self, BoundaryEvent, CollateralRequest, Log, Submission},
    result::PublicInputs,
    upkeep::{Duty, Upkeep},
};
use ccc_node::{
    vault_node::{ChainView, OnChain},
    workflow_node::SignerView,
};
use std::{collections::HashMap, sync::Arc};

/// What report signers look at: the block of an attempt, and the newest state.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    /// The log up to the attempt's block.
    pub(crate) at: &'a ChainLog,
    /// The newest head: that of the block but for payouts, which follow their round.
    pub(crate) latest: &'a Head,
    /// Price observations.
    pub(crate) observations: &'a [PriceObservation],
    /// The clock.
    pub(crate) now: u64,
    /// The instruction that the signers' operators gave, if the version is one of its own.
    pub(crate) duty: Option<Duty>,
}

/// A request of the log.
#[derive(Clone)]
struct Asked {
    what: CollateralRequest,
    /// Events before it.
    place: usize,
    /// Events of the log when a round closed it.
    closed: Option<usize>,
    /// Standing orders that it is cleared against.
    orders: usize,
    /// Deposits and requests for withdrawals before those end.
    operations: usize,
}

impl Pool {
    /// The public facts at a block.
    ///
    /// # Errors
    /// [`Error::PoolLog`].
    pub(crate) fn inputs(&self, at: &ChainLog) -> Result<PublicInputs, Error> {
        Ok(PublicInputs {
            block: at.number(),
            block_time: at.time(),
            custody: self.custody(at)?,
            consumed: self.head.consumed,
            accumulator: self.head.accumulator.0,
        })
    }

    /// The pool's balance of the base asset: what was deposited and not paid out.
    fn custody(&self, at: &ChainLog) -> Result<u128, Error> {
        let token = self.config.asset(self.config.base)?.token;
        let refused = || {
            let reason = "the payments are not integers that can be added".into();
            Error::PoolFile { path: self.paths.head(), reason }
        };
        let paid = self.head.paid(&token).ok_or_else(refused)?;
        at.deposited(self.config.base)?.checked_sub(paid).ok_or(Error::HeadBehind)
    }

    /// What a participant sees: the log up to a block, and the header that is current now.
    pub(crate) fn chain_view(&self, at: &ChainLog, time: u64) -> ChainView {
        let submissions: HashMap<_, _> = at.events().iter().filter_map(on_chain).collect();
        ChainView {
            block_hash: at.hash(),
            time,
            header_hash: self.head.header_hash.0,
            version: self.head.version,
            submissions: Arc::new(submissions),
            enclaves: None,
        }
    }

    /// What a report signer sees.
    ///
    /// # Errors
    /// [`Error::PoolLog`].
    pub(crate) fn signer_view(&self, seen: &Seen<'_>, statement: &Statement) -> Result<SignerView, Error> {
        let Seen { at, latest, observations, now, duty } = *seen;
        let count = if let Statement::Round(round) = statement { round.count } else { self.head.consumed };
        Ok(SignerView {
            chain: self.config.chain,
            receivers: [self.config.reserve_attestation, self.config.pool],
            epoch: self.committee.epoch().0,
            now,
            inputs: self.inputs(at)?,
            block_hash: at.hash(),
            log: self.attempt_log(at, duty)?,
            header: (self.head.header_hash.0, self.head.version),
            latest: (latest.header_hash.0, latest.version),
            last_sequence: match statement {
                Statement::Solvency(_) => latest.solvency_sequence,
                Statement::Payout(_) => latest.payout_sequence,
                Statement::Round(_) | Statement::Enclave(_) => latest.round_sequence,
            },
            accumulator: self.accumulator(at, count)?.map(|accumulator| accumulator.value()),
            price_source: self.config.price_source,
            observations: observations.to_vec(),
            // a pool directory has no chain, so no registry on one
            enclave: None,
        })
    }

    fn accumulator(&self, at: &ChainLog, count: u64) -> Result<Option<Accumulator>, Error> {
        let tokens: Vec<[u8; 20]> = self.config.assets.iter().map(|asset| asset.token).collect();
        at.accumulator(count, &tokens)
    }

    /// What an attempt at this block takes: what a round settles, or an instruction for a version of its own.
    ///
    /// # Errors
    /// As [`Self::round_log`].
    pub(crate) fn attempt_log(&self, at: &ChainLog, duty: Option<Duty>) -> Result<Log, Error> {
        let log = self.round_log(at)?;
        let Some(duty) = duty else { return Ok(log) };
        let upkeep = Upkeep { duty, read: self.head.orders_read_at };
        Ok(Log { consumed: log.consumed, upkeep: Some(upkeep), ..Log::default() })
    }

    /// What a round at this block settles. It reads submissions up to where the requests that wait are cleared, and
    /// settles no request before it has nothing new to read: what a request is cleared against is decided when it is made.
    ///
    /// # Errors
    /// [`Error::PoolLog`], [`Error::HeadBehind`] when the log lost what the head has consumed.
    pub(crate) fn round_log(&self, at: &ChainLog) -> Result<Log, Error> {
        let known = self.accumulator(at, self.head.consumed)?;
        let consumed = known.filter(|known| known.value() == self.head.accumulator.0).ok_or(Error::HeadBehind)?;
        let waiting = self.waiting(at);
        let orders: Vec<Submission> = at.events().iter().filter_map(standing_order).collect();
        let taken = usize::try_from(self.head.orders_taken).map_err(|_| Error::HeadBehind)?;
        let readable = waiting.iter().map(|asked| asked.orders).fold(orders.len(), usize::min).max(taken);
        let (read, new) =
            orders.get(..readable).and_then(|known| known.split_at_checked(taken)).ok_or(Error::HeadBehind)?;
        let boundary = self.unconsumed(at, &orders, &waiting)?;
        let live = |order: &Submission| self.head.live_orders.contains(&Hex(order.id)) && !expired(order, at.time());
        let live_orders = read.iter().filter(|order| live(order)).cloned().collect();
        let due = waiting.into_iter().find(|asked| asked.what.deadline <= at.time() && asked.orders <= readable);
        let collateral = due.map(|asked| asked.what).filter(|_| self.opened(new, at.time()) == 0);
        let new_orders = if collateral.is_some() { Vec::new() } else { new.to_vec() };
        Ok(Log { consumed, boundary, new_orders, live_orders, collateral, upkeep: None })
    }

    /// The operations that the table has not consumed: while a request waits for orders that nobody has read, those from
    /// before where it is cleared.
    fn unconsumed(&self, at: &ChainLog, orders: &[Submission], waiting: &[Asked]) -> Result<Vec<BoundaryEvent>, Error> {
        let boundary = at.boundary()?;
        let [consumed, taken] = [self.head.consumed, self.head.orders_taken]
            .map(|count| usize::try_from(count).map_err(|_| Error::HeadBehind));
        let (consumed, taken) = (consumed?, taken?);
        let unread = |asked: &&Asked| {
            let range = orders.get(taken..asked.orders);
            range.is_some_and(|range| self.opened(range, at.time()) != 0)
        };
        let limit = waiting.iter().filter(unread).map(|asked| asked.operations).fold(boundary.len(), usize::min);
        boundary.get(consumed..limit.max(consumed)).map(<[_]>::to_vec).ok_or(Error::HeadBehind)
    }

    /// How many of these a round would open.
    fn opened(&self, orders: &[Submission], now: u64) -> usize {
        orders.iter().filter(|order| self.opens(order, now)).count()
    }

    fn opens(&self, submission: &Submission, now: u64) -> bool {
        intake::opens(&self.config, self.committee.master_public_key(), submission, now)
    }

    /// How many requests wait: what is submitted after one is read when it has ended.
    pub(crate) fn requests(&self, at: &ChainLog) -> usize {
        self.waiting(at).len()
    }

    /// Whether the round at a block settles none although one is due: it reads what came before the request.
    ///
    /// # Errors
    /// As [`Self::round_log`].
    pub(crate) fn reads_first(&self, at: &ChainLog) -> Result<bool, Error> {
        let due = self.waiting(at).iter().any(|asked| asked.what.deadline <= at.time());
        let log = self.round_log(at)?;
        Ok(due && log.collateral.is_none() && !log.new_orders.is_empty())
    }

    /// The requests that no round has closed and whose time is not over, by place. One that no plan would open waits for
    /// nothing, whatever its bytes are.
    fn waiting(&self, at: &ChainLog) -> Vec<Asked> {
        let asked: Vec<Asked> = asked(at, &self.head.closed_requests).collect();
        let waits = |asked: &&Asked| asked.closed.is_none() && self.opens(&asked.what.submission, at.time());
        asked.iter().filter(waits).map(|younger| self.cut(at, younger, &asked)).collect()
    }

    /// A request is cleared up to its own place, or up to that of an older one that may still wait when it is cleared:
    /// one that no round had closed by then, and whose label has not expired at this one's deadline.
    fn cut(&self, at: &ChainLog, younger: &Asked, asked: &[Asked]) -> Asked {
        let may_wait = |older: &&Asked| {
            let open = older.place < younger.place && older.closed.is_none_or(|closed| closed > younger.place);
            open && self.opens(&older.what.submission, younger.what.deadline)
        };
        let place = asked.iter().find(may_wait).map_or(younger.place, |older| older.place);
        let before = &at.events()[..place];
        let orders = before.iter().filter_map(standing_order).count();
        let operation = |event: &&Event| matches!(event, Event::Deposit { .. } | Event::Withdrawal { .. });
        Asked { orders, operations: before.iter().filter(operation).count(), ..younger.clone() }
    }

    /// The ciphertexts that a request names, in its order, found in the log and the current header.
    ///
    /// # Errors
    /// [`Error::NotInLog`] with the position.
    pub(crate) fn ciphertexts(
        &self,
        at: &ChainLog,
        header: Option<&Header>,
        digests: &[[u8; 32]],
    ) -> Result<Vec<Ciphertext>, Error> {
        let submissions = at.events().iter().filter_map(Event::submission);
        let logged = submissions.filter_map(|submission| Ciphertext::from_bytes(&submission.ciphertext).ok());
        let wrapped = header.map(|header| header.wrapped().clone());
        let known: HashMap<[u8; 32], Ciphertext> =
            logged.chain(wrapped).map(|ciphertext| (ciphertext.digest(), ciphertext)).collect();
        let find = |(index, digest)| known.get(digest).cloned().ok_or(Error::NotInLog { index });
        digests.iter().enumerate().map(find).collect()
    }
}

/// Every request of a log, by place.
fn asked<'a>(at: &'a ChainLog, closed: &'a [ClosedRequest]) -> impl Iterator<Item = Asked> + 'a {
    at.events().iter().enumerate().filter_map(|(place, event)| {
        let Event::Request { id, deadline, .. } = event else { return None };
        let what = CollateralRequest { deadline: *deadline, submission: event.submission()? };
        let closed = closed.iter().find(|closed| closed.id == *id);
        let closed = closed.map(|closed| usize::try_from(closed.log).unwrap_or(usize::MAX));
        Some(Asked { what, place, closed, orders: 0, operations: 0 })
    })
}

fn standing_order(event: &Event) -> Option<Submission> {
    if let Event::StandingOrder { .. } = event { event.submission() } else { None }
}

fn on_chain(event: &Event) -> Option<([u8; 32], OnChain)> {
    let submission = event.submission()?;
    let opens_at = if let Event::Request { deadline, .. } = event { *deadline } else { 0 };
    let hash = keccak256(&[&submission.ciphertext]);
    Some((submission.id, OnChain { who: submission.who, hash, opens_at }))
}

/// Whether the label's time is over; unreadable bytes are left to the round's plan.
fn expired(submission: &Submission, now: u64) -> bool {
    Ciphertext::from_bytes(&submission.ciphertext).is_ok_and(|ciphertext| ciphertext.label().expiry < now)
}
