//! Clearing of one large request against private standing orders.
//!
//! There is no book, no sort and no tree. Every pass reads all slots from the first to the last, so
//! the addresses and the number of steps depend on the number of slots and on nothing else.
//!
//! - [`StandingOrder`] and [`Request`] are what is cleared;
//! - [`twap`] turns the observations of a price feed into a [`Twap`], or refuses with a reason;
//! - [`Market`] holds the [`Rules`]: rule A or B, pay as bid or one price;
//! - [`clear`] is the meaning, in numbered steps; [`Kernel`] names the speed: plain Rust, for AVX2 as well, or AVX-512 where there is it;
//! - [`clear_batch`] clears several requests in turn, with [`CounterpartyList`]s;
//! - [`reference`](mod@reference) is the slow twin: a sort and exact division.
//!
//! The rules, the formulas and their bounds are in `docs/spec/clearing.md`.
//!
//! *Security*: integers only; in a clearing no division instruction and no branch on an amount, spread, owner
//! or tier. The canonical permutation is visible through the addresses of the first and the last pass;
//! it holds no amount. Branch-freeness is a property of the compiled code, which the source makes
//! likely and cannot promise.
#![no_std]
#![deny(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod allocation;
mod batch;
mod clear;
mod counterparties;
mod error;
mod kernel;
mod market;
mod outcome;
mod price;
#[cfg(feature = "alloc")]
pub mod reference;
mod request;
mod rules;
mod standing_order;
mod types;

#[cfg(feature = "alloc")]
pub use batch::clear_batch;
pub use batch::{Batch, clear_batch_in};
#[cfg(feature = "alloc")]
pub use clear::clear;
pub use clear::{Workspace, clear_in};
pub use counterparties::CounterpartyList;
pub use error::{ClearError, OutOfRange};
pub use kernel::Kernel;
pub use market::{BASE_UNITS_PER_COIN, Market};
pub use outcome::{Fill, Outcome, Reason};
pub use price::{Observation, PriceRefusal, PriceRules, Twap, twap};
pub use request::{Request, SpreadSchedule, SuccessRule, dispersion_limit};
pub use rules::{Allocation, Pricing, Rules, Solves};
pub use standing_order::StandingOrder;
pub use types::{BaseUnits, BasisPoints, Lots, MicroDollars, Notional, OwnerId, Spread, TierMask, UnixSeconds};

/// The README's example is compiled.
#[cfg(all(doctest, feature = "alloc"))]
#[doc = include_str!("../README.md")]
struct Readme;
