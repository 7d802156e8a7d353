//! `ccc keygen session`: who takes part in a key generation, a refresh or a reshare.

use super::{Context, opening};
use crate::{
    cli::SessionArgs,
    error::Error,
    files::{self, Audience, Replace},
    pool::{hexed::Hex, random, read_committee},
    rounds::session::{Format, MemberLine, PublicLine, SessionFile, What},
    ui::Answer,
};
use ccc_core::{
    keys::{Committee, Roster},
    threshold::Threshold,
};
use std::path::PathBuf;

pub(super) fn run(arguments: &SessionArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let SessionArgs { members, threshold, committee, epoch, refresh, out, force, .. } = arguments;
    let replace = Replace::from_flag(*force);
    files::one_standard_input(members.iter().chain(committee))?;
    if !files::is_stream(out) {
        files::check_target(out, replace)?;
    }
    let old = committee.as_deref().map(read_committee).transpose()?;
    let (protocol, lines, threshold) = match &old {
        Some(old) if *refresh => (What::Refresh, renewed(old, members)?, old.threshold().t()),
        _ => {
            let lines = numbered(members)?;
            let protocol = if old.is_some() { What::Reshare } else { What::KeyGeneration };
            let threshold = threshold_of(*threshold, &lines)?.t();
            (protocol, lines, threshold)
        }
    };
    let mut file = SessionFile {
        format: Format,
        protocol,
        epoch: old.as_ref().map_or(epoch.unwrap_or(1), |old| old.epoch().0.saturating_add(1)),
        threshold,
        nonce: Hex(random(&mut ctx.rng()?)),
        committee: old.as_ref().map(|old| Hex(old.digest())),
        ceremony: None,
        members: lines,
    };
    // nothing is sent for what makes no session
    note_several_numbers(file.session(out, old.clone())?.roster(), ctx);
    if let Some(seconds) = arguments.round_seconds {
        let agreement = opening::opened(arguments, (&file, old.as_ref()), seconds, ctx)?;
        (file.nonce, file.ceremony) = (Hex(agreement.ceremony().nonce.0), Some(agreement));
    }
    let id = hex::encode(file.session(out, old)?.id());
    files::write(out, file.text().as_bytes(), Audience::Everyone, replace)?;
    if !files::is_stream(out) {
        let mut lines = vec![format!("session {id}: {}", out.display())];
        let on_chain = |a: &ccc_chain::board::Agreement| format!("board {}, rounds end at {:?}", a.board, a.ends);
        lines.extend(file.ceremony.as_ref().map(on_chain));
        let (members, ceremony) = (file.members.len(), &file.ceremony);
        let object = serde_json::json!({ "session": id, "file": out, "members": members, "ceremony": ceremony });
        ctx.ui.result(&lines, &object);
    }
    Ok(Answer::Done)
}

/// Tells who owns several numbers: it is allowed, and a file named twice by mistake looks the same.
fn note_several_numbers(roster: &Roster, ctx: &Context<'_>) {
    for participant in roster.participants().iter().filter(|participant| participant.identifiers.len() > 1) {
        let numbers: Vec<_> = participant.identifiers.iter().map(|i| i.get().to_string()).collect();
        ctx.ui.note(&format!("numbers {} are one participant: it counts once for each", numbers.join(", ")));
    }
}

fn numbered(members: &[PathBuf]) -> Result<Vec<MemberLine>, Error> {
    let read = |(path, number): (&PathBuf, u16)| PublicLine::read(path).map(|line| line.member(number));
    members.iter().zip(1..=u16::MAX).map(read).collect()
}

fn threshold_of(threshold: Option<u16>, lines: &[MemberLine]) -> Result<Threshold, Error> {
    let n = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    Ok(match threshold {
        Some(t) => Threshold::new(t, n)?,
        None => Threshold::default_for(n)?,
    })
}

/// The members of a committee, those with a `.pub` file under their new dealing keys.
fn renewed(old: &Committee, members: &[PathBuf]) -> Result<Vec<MemberLine>, Error> {
    let mut lines: Vec<_> = old.roster().members().iter().map(MemberLine::new).collect();
    for path in members {
        let line = PublicLine::read(path)?;
        let own = |member: &&ccc_core::keys::RosterMember| member.keys().signing_key() == line.signing_key();
        let numbers: Vec<_> = old.roster().members().iter().filter(own).map(|m| m.identifier.get()).collect();
        if numbers.is_empty() {
            let reason = "its signing key is not that of a member of the committee".into();
            return Err(Error::Session { path: path.clone(), reason });
        }
        for place in &mut lines {
            if numbers.contains(&place.number) {
                *place = line.member(place.number);
            }
        }
    }
    Ok(lines)
}
