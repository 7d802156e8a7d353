//! One participant lies in every way that the wire has room for, in both modes. The error names it and nobody else.

use super::*;
use crate::vault::compact::{PARTIAL_LEN, combine};
use curve25519_dalek::{RistrettoPoint, Scalar};

mod plain;

/// What the committee makes of a lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Signed, and provably wrong.
    Named(CulpritReason),
    /// As [`Self::Named`], but what opens the ciphertexts is right, so that it shows only when somebody looks.
    NamedWhenExamined,
    /// Nothing that the liar can be held to.
    Dropped,
}

const MALFORMED: Verdict = Verdict::Named(CulpritReason::Malformed);
const WRONG: Verdict = Verdict::Named(CulpritReason::Proof);

type Lie = (String, Envelope, Verdict);

#[test]
fn the_words_of_the_error_name_who_is_at_fault() {
    let culprit = |i| Culprit { identifier: Identifier::new(i).unwrap(), reason: CulpritReason::Proof };
    let words = |culprits| CombineError::NotEnoughShares { need: 5, have: 3, culprits }.to_string();
    assert_eq!(words(vec![]), "3 valid shares, where 5 are needed");
    assert_eq!(words(vec![culprit(2), culprit(6)]), "3 valid shares, where 5 are needed; at fault: 2, 6");
}

/// Seven members, t = 5, two ciphertexts. The first member lies, and is drawn first.
struct Scene {
    world: World,
    cts: [VerifiedCiphertext; 2],
    request: Request,
    keys: AttemptKeys,
    to: Recipient,
    honest: Vec<Envelope>,
}

impl Scene {
    fn new(mode: Mode) -> Self {
        let mut world = world(7);
        let cts = [world.encrypt(LabelKind::Recipient, b"one"), world.encrypt(LabelKind::Recipient, b"two")];
        let request = world.request(mode, &cts);
        let (keys, to) = attempt(&mut world);
        let honest = world.answers(&request, &to, &cts);
        Self { world, cts, request, keys, to, honest }
    }

    fn open(&self, envelopes: Vec<Envelope>) -> Result<(Vec<Vec<u8>>, Vec<Culprit>), CombineError> {
        let keys = AttemptKeys::from_bytes(&self.keys.to_bytes()).unwrap();
        self.world.open(keys, &self.request, &self.cts, envelopes)
    }

    /// The lie of the first member, a lie of the second that does not open, and five honest answers.
    fn check(&self, (name, lie, verdict): &Lie, accomplice: &Envelope) {
        let messages = vec![b"one".to_vec(), b"two".to_vec()];
        let named = |reason| vec![fault(1, reason)];
        let mut envelopes = vec![lie.clone()];
        envelopes.extend(self.honest[1..].iter().cloned());
        let alone = match verdict {
            Verdict::Named(reason) => named(*reason),
            Verdict::NamedWhenExamined | Verdict::Dropped => vec![],
        };
        assert_eq!(self.open(envelopes.clone()), Ok((messages.clone(), alone)), "{name}, alone");
        envelopes[1] = accomplice.clone();
        let mut both = match verdict {
            Verdict::Named(reason) => named(*reason),
            Verdict::NamedWhenExamined => named(CulpritReason::Proof),
            Verdict::Dropped => vec![],
        };
        both.push(fault(2, CulpritReason::Proof));
        assert_eq!(self.open(envelopes), Ok((messages, both)), "{name}, with an accomplice");
    }

    fn lie(&self, name: &str, payload: Vec<u8>, verdict: Verdict) -> Lie {
        (name.to_owned(), self.world.envelope(0, &self.request, payload), verdict)
    }

    /// Lies that no mode can tell from noise, and that are nobody's.
    fn unsigned(&self) -> Vec<Lie> {
        let mut forged = self.honest[0].to_bytes();
        let last = forged.len() - 1;
        forged[last] ^= 1;
        let forged = Envelope::from_bytes(&forged).unwrap();
        let other = Request { id: [9; 32], ..self.request.clone() };
        let payload = self.honest[0].unverified_payload().to_vec();
        let (committee, epoch) = (self.world.committee.digest(), self.world.committee.epoch());
        let topic = self.request.digest();
        let kind = Envelope::sign(&self.world.keys[0], &committee, epoch, id(1), &topic, Kind::Share, payload.clone());
        let stolen =
            Envelope::sign(&self.world.keys[0], &committee, epoch, id(3), &topic, self.honest[0].kind(), vec![1]);
        vec![
            ("a forged signature".to_owned(), forged, Verdict::Dropped),
            ("another topic".to_owned(), self.world.envelope(0, &other, payload), Verdict::Dropped),
            ("another kind".to_owned(), kind.unwrap(), Verdict::Dropped),
            ("in the name of another member".to_owned(), stolen.unwrap(), Verdict::Dropped),
        ]
    }

