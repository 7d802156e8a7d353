//! Whose exchange a market may stand on.

use alloy::primitives::{Address, address};

use super::{Parts, SwapError, Venue};
use crate::Chain;

/// The chains on which Uniswap V3 has the addresses of [`UNISWAP`]: Ethereum, Optimism, Polygon, Arbitrum One.
const CHAINS: [u64; 4] = [1, 10, 137, 42161];

/// *Source*: deploys.md of Uniswap's v3-periphery (factory, `SwapRouter`) and the deployment pages of its documentation
/// (`QuoterV2`).
const UNISWAP: Exchange = Exchange {
    factory: address!("1F98431c8aD98523631AE4a59f267346ea31F984"),
    router: address!("E592427A0AEce92De3Edee1F18E0157C05861564"),
    quoter: address!("61fFE014bA17989E743c5F6cB21bF9697530B21e"),
};

/// The contracts of an exchange.
///
/// *Security*: the router takes what is sold, and the factory says which pool is real. Both come from this table or from the
/// operator, never from the market's file: contracts of one attacker vouch for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// `UniswapV3Factory`.
    pub factory: Address,
    /// `SwapRouter`.
    pub router: Address,
    /// `QuoterV2`.
    pub quoter: Address,
}

impl Exchange {
    /// Uniswap V3 on a chain, where its addresses are known here.
    #[must_use]
    pub fn known(chain_id: u64) -> Option<Self> {
        CHAINS.contains(&chain_id).then_some(UNISWAP)
    }

    /// The exchange that a market has to stand on; none where any will do.
    ///
    /// # Errors
    /// [`SwapError::Unknown`].
    pub(super) fn wanted(chain: &Chain, parts: Parts) -> Result<Option<Self>, SwapError> {
        let chain_id = chain.chain_id();
        match parts {
            Parts::Named(exchange) => Ok(Some(exchange)),
            Parts::Any if chain.is_development() => Ok(None),
            Parts::Any | Parts::Real => Self::known(chain_id).map(Some).ok_or(SwapError::Unknown { chain_id }),
        }
    }

    /// Whether a market names this exchange's router and quoter.
    pub(super) fn check(&self, venue: &Venue) -> Result<(), SwapError> {
        self.check_part("router", self.router, venue.router)?;
        self.check_part("quoter", self.quoter, venue.quoter)
    }

    pub(super) fn check_factory(&self, found: Address) -> Result<(), SwapError> {
        self.check_part("factory", self.factory, found)
    }

    fn check_part(&self, part: &'static str, expected: Address, found: Address) -> Result<(), SwapError> {
        if found == expected { Ok(()) } else { Err(SwapError::Exchange { part, expected, found }) }
    }
}
