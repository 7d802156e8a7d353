//! A round in steps: find its rows, decide on them, seal. What is decided may depend on what was found.
//!
//! ```text
//! SealedBody::find(Wanted) ─► FoundRows ── rows(), epoch_salt() ──► the caller clears
//!                                 │ decide(boundary, deltas)
//!                                 ▼
//!                             DecidedRound ── rows(), code(), boundary() ──► the caller refuses, or goes on
//!                                 │ seal(master, outputs)
//!                                 ▼
//!                             Streamed, RoundRows ──► receipts
//! ```
//!
//! One first pass serves the clearing, the round and its receipts: a caller names every row that they may need before it
//! knows what the batch moves. *Timing*: what is touched depends on how many rows are named, never on which.

use super::{
    AccountId, AssetId, AssetRule, BoundaryOperation, Delta, Header, ResultCode, Row, StructuralError, Update,
    boundary::RowSet,
    change::Next,
    chunks::{ChunkSink, ChunkSource, PlaceSink},
    key::DataKey,
    mask::RowKey,
    open::balance,
    operation::check_slots,
    passes::Passes,
    row::{self, EPOCH_SALT_LEN, READING_KEY_LEN, Status},
    rows::Located,
    stream::{Made, Outputs, Progress, SealedBody, StreamError, Streamed},
    working::Working,
};
use crate::keys::MasterPublicKey;
use alloc::vec::Vec;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// The rows that a round may read or write, named before its batch is known.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The round's boundary operations. Accounts and assets count; amounts may still change.
    pub boundary: &'a [BoundaryOperation],
    /// Rows that deltas may name, at most `k`. A row of nobody's finds nothing, at the cost of any other.
    pub rows: &'a [(AccountId, AssetId)],
    /// Accounts whose reading keys receipts are sealed to.
    pub owners: &'a [AccountId],
    /// The public number of delta slots ([`delta_capacity`](super::delta_capacity)).
    pub k: usize,
    /// The configuration's assets.
    pub assets: &'a [AssetRule],
}

/// The keys that a first pass looks for.
pub(super) struct Asked {
    /// Every key, also those that occur again: three for each boundary operation, one for each delta slot, and others.
    keys: Vec<RowKey>,
    /// Keys that boundary operations name, from the first on.
    pub(super) named: usize,
    /// Keys of delta slots behind them.
    pub(super) slots: usize,
    /// Boundary operations.
    pub(super) operations: usize,
    /// Assets of the configuration, every one of which is summed.
    pub(super) assets: Vec<AssetId>,
}

impl Asked {
    /// What an update names that is known as a whole.
    pub(super) fn of(next: &Next<'_>) -> Self {
        let Next { boundary, padded, assets, .. } = next;
        let slots = padded.iter().map(|delta| delta.key(assets));
        Self::new(boundary, slots, [].into_iter(), assets)
    }

    pub(super) fn new(
        boundary: &[BoundaryOperation],
        slots: impl Iterator<Item = RowKey>,
        others: impl Iterator<Item = RowKey>,
        assets: &[AssetRule],
    ) -> Self {
        let mut keys: Vec<_> = boundary.iter().flat_map(BoundaryOperation::keys).collect();
        let named = keys.len();
        keys.extend(slots);
        let slots = keys.len() - named;
        keys.extend(others);
        let assets = (0u32..).zip(assets).map(|(asset, _)| AssetId(asset)).collect();
        Self { keys, named, slots, operations: boundary.len(), assets }
    }

    /// The keys, each once: a later occurrence looks for nothing.
    pub(super) fn unique(&self) -> Vec<RowKey> {
        let mut keys = self.keys.clone();
        for at in 1..keys.len() {
            let (before, rest) = keys.split_at_mut(at);
            if let Some(key) = rest.first_mut() {
                let repeated = before.iter().fold(0, |repeated, other| repeated | key.matches(*other));
                *key = key.unless(repeated);
            }
        }
        keys
    }

