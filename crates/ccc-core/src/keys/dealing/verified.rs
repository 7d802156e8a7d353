//! A dealing whose public part was checked: alone, or with all others of a round at once.
//!
//! *Source*: a share is right if x_i·G = Σ_k C_k·i^k (Feldman 1987; `vss_verify` of RFC 9591, appendix C.2); the proofs of
//! many dealings in one sum by the small exponents test of Bellare, Garay and Rabin 1998.

use super::context::Context;
use super::{Dealing, DealingError, SHARE_LEN, ShareFault, share_key};
use crate::identifier::Identifier;
use crate::keys::participant::ParticipantKeys;
use crate::keys::roster::Roster;
use crate::keys::session::{Protocol, Session};
use crate::parallel::prelude::*;
use crate::point::Encoded;
use crate::polynomial::evaluate_commitments_vartime;
use crate::proof::{Knowledge, all_known_vartime};
use crate::secret::SecretScalar;
use crate::suite::{Hasher, domain};
use alloc::vec::Vec;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce, Tag};
use curve25519_dalek::traits::IsIdentity;
use curve25519_dalek::{RistrettoPoint, Scalar};
use zeroize::Zeroizing;

/// A dealing whose public part was checked for the session that it remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedDealing {
    dealing: Dealing,
    commitment_digest: [u8; 32],
    session: Session,
}

/// A dealing beside the digest of its wire.
#[derive(Clone)]
pub(crate) struct Digested {
    pub(crate) dealing: Dealing,
    pub(crate) commitment_digest: [u8; 32],
}

/// The challenges of both proofs.
struct Challenges {
    possession: Scalar,
    proof: Scalar,
}

impl Dealing {
    /// Checks everything that is public: session, dealer, degree, first and last commitment, in a handover C_0 = P_i,
    /// both proofs.
    ///
    /// # Errors
    /// [`DealingError`].
    pub fn verify(self, session: &Session) -> Result<VerifiedDealing, DealingError> {
        let challenges = self.challenges(session)?;
        self.check_proofs_vartime(&challenges)?;
        let commitment_digest = self.commitment_digest();
        Ok(Digested { dealing: self, commitment_digest }.verified(session))
    }

    /// Checks the form; only a dealing in order has challenges.
    fn challenges(&self, session: &Session) -> Result<Challenges, DealingError> {
        self.check_form(session)?;
        let possession = self.context.possession_challenge(&self.commitments, &self.possession.t);
        Ok(Challenges { possession, proof: self.proof_challenge(&self.proof.t) })
    }

    /// What both proofs claim.
    fn claims(&self, challenges: &Challenges) -> Result<[Knowledge<'_>; 2], DealingError> {
        let c0 = self.commitments.first().ok_or(DealingError::Degree { expected: 1, found: 0 })?;
        let Challenges { possession, proof } = *challenges;
        Ok([
            Knowledge { point: c0.point(), proof: &self.possession, challenge: possession },
            Knowledge { point: self.r.point(), proof: &self.proof, challenge: proof },
        ])
    }

    fn check_proofs_vartime(&self, challenges: &Challenges) -> Result<(), DealingError> {
        let [possession, proof] = self.claims(challenges)?;
        if !possession.holds_vartime() {
            return Err(DealingError::Possession);
        }
        if proof.holds_vartime() { Ok(()) } else { Err(DealingError::Proof) }
    }

    fn check_form(&self, session: &Session) -> Result<(), DealingError> {
        let threshold = session.roster().threshold();
        if self.context != Context::new(session, self.context.dealer) {
            return Err(DealingError::Session);
        }
        if !has_place(session, self.context.dealer) {
            return Err(DealingError::Dealer { found: self.context.dealer });
        }
        if self.commitments.len() != usize::from(threshold.t()) {
            return Err(DealingError::Degree { expected: threshold.t(), found: self.commitments.len() });
        }
        for index in [0, self.commitments.len() - 1] {
            if self.commitments[index].point().is_identity() {
                return Err(DealingError::ZeroCommitment { index });
            }
        }
        if self.shares.len() != usize::from(threshold.n()) {
            return Err(DealingError::Shares { expected: threshold.n(), found: self.shares.len() });
        }
        self.check_constant(session)
    }

    /// C_0 = P_i in a handover.
    fn check_constant(&self, session: &Session) -> Result<(), DealingError> {
        let Some(old) = session.old() else { return Ok(()) };
        let dealer = self.context.dealer;
        let own = Identifier::new(dealer).ok().and_then(|i| old.verification_key(i));
        if own.is_some() && own == self.commitments.first() { Ok(()) } else { Err(DealingError::Constant { dealer }) }
    }
}

impl Digested {
    pub(super) fn verified(self, session: &Session) -> VerifiedDealing {
        let Self { dealing, commitment_digest } = self;
        VerifiedDealing { dealing, commitment_digest, session: session.clone() }
    }
}

