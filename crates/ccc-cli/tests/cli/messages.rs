//! Any message, from encrypt to open, in both formats.

use super::support::{Run, Scratch, mode, set_mode};
use ccc_core::{
    compat::tdh2_p256::{Ciphertext as Raw, PublicKey},
    encoding::Kind,
    envelope::Envelope,
    keys::{Committee, ParticipantKeys},
};
use rand::{SeedableRng, rngs::StdRng};

const NOTE: &[u8] = b"meet at the usual place\n";

/// A vault of four with three shares to open, a tdh2 key of the same shape, and one ciphertext of each.
fn prepared() -> Scratch {
    let scratch = Scratch::new();
    scratch.done("--no-passphrase keygen dealer -n 4 --out keys");
    scratch.done("--no-passphrase keygen tdh2 -n 4 --out tdh2");
    scratch.write("note.txt", NOTE);
    scratch.done("encrypt --key keys/committee.ccc --out note.ccc note.txt");
    scratch.done("encrypt --key tdh2/public-key.json --format tdh2easy --out note.json note.txt");
    scratch
}

fn native_share(scratch: &Scratch, i: u16) -> Run {
    let flags = "--key keys/committee.ccc --force";
    scratch.ccc(&format!("share --participant keys/participant-{i}.ccc {flags} --out n{i}.ccc note.ccc"))
}

fn tdh2_share(scratch: &Scratch, i: u16) -> Run {
    let flags = "--key tdh2/public-key.json --force";
    scratch.ccc(&format!("share --participant tdh2/participant-{i}.ccc {flags} --out t{i}.json note.json"))
}

fn shared() -> Scratch {
    let scratch = prepared();
    for i in 0..4 {
        assert_eq!((native_share(&scratch, i + 1).code, tdh2_share(&scratch, i).code), (0, 0));
    }
    scratch
}

#[test]
fn any_three_of_four_open_either_format() {
    let scratch = shared();
    for left_out in 0..4 {
        let files = |make: &dyn Fn(u16) -> String| -> String {
            (0..4).filter(|i| *i != left_out).map(make).collect::<Vec<_>>().join(" ")
        };
        let native = files(&|i| format!("n{}.ccc", i + 1));
        assert_eq!(scratch.done(&format!("open --key keys/committee.ccc note.ccc {native}")).out, NOTE);
        let tdh2 = files(&|i| format!("t{i}.json"));
        assert_eq!(scratch.done(&format!("open --key tdh2/public-key.json note.json {tdh2}")).out, NOTE);
    }
}

#[test]
fn streams_are_read_and_written_and_the_message_is_its_owners() {
    let scratch = shared();
    let piped = scratch.ccc_stdin("encrypt --key keys/committee.ccc", b"\0\xff binary");
    assert_eq!((piped.code, &piped.out[..4]), (0, &b"CC\x01\x01"[..]), "{}", piped.stderr);
    let ciphertext = scratch.read("note.json");
    let opened = scratch.ccc_stdin("open --key tdh2/public-key.json - t0.json t1.json t2.json --out note", &ciphertext);
    assert_eq!((opened.code, scratch.read("note")), (0, NOTE.to_vec()), "{}", opened.stderr);
    #[cfg(unix)]
    assert_eq!(mode(&scratch.path("note")), 0o600);
    let again = "open --key tdh2/public-key.json note.json t0.json t1.json t2.json --out note";
    scratch.ccc(again).fails(2, "note exists");
    scratch.done(&format!("{again} --force"));
    let run = scratch.done(&format!("--json {again} --force")).json();
    assert_eq!((&run["bytes"], &run["message"]), (&NOTE.len().into(), &"note".into()));
    scratch.ccc("open --key - - n1.ccc").fails(2, "standard input is named 2 times");
}

#[test]
fn n055_fewer_than_t_shares_open_nothing() {
    let scratch = shared();
    let before = scratch.snapshot();
    for (key, files) in
        [("keys/committee.ccc", "note.ccc n1.ccc n2.ccc"), ("tdh2/public-key.json", "note.json t0.json t1.json")]
    {
        let run = scratch.ccc(&format!("open --key {key} {files} --out note"));
        run.fails(2, "2 of 3 needed shares are good");
        let twice = files.rsplit(' ').next().expect("a file");
        scratch.ccc(&format!("open --key {key} {files} {twice} --out note")).fails(2, "2 of 3 needed shares");
    }
    assert_eq!(scratch.snapshot(), before);
}

