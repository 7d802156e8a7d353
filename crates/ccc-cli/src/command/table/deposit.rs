//! `ccc table deposit`: one deposit into the pool's log.

use super::Context;
use crate::{
    cli::DepositArgs,
    error::Error,
    pool::{
        BOUNDARY_LIFETIME, Pool, account,
        hexed::{Hex, HexBytes},
        log::Event,
        random,
    },
    ui::Answer,
};
use ccc_enclave::intake::submission_id;

pub(super) fn run(arguments: &DepositArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    check_amount(arguments.amount)?;
    let mut pool = Pool::open(&arguments.pool)?;
    let owner = account::open(&arguments.account_key, &ctx.passphrases)?;
    let mut rng = ctx.rng()?;
    let who = arguments.from.map_or_else(|| random(&mut rng), |address| address.0);
    let id = submission_id(&pool.config, &who, &random(&mut rng));
    let time = pool.now();
    let key = pool.committee.master_public_key();
    let ciphertext = owner.deposit(&pool.config, key, (id, who), time.saturating_add(BOUNDARY_LIFETIME), &mut rng)?;
    let event = Event::Deposit {
        time,
        id: Hex(id),
        who: Hex(who),
        asset: pool.asset(arguments.asset),
        amount: arguments.amount.to_string(),
        ciphertext: HexBytes(ciphertext.to_bytes()),
    };
    pool.append(&event)?;
    ctx.ui.result(
        &[format!("deposit {} at block {}; the next round credits it", hex::encode(id), pool.log.number())],
        &serde_json::json!({ "id": Hex(id), "from": Hex(who), "block": pool.log.number() }),
    );
    Ok(Answer::Done)
}

/// Zero moves nothing.
pub(in crate::command) fn check_amount(amount: u128) -> Result<(), Error> {
    if amount == 0 { Err(Error::Terms { what: "the amount", reason: "zero" }) } else { Ok(()) }
}
