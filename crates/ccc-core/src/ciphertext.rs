//! Threshold ciphertexts: TDH2 as a key encapsulation, with the body, the label and the key commitment under the
//! proof.
//!
//! *Source*: Shoup and Gennaro, *Securing threshold cryptosystems against chosen ciphertext attack*, scheme TDH2;
//! changed: hybrid, all public data in the challenge, 32-byte key commitment, hedged randomness.
//! `docs/spec/encryption.md`.

mod kem;
mod label;
mod padding;
mod prepared;
#[cfg(test)]
mod two_keys;

pub use label::{LABEL_LEN, Label, LabelKind};
pub use padding::MAX_MESSAGE;
pub use prepared::PreparedMasterKey;

use crate::encoding::{EncodingError, HEADER_LEN, Kind, Reader, header};
use crate::keys::MasterPublicKey;
use crate::point::Encoded;
use crate::secret::{RandomnessError, SecretScalar, hedged_scalar, random64};
use crate::suite::{SUITE_BYTES, challenge, digest32, domain, second_generator};
use alloc::vec::Vec;
#[cfg(feature = "std")]
use curve25519_dalek::ristretto::{RistrettoBasepointTable, VartimeRistrettoPrecomputation};
#[cfg(not(feature = "std"))]
use curve25519_dalek::traits::VartimeMultiscalarMul;
#[cfg(feature = "std")]
use curve25519_dalek::traits::VartimePrecomputedMultiscalarMul;
use curve25519_dalek::{RistrettoPoint, Scalar};
use kem::{Context, TAG_LEN};
use padding::PaddingError;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Bytes of a ciphertext without its body.
const FIXED_LEN: usize = HEADER_LEN + LABEL_LEN + 5 * 32;
/// Bytes of a wrapped table key: a ciphertext without its label.
pub const WRAPPED_LEN: usize = FIXED_LEN - LABEL_LEN + padding::TABLE_KEY_LEN + TAG_LEN;

/// Why nothing was encrypted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncryptError {
    /// The label contradicts itself.
    #[error("label: {0}")]
    Label(#[source] EncodingError),
    /// The message is above the maximum.
    #[error("a message of {found} bytes, where {MAX_MESSAGE} fit")]
    TooLong {
        /// Bytes of the message.
        found: usize,
    },
    /// A table key of another length.
    #[error("a table key of {found} bytes, where it has exactly 32")]
    TableKeyLength {
        /// Bytes of the message.
        found: usize,
    },
    /// The random generator is broken.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
}

/// Why bytes are not a valid ciphertext.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CiphertextError {
    /// A field is not in canonical form.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// A body of a length that no padding gives.
    #[error("a body of {found} bytes, which no message of this kind gives")]
    BodyLength {
        /// Bytes of the body with its tag.
        found: usize,
    },
    /// The proof does not verify under this master public key: altered bytes, another label or another key.
    #[error("the ciphertext's proof does not verify")]
    Proof,
    /// Only table keys travel without their label.
    #[error("only a table key has a wrapped form, and this is a ciphertext of kind {found}")]
    NotATableKey {
        /// The label's kind.
        found: LabelKind,
    },
}

/// A ciphertext did not open. It says nothing more on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("decryption failed")]
pub struct DecryptionError;

/// A ciphertext under the master public key, its proof not yet checked.
///
/// Made by whoever keeps a secret, sent through the chain or any untrusted channel to participants and enclave.
///
/// *Layout*: header 8 ‖ label 129 ‖ U 32 ‖ Ū 32 ‖ key commitment 32 ‖ body ‖ e 32 ‖ f 32; the body is 16 bytes longer
/// than a bucket of [`padding`](self).
/// *Security*: a participant MUST NOT make a share before [`Ciphertext::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ciphertext {
    label: Label,
    u: Encoded,
    u_bar: Encoded,
    commitment: [u8; 32],
    body: Vec<u8>,
    e: Scalar,
    f: Scalar,
}

