//! Identities are admitted by a quorum of signers, of whom one's time is off.

mod support;

use ccc_core::{
    enclave::{
        attestation::{Policy, PolicyRefusal},
        identity::{AttestedIdentity, IdentityKey, IdentityRefusal},
    },
    report::{Origin, ReportContext, ReportSigner, SignerSet},
};
use ccc_enclave::attempt::Enclave;
use ccc_node::workflow_node::{Decision, RegistryView, SignerRefusal, WorkflowNode};
use support::pool::World;

const CONTEXT: ReportContext = ReportContext { config_digest: [5; 32], sequence: 1 };
const DAY: u64 = 24 * 3_600;
const BEHIND: fn(u64) -> u64 = |time| time - 600;
const AHEAD: fn(u64) -> u64 = |time| time + 600;

struct Scene {
    world: World,
    quorum: usize,
}

impl Scene {
    fn new(seed: u64) -> Self {
        let quorum = SignerSet { don_id: 1, config_version: 1, f: 1, signers: vec![[1; 20]; 4] }.quorum();
        Self { world: World::empty(seed), quorum }
    }

    /// What a signer reads whose time is this one. The block is the same for all.
    fn view(&self, now: u64) -> RegistryView {
        RegistryView {
            chain: self.world.config.chain,
            registry: [6; 20],
            epoch: 1,
            block_hash: [0xBB; 32],
            block_time: self.world.time - 60,
            now,
            last_sequence: 0,
        }
    }

    /// An identity that ends at a second, attested at another.
    fn identity(&mut self, not_after: u64, made: u64) -> AttestedIdentity {
        let key = IdentityKey::generate(1, not_after, &mut self.world.rng).expect("a key");
        let enclave = Enclave::new(self.world.config.clone(), &self.world.provider).expect("a configuration");
        enclave.attest_identity(&key, self.view(0).challenge().bytes(), made).expect("evidence")
    }

    fn decide(&self, attested: &AttestedIdentity, now: u64) -> Result<(), SignerRefusal> {
        let policy = Policy { max_age: 300, ..self.world.policy() };
        let signer = ReportSigner::from_bytes(&[4; 32]).expect("a key");
        let node = WorkflowNode::new(signer, policy, self.world.config.clone(), self.world.key());
        let (decision, view) = (Decision::Admit(attested), self.view(now));
        node.with_identities(1, DAY).decide(decision, &view, origin(), &CONTEXT).map(drop)
    }

    /// How many of four signers sign, of whom one has another time.
    fn signed(&self, attested: &AttestedIdentity, wrong: fn(u64) -> u64) -> usize {
        let time = self.world.time;
        let times = [time, wrong(time), time, time];
        times.into_iter().filter(|now| self.decide(attested, *now).is_ok()).count()
    }
}

fn origin() -> Origin {
    let mut workflow_id = [7; 32];
    workflow_id[0] = 0;
    Origin { don_id: 1, config_version: 1, workflow_id, workflow_owner: [8; 20] }
}

/// Evidence too old, an identity that is over, one that would live too long: the signer whose time is off takes each, and is
/// alone. What is sound, the three others sign without it.
#[test]
fn n110_the_admission_of_identities_by_one_signer_ten_minutes_off_neither_admits_nor_blocks() {
    let mut scene = Scene::new(1);
    let time = scene.world.time;
    let sound = scene.identity(time + DAY, time);
    assert!(scene.decide(&sound, time).is_ok());
    for wrong in [BEHIND, AHEAD] {
        assert!((scene.quorum..=3).contains(&scene.signed(&sound, wrong)), "not blocked");
    }
    let old = scene.identity(time + DAY / 2, time - 600);
    let over = scene.identity(time - 300, time - 600);
    let long = scene.identity(time + DAY + 300, time + 600);
    let policy = |refused: Result<(), SignerRefusal>| match refused {
        Err(SignerRefusal::Identity(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    let age = PolicyRefusal::Age { found: 600, max_age: 300 };
    assert_eq!(policy(scene.decide(&old, time)), IdentityRefusal::Policy(age));
    assert_eq!(policy(scene.decide(&over, time)), IdentityRefusal::Expired { not_after: time - 300, now: time });
    let lifetime = IdentityRefusal::Lifetime { last: time + DAY, found: time + DAY + 300 };
    assert_eq!(policy(scene.decide(&long, time)), lifetime);
    for (attested, takes_it) in [(&old, BEHIND), (&over, BEHIND), (&long, AHEAD)] {
        assert!(scene.decide(attested, takes_it(time)).is_ok(), "the one that is off takes it");
        for wrong in [BEHIND, AHEAD] {
            assert!(scene.signed(attested, wrong) < scene.quorum, "not admitted");
        }
    }
}
