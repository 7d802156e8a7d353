//! What evidence says of itself is what verification finds in it.

use super::*;

#[test]
fn evidence_of_every_kind_says_what_verification_finds() {
    let subjects = ["CN=i-0", "CN=SEV-VCEK", "CN=Intel SGX PCK Certificate", "CN=Intel SGX PCK Certificate"];
    for ((bytes, at), subject) in genuine().into_iter().zip(subjects) {
        let (stated, found) = (stated(&bytes).expect("evidence"), verify(&bytes, at).expect("genuine evidence"));
        assert_eq!(
            (stated.kind, stated.measurement, &stated.registers),
            (found.kind, found.measurement, &found.registers)
        );
        assert_eq!((&stated.user_data, &stated.nonce), (&found.user_data, &found.nonce));
        assert_eq!((stated.debug, stated.issued, stated.validity), (found.debug, found.issued, None));
        match found.kind {
            ProviderKind::Tdx | ProviderKind::Sgx => {
                assert_eq!((stated.tcb, stated.collateral.len()), (None, 4));
                let holds =
                    |part: &StatedPeriod| part.not_before <= found.not_before && found.not_after <= part.not_after;
                assert!(stated.collateral.iter().all(holds), "{:?}", stated.collateral);
            }
            _ => assert_eq!((stated.tcb, stated.collateral), (Some(found.tcb), Vec::new())),
        }
        let [leaf, .., root] = stated.certificates.as_slice() else { panic!("certificates") };
        assert!(leaf.subject.contains(subject), "{}", leaf.subject);
        assert!(root.not_before < leaf.not_before && leaf.not_after < root.not_after, "{}", root.subject);
    }
    let simulated = simulated::SimulatedProvider::new(simulated::SimulatedHardware::from_seed(&[4; 32]), [3; 32]);
    let stated = stated(&simulated.attest(&[1; 64], &[2; 64], 5).expect("evidence")).expect("evidence");
    assert_eq!((stated.measurement, stated.validity), ([3; 32], Some((5, 5 + simulated::LIFETIME))));
    assert!(stated.certificates.is_empty());
}

/// It reads a form and verifies nothing: a signature may be anybody's, and a form that is none is refused.
#[test]
fn what_evidence_says_is_not_verified() {
    let mut forged = snp();
    forged[9 + 0x90] ^= 1;
    assert!(verify(&forged, SNP_AT).is_err());
    let (said, genuine) = (stated(&forged).expect("evidence"), stated(&snp()).expect("evidence"));
    assert_ne!(said.measurement, genuine.measurement);
    for (bytes, _) in genuine_and_simulated() {
        assert!(stated(&[&bytes[..], &[0]].concat()).is_err());
        assert!(stated(&bytes[..bytes.len() - 1]).is_err());
    }
    let mut other = sgx();
    other[8] = ProviderKind::Tdx as u8;
    let (expected, found) = (ProviderKind::Tdx, ProviderKind::Sgx);
    assert_eq!(stated(&other), Err(EvidenceError::Quote { expected, found }));
}

fn genuine_and_simulated() -> Vec<(Vec<u8>, u64)> {
    let simulated = simulated::SimulatedProvider::new(simulated::SimulatedHardware::from_seed(&[4; 32]), [3; 32]);
    let one = (simulated.attest(&[1; 64], &[2; 64], 5).expect("evidence"), 5);
    genuine().into_iter().chain([one]).collect()
}
