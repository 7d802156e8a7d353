//! A host from its files: everything is checked before the first connection, and a reason is given.

use super::{
    Host, Parts,
    config::EnclaveConfigFile,
    rooms::{Neighbour, Rooms},
    sources::Source,
};
use crate::{
    audit::{AuditLog, Auditor},
    client::{Client, Endpoint},
    config::peers,
    follow::Clock,
    identity::Identity,
    journal::SeenRecord,
    service::{Public, StartError, follow, mode, records},
    serving::{Serving, check_own, check_pool},
};
use ccc_core::{
    enclave::attestation::simulated::{SimulatedHardware, SimulatedProvider},
    identifier::Identifier,
    keys::ParticipantKeys,
    table::TableStore,
};
use ccc_enclave::config::EnclaveConfig;
use ccc_node::{
    policy_file::ModeName,
    production::{Configuration, ProductionRefusal, Sharing},
};
use std::sync::Arc;
use zeroize::Zeroizing;

/// What a host has beside its configuration.
pub struct Material {
    /// Its keys.
    pub keys: ParticipantKeys,
    /// The seed of the key that stands for the hardware.
    pub hardware: Zeroizing<[u8; 32]>,
    /// The public files.
    pub public: Public,
    /// What the enclave is built for.
    pub enclave: EnclaveConfig,
    /// Where tables are kept.
    pub store: Box<dyn TableStore + Send>,
    /// The sources of the statement, with their tokens.
    pub sources: Vec<Source>,
}

/// Checks everything that can be checked, reads the chain once, takes the ports.
///
/// # Errors
/// [`StartError`].
pub async fn prepare(
    file: &EnclaveConfigFile,
    material: Material,
    clock: Arc<dyn Clock>,
    forget_chain: bool,
) -> Result<Serving<Rooms>, StartError> {
    let Material { keys, hardware, public, enclave, store, sources } = material;
    check(file, &public, &enclave)?;
    let [_, kept, receipts] = file.own.kept_paths();
    let (records, deployed) = (records(&kept)?, (public.deployment.chain_id, public.deployment.pool));
    let seen = SeenRecord::of(Arc::clone(&records), &keys, deployed.0, &deployed.1);
    let (identity, known) = (Identity::new(keys), file.own.known()?);
    check_own(&identity, &known, &public.committee)?;
    let (chain, follower) = follow(file, &public.deployment, Arc::clone(&clock), (seen, forget_chain)).await?;
    let audit = Auditor::new(Some(AuditLog::open(&file.audit_path())?), clock);
    let endpoint = |at: &super::config::VaultSection| {
        Ok(Endpoint { identifier: Identifier::new(at.participant)?, address: at.address })
    };
    let endpoints = file.own.vault.iter().map(endpoint).collect::<Result<_, StartError>>()?;
    let neighbour = |(key, name, address)| Neighbour { name, key, address };
    let provider = SimulatedProvider::new(SimulatedHardware::from_seed(&hardware), enclave.measurement());
    let parts = Parts {
        chain,
        vault: Client::new(identity.clone(), public.committee.clone(), endpoints),
        deployment: public.deployment,
        config: enclave,
        committee: public.committee,
        mode: mode(file.own.answers),
        provider: Box::new(provider),
        identity: identity.clone(),
        sources,
        rule: file.own.rule,
        neighbours: peers(&file.own.enclaves)?.into_iter().map(neighbour).collect(),
    };
    let host = Host::new(parts, store, (records, receipts)).map_err(Box::new)?;
    let workflow = file.own.workflow.iter().map(|client| client.name.clone()).collect();
    let rooms = Rooms { host, followed: follower.followed(), workflow, audit };
    Serving::open(file, Arc::new(rooms), follower, &identity, &known).await
}

/// What can be checked without secrets, chain and ports.
///
/// # Errors
/// [`StartError`].
pub fn check(file: &EnclaveConfigFile, public: &Public, enclave: &EnclaveConfig) -> Result<(), StartError> {
    check_production(file, public)?;
    check_pool(enclave, &public.deployment, &public.committee)?;
    file.own.known()?;
    let found = enclave.measurement();
    if public.policy.measurements.contains(&found) { Ok(()) } else { Err(StartError::Measurement { found }) }
}

/// The one provider of these hosts is the simulated one.
fn check_production(file: &EnclaveConfigFile, public: &Public) -> Result<(), ProductionRefusal> {
    let sharing = Sharing::Roster(public.committee.roster());
    let simulated: &[&str] = if file.node.mode == ModeName::Production { &["the enclave's hardware"] } else { &[] };
    Configuration { mode: file.node.mode.into(), seeded: false, dealt: false, sharing, policy: None, simulated }.check()
}
