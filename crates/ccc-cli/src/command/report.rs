//! `ccc report submit`: a signed report to the forwarder, once.

use super::Context;
use crate::{
    artifact::instead,
    cli::{CompareArgs, Report, SpendArgs, SubmitArgs},
    error::Error,
    files,
    network::{NetworkError, Node, Settings, open_key, read_deployment, runtime},
    ui::Answer,
};
use alloy::primitives::Address;
use ccc_chain::{
    ChainError, Delivery, Deployment, Wallet,
    conflict::{self, Claim, Conflict},
    deploy, submit,
    submitter::{self, Policy, Submission, Submitted, SystemClock, patiently},
};
use ccc_core::report::{Kind, SignedReport};
use serde_json::json;
use std::path::Path;

/// The longest signed report.
const MAX_REPORT: u64 = 1 << 20;

/// What two signatures prove: a report does not say what signed it.
const RECORDED: &str = "where a workflow node of this version signed both, its key was used elsewhere, its record was lost, or it \
    lies; the signers of `ccc recover` and of a pool directory keep no record: of them it proves no fault";
/// Of reports that are not recorded.
const NOT_PROVED: &str = "proved is who signed what, and nobody's fault: of reports about enclaves no record is kept";

pub(super) fn run(verb: &Report, ctx: &Context<'_>) -> Result<Answer, Error> {
    match verb {
        Report::Submit(arguments) => submit_report(arguments, ctx),
        Report::Compare(arguments) => compare(arguments, ctx),
    }
}

fn compare(arguments: &CompareArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let settings = Settings::read(&(&arguments.read).into())?;
    let (first, second) = (read_report(&arguments.first)?, read_report(&arguments.second)?);
    let deployment = read_deployment(settings.deployment()?)?;
    match conflict::between(&deployment, &first, &second) {
        Ok(found) => {
            tell_conflict(&found, ctx);
            Ok(Answer::Done)
        }
        Err(reason) => {
            let reason = reason.to_string();
            ctx.ui.result(&[format!("no evidence: {reason}")], &json!({ "conflict": false, "reason": reason }));
            Ok(Answer::No)
        }
    }
}

fn tell_conflict(found: &Conflict, ctx: &Context<'_>) {
    let what = match found.claim {
        Claim::Sequence(sequence) => format!("sequence {sequence} of their kind"),
        Claim::Version(version) => format!("version {version} of the table"),
        Claim::Request(id) => format!("the end of request {id}"),
        Claim::Withdrawal(id) => format!("the payout of withdrawal {id}"),
        Claim::Block(block) => format!("the reserve's status at block {block}"),
    };
    let mut lines = vec![format!("the reports contradict each other: both are about {what}")];
    lines.extend(found.both.iter().map(|signer| format!("signed both: {signer}")));
    if found.both.is_empty() {
        lines.push("nobody signed both".to_owned());
    }
    lines.extend(found.first.iter().map(|signer| format!("signed the first alone: {signer}")));
    lines.extend(found.second.iter().map(|signer| format!("signed the second alone: {signer}")));
    let recorded = found.kind != Kind::Enclave;
    lines.push(if recorded { RECORDED } else { NOT_PROVED }.to_owned());
    let object = json!({
        "conflict": true, "kind": found.kind.number(), "claim": what, "signed_both": found.both,
        "signed_first": found.first, "signed_second": found.second, "recorded_by_workflow_nodes": recorded,
    });
    ctx.ui.result(&lines, &object);
}

fn submit_report(arguments: &SubmitArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let settings = Settings::read(&(&arguments.send).into())?;
    let signed = read_report(&arguments.file)?;
    let deployment = read_deployment(settings.deployment()?)?;
    check_receiver(&signed, &deployment)?;
    runtime()?.block_on(async {
        let node = Node::connect(&settings).await?.within(arguments.send.spend);
        let transmission = Transmission { node, forwarder: deployment.forwarder, signed, ctx };
        let (policy, clock) = (transmission.policy(), SystemClock::start());
        let placed = async || deploy::check_place(&transmission.node.chain, &deployment).await;
        patiently(&policy, &clock, placed).await.map_err(|error| transmission.node.error(&error))?;
        if transmission.told_before().await? {
            return Ok(Answer::Done);
        }
        let wallet = open_key(settings.key()?, &ctx.passphrases)?;
        transmission.submit(&wallet, arguments.send.spend).await
    })
}

/// A report on its way.
struct Transmission<'a> {
    node: Node,
    forwarder: Address,
    signed: SignedReport,
    ctx: &'a Context<'a>,
}

