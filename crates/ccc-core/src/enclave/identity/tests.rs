use super::super::attestation::simulated::{SimulatedHardware, SimulatedProvider};
use super::super::attestation::{Evidence, Hardware, OperatingMode, Policy, PolicyRefusal, ProviderKind};
use super::*;
use alloc::vec;
use hpke::Deserializable;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

const NOW: u64 = 1_800_000_000;
const DAY: u64 = 86_400;
const MEASUREMENT: [u8; 32] = [3; 32];
const CONFIGURATION: [u8; 32] = [5; 32];
const SAID: [u8; 64] = [6; 64];

struct Scene {
    rng: ChaCha20Rng,
    provider: SimulatedProvider,
    policy: Policy,
    known: KnownIdentities,
    key: IdentityKey,
}

impl Scene {
    fn new() -> Self {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let provider = SimulatedProvider::new(SimulatedHardware::from_seed(&[4; 32]), MEASUREMENT);
        let policy = Policy {
            mode: OperatingMode::Simulation,
            measurements: vec![MEASUREMENT],
            max_age: 60,
            simulated_roots: vec![provider.root()],
            hardware: Hardware::default(),
        };
        let key = IdentityKey::generate(7, NOW + DAY, &mut rng).unwrap();
        Self { rng, provider, policy, known: KnownIdentities::new(7, 7 * DAY), key }
    }

    fn challenge(&mut self) -> Challenge {
        Challenge::draw(&mut self.rng).unwrap()
    }

    fn attested(&self, challenge: &Challenge, now: u64) -> AttestedIdentity {
        self.key.attest(&self.provider, &CONFIGURATION, challenge.bytes(), now).unwrap()
    }

    /// Attests and admits at one time.
    fn admit(&mut self, now: u64) -> Result<(), IdentityRefusal> {
        let challenge = self.challenge();
        let attested = self.attested(&challenge, now);
        self.known.admit(&attested, &self.policy, challenge, now).map(drop)
    }

    /// Remembers the identity by evidence of hardware that was accepted under a configuration.
    fn remember(&mut self, configuration: &[u8; 32]) -> Result<(), IdentityRefusal> {
        let (challenge, kind) = ([9; 64], ProviderKind::Nitro);
        let bytes = self.provider.attest(&SAID, &challenge, NOW).unwrap();
        let user_data = kind.user_data(&self.key.identity.user_data(&challenge), configuration).to_vec();
        let evidence = Evidence { kind, user_data, ..self.policy.genuine(&bytes, NOW).unwrap() };
        let attested = AttestedIdentity { identity: self.key.identity, evidence: bytes };
        self.known.remember(attested, vec![(0, evidence)], challenge, &self.policy).map(drop)
    }
}

#[test]
fn an_admitted_identity_speaks_until_its_last_second() {
    let mut scene = Scene::new();
    let signed = scene.key.sign(&SAID, NOW).unwrap();
    let signer = scene.key.identity().signer;
    assert_eq!(scene.known.check(&SAID, &signed, NOW), Err(IdentityRefusal::Unknown { signer }));
    scene.admit(NOW).unwrap();
    let last = NOW + DAY;
    assert_eq!(scene.known.check(&SAID, &signed, last), Ok(scene.key.identity()));
    let (not_after, now) = (last, last + 1);
    assert_eq!(scene.known.check(&SAID, &signed, now), Err(IdentityRefusal::Expired { not_after, now }));
    assert_eq!(scene.key.sign(&SAID, now), Err(IdentityOver::Expired { not_after, now }));
    assert_eq!(scene.admit(now), Err(IdentityRefusal::Expired { not_after, now }));
}

/// Attested again before its expiry, the same key speaks for longer; an admission that is shorter is an old one.
#[test]
fn an_identity_is_renewed_before_it_expires() {
    let mut scene = Scene::new();
    scene.admit(NOW).unwrap();
    assert!(!scene.key.is_due(7, 3_600, NOW));
    assert!(scene.key.is_due(7, 3_600, NOW + DAY - 3_600) && scene.key.is_due(8, 3_600, NOW));
    let old = scene.key.identity;
    scene.key.renew(7, NOW + 2 * DAY).unwrap();
    scene.admit(NOW + DAY - 1).unwrap();
    let late = NOW + DAY + 1;
    let signed = scene.key.sign(&SAID, late).unwrap();
    assert!(scene.known.check(&SAID, &signed, late).is_ok());
    let refused = scene.key.renew(7, NOW + DAY);
    assert_eq!(refused, Err(IdentityOver::NotLater { epoch: 7, not_after: NOW + DAY }));
    assert!(scene.key.renew(6, NOW + 3 * DAY).is_err() && scene.key.renew(7, NOW + 2 * DAY).is_err());
    scene.key.identity = old;
    let shorter = IdentityRefusal::Shorter { known: NOW + 2 * DAY, found: NOW + DAY };
    assert_eq!(scene.admit(NOW), Err(shorter));
}

