//! `ccc table auditors`: the next version of the set that may read summaries. It is another configuration, so another
//! enclave, which opens the same table: the table's key is wrapped for the vault and not for an enclave.

use super::{Context, init::read_keys};
use crate::{
    cli::AuditorsArgs,
    error::Error,
    files::{self, Audience, Replace},
    pool::{Pool, hexed::Hex, settings::Auditors, settings_text},
    ui::Answer,
};
use ccc_core::table::AuditorSet;
use serde_json::json;

pub(super) fn run(arguments: &AuditorsArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    // while the store is held, no round runs under the settings that are replaced
    let (pool, _store) = Pool::open_alone(&arguments.pool)?;
    let former = pool.config.auditors.as_ref().map_or(0, AuditorSet::version);
    let full = Error::Terms { what: "the auditors", reason: "their version counts no higher" };
    let set = AuditorSet::new(former.checked_add(1).ok_or(full)?, read_keys(&arguments.keys)?)?;
    let (version, keys, digest) = (set.version(), set.keys().len(), set.digest());
    let mut settings = pool.settings.clone();
    settings.auditors = Some(Auditors(set));
    let config = settings.enclave();
    config.validate()?;
    let text = settings_text(&pool.paths, &settings)?;
    files::write(&pool.paths.settings(), text.as_bytes(), Audience::Everyone, Replace::Force)?;
    ctx.ui.note("attempts that were prepared before are void: the pool's enclave is another one now");
    ctx.ui.result(
        &[
            format!(
                "version {version} of the auditors, {keys} keys; measurement {}",
                hex::encode(config.measurement())
            ),
            format!("configuration {}", hex::encode(config.digest())),
        ],
        &json!({
            "configuration": Hex(config.digest()),
            "auditors_version": version, "keys": keys, "auditors_digest": Hex(digest),
            "measurement": Hex(config.measurement()), "former_measurement": Hex(pool.config.measurement()),
        }),
    );
    Ok(Answer::Done)
}
