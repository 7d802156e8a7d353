//! Evidence: two reports with valid quorums that contradict each other, and whose keys signed both.
//!
//! Nothing of it needs a chain. What it says of who signed both: see [`Conflict`].

use std::collections::BTreeSet;

use alloy::primitives::{Address, B256};
use ccc_core::report::{Binding, Kind, Payload, QuorumError, SignedReport, Statement};

use crate::Deployment;

/// What both reports speak about, and say different things of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The same sequence of a kind.
    Sequence(u64),
    /// The same version of the table.
    Version(u64),
    /// The end of the same request.
    Request(B256),
    /// The payout of the same withdrawal.
    Withdrawal(B256),
    /// The reserve's status at the same block, with different verdicts. The attestation contract takes both, if their
    /// sequences allow it.
    Block(u64),
}

impl Claim {
    /// What kind of claim, and about what: equal for equal claims alone.
    #[must_use]
    pub fn parts(&self) -> (u8, B256) {
        let number = |number: u64| B256::from(alloy::primitives::U256::from(number));
        match self {
            Self::Sequence(sequence) => (0, number(*sequence)),
            Self::Version(version) => (1, number(*version)),
            Self::Request(id) => (2, *id),
            Self::Withdrawal(id) => (3, *id),
            Self::Block(block) => (4, number(*block)),
        }
    }
}

/// What a payload claims, and a word for what it says of each. Two payloads of one kind, receiver and epoch contradict each
/// other where their words of one claim differ. What says more than the sequence comes first.
#[must_use]
pub fn claims(payload: &Payload) -> Vec<(Claim, B256)> {
    let whole = said(payload.statement);
    let mut claims = match payload.statement {
        Statement::Round(round) => {
            let request = (round.request_id != [0; 32]).then(|| Claim::Request(round.request_id.into()));
            [Claim::Version(round.version)].into_iter().chain(request).map(|claim| (claim, whole)).collect()
        }
        Statement::Payout(payout) => vec![(Claim::Withdrawal(payout.withdrawal_id.into()), whole)],
        Statement::Solvency(solvency) => {
            vec![(Claim::Block(solvency.block), B256::with_last_byte(solvency.verdict as u8))]
        }
        Statement::Enclave(_) => Vec::new(),
    };
    claims.push((Claim::Sequence(payload.binding.sequence), whole));
    claims
}

/// A word for all that a statement says. Each enclave seals an envelope of its own, with fresh randomness: another digest is no
/// other answer, and is left out.
fn said(mut statement: Statement) -> B256 {
    if let Statement::Solvency(solvency) = &mut statement {
        solvency.envelope_digest = [0; 32];
    }
    let binding = Binding { chain: 0, receiver: [0; 20], epoch: 0, sequence: 0, valid_until: 0, attestation: [0; 32] };
    Payload { binding, statement }.execution_id().into()
}

/// Two reports that contradict each other, and who signed them.
///
/// *Security*: what is proved is that these keys signed these two payloads. A signer that keeps a record of what it signed, as
/// every workflow node does, signs no two of these: its key is used elsewhere, its record is gone, or it lies. No record is
/// kept of reports about enclaves ([`Kind::Enclave`]), since a revocation must not wait for an admission that failed; nor by
/// the signers of a pool directory. Two quorums of f + 1 out of 3f + 1 need not share a signer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The kind of both.
    pub kind: Kind,
    /// What both claim.
    pub claim: Claim,
    /// Who signed both.
    pub both: Vec<Address>,
    /// Who signed the first alone.
    pub first: Vec<Address>,
    /// Who signed the second alone.
    pub second: Vec<Address>,
}

/// Why two reports are no evidence.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoConflict {
    /// One of them has no quorum of this deployment's signers: nothing binds them.
    #[error("the {which} report: {source}")]
    Quorum {
        /// Which of the two.
        which: &'static str,
        /// What is wrong.
        source: QuorumError,
    },
    /// One of them is for another chain.
    #[error("the {which} report is for chain {found}, expected {expected}")]
    Chain {
        /// Which of the two.
        which: &'static str,
        /// The deployment's.
        expected: u64,
        /// The report's.
        found: u64,
    },
    /// They say the same.
    #[error("both reports say the same")]
    Same,
    /// They are about different things.
    #[error("the reports are about different things, or of different epochs: both can be true")]
    Apart,
    /// One was over before the other was made.
    #[error("one report was valid until {until}, the other was made at {made}: the second may stand in for the first")]
    After {
        /// The last second of the earlier one, Unix time.
        until: u64,
        /// The time of the block that the later one was made at, Unix time.
        made: u64,
    },
}

/// Whether two reports contradict each other under the deployment's signer set, and whose keys signed both.
///
/// # Errors
/// [`NoConflict`].
pub fn between(deployment: &Deployment, first: &SignedReport, second: &SignedReport) -> Result<Conflict, NoConflict> {
    let (ones, others) = (signers(deployment, "first", first)?, signers(deployment, "second", second)?);
    let claim = claimed(first, second)?;
    check_times(first, second)?;
    Ok(Conflict {
        kind: first.report().payload().statement.kind(),
        claim,
        both: ones.intersection(&others).copied().collect(),
        first: ones.difference(&others).copied().collect(),
        second: others.difference(&ones).copied().collect(),
    })
}

/// Who signed a report that stands.
fn signers(
    deployment: &Deployment,
    which: &'static str,
    signed: &SignedReport,
) -> Result<BTreeSet<Address>, NoConflict> {
    let (expected, found) = (deployment.chain_id, signed.report().payload().binding.chain);
    if expected != found {
        return Err(NoConflict::Chain { which, expected, found });
    }
    let refused = |source| NoConflict::Quorum { which, source };
    signed.verify(&deployment.signer_set(), &deployment.forwarder.0.0).map_err(refused)?;
    let digest = signed.report().signing_digest(signed.context());
    let recovered = signed.signatures().iter().filter_map(|signature| signature.recover(&digest).ok());
    Ok(recovered.map(Address::from).collect())
}

fn claimed(first: &SignedReport, second: &SignedReport) -> Result<Claim, NoConflict> {
    let (one, other) = (first.report().payload(), second.report().payload());
    if one.statement == other.statement && one.binding.receiver == other.binding.receiver {
        return Err(NoConflict::Same);
    }
    // a report whose epoch passed is dead, and its successor says the same thing anew
    let bound = |payload: &Payload| (payload.statement.kind(), payload.binding.receiver, payload.binding.epoch);
    if bound(one) != bound(other) {
        return Err(NoConflict::Apart);
    }
    let others = claims(other);
    let contradicted = |(claim, word): &(Claim, B256)| others.iter().any(|(also, says)| also == claim && says != word);
    claims(one).into_iter().find(contradicted).map(|(claim, _)| claim).ok_or(NoConflict::Apart)
}

/// A report that nobody delivered in time may have another one in its place.
fn check_times(first: &SignedReport, second: &SignedReport) -> Result<(), NoConflict> {
    let life = |signed: &SignedReport| {
        let report = signed.report();
        (u64::from(report.header().timestamp), report.payload().binding.valid_until)
    };
    let (one, other) = (life(first), life(second));
    for ((_, until), (made, _)) in [(one, other), (other, one)] {
        if made > until {
            return Err(NoConflict::After { until, made });
        }
    }
    Ok(())
}
