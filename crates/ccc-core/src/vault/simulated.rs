//! A participant that lies, for simulations and tests. No honest participant needs any of this.

use super::recipient::Recipient;
use super::request::Request;
use super::sealed::{SealError, SealedShare, seal_made};
use super::share::Shares;
use super::statement::Statement;
use crate::ciphertext::VerifiedCiphertext;
use crate::keys::{Committee, KeyShare};
use rand_core::CryptoRng;

/// Wrong shares under a right seal: D_1 is the proof's A. They are read, and their proof does not verify, so that an
/// enclave that opens them names their sender.
///
/// # Errors
/// As [`seal`](super::sealed::seal).
pub fn seal_wrong<R: CryptoRng + ?Sized>(
    key: &KeyShare,
    committee: &Committee,
    request: &Request,
    recipient: &Recipient,
    ciphertexts: &[VerifiedCiphertext],
    rng: &mut R,
) -> Result<SealedShare, SealError> {
    let statement = Statement::new(committee, request, Some(&recipient.digest()), ciphertexts)?;
    let made = Shares::answer(key, &statement, rng)?;
    let (mut bytes, m) = (made.to_bytes(), ciphertexts.len());
    bytes.copy_within(32 * m..32 * (m + 1), 0);
    let wrong = Shares::from_bytes(&bytes, m).expect("A is an element other than the identity, as D_1 has to be");
    seal_made(key, &wrong, &statement, recipient, rng)
}
