//! Dealers that choose their word by the others', or say two things; and two key generations at once.

use super::*;
use crate::keys::dealing::forge::Lie;
use crate::keys::rounds::stage::{Log, with_restarts};
use crate::point::Encoded;
use curve25519_dalek::RistrettoPoint;

/// A cast of four of whom 4 lies, and what the others deal.
struct Scene {
    roster: Roster,
    keys: Vec<(Identifier, ParticipantKeys)>,
    session: Session,
    honest: Vec<Dealing>,
}

impl Scene {
    fn new() -> Self {
        let (roster, keys) = cast(4, &mut ChaCha20Rng::seed_from_u64(50));
        let session = Session::new(Protocol::Dkg, None, roster.clone(), &NONCE);
        let mut scene = Self { roster, keys, session, honest: Vec::new() };
        let mut honest = Vec::new();
        agree(
            scene.run(|round, envelope| {
                if round == Round::Open && envelope.identifier() != id(4) {
                    honest.push(Dealing::from_bytes(envelope.unverified_payload()).unwrap());
                }
                vec![envelope]
            }),
            &[],
        );
        scene.honest = honest;
        scene
    }

    /// Everybody draws the same in every run.
    fn run(
        &self,
        alter: impl FnMut(Round, Envelope) -> Vec<Envelope>,
    ) -> Vec<(Identifier, Result<Outcome, RoundsError>)> {
        run(&self.roster, &self.keys, &mut ChaCha20Rng::seed_from_u64(51), alter)
    }

    fn says(&self, package: Package) -> Envelope {
        signed(&self.roster, &self.keys[3].1, id(4), package)
    }

    /// A run in which 4 commits to the first of these and opens all of them.
    fn deals(&self, dealings: &[&Dealing]) -> Vec<(Identifier, Result<Outcome, RoundsError>)> {
        self.run(|round, envelope| match (round, envelope.identifier().get()) {
            (Round::Commit, 4) => vec![self.says(Package::Commitment(dealings[0].commitment_digest()))],
            (Round::Open, 4) => dealings.iter().map(|d| self.says(Package::Dealing(d.to_bytes()))).collect(),
            _ => vec![envelope],
        })
    }

    fn forge(&self, lie: &Lie) -> Dealing {
        Dealing::forge(&self.session, 4, Scalar::from(4u8), lie, &mut ChaCha20Rng::seed_from_u64(52))
    }

    /// aG − Σ C_j0 of the others.
    fn rogue_point(&self, a: Scalar) -> RistrettoPoint {
        self.honest.iter().fold(RistrettoPoint::mul_base(&a), |rest, dealing| {
            rest - dealing.clone().verify(&self.session).unwrap().commitment(0).unwrap()
        })
    }
}

/// The key that all four commitments would add up to is the liar's own. It saw the others' commitments too early, as
/// from their backups, and so can commit to its choice: it has no proof of possession, and the rest makes the key.
#[test]
fn n014_a_rogue_commitment_is_refused_through_a_whole_key_generation() {
    let scene = Scene::new();
    let a = Scalar::from(1234u32);
    let c0 = scene.rogue_point(a);
    let rogue = scene.forge(&Lie::Rogue(Encoded::new(c0)));
    let outcomes = agree(scene.deals(&[&rogue]), &[(4, Fault::Dealing(DealingError::Possession))]);
    let chosen = RistrettoPoint::mul_base(&a);
    let made = *outcomes[0].committee.master_public_key();
    assert_ne!(made.point(), chosen);
    assert_eq!(made.point() + c0, chosen, "with the rogue commitment the key would have been the liar's");
}

/// As above, but the liar reads the board as everybody does: by then it has committed to something else.
#[test]
fn n014_a_rogue_commitment_made_after_seeing_the_others_is_not_the_one_committed_to() {
    let scene = Scene::new();
    let mut seen = RistrettoPoint::mul_base(&Scalar::from(1234u32));
    let outcomes = scene.run(|round, envelope| {
        if round != Round::Open {
            return vec![envelope];
        }
        if envelope.identifier() != id(4) {
            let dealing = Dealing::from_bytes(envelope.unverified_payload()).unwrap();
            seen -= dealing.verify(&scene.session).unwrap().commitment(0).unwrap();
            return vec![envelope];
        }
        vec![scene.says(Package::Dealing(scene.forge(&Lie::Rogue(Encoded::new(seen))).to_bytes()))]
    });
    agree(outcomes, &[(4, Fault::NotAsCommitted)]);
}

