//! What a deployment's contracts say at one block.

use std::collections::BTreeMap;

use alloy::{
    eips::BlockId,
    network::TransactionBuilder,
    primitives::{Address, B256, Bytes, U256, keccak256},
    providers::Provider,
    rpc::types::{Filter, Log, TransactionRequest},
    sol_types::{SolEvent, SolValue},
};

use ccc_core::report::Kind;

use crate::{
    Chain, ChainError, ChainKind, Deployment,
    bindings::{CREDarkPool, EnclaveRegistry, QuorumForwarder, VaultRegistry},
    deploy::{Registries, Signers},
    enclaves::EnclaveReader,
    read::{self, Attestation, BlockRef, Pool, RequestState, RequestStatus, TableState},
    watch::spans,
};

/// How an enclave stands at the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Never admitted.
    Unknown,
    /// Report signers may believe it.
    Current,
    /// For ever.
    Revoked,
    /// Its time has passed.
    Expired,
    /// Admitted by an earlier committee.
    OtherEpoch,
    /// Its program is not, or no longer, allowed.
    MeasurementNotAllowed,
}

impl Standing {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unknown => "never admitted",
            Self::Current => "current",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::OtherEpoch => "admitted in another epoch",
            Self::MeasurementNotAllowed => "its measurement is not allowed",
        }
    }
}

impl TryFrom<u8> for Standing {
    type Error = ChainError;

    fn try_from(number: u8) -> Result<Self, ChainError> {
        Ok(match number {
            0 => Self::Unknown,
            1 => Self::Current,
            2 => Self::Revoked,
            3 => Self::Expired,
            4 => Self::OtherEpoch,
            5 => Self::MeasurementNotAllowed,
            found => return Err(ChainError::OutOfRange { field: "enclave's standing", found: found.to_string() }),
        })
    }
}

/// An enclave that was admitted once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnclaveState {
    /// The address that it signs as.
    pub signer: Address,
    /// Its program.
    pub measurement: B256,
    /// The epoch in which it was admitted last.
    pub epoch: u64,
    /// The last second at which it is current, Unix time.
    pub valid_until: u64,
    /// How it stands.
    pub standing: Standing,
}

/// The vault's committee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VaultState {
    /// Its epoch.
    pub epoch: u64,
    /// Its participants, n.
    pub participants: u8,
    /// Of them, how many may be faulty, F.
    pub faults: u8,
    /// Its digest.
    pub digest: B256,
}

/// What the registries say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryState {
    /// The vault's committee.
    pub vault: VaultState,
    /// Every enclave that was admitted once, by its signing address.
    pub enclaves: Vec<EnclaveState>,
}

/// A request that waits for its round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Its id.
    pub id: B256,
    /// The request.
    pub request: RequestState,
}

/// All of it, read at one block.
#[derive(Clone, Debug)]
pub struct Status {
    /// The block.
    pub block: BlockRef,
    /// The time by which its questions are answered, Unix time; see [`now`].
    pub now: u64,
    /// The reserve's public status.
    pub attestation: Attestation,
    /// The table.
    pub table: TableState,
    /// Whether deposits and requests are stopped.
    pub paused: bool,
    /// The requests that wait, oldest first.
    pub pending: Vec<Pending>,
    /// The sets and groups that the forwarder holds. After a rotation the last one of the deployment's number is the one to
    /// sign with, whatever the deployment's file says.
    pub configurations: Configurations,
    /// Manager and registries, where the deployment has them.
    pub registries: Option<RegistryState>,
}

/// Reads everything at the newest block.
///
/// # Errors
/// See [`ChainError`].
pub async fn read(chain: &Chain, deployment: &Deployment) -> Result<Status, ChainError> {
    let block = chain.block(BlockId::latest()).await?;
    let at = block.id();
    let pool = CREDarkPool::new(deployment.pool, chain.provider());
    Ok(Status {
        block,
        now: now(chain, block).await?,
        attestation: read::attestation(chain, deployment.attestation, at).await?,
        table: Pool::new(chain, deployment.pool).table(at).await?,
        paused: pool.paused().block(at).call().await?,
        pending: pending(chain, deployment, block).await?,
        configurations: configurations(chain, deployment, block).await?,
        registries: match deployment.registries {
            Some(registries) => Some(registry_state(chain, deployment, registries, block).await?),
            None => None,
        },
    })
}

