//! What a submission asks of the table: the reservation of a standing order or its end, a transfer, a freeze or a thaw, a
//! forced transfer. Each becomes one boundary operation while it is new, and so does one that nobody authorised.
//!
//! *Timing*: every submission that has a slot takes exactly one [`authorisation::check`] in each of its rounds, new or
//! live, whatever it says: what is none of the five kinds is checked as an instruction of nobody's. Its kind decides
//! after the check. Reading a kind's fields and hashing them differs between kinds by a small part of that check.

use crate::{
    authorisation,
    cancellation::Cancelled,
    clearing::market,
    config::EnclaveConfig,
    instruction::{
        CancelInstruction, ForcedTransferInstruction, FreezeInstruction, StandingOrderTerms, TransferInstruction,
    },
    planned::{Planned, Submitted},
};
use ccc_core::{
    ciphertext::Label,
    table::{AccountId, AssetId, BoundaryOperation},
};
use darkpool_matcher::{BaseUnits, Lots};

/// What a submission asks, and who must have signed what.
struct Signed {
    signer: [u8; 20],
    unsigned: Vec<u8>,
    signature: [u8; 65],
    asked: Asked,
}

enum Asked {
    Order(StandingOrderTerms),
    Operation(BoundaryOperation),
    Cancel(Cancelled),
    Nothing,
}

/// What a submission says in the rounds after its first.
#[derive(Default)]
pub(crate) struct Live {
    /// The terms of a standing order for the base asset whose account signed them.
    pub(crate) terms: Option<StandingOrderTerms>,
    /// An order that its account took back.
    pub(crate) cancelled: Option<Cancelled>,
}

/// What a live submission says; `plain` is empty where nothing opened.
pub(crate) fn live(config: &EnclaveConfig, label: &Label, plain: &[u8]) -> Live {
    match authorised(config, label, plain).1 {
        Asked::Order(terms) if terms.asset == config.base => Live { terms: Some(terms), cancelled: None },
        Asked::Cancel(cancelled) => Live { terms: None, cancelled: Some(cancelled) },
        _ => Live::default(),
    }
}

/// What a new submission does, and whose it is. Nothing in it, or nothing that is authorised, is an operation too.
pub(crate) fn planned(config: &EnclaveConfig, label: &Label, plain: &[u8], digest: [u8; 32]) -> Planned {
    let (signer, asked) = authorised(config, label, plain);
    let cancels = if let Asked::Cancel(cancelled) = &asked { Some(cancelled.order) } else { None };
    let operation = match asked {
        Asked::Order(terms) => reservation(config, &terms),
        Asked::Operation(operation) => Some(operation),
        Asked::Cancel(cancelled) => Some(cancelled.release(config)),
        Asked::Nothing => None,
    };
    let planned = operation.map_or_else(Planned::nothing, Planned::silent);
    Planned { submitted: Some(Submitted { signer, digest, cancels }), ..planned }
}

/// Who signed a submission, and what it asks. The one place where its signature is checked.
fn authorised(config: &EnclaveConfig, label: &Label, plain: &[u8]) -> (Option<[u8; 20]>, Asked) {
    let read = None
        .or_else(|| order(plain))
        .or_else(|| transfer(plain))
        .or_else(|| freeze(config, plain))
        .or_else(|| forced_transfer(config, plain))
        .or_else(|| cancel(plain));
    let Signed { signer, unsigned, signature, asked } = read.unwrap_or_else(nobodys);
    let checked = authorisation::check(&signer, label, &unsigned, &signature);
    if checked.is_ok() { (Some(signer), asked) } else { (None, Asked::Nothing) }
}

/// In place of what is no instruction: as long as a standing order.
fn nobodys() -> Signed {
    let unsigned = vec![0; StandingOrderTerms::UNSIGNED_LEN];
    Signed { signer: AccountId::NOBODY.0, unsigned, signature: authorisation::NOBODYS, asked: Asked::Nothing }
}

/// Signed by the account that sells.
fn order(plain: &[u8]) -> Option<Signed> {
    let terms = StandingOrderTerms::from_bytes(plain).ok()?;
    let (signer, unsigned, signature) = (terms.account, terms.unsigned(), terms.signature);
    Some(Signed { signer, unsigned, signature, asked: Asked::Order(terms) })
}

fn reservation(config: &EnclaveConfig, terms: &StandingOrderTerms) -> Option<BoundaryOperation> {
    if terms.asset != config.base {
        return None;
    }
    let market = market(config).ok()?;
    let lots = Lots::floor(BaseUnits::new(terms.size).ok()?, &market).get();
    Some(BoundaryOperation::Reserve { account: AccountId(terms.account), asset: AssetId(terms.asset), lots })
}

/// Signed by the account whose order it is.
fn cancel(plain: &[u8]) -> Option<Signed> {
    let asked = CancelInstruction::from_bytes(plain).ok()?;
    let (signer, unsigned, signature) = (asked.account, asked.unsigned(), asked.signature);
    let cancelled = Cancelled { account: asked.account, order: asked.order };
    Some(Signed { signer, unsigned, signature, asked: Asked::Cancel(cancelled) })
}

/// Signed by the account that is debited.
fn transfer(plain: &[u8]) -> Option<Signed> {
    let asked = TransferInstruction::from_bytes(plain).ok()?;
    let operation = BoundaryOperation::Transfer {
        account: AccountId(asked.account),
        asset: AssetId(asked.asset),
        amount: asked.amount,
        to: AccountId(asked.to),
    };
    let (signer, unsigned, signature) = (asked.account, asked.unsigned(), asked.signature);
    Some(Signed { signer, unsigned, signature, asked: Asked::Operation(operation) })
}

/// Signed by the operator.
fn freeze(config: &EnclaveConfig, plain: &[u8]) -> Option<Signed> {
    let asked = FreezeInstruction::from_bytes(plain).ok()?;
    let operation = BoundaryOperation::Freeze {
        account: AccountId(asked.account),
        asset: AssetId(asked.asset),
        reason: asked.reason,
        frozen: asked.frozen,
    };
    Some(by_operator(config, asked.unsigned(), asked.signature, operation))
}

/// Signed by the operator.
fn forced_transfer(config: &EnclaveConfig, plain: &[u8]) -> Option<Signed> {
    let asked = ForcedTransferInstruction::from_bytes(plain).ok()?;
    let operation = BoundaryOperation::ForcedTransfer {
        account: AccountId(asked.account),
        asset: AssetId(asked.asset),
        amount: asked.amount,
        to: AccountId(asked.to),
        reason: asked.reason,
    };
    Some(by_operator(config, asked.unsigned(), asked.signature, operation))
}

/// Where the configuration names no operator, whoever signed it asks for nothing.
fn by_operator(config: &EnclaveConfig, unsigned: Vec<u8>, signature: [u8; 65], operation: BoundaryOperation) -> Signed {
    let signer = config.operator.unwrap_or(AccountId::NOBODY.0);
    let asked = if config.operator.is_some() { Asked::Operation(operation) } else { Asked::Nothing };
    Signed { signer, unsigned, signature, asked }
}

#[cfg(test)]
mod tests;
