//! From partials to one pair per ciphertext, and from the pair to K.
//!
//! *Source*: A = Σ λ_i·A_i, B = Σ λ_i·B_i, K = A − d_E·B: ElGamal 1985 is additive in the exponent, and so is Shamir's
//! interpolation. The argument stands in `docs/spec/compact.md`.

use super::{Directed, Partials, candidate, verdicts};
use crate::ciphertext::VerifiedCiphertext;
use crate::encoding::{EncodingError, Kind, Reader};
use crate::envelope::Envelope;
use crate::identifier::Identifier;
use crate::keys::Committee;
use crate::point::Encoded;
use crate::polynomial::Interpolation;
use crate::secret::{SecretScalar, random64};
use crate::vault::combine::{CombineError, Culprit, Pool, Scheme};
use crate::vault::received::Received;
use crate::vault::recipient::Recipient;
use crate::vault::request::Request;
use crate::vault::statement::Statement;
use alloc::vec::Vec;
use curve25519_dalek::RistrettoPoint;
use curve25519_dalek::traits::IsIdentity;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Bytes of one combined pair.
pub const COMBINED_LEN: usize = 64;

/// (A, B) with A − d_E·B = K for each ciphertext of a request, in its order.
///
/// Made by anybody from t participants' [`Partials`], opened by the enclave that holds d_E.
///
/// *Layout*: m × (A 32 ‖ B 32), nothing else: request and recipient are known to both sides.
/// *Security*: the bytes alone prove nothing. A wrong pair fails at the ciphertext's key commitment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Combined {
    pairs: Vec<(Encoded, Encoded)>,
}

/// What a combiner that checks every partial hands on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Combination {
    /// For the enclave.
    pub combined: Combined,
    /// Whoever signed partials that do not verify, ascending.
    pub culprits: Vec<Culprit>,
}

impl Combined {
    /// Encodes the pairs.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.pairs.iter().flat_map(|(a, b)| [*a.bytes(), *b.bytes()]).flatten().collect()
    }

    /// Reads the pairs of m ciphertexts; no B is the identity.
    ///
    /// # Errors
    /// [`EncodingError`]; the length is compared with m before anything is allocated.
    pub fn from_bytes(bytes: &[u8], m: usize) -> Result<Self, EncodingError> {
        let expected = m.saturating_mul(COMBINED_LEN);
        if bytes.len() < expected {
            return Err(EncodingError::Truncated { what: "combined pairs", expected, found: bytes.len() });
        }
        let mut reader = Reader::new(bytes);
        let mut pair = || Ok((Encoded::read_or_identity(&mut reader, "A")?, Encoded::read(&mut reader, "B")?));
        let pairs = (0..m).map(|_| pair()).collect::<Result<_, EncodingError>>()?;
        reader.finish()?;
        Ok(Self { pairs })
    }

    #[cfg(test)]
    pub(crate) fn pairs(&self) -> &[(Encoded, Encoded)] {
        &self.pairs
    }

    /// The plaintexts, where every pair is there and leads to the key that its ciphertext commits to.
    pub(crate) fn open(&self, statement: &Statement<'_>, secret: &SecretScalar) -> Option<Vec<Zeroizing<Vec<u8>>>> {
        if self.pairs.len() != statement.ciphertexts.len() {
            return None;
        }
        let open_one = |((a, b), ciphertext): (&(Encoded, Encoded), &VerifiedCiphertext)| {
            let k = decrypt(secret, a.point(), b.point())?;
            ciphertext.open(&k).ok()
        };
        self.pairs.iter().zip(statement.ciphertexts).map(open_one).collect()
    }
}

/// K = A − d·B; nothing for B = 0, which would have left K in the clear. *Timing*: constant in d.
pub(crate) fn decrypt(
    secret: &SecretScalar,
    a: &RistrettoPoint,
    b: &RistrettoPoint,
) -> Option<Zeroizing<RistrettoPoint>> {
    if b.is_identity() { None } else { Some(Zeroizing::new(a - b * secret.expose())) }
}

/// Checks the partials in the envelopes, names whoever lies, and combines those of the t smallest identifiers that
/// verify: for a combiner that nobody trusts.
///
/// Envelopes may arrive in any order, repeated, forged or broken. What no member signed for this request, or signed
/// for another recipient, is dropped and blames nobody.
///
/// *Security*: needs no secret and learns none. It cannot see whether a ciphertext opens: that its author committed to
/// another key shows in the enclave alone.
///
/// # Errors
/// [`CombineError::NotEnoughShares`] with every culprit; [`CombineError::Request`]; [`CombineError::Randomness`];
/// [`CombineError::ZeroCombination`].
pub fn combine<R: CryptoRng + ?Sized>(
    committee: &Committee,
    request: &Request,
    recipient: &Recipient,
    ciphertexts: &[VerifiedCiphertext],
    envelopes: &[Envelope],
    rng: &mut R,
) -> Result<Combination, CombineError> {
    let directed = Directed::new(committee, request, recipient, ciphertexts)?;
    let seed = random64(rng)?;
    combine_directed(&directed, received(&directed, envelopes), &seed)
}

