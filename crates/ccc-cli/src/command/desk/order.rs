//! `ccc order new` and `ccc order cancel`: sealed submissions, which look alike.

use super::{
    super::{Context, table::submission::check_outlives},
    BASE,
    door::{Desk, Name},
    sending::{Step, Told},
};
use crate::{
    cli::{DeskArgs, OrderCancelArgs, OrderNewArgs, SettingsArgs},
    error::Error,
    network::NetworkError,
    pool::{
        hexed::Hex,
        terms::{Terms, TermsFlags},
    },
    ui::Answer,
};
use alloy::primitives::Address;
use ccc_chain::{Wallet, calls, watch::Event};
use ccc_core::ciphertext::Ciphertext;
use ccc_node::maker::Instruction;
use serde_json::{Value, json};

/// Seconds that a cancellation lives at least: as long as orders do unless told otherwise.
const LEAST_LIFETIME: u64 = 3_600;

pub(super) async fn new(arguments: &OrderNewArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let desk = Desk::open(&SettingsArgs::from(&arguments.desk), ctx).await?.within(arguments.desk.send.spend);
    let OrderNewArgs { size, spread, minimum, cap, .. } = *arguments;
    let flags = TermsFlags { file: arguments.terms.as_deref(), size, spread, minimum, cap };
    let terms = Terms::standing(&flags, desk.token(BASE)?.plan.lot, ctx.ui)?;
    let (wallet, owner) = (desk.wallet()?, desk.owner()?);
    desk.warn_of_sender(&wallet, &owner);
    let key = desk.master_key().await?;
    let mut rng = ctx.rng()?;
    let name = desk.name(wallet.address(), arguments.desk.salt, &mut rng);
    let expiry = desk.node.now().await?.saturating_add(arguments.lifetime);
    let offer = terms.offer(BASE, expiry);
    let ciphertext = owner.standing_order(desk.pool(), &key, (name.id, name.who), &offer, &mut rng)?;
    let then = format!("it stands from the next round on, until {expiry} or `ccc order cancel ID`");
    let told = Told::new("standing order", name, then, sealed(&ciphertext, expiry));
    submit(&desk, &wallet, &arguments.desk, (&ciphertext, &name), &told).await
}

pub(super) async fn cancel(arguments: &OrderCancelArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let desk = Desk::open(&SettingsArgs::from(&arguments.desk), ctx).await?.within(arguments.desk.send.spend);
    let (wallet, owner) = (desk.wallet()?, desk.owner()?);
    let key = desk.master_key().await?;
    let order = desk.standing_order(arguments.order.0).await?;
    let (now, judged) = (desk.node.now().await?, desk.final_time().await?);
    if order.expiry < judged {
        let id = hex::encode(arguments.order.0);
        return Err(NetworkError::ExpiredSubmission { id, expiry: order.expiry, now: judged }.into());
    }
    if order.maker != wallet.address() {
        ctx.ui.note(&format!("the order was submitted by {}, not by this sender", order.maker));
    }
    let least = order.expiry.saturating_sub(now).max(LEAST_LIFETIME);
    let expiry = now.saturating_add(arguments.lifetime.unwrap_or(least));
    check_outlives(expiry, order.expiry)?;
    let mut rng = ctx.rng()?;
    let name = desk.name(wallet.address(), arguments.desk.salt, &mut rng);
    let instruction = Instruction::Cancel { order: order.digest };
    let ciphertext = owner.instruct(desk.pool(), &key, (name.id, name.who), (&instruction, expiry), &mut rng)?;
    let mut object = sealed(&ciphertext, expiry);
    object["order"] = json!(Hex(arguments.order.0));
    let then = "the next round reads it, and the order stands in none after it, if it is this account's".to_owned();
    let told = Told::new("cancellation", name, then, object);
    submit(&desk, &wallet, &arguments.desk, (&ciphertext, &name), &told).await
}

/// What is public of a sealed submission.
fn sealed(ciphertext: &Ciphertext, expiry: u64) -> Value {
    json!({ "expiry": expiry, "ciphertext_digest": Hex(ciphertext.digest()) })
}

async fn submit(
    desk: &Desk<'_>,
    wallet: &Wallet,
    arguments: &DeskArgs,
    (ciphertext, name): (&Ciphertext, &Name),
    told: &Told,
) -> Result<Answer, Error> {
    let is_it = |event: &Event| matches!(event, Event::StandingOrderSubmitted { .. });
    if let Some(found) = desk.sent_before(name, arguments.salt, "a sealed submission", is_it).await? {
        desk.tell_there(wallet, &found, told);
        return Ok(Answer::Done);
    }
    let request = calls::submit_standing_order(desk.deployment.pool, name.salt.into(), ciphertext.to_bytes().into());
    desk.carry_out(wallet, arguments.send.spend, vec![Step::new("the submission", request)], told).await
}

/// A sealed submission as the chain holds it.
pub(super) struct Sealed {
    pub(super) maker: Address,
    pub(super) digest: [u8; 32],
    pub(super) expiry: u64,
    pub(super) block: u64,
}

impl Desk<'_> {
    /// The sealed submission under an id.
    ///
    /// # Errors
    /// [`NetworkError::UnknownSubmission`], [`NetworkError::OtherSubmission`].
    pub(super) async fn standing_order(&self, id: [u8; 32]) -> Result<Sealed, NetworkError> {
        let found = self.find(id).await?;
        let other = |found| NetworkError::OtherSubmission { id: hex::encode(id), expected: "a standing order", found };
        let (maker, ciphertext) = match &found.event {
            Event::StandingOrderSubmitted { maker, ciphertext, .. } => (*maker, ciphertext),
            Event::Deposited { .. } => return Err(other("a deposit")),
            Event::WithdrawalRequested { .. } => return Err(other("a withdrawal")),
            _ => return Err(other("a collateral request")),
        };
        let read = Ciphertext::from_bytes(ciphertext).map_err(|_| other("no ciphertext"))?;
        Ok(Sealed { maker, digest: read.digest(), expiry: read.label().expiry, block: found.block })
    }
}
