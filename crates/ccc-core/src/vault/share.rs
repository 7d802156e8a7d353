//! Decryption shares: D_j = x_i·U_j with one proof for all of them.
//!
//! *Source*: the DLEQ of TDH2 with the whole statement under the challenge; for several ciphertexts a composite proof with
//! random weights in the manner of RFC 9497, section 2.2.1, ours in what it binds: `docs/spec/encryption.md`, *Sources*.

use super::request::{Mode, Request, RequestError, count};
use super::statement::{Opening, Statement};
use crate::ciphertext::VerifiedCiphertext;
use crate::encoding::{EncodingError, Reader};
use crate::flood::{self, MAX_DIFFERENT};
use crate::identifier::Identifier;
use crate::keys::{Committee, KeyShare, KeyShareError};
use crate::point::{Claimed, Encoded};
use crate::proof::{Dleq, Equation, all_hold_vartime, weight};
use crate::secret::{RandomnessError, proof_nonce, random64};
use crate::suite::{Hasher, challenge, domain};
use alloc::vec;
use alloc::vec::Vec;
use curve25519_dalek::traits::VartimeMultiscalarMul;
use curve25519_dalek::{RistrettoPoint, Scalar};
use rand_core::CryptoRng;

/// The decryption shares of one participant for one request, with their proof.
///
/// Made by a participant; in mode public sent as they are, in mode sealed only inside a
/// [`SealedShare`](super::SealedShare).
///
/// *Layout*: D_1 32 ‖ … ‖ D_m 32 ‖ A 32 ‖ B 32 ‖ z 32: 128 bytes for one ciphertext. The envelope's header says which.
/// *Security*: from t of them anybody opens the ciphertexts.
#[derive(Clone, PartialEq, Eq)]
pub struct Shares {
    points: Vec<Encoded>,
    proof: Dleq,
}

/// Why shares were not made, or do not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShareError {
    /// Request, committee, recipient and ciphertexts do not belong together.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The key share does not serve the committee.
    #[error(transparent)]
    KeyShare(#[from] KeyShareError),
    /// The random generator is broken.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
    /// Nobody in the committee has this identifier.
    #[error("participant {identifier} is not in the committee")]
    UnknownParticipant {
        /// The identifier.
        identifier: Identifier,
    },
    /// Nobody's shares were given to be checked: that nothing is wrong with them means nothing.
    #[error("no shares to check")]
    Empty,
    /// Another number of shares than ciphertexts.
    #[error("{found} shares for {expected} ciphertexts")]
    Count {
        /// Ciphertexts.
        expected: usize,
        /// Shares.
        found: usize,
    },
    /// Partials for another recipient: an answer to another attempt, and no fault.
    #[error("the partials of participant {identifier} are for another recipient")]
    Recipient {
        /// Whose partials.
        identifier: Identifier,
    },
    /// More different answers of one participant than are looked at, none of which verifies among those that are.
    #[error("more than {most} different answers of participant {identifier}, and none of the first {most} verifies")]
    TooMany {
        /// Whose answers: its fault, if it signed them all.
        identifier: Identifier,
        /// The most.
        most: usize,
    },
    /// The proof does not verify: the participant's fault.
    #[error("the share proof of participant {identifier} does not verify")]
    Proof {
        /// Whose proof.
        identifier: Identifier,
    },
}

/// U and D of the equation that the proof is about, with the field that names the ciphertexts.
struct Target {
    u: Encoded,
    d: Encoded,
    names: Vec<Vec<u8>>,
}

impl Shares {
    /// Makes plain shares for every ciphertext of a request in mode public: D_j = x·U_j, A = aG, B = aU, z = a + ch·x.
    ///
    /// *Security*: of a request in another mode nobody gets shares that are not sealed; [`answer`](super::answer) makes
    /// and seals them.
    /// *Timing*: constant in x.
    ///
    /// # Errors
    /// [`ShareError`], with [`RequestError::Mode`] for any mode but public; nothing has been made.
    pub fn create<R: CryptoRng + ?Sized>(
        key: &KeyShare,
        committee: &Committee,
        request: &Request,
        ciphertexts: &[VerifiedCiphertext],
        rng: &mut R,
    ) -> Result<Self, ShareError> {
        if request.mode != Mode::Public {
            return Err(RequestError::Mode { expected: Mode::Public, found: request.mode }.into());
        }
        Self::answer(key, &Statement::new(committee, request, None, ciphertexts)?, rng)
    }

    /// The shares that an answer in any mode holds, before they are sealed.
    #[cfg(test)]
    pub(crate) fn unsealed<R: CryptoRng + ?Sized>(
        key: &KeyShare,
        committee: &Committee,
        request: &Request,
        recipient: Option<&[u8; 64]>,
        ciphertexts: &[VerifiedCiphertext],
        rng: &mut R,
    ) -> Result<Self, ShareError> {
        Self::answer(key, &Statement::new(committee, request, recipient, ciphertexts)?, rng)
    }

