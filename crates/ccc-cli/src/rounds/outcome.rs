//! What the rounds give one participant, and its files.

use super::keys;
use crate::{
    command::Context,
    error::Error,
    files::{self, Audience, Replace, passphrase::Passphrases, sealed::Content, secret},
    pool::read_committee,
};
use ccc_core::{
    identifier::Identifier,
    keys::{
        Committee, KeyShare, ParticipantKeys, Session,
        dkg::Outcome,
        reshare::{Certificate, Handover},
        rounds::Culprit,
    },
    suite,
};
use rand_core::CryptoRng;
use std::path::{Path, PathBuf};

const MAX_RESULT: u64 = 1 << 20;

/// The result of a key generation, a refresh or a reshare.
pub(crate) struct Finished {
    pub(crate) committee: Committee,
    pub(crate) key_share: Option<KeyShare>,
    pub(crate) transcript: [u8; 32],
    pub(crate) culprits: Vec<Culprit>,
    pub(crate) certificate: Option<Certificate>,
}

impl From<Outcome> for Finished {
    fn from(outcome: Outcome) -> Self {
        let Outcome { committee, key_share, transcript, culprits, .. } = outcome;
        Self { committee, key_share: Some(key_share), transcript, culprits, certificate: None }
    }
}

impl From<Handover> for Finished {
    fn from(handover: Handover) -> Self {
        let Handover { committee, key_share, transcript, culprits, certificate, .. } = handover;
        Self { committee, key_share, transcript, culprits, certificate: Some(certificate) }
    }
}

/// Where the results go.
#[derive(Clone)]
pub(crate) struct Results(PathBuf);

impl Results {
    pub(crate) fn new(directory: &Path) -> Self {
        Self(directory.into())
    }

    pub(crate) fn committee(&self) -> PathBuf {
        self.0.join("committee.ccc")
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.0.join("certificate.ccc")
    }

    fn participant(&self, number: Identifier) -> PathBuf {
        self.0.join(format!("participant-{number}.ccc"))
    }

    /// Refuses an old share that lies under a name of the results, reached by whatever path: one of the two would go when
    /// the other comes.
    ///
    /// # Errors
    /// [`Error::OldShare`].
    pub(crate) fn check_apart(&self, old: &Path) -> Result<(), Error> {
        let (Some(old_file), Ok(directory)) = (resolved(old), self.0.canonicalize()) else { return Ok(()) };
        let name = old_file.file_name().unwrap_or_default().to_string_lossy();
        let share = name.starts_with("participant-") && name.ends_with(".ccc");
        let taken = share || ["committee.ccc", "certificate.ccc"].contains(&&*name);
        if taken && old_file.parent() == Some(&directory) {
            return Err(Error::OldShare { path: old.into(), out: self.0.clone() });
        }
        Ok(())
    }

    /// Refuses to do without the old share where the new one does not serve: it opens, and belongs to the new committee.
    ///
    /// # Errors
    /// [`Error::NewShare`].
    pub(crate) fn check_share(
        &self,
        number: Identifier,
        session: &Session,
        passphrases: &Passphrases,
    ) -> Result<(), Error> {
        let path = self.participant(number);
        let refused = |reason: String| Error::NewShare { path: path.clone(), reason };
        let committee = read_committee(&self.committee()).map_err(|error| refused(error.to_string()))?;
        if committee.roster() != session.roster() {
            return Err(refused(format!("{} is not of this session", self.committee().display())));
        }
        let (share, _) = keys::read_share(&path, passphrases).map_err(|error| refused(error.to_string()))?;
        if share.identifier() != number {
            return Err(refused(format!("it is the share of participant {}", share.identifier())));
        }
        share.matches(&committee).map_err(|error| refused(error.to_string()))
    }

    /// Writes share, committee and certificate. Files that hold the same already stay.
    ///
    /// # Errors
    /// Those of writing; when one target is refused, none is written.
    pub(crate) fn write(
        &self,
        finished: &Finished,
        keys: &ParticipantKeys,
        session: &Session,
        replace: Replace,
        ctx: &Context<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<Option<PathBuf>, Error> {
        let public = self.public(finished, session);
        let participant = finished.key_share.as_ref().map(|share| (self.participant(share.identifier()), share));
        let share = participant.as_ref().filter(|(path, share)| !holds(path, share, keys, ctx));
        let targets = share.iter().map(|(path, _)| path).chain(public.iter().map(|(path, _)| path));
        targets.into_iter().try_for_each(|path| files::check_target(path, replace))?;
        files::directory(&self.0)?;
        if let Some((path, share)) = share {
            let secrets = keys::with_share(share, keys);
            secret::save(path, Content::Participant, &secrets, replace, &ctx.passphrases, rng)?;
        }
        self.write_files(&public, replace)?;
        Ok(participant.map(|(path, _)| path))
    }

    /// As [`Self::write`] for a participant that receives nothing.
    ///
    /// # Errors
    /// Those of writing.
    pub(crate) fn write_public(
        &self,
        finished: &Finished,
        session: &Session,
        replace: Replace,
    ) -> Result<Option<PathBuf>, Error> {
        let public = self.public(finished, session);
        public.iter().try_for_each(|(path, _)| files::check_target(path, replace))?;
        self.write_files(&public, replace)?;
        Ok(None)
    }

    fn write_files(&self, public: &[(PathBuf, Vec<u8>)], replace: Replace) -> Result<(), Error> {
        files::directory(&self.0)?;
        public.iter().try_for_each(|(path, bytes)| files::write(path, bytes, Audience::Everyone, replace))
    }

    /// Committee and certificate, unless they are here already.
    fn public(&self, finished: &Finished, session: &Session) -> Vec<(PathBuf, Vec<u8>)> {
        let committee = finished.committee.to_bytes();
        let known = files::read(&self.committee(), MAX_RESULT).ok().as_ref() == Some(&committee);
        let committee = (!known).then(|| (self.committee(), committee));
        let certificate = finished.certificate.as_ref().filter(|_| !self.is_certified(session));
        let certificate = certificate.map(|certificate| (self.certificate(), certificate.to_bytes()));
        committee.into_iter().chain(certificate).collect()
    }

    /// Whether a certificate of this session lies here.
    pub(crate) fn is_certified(&self, session: &Session) -> bool {
        let read = files::read(&self.certificate(), MAX_RESULT).ok();
        let certificate = read.and_then(|bytes| Certificate::from_bytes(&bytes).ok());
        certificate.is_some_and(|certificate| certificate.verify(session).is_ok())
    }
}

/// The file behind a path; for one that is gone, where it was.
fn resolved(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok().or_else(|| {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(parent.canonicalize().ok()?.join(path.file_name()?))
    })
}

/// Whether a key file holds this share and these keys.
fn holds(path: &Path, share: &KeyShare, keys: &ParticipantKeys, ctx: &Context<'_>) -> bool {
    if !path.exists() {
        return false;
    }
    let found = keys::read_share(path, &ctx.passphrases);
    found.is_ok_and(|(found, beside)| {
        suite::digest(&found.to_bytes()) == suite::digest(&share.to_bytes())
            && beside.public_keys() == keys.public_keys()
    })
}

/// One line for a person.
pub(crate) fn committee_line(committee: &Committee, path: &Path) -> String {
    let (t, n) = (committee.threshold().t(), committee.threshold().n());
    format!("committee of {n}, any {t} open: {}", path.display())
}
