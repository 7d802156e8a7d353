//! Evidence in words: what it says of itself, and what nobody has checked.

use super::Fields;
use ccc_core::enclave::attestation::{
    Body, EvidenceList, ProviderKind, Registers, SnpRegisters, Stated, StatedCertificate, StatedPeriod, Tcb, stated,
};
use serde_json::{Value, json};
use std::borrow::Cow;

/// Who claims to have made it, and everything that it says. Nothing is verified.
pub(super) fn of(fields: Fields, evidence: &[u8]) -> Fields {
    match EvidenceList::from_bytes(evidence) {
        Ok(list) if list.pieces().len() > 1 => of_several(fields, &list),
        Ok(_) => of_one(fields, evidence),
        Err(error) => fields.add("malformed", error.to_string()),
    }
}

/// Each piece as it would be shown alone, under its number; the first is of the enclave that holds the keys.
fn of_several(fields: Fields, list: &EvidenceList<'_>) -> Fields {
    let fields = fields.add("pieces", list.pieces().len());
    (1..).zip(list.pieces()).fold(fields, |fields, (number, piece)| {
        let of = |(name, value): (Cow<'static, str>, Value)| (Cow::Owned(format!("{number}_{name}")), value);
        let own = of_one(Fields::default(), piece).0.into_iter().map(of);
        Fields(fields.0.into_iter().chain(own).collect())
    })
}

fn of_one(fields: Fields, evidence: &[u8]) -> Fields {
    let Ok(kind) = ProviderKind::of(evidence) else { return fields };
    let fields = parts(fields.add("provider", kind.to_string()), evidence);
    match stated(evidence) {
        Ok(stated) => said(fields, &stated).add("not_verified", unverified(kind)),
        Err(error) => fields.add("malformed", error.to_string()),
    }
}

/// The parts that a verifier reads.
fn parts(fields: Fields, evidence: &[u8]) -> Fields {
    match Body::from_bytes(evidence) {
        Ok(Body::Nitro { document }) => fields.add("document_bytes", document.len()),
        Ok(Body::Snp { report, vcek }) => fields.add("report_bytes", report.len()).add("vcek_bytes", vcek.len()),
        Ok(Body::Tdx { quote, collateral } | Body::Sgx { quote, collateral }) => {
            fields.add("quote_bytes", quote.len()).add("collateral_bytes", collateral.len())
        }
        _ => fields,
    }
}

fn said(fields: Fields, stated: &Stated) -> Fields {
    let fields = registers(fields.bytes("measurement", &stated.measurement), &stated.registers);
    let nonce = match &stated.nonce {
        None => "none: this kind has no such field".into(),
        Some(nonce) => hex_or_empty(nonce),
    };
    let fields =
        fields.add("user_data", hex_or_empty(&stated.user_data)).add("nonce", nonce).add("debug", stated.debug);
    dates(tcb(fields, stated.tcb.as_ref()), stated)
}

fn hex_or_empty(bytes: &[u8]) -> String {
    if bytes.is_empty() { "empty".into() } else { hex::encode(bytes) }
}

fn registers(fields: Fields, registers: &Registers) -> Fields {
    match registers {
        Registers::Nitro { pcrs } => {
            // without those that nothing was measured into
            let used = pcrs.iter().filter(|(number, value)| **number <= 2 || value.iter().any(|byte| *byte != 0));
            used.fold(fields, |fields, (number, value)| fields.bytes(format!("pcr{number}"), value))
        }
        Registers::Snp(found) => of_snp(fields, found),
        Registers::Tdx { mrtd, rtmr, migratable } => fields
            .bytes("mrtd", mrtd)
            .bytes("rtmr0", &rtmr[0])
            .bytes("rtmr1", &rtmr[1])
            .bytes("rtmr2", &rtmr[2])
            .bytes("rtmr3", &rtmr[3])
            .add("migratable", *migratable),
        Registers::Sgx { mrenclave, mrsigner, product, version } => fields
            .bytes("mrenclave", mrenclave)
            .bytes("mrsigner", mrsigner)
            .add("product", *product)
            .add("security_version", *version),
        _ => fields,
    }
}

fn of_snp(fields: Fields, found: &SnpRegisters) -> Fields {
    fields
        .bytes("launch_measurement", &found.measurement)
        .bytes("host_data", &found.host_data)
        .bytes("family_id", &found.family_id)
        .bytes("image_id", &found.image_id)
        .bytes("id_key_digest", &found.id_key_digest)
        .add("guest_svn", found.guest_svn)
        .add("privilege_level", found.vmpl)
        .add("migratable", found.migratable)
}

fn tcb(fields: Fields, tcb: Option<&Tcb>) -> Fields {
    match tcb {
        Some(Tcb::Snp { generation, reported, committed }) => fields
            .add("generation", generation.to_string())
            .add("firmware", reported.to_string())
            .add("firmware_committed", committed.to_string()),
        Some(Tcb::Unstated) => fields.add("tcb", "not stated by this kind"),
        _ => fields.add("tcb", "a verdict over the platform, which verification gives"),
    }
}

/// *Units*: Unix seconds.
fn dates(fields: Fields, stated: &Stated) -> Fields {
    let fields = match stated.issued {
        Some(made) => fields.add("made", made),
        None => fields.add("made", "not stated by this kind"),
    };
    let fields = match stated.validity {
        Some((not_before, not_after)) => fields.add("not_before", not_before).add("not_after", not_after),
        None => fields,
    };
    let certificates: Vec<Value> = stated.certificates.iter().map(of_certificate).collect();
    let fields = if certificates.is_empty() { fields } else { fields.add("certificates", certificates) };
    let collateral: Vec<Value> = stated.collateral.iter().map(of_period).collect();
    if collateral.is_empty() { fields } else { fields.add("collateral", collateral) }
}

fn of_period(period: &StatedPeriod) -> Value {
    let StatedPeriod { what, not_before, not_after, .. } = period;
    json!({ "part": what, "not_before": not_before, "not_after": not_after })
}

fn of_certificate(certificate: &StatedCertificate) -> Value {
    let StatedCertificate { subject, not_before, not_after, .. } = certificate;
    json!({ "subject": subject, "not_before": not_before, "not_after": not_after })
}

/// What `ccc verify` checks and this does not.
fn unverified(kind: ProviderKind) -> &'static str {
    match kind {
        ProviderKind::Simulated => "signature, root, dates, policy",
        ProviderKind::Nitro => "signature, certificates up to the root, dates, policy",
        ProviderKind::SevSnp => {
            "signature, certificates up to the root, chip and firmware of the certificate, dates, policy"
        }
        ProviderKind::Tdx | ProviderKind::Sgx => {
            "signatures, certificates up to the root, revocation lists, collateral, verdict over the platform, dates, policy"
        }
        _ => "anything",
    }
}
