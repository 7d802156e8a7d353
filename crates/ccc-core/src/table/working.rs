//! The few rows that an update is about, taken out of the table: every decision is made on them.
//!
//! A round names rows: three for each boundary operation, one for each delta slot. The first pass finds them; boundary
//! operations and deltas then run on them by the same code as on an open table, in scans over the working rows; the
//! second pass writes back what changed. Behind the found rows lie spare ones for rows that the round creates.
//!
//! *Timing*: depends on the number of operations, delta slots and assets, in the square of the slots.

use super::{
    AssetId, AssetRule, BoundaryOperation, Delta, ResultCode, StructuralError,
    batch::Batch,
    boundary::{MADE, NAMED, RowSet},
    lookup::{Findings, Lookup},
    mask::{self, RowKey},
    patch::{Patch, Patches},
    row::{ROW_LEN, UNUSED},
    rows::{Halves, Located, Placed, Rows},
    seal::number,
};
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// The keys of everything that a round names, each once: a later occurrence looks for nothing.
pub(super) fn keys_of(boundary: &[BoundaryOperation], padded: &[Delta], assets: &[AssetRule]) -> Vec<RowKey> {
    let named = boundary.iter().flat_map(BoundaryOperation::keys);
    let mut keys: Vec<_> = named.chain(padded.iter().map(|delta| delta.key(assets))).collect();
    for at in 1..keys.len() {
        let (before, rest) = keys.split_at_mut(at);
        if let Some(key) = rest.first_mut() {
            let repeated = before.iter().fold(0, |repeated, other| repeated | key.matches(*other));
            *key = key.unless(repeated);
        }
    }
    keys
}

/// The assets whose sums a round needs, as the boundary operations name them.
pub(super) fn assets_of(boundary: &[BoundaryOperation]) -> Vec<AssetId> {
    let mut assets: Vec<_> = boundary.iter().map(BoundaryOperation::asset).filter(|asset| asset.is_balance()).collect();
    assets.sort_unstable();
    assets.dedup();
    assets
}

/// What the first pass brings back.
pub(super) struct Survey {
    pub(super) findings: Findings,
    /// The sums of [`assets_of`] over the whole table.
    pub(super) sums: Vec<Halves>,
    /// Row 0.
    pub(super) first: Option<[u8; ROW_LEN]>,
}

/// The rows of a round.
pub(super) struct Working {
    rows: Rows,
    before: Zeroizing<Vec<[u8; ROW_LEN]>>,
    indices: Vec<Option<u32>>,
    /// Rows that boundary operations named; the others are delta slots.
    named: usize,
    /// Rows that were looked for; the spare ones lie behind them.
    wanted: usize,
    /// Unused rows of the whole table.
    room: usize,
    /// For the bins of the patches.
    seed: [u64; 4],
    /// Sums over the rows that are not here.
    outside: Vec<(AssetId, Halves)>,
}

impl Working {
    pub(super) fn new(
        lookup: &Lookup,
        survey: &Survey,
        boundary: &[BoundaryOperation],
        table_rows: usize,
        seed: [u64; 4],
    ) -> Result<Self, StructuralError> {
        let fault = |(index, fault)| StructuralError::Row { index, fault };
        let used = survey.findings.used().map_err(fault)?;
        let found = lookup.rows(&survey.findings).map_err(fault)?;
        let spare = MADE * boundary.len();
        let mut before: Zeroizing<Vec<_>> =
            Zeroizing::new(found.iter().map(|row| row.as_ref().map_or(UNUSED, |row| row.bytes)).collect());
        before.resize(found.len() + spare, UNUSED);
        let mut indices: Vec<_> = found.iter().map(|row| row.as_ref().map(|row| row.index)).collect();
        indices.extend((used..).take(spare).map(Some));
        let rows = Rows::from_working(Zeroizing::new(before.concat()), number(found.len()));
        let assets = assets_of(boundary).into_iter().zip(&survey.sums);
        let outside = assets.map(|(asset, sum)| (asset, sum.without(rows.halves(asset)))).collect();
        let room = table_rows.saturating_sub(used as usize);
        let (named, wanted) = (NAMED * boundary.len(), found.len());
        Ok(Self { rows, before, indices, named, wanted, room, seed, outside })
    }

    /// Boundary operations in order, then the batch; how each ended.
    pub(super) fn run(
        &mut self,
        boundary: &[BoundaryOperation],
        batch: &Batch,
        assets: &[AssetRule],
    ) -> (Vec<Result<(), ResultCode>>, ResultCode) {
        let results = boundary.iter().map(|operation| self.apply_boundary(operation, assets)).collect();
        let code = batch.outcome(&self.rows);
        let accepted = mask::from_bool(code.is_done());
        self.rows.bytes_mut().as_chunks_mut().0.iter_mut().for_each(|row| batch.apply(row, accepted));
        (results, code)
    }

    /// What is to be written: whole rows that boundary operations named or made, and the changes of the deltas.
    ///
    /// A row that a boundary operation made may also have taken deltas; it is among the whole ones.
    pub(super) fn patches(&self) -> Patches {
        let slots = self.indices.iter().zip(self.before.iter()).zip(self.rows.all());
        let patches: Vec<_> = slots.map(|((index, old), new)| Patch { index: *index, old: *old, new: *new }).collect();
        let (wanted, spare) = patches.split_at(self.wanted);
        let (named, deltas) = wanted.split_at(self.named);
        Patches::new(named.iter().chain(spare), deltas, self.seed)
    }
}

impl RowSet for Working {
    fn locate_named(&self, keys: &[RowKey; NAMED]) -> [Option<Located>; NAMED] {
        self.rows.locate(keys)
    }

    fn write(&mut self, placed: &[Placed; 2]) {
        self.rows.write(placed);
    }

    fn sum(&self, asset: AssetId) -> Option<u128> {
        let outside = self.outside.iter().find(|(other, _)| *other == asset).map_or(Halves::default(), |found| found.1);
        outside.with(self.rows.halves(asset)).total()
    }

    fn next(&self) -> u32 {
        self.rows.used()
    }

    fn room(&self) -> usize {
        let made = (self.rows.used() as usize).saturating_sub(self.wanted);
        self.room.saturating_sub(made)
    }
}
