//! A node behind TLS: who vouches for it, from the command line to the chain.

use super::{
    desk::on,
    network::{Served, at_home, with_key},
    support::{Run, Scratch},
    tls::{AUTHORITY, ELSEWHERE, EXPIRED, Front, NODE, STRANGER},
};
use std::{future, sync::mpsc, thread};

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

    /// The port of TLS with this certificate before the chain, which lasts as long as the test's process.
    fn front(&self, certificate: &'static [u8]) -> u16 {
        let behind = self.served.url.trim_start_matches("http://").parse().expect("an address");
        let (told, port) = mpsc::channel();
        thread::spawn(move || {
            on(async {
                let front = Front::before(behind, certificate).await;
                told.send(front.port).expect("heard");
                future::pending::<()>().await;
            });
        });
        port.recv().expect("a port")
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
