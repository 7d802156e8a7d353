//! From shares to plaintext: optimistic first, and with every culprit named when that fails.
//!
//! *Source*: Shoup and Gennaro 2002: K = Σ λ_i·D_i, λ_i = Π_{j≠i} j/(j − i) (Lagrange at zero, Shamir 1979).

use super::request::{Request, RequestError};
use super::share::{Shares, verdicts};
use super::statement::Statement;
use crate::ciphertext::VerifiedCiphertext;
use crate::flood::{Different, Place};
use crate::guard::{Guard, stands};
use crate::identifier::Identifier;
use crate::keys::Committee;
use crate::polynomial::Interpolation;
use crate::secret::{RandomnessError, random64};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;
use curve25519_dalek::RistrettoPoint;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// What a participant did wrong under its own signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CulpritReason {
    /// What it signed opens, and is not a share.
    Malformed,
    /// Its share proof does not verify.
    Proof,
    /// It signed more than 8 different answers to one request, and none of the first 8 verifies; the others were not looked
    /// at. Each answer has fresh randomness: who has answered often, one of them rightly, is not at fault.
    TooMany,
}

/// A participant that is provably at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Culprit {
    /// Who.
    pub identifier: Identifier,
    /// What.
    pub reason: CulpritReason,
}

/// The plaintexts of a request, in its order, and whoever was found at fault on the way.
#[non_exhaustive]
pub struct Opened {
    /// One per ciphertext; `None` where all shares are valid and the ciphertext still does not open. That is its
    /// author's fault, and no reason to keep the others from opening.
    pub plaintexts: Vec<Option<Zeroizing<Vec<u8>>>>,
    /// Ascending; empty when the first t shares opened everything, since then nobody was examined.
    pub culprits: Vec<Culprit>,
}

/// Why nothing was opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CombineError {
    /// Request, committee and ciphertexts do not belong together.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// Fewer valid shares than the threshold.
    #[error("{have} valid shares, where {need} are needed{}", at_fault(.culprits))]
    NotEnoughShares {
        /// t.
        need: usize,
        /// Valid shares of distinct participants, or candidates when none was examined.
        have: usize,
        /// Who is at fault.
        culprits: Vec<Culprit>,
    },
    /// All shares are valid and the ciphertext does not open: its author's fault. It is not retried.
    #[error("a ciphertext is invalid by its author's fault")]
    InvalidCiphertext {
        /// Which one.
        digest: [u8; 32],
        /// Who is at fault besides.
        culprits: Vec<Culprit>,
    },
    /// The second half of a combined pair is zero, which would leave K in the clear. With verified partials t
    /// participants made it so together; with unverified ones the last of them did alone.
    #[error("partials combine to zero")]
    ZeroCombination {
        /// Of which ciphertext.
        digest: [u8; 32],
    },
    /// The random generator is broken.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
}

fn at_fault(culprits: &[Culprit]) -> String {
    let names: Vec<_> = culprits.iter().map(|culprit| culprit.identifier.to_string()).collect();
    if names.is_empty() { String::new() } else { format!("; at fault: {}", names.join(", ")) }
}

/// How the parts of one mode are checked and brought together.
pub(crate) trait Scheme {
    /// What one participant contributes, for all ciphertexts of the request.
    type Part: PartialEq;

    fn statement(&self) -> &Statement<'_>;

    /// Which parts verify, in order.
    fn verdicts(&self, parts: &[(Identifier, &Self::Part)], seed: &[u8; 64]) -> Vec<bool>;

    /// K of the j-th ciphertext, from one part each of t participants and their Lagrange coefficients.
    fn element(
        &self,
        lambdas: &Interpolation,
        parts: &[(Identifier, &Self::Part)],
        j: usize,
    ) -> Option<Zeroizing<RistrettoPoint>>;
}

/// Decryption shares: K = Σ λ_i·D_i.
pub(crate) struct Plain<'a>(pub(crate) &'a Statement<'a>);

impl Scheme for Plain<'_> {
    type Part = Shares;

    fn statement(&self) -> &Statement<'_> {
        self.0
    }

    fn verdicts(&self, parts: &[(Identifier, &Shares)], seed: &[u8; 64]) -> Vec<bool> {
        verdicts(parts.iter().copied(), self.0, seed)
    }

    /// *Timing*: varies with the identifiers, which are public; not with the shares.
    fn element(
        &self,
        lambdas: &Interpolation,
        parts: &[(Identifier, &Shares)],
        j: usize,
    ) -> Option<Zeroizing<RistrettoPoint>> {
        let points = parts.iter().map(|(_, shares)| shares.point(j).copied());
        lambdas.combine_vartime(points).map(Zeroizing::new)
    }
}

/// Something that a participant sent and signed: its part, or the finding that it is none.
pub(crate) struct Candidate<P> {
    pub(crate) identifier: Identifier,
    pub(crate) part: Result<P, CulpritReason>,
}

/// Combines plain shares of a request in mode public.
///
/// The caller vouches for who sent what: identifiers come from verified envelopes. A participant may occur several
/// times, valid and not, and counts once: the same shares again are left out, and of different ones the first 8 are looked
/// at. Who signed more, none of the 8 right, is named, [`CulpritReason::TooMany`]; a ninth beside a right one is left out.
///
/// # Errors
/// [`CombineError`].
pub fn combine_public<R: CryptoRng + ?Sized>(
    committee: &Committee,
    request: &Request,
    ciphertexts: &[VerifiedCiphertext],
    shares: Vec<(Identifier, Shares)>,
    rng: &mut R,
) -> Result<Opened, CombineError> {
    let statement = Statement::new(committee, request, None, ciphertexts)?;
    let seed = random64(rng)?;
    let mut known: Vec<_> = shares.into_iter().filter(|(i, _)| committee.member(*i).is_some()).collect();
    known.sort_by_key(|(identifier, _)| *identifier);
    let m = ciphertexts.len();
    let part = |shares: Shares| if shares.count() == m { Ok(shares) } else { Err(CulpritReason::Malformed) };
    let candidates = known.into_iter().map(|(identifier, shares)| Candidate { identifier, part: part(shares) });
    run(&Plain(&statement), candidates, &seed)
}

