//! A packet: scalars that one helper sends, each committed to in public and sealed to one recipient.
//!
//! *Source*: the construction of `super::super::dealing`, with commitments to the scalars themselves in the place of a
//! polynomial's. Nobody computes sk_j·R before the proof of u verifies: a copied R would turn complaints into a
//! decryption oracle.

use super::session::RepairSession;
use crate::encoding::{EncodingError, Reader};
use crate::identifier::{Identifier, MAX_PARTICIPANTS};
use crate::keys::dealing::ShareFault;
use crate::point::Encoded;
use crate::proof::Schnorr;
use crate::secret::{SecretScalar, hedged_scalar, proof_nonce};
use crate::suite::{challenge, domain, kdf, length_prefixed};
use alloc::vec;
use alloc::vec::Vec;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce, Tag};
use curve25519_dalek::{RistrettoPoint, Scalar};
use hkdf::Hkdf;
use sha2::Sha512;
use zeroize::Zeroizing;

const SEALED_LEN: usize = 48;
pub(super) const PART_LEN: usize = 32 + SEALED_LEN;

/// Which packet of a helper it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(super) enum Stage {
    /// The parts of a weighted share, one for each helper.
    Split = 1,
    /// The sum of the parts that arrived, for the lost participant.
    Sum = 2,
}

impl Stage {
    pub(super) fn from_byte(byte: u8) -> Result<Self, EncodingError> {
        match byte {
            1 => Ok(Self::Split),
            2 => Ok(Self::Sum),
            found => Err(EncodingError::Range { what: "stage", found: found.into(), range: "1 to 2" }),
        }
    }
}

/// Sealed scalars as they travel, nothing of them checked beyond their form.
///
/// Made by a helper, posted on the board in its envelope.
///
/// *Layout*: stage u8 ‖ sender u16 ‖ seen 32 ‖ count u16 ‖ count × (D 32 ‖ sealed scalar 48) ‖ R 32 ‖ T 32 ‖ z 32; the
/// envelope's header names the kind. A split has one part per helper, the sender included; a sum has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairPacket {
    stage: Stage,
    sender: Identifier,
    seen: [u8; 32],
    parts: Vec<Part>,
    r: Encoded,
    proof: Schnorr,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    commitment: Encoded,
    sealed: [u8; SEALED_LEN],
}

/// Why a packet does not count: its sender's fault, once the sender has signed it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PacketError {
    /// Bytes that are not a packet.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// A packet in the name of another helper.
    #[error("a packet of participant {found}")]
    Sender {
        /// The sender that it names.
        found: Identifier,
    },
    /// A packet for another session, or after other packets than the board carries.
    #[error("a packet that follows other packets")]
    Seen,
    /// Another number of scalars than recipients.
    #[error("{found} scalars for {expected} recipients")]
    Count {
        /// Recipients.
        expected: usize,
        /// Scalars.
        found: usize,
    },
    /// The commitments add up to something else than the public keys say.
    #[error("the commitments do not add up")]
    Sum,
    /// The proof of the ephemeral point does not verify.
    #[error("the packet's proof does not verify")]
    Proof,
}

/// What a packet is checked against.
pub(super) struct Expected<'a> {
    pub(super) session: &'a RepairSession,
    pub(super) sender: Identifier,
    pub(super) seen: [u8; 32],
    pub(super) recipients: &'a [Identifier],
    /// Σ D.
    pub(super) sum: RistrettoPoint,
}

impl RepairPacket {
    /// Commits to the scalars and seals them. *Security*: `seed` is known to the sender alone.
    pub(super) fn create(
        session: &RepairSession,
        origin: (Stage, Identifier, [u8; 32]),
        scalars: &[(Identifier, SecretScalar)],
        seed: &[u8; 64],
    ) -> Self {
        let commit = |(_, scalar): &(Identifier, SecretScalar)| Encoded::new(RistrettoPoint::mul_base(scalar.expose()));
        let commitments: Vec<_> = scalars.iter().map(commit).collect();
        let u = ephemeral(seed, &commitments);
        Self::seal(session, origin, scalars, commitments, &u, seed)
    }

