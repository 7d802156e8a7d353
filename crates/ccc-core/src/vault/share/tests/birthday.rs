//! Composite proofs over shares that are wrong, found by search where the weights allow it.
//!
//! A participant that knows x gives D_j = x·U_j + δ_j·G. Its honest proof over the weighted sums verifies when
//! Σ d_j·δ_j = 0, so it looks for δ_j with that sum. Our weights are 128 bits of a hash of all shares at once; both
//! halves of that are taken away here, one at a time, and the forgery appears.

use super::*;
use crate::ciphertext::{Label, LabelKind};
use crate::keys::{ParticipantKeys, Roster, dealer};
use crate::suite::hash;
use crate::threshold::Threshold;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::collections::HashMap;

/// δ of one list of four.
const LIST: i32 = 128;

struct Forger {
    committee: Committee,
    key: KeyShare,
    request: Request,
    ciphertexts: Vec<VerifiedCiphertext>,
}

impl Forger {
    fn new(m: usize) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(21);
        let keys: Vec<_> = (0..4).map(|_| ParticipantKeys::generate(&mut rng).unwrap()).collect();
        let members = (1..=4).zip(&keys).map(|(i, k)| k.public(Identifier::new(i).unwrap())).collect();
        let roster = Roster::new(crate::epoch::Epoch(1), Threshold::default_for(4).unwrap(), members).unwrap();
        let (committee, mut shares) = dealer::deal(&roster, &mut rng).unwrap();
        let label = Label {
            kind: LabelKind::Public,
            chain: 1,
            contract: [1; 20],
            id: [2; 32],
            version: 1,
            requester: [3; 20],
            expiry: 9,
            context: [0; 32],
        };
        let master = *committee.master_public_key();
        let encrypt = |j: usize| {
            let message = j.to_be_bytes();
            Ciphertext::encrypt(&master, &label, &message, &mut rng).unwrap().verify(&master).unwrap()
        };
        let ciphertexts: Vec<_> = (0..m).map(encrypt).collect();
        let request = Request {
            chain: 1,
            contract: [1; 20],
            id: [2; 32],
            table_header: None,
            block_hash: [4; 32],
            deadline: 5,
            mode: Mode::Public,
            epoch: committee.epoch(),
            committee: committee.digest(),
            ciphertexts: ciphertexts.iter().map(VerifiedCiphertext::digest).collect(),
        };
        Self { committee, key: shares.remove(0), request, ciphertexts }
    }

    fn statement(&self) -> Statement<'_> {
        Statement::new(&self.committee, &self.request, None, &self.ciphertexts).unwrap()
    }

    /// x·U_j + δ·G.
    fn share(&self, j: usize, delta: i32) -> Encoded {
        let offset = Scalar::from(delta.unsigned_abs());
        let offset = if delta < 0 { -offset } else { offset };
        Encoded::new(self.ciphertexts[j].u().point() * self.key.secret().expose() + RistrettoPoint::mul_base(&offset))
    }

    /// The forger's honest proof over weighted sums, and whether it verifies.
    fn proves(&self, points: &[Encoded], weigh: impl Fn(&Opening, &[Encoded]) -> Target) -> (Dleq, bool) {
        let (x, opening) = (self.key.secret(), opening(&self.statement(), self.key.identifier()).unwrap());
        let target = weigh(&opening, points);
        let nonce = Scalar::from(12_345u32);
        let (a, b) = (Claimed::of(&RistrettoPoint::mul_base(&nonce)), Claimed::of(&(target.u.point() * nonce)));
        let challenge = share_challenge(&opening, &target, &a, &b);
        let proof = Dleq { a, b, z: nonce + challenge * x.expose() };
        let p = *self.committee.verification_key(self.key.identifier()).unwrap().point();
        let (u, d) = (*target.u.point(), *target.d.point());
        let holds = Equation { p, u, d, proof: &proof, challenge }.holds_vartime();
        (proof, holds)
    }

    /// The forged shares pass under the reduced weights, are wrong, and are refused under the full ones.
    fn check(&self, points: Vec<Encoded>, reduced: impl Fn(&Opening, &[Encoded]) -> Vec<Scalar>) {
        let honest: Vec<_> = (0..points.len()).map(|j| self.share(j, 0)).collect();
        assert!(points.iter().zip(&honest).all(|(forged, honest)| forged != honest));
        let weak = |opening: &Opening, points: &[Encoded]| {
            weighted_vartime(&reduced(opening, points), &self.ciphertexts, points, vec![])
        };
        assert!(self.proves(&points, weak).1, "the search found a forgery");
        let full = |opening: &Opening, points: &[Encoded]| composite_vartime(opening, &self.ciphertexts, points);
        assert!(self.proves(&honest, full).1);
        let (proof, holds) = self.proves(&points, full);
        assert!(!holds);
        let (identifier, forged) = (self.key.identifier(), Shares { points, proof });
        let verdict = forged.verify(identifier, &self.committee, &self.request, None, &self.ciphertexts);
        assert_eq!(verdict, Err(ShareError::Proof { identifier }));
        let all = verdicts(std::iter::once((identifier, &forged)), &self.statement(), &[6; 64]);
        assert_eq!(all, [false]);
    }
}

