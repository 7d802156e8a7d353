//! The other side: asks every participant at once, goes on when enough have answered, and names who answered wrongly.

use crate::{
    body,
    frame::{self, FrameError, Reply},
    identity::Identity,
    tls,
};
use ccc_core::{
    encoding::Kind,
    envelope::{Envelope, EnvelopeError},
    identifier::Identifier,
    keys::Committee,
    vault::Mode,
};
use ccc_node::vault_node::Ask;
use futures::{StreamExt, stream::FuturesUnordered};
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    client::conn::http2,
    header::CONTENT_TYPE,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep_until, timeout},
};
use tokio_rustls::TlsConnector;

/// Bytes that a node may answer with.
const MAX_ANSWER: usize = 64 << 20;

/// Why a node gave nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The committee has no participant of this identifier.
    #[error("no member of the committee")]
    NoMember,
    /// No connection.
    #[error("no connection: {0}")]
    Connect(std::io::Error),
    /// The handshake failed: the node is another one, or does not know this client.
    #[error("the handshake failed: {0}")]
    Handshake(std::io::Error),
    /// The connection broke off; so does that of a client whose key the node does not know.
    #[error("the connection broke off: {0}")]
    Broken(hyper::Error),
    /// The answer is too long, or ended early.
    #[error("the answer cannot be read")]
    Body,
    /// Another status than 200.
    #[error("status {status}: {text}")]
    Status {
        /// The status.
        status: StatusCode,
        /// What the node says.
        text: String,
    },
    /// The body is none of ours.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// Another number of replies than asks.
    #[error("{found} replies to {expected} asks")]
    Count {
        /// Asks.
        expected: usize,
        /// Replies.
        found: usize,
    },
    /// No answer in time.
    #[error("no answer within {0:?}")]
    Late(Duration),
    /// The client's own keys.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// Where one participant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Who it is.
    pub identifier: Identifier,
    /// Where.
    pub address: SocketAddr,
}

/// An open connection to one node.
pub struct Connection(http2::SendRequest<Full<Bytes>>);

impl Connection {
    /// Connects to the holder of this key.
    ///
    /// # Errors
    /// [`CallError::Connect`], [`CallError::Handshake`].
    pub async fn open(identity: &Identity, address: SocketAddr, server: [u8; 32]) -> Result<Self, CallError> {
        let connector = TlsConnector::from(tls::client(identity, server)?);
        let stream = TcpStream::connect(address).await.map_err(CallError::Connect)?;
        let _best_effort = stream.set_nodelay(true);
        let stream = connector.connect(tls::name(), stream).await.map_err(CallError::Handshake)?;
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).initial_stream_window_size(1 << 20).initial_connection_window_size(4 << 20);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(CallError::Broken)?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Asks for 1 to 64 re-encryptions.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn ask(&self, asks: &[Ask]) -> Result<Vec<Reply>, CallError> {
        let body = self.call(frame::PATH, frame::ASKS, frame::write_asks(asks)).await?;
        let replies = frame::read_replies(&body)?;
        if replies.len() == asks.len() {
            return Ok(replies);
        }
        Err(CallError::Count { expected: asks.len(), found: replies.len() })
    }

    /// Sends any bytes to any path; the body of an answer with status 200.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call(&self, path: &str, content_type: &str, body: Vec<u8>) -> Result<Vec<u8>, CallError> {
        let request = Request::post(format!("https://vault.invalid{path}")).header(CONTENT_TYPE, content_type);
        let request = request.body(Full::from(body)).map_err(|_| CallError::Body)?;
        let response = self.0.clone().send_request(request).await.map_err(CallError::Broken)?;
        let status = response.status();
        let body = collected(response).await?;
        if status == StatusCode::OK {
            return Ok(body);
        }
        Err(CallError::Status { status, text: String::from_utf8_lossy(&body).trim().chars().take(200).collect() })
    }
}

async fn collected(response: Response<Incoming>) -> Result<Vec<u8>, CallError> {
    body::read(response.into_body(), MAX_ANSWER).await.map_err(|_| CallError::Body)
}

/// What is wrong with a participant, as far as a host can see it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Fault {
    /// It could not be asked, or its answer is none.
    Call(CallError),
    /// It refuses this ask, or has not read the block.
    No {
        /// Position of the ask.
        index: usize,
        /// What it said.
        reply: Reply,
    },
    /// What it sent is not signed by it.
    Unsigned {
        /// Position of the ask.
        index: usize,
        /// What fails.
        source: EnvelopeError,
    },
    /// It signed an answer to something else: another request, another kind, or in another's name.
    Other {
        /// Position of the ask.
        index: usize,
    },
}

