//! A desk's door to a pool on a chain, from an empty home: deposit, order, status, cancel, withdraw, receipts, exit.
//!
//! The test plays enclave and report signers: it makes the table's versions and signs the reports of rounds that
//! `ccc report submit` delivers.

use super::{
    network::{SIGNERS, Served, at_home, plan_of_real_parts, with_key, with_own_people},
    support::{
        Run, Scratch,
        liar::{committee, objects},
    },
};
use alloy::{
    eips::BlockId,
    primitives::{Address, B256, U256},
    providers::Provider,
};
use ccc_chain::{Actions, Chain, ConnectOptions, Deployment, Wallet, deploy::Registries, read, watch::Event};
use ccc_core::{
    ciphertext::Ciphertext,
    report::{Payload, Report, ReportSigner, Round, SignedReport, Statement},
    table::{
        AccountId, AssetId, AssetRule, BoundaryOperation, Markouts, Receipt, Receipts, SlotReport, TableId,
        TableParams, TableSuite, Tier, Update, Updated, genesis,
    },
};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

const LOT: u64 = 1_000;

/// A desk with a funded key, an account and settings in its home; the pool is deployed.
pub(super) struct Desk {
    pub(super) scratch: Scratch,
    pub(super) served: Served,
    pub(super) deployment: Deployment,
    pub(super) account: Address,
}

pub(super) fn key_of(digits: &str) -> [u8; 32] {
    let mut key = [0; 32];
    hex::decode_to_slice(digits, &mut key).expect("digits");
    key
}

pub(super) fn wallet() -> Wallet {
    Wallet::from_key(&key_of(SIGNERS[0])).expect("a key")
}

pub(super) fn on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

impl Desk {
    pub(super) fn new() -> Self {
        let scratch = with_key();
        let served = Served::start("--for 900");
        scratch.done("--no-passphrase keygen dkg -n 4 --out keys");
        let account = scratch.done("--no-passphrase keygen account --out maker.ccc").stdout;
        let plan = at_home(&scratch, "deploy --print-plan", &[]).stdout;
        let plan = plan.replace("lot = 1\n", &format!("lot = {LOT}\n"));
        scratch.write("plan.toml", plan);
        let flags = format!("--rpc-url {} --private-key-file key", served.url);
        let deployed = at_home(
            &scratch,
            &format!("deploy {flags} --plan plan.toml --committee keys/committee.ccc --out d.json"),
            &[],
        );
        assert_eq!(deployed.code, 0, "{}", deployed.stderr);
        let deployment = serde_json::from_slice(&scratch.read("d.json")).expect("a deployment");
        scratch.write_private("desk.key", &format!("{}\n", SIGNERS[0]));
        let account = account.trim().parse().expect("an address");
        let desk = Self { scratch, served, deployment, account };
        desk.settle_in();
        on(async {
            let chain = desk.chain().await;
            let actions = Actions::new(&chain, &desk.deployment);
            actions.mint(&wallet(), 0, wallet().address(), U256::from(1_000 * LOT)).await.expect("minted");
        });
        desk
    }

    /// The settings file of the desk's home.
    pub(super) fn settle_in(&self) {
        let text = format!(
            "rpc_url = \"{}\"\ndeployment = \"../d.json\"\nprivate_key_file = \"../desk.key\"\n\
             account_key = \"../maker.ccc\"\ncommittee = \"../keys/committee.ccc\"\n",
            self.served.url
        );
        std::fs::create_dir_all(self.scratch.path("ccc")).expect("made");
        self.scratch.write("ccc/config.toml", text);
    }

    pub(super) fn ccc(&self, arguments: &str) -> Run {
        at_home(&self.scratch, &format!("--json {arguments} --config ccc/config.toml"), &[])
    }

    /// Runs a command that must succeed, and gives what it printed.
    #[track_caller]
    pub(super) fn done(&self, arguments: &str) -> Value {
        let run = self.ccc(arguments);
        assert_eq!(run.code, 0, "{arguments}\n{}{}", run.stdout, run.stderr);
        run.json()
    }

