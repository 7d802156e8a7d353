//! Transactions of a desk: carried out, or told with their cost.

use super::door::{Desk, Name};
use crate::{cli::SpendArgs, error::Error, network::NetworkError, pool::hexed::Hex, ui::Answer};
use alloy::{network::TransactionBuilder, primitives::U256, providers::Provider, rpc::types::TransactionRequest};
use ccc_chain::{ChainError, Sent, Wallet};
use serde_json::{Value, json};

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
}

/// What is told of a submission beside its transactions.
pub(super) struct Told {
    /// What it is, in a word or two.
    pub(super) kind: &'static str,
    pub(super) name: Option<Name>,
    /// What happens next.
    pub(super) then: String,
    /// Further fields for programs.
    pub(super) object: Value,
}

impl Desk<'_> {
    /// Sends the steps in order, or says what they would cost.
    ///
    /// # Errors
    /// [`NetworkError::NoGas`]; what a contract or the node refuses. What came before a refusal stands, and is told.
    pub(super) async fn carry_out(
        &self,
        wallet: &Wallet,
        spend: SpendArgs,
        steps: Vec<Step>,
        told: &Told,
    ) -> Result<Answer, Error> {
        let gas = self.check_cost(wallet, &steps).await?;
        if !self.node.sends(spend) {
            self.tell_dry(wallet, &steps, gas, told);
            return Ok(Answer::Done);
        }
        let mut done: Vec<(&'static str, Sent)> = Vec::new();
        for Step { what, request, .. } in steps {
            match self.node.chain.send(wallet, request).await {
                Ok(sent) => done.push((what, sent)),
                Err(error) => {
                    for (what, sent) in &done {
                        self.ctx
                            .ui
                            .note(&format!("done before, and it stands: {what}, transaction {}", sent.transaction));
                    }
                    return Err(self.node.error(&error).into());
                }
            }
        }
        self.tell_sent(wallet, &done, told);
        Ok(Answer::Done)
    }

    /// The gas of the steps that can be asked about, which the sender must be able to pay.
    async fn check_cost(&self, wallet: &Wallet, steps: &[Step]) -> Result<u64, NetworkError> {
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
        let mut gas = 0u64;
        for step in steps.iter().filter(|step| !step.follows) {
            let request = step.request.clone().with_from(wallet.address());
            gas = gas.saturating_add(self.told(self.node.chain.estimate(&request).await)?);
        }
        let needed = U256::from(gas).saturating_mul(U256::from(fees.max_fee_per_gas));
        if found < needed { Err(no_gas(needed)) } else { Ok(gas) }
    }

    fn tell_dry(&self, wallet: &Wallet, steps: &[Step], gas: u64, told: &Told) {
        let unknown = steps.iter().any(|step| step.follows);
        let names: Vec<&str> = steps.iter().map(|step| step.what).collect();
        let more = if unknown { " and what the last one takes" } else { "" };
        let lines = [
            format!("{}: {}, {gas} gas{more}, from {}", told.kind, names.join(", then "), wallet.address()),
            format!("nothing was sent to chain {} at {}; --broadcast sends", self.deployment.chain_id, self.node.shown),
        ];
        let mut object = told.object.clone();
        object["kind"] = told.kind.into();
        object["sent"] = false.into();
        object["from"] = json!(wallet.address());
        object["gas"] = json!(gas);
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
        let mut object = told.object.clone();
        object["kind"] = told.kind.into();
        object["sent"] = true.into();
        object["from"] = json!(wallet.address());
        object["gas"] = json!(gas);
        object["block"] = json!(block);
        object["transactions"] = transactions.collect();
        if let Some(name) = told.name {
            object["id"] = json!(Hex(name.id));
            object["salt"] = json!(Hex(name.salt));
        }
        self.ctx.ui.result(&lines, &object);
    }
}