    /// The fields of a wire, each replaced: by another value, by one that is none, and, where it must not be, by zero.
    fn replaced(&self, wire: &[u8], fields: &[(&str, usize)]) -> Vec<(String, Vec<u8>, Verdict)> {
        let generator = RistrettoPoint::mul_base(&Scalar::ONE).compress();
        let mut lies = Vec::new();
        for &(field, at) in fields {
            let put = |value: &[u8]| [&wire[..at], value, &wire[at + value.len()..]].concat();
            let opens = field.starts_with('z') || field.starts_with('T') || field.starts_with('N');
            let verdict = if opens { Verdict::NamedWhenExamined } else { WRONG };
            let other = if field.starts_with('z') { Scalar::from(5u8).to_bytes() } else { generator.to_bytes() };
            lies.push((format!("{field} replaced"), put(&other), verdict));
            // a share's commitments are bytes until its proof is checked
            let none = if field.starts_with('N') { Verdict::NamedWhenExamined } else { MALFORMED };
            lies.push((format!("{field} not canonical"), put(&[0xff; 32]), none));
            if matches!(field, "B" | "D") {
                lies.push((format!("{field} zero"), put(&[0; 32]), MALFORMED));
            }
        }
        lies
    }
}

#[test]
fn n071_every_lie_about_partials_names_the_liar_and_nobody_else() {
    let mut scene = Scene::new(Mode::Compact);
    let lies = compact_lies(&mut scene);
    let accomplice = scene.honest[2].unverified_payload().to_vec();
    let accomplice = scene.world.envelope(1, &scene.request, accomplice);
    for lie in &lies {
        scene.check(lie, &accomplice);
        combiner_names(&mut scene, lie);
    }
}

/// The combiner looks at everything, so that nothing waits to be examined; and what it makes opens at once.
fn combiner_names(scene: &mut Scene, (name, lie, verdict): &Lie) {
    let mut envelopes = vec![lie.clone()];
    envelopes.extend(scene.honest[1..].iter().cloned());
    let World { committee, rng, .. } = &mut scene.world;
    let made = combine(committee, &scene.request, &scene.to, &scene.cts, &envelopes, rng).unwrap();
    let culprits = match verdict {
        Verdict::Named(reason) => vec![fault(1, *reason)],
        Verdict::NamedWhenExamined => vec![fault(1, CulpritReason::Proof)],
        Verdict::Dropped => vec![],
    };
    assert_eq!(made.culprits, culprits, "{name}");
    let keys = AttemptKeys::from_bytes(&scene.keys.to_bytes()).unwrap();
    let (request, cts) = (&scene.request, &scene.cts);
    let opened =
        keys.open_combined(&scene.world.committee, request, MEASUREMENT, cts, &made.combined, || panic!("{name}"));
    assert!(opened.unwrap().plaintexts.iter().all(Option::is_some));
}

