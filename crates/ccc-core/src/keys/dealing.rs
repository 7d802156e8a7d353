//! A dealing: one polynomial, committed to in public, its values encrypted to the members of a roster.
//!
//! *Source*: Feldman 1987 (C_k = a_k·G, and share i is right if x_i·G = Σ_k C_k·i^k); Pedersen 1991 with proofs of
//! possession (Komlo and Goldberg 2020); changed: one ephemeral point R per dealing with a proof of its logarithm over
//! everything that is dealt. Without that proof a copied R would turn complaints into a decryption oracle.

mod context;
mod verified;

pub use verified::VerifiedDealing;
#[cfg(feature = "bls-quorum")]
pub(crate) use verified::decrypt_share;
pub(crate) use verified::{Digested, verify_all};

use super::session::Session;
use crate::encoding::{EncodingError, Kind, Reader, header};
use crate::identifier::{Identifier, MAX_PARTICIPANTS};
use crate::point::Encoded;
use crate::polynomial::SecretPolynomial;
use crate::proof::Schnorr;
use crate::secret::{RandomnessError, SecretScalar, proof_nonce, random_scalar, random64};
use crate::suite::{challenge, digest32, domain, kdf, length_prefixed};
use alloc::vec::Vec;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use context::{Context, Fields};
use curve25519_dalek::{RistrettoPoint, Scalar};
use hkdf::Hkdf;
use rand_core::CryptoRng;
use sha2::Sha512;
use zeroize::Zeroizing;

/// Bytes of one encrypted share.
pub(crate) const SHARE_LEN: usize = 48;
/// Bytes of a dealing without commitments and shares.
const FIXED_LEN: usize = 279;

/// Bytes of the longest dealing of any session: about 82 KB.
pub const MAX_DEALING: usize = longest(MAX_PARTICIPANTS as usize);

/// A dealing as it travels, nothing of it checked beyond its form.
///
/// Made by a dealer, committed to by digest first and opened later, both on the board.
///
/// *Layout*: header 8 ‖ protocol u8 ‖ session 32 ‖ ε u64 ‖ roster 64 ‖ dealer u16 ‖ t u16 ‖ t × C_k 32 ‖ T_pop 32 ‖
/// z_pop 32 ‖ R 32 ‖ n u16 ‖ n × encrypted share 48 ‖ T 32 ‖ z 32. Shares ascend by recipient, the dealer included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dealing {
    context: Context,
    commitments: Vec<Encoded>,
    possession: Schnorr,
    r: Encoded,
    shares: Vec<[u8; SHARE_LEN]>,
    proof: Schnorr,
}

/// Why a dealing does not count: its dealer's fault, once the dealer has signed it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DealingError {
    /// Bytes that are not a dealing.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// A dealing of another protocol, session, epoch or roster.
    #[error("a dealing of another session")]
    Session,
    /// A dealer that has no place in this session.
    #[error("dealer {found} has no place in this session")]
    Dealer {
        /// The dealer's number.
        found: u16,
    },
    /// Another number of commitments than the threshold.
    #[error("{found} commitments, where the threshold is {expected}")]
    Degree {
        /// t.
        expected: u16,
        /// Commitments.
        found: usize,
    },
    /// The first or the last commitment is the identity.
    #[error("commitment {index} is the identity")]
    ZeroCommitment {
        /// Which one.
        index: usize,
    },
    /// The first commitment is not the dealer's verification key in the committee that hands over.
    #[error("dealer {dealer} does not deal its own share")]
    Constant {
        /// The dealer's number.
        dealer: u16,
    },
    /// Another number of shares than members.
    #[error("{found} shares for {expected} members")]
    Shares {
        /// n.
        expected: u16,
        /// Shares.
        found: usize,
    },
    /// The proof of possession of the constant term does not verify.
    #[error("the proof of possession does not verify")]
    Possession,
    /// The proof of the ephemeral point does not verify.
    #[error("the dealing's proof does not verify")]
    Proof,
}

