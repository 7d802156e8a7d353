//! Versions of their own: a larger tier, or a new epoch of the key sharing, on an explicit public instruction.
//!
//! How full a table is, is secret, so no public rule can say when it must grow. A round whose deposit finds no row halts
//! with [`RoundError::Deposit`]; then the operator asks for growth, each signer's operator consents by giving its
//! signer the same instruction, and the version that follows takes no operation, no order and no request. On chain it is
//! an idle round. What waits, deposits and orders, is read by the round after it.
//!
//! *Source*: `docs/spec/enclave.md`, section *Upkeep*.

use crate::{
    attempt::OpenedAttempt,
    intake::RoundPlan,
    round::{RoundError, RoundInput, RoundOutput, report},
};
use ccc_core::{
    epoch::Epoch,
    keys::MasterPublicKey,
    table::{Header, OpenTable, Update},
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
pub(crate) fn check_epoch(table: &OpenTable, expected: Epoch) -> Result<(), RoundError> {
    let found = table.header().epoch();
    if found == expected { Ok(()) } else { Err(RoundError::Epoch { expected, found }) }
}

impl OpenedAttempt<'_> {
    /// The version of its own that the plan's instruction asks for.
    pub(crate) fn upkeep(
        &self,
        (plan, upkeep): (&RoundPlan, &Upkeep),
        input: &RoundInput<'_>,
        (header, body): (&Header, &[u8]),
        key: &MasterPublicKey,
        rng: &mut impl CryptoRng,
    ) -> Result<RoundOutput, RoundError> {
        let (table, epoch) = (self.table(plan, header, body)?, self.session.request.epoch);
        let update = match upkeep.duty {
            Duty::Epoch => Update::Epoch(epoch),
            Duty::Growth => {
                check_epoch(&table, epoch)?;
                Update::Growth
            }
        };
        let table = table.apply(&update, key, rng)?.table;
        let result = report(&self.session, plan, input, &table, false)?;
        Ok(RoundOutput { result, payouts: Vec::new(), table, receipts: Vec::new() })
    }
}
