//! `rounds/`: what each version of the table left in public, its signed report and its sealed receipts, under the hash of
//! its header. On a chain, the report is in the calldata of its delivery.

use super::{Pool, attempt::decode};
use crate::{
    error::Error,
    files::{self, Audience, Replace},
};
use ccc_core::{
    report::{Round, SignedReport, Statement},
    table::{Header, Receipts},
};
use std::path::Path;

const MAX_REPORT: u64 = 1 << 16;
const MAX_RECEIPTS: u64 = 1 << 25;

/// What the report of a version says.
pub(crate) struct Reported {
    /// Time of the block that the round read, in Unix seconds.
    pub(crate) time: u64,
    pub(crate) round: Round,
}

impl Pool {
    /// Keeps the report and the receipts of a version. Nothing reads them before the head, or a later one, names it.
    ///
    /// # Errors
    /// [`Error::Write`], [`Error::Quorum`].
    pub(crate) fn record(
        &self,
        header: &[u8; 32],
        report: &SignedReport,
        receipts: Option<&Receipts>,
    ) -> Result<(), Error> {
        files::directory(&self.paths.rounds())?;
        let path = self.paths.round_report(header);
        files::write(&path, &report.to_bytes()?, Audience::Everyone, Replace::Force)?;
        let Some(receipts) = receipts else { return Ok(()) };
        files::write(&self.paths.round_receipts(header), &receipts.to_bytes(), Audience::Everyone, Replace::Force)
    }

    /// What the report of a version says, if it was kept.
    ///
    /// # Errors
    /// [`Error::NotVerified`] for a file that a quorum has not signed for this version; the errors of reading.
    pub(crate) fn reported(&self, header: &Header) -> Result<Option<Reported>, Error> {
        let path = self.paths.round_report(&header.hash());
        if !path.exists() {
            return Ok(None);
        }
        let refused = |reason: String| Error::NotVerified { path: path.clone(), reason };
        let report = SignedReport::from_bytes(&files::read(&path, MAX_REPORT)?);
        let report = report.map_err(|error| refused(error.to_string()))?;
        let (set, forwarder) = (self.settings.signer_set(), self.settings.signers.forwarder.0);
        report.verify(&set, &forwarder).map_err(|error| refused(error.to_string()))?;
        let payload = report.report().payload();
        match &payload.statement {
            Statement::Round(round)
                if round.header_hash == header.hash() && payload.binding.chain == header.id().chain =>
            {
                Ok(Some(Reported { time: report.report().header().timestamp.into(), round: *round }))
            }
            _ => Err(refused("it does not report this version".into())),
        }
    }

    /// The receipts of a version, if it has any and they were kept.
    ///
    /// # Errors
    /// [`Error::Encoding`]; [`Error::NotVerified`] for those of another version.
    pub(crate) fn receipts(&self, header: &Header) -> Result<Option<Receipts>, Error> {
        let path = self.paths.round_receipts(&header.hash());
        if !path.exists() { Ok(None) } else { receipts_of(&path, header).map(Some) }
    }
}

fn receipts_of(path: &Path, header: &Header) -> Result<Receipts, Error> {
    let receipts = decode(path, MAX_RECEIPTS, Receipts::from_bytes)?;
    if receipts.header() == header.hash() {
        Ok(receipts)
    } else {
        Err(Error::NotVerified { path: path.into(), reason: "they are the receipts of another version".into() })
    }
}
