//! The session file: who takes part in what, the same for everybody; and a participant's public keys.

use crate::{artifact::instead, error::Error, files, pool::parse_json};
use ccc_core::keys::{Committee, Protocol, Session};
use std::{path::Path, sync::Arc};

mod text;

pub(crate) use text::{MemberLine, PublicLine, SessionFile, What};

const MAX_SESSION: u64 = 1 << 20;
const MAX_PUBLIC: u64 = 4096;

impl PublicLine {
    /// Reads a `.pub` file.
    ///
    /// # Errors
    /// [`Error::OtherContent`], [`Error::PoolFile`] and the errors of reading.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let bytes = files::read(path, MAX_PUBLIC)?;
        parse_json(path, &bytes).map_err(|error| instead(path, bytes, "a participant's public keys", error))
    }
}

impl SessionFile {
    /// Reads a session file.
    ///
    /// # Errors
    /// [`Error::OtherContent`], [`Error::PoolFile`] and the errors of reading.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let bytes = files::read(path, MAX_SESSION)?;
        parse_json(path, &bytes).map_err(|error| instead(path, bytes, "a session", error))
    }

    /// The session, which names the committee that hands over, if there is one.
    ///
    /// # Errors
    /// [`Error::Session`] for another protocol or another committee than the session names, and for members that make no
    /// roster.
    pub(crate) fn session(&self, path: &Path, old: Option<Committee>) -> Result<Session, Error> {
        let refused = |reason: String| Error::Session { path: path.into(), reason };
        let roster = self.roster().map_err(|error| refused(error.to_string()))?;
        let (named, given) = (self.committee.map(|digest| digest.0), old.as_ref().map(Committee::digest));
        if named != given {
            return Err(refused("it names another committee that hands over".into()));
        }
        match (self.protocol, old) {
            (What::KeyGeneration, None) => Ok(Session::new(Protocol::Dkg, None, roster, &self.nonce.0)),
            (What::Refresh | What::Reshare, Some(old)) => {
                let session = Session::handover(self.protocol.protocol(), Arc::new(old), roster, &self.nonce.0);
                session.map_err(|error| refused(error.to_string()))
            }
            (What::KeyGeneration, Some(_)) => Err(refused("a key generation has no committee that hands over".into())),
            (What::Refresh | What::Reshare, None) => Err(refused("it names no committee that hands over".into())),
        }
    }

    /// Refuses a session of another protocol than the verb's.
    ///
    /// # Errors
    /// [`Error::Session`].
    pub(crate) fn require(&self, path: &Path, expected: Protocol) -> Result<(), Error> {
        let found = self.protocol.protocol();
        if found == expected {
            return Ok(());
        }
        Err(Error::Session { path: path.into(), reason: format!("it is of a {found}, where a {expected} is wanted") })
    }
}
