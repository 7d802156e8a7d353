//! Least firmware of SEV-SNP, generation by generation.

use super::*;

const VERSION: SnpTcb = SnpTcb { fmc: 0, boot_loader: 3, tee: 0, snp: 8, microcode: 115 };
const NEWER: SnpTcb = SnpTcb { microcode: 116, ..VERSION };
const NONE: SnpTcb = SnpTcb { fmc: 0, boot_loader: 0, tee: 0, snp: 0, microcode: 0 };

/// The least of all, the least of Milan, the least of Genoa, and what is said to Milan, Genoa and Turin.
type Row = (SnpTcb, Option<SnpTcb>, Option<SnpTcb>, [Said; 3]);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Said {
    Accepted,
    Old,
    Unstated,
    Unlimited,
    Otherwise,
}

fn judged(policy: &Policy, generation: SnpGeneration) -> Said {
    let mut evidence = verify(&snp(), SNP_AT).expect("genuine evidence");
    evidence.tcb = Tcb::Snp { generation, reported: VERSION, committed: VERSION };
    match policy.accept(&evidence, SNP_AT) {
        Ok(()) => Said::Accepted,
        Err(PolicyRefusal::Firmware { found: VERSION, minimum: NEWER }) => Said::Old,
        Err(PolicyRefusal::Generation { found }) if found == generation => Said::Unstated,
        Err(PolicyRefusal::NoMinimum) => Said::Unlimited,
        Err(_) => Said::Otherwise,
    }
}

#[test]
fn n107_each_generation_has_its_own_least_firmware() {
    use Said::{Accepted, Old, Unlimited, Unstated};
    let rows: [Row; 10] = [
        (NONE, None, None, [Unlimited, Unlimited, Unlimited]),
        (NONE, Some(NONE), Some(VERSION), [Unlimited, Accepted, Unstated]),
        (VERSION, Some(NONE), None, [Unlimited, Accepted, Accepted]),
        (VERSION, None, None, [Accepted, Accepted, Accepted]),
        (NEWER, None, None, [Old, Old, Old]),
        (NONE, Some(VERSION), None, [Accepted, Unstated, Unstated]),
        (NONE, Some(NEWER), Some(VERSION), [Old, Accepted, Unstated]),
        (NONE, Some(VERSION), Some(NEWER), [Accepted, Old, Unstated]),
        (NEWER, Some(VERSION), None, [Accepted, Old, Old]),
        (VERSION, Some(NEWER), None, [Old, Accepted, Accepted]),
    ];
    let evidence = verify(&snp(), SNP_AT).expect("genuine evidence");
    for (number, (of_all, milan, genoa, expected)) in rows.into_iter().enumerate() {
        let mut policy = exact(&evidence);
        policy.hardware.snp_minimum = of_all;
        let own = [(SnpGeneration::Milan, milan), (SnpGeneration::Genoa, genoa)];
        policy.hardware.snp_generations =
            own.into_iter().filter_map(|(generation, minimum)| Some((generation, minimum?))).collect();
        let all = [SnpGeneration::Milan, SnpGeneration::Genoa, SnpGeneration::Turin];
        assert_eq!(all.map(|generation| judged(&policy, generation)), expected, "row {number}");
    }
}

/// By register or by digest, whatever the policy's own check says to it.
#[test]
fn n107_production_accepts_no_program_on_any_firmware() {
    let evidence = verify(&snp(), SNP_AT).expect("genuine evidence");
    for mut policy in [exact(&evidence), decided(&evidence)] {
        assert_eq!(policy.accept(&evidence, SNP_AT), Ok(()));
        policy.hardware.snp_minimum = NONE;
        assert_eq!(policy.accept(&evidence, SNP_AT), Err(PolicyRefusal::NoMinimum));
        policy.mode = OperatingMode::Simulation;
        assert_eq!(policy.accept(&evidence, SNP_AT), Ok(()));
    }
}

#[test]
fn n107_the_certificate_says_the_generation() {
    let evidence = verify(&snp(), SNP_AT).expect("genuine evidence");
    assert!(matches!(evidence.tcb, Tcb::Snp { generation: SnpGeneration::Milan, .. }));
    assert_eq!(snp::AUTHORITIES.map(|authority| authority.generation.to_string()), ["Milan", "Genoa", "Turin"]);
}

#[test]
fn n107_production_takes_the_least_firmware_of_one_generation_for_a_statement() {
    let mut policy = decided(&verify(&snp(), SNP_AT).expect("genuine evidence"));
    policy.hardware.snp_minimum = NONE;
    policy.hardware.snp_generations.insert(SnpGeneration::Turin, NONE);
    assert_eq!(policy.check_configuration(), Err(PolicyRefusal::NoMinimum));
    policy.hardware.snp_generations.insert(SnpGeneration::Turin, VERSION);
    assert_eq!(policy.check_configuration(), Ok(()));
    policy.hardware.snp_generations.insert(SnpGeneration::Milan, NONE);
    assert_eq!(policy.check_configuration(), Err(PolicyRefusal::NoMinimum));
}
