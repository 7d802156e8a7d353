//! A version as files, and the proofs with which an owner leaves.

use super::support::{Story, mode};
use alloy::sol_types::SolCall;
use ccc_chain::bindings::dark_pool::CREDarkPool::exitCall;
use ccc_core::table::{AssetId, Header, Row, verify_row};
use serde_json::Value;
use std::fs;

const PROOF: &str = "table export --account-key maker.ccc --out proof.json";

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().and_then(|text| text.strip_prefix("0x")).expect("0x and digits");
    hex::decode(text).expect("digits")
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().expect("the length")
}

#[test]
fn a_version_is_written_as_files_that_verify() {
    let story = Story::stocked();
    let manifest = story.done("--json table export --pool pool --out now").json();
    assert_eq!((&manifest["version"], &manifest["rows"]), (&2.into(), &1024.into()));
    let written: Value = serde_json::from_slice(&story.scratch.read("now/manifest.json")).expect("JSON");
    assert_eq!(written, manifest);
    for file in manifest["files"].as_array().expect("a list") {
        let path = format!("now/{}", file["file"].as_str().expect("text"));
        assert_eq!(story.scratch.read(&path).len() as u64, file["bytes"], "{path}");
    }
    story.done("verify --pool pool now/table.header now/table.body now/table.sidecar");
    let listed = story.done("table export --pool pool --out listed").stdout;
    assert_eq!(listed.lines().filter(|line| line.starts_with("table.")).count(), 3, "{listed}");
    assert!(listed.contains(manifest["files"][1]["body_root"].as_str().expect("text")), "{listed}");
    let first = story.done("--json table export --pool pool --version 1 --out first").json();
    assert_eq!((&first["version"], &manifest["previous"]), (&1.into(), &first["header_hash"]));
    let files = "first/table.header first/table.body first/table.sidecar";
    story.done(&format!("verify --committee pool/committee.ccc {files}"));
    let run = story.ccc("--json table export --pool pool --version 9 --out ninth");
    assert_eq!((run.code, &run.json_error()["code"]), (2, &"no-version".into()));
    story.ccc("table export --pool pool --out now").fails(2, "now is not empty");
    for wrong in ["--out x", "--pool pool --table now --out x", "--table now --out x", "--pool pool --force --out x"] {
        assert_eq!(story.ccc(&format!("table export {wrong}")).code, 2, "{wrong}");
    }
}

#[test]
fn a_version_that_is_damaged_is_not_exported() {
    let story = Story::stocked();
    for part in ["bodies", "sidecars"] {
        for entry in fs::read_dir(story.scratch.path(&format!("pool/table/{part}"))).expect("listed") {
            let path = entry.expect("an entry").path();
            let whole = fs::read(&path).expect("read");
            let mut bent = whole.clone();
            let last = bent.len() - 1;
            bent[last] ^= 1;
            fs::write(&path, bent).expect("written");
            let before = story.scratch.snapshot();
            let both =
                (1..=2).map(|version| story.ccc(&format!("table export --pool pool --version {version} --out x")));
            let codes: Vec<i32> = both
                .map(|run| {
                    fs::remove_dir_all(story.scratch.path("x")).ok();
                    run.code
                })
                .collect();
            assert_eq!(codes.iter().filter(|code| **code == 2).count(), 1, "one of them is damaged: {codes:?}");
            assert_eq!(story.scratch.snapshot(), before, "nothing stays of what was refused");
            fs::write(&path, whole).expect("restored");
        }
    }
}

#[test]
fn an_owner_proves_its_rows_with_its_key_and_what_is_public() {
    let story = Story::stocked();
    story.done(&format!("{PROOF} --pool pool"));
    let proof: Value = serde_json::from_slice(&story.scratch.read("proof.json")).expect("JSON");
    let header = Header::from_bytes(&bytes(&proof["header"])).expect("a header");
    assert_eq!(
        (array::<32>(&proof["header_hash"]), proof["version"].as_u64()),
        (header.hash(), Some(header.version()))
    );
    assert_eq!(
        (proof["chain"].as_u64(), array::<20>(&proof["contract"])),
        (Some(header.id().chain), header.id().contract)
    );
    let rows = proof["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 2);
    for (asset, found) in (0..).zip(rows) {
        let index = u32::try_from(found["index"].as_u64().expect("a number")).expect("small");
        let (row, salt) = (array::<64>(&found["row"]), array::<32>(&found["salt"]));
        let path: Vec<[u8; 32]> = found["path"].as_array().expect("a list").iter().map(array).collect();
        verify_row(&header.state_root(), header.tier(), index, &row, &salt, &path).expect("it stands under the root");
        let read = Row::from_bytes(&row).expect("a balance row");
        assert_eq!((read.account.0, read.asset), (array::<20>(&proof["account"]), AssetId(asset)));
        assert_eq!(found["amount"], read.amount.to_string());
        let call = exitCall::abi_decode(&bytes(&found["call"])).expect("the contract's call");
        assert_eq!((&call.header[..], call.index, &call.row[..]), (&header.to_bytes()[..], index, &row[..]));
        assert_eq!((call.salt.0, call.path.len()), (salt, path.len()));
        assert!(call.path.iter().map(|node| node.0).eq(path));
    }
    assert_eq!(rows[0]["amount"], "500000000");
    assert_eq!(mode(&story.scratch.path("proof.json")), 0o600, "it shows what the account holds");
    story.ccc(&format!("{PROOF} --pool pool")).fails(2, "proof.json exists");
}

#[test]
fn an_exported_version_is_as_good_as_the_pool() {
    let story = Story::stocked();
    story.done("table export --pool pool --out now");
    story.done(&format!("{PROOF} --pool pool"));
    let from_pool = story.scratch.read("proof.json");
    fs::rename(story.scratch.path("pool"), story.scratch.path("gone")).expect("moved");
    story.done(&format!("{PROOF} --table now --force"));
    assert_eq!(story.scratch.read("proof.json"), from_pool);
    story.done("--no-passphrase keygen account --out stranger.ccc");
    let run = story.ccc("--json table export --table now --account-key stranger.ccc --out none.json");
    assert_eq!((run.code, &run.json_error()["code"]), (1, &"no-rows".into()));
    let sidecar = story.scratch.read("now/table.sidecar");
    for (at, sentence) in [(0, "not with CCTS"), (40, "does not lead to the state root")] {
        let mut bent = sidecar.clone();
        bent[at] ^= 1;
        story.scratch.write("now/table.sidecar", bent);
        story.ccc("table export --table now --account-key maker.ccc --out bad.json").fails(2, sentence);
    }
    story.scratch.write("now/table.sidecar", [&sidecar[..], &[0]].concat());
    story.ccc("table export --table now --account-key maker.ccc --out bad.json").fails(2, "is longer than");
    story.scratch.write("now/table.header", b"none");
    story.ccc("table export --table now --account-key maker.ccc --out bad.json").fails(2, "now/table.header");
    assert!(!story.scratch.path("bad.json").exists());
}
