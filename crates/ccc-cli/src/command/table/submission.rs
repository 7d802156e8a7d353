//! `ccc table transfer`, `cancel`, `freeze`, `unfreeze`, `force-transfer`: into the pool's log, where each looks like a
//! standing order.

use super::{Context, deposit::check_amount};
use crate::{
    cli::{CancelArgs, ForceTransferArgs, OfOperator, Submitting, TransferArgs},
    error::Error,
    pool::{
        Pool, account,
        hexed::{Hex, HexBytes},
        log::Event,
        random,
    },
    ui::Answer,
};
use ccc_core::ciphertext::Ciphertext;
use ccc_enclave::intake::submission_id;
use ccc_node::maker::{Instruction, TableOwner};

pub(super) fn transfer(arguments: &TransferArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let pool = Pool::open(&arguments.submitting.pool)?;
    let owner = account::open(&arguments.account_key, &ctx.passphrases)?;
    check_moved(arguments.amount, owner.account(), arguments.to.0)?;
    let (asset, amount, to) = (pool.asset(arguments.asset), arguments.amount, arguments.to.0);
    let asked = Asked { what: "transfer", then: "makes it", instruction: Instruction::Transfer { asset, amount, to } };
    asked.submit(pool, &owner, &arguments.submitting, ctx)
}

pub(super) fn cancel(arguments: &CancelArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let pool = Pool::open(&arguments.submitting.pool)?;
    let owner = account::open(&arguments.account_key, &ctx.passphrases)?;
    let (order, expiry) = submitted(&pool, arguments.order.0)?;
    check_outlives(pool.now().saturating_add(arguments.submitting.lifetime), expiry)?;
    let (what, then) = ("cancellation", "reads it, and the order stands in none after it");
    Asked { what, then, instruction: Instruction::Cancel { order } }.submit(pool, &owner, &arguments.submitting, ctx)
}

/// Otherwise the order would stand again when its cancellation has expired.
pub(in crate::command) fn check_outlives(cancellation: u64, order: u64) -> Result<(), Error> {
    let ends_before = Error::Terms { what: "the lifetime", reason: "it ends before the order's" };
    if cancellation < order { Err(ends_before) } else { Ok(()) }
}

/// The digest of the submission under an id of the pool's log, and its expiry.
fn submitted(pool: &Pool, id: [u8; 32]) -> Result<([u8; 32], u64), Error> {
    let named = pool.log.events().iter().find_map(|event| match event {
        Event::StandingOrder { id: Hex(found), ciphertext, .. } if *found == id => Some(&ciphertext.0),
        _ => None,
    });
    let ciphertext = named.and_then(|bytes| Ciphertext::from_bytes(bytes).ok());
    let ciphertext = ciphertext.ok_or(Error::Terms { what: "the order", reason: "the log has none under this id" })?;
    Ok((ciphertext.digest(), ciphertext.label().expiry))
}

pub(super) fn freeze(of: &OfOperator, frozen: bool, ctx: &Context<'_>) -> Result<Answer, Error> {
    let pool = Pool::open(&of.submitting.pool)?;
    let operator = operator(of, &pool, ctx)?;
    let (account, asset, reason) = (of.account.0, pool.asset(of.asset), of.reason);
    let instruction = Instruction::Freeze { account, asset, reason, frozen };
    let (what, then) = if frozen { ("freeze", "freezes the row") } else { ("unfreeze", "thaws the row") };
    Asked { what, then, instruction }.submit(pool, &operator, &of.submitting, ctx)
}

pub(super) fn force_transfer(arguments: &ForceTransferArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let of = &arguments.of;
    let pool = Pool::open(&of.submitting.pool)?;
    let operator = operator(of, &pool, ctx)?;
    check_moved(arguments.amount, of.account.0, arguments.to.0)?;
    let (account, asset, reason) = (of.account.0, pool.asset(of.asset), of.reason);
    let instruction =
        Instruction::ForcedTransfer { account, asset, amount: arguments.amount, to: arguments.to.0, reason };
    let asked = Asked { what: "forced transfer", then: "makes it if the row is frozen", instruction };
    asked.submit(pool, &operator, &of.submitting, ctx)
}

/// What a round would let move nothing is refused here.
fn check_moved(amount: u128, from: [u8; 20], to: [u8; 20]) -> Result<(), Error> {
    check_amount(amount)?;
    if to == [0; 20] || to == from {
        return Err(Error::Terms { what: "the account that is credited", reason: "zero, or the one that is debited" });
    }
    Ok(())
}

/// The operator's keys, if they are those of the pool's operator.
fn operator(of: &OfOperator, pool: &Pool, ctx: &Context<'_>) -> Result<TableOwner, Error> {
    let expected = pool.config.operator.ok_or(Error::Operator { reason: "the settings name none" })?;
    let found = account::open(&of.operator_key, &ctx.passphrases)?;
    if found.account() != expected {
        return Err(Error::Operator { reason: "the key is another account's" });
    }
    Ok(found)
}

/// An instruction and how it is told.
struct Asked {
    what: &'static str,
    /// What the round does that reads it: the next one, unless a request waits.
    then: &'static str,
    instruction: Instruction,
}

impl Asked {
    fn submit(
        &self,
        mut pool: Pool,
        signer: &TableOwner,
        submitting: &Submitting,
        ctx: &Context<'_>,
    ) -> Result<Answer, Error> {
        let mut rng = ctx.rng()?;
        let who = submitting.from.map_or_else(|| random(&mut rng), |address| address.0);
        let id = submission_id(&pool.config, &who, &random(&mut rng));
        let time = pool.now();
        let expiry = time.saturating_add(submitting.lifetime);
        let key = pool.committee.master_public_key();
        let ciphertext = signer.instruct(&pool.config, key, (id, who), (&self.instruction, expiry), &mut rng)?;
        let ciphertext = HexBytes(ciphertext.to_bytes());
        pool.append(&Event::StandingOrder { time, id: Hex(id), who: Hex(who), ciphertext })?;
        let (what, block, waits) = (self.what, pool.log.number(), pool.requests(&pool.log) > 0);
        let when = if waits { "a request waits; when it has ended, the next round" } else { "the next round" };
        ctx.ui.result(
            &[format!("{what} {} at block {block}; {when} {}", hex::encode(id), self.then)],
            &serde_json::json!({
                "kind": what, "id": Hex(id), "from": Hex(who), "block": block, "expiry": expiry, "request_waits": waits,
            }),
        );
        Ok(Answer::Done)
    }
}
