//! The listener: handshakes, connections and calls, every one of them bounded in number, size and time.

mod call;

use crate::{
    application::Application,
    body::Room,
    identity::{Identity, key_of},
    limits::Limits,
    meters::Meters,
    peers::{Addresses, Peer, Peers},
    tls,
};
use call::Calls;
use hyper::{server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// Frames of an HTTP/2 connection: the protocol's default window, and no larger frames than its default.
const WINDOW: u32 = 1 << 20;
/// How often an idle connection is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Tells a server to stop; it also stops when this is dropped.
pub struct Stop(watch::Sender<bool>);

impl Stop {
    /// A handle, and what a server listens to.
    #[must_use]
    pub fn new() -> (Self, watch::Receiver<bool>) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), receiver)
    }

    /// No new connection, no new call; calls that run are answered.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

/// Until the server is told to stop, or nobody is left who could tell it.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _told_or_dropped = stop.wait_for(|stop| *stop).await;
}

/// A server of one application.
pub struct Server<A> {
    shared: Arc<Shared<A>>,
    acceptor: TlsAcceptor,
}

/// What connections share.
struct Shared<A> {
    application: Arc<A>,
    peers: Peers,
    limits: Limits,
    meters: Meters,
    handshakes: Arc<Semaphore>,
    addresses: Addresses,
    connections: Arc<Semaphore>,
    workers: Arc<Semaphore>,
    bodies: Room,
}

impl<A: Application> Server<A> {
    /// A server that presents this identity to the known peers, each a key with a name for the logs.
    ///
    /// # Errors
    /// What rustls has against it.
    pub fn new(
        application: Arc<A>,
        identity: &Identity,
        known: &[([u8; 32], String)],
        limits: Limits,
        meters: Meters,
    ) -> Result<Self, rustls::Error> {
        let peers = Peers::new(known, &limits);
        let acceptor = TlsAcceptor::from(tls::server(identity, peers.keys().collect())?);
        let shared = Shared {
            application,
            peers,
            meters,
            handshakes: Arc::new(Semaphore::new(limits.handshakes)),
            connections: Arc::new(Semaphore::new(limits.connections)),
            workers: Arc::new(Semaphore::new(limits.workers)),
            addresses: Addresses::default(),
            bodies: Room::new(limits.bodies),
            limits,
        };
        Ok(Self { shared: Arc::new(shared), acceptor })
    }

    /// Serves until it is told to stop, then for as long as calls run, and no longer than the limits allow.
    pub async fn run(self, listener: TcpListener, mut stop: watch::Receiver<bool>) {
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, from)) => self.welcome(stream, from, stop.clone(), &mut tasks),
                    // out of descriptors, most likely: wait for connections to end
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                },
                Some(_) = tasks.join_next() => {}
                () = stopped(&mut stop) => break,
            }
        }
        drop(listener);
        let ended = async { while tasks.join_next().await.is_some() {} };
        let _cut = timeout(self.shared.limits.drain, ended).await;
        let application = Arc::clone(&self.shared.application);
        let _done = tokio::task::spawn_blocking(move || application.settle()).await;
    }

    fn welcome(&self, stream: TcpStream, from: SocketAddr, stop: watch::Receiver<bool>, tasks: &mut JoinSet<()>) {
        let most = self.shared.limits.handshakes_per_address;
        let places =
            (self.shared.addresses.enter(from.ip(), most), Arc::clone(&self.shared.handshakes).try_acquire_owned());
        let (Some(address), Ok(handshake)) = places else { return self.shared.meters.turned_away("handshakes") };
        let (shared, acceptor) = (Arc::clone(&self.shared), self.acceptor.clone());
        tasks.spawn(async move {
            let shaken = shake_hands(&acceptor, stream, shared.limits.handshake).await;
            drop((handshake, address));
            match shaken {
                Ok((stream, key)) => shared.connect(stream, &key, stop).await,
                Err(reason) => {
                    tracing::debug!(target: "ccc_server::server", %from, reason, "no handshake");
                    shared.meters.turned_away(reason);
                }
            }
        });
    }
}

/// A handshake of bounded time; the peer's key comes out, which the handshake has checked.
async fn shake_hands(
    acceptor: &TlsAcceptor,
    stream: TcpStream,
    most: Duration,
) -> Result<(TlsStream<TcpStream>, [u8; 32]), &'static str> {
    let _best_effort = stream.set_nodelay(true);
    let stream = timeout(most, acceptor.accept(stream)).await.map_err(|_| "slow handshake")?;
    let stream = stream.map_err(|_| "handshake")?;
    let session = stream.get_ref().1;
    if session.alpn_protocol() != Some(b"h2") {
        return Err("protocol");
    }
    let key = session.peer_certificates().and_then(|chain| key_of(chain.first()?)).ok_or("no key")?;
    Ok((stream, key))
}

impl<A: Application> Shared<A> {
    async fn connect(self: Arc<Self>, stream: TlsStream<TcpStream>, key: &[u8; 32], stop: watch::Receiver<bool>) {
        let Some(peer) = self.peers.get(key) else { return self.meters.turned_away("unknown") };
        let permits =
            (Arc::clone(&self.connections).try_acquire_owned(), Arc::clone(&peer.connections).try_acquire_owned());
        let (Ok(_all), Ok(_own)) = permits else { return self.meters.turned_away("connections") };
        self.meters.connected(1);
        self.serve(stream, peer, stop).await;
        self.meters.connected(-1);
    }

    /// One connection until its peer ends it, it idles, it is old, or the server stops.
    async fn serve(self: &Arc<Self>, stream: TlsStream<TcpStream>, peer: Arc<Peer>, mut stop: watch::Receiver<bool>) {
        let calls = Arc::new(Calls::new(Arc::clone(self), peer));
        let served = Arc::clone(&calls);
        let service = service_fn(move |request| Arc::clone(&served).answer(request));
        let connection = http2_server(&self.limits).serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let began = Instant::now();
        let due = loop {
            tokio::select! {
                _ended = connection.as_mut() => return,
                () = stopped(&mut stop) => break self.limits.drain,
                () = sleep_until(Instant::now() + LOOK) => {
                    if calls.idle_for() > self.limits.idle || began.elapsed() > self.limits.age {
                        break self.limits.body_time;
                    }
                }
            }
        };
        connection.as_mut().graceful_shutdown();
        let _cut = timeout(due, connection).await;
    }
}

fn http2_server(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(u32::try_from(limits.calls_per_peer).unwrap_or(u32::MAX))
        .max_header_list_size(limits.headers)
        .max_pending_accept_reset_streams(16)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(2 * WINDOW)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10));
    builder
}
