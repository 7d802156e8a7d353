//! The rules of a pool: public, and the same for every request.

use crate::types::bounded;

/// How the lots of a request are shared out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Allocation {
    /// Rule A: cheaper orders in full, those at the margin in proportion to their capacity. The least premium.
    #[default]
    ProRata,
    /// Rule B: everybody the same, up to the own capacity. The smallest possible largest fill.
    ///
    /// Spreads decide who is admitted and nothing else: a dearer order is filled beside a cheaper one that is
    /// not full.
    EqualSplit,
}

/// Which spread a filled maker is paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Pricing {
    /// Its own.
    #[default]
    PayAsBid,
    /// The greatest spread that was filled, for everybody.
    ///
    /// *Security*: tells every filled maker the marginal spread, and with it how deep the request reached into
    /// the pool. Pay as bid tells a maker its own spread alone.
    Uniform,
}

bounded! {
    /// Drop-and-resolve solves per clearing.
    ///
    /// After each, orders filled below their minimum are dropped; a minimum that the last one violates fails
    /// the request. One solve is for pools that admit no minimums: it drops nothing, so a fill below a minimum
    /// fails the request at once.
    ///
    /// *Units*: solves, 1 to 4.
    Solves(u8), "solves", 1, 4
}

impl Default for Solves {
    fn default() -> Self {
        Self::MAX
    }
}

/// What a pool clears by. The default is rule A, pay as bid, four solves.
///
/// *Security*: public and fixed with the market. A choice per request would be seen in the steps, or would have
/// every rule run for every request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rules {
    /// How lots are shared out.
    pub allocation: Allocation,
    /// Which spread is paid.
    pub pricing: Pricing,
    /// How often orders below their minimum are dropped.
    pub solves: Solves,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Market, OutOfRange};

    #[test]
    fn a_market_clears_by_the_default_until_told_otherwise() {
        let market = Market::new(1).unwrap();
        assert_eq!(market.rules(), Rules::default());
        let rules = Rules { allocation: Allocation::EqualSplit, pricing: Pricing::Uniform, solves: Solves::MIN };
        assert_eq!(market.with_rules(rules).rules(), rules);
        assert_eq!(market.with_rules(rules).lot(), 1);
    }

    #[test]
    fn one_to_four_solves() {
        assert_eq!(Solves::default().get(), 4);
        assert_eq!(Solves::new(1).map(Solves::get), Ok(1));
        for found in [0, 5, 255] {
            let expected = OutOfRange { unit: "solves", least: 1, greatest: 4, found: u128::from(found) };
            assert_eq!(Solves::new(found), Err(expected));
        }
    }
}
