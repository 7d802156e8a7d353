//! Policies over genuine evidence of every kind, as it travels.

use super::evidence::{Evidence, SnpRegisters};
use super::*;

mod configuration;
mod firmware;
mod registers;
mod stated;

macro_rules! vector {
    ($name:literal) => {
        crate::support::file(concat!("attestation/", $name))
    };
}

const NITRO_AT: u64 = 1_736_179_625;
const SNP_AT: u64 = 1_700_000_000;
const TDX_AT: u64 = 1_750_334_400;

fn nitro() -> Vec<u8> {
    Body::Nitro { document: vector!("nitro/real-2025-01-06-eu-central-1.cose") }.to_bytes().expect("short")
}

fn snp() -> Vec<u8> {
    let report = hex::decode(
        core::str::from_utf8(crate::support::file("attestation/snp/report_milan.hex")).expect("text").trim(),
    );
    let report = report.expect("hexadecimal").try_into().expect("a report");
    Body::Snp { report: &report, vcek: vector!("snp/vcek_milan.der") }.to_bytes().expect("short")
}

fn snp_debug() -> Vec<u8> {
    let report = vector!("snp/go-sev-guest-attestation.bin").try_into().expect("a report");
    Body::Snp { report, vcek: vector!("snp/go-sev-guest-vcek.der") }.to_bytes().expect("short")
}

fn tdx() -> Vec<u8> {
    let quote = dcap::without_padding(vector!("dcap/tdx_quote"));
    Body::Tdx { quote, collateral: vector!("dcap/tdx_quote_collateral.json") }.to_bytes().expect("short")
}

fn sgx() -> Vec<u8> {
    let collateral = vector!("dcap/sgx_quote_collateral.json");
    Body::Sgx { quote: vector!("dcap/sgx_quote"), collateral }.to_bytes().expect("short")
}

fn genuine() -> [(Vec<u8>, u64); 4] {
    [(nitro(), NITRO_AT), (snp(), SNP_AT), (tdx(), TDX_AT), (sgx(), TDX_AT)]
}

/// Accepts exactly what this evidence is of, in production.
fn exact(evidence: &Evidence) -> Policy {
    let measurements = vec![evidence.measurement];
    let hardware = Hardware {
        dcap_statuses: DcapStatus::ALL.to_vec(),
        configurations: vec![[7; 32]],
        snp_minimum: SnpTcb { microcode: 1, ..SnpTcb::default() },
        ..Hardware::default()
    };
    Policy { mode: OperatingMode::Production, measurements, max_age: 60, simulated_roots: vec![], hardware }
}

fn decided(evidence: &Evidence) -> Policy {
    let mut policy = exact(evidence);
    policy.measurements.clear();
    match &evidence.registers {
        Registers::Simulated => {}
        Registers::Nitro { pcrs } => {
            let pcr = |number: u8| (number, pcrs[&number].as_slice().try_into().expect("48 bytes"));
            policy.hardware.nitro.push(NitroProgram { pcrs: [0, 1, 2, 3, 8].map(pcr).into() });
        }
        Registers::Snp(found) => policy.hardware.snp.push(SnpProgram {
            measurement: found.measurement,
            family_id: Some(found.family_id),
            image_id: Some(found.image_id),
            host_data: Some(found.host_data),
            id_key_digest: Some(found.id_key_digest),
        }),
        Registers::Tdx { mrtd, rtmr, .. } => policy.hardware.tdx.push(TdxProgram { mrtd: *mrtd, rtmr: *rtmr }),
        Registers::Sgx { mrenclave, .. } => policy.hardware.sgx.push(SgxProgram::Enclave(*mrenclave)),
    }
    policy
}

