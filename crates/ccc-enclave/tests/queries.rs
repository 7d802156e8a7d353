//! Queries: an owner reads its own rows, auditors read totals, and nobody else reads anything.

mod support;

use ccc_core::{
    ciphertext::{Label, LabelKind},
    enclave::attestation::{
        PolicyRefusal,
        simulated::{SimulatedHardware, SimulatedProvider},
    },
    table::{AccountId, AssetId, AuditorSet, Holdings, SealedTable, StructuralError, holdings_len, summary_len},
    vault::{Recipient, Request},
};
use ccc_enclave::{
    attempt::Enclave,
    authorisation::AccountKey,
    instruction::BalanceQuery,
    intake::{Log, RoundPlan},
    query::{Answers, GREATEST_QUERIES, QueryError, SEALED_QUERY_LEN, ask},
    reader::{ReaderError, ReaderKey, SEAL_OVERHEAD},
};
use hpke::{
    Deserializable, Kem, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256, kem::X25519HkdfSha256,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use support::{BASE, LOT, QUOTE, World, owner::Owner};
use zeroize::Zeroizing;

/// The account key of the maker with this number.
fn key(number: u8) -> AccountKey {
    AccountKey::from_bytes(&Zeroizing::new([number; 32])).expect("a key")
}

/// What happens between attesting an attempt and opening it: queries are sealed to its keys.
type Asking<'a> = dyn FnMut(&Request, &Recipient, &mut StdRng) -> Vec<Vec<u8>> + 'a;

/// Runs an attempt that answers queries from `table` under a request that names `world`'s current one.
fn answers(world: &mut World, table: &SealedTable, asking: &mut Asking<'_>) -> Result<Answers, QueryError> {
    let head = world.header().expect("a table").clone();
    let mut plan = RoundPlan::new(&world.config, &world.key(), Some(&head), Log::default(), world.time).expect("plan");
    let request = world.vault_request(Some(head.hash()), plan.digests());
    let provider = SimulatedProvider::new(SimulatedHardware::from_seed(&[9; 32]), world.config.measurement());
    let enclave = Enclave::new(world.config.clone(), &provider).expect("a configuration");
    let attempt = enclave.attempt(request.clone(), world.time, &mut world.rng).expect("an attempt");
    let recipient = attempt.card().recipient;
    let sealed = asking(&request, &recipient, &mut world.rng);
    let queries = attempt.queries(&sealed)?;
    let envelopes = world.shares(&request, &recipient, plan.ciphertexts());
    let opened = attempt.open(&world.committee, plan.take_ciphertexts(), envelopes).expect("opened");
    opened.answer(&queries, &table.header, &table.body, &mut world.rng)
}

fn current(world: &World) -> SealedTable {
    world.table.clone().expect("a table")
}

/// One query and what its reader makes of the answer.
fn one(world: &mut World, number: u8) -> Result<Holdings, ReaderError> {
    let (table, reader) = (current(world), ReaderKey::generate(&mut StdRng::seed_from_u64(3)));
    let mut asking = |request: &Request, recipient: &Recipient, rng: &mut StdRng| {
        vec![ask(&key(number), &reader, request, recipient, rng).expect("sealed")]
    };
    let answers = answers(world, &table, &mut asking).expect("answers");
    reader.open_holdings(&answers.request, 0, &answers.sealed[0])
}

#[test]
fn an_owner_reads_its_rows_and_a_stranger_reads_that_it_has_none() {
    let (mut world, makers) = World::with_makers(1);
    let holdings = one(&mut world, 3).expect("opens");
    let row = world.rows().find(AccountId(makers[1].account()), AssetId(BASE));
    assert_eq!(row.as_ref().map(|row| (row.amount, row.reserved)), Some((u128::from(20 * LOT), 20)));
    assert_eq!(holdings.rows[BASE as usize], row);
    assert_eq!(holdings.rows[QUOTE as usize].as_ref().map(|row| row.amount), Some(0));
    assert_eq!((Some(holdings.header), holdings.account.0), (world.header().map(|h| h.hash()), makers[1].account()));
    let stranger = one(&mut world, 77).expect("opens");
    assert_eq!((stranger.rows, stranger.account.0), (vec![None, None], key(77).account()));
}

#[test]
fn every_answer_has_one_length_and_opens_for_its_asker_alone() {
    let (mut world, _) = World::with_makers(2);
    let (table, readers) =
        (current(&world), [1, 2, 3].map(|seed| ReaderKey::generate(&mut StdRng::seed_from_u64(seed))));
    let mut asking = |request: &Request, recipient: &Recipient, rng: &mut StdRng| {
        let ask = |number, reader: &ReaderKey, rng: &mut StdRng| {
            ask(&key(number), reader, request, recipient, rng).expect("sealed")
        };
        let (known, stranger) = (ask(2, &readers[0], rng), ask(77, &readers[1], rng));
        let mut bent = ask(3, &readers[2], rng);
        bent[60] ^= 1;
        let mut noise = vec![0; SEALED_QUERY_LEN];
        rng.fill_bytes(&mut noise);
        vec![known, stranger, bent, noise, Vec::new(), vec![0; 100_000]]
    };
    let answers = answers(&mut world, &table, &mut asking).expect("answers");
    let lengths: Vec<_> = answers.sealed.iter().map(Vec::len).collect();
    assert_eq!(lengths, [holdings_len(2) + SEAL_OVERHEAD; 6]);
    for (place, sealed) in (0..).zip(&answers.sealed) {
        for (reader, own) in readers.iter().zip(0..) {
            let opens = reader.open_holdings(&answers.request, place, sealed).is_ok();
            assert_eq!(opens, place == own && own < 2, "answer {place}, reader {own}");
        }
    }
    let moved = readers[0].open_holdings(&answers.request, 1, &answers.sealed[0]);
    assert_eq!(moved, Err(ReaderError::Closed), "at another place");
    let other = readers[0].open_holdings(&[0; 64], 0, &answers.sealed[0]);
    assert_eq!(other, Err(ReaderError::Closed), "for another request");
}

#[test]
fn a_query_of_another_attempt_is_answered_to_nobody() {
    let (mut world, _) = World::with_makers(3);
    let (table, reader) = (current(&world), ReaderKey::generate(&mut StdRng::seed_from_u64(1)));
    let mut recorded = Vec::new();
    let mut asking = |request: &Request, recipient: &Recipient, rng: &mut StdRng| {
        recorded = vec![ask(&key(2), &reader, request, recipient, rng).expect("sealed")];
        recorded.clone()
    };
    answers(&mut world, &table, &mut asking).expect("answers");
    let replayed = answers(&mut world, &table, &mut |_, _, _| recorded.clone()).expect("answers");
    assert_eq!(reader.open_holdings(&replayed.request, 0, &replayed.sealed[0]), Err(ReaderError::Closed));
}

/// A query as the specification has it, signed by whoever holds `signer` under `label`.
fn forged(account: [u8; 20], reader: &ReaderKey, signer: &AccountKey, label: &Label) -> BalanceQuery {
    let mut query = BalanceQuery { account, answer_key: reader.public(), signature: [0; 65] };
    query.signature = signer.sign(label, &query.unsigned());
    query
}

fn sealed(query: &BalanceQuery, request: &Request, recipient: &Recipient, rng: &mut StdRng) -> Vec<u8> {
    let key = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&recipient.x).expect("a key");
    let info = [b"ccc/v1/query".as_slice(), &request.digest()].concat();
    let (enc, sealed) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &key,
        &info,
        &query.to_bytes(),
        &[],
        rng,
    )
    .expect("sealed");
    [enc.to_bytes().as_slice(), &sealed].concat()
}

