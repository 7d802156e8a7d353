//! The forwarder's header: where a report comes from.

use super::error::require_number;
use super::{Address, ReportError, Word};

/// The bytes of a header.
pub const FORWARDER_HEADER_LEN: usize = 109;

const VERSION: u8 = 1;

/// Who makes reports: the constants that a receiver holds and a committee shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The committee's number at the forwarder.
    pub don_id: u32,
    /// The version of the committee's signer set.
    pub config_version: u32,
    /// The workflow's identifier; its first byte is zero.
    pub workflow_id: Word,
    /// The workflow's owner.
    pub workflow_owner: Address,
}

/// The first 109 bytes of a raw report.
///
/// *Layout*: version u8 · execution id 32 · timestamp u32 · committee u32 · config version u32 ·
/// workflow id 32 · workflow name 10 · workflow owner 20 · report id 2, big-endian.
///
/// *Units*: `timestamp` is the time of the block that was read, in Unix seconds.
///
/// *Source*: KeystoneForwarder 1.0.0; `docs/spec/report.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForwarderHeader {
    /// keccak256 of the payload.
    pub execution_id: Word,
    /// The time of the block that was read, Unix time.
    pub timestamp: u32,
    /// Where the report comes from.
    pub origin: Origin,
    /// The workflow's name, see [`workflow_name`](super::workflow_name).
    pub workflow_name: [u8; 10],
    /// The kind of the payload, as two bytes.
    pub report_id: [u8; 2],
}

impl ForwarderHeader {
    /// The 109 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; FORWARDER_HEADER_LEN] {
        let mut out = [0; FORWARDER_HEADER_LEN];
        out[0] = VERSION;
        out[1..33].copy_from_slice(&self.execution_id);
        out[33..37].copy_from_slice(&self.timestamp.to_be_bytes());
        out[37..41].copy_from_slice(&self.origin.don_id.to_be_bytes());
        out[41..45].copy_from_slice(&self.origin.config_version.to_be_bytes());
        out[45..77].copy_from_slice(&self.origin.workflow_id);
        out[77..87].copy_from_slice(&self.workflow_name);
        out[87..107].copy_from_slice(&self.origin.workflow_owner);
        out[107..109].copy_from_slice(&self.report_id);
        out
    }

    /// Reads the 109 bytes.
    ///
    /// # Errors
    /// A version other than 1, or a workflow id whose first byte is not zero.
    pub fn from_bytes(bytes: &[u8; FORWARDER_HEADER_LEN]) -> Result<Self, ReportError> {
        require_number("header version", VERSION.into(), bytes[0].into())?;
        require_number("first byte of the workflow id", 0, bytes[45].into())?;
        let origin = Origin {
            don_id: u32::from_be_bytes(at(bytes, 37)),
            config_version: u32::from_be_bytes(at(bytes, 41)),
            workflow_id: at(bytes, 45),
            workflow_owner: at(bytes, 87),
        };
        Ok(Self {
            execution_id: at(bytes, 1),
            timestamp: u32::from_be_bytes(at(bytes, 33)),
            origin,
            workflow_name: at(bytes, 77),
            report_id: at(bytes, 107),
        })
    }

    /// What a receiver is given beside the payload: workflow id, name, owner and report id.
    #[must_use]
    pub fn metadata(&self) -> [u8; 64] {
        at(&self.to_bytes(), 45)
    }
}

/// `N` bytes from `offset`; every caller's range lies inside the header.
fn at<const N: usize>(bytes: &[u8; FORWARDER_HEADER_LEN], offset: usize) -> [u8; N] {
    core::array::from_fn(|i| bytes[offset + i])
}
