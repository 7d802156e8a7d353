//! CSV or JSON, told from the first character.

use super::{Book, orders_csv, orders_json};
use crate::error::Error;
use darkpool_matcher::Market;
use std::{
    io::{BufRead, Read},
    path::Path,
};

/// Reads every order into the book.
///
/// # Errors
/// [`Error::Read`], [`Error::Orders`].
pub(super) fn read(mut source: impl BufRead, path: &Path, market: &Market, book: &mut Book) -> Result<(), Error> {
    let mut indented = false;
    let first = loop {
        let start = source.fill_buf().map_err(|source| Error::Read { path: path.into(), source })?;
        let first = start.iter().copied().find(|byte| !byte.is_ascii_whitespace());
        if first.is_some() || start.is_empty() {
            break first;
        }
        indented |= start.iter().any(|byte| !matches!(byte, b'\r' | b'\n'));
        let blank = start.len();
        source.consume(blank);
    };
    // a blank before the names of CSV is part of the first of them, and refused with it
    let source = if indented { b" ".as_slice() } else { b"" }.chain(source);
    match first {
        Some(b'[' | b'{') => orders_json::read(source, path, market, book),
        _ => orders_csv::read(source, path, market, book),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clearing::error::OrdersError;

    fn piped(first: &[u8], then: &[u8]) -> Result<usize, Error> {
        let (mut book, market) = (Book::new(2), Market::new(1).expect("a market"));
        super::read(first.chain(then), Path::new("-"), &market, &mut book).map(|()| book.len())
    }

    #[test]
    fn blank_reads_do_not_tell_the_form() {
        let json = br#"[{"id":"a","owner":"m","spread":1,"size":1}]"#;
        let csv = b"id,owner,spread,size\na,m,1,1\n";
        for blank in [&b" \n"[..], b"\n\n", b"\t"] {
            assert!(matches!(piped(blank, json), Ok(1)));
        }
        assert!(matches!(piped(b"\r\n", csv), Ok(1)));
        let refused = piped(b" ", csv);
        let column = |error| matches!(error, Error::Orders { source: OrdersError::UnknownColumn { .. }, .. });
        assert!(refused.is_err_and(column));
    }
}
