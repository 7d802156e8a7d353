//! A group element beside its 32 bytes, so that nothing is encoded twice.

use crate::encoding::{EncodingError, Reader};
use curve25519_dalek::RistrettoPoint;
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

    /// Encodes twice each element: for several at once, one inversion serves all.
    pub(crate) fn doubles<const N: usize>(halves: [RistrettoPoint; N]) -> [Self; N] {
        let encodings = RistrettoPoint::double_and_compress_batch(&halves);
        std::array::from_fn(|k| Self { point: halves[k] + halves[k], bytes: encodings[k].to_bytes() })
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
    fn elements_encoded_together_are_those_encoded_alone() {
        let halves = [0u8, 1, 2, 77].map(|k| RistrettoPoint::mul_base(&Scalar::from(k)));
        assert_eq!(Encoded::doubles(halves), halves.map(|half| Encoded::new(half + half)));
    }
}
