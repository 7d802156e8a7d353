//! Cancellation: an account takes back its standing order.
//!
//! It ends the order after the round in which it is new. In that round the order is cleared as if it stood. Which round
//! that is the chain decides: none reads a cancellation before the requests that it came after have ended
//! (`docs/spec/enclave.md`, *Intake plan*), so nobody takes an order out of a request that it has seen. Afterwards the
//! order stays out as long as the cancellation is live, and nothing is reserved for it.
//!
//! *Timing*: every new submission is compared with every seat and with every new one before it, whatever it says.

use crate::{book::Book, config::EnclaveConfig, instruction::StandingOrderTerms, planned::Planned, seats::Seats};
use ccc_core::table::{AccountId, AssetId, BoundaryOperation, RoundRows};

/// The address of no key that anybody found.
const NO_SIGNER: [u8; 20] = [0xff; 20];

/// An order that its account took back.
#[derive(Clone, Copy)]
pub(crate) struct Cancelled {
    pub(crate) account: [u8; 20],
    pub(crate) order: [u8; 32],
}

impl Cancelled {
    /// In place of none: nobody signs for this account.
    const NONE: Self = Self { account: NO_SIGNER, order: [0; 32] };

    /// The reservation of the account's order ends.
    pub(crate) fn release(&self, config: &EnclaveConfig) -> BoundaryOperation {
        BoundaryOperation::Reserve { account: AccountId(self.account), asset: AssetId(config.base), lots: 0 }
    }
}

/// An order of a round, new or live: whose it is and its ciphertext.
#[derive(Clone, Copy)]
struct Order {
    account: [u8; 20],
    digest: [u8; 32],
    is_new: bool,
}

impl Order {
    /// In place of none.
    const NONE: Self = Self { account: NO_SIGNER, digest: [0; 32], is_new: false };
}

/// Refuses the cancellations of a round that name another order than the account's last before them, or one that is
/// filled: they reserve more than any row holds, which the table refuses with `Insufficient`, as it does an order's
/// reservation.
pub(crate) fn refuse(config: &EnclaveConfig, planned: &mut [Planned], seats: &Seats, rows: &RoundRows) {
    let accounts: Vec<_> = planned.iter().map(|planned| (planned.operation.account(), AssetId(config.base))).collect();
    let reserved = rows.find_many(&accounts).into_iter().map(|row| row.map_or(0, |row| row.reserved));
    let mut orders = seats.orders();
    for (planned, reserved) in planned.iter_mut().zip(reserved) {
        let refused = planned.takes_back_nothing(&orders, reserved);
        if let BoundaryOperation::Reserve { lots, .. } = &mut planned.operation {
            *lots |= 0u64.wrapping_sub(u64::from(refused));
        }
        orders.push(planned.order().unwrap_or(Order::NONE));
    }
}

impl Seats {
    /// The standing orders of the seats, one for each, also where none sits.
    fn orders(&self) -> Vec<Order> {
        let taken = self.terms.iter().zip(&self.digests).map(|(terms, digest)| terms.as_ref().zip(*digest));
        let order = |(terms, digest): (&StandingOrderTerms, _)| Order { account: terms.account, digest, is_new: false };
        taken.map(|taken| taken.map_or(Order::NONE, order)).collect()
    }
}

impl Planned {
    /// The new submission as an order, if it is an account's.
    fn order(&self) -> Option<Order> {
        let submitted = self.submitted.filter(|submitted| submitted.cancels.is_none())?;
        let BoundaryOperation::Reserve { account: AccountId(account), .. } = self.operation else { return None };
        Some(Order { account, digest: submitted.digest, is_new: true }).filter(|_| submitted.signer == Some(account))
    }

    /// Whether it is a cancellation whose order is not the account's last, or one of before of which nothing is left.
    fn takes_back_nothing(&self, orders: &[Order], reserved: u64) -> bool {
        let cancels = self.submitted.and_then(|submitted| submitted.cancels);
        let (account, named) = (self.operation.account().0, cancels.unwrap_or_default());
        let stands = orders.iter().fold(false, |stands, order| {
            let (own, left) = (order.account == account, order.is_new | (reserved != 0));
            (own & (order.digest == named) & left) | (!own & stands)
        });
        cancels.is_some() & !stands
    }
}

impl Book {
    /// An order stays out while a cancellation behind it is live. Every pair is compared.
    pub(crate) fn retire_cancelled(&mut self, seats: &Seats) {
        for (slot, digest) in seats.digests.iter().enumerate() {
            let account = self.accounts[slot];
            let names = |cancelled: &Cancelled| (cancelled.account == account) & (Some(cancelled.order) == *digest);
            let later = seats.cancelled[slot + 1..].iter().map(|later| later.unwrap_or(Cancelled::NONE));
            self.orders[slot].frozen |= later.fold(false, |found, cancelled| found | names(&cancelled));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is compared does not depend on what sits there.
    #[test]
    fn every_seat_and_every_new_submission_is_an_order_to_compare_with() {
        let seats =
            Seats { terms: vec![None, None, None], cancelled: vec![None; 3], digests: vec![None, Some([1; 32]), None] };
        let orders = seats.orders();
        assert_eq!(orders.len(), 3);
        assert!(orders.iter().all(|order| order.account == NO_SIGNER && order.digest == [0; 32]));
    }

    /// Not even where account and digest are those of an empty seat.
    #[test]
    fn a_seat_without_a_cancellation_takes_no_order_out() {
        let digests = vec![Some([0; 32]), None];
        let mut seats = Seats { terms: vec![None, None], cancelled: vec![None, None], digests };
        let mut book = Book::padded(2);
        book.orders[0].frozen = false;
        book.retire_cancelled(&seats);
        assert!(!book.orders[0].frozen);
        seats.cancelled[1] = Some(Cancelled { account: book.accounts[0], order: [0; 32] });
        book.retire_cancelled(&seats);
        assert!(book.orders[0].frozen, "a cancellation behind it does");
    }
}
