//! What a participant of the vault makes of the registry of enclaves, and of a clock that is wrong.

#![allow(clippy::panic, reason = "a helper of a test fails as the test does")]

mod support;

use alloy::primitives::{Address, B256};
use ccc_chain::status::{EnclaveState, Standing};
use ccc_core::{
    enclave::{
        AttemptKeys,
        attestation::{Policy, PolicyRefusal, simulated::SimulatedError},
        identity::{IdentityKey, IdentityRefusal},
    },
    envelope::Envelope,
    vault::CombineError,
};
use ccc_enclave::attempt::{AttemptError, Enclave};
use ccc_node::vault_node::{Ask, ChainView, EnclaveRefusal, Enclaves, MemoryJournal, Refusal, VaultNode};
use rand::{SeedableRng, rngs::StdRng};
use support::{Asked, ask, copy, node, pool::LOT, pool::World, view};

const HOUR: u64 = 3_600;

/// A pool, an attempt at a round of it by an enclave with an identity, and that identity.
struct Scene {
    world: World,
    asked: Asked,
    view: ChainView,
    key: IdentityKey,
}

impl Scene {
    fn new(seed: u64) -> Self {
        let (mut world, _) = World::with_makers(seed);
        let order = world.plain_order(25 * LOT);
        let request = world.request(&order);
        let view = view(&world, Some(&request));
        let mut asked = ask(&mut world, Some(request));
        let epoch = world.committee.epoch().0;
        let key = IdentityKey::generate(epoch, world.time + HOUR, &mut world.rng).expect("a key");
        asked.ask.identity = Some(signed(&key, &asked.ask, world.time));
        let view = ChainView { enclaves: Some([admitted(&key, &world)].into_iter().collect()), ..view };
        Self { world, asked, view, key }
    }

    /// Participant 1's refusal of an ask.
    fn refusal(&self, view: &ChainView, ask: &Ask, now: u64) -> Option<Refusal> {
        let mut rng = StdRng::seed_from_u64(5);
        node(&self.world, 0).with_registry().reencrypt(view, ask, now, &mut rng).err()
    }

    /// The same where the registry says something else of the enclave.
    fn refused_as(&self, change: impl FnOnce(&mut EnclaveState)) -> Option<Refusal> {
        self.refusal(&self.registry(change), &self.asked.ask, self.world.time)
    }

    fn registry(&self, change: impl FnOnce(&mut EnclaveState)) -> ChainView {
        let mut state = admitted(&self.key, &self.world);
        change(&mut state);
        ChainView { enclaves: Some([state].into_iter().collect()), ..self.view.clone() }
    }
}

fn signed(key: &IdentityKey, ask: &Ask, now: u64) -> ccc_core::enclave::identity::IdentitySignature {
    key.sign(&ask.card.recipient.user_data(&ask.request.digest()), now).expect("in time")
}

/// What the registry says of a current enclave.
fn admitted(key: &IdentityKey, world: &World) -> EnclaveState {
    let identity = key.identity();
    EnclaveState {
        signer: Address::from(identity.signer),
        measurement: B256::from(world.config.measurement()),
        epoch: identity.epoch,
        valid_until: identity.not_after,
        standing: Standing::Current,
    }
}

