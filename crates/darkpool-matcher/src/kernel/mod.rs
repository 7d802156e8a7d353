//! The speed: masks, division by steps, and the passes over the columns.

pub(crate) mod columns;
#[cfg(test)]
mod differential;
pub(crate) mod division;
mod equal;
#[cfg(target_arch = "x86_64")]
mod ifma;
#[cfg(not(target_arch = "x86_64"))]
mod without_ifma;
#[cfg(not(target_arch = "x86_64"))]
use without_ifma as ifma;
pub(crate) mod mask;
pub(crate) mod scalar;
#[cfg(test)]
mod trace;

use ifma::Ifma;

/// What makes the passes of a clearing. The outcome and the fills are the same, bit for bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel(Option<Ifma>);

impl Kernel {
    /// Plain Rust, on every processor.
    pub const PORTABLE: Self = Self(None);

    /// The fastest that this processor has: AVX-512 with 52-bit multiplication (IFMA), or [`Self::PORTABLE`].
    ///
    /// *Timing*: the processor is asked once; the choice depends on nothing else.
    #[must_use]
    pub fn detected() -> Self {
        Self(Ifma::detected())
    }

    /// `avx512ifma` or `portable`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            Some(_) => "avx512ifma",
            None => "portable",
        }
    }

    pub(crate) const fn ifma(self) -> Option<Ifma> {
        self.0
    }
}