/// Combines the partials of the t smallest identifiers unseen: for a combiner that expects honest participants, and
/// hands the enclave the envelopes when it does not open what comes out.
///
/// # Errors
/// [`CombineError::NotEnoughShares`] with those whose payload is no list of partials; [`CombineError::Request`];
/// [`CombineError::ZeroCombination`], which one participant that has seen the others' partials can bring about:
/// [`combine`] names it.
pub fn combine_unverified(
    committee: &Committee,
    request: &Request,
    recipient: &Recipient,
    ciphertexts: &[VerifiedCiphertext],
    envelopes: &[Envelope],
) -> Result<Combined, CombineError> {
    let directed = Directed::new(committee, request, recipient, ciphertexts)?;
    combine_pool(&directed, &received(&directed, envelopes))
}

pub(super) fn combine_directed(
    directed: &Directed<'_>,
    mut pool: Pool<Partials>,
    seed: &[u8; 64],
) -> Result<Combination, CombineError> {
    pool.judge(|parts| verdicts(parts, directed, seed));
    let combined = combine_pool(directed, &pool)?;
    Ok(Combination { combined, culprits: pool.culprits() })
}

fn received(directed: &Directed<'_>, envelopes: &[Envelope]) -> Pool<Partials> {
    let statement = &directed.statement;
    let payloads = Received::sort(statement, Kind::Compact, envelopes);
    let mut pool = Pool::default();
    for (identifier, payload) in payloads.iter() {
        if let Some(candidate) = candidate(statement, identifier, payload) {
            pool.put(candidate);
        }
    }
    pool
}

fn combine_pool(directed: &Directed<'_>, pool: &Pool<Partials>) -> Result<Combined, CombineError> {
    let need = usize::from(directed.statement.committee.threshold().t());
    let parts = pool.smallest(need);
    let identifiers: Vec<_> = parts.iter().map(|(identifier, _)| *identifier).collect();
    let lambdas = if parts.len() == need { Interpolation::at_zero(&identifiers) } else { None };
    let lambdas = lambdas.ok_or_else(|| pool.not_enough(need))?;
    let pair = |(j, ciphertext): (usize, &VerifiedCiphertext)| match interpolate_vartime(&lambdas, &parts, j) {
        Some((a, b)) if !b.is_identity() => Ok((Encoded::new(a), Encoded::new(b))),
        _ => Err(CombineError::ZeroCombination { digest: ciphertext.digest() }),
    };
    let pairs = directed.ciphertexts().iter().enumerate().map(pair).collect::<Result<_, _>>()?;
    Ok(Combined { pairs })
}

/// (Σ λ_i·A_i, Σ λ_i·B_i) for the j-th ciphertext. *Timing*: varies with public data.
fn interpolate_vartime(
    lambdas: &Interpolation,
    parts: &[(Identifier, &Partials)],
    j: usize,
) -> Option<(RistrettoPoint, RistrettoPoint)> {
    let pairs = || parts.iter().map(|(_, partials)| partials.pair(j));
    let a = lambdas.combine_vartime(pairs().map(|pair| pair.map(|(a, _)| *a)))?;
    let b = lambdas.combine_vartime(pairs().map(|pair| pair.map(|(_, b)| *b)))?;
    Some((a, b))
}

/// The enclave's side: partials with the secret of E.
pub(crate) struct Decryption<'a> {
    pub(crate) directed: &'a Directed<'a>,
    pub(crate) secret: &'a SecretScalar,
}

impl Scheme for Decryption<'_> {
    type Part = Partials;

    fn statement(&self) -> &Statement<'_> {
        &self.directed.statement
    }

    fn verdicts(&self, parts: &[(Identifier, &Partials)], seed: &[u8; 64]) -> Vec<bool> {
        verdicts(parts, self.directed, seed)
    }

    fn element(
        &self,
        lambdas: &Interpolation,
        parts: &[(Identifier, &Partials)],
        j: usize,
    ) -> Option<Zeroizing<RistrettoPoint>> {
        let (a, b) = interpolate_vartime(lambdas, parts, j)?;
        decrypt(self.secret, &a, &b)
    }
}
