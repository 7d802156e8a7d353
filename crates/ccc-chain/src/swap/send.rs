//! Sending an order, after everything was asked again.

use alloy::{
    eips::BlockId,
    primitives::{Address, TxHash, U256},
    rpc::types::{Log, TransactionRequest},
    sol_types::SolEvent,
};

use super::{
    Market, Quote, SwapError, SwapOrder,
    error::{Found, is_too_little, is_too_old},
    market::answer,
};
use crate::{
    ChainError, Sent, Wallet,
    bindings::{
        TestToken,
        uniswap::{
            IUniswapPool,
            IUniswapRouter::{self, exactInputSingleCall},
        },
    },
};

/// What a check before the sending found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    /// What the swap would give now.
    pub quote: Quote,
    /// Whether the router may already take the amount; otherwise an approval is sent first, and the swap was not simulated.
    pub approved: bool,
}

/// A swap that was mined.
#[derive(Clone, Debug)]
pub struct Swapped {
    /// What the pool sent to the reserve, by its own event. A token that takes a fee of each transfer gives the reserve less.
    pub amount_out: U256,
    /// The transaction.
    pub transaction: TxHash,
    /// The block that holds it.
    pub block: u64,
    /// The gas it used.
    pub gas_used: u64,
}

impl Market<'_> {
    /// Asks everything that [`send`](Self::send) asks, and sends nothing.
    ///
    /// # Errors
    /// [`SwapError::DeadlinePassed`], [`SwapError::PriceMoved`], [`SwapError::Funds`]; the router's refusal where the
    /// amount is approved.
    pub async fn rehearse(&self, sender: Address, order: &SwapOrder) -> Result<Rehearsal, SwapError> {
        self.check_pool("the order", order.quote().pool)?;
        let now = self.chain.block(BlockId::latest()).await?.time;
        if now > order.deadline() {
            return Err(SwapError::DeadlinePassed { deadline: order.deadline(), now });
        }
        let quote = self.quote(order.quote().amount_in).await?;
        if quote.amount_out < order.least() {
            return Err(moved(order, Found::Amount(quote.amount_out)));
        }
        self.check_funds(sender, order).await?;
        let approved = self.allowance(sender).await? >= order.quote().amount_in;
        if approved {
            let simulated = self.chain.simulate(&self.request(order)?.from(sender)).await;
            simulated.map_err(|error| refusal(order, now, error))?;
        }
        Ok(Rehearsal { quote, approved })
    }

    /// Approves what is missing, asks everything again, and swaps.
    ///
    /// *Security*: nobody stands between the pool and the reserve: the router pays the recipient of the order, and
    /// the pool's event is held against it. An approval is for this amount alone, and stands when the swap is refused.
    ///
    /// # Errors
    /// As [`rehearse`](Self::rehearse); [`SwapError::Proceeds`] for a mined swap whose event says something else.
    pub async fn send(&self, wallet: &Wallet, order: &SwapOrder) -> Result<Swapped, SwapError> {
        if !self.rehearse(wallet.address(), order).await?.approved {
            self.approve(wallet, order.quote().amount_in).await?;
            self.rehearse(wallet.address(), order).await?;
        }
        let sent = self.chain.send(wallet, self.request(order)?).await;
        match sent {
            Ok(sent) => self.outcome(order, sent),
            Err(error) => Err(refusal(order, self.chain.block(BlockId::latest()).await?.time, error)),
        }
    }

    /// The transaction, with its bytes read back and checked, for a sender of its own.
    ///
    /// # Errors
    /// [`SwapError::Recipient`], [`SwapError::Call`].
    pub fn request(&self, order: &SwapOrder) -> Result<TransactionRequest, SwapError> {
        let router = IUniswapRouter::new(self.venue.router, self.chain.provider());
        let exactInputSingleCall { params } = self.call(order);
        let request = router.exactInputSingle(params).into_transaction_request();
        self.check_call(request.input.input().map_or(&[], |input| input.as_ref()), order)?;
        Ok(request)
    }

    async fn check_funds(&self, holder: Address, order: &SwapOrder) -> Result<(), SwapError> {
        let token = self.pair.sell.address;
        let found = answer(TestToken::new(token, self.chain.provider()).balanceOf(holder).call().await)?;
        let expected = order.quote().amount_in;
        if found < expected { Err(SwapError::Funds { holder, token, expected, found }) } else { Ok(()) }
    }

    async fn allowance(&self, holder: Address) -> Result<U256, SwapError> {
        let token = TestToken::new(self.pair.sell.address, self.chain.provider());
        answer(token.allowance(holder, self.venue.router).call().await)
    }

    /// Some tokens refuse to change an approval that is neither nothing nor becomes it.
    async fn approve(&self, wallet: &Wallet, amount: U256) -> Result<(), SwapError> {
        let token = TestToken::new(self.pair.sell.address, self.chain.provider());
        let stands = self.allowance(wallet.address()).await?;
        let first = (!stands.is_zero()).then_some(U256::ZERO);
        for amount in first.into_iter().chain([amount]) {
            self.chain.send(wallet, token.approve(self.venue.router, amount).into_transaction_request()).await?;
        }
        Ok(())
    }

    fn outcome(&self, order: &SwapOrder, sent: Sent) -> Result<Swapped, SwapError> {
        let found = sent.logs.iter().find_map(|log| self.proceeds(order, log)).unwrap_or_default();
        if found < order.least() {
            return Err(SwapError::Proceeds { found, least: order.least() });
        }
        let Sent { transaction, block, gas_used, .. } = sent;
        Ok(Swapped { amount_out: found, transaction, block, gas_used })
    }

    /// What the pool's event says went to the order's recipient.
    fn proceeds(&self, order: &SwapOrder, log: &Log) -> Option<U256> {
        if log.address() != self.venue.pool {
            return None;
        }
        let event = IUniswapPool::Swap::decode_log(&log.inner).ok()?;
        let given = if event.amount0.is_negative() { event.amount0 } else { event.amount1 };
        (event.recipient == order.recipient() && given.is_negative()).then(|| given.unsigned_abs())
    }
}

fn moved(order: &SwapOrder, found: Found) -> SwapError {
    SwapError::PriceMoved { quoted: order.quote().amount_out, found, least: order.least() }
}

/// The router's reason, in our words.
fn refusal(order: &SwapOrder, now: u64, error: ChainError) -> SwapError {
    match error.refusal() {
        Some(found) if is_too_little(found) => moved(order, Found::Less),
        Some(found) if is_too_old(found) => SwapError::DeadlinePassed { deadline: order.deadline(), now },
        _ => error.into(),
    }
}