#[test]
fn files_that_are_no_shares_of_the_ciphertext_are_told_and_left_out() {
    let scratch = shared();
    scratch.done("encrypt --key keys/committee.ccc --out other.ccc note.txt");
    scratch.done("encrypt --key tdh2/public-key.json --format tdh2easy --out other.json note.txt");
    scratch.done("share --participant keys/participant-4.ccc --key keys/committee.ccc --out other-n.ccc other.ccc");
    scratch.done("share --participant tdh2/participant-3.ccc --key tdh2/public-key.json --out other-t.json other.json");
    scratch.write("rubbish", "{}");
    let native = "open --key keys/committee.ccc note.ccc n1.ccc n2.ccc other-n.ccc rubbish";
    let run = scratch.ccc(native);
    run.fails(2, "2 of 3 needed shares are good; other-n.ccc is left out: it is a share of another ciphertext");
    run.fails(2, "; rubbish is left out: ");
    let opened = scratch.done(&format!("{native} n3.ccc"));
    assert_eq!((opened.out.as_slice(), opened.stderr.matches("is left out").count()), (NOTE, 2), "{}", opened.stderr);
    let tdh2 = "open --key tdh2/public-key.json note.json t0.json t1.json other-t.json rubbish";
    let run = scratch.ccc(tdh2);
    run.fails(2, "2 of 3 needed shares are good; other-t.json is left out: the proof of share 3 does not verify");
    run.fails(2, "rubbish is left out: Group: missing");
    let opened = scratch.done(&format!("{tdh2} t3.json"));
    assert_eq!((opened.out.as_slice(), opened.stderr.matches("is left out").count()), (NOTE, 2), "{}", opened.stderr);
}

#[test]
fn labels_say_who_may_open() {
    let scratch = prepared();
    scratch.done("encrypt --key keys/committee.ccc --label recipient --out order.ccc note.txt");
    let share = "share --participant keys/participant-1.ccc --key keys/committee.ccc";
    scratch.ccc(&format!("{share} order.ccc")).fails(2, "ciphertext 0 is not labelled public");
    scratch.done("encrypt --key keys/committee.ccc --lifetime 0 --out short.ccc note.txt");
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let run = scratch.ccc(&format!("--json {share} short.ccc"));
    assert_eq!((run.code, &run.json_error()["code"]), (2, &"expired".into()));
    let id = "ab".repeat(32);
    let contract = "cd".repeat(20);
    let flags = format!("--chain 7 --contract 0x{contract} --id {id} --lifetime 60");
    scratch.done(&format!("encrypt --key keys/committee.ccc {flags} --out bound.ccc note.txt"));
    let seen = scratch.done("--json inspect bound.ccc").json();
    assert_eq!((&seen["chain"], &seen["contract"], &seen["id"]), (&7.into(), &contract.into(), &id.into()));
    let tdh2 = "encrypt --key tdh2/public-key.json --format tdh2easy";
    let owner = "12".repeat(20);
    scratch.done(&format!("{tdh2} --label 0x{owner} --out owned.json note.txt"));
    let seen = scratch.done("--json inspect owned.json").json();
    assert_eq!(seen["label"], format!("{}{owner}", "0".repeat(24)));
    for (flags, sentence) in [
        ("--label public", "64 hexadecimal digits"),
        ("--label 0x", "64 hexadecimal digits"),
        ("--label abcd", "64 hexadecimal digits"),
        ("--chain 1", "has no chain"),
        ("--lifetime 1", "has no chain, contract, id or lifetime"),
    ] {
        scratch.ccc(&format!("{tdh2} {flags} note.txt")).fails(2, sentence);
    }
    scratch.ccc("encrypt --key keys/committee.ccc --label secret note.txt").fails(2, "`public` or `recipient`");
}

#[test]
fn formats_are_not_mixed() {
    let scratch = shared();
    let run = scratch.ccc("encrypt --key tdh2/public-key.json note.txt");
    run.fails(2, "tdh2/public-key.json holds a tdh2 public key, where a committee is wanted");
    let run = scratch.ccc("encrypt --key keys/committee.ccc --format tdh2easy note.txt");
    run.fails(2, "keys/committee.ccc holds a committee, where a tdh2 public key is wanted");
    scratch.ccc("open --key keys/committee.ccc note.json n1.ccc").fails(2, "where a tdh2 public key is wanted");
    scratch.ccc("open --key tdh2/public-key.json note.ccc n1.ccc").fails(2, "where a committee is wanted");
    let native = scratch.ccc("share --participant tdh2/participant-0.ccc --key keys/committee.ccc note.ccc");
    native.fails(2, "holds a tdh2 private share, where a participant's keys is wanted");
    let tdh2 = scratch.ccc("share --participant keys/participant-1.ccc --key tdh2/public-key.json note.json");
    tdh2.fails(2, "holds a participant's keys, where a tdh2 private share is wanted");
    scratch.ccc("open --key note.txt note.json t0.json").fails(2, "note.txt: ");
    scratch.ccc("open --key keys/committee.ccc note.txt n1.ccc").fails(2, "note.txt: ");
}

