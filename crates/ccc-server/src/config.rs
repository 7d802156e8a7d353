//! The configuration of a node: a TOML file, with values that the environment may replace. Every kind of node has the same
//! head ([`NodeConfig`]) and a part of its own ([`KindConfig`]).

mod kind;
pub mod vault;

use crate::{follow::FollowOptions, limits::Limits};
use ccc_node::policy_file::ModeName;
pub use kind::Kind;
use serde::{Deserialize, de::DeserializeOwned};
use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf, time::Duration};
pub use vault::VaultConfig;

/// The prefix of variables that replace a value: `CCC_NODE_RPC_URL`, `CCC_NODE_LISTEN`, …
pub const PREFIX: &str = "CCC_NODE_";
/// The greatest value of a bound.
const MAX_BOUND: u64 = u32::MAX as u64;
/// The longest name of a client.
const MAX_NAME: usize = 64;

/// The head's values that the environment may replace.
const REPLACED: [&str; 10] =
    ["mode", "listen", "operations", "key", "committee", "deployment", "policy", "audit", "rpc_url", "rpc_ca"];
/// Its sections.
const SECTIONS: [&str; 2] = ["chain", "limits"];

/// What the file of every kind has. Paths are relative to the directory from which the node is started.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// Whether simulated parts are accepted.
    #[serde(default)]
    pub mode: ModeName,
    /// Where its doors are; by default the port of its kind on loopback.
    #[serde(default)]
    pub listen: Option<SocketAddr>,
    /// Where health and meters are served, in the clear: a loopback address, by default with the port after the kind's.
    #[serde(default)]
    pub operations: Option<SocketAddr>,
    /// The node's sealed keys.
    pub key: PathBuf,
    /// The committee.
    pub committee: PathBuf,
    /// The deployment that is served.
    pub deployment: PathBuf,
    /// What is accepted as the enclave.
    pub policy: PathBuf,
    /// The audit log; by default beside the key file.
    #[serde(default)]
    pub audit: Option<PathBuf>,
    /// The chain's node.
    pub rpc_url: String,
    /// Who may vouch for a node at `https://`: a PEM file of certificate authorities; by default whom the system trusts.
    #[serde(default)]
    pub rpc_ca: Option<PathBuf>,
    /// How the chain is followed.
    #[serde(default)]
    pub chain: ChainSection,
    /// Bounds.
    #[serde(default)]
    pub limits: LimitsSection,
}

/// What a kind's file has beside the head.
pub trait KindConfig: DeserializeOwned {
    /// The kind.
    const KIND: Kind;
    /// Values that the environment may replace, beside those of the head.
    const REPLACED: &'static [&'static str];
    /// What is wrong with it as a whole.
    ///
    /// # Errors
    /// [`ConfigError`].
    fn check(&self) -> Result<(), ConfigError>;
}

/// A whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File<K> {
    /// Its head.
    pub node: NodeConfig,
    /// What the kind has beside it.
    pub own: K,
}

impl<K: KindConfig> File<K> {
    /// Reads a file's text, lets the variables replace what they name, and checks the whole.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn read(text: &str, variables: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let (mut own, mut head) = (toml::from_str(text)?, toml::Table::new());
        replace(&mut own, variables, &[&REPLACED[..], K::REPLACED].concat())?;
        for name in REPLACED.into_iter().chain(SECTIONS) {
            head.extend(own.remove_entry(name));
        }
        let file = Self { node: head.try_into()?, own: own.try_into()? };
        file.check()?;
        Ok(file)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let found = self.operations();
        if !found.ip().is_loopback() {
            return Err(ConfigError::Operations { found });
        }
        check_bounds(&self.limits(), &self.follow())?;
        self.own.check()
    }

    /// Where its doors are.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        self.node.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], K::KIND.port())))
    }

    /// Where health and meters are.
    #[must_use]
    pub fn operations(&self) -> SocketAddr {
        self.node.operations.unwrap_or(SocketAddr::from(([127, 0, 0, 1], K::KIND.port() + 1)))
    }

    /// The bounds.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.node.limits.over(K::KIND.limits())
    }

    /// How the chain is followed.
    #[must_use]
    pub fn follow(&self) -> FollowOptions {
        self.node.chain.options()
    }

    /// The audit log.
    #[must_use]
    pub fn audit_path(&self) -> PathBuf {
        self.node.audit.clone().unwrap_or_else(|| self.node.key.with_extension("audit"))
    }
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
    /// A source of the statement that is beyond this machine and without TLS, or has a secret in its address.
    #[error(
        "source {index}: https:// without a name and a password is asked, or http:// with a loopback address and a port"
    )]
    Source {
        /// Its position.
        index: usize,
    },
    /// Authorities for a source that none is needed for.
    #[error("source {index}: `authorities` is for https://, and its address has none")]
    Authorities {
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

impl LimitsSection {
    /// These bounds in place of a kind's own.
    fn over(self, default: Limits) -> Limits {
        let workers = self.workers.unwrap_or(default.workers);
        let share = default.workers.div_ceil(default.workers_per_peer.max(1)).max(2);
        Limits {
            connections: self.connections.unwrap_or(default.connections),
            connections_per_peer: self.connections_per_peer.unwrap_or(default.connections_per_peer),
            calls_per_peer: self.calls_per_peer.unwrap_or(default.calls_per_peer),
            workers,
            workers_per_peer: workers.div_ceil(share),
            body: self.body.unwrap_or(default.body),
            bodies: self.bodies.unwrap_or(default.bodies),
            handshakes_per_address: self.handshakes_per_address.unwrap_or(default.handshakes_per_address),
            rate: self.rate.unwrap_or(default.rate),
            burst: self.burst.unwrap_or(default.burst),
            idle: self.idle.map_or(default.idle, Duration::from_secs),
            age: self.age.map_or(default.age, Duration::from_secs),
            ..default
        }
    }
}

/// Zero stops everything, and what cannot be counted bounds nothing.
fn check_bounds(limits: &Limits, follow: &FollowOptions) -> Result<(), ConfigError> {
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

/// Puts what the variables say into a file: strings at its top alone, addresses, paths and words.
fn replace(
    table: &mut toml::Table,
    variables: impl Iterator<Item = (String, String)>,
    known: &[&str],
) -> Result<(), ConfigError> {
    for (name, value) in variables {
        let Some(name) = name.strip_prefix(PREFIX) else { continue };
        let key = name.to_ascii_lowercase();
        if !known.contains(&key.as_str()) {
            let reason = format!("no such value; there are {}", known.join(", "));
            return Err(ConfigError::Variable { name: name.to_owned(), reason });
        }
        table.insert(key, toml::Value::String(value));
    }
    Ok(())
}
