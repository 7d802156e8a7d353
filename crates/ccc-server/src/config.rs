//! The configuration of a node: a TOML file, with values that the environment may replace.

use crate::{follow::FollowOptions, limits::Limits};
use alloy::primitives::Address;
use ccc_node::policy_file::ModeName;
use serde::Deserialize;
use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf, time::Duration};

/// The prefix of variables that replace a value: `CCC_NODE_RPC_URL`, `CCC_NODE_LISTEN`, …
pub const PREFIX: &str = "CCC_NODE_";
/// The greatest value of a bound.
const MAX_BOUND: u64 = u32::MAX as u64;
/// The longest name of a client.
const MAX_NAME: usize = 64;

/// Values at the top of the file that the environment may replace.
const REPLACED: [&str; 11] = [
    "mode",
    "listen",
    "operations",
    "key",
    "committee",
    "deployment",
    "policy",
    "counter",
    "audit",
    "rpc_url",
    "answers",
];

/// The file. Paths are relative to the directory from which the node is started.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultConfig {
    /// Whether simulated parts are accepted.
    #[serde(default)]
    pub mode: ModeName,
    /// Where re-encryption is served.
    #[serde(default = "listen")]
    pub listen: SocketAddr,
    /// Where health and meters are served, in the clear: a loopback address.
    #[serde(default = "operations")]
    pub operations: SocketAddr,
    /// The participant's sealed key file.
    pub key: PathBuf,
    /// The committee.
    pub committee: PathBuf,
    /// The deployment that is served.
    pub deployment: PathBuf,
    /// What is accepted as the enclave.
    pub policy: PathBuf,
    /// The counter of the journal; by default beside the key file.
    #[serde(default)]
    pub counter: Option<PathBuf>,
    /// The audit log; by default beside the key file.
    #[serde(default)]
    pub audit: Option<PathBuf>,
    /// The chain's node.
    pub rpc_url: String,
    /// The vault's registry, which says the epoch; by default the deployment's.
    #[serde(default)]
    pub registry: Option<Address>,
    /// The share of the next epoch, which serves once the registry says so.
    #[serde(default)]
    pub staged: Option<StagedSection>,
    /// How shares travel: sealed or compact.
    #[serde(default)]
    pub answers: Answers,
    /// How the chain is followed.
    #[serde(default)]
    pub chain: ChainSection,
    /// Bounds.
    #[serde(default)]
    pub limits: LimitsSection,
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

/// The mode that the participant serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answers {
    /// Sealed shares.
    #[default]
    Sealed,
    /// Compact partials.
    Compact,
}

/// *Units*: seconds; `window` in blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChainSection {
    interval: Option<u64>,
    window: Option<usize>,
    clock_behind: Option<u64>,
    stale_after: Option<u64>,
    final_after: Option<u64>,
}

/// *Units*: seconds; `body` and `bodies` in bytes; `rate` and `burst` in tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsSection {
    connections: Option<usize>,
    connections_per_peer: Option<usize>,
    calls_per_peer: Option<usize>,
    workers: Option<usize>,
    body: Option<usize>,
    bodies: Option<usize>,
    handshakes_per_address: Option<usize>,
    rate: Option<u32>,
    burst: Option<u32>,
    idle: Option<u64>,
    age: Option<u64>,
}

/// A client.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientSection {
    /// What logs call it.
    pub name: String,
    /// Its Ed25519 key, 64 hexadecimal digits.
    pub key: String,
}

/// A node that is called.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerSection {
    /// What logs call it.
    pub name: String,
    /// Its Ed25519 key, 64 hexadecimal digits.
    pub key: String,
    /// Where it is.
    pub address: SocketAddr,
}