#[test]
fn keys_of_another_dealing_are_refused() {
    let (scratch, other) = (prepared(), prepared());
    for name in ["keys/participant-1.ccc", "tdh2/participant-1.ccc"] {
        let path = scratch.write(name, other.read(name));
        set_mode(&path, 0o600);
    }
    let run = scratch.ccc("--json share --participant keys/participant-1.ccc --key keys/committee.ccc note.ccc");
    assert_eq!((run.code, &run.json_error()["code"]), (2, &"key-share".into()));
    let run = scratch.ccc("--json share --participant tdh2/participant-1.ccc --key tdh2/public-key.json note.json");
    assert_eq!((run.code, &run.json_error()["code"]), (2, &"tdh2-key".into()));
    scratch.write("tdh2/public-key.json", other.read("tdh2/public-key.json"));
    let run = scratch.ccc("--json share --participant tdh2/participant-1.ccc --key tdh2/public-key.json note.json");
    assert_eq!((run.code, &run.json_error()["code"]), (2, &"ciphertext".into()), "{}", run.stderr);
}

#[test]
fn tdh2_files_are_told_and_verified() {
    let scratch = shared();
    let seen = |path: &str| scratch.done(&format!("--json inspect {path}")).json();
    let key = seen("tdh2/public-key.json");
    assert_eq!(
        (&key["file"], &key["participants"], &key["threshold"]),
        (&"a tdh2 public key".into(), &4.into(), &3.into())
    );
    assert_eq!(seen("note.json")["file"], "a tdh2easy ciphertext");
    assert_eq!(seen("note.json")["message_bytes"], NOTE.len());
    assert_eq!((&seen("t2.json")["file"], &seen("t2.json")["index"]), (&"a tdh2 decryption share".into(), &2.into()));
    assert_eq!(seen("n2.ccc")["file"], "a participant's plain share");
    assert_eq!(seen("tdh2/participant-1.ccc")["content"], "a tdh2 private share");
    scratch.done("verify tdh2/public-key.json note.json t0.json t3.json");
    scratch.done("verify --committee keys/committee.ccc note.ccc n1.ccc");
    scratch.ccc("verify --committee keys/committee.ccc n1.ccc").fails(2, "cannot be checked without its ciphertext");
    scratch.done("encrypt --key keys/committee.ccc --out other.ccc note.txt");
    let run = scratch.ccc("verify --committee keys/committee.ccc other.ccc n1.ccc");
    run.fails(1, "it is a share of another ciphertext");
    scratch.done("verify --committee keys/committee.ccc other.ccc note.ccc n1.ccc");
    scratch.ccc("verify note.json").fails(2, "cannot be checked without the tdh2 public key");
    scratch.ccc("verify tdh2/public-key.json t0.json").fails(2, "cannot be checked without its ciphertext");
    scratch.done("encrypt --key tdh2/public-key.json --format tdh2easy --out other.json note.txt");
    scratch.ccc("verify tdh2/public-key.json other.json t0.json").fails(1, "the proof of share 0 does not verify");
    scratch.done("--no-passphrase keygen tdh2 -n 4 --out foreign");
    scratch.ccc("verify foreign/public-key.json note.json").fails(1, "proof does not verify");
}

/// Participant 1's share of the note with another point in its place, under its right signature.
fn lie(scratch: &Scratch) {
    let file = scratch.read("keys/participant-1.ccc");
    let length = u32::from_be_bytes(file[12..16].try_into().expect("four bytes")) as usize;
    let keys = ParticipantKeys::from_bytes(&file[20 + length..file.len() - 32]).expect("keys");
    let committee = Committee::from_bytes(&scratch.read("keys/committee.ccc")).expect("a committee");
    let share = Envelope::from_bytes(&scratch.read("n1.ccc")).expect("a share");
    let mut payload = share.verify(&committee).expect("signed").to_vec();
    payload.copy_within(32..64, 0);
    let (digest, epoch, topic) = (committee.digest(), committee.epoch(), share.topic());
    let bent = Envelope::sign(&keys, &digest, epoch, share.identifier(), topic, Kind::Share, payload);
    scratch.write("n1.ccc", bent.expect("an envelope").to_bytes());
}

#[test]
fn a_wrong_plain_share_does_not_verify() {
    let scratch = shared();
    lie(&scratch);
    let run = scratch.ccc("verify --committee keys/committee.ccc note.ccc n1.ccc");
    run.fails(1, "n1.ccc does not verify");
    let opened = scratch.done("open --key keys/committee.ccc note.ccc n1.ccc n2.ccc n3.ccc n4.ccc");
    assert!(opened.stderr.contains("participant 1 sent a wrong share"), "{}", opened.stderr);
}

