//! The proof that one pair (x, ρ) gives P = xG, A = xU + ρE and B = ρG.
//!
//! *Source*: Schnorr's proof for several bases (Okamoto 1992; as one homomorphism, Maurer 2009), in batchable form; batching
//! as for [`super::Dleq`].

use crate::encoding::{EncodingError, Reader};
use crate::point::Encoded;
use crate::suite::{domain, hash};
use alloc::vec::Vec;
use curve25519_dalek::traits::VartimeMultiscalarMul;
use curve25519_dalek::{RistrettoPoint, Scalar};

/// Proofs in one sum: what a sum of points needs is bounded, and larger sums are no cheaper per proof.
const PROOFS_PER_SUM: usize = 4096;

/// The proof (T_P, T_A, T_B, z₁, z₂).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Representation {
    pub(crate) t_p: Encoded,
    pub(crate) t_a: Encoded,
    pub(crate) t_b: Encoded,
    pub(crate) z1: Scalar,
    pub(crate) z2: Scalar,
}

impl Representation {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        for t in [&self.t_p, &self.t_a, &self.t_b] {
            out.extend_from_slice(t.bytes());
        }
        out.extend_from_slice(self.z1.as_bytes());
        out.extend_from_slice(self.z2.as_bytes());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, EncodingError> {
        Ok(Self {
            t_p: Encoded::read_or_identity(reader, "T_P")?,
            t_a: Encoded::read_or_identity(reader, "T_A")?,
            t_b: Encoded::read_or_identity(reader, "T_B")?,
            z1: reader.scalar("z1")?,
            z2: reader.scalar("z2")?,
        })
    }
}

/// A proof beside its statement and challenge: z₁G = T_P + ch·P, z₁U + z₂E = T_A + ch·A, z₂G = T_B + ch·B.
pub(crate) struct Relation<'a> {
    pub(crate) p: &'a RistrettoPoint,
    pub(crate) u: &'a RistrettoPoint,
    pub(crate) e: &'a RistrettoPoint,
    pub(crate) a: &'a RistrettoPoint,
    pub(crate) b: &'a RistrettoPoint,
    pub(crate) proof: &'a Representation,
    pub(crate) challenge: Scalar,
}

impl Relation<'_> {
    /// Whether the three equations hold. *Timing*: varies with public data.
    pub(crate) fn holds_vartime(&self) -> bool {
        let Self { p, u, e, a, b, proof, challenge } = self;
        let Representation { t_p, t_a, t_b, z1, z2 } = proof;
        let minus = -challenge;
        let first = RistrettoPoint::vartime_double_scalar_mul_basepoint(&minus, p, z1);
        let second = RistrettoPoint::vartime_multiscalar_mul([*z1, *z2, minus], [**u, **e, **a]);
        let third = RistrettoPoint::vartime_double_scalar_mul_basepoint(&minus, b, z2);
        first == *t_p.point() && second == *t_a.point() && third == *t_b.point()
    }
}

/// Relations with the same E and with U out of one list, in sums with three weights of each relation's own.
///
/// *Security*: a false relation stays unseen with probability 2⁻¹²⁸; `seed` MUST be unknown to whoever made the
/// proofs.
pub(crate) struct Batch<'a> {
    e: &'a RistrettoPoint,
    seed: &'a [u8; 64],
    /// Relations so far: the index of the next weights.
    added: u32,
    sum: Sum,
    on_u: Vec<(&'a RistrettoPoint, Scalar)>,
    holds: bool,
}

#[derive(Default)]
struct Sum {
    proofs: usize,
    base: Scalar,
    on_e: Scalar,
    /// Consecutive proofs of one participant share P: its scalars are added before the multiplication.
    last_p: Option<(RistrettoPoint, Scalar)>,
    scalars: Vec<Scalar>,
    points: Vec<RistrettoPoint>,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(e: &'a RistrettoPoint, us: impl Iterator<Item = &'a RistrettoPoint>, seed: &'a [u8; 64]) -> Self {
        let on_u = us.map(|u| (u, Scalar::ZERO)).collect();
        Self { e, seed, added: 0, sum: Sum::default(), on_u, holds: true }
    }