#[test]
fn a_query_that_its_account_did_not_sign_for_this_request_is_answered_to_nobody() {
    let (mut world, makers) = World::with_makers(9);
    let (table, reader) = (current(&world), ReaderKey::generate(&mut StdRng::seed_from_u64(1)));
    let account = makers[0].account();
    let mut asking = |request: &Request, recipient: &Recipient, rng: &mut StdRng| {
        let label = Label {
            kind: LabelKind::Recipient,
            chain: request.chain,
            contract: request.contract,
            id: request.id,
            version: 0,
            requester: account,
            expiry: request.deadline,
            context: request.table_header.expect("a table"),
        };
        let mut queries = [
            forged(account, &reader, &key(2), &label),
            forged(account, &reader, &key(3), &label),
            forged(account, &reader, &key(2), &Label { context: [0; 32], ..label.clone() }),
            forged(account, &reader, &key(2), &Label { id: [1; 32], ..label.clone() }),
            forged(account, &reader, &key(2), &label),
        ];
        queries[4].answer_key = ReaderKey::generate(rng).public();
        queries.iter().map(|query| sealed(query, request, recipient, rng)).collect()
    };
    let answers = answers(&mut world, &table, &mut asking).expect("answers");
    let own = reader.open_holdings(&answers.request, 0, &answers.sealed[0]).expect("the account's own signature");
    assert_eq!(own.account.0, account);
    for place in 1..5 {
        let opened = reader.open_holdings(&answers.request, place, &answers.sealed[place as usize]);
        assert_eq!(opened, Err(ReaderError::Closed), "query {place}");
    }
}

