//! The session file: who takes part in what, the same for everybody; and a participant's public keys.

use crate::{artifact::instead, error::Error, files, pool::parse_json};
use ccc_core::keys::{Committee, Protocol, Session};
use std::{path::Path, sync::Arc};

mod text;

pub(crate) use text::{Format, MemberLine, PublicLine, What};

/// The session as text.
pub(crate) type SessionFile = text::SessionFile<ccc_chain::board::Agreement>;

const MAX_SESSION: u64 = 1 << 20;
const MAX_PUBLIC: u64 = 4096;

impl PublicLine {
    /// The text of a `.pub` file: its members in the order of their names, whichever order the library keeps.
    pub(crate) fn text(&self) -> String {
        let mut object = serde_json::json!(self);
        object.sort_all_objects();
        format!("{object}\n")
    }

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
    /// The text of a session file.
    pub(crate) fn text(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("text, numbers and lists of them are JSON");
        format!("{text}\n")
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::hexed::Hex;
    use ccc_core::{identifier::Identifier, keys::ParticipantKeys};
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    const PUBLIC: &str = include_str!("../../../../vectors/snapshots/participant.pub");
    const SESSION: &str = include_str!("../../../../vectors/snapshots/session.json");

    /// A reshare of four, from fixed seeds.
    fn reshare() -> (PublicLine, SessionFile) {
        let mut rng = ChaCha20Rng::from_seed([14; 32]);
        let keys: Vec<_> = (0..4).map(|_| ParticipantKeys::generate(&mut rng).expect("keys").public_keys()).collect();
        let identifier = |i| Identifier::new(i).expect("not zero");
        let session = SessionFile {
            format: Format,
            protocol: What::Reshare,
            epoch: 2,
            threshold: 3,
            nonce: Hex([5; 32]),
            committee: Some(Hex([6; 64])),
            ceremony: None,
            members: (1..).zip(&keys).map(|(i, keys)| MemberLine::new(&keys.member(identifier(i)))).collect(),
        };
        (PublicLine::new(&keys[0]), session)
    }

    fn read_from<T>(read: impl Fn(&Path) -> Result<T, Error>, text: &str) -> Result<T, Error> {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let path = dir.path().join("file");
        std::fs::write(&path, text).expect("written");
        read(&path)
    }

    /// Fixed byte for byte, as `ccc keygen participant` and `ccc keygen session` write them.
    #[test]
    fn texts_from_fixed_seeds_are_the_snapshots() {
        let (public, session) = reshare();
        assert_eq!(public.text(), PUBLIC);
        assert_eq!(session.text(), SESSION);
        assert_eq!(read_from(PublicLine::read, PUBLIC).expect("read").text(), PUBLIC);
        let again = read_from(SessionFile::read, SESSION).expect("read");
        assert_eq!((again.text().as_str(), again.id()), (SESSION, session.id()));
    }

    #[test]
    fn another_format_or_none_is_refused() {
        let refused = |result: Option<Error>| match result {
            Some(Error::PoolFile { reason, .. }) => reason,
            Some(other) => panic!("{other}"),
            None => panic!("accepted"),
        };
        for (found, sentence) in [("2", "integer `2`, expected format 1"), ("\"1\"", "invalid type: string")] {
            let other =
                |text: &str| text.replacen(": 1,", &format!(": {found},"), 1).replacen(":1,", &format!(":{found},"), 1);
            let reason = refused(read_from(PublicLine::read, &other(PUBLIC)).err());
            assert!(reason.contains(sentence), "{reason}");
            let reason = refused(read_from(SessionFile::read, &other(SESSION)).err());
            assert!(reason.contains(sentence), "{reason}");
        }
        let reason = refused(read_from(PublicLine::read, &PUBLIC.replacen("\"format\":1,", "", 1)).err());
        assert!(reason.contains("missing field `format`"), "{reason}");
        let reason = refused(read_from(SessionFile::read, &SESSION.replacen("\"format\": 1,", "", 1)).err());
        assert!(reason.contains("missing field `format`"), "{reason}");
    }
}
