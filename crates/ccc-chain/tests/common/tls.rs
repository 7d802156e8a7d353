//! TLS before a node that speaks none, with certificates of `tests/tls`. The tests of the command use it too.

#![allow(clippy::unwrap_used, dead_code, reason = "a helper that fails ends its test; each test file uses a part")]

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

pub(crate) const AUTHORITY: &[u8] = include_bytes!("../tls/authority.pem");
pub(crate) const STRANGER: &[u8] = include_bytes!("../tls/stranger.pem");
pub(crate) const NODE: &[u8] = include_bytes!("../tls/node.pem");
pub(crate) const ELSEWHERE: &[u8] = include_bytes!("../tls/elsewhere.pem");
pub(crate) const EXPIRED: &[u8] = include_bytes!("../tls/expired.pem");
pub(crate) const AHEAD: &[u8] = include_bytes!("../tls/ahead.pem");
const KEY: &[u8] = include_bytes!("../tls/node.key.der");

/// The method whose answers are spoilt, and how many of them yet.
type Spoilt = Arc<Mutex<(&'static str, u32)>>;

/// A listener on loopback that ends with the test.
pub(crate) struct Front {
    pub(crate) port: u16,
    spoilt: Spoilt,
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
        let spoilt = Spoilt::default();
        let shared = Arc::clone(&spoilt);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(joined(acceptor.clone(), stream, behind, Arc::clone(&shared)));
            }
        });
        Self { port, spoilt, task }
    }

    /// The next answers to a method reach nobody: the node has the question, and somebody on the way writes into the stream.
    pub(crate) fn spoil(&self, method: &'static str, times: u32) {
        *self.spoilt.lock().unwrap() = (method, times);
    }

    /// Whether all that was to be spoilt was.
    pub(crate) fn is_spent(&self) -> bool {
        self.spoilt.lock().unwrap().1 == 0
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Both ends until one of them closes; what a client refuses ends at the handshake.
async fn joined(acceptor: TlsAcceptor, stream: TcpStream, behind: SocketAddr, spoilt: Spoilt) {
    let Ok(mut inside) = acceptor.accept(stream).await else { return };
    let Ok(mut outside) = TcpStream::connect(behind).await else { return };
    let (mut question, mut answer) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut spoils = false;
    loop {
        tokio::select! {
            read = inside.read(&mut question) => {
                let Ok(1..) = read else { return };
                let bytes = &question[..read.unwrap()];
                spoils |= takes(&spoilt, bytes);
                if outside.write_all(bytes).await.is_err() { return }
            }
            read = outside.read(&mut answer) => {
                let Ok(1..) = read else { return };
                if spoils { return spoil(inside).await }
                let bytes = &answer[..read.unwrap()];
                if inside.write_all(bytes).await.is_err() || inside.flush().await.is_err() { return }
            }
        }
    }
}

fn takes(spoilt: &Spoilt, question: &[u8]) -> bool {
    let mut spoilt = spoilt.lock().unwrap();
    let asks = spoilt.1 > 0 && String::from_utf8_lossy(question).contains(spoilt.0);
    spoilt.1 -= u32::from(asks);
    asks
}

/// A record that no key made.
async fn spoil(mut inside: TlsStream<TcpStream>) {
    let stream = inside.get_mut().0;
    let mut record = vec![0x17, 3, 3, 0, 32];
    record.extend([0x55; 32]);
    stream.write_all(&record).await.unwrap();
    stream.flush().await.unwrap();
}
