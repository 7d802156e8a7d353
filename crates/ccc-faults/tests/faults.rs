//! The command: what it prints, how it ends, and that every row fails without the guard that it rests on.

use assert_cmd::Command;
use ccc_core::{enclave::attestation::OperatingMode, threshold::Threshold};
use ccc_node::production::{Configuration, ProductionRefusal, Sharing};
use serde_json::Value;

fn faults(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ccc-faults")).args(arguments).output().expect("starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("ended by itself"), text(output.stdout), text(output.stderr))
}

fn tried(row: &str, more: &[&str]) -> (i32, Value) {
    let (code, out, _) = faults(&[&["--table", "--json", "--row", row], more].concat());
    let mut document: Value = serde_json::from_str(&out).expect("one document");
    assert_eq!(document["held"], code == 0);
    (code, document["rows"][0].take())
}

#[test]
fn a_seed_replays_and_another_seed_is_another_run() {
    let trace = |seed| tried("report-quorum", &["--seed", seed]).1["measured"].clone();
    let storm = |seed| {
        let (code, row) = tried("dkg-storm", &["--seed", seed]);
        assert_eq!((code, &row["verdict"]), (0, &Value::from("held")), "{row}");
        (row["measured"].clone(), row["virtual_ms"].clone())
    };
    let first = storm("7");
    assert_eq!(storm("7"), first);
    assert_ne!(storm("8"), first);
    let first = trace("7");
    assert_eq!(trace("7"), first);
    assert_ne!(trace("8"), first);
}

#[test]
fn a_row_that_does_not_end_is_missed() {
    let (code, row) = tried("requests-storm", &["--limit", "0"]);
    assert_eq!(
        (code, &row["verdict"], &row["measured"]),
        (1, &Value::from("missed"), &Value::from("no end after 0 s"))
    );
}

#[test]
fn what_is_not_there_is_refused_by_name() {
    let (code, _, error) = faults(&["--table", "--row", "weather"]);
    assert_eq!((code, error.as_str()), (2, "error: no row is named weather\nhint: --list names the rows\n"));
    let (code, _, error) = faults(&["--table", "--without", "nothing"]);
    assert_eq!(code, 2);
    assert!(error.starts_with("error: no guard is named nothing; there are dealers, "), "{error}");
    let (code, _, error) = faults(&[]);
    assert_eq!((code, error.lines().next()), (2, Some("error: nothing to do")));
}

#[cfg(not(feature = "unguarded"))]
#[test]
fn a_build_without_the_feature_takes_no_guard_out() {
    let (code, out, error) = faults(&["--table", "--without", "proofs"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(error.starts_with("error: this program was built without the feature unguarded"), "{error}");
}

#[cfg(feature = "unguarded")]
#[test]
fn every_row_that_rests_on_a_guard_holds_with_it_and_fails_without_it() {
    for ccc_faults::guards::Guarded { name, rows, says, .. } in ccc_faults::guards::GUARDS {
        for row in *rows {
            let (code, control) = tried(row, &[]);
            assert_eq!((code, &control["verdict"]), (0, &Value::from("held")), "with every guard: {control}");
            let (code, found) = tried(row, &["--without", name]);
            assert_eq!((code, &found["verdict"]), (1, &Value::from("missed")), "without {name}: {found}");
            let measured = found["measured"].as_str().expect("a reason");
            assert!(measured.contains(says), "without {name}: {measured}, where {says} is the reason");
            println!("{name} | {row} | {measured}");
        }
    }
}

#[test]
fn production_refuses_a_build_that_can_take_checks_out() {
    let (sharing, policy) = (Sharing::Sizes(Threshold::default_for(16).expect("valid")), None);
    let production = OperatingMode::Production;
    let configuration =
        Configuration { mode: production, seeded: false, dealt: false, sharing, policy, simulated: &[] };
    let expected = if cfg!(feature = "unguarded") { Err(ProductionRefusal::Unguarded) } else { Ok(()) };
    assert_eq!(configuration.check(), expected);
    assert_eq!(Configuration { mode: OperatingMode::Simulation, ..configuration }.check(), Ok(()));
}
