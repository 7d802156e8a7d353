//! `ccc fill prepare`: names what is opened, makes the attempt's keys, attests them.

use super::Context;
use crate::{
    cli::{FillPrepareArgs, UpkeepName},
    error::Error,
    pool::{
        Pool,
        attempt::{AttemptPaths, Purpose},
        hexed::Hex,
    },
    ui::Answer,
};

pub(super) fn run(arguments: &FillPrepareArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let purpose = purpose(arguments);
    let mut pool = Pool::open(&arguments.pool)?;
    if let Some(path) = &arguments.committee {
        if purpose != Purpose::Epoch {
            return Err(Error::NotRead { purpose: "an attempt without a new epoch", what: "committee" });
        }
        pool = pool.under(path)?;
    }
    let paths = AttemptPaths::new(&arguments.out);
    let request = pool.prepare(&paths, purpose, &ctx.passphrases, &mut ctx.rng()?)?;
    let (count, t) = (request.ciphertexts.len(), pool.committee_of(request.epoch)?.threshold().t());
    let reads_first = purpose == Purpose::Round && pool.reads_first(&pool.log)?;
    let mut lines = vec![format!("{count} ciphertexts to open; {t} participants must run `ccc reencrypt`")];
    if reads_first {
        lines.push(
            "this round reads what was submitted before the request; the one after it settles the request".into(),
        );
    }
    ctx.ui.result(
        &lines,
        &serde_json::json!({
            "request_digest": Hex(request.digest()), "ciphertexts": count, "shares_needed": t,
            "request": paths.request(), "recipient": paths.recipient(), "reads_first": reads_first,
        }),
    );
    Ok(Answer::Done)
}

fn purpose(arguments: &FillPrepareArgs) -> Purpose {
    match arguments.upkeep {
        Some(UpkeepName::Growth) => Purpose::Growth,
        Some(UpkeepName::Epoch) => Purpose::Epoch,
        Some(UpkeepName::Rotation) => Purpose::Rotation,
        None if arguments.reserve_check => Purpose::ReserveCheck,
        None if arguments.query => Purpose::Query,
        None if arguments.summary => Purpose::Summary,
        None => Purpose::Round,
    }
}
