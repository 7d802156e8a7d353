//! A group's signature, made in Rust and verified by the contract on the embedded chain.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper that fails ends its test")]

mod common;

use std::sync::Arc;

use alloy::eips::BlockId;
use ccc_chain::bindings::QuorumForwarder;
use ccc_chain::{
    Chain, ChainError, Delivery, group, read, status, submit,
    submitter::{self, Policy, Submission, SystemClock},
};
use ccc_core::{
    epoch::Epoch,
    identifier::Identifier,
    keys::{ParticipantKeys, Roster, board::MemoryBoard},
    report::{
        Report, ReportContext, Statement, Verdict,
        group::{
            GroupReport, GroupSet, GroupSignature, PartialSignature,
            generation::{GroupSession, NewMember, OldMember, Outcome, Party, run_in_process},
        },
    },
    threshold::Threshold,
};
use common::{CHAIN_ID, World, anvil::Anvil, embedded_chain, refusal};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

type Keys = Vec<(Identifier, ParticipantKeys)>;

fn keys(seed: u64, numbers: std::ops::RangeInclusive<u16>) -> Keys {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    numbers.map(|i| (Identifier::new(i).unwrap(), ParticipantKeys::generate(&mut rng).unwrap())).collect()
}

/// n participants of whom any f + 1 sign.
fn roster(epoch: u64, t: u16, keys: &Keys) -> Roster {
    let threshold = Threshold::new(t, u16::try_from(keys.len()).unwrap()).unwrap();
    Roster::new(Epoch(epoch), threshold, keys.iter().map(|(i, keys)| keys.public(*i)).collect()).unwrap()
}

fn member<'k>(session: &GroupSession, (identifier, keys): &'k (Identifier, ParticipantKeys)) -> Party<'k> {
    Party::new(session.clone(), NewMember { identifier: *identifier, keys }).unwrap()
}

fn generate(t: u16, keys: &Keys) -> Vec<Outcome> {
    let session = GroupSession::generation(roster(1, t, keys), &[1; 32]).unwrap();
    let parties = keys.iter().map(|one| member(&session, one)).collect();
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let outcomes = run_in_process(parties, &mut MemoryBoard::new([1; 32]), &mut rng).unwrap();
    outcomes.into_iter().map(Result::unwrap).collect()
}

fn hand_over(old: &[Outcome], old_keys: &Keys, t: u16, new: &Keys) -> Vec<Outcome> {
    let session = GroupSession::handover(Arc::new(old[0].committee.clone()), roster(2, t, new), &[3; 32]).unwrap();
    let old = old.iter().zip(old_keys).map(|(outcome, (_, keys))| {
        let me = OldMember { share: outcome.share.as_ref().unwrap(), keys };
        Party::handover(session.clone(), Some(me), None).unwrap()
    });
    let new = new.iter().map(|(identifier, keys)| {
        Party::handover(session.clone(), None, Some(NewMember { identifier: *identifier, keys })).unwrap()
    });
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let outcomes = run_in_process(old.chain(new).collect(), &mut MemoryBoard::new([3; 32]), &mut rng).unwrap();
    outcomes.into_iter().map(Result::unwrap).filter(|outcome| outcome.share.is_some()).collect()
}

struct Group {
    world: World,
    set: GroupSet,
}

impl Group {
    /// A deployment whose forwarder knows the group in the place of its signers.
    async fn new(outcomes: &[Outcome]) -> Self {
        Self::on(embedded_chain(), outcomes).await
    }

    async fn on(chain: Chain, outcomes: &[Outcome]) -> Self {
        let world = World::on(chain).await;
        let set = GroupSet::of(&outcomes[0].committee, 1, 1).unwrap();
        let group = Self { world, set };
        group.configure(&group.possession(outcomes)).await.unwrap();
        group
    }

