//! A request for re-encryption: what is opened, for whom, until when, at which finalised block.

use crate::encoding::{EncodingError, Kind, Reader, header};
use crate::epoch::Epoch;
use crate::suite::{Hasher, domain};
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// The most ciphertexts that one request names.
pub const MAX_CIPHERTEXTS: usize = 65_536;

/// The most ciphertexts that one request in mode compact names: their partials fit one envelope.
pub const MAX_COMPACT: usize = 16_384;

/// How the shares travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Mode {
    /// In the clear, for ciphertexts whose label is public.
    Public = 1,
    /// Sealed to an attested enclave by HPKE: the default.
    #[default]
    Sealed = 2,
    /// Re-encrypted in the exponent.
    Compact = 3,
}

impl Mode {
    /// The mode with this number.
    ///
    /// # Errors
    /// [`EncodingError::Range`].
    pub fn from_byte(byte: u8) -> Result<Self, EncodingError> {
        match byte {
            1 => Ok(Self::Public),
            2 => Ok(Self::Sealed),
            3 => Ok(Self::Compact),
            found => Err(EncodingError::Range { what: "mode", found: found.into(), range: "1 to 3" }),
        }
    }
}

impl core::fmt::Display for Mode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Sealed => "sealed",
            Self::Compact => "compact",
        })
    }
}

/// What the committee is asked to open. Made from finalised chain state, identical on every participant.
///
/// *Layout*: header 8 ‖ chain u64 ‖ contract 20 ‖ id 32 ‖ has-table u8 ‖ \[table header hash 32\] ‖ block hash 32 ‖
/// deadline u64 ‖ mode u8 ‖ ε u64 ‖ committee digest 64 ‖ m u32 ‖ m × ciphertext digest 32.
/// *Units*: deadline in Unix seconds.
/// *Security*: a participant MUST build or check every field against finalised chain state before it makes a share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Chain id.
    pub chain: u64,
    /// The contract that holds the request.
    pub contract: [u8; 20],
    /// The request's id on that contract.
    pub id: [u8; 32],
    /// keccak256 of the table's header, when a table is opened.
    pub table_header: Option<[u8; 32]>,
    /// The finalised block in which the participants saw the request.
    pub block_hash: [u8; 32],
    /// Unix seconds after which nobody answers.
    pub deadline: u64,
    /// How the shares travel.
    pub mode: Mode,
    /// The epoch of the committee.
    pub epoch: Epoch,
    /// Digest of the committee.
    pub committee: [u8; 64],
    /// Digests of the ciphertexts, in the order in which they are opened.
    pub ciphertexts: Vec<[u8; 32]>,
}

/// Why a request is not served as it stands: the caller's mistake.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// Another epoch than the committee's.
    #[error("the request speaks of epoch {found}, where epoch {expected} is served")]
    Epoch {
        /// The committee's epoch.
        expected: Epoch,
        /// The request's epoch.
        found: Epoch,
    },
    /// Another committee.
    #[error("the request speaks of another committee")]
    Committee,
    /// No ciphertext, or too many.
    #[error("{found} ciphertexts, where 1 to {MAX_CIPHERTEXTS} are possible")]
    Count {
        /// Ciphertexts named.
        found: usize,
    },
    /// More ciphertexts than the partials of mode compact have room for.
    #[error("{found} ciphertexts in mode compact, where 1 to {MAX_COMPACT} are possible")]
    CompactCount {
        /// Ciphertexts named.
        found: usize,
    },
    /// E is the identity: whoever sees a partial would see the share.
    #[error("the recipient's key E is the identity")]
    RecipientKey,
    /// A ciphertext named twice.
    #[error("ciphertext {index} of the request occurs twice")]
    Repeated {
        /// Position of the second occurrence.
        index: usize,
    },
    /// The ciphertexts given are not the ones named.
    #[error("the request names {expected} ciphertexts and {found} were given")]
    CiphertextCount {
        /// Ciphertexts named.
        expected: usize,
        /// Ciphertexts given.
        found: usize,
    },
    /// A ciphertext given is not the one named.
    #[error("ciphertext {index} is not the one that the request names")]
    Ciphertext {
        /// Its position.
        index: usize,
    },
    /// A ciphertext for another chain.
    #[error("ciphertext {index} is labelled for chain {found}, and the request for chain {expected}")]
    Chain {
        /// Its position.
        index: usize,
        /// The request's chain.
        expected: u64,
        /// The label's chain.
        found: u64,
    },
    /// A ciphertext under another master public key.
    #[error("ciphertext {index} is encrypted to another master public key")]
    MasterKey {
        /// Its position.
        index: usize,
    },
    /// A mode that this operation does not serve.
    #[error("mode {found}, where {expected} is served")]
    Mode {
        /// The mode served.
        expected: Mode,
        /// The request's mode.
        found: Mode,
    },
    /// A recipient in mode public, or none in another mode.
    #[error("mode {mode} and recipient do not fit")]
    Recipient {
        /// The request's mode.
        mode: Mode,
    },
    /// A ciphertext that is not labelled public, in mode public.
    #[error("ciphertext {index} is not labelled public")]
    NotPublic {
        /// Its position.
        index: usize,
    },
    /// A table key under a threshold that does not protect tables.
    #[error("a table key under threshold {t} of {n}, which faulty and stale participants could reopen")]
    TableThreshold {
        /// t.
        t: u16,
        /// n.
        n: u16,
    },
}

