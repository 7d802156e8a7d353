//! `ccc node`: a participant that keeps running, its configuration, its audit log; hosts and signers in `services`.

mod check;
mod services;

use super::{Context, verify::read_policy};
use crate::{
    cli::{AuditArgs, NodeKind, NodeVerb, Running, VaultNodeArgs},
    error::Error,
    files::{self, passphrase::Passphrases},
    network::{read_deployment, runtime},
    pool::{attempt::open_participant, read_committee},
    ui::Answer,
};
use ccc_core::keys::{Committee, KeyShare, ParticipantKeys};
use ccc_server::{
    audit,
    config::{ConfigError, File, Kind, KindConfig, NodeConfig, VaultConfig, vault::StagedSection},
    follow::SystemClock,
    journal::CounterFile,
    routes,
    server::Stop,
    service::{Beginning, KeyProvider, Public, Service, Staged},
};
use std::{env, path::Path, sync::Arc, time::Duration};

const MAX_CONFIG: u64 = 1 << 20;

pub(super) fn run(verb: &NodeVerb, ctx: &Context<'_>) -> Result<Answer, Error> {
    match verb {
        NodeVerb::Vault(arguments) => vault(arguments, ctx),
        NodeVerb::Enclave(arguments) => services::enclave(arguments, ctx),
        NodeVerb::Workflow(arguments) => services::workflow(arguments, ctx),
        NodeVerb::CheckConfig(arguments) => check::run(arguments, ctx),
        NodeVerb::Audit(arguments) => check_audit(arguments, ctx),
        NodeVerb::Openapi(arguments) => Ok(openapi(arguments.kind, ctx)),
    }
}

/// A participant's file as `ccc keygen` sealed it.
struct SealedFile<'a> {
    path: &'a Path,
    committee: &'a Committee,
    passphrases: &'a Passphrases,
}

impl KeyProvider for SealedFile<'_> {
    type Error = Error;

    fn open(&self) -> Result<(KeyShare, ParticipantKeys), Error> {
        open_participant(self.path, self.committee, self.passphrases)
    }
}

fn vault(arguments: &VaultNodeArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let config: VaultConfig = read(&arguments.node.config)?;
    let public = public(&config.node)?;
    log(&arguments.node.running)?;
    let committee = public.committee.clone();
    let keys = SealedFile { path: &config.node.key, committee: &committee, passphrases: &ctx.passphrases };
    runtime()?.block_on(async {
        let counter = if arguments.begin_counter { CounterFile::Begun } else { CounterFile::Kept };
        let beginning = Beginning { counter, forget_chain: arguments.node.forget_chain };
        let staged = staged(&config, ctx)?;
        let clock = Arc::new(SystemClock);
        let service = Service::prepare_staged(&config, (&keys, staged), public, clock, beginning).await?;
        let [address, operations] = service.addresses().map_err(Error::Runtime)?;
        let line = format!("re-encryption at {address}, health and meters at http://{operations}");
        ctx.ui.result(&[line], &serde_json::json!({ "address": address, "operations": operations }));
        until_told(&arguments.node.running, |stopped| service.run(stopped)).await;
        Ok(Answer::Done)
    })
}

/// The share of the next epoch, once its files are there.
fn staged(config: &VaultConfig, ctx: &Context<'_>) -> Result<Option<Staged>, Error> {
    let Some(StagedSection { key, committee }) = &config.own.staged else { return Ok(None) };
    if !key.exists() || !committee.exists() {
        ctx.ui.note(&format!("nothing is staged yet: {} or {} is not there", key.display(), committee.display()));
        return Ok(None);
    }
    let committee = read_committee(committee)?;
    let (share, keys) = open_participant(key, &committee, &ctx.passphrases)?;
    Ok(Some(Staged { committee, share, keys }))
}

/// Runs a node until somebody or the time stops it.
async fn until_told<F: Future<Output = ()>>(
    running: &Running,
    run: impl FnOnce(tokio::sync::watch::Receiver<bool>) -> F,
) {
    let (stop, stopped) = Stop::new();
    let interrupted = async {
        tokio::select! {
            () = interrupted(running.seconds) => {}
            () = input_ended(running.until_stdin_ends) => {}
        }
        stop.stop();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = run(stopped) => {}
        () = interrupted => {}
    }
}

/// Until standard input ends, where that is asked for. A thread of its own reads: it does not keep the process.
async fn input_ended(asked: bool) {
    if !asked {
        return std::future::pending().await;
    }
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ended_or_broken = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _nobody_waits = tell.send(());
    });
    let _told_or_dropped = told.await;
}

/// Until ctrl-c, SIGTERM, or the time that was given.
pub(super) async fn interrupted(seconds: Option<u64>) {
    let over = async {
        match seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated() => {}
        () = over => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}

/// Log lines go to standard error.
fn log(running: &Running) -> Result<(), Error> {
    let filter = running.log.clone().or_else(|| env::var("RUST_LOG").ok()).unwrap_or_else(|| "info".to_owned());
    ccc_server::log::start(&filter, running.log_json).map_err(|reason| Error::LogFilter { filter, reason })
}

/// A file's text.
fn read_text(path: &Path) -> Result<String, Error> {
    String::from_utf8(files::read(path, MAX_CONFIG)?).map_err(|_| refused(path, ConfigError::Text))
}

/// The configuration of a kind, with what the environment replaces.
fn read<K: KindConfig>(path: &Path) -> Result<File<K>, Error> {
    let variables =
        env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    File::read(&read_text(path)?, variables).map_err(|source| refused(path, source))
}

fn refused(path: &Path, source: ConfigError) -> Error {
    Error::NodeConfig { path: path.into(), source: Box::new(source) }
}

/// The public files that a configuration names.
fn public(node: &NodeConfig) -> Result<Public, Error> {
    Ok(Public {
        committee: read_committee(&node.committee)?,
        deployment: read_deployment(&node.deployment)?,
        policy: read_policy(&node.policy)?,
    })
}

/// The document itself, with `--json` or without.
fn openapi(kind: NodeKind, ctx: &Context<'_>) -> Answer {
    let document = routes::openapi(match kind {
        NodeKind::Vault => Kind::Vault,
        NodeKind::Enclave => Kind::Enclave,
        NodeKind::Workflow => Kind::Workflow,
    });
    ctx.ui.result(&[format!("{document:#}")], &document);
    Answer::Done
}

fn check_audit(arguments: &AuditArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let head = audit::verify(&arguments.log);
    let head = head.map_err(|source| Error::AuditLog { path: arguments.log.clone(), source: Box::new(source) })?;
    let (hash, elsewhere) = (hex::encode(head.hash), head.elsewhere);
    let lines = head.lines - elsewhere;
    let mut said = vec![format!(
        "{lines} lines hold together, {} given, {} refused; the last is {hash}",
        head.given, head.refused
    )];
    if elsewhere > 0 {
        said.push(format!("{elsewhere} lines before them are not here"));
    }
    let object = serde_json::json!({
        "lines": lines, "elsewhere": elsewhere, "given": head.given, "refused": head.refused, "hash": hash,
    });
    ctx.ui.result(&said, &object);
    Ok(Answer::Done)
}
