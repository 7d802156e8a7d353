//! `ccc repair-share`: a lost share from its helpers, step by step, over a directory of messages.

use super::{Context, handover::WAITS};
use crate::{
    artifact::instead,
    cli::{OfRepair, RepairAssistArgs, RepairFinishArgs, RepairRequestArgs, RepairShare},
    error::Error,
    files::{self, Audience, Replace, sealed::Content, secret},
    pool::read_committee,
    rounds::{
        keys,
        repair::{RepairBoard, Stage, kept_in},
        walk::post,
    },
    ui::Answer,
};
use ccc_core::{
    envelope::Envelope,
    identifier::Identifier,
    keys::repair::{Helper, Receiver, RepairCulprit, RepairError, RepairFault, RepairRequest, RepairSession, judge},
};
use serde_json::json;
use std::path::{Path, PathBuf};

const MAX_REQUEST: u64 = 1 << 16;
const UNFOUNDED: &str = "a complaint does not fit the messages that are here: whoever made it runs its command again";

pub(super) fn run(verb: &RepairShare, ctx: &Context<'_>) -> Result<Answer, Error> {
    match verb {
        RepairShare::Request(arguments) => request(arguments, ctx),
        RepairShare::Assist(arguments) => assist(arguments, ctx),
        RepairShare::Finish(arguments) => finish(arguments, ctx),
    }
}

fn request(arguments: &RepairRequestArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let (out, replace) = (&arguments.out, Replace::from_flag(arguments.force));
    if !files::is_stream(out) {
        files::check_target(out, replace)?;
    }
    let committee = read_committee(&arguments.committee)?;
    let keys = keys::read_keys(&arguments.keys, &ctx.passphrases)?;
    let lost = keys::number(committee.roster(), &keys, arguments.number)?;
    let helpers: Result<Vec<_>, _> = arguments.helpers.iter().map(|i| Identifier::new(*i)).collect();
    let mut helpers = helpers.map_err(|source| refused(out, source.into()))?;
    helpers.sort();
    let request = RepairRequest::new(&committee, lost, helpers, &mut ctx.rng()?)?;
    let session = RepairSession::new(committee, request).map_err(|source| refused(out, source))?;
    let envelope = Receiver::new(session.clone(), &keys)?.request();
    let envelope = envelope.map_err(|source| Error::Encoding { path: out.clone(), source })?;
    files::write(out, &envelope.to_bytes(), Audience::Everyone, replace)?;
    if !files::is_stream(out) {
        let id = hex::encode(session.id());
        let line = format!("request of participant {lost}: {}", out.display());
        ctx.ui.result(&[line], &json!({ "session": id, "participant": lost.get(), "request": out }));
    }
    Ok(Answer::Done)
}

fn assist(arguments: &RepairAssistArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let session = session(&arguments.repair)?;
    let (share, keys) = keys::read_share(&arguments.participant, &ctx.passphrases)?;
    let helper = Helper::new(session.clone(), &share, &keys)?;
    let me = share.identifier();
    let mut desk = Desk::read(&session, &arguments.repair, (&arguments.participant, me), ctx)?;
    desk.say(&format!("split-{me}.ccc"), &helper.split()?)?;
    let missing = desk.board.missing(&session, Stage::Split);
    if !missing.is_empty() && !arguments.repair.at.close {
        return desk.waits(Stage::Split, &missing);
    }
    match helper.sum(&desk.board.envelopes(Stage::Split)) {
        Ok(sum) => desk.say(&format!("sum-{me}.ccc"), &sum)?,
        Err(RepairError::Ended { culprits, complaints }) => {
            for (complaint, k) in complaints.iter().zip(1..) {
                desk.say(&format!("complaint-{me}-{k}.ccc"), complaint)?;
            }
            return Err(ended(&session, culprits, complaints, ctx));
        }
        Err(error) => return Err(error.into()),
    }
    desk.tells(format!("participant {me} has done its part"), json!({ "finished": true, "participant": me.get() }));
    Ok(Answer::Done)
}

fn finish(arguments: &RepairFinishArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let (out, replace) = (&arguments.out, Replace::from_flag(arguments.force));
    if files::is_stream(out) {
        return Err(Error::NeedsFile);
    }
    files::check_target(out, replace)?;
    let session = session(&arguments.repair)?;
    let keys = keys::read_keys(&arguments.keys, &ctx.passphrases)?;
    let receiver = Receiver::new(session.clone(), &keys)?;
    let mut desk = Desk::read(&session, &arguments.repair, (&arguments.keys, session.lost()), ctx)?;
    for stage in [Stage::Split, Stage::Sum] {
        let missing = desk.board.missing(&session, stage);
        if !missing.is_empty() && !arguments.repair.at.close {
            return desk.waits(stage, &missing);
        }
    }
    let [first, second] = [Stage::Split, Stage::Sum].map(|stage| desk.board.envelopes(stage));
    let share = match receiver.finish(&first, &second) {
        Err(RepairError::Ended { culprits, complaints }) => {
            for (complaint, k) in complaints.iter().zip(1..) {
                desk.say(&format!("complaint-{}-{k}.ccc", session.lost()), complaint)?;
            }
            return desk.ends(culprits, complaints, arguments.repair.at.close);
        }
        Err(RepairError::OtherBoard { helpers }) if !arguments.repair.at.close => {
            return desk.waits(Stage::Sum, &helpers);
        }
        share => share?,
    };
    let secrets = keys::with_share(&share, &keys);
    secret::save(out, Content::Participant, &secrets, replace, &ctx.passphrases, &mut ctx.rng()?)?;
    let object = json!({ "finished": true, "participant": session.lost().get(), "file": out });
    desk.tells(format!("key share: {}", out.display()), object);
    Ok(Answer::Done)
}

