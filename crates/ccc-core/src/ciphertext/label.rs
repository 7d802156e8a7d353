//! The label: the public context that is bound into a ciphertext.

use crate::encoding::{EncodingError, Reader};

/// Bytes of an encoded label.
pub const LABEL_LEN: usize = 129;

/// Who may see the plaintext.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum LabelKind {
    /// Everybody, once enough participants agree: plain decryption shares exist for this kind only.
    Public = 1,
    /// The attested enclave that serves the request: orders, secrets, statements.
    Recipient = 2,
    /// The attested enclave of the table's next version: the table's data key.
    TableKey = 3,
}

impl LabelKind {
    /// The kind with this number.
    ///
    /// # Errors
    /// [`EncodingError::Range`].
    pub fn from_byte(byte: u8) -> Result<Self, EncodingError> {
        match byte {
            1 => Ok(Self::Public),
            2 => Ok(Self::Recipient),
            3 => Ok(Self::TableKey),
            found => Err(EncodingError::Range { what: "label kind", found: found.into(), range: "1 to 3" }),
        }
    }
}

impl core::fmt::Display for LabelKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Recipient => "recipient",
            Self::TableKey => "table key",
        })
    }
}

/// The public context of a ciphertext: whoever encrypts writes it, the contract and every participant read it.
///
/// *Layout*, 129 bytes: kind u8, chain u64, contract 20, id 32, version u64, requester 20, expiry u64, context 32.
/// *Units*: expiry in Unix seconds. *Source*: `docs/spec/encodings.md`.
/// *Security*: a participant MUST compare chain, contract, id and expiry with finalised chain state before it makes
/// a share; the id derives from the requester, so a label cannot be copied to another account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// Who may see the plaintext.
    pub kind: LabelKind,
    /// Chain id.
    pub chain: u64,
    /// The contract that knows the request or the table.
    pub contract: [u8; 20],
    /// Request id, or table id for a table key.
    pub id: [u8; 32],
    /// Version of the request format, or of the table.
    pub version: u64,
    /// Who made the request; zero for a table key.
    pub requester: [u8; 20],
    /// Unix seconds after which no share is made; zero, which means never, for a table key only.
    pub expiry: u64,
    /// Further context; for a table key the digest of the table's header.
    pub context: [u8; 32],
}

impl Label {
    /// Encodes the label.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; LABEL_LEN] {
        let mut out = [0; LABEL_LEN];
        out[0] = self.kind as u8;
        out[1..9].copy_from_slice(&self.chain.to_be_bytes());
        out[9..29].copy_from_slice(&self.contract);
        out[29..61].copy_from_slice(&self.id);
        out[61..69].copy_from_slice(&self.version.to_be_bytes());
        out[69..89].copy_from_slice(&self.requester);
        out[89..97].copy_from_slice(&self.expiry.to_be_bytes());
        out[97..].copy_from_slice(&self.context);
        out
    }

    /// Reads exactly 129 bytes.
    ///
    /// # Errors
    /// [`EncodingError`]: length, unknown kind, or an expiry that the kind does not allow.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        let label = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(label)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, EncodingError> {
        let label = Self {
            kind: LabelKind::from_byte(reader.u8("label kind")?)?,
            chain: reader.u64("label chain")?,
            contract: reader.array("label contract")?,
            id: reader.array("label id")?,
            version: reader.u64("label version")?,
            requester: reader.array("label requester")?,
            expiry: reader.u64("label expiry")?,
            context: reader.array("label context")?,
        };
        label.check()?;
        Ok(label)
    }

    /// An expiry is zero exactly for table keys.
    ///
    /// # Errors
    /// [`EncodingError::Range`].
    pub fn check(&self) -> Result<(), EncodingError> {
        if (self.kind == LabelKind::TableKey) == (self.expiry == 0) {
            return Ok(());
        }
        let range = "zero for a table key, above zero for everything else";
        Err(EncodingError::Range { what: "label expiry", found: self.expiry, range })
    }
}
