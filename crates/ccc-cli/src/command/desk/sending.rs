//! Transactions of a desk: carried out, or told with their cost.

use super::{
    door::{Desk, Name},
    status::expiry_of,
};
use crate::{cli::SpendArgs, error::Error, network::NetworkError, pool::hexed::Hex, ui::Answer};
use alloy::{
    network::TransactionBuilder,
    primitives::{B256, U256},
    providers::Provider,
    rpc::types::TransactionRequest,
};
use ccc_chain::{ChainError, Sent, Wallet, submission, watch::Observed};
use serde_json::{Value, json};

/// More than a deposit takes beside its ciphertext: 0.17 million by `gas.snapshot`, and what a token may add.
const MOST_OF_A_DEPOSIT: u64 = 300_000;
/// More than a byte of calldata takes, with its copy into the event.
const MOST_OF_A_BYTE: u64 = 64;

/// A transaction to send.
pub(super) struct Step {
    pub(super) what: &'static str,
    pub(super) request: TransactionRequest,
    /// Whether only the step before it makes it possible: then nobody can say yet what it costs.
    pub(super) follows: bool,
}

impl Step {
    pub(super) fn new(what: &'static str, request: TransactionRequest) -> Self {
        Self { what, request, follows: false }
    }

    /// The most gas of a step that nobody can ask about yet.
    fn most(&self) -> u64 {
        let bytes = self.request.input.input().map_or(0, |input| u64::try_from(input.len()).unwrap_or(u64::MAX));
        MOST_OF_A_DEPOSIT.saturating_add(bytes.saturating_mul(MOST_OF_A_BYTE))
    }
}

/// What is told of a submission beside its transactions.
pub(super) struct Told {
    /// What it is, in a word or two.
    pub(super) kind: &'static str,
    pub(super) name: Option<Name>,
    /// What happens next.
    pub(super) then: String,
    /// What it does beside what it is for, to be read before it is sent.
    pub(super) warning: Option<&'static str>,
    /// Further fields for programs.
    pub(super) object: Value,
}

impl Told {
    pub(super) fn new(kind: &'static str, name: Name, then: String, object: Value) -> Self {
        Self { kind, name: Some(name), then, warning: None, object }
    }

    /// The object of the answer: what it is, who sends, and the submission's name.
    fn answer(&self, sent: bool, wallet: &Wallet) -> Value {
        let mut object = self.object.clone();
        object["kind"] = self.kind.into();
        object["sent"] = sent.into();
        object["from"] = json!(wallet.address());
        if let Some(name) = self.name {
            object["id"] = json!(Hex(name.id));
            object["salt"] = json!(Hex(name.salt));
        }
        object
    }
}

/// Gas: what the node said, and at most how much more.
struct Cost {
    gas: u64,
    more: u64,
}

