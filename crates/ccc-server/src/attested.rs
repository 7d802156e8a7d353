//! The bodies between enclave hosts and workflow nodes.
//!
//! *Layout* (integers big-endian; LP(x) is u32 length ‖ x):
//! result = LP(payload) ‖ public inputs 72 ‖ request digest 64 ‖ header hash 32 ‖ log digest 32 ‖ LP(evidence) ‖ u8 k ‖
//! k × (epoch u64 ‖ signature 65), k 0 or 1. shown = u8 whether it names ciphertexts ‖
//! LP(request, kind 20; one that names none has a digest of zeros in their place) ‖ LP(table header, 435 bytes, or nothing).
//! made = LP(result) ‖ shown ‖ u16 p ‖ p × LP(result). judged = LP(result) ‖ shown. version = LP(table header) ‖ LP(body) ‖
//! LP(sidecar) ‖ LP(receipts, or nothing). check = block hash 32 ‖ sequence u64. verdict = u8 0 ‖ LP(reason), or u8 1 ‖
//! signature 65.

use crate::application::Door;
use ccc_core::{
    enclave::identity::IdentitySignature,
    encoding::{EncodingError, Reader},
    report::{SIGNATURE_LEN, Signature65},
    suite::length_prefixed,
    table::{HEADER_LEN, Header, Receipts, SealedTable},
    vault::{MAX_CIPHERTEXTS, MAX_EVIDENCE, Request},
};
use ccc_enclave::result::{AttestedResult, PublicInputs};
use ccc_node::{recovery::Closed, workflow_node::Shown};

const ENCLAVE: &str = "application/vnd.ccc.enclave.v1";
const WORKFLOW: &str = "application/vnd.ccc.workflow.v1";

const fn enclave(path: &'static str) -> Door {
    Door { path, asks: ENCLAVE, replies: ENCLAVE }
}

/// A reserve check: a check one way, what was made the other.
pub const RESERVE: Door = enclave("/v1/reserve");
/// A round at a block: its hash one way, what was made the other.
pub const ROUND: Door = enclave("/v1/round");
/// A round with payouts that this host made: its header's hash one way, what was made the other, or nothing.
pub const PAYOUTS: Door = enclave("/v1/payouts");
/// A version of the table: its header's hash one way, the version the other.
pub const TABLE: Door = enclave("/v1/table");
/// An envelope for the agent: its digest one way, its bytes the other.
pub const ENVELOPE: Door = enclave("/v1/envelope");
/// A signature: what is to be judged one way, the verdict the other.
pub const SIGN: Door = Door { path: "/v1/sign", asks: WORKFLOW, replies: WORKFLOW };

/// Seconds for which a host has a round or a check delivered, from the newest block on. For as long a signer that signed it signs
/// nothing else in its place: it is what delivery takes, and no more. A payout has longer ([`ccc_enclave::round::PAYOUTS_LONGER`]).
pub const REPORT_LIFETIME: u64 = 300;

const MAX_PAYLOAD: usize = 1 << 12;
const MAX_REQUEST: usize = 256 + 32 * MAX_CIPHERTEXTS;
const MAX_RESULT: usize = MAX_PAYLOAD + MAX_EVIDENCE + 512;
const MAX_PAYOUTS: usize = 1 << 10;
const MAX_REASON: usize = 1 << 10;

/// Why a body is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttestedError {
    /// Bytes that are not the layout.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// A table header that is none.
    #[error("the table header cannot be read")]
    Header,
    /// A signature that is none.
    #[error("the signature cannot be read")]
    Signature,
    /// A count beyond its bound.
    #[error("{found} {what}, where at most {most} are possible")]
    Count {
        /// Of what.
        what: &'static str,
        /// The bound.
        most: usize,
        /// The count.
        found: usize,
    },
}

/// What a host shows beside a result.
#[derive(Clone, Debug)]
pub struct Beside {
    /// The request under which the ciphertexts were opened.
    pub request: Request,
    /// The header of the table that was opened; none for the first version.
    pub header: Option<Header>,
}

impl Beside {
    /// As a signer takes it.
    #[must_use]
    pub fn shown(&self) -> Shown<'_> {
        Shown { request: &self.request, header: self.header.as_ref() }
    }
}