    pub(crate) fn answer<R: CryptoRng + ?Sized>(
        key: &KeyShare,
        statement: &Statement<'_>,
        rng: &mut R,
    ) -> Result<Self, ShareError> {
        key.matches(statement.committee)?;
        let random = random64(rng)?;
        let x = key.secret();
        let points: Vec<_> = statement.ciphertexts.iter().map(|c| Encoded::new(c.u().point() * x.expose())).collect();
        let opening = opening(statement, key.identifier())?;
        let target = target(statement, &opening, &points);
        let nonce = proof_nonce(&random, x, &fields(&opening, &target), 0);
        let a = Claimed::of(&RistrettoPoint::mul_base(nonce.expose()));
        let b = Claimed::of(&(target.u.point() * nonce.expose()));
        let challenge = share_challenge(&opening, &target, &a, &b);
        let z = nonce.expose() + challenge * x.expose();
        Ok(Self { points, proof: Dleq { a, b, z } })
    }

    /// Encodes shares and proof.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(32 * self.points.len() + Dleq::LEN);
        for point in &self.points {
            out.extend_from_slice(point.bytes());
        }
        self.proof.write(&mut out);
        out
    }

    /// Reads the shares of m ciphertexts; no share is the identity. Whether A and B are elements shows when the proof is
    /// checked: a combination that opens checks none, and saves two thirds of the decoding.
    ///
    /// # Errors
    /// [`EncodingError`]; the length is compared with m before anything is allocated.
    pub fn from_bytes(bytes: &[u8], m: usize) -> Result<Self, EncodingError> {
        let expected = m.saturating_mul(32).saturating_add(Dleq::LEN);
        if bytes.len() < expected {
            return Err(EncodingError::Truncated { what: "shares", expected, found: bytes.len() });
        }
        let mut reader = Reader::new(bytes);
        let points = (0..m).map(|_| Encoded::read(&mut reader, "D")).collect::<Result<_, _>>()?;
        let proof = Dleq::read(&mut reader)?;
        reader.finish()?;
        Ok(Self { points, proof })
    }

    /// Checks the proof of this participant's shares.
    ///
    /// # Errors
    /// [`ShareError::Proof`] is the participant's fault, everything else the caller's.
    pub fn verify(
        &self,
        identifier: Identifier,
        committee: &Committee,
        request: &Request,
        recipient: Option<&[u8; 64]>,
        ciphertexts: &[VerifiedCiphertext],
    ) -> Result<(), ShareError> {
        let statement = Statement::new(committee, request, recipient, ciphertexts)?;
        let equation = self.equation(identifier, &statement)?;
        if equation.holds_vartime() { Ok(()) } else { Err(ShareError::Proof { identifier }) }
    }

    /// How many shares there are.
    pub(crate) fn count(&self) -> usize {
        self.points.len()
    }

    /// The j-th share.
    pub(crate) fn point(&self, j: usize) -> Option<&RistrettoPoint> {
        self.points.get(j).map(Encoded::point)
    }

    /// As many shares as ciphertexts, of a member. Gives its verification key.
    fn fits<'c>(&self, identifier: Identifier, statement: &Statement<'c>) -> Result<&'c Encoded, ShareError> {
        let (expected, found) = (statement.ciphertexts.len(), self.points.len());
        if expected != found {
            return Err(ShareError::Count { expected, found });
        }
        verification_key(statement.committee, identifier)
    }

    pub(crate) fn equation(
        &self,
        identifier: Identifier,
        statement: &Statement<'_>,
    ) -> Result<Equation<'_>, ShareError> {
        let p = self.fits(identifier, statement)?;
        let opening = opening(statement, identifier)?;
        let target = target(statement, &opening, &self.points);
        let Dleq { a, b, .. } = &self.proof;
        let challenge = share_challenge(&opening, &target, a, b);
        Ok(Equation { p: *p.point(), u: *target.u.point(), d: *target.d.point(), proof: &self.proof, challenge })
    }
}

/// Checks many participants' shares at once; the same shares again are checked once.
///
/// # Errors
/// [`ShareError::Proof`] names the first culprit in the order given, [`ShareError::TooMany`] in its place one of more than
/// 8 different ones, none of the first 8 of which verifies; a ninth is not looked at. Everything else is the caller's; nobody's shares are [`ShareError::Empty`].
pub fn verify_all<R: CryptoRng + ?Sized>(
    shares: &[(Identifier, Shares)],
    committee: &Committee,
    request: &Request,
    recipient: Option<&[u8; 64]>,
    ciphertexts: &[VerifiedCiphertext],
    rng: &mut R,
) -> Result<(), ShareError> {
    let statement = Statement::new(committee, request, recipient, ciphertexts)?;
    let seed = random64(rng)?;
    if shares.is_empty() {
        return Err(ShareError::Empty);
    }
    for (identifier, shares) in shares {
        shares.fits(*identifier, &statement)?;
    }
    check_different(shares, |shares| verdicts(shares.iter().copied(), &statement, &seed))
}

