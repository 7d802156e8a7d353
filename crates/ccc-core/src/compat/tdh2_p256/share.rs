//! Decryption shares.

use super::ciphertext::VerifiedCiphertext;
use super::error::{FormatError, ShareError};
use super::group::{Encoded, POINT_LEN, SecretScalar, double_mul_vartime, mul_base, read_scalar, share_challenge};
use super::json::{Object, Writer};
use super::keys::PrivateShare;
use crate::secret::random64;
use alloc::string::String;
use p256::{ProjectivePoint, Scalar};
use rand_core::CryptoRng;

/// The longest JSON of a share that is read, with room for unknown fields.
const MAX_JSON: usize = 1 << 12;

/// One participant's share x_i·U of the element that opens a ciphertext, with its proof.
///
/// *Layout*: `{"Group":"P256","Index":0,"U_i":…,"E_i":…,"F_i":…}`.
/// *Security*: from k of them anybody opens the ciphertext. The share is not signed, and its proof binds neither
/// ciphertext nor index; see the [module](super).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecryptionShare {
    index: u16,
    u_i: Encoded,
    e_i: Scalar,
    f_i: Scalar,
}

impl DecryptionShare {
    /// Makes a share: U_i = x·U, e_i = H4(U_i, s·U, s·G), f_i = s + e_i·x.
    ///
    /// # Errors
    /// [`ShareError::Key`] when the private share is not one of the ciphertext's public key; [`ShareError::Randomness`].
    ///
    /// *Timing*: constant in x.
    pub fn create<R: CryptoRng + ?Sized>(
        private: &PrivateShare,
        ciphertext: &VerifiedCiphertext<'_>,
        rng: &mut R,
    ) -> Result<Self, ShareError> {
        private.matches(ciphertext.public_key())?;
        let (x, u) = (private.secret(), ciphertext.u());
        let u_i = Encoded::new(*u * x.expose());
        let random = random64(rng)?;
        let s = SecretScalar::hedged(&random, &[x.to_bytes().as_slice(), Encoded::new(*u).bytes(), u_i.bytes()], 2);
        let (u_hat, h_hat) = (Encoded::new(*u * s.expose()), Encoded::new(mul_base(s.expose())));
        let e_i = share_challenge([&u_i, &u_hat, &h_hat]);
        let f_i = *s.expose() + e_i * x.expose();
        Ok(Self { index: private.index(), u_i, e_i, f_i })
    }

    /// Reads a share; its proof is still to be checked.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut object = Object::read("decryption share", bytes, MAX_JSON, &["Group", "Index", "U_i", "E_i", "F_i"])?;
        object.group()?;
        Ok(Self {
            index: object.index()?,
            u_i: Encoded::read(&mut object, "U_i")?,
            e_i: read_scalar(&mut object, "E_i")?,
            f_i: read_scalar(&mut object, "F_i")?,
        })
    }

    /// Writes the share.
    #[must_use]
    pub fn to_json(&self) -> String {
        let writer = Writer::new(320).group().index(self.index).bytes("U_i", self.u_i.bytes());
        let writer = writer.bytes("E_i", &self.e_i.to_bytes()).bytes("F_i", &self.f_i.to_bytes());
        core::mem::take(&mut *writer.finish())
    }

    /// U_i, e_i and f_i as they are written: equal where the shares of one index are.
    pub(super) fn fields(&self) -> ([u8; POINT_LEN], [u8; 32], [u8; 32]) {
        (*self.u_i.bytes(), self.e_i.to_bytes().into(), self.f_i.to_bytes().into())
    }

    /// The index of the participant that it claims to be from, counted from 0.
    #[must_use]
    pub fn index(&self) -> u16 {
        self.index
    }

    /// Checks the proof: e_i = H4(U_i, Û, Ĥ) with Û = f_i·U − e_i·U_i and Ĥ = f_i·G − e_i·H_i.
    ///
    /// # Errors
    /// [`ShareError::UnknownIndex`], [`ShareError::Proof`].
    pub fn verify(&self, ciphertext: &VerifiedCiphertext<'_>) -> Result<(), ShareError> {
        let (index, key) = (self.index, ciphertext.public_key());
        let n = key.participants();
        let h_i = key.verification_key(index).ok_or(ShareError::UnknownIndex { index, n })?;
        let minus = -self.e_i;
        let u_hat = double_mul_vartime(&self.f_i, ciphertext.u(), &minus, self.u_i.point());
        let h_hat = double_mul_vartime(&self.f_i, &ProjectivePoint::GENERATOR, &minus, h_i.point());
        let challenge = share_challenge([&self.u_i, &Encoded::new(u_hat), &Encoded::new(h_hat)]);
        if challenge == self.e_i { Ok(()) } else { Err(ShareError::Proof { index }) }
    }

    pub(super) fn u_i(&self) -> &Encoded {
        &self.u_i
    }
}
