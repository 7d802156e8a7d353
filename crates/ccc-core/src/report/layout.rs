//! A report and its context: what is signed.

use super::error::{require_bytes, require_number};
use super::word::uint_word;
use super::{FORWARDER_HEADER_LEN, ForwarderHeader, Origin, Payload, ReportError, Word, keccak256};
use alloc::vec::Vec;

/// The bytes of a context.
pub const CONTEXT_LEN: usize = 96;

/// A header and the payload that it fits.
///
/// A workflow node makes it, each participant signs it, the forwarder reads its raw bytes.
///
/// *Layout*: header 109 ‖ payload.
///
/// *Security*: a value of this type has a header whose execution id, report id and workflow name
/// are those of its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    header: ForwarderHeader,
    payload: Payload,
}

impl Report {
    /// A report from a reading of the chain at a block with this time (Unix time).
    ///
    /// # Errors
    /// A time above 32 bits, a workflow id whose first byte is not zero, an idle round that claims success.
    pub fn new(origin: Origin, block_time: u64, payload: Payload) -> Result<Self, ReportError> {
        let timestamp = u32::try_from(block_time).map_err(|_| ReportError::BlockTime { found: block_time })?;
        require_number("first byte of the workflow id", 0, origin.workflow_id[0].into())?;
        payload.statement.check()?;
        Ok(Self { header: fitting_header(origin, timestamp, &payload), payload })
    }

    /// Reads a raw report.
    ///
    /// # Errors
    /// Malformed bytes, or a header that does not fit its payload.
    pub fn from_raw(raw: &[u8]) -> Result<Self, ReportError> {
        let (head, tail) = raw.split_first_chunk::<FORWARDER_HEADER_LEN>().ok_or(ReportError::Truncated {
            item: "header",
            expected: FORWARDER_HEADER_LEN,
            found: raw.len(),
        })?;
        let header = ForwarderHeader::from_bytes(head)?;
        let payload = Payload::from_bytes(tail)?;
        let fitting = fitting_header(header.origin, header.timestamp, &payload);
        require_bytes("execution id", &fitting.execution_id, &header.execution_id)?;
        require_bytes("report id", &fitting.report_id, &header.report_id)?;
        require_bytes("workflow name", &fitting.workflow_name, &header.workflow_name)?;
        Ok(Self { header, payload })
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &ForwarderHeader {
        &self.header
    }

    /// The payload.
    #[must_use]
    pub const fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The bytes that the forwarder receives as `rawReport`.
    #[must_use]
    pub fn raw(&self) -> Vec<u8> {
        [self.header.to_bytes().as_slice(), &self.payload.to_bytes()].concat()
    }

    /// keccak256(keccak256(raw report) ‖ context): what a participant signs.
    #[must_use]
    pub fn signing_digest(&self, context: &ReportContext) -> Word {
        keccak256(&[&keccak256(&[&self.raw()]), &context.to_bytes()])
    }
}

fn fitting_header(origin: Origin, timestamp: u32, payload: &Payload) -> ForwarderHeader {
    let kind = payload.statement.kind();
    ForwarderHeader {
        execution_id: payload.execution_id(),
        timestamp,
        origin,
        workflow_name: kind.workflow_name(),
        report_id: kind.report_id(),
    }
}

/// What is signed beside the report: which signer set, and which sequence number.
///
/// *Layout*: config digest 32 ‖ sequence as a 32-byte word ‖ 32 zero bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportContext {
    /// See [`SignerSet::config_digest`](super::SignerSet::config_digest).
    pub config_digest: Word,
    /// The payload's sequence number.
    pub sequence: u64,
}

impl ReportContext {
    /// The 96 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; CONTEXT_LEN] {
        let mut out = [0; CONTEXT_LEN];
        out[..32].copy_from_slice(&self.config_digest);
        out[32..64].copy_from_slice(&uint_word(self.sequence.into()));
        out
    }

    /// Reads the 96 bytes.
    ///
    /// # Errors
    /// A sequence above 64 bits, or a last word that is not zero.
    pub fn from_bytes(bytes: &[u8; CONTEXT_LEN]) -> Result<Self, ReportError> {
        let mut words = super::word::WordReader::new(bytes);
        let config_digest = words.word("config digest")?;
        let sequence = words.u64("sequence")?;
        require_bytes("last word of the context", &[0; 32], &words.word("reserved")?)?;
        Ok(Self { config_digest, sequence })
    }
}
