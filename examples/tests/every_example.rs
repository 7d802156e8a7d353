//! Every example runs to its end.

use std::collections::BTreeSet;
use std::process::Command;

const EXAMPLES: [(&str, &str); 7] = [
    ("clearing", env!("CARGO_BIN_EXE_clearing")),
    ("clearing_plots", env!("CARGO_BIN_EXE_clearing_plots")),
    ("crossing", env!("CARGO_BIN_EXE_crossing")),
    ("quorum", env!("CARGO_BIN_EXE_quorum")),
    ("recovery", env!("CARGO_BIN_EXE_recovery")),
    ("report", env!("CARGO_BIN_EXE_report")),
    ("table", env!("CARGO_BIN_EXE_table")),
];

#[test]
fn every_example_is_listed() {
    let sources = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin")).expect("the examples");
    let names: BTreeSet<String> = sources
        .map(|source| source.expect("a file").path().file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, EXAMPLES.iter().map(|(name, _)| (*name).to_owned()).collect());
}

#[test]
fn every_example_runs_to_its_end() {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, program) in EXAMPLES {
        let ran = Command::new(program).current_dir(&directory).output().expect("a program");
        assert!(ran.status.success(), "{name}: {}", String::from_utf8_lossy(&ran.stderr));
        assert!(!ran.stdout.is_empty(), "{name} says nothing");
    }
}
