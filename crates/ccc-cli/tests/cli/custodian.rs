//! `ccc custodian`: a statement over loopback HTTP, for the token's bearer alone.

use super::support::{Scratch, now};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

/// A server that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn statement() -> String {
    format!(r#"{{"account":"a","unit":"satoshi","time":{},"reserves":11,"liabilities":12}}"#, now())
}

fn get(address: &str, token: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("connected");
    let request = format!(
        "GET /v1/statement HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("received");
    answer
}

/// Starts the server in a directory that holds `statement.json` and `token`, and reads its URL.
fn serve(scratch: &Scratch) -> (Server, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ccc"))
        .args(["custodian", "--statement", "statement.json", "--token-file", "token"])
        .current_dir(scratch.path("."))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    let stdout = child.stdout.take().expect("a pipe");
    let server = Server(child);
    let mut url = String::new();
    BufReader::new(stdout).read_line(&mut url).expect("a line");
    (server, url.trim().to_owned())
}

#[test]
fn a_statement_is_served_to_its_token() {
    let scratch = Scratch::new();
    scratch.write("statement.json", statement());
    scratch.write_private("token", "a-token\n");
    let (_server, url) = serve(&scratch);
    let address = url.strip_prefix("http://").and_then(|rest| rest.split('/').next()).expect("an address");
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    assert!(get(address, "a-token").contains("\"reserves\":11"));
    assert!(get(address, "other").starts_with("HTTP/1.1 401"));
}

#[test]
fn a_recovery_asks_the_custodian_that_it_is_given() {
    let scratch = Scratch::new();
    let time = now() - 10;
    let text = format!(
        r#"{{"account":"a","unit":"satoshi","time":{time},"reserves":1185600000000,"liabilities":1248000000000}}"#
    );
    scratch.write("statement.json", text);
    scratch.write_private("token", "a-token\n");
    scratch.write_private("wrong", "another\n");
    let (server, url) = serve(&scratch);
    let recover = |token: &str| {
        scratch
            .ccc(&format!("recover --participants 4 --makers 8 --custodian-url {url} --custodian-token-file {token}"))
    };
    let run = recover("token");
    assert_eq!(run.code, 0, "{}", run.stderr);
    recover("wrong").fails(2, "status 401");
    drop(server);
    recover("token").fails(2, "asking the custodian");
}

#[test]
fn what_is_no_statement_or_no_token_is_not_served() {
    let scratch = Scratch::new();
    scratch.write("statement.json", "{}");
    scratch.write_private("token", "a-token\n");
    scratch.ccc("custodian --statement statement.json --token-file token").fails(2, "not a statement");
    scratch.write("statement.json", statement());
    scratch.write_private("empty", "\n");
    scratch.ccc("custodian --statement statement.json --token-file empty").fails(2, "token of visible ASCII");
    scratch.write("readable", "a-token\n");
    super::support::set_mode(&scratch.path("readable"), 0o644);
    scratch.ccc("custodian --statement statement.json --token-file readable").fails(2, "mode 0644");
}
