//! The files of a log that were put aside: `<name>.000001` and so on, oldest first.

use super::AuditHead;
use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

const DIGITS: usize = 6;

/// The files that were put aside and are here, oldest first.
pub(super) fn aside(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut numbers = numbers(path)?;
    numbers.sort_unstable();
    Ok(numbers.into_iter().map(|number| part(path, number)).collect())
}

/// Puts the file aside when all of it is on the medium, and begins the next.
pub(super) fn put_aside(path: &Path, file: &File) -> io::Result<File> {
    file.sync_data()?;
    let number = numbers(path)?.into_iter().max().unwrap_or(0) + 1;
    std::fs::rename(path, part(path, number))?;
    let next = OpenOptions::new().create(true).append(true).open(path)?;
    File::open(directory(path))?.sync_all()?;
    Ok(next)
}

/// The head of a file without a line, after the one before it.
pub(super) fn next_file(before: Option<AuditHead>) -> AuditHead {
    AuditHead { length: 0, ..before.unwrap_or_default() }
}

fn numbers(path: &Path) -> io::Result<Vec<u32>> {
    let (Some(name), directory) = (path.file_name(), directory(path)) else { return Ok(Vec::new()) };
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let found = entry?.file_name();
        let digits = found.as_encoded_bytes().strip_prefix(name.as_encoded_bytes());
        let digits = digits.and_then(|rest| rest.strip_prefix(b".")).filter(|digits| digits.len() == DIGITS);
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        numbers.extend(digits.and_then(|digits| digits.parse::<u32>().ok()));
    }
    Ok(numbers)
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn part(path: &Path, number: u32) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{number:0DIGITS$}"));
    name.into()
}