#[test]
fn answers_carry_evidence_over_request_header_and_bytes() {
    let (mut world, _) = World::with_makers(4);
    let (table, reader) = (current(&world), ReaderKey::generate(&mut StdRng::seed_from_u64(1)));
    let mut asking = |request: &Request, recipient: &Recipient, rng: &mut StdRng| {
        vec![ask(&key(2), &reader, request, recipient, rng).expect("sealed")]
    };
    let answers = answers(&mut world, &table, &mut asking).expect("answers");
    assert!(answers.check(&world.policy(), world.time).is_ok());
    let mut bent = answers.clone();
    bent.sealed[0][0] ^= 1;
    let mut other = answers.clone();
    other.header[0] ^= 1;
    for changed in [bent, other] {
        assert_eq!(changed.check(&world.policy(), world.time).err(), Some(PolicyRefusal::UserData));
    }
}

#[test]
fn n121_a_query_on_an_older_table_is_refused() {
    let (mut world, _) = World::with_makers(5);
    let old = current(&world);
    world.idle();
    let refused = answers(&mut world, &old, &mut |_, _, _| Vec::new());
    assert!(matches!(refused, Err(QueryError::OtherHeader)));
    let mixed = SealedTable { header: current(&world).header, ..old };
    let refused = answers(&mut world, &mixed, &mut |_, _, _| Vec::new());
    assert!(matches!(refused, Err(QueryError::Table(StructuralError::BodyRoot { .. }))));
}

#[cfg(feature = "suite-aes-gcm")]
#[test]
fn a_query_on_a_table_of_another_suite_is_refused() {
    let (mut world, _) = World::with_makers(6);
    world.config.suite = ccc_core::table::TableSuite::Aes256Gcm;
    let table = current(&world);
    let refused = answers(&mut world, &table, &mut |_, _, _| Vec::new());
    let expected = ccc_enclave::config::ConfigError::OtherSuite { expected: 2, found: 1 };
    assert!(matches!(refused, Err(QueryError::Config(found)) if found == expected));
}

#[test]
fn queries_of_one_attempt_are_not_answered_by_another() {
    let (mut world, _) = World::with_makers(10);
    let (table, head) = (current(&world), world.header().expect("a table").clone());
    let provider = SimulatedProvider::new(SimulatedHardware::from_seed(&[9; 32]), world.config.measurement());
    let enclave = Enclave::new(world.config.clone(), &provider).expect("a configuration");
    let plan = |world: &World| {
        RoundPlan::new(&world.config, &world.key(), Some(&head), Log::default(), world.time).expect("plan")
    };
    let request = world.vault_request(Some(head.hash()), plan(&world).digests());
    let queries = enclave.attempt(request, world.time, &mut world.rng).expect("an attempt").queries(&[]).expect("none");
    let mut other = plan(&world);
    let request = world.vault_request(Some(head.hash()), other.digests());
    let opened = world.open(&enclave, request, &mut other);
    let refused = opened.answer(&queries, &table.header, &table.body, &mut world.rng);
    assert!(matches!(refused, Err(QueryError::OtherRequest)));
}

#[test]
fn too_many_queries_are_refused_before_any_is_read() {
    let (mut world, _) = World::with_makers(6);
    let table = current(&world);
    let refused = answers(&mut world, &table, &mut |_, _, _| vec![Vec::new(); GREATEST_QUERIES + 1]);
    assert!(matches!(refused, Err(QueryError::Count { most: GREATEST_QUERIES, found: 65 })));
}