/// What was gathered.
#[derive(Debug, Default)]
pub struct Gathered {
    /// For each ask the envelopes that members of the committee signed for it, in the order of their coming.
    ///
    /// *Security*: whether the shares inside are right, the enclave finds out, and names who sent a wrong one.
    pub envelopes: Vec<Vec<Envelope>>,
    /// Who gave nothing, or something else.
    pub faults: Vec<(Identifier, Fault)>,
    /// Who had not answered when enough others had.
    pub outstanding: Vec<Identifier>,
}

/// A client of a whole committee.
pub struct Client {
    identity: Identity,
    committee: Arc<Committee>,
    endpoints: Vec<Endpoint>,
    /// For one node.
    patience: Duration,
    /// How long the others are waited for after t have answered.
    grace: Duration,
}

impl Client {
    /// A client that knows where the participants are.
    #[must_use]
    pub fn new(identity: Identity, committee: Committee, endpoints: Vec<Endpoint>) -> Self {
        let (patience, grace) = (Duration::from_secs(30), Duration::from_secs(2));
        Self { identity, committee: Arc::new(committee), endpoints, patience, grace }
    }

    /// With other times: how long one node may take, and how long the rest is waited for after t have answered.
    #[must_use]
    pub fn with_times(mut self, patience: Duration, grace: Duration) -> Self {
        (self.patience, self.grace) = (patience, grace);
        self
    }

    /// Asks every participant at once. It ends when all have answered, or a grace after t have: a wrong share among the
    /// first t is then outvoted by the ones after them.
    pub async fn gather(&self, asks: &[Ask]) -> Gathered {
        let mut gathered = Gathered { envelopes: asks.iter().map(|_| Vec::new()).collect(), ..Gathered::default() };
        let mut running: FuturesUnordered<_> = self.endpoints.iter().map(|at| self.one(*at, asks)).collect();
        let mut outstanding: Vec<_> = self.endpoints.iter().map(|at| at.identifier).collect();
        let mut end = Instant::now() + self.patience;
        let mut enough = false;
        loop {
            tokio::select! {
                answered = running.next() => {
                    let Some((identifier, answered)) = answered else { break };
                    outstanding.retain(|other| *other != identifier);
                    self.take(&mut gathered, asks, identifier, answered);
                }
                () = sleep_until(end) => break,
            }
            let t = usize::from(self.committee.threshold().t());
            if !enough && gathered.envelopes.iter().all(|envelopes| envelopes.len() >= t) {
                enough = true;
                end = end.min(Instant::now() + self.grace);
            }
        }
        Gathered { outstanding, ..gathered }
    }

    async fn one(&self, at: Endpoint, asks: &[Ask]) -> (Identifier, Result<Vec<Reply>, CallError>) {
        let asked = async {
            let member = self.committee.member(at.identifier).ok_or(CallError::NoMember)?;
            let connection = Connection::open(&self.identity, at.address, member.keys().signing_key()).await?;
            connection.ask(asks).await
        };
        let answered = timeout(self.patience, asked).await;
        (at.identifier, answered.unwrap_or_else(|_| Err(CallError::Late(self.patience))))
    }

    fn take(
        &self,
        gathered: &mut Gathered,
        asks: &[Ask],
        identifier: Identifier,
        answered: Result<Vec<Reply>, CallError>,
    ) {
        let replies = match answered {
            Ok(replies) => replies,
            Err(error) => return gathered.faults.push((identifier, Fault::Call(error))),
        };
        for (index, (ask, reply)) in asks.iter().zip(replies).enumerate() {
            match self.checked(index, ask, identifier, reply) {
                Ok(envelope) => gathered.envelopes[index].push(envelope),
                Err(fault) => gathered.faults.push((identifier, fault)),
            }
        }
    }

    fn checked(&self, index: usize, ask: &Ask, identifier: Identifier, reply: Reply) -> Result<Envelope, Fault> {
        let Reply::Answered(envelope) = reply else { return Err(Fault::No { index, reply }) };
        envelope.verify(&self.committee).map_err(|source| Fault::Unsigned { index, source })?;
        let kind = match ask.request.mode {
            Mode::Compact => Kind::Compact,
            Mode::Public | Mode::Sealed => Kind::Sealed,
        };
        let ours = envelope.identifier() == identifier
            && envelope.kind() == kind
            && envelope.topic() == ask.request.digest().as_slice();
        if ours { Ok(*envelope) } else { Err(Fault::Other { index }) }
    }
}
