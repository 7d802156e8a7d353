//! `ccc agent`: refills the reserve under a policy, and what belongs to that.

use super::{Context, desk::Desk};
use crate::{
    cli::{AgentJournalArgs, AgentRunArgs, AgentVerb, ApproveArgs, ApproverArgs, CheckPolicyArgs},
    error::Error,
    files::{self, Audience, Replace, sealed::Content, secret},
    network::{NetworkError, read_deployment, runtime},
    pool::random,
    ui::Answer,
};
use alloy::primitives::B256;
use ccc_agent::{
    approval::{self, Approval},
    drive::{Book, Clock, DriveError, Driver, Means, Turn},
    evidence::Evidence,
    guard::Guard,
    journal::{self, Journal},
    machine::Waiting,
    policy::Policy,
    signer::KeySigner,
};
use ccc_chain::swap::Parts;
use ccc_enclave::agent::AgentKey;
use ccc_node::agent::{Agent, Limits};
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use zeroize::Zeroizing;

const MAX_POLICY: u64 = 1 << 16;
const MAX_KEY: u64 = 4_096;

pub(super) fn run(verb: &AgentVerb, ctx: &Context<'_>) -> Result<Answer, Error> {
    match verb {
        AgentVerb::Run(arguments) => drive(arguments, ctx),
        AgentVerb::CheckPolicy(arguments) => check_policy(arguments, ctx),
        AgentVerb::Journal(arguments) => tell_journal(arguments, ctx),
        AgentVerb::Approve(arguments) => approve(arguments, ctx),
        AgentVerb::Approver(arguments) => approver(arguments, ctx),
    }
}

pub(super) fn read_policy(path: &Path) -> Result<Policy, Error> {
    let bytes = files::read(path, MAX_POLICY)?;
    let policy = Policy::parse(&String::from_utf8_lossy(&bytes));
    policy.map_err(|source| Error::AgentPolicy { path: path.into(), source: Box::new(source) })
}

/// Beside the policy, unless its path is a whole one.
pub(super) fn kill_switch(policy: &Policy, path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).join(&policy.kill_switch)
}

fn drive(arguments: &AgentRunArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let policy = read_policy(&arguments.policy)?;
    let secrets = secret::open(&arguments.agent_key, Content::Agent, &ctx.passphrases)?;
    let [key] = secrets.split::<1>().map_err(|source| Error::Sealed { path: arguments.agent_key.clone(), source })?;
    let dark = policy.dark;
    let limits = Limits { spread: dark.spread, slide: dark.opens_in, dispersion: dark.dispersion };
    let agent = Agent::new(AgentKey::from_bytes(key)?, limits);
    let book = open_book(arguments)?;
    runtime()?.block_on(async {
        let desk = Desk::open(&arguments.settings, ctx).await?;
        let misfit = |source| Error::AgentPolicy { path: arguments.policy.clone(), source: Box::new(source) };
        policy.check_deployment(&desk.deployment).map_err(misfit)?;
        if agent.public() != desk.deployment.agent_key.0 {
            return Err(Error::AgentKey { path: arguments.agent_key.clone() });
        }
        let signer = KeySigner::new(desk.wallet()?, Guard::new(policy.clone()));
        let master_key = desk.master_key().await?;
        let evidence = Evidence::new(arguments.envelopes.clone(), agent, desk.deployment.clone());
        let named = policy.contracts.exchange.map_or(Parts::Real, |market| Parts::Named(market.exchange()));
        let means = Means {
            chain: &desk.node.chain,
            deployment: &desk.deployment,
            policy: &policy,
            evidence: &evidence,
            signer: &signer,
            master_key: &master_key,
            parts: if desk.node.is_local() { Parts::Any } else { named },
            kill_switch: kill_switch(&policy, &arguments.policy),
            approvals: arguments.approvals.clone(),
            clock: Clock::of(&desk.node.chain),
        };
        let mut driver = Driver::new(means, book);
        tell_limits(&policy, arguments.execute, ctx);
        turns(&mut driver, arguments, &desk, ctx).await
    })
}

