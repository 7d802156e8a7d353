//! `ccc reencrypt`: one participant's checks, then its share, sealed to the attested enclave.

use super::Context;
use crate::{
    cli::ReencryptArgs,
    error::Error,
    files::{self, Audience, Replace},
    pool::{
        Pool,
        attempt::{AttemptPaths, PublicAttempt, open_participant},
        read_committee,
    },
    ui::Answer,
};
use ccc_node::vault_node::{Ask, ChainView, VaultNode};
use ccc_server::journal::FileJournal;
use std::path::Path;

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
    let (ask, view) = read_chain(&pool, &paths)?;
    let served = (pool.config.chain, pool.config.pool);
    let journal = FileJournal::beside(&arguments.participant, &keys)?;
    let mut node = VaultNode::new(keys, share, committee, pool.settings.policy(), served, journal);
    let envelope = node.reencrypt(&view, &ask, pool.now(), &mut ctx.rng()?)?.ok_or(Error::NoAnswer)?;
    files::write(&target, &envelope.to_bytes(), Audience::Everyone, replace)?;
    report(identifier, &target, ctx);
    Ok(Answer::Done)
}

/// What the attempt asks, with every ciphertext from the log, and what the participant reads for itself.
fn read_chain(pool: &Pool, paths: &AttemptPaths) -> Result<(Ask, ChainView), Error> {
    let PublicAttempt { request, card } = PublicAttempt::read(paths)?;
    if request.table_header != Some(pool.head.header_hash.0) {
        return Err(Error::Moved { version: pool.head.version });
    }
    if card.recipient.measurement != pool.config.measurement() {
        return Err(Error::OtherEnclave { path: paths.recipient() });
    }
    let at = pool.log.up_to(&request.block_hash).ok_or(Error::UnknownBlock)?;
    let header = pool.header()?;
    let ciphertexts = pool.ciphertexts(&at, Some(&header), &request.ciphertexts)?;
    let view = pool.chain_view(&at, at.time());
    Ok((Ask { request, card, identity: None, ciphertexts, header: Some(header) }, view))
}

fn report(identifier: u16, target: &Path, ctx: &Context<'_>) {
    if !files::is_stream(target) {
        ctx.ui.result(
            &[format!("participant {identifier}: {}", target.display())],
            &serde_json::json!({ "participant": identifier, "share": target }),
        );
    }
}
