use super::*;

#[test]
fn instructions_are_read_back_and_nothing_else_is() {
    let order = CollateralOrder {
        size: 1,
        minimum_total: 2,
        spread: [3, 4],
        times: [5, 6],
        dispersion: [7, 8],
        tiers: 9,
        seed: [10; 32],
    };
    let bytes = order.to_bytes();
    assert!(CollateralOrder::from_bytes(&bytes).is_ok_and(|read| read == order));
    assert!(StandingOrderTerms::from_bytes(&bytes).is_err());
    for length in 0..bytes.len() {
        assert!(CollateralOrder::from_bytes(&bytes[..length]).is_err());
    }
    assert_eq!(
        CollateralOrder::from_bytes(&[bytes, vec![0]].concat()).err(),
        Some(EncodingError::Trailing { found: 1 })
    );
}

/// The bytes of one instruction, field by field as the table above has them.
fn bytes(kind: u8, fields: &[&[u8]]) -> Vec<u8> {
    [&[1, kind], fields.concat().as_slice()].concat()
}

#[test]
fn every_field_has_its_place() {
    let order = CollateralOrder {
        size: 1,
        minimum_total: 2,
        spread: [3, 4],
        times: [5, 6],
        dispersion: [7, 8],
        tiers: 9,
        seed: [10; 32],
    };
    let word = |value: u64| value.to_be_bytes();
    let halves = [0, 7, 0, 8];
    let fields: [&[u8]; 8] = [&word(1), &word(2), &[0, 3, 0, 4], &word(5), &word(6), &halves, &word(9), &[10; 32]];
    assert_eq!(order.to_bytes(), bytes(1, &fields));
    assert_eq!(order.to_bytes().len(), 82);
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
    let fields: [&[u8]; 9] =
        [&[1; 20], &[0, 0, 0, 2], &[0, 3], &word(4), &word(5), &word(6), &word(7), &word(8), &[9; 65]];
    assert_eq!(terms.to_bytes(), bytes(2, &fields));
    assert_eq!(terms.to_bytes().len(), 133);
    let deposit = DepositInstruction { account: [1; 20], reading_key: [2; 32], signature: [3; 65] };
    assert_eq!(deposit.to_bytes(), bytes(3, &[&[1; 20], &[2; 32], &[3; 65]]));
    let query = BalanceQuery { account: [1; 20], answer_key: [2; 32], signature: [3; 65] };
    assert_eq!(query.to_bytes(), bytes(5, &[&[1; 20], &[2; 32], &[3; 65]]));
    assert_eq!(query.to_bytes().len(), BalanceQuery::LEN);
    assert!(DepositInstruction::from_bytes(&query.to_bytes()).is_err());
    let (account, signature) = ([1; 20], [4; 65]);
    let withdrawal = WithdrawalInstruction { account, asset: 2, amount: 3, recipient: [5; 20], signature };
    let fields: [&[u8]; 5] = [&account, &[0, 0, 0, 2], &3_u128.to_be_bytes(), &[5; 20], &signature];
    assert_eq!(withdrawal.to_bytes(), bytes(4, &fields));
    assert_eq!(withdrawal.to_bytes().len(), 127);
}

#[test]
fn signed_instructions_end_in_their_signature() {
    let terms = StandingOrderTerms {
        account: [1; 20],
        asset: 0,
        spread: 50,
        size: 6,
        cap: 5,
        minimum: 4,
        expiry: 3,
        tiers: 2,
        signature: [7; 65],
    };
    assert_eq!(terms.to_bytes(), [terms.unsigned(), vec![7; 65]].concat());
    assert!(StandingOrderTerms::from_bytes(&terms.to_bytes()).is_ok_and(|read| read == terms));
    let deposit = DepositInstruction { account: [1; 20], reading_key: [2; 32], signature: [3; 65] };
    assert!(DepositInstruction::from_bytes(&deposit.to_bytes()).is_ok_and(|read| read == deposit));
    let withdrawal =
        WithdrawalInstruction { account: [1; 20], asset: 1, amount: u128::MAX, recipient: [2; 20], signature: [3; 65] };
    assert!(WithdrawalInstruction::from_bytes(&withdrawal.to_bytes()).is_ok_and(|read| read == withdrawal));
}

#[test]
fn transfers_and_the_operators_instructions_have_their_places() {
    let (account, to, signature) = ([1; 20], [5; 20], [4; 65]);
    let asset = [0, 0, 0, 2];
    let transfer = TransferInstruction { account, asset: 2, amount: 3, to, signature };
    let fields: [&[u8]; 5] = [&account, &asset, &3_u128.to_be_bytes(), &to, &signature];
    assert_eq!(transfer.to_bytes(), bytes(6, &fields));
    assert_eq!(transfer.to_bytes().len(), 127);
    assert!(TransferInstruction::from_bytes(&transfer.to_bytes()).is_ok_and(|read| read == transfer));
    assert!(WithdrawalInstruction::from_bytes(&transfer.to_bytes()).is_err(), "of one length");
    for frozen in [false, true] {
        let freeze = FreezeInstruction { account, asset: 2, reason: 7, frozen, signature };
        let fields: [&[u8]; 5] = [&account, &asset, &[7], &[u8::from(frozen)], &signature];
        assert_eq!(freeze.to_bytes(), bytes(7, &fields));
        assert_eq!(freeze.to_bytes().len(), 93);
        assert!(FreezeInstruction::from_bytes(&freeze.to_bytes()).is_ok_and(|read| read == freeze));
    }
    let fields: [&[u8]; 5] = [&account, &asset, &[7], &[2], &signature];
    let refused = FreezeInstruction::from_bytes(&bytes(7, &fields)).err();
    assert_eq!(refused, Some(EncodingError::Reserved { what: "frozen" }));
    let forced = ForcedTransferInstruction { account, asset: 2, amount: 3, to, reason: 7, signature };
    let fields: [&[u8]; 6] = [&account, &asset, &3_u128.to_be_bytes(), &to, &[7], &signature];
    assert_eq!(forced.to_bytes(), bytes(8, &fields));
    assert_eq!(forced.to_bytes().len(), 128);
    assert!(ForcedTransferInstruction::from_bytes(&forced.to_bytes()).is_ok_and(|read| read == forced));
}

#[test]
fn a_cancellation_has_its_places() {
    let (account, order, signature) = ([1; 20], [2; 32], [4; 65]);
    let cancel = CancelInstruction { account, order, signature };
    assert_eq!(cancel.to_bytes(), bytes(9, &[&account, &order, &signature]));
    assert_eq!(cancel.to_bytes().len(), 119);
    assert_eq!(cancel.to_bytes(), [cancel.unsigned(), vec![4; 65]].concat());
    assert!(CancelInstruction::from_bytes(&cancel.to_bytes()).is_ok_and(|read| read == cancel));
    assert!(DepositInstruction::from_bytes(&cancel.to_bytes()).is_err(), "of one length");
}
