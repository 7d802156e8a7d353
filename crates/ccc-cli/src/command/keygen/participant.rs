//! `ccc keygen participant`.

use super::Context;
use crate::{
    cli::ParticipantKeygen,
    error::Error,
    files::{
        self, Audience, Replace,
        sealed::Content,
        secret::{self, Secrets},
    },
    rounds::{keys, session::PublicLine},
    ui::Answer,
};
use ccc_core::keys::ParticipantKeys;

pub(super) fn run(arguments: &ParticipantKeygen, ctx: &Context<'_>) -> Result<Answer, Error> {
    let ParticipantKeygen { out, renew, force } = arguments;
    let (replace, public) = (Replace::from_flag(*force), out.with_extension("pub"));
    if files::is_stream(out) {
        return Err(Error::NeedsFile);
    }
    for path in [out, &public] {
        files::check_target(path, replace)?;
    }
    let mut rng = ctx.rng()?;
    let keys = match renew {
        Some(path) => keys::read_keys(path, &ctx.passphrases)?.with_new_dealing_key(&mut rng)?,
        None => ParticipantKeys::generate(&mut rng)?,
    };
    let secrets = Secrets::new(&[&keys.to_bytes()]);
    secret::save(out, Content::Keys, &secrets, replace, &ctx.passphrases, &mut rng)?;
    let line = PublicLine::new(&keys.public_keys());
    files::write(&public, line.text().as_bytes(), Audience::Everyone, replace)?;
    let lines = [format!("public keys in {}", public.display())];
    ctx.ui.result(&lines, &serde_json::json!({ "public_keys": line, "file": out, "public_file": public }));
    Ok(Answer::Done)
}
