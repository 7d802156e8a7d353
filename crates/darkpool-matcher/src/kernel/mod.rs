//! The speed: masks, division by steps, and the passes over the columns.

pub(crate) mod columns;
#[cfg(test)]
mod differential;
pub(crate) mod division;
mod eights;
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

use ifma::{Avx2, Ifma};

/// What makes the passes of a clearing. The outcome and the fills are the same, bit for bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel(Tier);

/// What a kernel is compiled for, with the proof that the processor has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tier {
    /// Every processor.
    Portable,
    /// The same source, compiled for AVX2.
    Avx2(Avx2),
    /// AVX-512 with IFMA.
    Ifma(Ifma),
}

impl Kernel {
    /// Plain Rust, on every processor.
    pub const PORTABLE: Self = Self(Tier::Portable);

    /// The fastest that this processor has: AVX-512 with 52-bit multiplication (IFMA), AVX2, or [`Self::PORTABLE`].
    ///
    /// *Timing*: the processor is asked once; the choice depends on nothing else.
    #[must_use]
    pub fn detected() -> Self {
        Self::available().last().unwrap_or(Self::PORTABLE)
    }

    /// All that this processor has, the fastest last.
    pub fn available() -> impl Iterator<Item = Self> {
        let (avx2, ifma) = (Avx2::detected().map(Tier::Avx2), Ifma::detected().map(Tier::Ifma));
        core::iter::once(Tier::Portable).chain(avx2).chain(ifma).map(Self)
    }

    /// `avx512ifma`, `avx2` or `portable`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            Tier::Ifma(_) => "avx512ifma",
            Tier::Avx2(_) => "avx2",
            Tier::Portable => "portable",
        }
    }

    pub(crate) const fn tier(self) -> Tier {
        self.0
    }
}
