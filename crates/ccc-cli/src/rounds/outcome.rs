//! What the rounds give one participant, and its files.

use super::keys;
use crate::{
    command::Context,
    error::Error,
    files::{self, Audience, Replace, sealed::Content, secret},
};
use ccc_core::{
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

    fn participant(&self, share: &KeyShare) -> PathBuf {
        self.0.join(format!("participant-{}.ccc", share.identifier()))
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
        let participant = finished.key_share.as_ref().map(|share| (self.participant(share), share));
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
