//! A finished session, computed anew from its board by somebody who took no part.

use super::{board::Board, sentence};
use crate::error::Error;
use ccc_core::keys::{
    Session,
    board::Round,
    rounds::{Audited, Culprit, Fault, Role, audit},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

const ROUNDS: [Round; 4] = [Round::Commit, Round::Open, Round::Complain, Round::Confirm];

/// What a board gives, and which of its files count for nothing.
///
/// # Errors
/// [`Error::OtherTranscript`] where enough members confirm another result than the one that the board gives: it lacks a
/// message, or holds one that came after its round, and it names who said two things in one; [`Error::NotVerified`] where it gives none; and those of reading.
pub(crate) fn audit_board(directory: &Path, session: &Session) -> Result<(Audited, Vec<String>), Error> {
    std::fs::metadata(directory).map_err(|source| Error::Read { path: directory.into(), source })?;
    let mut board = Board::read(directory, session)?;
    let rounds = ROUNDS.map(|round| board.envelopes(round));
    match audit(session, rounds.each_ref().map(Vec::as_slice)) {
        Ok(mut audited) => {
            // whoever wrote a certificate may have left confirmations out
            let blamed =
                |c: &Culprit| board.certificate.is_none() || (c.role, &c.fault) != (Role::Receiver, &Fault::Silent);
            audited.culprits.retain(blamed);
            Ok((audited, std::mem::take(&mut board.notes)))
        }
        Err(error) => Err(match confirmed(&board, session) {
            Some((transcript, members)) => {
                Error::OtherTranscript { path: directory.into(), members, transcript, twice: board.twice() }
            }
            None => Error::NotVerified { path: directory.into(), reason: sentence(&error) },
        }),
    }
}

/// The transcript that enough members confirm, whatever the board gives, and how many they are.
fn confirmed(board: &Board, session: &Session) -> Option<(String, usize)> {
    let mut members: BTreeMap<Vec<u8>, BTreeSet<u16>> = BTreeMap::new();
    for envelope in board.envelopes(Round::Confirm) {
        if let Ok([_, transcript @ ..]) = envelope.verify_roster(session.roster()) {
            members.entry(transcript.to_vec()).or_default().insert(envelope.identifier().get());
        }
    }
    let threshold = session.roster().threshold();
    let need = usize::from(threshold.n() - threshold.max_faulty());
    let enough = members.into_iter().find(|(_, members)| members.len() >= need);
    enough.map(|(transcript, members)| (hex::encode(transcript), members.len()))
}
