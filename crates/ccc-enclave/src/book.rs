//! The standing orders of a round as the matcher sees them: padded to a public number, in a public order.

use crate::{clearing::market, config::EnclaveConfig, instruction::StandingOrderTerms, planned::Planned};
use ccc_core::{
    suite::{self, domain},
    table::{BoundaryOperation, Row},
};
use darkpool_matcher::{BaseUnits, Lots, OwnerId, Spread, StandingOrder, TierMask, UnixSeconds};

/// The standing orders of a round, padded to its public number of slots.
pub(crate) struct Book {
    pub(crate) accounts: Vec<[u8; 20]>,
    pub(crate) orders: Vec<StandingOrder>,
}

impl Book {
    pub(crate) fn padded(slots: usize) -> Self {
        Self { accounts: vec![[0; 20]; slots], orders: vec![StandingOrder::EMPTY; slots] }
    }

    /// One live order per account: of several, the one submitted last. Every pair is compared.
    pub(crate) fn retire_superseded(&mut self) {
        for slot in 0..self.orders.len() {
            let later = self.accounts[slot + 1..].iter();
            let superseded = later.fold(false, |found, account| found | (*account == self.accounts[slot]));
            self.orders[slot].frozen |= superseded;
        }
    }

    /// Freezes of this round come before its deltas, and a delta on a frozen row would refuse the fills of all: an
    /// account whose row is being frozen does not take part. Every operation is compared with every slot.
    pub(crate) fn retire_frozen(&mut self, config: &EnclaveConfig, planned: &[Planned]) {
        for (order, account) in self.orders.iter_mut().zip(&self.accounts) {
            let freezes = |planned: &Planned| planned.freezes(config, account);
            order.frozen |= planned.iter().fold(false, |found, planned| found | freezes(planned));
        }
    }
}

impl Planned {
    fn freezes(&self, config: &EnclaveConfig, account: &[u8; 20]) -> bool {
        let frozen = matches!(self.operation, BoundaryOperation::Freeze { frozen: true, .. });
        let asset = self.operation.asset();
        let settles = (asset.0 == config.base) | (asset.0 == config.quote);
        frozen & settles & (self.operation.account().0 == *account)
    }
}

/// An order as the matcher sees it. Without a row that may be credited with what is paid, it does not take part.
pub(crate) fn standing_order(
    config: &EnclaveConfig,
    terms: &StandingOrderTerms,
    row: &Row,
    quote: Option<&Row>,
) -> Option<StandingOrder> {
    let market = market(config).ok()?;
    let lots = |amount: u64| BaseUnits::new(amount).ok().map(|amount| Lots::floor(amount, &market));
    Some(StandingOrder {
        owner: OwnerId(terms.account),
        spread: Spread::new(terms.spread).ok()?,
        size: lots(terms.size)?,
        balance: Lots::new(row.reserved).ok()?,
        cap: lots(terms.cap)?,
        minimum: Lots::ceil(BaseUnits::new(terms.minimum).ok()?, &market),
        expiry: UnixSeconds(terms.expiry),
        tiers: TierMask(terms.tiers),
        frozen: row.flags.refuses() | quote.is_none_or(|quote| quote.flags.refuses()),
    })
}

/// Slots ascending by digest32 H("order"; epoch salt, u64 epoch, order digest); empty slots come last.
pub(crate) fn canonical_order(
    salt: [u8; 16],
    epoch: u64,
    digests: impl Iterator<Item = Option<[u8; 32]>>,
    slots: usize,
) -> Vec<u32> {
    let keyed = digests.map(|digest| match digest {
        Some(digest) => suite::digest32(domain::ORDER, &[&salt, &epoch.to_be_bytes(), &digest]),
        None => [0xff; 32],
    });
    let mut order: Vec<([u8; 32], u32)> = keyed.chain(std::iter::repeat([0xff; 32])).take(slots).zip(0..).collect();
    order.sort_unstable();
    order.into_iter().map(|(_, slot)| slot).collect()
}
