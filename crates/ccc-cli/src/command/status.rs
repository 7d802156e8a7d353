//! `ccc status`: what the chain says in plain words, how old it is first.

use super::Context;
use crate::{
    cli::{KeyArgs, StatusArgs},
    error::Error,
    network::{NetworkError, Node, Settings, read_deployment, runtime},
    ui::Answer,
};
use ccc_chain::{
    ChainKind, Deployment, deploy,
    status::{self, Status},
};
use ccc_core::report::Verdict;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

pub(super) fn run(arguments: &StatusArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let settings = Settings::read(&arguments.chain, &arguments.deployment, &KeyArgs::default())?;
    let deployment = read_deployment(settings.deployment()?)?;
    let (status, block_age) = runtime()?.block_on(async {
        let node = Node::connect(&settings).await?;
        deploy::check_place(&node.chain, &deployment).await.map_err(|error| node.error(&error))?;
        let status = status::read(&node.chain, &deployment).await.map_err(|error| node.error(&error))?;
        Ok::<_, NetworkError>(by_the_machines_clock(&node, status))
    })?;
    let mut lines = lines(&deployment, &status);
    if let Some(age) = block_age {
        lines.insert(0, format!("the newest block is {age} s old"));
    }
    ctx.ui.result(&lines, &object(&deployment, &status, block_age));
    Ok(if is_solvent(&deployment, &status) { Answer::Done } else { Answer::No })
}

/// What a node that has stopped or lags calls new may be old: ages and deadlines are told by this machine's clock, and the
/// newest block's age with them. The embedded chain's time is its own.
fn by_the_machines_clock(node: &Node, mut status: Status) -> (Status, Option<u64>) {
    if node.chain.kind() == ChainKind::Embedded {
        return (status, None);
    }
    let machine = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs());
    let age = machine.saturating_sub(status.block.time);
    status.now = status.now.max(machine);
    (status, Some(age))
}

/// Whether the last answer counts no more: by the chain's time or by the machine's.
fn is_stale(deployment: &Deployment, status: &Status) -> bool {
    status.attestation.stale || age(status).is_none_or(|age| age > deployment.max_age)
}

fn is_solvent(deployment: &Deployment, status: &Status) -> bool {
    status.attestation.solvent && !is_stale(deployment, status)
}

/// What counts now.
fn verdict(deployment: &Deployment, status: &Status) -> &'static str {
    if is_stale(deployment, status) { "unknown" } else { last_verdict(status) }
}

/// What the last report said; unknown before the first.
fn last_verdict(status: &Status) -> &'static str {
    match status.attestation.verdict {
        Verdict::Unknown => "unknown",
        Verdict::Insolvent => "insolvent",
        Verdict::Solvent => "solvent",
    }
}

/// Seconds since the attested block; none before the first report.
fn age(status: &Status) -> Option<u64> {
    let time = Some(status.attestation.block_time).filter(|time| *time != 0)?;
    Some(status.now.saturating_sub(time))
}

fn lines(deployment: &Deployment, status: &Status) -> Vec<String> {
    let mut lines = vec![staleness(deployment, status), reserve(deployment, status)];
    lines.push(format!("the pool is {}", if status.paused { "paused: no deposits, no requests" } else { "open" }));
    lines.push(table(status));
    lines.push(match status.pending.len() {
        0 => "no request waits".to_owned(),
        count => format!("{count} requests wait, or have expired and were not closed"),
    });
    for pending in &status.pending {
        let (deadline, now) = (pending.request.deadline, status.now);
        let left = match deadline.checked_sub(now) {
            Some(left) => format!("its deadline is in {left} s"),
            None => format!("its deadline passed {} s ago", now.saturating_sub(deadline)),
        };
        lines.push(format!("  {} by {}: {left}", pending.id, pending.request.requester));
    }
    lines.push(signers(deployment, status));
    lines.extend(registries(status));
    lines.push(format!(
        "read at block {} of chain {}, time {}",
        status.block.number, deployment.chain_id, status.block.time
    ));
    lines
}

fn staleness(deployment: &Deployment, status: &Status) -> String {
    match (age(status), is_stale(deployment, status)) {
        (None, _) => "no solvency report was ever accepted".to_owned(),
        (Some(age), true) => {
            format!("STALE: the last solvency report is {age} s old and counted for {} s", deployment.max_age)
        }
        (Some(age), false) => {
            let left = deployment.max_age.saturating_sub(age);
            format!("fresh: the last solvency report is {age} s old and counts for {left} s more")
        }
    }
}

