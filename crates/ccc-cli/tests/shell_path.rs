//! The path by hand, as README.md gives it: one pasteable sequence.

mod support;

use std::{fs, path::Path, process::Command};
use support::Scratch;

/// The sequence between the markers of README.md's section, or the copy beside this test until it stands there.
const SCRIPT: &str = include_str!("shell_path.sh");

#[test]
fn the_path_by_hand_heals_a_reserve() {
    let scratch = Scratch::new();
    let command = assert_cmd::cargo::cargo_bin("ccc");
    let directory = command.parent().map(Path::to_path_buf).expect("the command lies in a directory");
    let search = format!("{}:{}", directory.display(), std::env::var("PATH").expect("a search path"));
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", SCRIPT])
        .current_dir(scratch.path("."))
        .env("PATH", search)
        .env_remove("CCC_PASSPHRASE_FILE")
        .output()
        .expect("bash runs");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    for line in ["reserve: insolvent", "filled: table version 3", "reserve: solvent"] {
        assert!(stdout.lines().any(|found| found == line), "{line}\n{stdout}");
    }
    assert!(!fs::exists(scratch.path("fill/attempt.key")).expect("looked up"), "the attempt's keys are spent");
}
