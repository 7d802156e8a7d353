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
    authorisation,
    book::{Book, canonical_order, live_rows, standing_order},
    clearing::{average, empty_request, market, request_of},
    config::ConfigError,
    instruction::{CollateralOrder, DepositInstruction, StandingOrderTerms, WithdrawalInstruction},
    intake::{BoundaryEvent, RoundPlan},
    planned::{Planned, check_deposits},
    receipts::{Slot, Slots},
    reserve::{Validity, binding},
    result::{AttestedResult, PublicInputs},
    settlement, submission,
    upkeep::check_epoch,
};
use ccc_core::{
    ciphertext::Label,
    enclave::attestation::ProviderError,
    epoch::Epoch,
    report::{
        Accumulator, OperationKind, Payload, Payout, PriceObservation, ReportError, Round,
        Statement as PayloadStatement, price_digest,
    },
    table::{
        AccountId, AssetId, AssetRule, BoundaryOperation, DataKey, Delta, Header, OpenTable, ResultCode,
        SEALED_RECEIPT_LEN, SealedTable, StructuralError, TableId, TableParams, TableSuite, Tier, Update,
        delta_capacity, genesis,
    },
};
use darkpool_matcher::{ClearError, Fill, Notional, OutOfRange, Request as ClearingRequest, clear};
use rand_core::CryptoRng;

/// What a round reads beside its plan.
pub struct RoundInput<'a> {
    /// The current table, header and body; none before the first version.
    pub table: Option<(&'a Header, &'a [u8])>,
    /// Price observations, oldest first.
    pub observations: &'a [PriceObservation],
    /// Block at which they were read.
    pub price_block: u64,
    /// Public facts at the block of the round.
    pub inputs: PublicInputs,
    /// Sequence and expiry of the round's report.
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

