//! Compact re-encryption: D_i = x_i·U encrypted to the enclave's key E in the exponent, A_i = D_i + ρE, B_i = ρG, with
//! a proof that anybody can check. Sums of partials are again of this form, so an untrusted combiner hands the enclave
//! 64 bytes per ciphertext, whatever t is.
//!
//! *Source*: ElGamal 1985 on the shares of TDH2; the argument stands in `docs/spec/compact.md`.

use super::combine::{Candidate, CulpritReason};
use super::recipient::Recipient;
use super::request::{Request, RequestError};
use super::sealed::SealError;
use super::share::{ShareError, check_different};
use super::statement::{Opening, Statement};
use crate::ciphertext::VerifiedCiphertext;
use crate::encoding::{EncodingError, Reader};
use crate::identifier::Identifier;
use crate::keys::{Committee, KeyShare};
use crate::point::Encoded;
use crate::proof::representation::{Batch, Relation, Representation};
use crate::secret::{RandomnessError, SecretScalar, proof_nonce, random64};
use crate::suite::{SUITE_BYTES, challenge, domain};
use alloc::vec::Vec;
use curve25519_dalek::traits::{IsIdentity, MultiscalarMul};
use curve25519_dalek::{RistrettoPoint, Scalar};
use rand_core::CryptoRng;

mod combination;

pub(crate) use combination::Decryption;
pub use combination::{COMBINED_LEN, Combination, Combined, combine, combine_unverified};

/// Bytes of one partial.
pub const PARTIAL_LEN: usize = 224;

/// The index under which ρ is derived; the nonces s₁ and s₂ have 0 and 1.
const RHO: u8 = 2;

/// The partials of one participant for one request, one per ciphertext.
///
/// Made by a participant for one recipient, sent in its envelope through any channel, checked by anybody, brought
/// together by [`combine`] or by the enclave.
///
/// *Layout*: recipient digest 64 ‖ m × (A 32 ‖ B 32 ‖ T_P 32 ‖ T_A 32 ‖ T_B 32 ‖ z₁ 32 ‖ z₂ 32). The digest says
/// which of several attempts was answered, so that an answer to another one blames nobody.
/// *Security*: public. Only the holder of E's secret takes K out of t of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partials {
    recipient: [u8; 64],
    partials: Vec<Partial>,
}

/// (A, B) and the proof for one ciphertext.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Partial {
    a: Encoded,
    b: Encoded,
    proof: Representation,
}

/// What partials answer: a statement, and the key E to which they are encrypted.
pub(crate) struct Directed<'a> {
    pub(crate) statement: Statement<'a>,
    recipient: [u8; 64],
    e: Encoded,
}

/// What one partial is about.
struct Subject<'a> {
    opening: &'a Opening,
    digest: [u8; 32],
    u: &'a Encoded,
    e: &'a Encoded,
}

impl<'a> Directed<'a> {
    pub(crate) fn new(
        committee: &'a Committee,
        request: &'a Request,
        recipient: &Recipient,
        ciphertexts: &'a [VerifiedCiphertext],
    ) -> Result<Self, RequestError> {
        let e = Encoded::new(recipient.e);
        Self::to(committee, request, recipient.digest_with(&e), e, ciphertexts)
    }

    /// To a recipient with this digest and this key.
    pub(crate) fn to(
        committee: &'a Committee,
        request: &'a Request,
        recipient: [u8; 64],
        e: Encoded,
        ciphertexts: &'a [VerifiedCiphertext],
    ) -> Result<Self, RequestError> {
        if e.point().is_identity() {
            return Err(RequestError::RecipientKey);
        }
        let statement = Statement::compact(committee, request, &recipient, ciphertexts)?;
        Ok(Self { statement, recipient, e })
    }

    fn ciphertexts(&self) -> &'a [VerifiedCiphertext] {
        self.statement.ciphertexts
    }

    fn key(&self, identifier: Identifier) -> Result<&'a Encoded, ShareError> {
        self.statement.committee.verification_key(identifier).ok_or(ShareError::UnknownParticipant { identifier })
    }

    fn subject<'s>(&'s self, opening: &'s Opening, ciphertext: &'s VerifiedCiphertext) -> Subject<'s> {
        Subject { opening, digest: ciphertext.digest(), u: ciphertext.u(), e: &self.e }
    }
}

