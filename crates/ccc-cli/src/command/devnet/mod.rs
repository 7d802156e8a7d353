//! `ccc devnet`: a chain in this process, and vault nodes, enclaves and signers as processes of the same program.

mod files;
mod network;
mod processes;

use super::{
    Context,
    recover::{Screen, refuse_leaks, summary},
};
use crate::{
    cli::DevnetArgs,
    error::Error,
    files as disk,
    network::{NetworkError, runtime},
    ui::{Answer, Ui},
};
use alloy::eips::BlockId;
use ccc_chain::{
    Chain, ConnectOptions, EmbeddedConfig,
    embedded::{ChainServer, Clock, EmbeddedTransport},
};
use ccc_node::{
    recovery::{Founded, RecoveryError, RecoveryOptions, RecoveryReport},
    scenario::Scenario,
    timeline::{Observer, Timeline},
};
use network::{Network, Plan, Shared};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tempfile::TempDir;

const CHAIN_ID: u64 = 31_337;
/// From one empty block to the next.
const BEAT: Duration = Duration::from_secs(1);
/// Seconds by which the chain's time is behind at first. Each transaction is a block, and blocks are a second apart: what is
/// deployed and paid in at the start would otherwise take the chain ahead of the nodes' clocks.
const LAG: u64 = 150;
/// From one look at the processes to the next.
const LOOK: Duration = Duration::from_secs(1);

/// A directory of the caller's, or one that goes with the command.
enum Place {
    Kept(PathBuf),
    Temporary(TempDir),
}

impl Place {
    fn new(directory: Option<&PathBuf>) -> Result<Self, Error> {
        let Some(directory) = directory else {
            let made = tempfile::Builder::new().prefix("ccc-devnet-").tempdir();
            return made.map(Self::Temporary).map_err(Error::Runtime);
        };
        disk::check_empty(directory)?;
        disk::directory(directory)?;
        Ok(Self::Kept(directory.clone()))
    }

    fn path(&self) -> PathBuf {
        match self {
            Self::Kept(path) => path.clone(),
            Self::Temporary(directory) => directory.path().to_path_buf(),
        }
    }
}

/// The chain, served; it ends with this.
struct Served {
    server: ChainServer,
    beat: tokio::task::JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.beat.abort();
    }
}

impl Served {
    /// A chain with a block every second, between [`LAG`] behind the machine's time and that time: nodes do not believe one
    /// that stands still, or that is ahead of them.
    async fn start() -> Result<Self, Error> {
        let config = EmbeddedConfig { chain_id: CHAIN_ID, genesis_time: now() - LAG, rich: Vec::new() };
        let any = ([127, 0, 0, 1], 0).into();
        let server = ChainServer::serve(any, EmbeddedTransport::new(&config), Clock::Blocks).await;
        let server = server.map_err(NetworkError::from)?;
        let chain = Chain::connect(&server.url(), &ConnectOptions::default()).await.map_err(RecoveryError::from)?;
        let beat = tokio::spawn(async move {
            loop {
                tokio::time::sleep(BEAT).await;
                if let Ok(newest) = chain.block(BlockId::latest()).await {
                    let next = newest.time.saturating_add(1).min(now()).max(now() - LAG);
                    let _next_second = chain.advance_time(next).await;
                }
            }
        });
        Ok(Self { server, beat })
    }
}

pub(super) fn run(arguments: &DevnetArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let place = Place::new(arguments.dir.as_ref())?;
    let scenario = Scenario { participants: arguments.vaults, makers: arguments.makers, ..Scenario::default() };
    scenario.validate()?;
    let options = RecoveryOptions { scenario, ..RecoveryOptions::default() };
    let plan = Plan { directory: place.path(), enclaves: arguments.enclaves, cadence: arguments.cadence };
    ctx.ui.note("simulated: the enclaves' hardware, the custodian, the price feed, the tokens and the chain");
    runtime()?.block_on(async {
        tokio::select! {
            ran = go_on(arguments, options, plan, ctx.ui) => ran,
            () = ended(arguments.seconds) => Ok(Answer::Done),
        }
    })
}

/// Starts everybody, runs what is asked for, and shows who is up until it is dropped.
async fn go_on(arguments: &DevnetArgs, options: RecoveryOptions, plan: Plan, ui: &Ui) -> Result<Answer, Error> {
    let chain = Served::start().await?;
    let options = RecoveryOptions { rpc_url: Some(chain.server.url()), ..options };
    let network = Network::new(plan, chain.server.url());
    let mut screen = Screen::new(ui);
    let mut timeline = Timeline::new(&mut screen);
    let founded = Founded::new(&options, Some(Box::new(Shared(Arc::clone(&network)))), &mut timeline).await?;
    timeline.close();
    show_started(&network, ui);
    let _custodian = if arguments.run {
        let (report, custodian) = founded.recover(timeline).await?;
        conclude(&report, ui)?;
        custodian
    } else {
        drop(timeline);
        founded.leave()
    };
    watch(&network, ui).await
}

/// One recovery, against processes that end with it.
///
/// # Errors
/// Those of the recovery, and of starting processes.
pub(super) fn recover(options: RecoveryOptions, observer: &mut dyn Observer) -> Result<RecoveryReport, Error> {
    let place = Place::new(None)?;
    let plan = Plan { directory: place.path(), enclaves: 1, cadence: 6 };
    runtime()?.block_on(async {
        let chain = Served::start().await?;
        let options = RecoveryOptions { rpc_url: Some(chain.server.url()), ..options };
        let network = Network::new(plan, chain.server.url());
        let mut timeline = Timeline::new(observer);
        let founded = Founded::new(&options, Some(Box::new(Shared(network))), &mut timeline).await?;
        Ok(founded.recover(timeline).await?.0)
    })
}

fn conclude(report: &RecoveryReport, ui: &Ui) -> Result<(), Error> {
    refuse_leaks(&report.leaks())?;
    let summary = &report.summary;
    let line = format!("the reserve was {} and is {}", summary.initial_status, summary.final_status);
    ui.result(&[line], &serde_json::json!({ "recovery": self::summary(report)? }));
    Ok(())
}

fn show_started(network: &Arc<Mutex<Network>>, ui: &Ui) {
    let network = network::locked(network);
    let mut lines = vec![format!("chain {}, files in {}", network.chain, network.plan.directory.display())];
    lines.extend(network.processes.lines());
    let object = serde_json::json!({
        "chain": network.chain, "directory": network.plan.directory, "processes": network.processes.objects(),
    });
    ui.result(&lines, &object);
}

/// Who is up, whenever it changes.
async fn watch(network: &Arc<Mutex<Network>>, ui: &Ui) -> Result<Answer, Error> {
    loop {
        tokio::time::sleep(LOOK).await;
        let asked = network::locked(network).processes.operations();
        let mut states = Vec::new();
        for (place, address) in asked {
            states.push((place, processes::ready(address).await));
        }
        let mut network = network::locked(network);
        for process in network.processes.changed(states) {
            ui.result(&[process.line()], &process.object());
        }
    }
}

/// Ctrl-c, SIGTERM, or the time that was given.
async fn ended(seconds: Option<u64>) {
    super::node::interrupted(seconds).await;
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(LAG, |passed| passed.as_secs().max(LAG))
}
