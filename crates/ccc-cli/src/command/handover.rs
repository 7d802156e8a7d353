//! `ccc refresh` and `ccc reshare`: one participant of a handover, run by run, over a directory of messages; and what a
//! run of any session tells.

use super::Context;
use crate::{
    cli::HandoverArgs,
    error::Error,
    files::Replace,
    pool::read_committee,
    rounds::{
        board::place,
        chain::{OnChain, check_registry},
        culprit_lines, elsewhere, keys, named,
        outcome::{Finished, Results, committee_line},
        session::SessionFile,
        state::StateFile,
        walk::{Desk, End, Walk, walk},
    },
    ui::Answer,
};
use ccc_core::{
    enclave::attestation::OperatingMode,
    identifier::Identifier,
    keys::{
        KeyShare, ParticipantKeys, Protocol, Roster, Session,
        board::Round,
        reshare::{NewMember, OldMember, Party, Reshare},
        rounds::Run,
    },
};
use ccc_node::production::{Configuration, Sharing};
use rand::rngs::StdRng;
use serde_json::json;
use std::path::Path;

/// What a person does while a run waits.
pub(super) const WAITS: &str = "run the same command again once their messages are on the board; --close, if all agree, ends the \
                               round without them";

/// The same where rounds end by the chain's clock.
const WAITS_FOR_BLOCKS: &str = "run the same command again then; what was posted is on the chain";

/// What an old share that went by its certificate alone means for nodes.
const NO_REGISTRY: &str = "no registry was asked: nodes that ask one refuse the new share until its entry has moved";

/// Who the participant is, and where its results go.
pub(super) struct Seat<'a> {
    pub(super) session: &'a Session,
    pub(super) dealer: Option<Identifier>,
    pub(super) receiver: Option<(Identifier, &'a ParticipantKeys)>,
    pub(super) out: &'a Path,
    pub(super) force: bool,
    /// The ceremony, where the board is a contract.
    pub(super) place: Option<&'a OnChain>,
}

pub(super) fn run(arguments: &HandoverArgs, protocol: Protocol, ctx: &Context<'_>) -> Result<Answer, Error> {
    let results = Results::new(&arguments.out);
    arguments.participant.as_deref().map_or(Ok(()), |old| results.check_apart(old))?;
    let file = SessionFile::read(&arguments.session)?;
    file.require(&arguments.session, protocol)?;
    let session = file.session(&arguments.session, Some(read_committee(&arguments.committee)?))?;
    check_registry(&file, arguments.registry, arguments.erase_old)?;
    if arguments.production {
        check_production(session.roster())?;
    }
    let HandoverArgs { board, close, on_chain, .. } = arguments;
    let place = OnChain::of(&file, (&arguments.session, board), *close, on_chain, ctx)?;
    let desk = Desk { board, state: StateFile::new(&arguments.state, &ctx.passphrases), close: *close };
    if arguments.erase_old && was_erased(arguments, &session) {
        ctx.ui.result(&["the old share is gone".into()], &json!({ "finished": true, "erased": false }));
        return Ok(Answer::Done);
    }
    let old = arguments.participant.as_deref().map(|path| keys::read_share(path, &ctx.passphrases)).transpose()?;
    if let (Some(path), Some((share, _)), Some(committee)) = (&arguments.participant, &old, session.old()) {
        share.matches(committee).map_err(|source| Error::KeyShare { path: path.clone(), source })?;
    }
    let given = arguments.keys.as_deref().map(|path| keys::read_keys(path, &ctx.passphrases)).transpose()?;
    let new = receiver(&session, old.as_ref(), given.as_ref(), arguments.number)?;
    let dealer = old.as_ref().map(|(key_share, keys)| OldMember { key_share, keys });
    let member = new.map(|(identifier, keys)| NewMember { identifier, keys });
    let party =
        Party::new(session.clone(), dealer, member).map_err(|error| Error::Rounds { reason: error.to_string() })?;
    let mut rng = ctx.rng()?;
    let walked = match &place {
        Some(place) => place.walk(&party, &desk.state, &mut rng)?,
        None => walk(&party, &desk, &mut rng)?,
    };
    let (dealer, out) = (party.dealer(), arguments.out.as_path());
    let seat = Seat { session: &session, dealer, receiver: new, out, force: arguments.force, place: place.as_ref() };
    let answer = conclude::<Reshare>(walked, &seat, &desk, ctx, &mut rng)?;
    if let (Some(path), Some((share, _)), Answer::Done) = (&arguments.participant, &old, answer) {
        retire(path, share, &seat, arguments, ctx)?;
    }
    Ok(answer)
}

