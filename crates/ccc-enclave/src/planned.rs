//! The boundary operations of a round with what follows from each.

use crate::round::RoundError;
use ccc_core::{
    report::Payout,
    table::{AccountId, AssetId, BoundaryOperation, Delta, ResultCode},
};

/// A boundary operation, the payout that follows if it succeeds, the deposit that it books, and who hears of it.
pub(crate) struct Planned {
    pub(crate) operation: BoundaryOperation,
    pub(crate) payout: Option<Payout>,
    pub(crate) deposit: Option<usize>,
    /// Of a submission that is new in the round.
    pub(crate) submitted: Option<Submitted>,
    /// Of a withdrawal request.
    pub(crate) withdrawn: Option<Withdrawn>,
}

/// A withdrawal request: who signed its instruction, if that is so, its ciphertext, and the asset that it names.
#[derive(Clone, Copy, Default)]
pub(crate) struct Withdrawn {
    pub(crate) signer: Option<[u8; 20]>,
    pub(crate) digest: [u8; 32],
    pub(crate) asset: u32,
}

/// A new submission: who signed it, if that is so, its ciphertext, and the order that it takes back, if it does.
#[derive(Clone, Copy)]
pub(crate) struct Submitted {
    pub(crate) signer: Option<[u8; 20]>,
    pub(crate) digest: [u8; 32],
    pub(crate) cancels: Option<[u8; 32]>,
}

impl Planned {
    /// An instruction that nobody authorised: an operation on nobody's row, which is refused at the cost of any
    /// other, so that the number of operations does not tell.
    pub(crate) fn nothing() -> Self {
        Self::silent(BoundaryOperation::Reserve { account: AccountId::NOBODY, asset: AssetId(0), lots: 0 })
    }

    pub(crate) fn silent(operation: BoundaryOperation) -> Self {
        Self { operation, payout: None, deposit: None, submitted: None, withdrawn: None }
    }

    pub(crate) fn booking(operation: BoundaryOperation, deposit: usize) -> Self {
        Self { deposit: Some(deposit), ..Self::silent(operation) }
    }

    /// A new reservation holds after the fills: boundary operations come before the deltas, so what the account's
    /// order of before sells in this round is added to it here and taken off again by the deltas. Otherwise an
    /// order replaced by a smaller one would make the whole batch fail. If the batch fails for another reason, the
    /// addition stays reserved until the account's next order; it never enlarges the order.
    pub(crate) fn keep_sold(&mut self, deltas: &[Delta]) {
        if let BoundaryOperation::Reserve { account, asset, lots } = &mut self.operation {
            let of_row = |delta: &&Delta| (delta.account == *account) & (delta.asset == *asset);
            let sold: u64 = deltas.iter().filter(of_row).map(|delta| delta.reserved.min(0).unsigned_abs()).sum();
            *lots = lots.saturating_add(sold);
        }
    }
}

/// The operations alone.
pub(crate) fn operations(planned: &[Planned]) -> Vec<BoundaryOperation> {
    planned.iter().map(|planned| planned.operation.clone()).collect()
}

/// A round that could not book a deposit must not consume it.
///
/// *Security*: this ends a round before its second pass. A body that could change between two readings has been compared
/// with the body root by then. One that lies in the enclave's own memory is compared in the second pass alone, but each of its
/// chunks has opened under the data key, which belongs to this version and seals every chunk once: the rows are this
/// version's, and the error says what the round on them would have said, that a deposit finds no room.
pub(crate) fn check_deposits(planned: &[Planned], results: &[Result<(), ResultCode>]) -> Result<(), RoundError> {
    let booked = planned.iter().zip(results).filter_map(|(planned, result)| Some((planned.deposit?, result.err()?)));
    match booked.into_iter().next() {
        Some((index, code)) => Err(RoundError::Deposit { index, code }),
        None => Ok(()),
    }
}
