//! What a turn begins with.

use std::{fs, io, path::Path};

use alloy::{eips::BlockId, primitives::B256, providers::Provider};
use ccc_chain::{
    ChainError,
    read::{self, BlockRef, Pool, RequestStatus},
    status,
    watch::{self, Watcher},
};

use super::{Clock, DriveError, Driver};
use crate::{
    approval::Approval,
    machine::{Facts, Fate},
    plan::Event,
    state::Moment,
};

/// How far the newest block's time may be from the clock's, in seconds.
const MOST_APART: u64 = 120;
/// The longest approval.
const MAX_APPROVAL: u64 = 4_096;
/// The most approvals that are looked at.
const MOST_APPROVALS: usize = 10_000;

impl Driver<'_> {
    /// Unix seconds.
    pub(super) async fn now(&self) -> Result<u64, DriveError> {
        let newest = self.means.chain.block(BlockId::latest()).await?;
        self.time(newest).await
    }

    /// By the clock that counts. A node that tells another time would lift pauses and caps with it, or show an old view.
    async fn time(&self, newest: BlockRef) -> Result<u64, DriveError> {
        let Clock::Own(clock) = self.means.clock else { return Ok(status::now(self.means.chain, newest).await?) };
        let now = clock();
        if now.abs_diff(newest.time) > MOST_APART {
            let expected = format!("within {MOST_APART} s of this machine's, {now}");
            return Err(DriveError::Lies { what: "the time", expected, found: newest.time.to_string() });
        }
        Ok(now)
    }

    pub(super) async fn facts(&mut self) -> Result<Facts, DriveError> {
        let chain = self.means.chain;
        let newest = chain.block(BlockId::latest()).await?;
        let mut facts = Facts {
            now: self.time(newest).await?,
            stopped: is_there(&self.means.kill_switch),
            approvals: self.approvals()?,
            ..Facts::default()
        };
        let Some(deep) = self.deep(&newest).await? else { return Ok(facts) };
        if deep.time > newest.time {
            let expected = format!("at most the newest's, {}", newest.time);
            return Err(DriveError::Lies { what: "the time of a final block", expected, found: deep.time.to_string() });
        }
        facts.final_time = deep.time;
        facts.latest = self.latest(&deep).await?;
        let from = self.means.signer.address();
        let provider = chain.provider();
        let count =
            async |at: BlockId| provider.get_transaction_count(from).block_id(at).await.map_err(ChainError::from);
        // what waits is known from the journal, and may wait for ever; before its first line it is somebody else's
        let begun = self.book.state().next_nonce(from).is_some();
        let newest = if begun { BlockId::latest() } else { BlockId::pending() };
        facts.nonces = (count(deep.id()).await?, count(newest).await?);
        self.fates(&deep, &mut facts).await?;
        self.ends(&deep, &mut facts).await?;
        Ok(facts)
    }

    /// Requests that ended. One is over with its time, also where nobody calls `expire`.
    async fn ends(&self, deep: &BlockRef, facts: &mut Facts) -> Result<(), DriveError> {
        let pool = Pool::new(self.means.chain, self.means.deployment.pool);
        for request in self.book.state().pending_requests() {
            let shown = pool.request(request, deep.id()).await?;
            let last = shown.deadline.saturating_add(self.means.deployment.times.fill_window);
            let success = match shown.status {
                RequestStatus::None => continue,
                RequestStatus::Pending if deep.time <= last => continue,
                RequestStatus::Filled => true,
                _ => false,
            };
            facts.ended.push((request, Moment { block: deep.number, time: deep.time }, success));
        }
        Ok(())
    }

    /// The newest block that is final and has the policy's depth; none on a chain that is too short.
    async fn deep(&self, newest: &BlockRef) -> Result<Option<BlockRef>, DriveError> {
        let Some(number) = newest.number.checked_sub(self.means.policy.depth) else { return Ok(None) };
        let last = match self.means.chain.finalised_block().await {
            Ok(last) => last,
            Err(ChainError::NoBlock { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if last.number <= number {
            return Ok(Some(last));
        }
        Ok(Some(self.means.chain.block(BlockId::number(number)).await?))
    }

    /// The newest report. Events alone move nothing: the contract must say the same at the deep block.
    async fn latest(&mut self, deep: &BlockRef) -> Result<Option<Event>, DriveError> {
        let mut found = self.newest_event(deep).await?;
        if found.is_none() && self.since > self.means.deployment.first_block {
            // what was read before is not there any more
            self.since = self.means.deployment.first_block;
            found = self.newest_event(deep).await?;
        }
        let shown = read::attestation(self.means.chain, self.means.deployment.attestation, deep.id()).await?;
        let lies = |what, expected: String, found: String| Err(DriveError::Lies { what, expected, found });
        let Some(event) = found else {
            return if shown.sequence == 0 {
                Ok(None)
            } else {
                lies("the last report", shown.sequence.to_string(), "0".into())
            };
        };
        if event.sequence != shown.sequence {
            return lies("the last report", shown.sequence.to_string(), event.sequence.to_string());
        }
        if event.envelope != shown.envelope_digest {
            return lies("the envelope", shown.envelope_digest.to_string(), event.envelope.to_string());
        }
        if event.about != shown.block {
            return lies("the block of the check", shown.block.to_string(), event.about.to_string());
        }
        if event.status != shown.verdict as u8 {
            return lies("the status", (shown.verdict as u8).to_string(), event.status.to_string());
        }
        self.since = event.block;
        Ok(Some(Event { about_time: shown.block_time, ..event }))
    }

    async fn newest_event(&self, deep: &BlockRef) -> Result<Option<Event>, DriveError> {
        let chain = self.means.chain;
        let mut watcher = Watcher::new(chain, self.means.deployment, self.since);
        let observed = watcher.poll_to(deep.number).await?;
        let reports = observed.into_iter().filter(|found| found.contract == self.means.deployment.attestation);
        let last = reports.filter_map(|found| match found.event {
            watch::Event::SolvencyReport { status, block: about, envelope_digest: envelope, sequence, .. } => {
                let (block, transaction, log_index) = (found.block, found.transaction, found.log_index);
                let block_hash = B256::ZERO;
                let about_time = 0; // the contract says it, the event does not
                Some(Event { sequence, block, block_hash, transaction, log_index, status, about, about_time, envelope })
            }
            _ => None,
        });
        let Some(event) = last.last() else { return Ok(None) };
        let block_hash = chain.block(BlockId::number(event.block)).await?.hash;
        Ok(Some(Event { block_hash, ..event }))
    }

    /// What became of the transactions of the last number.
    async fn fates(&self, deep: &BlockRef, facts: &mut Facts) -> Result<(), DriveError> {
        let state = self.book.state();
        let open = state.open().map(|sent| sent.intent.transaction);
        let unsettled: Vec<B256> = state.unsettled().map(|sent| sent.intent.transaction).collect();
        for transaction in unsettled {
            match self.fate(transaction, deep).await? {
                fate if Some(transaction) == open => facts.fate = fate,
                Fate::Mined { place, success, deep: true } => facts.late = Some((transaction, place, success)),
                _ => {}
            }
        }
        Ok(())
    }

    async fn fate(&self, transaction: B256, deep: &BlockRef) -> Result<Fate, DriveError> {
        let provider = self.means.chain.provider();
        if let Some(receipt) = provider.get_transaction_receipt(transaction).await.map_err(ChainError::from)? {
            let block = receipt.block_number.unwrap_or(u64::MAX);
            let time = self.means.chain.block(BlockId::number(block)).await?.time;
            let place = Moment { block, time };
            return Ok(Fate::Mined { place, success: receipt.status(), deep: block <= deep.number });
        }
        let known = provider.get_transaction_by_hash(transaction).await.map_err(ChainError::from)?;
        Ok(if known.is_some() { Fate::Pending } else { Fate::Unknown })
    }

    /// Every file of the folder that is an approval; the rest is passed over.
    fn approvals(&self) -> Result<Vec<Approval>, DriveError> {
        let Some(folder) = &self.means.approvals else { return Ok(Vec::new()) };
        let failed = |source| DriveError::Approvals { path: folder.clone(), source };
        let mut approvals = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)?.take(MOST_APPROVALS) {
            let entry = entry.map_err(failed)?;
            let small = entry.metadata().is_ok_and(|found| found.is_file() && found.len() <= MAX_APPROVAL);
            let text = if small { fs::read(entry.path()).unwrap_or_default() } else { Vec::new() };
            approvals.extend(serde_json::from_slice::<Approval>(&text));
        }
        Ok(approvals)
    }
}

/// Whether there is something, or nobody can tell: a switch that cannot be read counts as thrown.
#[must_use]
pub fn is_there(path: &Path) -> bool {
    !matches!(fs::symlink_metadata(path), Err(error) if error.kind() == io::ErrorKind::NotFound)
}