    /// Runs a command that must be refused with this code.
    #[track_caller]
    pub(super) fn refused(&self, arguments: &str, code: &str) {
        let run = self.ccc(arguments);
        assert!(run.stdout.is_empty(), "{arguments}\n{}", run.stdout);
        let error = run.json_error();
        assert_eq!((&error["code"], &error["exit"]), (&code.into(), &run.code.into()), "{arguments}\n{error}");
        assert!(error["hint"].as_str().is_some_and(|hint| hint.len() > 12), "{error}");
    }

    /// The state of a submission, and whether it came to nothing.
    #[track_caller]
    pub(super) fn state(&self, arguments: &str) -> (String, bool) {
        let run = self.ccc(&format!("order status {arguments}"));
        assert!(run.code < 2, "{arguments}\n{}", run.stderr);
        (run.json()["state"].as_str().expect("text").to_owned(), run.code == 1)
    }

    pub(super) async fn chain(&self) -> Chain {
        let options = ConnectOptions { pin_block_times: false, ..ConnectOptions::default() };
        Chain::connect(&self.served.url, &options).await.expect("connected")
    }

    pub(super) fn ask(&self, method: &'static str, parameters: Value) {
        on(async {
            let chain = self.chain().await;
            let _: Value = chain.provider().raw_request(method.into(), parameters).await.expect("an answer");
        });
    }

    pub(super) fn passes(&self, seconds: u64) {
        self.ask("evm_increaseTime", json!([seconds]));
        self.ask("evm_mine", json!([]));
    }

    pub(super) fn tokens_of(&self, owner: Address) -> U256 {
        on(async {
            let chain = self.chain().await;
            let token = self.deployment.tokens[0].address;
            read::token_balance(&chain, token, owner, BlockId::latest()).await.expect("a balance")
        })
    }

    /// Signs a round's report and lets `ccc report submit` deliver it.
    pub(super) fn close(&self, table: &Updated, count: u64) {
        let signed = on(self.report(table, count));
        self.scratch.write("round.report", signed.to_bytes().expect("bytes"));
        self.done("report submit round.report");
    }

    async fn report(&self, table: &Updated, count: u64) -> SignedReport {
        let chain = self.chain().await;
        let (deployment, header) = (&self.deployment, &table.table.header);
        let newest = chain.block(BlockId::latest()).await.expect("a block");
        let pool = read::Pool::new(&chain, deployment.pool);
        let statement = Statement::Round(Round {
            request_id: [0; 32],
            success: false,
            version: header.version(),
            previous: header.previous(),
            header_hash: header.hash(),
            count,
            accumulator: pool.history(count, newest.id()).await.expect("read").0,
            price_block: newest.number,
            source: deployment.feed.0.0,
            price_digest: [9; 32],
        });
        let sequence = header.version();
        let binding = deployment.binding(deployment.pool, sequence, newest.time + 600, B256::repeat_byte(9));
        let report = Report::new(deployment.origin(), newest.time, Payload { binding, statement }).expect("a report");
        let context = deployment.context(sequence);
        let sign = |digits| ReportSigner::from_bytes(&key_of(digits)).expect("a key").sign(&report, &context);
        let signatures = SIGNERS.map(sign);
        let (set, forwarder) = (deployment.signer_set(), deployment.forwarder.0.0);
        SignedReport::assemble(report, context, &signatures, &set, &forwarder).expect("signed")
    }

    pub(super) fn master(&self) -> ccc_core::keys::MasterPublicKey {
        *committee(&self.scratch, "keys/committee.ccc").master_public_key()
    }

    /// Version 1 of the pool's table.
    pub(super) fn first_version(&self) -> Updated {
        let Deployment { chain_id, pool, table_id, .. } = self.deployment;
        let id = TableId { chain: chain_id, contract: pool.0.0, table: table_id.0 };
        let epoch = ccc_core::epoch::Epoch(1);
        let params = TableParams { id, epoch, tier: Tier::SMALLEST, suite: TableSuite::ChaCha20Poly1305 };
        genesis(&params, &self.master(), &mut StdRng::seed_from_u64(1)).expect("a table")
    }

