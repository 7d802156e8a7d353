//! What a signer does in its turn: a round, then a check of the reserve, each asked for, judged, signed by a quorum and
//! delivered.

use super::{
    agreement::NoAgreement,
    hosts::{PeerError, call},
    schedule::Schedule,
    signer::{Signed, Signer, SigningError},
};
use crate::{
    attested::{Beside, Check, Made, SIGN, judged, read_verdict},
    enclave::Neighbour,
    identity::Identity,
    server::stopped,
};
use alloy::{eips::BlockId, primitives::B256};
use ccc_chain::{
    ChainError, Wallet,
    read::{BlockRef, Pool},
    submitter::{self, Policy, Submission, SystemClock},
};
use ccc_core::report::{Kind, Payload, Payout, QuorumError, Signature65, SignedReport, Statement};
use ccc_enclave::result::AttestedResult;
use ccc_node::reading::ReadError;
use futures::{StreamExt, stream::FuturesUnordered};
use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{sync::watch, time::sleep};

/// How long another signer may take, which asks the enclaves itself.
const FOR_SIGNERS: Duration = Duration::from_secs(20);
/// How often a payout is tried in one turn, and how long is waited in between.
const TRIES: u32 = 3;
const AGAIN: Duration = Duration::from_secs(1);
/// For a turn that runs when the node is told to stop.
const LAST: Duration = Duration::from_secs(5);
/// Seconds after its block for which what a round owes keeps back the next round: one that cannot be paid must not stop
/// rounds for ever.
const PAYOUTS_FIRST: u64 = 600;