/// Why a configuration is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Not the TOML that is read.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// Bytes that are no text.
    #[error("not UTF-8 text")]
    Text,
    /// A variable whose value does not fit.
    #[error("{PREFIX}{name}: {reason}")]
    Variable {
        /// Without the prefix.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// Health and meters beyond this machine.
    #[error("operations: {found} is not a loopback address")]
    Operations {
        /// The address.
        found: SocketAddr,
    },
    /// A source of the statement beyond this machine.
    #[error(
        "source {index}: only http:// with a loopback address and a port is asked; run a proxy with TLS beside the host"
    )]
    Source {
        /// Its position.
        index: usize,
    },
    /// A client without a usable name or key.
    #[error("client {index}: {reason}")]
    Client {
        /// Its position.
        index: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// A bound of zero stops everything, and one beyond what can be counted bounds nothing.
    #[error("{what} is {found}, where 1 to {MAX_BOUND} are possible")]
    Bound {
        /// Which.
        what: &'static str,
        /// The value.
        found: u64,
    },
    /// A list that may not be empty.
    #[error("at least one [[{what}]] is needed")]
    Missing {
        /// Which.
        what: &'static str,
    },
    /// A number that does not fit the others.
    #[error("{what} is {found}, where {expected}")]
    Number {
        /// Which.
        what: &'static str,
        /// The value.
        found: u64,
        /// What is possible.
        expected: &'static str,
    },
    /// A member of the committee among the clients, or one key twice.
    #[error("client {index}: another peer has this key")]
    SameKey {
        /// Its position.
        index: usize,
    },
}

fn listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 7450))
}

fn operations() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 7451))
}

impl VaultConfig {
    /// Reads a file's text, lets the variables replace what they name, and checks the whole.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn read(text: &str, variables: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let config: Self = read_table(text, variables, &REPLACED)?.try_into()?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        loopback(self.operations)?;
        self.client_keys()?;
        let (limits, follow) = (self.limits(), self.follow());
        let bounds = [
            ("connections", limits.connections as u64),
            ("connections_per_peer", limits.connections_per_peer as u64),
            ("handshakes_per_address", limits.handshakes_per_address as u64),
            ("calls_per_peer", limits.calls_per_peer as u64),
            ("workers", limits.workers as u64),
            ("body", limits.body as u64),
            ("bodies", limits.bodies as u64),
            ("rate", u64::from(limits.rate)),
            ("burst", u64::from(limits.burst)),
            ("idle", limits.idle.as_secs()),
            ("age", limits.age.as_secs()),
            ("interval", follow.interval.as_secs()),
            ("window", follow.window as u64),
        ];
        match bounds.into_iter().find(|(_, bound)| !(1..=MAX_BOUND).contains(bound)) {
            Some((what, found)) => Err(ConfigError::Bound { what, found }),
            None => Ok(()),
        }
    }

    /// The clients' keys with their names.
    ///
    /// # Errors
    /// [`ConfigError::Client`].
    pub fn client_keys(&self) -> Result<Vec<([u8; 32], String)>, ConfigError> {
        client_keys(&self.clients)
    }

    /// The bounds.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let (own, default) = (self.limits, Limits::default());
        let workers = own.workers.unwrap_or(default.workers);
        Limits {
            connections: own.connections.unwrap_or(default.connections),
            connections_per_peer: own.connections_per_peer.unwrap_or(default.connections_per_peer),
            calls_per_peer: own.calls_per_peer.unwrap_or(default.calls_per_peer),
            workers,
            workers_per_peer: workers.div_ceil(2),
            body: own.body.unwrap_or(default.body),
            bodies: own.bodies.unwrap_or(default.bodies),
            handshakes_per_address: own.handshakes_per_address.unwrap_or(default.handshakes_per_address),
            rate: own.rate.unwrap_or(default.rate),
            burst: own.burst.unwrap_or(default.burst),
            idle: own.idle.map_or(default.idle, Duration::from_secs),
            age: own.age.map_or(default.age, Duration::from_secs),
            ..default
        }
    }

    /// How the chain is followed.
    #[must_use]
    pub fn follow(&self) -> FollowOptions {
        self.chain.options()
    }

    /// The journal's counter.
    #[must_use]
    pub fn counter_path(&self) -> PathBuf {
        self.counter.clone().unwrap_or_else(|| self.key.with_extension("counter"))
    }

    /// The audit log.
    #[must_use]
    pub fn audit_path(&self) -> PathBuf {
        self.audit.clone().unwrap_or_else(|| self.key.with_extension("audit"))
    }
}

impl ChainSection {
    /// How the chain is followed.
    pub(crate) fn options(self) -> FollowOptions {
        let default = FollowOptions::default();
        FollowOptions {
            interval: self.interval.map_or(default.interval, Duration::from_secs),
            window: self.window.unwrap_or(default.window),
            ahead: self.clock_behind.unwrap_or(default.ahead),
            behind: self.stale_after.unwrap_or(default.behind),
            final_behind: self.final_after.unwrap_or(default.final_behind),
        }
    }

