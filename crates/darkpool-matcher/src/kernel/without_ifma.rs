//! A processor of another architecture has neither AVX-512 nor AVX2: there is no value of these types.

use core::convert::Infallible;

use super::columns::SliceColumns;
use super::scalar::{Allocated, Margin};
use crate::allocation::Rate;

/// The proof, which nothing can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ifma(Infallible);

impl Ifma {
    pub(crate) const fn detected() -> Option<Self> {
        None
    }

    pub(crate) fn sums_below(self, _: &SliceColumns<'_>, _: [u16; 3]) -> [u64; 3] {
        match self.0 {}
    }

    pub(crate) fn sums_up_to(self, _: &SliceColumns<'_>, _: [u64; 3]) -> [u64; 3] {
        match self.0 {}
    }

    pub(crate) fn hand_out(self, _: &mut SliceColumns<'_>, _: &Margin, _: Rate, _: bool) -> Allocated {
        match self.0 {}
    }

    pub(crate) fn level_out(self, _: &mut SliceColumns<'_>, _: &Margin, _: Rate, _: bool) -> Allocated {
        match self.0 {}
    }
}

/// The proof, which nothing can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx2(Infallible);

impl Avx2 {
    pub(crate) const fn detected() -> Option<Self> {
        None
    }

    pub(crate) fn sum_below(self, _: &SliceColumns<'_>, _: u16) -> u64 {
        match self.0 {}
    }

    pub(crate) fn sums_up_to(self, _: &SliceColumns<'_>, _: [u64; 3]) -> [u64; 3] {
        match self.0 {}
    }

    pub(crate) fn hand_out(self, _: &mut SliceColumns<'_>, _: &Margin, _: Rate, _: bool) -> Allocated {
        match self.0 {}
    }

    pub(crate) fn level_out(self, _: &mut SliceColumns<'_>, _: &Margin, _: Rate, _: bool) -> Allocated {
        match self.0 {}
    }
}
