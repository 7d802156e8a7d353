//! What operators do with the versions that a pool keeps: collect those that lie behind, restore what was lost.

use super::support::{Run, Story};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

const COLLECT: &str = "--json table collect --pool pool";
const RESTORE: &str = "--json table restore --pool pool --from";

fn code(run: &Run) -> (i32, String) {
    (run.code, run.json_error()["code"].as_str().expect("text").to_owned())
}

fn head(story: &Story) -> Value {
    serde_json::from_slice(&story.scratch.read("pool/head.json")).expect("JSON")
}

/// The files of the version that the head names: manifest, body and sidecar.
fn files_of_head(story: &Story, root: &str) -> [PathBuf; 3] {
    let hash = head(story)["header_hash"].as_str().expect("text").to_owned();
    let manifest = story.scratch.read(&format!("{root}/versions/{hash}"));
    let named = |part: &str, name: &[u8]| story.scratch.path(&format!("{root}/{part}/{}", hex::encode(name)));
    [
        story.scratch.path(&format!("{root}/versions/{hash}")),
        named("bodies", &manifest[123..155]),
        named("sidecars", &manifest[435..467]),
    ]
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("listed") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("copied");
        }
    }
}

fn back_up(story: &Story, from: &str, to: &str) {
    copy(&story.scratch.path(from), &story.scratch.path(to));
}

fn idle(story: &Story, name: &str) {
    story.attempt(name, "", &[1, 2, 3]);
    story.done(&format!("fill run --pool pool --attempt {name}"));
}

/// Every way into the table says that the version is lost and what to do, and changes nothing.
fn assert_halts(story: &Story, attempt: &str) {
    let before = story.scratch.snapshot();
    for verb in [
        &format!("fill run --pool pool --attempt {attempt}"),
        "table balance --pool pool --account-key maker.ccc",
        "--no-passphrase fill prepare --pool pool --out another",
        "table export --pool pool --out now",
        "table collect --pool pool",
        "verify --pool pool",
    ] {
        let run = story.ccc(&format!("--json {verb}"));
        assert_eq!(code(&run), (2, "table-halt".into()), "{verb}: {}", run.stderr);
        let error = run.json_error();
        assert!(error["error"].as_str().is_some_and(|text| text.contains("is the current one on chain")), "{error}");
        assert!(error["hint"].as_str().is_some_and(|text| text.contains("ccc table restore --from")), "{error}");
    }
    assert_eq!(story.scratch.snapshot(), before, "a halt changes nothing");
}

#[test]
fn n134_a_lost_body_halts_every_verb_until_it_is_restored_and_then_the_round_goes_on() {
    let story = Story::stocked();
    back_up(&story, "pool/table", "backup");
    let before = story.balance("maker");
    story.attempt("next", "", &[1, 2, 3]);
    let [_, body, _] = files_of_head(&story, "pool/table");
    fs::remove_file(&body).expect("removed");
    assert_halts(&story, "next");
    assert!(!body.exists(), "nothing stands for it");
    let told = story.done(&format!("{RESTORE} backup")).json();
    assert_eq!((&told["version"], &told["restored"]), (&2.into(), &true.into()));
    assert_eq!(story.balance("maker"), before);
    story.done("fill run --pool pool --attempt next");
    assert_eq!(head(&story)["version"], 3);
    story.done("verify --pool pool");
}

#[test]
fn n134_a_table_of_which_everything_is_lost_is_never_an_empty_one() {
    let story = Story::stocked();
    story.done("table export --pool pool --out exported");
    story.attempt("next", "", &[1, 2, 3]);
    fs::remove_dir_all(story.scratch.path("pool/table")).expect("removed");
    // the first opening makes the directories of a store, without a version
    assert_eq!(story.ccc("table balance --pool pool --account-key maker.ccc").code, 2);
    assert_halts(&story, "next");
    let run = story.ccc("--json table history --pool pool");
    assert_eq!(code(&run), (2, "table-halt".into()));
    let told = story.done(&format!("{RESTORE} exported")).json();
    assert_eq!((&told["restored"], told["bytes"].as_u64().is_some_and(|bytes| bytes > 65_552)), (&true.into(), true));
    story.done("fill run --pool pool --attempt next");
    assert_eq!(head(&story)["version"], 3);
}

#[test]
fn n134_every_damaged_part_halts_and_is_restored_from_a_copy_of_the_pool() {
    let story = Story::stocked();
    back_up(&story, "pool", "copied");
    story.attempt("next", "", &[1, 2, 3]);
    let whole = story.scratch.snapshot();
    for file in files_of_head(&story, "pool/table") {
        let bytes = fs::read(&file).expect("read");
        let mut bent = bytes.clone();
        bent[100] ^= 1;
        fs::write(&file, bent).expect("written");
        assert_halts(&story, "next");
        story.done(&format!("{RESTORE} copied"));
        assert_eq!(story.scratch.snapshot(), whole, "{}", file.display());
    }
    let told = story.done(&format!("{RESTORE} copied")).json();
    assert_eq!((&told["restored"], &told["bytes"]), (&false.into(), &0.into()), "what is whole stays as it is");
    let text = story.done("table restore --pool pool --from copied").stdout;
    assert!(text.contains("was whole already"), "{text}");
}

