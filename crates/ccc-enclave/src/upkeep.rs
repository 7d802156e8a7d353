//! Versions of their own: a larger tier, a new epoch of the key sharing, or another master key, on an explicit public
//! instruction.
//!
//! How full a table is, is secret, so no public rule can say when it must grow. A round whose deposit finds no row halts
//! with [`RoundError::Deposit`]; then the operator asks for growth, each signer's operator consents by giving its
//! signer the same instruction, and the version that follows takes no operation, no order and no request. On chain it is
//! an idle round. What waits, deposits and orders, is read by the round after it.
//!
//! A rotation is the one thing for which shares of the former master key are taken, and they serve nothing else: opening with
//! them gives a [`FormerAttempt`], whose only method makes that version.
//!
//! *Source*: `docs/spec/enclave.md`, section *Upkeep*.

use crate::{
    attempt::{FormerAttempt, OpenedAttempt},
    intake::RoundPlan,
    round::{Current, RoundError, RoundInput, RoundOutput, StreamedRound, in_memory},
};
use ccc_core::{
    epoch::Epoch,
    table::{ChunkSink, ChunkSource, Header, Outputs, PlaceSink, Update},
};
use rand_core::CryptoRng;

/// What a version of its own is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Duty {
    /// The next tier, four times as large.
    Growth = 1,
    /// The data key wrapped for the committee of the request's epoch.
    Epoch = 2,
    /// The data key wrapped for the configured master public key, on top of a version that is wrapped for the former one; the
    /// request is the former committee's, the epoch of the result the present committee's.
    Rotation = 3,
}

/// The instruction, public like everything else in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upkeep {
    /// What for.
    pub duty: Duty,
    /// Up to which block the rounds before have read standing orders. It stays the price block of the report, so that
    /// the round after finds the same orders new that this version has not read; 0 on top of the first version.
    pub read: u64,
}

impl Upkeep {
    /// *Layout*: duty u8 ‖ read u64.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(self.duty as u8);
        out.extend_from_slice(&self.read.to_be_bytes());
    }
}

/// A round keeps the epoch of its table; a new one takes a version of its own.
pub(crate) fn check_epoch(header: &Header, expected: Epoch) -> Result<(), RoundError> {
    let found = header.epoch();
    if found == expected { Ok(()) } else { Err(RoundError::Epoch { expected, found }) }
}

impl OpenedAttempt<'_> {
    /// The version of its own that the plan's instruction asks for.
    pub(crate) fn upkeep<S: ChunkSource, B: ChunkSink, P: PlaceSink>(
        &self,
        (plan, upkeep): (&RoundPlan, &Upkeep),
        input: &RoundInput<'_>,
        current: Current<'_, S>,
        outputs: Outputs<'_, B, P>,
        rng: &mut impl CryptoRng,
    ) -> Result<StreamedRound, RoundError> {
        let (key, epoch) = (self.table_key(plan, current.header)?, self.session.request.epoch);
        let update = match upkeep.duty {
            Duty::Epoch => Update::Epoch(epoch),
            Duty::Growth => {
                check_epoch(current.header, epoch)?;
                Update::Growth
            }
            Duty::Rotation => return Err(RoundError::OtherCommittee { expected: "former" }),
        };
        let header = current.sealed(&key).apply(&update, &self.master, outputs, rng)?.header;
        self.without_round(plan, input, header)
    }
}

impl FormerAttempt<'_> {
    /// As [`Self::rotate_to`], from memory to memory.
    ///
    /// # Errors
    /// As [`Self::rotate_to`].
    pub fn rotate(
        self,
        plan: &RoundPlan,
        (header, mut body): (&Header, &[u8]),
        input: &RoundInput<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<RoundOutput, RoundError> {
        in_memory(header.tier(), |outputs| {
            self.rotate_to(plan, Current { header, body: &mut body }, input, outputs, rng)
        })
    }

    /// The version that takes the table to the configured master public key. No row, balance or order changes.
    ///
    /// # Errors
    /// [`RoundError`]; [`RoundError::OtherCommittee`] for a plan of anything else. The table keeps its version, and after an
    /// error the sinks hold none.
    pub fn rotate_to<S: ChunkSource, B: ChunkSink, P: PlaceSink>(
        self,
        plan: &RoundPlan,
        current: Current<'_, S>,
        input: &RoundInput<'_>,
        outputs: Outputs<'_, B, P>,
        rng: &mut impl CryptoRng,
    ) -> Result<StreamedRound, RoundError> {
        let Self { opened, rotation } = self;
        opened.check_plan(plan, &input.inputs)?;
        if plan.log.upkeep.map(|upkeep| upkeep.duty) != Some(Duty::Rotation) {
            return Err(RoundError::OtherCommittee { expected: "present" });
        }
        let key = opened.table_key(plan, current.header)?;
        let update = Update::Rotation(rotation);
        let header = current.sealed(&key).apply(&update, &opened.master, outputs, rng)?.header;
        opened.without_round(plan, input, header)
    }
}
