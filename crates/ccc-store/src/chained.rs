//! A file of lines chained by hashes: a line taken out or altered shows, and a last line that a power loss cut is left out.
//!
//! What a line says and how it is hashed is its own ([`Link`]); here is what every such file needs: the order of the numbers,
//! the hash of the line before, the end that is missing, one writer, and lines that are on the medium before work goes on.
//!
//! *Security*: the chain has no key. It shows that lines belong together; whoever may write the file can write another
//! chain. Copy the last hash elsewhere to pin what came before.

mod parts;
pub mod rotated;

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, Read, Write},
    marker::PhantomData,
    path::Path,
};

/// One line.
pub trait Link: Sized {
    /// The longest line that is read, its end included.
    const MAX_LINE: u64;
    /// Reads a line without its end.
    fn parse(text: &[u8]) -> Option<Self>;
    /// The line without its end. None where it cannot be written.
    fn text(&self) -> Option<Vec<u8>>;
    /// Its number, from 1.
    fn sequence(&self) -> u64;
    /// The hash of the line before; zeros in the first.
    fn previous(&self) -> [u8; 32];
    /// Its hash as it stands in the line.
    fn hash(&self) -> [u8; 32];
    /// Its hash computed anew.
    fn digest(&self) -> [u8; 32];
}

/// Why a file does not hold together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainedError {
    /// The file cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Another process writes it.
    #[error("another process writes it")]
    Busy,
    /// A line that is none, has another number, another predecessor or another hash.
    #[error("line {line} is not what was written there: {reason}")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong.
        reason: &'static str,
    },
}

/// How far a file goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The number of its first line, or of the one that will be it.
    pub first: u64,
    /// The number of its last whole line; without one, that of the line before the file.
    pub lines: u64,
    /// The hash of that line; zeros before the first of all.
    pub hash: [u8; 32],
    /// Bytes of the whole lines.
    pub length: u64,
}

impl Default for Head {
    fn default() -> Self {
        Self { first: 1, lines: 0, hash: [0; 32], length: 0 }
    }
}

/// What stands before a file's first line.
#[derive(Clone, Copy)]
enum Before {
    Nothing,
    /// The last line of another file.
    Line(Head),
    /// What the first line says itself.
    Unknown,
}

impl Head {
    /// Of a file without a line yet, whose first one is this.
    fn before<L: Link>(before: Before, text: &[u8]) -> Self {
        let said = || {
            let line = L::parse(text.trim_ascii_end())?;
            Some((line.sequence().checked_sub(1)?, line.previous()))
        };
        let (lines, hash) = match before {
            Before::Nothing => (0, [0; 32]),
            Before::Line(head) => (head.lines, head.hash),
            Before::Unknown => said().unwrap_or_default(),
        };
        Self { first: lines.saturating_add(1), lines, hash, length: 0 }
    }

    fn then<L: Link>(self, text: &[u8]) -> Result<(Self, L), ChainedError> {
        let number = self.lines.saturating_add(1);
        let wrong = |reason| ChainedError::Line { line: number, reason };
        let line = L::parse(text.trim_ascii_end()).ok_or(wrong("it cannot be read"))?;
        let checks = [
            (line.sequence() == number, "it has another number"),
            (line.previous() == self.hash, "it follows another line"),
            (line.digest() == line.hash(), "its hash is another"),
        ];
        match checks.into_iter().find(|(holds, _)| !holds) {
            Some((_, reason)) => Err(wrong(reason)),
            None => {
                Ok((Self { lines: number, hash: line.hash(), length: self.length + text.len() as u64, ..self }, line))
            }
        }
    }
}

/// Reads a file from its first line to its last, and hands each line on.
///
/// # Errors
/// [`ChainedError`] with the first line that does not belong; a last line without its end is one.
pub fn verify<L: Link>(path: &Path, each: impl FnMut(L)) -> Result<Head, ChainedError> {
    whole(path, Before::Nothing, each)
}

/// A file without a torn end.
fn whole<L: Link>(path: &Path, before: Before, each: impl FnMut(L)) -> Result<Head, ChainedError> {
    match read(File::open(path)?, before, each)? {
        (head, 0) => Ok(head),
        (head, _) => Err(ChainedError::Line { line: head.lines + 1, reason: "it has no end" }),
    }
}