impl Transmission<'_> {
    fn policy(&self) -> Policy {
        Policy::of(&self.node.chain)
    }

    /// Checks and delivers, or says that it would.
    async fn submit(&self, wallet: &Wallet, spend: SpendArgs) -> Result<Answer, Error> {
        let (chain, signed, clock) = (&self.node.chain, &self.signed, SystemClock::start());
        let ask = async || submit::check(chain, wallet.address(), self.forwarder, signed).await;
        if let Err(error) = patiently(&self.policy(), &clock, ask).await {
            return self.settled(&error, None).await;
        }
        if !self.node.sends(spend) {
            tell_dry(signed, &self.node, self.ctx);
            return Ok(Answer::Done);
        }
        let sent = submitter::deliver(chain, wallet, self.forwarder, signed, &self.policy(), &clock).await;
        match sent {
            Ok(Submission::Delivered(submitted)) => tell_sent(signed, &submitted, self.ctx),
            Ok(Submission::Before { transmitter }) => tell_delivered(signed, Settled::before(transmitter), self.ctx),
            Err(error) => return self.settled(&error, Some(wallet.address())).await,
        }
        Ok(Answer::Done)
    }

    /// A report that the forwarder has is where it belongs, whoever brought it and whatever failed here. With a sender, the
    /// submitter failed, and may have sent before.
    async fn settled(&self, error: &ChainError, sender: Option<Address>) -> Result<Answer, Error> {
        match submit::delivered(&self.node.chain, self.forwarder, &self.signed).await {
            Ok(Some(transmitter)) => {
                let settled = sender.map_or(Settled::before(transmitter), |sender| Settled::after(transmitter, sender));
                tell_delivered(&self.signed, settled, self.ctx);
            }
            // the first error says more than why nobody could be asked afterwards
            Ok(None) | Err(_) => return Err(self.node.error(error).into()),
        }
        Ok(Answer::Done)
    }

    /// Whether the forwarder has the report already, which is told then.
    async fn told_before(&self) -> Result<bool, NetworkError> {
        let (chain, clock) = (&self.node.chain, SystemClock::start());
        let ask = async || submit::delivered(chain, self.forwarder, &self.signed).await;
        let found = patiently(&self.policy(), &clock, ask).await.map_err(|error| self.node.error(&error))?;
        if let Some(transmitter) = found {
            tell_delivered(&self.signed, Settled::before(transmitter), self.ctx);
        }
        Ok(found.is_some())
    }
}

fn read_report(path: &Path) -> Result<SignedReport, Error> {
    let bytes = files::read(path, MAX_REPORT)?;
    SignedReport::from_bytes(&bytes).map_err(|error| instead(path, bytes, "a signed report", Error::Quorum(error)))
}

fn check_receiver(signed: &SignedReport, deployment: &Deployment) -> Result<(), NetworkError> {
    let payload = signed.report().payload();
    let found = Address::from(payload.binding.receiver);
    let expected = deployment.receiver(payload.statement.kind());
    if expected == Some(found) {
        return Ok(());
    }
    let expected = expected.map_or_else(|| "no contract".to_owned(), |address| address.to_string());
    Err(NetworkError::OtherReceiver { expected, found: found.to_string() })
}

fn execution_id(signed: &SignedReport) -> String {
    format!("0x{}", hex::encode(signed.report().header().execution_id))
}

/// A report that is delivered, as far as this run can say by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Settled {
    transmitter: Address,
    /// Whether this run handed a transaction to the node; none where it is not known.
    sent: Option<bool>,
    own: bool,
}

impl Settled {
    /// Nothing was sent by this run.
    fn before(transmitter: Address) -> Self {
        Self { transmitter, sent: Some(false), own: false }
    }

    /// The submitter of this sender failed, and nobody had delivered when it began.
    fn after(transmitter: Address, sender: Address) -> Self {
        let own = transmitter == sender;
        Self { transmitter, sent: own.then_some(true), own }
    }

    fn line(&self) -> String {
        let by = self.transmitter;
        match (self.own, self.sent) {
            (true, _) => format!("delivered by this wallet, {by}; its block was not heard of in time"),
            (false, Some(false)) => format!("delivered already, by {by}: nothing is left to send"),
            (false, _) => format!("delivered by {by}; a transaction of this run may be pending, and changes nothing"),
        }
    }
}

fn tell_delivered(signed: &SignedReport, settled: Settled, ctx: &Context<'_>) {
    let Settled { transmitter, sent, own } = settled;
    let id = execution_id(signed);
    let object = json!({
        "sent": sent, "delivered": true, "own": own, "transmitter": transmitter, "execution_id": id,
    });
    ctx.ui.result(&[settled.line()], &object);
}

fn tell_dry(signed: &SignedReport, node: &Node, ctx: &Context<'_>) {
    let lines = [
        "forwarder and receiver would accept it".to_owned(),
        format!("nothing was sent to chain {} at {}; --broadcast sends", node.chain.chain_id(), node.shown),
    ];
    let id = execution_id(signed);
    ctx.ui.result(&lines, &json!({ "sent": false, "delivered": false, "accepted": true, "execution_id": id }));
}

fn tell_sent(signed: &SignedReport, submitted: &Submitted, ctx: &Context<'_>) {
    let Delivery { transaction, block, gas_used: gas, transmitter, .. } = &submitted.delivery;
    let line = match submitted.own {
        true => format!("delivered in block {block} by transaction {transaction}, {gas} gas"),
        false => format!("delivered in block {block} by {transmitter}, who was faster: transaction {transaction}"),
    };
    let object = json!({
        "sent": submitted.sends > 0, "delivered": true, "own": submitted.own, "transmitter": transmitter,
        "transaction": transaction, "block": block, "gas": gas, "execution_id": execution_id(signed),
    });
    ctx.ui.result(&[line], &object);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_after_a_failed_submission_is_told_as_whose_it_is() {
        let (own, other) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let mine = Settled::after(own, own);
        assert_eq!((mine.sent, mine.own), (Some(true), true));
        assert!(mine.line().starts_with("delivered by this wallet"), "{}", mine.line());
        let theirs = Settled::after(other, own);
        assert_eq!((theirs.sent, theirs.own), (None, false));
        assert!(theirs.line().contains("may be pending"), "{}", theirs.line());
        let before = Settled::before(own);
        assert_eq!((before.sent, before.own), (Some(false), false));
        assert!(before.line().contains("nothing is left to send"), "{}", before.line());
    }
}