impl Request {
    /// H("request"; chain, contract, id, table header hash, block hash, deadline, mode, ε, committee, m, digests…).
    #[must_use]
    pub fn digest(&self) -> [u8; 64] {
        let mut hasher = Hasher::new(domain::REQUEST, 10 + self.ciphertexts.len());
        hasher.field(&self.chain.to_be_bytes()).field(&self.contract).field(&self.id);
        hasher.field(self.table_header.as_ref().map_or(&[], <[u8; 32]>::as_slice)).field(&self.block_hash);
        hasher.field(&self.deadline.to_be_bytes()).field(&[self.mode as u8]).field(&self.epoch.to_bytes());
        hasher.field(&self.committee).field(&count(&self.ciphertexts));
        for digest in &self.ciphertexts {
            hasher.field(digest);
        }
        hasher.finish()
    }

    /// One to 65 536 ciphertexts, in mode compact to 16 384, each named once.
    ///
    /// # Errors
    /// [`RequestError::Count`], [`RequestError::CompactCount`], [`RequestError::Repeated`].
    pub fn check(&self) -> Result<(), RequestError> {
        let found = self.ciphertexts.len();
        if found == 0 || found > MAX_CIPHERTEXTS {
            return Err(RequestError::Count { found });
        }
        if self.mode == Mode::Compact && found > MAX_COMPACT {
            return Err(RequestError::CompactCount { found });
        }
        let mut seen = BTreeSet::new();
        match self.ciphertexts.iter().position(|digest| !seen.insert(digest)) {
            Some(index) => Err(RequestError::Repeated { index }),
            None => Ok(()),
        }
    }

    /// Encodes the request.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(220 + 32 * self.ciphertexts.len());
        out.extend_from_slice(&header(Kind::Request));
        out.extend_from_slice(&self.chain.to_be_bytes());
        out.extend_from_slice(&self.contract);
        out.extend_from_slice(&self.id);
        out.push(u8::from(self.table_header.is_some()));
        out.extend_from_slice(self.table_header.as_ref().map_or(&[], <[u8; 32]>::as_slice));
        out.extend_from_slice(&self.block_hash);
        out.extend_from_slice(&self.deadline.to_be_bytes());
        out.push(self.mode as u8);
        out.extend_from_slice(&self.epoch.to_bytes());
        out.extend_from_slice(&self.committee);
        out.extend_from_slice(&count(&self.ciphertexts));
        out.extend_from_slice(self.ciphertexts.as_flattened());
        out
    }

    /// Reads a request.
    ///
    /// # Errors
    /// [`EncodingError`]; the count is checked before anything is allocated.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        reader.header(Kind::Request)?;
        let request = Self {
            chain: reader.u64("chain")?,
            contract: reader.array("contract")?,
            id: reader.array("request id")?,
            table_header: read_table_header(&mut reader)?,
            block_hash: reader.array("block hash")?,
            deadline: reader.u64("deadline")?,
            mode: Mode::from_byte(reader.u8("mode")?)?,
            epoch: Epoch(reader.u64("epoch")?),
            committee: reader.array("committee digest")?,
            ciphertexts: read_digests(&mut reader)?,
        };
        reader.finish()?;
        Ok(request)
    }
}

fn read_table_header(reader: &mut Reader<'_>) -> Result<Option<[u8; 32]>, EncodingError> {
    match reader.u8("table flag")? {
        0 => Ok(None),
        1 => reader.array("table header hash").map(Some),
        found => Err(EncodingError::Range { what: "table flag", found: found.into(), range: "0 or 1" }),
    }
}

fn read_digests(reader: &mut Reader<'_>) -> Result<Vec<[u8; 32]>, EncodingError> {
    let m = reader.u32("number of ciphertexts")?;
    match usize::try_from(m) {
        Ok(m @ 1..=MAX_CIPHERTEXTS) => {
            let (digests, _) = reader.bytes("ciphertext digests", 32 * m)?.as_chunks::<32>();
            Ok(digests.to_vec())
        }
        _ => Err(EncodingError::Range { what: "number of ciphertexts", found: m.into(), range: "1 to 65536" }),
    }
}

/// m as it is hashed; [`Request::check`] bounds it far below the type's maximum.
pub(crate) fn count<T>(items: &[T]) -> [u8; 4] {
    u32::try_from(items.len()).unwrap_or(u32::MAX).to_be_bytes()
}