/// What a round returns.
pub struct RoundOutput {
    /// The round's payload with its evidence.
    pub result: AttestedResult,
    /// One payload per withdrawal that succeeded.
    pub payouts: Vec<AttestedResult>,
    /// The next version of the table.
    pub table: SealedTable,
    /// One receipt for each order slot and one for the request, sealed to the slots' owners; none for the first version.
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

impl OpenedAttempt<'_> {
    /// Runs a round. The next version is wrapped for the configured master public key, which the host cannot choose.
    ///
    /// # Errors
    /// [`RoundError`]; every business failure is an output instead.
    pub fn round(
        self,
        plan: &RoundPlan,
        input: &RoundInput<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<RoundOutput, RoundError> {
        if self.session.request.ciphertexts != plan.digests {
            return Err(RoundError::OtherPlan);
        }
        check_log(plan, &input.inputs)?;
        match input.table {
            None => self.first_version(plan, input, rng),
            Some(table) => match &plan.log.upkeep {
                Some(upkeep) => self.upkeep((plan, upkeep), input, table, rng),
                None => self.next_version(plan, input, table, rng),
            },
        }
    }

    fn first_version(
        self,
        plan: &RoundPlan,
        input: &RoundInput<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<RoundOutput, RoundError> {
        let config = self.session.config;
        let params = TableParams {
            id: TableId { chain: config.chain, contract: config.pool, table: config.table },
            epoch: self.session.request.epoch,
            tier: Tier::new(config.tier).ok_or(ConfigError::Bound { what: "tier" })?,
            suite: TableSuite::ChaCha20Poly1305,
        };
        let table = genesis(&params, &self.master, rng)?.table;
        let result = report(&self.session, plan, input, &table, false)?;
        Ok(RoundOutput { result, payouts: Vec::new(), table, receipts: Vec::new() })
    }

    fn next_version(
        self,
        plan: &RoundPlan,
        input: &RoundInput<'_>,
        (header, body): (&Header, &[u8]),
        rng: &mut impl CryptoRng,
    ) -> Result<RoundOutput, RoundError> {
        let config = self.session.config;
        let table = self.table(plan, header, body)?;
        check_epoch(&table, self.session.request.epoch)?;
        let mut boundary = self.boundary_operations(plan, rng);
        (input.progress)(Phase::Clearing);
        let cleared = self.clear(plan, input, &table, &boundary)?;
        boundary.iter_mut().for_each(|planned| planned.keep_sold(&cleared.deltas));
        (input.progress)(Phase::Settlement);
        let k = delta_capacity(config.slots.into(), config.order_slots as usize)?;
        let rules: Vec<AssetRule> = config.assets.iter().map(|asset| AssetRule { lot: asset.lot }).collect();
        let operations: Vec<BoundaryOperation> = boundary.iter().map(|planned| planned.operation.clone()).collect();
        let update = Update::Round { boundary: &operations, deltas: &cleared.deltas, k, assets: &rules };
        let updated = table.apply(&update, &self.master, rng)?;
        check_deposits(&boundary, &updated.boundary)?;
        let success = cleared.success && updated.code == ResultCode::Done;
        let result = report(&self.session, plan, input, &updated.table, success)?;
        let payouts = self.payouts(plan, (&boundary, &updated.boundary), input, &updated.table.header)?;
        let request = plan.log.collateral.as_ref().map_or([0; 32], |request| request.submission.id);
        let receipts = cleared.slots.seal(config, request, &updated, rng);
        Ok(RoundOutput { result, payouts, table: updated.table, receipts })
    }

    /// The table that the request names, opened with the key that the plan names.
    pub(crate) fn table(&self, plan: &RoundPlan, header: &Header, body: &[u8]) -> Result<OpenTable, RoundError> {
        if self.session.request.table_header != Some(header.hash()) {
            return Err(RoundError::OtherHeader);
        }
        let data_key = plan.positions.table_key.and_then(|index| self.plaintext(index)).ok_or(RoundError::TableKey)?;
        Ok(OpenTable::open(header, body, &DataKey::from_opened(data_key)?)?)
    }

    fn plaintext(&self, index: usize) -> Option<&[u8]> {
        self.plaintexts.get(index).and_then(|plain| plain.as_ref()).map(|plain| plain.as_slice())
    }

    /// The plaintext and label at a position, if the ciphertext was readable and held something.
    fn opened<'p>(&'p self, plan: &'p RoundPlan, position: Option<usize>) -> Option<(&'p Label, &'p [u8])> {
        let index = position?;
        Some((plan.labels.get(index)?, self.plaintext(index)?))
    }

    fn boundary_operations(&self, plan: &RoundPlan, rng: &mut impl CryptoRng) -> Vec<Planned> {
        let mut planned = Vec::new();
        for (index, (event, position)) in plan.log.boundary.iter().zip(&plan.positions.boundary).enumerate() {
            match event.kind {
                OperationKind::Deposit => {
                    let booked = self.deposit(plan, event, *position, rng);
                    planned.extend(booked.into_iter().map(|operation| Planned::booking(operation, index)));
                }
                OperationKind::Withdrawal => {
                    planned.push(self.withdrawal(plan, event, *position).unwrap_or_else(Planned::nothing));
                }
            }
        }
        let new = plan.positions.new_orders.iter().flatten().filter_map(|index| self.submission(plan, *index));
        planned.extend(new.map(|(label, plain)| submission::planned(self.session.config, label, plain)));
        planned
    }

    /// A deposit credits the account that its instruction names, with rows for every other asset; without a
    /// valid instruction it credits the address that paid.
    fn deposit(
        &self,
        plan: &RoundPlan,
        event: &BoundaryEvent,
        position: Option<usize>,
        rng: &mut impl CryptoRng,
    ) -> Vec<BoundaryOperation> {
        let instruction = self.opened(plan, position).and_then(|(label, plain)| {
            let instruction = DepositInstruction::from_bytes(plain).ok()?;
            authorisation::check(&instruction.account, label, &instruction.unsigned(), &instruction.signature).ok()?;
            Some((instruction.account, instruction.reading_key))
        });
        let mut unread = [0; 32];
        rng.fill_bytes(&mut unread);
        let (account, reading_key) = instruction.unwrap_or((event.submission.who, unread));
        let account = AccountId(account);
        let asset = AssetId(event.asset);
        let deposit = BoundaryOperation::Deposit { account, asset, amount: event.amount, reading_key };
        let assets = 0..u32::try_from(self.session.config.assets.len()).unwrap_or(u32::MAX);
        let others = assets.filter(|other| *other != event.asset).map(AssetId);
        std::iter::once(deposit).chain(others.map(|asset| BoundaryOperation::Open { account, asset })).collect()
    }

    fn withdrawal(&self, plan: &RoundPlan, event: &BoundaryEvent, position: Option<usize>) -> Option<Planned> {
        let (label, plain) = self.opened(plan, position)?;
        let instruction = WithdrawalInstruction::from_bytes(plain).ok()?;
        authorisation::check(&instruction.account, label, &instruction.unsigned(), &instruction.signature).ok()?;
        let token = self.session.config.asset(instruction.asset).ok()?.token;
        if instruction.recipient == [0; 20] || instruction.recipient == self.session.config.pool {
            return None;
        }
        let operation = BoundaryOperation::Withdraw {
            account: AccountId(instruction.account),
            asset: AssetId(instruction.asset),
            amount: instruction.amount,
        };
        let payout = Payout {
            withdrawal_id: event.submission.id,
            to: instruction.recipient,
            token,
            amount: instruction.amount,
            version: 0,
        };
        Some(Planned { operation, payout: Some(payout), deposit: None })
    }

    /// The terms of a standing order whose account signed them.
    fn terms(&self, plan: &RoundPlan, index: usize) -> Option<StandingOrderTerms> {
        let (label, plain) = self.submission(plan, index)?;
        submission::terms(self.session.config, label, plain)
    }

    /// The plaintext and label of a submission; without a plaintext it is empty, and takes the same work.
    fn submission<'p>(&'p self, plan: &'p RoundPlan, index: usize) -> Option<(&'p Label, &'p [u8])> {
        Some((plan.labels.get(index)?, self.plaintext(index).unwrap_or_default()))
    }

