//! A network of processes heals a reserve, and goes on when as many of them are gone as may be.
#![cfg(unix)]
#![allow(clippy::expect_used, clippy::panic, reason = "a helper that fails ends its test")]

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

/// All of the test.
const LIMIT: Duration = Duration::from_secs(150);

struct Devnet {
    child: Child,
    lines: Receiver<String>,
    end: Instant,
    directory: tempfile::TempDir,
}

impl Devnet {
    fn start(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let network = directory.path().join("net");
        let mut command = Command::new(env!("CARGO_BIN_EXE_ccc"));
        command.args(["--json", "devnet", "--dir"]).arg(&network).args(arguments);
        command.env_remove("CCC_PASSPHRASE").env_remove("CCC_PASSPHRASE_FILE");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("it starts");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let (tell, lines) = channel();
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Self { child, lines, end: Instant::now() + LIMIT, directory }
    }

    /// The next object that has a member.
    fn object(&self, member: &str) -> Value {
        loop {
            let left = self.end.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("no {member} in time\n{}", self.logs()));
            let object: Value = serde_json::from_str(&line).expect("an object on each line");
            if !object[member].is_null() {
                return object;
            }
        }
    }

    /// What the processes logged.
    fn logs(&self) -> String {
        let files = std::fs::read_dir(self.directory.path().join("net")).expect("listed");
        let logs = files
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|end| end == "log"));
        logs.map(|path| format!("{}\n{}", path.display(), std::fs::read_to_string(&path).unwrap_or_default())).collect()
    }

    /// The sequence of the last reserve check, and what it says.
    fn status(&self, url: &str) -> (u64, String) {
        let deployment = self.directory.path().join("net/deployment.json");
        let mut command = Command::new(env!("CARGO_BIN_EXE_ccc"));
        command.args(["--json", "status", "--rpc-url", url, "--deployment"]).arg(deployment);
        let output = command.output().expect("it runs");
        let object: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        (object["sequence"].as_u64().expect("a number"), object["verdict"].as_str().expect("a word").to_owned())
    }
}

impl Drop for Devnet {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _nothing_left = self.child.wait();
    }
}

fn pid(started: &Value, name: &str) -> Pid {
    let processes = started["processes"].as_array().expect("a list");
    let process = processes.iter().find(|process| process["name"] == name).expect("one of this name");
    let pid = process["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).expect("a number");
    Pid::from_raw(pid).expect("a process")
}

#[test]
fn a_reserve_is_healed_by_processes_and_checked_again_when_some_of_them_are_killed() {
    let mut devnet = Devnet::start(&["--run", "--enclaves", "2", "--makers", "3", "--cadence", "5"]);
    let started = devnet.object("processes");
    let all: Vec<Pid> = (1..=4)
        .flat_map(|number| [format!("vault-{number}"), format!("workflow-{number}")])
        .chain(["enclave-1".to_owned(), "enclave-2".to_owned()])
        .map(|name| pid(&started, &name))
        .collect();
    assert_eq!(started["processes"].as_array().map(Vec::len), Some(all.len()));
    let healed = devnet.object("recovery");
    let recovery = &healed["recovery"];
    assert_eq!((&recovery["initial_status"], &recovery["final_status"]), (&"insolvent".into(), &"solvent".into()));
    assert_eq!(recovery["culprits"].as_array().map(Vec::len), Some(0));

    for name in ["vault-4", "workflow-4"] {
        kill_process(pid(&started, name), Signal::KILL).expect("killed");
    }
    let mut away = BTreeSet::new();
    while away.len() < 2 {
        let changed = devnet.object("name");
        let name = changed["name"].as_str().expect("a name").to_owned();
        if changed["state"] == "away" {
            away.insert(name)
        } else {
            away.remove(&name)
        };
    }
    assert_eq!(away.iter().map(String::as_str).collect::<Vec<_>>(), ["vault-4", "workflow-4"]);
    let url = started["chain"].as_str().expect("an address");
    let (before, _) = devnet.status(url);
    let (after, verdict) = loop {
        let (sequence, verdict) = devnet.status(url);
        // two more: the first may have been under way when they were killed
        if sequence > before + 1 {
            break (sequence, verdict);
        }
        assert!(Instant::now() < devnet.end, "no reserve check\n{}", devnet.logs());
        thread::sleep(Duration::from_millis(300));
    };
    assert!(after > before + 1 && verdict == "solvent", "{after} {verdict}");

    // killed itself, it leaves nobody behind: their inputs end with it
    devnet.child.kill().expect("killed");
    devnet.child.wait().expect("ended");
    let left = |pids: &[Pid]| pids.iter().filter(|pid| test_kill_process(**pid).is_ok()).count();
    while left(&all) != 0 {
        assert!(Instant::now() < devnet.end, "{} processes are left", left(&all));
        thread::sleep(Duration::from_millis(100));
    }
}
