//! `ccc verify`: checks what it is given, and tells what it is. Exit code 1: it does not hold.

mod answers;
mod ceremony;
mod checks;
mod repair;

use super::Context;
use crate::{
    artifact::{Artifact, ArtifactError},
    cli::VerifyArgs,
    error::{Error, OF_BOARD},
    files::{self, MAX_READ},
    pool::{Pool, now, parse_json, read_committee},
    ui::Answer,
};
use ccc_chain::Deployment;
use ccc_core::{
    enclave::attestation::{Body, MAX_REVOCATION_LIST, Policy},
    keys::Committee,
};
use ccc_node::policy_file::PolicyFile;
use ceremony::Ceremony;
use checks::Checker;
use std::path::{Path, PathBuf};

const MAX_DEPLOYMENT: u64 = 1 << 20;

/// What is established, in words, or why it does not hold.
type Established = Result<String, String>;

pub(super) fn run(arguments: &VerifyArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    files::one_standard_input(&arguments.files)?;
    let pool = arguments.pool.as_deref().map(Pool::open).transpose()?;
    let ceremony = Ceremony::read(arguments)?;
    let committee = match &ceremony {
        Some(ceremony) => ceremony.committee().cloned(),
        None => arguments.committee.as_deref().map(read_committee).transpose()?,
    };
    let committee = committee.or_else(|| pool.as_ref().map(|pool| pool.committee.clone()));
    let beside = arguments.beside.as_ref().map(|path| files::read(path, MAX_READ)).transpose()?;
    let artifacts = arguments.files.iter().map(|path| load(path, beside.as_deref())).collect::<Result<Vec<_>, _>>()?;
    let at = arguments.at.unwrap_or_else(now);
    let deployment = arguments.deployment.as_deref().map(read_deployment).transpose()?;
    let policy = arguments.policy.as_deref().map(read_policy).transpose()?;
    let policy = policy.or_else(|| pool.as_ref().map(|pool| pool.settings.policy()));
    let checker = Checker {
        pool: pool.as_ref(),
        deployment: deployment.as_ref(),
        committee: committee.as_ref(),
        policy: policy.map(|policy| with_lists(policy, &arguments.crl)).transpose()?,
        ceremony: ceremony.as_ref(),
        artifacts: &artifacts,
        at,
    };
    let (mut lines, mut verified) = whole(arguments, ceremony.as_ref(), &artifacts, committee.as_ref(), ctx)?;
    for (path, artifact) in &artifacts {
        let established = checker.check(path, artifact)?;
        lines.push(format!("{}: {}, {established}", path.display(), artifact.words()));
        verified.push(serde_json::json!({ "file": path, "kind": artifact.words(), "established": established }));
    }
    if let (Some(pool), true) = (&pool, artifacts.is_empty()) {
        lines.push(check_pool(pool)?);
        verified.push(serde_json::json!({ "pool": arguments.pool, "version": pool.head.version }));
    }
    ctx.ui.result(&lines, &serde_json::json!({ "valid": true, "verified": verified }));
    Ok(Answer::Done)
}

/// What a session with its board, or the board of a repair, gives as a whole.
fn whole(
    arguments: &VerifyArgs,
    ceremony: Option<&Ceremony>,
    artifacts: &[(PathBuf, Artifact)],
    committee: Option<&Committee>,
    ctx: &Context<'_>,
) -> Result<(Vec<String>, Vec<serde_json::Value>), Error> {
    if let Some(ceremony) = ceremony {
        ceremony.notes.iter().for_each(|note| ctx.ui.note(note));
        return Ok((ceremony.lines(), vec![ceremony.object()]));
    }
    let Some(board) = &arguments.board else { return Ok((Vec::new(), Vec::new())) };
    let committee = committee.ok_or_else(|| Error::Missing { path: board.clone(), what: OF_BOARD })?;
    let (line, object, notes) = repair::whole(board, artifacts, committee)?;
    notes.iter().for_each(|note| ctx.ui.note(note));
    Ok((vec![line], vec![object]))
}

/// The policy with revocation lists that were given.
fn with_lists(mut policy: Policy, lists: &[PathBuf]) -> Result<Policy, Error> {
    for path in lists {
        let list = files::read(path, MAX_REVOCATION_LIST as u64)?;
        let added = policy.hardware.revocation.add(list);
        added.map_err(|error| Error::NotVerified { path: path.clone(), reason: error.to_string() })?;
    }
    Ok(policy)
}

fn read_deployment(path: &Path) -> Result<Deployment, Error> {
    parse_json(path, &files::read(path, MAX_DEPLOYMENT)?)
}

/// A policy in JSON, which starts with a brace, or in TOML.
pub(in crate::command) fn read_policy(path: &Path) -> Result<Policy, Error> {
    let bytes = files::read(path, MAX_DEPLOYMENT)?;
    let wrong = |reason: String| Error::PoolFile { path: path.into(), reason };
    let file: PolicyFile = match bytes.trim_ascii_start().first() {
        Some(b'{') => parse_json(path, &bytes)?,
        _ => toml::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?,
    };
    Policy::try_from(&file).map_err(|error| wrong(error.to_string()))
}

/// A report or quote as its device gives it, joined with what vouches for it; other bytes as they are.
pub(super) fn joined(path: &Path, bytes: Vec<u8>, beside: Option<&[u8]>) -> Result<Vec<u8>, Error> {
    let raw = beside.and_then(|beside| Body::from_raw(&bytes, Some(beside)));
    let whole = raw.map(|body| body.to_bytes()).transpose();
    let whole = whole.map_err(|error| Error::NotVerified { path: path.into(), reason: error.to_string() })?;
    Ok(whole.unwrap_or(bytes))
}

/// Reads one file. Bytes that claim to be one of ours and are not well formed do not verify.
fn load(path: &Path, beside: Option<&[u8]>) -> Result<(PathBuf, Artifact), Error> {
    match Artifact::read(joined(path, files::read(path, MAX_READ)?, beside)?) {
        Ok(artifact) => Ok((path.into(), artifact)),
        Err(source @ (ArtifactError::Unknown | ArtifactError::Bare(_))) => {
            Err(Error::Artifact { path: path.into(), source })
        }
        Err(source) => Err(Error::NotVerified { path: path.into(), reason: source.to_string() }),
    }
}

/// The pool's own table: header, body, sidecar and wrapped key against the head and the committee.
fn check_pool(pool: &Pool) -> Result<String, Error> {
    let refused = |reason: String| Error::NotVerified { path: pool.paths.head(), reason };
    // body and sidecar are compared with the header on the way
    let header = pool.header()?;
    pool.check_followed(&header)?;
    check_wrapped(&header, &pool.committee).map_err(refused)?;
    pool.round_log(&pool.log)?;
    let (version, hash) = (header.version(), hex::encode(header.hash()));
    Ok(format!("table version {version} stands under header {hash}; the log holds what it has consumed"))
}

fn same(what: &str, holds: bool) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("{what} differs")) }
}

fn check_wrapped(header: &ccc_core::table::Header, committee: &Committee) -> Result<(), String> {
    let key = committee.master_public_key();
    header.wrapped().clone().verify(key).map(|_| ()).map_err(|error| format!("the wrapped table key: {error}"))
}
