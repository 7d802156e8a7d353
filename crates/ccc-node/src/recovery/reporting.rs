//! From an attested result to an accepted report: every signer reads the chain for itself.

use super::{
    RecoveryError,
    log::ChainLog,
    world::{Signer, World},
};
use crate::{
    pool_log::{Former, PoolLogError, RoundAt, read_block},
    timeline::Timeline,
    workflow_node::{Registered, Shown, SignerView, identity_of},
};
use alloy::eips::BlockId;
use ccc_chain::{
    read::{BlockRef, Pool, attestation, price_observations},
    status,
    submit::{self, Delivery},
};
use ccc_core::report::{
    Accumulator, Kind, Payload, PriceObservation, Report, ReportContext, Round, Signature65, SignedReport, Statement,
};
use ccc_enclave::{
    intake::{self, Log, Submission},
    result::{AttestedResult, PublicInputs},
};

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
        shown: Shown<'_>,
        name: &str,
        timeline: &mut Timeline<'_>,
    ) -> Result<Delivery, RecoveryError> {
        let signed = self.sign(result, shown, timeline).await?;
        self.keep(format!("{name}.report"), signed.to_bytes()?);
        self.keep(format!("{name}.evidence"), result.evidence.clone());
        let forwarder = self.deployment.forwarder;
        Ok(timeline.chain(submit::deliver(&self.chain, &self.operator, forwarder, &signed)).await?)
    }

    /// Asks one signer after the other until there is a quorum. A signer that refuses or cannot read the chain is
    /// passed over; its reason is given when too few are left.
    pub(super) async fn sign(
        &mut self,
        result: &AttestedResult,
        shown: Shown<'_>,
        timeline: &mut Timeline<'_>,
    ) -> Result<SignedReport, RecoveryError> {
        let payload = Payload::from_bytes(&result.payload).map_err(ccc_core::report::QuorumError::from)?;
        let context = self.deployment.context(payload.binding.sequence);
        let set = self.deployment.signer_set();
        let mut signed = Vec::new();
        let mut refusal = None;
        let mut signers = std::mem::take(&mut self.signers);
        for Signer { node, log } in &mut signers {
            if signed.len() == set.quorum() {
                break;
            }
            let view = timeline.chain(self.signer_view(log, &payload, result)).await;
            let made = view.and_then(|view| Ok(node.sign(result, shown, &view, self.deployment.origin(), &context)?));
            match made {
                Ok(made) => signed.push((made, context)),
                Err(error) => refusal = Some(error),
            }
        }
        self.signers = signers;
        self.assembled(signed, refusal)
    }

    /// The report that a quorum signed; where too few did, the last reason against it.
    pub(super) fn assembled(
        &self,
        signed: Vec<((Report, Signature65), ReportContext)>,
        refusal: Option<RecoveryError>,
    ) -> Result<SignedReport, RecoveryError> {
        let set = self.deployment.signer_set();
        let signatures: Vec<Signature65> =
            signed.iter().take(set.quorum()).map(|((_, signature), _)| *signature).collect();
        match (signed.into_iter().next(), refusal) {
            (Some(((report, _), context)), _) if signatures.len() == set.quorum() => {
                Ok(SignedReport::assemble(report, context, &signatures, &set, &self.deployment.forwarder.0.0)?)
            }
            (_, Some(refusal)) => Err(refusal),
            (_, None) => Err(RecoveryError::Range { what: "the number of signers" }),
        }
    }

    /// What one signer reads before it signs.
    async fn signer_view(
        &self,
        log: &mut ChainLog,
        payload: &Payload,
        result: &AttestedResult,
    ) -> Result<SignerView, RecoveryError> {
        let pool = Pool::new(&self.chain, self.deployment.pool);
        let at = self.chain.block(BlockId::number(result.inputs.block)).await?;
        let latest = self.chain.block(BlockId::latest()).await?;
        let newest = pool.table(latest.id()).await?;
        let table = pool.table(at.id()).await?;
        let inputs = self.public_inputs(&at).await?;
        let mut view = SignerView {
            chain: self.chain.chain_id(),
            receivers: [self.deployment.attestation.0.0, self.deployment.pool.0.0],
            epoch: self.deployment.workflow.epoch,
            now: latest.time,
            latest: (newest.header_hash.0, newest.version),
            last_sequence: self.last_sequence(payload.statement.kind(), &latest).await?,
            inputs,
            block_hash: at.hash.0,
            log: Log::default(),
            header: (table.header_hash.0, table.version),
            accumulator: None,
            price_source: self.deployment.feed.0.0,
            observations: Vec::new(),
            enclave: self.registered(result, &latest).await?,
        };
        if let Statement::Round(round) = &payload.statement {
            self.view_round(log, round, &at, &mut view).await?;
        }
        Ok(view)
    }

    /// What the registry says of whoever signed a result, where there is a registry.
    async fn registered(
        &self,
        result: &AttestedResult,
        latest: &BlockRef,
    ) -> Result<Option<Registered>, RecoveryError> {
        let Some(registry) = self.deployment.enclave_registry() else { return Ok(None) };
        let signer = identity_of(result);
        let standing = status::standing(&self.chain, registry, signer.into(), latest.id()).await?;
        Ok(Some(Registered { signer, standing }))
    }

    /// The report that made the current version, with the time of the block that its round read at.
    pub(super) async fn former(&self) -> Result<Option<Former<'_>>, RecoveryError> {
        let Some(payload) = self.former.as_deref() else { return Ok(None) };
        let read = read_block(payload).map_err(PoolLogError::from)?.unwrap_or(0);
        let time = self.chain.block(BlockId::number(read)).await?.time;
        Ok(Some(Former { payload, time }))
    }

    /// Whether a round at this time would open a submission.
    pub(super) fn opens(&self, submission: &Submission, now: u64) -> bool {
        intake::opens(&self.config, self.committee.master_public_key(), submission, now)
    }

    async fn last_sequence(&self, kind: Kind, latest: &BlockRef) -> Result<u64, RecoveryError> {
        Ok(match kind {
            Kind::Solvency => attestation(&self.chain, self.deployment.attestation, latest.id()).await?.sequence,
            _ => Pool::new(&self.chain, self.deployment.pool).last_sequence(kind, latest.id()).await?,
        })
    }

    /// What a signer reads for a round: prices, operations, orders and the request, from its own log.
    async fn view_round(
        &self,
        log: &mut ChainLog,
        round: &Round,
        at: &BlockRef,
        view: &mut SignerView,
    ) -> Result<(), RecoveryError> {
        let pool = Pool::new(&self.chain, self.deployment.pool);
        let read = self.chain.block(BlockId::number(round.price_block)).await?;
        view.observations = self.observations(&read).await?;
        let known = round.count <= pool.count(at.id()).await?;
        view.accumulator = known.then_some(pool.history(round.count, at.id()).await?.0);
        log.read_to(at).await?;
        view.log = log.seen.round(&RoundAt {
            block: at.number,
            time: at.time,
            header: view.header.0,
            version: view.header.1,
            consumed: Accumulator::resume(view.inputs.accumulator, view.inputs.consumed),
            former: self.former().await?,
            request: (round.request_id != [0; 32]).then_some(round.request_id),
            opens: &|submission| self.opens(submission, at.time),
        })?;
        Ok(())
    }
}
