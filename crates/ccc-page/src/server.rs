//! Listens on loopback, answers, and stops when told to.

use std::{net::SocketAddr, sync::Arc};

use axum::{body::Body, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
};

use crate::page::Page;

/// Bytes of a request's fields.
const MOST_FIELDS: usize = 16 << 10;

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The page has no TLS: a proxy on this machine has.
    #[error("{0} is not a loopback address")]
    NotLoopback(SocketAddr),
    /// The port.
    #[error("listening on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// A page that is served.
pub struct Server {
    address: SocketAddr,
    page: Arc<Page>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves a page; port 0 takes a free one.
    ///
    /// # Errors
    /// [`ServeError`].
    pub async fn serve(address: SocketAddr, page: Arc<Page>) -> Result<Self, ServeError> {
        if !address.ip().is_loopback() {
            return Err(ServeError::NotLoopback(address));
        }
        let failed = |source| ServeError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(listener, Arc::clone(&page), stopped));
        Ok(Self { address, page, stop, task })
    }

    /// Where it is served.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes no more connections, lets those that are answered end, and waits for them for a while.
    pub async fn stop(self) {
        self.page.hub.close();
        // nobody who listens to it is no reason to go on
        let _ = self.stop.send(true);
        drop(self.task.await);
    }
}

async fn accept(listener: TcpListener, page: Arc<Page>, mut stopped: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(page.limits.connections));
    let mut connections = JoinSet::new();
    loop {
        // told to stop it stops, also while there is no room for a caller
        let next = async { (Arc::clone(&room).acquire_owned().await, listener.accept().await) };
        let (place, accepted) = tokio::select! {
            next = next => next,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        while connections.try_join_next().is_some() {}
        let Ok((stream, from)) = accepted else {
            // out of descriptors, or a caller that is gone already
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let (page, stopped) = (Arc::clone(&page), stopped.clone());
        connections.spawn(async move {
            speak(stream, from, page, stopped).await;
            drop(place);
        });
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    drop(tokio::time::timeout(page.limits.drain, ended).await);
}

async fn speak(stream: TcpStream, from: SocketAddr, page: Arc<Page>, mut stopped: watch::Receiver<bool>) {
    // an event is small and waits for nothing
    drop(stream.set_nodelay(true));
    let fields_time = page.limits.fields_time;
    let service = service_fn(move |request: Request<Incoming>| {
        let page = Arc::clone(&page);
        async move { Ok::<_, std::convert::Infallible>(page.answer(from.ip(), request.map(Body::new)).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(fields_time).max_buf_size(MOST_FIELDS);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = &mut connection => return,
        _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    // a connection that broke has nobody to be told
    let _ = connection.await;
}