/// Combines candidates, which arrive ascending by identifier and are drawn only as far as they are needed.
pub(crate) fn run<S: Scheme>(
    scheme: &S,
    mut candidates: impl Iterator<Item = Candidate<S::Part>>,
    seed: &[u8; 64],
) -> Result<Opened, CombineError> {
    let need = usize::from(scheme.statement().committee.threshold().t());
    let mut pool = Pool::default();
    while pool.len() < need {
        let Some(candidate) = candidates.next() else { return Err(pool.not_enough(need)) };
        pool.put(candidate);
    }
    let plaintexts = open(scheme, &pool.smallest(need));
    if plaintexts.iter().all(Option::is_some) {
        return Ok(Opened { plaintexts, culprits: pool.culprits() });
    }
    candidates.for_each(|candidate| pool.put(candidate));
    pool.judge(|parts| scheme.verdicts(parts, seed));
    if pool.len() < need {
        return Err(pool.not_enough(need));
    }
    let plaintexts = open(scheme, &pool.smallest(need));
    Ok(Opened { plaintexts, culprits: pool.culprits() })
}

impl Opened {
    /// The plaintexts when every ciphertext of the request opened.
    ///
    /// # Errors
    /// [`CombineError::InvalidCiphertext`] with the first one that did not, by its position in `ciphertexts`.
    pub fn every(self, ciphertexts: &[VerifiedCiphertext]) -> Result<Vec<Zeroizing<Vec<u8>>>, CombineError> {
        let Self { plaintexts, culprits } = self;
        let invalid = plaintexts.iter().zip(ciphertexts).find(|(plaintext, _)| plaintext.is_none());
        match invalid {
            Some((_, ciphertext)) => Err(CombineError::InvalidCiphertext { digest: ciphertext.digest(), culprits }),
            None => Ok(plaintexts.into_iter().flatten().collect()),
        }
    }
}

/// What has been drawn so far: per participant everything that may be its part, so that a bad envelope does not take
/// the place of a good one.
pub(crate) struct Pool<P> {
    parts: Different<Identifier, P>,
    at_fault: BTreeMap<Identifier, CulpritReason>,
    /// Who sent more than is looked at: no fault unless nothing of it verifies.
    full: BTreeSet<Identifier>,
}

impl<P> Default for Pool<P> {
    fn default() -> Self {
        Self { parts: Different::default(), at_fault: BTreeMap::new(), full: BTreeSet::new() }
    }
}

impl<P: PartialEq> Pool<P> {
    /// Takes a candidate.
    pub(crate) fn put(&mut self, Candidate { identifier, part }: Candidate<P>) {
        match part {
            Ok(part) => {
                if self.parts.put(identifier, part) == Place::Full {
                    self.full.insert(identifier);
                }
            }
            Err(reason) => self.blame(identifier, reason),
        }
    }

    /// Participants with a part that may count.
    fn len(&self) -> usize {
        self.parts.names()
    }

    fn blame(&mut self, identifier: Identifier, reason: CulpritReason) {
        self.at_fault.entry(identifier).or_insert(reason);
    }

    /// Keeps what verifies and blames whoever signed the rest.
    pub(crate) fn judge(&mut self, verdicts: impl FnOnce(&[(Identifier, &P)]) -> Vec<bool>) {
        let flat: Vec<_> = core::mem::take(&mut self.parts).into_answers().collect();
        let verdicts = verdicts(&flat.iter().map(|(identifier, part)| (*identifier, part)).collect::<Vec<_>>());
        let mut wrong = BTreeSet::new();
        for ((identifier, part), valid) in flat.into_iter().zip(verdicts) {
            if valid || !stands(Guard::Proofs) {
                self.parts.put(identifier, part);
            } else {
                wrong.insert(identifier);
            }
        }
        for identifier in wrong {
            let flooded = self.full.contains(&identifier) && !self.parts.has(identifier);
            self.blame(identifier, if flooded { CulpritReason::TooMany } else { CulpritReason::Proof });
        }
    }

    /// One part each of the participants with the smallest identifiers.
    pub(crate) fn smallest(&self, need: usize) -> Vec<(Identifier, &P)> {
        self.parts.firsts().take(need).collect()
    }

    pub(crate) fn culprits(&self) -> Vec<Culprit> {
        self.at_fault.iter().map(|(&identifier, &reason)| Culprit { identifier, reason }).collect()
    }

    pub(crate) fn not_enough(&self, need: usize) -> CombineError {
        CombineError::NotEnoughShares { need, have: self.len(), culprits: self.culprits() }
    }
}

fn open<S: Scheme>(scheme: &S, parts: &[(Identifier, &S::Part)]) -> Vec<Option<Zeroizing<Vec<u8>>>> {
    let identifiers: Vec<_> = parts.iter().map(|(identifier, _)| *identifier).collect();
    let lambdas = Interpolation::at_zero(&identifiers);
    let open_one = |(j, ciphertext): (usize, &VerifiedCiphertext)| {
        let k = scheme.element(lambdas.as_ref()?, parts, j)?;
        ciphertext.open(&k).ok()
    };
    scheme.statement().ciphertexts.iter().enumerate().map(open_one).collect()
}
