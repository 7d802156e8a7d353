//! `ccc deposit` and `ccc withdraw`.

use super::{
    super::{Context, table::deposit::check_amount, table::withdraw},
    door::Desk,
    index_of,
    sending::{Step, Told},
};
use crate::{
    cli::{ChainDepositArgs, ChainWithdrawArgs},
    error::Error,
    network::{NetworkError, Shortfall},
    pool::BOUNDARY_LIFETIME,
    ui::Answer,
};
use alloy::primitives::{Address, B256, Bytes, U256};
use ccc_chain::{
    Wallet, calls,
    deploy::DeployedToken,
    permit::{self, Permission},
    read,
    watch::Event,
};
use serde_json::json;

/// Seconds for which a token accepts a permit: a transaction's time to be mined.
const PERMIT_LIFETIME: u64 = 3_600;

pub(super) async fn deposit(arguments: &ChainDepositArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    check_amount(arguments.amount)?;
    let desk = Desk::open(&(&arguments.desk).into(), ctx).await?.within(arguments.desk.send.spend);
    let (asset, amount) = (index_of(arguments.asset), U256::from(arguments.amount));
    let token = desk.token(asset)?;
    if !arguments.amount.is_multiple_of(u128::from(token.plan.lot)) {
        return Err(Error::Terms { what: "the amount", reason: "not a whole number of lots" });
    }
    let (wallet, owner) = (desk.wallet()?, desk.owner()?);
    desk.warn_of_sender(&wallet, &owner);
    let key = desk.master_key().await?;
    let mut rng = ctx.rng()?;
    let salt = arguments.desk.salt;
    let name = desk.name(wallet.address(), salt, &mut rng);
    let expiry = desk.node.now().await?.saturating_add(BOUNDARY_LIFETIME);
    let then = "the next round credits it; `ccc order status ID` tells when".to_owned();
    let object = json!({ "asset": asset, "token": token.address, "amount": amount.to_string(), "expiry": expiry });
    let told = Told::new("deposit", name, then, object);
    let is_it =
        |event: &Event| matches!(event, Event::Deposited { asset: a, amount: n, .. } if (*a, *n) == (asset, amount));
    if let Some(found) = desk.sent_before(&name, salt, "this deposit", is_it).await? {
        desk.tell_there(&wallet, &found, &told);
        return Ok(Answer::Done);
    }
    desk.check_open().await?;
    desk.check_balance(wallet.address(), token, amount).await?;
    let ciphertext = owner.deposit(desk.pool(), &key, (name.id, name.who), expiry, &mut rng)?.to_bytes().into();
    let brought = Brought { asset, token, amount, sealed: (name.salt.into(), ciphertext) };
    let steps = match arguments.permit {
        true => vec![desk.permitted(&wallet, brought).await?],
        false => desk.approved(&wallet, brought, arguments.no_approve).await?,
    };
    desk.carry_out(&wallet, arguments.desk.send.spend, steps, &told).await
}

pub(super) async fn withdraw(arguments: &ChainWithdrawArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let desk = Desk::open(&(&arguments.desk).into(), ctx).await?.within(arguments.desk.send.spend);
    let asset = index_of(arguments.asset);
    desk.token(asset)?;
    let asked = withdraw::checked(asset, arguments.amount, arguments.to.0, desk.pool().contract)?;
    let (wallet, owner) = (desk.wallet()?, desk.owner()?);
    desk.warn_of_sender(&wallet, &owner);
    let key = desk.master_key().await?;
    let mut rng = ctx.rng()?;
    let salt = arguments.desk.salt;
    let name = desk.name(wallet.address(), salt, &mut rng);
    let expiry = desk.node.now().await?.saturating_add(BOUNDARY_LIFETIME);
    let then = "the next round debits it, its payout follows; `ccc order status ID` tells when".to_owned();
    let told = Told::new("withdrawal", name, then, json!({ "expiry": expiry }));
    let is_it = |event: &Event| matches!(event, Event::WithdrawalRequested { .. });
    if let Some(found) = desk.sent_before(&name, salt, "a withdrawal", is_it).await? {
        desk.tell_there(&wallet, &found, &told);
        return Ok(Answer::Done);
    }
    let ciphertext = owner.withdrawal(desk.pool(), &key, (name.id, name.who), (&asked, expiry), &mut rng)?;
    let request = calls::request_withdrawal(desk.deployment.pool, name.salt.into(), ciphertext.to_bytes().into());
    let steps = vec![Step::new("the request", request)];
    desk.carry_out(&wallet, arguments.desk.send.spend, steps, &told).await
}

