//! What a participant of the vault refuses, and what it gives once.

#![allow(clippy::panic, reason = "a helper of a test fails as the test does")]

#[path = "vault_node/journals.rs"]
mod journals;
mod support;

use ccc_core::{
    ciphertext::{Ciphertext, CiphertextError, Label, LabelKind},
    enclave::{
        AttemptKeys,
        attestation::{
            AttestationProvider, OperatingMode, PolicyRefusal,
            simulated::{SimulatedError, SimulatedHardware, SimulatedProvider},
        },
    },
    envelope::Envelope,
    epoch::Epoch,
    keys::KeyShareError,
    table::Head,
    vault::{
        AttestedRecipient, CombineError, Culprit, CulpritReason, Mode, Recipient, RequestError, compact,
        sealed::SealError, share::ShareError,
    },
};
use ccc_enclave::{
    attempt::{AttemptError, Enclave},
    intake::{self, RoundPlan},
};
use ccc_node::vault_node::{Ask, Behaviour, ChainView, Journal, MAX_RECIPIENTS, MemoryJournal, Refusal, VaultNode};
use pool::{EXPIRY, LOT, NOW, World};
use rand::{SeedableRng, rngs::StdRng};
use std::sync::Arc;
use support::{Asked, ask, attempt, copy, node, pool, view};

/// A pool with makers, and an attempt at a round that settles an order.
fn scene(seed: u64) -> (World, Asked, ChainView) {
    let (mut world, _) = World::with_makers(seed);
    let order = world.plain_order(25 * LOT);
    let request = world.request(&order);
    let view = view(&world, Some(&request));
    let asked = ask(&mut world, Some(request));
    (world, asked, view)
}

/// Participant 1's answer to an ask, with fresh journal and randomness.
fn answer(world: &World, view: &ChainView, ask: &Ask) -> Option<Refusal> {
    let mut rng = StdRng::seed_from_u64(5);
    node(world, 0).reencrypt(view, ask, world.time, &mut rng).err()
}

#[test]
fn honest_participants_open_an_attempt() {
    let (world, asked, view) = scene(1);
    let mut rng = StdRng::seed_from_u64(1);
    let envelopes = (0..3).map(|index| node(&world, index).reencrypt(&view, &asked.ask, world.time, &mut rng));
    let envelopes = envelopes.map(|answer| answer.expect("an answer").expect("not silent")).collect();
    let enclave = Enclave::new(world.config.clone(), &world.provider).expect("a configuration");
    let attempt = enclave.resume(asked.ask.request, asked.keys, world.time).expect("an attempt");
    let opened = attempt.open(&world.committee, asked.verified, envelopes).expect("opened");
    assert!(opened.culprits().is_empty());
}