#[test]
fn n156f_what_is_no_copy_of_the_current_version_is_refused_and_restores_nothing() {
    let story = Story::stocked();
    back_up(&story, "pool/table", "old");
    story.done("table export --pool pool --out older");
    idle(&story, "idle");
    back_up(&story, "pool/table", "bent");
    story.done("table export --pool pool --out cut");
    let [_, body, _] = files_of_head(&story, "bent");
    for (file, at) in [(body, 9), (story.scratch.path("cut/table.body"), 70)] {
        let mut bytes = fs::read(&file).expect("read");
        bytes[at] ^= 1;
        fs::write(&file, bytes).expect("written");
    }
    let [_, body, _] = files_of_head(&story, "pool/table");
    fs::remove_file(&body).expect("removed");
    fs::create_dir(story.scratch.path("empty")).expect("made");
    let before = story.scratch.snapshot();
    for from in ["old", "older", "bent", "cut", "empty", "absent", "pool"] {
        let run = story.ccc(&format!("{RESTORE} {from}"));
        assert_eq!(code(&run), (2, "copy".into()), "{from}: {}", run.stderr);
        assert_eq!(story.scratch.snapshot(), before, "{from}: neither pool nor copy was touched");
    }
    let cut = story.scratch.path("cut/table.sidecar");
    fs::write(&cut, b"short").expect("written");
    assert_eq!(code(&story.ccc(&format!("{RESTORE} cut"))), (2, "copy".into()));
    story.scratch.write("cut/table.header", b"none");
    assert_eq!(code(&story.ccc(&format!("{RESTORE} cut"))), (2, "unknown-file".into()));
    assert!(!body.exists());
}

#[cfg(unix)]
#[test]
fn n156h_a_copy_that_may_only_be_read_restores_what_was_lost() {
    use std::os::unix::fs::PermissionsExt;
    let story = Story::stocked();
    back_up(&story, "pool/table", "backup");
    let locks = ["", "/versions", "/bodies", "/sidecars", "/new", "/heads"];
    let set = |mode: u32| {
        for part in locks {
            let path = story.scratch.path(&format!("backup{part}"));
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode set");
        }
    };
    // what an opening for writing removes, also for whom permissions do not bind
    story.scratch.write("backup/new/x", "unfinished");
    story.scratch.write(&format!("backup/bodies/{}", "0a".repeat(32)), "named by no version");
    let backup = || -> Vec<_> {
        let root = story.scratch.path("backup");
        story.scratch.snapshot().into_iter().filter(|(path, _)| path.starts_with(&root)).collect()
    };
    let before = backup();
    assert!(before.len() > 6, "{} files", before.len());
    set(0o555);
    let [_, body, _] = files_of_head(&story, "pool/table");
    fs::remove_file(&body).expect("removed");
    let told = story.done(&format!("{RESTORE} backup")).json();
    set(0o755);
    assert_eq!(told["restored"], true);
    assert!(backup() == before, "the copy was written to");
    assert!(body.exists());
}

#[test]
fn old_versions_are_collected_and_the_pool_goes_on() {
    let story = Story::stocked();
    ["a", "b", "c"].iter().for_each(|name| idle(&story, name));
    let before = story.scratch.snapshot();
    let told = story.done(&format!("{COLLECT} --keep 2 --dry-run")).json();
    let versions = |told: &Value| -> Vec<u64> {
        told["removed"].as_array().expect("a list").iter().filter_map(|gone| gone["version"].as_u64()).collect()
    };
    assert_eq!((versions(&told), &told["head"], &told["dry_run"]), (vec![1, 2], &5.into(), &true.into()));
    assert_eq!(story.scratch.snapshot(), before, "a dry run removes nothing");
    assert_eq!(story.done(COLLECT).json()["bytes"], 0, "sixteen are kept unless told otherwise");
    assert_eq!(story.scratch.snapshot(), before);
    for wrong in ["--keep 0", "--keep -1", "--keep many"] {
        assert_eq!(story.ccc(&format!("table collect --pool pool {wrong}")).code, 2, "{wrong}");
    }
    let done = story.done(&format!("{COLLECT} --keep 2")).json();
    assert_eq!((versions(&done), &done["bytes"], &done["dry_run"]), (vec![1, 2], &told["bytes"], &false.into()));
    let left = story.scratch.snapshot();
    let size = |files: &[(PathBuf, Vec<u8>)]| -> u64 { files.iter().map(|(_, bytes)| bytes.len() as u64).sum() };
    let freed = size(&before) - size(&left);
    assert!(freed.abs_diff(told["bytes"].as_u64().expect("a number")) < 1024, "{freed} bytes were freed");
    let history = story.done("--json table history --pool pool").json();
    assert_eq!((&history["broken"], &history["collected"]), (&Value::Null, &2.into()));
    assert_eq!(history["versions"].as_array().map(Vec::len), Some(3));
    let text = story.done("table history --pool pool").stdout;
    assert!(text.contains("versions 1 to 2 were collected"), "{text}");
    let run = story.ccc("--json table export --pool pool --version 2 --out v2");
    assert_eq!(code(&run), (2, "no-version".into()));
    idle(&story, "d");
    story.done(&format!("{COLLECT} --keep 1"));
    assert_eq!(story.done("--json table history --pool pool").json()["collected"], 4);
    assert_eq!(story.balance("maker")["version"], 6);
    story.done("verify --pool pool");
}

