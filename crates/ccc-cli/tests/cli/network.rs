//! The operators' door to the chain, from an empty home: settings, doctor, the served chain, deploy, status, submit.

use super::support::{Run, Scratch};
use alloy::{eips::BlockId, primitives::U256, providers::Provider};
use ccc_chain::{
    Chain, ConnectOptions, Deployment, DeploymentPlan, Wallet,
    bindings::QuorumForwarder,
    deploy::{self, FeedPlan, PoolTimes, Signers, TokenPlan, Workflow},
};
use ccc_core::report::{Payload, Report, ReportSigner, SignedReport, Solvency, Statement, Verdict};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

/// The first key of the mnemonic that everybody knows.
pub(crate) const KNOWN_KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

/// A served chain that ends with the test.
pub(crate) struct Served {
    child: Child,
    pub(crate) url: String,
}

impl Served {
    pub(crate) fn start(arguments: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ccc"))
            .arg("chain")
            .args(arguments.split_whitespace())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let stdout = child.stdout.take().expect("a pipe");
        let mut url = String::new();
        BufReader::new(stdout).read_line(&mut url).expect("a line");
        Self { child, url: url.trim().to_owned() }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs `ccc` in an empty home with these variables.
pub(crate) fn at_home(scratch: &Scratch, arguments: &str, environment: &[(&str, &str)]) -> Run {
    let home = scratch.path(".");
    let home = home.to_str().expect("text");
    let mut all = vec![("HOME", home), ("XDG_CONFIG_HOME", home), ("APPDATA", home), ("PATH", "")];
    all.extend(environment);
    scratch.ccc_with(arguments, &[], &all)
}

/// A scratch directory with the sender's key.
pub(crate) fn with_key() -> Scratch {
    let scratch = Scratch::new();
    scratch.write_private("key", &format!("0x{KNOWN_KEY}\n"));
    scratch
}

fn setting(run: &Run, name: &str) -> (String, String) {
    let of = |field: &str| run.json()[name][field].as_str().unwrap_or("none").to_owned();
    (of("value"), of("source"))
}

#[test]
fn each_setting_says_where_it_comes_from() {
    let scratch = Scratch::new();
    let pair = |value: &str, source: &str| (value.to_owned(), source.to_owned());
    let run = at_home(&scratch, "--json config show", &[]);
    assert_eq!(setting(&run, "rpc_url"), pair("http://127.0.0.1:8545", "default"));
    assert_eq!(setting(&run, "keystore"), pair("none", "none"));
    scratch.write("c.toml", "rpc_url = \"http://127.0.0.1:1\"\nchain_id = 5\nkeystore = \"wallet.json\"\n");
    let run = at_home(&scratch, "--json config show --config c.toml", &[]);
    assert_eq!(setting(&run, "config"), pair("c.toml", "flag"));
    assert_eq!(setting(&run, "rpc_url"), pair("http://127.0.0.1:1", "file"));
    assert_eq!(setting(&run, "keystore"), pair("wallet.json", "file"));
    let variables = [("CCC_CONFIG", "c.toml"), ("CCC_RPC_URL", "http://127.0.0.1:2"), ("CCC_PRIVATE_KEY_FILE", "k")];
    let run = at_home(&scratch, "--json config show", &variables);
    assert_eq!(setting(&run, "config"), pair("c.toml", "environment"));
    assert_eq!(setting(&run, "rpc_url"), pair("http://127.0.0.1:2", "environment"));
    assert_eq!(setting(&run, "chain_id"), pair("5", "file"));
    assert_eq!(setting(&run, "private_key_file"), pair("k", "environment"));
    assert_eq!(setting(&run, "keystore"), pair("none", "none"), "the environment's key stands before the file's");
    let run = at_home(&scratch, "--json config show --rpc-url http://127.0.0.1:3 --chain-id 6", &variables);
    assert_eq!(setting(&run, "rpc_url"), pair("http://127.0.0.1:3", "flag"));
    assert_eq!(setting(&run, "chain_id"), pair("6", "flag"));
    let run = at_home(&scratch, "config show", &variables);
    assert!(run.stdout.contains("http://127.0.0.1:2   (environment)"), "{}", run.stdout);
    assert!(run.stdout.contains("not set   (CCC_DEPLOYMENT)"), "{}", run.stdout);
}

#[test]
fn the_home_directorys_settings_are_found() {
    let scratch = Scratch::new();
    std::fs::create_dir_all(scratch.path("ccc")).expect("made");
    std::fs::create_dir_all(scratch.path("Library/Application Support/ccc")).expect("made");
    for name in ["ccc/config.toml", "Library/Application Support/ccc/config.toml"] {
        scratch.write(name, "chain_id = 9\n");
    }
    let run = at_home(&scratch, "--json config show", &[]);
    assert_eq!(setting(&run, "chain_id").1, "file", "{}{}", run.stdout, run.stderr);
}

#[test]
fn settings_are_read_strictly_and_show_no_secret() {
    let scratch = Scratch::new();
    scratch.write("c.toml", format!("private_key = \"{KNOWN_KEY}\"\n"));
    let run = at_home(&scratch, "config show --config c.toml", &[]);
    run.fails(2, "unknown field `private_key`");
    assert!(!run.stderr.contains(KNOWN_KEY), "{}", run.stderr);
    let run = at_home(&scratch, "config show", &[("CCC_PRIVATE_KEY", KNOWN_KEY)]);
    run.fails(2, "CCC_PRIVATE_KEY is set");
    assert!(!run.stderr.contains(KNOWN_KEY));
    at_home(&scratch, "config show --config none.toml", &[]).fails(2, "cannot read none.toml");
    at_home(&scratch, "config show", &[("CCC_CHAIN_ID", "one")]).fails(2, "CCC_CHAIN_ID: it is not a number");
    let both = [("CCC_KEYSTORE", "a"), ("CCC_PRIVATE_KEY_FILE", "b")];
    at_home(&scratch, "config show", &both).fails(2, "the environment names both");
    let run = at_home(&scratch, "--json config show --rpc-url http://node.example/v3/0123456789abcdef", &[]);
    assert_eq!(setting(&run, "rpc_url").0, "http://node.example/…");
    let served = Served::start("--for 60");
    let url = format!("{}/v3/0123456789abcdef", served.url);
    let run = at_home(&scratch, &format!("doctor --rpc-url {url}"), &[]);
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    assert!(!run.stdout.contains("0123456789abcdef") && !run.stderr.contains("0123456789abcdef"), "{}", run.stdout);
}

#[test]
fn the_doctor_names_what_is_missing() {
    let scratch = with_key();
    scratch.write("open", format!("{KNOWN_KEY}\n"));
    super::support::set_mode(&scratch.path("open"), 0o644);
    let run = at_home(&scratch, "doctor --rpc-url http://127.0.0.1:1 --private-key-file open", &[]);
    assert_eq!(run.code, 1);
    for text in ["MISSING  node", "ccc chain --port 8545", "MISSING  key", "mode 0644", "none     anvil"] {
        assert!(run.stdout.contains(text), "{text}\n{}", run.stdout);
    }
    let served = Served::start("--for 60");
    let flags = format!("--rpc-url {} --private-key-file key", served.url);
    let run = at_home(&scratch, &format!("--json doctor {flags}"), &[]);
    assert_eq!((run.code, &run.json()["well"]), (0, &true.into()), "{}", run.stdout);
    let run = at_home(&scratch, &format!("doctor {flags} --chain-id 1"), &[]);
    assert!(run.code == 1 && run.stdout.contains("chain id is 31337, expected 1"), "{}", run.stdout);
    let run = at_home(&scratch, &format!("doctor {flags} --deployment none.json"), &[]);
    assert!(run.code == 1 && run.stdout.contains("MISSING  contracts"), "{}", run.stdout);
}

#[test]
fn a_set_is_deployed_and_its_status_told() {
    let scratch = with_key();
    let served = Served::start("--for 120");
    let flags = format!("--rpc-url {} --private-key-file key", served.url);
    let dry = at_home(&scratch, &format!("--json deploy {flags} --out d.json --dry-run"), &[]);
    assert_eq!((dry.code, &dry.json()["sent"]), (0, &false.into()), "{}", dry.stderr);
    assert!(!scratch.path("d.json").exists());
    let done = at_home(&scratch, &format!("--json deploy {flags} --out d.json"), &[]);
    assert_eq!((done.code, &done.json()["sent"]), (0, &true.into()), "{}", done.stderr);
    for field in ["gas", "steps"] {
        assert_eq!(dry.json()[field], done.json()[field], "{field}");
    }
    for contract in ["forwarder", "attestation", "pool", "feed", "registries", "tokens"] {
        assert_eq!(dry.json()["deployment"][contract], done.json()["deployment"][contract], "{contract}");
    }
    at_home(&scratch, &format!("deploy {flags} --out d.json"), &[]).fails(2, "d.json exists");
    let status = format!("status --deployment d.json --rpc-url {}", served.url);
    let run = at_home(&scratch, &status, &[]);
    assert_eq!(run.code, 1, "unknown is not solvent: {}", run.stderr);
    assert!(run.stdout.starts_with("no solvency report was ever accepted\nthe reserve is unknown\n"), "{}", run.stdout);
    for text in ["the pool is open", "no request waits", "2 of 4 signers", "epoch 1", "no enclave was ever admitted"] {
        assert!(run.stdout.contains(text), "{text}\n{}", run.stdout);
    }
    let object = at_home(&scratch, &format!("--json {status}"), &[]).json();
    assert_eq!((&object["stale"], &object["verdict"]), (&true.into(), &"unknown".into()));
    assert!(object.get("history").is_none());
    let none = at_home(&scratch, &format!("{status} --history"), &[]);
    assert!(none.code == 1 && none.stdout.contains("no reserve check was found"), "{}", none.stdout);
    let zero = at_home(&scratch, &format!("--json {status} --history 0"), &[]);
    assert_eq!((zero.code, &zero.json_error()["code"]), (2, &"usage".into()), "{}", zero.stderr);
    assert_eq!((&object["registries"]["epoch"], &object["signer_set"]["as_deployed"]), (&1.into(), &true.into()));
    let run = at_home(&scratch, &format!("doctor {flags} --deployment d.json"), &[]);
    assert!(run.code == 0 && run.stdout.contains("with registries"), "{}", run.stdout);
    assert_eq!(at_home(&scratch, "inspect d.json", &[]).code, 0);
    let toml = at_home(&scratch, &format!("deploy {flags} --out d.toml"), &[]);
    assert_eq!(toml.code, 0, "{}", toml.stderr);
    let run = at_home(&scratch, &status.replace("d.json", "d.toml"), &[]);
    assert!(run.code == 1 && run.stdout.contains("the reserve is unknown"), "{}{}", run.stdout, run.stderr);
}

/// The keys of the first two report signers of the local plan: accounts 4 and 5 of the mnemonic.
pub(super) const SIGNERS: [&str; 2] = [
    "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
    "8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
];

/// A solvency report of the deployment's quorum, for the file `name`.
pub(super) fn write_report(
    scratch: &Scratch,
    name: &str,
    deployment: &Deployment,
    now: u64,
    sequence: u64,
    until: u64,
) {
    let solvency = Solvency {
        verdict: Verdict::Solvent,
        block: 1,
        block_time: now,
        header_hash: [7; 32],
        envelope_digest: [8; 32],
    };
    write_solvency(scratch, name, deployment, (sequence, until), solvency);
}

/// A report of the deployment's quorum that says this, until a time, for the file `name`.
pub(super) fn write_solvency(
    scratch: &Scratch,
    name: &str,
    deployment: &Deployment,
    (sequence, until): (u64, u64),
    solvency: Solvency,
) {
    let (statement, now) = (Statement::Solvency(solvency), solvency.block_time);
    let receiver = deployment.receiver(statement.kind()).expect("a receiver");
    let binding = deployment.binding(receiver, sequence, until, [9; 32].into());
    let report = Report::new(deployment.origin(), now, Payload { binding, statement }).expect("a report");
    let context = deployment.context(sequence);
    let signatures = SIGNERS.map(|digits| {
        let mut key = [0; 32];
        hex::decode_to_slice(digits, &mut key).expect("digits");
        ReportSigner::from_bytes(&key).expect("a key").sign(&report, &context)
    });
    let (set, forwarder) = (deployment.signer_set(), deployment.forwarder.0.0);
    let signed = SignedReport::assemble(report, context, &signatures, &set, &forwarder).expect("signed");
    scratch.write(name, signed.to_bytes().expect("bytes"));
}

#[test]
fn a_report_is_delivered_once_and_a_refusal_is_told_in_words() {
    let scratch = with_key();
    let served = Served::start("--for 120");
    let flags = format!("--rpc-url {} --private-key-file key", served.url);
    assert_eq!(at_home(&scratch, &format!("deploy {flags} --out d.json"), &[]).code, 0);
    let deployment: Deployment = serde_json::from_slice(&scratch.read("d.json")).expect("a deployment");
    let status = format!("--json status --deployment d.json --rpc-url {}", served.url);
    let now = at_home(&scratch, &status, &[]).json()["time"].as_u64().expect("a time");
    write_report(&scratch, "one.report", &deployment, now, 1, now + 600);
    let submit = |name: &str, more: &str| {
        at_home(&scratch, &format!("--json report submit {name} --deployment d.json {flags} {more}"), &[])
    };
    let dry = submit("one.report", "--dry-run");
    assert_eq!((dry.code, &dry.json()["accepted"], &dry.json()["sent"]), (0, &true.into(), &false.into()));
    assert_eq!(at_home(&scratch, &status, &[]).json()["verdict"], "unknown", "nothing was sent");
    let sent = submit("one.report", "");
    assert_eq!((sent.code, &sent.json()["sent"]), (0, &true.into()), "{}", sent.stderr);
    assert_eq!((&sent.json()["own"], &sent.json()["delivered"]), (&true.into(), &true.into()));
    let again = submit("one.report", "");
    assert_eq!((again.code, &again.json()["sent"], &again.json()["delivered"]), (0, &false.into(), &true.into()));
    assert_eq!((&again.json()["own"], &again.json()["transmitter"]), (&false.into(), &sent.json()["transmitter"]));
    let run = at_home(&scratch, &status, &[]);
    assert_eq!((run.code, &run.json()["verdict"], &run.json()["stale"]), (0, &"solvent".into(), &false.into()));
    assert_eq!(run.json()["block_age"], serde_json::Value::Null, "the embedded chain has a time of its own");
    let history = at_home(&scratch, &format!("{status} --history 1"), &[]).json()["history"].clone();
    let check = &history["checks"][0];
    assert_eq!(
        (&check["verdict"], &check["sequence"], &check["solvent"]),
        (&"solvent".into(), &1.into(), &true.into())
    );
    assert_eq!((&check["transaction"], &history["whole"]), (&sent.json()["transaction"], &true.into()), "{history}");
    let words = at_home(&scratch, &format!("{} --history", status.trim_start_matches("--json ")), &[]).stdout;
    assert!(words.contains("the last 1 reserve checks") && words.contains("solvent at block 1, sequence 1"), "{words}");
    write_report(&scratch, "late.report", &deployment, now, 2, now - 1);
    let late = submit("late.report", "");
    assert_eq!((late.code, &late.json_error()["code"]), (2, &"contract-refused".into()));
    assert!(late.stderr.contains("the report was valid until"), "{}", late.stderr);
    write_report(&scratch, "old.report", &deployment, now + 1, 1, now + 600);
    assert!(submit("old.report", "").stderr.contains("a report of this kind with sequence 1 was accepted"));
    write_report(&scratch, "twin.report", &deployment, now + 1, 1, now + 600);
    let compare =
        |other: &str| at_home(&scratch, &format!("--json report compare one.report {other} --deployment d.json"), &[]);
    let found = compare("twin.report");
    assert_eq!((found.code, &found.json()["conflict"]), (0, &true.into()), "{}", found.stderr);
    assert_eq!(found.json()["signed_both"].as_array().map(Vec::len), Some(2));
    assert_eq!(found.json()["recorded_by_workflow_nodes"], true);
    let words = at_home(&scratch, "report compare one.report twin.report --deployment d.json", &[]).stdout;
    assert!(words.contains("its key was used elsewhere") && words.contains("it proves no fault"), "{words}");
    let same = compare("one.report");
    assert_eq!((same.code, &same.json()["conflict"]), (1, &false.into()));
    assert!(same.stdout.contains("both reports say the same"), "{}", same.stdout);
    let another = Deployment { attestation: deployment.pool, ..deployment.clone() };
    write_report(&scratch, "other.report", &another, now, 3, now + 600);
    assert_eq!(submit("other.report", "").json_error()["code"], "other-receiver");
    scratch.write("none.report", "nothing");
    assert_eq!(submit("none.report", "").json_error()["code"], "report");
    assert_eq!(submit("d.json", "").json_error()["code"], "other-content");
}

#[test]
fn a_report_grows_old_between_blocks() {
    let scratch = with_key();
    let served = Served::start("--for 120");
    let flags = format!("--rpc-url {} --private-key-file key", served.url);
    assert_eq!(at_home(&scratch, &format!("deploy {flags} --out d.json"), &[]).code, 0);
    let deployment: Deployment = serde_json::from_slice(&scratch.read("d.json")).expect("a deployment");
    let status = format!("status --deployment d.json --rpc-url {}", served.url);
    let now = at_home(&scratch, &format!("--json {status}"), &[]).json()["time"].as_u64().expect("a time");
    write_report(&scratch, "one.report", &deployment, now, 1, now + 600);
    let submit = format!("report submit one.report --deployment d.json {flags}");
    assert_eq!(at_home(&scratch, &submit, &[]).code, 0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let chain = Chain::connect(&served.url, &ConnectOptions::default()).await.expect("connected");
        let moved: serde_json::Value =
            chain.provider().raw_request("evm_increaseTime".into(), (7_200,)).await.expect("moved");
        assert!(moved.is_string());
    });
    let run = at_home(&scratch, &status, &[]);
    assert!(run.code == 1 && run.stdout.starts_with("STALE: the last solvency report is 72"), "{}", run.stdout);
    let object = at_home(&scratch, &format!("--json {status}"), &[]).json();
    assert!(object["age"].as_u64().is_some_and(|age| age >= 7_200), "{object}");
    assert_eq!((&object["verdict"], &object["last_verdict"]), (&"unknown".into(), &"solvent".into()));
    assert_eq!((&object["stale"], &object["solvent"]), (&true.into(), &false.into()));
}

#[test]
fn nothing_is_sent_to_a_chain_that_is_not_local_unasked() {
    let scratch = with_key();
    let served = Served::start("--for 60 --chain-id 10");
    let flags = format!("--rpc-url {} --private-key-file key --out d.json", served.url);
    at_home(&scratch, &format!("deploy {flags}"), &[]).fails(2, "is not local, and no plan is named");
    let plan = at_home(&scratch, "deploy --print-plan", &[]);
    scratch.write("plan.toml", &plan.stdout);
    at_home(&scratch, &format!("deploy {flags} --plan plan.toml --broadcast"), &[]).fails(2, "simulated parts");
    assert!(!scratch.path("d.json").exists());
}

/// A plan for demonstrations, whose tokens have the decimal places of a pool's.
pub(super) fn plan_of_test_parts() -> DeploymentPlan {
    let token = |symbol: &str, decimals| TokenPlan { name: symbol.into(), symbol: symbol.into(), decimals, lot: 1 };
    DeploymentPlan {
        signers: Signers { don_id: 1, config_version: 1, f: 1, addresses: (1..=4).map(|n| [n; 20].into()).collect() },
        workflow: Workflow { id: U256::from(1).into(), owner: [1; 20].into(), epoch: 1 },
        reserve: [1; 20].into(),
        agent_key: [1; 32].into(),
        max_age: 60,
        table_id: [1; 32].into(),
        tokens: vec![token("A", 8), token("B", 6)],
        feed: FeedPlan { decimals: 8, description: "A / B".into() },
        times: PoolTimes { fill_window: 60, max_delay: 60, exit_delay: 60 },
    }
}

/// Tokens and a feed on a chain that is not local, and the plan that names them.
pub(super) fn plan_of_real_parts(url: &str, plan: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let standing = runtime.block_on(async {
        let chain = Chain::connect(url, &ConnectOptions::default()).await.expect("connected");
        let mut key = [0; 32];
        hex::decode_to_slice(SIGNERS[0], &mut key).expect("digits");
        deploy::deploy(&chain, &Wallet::from_key(&key).expect("a key"), &plan_of_test_parts()).await.expect("deployed")
    });
    let (head, _) = plan.split_once("# Elsewhere: address").expect("the feed comes last but for the tokens");
    let token = |at: usize| format!("[[token]]\nlot = 1\naddress = \"{}\"\n", standing.tokens[at].address);
    format!("{head}[feed]\naddress = \"{}\"\n{}{}", standing.feed, token(0), token(1))
}

/// The plan with people and keys of its own instead of those that everybody knows.
pub(super) fn with_own_people(plan: &str) -> String {
    let accounts = Scratch::new().done("--json chain --for 0").json()["accounts"].clone();
    let mut plan = plan.to_lowercase();
    for (at, account) in accounts.as_array().expect("a list").iter().enumerate() {
        plan = plan.replace(account.as_str().expect("text"), &format!("0x{:040x}", 0x1000 + at));
    }
    for placeholder in PLACEHOLDERS {
        plan = plan.replace(&format!("{placeholder}\""), &format!("{:0>1$}\"", "77", placeholder.len()));
    }
    plan
}

/// How the values of the local plan end that somebody must choose.
const PLACEHOLDERS: [&str; 4] = ["a9e7", "07ab1e", "3a51", "5001"];

fn height(url: &str) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let chain = Chain::connect(url, &ConnectOptions::default()).await.expect("connected");
        chain.block(BlockId::latest()).await.expect("a block").number
    })
}

