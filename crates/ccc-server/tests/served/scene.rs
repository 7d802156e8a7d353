//! A committee, a pool on an embedded chain with orders in it, and its nodes on ports of their own.

use crate::common;
use alloy::primitives::{B256, Bytes};
use ccc_core::{
    ciphertext::{Ciphertext, Label, LabelKind, VerifiedCiphertext},
    enclave::{
        AttemptKeys,
        attestation::{
            AttestationProvider, Hardware, OperatingMode, Policy,
            simulated::{SimulatedHardware, SimulatedProvider},
        },
    },
    epoch::Epoch,
    identifier::Identifier,
    keys::{Committee, KeyShare, ParticipantKeys, Roster, board::MemoryBoard, dkg},
    threshold::Threshold,
    vault::{AttestedRecipient, Mode, Request},
};
use ccc_node::vault_node::{Ask, Behaviour, Journal, MemoryJournal, VaultNode};
use ccc_server::{
    audit::AuditLog,
    client::{Client, Connection, Endpoint},
    follow::{Clock, FollowOptions, Follower},
    identity::Identity,
    limits::Limits,
    meters::Meters,
    node::Node,
    server::{Server, Stop},
};
use rand::{SeedableRng, rngs::StdRng};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle};

pub(crate) const MEASUREMENT: [u8; 32] = [0x77; 32];

/// A clock that a test sets.
#[derive(Default)]
pub(crate) struct SetClock(pub(crate) AtomicU64);

impl Clock for SetClock {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) struct Scene {
    pub(crate) world: common::World,
    pub(crate) committee: Committee,
    pub(crate) members: Vec<(ParticipantKeys, KeyShare)>,
    pub(crate) provider: SimulatedProvider,
    pub(crate) host: Identity,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) rng: StdRng,
    /// What participants accept as an enclave.
    pub(crate) measurement: [u8; 32],
    /// An order on the chain, for whoever wants one again and again.
    #[allow(dead_code, reason = "the bench alone does")]
    pub(crate) order: Option<VerifiedCiphertext>,
}

/// A node that listens.
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    pub(crate) key: [u8; 32],
    pub(crate) identifier: Identifier,
    pub(crate) stop: Stop,
    pub(crate) task: JoinHandle<()>,
    pub(crate) meters: Meters,
}

/// One attempt to open an order that is on the chain.
pub(crate) struct Attempt {
    pub(crate) ask: Ask,
    pub(crate) keys: AttemptKeys,
    pub(crate) ciphertext: VerifiedCiphertext,
}

