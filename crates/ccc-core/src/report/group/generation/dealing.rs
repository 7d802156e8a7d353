//! A dealing of a group's key: one polynomial over the scalars of BLS12-381, committed to in G1, its values encrypted to
//! the dealing keys of a roster.
//!
//! *Source*: Feldman 1987 over [`blsttc::poly`]; possession as in Ristenpart and Yilek 2007: a BLS signature with the
//! constant term; the ephemeral point and its proof are those of [`keys::Dealing`](crate::keys::Dealing).

#[cfg(test)]
pub(super) mod forged;

use super::GroupSession;
use crate::encoding::{EncodingError, Kind, Reader, header};
use crate::identifier::{Identifier, MAX_PARTICIPANTS};
use crate::keys::complaint::Disputed;
use crate::keys::dealing::{SHARE_LEN, decrypt_share, encrypt_share};
use crate::keys::{DealingError, ParticipantKeys, Session, ShareFault};
use crate::point::Encoded;
use crate::proof::Schnorr;
use crate::secret::{HedgedRng, RandomnessError, SecretScalar, proof_nonce, random_scalar, random64};
use crate::suite::{challenge, domain, hash, kdf, length_prefixed};
use alloc::vec::Vec;
use blsttc::poly::{Commitment, Poly};
use blsttc::{Fr, G1Affine, PublicKey, SecretKey, SecretKeyShare, Signature};
use curve25519_dalek::{RistrettoPoint, Scalar};
use hkdf::Hkdf;
use rand_core::Rng;
use sha2::Sha512;
use zeroize::Zeroizing;

const POINT: usize = 48;
const SIGNATURE: usize = 96;
/// Bytes of a dealing without commitments and shares.
const FIXED_LEN: usize = 8 + 32 + 2 + 2 + SIGNATURE + 32 + 2 + 64;
/// First word of what a dealer signs.
const POSSESSION: &[u8; 32] = b"ccc/v1/group-dealing-possession\0";

/// A dealing as it travels, nothing of it checked beyond its form.
///
/// *Layout*: header 8 ‖ session 32 ‖ dealer u16 ‖ t u16 ‖ t × C_k 48 ‖ possession 96 ‖ R 32 ‖ n u16 ‖ n × encrypted share
/// 48 ‖ T 32 ‖ z 32. Shares ascend by recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupDealing {
    session: [u8; 32],
    dealer: Identifier,
    commitments: Vec<[u8; POINT]>,
    possession: [u8; SIGNATURE],
    r: Encoded,
    shares: Vec<[u8; SHARE_LEN]>,
    proof: Schnorr,
}

/// A dealing whose public part was checked for the session that it remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedGroupDealing {
    dealing: GroupDealing,
    commitment: Commitment,
    session: GroupSession,
}

impl GroupDealing {
    /// Deals this constant term, or a fresh one.
    pub(super) fn create(
        session: &GroupSession,
        dealer: Identifier,
        constant: Option<&SecretKeyShare>,
        rng: &mut HedgedRng,
    ) -> Result<Self, RandomnessError> {
        let polynomial = polynomial(session, constant, rng)?;
        let secret = SecretKey::from_mut(&mut polynomial.evaluate(0));
        let commitments = polynomial.commitment().to_bytes().as_chunks().0.to_vec();
        let possession = secret.sign(possession_message(&session.id(), dealer, &commitments)).to_bytes();
        let u = random_scalar(rng)?;
        let r = Encoded::new(RistrettoPoint::mul_base(u.expose()));
        let mut dealing = Self {
            session: session.id(),
            dealer,
            commitments,
            possession,
            r,
            shares: Vec::new(),
            proof: Schnorr { t: r, z: Scalar::ZERO },
        };
        dealing.shares = dealing.encrypt_shares(session, &polynomial, &u);
        dealing.proof = dealing.prove(&u, &*random64(rng)?);
        Ok(dealing)
    }

