//! Evidence of AMD SEV-SNP guests: attestation reports under the key of the chip that made them (VCEK).
//!
//! *Layout* of the body: report 1184 ‖ LP(VCEK certificate in DER). ASK and ARK are pinned here.
//! *Source*: AMD, *SEV Secure Nested Paging Firmware ABI Specification*, 56860, and *Versioned Chip Endorsement Key
//! (VCEK) Certificate and KDS Interface Specification*, 57230. Keys of a loader (VLEK) are not read.

mod report;

pub use super::evidence::SnpGeneration as Generation;
pub use report::REPORT_LEN;

use super::chain::{Certificate, ChainError, Issuers, VerifiedChain, check_p384};
use super::evidence::{Evidence, Registers, SnpTcb, Tcb, Window};
use super::stated::{Stated, StatedCertificate};
use super::{ProviderKind, RevocationError, RevocationLists};
use der::Decode;
use der::asn1::ObjectIdentifier;
use p384::ecdsa::VerifyingKey;
use report::Report;

/// AMD's authorities for one generation of processors: ARK, self-signed, and ASK, which signs the keys of chips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority<'a> {
    /// ARK, in DER.
    pub root: &'a [u8],
    /// ASK, in DER.
    pub intermediate: &'a [u8],
    /// Whose keys they sign.
    pub generation: Generation,
}

/// The pinned authorities: Milan, Genoa and Turin.
pub const AUTHORITIES: [Authority<'static>; 3] = [
    Authority {
        root: include_bytes!("../roots/amd-ark-milan.der"),
        intermediate: include_bytes!("../roots/amd-ask-milan.der"),
        generation: Generation::Milan,
    },
    Authority {
        root: include_bytes!("../roots/amd-ark-genoa.der"),
        intermediate: include_bytes!("../roots/amd-ask-genoa.der"),
        generation: Generation::Genoa,
    },
    Authority {
        root: include_bytes!("../roots/amd-ark-turin.der"),
        intermediate: include_bytes!("../roots/amd-ask-turin.der"),
        generation: Generation::Turin,
    },
];

/// AMD's arc for extensions of a VCEK: 57230, table 8.
const HARDWARE_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.4");
const BOOT_LOADER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.1");
const TEE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.2");
const SNP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.3");
const MICROCODE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.8");
const FMC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.9");

/// Why a report is not genuine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnpError {
    /// Another length than a report's.
    #[error("{found} bytes, where a report has {expected}")]
    Length {
        /// The length of a report.
        expected: usize,
        /// The length found.
        found: usize,
    },
    /// A version of the layout that is not read.
    #[error("version {found} of the report, where 2 to 5 are read")]
    Version {
        /// The version found.
        found: u32,
    },
    /// Another algorithm than ECDSA over P-384 with SHA-384.
    #[error("signature algorithm {found}, where 1 is read")]
    Algorithm {
        /// The number found.
        found: u32,
    },
    /// Reserved bytes that are not as they have to be.
    #[error("{what}: reserved bytes are not zero")]
    Reserved {
        /// The field.
        what: &'static str,
    },
    /// Signed by another key than the chip's.
    #[error("signed by key {found}, where the chip's key 0 is read")]
    SigningKey {
        /// The number found.
        found: u32,
    },
    /// The host has the chip's name hidden, so that no certificate fits.
    #[error("the chip's name is masked")]
    ChipMasked,
    /// A certificate of no pinned authority.
    #[error("the certificate is issued by none of the {known} authorities")]
    Product {
        /// The number of authorities.
        known: usize,
    },
    /// The processor's family is not the authority's.
    #[error("processor family {found:#04x}, where the certificate is of {expected:#04x}")]
    Family {
        /// The authority's.
        expected: u8,
        /// The report's.
        found: u8,
    },
    /// An extension of the certificate is missing or malformed.
    #[error("the certificate does not state its {what}")]
    Extension {
        /// Which.
        what: &'static str,
    },
    /// A report of another chip than the certificate's.
    #[error("the report is of another chip than the certificate")]
    Chip,
    /// The certificate is of other firmware than the report states.
    #[error("the report is of firmware {found}; the certificate of {expected}")]
    Firmware {
        /// The certificate's.
        expected: SnpTcb,
        /// The report's.
        found: SnpTcb,
    },
    /// Certificates.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A certificate that was taken back, or a list that is none of the chain's.
    #[error(transparent)]
    Revocation(#[from] RevocationError),
    /// Not signed by the certificate's key.
    #[error("the report is not signed by its certificate's key")]
    Signature,
}

