//! What a caller decides about a recovery.

use crate::scenario::Scenario;
use ccc_chain::https::Authorities;
use zeroize::Zeroizing;

/// Whether the run may use simulated parts; [`crate::production`] says what production refuses.
pub use ccc_core::enclave::attestation::OperatingMode as Mode;

/// Where the custodian's statement comes from.
#[derive(Clone, Default)]
pub enum StatementSource {
    /// A simulated custodian, started for the run on a free loopback port.
    #[default]
    Simulated,
    /// A server, asked with a bearer token.
    Url {
        /// Its URL.
        url: String,
        /// The token.
        token: Zeroizing<String>,
    },
    /// The bytes of a statement.
    Bytes(Zeroizing<Vec<u8>>),
}

/// What a caller decides.
#[derive(Clone)]
pub struct RecoveryOptions {
    /// Sizes and faults.
    pub scenario: Scenario,
    /// Simulation or production.
    pub mode: Mode,
    /// A seed for a reproducible run.
    pub seed: Option<u64>,
    /// Another seed for what no observer may learn; only with `seed`. Two runs that differ in it alone must
    /// look alike from outside.
    pub secret_seed: Option<u64>,
    /// A node; without one, the embedded chain.
    pub rpc_url: Option<String>,
    /// Who may vouch for that node; whom the system trusts, where nobody is named.
    pub rpc_ca: Option<Authorities>,
    /// The custodian.
    pub statement: StatementSource,
}

impl Default for RecoveryOptions {
    fn default() -> Self {
        Self {
            scenario: Scenario::default(),
            mode: Mode::Simulation,
            seed: None,
            secret_seed: None,
            rpc_url: None,
            rpc_ca: None,
            statement: StatementSource::default(),
        }
    }
}

impl RecoveryOptions {
    /// The parts of the run that stand for others, beside the enclave's hardware, which the policy names.
    pub(super) fn simulated_parts(&self) -> &'static [&'static str] {
        match self.statement {
            StatementSource::Simulated => &["the custodian", "the price feed", "the tokens"],
            StatementSource::Url { .. } | StatementSource::Bytes(_) => &["the price feed", "the tokens"],
        }
    }
}
