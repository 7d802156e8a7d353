//! One signer of reports: it believes neither the enclave's host nor its own. It checks the evidence for the
//! payload, reads every public fact of it again, and plans the round again from its own reading of the log.

mod admission;
pub mod record;

pub use admission::{Decision, MAX_BLOCK_AGE, MAX_PROGRAM_LIFETIME, Registered, RegistryView, identity_of};

use ccc_chain::status::Standing;
use ccc_core::{
    enclave::{
        attestation::{Policy, PolicyRefusal},
        identity::{IdentityRefusal, KnownIdentities},
    },
    keys::MasterPublicKey,
    report::{
        Origin, Payload, PriceObservation, Report, ReportContext, ReportError, ReportSigner, Signature65, Statement,
        price_digest,
    },
    table::Header,
    vault::Request,
};
use ccc_enclave::{
    config::EnclaveConfig,
    intake::{Log, PlanError, RoundPlan},
    result::{AttestedResult, PublicInputs},
};
use record::{NotRecorded, SignedRecord};
use std::{collections::HashSet, sync::Arc};

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
    /// Hash of the block at which that is read.
    pub block_hash: [u8; 32],
    /// The log of the round at that block, with the request that the payload names, or of a version of its own on the
    /// operator's instruction; nothing for the other kinds.
    pub log: Log,
    /// Header hash and version at that block.
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
    /// How the enclave that signed the result stands in the registry at the latest block; nothing where the deployment
    /// has no registry.
    pub enclave: Option<Registered>,
}