    /// The next version, in which the account holds `amount` more of the base asset.
    fn credited(&self, before: Updated, amount: u128) -> Updated {
        let account = AccountId(self.account.0.0);
        let deposit =
            BoundaryOperation::Deposit { account, asset: AssetId(0), amount, reading_key: self.reading_key() };
        let assets = [AssetRule { lot: LOT }, AssetRule { lot: LOT }];
        let update = Update::Round { boundary: &[deposit], deltas: &[], k: 16, assets: &assets };
        before.rows.apply(&update, &self.master(), &mut StdRng::seed_from_u64(2)).expect("a version")
    }

    pub(super) fn reading_key(&self) -> [u8; 32] {
        let objects = objects(&self.scratch.read("maker.ccc"));
        objects.last().and_then(|key| key.as_slice().try_into().ok()).expect("a reading key")
    }

    /// Writes a version as a host publishes it, without its body.
    fn publish(&self, name: &str, version: &Updated) {
        std::fs::create_dir_all(self.scratch.path(name)).expect("made");
        self.scratch.write(&format!("{name}/table.header"), version.table.header.to_bytes());
        self.scratch.write(&format!("{name}/table.sidecar"), &version.table.sidecar);
    }
}

pub(super) fn id_of(answer: &Value) -> String {
    answer["id"].as_str().expect("an id").to_owned()
}

#[test]
fn a_desk_deposits_orders_cancels_and_withdraws() {
    let desk = Desk::new();
    let dry = desk.done("deposit --asset base --amount 5000 --dry-run");
    assert_eq!((&dry["sent"], desk.tokens_of(desk.deployment.pool)), (&false.into(), U256::ZERO));
    let deposit = desk.done("deposit --asset base --amount 5000");
    assert_eq!((&deposit["sent"], deposit["transactions"].as_array().map(Vec::len)), (&true.into(), Some(2)));
    assert_eq!(desk.tokens_of(desk.deployment.pool), U256::from(5000));
    let deposit = id_of(&deposit);
    assert_eq!(desk.state(&deposit), ("waiting".to_owned(), false));
    the_ciphertext_is_the_vaults(&desk, &deposit);

    let order = id_of(&desk.done("order new --size 4000 --spread 50"));
    assert_eq!(desk.state(&order), ("waiting".to_owned(), false));
    let cancellation = id_of(&desk.done(&format!("order cancel {order}")));
    let both = format!("{order} --cancellation {cancellation}");
    assert_eq!(desk.state(&both), ("waiting".to_owned(), false), "no round has read either");
    let to = "0x0101010101010101010101010101010101010101";
    let withdrawal = id_of(&desk.done(&format!("withdraw --asset base --amount 1000 --to {to}")));
    assert_eq!(desk.state(&withdrawal), ("waiting".to_owned(), false));

    desk.close(&desk.first_version(), 2);
    assert_eq!(desk.state(&deposit), ("taken".to_owned(), false));
    assert_eq!(desk.state(&withdrawal), ("taken".to_owned(), false), "taken and not paid");
    assert_eq!(desk.state(&order), ("stands".to_owned(), false), "the chain cannot tell what a submission says");
    assert_eq!(desk.state(&both), ("cancellation-read".to_owned(), false), "what it says only its owner knows");
    let told = at_home(&desk.scratch, &format!("order status {both} --config ccc/config.toml"), &[]).stdout;
    assert!(told.contains("version 1 read the other submission: if it cancels this order"), "{told}");
    let late = id_of(&desk.done("order new --size 4000 --spread 50"));
    desk.refused(&format!("order status {deposit} --cancellation {late}"), "not-read");
    assert_eq!(desk.state(&format!("{late} --cancellation {cancellation}")).0, "waiting", "it is older than the order");
}

/// The pool holds bytes that only the vault opens, under a label that names chain, pool, id and sender.
fn the_ciphertext_is_the_vaults(desk: &Desk, id: &str) {
    let id = B256::from(key_of(id));
    let found = on(async {
        let chain = desk.chain().await;
        ccc_chain::submission::find(&chain, &desk.deployment, id).await.expect("read").expect("found")
    });
    let deposited = match found.event {
        Event::Deposited { ciphertext, from, .. } => Some((ciphertext, from)),
        _ => None,
    };
    let (ciphertext, from) = deposited.expect("a deposit");
    let ciphertext = Ciphertext::from_bytes(&ciphertext).expect("a ciphertext");
    let label = ciphertext.label();
    assert_eq!((label.chain, label.contract, label.id), (31_337, desk.deployment.pool.0.0, id.0));
    assert_eq!((label.requester, from), (wallet().address().0.0, wallet().address()));
    ciphertext.verify(&desk.master()).expect("under the vault's key");
}

