//! From an attested result to a signed report: f+1 signers, each reading the log for itself.

use super::{Pool, account, log::ChainLog};
use crate::{
    error::Error,
    files::{passphrase::Passphrases, sealed::Content, secret},
};
use ccc_core::report::{Payload, PriceObservation, ReportContext, ReportSigner, SignedReport, Statement};
use ccc_enclave::result::AttestedResult;
use ccc_node::workflow_node::{Shown, SignerView, WorkflowNode};
use std::path::PathBuf;

impl Pool {
    /// Lets f+1 signers check a result against what they read, and assembles their signatures.
    ///
    /// # Errors
    /// [`Error::Signer`] names the fact that differs; [`Error::Quorum`].
    pub(crate) fn sign(
        &self,
        result: &AttestedResult,
        shown: Shown<'_>,
        at: &ChainLog,
        observations: &[PriceObservation],
        now: u64,
        passphrases: &Passphrases,
    ) -> Result<SignedReport, Error> {
        let set = self.settings.signer_set();
        let forwarder = self.settings.signers.forwarder.0;
        let payload = Payload::from_bytes(&result.payload)?;
        let config_digest = set.config_digest(self.config.chain, &forwarder);
        let context = ReportContext { config_digest, sequence: payload.binding.sequence };
        let count = if let Statement::Round(round) = &payload.statement { round.count } else { self.head.consumed };
        let last_sequence = match &payload.statement {
            Statement::Solvency(_) => self.head.solvency_sequence,
            _ => self.head.round_sequence,
        };
        let mut signed = None;
        let mut signatures = Vec::new();
        for i in 1..=set.quorum() {
            let key = *self.committee.master_public_key();
            let policy = self.settings.policy();
            let node = WorkflowNode::new(self.signer(i, passphrases)?, policy, self.config.clone(), key);
            let view = SignerView { last_sequence, ..self.signer_view(at, count, observations, now)? };
            let (report, signature) = node.sign(result, shown, &view, self.settings.origin(), &context)?;
            signatures.push(signature);
            signed = Some(report);
        }
        let report = signed.ok_or(Error::NoSigners)?;
        Ok(SignedReport::assemble(report, context, &signatures, &set, &forwarder)?)
    }

    fn signer(&self, i: usize, passphrases: &Passphrases) -> Result<ReportSigner, Error> {
        open_signer(self.paths.signer(i), passphrases)
    }
}

fn open_signer(path: PathBuf, passphrases: &Passphrases) -> Result<ReportSigner, Error> {
    let secrets = secret::open(&path, Content::Signer, passphrases)?;
    let key = secrets.split::<1>().and_then(|[key]| account::key(key));
    let key = key.map_err(|source| Error::Sealed { path, source })?;
    Ok(ReportSigner::from_bytes(&key)?)
}
