//! A round: open, clear, settle, report. Whatever happens inside, it ends with the next version of the
//! table, of the same size, and one payload of the same shape.
//!
//! 1. The plan's ciphertexts are those of the request; the table opens under its key.
//! 2. Deposits and withdrawals since the last round become boundary operations; new standing orders become
//!    reservations, new transfers and the operator's freezes theirs. An instruction that nobody authorised moves
//!    nothing; a deposit with one is credited to the address that paid it. A deposit that the table has no row for ends
//!    the round without a version.
//! 3. The live standing orders, bounded by their reservations, are cleared against the order in canonical
//!    order, at the average price of the observations.
//! 4. The fills become deltas; the table takes them all or none, and is sealed again.
//! 5. The payload names the new header, the operations and the price that were used, and one boolean.

use crate::{
    attempt::{OpenedAttempt, Session},
    cancellation,
    config::{ConfigError, EnclaveConfig},
    intake::RoundPlan,
    planned::{check_deposits, operations},
    reserve::{Validity, binding},
    result::{AttestedResult, PublicInputs},
    upkeep::{Duty, check_epoch},
};
use ccc_core::{
    ciphertext::Label,
    enclave::attestation::ProviderError,
    epoch::Epoch,
    report::{Accumulator, Payload, PriceObservation, ReportError, Round, Statement as PayloadStatement, price_digest},
    table::{
        AssetRule, ChunkSink, ChunkSource, DataKey, Header, Outputs, PlaceSink, ResultCode, SEALED_RECEIPT_LEN,
        SealedBody, SealedTable, SliceSink, StreamError, StructuralError, TableId, TableParams, Tier, Update, body_len,
        genesis_to, sidecar_len,
    },
};
use darkpool_matcher::{ClearError, OutOfRange};
use rand_core::CryptoRng;

/// Seconds for which a payout can be delivered after its round can no more: a round that fails is made again, and what it debited
/// is paid once.
pub const PAYOUTS_LONGER: u64 = 1_500;

/// What a round reads beside its plan.
pub struct RoundInput<'a> {
    /// Price observations, oldest first.
    pub observations: &'a [PriceObservation],
    /// Block at which they were read.
    pub price_block: u64,
    /// Public facts at the block of the round.
    pub inputs: PublicInputs,
    /// Sequence and expiry of the round's report; its payouts have [`PAYOUTS_LONGER`].
    pub validity: Validity,
    /// Sequence of the first payout report.
    pub payout_sequence: u64,
    /// Told as the work goes on; the order and number of calls are the same in every round.
    pub progress: &'a dyn Fn(Phase),
}

/// Where a round stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The table is open; clearing begins.
    Clearing,
    /// The fills are known; the table is updated.
    Settlement,
}

/// The current version as a round reads it.
pub struct Current<'a, S> {
    /// Its header.
    pub header: &'a Header,
    /// Its body. A body that a host could change between two readings says so ([`ChunkSource::is_fixed`]).
    pub body: &'a mut S,
}

