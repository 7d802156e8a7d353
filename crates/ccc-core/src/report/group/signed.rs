//! A report with the signature of its group.

use super::{GroupCommittee, GroupError, GroupSet, GroupSignature, PartialSignature};
use crate::report::error::{require_bytes, require_number};
use crate::report::{Address, Report, ReportContext};

/// A report, its context and one signature of the group: for the forwarder what a
/// [`SignedReport`](crate::report::SignedReport) is with f+1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupReport {
    report: Report,
    context: ReportContext,
    signature: GroupSignature,
}

impl GroupReport {
    /// Combines partial signatures over a report that this set may sign.
    ///
    /// # Errors
    /// A report or context of another set, chain or forwarder, a set that is not this committee's, and
    /// [`GroupError::BelowThreshold`] with whose are wrong.
    pub fn assemble(
        report: Report,
        context: ReportContext,
        partials: &[PartialSignature],
        committee: &GroupCommittee,
        set: &GroupSet,
        forwarder: &Address,
    ) -> Result<Self, GroupError> {
        check_set(&report, &context, set, forwarder)?;
        check_committee(set, committee)?;
        let signature = committee.combine(&report.signing_digest(&context), partials)?;
        Ok(Self { report, context, signature })
    }

    /// Checks report, context and signature as the forwarder does.
    ///
    /// # Errors
    /// [`GroupError`].
    pub fn verify(&self, set: &GroupSet, forwarder: &Address) -> Result<(), GroupError> {
        check_set(&self.report, &self.context, set, forwarder)?;
        set.key.verify(&self.report.signing_digest(&self.context), &self.signature)
    }

    /// The report.
    #[must_use]
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// The context.
    #[must_use]
    pub const fn context(&self) -> &ReportContext {
        &self.context
    }

    /// The signature: in its 256 bytes the one entry of the forwarder's `signatures`.
    #[must_use]
    pub const fn signature(&self) -> &GroupSignature {
        &self.signature
    }
}

/// Key, faults and participants of the set are the committee's.
fn check_committee(set: &GroupSet, committee: &GroupCommittee) -> Result<(), GroupError> {
    let of = GroupSet::of(committee, set.don_id, set.config_version)?;
    require_bytes("group key", &set.key.to_bytes(), &of.key.to_bytes())?;
    require_number("faults", set.f.into(), of.f.into())?;
    require_number("participants", set.participants.into(), of.participants.into())?;
    Ok(())
}

/// The report names the set, and the context names set, chain, forwarder and sequence.
fn check_set(report: &Report, context: &ReportContext, set: &GroupSet, forwarder: &Address) -> Result<(), GroupError> {
    set.check()?;
    let (origin, binding) = (&report.header().origin, &report.payload().binding);
    require_number("committee", set.don_id.into(), origin.don_id.into())?;
    require_number("config version", set.config_version.into(), origin.config_version.into())?;
    require_number("context sequence", binding.sequence, context.sequence)?;
    let digest = set.config_digest(binding.chain, forwarder);
    require_bytes("config digest", &digest, &context.config_digest)?;
    Ok(())
}
