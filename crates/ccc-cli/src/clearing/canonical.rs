//! The canonical order and the dispersion draw, by the formulas of the enclave (`docs/spec/encodings.md`). Where the
//! enclave has the digest of a ciphertext, or the identifier of a request, this has the digest of a name.

use super::{Book, error::OrdersError};
use ccc_core::suite::{self, domain};

/// What a run draws from when its file gives no salt or no seed of a request.
pub(super) fn derived(what: &str, seed: u64) -> [u8; 32] {
    suite::digest32(domain::DIGEST, &[b"ccc clear", what.as_bytes(), &seed.to_be_bytes()])
}

/// digest32 H("order"; salt, u64 epoch, digest of the name).
pub(super) fn key(salt: &[u8; 16], epoch: u64, name: &[u8]) -> [u8; 32] {
    suite::digest32(domain::ORDER, &[salt, &epoch.to_be_bytes(), &suite::digest(name)])
}

/// Slots ascending by [`key`]; empty slots come last.
///
/// # Errors
/// [`OrdersError::Duplicate`]: the key of a name that is given twice appears twice.
pub(super) fn order(salt: &[u8; 16], epoch: u64, book: &Book) -> Result<Vec<u32>, OrdersError> {
    let keys = book.ids.iter().map(|id| key(salt, epoch, id.as_bytes()));
    let mut keyed: Vec<([u8; 32], u32)> = keys.zip(0..).collect();
    keyed.sort_unstable();
    let pairs = keyed.iter().zip(keyed.iter().skip(1));
    let twice = pairs.filter(|((before, _), (after, _))| before == after);
    if let Some((first, again)) = twice.map(|(first, again)| (first.1, again.1)).min_by_key(|&(_, again)| again) {
        return Err(duplicate(book, first as usize, again as usize));
    }
    let empty = (0..).take(book.orders.len()).skip(book.len());
    Ok(keyed.into_iter().map(|(_, slot)| slot).chain(empty).collect())
}

fn duplicate(book: &Book, first: usize, again: usize) -> OrdersError {
    let id = book.ids.get(again).map(|id| id.text()).unwrap_or_default();
    OrdersError::Duplicate { order: again + 1, first: first + 1, id }
}

/// u = the first 8 bytes of H("dispersion"; digest of the request's name, seed).
pub(super) fn draw(name: &[u8], seed: &[u8; 32]) -> u64 {
    let wide = suite::hash(domain::DISPERSION, &[&suite::digest(name), seed]);
    wide.iter().take(8).fold(0, |number, &byte| number << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clearing::{Entry, cell::OrderId};
    use darkpool_matcher::{CounterpartyList, StandingOrder};

    fn book(names: &[&str]) -> Book {
        let mut book = Book::new(8);
        for name in names {
            let entry = Entry {
                id: OrderId::parse(name).expect("a name"),
                order: StandingOrder::EMPTY,
                list: CounterpartyList::EMPTY,
            };
            book.add(&entry).expect("a slot");
        }
        book
    }

    #[test]
    fn the_order_follows_from_salt_epoch_and_name_alone() {
        let (one, two) = (book(&["a", "b", "c", "d"]), book(&["d", "c", "b", "a"]));
        let names = |book: &Book, epoch| -> Vec<String> {
            let slots = order(&[7; 16], epoch, book).expect("an order");
            slots.into_iter().map(|slot| book.ids[slot as usize].text()).collect()
        };
        assert_eq!(names(&one, 3), names(&two, 3));
        assert!((0..9).any(|epoch| names(&one, epoch) != names(&one, 3)));
    }

    #[test]
    fn empty_slots_come_last() {
        let mut book = book(&["a", "b", "c"]);
        book.pad();
        assert_eq!(order(&[7; 16], 0, &book).expect("an order").split_off(3), [3, 4, 5, 6, 7]);
    }

    #[test]
    fn the_first_name_that_comes_again_is_told() {
        let error = order(&[0; 16], 0, &book(&["a", "b", "c", "b", "a", "b"]));
        assert_eq!(error, Err(OrdersError::Duplicate { order: 4, first: 2, id: "b".into() }));
    }
}
