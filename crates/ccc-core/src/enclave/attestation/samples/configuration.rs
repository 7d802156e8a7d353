//! The configuration under which hardware runs a program: in its user data, and on the policy's list.

use super::*;

const SAID: [u8; 64] = [1; 64];
const OURS: [u8; 32] = [7; 32];

/// Genuine evidence of every kind, as it would be if the program had said this under our configuration.
fn bound() -> Vec<(Evidence, [u8; 64])> {
    let all = genuine().into_iter().map(|(bytes, at)| verify(&bytes, at).expect("genuine evidence"));
    let nonce = [2; 64];
    let bind = |evidence: Evidence| Evidence {
        user_data: evidence.kind.user_data(&SAID, &OURS).to_vec(),
        nonce: evidence.nonce.map(|_| nonce.to_vec()),
        ..evidence
    };
    all.map(|evidence| (bind(evidence), nonce)).collect()
}

fn listing(evidence: &Evidence, configurations: &[[u8; 32]]) -> Policy {
    let mut policy = exact(evidence);
    policy.hardware.configurations = configurations.to_vec();
    policy
}

#[test]
fn n106_hardware_is_accepted_under_a_listed_configuration_alone() {
    for (evidence, nonce) in bound() {
        let kind = evidence.kind;
        let check =
            |configurations: &[[u8; 32]]| listing(&evidence, configurations).check_binding(&evidence, &SAID, &nonce);
        assert_eq!(check(&[OURS]), Ok(()), "{kind}");
        assert_eq!(check(&[[8; 32], OURS]), Ok(()), "{kind}");
        assert_eq!(check(&[[8; 32]]), Err(PolicyRefusal::UserData), "{kind}");
        assert_eq!(check(&[]), Err(PolicyRefusal::NoConfiguration), "{kind}");
    }
}

/// A policy that would refuse everything is none.
#[test]
fn n106_production_without_a_configuration_is_no_policy() {
    for (evidence, _) in bound() {
        for policy in [exact(&evidence), decided(&evidence)] {
            assert_eq!(policy.check_configuration(), Ok(()));
            let mut without = policy.clone();
            without.hardware.configurations.clear();
            assert_eq!(without.check_configuration(), Err(PolicyRefusal::NoConfiguration));
            without.mode = OperatingMode::Simulation;
            assert_eq!(without.check_configuration(), Ok(()));
        }
    }
}

/// What the program says has to be there too, and the bare hash of it is not enough.
#[test]
fn n106_a_listed_configuration_does_not_stand_for_keys_and_request() {
    for (evidence, nonce) in bound() {
        let policy = listing(&evidence, &[OURS]);
        assert_eq!(policy.check_binding(&evidence, &[3; 64], &nonce), Err(PolicyRefusal::UserData));
        let bare = Evidence { user_data: SAID.to_vec(), ..evidence.clone() };
        assert_eq!(policy.check_binding(&bare, &SAID, &nonce), Err(PolicyRefusal::UserData));
        let bare = Evidence { user_data: Vec::new(), ..evidence };
        assert_eq!(policy.check_binding(&bare, &SAID, &nonce), Err(PolicyRefusal::UserData));
    }
}

/// The measurement of the stand-in is over its configuration, so its user data is as it was.
#[test]
fn n106_simulated_evidence_carries_what_is_said_as_it_is() {
    assert_eq!(ProviderKind::Simulated.user_data(&SAID, &OURS), SAID);
    let expected = crate::suite::hash("configured", &[&SAID, &OURS]);
    for kind in ProviderKind::ALL.into_iter().filter(|kind| *kind != ProviderKind::Simulated) {
        assert_eq!(kind.user_data(&SAID, &OURS), expected);
        assert_ne!(kind.user_data(&SAID, &[8; 32]), expected);
        assert_ne!(kind.user_data(&[8; 64], &OURS), expected);
    }
}
