//! What an owner needs to exit by proof: the state tree's inner nodes and, per row, (row, salt) sealed to its owner.
//!
//! *Layout*: "CCTS" ‖ u16 1 ‖ header hash 32 ‖ levels of the state tree from the leaves upward without the root ‖ one
//! entry of 112 bytes per row. An entry is ChaCha20-Poly1305 under HKDF(reading key; salt "ccc/v1/owner", info P1, 32),
//! nonce u96be(row index), of row ‖ salt, without associated data; unused, status and key rows are sealed under the
//! data key in place of a reading key, so all entries look alike.
//!
//! *Source*: `docs/spec/table.md`, section *Sidecar*. The enclave makes it, any store keeps it, owners read it.

mod levels;

pub use levels::check_sidecar;

use super::{
    Header, Row, Tier,
    header::P1_LEN,
    key::{DataKey, ENTRY_PLAIN_LEN, SALT_LEN, SaltKey, owner_key},
    row::{self, READING_KEY_LEN, ROW_LEN},
    rows::{ReadingKeys, Rows},
    seal::{Cipher, TAG_LEN, number},
    tree::{Node, ProofError, Tree, verify_row},
};
use crate::parallel::prelude::*;
use crate::{
    encoding::{EncodingError, Reader},
    suite::kdf,
};
use alloc::vec;
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// Bytes of an entry.
pub const ENTRY_LEN: usize = ENTRY_PLAIN_LEN + TAG_LEN;

const MAGIC: [u8; 4] = *b"CCTS";
const FORMAT: u16 = 1;
const HEAD_LEN: usize = 38;
const NODE_LEN: usize = 32;

/// Bytes that are no sidecar of a header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SidecarError {
    /// Too few bytes for the head.
    #[error("sidecar: {0}")]
    Encoding(#[from] EncodingError),
    /// Another magic.
    #[error("sidecar: it starts with {found:02x?}, not with CCTS")]
    Magic {
        /// The bytes found.
        found: [u8; 4],
    },
    /// A format this code does not read.
    #[error("sidecar: format {found}, where {FORMAT} is read")]
    Format {
        /// The format found.
        found: u16,
    },
    /// It belongs to another header.
    #[error("the sidecar belongs to another header")]
    HeaderHash {
        /// The hash of the header.
        expected: [u8; 32],
        /// The hash in the sidecar.
        found: [u8; 32],
    },
    /// Another length than the tier's.
    #[error("a sidecar of {found} bytes, where the tier has {expected}")]
    Length {
        /// Bytes of the tier's sidecar.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// Its inner nodes do not lead to the state root.
    #[error("the sidecar's tree does not lead to the state root")]
    StateRoot {
        /// The root in the header.
        expected: Node,
        /// The root of the levels.
        found: Node,
    },
}

/// An entry that its reader cannot use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// No such row.
    #[error("row {found} of {rows}")]
    Index {
        /// Rows of the tier.
        rows: usize,
        /// The index asked for.
        found: u32,
    },
    /// It does not open under this reading key: another owner's row, or altered bytes.
    #[error("the entry does not open under this reading key")]
    Sealed,
    /// It opens, but the row does not stand under the state root.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

/// Bytes of the sidecar of a tier.
#[must_use]
pub fn sidecar_len(tier: Tier) -> usize {
    entries_at(tier) + tier.rows() * ENTRY_LEN
}

/// The levels of a tier have 2·rows − 2 nodes.
fn entries_at(tier: Tier) -> usize {
    HEAD_LEN + (2 * tier.rows() - 2) * NODE_LEN
}

/// What an owner takes from the sidecar for an exit: everything that the contract asks for beside the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// The row's index.
    pub index: u32,
    /// The row's bytes.
    pub row: [u8; ROW_LEN],
    /// The row's salt.
    pub salt: [u8; SALT_LEN],
    /// Siblings from the leaf upward.
    pub path: Vec<Node>,
}

impl Exit {
    /// The balance in the row.
    ///
    /// # Errors
    /// [`row::RowFault`] where it is not a balance row.
    pub fn balance(&self) -> Result<Row, row::RowFault> {
        Row::from_bytes(&self.row)
    }
}

