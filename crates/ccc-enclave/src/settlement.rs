//! From fills to deltas: makers' rows give the base asset and gain the quote asset, the reserve's rows the
//! opposite. Every round has the same number of deltas, filled or not.

use crate::config::EnclaveConfig;
use ccc_core::table::{AccountId, AssetId, Delta};
use darkpool_matcher::{Fill, Notional};

/// The deltas of a clearing: two for each order slot, two for the reserve. An unfilled slot is a dummy.
///
/// *Units*: base units; reservations in lots. `None` when an amount leaves the table's range.
pub(crate) fn deltas(
    config: &EnclaveConfig,
    accounts: &[[u8; 20]],
    fills: &[Fill],
    total: Notional,
) -> Option<Vec<Delta>> {
    let lot = i128::from(config.asset(config.base).ok()?.lot);
    let mut deltas = Vec::with_capacity(2 * fills.len() + 2);
    let mut bought = 0i128;
    for (account, fill) in accounts.iter().zip(fills) {
        let lots = i64::try_from(fill.lots.get()).ok()?;
        let amount = i128::from(lots) * lot;
        bought += amount;
        deltas.push(leg(account, config.base, -amount, -lots));
        deltas.push(leg(account, config.quote, i128::try_from(fill.notional.get()).ok()?, 0));
    }
    deltas.push(leg(&config.reserve, config.base, bought, 0));
    deltas.push(leg(&config.reserve, config.quote, -i128::try_from(total.get()).ok()?, 0));
    Some(deltas)
}

/// One delta, or 48 zero bytes when nothing moves; selected by a mask, not by a branch.
fn leg(account: &[u8; 20], asset: u32, amount: i128, reserved: i64) -> Delta {
    let moves = u8::from(amount != 0) | u8::from(reserved != 0);
    let mask = 0u8.wrapping_sub(moves);
    let mut kept = *account;
    kept.iter_mut().for_each(|byte| *byte &= mask);
    let asset = asset & (0u32.wrapping_sub(u32::from(moves)));
    Delta { account: AccountId(kept), asset: AssetId(asset), amount, reserved }
}
