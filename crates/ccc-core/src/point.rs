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