#[test]
fn genuine_evidence_of_every_kind_travels_and_is_accepted_by_digest_and_by_register() {
    for (bytes, at) in genuine() {
        let evidence = verify(&bytes, at).expect("genuine evidence");
        assert_eq!(ProviderKind::of(&bytes), Ok(evidence.kind));
        assert_eq!(Body::from_bytes(&bytes).expect("a body").to_bytes(), Ok(bytes.clone()));
        assert_eq!(exact(&evidence).genuine(&bytes, at), Ok(evidence.clone()));
        assert_eq!(decided(&evidence).genuine(&bytes, at), Ok(evidence.clone()));
        let nothing = Policy { measurements: vec![], ..exact(&evidence) };
        let found = evidence.measurement;
        assert_eq!(nothing.genuine(&bytes, at), Err(PolicyRefusal::Measurement { found, listed: 0 }));
    }
}

#[test]
fn raw_evidence_is_told_by_its_first_bytes() {
    for (bytes, at) in genuine() {
        let body = Body::from_bytes(&bytes).expect("a body");
        let (raw, beside): (&[u8], Option<&[u8]>) = match body {
            Body::Nitro { document } => (document, None),
            Body::Snp { report, vcek } => (report, Some(vcek)),
            Body::Tdx { quote, collateral } | Body::Sgx { quote, collateral } => (quote, Some(collateral)),
        };
        assert_eq!(Body::from_raw(raw, beside), Some(body));
        let other = beside.is_none().then_some(&[][..]);
        assert_eq!(Body::from_raw(raw, other), None);
        assert!(verify(&bytes, at).is_ok());
    }
    assert_eq!(Body::from_raw(&[], Some(&[])), None);
    assert_eq!(Body::from_raw(b"CC", None), None);
}

#[test]
fn n105_trailing_bytes_of_evidence_are_refused() {
    for (bytes, at) in genuine() {
        for extra in [1, 64] {
            let long = [&bytes[..], &vec![0; extra]].concat();
            assert!(verify(&long, at).is_err());
        }
    }
    let long = [&nitro()[..9], &vec![0; MAX_EVIDENCE]].concat();
    assert!(matches!(verify(&long, NITRO_AT), Err(EvidenceError::Encoding(_))));
    let mut other = sgx();
    other[8] = ProviderKind::Tdx as u8;
    let (expected, found) = (ProviderKind::Tdx, ProviderKind::Sgx);
    assert_eq!(verify(&other, TDX_AT), Err(EvidenceError::Quote { expected, found }));
}

#[test]
fn n097_genuine_evidence_of_debug_mode_is_refused() {
    let bytes = snp_debug();
    let evidence = verify(&bytes, SNP_AT).expect("genuine evidence");
    assert_eq!(exact(&evidence).genuine(&bytes, SNP_AT), Err(PolicyRefusal::Debug));
    let document = vector!("nitro/evervault-beta-debug-mode-attestation-doc.cose");
    let bytes = Body::Nitro { document }.to_bytes().expect("short");
    let evidence = verify(&bytes, 1_665_582_606).expect("genuine evidence");
    assert_eq!(exact(&evidence).genuine(&bytes, 1_665_582_606), Err(PolicyRefusal::Debug));
}

#[test]
fn n096_n106_genuine_evidence_for_another_request_is_refused() {
    for (bytes, at) in genuine() {
        let evidence = verify(&bytes, at).expect("genuine evidence");
        let policy = exact(&evidence);
        let expected = match evidence.nonce {
            Some(_) => PolicyRefusal::Nonce,
            None => PolicyRefusal::UserData,
        };
        assert_eq!(policy.check(&bytes, &[1; 64], &[2; 64], at), Err(expected));
    }
}

#[test]
fn n103_a_status_that_the_policy_does_not_name_is_refused() {
    let evidence = verify(&sgx(), TDX_AT).expect("genuine evidence");
    let found = DcapStatus::ConfigurationAndSwHardeningNeeded;
    let mut strict = exact(&evidence);
    strict.hardware.dcap_statuses = Hardware::default().dcap_statuses;
    assert_eq!(strict.genuine(&sgx(), TDX_AT), Err(PolicyRefusal::Status { found }));
    let mut newer = exact(&evidence);
    newer.hardware.dcap_evaluation = 18;
    assert_eq!(newer.genuine(&sgx(), TDX_AT), Err(PolicyRefusal::Evaluation { found: 17, minimum: 18 }));
}