/// A sidecar whose length, header hash and tree have been checked.
#[derive(Clone, Copy, Debug)]
pub struct Sidecar<'a> {
    tier: Tier,
    state_root: Node,
    p1: [u8; P1_LEN],
    bytes: &'a [u8],
}

impl<'a> Sidecar<'a> {
    /// The sidecar of a header; its whole tree is recomputed.
    ///
    /// # Errors
    /// [`SidecarError`].
    pub fn parse(bytes: &'a [u8], header: &Header) -> Result<Self, SidecarError> {
        check_head(bytes, header)?;
        let (tier, state_root) = (header.tier(), header.state_root());
        let (expected, found) = (sidecar_len(tier), bytes.len());
        if expected != found {
            return Err(SidecarError::Length { expected, found });
        }
        let sidecar = Self { tier, state_root, p1: header.p1(), bytes };
        sidecar.check_tree()?;
        Ok(sidecar)
    }

    /// The sealed entry of a row, if there is such a row.
    #[must_use]
    pub fn entry(&self, index: u32) -> Option<&'a [u8; ENTRY_LEN]> {
        let at = entries_at(self.tier).checked_add(usize::try_from(index).ok()?.checked_mul(ENTRY_LEN)?)?;
        self.bytes.get(at..)?.first_chunk()
    }

    /// The siblings of a row from the leaf upward, if there is such a row.
    #[must_use]
    pub fn path(&self, index: u32) -> Option<Vec<Node>> {
        let rows = self.tier.rows();
        let index = usize::try_from(index).ok().filter(|index| *index < rows)?;
        let levels = self.levels();
        // level l starts after rows + rows/2 + … = 2·rows − 2·rows/2^l nodes
        (0..self.tier.log2()).map(|l| levels.get(2 * rows - ((2 * rows) >> l) + ((index >> l) ^ 1)).copied()).collect()
    }

    /// The row, salt and path of entry `index`, opened by its owner and checked against the state root.
    ///
    /// # Errors
    /// [`EntryError`].
    pub fn open_entry(&self, reading_key: &[u8; READING_KEY_LEN], index: u32) -> Result<Exit, EntryError> {
        self.open_with(&entry_cipher(reading_key, &self.p1), index)
    }

    /// Every row that opens under this reading key, one trial per row.
    #[must_use]
    pub fn open_all(&self, reading_key: &[u8; READING_KEY_LEN]) -> Vec<Exit> {
        let cipher = entry_cipher(reading_key, &self.p1);
        (0..number(self.tier.rows())).into_par_iter().filter_map(|index| self.open_with(&cipher, index).ok()).collect()
    }

    fn open_with(&self, cipher: &Cipher, index: u32) -> Result<Exit, EntryError> {
        let outside = EntryError::Index { rows: self.tier.rows(), found: index };
        let (entry, path) = self.entry(index).zip(self.path(index)).ok_or(outside)?;
        let mut plain = Zeroizing::new([0; ENTRY_PLAIN_LEN]);
        cipher.open(index, &[], entry, &mut plain[..]).ok_or(EntryError::Sealed)?;
        let (mut row, mut salt) = ([0; ROW_LEN], [0; SALT_LEN]);
        row.copy_from_slice(&plain[..ROW_LEN]);
        salt.copy_from_slice(&plain[ROW_LEN..]);
        verify_row(&self.state_root, self.tier, index, &row, &salt, &path)?;
        Ok(Exit { index, row, salt, path })
    }

    fn levels(&self) -> &'a [Node] {
        self.bytes.get(HEAD_LEN..entries_at(self.tier)).unwrap_or_default().as_chunks().0
    }

    fn check_tree(&self) -> Result<(), SidecarError> {
        let (leaves, _) = self.levels().split_at(self.tier.rows());
        let tree = Tree::new(leaves.to_vec());
        let same = tree.levels().iter().flatten().eq(self.levels());
        if same && tree.root() == self.state_root {
            return Ok(());
        }
        Err(SidecarError::StateRoot { expected: self.state_root, found: tree.root() })
    }
}

