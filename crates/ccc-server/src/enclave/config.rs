//! The configuration of an enclave's host.

use super::sources::{Class, Rule};
use crate::config::{
    Answers, ChainSection, ClientSection, ConfigError, PeerSection, loopback, peers, read_table, unique,
};
use ccc_node::policy_file::ModeName;
use serde::Deserialize;
use std::{net::SocketAddr, path::PathBuf};

/// Values at the top of the file that the environment may replace.
const REPLACED: [&str; 13] = [
    "mode",
    "listen",
    "operations",
    "key",
    "hardware",
    "committee",
    "deployment",
    "policy",
    "pool",
    "store",
    "rpc_url",
    "rpc_ca",
    "answers",
];

/// The file. Paths are relative to the directory from which the node is started.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnclaveConfigFile {
    /// Whether simulated parts are accepted.
    #[serde(default)]
    pub mode: ModeName,
    /// Where results are served.
    #[serde(default = "listen")]
    pub listen: SocketAddr,
    /// Where health and meters are served, in the clear: a loopback address.
    #[serde(default = "operations")]
    pub operations: SocketAddr,
    /// The host's sealed keys.
    pub key: PathBuf,
    /// The key that stands for the enclave's hardware.
    pub hardware: PathBuf,
    /// The committee.
    pub committee: PathBuf,
    /// The deployment that is served.
    pub deployment: PathBuf,
    /// What participants and signers accept as the enclave; the host holds its own configuration against it.
    pub policy: PathBuf,
    /// What the enclave is built for.
    pub pool: PathBuf,
    /// The directory of the table's versions.
    pub store: PathBuf,
    /// The chain's node.
    pub rpc_url: String,
    /// Who may vouch for a node at `https://`: a PEM file of certificate authorities; by default whom the system trusts.
    #[serde(default)]
    pub rpc_ca: Option<PathBuf>,
    /// How participants answer.
    #[serde(default)]
    pub answers: Answers,
    /// What is made of several statements.
    #[serde(default)]
    pub rule: Rule,
    /// How the chain is followed.
    #[serde(default)]
    pub chain: ChainSection,
    /// Where the participants are.
    #[serde(rename = "vault")]
    pub vault: Vec<VaultSection>,
    /// Who may have programs run.
    #[serde(rename = "workflow")]
    pub workflow: Vec<ClientSection>,
    /// Who else may read what is sealed: owners' and agents' programs.
    #[serde(default, rename = "reader")]
    pub readers: Vec<ClientSection>,
    /// Other hosts, which may read what is sealed and be asked for it.
    #[serde(default, rename = "enclave")]
    pub enclaves: Vec<PeerSection>,
    /// Where the statement comes from.
    #[serde(rename = "source")]
    pub sources: Vec<SourceSection>,
}

/// A participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultSection {
    /// Its identifier.
    pub participant: u16,
    /// Where it is.
    pub address: SocketAddr,
}

/// A source of the statement.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSection {
    /// Where it is asked.
    pub url: String,
    /// The first line of this file is the bearer token.
    pub token_file: PathBuf,
    /// Who says it.
    pub class: Class,
}

impl SourceSection {
    /// The client has no TLS, and the token would go over the network in the clear.
    fn check(&self, index: usize) -> Result<(), ConfigError> {
        let host = self.url.strip_prefix("http://").map(|rest| rest.split('/').next().unwrap_or_default());
        let local = host.and_then(|host| host.parse::<SocketAddr>().ok()).is_some_and(|at| at.ip().is_loopback());
        if local { Ok(()) } else { Err(ConfigError::Source { index }) }
    }
}

fn listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 7460))
}

fn operations() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 7461))
}

impl EnclaveConfigFile {
    /// Reads a file's text, lets the variables replace what they name, and checks the whole.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn read(text: &str, variables: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let config: Self = read_table(text, variables, &REPLACED)?.try_into()?;
        loopback(config.operations)?;
        config.chain.check()?;
        if config.sources.is_empty() {
            return Err(ConfigError::Missing { what: "source" });
        }
        config.sources.iter().enumerate().try_for_each(|(index, source)| source.check(index))?;
        config.known()?;
        Ok(config)
    }

    /// Everybody who may call, by key.
    ///
    /// # Errors
    /// [`ConfigError::Client`], [`ConfigError::SameKey`].
    pub fn known(&self) -> Result<Vec<([u8; 32], String)>, ConfigError> {
        let clients: Vec<_> = self.workflow.iter().chain(&self.readers).cloned().collect();
        let enclaves = peers(&self.enclaves)?.into_iter().map(|(key, name, _)| (key, name));
        let clients = crate::config::client_keys(&clients)?;
        unique(clients.into_iter().chain(enclaves).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_asked_on_this_machine_alone() {
        let source = |url: &str| SourceSection { url: url.to_owned(), token_file: "t".into(), class: Class::Auditor };
        for url in ["http://127.0.0.1:8000/statement", "http://[::1]:80/v1/statement?of=x", "http://127.0.0.1:1"] {
            assert_eq!(source(url).check(0), Ok(()), "{url}");
        }
        let refused = [
            "https://custodian.example/v1/statement",
            "http://custodian.example/v1/statement",
            "http://127.0.0.1@10.0.0.1:80/",
            "http://10.0.0.1:80/statement",
            "http://127.0.0.1:80@10.0.0.1:80/",
            "http://127.0.0.1.example:80/",
            "ftp://127.0.0.1:80/",
            "",
        ];
        for url in refused {
            assert_eq!(source(url).check(3), Err(ConfigError::Source { index: 3 }), "{url}");
        }
    }
}
