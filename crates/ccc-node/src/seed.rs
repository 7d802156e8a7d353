//! Where randomness comes from: the operating system, or for reproducible runs a seed.

use crate::domain;
use ccc_core::suite;
use rand::{SeedableRng, TryRng, rngs::SysRng};
use rand_chacha::ChaCha20Rng;

/// A generator.
pub type Generator = ChaCha20Rng;

/// Independent generators, one per name.
pub struct Randomness {
    root: [u8; 32],
    hidden: [u8; 32],
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
        Ok(Self { root, hidden: root })
    }

    /// From a seed: the same seed gives the same run.
    ///
    /// *Security*: everything secret follows from the seed. Simulation only.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let root = seed_root(seed);
        Self { root, hidden: root }
    }

    /// The same public draws, with other hidden ones: two runs that differ in secrets alone.
    ///
    /// *Security*: as [`Self::seeded`].
    #[must_use]
    pub fn with_hidden(self, seed: u64) -> Self {
        Self { hidden: seed_root(seed), ..self }
    }

    /// The generator of this name and index.
    #[must_use]
    pub fn generator(&self, name: &str, index: u64) -> ChaCha20Rng {
        generator(&self.root, name, index)
    }

    /// The generator of this name and index for what no observer may learn: amounts, table accounts, and the
    /// randomness of what hides them.
    #[must_use]
    pub fn hidden(&self, name: &str, index: u64) -> ChaCha20Rng {
        generator(&self.hidden, name, index)
    }
}

fn seed_root(seed: u64) -> [u8; 32] {
    suite::digest32(domain::SEED, &[&seed.to_be_bytes()])
}

fn generator(root: &[u8; 32], name: &str, index: u64) -> ChaCha20Rng {
    ChaCha20Rng::from_seed(suite::digest32(domain::GENERATOR, &[root, name.as_bytes(), &index.to_be_bytes()]))
}
