//! The header of a version: what the chain's hash stands for.
//!
//! *Layout*, 435 bytes, integers big-endian:
//!
//! | part | fields |
//! |---|---|
//! | P0, 123 | magic "CCTB", format u16 = 1, suite u16, chain u64, contract 20, table 32, epoch u64, version u64, previous 32, tier u8, row size u16 = 64, chunks u32 |
//! | P1, 219 | P0 ‖ body root 32 ‖ key commitment 32 ‖ state root 32 |
//! | wrapped data key, 216 | a ciphertext without its label |
//!
//! The body key is derived from P0 and the wrap's label from P1, so nothing is circular.

use super::{StructuralError, TableId, Tier, row::ROW_LEN};
use crate::{
    ciphertext::{Ciphertext, CiphertextError, Label, LabelKind},
    encoding::{EncodingError, Reader},
    epoch::Epoch,
    suite::{digest, digest32, domain},
};
use alloc::borrow::ToOwned;
use alloc::string::ToString;
use sha3::{Digest, Keccak256};

/// Bytes of P0.
pub const P0_LEN: usize = 123;
/// Bytes of P1.
pub const P1_LEN: usize = 219;
/// Bytes of a header.
pub const HEADER_LEN: usize = 435;
/// Bytes of the wrapped data key.
pub const WRAPPED_LEN: usize = HEADER_LEN - P1_LEN;

const MAGIC: [u8; 4] = *b"CCTB";
const FORMAT: u16 = 1;

/// The cipher of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum TableSuite {
    /// ChaCha20-Poly1305.
    ChaCha20Poly1305 = 1,
    /// AES-256-GCM by AWS-LC. It takes the feature `suite-aes-gcm` and a C compiler; other builds refuse its headers.
    Aes256Gcm = 2,
}

impl TableSuite {
    fn from_u16(found: u16) -> Result<Self, HeaderError> {
        let known = [Self::ChaCha20Poly1305, Self::Aes256Gcm].into_iter().find(|suite| *suite as u16 == found);
        known.ok_or(HeaderError::Suite { found })?.built_in()
    }

    /// This suite, where the build has its cipher.
    ///
    /// # Errors
    /// [`HeaderError::Suite`].
    pub fn built_in(self) -> Result<Self, HeaderError> {
        match self {
            Self::ChaCha20Poly1305 => Ok(self),
            Self::Aes256Gcm if cfg!(feature = "suite-aes-gcm") => Ok(self),
            Self::Aes256Gcm => Err(HeaderError::Suite { found: self as u16 }),
        }
    }
}

/// Bytes that are no header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// Too few or too many bytes.
    #[error("table header: {0}")]
    Encoding(#[from] EncodingError),
    /// Another magic.
    #[error("table header: it starts with {found:02x?}, not with CCTB")]
    Magic {
        /// The bytes found.
        found: [u8; 4],
    },
    /// A format this code does not read.
    #[error("table header: format {found}, where {FORMAT} is read")]
    Format {
        /// The format found.
        found: u16,
    },
    /// A suite this build does not open.
    #[error("table header: suite {found} is not built in")]
    Suite {
        /// The suite found.
        found: u16,
    },
    /// Not one of the tiers.
    #[error("table header: 2^{found} rows is not a tier")]
    Tier {
        /// log2 of the rows found.
        found: u8,
    },
    /// Another row size.
    #[error("table header: rows of {found} bytes, where {ROW_LEN} are read")]
    RowSize {
        /// The size found.
        found: u16,
    },
    /// A chunk count that is not the tier's.
    #[error("table header: {found} chunks, where the tier has {expected}")]
    Chunks {
        /// The tier's chunks.
        expected: u32,
        /// The count found.
        found: u32,
    },
    /// Version zero, or a first version with a predecessor, or a later one without.
    #[error("table header: version {version} with {}", if *has_previous { "a predecessor" } else { "no predecessor" })]
    Version {
        /// The version found.
        version: u64,
        /// Whether the previous hash is not zero.
        has_previous: bool,
    },
    /// The wrapped data key is not a ciphertext.
    #[error("table header: wrapped data key: {0}")]
    Wrapped(CiphertextError),
}

