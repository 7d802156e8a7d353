//! `ccc report submit`: a signed report to the forwarder, once.

use super::Context;
use crate::{
    artifact::instead,
    cli::{Report, SubmitArgs},
    error::Error,
    files,
    network::{NetworkError, Node, Settings, open_key, read_deployment, runtime},
    ui::Answer,
};
use alloy::primitives::Address;
use ccc_chain::{
    Deployment, deploy, submit,
    submitter::{Policy, SystemClock, patiently},
};
use ccc_core::report::SignedReport;
use serde_json::json;

/// The longest signed report.
const MAX_REPORT: u64 = 1 << 20;

pub(super) fn run(verb: &Report, ctx: &Context<'_>) -> Result<Answer, Error> {
    match verb {
        Report::Submit(arguments) => submit_report(arguments, ctx),
    }
}

fn submit_report(arguments: &SubmitArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let settings = Settings::read(&(&arguments.send).into())?;
    let signed = read_report(arguments)?;
    let deployment = read_deployment(settings.deployment()?)?;
    check_receiver(&signed, &deployment)?;
    runtime()?.block_on(async {
        let node = Node::connect(&settings).await?.within(arguments.send.spend);
        let forwarder = deployment.forwarder;
        let failed = |error| node.error(&error);
        let (policy, clock) = (Policy::of(&node.chain), SystemClock::start());
        let placed = patiently(&policy, &clock, async || deploy::check_place(&node.chain, &deployment).await);
        placed.await.map_err(failed)?;
        let before = patiently(&policy, &clock, async || submit::delivered(&node.chain, forwarder, &signed).await);
        if let Some(transmitter) = before.await.map_err(failed)? {
            tell_delivered(&signed, transmitter, ctx);
            return Ok(Answer::Done);
        }
        let wallet = open_key(settings.key()?, &ctx.passphrases)?;
        let sender = wallet.address();
        let asked = patiently(&policy, &clock, async || submit::check(&node.chain, sender, forwarder, &signed).await);
        asked.await.map_err(failed)?;
        if !node.sends(arguments.send.spend) {
            tell_dry(&signed, &node, ctx);
            return Ok(Answer::Done);
        }
        let sent = submit::deliver_unchecked(&node.chain, &wallet, forwarder, &signed).await;
        match sent {
            Ok(delivery) => tell_sent(&signed, &delivery, ctx),
            // somebody else's delivery came first: the report is where it belongs
            Err(error) => match submit::delivered(&node.chain, forwarder, &signed).await {
                Ok(Some(transmitter)) => tell_delivered(&signed, transmitter, ctx),
                // why the sending failed says more than why nobody could be asked afterwards
                Ok(None) | Err(_) => return Err(node.error(&error).into()),
            },
        }
        Ok(Answer::Done)
    })
}

fn read_report(arguments: &SubmitArgs) -> Result<SignedReport, Error> {
    let path = &arguments.file;
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

fn tell_delivered(signed: &SignedReport, transmitter: Address, ctx: &Context<'_>) {
    let lines = [format!("delivered before, by {transmitter}: nothing was sent")];
    let id = execution_id(signed);
    ctx.ui.result(&lines, &json!({ "sent": false, "delivered": true, "transmitter": transmitter, "execution_id": id }));
}

fn tell_dry(signed: &SignedReport, node: &Node, ctx: &Context<'_>) {
    let lines = [
        "forwarder and receiver would accept it".to_owned(),
        format!("nothing was sent to chain {} at {}; --broadcast sends", node.chain.chain_id(), node.shown),
    ];
    let id = execution_id(signed);
    ctx.ui.result(&lines, &json!({ "sent": false, "delivered": false, "accepted": true, "execution_id": id }));
}

fn tell_sent(signed: &SignedReport, delivery: &submit::Delivery, ctx: &Context<'_>) {
    let (transaction, block, gas) = (delivery.transaction, delivery.block, delivery.gas_used);
    let lines = [format!("delivered in block {block} by transaction {transaction}, {gas} gas")];
    let id = execution_id(signed);
    let object = json!({
        "sent": true, "delivered": true, "transaction": transaction, "block": block, "gas": gas, "execution_id": id,
    });
    ctx.ui.result(&lines, &object);
}