#[track_caller]
fn enclave(refusal: Option<Refusal>) -> EnclaveRefusal {
    match refusal {
        Some(Refusal::Enclave(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_enclave_that_the_registry_calls_current_gets_shares() {
    let Scene { world, asked, view, .. } = Scene::new(1);
    let mut rng = StdRng::seed_from_u64(1);
    let answer = |index| node(&world, index).with_registry().reencrypt(&view, &asked.ask, world.time, &mut rng);
    let envelopes = (0..3).map(answer).map(|answer| answer.expect("an answer").expect("not silent")).collect();
    let enclave = Enclave::new(world.config.clone(), &world.provider).expect("a configuration");
    let attempt = enclave.resume(asked.ask.request, asked.keys, world.time).expect("an attempt");
    assert!(attempt.open(&world.committee, asked.verified, envelopes).is_ok());
}

/// The enclave itself signs: what its host passes on is what the participants take.
#[test]
fn the_identity_of_an_attempt_is_the_enclaves() {
    let scene = Scene::new(2);
    let enclave = Enclave::new(scene.world.config.clone(), &scene.world.provider).expect("a configuration");
    let request = scene.asked.ask.request.clone();
    let keys = |enclave: &Enclave<'_>| {
        let keys = AttemptKeys::from_bytes(&scene.asked.keys.to_bytes()).expect("keys");
        enclave.resume(request.clone(), keys, scene.world.time).expect("an attempt").identity()
    };
    assert_eq!(keys(&enclave), None);
    assert_eq!(keys(&enclave.with_identity(&scene.key)), scene.asked.ask.identity);
}

#[test]
fn n099_an_enclave_that_is_not_current_gets_no_share() {
    let scene = Scene::new(3);
    let signer = scene.key.identity().signer;
    for standing in
        [Standing::Unknown, Standing::Revoked, Standing::Expired, Standing::OtherEpoch, Standing::MeasurementNotAllowed]
    {
        let refused = enclave(scene.refused_as(|state| state.standing = standing));
        let exact = matches!(refused, EnclaveRefusal::NotCurrent { signer: who, standing: found } if who == signer && found == standing);
        assert!(exact, "{refused}");
    }
    let nobody = ChainView { enclaves: Some(Enclaves::default()), ..scene.view.clone() };
    let refused = enclave(scene.refusal(&nobody, &scene.asked.ask, scene.world.time));
    assert!(matches!(refused, EnclaveRefusal::NotCurrent { standing: Standing::Unknown, .. }), "{refused}");
    let refused = enclave(scene.refused_as(|state| state.signer = Address::repeat_byte(9)));
    assert!(matches!(refused, EnclaveRefusal::NotCurrent { standing: Standing::Unknown, .. }), "{refused}");
    assert!(scene.refused_as(|_| {}).is_none());
}

/// Two have answered when the revocation comes: the third does not, and the first repeats nothing.
#[test]
fn n099_an_enclave_that_is_revoked_mid_request_gets_no_further_share() {
    let scene = Scene::new(4);
    let Scene { world, asked, view, .. } = &scene;
    let revoked = scene.registry(|state| state.standing = Standing::Revoked);
    let mut journals: [MemoryJournal; 3] = Default::default();
    let mut rng = StdRng::seed_from_u64(7);
    let mut given = Vec::new();
    for (index, journal) in journals.iter_mut().enumerate() {
        let (keys, share) = copy(world, index);
        let served = (world.config.chain, world.config.pool);
        let mut node = VaultNode::new(keys, share, world.committee.clone(), world.policy(), served, journal);
        node = node.with_registry();
        if index < 2 {
            given.extend(node.reencrypt(view, &asked.ask, world.time, &mut rng).expect("current"));
        }
        let refused = enclave(node.reencrypt(&revoked, &asked.ask, world.time, &mut rng).err());
        assert!(matches!(refused, EnclaveRefusal::NotCurrent { standing: Standing::Revoked, .. }), "{refused}");
    }
    assert_eq!(not_enough(&scene, given), (3, 2));
}

/// How many shares the enclave needs and how many it has, where they are too few.
#[track_caller]
fn not_enough(scene: &Scene, envelopes: Vec<Envelope>) -> (usize, usize) {
    let world = &scene.world;
    let enclave = Enclave::new(world.config.clone(), &world.provider).expect("a configuration");
    let keys = AttemptKeys::from_bytes(&scene.asked.keys.to_bytes()).expect("keys");
    let attempt = enclave.resume(scene.asked.ask.request.clone(), keys, world.time).expect("an attempt");
    match attempt.open(&world.committee, scene.asked.verified.clone(), envelopes).err() {
        Some(AttemptError::Shares(CombineError::NotEnoughShares { need, have, .. })) => (need, have),
        other => panic!("{other:?}"),
    }
}

/// A registry that was not read, and keys that nobody signed: neither stands for a yes.
#[test]
fn n099_a_registry_that_is_not_read_and_keys_that_nobody_signed_are_refused() {
    let scene = Scene::new(5);
    let unread = ChainView { enclaves: None, ..scene.view.clone() };
    let refused = enclave(scene.refusal(&unread, &scene.asked.ask, scene.world.time));
    assert!(matches!(refused, EnclaveRefusal::NotAsked), "{refused}");
    let unsigned = Ask { identity: None, ..scene.asked.ask.clone() };
    let refused = enclave(scene.refusal(&scene.view, &unsigned, scene.world.time));
    assert!(matches!(refused, EnclaveRefusal::Unsigned), "{refused}");
    // whoever reads a registry is bound by it, told so or not
    let mut rng = StdRng::seed_from_u64(5);
    let told = node(&scene.world, 0).reencrypt(&scene.view, &unsigned, scene.world.time, &mut rng).err();
    assert!(matches!(enclave(told), EnclaveRefusal::Unsigned));
    let no_registry = node(&scene.world, 0).reencrypt(&unread, &unsigned, scene.world.time, &mut rng);
    assert!(no_registry.is_ok(), "a deployment without one");
}

/// What another request, other keys or another enclave signed does not vouch here.
#[test]
fn n099_what_an_identity_signed_of_something_else_is_refused() {
    let mut scene = Scene::new(6);
    let (time, ask) = (scene.world.time, scene.asked.ask.clone());
    let mut elsewhere = ask.clone();
    elsewhere.request.deadline += 1;
    let other_keys = support::attempt(&mut scene.world, &ask.request).1;
    let others = [elsewhere, Ask { card: other_keys, ..ask.clone() }];
    for other in &others {
        let moved = Ask { identity: Some(signed(&scene.key, other, time)), ..ask.clone() };
        let refused = enclave(scene.refusal(&scene.view, &moved, time));
        assert!(matches!(refused, EnclaveRefusal::NotCurrent { standing: Standing::Unknown, .. }), "{refused}");
    }
    let stranger = IdentityKey::generate(1, time + HOUR, &mut scene.world.rng).expect("a key");
    let strange = Ask { identity: Some(signed(&stranger, &ask, time)), ..ask };
    let refused = enclave(scene.refusal(&scene.view, &strange, time));
    let who = stranger.identity().signer;
    assert!(matches!(refused, EnclaveRefusal::NotCurrent { signer, .. } if signer == who), "{refused}");
}

/// Between two final blocks an identity may end, and the participant's own time says so.
#[test]
fn n099_an_identity_of_another_epoch_program_or_time_is_refused() {
    let scene = Scene::new(7);
    let identity = |refusal: Option<Refusal>| match enclave(refusal) {
        EnclaveRefusal::Identity(refusal) => refusal,
        other => panic!("{other}"),
    };
    let not_after = scene.world.time;
    assert!(scene.refused_as(|state| state.valid_until = not_after).is_none(), "its last second");
    let over = identity(scene.refused_as(|state| state.valid_until = not_after - 1));
    assert_eq!(over, IdentityRefusal::Expired { not_after: not_after - 1, now: not_after });
    let readmitted = identity(scene.refused_as(|state| state.epoch = 2));
    assert_eq!(readmitted, IdentityRefusal::Epoch { expected: 2, found: 1 });
    let refused = enclave(scene.refused_as(|state| state.measurement = B256::repeat_byte(7)));
    let (expected, found) = ([7; 32], scene.world.config.measurement());
    let exact =
        matches!(refused, EnclaveRefusal::OtherProgram { expected: e, found: f } if (e, f) == (expected, found));
    assert!(exact, "{refused}");
}

/// A committee serves enclaves of its epoch and, for the rotation away from it, of later ones; of earlier ones never.
#[test]
fn n099_an_enclave_of_an_epoch_before_the_committees_gets_no_share() {
    let mut scene = Scene::new(8);
    let time = scene.world.time;
    for (epoch, served) in [(0, false), (1, true), (2, true)] {
        scene.key = IdentityKey::generate(epoch, time + HOUR, &mut scene.world.rng).expect("a key");
        let ask = Ask { identity: Some(signed(&scene.key, &scene.asked.ask, time)), ..scene.asked.ask.clone() };
        let refused = scene.refusal(&scene.registry(|_| {}), &ask, time);
        assert_eq!(refused.is_none(), served, "{epoch}: {refused:?}");
        if let Some(refusal) = refused {
            let older = matches!(
                enclave(Some(refusal)),
                EnclaveRefusal::Identity(IdentityRefusal::Epoch { expected: 1, found: 0 })
            );
            assert!(older);
        }
    }
}

/// Who has no evidence learns nothing of the registry.
#[test]
fn n052_evidence_is_judged_before_the_registry_is_asked() {
    let scene = Scene::new(9);
    let mut forged = scene.asked.ask.clone();
    forged.card.evidence[40] ^= 1;
    let revoked = scene.registry(|state| state.standing = Standing::Revoked);
    let refused = [&scene.view, &revoked].map(|view| scene.refusal(view, &forged, scene.world.time));
    assert!(refused.iter().all(|why| matches!(why, Some(Refusal::Policy(_)))), "{refused:?}");
}

/// Of four participants one's time is off. The three others open without it; what they refuse it does not open alone, whether
/// evidence, request or identity is too old.
#[test]
fn n110_one_participants_time_ten_minutes_off_neither_admits_nor_blocks() {
    let fresh = Scene::new(10);
    let time = fresh.world.time;
    for wrong in [time - 600, time + 600] {
        let envelopes = asked_at(&fresh, &fresh.asked.ask, &fresh.view, wrong);
        assert_eq!(envelopes.len(), 3, "the one that is off refuses, at {wrong}");
        let world = &fresh.world;
        let enclave = Enclave::new(world.config.clone(), &world.provider).expect("a configuration");
        let keys = AttemptKeys::from_bytes(&fresh.asked.keys.to_bytes()).expect("keys");
        let attempt = enclave.resume(fresh.asked.ask.request.clone(), keys, time).expect("an attempt");
        assert!(attempt.open(&world.committee, fresh.asked.verified.clone(), envelopes).is_ok(), "not blocked");
    }
    // evidence of ten minutes ago, which the one that is behind finds fresh
    let mut old = fresh.asked.ask.clone();
    let program = Enclave::new(fresh.world.config.clone(), &fresh.world.provider).expect("a configuration");
    let keys = AttemptKeys::from_bytes(&fresh.asked.keys.to_bytes()).expect("keys");
    old.card = program.resume(old.request.clone(), keys, time - 600).expect("an attempt").card().clone();
    assert_eq!(asked_at(&fresh, &old, &fresh.view, time + 600).len(), 0);
    assert_eq!(not_enough(&fresh, asked_at(&fresh, &old, &fresh.view, time - 600)), (3, 1));
    // an identity that is over since five minutes, with evidence that each of the four accepts
    let over = fresh.registry(|state| state.valid_until = time - 300);
    assert_eq!(asked_within(&fresh, &old, &fresh.view, (time - 600, 3_600)).len(), 4);
    assert_eq!(not_enough(&fresh, asked_within(&fresh, &old, &over, (time - 600, 3_600))), (3, 1));
    let refused = enclave(fresh.refusal(&over, &fresh.asked.ask, time));
    assert!(matches!(refused, EnclaveRefusal::Identity(IdentityRefusal::Expired { .. })), "{refused}");
    let future = fresh.refusal(&fresh.view, &fresh.asked.ask, time - 600);
    let ahead = matches!(future, Some(Refusal::Policy(PolicyRefusal::NotGenuine(SimulatedError::Validity { .. }))));
    assert!(ahead, "{future:?}");
}

/// The answers of four participants, of whom the second has another time, under evidence of at most five minutes.
fn asked_at(scene: &Scene, ask: &Ask, view: &ChainView, wrong: u64) -> Vec<Envelope> {
    asked_within(scene, ask, view, (wrong, 300))
}

fn asked_within(scene: &Scene, ask: &Ask, view: &ChainView, (wrong, max_age): (u64, u64)) -> Vec<Envelope> {
    let world = &scene.world;
    let policy = Policy { max_age, ..world.policy() };
    let mut envelopes = Vec::new();
    for (index, now) in [world.time, wrong, world.time, world.time].into_iter().enumerate() {
        let (keys, share) = copy(world, index);
        let served = (world.config.chain, world.config.pool);
        let journal = MemoryJournal::default();
        let node = VaultNode::new(keys, share, world.committee.clone(), policy.clone(), served, journal);
        let answer = node.with_registry().reencrypt(view, ask, now, &mut StdRng::seed_from_u64(5));
        envelopes.extend(answer.ok().flatten());
    }
    envelopes
}
