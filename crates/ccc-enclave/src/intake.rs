//! Which ciphertexts a round opens, decided from public data alone.
//!
//! Host, enclave and report signers build the same [`RoundPlan`] from the chain's log; the host asks the vault for
//! exactly these ciphertexts, the enclave accepts exactly these, and a signer signs for exactly these. A ciphertext
//! that does not parse, does not verify or carries another label than its event is left out, so a stranger's bytes
//! cannot stop a round.

use crate::{
    config::EnclaveConfig,
    upkeep::{Duty, Upkeep},
};
use ccc_core::{
    ciphertext::{Ciphertext, CiphertextError, Label, LabelKind, VerifiedCiphertext},
    keys::MasterPublicKey,
    report::{Accumulator, OperationKind, ReportError, keccak256},
    suite,
    table::Header,
};
use std::collections::HashSet;

/// The pool that a submission is for: all of a configuration that its identifier and its label bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolId {
    /// Chain identifier.
    pub chain: u64,
    /// The `CREDarkPool` contract.
    pub contract: [u8; 20],
}

impl From<&EnclaveConfig> for PoolId {
    fn from(config: &EnclaveConfig) -> Self {
        Self { chain: config.chain, contract: config.pool }
    }
}

/// One submission as the chain logged it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// The identifier that the contract derived.
    pub id: [u8; 32],
    /// Who called the contract.
    pub who: [u8; 20],
    /// The bytes submitted.
    pub ciphertext: Vec<u8>,
}

/// One deposit or withdrawal request, in the chain's order.
///
/// *Units*: `amount` in base units; asset and amount are zero for a withdrawal request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundaryEvent {
    /// Deposit or withdrawal request.
    pub kind: OperationKind,
    /// Index of the asset.
    pub asset: u32,
    /// What came in.
    pub amount: u128,
    /// Who, under which identifier, with which ciphertext.
    pub submission: Submission,
}

/// The request that a round settles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollateralRequest {
    /// When it is cleared, Unix seconds.
    pub deadline: u64,
    /// Who, under which identifier, with which ciphertext.
    pub submission: Submission,
}

/// What the chain says before a round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// The accumulator that the current table has consumed.
    pub consumed: Accumulator,
    /// The operations since.
    pub boundary: Vec<BoundaryEvent>,
    /// Standing orders, transfers and the operator's instructions submitted since the last round, which look alike:
    /// reservations are made and the others carried out now, once. One under an identifier that came before is left out.
    /// Those after a request that waits are not among them: whoever makes the log sees to it (`docs/spec/enclave.md`,
    /// *Intake plan*). Beside a request there are none.
    pub new_orders: Vec<Submission>,
    /// Those submitted before: standing orders whose reservations stand, and what was carried out and has not expired.
    pub live_orders: Vec<Submission>,
    /// The request to settle, if any.
    pub collateral: Option<CollateralRequest>,
    /// The instruction for a version of its own, in place of everything but `consumed`.
    pub upkeep: Option<Upkeep>,
}

impl Submission {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.id);
        out.extend_from_slice(&self.who);
        out.extend_from_slice(&keccak256(&[&self.ciphertext]));
    }
}

impl BoundaryEvent {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.kind as u8);
        out.extend_from_slice(&self.asset.to_be_bytes());
        out.extend_from_slice(&self.amount.to_be_bytes());
        self.submission.write(out);
    }
}

impl Log {
    /// What a result says of the log that its round was planned from, at time `now`.
    ///
    /// *Layout*: digest32 H("digest"; now u64 ‖ consumed u64 ‖ accumulator 32 ‖ b u64 ‖ b × operation ‖ l u64 ‖
    /// l × live order ‖ n u64 ‖ n × new order ‖ request). An order is id 32 ‖ submitter 20 ‖ keccak256 of its
    /// ciphertext 32; an operation is kind u8 ‖ asset u32 ‖ amount u128 and the same; the request is deadline u64 and
    /// the same, or nothing. The log of a version of its own ends with duty u8 ‖ read u64, which no request is as short as.
    /// *Security*: the vault's request names the ciphertexts of a round, not what each is taken for. Two logs of one
    /// digest are one log.
    #[must_use]
    pub fn digest(&self, now: u64) -> [u8; 32] {
        let mut out = Vec::with_capacity(96 + 105 * (self.boundary.len() + self.live_orders.len()));
        out.extend_from_slice(&now.to_be_bytes());
        out.extend_from_slice(&self.consumed.count().to_be_bytes());
        out.extend_from_slice(&self.consumed.value());
        write_all(&mut out, &self.boundary, BoundaryEvent::write);
        write_all(&mut out, &self.live_orders, Submission::write);
        write_all(&mut out, &self.new_orders, Submission::write);
        if let Some(request) = &self.collateral {
            out.extend_from_slice(&request.deadline.to_be_bytes());
            request.submission.write(&mut out);
        }
        if let Some(upkeep) = &self.upkeep {
            upkeep.write(&mut out);
        }
        suite::digest(&out)
    }
}

