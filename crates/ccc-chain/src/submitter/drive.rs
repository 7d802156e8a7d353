//! The machine with a chain.

use std::cell::RefCell;

use alloy::{
    primitives::{Address, B256},
    providers::Provider,
    rpc::types::{TransactionReceipt, TransactionRequest},
    transports::TransportError,
};

use super::{
    Clock, Policy,
    machine::{Answer, Fees, Landed, Machine, Seen, Step},
};
use crate::{
    Chain, ChainError, Delivery, Wallet,
    error::is_revert,
    submit::{QuorumReport, delivered, deliveries, delivery_gas, landed, outcome, report_request, sent_of},
};

/// How far below the first block a delivery is looked for: blocks may be taken back in between.
const BLOCKS_BACK: u64 = 64;

/// How it ended.
#[derive(Clone, Debug)]
pub enum Submission {
    /// The report is with its receiver.
    Delivered(Submitted),
    /// It was there before anything was sent.
    Before {
        /// Who had delivered it.
        transmitter: Address,
    },
}

/// A report that was delivered while the submitter ran.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// The delivery on the chain.
    pub delivery: Delivery,
    /// Whether the wallet's transaction brought it; otherwise somebody else was faster.
    pub own: bool,
    /// The wallet's transactions that were signed for it.
    pub attempts: usize,
    /// How often bytes were handed to the node.
    pub sends: u32,
}

/// Delivers a report, whatever the node does, within the bounds of the policy.
///
/// *Security*: idempotent by the transmission id. Nothing is signed after the forwarder has the report, and if two
/// transactions are mined all the same, the forwarder refuses the second.
///
/// # Errors
/// [`ChainError::GaveUp`]; [`ChainError::Refused`] with the forwarder's or the receiver's reason, which sending again would not
/// change; a node's refusal of the transaction, such as too little ether.
pub async fn deliver<C: Clock>(
    chain: &Chain,
    wallet: &Wallet,
    forwarder: Address,
    signed: &dyn QuorumReport,
    policy: &Policy,
    clock: &C,
) -> Result<Submission, ChainError> {
    policy.check()?;
    let machine = RefCell::new(Machine::new(*policy, clock.now()));
    let driver = Driver { chain, wallet, forwarder, signed, clock, machine };
    if let Some(transmitter) = driver.patiently(async || delivered(chain, forwarder, signed).await).await? {
        return Ok(Submission::Before { transmitter });
    }
    let first = driver.patiently(async || Ok(chain.provider().get_block_number().await?)).await?;
    let gas = match driver.patiently(async || delivery_gas(chain, wallet.address(), forwarder, signed).await).await {
        // somebody else may have been faster: that is no refusal
        Err(error @ ChainError::Refused(_)) => {
            let transmitter = driver.patiently(async || delivered(chain, forwarder, signed).await).await?;
            return transmitter.map(|transmitter| Submission::Before { transmitter }).ok_or(error);
        }
        other => other?,
    };
    let request = report_request(chain, forwarder, signed).from(wallet.address()).gas_limit(gas);
    let landed = driver.run(&request, first.saturating_sub(BLOCKS_BACK)).await?;
    driver.end(&request, landed).await.map(Submission::Delivered)
}

/// Asks a node that may be away until it answers, within the bounds of the policy.
///
/// # Errors
/// [`ChainError::GaveUp`]; the answer's own error, where asking again would not change it.
pub async fn patiently<T, C: Clock>(
    policy: &Policy,
    clock: &C,
    ask: impl AsyncFn() -> Result<T, ChainError>,
) -> Result<T, ChainError> {
    until_answered(&RefCell::new(Machine::new(*policy, clock.now())), clock, ask).await
}

async fn until_answered<T, C: Clock>(
    machine: &RefCell<Machine>,
    clock: &C,
    ask: impl AsyncFn() -> Result<T, ChainError>,
) -> Result<T, ChainError> {
    loop {
        let error = match ask().await {
            Err(error) if is_away(&error) => error,
            other => return other,
        };
        let step = machine.borrow_mut().away(clock.now(), &error.to_string());
        match step {
            Step::Wait(time) => clock.sleep(time).await,
            Step::GiveUp(reason) => return Err(ChainError::GaveUp(reason)),
            Step::Sign { .. } | Step::Repeat | Step::Finish(_) => return Err(error),
        }
    }
}

struct Driver<'a, C> {
    chain: &'a Chain,
    wallet: &'a Wallet,
    forwarder: Address,
    signed: &'a dyn QuorumReport,
    clock: &'a C,
    machine: RefCell<Machine>,
}