    /// Seals the scalars beside these commitments with this ephemeral scalar.
    pub(super) fn seal(
        session: &RepairSession,
        (stage, sender, seen): (Stage, Identifier, [u8; 32]),
        scalars: &[(Identifier, SecretScalar)],
        commitments: Vec<Encoded>,
        u: &SecretScalar,
        seed: &[u8; 64],
    ) -> Self {
        let r = Encoded::new(RistrettoPoint::mul_base(u.expose()));
        let context = Context { session, stage, sender, r: &r };
        let part = |((recipient, scalar), commitment): (&(Identifier, SecretScalar), Encoded)| {
            let dealing_key = session.dealing_key(*recipient).unwrap_or_default();
            let shared = Zeroizing::new(Encoded::new(dealing_key * u.expose()));
            Part { commitment, sealed: context.seal(*recipient, &dealing_key, &shared, scalar) }
        };
        let parts = scalars.iter().zip(commitments).map(part).collect();
        let unproven = Schnorr { t: r, z: Scalar::ZERO };
        let mut packet = Self { stage, sender, seen, parts, r, proof: unproven };
        packet.proof = packet.prove(session, u, seed);
        packet
    }

    /// Encodes the packet.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(133 + PART_LEN * self.parts.len());
        out.push(self.stage as u8);
        out.extend_from_slice(&self.sender.to_bytes());
        out.extend_from_slice(&self.seen);
        let count = u16::try_from(self.parts.len()).expect("at most one part per member, at most 1024 members");
        out.extend_from_slice(&count.to_be_bytes());
        for part in &self.parts {
            out.extend_from_slice(part.commitment.bytes());
            out.extend_from_slice(&part.sealed);
        }
        out.extend_from_slice(self.r.bytes());
        self.proof.write(&mut out);
        out
    }

    /// Reads a packet; whether it counts, the session tells.
    ///
    /// # Errors
    /// [`EncodingError`]; the count is checked before anything is allocated.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        let stage = Stage::from_byte(reader.u8("stage")?)?;
        let sender = Identifier::new(reader.u16("sender")?)?;
        let seen = reader.array("seen")?;
        let count = read_count(&mut reader)?;
        let parts = (0..count).map(|_| Part::read(&mut reader)).collect::<Result<_, _>>()?;
        let r = Encoded::read(&mut reader, "R")?;
        let proof = Schnorr::read(&mut reader, "T", "z")?;
        reader.finish()?;
        Ok(Self { stage, sender, seen, parts, r, proof })
    }

    /// The stage that bytes claim, for sorting.
    pub(super) fn stage_of(bytes: &[u8]) -> Option<Stage> {
        Stage::from_byte(*bytes.first()?).ok()
    }

    /// The stage that bytes claim, and the digest of the packets that they claim to follow, for sorting.
    pub(super) fn after(bytes: &[u8]) -> Option<(Stage, [u8; 32])> {
        Some((Self::stage_of(bytes)?, *bytes.get(3..)?.first_chunk()?))
    }

    /// Bytes of the longest message of a repair: a split, since a sum has one part and a complaint is shorter than that.
    /// What is longer is of no round.
    #[must_use]
    pub fn longest(session: &RepairSession) -> usize {
        133 + PART_LEN * session.helpers().len().max(1)
    }

    #[cfg(test)]
    pub(super) fn seen(&self) -> [u8; 32] {
        self.seen
    }

    pub(super) fn r(&self) -> &Encoded {
        &self.r
    }

    /// D of the part at this place.
    pub(super) fn commitment(&self, position: usize) -> Option<&RistrettoPoint> {
        self.parts.get(position).map(|part| part.commitment.point())
    }

    /// Checks everything that is public: sender, what went before, count, sum, proof.
    pub(super) fn verify_vartime(&self, expected: &Expected<'_>) -> Result<(), PacketError> {
        if self.sender != expected.sender {
            return Err(PacketError::Sender { found: self.sender });
        }
        if self.seen != expected.seen {
            return Err(PacketError::Seen);
        }
        if self.parts.len() != expected.recipients.len() {
            return Err(PacketError::Count { expected: expected.recipients.len(), found: self.parts.len() });
        }
        let sum: RistrettoPoint = self.parts.iter().map(|part| part.commitment.point()).sum();
        if sum != expected.sum {
            return Err(PacketError::Sum);
        }
        let challenge = self.challenge(expected.session, &self.proof.t);
        if self.proof.holds_vartime(self.r.point(), &challenge) { Ok(()) } else { Err(PacketError::Proof) }
    }

    /// Opens the part at this place, sealed to this recipient, with the Diffie–Hellman point, and compares it with D.
    ///
    /// *Security*: only for a packet that was verified.
    pub(super) fn open(
        &self,
        session: &RepairSession,
        (position, recipient): (usize, Identifier),
        shared: &Encoded,
    ) -> Result<SecretScalar, ShareFault> {
        let part = self.parts.get(position).ok_or(ShareFault::NotARecipient)?;
        let dealing_key = session.dealing_key(recipient).ok_or(ShareFault::NotARecipient)?;
        let context = Context { session, stage: self.stage, sender: self.sender, r: &self.r };
        let scalar = context.open(recipient, &dealing_key, shared, &part.sealed)?;
        let committed = RistrettoPoint::mul_base(scalar.expose()) == *part.commitment.point();
        if committed { Ok(scalar) } else { Err(ShareFault::Commitment) }
    }

    fn prove(&self, session: &RepairSession, u: &SecretScalar, seed: &[u8; 64]) -> Schnorr {
        let statement = self.fields(session);
        let v = proof_nonce(seed, u, &as_slices(&statement), 0);
        let t = Encoded::new(RistrettoPoint::mul_base(v.expose()));
        let z = v.expose() + self.challenge(session, &t) * u.expose();
        Schnorr { t, z }
    }

    /// H("repair"; session, stage, sender, seen, all D, R, all sealed scalars, T).
    fn challenge(&self, session: &RepairSession, t: &Encoded) -> Scalar {
        let mut fields = self.fields(session);
        fields.push(t.bytes().to_vec());
        challenge(domain::REPAIR, &as_slices(&fields))
    }

    fn fields(&self, session: &RepairSession) -> Vec<Vec<u8>> {
        let mut fields = vec![session.id().to_vec(), vec![self.stage as u8]];
        fields.extend([self.sender.to_bytes().to_vec(), self.seen.to_vec()]);
        fields.extend(self.parts.iter().map(|part| part.commitment.bytes().to_vec()));
        fields.push(self.r.bytes().to_vec());
        fields.extend(self.parts.iter().map(|part| part.sealed.to_vec()));
        fields
    }
}