    fn clear(
        &self,
        plan: &RoundPlan,
        input: &RoundInput<'_>,
        table: &OpenTable,
        planned: &[Planned],
    ) -> Result<Cleared, RoundError> {
        let config = self.session.config;
        let slots = config.order_slots as usize;
        let mut book = Book::padded(slots);
        let taken: Vec<usize> = plan.positions.live_orders.iter().copied().flatten().take(slots).collect();
        let live: Vec<Option<StandingOrderTerms>> = taken.iter().map(|position| self.terms(plan, *position)).collect();
        let rows = live_rows(config, &live, table);
        for (slot, (terms, (row, quote))) in live.iter().zip(rows).enumerate() {
            let Some((terms, row)) = terms.as_ref().zip(row) else { continue };
            book.accounts[slot] = terms.account;
            if let Some(order) = standing_order(config, terms, &row, quote.as_ref()) {
                book.orders[slot] = order;
            }
        }
        book.retire_superseded();
        book.retire_frozen(config, planned);
        let digests: Vec<Option<[u8; 32]>> = taken.iter().map(|index| plan.digests.get(*index).copied()).collect();
        let receivers = live
            .iter()
            .zip(&digests)
            .map(|(terms, digest)| Slot::taken(terms.as_ref().map(|terms| terms.account), digest.unwrap_or_default()));
        let receivers = receivers.collect();
        let epoch = self.session.request.epoch.0;
        let permutation = canonical_order(table.epoch_salt(), epoch, digests.into_iter(), slots);
        self.clear_book(plan, input, (&book, receivers), &permutation)
    }

