//! The raw ciphertext: 32 bytes under a label of 32 bytes.

use super::INPUT_LEN;
use super::error::{CiphertextError, FormatError};
use super::group::{Encoded, SecretScalar, ciphertext_challenge, double_mul_vartime, mul_base, pad, read_scalar};
use super::json::{Object, Writer};
use super::keys::PublicKey;
use crate::secret::{RandomnessError, random64};
use alloc::string::String;
use p256::{ProjectivePoint, Scalar};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// The longest JSON of a raw ciphertext that is read, with room for unknown fields.
pub(super) const MAX_JSON: usize = 1 << 13;

/// A ciphertext of 32 bytes, its proof not yet checked.
///
/// *Layout*: `{"Group":"P256","C":…,"Label":…,"U":…,"U_bar":…,"E":…,"F":…}`: C and label 32 bytes, points 04 ‖ x ‖ y,
/// scalars 32 bytes big-endian, all in base64.
/// *Security*: a participant MUST NOT make a share before [`Ciphertext::verify`]; the type sees to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ciphertext {
    c: [u8; INPUT_LEN],
    label: [u8; INPUT_LEN],
    u: Encoded,
    u_bar: Encoded,
    e: Scalar,
    f: Scalar,
}

impl Ciphertext {
    /// Encrypts 32 bytes.
    ///
    /// ```text
    /// c = H1(r·H) ⊕ m     U = rG   Ū = rḠ   W = sG   W̄ = sḠ
    /// e = H2(c, label, U, W, Ū, W̄)          f = s + e·r
    /// ```
    ///
    /// # Errors
    /// [`CiphertextError::Randomness`].
    ///
    /// *Timing*: constant in message and randomness.
    pub fn encrypt<R: CryptoRng + ?Sized>(
        key: &PublicKey,
        label: &[u8; INPUT_LEN],
        message: &[u8; INPUT_LEN],
        rng: &mut R,
    ) -> Result<Self, CiphertextError> {
        let random = random64(rng)?;
        let seed: [&[u8]; 3] = [key.h().bytes(), label, message];
        let (r, s) = (SecretScalar::hedged(&random, &seed, 0), SecretScalar::hedged(&random, &seed, 1));
        if *r.expose() == Scalar::ZERO {
            return Err(RandomnessError.into());
        }
        let g_bar = key.g_bar().point();
        let shared = Zeroizing::new(Encoded::new(*key.h().point() * r.expose()));
        let pad = pad(&shared);
        let c = core::array::from_fn(|i| pad[i] ^ message[i]);
        let (u, u_bar) = (Encoded::new(mul_base(r.expose())), Encoded::new(*g_bar * r.expose()));
        let (w, w_bar) = (Encoded::new(mul_base(s.expose())), Encoded::new(*g_bar * s.expose()));
        let e = ciphertext_challenge(&c, label, [&u, &w, &u_bar, &w_bar]);
        let f = *s.expose() + e * r.expose();
        Ok(Self { c, label: *label, u, u_bar, e, f })
    }

    /// Reads a ciphertext; its proof is still to be checked.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, FormatError> {
        const NAMES: &[&str] = &["Group", "C", "Label", "U", "U_bar", "E", "F"];
        let mut object = Object::read("ciphertext", bytes, MAX_JSON, NAMES)?;
        object.group()?;
        Ok(Self {
            c: *object.array("C")?,
            label: *object.array("Label")?,
            u: Encoded::read(&mut object, "U")?,
            u_bar: Encoded::read(&mut object, "U_bar")?,
            e: read_scalar(&mut object, "E")?,
            f: read_scalar(&mut object, "F")?,
        })
    }

    /// Writes the ciphertext.
    #[must_use]
    pub fn to_json(&self) -> String {
        let writer = Writer::new(640).group().bytes("C", &self.c).bytes("Label", &self.label);
        let writer = writer.bytes("U", self.u.bytes()).bytes("U_bar", self.u_bar.bytes());
        let writer = writer.bytes("E", &self.e.to_bytes()).bytes("F", &self.f.to_bytes());
        core::mem::take(&mut *writer.finish())
    }

    /// The label: 32 bytes that the proof binds and the format gives no meaning.
    #[must_use]
    pub fn label(&self) -> &[u8; INPUT_LEN] {
        &self.label
    }

    /// Checks the proof: e = H2(c, label, U, W, Ū, W̄) with W = fG − eU and W̄ = fḠ − eŪ.
    ///
    /// # Errors
    /// [`CiphertextError::Proof`].
    pub fn verify(self, key: &PublicKey) -> Result<VerifiedCiphertext<'_>, CiphertextError> {
        let minus_e = -self.e;
        let w = double_mul_vartime(&self.f, &ProjectivePoint::GENERATOR, &minus_e, self.u.point());
        let w_bar = double_mul_vartime(&self.f, key.g_bar().point(), &minus_e, self.u_bar.point());
        let (w, w_bar) = (Encoded::new(w), Encoded::new(w_bar));
        if ciphertext_challenge(&self.c, &self.label, [&self.u, &w, &self.u_bar, &w_bar]) != self.e {
            return Err(CiphertextError::Proof);
        }
        Ok(VerifiedCiphertext { ciphertext: self, key })
    }
}

/// A ciphertext whose proof was checked under the public key that it remembers.
///
/// Made by [`Ciphertext::verify`] alone; shares are made of nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCiphertext<'k> {
    ciphertext: Ciphertext,
    key: &'k PublicKey,
}

impl VerifiedCiphertext<'_> {
    /// The ciphertext itself.
    #[must_use]
    pub fn ciphertext(&self) -> &Ciphertext {
        &self.ciphertext
    }

    /// The public key under which the proof holds.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        self.key
    }

    pub(super) fn u(&self) -> &ProjectivePoint {
        self.ciphertext.u.point()
    }

    /// m = c ⊕ H1(K).
    pub(super) fn open(&self, k: &ProjectivePoint) -> Zeroizing<[u8; INPUT_LEN]> {
        let pad = pad(&Zeroizing::new(Encoded::new(*k)));
        Zeroizing::new(core::array::from_fn(|i| pad[i] ^ self.ciphertext.c[i]))
    }
}
