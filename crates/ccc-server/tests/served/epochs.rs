//! A vault that was made over a contract, serves, and is refreshed there: who answers with which share, and when.

use crate::{
    common::wallet,
    files::{config, served},
    scene::{Attempt, MEASUREMENT, Scene},
};
use alloy::{
    eips::BlockId,
    primitives::{Address, B256},
};
use ccc_chain::{
    Chain, Finality, Wallet,
    board::{self, Agreement, CheckedCeremony},
    embedded::ChainServer,
    handover,
};
use ccc_core::{
    envelope::Envelope,
    epoch::Epoch,
    identifier::Identifier,
    keys::{
        Committee, KeyShare, KeyShareError, ParticipantKeys, Protocol, Roster, Session,
        board::BoardError,
        board::Round,
        dkg,
        reshare::{self, Handover, NewMember, OldMember},
        rounds::{Party, Run},
    },
    threshold::Threshold,
};
use ccc_node::ceremony::{self, CeremonyError, Entered, EntryError, Handing, Kept, Stand};
use ccc_server::{
    client::{Client, Connection, Endpoint},
    config::VaultConfig,
    follow::{Clock, Follower, NotReady},
    frame::Reply,
    journal::CounterFile,
    server::Stop,
    service::{Beginning, KeyProvider, Public, Service, Staged, StartError},
};
use rand::{SeedableRng, rngs::StdRng};
use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

const STEP: u64 = 60;

/// What a participant has on its medium; it can be killed once its state is there and nothing is posted.
#[derive(Clone, Default)]
struct Medium {
    state: Option<Vec<u8>>,
    /// How many more writes return.
    writes: Option<usize>,
}

impl Kept for Medium {
    fn read(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        Ok(self.state.clone().map(Zeroizing::new))
    }

