//! Secret files: what is refused, and that nothing is written then (numbers 151 and 152).

use super::support::{Scratch, mode, set_mode};
use std::fs;

const CLEAR: &str = "--no-passphrase keygen account --out key.ccc";

/// An account key sealed with a passphrase.
fn sealed() -> Scratch {
    let scratch = Scratch::new();
    scratch.write_private("right", "a long passphrase\n");
    scratch.done("--passphrase-file right keygen account --out key.ccc");
    scratch
}

#[test]
fn a_sealed_key_is_written_for_its_owner_and_holds_no_plaintext() {
    let scratch = sealed();
    assert_eq!(mode(&scratch.path("key.ccc")), 0o600);
    let inspected = scratch.done("--json inspect key.ccc").json();
    assert_eq!(inspected["content"], "an account's keys");
    assert_eq!(inspected["protection"], "passphrase");
}

#[test]
fn an_existing_key_is_kept_unless_forced() {
    let scratch = Scratch::new();
    scratch.done(CLEAR);
    let before = scratch.snapshot();
    scratch.ccc(CLEAR).fails(2, "key.ccc exists");
    assert_eq!(scratch.snapshot(), before);
    scratch.done(&format!("{CLEAR} --force"));
    assert_ne!(scratch.snapshot(), before);
}

#[test]
fn a_share_is_replaced_by_no_other_key() {
    let scratch = Scratch::new();
    scratch.done("--no-passphrase keygen dealer -n 4 --out keys");
    scratch.write_private("passphrase", "a long passphrase\n");
    scratch.done("--passphrase-file passphrase keygen dealer -n 4 --out sealed");
    let before = scratch.snapshot();
    for share in ["keys/participant-1.ccc", "sealed/participant-1.ccc"] {
        let renew = format!("--passphrase-file passphrase keygen participant --renew {share} --out {share} --force");
        let new = format!("--no-passphrase keygen participant --out {share} --force");
        let account = format!("--no-passphrase keygen account --out {share} --force");
        for run in [renew, new, account] {
            scratch.ccc(&run).fails(2, "holds a participant's share, which only a share may replace");
            assert_eq!(scratch.snapshot(), before, "{run}");
        }
    }
    scratch.done("--no-passphrase keygen participant --renew keys/participant-1.ccc --out renewed.ccc");
    scratch.done("--no-passphrase keygen participant --renew renewed.ccc --out renewed.ccc --force");
}

#[test]
fn a_vault_is_written_whole_or_not_at_all() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("keys")).expect("made");
    scratch.write("keys/participant-3.ccc", "somebody's");
    let before = scratch.snapshot();
    scratch.ccc("--no-passphrase keygen dealer -n 4 --out keys").fails(2, "participant-3.ccc exists");
    assert_eq!(scratch.snapshot(), before);
}

#[test]
fn a_link_is_not_written_through() {
    let scratch = Scratch::new();
    scratch.write("target", "kept");
    std::os::unix::fs::symlink(scratch.path("target"), scratch.path("key.ccc")).expect("linked");
    scratch.ccc(&format!("{CLEAR} --force")).fails(2, "symbolic link");
    assert_eq!(scratch.read("target"), b"kept");
}

#[test]
fn a_key_or_passphrase_that_others_may_read_is_refused() {
    let scratch = sealed();
    scratch.write("open-passphrase", "a long passphrase\n");
    set_mode(&scratch.path("open-passphrase"), 0o644);
    scratch.ccc("--passphrase-file open-passphrase keygen account --out other.ccc").fails(2, "mode 0644");
    assert!(!scratch.path("other.ccc").exists());
    let story = super::support::Story::funded();
    set_mode(&story.scratch.path("maker.ccc"), 0o640);
    story.ccc("table balance --pool pool --account-key maker.ccc").fails(2, "mode 0640");
}

#[test]
fn wrong_truncated_bent_and_costly_key_files_are_refused() {
    let story = super::support::Story::funded();
    let scratch = &story.scratch;
    scratch.write_private("right", "a long passphrase\n");
    scratch.write_private("wrong", "another passphrase\n");
    scratch.done("--passphrase-file right keygen account --out key.ccc");
    let balance = |passphrase: &str| {
        scratch.ccc(&format!("--passphrase-file {passphrase} table balance --pool pool --account-key key.ccc"))
    };
    balance("right").fails(1, "no row");
    balance("wrong").fails(2, "passphrase is wrong");
    let good = scratch.read("key.ccc");
    let with = |bytes: &[u8]| {
        fs::write(scratch.path("key.ccc"), bytes).expect("written");
        balance("right")
    };
    with(&good[..good.len() - 1]).fails(2, "altered");
    with(&good[..60]).fails(2, "are needed");
    with(b"").fails(2, "are needed");
    let patched = |at: usize, bytes: &[u8]| {
        let mut bent = good.clone();
        bent[at..at + bytes.len()].copy_from_slice(bytes);
        bent
    };
    with(&patched(good.len() - 1, &[good[good.len() - 1] ^ 1])).fails(2, "altered");
    with(&patched(12, &u32::MAX.to_be_bytes())).fails(2, "cost: memory 4294967295");
    with(&patched(12, &8u32.to_be_bytes())).fails(2, "cost: memory 8");
    with(&patched(16, &1u32.to_be_bytes())).fails(2, "cost: passes 1");
    with(&good).fails(1, "no row");
}

#[test]
fn a_passphrase_comes_from_a_file_and_never_from_the_environment() {
    let scratch = Scratch::new();
    scratch.ccc("keygen account --out key.ccc").fails(2, "no terminal");
    scratch.write_private("empty", "\n");
    scratch.ccc("--passphrase-file empty keygen account --out key.ccc").fails(2, "empty");
    let run = scratch.ccc_with(CLEAR, &[], &[("CCC_PASSPHRASE", "secret")]);
    run.fails(2, "CCC_PASSPHRASE is set");
    assert!(!run.stderr.contains("secret file"));
    assert!(scratch.snapshot().len() == 1, "no key was written");
    let file = scratch.write_private("passphrase", "words of a passphrase\n");
    let file = file.to_str().expect("a text path");
    let run = scratch.ccc_with("keygen account --out key.ccc", &[], &[("CCC_PASSPHRASE_FILE", file)]);
    assert_eq!(run.code, 0, "{}", run.stderr);
}

#[test]
fn secrets_reach_standard_output_only_when_asked() {
    let scratch = Scratch::new();
    let asked = scratch.done("--no-passphrase keygen account --out -");
    assert_eq!(&asked.out[..2], b"CC");
    let run = scratch.done(CLEAR);
    assert_eq!(run.stdout.trim().len(), 42, "an address alone");
}

#[test]
fn a_key_of_another_kind_is_named() {
    let story = super::support::Story::funded();
    story
        .ccc("table balance --pool pool --account-key keys/participant-1.ccc")
        .fails(2, "holds a participant's keys, where an account's keys is wanted");
}

#[test]
fn names_with_separators_stay_what_they_are() {
    let scratch = Scratch::new();
    for name in ["../../../etc/passwd", "large-deficit/../x", ".", ""] {
        let run = scratch.ccc(&format!("recover --scenario ./{name}"));
        assert_eq!(run.code, 2, "{name}: {}", run.stderr);
    }
}
