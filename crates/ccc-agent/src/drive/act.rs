//! One action: checked against the chain as it is now, made, signed by the guarded signer, journalled, sent.

use alloy::{
    eips::BlockId,
    network::TransactionBuilder,
    primitives::{B256, U256},
    providers::Provider,
    rpc::types::TransactionRequest,
    sol_types::SolCall,
};
use ccc_chain::{
    ChainError,
    act::submission_id,
    bindings::{CREDarkPool, TestToken},
    calls, read,
    swap::{Found, Limits, SwapError},
};
use ccc_enclave::intake::PoolId;
use ccc_node::agent::encrypt_order;
use rand_core::CryptoRng;

use super::{Book, DriveError, Driver, Refusal, Turn, price::value};
use crate::{
    guard::Unsigned,
    machine::{Doing, Facts, Waiting},
    plan::{Action, Call, Entry, Intent},
    signer::SignedCall,
};

const GWEI: u128 = 1_000_000_000;
/// The tip is at most this part of the policy's highest price of gas.
const TIP: u128 = 10;
/// Of a gas limit, what is added to the estimate: a quarter.
const GAS_MARGIN: u64 = 4;

/// A call that is ready to be signed.
struct Made {
    request: TransactionRequest,
    call: Call,
    deadline: Option<u64>,
    id: Option<B256>,
    seed: Option<[u8; 32]>,
}

impl Made {
    fn principal(request: TransactionRequest) -> Self {
        Self { request, call: Call::Principal, deadline: None, id: None, seed: None }
    }

    fn until(self, deadline: u64) -> Self {
        Self { deadline: Some(deadline), ..self }
    }
}

