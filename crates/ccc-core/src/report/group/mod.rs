//! One signature of a whole committee: threshold BLS over BLS12-381, for committees in which f+1 ECDSA signatures cost
//! more than one pairing check. ECDSA is the default; this is behind the feature `bls-quorum`.
//!
//! A key generation ([`generation`]) gives a [`GroupCommittee`] and to each participant a [`GroupShare`]. Any t of them
//! sign a report each ([`GroupShare::sign`]); [`GroupCommittee::combine`] checks the partial signatures, names whose are
//! wrong, and gives the one [`GroupSignature`] that the forwarder checks under the [`GroupKey`]. It is the same whoever
//! took part, so it does not tell who did.
//!
//! *Source*: Boldyreva 2003 over blsttc: keys in G1, signatures in G2, messages hashed by RFC 9380 under
//! `BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_`; on chain EIP-2537. The bytes are in `docs/spec/group.md`.
//!
//! *Security*: messages of three lengths, so that none is taken for another: 32 bytes are a report's digest, 64 a
//! configuration's, 96 what a dealer of a key generation signs. blsttc and blst are C and assembly inside; what they are
//! given is public, but for shares and polynomials.

mod committee;
mod error;
pub mod generation;
mod key;
mod set;
mod signed;
#[cfg(test)]
mod tests;

pub use committee::{GroupCommittee, GroupShare, PartialSignature};
pub use error::{GroupError, PartialCulprit, PartialFault};
pub use key::{GROUP_KEY_LEN, GROUP_SIGNATURE_LEN, GroupKey, GroupSignature};
pub use set::GroupSet;
pub use signed::GroupReport;