#[test]
fn an_identity_of_an_older_epoch_is_refused() {
    let mut scene = Scene::new();
    scene.admit(NOW).unwrap();
    let signed = scene.key.sign(&SAID, NOW).unwrap();
    scene.known.enter(8, NOW).unwrap();
    let older = IdentityRefusal::Epoch { expected: 8, found: 7 };
    assert_eq!(scene.known.check(&SAID, &signed, NOW), Err(older.clone()));
    assert_eq!(scene.admit(NOW), Err(older.clone()));
    scene.key.renew(8, NOW + DAY).unwrap();
    let signed_anew = scene.key.sign(&SAID, NOW).unwrap();
    assert_eq!(scene.known.check(&SAID, &signed_anew, NOW), Err(older.clone()), "known in epoch 7 alone");
    scene.admit(NOW).unwrap();
    assert!(scene.known.check(&SAID, &signed_anew, NOW).is_ok());
    assert_eq!(scene.known.check(&SAID, &signed, NOW), Err(older), "signed in epoch 7");
    assert_eq!(scene.known.enter(7, NOW), Err(IdentityRefusal::Epoch { expected: 8, found: 7 }));
}

/// The epoch is under the signature: one of an older epoch cannot be said to be of a newer.
#[test]
fn the_epoch_and_what_is_said_are_signed() {
    let mut scene = Scene::new();
    scene.admit(NOW).unwrap();
    let signed = scene.key.sign(&SAID, NOW).unwrap();
    let message = crate::suite::digest32("identity-signature", &[&7_u64.to_be_bytes(), &SAID]);
    assert_eq!(signed.signature.recover(&message), Ok(scene.key.identity().signer));
    assert!(matches!(scene.known.check(&[0; 64], &signed, NOW), Err(IdentityRefusal::Unknown { .. })));
    scene.known.enter(8, NOW).unwrap();
    scene.key.renew(8, NOW + DAY).unwrap();
    scene.admit(NOW).unwrap();
    let moved = IdentitySignature { epoch: 8, ..signed };
    assert!(matches!(scene.known.check(&SAID, &moved, NOW), Err(IdentityRefusal::Unknown { .. })));
}

/// Evidence that answered one challenge answers no other, and is too old for its own once its age is over.
#[test]
fn n096_evidence_of_an_identity_is_not_played_again() {
    let mut scene = Scene::new();
    let (first, second) = (scene.challenge(), scene.challenge());
    let attested = scene.attested(&first, NOW);
    let refused = scene.known.admit(&attested, &scene.policy, second, NOW);
    assert_eq!(refused, Err(IdentityRefusal::Policy(PolicyRefusal::Nonce)));
    let age = PolicyRefusal::Age { found: 61, max_age: 60 };
    assert_eq!(scene.known.admit(&attested, &scene.policy, first, NOW + 61), Err(IdentityRefusal::Policy(age)));
}

#[test]
fn n106_every_part_of_an_identity_is_under_its_evidence() {
    let mut scene = Scene::new();
    let changes: [fn(&mut Identity); 4] = [
        |identity| identity.signer[0] ^= 1,
        |identity| identity.box_key[31] ^= 1,
        |identity| identity.not_after += 1,
        |identity| identity.epoch = 8,
    ];
    for change in changes {
        let challenge = scene.challenge();
        let mut attested = scene.attested(&challenge, NOW);
        change(&mut attested.identity);
        scene.known = KnownIdentities::new(attested.identity.epoch, 7 * DAY);
        let refused = scene.known.admit(&attested, &scene.policy, challenge, NOW);
        assert_eq!(refused, Err(IdentityRefusal::Policy(PolicyRefusal::UserData)));
    }
    let challenge = [9; 64];
    let Identity { signer, box_key, epoch, not_after } = *scene.key.identity();
    let fields: [&[u8]; 5] = [&signer, &box_key, &epoch.to_be_bytes(), &not_after.to_be_bytes(), &challenge];
    assert_eq!(scene.key.identity().user_data(&challenge), crate::suite::hash("identity", &fields));
}

