//! Journals that fail, and how long an answer stays in one.

use super::{ask, attempt, copy, node, pool::EXPIRY, restarted, scene, support};
use ccc_node::vault_node::{Answer, ChainView, Journal, MAX_LIFETIME, MemoryJournal, Refusal, VaultNode};
use rand::{SeedableRng, rngs::StdRng};

/// A journal on a full disk.
struct Full;

impl Journal for Full {
    fn answers(&self, _: &[u8; 32]) -> Result<Vec<Answer>, String> {
        Ok(Vec::new())
    }

    fn keep(&mut self, _: [u8; 32], _: &Answer) -> Result<(), String> {
        Err("no space left".to_owned())
    }
}

#[test]
fn an_answer_that_cannot_be_kept_is_not_given() {
    let (mut world, asked, view) = scene(17);
    let (keys, share) = copy(&world, 0);
    let served = (world.config.chain, world.config.pool);
    let mut node = VaultNode::new(keys, share, world.committee.clone(), world.policy(), served, Full);
    match node.reencrypt(&view, &asked.ask, world.time, &mut world.rng).err() {
        Some(Refusal::Journal { reason }) => assert_eq!(reason, "no space left"),
        other => panic!("{other:?}"),
    }
}

/// A journal that cannot be read: there may be another answer in it.
struct Unreadable;

impl Journal for Unreadable {
    fn answers(&self, _: &[u8; 32]) -> Result<Vec<Answer>, String> {
        Err("the medium failed".to_owned())
    }

    fn keep(&mut self, _: [u8; 32], _: &Answer) -> Result<(), String> {
        Ok(())
    }
}

#[test]
fn nothing_is_given_while_the_journal_cannot_be_read() {
    let (mut world, asked, view) = scene(26);
    let (keys, share) = copy(&world, 0);
    let served = (world.config.chain, world.config.pool);
    let mut node = VaultNode::new(keys, share, world.committee.clone(), world.policy(), served, Unreadable);
    match node.reencrypt(&view, &asked.ask, world.time, &mut world.rng).err() {
        Some(Refusal::Journal { reason }) => assert_eq!(reason, "the medium failed"),
        other => panic!("{other:?}"),
    }
}

/// Otherwise a host fills the journal with what never ends.
#[test]
fn a_request_that_ends_too_far_ahead_is_refused() {
    let (mut world, asked, view) = scene(27);
    let mut far = asked.ask.clone();
    far.request.deadline = world.time + MAX_LIFETIME;
    far.card = attempt(&mut world, &far.request).1;
    assert!(node(&world, 0).reencrypt(&view, &far, world.time, &mut world.rng).is_ok());
    far.request.deadline += 1;
    far.card = attempt(&mut world, &far.request).1;
    let refused = node(&world, 0).reencrypt(&view, &far, world.time, &mut world.rng).err();
    assert!(matches!(refused, Some(Refusal::Lifetime { .. })), "{refused:?}");
}

/// The answers that opened an order are remembered for as long as its label lives, and others until their request ends.
#[test]
fn an_answer_is_kept_until_nothing_could_be_asked_under_its_identifier() {
    let (mut world, asked, view) = scene(28);
    let mut journal = MemoryJournal::default();
    assert!(restarted(&world, 0, &mut journal).reencrypt(&view, &asked.ask, world.time, &mut world.rng).is_ok());
    let until = |journal: &MemoryJournal, id: &[u8; 32]| journal.answers(id).expect("in memory")[0].until;
    assert!(asked.ask.request.deadline < EXPIRY);
    assert_eq!(until(&journal, &asked.ask.request.id), EXPIRY);
    let plain = ask(&mut world, None);
    let view = support::view(&world, None);
    let mut journal = MemoryJournal::default();
    assert!(restarted(&world, 0, &mut journal).reencrypt(&view, &plain.ask, world.time, &mut world.rng).is_ok());
    assert_eq!(until(&journal, &plain.ask.request.id), plain.ask.request.deadline);
}

/// A journal that has forgotten whatever ended before a second.
struct Forgot(u64);

impl Journal for Forgot {
    fn answers(&self, _: &[u8; 32]) -> Result<Vec<Answer>, String> {
        Ok(Vec::new())
    }

    fn keep(&mut self, _: [u8; 32], answer: &Answer) -> Result<(), String> {
        if answer.until < self.0 { Err("forgotten".to_owned()) } else { Ok(()) }
    }
}

/// A request that is checked against a block from before the order's expiry, and kept after the order was forgotten: its
/// deadline does not keep the order open.
#[test]
fn n047_an_order_that_was_forgotten_is_not_opened_by_a_request_with_a_later_deadline() {
    let (mut world, asked, view) = scene(29);
    world.time = EXPIRY;
    let before = ChainView { time: EXPIRY, ..view };
    let mut late = asked.ask.clone();
    late.request.deadline = EXPIRY + 300;
    late.card = attempt(&mut world, &late.request).1;
    let answer = |past| {
        let (keys, share) = copy(&world, 0);
        let served = (world.config.chain, world.config.pool);
        let mut node = VaultNode::new(keys, share, world.committee.clone(), world.policy(), served, Forgot(past));
        node.reencrypt(&before, &late, EXPIRY, &mut StdRng::seed_from_u64(5)).err()
    };
    assert!(answer(EXPIRY).is_none(), "nothing of it is forgotten");
    assert!(matches!(answer(EXPIRY + 1), Some(Refusal::Journal { reason }) if reason == "forgotten"));
}
