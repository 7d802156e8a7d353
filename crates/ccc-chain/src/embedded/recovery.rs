//! Who made a signature.
//!
//! alloy and revm recover with k256 0.13, which multiplies in constant time although nothing is secret here, and verifies
//! what it has just recovered. The line of k256 that the reports use does neither, and takes a fraction of the time.

use alloy::{
    consensus::TxEnvelope,
    primitives::{Address, U256, uint},
};
use ccc_core::report::{Signature65, SignatureFault};
use revm::{
    install_crypto,
    precompile::{Crypto, PrecompileHalt},
};

/// The order of the group of secp256k1.
const ORDER: U256 = uint!(0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141_U256);

/// The greatest low s (EIP-2).
const MOST_LOW: U256 = uint!(0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0_U256);

/// Who signed a transaction; s is low.
///
/// # Errors
/// [`SignatureFault`].
pub(super) fn sender(transaction: &TxEnvelope) -> Result<Address, SignatureFault> {
    let signature = transaction.signature();
    let encoded = encoded(signature.r(), signature.s(), u8::from(signature.v()));
    Signature65::from_bytes(&encoded)?.recover(&transaction.signature_hash().0).map(Address::from)
}

/// Lets every EVM of this process recover as [`Precompiles`] does.
pub(super) fn install() {
    // who comes second finds the same installed
    install_crypto(Precompiles);
}

/// The precompiled contracts, of which ECRECOVER is ours.
#[derive(Debug)]
struct Precompiles;

impl Crypto for Precompiles {
    fn secp256k1_ecrecover(
        &self,
        signature: &[u8; 64],
        recovery: u8,
        digest: &[u8; 32],
    ) -> Result<[u8; 32], PrecompileHalt> {
        recovered(signature, recovery, digest).ok_or(PrecompileHalt::Secp256k1RecoverFailed)
    }
}

/// The contract takes both twins of a signature.
fn recovered(signature: &[u8; 64], recovery: u8, digest: &[u8; 32]) -> Option<[u8; 32]> {
    let (r, s) = signature.split_at(32);
    let [r, s] = [r, s].map(U256::from_be_slice);
    let (s, recovery) = if s > MOST_LOW { (ORDER.checked_sub(s)?, recovery ^ 1) } else { (s, recovery) };
    let address = Signature65::from_bytes(&encoded(r, s, recovery)).ok()?.recover(digest).ok()?;
    Some(Address::from(address).into_word().0)
}

fn encoded(r: U256, s: U256, recovery: u8) -> [u8; 65] {
    let mut bytes = [recovery; 65];
    bytes[..32].copy_from_slice(&r.to_be_bytes::<32>());
    bytes[32..64].copy_from_slice(&s.to_be_bytes::<32>());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Wallet;
    use alloy::{
        consensus::{SignableTransaction, Transaction as _, TxEip1559, TxLegacy, transaction::SignerRecoverable},
        primitives::{Signature, keccak256},
    };
    use revm::precompile::DefaultCrypto;

    fn wallet(n: u8) -> Wallet {
        Wallet::from_key(&keccak256([n]).0).expect("a hash is a scalar")
    }

    /// The signature and its twin with the other s, which has the other recovery.
    fn twins(signature: &Signature) -> [([u8; 64], u8); 2] {
        let halves = |s| {
            let [bytes @ .., _] = encoded(signature.r(), s, 0);
            bytes
        };
        let v = u8::from(signature.v());
        [(halves(signature.s()), v), (halves(ORDER - signature.s()), v ^ 1)]
    }

    #[test]
    fn contract_recovers_as_the_one_of_revm() {
        for n in 1..=16u8 {
            let digest = keccak256([n, 1]);
            let signature = wallet(n).sign_hash(&digest).expect("a wallet signs");
            for (bytes, recovery) in twins(&signature) {
                let found = Precompiles.secp256k1_ecrecover(&bytes, recovery, &digest.0).expect("a signature");
                assert_eq!(found, wallet(n).address().into_word().0);
                assert_eq!(found, DefaultCrypto.secp256k1_ecrecover(&bytes, recovery, &digest.0).expect("a signature"));
                let other = Precompiles.secp256k1_ecrecover(&bytes, recovery ^ 1, &digest.0).ok();
                assert_eq!(other, DefaultCrypto.secp256k1_ecrecover(&bytes, recovery ^ 1, &digest.0).ok());
            }
        }
    }

    /// r or s that is zero, the order or above it, r that is no coordinate, and both values of the recovery.
    #[test]
    fn contract_refuses_as_the_one_of_revm() {
        let edges = [U256::ZERO, U256::ONE, U256::from(5), MOST_LOW, MOST_LOW + U256::ONE, ORDER - U256::ONE, ORDER];
        let mut refused = 0;
        for r in edges.into_iter().chain([U256::MAX]) {
            for s in edges.into_iter().chain([U256::MAX]) {
                for recovery in [0, 1] {
                    let bytes = encoded(r, s, 0);
                    let (signature, digest) = (bytes[..64].try_into().expect("64 bytes"), keccak256([7]).0);
                    let found = Precompiles.secp256k1_ecrecover(signature, recovery, &digest);
                    let twin = DefaultCrypto.secp256k1_ecrecover(signature, recovery, &digest);
                    assert_eq!(found.as_ref().ok(), twin.as_ref().ok(), "{r} {s} {recovery}");
                    refused += usize::from(found.is_err());
                }
            }
        }
        assert!(refused > 0 && refused < 128, "{refused}");
    }

    #[test]
    fn sender_is_the_one_that_alloy_recovers() {
        let kinds = |n: u8| {
            let common = TxEip1559 { nonce: n.into(), chain_id: 7, gas_limit: 21_000, ..TxEip1559::default() };
            let legacy = TxLegacy { nonce: n.into(), chain_id: Some(7), ..TxLegacy::default() };
            let [first, second] = [common.signature_hash(), legacy.signature_hash()]
                .map(|hash| wallet(n).sign_hash(&hash).expect("a wallet signs"));
            [TxEnvelope::from(common.into_signed(first)), TxEnvelope::from(legacy.into_signed(second))]
        };
        for transaction in (1..=8).flat_map(kinds) {
            let found = sender(&transaction).expect("it is signed");
            assert_eq!(found, transaction.recover_signer().expect("it is signed"));
            assert_eq!(found, wallet(u8::try_from(transaction.nonce()).expect("eight")).address());
        }
    }

    #[test]
    fn sender_of_a_twin_is_refused() {
        let transaction = TxEip1559 { chain_id: 7, ..TxEip1559::default() };
        let signature = wallet(1).sign_hash(&transaction.signature_hash()).expect("a wallet signs");
        let twin = Signature::new(signature.r(), ORDER - signature.s(), !signature.v());
        let twin = TxEnvelope::from(transaction.into_signed(twin));
        assert_eq!(sender(&twin), Err(SignatureFault::HighS));
        assert!(twin.recover_signer().is_err());
    }
}
