//! Counterparty lists of a book.

use super::{draw::Draw, maker_name};

/// One order in this many has a list.
const RARITY: u64 = 10;
/// Requesters that lists name beside the one who asks.
const DESKS: u64 = 20;
/// Makers that the request refuses.
const REFUSED: u64 = 2;

/// The lists of all orders, empty for most, and that of the request.
#[derive(Debug)]
pub(super) struct Lists {
    pub(super) orders: Vec<String>,
    pub(super) request: String,
}

impl Lists {
    /// Given the maker of each order.
    pub(super) fn new(makers: &[usize], draw: &mut Draw) -> Self {
        let orders = makers.iter().map(|_| of_order(draw)).collect();
        let refused = (0..REFUSED).map(|_| {
            let place = usize::try_from(draw.below(makers.len() as u64)).unwrap_or(0);
            maker_name(makers.get(place).copied().unwrap_or(0))
        });
        Self { orders, request: format!("deny:{}", refused.collect::<Vec<_>>().join("+")) }
    }
}

/// Of ten orders nine admit everybody; of the lists one in four leaves out who asks.
fn of_order(draw: &mut Draw) -> String {
    if !draw.rarely(RARITY) {
        return String::new();
    }
    let (allow, leaves_out) = (draw.rarely(2), draw.rarely(4));
    let desks = 1 + draw.below(4);
    let asking = (allow != leaves_out).then(|| "reserve".to_owned());
    let desks = (0..desks).map(|_| format!("desk-{:02}", 1 + draw.below(DESKS)));
    let names: Vec<String> = asking.into_iter().chain(desks).collect();
    format!("{}:{}", if allow { "allow" } else { "deny" }, names.join("+"))
}