#[test]
fn a_version_that_is_lost_behind_a_collection_is_still_a_break() {
    let story = Story::stocked();
    ["a", "b"].iter().for_each(|name| idle(&story, name));
    story.done(&format!("{COLLECT} --keep 2"));
    let seen = story.done("--json table history --pool pool").json();
    assert_eq!((&seen["collected"], &seen["broken"]), (&1.into(), &Value::Null));
    let lost = seen["versions"][1]["header_hash"].as_str().expect("text").to_owned();
    fs::remove_file(story.scratch.path(&format!("pool/table/versions/{lost}"))).expect("removed");
    let run = story.ccc("--json table history --pool pool");
    assert_eq!(run.code, 1);
    assert!(run.json()["broken"].is_string(), "{}", run.stdout);
    story.scratch.write("pool/collected.json", "{}");
    assert_eq!(code(&story.ccc("--json table history --pool pool")), (2, "malformed".into()));
}

#[test]
fn n156f_an_exported_sidecar_with_other_entries_does_not_replace_the_pools_own() {
    let story = Story::stocked();
    back_up(&story, "pool/table", "backup");
    story.done("table export --pool pool --out exported");
    let mut sidecar = story.scratch.read("exported/table.sidecar");
    *sidecar.last_mut().expect("an entry") ^= 1;
    story.scratch.write("exported/table.sidecar", sidecar);
    let [_, body, own] = files_of_head(&story, "pool/table");
    let kept = fs::read(&own).expect("read");
    fs::remove_file(body).expect("removed");
    assert_eq!(code(&story.ccc(&format!("{RESTORE} exported"))), (2, "copy".into()));
    assert!(fs::read(&own).expect("still there") == kept);
    assert_eq!(story.done(&format!("{RESTORE} backup")).json()["restored"], true);
}

#[test]
fn nothing_is_collected_while_an_old_version_cannot_be_read() {
    let story = Story::stocked();
    idle(&story, "a");
    let first = story.done("--json table history --pool pool").json();
    let hash = first["versions"].as_array().expect("a list").iter().find(|version| version["version"] == 1);
    let hash = hash.and_then(|version| version["header_hash"].as_str()).expect("text").to_owned();
    let manifest = format!("pool/table/versions/{hash}");
    let mut bytes = story.scratch.read(&manifest);
    bytes[9] ^= 1;
    story.scratch.write(&manifest, bytes);
    let before = story.scratch.snapshot();
    for flag in ["", " --dry-run"] {
        let run = story.ccc(&format!("{COLLECT} --keep 1{flag}"));
        assert_eq!(code(&run), (2, "collection".into()), "{}", run.stderr);
        assert!(run.json_error()["error"].as_str().is_some_and(|text| text.contains(&hash)), "{}", run.stderr);
        assert!(story.scratch.snapshot() == before, "nothing was removed");
    }
}

/// Versions that are gone without a word in `collected.json` are a loss: it is written first or nothing goes.
#[test]
fn nothing_is_collected_before_it_is_written_down() {
    let story = Story::stocked();
    idle(&story, "a");
    story.scratch.write("pool/collected.json", "{}");
    let before = story.scratch.snapshot();
    assert_eq!(code(&story.ccc(&format!("{COLLECT} --keep 1"))), (2, "malformed".into()));
    assert!(story.scratch.snapshot() == before, "nothing was removed");
}

#[cfg(not(feature = "suite-aes-gcm"))]
#[test]
fn a_suite_that_the_build_has_not_makes_no_pool() {
    let story = Story::stocked();
    let before = story.scratch.snapshot();
    let keys = "--committee keys/committee.ccc --agent-key agent.pub";
    let reserve = "00".repeat(20);
    let suite = "--suite aes-256-gcm --out p";
    let run = story.ccc(&format!("--json --no-passphrase table init {keys} --reserve {reserve} {suite}"));
    assert_eq!(code(&run), (2, "config".into()), "{}", run.stderr);
    assert!(run.json_error()["hint"].as_str().is_some_and(|text| text.contains("--features suite-aes-gcm")));
    assert!(story.scratch.snapshot() == before, "nothing was made");
}