/// Checks many dealings as [`Dealing::verify`] checks one, in order: the proofs of all that are in form in one sum, and
/// each dealing's alone only when the sum fails.
///
/// *Security*: the weights are a hash of `secret` and of all dealings at once, so nobody that dealt could foresee them;
/// where the secret is nobody's, whoever wants an invalid proof to pass has to find a hash with 128 bits right. The
/// digests MUST be those of the dealings.
pub(crate) fn verify_all(
    digested: Vec<Digested>,
    session: &Session,
    secret: &[u8; 64],
) -> Vec<Result<VerifiedDealing, DealingError>> {
    let seed = weights_seed(&digested, session, secret);
    let challenges: Vec<_> = digested.par_iter().map(|digested| digested.dealing.challenges(session)).collect();
    let formed = digested.iter().zip(&challenges);
    let claims = formed.filter_map(|(digested, formed)| digested.dealing.claims(formed.as_ref().ok()?).ok()).flatten();
    let all = all_known_vartime(&claims.collect::<Vec<_>>(), &seed);
    let one = |(digested, challenges): (Digested, Result<Challenges, DealingError>)| {
        let challenges = challenges?;
        if !all {
            digested.dealing.check_proofs_vartime(&challenges)?;
        }
        Ok(digested.verified(session))
    };
    digested.into_iter().zip(challenges).map(one).collect()
}

/// H("weight"; secret, session, dealing commitments…).
pub(super) fn weights_seed(digested: &[Digested], session: &Session, secret: &[u8; 64]) -> [u8; 64] {
    let mut hasher = Hasher::new(domain::WEIGHT, 2 + digested.len());
    hasher.field(secret).field(&session.id());
    for one in digested {
        hasher.field(&one.commitment_digest);
    }
    hasher.finish()
}

/// A member deals for itself, in a handover a member of the old committee; the lone dealer of [`Protocol::Dealer`] is
/// number zero.
fn has_place(session: &Session, dealer: u16) -> bool {
    let is_member = |roster: &Roster| Identifier::new(dealer).is_ok_and(|i| roster.member(i).is_some());
    match session.protocol() {
        Protocol::Dealer => dealer == 0,
        Protocol::Dkg => is_member(session.roster()),
        Protocol::Refresh | Protocol::Reshare => session.old().is_some_and(|old| is_member(old.roster())),
        Protocol::Repair => false,
    }
}

impl VerifiedDealing {
    /// Who dealt.
    #[must_use]
    pub fn dealer(&self) -> u16 {
        self.dealing.context.dealer
    }

    /// digest32 H("dealing-commitment"; wire).
    #[must_use]
    pub fn commitment_digest(&self) -> [u8; 32] {
        self.commitment_digest
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    pub(crate) fn r(&self) -> &Encoded {
        &self.dealing.r
    }

    /// The dealing as it travelled.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.dealing.to_bytes()
    }

    /// C_k; nothing past the degree.
    pub(crate) fn commitment(&self, k: usize) -> Option<RistrettoPoint> {
        self.dealing.commitments.get(k).map(|c| *c.point())
    }

    pub(crate) fn commitments(&self) -> impl DoubleEndedIterator<Item = &RistrettoPoint> {
        self.dealing.commitments.iter().map(Encoded::point)
    }

    /// Opens the share dealt to this participant, without comparing it with the commitments.
    ///
    /// *Timing*: constant in the dealing key.
    pub(crate) fn open_share(&self, recipient: Identifier, keys: &ParticipantKeys) -> Result<SecretScalar, ShareFault> {
        let shared = Zeroizing::new(Encoded::new(self.dealing.r.point() * keys.dealing_secret().expose()));
        self.open_share_with(recipient, &shared)
    }

    /// Opens the share of this recipient with the Diffie–Hellman point.
    pub(crate) fn open_share_with(&self, recipient: Identifier, shared: &Encoded) -> Result<SecretScalar, ShareFault> {
        let (at, pk) = self.session.roster().encoded_dealing_key(recipient).ok_or(ShareFault::NotARecipient)?;
        let sealed = self.dealing.shares.get(at).ok_or(ShareFault::NotARecipient)?;
        let key = share_key(&self.dealing.context, recipient, &self.dealing.r, pk, shared);
        let plain = decrypt_share(&key, sealed)?;
        Option::from(Scalar::from_canonical_bytes(*plain)).map(SecretScalar::new).ok_or(ShareFault::Scalar)
    }

    /// Compares a share with the commitments.
    pub(crate) fn check_share_vartime(&self, recipient: Identifier, share: &SecretScalar) -> Result<(), ShareFault> {
        let expected = evaluate_commitments_vartime(self.commitments(), recipient);
        if RistrettoPoint::mul_base(share.expose()) == expected { Ok(()) } else { Err(ShareFault::Commitment) }
    }
}

/// The 32 bytes of a share as they were dealt.
pub(crate) fn decrypt_share(key: &[u8; 32], sealed: &[u8; SHARE_LEN]) -> Result<Zeroizing<[u8; 32]>, ShareFault> {
    let (body, tag) = sealed.split_at(32);
    let mut plain = Zeroizing::new([0; 32]);
    plain.copy_from_slice(body);
    let tag = Tag::try_from(tag).map_err(|_| ShareFault::Tag)?;
    ChaCha20Poly1305::new(key.into())
        .decrypt_inout_detached(&Nonce::default(), &[], plain.as_mut_slice().into(), &tag)
        .map_err(|_| ShareFault::Tag)?;
    Ok(plain)
}