/// Two participants may have read one of two dealings each: the dealer that signed both is evicted, wherever the one that
/// it committed to stands. The same dealing twice is one.
#[test]
fn n018_two_dealings_evict_their_dealer_and_one_twice_counts_once() {
    let scene = Scene::new();
    let committed = scene.forge(&Lie::Nothing);
    let mut rng = ChaCha20Rng::seed_from_u64(53);
    let other = Dealing::forge(&scene.session, 4, Scalar::from(5u8), &Lie::Nothing, &mut rng);
    let alone = agree(scene.deals(&[&committed]), &[]);
    let posted = |all: [&Dealing; 3], culprits: &[(u16, Fault)]| {
        let posts: Vec<_> = all.into_iter().map(|d| scene.says(Package::Dealing(d.to_bytes()))).collect();
        let outcomes = scene.run(|round, envelope| match (round, envelope.identifier().get()) {
            (Round::Commit, 4) => vec![scene.says(Package::Commitment(committed.commitment_digest()))],
            (Round::Open, 4) => posts.clone(),
            _ => vec![envelope],
        });
        agree(outcomes, culprits)
    };
    for all in [[&committed, &committed, &other], [&other, &committed, &committed], [&other, &other, &committed]] {
        posted(all, &[(4, Fault::Equivocation)]);
    }
    assert_eq!(posted([&committed; 3], &[])[0].transcript, alone[0].transcript);
    agree(
        scene.run(|round, envelope| match (round, envelope.identifier().get()) {
            (Round::Commit, 4) => vec![scene.says(Package::Commitment(committed.commitment_digest()))],
            (Round::Open, 4) => vec![scene.says(Package::Dealing(other.to_bytes()))],
            _ => vec![envelope],
        }),
        &[(4, Fault::NotAsCommitted)],
    );
}

/// A complaint is decided by one public proof: no message of a dealer answers it. Whatever the dealer posts after its
/// wrong share, a right dealing or a new commitment, it stays evicted.
#[test]
fn n012_a_second_answer_to_a_complaint_changes_nothing() {
    let scene = Scene::new();
    let wrong = scene.forge(&Lie::Shift(0, Scalar::ONE));
    let right = scene.forge(&Lie::Nothing);
    let answers = || {
        let commitment = Package::Commitment(right.commitment_digest());
        [Package::Dealing(right.to_bytes()), Package::Dealing(wrong.to_bytes()), commitment].map(|p| scene.says(p))
    };
    let outcomes = scene.run(|round, envelope| match (round, envelope.identifier().get()) {
        (Round::Commit, 4) => vec![scene.says(Package::Commitment(wrong.commitment_digest()))],
        (Round::Open, 4) => vec![scene.says(Package::Dealing(wrong.to_bytes()))],
        (Round::Complain, 1) | (Round::Confirm, 4) => answers().into_iter().chain([envelope]).collect(),
        _ => vec![envelope],
    });
    agree(outcomes, &[(4, Fault::Share(ShareFault::Commitment))]);
}

/// Two sessions of the same participants on one board: each ends as it would have alone.
#[test]
fn n022_two_key_generations_at_once_end_as_each_would_alone() {
    let (roster, keys) = cast(4, &mut ChaCha20Rng::seed_from_u64(54));
    let session = |nonce| Session::new(Protocol::Dkg, None, roster.clone(), &[nonce; 32]);
    let run = |session: &Session, stray: &[Vec<Envelope>]| -> Log<Outcome> {
        let parties: Vec<Party<'_>> = keys.iter().map(|(i, k)| Party::new(session.clone(), *i, k).unwrap()).collect();
        let mixed = |_: Round, seen: &mut Vec<Envelope>| {
            seen.splice(0..0, stray.iter().flatten().cloned());
            seen.extend(stray.iter().rev().flatten().cloned());
        };
        with_restarts(&parties, mixed, |_, _| false)
    };
    let sessions = [session(1), session(2)];
    let alone = [0, 1].map(|k| run(&sessions[k], &[]));
    let both = [0, 1].map(|k| run(&sessions[k], &alone[1 - k].posted));
    for (alone, both) in alone.iter().zip(&both) {
        assert_eq!(alone.posted, both.posted);
        for (alone, both) in alone.outcomes.iter().zip(&both.outcomes) {
            assert_eq!((&alone.committee, alone.transcript), (&both.committee, both.transcript));
            assert_eq!(both.culprits, vec![]);
            assert_eq!(both.key_share.matches(&both.committee), Ok(()));
        }
    }
    let master = |k: usize| *both[k].outcomes[0].committee.master_public_key();
    assert_ne!(master(0), master(1));
    assert!(both[0].outcomes[0].key_share.matches(&both[1].outcomes[0].committee).is_err());
}