impl Driver<'_> {
    pub(super) async fn act(
        &mut self,
        doing: Doing,
        facts: &Facts,
        rng: &mut impl CryptoRng,
    ) -> Result<Turn, DriveError> {
        let sequence = doing.event.sequence;
        let made = match self.make(&doing, facts, rng).await {
            Ok(made) => made,
            Err(refusal) => return self.refuse(sequence, facts.now, refusal),
        };
        if matches!(self.book, Book::Dry(_)) {
            return Ok(Turn::Would(self.in_words(&doing, &made)));
        }
        let call = made.call;
        let (unsigned, signed) = match self.sign(&made, facts).await {
            Ok(signed) => signed,
            Err(Refusal::Gas { most, found }) => return Ok(Turn::Waits(Waiting::Gas { most, found })),
            Err(refusal) => return self.refuse(sequence, facts.now, refusal),
        };
        let (raw, transaction) = (signed.raw.clone(), signed.transaction);
        let intent = Intent {
            sequence,
            index: doing.index,
            call,
            value: if call == Call::Principal { doing.item.value } else { 0 },
            from: self.means.signer.address(),
            nonce: unsigned.nonce,
            transaction,
            raw: signed.raw,
            fee: narrow(unsigned.fee),
            tip: narrow(unsigned.tip),
            deadline: made.deadline,
            request: made.id,
        };
        let mut words = self.in_words(&doing, &made);
        self.book.write(facts.now, Entry::Intent(intent))?;
        self.seeds.extend(made.seed);
        // from here on the bytes may be anywhere: the machine goes by the journal alone
        match self.hand_over(&raw, transaction).await? {
            Turn::Went(lines) => words.extend(lines),
            other => return Ok(other),
        }
        Ok(Turn::Went(words))
    }

    fn in_words(&self, doing: &Doing, made: &Made) -> Vec<String> {
        let reserve = self.means.policy.contracts.reserve;
        let limits = &self.means.policy.limits;
        let what = match (made.call, doing.item.action) {
            (Call::Approve, _) => "let the router take what the next swap pays".to_owned(),
            (_, Action::Send { coins }) => format!("send {coins} units to the reserve {reserve}"),
            (_, Action::Swap { paid, quoted }) => {
                format!("swap {paid} millionths of a dollar for about {quoted} units, paid to the reserve {reserve}")
            }
            (_, Action::Request { coins }) => {
                format!("ask the dark pool for {coins} units for the reserve, under seal")
            }
            (_, Action::Cancel { request }) => format!("take request {request} back"),
        };
        let until = made.deadline.map(|deadline| format!(", until {deadline}")).unwrap_or_default();
        let caps = format!(
            "limits: {} dollars an action, {} a day, {} attempts, a pause of {} s",
            limits.per_action, limits.per_day, limits.attempts, limits.cooldown
        );
        vec![format!("event {}: {what}{until}", doing.event.sequence), caps]
    }

    async fn make(&self, doing: &Doing, facts: &Facts, rng: &mut impl CryptoRng) -> Result<Made, Refusal> {
        let contracts = &self.means.policy.contracts;
        match doing.item.action {
            Action::Send { coins } => {
                let call = TestToken::transferCall { to: contracts.reserve, value: U256::from(coins) };
                Ok(Made::principal(request(contracts.base, &call)))
            }
            Action::Swap { paid, quoted } => self.swap(paid, quoted).await,
            Action::Request { coins } => self.request(coins, facts, rng).await,
            Action::Cancel { request: id } => {
                Ok(Made::principal(request(contracts.pool, &CREDarkPool::cancelCall { requestId: id })))
            }
        }
    }

    /// Quotes anew: what was decided on must still come, and against the average price too.
    async fn swap(&self, paid: u64, quoted: u64) -> Result<Made, Refusal> {
        let route = &self.means.policy.route;
        let market = self.market().await?.ok_or_else(|| value("the exchange", "one".into(), "none".into()))?;
        let quote = market.quote(U256::from(paid)).await?;
        let least = less(U256::from(quoted), route.slippage);
        if quote.amount_out < least {
            let (quoted, found) = (U256::from(quoted), Found::Amount(quote.amount_out));
            return Err(SwapError::PriceMoved { quoted, found, least }.into());
        }
        let average = market.twap(route.window).await?;
        let limits = Limits {
            slippage: route.slippage,
            cost: route.impact,
            most_age: route.stale,
            deadline: route.deadline,
            recipient: self.means.policy.contracts.reserve,
        };
        let order = market.order(quote, &average, &limits)?;
        let from = self.means.signer.address();
        if !market.rehearse(from, &order).await?.approved {
            return self.approval(paid).await;
        }
        Ok(Made::principal(market.request(&order)?).until(order.deadline()))
    }

    /// Some tokens refuse to change an approval that is neither nothing nor becomes it.
    async fn approval(&self, paid: u64) -> Result<Made, Refusal> {
        let contracts = &self.means.policy.contracts;
        let router = contracts.exchange.map(|exchange| exchange.router).unwrap_or_default();
        let from = self.means.signer.address();
        let stands = read::allowance(self.means.chain, contracts.quote, from, router, BlockId::latest()).await?;
        let amount = if stands.is_zero() { U256::from(paid) } else { U256::ZERO };
        let request = calls::approve(contracts.quote, router, amount);
        Ok(Made { call: Call::Approve, ..Made::principal(request) })
    }

    async fn request(&self, coins: u64, facts: &Facts, rng: &mut impl CryptoRng) -> Result<Made, Refusal> {
        let (deployment, dark) = (self.means.deployment, &self.means.policy.dark);
        let from = self.means.signer.address();
        let deadline = facts.now.saturating_add(dark.opens_in);
        let mut salt = [0; 32];
        rng.fill_bytes(&mut salt);
        let id = submission_id(deployment.chain_id, deployment.pool, from, salt.into());
        let order = self.means.evidence.agent().order_of(coins, deadline, rng);
        let pool = PoolId { chain: deployment.chain_id, contract: deployment.pool.0.0 };
        let expiry = deadline.saturating_add(dark.lifetime);
        let sealed = encrypt_order(pool, self.means.master_key, (id.0, from.0.0), expiry, &order, rng)?;
        let encrypted = sealed.to_bytes().into();
        let call = CREDarkPool::requestCollateralCall { salt: salt.into(), deadline, encryptedOrder: encrypted };
        let made = Made::principal(request(deployment.pool, &call)).until(deadline);
        Ok(Made { id: Some(id), seed: Some(order.seed), ..made })
    }

    /// Gas, fees and number; then the signer, who reads it all again.
    async fn sign(&self, made: &Made, facts: &Facts) -> Result<(Unsigned, SignedCall), Refusal> {
        let chain = self.means.chain;
        let from = self.means.signer.address();
        let estimate = chain.estimate(&made.request.clone().from(from)).await?;
        let (fee, tip) = self.fees().await?;
        let transaction = Unsigned {
            chain_id: self.means.policy.chain_id,
            nonce: facts.nonces.1,
            to: made.request.to.and_then(|to| to.into_to()).unwrap_or_default(),
            ether: U256::ZERO,
            data: made.request.input.input().cloned().unwrap_or_default(),
            gas: estimate.saturating_add(estimate / GAS_MARGIN),
            fee,
            tip,
        };
        let signed = self.means.signer.sign(&transaction, facts.now).await?;
        Ok((transaction, signed))
    }

    /// Nodes take another transaction of a number for an eighth more than the one that they have.
    async fn fees(&self) -> Result<(u128, u128), Refusal> {
        let fees = self.means.chain.provider().estimate_eip1559_fees().await.map_err(ChainError::from)?;
        let most = u128::from(self.means.policy.limits.gas_price).saturating_mul(GWEI);
        let before: Vec<_> = self.book.state().unsettled().map(|sent| (sent.intent.fee, sent.intent.tip)).collect();
        // half of what the guard allows: what has to offer more later can
        let tip = fees.max_priority_fee_per_gas.min(most / TIP / 2);
        let tip = before.iter().fold(tip, |tip, (_, waiting)| tip.max(above(*waiting)));
        let fee = before.iter().fold(fees.max_fee_per_gas, |fee, (waiting, _)| fee.max(above(*waiting)));
        let fee = fee.max(tip);
        if fee > most || tip > most / TIP {
            return Err(Refusal::Gas { most: narrow(most), found: fee });
        }
        Ok((fee, tip))
    }
}

/// An eighth more.
fn above(waiting: u64) -> u128 {
    let waiting = u128::from(waiting);
    waiting + waiting / 8 + 1
}

/// A policy's highest price of gas fits by far.
fn narrow(wei: u128) -> u64 {
    u64::try_from(wei).unwrap_or(u64::MAX)
}

fn request(to: alloy::primitives::Address, call: &impl SolCall) -> TransactionRequest {
    TransactionRequest::default().to(to).with_input(call.abi_encode())
}

/// An amount less so many 1/10,000 of it.
fn less(amount: U256, basis_points: u16) -> U256 {
    amount - amount * U256::from(basis_points) / U256::from(10_000)
}