/// What is deposited.
struct Brought<'a> {
    asset: u32,
    token: &'a DeployedToken,
    amount: U256,
    /// Salt and ciphertext.
    sealed: (B256, Bytes),
}

impl Desk<'_> {
    /// The deposit, after what lets the pool take the amount.
    async fn approved(&self, wallet: &Wallet, brought: Brought<'_>, refused: bool) -> Result<Vec<Step>, NetworkError> {
        let Brought { asset, token, amount, sealed: (salt, ciphertext) } = brought;
        let mut steps = self.approval(wallet, token, amount, refused).await?;
        let request = calls::deposit(self.deployment.pool, asset, amount, salt, ciphertext);
        steps.push(Step { what: "the deposit", request, follows: !steps.is_empty() });
        Ok(steps)
    }

    /// The deposit with a signature that lets the pool take the amount, unless it may already.
    async fn permitted(&self, wallet: &Wallet, brought: Brought<'_>) -> Result<Step, NetworkError> {
        let Brought { asset, token, amount, sealed } = brought;
        let pool = self.deployment.pool;
        if self.allowance(wallet, token).await? >= amount {
            let (salt, ciphertext) = sealed;
            return Ok(Step::new("the deposit", calls::deposit(pool, asset, amount, salt, ciphertext)));
        }
        let deadline = self.node.until(PERMIT_LIFETIME).await?;
        let permission = Permission { spender: pool, amount, deadline };
        let permit = self.told(permit::sign(&self.node.chain, wallet, token.address, &permission).await)?;
        let request = calls::deposit_with_permit(pool, asset, amount, sealed, permit);
        Ok(Step::new("the deposit with its permit", request))
    }

    /// What the pool may take of the sender's tokens.
    async fn allowance(&self, wallet: &Wallet, token: &DeployedToken) -> Result<U256, NetworkError> {
        let (chain, pool) = (&self.node.chain, self.deployment.pool);
        self.told(read::allowance(chain, token.address, wallet.address(), pool, Self::NEWEST).await)
    }

    /// That the pool takes deposits: no approval is spent on one that does not.
    async fn check_open(&self) -> Result<(), NetworkError> {
        let pool = read::Pool::new(&self.node.chain, self.deployment.pool);
        let halted = self.told(pool.table(Self::NEWEST).await)?.halted;
        let paused = self.told(pool.paused(Self::NEWEST).await)?;
        let reason = match (halted, paused) {
            (true, _) => "the pool's rounds have ended for ever",
            (false, true) => "the pool is paused",
            (false, false) => return Ok(()),
        };
        Err(NetworkError::Refused { by: self.deployment.pool.to_string(), reason: reason.to_owned() })
    }

    async fn check_balance(&self, sender: Address, token: &DeployedToken, amount: U256) -> Result<(), NetworkError> {
        let found = read::token_balance(&self.node.chain, token.address, sender, Self::NEWEST).await;
        let found = self.told(found)?;
        if found >= amount {
            return Ok(());
        }
        Err(NetworkError::Balance(Box::new(Shortfall {
            sender: sender.to_string(),
            token: token.plan.symbol.clone(),
            needed: amount.to_string(),
            found: found.to_string(),
        })))
    }

    /// Lets the pool take the amount, unless it may already.
    async fn approval(
        &self,
        wallet: &Wallet,
        token: &DeployedToken,
        amount: U256,
        refused: bool,
    ) -> Result<Vec<Step>, NetworkError> {
        let pool = self.deployment.pool;
        let found = self.allowance(wallet, token).await?;
        if found >= amount {
            return Ok(Vec::new());
        }
        if refused {
            return Err(NetworkError::Allowance(Box::new(Shortfall {
                sender: wallet.address().to_string(),
                token: token.plan.symbol.clone(),
                needed: amount.to_string(),
                found: found.to_string(),
            })));
        }
        let approval = Step::new("the approval", calls::approve(token.address, pool, amount));
        if found.is_zero() {
            return Ok(vec![approval]);
        }
        // some tokens let no allowance change into another one
        let end = Step::new("the end of an approval", calls::approve(token.address, pool, U256::ZERO));
        Ok(vec![end, Step { follows: true, ..approval }])
    }
}
