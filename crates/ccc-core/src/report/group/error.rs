//! Why a group signature, a key or a share of it is refused.

use crate::identifier::Identifier;
use crate::keys::SessionError;
use crate::report::ReportError;
use alloc::vec::Vec;

/// What is wrong with a partial signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartialFault {
    /// Nobody in the committee has this number.
    #[error("is not in the committee")]
    NotAMember,
    /// It is not that participant's signature over these bytes.
    #[error("did not sign these bytes")]
    Signature,
    /// The participant has two different ones, of which at most one is right.
    #[error("has two of them")]
    Repeated,
}

/// Whose partial signature does not count.
///
/// *Security*: a partial signature proves nothing about who sent a wrong one; the envelope around it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartialCulprit {
    /// Who is named.
    pub identifier: Identifier,
    /// What is wrong.
    pub fault: PartialFault,
}

/// Why a group signature, a key or a share of it is refused. Nothing is kept of what was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GroupError {
    /// Bytes that are no point of G1 in its subgroup.
    #[error("the bytes are no key: no point of G1 of the right order in its one encoding")]
    Key,
    /// Bytes that are no point of G2 in its subgroup.
    #[error("the bytes are no signature: no point of G2 of the right order in its one encoding")]
    Signature,
    /// The identity: under it as a key the identity is a signature of everything.
    #[error("the {what} is the identity")]
    Identity {
        /// Key, signature or commitment.
        what: &'static str,
    },
    /// Bytes that are no scalar below the group order, or zero.
    #[error("the share is zero or not below the group order")]
    Share,
    /// A share that is not the committee's for this number.
    #[error("the share of participant {identifier} does not fit the committee")]
    ForeignShare {
        /// Whose share it claims to be.
        identifier: Identifier,
    },
    /// Another number of commitments than the threshold.
    #[error("{found} commitments, where the threshold is {expected}")]
    Commitments {
        /// t.
        expected: usize,
        /// The commitments found.
        found: usize,
    },
    /// f = 0 would let one participant speak for all.
    #[error("the number of tolerated faults must be at least 1")]
    ZeroFaults,
    /// Not more than 3f participants, or a number that the forwarder cannot hold.
    #[error("a group with f = {f} needs more than {least} participants, found {found}")]
    Participants {
        /// The number of faulty participants tolerated.
        f: u16,
        /// 3f: the group must be larger.
        least: usize,
        /// The participants found.
        found: usize,
    },
    /// A handover to another threshold or number of participants: the forwarder's configuration names both.
    #[error("a handover to {t} of {n}, where the forwarder knows {of_t} of {of_n}: another number takes a new key")]
    Numbers {
        /// The old committee's threshold.
        of_t: u16,
        /// The old committee's participants.
        of_n: u16,
        /// The roster's threshold.
        t: u16,
        /// The roster's participants.
        n: u16,
    },
    /// The committee does not hand over to this roster.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A threshold that one byte of faults cannot hold.
    #[error("a threshold of {found}, where the forwarder holds at most 256")]
    Threshold {
        /// The committee's threshold.
        found: u16,
    },
    /// Fewer than t partial signatures are right.
    #[error("{needed} partial signatures needed, {found} good{}", listed(culprits))]
    BelowThreshold {
        /// t.
        needed: usize,
        /// The good ones, of distinct participants.
        found: usize,
        /// Whose do not count.
        culprits: Vec<PartialCulprit>,
    },
    /// The signature is not the group's over these bytes.
    #[error("the signature is not the group's over these bytes")]
    NotTheGroups,
    /// The signed bytes do not fit the set, the context or each other.
    #[error(transparent)]
    Report(#[from] ReportError),
}

fn listed(culprits: &[PartialCulprit]) -> alloc::string::String {
    culprits.iter().map(|c| alloc::format!("; participant {} {}", c.identifier, c.fault)).collect()
}
