//! The path by hand, as README.md gives it: one pasteable sequence.

use std::{path::Path, process::Command};

/// The sequence, kept beside this test.
const SCRIPT: &str = include_str!("shell_path.sh");

#[test]
fn the_path_by_hand_heals_a_reserve() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let directory = Path::new(env!("CARGO_BIN_EXE_ccc")).parent().expect("the command lies in a directory");
    let search = format!("{}:{}", directory.display(), std::env::var("PATH").expect("a search path"));
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", SCRIPT])
        .current_dir(scratch.path())
        .env("PATH", search)
        .env_remove("CCC_PASSPHRASE_FILE")
        .output()
        .expect("bash runs");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    for line in ["reserve: insolvent", "filled: table version 3", "reserve: solvent"] {
        assert!(stdout.lines().any(|found| found == line), "{line}\n{stdout}");
    }
    assert!(!scratch.path().join("fill/attempt.key").exists(), "the attempt's keys are spent");
}

#[test]
fn the_readme_gives_the_same_lines() {
    let readme = include_str!("../../../README.md");
    assert!(readme.contains(SCRIPT.trim_end()), "README.md, section *By hand*, differs from tests/shell_path.sh");
}