#[test]
fn what_everybody_knows_is_put_on_no_other_chain() {
    let scratch = with_key();
    let served = Served::start("--for 120 --chain-id 10");
    let public = plan_of_real_parts(&served.url, &at_home(&scratch, "deploy --print-plan", &[]).stdout);
    let own = with_own_people(&public);
    let before = height(&served.url);
    let flags = format!("--rpc-url {} --private-key-file key --plan plan.toml --out d.json", served.url);
    let refused = |plan: &str, what: &str| {
        scratch.write("plan.toml", plan);
        at_home(&scratch, &format!("deploy {flags} --broadcast"), &[]).fails(2, &format!("everybody knows {what}"));
    };
    refused(&public, "the admin");
    let known = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
    for (at, what) in [
        (1, "the admin"),
        (2, "the operator"),
        (3, "the guardian"),
        (8, "the reserve"),
        (9, "the workflow's owner"),
        (4, "a participant of the committee"),
    ] {
        refused(&own.replace(&format!("0x{:040x}", 0x1000 + at), known), what);
    }
    let (head, signers) = own.split_once("[signers]").expect("the signers");
    let signers = signers.replace(&format!("0x{:040x}", 0x1004), known);
    refused(&format!("{head}[signers]{signers}"), "a report signer");
    for (name, public) in
        [("agent_key", "a9e7"), ("table_id", "7ab1e"), ("master_key", "3a51"), ("verification_root", "5001")]
    {
        let line = own.lines().find(|line| line.starts_with(name)).expect("the line");
        refused(&own.replace(line, &format!("{name} = \"0x{public:0>64}\"")), &format!("`{name}`"));
    }
    assert_eq!(height(&served.url), before, "nothing was sent");
    assert!(!scratch.path("d.json").exists());
}

