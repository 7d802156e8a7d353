//! What can be wrong with bytes, keys, shares and their combination.

use crate::secret::RandomnessError;
use crate::threshold::ThresholdError;
use alloc::format;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;

/// JSON that is not the object it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// More bytes than any object of this kind has. Nothing was parsed.
    #[error("{what}: {found} bytes, where {limit} are read")]
    TooLong {
        /// The object.
        what: &'static str,
        /// The most bytes that are read.
        limit: usize,
        /// Bytes given.
        found: usize,
    },
    /// Not one JSON object, or something after it.
    #[error("{what}: not one JSON object (line {line}, column {column})")]
    Json {
        /// The object.
        what: &'static str,
        /// Where reading stopped.
        line: usize,
        /// Where reading stopped.
        column: usize,
    },
    /// A field is not there.
    #[error("{field}: missing")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A field occurs twice: two readers could take different ones.
    #[error("{field}: twice in one object")]
    Repeated {
        /// The field.
        field: &'static str,
    },
    /// A name that differs from a field's in case alone: some readers would take it for the field.
    #[error("{field}: a name that differs in case alone")]
    Spelling {
        /// The field.
        field: &'static str,
    },
    /// A value of another JSON type.
    #[error("{field}: not {expected}")]
    Type {
        /// The field.
        field: &'static str,
        /// The type wanted, in words.
        expected: &'static str,
    },
    /// Not canonical standard base64 with padding.
    #[error("{field}: malformed base64")]
    Base64 {
        /// The field.
        field: &'static str,
    },
    /// Another number of bytes.
    #[error("{field}: {found} bytes, where {expected} are wanted")]
    Length {
        /// The field.
        field: &'static str,
        /// Bytes wanted.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// A group other than `P256`.
    #[error("another group than P256")]
    Group,
    /// Not an uncompressed point of the curve.
    #[error("{field}: not a point of P-256")]
    Point {
        /// The field.
        field: &'static str,
    },
    /// The identity, which the format has an encoding for and this module refuses.
    #[error("{field}: the identity")]
    Identity {
        /// The field.
        field: &'static str,
    },
    /// A scalar at or above the group order, or a secret that is zero.
    #[error("{field}: not a canonical scalar")]
    Scalar {
        /// The field.
        field: &'static str,
    },
    /// A number outside its range.
    #[error("{field}: {found} is outside {range}")]
    Range {
        /// The field.
        field: &'static str,
        /// The number found.
        found: u64,
        /// The range, in words.
        range: &'static str,
    },
}

/// Why a key is not usable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// H and the verification keys lie on no polynomial: no set of shares opens anything under this key.
    #[error("the verification keys do not share the public key")]
    Inconsistent,
    /// The private share has an index that the public key does not.
    #[error("index {index}, where the public key has {n} verification keys")]
    UnknownIndex {
        /// The index.
        index: u16,
        /// Verification keys.
        n: u16,
    },
    /// The private share is not that of the verification key with its index.
    #[error("the private share {index} is not that of the public key's")]
    OtherShare {
        /// The index.
        index: u16,
    },
    /// The master secret is not that of the public key.
    #[error("the master secret is not that of the public key")]
    OtherSecret,
    /// A threshold outside 1 to n.
    #[error(transparent)]
    Threshold(#[from] ThresholdError),
    /// The random generator is broken.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
}

/// Why a ciphertext was not made, or does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CiphertextError {
    /// The proof does not verify under this public key: altered bytes or another key.
    #[error("the ciphertext's proof does not verify")]
    Proof,
    /// The message is above the maximum.
    #[error("a message of {found} bytes, where {limit} fit")]
    MessageTooLong {
        /// Bytes of the message.
        found: usize,
        /// The most bytes that fit.
        limit: usize,
    },
    /// The random generator is broken.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
}

/// Why a decryption share was not made, or does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShareError {
    /// The private share does not belong to the public key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// An index without a verification key.
    #[error("share with index {index}, where the public key has {n} verification keys")]
    UnknownIndex {
        /// The index.
        index: u16,
        /// Verification keys.
        n: u16,
    },
    /// The proof does not verify.
    #[error("the proof of share {index} does not verify")]
    Proof {
        /// The index. Shares of this format are not signed: who sent it is for the caller to know.
        index: u16,
    },
    /// The random generator is broken.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
}

/// Why shares did not open a ciphertext.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CombineError {
    /// A threshold of another number of participants than the public key has.
    #[error("a threshold for {found} participants, where the public key has {expected}")]
    Participants {
        /// Verification keys.
        expected: u16,
        /// n of the threshold.
        found: u16,
    },
    /// Fewer valid shares than the threshold.
    #[error("{have} valid shares, where {need} are needed{}", left_out(.refused, .flooded))]
    NotEnoughShares {
        /// k.
        need: u16,
        /// Valid shares with distinct indices.
        have: usize,
        /// Indices of shares whose proof does not verify, ascending.
        refused: Vec<u16>,
        /// Indices under which more than 8 different shares came, ascending: not all of those after the eighth were looked at,
        /// or none of them is valid.
        flooded: Vec<u16>,
    },
    /// More than k shares, each with a valid proof, that lie on no polynomial of degree below k. The format lets an
    /// author and a holder of a share bring this about together; it does not tell which of them are wrong.
    #[error("the valid shares contradict each other")]
    Contradiction,
    /// The body does not open. It says nothing more on purpose.
    #[error("decryption failed")]
    Decryption,
}

fn left_out(refused: &[u16], flooded: &[u16]) -> String {
    let list = |what: &str, all: &[u16]| {
        let names: Vec<_> = all.iter().map(u16::to_string).collect();
        if names.is_empty() { String::new() } else { format!("; {what}: {}", names.join(", ")) }
    };
    [list("refused", refused), list("too many of one participant", flooded)].concat()
}
