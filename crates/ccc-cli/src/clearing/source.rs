//! Where orders come from: a file or standard input, CSV or JSON, told from the first character.

use super::{Book, DEFAULT_SLOTS, orders_csv, orders_json};
use crate::{
    error::Error,
    files::{self, MAX_READ},
    ui::Ui,
};
use darkpool_matcher::Market;
use indicatif::ProgressBar;
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

const BUFFER: usize = 1 << 16;

/// Reads a book of at most `slots` orders, or of the default number where none is given.
///
/// # Errors
/// [`Error::Read`], [`Error::TooLong`], [`Error::Orders`].
pub(crate) fn read(path: &Path, slots: Option<usize>, market: &Market, ui: &Ui) -> Result<Book, Error> {
    let mut book = Book::new(slots.unwrap_or(DEFAULT_SLOTS));
    let (file, length): (Box<dyn Read>, u64) = if files::is_stream(path) {
        (Box::new(io::stdin().lock()), 0)
    } else {
        let file = File::open(path).map_err(|source| Error::Read { path: path.into(), source })?;
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        (Box::new(file), length)
    };
    let bar = ui.progress(length, "reading orders, bytes");
    let source = BufReader::with_capacity(BUFFER, Counted { file, read: 0, bar: bar.clone() });
    let result = by_form(source, path, market, &mut book);
    bar.finish_and_clear();
    if slots.is_none() {
        book.slots = book.len();
    }
    match result {
        Err(Error::Read { path, source }) if source.kind() == io::ErrorKind::FileTooLarge => {
            Err(Error::TooLong { path, limit: MAX_READ })
        }
        other => other.map(|()| book),
    }
}

fn by_form(mut source: impl BufRead, path: &Path, market: &Market, book: &mut Book) -> Result<(), Error> {
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

/// A file that tells how far it has been read, and ends with an error where it is too long.
struct Counted {
    file: Box<dyn Read>,
    read: u64,
    bar: ProgressBar,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.read = self.read.saturating_add(read as u64);
        if self.read > MAX_READ {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bar.set_position(self.read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clearing::error::OrdersError;

    fn piped(first: &[u8], then: &[u8]) -> Result<usize, Error> {
        let (mut book, market) = (Book::new(2), Market::new(1).expect("a market"));
        by_form(first.chain(then), Path::new("-"), &market, &mut book).map(|()| book.len())
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
