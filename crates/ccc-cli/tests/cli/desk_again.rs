//! A desk whose node's answer is lost, or whose money does not reach: nothing is submitted twice, nothing is half done.

use super::desk::{Desk, id_of, on, wallet};
use alloy::{
    eips::BlockId,
    primitives::{Address, U256},
    providers::Provider,
};
use ccc_chain::{Actions, Wallet, calls, read};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
};

const DEPOSIT: &str = "deposit --asset base --amount 5000";

/// What happens to the transaction that a proxy is to lose.
#[derive(Clone, Copy, PartialEq)]
enum Loses {
    /// It reaches the node, its answer is lost, and the node answers nothing any more.
    Answers,
    /// It reaches the node and its answer is lost.
    OneAnswer,
    /// It never reaches the node, which answers nothing any more.
    Requests,
}

/// A node in front of `url` that loses the second transaction: after an approval the deposit.
fn proxy(url: &str, loses: Loses) -> String {
    let upstream = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let mut sent = 0;
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let Some(body) = body_of(&stream) else { continue };
            if String::from_utf8_lossy(&body).contains("eth_sendRawTransaction") {
                sent += 1;
            }
            let lost = sent == 2;
            if lost && loses == Loses::Requests {
                return;
            }
            let answer = asked(&upstream, &body);
            if lost {
                sent += 1;
                if loses == Loses::Answers {
                    return;
                }
            } else {
                stream.write_all(&answer).expect("answered");
            }
        }
    });
    format!("http://{address}")
}

