use super::*;

const SEED: [u64; 4] = [3, 1, 4, 1];

fn patch(index: u32) -> Patch {
    let mut new = [0; ROW_LEN];
    new[DELTA_AT..DELTA_AT + 4].copy_from_slice(&(index + 1).to_le_bytes());
    Patch { index: Some(index), old: [0; ROW_LEN], new }
}

/// Indices of rows four neighbours at a time, `stride` apart, of which one falls into bin 5: more than a bin holds, and
/// as many under every seed that only exchanges neighbours.
fn crowded(groups: usize, stride: u32, bin: impl Fn(u32) -> u32) -> Vec<u32> {
    let neighbours = |first: u32| (0..4).map(move |at| first + at * stride);
    let firsts = (0u32..).step_by(4 * stride as usize).flat_map(|block| block..block + stride);
    let crowds = firsts.map(neighbours).filter(|group| group.clone().any(|index| bin(index) == 5));
    crowds.take(groups).flatten().collect()
}

/// The rows come out as without bins; they stand in bins, though not under the first seed.
fn assert_placed_anew(indices: &[u32], is_binned: fn(&Bins) -> bool) {
    let deltas: Vec<_> = indices.iter().map(|index| patch(*index)).collect();
    let mut rows = vec![[0; ROW_LEN]; 1 << 15];
    let patches = Patches::new([].iter(), &deltas, SEED);
    assert!(is_binned(&patches.bins), "no seed placed {} patches", deltas.len());
    patches.apply(0, &mut rows);
    let mut direct = vec![[0; ROW_LEN]; 1 << 15];
    let deltas = deltas.iter().map(Masked::delta).collect();
    Patches { whole: vec![], deltas, bins: Bins::None }.apply(0, &mut direct);
    assert!(rows == direct);
    let changed = rows.iter().filter(|row| **row != [0; ROW_LEN]).count();
    assert_eq!(changed, indices.len());
}

#[test]
fn patches_that_overflow_a_bin_in_turn_stand_in_bins_under_the_next_seed() {
    let turns = Turns::new(SEED, 36);
    let bin = |index| turns.slots(&[index]).expect("one")[0] / number_of_slots();
    let indices = crowded(9, 256, bin);
    assert_eq!(indices.len(), 36);
    assert!(turns.slots(&indices).is_none());
    assert_placed_anew(&indices, |bins| matches!(bins, Bins::Turns(_)));
}

fn number_of_slots() -> u32 {
    u32::try_from(turns::SLOTS).expect("eight")
}

#[test]
fn patches_that_overflow_a_hashed_bin_stand_in_bins_under_the_next_seed() {
    let hash = BinHash::new(SEED, 128);
    let indices = crowded(17, 1, |index| hash.bin([u64::from(index), 0, 0]));
    assert_eq!(indices.len(), 68);
    let deltas: Vec<_> = indices.iter().map(|index| Masked::delta(&patch(*index))).collect();
    assert!(hashed(&deltas, SEED).is_none());
    assert_placed_anew(&indices, |bins| matches!(bins, Bins::Hashed(_)));
}
