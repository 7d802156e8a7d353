//! `ccc keygen account` and `ccc keygen agent`.

use super::Context;
use crate::{
    cli::{AccountKeygen, AgentKeygen},
    error::Error,
    files::{
        self, Audience, Replace,
        sealed::Content,
        secret::{self, Secrets},
    },
    pool::account,
    ui::Answer,
};
use ccc_enclave::agent::AgentKey;

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
    let replace = Replace::from_flag(arguments.force);
    let public = arguments.out.with_extension("pub");
    for path in [&arguments.out, &public] {
        files::check_target(path, replace)?;
    }
    let mut rng = ctx.rng()?;
    let key = AgentKey::generate(&mut rng);
    let secrets = Secrets::new(&[key.to_bytes().as_slice()]);
    secret::save(&arguments.out, Content::Agent, &secrets, replace, &ctx.passphrases, &mut rng)?;
    let text = format!("{}\n", hex::encode(key.public()));
    files::write(&public, text.as_bytes(), Audience::Everyone, replace)?;
    ctx.ui.result(
        &[format!("public key in {}", public.display())],
        &serde_json::json!({ "public_key": hex::encode(key.public()), "file": arguments.out, "public_file": public }),
    );
    Ok(Answer::Done)
}
