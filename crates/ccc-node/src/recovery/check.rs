//! The reserve check and what the agent makes of it.

use super::{
    RecoveryError, report::status, reporting::REPORT_LIFETIME, setup::FILL_WINDOW, statement::StatementFetcher,
    world::World,
};
use crate::{
    agent::encrypt_order,
    domain::{self, stream},
    leak::Secret,
    timeline::Timeline,
    workflow_node::Shown,
};
use ccc_chain::read::attestation;
use ccc_core::{report::Verdict, suite};
use ccc_enclave::{
    attempt::Enclave,
    intake::{CollateralRequest, Log, RoundPlan, Submission, submission_id},
    reserve::{ReserveInput, Validity},
};
use std::sync::Arc;

/// Seconds between an order's submission and its clearing.
pub(super) const ORDER_DELAY: u64 = 12;

/// What a reserve check left.
pub(super) struct Checked {
    pub(super) verdict: Verdict,
    /// Its report, signed; none of services.
    pub(super) report: Vec<u8>,
    pub(super) envelope: Vec<u8>,
}

impl World {
    /// Fetches the statement, checks the reserve at a finalised block, reports the status.
    pub(super) async fn check_reserve(
        &mut self,
        fetcher: &StatementFetcher,
        timeline: &mut Timeline<'_>,
    ) -> Result<Checked, RecoveryError> {
        if self.services.is_some() {
            return self.await_check(timeline).await;
        }
        let statement = fetcher.fetch().await?;
        self.renew_identity(timeline).await?;
        let block = timeline.chain(self.chain.finalised_block()).await?;
        let table = self.table()?.ok_or(RecoveryError::NotShown { what: "a table" })?;
        let key = *self.committee.master_public_key();
        let mut plan = RoundPlan::new(&self.config, &key, Some(&table.header), Log::default(), block.time)?;
        let config = self.config.clone();
        let (provider, identity) = (Arc::clone(&self.provider), self.identity.clone());
        let mut enclave = Enclave::new(config, provider.as_ref())?;
        if let Some(identity) = &identity {
            enclave = enclave.with_identity(identity);
        }
        self.attempts += 1;
        let mut rng = self.randomness.hidden(stream::ENCLAVE, self.attempts);
        let sequence = self.sequences.solvency + 1;
        let id = suite::digest32(domain::RESERVE_CHECK, &[&self.config.reserve_attestation, &sequence.to_be_bytes()]);
        let request = self.request(id, &block, Some(&table.header), plan.digests());
        let attempt = enclave.attempt(request.clone(), block.time, &mut rng)?;
        let envelopes = self.ask_vault(&attempt, &request, &block, plan.ciphertexts(), timeline).await?;
        self.keep_attempt(&format!("reserve-{sequence}"), &request, &attempt, &envelopes);
        let opened = self.open(attempt, &request, plan.take_ciphertexts(), envelopes)?;
        let input = ReserveInput {
            header: &table.header,
            body: &table.body,
            statement: &statement,
            inputs: timeline.chain(self.place().public_inputs(&block)).await?,
            validity: Validity { sequence, valid_until: block.time.saturating_add(REPORT_LIFETIME) },
        };
        let output = opened.reserve(&input, &mut rng)?;
        let shown = Shown { request: &request, header: Some(&table.header) };
        self.report(&output.result, shown, &format!("reserve-{sequence}"), timeline).await?;
        self.keep(format!("reserve-{sequence}.envelope"), output.envelope.clone());
        self.sequences.solvency = sequence;
        let reported = timeline
            .chain(attestation(&self.chain, self.deployment.attestation, alloy::eips::BlockId::latest()))
            .await?;
        timeline.show(status(reported.verdict));
        let name = format!("reserve-{sequence}.report");
        let report = self.artifacts.iter().find(|artifact| artifact.name == name);
        let report = report.map(|artifact| artifact.bytes.clone()).unwrap_or_default();
        Ok(Checked { verdict: reported.verdict, report, envelope: output.envelope })
    }

    /// The agent opens its envelope, encrypts the order and requests collateral.
    pub(super) async fn request_recovery(
        &mut self,
        envelope: &[u8],
        timeline: &mut Timeline<'_>,
    ) -> Result<CollateralRequest, RecoveryError> {
        timeline.step("the agent encrypts the order");
        let reported = timeline
            .chain(attestation(&self.chain, self.deployment.attestation, alloy::eips::BlockId::latest()))
            .await?;
        let now = timeline.chain(self.chain.finalised_block()).await?.time;
        let notice = self.agent.read(&self.config, envelope, (reported.envelope_digest.0, reported.verdict), now)?;
        timeline.step("price observations");
        self.push_prices(timeline).await?;
        timeline.step("requestCollateral");
        let now = timeline.chain(self.chain.finalised_block()).await?.time;
        let deadline = now.saturating_add(ORDER_DELAY);
        let salt = self.salt(stream::REQUEST_SALT, 0);
        let mut rng = self.randomness.hidden(stream::ORDER, 0);
        let who = self.reserve.address().0.0;
        let id = submission_id(&self.config, &who, &salt);
        let order = self.agent.order(&notice, deadline, &mut rng);
        let expiry = deadline.saturating_add(FILL_WINDOW);
        let key = self.committee.master_public_key();
        let ciphertext = encrypt_order(&self.config, key, (id, who), expiry, &order, &mut rng)?.to_bytes();
        self.hide("the agent's deficit", u128::from(notice.deficit));
        self.hide("the order's size", u128::from(order.size));
        self.secrets.push(Secret::bytes("the order's seed", &order.seed));
        self.keep("order.ciphertext", ciphertext.clone());
        self.request_collateral(salt, deadline, ciphertext.clone(), timeline).await?;
        Ok(CollateralRequest { deadline, submission: Submission { id, who, ciphertext } })
    }
}
