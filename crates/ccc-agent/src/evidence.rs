//! What vouches for an event beside the node: the quorum's signed report, and the envelope that it names.
//!
//! Both lie in a folder under any name, beside whatever else is there. They are recognised by what they are: the envelope by
//! the digest that the event shows, the report by its signatures. A node that invents an event has neither.

use std::{
    fs,
    path::{Path, PathBuf},
};

use alloy::primitives::B256;
use ccc_chain::Deployment;
use ccc_core::report::{QuorumError, SignedReport, Solvency, Statement};
use ccc_enclave::agent::{ENVELOPE_LEN, Notice, envelope_digest};
use ccc_node::agent::{Agent, AgentRefusal};

use crate::plan::Event;

/// The longest report that is read.
const MAX_REPORT: u64 = 1 << 16;
/// The most files that are looked at.
const MOST_FILES: usize = 65_536;

/// Why an event is not acted on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// The folder cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The folder or the file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Too many files to look through.
    #[error("{}: more than {most} files", path.display())]
    Many {
        /// The folder.
        path: PathBuf,
        /// The bound.
        most: usize,
    },
    /// No file is the envelope that the event names.
    #[error("no file of the folder is the envelope {digest} of event {sequence}")]
    NoEnvelope {
        /// The event.
        sequence: u64,
        /// The envelope's digest.
        digest: B256,
    },
    /// No signed report names that envelope under this sequence.
    #[error("no file of the folder is a signed report of event {sequence}")]
    NoReport {
        /// The event.
        sequence: u64,
    },
    /// A report of this event without its quorum.
    #[error("the report of event {sequence}: {reason}")]
    Quorum {
        /// The event.
        sequence: u64,
        /// Why.
        reason: QuorumError,
    },
    /// The event says something else than what the quorum signed.
    #[error("event {sequence} says {what} {found}, the quorum signed {expected}")]
    Differs {
        /// The event.
        sequence: u64,
        /// What.
        what: &'static str,
        /// The report's.
        expected: String,
        /// The event's.
        found: String,
    },
    /// The envelope does not open or does not belong.
    #[error(transparent)]
    Envelope(#[from] AgentRefusal),
}

/// Where evidence lies, and what opens it.
pub struct Evidence {
    folder: PathBuf,
    agent: Agent,
    deployment: Deployment,
}

impl Evidence {
    /// Evidence of a deployment's events in a folder.
    #[must_use]
    pub const fn new(folder: PathBuf, agent: Agent, deployment: Deployment) -> Self {
        Self { folder, agent, deployment }
    }

    /// The agent that opens envelopes and writes orders.
    #[must_use]
    pub const fn agent(&self) -> &Agent {
        &self.agent
    }

    /// Opens the envelope of an event that the quorum vouches for.
    ///
    /// # Errors
    /// [`EvidenceError`].
    pub fn notice(&self, event: &Event, now: u64) -> Result<Notice, EvidenceError> {
        let found = self.look(event)?;
        let solvency = self.vouched(event, found.reports)?;
        let (sequence, digest) = (event.sequence, event.envelope);
        let envelope = found.envelope.ok_or(EvidenceError::NoEnvelope { sequence, digest })?;
        let place = (self.deployment.chain_id, &self.deployment.attestation.0.0);
        Ok(self.agent.read_at(place, &envelope, (solvency.envelope_digest, solvency.verdict), now)?)
    }

    /// Whether the quorum vouches for an event that needs no envelope opened.
    ///
    /// # Errors
    /// [`EvidenceError`].
    pub fn vouch(&self, event: &Event) -> Result<(), EvidenceError> {
        let found = self.look(event)?;
        self.vouched(event, found.reports).map(|_| ())
    }

    fn look(&self, event: &Event) -> Result<Found, EvidenceError> {
        let failed = |source| EvidenceError::Read { path: self.folder.clone(), source };
        let mut found = Found::default();
        for (count, entry) in fs::read_dir(&self.folder).map_err(failed)?.enumerate() {
            if count >= MOST_FILES {
                return Err(EvidenceError::Many { path: self.folder.clone(), most: MOST_FILES });
            }
            let entry = entry.map_err(failed)?;
            // a link or a pipe that somebody put there is not followed and not waited for
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_file() && metadata.len() <= MAX_REPORT {
                found.take(&entry.path(), event);
            }
        }
        Ok(found)
    }

    /// What the quorum signed under this sequence. Any good report will do, whatever lies beside it.
    fn vouched(&self, event: &Event, reports: Vec<SignedReport>) -> Result<Solvency, EvidenceError> {
        let sequence = event.sequence;
        let mut refused = EvidenceError::NoReport { sequence };
        for signed in reports {
            match signed.verify(&self.deployment.signer_set(), &self.deployment.forwarder.0.0) {
                Ok(()) => return self.solvency(event, &signed),
                Err(reason) => refused = EvidenceError::Quorum { sequence, reason },
            }
        }
        Err(refused)
    }

    fn solvency(&self, event: &Event, signed: &SignedReport) -> Result<Solvency, EvidenceError> {
        let payload = signed.report().payload();
        let sequence = event.sequence;
        let differs =
            |what, expected: String, found: String| EvidenceError::Differs { sequence, what, expected, found };
        let Statement::Solvency(solvency) = payload.statement else {
            return Err(EvidenceError::NoReport { sequence });
        };
        let place = (payload.binding.chain, payload.binding.receiver);
        let expected = (self.deployment.chain_id, self.deployment.attestation.0.0);
        if place != expected {
            let name = |(chain, contract): (u64, [u8; 20])| format!("chain {chain}, {}", hex::encode(contract));
            return Err(differs("the place", name(place), name(expected)));
        }
        let status = solvency.verdict as u8;
        if status != event.status {
            return Err(differs("the status", status.to_string(), event.status.to_string()));
        }
        if solvency.block != event.about {
            return Err(differs("the block of the check", solvency.block.to_string(), event.about.to_string()));
        }
        if solvency.block_time != event.about_time {
            let (expected, found) = (solvency.block_time.to_string(), event.about_time.to_string());
            return Err(differs("the time of the check", expected, found));
        }
        Ok(solvency)
    }
}

/// What a folder has of an event.
#[derive(Default)]
struct Found {
    envelope: Option<Vec<u8>>,
    reports: Vec<SignedReport>,
}

impl Found {
    fn take(&mut self, path: &Path, event: &Event) {
        let Ok(bytes) = fs::read(path) else { return };
        if bytes.len() == ENVELOPE_LEN && envelope_digest(&bytes) == event.envelope.0 {
            self.envelope = Some(bytes);
            return;
        }
        let Ok(signed) = SignedReport::from_bytes(&bytes) else { return };
        let payload = signed.report().payload();
        let names =
            matches!(payload.statement, Statement::Solvency(found) if found.envelope_digest == event.envelope.0);
        if names && payload.binding.sequence == event.sequence {
            self.reports.push(signed);
        }
    }
}