impl<C: Clock> Driver<'_, C> {
    async fn run(&self, request: &TransactionRequest, from: u64) -> Result<Landed, ChainError> {
        let mut signed: Vec<(B256, Vec<u8>)> = Vec::new();
        loop {
            let step = self.look(from).await?;
            let now = self.clock.now();
            match step {
                Step::Finish(landed) => return Ok(landed),
                Step::GiveUp(reason) => return Err(ChainError::GaveUp(reason)),
                Step::Wait(time) => self.clock.sleep(time).await,
                Step::Repeat => {
                    let current = self.machine.borrow().current();
                    let Some((transaction, bytes)) = current.and_then(|place| signed.get(place)) else { continue };
                    self.machine.borrow_mut().repeated(now);
                    self.hand_over(*transaction, bytes).await?;
                }
                Step::Sign { nonce, fees } => {
                    let (transaction, bytes) = self.chain.signed_at(self.wallet, request.clone(), nonce, fees).await?;
                    self.machine.borrow_mut().signed(transaction, nonce, fees, now);
                    self.hand_over(transaction, &bytes).await?;
                    signed.push((transaction, bytes));
                }
            }
        }
    }

    /// What to do after what the chain shows now.
    async fn look(&self, from: u64) -> Result<Step, ChainError> {
        let seen = self.observe(from).await;
        let now = self.clock.now();
        match seen {
            Ok(seen) => Ok(self.machine.borrow_mut().step(now, &seen)),
            Err(error) if is_away(&error) => Ok(self.machine.borrow_mut().away(now, &error.to_string())),
            Err(error) => Err(error),
        }
    }

    /// The forwarder is asked first: nothing is decided about a transaction whose report it has.
    async fn observe(&self, from: u64) -> Result<Seen, ChainError> {
        let (provider, sender) = (self.chain.provider(), self.wallet.address());
        let head = provider.get_block_number().await?;
        let landed = match delivered(self.chain, self.forwarder, self.signed).await? {
            Some(_) => Some(self.delivery(from).await?),
            None => self.fruitless().await?,
        };
        let known = match self.current() {
            Some(transaction) => provider.get_transaction_by_hash(transaction).await?.is_some(),
            None => false,
        };
        let fees = provider.estimate_eip1559_fees().await?;
        Ok(Seen {
            landed,
            head,
            mined: provider.get_transaction_count(sender).await?,
            queued: provider.get_transaction_count(sender).pending().await?,
            known,
            fees: Fees { most: fees.max_fee_per_gas, tip: fees.max_priority_fee_per_gas },
        })
    }

    fn current(&self) -> Option<B256> {
        let machine = self.machine.borrow();
        machine.attempts().get(machine.current()?).map(|attempt| attempt.transaction)
    }

    /// The event of the delivery that succeeded, by whomever.
    async fn delivery(&self, from: u64) -> Result<Landed, ChainError> {
        let found = landed(self.chain, &deliveries(self.forwarder, self.signed).from_block(from)).await?;
        let id = || B256::from(self.signed.report().header().execution_id);
        // the state is there and its event is not: a node between two blocks
        found.ok_or_else(|| ChainError::NoBlock { block: format!("of the delivery of {}", id()) })
    }

    /// A transaction of ours that is in a block and brought nothing.
    async fn fruitless(&self) -> Result<Option<Landed>, ChainError> {
        let attempts = self.machine.borrow().attempts().to_vec();
        for attempt in attempts.iter().rev() {
            let receipt = self.chain.provider().get_transaction_receipt(attempt.transaction).await?;
            if let Some(block) = receipt.and_then(|receipt| receipt.block_number) {
                return Ok(Some(Landed { transaction: attempt.transaction, block }));
            }
        }
        Ok(None)
    }

    async fn hand_over(&self, transaction: B256, raw: &[u8]) -> Result<(), ChainError> {
        let answer = match self.chain.provider().send_raw_transaction(raw).await {
            Ok(taken) if *taken.tx_hash() == transaction => Answer::Taken,
            // it speaks of something else
            Ok(_) => Answer::Unclear,
            Err(error) => {
                self.machine.borrow_mut().heard(&error.to_string());
                of_answer(error)?
            }
        };
        self.machine.borrow_mut().answered(answer);
        Ok(())
    }

    /// Asks until the node answers.
    async fn patiently<T>(&self, ask: impl AsyncFn() -> Result<T, ChainError>) -> Result<T, ChainError> {
        until_answered(&self.machine, self.clock, ask).await
    }

    async fn end(&self, request: &TransactionRequest, landed: Landed) -> Result<Submitted, ChainError> {
        let receipt = self.patiently(async || self.receipt(landed).await).await?;
        let (attempts, sends) = (self.machine.borrow().attempts().len(), self.machine.borrow().sends());
        let own = receipt.from == self.wallet.address();
        let sent = sent_of(&receipt, landed);
        if !receipt.status() {
            return Err(self.chain.reason_of(request, landed.transaction, landed.block).await);
        }
        let delivery = outcome(self.chain, self.forwarder, self.signed, sent, receipt.from).await?;
        // whoever hands a report over within a contract's call is not who sent the transaction: the forwarder's word counts
        let named = match own {
            true => None,
            false => self.patiently(async || delivered(self.chain, self.forwarder, self.signed).await).await?,
        };
        let delivery = Delivery { transmitter: named.unwrap_or(receipt.from), ..delivery };
        Ok(Submitted { delivery, own, attempts, sends })
    }

    async fn receipt(&self, landed: Landed) -> Result<TransactionReceipt, ChainError> {
        let receipt = self.chain.provider().get_transaction_receipt(landed.transaction).await?;
        receipt.ok_or_else(|| ChainError::NoBlock { block: landed.block.to_string() })
    }
}

