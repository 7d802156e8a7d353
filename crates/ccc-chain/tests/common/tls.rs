//! TLS before a node that speaks none, with certificates of `tests/tls`. The tests of the command use it too.

#![allow(clippy::unwrap_used, dead_code, reason = "a helper that fails ends its test; each test file uses a part")]

use std::{net::SocketAddr, sync::Arc};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

pub(crate) const AUTHORITY: &[u8] = include_bytes!("../tls/authority.pem");
pub(crate) const STRANGER: &[u8] = include_bytes!("../tls/stranger.pem");
pub(crate) const NODE: &[u8] = include_bytes!("../tls/node.pem");
pub(crate) const ELSEWHERE: &[u8] = include_bytes!("../tls/elsewhere.pem");
pub(crate) const EXPIRED: &[u8] = include_bytes!("../tls/expired.pem");
pub(crate) const AHEAD: &[u8] = include_bytes!("../tls/ahead.pem");
const KEY: &[u8] = include_bytes!("../tls/node.key.der");

/// A listener on loopback that ends with the test.
pub(crate) struct Front {
    pub(crate) port: u16,
    task: JoinHandle<()>,
}

impl Front {
    /// TLS with this certificate before the plain server at `behind`.
    pub(crate) async fn before(behind: SocketAddr, certificate: &[u8]) -> Self {
        let chain = CertificateDer::pem_slice_iter(certificate).collect::<Result<Vec<_>, _>>().unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(KEY.to_vec()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls_graviola::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(chain, key).unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(joined(acceptor.clone(), stream, behind));
            }
        });
        Self { port, task }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Both ends until one of them closes; what a client refuses ends at the handshake.
async fn joined(acceptor: TlsAcceptor, stream: TcpStream, behind: SocketAddr) {
    let Ok(mut inside) = acceptor.accept(stream).await else { return };
    let Ok(mut outside) = TcpStream::connect(behind).await else { return };
    drop(copy_bidirectional(&mut inside, &mut outside).await);
}
