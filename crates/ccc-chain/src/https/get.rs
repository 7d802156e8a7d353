//! One question by GET with a bearer token, to whoever an authority vouches for: TLS 1.3 alone, no redirect followed, an answer of
//! bounded time and length.

use super::{Authorities, TlsError, in_words, tls_error};
use alloy::transports::http::reqwest::Url;
use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, Uri,
    body::{Bytes, Incoming},
    header::{AUTHORIZATION, HeaderValue},
};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use std::{error::Error, time::Duration};

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GetError {
    /// No address with `https`, or one with a name or a password in it.
    #[error("no https address without a name and a password")]
    Address,
    /// A token that fits into no header.
    #[error("the token has characters that no header may have")]
    Token,
    /// Whoever answers is not the one who is believed.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// No answer in time.
    #[error("no answer within {seconds} s")]
    Late {
        /// How long it may take.
        seconds: u64,
    },
    /// No answer, or one that broke off.
    #[error("{reason}")]
    Broken {
        /// What the system says.
        reason: String,
    },
    /// A longer answer than was asked for.
    #[error("the answer is longer than {most} bytes")]
    TooLong {
        /// The bound.
        most: usize,
    },
}

/// The address of a GET: https, without a name and a password, which would stand in logs.
///
/// # Errors
/// [`GetError::Address`].
pub fn address(url: &str) -> Result<Uri, GetError> {
    let found: Url = url.parse().map_err(|_| GetError::Address)?;
    let bare = found.username().is_empty() && found.password().is_none() && found.fragment().is_none();
    if found.scheme() != "https" || !found.has_host() || !bare {
        return Err(GetError::Address);
    }
    found.as_str().parse().map_err(|_| GetError::Address)
}

/// Asks once. The answer's body goes to the end of `body`, up to its capacity, so that no part of it is copied elsewhere; its
/// status is returned.
///
/// *Security*: the token is in one header, which is marked as sensitive, and in no error.
///
/// # Errors
/// [`GetError`].
pub async fn get(
    url: &str,
    authorities: &Authorities,
    token: &str,
    patience: Duration,
    body: &mut Vec<u8>,
) -> Result<u16, GetError> {
    let mut header = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| GetError::Token)?;
    header.set_sensitive(true);
    let request = Request::get(address(url)?).header(AUTHORIZATION, header);
    let request = request.body(Empty::<Bytes>::new()).map_err(|_| GetError::Address)?;
    let connector = HttpsConnectorBuilder::new().with_tls_config(authorities.client()?).https_only().enable_http1();
    let client = Client::builder(TokioExecutor::new()).build(connector.build());
    let asked = async {
        let response = client.request(request).await.map_err(|error| broken(&error))?;
        let status = response.status().as_u16();
        read(response.into_body(), body).await?;
        Ok(status)
    };
    let late = |_| Err(GetError::Late { seconds: patience.as_secs() });
    tokio::time::timeout(patience, asked).await.unwrap_or_else(late)
}

async fn read(mut from: Incoming, body: &mut Vec<u8>) -> Result<(), GetError> {
    let most = body.capacity();
    while let Some(frame) = from.frame().await {
        let Ok(data) = frame.map_err(|error| broken(&error))?.into_data() else { continue };
        if data.len() > most - body.len() {
            return Err(GetError::TooLong { most });
        }
        body.extend_from_slice(&data);
    }
    Ok(())
}

fn broken(error: &(dyn Error + 'static)) -> GetError {
    match tls_error(error) {
        Some(found) => TlsError::from(found).into(),
        None => GetError::Broken { reason: in_words(error) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_tls_and_no_secret() {
        for url in ["https://custodian.example/v1/statement", "https://127.0.0.1:8443/s?of=x", "https://[::1]/"] {
            assert_eq!(address(url).map(|uri| uri.to_string()).as_deref(), Ok(url));
        }
        for url in [
            "http://custodian.example/",
            "https://who@custodian.example/",
            "https://who:word@custodian.example/",
            "https://:word@custodian.example/",
            "https://custodian.example/#part",
            "https:///",
            "ftp://custodian.example/",
            "custodian.example",
            "",
        ] {
            assert_eq!(address(url), Err(GetError::Address), "{url}");
        }
    }
}
