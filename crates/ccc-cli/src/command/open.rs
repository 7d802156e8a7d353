//! `ccc open`: a message from its ciphertext and t shares.

use super::Context;
use crate::{
    cli::OpenArgs,
    error::Error,
    files::{self, Audience, Replace},
    message::{Key, Opened, Sealed, native, tdh2},
    ui::Answer,
};

pub(super) fn run(arguments: &OpenArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let OpenArgs { ciphertext, shares, key, out, force } = arguments;
    let replace = Replace::from_flag(*force);
    files::one_standard_input([ciphertext, key].into_iter().chain(shares))?;
    if !files::is_stream(out) {
        files::check_target(out, replace)?;
    }
    let Opened { plaintext, notes } = match (Sealed::read(ciphertext)?, &Key::read(key)?) {
        (Sealed::Native(sealed), Key::Native(committee)) => native::open(sealed, committee, shares, &mut ctx.rng()?)?,
        (Sealed::Tdh2(sealed), Key::Tdh2(public)) => tdh2::open(sealed, public, shares)?,
        (Sealed::Native(_), other) => return Err(other.unfit(key, "a committee")),
        (Sealed::Tdh2(_), other) => return Err(other.unfit(key, "a tdh2 public key")),
    };
    notes.iter().for_each(|note| ctx.ui.note(note));
    files::write(out, &plaintext, Audience::Owner, replace)?;
    if !files::is_stream(out) {
        let line = format!("{} bytes: {}", plaintext.len(), out.display());
        ctx.ui.result(&[line], &serde_json::json!({ "message": out, "bytes": plaintext.len(), "notes": notes }));
    }
    Ok(Answer::Done)
}