/// A dry run reads a journal that is there, and begins none.
fn open_book(arguments: &AgentRunArgs) -> Result<Book, Error> {
    let path = &arguments.journal;
    let failed = |source| Error::AgentJournal { path: path.clone(), source: Box::new(source) };
    if arguments.execute {
        return Ok(Book::Journal(Box::new(Journal::open(path).map_err(failed)?)));
    }
    let state = if path.exists() { journal::verify(path, |_| ()).map_err(failed)?.1 } else { Default::default() };
    Ok(Book::Dry(Box::new(state)))
}

fn tell_limits(policy: &Policy, execute: bool, ctx: &Context<'_>) {
    let intro = if execute { "this run sends transactions" } else { "a dry run: nothing is sent; --execute sends" };
    ctx.ui.note(intro);
    words_of(policy).iter().for_each(|line| ctx.ui.note(line));
}

/// One turn after the other until nothing more can be done, or for ever.
async fn turns(
    driver: &mut Driver<'_>,
    arguments: &AgentRunArgs,
    desk: &Desk<'_>,
    ctx: &Context<'_>,
) -> Result<Answer, Error> {
    let mut rng = ctx.rng()?;
    if arguments.execute {
        driver.begin().await.map_err(|error| of_drive(error, desk))?;
    }
    let mut told = None;
    let pause = Duration::from_secs(arguments.every);
    loop {
        match driver.turn(&mut rng).await {
            Ok(Turn::Went(words)) => tell("did", &words, ctx),
            Ok(Turn::Would(words)) => {
                tell("would", &words, ctx);
                return Ok(Answer::Done);
            }
            Ok(Turn::Waits(waiting)) => {
                if told.as_ref() != Some(&waiting) {
                    tell("waits", &[waiting.to_string()], ctx);
                }
                if !arguments.execute || (arguments.once && !matches!(waiting, Waiting::UnderWay { .. })) {
                    return Ok(if waiting == Waiting::Idle { Answer::Done } else { Answer::No });
                }
                told = Some(waiting);
                tokio::time::sleep(pause).await;
            }
            // a node that is away for a moment ends no run; a journal that cannot be written does
            Err(error @ (DriveError::Chain(_) | DriveError::Lies { .. })) if !arguments.once && arguments.execute => {
                ctx.ui.note(&of_drive(error, desk).to_string());
                tokio::time::sleep(pause).await;
            }
            Err(error) => return Err(of_drive(error, desk)),
        }
    }
}

fn tell(what: &str, words: &[String], ctx: &Context<'_>) {
    let lines: Vec<String> = words.iter().map(|line| format!("{what}: {}", plain(line))).collect();
    ctx.ui.result(&lines, &json!({ what: words }));
}

/// What came from a node or a file must not steer the terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn of_drive(error: DriveError, desk: &Desk<'_>) -> Error {
    match error {
        DriveError::Chain(error) => desk.node.error(&error).into(),
        other => Error::AgentRun(Box::new(other)),
    }
}

fn check_policy(arguments: &CheckPolicyArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let policy = read_policy(&arguments.policy)?;
    if let Some(path) = &arguments.deployment {
        let misfit = |source| Error::AgentPolicy { path: arguments.policy.clone(), source: Box::new(source) };
        policy.check_deployment(&read_deployment(path)?).map_err(misfit)?;
    }
    let object = json!({ "digest": policy.digest(), "policy": policy });
    ctx.ui.result(&words_of(&policy), &object);
    Ok(Answer::Done)
}

/// What a policy allows, in words.
fn words_of(policy: &Policy) -> Vec<String> {
    let (contracts, limits, route) = (&policy.contracts, &policy.limits, &policy.route);
    let mut words = vec![
        format!(
            "chain {}, events {} blocks deep; everything goes to the reserve {}",
            policy.chain_id, policy.depth, contracts.reserve
        ),
        format!(
            "at most {} dollars an action and {} a day, {} attempts, {} requests a day, a pause of {} s",
            limits.per_action, limits.per_day, limits.attempts, limits.requests_per_day, limits.cooldown
        ),
        match contracts.exchange {
            Some(market) => format!(
                "swaps at {} below {} dollars and {} bp, never above {} dollars for a coin",
                market.router, route.ceiling, route.impact, route.price
            ),
            None => "no exchange: everything goes through the dark pool".to_owned(),
        },
    ];
    words.push(match &policy.approval {
        Some(rule) => format!("above {} dollars {} of {} persons approve", rule.above, rule.persons, rule.keys.len()),
        None => "nobody approves anything".to_owned(),
    });
    words.extend(policy.buffer.map(|buffer| {
        format!("once the reserve is solvent, {} units at most every {} s until its aim", buffer.lot, buffer.every)
    }));
    words.push(format!("stopped while {} is there", policy.kill_switch));
    words.iter().map(|line| plain(line)).collect()
}