/// A committee that signs as a group, with one BLS signature, as the forwarder holds it.
///
/// *Security*: f and participants are what the group says of itself; its key does not show them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The committee's number at the forwarder.
    pub don_id: u32,
    /// The version of the configuration.
    pub config_version: u32,
    /// Participants that may be faulty; any f + 1 of them make a signature.
    pub f: u8,
    /// Who holds a share of the key.
    pub participants: u16,
    /// The key, in the 128 bytes of EIP-2537.
    pub key: Bytes,
}

impl Group {
    /// keccak256(abi.encode("ccc/v1/group-config", chain id, forwarder, DON id, version, f, participants, key)).
    fn config_digest(&self, chain_id: u64, forwarder: Address) -> B256 {
        let tag = B256::right_padding_from(b"ccc/v1/group-config");
        let Self { don_id, config_version, f, participants, key } = self.clone();
        let words = (tag, U256::from(chain_id), forwarder, don_id, config_version, U256::from(f), participants, key);
        keccak256(words.abi_encode_params())
    }
}

/// What the forwarder holds, by number and version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configurations {
    /// The sets of signers.
    pub signer_sets: Vec<Signers>,
    /// The groups.
    pub groups: Vec<Group>,
}

/// What an event left under a number and version.
enum Configured {
    Signers(Signers),
    Group(Group),
}

/// The sets and groups that the forwarder holds at a block: what the events of its configurations leave, each held against
/// its digest at the forwarder.
///
/// # Errors
/// [`ChainError::SignerSet`] where events and contract disagree; see [`ChainError`] for the rest.
pub async fn configurations(
    chain: &Chain,
    deployment: &Deployment,
    block: BlockRef,
) -> Result<Configurations, ChainError> {
    let forwarder = QuorumForwarder::new(deployment.forwarder, chain.provider());
    let mut found = Configurations::default();
    for configured in configured(chain, deployment, block.number).await? {
        let (don_id, version, expected) = match &configured {
            // a set that was cleared tolerates no faults
            Configured::Signers(set) if set.f == 0 => continue,
            Configured::Signers(set) => {
                let digest = set.set().config_digest(chain.chain_id(), &deployment.forwarder.0.0);
                (set.don_id, set.config_version, B256::from(digest))
            }
            Configured::Group(group) => {
                let digest = group.config_digest(chain.chain_id(), deployment.forwarder);
                (group.don_id, group.config_version, digest)
            }
        };
        let held = forwarder.configDigest(don_id, version).block(block.id()).call().await?;
        if expected != held {
            return Err(ChainError::SignerSet { expected, found: held });
        }
        match configured {
            Configured::Signers(set) => found.signer_sets.push(set),
            Configured::Group(group) => found.groups.push(group),
        }
    }
    Ok(found)
}

/// The last event of each number and version, in their order.
async fn configured(chain: &Chain, deployment: &Deployment, last: u64) -> Result<Vec<Configured>, ChainError> {
    let blocks = (deployment.first_block, last);
    let sets: Vec<(Place, QuorumForwarder::ConfigSet)> = events(chain, deployment.forwarder, blocks).await?;
    let groups: Vec<(Place, QuorumForwarder::GroupConfigSet)> = events(chain, deployment.forwarder, blocks).await?;
    let sets = sets.into_iter().map(|(place, event)| {
        let QuorumForwarder::ConfigSet { donId: don_id, configVersion: config_version, f, signers } = event;
        (
            place,
            (don_id, config_version),
            Configured::Signers(Signers { don_id, config_version, f, addresses: signers }),
        )
    });
    let groups =
        groups.into_iter().map(|(place, event)| {
            let QuorumForwarder::GroupConfigSet {
                donId: don_id,
                configVersion: config_version,
                f,
                participants,
                groupKey,
            } = event;
            let group = Group { don_id, config_version, f, participants, key: groupKey };
            (place, (don_id, config_version), Configured::Group(group))
        });
    let mut all: Vec<_> = sets.chain(groups).collect();
    all.sort_by_key(|(place, ..)| *place);
    let newest: BTreeMap<_, _> = all.into_iter().map(|(_, id, configured)| (id, configured)).collect();
    Ok(newest.into_values().collect())
}

/// Init code that returns the time: TIMESTAMP, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN.
const TELL_TIME: [u8; 7] = [0x42, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3];

/// The time by which the contracts answer at a block, Unix time: the block's, but on the embedded chain, whose time goes on
/// between blocks, the next block's.
///
/// # Errors
/// See [`ChainError`].
pub async fn now(chain: &Chain, block: BlockRef) -> Result<u64, ChainError> {
    if chain.kind() == ChainKind::Embedded { time_of_calls(chain, block.id()).await } else { Ok(block.time) }
}