impl Desk<'_> {
    /// Sends the steps in order, or says what they would cost.
    ///
    /// Before a transaction goes out, its hash and the submission's id and salt are told: whatever comes after, the owner
    /// can look for it and can submit it again without submitting it twice.
    ///
    /// # Errors
    /// [`NetworkError::NoGas`]; [`NetworkError::PerhapsSent`] where the node's answer is lost; what a contract or the node
    /// refuses. What came before a refusal stands, and is told.
    pub(super) async fn carry_out(
        &self,
        wallet: &Wallet,
        spend: SpendArgs,
        steps: Vec<Step>,
        told: &Told,
    ) -> Result<Answer, Error> {
        let cost = self.check_cost(wallet, &steps).await?;
        if !self.node.sends(spend) {
            self.tell_dry(wallet, &steps, &cost, told);
            return Ok(Answer::Done);
        }
        let mut done: Vec<(&'static str, Sent)> = Vec::new();
        for step in steps {
            let what = step.what;
            match self.send(wallet, step, told).await {
                Ok(sent) => done.push((what, sent)),
                Err(error) => {
                    let note = |(what, sent): &(_, Sent)| {
                        self.ctx
                            .ui
                            .note(&format!("done before, and it stands: {what}, transaction {}", sent.transaction));
                    };
                    done.iter().for_each(note);
                    return self.after(error, wallet, told).await;
                }
            }
        }
        self.tell_sent(wallet, &done, told);
        Ok(Answer::Done)
    }

    async fn send(&self, wallet: &Wallet, step: Step, told: &Told) -> Result<Sent, NetworkError> {
        let Step { what, request, .. } = step;
        let signed = self.told(self.node.chain.sign(wallet, request).await)?;
        let transaction = signed.transaction();
        self.announce(what, transaction, told);
        match self.node.chain.send_signed(signed).await {
            Err(error @ (ChainError::Rpc(_) | ChainError::NotMined { .. })) => {
                let name = told.name.map(|name| format!("; {}", name.in_words())).unwrap_or_default();
                let (transaction, reason) = (transaction.to_string(), self.node.error(&error).to_string());
                Err(NetworkError::PerhapsSent { what, transaction, name, reason })
            }
            answer => self.told(answer),
        }
    }

    fn announce(&self, what: &str, transaction: B256, told: &Told) {
        let mut object = json!({ "kind": told.kind, "what": what, "transaction": transaction });
        let mut name = String::new();
        if let Some(found) = told.name {
            object["id"] = json!(Hex(found.id));
            object["salt"] = json!(Hex(found.salt));
            name = format!("; {}", found.in_words());
        }
        self.ctx.ui.keep(&format!("sending {what}, transaction {transaction}{name}"), &json!({ "sending": object }));
    }

    /// A submission that the pool has is done, whatever was answered.
    async fn after(&self, error: NetworkError, wallet: &Wallet, told: &Told) -> Result<Answer, Error> {
        let Some(name) = told.name else { return Err(error.into()) };
        match submission::find(&self.node.chain, &self.deployment, name.id.into()).await {
            Ok(Some(found)) => {
                self.tell_there(wallet, &found, told);
                Ok(Answer::Done)
            }
            // the first error is the one that says what happened
            Ok(None) | Err(_) => Err(error.into()),
        }
    }

    /// The gas of the steps, which the sender must be able to pay for.
    async fn check_cost(&self, wallet: &Wallet, steps: &[Step]) -> Result<Cost, NetworkError> {
        let provider = self.node.chain.provider();
        let balance = provider.get_balance(wallet.address()).await;
        let found = self.told(balance.map_err(ChainError::from))?;
        let no_gas = |needed: U256| NetworkError::NoGas {
            sender: wallet.address().to_string(),
            needed: needed.to_string(),
            found: found.to_string(),
        };
        let fees = self.told(provider.estimate_eip1559_fees().await.map_err(ChainError::from))?;
        // a sender with nothing cannot even ask: some nodes refuse the question, others answer it
        if found.is_zero() {
            return Err(no_gas(U256::from(fees.max_fee_per_gas).saturating_mul(U256::from(21_000))));
        }
        let more = steps.iter().filter(|step| step.follows).fold(0u64, |sum, step| sum.saturating_add(step.most()));
        let mut gas = 0u64;
        for step in steps.iter().filter(|step| !step.follows) {
            let request = step.request.clone().with_from(wallet.address());
            gas = gas.saturating_add(self.told(self.node.chain.estimate(&request).await)?);
        }
        let needed = U256::from(gas.saturating_add(more)).saturating_mul(U256::from(fees.max_fee_per_gas));
        if found < needed { Err(no_gas(needed)) } else { Ok(Cost { gas, more }) }
    }

    fn tell_dry(&self, wallet: &Wallet, steps: &[Step], cost: &Cost, told: &Told) {
        let Cost { gas, more } = *cost;
        let names: Vec<&str> = steps.iter().map(|step| step.what).collect();
        let most = if more == 0 { String::new() } else { format!(" and at most {more} for what follows") };
        let mut lines =
            vec![format!("{}: {}, {gas} gas{most}, from {}", told.kind, names.join(", then "), wallet.address())];
        lines.extend(told.warning.map(str::to_owned));
        let chain = self.deployment.chain_id;
        lines.push(format!("nothing was sent to chain {chain} at {}; --broadcast sends", self.node.shown));
        let mut object = told.answer(false, wallet);
        object["gas"] = json!(gas);
        object["most_gas"] = json!(gas.saturating_add(more));
        object["transactions"] = json!(names.iter().map(|what| json!({ "what": what })).collect::<Vec<_>>());
        self.ctx.ui.result(&lines, &object);
    }

    fn tell_sent(&self, wallet: &Wallet, done: &[(&'static str, Sent)], told: &Told) {
        let gas = done.iter().fold(0u64, |sum, (_, sent)| sum.saturating_add(sent.gas_used));
        let block = done.last().map_or(0, |(_, sent)| sent.block);
        let id = told.name.map(|name| format!(" {}", hex::encode(name.id))).unwrap_or_default();
        let mut lines = vec![format!("{}{id} in block {block}, {gas} gas", told.kind)];
        lines.extend(done.iter().map(|(what, sent)| format!("  {what}: transaction {}", sent.transaction)));
        lines.extend(Some(told.then.clone()).filter(|then| !then.is_empty()));
        let transactions = done.iter().map(|(what, sent)| {
            json!({ "what": what, "transaction": sent.transaction, "block": sent.block, "gas": sent.gas_used })
        });
        let mut object = told.answer(true, wallet);
        object["gas"] = json!(gas);
        object["block"] = json!(block);
        object["transactions"] = transactions.collect();
        self.ctx.ui.result(&lines, &object);
    }

    /// Tells of a submission that the pool has, though no receipt of this run says so.
    pub(super) fn tell_there(&self, wallet: &Wallet, found: &Observed, told: &Told) {
        let id = told.name.map(|name| format!(" {}", hex::encode(name.id))).unwrap_or_default();
        let lines = [
            format!("{}{id} is there, since block {}: transaction {}", told.kind, found.block, found.transaction),
            "it says what was sealed when it was sent; `ccc order status ID` tells what became of it".to_owned(),
        ];
        let mut object = told.answer(true, wallet);
        object["there"] = true.into();
        object["expiry"] = json!(expiry_of(&found.event));
        if let Some(fields) = object.as_object_mut() {
            // this run's, which was not sent
            fields.remove("ciphertext_digest");
        }
        object["block"] = json!(found.block);
        object["transactions"] = json!([{ "what": told.kind, "transaction": found.transaction, "block": found.block }]);
        self.ctx.ui.result(&lines, &object);
    }
}
