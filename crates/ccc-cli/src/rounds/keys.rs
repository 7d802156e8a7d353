//! A participant's keys from either of its files, and the number under which a roster knows them.

use crate::{
    error::Error,
    files::{
        passphrase::Passphrases,
        sealed::{Content, SealedError, SecretFile},
        secret::{self, Secrets},
    },
};
use ccc_core::{
    identifier::Identifier,
    keys::{KeyShare, ParticipantKeys, Roster},
};
use std::path::Path;

/// Signing and dealing keys, from a key file without a share or from one with a share.
///
/// # Errors
/// [`Error::OtherContent`], [`Error::Sealed`], and the errors of reading.
pub(crate) fn read_keys(path: &Path, passphrases: &Passphrases) -> Result<ParticipantKeys, Error> {
    let sealed = |source: SealedError| Error::Sealed { path: path.into(), source };
    if content(path)? == Some(Content::Participant) {
        return read_share(path, passphrases).map(|(_, keys)| keys);
    }
    let secrets = secret::open(path, Content::Keys, passphrases)?;
    let [keys] = secrets.split::<1>().map_err(sealed)?;
    ParticipantKeys::from_bytes(keys).map_err(|error| sealed(error.into()))
}

/// A share with the keys beside it, not held against any committee.
///
/// # Errors
/// As [`read_keys`].
pub(crate) fn read_share(path: &Path, passphrases: &Passphrases) -> Result<(KeyShare, ParticipantKeys), Error> {
    let sealed = |source: SealedError| Error::Sealed { path: path.into(), source };
    let secrets = secret::open(path, Content::Participant, passphrases)?;
    let [share, keys] = secrets.split::<2>().map_err(sealed)?;
    let share = KeyShare::from_bytes(share).map_err(|error| sealed(error.into()))?;
    let keys = ParticipantKeys::from_bytes(keys).map_err(|error| sealed(error.into()))?;
    Ok((share, keys))
}

/// The objects of a key file.
pub(crate) fn with_share(share: &KeyShare, keys: &ParticipantKeys) -> Secrets {
    Secrets::new(&[&share.to_bytes(), &keys.to_bytes()])
}

/// The number of these keys on a roster.
///
/// # Errors
/// [`Error::NotAMember`], [`Error::SeveralNumbers`].
pub(crate) fn number(roster: &Roster, keys: &ParticipantKeys, chosen: Option<u16>) -> Result<Identifier, Error> {
    let own = |i: &Identifier| roster.member(*i) == Some(&keys.public(*i));
    let numbers: Vec<_> = roster.members().iter().map(|member| member.identifier).filter(own).collect();
    match (numbers.as_slice(), chosen) {
        ([], _) => Err(Error::NotAMember),
        ([one], None) => Ok(*one),
        (_, Some(chosen)) => numbers.into_iter().find(|i| i.get() == chosen).ok_or(Error::NotAMember),
        (several, None) => Err(Error::SeveralNumbers { numbers: several.iter().map(|i| i.get()).collect() }),
    }
}

fn content(path: &Path) -> Result<Option<Content>, Error> {
    let bytes = match secret::read_private(path, secret::MAX_FILE) {
        Err(Error::Readable { .. }) => return Ok(None), // whoever opens it says why it may not be read
        read => read?,
    };
    Ok(SecretFile::parse(&bytes).ok().map(|file| file.content()))
}
