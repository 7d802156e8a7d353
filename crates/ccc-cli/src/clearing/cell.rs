//! From the text of a cell to a value. Digits and nothing else are a number: no sign, point, exponent or space.

use super::error::Wrong;
use darkpool_matcher::{BaseUnits, CounterpartyList, OwnerId, Spread, TierMask};

/// The longest identifier.
pub(crate) const ID_LEN: usize = 32;
/// The most tiers that a mask has.
const TIERS: u32 = 64;
/// The longest list of counterparties: eight addresses of 42 characters, and what stands between them.
pub(super) const LIST_LEN: usize = "allow:".len() + CounterpartyList::MOST * ("0x".len() + 40 + "+".len()) - "+".len();

/// The name of an order: 1 to 32 letters, digits, `.`, `_`, `-`; padded with zero bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OrderId([u8; ID_LEN]);

impl OrderId {
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        name(text).map(Self).ok_or_else(|| Wrong::new("1 to 32 letters, digits, `.`, `_` or `-`", text))
    }

    /// The name without its padding.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        trimmed(&self.0)
    }

    /// The name as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(self.as_bytes()).into_owned()
    }
}

fn trimmed(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    bytes.get(..end).unwrap_or_default()
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-".contains(&byte)
}

/// The text padded with zero bytes, if it is a name of at most `N` characters.
fn name<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut padded = [0; N];
    if text.is_empty() || !text.bytes().all(is_name) {
        return None;
    }
    padded.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
    Some(padded)
}

/// An account: `0x` and 40 hexadecimal digits, or a name of at most 20 characters, padded with zero bytes.
pub(super) fn owner(text: &str) -> Result<OwnerId, Wrong> {
    let account = match text.strip_prefix("0x") {
        Some(digits) => {
            let mut bytes = [0; 20];
            hex::decode_to_slice(digits, &mut bytes).ok().map(|()| bytes)
        }
        None => name(text),
    };
    account
        .map(OwnerId)
        .ok_or_else(|| Wrong::new("`0x` and 40 hexadecimal digits, or a name of 1 to 20 characters", text))
}

/// An account as it is shown: as a name where it is one.
pub(crate) fn owner_text(owner: &OwnerId) -> String {
    let shown = trimmed(&owner.0);
    let (text, rest) = (String::from_utf8_lossy(shown), owner.0.iter().skip(shown.len()));
    if name::<20>(&text).is_some() && !text.starts_with("0x") && rest.into_iter().all(|&byte| byte == 0) {
        return text.into_owned();
    }
    format!("0x{}", hex::encode(owner.0))
}

/// A whole number of this range: digits without a leading zero.
pub(super) fn whole(text: &str, least: u64, greatest: u64) -> Result<u64, Wrong> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    let number = if plain { text.parse().ok() } else { None };
    number
        .filter(|number| (least..=greatest).contains(number))
        .ok_or_else(|| Wrong::new(format!("a whole number from {least} to {greatest}"), text))
}

/// An amount in base units.
pub(super) fn amount(text: &str, least: u64) -> Result<BaseUnits, Wrong> {
    let number = whole(text, least, BaseUnits::MAX.get())?;
    BaseUnits::new(number).map_err(|error| Wrong::new(error.to_string(), text))
}

/// A spread in 1/100 basis point.
pub(super) fn spread(text: &str) -> Result<Spread, Wrong> {
    let number = whole(text, 0, u64::from(Spread::MAX.get()))?;
    let narrow = u16::try_from(number).ok().and_then(|number| Spread::new(number).ok());
    narrow.ok_or_else(|| Wrong::new("a spread", text))
}

/// `all`, or numbers from 0 to 63 joined by `+`.
pub(super) fn tiers(text: &str) -> Result<TierMask, Wrong> {
    if text == "all" {
        return Ok(TierMask::ALL);
    }
    let mut mask = 0;
    for part in text.split('+') {
        let tier = whole(part, 0, u64::from(TIERS) - 1);
        let tier = tier.map_err(|_| Wrong::new("`all`, or tiers from 0 to 63 joined by `+`", text))?;
        mask |= 1 << tier;
    }
    Ok(TierMask(mask))
}

/// `all`, or `allow:` or `deny:` and 1 to 8 accounts joined by `+`.
pub(super) fn counterparties(text: &str) -> Result<CounterpartyList, Wrong> {
    if text == "all" {
        return Ok(CounterpartyList::EMPTY);
    }
    let wrong = || Wrong::new("`all`, or `allow:` or `deny:` and 1 to 8 accounts joined by `+`", text);
    let (kind, names) = text.split_once(':').ok_or_else(wrong)?;
    let list = match kind {
        "allow" => CounterpartyList::allow,
        "deny" => CounterpartyList::deny,
        _ => return Err(wrong()),
    };
    // one more than a list takes is enough to be refused
    let names = names.split('+').take(CounterpartyList::MOST + 1).map(owner);
    list(&names.collect::<Result<Vec<_>, _>>()?).map_err(|_| wrong())
}