#[test]
fn n107_every_register_that_a_program_holds_has_to_be_equal() {
    let refused = |bytes: &[u8], at: u64, change: &dyn Fn(&mut Hardware)| {
        let evidence = verify(bytes, at).expect("genuine evidence");
        let mut policy = decided(&evidence);
        change(&mut policy.hardware);
        let found = evidence.measurement;
        assert_eq!(policy.accept(&evidence, at), Err(PolicyRefusal::Measurement { found, listed: 1 }));
    };
    for number in [0, 1, 2, 3, 8] {
        refused(&nitro(), NITRO_AT, &|hardware| {
            hardware.nitro[0].pcrs.insert(number, [9; 48]);
        });
    }
    refused(&nitro(), NITRO_AT, &|hardware| {
        hardware.nitro[0].pcrs.remove(&2);
    });
    refused(&nitro(), NITRO_AT, &|hardware| {
        hardware.nitro[0].pcrs.insert(17, [0; 48]);
    });
    refused(&snp(), SNP_AT, &|hardware| hardware.snp[0].measurement[47] ^= 1);
    refused(&snp(), SNP_AT, &|hardware| hardware.snp[0].family_id = Some([1; 16]));
    refused(&snp(), SNP_AT, &|hardware| hardware.snp[0].image_id = Some([1; 16]));
    refused(&snp(), SNP_AT, &|hardware| hardware.snp[0].host_data = Some([1; 32]));
    refused(&snp(), SNP_AT, &|hardware| hardware.snp[0].id_key_digest = Some([1; 48]));
    refused(&snp(), SNP_AT, &|hardware| hardware.snp[0].id_key_digest = None);
    refused(&tdx(), TDX_AT, &|hardware| hardware.tdx[0].mrtd[0] ^= 1);
    for register in 0..4 {
        refused(&tdx(), TDX_AT, &|hardware| hardware.tdx[0].rtmr[register][0] ^= 1);
    }
    refused(&sgx(), TDX_AT, &|hardware| hardware.sgx[0] = SgxProgram::Enclave([1; 32]));
    let evidence = verify(&sgx(), TDX_AT).expect("genuine evidence");
    let Registers::Sgx { mrsigner, product, version, .. } = evidence.registers else { panic!("registers of SGX") };
    let signer = |mrsigner, product, version| SgxProgram::Signer { mrsigner, product, version };
    let mut by_signer = decided(&evidence);
    by_signer.hardware.sgx[0] = signer(mrsigner, product, version);
    assert_eq!(by_signer.accept(&evidence, TDX_AT), Ok(()));
    for other in [
        signer([1; 32], product, version),
        signer(mrsigner, product + 1, version),
        signer(mrsigner, product, version + 1),
    ] {
        refused(&sgx(), TDX_AT, &|hardware| hardware.sgx[0] = other.clone());
    }
}

