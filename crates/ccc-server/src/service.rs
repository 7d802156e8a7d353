//! A whole vault node from its files: everything is checked before the first connection, and a reason is given.

use crate::{
    audit::{AuditError, AuditLog},
    config::{Answers, ConfigError, VaultConfig},
    follow::{Clock, FollowOptions, Follower, Memory, NotReady},
    identity::Identity,
    journal::{CounterFile, FileJournal, JournalError, SeenRecord},
    meters::Meters,
    node::Node,
    operations,
    server::Server,
};
use alloy::primitives::Address;
use ccc_chain::{Chain, ChainError, ChainKind, ConnectOptions, Deployment, Finality};
use ccc_core::{
    enclave::attestation::Policy,
    encoding::EncodingError,
    keys::{Committee, KeyShare, KeyShareError, ParticipantKeys},
    vault::Mode,
};
use ccc_node::{
    policy_file::ModeName,
    production::{Configuration, ProductionRefusal, Sharing},
    vault_node::{Journal, MemoryJournal, VaultNode},
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch};

/// How often the audit log is brought to its medium.
const AUDIT_SYNC: Duration = Duration::from_secs(5);
/// How often what is past is looked for in the journal.
const FORGET: Duration = Duration::from_secs(30);

/// What a start makes anew of what a node keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// The journal's counter.
    pub counter: CounterFile,
    /// What was seen of the chain is forgotten first: after an endpoint that lied, or for a chain that was begun anew.
    ///
    /// *Security*: an endpoint that answers from an older state is believed then.
    pub forget_chain: bool,
}

/// What opens a participant's secrets: a file under a passphrase, or whatever else keeps keys.
pub trait KeyProvider {
    /// What it fails with.
    type Error: std::fmt::Display;
    /// The share and the long-lived keys.
    ///
    /// # Errors
    /// The provider's.
    fn open(&self) -> Result<(KeyShare, ParticipantKeys), Self::Error>;
}

/// The public files of a node, read.
pub struct Public {
    /// The committee.
    pub committee: Committee,
    /// The deployment.
    pub deployment: Deployment,
    /// What is accepted as the enclave.
    pub policy: Policy,
}

