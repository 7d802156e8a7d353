//! `ccc keygen dkg`: all participants in this process, or one participant, run by run, over a directory of messages.

use super::{Context, committee};
use crate::{
    cli::{CommitteeKeygen, DkgArgs},
    command::handover::{Seat, check_production, conclude},
    error::Error,
    rounds::{
        chain::OnChain,
        keys,
        session::SessionFile,
        state::StateFile,
        walk::{Desk, walk},
    },
    ui::Answer,
};
use ccc_core::keys::{Protocol, dkg};
use std::path::Path;

pub(super) fn run(arguments: &DkgArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let DkgArgs { participants, threshold, production, session, keys, state, board, out, force, .. } = arguments;
    match (session, keys, state, board) {
        (Some(session), Some(keys), Some(state), Some(board)) => step(arguments, [session, keys, state, board], ctx),
        _ => {
            let (participants, out) = (participants.unwrap_or_default(), out.clone());
            let (threshold, production, force) = (*threshold, *production, *force);
            committee::dkg(&CommitteeKeygen { participants, threshold, production, out, force }, ctx)
        }
    }
}

fn step(arguments: &DkgArgs, paths: [&std::path::PathBuf; 4], ctx: &Context<'_>) -> Result<Answer, Error> {
    let [session_path, keys_path, state, board]: [&Path; 4] = paths.map(|path| path.as_path());
    let file = SessionFile::read(session_path)?;
    file.require(session_path, Protocol::Dkg)?;
    let session = file.session(session_path, None)?;
    if arguments.production {
        check_production(session.roster())?;
    }
    let keys = keys::read_keys(keys_path, &ctx.passphrases)?;
    let number = keys::number(session.roster(), &keys, arguments.number)?;
    let party = dkg::Party::new(session.clone(), number, &keys)?;
    let place = OnChain::of(&file, (session_path, board), arguments.close, &arguments.on_chain, ctx)?;
    let desk = Desk { board, state: StateFile::new(state, &ctx.passphrases), close: arguments.close };
    let mut rng = ctx.rng()?;
    let walked = match &place {
        Some(place) => place.walk(&party, &desk.state, &mut rng)?,
        None => walk(&party, &desk, &mut rng)?,
    };
    let seat = Seat {
        session: &session,
        dealer: Some(number),
        receiver: Some((number, &keys)),
        out: &arguments.out,
        force: arguments.force,
        place: place.as_ref(),
    };
    conclude::<dkg::Dkg>(walked, &seat, &desk, ctx, &mut rng)
}