    fn encrypt_shares(&self, session: &GroupSession, polynomial: &Poly, u: &SecretScalar) -> Vec<[u8; SHARE_LEN]> {
        let roster = session.roster();
        let encrypt = |(member, pk): (&crate::keys::RosterMember, &[u8; 32])| {
            let share = Zeroizing::new(polynomial.evaluate(coordinate(member.identifier)).to_bytes_be());
            let shared = Zeroizing::new(Encoded::new(member.dealing_key * u.expose()));
            encrypt_share(&self.share_key(member.identifier, pk, &shared), &share)
        };
        roster.members().iter().zip(roster.encoded_dealing_keys()).map(encrypt).collect()
    }

    fn prove(&self, u: &SecretScalar, random: &[u8; 64]) -> Schnorr {
        let dealer = self.dealer.to_bytes();
        let v = proof_nonce(random, u, &self.proof_fields(&dealer), 0);
        let t = Encoded::new(RistrettoPoint::mul_base(v.expose()));
        let z = v.expose() + self.proof_challenge(&t) * u.expose();
        Schnorr { t, z }
    }

    /// H("group-dealing"; session, dealer, all C_k, possession, R, all encrypted shares, T).
    fn proof_challenge(&self, t: &Encoded) -> Scalar {
        let dealer = self.dealer.to_bytes();
        let mut fields = self.proof_fields(&dealer);
        fields.push(t.bytes());
        challenge(domain::GROUP_DEALING, &fields)
    }

    fn proof_fields<'a>(&'a self, dealer: &'a [u8; 2]) -> Vec<&'a [u8]> {
        let mut fields: Vec<&[u8]> = alloc::vec![&self.session, dealer];
        fields.extend(self.commitments.iter().map(<[u8; POINT]>::as_slice));
        fields.extend([self.possession.as_slice(), self.r.bytes()]);
        fields.extend(self.shares.iter().map(<[u8; SHARE_LEN]>::as_slice));
        fields
    }

    /// HKDF(DH; salt "ccc/v1/group-deal", info LP of each: session, dealer, j, R, pk_j).
    fn share_key(&self, recipient: Identifier, pk: &[u8; 32], shared: &Encoded) -> Zeroizing<[u8; 32]> {
        let (dealer, j) = (self.dealer.to_bytes(), recipient.to_bytes());
        let mut info = Vec::with_capacity(120);
        for field in [self.session.as_slice(), &dealer, &j, self.r.bytes(), pk] {
            length_prefixed(&mut info, field);
        }
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha512>::new(Some(kdf::GROUP_DEAL), shared.bytes())
            .expand(&info, key.as_mut_slice())
            .expect("32 bytes are less than one block of HKDF-SHA-512");
        key
    }

