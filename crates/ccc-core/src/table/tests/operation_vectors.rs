//! Golden bytes of the operations: `vectors/ccc/table.json`, sections *operations*, *own_versions*, *forced_transfers*, *transfers*.

use super::super::{
    AccountId, AssetId, AssetRule, BoundaryOperation, Delta, ROW_LEN, ResultCode, Rotation, Row, Tier, Update,
    boundary::RowSet,
    operation::{own_version_digest, update_digest},
    row::{Status, key_row},
    rows::Rows,
};
use super::vectors::{array, bytes, file, list, number};
use crate::{epoch::Epoch, keys::MasterPublicKey};
use serde_json::Value;
use zeroize::Zeroizing;

fn byte(value: &Value) -> u8 {
    u8::try_from(number(value)).expect("byte")
}

fn amount(value: &Value) -> u128 {
    value.as_str().expect("amount").parse().expect("amount")
}

fn operation(vector: &Value) -> BoundaryOperation {
    use BoundaryOperation as Op;
    let account = AccountId(array(&vector["account"]));
    let asset = || AssetId(u32::try_from(number(&vector["asset"])).expect("asset"));
    let reading_key = || array(&vector["reading_key"]);
    match vector["operation"].as_str().expect("a name") {
        "register" => Op::Register { account, reading_key: reading_key() },
        "open" => Op::Open { account, asset: asset() },
        "deposit" => {
            Op::Deposit { account, asset: asset(), amount: amount(&vector["amount"]), reading_key: reading_key() }
        }
        "withdraw" => Op::Withdraw { account, asset: asset(), amount: amount(&vector["amount"]) },
        "reserve" => Op::Reserve { account, asset: asset(), lots: number(&vector["lots"]) },
        "freeze" => Op::Freeze {
            account,
            asset: asset(),
            reason: byte(&vector["reason"]),
            frozen: byte(&vector["frozen"]) == 1,
        },
        "forced transfer" => Op::ForcedTransfer {
            account,
            asset: asset(),
            amount: amount(&vector["amount"]),
            to: AccountId(array(&vector["to"])),
            reason: byte(&vector["reason"]),
        },
        "transfer" => Op::Transfer {
            account,
            asset: asset(),
            amount: amount(&vector["amount"]),
            to: AccountId(array(&vector["to"])),
        },
        other => unreachable!("operation {other}"),
    }
}

#[test]
fn operations_and_their_digests_are_reproduced() {
    let file = file();
    let vectors = list(&file["operations"]);
    assert_eq!(vectors.len(), 8, "one for each tag");
    for vector in vectors {
        let operation = operation(vector);
        assert_eq!(operation.to_bytes(), bytes(&vector["bytes"]));
        assert_eq!(update_digest(&[operation], &[Delta::DUMMY; 16]), array(&vector["update_digest"]));
    }
}

#[test]
fn digests_of_versions_of_their_own_are_reproduced() {
    let file = file();
    let [growth, epoch, rotation] = list(&file["own_versions"]) else { unreachable!("growth, epoch, rotation") };
    let tier = Tier::new(byte(&growth["growth_to"])).expect("tier");
    assert_eq!(bytes(&growth["bytes"]), [8, tier.log2()]);
    assert_eq!(bytes(&epoch["bytes"]), [&[9], &number(&epoch["new_epoch"]).to_be_bytes()[..]].concat());
    let (to, later) = (bytes(&rotation["to"]), number(&rotation["rotated_in"]));
    assert_eq!(bytes(&rotation["bytes"]), [&[11], &later.to_be_bytes()[..], &to].concat());
    let named = Rotation::new(Epoch(later), super::master(), MasterPublicKey::from_bytes(&to).expect("a key"))
        .expect("two keys");
    let current = super::funded().table.header;
    let next = Update::Rotation(named).after(&current).expect("follows");
    assert_eq!(next.digest, array(&rotation["update_digest"]));
    for vector in [growth, epoch, rotation] {
        assert_eq!(own_version_digest(&bytes(&vector["bytes"])), array(&vector["update_digest"]));
    }
}

/// A table of the status row, the credited account's key row, and these two rows.
fn table(rows: &[[u8; ROW_LEN]; 2]) -> Rows {
    let status = Status { epoch_salt: [1; 16], code: ResultCode::Done, version: 1 };
    let credited = Row::from_bytes(&rows[1]).expect("a row").account;
    let used = [status.to_bytes(), key_row(credited, &[2; 32]), rows[0], rows[1]].concat();
    let mut plain = Zeroizing::new(vec![0; Tier::SMALLEST.rows() * ROW_LEN]);
    plain[..used.len()].copy_from_slice(&used);
    Rows::from_plain(plain, 1).expect("rows")
}

/// Debited and credited row of each case, before and after, as an operation between their accounts leaves them.
fn reproduce(cases: &Value, operation: impl Fn(&Value, &Row, &Row) -> BoundaryOperation) {
    for vector in list(cases) {
        let rows = |name: &str| list(&vector[name]).iter().map(array).collect::<Vec<[u8; ROW_LEN]>>();
        let before: [_; 2] = rows("before").try_into().expect("two rows");
        let [from, to] = before.map(|row| Row::from_bytes(&row).expect("a row"));
        let mut table = table(&before);
        let operation = operation(vector, &from, &to);
        let done = table.apply_boundary(&operation, &[AssetRule { lot: number(&vector["lot"]) }]).is_ok();
        let after = rows("after");
        assert_eq!(done, !after.is_empty());
        assert_eq!(&table.all()[2..4], if done { after.as_slice() } else { before.as_slice() });
    }
}

#[test]
fn rows_after_forced_transfers_are_reproduced() {
    reproduce(&file()["forced_transfers"], |vector, from, to| BoundaryOperation::ForcedTransfer {
        account: from.account,
        asset: from.asset,
        amount: amount(&vector["amount"]),
        to: to.account,
        reason: byte(&vector["reason"]),
    });
}

#[test]
fn rows_after_transfers_are_reproduced() {
    reproduce(&file()["transfers"], |vector, from, to| BoundaryOperation::Transfer {
        account: from.account,
        asset: from.asset,
        amount: amount(&vector["amount"]),
        to: to.account,
    });
}