#[test]
fn what_a_desk_gets_wrong_is_told_before_anything_is_spent() {
    let desk = Desk::new();
    let deposit = "deposit --asset base --amount 5000";
    desk.refused("deposit --asset base --amount 0", "terms");
    desk.refused("deposit --asset base --amount 5001", "terms");
    desk.refused("withdraw --asset base --amount 0 --to 0x0101010101010101010101010101010101010101", "terms");
    let pool = desk.deployment.pool;
    desk.refused(&format!("withdraw --asset base --amount 1 --to {pool}"), "terms");
    // one letter of the checksum is of the other case
    desk.refused("withdraw --asset base --amount 1 --to 0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "usage");
    desk.refused("order new --size 1 --spread 50", "terms");
    desk.refused("deposit --asset base --amount 5000000000", "balance");
    desk.refused("deposit --asset quote --amount 5000", "balance");
    desk.refused(&format!("{deposit} --no-approve"), "allowance");
    let dear = desk.ccc(&format!("{deposit} --most-fee 0"));
    assert!(dear.code == 2 && dear.stderr.contains("a unit of gas would cost"), "{}", dear.stderr);
    desk.refused(&format!("{deposit} --chain-id 5"), "chain");
    desk.refused(&format!("{deposit} --private-key-file none"), "read");
    desk.refused(&format!("{deposit} --account-key none"), "read");
    desk.refused(&format!("{deposit} --account-key desk.key"), "secret-file");
    desk.scratch.write_private("poor.key", &format!("{}\n", "07".repeat(32)));
    let poor = Wallet::from_key(&[7; 32]).expect("a key").address();
    on(async {
        let chain = desk.chain().await;
        let actions = Actions::new(&chain, &desk.deployment);
        actions.mint(&wallet(), 0, poor, U256::from(5000)).await.expect("minted");
    });
    desk.refused(&format!("{deposit} --private-key-file poor.key"), "no-gas");
    desk.scratch.done("--no-passphrase keygen dkg -n 4 --out others");
    desk.refused(&format!("{deposit} --committee others/committee.ccc"), "other-committee");
    let elsewhere = Deployment { chain_id: 10, ..desk.deployment.clone() };
    desk.scratch.write("elsewhere.json", serde_json::to_vec(&elsewhere).expect("JSON"));
    desk.refused(&format!("{deposit} --deployment elsewhere.json"), "chain");
    let (pool, token) = (desk.deployment.tokens[0].address, desk.deployment.attestation);
    for other in [Deployment { pool, ..desk.deployment.clone() }, Deployment { pool: token, ..desk.deployment.clone() }]
    {
        desk.scratch.write("other.json", serde_json::to_vec(&other).expect("JSON"));
        desk.refused(&format!("{deposit} --deployment other.json"), "deployment");
    }
    // the file's vault is not the pool's: a registry that somebody else made, or none
    let mut other = desk.deployment.clone();
    other.registries = other.registries.map(|registries| Registries { vault: other.attestation, ..registries });
    for other in [other, Deployment { registries: None, ..desk.deployment.clone() }] {
        desk.scratch.write("other.json", serde_json::to_vec(&other).expect("JSON"));
        desk.refused(&format!("{deposit} --deployment other.json"), "deployment");
        desk.refused("order new --size 4000 --spread 50 --deployment other.json", "deployment");
    }
    assert_eq!(desk.tokens_of(desk.deployment.pool), U256::ZERO);
    nothing_is_named();
}

/// Each setting that is missing is asked for by its own name.
fn nothing_is_named() {
    let desk = Desk::new();
    let mut text = String::from_utf8(desk.scratch.read("ccc/config.toml")).expect("text");
    for (name, code) in [
        ("committee", "no-committee"),
        ("account_key", "no-account-key"),
        ("private_key_file", "no-key"),
        ("deployment", "no-deployment"),
    ] {
        text = text.lines().filter(|line| !line.starts_with(name)).fold(String::new(), |all, line| all + line + "\n");
        desk.scratch.write("ccc/config.toml", &text);
        desk.refused("deposit --asset base --amount 5000", code);
    }
}

#[test]
fn an_order_that_nobody_knows_or_that_is_over_is_not_cancelled() {
    let desk = Desk::new();
    let unknown = "77".repeat(32);
    desk.refused(&format!("order status {unknown}"), "unknown-submission");
    desk.refused(&format!("order cancel {unknown}"), "unknown-submission");
    let deposit = id_of(&desk.done("deposit --asset base --amount 5000"));
    desk.refused(&format!("order cancel {deposit}"), "other-submission");
    let order = id_of(&desk.done("order new --size 4000 --spread 50 --lifetime 600"));
    desk.refused(&format!("order cancel {order} --lifetime 60"), "terms");
    // the clock alone is past it: a round judges by its block
    desk.ask("evm_increaseTime", json!([700]));
    assert_eq!(desk.state(&order), ("expiring".to_owned(), false));
    assert_eq!(desk.done(&format!("order cancel {order}"))["kind"], "cancellation");
    assert_eq!(desk.state(&order), ("expiring".to_owned(), false), "a report that read it may be on its way");
    desk.refused(&format!("order cancel {order}"), "expired");
    desk.passes(3_700);
    assert_eq!(desk.state(&order), ("expired".to_owned(), true));
    desk.refused(&format!("order cancel {order}"), "expired");
}

#[test]
fn an_owner_opens_its_receipts_and_leaves_when_rounds_stop() {
    let desk = Desk::new();
    desk.done("deposit --asset base --amount 5000");
    desk.done("deposit --asset base --amount 1000");
    let stranded = id_of(&desk.done("deposit --asset base --amount 3000"));
    let first = desk.first_version();
    desk.close(&first, 0);
    let second = desk.credited(first, 5000);
    desk.close(&second, 1);
    desk.publish("second", &second);

    let header = &second.table.header;
    let receipt = Receipt {
        order_digest: [5; 32],
        version: 2,
        outcome: 1,
        lots: 4,
        notional: 388_000_000,
        new_amount: 1_000,
        ..Receipt::default()
    };
    let report = SlotReport::Order(Markouts::default());
    let key = desk.reading_key();
    let sealed = vec![receipt.seal(&key, header, 0), report.seal(&key, header, 1)];
    let receipts = Receipts::new(header.hash(), sealed).expect("two").to_bytes();
    desk.scratch.write("receipts.ccc", &receipts);
    let open = "receipt open receipts.ccc --header second/table.header";
    let opened = desk.done(open);
    assert_eq!((&opened["version"], &opened["receipts"][0]["lots"]), (&2.into(), &4.into()));
    assert_eq!(opened["receipts"][0]["order_digest"], hex::encode([5; 32]));
    desk.scratch.done("--no-passphrase keygen account --out other.ccc");
    let others = desk.ccc(&format!("{open} --account-key other.ccc"));
    assert_eq!((others.code, others.json()["receipts"].as_array().map(Vec::len)), (1, Some(0)));
    desk.refused("receipt open d.json --header second/table.header", "other-content");

    // a version that the host made and never reported
    let third = desk.credited(second, 1000);
    desk.publish("third", &third);
    desk.refused("receipt open receipts.ccc --header third/table.header", "not-verified");
    let sealed = vec![receipt.seal(&key, &third.table.header, 0), report.seal(&key, &third.table.header, 1)];
    let forged = Receipts::new(third.table.header.hash(), sealed).expect("two").to_bytes();
    desk.scratch.write("forged.ccc", forged);
    desk.refused("receipt open forged.ccc --header third/table.header", "not-closed");
    leaves(&desk, &third, &stranded);
}

fn leaves(desk: &Desk, third: &Updated, stranded: &str) {
    let exit = "exit --table third";
    desk.refused(exit, "not-current");
    desk.refused("exit --table second --wait --dry-run", "no-broadcast");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_secs(1));
            desk.close(third, 2);
        });
        desk.refused("exit --table second --wait", "not-current");
    });
    let early = desk.ccc(exit);
    assert_eq!((early.code, &early.json()["open"]), (1, &false.into()), "{}", early.stderr);
    assert!(early.json()["opens"].as_u64() > early.json()["time"].as_u64());
    let early = desk.ccc(&format!("exit --deposit {stranded}"));
    assert_eq!((early.code, &early.json()["open"]), (1, &false.into()), "{}", early.stderr);
    desk.refused("exit --table second", "not-current");
    desk.refused("exit --table third --account-key other.ccc", "no-rows");
    desk.refused("exit --table third --asset quote", "no-rows");
    let early = early.json();
    let left = early["opens"].as_u64().expect("a time") - early["time"].as_u64().expect("a time");
    desk.passes(left - 600);
    assert_eq!(desk.ccc(exit).code, 1, "ten minutes are left");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_secs(1));
            desk.passes(700);
        });
        desk.refused("exit --table third --wait", "no-gas");
    });
    desk.ask("anvil_setBalance", json!([desk.account, U256::from(10).pow(U256::from(18))]));
    let dry = desk.done(&format!("{exit} --dry-run"));
    assert_eq!((&dry["sent"], &dry["rows"][0]["amount"]), (&false.into(), &"6000".into()));
    let done = desk.done(exit);
    assert_eq!(done["sent"], true);
    assert_eq!(desk.tokens_of(desk.account), U256::from(6000));
    desk.refused(exit, "no-rows");

    assert_eq!(desk.state(stranded), ("stranded".to_owned(), true));
    desk.refused(&format!("exit --deposit {stranded} --private-key-file key"), "other-sender");
    let before = desk.tokens_of(wallet().address());
    desk.done(&format!("exit --deposit {stranded}"));
    assert_eq!(desk.tokens_of(wallet().address()), before + U256::from(3000));
    assert_eq!(desk.state(stranded), ("taken-back".to_owned(), true));
    desk.refused(&format!("exit --deposit {stranded}"), "contract-refused");
    desk.refused("deposit --asset base --amount 5000", "contract-refused");
}