/// Those whom what they signed convicts, whatever else was on the board: not whoever is silent, nor whoever complains about
/// a message that somebody may have replaced since.
fn proved(mut culprits: Vec<RepairCulprit>) -> Vec<RepairCulprit> {
    culprits.retain(|culprit| !matches!(culprit.fault, RepairFault::Silent | RepairFault::FalseComplaint));
    culprits
}

/// The end of a repair with culprits, and whom the next request names.
fn ended(session: &RepairSession, culprits: Vec<RepairCulprit>, complaints: Vec<Envelope>, ctx: &Context<'_>) -> Error {
    let next = ctx.rng().ok().and_then(|mut rng| session.without(&culprits, &mut rng).ok());
    let helpers = next.map_or_else(Vec::new, |request| request.helpers.iter().map(|i| i.get()).collect());
    Error::RepairEnded { source: RepairError::Ended { culprits, complaints }, helpers }
}

fn refused(path: &Path, source: ccc_core::keys::repair::RepairSessionError) -> Error {
    Error::RepairRequest { path: path.into(), source }
}

fn session(OfRepair { committee, request, .. }: &OfRepair) -> Result<RepairSession, Error> {
    let committee = read_committee(committee)?;
    let bytes = files::read(request, MAX_REQUEST)?;
    let envelope = Envelope::from_bytes(&bytes).map_err(|source| Error::Encoding { path: request.into(), source });
    let envelope = envelope.map_err(|error| instead(request, bytes, "a request to repair a share", error))?;
    RepairSession::requested(committee, &envelope).map_err(|source| refused(request, source))
}

/// The board of a repair with what this run wrote to it.
struct Desk<'a> {
    session: &'a RepairSession,
    path: &'a Path,
    board: RepairBoard,
    posted: Vec<PathBuf>,
    ctx: &'a Context<'a>,
}

impl<'a> Desk<'a> {
    /// Reads the board, puts back what it has lost of what this participant has read before, and keeps what is new.
    fn read(
        session: &'a RepairSession,
        repair: &'a OfRepair,
        (own, me): (&Path, Identifier),
        ctx: &'a Context<'a>,
    ) -> Result<Self, Error> {
        let path = &repair.at.board;
        let kept_in = kept_in(repair.seen.as_deref(), own, me, session);
        let [board, mut kept] = RepairBoard::read_beside(path, &kept_in, session)?;
        board.notes.iter().for_each(|note| ctx.ui.note(note));
        for (name, envelope) in kept.lacks(&board) {
            if kept.keep(session, envelope) {
                post(&kept_in, &name, &envelope.to_bytes(), |_| false)?;
            }
        }
        let mut desk = Self { session, path, board, posted: Vec::new(), ctx };
        for (name, envelope) in desk.board.lacks(&kept) {
            desk.say(&name, envelope)?;
        }
        Ok(desk)
    }

    fn say(&mut self, name: &str, envelope: &Envelope) -> Result<(), Error> {
        self.posted.extend(post(self.path, name, &envelope.to_bytes(), |_| false)?);
        self.board.add(self.session, envelope.clone());
        Ok(())
    }

    /// Waits for these, unless the run is over already.
    fn waits(&self, stage: Stage, missing: &[Identifier]) -> Result<Answer, Error> {
        self.check_over()?;
        let numbers: Vec<_> = missing.iter().map(|i| i.get()).collect();
        let named = numbers.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        let line = format!("waiting for the {stage} of participant {named}");
        self.ctx.ui.note(WAITS);
        self.tells(line, json!({ "finished": false, "waiting": { "round": stage.to_string(), "missing": numbers } }));
        Ok(Answer::No)
    }

    /// A fault that is proved ends the run, whoever is still to speak; silence does not, as long as one waits.
    fn check_over(&self) -> Result<(), Error> {
        let rounds = [Stage::Split, Stage::Sum, Stage::Complaints].map(|stage| self.board.envelopes(stage));
        match judge(self.session, rounds.each_ref().map(Vec::as_slice)) {
            Err(RepairError::Ended { culprits, complaints }) => match proved(culprits) {
                culprits if culprits.is_empty() => Ok(()),
                culprits => Err(ended(self.session, culprits, complaints, self.ctx)),
            },
            _ => Ok(()),
        }
    }

    /// The end of a run with culprits. Where none is convicted, whoever complains about a message that is not here is waited
    /// for: it puts back what it has read when it runs again.
    fn ends(&mut self, culprits: Vec<RepairCulprit>, complaints: Vec<Envelope>, close: bool) -> Result<Answer, Error> {
        let accusers: Vec<_> = culprits.iter().map(|culprit| culprit.identifier).collect();
        let culprits = if close { culprits } else { proved(culprits) };
        if !culprits.is_empty() {
            return Err(ended(self.session, culprits, complaints, self.ctx));
        }
        self.ctx.ui.note(UNFOUNDED);
        self.board.notes.push(UNFOUNDED.into());
        self.waits(Stage::Sum, &accusers)
    }

    fn tells(&self, line: String, mut object: serde_json::Value) {
        let digest = |stage| hex::encode(self.board.digest(self.session, stage));
        object["session"] = hex::encode(self.session.id()).into();
        object["digests"] = json!({ "split": digest(Stage::Split), "sum": digest(Stage::Sum) });
        object["posted"] = json!(self.posted);
        object["notes"] = json!(self.board.notes);
        let posted = self.posted.iter().map(|path| format!("posted: {}", path.display()));
        let splits = format!("splits on the board, digest {}", digest(Stage::Split));
        self.ctx.ui.result(&posted.chain([splits, line]).collect::<Vec<_>>(), &object);
    }
}
