//! The owner of a table account, who signs inside ciphertexts.

use super::{BASE, EXPIRY};
use ccc_core::zeroize::Zeroizing;
use ccc_core::{
    ciphertext::{Ciphertext, Label},
    keys::MasterPublicKey,
};
use ccc_enclave::{
    authorisation::AccountKey,
    config::EnclaveConfig,
    instruction::{DepositInstruction, StandingOrderTerms, WithdrawalInstruction},
    intake,
};
use rand::rngs::StdRng;

pub struct Owner {
    key: AccountKey,
    number: u8,
}

impl Owner {
    pub fn new(number: u8) -> Self {
        let key = AccountKey::from_bytes(&Zeroizing::new([number; 32])).expect("a key");
        Self { key, number }
    }

    pub fn account(&self) -> [u8; 20] {
        self.key.account()
    }

    pub fn reading_key(&self) -> [u8; 32] {
        [self.number ^ 0xFF; 32]
    }

    pub fn sign(&self, label: &Label, unsigned: &[u8]) -> [u8; 65] {
        self.key.sign(label, unsigned)
    }

    /// The ciphertext of a deposit.
    pub fn deposit(
        &self,
        config: &EnclaveConfig,
        key: &MasterPublicKey,
        submitted: ([u8; 32], [u8; 20]),
        rng: &mut StdRng,
    ) -> Vec<u8> {
        let label = intake::label(config, submitted.0, submitted.1, EXPIRY);
        let mut instruction =
            DepositInstruction { account: self.account(), reading_key: self.reading_key(), signature: [0; 65] };
        instruction.signature = self.key.sign(&label, &instruction.unsigned());
        encrypt(key, &label, &instruction.to_bytes(), rng)
    }

    /// Unsigned terms in the base asset.
    pub fn terms(&self, size: u64, spread: u16) -> StandingOrderTerms {
        StandingOrderTerms {
            account: self.account(),
            asset: BASE,
            spread,
            size,
            cap: size,
            minimum: 0,
            expiry: EXPIRY,
            tiers: u64::MAX,
            signature: [0; 65],
        }
    }

    /// The ciphertext of a standing order, signed here.
    pub fn standing_order(
        &self,
        config: &EnclaveConfig,
        key: &MasterPublicKey,
        submitted: ([u8; 32], [u8; 20]),
        mut terms: StandingOrderTerms,
        rng: &mut StdRng,
    ) -> Vec<u8> {
        let label = intake::label(config, submitted.0, submitted.1, EXPIRY);
        terms.signature = self.key.sign(&label, &terms.unsigned());
        encrypt(key, &label, &terms.to_bytes(), rng)
    }

    /// The ciphertext of a withdrawal from `account`, signed here.
    pub fn withdrawal(
        &self,
        config: &EnclaveConfig,
        key: &MasterPublicKey,
        submitted: ([u8; 32], [u8; 20]),
        paid: (u32, u128, [u8; 20]),
        account: [u8; 20],
        rng: &mut StdRng,
    ) -> Vec<u8> {
        let label = intake::label(config, submitted.0, submitted.1, EXPIRY);
        let (asset, amount, recipient) = paid;
        let mut instruction = WithdrawalInstruction { account, asset, amount, recipient, signature: [0; 65] };
        instruction.signature = self.key.sign(&label, &instruction.unsigned());
        encrypt(key, &label, &instruction.to_bytes(), rng)
    }
}

pub fn encrypt(key: &MasterPublicKey, label: &Label, plaintext: &[u8], rng: &mut StdRng) -> Vec<u8> {
    Ciphertext::encrypt(key, label, plaintext, rng).expect("encrypts").to_bytes()
}