/// Whether the node did not answer, or answered with something that a whole node would not: asking again may help. A
/// contract that reverts has answered.
fn is_away(error: &ChainError) -> bool {
    match error {
        ChainError::Rpc(error) => !is_revert(error),
        ChainError::NoBlock { .. } | ChainError::Contract(_) => true,
        _ => false,
    }
}

/// Words of a refusal that sending again would not change.
const FINAL: [&[&str]; 12] = [
    &["insufficient", "funds"],
    &["intrinsic", "gas"],
    &["exceeds", "gas limit"],
    &["exceeds", "configured cap"],
    &["invalid", "sender"],
    &["invalid", "signature"],
    &["invalid", "chain"],
    &["chain id"],
    &["oversized"],
    &["not supported"],
    &["higher than max fee"],
    &["method not found"],
];

/// What a node said to a transaction. An error that nobody knows leaves open whether the node has it.
///
/// *Source*: the words of geth, reth, nethermind, anvil and the embedded chain; JSON-RPC has no codes for them.
///
/// # Errors
/// The node's own refusal, where sending again would not change it.
fn of_answer(error: TransportError) -> Result<Answer, ChainError> {
    let Some(response) = error.as_error_resp() else { return Ok(Answer::Unclear) };
    let words = response.message.to_lowercase();
    let says = |all: &[&str]| all.iter().all(|part| words.contains(part));
    let any = |choices: &[&[&str]]| choices.iter().any(|all| says(all));
    if any(&[&["already", "known"], &["already", "imported"], &["already", "exists"], &["known transaction"]])
        || any(&[&["existing tx with same hash"]])
    {
        return Ok(Answer::Taken);
    }
    if any(&FINAL) {
        return Err(ChainError::Rpc(error));
    }
    if any(&[&["replacement"], &["replace existing"]]) {
        return Ok(Answer::Occupied);
    }
    let cheap: [&[&str]; 5] =
        [&["underpriced"], &["fee", "too low"], &["feetoolow"], &["fee", "less than"], &["price", "too low"]];
    Ok(if any(&cheap) { Answer::Underpriced } else { Answer::Unclear })
}

#[cfg(test)]
mod tests {
    use alloy::{rpc::json_rpc::ErrorPayload, transports::RpcError};

    use super::*;

    fn said(words: &'static str) -> Result<Answer, ChainError> {
        of_answer(RpcError::ErrorResp(ErrorPayload { code: -32000, message: words.into(), data: None }))
    }

    #[test]
    fn the_words_of_nodes_are_understood() {
        for words in [
            "already known",
            "AlreadyKnown",
            "transaction already imported",
            "transaction already exists",
            "existing tx with same hash",
            "known transaction: 0x01",
        ] {
            assert_eq!(said(words).unwrap(), Answer::Taken, "{words}");
        }
        for words in [
            "transaction underpriced",
            "max fee per gas less than block base fee",
            "FeeTooLow, fee too low",
            "transaction gas price too low",
        ] {
            assert_eq!(said(words).unwrap(), Answer::Underpriced, "{words}");
        }
        for words in ["replacement transaction underpriced", "ReplacementNotAllowed", "could not replace existing tx"] {
            assert_eq!(said(words).unwrap(), Answer::Occupied, "{words}");
        }
    }

    #[test]
    fn an_unknown_error_ends_nothing_and_a_final_one_does() {
        for words in [
            "nonce too low",
            "nonce 1 too high, expected 0",
            "daily request limit exceeded",
            "txpool is full",
            "internal error",
            "header not found",
            "request timed out",
            "service unavailable",
        ] {
            assert_eq!(said(words).unwrap(), Answer::Unclear, "{words}");
        }
        for words in [
            "insufficient funds for gas * price + value",
            "intrinsic gas too low",
            "exceeds block gas limit",
            "tx fee (2.00 ether) exceeds the configured cap (1.00 ether)",
            "invalid sender",
            "invalid chain id for signer: have 1 want 2",
            "oversized data",
            "transaction type not supported",
            "max priority fee per gas higher than max fee per gas",
        ] {
            assert!(matches!(said(words), Err(ChainError::Rpc(_))), "{words}");
        }
    }
}
