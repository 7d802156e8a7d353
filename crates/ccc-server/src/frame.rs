//! The bodies of `/v1/reencrypt`: up to 64 asks one way, as many replies the other.
//!
//! *Layout*: u16 count ‖ count × LP(ask). An ask is LP(request, kind 20) ‖ LP(recipient with evidence, kind 23) ‖
//! LP(identity: epoch u64 ‖ signature 65, or nothing) ‖ LP(table header, 435 bytes, or nothing) ‖ u32 m ‖ m ×
//! LP(ciphertext, kind 1). Replies: u16 count ‖ count × (u8 outcome ‖ LP(envelope, or nothing)). LP(x) is u32 length ‖ x; integers big-endian. The objects inside carry version,
//! suite and kind; the frame has none, and a body of a release that wrote it otherwise is malformed here.

use ccc_core::{
    ciphertext::{Ciphertext, CiphertextError},
    enclave::identity::IdentitySignature,
    encoding::{EncodingError, Reader},
    envelope::{Envelope, MAX_PAYLOAD},
    report::{SIGNATURE_LEN, Signature65},
    suite::length_prefixed,
    table::{HEADER_LEN, Header},
    vault::{AttestedRecipient, MAX_CIPHERTEXTS, MAX_EVIDENCE, Request},
};
use ccc_node::vault_node::Ask;

/// The content type of asks.
pub const ASKS: &str = "application/vnd.ccc.asks.v1";
/// The content type of replies.
pub const REPLIES: &str = "application/vnd.ccc.replies.v1";
/// Where they are served.
pub const PATH: &str = "/v1/reencrypt";
/// The most asks of one call.
pub const MAX_ASKS: usize = 64;

const MAX_REQUEST: usize = 256 + 32 * MAX_CIPHERTEXTS;
const MAX_CARD: usize = 256 + MAX_EVIDENCE;
/// Epoch and signature.
const IDENTITY_LEN: usize = 8 + SIGNATURE_LEN;
const MAX_CIPHERTEXT: usize = 1 << 20;
const MAX_ENVELOPE: usize = MAX_PAYLOAD + 512;

/// What a node says to one ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// No, for a reason that stays with the node: what is not there and what is not allowed look alike.
    Refused,
    /// The signed envelope.
    Answered(Box<Envelope>),
    /// The block that the request names is not final here yet; ask again.
    Later,
}

/// Why a body is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Bytes that are not the layout.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// Bytes that are no ciphertext.
    #[error("ciphertext: {0}")]
    Ciphertext(#[from] CiphertextError),
    /// None, or too many.
    #[error("{found} asks, where 1 to {MAX_ASKS} are answered together")]
    Count {
        /// Asks in the body.
        found: u16,
    },
    /// What was to be an identity's signature.
    #[error("ask {index}: the identity's signature cannot be read")]
    Identity {
        /// Its ask's position.
        index: usize,
    },
    /// A table header that is none.
    #[error("ask {index}: the table header cannot be read")]
    Header {
        /// Its ask's position.
        index: usize,
    },
    /// An outcome without a meaning.
    #[error("outcome {found}, where 0 to 2 are possible")]
    Outcome {
        /// The number.
        found: u8,
    },
}

/// The body of a call.
#[must_use]
pub fn write_asks(asks: &[Ask]) -> Vec<u8> {
    let mut out = count(asks.len()).to_vec();
    for ask in asks {
        length_prefixed(&mut out, &write_ask(ask));
    }
    out
}

fn write_ask(ask: &Ask) -> Vec<u8> {
    let mut out = Vec::new();
    length_prefixed(&mut out, &ask.request.to_bytes());
    length_prefixed(&mut out, &ask.card.to_bytes());
    length_prefixed(&mut out, &ask.identity.as_ref().map(write_identity).unwrap_or_default());
    length_prefixed(
        &mut out,
        ask.header.as_ref().map(Header::to_bytes).as_ref().map_or(&[], <[u8; HEADER_LEN]>::as_slice),
    );
    out.extend_from_slice(&u32::try_from(ask.ciphertexts.len()).unwrap_or(u32::MAX).to_be_bytes());
    for ciphertext in &ask.ciphertexts {
        length_prefixed(&mut out, &ciphertext.to_bytes());
    }
    out
}

fn write_identity(signed: &IdentitySignature) -> Vec<u8> {
    [&signed.epoch.to_be_bytes()[..], &signed.signature.to_bytes()].concat()
}

fn read_identity(index: usize, bytes: &[u8]) -> Result<IdentitySignature, FrameError> {
    let mut reader = Reader::new(bytes);
    let (epoch, signature) = (reader.u64("identity's epoch")?, reader.array("identity's signature")?);
    reader.finish()?;
    let signature = Signature65::from_bytes(&signature).map_err(|_| FrameError::Identity { index })?;
    Ok(IdentitySignature { epoch, signature })
}

