//! `ccc table rotate`: the pool under a committee with another master public key. Another key is another configuration, so
//! another enclave; it knows the former key too, for the one version that takes the table along.

use super::Context;
use crate::{
    cli::RotateArgs,
    error::Error,
    files::{self, Audience, Replace},
    pool::{Pool, hexed::Hex, read_committee, settings_text},
    ui::Answer,
};
use ccc_core::{epoch::Epoch, keys::Committee};
use serde_json::json;

pub(super) fn run(arguments: &RotateArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    // while the store is held, no round runs under the settings that are replaced
    let (pool, store) = Pool::open_alone(&arguments.pool)?;
    let next = read_committee(&arguments.committee)?;
    check(&pool, &next)?;
    let header = pool.current(&store)?.header().clone();
    let followed = header.wrapped().clone().verify(pool.committee.master_public_key());
    followed.map_err(|_| Error::NotFollowed)?;
    let mut settings = pool.settings.clone();
    settings.pool.former_master_public_key = Some(pool.settings.pool.master_public_key);
    settings.pool.master_public_key = Hex(next.master_public_key().to_bytes());
    let config = settings.enclave();
    config.validate()?;
    let text = settings_text(&pool.paths, &settings)?;
    let kept = pool.paths.former_committee(pool.committee.epoch());
    files::write(&kept, &pool.committee.to_bytes(), Audience::Everyone, Replace::Force)?;
    files::write(&pool.paths.settings(), text.as_bytes(), Audience::Everyone, Replace::Force)?;
    files::write(&pool.paths.committee(), &next.to_bytes(), Audience::Everyone, Replace::Force)?;
    ctx.ui.note("attempts that were prepared before are void: the pool's enclave is another one now");
    ctx.ui.result(
        &[
            format!(
                "master public key {}; measurement {}",
                hex::encode(config.master_public_key),
                hex::encode(config.measurement())
            ),
            format!("now `ccc fill prepare --upkeep rotation`, with shares of the committee in {}", kept.display()),
        ],
        &json!({
            "master_public_key": settings.pool.master_public_key,
            "former_master_public_key": settings.pool.former_master_public_key,
            "epoch": next.epoch().0, "former_committee": kept, "configuration": Hex(config.digest()),
            "measurement": Hex(config.measurement()), "former_measurement": Hex(pool.config.measurement()),
        }),
    );
    Ok(Answer::Done)
}

/// Another key, in the next epoch.
fn check(pool: &Pool, next: &Committee) -> Result<(), Error> {
    if next.master_public_key() == pool.committee.master_public_key() {
        return Err(Error::SameKey);
    }
    let (expected, found) = (Epoch(pool.committee.epoch().0.saturating_add(1)), next.epoch());
    if found == expected { Ok(()) } else { Err(Error::NextEpoch { expected, found }) }
}