/// What a host made for one call.
#[derive(Clone, Debug)]
pub struct Made {
    /// The result.
    pub result: AttestedResult,
    /// What it rests on.
    pub beside: Beside,
    /// One result per withdrawal that succeeded, to be signed when the round is on the chain.
    pub payouts: Vec<AttestedResult>,
}

impl Made {
    /// The body.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = judged(&self.result, &self.beside);
        out.extend_from_slice(&u16::try_from(self.payouts.len()).unwrap_or(u16::MAX).to_be_bytes());
        self.payouts.iter().for_each(|payout| length_prefixed(&mut out, &result(payout)));
        out
    }

    /// Reads the body.
    ///
    /// # Errors
    /// [`AttestedError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, AttestedError> {
        let mut reader = Reader::new(bytes);
        let (result, beside) = read_judged_from(&mut reader)?;
        let found = usize::from(reader.u16("number of payouts")?);
        if found > MAX_PAYOUTS {
            return Err(AttestedError::Count { what: "payouts", most: MAX_PAYOUTS, found });
        }
        let payouts = (0..found).map(|_| read_result(reader.length_prefixed("payout", MAX_RESULT)?));
        let payouts = payouts.collect::<Result<_, AttestedError>>()?;
        reader.finish()?;
        Ok(Self { result, beside, payouts })
    }
}

/// The body of a call for a signature.
#[must_use]
pub fn judged(result: &AttestedResult, beside: &Beside) -> Vec<u8> {
    let mut out = Vec::new();
    length_prefixed(&mut out, &self::result(result));
    out.push(u8::from(!beside.request.ciphertexts.is_empty()));
    length_prefixed(&mut out, &named(&beside.request).to_bytes());
    let header = beside.header.as_ref().map(Header::to_bytes);
    length_prefixed(&mut out, header.as_ref().map_or(&[], <[u8; HEADER_LEN]>::as_slice));
    out
}

/// The request, with zeros in the place of a first ciphertext: the kind has no room for a request that names nothing, as
/// that of the first version.
fn named(request: &Request) -> Request {
    let mut request = request.clone();
    if request.ciphertexts.is_empty() {
        request.ciphertexts.push([0; 32]);
    }
    request
}

/// Reads the body of a call for a signature.
///
/// # Errors
/// [`AttestedError`].
pub fn read_judged(bytes: &[u8]) -> Result<(AttestedResult, Beside), AttestedError> {
    let mut reader = Reader::new(bytes);
    let judged = read_judged_from(&mut reader)?;
    reader.finish()?;
    Ok(judged)
}

fn read_judged_from(reader: &mut Reader<'_>) -> Result<(AttestedResult, Beside), AttestedError> {
    let result = read_result(reader.length_prefixed("result", MAX_RESULT)?)?;
    let names = reader.u8("whether the request names ciphertexts")?;
    let mut request = Request::from_bytes(reader.length_prefixed("request", MAX_REQUEST)?)?;
    match (names, request.ciphertexts.as_slice()) {
        (0, [zeros]) if *zeros == [0; 32] => request.ciphertexts.clear(),
        (1, _) => {}
        (found, _) => {
            return Err(AttestedError::Count { what: "requests without ciphertexts", most: 1, found: found.into() });
        }
    }
    let header = match reader.length_prefixed("table header", HEADER_LEN)? {
        [] => None,
        bytes => Some(Header::from_bytes(bytes).map_err(|_| AttestedError::Header)?),
    };
    Ok((result, Beside { request, header }))
}

fn result(result: &AttestedResult) -> Vec<u8> {
    let mut out = Vec::new();
    length_prefixed(&mut out, &result.payload);
    out.extend_from_slice(&result.inputs.to_bytes());
    out.extend_from_slice(&result.request);
    out.extend_from_slice(&result.header);
    out.extend_from_slice(&result.log);
    length_prefixed(&mut out, &result.evidence);
    out.push(u8::from(result.identity.is_some()));
    if let Some(signed) = &result.identity {
        out.extend_from_slice(&signed.epoch.to_be_bytes());
        out.extend_from_slice(&signed.signature.to_bytes());
    }
    out
}

