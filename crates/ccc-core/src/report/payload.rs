//! The payload: words that a contract reads without a decoder for dynamic types.

use super::word::{WordReader, WordWriter};
use super::{Address, Kind, ReportError, Word, keccak256};
use alloc::vec::Vec;

/// What every payload binds, because the forwarder's signature binds neither receiver nor chain
/// and a reverted delivery can be retried by anyone at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The chain that may accept the report.
    pub chain: u64,
    /// The contract that may accept the report.
    pub receiver: Address,
    /// The committee's epoch.
    pub epoch: u64,
    /// Strictly increasing per receiver and kind.
    pub sequence: u64,
    /// The last second at which the report is accepted, Unix time.
    pub valid_until: u64,
    /// The digest of the enclave's evidence.
    pub attestation: Word,
}

/// The answer of a reserve check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Verdict {
    /// The data do not allow an answer.
    Unknown = 0,
    /// The reserves cover the liabilities.
    Solvent = 1,
    /// They do not.
    Insolvent = 2,
}

impl TryFrom<u8> for Verdict {
    type Error = ReportError;

    fn try_from(number: u8) -> Result<Self, ReportError> {
        match number {
            0 => Ok(Self::Unknown),
            1 => Ok(Self::Solvent),
            2 => Ok(Self::Insolvent),
            found => Err(ReportError::UnknownVerdict { found }),
        }
    }
}

/// Whether the reserves covered the liabilities at one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Solvency {
    /// The answer.
    pub verdict: Verdict,
    /// The block that the answer is about.
    pub block: u64,
    /// That block's time, Unix time.
    pub block_time: u64,
    /// The balance table's header hash at that block.
    pub header_hash: Word,
    /// The digest of the agent's envelope, which only the agent opens.
    pub envelope_digest: Word,
}

/// A new version of the balance table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    /// The request that the round settles; zero for an idle round.
    pub request_id: Word,
    /// Whether the request was filled; false for an idle round.
    pub success: bool,
    /// The new table version.
    pub version: u64,
    /// The header hash of the version before.
    pub previous: Word,
    /// The header hash of the new version.
    pub header_hash: Word,
    /// The number of deposits and withdrawal requests that the round consumed.
    pub count: u64,
    /// The accumulator after `count` operations.
    pub accumulator: Word,
    /// The block at which the price was read.
    pub price_block: u64,
    /// The contract that the price was read from.
    pub source: Address,
    /// See [`price_digest`](super::price_digest).
    pub price_digest: Word,
}

/// An enclave that may open ciphertexts until it expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnclaveAdmission {
    /// The measurement of the program.
    pub measurement: Word,
    /// The key that shares are re-encrypted to.
    pub box_key: Word,
    /// The enclave's identity on the chain.
    pub signer: Address,
    /// The last second of the admission, Unix time.
    pub expiry: u64,
}

/// Money that leaves the pool for one withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payout {
    /// The withdrawal request.
    pub withdrawal_id: Word,
    /// Who is paid.
    pub to: Address,
    /// In which token.
    pub token: Address,
    /// How much, in the token's smallest unit.
    pub amount: u128,
    /// The table version that debited the account.
    pub version: u64,
}

/// What a payload says beside its binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statement {
    /// Kind 1.
    Solvency(Solvency),
    /// Kind 2.
    Round(Round),
    /// Kind 3.
    Enclave(EnclaveAdmission),
    /// Kind 4.
    Payout(Payout),
}

impl Statement {
    /// The kind of the payload that carries this statement.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Solvency(_) => Kind::Solvency,
            Self::Round(_) => Kind::Round,
            Self::Enclave(_) => Kind::Enclave,
            Self::Payout(_) => Kind::Payout,
        }
    }

    /// An idle round that claims success would be refused by the pool after it was signed.
    pub(super) fn check(&self) -> Result<(), ReportError> {
        match self {
            Self::Round(round) if round.success && round.request_id == [0; 32] => Err(ReportError::IdleRoundSucceeded),
            _ => Ok(()),
        }
    }
}

/// A binding and a statement: what the receiver reads.
///
/// *Layout*: ABI words. chain uint256 · receiver address · kind uint8 · epoch, sequence, valid
/// until uint64 · attestation bytes32, then the statement's fields in the order of its type.
///
/// *Source*: `docs/spec/report.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload {
    /// What every payload binds.
    pub binding: Binding,
    /// What this one says.
    pub statement: Statement,
}

