//! The bytes of an attestation document.

use super::super::cbor::Cbor;
use super::super::chain::MAX_CHAIN;
use super::{CODE, NitroError};
use alloc::vec::Vec;

/// Greatest length of a document: what the device answers with.
pub const MAX_DOCUMENT: usize = 0x3000;

const TAG_SIGN1: u64 = 18;
/// {1: -35}: the algorithm is ES384.
const PROTECTED: [u8; 4] = [0xa1, 0x01, 0x38, 0x22];
const REGISTER_LEN: usize = 48;
const MAX_REGISTERS: u64 = 32;

/// The fields of a document, as they stand in its bytes. Nothing but their form is checked.
pub(super) struct Document<'a> {
    payload: &'a [u8],
    pub(super) signature: &'a [u8; 96],
    /// Milliseconds since the epoch.
    pub(super) timestamp: u64,
    pub(super) pcrs: Vec<(u8, &'a [u8])>,
    pub(super) certificate: &'a [u8],
    pub(super) bundle: Vec<&'a [u8]>,
    pub(super) user_data: Option<&'a [u8]>,
    pub(super) nonce: Option<&'a [u8]>,
}

impl<'a> Document<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, NitroError> {
        if bytes.len() > MAX_DOCUMENT {
            return Err(NitroError::Length { found: bytes.len(), max: MAX_DOCUMENT });
        }
        let mut cbor = Cbor::new(bytes);
        cbor.optional_tag("tag", TAG_SIGN1)?;
        cbor.array("COSE_Sign1", 4, 4)?;
        if cbor.bytes("protected header", 0, 64)? != PROTECTED {
            return Err(NitroError::Algorithm);
        }
        match cbor.map("unprotected header", 0, u64::MAX)? {
            0 => {}
            found => return Err(NitroError::Unprotected { found }),
        }
        let payload = cbor.bytes("payload", 1, MAX_DOCUMENT as u64)?;
        let signature = cbor.bytes("signature", 96, 96)?;
        cbor.finish()?;
        let signature = signature.try_into().expect("96 bytes were read");
        Fields::parse(payload)?.document(payload, signature)
    }

    /// Sig_structure (RFC 9052, section 4.4): ["Signature1", protected header, h'', payload].
    pub(super) fn signed(&self) -> Vec<u8> {
        let len = u16::try_from(self.payload.len()).expect("a document is shorter than 2^16");
        let mut out = Vec::with_capacity(self.payload.len() + 32);
        out.extend_from_slice(&[0x84, 0x6a]);
        out.extend_from_slice(b"Signature1");
        out.push(0x44); // a byte string of 4
        out.extend_from_slice(&PROTECTED);
        out.push(0x40);
        match len {
            0..=23 => out.push(0x40 | len.to_be_bytes()[1]),
            24..=0xff => out.extend_from_slice(&[0x58, len.to_be_bytes()[1]]),
            _ => {
                out.push(0x59);
                out.extend_from_slice(&len.to_be_bytes());
            }
        }
        out.extend_from_slice(self.payload);
        out
    }
}

/// The payload's map, as far as it was read.
#[derive(Default)]
struct Fields<'a> {
    module: Option<&'a str>,
    digest: Option<&'a str>,
    timestamp: Option<u64>,
    pcrs: Option<Vec<(u8, &'a [u8])>>,
    certificate: Option<&'a [u8]>,
    bundle: Option<Vec<&'a [u8]>>,
    public_key: Option<Option<&'a [u8]>>,
    user_data: Option<Option<&'a [u8]>>,
    nonce: Option<Option<&'a [u8]>>,
}

impl<'a> Fields<'a> {
    fn parse(payload: &'a [u8]) -> Result<Self, NitroError> {
        let mut cbor = Cbor::new(payload);
        let mut fields = Self::default();
        for _ in 0..cbor.map("document", 6, 9)? {
            let key = cbor.text("key", 1, 16)?;
            fields.read(key, &mut cbor)?;
        }
        cbor.finish()?;
        Ok(fields)
    }

