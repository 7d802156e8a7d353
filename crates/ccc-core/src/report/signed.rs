//! A report with its quorum, and the file that carries it.

use super::error::{require_bytes, require_number};
use super::{
    Address, CONTEXT_LEN, FORWARDER_HEADER_LEN, Kind, QuorumError, Report, ReportContext, ReportError, SIGNATURE_LEN,
    Signature65, SignerSet,
};
use crate::encoding::{self, EncodingError, Reader};
use crate::guard::{Guard, stands};
use alloc::vec::Vec;

/// The longest raw report of any kind.
const MAX_RAW: usize = FORWARDER_HEADER_LEN + Kind::Round.payload_length();

/// A report, its context and f+1 signatures of distinct signers of one set.
///
/// Whoever collected the signatures makes it; anybody may deliver it to the forwarder.
///
/// *Layout* of the file: header 8 ("CC", version u8 = 1, kind u8 = 16, suite u16, reserved u16 = 0)
/// ‖ length of the raw report u32 ‖ raw report ‖ context 96 ‖ number of signatures u8 ‖ 65 bytes
/// for each.
///
/// *Security*: [`SignedReport::from_bytes`] checks the form alone; [`SignedReport::verify`] checks
/// the quorum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedReport {
    report: Report,
    context: ReportContext,
    signatures: Vec<Signature65>,
}

impl SignedReport {
    /// Picks f+1 good signatures in the order of the signer set. Signatures that do not count are
    /// left out; [`SignerSet::examine`] names them even when a quorum stands.
    ///
    /// # Errors
    /// An unusable set, a report or context of another set, chain or forwarder, and
    /// [`QuorumError::BelowThreshold`] with the culprits.
    pub fn assemble(
        report: Report,
        context: ReportContext,
        signatures: &[Signature65],
        set: &SignerSet,
        forwarder: &Address,
    ) -> Result<Self, QuorumError> {
        check_set(&report, &context, set, forwarder)?;
        let examination = set.examine(&report.signing_digest(&context), signatures);
        let (needed, found) = (set.quorum(), examination.good.len());
        if found < needed && stands(Guard::Quorum) {
            let culprits = examination.culprits;
            return Err(QuorumError::BelowThreshold { needed, found, culprits });
        }
        let good = examination.good.into_iter().take(needed);
        let signatures = good.map(|(_, signature)| signature).collect();
        Ok(Self { report, context, signatures })
    }

    /// Checks the quorum as the forwarder does: exactly f+1 signatures, each of a distinct signer.
    ///
    /// # Errors
    /// The first rule that does not hold, with the position of the signature.
    pub fn verify(&self, set: &SignerSet, forwarder: &Address) -> Result<(), QuorumError> {
        check_set(&self.report, &self.context, set, forwarder)?;
        let (expected, found) = (set.quorum(), self.signatures.len());
        if expected != found {
            return Err(QuorumError::SignatureCount { expected, found });
        }
        let digest = self.report.signing_digest(&self.context);
        match set.examine(&digest, &self.signatures).culprits.first() {
            Some(culprit) => Err(QuorumError::Signature(*culprit)),
            None => Ok(()),
        }
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

    /// The signatures.
    #[must_use]
    pub fn signatures(&self) -> &[Signature65] {
        &self.signatures
    }

    /// The file.
    ///
    /// # Errors
    /// [`QuorumError::TooManySignatures`] above 255, which no forwarder accepts.
    pub fn to_bytes(&self) -> Result<Vec<u8>, QuorumError> {
        let found = self.signatures.len();
        let count = u8::try_from(found).map_err(|_| QuorumError::TooManySignatures { found })?;
        let raw = self.report.raw();
        let length = u32::try_from(raw.len()).expect("a raw report has at most MAX_RAW bytes");
        let mut out = encoding::header(encoding::Kind::SignedReport).to_vec();
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&raw);
        out.extend_from_slice(&self.context.to_bytes());
        out.push(count);
        self.signatures.iter().for_each(|signature| out.extend_from_slice(&signature.to_bytes()));
        Ok(out)
    }

    /// Reads the file strictly.
    ///
    /// # Errors
    /// Malformed bytes; see [`ReportError`] and [`SignatureFault`](super::SignatureFault).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, QuorumError> {
        let mut reader = Reader::new(bytes);
        let (raw, context, signatures) = split(&mut reader).map_err(ReportError::from)?;
        reader.finish().map_err(ReportError::from)?;
        let signatures = signatures.iter().map(Signature65::from_bytes).collect::<Result<_, _>>()?;
        Ok(Self { report: Report::from_raw(raw)?, context: ReportContext::from_bytes(&context)?, signatures })
    }
}

type Parts<'a> = (&'a [u8], [u8; CONTEXT_LEN], Vec<[u8; SIGNATURE_LEN]>);

/// Raw report, context and signatures of a file.
fn split<'a>(reader: &mut Reader<'a>) -> Result<Parts<'a>, EncodingError> {
    reader.header(encoding::Kind::SignedReport)?;
    let raw = reader.length_prefixed("raw report", MAX_RAW)?;
    let context = reader.array("context")?;
    let count = reader.u8("number of signatures")?;
    let signatures = (0..count).map(|_| reader.array("signature")).collect::<Result<_, _>>()?;
    Ok((raw, context, signatures))
}

/// The report names the set, and the context names set, chain, forwarder and sequence.
fn check_set(
    report: &Report,
    context: &ReportContext,
    set: &SignerSet,
    forwarder: &Address,
) -> Result<(), QuorumError> {
    set.check()?;
    let (origin, binding) = (&report.header().origin, &report.payload().binding);
    require_number("committee", set.don_id.into(), origin.don_id.into())?;
    require_number("config version", set.config_version.into(), origin.config_version.into())?;
    require_number("context sequence", binding.sequence, context.sequence)?;
    let digest = set.config_digest(binding.chain, forwarder);
    require_bytes("config digest", &digest, &context.config_digest)?;
    Ok(())
}