    /// Encodes the dealing.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(FIXED_LEN + POINT * self.commitments.len() + SHARE_LEN * self.shares.len());
        out.extend_from_slice(&header(Kind::GroupDealing));
        out.extend_from_slice(&self.session);
        out.extend_from_slice(&self.dealer.to_bytes());
        out.extend_from_slice(&count(self.commitments.len()));
        out.extend_from_slice(self.commitments.as_flattened());
        out.extend_from_slice(&self.possession);
        out.extend_from_slice(self.r.bytes());
        out.extend_from_slice(&count(self.shares.len()));
        out.extend_from_slice(self.shares.as_flattened());
        self.proof.write(&mut out);
        out
    }

    /// Reads a dealing; whether it counts, [`GroupDealing::verify`] tells.
    ///
    /// # Errors
    /// [`EncodingError`]; counts are checked before anything is allocated.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        reader.header(Kind::GroupDealing)?;
        let session = reader.array("session")?;
        let dealer = Identifier::new(reader.u16("dealer")?)?;
        let t = read_count(&mut reader, "number of commitments", POINT)?;
        let commitments = (0..t).map(|_| reader.array("commitment")).collect::<Result<_, _>>()?;
        let possession = reader.array("possession")?;
        let r = Encoded::read(&mut reader, "R")?;
        let n = read_count(&mut reader, "number of shares", SHARE_LEN)?;
        let shares = (0..n).map(|_| reader.array("encrypted share")).collect::<Result<_, _>>()?;
        let proof = Schnorr::read(&mut reader, "T", "z")?;
        reader.finish()?;
        Ok(Self { session, dealer, commitments, possession, r, shares, proof })
    }

    /// Bytes that a dealing of this session may have; one of a wrong degree is read as well, and named for it.
    pub(super) fn longest(session: &GroupSession) -> usize {
        FIXED_LEN + (POINT + SHARE_LEN) * session.roster().members().len()
    }

    /// Who dealt.
    #[must_use]
    pub fn dealer(&self) -> Identifier {
        self.dealer
    }

    /// Checks everything that is public: session, dealer, degree, commitments, in a handover C_0 = P_i, both proofs.
    ///
    /// # Errors
    /// [`DealingError`].
    pub fn verify(self, session: &GroupSession) -> Result<VerifiedGroupDealing, DealingError> {
        self.check_form(session)?;
        let commitment = self.check_commitments(session)?;
        self.check_possession()?;
        if !self.proof.holds_vartime(self.r.point(), &self.proof_challenge(&self.proof.t)) {
            return Err(DealingError::Proof);
        }
        Ok(VerifiedGroupDealing { dealing: self, commitment, session: session.clone() })
    }

    fn check_form(&self, session: &GroupSession) -> Result<(), DealingError> {
        let threshold = session.roster().threshold();
        if self.session != session.id() {
            return Err(DealingError::Session);
        }
        if session.dealers().member(self.dealer).is_none() {
            return Err(DealingError::Dealer { found: self.dealer.get() });
        }
        if self.commitments.len() != usize::from(threshold.t()) {
            return Err(DealingError::Degree { expected: threshold.t(), found: self.commitments.len() });
        }
        if self.shares.len() != usize::from(threshold.n()) {
            return Err(DealingError::Shares { expected: threshold.n(), found: self.shares.len() });
        }
        Ok(())
    }

    fn check_commitments(&self, session: &GroupSession) -> Result<Commitment, DealingError> {
        for index in [0, self.commitments.len() - 1] {
            if self.commitments[index][0] & super::super::key::IDENTITY != 0 {
                return Err(DealingError::ZeroCommitment { index });
            }
        }
        let own = |old: &super::GroupCommittee| old.verification_key(self.dealer).to_bytes();
        if session.old().is_some_and(|old| own(old) != self.commitments[0]) {
            return Err(DealingError::Constant { dealer: self.dealer.get() });
        }
        let bytes = self.commitments.concat();
        Commitment::from_bytes(bytes).map_err(|_| DealingError::Encoding(EncodingError::Point { what: "commitment" }))
    }

    fn check_possession(&self) -> Result<(), DealingError> {
        let message = possession_message(&self.session, self.dealer, &self.commitments);
        let key = PublicKey::from_bytes(self.commitments[0]).map_err(|_| DealingError::Possession)?;
        let signature = Signature::from_bytes(self.possession).map_err(|_| DealingError::Possession)?;
        if key.verify(&signature, message) { Ok(()) } else { Err(DealingError::Possession) }
    }
}

impl VerifiedGroupDealing {
    /// Who dealt.
    #[must_use]
    pub fn dealer(&self) -> Identifier {
        self.dealing.dealer
    }

    pub(super) fn commitment(&self) -> &Commitment {
        &self.commitment
    }

    /// C_k in bytes.
    pub(super) fn commitments(&self) -> &[[u8; POINT]] {
        &self.dealing.commitments
    }

    pub(super) fn point(&self) -> &[u8; 32] {
        self.dealing.r.bytes()
    }