impl Part {
    fn read(reader: &mut Reader<'_>) -> Result<Self, EncodingError> {
        let commitment = Encoded::read_or_identity(reader, "commitment")?;
        Ok(Self { commitment, sealed: reader.array("sealed scalar")? })
    }
}

/// digest32 H("repair-seen"; session, packets of the stage before).
pub(super) fn seen<'p>(session: &RepairSession, packets: impl ExactSizeIterator<Item = &'p RepairPacket>) -> [u8; 32] {
    seen_bytes(session, packets.map(RepairPacket::to_bytes))
}

/// The same of packets as they travel.
pub(super) fn seen_bytes(session: &RepairSession, packets: impl ExactSizeIterator<Item: AsRef<[u8]>>) -> [u8; 32] {
    let mut hasher = crate::suite::Hasher::new(domain::REPAIR_SEEN, 1 + packets.len());
    hasher.field(&session.id());
    for packet in packets {
        hasher.field(packet.as_ref());
    }
    hasher.finish32()
}

/// u = H("repair-ephemeral"; seed, all D, u8 0): another u for other scalars, so no key seals twice.
fn ephemeral(seed: &[u8; 64], commitments: &[Encoded]) -> SecretScalar {
    let fields: Vec<&[u8]> = commitments.iter().map(|commitment| commitment.bytes().as_slice()).collect();
    hedged_scalar(domain::REPAIR_EPHEMERAL, seed, &fields, 0)
}

