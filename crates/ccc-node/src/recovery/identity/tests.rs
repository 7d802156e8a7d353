//! On the embedded chain: an enclave's identity admitted, renewed, refused after its expiry and once it is revoked.

#![allow(clippy::panic, clippy::expect_used, reason = "a helper that fails ends its test")]

use super::super::{GENESIS, INTAKE, RecoveryOptions, randomness, setup};
use super::*;
use crate::{
    scenario::Scenario,
    timeline::Silent,
    vault_node::{EnclaveRefusal, Refusal},
    workflow_node::{SignerRefusal, identity_of},
};
use ccc_chain::status::Standing;
use ccc_core::{
    enclave::{
        attestation::{
            AttestationProvider, PolicyRefusal,
            simulated::{SimulatedHardware, SimulatedProvider},
        },
        identity::IdentityRefusal,
        sealing::UnsealError,
    },
    table::Header,
};

async fn world(seed: u64) -> World {
    let scenario = Scenario { participants: 4, makers: 2, ..Scenario::default() };
    let options = RecoveryOptions { scenario, seed: Some(seed), ..RecoveryOptions::default() };
    let randomness = randomness(&options).expect("a generator");
    let mut observer = Silent;
    let mut timeline = Timeline::new(&mut observer);
    let vault = setup::generate_keys(&options.scenario, &randomness).expect("keys");
    let chain = setup::open_chain(&options).await.expect("a chain");
    setup::build(&options, randomness, chain, vault, &mut timeline, None).await.expect("a world")
}

async fn standing(world: &World) -> Standing {
    let (registry, signer) = (world.registry().expect("a registry"), identity(world).signer);
    status::standing(&world.chain, registry, signer.into(), BlockId::latest()).await.expect("read")
}

fn identity(world: &World) -> ccc_core::enclave::identity::Identity {
    *world.identity.as_ref().expect("admitted").identity()
}

fn refusal<T>(result: Result<T, RecoveryError>) -> SignerRefusal {
    match result {
        Err(RecoveryError::Signer(refusal)) => refusal,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("accepted"),
    }
}

async fn revoke(world: &mut World, timeline: &mut Timeline<'_>) {
    let signer = identity(world).signer;
    let block = world.chain.finalised_block().await.expect("a block");
    world.decide(Decision::Revoke(signer), block.hash, timeline).await.expect("revoked");
}

#[tokio::test]
async fn the_identity_stands_in_the_registry_and_signs_what_the_signers_sign() {
    let mut observer = Silent;
    let (mut world, mut timeline) = (world(51).await, Timeline::new(&mut observer));
    assert_eq!(standing(&world).await, Standing::Current);
    let known = identity(&world);
    for signer in &world.signers {
        assert_eq!(signer.node.identities().identity(&known.signer), Some(&known));
    }
    let mut made = world.make_round(None, GENESIS, &mut timeline).await.expect("a round");
    assert_eq!(identity_of(made.result()), known.signer);
    world.deliver_round(made, GENESIS, &mut timeline).await.expect("signed");
    assert_eq!(world.head.as_ref().map(Header::version), Some(1));
}

/// Revoked between the enclave's answer and the signers' signatures.
#[tokio::test]
async fn n099_an_enclave_that_is_revoked_mid_request_gets_no_signature() {
    let mut observer = Silent;
    let (mut world, mut timeline) = (world(52).await, Timeline::new(&mut observer));
    let signer = identity(&world).signer;
    let made = world.make_round(None, GENESIS, &mut timeline).await.expect("a round");
    revoke(&mut world, &mut timeline).await;
    assert_eq!(standing(&world).await, Standing::Revoked);
    let refused = refusal(world.deliver_round(made, GENESIS, &mut timeline).await);
    assert!(
        matches!(refused, SignerRefusal::Identity(IdentityRefusal::Revoked { signer: found }) if found == signer),
        "{refused}"
    );
    assert!(world.head.is_none());
    let again = world.admit(world.identity.clone().expect("a key"), &mut timeline).await;
    let refused = refusal(again);
    assert!(matches!(refused, SignerRefusal::Identity(IdentityRefusal::Revoked { .. })), "{refused}");
}

/// A signer that knows nothing of the revocation, as after a restart: the evidence is good, the registry says no.
#[tokio::test]
async fn n099_a_signer_that_forgot_asks_the_registry() {
    let mut observer = Silent;
    let (mut world, mut timeline) = (world(53).await, Timeline::new(&mut observer));
    let signer = identity(&world).signer;
    let made = world.make_round(None, GENESIS, &mut timeline).await.expect("a round");
    revoke(&mut world, &mut timeline).await;
    restart_signers(&mut world);
    let refused = refusal(world.deliver_round(made, GENESIS, &mut timeline).await);
    assert!(
        matches!(
            refused,
            SignerRefusal::NotCurrent { signer: found, standing: Standing::Revoked } if found == signer
        ),
        "{refused}"
    );
}

