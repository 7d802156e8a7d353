//! Reading and writing secret files with the passphrase of the run.

use super::{
    Audience, Replace, is_stream,
    passphrase::Passphrases,
    read_from,
    sealed::{Content, Cost, MAX_PLAIN, SealedError, SecretFile, clear, seal},
    write,
};
use crate::{artifact::instead, error::Error};
use ccc_core::{
    encoding::{Kind, Reader, kind_of},
    suite,
};
use rand_core::CryptoRng;
use std::{fs::File, path::Path};
use zeroize::Zeroizing;

/// The longest secret file.
pub(crate) const MAX_FILE: u64 = MAX_PLAIN as u64 + 4096;

/// The objects of one secret file: a list of byte strings, each with its length before it.
pub(crate) struct Secrets(Zeroizing<Vec<u8>>);

impl Secrets {
    /// Joins objects.
    pub(crate) fn new(objects: &[&[u8]]) -> Self {
        let length = objects.iter().map(|object| object.len() + 4).sum();
        let mut joined = Zeroizing::new(Vec::with_capacity(length));
        objects.iter().for_each(|object| suite::length_prefixed(&mut joined, object));
        Self(joined)
    }

    /// Splits into exactly `N` objects.
    ///
    /// # Errors
    /// [`SealedError::Encoding`].
    pub(crate) fn split<const N: usize>(&self) -> Result<[&[u8]; N], SealedError> {
        let mut reader = Reader::new(&self.0);
        let mut objects = [&[][..]; N];
        for object in &mut objects {
            *object = reader.length_prefixed("object", MAX_PLAIN)?;
        }
        reader.finish()?;
        Ok(objects)
    }
}

/// Reads a file that only its owner may read; `-` reads standard input.
///
/// # Errors
/// [`Error::Readable`] and the errors of reading.
pub(crate) fn read_private(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, Error> {
    if is_stream(path) {
        return super::read(path, limit).map(Zeroizing::new);
    }
    let error = |source| Error::Read { path: path.into(), source };
    let file = File::open(path).map_err(error)?;
    let metadata = file.metadata().map_err(error)?;
    if metadata.is_dir() {
        return Err(Error::NotRegular { path: path.into() });
    }
    check_mode(path, &metadata)?;
    read_from(file, path, limit).map(Zeroizing::new)
}

#[cfg(unix)]
fn check_mode(path: &Path, metadata: &std::fs::Metadata) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o7777;
    if metadata.is_file() && mode & 0o077 != 0 {
        return Err(Error::Readable { path: path.into(), mode });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &std::fs::Metadata) -> Result<(), Error> {
    Ok(())
}

/// Opens a secret file that must hold `content`.
///
/// # Errors
/// [`Error::OtherContent`], [`Error::Sealed`], and the errors of reading and of the passphrase.
pub(crate) fn open(path: &Path, content: Content, passphrases: &Passphrases) -> Result<Secrets, Error> {
    let bytes = read_private(path, MAX_FILE).map_err(|error| of_public(path, content, error))?;
    let sealed = |source| Error::Sealed { path: path.into(), source };
    let file = parse(path, &bytes, content)?;
    let opened: Result<_, Failure> = file.open(|| passphrases.existing().map_err(Failure::Passphrase));
    opened.map(Secrets).map_err(|failure| match failure {
        Failure::Passphrase(error) => error,
        Failure::Sealed(source) => sealed(source),
    })
}

fn parse<'a>(path: &Path, bytes: &'a [u8], content: Content) -> Result<SecretFile<'a>, Error> {
    let parsed = SecretFile::parse(bytes).map_err(|source| Error::Sealed { path: path.into(), source });
    let file = parsed.map_err(|error| match kind_of(bytes) {
        Ok(kind) if kind != Kind::SealedFile => instead(path, bytes.to_vec(), content.words(), error),
        _ => error,
    })?;
    if file.content() == content {
        return Ok(file);
    }
    let (expected, found) = (content.words(), file.content().words());
    Err(Error::OtherContent { path: path.into(), expected, found })
}

/// Whether a write to `path` would be refused, or would take the place of anything but a secret file of this content:
/// `--force` is no word about another key.
///
/// # Errors
/// Those of [`super::check_target`]; [`Error::OtherContent`], [`Error::Sealed`], and the errors of reading.
pub(crate) fn check_target(path: &Path, content: Content, replace: Replace) -> Result<(), Error> {
    super::check_target(path, replace)?;
    if !path.exists() {
        return Ok(());
    }
    let bytes = read_private(path, MAX_FILE).map_err(|error| of_public(path, content, error))?;
    parse(path, &bytes, content).map(|_| ())
}

/// A file that others may read, told as what it is where it is no secret at all.
fn of_public(path: &Path, content: Content, error: Error) -> Error {
    match (&error, super::read(path, MAX_FILE)) {
        (Error::Readable { .. }, Ok(bytes)) if kind_of(&bytes) != Ok(Kind::SealedFile) => {
            instead(path, bytes, content.words(), error)
        }
        _ => error,
    }
}

enum Failure {
    Passphrase(Error),
    Sealed(SealedError),
}

impl From<SealedError> for Failure {
    fn from(source: SealedError) -> Self {
        Self::Sealed(source)
    }
}

/// The bytes of a secret file: sealed, or in the clear with `--no-passphrase`.
///
/// # Errors
/// [`Error::Sealed`] and the errors of the passphrase.
pub(crate) fn encode(
    path: &Path,
    content: Content,
    secrets: &Secrets,
    passphrases: &Passphrases,
    rng: &mut impl CryptoRng,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    if passphrases.in_the_clear() {
        return Ok(clear(content, &secrets.0));
    }
    let passphrase = passphrases.fresh()?;
    seal(content, &secrets.0, &passphrase, Cost::DEFAULT, rng)
        .map(Zeroizing::new)
        .map_err(|source| Error::Sealed { path: path.into(), source })
}

/// Writes a secret file with mode 0600. A participant's share is replaced by a participant's share alone, whatever `replace`
/// says.
///
/// # Errors
/// [`Error::HoldsShare`]; as [`encode`] and [`write()`].
pub(crate) fn save(
    path: &Path,
    content: Content,
    secrets: &Secrets,
    replace: Replace,
    passphrases: &Passphrases,
    rng: &mut impl CryptoRng,
) -> Result<(), Error> {
    if content != Content::Participant && holds_share(path)? {
        return Err(Error::HoldsShare { path: path.into() });
    }
    let bytes = encode(path, content, secrets, passphrases, rng)?;
    write(path, &bytes, Audience::Owner, replace)
}

/// Whether a file is a participant's with its share; no passphrase is needed to tell.
fn holds_share(path: &Path) -> Result<bool, Error> {
    if is_stream(path) || !path.is_file() {
        return Ok(false);
    }
    match super::read(path, MAX_FILE) {
        Ok(bytes) => Ok(SecretFile::parse(&bytes).is_ok_and(|file| file.content() == Content::Participant)),
        Err(Error::TooLong { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ccc_core::encoding::EncodingError;

    #[test]
    fn objects_are_split_as_they_were_joined() {
        let secrets = Secrets::new(&[b"a", b"", b"ccc"]);
        assert_eq!(secrets.split::<3>(), Ok([&b"a"[..], b"", b"ccc"]));
        assert!(matches!(secrets.split::<2>(), Err(SealedError::Encoding(EncodingError::Trailing { .. }))));
        assert!(matches!(secrets.split::<4>(), Err(SealedError::Encoding(EncodingError::Truncated { .. }))));
    }
}