/// Why a turn brought nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum TurnError {
    /// No enclave gave a round that this signer signs.
    #[error("no enclave gave a round: {last}")]
    NoRound {
        /// What the last one said.
        last: String,
    },
    /// The newest version is not final yet, and a round reads at final blocks.
    #[error("version {version} is not final yet")]
    NotFinal {
        /// That version.
        version: u64,
    },
    /// What the newest version owes is not paid.
    #[error("a payout of version {version}: {last}")]
    Unpaid {
        /// That version.
        version: u64,
        /// Why not.
        last: String,
    },
    /// Results that agree, and none of them was delivered.
    #[error("reserve check: {last}")]
    NoCheck {
        /// What was said of the last one.
        last: String,
    },
    /// The enclaves do not agree.
    #[error("reserve check: {0}")]
    Disagree(#[from] NoAgreement),
    /// This signer does not sign.
    #[error("not signed here: {0}")]
    Signing(#[from] SigningError),
    /// Too few signed.
    #[error("{found} of {need} signatures; {}", .reasons.join("; "))]
    Signatures {
        /// The quorum.
        need: usize,
        /// Signatures.
        found: usize,
        /// What the others said.
        reasons: Vec<String>,
    },
    /// The signatures are no quorum.
    #[error("report: {0}")]
    Quorum(#[from] QuorumError),
    /// The chain, or its log.
    #[error("{0}")]
    Read(#[from] ReadError),
    /// The chain, or its refusal.
    #[error("chain: {0}")]
    Chain(#[from] ChainError),
}

/// What the chain has of the last turns: the table's version and the sequence of the last check.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark(u64, u64);

pub(super) struct Turns {
    pub(super) signer: Arc<Signer>,
    pub(super) identity: Identity,
    pub(super) others: Vec<Neighbour>,
    pub(super) wallet: Wallet,
    pub(super) schedule: Schedule,
}

impl Turns {
    /// Turn after turn, until it is told to stop.
    pub(super) async fn run(&self, mut stop: watch::Receiver<bool>) {
        loop {
            let due = tokio::select! {
                due = self.wait() => due,
                () = stopped(&mut stop) => return,
            };
            let cut = async {
                stopped(&mut stop).await;
                sleep(LAST).await;
            };
            tokio::select! {
                () = self.act(due) => {}
                () = cut => return tracing::warn!(target: "ccc_server::workflow", "a turn is cut off: the node stops"),
            }
        }
    }

    /// Until something of a turn is due here.
    async fn wait(&self) -> [bool; 2] {
        let turn = self.schedule.next(now());
        sleep(turn.begins.saturating_sub(now())).await;
        let before = self.mark().await;
        sleep(turn.acts.saturating_sub(now())).await;
        match (before, self.mark().await) {
            (Ok(before), Ok(after)) => due(before, after),
            (_, Ok(_)) => [true; 2],
            (_, Err(error)) => {
                tracing::warn!(target: "ccc_server::workflow", "no turn: {error}");
                [false; 2]
            }
        }
    }

    /// A round and a check; that one fails does not keep back the other.
    async fn act(&self, [round, check]: [bool; 2]) {
        if round && let Err(error) = self.round().await {
            tracing::warn!(target: "ccc_server::workflow", "no round: {error}");
        }
        if check && let Err(error) = self.check().await {
            tracing::warn!(target: "ccc_server::workflow", "no reserve check: {error}");
        }
    }

    fn pool(&self) -> Pool {
        Pool::new(&self.signer.chain, self.signer.deployment.pool)
    }

    async fn mark(&self) -> Result<Mark, TurnError> {
        let latest = self.signer.chain.block(BlockId::latest()).await?;
        let version = self.pool().table_version(latest.id()).await?;
        Ok(Mark(version, self.signer.place().last_sequence(Kind::Solvency, &latest).await?))
    }

    /// What the newest version owes, and then a round: one enclave after the other is asked, until this signer signs what one
    /// of them made.
    async fn round(&self) -> Result<(), TurnError> {
        self.pay_newest().await?;
        let (block, latest) = (self.signer.chain.finalised_block().await?, self.latest().await?);
        let version = self.pool().table_version(latest.id()).await?;
        if self.pool().table_version(block.id()).await? != version {
            return Err(TurnError::NotFinal { version });
        }
        let hosts = &self.signer.hosts;
        let mut last = "none is configured".to_owned();
        for host in &hosts.all {
            let made = hosts.round(host, block.hash.0).await;
            let delivered = match &made {
                Ok(made) => self.deliver(&made.result, &made.beside).await.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            match (delivered, made) {
                (Ok(()), Ok(made)) => return self.pay(&made).await,
                (Err(error), _) => last = format!("{}: {error}", host.name),
                (Ok(()), Err(_)) => {}
            }
        }
        Err(TurnError::NoRound { last })
    }

    async fn latest(&self) -> Result<BlockRef, TurnError> {
        Ok(self.signer.chain.block(BlockId::latest()).await?)
    }

    /// What a version owes is signed only as long as it is the newest: so it comes before the next one, whoever made it and
    /// whichever signer was to deliver it.
    async fn pay_newest(&self) -> Result<(), TurnError> {
        let latest = self.latest().await?;
        let header = self.pool().header_hash(latest.id()).await?.0;
        for (enclave, made) in self.signer.hosts.payouts(header).await {
            match self.signer.vouch(&made, latest.time) {
                Ok(()) if made.result.inputs.block_time.saturating_add(PAYOUTS_FIRST) < latest.time => {
                    tracing::error!(target: "ccc_server::workflow", enclave, "what is left to pay keeps back no round any more");
                }
                Ok(()) => self.pay(&made).await?,
                Err(reason) => tracing::error!(target: "ccc_server::workflow", enclave, "payouts: {reason}"),
            }
        }
        Ok(())
    }

    /// The payouts of a round that is on the chain now, each until it is paid.
    async fn pay(&self, made: &Made) -> Result<(), TurnError> {
        for result in &made.payouts {
            let mut tries = 0;
            while let Some(payout) = self.owed(result, &made.result.header).await? {
                tries += 1;
                match self.deliver(result, &made.beside).await {
                    Ok(()) => break,
                    Err(error) if tries == TRIES => {
                        return Err(TurnError::Unpaid { version: payout.version, last: error.to_string() });
                    }
                    Err(_) => sleep(AGAIN).await,
                }
            }
        }
        Ok(())
    }

    /// The payout of a result, if its version is the newest and it can still be made.
    async fn owed(&self, result: &AttestedResult, header: &[u8; 32]) -> Result<Option<Payout>, TurnError> {
        let Ok(Payload { binding, statement: Statement::Payout(payout) }) = Payload::from_bytes(&result.payload) else {
            return Ok(None);
        };
        let latest = self.latest().await?;
        let newest = self.pool().header_hash(latest.id()).await?.0 == *header && result.header == *header;
        let late = latest.time > binding.valid_until
            || binding.sequence <= self.signer.place().last_sequence(Kind::Payout, &latest).await?;
        let paid = self.pool().withdrawal(B256::from(payout.withdrawal_id), latest.id()).await?.paid;
        if !paid && (late || !newest) {
            let id = hex::encode(payout.withdrawal_id);
            tracing::error!(target: "ccc_server::workflow", id, "debited, and cannot be paid any more");
        }
        Ok((newest && !late && !paid).then_some(payout))
    }

    /// Every enclave is asked at once, for the same check at the same block. Of those that agree one after the other is tried.
    /// A check that was signed and not delivered is asked for again, which the hosts have kept: another one would not be signed.
    async fn check(&self) -> Result<(), TurnError> {
        let signer = &*self.signer;
        let latest = self.latest().await?;
        let sequence = signer.place().last_sequence(Kind::Solvency, &latest).await?.saturating_add(1);
        let block = signer.block_of_check(sequence, latest.time).await?;
        let check = Check { block: block.hash.0, sequence };
        let agreed = signer.hosts.agreed(check, |made| signer.vouch(made, latest.time), None).await?;
        for odd in &agreed.odd {
            tracing::error!(target: "ccc_server::workflow", "does not agree: {odd}");
        }
        let mut last = String::new();
        for (enclave, made) in &agreed.members {
            match self.deliver_check(enclave, made).await {
                Ok(()) => return Ok(()),
                Err(reason) => last = format!("{enclave}: {reason}"),
            }
            tracing::warn!(target: "ccc_server::workflow", "not delivered: {last}");
        }
        Err(TurnError::NoCheck { last })
    }

    async fn deliver_check(&self, enclave: &str, made: &Made) -> Result<(), String> {
        let payload = Payload::from_bytes(&made.result.payload).map_err(|error| error.to_string())?;
        let Statement::Solvency(solvency) = payload.statement else { return Err("no reserve check".to_owned()) };
        if !self.signer.hosts.has_envelope(enclave, solvency.envelope_digest).await {
            return Err("it does not give the agent's envelope".to_owned());
        }
        self.deliver(&made.result, &made.beside).await.map_err(|error| error.to_string())
    }

    /// Signs, has f others sign, and delivers. A report that is there already is as good.
    async fn deliver(&self, result: &AttestedResult, beside: &Beside) -> Result<(), TurnError> {
        let signed = self.signer.sign(result, beside).await?;
        let report = self.quorum(signed, judged(result, beside)).await?;
        let Signer { chain, deployment, .. } = &*self.signer;
        let policy = Policy::of(chain);
        let clock = SystemClock::start();
        let how = submitter::deliver(chain, &self.wallet, deployment.forwarder, &report, &policy, &clock).await?;
        let kind = report.report().payload().statement.kind();
        match how {
            Submission::Delivered(submitted) => {
                let (block, own) = (submitted.delivery.block, submitted.own);
                tracing::info!(target: "ccc_server::workflow", ?kind, block, own, "delivered");
            }
            Submission::Before { transmitter } => {
                tracing::info!(target: "ccc_server::workflow", ?kind, %transmitter, "it was there already");
            }
        }
        Ok(())
    }

    /// The report with the signatures of a quorum: this signer's, and those of the first others that sign.
    async fn quorum(&self, own: Signed, body: Vec<u8>) -> Result<SignedReport, TurnError> {
        let Signed { report, context, signature } = own;
        let (set, digest) = (self.signer.deployment.signer_set(), report.signing_digest(&context));
        let (mut signatures, mut reasons) = (vec![signature], Vec::new());
        let mut asked: FuturesUnordered<_> = self
            .others
            .iter()
            .map(|other| async { (other.name.as_str(), self.signature(other, body.clone()).await) })
            .collect();
        while signatures.len() < set.quorum() {
            let Some((name, signed)) = asked.next().await else { break };
            let counts = signed.and_then(|signature| {
                let with: Vec<Signature65> = signatures.iter().copied().chain([signature]).collect();
                let culprits = set.examine(&digest, &with).culprits;
                if culprits.is_empty() { Ok(signature) } else { Err(PeerError::Signature) }
            });
            match counts {
                Ok(signature) => signatures.push(signature),
                Err(error) => reasons.push(format!("{name}: {error}")),
            }
        }
        for reason in &reasons {
            tracing::warn!(target: "ccc_server::workflow", "no signature of {reason}");
        }
        let (need, found) = (set.quorum(), signatures.len());
        if found < need {
            return Err(TurnError::Signatures { need, found, reasons });
        }
        let forwarder = self.signer.deployment.forwarder.0.0;
        Ok(SignedReport::assemble(report, context, &signatures, &set, &forwarder)?)
    }

    async fn signature(&self, other: &Neighbour, body: Vec<u8>) -> Result<Signature65, PeerError> {
        read_verdict(&call(&self.identity, other, SIGN, body, FOR_SIGNERS).await?)?.map_err(PeerError::Refused)
    }
}

/// What is left to do in a turn: a round, unless the table has moved on, and a check, unless there is a newer one. One does
/// not stand for the other: who makes a round has still to pay for it while its check is missing.
fn due(before: Mark, after: Mark) -> [bool; 2] {
    [after.0 <= before.0, after.1 <= before.1]
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_that_is_taken_over_repeats_nothing_that_is_there() {
        assert_eq!(due(Mark(3, 5), Mark(3, 5)), [true, true]);
        assert_eq!(due(Mark(3, 5), Mark(4, 5)), [false, true], "the one that made the round pays for it");
        assert_eq!(due(Mark(3, 5), Mark(3, 6)), [true, false]);
        assert_eq!(due(Mark(3, 5), Mark(4, 6)), [false, false]);
    }
}
