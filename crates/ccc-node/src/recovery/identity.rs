//! The enclave's identity on the chain: made, attested, admitted by the signers, kept sealed, renewed before it ends.

use super::{RecoveryError, world::World};
use crate::{
    domain::stream,
    timeline::Timeline,
    workflow_node::{Decision, RegistryView, SignerRefusal},
};
use alloy::{
    eips::BlockId,
    primitives::{Address, B256},
};
use ccc_chain::{
    deploy,
    read::BlockRef,
    status,
    submit::{self, Delivery},
};
use ccc_core::enclave::identity::{AttestedIdentity, IdentityKey};
use ccc_enclave::attempt::Enclave;
use std::sync::Arc;

/// Seconds for which an identity speaks.
const LIFETIME: u64 = 24 * 3_600;
/// Seconds before its expiry at which it is renewed.
const AHEAD: u64 = 3_600;
/// Most seconds that an expiry lies ahead, for the registry and for each signer.
pub(super) const MAX_LIFETIME: u64 = 2 * LIFETIME;
/// Seconds for which a program is allowed.
const PROGRAM_LIFETIME: u64 = 365 * 24 * 3_600;

impl World {
    /// Puts the registry on the chain, and this program and its first identity into it.
    pub(super) async fn found_registry(&mut self, timeline: &mut Timeline<'_>) -> Result<(), RecoveryError> {
        let placed = deploy::enclave_registry(&self.chain, &self.operator, &self.deployment, MAX_LIFETIME);
        self.deployment.enclaves = Some(timeline.chain(placed).await?);
        let block = timeline.chain(self.chain.finalised_block()).await?;
        let mut rng = self.randomness.generator(stream::IDENTITY, 0);
        let expiry = block.time.saturating_add(LIFETIME);
        let key = Arc::new(IdentityKey::generate(self.committee.epoch().0, expiry, &mut rng)?);
        let attested = self.attest_identity(&key, block.hash).await?;
        let until = block.time.saturating_add(PROGRAM_LIFETIME);
        self.decide(Decision::Allow(&attested, until), block.hash, timeline).await?;
        self.admit(key, timeline).await
    }

    /// Before an attempt: an identity whose end is near is renewed and attested again. A copy is, which the enclave reads
    /// out of what the host keeps sealed: a renewal that fails leaves the identity as it was, to be renewed by the next
    /// attempt. Without an identity no attempt begins, since no signer would sign what it makes.
    pub(super) async fn renew_identity(&mut self, timeline: &mut Timeline<'_>) -> Result<(), RecoveryError> {
        let known = self.identity.clone().ok_or(RecoveryError::NotShown { what: "an identity of the enclave" })?;
        let (epoch, now) = (self.committee.epoch().0, timeline.chain(self.chain.finalised_block()).await?.time);
        if !known.is_due(epoch, AHEAD, now) {
            return Ok(());
        }
        let sealing = Enclave::new(self.config.clone(), self.provider.as_ref())?.sealing_key();
        let sealing = sealing.map_err(ccc_enclave::attempt::AttemptError::from)?;
        let mut key = IdentityKey::unseal(&self.sealed_identity, &sealing)?;
        key.renew(epoch, now.saturating_add(LIFETIME)).map_err(ccc_enclave::attempt::AttemptError::from)?;
        self.admit(Arc::new(key), timeline).await
    }

    /// Has an identity attested and admitted, and seals it for a restart.
    async fn admit(&mut self, key: Arc<IdentityKey>, timeline: &mut Timeline<'_>) -> Result<(), RecoveryError> {
        let block = timeline.chain(self.chain.finalised_block()).await?;
        let attested = self.attest_identity(&key, block.hash).await?;
        self.decide(Decision::Admit(&attested), block.hash, timeline).await?;
        self.admissions += 1;
        let mut rng = self.randomness.generator(stream::IDENTITY, self.admissions);
        let provider = Arc::clone(&self.provider);
        let sealing = Enclave::new(self.config.clone(), provider.as_ref())?.sealing_key();
        let sealing = sealing.map_err(ccc_enclave::attempt::AttemptError::from)?;
        self.sealed_identity = key.seal(&sealing, &mut rng)?;
        self.identity = Some(key);
        Ok(())
    }

    async fn attest_identity(&self, key: &IdentityKey, block: B256) -> Result<AttestedIdentity, RecoveryError> {
        let view = self.registry_view(block).await?;
        let enclave = Enclave::new(self.config.clone(), self.provider.as_ref())?;
        let attested = enclave.attest_identity(key, view.challenge().bytes(), view.now);
        Ok(attested.map_err(ccc_enclave::attempt::AttemptError::from)?)
    }

    /// Lets every signer judge a decision at a block that the host names, and delivers what a quorum of them signed.
    pub(super) async fn decide(
        &mut self,
        decision: Decision<'_>,
        block: B256,
        timeline: &mut Timeline<'_>,
    ) -> Result<Delivery, RecoveryError> {
        let (origin, mut signed, mut refusal) = (self.deployment.origin(), Vec::new(), None);
        let mut signers = std::mem::take(&mut self.signers);
        for signer in &mut signers {
            // each reads the chain for itself, the block too
            let view = timeline.chain(self.registry_view(block)).await;
            let made = view.and_then(|view| {
                let context = self.deployment.context(view.sequence());
                Ok((signer.node.decide(decision, &view, origin, &context)?, context))
            });
            match made {
                Ok(made) => signed.push(made),
                Err(error) => refusal = Some(error),
            }
        }
        self.signers = signers;
        let report = self.assembled(signed, refusal)?;
        Ok(timeline.chain(submit::deliver(&self.chain, &self.operator, self.deployment.forwarder, &report)).await?)
    }

    /// What one signer reads: a block that it is named has to be on the chain and final.
    async fn registry_view(&self, named: B256) -> Result<RegistryView, RecoveryError> {
        let registry = self.registry()?;
        let block = self.chain.block(BlockId::from(named)).await?;
        let canonical = self.chain.block(BlockId::number(block.number)).await?;
        let last = self.chain.finalised_block().await?.number;
        if !is_final(named, [block, canonical], last) {
            return Err(SignerRefusal::Differs { what: "the block of the admission" }.into());
        }
        let latest = self.chain.block(BlockId::latest()).await?;
        Ok(RegistryView {
            chain: self.chain.chain_id(),
            registry: registry.0.0,
            epoch: self.deployment.workflow.epoch,
            block_hash: block.hash.0,
            block_time: block.time,
            now: latest.time,
            last_sequence: status::enclave_sequence(&self.chain, registry, latest.id()).await?,
        })
    }

    fn registry(&self) -> Result<Address, RecoveryError> {
        self.deployment.enclave_registry().ok_or(RecoveryError::NotShown { what: "a registry of enclaves" })
    }
}

/// Whether a block that a host names, as it is found by its hash and by its number, is the chain's and not behind the last
/// final one.
fn is_final(named: B256, [by_hash, by_number]: [BlockRef; 2], last: u64) -> bool {
    by_hash.hash == named && by_number.hash == named && by_hash.number <= last
}

#[cfg(test)]
mod tests;
