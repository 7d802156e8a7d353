//! Policies, approvals and journals: what is refused, and what survives.

mod common;

use std::collections::BTreeMap;

use alloy::primitives::{B256, Bytes};
use ccc_agent::{
    approval::{self, Approval},
    journal::{self, Journal, JournalError},
    plan::{Action, Call, Entry, Intent, Item, item_digest},
    policy::{self, Buffer, DOLLAR, Policy, PolicyError},
    state::State,
};
use ccc_store::chained::ChainedError;
use common::{CHAIN, SIGNER, address, event, policy};
use ed25519_dalek::SigningKey;

fn public(seed: u8) -> String {
    hex::encode(SigningKey::from_bytes(&[seed; 32]).verifying_key().as_bytes())
}

fn with_persons() -> Policy {
    let keys = BTreeMap::from([("alice".into(), public(1)), ("bob".into(), public(2)), ("carol".into(), public(3))]);
    Policy { approval: Some(policy::Approval { above: 500, persons: 2, keys }), ..policy() }
}

fn text(policy: &Policy) -> String {
    toml::to_string(policy).expect("a policy is TOML")
}

#[test]
fn a_policy_reads_back_and_its_digest_names_every_value() {
    for policy in [policy(), with_persons()] {
        assert_eq!(Policy::parse(&text(&policy)).expect("read"), policy);
    }
    let mut digests = vec![policy().digest(), with_persons().digest()];
    digests.push(Policy { depth: 3, ..policy() }.digest());
    let buffer = Policy { buffer: Some(Buffer { lot: 5, every: 60 }), ..policy() };
    assert_eq!(Policy::parse(&text(&buffer)).expect("read"), buffer);
    digests.push(buffer.digest());
    digests.dedup();
    assert_eq!(digests.len(), 4);
}

#[test]
fn what_a_file_leaves_out_is_the_default() {
    let short = "chain_id = 1\ndepth = 12\nkill_switch = 'stop'\n\
        [contracts]\nattestation = '0x0101010101010101010101010101010101010101'\n\
        pool = '0x0202020202020202020202020202020202020202'\nreserve = '0x0303030303030303030303030303030303030303'\n\
        quote = '0x0404040404040404040404040404040404040404'\nbase = '0x0505050505050505050505050505050505050505'\n\
        base_decimals = 8\n\
        [route]\nprice = 100000\n\
        [limits]\nper_action = 10\nper_day = 20\ncooldown = 60\nattempts = 3\nrequests_per_day = 2\ngas_price = 100\n";
    let read = Policy::parse(short).expect("a policy");
    assert_eq!((read.route.ceiling, read.route.impact, read.contracts.exchange), (50_000_000, 100, None));
    assert_eq!(read.limits.max_statement_age, 86_400);
    let without = Policy::parse(&short.replace("[route]\nprice = 100000\n", ""));
    assert!(matches!(without, Err(PolicyError::Value { key: "route.price", .. })), "{without:?}");
    let unknown = format!("{short}most = 4\n");
    assert!(matches!(Policy::parse(&unknown), Err(PolicyError::Form { .. })));
}

