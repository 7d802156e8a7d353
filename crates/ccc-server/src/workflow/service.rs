//! A workflow node from its files: everything is checked before the first connection, and a reason is given.

use super::{config::WorkflowConfig, hosts::Hosts, rooms::Rooms, schedule::Schedule, signer::Signer, turn::Turns};
use crate::{
    audit::{AuditLog, Auditor},
    config::{PeerSection, peers},
    enclave::Neighbour,
    follow::Clock,
    identity::Identity,
    journal::SeenRecord,
    service::{Public, StartError, check_registry, follow, records},
    serving::{Serving, check_own, check_pool},
};
use ccc_chain::Wallet;
use ccc_core::{keys::ParticipantKeys, report::ReportSigner};
use ccc_enclave::config::EnclaveConfig;
use ccc_node::{
    production::{Configuration, Sharing},
    reading::ChainLog,
    workflow_node::{WorkflowNode, record::SignedRecord},
};
use ccc_store::RecordStore;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::sync::watch;

/// The least time that a host has for a round, however soon a turn is taken over.
const LEAST_PATIENCE: Duration = Duration::from_secs(20);

/// What a workflow node has beside its configuration.
pub struct Material {
    /// Its keys, for its connections.
    pub keys: ParticipantKeys,
    /// What signs reports.
    pub signer: ReportSigner,
    /// Where what it signs is kept.
    pub record: Arc<dyn RecordStore>,
    /// What pays for deliveries.
    pub wallet: Wallet,
    /// The public files.
    pub public: Public,
    /// What the enclave is built for.
    pub enclave: EnclaveConfig,
}

/// A workflow node that is ready and does nothing yet.
pub struct Workflow {
    serving: Serving<Rooms>,
    turns: Turns,
}

impl Workflow {
    /// Checks everything that can be checked, reads the chain once, takes the ports.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn prepare(
        file: &WorkflowConfig,
        material: Material,
        clock: Arc<dyn Clock>,
        forget_chain: bool,
    ) -> Result<Self, StartError> {
        let Material { keys, signer, record, wallet, public, enclave } = material;
        check(file, &public, &enclave)?;
        let records = records(&file.node.key.with_extension("seen"))?;
        let seen = SeenRecord::of(records, &keys, public.deployment.chain_id, &public.deployment.pool);
        let (identity, known) = (Identity::new(keys), file.own.known()?);
        check_own(&identity, &file.own.everybody()?, &public.committee)?;
        let (chain, follower) = follow(file, &public.deployment, Arc::clone(&clock), (seen, forget_chain)).await?;
        let audit = Arc::new(Auditor::new(Some(AuditLog::open(&file.audit_path())?), clock));
        let Public { committee, deployment, policy } = public;
        let key = *committee.master_public_key();
        let schedule = schedule(file, &deployment.signer_set().signers, signer.address())?;
        let record =
            Arc::new(SignedRecord::open(record, signer.address()).map_err(|reason| StartError::Record(reason.into()))?);
        if record.is_empty() {
            tracing::warn!(target: "ccc_server::workflow", "the record of signatures is empty: if this key signed within the hour, stop");
        }
        let node = WorkflowNode::new(signer, policy, enclave.clone(), key).with_record(Arc::clone(&record));
        let log = ChainLog::new(&chain, &deployment).into();
        let hosts = Hosts {
            identity: identity.clone(),
            all: neighbours(&file.own.enclaves)?,
            agree: file.own.agree(),
            patience: file.own.times()[1].max(LEAST_PATIENCE),
        };
        let followed = follower.followed();
        let signer = Arc::new(Signer { node, chain, deployment, config: enclave, key, log, followed, hosts, record });
        let turns = Turns {
            signer: Arc::clone(&signer),
            identity: identity.clone(),
            others: neighbours(&file.own.workflow)?,
            wallet,
            schedule,
            audit: Arc::clone(&audit),
        };
        let rooms = Arc::new(Rooms { signer, followed: follower.followed(), audit });
        Ok(Self { serving: Serving::open(file, rooms, follower, &identity, &known).await?, turns })
    }

    /// Where signatures are served, and where health and meters are.
    ///
    /// # Errors
    /// What the system says.
    pub fn addresses(&self) -> std::io::Result<[SocketAddr; 2]> {
        self.serving.addresses()
    }

    /// Serves, and takes its turns, until told to stop. A turn that runs then has a few seconds to end.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        let Self { serving, turns } = self;
        tokio::join!(serving.run(stop.clone()), turns.run(stop));
    }
}

/// What can be checked without secrets, chain and ports.
///
/// # Errors
/// [`StartError`].
pub fn check(file: &WorkflowConfig, public: &Public, enclave: &EnclaveConfig) -> Result<(), StartError> {
    let sharing = Sharing::Roster(public.committee.roster());
    let policy = Some(&public.policy);
    check_registry(file.node.mode, public.deployment.enclave_registry())?;
    Configuration { mode: file.node.mode.into(), seeded: false, dealt: false, sharing, policy, simulated: &[] }
        .check()?;
    file.own.known()?;
    check_pool(enclave, &public.deployment, &public.committee)
}

fn neighbours(sections: &[PeerSection]) -> Result<Vec<Neighbour>, StartError> {
    let neighbour = |(key, name, address)| Neighbour { name, key, address };
    Ok(peers(sections)?.into_iter().map(neighbour).collect())
}

fn schedule(file: &WorkflowConfig, signers: &[[u8; 20]], own: [u8; 20]) -> Result<Schedule, StartError> {
    let index = signers.iter().position(|signer| *signer == own).ok_or(StartError::NoSigner { found: own })?;
    let [cadence, takeover] = file.own.times();
    Ok(Schedule { index: index as u64, signers: signers.len() as u64, cadence, takeover })
}
