//! Why a file of orders or a request in the clear is refused. Nothing is written then.

use std::fmt;

/// As much of a cell as an error repeats.
const SHOWN: usize = 40;

/// A text where a value is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    expected: String,
    found: String,
}

impl Wrong {
    pub(super) fn new(expected: impl Into<String>, found: &str) -> Self {
        let cut = found.chars().nth(SHOWN).is_some();
        let mut found: String = found.chars().take(SHOWN).collect();
        if cut {
            found.push('…');
        }
        Self { expected: expected.into(), found }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { expected, found } = self;
        if found.is_empty() {
            return write!(f, "expected {expected}, found nothing");
        }
        write!(f, "expected {expected}, found `{found}`")
    }
}

/// Why a file of orders is refused. Orders count from 1; the line of names is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OrdersError {
    /// A value is not one of its column.
    #[error("order {order}, {column}: {wrong}")]
    Value { order: usize, column: &'static str, wrong: Wrong },
    /// The file has no such column.
    #[error("order {order}: expected the column {column}, found none")]
    NoValue { order: usize, column: &'static str },
    /// A column that must be there is missing in the line of names.
    #[error("line of names: expected the column {column}, found none")]
    NoColumn { column: &'static str },
    /// A name that is no column's.
    #[error("{}: {wrong}", place(*order))]
    UnknownColumn { order: usize, wrong: Wrong },
    /// A column named twice.
    #[error("{}: expected every column once, found {column} again", place(*order))]
    RepeatedColumn { order: usize, column: &'static str },
    /// A line is shorter or longer than the line of names.
    #[error("order {order}: expected {expected} cells, found {found}")]
    Cells { order: usize, expected: usize, found: usize },
    /// A line with more cells than there are columns.
    #[error("{}: expected at most {greatest} cells, found more", place(*order))]
    ManyCells { order: usize, greatest: usize },
    /// A line beyond every sensible length.
    #[error("{}: expected at most {greatest} bytes, found more", place(*order))]
    LongLine { order: usize, greatest: usize },
    /// Bytes that are no text.
    #[error("{}: expected UTF-8 text, found other bytes", place(*order))]
    NotText { order: usize },
    /// An identifier given twice.
    #[error("order {order}, id: expected every id once, found `{id}` of order {first} again")]
    Duplicate { order: usize, first: usize, id: String },
    /// More orders than there are slots.
    #[error("expected at most {slots} orders, found more")]
    TooMany { slots: usize },
    /// JSON that is none, or another shape than a list of objects.
    #[error("line {line}, column {column}: {reason}")]
    Json { line: usize, column: usize, reason: String },
}

/// The line of names is order zero.
fn place(order: usize) -> String {
    if order == 0 { "line of names".to_owned() } else { format!("order {order}") }
}

impl OrdersError {
    /// The code and the hint.
    pub(crate) fn parts(&self) -> (&'static str, &'static str) {
        match self {
            Self::Value { .. } | Self::NoValue { .. } => {
                ("orders-value", "amounts are whole numbers of base units; docs/spec/files.md has every column's unit")
            }
            Self::NoColumn { .. } | Self::UnknownColumn { .. } | Self::RepeatedColumn { .. } => {
                ("orders-columns", "`ccc clear generate --orders 10 --out -` shows a file with every column")
            }
            Self::Duplicate { .. } => ("orders-duplicate", "an order is given once; give the second another id"),
            Self::TooMany { .. } => ("orders-many", "--slots N is the public number of slots; it can be raised"),
            Self::Cells { .. }
            | Self::ManyCells { .. }
            | Self::LongLine { .. }
            | Self::NotText { .. }
            | Self::Json { .. } => (
                "orders-form",
                "CSV has a line of names and cells between commas; JSON is a list of objects with those names",
            ),
        }
    }
}

/// Why a file of requests is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RequestError {
    /// TOML that is none, an unknown key, or a value of another kind.
    #[error("{0}")]
    Form(String),
    /// A value that its field does not admit.
    #[error("{field}: {wrong}")]
    Value { field: String, wrong: Wrong },
}

impl RequestError {
    /// The code and the hint.
    pub(crate) fn parts(&self) -> (&'static str, &'static str) {
        match self {
            Self::Form(_) | Self::Value { .. } => (
                "clear-request",
                "`ccc clear generate --orders 10 --out a.csv --request a.toml` writes one; docs/spec/files.md has the keys",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_shown_in_part() {
        let long = "9".repeat(100);
        assert_eq!(Wrong::new("less", &long).to_string(), format!("expected less, found `{}…`", "9".repeat(SHOWN)));
        assert_eq!(Wrong::new("more", "").to_string(), "expected more, found nothing");
    }
}