    /// Whether these operations name what was looked for, and every delta a row that may take one.
    ///
    /// *Timing*: every delta is compared with every key.
    fn covers(&self, next: &Next<'_>) -> bool {
        let Next { boundary, padded, assets, .. } = next;
        let (named, written) = (self.keys.split_at(self.named).0, self.keys.split_at(self.named + self.slots).0);
        let same = boundary.len() == self.operations && padded.len() == self.slots;
        let operations = boundary.iter().flat_map(BoundaryOperation::keys).zip(named);
        let operations = operations.fold(u64::MAX, |all, (key, sought)| all & key.matches(*sought));
        let deltas = padded.iter().map(|delta| delta.key(assets)).fold(u64::MAX, |all, key| {
            all & written.iter().fold(key.matches(RowKey::ABSENT), |found, sought| found | key.matches(*sought))
        });
        same && operations & deltas == u64::MAX
    }
}

impl Wanted<'_> {
    fn asked(&self) -> Result<Asked, StructuralError> {
        check_slots(self.k, self.rows.len())?;
        let row = |(account, asset): &(AccountId, AssetId)| {
            Delta { account: *account, asset: *asset, ..Delta::DUMMY }.key(self.assets)
        };
        let slots = self.rows.iter().map(row).chain(core::iter::repeat(RowKey::ABSENT)).take(self.k);
        let owners = self.owners.iter().map(|owner| RowKey::reading_key(*owner));
        Ok(Asked::new(self.boundary, slots, owners, self.assets))
    }
}

/// The rows of a round, erased when dropped.
///
/// *Security*: as an [`OpenTable`](super::OpenTable), it MUST live inside an enclave only. A row that was not looked
/// for looks like one that is not there.
pub struct RoundRows(Working);

impl core::fmt::Debug for RoundRows {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RoundRows").finish_non_exhaustive()
    }
}

impl RoundRows {
    /// Many balances in one scan of the round's rows, in the order asked.
    #[must_use]
    pub fn find_many(&self, wanted: &[(AccountId, AssetId)]) -> Vec<Option<Row>> {
        self.locate_many(wanted).into_iter().map(|found| found.map(|(_, row)| row)).collect()
    }

    /// Many balances and the indices of their rows in the table, in the order asked.
    #[must_use]
    pub fn locate_many(&self, wanted: &[(AccountId, AssetId)]) -> Vec<Option<(u32, Row)>> {
        let keys: Vec<_> = wanted.iter().map(|(account, asset)| RowKey::balance(*account, *asset)).collect();
        self.0.locate_many(&keys).into_iter().map(|found| found.and_then(balance)).collect()
    }

    /// The reading keys of accounts, in the order asked.
    #[must_use]
    pub fn reading_keys(&self, accounts: &[AccountId]) -> Vec<Option<Zeroizing<[u8; READING_KEY_LEN]>>> {
        let keys: Vec<_> = accounts.iter().map(|account| RowKey::reading_key(*account)).collect();
        let key_of = |found: Located| Zeroizing::new(row::reading_key(&found.bytes));
        self.0.locate_many(&keys).into_iter().map(|found| found.map(key_of)).collect()
    }

    /// Everything that all accounts of the table hold of a configured asset; it saturates at u128.
    #[must_use]
    pub fn sum(&self, asset: AssetId) -> u128 {
        self.0.sum(asset).unwrap_or(u128::MAX)
    }
}

/// A sealed table whose first pass is done.
pub struct FoundRows<'a, S> {
    header: &'a Header,
    key: &'a DataKey,
    passes: Passes<'a, S>,
    asked: Asked,
    status: Status,
    rows: RoundRows,
}

/// A round that is decided and not yet sealed.
pub struct DecidedRound<'a, S> {
    passes: Passes<'a, S>,
    made: Made,
    rows: RoundRows,
    code: ResultCode,
    boundary: Vec<Result<(), ResultCode>>,
}