/// The number and the keys under which a participant receives, if it does.
fn receiver<'k>(
    session: &Session,
    old: Option<&'k (KeyShare, ParticipantKeys)>,
    given: Option<&'k ParticipantKeys>,
    number: Option<u16>,
) -> Result<Option<(Identifier, &'k ParticipantKeys)>, Error> {
    let own = |keys| keys::number(session.roster(), keys, number).map(|identifier| (identifier, keys));
    match (given, old) {
        (Some(keys), _) => own(keys).map(Some),
        (None, Some((_, keys))) => match own(keys) {
            Err(Error::NotAMember) if number.is_none() => Ok(None),
            found => found.map(Some),
        },
        (None, None) => Ok(None),
    }
}

/// What production asks of a roster: sizes, and that no participant's weight alone stops the service.
pub(super) fn check_production(roster: &Roster) -> Result<(), Error> {
    let (mode, sharing) = (OperatingMode::Production, Sharing::Roster(roster));
    Ok(Configuration { mode, seeded: false, dealt: false, sharing, policy: None, simulated: &[] }.check()?)
}

/// Says that the old share may go, or removes it: under a certificate, and, for a receiver, beside a new share that serves.
fn retire(
    path: &Path,
    share: &KeyShare,
    seat: &Seat<'_>,
    arguments: &HandoverArgs,
    ctx: &Context<'_>,
) -> Result<(), Error> {
    let (results, session) = (Results::new(seat.out), seat.session);
    if !results.is_certified(session) {
        return Err(Error::NotCertified { path: results.certificate() });
    }
    if let Some((number, _)) = seat.receiver {
        results.check_share(number, session, &ctx.passphrases)?;
    }
    if !arguments.erase_old {
        let line = format!("{} may be erased now: --erase-old removes it", path.display());
        ctx.ui.note(&line);
        return Ok(());
    }
    if session.old().map(ccc_core::keys::Committee::digest) != Some(share.committee()) {
        return Err(Error::NotCertified { path: path.into() });
    }
    std::fs::remove_file(path).map_err(|source| Error::Write { path: path.into(), source })?;
    if arguments.registry.is_none() {
        ctx.ui.note(NO_REGISTRY);
    }
    ctx.ui.note(&format!("{} is removed; copies of it are yours to find", path.display()));
    Ok(())
}

/// Whether an earlier run has removed the old share, after the certificate.
fn was_erased(arguments: &HandoverArgs, session: &Session) -> bool {
    let gone = arguments.participant.as_ref().is_some_and(|path| !path.exists());
    gone && Results::new(&arguments.out).is_certified(session)
}

/// Writes what a run gave, and tells it.
///
/// # Errors
/// Those of writing; the state is then as it was.
pub(super) fn conclude<P: Run>(
    walked: Walk,
    seat: &Seat<'_>,
    desk: &Desk<'_>,
    ctx: &Context<'_>,
    rng: &mut StdRng,
) -> Result<Answer, Error>
where
    Finished: From<P::Outcome>,
{
    let results = Results::new(seat.out);
    walked.notes.iter().for_each(|note| ctx.ui.note(note));
    let mut lines = front(&walked, seat);
    let mut object = object(&walked, seat);
    let answer = match &walked.end {
        End::Waits { round, have, missing } => {
            let missing: Vec<_> = missing.iter().map(|i| i.get()).collect();
            lines.push(waiting_line(*round, *have, &missing));
            object["waiting"] = json!({ "round": round.to_string(), "have": have, "missing": missing });
            ctx.ui.note(WAITS);
            Answer::No
        }
        End::Until { round, end } => {
            lines.push(format!("{round} round: over once a final block is later than {end}"));
            object["waiting"] = json!({ "round": round.to_string(), "end": end });
            ctx.ui.note(WAITS_FOR_BLOCKS);
            Answer::No
        }
        End::WasFinished => {
            lines.push(format!("finished: {}", results.committee().display()));
            object["finished"] = true.into();
            Answer::Done
        }
        End::Finished(finished) => {
            let path = match seat.receiver {
                Some((_, keys)) => {
                    results.write(finished, keys, seat.session, Replace::from_flag(seat.force), ctx, rng)?
                }
                None => results.write_public(finished, seat.session, Replace::from_flag(seat.force))?,
            };
            desk.state.write::<P>(&walked.closed, None, false, rng)?;
            tell(finished, path.as_deref(), &results, &mut lines, &mut object);
            Answer::Done
        }
    };
    let answer = match seat.place {
        Some(place) if answer == Answer::Done => enter(place, seat, &results, (&mut lines, &mut object), ctx)?,
        _ => answer,
    };
    ctx.ui.result(&lines, &object);
    Ok(answer)
}