impl Payload {
    /// The words.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let binding = &self.binding;
        let words = WordWriter::default()
            .uint(binding.chain.into())
            .address(&binding.receiver)
            .uint(self.statement.kind().number().into())
            .uint(binding.epoch.into())
            .uint(binding.sequence.into())
            .uint(binding.valid_until.into())
            .word(&binding.attestation);
        write_statement(words, &self.statement).finish()
    }

    /// Reads the words strictly.
    ///
    /// # Errors
    /// An unknown kind, a length that is not the kind's, a word outside its type, an idle round
    /// that claims success.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReportError> {
        let mut words = WordReader::new(bytes);
        let chain = words.u64("chain")?;
        let receiver = words.address("receiver")?;
        let kind = Kind::try_from(words.u8("kind")?)?;
        require_length(kind, bytes.len())?;
        let binding = Binding {
            chain,
            receiver,
            epoch: words.u64("epoch")?,
            sequence: words.u64("sequence")?,
            valid_until: words.u64("validUntil")?,
            attestation: words.word("attestation")?,
        };
        let statement = read_statement(kind, &mut words)?;
        words.finish("payload")?;
        statement.check()?;
        Ok(Self { binding, statement })
    }

    /// keccak256 of the words: the forwarder's execution id.
    #[must_use]
    pub fn execution_id(&self) -> Word {
        keccak256(&[&self.to_bytes()])
    }

    /// Whether the payload may still be accepted at `now` (Unix time).
    ///
    /// # Errors
    /// [`ReportError::Expired`] when `now` is later than the last valid second.
    pub fn check_time(&self, now: u64) -> Result<(), ReportError> {
        let valid_until = self.binding.valid_until;
        if now <= valid_until { Ok(()) } else { Err(ReportError::Expired { valid_until, now }) }
    }
}

fn require_length(kind: Kind, found: usize) -> Result<(), ReportError> {
    let expected = kind.payload_length();
    if expected == found {
        return Ok(());
    }
    Err(ReportError::PayloadLength { kind, expected, found })
}

fn write_statement(words: WordWriter, statement: &Statement) -> WordWriter {
    match statement {
        Statement::Solvency(s) => write_solvency(words, s),
        Statement::Round(round) => write_round(words, round),
        Statement::Enclave(enclave) => write_enclave(words, enclave),
        Statement::Payout(payout) => write_payout(words, payout),
    }
}

fn write_solvency(words: WordWriter, solvency: &Solvency) -> WordWriter {
    words
        .uint(u128::from(solvency.verdict as u8))
        .uint(solvency.block.into())
        .uint(solvency.block_time.into())
        .word(&solvency.header_hash)
        .word(&solvency.envelope_digest)
}

fn write_round(words: WordWriter, round: &Round) -> WordWriter {
    words
        .word(&round.request_id)
        .uint(round.success.into())
        .uint(round.version.into())
        .word(&round.previous)
        .word(&round.header_hash)
        .uint(round.count.into())
        .word(&round.accumulator)
        .uint(round.price_block.into())
        .address(&round.source)
        .word(&round.price_digest)
}

fn write_enclave(words: WordWriter, enclave: &EnclaveAdmission) -> WordWriter {
    words.word(&enclave.measurement).word(&enclave.box_key).address(&enclave.signer).uint(enclave.expiry.into())
}

fn write_payout(words: WordWriter, payout: &Payout) -> WordWriter {
    words
        .word(&payout.withdrawal_id)
        .address(&payout.to)
        .address(&payout.token)
        .uint(payout.amount)
        .uint(payout.version.into())
}

fn read_statement(kind: Kind, words: &mut WordReader<'_>) -> Result<Statement, ReportError> {
    match kind {
        Kind::Solvency => read_solvency(words).map(Statement::Solvency),
        Kind::Round => read_round(words).map(Statement::Round),
        Kind::Enclave => read_enclave(words).map(Statement::Enclave),
        Kind::Payout => read_payout(words).map(Statement::Payout),
    }
}

fn read_solvency(words: &mut WordReader<'_>) -> Result<Solvency, ReportError> {
    Ok(Solvency {
        verdict: Verdict::try_from(words.u8("status")?)?,
        block: words.u64("block")?,
        block_time: words.u64("time")?,
        header_hash: words.word("headerHash")?,
        envelope_digest: words.word("envelopeDigest")?,
    })
}

fn read_round(words: &mut WordReader<'_>) -> Result<Round, ReportError> {
    Ok(Round {
        request_id: words.word("requestId")?,
        success: words.bool("success")?,
        version: words.u64("version")?,
        previous: words.word("previous")?,
        header_hash: words.word("headerHash")?,
        count: words.u64("count")?,
        accumulator: words.word("accumulator")?,
        price_block: words.u64("priceBlock")?,
        source: words.address("source")?,
        price_digest: words.word("priceDigest")?,
    })
}

fn read_enclave(words: &mut WordReader<'_>) -> Result<EnclaveAdmission, ReportError> {
    Ok(EnclaveAdmission {
        measurement: words.word("measurement")?,
        box_key: words.word("boxKey")?,
        signer: words.address("signer")?,
        expiry: words.u64("expiry")?,
    })
}

fn read_payout(words: &mut WordReader<'_>) -> Result<Payout, ReportError> {
    Ok(Payout {
        withdrawal_id: words.word("withdrawalId")?,
        to: words.address("to")?,
        token: words.address("token")?,
        amount: words.u128("amount")?,
        version: words.u64("version")?,
    })
}
