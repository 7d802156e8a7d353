//! Secrets: scalars that are erased, randomness that is checked, nonces that survive a cloned machine.
//!
//! *Source*: `docs/spec/encryption.md`, section *Secrets*. No type here is `Copy`, `Clone` or `Debug`. The
//! scalars and points of curve25519-dalek are `Copy`, so erasing them is best effort.

use crate::suite::{domain, hash};
use alloc::vec::Vec;
use core::convert::Infallible;
use curve25519_dalek::Scalar;
use rand_core::{CryptoRng, TryCryptoRng, TryRng};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// The generator gave bytes that no working generator gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the random generator repeats itself")]
pub struct RandomnessError;

/// A scalar that is erased when it is dropped.
pub(crate) struct SecretScalar(Scalar);

impl SecretScalar {
    /// Takes the scalar into custody.
    pub(crate) fn new(scalar: Scalar) -> Self {
        Self(scalar)
    }

    /// The scalar, for arithmetic.
    pub(crate) fn expose(&self) -> &Scalar {
        &self.0
    }

    /// Its 32 bytes, little-endian.
    pub(crate) fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }
}

impl Drop for SecretScalar {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Σ of the scalars.
pub(crate) fn sum(scalars: &[SecretScalar]) -> SecretScalar {
    SecretScalar::new(scalars.iter().fold(Scalar::ZERO, |total, scalar| total + scalar.expose()))
}

/// Sixty-four random bytes.
///
/// # Errors
/// [`RandomnessError`] when both halves agree: a generator that is stuck, or that returns zeros.
pub(crate) fn random64<R: CryptoRng + ?Sized>(rng: &mut R) -> Result<Zeroizing<[u8; 64]>, RandomnessError> {
    let mut bytes = Zeroizing::new([0; 64]);
    rng.fill_bytes(bytes.as_mut_slice());
    let (low, high) = bytes.split_at(32);
    if bool::from(low.ct_eq(high)) { Err(RandomnessError) } else { Ok(bytes) }
}

/// A uniform scalar: 64 random bytes reduced mod ℓ.
///
/// # Errors
/// [`RandomnessError`].
pub(crate) fn random_scalar<R: CryptoRng + ?Sized>(rng: &mut R) -> Result<SecretScalar, RandomnessError> {
    Ok(SecretScalar::new(Scalar::from_bytes_mod_order_wide(&*random64(rng)?)))
}

/// H(label; random64, fields…, u8 index) reduced mod ℓ: two machines that draw the same bytes still get
/// different scalars unless they say the same thing.
pub(crate) fn hedged_scalar(label: &str, random: &[u8; 64], fields: &[&[u8]], index: u8) -> SecretScalar {
    let wide = hedged_bytes(label, random, fields, index);
    SecretScalar::new(Scalar::from_bytes_mod_order_wide(&wide))
}

/// The nonce of a proof: H("nonce"; random64, secret, statement…, u8 index) reduced mod ℓ.
pub(crate) fn proof_nonce(random: &[u8; 64], secret: &SecretScalar, statement: &[&[u8]], index: u8) -> SecretScalar {
    let secret = secret.to_bytes();
    let mut fields: Vec<&[u8]> = Vec::with_capacity(statement.len() + 1);
    fields.push(secret.as_slice());
    fields.extend_from_slice(statement);
    hedged_scalar(domain::NONCE, random, &fields, index)
}

/// H(label; random64, fields…, u8 index): 64 bytes from which a scalar of any group is reduced.
pub(crate) fn hedged_bytes(label: &str, random: &[u8; 64], fields: &[&[u8]], index: u8) -> Zeroizing<[u8; 64]> {
    let index = [index];
    let mut all: Vec<&[u8]> = Vec::with_capacity(fields.len() + 2);
    all.push(random);
    all.extend_from_slice(fields);
    all.push(&index);
    Zeroizing::new(hash(label, &all))
}

/// A generator for libraries that ask for one: block j is H("nonce"; seed, u32 j), where the seed is
/// H(label; random64, fields…, u8 0).
///
/// *Security*: for one ephemeral key or one dealing: it repeats after 2³² blocks.
pub(crate) struct HedgedRng {
    seed: Zeroizing<[u8; 64]>,
    block: u32,
}

impl HedgedRng {
    pub(crate) fn new(label: &str, random: &[u8; 64], fields: &[&[u8]]) -> Self {
        Self { seed: hedged_bytes(label, random, fields, 0), block: 0 }
    }

    fn next_block(&mut self) -> Zeroizing<[u8; 64]> {
        let block = Zeroizing::new(hash(domain::NONCE, &[self.seed.as_slice(), &self.block.to_be_bytes()]));
        self.block = self.block.wrapping_add(1);
        block
    }
}

impl TryRng for HedgedRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        for chunk in dst.chunks_mut(64) {
            chunk.copy_from_slice(&self.next_block()[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for HedgedRng {}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stuck(u8);

    impl TryRng for Stuck {
        type Error = Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            Ok(u32::from(self.0))
        }
        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            Ok(u64::from(self.0))
        }
        fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
            dst.fill(self.0);
            Ok(())
        }
    }

    impl TryCryptoRng for Stuck {}

    #[test]
    fn a_stuck_generator_is_refused() {
        assert_eq!(random64(&mut Stuck(0)).err(), Some(RandomnessError));
        assert_eq!(random_scalar(&mut Stuck(7)).err(), Some(RandomnessError));
    }

    /// Seeds and shares pass through it.
    #[test]
    fn the_state_of_the_hash_is_erased() {
        fn erased<T: zeroize::ZeroizeOnDrop>() {}
        erased::<sha2::Sha512>();
    }

    #[test]
    fn same_randomness_with_another_statement_is_another_nonce() {
        let secret = SecretScalar::new(Scalar::from(5u8));
        let one = proof_nonce(&[1; 64], &secret, &[b"a"], 0);
        assert_ne!(one.expose(), proof_nonce(&[1; 64], &secret, &[b"b"], 0).expose());
        assert_ne!(one.expose(), proof_nonce(&[1; 64], &secret, &[b"a"], 1).expose());
    }

    #[test]
    fn nonces_are_the_recorded_ones() {
        use crate::support::{array, list, number, text, vectors};
        let file = vectors("encoding");
        let case = &file["nonce"];
        let fields: Vec<_> =
            list(case, "statement").iter().map(|f| hex::decode(f.as_str().unwrap()).unwrap()).collect();
        let secret = SecretScalar::new(Scalar::from_canonical_bytes(array(case, "secret")).unwrap());
        let statement: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        let index = u8::try_from(number(case, "index")).unwrap();
        let nonce = proof_nonce(&array(case, "random64"), &secret, &statement, index);
        assert_eq!(hex::encode(nonce.to_bytes().as_slice()), text(case, "scalar"));
    }
}
