//! Instructions and what evidence vouches for, fixed byte for byte: read from the snapshots, and written as they are.

#![allow(missing_docs, reason = "a test crate exports nothing")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure fails the test")]

use ccc_core::encoding::EncodingError;
use ccc_enclave::instruction::{
    BalanceQuery, CancelInstruction, CollateralOrder, DepositInstruction, ForcedTransferInstruction, FreezeInstruction,
    StandingOrderTerms, TransferInstruction, WithdrawalInstruction,
};
use ccc_enclave::result::{AttestedResult, PublicInputs};
use std::path::Path;

fn snapshot(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../vectors/snapshots/{name}.hex"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let digits: String = text.lines().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// The object is the snapshot, in both directions.
fn fixes<T: PartialEq>(
    name: &str,
    made: &T,
    write: impl Fn(&T) -> Vec<u8>,
    read: impl Fn(&[u8]) -> Result<T, EncodingError>,
) {
    let bytes = snapshot(name);
    assert_eq!(write(made), bytes, "{name}");
    assert!(read(&bytes).is_ok_and(|found| found == *made), "{name}");
}

#[test]
fn sealed_orders_are_the_snapshots() {
    let order = CollateralOrder {
        size: 1,
        minimum_total: 2,
        spread: [3, 4],
        times: [5, 6],
        dispersion: [7, 8],
        tiers: 9,
        seed: [10; 32],
    };
    fixes("collateral_order", &order, CollateralOrder::to_bytes, CollateralOrder::from_bytes);
    let terms = StandingOrderTerms {
        account: [1; 20],
        asset: 2,
        spread: 3,
        size: 4,
        cap: 5,
        minimum: 6,
        expiry: 7,
        tiers: 8,
        signature: [9; 65],
    };
    fixes("standing_order_terms", &terms, StandingOrderTerms::to_bytes, StandingOrderTerms::from_bytes);
}

#[test]
fn an_owners_instructions_are_the_snapshots() {
    let (account, signature) = ([1; 20], [4; 65]);
    let deposit = DepositInstruction { account, reading_key: [2; 32], signature: [3; 65] };
    fixes("deposit_instruction", &deposit, DepositInstruction::to_bytes, DepositInstruction::from_bytes);
    let withdrawal = WithdrawalInstruction { account, asset: 2, amount: 3, recipient: [5; 20], signature };
    fixes("withdrawal_instruction", &withdrawal, WithdrawalInstruction::to_bytes, WithdrawalInstruction::from_bytes);
    let query = BalanceQuery { account, answer_key: [2; 32], signature: [3; 65] };
    fixes("balance_query", &query, BalanceQuery::to_bytes, BalanceQuery::from_bytes);
    let transfer = TransferInstruction { account, asset: 2, amount: 3, to: [5; 20], signature };
    fixes("transfer_instruction", &transfer, TransferInstruction::to_bytes, TransferInstruction::from_bytes);
    let cancel = CancelInstruction { account, order: [2; 32], signature };
    fixes("cancel_instruction", &cancel, CancelInstruction::to_bytes, CancelInstruction::from_bytes);
}

#[test]
fn the_operators_instructions_are_the_snapshots() {
    let (account, signature) = ([1; 20], [4; 65]);
    let freeze = FreezeInstruction { account, asset: 2, reason: 7, frozen: true, signature };
    fixes("freeze_instruction", &freeze, FreezeInstruction::to_bytes, FreezeInstruction::from_bytes);
    let forced = ForcedTransferInstruction { account, asset: 2, amount: 3, to: [5; 20], reason: 7, signature };
    let (write, read) = (ForcedTransferInstruction::to_bytes, ForcedTransferInstruction::from_bytes);
    fixes("forced_transfer_instruction", &forced, write, read);
}

#[test]
fn what_evidence_vouches_for_is_the_snapshot() {
    let inputs = PublicInputs { block: 1, block_time: 2, custody: 3, consumed: 4, accumulator: [5; 32] };
    assert_eq!(inputs.to_bytes(), snapshot("result_inputs"));
    let (request, header, log, payload) = ([6; 64], [7; 32], [8; 32], vec![9; 10]);
    let result = AttestedResult { payload, inputs, request, header, log, evidence: Vec::new(), identity: None };
    assert_eq!(result.user_data().to_vec(), snapshot("result_user_data"));
}
