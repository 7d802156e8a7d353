//! Runs that are cut off, and rounds that end without a result: what is on disk, and what the next run makes of it.

use super::support::{Run, Scratch, Story, circle::Circle, set_mode};
use ccc_core::encoding::{Kind, header};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::json;
use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

const NOTE: &[u8] = b"after the crash\n";

type Files = BTreeMap<PathBuf, Vec<u8>>;

impl Circle {
    fn files(&self) -> Files {
        self.scratch.snapshot().into_iter().collect()
    }

    /// Puts every file back as it was.
    fn restore(&self, files: &Files) {
        for path in self.files().keys().filter(|path| !files.contains_key(*path)) {
            fs::remove_file(path).expect("removed");
        }
        for (path, bytes) in files.iter().filter(|(path, bytes)| fs::read(path).ok().as_ref() != Some(bytes)) {
            fs::write(path, bytes).expect("written");
            set_mode(path, 0o600);
        }
    }

    /// Starts a run and kills it.
    fn killed(&self, arguments: &str, after: Duration) {
        killed(&self.scratch, arguments, after);
    }

    /// How long a run takes that is not disturbed; the files are as before.
    fn undisturbed(&self, arguments: &str) -> Duration {
        let (before, started) = (self.files(), Instant::now());
        self.ccc(arguments);
        let took = started.elapsed();
        self.restore(&before);
        took
    }
}

fn killed(scratch: &Scratch, arguments: &str, after: Duration) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ccc"));
    command.current_dir(scratch.path("")).args(arguments.split_whitespace());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    sleep(after);
    child.kill().expect("killed, or over");
    child.wait().expect("waited for");
}

fn dkg(i: u16) -> String {
    let files = format!("--session session.json --keys k{i}.ccc --state s{i} --board board --out vault-{i}");
    format!("--json --no-passphrase keygen dkg {files}")
}

fn refresh(i: u16) -> String {
    format!(
        "--json --no-passphrase refresh --session refresh.json --committee vault/committee.ccc \
         --participant vault/participant-{i}.ccc --state r{i} --board board-r --out fresh-{i} --erase-old"
    )
}

fn holds_share(bytes: &[u8]) -> bool {
    bytes.windows(8).any(|window| window == header(Kind::KeyShare))
}

fn aborted(run: &Run) {
    assert_eq!((run.code, run.json_error()["code"].as_str()), (2, Some("rounds")), "{}", run.stderr);
}

/// F + 1 silent dealers, in the commit round and in the open round: a typed end, and no file holds a share.
#[test]
fn n020_an_abort_leaves_no_share_on_disk() {
    let circle = Circle::new(4);
    let share_files = || circle.files().values().filter(|bytes| holds_share(bytes)).count();
    (1..=2).for_each(|i| assert_eq!(circle.dkg(i, "").code, 1));
    (1..=2).for_each(|i| aborted(&circle.dkg(i, "--close")));
    assert_eq!((share_files(), circle.scratch.path("vault").exists()), (0, false));

    (3..=4).for_each(|i| assert_eq!(circle.dkg(i, "").code, 1));
    // 4 was the last to commit and has opened at once: its dealing does not get through
    fs::remove_file(circle.scratch.path("board/open-4.ccc")).expect("removed");
    (1..=2).for_each(|i| assert_eq!(circle.dkg(i, "").code, 1));
    (1..=2).for_each(|i| aborted(&circle.dkg(i, "--close")));
    assert_eq!((share_files(), circle.scratch.path("vault").exists()), (0, false));

    circle.everybody(1..=4, |circle, i| circle.dkg(i, ""));
    assert_eq!(share_files(), 4, "what the search looks for is there when the rounds end well");
}

/// It stores, then posts: where the state cannot be written nothing is said, and where the message cannot be, the stored
/// state says it later.
#[test]
fn n021_nothing_is_posted_before_the_state_is_stored() {
    let circle = Circle::new(4);
    let run = circle.ccc(&dkg(1).replace("--state s1", "--state nowhere/s1"));
    assert_eq!((run.code, run.json_error()["code"].as_str()), (2, Some("write")));
    assert!(!circle.scratch.path("board").exists(), "no word without a state");

    std::os::unix::fs::symlink("nowhere", circle.scratch.path("board")).expect("a link to nothing");
    assert_eq!(circle.ccc(&dkg(1)).code, 2, "no directory can be made there");
    let stored = circle.scratch.read("s1");
    fs::remove_file(circle.scratch.path("board")).expect("removed");
    assert_eq!(circle.ccc(&dkg(1)).code, 1);
    assert_eq!(circle.scratch.read("s1"), stored, "the same state speaks");
    (2..=4).for_each(|i| assert_eq!(circle.ccc(&dkg(i)).code, 1));
    circle.everybody(1..=4, |circle, i| circle.ccc(&dkg(i)));
    assert_eq!(circle.ccc(&dkg(2)).json()["notes"], json!([]));
}