fn write_all<T>(out: &mut Vec<u8>, items: &[T], write: impl Fn(&T, &mut Vec<u8>)) {
    out.extend_from_slice(&(items.len() as u64).to_be_bytes());
    items.iter().for_each(|item| write(item, out));
}

/// A log that no round can be planned from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The table's own wrapped key does not verify.
    #[error("the table's key does not verify: {0}")]
    TableKey(#[from] CiphertextError),
    /// The collateral request's ciphertext is not the order of that request.
    #[error("the request's ciphertext is not an order for this pool: {reason}")]
    Order {
        /// What is wrong.
        reason: &'static str,
    },
    /// The first version of a table takes no operations and settles nothing.
    #[error("the first version of a table is made before anything else happens")]
    Genesis,
    /// A version of its own takes no operations, orders or requests.
    #[error("a version of its own is asked for beside operations, orders or a request")]
    Upkeep,
    /// A rotation where the configuration knows of no master public key before the present one.
    #[error("a rotation is asked for, and the configuration names no former master public key")]
    NoFormerKey,
    /// A request is settled when everything that it is cleared against has been read, and its round reads nothing.
    #[error("{found} new submissions beside a request: a round before it reads them")]
    New {
        /// How many.
        found: usize,
    },
    /// An operation that the accumulator cannot take.
    #[error("operation: {0}")]
    Operation(#[from] ReportError),
    /// A deposit in an asset that the pool does not have.
    #[error("operation {index} is in asset {asset}, which the pool does not have")]
    Asset {
        /// Position in the log.
        index: usize,
        /// The asset.
        asset: u32,
    },
}

/// Position of each opened ciphertext in the request.
pub(crate) struct Positions {
    pub(crate) table_key: Option<usize>,
    pub(crate) boundary: Vec<Option<usize>>,
    pub(crate) new_orders: Vec<Option<usize>>,
    pub(crate) live_orders: Vec<Option<usize>>,
    pub(crate) collateral: Option<usize>,
}

/// The ciphertexts of a round, in the order of the request: table key, boundary operations, live standing orders, new
/// standing orders, the collateral order.
pub struct RoundPlan {
    pub(crate) log: Log,
    pub(crate) positions: Positions,
    pub(crate) labels: Vec<Label>,
    pub(crate) digests: Vec<[u8; 32]>,
    pub(crate) accumulator: Accumulator,
    pub(crate) now: u64,
    ciphertexts: Vec<VerifiedCiphertext>,
}

impl RoundPlan {
    /// Plans a round on top of `header`, or the first version without one, at time `now`.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn new(
        config: &EnclaveConfig,
        key: &MasterPublicKey,
        header: Option<&Header>,
        log: Log,
        now: u64,
    ) -> Result<Self, PlanError> {
        check_alone(header, &log)?;
        let (accumulator, key) = (fold(config, &log)?, holder(config, key, &log)?);
        let mut queue = Queue { config, key: &key, now, slots: config.order_slots, taken: Vec::new() };
        let table_key = header.map(|header| queue.table_key(header)).transpose()?;
        let boundary = log.boundary.iter().map(|event| queue.take(&event.submission)).collect();
        let mut known = HashSet::new();
        let mut take = |order: &Submission| if known.insert(order.id) { queue.take_order(order) } else { None };
        let live_orders = log.live_orders.iter().map(&mut take).collect();
        let new_orders = log.new_orders.iter().map(&mut take).collect();
        let collateral = log.collateral.as_ref().map(|request| queue.take(&request.submission)).map(|position| {
            position.ok_or(PlanError::Order { reason: "it does not parse, verify, or carry the request's label" })
        });
        let collateral = collateral.transpose()?;
        let positions = Positions { table_key, boundary, new_orders, live_orders, collateral };
        let ciphertexts = queue.taken;
        let labels = ciphertexts.iter().map(|ciphertext| ciphertext.label().clone()).collect();
        let digests = ciphertexts.iter().map(VerifiedCiphertext::digest).collect();
        Ok(Self { log, positions, labels, digests, accumulator, now, ciphertexts })
    }

    /// The digests of the ciphertexts, as the request names them.
    #[must_use]
    pub fn digests(&self) -> &[[u8; 32]] {
        &self.digests
    }

    /// The ciphertexts.
    #[must_use]
    pub fn ciphertexts(&self) -> &[VerifiedCiphertext] {
        &self.ciphertexts
    }

    /// The ciphertexts, moved out for opening.
    #[must_use]
    pub fn take_ciphertexts(&mut self) -> Vec<VerifiedCiphertext> {
        std::mem::take(&mut self.ciphertexts)
    }

    /// The digest of the log that the plan was made from: [`Log::digest`] at the plan's time.
    #[must_use]
    pub fn log_digest(&self) -> [u8; 32] {
        self.log.digest(self.now)
    }

    /// The accumulator after the round.
    #[must_use]
    pub fn accumulator(&self) -> &Accumulator {
        &self.accumulator
    }
}

