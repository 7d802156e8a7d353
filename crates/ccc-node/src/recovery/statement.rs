//! Where the statement of a run comes from.

use super::{RecoveryError, RecoveryOptions, options::StatementSource};
use crate::{
    custodian::{self, SimulatedCustodian, SimulatedStatement},
    domain::stream,
    scenario::ReserveTerms,
    seed::Randomness,
};
use ccc_enclave::{reserve::ReserveError, statement::Statement};
use rand::{Rng, RngExt};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Mutex, PoisonError},
};
use zeroize::Zeroizing;

/// The simulated custodian's account.
const SIMULATED_ACCOUNT: &str = "cold storage";

/// Satoshi in a bitcoin.
const SATOSHI: u64 = 100_000_000;

/// What the simulated custodian says, or would say: the makers' sizes follow from it.
#[derive(Clone, Copy)]
pub(super) struct Books {
    pub(super) reserves: u64,
    pub(super) liabilities: u64,
}

impl Books {
    pub(super) fn of(terms: &ReserveTerms, randomness: &Randomness) -> Self {
        let mut rng = randomness.hidden(stream::BOOKS, 0);
        let liabilities = terms.liabilities_bitcoin * SATOSHI + rng.random_range(1..SATOSHI);
        let covered = u128::from(liabilities) * u128::from(terms.covered_basis_points) / 10_000;
        let reserves = u64::try_from(covered).unwrap_or(u64::MAX).saturating_sub(rng.random_range(1..SATOSHI));
        Self { reserves, liabilities }
    }

    fn statement(&self, time: u64) -> Vec<u8> {
        let Self { reserves, liabilities } = *self;
        SimulatedStatement { account: SIMULATED_ACCOUNT.to_owned(), unit: "satoshi", time, reserves, liabilities }
            .to_json()
    }

    /// What is missing to the recovery's aim.
    pub(super) fn gap(&self, recover_to: u32) -> u64 {
        let aim = u128::from(self.liabilities) * u128::from(recover_to) / 10_000;
        u64::try_from(aim.saturating_sub(u128::from(self.reserves))).unwrap_or(u64::MAX)
    }
}

/// The account that the statements of a run must be about: the simulated custodian's, or the one that a statement from
/// elsewhere names at the start.
pub(super) async fn account(source: &StatementSource) -> Result<String, RecoveryError> {
    let bytes = match source {
        StatementSource::Simulated => return Ok(SIMULATED_ACCOUNT.to_owned()),
        StatementSource::Url { url, token } => custodian::fetch(url, token).await?,
        StatementSource::Bytes(bytes) => bytes.clone(),
    };
    Ok(Statement::parse(&bytes).map_err(ReserveError::from)?.account().to_owned())
}

/// Fetches the statement each time that it is needed.
pub(super) enum StatementFetcher {
    /// From a server that this run started.
    Own { custodian: SimulatedCustodian, token: Zeroizing<String>, books: Mutex<Books> },
    /// From somebody else's server.
    Url { url: String, token: Zeroizing<String> },
    /// From a file.
    Bytes(Zeroizing<Vec<u8>>),
}

impl StatementFetcher {
    pub(super) async fn start(
        options: &RecoveryOptions,
        books: &Books,
        randomness: &Randomness,
        time: u64,
    ) -> Result<Self, RecoveryError> {
        match &options.statement {
            StatementSource::Url { url, token } => Ok(Self::Url { url: url.clone(), token: token.clone() }),
            StatementSource::Bytes(bytes) => Ok(Self::Bytes(bytes.clone())),
            StatementSource::Simulated => {
                let mut token = Zeroizing::new([0; 32]);
                randomness.hidden(stream::CUSTODIAN_TOKEN, 0).fill_bytes(token.as_mut_slice());
                let token = Zeroizing::new(hex::encode(token.as_slice()));
                let any = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
                let custodian = SimulatedCustodian::serve(any, &token, books.statement(time)).await?;
                Ok(Self::Own { custodian, token, books: Mutex::new(*books) })
            }
        }
    }

    /// Where a host asks for it, and with which token; nothing for a file's bytes.
    pub(super) fn source(&self) -> Option<(String, &Zeroizing<String>)> {
        match self {
            Self::Own { custodian, token, .. } => Some((custodian.url(), token)),
            Self::Url { url, token } => Some((url.clone(), token)),
            Self::Bytes(_) => None,
        }
    }

    /// The simulated custodian counts what came to the reserve's address, and dates its statement anew. Others count for
    /// themselves. Gives what is held then.
    pub(super) fn credit(&self, came: u64, time: u64) -> Result<u64, RecoveryError> {
        let Self::Own { custodian, books, .. } = self else { return Ok(came) };
        let mut books = books.lock().unwrap_or_else(PoisonError::into_inner);
        let held = books.reserves.checked_add(came);
        books.reserves = held.ok_or(RecoveryError::Range { what: "what the custodian holds" })?;
        custodian.restate(books.statement(time));
        Ok(books.reserves)
    }

    pub(super) async fn fetch(&self) -> Result<Zeroizing<Vec<u8>>, RecoveryError> {
        match self {
            Self::Own { custodian, token, .. } => Ok(custodian::fetch(&custodian.url(), token).await?),
            Self::Url { url, token } => Ok(custodian::fetch(url, token).await?),
            Self::Bytes(bytes) => Ok(bytes.clone()),
        }
    }
}
