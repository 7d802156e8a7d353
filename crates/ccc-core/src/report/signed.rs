//! A report with its quorum, and the file that carries it.

use super::error::{require_bytes, require_number};
use super::{
    Address, CONTEXT_LENGTH, QuorumError, Report, ReportContext, ReportError, SIGNATURE_LENGTH, Signature65, SignerSet,
};

const MAGIC: &[u8; 2] = b"CC";
const VERSION: u8 = 1;
const KIND_SIGNED_REPORT: u8 = 16;
const SUITE: u16 = 1;

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
        if found < needed {
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
    /// [`ReportError::Mismatch`] for more than 255 signatures, which no forwarder accepts.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ReportError> {
        let raw = self.report.raw();
        let length = u32::try_from(raw.len()).map_err(|_| too_many("raw report", raw.len()))?;
        let count = u8::try_from(self.signatures.len()).map_err(|_| too_many("signatures", self.signatures.len()))?;
        let mut out = file_header().to_vec();
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&raw);
        out.extend_from_slice(&self.context.to_bytes());
        out.push(count);
        self.signatures.iter().for_each(|s| out.extend_from_slice(&s.to_bytes()));
        Ok(out)
    }

    /// Reads the file strictly.
    ///
    /// # Errors
    /// Malformed bytes; see [`ReportError`] and
    /// [`SignatureFault`](super::SignatureFault).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, QuorumError> {
        let mut rest = bytes;
        require_bytes("file header", &file_header(), &take::<8>(&mut rest, "file header")?)?;
        let length = u32::from_be_bytes(take(&mut rest, "length of the raw report")?);
        let report = Report::from_raw(take_slice(&mut rest, length)?)?;
        let context = ReportContext::from_bytes(&take::<CONTEXT_LENGTH>(&mut rest, "context")?)?;
        let [count] = take(&mut rest, "number of signatures")?;
        let signatures = (0..count).map(|_| take_signature(&mut rest)).collect::<Result<Vec<_>, QuorumError>>()?;
        match rest.len() {
            0 => Ok(Self { report, context, signatures }),
            found => Err(ReportError::Trailing { item: "signed report", found }.into()),
        }
    }
}

fn file_header() -> [u8; 8] {
    let [high, low] = SUITE.to_be_bytes();
    [MAGIC[0], MAGIC[1], VERSION, KIND_SIGNED_REPORT, high, low, 0, 0]
}

fn too_many(field: &'static str, found: usize) -> ReportError {
    ReportError::Mismatch { field, expected: "fewer".into(), found: found.to_string() }
}

fn take<const N: usize>(rest: &mut &[u8], item: &'static str) -> Result<[u8; N], ReportError> {
    let (head, tail) =
        rest.split_first_chunk::<N>().ok_or(ReportError::Truncated { item, expected: N, found: rest.len() })?;
    *rest = tail;
    Ok(*head)
}

fn take_slice<'a>(rest: &mut &'a [u8], length: u32) -> Result<&'a [u8], ReportError> {
    let expected = usize::try_from(length).unwrap_or(usize::MAX);
    let (head, tail) = rest.split_at_checked(expected).ok_or(ReportError::Truncated {
        item: "raw report",
        expected,
        found: rest.len(),
    })?;
    *rest = tail;
    Ok(head)
}

fn take_signature(rest: &mut &[u8]) -> Result<Signature65, QuorumError> {
    let bytes = take::<SIGNATURE_LENGTH>(rest, "signature")?;
    Ok(Signature65::from_bytes(&bytes)?)
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