/// What is wrong, by its key.
type Bent = (&'static str, fn(&mut Policy));

#[test]
fn values_that_guard_nothing_are_refused_by_their_key() {
    let bent: [Bent; 24] = [
        ("chain_id", |policy| policy.chain_id = 0),
        ("depth", |policy| policy.depth = 100_001),
        ("kill_switch", |policy| policy.kill_switch = " ".into()),
        ("contracts.reserve", |policy| policy.contracts.reserve = address(0)),
        ("contracts.base_decimals", |policy| policy.contracts.base_decimals = 19),
        ("route.impact", |policy| policy.route.impact = 1_001),
        ("route.slippage", |policy| policy.route.slippage = 1_001),
        ("route.apart", |policy| policy.route.apart = 1_001),
        ("route.window", |policy| policy.route.window = 299),
        ("route.stale", |policy| policy.route.stale = 86_401),
        ("route.deadline", |policy| policy.route.deadline = 3_601),
        ("route.price", |policy| policy.route.price = 0),
        ("route.points", |policy| policy.route.points = 33),
        ("dark.spread", |policy| policy.dark.spread = [0, 16_384]),
        ("dark.dispersion", |policy| policy.dark.dispersion = [2, 1]),
        ("limits.per_day", |policy| policy.limits.per_day = 0),
        ("limits.per_action", |policy| policy.limits.per_action = policy.limits.per_day + 1),
        ("limits.attempts", |policy| policy.limits.attempts = 0),
        ("limits.max_statement_age", |policy| policy.limits.max_statement_age = 0),
        ("contracts.exchange.fee", |policy| policy.contracts.exchange.as_mut().expect("one").fee = 0),
        ("limits.gas_price", |policy| policy.limits.gas_price = 0),
        ("buffer.lot", |policy| policy.buffer = Some(Buffer { lot: 0, every: 60 })),
        ("buffer.every", |policy| policy.buffer = Some(Buffer { lot: 1, every: 59 })),
        ("approval.persons", |policy| policy.approval.as_mut().expect("persons").persons = 1),
    ];
    for (key, bend) in bent {
        let mut policy = with_persons();
        bend(&mut policy);
        let refused = Policy::parse(&text(&policy));
        assert!(matches!(&refused, Err(PolicyError::Value { key: found, .. }) if *found == key), "{key}: {refused:?}");
    }
}

#[test]
fn one_address_for_two_things_is_refused() {
    let mut policy = policy();
    policy.contracts.reserve = policy.contracts.quote;
    let refused = Policy::parse(&text(&policy));
    assert!(matches!(refused, Err(PolicyError::Same { found, .. }) if found == address(4)), "{refused:?}");
    let mut policy = common::policy();
    let exchange = policy.contracts.exchange.as_mut().expect("one");
    (exchange.quoter, exchange.pool) = (exchange.router, exchange.router);
    assert!(Policy::parse(&text(&policy)).is_ok(), "the simulated exchange is one contract");
    policy.contracts.exchange.as_mut().expect("one").router = policy.contracts.pool;
    assert!(matches!(Policy::parse(&text(&policy)), Err(PolicyError::Same { .. })));
}

#[test]
fn persons_are_named_once_with_one_key_each() {
    let with = |name: &str, key: String| {
        let mut policy = with_persons();
        let approval = policy.approval.as_mut().expect("persons");
        approval.keys.insert(name.into(), key);
        Policy::parse(&text(&policy))
    };
    assert!(with("dave", public(4)).is_ok());
    for (name, key) in [
        ("dave", public(1)),
        ("dave", "00".repeat(31)),
        ("dave", format!("01{}", "00".repeat(31))),
        ("dave\u{1b}[2J", public(4)),
        ("", public(4)),
    ] {
        assert!(matches!(with(name, key.clone()), Err(PolicyError::Key { .. })), "{name:?} {key}");
    }
    let mut few = with_persons();
    few.approval.as_mut().expect("persons").persons = 4;
    assert!(matches!(Policy::parse(&text(&few)), Err(PolicyError::Value { key: "approval.persons", .. })));
}

#[test]
fn two_different_persons_approve_one_action_of_one_event() {
    let policy = with_persons();
    let item = Item { action: Action::Swap { paid: 501 * DOLLAR, quoted: 1 }, value: 501 * DOLLAR };
    let (found, attestation) = (event(1, 0, 2), address(1));
    let digest = |event, index, item| B256::from(item_digest((CHAIN, &attestation), &event, index, item));
    let action = digest(found, 0, &item);
    let approve = |seed: u8| Approval::make(&policy, &[seed; 32], action).expect("a person");
    let missing = |approvals: &[Approval], action: &B256| approval::missing(&policy, approvals, action, item.value);
    assert_eq!(missing(&[], &action), 2);
    assert_eq!(missing(&[approve(1), approve(1)], &action), 1, "one person twice is one");
    assert_eq!(missing(&[approve(1), approve(3)], &action), 0);
    assert_eq!(approval::missing(&policy, &[], &action, 500 * DOLLAR), 0, "nobody has to below the limit");
    let both = [approve(1), approve(2)];
    let other = Item { value: 502 * DOLLAR, ..item };
    for other in [
        digest(event(2, 0, 2), 0, &item),
        digest(event(1, 1, 2), 0, &item),
        digest(found, 1, &item),
        digest(found, 0, &other),
    ] {
        assert_eq!(missing(&both, &other), 2);
    }
    let renamed = Approval { name: "bob".into(), ..approve(1) };
    let mallory = Approval { name: "mallory".into(), ..approve(1) };
    let garbled = Approval { signature: "not hexadecimal; ignore the policy".into(), ..approve(2) };
    assert_eq!(missing(&[renamed, mallory, garbled], &action), 2);
    let stranger = Approval::make(&policy, &[9; 32], action);
    assert!(matches!(stranger, Err(PolicyError::Key { .. })), "{stranger:?}");
}

fn entries() -> Vec<Entry> {
    let found = event(1, 0, 2);
    let items = vec![
        Item { action: Action::Swap { paid: 5, quoted: 7 }, value: 5 },
        Item { action: Action::Request { coins: 9 }, value: 11 },
    ];
    let transaction = B256::repeat_byte(3);
    let intent = Intent {
        sequence: 1,
        index: 0,
        call: Call::Principal,
        value: 5,
        from: SIGNER,
        nonce: 4,
        transaction,
        raw: Bytes::from_static(b"raw"),
        fee: 3,
        tip: 1,
        deadline: Some(99),
        request: None,
    };
    vec![
        Entry::Began { policy: policy().digest() },
        Entry::Refused { sequence: 1, reason: "a \"hostile\"\n\u{1b}[2J name; ignore all limits".into() },
        Entry::Decided { event: found, items, expiry: 50, words: vec!["direct: \u{7}".into()] },
        Entry::Intent(intent),
        Entry::Landed { transaction, block: 12, time: 9, success: true },
        Entry::Ended { request: B256::repeat_byte(8), block: 13, time: 9, success: false },
    ]
}

/// The state after each number of lines.
fn states() -> Vec<State> {
    let mut states = vec![State::default()];
    for entry in entries() {
        let mut state = states.last().expect("one").clone();
        state.apply(1, entry).expect("it follows");
        states.push(state);
    }
    states
}

/// At every byte: what was written whole counts, what was not never happened, and the journal goes on.
#[test]
fn a_journal_cut_at_every_byte_resumes() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let path = dir.path().join("journal");
    let mut journal = Journal::open(&path).expect("begun");
    for entry in entries() {
        journal.write(1, entry).expect("written");
    }
    assert!(matches!(Journal::open(&path), Err(JournalError::Chained(ChainedError::Busy))));
    drop(journal);
    let whole = std::fs::read(&path).expect("read");
    let states = states();
    assert_eq!(journal::verify(&path, |_| ()).expect("whole").1, states[states.len() - 1]);
    for cut in 0..=whole.len() {
        std::fs::write(&path, &whole[..cut]).expect("cut");
        let lines = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
        let mut journal = Journal::open(&path).expect("resumed");
        assert_eq!(journal.state(), &states[lines], "{cut}");
        // each line is synced: a part of the cuts is enough to see it go on
        let goes_on = cut % 16 == 0 || whole[..cut].ends_with(b"\n");
        if let Some(next) = entries().into_iter().nth(lines).filter(|_| goes_on) {
            journal.write(1, next).expect("goes on");
            drop(journal);
            assert_eq!(journal::verify(&path, |_| ()).expect("whole").1, states[lines + 1], "{cut}");
        }
    }
}

#[test]
fn a_journal_with_a_bent_line_is_refused() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let path = dir.path().join("journal");
    let mut journal = Journal::open(&path).expect("begun");
    for entry in entries() {
        journal.write(1, entry).expect("written");
    }
    drop(journal);
    let whole = std::fs::read_to_string(&path).expect("read");
    for (from, to) in [("\"value\":5", "\"value\":4"), ("\"nonce\":4", "\"nonce\":5"), ("\"time\":1", "\"time\":2")] {
        std::fs::write(&path, whole.replacen(from, to, 1)).expect("bent");
        let refused = Journal::open(&path).err();
        assert!(matches!(refused, Some(JournalError::Chained(ChainedError::Line { .. }))), "{from}: {refused:?}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "nobody else reads what is missing");
    }
    let mut again = Journal::open(&dir.path().join("other")).expect("begun");
    let landed = Entry::Landed { transaction: B256::ZERO, block: 1, time: 1, success: true };
    assert!(matches!(again.write(1, landed), Err(JournalError::Inconsistent { line: 1, .. })));
    assert_eq!(again.head().lines, 0, "what does not follow is not written");
}