impl<'a, S: ChunkSource> SealedBody<'a, S> {
    /// The first pass: opens every chunk once and finds the rows that a round may need.
    ///
    /// # Errors
    /// [`StreamError`]; [`StructuralError::DeltaCapacity`] and [`StructuralError::TooManyDeltas`] as for the round.
    ///
    /// *Security*: a body in memory is compared with its root in the second pass. Until
    /// [`DecidedRound::seal`] has returned, nothing that follows from the rows may leave the enclave.
    /// *Timing*: depends on the tier and the numbers of operations, slots, owners and assets.
    pub fn find(
        self,
        wanted: &Wanted<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<FoundRows<'a, S>, StreamError> {
        self.look_for(wanted.asked()?, progress)
    }

    pub(super) fn look_for(
        self,
        asked: Asked,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<FoundRows<'a, S>, StreamError> {
        let (header, key) = (self.header, self.key);
        let (passes, status, working) = self.survey(&asked, progress)?;
        Ok(FoundRows { header, key, passes, asked, status, rows: RoundRows(working) })
    }
}

impl<'a, S: ChunkSource> FoundRows<'a, S> {
    /// The rows before the round.
    #[must_use]
    pub fn rows(&self) -> &RoundRows {
        &self.rows
    }

    /// The salt of the canonical order in this epoch. *Security*: it MUST NOT leave the enclave.
    #[must_use]
    pub fn epoch_salt(&self) -> [u8; EPOCH_SALT_LEN] {
        self.status.epoch_salt
    }

    /// Runs a round on the rows that were found: boundary operations in order, each succeeding or failing alone, then the
    /// deltas, all or nothing.
    ///
    /// # Errors
    /// [`StructuralError`]; [`StructuralError::NotSought`] where the round names what was not looked for, and for every
    /// version of its own ([`Update::Growth`] and those behind it), which [`SealedBody::apply`] makes.
    ///
    /// *Timing*: depends on the numbers of operations, slots, owners and assets, in the square of the slots.
    pub fn decide(self, update: &Update<'_>, rng: &mut impl CryptoRng) -> Result<DecidedRound<'a, S>, StructuralError> {
        let next = update.after(self.header)?;
        if !self.asked.covers(&next) {
            return Err(StructuralError::NotSought);
        }
        self.decide_next(&next, rng)
    }

    pub(super) fn decide_next(
        self,
        next: &Next<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<DecidedRound<'a, S>, StructuralError> {
        let Self { header, key: old, passes, status, rows: RoundRows(mut working), .. } = self;
        let key = DataKey::fresh(Some(old), &next.prefix.to_bytes(), &next.digest, rng);
        let (boundary, code) = working.run(next)?;
        let status = status.follow(&next.prefix, &key, header.epoch(), code);
        let made = Made { prefix: next.prefix.clone(), key, status, patches: working.patches() };
        Ok(DecidedRound { passes, made, rows: RoundRows(working), code, boundary })
    }
}

impl<'a, S: ChunkSource> DecidedRound<'a, S> {
    /// The rows after the round.
    #[must_use]
    pub fn rows(&self) -> &RoundRows {
        &self.rows
    }

    /// How the batch ended.
    #[must_use]
    pub fn code(&self) -> ResultCode {
        self.code
    }

    /// How each boundary operation ended, in order, whatever became of the batch.
    pub fn boundary(&self) -> &[Result<(), ResultCode>] {
        &self.boundary
    }

    /// The second pass: the next version, written to sinks, and the rows after the round.
    ///
    /// # Errors
    /// [`StreamError`]; the old version stays valid, and what the sinks hold is no version.
    ///
    /// *Security*: `master` MUST be the key of the committee of the new version's epoch.
    /// *Timing*: depends on the tier, the slots and the operations.
    pub fn seal<B: ChunkSink, P: PlaceSink>(
        self,
        master: &MasterPublicKey,
        outputs: Outputs<'_, B, P>,
        rng: &mut impl CryptoRng,
    ) -> Result<(Streamed, RoundRows), StreamError> {
        let Self { passes, made, rows, code, boundary } = self;
        let header = made.write(passes, outputs, master, rng)?;
        Ok((Streamed { header, code, boundary }, rows))
    }

    pub(super) fn into_parts(self) -> (Passes<'a, S>, Made) {
        (self.passes, self.made)
    }
}