impl Ciphertext {
    /// Encrypts a message.
    ///
    /// ```text
    /// (r, s) from 64 random bytes, Y, label, message     U = rG   Ū = rḠ   K = rY
    /// k ‖ c = HKDF(K; …)      body = ChaCha20-Poly1305(k, pad(message))
    /// W = sG   W̄ = sḠ         e = H("tdh2"; …)   f = s + e·r
    /// ```
    ///
    /// # Errors
    /// [`EncryptError`]; nothing has been made.
    ///
    /// *Timing*: constant in the message's bytes and the randomness; the length shows.
    pub fn encrypt<R: CryptoRng + ?Sized>(
        key: &MasterPublicKey,
        label: &Label,
        message: &[u8],
        rng: &mut R,
    ) -> Result<Self, EncryptError> {
        Self::encrypt_with(key, label, message, rng, |r| key.point() * r)
    }

    /// [`Ciphertext::encrypt`], with the way to multiply Y by a secret scalar.
    fn encrypt_with<R: CryptoRng + ?Sized>(
        key: &MasterPublicKey,
        label: &Label,
        message: &[u8],
        rng: &mut R,
        times_y: impl Fn(&Scalar) -> RistrettoPoint,
    ) -> Result<Self, EncryptError> {
        label.check().map_err(EncryptError::Label)?;
        let padded = padding::pad(label.kind, message, TAG_LEN).map_err(|error| match error {
            PaddingError::TooLong => EncryptError::TooLong { found: message.len() },
            PaddingError::TableKeyLength => EncryptError::TableKeyLength { found: message.len() },
        })?;
        let random = random64(rng)?;
        let label_bytes = label.to_bytes();
        let seed: [&[u8]; 3] = [key.bytes(), &label_bytes, message];
        let r = hedged_scalar(domain::ENCRYPTION, &random, &seed, 0);
        let s = hedged_scalar(domain::ENCRYPTION, &random, &seed, 1);
        if *r.expose() == Scalar::ZERO {
            return Err(EncryptError::Randomness(RandomnessError));
        }
        let k = Zeroizing::new(Encoded::new(times_y(r.expose())));
        Self::seal(key, label, padded, &r, &s, &k)
    }

    fn seal(
        key: &MasterPublicKey,
        label: &Label,
        padded: Zeroizing<Vec<u8>>,
        r: &SecretScalar,
        s: &SecretScalar,
        k: &Encoded,
    ) -> Result<Self, EncryptError> {
        let (half_r, half_s) = (half(r), half(s));
        let [(u, u_bar), (w, w_bar)] = [&half_r, &half_s].map(multiples);
        let [u, u_bar, w, w_bar] = Encoded::doubles([u, u_bar, w, w_bar]);
        let (header, label_bytes) = (header(Kind::Ciphertext), label.to_bytes());
        let context = Context { header: &header, master: key, u: &u, u_bar: &u_bar, label: &label_bytes };
        let body_key = context.derive(k);
        let commitment = body_key.commitment();
        let body = body_key
            .seal(&context.associated_data(&commitment), padded)
            .map_err(|_| EncryptError::TooLong { found: MAX_MESSAGE })?;
        let mut ciphertext =
            Self { label: label.clone(), u, u_bar, commitment, body, e: Scalar::ZERO, f: Scalar::ZERO };
        ciphertext.e = ciphertext.challenge(key, &w, &w_bar);
        ciphertext.f = s.expose() + ciphertext.e * r.expose();
        Ok(ciphertext)
    }