/// P0: which table, which version, after which, how large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Prefix {
    pub(super) suite: TableSuite,
    pub(super) id: TableId,
    pub(super) epoch: Epoch,
    pub(super) version: u64,
    pub(super) previous: [u8; 32],
    pub(super) tier: Tier,
}

impl Prefix {
    pub(super) fn to_bytes(&self) -> [u8; P0_LEN] {
        let row_size = u16::try_from(ROW_LEN).expect("64 fits 16 bits");
        let fields: [&[u8]; 12] = [
            &MAGIC,
            &FORMAT.to_be_bytes(),
            &(self.suite as u16).to_be_bytes(),
            &self.id.chain.to_be_bytes(),
            &self.id.contract,
            &self.id.table,
            &self.epoch.to_bytes(),
            &self.version.to_be_bytes(),
            &self.previous,
            &[self.tier.log2()],
            &row_size.to_be_bytes(),
            &self.tier.chunks().to_be_bytes(),
        ];
        fields.concat().try_into().expect("the fields of P0 are 123 bytes")
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, HeaderError> {
        read_format(reader)?;
        let suite = TableSuite::from_u16(reader.u16("suite")?)?;
        let id =
            TableId { chain: reader.u64("chain")?, contract: reader.array("contract")?, table: reader.array("table")? };
        let epoch = Epoch(reader.u64("epoch")?);
        let version = reader.u64("version")?;
        let previous = reader.array("previous")?;
        check_version(version, &previous)?;
        let tier = read_size(reader)?;
        Ok(Self { suite, id, epoch, version, previous, tier })
    }
}

fn read_format(reader: &mut Reader<'_>) -> Result<(), HeaderError> {
    let magic = reader.array("magic")?;
    if magic != MAGIC {
        return Err(HeaderError::Magic { found: magic });
    }
    match reader.u16("format")? {
        FORMAT => Ok(()),
        found => Err(HeaderError::Format { found }),
    }
}

fn check_version(version: u64, previous: &[u8; 32]) -> Result<(), HeaderError> {
    let has_previous = *previous != [0; 32];
    if version == 0 || (version > 1) != has_previous {
        return Err(HeaderError::Version { version, has_previous });
    }
    Ok(())
}

fn read_size(reader: &mut Reader<'_>) -> Result<Tier, HeaderError> {
    let log2 = reader.u8("tier")?;
    let tier = Tier::new(log2).ok_or(HeaderError::Tier { found: log2 })?;
    let row_size = reader.u16("row size")?;
    if usize::from(row_size) != ROW_LEN {
        return Err(HeaderError::RowSize { found: row_size });
    }
    let (expected, found) = (tier.chunks(), reader.u32("chunks")?);
    if found == expected { Ok(tier) } else { Err(HeaderError::Chunks { expected, found }) }
}

/// The three roots that P1 adds to P0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Roots {
    pub(super) body: [u8; 32],
    pub(super) key_commitment: [u8; 32],
    pub(super) state: [u8; 32],
}

/// P0 ‖ body root ‖ key commitment ‖ state root.
pub(super) fn p1_bytes(prefix: &Prefix, roots: &Roots) -> [u8; P1_LEN] {
    let fields: [&[u8]; 4] = [&prefix.to_bytes(), &roots.body, &roots.key_commitment, &roots.state];
    fields.concat().try_into().expect("the fields of P1 are 219 bytes")
}

/// The label under which the data key is wrapped: kind 3, id = table, version = table version, requester zero,
/// no expiry, context = digest32 H("table"; P1).
pub(super) fn key_label(prefix: &Prefix, p1: &[u8; P1_LEN]) -> Label {
    Label {
        kind: LabelKind::TableKey,
        chain: prefix.id.chain,
        contract: prefix.id.contract,
        id: prefix.id.table,
        version: prefix.version,
        requester: [0; 20],
        expiry: 0,
        context: digest32(domain::TABLE, &[p1]),
    }
}

