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
        parse_toml, random,
    },
    ui::Answer,
};
use ccc_core::{
    ciphertext::Ciphertext,
    report::{SignedReport, Statement},
};
use ccc_enclave::{agent::AgentKey, instruction::CollateralOrder, intake::submission_id};
use ccc_node::{
    agent::{Agent, Limits, encrypt_order},
    maker::Offer,
};
use rand::rngs::StdRng;
use serde::Deserialize;

const MAX_TERMS: u64 = 1 << 16;
const MAX_ENVELOPE: u64 = 1 << 12;
const MAX_REPORT: u64 = 1 << 16;
/// Amounts above this are refused by the clearing.
const MAX_AMOUNT: u64 = 1 << 51;
/// No limit on one maker's share of an order.
const WHOLE: [u16; 2] = [10_000, 10_000];

/// Terms as a file gives them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermsFile {
    size: u64,
    spread: [u16; 2],
    #[serde(default)]
    minimum: u64,
    cap: Option<u64>,
    dispersion: Option<[u16; 2]>,
}

/// What both kinds of orders have.
struct Terms {
    size: u64,
    spread: [u16; 2],
    minimum: u64,
    cap: u64,
    dispersion: [u16; 2],
}

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
        None => from_terms(&terms(arguments, pool, ctx)?, now, deadline, rng),
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
    let terms = terms(arguments, pool, ctx)?;
    if terms.spread[0] != terms.spread[1] {
        return Err(Error::Terms { what: "the spread of a standing order", reason: "a range" });
    }
    let owner = account::open(path, &ctx.passphrases)?;
    let (salt, who) = (random(rng), arguments.from.map_or_else(|| random(rng), |address| address.0));
    let id = submission_id(&pool.config, &who, &salt);
    let offer = Offer {
        asset: pool.config.base,
        spread: terms.spread[0],
        size: terms.size,
        cap: terms.cap,
        minimum: terms.minimum,
        expiry: pool.now().saturating_add(arguments.lifetime),
    };
    let ciphertext = owner.standing_order(&pool.config, pool.committee.master_public_key(), (id, who), &offer, rng)?;
    Ok(Order { id, salt, who, deadline: None, ciphertext })
}

fn terms(arguments: &EncryptOrderArgs, pool: &Pool, ctx: &Context<'_>) -> Result<Terms, Error> {
    let terms = match &arguments.terms {
        Some(path) => {
            let file: TermsFile = parse_toml(path, &files::read(path, MAX_TERMS)?)?;
            refuse_unread(&file, arguments.standing)?;
            let cap = file.cap.unwrap_or(file.size);
            let dispersion = file.dispersion.unwrap_or(WHOLE);
            Terms { size: file.size, spread: file.spread, minimum: file.minimum, cap, dispersion }
        }
        None => from_flags(arguments, ctx)?,
    };
    terms.check()?;
    let lot = pool.config.asset(pool.config.base)?.lot;
    if arguments.standing && terms.size < lot {
        return Err(Error::Terms { what: "the size of a standing order", reason: "less than one lot" });
    }
    Ok(terms)
}

/// Terms that the other kind of order has.
fn refuse_unread(file: &TermsFile, standing: bool) -> Result<(), Error> {
    match (standing, file.cap, file.dispersion) {
        (false, Some(_), _) => Err(Error::NotRead { purpose: "a collateral order", what: "cap" }),
        (true, _, Some(_)) => Err(Error::NotRead { purpose: "a standing order", what: "dispersion" }),
        _ => Ok(()),
    }
}

impl Terms {
    /// Refuses terms that a round would take for an order that it cannot read, or that could never be filled.
    fn check(&self) -> Result<(), Error> {
        let amounts = [("the size", self.size), ("the minimum", self.minimum), ("the cap", self.cap)];
        if let Some((what, _)) = amounts.into_iter().find(|(_, amount)| *amount >= MAX_AMOUNT) {
            return Err(Error::Terms { what, reason: "2^51 or more" });
        }
        if self.size == 0 {
            return Err(Error::Terms { what: "the size", reason: "zero" });
        }
        if let Some((what, _)) = amounts.into_iter().find(|(_, amount)| *amount > self.size) {
            return Err(Error::Terms { what, reason: "above the size" });
        }
        if self.spread.iter().any(|spread| *spread > 16_383) {
            return Err(Error::Terms { what: "the spread", reason: "above 16383" });
        }
        let [low, high] = self.dispersion;
        if low > high || high > 10_000 {
            return Err(Error::Terms { what: "the dispersion", reason: "not two ascending numbers up to 10000" });
        }
        Ok(())
    }
}

fn from_flags(arguments: &EncryptOrderArgs, ctx: &Context<'_>) -> Result<Terms, Error> {
    let size = arguments.size.ok_or(Error::Terms { what: "--size", reason: "missing" })?;
    let SpreadRange(spread) = arguments.spread.ok_or(Error::Terms { what: "--spread", reason: "missing" })?;
    ctx.ui.note("other users of this machine can see arguments while a program runs; --terms FILE hides them");
    let minimum = arguments.minimum.unwrap_or(0);
    Ok(Terms { size, spread, minimum, cap: arguments.cap.unwrap_or(size), dispersion: WHOLE })
}
