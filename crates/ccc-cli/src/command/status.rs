//! `ccc status`: what the chain says in plain words, how old it is first.

use super::Context;
use crate::{
    cli::StatusArgs,
    error::Error,
    network::{NetworkError, Node, Settings, read_deployment, runtime},
    ui::Answer,
};
use ccc_chain::{
    ChainKind, Deployment,
    deploy::{self, Signers},
    history::{self, History},
    status::{self, Group, Status},
};
use ccc_core::report::Verdict;
use serde_json::{Value, json};

pub(super) fn run(arguments: &StatusArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let settings = Settings::read(&(&arguments.read).into())?;
    let deployment = read_deployment(settings.deployment()?)?;
    let (status, block_age, history) = runtime()?.block_on(async {
        let node = Node::connect(&settings).await?;
        deploy::check_place(&node.chain, &deployment).await.map_err(|error| node.error(&error))?;
        let status = status::read(&node.chain, &deployment).await.map_err(|error| node.error(&error))?;
        let history = match arguments.history {
            Some(most) => Some(read_history(&node, &deployment, &status, most).await?),
            None => None,
        };
        let (status, block_age) = by_the_machines_clock(&node, status);
        Ok::<_, NetworkError>((status, block_age, history))
    })?;
    let mut lines = lines(&deployment, &status);
    if let Some(age) = block_age {
        lines.insert(0, format!("the newest block is {age} s old"));
    }
    let mut object = object(&deployment, &status, block_age);
    if let Some(history) = &history {
        lines.extend(history_lines(history));
        object["history"] = history_object(history);
    }
    ctx.ui.result(&lines, &object);
    Ok(if is_solvent(&deployment, &status) { Answer::Done } else { Answer::No })
}

async fn read_history(
    node: &Node,
    deployment: &Deployment,
    status: &Status,
    most: u16,
) -> Result<History, NetworkError> {
    let read = history::of_reserve(&node.chain, deployment, status.block.number, most.into());
    read.await.map_err(|error| node.error(&error))
}

fn history_lines(history: &History) -> Vec<String> {
    let one = |answer: &history::Answer| {
        let history::Answer { block, time, sequence, attested_block, transaction, .. } = answer;
        let word = word(answer.verdict);
        format!(
            "  block {block}, time {time}: {word} at block {attested_block}, sequence {sequence}, transaction {transaction}"
        )
    };
    let title = match history.answers.len() {
        0 => "no reserve check was found".to_owned(),
        count => format!("the last {count} reserve checks, the newest first"),
    };
    let mut lines: Vec<String> = [title].into_iter().chain(history.answers.iter().map(one)).collect();
    if !history.whole {
        lines.push(format!("  nothing before block {} was looked for", history.from));
    }
    lines
}

fn history_object(history: &History) -> Value {
    let one = |answer: &history::Answer| {
        json!({
            "block": answer.block, "time": answer.time, "verdict": word(answer.verdict), "solvent": answer.solvent,
            "attested_block": answer.attested_block, "sequence": answer.sequence, "transaction": answer.transaction,
            "table_header": answer.header_hash, "attestation": answer.attestation,
        })
    };
    json!({
        "checks": history.answers.iter().map(one).collect::<Vec<_>>(), "from": history.from, "whole": history.whole,
    })
}

/// What a node that has stopped or lags calls new may be old: ages and deadlines are told by this machine's clock, and the
/// newest block's age with them. The embedded chain's time is its own.
fn by_the_machines_clock(node: &Node, mut status: Status) -> (Status, Option<u64>) {
    if node.chain.kind() == ChainKind::Embedded {
        return (status, None);
    }
    status.now = node.by_the_clock(status.now);
    let age = node.by_the_clock(0).saturating_sub(status.block.time);
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
    word(status.attestation.verdict)
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
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
    lines.extend(signers(deployment, status));
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

/// Who signs: the last of the deployment's number at the forwarder.
enum Current<'a> {
    Signers(&'a Signers),
    Group(&'a Group),
}

fn current<'a>(deployment: &Deployment, status: &'a Status) -> Option<Current<'a>> {
    let don_id = deployment.signers.don_id;
    let set = status.configurations.signer_sets.iter().rev().find(|set| set.don_id == don_id);
    let group = status.configurations.groups.iter().rev().find(|group| group.don_id == don_id);
    match (set, group) {
        (Some(set), Some(group)) if set.config_version > group.config_version => Some(Current::Signers(set)),
        (_, Some(group)) => Some(Current::Group(group)),
        (set, None) => set.map(Current::Signers),
    }
}

fn current_signers<'a>(deployment: &Deployment, status: &'a Status) -> Option<&'a Signers> {
    match current(deployment, status) {
        Some(Current::Signers(set)) => Some(set),
        _ => None,
    }
}

fn current_group<'a>(deployment: &Deployment, status: &'a Status) -> Option<&'a Group> {
    match current(deployment, status) {
        Some(Current::Group(group)) => Some(group),
        _ => None,
    }
}

fn signers(deployment: &Deployment, status: &Status) -> Vec<String> {
    let Signers { don_id, config_version: former, .. } = deployment.signers;
    let Some(current) = current(deployment, status) else {
        return vec![format!("the signer sets with the number {don_id} were cleared: no report counts")];
    };
    let (named, line) = match current {
        Current::Signers(set) => ((set.don_id, set.config_version), line_of_set(set)),
        Current::Group(group) => ((group.don_id, group.config_version), line_of_group(group)),
    };
    let mut lines = vec![line];
    if !matches!(current, Current::Signers(set) if *set == deployment.signers) {
        lines.push(format!("  the signers were rotated: the deployment's file still names set {don_id}/{former}"));
    }
    let sets = status.configurations.signer_sets.iter().map(|set| ("set", (set.don_id, set.config_version)));
    let groups = status.configurations.groups.iter().map(|group| ("group", (group.don_id, group.config_version)));
    let others = sets.chain(groups).filter(|(_, id)| *id != named);
    lines.extend(others.map(|(what, (don, version))| format!("  reports of {what} {don}/{version} count as well")));
    lines
}

fn line_of_set(set: &Signers) -> String {
    let (need, of) = (u16::from(set.f) + 1, set.addresses.len());
    format!("reports need {need} of {of} signers, set {}/{}", set.don_id, set.config_version)
}

fn line_of_group(group: &Group) -> String {
    let Group { don_id, config_version, f, participants, .. } = group;
    let need = u16::from(*f) + 1;
    format!(
        "reports need one signature of a group, of {need} of {participants} by its own word, group {don_id}/{config_version}"
    )
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
    let sets = &status.configurations.signer_sets;
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
        "signer_set": current_signers(deployment, status).map(|set| signers_object(deployment, set)),
        "signer_sets": sets.iter().map(|set| signers_object(deployment, set)).collect::<Vec<_>>(),
        "group": current_group(deployment, status).map(group_object),
        "groups": status.configurations.groups.iter().map(group_object).collect::<Vec<_>>(),
        "registries": status.registries.as_ref().map(registries_object),
        "chain_id": deployment.chain_id, "block": status.block.number, "time": status.block.time,
    })
}

fn signers_object(deployment: &Deployment, set: &Signers) -> Value {
    json!({
        "don_id": set.don_id, "config_version": set.config_version, "f": set.f, "signers": set.addresses,
        "as_deployed": set == &deployment.signers,
    })
}

fn group_object(group: &Group) -> Value {
    json!({
        "don_id": group.don_id, "config_version": group.config_version, "f": group.f,
        "participants": group.participants, "key": group.key,
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