/// Bounds under which refusals do not slow a test down.
pub(crate) fn quick() -> Limits {
    Limits { refusal_step: Duration::from_millis(20), drain: Duration::from_secs(5), ..Limits::default() }
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let mut rng = StdRng::seed_from_u64(11);
        let identifiers = (1..=4).map(|i| Identifier::new(i).unwrap());
        let keys: Vec<_> = identifiers.map(|i| (i, ParticipantKeys::generate(&mut rng).unwrap())).collect();
        let public = keys.iter().map(|(i, keys)| keys.public(*i)).collect();
        let roster = Roster::new(Epoch(1), Threshold::default_for(4).unwrap(), public).unwrap();
        let outcomes = dkg::run_in_process(&roster, &keys, &mut MemoryBoard::new([9; 32]), &mut rng).unwrap();
        let mut committee = None;
        let mut members = Vec::new();
        for ((_, keys), (_, outcome)) in keys.into_iter().zip(outcomes) {
            let outcome = outcome.unwrap();
            committee = Some(outcome.committee);
            members.push((keys, outcome.key_share));
        }
        let world = common::World::new().await;
        let clock = Arc::new(SetClock(AtomicU64::new(world.now().await + 10)));
        Self {
            world,
            committee: committee.unwrap(),
            members,
            provider: SimulatedProvider::new(SimulatedHardware::from_seed(&[7; 32]), MEASUREMENT),
            host: Identity::new(ParticipantKeys::generate(&mut rng).unwrap()),
            clock,
            rng,
            measurement: MEASUREMENT,
            order: None,
        }
    }

    pub(crate) fn policy(&self) -> Policy {
        Policy {
            mode: OperatingMode::Simulation,
            measurements: vec![self.measurement],
            max_age: 3_600,
            simulated_roots: vec![self.provider.root()],
            hardware: Hardware::default(),
        }
    }

    /// Copies of participant `index`'s secrets.
    pub(crate) fn secrets(&self, index: usize) -> (ParticipantKeys, KeyShare) {
        let (keys, share) = &self.members[index];
        (ParticipantKeys::from_bytes(&keys.to_bytes()).unwrap(), KeyShare::from_bytes(&share.to_bytes()).unwrap())
    }

    /// An encrypted order that the maker submits; the pool has it under the identifier that the label names.
    pub(crate) async fn submit(&mut self, salt: u8, text: &[u8]) -> VerifiedCiphertext {
        let ciphertext = self.encrypted(salt, text);
        let bytes = Bytes::from(ciphertext.to_bytes());
        let act = self.world.act();
        let made = act.submit_standing_order(&self.world.maker, B256::repeat_byte(salt), bytes).await.unwrap();
        assert_eq!(made.id.0, ciphertext.label().id);
        ciphertext.verify(self.committee.master_public_key()).unwrap()
    }

    /// As [`Self::submit`], and nobody submits it.
    pub(crate) fn encrypted(&mut self, salt: u8, text: &[u8]) -> Ciphertext {
        self.encrypted_by(self.world.maker.address().0.0, salt, text)
    }

    pub(crate) fn encrypted_by(&mut self, requester: [u8; 20], salt: u8, text: &[u8]) -> Ciphertext {
        let (chain, contract) = (common::CHAIN_ID, self.world.deployment.pool.0.0);
        let mut words = [0; 128];
        words[24..32].copy_from_slice(&chain.to_be_bytes());
        words[44..64].copy_from_slice(&contract);
        words[76..96].copy_from_slice(&requester);
        words[96..].fill(salt);
        let id = ccc_core::report::keccak256(&[&words]);
        let expiry = self.clock.now() + 1_000_000;
        let kind = LabelKind::Recipient;
        let label = Label { kind, chain, contract, id, version: 0, requester, expiry, context: [0; 32] };
        Ciphertext::encrypt(self.committee.master_public_key(), &label, text, &mut self.rng).unwrap()
    }

    /// Fresh keys of an enclave, attested for a request that names one ciphertext at the newest final block.
    pub(crate) async fn attempt(&mut self, id: u8, ciphertext: &VerifiedCiphertext) -> Attempt {
        let block = self.world.chain.finalised_block().await.unwrap();
        let request = Request {
            chain: common::CHAIN_ID,
            contract: self.world.deployment.pool.0.0,
            id: [id; 32],
            table_header: None,
            block_hash: block.hash.0,
            deadline: self.clock.now() + 300,
            mode: Mode::Sealed,
            epoch: self.committee.epoch(),
            committee: self.committee.digest(),
            ciphertexts: vec![ciphertext.ciphertext().digest()],
        };
        let (keys, card) = self.attested(&request);
        let ciphertexts = vec![ciphertext.ciphertext().clone()];
        let ask = Ask { request, card, identity: None, ciphertexts, header: None };
        Attempt { ask, keys, ciphertext: ciphertext.clone() }
    }

    pub(crate) fn attested(&mut self, request: &Request) -> (AttemptKeys, AttestedRecipient) {
        let keys = AttemptKeys::generate(&mut self.rng).unwrap();
        let digest = request.digest();
        let evidence = self.provider.attest(&keys.user_data(&digest), &digest, self.clock.now()).unwrap();
        let recipient = keys.recipient(MEASUREMENT);
        (keys, AttestedRecipient { recipient, evidence })
    }

    /// Participant `index` on a port of its own, which follows the chain at short intervals.
    pub(crate) async fn listen(&self, index: usize, behaviour: Behaviour, limits: Limits) -> Listening {
        self.listen_with(index, behaviour, limits, (MemoryJournal::default(), None)).await
    }

    /// As [`Self::listen`], with a journal and an audit log of the caller's.
    pub(crate) async fn listen_with<J: Journal + Send + Sync + 'static>(
        &self,
        index: usize,
        behaviour: Behaviour,
        limits: Limits,
        (journal, audit): (J, Option<AuditLog>),
    ) -> Listening {
        let (keys, share) = self.secrets(index);
        let identity = Identity::new(self.secrets(index).0);
        let deployment = &self.world.deployment;
        let served = (common::CHAIN_ID, deployment.pool.0.0);
        let vault = VaultNode::new(keys, share, self.committee.clone(), self.policy(), served, journal);
        let vault = if deployment.enclave_registry().is_some() { vault.with_registry() } else { vault };
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as _;
        let options = FollowOptions { interval: Duration::from_millis(20), ..FollowOptions::default() };
        let mut follower = Follower::new(&self.world.chain, deployment, options, Arc::clone(&clock)).await.unwrap();
        follower.look().await.unwrap();
        let node = Arc::new(Node::new(vault.with_behaviour(behaviour), follower.followed(), clock, audit));
        let known = [(self.host.public(), "host".to_owned()), (self.rival().public(), "rival".to_owned())];
        let meters = Meters::default();
        let identifier = node.identifier();
        let server = Server::new(node, &identity, &known, limits, meters.clone()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = Stop::new();
        let task = tokio::spawn(async move {
            tokio::select! {
                () = server.run(listener, stopped) => {}
                () = follower.run() => {}
            }
        });
        Listening { address, key: identity.public(), identifier, stop, task, meters }
    }

    /// Another peer that every node knows.
    pub(crate) fn rival(&self) -> Identity {
        Identity::new(self.secrets(3).0)
    }

    pub(crate) fn client(&self, nodes: &[Listening]) -> Client {
        let endpoint = |node: &Listening| Endpoint { identifier: node.identifier, address: node.address };
        Client::new(self.host.clone(), self.committee.clone(), nodes.iter().map(endpoint).collect())
    }

    pub(crate) async fn connect(&self, node: &Listening) -> Connection {
        Connection::open(&self.host, node.address, node.key).await.unwrap()
    }
}
