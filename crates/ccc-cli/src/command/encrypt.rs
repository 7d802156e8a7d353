//! `ccc encrypt`: any message, to a vault or to a tdh2 public key.

use super::Context;
use crate::{
    cli::{EncryptArgs, Format},
    error::Error,
    files::{self, Audience, Replace},
    message::{Key, native, tdh2},
    ui::Answer,
};
use ccc_core::{
    ciphertext::{Ciphertext, MAX_MESSAGE},
    compat::tdh2_p256::easy,
};
use zeroize::Zeroizing;

pub(super) fn run(arguments: &EncryptArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let replace = Replace::from_flag(arguments.force);
    files::one_standard_input([&arguments.message, &arguments.key])?;
    if !files::is_stream(&arguments.out) {
        files::check_target(&arguments.out, replace)?;
    }
    let key = Key::read(&arguments.key)?;
    let mut rng = ctx.rng()?;
    let bytes = match (arguments.format, &key) {
        (Format::Native, Key::Native(committee)) => {
            let label = native::label(arguments, &mut rng)?;
            let message = message(arguments)?;
            Ciphertext::encrypt(committee.master_public_key(), &label, &message, &mut rng)?.to_bytes()
        }
        (Format::Tdh2easy, Key::Tdh2(key)) => {
            let label = tdh2::label(arguments)?;
            let message = message(arguments)?;
            easy::Ciphertext::encrypt(key, &label, &message, &mut rng)?.to_json().into_bytes()
        }
        (Format::Native, Key::Tdh2(_)) => return Err(key.unfit(&arguments.key, "a committee")),
        (Format::Tdh2easy, Key::Native(_)) => return Err(key.unfit(&arguments.key, "a tdh2 public key")),
    };
    files::write(&arguments.out, &bytes, Audience::Everyone, replace)?;
    if !files::is_stream(&arguments.out) {
        let line = format!("{} bytes: {}", bytes.len(), arguments.out.display());
        ctx.ui.result(&[line], &serde_json::json!({ "ciphertext": arguments.out, "bytes": bytes.len() }));
    }
    Ok(Answer::Done)
}

fn message(arguments: &EncryptArgs) -> Result<Zeroizing<Vec<u8>>, Error> {
    files::read(&arguments.message, MAX_MESSAGE as u64).map(Zeroizing::new)
}
