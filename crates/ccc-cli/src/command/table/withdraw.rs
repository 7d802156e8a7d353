//! `ccc table withdraw`: a request for a withdrawal into the pool's log.

use super::Context;
use crate::{
    cli::WithdrawArgs,
    error::Error,
    pool::{
        Pool, account,
        hexed::{Hex, HexBytes},
        log::Event,
        random,
    },
    ui::Answer,
};
use ccc_enclave::intake::submission_id;
use ccc_node::maker::Withdrawal;

/// Seconds for which a withdrawal's ciphertext may be opened.
const LIFETIME: u64 = 30 * 24 * 3600;

pub(super) fn run(arguments: &WithdrawArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let mut pool = Pool::open(&arguments.pool)?;
    let withdrawal = withdrawal(arguments, &pool)?;
    let owner = account::open(&arguments.account_key, &ctx.passphrases)?;
    let mut rng = ctx.rng()?;
    let who = arguments.from.map_or_else(|| random(&mut rng), |address| address.0);
    let id = submission_id(&pool.config, &who, &random(&mut rng));
    let time = pool.now();
    let key = pool.committee.master_public_key();
    let asked = (&withdrawal, time.saturating_add(LIFETIME));
    let ciphertext = owner.withdrawal(&pool.config, key, (id, who), asked, &mut rng)?;
    let ciphertext = HexBytes(ciphertext.to_bytes());
    pool.append(&Event::Withdrawal { time, id: Hex(id), who: Hex(who), ciphertext })?;
    ctx.ui.result(
        &[format!("withdrawal {} at block {}; the next round pays it", hex::encode(id), pool.log.number())],
        &serde_json::json!({ "id": Hex(id), "from": Hex(who), "block": pool.log.number() }),
    );
    Ok(Answer::Done)
}

/// What a round would let move nothing is refused here.
fn withdrawal(arguments: &WithdrawArgs, pool: &Pool) -> Result<Withdrawal, Error> {
    if arguments.amount == 0 {
        return Err(Error::Terms { what: "the amount", reason: "zero" });
    }
    let recipient = arguments.to.0;
    if recipient == [0; 20] || recipient == pool.config.pool {
        return Err(Error::Terms { what: "the recipient", reason: "zero, or the pool itself" });
    }
    Ok(Withdrawal { asset: pool.asset(arguments.asset), amount: arguments.amount, recipient })
}
