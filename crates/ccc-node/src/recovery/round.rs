//! One round: plan, open, clear, settle, report.

use super::{FILL, INTAKE, RecoveryError, reporting::REPORT_LIFETIME, world::World};
use crate::{
    attempt, domain::stream, pool_log::PoolLogError, reading::Planned, timeline::Timeline, workflow_node::Shown,
};
use ccc_chain::read::BlockRef;
use ccc_core::{
    table::{Header, Receipts, SealedTable, TableStore},
    vault::Request,
};
use ccc_enclave::{
    attempt::Enclave,
    intake::{CollateralRequest, Log, RoundPlan},
    reserve::Validity,
    round::{Phase, RoundInput, RoundOutput},
};
use std::{cell::RefCell, sync::Arc, time::Instant};

/// Names of a round's steps on the timeline.
#[derive(Clone, Copy)]
pub(super) struct Steps {
    pub(super) reencryption: &'static str,
    pub(super) clearing: Option<&'static str>,
    pub(super) settlement: &'static str,
    pub(super) report: &'static str,
}

impl Steps {
    /// Whether they are those of the first version.
    pub(super) fn is_genesis(self) -> bool {
        self.report == super::GENESIS.report
    }
}

/// What the enclave made of a round, before any signer has seen it.
pub(super) struct MadeRound {
    output: RoundOutput,
    request: Request,
}

#[cfg(test)]
impl MadeRound {
    pub(super) fn result(&mut self) -> &mut ccc_enclave::result::AttestedResult {
        &mut self.output.result
    }
}

impl World {
    /// Runs a round with everything that the chain has logged, and delivers its report.
    pub(super) async fn round(
        &mut self,
        collateral: Option<CollateralRequest>,
        steps: Steps,
        timeline: &mut Timeline<'_>,
    ) -> Result<(), RecoveryError> {
        if self.services.is_some() {
            return self.await_round(steps, timeline).await;
        }
        let made = self.make_round(collateral, steps, timeline).await?;
        self.deliver_round(made, steps, timeline).await
    }

    /// The round in the enclave.
    pub(super) async fn make_round(
        &mut self,
        collateral: Option<CollateralRequest>,
        steps: Steps,
        timeline: &mut Timeline<'_>,
    ) -> Result<MadeRound, RecoveryError> {
        timeline.step(steps.reencryption);
        self.renew_identity(timeline).await?;
        let block = timeline.chain(self.chain.finalised_block()).await?;
        timeline.chain(self.log.read_to(&block)).await?;
        let inputs = timeline.chain(self.place().public_inputs(&block)).await?;
        let log = timeline.chain(self.round_log(collateral.as_ref(), &inputs)).await?;
        let id = log.collateral.as_ref().map_or_else(|| self.idle_id(), |request| request.submission.id);
        let observations = timeline.chain(self.place().observations(&block)).await?;
        let (output, request) = self.run_round(log, id, &block, inputs, &observations, steps, timeline).await?;
        Ok(MadeRound { output, request })
    }

    /// The round on the chain, signed.
    pub(super) async fn deliver_round(
        &mut self,
        MadeRound { output, request }: MadeRound,
        steps: Steps,
        timeline: &mut Timeline<'_>,
    ) -> Result<(), RecoveryError> {
        let former = self.head.clone();
        let shown = Shown { request: &request, header: former.as_ref() };
        let name = round_name(former.as_ref());
        self.store.put(&output.table)?;
        timeline.step(steps.report);
        self.keep_table(&name, &output.table);
        self.keep_receipts(&name, &output)?;
        self.report(&output.result, shown, &name, timeline).await?;
        self.sequences.round += 1;
        self.former = Some(output.result.payload);
        self.head = Some(output.table.header);
        for payout in &output.payouts {
            self.report(payout, shown, &format!("payout-{}", self.sequences.payout + 1), timeline).await?;
            self.sequences.payout += 1;
        }
        Ok(())
    }

    /// Waits for a request's deadline and settles it. What came before it and is not read yet is read before the deadline,
    /// so that the fill window is left for the request.
    pub(super) async fn settle(
        &mut self,
        request: CollateralRequest,
        timeline: &mut Timeline<'_>,
    ) -> Result<(), RecoveryError> {
        if self.services.is_some() {
            return self.await_fill(&request, FILL, timeline).await;
        }
        if self.has_unread(&request, timeline).await? {
            self.round(None, INTAKE, timeline).await?;
        }
        timeline.chain(self.chain.advance_time(request.deadline)).await?;
        match self.round(Some(request.clone()), FILL, timeline).await {
            // it came after another, which has ended since
            Err(RecoveryError::Log(PoolLogError::Unread { .. })) => {
                self.round(None, INTAKE, timeline).await?;
                self.round(Some(request), FILL, timeline).await
            }
            settled => settled,
        }
    }