/// Moves the registry's entry. Where that fails, the result is told first: the state is finished, and no run can tell it again.
fn enter(
    place: &OnChain,
    seat: &Seat<'_>,
    results: &Results,
    (lines, object): (&mut Vec<String>, &mut serde_json::Value),
    ctx: &Context<'_>,
) -> Result<Answer, Error> {
    let receiver = seat.receiver.map(|(number, _)| number);
    let entered = place.enter((seat.session, receiver), results, (lines, object), ctx);
    entered.inspect_err(|_| {
        object["finished"] = false.into();
        ctx.ui.result(lines, object);
    })
}

/// What came of the rounds: who is at fault, the committee, the files.
fn tell(
    finished: &Finished,
    share: Option<&Path>,
    results: &Results,
    lines: &mut Vec<String>,
    object: &mut serde_json::Value,
) {
    lines.extend(culprit_lines(&finished.culprits));
    lines.push(committee_line(&finished.committee, &results.committee()));
    lines.extend(share.map(|path| format!("key share: {}", path.display())));
    object["finished"] = true.into();
    object["committee"] = json!(results.committee());
    object["committee_digest"] = hex::encode(&finished.committee.digest()[..32]).into();
    object["participant"] = json!(share);
    object["transcript"] = hex::encode(finished.transcript).into();
    object["culprits"] = json!(named(&finished.culprits));
    object["other_boards"] = json!(elsewhere(&finished.culprits));
    if finished.certificate.is_some() {
        object["certificate"] = json!(results.certificate());
        lines.push(format!("certificate: {}", results.certificate().display()));
    }
}

const ROUNDS: [Round; 4] = [Round::Commit, Round::Open, Round::Complain, Round::Confirm];

fn front(walked: &Walk, seat: &Seat<'_>) -> Vec<String> {
    let mut who = Vec::new();
    who.extend(seat.dealer.map(|number| format!("dealer {number}")));
    who.extend(seat.receiver.map(|(number, _)| format!("receiver {number}")));
    let mut lines = vec![format!("session {}, {}", hex::encode(&seat.session.id()[..8]), who.join(", "))];
    for round in &walked.moved {
        let digest = walked.closed.get(usize::from(place(*round)) - 1).copied().unwrap_or_default();
        lines.push(format!("{round} round closed, digest {}", hex::encode(digest)));
    }
    lines.extend(walked.posted.iter().map(|path| format!("posted: {}", path.display())));
    lines.extend(walked.sent.iter().map(|round| format!("posted to the {round} round on the chain")));
    lines
}

fn object(walked: &Walk, seat: &Seat<'_>) -> serde_json::Value {
    let closed: serde_json::Map<_, _> = ROUNDS
        .iter()
        .zip(&walked.closed)
        .map(|(round, digest)| (round.to_string(), hex::encode(digest).into()))
        .collect();
    json!({
        "session": hex::encode(seat.session.id()),
        "dealer": seat.dealer.map(Identifier::get),
        "receiver": seat.receiver.map(|(number, _)| number.get()),
        "closed": closed,
        "posted": walked.posted,
        "sent": walked.sent.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "notes": walked.notes,
        "finished": false,
    })
}

fn waiting_line(round: Round, have: usize, missing: &[u16]) -> String {
    let what = match round {
        Round::Commit | Round::Open => "dealer",
        Round::Complain | Round::Confirm => "receiver",
    };
    let numbers: Vec<_> = missing.iter().map(u16::to_string).collect();
    format!("{round} round: {have} of {} here, waiting for {what} {}", have + missing.len(), numbers.join(", "))
}
