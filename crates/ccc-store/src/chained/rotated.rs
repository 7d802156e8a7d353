//! A chain of lines over several files: one that has grown is put aside under the number of its first line, and the chain
//! goes on in a new one.

use super::{Before, Chained, ChainedError, Head, Link, parts, whole};
use std::path::{Path, PathBuf};

/// What a chain says that was read over all of its files that are here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Whole {
    /// Lines of files that are not here any more.
    pub elsewhere: u64,
    /// How far the newest file goes.
    pub head: Head,
}

/// Reads a chain from the first line that is here to its last, and hands each line on: the files that were put aside, and
/// then the newest.
///
/// # Errors
/// [`ChainedError`] with the first line that does not belong; a last line without its end is one.
pub fn verify<L: Link>(path: &Path, mut each: impl FnMut(L)) -> Result<Whole, ChainedError> {
    let (mut elsewhere, mut before) = (None, Before::Unknown);
    let mut head = Head::default();
    for part in parts::aside(path)?.into_iter().chain([path.to_owned()]) {
        head = whole(&part, before, &mut each)?;
        elsewhere = elsewhere.or(Some(head.first - 1));
        before = Before::Line(head);
    }
    Ok(Whole { elsewhere: elsewhere.unwrap_or_default(), head })
}

/// A chain that is written on, by one process. Files that were put aside may be moved away, but for the newest of them, after
/// which a file without a line goes on; none is removed here.
pub struct Rotated<L> {
    path: PathBuf,
    most: u64,
    newest: Chained<L>,
}

impl<L: Link> Rotated<L> {
    /// Opens a chain, or begins one, whose files are put aside from so many bytes on. Every whole line of the newest two files
    /// must hold together; a last line without its end is cut off.
    ///
    /// # Errors
    /// [`ChainedError`].
    pub fn open(path: &Path, most: u64) -> Result<Self, ChainedError> {
        let former = parts::aside(path)?.pop().map(|part| whole(&part, Before::Unknown, |_: L| ())).transpose()?;
        let newest = Chained::open_after(path, former.map_or(Before::Unknown, Before::Line), |_| ())?;
        Ok(Self { path: path.into(), most, newest })
    }

    /// How far the newest file goes.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.newest.head()
    }

    /// As [`Chained::torn`].
    #[must_use]
    pub const fn torn(&self) -> u64 {
        self.newest.torn()
    }

    /// As [`Chained::append`]; a file that has grown is put aside before.
    ///
    /// # Errors
    /// [`ChainedError`]; the line does not count then.
    pub fn append(&mut self, make: impl FnOnce(u64, [u8; 32]) -> L) -> Result<(), ChainedError> {
        let head = self.newest.head();
        if head.length >= self.most {
            self.newest.sync()?;
            parts::put_aside(&self.path, head.first)?;
            self.newest = Chained::open_after(&self.path, Before::Line(head), |_| ())?;
        }
        self.newest.append(make)
    }

    /// Has every line on the medium.
    ///
    /// # Errors
    /// What the system says.
    pub fn sync(&mut self) -> Result<(), ChainedError> {
        self.newest.sync()
    }
}
