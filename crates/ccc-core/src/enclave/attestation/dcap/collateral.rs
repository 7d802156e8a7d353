//! Which dates stand in collateral, read and not verified: what somebody who has to fetch new collateral wants to know.

use super::{DcapError, QuoteCollateralV3, read_collateral};
use crate::enclave::attestation::stated::StatedPeriod;
use alloc::vec::Vec;
use der::{DateTime, Decode};
use x509_cert::crl::TbsCertList;
use x509_cert::time::Time;

/// The periods of each part of collateral that has one. A part that cannot be read is left out.
pub(in super::super) fn periods(collateral: &[u8]) -> Result<Vec<StatedPeriod>, DcapError> {
    let QuoteCollateralV3 { root_ca_crl, pck_crl, tcb_info, qe_identity, .. } = read_collateral(collateral)?;
    let parts = [
        of_json("the platform's levels", &tcb_info),
        of_json("the quoting enclave's identity", &qe_identity),
        of_list("the root's revocation list", &root_ca_crl),
        of_list("the platforms' revocation list", &pck_crl),
    ];
    Ok(parts.into_iter().flatten().collect())
}

fn of_json(what: &'static str, text: &str) -> Option<StatedPeriod> {
    let object: serde_json::Value = serde_json::from_str(text).ok()?;
    let date = |name: &str| object.get(name)?.as_str()?.parse::<DateTime>().ok();
    let seconds = |name: &str| date(name).map(|date| date.unix_duration().as_secs());
    Some(StatedPeriod { what, not_before: seconds("issueDate")?, not_after: seconds("nextUpdate")? })
}

fn of_list(what: &'static str, der: &[u8]) -> Option<StatedPeriod> {
    let list: x509_cert::crl::CertificateList = x509_cert::crl::CertificateList::from_der(der).ok()?;
    let TbsCertList { this_update, next_update, .. } = list.tbs_cert_list;
    let seconds = |time: Time| time.to_unix_duration().as_secs();
    Some(StatedPeriod { what, not_before: seconds(this_update), not_after: seconds(next_update?) })
}
