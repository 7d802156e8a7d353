//! Order books to measure the clearing beside. They do another job: an order is sorted in when it comes, a sweep fills the
//! cheapest and earliest first and touches only what it fills, and its time tells how much that was.

use crate::clearing::Pool;

/// What the book is called.
const NAME: &str = "BTC/USD";

/// `lobster`: a tree of price levels over one arena, for one thread.
pub mod lobster {
    use super::Pool;
    use lobster::{OrderBook, OrderEvent, OrderType, Side};

    /// A book with every order of the pool resting.
    #[must_use]
    pub fn load(pool: &Pool) -> OrderBook {
        let mut book = OrderBook::new(pool.spreads.len() + 1, 256, false);
        for ((spread, qty), id) in pool.spreads.iter().zip(&pool.capacities).zip(0u128..) {
            book.execute(OrderType::Limit { id, side: Side::Ask, qty: *qty, price: u64::from(*spread) });
        }
        book
    }

    /// One market order; returns what it filled.
    pub fn sweep(book: &mut OrderBook, qty: u64) -> u64 {
        match book.execute(OrderType::Market { id: u128::MAX, side: Side::Bid, qty }) {
            OrderEvent::Filled { filled_qty, .. } | OrderEvent::PartiallyFilled { filled_qty, .. } => filled_qty,
            _ => 0,
        }
    }
}

/// `orderbook-rs`: price levels in a skip list, for many threads.
pub mod concurrent {
    use super::{NAME, Pool};
    use orderbook_rs::{Id, OrderBook, Side, TimeInForce};

    /// A book with every order of the pool resting.
    #[must_use]
    pub fn load(pool: &Pool) -> OrderBook<()> {
        let book = OrderBook::new(NAME);
        for ((spread, quantity), id) in pool.spreads.iter().zip(&pool.capacities).zip(1..) {
            let price = u128::from(*spread);
            book.add_limit_order(Id::from_u64(id), price, *quantity, Side::Sell, TimeInForce::Gtc, None).unwrap();
        }
        book
    }

    /// One market order; returns what it filled.
    pub fn sweep(book: &mut OrderBook<()>, quantity: u64) -> u64 {
        book.submit_market_order(Id::from_u64(u64::MAX), quantity, Side::Buy)
            .unwrap()
            .executed_quantity()
            .unwrap()
            .as_u64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clearing::Class;

    #[test]
    fn the_books_sweep_what_is_asked_for() {
        let pool = Pool::new(Class::Random, 500, 3);
        assert_eq!(lobster::sweep(&mut lobster::load(&pool), pool.size), pool.size);
        assert_eq!(concurrent::sweep(&mut concurrent::load(&pool), pool.size), pool.size);
    }
}
