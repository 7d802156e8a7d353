//! Public key, private shares, master secret, and the dealer who makes them.

use super::error::{FormatError, KeyError};
use super::group::{Encoded, SecretScalar, mul_base, second_generator};
use super::json::{Object, Writer};
use super::polynomial::{Sample, has_degree_below_vartime};
use crate::secret::random64;
use crate::threshold::Threshold;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use p256::Scalar;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// The longest JSON of a public key that is read: 1 024 verification keys with room for unknown fields.
const MAX_KEY_JSON: usize = 1 << 18;
/// The longest JSON of a share or a secret that is read.
const MAX_SECRET_JSON: usize = 1 << 12;

/// The public key: what one encrypts to, and the verification keys of its participants.
///
/// *Layout*: `{"Group":"P256","G_bar":…,"H":…,"HArray":[…]}`; points are 04 ‖ x ‖ y in base64. `HArray[i]` is the
/// verification key of index i.
/// *Security*: the format does not carry the threshold; [`PublicKey::threshold`] derives it.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    g_bar: Encoded,
    h: Encoded,
    h_array: Vec<Encoded>,
}

impl PublicKey {
    /// Reads a public key.
    ///
    /// # Errors
    /// [`FormatError`]; lengths are compared before anything is allocated.
    pub fn from_json(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut object = Object::read("public key", bytes, MAX_KEY_JSON, &["Group", "G_bar", "H", "HArray"])?;
        object.group()?;
        let (g_bar, h) = (Encoded::read(&mut object, "G_bar")?, Encoded::read(&mut object, "H")?);
        let keys = object.arrays("HArray")?.into_iter().map(|bytes| Encoded::from_bytes("HArray", bytes));
        let h_array: Vec<_> = keys.collect::<Result<_, _>>()?;
        if h_array.is_empty() {
            return Err(FormatError::Range { field: "HArray", found: 0, range: "1 to 1024 entries" });
        }
        Ok(Self { g_bar, h, h_array })
    }

    /// Writes the public key.
    #[must_use]
    pub fn to_json(&self) -> String {
        let capacity = 256 + 96 * self.h_array.len();
        let writer = Writer::new(capacity).group().bytes("G_bar", self.g_bar.bytes()).bytes("H", self.h.bytes());
        let keys = self.h_array.iter().map(|key| key.bytes().as_slice());
        core::mem::take(&mut *writer.list("HArray", keys).finish())
    }

    /// n, the number of verification keys.
    #[must_use]
    pub fn participants(&self) -> u16 {
        u16::try_from(self.h_array.len()).unwrap_or(u16::MAX)
    }

    /// k of n: the least number of participants whose verification keys determine H.
    ///
    /// # Errors
    /// [`KeyError::Inconsistent`] when not even all of them do.
    ///
    /// *Timing*: varies with public data; O(n²) scalar and O(n log n) point operations.
    pub fn threshold(&self) -> Result<Threshold, KeyError> {
        let n = self.participants();
        let samples = self.samples();
        let (mut below, mut enough) = (0, n);
        if !has_degree_below_vartime(n.into(), &samples) {
            return Err(KeyError::Inconsistent);
        }
        while below + 1 < enough {
            let k = u16::midpoint(below, enough);
            if has_degree_below_vartime(k.into(), &samples) { enough = k } else { below = k }
        }
        Ok(Threshold::unsafe_without_fault_bound(enough, n)?)
    }

    /// H at 0 and each verification key at its place.
    fn samples(&self) -> Vec<Sample<'_>> {
        let keys = (0..).zip(&self.h_array).map(|(index, key)| Sample::of_index(index, key));
        core::iter::once(Sample { x: 0, point: &self.h }).chain(keys).collect()
    }

    pub(super) fn g_bar(&self) -> &Encoded {
        &self.g_bar
    }

    pub(super) fn h(&self) -> &Encoded {
        &self.h
    }

    pub(super) fn verification_key(&self, index: u16) -> Option<&Encoded> {
        self.h_array.get(usize::from(index))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

/// One participant's share of the master secret.
///
/// *Layout*: `{"Group":"P256","Index":0,"V":…}`; V is big-endian, 32 bytes, in base64. The index counts from 0; the
/// x-coordinate is one more.
/// *Security*: erased when dropped; no `Clone`, no `Debug`.
pub struct PrivateShare {
    index: u16,
    v: SecretScalar,
}

impl PrivateShare {
    /// Reads a private share.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut object = Object::read("private share", bytes, MAX_SECRET_JSON, &["Group", "Index", "V"])?;
        object.group()?;
        Ok(Self { index: object.index()?, v: SecretScalar::read(&mut object, "V")? })
    }

    /// Writes the private share, in the clear.
    #[must_use]
    pub fn to_json(&self) -> Zeroizing<String> {
        Writer::new(128).group().index(self.index).bytes("V", self.v.to_bytes().as_slice()).finish()
    }

    /// The participant's index, from 0.
    #[must_use]
    pub fn index(&self) -> u16 {
        self.index
    }

    /// Whether the public key has this share's verification key at its index.
    ///
    /// # Errors
    /// [`KeyError::UnknownIndex`], [`KeyError::OtherShare`].
    pub fn matches(&self, key: &PublicKey) -> Result<(), KeyError> {
        let (index, n) = (self.index, key.participants());
        let expected = key.verification_key(index).ok_or(KeyError::UnknownIndex { index, n })?;
        if mul_base(self.v.expose()) == *expected.point() { Ok(()) } else { Err(KeyError::OtherShare { index }) }
    }

    pub(super) fn secret(&self) -> &SecretScalar {
        &self.v
    }
}