/// The header of one version.
///
/// The enclave makes it; the chain keeps its keccak256; participants check it before they release a share of the
/// data key; the store keeps it beside the body.
#[derive(Clone, Debug)]
pub struct Header {
    prefix: Prefix,
    roots: Roots,
    wrapped: Ciphertext,
    wrapped_bytes: [u8; WRAPPED_LEN],
}

impl Header {
    pub(super) fn new(prefix: Prefix, roots: Roots, wrapped: Ciphertext) -> Result<Self, HeaderError> {
        let wrapped_bytes = wrapped.to_wrapped().map_err(HeaderError::Wrapped)?;
        Ok(Self { prefix, roots, wrapped, wrapped_bytes })
    }

    /// The header in exactly 435 bytes.
    ///
    /// # Errors
    /// [`HeaderError`], one variant per field.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HeaderError> {
        let mut reader = Reader::new(bytes);
        let prefix = Prefix::read(&mut reader)?;
        let roots = Roots {
            body: reader.array("body root")?,
            key_commitment: reader.array("key commitment")?,
            state: reader.array("state root")?,
        };
        let wrapped_bytes = reader.array("wrapped data key")?;
        reader.finish()?;
        let label = key_label(&prefix, &p1_bytes(&prefix, &roots));
        let wrapped = Ciphertext::from_wrapped(&wrapped_bytes, label).map_err(HeaderError::Wrapped)?;
        Ok(Self { prefix, roots, wrapped, wrapped_bytes })
    }

    /// The header that is current on chain: hash, then layout, then version.
    ///
    /// # Errors
    /// [`StructuralError::Hash`], [`StructuralError::Header`], [`StructuralError::Version`].
    pub fn current(bytes: &[u8], current: Head) -> Result<Self, StructuralError> {
        let (expected, found) = (current.hash, header_hash(bytes));
        if expected != found {
            return Err(StructuralError::Hash { expected, found });
        }
        let header = Self::from_bytes(bytes)?;
        if header.version() != current.version {
            return Err(StructuralError::Version { expected: current, found: header.head() });
        }
        Ok(header)
    }

    /// The 435 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let fields: [&[u8]; 2] = [&self.p1(), &self.wrapped_bytes];
        fields.concat().try_into().expect("P1 and the wrapped key are 435 bytes")
    }

    /// keccak256 of the 435 bytes: what the chain keeps.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        header_hash(&self.to_bytes())
    }

    /// Which table.
    #[must_use]
    pub fn id(&self) -> TableId {
        self.prefix.id
    }

    /// The cipher of the body.
    #[must_use]
    pub fn suite(&self) -> TableSuite {
        self.prefix.suite
    }

    /// The epoch of the key sharing under which the data key is wrapped.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.prefix.epoch
    }

    /// The version, from 1.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.prefix.version
    }

    /// The hash of the previous header; zero for version 1.
    #[must_use]
    pub fn previous(&self) -> [u8; 32] {
        self.prefix.previous
    }

    /// The public capacity.
    #[must_use]
    pub fn tier(&self) -> Tier {
        self.prefix.tier
    }

    /// P0.
    #[must_use]
    pub fn p0(&self) -> [u8; P0_LEN] {
        self.prefix.to_bytes()
    }

    /// P1.
    #[must_use]
    pub fn p1(&self) -> [u8; P1_LEN] {
        p1_bytes(&self.prefix, &self.roots)
    }

    /// The root over the sealed chunks, under which the body is stored.
    #[must_use]
    pub fn body_root(&self) -> [u8; 32] {
        self.roots.body
    }

    /// The commitment to the data key.
    #[must_use]
    pub fn key_commitment(&self) -> [u8; 32] {
        self.roots.key_commitment
    }

    /// The root over the salted row commitments, for exits.
    #[must_use]
    pub fn state_root(&self) -> [u8; 32] {
        self.roots.state
    }

    /// The wrapped data key with its recomputed label.
    #[must_use]
    pub fn wrapped(&self) -> &Ciphertext {
        &self.wrapped
    }

    /// The head that the chain keeps for this version.
    #[must_use]
    pub fn head(&self) -> Head {
        Head { version: self.version(), hash: self.hash() }
    }

    pub(super) fn prefix(&self) -> &Prefix {
        &self.prefix
    }

    /// Associated data of every chunk: digest32 of P0.
    pub(super) fn chunk_aad(&self) -> [u8; 32] {
        digest(&self.p0())
    }
}

