//! The files of a chain that were put aside, each named by the number of its first line: `<name>.000000000001` and so on. No
//! name comes twice, wherever the older ones were moved.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

const DIGITS: usize = 12;

/// The files that were put aside and are here, oldest first.
pub(super) fn aside(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut numbers = numbers(path)?;
    numbers.sort_unstable();
    Ok(numbers.into_iter().map(|number| part(path, number)).collect())
}

/// Puts the file, which begins with the line of this number and is on the medium, aside.
pub(super) fn put_aside(path: &Path, first: u64) -> io::Result<()> {
    let part = part(path, first);
    if part.try_exists()? {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} is there already", part.display())));
    }
    std::fs::rename(path, part)
}

fn numbers(path: &Path) -> io::Result<Vec<u64>> {
    let (Some(name), directory) = (path.file_name(), super::directory(path)) else { return Ok(Vec::new()) };
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let found = entry?.file_name();
        let digits = found.as_encoded_bytes().strip_prefix(name.as_encoded_bytes());
        let digits = digits.and_then(|rest| rest.strip_prefix(b".")).filter(|digits| digits.len() == DIGITS);
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        numbers.extend(digits.and_then(|digits| digits.parse::<u64>().ok()));
    }
    Ok(numbers)
}

fn part(path: &Path, number: u64) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{number:0DIGITS$}"));
    name.into()
}
