//! A maker's firm and funded offer.

use crate::kernel::columns::Slot;
use crate::kernel::mask::{self, Mask, at_most, below, hide_all, lesser_hidden};
use crate::request::Terms;
use crate::types::{Lots, OwnerId, Spread, TierMask, UnixSeconds};

/// A maker's firm offer, as opened inside the enclave.
///
/// Sizes and caps are rounded down to lots at the boundary, the minimum up
/// ([`Lots::floor`], [`Lots::ceil`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandingOrder {
    /// The maker's account.
    pub owner: OwnerId,
    /// What the maker asks above the reference price.
    pub spread: Spread,
    /// The size offered.
    pub size: Lots,
    /// What the row of the balance table holds in reserve for this order.
    pub balance: Lots,
    /// The most that one request may take.
    pub cap: Lots,
    /// The minimum interaction: a fill is zero or at least this.
    pub minimum: Lots,
    /// The last second at which the order may be filled.
    pub expiry: UnixSeconds,
    /// The tiers admitted.
    pub tiers: TierMask,
    /// The row is frozen or withdrawing.
    pub frozen: bool,
}

impl StandingOrder {
    /// A slot without an order: frozen, of nobody, and nothing in it.
    pub const EMPTY: Self = Self {
        owner: OwnerId([0; 20]),
        spread: Spread::MIN,
        size: Lots::ZERO,
        balance: Lots::ZERO,
        cap: Lots::ZERO,
        minimum: Lots::ZERO,
        expiry: UnixSeconds(0),
        tiers: TierMask(0),
        frozen: true,
    };

    /// The effective capacity for one request, in lots.
    ///
    /// [not expired] · [owner differs] · [tier admitted] · [not frozen] · [spread ≤ S] · min(size, balance, cap, D),
    /// and zero if that is below the minimum. *Timing*: constant.
    fn capacity(&self, terms: &Terms) -> u64 {
        let bounds = [self.balance.get(), self.cap.get(), terms.limit];
        let limited = bounds.into_iter().fold(self.size.get(), lesser_hidden);
        limited & self.admitted(terms, limited)
    }

    /// What the columns hold of it for one request.
    pub(crate) fn row(&self, terms: &Terms) -> Slot {
        Slot { spread: self.spread.get(), capacity: self.capacity(terms), minimum: self.minimum.get() }
    }

    /// All ones if it takes part with this much.
    fn admitted(&self, terms: &Terms, limited: u64) -> Mask {
        let conditions = [
            at_most(terms.deadline, self.expiry.0),
            self.owner.differs(&terms.owner),
            self.tiers.meets(terms.tiers),
            at_most(u64::from(self.spread.get()), terms.spread),
            !mask::from_flag(self.frozen),
            !below(limited, self.minimum.get()),
        ];
        hide_all(conditions).into_iter().fold(Mask::MAX, |all, condition| all & condition)
    }
}
