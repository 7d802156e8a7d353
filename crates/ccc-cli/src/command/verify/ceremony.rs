//! A key generation, a refresh or a reshare as anybody can check it, and the files that belong to it.

use super::{Established, same};
use crate::{
    artifact::Artifact,
    cli::VerifyArgs,
    error::Error,
    pool::read_committee,
    rounds::{audit::audit_board, culprit_lines, elsewhere, named, session::SessionFile},
};
use ccc_core::{
    encoding::Kind,
    envelope::Envelope,
    identifier::Identifier,
    keys::{
        Committee, Session,
        reshare::Certificate,
        rounds::{Audited, Posted},
    },
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A session, and what its board gives if that was named.
pub(super) struct Ceremony {
    session: Session,
    board: Option<(PathBuf, Audited)>,
    /// Files of the board that count for nothing, and why.
    pub(super) notes: Vec<String>,
}

impl Ceremony {
    /// Reads the session, and computes anew what came of it.
    ///
    /// # Errors
    /// As [`SessionFile::session`] and [`audit_board`].
    pub(super) fn read(arguments: &VerifyArgs) -> Result<Option<Self>, Error> {
        let Some(path) = &arguments.session else { return Ok(None) };
        let old = arguments.committee.as_deref().map(read_committee).transpose()?;
        let session = SessionFile::read(path)?.session(path, old)?;
        let Some(board) = &arguments.board else { return Ok(Some(Self { session, board: None, notes: Vec::new() })) };
        let (audited, notes) = audit_board(board, &session)?;
        Ok(Some(Self { session, board: Some((board.clone(), audited)), notes }))
    }

    /// The committee that came of it, if the board was named.
    pub(super) fn committee(&self) -> Option<&Committee> {
        self.board.as_ref().map(|(_, audited)| &audited.committee)
    }

    /// What the session and its board say, for a person.
    pub(super) fn lines(&self) -> Vec<String> {
        let (protocol, id) = (self.session.protocol(), hex::encode(self.session.id()));
        let threshold = self.session.roster().threshold();
        let mut lines =
            vec![format!("session {id}: a {protocol}, {} members, any {} open", threshold.n(), threshold.t())];
        if let Some((path, audited)) = &self.board {
            let (have, n) = (audited.confirmed.len(), threshold.n());
            let transcript = hex::encode(audited.transcript);
            lines.push(format!("{}: {have} of {n} members confirm transcript {transcript}", path.display()));
            lines.push(format!("dealers that count: {}", list(&audited.dealers)));
            lines.extend(culprit_lines(&audited.culprits));
        }
        lines
    }

    /// The same for a program.
    pub(super) fn object(&self) -> Value {
        let mut object = json!({
            "session": hex::encode(self.session.id()),
            "protocol": self.session.protocol().to_string(),
            "participants": self.session.roster().threshold().n(),
            "threshold": self.session.roster().threshold().t(),
        });
        if let Some((path, audited)) = &self.board {
            let numbers = |all: &[Identifier]| all.iter().map(|i| i.get()).collect::<Vec<_>>();
            object["board"] = json!(path);
            object["transcript"] = hex::encode(audited.transcript).into();
            object["dealers"] = numbers(&audited.dealers).into();
            object["confirmed"] = numbers(&audited.confirmed).into();
            object["culprits"] = named(&audited.culprits).into();
            object["other_boards"] = elsewhere(&audited.culprits).into();
            object["committee_digest"] = hex::encode(&audited.committee.digest()[..32]).into();
            object["master_public_key"] = hex::encode(audited.committee.master_public_key().to_bytes()).into();
        }
        object
    }

    /// Whether a file belongs to the session; nothing for kinds of which a session says nothing.
    pub(super) fn check(&self, artifact: &Artifact) -> Option<Established> {
        match artifact {
            Artifact::Envelope(envelope) if matches!(envelope.kind(), Kind::Dealing | Kind::Complaint) => {
                Some(self.message(envelope))
            }
            Artifact::Certificate(certificate) => Some(self.certificate(certificate)),
            Artifact::Committee(committee) => Some(self.result(committee)),
            Artifact::Session(file) => Some(self.same_session(file)),
            _ => None,
        }
    }

    fn message(&self, envelope: &Envelope) -> Established {
        same("the session", envelope.topic() == self.session.id())?;
        let posted = Posted::of(&self.session, envelope);
        let Posted { role, sender, posting, .. } = posted.ok_or("its sender did not sign it, or it is of no round")?;
        Ok(format!("{posting}, signed by {role} {sender} for this session"))
    }

    fn certificate(&self, certificate: &Certificate) -> Established {
        certificate.verify(&self.session).map_err(|error| error.to_string())?;
        let Some((_, audited)) = &self.board else {
            return Ok("enough members confirm it; name the board to compute what they confirm".into());
        };
        same("the transcript", certificate.transcript() == audited.transcript)?;
        Ok("enough members confirm the transcript that the board gives".into())
    }

    fn result(&self, committee: &Committee) -> Established {
        let Some(audited) = self.committee() else {
            same("the roster", committee.roster().digest() == self.session.roster().digest())?;
            return Ok("its members are the session's; name the board to compute its keys".into());
        };
        same("the master public key", committee.master_public_key() == audited.master_public_key())?;
        same("the committee", committee.digest() == audited.digest())?;
        Ok("what the board gives: every key of it was computed anew".into())
    }

    fn same_session(&self, file: &SessionFile) -> Established {
        let id = file.id().map_err(|error| error.to_string())?;
        same("the session", id == self.session.id())?;
        Ok(format!("session {}", hex::encode(id)))
    }
}

/// A session file alone: that it makes a session. Nobody signs it.
///
/// # Errors
/// [`Error::Missing`] where it names a committee that was not given.
pub(super) fn alone(file: &SessionFile, path: &Path, committee: Option<&Committee>) -> Result<Established, Error> {
    let old = match (&file.committee, committee) {
        (None, _) => None,
        (Some(_), Some(old)) => Some(old.clone()),
        (Some(_), None) => return Err(Error::Missing { path: path.into(), what: "the committee that hands over" }),
    };
    Ok(match file.session(path, old) {
        Ok(session) => {
            let (id, protocol) = (hex::encode(session.id()), session.protocol());
            Ok(format!("session {id}, a {protocol}; nobody signs it: compare it with the other members'"))
        }
        Err(Error::Session { reason, .. }) => Err(reason),
        Err(error) => return Err(error),
    })
}

fn list(identifiers: &[Identifier]) -> String {
    identifiers.iter().map(|i| i.get().to_string()).collect::<Vec<_>>().join(", ")
}