impl Subject<'_> {
    /// S, committee, ε, i, P_i, request, recipient, ct digest, U, E.
    fn fields(&self) -> [&[u8]; 10] {
        let [_, _, committee, epoch, identifier, key, request, recipient] = self.opening.fields();
        let (u, e) = (self.u.bytes(), self.e.bytes());
        [&SUITE_BYTES, committee, epoch, identifier, key, request, recipient, &self.digest, u, e]
    }

    /// H("nonce"; random64, x, the fields above, u8 2): two machines that draw the same bytes give ρ away only when
    /// they say the same thing.
    fn rho(&self, random: &[u8; 64], x: &SecretScalar) -> Result<SecretScalar, RandomnessError> {
        let rho = proof_nonce(random, x, &self.fields(), RHO);
        if *rho.expose() == Scalar::ZERO { Err(RandomnessError) } else { Ok(rho) }
    }

    /// (xU + ρE)/2 and ρG/2: [`Encoded::doubles`] makes elements and encodings of them. *Timing*: constant in both
    /// scalars.
    fn encrypt_halves(&self, x: &SecretScalar, rho: &SecretScalar) -> [RistrettoPoint; 2] {
        let [x, rho] = [x, rho].map(|scalar| SecretScalar::new(scalar.expose().div_by_2()));
        let a = RistrettoPoint::multiscalar_mul([x.expose(), rho.expose()], [self.u.point(), self.e.point()]);
        [a, RistrettoPoint::mul_base(rho.expose())]
    }

    /// H("compact"; the fields above, A, B, T_P, T_A, T_B).
    fn challenge(&self, a: &Encoded, b: &Encoded, t: [&Encoded; 3]) -> Scalar {
        let mut fields = self.fields().to_vec();
        fields.extend([a, b].into_iter().chain(t).map(|point| point.bytes().as_slice()));
        challenge(domain::COMPACT, &fields)
    }
}

impl Partial {
    /// A = xU + ρE, B = ρG; T_P = s₁G, T_A = s₁U + s₂E, T_B = s₂G; z₁ = s₁ + ch·x, z₂ = s₂ + ch·ρ.
    fn make(subject: &Subject<'_>, x: &SecretScalar, rho: &SecretScalar, random: &[u8; 64]) -> Self {
        let [a, b] = Encoded::doubles(subject.encrypt_halves(x, rho));
        let mut fields = subject.fields().to_vec();
        fields.extend([a.bytes().as_slice(), b.bytes().as_slice()]);
        let s1 = proof_nonce(random, x, &fields, 0);
        let s2 = proof_nonce(random, rho, &fields, 1);
        let [t_a, t_b] = subject.encrypt_halves(&s1, &s2);
        let t_p = RistrettoPoint::mul_base(SecretScalar::new(s1.expose().div_by_2()).expose());
        let [t_p, t_a, t_b] = Encoded::doubles([t_p, t_a, t_b]);
        let ch = subject.challenge(&a, &b, [&t_p, &t_a, &t_b]);
        let (z1, z2) = (s1.expose() + ch * x.expose(), s2.expose() + ch * rho.expose());
        Self { a, b, proof: Representation { t_p, t_a, t_b, z1, z2 } }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, EncodingError> {
        let a = Encoded::read_or_identity(reader, "A")?;
        let b = Encoded::read(reader, "B")?;
        Ok(Self { a, b, proof: Representation::read(reader)? })
    }

    fn challenge(&self, subject: &Subject<'_>) -> Scalar {
        let Representation { t_p, t_a, t_b, .. } = &self.proof;
        subject.challenge(&self.a, &self.b, [t_p, t_a, t_b])
    }
}

impl Partials {
    /// Makes the partials for every ciphertext of the request.
    ///
    /// *Security*: the caller MUST have checked the recipient's evidence, the request and the labels, and MUST journal
    /// the result before it sends it: a repeat of the request returns the same bytes.
    /// *Timing*: constant in x, ρ and the nonces.
    ///
    /// # Errors
    /// [`SealError`]; nothing has been made.
    pub fn create<R: CryptoRng + ?Sized>(
        key: &KeyShare,
        committee: &Committee,
        request: &Request,
        recipient: &Recipient,
        ciphertexts: &[VerifiedCiphertext],
        rng: &mut R,
    ) -> Result<Self, SealError> {
        let directed = Directed::new(committee, request, recipient, ciphertexts)?;
        Ok(Self::make(key, &directed, rng)?)
    }

