//! A key generation and a refresh with a contract for a board, and the registry's entry beside them.

use super::{
    network::Served,
    support::{Run, circle::Circle},
};
use alloy::{eips::BlockId, primitives::Address};
use ccc_chain::{Chain, ConnectOptions, Wallet, handover};
use ccc_core::keys::Committee;

const GENESIS: u64 = 1_760_000_000;

/// Four participants with accounts on a served chain.
struct OnChain {
    circle: Circle,
    served: Served,
    chain: Chain,
    runtime: tokio::runtime::Runtime,
}

fn key(i: u16) -> [u8; 32] {
    [30 + u8::try_from(i).expect("few"); 32]
}

fn account(i: u16) -> Address {
    Wallet::from_key(&key(i)).expect("a key").address()
}

fn accounts() -> String {
    (1..=4).map(|i| account(i).to_string()).collect::<Vec<_>>().join(",")
}

impl OnChain {
    fn new() -> Self {
        let circle = Circle::new(4);
        let served = Served::start(&format!("--for 120 --genesis-time {GENESIS}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let chain = runtime.block_on(Chain::connect(&served.url, &ConnectOptions::default())).expect("connected");
        for i in 1..=5 {
            circle.scratch.write_private(&format!("w{i}"), &hex::encode(key(i)));
            runtime.block_on(chain.fund(account(i))).expect("funded");
        }
        Self { circle, served, chain, runtime }
    }

    fn flags(&self, i: u16) -> String {
        format!("--rpc-url {} --private-key-file w{i}", self.served.url)
    }

    /// Makes a session on the chain, and gives its board.
    fn session(&self, flags: &str, out: &str) -> String {
        self.session_for(&accounts(), flags, out)
    }

    fn session_for(&self, accounts: &str, flags: &str, out: &str) -> String {
        let chain = self.flags(1);
        let run = self.circle.done(&format!(
            "--json keygen session --round-seconds 600 --accounts {accounts} {chain} {flags} --out {out}"
        ));
        run.json()["ceremony"]["board"].as_str().expect("a board").to_owned()
    }

    fn dkg(&self, i: u16, board: &str) -> String {
        format!(
            "--json --no-passphrase keygen dkg --session s.json --keys k{i}.ccc --state s{i} --board {board} --out vault {}",
            self.flags(i)
        )
    }

    fn refresh(&self, i: u16, board: &str, registry: Address) -> String {
        format!("{} --registry {registry}", self.unnamed(i, board))
    }

    fn unnamed(&self, i: u16, board: &str) -> String {
        format!(
            "--json --no-passphrase refresh --session r.json --committee vault/committee.ccc --erase-old \
             --participant vault/participant-{i}.ccc --state r{i} --board {board} --out next {}",
            self.flags(i)
        )
    }

    /// Everybody runs once in each round, and the round ends.
    fn rounds(&self, file: &str, run: impl Fn(u16) -> String) {
        let text = String::from_utf8(self.circle.scratch.read(file)).expect("text");
        let session: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        for (place, round) in ["commit", "open", "complain", "confirm"].into_iter().enumerate() {
            for i in 1..=4 {
                let run = self.circle.ccc(&run(i));
                assert_eq!(
                    (run.code, &run.json()["waiting"]["round"]),
                    (1, &round.into()),
                    "{}{}",
                    run.stdout,
                    run.stderr
                );
            }
            let end = session["ceremony"]["ends"][place].as_u64().expect("a time");
            self.runtime.block_on(self.chain.advance_time(end + 1)).expect("later");
        }
    }

    fn committee(&self, path: &str) -> Committee {
        Committee::from_bytes(&self.circle.scratch.read(path)).expect("a committee")
    }

    fn registry(&self) -> Address {
        let accounts: Vec<_> = (1..=4).map(account).collect();
        let first = handover::entry(&self.committee("vault/committee.ccc"), &accounts).expect("an entry");
        let wallet = Wallet::from_key(&key(5)).expect("a key");
        self.runtime.block_on(handover::create(&self.chain, &wallet, first)).expect("a registry")
    }

    fn epoch(&self, registry: Address) -> u64 {
        let read = handover::in_office(&self.chain, registry, BlockId::latest());
        self.runtime.block_on(read).expect("read").epoch
    }
}

#[track_caller]
fn code(run: &Run, expected: &str) {
    assert_eq!((run.code, run.json_error()["code"].as_str()), (2, Some(expected)), "{}{}", run.stdout, run.stderr);
}

#[test]
fn n083_a_vault_is_made_and_refreshed_over_the_chain_and_the_old_share_outlasts_the_registrys_entry() {
    let on = OnChain::new();
    let board = on.session("k1.pub k2.pub k3.pub k4.pub", "s.json");
    on.rounds("s.json", |i| on.dkg(i, &board));
    for i in 1..=4 {
        on.circle.done(&on.dkg(i, &board));
    }
    on.circle.scratch.write("note", "sell 25");
    on.circle.done("encrypt --key vault/committee.ccc --out note.ccc note");

    let registry = on.registry();
    let same = on
        .session(&format!("--refresh --committee vault/committee.ccc --board {board} --registry {registry}"), "r.json");
    assert_eq!(same, board);
    code(&on.circle.ccc(&on.unnamed(1, &board)), "other-registry");
    code(&on.circle.ccc(&on.refresh(1, &board, account(1))), "other-registry");
    on.circle.done("keygen session --committee vault/committee.ccc --refresh --out files.json");
    let by_files = on.refresh(1, "board", registry).replace("r.json", "files.json");
    code(&on.circle.ccc(&by_files), "other-registry");
    assert!(!on.circle.scratch.path("r1").exists(), "nobody joined");
    on.rounds("r.json", |i| on.refresh(i, &board, registry));
    for i in 1..=2 {
        let run = on.circle.ccc(&on.refresh(i, &board, registry));
        assert_eq!((run.code, &run.json()["registry"]["final"]), (1, &false.into()), "{}{}", run.stdout, run.stderr);
        assert!(on.circle.scratch.path(&format!("vault/participant-{i}.ccc")).exists(), "the old share serves");
    }
    assert_eq!(on.epoch(registry), 1);
    assert_eq!(
        on.circle.ccc(&on.refresh(3, &board, registry)).code,
        1,
        "delivered, and not looked at in a final block"
    );
    assert_eq!(on.epoch(registry), 2);
    for i in 1..=4 {
        let run = on.circle.done(&on.refresh(i, &board, registry));
        assert_eq!(run.json()["registry"]["final"], true);
        assert!(!on.circle.scratch.path(&format!("vault/participant-{i}.ccc")).exists(), "erased");
    }
    let opened = on.circle.opens("next", "note.ccc", &[1, 2, 4]);
    assert_eq!((opened.code, opened.out.as_slice()), (0, &b"sell 25"[..]), "{}", opened.stderr);
}

/// The old participant 4 is silent; its place goes to somebody with another account, who deals nothing.
#[test]
fn n084_a_vault_goes_to_a_new_member_over_the_chain_without_the_one_that_is_silent() {
    let on = OnChain::new();
    on.circle.done("--no-passphrase keygen dealer -n 4 --out vault");
    on.circle.scratch.write("note", "sell 25");
    on.circle.done("encrypt --key vault/committee.ccc --out note.ccc note");
    let registry = on.registry();
    let newcomers = [1, 2, 3, 5].map(|i| account(i).to_string()).join(",");
    let flags = format!(
        "--committee vault/committee.ccc --dealers {} --registry {registry} k1.pub k2.pub k3.pub k4.pub",
        accounts()
    );
    let board = on.session_for(&newcomers, &flags, "r.json");
    let run = |i: u16| {
        let (own, account) =
            if i == 4 { (String::new(), 5) } else { (format!("--participant vault/participant-{i}.ccc"), i) };
        format!(
            "--json --no-passphrase reshare --session r.json --committee vault/committee.ccc --keys k{i}.ccc {own} \
             --state r{i} --board {board} --out next {}",
            on.flags(account)
        )
    };
    on.rounds("r.json", run);
    let named = on.circle.ccc(&run(4));
    assert_eq!(
        (named.code, &named.json()["culprits"]),
        (1, &serde_json::json!(["dealer 4: silent"])),
        "{}",
        named.stdout
    );
    // the entry fails: what came of the rounds is told all the same, for no later run has it
    let failed = on.circle.ccc(&format!("{} --most-fee 0", run(1)));
    assert_eq!((failed.code, &failed.json()["culprits"]), (2, &serde_json::json!(["dealer 4: silent"])));
    assert_eq!(failed.json()["finished"], false);
    for i in 1..=3 {
        assert_eq!(on.circle.ccc(&run(i)).code, 1, "{i} signs, and the third delivers");
    }
    assert_eq!(on.epoch(registry), 2);
    (1..=4).for_each(|i| drop(on.circle.done(&run(i))));
    let opened = on.circle.opens("next", "note.ccc", &[1, 2, 4]);
    assert_eq!((opened.code, opened.out.as_slice()), (0, &b"sell 25"[..]), "{}", opened.stderr);
}

#[test]
fn n022_another_board_chain_account_or_state_is_refused_with_a_reason() {
    let on = OnChain::new();
    let board = on.session("k1.pub k2.pub k3.pub k4.pub", "s.json");
    let dkg = |i: u16, board: &str| on.circle.ccc(&on.dkg(i, board));
    code(&dkg(1, "board"), "other-board");
    code(&dkg(1, &account(1).to_string()), "other-board");
    code(&on.circle.ccc(&on.dkg(1, &board).replace("w1", "w2")), "other-account");
    code(&on.circle.ccc(&format!("{} --close", on.dkg(1, &board))), "close");
    let text = String::from_utf8(on.circle.scratch.read("s.json")).expect("text");
    on.circle.scratch.write("other.json", text.replace("\"chain_id\": 31337", "\"chain_id\": 5"));
    code(&on.circle.ccc(&on.dkg(1, &board).replace("s.json", "other.json")), "session");
    let other = Served::start("--for 60 --chain-id 5");
    code(&on.circle.ccc(&on.dkg(1, &board).replace(&on.served.url, &other.url)), "other-chain");
    drop(other);
    let twin = Served::start("--for 60");
    code(&on.circle.ccc(&on.dkg(1, &board).replace(&on.served.url, &twin.url)), "board");
    assert!(!on.circle.scratch.path("s1").exists(), "nobody joined");

    assert_eq!(dkg(1, &board).json()["sent"], serde_json::json!(["commit"]));
    assert_eq!(dkg(1, &board).json()["sent"], serde_json::json!([]), "what is there is not sent again");
    std::fs::remove_file(on.circle.scratch.path("s1")).expect("removed");
    code(&dkg(1, &board), "state-lost");
    on.circle.done("keygen session --out files.json k1.pub k2.pub k3.pub k4.pub");
    code(&on.circle.ccc(&on.dkg(1, &board).replace("s.json", "files.json")), "other-board");
    let few = format!(
        "--json keygen session --round-seconds 600 --accounts {} {} k1.pub k2.pub --out few.json",
        account(1),
        on.flags(1)
    );
    code(&on.circle.ccc(&few), "session");
    assert!(!on.circle.scratch.path("few.json").exists());
}