/// What the host shows beside a result. None of it is believed: the request has the digest that the evidence names,
/// the header has the hash that the chain names.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// The request under which the ciphertexts were opened.
    pub request: &'a Request,
    /// The header of the table that was opened; none for the first version.
    pub header: Option<&'a Header>,
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
    /// The enclave's identity, or what it signed.
    #[error("identity: {0}")]
    Identity(#[from] IdentityRefusal),
    /// A result of an enclave without an identity, where the deployment has a registry.
    #[error("no identity signed the result, and the registry knows enclaves by theirs")]
    Unsigned,
    /// A view without the registry's word, of a signer that needs it.
    #[error("the view does not say how the enclave stands in the registry")]
    NotAsked,
    /// An enclave that the registry does not call current.
    #[error("the registry says of the enclave 0x{}: {}", hex::encode(.signer), standing.words())]
    NotCurrent {
        /// Who signed the result.
        signer: [u8; 20],
        /// How it stands.
        standing: Standing,
    },
    /// An admission whose block is too old for its evidence to be fresh.
    #[error("the block that the identity answers is {age} seconds old, where {max_age} are accepted")]
    StaleBlock {
        /// Its age.
        age: u64,
        /// [`MAX_BLOCK_AGE`].
        max_age: u64,
    },
    /// A program that would be allowed for longer than a signer lets it be.
    #[error("the program would be allowed until {found}, where {last} is the last second")]
    ProgramLifetime {
        /// The last second that is signed.
        last: u64,
        /// The one asked for.
        found: u64,
    },
    /// A withdrawal of no program, or a revocation of nobody.
    #[error("the decision names nobody: its program or signer is all zeros")]
    Nobody,
    /// A fact differs from what the signer reads.
    #[error("{what} differs from what the chain says")]
    Differs {
        /// The fact.
        what: &'static str,
    },
    /// The request shown is another one.
    #[error("the request shown is not the one that the result answers")]
    OtherRequest,
    /// The signer's own log gives no plan.
    #[error("plan: {0}")]
    Plan(#[from] PlanError),
    /// A ciphertext of the signer's plan that the request does not name.
    #[error("the request leaves out ciphertext {index} of the plan, {}", hex::encode(.digest))]
    LeftOut {
        /// Position in the plan.
        index: usize,
        /// Its digest.
        digest: [u8; 32],
    },
    /// A ciphertext that the request names and the signer's plan does not.
    #[error("ciphertext {index} of the request, {}, is not in the plan", hex::encode(.digest))]
    Added {
        /// Position in the request.
        index: usize,
        /// Its digest.
        digest: [u8; 32],
    },
    /// The plan's ciphertexts in another order.
    #[error("the request names the plan's ciphertexts in another order, from number {index} on")]
    Moved {
        /// The first position that differs.
        index: usize,
    },
    /// The same ciphertexts, taken for something else: an order that has its reservation for a new one, or a request
    /// for one of another deadline.
    #[error("the round was planned from log {}, the chain has log {}", hex::encode(.found), hex::encode(.expected))]
    OtherLog {
        /// Digest of the signer's log.
        expected: [u8; 32],
        /// Digest in the result.
        found: [u8; 32],
    },
    /// Already expired.
    #[error("the payload was valid until {valid_until}, it is {now}")]
    Expired {
        /// Last second.
        valid_until: u64,
        /// Now.
        now: u64,
    },
    /// It contradicts what was signed before, or the record could not be written.
    #[error("{0}")]
    NotRecorded(#[source] Box<NotRecorded>),
}

impl From<NotRecorded> for SignerRefusal {
    fn from(reason: NotRecorded) -> Self {
        Self::NotRecorded(Box::new(reason))
    }
}

/// A signer with its key, its policy and the pool that it serves.
pub struct WorkflowNode {
    signer: ReportSigner,
    policy: Policy,
    config: EnclaveConfig,
    key: MasterPublicKey,
    identities: KnownIdentities,
    asks_registry: bool,
    record: Option<Arc<SignedRecord>>,
}

impl WorkflowNode {
    /// A signer of the results of enclaves with this configuration, whose vault has this master public key: of hardware
    /// too, which a policy of several pools may list under other configurations.
    #[must_use]
    pub fn new(signer: ReportSigner, policy: Policy, config: EnclaveConfig, key: MasterPublicKey) -> Self {
        let identities = KnownIdentities::new(0, 0);
        let mut node = Self { signer, policy, config, key, identities, asks_registry: false, record: None };
        node.policy = node.of_own_configuration(node.policy.clone());
        node
    }

    /// The same signer, which keeps what it signs in a record, and signs no report that contradicts one of it.
    ///
    /// *Security*: reports of [`Self::decide`] are not among them: a revocation must not wait for an admission that failed.
    #[must_use]
    pub fn with_record(mut self, record: Arc<SignedRecord>) -> Self {
        self.record = Some(record);
        self
    }

    fn of_own_configuration(&self, mut policy: Policy) -> Policy {
        let own = self.config.digest();
        policy.hardware.configurations.retain(|listed| *listed == own);
        policy
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> [u8; 20] {
        self.signer.address()
    }

    /// Checks a result against its own view and signs the report that carries it. Where there is a record, the report is on
    /// its medium before there is a signature.
    ///
    /// # Errors
    /// [`SignerRefusal`].
    pub fn sign(
        &self,
        result: &AttestedResult,
        shown: Shown<'_>,
        view: &SignerView,
        origin: Origin,
        context: &ReportContext,
    ) -> Result<(Report, Signature65), SignerRefusal> {
        let payload = Payload::from_bytes(&result.payload)?;
        self.check_vouched(result, view.now)?;
        self.check_current(result, view.enclave)?;
        check_binding(&payload, view)?;
        same("a public input", result.inputs == view.inputs)?;
        check_statement(&payload.statement, &result.header, view)?;
        check_request(result, shown, view)?;
        self.check_plan(&payload.statement, result, shown, view)?;
        let report = Report::new(origin, view.inputs.block_time, payload)?;
        if let Some(record) = &self.record {
            record.keep(&report, context, view.inputs.block)?;
        }
        let signature = self.signer.sign(&report, context);
        Ok((report, signature))
    }

    /// The signature of a report that the record has: all of it was judged when it was recorded, and it says nothing new.
    #[must_use]
    pub fn sign_again(&self, report: &Report, context: &ReportContext) -> Option<Signature65> {
        let signed = self.record.as_ref().is_some_and(|record| record.has(report, context));
        signed.then(|| self.signer.sign(report, context))
    }

    /// Whether an enclave made this result, for the request that is shown and on the header that is shown: all that a result
    /// says by itself. A signature takes more, [`Self::sign`].
    ///
    /// # Errors
    /// [`SignerRefusal`].
    pub fn vouched(&self, result: &AttestedResult, shown: Shown<'_>, now: u64) -> Result<(), SignerRefusal> {
        Payload::from_bytes(&result.payload)?;
        self.check_vouched(result, now)?;
        if shown.request.digest() != result.request {
            return Err(SignerRefusal::OtherRequest);
        }
        same("the table header", shown.request.table_header == shown.header.map(Header::hash))
    }

    /// Plans again what was opened. A payout is not planned: it counts only beside the accepted round that debited it.
    fn check_plan(
        &self,
        statement: &Statement,
        result: &AttestedResult,
        shown: Shown<'_>,
        view: &SignerView,
    ) -> Result<(), SignerRefusal> {
        let (log, settles) = match statement {
            Statement::Round(round) => (view.log.clone(), round.request_id),
            Statement::Solvency(_) => (Log::default(), [0; 32]),
            Statement::Payout(_) | Statement::Enclave(_) => return Ok(()),
        };
        let request = log.collateral.as_ref().map_or([0; 32], |request| request.submission.id);
        same("the collateral request", request == settles)?;
        let time = view.inputs.block_time;
        let plan = RoundPlan::new(&self.config, &self.key, shown.header, log, time)?;
        same_ciphertexts(plan.digests(), &shown.request.ciphertexts)?;
        let expected = if let Statement::Round(_) = statement { plan.log_digest() } else { [0; 32] };
        let found = result.log;
        if expected == found { Ok(()) } else { Err(SignerRefusal::OtherLog { expected, found }) }
    }
}

/// The request is the attested one, of the block at which this signer reads, on the table that is current there.
fn check_request(result: &AttestedResult, shown: Shown<'_>, view: &SignerView) -> Result<(), SignerRefusal> {
    let request = shown.request;
    if request.digest() != result.request {
        return Err(SignerRefusal::OtherRequest);
    }
    let header = (view.header.1 != 0).then_some(view.header.0);
    same("the block of the request", request.block_hash == view.block_hash)?;
    same("the table header", request.table_header == header && shown.header.map(Header::hash) == header)
}

fn same_ciphertexts(expected: &[[u8; 32]], found: &[[u8; 32]]) -> Result<(), SignerRefusal> {
    if expected == found {
        return Ok(());
    }
    if let Some((index, digest)) = first_missing(expected, found) {
        return Err(SignerRefusal::LeftOut { index, digest });
    }
    if let Some((index, digest)) = first_missing(found, expected) {
        return Err(SignerRefusal::Added { index, digest });
    }
    let index = expected.iter().zip(found).position(|(expected, found)| expected != found);
    Err(SignerRefusal::Moved { index: index.unwrap_or(expected.len().min(found.len())) })
}

/// The first of some digests that is not among others.
fn first_missing(digests: &[[u8; 32]], others: &[[u8; 32]]) -> Option<(usize, [u8; 32])> {
    let others: HashSet<&[u8; 32]> = others.iter().collect();
    digests.iter().copied().enumerate().find(|(_, digest)| !others.contains(digest))
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
            // a version of its own reads no orders and no prices: the block up to which orders were read stays
            let (block, observations) = match &view.log.upkeep {
                Some(upkeep) => (upkeep.read, &[][..]),
                None => (view.inputs.block, view.observations.as_slice()),
            };
            same("the price block", round.price_block == block)?;
            same("the price source", round.source == view.price_source)?;
            same("the price", round.price_digest == price_digest(observations)?)
        }
        // paid only by the version that debited it, and only once the chain has that version and no other
        Statement::Payout(payout) => same("the table header", (*header, payout.version) == view.latest),
        Statement::Enclave(_) => Err(SignerRefusal::Differs { what: "the kind of report" }),
    }
}

fn same(what: &'static str, holds: bool) -> Result<(), SignerRefusal> {
    if holds { Ok(()) } else { Err(SignerRefusal::Differs { what }) }
}
