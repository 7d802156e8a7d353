//! Where orders come from: a file or standard input.

use super::{Book, DEFAULT_SLOTS, form};
use crate::{
    error::Error,
    files::{self, MAX_READ},
    ui::Ui,
};
use darkpool_matcher::Market;
use indicatif::ProgressBar;
use std::{
    fs::File,
    io::{self, BufReader, Read},
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
    let result = form::read(source, path, market, &mut book);
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
