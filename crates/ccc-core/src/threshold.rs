//! The threshold rule: how many may be stolen, how many may be silent.
//!
//! *Source*: `docs/spec/encryption.md`, section *Threshold rule*. F = ⌊(n−1)/3⌋ participants may be faulty
//! without stopping the service; any t−1 may be stolen without losing the secret.

use crate::identifier::MAX_PARTICIPANTS;

/// A threshold t of n that satisfies the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Threshold {
    t: u16,
    n: u16,
}

/// A pair (t, n) outside the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ThresholdError {
    /// n is zero or above the maximum.
    #[error("{n} participants, where 1 to {MAX_PARTICIPANTS} are possible")]
    Participants {
        /// The number asked for.
        n: u16,
    },
    /// t is outside the range that the rule gives for n.
    #[error("threshold {t} of {n}, where {least} to {most} are safe")]
    Threshold {
        /// The threshold asked for.
        t: u16,
        /// The number of participants.
        n: u16,
        /// The least safe threshold.
        least: u16,
        /// The greatest live threshold.
        most: u16,
    },
    /// Fewer than four participants, where production asks for fault tolerance.
    #[error("{n} participants tolerate no fault; production needs at least 4")]
    NotFaultTolerant {
        /// The number of participants.
        n: u16,
    },
}

impl Threshold {
    /// t of n within the rule: n = 1 ⇒ t = 1; n = 2, 3 ⇒ t = 2; n ≥ 4 ⇒ F < t ≤ n−F.
    ///
    /// # Errors
    /// [`ThresholdError`].
    pub fn new(t: u16, n: u16) -> Result<Self, ThresholdError> {
        let (least, most) = Self::range(n)?;
        if t < least || t > most {
            return Err(ThresholdError::Threshold { t, n, least, most });
        }
        Ok(Self { t, n })
    }

    /// The default for n: t = n−F, the greatest live threshold.
    ///
    /// # Errors
    /// [`ThresholdError::Participants`].
    pub fn default_for(n: u16) -> Result<Self, ThresholdError> {
        let (_, t) = Self::range(n)?;
        Ok(Self { t, n })
    }

    /// 1 ≤ t ≤ n without the rule: a committee that loses its secret or its service to few faults.
    ///
    /// # Errors
    /// [`ThresholdError`] outside 1 ≤ t ≤ n.
    pub fn unsafe_without_fault_bound(t: u16, n: u16) -> Result<Self, ThresholdError> {
        Self::range(n)?;
        if t == 0 || t > n {
            return Err(ThresholdError::Threshold { t, n, least: 1, most: n });
        }
        Ok(Self { t, n })
    }

    /// Refuses committees that production must not run.
    ///
    /// # Errors
    /// [`ThresholdError::NotFaultTolerant`] for n < 4.
    pub fn require_fault_tolerance(self) -> Result<Self, ThresholdError> {
        if self.n < 4 { Err(ThresholdError::NotFaultTolerant { n: self.n }) } else { Ok(self) }
    }

    /// t, the number of shares that open.
    #[must_use]
    pub fn t(self) -> u16 {
        self.t
    }

    /// n, the number of participants.
    #[must_use]
    pub fn n(self) -> u16 {
        self.n
    }

    /// F = ⌊(n−1)/3⌋, the faulty participants that the service survives.
    #[must_use]
    pub fn max_faulty(self) -> u16 {
        (self.n - 1) / 3
    }

    /// Whether table keys may be wrapped under it: t ≥ 2F+1, else F traitors and t − F ≤ F stale nodes reopen an old table.
    #[must_use]
    pub fn protects_tables(self) -> bool {
        self.t > 2 * self.max_faulty()
    }

    fn range(n: u16) -> Result<(u16, u16), ThresholdError> {
        match n {
            0 => Err(ThresholdError::Participants { n }),
            1 => Ok((1, 1)),
            2 | 3 => Ok((2, 2)),
            n if n > MAX_PARTICIPANTS => Err(ThresholdError::Participants { n }),
            n => {
                let f = (n - 1) / 3;
                Ok((f + 1, n - f))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_two_thirds() {
        for (n, t) in [(1, 1), (2, 2), (3, 2), (4, 3), (16, 11), (100, 67)] {
            assert_eq!(Threshold::default_for(n).map(Threshold::t), Ok(t));
        }
    }

    #[test]
    fn thresholds_outside_the_rule_are_refused() {
        assert_eq!(Threshold::new(0, 16), Err(ThresholdError::Threshold { t: 0, n: 16, least: 6, most: 11 }));
        assert_eq!(Threshold::new(5, 16), Err(ThresholdError::Threshold { t: 5, n: 16, least: 6, most: 11 }));
        assert_eq!(Threshold::new(12, 16), Err(ThresholdError::Threshold { t: 12, n: 16, least: 6, most: 11 }));
        assert_eq!(Threshold::new(17, 16), Err(ThresholdError::Threshold { t: 17, n: 16, least: 6, most: 11 }));
        assert_eq!(Threshold::new(1, 0), Err(ThresholdError::Participants { n: 0 }));
        assert_eq!(Threshold::new(700, 1025), Err(ThresholdError::Participants { n: 1025 }));
    }

    #[test]
    fn tables_need_more_than_twice_the_faults() {
        assert!(Threshold::new(11, 16).is_ok_and(Threshold::protects_tables));
        assert!(Threshold::new(6, 16).is_ok_and(|t| !t.protects_tables()));
    }
}
