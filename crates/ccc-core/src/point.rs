//! A group element beside its 32 bytes, so that nothing is encoded twice.
//!
//! *Source*: ristretto255, RFC 9496; decoding refuses what section 4.3.1 refuses.

use crate::encoding::{EncodingError, Reader};
use alloc::vec::Vec;
use curve25519_dalek::RistrettoPoint;
use curve25519_dalek::ristretto::CompressedRistretto;
use zeroize::Zeroize;

/// A ristretto255 element and its canonical encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Encoded {
    point: RistrettoPoint,
    bytes: [u8; 32],
}

impl Encoded {
    /// Encodes the element.
    pub(crate) fn new(point: RistrettoPoint) -> Self {
        Self { point, bytes: point.compress().to_bytes() }
    }

    /// Encodes 2P for each P: one inversion serves all, where each encoding of its own takes an inverse square root.
    ///
    /// *Timing*: constant in the points. *Security*: copies of the points stay in freed memory, so they must be such as
    /// are published.
    pub(crate) fn doubles<const N: usize>(halves: [RistrettoPoint; N]) -> [Self; N] {
        let encodings = RistrettoPoint::double_and_compress_batch(&halves);
        core::array::from_fn(|k| Self { point: halves[k] + halves[k], bytes: encodings[k].to_bytes() })
    }

    /// [`Encoded::doubles`] of any number.
    pub(crate) fn all_doubles(halves: &[RistrettoPoint]) -> Vec<Self> {
        let encodings = RistrettoPoint::double_and_compress_batch(halves);
        let double = |(half, bytes): (&RistrettoPoint, CompressedRistretto)| Self {
            point: half + half,
            bytes: bytes.to_bytes(),
        };
        halves.iter().zip(encodings).map(double).collect()
    }

    /// Reads a canonical element other than the identity.
    pub(crate) fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, EncodingError> {
        let bytes = reader.clone().array(what)?;
        Ok(Self { point: reader.point(what)?, bytes })
    }

    /// Reads a canonical element, the identity allowed.
    pub(crate) fn read_or_identity(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, EncodingError> {
        let bytes = reader.clone().array(what)?;
        Ok(Self { point: reader.point_or_identity(what)?, bytes })
    }

    /// The element.
    pub(crate) fn point(&self) -> &RistrettoPoint {
        &self.point
    }

    /// Its encoding.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
}

/// The 32 bytes of a proof's commitment, decoded where the proof is checked: a combination that opens checks none.
///
/// *Security*: bytes that encode no element stay bytes until then; no proof with them verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claimed([u8; 32]);

impl Claimed {
    /// Encodes an element of one's own.
    pub(crate) fn of(point: &RistrettoPoint) -> Self {
        Self(point.compress().to_bytes())
    }

    pub(crate) fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, EncodingError> {
        reader.array(what).map(Self)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The element, if the bytes are the encoding of one; the identity is.
    pub(crate) fn decode(&self) -> Option<RistrettoPoint> {
        CompressedRistretto(self.0).decompress()
    }
}

impl Zeroize for Encoded {
    fn zeroize(&mut self) {
        self.point.zeroize();
        self.bytes.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::Scalar;

    #[test]
    fn doubles_are_encoded_as_each_alone() {
        let points = [0u8, 1, 2, 77].map(|x| RistrettoPoint::mul_base(&Scalar::from(x)));
        assert_eq!(Encoded::doubles(points), points.map(|point| Encoded::new(point + point)));
        let halved = points.map(|point| point * Scalar::ONE.div_by_2());
        assert_eq!(Encoded::doubles(halved), points.map(Encoded::new));
        assert_eq!(Encoded::all_doubles(&halved), points.map(Encoded::new));
        assert_eq!(Encoded::all_doubles(&[]), []);
    }
}