/// The whole lines, and how many bytes stand after the last of them without an end of line.
fn read<L: Link>(file: impl Read, before: Before, mut each: impl FnMut(L)) -> Result<(Head, u64), ChainedError> {
    let mut reader = BufReader::new(file);
    let mut known = None;
    loop {
        let mut text = Vec::new();
        Read::take(&mut reader, L::MAX_LINE).read_until(b'\n', &mut text)?;
        let head = known.unwrap_or_else(|| Head::before::<L>(before, &text));
        if text.is_empty() {
            return Ok((head, 0));
        }
        if text.last() != Some(&b'\n') {
            return Ok((head, tail(head.lines + 1, text.len() as u64, reader)?));
        }
        let (next, line) = head.then(&text)?;
        known = Some(next);
        each(line);
    }
}

/// The rest of a file whose last end of line is past: a line that was cut. One that goes on in another line is none.
fn tail(line: u64, mut length: u64, mut reader: impl BufRead) -> Result<u64, ChainedError> {
    loop {
        let read = reader.fill_buf()?;
        if read.is_empty() {
            return Ok(length);
        }
        if read.contains(&b'\n') {
            return Err(ChainedError::Line { line, reason: "it is too long" });
        }
        let read = read.len();
        length += read as u64;
        reader.consume(read);
    }
}

/// A file that is written on, by one process.
pub struct Chained<L> {
    file: File,
    head: Head,
    torn: u64,
    lines: PhantomData<fn(L)>,
}

impl<L: Link> Chained<L> {
    /// Opens a file, or begins one that its owner alone may read, and hands each line on. A last line without its end is what
    /// a power loss leaves: it is cut off.
    ///
    /// # Errors
    /// [`ChainedError`]; the file is as it was.
    pub fn open(path: &Path, each: impl FnMut(L)) -> Result<Self, ChainedError> {
        Self::open_after(path, Before::Nothing, each)
    }

    fn open_after(path: &Path, before: Before, each: impl FnMut(L)) -> Result<Self, ChainedError> {
        let new = !path.exists();
        let file = open_private(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ChainedError::Busy),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let (head, torn) = read(&file, before, each)?;
        if torn > 0 {
            file.set_len(head.length)?;
            file.sync_data()?;
        }
        if new {
            sync_name(path)?;
        }
        Ok(Self { file, head, torn, lines: PhantomData })
    }

    /// How far the file goes.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.head
    }

    /// Bytes of a last line that were cut off when the file was opened.
    #[must_use]
    pub const fn torn(&self) -> u64 {
        self.torn
    }

    /// Appends the line that is made for this number and after this hash. It is with the system when this returns, and on the
    /// medium after [`Self::sync`].
    ///
    /// # Errors
    /// What the system says; the line does not count then.
    pub fn append(&mut self, make: impl FnOnce(u64, [u8; 32]) -> L) -> Result<(), ChainedError> {
        let unwritable = ChainedError::Line { line: self.head.lines + 1, reason: "it cannot be written" };
        let line = make(self.head.lines + 1, self.head.hash);
        let Some(mut text) = line.text().filter(|text| !text.contains(&b'\n')) else { return Err(unwritable) };
        text.push(b'\n');
        if text.len() as u64 > L::MAX_LINE {
            return Err(ChainedError::Line { line: self.head.lines + 1, reason: "it is too long" });
        }
        let (head, _) = self.head.then::<L>(&text)?;
        if let Err(error) = self.file.write_all(&text) {
            let _torn = self.file.set_len(self.head.length);
            return Err(error.into());
        }
        self.head = head;
        Ok(())
    }

    /// Has every line on the medium.
    ///
    /// # Errors
    /// What the system says.
    pub fn sync(&mut self) -> Result<(), ChainedError> {
        Ok(self.file.sync_data()?)
    }
}

fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).read(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a new file's name survive a power cut.
fn sync_name(path: &Path) -> io::Result<()> {
    File::open(directory(path))?.sync_all()
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Word {
        sequence: u64,
        previous: [u8; 32],
        word: String,
        hash: [u8; 32],
    }

    impl Word {
        fn new(word: &str) -> impl Fn(u64, [u8; 32]) -> Self {
            move |sequence, previous| {
                let mut line = Self { sequence, previous, word: word.to_owned(), hash: [0; 32] };
                line.hash = line.digest();
                line
            }
        }
    }

    impl Link for Word {
        const MAX_LINE: u64 = 256;

        fn parse(text: &[u8]) -> Option<Self> {
            let text = std::str::from_utf8(text).ok()?;
            let mut parts = text.split(' ');
            let sequence = parts.next()?.parse().ok()?;
            let word = parts.next()?.to_owned();
            let mut hashes = [[0; 32]; 2];
            for hash in &mut hashes {
                hex::decode_to_slice(parts.next()?, hash).ok()?;
            }
            Some(Self { sequence, word, previous: hashes[0], hash: hashes[1] })
        }

        fn text(&self) -> Option<Vec<u8>> {
            let hashes = [self.previous, self.hash].map(hex::encode);
            Some(format!("{} {} {} {}", self.sequence, self.word, hashes[0], hashes[1]).into_bytes())
        }

        fn sequence(&self) -> u64 {
            self.sequence
        }

        fn previous(&self) -> [u8; 32] {
            self.previous
        }

        fn hash(&self) -> [u8; 32] {
            self.hash
        }

        fn digest(&self) -> [u8; 32] {
            *blake3::Hasher::new()
                .update(&self.sequence.to_be_bytes())
                .update(&self.previous)
                .update(self.word.as_bytes())
                .finalize()
                .as_bytes()
        }
    }

    fn words(path: &Path) -> Vec<String> {
        let mut words = Vec::new();
        verify(path, |line: Word| words.push(line.word)).expect("whole");
        words
    }

    /// At every byte: what is whole stays, what is cut goes, and the next line takes its place.
    #[test]
    fn a_file_cut_anywhere_keeps_its_whole_lines() {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let path = dir.path().join("log");
        let mut file = Chained::open(&path, |_: Word| ()).expect("begun");
        for word in ["one", "two"] {
            file.append(Word::new(word)).expect("written");
        }
        file.sync().expect("on the medium");
        drop(file);
        let both = std::fs::read(&path).expect("read");
        let first = both.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
        for cut in 0..both.len() {
            std::fs::write(&path, &both[..cut]).expect("cut");
            let mut file = Chained::open(&path, |_: Word| ()).expect("opened");
            assert_eq!(file.head().lines, u64::from(cut >= first), "{cut}");
            assert_eq!(file.torn(), (cut - if cut >= first { first } else { 0 }) as u64, "{cut}");
            file.append(Word::new("three")).expect("written");
            drop(file);
            let expected: &[&str] = if cut >= first { &["one", "three"] } else { &["three"] };
            assert_eq!(words(&path), expected, "{cut}");
        }
    }

    #[test]
    fn what_does_not_belong_is_named() {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let path = dir.path().join("log");
        let mut file = Chained::open(&path, |_: Word| ()).expect("begun");
        assert!(matches!(Chained::<Word>::open(&path, |_| ()), Err(ChainedError::Busy)));
        for word in ["one", "two", "six"] {
            file.append(Word::new(word)).expect("written");
        }
        let long = "x".repeat(300);
        assert!(matches!(file.append(Word::new(&long)), Err(ChainedError::Line { line: 4, reason: "it is too long" })));
        drop(file);
        let good = std::fs::read_to_string(&path).expect("read");
        let lines: Vec<&str> = good.split_inclusive('\n').collect();
        let wrong = |text: String| {
            std::fs::write(&path, text).expect("written");
            match Chained::open(&path, |_: Word| ()) {
                Err(ChainedError::Line { line, reason }) => (line, reason),
                _ => (0, "whole"),
            }
        };
        assert_eq!(wrong(good.replace("two", "ten")), (2, "its hash is another"));
        assert_eq!(wrong([lines[0], lines[2]].concat()), (2, "it has another number"));
        let moved = [&lines[1][..6], "0000", &lines[1][10..]].concat();
        assert_eq!(wrong([lines[0], &moved, lines[2]].concat()), (2, "it follows another line"));
        assert_eq!(wrong(format!("{good}x\n")), (4, "it cannot be read"));
        assert_eq!(wrong(format!("{good}{long}\n")), (4, "it is too long"));
        assert_eq!(wrong(good.clone()), (0, "whole"));
    }
}
