//! One signer of reports: it believes neither the enclave's host nor its own. It checks the evidence for the
//! payload and reads every public fact of it again.

use ccc_core::{
    enclave::attestation::{Policy, PolicyRefusal},
    report::{
        Origin, Payload, PriceObservation, Report, ReportContext, ReportError, ReportSigner, Signature65, Statement,
        price_digest,
    },
};
use ccc_enclave::result::{AttestedResult, PublicInputs};

/// The longest time for which a signer lets a report be delivered, in seconds.
pub const MAX_VALIDITY: u64 = 3_600;

/// The public facts, as the signer reads them at the block of the payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerView {
    /// Chain identifier.
    pub chain: u64,
    /// Receiver of each kind of report: the attestation contract and the pool.
    pub receivers: [[u8; 20]; 2],
    /// The committee's epoch.
    pub epoch: u64,
    /// Time of the chain's latest block.
    pub now: u64,
    /// What the enclave should have been told.
    pub inputs: PublicInputs,
    /// Current header hash and version.
    pub header: ([u8; 32], u64),
    /// Header hash and version at the latest block.
    pub latest: ([u8; 32], u64),
    /// The last sequence number that the receiver accepted for this kind.
    pub last_sequence: u64,
    /// Accumulator history at the payload's count; `None` if the chain has no such count.
    pub accumulator: Option<[u8; 32]>,
    /// The feed that rounds must use.
    pub price_source: [u8; 20],
    /// The feed's observations at the payload's price block.
    pub observations: Vec<PriceObservation>,
}

/// Why a signer does not sign.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignerRefusal {
    /// The payload is not one.
    #[error("payload: {0}")]
    Payload(#[from] ReportError),
    /// No evidence that the enclave made it.
    #[error("attestation: {0}")]
    Policy(#[from] PolicyRefusal),
    /// A fact differs from what the signer reads.
    #[error("{what} differs from what the chain says")]
    Differs {
        /// The fact.
        what: &'static str,
    },
    /// Already expired.
    #[error("the payload was valid until {valid_until}, it is {now}")]
    Expired {
        /// Last second.
        valid_until: u64,
        /// Now.
        now: u64,
    },
}

/// A signer with its key and policy.
pub struct WorkflowNode {
    signer: ReportSigner,
    policy: Policy,
}

impl WorkflowNode {
    /// A signer.
    #[must_use]
    pub fn new(signer: ReportSigner, policy: Policy) -> Self {
        Self { signer, policy }
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> [u8; 20] {
        self.signer.address()
    }

    /// Checks a result against its own view and signs the report that carries it.
    ///
    /// # Errors
    /// [`SignerRefusal`].
    pub fn sign(
        &self,
        result: &AttestedResult,
        view: &SignerView,
        origin: Origin,
        context: &ReportContext,
    ) -> Result<(Report, Signature65), SignerRefusal> {
        let payload = Payload::from_bytes(&result.payload)?;
        result.check(&self.policy, view.now)?;
        check_binding(&payload, view)?;
        same("a public input", result.inputs == view.inputs)?;
        check_statement(&payload.statement, &result.header, view)?;
        let report = Report::new(origin, view.inputs.block_time, payload)?;
        let signature = self.signer.sign(&report, context);
        Ok((report, signature))
    }
}

fn check_binding(payload: &Payload, view: &SignerView) -> Result<(), SignerRefusal> {
    let binding = &payload.binding;
    let receiver = match payload.statement {
        Statement::Solvency(_) => view.receivers[0],
        _ => view.receivers[1],
    };
    same("the chain", binding.chain == view.chain)?;
    same("the receiver", binding.receiver == receiver)?;
    same("the epoch", binding.epoch == view.epoch)?;
    same("the sequence", Some(binding.sequence) == view.last_sequence.checked_add(1))?;
    same("the expiry", binding.valid_until <= view.now.saturating_add(MAX_VALIDITY))?;
    if view.now > binding.valid_until {
        return Err(SignerRefusal::Expired { valid_until: binding.valid_until, now: view.now });
    }
    Ok(())
}

fn check_statement(statement: &Statement, header: &[u8; 32], view: &SignerView) -> Result<(), SignerRefusal> {
    match statement {
        Statement::Solvency(solvency) => {
            same("the block", solvency.block == view.inputs.block && solvency.block_time == view.inputs.block_time)?;
            same("the table header", solvency.header_hash == view.header.0 && solvency.header_hash == *header)
        }
        Statement::Round(round) => {
            same("the table header", round.previous == view.header.0 && round.header_hash == *header)?;
            same("the table version", Some(round.version) == view.header.1.checked_add(1))?;
            same("the accumulator", view.accumulator == Some(round.accumulator))?;
            same("the price block", round.price_block == view.inputs.block)?;
            same("the price source", round.source == view.price_source)?;
            same("the price", round.price_digest == price_digest(&view.observations)?)
        }
        // paid only by the version that debited it, and only once the chain has that version and no other
        Statement::Payout(payout) => same("the table header", (*header, payout.version) == view.latest),
        Statement::Enclave(_) => Err(SignerRefusal::Differs { what: "the kind of report" }),
    }
}

fn same(what: &'static str, holds: bool) -> Result<(), SignerRefusal> {
    if holds { Ok(()) } else { Err(SignerRefusal::Differs { what }) }
}
