//! Books that look like real ones, and a request for each: the same seed gives the same bytes on every machine.
//!
//! Integers only. The stream is ChaCha8 under a digest of the seed. The depth is 36 500 coins whatever the number of
//! orders, most of it near the reference price and all of it within 50 basis points; sizes spread over about twelve
//! octaves as those of a log-normal law do.

mod draw;
mod lists;
mod shape;

use super::{
    canonical,
    cell::{ID_LEN, owner_text},
};
use darkpool_matcher::{BASE_UNITS_PER_COIN, OwnerId};
use draw::Draw;
use lists::Lists;
pub(crate) use shape::Shape;
use std::{collections::BTreeSet, fmt::Write as _};

/// Base units per lot: a ten-thousandth of a coin.
const LOT: u64 = 10_000;
/// What all orders of a book offer together, in lots.
const DEPTH: u64 = 36_500 * (BASE_UNITS_PER_COIN / LOT);
/// When the request is cleared.
const DEADLINE: u64 = 1_800_000_000;
/// An average over this long, and an order's life after the deadline.
const HOUR: u64 = 3_600;
/// Observations of the price inside the hour.
const OBSERVATIONS: u64 = 12;
/// Micro-dollars per coin at which the hour begins.
const PRICE: u64 = 60_000_000_000;
/// The most by which the price moves between two observations.
const MOVE: u64 = 20_000_000;
/// Below this many orders, one may fill any part of the request.
const FEW: usize = 50;

/// A generated order, in lots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Made {
    maker: usize,
    spread: u64,
    size: u64,
    balance: u64,
    cap: Option<u64>,
    minimum: u64,
    expiry: u64,
    frozen: bool,
}

/// A generated book.
#[derive(Debug)]
pub(crate) struct Generated {
    orders: Vec<Made>,
    observations: Vec<u64>,
    lists: Option<Lists>,
}

/// What a generated book holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) orders: usize,
    pub(crate) makers: usize,
    /// Base units.
    pub(crate) depth: u64,
    /// Base units.
    pub(crate) largest: u64,
    /// Base units; a quarter of the depth.
    pub(crate) request: u64,
}

impl Generated {
    /// A book of so many orders.
    pub(crate) fn new(number: usize, seed: u64, shape: Shape) -> Self {
        let mut draw = Draw::new(canonical::derived("generate", seed));
        let sizes = sizes(&shape.weights(number, &mut draw));
        let makers = shape.makers(number);
        let orders = sizes.into_iter().enumerate();
        let orders = orders.map(|(place, size)| shape.order(place, number, makers, size, &mut draw)).collect();
        let mut price = PRICE;
        let observations = (0..=OBSERVATIONS).map(|_| {
            price = price.saturating_sub(MOVE).saturating_add(draw.below(2 * MOVE + 1));
            price
        });
        Self { orders, observations: observations.collect(), lists: None }
    }

    /// The same orders with counterparty lists, drawn from a stream of their own.
    pub(crate) fn with_lists(self, seed: u64) -> Self {
        let mut draw = Draw::new(canonical::derived("generate lists", seed));
        let makers: Vec<usize> = self.orders.iter().map(|order| order.maker).collect();
        Self { lists: Some(Lists::new(&makers, &mut draw)), ..self }
    }

    pub(crate) fn contents(&self) -> Contents {
        let depth: u64 = self.orders.iter().map(|order| order.size).sum();
        let largest = self.orders.iter().map(|order| order.size).max().unwrap_or(0);
        let makers: BTreeSet<usize> = self.orders.iter().map(|order| order.maker).collect();
        Contents {
            orders: self.orders.len(),
            makers: makers.len(),
            depth: depth * LOT,
            largest: largest * LOT,
            request: depth.div_ceil(4) * LOT,
        }
    }

    /// The orders as CSV.
    pub(crate) fn csv(&self) -> Vec<u8> {
        let mut text = String::from("id,owner,spread,size,balance,cap,minimum,expiry,tiers,frozen");
        text.push_str(if self.lists.is_some() { ",counterparties\n" } else { "\n" });
        text.reserve(self.orders.len().saturating_mul(3 * ID_LEN));
        for (order, place) in self.orders.iter().zip(1..) {
            let cap = order.cap.map_or(String::new(), |cap| (cap * LOT).to_string());
            let Made { maker, spread, expiry, frozen, .. } = *order;
            let (size, balance, minimum) = (order.size * LOT, order.balance * LOT, order.minimum * LOT);
            let (owner, list) = (maker_name(maker), self.list(place - 1));
            let _infallible = writeln!(
                text,
                "o{place:07},{owner},{spread},{size},{balance},{cap},{minimum},{expiry},all,{frozen}{list}"
            );
        }
        text.into_bytes()
    }

