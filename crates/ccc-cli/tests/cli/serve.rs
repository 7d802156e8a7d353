//! The page in a shell: a deployment that is shown, an agent's files at the desk, and what is not served.

use super::{
    agent::{plain_policy, planned},
    network::{KNOWN_KEY, Served, at_home, with_key, write_report},
    support::{Scratch, mode, now, set_mode},
};
use alloy::{
    eips::BlockId,
    primitives::{Address, B256},
};
use ccc_chain::{Chain, ConnectOptions, Deployment, Wallet, bindings::QuorumForwarder};
use ccc_core::report::SignedReport;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

/// A page that ends with the test.
struct Page {
    child: Child,
    host: String,
}

impl Drop for Page {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Page {
    fn start(scratch: &Scratch, flags: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ccc"))
            .args(["--json", "serve", "--listen", "127.0.0.1:0"])
            .args(flags.split_whitespace())
            .current_dir(scratch.path("."))
            .env_remove("CCC_DEPLOYMENT")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let stdout = child.stdout.take().expect("a pipe");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let object: Value = serde_json::from_str(&line).expect("an object");
        let host = object["url"].as_str().expect("an address").trim_start_matches("http://").to_owned();
        Self { child, host }
    }

    fn bytes(&self, method: &str, path: &str, cookie: &str, body: &str) -> (u16, String, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.host).expect("connected");
        let (host, length) = (&self.host, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n{cookie}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("received");
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("fields");
        let fields = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = fields.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, fields, answer[end + 4..].to_vec())
    }

    fn ask(&self, method: &str, path: &str, cookie: &str, body: &Value) -> (u16, Value) {
        let (status, _, bytes) = self.bytes(method, path, cookie, &body.to_string());
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    fn get(&self, path: &str) -> Value {
        let (status, found) = self.ask("GET", path, "", &Value::Null);
        assert_eq!(status, 200, "{path}: {found}");
        found
    }

    fn signed_in(&self, token: &str) -> String {
        let (status, fields, _) =
            self.bytes("POST", "/v1/operator/session", "", &json!({ "token": token.trim() }).to_string());
        assert_eq!(status, 200, "{fields}");
        let cookie = fields.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
        format!("cookie: {}\r\n", cookie.split(';').next().expect("a value"))
    }
}

fn newest_time(served: &Served) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let chain = Chain::connect(&served.url, &ConnectOptions::default()).await.expect("connected");
        chain.block(BlockId::latest()).await.expect("a block").time
    })
}

/// The exit code of a command that reads this from standard input.
fn at_home_with(scratch: &Scratch, line: &str, input: &[u8]) -> i32 {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ccc"))
        .args(line.split_whitespace())
        .current_dir(scratch.path("."))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    child.stdin.take().expect("a pipe").write_all(input).expect("sent");
    child.wait().expect("ended").code().expect("a code")
}

/// A stranger hands the report that the chain took to nobody, and to a contract of the deployment that refuses it.
fn delivered_elsewhere(served: &Served, scratch: &Scratch, deployment: &Deployment) {
    let signed = SignedReport::from_bytes(&scratch.read("one.report")).expect("a report");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let chain = Chain::connect(&served.url, &ConnectOptions::default()).await.expect("connected");
        let mut key = [0; 32];
        hex::decode_to_slice(KNOWN_KEY, &mut key).expect("digits");
        let stranger = Wallet::from_key(&key).expect("a key");
        let forwarder = QuorumForwarder::new(deployment.forwarder, chain.provider());
        for receiver in [Address::repeat_byte(0xee), deployment.pool] {
            let signatures = signed.signatures().iter().map(|one| one.to_bytes().to_vec().into()).collect();
            let context = signed.context().to_bytes().to_vec().into();
            let call = forwarder.report(receiver, signed.report().raw().into(), context, signatures);
            chain.send(&stranger, call.into_transaction_request()).await.expect("the forwarder takes it");
        }
    });
}

