//! What users of the public types rely on beside their methods.

#![allow(missing_docs, reason = "a test crate exports nothing")]

use darkpool_matcher::{
    Allocation, Batch, ClearError, CounterpartyList, Fill, Market, Observation, OutOfRange, Outcome, PriceRefusal,
    PriceRules,
};
use darkpool_matcher::{Pricing, Request, Rules, Solves, StandingOrder, Twap, Workspace};

/// May be sent to other threads, shared with them, and moved.
macro_rules! everywhere {
    ($($type:ty),* $(,)?) => { $( const _: () = { const fn held<T: Send + Sync + Unpin>() {} held::<$type>() }; )* };
}

/// An error that a program may put in a box and send to another thread.
macro_rules! errors {
    ($($type:ty),* $(,)?) => {
        $( const _: () = { const fn held<T: core::error::Error + Send + Sync + 'static>() {} held::<$type>() }; )*
    };
}

everywhere! {
    Allocation, Batch<'static>, CounterpartyList, Fill, Market, Observation, Outcome, PriceRules, Pricing, Request, Rules,
    Solves, StandingOrder, Twap, Workspace<'static>,
}

errors! { ClearError, OutOfRange, PriceRefusal }