/// What is wrong with one encrypted share of a dealing that is right in public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ShareFault {
    /// There is no share for this recipient.
    #[error("the recipient is not on the roster")]
    NotARecipient,
    /// It does not open.
    #[error("the share does not open")]
    Tag,
    /// It opens to no canonical scalar.
    #[error("the share is not a canonical scalar")]
    Scalar,
    /// It is not the value of the committed polynomial.
    #[error("the share does not match the commitments")]
    Commitment,
}

impl Dealing {
    /// Deals this constant term in the session.
    ///
    /// # Errors
    /// [`RandomnessError`]; nothing has been made.
    pub(crate) fn create<R: CryptoRng + ?Sized>(
        session: &Session,
        dealer: u16,
        constant: SecretScalar,
        rng: &mut R,
    ) -> Result<Self, RandomnessError> {
        let polynomial = SecretPolynomial::with_constant(constant, session.roster().threshold().t(), rng)?;
        let u = random_scalar(rng)?;
        if *u.expose() == Scalar::ZERO || *polynomial.constant().expose() == Scalar::ZERO {
            return Err(RandomnessError);
        }
        let (context, commitments) = (Context::new(session, dealer), polynomial.commit());
        let possession = context.prove_possession(&commitments, polynomial.constant(), &*random64(rng)?);
        let r = Encoded::new(RistrettoPoint::mul_base(u.expose()));
        let shares = encrypt_shares(session, &context, &polynomial, &u, &r);
        let unproven = Schnorr { t: r, z: Scalar::ZERO };
        let mut dealing = Self { context, commitments, possession, r, shares, proof: unproven };
        dealing.proof = dealing.prove(&u, &*random64(rng)?);
        Ok(dealing)
    }

    /// Encodes the dealing.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(FIXED_LEN + 32 * self.commitments.len() + SHARE_LEN * self.shares.len());
        out.extend_from_slice(&header(Kind::Dealing));
        Fields::of(&self.context).list().iter().for_each(|field| out.extend_from_slice(field));
        out.extend_from_slice(&count(self.commitments.len()));
        self.commitments.iter().for_each(|c| out.extend_from_slice(c.bytes()));
        self.possession.write(&mut out);
        out.extend_from_slice(self.r.bytes());
        out.extend_from_slice(&count(self.shares.len()));
        out.extend_from_slice(self.shares.as_flattened());
        self.proof.write(&mut out);
        out
    }

    /// Reads a dealing; whether it counts, [`Dealing::verify`] tells.
    ///
    /// # Errors
    /// [`EncodingError`]; counts are checked before anything is allocated.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        reader.header(Kind::Dealing)?;
        let context = Context::read(&mut reader)?;
        let t = read_count(&mut reader, "number of commitments", 32)?;
        let commitments =
            (0..t).map(|_| Encoded::read_or_identity(&mut reader, "commitment")).collect::<Result<_, _>>()?;
        let possession = Schnorr::read(&mut reader, "T of possession", "z of possession")?;
        let r = Encoded::read(&mut reader, "R")?;
        let n = read_count(&mut reader, "number of shares", SHARE_LEN)?;
        let shares = (0..n).map(|_| reader.array("encrypted share")).collect::<Result<_, _>>()?;
        let proof = Schnorr::read(&mut reader, "T", "z")?;
        reader.finish()?;
        Ok(Self { context, commitments, possession, r, shares, proof })
    }

    /// Bytes that a dealing of this session may have: its shares, with a commitment for each member. One of the right
    /// degree is shorter; one of a wrong degree is read as well, and named for it.
    pub(crate) fn longest(session: &Session) -> usize {
        longest(session.roster().members().len())
    }

    /// digest32 H("dealing-commitment"; wire): posted before the dealing itself.
    #[must_use]
    pub fn commitment_digest(&self) -> [u8; 32] {
        digest32(domain::DEALING_COMMITMENT, &[&self.to_bytes()])
    }

    /// Who dealt; zero for the dealer of [`Protocol::Dealer`](super::session::Protocol::Dealer).
    #[must_use]
    pub fn dealer(&self) -> u16 {
        self.context.dealer
    }

    fn prove(&self, u: &SecretScalar, random: &[u8; 64]) -> Schnorr {
        let fields = Fields::of(&self.context);
        let v = proof_nonce(random, u, &self.proof_fields(&fields), 0);
        let t = Encoded::new(RistrettoPoint::mul_base(v.expose()));
        let z = v.expose() + self.proof_challenge(&t) * u.expose();
        Schnorr { t, z }
    }

    /// H("dealing"; protocol, session, ε, roster, dealer, all C_k, R, all ciphertexts, T).
    fn proof_challenge(&self, t: &Encoded) -> Scalar {
        let fields = Fields::of(&self.context);
        let mut fields = self.proof_fields(&fields);
        fields.push(t.bytes());
        challenge(domain::DEALING, &fields)
    }

    fn proof_fields<'a>(&'a self, fields: &'a Fields) -> Vec<&'a [u8]> {
        let mut all = fields.with_commitments(&self.commitments, 2 + self.shares.len());
        all.push(self.r.bytes());
        all.extend(self.shares.iter().map(<[u8; SHARE_LEN]>::as_slice));
        all
    }
}