#[test]
fn a_deployment_is_shown_with_reports_that_anybody_verifies() {
    let scratch = with_key();
    let served = Served::start("--for 120");
    let flags = format!("--rpc-url {} --private-key-file key", served.url);
    assert_eq!(at_home(&scratch, &format!("deploy {flags} --out d.json"), &[]).code, 0);
    let deployment: Deployment = serde_json::from_slice(&scratch.read("d.json")).expect("a deployment");
    let page = Page::start(&scratch, &format!("--deployment d.json --rpc-url {} --every 1", served.url));
    let status = &page.get("/v1/status")["status"];
    assert_eq!(
        (&status["verdict"], &status["since"], &status["mode"]),
        (&json!("unknown"), &Value::Null, &json!("chain"))
    );
    let time = newest_time(&served);
    write_report(&scratch, "one.report", &deployment, time, 1, now() + 600);
    let submit = at_home(&scratch, &format!("report submit one.report {flags} --deployment d.json"), &[]);
    assert_eq!(submit.code, 0, "{}", submit.stderr);
    let solvent = (0..50).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        page.get("/v1/status")["status"]["verdict"] == "solvent"
    });
    assert!(solvent, "{}", page.get("/v1/status"));
    let report = &page.get("/v1/reports")["reports"][0];
    assert_eq!((&report["holds"], &report["kind"], &report["needed"]), (&json!(true), &json!("solvency"), &json!(2)));
    let file = report["file"].as_str().expect("a file");
    let (status, _, bytes) = page.bytes("GET", &format!("/v1/files/{file}"), "", "");
    assert_eq!((status, bytes == scratch.read("one.report")), (200, true), "byte by byte");
    assert_eq!(report["command"], "ccc verify --deployment deployment.json -");
    // against what the reader has, and not against what the page says
    let verified = |own: &Deployment| {
        scratch.write("own.json", serde_json::to_vec(own).expect("JSON"));
        at_home_with(&scratch, "verify --deployment own.json -", &bytes)
    };
    assert_eq!(verified(&deployment), 0);
    let mut other = deployment.clone();
    other.signers.addresses.iter_mut().for_each(|signer| signer.0[0] ^= 1);
    assert_ne!(verified(&other), 0, "signers of somebody else's");
    delivered_elsewhere(&served, &scratch, &deployment);
    let known = page.get("/v1/reports");
    let seen = (0..50).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        let listed = page.get("/v1/transactions");
        listed["transactions"]
            .as_array()
            .is_some_and(|sent| sent.iter().filter(|sent| sent["call"] == "report").count() == 3)
    });
    assert!(seen, "{}", page.get("/v1/transactions"));
    assert_eq!(page.get("/v1/reports"), known, "nobody took it there");
    assert_eq!(known["reports"].as_array().map(Vec::len), Some(1));
    drop(served);
    let trouble = (0..60).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        page.get("/v1/status")["status"]["trouble"] == "the chain cannot be read"
    });
    assert!(trouble, "a node that is gone is told");
}