#[test]
fn their_private_share_is_read_with_mode_0600_and_never_shown() {
    let scratch = prepared();
    let file = scratch.read("tdh2/participant-2.ccc");
    let json = &file[16..file.len() - 32];
    let path = scratch.write("theirs.json", json);
    set_mode(&path, 0o644);
    let share = "share --participant theirs.json --key tdh2/public-key.json --out t2.json note.json";
    scratch.ccc(share).fails(2, "can be read by other users");
    set_mode(&path, 0o600);
    scratch.done(share);
    scratch.done("verify tdh2/public-key.json note.json t2.json");
    let shown = scratch.done("inspect theirs.json").stdout;
    let text = String::from_utf8(json.to_vec()).expect("JSON");
    let secret = text.rsplit('"').nth(1).expect("V");
    assert!(shown.contains("a tdh2 private share in the clear") && !shown.contains(secret), "{shown}");
    scratch.ccc("verify tdh2/public-key.json theirs.json").fails(2, "nothing can be held against");
}

#[test]
fn malformed_tdh2_json_is_told() {
    let scratch = prepared();
    let good = String::from_utf8(scratch.read("note.json")).expect("text");
    scratch.write("twice.json", good.replacen('{', "{\"Nonce\":\"\",", 1));
    for verb in ["inspect", "share --participant tdh2/participant-0.ccc --key tdh2/public-key.json"] {
        scratch.ccc(&format!("{verb} twice.json")).fails(2, "Nonce: twice in one object");
    }
    scratch.ccc("verify twice.json").fails(1, "Nonce: twice in one object");
    scratch.write("cut.json", &good[..good.len() - 1]);
    scratch.ccc("inspect cut.json").fails(2, "none of this project's files");
    let run = scratch.ccc("--json open --key tdh2/public-key.json cut.json t0.json");
    assert_eq!((run.code, &run.json_error()["code"]), (2, &"tdh2-format".into()));
    scratch.write("settings.json", "{\"a\":1}");
    scratch.ccc("inspect settings.json").fails(2, "none of this project's files");
}

#[test]
fn private_shares_are_sealed_with_the_passphrase() {
    let scratch = Scratch::new();
    scratch.write_private("passphrase", "correct horse\n");
    scratch.done("--passphrase-file passphrase keygen tdh2 -n 1 --out tdh2");
    assert_eq!(scratch.done("--json inspect tdh2/participant-0.ccc").json()["protection"], "passphrase");
    let encrypted = scratch.ccc_stdin("encrypt --key tdh2/public-key.json --format tdh2easy --out note.json", NOTE);
    assert_eq!(encrypted.code, 0, "{}", encrypted.stderr);
    let share = "share --participant tdh2/participant-0.ccc --key tdh2/public-key.json --out t0.json note.json";
    scratch.ccc(share).fails(2, "a passphrase is needed");
    scratch.done(&format!("--passphrase-file passphrase {share}"));
    assert_eq!(scratch.done("open --key tdh2/public-key.json note.json t0.json").out, NOTE);
    scratch.ccc("--no-passphrase keygen tdh2 -n 1 --out tdh2").fails(2, "exists");
    scratch.ccc("--no-passphrase keygen tdh2 -n 16 -t 5 --out other").fails(2, "threshold 5 of 16");
}

#[test]
fn a_raw_tdh2_ciphertext_is_told_shared_verified_and_opened() {
    let scratch = prepared();
    let key = PublicKey::from_json(&scratch.read("tdh2/public-key.json")).expect("a key");
    let (label, message) = ([7; 32], *b"thirty-two bytes of any message.");
    let mut rng = StdRng::seed_from_u64(1);
    let raw = Raw::encrypt(&key, &label, &message, &mut rng).expect("encrypted").to_json();
    scratch.write("raw.json", &raw);
    let seen = scratch.done("--json inspect raw.json").json();
    assert_eq!((&seen["file"], &seen["message_bytes"]), (&"a tdh2 ciphertext".into(), &32.into()));
    assert_eq!(seen["label"], "07".repeat(32));
    for i in [0, 2, 3] {
        let flags = format!("--participant tdh2/participant-{i}.ccc --key tdh2/public-key.json");
        scratch.done(&format!("share {flags} --out r{i}.json raw.json"));
    }
    let open = "open --key tdh2/public-key.json raw.json r0.json r2.json";
    scratch.ccc(open).fails(2, "2 of 3 needed shares are good");
    assert_eq!(scratch.done(&format!("{open} r3.json")).out, message);
    scratch.done("verify tdh2/public-key.json raw.json r0.json r2.json r3.json");
    let other_label = raw.replacen("\"Label\":\"Bw", "\"Label\":\"Cw", 1);
    assert_ne!(other_label, raw);
    scratch.write("raw.json", other_label);
    scratch.ccc("verify tdh2/public-key.json raw.json").fails(1, "proof does not verify");
    scratch.ccc(&format!("{open} r3.json")).fails(2, "proof does not verify");
}
