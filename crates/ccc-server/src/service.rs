//! A whole vault node from its files: everything is checked before the first connection, and a reason is given.

use crate::{
    audit::{AuditError, AuditLog},
    config::{Answers, ConfigError, File, KindConfig, VaultConfig},
    follow::{Clock, Follower, Memory, NotReady},
    identity::Identity,
    journal::{CounterFile, FileJournal, JournalError, SeenRecord},
    node::Node,
    serving::Serving,
};
use alloy::primitives::Address;
use ccc_chain::{Chain, ChainError, ChainKind, ConnectOptions, Deployment, Finality, https::Authorities};
use ccc_core::{
    enclave::attestation::Policy,
    encoding::EncodingError,
    keys::{Committee, KeyShare, KeyShareError, ParticipantKeys},
    table::StoreError,
    vault::Mode,
};
use ccc_node::{
    policy_file::ModeName,
    production::{Configuration, ProductionRefusal, Sharing},
    vault_node::{Journal, MemoryJournal, VaultNode},
    workflow_node::record::NotRecorded,
};
use ccc_store::{RecordStore, RedbRecords};
use std::{
    io::Read,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::sync::watch;

/// The longest file of certificate authorities: a system's has a quarter of a million bytes.
const MAX_AUTHORITIES: u64 = 1 << 22;

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
    /// The keys: those of the node.
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
    /// A staged share beside another dealing key: the journal is kept under both keys of `key`.
    #[error("the staged share is dealt to another dealing key than the one of `key`, under which the journal is kept")]
    StagedDealingKey,
    /// A client of the configuration.
    #[error("the configuration: {0}")]
    Config(#[from] ConfigError),
    /// The file of certificate authorities.
    #[error("rpc_ca {}: {reason}", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
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
    /// What a signer signed cannot be read, or is another signer's.
    #[error("{0}")]
    Record(#[source] Box<NotRecorded>),
    /// The parts of a host do not fit.
    #[error("{0}")]
    Host(#[from] Box<crate::enclave::HostError>),
    /// The key file of another node.
    #[error("the key file is that of {name}, whom the configuration names as another node")]
    OthersKeys {
        /// Whose it is.
        name: String,
    },
    /// What a host or a signer keeps for itself.
    #[error("{}: {source}", path.display())]
    Records {
        /// The file.
        path: PathBuf,
        /// What the store says.
        source: Box<StoreError>,
    },
    /// TLS.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// A participant that is ready and serves nobody yet.
pub struct Service(Serving<Node<FileJournal>>);

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
        staged.as_ref().map_or(Ok(()), |staged| check_roster(config.node.mode, &staged.committee, &public.policy))?;
        if config.node.mode == ModeName::Simulation {
            tracing::warn!(target: "ccc_server::service", "mode simulation: simulated enclaves and chains are accepted");
        }
        let staged = staged.map(|staged| check_staged(staged, &share, &keys, &public.committee)).transpose()?;
        let journal = FileJournal::counted(&config.node.key, &config.counter_path(), beginning.counter, &keys)?;
        let audit = AuditLog::open(&config.audit_path())?;
        let known = known(&public.committee, config.own.client_keys()?)?;
        let seen = journal.seen(public.deployment.chain_id, &public.deployment.pool);
        let seen = (seen, beginning.forget_chain);
        let registry = config.own.registry;
        let (_, follower) = follow_vault(config, registry, &public.deployment, Arc::clone(&clock), seen).await?;
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
        Ok(Self(Serving::open(config, node, follower, &identity, &known).await?))
    }

    /// What can be checked without secrets, chain and ports.
    ///
    /// # Errors
    /// [`StartError::Production`], [`StartError::Config`].
    pub fn check(config: &VaultConfig, public: &Public) -> Result<(), StartError> {
        check_production(config, public)?;
        known(&public.committee, config.own.client_keys()?)?;
        Ok(())
    }

    /// Where shares are served, and where health and meters are.
    ///
    /// # Errors
    /// What the system says.
    pub fn addresses(&self) -> std::io::Result<[SocketAddr; 2]> {
        self.0.addresses()
    }

    /// Serves until told to stop.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        self.0.run(stop).await;
    }
}

fn serving<J: Journal>(vault: VaultNode<J>, config: &VaultConfig, enclaves: bool) -> VaultNode<J> {
    let vault = vault.with_mode(mode(config.own.answers));
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
    // the same signing key: what differs is the dealing key
    if staged.keys.to_bytes() != keys.to_bytes() {
        return Err(StartError::StagedDealingKey);
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
    check_roster(config.node.mode, &public.committee, &public.policy)?;
    check_registry(config.node.mode, public.deployment.enclave_registry())
}

fn check_roster(mode: ModeName, committee: &Committee, policy: &Policy) -> Result<(), ProductionRefusal> {
    let sharing = Sharing::Roster(committee.roster());
    let mode = mode.into();
    Configuration { mode, seeded: false, dealt: false, sharing, policy: Some(policy), simulated: &[] }.check()
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
pub(crate) fn check_registry(mode: ModeName, registry: Option<Address>) -> Result<(), ProductionRefusal> {
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

/// Records that a host or a signer has for itself. One process has them open: a second one of the same node does not start.
pub(crate) fn records(path: &Path) -> Result<Arc<dyn RecordStore>, StartError> {
    let opened = RedbRecords::open(path);
    let opened = opened.map_err(|source| StartError::Records { path: path.into(), source: Box::new(source) })?;
    Ok(Arc::new(opened))
}

fn authorities(path: &Path) -> Result<Authorities, StartError> {
    let refused = |reason: String| StartError::Authorities { path: path.into(), reason };
    let mut text = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| refused(error.to_string()))?;
    file.take(MAX_AUTHORITIES + 1).read_to_end(&mut text).map_err(|error| refused(error.to_string()))?;
    if text.len() as u64 > MAX_AUTHORITIES {
        return Err(refused(format!("more than {MAX_AUTHORITIES} bytes")));
    }
    Authorities::from_pem(&text).map_err(|error| refused(error.to_string()))
}

/// The chain that a node's file names, and a follower that has read it once and remembers what it saw before; or forgets that
/// first.
pub(crate) async fn follow<K: KindConfig>(
    file: &File<K>,
    deployment: &Deployment,
    clock: Arc<dyn Clock>,
    seen: (SeenRecord, bool),
) -> Result<(Chain, Follower), StartError> {
    follow_vault(file, None, deployment, clock, seen).await
}

/// As [`follow`], with the registry that says the vault's epoch, where the file names one.
async fn follow_vault<K: KindConfig>(
    file: &File<K>,
    registry: Option<Address>,
    deployment: &Deployment,
    clock: Arc<dyn Clock>,
    (seen, forget): (SeenRecord, bool),
) -> Result<(Chain, Follower), StartError> {
    if forget {
        forget_chain(&seen)?;
    }
    let mode = file.node.mode;
    let connect = ConnectOptions {
        expected_chain_id: Some(deployment.chain_id),
        pin_block_times: false,
        // an endpoint that calls itself a development node does not choose what is final
        finality: (mode == ModeName::Production).then_some(Finality::Tag),
        answer_timeout: Duration::from_secs(10),
        ..ConnectOptions::default()
    };
    let chain = match file.node.rpc_ca.as_deref() {
        Some(path) => Chain::connect_trusting(&file.node.rpc_url, &authorities(path)?, &connect).await?,
        None => Chain::connect(&file.node.rpc_url, &connect).await?,
    };
    check_chain(mode, chain.kind())?;
    let memory: Arc<dyn Memory> = Arc::new(seen);
    let follower = Follower::new(&chain, deployment, file.follow(), clock).await?.asking(registry);
    let mut follower = follower.remembering(memory).map_err(|why| StartError::NotReady(Arc::new(why)))?;
    follower.look().await.map_err(StartError::NotReady)?;
    Ok((chain, follower))
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
    fn authorities_are_a_file_of_certificates_and_nothing_else() {
        let tls = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ccc-chain/tests/tls");
        assert!(authorities(&tls.join("authority.pem")).is_ok());
        let refused = |name: &str| match authorities(&tls.join(name)).err() {
            Some(StartError::Authorities { path, reason }) => {
                assert!(path.ends_with(name));
                reason
            }
            other => panic!("{other:?}"),
        };
        assert!(refused("node.key.der").contains("no certificate"), "a key is none");
        assert!(refused("gone.pem").contains("No such file"));
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