#[test]
fn the_desk_stops_an_agent_and_takes_what_a_person_signed() {
    let scratch = Scratch::new();
    let made = scratch.done("--json agent approver --out alice.key").json();
    let other = scratch.done("--json agent approver --out bob.key").json();
    let key = |made: &Value| made["public"].as_str().expect("a key").to_owned();
    let persons = format!(
        "[approval]\nabove = 10\npersons = 2\n[approval.keys]\nalice = '{}'\nbob = '{}'\n",
        key(&made),
        key(&other)
    );
    scratch.write("agent.toml", format!("{}{persons}", plain_policy()));
    let action = planned(&scratch);
    let approve = "--journal agent.journal --policy agent.toml --key alice.key --out alice.json";
    scratch.done(&format!("agent approve {action} {approve}"));
    std::fs::create_dir(scratch.path("approvals")).expect("made");
    let flags = "--operator-token-file token --agent-policy agent.toml --agent-journal agent.journal --agent-approvals approvals";
    let page = Page::start(&scratch, flags);
    assert_eq!(mode(&scratch.path("token")), 0o600, "made for its owner alone");
    let cookie = page.signed_in(&String::from_utf8(scratch.read("token")).expect("text"));
    let (status, journal) = page.ask("GET", "/v1/operator/journal", &cookie, &Value::Null);
    assert_eq!(
        (status, &journal["lines"], &journal["entries"][0]["what"]["entry"]),
        (200, &json!(1), &json!("decided"))
    );

    for halted in [true, false] {
        let (status, found) = page.ask("POST", "/v1/operator/halt", &cookie, &json!({ "halted": halted }));
        assert_eq!((status, &found["halted"]), (200, &json!(halted)));
        assert_eq!(scratch.path("stop").exists(), halted, "the agent's own kill switch");
    }
    let genuine: Value = serde_json::from_slice(&scratch.read("alice.json")).expect("an approval");
    let with = |field: &str, value: Value| {
        let mut bent = genuine.clone();
        bent[field] = value;
        page.ask("POST", "/v1/operator/approvals", &cookie, &bent)
    };
    let (status, refused) = with("name", json!("bob"));
    assert_eq!((status, &refused["refused"]), (422, &json!("no person of the policy signed this approval")));
    let (status, refused) = with("action", json!(B256::repeat_byte(5)));
    assert!(status == 422 && refused["refused"].as_str().is_some_and(|text| text.contains("no plan in the journal")));
    assert_eq!(with("path", json!("../x")).0, 400);
    assert_eq!(std::fs::read_dir(scratch.path("approvals")).expect("a directory").count(), 0);
    assert_eq!(with("name", json!("alice")).0, 200);
    let lying: Vec<_> = std::fs::read_dir(scratch.path("approvals")).expect("a directory").flatten().collect();
    let [file] = &lying[..] else { panic!("{lying:?}") };
    let kept: Value = serde_json::from_slice(&std::fs::read(file.path()).expect("read")).expect("JSON");
    assert_eq!(kept, genuine);

    let mut journal = scratch.read("agent.journal");
    let last = journal.len() - 100;
    journal[last] ^= 1;
    scratch.write("agent.journal", journal);
    assert_eq!(page.ask("GET", "/v1/operator/journal", &cookie, &Value::Null).0, 422, "what was altered is not shown");
}

#[test]
fn what_is_not_served_is_told() {
    let scratch = Scratch::new();
    let refused = |flags: &str, code: &str| {
        let run = at_home(&scratch, &format!("--json serve {flags}"), &[]);
        assert_eq!((run.code, &run.json_error()["code"]), (2, &json!(code)), "{flags}: {}", run.stderr);
    };
    refused("--listen 0.0.0.0:0", "page-loopback");
    refused("--listen 127.0.0.1:0 --deployment none.json", "chain");
    refused("--listen 127.0.0.1:0 --webhook http://127.0.0.1:1/", "usage");
    refused("--listen 127.0.0.1:0 --agent-policy agent.toml", "usage");
    scratch.write_private("secret", "a-secret-of-enough-length\n");
    refused("--listen 127.0.0.1:0 --webhook https://example.org/ --webhook-secret-file secret", "webhook");
    scratch.write_private("short", "short\n");
    refused("--listen 127.0.0.1:0 --webhook http://localhost:1/ --webhook-secret-file short", "webhook");
    scratch.write_private("guessed", "0123456789012345678901234567890\n");
    refused("--listen 127.0.0.1:0 --operator-token-file guessed", "desk-token");
    scratch.write("open", "a token\n");
    set_mode(&scratch.path("open"), 0o644);
    refused("--listen 127.0.0.1:0 --operator-token-file open", "readable-secret");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    refused(&format!("--listen {}", taken.local_addr().expect("an address")), "port");
    let run = at_home(&scratch, "--json serve --listen 127.0.0.1:0 --seconds 1", &[]);
    assert_eq!((run.code, &run.json()["mode"]), (0, &json!("simulation")), "{}", run.stderr);
}
