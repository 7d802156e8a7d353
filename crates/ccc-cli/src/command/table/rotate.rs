//! `ccc table rotate`: the pool under a committee with another master public key. Another key is another configuration, so
//! another enclave; it knows the former key too, for the one version that takes the table along.

use super::Context;
use crate::{
    cli::RotateArgs,
    error::Error,
    files::{self, Audience, Replace},
    pool::{Paths, Pool, hexed::Hex, log::Event, read_committee, read_settings, settings_text},
    ui::Answer,
};
use ccc_core::{epoch::Epoch, keys::Committee};
use ccc_enclave::intake::Log;
use ccc_store::DirectoryStore;
use serde_json::json;

pub(super) fn run(arguments: &RotateArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let next = read_committee(&arguments.committee)?;
    let stopped = finish(&Paths::new(&arguments.pool), &next)?;
    let left = if stopped { None } else { Some(Hex(begin(arguments, &next)?)) };
    let pool = Pool::open(&arguments.pool)?;
    let kept = pool.paths.former_committee(pool.header()?.epoch());
    ctx.ui.note("attempts that were prepared before are void: the pool's enclave is another one now");
    ctx.ui.result(
        &[
            format!(
                "master public key {}; measurement {}",
                hex::encode(pool.config.master_public_key),
                hex::encode(pool.config.measurement())
            ),
            format!("now `ccc fill prepare --upkeep rotation`, with shares of the committee in {}", kept.display()),
        ],
        &json!({
            "master_public_key": pool.settings.pool.master_public_key,
            "former_master_public_key": pool.settings.pool.former_master_public_key,
            "epoch": next.epoch().0, "former_committee": kept, "configuration": Hex(pool.config.digest()),
            "measurement": Hex(pool.config.measurement()), "former_measurement": left,
        }),
    );
    Ok(Answer::Done)
}

/// Ends a rotation that stopped between the settings and the committee, if one did: whether it did.
fn finish(paths: &Paths, next: &Committee) -> Result<bool, Error> {
    let (settings, _) = read_settings(paths)?;
    let left = read_committee(&paths.committee())?;
    let [from, to] = [&left, next].map(|committee| committee.master_public_key().to_bytes());
    let (key, former) = (settings.pool.master_public_key.0, settings.pool.former_master_public_key);
    if (former.map(|former| former.0), key) != (Some(from), to) {
        return Ok(false);
    }
    let _store = DirectoryStore::open(paths.table())?;
    check_epoch(left.epoch(), next)?;
    files::write(&paths.committee(), &next.to_bytes(), Audience::Everyone, Replace::Force)?;
    Ok(true)
}

/// Checks and writes; the measurement that the pool leaves.
fn begin(arguments: &RotateArgs, next: &Committee) -> Result<[u8; 32], Error> {
    // while the store is held, no round runs under the settings that are replaced
    let (pool, store) = Pool::open_alone(&arguments.pool)?;
    if next.master_public_key() == pool.committee.master_public_key() {
        return Err(Error::SameKey);
    }
    check_epoch(pool.committee.epoch(), next)?;
    pool.check_followed(pool.current(&store)?.header())?;
    if !arguments.leave_waiting {
        check_waiting(&pool)?;
    }
    let mut settings = pool.settings.clone();
    settings.pool.former_master_public_key = Some(pool.settings.pool.master_public_key);
    settings.pool.master_public_key = Hex(next.master_public_key().to_bytes());
    settings.enclave().validate()?;
    let text = settings_text(&pool.paths, &settings)?;
    let kept = pool.paths.former_committee(pool.committee.epoch());
    files::write(&kept, &pool.committee.to_bytes(), Audience::Everyone, Replace::Force)?;
    files::write(&pool.paths.settings(), text.as_bytes(), Audience::Everyone, Replace::Force)?;
    files::write(&pool.paths.committee(), &next.to_bytes(), Audience::Everyone, Replace::Force)?;
    Ok(pool.config.measurement())
}

/// Another key, in a later epoch.
fn check_epoch(before: Epoch, next: &Committee) -> Result<(), Error> {
    let (expected, found) = (Epoch(before.0.saturating_add(1)), next.epoch());
    if found > before { Ok(()) } else { Err(Error::NextEpoch { expected, found }) }
}

/// Nothing that rounds after the rotation would not open any more.
fn check_waiting(pool: &Pool) -> Result<(), Error> {
    let at = pool.log.then(&Event::Block { time: pool.now() });
    let Log { boundary, new_orders, live_orders, .. } = pool.round_log(&at)?;
    let requests = pool.requests(&at);
    match (boundary.len(), new_orders.len(), live_orders.len(), requests) {
        (0, 0, 0, 0) => Ok(()),
        (operations, new, live, requests) => Err(Error::Waiting { operations, new, live, requests }),
    }
}
