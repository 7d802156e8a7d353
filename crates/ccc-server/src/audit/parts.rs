//! The files of a log that were put aside, each named by the number of its first line: `<name>.000000000001` and so on. No
//! name comes twice, wherever the older ones were moved.

use super::AuditHead;
use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
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

/// Puts the file, which begins with the line of this number, aside when all of it is on the medium, and begins the next.
pub(super) fn put_aside(path: &Path, file: &File, first: u64) -> io::Result<File> {
    file.sync_data()?;
    let part = part(path, first);
    if part.try_exists()? {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} is there already", part.display())));
    }
    std::fs::rename(path, part)?;
    let next = OpenOptions::new().create(true).append(true).open(path)?;
    File::open(directory(path))?.sync_all()?;
    Ok(next)
}

/// The head of a file without a line, after the one before it.
pub(super) fn next_file(before: Option<AuditHead>) -> AuditHead {
    AuditHead { length: 0, ..before.unwrap_or_default() }
}

fn numbers(path: &Path) -> io::Result<Vec<u64>> {
    let (Some(name), directory) = (path.file_name(), directory(path)) else { return Ok(Vec::new()) };
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

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn part(path: &Path, number: u64) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{number:0DIGITS$}"));
    name.into()
}