/// The summary of the current table.
fn summary(world: &mut World) -> Result<Answers, QueryError> {
    let head = world.header().expect("a table").clone();
    let mut plan = RoundPlan::new(&world.config, &world.key(), Some(&head), Log::default(), world.time).expect("plan");
    let request = world.vault_request(Some(head.hash()), plan.digests());
    let provider = SimulatedProvider::new(SimulatedHardware::from_seed(&[9; 32]), world.config.measurement());
    let enclave = Enclave::new(world.config.clone(), &provider).expect("a configuration");
    let (opened, table) = (world.open(&enclave, request, &mut plan), current(world));
    opened.summary(&table.header, &table.body, &mut world.rng)
}

/// Two auditors in the order of their keys, and a set of them.
fn auditors() -> ([ReaderKey; 2], AuditorSet) {
    let mut keys = [1, 2].map(|seed| ReaderKey::generate(&mut StdRng::seed_from_u64(seed)));
    keys.sort_by_key(ReaderKey::public);
    let set = AuditorSet::new(6, keys.iter().map(ReaderKey::public).collect()).expect("a set");
    (keys, set)
}

#[test]
fn each_auditor_of_the_set_reads_the_same_totals_and_no_row() {
    let (keys, set) = auditors();
    let mut world = World::configured(7, |config| config.auditors = Some(set.clone()));
    world.idle();
    let maker = Owner::new(2);
    world.deposit([1; 20], &maker, BASE, 500);
    world.idle();
    let answers = summary(&mut world).expect("a summary");
    assert!(answers.check(&world.policy(), world.time).is_ok());
    assert_eq!(answers.sealed.iter().map(Vec::len).collect::<Vec<_>>(), [summary_len(2) + SEAL_OVERHEAD; 2]);
    let read: Vec<_> = (0..)
        .zip(&keys)
        .map(|(place, key)| key.open_summary(&answers.request, place, &answers.sealed[place as usize]).expect("opens"))
        .collect();
    assert_eq!(read[0], read[1]);
    let found = &read[0];
    assert_eq!((found.accounts, found.rows, found.frozen_rows, found.totals[0].held), (1, 2, 0, 500));
    assert_eq!((found.set_version, found.set), (6, set.digest()));
    let swapped = keys[0].open_summary(&answers.request, 1, &answers.sealed[1]);
    assert_eq!(swapped, Err(ReaderError::Closed));
    let as_holdings = keys[0].open_holdings(&answers.request, 0, &answers.sealed[0]);
    assert_eq!(as_holdings, Err(ReaderError::Closed), "a summary is no answer to an owner");
}

#[test]
fn without_auditors_there_is_no_summary_and_another_set_is_another_measurement() {
    let (_, set) = auditors();
    let mut world = World::new(8);
    assert!(matches!(summary(&mut world), Err(QueryError::NoAuditors)));
    let none = world.config.clone();
    let mut with = none.clone();
    with.auditors = Some(set.clone());
    let mut later = none.clone();
    later.auditors = Some(AuditorSet::new(7, set.keys().to_vec()).expect("a set"));
    assert_ne!(none.measurement(), with.measurement());
    assert_ne!(with.measurement(), later.measurement());
}

#[test]
fn reader_keys_survive_their_bytes() {
    let key = ReaderKey::generate(&mut StdRng::seed_from_u64(2));
    assert_eq!(ReaderKey::from_bytes(key.to_bytes().as_slice()).map(|key| key.public()), Ok(key.public()));
    assert_eq!(ReaderKey::from_bytes(&[0; 31]).err(), Some(ReaderError::Key));
    assert_eq!(key.open_holdings(&[0; 64], 0, &[0; 31]).err(), Some(ReaderError::Closed));
}

#[test]
fn n030_an_unclamped_secret_of_a_reader_is_refused() {
    let key = ReaderKey::generate(&mut StdRng::seed_from_u64(2)).to_bytes();
    for (at, bit) in [(0, 0x01), (0, 0x02), (0, 0x04), (31, 0x40), (31, 0x80)] {
        let mut unclamped = *key;
        unclamped[at] ^= bit;
        assert_eq!(ReaderKey::from_bytes(&unclamped).err(), Some(ReaderError::Key), "{at}, {bit}");
    }
}
