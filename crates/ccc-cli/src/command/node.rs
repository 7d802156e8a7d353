//! `ccc node`: a participant that keeps running, its configuration, its audit log; hosts and signers in `services`.

mod services;

use super::{Context, verify::read_policy};
use crate::{
    cli::{AuditArgs, CheckConfigArgs, NodeVerb, Running, VaultNodeArgs},
    error::Error,
    files::{self, passphrase::Passphrases},
    network::{read_deployment, runtime},
    pool::{attempt::open_participant, read_committee},
    ui::Answer,
};
use ccc_core::keys::{Committee, KeyShare, ParticipantKeys};
use ccc_node::policy_file::ModeName;
use ccc_server::{
    audit,
    config::{ConfigError, StagedSection, VaultConfig},
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
        NodeVerb::CheckConfig(arguments) => check_config(arguments, ctx),
        NodeVerb::Audit(arguments) => check_audit(arguments, ctx),
        NodeVerb::Openapi => Ok(openapi(ctx)),
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
    let (config, public) = read(&arguments.config)?;
    log(&arguments.running)?;
    let committee = public.committee.clone();
    let keys = SealedFile { path: &config.key, committee: &committee, passphrases: &ctx.passphrases };
    runtime()?.block_on(async {
        let counter = if arguments.begin_counter { CounterFile::Begun } else { CounterFile::Kept };
        let beginning = Beginning { counter, forget_chain: arguments.forget_chain };
        let staged = staged(&config, ctx)?;
        let clock = Arc::new(SystemClock);
        let service = Service::prepare_staged(&config, (&keys, staged), public, clock, beginning).await?;
        let [address, operations] = service.addresses().map_err(Error::Runtime)?;
        let line = format!("re-encryption at {address}, health and meters at http://{operations}");
        ctx.ui.result(&[line], &serde_json::json!({ "address": address, "operations": operations }));
        until_told(&arguments.running, |stopped| service.run(stopped)).await;
        Ok(Answer::Done)
    })
}

/// The share of the next epoch, once its files are there.
fn staged(config: &VaultConfig, ctx: &Context<'_>) -> Result<Option<Staged>, Error> {
    let Some(StagedSection { key, committee }) = &config.staged else { return Ok(None) };
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

/// The configuration with the public files that it names.
fn read(path: &Path) -> Result<(VaultConfig, Public), Error> {
    let config = read_config(path, |text, variables| VaultConfig::read(text, variables))?;
    let public = public([&config.committee, &config.deployment, &config.policy])?;
    Ok((config, public))
}

/// A file's text, with what the environment replaces.
fn read_config<T>(
    path: &Path,
    read: impl FnOnce(&str, &mut dyn Iterator<Item = (String, String)>) -> Result<T, ConfigError>,
) -> Result<T, Error> {
    let refused = |source| Error::NodeConfig { path: path.into(), source: Box::new(source) };
    let text = String::from_utf8(files::read(path, MAX_CONFIG)?).map_err(|_| refused(ConfigError::Text))?;
    let mut variables =
        env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    read(&text, &mut variables).map_err(refused)
}

fn public([committee, deployment, policy]: [&Path; 3]) -> Result<Public, Error> {
    Ok(Public {
        committee: read_committee(committee)?,
        deployment: read_deployment(deployment)?,
        policy: read_policy(policy)?,
    })
}

fn check_config(arguments: &CheckConfigArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let (config, public) = read(&arguments.config)?;
    Service::check(&config, &public)?;
    if !config.key.is_file() {
        return Err(Error::Read { path: config.key, source: std::io::ErrorKind::NotFound.into() });
    }
    let (clients, limits) = (config.clients.len(), config.limits());
    let mode = match config.mode {
        ModeName::Simulation => "simulation",
        ModeName::Production => "production",
    };
    let lines = [
        format!("mode {mode}, chain {}, pool {}", public.deployment.chain_id, public.deployment.pool),
        format!(
            "{} participants, epoch {}, {clients} clients",
            public.committee.members().len(),
            public.committee.epoch().0
        ),
        format!("journal counter {}, audit log {}", config.counter_path().display(), config.audit_path().display()),
        format!(
            "{} calls at once, bodies of {} bytes, {} tokens/s for a peer",
            limits.workers, limits.body, limits.rate
        ),
    ];
    let object = serde_json::json!({
        "mode": mode,
        "chain": public.deployment.chain_id,
        "pool": public.deployment.pool,
        "participants": public.committee.members().len(),
        "clients": clients,
        "listen": config.listen,
        "operations": config.operations,
    });
    ctx.ui.result(&lines, &object);
    Ok(Answer::Done)
}

/// The document itself, with `--json` or without.
fn openapi(ctx: &Context<'_>) -> Answer {
    let document = routes::openapi();
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
