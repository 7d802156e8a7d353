//! The kinds of report.

use super::{ReportError, workflow_name};

/// What a report says. The number is the payload's `kind` and the forwarder's report id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// Whether the reserves cover the liabilities.
    Solvency = 1,
    /// A new version of the balance table, with or without a settled request.
    Round = 2,
    /// An enclave that may open ciphertexts.
    Enclave = 3,
    /// Money that leaves the pool for one withdrawal.
    Payout = 4,
}

impl Kind {
    /// Every kind, in the order of its number.
    pub const ALL: [Self; 4] = [Self::Solvency, Self::Round, Self::Enclave, Self::Payout];

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The forwarder's report id: the number as two bytes.
    #[must_use]
    pub const fn report_id(self) -> [u8; 2] {
        [0, self as u8]
    }

    /// The readable name of the workflow that makes this kind.
    #[must_use]
    pub const fn workflow(self) -> &'static str {
        match self {
            Self::Solvency => "ccc-solvency",
            Self::Round => "ccc-round",
            Self::Enclave => "ccc-enclave",
            Self::Payout => "ccc-payout",
        }
    }

    /// The workflow name as the forwarder carries it.
    #[must_use]
    pub fn workflow_name(self) -> [u8; 10] {
        workflow_name(self.workflow())
    }

    /// The bytes of a payload of this kind.
    #[must_use]
    pub const fn payload_length(self) -> usize {
        32 * match self {
            Self::Solvency => 12,
            Self::Round => 17,
            Self::Enclave => 11,
            Self::Payout => 12,
        }
    }
}

impl TryFrom<u8> for Kind {
    type Error = ReportError;

    fn try_from(number: u8) -> Result<Self, ReportError> {
        Self::ALL.into_iter().find(|kind| kind.number() == number).ok_or(ReportError::UnknownKind { found: number })
    }
}