    /// Adds a relation whose U is the j-th of the list; `holds` is false from then on where the list is shorter.
    pub(crate) fn add_vartime(&mut self, j: usize, relation: &Relation<'_>) {
        let weights = weights(self.seed, self.added);
        self.added = self.added.wrapping_add(1);
        let Some((_, on_u)) = self.on_u.get_mut(j) else {
            self.holds = false;
            return;
        };
        *on_u += weights[1] * relation.proof.z1;
        self.sum.add(relation, &weights);
        if self.sum.proofs == PROOFS_PER_SUM {
            self.flush_vartime();
        }
    }

    /// Whether every relation that was added holds.
    pub(crate) fn all_hold_vartime(mut self) -> bool {
        self.flush_vartime();
        self.holds
    }

    fn flush_vartime(&mut self) {
        let mut sum = core::mem::take(&mut self.sum);
        sum.push(*self.e, sum.on_e);
        for (u, scalar) in self.on_u.iter_mut().filter(|(_, scalar)| *scalar != Scalar::ZERO) {
            sum.push(**u, core::mem::take(scalar));
        }
        self.holds &= sum.vanishes_vartime();
    }
}

impl Sum {
    fn add(&mut self, relation: &Relation<'_>, [v, w, y]: &[Scalar; 3]) {
        let Relation { p, a, b, proof, challenge, .. } = relation;
        let Representation { t_p, t_a, t_b, z1, z2 } = proof;
        self.proofs += 1;
        self.base += v * z1 + y * z2;
        self.on_e += w * z2;
        self.add_p(p, -(v * challenge));
        self.scalars.extend([-v, -w, -(w * challenge), -y, -(y * challenge)]);
        self.points.extend([*t_p.point(), *t_a.point(), **a, *t_b.point(), **b]);
    }

    fn add_p(&mut self, p: &RistrettoPoint, scalar: Scalar) {
        match &mut self.last_p {
            Some((last, total)) if last == p => *total += scalar,
            last => {
                if let Some((point, total)) = last.replace((*p, scalar)) {
                    self.push(point, total);
                }
            }
        }
    }

    fn push(&mut self, point: RistrettoPoint, scalar: Scalar) {
        self.points.push(point);
        self.scalars.push(scalar);
    }

    fn vanishes_vartime(mut self) -> bool {
        if let Some((point, total)) = self.last_p.take() {
            self.push(point, total);
        }
        RistrettoPoint::vartime_multiscalar_mul(&self.scalars, &self.points) == -RistrettoPoint::mul_base(&self.base)
    }
}

