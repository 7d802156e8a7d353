//! A server on loopback, from its port to its end.

use std::net::SocketAddr;

use axum::Router;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use super::connections::Bounded;

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It is served on loopback alone.
    #[error("{0} is not a loopback address")]
    NotLoopback(SocketAddr),
    /// The port could not be had.
    #[error("listening on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// A running server; dropping it ends it.
///
/// *Bounds*: [`MOST_CONNECTIONS`](super::MOST_CONNECTIONS), each silent for no longer than [`IDLE`](super::IDLE).
#[derive(Debug)]
pub struct LoopbackServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<std::io::Result<()>>,
}

impl LoopbackServer {
    /// Serves these routes; port 0 takes a free one.
    ///
    /// # Errors
    /// [`ServeError`].
    pub async fn serve(address: SocketAddr, routes: Router) -> Result<Self, ServeError> {
        if !address.ip().is_loopback() {
            return Err(ServeError::NotLoopback(address));
        }
        let listen = |source| ServeError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let ended = async {
                // either side of the channel ending means that the server should end
                drop(stopped.await);
            };
            axum::serve(Bounded::new(listener), routes).with_graceful_shutdown(ended).await
        });
        Ok(Self { address, stop: Some(stop), task })
    }

    /// Where it is served.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until the server ends.
    pub async fn wait(mut self) {
        let never = self.stop.take();
        drop((&mut self.task).await);
        drop(never);
    }
}

impl Drop for LoopbackServer {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // the server may have ended already; then there is nobody to tell
            let _ = stop.send(());
        }
        self.task.abort();
    }
}