/// Every run is first killed at a random instant. What was posted stays as it was, and nobody is at fault in the end.
#[test]
fn n021_killed_runs_say_the_same_again_and_nobody_is_named() {
    let circle = Circle::new(4);
    let mut rng = StdRng::seed_from_u64(21);
    let whole = circle.undisturbed(&dkg(1)).as_micros();
    let mut posted = Files::new();
    let mut check = |circle: &Circle| {
        let messages = |(path, _): &(PathBuf, Vec<u8>)| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            path.parent().is_some_and(|parent| parent.ends_with("board"))
                && name.ends_with(".ccc")
                && !name.starts_with('.')
        };
        for (path, bytes) in circle.files().into_iter().filter(messages) {
            assert_eq!(*posted.entry(path.clone()).or_insert_with(|| bytes.clone()), bytes, "{}", path.display());
        }
    };
    let mut ends = Vec::new();
    for _ in 0..6 {
        ends.clear();
        for i in 1..=4 {
            let after = u64::from(rng.next_u32()) % u64::try_from(whole).expect("short");
            circle.killed(&dkg(i), Duration::from_micros(after));
            check(&circle);
            ends.push(circle.ccc(&dkg(i)));
            check(&circle);
        }
    }
    let digests: Vec<_> = (1..=4).map(|i| circle.scratch.read(&format!("vault-{i}/committee.ccc"))).collect();
    assert!(ends.iter().all(|end| end.code == 0) && digests.iter().all(|one| *one == digests[0]));
    for end in &ends {
        assert!(end.json().get("culprits").is_none_or(|named| *named == json!([])), "{}", end.stdout);
    }
}

/// Participant 2 one run before its end: everybody has confirmed, and it has yet to write its share and erase the old.
fn before_the_switch() -> Circle {
    let circle = Circle::with_vault(4);
    circle.scratch.write("note.txt", NOTE);
    circle.done("encrypt --key vault/committee.ccc --out note.ccc note.txt");
    circle.done("keygen session --committee vault/committee.ccc --refresh --out refresh.json");
    for _ in 0..3 {
        (1..=4).for_each(|i| assert!(circle.ccc(&refresh(i)).code < 2));
    }
    for i in [1, 3, 4] {
        assert_eq!(circle.ccc(&refresh(i)).code, 0);
    }
    circle
}

/// What participant 2 holds, in the order in which it is written.
const RESULTS: [&str; 3] = ["fresh-2/participant-2.ccc", "fresh-2/committee.ccc", "fresh-2/certificate.ccc"];
const OLD: &str = "vault/participant-2.ccc";

/// Until the certificate is there, the old share is; a file of the result is whole or missing.
fn one_share_serves(circle: &Circle, last: &Files) {
    let path = |name: &str| circle.scratch.path(name);
    for name in RESULTS.iter().filter(|name| path(name).exists()) {
        assert_eq!(Some(&circle.scratch.read(name)), last.get(&path(name)), "{name} is torn");
    }
    assert!(path(OLD).exists() || RESULTS.iter().all(|name| path(name).exists()), "no share is left");
}

/// The next run ends the switch: the new share alone, under a certificate.
fn settled(circle: &Circle, last: &Files) {
    let run = circle.ccc(&refresh(2));
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(!circle.scratch.path(OLD).exists(), "the old share is gone");
    for name in RESULTS {
        assert_eq!(Some(&circle.scratch.read(name)), last.get(&circle.scratch.path(name)), "{name}");
    }
}

