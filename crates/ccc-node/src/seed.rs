//! Where randomness comes from: the operating system, or for reproducible runs a seed.

use ccc_core::suite;
use rand::{SeedableRng, TryRng, rngs::SysRng};
use rand_chacha::ChaCha20Rng;

/// Independent generators, one per name.
pub struct Randomness {
    root: [u8; 32],
}

/// The operating system gave no randomness.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no randomness")]
pub struct NoRandomness;

impl Randomness {
    /// From the operating system.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn system() -> Result<Self, NoRandomness> {
        let mut root = [0; 32];
        SysRng.try_fill_bytes(&mut root).map_err(|_| NoRandomness)?;
        Ok(Self { root })
    }

    /// From a seed: the same seed gives the same run.
    ///
    /// *Security*: everything secret follows from the seed. Simulation only.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { root: suite::digest32("seed", &[&seed.to_be_bytes()]) }
    }

    /// The generator of this name and index.
    #[must_use]
    pub fn generator(&self, name: &str, index: u64) -> ChaCha20Rng {
        ChaCha20Rng::from_seed(suite::digest32("generator", &[&self.root, name.as_bytes(), &index.to_be_bytes()]))
    }
}