    fn possession(&self, outcomes: &[Outcome]) -> GroupSignature {
        let forwarder = self.world.deployment.forwarder.0.0;
        let shares = outcomes.iter().map(|outcome| outcome.share.as_ref().unwrap());
        let partials: Vec<_> = shares.map(|share| share.prove_possession(&self.set, CHAIN_ID, &forwarder)).collect();
        outcomes[0].committee.combine(&self.set.possession(CHAIN_ID, &forwarder), &partials).unwrap()
    }

    async fn configure(&self, possession: &GroupSignature) -> Result<ccc_chain::Sent, ChainError> {
        let World { chain, owner, deployment, .. } = &self.world;
        group::configure(chain, owner, deployment.forwarder, &self.set, possession).await
    }

    fn context(&self, sequence: u64) -> ReportContext {
        let config_digest = self.set.config_digest(CHAIN_ID, &self.world.deployment.forwarder.0.0);
        ReportContext { config_digest, sequence }
    }

    async fn report(&self, sequence: u64) -> Report {
        self.world.report(Statement::Solvency(self.world.solvency(Verdict::Solvent).await), sequence).await
    }

    fn signed(&self, report: Report, signers: &[Outcome]) -> GroupReport {
        let context = self.context(report.payload().binding.sequence);
        let shares = signers.iter().map(|outcome| outcome.share.as_ref().unwrap());
        let partials: Vec<PartialSignature> = shares.map(|share| share.sign(&report, &context)).collect();
        let forwarder = self.world.deployment.forwarder.0.0;
        GroupReport::assemble(report, context, &partials, &signers[0].committee, &self.set, &forwarder).unwrap()
    }

    async fn deliver(&self, signed: &GroupReport) -> Result<Delivery, ChainError> {
        submit::deliver(&self.world.chain, &self.world.stranger, self.world.deployment.forwarder, signed).await
    }
}

#[tokio::test]
async fn a_generated_group_signs_a_report_that_the_forwarder_delivers() {
    let keys = keys(1, 1..=4);
    let outcomes = generate(2, &keys);
    let group = Group::new(&outcomes).await;
    let signed = group.signed(group.report(1).await, &outcomes[1..3]);
    let delivery = group.deliver(&signed).await.unwrap();
    println!("a solvency report under a group's signature: {} gas", delivery.gas_used);
    let after = read::attestation(&group.world.chain, group.world.deployment.attestation, BlockId::latest()).await;
    assert_eq!(after.unwrap().verdict, Verdict::Solvent);
    // The signers of the deployment have been replaced.
    let old = group.world.report(Statement::Solvency(group.world.solvency(Verdict::Insolvent).await), 2).await;
    let refused = group.world.deliver(&group.world.signed(old)).await;
    assert_eq!(refusal(refused).1, "ConfigDigestMismatch");
}

/// The path of a group's report is that of every report: a second transmitter finds it done.
#[tokio::test]
async fn a_groups_report_that_another_delivered_is_done() {
    let outcomes = generate(2, &keys(1, 1..=4));
    let group = Group::new(&outcomes).await;
    let signed = group.signed(group.report(1).await, &outcomes[..2]);
    let first = group.deliver(&signed).await.unwrap();
    let World { chain, maker, deployment, stranger, .. } = &group.world;
    let again = submit::deliver(chain, maker, deployment.forwarder, &signed).await.unwrap();
    assert_eq!((again.transaction, again.transmitter), (first.transaction, stranger.address()));
    let (policy, clock) = (Policy::of(chain), SystemClock::start());
    let third = submitter::deliver(chain, maker, deployment.forwarder, &signed, &policy, &clock).await.unwrap();
    assert!(matches!(third, Submission::Before { transmitter } if transmitter == stranger.address()), "{third:?}");
}

