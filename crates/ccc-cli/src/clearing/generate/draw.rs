//! Draws by integers.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Steps of one octave of a weight.
const STEPS: u64 = 256;

/// The stream of one book.
pub(super) struct Draw(ChaCha8Rng);

impl Draw {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self(ChaCha8Rng::from_seed(seed))
    }

    /// Evenly below `bound`; 0 for a bound of 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.0.next_u64()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// True once in `rarity` draws.
    pub(super) fn rarely(&mut self, rarity: u64) -> bool {
        self.below(rarity) == 0
    }

    /// The less of two draws: small numbers are likelier, in a straight line.
    pub(super) fn low(&mut self, bound: u64) -> u64 {
        self.below(bound).min(self.below(bound))
    }

    /// About 2^x, x the sum of four even draws of `octaves` each: as good as log-normal. Below 2^(8 + 4 · octaves).
    pub(super) fn weight(&mut self, octaves: u64) -> u64 {
        let steps: u64 = (0..4).map(|_| self.below(octaves * STEPS)).sum();
        (STEPS + steps % STEPS) << (steps / STEPS)
    }
}
