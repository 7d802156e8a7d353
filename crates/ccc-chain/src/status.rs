//! What a deployment's contracts say at one block.

use std::collections::BTreeMap;

use alloy::{
    eips::BlockId,
    network::TransactionBuilder,
    primitives::{Address, B256, U256},
    providers::Provider,
    rpc::types::{Filter, Log, TransactionRequest},
    sol_types::SolEvent,
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
    /// The signer sets that the forwarder holds, by number and version. After a rotation the last one of the deployment's
    /// number is the one to sign with, whatever the deployment's file says.
    pub signer_sets: Vec<Signers>,
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
        signer_sets: signer_sets(chain, deployment, block).await?,
        registries: match deployment.registries {
            Some(registries) => Some(registry_state(chain, deployment, registries, block).await?),
            None => None,
        },
    })
}

/// The signer sets that the forwarder holds at a block: what its `ConfigSet` events leave, each held against its digest at
/// the forwarder.
///
/// # Errors
/// [`ChainError::SignerSet`] where events and contract disagree; see [`ChainError`] for the rest.
pub async fn signer_sets(chain: &Chain, deployment: &Deployment, block: BlockRef) -> Result<Vec<Signers>, ChainError> {
    let forwarder = QuorumForwarder::new(deployment.forwarder, chain.provider());
    let events: Vec<QuorumForwarder::ConfigSet> =
        events(chain, deployment.forwarder, (deployment.first_block, block.number)).await?;
    let mut sets = BTreeMap::new();
    for QuorumForwarder::ConfigSet { donId, configVersion, f, signers } in events {
        let set = Signers { don_id: donId, config_version: configVersion, f, addresses: signers };
        sets.insert((donId, configVersion), set);
    }
    // a set that was cleared tolerates no faults
    let sets: Vec<Signers> = sets.into_values().filter(|set| set.f != 0).collect();
    for set in &sets {
        let expected = B256::from(set.set().config_digest(chain.chain_id(), &deployment.forwarder.0.0));
        let found = forwarder.configDigest(set.don_id, set.config_version).block(block.id()).call().await?;
        if expected != found {
            return Err(ChainError::SignerSet { expected, found });
        }
    }
    Ok(sets)
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

/// The events of one kind that a contract gave from one block to another, both included.
pub(crate) async fn events<E: SolEvent>(
    chain: &Chain,
    contract: Address,
    (first, last): (u64, u64),
) -> Result<Vec<E>, ChainError> {
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

fn decoded<E: SolEvent>(log: &Log) -> Result<E, ChainError> {
    let (block, log_index) = (log.block_number.unwrap_or_default(), log.log_index.unwrap_or_default());
    let event = E::decode_log(&log.inner);
    event.map(|event| event.data).map_err(|_| ChainError::Event { contract: log.address(), block, log_index })
}

async fn pending(chain: &Chain, deployment: &Deployment, block: BlockRef) -> Result<Vec<Pending>, ChainError> {
    let pool = Pool::new(chain, deployment.pool);
    let mut waiting = Vec::new();
    let blocks = (deployment.first_block, block.number);
    let made: Vec<CREDarkPool::CollateralRequested> = events(chain, deployment.pool, blocks).await?;
    for event in made {
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
