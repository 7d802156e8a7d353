//! The agent in a shell: its policy, its persons, a dry run, a swap that refills the reserve, its journal.

use super::{
    network::{Served, at_home, with_key, write_solvency},
    support::{Run, Scratch},
};
use alloy::{
    eips::BlockId,
    primitives::{Address, B256, U256},
    providers::Provider,
};
use ccc_agent::{
    journal::Journal,
    plan::{Action, Entry, Event, Item, item_digest},
    policy::Policy,
};
use ccc_chain::{Actions, Chain, ConnectOptions, Deployment, Wallet, read, swap::Venue};
use ccc_core::report::{Solvency, Verdict};
use ccc_enclave::agent::{Notice, envelope_digest};
use rand::{SeedableRng, rngs::StdRng};
use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const COIN: u64 = 100_000_000;
const MILLION: u64 = 1_000_000;

fn on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn agent() -> Wallet {
    Wallet::from_key(&[3; 32]).expect("a key")
}

/// A served chain with contracts, a market, an agent with dollars, and its policy.
struct Desk {
    scratch: Scratch,
    served: Served,
    deployment: Deployment,
}

impl Desk {
    fn new() -> Self {
        let scratch = with_key();
        let served = Served::start("--for 900");
        scratch.done("--no-passphrase keygen dkg -n 4 --out keys");
        scratch.done("--no-passphrase keygen agent --out agent.ccc");
        let public = String::from_utf8(scratch.read("agent.pub")).expect("text");
        let plan = at_home(&scratch, "deploy --print-plan", &[]).stdout;
        let known = "0x000000000000000000000000000000000000000000000000000000000000a9e7";
        scratch.write("plan.toml", plan.replace(known, &format!("0x{}", public.trim())));
        let flags = format!("--rpc-url {} --private-key-file key", served.url);
        let deploy = format!("deploy {flags} --plan plan.toml --committee keys/committee.ccc --out d.json");
        let deployed = at_home(&scratch, &deploy, &[]);
        assert_eq!(deployed.code, 0, "{}", deployed.stderr);
        let place = format!("swap place {flags} --deployment d.json --out venue.json");
        assert_eq!(at_home(&scratch, &place, &[]).code, 0);
        let deployment: Deployment = serde_json::from_slice(&scratch.read("d.json")).expect("a deployment");
        scratch.write_private("agent.key", &format!("{}\n", "03".repeat(32)));
        std::fs::create_dir(scratch.path("checks")).expect("made");
        let desk = Self { scratch, served, deployment };
        on(desk.prepare());
        desk.scratch.write("agent.toml", desk.policy());
        desk
    }

    async fn chain(&self) -> Chain {
        Chain::connect(&self.served.url, &ConnectOptions::default()).await.expect("connected")
    }

    /// Dollars and gas for the agent; a price in the feed and a memory of prices in the market.
    async fn prepare(&self) {
        let chain = self.chain().await;
        let actions = Actions::new(&chain, &self.deployment);
        chain.fund(agent().address()).await.expect("funded");
        let dollars = U256::from(MILLION * MILLION);
        actions.mint(&agent(), 1, agent().address(), dollars).await.expect("minted");
        let now = chain.block(BlockId::latest()).await.expect("a block").time;
        chain.advance_time(now + 700).await.expect("moved");
        let owner = self.scratch.read("key");
        let owner = String::from_utf8(owner).expect("text");
        let mut key = [0; 32];
        hex::decode_to_slice(owner.trim().trim_start_matches("0x"), &mut key).expect("digits");
        let owner = Wallet::from_key(&key).expect("a key");
        // what the market's depths say: 100 million dollars for 1,666.7 coins
        actions.push_price(&owner, 60_000 * i128::from(COIN), now + 690).await.expect("pushed");
    }

    fn policy(&self) -> String {
        let venue: Venue = serde_json::from_slice(&self.scratch.read("venue.json")).expect("a market");
        let Deployment { attestation, pool, reserve, tokens, chain_id, .. } = &self.deployment;
        format!(
            "chain_id = {chain_id}\ndepth = 0\nkill_switch = 'agent.stop'\n\
             [contracts]\nattestation = '{attestation}'\npool = '{pool}'\nreserve = '{reserve}'\nquote = '{}'\n\
             base = '{}'\nbase_decimals = 8\n\
             [contracts.exchange]\nfactory = '{}'\nrouter = '{}'\nquoter = '{}'\npool = '{}'\n\
             fee = 3000\n[route]\nprice = 100000\n\
             [limits]\nper_action = 500000\nper_day = 1000000\ncooldown = 0\nattempts = 3\nrequests_per_day = 2\n\
             gas_price = 500\n",
            tokens[1].address,
            tokens[0].address,
            Address::repeat_byte(9),
            venue.router,
            venue.quoter,
            venue.pool
        )
    }

