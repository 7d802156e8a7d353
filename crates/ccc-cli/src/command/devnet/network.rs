//! The services of a recovery as processes.

use super::{
    files::{Directory, Named},
    processes::{Processes, Start, State, ready},
};
use ccc_chain::{Chain, ConnectOptions, Wallet};
use ccc_node::recovery::{Closed, Later, Material, RecoveryError, Services};
use ccc_server::{
    attested::{ENVELOPE, TABLE, read_version},
    client::Connection,
    identity::Identity,
};
use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long everybody may take to be up.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(150);

/// What the caller decides.
pub(super) struct Plan {
    pub(super) directory: PathBuf,
    pub(super) enclaves: u16,
    pub(super) cadence: u64,
}

/// Everybody on this machine.
pub(super) struct Network {
    pub(super) plan: Plan,
    /// The chain's URL.
    pub(super) chain: String,
    pub(super) processes: Processes,
    /// Who reads tables and envelopes, and where.
    reader: Option<(Identity, Vec<Named>)>,
}

/// The network as the recovery has it, and whoever watches.
pub(super) struct Shared(pub(super) Arc<Mutex<Network>>);

impl Network {
    pub(super) fn new(plan: Plan, chain: String) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self { plan, chain, processes: Processes::default(), reader: None }))
    }
}

pub(super) fn locked(network: &Mutex<Network>) -> MutexGuard<'_, Network> {
    network.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(error: impl std::fmt::Display) -> RecoveryError {
    RecoveryError::Services(error.to_string())
}

impl Services for Shared {
    fn start<'a>(&'a mut self, material: Material<'a>) -> Later<'a, ()> {
        Box::pin(async move {
            let directory = {
                let Network { plan, chain, .. } = &*locked(&self.0);
                Directory::write(plan, chain, &material).map_err(failed)?
            };
            self.fund(&directory).await?;
            self.spawn(&directory)?;
            locked(&self.0).reader = Some((directory.reader, directory.enclaves));
            self.all_up().await
        })
    }

    fn closed(&mut self, header: [u8; 32]) -> Later<'_, Closed> {
        Box::pin(async move {
            let bytes = self.ask(TABLE.path, header).await?;
            read_version(&bytes).map_err(failed)
        })
    }

    fn envelope(&mut self, digest: [u8; 32]) -> Later<'_, Vec<u8>> {
        Box::pin(async move { self.ask(ENVELOPE.path, digest).await })
    }
}

impl Shared {
    /// Ether for those who deliver.
    async fn fund(&self, directory: &Directory) -> Result<(), RecoveryError> {
        let url = locked(&self.0).chain.clone();
        let chain = Chain::connect(&url, &ConnectOptions::default()).await?;
        for key in &directory.wallets {
            chain.fund(Wallet::from_key(key)?.address()).await?;
        }
        Ok(())
    }

    fn spawn(&self, directory: &Directory) -> Result<(), RecoveryError> {
        let mut network = locked(&self.0);
        let Network { plan, processes, .. } = &mut *network;
        for (kind, node) in directory.nodes() {
            let config = format!("{}.toml", node.name);
            let mut arguments = vec!["node", kind, "--config", &config, "--until-stdin-ends"];
            if kind == "vault" {
                arguments.push("--begin-counter");
            }
            processes
                .start(Start {
                    name: node.name.clone(),
                    arguments: &arguments,
                    directory: &plan.directory,
                    address: node.address,
                    operations: node.operations,
                })
                .map_err(failed)?;
        }
        Ok(())
    }

    async fn all_up(&self) -> Result<(), RecoveryError> {
        let began = Instant::now();
        loop {
            let asked = locked(&self.0).processes.operations();
            let mut states = Vec::new();
            for (place, address) in asked {
                states.push((place, ready(address).await));
            }
            if self.look(states)? {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                return Err(failed(format!("not everybody is up after {} seconds", PATIENCE.as_secs())));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Whether all are up; an error where one has ended, with its last words.
    fn look(&self, states: Vec<(usize, State)>) -> Result<bool, RecoveryError> {
        let mut network = locked(&self.0);
        network.processes.changed(states);
        if network.processes.all_up() {
            return Ok(true);
        }
        let Some(name) = network.processes.ended() else { return Ok(false) };
        let log = network.plan.directory.join(format!("{name}.log"));
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        let last = said.lines().last().unwrap_or("it said nothing").to_owned();
        Err(failed(format!("{name} ended: {last}")))
    }

    /// Asks one enclave's host after the other.
    async fn ask(&self, path: &str, hash: [u8; 32]) -> Result<Vec<u8>, RecoveryError> {
        let reader = locked(&self.0).reader.clone();
        let (identity, enclaves) = reader.ok_or_else(|| failed("nobody is started"))?;
        let mut last = String::new();
        for Named { name, key, address, .. } in &enclaves {
            match one(&identity, *address, *key, path, hash).await {
                Ok(bytes) => return Ok(bytes),
                Err(error) => last = format!("{name}: {error}"),
            }
        }
        Err(failed(last))
    }
}

async fn one(
    identity: &Identity,
    address: SocketAddr,
    key: [u8; 32],
    path: &str,
    hash: [u8; 32],
) -> Result<Vec<u8>, ccc_server::client::CallError> {
    Connection::open(identity, address, key).await?.call(path, TABLE.asks, hash.to_vec()).await
}
