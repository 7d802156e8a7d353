//! The configuration of an enclave's host.

use super::sources::{Class, Rule};
use crate::config::{
    Answers, ClientSection, ConfigError, File, Kind, KindConfig, PeerSection, client_keys, peers, unique,
};
use ccc_chain::https;
use serde::Deserialize;
use std::{net::SocketAddr, path::PathBuf};

/// The file of a host.
pub type EnclaveConfigFile = File<Enclave>;

/// What it has beside the head.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enclave {
    /// The key that stands for the enclave's hardware.
    pub hardware: PathBuf,
    /// What the enclave is built for.
    pub pool: PathBuf,
    /// The directory of the table's versions.
    pub store: PathBuf,
    /// How participants answer.
    #[serde(default)]
    pub answers: Answers,
    /// What is made of several statements.
    #[serde(default)]
    pub rule: Rule,
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
    /// Certificates (PEM) of those who may vouch for a source behind TLS, and nobody else; by default the system's.
    #[serde(default)]
    pub authorities: Option<PathBuf>,
    /// Who says it.
    pub class: Class,
}

impl SourceSection {
    /// Whether it is asked behind TLS.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        https::address(&self.url).is_ok()
    }

    /// Without TLS the token would go over the network in the clear.
    fn check(&self, index: usize) -> Result<(), ConfigError> {
        if self.has_tls() {
            return Ok(());
        }
        if self.authorities.is_some() {
            return Err(ConfigError::Authorities { index });
        }
        let host = self.url.strip_prefix("http://").map(|rest| rest.split('/').next().unwrap_or_default());
        let local = host.and_then(|host| host.parse::<SocketAddr>().ok()).is_some_and(|at| at.ip().is_loopback());
        if local { Ok(()) } else { Err(ConfigError::Source { index }) }
    }
}

impl KindConfig for Enclave {
    const KIND: Kind = Kind::Enclave;
    const REPLACED: &'static [&'static str] = &["hardware", "pool", "store", "answers"];

    fn check(&self) -> Result<(), ConfigError> {
        if self.sources.is_empty() {
            return Err(ConfigError::Missing { what: "source" });
        }
        self.sources.iter().enumerate().try_for_each(|(index, source)| source.check(index))?;
        self.known().map(drop)
    }
}

impl Enclave {
    /// Everybody who may call, by key.
    ///
    /// # Errors
    /// [`ConfigError::Client`], [`ConfigError::SameKey`].
    pub fn known(&self) -> Result<Vec<([u8; 32], String)>, ConfigError> {
        let clients: Vec<_> = self.workflow.iter().chain(&self.readers).cloned().collect();
        let enclaves = peers(&self.enclaves)?.into_iter().map(|(key, name, _)| (key, name));
        unique(client_keys(&clients)?.into_iter().chain(enclaves).collect())
    }

    /// Where tables, what was made last, and receipts are kept.
    #[must_use]
    pub fn kept_paths(&self) -> [PathBuf; 3] {
        [self.store.clone(), self.store.with_extension("kept"), self.store.with_extension("receipts")]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_asked_behind_tls_or_on_this_machine() {
        let source = |url: &str| SourceSection {
            url: url.to_owned(),
            token_file: "t".into(),
            authorities: None,
            class: Class::Auditor,
        };
        let trusting = |url: &str| SourceSection { authorities: Some("a".into()), ..source(url) };
        for url in ["https://custodian.example/v1/statement", "https://10.0.0.1:8443/s"] {
            assert_eq!((source(url).check(0), trusting(url).check(0)), (Ok(()), Ok(())), "{url}");
        }
        assert_eq!(trusting("http://127.0.0.1:80/").check(2), Err(ConfigError::Authorities { index: 2 }));
        for url in ["http://127.0.0.1:8000/statement", "http://[::1]:80/v1/statement?of=x", "http://127.0.0.1:1"] {
            assert_eq!(source(url).check(0), Ok(()), "{url}");
        }
        let refused = [
            "https://who:word@custodian.example/v1/statement",
            "https://",
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
