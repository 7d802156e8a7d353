//! The layout of a quote: every length fits, every reserved byte is zero, and the chain stands in its one form.
//!
//! *Source*: Intel, *SGX ECDSA Quote Library Reference* (version 3) and *TDX DCAP Quoting Library API* (versions 4 and
//! 5). Numbers are little-endian.

use super::super::ProviderKind;
use super::DcapError;
use crate::encoding::{EncodingError, Reader};
use alloc::vec::Vec;
use der::pem::{self, LineEnding};

/// Greatest length of a quote.
pub const MAX_QUOTE: usize = 1 << 14;

const HEADER_LEN: usize = 48;
const SGX_BODY: usize = 384;
const QE_REPORT: usize = 384;
/// Signature 64 ‖ attestation key 64.
const SIGNATURE_AND_KEY: usize = 128;
const TEE_SGX: u32 = 0;
const TEE_TDX: u32 = 0x81;
/// The chain of the PCK certificate in PEM.
const PCK_CHAIN: u16 = 5;
/// The QE's report with its own certification data.
const QE_REPORT_CERTIFICATION: u16 = 6;

/// A quote whose form was checked, and none of whose signatures were.
pub(super) struct Quote<'a> {
    pub(super) kind: ProviderKind,
    /// The PCK certificate, its authority and the root, in DER.
    pub(super) certificates: Vec<Vec<u8>>,
    body: &'a [u8],
}

fn u16_le(reader: &mut Reader<'_>, what: &'static str) -> Result<u16, EncodingError> {
    reader.array(what).map(u16::from_le_bytes)
}

fn u32_le(reader: &mut Reader<'_>, what: &'static str) -> Result<u32, EncodingError> {
    reader.array(what).map(u32::from_le_bytes)
}

/// The bytes that a number of four bytes counts.
fn counted<'a>(reader: &mut Reader<'a>, what: &'static str) -> Result<&'a [u8], EncodingError> {
    let len = usize::try_from(u32_le(reader, what)?).unwrap_or(usize::MAX);
    reader.bytes(what, len)
}

impl<'a> Quote<'a> {
    pub(super) fn parse(bytes: &'a [u8], root: &[u8]) -> Result<Self, DcapError> {
        if bytes.len() > MAX_QUOTE {
            return Err(DcapError::Length { found: bytes.len(), max: MAX_QUOTE });
        }
        let mut reader = Reader::new(bytes);
        let (version, kind) = header(&mut reader)?;
        let body = body(&mut reader, version, kind)?;
        let mut signature = Reader::new(counted(&mut reader, "signature data")?);
        reader.finish()?;
        let certificates = signature_data(&mut signature, version, root)?;
        signature.finish()?;
        let quote = Self { kind, certificates, body };
        quote.check_reserved()?;
        Ok(quote)
    }

    /// Reserved bytes of an enclave's report (Intel SDM, volume 3D, table 39-21). A TD report has none.
    fn check_reserved(&self) -> Result<(), DcapError> {
        const SGX: [(usize, usize); 4] = [(20, 32), (96, 128), (160, 192), (262, 304)];
        if self.kind == ProviderKind::Sgx && SGX.iter().any(|(from, to)| !zero(&self.body[*from..*to])) {
            return Err(DcapError::Reserved { what: "report" });
        }
        Ok(())
    }
}

/// Where the lengths at the front of a buffer say that the quote ends.
pub(super) fn extent(buffer: &[u8]) -> Option<usize> {
    let mut reader = Reader::new(buffer);
    let (version, kind) = header(&mut reader).ok()?;
    body(&mut reader, version, kind).ok()?;
    counted(&mut reader, "signature data").ok()?;
    Some(buffer.len() - reader.remaining())
}

fn zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

