//! The registry of enclaves, as a node reads it at final blocks.

use crate::{
    common::{self, EPOCH},
    proxy::{Fault, Proxy},
    scene::{Attempt, MEASUREMENT, Scene, quick},
};
use ccc_chain::{Chain, ConnectOptions, Deployment, deploy::enclave_registry};
use ccc_core::{
    ciphertext::VerifiedCiphertext,
    enclave::identity::{IdentityKey, IdentityRefusal, IdentitySignature},
    report::{EnclaveAdmission, Statement},
};
use ccc_node::vault_node::{Ask, Behaviour, EnclaveRefusal, MemoryJournal, Refusal, VaultNode};
use ccc_server::{
    follow::{Clock, FollowOptions, Follower, NotReady},
    frame::{self, FrameError, Reply},
};
use std::sync::{Arc, atomic::Ordering::SeqCst};

const NOBODY: EnclaveAdmission =
    EnclaveAdmission { measurement: [0; 32], box_key: [0; 32], signer: [0; 20], expiry: 0 };

/// A pool with a registry, an enclave with an identity that nobody admitted yet, and an attempt of it.
struct Registered {
    scene: Scene,
    key: IdentityKey,
    order: VerifiedCiphertext,
}

impl Registered {
    async fn new() -> Self {
        Self::on(Scene::new().await).await
    }

    async fn on(mut scene: Scene) -> Self {
        let registry = enclave_registry(&scene.world.chain, &scene.world.owner, &scene.world.deployment, 86_400).await;
        scene.world.deployment = Deployment { enclaves: Some(registry.unwrap()), ..scene.world.deployment.clone() };
        let not_after = scene.clock.now() + 3_600;
        let key = IdentityKey::generate(EPOCH, not_after, &mut scene.rng).unwrap();
        let order = scene.submit(1, b"sell 25").await;
        Self { scene, key, order }
    }

    /// What a quorum of signers has the registry do.
    async fn decide(&self, admission: EnclaveAdmission, sequence: u64) {
        self.scene.world.deliver_statement(Statement::Enclave(admission), sequence).await.unwrap();
    }

    async fn admit(&self) {
        let identity = self.key.identity();
        let allowed = EnclaveAdmission { measurement: MEASUREMENT, expiry: identity.not_after, ..NOBODY };
        self.decide(allowed, 1).await;
        let (signer, box_key) = (identity.signer, identity.box_key);
        self.decide(EnclaveAdmission { signer, box_key, ..allowed }, 2).await;
    }

    async fn revoke(&self) {
        self.decide(EnclaveAdmission { signer: self.key.identity().signer, ..NOBODY }, 3).await;
    }

    /// Fresh keys for the order, which the enclave's identity signed.
    async fn attempt(&mut self, id: u8) -> Attempt {
        let mut attempt = self.scene.attempt(id, &self.order).await;
        attempt.ask.identity = Some(self.sign(&attempt.ask));
        attempt
    }

    fn sign(&self, ask: &Ask) -> IdentitySignature {
        let said = ask.card.recipient.user_data(&ask.request.digest());
        self.key.sign(&said, self.scene.clock.now()).unwrap()
    }

    async fn follower(&self, chain: &Chain) -> Follower {
        let clock: Arc<dyn Clock> = Arc::clone(&self.scene.clock) as _;
        Follower::new(chain, &self.scene.world.deployment, FollowOptions::default(), clock).await.unwrap()
    }

    /// What a participant that follows the chain says to an ask.
    fn answer(&mut self, follower: &Follower, ask: &Ask) -> Option<Refusal> {
        let (keys, share) = self.scene.secrets(0);
        let served = (common::CHAIN_ID, self.scene.world.deployment.pool.0.0);
        let (committee, journal) = (self.scene.committee.clone(), MemoryJournal::default());
        let node = VaultNode::new(keys, share, committee, self.scene.policy(), served, journal);
        let view = follower.followed().snapshot().unwrap().view(&ask.request.block_hash);
        node.with_registry().reencrypt(&view, ask, self.scene.clock.now(), &mut self.scene.rng).err()
    }
}

#[track_caller]
fn standing(refusal: Option<Refusal>) -> &'static str {
    match refusal {
        Some(Refusal::Enclave(EnclaveRefusal::NotCurrent { standing, .. })) => standing.words(),
        other => panic!("{other:?}"),
    }
}

