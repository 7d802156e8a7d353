//! Nodes at `https://` addresses: JSON-RPC over HTTP/1.1 over TLS 1.3. Beside them [`get`], one question to whoever else is there.
//!
//! *Source*: RFC 8446 by rustls, with Graviola's ciphers; certificates by rustls' webpki. Nothing is negotiated below TLS 1.3.
//!
//! *Security*: a node behind TLS is whom its name says and nobody changes what it says on the way. What it says may be wrong
//! all the same. A redirection is not followed and no proxy of the environment is used: the address that was named is the
//! one that is asked.

mod get;
mod trust;

use std::{
    error::Error,
    io,
    task::{Context, Poll},
    time::Duration,
};

use alloy::{
    rpc::json_rpc::{RequestPacket, ResponsePacket},
    transports::{Authorization, RpcError, TransportError, TransportErrorKind, TransportFut, http::reqwest::Url},
};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, Uri,
    body::{Bytes, Incoming},
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tower::Service;

pub use get::{GetError, address, get};
pub use trust::{Authorities, TlsError, provider};

use crate::ChainError;

/// The longest answer of a node.
const MAX_ANSWER: usize = 1 << 27;
/// How much of an answer that is none goes into an error.
const MOST_SHOWN: usize = 1 << 10;
/// How long a connection is kept for the next question.
const IDLE: Duration = Duration::from_secs(60);

/// A node behind TLS, as an alloy transport.
#[derive(Clone, Debug)]
pub(crate) struct HttpsTransport {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    address: Uri,
    authorization: Option<HeaderValue>,
    patience: Duration,
}

impl HttpsTransport {
    /// A transport to `url`, which says `https`.
    ///
    /// # Errors
    /// [`TlsError::Processor`]; [`ChainError::Url`].
    pub(crate) fn new(url: &Url, authorities: &Authorities, patience: Duration) -> Result<Self, ChainError> {
        let connector = HttpsConnectorBuilder::new().with_tls_config(authorities.client()?).https_only();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector.enable_http1().build());
        let authorization = Authorization::extract_from_url(url).map(|found| secret_header(&found)).transpose()?;
        Ok(Self { client, address: bare(url)?, authorization, patience })
    }

    async fn ask(self, packet: RequestPacket) -> Result<ResponsePacket, TransportError> {
        let patience = self.patience;
        let answer = tokio::time::timeout(patience, self.exchange(packet)).await;
        let late = |_| Err(TransportErrorKind::custom_str(&format!("no answer within {} s", patience.as_secs())));
        answer.unwrap_or_else(late)
    }

    async fn exchange(self, packet: RequestPacket) -> Result<ResponsePacket, TransportError> {
        let asked = serde_json::to_vec(&packet).map_err(RpcError::ser_err)?;
        let mut request = Request::post(self.address.clone()).header(CONTENT_TYPE, "application/json");
        if let Some(authorization) = self.authorization.clone() {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request.body(Full::from(asked)).map_err(TransportErrorKind::custom)?;
        let response = self.client.request(request).await.map_err(|error| failure(&error))?;
        let status = response.status();
        let body = whole(response.into_body()).await?;
        let packet = serde_json::from_slice::<ResponsePacket>(&body);
        match packet {
            // a node may say what is wrong beside a status that says so too
            Ok(packet) if status.is_success() || packet.is_error() => Ok(packet),
            Err(error) if status.is_success() => Err(RpcError::deser_err(error, beginning(&body))),
            _ => Err(TransportErrorKind::http_error(status.as_u16(), beginning(&body))),
        }
    }
}

impl Service<RequestPacket> for HttpsTransport {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        Box::pin(self.clone().ask(packet))
    }
}

/// As much of an answer as somebody reads in an error.
fn beginning(body: &[u8]) -> String {
    String::from_utf8_lossy(body.get(..MOST_SHOWN).unwrap_or(body)).into_owned()
}

async fn whole(body: Incoming) -> Result<Bytes, TransportError> {
    match Limited::new(body, MAX_ANSWER).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) => Err(TransportErrorKind::custom_str(&format!("the answer broke off: {error}"))),
    }
}

/// The address without what goes into a header or nowhere.
fn bare(url: &Url) -> Result<Uri, ChainError> {
    let refused = || ChainError::Url { url: "https://…".to_owned() };
    let mut bare = url.clone();
    bare.set_fragment(None);
    bare.set_password(None).and_then(|()| bare.set_username("")).map_err(|()| refused())?;
    bare.as_str().parse().map_err(|_| refused())
}

fn secret_header(authorization: &Authorization) -> Result<HeaderValue, ChainError> {
    let value = HeaderValue::try_from(authorization.to_string());
    let mut value = value.map_err(|_| ChainError::Url { url: "https://…".to_owned() })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Why there is no answer: what TLS has against the node by its type, the rest in words.
fn failure(error: &(dyn Error + 'static)) -> TransportError {
    match tls_error(error) {
        Some(found) => TransportErrorKind::custom(TlsError::from(found)),
        None => TransportErrorKind::custom_str(&in_words(error)),
    }
}

fn tls_error<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    // an I/O error gives its inner error's source for its own
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    inner.and_then(|inner| tls_error(inner)).or_else(|| error.source().and_then(tls_error))
}

fn in_words(error: &(dyn Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        words.push_str(": ");
        words.push_str(&error.to_string());
        next = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_in_an_address_goes_into_a_header() {
        let url: Url = "https://who:word@node.example/v3/key?a=b#c".parse().expect("an address");
        assert_eq!(bare(&url).expect("an address").to_string(), "https://node.example/v3/key?a=b");
        let found = Authorization::extract_from_url(&url).expect("a name");
        let header = secret_header(&found).expect("a header");
        assert_eq!(header, "Basic d2hvOndvcmQ=");
        assert!(header.is_sensitive());
    }

    #[test]
    fn an_error_shows_the_beginning_of_a_long_answer() {
        assert_eq!(beginning(&[b'x'; 5_000]).len(), MOST_SHOWN);
        assert_eq!(beginning(b"short"), "short");
    }

    #[test]
    fn the_fault_of_tls_is_found_below_other_errors() {
        let fault = rustls::Error::from(rustls::CertificateError::UnknownIssuer);
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, fault));
        assert_eq!(tls_error(&wrapped).map(TlsError::from), Some(TlsError::UnknownAuthority));
        assert_eq!(tls_error(&io::Error::other("refused")), None);
    }
}