    pub(crate) fn check(self) -> Result<(), ConfigError> {
        let follow = self.options();
        let bounds = [("interval", follow.interval.as_secs()), ("window", follow.window as u64)];
        match bounds.into_iter().find(|(_, bound)| !(1..=MAX_BOUND).contains(bound)) {
            Some((what, found)) => Err(ConfigError::Bound { what, found }),
            None => Ok(()),
        }
    }
}

/// The keys of clients with their names, each once.
pub(crate) fn client_keys(clients: &[ClientSection]) -> Result<Vec<([u8; 32], String)>, ConfigError> {
    let (mut names, mut keys) = (BTreeSet::new(), BTreeSet::new());
    let one = |(index, client): (usize, &ClientSection)| {
        let wrong = |reason| ConfigError::Client { index, reason };
        let plain = client.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if client.name.is_empty() || client.name.len() > MAX_NAME || !plain {
            return Err(wrong("a name has 1 to 64 letters, digits, - or _"));
        }
        if !names.insert(client.name.clone()) {
            return Err(wrong("another client has this name"));
        }
        let mut key = [0; 32];
        hex::decode_to_slice(&client.key, &mut key).map_err(|_| wrong("a key has 64 hexadecimal digits"))?;
        if !keys.insert(key) {
            return Err(ConfigError::SameKey { index });
        }
        Ok((key, client.name.clone()))
    };
    clients.iter().enumerate().map(one).collect()
}

/// The peers' keys, names and addresses.
pub(crate) fn peers(peers: &[PeerSection]) -> Result<Vec<([u8; 32], String, SocketAddr)>, ConfigError> {
    let clients: Vec<_> =
        peers.iter().map(|peer| ClientSection { name: peer.name.clone(), key: peer.key.clone() }).collect();
    let keys = client_keys(&clients)?;
    Ok(keys.into_iter().zip(peers).map(|((key, name), peer)| (key, name, peer.address)).collect())
}

/// Names and keys of several lists together, each once: a name says what its peer may do.
pub(crate) fn unique(known: Vec<([u8; 32], String)>) -> Result<Vec<([u8; 32], String)>, ConfigError> {
    let (mut names, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for (index, (key, name)) in known.iter().enumerate() {
        if !keys.insert(key) {
            return Err(ConfigError::SameKey { index });
        }
        if !names.insert(name) {
            return Err(ConfigError::Client { index, reason: "another client has this name" });
        }
    }
    Ok(known)
}

/// Health and meters are for this machine.
pub(crate) fn loopback(found: SocketAddr) -> Result<(), ConfigError> {
    if found.ip().is_loopback() { Ok(()) } else { Err(ConfigError::Operations { found }) }
}

/// A file's text, with what the variables replace: strings at the top of the file alone, addresses, paths and words.
pub(crate) fn read_table(
    text: &str,
    variables: impl Iterator<Item = (String, String)>,
    known: &[&str],
) -> Result<toml::Table, ConfigError> {
    let mut table: toml::Table = toml::from_str(text)?;
    for (name, value) in variables {
        let Some(name) = name.strip_prefix(PREFIX) else { continue };
        let key = name.to_ascii_lowercase();
        if !known.contains(&key.as_str()) {
            let reason = format!("no such value; there are {}", known.join(", "));
            return Err(ConfigError::Variable { name: name.to_owned(), reason });
        }
        table.insert(key, toml::Value::String(value));
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(config.limits(), Limits::default());
        let config = read(LEAST, &[("CCC_NODE_RPC_URL", "http://127.0.0.1:1"), ("CCC_NODE_LISTEN", "127.0.0.1:9")]);
        let config = config.expect("a configuration");
        assert_eq!((config.rpc_url.as_str(), config.listen.port()), ("http://127.0.0.1:1", 9));
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
        assert_eq!(client("host", &good).expect("a client").client_keys().expect("keys")[0].1, "host");
        let twice = format!("[[client]]\nname = 'a'\nkey = '{good}'\n[[client]]\nname = 'b'\nkey = '{good}'");
        assert_eq!(with(&twice), Err(ConfigError::SameKey { index: 1 }));
        assert!(matches!(client("a b", &good), Err(ConfigError::Client { index: 0, .. })));
        assert!(matches!(client("host", "ab"), Err(ConfigError::Client { index: 0, .. })));
        assert!(matches!(read(LEAST, &[("CCC_NODE_LIMITS", "1")]), Err(ConfigError::Variable { .. })));
    }
}