async fn time_of_calls(chain: &Chain, at: BlockId) -> Result<u64, ChainError> {
    let request = TransactionRequest::default().with_deploy_code(TELL_TIME);
    let answer = chain.provider().call(request).block(at).await?;
    let time = U256::try_from_be_slice(&answer).and_then(|time| u64::try_from(time).ok());
    time.ok_or_else(|| ChainError::OutOfRange { field: "time of calls", found: answer.to_string() })
}

/// Whether report signers may believe the enclave that signs as `signer`.
///
/// # Errors
/// See [`ChainError`].
pub async fn standing(chain: &Chain, enclaves: Address, signer: Address, at: BlockId) -> Result<Standing, ChainError> {
    EnclaveRegistry::new(enclaves, chain.provider()).standing(signer).block(at).call().await?.try_into()
}

/// The sequence of the last report that `EnclaveRegistry` accepted, zero for none.
///
/// # Errors
/// See [`ChainError`].
pub async fn enclave_sequence(chain: &Chain, enclaves: Address, at: BlockId) -> Result<u64, ChainError> {
    let contract = EnclaveRegistry::new(enclaves, chain.provider());
    Ok(contract.lastSequence(Kind::Enclave.number()).block(at).call().await?)
}

/// Block and index of an event.
pub(crate) type Place = (u64, u64);

/// The events of one kind that a contract gave from one block to another, both included, each with its place.
pub(crate) async fn events<E: SolEvent>(
    chain: &Chain,
    contract: Address,
    (first, last): (u64, u64),
) -> Result<Vec<(Place, E)>, ChainError> {
    let mut found = Vec::new();
    for (from, to) in spans(first, last) {
        let filter = Filter::new().address(contract).event_signature(E::SIGNATURE_HASH).from_block(from).to_block(to);
        let logs: Vec<Log> = chain.provider().get_logs(&filter).await?;
        for log in logs {
            found.push(decoded(&log)?);
        }
    }
    Ok(found)
}

fn decoded<E: SolEvent>(log: &Log) -> Result<(Place, E), ChainError> {
    let (block, log_index) = (log.block_number.unwrap_or_default(), log.log_index.unwrap_or_default());
    let event = E::decode_log(&log.inner);
    let event = event.map_err(|_| ChainError::Event { contract: log.address(), block, log_index })?;
    Ok(((block, log_index), event.data))
}

async fn pending(chain: &Chain, deployment: &Deployment, block: BlockRef) -> Result<Vec<Pending>, ChainError> {
    let pool = Pool::new(chain, deployment.pool);
    let mut waiting = Vec::new();
    let blocks = (deployment.first_block, block.number);
    let made: Vec<(Place, CREDarkPool::CollateralRequested)> = events(chain, deployment.pool, blocks).await?;
    for (_, event) in made {
        let request = pool.request(event.requestId, block.id()).await?;
        if request.status == RequestStatus::Pending {
            waiting.push(Pending { id: event.requestId, request });
        }
    }
    Ok(waiting)
}

async fn registry_state(
    chain: &Chain,
    deployment: &Deployment,
    registries: Registries,
    block: BlockRef,
) -> Result<RegistryState, ChainError> {
    let vault = VaultRegistry::new(registries.vault, chain.provider());
    let at = block.id();
    let vault = VaultState {
        epoch: vault.epoch().block(at).call().await?,
        participants: vault.participants().block(at).call().await?,
        faults: vault.faults().block(at).call().await?,
        digest: vault.committeeDigest().block(at).call().await?,
    };
    let mut reader = EnclaveReader::new(registries.enclaves, deployment.first_block);
    let enclaves = reader.read_to(chain, block).await?.copied().collect();
    Ok(RegistryState { vault, enclaves })
}

pub(crate) async fn enclave(
    chain: &Chain,
    registry: Address,
    signer: Address,
    at: BlockId,
) -> Result<EnclaveState, ChainError> {
    let contract = EnclaveRegistry::new(registry, chain.provider());
    let found = contract.enclave(signer).block(at).call().await?;
    let standing = standing(chain, registry, signer, at).await?;
    // a program's allowance may end before the identity does, and after the block
    let valid_until = match standing {
        Standing::Current => found.expiry.min(contract.allowedUntil(found.measurement).block(at).call().await?),
        _ => found.expiry,
    };
    Ok(EnclaveState { signer, measurement: found.measurement, epoch: found.epoch, valid_until, standing })
}