/// Reads the body of a call. Nothing is allocated for a length that the bytes do not have.
///
/// # Errors
/// [`FrameError`].
pub fn read_asks(bytes: &[u8]) -> Result<Vec<Ask>, FrameError> {
    let mut reader = Reader::new(bytes);
    let found = read_count(&mut reader)?;
    let asks = (0..usize::from(found)).map(|index| {
        let ask = reader.length_prefixed("ask", bytes.len())?;
        read_ask(index, ask)
    });
    let asks = asks.collect::<Result<_, FrameError>>()?;
    reader.finish()?;
    Ok(asks)
}

fn read_ask(index: usize, bytes: &[u8]) -> Result<Ask, FrameError> {
    let mut reader = Reader::new(bytes);
    let request = Request::from_bytes(reader.length_prefixed("request", MAX_REQUEST)?)?;
    let card = AttestedRecipient::from_bytes(reader.length_prefixed("recipient", MAX_CARD)?)?;
    let identity = match reader.length_prefixed("identity", IDENTITY_LEN)? {
        [] => None,
        bytes => Some(read_identity(index, bytes)?),
    };
    let header = match reader.length_prefixed("table header", HEADER_LEN)? {
        [] => None,
        bytes => Some(Header::from_bytes(bytes).map_err(|_| FrameError::Header { index })?),
    };
    let m = reader.u32("number of ciphertexts")?;
    let ciphertexts = (0..m).map(|_| Ciphertext::from_bytes(reader.length_prefixed("ciphertext", MAX_CIPHERTEXT)?));
    let ciphertexts = ciphertexts.collect::<Result<_, _>>()?;
    reader.finish()?;
    Ok(Ask { request, card, identity, ciphertexts, header })
}

/// The body of an answer.
#[must_use]
pub fn write_replies(replies: &[Reply]) -> Vec<u8> {
    let mut out = count(replies.len()).to_vec();
    for reply in replies {
        let (outcome, bytes) = match reply {
            Reply::Refused => (0, Vec::new()),
            Reply::Answered(envelope) => (1, envelope.to_bytes()),
            Reply::Later => (2, Vec::new()),
        };
        out.push(outcome);
        length_prefixed(&mut out, &bytes);
    }
    out
}

/// Reads the body of an answer.
///
/// # Errors
/// [`FrameError`].
pub fn read_replies(bytes: &[u8]) -> Result<Vec<Reply>, FrameError> {
    let mut reader = Reader::new(bytes);
    let found = read_count(&mut reader)?;
    let replies = (0..found).map(|_| read_reply(&mut reader)).collect::<Result<_, _>>()?;
    reader.finish()?;
    Ok(replies)
}

fn read_reply(reader: &mut Reader<'_>) -> Result<Reply, FrameError> {
    let outcome = reader.u8("outcome")?;
    let bytes = reader.length_prefixed("envelope", if outcome == 1 { MAX_ENVELOPE } else { 0 })?;
    match outcome {
        0 => Ok(Reply::Refused),
        1 => Ok(Reply::Answered(Box::new(Envelope::from_bytes(bytes)?))),
        2 => Ok(Reply::Later),
        found => Err(FrameError::Outcome { found }),
    }
}

fn read_count(reader: &mut Reader<'_>) -> Result<u16, FrameError> {
    match reader.u16("count")? {
        found if (1..=MAX_ASKS).contains(&usize::from(found)) => Ok(found),
        found => Err(FrameError::Count { found }),
    }
}

fn count(n: usize) -> [u8; 2] {
    u16::try_from(n).unwrap_or(u16::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lengths_and_outcomes_are_bounded() {
        assert_eq!(read_asks(&[0, 0]).expect_err("none"), FrameError::Count { found: 0 });
        assert_eq!(read_asks(&[0, 65]).expect_err("many"), FrameError::Count { found: 65 });
        assert!(matches!(
            read_asks(&[0, 1, 0xff, 0xff, 0xff, 0xff]),
            Err(FrameError::Encoding(EncodingError::Range { .. }))
        ));
        assert!(matches!(read_asks(&[]), Err(FrameError::Encoding(EncodingError::Truncated { .. }))));
        assert_eq!(read_replies(&[0, 1, 3, 0, 0, 0, 0]), Err(FrameError::Outcome { found: 3 }));
        let replies = vec![Reply::Refused, Reply::Later];
        let mut bytes = write_replies(&replies);
        assert_eq!(read_replies(&bytes), Ok(replies));
        bytes.push(0);
        assert_eq!(read_replies(&bytes), Err(FrameError::Encoding(EncodingError::Trailing { found: 1 })));
        assert!(matches!(
            read_replies(&[0, 1, 0, 0, 0, 0, 1, 9]),
            Err(FrameError::Encoding(EncodingError::Range { .. }))
        ));
    }
}
