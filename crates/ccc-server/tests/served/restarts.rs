//! Restarts while clients ask, and a chain's node that has no address.

use crate::files::{config, held, public, served, start};
use ccc_chain::ChainError;
use ccc_core::envelope::Envelope;
use ccc_node::vault_node::Ask;
use ccc_server::{client::Connection, frame::Reply, server::Stop, service::StartError};
use std::{collections::BTreeMap, time::Duration};

/// Calls that run while the node stops end in an answer or not at all; what one client was given, everybody is given after
/// the restart.
#[tokio::test]
async fn n155_a_restart_under_load_gives_no_second_answer() {
    let (mut scene, chain) = served().await;
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), &chain.url(), &scene.host.public());
    let order = scene.submit(1, b"sell 25").await;
    let key = scene.members[0].0.public_keys().signing_key();
    let mut asks: Vec<Ask> = Vec::new();
    for id in 1..=24 {
        asks.push(scene.attempt(id, &order).await.ask);
    }
    let mut given: BTreeMap<usize, Envelope> = BTreeMap::new();
    for round in 0..3 {
        let service = start(&scene, &config, &held(&scene, 0, 0), public(&scene)).await.unwrap();
        let address = service.addresses().unwrap()[0];
        let (stop, stopped) = Stop::new();
        let task = tokio::spawn(service.run(stopped));
        let connection = Connection::open(&scene.host, address, key).await.unwrap();
        let load = async {
            let mut replies = Vec::new();
            for (index, ask) in asks.iter().enumerate().cycle().skip(7 * round) {
                match connection.ask(std::slice::from_ref(ask)).await {
                    Ok(mut reply) => replies.extend(reply.pop().map(|reply| (index, reply))),
                    Err(_) => return replies,
                }
            }
            replies
        };
        let stopping = async {
            tokio::time::sleep(Duration::from_millis(400)).await;
            stop.stop();
        };
        let (replies, ()) = tokio::join!(load, stopping);
        drop(connection);
        task.await.unwrap();
        assert!(!replies.is_empty());
        for (index, reply) in replies {
            let Reply::Answered(envelope) = reply else { panic!("{reply:?}") };
            let first = given.entry(index).or_insert_with(|| (*envelope).clone());
            assert_eq!(*first, *envelope, "ask {index}");
        }
    }
    assert!(given.len() > 7, "{} asks were answered", given.len());
}

#[tokio::test]
async fn n155_a_chain_whose_name_has_no_address_is_refused() {
    let (scene, chain) = served().await;
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), &chain.url(), &scene.host.public());
    config.node.rpc_url = "http://nowhere.invalid:8545".to_owned();
    let refused = start(&scene, &config, &held(&scene, 0, 0), public(&scene)).await.err();
    assert!(matches!(refused, Some(StartError::Chain(ChainError::Rpc(_)))), "{refused:?}");
    config.node.rpc_url = chain.url();
    start(&scene, &config, &held(&scene, 0, 0), public(&scene)).await.unwrap();
}
