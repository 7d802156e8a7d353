//! `ccc doctor`: what is there, what is missing, and how to get it.

use super::Context;
use crate::{
    cli::DoctorArgs,
    error::Error,
    files::secret,
    network::{KeySource, Node, Settings, read_deployment, runtime, shown},
    pool::read_committee,
    ui::Answer,
};
use alloy::eips::BlockId;
use ccc_chain::{
    ChainError, Deployment,
    deploy::{self, Signers},
    status,
};
use serde_json::{Value, json};
use std::{
    env,
    path::{Path, PathBuf},
};

/// Programs that are nowhere needed and often handy.
const TOOLS: [(&str, &str); 3] = [
    ("anvil", "a node for trying things out; `ccc chain` stands in for it"),
    ("cast", "asks a chain by hand"),
    ("forge", "runs contracts/script/Deploy.s.sol, which deploys what `ccc deploy` does"),
];

/// The longest key file.
const MAX_KEY: u64 = 1 << 14;

/// How something stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Good,
    Missing,
    /// No command needs it.
    Absent,
}

/// One thing that was looked at.
struct Finding {
    name: &'static str,
    mark: Mark,
    found: String,
    hint: String,
}

pub(super) fn run(arguments: &DoctorArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let arguments = &arguments.settings;
    let findings = match Settings::read(arguments) {
        Ok(settings) => examine(&settings)?,
        Err(error) => vec![missing("settings", &error)],
    };
    let lines: Vec<String> = findings.iter().flat_map(Finding::lines).collect();
    let well = findings.iter().all(|finding| finding.mark != Mark::Missing);
    let object = json!({ "well": well, "findings": findings.iter().map(Finding::object).collect::<Vec<_>>() });
    ctx.ui.result(&lines, &object);
    Ok(if well { Answer::Done } else { Answer::No })
}

fn examine(settings: &Settings) -> Result<Vec<Finding>, Error> {
    let mut findings = vec![settings_file(settings)];
    let deployment = settings.deployment.as_ref().map(|setting| read_deployment(&setting.value));
    findings.extend(runtime()?.block_on(network(settings, deployment)));
    findings.push(key(settings));
    findings.push(account(settings));
    findings.push(committee(settings));
    findings.extend(TOOLS.map(|(name, use_of)| tool(name, use_of)));
    Ok(findings)
}

fn settings_file(settings: &Settings) -> Finding {
    match &settings.file {
        Some(file) if settings.file_found => good("settings", format!("read from {}", file.value.display())),
        Some(file) => absent("settings", "none", format!("{} would be read", file.value.display())),
        None => absent("settings", "none", "--config FILE or CCC_CONFIG names a file".to_owned()),
    }
}

/// Node and contracts.
async fn network(settings: &Settings, deployment: Option<Result<Deployment, Error>>) -> Vec<Finding> {
    let node = match Node::connect(settings).await {
        Ok(node) => node,
        Err(error) => {
            let mut finding = missing("node", &error.into());
            finding.hint = format!(
                "start a node at {}, for example with `ccc chain --port 8545`, or name one with --rpc-url",
                shown(&settings.rpc_url.value)
            );
            return vec![finding, unasked(settings)];
        }
    };
    let local = if node.is_local() {
        "local: commands send unless told --dry-run"
    } else {
        "not local: only --broadcast sends"
    };
    let found = format!("{} answers for chain {}, {local}", node.shown, node.chain.chain_id());
    vec![good("node", found), contracts(&node, deployment).await]
}

/// A deployment that nobody could be asked about.
fn unasked(settings: &Settings) -> Finding {
    match &settings.deployment {
        Some(_) => {
            let hint = "once the node answers, its contracts are asked".to_owned();
            Finding { name: "contracts", mark: Mark::Missing, found: "not asked: no node".to_owned(), hint }
        }
        None => no_deployment(),
    }
}

fn no_deployment() -> Finding {
    let hint = "`ccc deploy --out deployment.json` makes one; --deployment or CCC_DEPLOYMENT names it";
    absent("contracts", "no deployment is named", hint.to_owned())
}

async fn contracts(node: &Node, deployment: Option<Result<Deployment, Error>>) -> Finding {
    match deployment {
        None => no_deployment(),
        Some(Err(error)) => missing("contracts", &error),
        Some(Ok(deployment)) => match standing(node, &deployment).await {
            Ok(finding) => finding,
            Err(error) => missing("contracts", &node.error(&error).into()),
        },
    }
}

