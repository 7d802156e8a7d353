//! What every command that talks to a chain needs: settings, a node, a sender's key, a deployment.
//!
//! *Security*: no error and no result shows a key, a passphrase, or what stands in a node's address beside scheme, host
//! and port: providers put access keys there.

mod deployment;
mod error;
mod file;
mod key;
mod keystore;
mod known;
mod node;
mod plan;
mod settings;
mod words;

pub(crate) use deployment::{Form, read as read_deployment};
pub(crate) use error::{NetworkError, Shortfall, of_tls};
pub(crate) use key::open as open_key;
pub(crate) use known::KNOWN_TO_ALL;
pub(crate) use node::{Node, authorities, shown};
pub(crate) use plan::{LOCAL as LOCAL_PLAN, PlanFile};
pub(crate) use settings::{KeySource, Setting, Settings, Source};
pub(crate) use words::words_of;

/// A runtime for one command.
///
/// # Errors
/// [`crate::error::Error::Runtime`].
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, crate::error::Error> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(crate::error::Error::Runtime)
}
