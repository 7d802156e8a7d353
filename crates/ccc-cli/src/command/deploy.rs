//! `ccc deploy`: forwarder, registries, attestation and pool on a chain, with roles and delays.

use super::Context;
use crate::{
    cli::DeployArgs,
    error::Error,
    files::{self, Audience, Replace},
    network::{Form, LOCAL_PLAN, NetworkError, Node, PlanFile, Settings, open_key, runtime},
    pool::read_committee,
    ui::Answer,
};
use alloy::providers::Provider;
use ccc_chain::{
    Deployment, Wallet,
    custody::{self, CustodyPlan, Step},
    handover::verification_root,
};
use serde_json::json;
use std::path::Path;

pub(super) fn run(arguments: &DeployArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let Some(out) = &arguments.out else {
        ctx.ui.result(&[LOCAL_PLAN.trim_end().to_owned()], &json!({ "plan": LOCAL_PLAN }));
        return Ok(Answer::Done);
    };
    let form = Form::of(out)?;
    files::check_target(out, Replace::Never)?;
    let settings = Settings::read(&arguments.into())?;
    let mut plan = PlanFile::read(arguments.plan.as_deref())?;
    if let Some(path) = &arguments.committee {
        let committee = read_committee(path)?;
        plan.committee.epoch = committee.epoch().0;
        plan.committee.master_key = committee.master_public_key().to_bytes().into();
        plan.committee.verification_root = verification_root(&committee);
    }
    let wallet = open_key(settings.key()?, &ctx.passphrases)?;
    runtime()?.block_on(async {
        let node = Node::connect(&settings).await?.within(arguments.spend);
        refuse_simulated(&node, arguments, &plan)?;
        // a refusal of any constructor shows here, before anything is spent
        let rehearsed = custody::rehearse(&node.chain, &wallet, &plan).await;
        let (deployment, steps) = rehearsed.map_err(|error| node.custody_error(error))?;
        form.write(out, &deployment)?;
        if !node.sends(arguments.spend) {
            return dry_run(&node, &wallet, &deployment, &steps, ctx).await;
        }
        // begun before anything is spent: what was deployed and is not written down is lost
        let target = files::begin(out, Audience::Everyone)?;
        let done = custody::deploy(&node.chain, &wallet, &plan).await;
        let (deployment, steps) = done.map_err(|error| node.custody_error(error))?;
        let text = form.write(out, &deployment).map_err(Error::from);
        let written = text.and_then(|text| target.finish(text.as_bytes(), Replace::Never));
        conclude(out, written.is_ok(), &deployment, &steps, ctx);
        written.map(|()| Answer::Done)
    })
}

/// What is simulated, and people whose keys everybody knows, belong on a chain of this machine alone.
fn refuse_simulated(node: &Node, arguments: &DeployArgs, plan: &CustodyPlan) -> Result<(), NetworkError> {
    let (chain_id, shown) = (node.chain.chain_id(), node.shown.clone());
    match (node.is_local(), &arguments.plan) {
        (true, _) => Ok(()),
        (false, None) => Err(NetworkError::NoPlan { chain_id, node: shown }),
        (false, Some(_)) if plan.is_simulated() => Err(NetworkError::SimulatedParts { chain_id, node: shown }),
        (false, Some(_)) => match PlanFile::known_part(plan)? {
            Some(what) => Err(NetworkError::KnownAccounts { chain_id, node: shown, what }),
            None => Ok(()),
        },
    }
}

async fn dry_run(
    node: &Node,
    wallet: &Wallet,
    deployment: &Deployment,
    steps: &[Step],
    ctx: &Context<'_>,
) -> Result<Answer, Error> {
    let price = node.chain.provider().get_gas_price().await.map_err(|error| node.error(&error.into()))?;
    let gas = gas_of(steps);
    let cost = u128::from(gas).saturating_mul(price);
    let mut lines = step_lines(steps);
    lines.push(format!("{gas} gas from {}, {cost} wei at {price} wei each", wallet.address()));
    lines.push(format!("nothing was sent to chain {} at {}; --broadcast sends", deployment.chain_id, node.shown));
    let object = json!({
        "sent": false, "sender": wallet.address(), "gas": gas, "gas_price": price.to_string(), "cost": cost.to_string(),
        "steps": steps, "deployment": deployment,
    });
    ctx.ui.result(&lines, &object);
    Ok(Answer::Done)
}

fn gas_of(steps: &[Step]) -> u64 {
    steps.iter().fold(0, |sum, step| sum.saturating_add(step.gas))
}

/// Tells what was deployed; the deployment itself too where its file could not be written.
fn conclude(out: &Path, written: bool, deployment: &Deployment, steps: &[Step], ctx: &Context<'_>) {
    let gas = gas_of(steps);
    let mut lines = step_lines(steps);
    lines.push(format!("{gas} gas in {} transactions on chain {}", steps.len(), deployment.chain_id));
    lines.push(if written { format!("the deployment is in {}", out.display()) } else { json!(deployment).to_string() });
    let object = json!({
        "sent": true, "gas": gas, "steps": steps, "out": written.then_some(out), "deployment": deployment,
    });
    if written {
        ctx.ui.result(&lines, &object);
    } else {
        // nothing else knows where the contracts stand
        ctx.ui.rescue(&lines, &object);
    }
}

fn step_lines(steps: &[Step]) -> Vec<String> {
    let line = |step: &Step| {
        let address = step.address.map(|address| address.to_string()).unwrap_or_default();
        format!("{:42} {:>9}  {address}", step.what, step.gas).trim_end().to_owned()
    };
    steps.iter().map(line).collect()
}