#[test]
fn n041_requests_for_another_committee_chain_or_mode_are_refused() {
    let (world, asked, view) = scene(2);
    let refusal = |change: &dyn Fn(&mut Ask)| {
        let mut ask = asked.ask.clone();
        change(&mut ask);
        match answer(&world, &view, &ask) {
            Some(Refusal::Foreign { what }) => what,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refusal(&|ask| ask.request.chain += 1), "chain");
    assert_eq!(refusal(&|ask| ask.request.contract[0] ^= 1), "contract");
    assert_eq!(refusal(&|ask| ask.request.epoch = Epoch(2)), "epoch");
    assert_eq!(refusal(&|ask| ask.request.committee[0] ^= 1), "committee");
    assert_eq!(refusal(&|ask| ask.request.mode = Mode::Public), "mode");
    assert_eq!(refusal(&|ask| ask.request.mode = Mode::Compact), "mode");
}

#[test]
fn n041_a_participant_serves_one_mode_and_the_public_one_never() {
    let (world, asked, view) = scene(2);
    let answered = |serves: Mode, asks: Mode| {
        let mut ask = asked.ask.clone();
        ask.request.mode = asks;
        ask.card = reattest(&world, &ask);
        let mut rng = StdRng::seed_from_u64(5);
        match node(&world, 0).with_mode(serves).reencrypt(&view, &ask, world.time, &mut rng) {
            Ok(Some(_)) => true,
            Err(Refusal::Foreign { what: "mode" }) => false,
            other => panic!("{other:?}"),
        }
    };
    let modes = [Mode::Public, Mode::Sealed, Mode::Compact];
    for (serves, asks) in modes.into_iter().flat_map(|serves| modes.map(|asks| (serves, asks))) {
        assert_eq!(answered(serves, asks), serves == asks && serves != Mode::Public, "{serves} {asks}");
    }
}

#[test]
fn n050_n133_a_block_that_is_not_read_here_and_a_late_request_are_refused() {
    let (world, asked, view) = scene(3);
    let abandoned = ChainView { block_hash: [0xBC; 32], ..view.clone() };
    assert!(matches!(answer(&world, &abandoned, &asked.ask), Some(Refusal::Block)));
    let mut rng = StdRng::seed_from_u64(5);
    let deadline = asked.ask.request.deadline;
    assert!(node(&world, 0).reencrypt(&view, &asked.ask, deadline, &mut rng).is_ok());
    match node(&world, 0).reencrypt(&view, &asked.ask, deadline + 1, &mut rng).err() {
        Some(Refusal::Expired { deadline: last, now }) => assert_eq!((last, now), (deadline, deadline + 1)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn n048_other_ciphertexts_than_the_request_or_the_chain_names_are_refused() {
    let (mut world, asked, view) = scene(4);
    let mut fewer = asked.ask.clone();
    fewer.ciphertexts.pop();
    assert!(matches!(answer(&world, &view, &fewer), Some(Refusal::OtherCiphertext { index: 4 })));
    let mut swapped = asked.ask.clone();
    swapped.ciphertexts.swap(1, 2);
    assert!(matches!(answer(&world, &view, &swapped), Some(Refusal::OtherCiphertext { index: 1 })));
    let unknown = ChainView { submissions: Arc::default(), ..view.clone() };
    assert!(matches!(answer(&world, &unknown, &asked.ask), Some(Refusal::NotOnChain { index: 1 })));
    let change = |change: &dyn Fn(&mut ccc_node::vault_node::OnChain)| {
        let mut view = view.clone();
        let id = asked.ask.ciphertexts[2].label().id;
        change(Arc::make_mut(&mut view.submissions).get_mut(&id).expect("known"));
        answer(&world, &view, &asked.ask)
    };
    assert!(matches!(change(&|known| known.hash[0] ^= 1), Some(Refusal::NotOnChain { index: 2 })));
    assert!(matches!(change(&|known| known.who[0] ^= 1), Some(Refusal::NotOnChain { index: 2 })));
    let id = asked.ask.ciphertexts[1].label().id;
    let who = asked.ask.ciphertexts[1].label().requester;
    let label = intake::label(&world.config, id, who, EXPIRY);
    let other = Ciphertext::encrypt(&world.key(), &label, b"another", &mut world.rng).expect("encrypts");
    let replaced = with(&mut world, &asked, 1, other);
    assert!(matches!(answer(&world, &view, &replaced), Some(Refusal::NotOnChain { index: 1 })));
}

/// The ask with one ciphertext replaced, named by the request and attested anew.
fn with(world: &mut World, asked: &Asked, index: usize, ciphertext: Ciphertext) -> Ask {
    let mut ask = asked.ask.clone();
    ask.request.ciphertexts[index] = ciphertext.digest();
    ask.ciphertexts[index] = ciphertext;
    ask.card = attempt(world, &ask.request).1;
    ask
}

#[test]
fn n046_labels_that_participants_do_not_open_are_refused() {
    let (mut world, asked, view) = scene(5);
    let refusal = |world: &mut World, change: &dyn Fn(&mut Label)| {
        let mut label = asked.ask.ciphertexts[1].label().clone();
        change(&mut label);
        let other = Ciphertext::encrypt(&world.key(), &label, &[1; 32], &mut world.rng).expect("encrypts");
        let ask = with(world, &asked, 1, other);
        answer(world, &view, &ask)
    };
    let foreign = "for another contract or chain";
    let refused = refusal(&mut world, &|label| label.chain += 1);
    assert!(matches!(refused, Some(Refusal::Label { index: 1, what }) if what == foreign));
    let refused = refusal(&mut world, &|label| label.contract[0] ^= 1);
    assert!(matches!(refused, Some(Refusal::Label { index: 1, what }) if what == foreign));
    let refused = refusal(&mut world, &|label| label.kind = LabelKind::Public);
    let public = "of a kind that is not re-encrypted";
    assert!(matches!(refused, Some(Refusal::Label { index: 1, what }) if what == public));
    let label = asked.ask.ciphertexts[0].label().clone();
    let second_key = Ciphertext::encrypt(&world.key(), &label, &[1; 32], &mut world.rng).expect("encrypts");
    let second_key = with(&mut world, &asked, 1, second_key);
    assert!(matches!(answer(&world, &view, &second_key), Some(Refusal::Header)));
}

#[test]
fn n050_a_ciphertext_past_its_expiry_is_refused() {
    let (mut world, asked, view) = scene(6);
    world.time = EXPIRY;
    let last = ChainView { time: EXPIRY, ..view };
    let mut late = asked.ask.clone();
    late.request.deadline = EXPIRY + 300;
    late.card = attempt(&mut world, &late.request).1;
    assert!(answer(&world, &last, &late).is_none());
    let past = ChainView { time: EXPIRY + 1, ..last };
    let refused = answer(&world, &past, &late);
    assert!(matches!(refused, Some(Refusal::Label { index: 1, what: "past its expiry" })));
}

#[test]
fn an_order_is_not_opened_before_its_deadline() {
    let (world, asked, view) = scene(7);
    let early = ChainView { time: world.time - 1, ..view.clone() };
    match answer(&world, &early, &asked.ask) {
        Some(Refusal::TooEarly { index, opens_at, time }) => {
            assert_eq!((index, opens_at, time), (4, world.time, world.time - 1));
        }
        other => panic!("{other:?}"),
    }
    assert!(answer(&world, &view, &asked.ask).is_none());
}

#[test]
fn a_ciphertext_that_fails_its_proof_is_refused() {
    let (mut world, asked, mut view) = scene(8);
    let mut bytes = asked.ask.ciphertexts[1].to_bytes();
    *bytes.last_mut().expect("bytes") ^= 1;
    let broken = Ciphertext::from_bytes(&bytes).expect("parses");
    let ask = with(&mut world, &asked, 1, broken);
    let id = ask.ciphertexts[1].label().id;
    let known = Arc::make_mut(&mut view.submissions).get_mut(&id).expect("submitted");
    known.hash = ccc_core::report::keccak256(&[&bytes]);
    let refused = answer(&world, &view, &ask);
    assert!(matches!(refused, Some(Refusal::Ciphertext { index: 1, source: CiphertextError::Proof })), "{refused:?}");
}

#[test]
fn n121_n132_the_key_of_a_table_that_is_not_current_is_refused() {
    let (mut world, makers) = World::with_makers(9);
    let old = ask(&mut world, None);
    let former = world.header().expect("a header").head();
    world.deposit([1; 20], &makers[0], 0, 5);
    world.idle();
    let current = world.header().expect("a header").head();
    let view = view(&world, None);
    match answer(&world, &view, &old.ask) {
        Some(Refusal::Rollback(error)) => assert_eq!((error.expected, error.found), (current, former)),
        other => panic!("{other:?}"),
    }
    let nothing = ChainView { header_hash: [0; 32], version: 0, ..view };
    let asked = ask(&mut world, None);
    match answer(&world, &nothing, &asked.ask) {
        Some(Refusal::Rollback(error)) => assert_eq!(error.expected, Head { hash: [0; 32], version: 0 }),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_tables_key_comes_with_its_header_and_first() {
    let (mut world, asked, view) = scene(10);
    let refusal = |world: &mut World, change: &dyn Fn(&mut Ask)| {
        let mut ask = asked.ask.clone();
        change(&mut ask);
        ask.card = attempt(world, &ask.request).1;
        answer(world, &view, &ask)
    };
    let changes: [&dyn Fn(&mut Ask); 4] = [
        &|ask| ask.header = None,
        &|ask| ask.request.table_header = None,
        &|ask| {
            ask.header = None;
            ask.request.table_header = None;
        },
        &|ask| {
            ask.request.ciphertexts.swap(0, 1);
            ask.ciphertexts.swap(0, 1);
        },
    ];
    for change in changes {
        let refused = refusal(&mut world, change);
        assert!(matches!(refused, Some(Refusal::Header)), "{refused:?}");
    }
}

#[test]
fn n066_n069_keys_that_the_evidence_does_not_carry_are_refused() {
    let (mut world, asked, view) = scene(11);
    let (_, other) = attempt(&mut world, &asked.ask.request);
    let mut ask = asked.ask.clone();
    ask.card.recipient.x = other.recipient.x;
    assert!(matches!(answer(&world, &view, &ask), Some(Refusal::Policy(PolicyRefusal::UserData))));
    let mut ask = asked.ask.clone();
    let Recipient { x, measurement, .. } = ask.card.recipient;
    ask.card.recipient = Recipient::new(x, &other.recipient.e(), measurement).expect("a point");
    assert!(matches!(answer(&world, &view, &ask), Some(Refusal::Policy(PolicyRefusal::UserData))));
    let mut ask = asked.ask.clone();
    ask.card.recipient.measurement = [1; 32];
    match answer(&world, &view, &ask) {
        Some(Refusal::Measurement { expected, found }) => {
            assert_eq!((expected, found), (world.config.measurement(), [1; 32]));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn n093_n094_n096_n097_n098_n100_evidence_that_the_policy_refuses() {
    let (world, asked, view) = scene(12);
    let evidence = |provider: &SimulatedProvider, nonce: &[u8; 64], now: u64| {
        let mut ask = asked.ask.clone();
        let user_data = ask.card.recipient.user_data(&ask.request.digest());
        ask.card.evidence = provider.attest(&user_data, nonce, now).expect("evidence");
        match answer(&world, &view, &ask) {
            None => None,
            Some(Refusal::Policy(refusal)) => Some(refusal),
            other => panic!("{other:?}"),
        }
    };
    let root = || SimulatedHardware::from_seed(&[9; 32]);
    let (nonce, now) = (asked.ask.request.digest(), world.time);
    let genuine = SimulatedProvider::new(root(), world.config.measurement());
    assert_eq!(evidence(&genuine, &nonce, now), None);
    let other_program = SimulatedProvider::new(root(), [7; 32]);
    let refused = evidence(&other_program, &nonce, now);
    assert_eq!(refused, Some(PolicyRefusal::Measurement { found: [7; 32], listed: 1 }));
    assert_eq!(evidence(&genuine, &[0; 64], now), Some(PolicyRefusal::Nonce));
    assert_eq!(evidence(&genuine, &nonce, now - 601), Some(PolicyRefusal::Age { found: 601, max_age: 600 }));
    let refused = evidence(&genuine, &nonce, now - 3_601);
    assert!(matches!(refused, Some(PolicyRefusal::NotGenuine(SimulatedError::Validity { .. }))));
    let refused = evidence(&genuine, &nonce, now + 1);
    assert!(matches!(refused, Some(PolicyRefusal::NotGenuine(SimulatedError::Validity { .. }))));
    let debug = SimulatedProvider::new(root(), world.config.measurement()).in_debug_mode();
    assert_eq!(evidence(&debug, &nonce, now), Some(PolicyRefusal::Debug));
    let stranger = SimulatedProvider::new(SimulatedHardware::from_seed(&[8; 32]), world.config.measurement());
    assert_eq!(evidence(&stranger, &nonce, now), Some(PolicyRefusal::NoRoot));
}

#[test]
fn n095_evidence_with_any_byte_altered_is_refused() {
    let (world, asked, view) = scene(13);
    for byte in 0..asked.ask.card.evidence.len() {
        let mut ask = asked.ask.clone();
        ask.card.evidence[byte] ^= 1;
        let refused = answer(&world, &view, &ask);
        assert!(matches!(refused, Some(Refusal::Policy(_))), "byte {byte}: {refused:?}");
    }
    let mut ask = asked.ask.clone();
    ask.card.evidence.clear();
    assert!(matches!(answer(&world, &view, &ask), Some(Refusal::Policy(PolicyRefusal::Encoding(_)))));
}

#[test]
fn n099_n112_policies_that_accept_nothing_simulated_or_nothing_at_all() {
    let (world, asked, view) = scene(14);
    let refusal = |change: &dyn Fn(&mut ccc_core::enclave::attestation::Policy)| {
        let mut policy = world.policy();
        change(&mut policy);
        let (keys, share) = copy(&world, 0);
        let served = (world.config.chain, world.config.pool);
        let journal = MemoryJournal::default();
        let mut node = VaultNode::new(keys, share, world.committee.clone(), policy, served, journal);
        match node.reencrypt(&view, &asked.ask, world.time, &mut StdRng::seed_from_u64(1)) {
            Err(Refusal::Policy(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refusal(&|policy| policy.mode = OperatingMode::Production), PolicyRefusal::Simulated);
    let found = world.config.measurement();
    assert_eq!(refusal(&|policy| policy.measurements.clear()), PolicyRefusal::Measurement { found, listed: 0 });
    assert_eq!(refusal(&|policy| policy.simulated_roots.clear()), PolicyRefusal::NoRoot);
}

/// Participant `index`, started again on its journal.
fn restarted<'j>(world: &World, index: usize, journal: &'j mut MemoryJournal) -> VaultNode<&'j mut MemoryJournal> {
    let (keys, share) = copy(world, index);
    let served = (world.config.chain, world.config.pool);
    VaultNode::new(keys, share, world.committee.clone(), world.policy(), served, journal)
}

/// What participants 1 to 3, started again on their journals, answer to an ask.
fn answers_after_restart(
    world: &mut World,
    journals: &mut [MemoryJournal; 3],
    view: &ChainView,
    ask: &Ask,
) -> Vec<Envelope> {
    let mut answers = Vec::new();
    for (index, journal) in journals.iter_mut().enumerate() {
        let answer = restarted(world, index, journal).reencrypt(view, ask, world.time, &mut world.rng);
        answers.push(answer.expect("an answer").expect("not silent"));
    }
    answers
}

#[test]
fn n047_n068_n073_a_repeat_gets_the_same_bytes_and_a_restarted_enclave_its_own() {
    let (mut world, asked, view) = scene(15);
    let mut journals = <[MemoryJournal; 3]>::default();
    let first = answers_after_restart(&mut world, &mut journals, &view, &asked.ask);
    assert_eq!(answers_after_restart(&mut world, &mut journals, &view, &asked.ask), first);
    let (keys, card) = attempt(&mut world, &asked.ask.request);
    let second = Ask { card, ..asked.ask.clone() };
    let fresh = answers_after_restart(&mut world, &mut journals, &view, &second);
    assert!(fresh.iter().zip(&first).all(|(fresh, first)| fresh != first));
    assert_eq!(answers_after_restart(&mut world, &mut journals, &view, &second), fresh);
    assert_eq!(answers_after_restart(&mut world, &mut journals, &view, &asked.ask), first);
    let enclave = Enclave::new(world.config.clone(), &world.provider).expect("a configuration");
    let attempt = enclave.resume(asked.ask.request.clone(), asked.keys, world.time).expect("an attempt");
    let refused = attempt.open(&world.committee, asked.verified.clone(), fresh.clone()).err();
    assert!(matches!(
        refused,
        Some(AttemptError::Shares(CombineError::NotEnoughShares { need: 3, have: 0, culprits })) if culprits.is_empty()
    ));
    let attempt = enclave.resume(asked.ask.request, keys, world.time).expect("an attempt");
    let opened = attempt.open(&world.committee, asked.verified, fresh).expect("the restarted enclave opens");
    assert!(opened.culprits().is_empty());
}

#[test]
fn n047_recipients_of_one_request_are_bounded_and_a_restart_does_not_forget_them() {
    let (mut world, asked, view) = scene(23);
    let mut journal = MemoryJournal::default();
    let mut asks = vec![asked.ask.clone()];
    while asks.len() <= MAX_RECIPIENTS {
        let card = attempt(&mut world, &asked.ask.request).1;
        asks.push(Ask { card, ..asked.ask.clone() });
    }
    let last = asks.pop().expect("one too many");
    let mut given = Vec::new();
    for ask in &asks {
        let answer = restarted(&world, 0, &mut journal).reencrypt(&view, ask, world.time, &mut world.rng);
        given.push(answer.expect("an answer"));
    }
    match restarted(&world, 0, &mut journal).reencrypt(&view, &last, world.time, &mut world.rng).err() {
        Some(Refusal::Recipients { answered }) => assert_eq!(answered, MAX_RECIPIENTS),
        other => panic!("{other:?}"),
    }
    for (ask, given) in asks.iter().zip(given) {
        let again = restarted(&world, 0, &mut journal).reencrypt(&view, ask, world.time, &mut world.rng);
        assert_eq!(again.expect("the same"), given);
    }
}

#[test]
fn another_digest_is_refused_after_a_restart_and_for_a_fresh_recipient() {
    let (mut world, asked, view) = scene(24);
    let mut journal = MemoryJournal::default();
    assert!(restarted(&world, 0, &mut journal).reencrypt(&view, &asked.ask, world.time, &mut world.rng).is_ok());
    let mut other = asked.ask.clone();
    other.request.deadline += 1;
    for _ in 0..2 {
        other.card = attempt(&mut world, &other.request).1;
        let refused = restarted(&world, 0, &mut journal).reencrypt(&view, &other, world.time, &mut world.rng).err();
        assert!(matches!(refused, Some(Refusal::Answered)), "{refused:?}");
    }
    assert_eq!(journal.answers(&asked.ask.request.id).expect("in memory").len(), 1);
}

#[test]
fn another_digest_under_an_answered_identifier_is_refused() {
    let (mut world, asked, view) = scene(16);
    let mut node = node(&world, 0);
    assert!(node.reencrypt(&view, &asked.ask, world.time, &mut world.rng).is_ok());
    let mut other = asked.ask.clone();
    other.request.deadline += 1;
    other.card = attempt(&mut world, &other.request).1;
    let refused = node.reencrypt(&view, &other, world.time, &mut world.rng).err();
    assert!(matches!(refused, Some(Refusal::Answered)));
    let mut fresh = other;
    fresh.request.id = [0xAB; 32];
    fresh.card = attempt(&mut world, &fresh.request).1;
    // a fresh identifier does not open the same order once more
    let refused = node.reencrypt(&view, &fresh, world.time, &mut world.rng).err();
    assert!(matches!(refused, Some(Refusal::Label { what, .. }) if what.contains("another identifier")));
}

#[test]
fn a_share_of_another_committee_and_a_weak_key_make_no_answer() {
    let (mut world, asked, view) = scene(18);
    let (_, mut strangers) = pool::committee(99);
    let (keys, share) = strangers.remove(0);
    let served = (world.config.chain, world.config.pool);
    let journal = MemoryJournal::default();
    let mut node = VaultNode::new(keys, share, world.committee.clone(), world.policy(), served, journal);
    let refused = node.reencrypt(&view, &asked.ask, world.time, &mut world.rng).err();
    assert!(matches!(refused, Some(Refusal::Seal(SealError::Share(ShareError::KeyShare(_))))), "{refused:?}");
    let mut ask = asked.ask.clone();
    ask.card.recipient.x = [0; 32];
    ask.card = reattest(&world, &ask);
    assert!(matches!(answer(&world, &view, &ask), Some(Refusal::Seal(SealError::WeakRecipient))));
}

/// Genuine evidence for whatever keys the card holds.
fn reattest(world: &World, ask: &Ask) -> AttestedRecipient {
    let (recipient, digest) = (ask.card.recipient, ask.request.digest());
    let evidence = world.provider.attest(&recipient.user_data(&digest), &digest, world.time).expect("evidence");
    AttestedRecipient { recipient, evidence }
}

#[test]
fn n057_n071_a_liar_is_named_by_the_enclave_and_a_silent_one_is_not_missed() {
    let (mut world, asked, view) = scene(19);
    let behaviours = [Behaviour::Honest, Behaviour::Lying, Behaviour::Honest, Behaviour::Honest];
    let envelopes = answers(&mut world, &view, &asked.ask, behaviours);
    assert_eq!(envelopes.len(), 4);
    let enclave = Enclave::new(world.config.clone(), &world.provider).expect("a configuration");
    let attempt = enclave.resume(asked.ask.request.clone(), asked.keys, world.time).expect("an attempt");
    let opened = attempt.open(&world.committee, asked.verified, envelopes).expect("opened");
    let liar = Culprit { identifier: world.members[1].1.identifier(), reason: CulpritReason::Proof };
    assert_eq!(opened.culprits(), [liar]);
    let (mut world, asked, view) = scene(20);
    let behaviours = [Behaviour::Silent, Behaviour::Honest, Behaviour::Honest, Behaviour::Honest];
    let envelopes = answers(&mut world, &view, &asked.ask, behaviours);
    assert_eq!(envelopes.len(), 3);
    let enclave = Enclave::new(world.config.clone(), &world.provider).expect("a configuration");
    let attempt = enclave.resume(asked.ask.request, asked.keys, world.time).expect("an attempt");
    assert!(attempt.open(&world.committee, asked.verified, envelopes).is_ok_and(|opened| opened.culprits().is_empty()));
}

fn answers(world: &mut World, view: &ChainView, ask: &Ask, behaviours: [Behaviour; 4]) -> Vec<Envelope> {
    let mut envelopes = Vec::new();
    for (index, behaviour) in behaviours.into_iter().enumerate() {
        let mut node = node(world, index).with_behaviour(behaviour);
        envelopes.extend(node.reencrypt(view, ask, world.time, &mut world.rng).expect("no refusal"));
    }
    envelopes
}

#[test]
fn n133_after_a_reorganisation_the_abandoned_branch_is_not_served_and_the_new_one_is() {
    let (mut world, makers) = World::with_makers(21);
    let parent = world.table.clone().expect("a table");
    world.idle();
    let abandoned = ask(&mut world, None);
    world.table = Some(parent);
    world.deposit([1; 20], &makers[0], 0, 5);
    let view = ChainView { block_hash: [0xBB; 32], ..view(&world, None) };
    assert!(matches!(answer(&world, &view, &abandoned.ask), Some(Refusal::Rollback(_))));
    let recovered = ask(&mut world, None);
    assert!(answer(&world, &view, &recovered.ask).is_none());
}

#[test]
fn a_plan_of_the_first_version_asks_nobody() {
    let world = World::empty(22);
    let plan = RoundPlan::new(&world.config, &world.key(), None, world.log(None), NOW).expect("a plan");
    assert!(plan.digests().is_empty());
}

#[test]
fn n071_a_host_combines_compact_answers_and_what_it_spoils_the_envelopes_open() {
    let (world, mut asked, view) = scene(20);
    asked.ask.request.mode = Mode::Compact;
    let enclave = Enclave::new(world.config.clone(), &world.provider).expect("a configuration");
    let attempt = |keys: &[u8]| {
        let keys = AttemptKeys::from_bytes(keys).expect("keys");
        enclave.resume(asked.ask.request.clone(), keys, world.time).expect("an attempt")
    };
    let keys = asked.keys.to_bytes();
    let ask = Ask { card: attempt(&keys).card().clone(), ..asked.ask.clone() };
    let mut envelopes = Vec::new();
    for (index, behaviour) in
        [Behaviour::Honest, Behaviour::Lying, Behaviour::Honest, Behaviour::Honest].into_iter().enumerate()
    {
        let mut node = node(&world, index).with_mode(Mode::Compact).with_behaviour(behaviour);
        envelopes.extend(node.reencrypt(&view, &ask, world.time, &mut StdRng::seed_from_u64(7)).expect("an answer"));
    }
    let (request, recipient) = (&ask.request, &ask.card.recipient);
    let liar = |culprits: &[Culprit]| {
        assert!(matches!(culprits, [Culprit { identifier, .. }] if identifier.get() == 2), "{culprits:?}");
    };
    let made = compact::combine(
        &world.committee,
        request,
        recipient,
        &asked.verified,
        &envelopes,
        &mut StdRng::seed_from_u64(8),
    );
    let made = made.expect("three partials");
    liar(&made.culprits);
    let opened = attempt(&keys)
        .open_combined(&world.committee, asked.verified.clone(), &made.combined, || panic!("the pairs open"))
        .expect("opened");
    assert!(opened.culprits().is_empty());
    let spoilt = compact::combine_unverified(&world.committee, request, recipient, &asked.verified, &envelopes);
    let spoilt = spoilt.expect("pairs");
    let opened = attempt(&keys)
        .open_combined(&world.committee, asked.verified.clone(), &spoilt, || envelopes.clone())
        .expect("opened");
    liar(opened.culprits());
    let none = attempt(&keys).open_combined(&world.committee, asked.verified, &spoilt, Vec::new);
    assert!(matches!(none.err(), Some(AttemptError::Shares(CombineError::NotEnoughShares { .. }))));
}

/// What an old copy of a journal has forgotten its owner cannot know. The others know it: with their journals as they are,
/// F participants that were set back do not make the t shares for a second request under an identifier.
#[test]
fn n156f_a_participant_set_back_to_an_old_journal_opens_nothing_a_second_time() {
    let (mut world, asked, view) = scene(25);
    let mut journals: Vec<_> = (0..4).map(|_| MemoryJournal::default()).collect();
    for (index, journal) in journals.iter_mut().enumerate() {
        let answer = restarted(&world, index, journal).reencrypt(&view, &asked.ask, world.time, &mut world.rng);
        assert!(answer.is_ok(), "participant {index}");
    }
    journals[0] = MemoryJournal::default();
    let mut other = asked.ask.clone();
    other.request.deadline += 1;
    let (keys, card) = attempt(&mut world, &other.request);
    other.card = card;
    let mut envelopes = Vec::new();
    for (index, journal) in journals.iter_mut().enumerate() {
        match restarted(&world, index, journal).reencrypt(&view, &other, world.time, &mut world.rng) {
            Ok(answer) => envelopes.push(answer.expect("not silent")),
            Err(Refusal::Answered) => assert_ne!(index, 0),
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(envelopes.len(), 1, "the one that was set back");
    let enclave = Enclave::new(world.config.clone(), &world.provider).expect("a configuration");
    let attempt = enclave.resume(other.request, keys, world.time).expect("an attempt");
    match attempt.open(&world.committee, asked.verified, envelopes).err() {
        Some(AttemptError::Shares(CombineError::NotEnoughShares { need, have, .. })) => {
            assert_eq!((need, have), (3, 1));
        }
        other => panic!("{other:?}"),
    }
}

/// A share of the epoch before is no share: a participant that was restored from a backup of before a handover is refused
/// by its own committee file, and its answers by the enclave.
#[test]
fn n156f_a_participant_set_back_to_the_share_of_a_former_epoch_is_refused() {
    let (mut world, asked, view) = scene(26);
    world.hand_over(126);
    let (_, share) = copy(&world, 0);
    world.swap();
    let (_, old) = copy(&world, 0);
    world.swap();
    assert!(share.matches(&world.committee).is_ok());
    let refused = old.matches(&world.committee);
    assert_eq!(refused, Err(KeyShareError::Epoch { expected: Epoch(2), found: Epoch(1) }));
    match answer(&world, &view, &asked.ask) {
        Some(Refusal::Foreign { what }) => assert_eq!(what, "epoch"),
        other => panic!("{other:?}"),
    }
}

/// Who has no evidence learns nothing of the chain and has no proof verified; a ciphertext named twice costs no proof.
#[test]
fn n051_n052_evidence_and_repeats_are_judged_before_anything_else_of_an_ask() {
    let (world, asked, view) = scene(31);
    let mut forged = asked.ask.clone();
    forged.card.evidence[40] ^= 1;
    let here = answer(&world, &view, &forged);
    assert!(matches!(here, Some(Refusal::Policy(_))), "{here:?}");
    let unknown = ChainView { submissions: Arc::default(), ..view.clone() };
    assert_eq!(answer(&world, &unknown, &forged).map(|refusal| refusal.to_string()), here.map(|why| why.to_string()));
    let mut twice = asked.ask.clone();
    twice.request.ciphertexts.push(twice.request.ciphertexts[0]);
    let twice = answer(&world, &view, &twice);
    assert!(matches!(twice, Some(Refusal::Request(RequestError::Repeated { .. }))), "{twice:?}");
}
