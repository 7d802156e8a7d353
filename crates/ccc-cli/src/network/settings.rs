//! Each setting and where it comes from: flag, environment, file, default, in this order.

use super::{
    NetworkError,
    file::{ConfigFile, default_path},
};
use crate::{
    cli::{ChainArgs, KeyArgs, ReadArgs, SettingsArgs},
    error::Error,
};
use std::{
    env,
    path::{Path, PathBuf},
};

/// The node of a command that names none.
const DEFAULT_RPC_URL: &str = "http://127.0.0.1:8545";

/// Variables that would hold a secret itself.
const SECRET_VARIABLES: [&str; 2] = ["CCC_PRIVATE_KEY", "CCC_KEYSTORE_PASSPHRASE"];

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Flag,
    Environment,
    File,
    Default,
}

impl Source {
    /// In a word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::File => "file",
            Self::Default => "default",
        }
    }
}

/// A value with its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) source: Source,
}

/// What holds the sender's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// A file with the key itself.
    PrivateKeyFile(PathBuf),
    /// A file with the key under a passphrase.
    Keystore(PathBuf),
}

/// Every setting of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) rpc_url: Setting<String>,
    /// The certificate authorities that may vouch for the node; the system's, where none are named.
    pub(crate) rpc_ca: Option<Setting<PathBuf>>,
    pub(crate) chain_id: Option<Setting<u64>>,
    pub(crate) deployment: Option<Setting<PathBuf>>,
    pub(crate) key: Option<Setting<KeySource>>,
    pub(crate) account_key: Option<Setting<PathBuf>>,
    pub(crate) committee: Option<Setting<PathBuf>>,
    /// The settings file that was read, or would be read if it were there.
    pub(crate) file: Option<Setting<PathBuf>>,
    /// Whether it is there.
    pub(crate) file_found: bool,
}

impl Settings {
    /// Reads flags, environment and file.
    ///
    /// # Errors
    /// A malformed variable or file; a secret in the environment; two keys at one place.
    pub(crate) fn read(flags: &SettingsArgs) -> Result<Self, Error> {
        refuse_secrets()?;
        let SettingsArgs { read: ReadArgs { chain, deployment }, key, owner } = flags;
        let file = file_setting(chain);
        let found = file.as_ref().is_some_and(|file| file.source != Source::Default || file.value.exists());
        let read = match &file {
            Some(file) if found => ConfigFile::read(&file.value)?,
            _ => ConfigFile::default(),
        };
        let key = key_setting(key, &read)?;
        let rpc_url = first(chain.rpc_url.clone(), text("CCC_RPC_URL")?, read.rpc_url);
        let rpc_url = rpc_url.unwrap_or(Setting { value: DEFAULT_RPC_URL.into(), source: Source::Default });
        Ok(Self {
            rpc_url,
            rpc_ca: first(chain.rpc_ca.clone(), path("CCC_RPC_CA"), read.rpc_ca),
            chain_id: first(chain.chain_id, number("CCC_CHAIN_ID")?, read.chain_id),
            deployment: first(deployment.deployment.clone(), path("CCC_DEPLOYMENT"), read.deployment),
            key,
            account_key: first(owner.account_key.clone(), path("CCC_ACCOUNT_KEY"), read.account_key),
            committee: first(owner.committee.clone(), path("CCC_COMMITTEE"), read.committee),
            file,
            file_found: found,
        })
    }

    /// The deployment's file.
    ///
    /// # Errors
    /// [`NetworkError::NoDeployment`].
    pub(crate) fn deployment(&self) -> Result<&PathBuf, NetworkError> {
        self.deployment.as_ref().map(|setting| &setting.value).ok_or(NetworkError::NoDeployment)
    }

    /// What holds the sender's key.
    ///
    /// # Errors
    /// [`NetworkError::NoKey`].
    pub(crate) fn key(&self) -> Result<&KeySource, NetworkError> {
        self.key.as_ref().map(|setting| &setting.value).ok_or(NetworkError::NoKey)
    }

    /// The file of the table account's keys.
    ///
    /// # Errors
    /// [`NetworkError::NoAccountKey`].
    pub(crate) fn account_key(&self) -> Result<&PathBuf, NetworkError> {
        self.account_key.as_ref().map(|setting| &setting.value).ok_or(NetworkError::NoAccountKey)
    }

    /// The file of the vault's committee.
    ///
    /// # Errors
    /// [`NetworkError::NoCommittee`].
    pub(crate) fn committee(&self) -> Result<&PathBuf, NetworkError> {
        self.committee.as_ref().map(|setting| &setting.value).ok_or(NetworkError::NoCommittee)
    }
}

fn refuse_secrets() -> Result<(), NetworkError> {
    let set = SECRET_VARIABLES.into_iter().find(|name| env::var_os(name).is_some());
    set.map_or(Ok(()), |name| Err(NetworkError::KeyInEnvironment { name }))
}

fn file_setting(chain: &ChainArgs) -> Option<Setting<PathBuf>> {
    let default = default_path().map(|value| Setting { value, source: Source::Default });
    first(chain.config.clone(), path("CCC_CONFIG"), None).or(default)
}

fn first<T>(flag: Option<T>, environment: Option<T>, file: Option<T>) -> Option<Setting<T>> {
    let of = |source| move |value| Setting { value, source };
    flag.map(of(Source::Flag))
        .or_else(|| environment.map(of(Source::Environment)))
        .or_else(|| file.map(of(Source::File)))
}

/// The first place that names a key at all decides.
fn key_setting(flags: &KeyArgs, file: &ConfigFile) -> Result<Option<Setting<KeySource>>, NetworkError> {
    let flag = one_key("the command line", flags.private_key_file.clone(), flags.keystore.clone())?;
    let environment = one_key("the environment", path("CCC_PRIVATE_KEY_FILE"), path("CCC_KEYSTORE"))?;
    let file = one_key("the settings file", file.private_key_file.clone(), file.keystore.clone())?;
    Ok(first(flag, environment, file))
}

fn one_key(
    from: &'static str,
    plain: Option<PathBuf>,
    keystore: Option<PathBuf>,
) -> Result<Option<KeySource>, NetworkError> {
    if [&plain, &keystore].into_iter().flatten().any(|path| is_key(path)) {
        return Err(NetworkError::KeyAsPath { from });
    }
    match (plain, keystore) {
        (Some(_), Some(_)) => Err(NetworkError::TwoKeys { from }),
        (Some(path), None) => Ok(Some(KeySource::PrivateKeyFile(path))),
        (None, path) => Ok(path.map(KeySource::Keystore)),
    }
}

/// Whether the name of a file is a private key.
fn is_key(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let digits = name.strip_prefix("0x").unwrap_or(name);
    digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn path(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn text(name: &'static str) -> Result<Option<String>, NetworkError> {
    let Some(value) = env::var_os(name).filter(|value| !value.is_empty()) else { return Ok(None) };
    let not_text = |_| NetworkError::Environment { name, reason: "it is not UTF-8 text".into() };
    value.into_string().map(Some).map_err(not_text)
}

fn number(name: &'static str) -> Result<Option<u64>, NetworkError> {
    let Some(value) = text(name)? else { return Ok(None) };
    let malformed = |_| NetworkError::Environment { name, reason: "it is not a number".into() };
    value.trim().parse().map(Some).map_err(malformed)
}