/// The secret that the shares are of. Only a dealer has it.
///
/// *Layout*: `{"Group":"P256","S":…}`. *Security*: erased when dropped; no `Clone`, no `Debug`.
pub struct MasterSecret(SecretScalar);

impl MasterSecret {
    /// Reads a master secret.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut object = Object::read("master secret", bytes, MAX_SECRET_JSON, &["Group", "S"])?;
        object.group()?;
        Ok(Self(SecretScalar::read(&mut object, "S")?))
    }

    /// Writes the master secret, in the clear.
    #[must_use]
    pub fn to_json(&self) -> Zeroizing<String> {
        Writer::new(128).group().bytes("S", self.0.to_bytes().as_slice()).finish()
    }

    /// Deals new shares of the same secret: what was encrypted to the old key opens with the new shares. H and Ḡ stay.
    ///
    /// # Errors
    /// [`KeyError::OtherSecret`], [`KeyError::Randomness`].
    pub fn redeal<R: CryptoRng + ?Sized>(
        &self,
        key: &PublicKey,
        threshold: Threshold,
        rng: &mut R,
    ) -> Result<(PublicKey, Vec<PrivateShare>), KeyError> {
        if mul_base(self.0.expose()) != *key.h.point() {
            return Err(KeyError::OtherSecret);
        }
        share(&self.0, key.h.clone(), key.g_bar.clone(), threshold, rng)
    }
}

/// What a dealer makes.
#[non_exhaustive]
pub struct Dealt {
    /// The secret itself: nobody needs it once the shares are handed out.
    pub master_secret: MasterSecret,
    /// The public key.
    pub public_key: PublicKey,
    /// The private shares, by index.
    pub shares: Vec<PrivateShare>,
}

/// Makes a key whose secret the caller sees: for tests and for exchange with systems that deal theirs in the same way.
///
/// # Errors
/// [`KeyError::Randomness`].
pub fn deal<R: CryptoRng + ?Sized>(threshold: Threshold, rng: &mut R) -> Result<Dealt, KeyError> {
    let master = random_scalar(rng)?;
    let h = Encoded::new(mul_base(master.expose()));
    let (public_key, shares) = share(&master, h.clone(), second_generator(&h), threshold, rng)?;
    Ok(Dealt { master_secret: MasterSecret(master), public_key, shares })
}

fn share<R: CryptoRng + ?Sized>(
    master: &SecretScalar,
    h: Encoded,
    g_bar: Encoded,
    threshold: Threshold,
    rng: &mut R,
) -> Result<(PublicKey, Vec<PrivateShare>), KeyError> {
    let mut higher = Vec::with_capacity(usize::from(threshold.t()));
    for _ in 1..threshold.t() {
        higher.push(random_scalar(rng)?);
    }
    let evaluate = |index: u16| {
        let x = Scalar::from(u32::from(index) + 1);
        let value = higher.iter().rev().fold(Scalar::ZERO, |value, a| (value + a.expose()) * x);
        PrivateShare { index, v: SecretScalar::new(value + master.expose()) }
    };
    let shares: Vec<_> = (0..threshold.n()).map(evaluate).collect();
    let h_array = shares.iter().map(|share| Encoded::new(mul_base(share.v.expose()))).collect();
    Ok((PublicKey { g_bar, h, h_array }, shares))
}

fn random_scalar<R: CryptoRng + ?Sized>(rng: &mut R) -> Result<SecretScalar, KeyError> {
    Ok(SecretScalar::hedged(&*random64(rng)?, &[b"dealer"], 0))
}
