//! The custodian's statement: strict JSON, integers only.
//!
//! *Layout*: one JSON object with exactly these members, in any order:
//! `account` (text), `unit` (`"satoshi"`), `time` (Unix seconds), `reserves` and `liabilities` (integers).
//! *Units*: satoshi, 0 ≤ x < 2^51.

use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroize;

/// The longest statement that is read.
pub const MAX_LEN: usize = 16 * 1024;
/// The largest amount, exclusive: more satoshi than will ever exist.
pub const MAX_AMOUNT: u64 = 1 << 51;

/// What the custodian says it holds and owes.
///
/// *Security*: the amounts never leave the enclave; the type has no `Debug`.
pub struct Statement {
    /// The account that it is about.
    account: String,
    /// Reserves outside the pool's custody, in satoshi.
    reserves: u64,
    /// Liabilities, in satoshi.
    liabilities: u64,
    /// When the custodian made it, Unix seconds.
    time: u64,
}

impl Drop for Statement {
    fn drop(&mut self) {
        self.reserves.zeroize();
        self.liabilities.zeroize();
    }
}

/// A statement that is refused. No variant carries an amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// Longer than any statement.
    #[error("{found} bytes, where at most {MAX_LEN} are read")]
    TooLong {
        /// Bytes found.
        found: usize,
    },
    /// Not the JSON object described above.
    #[error("not a statement: {reason} at line {line}, column {column}")]
    Malformed {
        /// The class of the error; never the content.
        reason: &'static str,
        /// Line.
        line: usize,
        /// Column.
        column: usize,
    },
    /// Another unit than satoshi.
    #[error("amounts in another unit than satoshi")]
    Unit,
    /// A number below zero.
    #[error("`{field}` is negative")]
    Negative {
        /// The member.
        field: &'static str,
    },
    /// A fraction, an exponent, a string or anything else but digits.
    #[error("`{field}` is not an integer")]
    NotInteger {
        /// The member.
        field: &'static str,
    },
    /// At or above the supply bound.
    #[error("`{field}` is above what can exist")]
    TooLarge {
        /// The member.
        field: &'static str,
    },
    /// About another account than the configuration names.
    #[error("about another account than the one that this enclave is configured for")]
    Account,
    /// Older than the configuration allows.
    #[error("made {age} seconds ago, where {max} are allowed")]
    Stale {
        /// Seconds since it was made.
        age: u64,
        /// Seconds allowed.
        max: u64,
    },
    /// Made after the block against which it is compared.
    #[error("made {ahead} seconds after the block")]
    FromTheFuture {
        /// Seconds after the block.
        ahead: u64,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    account: String,
    unit: String,
    #[serde(borrow)]
    time: &'a RawValue,
    #[serde(borrow)]
    reserves: &'a RawValue,
    #[serde(borrow)]
    liabilities: &'a RawValue,
}

impl Statement {
    /// Reads a statement.
    ///
    /// # Errors
    /// [`StatementError`]; nothing of the content is repeated in it.
    pub fn parse(bytes: &[u8]) -> Result<Self, StatementError> {
        if bytes.len() > MAX_LEN {
            return Err(StatementError::TooLong { found: bytes.len() });
        }
        let wire: Wire<'_> = serde_json::from_slice(bytes).map_err(malformed)?;
        if wire.unit != "satoshi" {
            return Err(StatementError::Unit);
        }
        Ok(Self {
            account: wire.account,
            reserves: integer("reserves", wire.reserves.get(), MAX_AMOUNT)?,
            liabilities: integer("liabilities", wire.liabilities.get(), MAX_AMOUNT)?,
            time: integer("time", wire.time.get(), 1 << 40)?,
        })
    }

    /// Satoshi held outside the pool's custody.
    #[must_use]
    pub fn reserves(&self) -> u64 {
        self.reserves
    }

    /// Satoshi owed.
    #[must_use]
    pub fn liabilities(&self) -> u64 {
        self.liabilities
    }

    /// The account that it is about.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Refuses a statement about another account.
    ///
    /// # Errors
    /// [`StatementError::Account`], which names neither of them.
    pub fn check_account(&self, expected: &str) -> Result<(), StatementError> {
        if self.account == expected { Ok(()) } else { Err(StatementError::Account) }
    }