/// What the key of every part is bound to.
struct Context<'a> {
    session: &'a RepairSession,
    stage: Stage,
    sender: Identifier,
    r: &'a Encoded,
}

impl Context<'_> {
    fn seal(
        &self,
        recipient: Identifier,
        dealing_key: &RistrettoPoint,
        shared: &Encoded,
        scalar: &SecretScalar,
    ) -> [u8; SEALED_LEN] {
        let mut out = [0; SEALED_LEN];
        let (body, tag) = out.split_at_mut(32);
        body.copy_from_slice(scalar.to_bytes().as_slice());
        let computed = ChaCha20Poly1305::new((&*self.key(recipient, dealing_key, shared)).into())
            .encrypt_inout_detached(&Nonce::default(), &[], (&mut *body).into())
            .expect("32 bytes are far below the cipher's maximum");
        tag.copy_from_slice(&computed);
        out
    }

    fn open(
        &self,
        recipient: Identifier,
        dealing_key: &RistrettoPoint,
        shared: &Encoded,
        sealed: &[u8; SEALED_LEN],
    ) -> Result<SecretScalar, ShareFault> {
        let (body, tag) = sealed.split_at(32);
        let mut plain = Zeroizing::new([0; 32]);
        plain.copy_from_slice(body);
        let tag = Tag::try_from(tag).map_err(|_| ShareFault::Tag)?;
        ChaCha20Poly1305::new((&*self.key(recipient, dealing_key, shared)).into())
            .decrypt_inout_detached(&Nonce::default(), &[], plain.as_mut_slice().into(), &tag)
            .map_err(|_| ShareFault::Tag)?;
        Option::from(Scalar::from_canonical_bytes(*plain)).map(SecretScalar::new).ok_or(ShareFault::Scalar)
    }

    /// HKDF(DH; salt "ccc/v1/repair", info LP of each: session, stage, sender, recipient, R, pk of the recipient).
    fn key(&self, recipient: Identifier, dealing_key: &RistrettoPoint, shared: &Encoded) -> Zeroizing<[u8; 32]> {
        let (stage, pk) = ([self.stage as u8], dealing_key.compress());
        let (sender, recipient) = (self.sender.to_bytes(), recipient.to_bytes());
        let mut info = Vec::with_capacity(125);
        for field in [&self.session.id()[..], &stage, &sender, &recipient, self.r.bytes(), pk.as_bytes()] {
            length_prefixed(&mut info, field);
        }
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha512>::new(Some(kdf::REPAIR), shared.bytes())
            .expand(&info, key.as_mut_slice())
            .expect("32 bytes are less than one block of HKDF-SHA-512");
        key
    }
}

fn read_count(reader: &mut Reader<'_>) -> Result<u16, EncodingError> {
    let what = "number of scalars";
    let count = reader.u16(what)?;
    if count == 0 || count > MAX_PARTICIPANTS {
        return Err(EncodingError::Range { what, found: count.into(), range: "1 to 1024" });
    }
    let (expected, found) = (PART_LEN * usize::from(count), reader.remaining());
    if found < expected { Err(EncodingError::Truncated { what, expected, found }) } else { Ok(count) }
}

fn as_slices(fields: &[Vec<u8>]) -> Vec<&[u8]> {
    fields.iter().map(Vec::as_slice).collect()
}
