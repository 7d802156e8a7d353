//! Too few shares, wrong shares, broken shares: nothing changes, and whoever signed a wrong one is named.

use super::support::Story;
use ccc_core::{
    ciphertext::Ciphertext,
    encoding::Kind,
    envelope::Envelope,
    keys::{Committee, KeyShare, ParticipantKeys},
    table::Header,
    vault::{AttestedRecipient, Request, simulated::seal_wrong},
};
use rand::{SeedableRng, rngs::StdRng};
use std::{collections::HashMap, fs};

const PRICED: &str = "fill run --pool pool --attempt fill --price prices.json";

fn with_order(participants: &[u16]) -> Story {
    let story = Story::stocked();
    story.prices();
    story.done("encrypt-order --pool pool --size 300000000 --spread 100");
    story.attempt("fill", "", participants);
    story
}

/// The ciphertexts that a request names, from the log and the current header.
fn ciphertexts(story: &Story, request: &Request) -> Vec<Ciphertext> {
    let log = fs::read_to_string(story.scratch.path("pool/log.jsonl")).expect("read");
    let lines = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let logged = lines.filter_map(|line| Some(hex::decode(line["ciphertext"].as_str()?).expect("hexadecimal")));
    let logged = logged.map(|bytes| Ciphertext::from_bytes(&bytes).expect("a ciphertext"));
    let hash = hex::encode(request.table_header.expect("a header"));
    let version = story.scratch.read(&format!("pool/table/versions/{hash}"));
    let header = Header::from_bytes(&version[..435]).expect("a header");
    let known: HashMap<_, _> =
        logged.chain([header.wrapped().clone()]).map(|ciphertext| (ciphertext.digest(), ciphertext)).collect();
    request.ciphertexts.iter().map(|digest| known[digest].clone()).collect()
}

/// Another point in place of the first share: its proof does not hold. It is signed by its participant and sealed to the enclave.
fn lie(story: &Story, i: u16) {
    let file = story.scratch.read(&format!("keys/participant-{i}.ccc"));
    let length = u32::from_be_bytes(file[12..16].try_into().expect("four bytes")) as usize;
    let share = KeyShare::from_bytes(&file[16..16 + length]).expect("a key share");
    let keys = ParticipantKeys::from_bytes(&file[20 + length..file.len() - 32]).expect("keys");
    let committee = Committee::from_bytes(&story.scratch.read("keys/committee.ccc")).expect("a committee");
    let request = Request::from_bytes(&story.scratch.read("fill/request.ccc")).expect("a request");
    let card = AttestedRecipient::from_bytes(&story.scratch.read("fill/recipient.ccc")).expect("a recipient");
    let recipient = &card.recipient;
    let verify = |ciphertext: Ciphertext| ciphertext.verify(committee.master_public_key()).expect("a ciphertext");
    let verified: Vec<_> = ciphertexts(story, &request).into_iter().map(verify).collect();
    let mut rng = StdRng::seed_from_u64(7);
    let sealed = seal_wrong(&share, &committee, &request, recipient, &verified, &mut rng);
    let (digest, epoch, topic) = (committee.digest(), committee.epoch(), request.digest());
    let payload = sealed.expect("sealed").to_bytes();
    let envelope = Envelope::sign(&keys, &digest, epoch, share.identifier(), &topic, Kind::Sealed, payload);
    story.scratch.write(&format!("fill/share-{i}.ccc"), envelope.expect("signed").to_bytes());
}

#[test]
fn fewer_than_t_shares_change_nothing() {
    let story = with_order(&[1, 2]);
    let before = story.scratch.snapshot();
    story.ccc(PRICED).fails(2, "2 of 3 needed shares are good");
    assert_eq!(story.scratch.snapshot(), before);
    story.done("reencrypt --participant keys/participant-4.ccc --pool pool --attempt fill");
    story.done(PRICED);
}

#[test]
fn a_wrong_share_is_named_and_the_rest_go_on() {
    let story = with_order(&[1, 3]);
    lie(&story, 2);
    let before = story.scratch.snapshot();
    story.ccc(PRICED).fails(2, "bad shares from participant 2");
    assert_eq!(story.scratch.snapshot(), before);
    story.done("reencrypt --participant keys/participant-4.ccc --pool pool --attempt fill");
    let run = story.done(&format!("--json {PRICED}")).json();
    assert_eq!((&run["success"], &run["culprits"]["2"]), (&true.into(), &"a wrong share".into()));
}