fn compact_lies(scene: &mut Scene) -> Vec<Lie> {
    let good = scene.honest[0].unverified_payload().to_vec();
    let (first, second) = (64, 64 + PARTIAL_LEN);
    let mut lies = Vec::new();
    for start in [first, second] {
        let fields = ["A", "B", "T_P", "T_A", "T_B", "z1", "z2"];
        let fields: Vec<_> = fields.iter().enumerate().map(|(k, field)| (*field, start + 32 * k)).collect();
        let replaced = scene.replaced(&good, &fields);
        lies.extend(replaced.into_iter().map(|(name, wire, verdict)| scene.lie(&name, wire, verdict)));
    }
    let swapped = [&good[..first], &good[second..], &good[first..second]].concat();
    let once = [&good[..second], &good[first..second]].concat();
    let mut elsewhere = good.clone();
    elsewhere[0] ^= 1;
    let other = Request { id: [9; 32], ..scene.request.clone() };
    let (to, cts) = (scene.to, scene.cts.clone());
    let foreign = scene.world.answer(0, &other, &to, &cts).unverified_payload().to_vec();
    let theirs = scene.honest[3].unverified_payload().to_vec();
    lies.extend([
        scene.lie("partials in another order", swapped, WRONG),
        scene.lie("the first partial twice", once, WRONG),
        scene.lie("another member's partials", theirs, WRONG),
        scene.lie("partials of another request", foreign, Verdict::NamedWhenExamined),
        scene.lie("partials for another recipient", elsewhere, Verdict::Dropped),
        scene.lie("nothing", vec![], MALFORMED),
        scene.lie("one byte too few", good[..good.len() - 1].to_vec(), MALFORMED),
        scene.lie("one byte too many", [good.as_slice(), &[0]].concat(), MALFORMED),
        scene.lie("one partial too few", good[..second].to_vec(), MALFORMED),
        scene.lie("noise", vec![0xa5; good.len()], MALFORMED),
    ]);
    lies.extend(scene.unsigned());
    lies
}

#[test]
fn n071_every_lie_about_sealed_shares_names_the_liar_and_nobody_else() {
    let mut scene = Scene::new(Mode::Sealed);
    let lies = sealed_lies(&mut scene);
    let wire = shares(&mut scene, 2);
    let accomplice = seal_as(&mut scene, 1, &wire);
    for lie in &lies {
        scene.check(lie, &accomplice);
    }
}

/// A member's honest shares, in the clear.
fn shares(scene: &mut Scene, at: usize) -> Vec<u8> {
    let digest = scene.to.digest();
    let World { shares, committee, rng, .. } = &mut scene.world;
    Shares::unsealed(&shares[at], committee, &scene.request, Some(&digest), &scene.cts, rng).unwrap().to_bytes()
}

fn seal_as(scene: &mut Scene, at: usize, wire: &[u8]) -> Envelope {
    scene.world.seal_raw(at, wire, &scene.request, &scene.to, &scene.cts)
}

fn sealed_lies(scene: &mut Scene) -> Vec<Lie> {
    let good = shares(scene, 0);
    let fields = [("D", 0), ("D", 32), ("N_A", 64), ("N_B", 96), ("z", 128)];
    let mut wires = scene.replaced(&good, &fields);
    let swapped = [&good[32..64], &good[..32], &good[64..]].concat();
    let theirs = shares(scene, 3);
    let (_, elsewhere) = attempt(&mut scene.world);
    let World { shares, committee, rng, .. } = &mut scene.world;
    let digest = elsewhere.digest();
    let foreign = Shares::unsealed(&shares[0], committee, &scene.request, Some(&digest), &scene.cts, rng).unwrap();
    wires.extend([
        ("shares in another order".to_owned(), swapped, WRONG),
        ("another member's shares".to_owned(), theirs, WRONG),
        ("a proof for another recipient".to_owned(), foreign.to_bytes(), Verdict::NamedWhenExamined),
        ("noise under the seal".to_owned(), vec![0xa5; good.len()], MALFORMED),
        ("nothing under the seal".to_owned(), vec![], MALFORMED),
        ("one byte too few under the seal".to_owned(), good[1..].to_vec(), MALFORMED),
        ("one share too many under the seal".to_owned(), [&good[..32], &good].concat(), MALFORMED),
    ]);
    let seal = |(name, wire, verdict): (String, Vec<u8>, Verdict)| (name, seal_as(scene, 0, &wire), verdict);
    let mut lies: Vec<Lie> = wires.into_iter().map(seal).collect();
    let sealed = scene.honest[0].unverified_payload().to_vec();
    lies.extend([
        scene.lie("no seal", vec![], MALFORMED),
        scene.lie("a seal of one byte too few", sealed[1..].to_vec(), MALFORMED),
        scene.lie("noise in place of the seal", vec![0xa5; sealed.len()], Verdict::Dropped),
        scene.lie("another member's seal", scene.honest[3].unverified_payload().to_vec(), Verdict::Dropped),
    ]);
    lies.extend(scene.unsigned());
    lies
}
