//! `ccc table ask`: a query for an account's rows, sealed to an attested attempt.

use super::Context;
use crate::{
    cli::AskArgs,
    error::Error,
    files::{
        self, Audience, Replace,
        sealed::Content,
        secret::{self, Secrets},
    },
    pool::{
        Pool, account,
        attempt::{AttemptPaths, decode},
        reading::MAX_QUERY,
    },
    ui::Answer,
};
use ccc_enclave::{query::QueryFile, reader::ReaderKey};
use std::path::{Path, PathBuf};

pub(super) fn run(arguments: &AskArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let replace = Replace::from_flag(arguments.force);
    let key_path = key_path(&arguments.out)?;
    files::check_target(&arguments.out, replace)?;
    secret::check_target(&key_path, Content::Reader, replace)?;
    check_query(&arguments.out)?;
    let pool = Pool::open(&arguments.pool)?;
    let paths = AttemptPaths::new(&arguments.attempt);
    let header = pool.header()?;
    let public = pool.attested_reading(&paths, &header)?;
    let owner = account::open(&arguments.account_key, &ctx.passphrases)?;
    let mut rng = ctx.rng()?;
    let reader = ReaderKey::generate(&mut rng);
    let sealed = owner.query(&reader, &public.request, &public.card.recipient, &mut rng);
    let sealed = sealed.and_then(|sealed| sealed.try_into().ok());
    let sealed = sealed.ok_or_else(|| Error::OtherEnclave { path: paths.recipient() })?;
    let query = QueryFile { request: public.request.digest(), sealed };
    let secrets = Secrets::new(&[reader.to_bytes().as_slice()]);
    secret::save(&key_path, Content::Reader, &secrets, replace, &ctx.passphrases, &mut rng)?;
    files::write(&arguments.out, &query.to_bytes(), Audience::Everyone, replace)?;
    ctx.ui.result(
        &[format!("query in {}; {} opens the answer", arguments.out.display(), key_path.display())],
        &serde_json::json!({ "query": arguments.out, "key": key_path, "version": pool.head.version }),
    );
    Ok(Answer::Done)
}

/// The key's file beside the query's: its whole name with `.key` behind it, so that no query names another key's file.
fn key_path(out: &Path) -> Result<PathBuf, Error> {
    let name = out.file_name().filter(|_| !files::is_stream(out));
    let mut name =
        name.ok_or(Error::Terms { what: "--out", reason: "no file, and the key lies beside it" })?.to_owned();
    name.push(".key");
    Ok(out.with_file_name(name))
}

/// What is there may be replaced; it must be a query.
fn check_query(path: &Path) -> Result<(), Error> {
    if path.exists() {
        decode(path, MAX_QUERY, QueryFile::from_bytes)?;
    }
    Ok(())
}