    /// Encodes the ciphertext.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(FIXED_LEN + self.body.len());
        out.extend_from_slice(&header(Kind::Ciphertext));
        out.extend_from_slice(&self.label.to_bytes());
        self.write_rest(&mut out);
        out
    }

    /// Reads a ciphertext; its proof is still to be checked.
    ///
    /// # Errors
    /// [`CiphertextError::Encoding`], [`CiphertextError::BodyLength`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CiphertextError> {
        let mut reader = Reader::new(bytes);
        reader.header(Kind::Ciphertext)?;
        let label = Label::read(&mut reader)?;
        Self::read_rest(reader, label)
    }

    /// The wrapped form of a table key: everything except the label, which the table's header fixes.
    ///
    /// # Errors
    /// [`CiphertextError::NotATableKey`].
    pub fn to_wrapped(&self) -> Result<[u8; WRAPPED_LEN], CiphertextError> {
        let not_a_table_key = CiphertextError::NotATableKey { found: self.label.kind };
        if self.label.kind != LabelKind::TableKey {
            return Err(not_a_table_key);
        }
        let mut out = Vec::with_capacity(WRAPPED_LEN);
        out.extend_from_slice(&header(Kind::Ciphertext));
        self.write_rest(&mut out);
        out.try_into().map_err(|_| not_a_table_key)
    }

    /// Reads a wrapped table key and puts the recomputed label back.
    ///
    /// # Errors
    /// [`CiphertextError`].
    pub fn from_wrapped(bytes: &[u8; WRAPPED_LEN], label: Label) -> Result<Self, CiphertextError> {
        if label.kind != LabelKind::TableKey {
            return Err(CiphertextError::NotATableKey { found: label.kind });
        }
        label.check()?;
        let mut reader = Reader::new(bytes);
        reader.header(Kind::Ciphertext)?;
        Self::read_rest(reader, label)
    }

    /// The public context.
    #[must_use]
    pub fn label(&self) -> &Label {
        &self.label
    }

    /// digest32 H("ct"; all wire bytes): how requests and proofs name this ciphertext.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        digest32(domain::CIPHERTEXT, &[&self.to_bytes()])
    }

    /// Checks the proof: e = H("tdh2"; …) with W = fG − eU and W̄ = fḠ − eŪ.
    ///
    /// # Errors
    /// [`CiphertextError::Proof`].
    pub fn verify(self, key: &MasterPublicKey) -> Result<VerifiedCiphertext, CiphertextError> {
        let [w, w_bar] = self.commitments_vartime();
        if self.challenge(key, &w, &w_bar) != self.e {
            return Err(CiphertextError::Proof);
        }
        let digest = self.digest();
        Ok(VerifiedCiphertext { ciphertext: self, digest, master: *key })
    }

    /// W = fG − eU and W̄ = fḠ − eŪ.
    fn commitments_vartime(&self) -> [Encoded; 2] {
        let (minus_e, f) = ((-self.e).div_by_2(), self.f.div_by_2());
        let w = RistrettoPoint::vartime_double_scalar_mul_basepoint(&minus_e, self.u.point(), &f);
        let w_bar = second_generator_product_vartime(&f, &minus_e, self.u_bar.point());
        Encoded::doubles([w, w_bar])
    }

    /// H("tdh2"; S, header, Y, U, Ū, c, digest32(body), label, W, W̄).
    fn challenge(&self, key: &MasterPublicKey, w: &Encoded, w_bar: &Encoded) -> Scalar {
        challenge(
            domain::TDH2,
            &[
                &SUITE_BYTES,
                &header(Kind::Ciphertext),
                key.bytes(),
                self.u.bytes(),
                self.u_bar.bytes(),
                &self.commitment,
                &digest32(domain::BODY, &[&self.body]),
                &self.label.to_bytes(),
                w.bytes(),
                w_bar.bytes(),
            ],
        )
    }

    fn write_rest(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.u.bytes());
        out.extend_from_slice(self.u_bar.bytes());
        out.extend_from_slice(&self.commitment);
        out.extend_from_slice(&self.body);
        out.extend_from_slice(self.e.as_bytes());
        out.extend_from_slice(self.f.as_bytes());
    }

    fn read_rest(mut reader: Reader<'_>, label: Label) -> Result<Self, CiphertextError> {
        let u = Encoded::read(&mut reader, "U")?;
        let u_bar = Encoded::read_or_identity(&mut reader, "U bar")?;
        let commitment = reader.array("key commitment")?;
        let found = reader.remaining().saturating_sub(64);
        if !found.checked_sub(TAG_LEN).is_some_and(|n| padding::is_padded_length(label.kind, n)) {
            return Err(CiphertextError::BodyLength { found });
        }
        let body = reader.bytes("body", found)?.to_vec();
        let (e, f) = (reader.scalar("e")?, reader.scalar("f")?);
        reader.finish()?;
        Ok(Self { label, u, u_bar, commitment, body, e, f })
    }
}

/// x/2: its multiples are doubled where they are encoded together. *Timing*: constant in x.
fn half(x: &SecretScalar) -> SecretScalar {
    SecretScalar::new(x.expose().div_by_2())
}

/// (xG, xḠ), from a table of 30 KB that the first ciphertext of a process makes. *Timing*: constant in x.
fn multiples(x: &SecretScalar) -> (RistrettoPoint, RistrettoPoint) {
    #[cfg(feature = "std")]
    let x_g_bar = {
        static TABLE: std::sync::OnceLock<alloc::boxed::Box<RistrettoBasepointTable>> = std::sync::OnceLock::new();
        &**TABLE.get_or_init(|| alloc::boxed::Box::new(RistrettoBasepointTable::create(&second_generator())))
            * x.expose()
    };
    #[cfg(not(feature = "std"))]
    let x_g_bar = second_generator() * x.expose();
    (RistrettoPoint::mul_base(x.expose()), x_g_bar)
}