/// What one row of the truth table changes in sound evidence, and what a policy says to it.
type Row = (&'static str, fn(&mut Evidence), Result<(), PolicyRefusal>);

#[test]
fn n097_n107_the_policy_is_a_truth_table() {
    let mut sound = verify(&snp(), SNP_AT).expect("genuine evidence");
    let minimum = SnpTcb { fmc: 1, boot_loader: 3, tee: 1, snp: 8, microcode: 0x73 };
    fn registers(evidence: &mut Evidence) -> &mut SnpRegisters {
        match &mut evidence.registers {
            Registers::Snp(registers) => registers,
            other => panic!("{other:?}"),
        }
    }
    fn firmware(evidence: &mut Evidence, change: impl Fn(&mut SnpTcb)) {
        match &mut evidence.tcb {
            Tcb::Snp { reported, .. } => change(reported),
            other => panic!("{other:?}"),
        }
    }
    firmware(&mut sound, |tcb| (tcb.fmc, tcb.tee) = (1, 1));
    let old = |found| Err(PolicyRefusal::Firmware { found, minimum });
    let rows: [Row; 16] = [
        ("as it is", |_| {}, Ok(())),
        ("debug", |e| e.debug = true, Err(PolicyRefusal::Debug)),
        ("level", |e| registers(e).vmpl = 1, Err(PolicyRefusal::Privilege { found: 1 })),
        ("migratable", |e| registers(e).migratable = true, Err(PolicyRefusal::Migratable)),
        ("fmc", |e| firmware(e, |t| t.fmc = 0), old(SnpTcb { fmc: 0, ..minimum })),
        ("tee", |e| firmware(e, |t| t.tee = 0), old(SnpTcb { tee: 0, ..minimum })),
        ("boot loader", |e| firmware(e, |t| t.boot_loader = 2), old(SnpTcb { boot_loader: 2, ..minimum })),
        ("snp", |e| firmware(e, |t| t.snp = 7), old(SnpTcb { snp: 7, ..minimum })),
        ("microcode", |e| firmware(e, |t| t.microcode = 1), old(SnpTcb { microcode: 1, ..minimum })),
        ("newer", |e| firmware(e, |t| t.microcode = 0xff), Ok(())),
        ("made in time", |e| e.issued = Some(SNP_AT - 60), Ok(())),
        ("too old", |e| e.issued = Some(SNP_AT - 61), Err(PolicyRefusal::Age { found: 61, max_age: 60 })),
        ("clocks differ", |e| e.issued = Some(SNP_AT + 60), Ok(())),
        ("future", |e| e.issued = Some(SNP_AT + 61), Err(PolicyRefusal::Future { found: 61, max: 60 })),
        ("simulated", |e| e.kind = ProviderKind::Simulated, Err(PolicyRefusal::Simulated)),
        ("other code", |e| e.measurement = [9; 32], Err(PolicyRefusal::Measurement { found: [9; 32], listed: 1 })),
    ];
    let mut policy = exact(&sound);
    policy.hardware.snp_minimum = minimum;
    for (name, change, expected) in rows {
        let mut evidence = sound.clone();
        change(&mut evidence);
        assert_eq!(policy.accept(&evidence, SNP_AT), expected, "{name}");
    }
}

#[test]
fn n107_a_domain_that_may_be_moved_is_refused() {
    let mut evidence = verify(&tdx(), TDX_AT).expect("genuine evidence");
    let policy = exact(&evidence);
    assert_eq!(policy.accept(&evidence, TDX_AT), Ok(()));
    if let Registers::Tdx { migratable, .. } = &mut evidence.registers {
        *migratable = true;
    }
    assert_eq!(policy.accept(&evidence, TDX_AT), Err(PolicyRefusal::Migratable));
}

/// As many kinds as have to vouch, whatever else is refused; one maker counts once.
#[test]
fn n108_one_maker_does_not_vouch_for_two() {
    let mut policy = exact(&verify(&nitro(), NITRO_AT).expect("genuine evidence"));
    policy.hardware.kinds = 2;
    let nitro = verify(&nitro(), NITRO_AT).expect("genuine evidence");
    let tdx = verify(&tdx(), TDX_AT).expect("genuine evidence");
    let few = |found, refused| Err(PolicyRefusal::Kinds { found, needed: 2, refused });
    let judge = |all: Vec<Result<Evidence, PolicyRefusal>>| policy.together(all.into_iter());
    assert_eq!(judge(vec![]), few(0, vec![]));
    assert_eq!(judge(vec![Ok(nitro.clone()), Ok(nitro.clone())]), few(1, vec![]));
    let debug = || Err(PolicyRefusal::Debug);
    assert_eq!(judge(vec![debug(), Ok(nitro.clone())]), few(1, vec![(0, PolicyRefusal::Debug)]));
    let accepted = judge(vec![Ok(nitro.clone()), debug(), Ok(tdx.clone())]);
    assert_eq!(accepted, Ok(vec![nitro, tdx.clone()]));
    let sgx = verify(&sgx(), TDX_AT).expect("genuine evidence");
    assert_eq!(judge(vec![Ok(tdx), Ok(sgx)]), few(1, vec![]));
}

/// Of a list, the first and one of another maker are enough, wherever that one stands; without the first nothing is.
#[test]
fn n108_two_makers_vouch_in_a_list() {
    let (aws, amd) = (verify(&nitro(), NITRO_AT), verify(&snp(), NITRO_AT));
    let (aws, amd) = (aws.expect("genuine evidence"), amd.expect("genuine evidence"));
    let mut policy = exact(&aws);
    policy.measurements.push(amd.measurement);
    policy.hardware.kinds = 2;
    let debug = || Err(PolicyRefusal::Debug);
    let judge = |all: Vec<Result<Evidence, PolicyRefusal>>| policy.led(all.into_iter());
    let both = vec![(0, aws.clone()), (2, amd.clone())];
    assert_eq!(judge(vec![Ok(aws.clone()), debug(), Ok(amd.clone())]), Ok(both));
    assert_eq!(judge(vec![debug(), Ok(aws.clone()), Ok(amd.clone())]), Err(PolicyRefusal::Debug));
    let list = |pieces: &[&[u8]]| EvidenceList::join(pieces).expect("a list");
    let together = |bytes: &[u8]| policy.genuine_together(bytes, NITRO_AT);
    assert_eq!(together(&list(&[&nitro(), &snp()])), Ok(vec![aws.clone(), amd.clone()]));
    assert_eq!(together(&list(&[&snp(), &nitro()])), Ok(vec![amd.clone(), aws.clone()]));
    let few = |refused| Err(PolicyRefusal::Kinds { found: 1, needed: 2, refused });
    assert_eq!(together(&list(&[&nitro(), &nitro()])), few(vec![]));
    assert_eq!(together(&nitro()), few(vec![]));
    let alone = Policy { measurements: vec![aws.measurement], ..policy.clone() };
    let unlisted = || PolicyRefusal::Measurement { found: amd.measurement, listed: 1 };
    assert_eq!(alone.genuine_together(&list(&[&nitro(), &snp()]), NITRO_AT), few(vec![(1, unlisted())]));
    assert_eq!(alone.genuine_together(&list(&[&snp(), &nitro()]), NITRO_AT), Err(unlisted()));
}

#[test]
fn n108_evidence_of_one_kind_is_refused_where_two_have_to_vouch() {
    let (hardware, said, nonce, at) = (simulated::SimulatedHardware::from_seed(&[4; 32]), [1; 64], [2; 64], SNP_AT);
    let roots = vec![hardware.root()];
    let bytes = simulated::SimulatedProvider::new(hardware, [3; 32]).attest(&said, &nonce, at).expect("evidence");
    let (mode, measurements) = (OperatingMode::Simulation, vec![[3; 32]]);
    let mut policy = Policy { mode, measurements, max_age: 60, simulated_roots: roots, hardware: Hardware::default() };
    assert_eq!(policy.check_all(&[&bytes, &bytes], &said, &nonce, at).map(|all| all.len()), Ok(2));
    policy.hardware.kinds = 2;
    let few = |refused| Err(PolicyRefusal::Kinds { found: 1, needed: 2, refused });
    assert_eq!(policy.check(&bytes, &said, &nonce, at).map(drop), few(vec![]));
    assert_eq!(policy.check_all(&[&bytes, &bytes], &said, &nonce, at).map(drop), few(vec![]));
    policy.hardware.kinds = 0;
    assert_eq!(policy.check(&bytes, &said, &nonce, at), Err(PolicyRefusal::NoKinds));
    assert_eq!(policy.check_configuration(), Err(PolicyRefusal::NoKinds));
}

#[test]
fn n098_a_nitro_program_without_its_code_is_no_policy() {
    let mut policy = exact(&verify(&nitro(), NITRO_AT).expect("genuine evidence"));
    policy.hardware.nitro.push(NitroProgram { pcrs: [(0, [0; 48]), (1, [0; 48])].into() });
    assert_eq!(policy.check_configuration(), Err(incomplete(ProviderKind::Nitro, "PCR 0, 1 and 2")));
}

fn incomplete(kind: ProviderKind, missing: &'static str) -> PolicyRefusal {
    PolicyRefusal::Incomplete { kind, missing, index: 0 }
}

#[test]
fn n098_family_or_image_without_the_key_that_signed_them_is_no_policy() {
    let evidence = verify(&snp(), SNP_AT).expect("genuine evidence");
    let mut policy = decided(&evidence);
    policy.hardware.snp_minimum.snp = 8;
    assert_eq!(policy.check_configuration(), Ok(()));
    policy.hardware.snp[0].id_key_digest = None;
    let expected = Err(incomplete(ProviderKind::SevSnp, "the digest of its ID key"));
    assert_eq!(policy.check_configuration(), expected);
    policy.hardware.snp[0].family_id = None;
    assert_eq!(policy.check_configuration(), expected);
    policy.hardware.snp[0].image_id = None;
    assert_eq!(policy.check_configuration(), Ok(()));
}

#[test]
fn n108_more_makers_than_the_policy_lists_are_no_policy() {
    let mut policy = decided(&verify(&tdx(), TDX_AT).expect("genuine evidence"));
    policy.hardware.sgx = decided(&verify(&sgx(), TDX_AT).expect("genuine evidence")).hardware.sgx;
    policy.hardware.kinds = 2;
    assert_eq!(policy.check_configuration(), Err(PolicyRefusal::Unreachable { needed: 2, listed: 1 }));
    policy.hardware.nitro = decided(&verify(&nitro(), NITRO_AT).expect("genuine evidence")).hardware.nitro;
    assert_eq!(policy.check_configuration(), Ok(()));
    policy.hardware.kinds = 3;
    assert_eq!(policy.check_configuration(), Err(PolicyRefusal::Unreachable { needed: 3, listed: 2 }));
    policy.measurements = vec![[1; 32]; 9];
    assert_eq!(policy.check_configuration(), Ok(()));
    policy.hardware.kinds = 4;
    assert_eq!(policy.check_configuration(), Err(PolicyRefusal::Unreachable { needed: 4, listed: 3 }));
}

#[test]
fn n107_production_over_snp_states_its_least_firmware_and_some_program() {
    let mut policy = decided(&verify(&snp(), SNP_AT).expect("genuine evidence"));
    policy.hardware.snp_minimum.microcode = 0;
    assert_eq!(policy.check_configuration(), Err(PolicyRefusal::NoMinimum));
    policy.hardware.snp_minimum.microcode = 1;
    assert_eq!(policy.check_configuration(), Ok(()));
    policy.hardware.snp.clear();
    assert_eq!(policy.check_configuration(), Err(PolicyRefusal::NoProgram));
    policy.mode = OperatingMode::Simulation;
    assert_eq!(policy.check_configuration(), Ok(()));
}

/// Where the lists of a policy change, evidence that was accepted is judged again and refused.
#[test]
fn n099_a_program_that_is_taken_off_the_list_is_refused_at_its_next_check() {
    let evidence = verify(&snp(), SNP_AT).expect("genuine evidence");
    let mut policy = decided(&evidence);
    assert_eq!(policy.accept(&evidence, SNP_AT), Ok(()));
    policy.hardware.snp.clear();
    let found = evidence.measurement;
    assert_eq!(policy.accept(&evidence, SNP_AT), Err(PolicyRefusal::Measurement { found, listed: 0 }));
}
