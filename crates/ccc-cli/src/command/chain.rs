//! `ccc chain`: the embedded chain over JSON-RPC on loopback.

use super::Context;
use crate::{
    cli::ServeChainArgs,
    error::Error,
    network::{NetworkError, runtime},
    ui::Answer,
};
use alloy::primitives::{Address, address};
use ccc_chain::{
    EmbeddedConfig,
    embedded::{ChainServer, Clock, EmbeddedTransport},
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The accounts of the mnemonic that everybody tries things out with.
const KNOWN_TO_ALL: [Address; 10] = [
    address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
    address!("70997970C51812dc3A010C7d01b50e0d17dc79C8"),
    address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"),
    address!("90F79bf6EB2c4f870365E785982E1f101E93b906"),
    address!("15d34AAf54267DB7D7c367839AAf71A00a2C6A65"),
    address!("9965507D1a55bcC2695C58ba16FB37d819B0A4dc"),
    address!("976EA74026E726554dB657fA54763abd0C3a0aa9"),
    address!("14dC79964da2C08b23698B3D3cc7Ca32193d9955"),
    address!("23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f"),
    address!("a0Ee7A142d267C1f36714E4a8F75612F20a79720"),
];

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
