//! An open table: the decrypted rows of one version, inside the enclave.

use super::{
    AccountId, AssetId, DataKey, Head, Header, ResultCode, Row, StructuralError,
    mask::RowKey,
    row::{self, EPOCH_SALT_LEN, READING_KEY_LEN, ROW_LEN, Status},
    rows::{Located, Rows},
    seal::{BodyCipher, body_len, body_root, number, open_body},
    tree::{self, Node, Tree},
};
use crate::parallel::prelude::*;
use alloc::vec;
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// The rows of one version, erased when dropped.
///
/// *Security*: it MUST live inside an enclave only. Lookups scan all rows, so the memory that is touched says nothing
/// about what was looked for.
pub struct OpenTable {
    pub(super) header: Header,
    pub(super) key: DataKey,
    pub(super) rows: Rows,
    pub(super) status: Status,
}

impl core::fmt::Debug for OpenTable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("OpenTable").field("header", &self.header).finish_non_exhaustive()
    }
}

impl OpenTable {
    /// Opens the current version: every structural check in order (hash, header, version, presence, length, body
    /// root, key commitment, AEAD, rows, state root).
    ///
    /// `current` is the head at a finalised block; `body` is `None` where no store has it.
    ///
    /// # Errors
    /// [`StructuralError`], that of the first check that fails.
    pub fn open_current(
        header: &[u8],
        current: Head,
        body: Option<&[u8]>,
        key: &DataKey,
    ) -> Result<Self, StructuralError> {
        let header = Header::current(header, current)?;
        let body = body.ok_or(StructuralError::MissingBody { body_root: header.body_root() })?;
        Self::open(&header, body, key)
    }

    /// Opens the body of a header that the caller has compared with the chain; `body` is the concatenated chunks.
    ///
    /// # Errors
    /// [`StructuralError`]: length, body root, key commitment, AEAD, rows, state root, in this order.
    pub fn open(header: &Header, body: &[u8], key: &DataKey) -> Result<Self, StructuralError> {
        check_body(header, body)?;
        let (p0, keys) = (header.p0(), key.body_keys(&header.p0()));
        if !keys.commits_to(&header.key_commitment()) {
            return Err(StructuralError::KeyCommitment);
        }
        let mut plain = Zeroizing::new(vec![0; header.tier().rows() * ROW_LEN]);
        open_body(&BodyCipher::new(header.suite(), keys.body_key())?, &header.chunk_aad(), body, &mut plain)?;
        let rows = Rows::from_plain(plain, header.version())?;
        check_state(header, &state_tree(&rows, key, &p0))?;
        Self::from_parts(header.clone(), key.duplicate(), rows)
    }

    pub(super) fn from_parts(header: Header, key: DataKey, rows: Rows) -> Result<Self, StructuralError> {
        let missing = StructuralError::Row { index: 0, fault: row::RowFault::Status };
        let status = rows.all().first().ok_or_else(|| missing.clone())?;
        let status = Status::from_bytes(status).map_err(|fault| StructuralError::Row { index: 0, fault })?;
        Ok(Self { header, key, rows, status })
    }

    /// The header of this version.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The balance of an account in an asset.
    #[must_use]
    pub fn find(&self, account: AccountId, asset: AssetId) -> Option<Row> {
        self.locate(account, asset).map(|(_, row)| row)
    }

    /// The balance and the index of its row.
    #[must_use]
    pub fn locate(&self, account: AccountId, asset: AssetId) -> Option<(u32, Row)> {
        self.locate_many(&[(account, asset)]).into_iter().next().flatten()
    }

    /// Many balances in one scan, in the order asked.
    #[must_use]
    pub fn find_many(&self, wanted: &[(AccountId, AssetId)]) -> Vec<Option<Row>> {
        self.locate_many(wanted).into_iter().map(|found| found.map(|(_, row)| row)).collect()
    }

    /// Many balances and the indices of their rows in one scan, in the order asked.
    #[must_use]
    pub fn locate_many(&self, wanted: &[(AccountId, AssetId)]) -> Vec<Option<(u32, Row)>> {
        let keys: Vec<_> = wanted.iter().map(|(account, asset)| RowKey::balance(*account, *asset)).collect();
        self.rows.locate_many(&keys).into_iter().map(|found| found.and_then(balance)).collect()
    }

    /// The reading keys of accounts, in the order asked, in one scan: receipts are sealed to them.
    #[must_use]
    pub fn reading_keys(&self, accounts: &[AccountId]) -> Vec<Option<Zeroizing<[u8; READING_KEY_LEN]>>> {
        let keys: Vec<_> = accounts.iter().map(|account| RowKey::reading_key(*account)).collect();
        let key_of = |found: Located| Zeroizing::new(row::reading_key(&found.bytes));
        self.rows.locate_many(&keys).into_iter().map(|found| found.map(key_of)).collect()
    }

    /// Used rows: status row, key rows and balances. *Security*: it is secret.
    #[must_use]
    pub fn used_rows(&self) -> u32 {
        self.rows.used()
    }

    /// Everything that all accounts hold of an asset: free, reserved and frozen.
    ///
    /// No deposit is accepted that would carry the sum past u128; it saturates there.
    #[must_use]
    pub fn sum(&self, asset: AssetId) -> u128 {
        self.rows.sum(asset).unwrap_or(u128::MAX)
    }

    /// The salt of the canonical order in this epoch. *Security*: it MUST NOT leave the enclave.
    #[must_use]
    pub fn epoch_salt(&self) -> [u8; EPOCH_SALT_LEN] {
        self.status.epoch_salt
    }

    /// How the batch of this version ended.
    #[must_use]
    pub fn result_code(&self) -> ResultCode {
        self.status.code
    }
}

pub(super) fn balance(found: Located) -> Option<(u32, Row)> {
    Row::from_bytes(&found.bytes).ok().map(|row| (found.index, row))
}

fn check_body(header: &Header, body: &[u8]) -> Result<(), StructuralError> {
    let (expected, found) = (body_len(header.tier()), body.len());
    if expected != found {
        return Err(StructuralError::Length { expected, found });
    }
    let (expected, found) = (header.body_root(), body_root(body));
    if expected == found { Ok(()) } else { Err(StructuralError::BodyRoot { expected, found }) }
}

fn state_tree(rows: &Rows, key: &DataKey, p0: &[u8; super::header::P0_LEN]) -> Tree {
    let salts = key.salt_key(p0);
    let leaf = |(index, bytes): (usize, &[u8; ROW_LEN])| tree::leaf(&salts.salt(number(index)), bytes);
    let leaves: Vec<Node> = rows.all().par_iter().with_min_len(64).enumerate().map(leaf).collect();
    Tree::new(leaves)
}

fn check_state(header: &Header, tree: &Tree) -> Result<(), StructuralError> {
    let (expected, found) = (header.state_root(), tree.root());
    if expected == found { Ok(()) } else { Err(StructuralError::StateRoot { expected, found }) }
}