/// keccak256, as the chain computes it over a header.
#[must_use]
pub fn header_hash(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}

/// What the chain keeps of a table: version and header hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Head {
    /// The version.
    pub version: u64,
    /// keccak256 of the header.
    pub hash: [u8; 32],
}

/// A header that is not the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("table version {} is not the current one, {}", found.version, expected.version)]
pub struct RollbackError {
    /// The head at the finalised block.
    pub expected: Head,
    /// The head that the header gives.
    pub found: Head,
}

/// The participants' lock: releases a share only for the header that is current at a finalised block.
///
/// *Security*: the hash and version MUST come from the participant's own view of the chain, never from the request.
///
/// # Errors
/// [`RollbackError`] with both heads.
pub fn check_current(header: &Header, current_hash: [u8; 32], current_version: u64) -> Result<(), RollbackError> {
    let (expected, found) = (Head { version: current_version, hash: current_hash }, header.head());
    if expected == found { Ok(()) } else { Err(RollbackError { expected, found }) }
}

/// A header that cannot follow another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SuccessionError {
    /// Another table.
    #[error("the headers belong to two tables")]
    Table,
    /// Not the next version.
    #[error("version {found}, where {} follows", expected.map_or_else(|| "none".to_owned(), |v| v.to_string()))]
    Version {
        /// The version that follows; none after the last.
        expected: Option<u64>,
        /// The version found.
        found: u64,
    },
    /// It names another predecessor.
    #[error("another previous header is named")]
    Previous {
        /// The predecessor's hash.
        expected: [u8; 32],
        /// The hash named.
        found: [u8; 32],
    },
    /// The epoch went back.
    #[error("epoch {found} after epoch {least}")]
    Epoch {
        /// The predecessor's epoch.
        least: Epoch,
        /// The epoch found.
        found: Epoch,
    },
    /// The capacity shrank or grew by more than one step.
    #[error("tier {found} after tier {from}")]
    Tier {
        /// The predecessor's tier.
        from: Tier,
        /// The tier found.
        found: Tier,
    },
}

/// Whether `next` may follow `previous`: same table, version + 1, its hash, no older epoch, the same tier or the next.
///
/// # Errors
/// [`SuccessionError`].
pub fn check_succession(previous: &Header, next: &Header) -> Result<(), SuccessionError> {
    if next.id() != previous.id() {
        return Err(SuccessionError::Table);
    }
    let (expected, found) = (previous.version().checked_add(1), next.version());
    if expected != Some(found) {
        return Err(SuccessionError::Version { expected, found });
    }
    let (expected, found) = (previous.hash(), next.previous());
    if expected != found {
        return Err(SuccessionError::Previous { expected, found });
    }
    if next.epoch() < previous.epoch() {
        return Err(SuccessionError::Epoch { least: previous.epoch(), found: next.epoch() });
    }
    check_tier(previous.tier(), next.tier())
}

fn check_tier(from: Tier, found: Tier) -> Result<(), SuccessionError> {
    if found == from || Some(found) == from.next() { Ok(()) } else { Err(SuccessionError::Tier { from, found }) }
}
