//! The configuration of a vault participant.

use super::{Answers, ClientSection, ConfigError, File, Kind, KindConfig, client_keys};
use alloy::primitives::Address;
use serde::Deserialize;
use std::path::PathBuf;

/// The file of a participant.
pub type VaultConfig = File<Vault>;

/// What it has beside the head.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    /// The counter of the journal; by default beside the key file.
    #[serde(default)]
    pub counter: Option<PathBuf>,
    /// The vault's registry, which says the epoch; by default the deployment's.
    #[serde(default)]
    pub registry: Option<Address>,
    /// The share of the next epoch, which serves once the registry says so.
    #[serde(default)]
    pub staged: Option<StagedSection>,
    /// How shares travel: sealed or compact.
    #[serde(default)]
    pub answers: Answers,
    /// Who may ask beside the members of the committee.
    #[serde(default, rename = "client")]
    pub clients: Vec<ClientSection>,
}

/// What a refresh wrote. Files that are not there yet are not staged yet.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StagedSection {
    /// The participant's sealed key file of the next epoch.
    pub key: PathBuf,
    /// The committee of the next epoch.
    pub committee: PathBuf,
}

impl KindConfig for Vault {
    const KIND: Kind = Kind::Vault;
    const REPLACED: &'static [&'static str] = &["counter", "answers"];

    fn check(&self) -> Result<(), ConfigError> {
        self.client_keys().map(drop)
    }
}

impl Vault {
    /// The clients' keys with their names.
    ///
    /// # Errors
    /// [`ConfigError::Client`].
    pub fn client_keys(&self) -> Result<Vec<([u8; 32], String)>, ConfigError> {
        client_keys(&self.clients)
    }
}

impl VaultConfig {
    /// The journal's counter.
    #[must_use]
    pub fn counter_path(&self) -> PathBuf {
        self.own.counter.clone().unwrap_or_else(|| self.node.key.with_extension("counter"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use std::net::SocketAddr;

    const LEAST: &str = r#"
        key = "p1.ccc"
        committee = "committee.ccc"
        deployment = "deployment.json"
        policy = "policy.json"
        rpc_url = "http://127.0.0.1:8545"
    "#;

    fn read(text: &str, variables: &[(&str, &str)]) -> Result<VaultConfig, ConfigError> {
        VaultConfig::read(text, variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn the_least_file_has_defaults_and_variables_replace_values() {
        let config = read(LEAST, &[("HOME", "x")]).expect("a configuration");
        assert_eq!(config.counter_path(), PathBuf::from("p1.counter"));
        assert_eq!((config.limits(), config.operations().port()), (Limits::default(), 7451));
        let config = read(LEAST, &[("CCC_NODE_RPC_URL", "http://127.0.0.1:1"), ("CCC_NODE_LISTEN", "127.0.0.1:9")]);
        let config = config.expect("a configuration");
        assert_eq!((config.node.rpc_url.as_str(), config.listen().port()), ("http://127.0.0.1:1", 9));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let with = |line: &str| read(&format!("{LEAST}\n{line}"), &[]);
        assert!(matches!(with("keys = 1"), Err(ConfigError::Toml(_))));
        assert!(matches!(with("[limits]\nnothing = 1"), Err(ConfigError::Toml(_))));
        let bound = |what, found| Err(ConfigError::Bound { what, found });
        assert_eq!(with("[limits]\nworkers = 0"), bound("workers", 0));
        assert_eq!(with("[limits]\nage = 0"), bound("age", 0));
        assert_eq!(with("[chain]\ninterval = 0"), bound("interval", 0));
        assert_eq!(with("[limits]\nconnections = 9223372036854775807"), bound("connections", i64::MAX as u64));
        let found = SocketAddr::from(([10, 0, 0, 1], 80));
        assert_eq!(with("operations = \"10.0.0.1:80\""), Err(ConfigError::Operations { found }));
        let client = |name: &str, key: &str| with(&format!("[[client]]\nname = \"{name}\"\nkey = \"{key}\""));
        let good = "ab".repeat(32);
        assert_eq!(client("host", &good).expect("a client").own.client_keys().expect("keys")[0].1, "host");
        let twice = format!("[[client]]\nname = 'a'\nkey = '{good}'\n[[client]]\nname = 'b'\nkey = '{good}'");
        assert_eq!(with(&twice), Err(ConfigError::SameKey { index: 1 }));
        assert!(matches!(client("a b", &good), Err(ConfigError::Client { index: 0, .. })));
        assert!(matches!(client("host", "ab"), Err(ConfigError::Client { index: 0, .. })));
        assert!(matches!(read(LEAST, &[("CCC_NODE_LIMITS", "1")]), Err(ConfigError::Variable { .. })));
    }
}
