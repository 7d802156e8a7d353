//! Chainlink's `tdh2` and `tdh2easy` formats: TDH2 over NIST P-256 with SHA-256, and its hybrid with AES-256-GCM, as JSON.
//!
//! For reading and writing their keys, ciphertexts and shares. What this module writes, their library reads, and the
//! other way round; where their encoding is deterministic it is the same byte for byte.
//!
//! | JSON | type | deterministic |
//! |---|---|---|
//! | public key | [`PublicKey`] | yes |
//! | private share, master secret | [`PrivateShare`], [`MasterSecret`] | yes |
//! | raw ciphertext of 32 bytes | [`Ciphertext`] | but for its randomness |
//! | hybrid ciphertext | [`easy::Ciphertext`] | but for its randomness |
//! | decryption share | [`DecryptionShare`] | but for its nonce |
//!
//! *Source*: Shoup and Gennaro, *Securing threshold cryptosystems against chosen ciphertext attack*, scheme TDH2, in the
//! form that the format fixes. `docs/spec/tdh2.md` has the layouts, the hash inputs and a comparison with the native form.
//!
//! *Security*: properties of the format, which no reader of it can change:
//! - The challenge of a decryption share covers the share and the two commitments. It covers neither the ciphertext nor
//!   the participant's index, verification key or label. A verified share shows less than a verified native share does.
//! - The proof of a hybrid ciphertext covers the wrapped key and the label. Body and nonce lie outside it.
//! - AES-GCM does not commit to its key. Which plaintext a ciphertext has is not fixed before it is opened.
//! - H is in no challenge. A ciphertext's proof belongs to a public key through Ḡ alone; [`deal`] derives Ḡ from H.
//! - The label is 32 bytes without structure: no chain, contract, kind or expiry.
//!
//! None of this helps whoever holds fewer than k shares and is given no other. But shares are shares of the wrapped key:
//! they open every hybrid ciphertext that carries it, and the same wrapped key under another body is valid too. So a
//! hybrid is not secure against chosen ciphertexts if its body or its digest has a say in who gets shares: that decision
//! MUST rest on the wrapped key and its label alone. Besides, agreement among those who open a ciphertext is not promised
//! where its author colludes with a holder of a share. [`combine`] refuses shares that contradict each
//! other when it is given more than k of them; with exactly k there is nothing to compare. What must bind uses
//! [`crate::ciphertext`].
//!
//! ```
//! use ccc_core::{compat::tdh2_p256::{DecryptionShare, deal, easy}, threshold::Threshold};
//! # use rand::{SeedableRng, rngs::StdRng};
//! # fn main() -> Result<(), Box<dyn core::error::Error>> {
//! # let mut rng = StdRng::seed_from_u64(1);
//! let dealt = deal(Threshold::new(3, 5)?, &mut rng)?;
//! let ciphertext = easy::Ciphertext::encrypt(&dealt.public_key, &[0; 32], b"a message", &mut rng)?;
//! let json = ciphertext.to_json();
//!
//! let verified = easy::Ciphertext::from_json(json.as_bytes())?.verify(&dealt.public_key)?;
//! let mut shares = Vec::new();
//! for private in &dealt.shares[1..4] {
//!     shares.push(DecryptionShare::create(private, verified.wrapped(), &mut rng)?);
//! }
//! let opened = verified.open(dealt.public_key.threshold()?, &shares)?;
//! assert_eq!(opened.plaintext.as_slice(), b"a message");
//! # Ok(())
//! # }
//! ```

mod base64;
mod ciphertext;
mod combine;
pub mod easy;
mod error;
mod group;
mod json;
mod keys;
mod polynomial;
mod share;

pub use ciphertext::{Ciphertext, VerifiedCiphertext};
pub use combine::{Combined, combine};
pub use error::{CiphertextError, CombineError, FormatError, KeyError, ShareError};
pub use keys::{Dealt, MasterSecret, PrivateShare, PublicKey, deal};
pub use share::DecryptionShare;

/// Bytes of a message and of a label.
pub const INPUT_LEN: usize = 32;

#[cfg(test)]
mod tests;
