//! Files of another participant, committee, epoch or pool (number 153), and the stable codes of the refusals.

use super::support::{Scratch, Story};
use std::fs;

/// Splits a key file in the clear into its two objects.
fn objects(file: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let first = u32::from_be_bytes(file[12..16].try_into().expect("four bytes")) as usize;
    let second = &file[16 + first..];
    let length = u32::from_be_bytes(second[..4].try_into().expect("four bytes")) as usize;
    (file[16..16 + first].to_vec(), second[4..4 + length].to_vec())
}

/// A key file in the clear, of the same content as `like`.
fn key_file(like: &[u8], first: &[u8], second: &[u8]) -> Vec<u8> {
    let mut out = like[..12].to_vec();
    for object in [first, second] {
        out.extend_from_slice(&u32::try_from(object.len()).expect("short").to_be_bytes());
        out.extend_from_slice(object);
    }
    let digest = ccc_core::suite::digest(&out);
    out.extend_from_slice(&digest);
    out
}

fn reencrypt(story: &Story, participant: &str) -> super::support::Run {
    story.ccc(&format!("--json reencrypt --participant {participant} --pool pool --attempt attempt --out -"))
}

#[test]
fn one_participants_share_beside_anothers_keys_is_refused() {
    let story = Story::funded();
    story.attempt("attempt", "", &[]);
    let files = [3, 4].map(|i| story.scratch.read(&format!("keys/participant-{i}.ccc")));
    let [(share, _), (_, keys)] = files.each_ref().map(|file| objects(file));
    story.scratch.write("mixed.ccc", key_file(&files[0], &share, &keys));
    super::support::set_mode(&story.scratch.path("mixed.ccc"), 0o600);
    let run = reencrypt(&story, "mixed.ccc");
    assert_eq!((run.code, &run.json_error()["code"]), (2, &"other-keys".into()), "{}", run.stderr);
}

#[test]
fn a_share_given_under_another_name_keeps_its_own() {
    let story = Story::funded();
    story.attempt("attempt", "", &[]);
    fs::copy(story.scratch.path("keys/participant-3.ccc"), story.scratch.path("keys/participant-9.ccc"))
        .expect("copied");
    let run = story.done("--json reencrypt --participant keys/participant-9.ccc --pool pool --attempt attempt");
    assert_eq!(run.json()["participant"], 3);
    fs::rename(story.scratch.path("attempt/share-3.ccc"), story.scratch.path("attempt/share-4.ccc")).expect("moved");
    story.done("reencrypt --participant keys/participant-1.ccc --pool pool --attempt attempt");
    story.done("reencrypt --participant keys/participant-2.ccc --pool pool --attempt attempt");
    story.done("fill run --pool pool --attempt attempt");
}

#[test]
fn a_share_of_another_committee_or_epoch_is_refused() {
    let (story, other) = (Story::funded(), Scratch::new());
    story.attempt("attempt", "", &[]);
    other.done("--no-passphrase keygen dkg -n 4 --out keys");
    let foreign = story.scratch.path("foreign.ccc");
    fs::copy(other.path("keys/participant-1.ccc"), &foreign).expect("copied");
    let run = reencrypt(&story, "foreign.ccc");
    assert_eq!((run.code, &run.json_error()["code"]), (2, &"key-share".into()));
    assert!(run.stderr.contains("another committee"), "{}", run.stderr);
    let file = story.scratch.read("keys/participant-1.ccc");
    let (mut share, keys) = objects(&file);
    share[15] ^= 3;
    fs::write(&foreign, key_file(&file, &share, &keys)).expect("written");
    let run = reencrypt(&story, "foreign.ccc");
    assert!(run.stderr.contains("epoch"), "{}", run.stderr);
}

#[test]
fn an_attempt_of_another_pool_is_refused() {
    let (story, other) = (Story::funded(), Story::funded());
    other.attempt("attempt", "", &[]);
    fs::create_dir(story.scratch.path("attempt")).expect("made");
    for name in ["request.ccc", "recipient.ccc", "attempt.key"] {
        let (from, to) = (other.scratch.path("attempt").join(name), story.scratch.path("attempt").join(name));
        fs::copy(from, to).expect("copied");
    }
    let run = reencrypt(&story, "keys/participant-1.ccc");
    assert_eq!((run.code, &run.json_error()["code"]), (2, &"moved".into()));
    story.ccc("fill run --pool pool --attempt attempt").fails(2, "prepared on another");
}

#[test]
fn another_enclave_is_refused() {
    let story = Story::funded();
    story.attempt("attempt", "", &[]);
    story.attempt("second", "", &[]);
    fs::copy(story.scratch.path("second/recipient.ccc"), story.scratch.path("attempt/recipient.ccc")).expect("copied");
    let run = reencrypt(&story, "keys/participant-1.ccc");
    assert_eq!((run.code, &run.json_error()["code"]), (2, &"attestation".into()), "{}", run.stderr);
}

#[test]
fn an_altered_byte_of_the_attested_keys_is_refused_by_the_run() {
    let story = Story::funded();
    story.attempt("attempt", "", &[1, 2, 3]);
    let path = story.scratch.path("attempt/recipient.ccc");
    let good = fs::read(&path).expect("read");
    for byte in (0..good.len()).step_by(good.len().div_ceil(16)).chain([good.len() - 1]) {
        let mut bent = good.clone();
        bent[byte] ^= 1;
        fs::write(&path, bent).expect("written");
        let before = story.scratch.snapshot();
        let run = story.ccc("--json fill run --pool pool --attempt attempt");
        let code = &run.json_error()["code"];
        assert!(run.code == 2 && (code == "other-enclave" || code == "encoding"), "byte {byte}: {}", run.stderr);
        assert_eq!(story.scratch.snapshot(), before, "byte {byte}");
    }
    fs::write(&path, good).expect("restored");
    story.attempt("second", "", &[]);
    let second = story.scratch.path("second/recipient.ccc");
    fs::rename(&second, story.scratch.path("kept.ccc")).expect("moved");
    fs::copy(&path, &second).expect("copied");
    story.ccc("fill run --pool pool --attempt second").fails(2, "not what the attempt's keys were attested as");
    story.done("fill run --pool pool --attempt attempt");
}

#[test]
fn a_pool_whose_settings_changed_is_refused() {
    let story = Story::funded();
    story.attempt("attempt", "", &[]);
    let path = story.scratch.path("pool/pool.toml");
    let text = fs::read_to_string(&path).expect("read");
    fs::write(&path, text.replace("collar = 500", "collar = 9000")).expect("written");
    let run = reencrypt(&story, "keys/participant-1.ccc");
    assert_eq!((run.code, &run.json_error()["code"]), (2, &"other-enclave".into()), "settings are measured");
    fs::write(&path, text + "\nmore = 1\n").expect("written");
    let run = reencrypt(&story, "keys/participant-1.ccc");
    assert_eq!((run.code, &run.json_error()["code"]), (2, &"malformed".into()), "{}", run.stderr);
}
