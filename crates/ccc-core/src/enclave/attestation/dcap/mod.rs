//! Evidence of Intel TDX domains and SGX enclaves: quotes with the collateral that appraises them.
//!
//! *Layout* of the body: LP(quote) ‖ LP(collateral), the collateral in JSON as a caching service gives it. The
//! signatures, the revocation lists and the verdict are `dcap-qvl`'s; lengths, reserved bytes, the form of the chain and
//! the dates are checked here. Intel's root is pinned: its SHA-256 fingerprint is
//! `44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3`.

mod collateral;
mod quote;

pub use quote::MAX_QUOTE;

use super::ProviderKind;
use super::evidence::{DcapStatus, Evidence, Registers, Tcb, Window};
use super::stated::{Stated, StatedCertificate};
use crate::encoding::EncodingError;
use alloc::string::{String, ToString};
use dcap_qvl::QuoteCollateralV3;
use dcap_qvl::configs::RustCryptoConfig;
use dcap_qvl::policy::{QuoteClaims, QuotePolicy};
use dcap_qvl::quote::{Report, TDReport10};
use dcap_qvl::tcb_info::TcbStatus;
use dcap_qvl::verify::QuoteVerifier;
use quote::Quote;

/// Intel's root for SGX and TDX, in DER.
pub const ROOT: &[u8] = include_bytes!("../roots/intel-sgx.der");
/// Greatest length of collateral.
pub const MAX_COLLATERAL: usize = 3 << 14;

/// DEBUG of an enclave's attributes, and of a domain's the bits of its first byte.
const SGX_DEBUG: u8 = 1 << 1;
const TD_DEBUG: u8 = 0xff;
/// MIGRATABLE: bit 29 of a domain's attributes.
const TD_MIGRATABLE: u8 = 1 << 5;
/// Longest reason that is passed on.
const MAX_REASON: usize = 256;

/// Why a quote is not genuine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DcapError {
    /// More bytes than are read.
    #[error("{found} bytes, where at most {max} are read")]
    Length {
        /// The length found.
        found: usize,
        /// The greatest length.
        max: usize,
    },
    /// Fewer bytes than the layout needs, or bytes left over after its last field.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// A version and TEE that are not read together.
    #[error("version {version} of TEE {tee:#x}, where version 3 of SGX and versions 4 and 5 of TDX are read")]
    Version {
        /// The version found.
        version: u16,
        /// The TEE found.
        tee: u32,
    },
    /// A body that is no TD report of its length.
    #[error("body of kind {kind} and {found} bytes, which is no TD report")]
    Body {
        /// The kind found.
        kind: u16,
        /// The length found.
        found: u32,
    },
    /// Certification data of another kind.
    #[error("certification data of kind {found}, where {expected} is read")]
    Certification {
        /// The kind wanted.
        expected: u16,
        /// The kind found.
        found: u16,
    },
    /// Reserved bytes that are not zero.
    #[error("{what}: reserved bytes are not zero")]
    Reserved {
        /// The field.
        what: &'static str,
    },
    /// Certificates in another form than three blocks of PEM.
    #[error("the chain is not three certificates in their one form of PEM")]
    Chain,
    /// The chain ends in another root than the pinned one.
    #[error("the root of the chain is not the pinned one")]
    Root,
    /// Collateral that is not JSON of its fields.
    #[error("the collateral is not of its form: {0}")]
    Collateral(String),
    /// Before the collateral was issued, or after it expired.
    #[error("quote and collateral are valid from {not_before} to {not_after}, and it is {now}")]
    Validity {
        /// First second.
        not_before: u64,
        /// Last second.
        not_after: u64,
        /// The time given.
        now: u64,
    },
    /// A signature, a revocation or a level: in the words of the verifier.
    #[error("{0}")]
    Refused(String),
    /// A verdict that is not known here, or a revoked platform.
    #[error("the platform's status is {0}")]
    Status(String),
}

/// Checks a quote's form, and its signatures under the collateral and the root. Whether its registers and the verdict
/// over its platform are accepted, a policy decides. A revoked platform is not genuine.
///
/// A quote says no time: its evidence is valid as long as the collateral and its certificates, and fresh by its user
/// data alone. Where quote and collateral carry a chain each, the quote's is verified.
///
/// *Units*: now in Unix seconds. *Timing*: about twelve signatures over P-256.
///
/// # Errors
/// [`DcapError`].
pub fn verify(quote: &[u8], collateral: &[u8], root: &[u8], now: u64) -> Result<Evidence, DcapError> {
    let form = Quote::parse(quote, root)?;
    let collateral = read_collateral(collateral)?;
    let verifier = QuoteVerifier::<RustCryptoConfig>::new_with_config(root.to_vec()).allow_debug(true);
    let claims = verifier
        .verify_with_policy(quote, collateral, now, &QuotePolicy::claims_only(now))
        .map_err(|error| DcapError::Refused(reason(error)))?;
    evidence(form.kind, &claims, now)
}

