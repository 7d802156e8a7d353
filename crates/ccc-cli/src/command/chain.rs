//! `ccc chain`: the embedded chain over JSON-RPC on loopback.

use super::Context;
use crate::{
    cli::ServeChainArgs,
    error::Error,
    network::{KNOWN_TO_ALL, NetworkError, runtime},
    ui::Answer,
};
use alloy::primitives::Address;
use ccc_chain::{
    EmbeddedConfig,
    embedded::{ChainServer, Clock, EmbeddedTransport},
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(super) fn run(arguments: &ServeChainArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    runtime()?.block_on(async {
        let address = ([127, 0, 0, 1], arguments.port).into();
        let (config, clock) = config(arguments);
        let server = ChainServer::serve(address, EmbeddedTransport::new(&config), clock).await;
        let server = server.map_err(NetworkError::from)?;
        ctx.ui.note("an execution environment: no trie, no mempool, no reorganisations; its state ends with it");
        let object = serde_json::json!({ "url": server.url(), "chain_id": config.chain_id, "accounts": config.rich });
        ctx.ui.result(&[server.url()], &object);
        match arguments.seconds {
            Some(seconds) => drop(tokio::time::timeout(Duration::from_secs(seconds), ended(server)).await),
            None => ended(server).await,
        }
        Ok(Answer::Done)
    })
}

/// Until the server ends or somebody interrupts it.
async fn ended(server: ChainServer) {
    tokio::select! {
        () = server.wait() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

fn config(arguments: &ServeChainArgs) -> (EmbeddedConfig, Clock) {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs());
    let (genesis_time, clock) = match arguments.genesis_time {
        Some(time) => (time, Clock::Blocks),
        None => (now(), Clock::Machine),
    };
    let own = arguments.fund.iter().map(|address| Address::from(address.0));
    let rich = KNOWN_TO_ALL.into_iter().chain(own).collect();
    (EmbeddedConfig { chain_id: arguments.chain_id, genesis_time, rich }, clock)
}