/// A crash between each two writes of the run that switches, and kills at random instants of it: after the next run
/// there is one share, of the new epoch, and the certificate says so.
#[test]
fn n082_a_crash_anywhere_in_the_switch_leaves_one_epoch() {
    let circle = before_the_switch();
    let whole = circle.undisturbed(&refresh(2));
    let before = circle.files();
    assert!(circle.scratch.path(OLD).exists());
    assert_eq!(circle.ccc(&refresh(2)).code, 0);
    let last = circle.files();
    assert!(!last.contains_key(&circle.scratch.path(OLD)));
    let written = |name: &str, from: &Files| (circle.scratch.path(name), from[&circle.scratch.path(name)].clone());
    let writes = RESULTS.iter().chain(&["r2"]).map(|name| written(name, &last));
    let mut files = before.clone();
    for (path, bytes) in writes {
        files.insert(path, bytes);
        circle.restore(&files);
        one_share_serves(&circle, &last);
        settled(&circle, &last);
    }
    let mut rng = StdRng::seed_from_u64(82);
    for _ in 0..12 {
        circle.restore(&before);
        let after = u64::from(rng.next_u32()) % u64::try_from(whole.as_micros()).expect("short");
        circle.killed(&refresh(2), Duration::from_micros(after));
        one_share_serves(&circle, &last);
        settled(&circle, &last);
    }
    opens(&circle);
}

/// The note opens with three new shares.
fn opens(circle: &Circle) {
    let mut shares = String::new();
    for i in 1..=3 {
        let participant = format!("fresh-{i}/participant-{i}.ccc");
        circle.done(&format!("share --participant {participant} --key fresh-1/committee.ccc --out n{i}.ccc note.ccc"));
        shares.push_str(&format!(" n{i}.ccc"));
    }
    assert_eq!(circle.ccc(&format!("open --key fresh-1/committee.ccc note.ccc{shares}")).out, NOTE);
}

/// An attempt that nobody has answered yet, and the run that answers it as participant 4.
fn asked() -> (Story, &'static str) {
    let story = Story::stocked();
    story.prices();
    story.done("encrypt-order --pool pool --size 300000000 --spread 100");
    story.attempt("fill", "", &[]);
    (story, "reencrypt --participant keys/participant-4.ccc --pool pool --attempt fill --force")
}

const JOURNAL: &str = "keys/participant-4.answers";
const ANSWER: &str = "fill/share-4.ccc";

/// The medium is full while the journal is written: no answer is given, and the next run answers.
#[test]
fn a_full_medium_in_the_journal_shuts_nobody_out() {
    let (story, answer) = asked();
    let (scratch, program) = (&story.scratch, env!("CARGO_BIN_EXE_ccc"));
    let mut shell = Command::new("sh");
    shell.current_dir(scratch.path("")).args(["-c", &format!("trap '' XFSZ; ulimit -f 1; exec {program} {answer}")]);
    let run = shell.output().expect("a shell");
    assert_eq!(run.status.code(), Some(2), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(!scratch.path(ANSWER).exists(), "no answer before it is kept");
    story.done(answer);
    let given = scratch.read(ANSWER);
    assert_eq!(times(&scratch.read(JOURNAL), &given), 1, "kept once");
    story.done(answer);
    assert_eq!(scratch.read(ANSWER), given);
}

/// How often bytes stand in others.
fn times(bytes: &[u8], part: &[u8]) -> usize {
    bytes.windows(part.len()).filter(|window| *window == part).count()
}

/// Runs killed at random instants: the participant answers afterwards, and what it once gave it gives again.
#[test]
fn n047_a_participant_killed_while_it_answers_gives_one_answer() {
    let (story, answer) = asked();
    let scratch = &story.scratch;
    let clean = scratch.snapshot();
    let forget = || {
        let known = |path: &PathBuf| clean.iter().any(|(known, _)| known == path);
        for (path, _) in scratch.snapshot().iter().filter(|(path, _)| !known(path)) {
            fs::remove_file(path).expect("removed");
        }
    };
    let started = Instant::now();
    story.done(answer);
    let whole = started.elapsed().as_micros();
    let mut rng = StdRng::seed_from_u64(47);
    for _ in 0..12 {
        forget();
        let after = u64::from(rng.next_u32()) % u64::try_from(whole).expect("short");
        killed(scratch, answer, Duration::from_micros(after));
        let given = fs::read(scratch.path(ANSWER)).ok();
        story.done(answer);
        assert!(given.is_none_or(|given| given == scratch.read(ANSWER)), "another answer");
        assert_eq!(times(&scratch.read(JOURNAL), &scratch.read(ANSWER)), 1);
    }
}