/// f·Ḡ + a·P.
fn second_generator_product_vartime(f: &Scalar, a: &Scalar, p: &RistrettoPoint) -> RistrettoPoint {
    #[cfg(feature = "std")]
    {
        static MULTIPLES: std::sync::OnceLock<VartimeRistrettoPrecomputation> = std::sync::OnceLock::new();
        let odd = MULTIPLES.get_or_init(|| VartimeRistrettoPrecomputation::new([second_generator()]));
        odd.vartime_mixed_multiscalar_mul([f], [a], [p])
    }
    #[cfg(not(feature = "std"))]
    RistrettoPoint::vartime_multiscalar_mul([f, a], [&second_generator(), p])
}

/// A ciphertext whose proof holds and whose key commitment is to another key.
#[cfg(test)]
pub(crate) fn with_wrong_commitment<R: CryptoRng>(
    key: &MasterPublicKey,
    label: &Label,
    message: &[u8],
    rng: &mut R,
) -> Ciphertext {
    let mut ciphertext = Ciphertext::encrypt(key, label, message, rng).unwrap();
    let (r, s) = (crate::secret::random_scalar(rng).unwrap(), crate::secret::random_scalar(rng).unwrap());
    ciphertext.u = Encoded::new(RistrettoPoint::mul_base(r.expose()));
    ciphertext.u_bar = Encoded::new(second_generator() * r.expose());
    let (w, w_bar) = multiples(&s);
    let (w, w_bar) = (Encoded::new(w), Encoded::new(w_bar));
    ciphertext.e = ciphertext.challenge(key, &w, &w_bar);
    ciphertext.f = s.expose() + ciphertext.e * r.expose();
    ciphertext
}

/// A ciphertext whose proof was checked under the master public key that it remembers.
///
/// Made by [`Ciphertext::verify`] alone; participants make shares of nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCiphertext {
    ciphertext: Ciphertext,
    digest: [u8; 32],
    master: MasterPublicKey,
}

impl VerifiedCiphertext {
    /// The public context.
    #[must_use]
    pub fn label(&self) -> &Label {
        &self.ciphertext.label
    }

    /// digest32 H("ct"; all wire bytes).
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// The ciphertext itself.
    #[must_use]
    pub fn ciphertext(&self) -> &Ciphertext {
        &self.ciphertext
    }

    /// The master public key under which the proof holds.
    #[must_use]
    pub fn master_public_key(&self) -> &MasterPublicKey {
        &self.master
    }

    pub(crate) fn u(&self) -> &Encoded {
        &self.ciphertext.u
    }

    /// Opens with the 32 bytes of K = xU, the element to which t decryption shares combine: whoever is shown K can see
    /// for itself what the ciphertext holds, since its key commitment admits no other K.
    ///
    /// *Security*: a wrong K, bytes that are no element, and a malformed body give the same error.
    ///
    /// # Errors
    /// [`DecryptionError`].
    pub fn open_with(&self, k: &[u8; 32]) -> Result<Zeroizing<Vec<u8>>, DecryptionError> {
        self.open(&Reader::new(k).point("K").map_err(|_| DecryptionError)?)
    }

    /// Opens with K = xU.
    ///
    /// # Errors
    /// [`DecryptionError`].
    pub(crate) fn open(&self, k: &RistrettoPoint) -> Result<Zeroizing<Vec<u8>>, DecryptionError> {
        let Ciphertext { label, u, u_bar, commitment, body, .. } = &self.ciphertext;
        let (header, label_bytes) = (header(Kind::Ciphertext), label.to_bytes());
        let context = Context { header: &header, master: &self.master, u, u_bar, label: &label_bytes };
        let body_key = context.derive(&Zeroizing::new(Encoded::new(*k)));
        if !bool::from(body_key.commitment().ct_eq(commitment)) {
            return Err(DecryptionError);
        }
        let padded = body_key.open(&context.associated_data(commitment), body).map_err(|_| DecryptionError)?;
        padding::unpad(label.kind, padded).map_err(|_| DecryptionError)
    }
}
