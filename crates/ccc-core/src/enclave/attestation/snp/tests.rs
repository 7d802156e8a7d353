use super::super::ChainError;
use super::*;
use rayon::prelude::*;

fn milan_hex() -> &'static str {
    core::str::from_utf8(crate::support::file("attestation/snp/report_milan.hex")).expect("text")
}

fn milan_vcek() -> &'static [u8] {
    crate::support::file("attestation/snp/vcek_milan.der")
}

fn debug() -> &'static [u8] {
    crate::support::file("attestation/snp/go-sev-guest-attestation.bin")
}

fn debug_vcek() -> &'static [u8] {
    crate::support::file("attestation/snp/go-sev-guest-vcek.der")
}

fn turin_vcek() -> &'static [u8] {
    crate::support::file("attestation/snp/vcek_turin.der")
}

fn other_ark() -> &'static [u8] {
    crate::support::file("attestation/snp/other-ark.der")
}

fn other_ask() -> &'static [u8] {
    crate::support::file("attestation/snp/other-ask.der")
}
const AT: u64 = 1_700_000_000; // 2023-11-14, when both certificates are valid
const DAY: u64 = 86_400;

fn milan() -> Vec<u8> {
    hex::decode(milan_hex().trim()).expect("hexadecimal")
}

/// Every genuine report with its certificate, and whether it is of a guest in debug mode.
fn samples() -> [(Vec<u8>, &'static [u8], bool); 2] {
    [(milan(), milan_vcek(), false), (debug().to_vec(), debug_vcek(), true)]
}

fn checked(report: &[u8], vcek: &[u8]) -> Result<Evidence, SnpError> {
    verify(report, vcek, &AUTHORITIES, AT)
}

#[test]
fn genuine_reports_verify_under_their_chip() {
    for (report, vcek, debug) in samples() {
        let found = checked(&report, vcek).expect("a genuine report");
        assert_eq!((found.kind, found.debug, found.nonce, found.issued), (ProviderKind::SevSnp, debug, None, None));
        assert_eq!(found.user_data, report[0x50..0x90]);
    }
    let found = checked(&milan(), milan_vcek()).expect("a genuine report");
    let tcb = SnpTcb { fmc: 0, boot_loader: 3, tee: 0, snp: 8, microcode: 0x73 };
    assert_eq!(found.tcb, Tcb::Snp { generation: Generation::Milan, reported: tcb, committed: tcb });
    let Registers::Snp(registers) = found.registers else { panic!("registers of SNP") };
    assert_eq!((registers.measurement[..2].to_vec(), registers.vmpl), (vec![0x7a, 0x1e], 0));
}

#[test]
fn a_chip_of_turin_stands_under_its_own_authority() {
    assert!(chain(turin_vcek(), &AUTHORITIES, 1_740_000_000).is_ok());
    let early = chain(turin_vcek(), &AUTHORITIES, AT);
    assert!(matches!(early, Err(SnpError::Chain(ChainError::Validity { position: 0, .. }))));
    let known = SnpError::Product { known: 2 };
    assert_eq!(chain(turin_vcek(), &AUTHORITIES[..2], 1_740_000_000), Err(known));
    let turin = Chain::parse(turin_vcek(), &AUTHORITIES).expect("a certificate");
    assert_eq!(turin.firmware(), Ok(SnpTcb { microcode: 9, ..SnpTcb::default() }));
    // a version 2 report of a chip of Milan does not pass as one of Turin
    assert_eq!(verify(&milan(), turin_vcek(), &AUTHORITIES, AT), Err(SnpError::Signature));
}

/// A report says no time. Its certificate does: before it and after it the report is refused.
#[test]
fn n093_n094_reports_outside_of_their_certificates_validity_are_refused() {
    for (report, vcek, _) in samples() {
        let genuine = checked(&report, vcek).expect("a genuine report");
        assert!(verify(&report, vcek, &AUTHORITIES, genuine.not_before).is_ok());
        assert!(verify(&report, vcek, &AUTHORITIES, genuine.not_after).is_ok());
        for now in [genuine.not_before - DAY, genuine.not_before - 1, genuine.not_after + 1] {
            let refused = verify(&report, vcek, &AUTHORITIES, now);
            assert!(matches!(refused, Err(SnpError::Chain(ChainError::Validity { position: 0, .. }))), "{now}");
        }
    }
}

/// Every byte of the report: signed, reserved, or padding that has to be zero.
#[test]
fn n095_a_report_with_any_byte_flipped_is_refused() {
    for (report, vcek, _) in samples() {
        let refused = (0..report.len()).into_par_iter().filter(|byte| {
            let mut bad = report.clone();
            bad[*byte] ^= 1;
            checked(&bad, vcek).is_err()
        });
        let refused = refused.count();
        println!("snp report: {refused} of {} flips refused", report.len());
        assert_eq!(refused, report.len());
    }
}

#[test]
fn n095_a_certificate_with_any_byte_flipped_is_refused() {
    let report = milan();
    let refused = (0..milan_vcek().len()).into_par_iter().filter(|byte| {
        let mut bad = milan_vcek().to_vec();
        bad[*byte] ^= 1;
        checked(&report, &bad).is_err()
    });
    let refused = refused.count();
    println!("snp certificate: {refused} of {} flips refused", milan_vcek().len());
    assert_eq!(refused, milan_vcek().len());
}

#[test]
fn n100_authorities_of_our_own_with_the_same_names_are_refused() {
    let authority = |root, intermediate| [Authority { root, intermediate, generation: Generation::Milan }];
    let under = |authorities: &[Authority<'_>]| verify(&milan(), milan_vcek(), authorities, 1_795_305_600);
    assert!(under(&authority(AUTHORITIES[0].root, AUTHORITIES[0].intermediate)).is_ok());
    let chip = under(&authority(other_ark(), other_ask()));
    assert_eq!(chip, Err(ChainError::Signature { position: 0 }.into()));
    let root = under(&authority(other_ark(), AUTHORITIES[0].intermediate));
    assert!(matches!(root, Err(SnpError::Chain(ChainError::Signature { position: 1 }))), "{root:?}");
    assert_eq!(under(&[]), Err(SnpError::Product { known: 0 }));
}

#[test]
fn n105_another_length_and_bytes_that_are_not_zero_are_refused() {
    for extra in [1, 64] {
        let long = [milan(), vec![0; extra]].concat();
        let expected = SnpError::Length { expected: REPORT_LEN, found: REPORT_LEN + extra };
        assert_eq!(checked(&long, milan_vcek()), Err(expected));
    }
    let reserved = [
        (0x41, "platform information"),
        (0x4c, "key information"),
        (0x188, "the processor's family"),
        (0x19f, "after the processor's family"),
        (0x1eb, "current version"),
        (0x1ef, "committed version"),
        (0x1f8, "mitigations"),
        (0x29f, "before the signature"),
        (0x2d0, "padding of R"),
        (0x318, "padding of S"),
        (0x49f, "after the signature"),
        (0x0b, "policy"),
    ];
    for (at, what) in reserved {
        let mut bad = milan();
        bad[at] = 0x80;
        assert_eq!(checked(&bad, milan_vcek()), Err(SnpError::Reserved { what }), "{at:#x}");
    }
    let long = [milan_vcek(), &[0]].concat();
    assert_eq!(checked(&milan(), &long), Err(ChainError::Encoding { position: 0 }.into()));
}

#[test]
fn n101_n107_other_algorithms_versions_and_keys_are_refused() {
    let with = |at: usize, value: u8| {
        let mut bad = milan();
        bad[at] = value;
        checked(&bad, milan_vcek())
    };
    assert_eq!(with(0x34, 0), Err(SnpError::Algorithm { found: 0 }));
    assert_eq!(with(0, 1), Err(SnpError::Version { found: 1 }));
    assert_eq!(with(0, 6), Err(SnpError::Version { found: 6 }));
    assert_eq!(with(0x48, 1 << 2), Err(SnpError::SigningKey { found: 1 }));
    assert_eq!(with(0x48, 1 << 1), Err(SnpError::ChipMasked));
    assert_eq!(with(0x48, 1 << 5), Err(SnpError::Reserved { what: "key information" }));
    // the bit of debug mode is signed
    assert_eq!(with(0x0a, 0x0b), Err(SnpError::Signature));
}

/// The signature is over the report alone, so chip and firmware are compared with what AMD's certificate says.
#[test]
fn n107_a_report_of_another_chip_or_firmware_than_the_certificates_is_refused() {
    let chain = Chain::parse(milan_vcek(), &AUTHORITIES).expect("a certificate");
    let of = |at: usize, value: u8| {
        let mut bad = milan();
        bad[at] ^= value;
        let report = Report::parse(&bad).expect("a report");
        evidence(&report, &chain, Window { not_before: 0, not_after: 0 })
    };
    assert_eq!(of(0x1a0, 1), Err(SnpError::Chip));
    let expected = SnpTcb { fmc: 0, boot_loader: 3, tee: 0, snp: 8, microcode: 0x73 };
    for (at, found) in [
        (0x180, SnpTcb { boot_loader: 2, ..expected }),
        (0x181, SnpTcb { tee: 1, ..expected }),
        (0x186, SnpTcb { snp: 9, ..expected }),
        (0x187, SnpTcb { microcode: 0x72, ..expected }),
    ] {
        assert_eq!(of(at, 1), Err(SnpError::Firmware { expected, found }));
    }
    assert_eq!(of(0x182, 1), Err(SnpError::Reserved { what: "reported TCB" }));
    let mut newer = milan();
    newer[0] = 3;
    newer[0x188] = 0x1a;
    let report = Report::parse(&newer).expect("a report of version 3");
    let family = evidence(&report, &chain, Window { not_before: 0, not_after: 0 });
    assert_eq!(family, Err(SnpError::Family { expected: 0x19, found: 0x1a }));
}

#[test]
fn a_verified_chain_serves_reports_of_its_chip_alone() {
    let verified = chain(milan_vcek(), &AUTHORITIES, AT).expect("a genuine chain");
    let under = |report: &[u8], vcek: &[u8]| verify_under(report, vcek, &AUTHORITIES, &verified, AT);
    assert_eq!(under(&milan(), milan_vcek()), checked(&milan(), milan_vcek()));
    assert_eq!(under(debug(), debug_vcek()), Err(ChainError::OtherChain.into()));
    assert_eq!(under(debug(), milan_vcek()), Err(SnpError::Signature));
}

/// Distinct values in the fields that a genuine report has at zero: 56860, table 23.
#[test]
fn n107_every_register_is_read_from_its_place() {
    let mut report = milan();
    let places: [(usize, &[u8]); 7] = [
        (0x04, &[1, 2, 3, 4]),
        (0x10, &[0x10; 16]),
        (0x20, &[0x20; 16]),
        (0x30, &[2, 0, 0, 0]),
        (0x90, &[0x90; 48]),
        (0xc0, &[0xc0; 32]),
        (0xe0, &[0xe0; 48]),
    ];
    for (at, bytes) in places {
        report[at..at + bytes.len()].copy_from_slice(bytes);
    }
    let found = Report::parse(&report).expect("a report").registers();
    assert_eq!((found.guest_svn, found.vmpl), (0x0403_0201, 2));
    assert_eq!((found.family_id, found.image_id), ([0x10; 16], [0x20; 16]));
    assert_eq!((found.measurement, found.host_data), ([0x90; 48], [0xc0; 32]));
    assert_eq!(found.id_key_digest, [0xe0; 48]);
    // bits of the policy: 17 has to be one, 18 is migration, 19 debug
    for (byte, migratable, debug) in [(0x03, false, false), (0x07, true, false), (0x0b, false, true)] {
        report[0x0a] = byte;
        let report = Report::parse(&report).expect("a report");
        assert_eq!((report.registers().migratable, report.debug()), (migratable, debug), "{byte:#x}");
    }
}

/// 56860, tables 3 and 4.
#[test]
fn n107_versions_stand_in_the_places_of_their_generation() {
    let expected = SnpTcb { fmc: 1, boot_loader: 2, tee: 3, snp: 4, microcode: 5 };
    assert_eq!(Generation::Turin.tcb([1, 2, 3, 4, 0, 0, 0, 5]), Some(expected));
    let expected = SnpTcb { fmc: 0, boot_loader: 1, tee: 2, snp: 3, microcode: 4 };
    assert_eq!(Generation::Milan.tcb([1, 2, 0, 0, 0, 0, 3, 4]), Some(expected));
    for place in 2..6 {
        let mut bytes = [1, 2, 0, 0, 0, 0, 3, 4];
        bytes[place] = 1;
        assert_eq!(Generation::Milan.tcb(bytes), None, "{place}");
    }
    for place in 4..7 {
        let mut bytes = [1, 2, 3, 4, 0, 0, 0, 5];
        bytes[place] = 1;
        assert_eq!(Generation::Turin.tcb(bytes), None, "{place}");
    }
}
