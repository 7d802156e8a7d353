//! The simulated custodian: a server of one statement on loopback, and the client that the enclave host
//! uses. A real custodian is asked the same way: GET with a bearer token, behind TLS.

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use ccc_chain::{
    embedded::{LoopbackServer, ServeError},
    https::{self, Authorities, GetError},
};
use ccc_enclave::statement::MAX_LEN;
use serde::Serialize;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// How long the client waits for a statement.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The body of a statement, as the simulated custodian serves it.
#[derive(Serialize)]
pub struct SimulatedStatement {
    /// The account that it is about.
    pub account: String,
    /// Always `satoshi`.
    pub unit: &'static str,
    /// Unix seconds.
    pub time: u64,
    /// Satoshi held.
    pub reserves: u64,
    /// Satoshi owed.
    pub liabilities: u64,
}

impl SimulatedStatement {
    /// The JSON bytes.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("text and integers always serialise")
    }
}

/// A running simulated custodian; dropping it ends the server.
pub struct SimulatedCustodian(LoopbackServer);

/// What can go wrong between the enclave host and the custodian. No variant carries the statement.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CustodianError {
    /// The simulated custodian could not be served.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// No answer, or a broken one.
    #[error("asking the custodian: {0}")]
    Unreachable(String),
    /// No answer behind TLS from who is believed.
    #[error("asking the custodian: {0}")]
    Get(GetError),
    /// An answer that is not a statement.
    #[error("the custodian answered with status {status}")]
    Refused {
        /// HTTP status.
        status: u16,
    },
    /// An answer longer than any statement.
    #[error("the custodian's answer is longer than {MAX_LEN} bytes")]
    TooLong,
}

struct Served {
    statement: Vec<u8>,
    authorization: Zeroizing<String>,
}

impl SimulatedCustodian {
    /// Serves a statement at `/v1/statement` to whoever has the token.
    ///
    /// # Errors
    /// [`CustodianError::Serve`].
    pub async fn serve(address: SocketAddr, token: &str, statement: Vec<u8>) -> Result<Self, CustodianError> {
        let served = Served { statement, authorization: Zeroizing::new(format!("Bearer {token}")) };
        let routes = Router::new().route("/v1/statement", get(answer)).with_state(Arc::new(served));
        Ok(Self(LoopbackServer::serve(address, routes).await?))
    }

    /// The URL of the statement.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/v1/statement", self.0.url())
    }

    /// Waits until the server ends.
    pub async fn wait(self) {
        self.0.wait().await;
    }
}

async fn answer(State(served): State<Arc<Served>>, headers: HeaderMap) -> Response {
    let given = headers.get(header::AUTHORIZATION).map_or(&[][..], |value| value.as_bytes());
    if bool::from(given.ct_eq(served.authorization.as_bytes())) {
        ([(header::CONTENT_TYPE, "application/json")], served.statement.clone()).into_response()
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

/// Fetches a statement: GET with a bearer token, at most [`MAX_LEN`] bytes.
///
/// # Errors
/// [`CustodianError`].
pub async fn fetch(url: &str, token: &str) -> Result<Zeroizing<Vec<u8>>, CustodianError> {
    let unreachable = |error: reqwest::Error| CustodianError::Unreachable(error.without_url().to_string());
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(unreachable)?;
    let mut response = client.get(url).bearer_auth(token).send().await.map_err(unreachable)?;
    if !response.status().is_success() {
        return Err(CustodianError::Refused { status: response.status().as_u16() });
    }
    let mut body = Zeroizing::new(Vec::with_capacity(1024));
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > MAX_LEN {
            return Err(CustodianError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// As [`fetch`], of a custodian behind TLS for whom one of the authorities vouches.
///
/// # Errors
/// [`CustodianError`].
pub async fn fetch_trusting(
    url: &str,
    token: &str,
    authorities: &Authorities,
) -> Result<Zeroizing<Vec<u8>>, CustodianError> {
    let mut body = Zeroizing::new(Vec::with_capacity(MAX_LEN));
    match https::get(url, authorities, token, TIMEOUT, &mut body).await {
        Ok(status) if (200..300).contains(&status) => Ok(body),
        Ok(status) => Err(CustodianError::Refused { status }),
        Err(GetError::TooLong { .. }) => Err(CustodianError::TooLong),
        Err(error) => Err(CustodianError::Get(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback() -> SocketAddr {
        ([127, 0, 0, 1], 0).into()
    }

    #[tokio::test]
    async fn a_statement_is_served_to_the_token_alone() {
        let custodian = SimulatedCustodian::serve(loopback(), "secret", b"{}".to_vec()).await.expect("served");
        assert_eq!(fetch(&custodian.url(), "secret").await.expect("fetched").as_slice(), b"{}");
        for token in ["", "Secret", "secret2"] {
            assert!(matches!(fetch(&custodian.url(), token).await, Err(CustodianError::Refused { status: 401 })));
        }
        let elsewhere = custodian.url().replace("statement", "other");
        assert!(matches!(fetch(&elsewhere, "secret").await, Err(CustodianError::Refused { status: 404 })));
    }

    #[tokio::test]
    async fn a_long_answer_is_cut_off() {
        let custodian = SimulatedCustodian::serve(loopback(), "t", vec![b' '; MAX_LEN + 1]).await.expect("served");
        assert!(matches!(fetch(&custodian.url(), "t").await, Err(CustodianError::TooLong)));
    }

    #[tokio::test]
    async fn only_loopback_is_served() {
        let refused = SimulatedCustodian::serve(([0, 0, 0, 0], 0).into(), "t", Vec::new()).await;
        assert!(matches!(refused, Err(CustodianError::Serve(ServeError::NotLoopback(_)))));
    }

    #[tokio::test]
    async fn nobody_answers() {
        let custodian = SimulatedCustodian::serve(loopback(), "t", Vec::new()).await.expect("served");
        let url = custodian.url();
        drop(custodian);
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(matches!(fetch(&url, "t").await, Err(CustodianError::Unreachable(_))));
    }
}
