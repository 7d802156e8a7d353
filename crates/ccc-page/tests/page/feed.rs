//! A feed on a chain: its decimals, its age, its sign.

use alloy::primitives::B256;
use ccc_chain::{
    Actions, Chain, Deployment, DeploymentPlan, EmbeddedConfig, Wallet,
    deploy::{self, FeedPlan, PoolTimes, Signers, TokenPlan, Workflow},
};
use ccc_page::{
    board::Board,
    chain::Looking,
    clock,
    feed::{Feed, NoAnswer},
    hub::Hub,
    model::Mode,
};

/// A deployment on an embedded chain whose time is this machine's.
async fn deployed() -> (Chain, Wallet, Deployment) {
    let config = EmbeddedConfig { chain_id: 31_337, genesis_time: clock::now() - 600, rich: Vec::new() };
    let chain = Chain::embedded(&config);
    let wallet = Wallet::from_key(&[7; 32]).expect("a wallet");
    chain.fund(wallet.address()).await.expect("funded");
    let mut workflow_id = B256::repeat_byte(0x33);
    workflow_id[0] = 0;
    let plan = DeploymentPlan {
        signers: Signers {
            don_id: 1,
            config_version: 1,
            f: 1,
            addresses: (1..=4).map(alloy::primitives::Address::repeat_byte).collect(),
        },
        workflow: Workflow { id: workflow_id, owner: wallet.address(), epoch: 1 },
        reserve: wallet.address(),
        agent_key: B256::repeat_byte(9),
        max_age: 3_600,
        table_id: B256::repeat_byte(0x66),
        tokens: vec![TokenPlan { name: "WBTC".into(), symbol: "WBTC".into(), decimals: 8, lot: 1_000 }],
        feed: FeedPlan { decimals: 8, description: "WBTC reserves".into() },
        times: PoolTimes { fill_window: 300, max_delay: 3_600, exit_delay: 86_400 },
    };
    let deployment = deploy::deploy(&chain, &wallet, &plan).await.expect("deployed");
    (chain, wallet, deployment)
}

#[tokio::test]
async fn a_feed_is_shown_while_its_decimals_and_its_age_are_right() {
    let (chain, wallet, deployment) = deployed().await;
    let feed = Feed { address: deployment.feed, decimals: 8, most_age: 900 };
    assert!(matches!(feed.read(&chain).await, Err(NoAnswer::None)));
    let time = chain.block(alloy::eips::BlockId::latest()).await.expect("a block").time;
    let actions = Actions::new(&chain, &deployment);
    actions.push_price(&wallet, 12_345_600_000_000, time - 1).await.expect("pushed");
    let answer = feed.read(&chain).await.expect("an answer");
    assert_eq!((answer.reserves.as_str(), answer.time), ("123456.00000000", time - 1));
    let other = Feed { decimals: 18, ..feed };
    assert!(matches!(other.read(&chain).await, Err(NoAnswer::Decimals { expected: 18, found: 8 })));
    let strict = Feed { most_age: 0, ..feed };
    assert!(matches!(strict.read(&chain).await, Err(NoAnswer::Stale { most: 0, .. })));
    let nothing = Feed { address: wallet.address(), ..feed };
    assert!(matches!(nothing.read(&chain).await, Err(NoAnswer::Chain(_))));
}

#[tokio::test]
async fn a_deployment_without_a_report_is_unknown_and_what_it_did_is_seen() {
    let (chain, wallet, deployment) = deployed().await;
    let board = Board::new(Hub::new("a".into()), Mode::Chain);
    let mut looking =
        Looking::new(chain.clone(), deployment.clone(), std::sync::Arc::clone(&board)).await.expect("looking");
    looking.look().await.expect("looked");
    let status = board.status();
    assert_eq!((status.verdict, status.since, status.chain_id), ("unknown", None, Some(31_337)));
    assert!(status.read_at.is_some() && status.trouble.is_none());
    let before = board.transactions().len();
    let time = chain.block(alloy::eips::BlockId::latest()).await.expect("a block").time;
    Actions::new(&chain, &deployment).push_price(&wallet, 5, time - 1).await.expect("pushed");
    looking.look().await.expect("looked");
    let seen = board.transactions();
    assert_eq!(seen.len(), before + 1);
    assert_eq!((seen[0].to.as_str(), seen[0].call.as_str()), ("SimulatedFeed", "push"));
    looking.look().await.expect("looked");
    assert_eq!(board.transactions().len(), seen.len(), "nothing is shown twice");
}