fn restart_signers(world: &mut World) {
    let epoch = world.committee.epoch().0;
    let signers = std::mem::take(&mut world.signers).into_iter();
    let forget = |mut signer: super::super::world::Signer| {
        signer.node = signer.node.with_identities(epoch, MAX_LIFETIME);
        signer
    };
    world.signers = signers.map(forget).collect();
}

#[tokio::test]
async fn a_signer_that_forgot_takes_the_evidence_of_a_current_enclave() {
    let mut observer = Silent;
    let (mut world, mut timeline) = (world(54).await, Timeline::new(&mut observer));
    restart_signers(&mut world);
    world.round(None, GENESIS, &mut timeline).await.expect("signed by the evidence");
}

/// The measurement is taken off the list between the enclave's answer and the signers' signatures.
#[tokio::test]
async fn n099_an_enclave_whose_measurement_is_withdrawn_gets_no_signature() {
    let mut observer = Silent;
    let (mut world, mut timeline) = (world(59).await, Timeline::new(&mut observer));
    let made = world.make_round(None, GENESIS, &mut timeline).await.expect("a round");
    let block = world.chain.finalised_block().await.expect("a block");
    let withdrawn = Decision::Withdraw(world.config.measurement());
    world.decide(withdrawn, block.hash, &mut timeline).await.expect("withdrawn");
    let refused = refusal(world.deliver_round(made, GENESIS, &mut timeline).await);
    let standing = Standing::MeasurementNotAllowed;
    assert!(matches!(refused, SignerRefusal::NotCurrent { standing: found, .. } if found == standing), "{refused}");
}

/// Revoked, or of a withdrawn program, between two rounds: the participants give no share of the table's key, and there is
/// nothing that a signer could be asked about.
#[tokio::test]
async fn n099_an_enclave_that_the_registry_takes_back_gets_no_share() {
    let mut observer = Silent;
    for (seed, expected) in [(65, Standing::Revoked), (66, Standing::MeasurementNotAllowed)] {
        let (mut world, mut timeline) = (world(seed).await, Timeline::new(&mut observer));
        world.round(None, GENESIS, &mut timeline).await.expect("the first version");
        match expected {
            Standing::Revoked => revoke(&mut world, &mut timeline).await,
            _ => {
                let block = world.chain.finalised_block().await.expect("a block");
                let withdrawn = Decision::Withdraw(world.config.measurement());
                world.decide(withdrawn, block.hash, &mut timeline).await.expect("withdrawn");
            }
        }
        match world.make_round(None, INTAKE, &mut timeline).await.err() {
            Some(RecoveryError::Vault { answered: 0, refusal, .. }) => assert!(
                matches!(refusal.1, Refusal::Enclave(EnclaveRefusal::NotCurrent { standing, .. }) if standing == expected),
                "{}",
                refusal.1
            ),
            other => panic!("{:?}", other.map(|error| error.to_string())),
        }
    }
}

/// A host that names no registry is told by nobody.
#[tokio::test]
async fn n099_participants_give_nothing_where_the_registry_was_taken_out() {
    let mut observer = Silent;
    let (mut world, mut timeline) = (world(67).await, Timeline::new(&mut observer));
    world.round(None, GENESIS, &mut timeline).await.expect("the first version");
    let registry = world.deployment.enclaves.take();
    let refused = world.make_round(None, INTAKE, &mut timeline).await.err();
    world.deployment.enclaves = registry;
    match refused {
        Some(RecoveryError::Vault { answered: 0, refusal, .. }) => {
            assert!(matches!(refusal.1, Refusal::Enclave(EnclaveRefusal::NotAsked)), "{}", refusal.1);
        }
        other => panic!("{:?}", other.map(|error| error.to_string())),
    }
}

/// Without an identity nobody can ask the registry.
#[tokio::test]
async fn n099_a_result_that_no_identity_signed_is_refused_where_there_is_a_registry() {
    let mut observer = Silent;
    let (mut world, mut timeline) = (world(55).await, Timeline::new(&mut observer));
    let mut made = world.make_round(None, GENESIS, &mut timeline).await.expect("a round");
    made.result().identity = None;
    let refused = refusal(world.deliver_round(made, GENESIS, &mut timeline).await);
    assert!(matches!(refused, SignerRefusal::Unsigned), "{refused}");
}

