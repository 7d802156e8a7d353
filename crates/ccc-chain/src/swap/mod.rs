//! The direct route: a swap on Uniswap V3 whose proceeds go straight to the reserve.
//!
//! It is public: everybody sees size and price before the reserve has them, and a large swap moves the price against
//! itself. That is what the dark route is for; `docs/benchmarks.md` has the cost of both.
//!
//! A [`Market`] is a pool with its router and quoter, each checked on the chain. It gives a [`Quote`] and a [`Twap`],
//! both become a [`SwapOrder`] under [`Limits`], and [`Market::send`] asks again before it sends: for the price, the
//! deadline, the recipient, and by simulation.
//!
//! [`place`] puts a market on a chain for trying things out: Uniswap's published contracts, or the simulated exchange
//! with the same interfaces, which is refused elsewhere.

mod error;
mod known;
mod market;
mod order;
pub mod place;
mod send;
mod tick;

pub use error::{Found, SwapError};
pub use known::Exchange;
pub use market::{LEAST_WINDOW, Market, Pair, Parts, Quote, Token, Twap, Venue};
pub use order::{Limits, MOST_AGE, MOST_BASIS_POINTS, MOST_DEADLINE, SwapOrder};
pub use send::{Rehearsal, Swapped};
pub use tick::MOST_TICK;
