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
    let direct = Lookup { groups: keys.chunks(LANES).map(KeyGroup::new).collect(), keys, seed: SEED, bins: None };
    let [found, expected] = [&lookup, &direct].map(|lookup| {
        let mut findings = lookup.start();
        lookup.scan(&mut findings, 0, &rows);
        let found = lookup.rows(&findings).expect("rows");
        found.iter().map(|row| row.as_ref().map(|row| (row.index, row.bytes))).collect::<Vec<_>>()
    });
    assert!(found == expected);
    assert_eq!(found.iter().flatten().count(), rows.len());
}

fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// The two ways up to 64 keys: numbers first and then the rows, and every row under its mask.
#[test]
fn rows_that_are_collected_are_those_that_a_scan_of_whole_rows_finds() {
    let mut state = 7;
    for count in [1, 15, 16, 17, 48, 64] {
        // neighbours, far ones, ones that are not there
        let keys: Vec<_> = (0..count).map(|at| key(at * at * 41 % 3_900, (at % 3).to_le_bytes()[0])).collect();
        let rows: Vec<_> = (0..2_600).flat_map(|group| [0, 1].map(|one| row(key(group, one)))).collect();
        let from = usize::try_from(random(&mut state) % 2).expect("small");
        let (first, rows) = (1024 * u32::try_from(from).expect("small"), &rows[1024 * from..]);
        let lookup = Lookup::new(keys, SEED);
        let (mut collected, mut whole) = (lookup.start(), lookup.start());
        lookup.scan(&mut collected, first, rows);
        lookup.scan_whole(&mut whole, first, rows, &mut |_| ());
        assert!(collected.held == whole.held, "{count} keys");
    }
}

/// More rows of one key than the upper byte of a mark counts are still more than one.
#[test]
fn any_number_of_rows_with_one_key_is_a_fault() {
    let lookup = Lookup::new(vec![key(1, 0)], SEED);
    for count in [2, 255, 256, 257, 512, 4096, 5000] {
        let mut findings = lookup.start();
        lookup.scan(&mut findings, 0, &vec![row(key(1, 0)); count]);
        assert!(matches!(lookup.rows(&findings), Err((_, RowFault::Duplicate))), "{count} rows");
    }
}

#[test]
fn two_rows_with_one_key_are_told_by_a_number_between_them() {
    let lookup = Lookup::new(vec![key(1, 0)], SEED);
    for first in [0, 4_096] {
        for pair in [[0, 1], [3_000, 3_001], [4_094, 4_095], [7, 4_095]] {
            let mut rows = vec![row(key(2, 0)); 4_096];
            pair.iter().for_each(|at| rows[*at] = row(key(1, 0)));
            let mut findings = lookup.start();
            lookup.scan(&mut findings, first, &rows);
            let Err((index, RowFault::Duplicate)) = lookup.rows(&findings) else { panic!("{pair:?} is no fault") };
            let [low, high] = pair.map(|at| first + u32::try_from(at).expect("small"));
            assert!((low..=high).contains(&index), "{index} for {pair:?} behind {first}");
        }
    }
}
