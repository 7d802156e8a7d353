//! What the receipts of a round tell their owner, from a pool directory or from a chain.

use crate::{
    pool::hexed::Hex,
    ui::{Side, columns, decimal, short},
};
use ccc_core::table::{Header, Receipt, ResultCode};
use ccc_enclave::config::EnclaveConfig;
use serde_json::{Value, json};

/// From here on, the reason of a receipt is a code of the table.
const OF_TABLE: u8 = 16;

/// In what a receipt counts.
pub(super) struct Units {
    /// Decimal places by asset.
    pub(super) decimals: Vec<u8>,
    pub(super) base: u32,
    pub(super) quote: u32,
    /// The order slots of a round, where somebody says how many there are.
    pub(super) order_slots: Option<u32>,
}

impl Units {
    /// Those of a configuration.
    pub(super) fn of_config(config: &EnclaveConfig) -> Self {
        Self {
            decimals: config.assets.iter().map(|asset| asset.decimals).collect(),
            base: config.base,
            quote: config.quote,
            order_slots: Some(config.order_slots),
        }
    }

    /// An amount with the decimals of its asset.
    fn amount(&self, asset: u32, units: u128) -> String {
        let decimals = usize::try_from(asset).ok().and_then(|asset| self.decimals.get(asset));
        decimal(units, decimals.copied().unwrap_or(0))
    }

    /// The asset of a receipt's new amount: none for the slots behind the request's, withdrawals, of which each names its
    /// own. Where nobody says how many order slots there are, a fill tells that its slot is one of them.
    fn told_asset(&self, slot: u32, receipt: &Receipt) -> Option<u32> {
        let is_order = self.order_slots.map_or(receipt.lots != 0, |slots| slot <= slots);
        is_order.then_some(self.base)
    }
}

/// Receipts as a table.
pub(super) fn lines(receipts: Vec<[String; 7]>) -> Vec<String> {
    let heads = [
        ("version", Side::Right),
        ("slot", Side::Right),
        ("receipt", Side::Left),
        ("lots", Side::Right),
        ("quote", Side::Right),
        ("amount after it", Side::Right),
        ("order or submission", Side::Left),
    ];
    columns(heads, receipts)
}

/// One line of it.
pub(super) fn cells(units: &Units, header: &Header, (slot, receipt): &(u32, Receipt)) -> [String; 7] {
    let told = match receipt.outcome {
        Receipt::CARRIED_OUT => "carried out".into(),
        Receipt::NOT_CARRIED_OUT => format!("not carried out ({})", reason(receipt)),
        0 => format!("not filled ({})", reason(receipt)),
        _ => "filled".into(),
    };
    let after = match units.told_asset(*slot, receipt) {
        Some(asset) => units.amount(asset, receipt.new_amount),
        None => format!("{} units of its asset", receipt.new_amount),
    };
    [
        header.version().to_string(),
        slot.to_string(),
        told,
        decimal(receipt.lots.into(), 0),
        units.amount(units.quote, receipt.notional),
        after,
        short(&receipt.order_digest),
    ]
}

/// The reason of a receipt in words; `docs/spec/clearing.md` has the codes.
fn reason(receipt: &Receipt) -> String {
    let of_table = receipt.reason.checked_sub(OF_TABLE).and_then(ResultCode::from_byte);
    match (receipt.reason, of_table) {
        (0, _) if receipt.outcome == 0 => "no reason is told here".into(),
        (0, _) if receipt.outcome == Receipt::CARRIED_OUT => "done".into(),
        (0, _) => "cleared".into(),
        (1, _) => "the price was refused".into(),
        (2, _) => "too little was offered".into(),
        (3, _) => "minimums could not be met".into(),
        (4, _) => "an amount is too large".into(),
        (_, Some(code)) => format!("the table refused: {code}"),
        (other, None) => format!("reason {other}"),
    }
}

/// Whether a submission was carried out in its first round; null for what was new before.
fn carried_out(receipt: &Receipt) -> Option<bool> {
    match receipt.outcome {
        Receipt::CARRIED_OUT => Some(true),
        Receipt::NOT_CARRIED_OUT => Some(false),
        _ => None,
    }
}

/// A receipt for programs.
pub(super) fn object(units: &Units, (slot, receipt): &(u32, Receipt)) -> Value {
    json!({
        "slot": slot, "request": Hex(receipt.request), "order_digest": Hex(receipt.order_digest),
        "filled": receipt.outcome == 1, "carried_out": carried_out(receipt), "reason": receipt.reason,
        "reason_text": reason(receipt), "lots": receipt.lots, "notional": receipt.notional.to_string(),
        "row_index": receipt.row_index, "new_amount": receipt.new_amount.to_string(),
        "asset": units.told_asset(*slot, receipt),
    })
}
