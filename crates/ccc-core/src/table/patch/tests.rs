use super::*;

const SEED: [u64; 4] = [3, 1, 4, 1];

fn patch(index: u32) -> Patch {
    let mut new = [0; ROW_LEN];
    new[DELTA_AT..DELTA_AT + 4].copy_from_slice(&(index + 1).to_le_bytes());
    Patch { index: Some(index), old: [0; ROW_LEN], new }
}

/// Indices of rows four neighbours at a time, of which one falls into bin 5: more than a bin holds, and as many under
/// every seed that only exchanges neighbours.
fn crowded(groups: usize, bin: impl Fn(u32) -> u32) -> Vec<u32> {
    let neighbours = (0u32..).step_by(4).map(|first| first..first + 4);
    neighbours.filter(|group| group.clone().any(|index| bin(index) == 5)).take(groups).flatten().collect()
}

/// Four rows that meet the same three slots.
fn of_three_slots(turns: &Turns) -> Vec<u32> {
    let slots = turns.slots();
    let mut alike = std::collections::BTreeMap::<_, Vec<u32>>::new();
    for first in (0u32..).step_by(slots) {
        let [a, b, c] = turns.block(first);
        let rows = alike.entry([b, c].map(|from| (from + slots - a) % slots)).or_default();
        rows.push(first + u32::try_from((slots - a) % slots).expect("a slot"));
        if rows.len() == 4 {
            return rows.clone();
        }
    }
    unreachable!("there are finitely many ways to meet slots")
}

/// The rows come out as without tables; the deltas stand in them, though not under the first seed.
fn assert_placed_anew(indices: &[u32], is_placed: fn(&Deltas) -> bool) {
    let deltas: Vec<_> = indices.iter().map(|index| patch(*index)).collect();
    let last = indices.iter().max().expect("a row");
    let mut rows = vec![[0; ROW_LEN]; (*last as usize + 1).next_multiple_of(1024)];
    let mut direct = rows.clone();
    let patches = Patches::new([].iter(), &deltas, SEED);
    assert!(is_placed(&patches.deltas), "no seed placed {} patches", deltas.len());
    patches.apply(0, &mut rows);
    let deltas = Deltas::Listed(deltas.iter().map(Masked::delta).collect());
    Patches { whole: vec![], deltas }.apply(0, &mut direct);
    assert!(rows == direct);
    let changed = rows.iter().filter(|row| **row != [0; ROW_LEN]).count();
    assert_eq!(changed, indices.len());
}

#[test]
fn patches_that_find_no_slot_in_turn_stand_in_slots_under_the_next_seed() {
    let indices = of_three_slots(&Turns::new(SEED, 4));
    let deltas: Vec<_> = indices.iter().map(|index| Masked::delta(&patch(*index))).collect();
    assert!(in_turns(&deltas[..3], SEED).is_some());
    assert!(in_turns(&deltas, SEED).is_none());
    assert_placed_anew(&indices, |deltas| matches!(deltas, Deltas::InTurns(..)));
}

#[test]
fn patches_that_overflow_a_hashed_bin_stand_in_bins_under_the_next_seed() {
    let hash = BinHash::new(SEED, 128);
    let indices = crowded(17, |index| hash.bin([u64::from(index), 0, 0]));
    assert_eq!(indices.len(), 68);
    let deltas: Vec<_> = indices.iter().map(|index| Masked::delta(&patch(*index))).collect();
    assert!(hashed(&deltas, SEED).is_none());
    assert_placed_anew(&indices, |deltas| matches!(deltas, Deltas::Hashed(..)));
}
