//! A repair as anybody can check it: the request, and what the helpers put on the board.

use super::{Established, same};
use crate::{
    artifact::Artifact,
    error::{Error, OF_BOARD},
    rounds::repair::{RepairBoard, Stage},
};
use ccc_core::{
    encoding::Kind,
    envelope::Envelope,
    keys::{
        Committee,
        repair::{RepairSession, judge},
    },
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Whether an envelope is of the protocol of repairs.
pub(super) fn concerns(envelope: &Envelope) -> bool {
    matches!(envelope.kind(), Kind::RepairRequest | Kind::RepairPacket | Kind::RepairComplaint)
}

/// A request, or a message of the repair whose request was given beside it.
pub(super) fn check(envelope: &Envelope, artifacts: &[(PathBuf, Artifact)], committee: &Committee) -> Established {
    if envelope.kind() == Kind::RepairRequest {
        let session = requested(envelope, committee)?;
        let (lost, helpers) = (session.lost(), numbers(&session).join(", "));
        return Ok(format!("participant {lost} asks participants {helpers} for its share"));
    }
    envelope.verify(committee).map_err(|error| error.to_string())?;
    let sender = envelope.identifier();
    let Some(request) = request(artifacts) else {
        return Ok(format!("signed by participant {sender}; name the request to check that it is of this repair"));
    };
    same("the repair", requested(request, committee)?.id() == envelope.topic())?;
    Ok(format!("signed by participant {sender} for this repair"))
}

/// What everybody can see of a whole repair: nothing wrong, or who is at fault.
///
/// # Errors
/// [`Error::Missing`] without a request; [`Error::NotVerified`] with everybody at fault; and those of reading.
pub(super) fn whole(
    directory: &Path,
    artifacts: &[(PathBuf, Artifact)],
    committee: &Committee,
) -> Result<(String, Value, Vec<String>), Error> {
    let missing = || Error::Missing { path: directory.into(), what: OF_BOARD };
    let refused = |reason: String| Error::NotVerified { path: directory.into(), reason };
    let session = requested(request(artifacts).ok_or_else(missing)?, committee).map_err(refused)?;
    std::fs::metadata(directory).map_err(|source| Error::Read { path: directory.into(), source })?;
    let board = RepairBoard::read(directory, &session)?;
    let rounds = [Stage::Split, Stage::Sum, Stage::Complaints].map(|stage| board.envelopes(stage));
    judge(&session, rounds.each_ref().map(Vec::as_slice)).map_err(|error| refused(error.to_string()))?;
    let (lost, helpers) = (session.lost(), numbers(&session));
    let line = format!(
        "{}: the sums of participants {} add up to the share of participant {lost}; what is sealed, its receiver alone can open",
        directory.display(),
        helpers.join(", ")
    );
    let helpers: Vec<_> = session.helpers().iter().map(|i| i.get()).collect();
    let object = json!({
        "board": directory, "session": hex::encode(session.id()), "participant": lost.get(), "helpers": helpers,
    });
    Ok((line, object, board.notes))
}

fn request(artifacts: &[(PathBuf, Artifact)]) -> Option<&Envelope> {
    artifacts.iter().find_map(|(_, artifact)| match artifact {
        Artifact::Envelope(envelope) if envelope.kind() == Kind::RepairRequest => Some(envelope),
        _ => None,
    })
}

fn requested(request: &Envelope, committee: &Committee) -> Result<RepairSession, String> {
    RepairSession::requested(committee.clone(), request).map_err(|error| error.to_string())
}

fn numbers(session: &RepairSession) -> Vec<String> {
    session.helpers().iter().map(|i| i.get().to_string()).collect()
}