fn header(reader: &mut Reader<'_>) -> Result<(u16, ProviderKind), DcapError> {
    let mut header = Reader::new(reader.bytes("header", HEADER_LEN)?);
    let version = u16_le(&mut header, "version")?;
    u16_le(&mut header, "kind of attestation key")?;
    let tee = u32_le(&mut header, "TEE")?;
    let kind = match (version, tee) {
        (3, TEE_SGX) => ProviderKind::Sgx,
        (4 | 5, TEE_TDX) => ProviderKind::Tdx,
        _ => return Err(DcapError::Version { version, tee }),
    };
    // security versions of QE and PCE in version 3, reserved since
    let versions = header.bytes("security versions", 4)?;
    if version != 3 && !zero(versions) {
        return Err(DcapError::Reserved { what: "header" });
    }
    Ok((version, kind))
}

fn body<'a>(reader: &mut Reader<'a>, version: u16, kind: ProviderKind) -> Result<&'a [u8], DcapError> {
    const TD_REPORTS: [(u16, usize); 3] = [(2, 584), (3, 648), (4, 885)];
    let len = match (version, kind) {
        (3, _) => SGX_BODY,
        (4, _) => TD_REPORTS[0].1,
        _ => {
            let (found, len) = (u16_le(reader, "kind of body")?, u32_le(reader, "body")?);
            let expected = TD_REPORTS.into_iter().find(|(kind, _)| *kind == found);
            match expected.filter(|(_, expected)| u32::try_from(*expected) == Ok(len)) {
                Some((_, expected)) => expected,
                None => return Err(DcapError::Body { kind: found, found: len }),
            }
        }
    };
    Ok(reader.bytes("body", len)?)
}

fn signature_data(reader: &mut Reader<'_>, version: u16, root: &[u8]) -> Result<Vec<Vec<u8>>, DcapError> {
    reader.bytes("signature and attestation key", SIGNATURE_AND_KEY)?;
    if version == 3 {
        return certification(reader, root);
    }
    certification_kind(reader, QE_REPORT_CERTIFICATION)?;
    let mut inner = Reader::new(counted(reader, "certification of the QE's report")?);
    let certificates = certification(&mut inner, root)?;
    inner.finish()?;
    Ok(certificates)
}

fn certification_kind(reader: &mut Reader<'_>, expected: u16) -> Result<(), DcapError> {
    let found = u16_le(reader, "kind of certification data")?;
    if found == expected { Ok(()) } else { Err(DcapError::Certification { expected, found }) }
}

/// QE report 384 ‖ its signature 64 ‖ authentication data ‖ the PCK certificate's chain.
fn certification(reader: &mut Reader<'_>, root: &[u8]) -> Result<Vec<Vec<u8>>, DcapError> {
    reader.bytes("QE report and its signature", QE_REPORT + 64)?;
    let len = u16_le(reader, "authentication data")?;
    reader.bytes("authentication data", len.into())?;
    certification_kind(reader, PCK_CHAIN)?;
    chain(counted(reader, "certificates")?, root)
}

/// PCK certificate, its authority and the root, each as RFC 7468 writes it, and at most one zero behind.
fn chain(bytes: &[u8], root: &[u8]) -> Result<Vec<Vec<u8>>, DcapError> {
    const END: &str = "-----END CERTIFICATE-----\n";
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    let text = core::str::from_utf8(bytes).map_err(|_| DcapError::Chain)?;
    let blocks: Vec<&str> = text.split_inclusive(END).collect();
    if blocks.len() != 3 {
        return Err(DcapError::Chain);
    }
    let certificates = blocks.into_iter().map(certificate).collect::<Result<Vec<_>, _>>()?;
    if certificates[2] == root { Ok(certificates) } else { Err(DcapError::Root) }
}

/// One block in its canonical form: written again, it is the same.
fn certificate(block: &str) -> Result<Vec<u8>, DcapError> {
    let (label, bytes) = pem::decode_vec(block.as_bytes()).map_err(|_| DcapError::Chain)?;
    match pem::encode_string("CERTIFICATE", LineEnding::LF, &bytes) {
        Ok(again) if label == "CERTIFICATE" && again == block => Ok(bytes),
        _ => Err(DcapError::Chain),
    }
}
