//! `ccc node check-config`: the file of a node of any kind, and the files that it names.

use super::{
    public, read, read_text, refused,
    services::{authorities, read_pool},
};
use crate::{cli::CheckConfigArgs, command::Context, error::Error, ui::Answer};
use ccc_node::policy_file::ModeName;
use ccc_server::{
    config::{File, Kind, KindConfig, VaultConfig},
    enclave::{self, config::EnclaveConfigFile},
    service::{Public, Service},
    workflow::{self, config::WorkflowConfig},
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

pub(super) fn run(arguments: &CheckConfigArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let path = &arguments.config;
    let kind = Kind::of(&read_text(path)?).map_err(|source| refused(path, source.into()))?;
    let (lines, object) = match kind {
        Kind::Vault => vault(path),
        Kind::Enclave => enclave(path),
        Kind::Workflow => workflow(path),
    }?;
    ctx.ui.result(&lines, &object);
    Ok(Answer::Done)
}

type Said = (Vec<String>, Value);

fn vault(path: &Path) -> Result<Said, Error> {
    let file: VaultConfig = read(path)?;
    let public = public(&file.node)?;
    Service::check(&file, &public)?;
    are_files(&[&file.node.key])?;
    let clients = file.own.clients.len();
    let own = [
        format!("{} participants, epoch {}, {clients} clients", members(&public), public.committee.epoch().0),
        format!("journal counter {}", file.counter_path().display()),
    ];
    Ok(said(&file, &public, own, json!({ "clients": clients })))
}

fn enclave(path: &Path) -> Result<Said, Error> {
    let file: EnclaveConfigFile = read(path)?;
    let (public, pool) = (public(&file.node)?, read_pool(&file.own.pool)?);
    enclave::service::check(&file, &public, &pool)?;
    for source in &file.own.sources {
        source.authorities.as_deref().map(|path| authorities(Some(path))).transpose()?;
    }
    let tokens: Vec<_> = file.own.sources.iter().map(|source| &source.token_file).collect();
    are_files(&[vec![&file.node.key, &file.own.hardware], tokens].concat())?;
    let (vaults, sources) = (file.own.vault.len(), file.own.sources.len());
    let (signers, hosts) = (file.own.workflow.len(), file.own.enclaves.len());
    let [tables, kept, receipts] = file.own.kept_paths().map(|path| path.display().to_string());
    let own = [
        format!(
            "{vaults} of {} participants, {sources} sources, {signers} signers, {hosts} other hosts",
            members(&public)
        ),
        format!("tables {tables}, what was made last {kept}, receipts {receipts}"),
    ];
    Ok(said(&file, &public, own, json!({ "sources": sources, "signers": signers, "hosts": hosts })))
}

fn workflow(path: &Path) -> Result<Said, Error> {
    let file: WorkflowConfig = read(path)?;
    let (public, pool) = (public(&file.node)?, read_pool(&file.own.pool)?);
    workflow::service::check(&file, &public, &pool)?;
    are_files(&[&file.node.key, &file.own.signer, &file.own.wallet])?;
    let (hosts, signers, agree) = (file.own.enclaves.len(), file.own.workflow.len(), file.own.agree());
    let schedule = file.own.schedule;
    let own = [
        format!("{agree} of {hosts} hosts have to agree, {signers} other signers"),
        format!("a turn each {} s, taken over after {} s", schedule.cadence, schedule.takeover),
    ];
    Ok(said(&file, &public, own, json!({ "hosts": hosts, "agree": agree, "signers": signers })))
}

fn members(public: &Public) -> usize {
    public.committee.members().len()
}

/// What a kind says of itself, between what every node says.
fn said<K: KindConfig>(file: &File<K>, public: &Public, own: [String; 2], of_kind: Value) -> Said {
    let mode = match file.node.mode {
        ModeName::Simulation => "simulation",
        ModeName::Production => "production",
    };
    let (kind, deployment, limits) = (K::KIND.word(), &public.deployment, file.limits());
    let mut lines = vec![format!("{kind}, mode {mode}, chain {}, pool {}", deployment.chain_id, deployment.pool)];
    lines.extend(own);
    lines.push(format!("audit log {}", file.audit_path().display()));
    lines.push(format!(
        "{} calls at once, bodies of {} bytes, {} tokens/s for a peer",
        limits.workers, limits.body, limits.rate
    ));
    let mut object = json!({
        "kind": kind,
        "mode": mode,
        "chain": deployment.chain_id,
        "pool": deployment.pool,
        "participants": members(public),
        "listen": file.listen(),
        "operations": file.operations(),
    });
    if let (Value::Object(object), Value::Object(of_kind)) = (&mut object, of_kind) {
        object.extend(of_kind);
    }
    (lines, object)
}

fn are_files(paths: &[&PathBuf]) -> Result<(), Error> {
    match paths.iter().find(|path| !path.is_file()) {
        Some(path) => Err(Error::Read { path: path.to_path_buf(), source: std::io::ErrorKind::NotFound.into() }),
        None => Ok(()),
    }
}
