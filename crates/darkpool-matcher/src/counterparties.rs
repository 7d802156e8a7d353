//! With whom an owner trades, by name.

use crate::error::OutOfRange;
use crate::kernel::mask::{Mask, below, from_flag, hide, nonzero, select};
use crate::types::OwnerId;

/// Counterparties that one owner admits or refuses. The empty list admits all, of either kind.
///
/// *Layout*: 8 names, the number of them in use, and the kind. Every list has the same size: a length chosen per
/// list would show in the steps, and one chosen per pool would be a further public number about its makers. Who
/// has to name more than eight uses tiers ([`TierMask`](crate::TierMask)).
///
/// *Timing*: [`clear_batch_in`](crate::clear_batch_in) compares all eight names, whatever is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CounterpartyList {
    names: [OwnerId; Self::MOST],
    used: u8,
    allow: bool,
}

impl CounterpartyList {
    /// Names in a list, at most.
    pub const MOST: usize = 8;
    /// Everybody is admitted.
    pub const EMPTY: Self = Self { names: [OwnerId([0; 20]); Self::MOST], used: 0, allow: false };

    /// Admits these and nobody else; if there are none, everybody.
    ///
    /// *Errors*: [`OutOfRange`] for more than eight.
    pub const fn allow(names: &[OwnerId]) -> Result<Self, OutOfRange> {
        Self::of(names, true)
    }

    /// Admits everybody but these.
    ///
    /// *Errors*: [`OutOfRange`] for more than eight.
    pub const fn deny(names: &[OwnerId]) -> Result<Self, OutOfRange> {
        Self::of(names, false)
    }

    #[allow(clippy::cast_possible_truncation, reason = "at most eight")]
    const fn of(names: &[OwnerId], allow: bool) -> Result<Self, OutOfRange> {
        if names.len() > Self::MOST {
            let greatest = Self::MOST as u128;
            return Err(OutOfRange { unit: "counterparties", least: 0, greatest, found: names.len() as u128 });
        }
        let mut list = Self { used: names.len() as u8, allow, ..Self::EMPTY };
        let mut position = 0;
        while position < names.len() {
            list.names[position] = names[position];
            position += 1;
        }
        Ok(list)
    }

    /// The names in use.
    #[must_use]
    pub fn names(&self) -> &[OwnerId] {
        self.names.get(..usize::from(self.used)).unwrap_or(&self.names)
    }

    /// The names are those admitted, not those refused.
    #[must_use]
    pub const fn is_allow(&self) -> bool {
        self.allow
    }

    /// All ones if the owner is admitted. *Timing*: constant.
    pub(crate) fn admits(&self, owner: &OwnerId) -> Mask {
        let used = u64::from(self.used);
        let listed = self.names.iter().zip(0..).fold(0, |listed, (name, position)| {
            let named = !name.differs(owner);
            listed | (named & below(position, used))
        });
        let allowed = hide(listed | !nonzero(used));
        select(hide(from_flag(self.allow)), allowed, !hide(listed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(byte: u8) -> OwnerId {
        OwnerId([byte; 20])
    }

    fn owners(number: u8) -> std::vec::Vec<OwnerId> {
        (1..=number).map(owner).collect()
    }

    #[test]
    fn an_empty_list_admits_all() {
        let empty =
            [CounterpartyList::EMPTY, CounterpartyList::allow(&[]).unwrap(), CounterpartyList::deny(&[]).unwrap()];
        for list in empty {
            // zeros fill the unused entries, and name nobody
            assert_eq!(list.admits(&owner(0)), u64::MAX);
            assert_eq!(list.admits(&owner(7)), u64::MAX);
        }
    }

    #[test]
    fn every_place_of_a_list_counts_and_no_unused_one() {
        for number in 1..=8 {
            let names = owners(number);
            let (allow, deny) = (CounterpartyList::allow(&names).unwrap(), CounterpartyList::deny(&names).unwrap());
            for who in 0..=9 {
                let named = (1..=number).contains(&who);
                assert_eq!(allow.admits(&owner(who)), from_flag(named), "{number} allowed, {who}");
                assert_eq!(deny.admits(&owner(who)), from_flag(!named), "{number} denied, {who}");
            }
            assert_eq!((allow.names(), allow.is_allow(), deny.is_allow()), (&names[..], true, false));
        }
    }

    #[test]
    fn one_bit_makes_another_owner() {
        let deny = CounterpartyList::deny(&[owner(5)]).unwrap();
        for byte in 0..20 {
            let mut other = owner(5);
            other.0[byte] ^= 1;
            assert_eq!((deny.admits(&owner(5)), deny.admits(&other)), (0, u64::MAX));
        }
    }

    #[test]
    fn nine_names_are_refused() {
        let expected = OutOfRange { unit: "counterparties", least: 0, greatest: 8, found: 9 };
        assert_eq!(CounterpartyList::allow(&owners(9)), Err(expected));
        assert_eq!(CounterpartyList::deny(&owners(9)), Err(expected));
    }
}