    /// Opens the share dealt to this participant, and compares it with the commitments.
    pub(super) fn open_share(
        &self,
        recipient: Identifier,
        keys: &ParticipantKeys,
    ) -> Result<SecretKeyShare, ShareFault> {
        let shared = Zeroizing::new(Encoded::new(self.dealing.r.point() * keys.dealing_secret().expose()));
        self.open_share_with(recipient, &shared)
    }

    fn open_share_with(&self, recipient: Identifier, shared: &Encoded) -> Result<SecretKeyShare, ShareFault> {
        let (at, pk) = self.session.roster().encoded_dealing_key(recipient).ok_or(ShareFault::NotARecipient)?;
        let sealed = self.dealing.shares.get(at).ok_or(ShareFault::NotARecipient)?;
        let plain = decrypt_share(&self.dealing.share_key(recipient, pk, shared), sealed)?;
        let share = SecretKeyShare::from_bytes(*plain).map_err(|_| ShareFault::Scalar)?;
        let expected = PublicKey::from(self.commitment.evaluate(coordinate(recipient)));
        if share.public_key_share().to_bytes() == expected.to_bytes() { Ok(share) } else { Err(ShareFault::Commitment) }
    }
}

impl Disputed for VerifiedGroupDealing {
    fn session(&self) -> &Session {
        self.session.rounds()
    }

    fn dealer(&self) -> u16 {
        self.dealing.dealer.get()
    }

    fn r(&self) -> &Encoded {
        &self.dealing.r
    }

    fn dispute(&self, recipient: Identifier, shared: &Encoded) -> Result<(), ShareFault> {
        self.open_share_with(recipient, shared).map(drop)
    }
}

/// The participant's x-coordinate.
pub(super) fn coordinate(identifier: Identifier) -> Fr {
    Fr::from(u64::from(identifier.get()))
}

/// Degree t − 1 with this constant term; no coefficient is zero.
fn polynomial(
    session: &GroupSession,
    constant: Option<&SecretKeyShare>,
    rng: &mut HedgedRng,
) -> Result<Poly, RandomnessError> {
    let t = usize::from(session.roster().threshold().t());
    let mut coefficients = Vec::with_capacity(t);
    match constant {
        Some(share) => coefficients.push(scalar_of(&share.to_bytes()).ok_or(RandomnessError)?),
        None => coefficients.push(draw(rng)?),
    }
    for _ in 1..t {
        coefficients.push(draw(rng)?);
    }
    Ok(Poly::from(coefficients))
}

/// A uniform scalar other than zero: 255 bits, drawn again while they are not below the order. Each draw fits with
/// probability 0.9.
fn draw(rng: &mut HedgedRng) -> Result<Fr, RandomnessError> {
    let mut bytes = Zeroizing::new([0; 32]);
    for _ in 0..256 {
        rng.fill_bytes(bytes.as_mut_slice());
        bytes[0] &= 0x7f;
        if let Some(scalar) = scalar_of(&bytes).filter(|scalar| *scalar != Fr::from(0)) {
            return Ok(scalar);
        }
    }
    Err(RandomnessError)
}

pub(super) fn scalar_of(bytes: &[u8; 32]) -> Option<Fr> {
    Fr::from_bytes_be(bytes).into()
}

/// A point that was read before.
pub(super) fn point_of(bytes: &[u8; POINT]) -> Option<G1Affine> {
    G1Affine::from_compressed(bytes).into()
}

/// The label, 32 bytes, and H("group-possession"; session, dealer, all C_k): 96 bytes, as no other message that is signed.
fn possession_message(session: &[u8; 32], dealer: Identifier, commitments: &[[u8; POINT]]) -> [u8; 96] {
    let dealer = dealer.to_bytes();
    let mut fields: Vec<&[u8]> = alloc::vec![session, &dealer];
    fields.extend(commitments.iter().map(<[u8; POINT]>::as_slice));
    let mut message = [0; 96];
    message[..32].copy_from_slice(POSSESSION);
    message[32..].copy_from_slice(&hash(domain::GROUP_POSSESSION, &fields));
    message
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
