//! `ccc share`: one participant's plain share of a message that anybody may read once t of them agree.

use super::Context;
use crate::{
    cli::ShareArgs,
    error::Error,
    files::{self, Audience, Replace},
    message::{Key, Sealed, native, tdh2},
    ui::Answer,
};

pub(super) fn run(arguments: &ShareArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let ShareArgs { ciphertext, participant, key, out, force } = arguments;
    let replace = Replace::from_flag(*force);
    files::one_standard_input([ciphertext, participant, key])?;
    if files::is_stream(participant) {
        return Err(Error::NeedsFile);
    }
    if !files::is_stream(out) {
        files::check_target(out, replace)?;
    }
    let mut rng = ctx.rng()?;
    let (number, bytes) = match (Sealed::read(ciphertext)?, &Key::read(key)?) {
        (Sealed::Native(sealed), Key::Native(committee)) => {
            native::share(sealed, committee, participant, &ctx.passphrases, &mut rng)?
        }
        (Sealed::Tdh2(sealed), Key::Tdh2(public)) => {
            tdh2::share(sealed, public, participant, &ctx.passphrases, &mut rng)?
        }
        (Sealed::Native(_), other) => return Err(other.unfit(key, "a committee")),
        (Sealed::Tdh2(_), other) => return Err(other.unfit(key, "a tdh2 public key")),
    };
    files::write(out, &bytes, Audience::Everyone, replace)?;
    if !files::is_stream(out) {
        let line = format!("participant {number}: {}", out.display());
        ctx.ui.result(&[line], &serde_json::json!({ "participant": number, "share": out }));
    }
    Ok(Answer::Done)
}