#[test]
fn an_identity_is_neither_admitted_for_too_long_nor_changed() {
    let mut scene = Scene::new();
    scene.known = KnownIdentities::new(7, DAY - 1);
    assert_eq!(scene.admit(NOW), Err(IdentityRefusal::Lifetime { last: NOW + DAY - 1, found: NOW + DAY }));
    scene.admit(NOW + 1).unwrap();
    let box_key = core::mem::replace(&mut scene.key.identity.box_key, [8; 32]);
    assert_eq!(scene.admit(NOW + 1), Err(IdentityRefusal::Changed { what: "box key" }));
    scene.key.identity.box_key = box_key;
    scene.provider = SimulatedProvider::new(SimulatedHardware::from_seed(&[4; 32]), [9; 32]);
    scene.policy.measurements.push([9; 32]);
    assert_eq!(scene.admit(NOW + 1), Err(IdentityRefusal::Changed { what: "program" }));
}

#[test]
fn n099_an_identity_whose_program_is_taken_off_the_list_is_forgotten_and_named() {
    let mut scene = Scene::new();
    scene.admit(NOW).unwrap();
    let signer = scene.key.identity().signer;
    assert!(scene.known.judge_again(&scene.policy, NOW).is_empty());
    scene.policy.measurements = vec![[9; 32]];
    assert_eq!(scene.known.judge_again(&scene.policy, NOW), [signer]);
    let signed = scene.key.sign(&SAID, NOW).unwrap();
    assert_eq!(scene.known.check(&SAID, &signed, NOW), Err(IdentityRefusal::Unknown { signer }));
}

/// All that a policy says of an admission, and not its programs alone, is judged again.
#[test]
fn n099_an_identity_that_a_policy_would_no_longer_admit_is_forgotten_and_named() {
    let mut scene = Scene::new();
    scene.admit(NOW).unwrap();
    let signer = scene.key.identity().signer;
    let production = Policy { mode: OperatingMode::Production, ..scene.policy.clone() };
    assert_eq!(scene.known.judge_again(&production, NOW), [signer]);
    scene.policy.hardware.configurations = vec![CONFIGURATION, [8; 32]];
    scene.remember(&CONFIGURATION).unwrap();
    assert!(scene.known.judge_again(&scene.policy, NOW).is_empty());
    scene.policy.hardware.configurations.remove(0);
    assert_eq!(scene.known.judge_again(&scene.policy, NOW), [signer]);
}

/// A genuine report of Milan, and what it says, as if it said it of this identity.
#[cfg(feature = "snp")]
fn milan(scene: &Scene, challenge: &[u8; 64]) -> (Vec<u8>, Evidence) {
    let text = core::str::from_utf8(crate::support::file("attestation/snp/report_milan.hex")).unwrap();
    let report = hex::decode(text.trim()).unwrap();
    let vcek = crate::support::file("attestation/snp/vcek_milan.der");
    let report = report[..].try_into().unwrap();
    let bytes = super::super::attestation::Body::Snp { report, vcek }.to_bytes().unwrap();
    let said = scene.key.identity().user_data(challenge);
    let user_data = ProviderKind::SevSnp.user_data(&said, &CONFIGURATION).to_vec();
    let evidence = Evidence { user_data, ..super::super::attestation::verify(&bytes, 1_700_000_000).unwrap() };
    (bytes, evidence)
}

/// A policy that was given revocation lists since the admission holds the chain against them: here the list of AMD's root
/// is not among them.
#[cfg(feature = "snp")]
#[test]
fn n109_an_identity_whose_chain_new_lists_refuse_is_forgotten_and_named() {
    let mut scene = Scene::new();
    let (challenge, identity) = ([9; 64], *scene.key.identity());
    let (bytes, evidence) = milan(&scene, &challenge);
    scene.policy.measurements.push(evidence.measurement);
    scene.policy.hardware.configurations = vec![CONFIGURATION];
    let attested = AttestedIdentity { identity, evidence: bytes };
    scene.known.remember(attested, vec![(0, evidence)], challenge, &scene.policy).unwrap();
    assert!(scene.known.judge_again(&scene.policy, NOW).is_empty());
    let list = crate::support::file("attestation/snp/revocation/nothing.crl");
    scene.policy.hardware.revocation.add(list.to_vec()).unwrap();
    assert_eq!(scene.known.judge_again(&scene.policy, NOW), [identity.signer]);
}