/// That the contracts stand, and what became of the signer set of the deployment's file.
async fn standing(node: &Node, deployment: &Deployment) -> Result<Finding, ChainError> {
    deploy::check_place(&node.chain, deployment).await?;
    let newest = node.chain.block(BlockId::latest()).await?;
    let held = status::configurations(&node.chain, deployment, newest).await?;
    let registries = if deployment.registries.is_some() { "with" } else { "without" };
    let all = format!("all {} stand, {registries} registries", deployment.contracts().len());
    let Signers { don_id, config_version, .. } = deployment.signers;
    let set = held.signer_sets.iter().rev().find(|set| set.don_id == don_id);
    let group = held.groups.iter().rev().find(|group| group.don_id == don_id);
    let rotated = |to: String| Finding {
        hint: "the deployment's file names the former set; `ccc status` lists the signers".to_owned(),
        ..good("contracts", format!("{all}; the signers were rotated to {to}"))
    };
    Ok(match (set, group) {
        (set, Some(group)) if set.is_none_or(|set| set.config_version < group.config_version) => {
            rotated(format!("group {don_id}/{}", group.config_version))
        }
        (Some(set), _) if *set == deployment.signers => {
            good("contracts", format!("{all}, and the signer set is the file's"))
        }
        (Some(set), _) => rotated(format!("set {don_id}/{}", set.config_version)),
        (None, _) => Finding {
            name: "contracts",
            mark: Mark::Missing,
            found: format!("{all}; signer set {don_id}/{config_version} was cleared: no report counts"),
            hint: "the operator sets another with `setConfig` at the forwarder, through the manager".to_owned(),
        },
    })
}

/// That the file is there and its owner's alone; it is not opened further.
fn key(settings: &Settings) -> Finding {
    let Some(setting) = &settings.key else {
        let hint = "--private-key-file FILE or --keystore FILE, for commands that send";
        return absent("key", "none is named", hint.to_owned());
    };
    let (what, path): (_, &PathBuf) = match &setting.value {
        KeySource::PrivateKeyFile(path) => ("private key file", path),
        KeySource::Keystore(path) => ("keystore", path),
    };
    private("key", what, path)
}

fn private(name: &'static str, what: &str, path: &Path) -> Finding {
    match secret::read_private(path, MAX_KEY) {
        Ok(_) => good(name, format!("{what} {}, its owner's alone", path.display())),
        Err(error) => missing(name, &error),
    }
}

fn account(settings: &Settings) -> Finding {
    match &settings.account_key {
        Some(setting) => private("account", "key file", &setting.value),
        None => {
            let hint = "`ccc keygen account --out FILE` makes one, for `ccc deposit`, `order` and `withdraw`";
            absent("account", "no table account's keys are named", hint.to_owned())
        }
    }
}

fn committee(settings: &Settings) -> Finding {
    let Some(setting) = &settings.committee else {
        let hint = "--committee FILE, which the vault's operators publish, for commands that encrypt to it";
        return absent("committee", "none is named", hint.to_owned());
    };
    match read_committee(&setting.value) {
        Ok(committee) => good("committee", format!("{}, epoch {}", setting.value.display(), committee.epoch())),
        Err(error) => missing("committee", &error),
    }
}

fn tool(name: &'static str, use_of: &str) -> Finding {
    let path = env::var_os("PATH").unwrap_or_default();
    let place = env::split_paths(&path).map(|directory| program(&directory, name)).find(|place| place.is_file());
    match place {
        Some(place) => good(name, place.display().to_string()),
        None => absent(name, "not found", format!("optional, of Foundry: {use_of}")),
    }
}

fn program(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

fn good(name: &'static str, found: String) -> Finding {
    Finding { name, mark: Mark::Good, found, hint: String::new() }
}

fn absent(name: &'static str, found: &str, hint: String) -> Finding {
    Finding { name, mark: Mark::Absent, found: found.to_owned(), hint }
}

fn missing(name: &'static str, error: &Error) -> Finding {
    Finding { name, mark: Mark::Missing, found: error.to_string(), hint: error.parts().hint.into_owned() }
}

impl Mark {
    const fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Missing => "MISSING",
            Self::Absent => "none",
        }
    }
}

impl Finding {
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{:8} {:10} {}", self.mark.word(), self.name, self.found)];
        if !self.hint.is_empty() {
            lines.push(format!("{:19} {}", "", self.hint));
        }
        lines
    }

    fn object(&self) -> Value {
        json!({ "name": self.name, "state": self.mark.word().to_lowercase(), "found": self.found, "hint": self.hint })
    }
}
