//! What is wrong with a report, and who is wrong in a quorum.

use super::{Culprit, Fault, Kind, SignatureFault};
use crate::encoding::EncodingError;
use alloc::format;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt::{self, Display};

/// Why bytes are not a report, or a report is not acceptable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The file's bytes are not what they claim to be.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// The payload's length is not the one of its kind.
    #[error("{} payload has {expected} bytes, found {found}", words(*kind))]
    PayloadLength {
        /// The kind that the payload names.
        kind: Kind,
        /// The length of that kind.
        expected: usize,
        /// The length that was found.
        found: usize,
    },
    /// Fewer bytes than the item needs.
    #[error("{item} needs {expected} bytes, found {found}")]
    Truncated {
        /// What was being read.
        item: &'static str,
        /// The bytes that it needs.
        expected: usize,
        /// The bytes that are left.
        found: usize,
    },
    /// Bytes after the last item.
    #[error("{found} bytes follow the end of {item}")]
    Trailing {
        /// What ended.
        item: &'static str,
        /// The number of surplus bytes.
        found: usize,
    },
    /// An ABI word holds a value outside its type.
    #[error("word {index} ({field}) is not a {expected}")]
    DirtyWord {
        /// The position in the payload.
        index: usize,
        /// The field's name.
        field: &'static str,
        /// The type that the word must hold.
        expected: &'static str,
    },
    /// A kind number that no report has.
    #[error("report kind {found} is unknown, expected 1 to 4")]
    UnknownKind {
        /// The number that was found.
        found: u8,
    },
    /// A solvency status that does not exist.
    #[error("solvency status {found} is unknown, expected 0 to 2")]
    UnknownVerdict {
        /// The number that was found.
        found: u8,
    },
    /// A round without a request cannot have filled one.
    #[error("an idle round (request id zero) claims success")]
    IdleRoundSucceeded,
    /// A field of the header, the context or the file differs from what the rest implies.
    #[error("{field} is {found}, expected {expected}")]
    Mismatch {
        /// The field's name.
        field: &'static str,
        /// The value that it must have.
        expected: String,
        /// The value that was found.
        found: String,
    },
    /// The report's time is over.
    #[error("the report was valid until {valid_until}, it is {now}")]
    Expired {
        /// The last second of validity, Unix time.
        valid_until: u64,
        /// The time of the check, Unix time.
        now: u64,
    },
    /// A block time that the header's 32 bits do not hold.
    #[error("block time {found} exceeds 32 bits")]
    BlockTime {
        /// The time that was found, Unix time.
        found: u64,
    },
    /// A price round above 80 bits.
    #[error("price round {found} exceeds 80 bits")]
    PriceRound {
        /// The round that was found.
        found: u128,
    },
    /// The counter of operations is at its end.
    #[error("the operation index {found} cannot be counted up")]
    IndexExhausted {
        /// The index that was found.
        found: u64,
    },
}

/// Why signatures do not make a quorum. Nothing is kept of a refused quorum.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuorumError {
    /// The signer set cannot be used.
    #[error("a signer set with f = {f} needs more than {least} signers and at most {most}, found {found}")]
    SignerCount {
        /// The number of faulty signers tolerated.
        f: u8,
        /// 3f: the set must be larger.
        least: usize,
        /// The forwarder's maximum.
        most: usize,
        /// The signers in the set.
        found: usize,
    },
    /// f = 0 would let one signer speak for all.
    #[error("the number of tolerated faults must be at least 1")]
    ZeroFaults,
    /// The zero address, which a failed recovery yields elsewhere.
    #[error("signer {position} is the zero address")]
    ZeroSigner {
        /// The position in the set.
        position: usize,
    },
    /// One address at two positions.
    #[error("signers {first} and {second} are the same address")]
    DuplicateSigner {
        /// The first position.
        first: usize,
        /// The second position.
        second: usize,
    },
    /// Fewer than f+1 distinct good signatures.
    #[error("{needed} signatures needed, {found} good{}", listed(culprits))]
    BelowThreshold {
        /// f+1.
        needed: usize,
        /// The good, distinct signatures.
        found: usize,
        /// The positions of the others, with their faults.
        culprits: Vec<Culprit>,
    },
    /// More or fewer signatures than f+1 in a finished report.
    #[error("a signed report carries {expected} signatures, found {found}")]
    SignatureCount {
        /// f+1.
        expected: usize,
        /// The signatures in the report.
        found: usize,
    },
    /// A signature in a finished report is not acceptable.
    #[error("{0}")]
    Signature(Culprit),
    /// The signed bytes do not fit the set, the context or each other.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The signing key is not a scalar in the range of the group.
    #[error("the signing key is zero or not below the group order")]
    SigningKey,
    /// Bytes that are no signature.
    #[error("malformed signature: {0}")]
    Malformed(#[from] SignatureFault),
    /// More signatures than the file can count.
    #[error("{found} signatures, of which a file holds at most 255")]
    TooManySignatures {
        /// The signatures that were given.
        found: usize,
    },
}

impl Display for Culprit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "signature {} is refused: {}", self.position, self.fault)
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature(fault) => write!(f, "{fault}"),
            Self::UnknownSigner { recovered } => {
                write!(f, "its signer {} is not in the set, or signed other bytes", hexadecimal(recovered))
            }
            Self::Repeated { first } => write!(f, "its signer is that of signature {first}"),
        }
    }
}

fn listed(culprits: &[Culprit]) -> String {
    culprits.iter().map(|culprit| format!("; {culprit}")).collect()
}

const fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::Solvency => "a solvency",
        Kind::Round => "a round",
        Kind::Enclave => "an enclave",
        Kind::Payout => "a payout",
    }
}

/// A [`ReportError::Mismatch`] unless `found == expected`; bytes are shown in hexadecimal.
pub(super) fn require_bytes(field: &'static str, expected: &[u8], found: &[u8]) -> Result<(), ReportError> {
    if expected == found {
        return Ok(());
    }
    Err(ReportError::Mismatch { field, expected: hexadecimal(expected), found: hexadecimal(found) })
}

/// A [`ReportError::Mismatch`] unless `found == expected`.
pub(super) fn require_number(field: &'static str, expected: u64, found: u64) -> Result<(), ReportError> {
    if expected == found {
        return Ok(());
    }
    Err(ReportError::Mismatch { field, expected: expected.to_string(), found: found.to_string() })
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    core::iter::once('0')
        .chain(core::iter::once('x'))
        .chain(digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_in_words_and_addresses_in_hexadecimal() {
        let at = |position, fault| Culprit { position, fault };
        let culprits = vec![
            at(0, Fault::UnknownSigner { recovered: [0xab; 20] }),
            at(2, Fault::Repeated { first: 1 }),
            at(3, Fault::Signature(SignatureFault::HighS)),
        ];
        let unknown = format!(
            "signature 0 is refused: its signer 0x{} is not in the set, or signed other bytes",
            "ab".repeat(20)
        );
        assert_eq!(QuorumError::Signature(culprits[0]).to_string(), unknown);
        assert_eq!(
            QuorumError::BelowThreshold { needed: 2, found: 1, culprits }.to_string(),
            format!(
                "2 signatures needed, 1 good; {unknown}; signature 2 is refused: its signer is that of signature 1; \
                 signature 3 is refused: s is in the upper half of its range"
            )
        );
        let length = ReportError::PayloadLength { kind: Kind::Enclave, expected: 2, found: 1 };
        assert_eq!(length.to_string(), "an enclave payload has 2 bytes, found 1");
    }
}