/// Also for a request that names a block of before the revocation.
#[tokio::test]
async fn n099_a_node_follows_admissions_and_revocations() {
    let mut registered = Registered::new().await;
    let mut follower = registered.follower(&registered.scene.world.chain).await;
    follower.look().await.unwrap();
    let ask = registered.attempt(5).await.ask;
    assert_eq!(standing(registered.answer(&follower, &ask)), "never admitted");
    registered.admit().await;
    assert_eq!(standing(registered.answer(&follower, &ask)), "never admitted", "not read yet");
    follower.look().await.unwrap();
    let ask = registered.attempt(6).await.ask;
    assert!(registered.answer(&follower, &ask).is_none());
    registered.revoke().await;
    follower.look().await.unwrap();
    assert_eq!(standing(registered.answer(&follower, &ask)), "revoked");
    let mut later = registered.follower(&registered.scene.world.chain).await;
    later.look().await.unwrap();
    assert_eq!(standing(registered.answer(&later, &ask)), "revoked", "to one that reads all of it at once");
}

/// All of the chain is read but what the registry says of the one enclave: what was read before does not go on.
#[tokio::test]
async fn n099_a_registry_that_cannot_be_read_ends_the_answers() {
    let (scene, server) = crate::files::served().await;
    let mut registered = Registered::on(scene).await;
    registered.admit().await;
    let proxy = Proxy::before(&server.url()).await;
    let chain = Chain::connect(&proxy.url, &ConnectOptions::default()).await.unwrap();
    let mut follower = registered.follower(&chain).await;
    follower.look().await.unwrap();
    let ask = registered.attempt(5).await.ask;
    assert!(registered.answer(&follower, &ask).is_none());
    // the first question of a look to a contract
    proxy.fault("eth_call", 1, Fault::Say("no"));
    let unread = follower.look().await.unwrap_err();
    assert!(proxy.is_spent() && matches!(*unread, NotReady::Chain(_)), "{unread}");
    assert!(follower.followed().snapshot().is_err());
    follower.look().await.unwrap();
    assert!(registered.answer(&follower, &ask).is_none());
}

/// Long before the identity's end the program's allowance ends: judged by the node's own time, at a block of before.
#[tokio::test]
async fn n099_an_allowance_that_ends_after_the_block_is_over_by_the_nodes_time() {
    let mut registered = Registered::new().await;
    let now = registered.scene.clock.now();
    let identity = *registered.key.identity();
    let allowed = EnclaveAdmission { measurement: MEASUREMENT, expiry: now + 1_000, ..NOBODY };
    registered.decide(allowed, 1).await;
    let (signer, box_key, expiry) = (identity.signer, identity.box_key, now + 900);
    registered.decide(EnclaveAdmission { signer, box_key, expiry, ..allowed }, 2).await;
    // a shorter allowance afterwards
    registered.decide(EnclaveAdmission { expiry: now + 200, ..allowed }, 3).await;
    let mut follower = registered.follower(&registered.scene.world.chain).await;
    follower.look().await.unwrap();
    let ask = registered.attempt(5).await.ask;
    registered.scene.clock.0.store(now + 200, SeqCst);
    assert!(registered.answer(&follower, &ask).is_none(), "its last second");
    registered.scene.clock.0.store(now + 201, SeqCst);
    let refused = registered.answer(&follower, &ask);
    let over = matches!(&refused, Some(Refusal::Enclave(EnclaveRefusal::Identity(IdentityRefusal::Expired { not_after, .. }))) if *not_after == now + 200);
    assert!(over, "{refused:?}");
}

/// The signature goes with the ask over TLS; one that is none is a malformed call.
#[tokio::test]
async fn an_identity_travels_with_its_ask() {
    let mut registered = Registered::new().await;
    registered.admit().await;
    let ask = registered.attempt(5).await.ask;
    let node = registered.scene.listen(0, Behaviour::Honest, quick()).await;
    let connection = registered.scene.connect(&node).await;
    assert!(matches!(connection.ask(std::slice::from_ref(&ask)).await.unwrap()[0], Reply::Answered(_)));
    let unsigned = Ask { identity: None, ..ask.clone() };
    assert_eq!(connection.ask(&[unsigned]).await.unwrap(), [Reply::Refused]);
    let bytes = frame::write_asks(std::slice::from_ref(&ask));
    let read = frame::read_asks(&bytes).unwrap();
    assert_eq!(read[0].identity, ask.identity);
    let signature = ask.identity.unwrap().signature.to_bytes();
    let at = bytes.windows(65).position(|window| window == signature).unwrap();
    let mut wrong = bytes.clone();
    wrong[at + 64] = 9;
    assert_eq!(frame::read_asks(&wrong).err(), Some(FrameError::Identity { index: 0 }));
    // a length of 72 or 74 is none
    for change in [-1_i8, 1] {
        let mut other = bytes.clone();
        other[at - 9] = other[at - 9].wrapping_add_signed(change);
        assert!(matches!(frame::read_asks(&other), Err(FrameError::Encoding(_))));
    }
}