    /// A reserve check that found so many coins missing.
    fn check(&self, deficit: u64) {
        let block = on(async { self.chain().await.finalised_block().await.expect("a block") });
        let notice = Notice { status: 2, deficit, expiry: block.time + 3_000, request: [6; 32], buffer: 0 };
        let attestation = self.deployment.attestation.0.0;
        let mut rng = StdRng::seed_from_u64(1);
        let key = self.deployment.agent_key.0;
        let envelope = notice.seal(&key, self.deployment.chain_id, &attestation, &mut rng).expect("sealed");
        let solvency = Solvency {
            verdict: Verdict::Insolvent,
            block: block.number,
            block_time: block.time,
            header_hash: [7; 32],
            envelope_digest: envelope_digest(&envelope),
        };
        write_solvency(&self.scratch, "checks/one.report", &self.deployment, (1, block.time + 600), solvency);
        self.scratch.write("checks/one.envelope", envelope);
        let submit = format!(
            "report submit checks/one.report --deployment d.json --rpc-url {} --private-key-file key",
            self.served.url
        );
        let sent = at_home(&self.scratch, &submit, &[]);
        assert_eq!(sent.code, 0, "{}", sent.stderr);
    }

    fn line(&self, more: &str) -> String {
        format!(
            "--no-passphrase agent run --policy agent.toml --envelopes checks --agent-key agent.ccc --committee keys/committee.ccc \
             --deployment d.json --rpc-url {} --private-key-file agent.key --journal agent.journal {more}",
            self.served.url
        )
    }

    fn run(&self, more: &str) -> Run {
        at_home(&self.scratch, &self.line(&format!("--once {more}")), &[])
    }

    fn journal(&self) -> String {
        let bytes = std::fs::read(self.scratch.path("agent.journal")).unwrap_or_default();
        String::from_utf8(bytes).expect("text")
    }

    /// An agent that goes on by itself, killed when its journal has grown by two lines: its beginning, and one step.
    fn killed(&self) {
        let lines = || self.journal().lines().count();
        let (before, started) = (lines(), Instant::now());
        let mut command = Command::new(env!("CARGO_BIN_EXE_ccc"));
        command.current_dir(self.scratch.path("")).args(self.line("--execute --every 1").split_whitespace());
        command.env("HOME", self.scratch.path(".")).env("XDG_CONFIG_HOME", self.scratch.path("."));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        while lines() < before + 2 && started.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().expect("killed");
        child.wait().expect("waited for");
    }

    fn reserve(&self) -> U256 {
        on(async {
            let (token, reserve) = (self.deployment.tokens[0].address, self.deployment.reserve);
            read::token_balance(&self.chain().await, token, reserve, BlockId::latest()).await.expect("a balance")
        })
    }

    fn height(&self) -> u64 {
        on(async { self.chain().await.provider().get_block_number().await.expect("a number") })
    }
}