fn encrypt_shares(
    session: &Session,
    context: &Context,
    polynomial: &SecretPolynomial,
    u: &SecretScalar,
    r: &Encoded,
) -> Vec<[u8; SHARE_LEN]> {
    let encrypt = |(member, pk): (&super::roster::RosterMember, &[u8; 32])| {
        let share = polynomial.evaluate(member.identifier).to_bytes();
        let shared = Zeroizing::new(Encoded::new(member.dealing_key * u.expose()));
        encrypt_share(&share_key(context, member.identifier, r, pk, &shared), &share)
    };
    let roster = session.roster();
    roster.members().iter().zip(roster.encoded_dealing_keys()).map(encrypt).collect()
}

pub(crate) fn encrypt_share(key: &[u8; 32], share: &[u8; 32]) -> [u8; SHARE_LEN] {
    let mut out = [0; SHARE_LEN];
    let (body, tag) = out.split_at_mut(32);
    body.copy_from_slice(share);
    let computed = ChaCha20Poly1305::new(key.into())
        .encrypt_inout_detached(&Nonce::default(), &[], (&mut *body).into())
        .expect("32 bytes are far below the cipher's maximum");
    tag.copy_from_slice(&computed);
    out
}

/// HKDF(DH; salt "ccc/v1/deal", info LP of each: session, ε, dealer, j, R, pk_j).
fn share_key(
    context: &Context,
    recipient: Identifier,
    r: &Encoded,
    pk: &[u8; 32],
    shared: &Encoded,
) -> Zeroizing<[u8; 32]> {
    let Context { session, epoch, dealer, .. } = context;
    let (epoch, dealer, j) = (epoch.to_bytes(), dealer.to_be_bytes(), recipient.to_bytes());
    let mut info = Vec::with_capacity(132);
    for field in [session.as_slice(), &epoch, &dealer, &j, r.bytes(), pk] {
        length_prefixed(&mut info, field);
    }
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha512>::new(Some(kdf::DEAL), shared.bytes())
        .expand(&info, key.as_mut_slice())
        .expect("32 bytes are less than one block of HKDF-SHA-512");
    key
}

/// Bytes of a dealing to so many members under the highest threshold that they can have.
const fn longest(members: usize) -> usize {
    FIXED_LEN + (32 + SHARE_LEN) * members
}

fn count(n: usize) -> [u8; 2] {
    u16::try_from(n).expect("at most 1024 commitments and shares").to_be_bytes()
}

fn read_count(reader: &mut Reader<'_>, what: &'static str, each: usize) -> Result<u16, EncodingError> {
    let n = reader.u16(what)?;
    if n == 0 || n > MAX_PARTICIPANTS {
        return Err(EncodingError::Range { what, found: n.into(), range: "1 to 1024" });
    }
    let expected = each * usize::from(n);
    if reader.remaining() < expected {
        return Err(EncodingError::Truncated { what, expected, found: reader.remaining() });
    }
    Ok(n)
}

#[cfg(test)]
pub(crate) mod forge;
#[cfg(feature = "simulated-liars")]
mod simulated;
#[cfg(test)]
pub(crate) mod tests;