    /// The last cell of an order's line and the comma before it, if there are lists.
    fn list(&self, place: usize) -> String {
        let cell = |lists: &Lists| format!(",{}", lists.orders.get(place).map_or("", String::as_str));
        self.lists.as_ref().map(cell).unwrap_or_default()
    }

    /// A request for a quarter of the depth, with an hour of prices.
    pub(crate) fn request(&self) -> Vec<u8> {
        let owner = owner_text(&OwnerId(*b"reserve\0\0\0\0\0\0\0\0\0\0\0\0\0"));
        let mut text = format!("# base units per lot; 10^8 base units are a coin\nlot = {LOT}\n\n");
        let bounds = format!("window = {HOUR}\nmax_gap = 600\nmax_stale = 600\ncollar = 200\nminimum_observations = 2");
        text.push_str(&format!("# seconds and basis points\n[price]\n{bounds}\nobservations = [\n"));
        for (price, place) in self.observations.iter().zip(0..) {
            let at = DEADLINE - HOUR + place * (HOUR / OBSERVATIONS);
            let _infallible = writeln!(text, "  {{ round = {}, micro_dollars = {price}, at = {at} }},", place + 1);
        }
        text.push_str(
            "]\n\n# size in base units, spread in 1/100 basis point, dispersion in basis points of the size\n",
        );
        text.push_str(&format!("[[request]]\nname = \"{owner}\"\nowner = \"{owner}\"\n"));
        text.push_str(&format!("size = {}\nspread = [1000, 5000]\n", self.contents().request));
        text.push_str(&format!("times = [{}, {DEADLINE}]\ndeadline = {DEADLINE}\n", DEADLINE - HOUR));
        if self.orders.len() >= FEW {
            text.push_str("dispersion = [1500, 2500]\n");
        }
        if let Some(Lists { request, .. }) = &self.lists {
            text.push_str(&format!("counterparties = \"{request}\"\n"));
        }
        text.into_bytes()
    }
}

/// The account of a maker, which counts from zero.
fn maker_name(maker: usize) -> String {
    format!("maker-{:05}", maker + 1)
}

/// The depth in proportion to the weights, at least one lot each.
fn sizes(weights: &[u64]) -> Vec<u64> {
    let total = weights.iter().map(|&weight| u128::from(weight)).sum::<u128>().max(1);
    let size = |weight: u64| u64::try_from(u128::from(weight) * u128::from(DEPTH) / total).unwrap_or(DEPTH).max(1);
    weights.iter().map(|&weight| size(weight)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ccc_core::suite;

    /// The first bytes of the digests of a book and its request.
    fn digests(number: usize, seed: u64, shape: Shape) -> [String; 2] {
        let book = Generated::new(number, seed, shape);
        [book.csv(), book.request()].map(|bytes| hex::encode(&suite::digest(&bytes)[..8]))
    }

    #[test]
    fn the_same_seed_gives_these_bytes_everywhere() {
        let shapes = [Shape::Institutional, Shape::Crowd, Shape::Ties, Shape::Ladder, Shape::Whale];
        let expected = [
            ["629e419d8c8c4774", "5e7faa195a5b92a2"],
            ["7b01585800eafd5f", "cfd329a834085b6f"],
            ["0f95593166052fc7", "d407a3a438e50b8a"],
            ["5fa6e19366d191cf", "268e684d07be5914"],
            ["3bc4597060533c89", "25c6087f40cf2a44"],
        ];
        assert_eq!(shapes.map(|shape| digests(64, 7, shape)), expected);
    }

    #[test]
    fn the_largest_order_is_what_its_shape_says() {
        for (shape, percent) in [(Shape::Institutional, 20), (Shape::Whale, 60)] {
            for number in [10, 1_000, 20_000] {
                let contents = Generated::new(number, 3, shape).contents();
                let found = (contents.largest * 1_000 / contents.depth).div_ceil(10);
                assert_eq!((found, contents.orders), (percent, number));
            }
        }
    }

    #[test]
    fn every_number_of_orders_has_a_book() {
        for shape in [Shape::Institutional, Shape::Crowd, Shape::Ties, Shape::Ladder, Shape::Whale] {
            for number in [1, 2, 3, 10] {
                let book = Generated::new(number, 1, shape);
                assert_eq!(book.csv().iter().filter(|&&byte| byte == b'\n').count(), number + 1);
                assert!(book.orders.iter().all(|order| order.size > 0 && order.spread <= 5_000));
            }
        }
    }
}
