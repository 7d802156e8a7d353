//! Making a vault's keys: sizes inside the rule, files for each participant.

use super::support::{Scratch, mode};

#[test]
fn a_dealer_and_a_distributed_generation_write_the_same_files() {
    for verb in ["dealer", "dkg"] {
        let scratch = Scratch::new();
        let made = scratch.done(&format!("--json --no-passphrase keygen {verb} -n 5 --out keys")).json();
        assert_eq!((&made["participants"], &made["threshold"]), (&5.into(), &4.into()));
        for i in 1..=5 {
            assert_eq!(mode(&scratch.path(&format!("keys/participant-{i}.ccc"))), 0o600);
        }
        scratch.done("verify keys/committee.ccc");
    }
}

#[test]
fn thresholds_outside_the_rule_are_refused() {
    let scratch = Scratch::new();
    scratch.ccc("--no-passphrase keygen dkg -n 16 -t 5 --out keys").fails(2, "threshold 5 of 16, where 6 to 11");
    scratch.ccc("--no-passphrase keygen dkg -n 16 -t 12 --out keys").fails(2, "threshold 12 of 16");
    scratch.ccc("--no-passphrase keygen dealer -n 0 --out keys").fails(2, "0 participants");
    scratch.ccc("--no-passphrase keygen dealer -n 1025 --out keys").fails(2, "1025 participants");
    assert!(scratch.snapshot().is_empty());
}

#[test]
fn production_refuses_a_dealer_and_committees_that_tolerate_no_fault() {
    let scratch = Scratch::new();
    let keygen = |arguments: &str| scratch.ccc(&format!("--no-passphrase keygen {arguments} --production --out keys"));
    for n in [1, 2, 3] {
        let sentence = format!("{n} participants tolerate no fault; production needs at least 4");
        keygen(&format!("dkg -n {n}")).fails(2, &sentence);
    }
    keygen("dkg -n 16 -t 6").fails(2, "threshold 6 of 16 does not protect tables; production needs at least 11");
    keygen("dealer -n 4").fails(2, "a dealer is refused in production mode");
    keygen("dkg -n 4").fails(2, "the separation of the participants is simulated, which production mode refuses");
    assert!(scratch.snapshot().is_empty());
}

#[test]
fn a_dealer_says_that_it_knows_the_master_key() {
    let scratch = Scratch::new();
    let run = scratch.done("--no-passphrase keygen dealer -n 4 --out keys");
    assert!(run.stderr.contains("a dealer knows the master key"));
    let run = scratch.done("--quiet --no-passphrase keygen dealer -n 4 --out quiet");
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
}
