//! Points, scalars and hashes in the format's encoding.

use super::error::FormatError;
use super::json::Object;
use crate::secret::hedged_bytes;
use crate::suite::{domain, hash};
use p256::elliptic_curve::PrimeField;
use p256::elliptic_curve::ff::FromUniformBytes;
use p256::elliptic_curve::group::Group;
use p256::elliptic_curve::ops::Reduce;
use p256::elliptic_curve::point::DecompressPoint;
use p256::elliptic_curve::sec1::{FromSec1Point, ToSec1Point};
use p256::{AffinePoint, FieldBytes, ProjectivePoint, Scalar};
use sha2::{Digest, Sha256};
use subtle::Choice;
use zeroize::{Zeroize, Zeroizing};

/// The group's name, in JSON and in every hash.
pub(super) const GROUP: &str = "P256";
/// Bytes of a point: 04 ‖ x ‖ y.
pub(super) const POINT_LEN: usize = 65;

/// A point other than the identity, beside its 65 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Encoded {
    point: ProjectivePoint,
    bytes: [u8; POINT_LEN],
}

impl Encoded {
    /// Encodes a point. The identity, which has no 65 bytes, becomes zeros; nothing that is made here is the identity
    /// except with negligible probability.
    pub(super) fn new(point: ProjectivePoint) -> Self {
        let mut bytes = [0; POINT_LEN];
        let encoded = point.to_affine().to_sec1_point(false);
        bytes[..encoded.as_bytes().len()].copy_from_slice(encoded.as_bytes());
        Self { point, bytes }
    }

    /// Reads 04 ‖ x ‖ y.
    pub(super) fn from_bytes(field: &'static str, bytes: [u8; POINT_LEN]) -> Result<Self, FormatError> {
        if bytes[1..].iter().all(|byte| *byte == 0) {
            return Err(FormatError::Identity { field });
        }
        let [4, ..] = bytes else { return Err(FormatError::Point { field }) };
        let point = AffinePoint::from_sec1_bytes(&bytes).map_err(|_| FormatError::Point { field })?;
        Ok(Self { point: point.into(), bytes })
    }

    pub(super) fn read(object: &mut Object, field: &'static str) -> Result<Self, FormatError> {
        Self::from_bytes(field, *object.array(field)?)
    }

    pub(super) fn point(&self) -> &ProjectivePoint {
        &self.point
    }

    pub(super) fn bytes(&self) -> &[u8; POINT_LEN] {
        &self.bytes
    }
}

impl Zeroize for Encoded {
    fn zeroize(&mut self) {
        self.point.zeroize();
        self.bytes.zeroize();
    }
}

/// A scalar that is erased when it is dropped.
pub(super) struct SecretScalar(Zeroizing<Scalar>);

impl SecretScalar {
    pub(super) fn new(scalar: Scalar) -> Self {
        Self(Zeroizing::new(scalar))
    }

    /// Reads a secret, which is never zero.
    pub(super) fn read(object: &mut Object, field: &'static str) -> Result<Self, FormatError> {
        let scalar = Self(Zeroizing::new(read_scalar(object, field)?));
        if *scalar.0 == Scalar::ZERO { Err(FormatError::Scalar { field }) } else { Ok(scalar) }
    }

    /// H("tdh2-p256"; random64, fields…, u8 index) reduced mod n.
    pub(super) fn hedged(random: &[u8; 64], fields: &[&[u8]], index: u8) -> Self {
        Self::new(Scalar::from_uniform_bytes(&*hedged_bytes(domain::TDH2_P256, random, fields, index)))
    }

    pub(super) fn expose(&self) -> &Scalar {
        &self.0
    }

    /// Big-endian.
    pub(super) fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes().into())
    }
}

/// A canonical scalar, big-endian.
pub(super) fn read_scalar(object: &mut Object, field: &'static str) -> Result<Scalar, FormatError> {
    let bytes = object.array::<32>(field)?;
    Option::from(Scalar::from_repr((*bytes).into())).ok_or(FormatError::Scalar { field })
}

/// xG.
pub(super) fn mul_base(x: &Scalar) -> ProjectivePoint {
    ProjectivePoint::mul_by_generator(x)
}

/// aA + bB of public data.
pub(super) fn double_mul_vartime(a: &Scalar, p: &ProjectivePoint, b: &Scalar, q: &ProjectivePoint) -> ProjectivePoint {
    use p256::elliptic_curve::ops::LinearCombination;
    ProjectivePoint::lincomb_vartime(&[(*p, *a), (*q, *b)])
}

/// A generator whose logarithm nobody knows: the first counter whose hash is the x-coordinate of a point.
///
/// *Layout*: x = first 32 bytes of H("second generator"; "P256", H, u32 counter); of the two points the one with even y.
/// The format leaves open how Ḡ is chosen and carries it in every public key.
/// *Security*: H is in no challenge of the format, so a ciphertext verifies under every key that has its Ḡ. One Ḡ per H
/// keeps keys apart.
pub(super) fn second_generator(h: &Encoded) -> Encoded {
    let candidate = |counter: u32| {
        let wide = hash(domain::SECOND_GENERATOR, &[GROUP.as_bytes(), h.bytes(), &counter.to_be_bytes()]);
        let x = wide.first_chunk::<32>().copied()?;
        Option::<AffinePoint>::from(AffinePoint::decompress(&x.into(), Choice::from(0)))
    };
    let point = (0..=u32::MAX).find_map(candidate).expect("half of all x-coordinates have a point");
    Encoded::new(point.into())
}

/// SHA-256(tag ‖ before… ‖ "P256" ‖ for each point "," ‖ hex).
fn digest(tag: &str, before: &[&[u8]], points: &[&Encoded]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(tag);
    before.iter().for_each(|field| hasher.update(field));
    hasher.update(GROUP);
    for point in points {
        hasher.update(b",");
        hasher.update(&*lower_hex(point.bytes()));
    }
    hasher.finalize().into()
}

fn lower_hex(bytes: &[u8; POINT_LEN]) -> Zeroizing<[u8; 2 * POINT_LEN]> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = Zeroizing::new([0; 2 * POINT_LEN]);
    for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    }
    text
}

/// H1: the pad of a message.
pub(super) fn pad(k: &Encoded) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(digest("tdh2hash1", &[], &[k]))
}

/// H2: the challenge of a ciphertext.
pub(super) fn ciphertext_challenge(c: &[u8; 32], label: &[u8; 32], points: [&Encoded; 4]) -> Scalar {
    reduce(digest("tdh2hash2", &[c, label], &points))
}

/// H4: the challenge of a decryption share.
pub(super) fn share_challenge(points: [&Encoded; 3]) -> Scalar {
    reduce(digest("tdh2hash4", &[], &points))
}

fn reduce(bytes: [u8; 32]) -> Scalar {
    <Scalar as Reduce<FieldBytes>>::reduce(&bytes.into())
}