#[tokio::test]
async fn the_status_tells_a_group_until_it_is_cleared() {
    let outcomes = generate(2, &keys(1, 1..=4));
    let group = Group::new(&outcomes).await;
    let World { chain, owner, deployment, .. } = &group.world;
    let held = status::read(chain, deployment).await.unwrap().configurations;
    assert!(held.signer_sets.is_empty(), "the group took the signers' place");
    let [found] = &held.groups[..] else { panic!("one group, found {}", held.groups.len()) };
    assert_eq!((found.don_id, found.config_version, found.f, found.participants), (1, 1, 1, 4));
    assert_eq!(found.key[..], group.set.key.to_eip2537());
    let forwarder = QuorumForwarder::new(deployment.forwarder, chain.provider());
    chain.send(owner, forwarder.clearConfig(1, 1).into_transaction_request()).await.unwrap();
    let held = status::read(chain, deployment).await.unwrap().configurations;
    assert_eq!(held, status::Configurations::default());
    let verifier = forwarder.verifier(1, 1).call().await.unwrap();
    assert_eq!(verifier, 0, "whoever reads it finds none of a group");
}

/// The precompiles of EIP-2537 are anvil's own here, and the gas is the same.
#[tokio::test]
async fn a_group_signs_on_anvil_what_it_signs_in_process() {
    let Ok(binary) = std::env::var("CCC_ANVIL") else {
        println!("CCC_ANVIL names no anvil binary: no other precompiles were asked.");
        return;
    };
    let anvil = Anvil::start(&binary);
    let outcomes = generate(2, &keys(1, 1..=4));
    let mut told = Vec::new();
    for chain in [embedded_chain(), anvil.chain().await] {
        let group = Group::on(chain, &outcomes).await;
        let signed = group.signed(group.report(1).await, &outcomes[1..3]);
        let delivery = group.deliver(&signed).await.unwrap();
        let after = read::attestation(&group.world.chain, group.world.deployment.attestation, BlockId::latest()).await;
        assert_eq!(after.unwrap().verdict, Verdict::Solvent);
        let strangers = generate(2, &keys(7, 1..=4));
        let refused = group.configure(&group.possession(&strangers)).await;
        told.push((delivery.block, delivery.gas_used, refusal(refused)));
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn a_new_committee_signs_under_the_same_configuration_after_a_handover() {
    let old_keys = keys(1, 1..=4);
    let old = generate(2, &old_keys);
    let group = Group::new(&old).await;
    let new = hand_over(&old, &old_keys, 2, &keys(5, 3..=6));
    assert_eq!(new.len(), 4);
    let signed = group.signed(group.report(1).await, &new[2..]);
    group.deliver(&signed).await.unwrap();
}

#[tokio::test]
async fn n118_another_groups_signature_and_possession_are_refused() {
    let group = Group::new(&generate(2, &keys(1, 1..=4))).await;
    let strangers = generate(2, &keys(7, 1..=4));
    let refused = group.configure(&group.possession(&strangers)).await;
    assert_eq!(refusal(refused).1, "InvalidPossession");
    // Whatever the strangers sign for themselves in the group's context, the forwarder knows another key.
    let (report, context) = (group.report(1).await, group.context(1));
    let shares = strangers.iter().map(|outcome| outcome.share.as_ref().unwrap());
    let partials: Vec<_> = shares.map(|share| share.sign(&report, &context)).collect();
    let theirs = GroupSet { key: strangers[0].committee.key(), ..group.set };
    let forwarder = group.world.deployment.forwarder.0.0;
    let refused = GroupReport::assemble(report, context, &partials, &strangers[0].committee, &theirs, &forwarder);
    assert!(matches!(refused, Err(ccc_core::report::group::GroupError::Report(_))));
}

/// 11 of 31 make a signature that costs as much as that of 2 of 4.
#[tokio::test]
async fn n149_a_group_of_thirty_one_costs_what_a_group_of_four_costs() {
    let (few, many) = (generate(2, &keys(1, 1..=4)), generate(11, &keys(1, 1..=31)));
    let (few_group, many_group) = (Group::new(&few).await, Group::new(&many).await);
    let one = few_group.deliver(&few_group.signed(few_group.report(1).await, &few)).await.unwrap();
    let other = many_group.deliver(&many_group.signed(many_group.report(1).await, &many)).await.unwrap();
    // Zero bytes of calldata cost less than others: the same but for that.
    assert!(one.gas_used.abs_diff(other.gas_used) < 500, "{} and {}", one.gas_used, other.gas_used);
}
