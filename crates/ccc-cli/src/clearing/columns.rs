//! The columns of a file of orders, and how a line of texts becomes an order.

use super::{
    Entry,
    cell::{self, OrderId},
    error::{OrdersError, Wrong},
};
use darkpool_matcher::{BaseUnits, CounterpartyList, Lots, Market, StandingOrder, TierMask, UnixSeconds};

/// What a file of orders says about each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Id,
    Owner,
    Spread,
    Size,
    Balance,
    Cap,
    Minimum,
    Expiry,
    Tiers,
    Frozen,
    Counterparties,
}

/// The longest text of a member and of most cells.
pub(super) const MAX_TEXT: usize = 64;

/// How many columns there are.
pub(super) const COLUMNS: usize = 11;

impl Column {
    pub(super) const ALL: [Self; COLUMNS] = [
        Self::Id,
        Self::Owner,
        Self::Spread,
        Self::Size,
        Self::Balance,
        Self::Cap,
        Self::Minimum,
        Self::Expiry,
        Self::Tiers,
        Self::Frozen,
        Self::Counterparties,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Owner => "owner",
            Self::Spread => "spread",
            Self::Size => "size",
            Self::Balance => "balance",
            Self::Cap => "cap",
            Self::Minimum => "minimum",
            Self::Expiry => "expiry",
            Self::Tiers => "tiers",
            Self::Frozen => "frozen",
            Self::Counterparties => "counterparties",
        }
    }

    /// Whether a file without it is refused.
    pub(super) fn required(self) -> bool {
        matches!(self, Self::Id | Self::Owner | Self::Spread | Self::Size)
    }

    /// The longest text that one of its cells may have in JSON, in bytes.
    pub(super) fn longest(self) -> usize {
        match self {
            Self::Counterparties => cell::LIST_LEN,
            _ => MAX_TEXT,
        }
    }

    pub(super) fn of(name: &str, order: usize) -> Result<Self, OrdersError> {
        let column = Self::ALL.into_iter().find(|column| column.name() == name);
        column.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            OrdersError::UnknownColumn { order, wrong: Wrong::new(format!("one of {names}"), name) }
        })
    }
}

/// The cells of one order by column; an empty one has the column's default.
pub(super) struct Cells<'a> {
    pub(super) order: usize,
    pub(super) texts: [&'a str; COLUMNS],
}

impl Cells<'_> {
    /// The order, in lots of the market.
    pub(super) fn entry(&self, market: &Market) -> Result<Entry, OrdersError> {
        let id = self.required(Column::Id, OrderId::parse)?;
        let owner = self.required(Column::Owner, cell::owner)?;
        let spread = self.required(Column::Spread, cell::spread)?;
        let size = self.required(Column::Size, |text| cell::amount(text, 1))?;
        let balance = self.amount_or(Column::Balance, size)?;
        let cap = self.amount_or(Column::Cap, BaseUnits::MAX)?;
        let minimum = self.amount_or(Column::Minimum, BaseUnits::MIN)?;
        let expiry = self.or(Column::Expiry, u64::MAX, |text| cell::whole(text, 0, u64::MAX))?;
        let order = StandingOrder {
            owner,
            spread,
            size: Lots::floor(size, market),
            balance: Lots::floor(balance, market),
            cap: Lots::floor(cap, market),
            minimum: Lots::ceil(minimum, market),
            expiry: UnixSeconds(expiry),
            tiers: self.or(Column::Tiers, TierMask::ALL, cell::tiers)?,
            frozen: self.or(Column::Frozen, false, cell::flag)?,
        };
        let list = self.or(Column::Counterparties, CounterpartyList::EMPTY, cell::counterparties)?;
        Ok(Entry { id, order, list })
    }

    fn text(&self, column: Column) -> &str {
        self.texts.get(column as usize).copied().unwrap_or_default()
    }

    fn required<T>(&self, column: Column, parse: impl Fn(&str) -> Result<T, Wrong>) -> Result<T, OrdersError> {
        let wrong = |wrong| OrdersError::Value { order: self.order, column: column.name(), wrong };
        parse(self.text(column)).map_err(wrong)
    }

    fn or<T>(&self, column: Column, default: T, parse: impl Fn(&str) -> Result<T, Wrong>) -> Result<T, OrdersError> {
        if self.text(column).is_empty() { Ok(default) } else { self.required(column, parse) }
    }

    fn amount_or(&self, column: Column, default: BaseUnits) -> Result<BaseUnits, OrdersError> {
        self.or(column, default, |text| cell::amount(text, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_lie_at_their_place() {
        for (place, column) in Column::ALL.into_iter().enumerate() {
            assert_eq!((column as usize, Column::of(column.name(), 0)), (place, Ok(column)));
        }
    }

    #[test]
    fn sizes_round_down_to_lots_and_minimums_up() {
        let market = Market::new(100).expect("a market");
        let texts = ["a", "m", "25", "999", "1050", "", "101", "", "", "", ""];
        let entry = Cells { order: 1, texts }.entry(&market).expect("an order");
        let lots = |lots| Lots::new(lots).expect("lots");
        assert_eq!((entry.order.size, entry.order.balance, entry.order.minimum), (lots(9), lots(10), lots(2)));
        assert_eq!(entry.order.cap, Lots::floor(BaseUnits::MAX, &market));
        assert_eq!((entry.order.expiry, entry.order.frozen), (UnixSeconds(u64::MAX), false));
    }
}
