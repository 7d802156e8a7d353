//! What a signer does in its turn: a round, then a check of the reserve, each asked for, judged, signed by a quorum and
//! delivered.

use super::{
    agreement::{NoAgreement, agree},
    schedule::Schedule,
    signer::{Signed, Signer, SigningError},
};
use crate::{
    application::Door,
    attested::{AttestedError, Beside, Check, Made, RESERVE, ROUND, SIGN, judged, read_verdict},
    client::{CallError, Connection},
    enclave::Neighbour,
    identity::Identity,
};
use alloy::eips::BlockId;
use ccc_chain::{
    ChainError, Wallet,
    read::{BlockRef, Pool},
    submitter::{self, Policy, Submission, SystemClock},
};
use ccc_core::report::{Kind, QuorumError, Signature65, SignedReport};
use ccc_enclave::result::AttestedResult;
use ccc_node::reading::ReadError;
use futures::{StreamExt, future::join_all, stream::FuturesUnordered};
use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::{sleep, timeout};

/// How long an enclave may take.
const FOR_ENCLAVES: Duration = Duration::from_secs(60);
/// How long another signer may take.
const FOR_SIGNERS: Duration = Duration::from_secs(15);

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

/// Why a peer gave nothing.
#[derive(Debug, thiserror::Error)]
enum PeerError {
    #[error("{0}")]
    Call(#[from] CallError),
    #[error("{0}")]
    Body(#[from] AttestedError),
    #[error("no answer within {0:?}")]
    Late(Duration),
    #[error("it does not sign: {0}")]
    Refused(String),
    #[error("its signature is not that of another signer of the set")]
    Signature,
}

/// What the chain has of the last turns: the table's version and the sequence of the last check.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark(u64, u64);

pub(super) struct Turns {
    pub(super) signer: Arc<Signer>,
    pub(super) identity: Identity,
    pub(super) enclaves: Vec<Neighbour>,
    pub(super) others: Vec<Neighbour>,
    pub(super) wallet: Wallet,
    pub(super) agree: usize,
    pub(super) schedule: Schedule,
}

impl Turns {
    /// Turn after turn, until it is dropped.
    pub(super) async fn run(&self) {
        loop {
            let turn = self.schedule.next(now());
            sleep(turn.begins.saturating_sub(now())).await;
            let before = self.mark().await;
            sleep(turn.acts.saturating_sub(now())).await;
            match (before, self.mark().await) {
                (Ok(before), Ok(after)) if after.0 > before.0 && after.1 > before.1 => {}
                (_, Ok(_)) => self.act().await,
                (_, Err(error)) => tracing::warn!(target: "ccc_server::workflow", "no turn: {error}"),
            }
        }
    }

    /// A round and a check; that one fails does not keep back the other.
    async fn act(&self) {
        if let Err(error) = self.round().await {
            tracing::warn!(target: "ccc_server::workflow", "no round: {error}");
        }
        if let Err(error) = self.check().await {
            tracing::warn!(target: "ccc_server::workflow", "no reserve check: {error}");
        }
    }

    async fn mark(&self) -> Result<Mark, TurnError> {
        let latest = self.signer.chain.block(BlockId::latest()).await?;
        let version = Pool::new(&self.signer.chain, self.signer.deployment.pool).table_version(latest.id()).await?;
        Ok(Mark(version, self.signer.place().last_sequence(Kind::Solvency, &latest).await?))
    }

    /// One enclave after the other is asked, until this signer signs what one of them made.
    async fn round(&self) -> Result<(), TurnError> {
        let block = self.signer.chain.finalised_block().await?;
        let mut last = "none is configured".to_owned();
        for enclave in &self.enclaves {
            let made = self.made(enclave, ROUND, block.hash.0.to_vec()).await;
            let delivered = match &made {
                Ok(made) => self.deliver(&made.result, &made.beside).await.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            match (delivered, made) {
                (Ok(()), Ok(made)) => return self.pay(&made).await,
                (Err(error), _) => last = format!("{}: {error}", enclave.name),
                (Ok(()), Err(_)) => {}
            }
        }
        Err(TurnError::NoRound { last })
    }

    /// The payouts of a round that is on the chain now.
    async fn pay(&self, made: &Made) -> Result<(), TurnError> {
        for payout in &made.payouts {
            self.deliver(payout, &made.beside).await?;
        }
        Ok(())
    }

    /// Every enclave is asked at once, for the same check at the same block.
    async fn check(&self) -> Result<(), TurnError> {
        let block: BlockRef = self.signer.chain.finalised_block().await?;
        let sequence = self.signer.place().last_sequence(Kind::Solvency, &block).await?.saturating_add(1);
        let check = Check { block: block.hash.0, sequence }.to_bytes();
        let asked = self.enclaves.iter().map(|enclave| self.made(enclave, RESERVE, check.clone()));
        let mut results = Vec::new();
        for (enclave, made) in self.enclaves.iter().zip(join_all(asked).await) {
            let name = enclave.name.clone();
            match made {
                Ok(made) => results.push((name, made)),
                Err(error) => tracing::warn!(target: "ccc_server::workflow", enclave = name, "no result: {error}"),
            }
        }
        let agreed = agree(self.agree, results)?;
        for enclave in &agreed.odd {
            tracing::error!(target: "ccc_server::workflow", enclave, "it says something else than the others");
        }
        self.deliver(&agreed.made.result, &agreed.made.beside).await
    }

    async fn made(&self, enclave: &Neighbour, door: Door, body: Vec<u8>) -> Result<Made, PeerError> {
        Ok(Made::from_bytes(&self.call(enclave, door, body, FOR_ENCLAVES).await?)?)
    }

    async fn call(
        &self,
        peer: &Neighbour,
        door: Door,
        body: Vec<u8>,
        patience: Duration,
    ) -> Result<Vec<u8>, PeerError> {
        let called = async {
            let connection = Connection::open(&self.identity, peer.address, peer.key).await?;
            connection.call(door.path, door.asks, body).await
        };
        Ok(timeout(patience, called).await.map_err(|_| PeerError::Late(patience))??)
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
        read_verdict(&self.call(other, SIGN, body, FOR_SIGNERS).await?)?.map_err(PeerError::Refused)
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