/// Checks each participant's different answers, up to 8, and names the first in the order given of whom one does not verify.
pub(crate) fn check_different<T: PartialEq>(
    answers: &[(Identifier, T)],
    verdicts: impl FnOnce(&[(Identifier, &T)]) -> Vec<bool>,
) -> Result<(), ShareError> {
    let (all, more) = flood::different(answers);
    let verdicts = verdicts(&all);
    let judged = || all.iter().map(|(identifier, _)| *identifier).zip(verdicts.iter().copied());
    let Some((identifier, _)) = judged().find(|(_, valid)| !valid) else { return Ok(()) };
    if more.contains(&identifier) && !judged().any(|answer| answer == (identifier, true)) {
        return Err(ShareError::TooMany { identifier, most: MAX_DIFFERENT });
    }
    Err(ShareError::Proof { identifier })
}

/// Whose shares verify, in order: one batch, and each alone only when the batch fails. Shares that do not fit the
/// statement at all do not verify.
pub(crate) fn verdicts<'s>(
    shares: impl Iterator<Item = (Identifier, &'s Shares)>,
    statement: &Statement<'_>,
    seed: &[u8; 64],
) -> Vec<bool> {
    let equations: Vec<Result<Equation<'_>, ShareError>> =
        shares.map(|(identifier, shares)| shares.equation(identifier, statement)).collect();
    let formed: Vec<&Equation<'_>> = equations.iter().flatten().collect();
    let all = all_hold_vartime(&formed, seed);
    equations.iter().map(|e| e.as_ref().is_ok_and(|equation| all || equation.holds_vartime())).collect()
}

fn verification_key(committee: &Committee, identifier: Identifier) -> Result<&Encoded, ShareError> {
    committee.verification_key(identifier).ok_or(ShareError::UnknownParticipant { identifier })
}

fn opening(statement: &Statement<'_>, identifier: Identifier) -> Result<Opening, ShareError> {
    Ok(statement.opening(identifier, verification_key(statement.committee, identifier)?))
}

fn target(statement: &Statement<'_>, opening: &Opening, points: &[Encoded]) -> Target {
    match (statement.ciphertexts, points) {
        ([ciphertext], [d]) => Target { u: *ciphertext.u(), d: *d, names: vec![ciphertext.digest().to_vec()] },
        (ciphertexts, _) => composite_vartime(opening, ciphertexts, points),
    }
}

/// ΣdU and ΣdD, named by m and the seed. The weights are a hash of the shares, so their timing says nothing of x.
fn composite_vartime(opening: &Opening, ciphertexts: &[VerifiedCiphertext], points: &[Encoded]) -> Target {
    let seed = composite_seed(opening, ciphertexts, points);
    let weights: Vec<Scalar> = (0u32..).zip(points).map(|(j, _)| weight(&seed, j)).collect();
    let names = vec![count(ciphertexts).to_vec(), seed.to_vec()];
    weighted_vartime(&weights, ciphertexts, points, names)
}

fn weighted_vartime(
    weights: &[Scalar],
    ciphertexts: &[VerifiedCiphertext],
    points: &[Encoded],
    names: Vec<Vec<u8>>,
) -> Target {
    let u = RistrettoPoint::vartime_multiscalar_mul(weights, ciphertexts.iter().map(|c| c.u().point()));
    let d = RistrettoPoint::vartime_multiscalar_mul(weights, points.iter().map(Encoded::point));
    Target { u: Encoded::new(u), d: Encoded::new(d), names }
}

/// H("composite"; S, mode, committee, ε, i, P_i, request, recipient, m, ct digests…, U…, D…).
fn composite_seed(opening: &Opening, ciphertexts: &[VerifiedCiphertext], points: &[Encoded]) -> [u8; 64] {
    let mut hasher = Hasher::new(domain::COMPOSITE, Opening::COUNT + 1 + 2 * ciphertexts.len() + points.len());
    for field in opening.fields() {
        hasher.field(field);
    }
    hasher.field(&count(ciphertexts));
    for ciphertext in ciphertexts {
        hasher.field(&ciphertext.digest());
    }
    for ciphertext in ciphertexts {
        hasher.field(ciphertext.u().bytes());
    }
    for point in points {
        hasher.field(point.bytes());
    }
    hasher.finish()
}

/// The statement's fields up to and including D.
fn fields<'a>(opening: &'a Opening, target: &'a Target) -> Vec<&'a [u8]> {
    let mut fields = opening.fields().to_vec();
    fields.extend(target.names.iter().map(Vec::as_slice));
    fields.extend([target.u.bytes().as_slice(), target.d.bytes().as_slice()]);
    fields
}

fn share_challenge(opening: &Opening, target: &Target, a: &Claimed, b: &Claimed) -> Scalar {
    let mut fields = fields(opening, target);
    fields.extend([a.bytes().as_slice(), b.bytes().as_slice()]);
    challenge(domain::SHARE, &fields)
}

#[cfg(test)]
pub(crate) mod tests;
