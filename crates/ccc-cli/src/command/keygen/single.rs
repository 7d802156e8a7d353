//! `ccc keygen account`, `ccc keygen agent` and `ccc keygen auditor`.

use super::Context;
use crate::{
    cli::{AccountKeygen, AgentKeygen, AuditorKeygen},
    error::Error,
    files::{
        self, Audience, Replace,
        sealed::Content,
        secret::{self, Secrets},
    },
    pool::account,
    ui::Answer,
};
use ccc_enclave::{agent::AgentKey, reader::ReaderKey};
use rand::rngs::StdRng;
use std::path::Path;
use zeroize::Zeroizing;

pub(super) fn account(arguments: &AccountKeygen, ctx: &Context<'_>) -> Result<Answer, Error> {
    let replace = Replace::from_flag(arguments.force);
    files::check_target(&arguments.out, replace)?;
    let mut rng = ctx.rng()?;
    let (owner, secrets) = account::generate(&mut rng)?;
    secret::save(&arguments.out, Content::Account, &secrets, replace, &ctx.passphrases, &mut rng)?;
    let address = format!("0x{}", hex::encode(owner.account()));
    let lines = if files::is_stream(&arguments.out) { vec![] } else { vec![address.clone()] };
    ctx.ui.result(&lines, &serde_json::json!({ "address": address, "file": arguments.out }));
    Ok(Answer::Done)
}

pub(super) fn agent(arguments: &AgentKeygen, ctx: &Context<'_>) -> Result<Answer, Error> {
    let mut rng = ctx.rng()?;
    let key = AgentKey::generate(&mut rng);
    let made = (Content::Agent, key.to_bytes(), key.public());
    write_pair(&arguments.out, arguments.force, made, &mut rng, ctx)
}

pub(super) fn auditor(arguments: &AuditorKeygen, ctx: &Context<'_>) -> Result<Answer, Error> {
    let mut rng = ctx.rng()?;
    let key = ReaderKey::generate(&mut rng);
    let made = (Content::Reader, key.to_bytes(), key.public());
    write_pair(&arguments.out, arguments.force, made, &mut rng, ctx)
}

/// The secret file, and the public key as one line of text beside it.
fn write_pair(
    out: &Path,
    force: bool,
    (content, secret, public): (Content, Zeroizing<[u8; 32]>, [u8; 32]),
    rng: &mut StdRng,
    ctx: &Context<'_>,
) -> Result<Answer, Error> {
    let replace = Replace::from_flag(force);
    let public_path = out.with_extension("pub");
    for path in [out, &public_path] {
        files::check_target(path, replace)?;
    }
    let secrets = Secrets::new(&[secret.as_slice()]);
    secret::save(out, content, &secrets, replace, &ctx.passphrases, rng)?;
    let text = format!("{}\n", hex::encode(public));
    files::write(&public_path, text.as_bytes(), Audience::Everyone, replace)?;
    ctx.ui.result(
        &[format!("public key in {}", public_path.display())],
        &serde_json::json!({ "public_key": hex::encode(public), "file": out, "public_file": public_path }),
    );
    Ok(Answer::Done)
}
