//! Whose turn it is: at every multiple of the cadence one signer's, by its place in the set, and after each takeover time
//! the next one's. No one has to agree with anybody: a turn that two take is one report, which arrives once.

use std::time::Duration;

/// One signer's place among all of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    pub(super) index: u64,
    pub(super) signers: u64,
    pub(super) cadence: Duration,
    pub(super) takeover: Duration,
}

/// When something is to be done, in time since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// When everybody looks at what the chain has.
    pub(super) begins: Duration,
    /// When this signer acts, if the chain has nothing new by then.
    pub(super) acts: Duration,
}

impl Schedule {
    /// The first turn that begins after a time. A signer for which none of the turn would be left has no part in it.
    pub(super) fn next(&self, now: Duration) -> Turn {
        let cadence = self.cadence.as_millis().max(1);
        let mut number = now.as_millis() / cadence + 1;
        loop {
            let begins = Duration::from_millis(u64::try_from(number * cadence).unwrap_or(u64::MAX));
            let first = u64::try_from(number % u128::from(self.signers.max(1))).unwrap_or(0);
            let rank = (self.index + self.signers - first) % self.signers.max(1);
            let wait = self.takeover.saturating_mul(u32::try_from(rank).unwrap_or(u32::MAX));
            if wait < self.cadence || number == u128::MAX {
                return Turn { begins, acts: begins + wait };
            }
            number += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(index: u64) -> Schedule {
        let (cadence, takeover) = (Duration::from_secs(10), Duration::from_secs(3));
        Schedule { index, signers: 4, cadence, takeover }
    }

    #[test]
    fn every_turn_has_one_first_signer_and_the_others_follow() {
        let at = Duration::from_secs;
        for turn in 1..9_u64 {
            let mut waits: Vec<_> =
                (0..4).map(|index| schedule(index).next(at(turn * 10 - 1)).acts.as_secs() - turn * 10).collect();
            assert_eq!(waits[usize::try_from(turn % 4).expect("small")], 0);
            waits.sort_unstable();
            assert_eq!(waits, [0, 3, 6, 9]);
        }
        assert_eq!(schedule(1).next(at(10)).begins, at(20), "a turn that has begun is over");
    }

    #[test]
    fn who_would_act_in_the_next_turn_waits_for_one_of_its_own() {
        let slow = Schedule { takeover: Duration::from_secs(6), ..schedule(3) };
        let turn = slow.next(Duration::from_secs(1));
        assert_eq!((turn.begins, turn.acts), (Duration::from_secs(20), Duration::from_secs(26)));
    }
}