#[test]
fn after_a_rotation_the_chains_signers_are_told_and_not_the_files() {
    let scratch = with_key();
    let served = Served::start("--for 120");
    let others: Vec<_> = (11..=17).map(|n| [n; 20].into()).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let set = |version: u32, f: u8, signers: Vec<_>| {
        let deployment: Deployment = serde_json::from_slice(&scratch.read("d.json")).expect("a deployment");
        runtime.block_on(async {
            let chain = Chain::connect(&served.url, &ConnectOptions::default()).await.expect("connected");
            let forwarder = QuorumForwarder::new(deployment.forwarder, chain.provider());
            let request = match f {
                0 => forwarder.clearConfig(1, version).into_transaction_request(),
                f => forwarder.setConfig(1, version, f, signers).into_transaction_request(),
            };
            chain.send(&known_wallet(), request).await.expect("set");
        });
    };
    let deployment = runtime.block_on(async {
        let chain = Chain::connect(&served.url, &ConnectOptions::default()).await.expect("connected");
        deploy::deploy(&chain, &known_wallet(), &plan_of_test_parts()).await.expect("deployed")
    });
    scratch.write("d.json", serde_json::to_vec(&deployment).expect("JSON"));
    let status = format!("status --deployment d.json --rpc-url {}", served.url);
    let told = |arguments: &str| at_home(&scratch, arguments, &[]).stdout;
    assert!(told(&status).contains("reports need 2 of 4 signers, set 1/1\n"), "{}", told(&status));
    set(2, 2, others.clone());
    let both = told(&status);
    assert!(both.contains("reports need 3 of 7 signers, set 1/2\n  the signers were rotated"), "{both}");
    assert!(both.contains("reports of set 1/1 count as well"), "{both}");
    set(1, 0, Vec::new());
    let object = at_home(&scratch, &format!("--json {status}"), &[]).json();
    assert_eq!(object["signer_set"]["config_version"], 2);
    assert_eq!(object["signer_set"]["as_deployed"], false);
    assert_eq!(object["signer_sets"].as_array().map(Vec::len), Some(1));
    let first: alloy::primitives::Address = others[0];
    assert_eq!(object["signer_set"]["signers"][0], serde_json::json!(first));
    let doctor = at_home(&scratch, &format!("doctor --deployment d.json --rpc-url {}", served.url), &[]);
    assert!(doctor.stdout.contains("the signers were rotated to set 1/2"), "{}", doctor.stdout);
    set(2, 0, Vec::new());
    assert!(told(&status).contains("the signer sets with the number 1 were cleared"), "{}", told(&status));
    let doctor = at_home(&scratch, &format!("doctor --deployment d.json --rpc-url {}", served.url), &[]);
    assert!(doctor.code == 1 && doctor.stdout.contains("MISSING  contracts"), "{}", doctor.stdout);
}

