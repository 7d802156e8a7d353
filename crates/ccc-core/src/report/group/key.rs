//! The group's key and signature, and their bytes: compressed, and as the precompiles read them.

use super::GroupError;
use blsttc::{G1Affine, G2Affine, PublicKey, Signature};

/// Bytes of a compressed key.
pub const GROUP_KEY_LEN: usize = blsttc::PK_SIZE;
/// Bytes of a compressed signature.
pub const GROUP_SIGNATURE_LEN: usize = blsttc::SIG_SIZE;

/// Bytes of a coordinate, and of the word in which EIP-2537 puts it.
const COORDINATE: usize = 48;
const PADDED: usize = 64;
/// Second bit of a compressed point: it is the identity.
pub(super) const IDENTITY: u8 = 0x40;

/// The key of a group: a point of G1, never the identity.
///
/// *Layout*: 48 bytes, compressed. For the chain 128 bytes, x ‖ y, each 16 zeros and 48 bytes, big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupKey(PublicKey);

/// The signature of a group: a point of G2, never the identity.
///
/// *Layout*: 96 bytes, compressed. For the chain 256 bytes, x.c0 ‖ x.c1 ‖ y.c0 ‖ y.c1, each 16 zeros and 48 bytes,
/// big-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSignature(Signature);

impl GroupKey {
    /// Reads the 48 bytes.
    ///
    /// # Errors
    /// [`GroupError::Key`], [`GroupError::Identity`].
    pub fn from_bytes(bytes: &[u8; GROUP_KEY_LEN]) -> Result<Self, GroupError> {
        Self::new(PublicKey::from_bytes(*bytes).map_err(|_| GroupError::Key)?)
    }

    pub(super) fn new(key: PublicKey) -> Result<Self, GroupError> {
        if key.to_bytes()[0] & IDENTITY == 0 { Ok(Self(key)) } else { Err(GroupError::Identity { what: "key" }) }
    }

    /// The 48 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; GROUP_KEY_LEN] {
        self.0.to_bytes()
    }

    /// The 128 bytes that the forwarder takes.
    #[must_use]
    pub fn to_eip2537(&self) -> [u8; 2 * PADDED] {
        let mut out = [0; 2 * PADDED];
        pad(&G1Affine::from(self.0).to_uncompressed(), [0, 1], &mut out);
        out
    }

    /// Whether the group signed these bytes.
    ///
    /// # Errors
    /// [`GroupError::NotTheGroups`].
    pub fn verify(&self, message: &[u8], signature: &GroupSignature) -> Result<(), GroupError> {
        if self.0.verify(&signature.0, message) { Ok(()) } else { Err(GroupError::NotTheGroups) }
    }
}

impl GroupSignature {
    /// Reads the 96 bytes.
    ///
    /// # Errors
    /// [`GroupError::Signature`], [`GroupError::Identity`].
    pub fn from_bytes(bytes: &[u8; GROUP_SIGNATURE_LEN]) -> Result<Self, GroupError> {
        Self::new(Signature::from_bytes(*bytes).map_err(|_| GroupError::Signature)?)
    }

    pub(super) fn new(signature: Signature) -> Result<Self, GroupError> {
        match signature.to_bytes()[0] & IDENTITY {
            0 => Ok(Self(signature)),
            _ => Err(GroupError::Identity { what: "signature" }),
        }
    }

    /// The 96 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; GROUP_SIGNATURE_LEN] {
        self.0.to_bytes()
    }

    /// The 256 bytes that the forwarder takes. Compressed forms write c1 first, the precompiles read c0 first.
    #[must_use]
    pub fn to_eip2537(&self) -> [u8; 4 * PADDED] {
        let mut out = [0; 4 * PADDED];
        let point = Option::<G2Affine>::from(G2Affine::from_compressed(&self.to_bytes()));
        let point = point.expect("a signature is a point of G2, and this is its own encoding");
        pad(&point.to_uncompressed(), [1, 0, 3, 2], &mut out);
        out
    }
}

/// Coordinates in the order given, each behind 16 zeros.
fn pad<const N: usize>(coordinates: &[u8], order: [usize; N], out: &mut [u8]) {
    for (from, to) in order.into_iter().zip(out.chunks_exact_mut(PADDED)) {
        to[PADDED - COORDINATE..].copy_from_slice(&coordinates[from * COORDINATE..][..COORDINATE]);
    }
}