fn tell_journal(arguments: &AgentJournalArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let path = &arguments.journal;
    let (mut lines, mut entries) = (Vec::new(), Vec::new());
    let read = journal::verify(path, |line| {
        if let Some(entry) = line.entry() {
            let text = serde_json::to_string(&entry).unwrap_or_default();
            lines.push(plain(&format!("{} {} {text}", line.sequence, line.time)));
            entries.push(json!({ "sequence": line.sequence, "time": line.time, "what": entry }));
        }
    });
    let (head, state) = read.map_err(|source| Error::AgentJournal { path: path.clone(), source: Box::new(source) })?;
    let open = state.open().map(|sent| sent.intent.transaction);
    lines.push(format!("{} lines hold together; the last is {}", head.lines, hex::encode(head.hash)));
    lines.extend(open.map(|transaction| format!("transaction {transaction} is open")));
    let hash = hex::encode(head.hash);
    ctx.ui.result(&lines, &json!({ "lines": head.lines, "hash": hash, "open": open, "entries": entries }));
    Ok(Answer::Done)
}

fn approve(arguments: &ApproveArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    files::check_target(&arguments.out, Replace::Never)?;
    let policy = read_policy(&arguments.policy)?;
    let key = read_key(&arguments.key)?;
    let action = B256::from(arguments.action.0);
    let failed = |source| Error::AgentJournal { path: arguments.journal.clone(), source: Box::new(source) };
    let (_, state) = journal::verify(&arguments.journal, |_| ()).map_err(failed)?;
    let doing = approval::named(&state, &policy, &action)
        .ok_or_else(|| Error::AgentAction { path: arguments.journal.clone(), action })?;
    let misfit = |source| Error::AgentPolicy { path: arguments.policy.clone(), source: Box::new(source) };
    let made = Approval::make(&policy, &key, action).map_err(misfit)?;
    let text = serde_json::to_vec(&made)
        .map_err(|error| Error::Write { path: arguments.out.clone(), source: error.into() })?;
    files::write(&arguments.out, &text, Audience::Everyone, Replace::Never)?;
    let what = serde_json::to_string(&doing.item).unwrap_or_default();
    let (event, block) = (doing.event.sequence, doing.event.block);
    let lines = [
        format!("event {event} in block {block}, to the reserve {}: {what}", policy.contracts.reserve),
        format!("{} approves {action}: {}", made.name, arguments.out.display()),
    ];
    ctx.ui.result(&lines, &json!({ "action": action, "name": made.name, "event": event, "item": doing.item }));
    Ok(Answer::Done)
}

fn read_key(path: &Path) -> Result<Zeroizing<[u8; 32]>, Error> {
    let bytes = secret::read_private(path, MAX_KEY)?;
    let mut key = Zeroizing::new([0; 32]);
    let text = bytes.trim_ascii();
    hex::decode_to_slice(text, key.as_mut_slice()).map_err(|_| NetworkError::Key { path: path.into() })?;
    Ok(key)
}

fn approver(arguments: &ApproverArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    files::check_target(&arguments.out, Replace::Never)?;
    let key: Zeroizing<[u8; 32]> = Zeroizing::new(random(&mut ctx.rng()?));
    let text = Zeroizing::new(format!("{}\n", hex::encode(key.as_slice())));
    files::write(&arguments.out, text.as_bytes(), Audience::Owner, Replace::Never)?;
    let public = hex::encode(approval::public(&key));
    ctx.ui.result(&[format!("{public}: put it under [approval.keys] of the policy")], &json!({ "public": public }));
    Ok(Answer::Done)
}
