//! One screen of help, kept as a file; help, completions and manual for every verb.

use super::support::Scratch;

#[test]
fn help_is_one_screen() {
    let help = Scratch::new().done("--help").stdout;
    assert_eq!(help, include_str!("help.txt"), "update tests/help.txt when the change is meant");
    assert!(help.lines().count() <= 54, "one screen");
    assert!(help.lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn every_verb_has_help_with_an_example() {
    let scratch = Scratch::new();
    for verb in [
        "recover",
        "devnet",
        "node enclave",
        "node workflow",
        "keygen dealer",
        "keygen dkg",
        "keygen participant",
        "keygen session",
        "refresh",
        "reshare",
        "repair-share request",
        "repair-share assist",
        "repair-share finish",
        "keygen account",
        "keygen agent",
        "keygen auditor",
        "keygen tdh2",
        "table init",
        "table deposit",
        "table withdraw",
        "table transfer",
        "table cancel",
        "table freeze",
        "table unfreeze",
        "table force-transfer",
        "table balance",
        "table history",
        "table export",
        "table collect",
        "table restore",
        "table auditors",
        "table rotate",
        "table ask",
        "table answer",
        "table summary",
        "encrypt",
        "share",
        "open",
        "encrypt-order",
        "reencrypt",
        "fill prepare",
        "fill run",
        "clear",
        "clear generate",
        "attest policy check",
        "agent run",
        "agent check-policy",
        "agent journal",
        "agent approve",
        "agent approver",
        "verify",
        "inspect",
        "deploy",
        "status",
        "report submit",
        "report compare",
        "deposit",
        "withdraw",
        "order new",
        "order cancel",
        "order status",
        "receipt open",
        "exit",
        "swap place",
        "swap quote",
        "swap run",
        "serve",
        "chain",
        "custodian",
        "node vault",
        "node check-config",
        "node audit",
        "node openapi",
        "config show",
        "doctor",
        "completions",
        "man",
    ] {
        let help = scratch.done(&format!("{verb} --help")).stdout;
        assert!(help.contains("Example"), "{verb}\n{help}");
        assert!(help.lines().count() <= 40, "{verb}: one screen\n{help}");
    }
}

#[test]
fn completions_are_printed_for_each_shell() {
    let scratch = Scratch::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(scratch.done(&format!("completions {shell}")).stdout.contains("encrypt-order"), "{shell}");
    }
}

#[test]
fn the_manual_is_printed_or_written_page_by_page() {
    let scratch = Scratch::new();
    assert!(scratch.done("man").stdout.contains(".TH ccc"));
    scratch.done("man --out man1");
    for page in ["ccc.1", "ccc-keygen-dkg.1", "ccc-fill-run.1"] {
        assert!(scratch.path("man1").join(page).exists(), "{page}");
    }
    scratch.ccc("man --out man1").fails(2, "exists");
    scratch.done("man --out man1 --force");
}

#[test]
fn wrong_arguments_are_told_in_either_form() {
    let scratch = Scratch::new();
    let run = scratch.ccc("keygen dkg");
    assert_eq!(run.code, 2);
    assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
    let run = scratch.ccc("--json keygen dkg");
    assert_eq!((run.code, &run.json_error()["code"]), (2, &"usage".into()));
}
