//! A file of the wrong kind: the error says what it is and what was wanted.

use super::support::{circle::Circle, set_mode};

#[test]
fn a_file_of_another_kind_is_told_for_what_it_is() {
    let circle = Circle::with_vault(4);
    circle.scratch.write("note.txt", "a note");
    circle.done("encrypt --key vault/committee.ccc --out note.ccc note.txt");
    let run = "--state q --board q --out q";
    for (arguments, found, wanted) in [
        (
            "keygen session --out q k1.ccc".to_owned(),
            "a participant's keys without a share",
            "a participant's public keys",
        ),
        ("keygen session --out q session.json".into(), "a session", "a participant's public keys"),
        ("encrypt --key session.json note.txt".into(), "a session", "a tdh2 public key"),
        ("encrypt --key k1.pub note.txt".into(), "a participant's public keys", "a tdh2 public key"),
        ("encrypt --key vault/participant-1.ccc note.txt".into(), "a participant's keys", "a committee"),
        (
            "share --participant vault/participant-1.ccc --key vault/committee.ccc vault/committee.ccc".into(),
            "a committee",
            "a ciphertext",
        ),
        (
            "share --participant k1.pub --key vault/committee.ccc note.ccc".into(),
            "a participant's public keys",
            "a participant's keys",
        ),
        (
            "share --participant k1.ccc --key vault/committee.ccc note.ccc".into(),
            "a participant's keys without a share",
            "a participant's keys",
        ),
        (format!("keygen dkg --session vault/committee.ccc --keys k1.ccc {run}"), "a committee", "a session"),
        (
            format!("keygen dkg --session session.json --keys k1.pub {run}"),
            "a participant's public keys",
            "a participant's keys without a share",
        ),
        (
            format!("reshare --session session.json --committee session.json --keys k1.ccc {run}"),
            "",
            "it is of a distributed key generation, where a reshare is wanted",
        ),
        (
            "repair-share assist --committee session.json --participant q --request q --board q".into(),
            "a session",
            "a committee",
        ),
        (
            "repair-share assist --committee vault/committee.ccc --participant q --request note.ccc --board q".into(),
            "a ciphertext",
            "a request to repair a share",
        ),
    ] {
        let sentence =
            if found.is_empty() { wanted.to_owned() } else { format!("holds {found}, where {wanted} is wanted") };
        circle.ccc(&arguments).fails(2, &sentence);
    }
    let path = circle.scratch.path("vault/participant-1.ccc");
    set_mode(&path, 0o644);
    let share = "share --participant vault/participant-1.ccc --key vault/committee.ccc note.ccc";
    circle.ccc(share).fails(2, "can be read by other users");
}

#[test]
fn every_file_of_a_key_generation_is_told_and_verified_or_said_why_not() {
    let circle = Circle::with_vault(4);
    let seen = |path: &str| circle.done(&format!("--json inspect {path}")).json();
    let session = seen("session.json");
    assert_eq!((&session["file"], &session["protocol"]), (&"a session".into(), &"key-generation".into()));
    assert_eq!((&session["participants"], &session["threshold"]), (&4.into(), &3.into()));
    let open = seen("board/open-1.ccc");
    assert_eq!((&open["topic"], &open["message"]), (&session["session"], &"a dealing".into()));
    assert_eq!(seen("board/confirm-2.ccc")["round"], "confirm");
    let public = seen("k1.pub");
    assert_eq!(public["file"], "a participant's public keys");
    assert_eq!(public["dealing_key"].as_str().map(str::len), Some(64));
    circle.ccc("verify k1.pub").fails(2, "nobody signs it");
    let text = String::from_utf8(circle.scratch.read("k1.pub")).expect("text");
    let key = public["dealing_key"].as_str().expect("text");
    circle.scratch.write("bent.pub", text.replace(key, &"ff".repeat(32)));
    circle.ccc("verify bent.pub").fails(1, "bent.pub does not verify");
    circle.ccc("verify s1").fails(2, "it is checked where it is opened");
    circle.scratch.write("odd.json", text.replace("dealing_key", "protocol"));
    circle.ccc("verify odd.json").fails(1, "session: ");
    let twice = circle.done("keygen session --out twice.json k1.pub k2.pub k3.pub k3.pub");
    assert!(twice.stderr.contains("numbers 3, 4 are one participant"), "{}", twice.stderr);
}

#[test]
fn who_waits_is_told_how_to_go_on() {
    let circle = Circle::new(4);
    let waits = circle
        .ccc("--no-passphrase keygen dkg --session session.json --keys k1.ccc --state s1 --board board --out vault");
    assert_eq!(waits.code, 1, "{}", waits.stderr);
    assert!(waits.stderr.contains("note: run the same command again once their messages are on the board"));
}
