//! What holds, what does not (exit code 1), and what cannot be told (exit code 2).

use super::support::{Scratch, Story, now};
use std::fs;

fn stocked_with_order() -> Story {
    let story = Story::stocked();
    story.done("encrypt-order --pool pool --size 1000000 --spread 1 --out order.ccc");
    story
}

#[test]
fn artifacts_of_the_path_hold() {
    let story = stocked_with_order();
    story.done("verify --pool pool");
    story.done("verify --pool pool intake/report.ccc");
    story.done("verify --pool pool order.ccc");
    story.done("verify --committee keys/committee.ccc order.ccc keys/committee.ccc");
    story.attempt("attempt", "", &[2]);
    let run = story.done("--json verify --pool pool attempt/request.ccc attempt/recipient.ccc attempt/share-2.ccc");
    assert_eq!(run.json()["valid"], true);
}

#[test]
fn an_altered_byte_anywhere_in_a_public_file_is_noticed() {
    let story = stocked_with_order();
    story.attempt("attempt", "", &[2]);
    let beside = "attempt/request.ccc attempt/recipient.ccc";
    for (file, arguments) in [
        ("order.ccc", "order.ccc".to_owned()),
        ("intake/report.ccc", "intake/report.ccc".to_owned()),
        ("keys/committee.ccc", "--committee pool/committee.ccc keys/committee.ccc".to_owned()),
        ("attempt/request.ccc", beside.to_owned()),
        ("attempt/recipient.ccc", beside.to_owned()),
        ("attempt/share-2.ccc", format!("attempt/share-2.ccc {beside}")),
    ] {
        let path = story.scratch.path(file);
        let good = fs::read(&path).expect("read");
        let step = good.len().div_ceil(24);
        for byte in (0..good.len()).step_by(step).chain([good.len() - 1]) {
            let mut bent = good.clone();
            bent[byte] ^= 0x01;
            fs::write(&path, bent).expect("written");
            let run = story.ccc(&format!("verify --pool pool {arguments}"));
            assert!(matches!(run.code, 1 | 2), "{file}, byte {byte}: {}{}", run.stdout, run.stderr);
        }
        fs::write(&path, &good[..good.len() - 1]).expect("written");
        assert_ne!(story.ccc(&format!("verify --pool pool {arguments}")).code, 0, "{file}, truncated");
        fs::write(&path, [&good[..], &[0]].concat()).expect("written");
        assert_ne!(story.ccc(&format!("verify --pool pool {arguments}")).code, 0, "{file}, one byte longer");
        fs::write(&path, good).expect("restored");
    }
}

#[test]
fn an_altered_table_is_noticed() {
    let story = Story::stocked();
    for part in ["bodies", "sidecars", "versions"] {
        let directory = story.scratch.path("pool/table").join(part);
        for entry in fs::read_dir(directory).expect("listed") {
            let path = entry.expect("an entry").path();
            let good = fs::read(&path).expect("read");
            let mut bent = good.clone();
            let middle = bent.len() / 2;
            bent[middle] ^= 1;
            fs::write(&path, bent).expect("written");
        }
        assert_ne!(story.ccc("verify --pool pool").code, 0, "{part}");
        let run = story.ccc("table balance --pool pool --account-key maker.ccc");
        assert_eq!(run.code, 2, "{part}: {}", run.stderr);
        for entry in fs::read_dir(story.scratch.path("pool/table").join(part)).expect("listed") {
            let path = entry.expect("an entry").path();
            let mut bytes = fs::read(&path).expect("read");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&path, bytes).expect("restored");
        }
    }
    story.done("verify --pool pool");
}

#[test]
fn a_ciphertext_for_another_pool_does_not_verify() {
    let (ours, theirs) = (stocked_with_order(), Story::funded());
    fs::copy(ours.scratch.path("order.ccc"), theirs.scratch.path("order.ccc")).expect("copied");
    theirs.ccc("verify --pool pool order.ccc").fails(1, "order.ccc does not verify");
    fs::copy(ours.scratch.path("keys/committee.ccc"), theirs.scratch.path("other.ccc")).expect("copied");
    theirs.ccc("verify --pool pool --committee other.ccc order.ccc").fails(1, "the contract of its label differs");
}

#[test]
fn a_ciphertext_for_another_chain_does_not_verify() {
    let story = stocked_with_order();
    let reserve = "0x0101010101010101010101010101010101010101";
    let init = format!("table init --committee keys/committee.ccc --reserve {reserve} --agent-key agent.pub --chain 1");
    story.done(&format!("--no-passphrase {init} --out other"));
    let before = story.scratch.snapshot();
    story.ccc("verify --pool other order.ccc").fails(1, "the chain of its label differs");
    assert_eq!(story.scratch.snapshot(), before);
}

#[test]
fn an_expired_ciphertext_or_report_does_not_verify() {
    let story = stocked_with_order();
    let later = now() + 90_000;
    story.ccc(&format!("verify --pool pool --at {later} order.ccc")).fails(1, "expired");
    story.ccc(&format!("verify --pool pool --at {later} intake/report.ccc")).fails(1, "does not verify");
}