    fn make<R: CryptoRng + ?Sized>(key: &KeyShare, directed: &Directed<'_>, rng: &mut R) -> Result<Self, ShareError> {
        key.matches(directed.statement.committee)?;
        let (random, x) = (random64(rng)?, key.secret());
        let opening = directed.statement.opening(key.identifier(), directed.key(key.identifier())?);
        let make = |ciphertext| {
            let subject = directed.subject(&opening, ciphertext);
            let rho = subject.rho(&random, x)?;
            Ok(Partial::make(&subject, x, &rho, &random))
        };
        let partials = directed.ciphertexts().iter().map(make).collect::<Result<_, RandomnessError>>()?;
        Ok(Self { recipient: directed.recipient, partials })
    }

    /// Encodes the partials.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + PARTIAL_LEN * self.partials.len());
        out.extend_from_slice(&self.recipient);
        for Partial { a, b, proof } in &self.partials {
            out.extend_from_slice(a.bytes());
            out.extend_from_slice(b.bytes());
            proof.write(&mut out);
        }
        out
    }

    /// Reads the partials of m ciphertexts; no B is the identity.
    ///
    /// # Errors
    /// [`EncodingError`]; the length is compared with m before anything is allocated.
    pub fn from_bytes(bytes: &[u8], m: usize) -> Result<Self, EncodingError> {
        let expected = m.saturating_mul(PARTIAL_LEN).saturating_add(64);
        if bytes.len() < expected {
            return Err(EncodingError::Truncated { what: "partials", expected, found: bytes.len() });
        }
        let mut reader = Reader::new(bytes);
        let recipient = reader.array("recipient digest")?;
        let partials = (0..m).map(|_| Partial::read(&mut reader)).collect::<Result<_, _>>()?;
        reader.finish()?;
        Ok(Self { recipient, partials })
    }

    /// Checks every equation of every partial of this participant, each by itself.
    ///
    /// # Errors
    /// [`ShareError::Proof`] is the participant's fault, everything else the caller's.
    pub fn verify(
        &self,
        identifier: Identifier,
        committee: &Committee,
        request: &Request,
        recipient: &Recipient,
        ciphertexts: &[VerifiedCiphertext],
    ) -> Result<(), ShareError> {
        let directed = Directed::new(committee, request, recipient, ciphertexts)?;
        let examined = self.examine(identifier, &directed)?;
        if examined.holds_vartime() { Ok(()) } else { Err(ShareError::Proof { identifier }) }
    }

    /// Whether they were made for this recipient.
    pub(crate) fn are_for(&self, statement: &Statement<'_>) -> bool {
        statement.is_for(&self.recipient)
    }

    /// The j-th pair (A, B).
    fn pair(&self, j: usize) -> Option<(&RistrettoPoint, &RistrettoPoint)> {
        self.partials.get(j).map(|Partial { a, b, .. }| (a.point(), b.point()))
    }

    /// Made for this recipient, as many as ciphertexts, by a member. Gives its verification key.
    fn fit<'c>(&self, identifier: Identifier, directed: &Directed<'c>) -> Result<&'c Encoded, ShareError> {
        if !self.are_for(&directed.statement) {
            return Err(ShareError::Recipient { identifier });
        }
        let (expected, found) = (directed.ciphertexts().len(), self.partials.len());
        if expected != found {
            return Err(ShareError::Count { expected, found });
        }
        directed.key(identifier)
    }

    fn examine<'s>(&'s self, identifier: Identifier, directed: &'s Directed<'_>) -> Result<Examined<'s>, ShareError> {
        let key = self.fit(identifier, directed)?;
        let opening = directed.statement.opening(identifier, key);
        let both = self.partials.iter().zip(directed.ciphertexts());
        let challenges = both.map(|(partial, c)| partial.challenge(&directed.subject(&opening, c))).collect();
        Ok(Examined { partials: &self.partials, directed, key, challenges })
    }
}

