//! The settings file, and where it lies.

use super::NetworkError;
use crate::{error::Error, files};
use serde::Deserialize;
use std::{
    env,
    path::{Path, PathBuf},
};

const MAX_FILE: u64 = 1 << 16;

/// What the file may say. Paths are relative to its directory.
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigFile {
    pub(super) rpc_url: Option<String>,
    pub(super) rpc_ca: Option<PathBuf>,
    pub(super) chain_id: Option<u64>,
    pub(super) deployment: Option<PathBuf>,
    pub(super) private_key_file: Option<PathBuf>,
    pub(super) keystore: Option<PathBuf>,
    pub(super) account_key: Option<PathBuf>,
    pub(super) committee: Option<PathBuf>,
}

impl ConfigFile {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`NetworkError::File`], and the errors of reading.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let bytes = files::read(path, MAX_FILE)?;
        let malformed = |reason| NetworkError::File { path: path.into(), reason };
        let text = std::str::from_utf8(&bytes).map_err(|_| malformed("it is not UTF-8 text".into()))?;
        let file: Self = toml::from_str(text).map_err(|error| malformed(reason_of(text, &error)))?;
        Ok(file.beside(path.parent().unwrap_or(Path::new(""))))
    }

    fn beside(self, directory: &Path) -> Self {
        let place = |path: Option<PathBuf>| path.map(|path| directory.join(path));
        Self {
            rpc_ca: place(self.rpc_ca),
            deployment: place(self.deployment),
            private_key_file: place(self.private_key_file),
            keystore: place(self.keystore),
            account_key: place(self.account_key),
            committee: place(self.committee),
            ..self
        }
    }
}

/// Where the text is wrong, and not what stands there: it may be a key. A name that is missing is one of ours, and one
/// that is too many is told where it can only be a word.
fn reason_of(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count().saturating_add(1);
    let column = before.chars().rev().take_while(|c| *c != '\n').count().saturating_add(1);
    let unknown = error.message().strip_prefix("unknown field `").and_then(|rest| rest.split_once('`'));
    match unknown {
        Some((name, _)) if is_word(name) => format!("line {line}: unknown field `{name}`"),
        _ => format!("line {line}, column {column} is not as docs/spec/files.md has it"),
    }
}

fn is_word(name: &str) -> bool {
    name.len() <= 24 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// Where the file lies unless told otherwise; none where the system does not say.
pub(super) fn default_path() -> Option<PathBuf> {
    let from = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let directory = if cfg!(windows) {
        from("APPDATA")
    } else if cfg!(target_os = "macos") {
        from("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        from("XDG_CONFIG_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| from("HOME").map(|home| home.join(".config")))
    };
    directory.map(|directory| directory.join("ccc/config.toml"))
}
