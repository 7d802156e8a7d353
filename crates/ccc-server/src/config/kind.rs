//! The three kinds of nodes.

use crate::limits::Limits;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A participant of the vault.
    Vault,
    /// An enclave's host.
    Enclave,
    /// A signer of reports.
    Workflow,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Vault, Self::Enclave, Self::Workflow];

    /// The verb that starts it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Vault => "vault",
            Self::Enclave => "enclave",
            Self::Workflow => "workflow",
        }
    }

    /// The kind of a file, by a value that no other kind has.
    ///
    /// # Errors
    /// [`toml::de::Error`].
    pub fn of(text: &str) -> Result<Self, toml::de::Error> {
        let table: toml::Table = toml::from_str(text)?;
        Ok(match (table.contains_key("hardware"), table.contains_key("signer")) {
            (true, _) => Self::Enclave,
            (false, true) => Self::Workflow,
            (false, false) => Self::Vault,
        })
    }

    /// Where its doors are by default; health and meters are one further.
    pub(super) const fn port(self) -> u16 {
        match self {
            Self::Vault => 7450,
            Self::Enclave => 7460,
            Self::Workflow => 7470,
        }
    }

    /// Its bounds by default.
    pub(super) fn limits(self) -> Limits {
        match self {
            Self::Vault => Limits::default(),
            Self::Enclave | Self::Workflow => Limits::waiting(),
        }
    }

    /// What its meters' names begin with.
    pub(crate) const fn meters(self) -> &'static str {
        match self {
            Self::Vault => "ccc_vault",
            Self::Enclave => "ccc_enclave",
            Self::Workflow => "ccc_workflow",
        }
    }
}