fn body_of(stream: &TcpStream) -> Option<Vec<u8>> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        if let Some(found) = line.to_lowercase().strip_prefix("content-length:") {
            length = found.trim().parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

fn asked(upstream: &str, body: &[u8]) -> Vec<u8> {
    let mut node = TcpStream::connect(upstream).expect("the node");
    let head = format!(
        "POST / HTTP/1.1\r\nHost: {upstream}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    node.write_all(head.as_bytes()).expect("asked");
    node.write_all(body).expect("asked");
    let mut answer = Vec::new();
    node.read_to_end(&mut answer).expect("an answer");
    answer
}

/// What standard error told, line by line.
fn lines(stderr: &str) -> Vec<Value> {
    stderr.lines().map(|line| serde_json::from_str(line).expect("an object")).collect()
}

#[test]
fn an_answer_that_is_lost_leads_to_no_second_deposit() {
    for loses in [Loses::Answers, Loses::Requests] {
        let desk = Desk::new();
        let run = desk.ccc(&format!("{DEPOSIT} --rpc-url {}", proxy(&desk.served.url, loses)));
        let told = lines(&run.stderr);
        assert_eq!((run.code, told.len()), (2, 3), "{}", run.stderr);
        let (sending, error) = (&told[1]["sending"], &told[2]);
        assert_eq!((&sending["what"], &error["code"]), (&"the deposit".into(), &"perhaps-sent".into()));
        assert_eq!(told[0]["sending"]["salt"], sending["salt"], "known before the approval");
        let (id, salt) = (id_of(sending), sending["salt"].as_str().expect("a salt"));
        for part in [&id, salt, sending["transaction"].as_str().expect("a hash")] {
            assert!(error["error"].as_str().expect("text").contains(part), "{error}");
        }
        let came = loses == Loses::Answers;
        assert_eq!(desk.tokens_of(desk.deployment.pool), if came { U256::from(5000) } else { U256::ZERO });
        let again = desk.done(&format!("{DEPOSIT} --salt {salt}"));
        assert_eq!((id_of(&again), again["there"] == true), (id, came), "{again}");
        desk.done(&format!("{DEPOSIT} --salt {salt}"));
        assert_eq!(desk.tokens_of(desk.deployment.pool), U256::from(5000), "deposited once");
        desk.refused(&format!("deposit --asset base --amount 4000 --salt {salt}"), "other-submission");
        desk.refused(&format!("order new --size 4000 --spread 50 --salt {salt}"), "other-submission");
    }
}

#[test]
fn a_deposit_whose_answer_alone_is_lost_is_found() {
    let desk = Desk::new();
    let found = desk.done(&format!("{DEPOSIT} --rpc-url {}", proxy(&desk.served.url, Loses::OneAnswer)));
    assert_eq!((&found["sent"], &found["there"]), (&true.into(), &true.into()), "{found}");
    assert_eq!(desk.tokens_of(desk.deployment.pool), U256::from(5000));
    let sent = desk.done("order new --size 4000 --spread 50");
    let salt = sent["salt"].as_str().expect("a salt");
    let again = desk.done(&format!("order new --size 4000 --spread 50 --salt {salt}"));
    assert_eq!((id_of(&again), &again["there"]), (id_of(&sent), &true.into()));
    assert_eq!(again["expiry"], sent["expiry"], "what was sealed then");
}

#[test]
fn no_approval_is_spent_where_the_deposit_cannot_be_paid_for() {
    let desk = Desk::new();
    desk.scratch.write_private("poor.key", &format!("{}\n", "07".repeat(32)));
    let poor = Wallet::from_key(&[7; 32]).expect("a key").address();
    let (pool, token) = (desk.deployment.pool, desk.deployment.tokens[0].address);
    let fee = on(async {
        let chain = desk.chain().await;
        let actions = Actions::new(&chain, &desk.deployment);
        actions.mint(&wallet(), 0, poor, U256::from(5000)).await.expect("minted");
        chain.provider().estimate_eip1559_fees().await.expect("fees").max_fee_per_gas
    });
    desk.ask("anvil_setBalance", json!([poor, U256::from(fee) * U256::from(100_000)]));
    desk.refused(&format!("{DEPOSIT} --private-key-file poor.key"), "no-gas");
    assert_eq!(allowed(&desk, token, poor, pool), U256::ZERO);
}

fn allowed(desk: &Desk, token: Address, owner: Address, spender: Address) -> U256 {
    on(async {
        let chain = desk.chain().await;
        read::allowance(&chain, token, owner, spender, BlockId::latest()).await.expect("an allowance")
    })
}

/// Some tokens let no allowance change into another one.
#[test]
fn an_allowance_that_is_too_small_ends_first() {
    let desk = Desk::new();
    let (pool, token) = (desk.deployment.pool, desk.deployment.tokens[0].address);
    on(async {
        let chain = desk.chain().await;
        chain.send(&wallet(), calls::approve(token, pool, U256::from(1000))).await.expect("approved");
    });
    let done = desk.done(DEPOSIT);
    let names: Vec<_> =
        done["transactions"].as_array().expect("a list").iter().map(|one| one["what"].clone()).collect();
    assert_eq!(names, ["the end of an approval", "the approval", "the deposit"]);
    assert_eq!(allowed(&desk, token, wallet().address(), pool), U256::ZERO);
}

#[test]
fn a_deposit_that_no_round_took_in_time_is_its_payers() {
    let desk = Desk::new();
    let late = id_of(&desk.done(DEPOSIT));
    let month = 30 * 24 * 3_600;
    desk.ask("evm_increaseTime", json!([month + 60]));
    assert_eq!(desk.state(&late), ("expiring".to_owned(), false));
    desk.passes(3_700);
    let run = desk.ccc(&format!("order status {late}"));
    assert_eq!((run.code, &run.json()["state"]), (1, &"expired".into()));
    assert_eq!(run.json()["credits"], wallet().address().to_string());
    desk.close(&desk.first_version(), 1);
    let taken = desk.done(&format!("order status {late}"));
    assert_eq!((&taken["state"], &taken["late"]), (&"taken".into(), &true.into()), "{taken}");
    assert_eq!(taken["credits"], wallet().address().to_string());
}