fn known_wallet() -> Wallet {
    let mut key = [0; 32];
    hex::decode_to_slice(KNOWN_KEY, &mut key).expect("digits");
    Wallet::from_key(&key).expect("a key")
}

/// Somebody puts a file where the deployment was to be written, after the first transaction was sent.
#[test]
fn what_was_deployed_is_told_where_its_file_cannot_be_written_even_quietly() {
    let scratch = with_key();
    let served = Served::start("--for 120");
    let child = Command::new(env!("CARGO_BIN_EXE_ccc"))
        .args(["--quiet", "deploy", "--rpc-url", &served.url, "--private-key-file", "key", "--out", "d.json"])
        .current_dir(scratch.path("."))
        .env("XDG_CONFIG_HOME", scratch.path("."))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    while height(&served.url) == 0 {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    scratch.write("d.json", "in the way");
    let output = child.wait_with_output().expect("ended");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.code() == Some(2) && stderr.contains("d.json exists"), "{stderr}");
    let deployment = stdout.lines().last().expect("the deployment");
    let deployment: Deployment = serde_json::from_str(deployment).expect("the deployment");
    stands(&served.url, &deployment);
    assert_eq!(scratch.read("d.json"), b"in the way");
}

/// The deployment that was told stands on the chain.
fn stands(url: &str, deployment: &Deployment) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let chain = Chain::connect(url, &ConnectOptions::default()).await.expect("connected");
        deploy::check_pool(&chain, deployment).await.expect("it stands");
    });
}

