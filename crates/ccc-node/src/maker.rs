//! A market maker: a public address that pays and submits, a table account that nobody outside sees.

use ccc_core::{
    ciphertext::{Ciphertext, EncryptError, Label},
    keys::MasterPublicKey,
    vault::{Recipient, Request},
};
use ccc_enclave::{
    authorisation::{AccountKey, AuthorisationError},
    instruction::{
        CancelInstruction, DepositInstruction, ForcedTransferInstruction, FreezeInstruction, StandingOrderTerms,
        TransferInstruction, WithdrawalInstruction,
    },
    intake::{self, PoolId},
    query,
    reader::ReaderKey,
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// The owner of a table account.
///
/// *Security*: no `Clone`, no `Debug`.
pub struct TableOwner {
    account: AccountKey,
    reading_key: Zeroizing<[u8; 32]>,
}

/// The terms of a standing order before the owner signs them.
///
/// *Units*: sizes in base units, spread in 1/100 basis point, expiry in Unix seconds.
#[derive(Clone, Copy)]
pub struct Offer {
    /// Asset offered.
    pub asset: u32,
    /// Spread asked.
    pub spread: u16,
    /// Size offered.
    pub size: u64,
    /// Most that one request may take.
    pub cap: u64,
    /// Least that one request must take.
    pub minimum: u64,
    /// Last second.
    pub expiry: u64,
}

/// What a withdrawal pays, before the owner signs it.
///
/// *Units*: the amount in base units.
#[derive(Clone, Copy)]
pub struct Withdrawal {
    /// Asset that is paid.
    pub asset: u32,
    /// Amount.
    pub amount: u128,
    /// Address that is paid. Zero and the pool's own are refused by the round.
    pub recipient: [u8; 20],
}

/// What is submitted like a standing order and carried out once: an owner's transfer, the end of its standing order, or
/// what the pool's operator does to an account's row.
///
/// *Security*: secret; no `Debug`. *Units*: amounts in base units; reasons are the operator's numbers.
#[derive(Clone, Copy)]
pub enum Instruction {
    /// From the free part of the signer's own row to another account.
    Transfer {
        /// Asset that is moved.
        asset: u32,
        /// Amount.
        amount: u128,
        /// Account that is credited.
        to: [u8; 20],
    },
    /// The signer's own standing order ends.
    Cancel {
        /// Digest of the order's ciphertext.
        order: [u8; 32],
    },
    /// A freeze, or a thaw; signed by the operator.
    Freeze {
        /// Account of the row.
        account: [u8; 20],
        /// Asset of the row.
        asset: u32,
        /// Kept in the row.
        reason: u8,
        /// Freeze, or thaw.
        frozen: bool,
    },
    /// Out of a frozen row; signed by the operator.
    ForcedTransfer {
        /// Account of the row.
        account: [u8; 20],
        /// Asset of the row.
        asset: u32,
        /// Amount.
        amount: u128,
        /// Account that is credited.
        to: [u8; 20],
        /// Kept in the row.
        reason: u8,
    },
}

impl TableOwner {
    /// An owner from secret bytes.
    ///
    /// # Errors
    /// [`AuthorisationError::Malformed`] when the account key is zero or above the order.
    pub fn new(account: &Zeroizing<[u8; 32]>, reading_key: Zeroizing<[u8; 32]>) -> Result<Self, AuthorisationError> {
        Ok(Self { account: AccountKey::from_bytes(account)?, reading_key })
    }

    /// A fresh owner.
    ///
    /// # Errors
    /// [`AuthorisationError::Malformed`] if the generator gives no valid key.
    pub fn generate(rng: &mut impl CryptoRng) -> Result<Self, AuthorisationError> {
        let mut account = Zeroizing::new([0; 32]);
        let mut reading_key = Zeroizing::new([0; 32]);
        rng.fill_bytes(account.as_mut_slice());
        rng.fill_bytes(reading_key.as_mut_slice());
        Self::new(&account, reading_key)
    }

    /// The table account.
    #[must_use]
    pub fn account(&self) -> [u8; 20] {
        self.account.account()
    }

    /// The key that opens the account's entries of the sidecar.
    #[must_use]
    pub fn reading_key(&self) -> &[u8; 32] {
        &self.reading_key
    }

    /// The ciphertext of a deposit that `who` makes under `id`.
    ///
    /// # Errors
    /// [`EncryptError`].
    pub fn deposit(
        &self,
        pool: impl Into<PoolId>,
        key: &MasterPublicKey,
        submitted: ([u8; 32], [u8; 20]),
        expiry: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Ciphertext, EncryptError> {
        let label = intake::label(pool, submitted.0, submitted.1, expiry);
        let mut instruction =
            DepositInstruction { account: self.account(), reading_key: *self.reading_key, signature: [0; 65] };
        instruction.signature = self.sign(&label, &instruction.unsigned());
        Ciphertext::encrypt(key, &label, &Zeroizing::new(instruction.to_bytes()), rng)
    }

    /// The ciphertext of a standing order that `who` submits under `id`.
    ///
    /// # Errors
    /// [`EncryptError`].
    pub fn standing_order(
        &self,
        pool: impl Into<PoolId>,
        key: &MasterPublicKey,
        submitted: ([u8; 32], [u8; 20]),
        offer: &Offer,
        rng: &mut impl CryptoRng,
    ) -> Result<Ciphertext, EncryptError> {
        let label = intake::label(pool, submitted.0, submitted.1, offer.expiry);
        let mut terms = StandingOrderTerms {
            account: self.account(),
            asset: offer.asset,
            spread: offer.spread,
            size: offer.size,
            cap: offer.cap,
            minimum: offer.minimum,
            expiry: offer.expiry,
            tiers: u64::MAX,
            signature: [0; 65],
        };
        terms.signature = self.sign(&label, &terms.unsigned());
        Ciphertext::encrypt(key, &label, &Zeroizing::new(terms.to_bytes()), rng)
    }

    /// The ciphertext of a withdrawal that `who` requests under `id`.
    ///
    /// # Errors
    /// [`EncryptError`].
    pub fn withdrawal(
        &self,
        pool: impl Into<PoolId>,
        key: &MasterPublicKey,
        submitted: ([u8; 32], [u8; 20]),
        (withdrawal, expiry): (&Withdrawal, u64),
        rng: &mut impl CryptoRng,
    ) -> Result<Ciphertext, EncryptError> {
        let label = intake::label(pool, submitted.0, submitted.1, expiry);
        let mut instruction = WithdrawalInstruction {
            account: self.account(),
            asset: withdrawal.asset,
            amount: withdrawal.amount,
            recipient: withdrawal.recipient,
            signature: [0; 65],
        };
        instruction.signature = self.sign(&label, &instruction.unsigned());
        Ciphertext::encrypt(key, &label, &Zeroizing::new(instruction.to_bytes()), rng)
    }

    /// A sealed query for the account's rows to the attested keys of an attempt at `request`; the answer is for `reader`.
    ///
    /// Nothing for a recipient whose key is none. *Security*: as [`query::ask`].
    pub fn query(
        &self,
        reader: &ReaderKey,
        request: &Request,
        recipient: &Recipient,
        rng: &mut impl CryptoRng,
    ) -> Option<Vec<u8>> {
        query::ask(&self.account, reader, request, recipient, rng)
    }

    /// The ciphertext of an instruction that `who` submits under `id`; the label's expiry ends what it can do.
    ///
    /// # Errors
    /// [`EncryptError`].
    pub fn instruct(
        &self,
        pool: impl Into<PoolId>,
        key: &MasterPublicKey,
        submitted: ([u8; 32], [u8; 20]),
        (instruction, expiry): (&Instruction, u64),
        rng: &mut impl CryptoRng,
    ) -> Result<Ciphertext, EncryptError> {
        let label = intake::label(pool, submitted.0, submitted.1, expiry);
        Ciphertext::encrypt(key, &label, &self.signed(&label, instruction), rng)
    }

    /// The bytes of an instruction with this owner's signature.
    fn signed(&self, label: &Label, instruction: &Instruction) -> Zeroizing<Vec<u8>> {
        let signature = [0; 65];
        Zeroizing::new(match *instruction {
            Instruction::Transfer { asset, amount, to } => {
                let account = self.account();
                let mut asked = TransferInstruction { account, asset, amount, to, signature };
                asked.signature = self.sign(label, &asked.unsigned());
                asked.to_bytes()
            }
            Instruction::Cancel { order } => {
                let mut asked = CancelInstruction { account: self.account(), order, signature };
                asked.signature = self.sign(label, &asked.unsigned());
                asked.to_bytes()
            }
            Instruction::Freeze { account, asset, reason, frozen } => {
                let mut asked = FreezeInstruction { account, asset, reason, frozen, signature };
                asked.signature = self.sign(label, &asked.unsigned());
                asked.to_bytes()
            }
            Instruction::ForcedTransfer { account, asset, amount, to, reason } => {
                let mut asked = ForcedTransferInstruction { account, asset, amount, to, reason, signature };
                asked.signature = self.sign(label, &asked.unsigned());
                asked.to_bytes()
            }
        })
    }

    fn sign(&self, label: &Label, unsigned: &[u8]) -> [u8; 65] {
        self.account.sign(label, unsigned)
    }
}