/// Where the signatures of a report's file begin: header 8 ‖ LP(raw) ‖ context 96 ‖ count 1.
fn signatures_at(report: &[u8]) -> usize {
    let raw = u32::from_be_bytes(report[8..12].try_into().expect("four bytes")) as usize;
    12 + raw + 96 + 1
}

#[test]
fn a_report_without_its_quorum_does_not_verify() {
    let (story, other) = (Story::stocked(), Story::stocked());
    let good = story.scratch.read("intake/report.ccc");
    let at = signatures_at(&good);
    let verify = |bytes: &[u8]| {
        story.scratch.write("report.ccc", bytes);
        story.ccc("verify --pool pool report.ccc")
    };
    let with_count = |count: u8, signatures: &[u8]| [&good[..at - 1], &[count], signatures].concat();
    let (first, second) = (&good[at..at + 65], &good[at + 65..]);
    verify(&with_count(1, first)).fails(1, "report.ccc does not verify");
    verify(&with_count(2, &[first, first].concat())).fails(1, "report.ccc does not verify");
    let foreign = other.scratch.read("intake/report.ccc");
    let foreign = &foreign[signatures_at(&foreign)..][..65];
    let run = verify(&with_count(2, &[first, foreign].concat()));
    run.fails(1, "report.ccc does not verify").fails(1, "signature 1 is refused: its signer 0x");
    verify(&with_count(3, &[first, second, foreign].concat())).fails(1, "report.ccc does not verify");
    assert_eq!(verify(&good).code, 0);
}

#[test]
fn a_superseded_round_report_does_not_verify() {
    let story = Story::stocked();
    story.done("verify --pool pool intake/report.ccc");
    story.attempt("next", "", &[1, 2, 3]);
    story.done("fill run --pool pool --attempt next");
    let run = story.ccc("verify --pool pool intake/report.ccc");
    run.fails(1, "it is superseded: it made table version 2, and version 3 stands");
    story.done("verify --pool pool next/report.ccc");
}

#[test]
fn a_report_of_another_workflow_does_not_verify() {
    let story = Story::stocked();
    let settings = String::from_utf8(story.scratch.read("pool/pool.toml")).expect("text");
    let id = settings.lines().find(|line| line.starts_with("workflow_id")).expect("a workflow");
    story.scratch.write("pool/pool.toml", settings.replace(id, &format!("workflow_id = \"{}\"", "00".repeat(32))));
    story.ccc("verify --pool pool intake/report.ccc").fails(1, "the workflow differs");
}

#[test]
fn reports_of_a_recovery_are_held_against_its_deployment() {
    let scratch = Scratch::new();
    for run in ["ours", "theirs"] {
        scratch.done(&format!("--quiet recover --participants 4 --makers 8 --out {run}"));
    }
    let reports = "ours/round-3.report ours/reserve-2.report";
    let run = scratch.done(&format!("verify --deployment ours/deployment.json {reports}"));
    assert_eq!(run.stdout.matches("signers of the deployment").count(), 2, "{}", run.stdout);
    scratch.ccc(&format!("verify --deployment theirs/deployment.json {reports}")).fails(1, "does not verify");
    let text = String::from_utf8(scratch.read("ours/deployment.json")).expect("text");
    let good: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let held = |place: &str, value: serde_json::Value| {
        let mut other = good.clone();
        *other.pointer_mut(place).expect("a member") = value;
        scratch.write("other.json", other.to_string());
        scratch.ccc("verify --deployment other.json ours/round-3.report")
    };
    held("/pool", good["attestation"].clone()).fails(1, "the receiver differs");
    held("/workflow/epoch", 99.into()).fails(1, "the epoch differs");
    held("/workflow/owner", good["pool"].clone()).fails(1, "the workflow differs");
    held("/signers/f", 2.into()).fails(1, "does not verify");
    scratch.write("broken.json", "{}");
    scratch.ccc("verify --deployment broken.json ours/round-3.report").fails(2, "missing field");
}

#[test]
fn what_is_missing_is_asked_for() {
    let story = stocked_with_order();
    story.ccc("verify order.ccc").fails(2, "cannot be checked without a committee");
    story.ccc("verify intake/report.ccc").fails(2, "cannot be checked without a pool");
    story.ccc("verify --pool pool intake/recipient.ccc").fails(2, "without its request");
    story.ccc("verify --pool pool maker.ccc").fails(2, "nothing can be held against");
    Scratch::new().ccc("verify - -").fails(2, "standard input is named 2 times");
}

#[test]
fn a_no_is_one_object_with_json() {
    let story = stocked_with_order();
    let run = story.ccc(&format!("--json verify --pool pool --at {} order.ccc", now() + 90_000));
    let object = run.json_error();
    assert_eq!((run.code, &object["code"], &object["exit"]), (1, &"not-verified".into(), &1.into()));
    assert!(run.stdout.is_empty());
}
