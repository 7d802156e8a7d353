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
    pool::{Pool, account, attempt::AttemptPaths},
    ui::Answer,
};
use ccc_core::table::TableStore;
use ccc_enclave::{query::QueryFile, reader::ReaderKey};

pub(super) fn run(arguments: &AskArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let replace = Replace::from_flag(arguments.force);
    let key_path = arguments.out.with_extension("key");
    for path in [&arguments.out, &key_path] {
        files::check_target(path, replace)?;
    }
    let pool = Pool::open(&arguments.pool)?;
    let paths = AttemptPaths::new(&arguments.attempt);
    let header = pool.store()?.header(&pool.head.header_hash.0)?;
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
