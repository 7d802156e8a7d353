//! A node behind TLS: who vouches for it, from the command line to the chain.

use super::{
    desk::{Desk, on},
    network::{Served, at_home, with_key},
    support::{Run, Scratch},
    tls::{AUTHORITY, ELSEWHERE, EXPIRED, Front, NODE, STRANGER},
};
use serde_json::Value;
use std::{future, sync::mpsc, thread};

const SCENARIO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/scenarios/large-deficit.toml");

/// A served chain behind TLS, and what the command needs to reach it.
struct Behind {
    served: Served,
    scratch: Scratch,
}

impl Behind {
    fn new() -> Self {
        let scratch = with_key();
        scratch.write("authority.pem", AUTHORITY);
        scratch.write("stranger.pem", STRANGER);
        scratch.write("none.pem", "nobody\n");
        Self { served: Served::start("--for 120"), scratch }
    }

    fn front(&self, certificate: &'static [u8]) -> u16 {
        front(&self.served.url, certificate, None)
    }

    fn ccc(&self, arguments: &str) -> Run {
        at_home(&self.scratch, arguments, &[])
    }

    #[track_caller]
    fn refused(&self, arguments: &str, code: &str, sentence: &str, hint: &str) {
        let run = self.ccc(&format!("status --deployment d.json {arguments}"));
        run.fails(2, sentence);
        assert!(run.stderr.contains(hint), "{}", run.stderr);
        let object = self.ccc(&format!("--json status --deployment d.json {arguments}")).json_error();
        assert_eq!(object["code"], code, "{object}");
    }
}

/// The port of TLS with this certificate before a chain, which lasts as long as the test's process; one answer to the method is
/// spoilt on the way.
fn front(url: &str, certificate: &'static [u8], spoilt: Option<&'static str>) -> u16 {
    let behind = url.trim_start_matches("http://").parse().expect("an address");
    let (told, port) = mpsc::channel();
    thread::spawn(move || {
        on(async {
            let front = Front::before(behind, certificate).await;
            if let Some(method) = spoilt {
                front.spoil(method, 1);
            }
            told.send(front.port).expect("heard");
            future::pending::<()>().await;
        });
    });
    port.recv().expect("a port")
}

/// The node has the approval, and what broke is no certificate: who is told `tls` would send it again.
#[test]
fn an_approval_whose_answer_breaks_in_tls_may_have_been_sent() {
    let desk = Desk::new();
    desk.scratch.write("authority.pem", AUTHORITY);
    let port = front(&desk.served.url, NODE, Some("eth_sendRawTransaction"));
    let node = format!("--rpc-url https://localhost:{port} --rpc-ca authority.pem");
    let run = desk.ccc(&format!("deposit --asset base --amount 5000 {node}"));
    let told: Vec<Value> = run.stderr.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    let (sending, error) = (&told[0]["sending"], told.last().expect("an error"));
    assert_eq!((run.code, &error["code"]), (2, &"perhaps-sent".into()), "{}", run.stderr);
    let transaction = sending["transaction"].as_str().expect("a hash");
    assert!(error["error"].as_str().expect("text").contains(transaction), "{error}");
    let sent = desk.done("deposit --asset base --amount 5000");
    assert_eq!(sent["transactions"].as_array().map(Vec::len), Some(1), "the approval was there: {sent}");
}