fn read_result(bytes: &[u8]) -> Result<AttestedResult, AttestedError> {
    let mut reader = Reader::new(bytes);
    let payload = reader.length_prefixed("payload", MAX_PAYLOAD)?.to_vec();
    let inputs = PublicInputs {
        block: reader.u64("block")?,
        block_time: reader.u64("block time")?,
        custody: reader.u128("custody")?,
        consumed: reader.u64("consumed operations")?,
        accumulator: reader.array("accumulator")?,
    };
    let (request, header) = (reader.array("request digest")?, reader.array("header hash")?);
    let log = reader.array("log digest")?;
    let evidence = reader.length_prefixed("evidence", MAX_EVIDENCE)?.to_vec();
    let identity = match reader.u8("number of identities")? {
        0 => None,
        1 => {
            let (epoch, signature) = (reader.u64("epoch")?, reader.array::<SIGNATURE_LEN>("signature")?);
            Some(IdentitySignature { epoch, signature: read_signature(&signature)? })
        }
        found => return Err(AttestedError::Count { what: "identities", most: 1, found: found.into() }),
    };
    reader.finish()?;
    Ok(AttestedResult { payload, inputs, request, header, log, evidence, identity })
}

fn read_signature(bytes: &[u8; SIGNATURE_LEN]) -> Result<Signature65, AttestedError> {
    Signature65::from_bytes(bytes).map_err(|_| AttestedError::Signature)
}

/// A version of the table.
#[must_use]
pub fn version(table: &SealedTable, receipts: Option<&[u8]>) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_LEN + table.body.len() + table.sidecar.len() + 1024);
    length_prefixed(&mut out, &table.header.to_bytes());
    length_prefixed(&mut out, &table.body);
    length_prefixed(&mut out, &table.sidecar);
    length_prefixed(&mut out, receipts.unwrap_or_default());
    out
}

/// Reads a version; whether it is the one asked for, and whole, the reader checks against the chain's header hash.
///
/// # Errors
/// [`AttestedError`].
pub fn read_version(bytes: &[u8]) -> Result<Closed, AttestedError> {
    let mut reader = Reader::new(bytes);
    let header = reader.length_prefixed("table header", HEADER_LEN)?;
    let header = Header::from_bytes(header).map_err(|_| AttestedError::Header)?;
    let body = reader.length_prefixed("body", bytes.len())?.to_vec();
    let sidecar = reader.length_prefixed("sidecar", bytes.len())?.to_vec();
    let receipts = match reader.length_prefixed("receipts", bytes.len())? {
        [] => None,
        bytes => Some(Receipts::from_bytes(bytes)?),
    };
    reader.finish()?;
    Ok(Closed { table: SealedTable { header, body, sidecar }, receipts })
}

/// Which reserve check is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Check {
    /// The finalised block at which everything is read.
    pub block: [u8; 32],
    /// The report's sequence number.
    pub sequence: u64,
}

impl Check {
    /// The body.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        [self.block.as_slice(), &self.sequence.to_be_bytes()].concat()
    }

    /// Reads the body.
    ///
    /// # Errors
    /// [`AttestedError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, AttestedError> {
        let mut reader = Reader::new(bytes);
        let check = Self { block: reader.array("block hash")?, sequence: reader.u64("sequence")? };
        reader.finish()?;
        Ok(check)
    }
}

/// Reads 32 bytes and nothing else.
///
/// # Errors
/// [`AttestedError`].
pub fn read_hash(bytes: &[u8]) -> Result<[u8; 32], AttestedError> {
    let mut reader = Reader::new(bytes);
    let hash = reader.array("hash")?;
    reader.finish()?;
    Ok(hash)
}

/// A signer's word: its signature, or why not.
#[must_use]
pub fn verdict(signed: &Result<Signature65, String>) -> Vec<u8> {
    match signed {
        Ok(signature) => [[1].as_slice(), &signature.to_bytes()].concat(),
        Err(reason) => {
            let mut out = vec![0];
            length_prefixed(&mut out, &reason.as_bytes()[..reason.len().min(MAX_REASON)]);
            out
        }
    }
}

/// Reads a signer's word.
///
/// # Errors
/// [`AttestedError`].
pub fn read_verdict(bytes: &[u8]) -> Result<Result<Signature65, String>, AttestedError> {
    let mut reader = Reader::new(bytes);
    let word = match reader.u8("verdict")? {
        0 => Err(String::from_utf8_lossy(reader.length_prefixed("reason", MAX_REASON)?).into_owned()),
        1 => Ok(read_signature(&reader.array("signature")?)?),
        found => return Err(AttestedError::Count { what: "verdicts", most: 1, found: found.into() }),
    };
    reader.finish()?;
    Ok(word)
}

#[cfg(test)]
pub(crate) mod tests;
