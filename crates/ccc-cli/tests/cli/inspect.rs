//! What is this file?

use super::support::{Scratch, Story};

#[test]
fn every_kind_of_file_is_told() {
    let story = Story::stocked();
    let kind = |path: &str| story.done(&format!("--json inspect {path}")).json()["file"].clone();
    assert_eq!(kind("keys/committee.ccc"), "a committee");
    assert_eq!(kind("keys/participant-1.ccc"), "a secret file");
    assert_eq!(kind("intake/request.ccc"), "a request for re-encryption");
    assert_eq!(kind("intake/recipient.ccc"), "an enclave's attested keys");
    assert_eq!(kind("intake/share-1.ccc"), "a participant's re-encrypted share");
    assert_eq!(kind("intake/report.ccc"), "a signed report");
    story.done("encrypt-order --pool pool --size 1000000 --spread 1 --out order.ccc");
    assert_eq!(kind("order.ccc"), "a ciphertext");
}

#[test]
fn standard_input_is_read() {
    let scratch = Scratch::new();
    scratch.done("--no-passphrase keygen dealer -n 1 --out keys");
    let committee = scratch.read("keys/committee.ccc");
    let run = scratch.ccc_stdin("--json inspect -", &committee);
    assert_eq!((run.code, &run.json()["participants"]), (0, &1.into()));
}

#[test]
fn a_secret_is_never_shown() {
    let scratch = Scratch::new();
    scratch.done("--no-passphrase keygen account --out key.ccc");
    let bytes = scratch.read("key.ccc");
    let shown = scratch.done("inspect key.ccc").stdout;
    for window in bytes[16..].chunks_exact(8) {
        assert!(!shown.contains(&hex::encode(window)));
    }
}

#[test]
fn foreign_bytes_are_refused_and_cannot_steer_the_terminal() {
    let scratch = Scratch::new();
    scratch.write("foreign", b"\x1b[2J not ours");
    scratch.ccc("inspect foreign").fails(2, "none of this project's files");
    scratch.write("empty", b"");
    scratch.ccc("inspect empty").fails(2, "none of this project's files");
    scratch.write("newer", b"CC\x02\x01\x00\x01\x00\x00");
    scratch.ccc("inspect newer").fails(2, "version 2, where 1 is read");
    scratch.ccc("inspect missing").fails(2, "cannot read missing");
    scratch.ccc("inspect .").fails(2, "cannot read");
}
