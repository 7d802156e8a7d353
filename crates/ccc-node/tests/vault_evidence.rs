//! Evidence of several makers in one answer, as participants of the vault and signers of results judge it.

mod support;

use ccc_core::{
    enclave::attestation::{
        AttestationProvider, Body, EvidenceList, MAX_EVIDENCE, Policy, PolicyRefusal,
        simulated::{SimulatedHardware, SimulatedProvider},
        verify,
    },
    vault::MAX_EVIDENCE as MOST_BESIDE_KEYS,
};
use ccc_enclave::attempt::Enclave;
use ccc_node::vault_node::{Ask, MemoryJournal, Refusal, VaultNode};
use rand::{SeedableRng, rngs::StdRng};
use support::{ask, copy, pool::World, view};

/// When the genuine document was made.
const MADE: u64 = 1_736_179_625;

/// A genuine document of AWS, for a request of somebody else's.
fn nitro() -> Vec<u8> {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/attestation/nitro/real-2025-01-06-eu-central-1.cose");
    let document = std::fs::read(path).expect("a sample");
    Body::Nitro { document: &document }.to_bytes().expect("short")
}

fn refusal(world: &World, policy: Policy, ask: &Ask) -> Option<Refusal> {
    let (keys, share) = copy(world, 0);
    let served = (world.config.chain, world.config.pool);
    let journal = MemoryJournal::default();
    let mut node = VaultNode::new(keys, share, world.committee.clone(), policy, served, journal);
    node.reencrypt(&view(world, None), ask, world.time, &mut StdRng::seed_from_u64(5)).err()
}

/// A policy of two makers: AWS's document is genuine, current and of a listed program, and vouches for somebody else's keys.
#[test]
fn n108_a_participant_counts_the_makers_of_one_answer() {
    let (mut world, _) = World::with_makers(1);
    world.time = MADE;
    let asked = ask(&mut world, None);
    let aws = nitro();
    let found = verify(&aws, MADE).expect("genuine").measurement;
    let mut two = world.policy();
    two.measurements.push(found);
    two.hardware.configurations = vec![world.config.digest()];
    two.hardware.kinds = 2;
    let own = asked.ask.card.evidence.clone();
    let digest = asked.ask.request.digest();
    let second = SimulatedProvider::new(SimulatedHardware::from_seed(&[9; 32]), found);
    let second = second.attest(&asked.ask.card.recipient.user_data(&digest), &digest, MADE).expect("evidence");
    let with = |pieces: &[&[u8]]| {
        let mut ask = asked.ask.clone();
        ask.card.evidence = if let [one] = pieces { one.to_vec() } else { EvidenceList::join(pieces).expect("short") };
        ask
    };
    let kinds = |ask: &Ask| match refusal(&world, two.clone(), ask) {
        Some(Refusal::Policy(PolicyRefusal::Kinds { found: 1, needed: 2, refused })) => refused,
        other => panic!("{other:?}"),
    };
    assert_eq!(kinds(&with(&[&own])), []);
    assert_eq!(kinds(&with(&[&own, &second])), [], "two programs of one maker");
    assert_eq!(kinds(&with(&[&own, &aws])), [(1, PolicyRefusal::Nonce)]);
    assert_eq!(kinds(&with(&[&own, &second, &aws])), [(2, PolicyRefusal::Nonce)]);
    let first = refusal(&world, two.clone(), &with(&[&aws, &own]));
    assert!(matches!(first, Some(Refusal::Policy(PolicyRefusal::Nonce))), "{first:?}");
    let one = Policy { hardware: Default::default(), ..two.clone() };
    assert!(refusal(&world, one.clone(), &with(&[&own, &aws])).is_none());
    // the keys are of the first piece's program
    let moved = refusal(&world, one, &with(&[&second, &own]));
    let (theirs, ours) = (found, world.config.measurement());
    assert!(
        matches!(moved, Some(Refusal::Measurement { expected, found }) if (expected, found) == (theirs, ours)),
        "{moved:?}"
    );
}

/// What is beside an attempt's keys has room for a list, and an enclave whose provider gives one reads its own piece.
#[test]
fn several_pieces_travel_beside_the_keys() {
    struct Joined(SimulatedProvider);

    impl AttestationProvider for Joined {
        fn kind(&self) -> ccc_core::enclave::attestation::ProviderKind {
            self.0.kind()
        }

        fn attest(
            &self,
            user_data: &[u8; 64],
            nonce: &[u8; 64],
            now: u64,
        ) -> Result<Vec<u8>, ccc_core::enclave::attestation::ProviderError> {
            let own = self.0.attest(user_data, nonce, now)?;
            Ok(EvidenceList::join(&[&own, &nitro()]).expect("short"))
        }

        fn sealing_key(
            &self,
            configuration: &[u8; 32],
        ) -> Result<ccc_core::enclave::sealing::SealingKey, ccc_core::enclave::attestation::ProviderError> {
            self.0.sealing_key(configuration)
        }
    }

    assert_eq!(MAX_EVIDENCE, MOST_BESIDE_KEYS);
    let (mut world, _) = World::with_makers(2);
    let asked = ask(&mut world, None);
    let joined = Joined(world.hardware());
    let enclave = Enclave::new(world.config.clone(), &joined).expect("a configuration");
    let attempt = enclave.resume(asked.ask.request.clone(), asked.keys, world.time).expect("an attempt");
    let sent = attempt.card().to_bytes();
    let read = ccc_core::vault::AttestedRecipient::from_bytes(&sent).expect("a recipient");
    let list = EvidenceList::from_bytes(&read.evidence).expect("a list");
    assert_eq!(list.pieces().len(), 2);
    let ask = Ask { card: read, ..asked.ask };
    assert!(refusal(&world, world.policy(), &ask).is_none());
}
