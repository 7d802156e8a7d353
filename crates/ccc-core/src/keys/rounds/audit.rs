//! A session read by somebody who takes no part in it.
//!
//! The auditor goes through the states of a participant without a role: it reads what the board carried, opens no share
//! and signs nothing. So it comes to the same committee, transcript and culprits as everybody who was there, by the same
//! code, and needs no secret for it.

use super::party::{Faults, Party};
use super::state::{Committed, Me};
use super::{Concluded, Culprit, Role, RoundsError, Run, sealed};
use crate::envelope::Envelope;
use crate::identifier::Identifier;
use crate::keys::committee::Committee;
use crate::keys::session::{Protocol, Session};
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// What a finished session says to anybody who reads its board.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Audited {
    /// The public result.
    pub committee: Committee,
    /// digest32 H("transcript"; …), as enough receivers confirmed it.
    pub transcript: [u8; 32],
    /// The dealers whose dealings count, ascending: all that are qualified in a key generation, the first t of them in a
    /// handover.
    pub dealers: Vec<Identifier>,
    /// The receivers that confirmed the transcript, ascending.
    pub confirmed: Vec<Identifier>,
    /// Who was found at fault on the way: by these rounds, not by the transcript, which says nothing of it.
    pub culprits: Vec<Culprit>,
}

/// Whoever reads and takes no part.
#[derive(Clone, Copy)]
enum Auditor {}

impl sealed::Sealed for Auditor {}

impl Run for Auditor {
    type Outcome = Audited;
}

impl From<Concluded> for Audited {
    fn from(concluded: Concluded) -> Self {
        let Concluded { session, committee, transcript, culprits, confirmations, .. } = concluded;
        let (dealers, confirmed) = (dealers(&session, &culprits), confirmations.iter().map(Envelope::identifier));
        Self { committee, transcript, dealers, confirmed: confirmed.collect(), culprits }
    }
}

/// Computes anew what came of a session: from the session and the four rounds of its board alone.
///
/// The rounds are those of the commitments, the dealings, the complaints and the confirmations, each as the board closed
/// it. Everything that a participant checks is checked, but for the encrypted shares, each of which its receiver alone can
/// open; a share of which nobody complained is held to be right, which is what its receiver signed.
///
/// *Security*: committee, transcript and the dealers that count are certain, since enough receivers signed the transcript.
/// The culprits are not under it: another set of messages that gives the same counted dealings gives the same transcript.
/// A fault that [is proved](super::Fault::is_proved) is so whoever hands over the rounds, a complaint without reason if the
/// accuser saw the same dealing; that somebody was silent or saw another board, and that no other fault was left out, is as
/// certain as it is that these are the rounds as the board closed them.
///
/// *Source*: `docs/spec/keys.md`. *Timing*: variable; nothing here is secret.
///
/// # Errors
/// [`RoundsError::Protocol`] for a session without these rounds; [`RoundsError::TooFewDealers`],
/// [`RoundsError::MasterKey`], [`RoundsError::NotConfirmed`], [`RoundsError::Membership`] as for a participant.
pub fn audit(session: &Session, rounds: [&[Envelope]; 4]) -> Result<Audited, RoundsError> {
    let found = session.protocol();
    let with_these_rounds = match found {
        Protocol::Dkg => session.old().is_none(),
        Protocol::Refresh | Protocol::Reshare => session.old().is_some(),
        Protocol::Dealer | Protocol::Repair => false,
    };
    if !with_these_rounds {
        return Err(RoundsError::Protocol { found });
    }
    let party: Party<'_, Auditor> = Party::without_role(session.clone());
    // nothing is ever drawn from it: an auditor neither deals nor complains
    let seed = Zeroizing::new([0; 64]);
    let [commit, open, complain, confirm] = rounds;
    let reader = Committed::new(Me { party, seed, faults: Faults::default(), outgoing: Vec::new() }, None)?;
    reader.open(commit)?.complain(open)?.finish(complain)?.confirm(confirm)
}

/// Every dealer that is not at fault as one is qualified, since each fault of a dealer removes its dealing.
fn dealers(session: &Session, culprits: &[Culprit]) -> Vec<Identifier> {
    let at_fault = |i: &Identifier| culprits.iter().any(|c| c.role == Role::Dealer && c.identifier == *i);
    let qualified = session.dealers().members().iter().map(|member| member.identifier).filter(|i| !at_fault(i));
    let most = session.old().map_or(usize::MAX, |old| usize::from(old.threshold().t()));
    qualified.take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::board::{Board, MemoryBoard, Round};
    use crate::keys::dkg::{Outcome, run_in_process};
    use crate::keys::rounds::stage::{NONCE, cast, id};
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    /// A key generation of four with its board, as the first of them saw it.
    fn ceremony() -> (Session, [Vec<Envelope>; 4], Outcome) {
        let mut rng = ChaCha20Rng::seed_from_u64(6);
        let (roster, keys) = cast(4, &mut rng);
        let mut board = MemoryBoard::new(NONCE);
        let mut outcomes = run_in_process(&roster, &keys, &mut board, &mut rng).unwrap();
        let rounds = [Round::Commit, Round::Open, Round::Complain, Round::Confirm];
        let rounds = rounds.map(|round| board.close(round).unwrap());
        (Session::new(Protocol::Dkg, None, roster, &NONCE), rounds, outcomes.remove(0).1.unwrap())
    }

    fn read(session: &Session, rounds: &[Vec<Envelope>; 4]) -> Result<Audited, RoundsError> {
        audit(session, rounds.each_ref().map(Vec::as_slice))
    }

    #[test]
    fn n023_an_auditor_sees_what_the_participants_see() {
        let (session, rounds, outcome) = ceremony();
        let audited = read(&session, &rounds).unwrap();
        assert_eq!((&audited.committee, audited.transcript), (&outcome.committee, outcome.transcript));
        assert_eq!(audited.dealers, [1, 2, 3, 4].map(id));
        assert_eq!(audited.confirmed, [1, 2, 3, 4].map(id));
        assert_eq!(audited.culprits, []);
    }

    #[test]
    fn a_board_that_lacks_messages_gives_no_result() {
        let (session, rounds, _) = ceremony();
        let without = |round: usize, left: usize| {
            let mut rounds = rounds.clone();
            rounds[round].truncate(left);
            read(&session, &rounds)
        };
        assert!(matches!(without(0, 2), Err(RoundsError::TooFewDealers { need: 3, have: 2, .. })));
        assert!(matches!(without(1, 2), Err(RoundsError::TooFewDealers { need: 3, have: 2, .. })));
        assert!(matches!(without(3, 2), Err(RoundsError::NotConfirmed { need: 3, have: 2, .. })));
        // a dealing less is another sum, which nobody confirmed
        assert!(matches!(without(1, 3), Err(RoundsError::NotConfirmed { need: 3, have: 0, .. })));
        assert_eq!(without(3, 3).unwrap().confirmed, [1, 2, 3].map(id));
    }

    #[test]
    fn a_session_without_four_rounds_is_not_audited() {
        let (session, rounds, _) = ceremony();
        for found in [Protocol::Dealer, Protocol::Repair, Protocol::Refresh, Protocol::Reshare] {
            let other = Session::new(found, None, session.roster().clone(), &NONCE);
            assert_eq!(read(&other, &rounds), Err(RoundsError::Protocol { found }));
        }
        let other = Session::new(Protocol::Dkg, None, session.roster().clone(), &[1; 32]);
        assert!(matches!(read(&other, &rounds), Err(RoundsError::TooFewDealers { have: 0, .. })));
    }
}