/// A file that names no registry does not free the signers from asking it.
#[tokio::test]
async fn n099_a_deployment_whose_registry_was_taken_out_gets_no_signature() {
    let mut observer = Silent;
    let (mut world, mut timeline) = (world(61).await, Timeline::new(&mut observer));
    for stripped in [false, true] {
        let mut made = world.make_round(None, GENESIS, &mut timeline).await.expect("a round");
        if stripped {
            made.result().identity = None;
        }
        let registry = world.deployment.enclaves.take();
        let refused = refusal(world.deliver_round(made, GENESIS, &mut timeline).await);
        world.deployment.enclaves = registry;
        assert!(matches!(refused, SignerRefusal::NotAsked), "{refused}");
    }
}

/// The renewal's report is not signed. The identity stays, and the next attempt renews it.
#[tokio::test]
async fn an_identity_whose_renewal_fails_is_kept_and_renewed_later() {
    let mut observer = Silent;
    let (mut world, mut timeline) = (world(60).await, Timeline::new(&mut observer));
    let first = identity(&world);
    world.chain.advance_time(first.not_after - AHEAD).await.expect("time");
    let signers = std::mem::take(&mut world.signers);
    let failed = world.round(None, GENESIS, &mut timeline).await;
    assert!(matches!(failed, Err(RecoveryError::Range { what: "the number of signers" })), "{failed:?}");
    assert_eq!(identity(&world), first);
    world.signers = signers;
    world.round(None, GENESIS, &mut timeline).await.expect("renewed and signed");
    assert!(identity(&world).not_after > first.not_after);
    world.identity = None;
    let failed = world.round(None, INTAKE, &mut timeline).await;
    assert!(matches!(failed, Err(RecoveryError::NotShown { what: "an identity of the enclave" })), "{failed:?}");
}

/// Ethereum's finalised block is two to three epochs behind the latest one.
#[tokio::test]
async fn an_identity_answers_a_block_of_three_epochs_ago() {
    let mut observer = Silent;
    let (mut world, mut timeline) = (world(62).await, Timeline::new(&mut observer));
    let block = world.chain.finalised_block().await.expect("a block");
    world.chain.advance_time(block.time + 3 * 32 * 12).await.expect("time");
    let key = world.identity.clone().expect("a key");
    let attested = world.attest_identity(&key, block.hash).await.expect("evidence");
    world.decide(Decision::Admit(&attested), block.hash, &mut timeline).await.expect("admitted");
}

/// The host names a block; whether it is one, and of which time, every signer reads.
#[tokio::test]
async fn n096_a_block_that_is_not_on_the_chain_makes_no_evidence_fresh() {
    let mut observer = Silent;
    let (mut world, mut timeline) = (world(63).await, Timeline::new(&mut observer));
    let block = world.chain.finalised_block().await.expect("a block");
    let key = world.identity.clone().expect("a key");
    let invented = B256::repeat_byte(7);
    let attested = {
        let view = RegistryView { block_hash: invented.0, ..world.registry_view(block.hash).await.expect("read") };
        let enclave = Enclave::new(world.config.clone(), world.provider.as_ref()).expect("an enclave");
        enclave.attest_identity(&key, view.challenge().bytes(), view.now).expect("evidence")
    };
    let refused = world.decide(Decision::Admit(&attested), invented, &mut timeline).await;
    assert!(matches!(refused, Err(RecoveryError::Chain(ccc_chain::ChainError::NoBlock { .. }))), "{:?}", refused.err());
}

/// An abandoned block is found by its hash, and another one by its number.
#[test]
fn n096_a_block_that_was_abandoned_or_is_not_final_is_not_taken() {
    let block = |hash, number| BlockRef { number, hash: B256::repeat_byte(hash), time: 0 };
    let named = B256::repeat_byte(1);
    assert!(is_final(named, [block(1, 5), block(1, 5)], 5));
    assert!(!is_final(named, [block(1, 5), block(2, 5)], 5), "abandoned");
    assert!(!is_final(named, [block(2, 5), block(1, 5)], 5), "another one than was asked for");
    assert!(!is_final(named, [block(1, 6), block(1, 6)], 5), "not final");
}