#[test]
fn a_desk_sends_to_a_chain_that_is_not_local_only_when_told_so() {
    let mut desk = Desk::new();
    desk.served = Served::start("--for 300 --chain-id 10");
    desk.settle_in();
    let (order, withdrawal) = ("order new --size 4000 --spread 50", "withdraw --asset base --amount 1 --to");
    let withdrawal = format!("{withdrawal} 0x0101010101010101010101010101010101010101");
    desk.deployment = on(async {
        let chain = desk.chain().await;
        let plan = super::network::plan_of_test_parts();
        ccc_chain::deploy::deploy(&chain, &wallet(), &plan).await.expect("deployed")
    });
    desk.scratch.write("d.json", serde_json::to_vec(&desk.deployment).expect("JSON"));
    for command in ["deposit --asset base --amount 5000 --broadcast", order, &withdrawal] {
        desk.refused(command, "no-vault");
    }
    deploys_with_a_vault(&mut desk);
    for command in [order, &withdrawal] {
        let dry = desk.done(command);
        assert_eq!((&dry["sent"], dry["salt"].as_str().map(str::len)), (&false.into(), Some(64)), "{dry}");
    }
    let sent = desk.done(&format!("{order} --broadcast"));
    assert_eq!(sent["sent"], true);
    let id = id_of(&sent);
    assert_eq!(desk.done(&format!("order cancel {id}"))["sent"], false);
    let quiet = at_home(&desk.scratch, &format!("{order} --config ccc/config.toml"), &[]);
    assert!(quiet.stdout.contains("--broadcast sends"), "{}", quiet.stdout);
}

/// A set with registries in the place of the desk's.
fn deploys_with_a_vault(desk: &mut Desk) {
    let url = &desk.served.url;
    let plan = at_home(&desk.scratch, "deploy --print-plan", &[]).stdout;
    let plan = with_own_people(&plan_of_real_parts(url, &plan));
    desk.scratch.write("public.toml", plan);
    let flags = format!("--rpc-url {url} --private-key-file key --plan public.toml --committee keys/committee.ccc");
    let deployed = at_home(&desk.scratch, &format!("deploy {flags} --out public.json --broadcast"), &[]);
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    desk.scratch.write("d.json", desk.scratch.read("public.json"));
    desk.deployment = serde_json::from_slice(&desk.scratch.read("d.json")).expect("a deployment");
}
