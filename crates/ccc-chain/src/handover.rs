//! The vault's entry in [`VaultRegistry`], and how n−F signatures of the committee in office move it.
//!
//! What is signed and what the digests hash stands in `docs/spec/contracts.md`, *The vault's committee*.

use crate::{
    Chain, ChainError, Wallet,
    bindings::{VaultRegistry, vault_registry::VaultRegistry::Committee as Entry},
    deploy,
};
use alloy::{
    eips::BlockId,
    primitives::{Address, B256, Bytes, Signature, U256, keccak256},
    providers::Provider,
    sol_types::SolValue,
};
use ccc_core::keys::Committee;
use std::collections::BTreeMap;

/// The committee that a registry has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InOffice {
    /// Its epoch.
    pub epoch: u64,
    /// Its digest, as [`digest_of`] gives it.
    pub digest: B256,
    /// Its master public key.
    pub master_key: B256,
    /// Root over its verification keys, as [`verification_root`] gives it.
    pub root: B256,
    /// Signatures that a handover needs, n−F.
    pub quorum: usize,
}

/// Root over the verification keys as the registry has it: keccak256 of the committee's digest, which hashes all of them.
#[must_use]
pub fn verification_root(committee: &Committee) -> B256 {
    keccak256(committee.digest())
}

/// A committee as the registry has it; the accounts stand in the order of its numbers.
///
/// # Errors
/// [`ChainError::OutOfRange`] for another number of accounts than members, and for a committee above the registry's bounds.
pub fn entry(committee: &Committee, accounts: &[Address]) -> Result<Entry, ChainError> {
    let (n, found) = (committee.members().len(), accounts.len());
    if n != found {
        return Err(ChainError::OutOfRange { field: "accounts of the committee", found: found.to_string() });
    }
    let faults = committee.threshold().max_faulty();
    let wide = |_| ChainError::OutOfRange { field: "faulty participants", found: faults.to_string() };
    Ok(Entry {
        epoch: committee.epoch().0,
        faults: u8::try_from(faults).map_err(wide)?,
        participants: accounts.to_vec(),
        masterKey: B256::from(committee.master_public_key().to_bytes()),
        verificationRoot: verification_root(committee),
    })
}

/// Digest of a committee, as the contract's `digestOf` gives it.
#[must_use]
pub fn digest_of(entry: &Entry) -> B256 {
    let words: Vec<u8> = entry.participants.iter().flat_map(|account| account.into_word().0).collect();
    let named = keccak256(words);
    let faults = U256::from(entry.faults);
    keccak256((U256::from(entry.epoch), faults, named, entry.masterKey, entry.verificationRoot).abi_encode())
}

/// What participants in office sign to hand over to `next` until `until`, as the contract's `handoverDigest` gives it.
#[must_use]
pub fn signed_digest(chain_id: u64, registry: Address, now: B256, next: &Entry, until: u64) -> B256 {
    let label = keccak256("ccc/v1/handover");
    let (chain, until) = (U256::from(chain_id), U256::from(until));
    keccak256((label, chain, registry, now, digest_of(next), until).abi_encode())
}

/// A participant's signature r ‖ s ‖ v.
///
/// *Security*: it stands for n−F to install the committee. Sign only what a finished ceremony gave, once the new share is
/// stored, and no second one before the first one's last second has passed.
///
/// # Errors
/// [`ChainError::Signing`].
pub fn sign(wallet: &Wallet, digest: &B256) -> Result<[u8; 65], ChainError> {
    wallet.sign_hash(digest).map(|signature| signature.as_rsy())
}

/// Whose signature it is, in the one form that the contract takes.
fn signer(digest: &B256, signature: &[u8; 65]) -> Option<Address> {
    if signature[64] > 1 {
        return None;
    }
    let read = Signature::from_raw_array(signature).ok()?;
    if read.normalize_s().is_some() {
        return None;
    }
    read.recover_address_from_prehash(digest).ok()
}

/// Puts a registry on a chain, with its first committee.
///
/// # Errors
/// The contract's refusal of the committee; see [`ChainError`].
pub async fn create(chain: &Chain, wallet: &Wallet, first: Entry) -> Result<Address, ChainError> {
    let arguments = VaultRegistry::constructorCall { first };
    let made = deploy::create(chain, wallet, "VaultRegistry", &VaultRegistry::BYTECODE, &arguments).await?;
    Ok(made.0)
}

/// Whether the contract there is a [`VaultRegistry`]: whatever else stands there may answer as it likes.
///
/// *Security*: anybody may put one on the chain. That it is the vault's is for its deployment to say.
///
/// # Errors
/// [`ChainError::Rpc`].
pub async fn is_registry(chain: &Chain, registry: Address) -> Result<bool, ChainError> {
    let code = chain.provider().get_code_at(registry).await.map_err(ChainError::Rpc)?;
    Ok(code == *VaultRegistry::DEPLOYED_BYTECODE)
}

/// The committee that a registry has at a block.
///
/// # Errors
/// [`ChainError`], also where no registry is there.
pub async fn in_office(chain: &Chain, registry: Address, at: BlockId) -> Result<InOffice, ChainError> {
    let (contract, at) = (VaultRegistry::new(registry, chain.provider()), chain.pinned(at).await?);
    let epoch = contract.epoch().block(at).call().await?;
    let digest = contract.committeeDigest().block(at).call().await?;
    let master_key = contract.masterKey().block(at).call().await?;
    let root = contract.verificationRoot().block(at).call().await?;
    let quorum = contract.quorum().block(at).call().await?;
    let wide = |_| ChainError::OutOfRange { field: "quorum", found: quorum.to_string() };
    Ok(InOffice { epoch, digest, master_key, root, quorum: usize::try_from(quorum).map_err(wide)? })
}

/// Of these signatures those that count: each by a participant in office, in the contract's form, one of each.
///
/// # Errors
/// [`ChainError`].
pub async fn that_count(
    chain: &Chain,
    registry: Address,
    office: &InOffice,
    digest: &B256,
    signatures: &[[u8; 65]],
) -> Result<Vec<Bytes>, ChainError> {
    let contract = VaultRegistry::new(registry, chain.provider());
    let mut counted = BTreeMap::new();
    for signature in signatures {
        let Some(signer) = signer(digest, signature).filter(|signer| !counted.contains_key(signer)) else { continue };
        if contract.numberOf(office.epoch, signer).call().await? != U256::ZERO {
            counted.insert(signer, Bytes::copy_from_slice(signature));
        }
    }
    Ok(counted.into_values().collect())
}

/// Delivers a handover, with exactly n−F signatures.
///
/// # Errors
/// The contract's refusal, of what came second too; see [`ChainError`].
pub async fn deliver(
    chain: &Chain,
    wallet: &Wallet,
    registry: Address,
    (next, until): (Entry, u64),
    signatures: Vec<Bytes>,
) -> Result<(), ChainError> {
    let contract = VaultRegistry::new(registry, chain.provider());
    let request = contract.handOver(next, until, signatures).into_transaction_request();
    chain.send(wallet, request).await.map(drop)
}
