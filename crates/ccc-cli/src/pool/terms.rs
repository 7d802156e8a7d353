//! The terms of an order, from flags or from a file in their place.

use super::parse_toml;
use crate::{cli::SpreadRange, error::Error, files, ui::Ui};
use ccc_node::maker::Offer;
use serde::Deserialize;
use std::path::Path;

const MAX_TERMS: u64 = 1 << 16;
/// Amounts above this are refused by the clearing.
const MAX_AMOUNT: u64 = 1 << 51;
/// No limit on one maker's share of an order.
pub(crate) const WHOLE: [u16; 2] = [10_000, 10_000];

/// Terms as a file gives them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermsFile {
    size: u64,
    spread: [u16; 2],
    #[serde(default)]
    minimum: u64,
    cap: Option<u64>,
    dispersion: Option<[u16; 2]>,
}

/// Terms as flags give them, or the file that stands in their place.
pub(crate) struct TermsFlags<'a> {
    pub(crate) file: Option<&'a Path>,
    pub(crate) size: Option<u64>,
    pub(crate) spread: Option<SpreadRange>,
    pub(crate) minimum: Option<u64>,
    pub(crate) cap: Option<u64>,
}

/// What both kinds of orders have.
pub(crate) struct Terms {
    pub(crate) size: u64,
    pub(crate) spread: [u16; 2],
    pub(crate) minimum: u64,
    pub(crate) cap: u64,
    pub(crate) dispersion: [u16; 2],
}

impl Terms {
    /// The terms of a collateral order.
    ///
    /// # Errors
    /// [`Error::Terms`], [`Error::NotRead`], and the errors of reading.
    pub(crate) fn collateral(flags: &TermsFlags<'_>, ui: &Ui) -> Result<Self, Error> {
        Self::read(flags, false, ui)
    }

    /// The terms of a standing order of an asset with this lot.
    ///
    /// # Errors
    /// As [`Self::collateral`].
    pub(crate) fn standing(flags: &TermsFlags<'_>, lot: u64, ui: &Ui) -> Result<Self, Error> {
        let terms = Self::read(flags, true, ui)?;
        if terms.size < lot {
            return Err(Error::Terms { what: "the size of a standing order", reason: "less than one lot" });
        }
        if terms.spread[0] != terms.spread[1] {
            return Err(Error::Terms { what: "the spread of a standing order", reason: "a range" });
        }
        Ok(terms)
    }

    /// What its maker signs.
    pub(crate) fn offer(&self, asset: u32, expiry: u64) -> Offer {
        let Self { size, spread: [spread, _], minimum, cap, .. } = *self;
        Offer { asset, spread, size, cap, minimum, expiry }
    }

    fn read(flags: &TermsFlags<'_>, standing: bool, ui: &Ui) -> Result<Self, Error> {
        let terms = match flags.file {
            Some(path) => {
                let file: TermsFile = parse_toml(path, &files::read(path, MAX_TERMS)?)?;
                refuse_unread(&file, standing)?;
                let cap = file.cap.unwrap_or(file.size);
                let dispersion = file.dispersion.unwrap_or(WHOLE);
                Self { size: file.size, spread: file.spread, minimum: file.minimum, cap, dispersion }
            }
            None => Self::of_flags(flags, ui)?,
        };
        terms.check()?;
        Ok(terms)
    }

    fn of_flags(flags: &TermsFlags<'_>, ui: &Ui) -> Result<Self, Error> {
        let size = flags.size.ok_or(Error::Terms { what: "--size", reason: "missing" })?;
        let SpreadRange(spread) = flags.spread.ok_or(Error::Terms { what: "--spread", reason: "missing" })?;
        ui.note("other users of this machine can see arguments while a program runs; --terms FILE hides them");
        let minimum = flags.minimum.unwrap_or(0);
        Ok(Self { size, spread, minimum, cap: flags.cap.unwrap_or(size), dispersion: WHOLE })
    }

    /// Refuses terms that a round would take for an order that it cannot read, or that could never be filled.
    fn check(&self) -> Result<(), Error> {
        let amounts = [("the size", self.size), ("the minimum", self.minimum), ("the cap", self.cap)];
        if let Some((what, _)) = amounts.into_iter().find(|(_, amount)| *amount >= MAX_AMOUNT) {
            return Err(Error::Terms { what, reason: "2^51 or more" });
        }
        if self.size == 0 {
            return Err(Error::Terms { what: "the size", reason: "zero" });
        }
        if let Some((what, _)) = amounts.into_iter().find(|(_, amount)| *amount > self.size) {
            return Err(Error::Terms { what, reason: "above the size" });
        }
        if self.spread.iter().any(|spread| *spread > 16_383) {
            return Err(Error::Terms { what: "the spread", reason: "above 16383" });
        }
        let [low, high] = self.dispersion;
        if low > high || high > 10_000 {
            return Err(Error::Terms { what: "the dispersion", reason: "not two ascending numbers up to 10000" });
        }
        Ok(())
    }
}

/// Terms that the other kind of order has.
fn refuse_unread(file: &TermsFile, standing: bool) -> Result<(), Error> {
    match (standing, file.cap, file.dispersion) {
        (false, Some(_), _) => Err(Error::NotRead { purpose: "a collateral order", what: "cap" }),
        (true, _, Some(_)) => Err(Error::NotRead { purpose: "a standing order", what: "dispersion" }),
        _ => Ok(()),
    }
}