/// Of a list, each maker's own chain is held against the lists, at its own place: here the third piece's.
#[cfg(feature = "snp")]
#[test]
fn n108_n109_of_two_makers_that_vouch_each_is_judged_again() {
    let mut scene = Scene::new();
    let (challenge, identity) = ([9; 64], *scene.key.identity());
    let (amd, by_amd) = milan(&scene, &challenge);
    let own = scene.provider.attest(&identity.user_data(&challenge), &challenge, NOW).unwrap();
    let foreign = SimulatedProvider::new(SimulatedHardware::from_seed(&[8; 32]), MEASUREMENT);
    let refused = foreign.attest(&identity.user_data(&challenge), &challenge, NOW).unwrap();
    let by_own = scene.policy.genuine(&own, NOW).unwrap();
    scene.policy.measurements.push(by_amd.measurement);
    scene.policy.hardware.configurations = vec![CONFIGURATION];
    scene.policy.hardware.kinds = 2;
    let evidence = super::super::attestation::EvidenceList::join(&[&own, &refused, &amd]).unwrap();
    let accepted = vec![(0, by_own), (2, by_amd)];
    let remember = |scene: &mut Scene| {
        let attested = AttestedIdentity { identity, evidence: evidence.clone() };
        scene.known.remember(attested, accepted.clone(), challenge, &scene.policy).unwrap();
    };
    remember(&mut scene);
    assert!(scene.known.judge_again(&scene.policy, NOW).is_empty());
    let lists = scene.policy.hardware.revocation.clone();
    let list = crate::support::file("attestation/snp/revocation/nothing.crl");
    scene.policy.hardware.revocation.add(list.to_vec()).unwrap();
    assert_eq!(scene.known.judge_again(&scene.policy, NOW), [identity.signer], "no list of AMD's root");
    scene.policy.hardware.revocation = lists;
    remember(&mut scene);
    scene.policy.measurements.pop();
    assert_eq!(scene.known.judge_again(&scene.policy, NOW), [identity.signer], "AMD's program was taken off");
}

/// One image under another configuration has the same measurement, and is another program.
#[test]
fn an_identity_on_hardware_does_not_change_its_configuration() {
    let mut scene = Scene::new();
    scene.policy.hardware.configurations = vec![CONFIGURATION, [8; 32]];
    scene.remember(&CONFIGURATION).unwrap();
    assert_eq!(scene.remember(&[8; 32]), Err(IdentityRefusal::Changed { what: "configuration" }));
    assert_eq!(scene.remember(&CONFIGURATION), Ok(()));
}

#[test]
fn a_revoked_identity_neither_speaks_nor_is_admitted_again() {
    let mut scene = Scene::new();
    scene.admit(NOW).unwrap();
    let (signer, signed) = (scene.key.identity().signer, scene.key.sign(&SAID, NOW).unwrap());
    scene.known.revoke(signer);
    assert_eq!(scene.known.check(&SAID, &signed, NOW), Err(IdentityRefusal::Revoked { signer }));
    assert_eq!(scene.admit(NOW), Err(IdentityRefusal::Revoked { signer }));
}

#[test]
fn an_expired_identity_is_forgotten_at_the_next_epoch() {
    let mut scene = Scene::new();
    scene.admit(NOW).unwrap();
    let signed = scene.key.sign(&SAID, NOW).unwrap();
    scene.known.enter(7, NOW + DAY).unwrap();
    assert!(scene.known.check(&SAID, &signed, NOW).is_ok());
    scene.known.enter(7, NOW + DAY + 1).unwrap();
    let signer = scene.key.identity().signer;
    assert_eq!(scene.known.check(&SAID, &signed, NOW), Err(IdentityRefusal::Unknown { signer }));
}

/// Sealed to a measurement and a configuration: the same program goes on as the same signer, another one does not.
#[test]
fn a_sealed_identity_opens_for_the_same_program_alone() {
    let mut scene = Scene::new();
    let hardware = || SimulatedHardware::from_seed(&[4; 32]);
    let key = scene.provider.sealing_key(&CONFIGURATION).unwrap();
    let sealed = scene.key.seal(&key, &mut scene.rng).unwrap();
    let restarted = SimulatedProvider::new(hardware(), MEASUREMENT).sealing_key(&CONFIGURATION).unwrap();
    let again = IdentityKey::unseal(&sealed, &restarted).unwrap();
    assert_eq!(again.identity(), scene.key.identity());
    assert_eq!(again.sign(&SAID, NOW).unwrap(), scene.key.sign(&SAID, NOW).unwrap());
    let elsewhere = SimulatedProvider::new(SimulatedHardware::from_seed(&[5; 32]), MEASUREMENT);
    let other_program = SimulatedProvider::new(hardware(), [9; 32]);
    let others = [
        other_program.sealing_key(&CONFIGURATION).unwrap(),
        elsewhere.sealing_key(&CONFIGURATION).unwrap(),
        restarted_under([9; 32]),
    ];
    for other in &others {
        assert_eq!(IdentityKey::unseal(&sealed, other).err(), Some(UnsealError::Unopened));
    }
    let short = key.seal(&[1; 79], &mut scene.rng).unwrap();
    assert!(matches!(IdentityKey::unseal(&short, &key).err(), Some(UnsealError::Encoding(_))));
    let zeros = key.seal(&[0; 80], &mut scene.rng).unwrap();
    assert!(matches!(IdentityKey::unseal(&zeros, &key).err(), Some(UnsealError::Encoding(_))));
}

