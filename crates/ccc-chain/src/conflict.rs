//! Evidence: two reports with valid quorums that contradict each other, and whose keys signed both.
//!
//! Nothing of it needs a chain, and nothing of it is a fault: see [`Conflict`].

use std::collections::BTreeSet;

use alloy::primitives::{Address, B256};
use ccc_core::report::{Kind, Payload, QuorumError, SignedReport, Statement};

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

/// Two reports that contradict each other, and who signed them.
///
/// *Security*: what is proved is that these keys signed these two payloads, and no more. A signer keeps no record of what it
/// signed: it signs whatever its rules and its reading of the chain allow at that moment. So an honest one signs both after a
/// delivery that failed, after a reorganisation, of two enclaves, or for a host that asks twice; so does one that lies. Who is
/// at fault, the two reports alone do not say. Two quorums of f + 1 out of 3f + 1 need not share a signer.
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
    let same_sequence = one.binding.sequence == other.binding.sequence;
    let sequence = same_sequence.then_some(Claim::Sequence(one.binding.sequence));
    same_thing(&one.statement, &other.statement).or(sequence).ok_or(NoConflict::Apart)
}

/// What two statements of one kind are both about.
fn same_thing(one: &Statement, other: &Statement) -> Option<Claim> {
    match (one, other) {
        (Statement::Round(a), Statement::Round(b)) if a.version == b.version => Some(Claim::Version(a.version)),
        (Statement::Round(a), Statement::Round(b)) if a.request_id == b.request_id && a.request_id != [0; 32] => {
            Some(Claim::Request(a.request_id.into()))
        }
        (Statement::Payout(a), Statement::Payout(b)) if a.withdrawal_id == b.withdrawal_id => {
            Some(Claim::Withdrawal(a.withdrawal_id.into()))
        }
        // each answer has an envelope of its own, sealed with fresh randomness: another digest is no other answer
        (Statement::Solvency(a), Statement::Solvency(b)) if a.block == b.block && a.verdict != b.verdict => {
            Some(Claim::Block(a.block))
        }
        _ => None,
    }
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
