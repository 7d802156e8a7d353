use super::{
    super::{AccountId, AssetId, Row},
    *,
};

const SEED: [u64; 4] = [3, 1, 4, 1];

/// A key whose first word ends in `neighbour`.
fn key(group: u32, neighbour: u8) -> RowKey {
    let mut account = [9; 20];
    account[0] = neighbour;
    account[8..12].copy_from_slice(&group.to_be_bytes());
    RowKey::balance(AccountId(account), AssetId(0))
}

fn row(key: RowKey) -> [u8; ROW_LEN] {
    let account = key.to_bytes()[..20].try_into().expect("twenty bytes");
    Row::empty(AccountId(account), AssetId(0)).to_bytes()
}

/// More keys than a bin holds in bin 5, and as many under every seed that only exchanges neighbours: the keys stand in
/// bins under the next seed, and are found as without bins.
#[test]
fn keys_that_overflow_a_bin_stand_in_bins_under_the_next_seed() {
    let hash = BinHash::new(SEED, 128);
    let groups = (0u32..).filter(|group| (0..4).any(|neighbour| bin_of(&hash, key(*group, neighbour)) == 5));
    let keys: Vec<_> = groups.take(17).flat_map(|group| (0..4).map(move |neighbour| key(group, neighbour))).collect();
    assert!(binned(&keys, SEED).is_none());
    let lookup = Lookup::new(keys.clone(), SEED);
    assert!(lookup.bins.is_some(), "no seed placed {} keys", keys.len());
    // of every second key there is a row
    let rows: Vec<_> = keys.iter().step_by(2).map(|key| row(*key)).collect();
    let direct = Lookup { groups: keys.chunks(LANES).map(KeyGroup::new).collect(), keys, bins: None };
    let [found, expected] = [&lookup, &direct].map(|lookup| {
        let mut findings = lookup.start();
        lookup.scan(&mut findings, 0, &rows);
        let found = lookup.rows(&findings).expect("rows");
        found.iter().map(|row| row.as_ref().map(|row| (row.index, row.bytes))).collect::<Vec<_>>()
    });
    assert!(found == expected);
    assert_eq!(found.iter().flatten().count(), rows.len());
}