    /// Refuses a statement that is too old for a block, or younger than it.
    ///
    /// # Errors
    /// [`StatementError::Stale`], [`StatementError::FromTheFuture`].
    pub fn check_age(&self, block_time: u64, max: u64) -> Result<(), StatementError> {
        if self.time > block_time {
            return Err(StatementError::FromTheFuture { ahead: self.time - block_time });
        }
        let age = block_time - self.time;
        if age > max { Err(StatementError::Stale { age, max }) } else { Ok(()) }
    }
}

fn malformed(error: serde_json::Error) -> StatementError {
    let reason = match error.classify() {
        serde_json::error::Category::Eof => "it ends early",
        serde_json::error::Category::Syntax => "broken JSON",
        serde_json::error::Category::Data => "a missing, repeated, unknown or mistyped member",
        serde_json::error::Category::Io => "it cannot be read",
    };
    StatementError::Malformed { reason, line: error.line(), column: error.column() }
}

fn integer(field: &'static str, text: &str, limit: u64) -> Result<u64, StatementError> {
    let digits = text.trim();
    if digits.starts_with('-') {
        return Err(StatementError::Negative { field });
    }
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(StatementError::NotInteger { field });
    }
    match digits.parse::<u64>() {
        Ok(value) if value < limit => Ok(value),
        _ => Err(StatementError::TooLarge { field }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(reserves: &str, liabilities: &str) -> Result<Statement, StatementError> {
        Statement::parse(
            format!(r#"{{"account":"cold","unit":"satoshi","time":1700000000,"reserves":{reserves},"liabilities":{liabilities}}}"#)
                .as_bytes(),
        )
    }

    #[test]
    fn integers_are_read() {
        let statement = with("1900000000000", "2000000000000").expect("a statement");
        assert_eq!((statement.reserves, statement.liabilities), (1_900_000_000_000, 2_000_000_000_000));
    }

    #[test]
    fn numbers_that_are_not_amounts_are_refused() {
        let refusal = |text: &str| with(text, "1").err();
        assert_eq!(refusal("-1"), Some(StatementError::Negative { field: "reserves" }));
        assert_eq!(refusal("1.5"), Some(StatementError::NotInteger { field: "reserves" }));
        assert_eq!(refusal("1e9"), Some(StatementError::NotInteger { field: "reserves" }));
        assert_eq!(refusal("\"12\""), Some(StatementError::NotInteger { field: "reserves" }));
        assert_eq!(refusal("null"), Some(StatementError::NotInteger { field: "reserves" }));
        assert_eq!(refusal("2251799813685248"), Some(StatementError::TooLarge { field: "reserves" }));
        assert_eq!(refusal(&"9".repeat(400)), Some(StatementError::TooLarge { field: "reserves" }));
        assert_eq!(refusal("2251799813685247"), None);
    }

    #[test]
    fn unknown_repeated_and_missing_members_are_refused() {
        for text in [
            r#"{"account":"a","unit":"satoshi","time":1,"reserves":1,"liabilities":1,"extra":1}"#,
            r#"{"account":"a","unit":"satoshi","time":1,"reserves":1,"reserves":2,"liabilities":1}"#,
            r#"{"account":"a","unit":"satoshi","time":1,"reserves":1}"#,
            r"[]",
            "",
            r#"{"account":"a","unit":"satoshi","time":1,"reserves":1,"liabilities":1} x"#,
        ] {
            assert!(matches!(Statement::parse(text.as_bytes()), Err(StatementError::Malformed { .. })), "{text}");
        }
        let bitcoin = r#"{"account":"a","unit":"bitcoin","time":1,"reserves":1,"liabilities":1}"#;
        assert_eq!(Statement::parse(bitcoin.as_bytes()).err(), Some(StatementError::Unit));
        assert!(matches!(Statement::parse(&[b' '; MAX_LEN + 1]), Err(StatementError::TooLong { .. })));
    }

    #[test]
    fn another_account_is_refused() {
        let statement = with("1", "1").expect("a statement");
        assert_eq!(statement.check_account("cold"), Ok(()));
        for other in ["", "col", "cold ", "Cold", "warm"] {
            assert_eq!(statement.check_account(other), Err(StatementError::Account), "{other}");
        }
    }

    #[test]
    fn age_is_bounded_on_both_sides() {
        let statement = with("1", "1").expect("a statement");
        assert_eq!(statement.check_age(1_700_000_010, 10), Ok(()));
        assert_eq!(statement.check_age(1_700_000_011, 10), Err(StatementError::Stale { age: 11, max: 10 }));
        assert_eq!(statement.check_age(1_699_999_999, 10), Err(StatementError::FromTheFuture { ahead: 1 }));
    }
}
