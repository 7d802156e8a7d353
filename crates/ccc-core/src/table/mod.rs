//! The encrypted balance table: accounts × assets → amounts, open only inside the enclave.
//!
//! A version is a [`Header`] (435 bytes, its keccak256 on chain), a body (chunks of 1 024 sealed rows) and a sidecar
//! for owners. Every update seals the whole table under a fresh data key, so nobody sees which rows changed; the data
//! key is wrapped under the master public key with the header itself as the label.
//!
//! *Rollback has two locks*: the contract accepts only version + 1 on top of the current hash, and participants
//! release shares of the data key only for the header that is current at a finalised block ([`check_current`]).
//!
//! ```text
//! genesis ─► SealedTable ─► store, chain
//!               │  data key from the participants
//!               ▼
//!          OpenTable::open_current ─► find_many, sum ─► apply(Update) ─► Updated { table, rows, code, boundary }
//! ```
//!
//! *Source*: `docs/spec/table.md`.

mod audit;
mod batch;
mod boundary;
mod chacha;
mod change;
mod chunks;
mod entries;
mod error;
mod execution;
mod found;
mod gather;
mod header;
mod holdings;
mod identity;
mod inclusion;
mod key;
mod lanes;
pub mod ledger;
mod lookup;
mod mask;
mod open;
mod operation;
mod passes;
mod patch;
mod place;
mod receipt;
mod receipts;
mod rooms;
mod rotation;
mod row;
mod rows;
mod seal;
mod sha256;
mod sidecar;
mod store;
mod stored;
mod stream;
mod touch;
mod tree;
mod turns;
mod update;
mod working;

pub use audit::{AuditorSet, AuditorSetError, MAX_AUDITOR_SET, Summary, Total, summary_len};
pub use change::Update;
pub use chunks::{ChunkSink, ChunkSource, MediumError, PlaceSink, SliceSink};
#[cfg(feature = "std")]
pub use chunks::{FileSink, FileSource};
pub use error::StructuralError;
pub use execution::{Execution, HORIZONS, Markouts, REPORT_LEN, SEALED_REPORT_LEN, SlotReport};
pub use found::{DecidedRound, FoundRows, RoundRows, Wanted};
pub use header::{
    HEADER_LEN, Head, Header, HeaderError, P0_LEN, P1_LEN, RollbackError, SuccessionError, TableSuite, WRAPPED_LEN,
    check_current, check_succession, header_hash,
};
pub use holdings::{Holdings, holdings_len};
pub use identity::{AccountId, AssetId, AssetRule, TableId, Tier};
pub use inclusion::{BodyLeaves, ChunkProof, ChunkProofError};
pub use key::{DATA_KEY_LEN, DataKey, SALT_LEN};
pub use open::OpenTable;
pub use operation::{BoundaryOperation, DELTA_LEN, Delta, MAX_CAPACITY, MIN_CAPACITY, ResultCode, delta_capacity};
pub use receipt::{RECEIPT_LEN, Receipt, ReceiptError, SEALED_RECEIPT_LEN};
pub use receipts::{MAX_RECEIPTS, Receipts};
pub use rotation::Rotation;
pub use row::{EPOCH_SALT_LEN, Flags, READING_KEY_LEN, ROW_LEN, Row, RowFault};
pub use seal::{CHUNK_LEN, CHUNK_ROWS, SEALED_CHUNK_LEN, body_len, body_root};
pub use sidecar::{ENTRY_LEN, EntryError, Exit, Sidecar, SidecarError, check_sidecar, sidecar_len};
pub use store::{Part, StoreError, TableStore, VersionReader, VersionWriter, check_version, part_digest};
pub use stored::{StoredBody, StoredChunks, StoredPlaces, StoredVersion};
pub use stream::{Outputs, Progress, SealedBody, Stage, StreamError, Streamed, genesis_to};
pub use tree::{Node, ProofError, leaf as state_leaf, state_root, verify_row};
pub use update::{SealedTable, TableParams, Updated, genesis};

#[cfg(test)]
mod tests;
