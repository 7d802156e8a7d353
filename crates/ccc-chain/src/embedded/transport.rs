//! The chain as an alloy transport.

use std::{
    convert::Infallible,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use alloy::{
    rpc::json_rpc::{RequestPacket, Response, ResponsePacket, SerializedRequest},
    transports::{TransportError, TransportFut},
};
use tower::Service;

use super::{EmbeddedConfig, node::Node};

/// A handle to an embedded chain; clones speak to the same chain.
#[derive(Clone)]
pub struct EmbeddedTransport(Arc<Mutex<Node>>);

impl EmbeddedTransport {
    /// A chain with its genesis block.
    #[must_use]
    pub fn new(config: &EmbeddedConfig) -> Self {
        Self(Arc::new(Mutex::new(Node::new(config))))
    }

    /// Answers one packet at once.
    fn serve(&self, packet: &RequestPacket) -> ResponsePacket {
        let mut node = self.node();
        match packet {
            RequestPacket::Single(request) => ResponsePacket::Single(node.answer(request)),
            RequestPacket::Batch(requests) => {
                ResponsePacket::Batch(requests.iter().map(|request| node.answer(request)).collect())
            }
        }
    }

    /// Answers one request at once.
    pub(super) fn answer(&self, request: &SerializedRequest) -> Response {
        self.node().answer(request)
    }

    /// Lets the next block be no earlier than `time` (Unix time).
    pub(super) fn follow(&self, time: u64) {
        self.node().world.follow(time);
    }

    /// Every request leaves the node whole, so a poisoned lock holds a usable one.
    fn node(&self) -> MutexGuard<'_, Node> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for EmbeddedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedTransport").finish_non_exhaustive()
    }
}

impl Service<RequestPacket> for EmbeddedTransport {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        let chain = self.clone();
        Box::pin(async move { Ok::<_, Infallible>(chain.serve(&packet)).map_err(|never| match never {}) })
    }
}
