use super::policy::{OperatingMode, Policy, PolicyRefusal};
use super::simulated::{LIFETIME, SimulatedError, SimulatedHardware, SimulatedProvider, verify};
use super::*;

const NOW: u64 = 1_800_000_000;
const USER_DATA: [u8; 64] = [1; 64];
const NONCE: [u8; 64] = [2; 64];
const MEASUREMENT: [u8; 32] = [3; 32];

fn provider() -> SimulatedProvider {
    SimulatedProvider::new(SimulatedHardware::from_seed(&[4; 32]), MEASUREMENT)
}

fn evidence() -> Vec<u8> {
    provider().attest(&USER_DATA, &NONCE, NOW).unwrap()
}

fn policy() -> Policy {
    Policy {
        mode: OperatingMode::Simulation,
        measurements: vec![[9; 32], MEASUREMENT],
        max_age: 60,
        simulated_roots: vec![SimulatedHardware::from_seed(&[5; 32]).root(), provider().root()],
        hardware: Hardware::default(),
    }
}

#[test]
fn genuine_evidence_of_an_accepted_program_is_accepted() {
    let accepted = policy().check(&evidence(), &USER_DATA, &NONCE, NOW + 60).unwrap();
    assert_eq!(
        (accepted.measurement, accepted.user_data, accepted.nonce),
        (MEASUREMENT, USER_DATA.to_vec(), Some(NONCE.to_vec()))
    );
    assert_eq!(evidence_digest(&evidence()), crate::suite::digest(&evidence()));
}

#[test]
fn evidence_is_judged_without_its_request() {
    let genuine = |policy: &Policy, bytes: &[u8], now: u64| policy.genuine(bytes, now).map(|found| found.nonce);
    assert_eq!(genuine(&policy(), &evidence(), NOW + 60), Ok(Some(NONCE.to_vec())));
    let old = PolicyRefusal::Age { found: 61, max_age: 60 };
    assert_eq!(genuine(&policy(), &evidence(), NOW + 61), Err(old));
    let debug = provider().in_debug_mode().attest(&USER_DATA, &NONCE, NOW).unwrap();
    assert_eq!(genuine(&policy(), &debug, NOW), Err(PolicyRefusal::Debug));
    let production = Policy { mode: OperatingMode::Production, ..policy() };
    assert_eq!(genuine(&production, &evidence(), NOW), Err(PolicyRefusal::Simulated));
}

#[test]
fn n112_simulated_evidence_and_roots_are_refused_in_production() {
    let production = Policy { mode: OperatingMode::Production, ..policy() };
    assert_eq!(production.check(&evidence(), &USER_DATA, &NONCE, NOW), Err(PolicyRefusal::Simulated));
    assert_eq!(production.check_configuration(), Err(PolicyRefusal::Simulated));
    assert_eq!(policy().check_configuration(), Ok(()));
    let mut clean = Policy { simulated_roots: vec![], ..production };
    clean.hardware.configurations.push([7; 32]);
    assert_eq!(clean.check_configuration(), Ok(()));
    assert_eq!(clean.check(&evidence(), &USER_DATA, &NONCE, NOW), Err(PolicyRefusal::Simulated));
}

#[test]
fn n098_an_empty_list_accepts_nothing() {
    let empty = Policy { measurements: vec![], ..policy() };
    let expected = PolicyRefusal::Measurement { found: MEASUREMENT, listed: 0 };
    assert_eq!(empty.check(&evidence(), &USER_DATA, &NONCE, NOW), Err(expected));
}

#[test]
fn n097_debug_mode_is_refused() {
    let debug = provider().in_debug_mode().attest(&USER_DATA, &NONCE, NOW).unwrap();
    assert_eq!(policy().check(&debug, &USER_DATA, &NONCE, NOW), Err(PolicyRefusal::Debug));
}

#[test]
fn n096_another_nonce_is_refused() {
    assert_eq!(policy().check(&evidence(), &USER_DATA, &[0; 64], NOW), Err(PolicyRefusal::Nonce));
}

#[test]
fn n066_n106_keys_or_request_that_the_evidence_does_not_carry_are_refused() {
    assert_eq!(policy().check(&evidence(), &[0; 64], &NONCE, NOW), Err(PolicyRefusal::UserData));
}

#[test]
fn n093_n094_old_and_future_evidence_is_refused() {
    let old = policy().check(&evidence(), &USER_DATA, &NONCE, NOW + 61);
    assert_eq!(old, Err(PolicyRefusal::Age { found: 61, max_age: 60 }));
    let (not_before, not_after) = (NOW, NOW + LIFETIME);
    for now in [NOW - 1, NOW + LIFETIME + 1] {
        let expected = PolicyRefusal::NotGenuine(SimulatedError::Validity { not_before, not_after, now });
        assert_eq!(policy().check(&evidence(), &USER_DATA, &NONCE, now), Err(expected));
    }
    assert_eq!(provider().attest(&USER_DATA, &NONCE, u64::MAX), Err(ProviderError::Time { now: u64::MAX }));
}

#[test]
fn n095_evidence_with_any_byte_altered_is_refused() {
    let good = evidence();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(policy().check(&bad, &USER_DATA, &NONCE, NOW).is_err(), "{at}");
    }
}

#[test]
fn n100_another_root_is_refused() {
    let other = SimulatedProvider::new(SimulatedHardware::from_seed(&[6; 32]), MEASUREMENT);
    let alien = other.attest(&USER_DATA, &NONCE, NOW).unwrap();
    assert_eq!(policy().check(&alien, &USER_DATA, &NONCE, NOW), Err(PolicyRefusal::NoRoot));
    assert_eq!(verify(&alien, &provider().root(), NOW), Err(SimulatedError::Signature));
}

#[test]
fn n105_trailing_bytes_are_refused() {
    let mut long = evidence();
    long.resize(long.len() + 64, 0);
    let expected = PolicyRefusal::NotGenuine(EncodingError::Trailing { found: 64 }.into());
    assert_eq!(policy().check(&long, &USER_DATA, &NONCE, NOW), Err(expected));
}
