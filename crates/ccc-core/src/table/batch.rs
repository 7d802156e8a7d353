//! A batch of deltas on open rows: all or nothing, every row touched alike.
//!
//! Two scans: the first nets the deltas on each row and finds the lowest refusal; the second applies them under a
//! mask that is all zeros after a refusal. Deltas are matched to rows by comparison, K for each row, never by
//! address. *Source*: `docs/spec/table.md`, section *Updates*.

use super::{
    AssetRule, Delta, ResultCode,
    identity::rule,
    mask,
    mask::RowKey,
    row::{self, Flags, ROW_LEN},
    rows::Rows,
    seal::CHUNK_LEN,
    touch::slot,
};
use crate::parallel::prelude::*;
use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;

/// A delta as words, with the lot of its asset.
struct Prepared {
    key: RowKey,
    /// All ones unless it is a dummy.
    live: u64,
    low: u64,
    high: i64,
    reserved: i64,
    lot: u64,
}

impl Delta {
    /// The key of the row that the delta names; [`RowKey::ABSENT`] where the configuration has no such asset.
    pub(super) fn key(&self, assets: &[AssetRule]) -> RowKey {
        rule(assets, self.asset).map_or(RowKey::ABSENT, |_| RowKey::balance(self.account, self.asset))
    }
}

impl Prepared {
    fn new(delta: &Delta, assets: &[AssetRule]) -> Self {
        let lot = rule(assets, delta.asset).map_or(0, |rule| rule.lot);
        let bits = delta.amount.cast_unsigned();
        Self {
            key: delta.key(assets),
            live: mask::from_bool(*delta != Delta::DUMMY),
            low: mask::low(bits),
            high: mask::high(bits).cast_signed(),
            reserved: delta.reserved,
            lot,
        }
    }
}

/// A sum of signed 128-bit amounts that cannot overflow: low and high halves apart.
#[derive(Clone, Copy, Default)]
struct Wide {
    low: u128,
    high: i128,
}

impl Wide {
    #[inline]
    fn add(&mut self, mask: u64, low: u64, high: i64) {
        self.low += u128::from(mask & low);
        self.high += i128::from(mask.cast_signed() & high);
    }

    /// The upper part with the carry, and the lower 64 bits.
    #[inline]
    fn normal(self) -> (i128, u64) {
        (self.high + i128::from(mask::high(self.low)), mask::low(self.low))
    }
}

/// One bit per refusal.
#[derive(Clone, Copy, Default)]
struct Codes(u8);

impl Codes {
    #[inline]
    fn raise(&mut self, mask: u64, code: ResultCode) {
        self.0 |= u8::from(mask & 1 == 1) << code.byte();
    }

    fn lowest(self) -> ResultCode {
        u8::try_from(self.0.trailing_zeros()).ok().and_then(ResultCode::from_byte).unwrap_or(ResultCode::Done)
    }
}

/// What the deltas on one row add up to.
#[derive(Default)]
struct Net {
    touched: u64,
    amount: Wide,
    reserved: i128,
    lot: u64,
}

/// A row after the batch, and what stands in the way.
struct Settled {
    amount: u128,
    reserved: u64,
    nonce: u64,
    codes: Codes,
}

/// The deltas of a round, padded with dummies to the public K.
pub(super) struct Batch {
    deltas: Vec<Prepared>,
    unbalanced: bool,
}

impl Batch {
    pub(super) fn new(padded: &[Delta], assets: &[AssetRule]) -> Self {
        let deltas = padded.iter().map(|delta| Prepared::new(delta, assets)).collect();
        Self { deltas, unbalanced: is_unbalanced(padded, assets) }
    }

    /// The lowest refusal of the batch on these rows, or [`ResultCode::Done`].
    pub(super) fn outcome(&self, rows: &Rows) -> ResultCode {
        let start = || (Codes::default(), vec![0; self.deltas.len()]);
        let (mut codes, seen) = rows.bytes().par_chunks(CHUNK_LEN).map(|bytes| self.check_chunk(start(), bytes)).merge(
            start,
            |mut a, b| {
                a.0.0 |= b.0.0;
                a.1.iter_mut().zip(b.1).for_each(|(a, b)| *a |= b);
                a
            },
        );
        codes.raise(mask::from_bool(self.unbalanced), ResultCode::Unbalanced);
        for (delta, seen) in self.deltas.iter().zip(seen) {
            codes.raise(delta.live & !seen, ResultCode::Unknown);
        }
        codes.lowest()
    }

    fn check_chunk(&self, (mut codes, mut seen): (Codes, Vec<u64>), bytes: &[u8]) -> (Codes, Vec<u64>) {
        for bytes in bytes.as_chunks().0 {
            let net = self.net(bytes, &mut seen);
            codes.0 |= settle(bytes, &net).codes.0;
        }
        (codes, seen)
    }