/// The three weights of relation k: 16 bytes each of H("weight"; seed, u32 k), little-endian.
fn weights(seed: &[u8; 64], k: u32) -> [Scalar; 3] {
    let wide = hash(domain::WEIGHT, &[seed, &k.to_be_bytes()]);
    let (parts, _) = wide.as_chunks::<16>();
    [0, 1, 2].map(|part| Scalar::from(u128::from_le_bytes(parts[part])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone)]
    struct Known {
        p: RistrettoPoint,
        a: RistrettoPoint,
        b: RistrettoPoint,
        proof: Representation,
    }

    const CHALLENGE: u8 = 9;

    fn bases() -> (RistrettoPoint, RistrettoPoint) {
        let u = crate::suite::second_generator();
        (u, u * Scalar::from(77u8))
    }

    fn known(x: u8, rho: u8) -> Known {
        let (u, e) = bases();
        let [x, rho, s1, s2] = [x, rho, x + 1, rho + 2].map(Scalar::from);
        let ch = Scalar::from(CHALLENGE);
        let pair =
            |x: &Scalar, rho: &Scalar| (RistrettoPoint::mul_base(x), u * x + e * rho, RistrettoPoint::mul_base(rho));
        let (p, a, b) = pair(&x, &rho);
        let (t_p, t_a, t_b) = pair(&s1, &s2);
        let [t_p, t_a, t_b] = [t_p, t_a, t_b].map(Encoded::new);
        Known { p, a, b, proof: Representation { t_p, t_a, t_b, z1: s1 + ch * x, z2: s2 + ch * rho } }
    }

    fn verdicts(all: &[Known]) -> (bool, Vec<bool>) {
        let (u, e) = bases();
        let relations: Vec<_> = all
            .iter()
            .map(|Known { p, a, b, proof }| Relation {
                p,
                u: &u,
                e: &e,
                a,
                b,
                proof,
                challenge: Scalar::from(CHALLENGE),
            })
            .collect();
        let seed = [7; 64];
        let mut batch = Batch::new(&e, std::iter::once(&u), &seed);
        relations.iter().for_each(|relation| batch.add_vartime(0, relation));
        (batch.all_hold_vartime(), relations.iter().map(Relation::holds_vartime).collect())
    }

    #[test]
    fn n064_errors_that_cancel_in_a_plain_sum_are_found_in_every_equation() {
        assert_eq!(verdicts(&[known(3, 5), known(4, 6)]), (true, vec![true, true]));
        let shift = RistrettoPoint::mul_base(&Scalar::from(5u8));
        type Change = fn(&mut Known, RistrettoPoint);
        let changes: [Change; 5] = [
            |k, by| k.proof.t_p = Encoded::new(k.proof.t_p.point() + by),
            |k, by| k.proof.t_a = Encoded::new(k.proof.t_a.point() + by),
            |k, by| k.proof.t_b = Encoded::new(k.proof.t_b.point() + by),
            |k, by| k.a += by,
            |k, by| k.b += by,
        ];
        for change in changes {
            let (mut one, mut two) = (known(3, 5), known(4, 6));
            change(&mut one, shift);
            change(&mut two, -shift);
            assert_eq!(verdicts(&[one, two]), (false, vec![false, false]));
        }
    }

    /// Within one proof too: each of the three equations has a weight of its own.
    #[test]
    fn n064_errors_of_two_equations_of_one_proof_do_not_cancel() {
        let (u, _) = bases();
        let mut one = known(3, 5);
        one.proof.t_p = Encoded::new(one.proof.t_p.point() + u);
        one.proof.t_a = Encoded::new(one.proof.t_a.point() - u);
        assert_eq!(verdicts(&[one]), (false, vec![false]));
    }

    #[test]
    fn a_false_relation_is_found_in_whichever_sum_it_falls() {
        let many = || vec![known(3, 5); PROOFS_PER_SUM + 1];
        let (u, e) = bases();
        let seed = [8; 64];
        for wrong in [None, Some(0), Some(PROOFS_PER_SUM - 1), Some(PROOFS_PER_SUM)] {
            let mut all = many();
            if let Some(at) = wrong {
                all[at].proof.z2 += Scalar::ONE;
            }
            let mut batch = Batch::new(&e, std::iter::once(&u), &seed);
            for Known { p, a, b, proof } in &all {
                batch.add_vartime(0, &Relation { p, u: &u, e: &e, a, b, proof, challenge: Scalar::from(CHALLENGE) });
            }
            assert_eq!(batch.all_hold_vartime(), wrong.is_none());
        }
    }

    /// Five points per proof and one P for neighbours that share it, until the sum is full.
    #[test]
    fn a_sum_is_bounded_and_multiplies_the_same_share_once() {
        let (u, e) = bases();
        let (one, two) = (known(3, 5), known(4, 6));
        let seed = [8; 64];
        let mut batch = Batch::new(&e, std::iter::once(&u), &seed);
        let mut add = |Known { p, a, b, proof }: &Known| {
            batch.add_vartime(0, &Relation { p, u: &u, e: &e, a, b, proof, challenge: Scalar::from(CHALLENGE) });
            (batch.sum.proofs, batch.sum.points.len())
        };
        assert_eq!([add(&one), add(&one), add(&two)], [(1, 5), (2, 10), (3, 16)]);
        for _ in 4..PROOFS_PER_SUM {
            add(&two);
        }
        assert_eq!(add(&two), (0, 0));
        assert!(batch.all_hold_vartime());
    }
}
