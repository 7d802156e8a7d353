//! The libraries that we measure against, each used as its documentation says.
//!
//! threshold_crypto 0.4 and, with feature `bls`, blsttc 8: Baek–Zheng on BLS12-381. Their shares carry no proof and are
//! checked by pairings. frost-ristretto255 3: key generation in the same group as ours; see [`frost`].

pub mod frost;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// A threshold-encryption library with a key, a ciphertext of 32 bytes and t shares of it.
pub trait Peer {
    /// As it stands in the table.
    fn name(&self) -> &'static str;
    /// Encrypts 32 bytes.
    fn encrypt(&self);
    /// Checks the ciphertext.
    fn verify(&self);
    /// Makes one share of a ciphertext that was checked before.
    fn share(&self);
    /// Checks the ciphertext and makes one share.
    fn check_and_share(&self);
    /// Checks t shares, one after the other: there is no batch.
    fn verify_shares(&self);
    /// Combines t shares and opens.
    fn combine(&self);
    /// Deals to n participants, their public shares included.
    fn deal(&self, n: u16);
}

/// Every peer, with threshold t.
#[must_use]
pub fn all(t: u16) -> Vec<Box<dyn Peer>> {
    vec![
        Box::new(old::Library::new(t)),
        #[cfg(feature = "bls")]
        Box::new(blst::Library::new(t)),
    ]
}

/// Two hundred and fifty-two bits, below either group's order.
fn coefficient(rng: &mut ChaCha20Rng) -> [u64; 4] {
    [rng.next_u64(), rng.next_u64(), rng.next_u64(), rng.next_u64() >> 4]
}

macro_rules! peer {
    ($module:ident, $name:literal, $library:ident, $field:expr, $refer:expr) => {
        mod $module {
            use super::{ChaCha20Rng, Peer, SeedableRng, coefficient};
            use crate::MESSAGE;
            use std::collections::BTreeMap;
            use std::hint::black_box;
            use $library::{
                Ciphertext, DecryptionShare, Fr, PublicKeySet, PublicKeyShare, SecretKeySet, SecretKeyShare, poly::Poly,
            };

            pub(super) struct Library {
                coefficients: Vec<Fr>,
                public: PublicKeySet,
                first: SecretKeyShare,
                ciphertext: Ciphertext,
                keys: Vec<PublicKeyShare>,
                shares: BTreeMap<usize, DecryptionShare>,
            }

            impl Library {
                pub(super) fn new(t: u16) -> Self {
                    let mut rng = ChaCha20Rng::seed_from_u64(2);
                    let coefficients: Vec<Fr> = (0..t).map(|_| $field(coefficient(&mut rng))).collect();
                    let secret = SecretKeySet::from(Poly::from(coefficients.clone()));
                    let public = secret.public_keys();
                    let ciphertext = public.public_key().encrypt(MESSAGE);
                    let ids = 0..usize::from(t);
                    let share = |i| (i, secret.secret_key_share(i).decrypt_share_no_verify(&ciphertext));
                    Self {
                        keys: ids.clone().map(|i| public.public_key_share(i)).collect(),
                        shares: ids.map(share).collect(),
                        first: secret.secret_key_share(0usize),
                        coefficients,
                        public,
                        ciphertext,
                    }
                }
            }

            impl Peer for Library {
                fn name(&self) -> &'static str {
                    $name
                }

                fn encrypt(&self) {
                    black_box(self.public.public_key().encrypt(MESSAGE));
                }

                fn verify(&self) {
                    assert!(black_box(&self.ciphertext).verify());
                }

                fn share(&self) {
                    black_box(self.first.decrypt_share_no_verify(&self.ciphertext));
                }

                fn check_and_share(&self) {
                    black_box(self.first.decrypt_share(&self.ciphertext).unwrap());
                }

                fn verify_shares(&self) {
                    let valid =
                        |(i, share): (&usize, _)| self.keys[*i].verify_decryption_share(share, &self.ciphertext);
                    assert!(black_box(&self.shares).iter().all(valid));
                }

                fn combine(&self) {
                    black_box(self.public.decrypt($refer(&self.shares), &self.ciphertext).unwrap());
                }

                fn deal(&self, n: u16) {
                    let secret = SecretKeySet::from(Poly::from(black_box(&self.coefficients).clone()));
                    black_box(secret.public_keys());
                    for i in 0..usize::from(n) {
                        black_box(secret.secret_key_share(i).public_key_share());
                    }
                }
            }
        }
    };
}

fn pairing_scalar(limbs: [u64; 4]) -> threshold_crypto::Fr {
    use threshold_crypto::ff::PrimeField;
    threshold_crypto::Fr::from_repr(threshold_crypto::FrRepr(limbs)).unwrap()
}

peer!(old, "threshold_crypto", threshold_crypto, super::pairing_scalar, std::convert::identity);

#[cfg(feature = "bls")]
fn blst_scalar(limbs: [u64; 4]) -> blsttc::Fr {
    Option::from(blsttc::Fr::from_u64s_le(&limbs)).unwrap()
}

#[cfg(feature = "bls")]
fn by_value<T>(shares: &std::collections::BTreeMap<usize, T>) -> impl Iterator<Item = (usize, &T)> {
    shares.iter().map(|(i, share)| (*i, share))
}

#[cfg(feature = "bls")]
peer!(blst, "blsttc", blsttc, super::blst_scalar, super::by_value);
