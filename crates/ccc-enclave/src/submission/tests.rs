use super::*;
use crate::{
    authorisation::{AccountKey, recoveries},
    config::{Asset, PriceBounds},
};
use ccc_core::{ciphertext::LabelKind, table::TableSuite};
use zeroize::Zeroizing;

const ORDER: [u8; 32] = [11; 32];

fn config(operator: Option<[u8; 20]>) -> EnclaveConfig {
    EnclaveConfig {
        chain: 1,
        pool: [2; 20],
        reserve_attestation: [3; 20],
        master_public_key: [4; 32],
        reserve: [5; 20],
        agent_key: [6; 32],
        table: [7; 32],
        tier: 10,
        assets: vec![Asset { token: [8; 20], decimals: 8, lot: 100 }, Asset { token: [9; 20], decimals: 6, lot: 1 }],
        base: 0,
        quote: 1,
        price_source: [10; 20],
        price_decimals: 8,
        price: PriceBounds { window: 1_200, max_gap: 900, max_stale: 600, collar: 300 },
        solvent_at: 10_000,
        recover_to: 10_000,
        custodian_account: "cold".to_owned(),
        max_statement_age: 3_600,
        envelope_lifetime: 3_600,
        slots: 1,
        order_slots: 6,
        auditors: None,
        operator,
        suite: TableSuite::ChaCha20Poly1305,
        former_master_public_key: None,
    }
}

fn label() -> Label {
    Label {
        kind: LabelKind::Recipient,
        chain: 1,
        contract: [2; 20],
        id: [3; 32],
        version: 0,
        requester: [4; 20],
        expiry: 9,
        context: [0; 32],
    }
}

fn key(seed: u8) -> AccountKey {
    AccountKey::from_bytes(&Zeroizing::new([seed; 32])).expect("a key")
}

/// A standing order, a transfer, a freeze, a forced transfer and a cancellation without their signatures.
fn unsigned(account: [u8; 20]) -> [Vec<u8>; 5] {
    let (to, asset, signature) = ([1; 20], 0, [0; 65]);
    let order = StandingOrderTerms {
        account,
        asset,
        spread: 50,
        size: 400,
        cap: 400,
        minimum: 100,
        expiry: 9,
        tiers: 1,
        signature,
    };
    let amount = 3;
    [
        order.unsigned(),
        TransferInstruction { account, asset, amount, to, signature }.unsigned(),
        FreezeInstruction { account, asset, reason: 1, frozen: true, signature }.unsigned(),
        ForcedTransferInstruction { account, asset, amount, to, reason: 1, signature }.unsigned(),
        CancelInstruction { account, order: ORDER, signature }.unsigned(),
    ]
}

/// Signatures that fail at each step: r zero, s high, v out of range, r that is no point's.
fn malformed(valid: [u8; 65]) -> [[u8; 65]; 4] {
    let (mut high, mut recovery, mut no_point) = (valid, valid, valid);
    high[32..64].fill(0xFE);
    recovery[64] = 2;
    // 5³ + 7 is no square
    no_point[..32].copy_from_slice(&[[0; 31].as_slice(), &[5]].concat());
    [[0; 65], high, recovery, no_point]
}

#[test]
fn n130_every_submission_takes_one_recovery_of_a_signer_new_or_live_whatever_it_says() {
    let (owner, label) = (key(7), label());
    let mut plaintexts = vec![vec![], vec![0; 5], vec![1, 9], vec![1; 400]];
    for unsigned in unsigned(owner.account()) {
        let valid = owner.sign(&label, &unsigned);
        let others = key(8).sign(&label, &unsigned);
        let signatures = malformed(valid).into_iter().chain([valid, others]);
        plaintexts.extend(signatures.map(|signature| [unsigned.as_slice(), &signature].concat()));
    }
    for config in [config(None), config(Some(owner.account()))] {
        for plain in &plaintexts {
            assert_eq!(recoveries(|| live(&config, &label, plain)).0, 1, "live, {plain:?}");
            assert_eq!(recoveries(|| planned(&config, &label, plain, [0; 32])).0, 1, "new, {plain:?}");
        }
    }
}

#[test]
fn kinds_are_told_apart_after_the_check() {
    let (owner, label) = (key(7), label());
    let config = config(Some(owner.account()));
    let plaintexts =
        unsigned(owner.account()).map(|unsigned| [unsigned.as_slice(), &owner.sign(&label, &unsigned)].concat());
    let live = plaintexts.each_ref().map(|plain| live(&config, &label, plain));
    assert_eq!(live.each_ref().map(|live| live.terms.is_some()), [true, false, false, false, false]);
    let names = live.each_ref().map(|live| live.cancelled.map(|cancelled| (cancelled.account, cancelled.order)));
    assert_eq!(names, [None, None, None, None, Some((owner.account(), ORDER))]);
    let planned = plaintexts.map(|plain| planned(&config, &label, &plain, [0; 32]));
    let cancels = planned.each_ref().map(|planned| planned.submitted.and_then(|submitted| submitted.cancels));
    assert_eq!(cancels, [None, None, None, None, Some(ORDER)]);
    let [order, transfer, freeze, forced, cancel] = planned.map(|planned| planned.operation);
    assert!(matches!(cancel, BoundaryOperation::Reserve { lots: 0, .. }));
    assert!(matches!(order, BoundaryOperation::Reserve { lots: 4, .. }));
    assert!(matches!(transfer, BoundaryOperation::Transfer { amount: 3, .. }));
    assert!(matches!(freeze, BoundaryOperation::Freeze { frozen: true, .. }));
    assert!(matches!(forced, BoundaryOperation::ForcedTransfer { amount: 3, .. }));
}