#[test]
fn nothing_is_spent_where_the_deployment_cannot_be_written() {
    let scratch = with_key();
    let served = Served::start("--for 60");
    let flags = format!("--rpc-url {} --private-key-file key --out none/d.json", served.url);
    let run = at_home(&scratch, &format!("--json deploy {flags}"), &[]);
    assert_eq!((run.code, &run.json_error()["code"]), (2, &"write".into()), "{}", run.stderr);
    assert_eq!(height(&served.url), 0);
}

#[test]
fn a_key_where_a_file_is_named_is_refused_and_not_shown() {
    let scratch = Scratch::new();
    scratch.write("c.toml", format!("keystore = \"0x{KNOWN_KEY}\"\n"));
    for (arguments, environment, from) in [
        (format!("config show --private-key-file 0x{KNOWN_KEY}"), vec![], "the command line"),
        ("config show".to_owned(), vec![("CCC_PRIVATE_KEY_FILE", KNOWN_KEY)], "the environment"),
        ("config show --config c.toml".to_owned(), vec![], "the settings file"),
    ] {
        let run = at_home(&scratch, &arguments, &environment);
        run.fails(2, &format!("{from} has a private key"));
        assert!(!run.stderr.contains(KNOWN_KEY) && !run.stdout.contains(KNOWN_KEY), "{}", run.stderr);
    }
    let run = at_home(&scratch, &format!("doctor --keystore {KNOWN_KEY}"), &[]);
    assert!(run.code == 1 && run.stdout.contains("MISSING  settings"), "{}", run.stdout);
    assert!(!run.stdout.contains(KNOWN_KEY) && !run.stderr.contains(KNOWN_KEY), "{}", run.stdout);
}

