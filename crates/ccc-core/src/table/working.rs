//! The few rows that an update is about, taken out of the table: every decision is made on them.
//!
//! A round names rows: three for each boundary operation, one for each delta slot. The first pass finds them; boundary
//! operations and deltas then run on them by the same code as on an open table, in scans over the working rows; the
//! second pass writes back what changed. Behind the found rows lie spare ones for rows that the round creates.
//!
//! *Timing*: depends on the number of operations, delta slots and assets, in the square of the slots.

use super::{
    AssetId, BoundaryOperation, ResultCode, StructuralError,
    batch::Batch,
    boundary::{MADE, NAMED, RowSet},
    change::Next,
    found::Asked,
    lookup::{Findings, Lookup},
    mask::{self, RowKey},
    patch::{Patch, Patches},
    row::{ROW_LEN, UNUSED},
    rows::{Halves, Located, Placed, Rows},
    seal::number,
};
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// What the first pass brings back.
pub(super) struct Survey {
    pub(super) findings: Findings,
    /// The sums of the configured assets over the whole table.
    pub(super) sums: Vec<Halves>,
    /// Row 0.
    pub(super) first: Option<[u8; ROW_LEN]>,
}

/// How each boundary operation ended, and the batch.
type Results = (Vec<Result<(), ResultCode>>, ResultCode);

/// The rows of a round.
pub(super) struct Working {
    rows: Rows,
    before: Zeroizing<Vec<[u8; ROW_LEN]>>,
    indices: Vec<Option<u32>>,
    /// Rows that boundary operations named, and the delta slots behind them.
    named: usize,
    slots: usize,
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
        asked: &Asked,
        table_rows: usize,
        seed: [u64; 4],
    ) -> Result<Self, StructuralError> {
        let fault = |(index, fault)| StructuralError::Row { index, fault };
        let used = survey.findings.used().map_err(fault)?;
        let found = lookup.rows(&survey.findings).map_err(fault)?;
        let spare = MADE * asked.operations;
        let mut before: Zeroizing<Vec<_>> =
            Zeroizing::new(found.iter().map(|row| row.as_ref().map_or(UNUSED, |row| row.bytes)).collect());
        before.resize(found.len() + spare, UNUSED);
        let mut indices: Vec<_> = found.iter().map(|row| row.as_ref().map(|row| row.index)).collect();
        indices.extend((used..).take(spare).map(Some));
        let rows = Rows::from_working(Zeroizing::new(before.concat()), number(found.len()));
        let assets = asked.assets.iter().zip(&survey.sums);
        let outside = assets.map(|(asset, sum)| (*asset, sum.without(rows.halves(*asset)))).collect();
        let room = table_rows.saturating_sub(used as usize);
        let Asked { named, slots, .. } = *asked;
        Ok(Self { rows, before, indices, named, slots, wanted: found.len(), room, seed, outside })
    }

    /// Boundary operations in order, then the batch; how each ended.
    ///
    /// # Errors
    /// [`StructuralError::Conservation`] where an asset's sum is not what came in and went out: a defect.
    pub(super) fn run(&mut self, next: &Next<'_>) -> Result<Results, StructuralError> {
        let Next { boundary, padded, assets, .. } = next;
        let before = self.sums();
        let batch = Batch::new(padded, assets);
        let results: Vec<_> = boundary.iter().map(|operation| self.apply_boundary(operation, assets)).collect();
        let code = batch.outcome(&self.rows);
        let accepted = mask::from_bool(code.is_done());
        self.rows.bytes_mut().as_chunks_mut().0.iter_mut().for_each(|row| batch.apply(row, accepted));
        check_conserved(&before, &self.sums(), boundary, &results)?;
        Ok((results, code))
    }

    /// The sum of every configured asset over the whole table.
    fn sums(&self) -> Vec<(AssetId, Halves)> {
        self.outside.iter().map(|(asset, outside)| (*asset, outside.with(self.rows.halves(*asset)))).collect()
    }

    /// Looks for every key in one scan; the indices are those of the table.
    pub(super) fn locate_many(&self, keys: &[RowKey]) -> Vec<Option<Located>> {
        let placed = |found: Located| Located { index: self.index_of(found.index), ..found };
        self.rows.locate_many(keys).into_iter().map(|found| found.map(placed)).collect()
    }

    /// The table's index of a working row, all of which are read.
    fn index_of(&self, at: u32) -> u32 {
        let indices = (0u32..).zip(&self.indices);
        indices.fold(0, |found, (slot, index)| found | (mask::is_zero_32(slot ^ at) & index.unwrap_or_default()))
    }

    /// What is to be written: whole rows that boundary operations named or made, and the changes of the deltas.
    ///
    /// A row that a boundary operation made may also have taken deltas; it is among the whole ones.
    pub(super) fn patches(&self) -> Patches {
        let slots = self.indices.iter().zip(self.before.iter()).zip(self.rows.all());
        let patches: Vec<_> = slots.map(|((index, old), new)| Patch { index: *index, old: *old, new: *new }).collect();
        let (wanted, spare) = patches.split_at(self.wanted);
        let (named, others) = wanted.split_at(self.named);
        let deltas = others.split_at(self.slots).0;
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

/// An asset's sum changes by what deposits bring and withdrawals take, and by nothing else.
fn check_conserved(
    before: &[(AssetId, Halves)],
    after: &[(AssetId, Halves)],
    boundary: &[BoundaryOperation],
    results: &[Result<(), ResultCode>],
) -> Result<(), StructuralError> {
    let expected = |asset: AssetId, sum: Halves| {
        let done = boundary.iter().zip(results).filter(|(_, result)| result.is_ok());
        done.fold(sum.wrapping(), |sum, (operation, _)| match operation {
            BoundaryOperation::Deposit { asset: of, amount, .. } if *of == asset => sum.wrapping_add(*amount),
            BoundaryOperation::Withdraw { asset: of, amount, .. } if *of == asset => sum.wrapping_sub(*amount),
            _ => sum,
        })
    };
    match before.iter().zip(after).find(|((asset, old), (_, new))| expected(*asset, *old) != new.wrapping()) {
        Some(((asset, _), _)) => Err(StructuralError::Conservation { asset: *asset }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::AccountId;
    use alloc::vec;

    #[test]
    fn n127_a_sum_that_changes_otherwise_is_a_defect() {
        let (account, asset) = (AccountId([1; 20]), AssetId(1));
        let sums = |amount| vec![(AssetId(0), Halves::default()), (asset, Halves::of(amount))];
        let deposit = BoundaryOperation::Deposit { account, asset, amount: 7, reading_key: [0; 32] };
        let boundary = [deposit, BoundaryOperation::Withdraw { account, asset, amount: 2 }];
        let check = |after, results: &[_]| check_conserved(&sums(100), &sums(after), &boundary, results);
        let refused = Err(ResultCode::Insufficient);
        assert_eq!(check(105, &[Ok(()), Ok(())]), Ok(()));
        assert_eq!(check(107, &[Ok(()), refused]), Ok(()));
        assert_eq!(check(100, &[refused, refused]), Ok(()));
        let defect = Err(StructuralError::Conservation { asset });
        assert_eq!(check(106, &[Ok(()), Ok(())]), defect);
        assert_eq!(check(100, &[Ok(()), refused]), defect);
        assert_eq!(check(99, &[refused, refused]), defect);
    }
}
