//! Attempts that answer: owners' queries, or a summary for the auditors. No version is made and nobody signs a report;
//! the enclave's evidence vouches for the answers.

use super::{
    Pool,
    attempt::{AttemptPaths, PublicAttempt, Purpose, decode},
    round::Bench,
};
use crate::{
    error::{Error, NotShare},
    files::{self, passphrase::Passphrases, sealed::Content, secret},
};
use ccc_core::{encoding::EncodingError, table::Header};
use ccc_enclave::{
    attempt::{Attempt, OpenedAttempt},
    query::{Answers, GREATEST_QUERIES, Queries, QueryError, QueryFile},
    reader::ReaderKey,
};
use rand_core::CryptoRng;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Longer than any query.
pub(crate) const MAX_QUERY: u64 = 4096;
/// 64 answers of a mebibyte each are more than any pool gives.
const MAX_ANSWERS: u64 = (1 << 26) + (1 << 17);

/// What an attempt that answers has made. Nothing of it is on disk yet.
pub(crate) struct Reading {
    /// What the attempt was for.
    pub(crate) purpose: Purpose,
    pub(crate) answers: Answers,
    /// Participants whose shares were bad, and files that are neither shares nor queries of the attempt.
    pub(crate) culprits: BTreeMap<u16, String>,
    pub(crate) not_shares: Vec<NotShare>,
}

/// The queries of an attempt's directory, and the files that are none of its queries.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) queries: Option<Queries>,
    pub(super) left_out: Vec<NotShare>,
}

impl Bench<'_, '_> {
    /// The queries that lie in the attempt's directory, read with its keys; none unless the attempt answers queries.
    ///
    /// # Errors
    /// [`Error::NoQueries`] where not one file is a query of this attempt, [`Error::Query`].
    pub(super) fn asked(&self, paths: &AttemptPaths, attempt: &Attempt<'_>) -> Result<Asked, Error> {
        if self.purpose != Purpose::Query {
            return Ok(Asked::default());
        }
        let (mut sealed, mut left_out) = (Vec::new(), Vec::new());
        for path in (1..=GREATEST_QUERIES).map(|number| paths.query(number)) {
            let Some(found) = files::found(&path, MAX_QUERY) else { continue };
            match found.and_then(|bytes| query(&bytes, &self.request.digest())) {
                Ok(query) => sealed.push(query.sealed.to_vec()),
                Err(reason) => left_out.push(NotShare { path, reason }),
            }
        }
        if sealed.is_empty() {
            return Err(Error::NoQueries { not_shares: left_out });
        }
        Ok(Asked { queries: Some(attempt.queries(&sealed)?), left_out })
    }

    /// What the enclave answers.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub(super) fn answers(
        &self,
        opened: OpenedAttempt<'_>,
        queries: Option<&Queries>,
        rng: &mut impl CryptoRng,
    ) -> Result<Answers, Error> {
        let table = self.table()?;
        let (header, body) = (&table.header, &table.body);
        Ok(match queries {
            Some(queries) => opened.answer(queries, header, body, rng)?,
            None => opened.summary(header, body, rng)?,
        })
    }
}

fn query(bytes: &[u8], request: &[u8; 64]) -> Result<QueryFile, String> {
    let query = QueryFile::from_bytes(bytes).map_err(|error: EncodingError| error.to_string())?;
    if query.request == *request { Ok(query) } else { Err("it was made for another attempt".into()) }
}

impl Pool {
    /// The public part of an attempt whose keys are attested as this pool's enclave and which opens nothing but the key
    /// of the current table: what an owner checks before it seals a query.
    ///
    /// # Errors
    /// [`Error::Moved`], [`Error::UnknownBlock`], [`Error::Evidence`], [`Error::OtherEnclave`], [`Error::Query`].
    pub(crate) fn attested_reading(&self, paths: &AttemptPaths, header: &Header) -> Result<PublicAttempt, Error> {
        let public = PublicAttempt::read(paths)?;
        if public.request.table_header != Some(header.hash()) {
            return Err(Error::Moved { version: self.head.version });
        }
        public.block(&self.log)?;
        if public.request.ciphertexts != [header.wrapped().digest()] {
            return Err(QueryError::Request.into());
        }
        let (digest, card) = (public.request.digest(), &public.card);
        let checked =
            self.settings.policy().check(&card.evidence, &card.recipient.user_data(&digest), &digest, self.now());
        let evidence = checked.map_err(|source| Error::Evidence { path: paths.recipient(), source })?;
        if evidence.measurement != card.recipient.measurement {
            return Err(Error::OtherEnclave { path: paths.recipient() });
        }
        Ok(public)
    }

    /// The answers of an attempt, if the evidence vouches for them: of this pool's enclave, for this request.
    ///
    /// # Errors
    /// [`Error::OtherAttempt`], [`Error::Evidence`], [`Error::Encoding`].
    pub(crate) fn attested_answers(&self, paths: &AttemptPaths, path: &Path) -> Result<Answers, Error> {
        let PublicAttempt { request, .. } = PublicAttempt::read(paths)?;
        let answers = decode(path, MAX_ANSWERS, Answers::from_bytes)?;
        if answers.request != request.digest() || Some(answers.header) != request.table_header {
            return Err(Error::OtherAttempt { path: path.into() });
        }
        let checked = answers.check(&self.settings.policy(), self.now());
        checked.map_err(|source| Error::Evidence { path: path.into(), source })?;
        Ok(answers)
    }
}

/// The key of a reader from its file.
///
/// # Errors
/// Those of [`secret::open`].
pub(crate) fn open_reader(path: &Path, passphrases: &Passphrases) -> Result<ReaderKey, Error> {
    let secrets = secret::open(path, Content::Reader, passphrases)?;
    let sealed = |source| Error::Sealed { path: path.into(), source };
    let [key] = secrets.split::<1>().map_err(sealed)?;
    ReaderKey::from_bytes(key).map_err(|source| Error::ReaderKey { path: path.into(), source })
}

/// Where the answers of an attempt are, unless said otherwise.
pub(crate) fn answers_path(paths: &AttemptPaths, given: Option<&PathBuf>) -> PathBuf {
    given.cloned().unwrap_or_else(|| paths.answers())
}