#[test]
fn a_malformed_settings_file_is_not_quoted() {
    let scratch = Scratch::new();
    for text in [format!("chain_id = \"{KNOWN_KEY}\"\n"), format!("\n0x{KNOWN_KEY} = 1\n"), KNOWN_KEY.to_owned()] {
        scratch.write("c.toml", &text);
        let run = at_home(&scratch, "config show --config c.toml", &[]);
        run.fails(2, "line ");
        assert!(!run.stderr.contains(&KNOWN_KEY[..16]), "{}", run.stderr);
    }
}

#[test]
fn elsewhere_only_broadcast_sends() {
    let scratch = with_key();
    let served = Served::start("--for 120 --chain-id 10");
    let flags = format!("--rpc-url {} --private-key-file key --plan plan.toml --out d.json", served.url);
    let plan = plan_of_real_parts(&served.url, &at_home(&scratch, "deploy --print-plan", &[]).stdout);
    scratch.write("plan.toml", with_own_people(&plan));
    let dry = at_home(&scratch, &format!("--json deploy {flags}"), &[]);
    assert_eq!((dry.code, &dry.json()["sent"]), (0, &false.into()), "{}", dry.stderr);
    assert!(!scratch.path("d.json").exists());
    let sent = at_home(&scratch, &format!("--json deploy {flags} --broadcast"), &[]);
    assert_eq!((sent.code, &sent.json()["sent"]), (0, &true.into()), "{}", sent.stderr);
    assert_eq!(sent.json()["deployment"]["pool"], dry.json()["deployment"]["pool"]);
}

