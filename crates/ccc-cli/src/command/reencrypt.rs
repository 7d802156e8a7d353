//! `ccc reencrypt`: one participant's checks, then its share, sealed to the attested enclave.

use super::Context;
use crate::{
    cli::ReencryptArgs,
    error::Error,
    files::{self, Audience, Replace},
    pool::{
        Pool,
        attempt::{AttemptPaths, PublicAttempt, open_participant},
        journal::FileJournal,
        read_committee,
    },
    ui::Answer,
};
use ccc_node::vault_node::{Ask, VaultNode};

pub(super) fn run(arguments: &ReencryptArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    if files::is_stream(&arguments.participant) {
        return Err(Error::NeedsFile);
    }
    let pool = Pool::open(&arguments.pool)?;
    let committee = match &arguments.committee {
        Some(path) => read_committee(path)?,
        None => pool.committee.clone(),
    };
    let (share, keys) = open_participant(&arguments.participant, &committee, &ctx.passphrases)?;
    let paths = AttemptPaths::new(&arguments.attempt);
    let identifier = share.identifier().get();
    let target = arguments.out.clone().unwrap_or_else(|| paths.share(identifier));
    let replace = Replace::from_flag(arguments.force);
    if !files::is_stream(&target) {
        files::check_target(&target, replace)?;
    }
    let public = PublicAttempt::read(&paths)?;
    if public.request.table_header != Some(pool.head.header_hash.0) {
        return Err(Error::Moved { version: pool.head.version });
    }
    let at = public.block(&pool.log)?;
    let header = pool.table()?.header;
    let ciphertexts = pool.ciphertexts(&at, Some(&header), &public.request.ciphertexts)?;
    let ask = Ask { request: public.request, card: public.card, ciphertexts, header: Some(header) };
    let served = (pool.config.chain, pool.config.pool);
    let journal = FileJournal::beside(&arguments.participant)?;
    let mut node = VaultNode::new(keys, share, committee, pool.settings.policy(), served, journal);
    let view = pool.chain_view(&at, at.time());
    let envelope = node.reencrypt(&view, &ask, pool.now(), &mut ctx.rng()?)?.ok_or(Error::NoAnswer)?;
    files::write(&target, &envelope.to_bytes(), Audience::Everyone, replace)?;
    if !files::is_stream(&target) {
        ctx.ui.result(
            &[format!("participant {identifier}: {}", target.display())],
            &serde_json::json!({ "participant": identifier, "share": target }),
        );
    }
    Ok(Answer::Done)
}