/// Sealed by the same program, and longer than an identity: what stands behind it is not passed over.
#[test]
fn bytes_behind_a_sealed_identity_are_refused() {
    let mut scene = Scene::new();
    let key = scene.provider.sealing_key(&CONFIGURATION).unwrap();
    let sealed = scene.key.seal(&key, &mut scene.rng).unwrap();
    let plain = key.open(&sealed).unwrap();
    let again = key.seal(&plain, &mut scene.rng).unwrap();
    assert_eq!(IdentityKey::unseal(&again, &key).unwrap().identity(), scene.key.identity());
    let longer = key.seal(&[&plain[..], &[0]].concat(), &mut scene.rng).unwrap();
    let trailing = EncodingError::Trailing { found: 1 };
    assert_eq!(IdentityKey::unseal(&longer, &key).err(), Some(UnsealError::Encoding(trailing)));
}

fn restarted_under(configuration: [u8; 32]) -> SealingKey {
    SimulatedProvider::new(SimulatedHardware::from_seed(&[4; 32]), MEASUREMENT).sealing_key(&configuration).unwrap()
}

#[test]
fn what_is_sealed_to_the_box_key_opens_inside_alone() {
    let mut scene = Scene::new();
    let key = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&scene.key.identity().box_key).unwrap();
    let sealed = |rng: &mut ChaCha20Rng, info: &[u8]| {
        let mode = hpke::OpModeS::Base;
        let (enc, ciphertext) =
            hpke::single_shot_seal_with_rng::<hpke::aead::ChaCha20Poly1305, hpke::kdf::HkdfSha256, X25519HkdfSha256>(
                &mode, &key, info, b"input", b"for", rng,
            )
            .unwrap();
        [&enc.to_bytes()[..], &ciphertext].concat()
    };
    let bytes = sealed(&mut scene.rng, b"ccc/v1/test");
    assert_eq!(scene.key.open_message(b"ccc/v1/test", b"for", &bytes).unwrap().as_slice(), b"input");
    assert_eq!(scene.key.open_message(b"ccc/v1/test", b"others", &bytes), None);
    let share = sealed(&mut scene.rng, b"ccc/v1/sealed");
    assert_eq!(scene.key.open_message(b"ccc/v1/sealed", b"for", &share), None);
    let other = IdentityKey::generate(7, NOW, &mut scene.rng).unwrap();
    assert_eq!(other.open_message(b"ccc/v1/test", b"for", &bytes), None);
}

#[test]
fn the_challenge_of_a_block_is_over_each_of_its_parts() {
    let (chain, registry, sequence, block) = (1_u64, [2; 20], 3_u64, [4; 32]);
    let challenge = Challenge::of_block(chain, &registry, sequence, &block);
    let fields: [&[u8]; 4] = [&chain.to_be_bytes(), &registry, &sequence.to_be_bytes(), &block];
    assert_eq!(*challenge.bytes(), hash("identity-challenge", &fields));
}

/// In the quorum's way: the same evidence for a challenge of another block, or of another sequence, is an old one.
#[test]
fn n096_evidence_for_another_block_is_not_an_answer() {
    let mut scene = Scene::new();
    let asked = || Challenge::of_block(1, &[2; 20], 3, &[4; 32]);
    let attested = scene.attested(&asked(), NOW);
    for other in [Challenge::of_block(1, &[2; 20], 3, &[5; 32]), Challenge::of_block(1, &[2; 20], 4, &[4; 32])] {
        let refused = scene.known.admit(&attested, &scene.policy, other, NOW);
        assert_eq!(refused, Err(IdentityRefusal::Policy(PolicyRefusal::Nonce)));
    }
    assert_eq!(scene.known.admit(&attested, &scene.policy, asked(), NOW), Ok(MEASUREMENT));
    let identity = *scene.key.identity();
    assert_eq!(scene.known.identity(&identity.signer), Some(&identity));
    assert_eq!(scene.known.epoch(), 7);
}