#[test]
fn plans_and_keys_that_cannot_serve_are_refused() {
    let scratch = with_key();
    let served = Served::start("--for 60");
    let rpc = format!("--rpc-url {}", served.url);
    let plan = at_home(&scratch, "deploy --print-plan", &[]).stdout;
    let deploy = |text: String, flags: &str| {
        scratch.write("plan.toml", text);
        at_home(&scratch, &format!("deploy {rpc} --plan plan.toml --out d.json {flags}"), &[])
    };
    let key = "--private-key-file key";
    deploy(plan.replace("delay = 172800", "delay = 400000"), key).fails(2, "not below the exit delay");
    let deployer = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    deploy(plan.replace("0x70997970C51812dc3A010C7d01b50e0d17dc79C8", deployer), key).fails(2, "is the deployer");
    deploy(plan.replace("faults = 1", "faults = 2"), key).fails(2, "VaultRegistry, after");
    deploy(plan.replace("[feed]", "[fed]"), key).fails(2, "unknown field `fed`");
    deploy(plan.clone(), "").fails(2, "no key is named");
    scratch.write_private("short", "0xabcd\n");
    deploy(plan.clone(), "--private-key-file short").fails(2, "64 hexadecimal digits");
    scratch.write_private("zero", &"00".repeat(32));
    deploy(plan.clone(), "--private-key-file zero").fails(2, "64 hexadecimal digits");
    scratch.write_private("wallet.json", "{}");
    deploy(plan.clone(), "--keystore wallet.json").fails(2, "not a keystore");
    at_home(&scratch, &format!("deploy {rpc} {key} --out d.yaml"), &[]).fails(2, "neither .json nor .toml");
    at_home(&scratch, "deploy --rpc-url wss://127.0.0.1 --private-key-file key --out d.json", &[])
        .fails(2, "neither https://HOST");
    assert!(!scratch.path("d.json").exists());
}

