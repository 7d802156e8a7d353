//! What queries read: an owner's holdings and the auditors' totals, in bytes of one size.

use super::super::{
    AccountId, AssetId, AuditorSet, AuditorSetError, BoundaryOperation, Holdings, OpenTable, Row, Summary, Total,
    holdings_len, ledger::Ledger, summary_len,
};
use super::{ASSETS, EPOCH, account, deposit, first, funded, master, next, params, rng};
use crate::encoding::EncodingError;
use rand::RngExt;

fn set() -> AuditorSet {
    AuditorSet::new(4, vec![[1; 32], [2; 32]]).expect("a set")
}

#[test]
fn holdings_are_an_accounts_rows_and_nothing_for_others() {
    let table = funded();
    let holdings = table.rows.holdings(account(1), 3);
    let row = |asset: u32| table.rows.find(account(1), AssetId(asset));
    assert_eq!(holdings.rows, [row(0), row(1), None]);
    assert_eq!((holdings.header, holdings.version, holdings.account), (table.table.header.hash(), 2, account(1)));
    for nobody in [account(9), AccountId::NOBODY] {
        assert_eq!(table.rows.holdings(nobody, 3).rows, [None, None, None]);
    }
}

#[test]
fn answers_have_one_size_whatever_the_table_holds() {
    let (empty, full) = (first(1), funded());
    let lengths: Vec<_> =
        [1, 2, 9, 0].iter().map(|number| full.rows.holdings(account(*number), 3).to_bytes().len()).collect();
    assert_eq!(lengths, [holdings_len(3); 4]);
    assert_eq!(empty.rows.holdings(account(1), 3).to_bytes().len(), holdings_len(3));
    for table in [&empty, &full] {
        assert_eq!(table.rows.summary(3, &set()).to_bytes().len(), summary_len(3));
    }
}

#[test]
fn holdings_return_as_written_and_nothing_else_is_read() {
    let holdings = funded().rows.holdings(account(1), 3);
    let good = holdings.to_bytes();
    assert_eq!(Holdings::from_bytes(&good), Ok(holdings));
    for length in 0..good.len() {
        assert!(
            matches!(Holdings::from_bytes(&good[..length]), Err(EncodingError::Truncated { .. })),
            "{length} bytes"
        );
    }
    let trailing = [&good[..], &[0]].concat();
    assert_eq!(Holdings::from_bytes(&trailing), Err(EncodingError::Trailing { found: 1 }));
    let reserved = Err(EncodingError::Reserved { what: "place of an asset" });
    // neither 0 nor 1; the zero byte; a flag without a meaning; an empty place with a nonce
    for (at, byte) in [(64, 2), (65, 1), (67, 4), (64 + 72 + 35, 1)] {
        let mut bytes = good.to_vec();
        bytes[at] = byte;
        assert_eq!(Holdings::from_bytes(&bytes), reserved, "byte {at}");
    }
    let mut counted = good.to_vec();
    counted[60..64].fill(0xFF);
    assert!(matches!(Holdings::from_bytes(&counted), Err(EncodingError::Truncated { .. })));
}

#[test]
fn a_summary_counts_accounts_rows_frozen_ones_and_sums() {
    let freeze = BoundaryOperation::Freeze { account: account(1), asset: AssetId(1), reason: 7, frozen: true };
    let register = BoundaryOperation::Register { account: account(5), reading_key: [5; 32] };
    let table = next(funded(), &[freeze, register, deposit(3, 0, u128::MAX - 200)], &[], 3).expect("seals");
    let summary = table.rows.summary(3, &set());
    assert_eq!((summary.accounts, summary.rows, summary.frozen_rows), (4, 5, 1));
    let totals = [(u128::MAX, 0), (10_000, 5_000), (0, 0)].map(|(held, frozen)| Total { held, frozen });
    assert_eq!(summary.totals, totals);
    assert_eq!((summary.header, summary.version), (table.table.header.hash(), 3));
    assert_eq!((summary.set_version, summary.set), (4, set().digest()));
    let bytes = summary.to_bytes();
    assert_eq!(Summary::from_bytes(&bytes), Ok(summary));
    for length in 0..bytes.len() {
        assert!(Summary::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
    }
    let mut padded = bytes;
    padded[110] = 1;
    assert_eq!(Summary::from_bytes(&padded), Err(EncodingError::Reserved { what: "summary" }));
}

/// Frozen rows as the ledger has them.
fn frozen(ledger: &Ledger, asset: u32) -> u128 {
    let frozen = |row: &&Row| row.flags.is_frozen() && row.asset == AssetId(asset);
    ledger.rows().iter().filter(frozen).map(|row| row.amount).sum()
}

#[test]
fn summaries_agree_with_the_plain_ledger() {
    let (mut rng, mut ledger, mut table) = (rng(5), Ledger::new(params().tier), first(5));
    for _ in 0..8 {
        let random = |rng: &mut rand_chacha::ChaCha20Rng| (rng.random_range(1..40u8), rng.random_range(0..3u32));
        let mut boundary = vec![];
        for _ in 0..12 {
            let ((number, asset), (frozen, of)) = (random(&mut rng), random(&mut rng));
            boundary.push(deposit(number, asset, rng.random_range(1..1_000_000)));
            let (account, asset) = (account(frozen), AssetId(of));
            boundary.push(BoundaryOperation::Freeze { account, asset, reason: 1, frozen: rng.random() });
        }
        ledger.update(&boundary, &[], &ASSETS);
        table = table.rows.update(&boundary, &[], 16, &ASSETS, EPOCH, &master(), &mut rng).expect("seals");
        let summary = table.rows.summary(3, &set());
        let rows = ledger.rows();
        assert_eq!(summary.rows, rows.len() as u64);
        assert_eq!(summary.accounts + rows.len() as u64 + 1, ledger.used_rows() as u64);
        assert_eq!(summary.frozen_rows, rows.iter().filter(|row| row.flags.is_frozen()).count() as u64);
        for (asset, total) in (0..).zip(&summary.totals) {
            assert_eq!(Some(total.held), ledger.sum(AssetId(asset)));
            assert_eq!(total.frozen, frozen(&ledger, asset));
        }
    }
    let read: &OpenTable = &table.rows;
    assert!(read.summary(3, &set()).frozen_rows > 0);
}

#[test]
fn auditor_sets_ascend_and_have_a_digest_of_version_and_keys() {
    assert_eq!(AuditorSet::new(1, vec![]), Err(AuditorSetError::Count { most: 64, found: 0 }));
    assert_eq!(AuditorSet::new(1, vec![[1; 32]; 65]), Err(AuditorSetError::Count { most: 64, found: 65 }));
    assert_eq!(AuditorSet::new(1, vec![[1; 32], [1; 32]]), Err(AuditorSetError::Order { index: 1 }));
    assert_eq!(AuditorSet::new(1, vec![[1; 32], [3; 32], [2; 32]]), Err(AuditorSetError::Order { index: 2 }));
    let digests = [
        set().digest(),
        AuditorSet::new(5, set().keys().to_vec()).expect("a set").digest(),
        AuditorSet::new(4, vec![[1; 32]]).expect("a set").digest(),
    ];
    assert!(digests[0] != digests[1] && digests[0] != digests[2] && digests[1] != digests[2]);
}
