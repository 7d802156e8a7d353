//! The reserve check: is what the custodian holds, with the reserve's own row, at least what it owes?
//!
//! available = statement's reserves + the reserve row's free amount (nothing while it is frozen or
//! withdrawing), both in base units; solvent ⇔ available · 10⁴ ≥ liabilities · `solvent_at`, in integers.
//! When the pool's token balance is below the sum of all rows of that asset the answer is *unknown*.
//! *Source*: `docs/spec/enclave.md`, section *Solvency*.

use crate::{
    agent::{Notice, NoticeError, envelope_digest},
    attempt::{OpenedAttempt, Session},
    config::{ConfigError, EnclaveConfig},
    result::{AttestedResult, PublicInputs},
    statement::{Statement, StatementError},
};
use ccc_core::{
    enclave::attestation::ProviderError,
    report::{Binding, Payload, Solvency, Statement as PayloadStatement, Verdict},
    table::{AccountId, AssetId, DataKey, Header, OpenTable, StructuralError},
};
use rand_core::CryptoRng;

/// A reserve check is planned from no log.
const NO_LOG: [u8; 32] = [0; 32];

/// Bounds that every payload carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Next sequence number of this receiver and kind.
    pub sequence: u64,
    /// Last second at which the chain may accept the report.
    pub valid_until: u64,
}

/// What a reserve check reads.
pub struct ReserveInput<'a> {
    /// Header of the table that is current on chain.
    pub header: &'a Header,
    /// Its body.
    pub body: &'a [u8],
    /// The custodian's statement, as fetched.
    pub statement: &'a [u8],
    /// Public facts at the block of the check.
    pub inputs: PublicInputs,
    /// Sequence and expiry of the report.
    pub validity: Validity,
}

/// What a reserve check returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReserveOutput {
    /// The payload with its evidence.
    pub result: AttestedResult,
    /// The agent's envelope, whose digest is in the payload.
    pub envelope: Vec<u8>,
}

/// Why a reserve check gives no answer. No report exists then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReserveError {
    /// The statement is refused.
    #[error("statement: {0}")]
    Statement(#[from] StatementError),
    /// The table is not the one that its header names.
    #[error("table: {0}")]
    Table(#[from] StructuralError),
    /// The request names more or less than the table's key.
    #[error("a reserve check opens the table's key and nothing else")]
    Request,
    /// The header is not the one that the request names.
    #[error("the request names another table header")]
    OtherHeader,
    /// The configuration.
    #[error("configuration: {0}")]
    Config(#[from] ConfigError),
    /// The envelope could not be made.
    #[error("agent's envelope: {0}")]
    Notice(#[from] NoticeError),
    /// The attestation provider failed.
    #[error("attestation: {0}")]
    Attestation(#[from] ProviderError),
}

impl OpenedAttempt<'_> {
    /// Runs the reserve check.
    ///
    /// # Errors
    /// [`ReserveError`]; nothing has changed anywhere.
    pub fn reserve(self, input: &ReserveInput<'_>, rng: &mut impl CryptoRng) -> Result<ReserveOutput, ReserveError> {
        let statement = Statement::parse(input.statement)?;
        statement.check_account(&self.session.config.custodian_account)?;
        statement.check_age(input.inputs.block_time, self.session.config.max_statement_age)?;
        let table = open_table(&self, input)?;
        let position = Position::of(self.session.config, &statement, &table, input.inputs.custody)?;
        emit(&self.session, input, &position, rng)
    }
}

fn open_table(opened: &OpenedAttempt<'_>, input: &ReserveInput<'_>) -> Result<OpenTable, ReserveError> {
    if opened.session.request.table_header != Some(input.header.hash()) {
        return Err(ReserveError::OtherHeader);
    }
    opened.session.config.check_suite(input.header)?;
    let [Some(key)] = opened.plaintexts.as_slice() else {
        return Err(ReserveError::Request);
    };
    Ok(OpenTable::open(input.header, input.body, &DataKey::from_opened(key)?)?)
}

/// The answer and what is missing.
struct Position {
    verdict: Verdict,
    deficit: u64,
    buffer: u64,
}

impl Position {
    fn of(
        config: &EnclaveConfig,
        statement: &Statement,
        table: &OpenTable,
        custody: u128,
    ) -> Result<Self, ConfigError> {
        let base = config.asset(config.base)?;
        if table.sum(AssetId(config.base)) > custody {
            return Ok(Self { verdict: Verdict::Unknown, deficit: 0, buffer: 0 });
        }
        let available = u128::from(statement.reserves()).saturating_add(free(config, table, base.lot));
        let liabilities = u128::from(statement.liabilities());
        let missing = |ratio: u32| {
            let gap = (liabilities * u128::from(ratio)).div_ceil(10_000).saturating_sub(available);
            let lots = gap.div_ceil(u128::from(base.lot)) * u128::from(base.lot);
            u64::try_from(lots).unwrap_or(u64::MAX)
        };
        let to_aim = missing(config.recover_to);
        if available.saturating_mul(10_000) >= liabilities * u128::from(config.solvent_at) {
            return Ok(Self { verdict: Verdict::Solvent, deficit: 0, buffer: to_aim });
        }
        let buffer = to_aim.saturating_sub(missing(config.solvent_at));
        Ok(Self { verdict: Verdict::Insolvent, deficit: to_aim, buffer })
    }
}

fn free(config: &EnclaveConfig, table: &OpenTable, lot: u64) -> u128 {
    match table.find(AccountId(config.reserve), AssetId(config.base)) {
        Some(row) if !row.flags.refuses() => row.amount.saturating_sub(u128::from(row.reserved) * u128::from(lot)),
        _ => 0,
    }
}

fn emit(
    session: &Session<'_>,
    input: &ReserveInput<'_>,
    position: &Position,
    rng: &mut impl CryptoRng,
) -> Result<ReserveOutput, ReserveError> {
    let config = session.config;
    let notice = Notice {
        status: position.verdict as u8,
        deficit: position.deficit,
        expiry: input.inputs.block_time.saturating_add(config.envelope_lifetime),
        request: session.request.id,
        buffer: position.buffer,
    };
    let envelope = notice.seal(&config.agent_key, config.chain, &config.reserve_attestation, rng)?;
    let statement = Solvency {
        verdict: position.verdict,
        block: input.inputs.block,
        block_time: input.inputs.block_time,
        header_hash: input.header.hash(),
        envelope_digest: envelope_digest(&envelope),
    };
    let payload = Payload {
        binding: binding(session, config.reserve_attestation, input.validity),
        statement: PayloadStatement::Solvency(statement),
    };
    let (inputs, header) = (input.inputs.clone(), input.header.hash());
    let result = AttestedResult::attest(session, payload.to_bytes(), inputs, header, NO_LOG)?;
    Ok(ReserveOutput { result, envelope })
}

/// The fields that every payload of this session shares.
pub(crate) fn binding(session: &Session<'_>, receiver: [u8; 20], validity: Validity) -> Binding {
    Binding {
        chain: session.config.chain,
        receiver,
        epoch: session.epoch.0,
        sequence: validity.sequence,
        valid_until: validity.valid_until,
        attestation: session.evidence,
    }
}
