//! One participant signs more answers than anybody wants to check.

use super::*;
use crate::vault::combine::{Candidate, Pool};
use crate::vault::compact::{self, Partials};

const MOST: usize = 8;

/// This many wrong ones, no two of which are the same: the proof's z, which is the last field, is off.
fn wrong(good: Vec<u8>, many: u32) -> impl Iterator<Item = Vec<u8>> {
    let z = good.len() - 32;
    (1..=many).map(move |k| {
        let mut wire = good.clone();
        wire[z..z + 4].iter_mut().zip(k.to_le_bytes()).for_each(|(byte, by)| *byte ^= by);
        wire
    })
}

struct Flood {
    world: World,
    cts: [VerifiedCiphertext; 1],
    request: Request,
    honest: Vec<(Identifier, Shares)>,
}

impl Flood {
    fn new() -> Self {
        let mut world = world(4);
        let cts = [world.encrypt(LabelKind::Public, b"message")];
        let request = world.request(Mode::Public, &cts);
        let honest = world.public_shares(&request, &cts);
        Self { world, cts, request, honest }
    }

    /// Wrong shares of participant 1.
    fn wrong(&self, many: u32) -> Vec<(Identifier, Shares)> {
        let wrong = wrong(self.honest[0].1.to_bytes(), many);
        wrong.map(|wire| (id(1), Shares::from_bytes(&wire, 1).unwrap())).collect()
    }

    fn combine(&mut self, shares: Vec<(Identifier, Shares)>) -> Result<(Vec<u8>, Vec<Culprit>), CombineError> {
        let World { committee, rng, .. } = &mut self.world;
        let opened = combine_public(committee, &self.request, &self.cts, shares, rng)?;
        let culprits = opened.culprits.clone();
        Ok((opened.every(&self.cts)?[0].to_vec(), culprits))
    }

    fn verify(&mut self, shares: &[(Identifier, Shares)]) -> Result<(), ShareError> {
        let World { committee, rng, .. } = &mut self.world;
        verify_all(shares, committee, &self.request, None, &self.cts, rng)
    }
}

#[test]
fn n059_of_many_wrong_shares_of_one_participant_eight_are_checked_and_it_is_named() {
    let mut flood = Flood::new();
    // D altered as well: no share of these opens
    let off = flood.honest[1].1.to_bytes();
    let wrong: Vec<_> = wrong(off, 10_000).map(|wire| (id(1), Shares::from_bytes(&wire, 1).unwrap())).collect();
    let all = [wrong.clone(), flood.honest[1..].to_vec()].concat();
    let named = vec![fault(1, CulpritReason::TooMany)];
    assert_eq!(flood.combine(all), Ok((b"message".to_vec(), named.clone())));
    let few = [&wrong[..MOST], &flood.honest[1..]].concat();
    assert_eq!(flood.combine(few), Ok((b"message".to_vec(), vec![fault(1, CulpritReason::Proof)])));
    let behind = [&wrong[..MOST], &flood.honest[..3]].concat();
    let expected = CombineError::NotEnoughShares { need: 3, have: 2, culprits: named };
    assert_eq!(flood.combine(behind), Err(expected), "the right one came ninth");
    let within = [&wrong[..MOST - 1], &flood.honest[..3]].concat();
    assert_eq!(flood.combine(within), Ok((b"message".to_vec(), vec![fault(1, CulpritReason::Proof)])));
}

#[test]
fn n059_the_same_share_a_hundred_thousand_times_is_one_and_names_nobody() {
    let mut flood = Flood::new();
    let all = [vec![flood.honest[0].clone(); 100_000], flood.honest[1..3].to_vec()].concat();
    assert_eq!(flood.verify(&all), Ok(()));
    assert_eq!(flood.combine(all), Ok((b"message".to_vec(), vec![])));
}

