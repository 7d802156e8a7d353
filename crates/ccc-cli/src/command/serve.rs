//! `ccc serve`: the page on which one sees a reserve heal.

use super::{Context, agent, recover::token};
use crate::{
    cli::ServeArgs,
    error::Error,
    files::{self, Audience, Replace},
    network::{Node, Settings, read_deployment, runtime},
    pool::random,
    ui::{Answer, one_line},
};
use ccc_chain::deploy;
use ccc_page::{
    agent_files::AgentFiles,
    board::Board,
    chain::Looking,
    desk::Desk,
    feed::Feed,
    hub::Hub,
    limits::{Limits, Rates},
    model::Mode,
    page::Page,
    server::Server,
    session::Sessions,
    simulation::{Simulation, Sizes},
    webhook::Webhook,
};
use serde_json::{Value, json};
use std::{path::Path, sync::Arc, sync::PoisonError, sync::RwLock, time::Duration};
use zeroize::Zeroizing;

/// From one reading of a feed to the next.
const FEED_EVERY: Duration = Duration::from_secs(30);

pub(super) fn run(arguments: &ServeArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let settings = Settings::read(&(&arguments.read).into())?;
    let mode = if settings.deployment.is_some() { Mode::Chain } else { Mode::Simulation };
    let page = Arc::new(page(arguments, mode, ctx)?);
    let webhook = webhook(arguments)?;
    runtime()?.block_on(async {
        if mode == Mode::Chain || arguments.feed.is_some() {
            look(arguments, &settings, mode, &page, ctx).await?;
        }
        if let Some(webhook) = webhook {
            let desk = Arc::clone(&page.desk);
            tokio::spawn(webhook.run(page.board.changes(), move |trouble| desk.note(trouble)));
        }
        tokio::spawn(grow_old(Arc::clone(&page.board)));
        let server = Server::serve(arguments.listen, Arc::clone(&page)).await?;
        say(&server, arguments, mode, ctx);
        ended(arguments.seconds).await;
        if let Some(simulation) = &page.simulation {
            simulation.halt(true);
        }
        server.stop().await;
        Ok(Answer::Done)
    })
}

fn page(arguments: &ServeArgs, mode: Mode, ctx: &Context<'_>) -> Result<Page, Error> {
    let hub = Hub::new(hex::encode(random::<8>(&mut ctx.rng()?)));
    let board = Board::new(Arc::clone(&hub), mode);
    let desk = Arc::new(Desk::default());
    let sizes = Sizes { participants: arguments.participants, makers: arguments.makers };
    let simulation = || Simulation::new(Arc::clone(&board), Arc::clone(&desk), sizes);
    Ok(Page {
        simulation: (mode == Mode::Simulation).then(simulation),
        sessions: sessions(arguments, ctx)?,
        agent: agent_files(arguments)?.map(Arc::new),
        feed: RwLock::new(Value::Null),
        names: arguments.name.clone(),
        limits: Limits::default(),
        rates: Rates::default(),
        board,
        hub,
        desk,
    })
}

/// The token of a file; a fresh one where there is no file.
fn sessions(arguments: &ServeArgs, ctx: &Context<'_>) -> Result<Option<Sessions>, Error> {
    let Some(path) = &arguments.operator_token_file else { return Ok(None) };
    if !files::is_stream(path) && !path.exists() {
        let fresh = Zeroizing::new(format!("{}\n", hex::encode(random::<32>(&mut ctx.rng()?))));
        files::write(path, fresh.as_bytes(), Audience::Owner, Replace::Never)?;
        ctx.ui.note(&format!("{} has a fresh token", path.display()));
    }
    Ok(Some(Sessions::new(&token(path)?, Duration::from_secs(arguments.session))?))
}

