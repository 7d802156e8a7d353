//! A node that serves: its doors by TLS, its health and meters beside them, and the chain that it follows.

use crate::{
    application::Application,
    follow::Follower,
    identity::Identity,
    limits::Limits,
    meters::Meters,
    operations,
    server::Server,
    service::{StartError, listen},
};
use ccc_chain::Deployment;
use ccc_core::keys::Committee;
use ccc_enclave::config::EnclaveConfig;
use std::{net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, sync::watch};

/// What every node is opened with.
pub(crate) struct Doors<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) known: Vec<([u8; 32], String)>,
    pub(crate) listen: SocketAddr,
    pub(crate) operations: SocketAddr,
    /// What the meters' names begin with.
    pub(crate) meters: &'static str,
}

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
    pub(crate) async fn open(application: Arc<A>, follower: Follower, doors: Doors<'_>) -> Result<Self, StartError> {
        let Doors { identity, known, listen: at, operations, meters } = doors;
        let meters = Meters::of(meters);
        let server = Server::new(Arc::clone(&application), identity, &known, Limits::waiting(), meters.clone())?;
        let (listener, operations) = (listen(at).await?, listen(operations).await?);
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
            tokio::spawn(operations::run(operations, application, meters, stop.clone())),
        ];
        server.run(listener, stop).await;
        beside.iter().for_each(tokio::task::JoinHandle::abort);
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
