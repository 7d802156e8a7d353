//! The pool's accumulator over deposits and withdrawal requests.

use super::word::WordWriter;
use super::word::uint_word;
use super::{Address, ReportError, Word, keccak256};

/// Which operation a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OperationKind {
    /// Tokens entered the pool's custody.
    Deposit = 1,
    /// A maker asked for a payout.
    Withdrawal = 2,
}

/// One operation as the accumulator sees it.
///
/// *Layout*: with the value before it, abi.encode(acc, kind, index, who, token, amount,
/// ciphertext hash).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Deposit or withdrawal request.
    pub kind: OperationKind,
    /// Counted from zero over both kinds.
    pub index: u64,
    /// Who called the pool.
    pub who: Address,
    /// The token; zero for a withdrawal request.
    pub token: Address,
    /// A uint256, big-endian; zero for a withdrawal request.
    pub amount: Word,
    /// keccak256 of the ciphertext.
    pub ciphertext_hash: Word,
}

/// The accumulator's value after a number of operations.
///
/// An enclave folds the operations that its host hands it and compares with the value on the
/// chain: an invented, omitted, reordered or repeated operation gives another value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accumulator {
    value: Word,
    count: u64,
}

impl Accumulator {
    /// The value after `count` operations, as read from the pool's history.
    #[must_use]
    pub const fn resume(value: Word, count: u64) -> Self {
        Self { value, count }
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> Word {
        self.value
    }

    /// The number of operations in it.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The value after a deposit of `amount` in the token's smallest unit.
    ///
    /// # Errors
    /// [`ReportError::IndexExhausted`] at the end of the counter.
    pub fn deposit(&self, who: Address, token: Address, amount: u128, ciphertext: &[u8]) -> Result<Self, ReportError> {
        let ciphertext_hash = keccak256(&[ciphertext]);
        let (kind, amount) = (OperationKind::Deposit, uint_word(amount));
        self.step(&Step { kind, index: self.count, who, token, amount, ciphertext_hash })
    }

    /// The value after a withdrawal request.
    ///
    /// # Errors
    /// [`ReportError::IndexExhausted`] at the end of the counter.
    pub fn withdrawal(&self, who: Address, ciphertext: &[u8]) -> Result<Self, ReportError> {
        let ciphertext_hash = keccak256(&[ciphertext]);
        let (kind, token, amount) = (OperationKind::Withdrawal, [0; 20], [0; 32]);
        self.step(&Step { kind, index: self.count, who, token, amount, ciphertext_hash })
    }

    /// The value after `step`.
    ///
    /// # Errors
    /// An index that is not the next one, or the end of the counter.
    pub fn step(&self, step: &Step) -> Result<Self, ReportError> {
        super::error::require_number("operation index", self.count, step.index)?;
        let count = self.count.checked_add(1).ok_or(ReportError::IndexExhausted { found: self.count })?;
        let words = WordWriter::default()
            .word(&self.value)
            .uint(u128::from(step.kind as u8))
            .uint(step.index.into())
            .address(&step.who)
            .address(&step.token)
            .word(&step.amount)
            .word(&step.ciphertext_hash);
        Ok(Self { value: keccak256(&[&words.finish()]), count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_or_skipped_operation_is_refused_by_its_index() {
        let first = Accumulator::default().withdrawal([1; 20], b"w").unwrap();
        let repeated = Step {
            kind: OperationKind::Withdrawal,
            index: 0,
            who: [1; 20],
            token: [0; 20],
            amount: [0; 32],
            ciphertext_hash: keccak256(&[b"w"]),
        };
        assert!(matches!(first.step(&repeated), Err(ReportError::Mismatch { field: "operation index", .. })));
    }

    #[test]
    fn every_field_changes_the_value() {
        let start = Accumulator::default();
        let base = start.deposit([1; 20], [2; 20], 3, b"c").unwrap();
        let others = [
            start.deposit([9; 20], [2; 20], 3, b"c").unwrap(),
            start.deposit([1; 20], [9; 20], 3, b"c").unwrap(),
            start.deposit([1; 20], [2; 20], 9, b"c").unwrap(),
            start.deposit([1; 20], [2; 20], 3, b"d").unwrap(),
            start.withdrawal([1; 20], b"c").unwrap(),
            Accumulator::resume([7; 32], 0).deposit([1; 20], [2; 20], 3, b"c").unwrap(),
        ];
        assert!(others.iter().all(|other| other.value() != base.value()));
    }

    #[test]
    fn the_counter_ends_with_an_error() {
        let end = Accumulator::resume([0; 32], u64::MAX);
        assert_eq!(end.withdrawal([1; 20], b"w"), Err(ReportError::IndexExhausted { found: u64::MAX }));
    }
}