/// One participant's partials with their challenges.
struct Examined<'a> {
    partials: &'a [Partial],
    directed: &'a Directed<'a>,
    key: &'a Encoded,
    challenges: Vec<Scalar>,
}

impl Examined<'_> {
    fn relations(&self) -> impl Iterator<Item = Relation<'_>> {
        let parts = self.partials.iter().zip(self.directed.ciphertexts()).zip(&self.challenges);
        parts.map(|((Partial { a, b, proof }, ciphertext), &challenge)| Relation {
            p: self.key.point(),
            u: ciphertext.u().point(),
            e: self.directed.e.point(),
            a: a.point(),
            b: b.point(),
            proof,
            challenge,
        })
    }

    fn holds_vartime(&self) -> bool {
        self.relations().all(|relation| relation.holds_vartime())
    }
}

/// What a member signed as its answer: its partials, the finding that they are none, or nothing where they answer
/// another attempt.
pub(crate) fn candidate(
    statement: &Statement<'_>,
    identifier: Identifier,
    payload: &[u8],
) -> Option<Candidate<Partials>> {
    match Partials::from_bytes(payload, statement.ciphertexts.len()) {
        Ok(partials) => partials.are_for(statement).then_some(Candidate { identifier, part: Ok(partials) }),
        Err(_) => Some(Candidate { identifier, part: Err(CulpritReason::Malformed) }),
    }
}

/// Checks many participants' partials at once; the same partials again are checked once.
///
/// # Errors
/// [`ShareError::Proof`] names the first culprit in the order given, [`ShareError::TooMany`] in its place one of more than
/// 8 different ones, none of the first 8 of which verifies; a ninth is not looked at. Everything else is the caller's; nobody's partials are [`ShareError::Empty`].
pub fn verify_all<R: CryptoRng + ?Sized>(
    partials: &[(Identifier, Partials)],
    committee: &Committee,
    request: &Request,
    recipient: &Recipient,
    ciphertexts: &[VerifiedCiphertext],
    rng: &mut R,
) -> Result<(), ShareError> {
    let directed = Directed::new(committee, request, recipient, ciphertexts)?;
    let seed = random64(rng)?;
    if partials.is_empty() {
        return Err(ShareError::Empty);
    }
    for (identifier, partials) in partials {
        partials.fit(*identifier, &directed)?;
    }
    check_different(partials, |all| verdicts(all, &directed, &seed))
}

/// Whose partials verify, in order: one batch, and each participant's alone only when the batch fails. Partials that
/// do not fit the statement at all do not verify.
pub(crate) fn verdicts(all: &[(Identifier, &Partials)], directed: &Directed<'_>, seed: &[u8; 64]) -> Vec<bool> {
    let examined: Vec<_> = all.iter().map(|(identifier, partials)| partials.examine(*identifier, directed)).collect();
    let formed: Vec<_> = examined.iter().flatten().collect();
    let every = all_hold_vartime(&formed, directed, seed);
    let one = |e: &Examined<'_>| every || all_hold_vartime(&[e], directed, seed);
    examined.iter().map(|examined| examined.as_ref().is_ok_and(one)).collect()
}

fn all_hold_vartime(examined: &[&Examined<'_>], directed: &Directed<'_>, seed: &[u8; 64]) -> bool {
    let us = directed.ciphertexts().iter().map(|ciphertext| ciphertext.u().point());
    let mut batch = Batch::new(directed.e.point(), us, seed);
    for examined in examined {
        examined.relations().enumerate().for_each(|(j, relation)| batch.add_vartime(j, &relation));
    }
    batch.all_hold_vartime()
}

#[cfg(test)]
mod tests;
