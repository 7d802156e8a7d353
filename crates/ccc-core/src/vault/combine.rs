//! From shares to plaintext: optimistic first, and with every culprit named when that fails.

use super::request::{Request, RequestError};
use super::share::{Shares, verdicts};
use super::statement::Statement;
use crate::ciphertext::VerifiedCiphertext;
use crate::identifier::Identifier;
use crate::keys::Committee;
use crate::polynomial::lagrange_at_zero;
use crate::secret::{RandomnessError, random64};
use curve25519_dalek::traits::VartimeMultiscalarMul;
use curve25519_dalek::{RistrettoPoint, Scalar};
use rand_core::CryptoRng;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// What a participant did wrong under its own signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CulpritReason {
    /// What it signed opens, and is not a share.
    Malformed,
    /// Its share proof does not verify.
    Proof,
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
    /// The random generator is broken.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
}

fn at_fault(culprits: &[Culprit]) -> String {
    let names: Vec<_> = culprits.iter().map(|culprit| culprit.identifier.to_string()).collect();
    if names.is_empty() { String::new() } else { format!("; at fault: {}", names.join(", ")) }
}

/// Something that a participant sent and signed: shares, or the finding that it is not.
pub(crate) struct Candidate {
    pub(crate) identifier: Identifier,
    pub(crate) shares: Result<Shares, CulpritReason>,
}

/// Combines plain shares of a request in mode public.
///
/// The caller vouches for who sent what: identifiers come from verified envelopes. A participant may occur several
/// times, valid and not, and counts once.
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
    let candidates = known.into_iter().map(|(identifier, shares)| Candidate { identifier, shares: Ok(shares) });
    run(&statement, candidates, &seed)
}

/// Combines candidates, which arrive ascending by identifier and are drawn only as far as they are needed.
pub(crate) fn run(
    statement: &Statement<'_>,
    mut candidates: impl Iterator<Item = Candidate>,
    seed: &[u8; 64],
) -> Result<Opened, CombineError> {
    let need = usize::from(statement.committee.threshold().t());
    let mut pool = Pool::default();
    while pool.shares.len() < need {
        let Some(candidate) = candidates.next() else { return Err(pool.not_enough(need)) };
        pool.put(candidate, statement);
    }
    let plaintexts = open(statement, &pool.smallest(need));
    if plaintexts.iter().all(Option::is_some) {
        return Ok(Opened { plaintexts, culprits: pool.culprits() });
    }
    candidates.for_each(|candidate| pool.put(candidate, statement));
    pool.judge(statement, seed);
    if pool.shares.len() < need {
        return Err(pool.not_enough(need));
    }
    let plaintexts = open(statement, &pool.smallest(need));
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

/// What has been drawn so far: per participant everything that may be its shares, so that a bad envelope does not
/// take the place of a good one.
#[derive(Default)]
struct Pool {
    shares: BTreeMap<Identifier, Vec<Shares>>,
    at_fault: BTreeMap<Identifier, CulpritReason>,
}

impl Pool {
    fn put(&mut self, Candidate { identifier, shares }: Candidate, statement: &Statement<'_>) {
        match shares {
            Ok(shares) if shares.count() == statement.ciphertexts.len() => {
                self.shares.entry(identifier).or_default().push(shares);
            }
            Ok(_) => self.blame(identifier, CulpritReason::Malformed),
            Err(reason) => self.blame(identifier, reason),
        }
    }

    fn blame(&mut self, identifier: Identifier, reason: CulpritReason) {
        self.at_fault.entry(identifier).or_insert(reason);
    }

    /// Keeps what verifies and blames whoever signed the rest.
    fn judge(&mut self, statement: &Statement<'_>, seed: &[u8; 64]) {
        let flat: Vec<_> = std::mem::take(&mut self.shares)
            .into_iter()
            .flat_map(|(i, all)| all.into_iter().map(move |s| (i, s)))
            .collect();
        let verdicts = verdicts(flat.iter().map(|(identifier, shares)| (*identifier, shares)), statement, seed);
        for ((identifier, shares), valid) in flat.into_iter().zip(verdicts) {
            if valid {
                self.shares.entry(identifier).or_default().push(shares);
            } else {
                self.blame(identifier, CulpritReason::Proof);
            }
        }
    }

    /// One candidate each of the participants with the smallest identifiers.
    fn smallest(&self, need: usize) -> Vec<(Identifier, &Shares)> {
        self.shares.iter().filter_map(|(i, all)| Some((*i, all.first()?))).take(need).collect()
    }

    fn culprits(&self) -> Vec<Culprit> {
        self.at_fault.iter().map(|(&identifier, &reason)| Culprit { identifier, reason }).collect()
    }

    fn not_enough(&self, need: usize) -> CombineError {
        CombineError::NotEnoughShares { need, have: self.shares.len(), culprits: self.culprits() }
    }
}

fn open(statement: &Statement<'_>, shares: &[(Identifier, &Shares)]) -> Vec<Option<Zeroizing<Vec<u8>>>> {
    let identifiers: Vec<_> = shares.iter().map(|(identifier, _)| *identifier).collect();
    let lambdas = lagrange_at_zero(&identifiers);
    let open_one = |(j, ciphertext): (usize, &VerifiedCiphertext)| {
        let k = interpolate_vartime(lambdas.as_deref()?, shares, j)?;
        ciphertext.open(&k).ok()
    };
    statement.ciphertexts.iter().enumerate().map(open_one).collect()
}

/// K = Σ λ_i·D_i. *Timing*: varies with the λ_i, which are public; not with the shares.
fn interpolate_vartime(
    lambdas: &[Scalar],
    shares: &[(Identifier, &Shares)],
    j: usize,
) -> Option<Zeroizing<RistrettoPoint>> {
    let points = shares.iter().map(|(_, shares)| shares.point(j).copied());
    RistrettoPoint::optional_multiscalar_mul(lambdas, points).map(Zeroizing::new)
}
