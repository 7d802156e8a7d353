//! What a new submission asks of the table: the reservation of a standing order, a transfer, a freeze or a thaw, a
//! forced transfer. Each becomes one boundary operation, and so does one that nobody authorised, so that the work does
//! not tell them apart.

use crate::{
    authorisation,
    clearing::market,
    config::EnclaveConfig,
    instruction::{ForcedTransferInstruction, FreezeInstruction, StandingOrderTerms, TransferInstruction},
    planned::Planned,
};
use ccc_core::{
    ciphertext::Label,
    table::{AccountId, AssetId, BoundaryOperation},
};
use darkpool_matcher::{BaseUnits, Lots};

/// The terms of a standing order whose account signed them.
pub(crate) fn terms(config: &EnclaveConfig, label: &Label, plain: &[u8]) -> Option<StandingOrderTerms> {
    let terms = StandingOrderTerms::from_bytes(plain).ok()?;
    authorisation::check(&terms.account, label, &terms.unsigned(), &terms.signature).ok()?;
    (terms.asset == config.base).then_some(terms)
}

/// What an opened submission does. Nothing in it, or nothing that is authorised, is an operation too.
pub(crate) fn planned(config: &EnclaveConfig, opened: Option<(&Label, &[u8])>) -> Planned {
    let operation = opened.and_then(|(label, plain)| {
        None.or_else(|| reservation(config, &terms(config, label, plain)?))
            .or_else(|| transfer(label, plain))
            .or_else(|| freeze(config, label, plain))
            .or_else(|| forced_transfer(config, label, plain))
    });
    operation.map_or_else(Planned::nothing, Planned::silent)
}

fn reservation(config: &EnclaveConfig, terms: &StandingOrderTerms) -> Option<BoundaryOperation> {
    let market = market(config).ok()?;
    let lots = Lots::floor(BaseUnits::new(terms.size).ok()?, &market).get();
    Some(BoundaryOperation::Reserve { account: AccountId(terms.account), asset: AssetId(terms.asset), lots })
}

/// Signed by the account that is debited.
fn transfer(label: &Label, plain: &[u8]) -> Option<BoundaryOperation> {
    let asked = TransferInstruction::from_bytes(plain).ok()?;
    authorisation::check(&asked.account, label, &asked.unsigned(), &asked.signature).ok()?;
    Some(BoundaryOperation::Transfer {
        account: AccountId(asked.account),
        asset: AssetId(asked.asset),
        amount: asked.amount,
        to: AccountId(asked.to),
    })
}

/// Signed by the operator.
fn freeze(config: &EnclaveConfig, label: &Label, plain: &[u8]) -> Option<BoundaryOperation> {
    let asked = FreezeInstruction::from_bytes(plain).ok()?;
    check_operator(config, label, &asked.unsigned(), &asked.signature)?;
    Some(BoundaryOperation::Freeze {
        account: AccountId(asked.account),
        asset: AssetId(asked.asset),
        reason: asked.reason,
        frozen: asked.frozen,
    })
}

/// Signed by the operator.
fn forced_transfer(config: &EnclaveConfig, label: &Label, plain: &[u8]) -> Option<BoundaryOperation> {
    let asked = ForcedTransferInstruction::from_bytes(plain).ok()?;
    check_operator(config, label, &asked.unsigned(), &asked.signature)?;
    Some(BoundaryOperation::ForcedTransfer {
        account: AccountId(asked.account),
        asset: AssetId(asked.asset),
        amount: asked.amount,
        to: AccountId(asked.to),
        reason: asked.reason,
    })
}

/// The signature is checked against the account of nobody where the configuration names no operator: at the same
/// cost, and without success.
fn check_operator(config: &EnclaveConfig, label: &Label, unsigned: &[u8], signature: &[u8; 65]) -> Option<()> {
    let operator = config.operator.unwrap_or(AccountId::NOBODY.0);
    let signed = authorisation::check(&operator, label, unsigned, signature).is_ok();
    (signed & config.operator.is_some()).then_some(())
}
