//! A node that serves, of whatever kind: its doors by TLS, health and meters beside them, the chain that it follows, and what it does
//! again and again.

use crate::{
    application::Application,
    config::{File, KindConfig},
    follow::Follower,
    identity::Identity,
    meters::Meters,
    operations,
    server::Server,
    service::StartError,
};
use ccc_chain::Deployment;
use ccc_core::keys::{Committee, Member};
use ccc_enclave::config::EnclaveConfig;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch};

/// How often what waits is brought to its medium.
const SETTLE: Duration = Duration::from_secs(5);
/// How often what is past is looked for.
const TIDY: Duration = Duration::from_secs(30);

/// A node that is ready and serves nobody yet.
pub struct Serving<A> {
    server: Server<A>,
    application: Arc<A>,
    meters: Meters,
    follower: Follower,
    listener: TcpListener,
    operations: TcpListener,
}

impl<A: Application> Serving<A> {
    /// Takes the ports of a file; `known` may call.
    pub(crate) async fn open<K: KindConfig>(
        file: &File<K>,
        application: Arc<A>,
        follower: Follower,
        identity: &Identity,
        known: &[([u8; 32], String)],
    ) -> Result<Self, StartError> {
        let meters = Meters::of(K::KIND.meters());
        let server = Server::new(Arc::clone(&application), identity, known, file.limits(), meters.clone())?;
        let (listener, operations) = (listen(file.listen()).await?, listen(file.operations()).await?);
        Ok(Self { server, application, meters, follower, listener, operations })
    }

    /// What is served.
    #[must_use]
    pub fn application(&self) -> &Arc<A> {
        &self.application
    }

    /// Where it is served, and where health and meters are.
    ///
    /// # Errors
    /// What the system says.
    pub fn addresses(&self) -> std::io::Result<[SocketAddr; 2]> {
        Ok([self.listener.local_addr()?, self.operations.local_addr()?])
    }

    /// Serves until told to stop.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        let Self { server, application, meters, follower, listener, operations } = self;
        let beside = [
            tokio::spawn(follower.run()),
            tokio::spawn(operations::run(operations, Arc::clone(&application), meters, stop.clone())),
        ];
        let (ended, end) = watch::channel(false);
        let settle = |application: &A| {
            application.settle();
            false
        };
        let again = [
            tokio::spawn(again(SETTLE, Arc::clone(&application), settle, end.clone())),
            tokio::spawn(again(TIDY, application, A::tidy, end)),
        ];
        server.run(listener, stop).await;
        beside.iter().for_each(tokio::task::JoinHandle::abort);
        ended.send_replace(true);
        for task in beside.into_iter().chain(again) {
            let _ended = task.await; // what it held of files is closed then
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })
}

/// Has the application do something again and again, beside the calls: at once where there is more to do. When this returns
/// nothing of it runs any more.
async fn again<A: Application>(
    interval: Duration,
    application: Arc<A>,
    act: fn(&A) -> bool,
    mut end: watch::Receiver<bool>,
) {
    while !*end.borrow() {
        let application = Arc::clone(&application);
        let more = tokio::task::spawn_blocking(move || act(&application)).await;
        if !more.unwrap_or(false) {
            let _ended = tokio::time::timeout(interval, end.wait_for(|end| *end)).await;
        }
    }
}

/// Nobody of the file and nobody of the committee has the node's own key: its key file would be another node's then.
pub(crate) fn check_own(
    identity: &Identity,
    named: &[([u8; 32], String)],
    committee: &Committee,
) -> Result<(), StartError> {
    let member = |member: &Member| (member.keys().signing_key(), format!("participant {}", member.identifier));
    let mut others = named.iter().cloned().chain(committee.members().iter().map(member));
    match others.find(|(key, _)| *key == identity.public()) {
        Some((_, name)) => Err(StartError::OthersKeys { name }),
        None => Ok(()),
    }
}

/// A pool file, a deployment and a committee that belong together.
pub(crate) fn check_pool(
    config: &EnclaveConfig,
    deployment: &Deployment,
    committee: &Committee,
) -> Result<(), StartError> {
    let same = [
        ("chain", config.chain == deployment.chain_id),
        ("pool", config.pool == deployment.pool.0.0),
        ("attestation contract", config.reserve_attestation == deployment.attestation.0.0),
        ("price source", config.price_source == deployment.feed.0.0),
        ("table", config.table == deployment.table_id.0),
        ("master public key", config.master_public_key == committee.master_public_key().to_bytes()),
    ];
    if let Some((what, _)) = same.into_iter().find(|(_, same)| !same) {
        return Err(StartError::OtherPool { what });
    }
    match deployment.enclave_registry() {
        Some(_) => Err(StartError::Registry),
        None => Ok(()),
    }
}