/// `true` or `false`.
pub(super) fn flag(text: &str) -> Result<bool, Wrong> {
    text.parse().map_err(|_| Wrong::new("`true` or `false`", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT_NUMBERS: [&str; 17] = [
        "", "NaN", "nan", "inf", "-inf", "1e9", "-5", "+5", " 12", "12 ", "0x10", "1.0", "1_000", "1,000", "007", "٣",
        "1'0",
    ];

    #[test]
    fn digits_alone_are_a_number() {
        assert_eq!(whole("0", 0, 9), Ok(0));
        assert_eq!(whole("18446744073709551615", 0, u64::MAX), Ok(u64::MAX));
        for text in NOT_NUMBERS.into_iter().chain(["18446744073709551616"]) {
            assert_eq!(
                whole(text, 0, u64::MAX),
                Err(Wrong::new("a whole number from 0 to 18446744073709551615", text))
            );
        }
    }

    #[test]
    fn amounts_stay_below_two_to_the_51() {
        assert_eq!(amount("2251799813685247", 1), Ok(BaseUnits::MAX));
        for text in ["2251799813685248", "0"] {
            assert_eq!(amount(text, 1), Err(Wrong::new("a whole number from 1 to 2251799813685247", text)));
        }
        assert_eq!(spread("16383"), Ok(Spread::MAX));
        assert_eq!(spread("16384"), Err(Wrong::new("a whole number from 0 to 16383", "16384")));
    }

    #[test]
    fn an_account_is_an_address_or_a_name() {
        let address = "0x00000000000000000000000000000000000000ff";
        for text in ["maker-1", "a", "twenty.characters_20", address] {
            assert_eq!(owner_text(&owner(text).expect("an account")), text);
        }
        for text in ["", "0xff", "0x", "twenty-one.characters", "two words", "é", "a,b"] {
            assert!(owner(text).is_err(), "{text}");
        }
        // a name inside an address stays an address
        let inside = format!("0x{}ff", hex::encode(b"0x00000000000000000"));
        assert_eq!(owner_text(&owner(&inside).expect("an account")), inside);
    }

    #[test]
    fn an_identifier_has_1_to_32_characters() {
        let longest = "i".repeat(ID_LEN);
        assert_eq!(OrderId::parse(&longest).map(|id| id.text()), Ok(longest.clone()));
        for text in ["", &format!("{longest}i"), "a b", "a\0", "\u{1b}[2J"] {
            assert!(OrderId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn tiers_are_numbers_joined_by_a_plus() {
        assert_eq!(tiers("all"), Ok(TierMask::ALL));
        assert_eq!(tiers("0+2+63"), Ok(TierMask(1 << 63 | 0b101)));
        for text in ["64", "0+", "+", "", "0,1", "-1", "ALL"] {
            assert!(tiers(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_list_names_one_to_eight_accounts() {
        let names = |number: usize| (1..=number).map(|i| format!("desk-{i}")).collect::<Vec<_>>().join("+");
        let accounts = |number: usize| -> Vec<OwnerId> {
            (1..=number).map(|i| owner(&format!("desk-{i}")).expect("an account")).collect()
        };
        for number in 1..=8 {
            let (allow, deny) = (CounterpartyList::allow(&accounts(number)), CounterpartyList::deny(&accounts(number)));
            assert_eq!(counterparties(&format!("allow:{}", names(number))).ok(), allow.ok());
            assert_eq!(counterparties(&format!("deny:{}", names(number))).ok(), deny.ok());
        }
        assert_eq!(counterparties("all"), Ok(CounterpartyList::EMPTY));
        let longest = format!("allow:{}", vec![format!("0x{}", "a".repeat(40)); 8].join("+"));
        assert_eq!((longest.len(), counterparties(&longest).map(|list| list.names().len())), (LIST_LEN, Ok(8)));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        let form = "`all`, or `allow:` or `deny:` and 1 to 8 accounts joined by `+`";
        let nine = format!("deny:{}", ["a"; 9].join("+"));
        for text in ["", "none", "desk-1", "Allow:a", "allow", ":a", "all:a", " allow:a", &nine] {
            assert_eq!(counterparties(text), Err(Wrong::new(form, text)), "{text}");
        }
        let account = "`0x` and 40 hexadecimal digits, or a name of 1 to 20 characters";
        for (text, found) in
            [("allow:", ""), ("deny:a+", ""), ("allow:a++b", ""), ("deny:a b", "a b"), ("deny:a,b", "a,b")]
        {
            assert_eq!(counterparties(text), Err(Wrong::new(account, found)), "{text}");
        }
    }
}
