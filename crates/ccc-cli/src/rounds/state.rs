//! A participant's stored place: its state, and the digests of the rounds that it has closed.

use super::{outcome::Finished, stage::Stage};
use crate::{
    error::Error,
    files::{
        Replace,
        passphrase::Passphrases,
        sealed::{Content, SealedError},
        secret::{self, Secrets},
    },
};
use ccc_core::{
    encoding::EncodingError,
    keys::rounds::{Party, Run},
};
use rand_core::CryptoRng;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Digests of closed rounds, in their order.
pub(crate) type Closed = Vec<[u8; 32]>;

/// What a state file holds.
pub(crate) struct Stored {
    pub(crate) closed: Closed,
    /// Nothing once the participant has finished.
    state: Option<Zeroizing<Vec<u8>>>,
}

/// The state file of one participant.
pub(crate) struct StateFile<'a> {
    path: PathBuf,
    passphrases: &'a Passphrases,
}

impl Stored {
    /// The stage, or nothing once the participant has finished.
    ///
    /// # Errors
    /// [`Error::State`] for a state of another session or participant.
    pub(crate) fn stage<'k, P: Run>(&self, path: &Path, party: Party<'k, P>) -> Result<Option<Stage<'k, P>>, Error>
    where
        Finished: From<P::Outcome>,
    {
        let read = self.state.as_ref().map(|bytes| Stage::read(bytes, party));
        read.transpose().map_err(|source| Error::State { path: path.into(), source })
    }
}

impl Stored {
    /// The state's bytes, or nothing once the participant has finished.
    pub(crate) fn into_bytes(self) -> Option<Zeroizing<Vec<u8>>> {
        self.state
    }
}

impl<'a> StateFile<'a> {
    pub(crate) fn new(path: &Path, passphrases: &'a Passphrases) -> Self {
        Self { path: path.into(), passphrases }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What is stored; nothing where there is no file.
    ///
    /// # Errors
    /// Those of opening a secret file.
    pub(crate) fn read(&self) -> Result<Option<Stored>, Error> {
        match std::fs::symlink_metadata(&self.path) {
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::Read { path: self.path.clone(), source }),
            Ok(_) => {}
        }
        let secrets = secret::open(&self.path, Content::Rounds, self.passphrases)?;
        let opened = secrets.split::<2>().and_then(|[closed, state]| {
            let (digests, rest) = closed.as_chunks::<32>();
            if !rest.is_empty() {
                return Err(SealedError::Encoding(EncodingError::Trailing { found: rest.len() }));
            }
            let state = (!state.is_empty()).then(|| Zeroizing::new(state.to_vec()));
            Ok(Stored { closed: digests.to_vec(), state })
        });
        opened.map(Some).map_err(|source| Error::Sealed { path: self.path.clone(), source })
    }

    /// As [`Self::write`], of a state as bytes and no digests: on a chain they are read there again.
    ///
    /// # Errors
    /// As [`secret::save`].
    pub(crate) fn write_bytes(&self, state: &[u8], first: bool, rng: &mut impl CryptoRng) -> Result<(), Error> {
        let (secrets, replace) = (Secrets::new(&[&[], state]), Replace::from_flag(!first));
        secret::save(&self.path, Content::Rounds, &secrets, replace, self.passphrases, rng)
    }

    /// Replaces what is stored; `first` refuses to replace anything.
    ///
    /// # Errors
    /// As [`secret::save`].
    pub(crate) fn write<P: Run>(
        &self,
        closed: &Closed,
        stage: Option<&Stage<'_, P>>,
        first: bool,
        rng: &mut impl CryptoRng,
    ) -> Result<(), Error>
    where
        Finished: From<P::Outcome>,
    {
        let state = stage.map(Stage::to_bytes).unwrap_or_default();
        let secrets = Secrets::new(&[closed.as_flattened(), &state]);
        let replace = Replace::from_flag(!first);
        secret::save(&self.path, Content::Rounds, &secrets, replace, self.passphrases, rng)
    }
}
