//! What is this file?

use super::support::{Scratch, Story};
use std::{fs, path::Path};

#[test]
fn every_kind_of_file_is_told() {
    let story = Story::stocked();
    let kind = |path: &str| story.done(&format!("--json inspect {path}")).json()["file"].clone();
    assert_eq!(kind("keys/committee.ccc"), "a committee");
    assert_eq!(kind("keys/participant-1.ccc"), "a secret file");
    assert_eq!(kind("intake/request.ccc"), "a request for re-encryption");
    assert_eq!(kind("intake/recipient.ccc"), "an enclave's attested keys");
    assert_eq!(kind("intake/share-1.ccc"), "a participant's re-encrypted share");
    assert_eq!(kind("intake/report.ccc"), "a signed report");
    story.done("encrypt-order --pool pool --size 1000000 --spread 1 --out order.ccc");
    assert_eq!(kind("order.ccc"), "a ciphertext");
}

#[test]
fn standard_input_is_read() {
    let scratch = Scratch::new();
    scratch.done("--no-passphrase keygen dealer -n 1 --out keys");
    let committee = scratch.read("keys/committee.ccc");
    let run = scratch.ccc_stdin("--json inspect -", &committee);
    assert_eq!((run.code, &run.json()["participants"]), (0, &1.into()));
}

#[test]
fn a_secret_is_never_shown() {
    let scratch = Scratch::new();
    scratch.done("--no-passphrase keygen account --out key.ccc");
    let bytes = scratch.read("key.ccc");
    let shown = scratch.done("inspect key.ccc").stdout;
    for window in bytes[16..].chunks_exact(8) {
        assert!(!shown.contains(&hex::encode(window)));
    }
}

#[test]
fn foreign_bytes_are_refused_and_cannot_steer_the_terminal() {
    let scratch = Scratch::new();
    scratch.write("foreign", b"\x1b[2J not ours");
    scratch.ccc("inspect foreign").fails(2, "none of this project's files");
    scratch.write("empty", b"");
    scratch.ccc("inspect empty").fails(2, "none of this project's files");
    scratch.write("newer", b"CC\x02\x01\x00\x01\x00\x00");
    scratch.ccc("inspect newer").fails(2, "version 2, where 1 is read");
    scratch.ccc("inspect missing").fails(2, "cannot read missing");
    scratch.ccc("inspect .").fails(2, "cannot read");
}

/// Genuine evidence of each kind, as its device gives it: what it says in words, and that nothing of it was checked.
#[test]
fn evidence_of_every_kind_is_told_in_words() {
    let scratch = Scratch::new();
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/attestation");
    let copy = |from: &str, to: &str| fs::copy(vectors.join(from), scratch.path(to)).map(drop).expect("copied");
    copy("nitro/real-2025-01-06-eu-central-1.cose", "document");
    copy("snp/go-sev-guest-attestation.bin", "report");
    copy("snp/go-sev-guest-vcek.der", "vcek");
    copy("dcap/sgx_quote", "quote");
    copy("dcap/sgx_quote_collateral.json", "collateral");
    let told = |file: &str| {
        let (lines, object) =
            (scratch.done(&format!("inspect {file}")), scratch.done(&format!("--json inspect {file}")));
        let object = object.json();
        assert_eq!(object["file"], "attestation evidence");
        let not = object["not_verified"].as_str().expect("what was not verified");
        assert!(not.contains("signature") && lines.stdout.contains(not), "{}", lines.stdout);
        let leaf = &object["certificates"][0];
        assert!(lines.stdout.contains(leaf["subject"].as_str().expect("a subject")), "{}", lines.stdout);
        assert!(leaf["not_before"].as_u64() < leaf["not_after"].as_u64());
        object
    };
    let nitro = told("document");
    assert_eq!((&nitro["provider"], &nitro["debug"]), (&"AWS Nitro".into(), &false.into()));
    assert_eq!((nitro["made"].as_u64(), nitro["pcr0"].as_str().map(str::len)), (Some(1_736_179_625), Some(96)));
    let snp = told("--beside vcek report");
    assert_eq!(
        (&snp["provider"], &snp["debug"], &snp["generation"]),
        (&"AMD SEV-SNP".into(), &true.into(), &"Milan".into())
    );
    assert!(snp["nonce"].as_str().is_some_and(|nonce| nonce.starts_with("none")));
    assert_eq!((&snp["privilege_level"], snp["user_data"].as_str().map(str::len)), (&0.into(), Some(128)));
    let sgx = told("--beside collateral quote");
    assert_eq!((&sgx["provider"], sgx["mrenclave"].as_str().map(str::len)), (&"Intel SGX".into(), Some(64)));
    let parts = sgx["collateral"].as_array().expect("parts");
    assert_eq!(parts.len(), 4);
    assert!(parts.iter().all(|part| part["not_before"].as_u64() < part["not_after"].as_u64()), "{parts:?}");
    assert!(snp.get("collateral").is_none());
    assert!(sgx["not_verified"].as_str().is_some_and(|not| not.contains("revocation")));
    scratch.ccc("inspect report").fails(2, "none of this project's files");
}

/// Evidence whose form is none is told as malformed, and stays evidence.
#[test]
fn malformed_evidence_is_told_so() {
    let scratch = Scratch::new();
    let mut evidence = b"CC\x01\x15\x00\x01\x00\x00\x02".to_vec();
    evidence.extend([0x84, 0x44, 0, 0]);
    scratch.write("evidence", evidence);
    let told = scratch.done("--json inspect evidence").json();
    assert_eq!((&told["file"], &told["provider"]), (&"attestation evidence".into(), &"AWS Nitro".into()));
    assert!(told["malformed"].as_str().is_some_and(|reason| reason.starts_with("CBOR")), "{told}");
}