    /// Applies the batch to one row where `accepted` is all ones, and rewrites it unchanged where it is zero.
    pub(super) fn apply(&self, bytes: &mut [u8; ROW_LEN], accepted: u64) {
        let net = self.net(bytes, &mut []);
        let new = settle(bytes, &net);
        let mask = net.touched & accepted;
        let amount = mask::select_wide(mask, new.amount, row::amount(bytes));
        let reserved = mask::select(mask, new.reserved, row::u64_at(bytes, 40));
        let nonce = mask::select(mask, new.nonce, row::u64_at(bytes, 48));
        bytes[24..40].copy_from_slice(&amount.to_be_bytes());
        bytes[40..48].copy_from_slice(&reserved.to_be_bytes());
        bytes[48..56].copy_from_slice(&nonce.to_be_bytes());
    }

    /// Nets the deltas on one row and marks them in `seen`, where it has room for them.
    #[inline]
    fn net(&self, bytes: &[u8; ROW_LEN], seen: &mut [u64]) -> Net {
        let (here, mut net) = (RowKey::of(bytes), Net::default());
        for (at, delta) in self.deltas.iter().enumerate() {
            slot(at);
            let mask = here.matches(delta.key);
            net.touched |= mask;
            net.amount.add(mask, delta.low, delta.high);
            net.reserved += i128::from(mask.cast_signed() & delta.reserved);
            net.lot |= mask & delta.lot;
        }
        for (at, (seen, delta)) in seen.iter_mut().zip(&self.deltas).enumerate() {
            slot(at);
            *seen |= here.matches(delta.key);
        }
        net
    }
}

/// The row after its net change: 0 ≤ reserved·lot ≤ amount must hold, and every field must stay in its range.
#[inline]
fn settle(bytes: &[u8; ROW_LEN], net: &Net) -> Settled {
    let mut amount = net.amount;
    amount.add(u64::MAX, row::u64_at(bytes, 32), 0);
    amount.high += i128::from(row::u64_at(bytes, 24));
    let (high, low) = amount.normal();
    let reserved = i128::from(row::u64_at(bytes, 40)) + net.reserved;
    let (nonce, nonce_overflow) = row::u64_at(bytes, 48).overflowing_add(1);
    let new = (u128::from(mask::low(high.cast_unsigned())) << 64) | u128::from(low);
    let amount_overflow = high > i128::from(u64::MAX);
    let exceeds = high >= 0 && !amount_overflow && exceeds(reserved, net.lot, new);
    let frozen = row::flags(bytes) & Flags::BLOCKING != 0;
    let mut codes = Codes::default();
    codes.raise(net.touched & mask::from_bool(frozen), ResultCode::Frozen);
    codes.raise(net.touched & mask::from_bool((high < 0) | (reserved < 0) | exceeds), ResultCode::Insufficient);
    let overflow = amount_overflow | (reserved > i128::from(u64::MAX)) | nonce_overflow;
    codes.raise(net.touched & mask::from_bool(overflow), ResultCode::Overflow);
    Settled { amount: new, reserved: mask::low(reserved.cast_unsigned()), nonce, codes }
}

/// reserved·lot > amount, for any reserved ≥ 0 that K deltas can give.
#[inline]
fn exceeds(reserved: i128, lot: u64, amount: u128) -> bool {
    let reserved = reserved.cast_unsigned();
    let product_low = u128::from(mask::low(reserved)) * u128::from(lot);
    let product_high = u128::from(mask::high(reserved)) * u128::from(lot) + u128::from(mask::high(product_low));
    let over = product_high > u128::from(mask::high(amount));
    over | ((product_high == u128::from(mask::high(amount))) & (mask::low(product_low) > mask::low(amount)))
}

/// Whether the amounts of some asset do not sum to zero.
///
/// Assets of the configuration are summed by masked scans. A batch that names any other asset is refused in any
/// case; only for it are the remaining sums taken one by one.
fn is_unbalanced(deltas: &[Delta], assets: &[AssetRule]) -> bool {
    let known = (0..assets.len()).filter_map(|asset| u32::try_from(asset).ok());
    let unbalanced = known.fold(false, |found, asset| found | !sums_to_zero(deltas, asset));
    let others = deltas.iter().filter(|delta| rule(assets, delta.asset).is_none() && delta.amount != 0);
    let others: BTreeSet<u32> = others.map(|delta| delta.asset.0).collect();
    unbalanced || others.into_iter().any(|asset| !sums_to_zero(deltas, asset))
}

fn sums_to_zero(deltas: &[Delta], asset: u32) -> bool {
    let mut sum = Wide::default();
    for delta in deltas {
        let bits = delta.amount.cast_unsigned();
        let mask = mask::is_zero(u64::from(delta.asset.0 ^ asset));
        sum.add(mask, mask::low(bits), mask::high(bits).cast_signed());
    }
    sum.normal() == (0, 0)
}
