//! What each party reads from the log for itself: the participants, the enclave's host, the report signers.

use super::{
    Pool,
    head::Head,
    hexed::Hex,
    log::{ChainLog, Event},
};
use crate::error::Error;
use ccc_core::{
    ciphertext::Ciphertext,
    keys::MasterPublicKey,
    report::{Accumulator, PriceObservation, Statement, keccak256},
    table::Header,
};
use ccc_enclave::{
    intake::{CollateralRequest, Log, Submission},
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

    /// What a round at this block settles. It reads submissions up to the oldest request that waits, and settles no
    /// request before it has nothing new to read: what a request is cleared against is decided when it is made.
    ///
    /// # Errors
    /// [`Error::PoolLog`], [`Error::HeadBehind`] when the log lost what the head has consumed.
    pub(crate) fn round_log(&self, at: &ChainLog) -> Result<Log, Error> {
        let known = self.accumulator(at, self.head.consumed)?;
        let consumed = known.filter(|known| known.value() == self.head.accumulator.0).ok_or(Error::HeadBehind)?;
        let taken = usize::try_from(self.head.consumed).map_err(|_| Error::HeadBehind)?;
        let boundary = at.boundary()?.split_off(taken);
        let orders: Vec<Submission> = at.events().iter().filter_map(standing_order).collect();
        let orders_taken = usize::try_from(self.head.orders_taken).map_err(|_| Error::HeadBehind)?;
        let readable = self.readable(at).map_or(orders.len(), |readable| readable.clamp(orders_taken, orders.len()));
        let new_orders = orders.get(orders_taken..readable).ok_or(Error::HeadBehind)?.to_vec();
        let live = |order: &Submission| self.head.live_orders.contains(&Hex(order.id)) && !expired(order, at.time());
        let live_orders = orders[..orders_taken].iter().filter(|order| live(order)).cloned().collect();
        let collateral = if new_orders.is_empty() { self.collateral(at) } else { None };
        Ok(Log { consumed, boundary, new_orders, live_orders, collateral, upkeep: None })
    }

    /// The oldest open request whose deadline has come.
    fn collateral(&self, at: &ChainLog) -> Option<CollateralRequest> {
        self.waiting(at).map(|(_, request)| request).find(|request| request.deadline <= at.time())
    }

    /// Whether a request waits: what is submitted after it is read when it has ended.
    pub(crate) fn has_request(&self, at: &ChainLog) -> bool {
        self.waiting(at).next().is_some()
    }

    /// Whether the round at a block settles none although one is due: it reads what came before the request.
    ///
    /// # Errors
    /// As [`Self::round_log`].
    pub(crate) fn reads_first(&self, at: &ChainLog) -> Result<bool, Error> {
        Ok(self.collateral(at).is_some() && self.round_log(at)?.collateral.is_none())
    }

    /// Standing orders before the oldest request that waits, if one does.
    fn readable(&self, at: &ChainLog) -> Option<usize> {
        let (oldest, _) = self.waiting(at).next()?;
        Some(at.events()[..oldest].iter().filter_map(standing_order).count())
    }

    /// The requests that no round has closed and whose time is not over, each with its place in the log.
    fn waiting<'a>(&'a self, at: &'a ChainLog) -> impl Iterator<Item = (usize, CollateralRequest)> + 'a {
        let open = |id: &Hex<32>| self.head.closed_requests.iter().all(|closed| closed.id != *id);
        at.events().iter().enumerate().filter_map(move |(place, event)| match event {
            Event::Request { id, deadline, .. } if open(id) => {
                let submission = event.submission()?;
                let waits = !expired(&submission, at.time());
                waits.then_some((place, CollateralRequest { deadline: *deadline, submission }))
            }
            _ => None,
        })
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

fn standing_order(event: &Event) -> Option<Submission> {
    if let Event::StandingOrder { .. } = event { event.submission() } else { None }
}

fn on_chain(event: &Event) -> Option<([u8; 32], OnChain)> {
    let submission = event.submission()?;
    let opens_at = if let Event::Request { deadline, .. } = event { *deadline } else { 0 };
    let hash = keccak256(&[&submission.ciphertext]);
    Some((submission.id, OnChain { who: submission.who, hash, opens_at }))
}

/// Whether it is a ciphertext to this key.
fn is_for(submission: &Submission, key: &MasterPublicKey) -> bool {
    Ciphertext::from_bytes(&submission.ciphertext).is_ok_and(|ciphertext| ciphertext.verify(key).is_ok())
}

/// Whether the label's time is over; unreadable bytes are left to the round's plan.
fn expired(submission: &Submission, now: u64) -> bool {
    Ciphertext::from_bytes(&submission.ciphertext).is_ok_and(|ciphertext| ciphertext.label().expiry < now)
}