    /// Whether a round without the request is to read something first.
    async fn has_unread(
        &mut self,
        request: &CollateralRequest,
        timeline: &mut Timeline<'_>,
    ) -> Result<bool, RecoveryError> {
        let block = timeline.chain(self.chain.finalised_block()).await?;
        timeline.chain(self.log.read_to(&block)).await?;
        let inputs = timeline.chain(self.place().public_inputs(&block)).await?;
        let log = timeline.chain(self.round_log(Some(request), &inputs)).await;
        Ok(matches!(log, Err(RecoveryError::Log(PoolLogError::Unread { .. }))))
    }

    async fn round_log(
        &self,
        collateral: Option<&CollateralRequest>,
        inputs: &ccc_enclave::result::PublicInputs,
    ) -> Result<Log, RecoveryError> {
        let head = self.head.as_ref();
        let planned = Planned {
            header: head.map_or([0; 32], Header::hash),
            version: head.map_or(0, Header::version),
            former: self.former.as_deref(),
            request: collateral.map(|request| request.submission.id),
        };
        Ok(self.place().round_log(&self.log, planned, inputs).await?)
    }

    /// The identifier of a round that settles nothing.
    fn idle_id(&self) -> [u8; 32] {
        let version = self.head.as_ref().map_or(0, |header| header.version());
        attempt::idle_id(&self.config, version, self.attempts)
    }

    #[expect(clippy::too_many_arguments, reason = "a round has these parts, and each is named at the call")]
    async fn run_round(
        &mut self,
        log: Log,
        id: [u8; 32],
        block: &BlockRef,
        inputs: ccc_enclave::result::PublicInputs,
        observations: &[ccc_core::report::PriceObservation],
        steps: Steps,
        timeline: &mut Timeline<'_>,
    ) -> Result<(RoundOutput, Request), RecoveryError> {
        let table = self.table()?;
        let header = table.as_ref().map(|table| &table.header);
        let key = *self.committee.master_public_key();
        let mut plan = RoundPlan::new(&self.config, &key, header, log, block.time)?;
        let config = self.config.clone();
        let (provider, identity) = (Arc::clone(&self.provider), self.identity.clone());
        let mut enclave = Enclave::new(config, provider.as_ref())?;
        if let Some(identity) = &identity {
            enclave = enclave.with_identity(identity);
        }
        self.attempts += 1;
        let mut rng = self.randomness.hidden(stream::ENCLAVE, self.attempts);
        let request = self.request(id, block, header, plan.digests());
        let attempt = enclave.attempt(request.clone(), block.time, &mut rng)?;
        let envelopes = self.ask_vault(&attempt, &request, block, plan.ciphertexts(), timeline).await?;
        self.keep_attempt(&round_name(header), &request, &attempt, &envelopes);
        let opened = self.open(attempt, &request, plan.take_ciphertexts(), envelopes)?;
        let switch = RefCell::new(Vec::new());
        let progress = |phase: Phase| switch.borrow_mut().push((phase, Instant::now()));
        timeline.step(steps.clearing.unwrap_or(steps.settlement));
        let output = opened.round(
            &plan,
            table.as_ref().map(|table| (&table.header, table.body.as_slice())),
            &RoundInput {
                observations,
                price_block: block.number,
                validity: Validity {
                    sequence: self.sequences.round + 1,
                    valid_until: block.time.saturating_add(REPORT_LIFETIME),
                },
                payout_sequence: self.sequences.payout + 1,
                inputs,
                progress: &progress,
            },
            &mut rng,
        )?;
        let settled = switch.into_inner().into_iter().find(|(phase, _)| *phase == Phase::Settlement);
        if let (Some(_), Some((_, at))) = (steps.clearing, settled) {
            timeline.split(steps.settlement, at);
        }
        Ok((output, request))
    }

    pub(super) fn keep_table(&mut self, name: &str, table: &SealedTable) {
        self.keep(format!("{name}.header"), table.header.to_bytes().to_vec());
        self.keep(format!("{name}.body"), table.body.clone());
        self.keep(format!("{name}.sidecar"), table.sidecar.clone());
    }

    /// The first version has none.
    fn keep_receipts(&mut self, name: &str, output: &RoundOutput) -> Result<(), RecoveryError> {
        if !output.receipts.is_empty() {
            let receipts = Receipts::new(output.table.header.hash(), output.receipts.clone())?;
            self.hide_reports(&receipts, &output.table.header);
            self.keep(format!("{name}.receipts"), receipts.to_bytes());
        }
        Ok(())
    }
}

fn round_name(header: Option<&Header>) -> String {
    format!("round-{}", header.map_or(1, |header| header.version().saturating_add(1)))
}
