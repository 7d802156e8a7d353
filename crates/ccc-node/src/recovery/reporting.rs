//! From an attested result to an accepted report: every signer reads the chain for itself.

use super::{
    RecoveryError,
    world::{Signer, World},
};
use crate::{timeline::Timeline, workflow_node::Shown};
use ccc_chain::submit::{self, Delivery};
use ccc_core::report::{Payload, Report, ReportContext, Signature65, SignedReport};
use ccc_enclave::result::AttestedResult;

/// Seconds for which a report can be delivered.
pub(super) const REPORT_LIFETIME: u64 = 900;

impl World {
    /// Lets the signers check and sign a result, and delivers the report.
    pub(super) async fn report(
        &mut self,
        result: &AttestedResult,
        shown: Shown<'_>,
        name: &str,
        timeline: &mut Timeline<'_>,
    ) -> Result<Delivery, RecoveryError> {
        let signed = self.sign(result, shown, timeline).await?;
        self.keep(format!("{name}.report"), signed.to_bytes()?);
        self.keep(format!("{name}.evidence"), result.evidence.clone());
        let forwarder = self.deployment.forwarder;
        Ok(timeline.chain(submit::deliver(&self.chain, &self.operator, forwarder, &signed)).await?)
    }

    /// Asks one signer after the other until there is a quorum. A signer that refuses or cannot read the chain is
    /// passed over; its reason is given when too few are left.
    pub(super) async fn sign(
        &mut self,
        result: &AttestedResult,
        shown: Shown<'_>,
        timeline: &mut Timeline<'_>,
    ) -> Result<SignedReport, RecoveryError> {
        let payload = Payload::from_bytes(&result.payload).map_err(ccc_core::report::QuorumError::from)?;
        let context = self.deployment.context(payload.binding.sequence);
        let set = self.deployment.signer_set();
        let mut signed = Vec::new();
        let mut refusal = None;
        let mut signers = std::mem::take(&mut self.signers);
        for Signer { node, log } in &mut signers {
            if signed.len() == set.quorum() {
                break;
            }
            let (place, former) = (self.place(), self.former.as_deref());
            let view = timeline.chain(place.signer_view(log, &payload, result, former)).await;
            let made = view
                .map_err(RecoveryError::from)
                .and_then(|view| Ok(node.sign(result, shown, &view, self.deployment.origin(), &context)?));
            match made {
                Ok(made) => signed.push((made, context)),
                Err(error) => refusal = Some(error),
            }
        }
        self.signers = signers;
        self.assembled(signed, refusal)
    }

    /// The report that a quorum signed; where too few did, the last reason against it.
    pub(super) fn assembled(
        &self,
        signed: Vec<((Report, Signature65), ReportContext)>,
        refusal: Option<RecoveryError>,
    ) -> Result<SignedReport, RecoveryError> {
        let set = self.deployment.signer_set();
        let signatures: Vec<Signature65> =
            signed.iter().take(set.quorum()).map(|((_, signature), _)| *signature).collect();
        match (signed.into_iter().next(), refusal) {
            (Some(((report, _), context)), _) if signatures.len() == set.quorum() => {
                Ok(SignedReport::assemble(report, context, &signatures, &set, &self.deployment.forwarder.0.0)?)
            }
            (_, Some(refusal)) => Err(refusal),
            (_, None) => Err(RecoveryError::Range { what: "the number of signers" }),
        }
    }
}