#[tokio::test]
async fn decisions_about_nobody_and_programs_for_ever_are_not_signed() {
    let mut observer = Silent;
    let (mut world, mut timeline) = (world(64).await, Timeline::new(&mut observer));
    let block = world.chain.finalised_block().await.expect("a block");
    for nobody in [Decision::Withdraw([0; 32]), Decision::Revoke([0; 20])] {
        let refused = refusal(world.decide(nobody, block.hash, &mut timeline).await);
        assert!(matches!(refused, SignerRefusal::Nobody), "{refused}");
    }
    let key = world.identity.clone().expect("a key");
    let attested = world.attest_identity(&key, block.hash).await.expect("evidence");
    let refused = refusal(world.decide(Decision::Allow(&attested, u64::MAX), block.hash, &mut timeline).await);
    assert!(matches!(refused, SignerRefusal::ProgramLifetime { found: u64::MAX, .. }), "{refused}");
}

#[tokio::test]
async fn an_identity_is_renewed_before_its_expiry_and_refused_after_it() {
    let mut observer = Silent;
    let (mut world, mut timeline) = (world(56).await, Timeline::new(&mut observer));
    let first = identity(&world);
    world.chain.advance_time(first.not_after - AHEAD).await.expect("time");
    world.round(None, GENESIS, &mut timeline).await.expect("renewed");
    let second = identity(&world);
    assert_eq!((second.signer, second.box_key), (first.signer, first.box_key));
    assert!(second.not_after > first.not_after);
    assert_eq!(standing(&world).await, Standing::Current);
    let made = world.make_round(None, INTAKE, &mut timeline).await.expect("a round");
    world.chain.advance_time(second.not_after + 1).await.expect("time");
    let refused = refusal(world.deliver_round(made, INTAKE, &mut timeline).await);
    assert!(matches!(refused, SignerRefusal::Identity(IdentityRefusal::Expired { .. })), "{refused}");
    assert_eq!(standing(&world).await, Standing::Expired);
}

/// The evidence answers one block and one sequence; later it is an old one.
#[tokio::test]
async fn n096_an_admission_is_not_played_again() {
    let mut observer = Silent;
    let (mut world, mut timeline) = (world(57).await, Timeline::new(&mut observer));
    let block = world.chain.finalised_block().await.expect("a block");
    let key = world.identity.clone().expect("a key");
    let attested = world.attest_identity(&key, block.hash).await.expect("evidence");
    world.decide(Decision::Admit(&attested), block.hash, &mut timeline).await.expect("once");
    let refused = refusal(world.decide(Decision::Admit(&attested), block.hash, &mut timeline).await);
    let nonce = IdentityRefusal::Policy(PolicyRefusal::Nonce);
    assert!(matches!(&refused, SignerRefusal::Identity(found) if *found == nonce), "{refused}");
    let attested = world.attest_identity(&key, block.hash).await.expect("evidence");
    let latest = world.chain.block(BlockId::latest()).await.expect("a block");
    world.chain.advance_time(latest.time + 601).await.expect("time");
    let refused = refusal(world.decide(Decision::Admit(&attested), block.hash, &mut timeline).await);
    let old = |found: &SignerRefusal| {
        let SignerRefusal::Identity(IdentityRefusal::Policy(PolicyRefusal::Age { found, max_age })) = found else {
            return false;
        };
        *found > 600 && *max_age == 600
    };
    assert!(old(&refused), "{refused}");
    world.chain.advance_time(block.time + 1_801).await.expect("time");
    let refused = refusal(world.decide(Decision::Admit(&attested), block.hash, &mut timeline).await);
    assert!(matches!(refused, SignerRefusal::StaleBlock { age: 1_801.., max_age: 1_800 }), "{refused}");
}

/// The host keeps the sealed identity. The same program goes on with it; another one cannot read it.
#[tokio::test]
async fn a_restarted_enclave_goes_on_as_the_same_signer_and_another_program_does_not() {
    let mut observer = Silent;
    let (mut world, mut timeline) = (world(58).await, Timeline::new(&mut observer));
    let before = identity(&world);
    let enclave = Enclave::new(world.config.clone(), world.provider.as_ref()).expect("an enclave");
    let key = IdentityKey::unseal(&world.sealed_identity, &enclave.sealing_key().expect("a key")).expect("opened");
    assert_eq!(*key.identity(), before);
    world.identity = Some(Arc::new(key));
    world.round(None, GENESIS, &mut timeline).await.expect("signed");
    let mut rng = world.randomness.generator(stream::HARDWARE, 0);
    let mut seed = [0; 32];
    rand::Rng::fill_bytes(&mut rng, &mut seed);
    let other = SimulatedProvider::new(SimulatedHardware::from_seed(&seed), [7; 32]);
    assert_eq!(other.root(), world.provider.root(), "the same platform");
    let sealing = other.sealing_key(&world.config.digest()).expect("a key");
    assert_eq!(IdentityKey::unseal(&world.sealed_identity, &sealing).err(), Some(UnsealError::Unopened));
}
