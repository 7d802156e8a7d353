//! Caps, pauses, attempts. Whatever was signed counts, whether or not it arrived.
//!
//! *Units*: millionths of a dollar, seconds.

use crate::{
    plan::{Action, Item},
    policy::{DOLLAR, Policy},
    state::State,
};

const DAY: u64 = 86_400;
/// Transactions of one attempt at most: an approval of nothing, the approval, the action.
const CALLS: u32 = 3;

/// Why an action is not taken, or not yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Limit {
    /// More than one action may move.
    #[error("the action moves {found} millionths of a dollar, one action may move {most}")]
    PerAction {
        /// The cap.
        most: u64,
        /// The action's.
        found: u64,
    },
    /// More than a day may move.
    #[error("{spent} millionths of a dollar were moved within 24 hours; with {found} more it would be above {most}")]
    PerDay {
        /// The cap.
        most: u64,
        /// Moved already.
        spent: u64,
        /// The action's.
        found: u64,
    },
    /// Too soon after the last one.
    #[error("the pause after the last action ends at {until}")]
    Cooldown {
        /// Unix seconds.
        until: u64,
    },
    /// Tried often enough.
    #[error("it was tried {most} times, the most allowed")]
    Attempts {
        /// The bound.
        most: u32,
    },
    /// The dark pool was asked often enough.
    #[error("the dark pool was asked {most} times within 24 hours, the most allowed")]
    Requests {
        /// The bound.
        most: u32,
    },
}

impl Limit {
    /// Whether time alone lifts it.
    #[must_use]
    pub const fn passes(&self) -> bool {
        matches!(self, Self::PerDay { .. } | Self::Cooldown { .. } | Self::Requests { .. })
    }
}

/// Moved within the 24 hours before `now`.
#[must_use]
pub fn spent(state: &State, now: u64) -> u64 {
    let recent = state.principals().filter(|sent| is_recent(sent.time, now));
    recent.fold(0, |sum, sent| sum.saturating_add(sent.intent.value))
}

/// A time ahead of the clock counts: a clock that was put back lifts no limit.
fn is_recent(time: u64, now: u64) -> bool {
    time.saturating_add(DAY) > now
}

/// Whether an action may be taken now.
///
/// # Errors
/// [`Limit`].
pub fn admit(state: &State, policy: &Policy, now: u64, place: (u64, u32), item: &Item) -> Result<(), Limit> {
    let limits = &policy.limits;
    let (sequence, index) = place;
    let (most, found) = (limits.per_action.saturating_mul(DOLLAR), item.value);
    if found > most {
        return Err(Limit::PerAction { most, found });
    }
    if state.tries(sequence, index).count() >= usize::try_from(limits.attempts).unwrap_or(usize::MAX) {
        return Err(Limit::Attempts { most: limits.attempts });
    }
    // an approval that a token does not keep would be sent again for ever
    let all = state.sent.iter().filter(|sent| (sent.intent.sequence, sent.intent.index) == place).count();
    if all >= usize::try_from(limits.attempts.saturating_mul(CALLS)).unwrap_or(usize::MAX) {
        return Err(Limit::Attempts { most: limits.attempts });
    }
    let (most, spent) = (limits.per_day.saturating_mul(DOLLAR), spent(state, now));
    if spent.saturating_add(found) > most {
        return Err(Limit::PerDay { most, spent, found });
    }
    check_requests(state, policy, now, item)?;
    // a request can be taken back for a short time only, and its cancellation moves nothing
    if matches!(item.action, Action::Cancel { .. }) {
        return Ok(());
    }
    check_pause(state, limits.cooldown, now, place)
}

fn check_requests(state: &State, policy: &Policy, now: u64, item: &Item) -> Result<(), Limit> {
    if !matches!(item.action, Action::Request { .. }) {
        return Ok(());
    }
    let most = policy.limits.requests_per_day;
    let asked = state.principals().filter(|sent| sent.intent.request.is_some() && is_recent(sent.time, now));
    if asked.count() >= usize::try_from(most).unwrap_or(usize::MAX) { Err(Limit::Requests { most }) } else { Ok(()) }
}

/// The actions of one plan follow each other at once; another event, or another attempt, waits.
fn check_pause(state: &State, cooldown: u64, now: u64, place: (u64, u32)) -> Result<(), Limit> {
    let Some(last) = state.principals().last() else { return Ok(()) };
    let (sequence, index) = place;
    let same_plan = last.intent.sequence == sequence && last.intent.index != index;
    let until = last.time.saturating_add(cooldown);
    if same_plan || now >= until { Ok(()) } else { Err(Limit::Cooldown { until }) }
}
