//! `ccc fill prepare`: names what is opened, makes the attempt's keys, attests them.

use super::Context;
use crate::{
    cli::FillPrepareArgs,
    error::Error,
    pool::{
        Pool,
        attempt::{AttemptPaths, Purpose},
        hexed::Hex,
    },
    ui::Answer,
};

pub(super) fn run(arguments: &FillPrepareArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let mut pool = Pool::open(&arguments.pool)?;
    let purpose = if arguments.reserve_check { Purpose::ReserveCheck } else { Purpose::Round };
    let paths = AttemptPaths::new(&arguments.out);
    let request = pool.prepare(&paths, purpose, &ctx.passphrases, &mut ctx.rng()?)?;
    let (count, t) = (request.ciphertexts.len(), pool.committee.threshold().t());
    ctx.ui.result(
        &[format!("{count} ciphertexts to open; {t} participants must run `ccc reencrypt`")],
        &serde_json::json!({
            "request_digest": Hex(request.digest()), "ciphertexts": count, "shares_needed": t,
            "request": paths.request(), "recipient": paths.recipient(),
        }),
    );
    Ok(Answer::Done)
}