#[test]
fn a_pool_is_deployed_and_read_through_tls() {
    let behind = Behind::new();
    let front = behind.front(NODE);
    let node = format!("--rpc-url https://localhost:{front} --rpc-ca authority.pem");
    let run = behind.ccc(&format!("deploy {node} --private-key-file key --out d.json"));
    assert_eq!(run.code, 0, "{}", run.stderr);
    let run = behind.ccc(&format!("status --deployment d.json {node}"));
    assert!(run.code == 1 && run.stdout.contains("the pool is open"), "{}{}", run.stdout, run.stderr);
    // the file's path counts from its directory, and the variable stands before it
    behind.scratch.write("c.toml", format!("rpc_url = \"https://127.0.0.1:{front}\"\nrpc_ca = \"authority.pem\"\n"));
    let run = behind.ccc("--json doctor --config c.toml --deployment d.json");
    assert!(run.stdout.contains("answers for chain 31337"), "{}", run.stdout);
    let variables = [("CCC_RPC_CA", "stranger.pem")];
    let run = at_home(&behind.scratch, "doctor --config c.toml --deployment d.json", &variables);
    assert!(run.code == 1 && run.stdout.contains("no trusted authority signed"), "{}", run.stdout);
    // without a file the system's authorities count, which on Unix a variable says
    let status = format!("status --deployment d.json --rpc-url https://localhost:{front}");
    let by_the_system = |file: &str| at_home(&behind.scratch, &status, &[("SSL_CERT_FILE", file)]);
    let run = by_the_system("authority.pem");
    assert!(run.code == 1 && run.stdout.contains("the pool is open"), "{}{}", run.stdout, run.stderr);
    by_the_system("stranger.pem").fails(2, "no trusted authority signed the node's certificate");
    // a recovery tells it alike
    let recover = format!("recover --rpc-url https://localhost:{front} --scenario {SCENARIO}");
    let run = at_home(&behind.scratch, &format!("--json {recover}"), &[("SSL_CERT_FILE", "stranger.pem")]);
    assert_eq!(run.json_error()["code"], "tls", "{}", run.stderr);
    // and takes its authorities from a file, which stand in the place of the system's
    let named = |file: &str| {
        let system = [("SSL_CERT_FILE", "stranger.pem")];
        at_home(&behind.scratch, &format!("--json {recover} --rpc-ca {file} --seed 5"), &system)
    };
    assert_eq!(named("stranger.pem").json_error()["code"], "tls");
    assert_eq!(named("none.pem").json_error()["code"], "rpc-ca");
    let healed = named("authority.pem");
    assert_eq!((healed.code, &healed.json()["final_status"]), (0, &"solvent".into()), "{}", healed.stderr);
    let plain = format!("recover --rpc-url {} --rpc-ca authority.pem", behind.served.url);
    behind.ccc(&plain).fails(2, "the node's address is not https://");
}

#[test]
fn who_is_not_the_node_is_refused_with_a_hint() {
    let behind = Behind::new();
    let flags = format!("--rpc-url {} --private-key-file key", behind.served.url);
    assert_eq!(behind.ccc(&format!("deploy {flags} --out d.json")).code, 0);
    let front = behind.front(NODE);
    let url = format!("--rpc-url https://localhost:{front}/v3/0123456789abcdef");
    let strange = format!("{url} --rpc-ca stranger.pem");
    behind.refused(&strange, "tls", "no trusted authority signed the node's certificate", "--rpc-ca");
    let run = behind.ccc(&format!("status --deployment d.json {strange}"));
    assert!(!run.stderr.contains("0123456789abcdef"), "{}", run.stderr);
    behind.refused(
        &format!("{url} --rpc-ca none.pem"),
        "rpc-ca",
        "none.pem: no file of certificate authorities",
        "PEM",
    );
    behind.refused(&format!("{url} --rpc-ca gone.pem"), "rpc-ca", "gone.pem", "PEM");
    let plain = format!("--rpc-url {} --rpc-ca authority.pem", behind.served.url);
    behind.refused(&plain, "rpc-ca", "the node's address is not https://", "https://");
    let elsewhere = behind.front(ELSEWHERE);
    let url = format!("--rpc-url https://localhost:{elsewhere} --rpc-ca authority.pem");
    behind.refused(&url, "tls", "not for localhost", "a name of its certificate");
    let expired = behind.front(EXPIRED);
    let url = format!("--rpc-url https://localhost:{expired} --rpc-ca authority.pem");
    behind.refused(&url, "tls", "expired at 1609459200", "clock");
}