impl<'a, S> Current<'a, S> {
    pub(crate) fn sealed(self, key: &'a DataKey) -> SealedBody<'a, S> {
        SealedBody { header: self.header, key, body: self.body }
    }
}

/// What a round returns whose table went to sinks.
pub struct StreamedRound {
    /// The round's payload with its evidence.
    pub result: AttestedResult,
    /// One payload per withdrawal that succeeded.
    pub payouts: Vec<AttestedResult>,
    /// The header of the next version.
    pub header: Header,
    /// As in [`RoundOutput`].
    pub receipts: Vec<[u8; SEALED_RECEIPT_LEN]>,
}

/// What a round returns.
pub struct RoundOutput {
    /// The round's payload with its evidence.
    pub result: AttestedResult,
    /// One payload per withdrawal that succeeded.
    pub payouts: Vec<AttestedResult>,
    /// The next version of the table.
    pub table: SealedTable,
    /// One receipt for each order slot and one for the request, then a report for each in the same order, sealed to the
    /// slots' owners; none for the first version.
    ///
    /// *Security*: their number and sizes are public; who can open which is not.
    pub receipts: Vec<[u8; SEALED_RECEIPT_LEN]>,
}

/// Why a round does not happen. The table keeps its version.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RoundError {
    /// The table is not the one that its header names.
    #[error("table: {0}")]
    Table(#[from] StructuralError),
    /// A store or a file could not be read or written.
    #[error("table: {0}")]
    Medium(StreamError),
    /// The header is not the one that the request names.
    #[error("the request names another table header")]
    OtherHeader,
    /// The request names other ciphertexts than the plan.
    #[error("the request names other ciphertexts than the plan")]
    OtherPlan,
    /// The plan starts from another count or value of the accumulator than the public inputs say.
    #[error("the plan starts after {found} operations, the public inputs after {expected}, or from another value")]
    OtherLog {
        /// Operations that the table has consumed, as the public inputs say.
        expected: u64,
        /// Operations before the plan's first.
        found: u64,
    },
    /// The plan judged expiries by another time than the block's.
    #[error("the plan was made for time {found}, the public inputs are of {expected}")]
    OtherTime {
        /// The block's time.
        expected: u64,
        /// The plan's.
        found: u64,
    },
    /// A deposit for which the table has no row left. It stays on chain, unconsumed.
    #[error("the deposit at position {index} of the log cannot be booked: {code}")]
    Deposit {
        /// Position among the plan's operations.
        index: usize,
        /// Why.
        code: ResultCode,
    },
    /// The table is of another epoch than the request: the new epoch takes a version of its own first.
    #[error("a table of epoch {found} under a request of epoch {expected}")]
    Epoch {
        /// The request's.
        expected: Epoch,
        /// The table's.
        found: Epoch,
    },
    /// What the plan asks for is opened with the shares of another committee.
    #[error("that version is made with the shares of the {expected} committee")]
    OtherCommittee {
        /// `former` for a rotation, `present` for everything else.
        expected: &'static str,
    },
    /// The table's key did not open.
    #[error("the table's key holds nothing")]
    TableKey,
    /// The configuration.
    #[error("configuration: {0}")]
    Config(#[from] ConfigError),
    /// A configured number is outside the matcher's range.
    #[error("configuration: {0}")]
    Range(#[from] OutOfRange),
    /// The observations cannot be encoded.
    #[error("report: {0}")]
    Report(#[from] ReportError),
    /// The shapes given to the matcher differ: a defect.
    #[error("clearing: {0}")]
    Clearing(#[from] ClearError),
    /// The attestation provider failed.
    #[error("attestation: {0}")]
    Attestation(#[from] ProviderError),
}

impl From<StreamError> for RoundError {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Structural(error) => Self::Table(error),
            medium => Self::Medium(medium),
        }
    }
}

impl OpenedAttempt<'_> {
    /// Runs a round from memory to memory; `table` is the current version, header and body, and none before the first.
    ///
    /// # Errors
    /// [`RoundError`], as for [`Self::round_to`].
    pub fn round(
        self,
        plan: &RoundPlan,
        table: Option<(&Header, &[u8])>,
        input: &RoundInput<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<RoundOutput, RoundError> {
        let tier = next_tier(self.session.config, plan, table.map(|(header, _)| header))?;
        in_memory(tier, |outputs| match table {
            Some((header, mut bytes)) => {
                self.round_to(plan, Some(Current { header, body: &mut bytes }), input, outputs, rng)
            }
            None => self.round_to::<&[u8], _, _>(plan, None, input, outputs, rng),
        })
    }

    /// The plan is of the request's ciphertexts and of the public inputs' log.
    pub(crate) fn check_plan(&self, plan: &RoundPlan, inputs: &PublicInputs) -> Result<(), RoundError> {
        if self.session.request.ciphertexts != plan.digests {
            return Err(RoundError::OtherPlan);
        }
        check_log(plan, inputs)
    }

    /// Runs a round whose table is read and written a few chunks at a time: what it holds at once does not grow with
    /// the table. The next version is wrapped for the configured master public key, which the host cannot choose.
    ///
    /// # Errors
    /// [`RoundError`]; every business failure is an output instead. After an error the sinks hold no version.
    pub fn round_to<S: ChunkSource, B: ChunkSink, P: PlaceSink>(
        self,
        plan: &RoundPlan,
        current: Option<Current<'_, S>>,
        input: &RoundInput<'_>,
        outputs: Outputs<'_, B, P>,
        rng: &mut impl CryptoRng,
    ) -> Result<StreamedRound, RoundError> {
        self.check_plan(plan, &input.inputs)?;
        match current {
            None => self.first_version(plan, input, outputs, rng),
            Some(current) => match &plan.log.upkeep {
                Some(upkeep) => self.upkeep((plan, upkeep), input, current, outputs, rng),
                None => self.next_version(plan, input, current, outputs, rng),
            },
        }
    }

    fn first_version<B: ChunkSink, P: PlaceSink>(
        self,
        plan: &RoundPlan,
        input: &RoundInput<'_>,
        outputs: Outputs<'_, B, P>,
        rng: &mut impl CryptoRng,
    ) -> Result<StreamedRound, RoundError> {
        let config = self.session.config;
        let params = TableParams {
            id: TableId { chain: config.chain, contract: config.pool, table: config.table },
            epoch: self.session.request.epoch,
            tier: first_tier(config)?,
            suite: config.suite,
        };
        let header = genesis_to(&params, &self.master, outputs, rng)?.header;
        self.without_round(plan, input, header)
    }

    /// A version that settles nothing and has no receipts.
    pub(crate) fn without_round(
        &self,
        plan: &RoundPlan,
        input: &RoundInput<'_>,
        header: Header,
    ) -> Result<StreamedRound, RoundError> {
        let result = report(&self.session, plan, input, &header, false)?;
        Ok(StreamedRound { result, payouts: Vec::new(), header, receipts: Vec::new() })
    }

    fn next_version<S: ChunkSource, B: ChunkSink, P: PlaceSink>(
        self,
        plan: &RoundPlan,
        input: &RoundInput<'_>,
        current: Current<'_, S>,
        outputs: Outputs<'_, B, P>,
        rng: &mut impl CryptoRng,
    ) -> Result<StreamedRound, RoundError> {
        let config = self.session.config;
        let key = self.table_key(plan, current.header)?;
        check_epoch(current.header, self.session.request.epoch)?;
        let rules: Vec<AssetRule> = config.assets.iter().map(|asset| AssetRule { lot: asset.lot }).collect();
        let (mut boundary, seats) = (self.boundary_operations(plan, rng), self.seats(plan));
        let found = seats.find(config, &boundary, &rules, current.sealed(&key), outputs.progress)?;
        (input.progress)(Phase::Clearing);
        let cleared = self.clear(plan, input, &seats, &found, &boundary)?;
        boundary.iter_mut().for_each(|planned| planned.keep_sold(&cleared.deltas));
        cancellation::refuse(config, &mut boundary, &seats, found.rows());
        (input.progress)(Phase::Settlement);
        let (operations, k) = (operations(&boundary), seats.capacity(config)?);
        let update = Update::Round { boundary: &operations, deltas: &cleared.deltas, k, assets: &rules };
        let decided = found.decide(&update, rng)?;
        check_deposits(&boundary, decided.boundary())?;
        let (streamed, rows) = decided.seal(&self.master, outputs, rng)?;
        let success = cleared.success && streamed.code == ResultCode::Done;
        let result = report(&self.session, plan, input, &streamed.header, success)?;
        let payouts = self.payouts(plan, (&boundary, &streamed.boundary), input, &streamed.header)?;
        let request = plan.log.collateral.as_ref().map_or([0; 32], |request| request.submission.id);
        let slots = cleared.slots.with_withdrawals(&boundary);
        let receipts = slots.seal(config, request, (&streamed, &rows), rng);
        Ok(StreamedRound { result, payouts, header: streamed.header, receipts })
    }

    /// The data key of the table that the request names, as the plan names it.
    pub(crate) fn table_key(&self, plan: &RoundPlan, header: &Header) -> Result<DataKey, RoundError> {
        if self.session.request.table_header != Some(header.hash()) {
            return Err(RoundError::OtherHeader);
        }
        self.session.config.check_suite(header)?;
        let data_key = plan.positions.table_key.and_then(|index| self.plaintext(index)).ok_or(RoundError::TableKey)?;
        Ok(DataKey::from_opened(data_key)?)
    }

    pub(crate) fn plaintext(&self, index: usize) -> Option<&[u8]> {
        self.plaintexts.get(index).and_then(|plain| plain.as_ref()).map(|plain| plain.as_slice())
    }

    /// The plaintext and label at a position, if the ciphertext was readable and held something.
    pub(crate) fn opened<'p>(&'p self, plan: &'p RoundPlan, position: Option<usize>) -> Option<(&'p Label, &'p [u8])> {
        let index = position?;
        Some((plan.labels.get(index)?, self.plaintext(index)?))
    }

    /// The plaintext and label of a submission; without a plaintext it is empty, and takes the same work.
    pub(crate) fn submission<'p>(&'p self, plan: &'p RoundPlan, index: usize) -> Option<(&'p Label, &'p [u8])> {
        Some((plan.labels.get(index)?, self.plaintext(index).unwrap_or_default()))
    }
}

/// A version of this tier, made in memory.
pub(crate) fn in_memory(
    tier: Tier,
    make: impl FnOnce(Outputs<'_, SliceSink<'_>, SliceSink<'_>>) -> Result<StreamedRound, RoundError>,
) -> Result<RoundOutput, RoundError> {
    let (mut body, mut sidecar) = (vec![0; body_len(tier)], vec![0; sidecar_len(tier)]);
    let outputs =
        Outputs { body: &mut SliceSink(&mut body), sidecar: &mut SliceSink(&mut sidecar), progress: &mut |_| () };
    let StreamedRound { result, payouts, header, receipts } = make(outputs)?;
    Ok(RoundOutput { result, payouts, table: SealedTable { header, body, sidecar }, receipts })
}

fn first_tier(config: &EnclaveConfig) -> Result<Tier, ConfigError> {
    Tier::new(config.tier).ok_or(ConfigError::Bound { what: "tier" })
}

/// The tier of the version that a plan makes.
fn next_tier(config: &EnclaveConfig, plan: &RoundPlan, header: Option<&Header>) -> Result<Tier, RoundError> {
    let Some(found) = header.map(Header::tier) else { return Ok(first_tier(config)?) };
    match plan.log.upkeep.map(|upkeep| upkeep.duty) {
        Some(Duty::Growth) => Ok(found.next().ok_or(StructuralError::LargestTier { found })?),
        _ => Ok(found),
    }
}

/// The plan must start where the public inputs say that the table ends: the signers read those on chain, and a
/// host that starts earlier would have a deposit booked twice.
fn check_log(plan: &RoundPlan, inputs: &PublicInputs) -> Result<(), RoundError> {
    let (expected, found) = (Accumulator::resume(inputs.accumulator, inputs.consumed), plan.log.consumed);
    if plan.now != inputs.block_time {
        return Err(RoundError::OtherTime { expected: inputs.block_time, found: plan.now });
    }
    if expected == found {
        Ok(())
    } else {
        Err(RoundError::OtherLog { expected: expected.count(), found: found.count() })
    }
}

/// The payload of a version; one of its own keeps the price block of the round before, and names no prices.
pub(crate) fn report(
    session: &Session<'_>,
    plan: &RoundPlan,
    input: &RoundInput<'_>,
    header: &Header,
    success: bool,
) -> Result<AttestedResult, RoundError> {
    let prices = (input.price_block, input.observations);
    let (price_block, observations) = plan.log.upkeep.map_or(prices, |upkeep| (upkeep.read, &[]));
    let round = Round {
        request_id: plan.log.collateral.as_ref().map_or([0; 32], |request| request.submission.id),
        success: success && plan.log.collateral.is_some(),
        version: header.version(),
        previous: header.previous(),
        header_hash: header.hash(),
        count: plan.accumulator.count(),
        accumulator: plan.accumulator.value(),
        price_block,
        source: session.config.price_source,
        price_digest: price_digest(observations)?,
    };
    let payload = Payload {
        binding: binding(session, session.config.pool, input.validity),
        statement: PayloadStatement::Round(round),
    };
    let inputs = input.inputs.clone();
    Ok(AttestedResult::attest(session, payload.to_bytes(), inputs, header.hash(), plan.log_digest())?)
}