fn reserve(deployment: &Deployment, status: &Status) -> String {
    let attestation = &status.attestation;
    match (attestation.verdict, is_stale(deployment, status)) {
        (Verdict::Unknown, _) => "the reserve is unknown".to_owned(),
        (_, true) => {
            format!("the reserve was {} at block {}, and is unknown now", last_verdict(status), attestation.block)
        }
        (_, false) => format!("the reserve is {}, at block {}", last_verdict(status), attestation.block),
    }
}

fn table(status: &Status) -> String {
    let table = &status.table;
    if table.version == 0 {
        return "the table has no version yet".to_owned();
    }
    let ended = if table.halted { "; rounds have ended for ever" } else { "" };
    format!("the table is at version {}, header {}{ended}", table.version, table.header_hash)
}

/// Whether the forwarder still holds the set that the deployment's file names.
fn same_signers(deployment: &Deployment, status: &Status) -> bool {
    status.signer_set.0 == deployment.context(0).config_digest
}

fn signers(deployment: &Deployment, status: &Status) -> String {
    let signers = &deployment.signers;
    let (don_id, version) = (signers.don_id, signers.config_version);
    if same_signers(deployment, status) {
        let (need, of) = (u16::from(signers.f) + 1, signers.addresses.len());
        return format!("reports need {need} of {of} signers, set {don_id}/{version}");
    }
    let what = if status.signer_set.is_zero() { "was cleared" } else { "is another than the deployment's file says" };
    format!("signer set {don_id}/{version} {what}")
}

fn registries(status: &Status) -> Vec<String> {
    let Some(registries) = &status.registries else {
        return vec!["no registries: a deployment for demonstrations".to_owned()];
    };
    let vault = &registries.vault;
    let quorum = vault.participants.saturating_sub(vault.faults);
    let mut lines = vec![format!(
        "the vault is in epoch {}; {quorum} of {} participants hand it over",
        vault.epoch, vault.participants
    )];
    if registries.enclaves.is_empty() {
        lines.push("no enclave was ever admitted".to_owned());
    }
    for enclave in &registries.enclaves {
        let until = enclave.valid_until;
        lines.push(format!("enclave {}: {}, valid until {until}", enclave.signer, enclave.standing.words()));
    }
    lines
}

fn object(deployment: &Deployment, status: &Status, block_age: Option<u64>) -> Value {
    let attestation = &status.attestation;
    let pending: Vec<Value> = status
        .pending
        .iter()
        .map(|p| json!({ "id": p.id, "requester": p.request.requester, "deadline": p.request.deadline }))
        .collect();
    json!({
        "block_age": block_age, "stale": is_stale(deployment, status), "age": age(status),
        "solvent": is_solvent(deployment, status), "verdict": verdict(deployment, status),
        "last_verdict": last_verdict(status),
        "attested_block": attestation.block, "attested_time": attestation.block_time, "max_age": deployment.max_age,
        "sequence": attestation.sequence, "paused": status.paused, "halted": status.table.halted,
        "table_version": status.table.version, "table_header": status.table.header_hash,
        "consumed": status.table.consumed, "last_round": status.table.last_round, "pending": pending,
        "signer_set": {
            "don_id": deployment.signers.don_id, "config_version": deployment.signers.config_version,
            "f": deployment.signers.f, "signers": deployment.signers.addresses,
            "as_deployed": same_signers(deployment, status),
        },
        "registries": status.registries.as_ref().map(registries_object),
        "chain_id": deployment.chain_id, "block": status.block.number, "time": status.block.time,
    })
}

fn registries_object(registries: &status::RegistryState) -> Value {
    let enclave = |enclave: &status::EnclaveState| {
        json!({
            "signer": enclave.signer, "measurement": enclave.measurement, "epoch": enclave.epoch,
            "valid_until": enclave.valid_until, "standing": enclave.standing.words(),
        })
    };
    let vault = &registries.vault;
    json!({
        "epoch": vault.epoch, "participants": vault.participants, "faults": vault.faults, "committee": vault.digest,
        "enclaves": registries.enclaves.iter().map(enclave).collect::<Vec<_>>(),
    })
}