fn check_head(bytes: &[u8], header: &Header) -> Result<(), SidecarError> {
    let mut reader = Reader::new(bytes);
    let magic = reader.array("magic")?;
    if magic != MAGIC {
        return Err(SidecarError::Magic { found: magic });
    }
    let format = reader.u16("format")?;
    if format != FORMAT {
        return Err(SidecarError::Format { found: format });
    }
    let (expected, found) = (header.hash(), reader.array("header hash")?);
    if expected == found { Ok(()) } else { Err(SidecarError::HeaderHash { expected, found }) }
}

fn entry_cipher(reading_key: &[u8], p1: &[u8; P1_LEN]) -> Cipher {
    Cipher::new(&owner_key(reading_key, kdf::OWNER, p1))
}

/// The sidecar of a version, one derived key and one seal per row, used or not.
pub(super) fn build(header: &Header, rows: &Rows, key: &DataKey, salts: &SaltKey, tree: &Tree) -> Vec<u8> {
    let tier = header.tier();
    let mut out = vec![0; sidecar_len(tier)];
    let (head, entries) = out.split_at_mut(entries_at(tier));
    head[..HEAD_LEN].copy_from_slice(&head_bytes(header));
    let nodes = head[HEAD_LEN..].as_chunks_mut::<NODE_LEN>().0;
    nodes.iter_mut().zip(tree.levels().iter().flatten()).for_each(|(out, node)| *out = *node);
    let (reading_keys, p1) = (rows.reading_keys(), header.p1());
    let owners = Owners { reading_keys: &reading_keys, key, salts, p1: &p1 };
    let rows = rows.all().par_iter().with_min_len(64);
    entries
        .par_chunks_mut(ENTRY_LEN)
        .zip(rows)
        .enumerate()
        .for_each(|(index, (entry, bytes))| owners.seal(number(index), bytes, entry));
    out
}

/// To whom entries are sealed.
pub(super) struct Owners<'a> {
    pub(super) reading_keys: &'a ReadingKeys,
    pub(super) key: &'a DataKey,
    pub(super) salts: &'a SaltKey,
    pub(super) p1: &'a [u8; P1_LEN],
}

impl Owners<'_> {
    /// Seals the entry of a row to its owner, or under the data key where it has none.
    pub(super) fn seal(&self, index: u32, bytes: &[u8; ROW_LEN], entry: &mut [u8]) {
        let owner = owner_of(bytes).and_then(|account| self.reading_keys.get(account));
        let mut plain = Zeroizing::new([0; ENTRY_PLAIN_LEN]);
        plain[..ROW_LEN].copy_from_slice(bytes);
        plain[ROW_LEN..].copy_from_slice(&self.salts.salt(index));
        let cipher = entry_cipher(owner.unwrap_or_else(|| self.key.expose()), self.p1);
        cipher.seal(index, &[], &plain[..], entry);
    }
}

/// The account of a balance row.
pub(super) fn owner_of(bytes: &[u8; ROW_LEN]) -> Option<super::AccountId> {
    row::asset(bytes).is_balance().then(|| row::account(bytes))
}

/// Everything before the levels.
pub(super) fn head_bytes(header: &Header) -> [u8; HEAD_LEN] {
    let head = [&MAGIC[..], &FORMAT.to_be_bytes(), &header.hash()].concat();
    head.try_into().expect("magic, format and hash are 38 bytes")
}

/// Where node `at` of a level stands; levels are counted from the leaves upward.
pub(super) fn node_at(tier: Tier, level: u8, at: usize) -> usize {
    // level l starts after rows + rows/2 + … = 2·rows − 2·rows/2^l nodes
    let nodes = 2 * tier.rows();
    HEAD_LEN + (nodes - (nodes >> level) + at) * NODE_LEN
}

/// Where the entry of a row stands.
pub(super) fn entry_at(tier: Tier, index: u32) -> usize {
    entries_at(tier) + index as usize * ENTRY_LEN
}
