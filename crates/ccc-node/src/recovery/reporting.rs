//! From an attested result to an accepted report: every signer reads the chain for itself.

use super::{RecoveryError, world::World};
use crate::{timeline::Timeline, workflow_node::SignerView};
use alloy::eips::BlockId;
use ccc_chain::{
    read::{BlockRef, Pool, attestation, price_observations},
    submit::{self, Delivery},
};
use ccc_core::report::{Kind, Payload, PriceObservation, SignedReport, Statement};
use ccc_enclave::result::{AttestedResult, PublicInputs};

/// The rounds of the feed that a round reads.
pub(super) const PRICE_ROUNDS: u64 = 64;
/// Seconds for which a report can be delivered.
pub(super) const REPORT_LIFETIME: u64 = 900;

impl World {
    /// The public facts at a block.
    pub(super) async fn public_inputs(&self, block: &BlockRef) -> Result<PublicInputs, RecoveryError> {
        let pool = Pool::new(&self.chain, self.deployment.pool);
        let token = alloy::primitives::Address::from(self.config.assets[self.config.base as usize].token);
        let custody = pool.token_balance(token, block.id()).await?;
        let consumed = pool.table(block.id()).await?.consumed;
        Ok(PublicInputs {
            block: block.number,
            block_time: block.time,
            custody: u128::try_from(custody).map_err(|_| RecoveryError::Range { what: "the pool's custody" })?,
            consumed,
            accumulator: pool.history(consumed, block.id()).await?.0,
        })
    }

    /// The feed's observations at a block.
    pub(super) async fn observations(&self, block: &BlockRef) -> Result<Vec<PriceObservation>, RecoveryError> {
        Ok(price_observations(&self.chain, self.deployment.feed, PRICE_ROUNDS, block.id()).await?)
    }

    /// Lets the signers check and sign a result, and delivers the report.
    pub(super) async fn report(
        &mut self,
        result: &AttestedResult,
        name: &str,
        timeline: &mut Timeline<'_>,
    ) -> Result<Delivery, RecoveryError> {
        let signed = self.sign(result, timeline).await?;
        self.keep(format!("{name}.report"), signed.to_bytes()?);
        self.keep(format!("{name}.evidence"), result.evidence.clone());
        let forwarder = self.deployment.forwarder;
        Ok(timeline.chain(submit::deliver(&self.chain, &self.operator, forwarder, &signed)).await?)
    }

    /// Asks one signer after the other until there is a quorum. A signer that refuses or cannot read the chain is
    /// passed over; its reason is given when too few are left.
    pub(super) async fn sign(
        &self,
        result: &AttestedResult,
        timeline: &mut Timeline<'_>,
    ) -> Result<SignedReport, RecoveryError> {
        let payload = Payload::from_bytes(&result.payload).map_err(ccc_core::report::QuorumError::from)?;
        let context = self.deployment.context(payload.binding.sequence);
        let set = self.deployment.signer_set();
        let mut signatures = Vec::new();
        let mut report = None;
        let mut refusal = None;
        for node in &self.workflow {
            if signatures.len() == set.quorum() {
                break;
            }
            let view = timeline.chain(self.signer_view(&payload, result.inputs.block)).await;
            let signed = view.and_then(|view| Ok(node.sign(result, &view, self.deployment.origin(), &context)?));
            match signed {
                Ok((made, signature)) => {
                    signatures.push(signature);
                    report = Some(made);
                }
                Err(error) => refusal = Some(error),
            }
        }
        match (report, refusal) {
            (Some(report), _) if signatures.len() == set.quorum() => {
                Ok(SignedReport::assemble(report, context, &signatures, &set, &self.deployment.forwarder.0.0)?)
            }
            (_, Some(refusal)) => Err(refusal),
            (_, None) => Err(RecoveryError::Range { what: "the number of signers" }),
        }
    }

    /// What one signer reads before it signs.
    async fn signer_view(&self, payload: &Payload, block: u64) -> Result<SignerView, RecoveryError> {
        let pool = Pool::new(&self.chain, self.deployment.pool);
        let at = self.chain.block(BlockId::number(block)).await?;
        let latest = self.chain.block(BlockId::latest()).await?;
        let newest = pool.table(latest.id()).await?;
        let kind = payload.statement.kind();
        let last_sequence = match kind {
            Kind::Solvency => attestation(&self.chain, self.deployment.attestation, latest.id()).await?.sequence,
            _ => pool.last_sequence(kind, latest.id()).await?,
        };
        let table = pool.table(at.id()).await?;
        let (accumulator, observations) = match &payload.statement {
            Statement::Round(round) => {
                let read = self.chain.block(BlockId::number(round.price_block)).await?;
                let known = round.count <= pool.count(at.id()).await?;
                let value = pool.history(round.count, at.id()).await?.0;
                (known.then_some(value), self.observations(&read).await?)
            }
            _ => (None, Vec::new()),
        };
        Ok(SignerView {
            chain: self.chain.chain_id(),
            receivers: [self.deployment.attestation.0.0, self.deployment.pool.0.0],
            epoch: self.deployment.workflow.epoch,
            now: latest.time,
            latest: (newest.header_hash.0, newest.version),
            last_sequence,
            inputs: self.public_inputs(&at).await?,
            header: (table.header_hash.0, table.version),
            accumulator,
            price_source: self.deployment.feed.0.0,
            observations,
        })
    }
}