/// A quote without the zeros behind it that a device's buffer of one length leaves.
///
/// *Security*: [`verify`] reads no trailing byte. Call this where a buffer is read, never where evidence is received.
#[must_use]
pub fn without_padding(buffer: &[u8]) -> &[u8] {
    let whole = quote::extent(buffer).and_then(|len| buffer.split_at_checked(len));
    match whole {
        Some((quote, padding)) if padding.iter().all(|byte| *byte == 0) => quote,
        _ => buffer,
    }
}

fn read_collateral(bytes: &[u8]) -> Result<QuoteCollateralV3, DcapError> {
    if bytes.len() > MAX_COLLATERAL {
        return Err(DcapError::Length { found: bytes.len(), max: MAX_COLLATERAL });
    }
    let read = serde_json::from_slice::<QuoteCollateralV3>(bytes);
    let mut collateral = read.map_err(|error| DcapError::Collateral(reason(error)))?;
    collateral.pck_certificate_chain = None;
    Ok(collateral)
}

/// The words of a dependency, at most [`MAX_REASON`] characters of them: they may quote the input.
fn reason(error: impl core::fmt::Display) -> String {
    error.to_string().chars().filter(|c| !c.is_control()).take(MAX_REASON).collect()
}

fn evidence(kind: ProviderKind, claims: &QuoteClaims, now: u64) -> Result<Evidence, DcapError> {
    let window = Window { not_before: claims.latest_issue_date, not_after: claims.earliest_expiration_date };
    let Window { not_before, not_after } = window;
    if !window.contains(now) {
        return Err(DcapError::Validity { not_before, not_after, now });
    }
    let (registers, user_data, debug) = report(&claims.report);
    let tcb = Tcb::Dcap {
        status: status(claims.tcb.status)?,
        advisories: claims.tcb.advisory_ids.clone(),
        evaluation: claims.tcb.eval_data_number,
    };
    Ok(Evidence {
        kind,
        measurement: registers.measurement().expect("every kind of hardware has one"),
        registers,
        user_data: user_data.to_vec(),
        nonce: None,
        debug,
        tcb,
        issued: None,
        not_before,
        not_after,
    })
}

/// What a quote says, its form read, and nothing verified: of the collateral the dates are read, where it has any.
///
/// # Errors
/// [`DcapError`].
pub(super) fn stated(quote: &[u8], collateral: &[u8]) -> Result<Stated, DcapError> {
    let form = Quote::parse(quote, ROOT)?;
    let read = dcap_qvl::quote::Quote::parse(quote).map_err(|error| DcapError::Refused(reason(error)))?;
    let (registers, user_data, debug) = report(&read.report);
    Ok(Stated {
        kind: form.kind,
        measurement: registers.measurement().expect("every kind of hardware has one"),
        registers,
        user_data: user_data.to_vec(),
        nonce: None,
        debug,
        tcb: None,
        issued: None,
        validity: None,
        certificates: form.certificates.iter().filter_map(|bytes| StatedCertificate::read(bytes)).collect(),
        collateral: collateral::periods(collateral).unwrap_or_default(),
    })
}

fn report(report: &Report) -> (Registers, [u8; 64], bool) {
    match report {
        Report::SgxEnclave(enclave) => {
            let registers = Registers::Sgx {
                mrenclave: enclave.mr_enclave,
                mrsigner: enclave.mr_signer,
                product: enclave.isv_prod_id,
                version: enclave.isv_svn,
            };
            (registers, enclave.report_data, enclave.attributes[0] & SGX_DEBUG != 0)
        }
        Report::TD10(domain) => domain_report(domain),
        Report::TD15(domain) => domain_report(&domain.base),
        Report::TD15Ex(domain) => domain_report(&domain.base.base),
    }
}

fn domain_report(domain: &TDReport10) -> (Registers, [u8; 64], bool) {
    let registers = Registers::Tdx {
        mrtd: domain.mr_td,
        rtmr: [domain.rt_mr0, domain.rt_mr1, domain.rt_mr2, domain.rt_mr3],
        migratable: domain.td_attributes[3] & TD_MIGRATABLE != 0,
    };
    (registers, domain.report_data, domain.td_attributes[0] & TD_DEBUG != 0)
}

fn status(found: TcbStatus) -> Result<DcapStatus, DcapError> {
    let name = found.to_string();
    DcapStatus::named(&name).ok_or(DcapError::Status(name))
}

#[cfg(test)]
mod tests;
