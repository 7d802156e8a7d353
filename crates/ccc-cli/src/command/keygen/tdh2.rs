//! `ccc keygen tdh2`.

use super::Context;
use crate::{
    cli::Tdh2Keygen,
    error::Error,
    files::{self, Audience, Replace, sealed::Content, secret},
    message::tdh2,
    ui::Answer,
};
use ccc_core::{
    compat::tdh2_p256::{PublicKey, deal},
    threshold::Threshold,
};
use std::path::PathBuf;

pub(super) fn run(arguments: &Tdh2Keygen, ctx: &Context<'_>) -> Result<Answer, Error> {
    let (n, replace) = (arguments.participants, Replace::from_flag(arguments.force));
    let threshold = match arguments.threshold {
        Some(k) => Threshold::new(k, n)?,
        None => Threshold::default_for(n)?,
    };
    let public = arguments.out.join("public-key.json");
    let private = |index: u16| arguments.out.join(format!("participant-{index}.ccc"));
    let targets: Vec<PathBuf> = (0..n).map(private).chain([public.clone()]).collect();
    targets.iter().try_for_each(|path| files::check_target(path, replace))?;
    ctx.ui.note("a dealer knows the master secret; it is not kept");
    let mut rng = ctx.rng()?;
    let dealt = deal(threshold, &mut rng)?;
    files::directory(&arguments.out)?;
    let mut sealed = Vec::with_capacity(dealt.shares.len());
    for share in &dealt.shares {
        let path = private(share.index());
        let secrets = tdh2::secrets(share);
        sealed.push((secret::encode(&path, Content::Tdh2, &secrets, &ctx.passphrases, &mut rng)?, path));
    }
    for (bytes, path) in &sealed {
        files::write(path, bytes, Audience::Owner, replace)?;
    }
    files::write(&public, dealt.public_key.to_json().as_bytes(), Audience::Everyone, replace)?;
    report(&dealt.public_key, threshold, &public, &targets, ctx);
    Ok(Answer::Done)
}

fn report(key: &PublicKey, threshold: Threshold, public: &PathBuf, files: &[PathBuf], ctx: &Context<'_>) {
    let (k, n) = (threshold.t(), key.participants());
    let line = format!("tdh2 key of {n}, any {k} open: {}", public.display());
    let object = serde_json::json!({ "public_key": public, "participants": n, "threshold": k, "files": files });
    ctx.ui.result(&[line], &object);
}
