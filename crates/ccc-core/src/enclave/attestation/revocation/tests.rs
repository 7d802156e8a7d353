//! AMD's way: authorities and a chip's certificate of our own (`vectors/attestation/snp/revocation`), and a policy.

#![allow(clippy::panic, reason = "another error fails the test")]

use super::super::snp::{self, Authority, Generation, SnpError};
use super::super::{EvidenceError, Policy, PolicyRefusal};
use super::*;
use crate::support::file;

const AT: u64 = 1_800_000_000;

fn authority() -> [Authority<'static>; 1] {
    let (root, intermediate) = (file("attestation/snp/revocation/ark.der"), file("attestation/snp/revocation/ask.der"));
    [Authority { root, intermediate, generation: Generation::Milan }]
}

fn lists(names: &[&str]) -> RevocationLists {
    let mut lists = RevocationLists::default();
    for name in names {
        let list = file(&format!("attestation/snp/revocation/{name}.crl"));
        lists.add(list.to_vec()).expect("a list");
    }
    lists
}

fn checked(lists: &RevocationLists, now: u64) -> Result<(), RevocationError> {
    let vcek = file("attestation/snp/revocation/vcek.der");
    assert!(snp::chain(vcek, &authority(), AT).is_ok(), "the chain itself is sound");
    match snp::check_revocation(vcek, &authority(), lists, now) {
        Err(SnpError::Revocation(error)) => Err(error),
        Ok(()) => Ok(()),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn n109_a_revoked_root_authority_or_chip_is_refused() {
    assert_eq!(checked(&lists(&["nothing"]), AT), Ok(()));
    assert_eq!(checked(&lists(&["nothing", "nothing-of-ask"]), AT), Ok(()));
    let revoked = |names: &[&str], position, list| {
        assert_eq!(checked(&lists(names), AT), Err(RevocationError::Revoked { position, list }), "{names:?}");
    };
    revoked(&["vcek-revoked"], 0, 0);
    revoked(&["nothing", "vcek-revoked"], 0, 1);
    revoked(&["ask-revoked"], 1, 0);
    revoked(&["nothing", "ask-revoked"], 1, 1);
    revoked(&["ark-revoked"], 2, 0);
}

#[test]
fn n109_a_missing_list_and_one_out_of_date_are_refused() {
    assert_eq!(checked(&RevocationLists::default(), AT), Err(RevocationError::Missing { given: 0 }));
    assert_eq!(checked(&lists(&["nothing-of-ask"]), AT), Err(RevocationError::Missing { given: 1 }));
    let made = 1_795_351_355; // 2026-11-22 12:42:35
    for now in [made - 1, AT * 2] {
        let refused = checked(&lists(&["nothing"]), now);
        assert!(matches!(refused, Err(RevocationError::Validity { list: 0, .. })), "{refused:?}");
    }
    assert_eq!(checked(&lists(&["nothing"]), made), Ok(()));
}

/// Every byte: what is signed, the algorithm and the signature.
#[test]
fn n109_a_list_with_any_byte_altered_is_no_list() {
    let genuine = file("attestation/snp/revocation/ask-revoked.crl");
    for at in 0..genuine.len() {
        let (mut altered, mut lists) = (genuine.to_vec(), RevocationLists::default());
        altered[at] ^= 1;
        if lists.add(altered).is_ok() {
            let refused = checked(&lists, AT);
            let sound = matches!(refused, Ok(()) | Err(RevocationError::Revoked { .. }));
            assert!(!sound, "byte {at}: {refused:?}");
        }
    }
    let mut lists = RevocationLists::default();
    let longer = [genuine, &[0]].concat();
    assert_eq!(lists.add(longer), Err(RevocationError::Encoding { list: 0 }));
    assert_eq!(lists.add(genuine[..99].to_vec()), Err(RevocationError::Encoding { list: 0 }));
    assert_eq!(lists.add(vec![0x30; MAX_REVOCATION_LIST + 1]), Err(RevocationError::Encoding { list: 0 }));
    assert!(lists.is_empty());
}

#[test]
fn n109_lists_are_few() {
    let mut many = lists(&["nothing"; MAX_REVOCATION_LISTS]);
    let refused = many.add(file("attestation/snp/revocation/nothing.crl").to_vec());
    let (found, max) = (MAX_REVOCATION_LISTS + 1, MAX_REVOCATION_LISTS);
    assert_eq!(refused, Err(RevocationError::Lists { found, max }));
}

/// A policy with lists asks for the list of every chain of AWS and AMD, and of no other.
#[test]
fn n109_a_policy_that_was_given_lists_needs_the_roots() {
    let report = hex::decode(core::str::from_utf8(file("attestation/snp/report_milan.hex")).unwrap().trim()).unwrap();
    let vcek = file("attestation/snp/vcek_milan.der");
    let body = super::super::Body::Snp { report: report[..].try_into().unwrap(), vcek };
    let evidence = body.to_bytes().unwrap();
    let mut hardware = super::super::Hardware::default();
    let measurement = super::super::stated(&evidence).unwrap().measurement;
    let mode = super::super::OperatingMode::Simulation;
    let policy =
        |hardware| Policy { mode, measurements: vec![measurement], max_age: 60, simulated_roots: Vec::new(), hardware };
    let at = 1_700_000_000;
    assert!(policy(hardware.clone()).genuine(&evidence, at).is_ok());
    hardware.revocation = lists(&["nothing"]);
    let missing = SnpError::Revocation(RevocationError::Missing { given: 1 });
    let refused = Err(PolicyRefusal::Hardware(EvidenceError::Snp(missing)));
    assert_eq!(policy(hardware).genuine(&evidence, at), refused);
}