fn agent_files(arguments: &ServeArgs) -> Result<Option<AgentFiles>, Error> {
    let (Some(path), Some(journal)) = (&arguments.agent_policy, &arguments.agent_journal) else { return Ok(None) };
    let policy = agent::read_policy(path)?;
    let kill_switch = agent::kill_switch(&policy, path);
    Ok(Some(AgentFiles { policy, journal: journal.clone(), kill_switch, approvals: arguments.agent_approvals.clone() }))
}

fn webhook(arguments: &ServeArgs) -> Result<Option<Webhook>, Error> {
    let (Some(url), Some(file)) = (&arguments.webhook, &arguments.webhook_secret_file) else { return Ok(None) };
    let secret = Zeroizing::new(token(Path::new(file))?.as_bytes().to_vec());
    Ok(Some(Webhook::new(url, secret)?))
}

/// Begins to look at the chain, and at a feed there.
async fn look(
    arguments: &ServeArgs,
    settings: &Settings,
    mode: Mode,
    page: &Arc<Page>,
    ctx: &Context<'_>,
) -> Result<(), Error> {
    let node = Node::connect(settings).await?;
    if mode == Mode::Chain {
        let deployment = read_deployment(settings.deployment()?)?;
        deploy::check_place(&node.chain, &deployment).await.map_err(|error| node.error(&error))?;
        let looking = Looking::new(node.chain.clone(), deployment, Arc::clone(&page.board)).await;
        let mut looking = looking.map_err(|error| node.error(&error))?;
        looking.look().await.map_err(|error| node.error(&error))?;
        let desk = Arc::clone(&page.desk);
        let every = Duration::from_secs(arguments.every);
        tokio::spawn(looking.run(every, move |error| desk.note(one_line(&error.to_string()))));
    }
    if let Some(address) = arguments.feed {
        let feed = Feed { address, decimals: arguments.feed_decimals, most_age: arguments.feed_age };
        // wrong decimals are a mistake of the caller's, and told at the start; what passes is told on the page
        if let Err(error) = feed.read(&node.chain).await {
            feed_trouble(&error, ctx)?;
        }
        tokio::spawn(read_feed(feed, node.chain.clone(), Arc::clone(page)));
    }
    Ok(())
}

fn feed_trouble(error: &ccc_page::feed::NoAnswer, ctx: &Context<'_>) -> Result<(), Error> {
    if let ccc_page::feed::NoAnswer::Decimals { .. } = error {
        return Err(Error::Feed { reason: error.to_string() });
    }
    ctx.ui.note(&one_line(&error.to_string()));
    Ok(())
}

async fn read_feed(feed: Feed, chain: ccc_chain::Chain, page: Arc<Page>) {
    loop {
        let shown = match feed.read(&chain).await {
            Ok(answer) => json!({ "answer": answer }),
            Err(error) => json!({ "trouble": error.word(), "feed": feed.address }),
        };
        let changed = {
            let mut kept = page.feed.write().unwrap_or_else(PoisonError::into_inner);
            let changed = *kept != shown;
            kept.clone_from(&shown);
            changed
        };
        if changed {
            page.hub.publish("feed", &shown);
        }
        tokio::time::sleep(FEED_EVERY).await;
    }
}

/// An answer gets too old by itself.
async fn grow_old(board: Arc<Board>) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        board.set_status(|_| {});
    }
}

fn say(server: &Server, arguments: &ServeArgs, mode: Mode, ctx: &Context<'_>) {
    if mode == Mode::Simulation {
        ctx.ui.note("simulated: the enclave's hardware, the custodian, the price feed and the tokens");
    }
    match &arguments.operator_token_file {
        Some(path) => {
            ctx.ui.note(&format!("sign in at {}/operator with the token in {}", server.url(), path.display()))
        }
        None => ctx.ui.note("without --operator-token-file the page has no desk, and nobody can start a run"),
    }
    ctx.ui.result(&[server.url()], &json!({ "url": server.url(), "mode": mode, "pid": std::process::id() }));
}

async fn ended(seconds: Option<u64>) {
    let time = async {
        match seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = time => {}
        _ = tokio::signal::ctrl_c() => {}
        () = terminated() => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