impl Generation {
    /// Versions in their places (56860, table 3), the places between them zero.
    fn tcb(self, bytes: [u8; 8]) -> Option<SnpTcb> {
        let [b0, b1, b2, b3, b4, b5, b6, microcode] = bytes;
        match self {
            Self::Milan | Self::Genoa => {
                ([b2, b3, b4, b5] == [0; 4]).then_some(SnpTcb { fmc: 0, boot_loader: b0, tee: b1, snp: b6, microcode })
            }
            Self::Turin => {
                ([b4, b5, b6] == [0; 3]).then_some(SnpTcb { fmc: b0, boot_loader: b1, tee: b2, snp: b3, microcode })
            }
        }
    }

    /// Bytes of a chip's name; the rest of the field is zero.
    fn name_len(self) -> usize {
        match self {
            Self::Milan | Self::Genoa => 64,
            Self::Turin => 8,
        }
    }

    fn family(self) -> u8 {
        match self {
            Self::Milan | Self::Genoa => 0x19,
            Self::Turin => 0x1a,
        }
    }
}

/// Checks a report's form, signature, chip, firmware and chain. Whether its registers are accepted, a policy decides.
///
/// A report says no time: its evidence is valid as long as its certificates, and fresh by its user data alone.
///
/// *Units*: now in Unix seconds. *Timing*: one signature over P-384, two of RSA.
///
/// # Errors
/// [`SnpError`].
pub fn verify(report: &[u8], vcek: &[u8], authorities: &[Authority<'_>], now: u64) -> Result<Evidence, SnpError> {
    let report = Report::parse(report)?;
    let chain = Chain::parse(vcek, authorities)?;
    // the cheapest check over every signed byte, so that an altered one costs one signature
    check_signature(&report, &chain.below_root[0].p384(0)?)?;
    evidence(&report, &chain, chain.verify(now)?.window())
}

/// Checks the chain of a certificate alone, to be kept for other reports of the same chip.
///
/// # Errors
/// [`SnpError`].
pub fn chain(vcek: &[u8], authorities: &[Authority<'_>], now: u64) -> Result<VerifiedChain, SnpError> {
    Ok(Chain::parse(vcek, authorities)?.verify(now)?)
}

/// Holds a certificate's chain against revocation lists. AMD numbers no VCEK: its list takes back authorities.
///
/// *Units*: now in Unix seconds. *Timing*: at most one signature of RSA for each certificate.
///
/// # Errors
/// [`SnpError::Revocation`], or that the certificate has no chain.
pub fn check_revocation(
    vcek: &[u8],
    authorities: &[Authority<'_>],
    lists: &RevocationLists,
    now: u64,
) -> Result<(), SnpError> {
    let chain = Chain::parse(vcek, authorities)?;
    Ok(super::chain::check_revocation(&chain.below_root, &chain.root, Issuers::RsaPss, lists, now)?)
}

/// As [`verify`], under a chain that was verified before. *Timing*: one signature over P-384.
///
/// # Errors
/// [`SnpError`]; [`ChainError::OtherChain`] where the certificate is another one.
pub fn verify_under(
    report: &[u8],
    vcek: &[u8],
    authorities: &[Authority<'_>],
    verified: &VerifiedChain,
    now: u64,
) -> Result<Evidence, SnpError> {
    let report = Report::parse(report)?;
    let chain = Chain::parse(vcek, authorities)?;
    check_signature(&report, verified.admits(&chain.below_root, &chain.root, now)?)?;
    evidence(&report, &chain, verified.window())
}

/// A chip's certificate and the authority that issued it.
struct Chain<'a> {
    /// VCEK and ASK.
    below_root: [Certificate<'a>; 2],
    /// ARK.
    root: Certificate<'a>,
    generation: Generation,
}

impl<'a> Chain<'a> {
    fn parse(vcek: &'a [u8], authorities: &[Authority<'a>]) -> Result<Self, SnpError> {
        let vcek = Certificate::parse(vcek, 0)?;
        for Authority { root, intermediate, generation } in authorities {
            let intermediate = Certificate::parse(intermediate, 1)?;
            if vcek.issued_by(&intermediate) {
                let root = Certificate::parse(root, 2)?;
                return Ok(Self { below_root: [vcek, intermediate], root, generation: *generation });
            }
        }
        Err(SnpError::Product { known: authorities.len() })
    }

    fn verify(&self, now: u64) -> Result<VerifiedChain, ChainError> {
        VerifiedChain::new(&self.below_root, &self.root, Issuers::RsaPss, now)
    }

    fn check_chip(&self, report: &Report<'_>) -> Result<(), SnpError> {
        let expected = self.generation.family();
        if let Some(found) = report.family().filter(|found| *found != expected) {
            return Err(SnpError::Family { expected, found });
        }
        let name = self.below_root[0].extension(HARDWARE_ID).ok_or(SnpError::Extension { what: "chip" })?;
        let chip = report.chip();
        let (found, rest) = chip.split_at(self.generation.name_len());
        if found == name && rest.iter().all(|byte| *byte == 0) { Ok(()) } else { Err(SnpError::Chip) }
    }

    /// The firmware that the chip's key is derived from.
    fn firmware(&self) -> Result<SnpTcb, SnpError> {
        let version = |oid, what| {
            let value = self.below_root[0].extension(oid).and_then(|bytes| u8::from_der(bytes).ok());
            value.ok_or(SnpError::Extension { what })
        };
        Ok(SnpTcb {
            fmc: match self.generation {
                Generation::Milan | Generation::Genoa => 0,
                Generation::Turin => version(FMC, "version of the FMC")?,
            },
            boot_loader: version(BOOT_LOADER, "version of the bootloader")?,
            tee: version(TEE, "version of the TEE")?,
            snp: version(SNP, "version of SNP")?,
            microcode: version(MICROCODE, "version of the microcode")?,
        })
    }
}

fn check_signature(report: &Report<'_>, key: &VerifyingKey) -> Result<(), SnpError> {
    let verifies = check_p384(key, report.signed(), &report.signature());
    if verifies { Ok(()) } else { Err(SnpError::Signature) }
}

fn evidence(report: &Report<'_>, chain: &Chain<'_>, window: Window) -> Result<Evidence, SnpError> {
    chain.check_chip(report)?;
    let (reported, committed) = report.tcb(chain.generation)?;
    let expected = chain.firmware()?;
    if reported != expected {
        return Err(SnpError::Firmware { expected, found: reported });
    }
    let registers = Registers::Snp(report.registers());
    Ok(Evidence {
        kind: ProviderKind::SevSnp,
        measurement: registers.measurement().expect("every kind of hardware has one"),
        registers,
        user_data: report.report_data().to_vec(),
        nonce: None,
        debug: report.debug(),
        tcb: Tcb::Snp { generation: chain.generation, reported, committed },
        issued: None,
        not_before: window.not_before,
        not_after: window.not_after,
    })
}

/// What a report says, its form and its certificate's read, and nothing verified.
///
/// # Errors
/// [`SnpError`].
pub(super) fn stated(report: &[u8], vcek: &[u8]) -> Result<Stated, SnpError> {
    let report = Report::parse(report)?;
    let chain = Chain::parse(vcek, &AUTHORITIES)?;
    let generation = chain.generation;
    let (reported, committed) = report.tcb(generation)?;
    let registers = Registers::Snp(report.registers());
    let upwards = chain.below_root.iter().chain([&chain.root]);
    Ok(Stated {
        kind: ProviderKind::SevSnp,
        measurement: registers.measurement().expect("every kind of hardware has one"),
        registers,
        user_data: report.report_data().to_vec(),
        nonce: None,
        debug: report.debug(),
        tcb: Some(Tcb::Snp { generation, reported, committed }),
        issued: None,
        validity: None,
        certificates: upwards.filter_map(|certificate| StatedCertificate::read(certificate.bytes())).collect(),
        collateral: alloc::vec::Vec::new(),
    })
}

#[cfg(test)]
mod tests;