    fn clear_book(
        &self,
        plan: &RoundPlan,
        input: &RoundInput<'_>,
        (book, receivers): (&Book, Vec<Slot>),
        permutation: &[u32],
    ) -> Result<Cleared, RoundError> {
        let config = self.session.config;
        let deadline = plan.log.collateral.as_ref().map_or(input.inputs.block_time, |request| request.deadline);
        let (request, readable) = self.clearing_request(plan, deadline)?;
        let price = average(config, input.observations, deadline)?;
        let mut fills = vec![Fill::default(); book.orders.len()];
        let outcome = clear(&request, &book.orders, permutation, price, &market(config)?, &mut fills)?;
        let deltas = settlement::deltas(config, &book.accounts, &fills, outcome.total);
        let success = readable && outcome.success && outcome.total != Notional::ZERO && deltas.is_some();
        let dummies = || vec![Delta::DUMMY; 2 * book.orders.len() + 2];
        let order = plan.positions.collateral.and_then(|index| plan.digests.get(index).copied());
        let request = Slot::taken(Some(config.reserve), order.unwrap_or_default());
        let slots = Slots::new(receivers, &fills, request, &outcome, success);
        Ok(Cleared { success, deltas: deltas.unwrap_or_else(dummies), slots })
    }

    /// The matcher's request, and whether there is a readable order behind it. Without one, a request of
    /// size zero goes the same way.
    fn clearing_request(&self, plan: &RoundPlan, deadline: u64) -> Result<(ClearingRequest, bool), RoundError> {
        let config = self.session.config;
        let order = self
            .opened(plan, plan.positions.collateral)
            .and_then(|(label, plain)| Some((label.id, CollateralOrder::from_bytes(plain).ok()?)))
            .and_then(|(id, order)| request_of(config, &id, &order, deadline));
        let readable = order.is_some();
        Ok((order.map_or_else(|| empty_request(config, deadline), Ok)?, readable))
    }

    fn payouts(
        &self,
        plan: &RoundPlan,
        (planned, results): (&[Planned], &[Result<(), ResultCode>]),
        input: &RoundInput<'_>,
        header: &Header,
    ) -> Result<Vec<AttestedResult>, RoundError> {
        let log = plan.log_digest();
        let succeeded = planned.iter().zip(results).filter(|(_, result)| result.is_ok());
        let payouts = succeeded.filter_map(|(planned, _)| planned.payout);
        payouts
            .zip(input.payout_sequence..)
            .map(|(payout, sequence)| {
                let validity = Validity { sequence, valid_until: input.validity.valid_until };
                let payload = Payload {
                    binding: binding(&self.session, self.session.config.pool, validity),
                    statement: PayloadStatement::Payout(Payout { version: header.version(), ..payout }),
                };
                let inputs = input.inputs.clone();
                Ok(AttestedResult::attest(&self.session, payload.to_bytes(), inputs, header.hash(), log)?)
            })
            .collect()
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

/// What a clearing leaves for the table.
struct Cleared {
    success: bool,
    deltas: Vec<Delta>,
    slots: Slots,
}

/// The payload of a version; one of its own keeps the price block of the round before, and names no prices.
pub(crate) fn report(
    session: &Session<'_>,
    plan: &RoundPlan,
    input: &RoundInput<'_>,
    table: &SealedTable,
    success: bool,
) -> Result<AttestedResult, RoundError> {
    let prices = (input.price_block, input.observations);
    let (price_block, observations) = plan.log.upkeep.map_or(prices, |upkeep| (upkeep.read, &[]));
    let round = Round {
        request_id: plan.log.collateral.as_ref().map_or([0; 32], |request| request.submission.id),
        success: success && plan.log.collateral.is_some(),
        version: table.header.version(),
        previous: table.header.previous(),
        header_hash: table.header.hash(),
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
    let (inputs, header) = (input.inputs.clone(), table.header.hash());
    Ok(AttestedResult::attest(session, payload.to_bytes(), inputs, header, plan.log_digest())?)
}
