//! The paths by hand, as README.md gives them: pasteable sequences.

use std::{path::Path, process::Command};

/// The sequences, kept beside this test.
const RESERVE: &str = include_str!("shell_path.sh");
const MESSAGE: &str = include_str!("message_path.sh");
const KEYS: &str = include_str!("keys_path.sh");

/// Runs a sequence in a directory of its own and gives what it printed.
fn run(script: &str, scratch: &Path) -> String {
    let directory = Path::new(env!("CARGO_BIN_EXE_ccc")).parent().expect("the command lies in a directory");
    let search = format!("{}:{}", directory.display(), std::env::var("PATH").expect("a search path"));
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(scratch)
        .env("PATH", search)
        .env_remove("CCC_PASSPHRASE_FILE")
        .output()
        .expect("bash runs");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    stdout
}

fn has_lines(stdout: &str, lines: &[&str]) {
    for line in lines {
        assert!(stdout.lines().any(|found| found == *line), "{line}\n{stdout}");
    }
}

#[test]
fn the_path_by_hand_heals_a_reserve() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let stdout = run(RESERVE, scratch.path());
    has_lines(&stdout, &["reserve: insolvent", "filled: table version 3", "reserve: solvent"]);
    assert!(!scratch.path().join("fill/attempt.key").exists(), "the attempt's keys are spent");
}

#[test]
fn a_message_is_opened_by_hand_in_both_formats() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let stdout = run(MESSAGE, scratch.path());
    has_lines(&stdout, &["meet at the usual place", "meet at the other place"]);
}

#[test]
fn keys_are_made_handed_over_and_repaired_by_hand() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let stdout = run(KEYS, scratch.path());
    has_lines(&stdout, &["committee of 4, any 3 open: vault/committee.ccc", "meet at the usual place"]);
    for line in [
        "board: 4 of 4 members confirm",
        "board-2: 5 of 5 members confirm",
        "board-3: the sums of participants 1, 3, 4, 5",
    ] {
        assert!(stdout.contains(line), "{line}\n{stdout}");
    }
    for i in 1..=4 {
        for epoch in ["vault", "fresh"] {
            let old = scratch.path().join(format!("{epoch}/participant-{i}.ccc"));
            assert!(!old.exists(), "old share {i} of {epoch} is erased");
        }
    }
}

#[test]
fn the_readme_gives_the_same_lines() {
    let readme = include_str!("../../../README.md");
    for (script, name) in [(RESERVE, "shell_path.sh"), (MESSAGE, "message_path.sh"), (KEYS, "keys_path.sh")] {
        assert!(readme.contains(script.trim_end()), "README.md, differs from tests/{name}");
    }
}
