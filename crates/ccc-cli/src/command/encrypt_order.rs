//! `ccc encrypt-order`: a collateral order or a standing order, encrypted to the vault.

use super::Context;
use crate::{
    cli::{EncryptOrderArgs, SpreadRange},
    error::Error,
    files::{self, Audience, Replace},
    pool::{
        Pool, account,
        attempt::AttemptPaths,
        hexed::{Hex, HexBytes},
        log::Event,
        random,
        terms::{Terms, TermsFlags, WHOLE},
    },
    ui::Answer,
};
use ccc_core::{
    ciphertext::Ciphertext,
    report::{SignedReport, Statement},
};
use ccc_enclave::{agent::AgentKey, instruction::CollateralOrder, intake::submission_id};
use ccc_node::agent::{Agent, Limits, encrypt_order};
use rand::rngs::StdRng;

const MAX_ENVELOPE: u64 = 1 << 12;
const MAX_REPORT: u64 = 1 << 16;

/// An encrypted order and what the log says about it.
struct Order {
    id: [u8; 32],
    salt: [u8; 32],
    who: [u8; 20],
    deadline: Option<u64>,
    ciphertext: Ciphertext,
}

pub(super) fn run(arguments: &EncryptOrderArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let replace = Replace::from_flag(arguments.force);
    if let Some(out) = &arguments.out {
        files::check_target(out, replace)?;
    }
    let mut pool = Pool::open(&arguments.pool)?;
    let mut rng = ctx.rng()?;
    let order = if arguments.standing {
        standing(arguments, &pool, &mut rng, ctx)?
    } else {
        collateral(arguments, &pool, &mut rng, ctx)?
    };
    match &arguments.out {
        Some(out) => files::write(out, &order.ciphertext.to_bytes(), Audience::Everyone, replace)?,
        None => pool.append(&event(&order, pool.now()))?,
    }
    report(&order, arguments, ctx);
    Ok(Answer::Done)
}

fn event(order: &Order, time: u64) -> Event {
    let (id, who) = (Hex(order.id), Hex(order.who));
    let ciphertext = HexBytes(order.ciphertext.to_bytes());
    match order.deadline {
        Some(deadline) => Event::Request { time, id, who, deadline, ciphertext },
        None => Event::StandingOrder { time, id, who, ciphertext },
    }
}

fn report(order: &Order, arguments: &EncryptOrderArgs, ctx: &Context<'_>) {
    let kind = if order.deadline.is_some() { "request" } else { "standing order" };
    let to_stdout = arguments.out.as_ref().is_some_and(|out| files::is_stream(out));
    if to_stdout {
        return;
    }
    ctx.ui.result(
        &[format!("{kind} {}", hex::encode(order.id))],
        &serde_json::json!({
            "kind": kind, "id": Hex(order.id), "salt": Hex(order.salt), "submitter": Hex(order.who),
            "deadline": order.deadline, "ciphertext_digest": Hex(order.ciphertext.digest()),
        }),
    );
}

fn collateral(arguments: &EncryptOrderArgs, pool: &Pool, rng: &mut StdRng, ctx: &Context<'_>) -> Result<Order, Error> {
    let now = pool.now();
    let deadline = now.saturating_add(arguments.opens_in);
    let order = match &arguments.check {
        Some(check) => from_check(arguments, pool, &AttemptPaths::new(check), deadline, rng, ctx)?,
        None => from_terms(&Terms::collateral(&terms_flags(arguments), ctx.ui)?, now, deadline, rng),
    };
    let (salt, who) = (random(rng), pool.config.reserve);
    let id = submission_id(&pool.config, &who, &salt);
    let expiry = deadline.saturating_add(arguments.lifetime);
    let key = pool.committee.master_public_key();
    let ciphertext = encrypt_order(&pool.config, key, (id, who), expiry, &order, rng)?;
    Ok(Order { id, salt, who, deadline: Some(deadline), ciphertext })
}

fn from_terms(terms: &Terms, now: u64, deadline: u64, rng: &mut StdRng) -> CollateralOrder {
    CollateralOrder {
        size: terms.size,
        minimum_total: terms.minimum,
        spread: terms.spread,
        times: [now, deadline],
        dispersion: terms.dispersion,
        tiers: u64::MAX,
        seed: random(rng),
    }
}

/// The order that closes the gap which a reserve check found: the agent opens its envelope.
fn from_check(
    arguments: &EncryptOrderArgs,
    pool: &Pool,
    paths: &AttemptPaths,
    deadline: u64,
    rng: &mut StdRng,
    ctx: &Context<'_>,
) -> Result<CollateralOrder, Error> {
    let path = arguments.agent_key.as_ref().ok_or(Error::Terms { what: "--agent-key", reason: "missing" })?;
    let secrets = files::secret::open(path, files::sealed::Content::Agent, &ctx.passphrases)?;
    let [key] = secrets.split::<1>().map_err(|source| Error::Sealed { path: path.clone(), source })?;
    let report = SignedReport::from_bytes(&files::read(&paths.report(), MAX_REPORT)?)?;
    report.verify(&pool.settings.signer_set(), &pool.settings.signers.forwarder.0)?;
    let Statement::Solvency(solvency) = report.report().payload().statement else {
        return Err(Error::OtherReport { path: paths.report() });
    };
    let spread = arguments.spread.unwrap_or(SpreadRange([100, 100])).0;
    let agent = Agent::new(AgentKey::from_bytes(key)?, Limits { spread, slide: arguments.opens_in, dispersion: WHOLE });
    let envelope = files::read(&paths.envelope(), MAX_ENVELOPE)?;
    let reported = (solvency.envelope_digest, solvency.verdict);
    let notice = agent.read(&pool.config, &envelope, reported, pool.now())?;
    if notice.deficit == 0 {
        return Err(Error::NoDeficit);
    }
    Ok(agent.order(&notice, deadline, rng))
}

fn standing(arguments: &EncryptOrderArgs, pool: &Pool, rng: &mut StdRng, ctx: &Context<'_>) -> Result<Order, Error> {
    let path = arguments.account_key.as_ref().ok_or(Error::Terms { what: "--account-key", reason: "missing" })?;
    let lot = pool.config.asset(pool.config.base)?.lot;
    let terms = Terms::standing(&terms_flags(arguments), lot, ctx.ui)?;
    let owner = account::open(path, &ctx.passphrases)?;
    let (salt, who) = (random(rng), arguments.from.map_or_else(|| random(rng), |address| address.0));
    let id = submission_id(&pool.config, &who, &salt);
    let offer = terms.offer(pool.config.base, pool.now().saturating_add(arguments.lifetime));
    let ciphertext = owner.standing_order(&pool.config, pool.committee.master_public_key(), (id, who), &offer, rng)?;
    Ok(Order { id, salt, who, deadline: None, ciphertext })
}

fn terms_flags(arguments: &EncryptOrderArgs) -> TermsFlags<'_> {
    let EncryptOrderArgs { size, spread, minimum, cap, .. } = *arguments;
    TermsFlags { file: arguments.terms.as_deref(), size, spread, minimum, cap }
}
