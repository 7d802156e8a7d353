//! Evidence of several makers is for one request, whatever else each piece says.

use super::*;
use ccc_core::enclave::attestation::{
    AttestationProvider, Hardware, OperatingMode,
    simulated::{SimulatedHardware, SimulatedProvider},
};

const NOW: u64 = 1_800_000_000;

/// As if of a maker, with this nonce or none.
fn of(kind: ProviderKind, nonce: Option<[u8; 64]>) -> Evidence {
    let hardware = SimulatedHardware::from_seed(&[4; 32]);
    let policy = Policy {
        mode: OperatingMode::Simulation,
        measurements: vec![[3; 32]],
        max_age: 60,
        simulated_roots: vec![hardware.root()],
        hardware: Hardware::default(),
    };
    let bytes = SimulatedProvider::new(hardware, [3; 32]).attest(&[1; 64], &[2; 64], NOW).expect("evidence");
    let mut evidence = policy.genuine(&bytes, NOW).expect("genuine");
    (evidence.kind, evidence.nonce) = (kind, nonce.map(Vec::from));
    evidence
}

#[test]
fn n108_pieces_of_several_makers_share_one_nonce_or_are_refused() {
    let (aws, amd, intel) = (ProviderKind::Nitro, ProviderKind::SevSnp, ProviderKind::Tdx);
    let (one, other) = (Some([5; 64]), Some([6; 64]));
    let shared = |pieces: &[Evidence]| shared_nonce(pieces).map(|nonce| nonce.map(<[u8]>::to_vec));
    assert_eq!(shared(&[of(aws, one)]), Ok(one.map(Vec::from)));
    assert_eq!(shared(&[of(amd, None)]), Ok(None), "alone it is judged as evidence alone");
    assert_eq!(shared(&[of(aws, one), of(amd, one), of(intel, one)]), Ok(one.map(Vec::from)));
    let differ = Err("the nonces of the list differ: its pieces answer no one request".to_owned());
    assert_eq!(shared(&[of(aws, one), of(amd, other)]), differ);
    assert_eq!(shared(&[of(aws, one), of(amd, one), of(intel, other)]), differ);
    for pieces in [[of(amd, None), of(aws, one)], [of(aws, one), of(amd, None)], [of(amd, None), of(intel, None)]] {
        let refused = shared(&pieces).expect_err("nothing ties them");
        assert!(refused.ends_with("nothing here ties it to the other pieces of its list"), "{refused}");
    }
}