#[test]
fn n059_what_a_combiner_is_given_to_check_is_bounded() {
    let flood = Flood::new();
    let mut pool = Pool::default();
    let all = [flood.wrong(1_000), flood.honest.clone(), flood.honest.clone()].concat();
    all.into_iter().for_each(|(identifier, shares)| pool.put(Candidate { identifier, part: Ok(shares) }));
    let mut checked = 0;
    pool.judge(|parts| {
        checked = parts.len();
        parts.iter().map(|(identifier, _)| *identifier != id(1)).collect()
    });
    assert_eq!(checked, MOST + 3);
    assert_eq!(pool.culprits(), [fault(1, CulpritReason::TooMany)]);
}

/// Each answer has a proof of its own: honest participants may have answered more often than anybody looks at.
#[test]
fn n059_who_answers_nine_times_rightly_is_not_at_fault() {
    let mut flood = Flood::new();
    let answers: Vec<_> =
        (0..=MOST).map(|_| flood.world.public_shares(&flood.request, &flood.cts)[0].clone()).collect();
    let all = [&answers[..], &flood.honest[1..3]].concat();
    assert_eq!(flood.verify(&all), Ok(()));
    assert_eq!(flood.combine(all), Ok((b"message".to_vec(), vec![])));
    // nor when everybody is examined, because another one's share is wrong
    let off = flood.honest[2].1.to_bytes();
    let off = wrong(off, 1).map(|wire| (id(2), Shares::from_bytes(&wire, 1).unwrap())).collect::<Vec<_>>();
    let all = [&answers[..], &off, &flood.honest[2..]].concat();
    assert_eq!(flood.combine(all.clone()), Ok((b"message".to_vec(), vec![fault(2, CulpritReason::Proof)])));
    assert_eq!(flood.verify(&all), Err(ShareError::Proof { identifier: id(2) }));
    // a right one among eight: the wrong ones are named for what they are
    let mixed = [&flood.wrong(7)[..], &answers[..2], &flood.honest[1..]].concat();
    assert_eq!(flood.verify(&mixed), Err(ShareError::Proof { identifier: id(1) }));
}

#[test]
fn n059_a_check_of_many_shares_looks_at_eight_of_one_participant() {
    let mut flood = Flood::new();
    let (honest, wrong) = (flood.honest.clone(), flood.wrong(10_000));
    let too_many = Err(ShareError::TooMany { identifier: id(1), most: MOST });
    assert_eq!(flood.verify(&[&honest[1..], &wrong[..]].concat()), too_many);
    assert_eq!(flood.verify(&[&wrong[..=MOST], &honest[1..]].concat()), too_many);
    let proof = Err(ShareError::Proof { identifier: id(1) });
    assert_eq!(flood.verify(&[&honest[1..], &wrong[..MOST]].concat()), proof);
    assert_eq!(flood.verify(&[&wrong[..MOST], &wrong[..MOST], &honest[1..]].concat()), proof);
}

#[test]
fn n059_a_check_of_many_partials_looks_at_eight_of_one_participant() {
    let mut w = world(4);
    let cts = [w.encrypt(LabelKind::Recipient, b"a")];
    let request = w.request(Mode::Compact, &cts);
    let (_, to) = attempt(&mut w);
    let World { shares, committee, rng, .. } = &mut w;
    let honest: Vec<_> = shares
        .iter()
        .map(|key| (key.identifier(), Partials::create(key, committee, &request, &to, &cts, rng).unwrap()))
        .collect();
    let wrong = wrong(honest[0].1.to_bytes(), 1_000);
    let wrong: Vec<_> = wrong.map(|wire| (id(1), Partials::from_bytes(&wire, 1).unwrap())).collect();
    let mut verify = |all: &[(Identifier, Partials)]| compact::verify_all(all, committee, &request, &to, &cts, rng);
    let too_many = Err(ShareError::TooMany { identifier: id(1), most: MOST });
    assert_eq!(verify(&[&honest[1..], &wrong[..]].concat()), too_many);
    assert_eq!(verify(&[&honest[1..], &wrong[..MOST]].concat()), Err(ShareError::Proof { identifier: id(1) }));
    let repeated = [vec![honest[0].clone(); 100_000], honest[1..].to_vec()].concat();
    assert_eq!(verify(&repeated), Ok(()));
}
