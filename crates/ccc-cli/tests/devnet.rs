//! A network of processes heals a reserve, and goes on when as many of them are gone as may be.
#![cfg(unix)]
#![allow(clippy::expect_used, clippy::panic, reason = "a helper that fails ends its test")]

use alloy::{
    eips::BlockId,
    primitives::{Address, U256},
};
use ccc_chain::{Actions, Chain, ConnectOptions, Deployment, Wallet, read};
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

/// What the desk is paid.
const PAID: u64 = 1_000_000;
/// All of the test.
const LIMIT: Duration = Duration::from_secs(200);

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

    /// Waits until something holds.
    fn until(&self, what: &str, holds: impl Fn() -> bool) {
        while !holds() {
            assert!(Instant::now() < self.end, "{what}\n{}", self.logs());
            thread::sleep(Duration::from_millis(300));
        }
    }

    fn deployment(&self) -> Deployment {
        let text = std::fs::read(self.directory.path().join("net/deployment.json")).expect("read");
        serde_json::from_slice(&text).expect("a deployment")
    }

    /// Runs a command of a desk, which has a key, an account and tokens.
    fn desk(&self, url: &str, arguments: &str) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ccc"));
        command.current_dir(self.directory.path()).args(arguments.split_whitespace()).args(["--rpc-url", url]);
        let files = [
            ("--deployment", "net/deployment.json"),
            ("--committee", "net/committee.ccc"),
            ("--private-key-file", "desk.key"),
            ("--account-key", "desk.ccc"),
        ];
        for (flag, file) in files {
            command.args([flag, file]);
        }
        let output = command.output().expect("it runs");
        assert!(output.status.success(), "{arguments}\n{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Deposits, asks to be paid out, and is paid.
    fn is_paid(&self, url: &str) {
        let key = [0x5A; 32];
        let path = self.directory.path().join("desk.key");
        std::fs::write(&path, hex::encode(key)).expect("written");
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("owner's alone");
        let mut account = Command::new(env!("CARGO_BIN_EXE_ccc"));
        account.current_dir(self.directory.path());
        account.args(["--no-passphrase", "keygen", "account", "--out", "desk.ccc"]);
        assert!(account.output().expect("it runs").status.success());
        on(async {
            let (chain, wallet) = (connected(url).await, Wallet::from_key(&key).expect("a key"));
            chain.fund(wallet.address()).await.expect("funded");
            let deployment = self.deployment();
            let actions = Actions::new(&chain, &deployment);
            actions.mint(&wallet, 0, wallet.address(), U256::from(2 * PAID)).await.expect("minted");
        });
        self.desk(url, &format!("deposit --asset base --amount {}", 2 * PAID));
        let to = Address::repeat_byte(0xD5);
        self.desk(url, &format!("withdraw --asset base --amount {PAID} --to {to}"));
        let token = self.deployment().tokens[0].address;
        self.until("no payout", || {
            on(async {
                let held = read::token_balance(&connected(url).await, token, to, BlockId::latest()).await;
                held.expect("a balance") == U256::from(PAID)
            })
        });
    }

    fn version(&self, url: &str) -> u64 {
        on(async {
            let pool = read::Pool::new(&connected(url).await, self.deployment().pool);
            pool.table_version(BlockId::latest()).await.expect("a version")
        })
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

fn on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

async fn connected(url: &str) -> Chain {
    Chain::connect(url, &ConnectOptions::default()).await.expect("connected")
}

fn pid(started: &Value, name: &str) -> Pid {
    let processes = started["processes"].as_array().expect("a list");
    let process = processes.iter().find(|process| process["name"] == name).expect("one of this name");
    let pid = process["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).expect("a number");
    Pid::from_raw(pid).expect("a process")
}

/// A network, what it started with, and what came of its recovery.
fn recovered() -> (Devnet, Value, Value) {
    let devnet = Devnet::start(&["--run", "--enclaves", "2", "--makers", "3", "--cadence", "5"]);
    let (started, healed) = (devnet.object("processes"), devnet.object("recovery"));
    (devnet, started, healed)
}

#[test]
fn a_reserve_is_healed_by_processes_and_checked_again_when_some_of_them_are_killed() {
    let (mut devnet, started, healed) = recovered();
    let all: Vec<Pid> = (1..=4)
        .flat_map(|number| [format!("vault-{number}"), format!("workflow-{number}")])
        .chain(["enclave-1".to_owned(), "enclave-2".to_owned()])
        .map(|name| pid(&started, &name))
        .collect();
    assert_eq!(started["processes"].as_array().map(Vec::len), Some(all.len()));
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
    let (before, version) = (devnet.status(url).0, devnet.version(url));
    // two more of each: the first may have been under way when they were killed
    devnet.until("no reserve check", || devnet.status(url).0 > before + 1);
    devnet.until("no round", || devnet.version(url) > version + 1);
    assert_eq!(devnet.status(url).1, "solvent");
    devnet.is_paid(url);

    // one of two enclaves says nothing any more: rounds go on, and no signer signs what the other one says alone
    kill_process(pid(&started, "enclave-2"), Signal::STOP).expect("stopped");
    thread::sleep(Duration::from_secs(3));
    let (before, version) = (devnet.status(url).0, devnet.version(url));
    devnet.until("no round by the other", || devnet.version(url) > version);
    assert_eq!(devnet.status(url).0, before, "one of two is no agreement");
    kill_process(pid(&started, "enclave-2"), Signal::CONT).expect("goes on");
    devnet.until("no check after it went on", || devnet.status(url).0 > before);

    // killed itself, it leaves nobody behind: their inputs end with it
    devnet.child.kill().expect("killed");
    devnet.child.wait().expect("ended");
    let left = |pids: &[Pid]| pids.iter().filter(|pid| test_kill_process(**pid).is_ok()).count();
    while left(&all) != 0 {
        assert!(Instant::now() < devnet.end, "{} processes are left", left(&all));
        thread::sleep(Duration::from_millis(100));
    }
}