/// A participant's secrets of the next epoch, with their committee.
pub struct Staged {
    /// The committee.
    pub committee: Committee,
    /// The share.
    pub share: KeyShare,
    /// The keys: those of the node, with a new dealing key maybe.
    pub keys: ParticipantKeys,
}

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The secrets do not open.
    #[error("{reason}")]
    Keys {
        /// What the provider says.
        reason: String,
    },
    /// What was to be a participant's keys.
    #[error("the key file: {0}")]
    Encoding(#[from] EncodingError),
    /// The share is not one of this committee's.
    #[error("the key file: {0}")]
    Share(#[from] KeyShareError),
    /// The keys are another participant's.
    #[error("the key file's signing key is not that of participant {identifier} in the committee")]
    OtherKeys {
        /// Whose share it is.
        identifier: u16,
    },
    /// Production refuses the configuration.
    #[error(transparent)]
    Production(#[from] ProductionRefusal),
    /// The journal or its counter.
    #[error("the journal: {0}")]
    Journal(#[from] JournalError),
    /// The audit log.
    #[error("the audit log: {0}")]
    Audit(#[from] AuditError),
    /// A staged share that the node in office cannot go over to.
    #[error("the staged share: {reason}")]
    Staged {
        /// Why.
        reason: String,
    },
    /// A client of the configuration.
    #[error("the configuration: {0}")]
    Config(#[from] ConfigError),
    /// The chain, or a deployment that does not stand on it.
    #[error("the chain: {0}")]
    Chain(#[from] ChainError),
    /// The chain is read and not believed.
    #[error("{0}")]
    NotReady(Arc<NotReady>),
    /// A port.
    #[error("listening on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// An enclave that the policy does not accept.
    #[error("the policy does not list this enclave's measurement {}", hex::encode(.found))]
    Measurement {
        /// What runs here.
        found: [u8; 32],
    },
    /// A registry of enclaves, which these nodes do not speak to yet.
    #[error("the deployment has a registry of enclaves, and an enclave node has no identity to register yet")]
    Registry,
    /// A pool file of another deployment or committee.
    #[error("the pool file names another {what} than the deployment and the committee")]
    OtherPool {
        /// What differs.
        what: &'static str,
    },
    /// A key of no report signer.
    #[error("0x{} is no signer of this deployment", hex::encode(.found))]
    NoSigner {
        /// Its address.
        found: [u8; 20],
    },
    /// The parts of a host do not fit.
    #[error("{0}")]
    Host(#[from] Box<crate::enclave::HostError>),
    /// TLS.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// A node that is ready and serves nobody yet.
pub struct Service {
    server: Server<Node<FileJournal>>,
    node: Arc<Node<FileJournal>>,
    meters: Meters,
    follower: Follower,
    listener: TcpListener,
    operations: TcpListener,
}

impl Service {
    /// Checks everything that can be checked, reads the chain once, takes the ports.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn prepare(
        config: &VaultConfig,
        keys: &impl KeyProvider,
        public: Public,
        clock: Arc<dyn Clock>,
        beginning: Beginning,
    ) -> Result<Self, StartError> {
        Self::prepare_staged(config, (keys, None), public, clock, beginning).await
    }

    /// As [`Self::prepare`], with a share of the next epoch that serves once the registry says so.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn prepare_staged(
        config: &VaultConfig,
        (keys, staged): (&impl KeyProvider, Option<Staged>),
        public: Public,
        clock: Arc<dyn Clock>,
        beginning: Beginning,
    ) -> Result<Self, StartError> {
        let (share, keys) = keys.open().map_err(|error| StartError::Keys { reason: error.to_string() })?;
        check_secrets(&share, &keys, &public.committee)?;
        check_production(config, &public)?;
        if config.mode == ModeName::Simulation {
            tracing::warn!(target: "ccc_server::service", "mode simulation: simulated enclaves and chains are accepted");
        }
        let staged = staged.map(|staged| check_staged(staged, &share, &keys, &public.committee)).transpose()?;
        let journal = FileJournal::counted(&config.key, &config.counter_path(), beginning.counter, &keys)?;
        let audit = AuditLog::open(&config.audit_path())?;
        let known = known(&public.committee, config.client_keys()?)?;
        let seen = Arc::new(journal.seen(public.deployment.chain_id, &public.deployment.pool));
        if beginning.forget_chain {
            forget_chain(&seen)?;
        }
        let seen: Arc<dyn Memory> = seen;
        let read = (config.mode, config.rpc_url.as_str());
        let chain = (&public.deployment, config.registry);
        let (_, follower) = follow_vault(read, chain, config.follow(), Arc::clone(&clock), Some(seen)).await?;
        // a second copy for handshakes: what signs those never sees a share
        let identity = Identity::new(ParticipantKeys::from_bytes(&keys.to_bytes())?);
        let Public { committee, deployment, policy } = public;
        let served = (deployment.chain_id, deployment.pool.0.0);
        let enclaves = deployment.enclave_registry().is_some();
        let staged = staged.map(|Staged { committee, share, keys }| {
            let vault = VaultNode::new(keys, share, committee, policy.clone(), served, MemoryJournal::default());
            // its answers are kept in the journal of the node, and there alone
            serving(vault, config, enclaves).into_parts().0
        });
        let vault = VaultNode::new(keys, share, committee, policy, served, journal);
        let vault = serving(vault, config, enclaves);
        let node = Arc::new(Node::new(vault, follower.followed(), clock, Some(audit)).with_staged(staged));
        let meters = Meters::default();
        let server = Server::new(Arc::clone(&node), &identity, &known, config.limits(), meters.clone())?;
        let listener = listen(config.listen).await?;
        let operations = listen(config.operations).await?;
        Ok(Self { server, node, meters, follower, listener, operations })
    }

    /// What can be checked without secrets, chain and ports.
    ///
    /// # Errors
    /// [`StartError::Production`], [`StartError::Config`].
    pub fn check(config: &VaultConfig, public: &Public) -> Result<(), StartError> {
        check_production(config, public)?;
        known(&public.committee, config.client_keys()?)?;
        Ok(())
    }

    /// Where shares are served, and where health and meters are.
    ///
    /// # Errors
    /// What the system says.
    pub fn addresses(&self) -> std::io::Result<[SocketAddr; 2]> {
        Ok([self.listener.local_addr()?, self.operations.local_addr()?])
    }

    /// Serves until told to stop.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        let Self { server, node, meters, follower, listener, operations } = self;
        let beside = [
            tokio::spawn(follower.run()),
            tokio::spawn(operations::run(operations, Arc::clone(&node), meters, stop.clone())),
        ];
        let (ended, end) = watch::channel(false);
        let sync = |node: &Node<FileJournal>| {
            node.sync_audit();
            false
        };
        let again = [
            tokio::spawn(again(AUDIT_SYNC, Arc::clone(&node), sync, end.clone())),
            tokio::spawn(again(FORGET, node, Node::forget, end)),
        ];
        server.run(listener, stop).await;
        beside.iter().for_each(tokio::task::JoinHandle::abort);
        ended.send_replace(true);
        for task in beside.into_iter().chain(again) {
            let _ended = task.await; // what it held of the journal is closed then
        }
    }
}

fn serving<J: Journal>(vault: VaultNode<J>, config: &VaultConfig, enclaves: bool) -> VaultNode<J> {
    let vault = vault.with_mode(mode(config.answers));
    if enclaves { vault.with_registry() } else { vault }
}

/// A staged share is of the same participant, in the epoch that follows, under the same master key.
fn check_staged(
    staged: Staged,
    share: &KeyShare,
    keys: &ParticipantKeys,
    committee: &Committee,
) -> Result<Staged, StartError> {
    let refused = |reason: String| Err(StartError::Staged { reason });
    if let Err(error) = check_secrets(&staged.share, &staged.keys, &staged.committee) {
        return refused(error.to_string());
    }
    let (held, found) = (committee.epoch().0, staged.committee.epoch().0);
    if held.checked_add(1) != Some(found) {
        return refused(format!("it is of epoch {found}, where the one after {held} is wanted"));
    }
    let identity = |keys: &ParticipantKeys| keys.public_keys().signing_key();
    if staged.share.identifier() != share.identifier() || identity(&staged.keys) != identity(keys) {
        return refused(format!("it is not of participant {} with the same signing key", share.identifier()));
    }
    if staged.committee.master_public_key() != committee.master_public_key() {
        return refused("it is of another master public key".to_owned());
    }
    Ok(staged)
}

fn forget_chain(seen: &SeenRecord) -> Result<(), StartError> {
    tracing::warn!(target: "ccc_server::service", "what was seen of the chain is forgotten: {:?}", seen.last());
    seen.forget().map_err(|reason| StartError::NotReady(Arc::new(NotReady::Memory { reason })))
}

/// Has the node do something again and again, beside the calls: at once where there is more to do. When this returns nothing
/// of it runs any more.
async fn again(
    interval: Duration,
    node: Arc<Node<FileJournal>>,
    act: fn(&Node<FileJournal>) -> bool,
    mut end: watch::Receiver<bool>,
) {
    while !*end.borrow() {
        let node = Arc::clone(&node);
        let more = tokio::task::spawn_blocking(move || act(&node)).await;
        if !more.unwrap_or(false) {
            let _ended = tokio::time::timeout(interval, end.wait_for(|end| *end)).await;
        }
    }
}

fn check_secrets(share: &KeyShare, keys: &ParticipantKeys, committee: &Committee) -> Result<(), StartError> {
    share.matches(committee)?;
    let known = committee.member(share.identifier()).map(|member| member.keys().signing_key());
    if known == Some(keys.public_keys().signing_key()) {
        return Ok(());
    }
    Err(StartError::OtherKeys { identifier: share.identifier().get() })
}

/// How the key was made is not in its file; what can be judged here is the roster, the policy and, once it is asked, the
/// chain.
fn check_production(config: &VaultConfig, public: &Public) -> Result<(), ProductionRefusal> {
    let (mode, sharing) = (config.mode.into(), Sharing::Roster(public.committee.roster()));
    Configuration { mode, seeded: false, dealt: false, sharing, policy: Some(&public.policy), simulated: &[] }
        .check()?;
    check_registry(config.mode, public.deployment.enclave_registry())
}

/// The committee's members, this one with them, and the clients of the configuration.
///
/// # Errors
/// [`ConfigError::SameKey`]: a client with a member's key would take that member's place and its name.
fn known(committee: &Committee, clients: Vec<([u8; 32], String)>) -> Result<Vec<([u8; 32], String)>, ConfigError> {
    let member =
        |member: &ccc_core::keys::Member| (member.keys().signing_key(), format!("participant {}", member.identifier));
    let members: Vec<_> = committee.members().iter().map(member).collect();
    let same = |(key, _): &([u8; 32], String)| members.iter().any(|member| member.0 == *key);
    match clients.iter().position(same) {
        Some(index) => Err(ConfigError::SameKey { index }),
        None => Ok(members.into_iter().chain(clients).collect()),
    }
}

/// Without a registry nobody can take an enclave back.
fn check_registry(mode: ModeName, registry: Option<Address>) -> Result<(), ProductionRefusal> {
    match (mode, registry) {
        (ModeName::Production, None) => Err(ProductionRefusal::NoRegistry),
        (ModeName::Production, Some(_)) | (ModeName::Simulation, _) => Ok(()),
    }
}

/// Production refuses the chains on which nothing is ever final: one that says that it is made for development.
fn check_chain(mode: ModeName, kind: ChainKind) -> Result<(), ProductionRefusal> {
    match (mode, kind) {
        (ModeName::Production, ChainKind::Anvil) => Err(ProductionRefusal::Simulated { part: "anvil's chain" }),
        (ModeName::Production, ChainKind::Embedded) => Err(ProductionRefusal::Simulated { part: "the embedded chain" }),
        (ModeName::Production, ChainKind::Node) | (ModeName::Simulation, _) => Ok(()),
    }
}

/// The chain that a node of this mode reads, and a follower that has read it once.
pub(crate) async fn follow(
    read: (ModeName, &str),
    deployment: &Deployment,
    options: FollowOptions,
    clock: Arc<dyn Clock>,
    memory: Option<Arc<dyn Memory>>,
) -> Result<(Chain, Follower), StartError> {
    follow_vault(read, (deployment, None), options, clock, memory).await
}

/// As [`follow`], with the registry that says the vault's epoch; `memory` keeps what was seen over a restart.
async fn follow_vault(
    (mode, rpc_url): (ModeName, &str),
    (deployment, registry): (&Deployment, Option<Address>),
    options: FollowOptions,
    clock: Arc<dyn Clock>,
    memory: Option<Arc<dyn Memory>>,
) -> Result<(Chain, Follower), StartError> {
    let connect = ConnectOptions {
        expected_chain_id: Some(deployment.chain_id),
        pin_block_times: false,
        // an endpoint that calls itself a development node does not choose what is final
        finality: (mode == ModeName::Production).then_some(Finality::Tag),
        answer_timeout: Duration::from_secs(10),
        ..ConnectOptions::default()
    };
    let chain = Chain::connect(rpc_url, &connect).await?;
    check_chain(mode, chain.kind())?;
    let mut follower = Follower::new(&chain, deployment, options, clock).await?.asking(registry);
    if let Some(memory) = memory {
        follower = follower.remembering(memory).map_err(|why| StartError::NotReady(Arc::new(why)))?;
    }
    follower.look().await.map_err(StartError::NotReady)?;
    Ok((chain, follower))
}

pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })
}

pub(crate) fn mode(answers: Answers) -> Mode {
    match answers {
        Answers::Sealed => Mode::Sealed,
        Answers::Compact => Mode::Compact,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n099_production_takes_no_deployment_in_which_nobody_is_revoked() {
        let registry = Some(Address::repeat_byte(9));
        assert_eq!(check_registry(ModeName::Production, None), Err(ProductionRefusal::NoRegistry));
        assert_eq!(check_registry(ModeName::Production, registry), Ok(()));
        assert_eq!(check_registry(ModeName::Simulation, None), Ok(()));
    }

    #[test]
    fn n112_production_takes_no_chain_made_for_development() {
        let refused = |kind| check_chain(ModeName::Production, kind).err();
        assert_eq!(refused(ChainKind::Anvil), Some(ProductionRefusal::Simulated { part: "anvil's chain" }));
        assert_eq!(refused(ChainKind::Embedded), Some(ProductionRefusal::Simulated { part: "the embedded chain" }));
        assert_eq!(refused(ChainKind::Node), None);
        assert_eq!(check_chain(ModeName::Simulation, ChainKind::Anvil), Ok(()));
    }
}