    /// Bounds are those of AWS's document, section *Attestation document specification*.
    fn read(&mut self, key: &str, cbor: &mut Cbor<'a>) -> Result<(), NitroError> {
        match key {
            "module_id" => once("module_id", &mut self.module, cbor.text("module_id", 1, 256)?),
            "digest" => once("digest", &mut self.digest, cbor.text("digest", 1, 16)?),
            "timestamp" => once("timestamp", &mut self.timestamp, cbor.unsigned("timestamp", 1, u64::MAX)?),
            "pcrs" => once("pcrs", &mut self.pcrs, registers(cbor)?),
            "certificate" => once("certificate", &mut self.certificate, cbor.bytes("certificate", 1, 1024)?),
            "cabundle" => once("cabundle", &mut self.bundle, bundle(cbor)?),
            "public_key" => once("public_key", &mut self.public_key, cbor.optional_bytes("public_key", 1, 1024)?),
            "user_data" => once("user_data", &mut self.user_data, cbor.optional_bytes("user_data", 0, 512)?),
            "nonce" => once("nonce", &mut self.nonce, cbor.optional_bytes("nonce", 0, 512)?),
            _ => Err(NitroError::UnknownKey),
        }
    }

    fn document(self, payload: &'a [u8], signature: &'a [u8; 96]) -> Result<Document<'a>, NitroError> {
        let missing = |what| NitroError::Missing { what };
        self.module.ok_or(missing("module_id"))?;
        if self.digest.ok_or(missing("digest"))? != "SHA384" {
            return Err(NitroError::Digest);
        }
        Ok(Document {
            payload,
            signature,
            timestamp: self.timestamp.ok_or(missing("timestamp"))?,
            pcrs: self.pcrs.ok_or(missing("pcrs"))?,
            certificate: self.certificate.ok_or(missing("certificate"))?,
            bundle: self.bundle.ok_or(missing("cabundle"))?,
            user_data: self.user_data.flatten(),
            nonce: self.nonce.flatten(),
        })
    }
}

fn once<T>(what: &'static str, field: &mut Option<T>, found: T) -> Result<(), NitroError> {
    match field.replace(found) {
        None => Ok(()),
        Some(_) => Err(NitroError::Repeated { what }),
    }
}

/// PCRs in ascending order, 0 to 2 among them, each of the length of SHA-384.
fn registers<'a>(cbor: &mut Cbor<'a>) -> Result<Vec<(u8, &'a [u8])>, NitroError> {
    let mut all: Vec<(u8, &[u8])> = Vec::new();
    for _ in 0..cbor.map("pcrs", 1, MAX_REGISTERS)? {
        let number = cbor.unsigned("number of a PCR", 0, MAX_REGISTERS - 1)?.to_be_bytes()[7];
        let value = cbor.bytes("PCR", 0, 64)?;
        if value.len() != REGISTER_LEN {
            return Err(NitroError::Register { number, expected: REGISTER_LEN, found: value.len() });
        }
        if all.last().is_some_and(|(last, _)| *last >= number) {
            return Err(NitroError::Repeated { what: "a PCR" });
        }
        all.push((number, value));
    }
    if all.len() < CODE.len() || all.iter().zip(CODE).any(|((found, _), number)| *found != number) {
        return Err(NitroError::Missing { what: "PCR 0, 1 or 2" });
    }
    Ok(all)
}

/// The root, and at most as many below it as a chain may have.
fn bundle<'a>(cbor: &mut Cbor<'a>) -> Result<Vec<&'a [u8]>, NitroError> {
    let count = cbor.array("cabundle", 1, MAX_CHAIN as u64)?;
    (0..count).map(|_| Ok(cbor.bytes("certificate of the bundle", 1, 1024)?)).collect()
}