/// What the log may hold beside the first version and beside an instruction.
fn check_alone(header: Option<&Header>, log: &Log) -> Result<(), PlanError> {
    let orders = log.live_orders.len() + log.new_orders.len();
    let empty = log.boundary.is_empty() && orders == 0 && log.collateral.is_none();
    match (header, &log.upkeep) {
        (None, Some(_)) => Err(PlanError::Genesis),
        (None, None) if !empty => Err(PlanError::Genesis),
        (Some(_), Some(_)) if !empty => Err(PlanError::Upkeep),
        (Some(_), None) if log.collateral.is_some() && !log.new_orders.is_empty() => {
            Err(PlanError::New { found: log.new_orders.len() })
        }
        _ => Ok(()),
    }
}

/// The key that opens what the log names: the present one, but for the one version that follows a rotation.
fn holder(config: &EnclaveConfig, key: &MasterPublicKey, log: &Log) -> Result<MasterPublicKey, PlanError> {
    match log.upkeep.map(|upkeep| upkeep.duty) {
        Some(Duty::Rotation) => {
            let keys = config.rotation_keys().ok().flatten();
            keys.map(|[former, _]| former).ok_or(PlanError::NoFormerKey)
        }
        _ => Ok(*key),
    }
}

fn fold(config: &EnclaveConfig, log: &Log) -> Result<Accumulator, PlanError> {
    let mut accumulator = log.consumed;
    for (index, event) in log.boundary.iter().enumerate() {
        let Submission { who, ciphertext, .. } = &event.submission;
        accumulator = match event.kind {
            OperationKind::Deposit => {
                let asset = config.asset(event.asset).map_err(|_| PlanError::Asset { index, asset: event.asset })?;
                accumulator.deposit(*who, asset.token, event.amount, ciphertext)?
            }
            OperationKind::Withdrawal => accumulator.withdrawal(*who, ciphertext)?,
        };
    }
    Ok(accumulator)
}

struct Queue<'a> {
    config: &'a EnclaveConfig,
    key: &'a MasterPublicKey,
    now: u64,
    /// Order slots that are still free.
    slots: u32,
    taken: Vec<VerifiedCiphertext>,
}

impl Queue<'_> {
    fn table_key(&mut self, header: &Header) -> Result<usize, PlanError> {
        Ok(self.push(header.wrapped().clone().verify(self.key)?))
    }

    fn take(&mut self, submission: &Submission) -> Option<usize> {
        let readable = readable(self.config, self.key, submission, self.now)?;
        Some(self.push(readable))
    }

    /// First come, first served: an order that is readable and in time takes a slot, and none is left for the ones
    /// after the last slot. What is not readable takes none, so that bytes alone cannot use them up.
    fn take_order(&mut self, order: &Submission) -> Option<usize> {
        let slots = self.slots.checked_sub(1)?;
        let position = self.take(order)?;
        self.slots = slots;
        Some(position)
    }

    fn push(&mut self, ciphertext: VerifiedCiphertext) -> usize {
        self.taken.push(ciphertext);
        self.taken.len() - 1
    }
}

/// The identifier that the contract derives: keccak256(abi.encode(chain, contract, submitter, salt)).
#[must_use]
pub fn submission_id(pool: impl Into<PoolId>, who: &[u8; 20], salt: &[u8; 32]) -> [u8; 32] {
    let PoolId { chain, contract } = pool.into();
    let mut words = [0; 128];
    words[24..32].copy_from_slice(&chain.to_be_bytes());
    words[44..64].copy_from_slice(&contract);
    words[76..96].copy_from_slice(who);
    words[96..].copy_from_slice(salt);
    keccak256(&[&words])
}

/// The label that a submission must carry.
#[must_use]
pub fn label(pool: impl Into<PoolId>, id: [u8; 32], who: [u8; 20], expiry: u64) -> Label {
    let PoolId { chain, contract } = pool.into();
    Label { kind: LabelKind::Recipient, chain, contract, id, version: 0, requester: who, expiry, context: [0; 32] }
}

/// Whether a round at time `now` would open a submission if a slot is free: it parses, verifies, carries its own label and
/// has not expired.
#[must_use]
pub fn opens(config: &EnclaveConfig, key: &MasterPublicKey, submission: &Submission, now: u64) -> bool {
    readable(config, key, submission, now).is_some()
}

fn readable(
    config: &EnclaveConfig,
    key: &MasterPublicKey,
    submission: &Submission,
    now: u64,
) -> Option<VerifiedCiphertext> {
    let ciphertext = Ciphertext::from_bytes(&submission.ciphertext).ok()?;
    let expiry = ciphertext.label().expiry;
    let expected = label(config, submission.id, submission.who, expiry);
    if *ciphertext.label() != expected || expiry < now {
        return None;
    }
    ciphertext.verify(key).ok()
}