    fn write(&mut self, state: &[u8], first: bool) -> Result<(), String> {
        assert_eq!(first, self.state.is_none(), "the first write replaces nothing");
        self.state = Some(state.to_vec());
        match &mut self.writes {
            Some(0) => Err("killed".to_owned()),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// Four participants, each with an account, on one board.
struct Circle {
    chain: Chain,
    board: Address,
    keys: Vec<ParticipantKeys>,
    rng: StdRng,
    seed: u8,
}

fn identifier(index: usize) -> Identifier {
    Identifier::new(u16::try_from(index).unwrap() + 1).unwrap()
}

fn account(index: usize) -> Wallet {
    wallet(21 + u8::try_from(index).unwrap())
}

fn accounts() -> Vec<Address> {
    (0..4).map(|index| account(index).address()).collect()
}

impl Circle {
    async fn new(chain: &Chain) -> Self {
        let mut rng = StdRng::seed_from_u64(52);
        for index in 0..4 {
            chain.fund(account(index).address()).await.unwrap();
        }
        let board = board::create(chain, &account(0)).await.unwrap();
        let keys = (0..4).map(|_| ParticipantKeys::generate(&mut rng).unwrap()).collect();
        Self { chain: chain.clone(), board, keys, rng, seed: 0 }
    }

    fn roster(&self, epoch: u64) -> Roster {
        let members = self.keys.iter().enumerate().map(|(index, keys)| keys.public(identifier(index))).collect();
        Roster::new(Epoch(epoch), Threshold::default_for(4).unwrap(), members).unwrap()
    }

    async fn now(&self) -> u64 {
        self.chain.block(BlockId::latest()).await.unwrap().time
    }

    async fn open(&mut self, registry: Option<Address>, dealers: Vec<Address>) -> (Agreement, CheckedCeremony) {
        self.seed += 1;
        let now = self.now().await;
        let agreement = Agreement {
            chain_id: self.chain.chain_id(),
            board: self.board,
            opener: account(0).address(),
            first_block: 0,
            ends: [1, 2, 3, 4].map(|round| now + round * STEP),
            seed: B256::repeat_byte(self.seed),
            registry,
            dealers,
            receivers: accounts(),
        };
        let opened = board::open(&self.chain, &account(0), self.board, &agreement.opening()).await.unwrap();
        let agreement = Agreement { first_block: opened.first_block, ..agreement };
        let ceremony = CheckedCeremony::agreed(self.chain.clone(), &agreement).await.unwrap();
        (agreement, ceremony)
    }

    /// One run of one participant.
    async fn step<P: Run>(
        &mut self,
        (index, party): (usize, &Party<'_, P>),
        ceremony: &CheckedCeremony,
        medium: &mut Medium,
    ) -> Result<Stand<P::Outcome>, CeremonyError> {
        let walked = ceremony::walk(party, ceremony, &account(index), medium, &mut self.rng).await?;
        Ok(walked.stand)
    }

    async fn over(&self, ceremony: &CheckedCeremony, round: Round) {
        self.chain.advance_time(ceremony.end(round) + 1).await.unwrap();
    }

    async fn generate(&mut self) -> (Committee, Vec<KeyShare>) {
        let (_, ceremony) = self.open(None, Vec::new()).await;
        let session = Session::new(Protocol::Dkg, None, self.roster(1), &ceremony.nonce());
        let keys = copies(&self.keys);
        let parties = (0..4).map(|index| dkg::Party::new(session.clone(), identifier(index), &keys[index]).unwrap());
        let parties: Vec<_> = parties.collect();
        let mut media = vec![Medium::default(); 4];
        let outcomes = self.run(&parties, &ceremony, &mut media).await;
        (outcomes[0].committee.clone(), outcomes.into_iter().map(|outcome| outcome.key_share).collect())
    }

    /// Everybody runs once in each round and once after the last.
    async fn run<P: Run>(
        &mut self,
        parties: &[Party<'_, P>],
        ceremony: &CheckedCeremony,
        media: &mut [Medium],
    ) -> Vec<P::Outcome> {
        let mut outcomes = Vec::new();
        for round in [Round::Commit, Round::Open, Round::Complain, Round::Confirm] {
            for (index, party) in parties.iter().enumerate() {
                let stand = self.step((index, party), ceremony, &mut media[index]).await.unwrap();
                assert!(matches!(stand, Stand::Waits { round: found, .. } if found == round), "{round}");
            }
            self.over(ceremony, round).await;
        }
        for (index, party) in parties.iter().enumerate() {
            match self.step((index, party), ceremony, &mut media[index]).await.unwrap() {
                Stand::Finished(outcome) => outcomes.push(*outcome),
                Stand::Waits { round, .. } => panic!("waits for {round}"),
            }
        }
        outcomes
    }
}

fn copies(keys: &[ParticipantKeys]) -> Vec<ParticipantKeys> {
    keys.iter().map(|keys| ParticipantKeys::from_bytes(&keys.to_bytes()).unwrap()).collect()
}

fn shares(shares: &[KeyShare]) -> Vec<KeyShare> {
    shares.iter().map(|share| KeyShare::from_bytes(&share.to_bytes()).unwrap()).collect()
}

/// The parties of a refresh, of whom all deal and all receive.
fn refreshers<'k>(session: &Session, keys: &'k [ParticipantKeys], old: &'k [KeyShare]) -> Vec<reshare::Party<'k>> {
    let party = |index: usize| {
        let (keys, key_share) = (&keys[index], &old[index]);
        let new = NewMember { identifier: identifier(index), keys };
        reshare::Party::new(session.clone(), Some(OldMember { key_share, keys }), Some(new)).unwrap()
    };
    (0..4).map(party).collect()
}

struct Held<'a>(&'a KeyShare, &'a ParticipantKeys);

impl KeyProvider for Held<'_> {
    type Error = KeyShareError;

    fn open(&self) -> Result<(KeyShare, ParticipantKeys), KeyShareError> {
        let (share, keys) = (self.0.to_bytes(), self.1.to_bytes());
        Ok((KeyShare::from_bytes(&share).unwrap(), ParticipantKeys::from_bytes(&keys).unwrap()))
    }
}

/// A node that serves, with its files.
struct Serving {
    address: SocketAddr,
    operations: SocketAddr,
    stop: Stop,
    task: JoinHandle<()>,
}

/// The scene of the served chain, its vault made over the board and entered in a registry.
struct Vault {
    scene: Scene,
    server: ChainServer,
    circle: Circle,
    registry: Address,
    dirs: Vec<TempDir>,
    old: (Committee, Vec<KeyShare>),
}

impl Vault {
    async fn new() -> Self {
        let (mut scene, server) = served().await;
        let mut circle = Circle::new(&scene.world.chain).await;
        let old = circle.generate().await;
        let first = handover::entry(&old.0, &accounts()).unwrap();
        let registry = handover::create(&circle.chain, &account(0), first).await.unwrap();
        scene.committee = old.0.clone();
        let keys = copies(&circle.keys);
        scene.members = keys.into_iter().zip(shares(&old.1)).collect();
        let dirs = (0..4).map(|_| tempfile::tempdir().unwrap()).collect();
        let vault = Self { scene, server, circle, registry, dirs, old };
        vault.tick().await;
        vault
    }

    /// The nodes' clock is the chain's.
    async fn tick(&self) {
        self.scene.clock.0.store(self.circle.now().await + 10, Ordering::SeqCst);
    }

    async fn blocks(&self, count: usize) {
        for _ in 0..count {
            self.circle.chain.advance_time(self.circle.now().await + 1).await.unwrap();
        }
        self.tick().await;
    }

    fn config(&self, index: usize) -> VaultConfig {
        let mut config = config(self.dirs[index].path(), &self.server.url(), &self.scene.host.public());
        config.own.registry = Some(self.registry);
        config
    }

    fn public(&self, committee: &Committee) -> Public {
        let deployment = self.scene.world.deployment.clone();
        Public { committee: committee.clone(), deployment, policy: self.scene.policy() }
    }

    async fn prepare(&self, index: usize, staged: Option<Staged>) -> Result<Service, StartError> {
        let config = self.config(index);
        let counter = if config.counter_path().exists() { CounterFile::Kept } else { CounterFile::Begun };
        let clock: Arc<dyn Clock> = Arc::clone(&self.scene.clock) as _;
        let keys = Held(&self.old.1[index], &self.circle.keys[index]);
        let beginning = Beginning { counter, forget_chain: false };
        Service::prepare_staged(&config, (&keys, staged), self.public(&self.old.0), clock, beginning).await
    }

    async fn start(&self, index: usize, staged: Option<Staged>) -> Serving {
        let service = self.prepare(index, staged).await.unwrap();
        let [address, operations] = service.addresses().unwrap();
        let (stop, stopped) = Stop::new();
        Serving { address, operations, stop, task: tokio::spawn(service.run(stopped)) }
    }

    async fn start_all(&self, next: Option<&(Committee, Vec<KeyShare>)>) -> Vec<Serving> {
        let mut nodes = Vec::new();
        for index in 0..4 {
            nodes.push(self.start(index, next.map(|next| self.staged(index, next))).await);
        }
        nodes
    }

    fn staged(&self, index: usize, (committee, shares): &(Committee, Vec<KeyShare>)) -> Staged {
        let share = KeyShare::from_bytes(&shares[index].to_bytes()).unwrap();
        let keys = ParticipantKeys::from_bytes(&self.circle.keys[index].to_bytes()).unwrap();
        Staged { committee: committee.clone(), share, keys }
    }

    /// What the nodes give for an attempt; those that have not read its block yet are asked again.
    async fn ask(&self, nodes: &[Serving], attempt: &Attempt, enough: usize) -> Vec<Envelope> {
        let endpoint =
            |(index, node): (usize, &Serving)| Endpoint { identifier: identifier(index), address: node.address };
        let endpoints: Vec<_> = nodes.iter().enumerate().map(endpoint).collect();
        for last in [false, false, false, true] {
            let client = Client::new(self.scene.host.clone(), self.scene.committee.clone(), endpoints.clone());
            let mut gathered = client.gather(std::slice::from_ref(&attempt.ask)).await;
            let envelopes = gathered.envelopes.remove(0);
            if envelopes.len() >= enough.max(1) || last {
                return envelopes;
            }
            tokio::time::sleep(Duration::from_millis(600)).await;
        }
        Vec::new()
    }

    /// A node refuses an attempt whose block it has read.
    async fn refused(&self, index: usize, node: &Serving, attempt: &Attempt) -> bool {
        let key = self.circle.keys[index].public_keys().signing_key();
        let connection = Connection::open(&self.scene.host, node.address, key).await.unwrap();
        for _ in 0..40 {
            match connection.ask(std::slice::from_ref(&attempt.ask)).await.unwrap().remove(0) {
                Reply::Later => tokio::time::sleep(Duration::from_millis(100)).await,
                reply => return reply == Reply::Refused,
            }
        }
        panic!("the node does not read the chain");
    }

    async fn all_refuse(&self, nodes: &[Serving], attempt: &Attempt) -> bool {
        for (index, node) in nodes.iter().enumerate() {
            if !self.refused(index, node, attempt).await {
                return false;
            }
        }
        true
    }

    fn open(&self, attempt: Attempt, envelopes: Vec<Envelope>) -> Option<Vec<u8>> {
        let Attempt { ask, keys, ciphertext } = attempt;
        let opened = keys.open(&self.scene.committee, &ask.request, MEASUREMENT, &[ciphertext], envelopes).ok()?;
        opened.plaintexts[0].as_ref().map(|text| text.to_vec())
    }
}

async fn stop(nodes: Vec<Serving>) {
    for node in &nodes {
        node.stop.stop();
    }
    for node in nodes {
        node.task.await.unwrap();
    }
}

/// The refresh, in which participant 2 is killed at each of its writes, once its state is stored and before it posts.
async fn refresh(vault: &mut Vault) -> (Agreement, CheckedCeremony, Session, (Committee, Vec<KeyShare>)) {
    let (agreement, ceremony) = vault.circle.open(Some(vault.registry), accounts()).await;
    let (old, roster) = (Arc::new(vault.old.0.clone()), vault.circle.roster(2));
    let session = Session::handover(Protocol::Refresh, old, roster, &ceremony.nonce()).unwrap();
    let (keys, held) = (copies(&vault.circle.keys), shares(&vault.old.1));
    let parties = refreshers(&session, &keys, &held);
    let mut media = vec![Medium::default(); 4];
    for round in [Round::Commit, Round::Open, Round::Complain, Round::Confirm] {
        media[1].writes = Some(0);
        let killed = vault.circle.step((1, &parties[1]), &ceremony, &mut media[1]).await.err();
        assert!(matches!(killed, Some(CeremonyError::Kept(_))), "{killed:?}");
        media[1].writes = None;
        for (index, party) in parties.iter().enumerate() {
            let stand = vault.circle.step((index, party), &ceremony, &mut media[index]).await.unwrap();
            assert!(matches!(stand, Stand::Waits { round: found, .. } if found == round), "{round}");
        }
        vault.circle.over(&ceremony, round).await;
    }
    let mut outcomes: Vec<Handover> = Vec::new();
    for (index, party) in parties.iter().enumerate() {
        match vault.circle.step((index, party), &ceremony, &mut media[index]).await.unwrap() {
            Stand::Finished(outcome) => outcomes.push(*outcome),
            Stand::Waits { round, .. } => panic!("waits for {round}"),
        }
    }
    assert!(outcomes.iter().all(|outcome| outcome.culprits.is_empty()), "who was killed is at no fault");
    let committee = outcomes[0].committee.clone();
    let new = outcomes.into_iter().map(|outcome| outcome.key_share.unwrap()).collect();
    vault.tick().await;
    (agreement, ceremony, session, (committee, new))
}

#[tokio::test]
async fn n084_a_vault_made_and_refreshed_over_the_chain_serves_with_the_share_of_the_registrys_epoch() {
    let mut vault = Vault::new().await;
    let order = vault.scene.submit(1, b"sell 25").await;
    let (agreement, ceremony, session, next) = refresh(&mut vault).await;
    assert_eq!(next.0.master_public_key(), vault.old.0.master_public_key());

    // the new shares are staged, the registry has the old epoch: it serves, and the new one does not
    let nodes = vault.start_all(Some(&next)).await;
    let attempt = vault.scene.attempt(5, &order).await;
    let former = vault.ask(&nodes, &attempt, 4).await;
    assert_eq!(former.len(), 4);
    assert_eq!(vault.open(attempt, former.clone()).unwrap(), b"sell 25");
    vault.scene.committee = next.0.clone();
    let early = vault.scene.attempt(6, &order).await;
    assert!(vault.all_refuse(&nodes, &early).await, "the new epoch does not serve yet");

    // three signatures move the entry, two do not
    let handing = Handing { agreement: &agreement, session: &session, next: &next.0 };
    for (index, have) in [(0, 1), (1, 2)] {
        let entered = ceremony::enter(&handing, &ceremony, &account(index)).await.unwrap();
        assert_eq!(entered, Entered::Waits { have, need: 3 });
    }
    assert_eq!(ceremony::enter(&handing, &ceremony, &account(2)).await.unwrap(), Entered::Delivered);
    assert_eq!(ceremony::enter(&handing, &ceremony, &account(3)).await.unwrap(), Entered::Final);
    vault.tick().await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;

    // the same nodes, without a restart
    let attempt = vault.scene.attempt(7, &order).await;
    let given = vault.ask(&nodes, &attempt, 4).await;
    assert_eq!(given.len(), 4);
    let again = vault.scene.attempt(5, &order).await;
    assert!(vault.all_refuse(&nodes, &again).await, "answered in the old epoch, with another digest");
    assert_eq!(vault.open(again, former.clone()), None, "answers of the old epoch open nothing in the new one");
    assert_eq!(vault.open(attempt, given).unwrap(), b"sell 25");
    // two of the new and all of the old are no three
    let attempt = vault.scene.attempt(8, &order).await;
    let given = vault.ask(&nodes, &attempt, 4).await;
    let mixed: Vec<_> = given.into_iter().take(2).chain(former).collect();
    assert_eq!((mixed.len(), vault.open(attempt, mixed)), (6, None));
    vault.scene.committee = vault.old.0.clone();
    let late = vault.scene.attempt(9, &order).await;
    assert!(vault.all_refuse(&nodes, &late).await, "old shares have had their time");
    stop(nodes).await;

    // a share of another refresh of the same epoch does not serve in the place of the one in office
    let (agreement, ceremony, session, twin) = refresh(&mut vault).await;
    assert_eq!(twin.0.epoch(), next.0.epoch());
    let handing = Handing { agreement: &agreement, session: &session, next: &twin.0 };
    let refused = ceremony::enter(&handing, &ceremony, &account(0)).await.err();
    assert!(matches!(refused, Some(EntryError::OtherCommittee { epoch: 2, .. })), "{refused:?}");
    assert_eq!(ceremony.signatures().await.unwrap(), Vec::<[u8; 65]>::new(), "nothing was signed");
    let twin = vault.start(0, Some(vault.staged(0, &twin))).await;
    let page = crate::files::page(twin.operations, "/readyz").await;
    assert!(page.contains("committee of epoch 2 is not the staged one"), "{page}");
    stop(vec![twin]).await;

    // who has the old share alone says so and gives nothing
    let alone = vault.start(0, None).await;
    let page = crate::files::page(alone.operations, "/readyz").await;
    assert!(page.contains("the registry has epoch 2, this node's share is of epoch 1"), "{page}");
    stop(vec![alone]).await;
}

/// Killed between the two phases: both shares are there, whichever the registry has.
#[tokio::test]
async fn n083_a_staged_share_is_of_the_same_participant_in_the_next_epoch() {
    let mut vault = Vault::new().await;
    let (_, _, _, next) = refresh(&mut vault).await;
    let refused = |outcome: Result<Service, StartError>| match outcome.err() {
        Some(StartError::Staged { reason }) => reason,
        other => panic!("{other:?}"),
    };
    let other = vault.prepare(0, Some(vault.staged(1, &next))).await;
    assert!(refused(other).contains("not of participant 1"));
    let same = (vault.old.0.clone(), shares(&vault.old.1));
    assert!(refused(vault.prepare(0, Some(vault.staged(0, &same))).await).contains("epoch 1, where the one after 1"));
    let mixed = (next.0.clone(), shares(&vault.old.1));
    assert!(!refused(vault.prepare(0, Some(vault.staged(0, &mixed))).await).is_empty());
    // the journal of `key` opens under no other dealing key
    let keys = vault.circle.keys[0].with_new_dealing_key(&mut vault.circle.rng).unwrap();
    let renewed = Staged { keys, ..vault.staged(0, &next) };
    let renewed = vault.prepare(0, Some(renewed)).await.err();
    assert!(matches!(renewed, Some(StartError::StagedDealingKey)), "{renewed:?}");
    vault.prepare(0, Some(vault.staged(0, &next))).await.unwrap();
}

/// The registry has the new epoch in a block that may be taken back: nobody erases the old share, no node leaves it.
#[tokio::test]
async fn n083_an_entry_that_is_not_final_moves_nobody() {
    let mut vault = Vault::new().await;
    let (agreement, _, session, next) = refresh(&mut vault).await;
    let slow = vault.circle.chain.clone().with_finality(Finality::Confirmations(2));
    let ceremony = CheckedCeremony::agreed(slow.clone(), &agreement).await.unwrap();
    vault.blocks(3).await;
    let clock: Arc<dyn Clock> = Arc::clone(&vault.scene.clock) as _;
    let (deployment, options) = (&vault.scene.world.deployment, vault.config(0).follow());
    let follower = Follower::new(&slow, deployment, options, clock).await.unwrap();
    let mut follower = follower.asking(Some(vault.registry));
    let handing = Handing { agreement: &agreement, session: &session, next: &next.0 };
    for index in 0..2 {
        let entered = ceremony::enter(&handing, &ceremony, &account(index)).await.unwrap();
        assert_eq!(entered, Entered::Waits { have: index + 1, need: 3 });
    }
    assert_eq!(ceremony::enter(&handing, &ceremony, &account(2)).await.unwrap(), Entered::Delivered);
    for _ in 0..2 {
        // who did not deliver it reads it in the newest block, and not in a final one
        assert_eq!(ceremony::enter(&handing, &ceremony, &account(3)).await.unwrap(), Entered::Delivered);
        assert_eq!(epoch(&mut follower).await.unwrap(), 1);
        vault.blocks(1).await;
    }
    assert_eq!(ceremony::enter(&handing, &ceremony, &account(3)).await.unwrap(), Entered::Final);
    assert_eq!(epoch(&mut follower).await.unwrap(), 2);
}

async fn epoch(follower: &mut Follower) -> Result<u64, Arc<NotReady>> {
    follower.look().await?;
    Ok(follower.followed().snapshot()?.vault().unwrap().epoch)
}

/// Two committees with one board and two registries: neither's messages, signatures or entries serve the other.
#[tokio::test]
async fn n022_two_committees_on_one_chain_never_mix() {
    let mut vault = Vault::new().await;
    let (agreement, ceremony, session, next) = refresh(&mut vault).await;
    // a second committee of the same people, made on the same board
    let second = vault.circle.generate().await;
    assert_ne!(second.0.master_public_key(), vault.old.0.master_public_key());
    let entry = handover::entry(&second.0, &accounts()).unwrap();
    let registry = handover::create(&vault.circle.chain, &account(0), entry).await.unwrap();

    // the first one's handover at the second one's registry
    let elsewhere = Agreement { registry: Some(registry), ..agreement.clone() };
    let handing = Handing { agreement: &elsewhere, session: &session, next: &next.0 };
    let refused = ceremony::enter(&handing, &ceremony, &account(0)).await.err();
    assert!(matches!(refused, Some(EntryError::OtherCeremony { .. })), "{refused:?}");
    let read = CheckedCeremony::agreed(vault.circle.chain.clone(), &elsewhere).await.err();
    assert!(matches!(read, Some(BoardError::Unreachable(_))), "{read:?}");
    // another committee than the rounds give is not signed, whoever holds it
    let handing = Handing { agreement: &agreement, session: &session, next: &second.0 };
    let refused = ceremony::enter(&handing, &ceremony, &account(0)).await.err();
    assert!(matches!(refused, Some(EntryError::OtherResult { .. })), "{refused:?}");
    assert_eq!(ceremony.signatures().await.unwrap(), Vec::<[u8; 65]>::new(), "nothing was signed");

    // a contract that is no registry is not believed, whatever it would say
    let (fake, elsewhere) = vault.circle.open(Some(vault.circle.board), accounts()).await;
    let handing = Handing { agreement: &fake, session: &session, next: &next.0 };
    let refused = ceremony::enter(&handing, &elsewhere, &account(0)).await.err();
    assert!(matches!(refused, Some(EntryError::OtherContract { .. })), "{refused:?}");

    // the second one's handover, signed under the first one's ceremony, counts for nothing there
    let handing = Handing { agreement: &agreement, session: &session, next: &next.0 };
    let office = handover::in_office(&vault.circle.chain, registry, BlockId::latest()).await.unwrap();
    let next_entry = handover::entry(&next.0, &accounts()).unwrap();
    let until = agreement.deliverable_until();
    let digest = handover::signed_digest(vault.circle.chain.chain_id(), registry, office.digest, &next_entry, until);
    for index in 1..4 {
        ceremony.sign(&handover::sign(&account(index), &digest).unwrap(), &account(index)).await.unwrap();
    }
    let entered = ceremony::enter(&handing, &ceremony, &account(0)).await.unwrap();
    assert_eq!(entered, Entered::Waits { have: 1, need: 3 });

    // a node of the second committee is none of the first one's
    let keys = Held(&second.1[0], &vault.circle.keys[0]);
    let clock: Arc<dyn Clock> = Arc::clone(&vault.scene.clock) as _;
    vault.tick().await;
    let beginning = Beginning { counter: CounterFile::Begun, forget_chain: false };
    let mixed = Service::prepare(&vault.config(0), &keys, vault.public(&vault.old.0), clock, beginning).await.err();
    assert!(matches!(mixed, Some(StartError::Share(_))), "{mixed:?}");
    // nor does the second one's registry say the first one's epoch, though the number is the same
    vault.registry = registry;
    let lost = vault.start(0, None).await;
    let page = crate::files::page(lost.operations, "/readyz").await;
    assert!(page.contains("the registry has the master public key"), "{page}");
    stop(vec![lost]).await;
}

/// A member that posts nothing to the confirm round, or too late, has the same result and splits nobody; a state that is
/// gone is not drawn again.
#[tokio::test]
async fn n084_one_that_confirms_late_splits_no_committee() {
    let mut vault = Vault::new().await;
    let (_, ceremony) = vault.circle.open(None, accounts()).await;
    let (old, roster) = (Arc::new(vault.old.0.clone()), vault.circle.roster(2));
    let session = Session::handover(Protocol::Refresh, old, roster, &ceremony.nonce()).unwrap();
    let (keys, held) = (copies(&vault.circle.keys), shares(&vault.old.1));
    let parties = refreshers(&session, &keys, &held);
    let mut media = vec![Medium::default(); 4];
    for round in [Round::Commit, Round::Open, Round::Complain, Round::Confirm] {
        for (index, party) in parties.iter().enumerate().filter(|(index, _)| *index < 3 || round != Round::Confirm) {
            vault.circle.step((index, party), &ceremony, &mut media[index]).await.unwrap();
        }
        if round == Round::Commit {
            let lost = vault.circle.step((0, &parties[0]), &ceremony, &mut Medium::default()).await.err();
            assert!(matches!(lost, Some(CeremonyError::StateLost)), "{lost:?}");
        }
        vault.circle.over(&ceremony, round).await;
    }
    let mut results = Vec::new();
    for (index, party) in parties.iter().enumerate() {
        let walked =
            ceremony::walk(party, &ceremony, &account(index), &mut media[index], &mut vault.circle.rng).await.unwrap();
        assert_eq!(walked.missed, if index == 3 { vec![Round::Confirm] } else { Vec::new() });
        let Stand::Finished(outcome) = walked.stand else { panic!("not finished") };
        let culprits: Vec<_> = outcome.culprits.iter().map(|culprit| culprit.identifier).collect();
        assert_eq!(culprits, [identifier(3)]);
        outcome.key_share.as_ref().unwrap().matches(&outcome.committee).unwrap();
        results.push(outcome.committee.to_bytes());
    }
    assert!(results.iter().all(|result| *result == results[0]));
}