/// A weight that hashes its own element alone: 16 bits, so that the search is short.
fn weight_by_element(digest: &[u8; 32], j: usize, share: &Encoded) -> u16 {
    let wide = hash(domain::WEIGHT, &[digest, &j.to_be_bytes(), share.bytes()]);
    u16::from_le_bytes([wide[0], wide[1]])
}

/// Wagner's search with four lists: pairs of the first two meet pairs of the last two at the same sum.
fn four_lists(lists: &[Vec<(i32, i64)>]) -> [i32; 4] {
    let pairs = |one: &[(i32, i64)], two: &[(i32, i64)]| -> Vec<(i64, i32, i32)> {
        one.iter().flat_map(|&(d, v)| two.iter().map(move |&(e, w)| (v + w, d, e))).collect()
    };
    let left: HashMap<i64, (i32, i32)> =
        pairs(&lists[0], &lists[1]).into_iter().map(|(sum, d, e)| (sum, (d, e))).collect();
    let meeting = pairs(&lists[2], &lists[3]).into_iter().find_map(|(sum, d, e)| Some((left.get(&-sum)?, d, e)));
    let (&(one, two), three, four) = meeting.unwrap();
    [one, two, three, four]
}

/// With a seed per element every list can be searched by itself. At 128 bits four lists would take 2^86 steps and
/// more lists fewer; a seed over all elements leaves nothing to search in parts.
#[test]
fn n064_weights_by_element_fall_to_a_birthday_search_and_ours_do_not() {
    let forger = Forger::new(4);
    let digests: Vec<_> = forger.ciphertexts.iter().map(VerifiedCiphertext::digest).collect();
    let lists: Vec<Vec<(i32, i64)>> = (0..4)
        .map(|j| {
            let sign = if j < 2 { 1 } else { -1 };
            let weighed = |delta: i32| i64::from(weight_by_element(&digests[j], j, &forger.share(j, delta)));
            (1..=LIST).map(|k| (sign * k, i64::from(sign * k) * weighed(sign * k))).collect()
        })
        .collect();
    let deltas = four_lists(&lists);
    let points = deltas.iter().enumerate().map(|(j, &delta)| forger.share(j, delta)).collect();
    forger.check(points, |_, points| {
        let weights = points.iter().enumerate().map(|(j, p)| weight_by_element(&digests[j], j, p));
        weights.map(Scalar::from).collect()
    });
}

/// The low bits of the weights that we use.
fn low_bits(opening: &Opening, ciphertexts: &[VerifiedCiphertext], points: &[Encoded], bits: u32) -> Vec<u8> {
    let seed = composite_seed(opening, ciphertexts, points);
    let low = |j: u32| weight(&seed, j).as_bytes()[0] & ((1 << bits) - 1);
    (0u32..).zip(points).map(|(j, _)| low(j)).collect()
}

/// With a seed over everything, short weights can still be guessed beforehand: 2^12 tries for two of six bits.
#[test]
fn n064_short_weights_fall_to_guessing_and_ours_do_not() {
    const BITS: u32 = 6;
    let forger = Forger::new(2);
    let opening = opening(&forger.statement(), forger.key.identifier()).unwrap();
    let guessed = [37, 21];
    let points = (1..1 << 16)
        .map(|k| vec![forger.share(0, 21 * k), forger.share(1, -37 * k)])
        .find(|points| low_bits(&opening, &forger.ciphertexts, points, BITS) == guessed)
        .unwrap();
    forger.check(points, |opening, points| {
        low_bits(opening, &forger.ciphertexts, points, BITS).into_iter().map(Scalar::from).collect()
    });
}
