//! `ccc table withdraw`: a request for a withdrawal into the pool's log.

use super::{Context, deposit::check_amount};
use crate::{
    cli::WithdrawArgs,
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
use ccc_node::maker::Withdrawal;

pub(super) fn run(arguments: &WithdrawArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let mut pool = Pool::open(&arguments.pool)?;
    let asset = pool.asset(arguments.asset);
    let withdrawal = checked(asset, arguments.amount, arguments.to.0, pool.config.pool)?;
    let owner = account::open(&arguments.account_key, &ctx.passphrases)?;
    let mut rng = ctx.rng()?;
    let who = arguments.from.map_or_else(|| random(&mut rng), |address| address.0);
    let id = submission_id(&pool.config, &who, &random(&mut rng));
    let time = pool.now();
    let key = pool.committee.master_public_key();
    let asked = (&withdrawal, time.saturating_add(BOUNDARY_LIFETIME));
    let ciphertext = owner.withdrawal(&pool.config, key, (id, who), asked, &mut rng)?;
    let ciphertext = HexBytes(ciphertext.to_bytes());
    pool.append(&Event::Withdrawal { time, id: Hex(id), who: Hex(who), ciphertext })?;
    ctx.ui.result(
        &[format!("withdrawal {} at block {}; the next round pays it", hex::encode(id), pool.log.number())],
        &serde_json::json!({ "id": Hex(id), "from": Hex(who), "block": pool.log.number() }),
    );
    Ok(Answer::Done)
}

/// A withdrawal; what a round would let move nothing is refused here.
pub(in crate::command) fn checked(
    asset: u32,
    amount: u128,
    recipient: [u8; 20],
    pool: [u8; 20],
) -> Result<Withdrawal, Error> {
    check_amount(amount)?;
    if recipient == [0; 20] || recipient == pool {
        return Err(Error::Terms { what: "the recipient", reason: "zero, or the pool itself" });
    }
    Ok(Withdrawal { asset, amount, recipient })
}