#[test]
fn a_share_counts_once_and_broken_files_count_for_nothing() {
    let story = with_order(&[1, 2]);
    fs::copy(story.scratch.path("fill/share-1.ccc"), story.scratch.path("fill/share-3.ccc")).expect("copied");
    story.scratch.write("fill/share-4.ccc", "not a share");
    story.ccc(PRICED).fails(2, "2 of 3 needed shares are good; fill/share-4.ccc is left out: ");
}

#[test]
fn files_that_are_no_shares_of_this_request_are_named() {
    let story = with_order(&[1, 2, 3]);
    let good = story.scratch.read("fill/share-3.ccc");
    let mut forged = good.clone();
    *forged.last_mut().expect("a signature") ^= 1;
    for (bytes, reason) in [
        (&b"not a share"[..], "left out"),
        (&forged, "left out: the signature is not that of participant 3"),
        (&story.scratch.read("intake/share-3.ccc"), "left out: it answers another request"),
    ] {
        story.scratch.write("fill/share-3.ccc", bytes);
        let run = story.ccc(PRICED);
        run.fails(2, "2 of 3 needed shares are good; fill/share-3.ccc is ").fails(2, reason);
    }
    story.done("reencrypt --participant keys/participant-4.ccc --pool pool --attempt fill");
    let run = story.done(&format!("--json {PRICED}")).json();
    let file = serde_json::json!([{ "file": "fill/share-3.ccc", "reason": "it answers another request" }]);
    assert_eq!(run["not_shares"], file);
}

/// A byte of a page that nothing uses may change; then the answer is the one of before.
#[test]
fn a_journal_that_was_altered_keeps_the_participant_from_answering() {
    let story = with_order(&[1]);
    let path = story.scratch.path("keys/participant-1.answers");
    let good = fs::read(&path).expect("read");
    let given = story.scratch.read("fill/share-1.ccc");
    let at = good.windows(given.len()).position(|window| window == given).expect("the answer is in it");
    let again = "reencrypt --participant keys/participant-1.ccc --pool pool --attempt fill --out -";
    let places = (0..good.len()).step_by(good.len().div_ceil(12)).chain([8, at, at + given.len() - 1]);
    let mut refused = 0;
    for byte in places {
        let mut bent = good.clone();
        bent[byte] ^= 1;
        fs::write(&path, bent).expect("written");
        let run = story.ccc(again);
        assert!(run.out.is_empty() || run.out == given, "byte {byte}");
        refused += usize::from(run.out.is_empty());
    }
    assert!(refused >= 3, "{refused} refused");
    fs::write(&path, good).expect("restored");
    assert_eq!(story.done(again).out, given);
}

#[test]
fn an_answer_is_kept_and_given_again() {
    let story = with_order(&[1]);
    let first = story.scratch.read("fill/share-1.ccc");
    let again = "reencrypt --participant keys/participant-1.ccc --pool pool --attempt fill";
    story.ccc(again).fails(2, "share-1.ccc exists");
    story.done(&format!("{again} --force"));
    assert_eq!(story.scratch.read("fill/share-1.ccc"), first);
    let piped = story.done(&format!("{again} --out -"));
    assert_eq!(piped.out, first);
}

/// The report and the receipts stand already when the pool's copy of them cannot be kept; `--force` replaces them.
#[test]
fn a_run_that_stops_before_the_head_is_made_again() {
    let story = Story::stocked();
    story.attempt("idle", "", &[1, 2, 3]);
    let (rounds, aside) = (story.scratch.path("pool/rounds"), story.scratch.path("aside"));
    fs::rename(&rounds, &aside).expect("moved");
    story.scratch.write("pool/rounds", "a file");
    let head = story.scratch.read("pool/head.json");
    story.ccc("fill run --pool pool --attempt idle").fails(2, "cannot write ");
    assert!(story.scratch.path("idle/report.ccc").exists() && story.scratch.path("idle/receipts.ccc").exists());
    assert_eq!(story.scratch.read("pool/head.json"), head);
    fs::remove_file(&rounds).expect("removed");
    fs::rename(&aside, &rounds).expect("moved back");
    story.ccc("fill run --pool pool --attempt idle").fails(2, "idle/report.ccc exists");
    story.done("fill run --pool pool --attempt idle --force");
    story.done("verify --pool pool idle/report.ccc idle/receipts.ccc");
    story.ccc("fill run --pool pool --attempt idle --force").fails(2, "the table is at version 3 now");
}