#[test]
fn a_check_is_answered_by_a_swap_and_only_with_execute() {
    let desk = Desk::new();
    let idle = desk.run("");
    assert_eq!((idle.code, idle.stdout.as_str()), (0, "waits: nothing is to be done\n"), "{}", idle.stderr);
    desk.check(COIN);
    let height = desk.height();
    let dry = desk.run("");
    assert_eq!(dry.code, 0, "{}", dry.stderr);
    assert!(dry.stdout.contains("did: direct: all of it comes for less than $50000000.00"), "{}", dry.stdout);
    assert!(dry.stdout.contains("would: event 1: let the router take"), "{}", dry.stdout);
    assert!(dry.stderr.contains("a dry run: nothing is sent"), "{}", dry.stderr);
    assert_eq!((desk.height(), desk.scratch.path("agent.journal").exists()), (height, false), "nothing was sent");

    desk.scratch.write("agent.stop", "");
    let stopped = desk.run("--execute");
    assert_eq!((stopped.code, stopped.stdout.as_str()), (1, "waits: the kill switch is there: nothing is sent\n"));
    std::fs::remove_file(desk.scratch.path("agent.stop")).expect("removed");
    let before = desk.reserve();
    let run = desk.run("--execute");
    assert_eq!(run.code, 0, "{} {}", run.stdout, run.stderr);
    let refilled = desk.reserve() - before;
    assert!(refilled >= U256::from(995 * COIN / 1_000), "{refilled}");
    assert_eq!(desk.run("--execute").code, 0);
    assert_eq!(desk.reserve() - before, refilled, "one check, one swap");

    let journal = desk.scratch.done("--json agent journal agent.journal").json();
    let entries: Vec<&str> = journal["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .filter_map(|line| line["what"]["entry"].as_str())
        .collect();
    let expected = ["began", "began", "decided", "intent", "landed", "intent", "landed", "began"];
    assert_eq!(entries, expected);
    assert_eq!(journal["open"], serde_json::Value::Null);
    let text = String::from_utf8(desk.scratch.read("agent.journal")).expect("text");
    desk.scratch.write("bent.journal", text.replacen("\"success\":true", "\"success\":false", 1));
    let bent = desk.scratch.ccc("--json agent journal bent.journal");
    assert_eq!((bent.code, &bent.json_error()["code"]), (2, &"agent-journal".into()));
}

/// Killed again and again in the middle of a refill: each run goes on where the one before ended, and in the end there is
/// one plan, one approval and one swap.
#[test]
fn an_agent_that_is_killed_at_every_step_swaps_once() {
    let desk = Desk::new();
    desk.check(COIN);
    let before = desk.reserve();
    let landed = || desk.journal().matches(r#""entry":"landed""#).count();
    let mut kills = 0;
    while landed() < 2 && kills < 12 {
        desk.killed();
        kills += 1;
    }
    assert!(kills >= 2, "it was killed in the middle");
    let run = desk.run("--execute");
    assert_eq!(run.code, 0, "{} {}", run.stdout, run.stderr);
    let refilled = desk.reserve() - before;
    assert!((U256::from(995 * COIN / 1_000)..U256::from(2 * COIN)).contains(&refilled), "{refilled}");
    let sent = on(async { desk.chain().await.provider().get_transaction_count(agent().address()).await });
    assert_eq!(sent.expect("a number"), 3, "its dollars, the approval, the swap");
    let journal = desk.scratch.done("--json agent journal agent.journal").json();
    let count = |name: &str| {
        let entries = journal["entries"].as_array().expect("entries");
        entries.iter().filter(|line| line["what"]["entry"] == name).count()
    };
    assert_eq!((count("decided"), count("intent"), count("landed"), count("refused")), (1, 2, 2, 0), "{journal}");
    assert_eq!(count("began"), kills + 1);
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let desk = Desk::new();
    let code = |run: &Run| (run.code, run.json_error()["code"].as_str().unwrap_or_default().to_owned());
    desk.scratch.done("--no-passphrase keygen agent --out other.ccc");
    assert_eq!(code(&desk.run("--json --agent-key other.ccc")).0, 2, "a flag twice");
    std::fs::rename(desk.scratch.path("agent.ccc"), desk.scratch.path("own.ccc")).expect("moved");
    std::fs::rename(desk.scratch.path("other.ccc"), desk.scratch.path("agent.ccc")).expect("moved");
    assert_eq!(code(&desk.run("--json")), (2, "agent-key".to_owned()));
    std::fs::rename(desk.scratch.path("own.ccc"), desk.scratch.path("agent.ccc")).expect("moved");
    let policy = desk.policy();
    let other = policy.replace(&desk.deployment.reserve.to_string(), &Address::repeat_byte(7).to_string());
    desk.scratch.write("agent.toml", other);
    let refused = desk.run("--json --execute");
    assert_eq!(code(&refused), (2, "agent-policy".to_owned()));
    assert!(
        refused.json_error()["error"].as_str().is_some_and(|text| text.contains("contracts.reserve")),
        "{}",
        refused.stderr
    );
    desk.scratch.write("agent.toml", policy);
    let check = desk.scratch.done("agent check-policy agent.toml --deployment d.json").stdout;
    assert!(
        check.contains("at most 500000 dollars an action and 1000000 a day") && check.contains("nobody approves"),
        "{check}"
    );
}

/// A journal with a plan for event 7, and the digest of its action under the policy of the scratch.
pub(super) fn planned(scratch: &Scratch) -> B256 {
    let text = String::from_utf8(scratch.read("agent.toml")).expect("text");
    let policy = Policy::parse(&text).expect("a policy");
    let event = Event {
        sequence: 7,
        block: 9,
        block_hash: B256::ZERO,
        transaction: B256::ZERO,
        log_index: 0,
        status: 2,
        about: 8,
        about_time: 80,
        envelope: B256::ZERO,
    };
    let item = Item { action: Action::Send { coins: 55 }, value: 20 * MILLION };
    let plan = Entry::Decided { event, items: vec![item], expiry: 100, words: Vec::new() };
    let mut journal = Journal::open(&scratch.path("agent.journal")).expect("begun");
    journal.write(90, plan).expect("written");
    item_digest((policy.chain_id, &policy.contracts.attestation), &event, 0, &item).into()
}

/// A policy without an exchange and without persons.
pub(super) fn plain_policy() -> String {
    let address = |byte: u8| Address::repeat_byte(byte);
    format!(
        "chain_id = 1\ndepth = 12\nkill_switch = 'stop'\n[contracts]\nattestation = '{}'\npool = '{}'\nreserve = '{}'\n\
         quote = '{}'\nbase = '{}'\nbase_decimals = 8\n[route]\nprice = 100000\n[limits]\nper_action = 100\nper_day = 200\ncooldown = 60\n\
         attempts = 3\nrequests_per_day = 2\ngas_price = 100\n",
        address(1),
        address(2),
        address(3),
        address(4),
        address(5)
    )
}

#[test]
fn policies_and_persons_are_checked_without_a_chain() {
    let scratch = Scratch::new();
    let policy = plain_policy();
    let keys: Vec<String> = ["alice", "bob"]
        .iter()
        .map(|name| {
            let made = scratch.done(&format!("--json agent approver --out {name}.key")).json();
            made["public"].as_str().expect("a key").to_owned()
        })
        .collect();
    let persons =
        format!("[approval]\nabove = 10\npersons = 2\n[approval.keys]\nalice = '{}'\nbob = '{}'\n", keys[0], keys[1]);
    scratch.write("agent.toml", format!("{policy}{persons}"));
    let words = scratch.done("agent check-policy agent.toml").stdout;
    assert!(words.contains("above 10 dollars 2 of 2 persons approve") && words.contains("no exchange"), "{words}");
    let action = planned(&scratch);
    let approve_it = |action: B256, key: &str, out: &str| {
        let files = format!("--journal agent.journal --policy agent.toml --key {key} --out {out}");
        scratch.ccc(&format!("--json agent approve {action} {files}"))
    };
    let approve = |key: &str, out: &str| approve_it(action, key, out);
    let unknown = approve_it(B256::repeat_byte(5), "alice.key", "alice.json");
    assert_eq!((unknown.code, &unknown.json_error()["code"]), (2, &"agent-action".into()), "{}", unknown.stderr);
    assert!(!scratch.path("alice.json").exists(), "what nobody can read is not signed");
    let made = approve("alice.key", "alice.json");
    assert_eq!((made.code, &made.json()["name"]), (0, &"alice".into()), "{}", made.stderr);
    assert_eq!((&made.json()["event"], &made.json()["item"]["coins"]), (&7.into(), &55.into()));
    assert_eq!(approve("alice.key", "alice.json").json_error()["code"], "exists");
    scratch.done("agent approver --out mallory.key");
    assert_eq!(approve("mallory.key", "mallory.json").json_error()["code"], "agent-policy");
    assert!(!scratch.path("mallory.json").exists());
    for (from, to, reason) in [
        ("persons = 2", "persons = 1", "approval.persons is 1, expected 2 to the number of keys"),
        ("per_action = 100", "per_action = 201", "limits.per_action is 201, expected 1 dollar to limits.per_day"),
        ("depth = 12", "depht = 12", "unknown field"),
        ("alice = ", "'al\\u001b[2Jice' = ", "the key of"),
    ] {
        let bent =
            format!("{policy}{persons}").replacen(from, to, 1).replace("'al\\u001b[2Jice'", "\"al\\u001b[2Jice\"");
        scratch.write("bent.toml", bent);
        let refused = scratch.ccc("agent check-policy bent.toml");
        refused.fails(2, reason);
        assert!(!refused.stderr.contains('\u{1b}'), "nothing steers the terminal");
    }
}
