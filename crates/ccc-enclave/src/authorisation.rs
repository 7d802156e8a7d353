//! A table account's signature, inside a ciphertext.
//!
//! The address that submits a ciphertext is public; the table account that it speaks for is not. So the
//! account, an Ethereum-style address, signs its instruction with secp256k1, and the ciphertext's label is
//! under the signature: an instruction cannot be moved to another submitter, contract or chain.
//!
//! *Layout*: r 32 ‖ s 32 ‖ v 1, v ∈ {0, 1}, low s; message digest32 H("authorisation"; label 129, unsigned
//! instruction), signed as a prehash.

use ccc_core::{
    ciphertext::Label,
    suite::{self, domain},
};
use k256::ecdsa::{RecoveryId, Signature, SigningKey, VerifyingKey};
use sha3::{Digest, Keccak256};
use zeroize::Zeroizing;

/// The secret key of a table account.
///
/// *Security*: no `Clone`, no `Debug`; the key is erased on drop by its own type.
pub struct AccountKey(SigningKey);

/// Why a signature does not speak for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorisationError {
    /// Not a signature at all.
    #[error("not a signature")]
    Malformed,
    /// s in the upper half of the order: the same signature has a second form.
    #[error("a signature with a high s")]
    HighS,
    /// A signature by somebody else.
    #[error("signed by another account")]
    OtherAccount,
}

impl AccountKey {
    /// A key from 32 secret bytes.
    ///
    /// # Errors
    /// [`AuthorisationError::Malformed`] for zero or a value at or above the order.
    pub fn from_bytes(bytes: &Zeroizing<[u8; 32]>) -> Result<Self, AuthorisationError> {
        SigningKey::from_slice(bytes.as_slice()).map(Self).map_err(|_| AuthorisationError::Malformed)
    }

    /// The account: the last 20 bytes of keccak256 of the public key.
    #[must_use]
    pub fn account(&self) -> [u8; 20] {
        address(self.0.verifying_key())
    }

    /// Signs an instruction under a label.
    #[must_use]
    pub fn sign(&self, label: &Label, unsigned: &[u8]) -> [u8; 65] {
        let (signature, recovery) = self.0.sign_prehash_recoverable(&message(label, unsigned));
        let mut out = [0; 65];
        out[..64].copy_from_slice(&signature.to_bytes());
        out[64] = recovery.to_byte();
        out
    }
}

/// A signature from which a key can be recovered whatever it is said to sign: r of the generator, s = 1.
pub(crate) const NOBODYS: [u8; 65] = {
    let mut signature = [0; 65];
    let (words, _) = signature.as_chunks_mut::<16>();
    words[0] = 0x79BE_667E_F9DC_BBAC_55A0_6295_CE87_0B07_u128.to_be_bytes();
    words[1] = 0x029B_FCDB_2DCE_28D9_59F2_815B_16F8_1798_u128.to_be_bytes();
    words[3] = 1_u128.to_be_bytes();
    signature
};

/// Checks that `account` signed an instruction under a label.
///
/// *Timing*: one key is recovered whatever the signature is; where it gives none, a fixed one takes its place.
///
/// # Errors
/// [`AuthorisationError`].
pub fn check(
    account: &[u8; 20],
    label: &Label,
    unsigned: &[u8],
    signature: &[u8; 65],
) -> Result<(), AuthorisationError> {
    let message = message(label, unsigned);
    let signer = recover(&message, signature);
    if signer.is_err() {
        let _ = core::hint::black_box(recover(&message, &NOBODYS));
    }
    if signer? == *account { Ok(()) } else { Err(AuthorisationError::OtherAccount) }
}

/// The account of the key that made a signature.
fn recover(message: &[u8; 32], signature: &[u8; 65]) -> Result<[u8; 20], AuthorisationError> {
    let parsed = Signature::from_slice(&signature[..64]).map_err(|_| AuthorisationError::Malformed)?;
    if parsed.normalize_s() != parsed {
        return Err(AuthorisationError::HighS);
    }
    if signature[64] > 1 {
        return Err(AuthorisationError::Malformed);
    }
    let recovery = RecoveryId::from_byte(signature[64]).ok_or(AuthorisationError::Malformed)?;
    let key =
        VerifyingKey::recover_from_prehash(message, &parsed, recovery).map_err(|_| AuthorisationError::Malformed)?;
    #[cfg(test)]
    RECOVERIES.set(RECOVERIES.get() + 1);
    Ok(address(&key))
}

#[cfg(test)]
std::thread_local! {
    static RECOVERIES: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// How many keys `work` recovers, and what it returns.
#[cfg(test)]
pub(crate) fn recoveries<T>(work: impl FnOnce() -> T) -> (u32, T) {
    let before = RECOVERIES.get();
    let returned = work();
    (RECOVERIES.get() - before, returned)
}

fn message(label: &Label, unsigned: &[u8]) -> [u8; 32] {
    suite::digest32(domain::AUTHORISATION, &[&label.to_bytes(), unsigned])
}

fn address(key: &VerifyingKey) -> [u8; 20] {
    let point = key.to_sec1_point(false);
    let hash = Keccak256::digest(&point.as_bytes()[1..]);
    let mut address = [0; 20];
    address.copy_from_slice(&hash[12..]);
    address
}

#[cfg(test)]
mod tests {
    use super::*;
    use ccc_core::ciphertext::LabelKind;

    fn label(requester: u8) -> Label {
        Label {
            kind: LabelKind::Recipient,
            chain: 1,
            contract: [2; 20],
            id: [3; 32],
            version: 0,
            requester: [requester; 20],
            expiry: 9,
            context: [0; 32],
        }
    }

    #[test]
    fn a_signature_speaks_for_one_account_one_label_and_one_instruction() {
        let key = AccountKey::from_bytes(&Zeroizing::new([7; 32])).expect("a key");
        let signature = key.sign(&label(1), b"instruction");
        assert_eq!(check(&key.account(), &label(1), b"instruction", &signature), Ok(()));
        assert_eq!(check(&[1; 20], &label(1), b"instruction", &signature), Err(AuthorisationError::OtherAccount));
        assert!(check(&key.account(), &label(2), b"instruction", &signature).is_err());
        assert!(check(&key.account(), &label(1), b"instructioN", &signature).is_err());
        for byte in 0..65 {
            let mut bent = signature;
            bent[byte] ^= 1;
            assert!(check(&key.account(), &label(1), b"instruction", &bent).is_err(), "byte {byte}");
        }
    }

    #[test]
    fn nobodys_signature_is_a_signature_of_whatever_it_is_put_under() {
        for instruction in [b"instruction".as_slice(), b""] {
            let checked = check(&[0; 20], &label(1), instruction, &NOBODYS);
            assert_eq!(checked, Err(AuthorisationError::OtherAccount));
        }
    }

    #[test]
    fn zero_is_not_a_key() {
        assert_eq!(AccountKey::from_bytes(&Zeroizing::new([0; 32])).err(), Some(AuthorisationError::Malformed));
    }
}
