//! The file of a deployment, as JSON or TOML.

use super::NetworkError;
use crate::{error::Error, files};
use ccc_chain::Deployment;
use std::path::Path;

const MAX_FILE: u64 = 1 << 20;

/// How a file is written, by the end of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Toml,
}

impl Form {
    /// The form that a name asks for.
    ///
    /// # Errors
    /// [`NetworkError::Form`].
    pub(crate) fn of(path: &Path) -> Result<Self, NetworkError> {
        match path.extension().and_then(|end| end.to_str()) {
            Some("json") => Ok(Self::Json),
            Some("toml") => Ok(Self::Toml),
            _ => Err(NetworkError::Form { path: path.into() }),
        }
    }

    /// The deployment as text.
    ///
    /// # Errors
    /// [`NetworkError::Deployment`] for a number above 63 bits in TOML.
    pub(crate) fn write(self, path: &Path, deployment: &Deployment) -> Result<String, NetworkError> {
        let refused = |reason: String| NetworkError::Deployment { path: path.into(), reason };
        match self {
            Self::Json => serde_json::to_string_pretty(deployment).map_err(|error| refused(error.to_string())),
            Self::Toml => toml::to_string(deployment).map_err(|error| refused(error.to_string())),
        }
    }

    fn read(self, text: &str) -> Result<Deployment, String> {
        match self {
            Self::Json => serde_json::from_str(text).map_err(|error| error.to_string()),
            Self::Toml => toml::from_str(text).map_err(|error| error.message().to_owned()),
        }
    }
}

/// Reads the deployment at `path`.
///
/// # Errors
/// [`NetworkError::Form`], [`NetworkError::Deployment`], and the errors of reading.
pub(crate) fn read(path: &Path) -> Result<Deployment, Error> {
    let form = Form::of(path)?;
    let bytes = files::read(path, MAX_FILE)?;
    let refused = |reason| NetworkError::Deployment { path: path.into(), reason };
    let text = std::str::from_utf8(&bytes).map_err(|_| refused("it is not UTF-8 text".into()))?;
    Ok(form.read(text).map_err(refused)?)
}