/// A keystore of PBKDF2 with few rounds, so that the test is quick; its key is the one that everybody knows.
#[test]
fn a_keystore_opens_with_its_passphrase() {
    let scratch = Scratch::new();
    scratch.write_private("wallet.json", include_str!("known-keystore.json"));
    scratch.write_private("good", "testpassword\n");
    scratch.write_private("bad", "testpasswore\n");
    let served = Served::start("--for 60");
    let deploy = |passphrase: &str| {
        let flags = format!("--rpc-url {} --keystore wallet.json --passphrase-file {passphrase}", served.url);
        at_home(&scratch, &format!("--json deploy {flags} --out d.json --dry-run"), &[])
    };
    let run = deploy("good");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.json()["sender"], "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266");
    assert_eq!(deploy("bad").json_error()["code"], "keystore");
}

#[test]
fn a_served_chain_ends_in_time() {
    let run = Scratch::new().done("--json chain --for 0 --fund 0x0101010101010101010101010101010101010101");
    let accounts = run.json()["accounts"].as_array().expect("a list").len();
    assert_eq!((accounts, &run.json()["chain_id"]), (11, &31337.into()));
    let run = Scratch::new().ccc("--json chain --for 0 --fund 0x01");
    assert_eq!((run.code, &run.json_error()["code"]), (2, &"usage".into()));
}
