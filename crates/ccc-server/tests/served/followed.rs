//! What a follower believes of a chain.

use crate::scene::Scene;
use alloy::providers::Provider;
use ccc_server::follow::{Clock, FollowOptions, Follower, Memory, NotReady, Seen};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, atomic::Ordering::SeqCst};

async fn follower(scene: &Scene) -> Follower {
    let clock: Arc<dyn Clock> = Arc::clone(&scene.clock) as _;
    Follower::new(&scene.world.chain, &scene.world.deployment, FollowOptions::default(), clock).await.unwrap()
}

async fn control(scene: &Scene, method: &'static str, parameters: Value) -> Value {
    scene.world.chain.provider().raw_request(method.into(), parameters).await.unwrap()
}

/// Otherwise a host could name a block at which an older table was the current one.
#[tokio::test]
async fn n155_a_request_at_an_older_block_is_held_against_the_newest_header() {
    let scene = Scene::new().await;
    let mut follower = follower(&scene).await;
    assert!(matches!(&*follower.followed().snapshot().unwrap_err(), NotReady::Starting));
    follower.look().await.unwrap();
    let older = scene.world.chain.finalised_block().await.unwrap();
    let first = follower.followed().snapshot().unwrap().view(&older.hash.0);
    assert_eq!((first.block_hash, first.version), (older.hash.0, 0));
    scene.world.idle_round().await;
    follower.look().await.unwrap();
    let view = follower.followed().snapshot().unwrap().view(&older.hash.0);
    let header = alloy::primitives::keccak256(1_u64.to_be_bytes()).0;
    assert_eq!((view.block_hash, view.version, view.header_hash), (older.hash.0, 1, header));
    assert!(view.time > older.time);
    let unread = follower.followed().snapshot().unwrap().view(&[9; 32]);
    assert_ne!(unread.block_hash, [9; 32], "a block that was not read is not the one named");
}

/// Another chain behind the same address, or one that undid what was final.
#[tokio::test]
async fn n155_a_chain_that_goes_back_is_not_believed() {
    let mut scene = Scene::new().await;
    let mut follower = follower(&scene).await;
    let before = control(&scene, "evm_snapshot", json!([])).await;
    scene.submit(1, b"sell 25").await;
    follower.look().await.unwrap();
    control(&scene, "evm_revert", json!([before])).await;
    assert!(matches!(&*follower.look().await.unwrap_err(), NotReady::WentBack { .. }));
    assert!(follower.followed().snapshot().is_err());
    scene.submit(2, b"another").await;
    assert!(matches!(&*follower.look().await.unwrap_err(), NotReady::WentBack { .. }));
}

/// What a test remembers, and whether its medium works.
#[derive(Default)]
struct Remembered(Mutex<Option<Seen>>, Mutex<bool>);

impl Memory for Remembered {
    fn last(&self) -> Result<Option<Seen>, String> {
        if *self.1.lock().unwrap() { Err("the medium failed".into()) } else { Ok(*self.0.lock().unwrap()) }
    }

    fn keep(&self, seen: &Seen) -> Result<(), String> {
        if *self.1.lock().unwrap() {
            return Err("the medium failed".into());
        }
        *self.0.lock().unwrap() = Some(*seen);
        Ok(())
    }
}

/// A follower as a restart makes it, of what was seen before.
async fn restarted(scene: &Scene, seen: Seen) -> Result<(), Arc<NotReady>> {
    let memory = Remembered(Mutex::new(Some(seen)), Mutex::default());
    follower(scene).await.remembering(Arc::new(memory)).unwrap().look().await
}

#[tokio::test]
async fn n155_what_was_seen_of_the_chain_is_held_against_it_after_a_restart() {
    let scene = Scene::new().await;
    let memory = Arc::new(Remembered::default());
    let mut first = follower(&scene).await.remembering(Arc::clone(&memory) as Arc<dyn Memory>).unwrap();
    first.look().await.unwrap();
    let older = scene.world.chain.finalised_block().await.unwrap();
    scene.world.idle_round().await;
    first.look().await.unwrap();
    let seen = memory.0.lock().unwrap().unwrap();
    let newest = scene.world.chain.finalised_block().await.unwrap();
    assert_eq!((seen.number, seen.hash, seen.version), (newest.number, newest.hash.0, 1));
    let mut again = follower(&scene).await.remembering(Arc::clone(&memory) as Arc<dyn Memory>).unwrap();
    again.look().await.unwrap();
    let view = again.followed().snapshot().unwrap().view(&older.hash.0);
    assert_eq!(view.block_hash, older.hash.0, "blocks from before the one that was seen serve too");
    let number = seen.number + 1;
    let refused = restarted(&scene, Seen { number, ..seen }).await.unwrap_err();
    assert!(matches!(&*refused, NotReady::WentBack { number: found } if *found == number), "{refused}");
    let refused = restarted(&scene, Seen { hash: [9; 32], ..seen }).await.unwrap_err();
    assert!(matches!(&*refused, NotReady::WentBack { number } if *number == seen.number), "{refused}");
    let refused = restarted(&scene, Seen { version: 2, ..seen }).await.unwrap_err();
    assert!(matches!(&*refused, NotReady::OlderTable { found: 1, last: 2 }), "{refused}");
    assert!(restarted(&scene, seen).await.is_ok());
}

/// What is not remembered is not told.
#[tokio::test]
async fn n155_a_memory_that_fails_stops_shares() {
    let scene = Scene::new().await;
    let memory = Arc::new(Remembered::default());
    let mut follower = follower(&scene).await.remembering(Arc::clone(&memory) as Arc<dyn Memory>).unwrap();
    *memory.1.lock().unwrap() = true;
    assert!(matches!(&*follower.look().await.unwrap_err(), NotReady::Memory { .. }));
    assert!(follower.followed().snapshot().is_err());
    *memory.1.lock().unwrap() = false;
    follower.look().await.unwrap();
    assert!(follower.followed().snapshot().is_ok());
    *memory.1.lock().unwrap() = true;
    let again = self::follower(&scene).await.remembering(memory);
    assert!(matches!(again.err(), Some(NotReady::Memory { .. })));
}

/// What was read is answered from for as long as a block may be old, whatever the endpoint does meanwhile: a look that never
/// ends keeps no revocation out.
#[tokio::test]
async fn n099_what_was_read_long_ago_is_not_answered_from() {
    let scene = Scene::new().await;
    let mut follower = follower(&scene).await;
    follower.look().await.unwrap();
    let read = scene.clock.now();
    scene.clock.0.store(read + 300, SeqCst);
    assert!(follower.followed().snapshot().is_ok(), "the last second");
    scene.clock.0.store(read + 301, SeqCst);
    let unread = follower.followed().snapshot().unwrap_err();
    assert!(matches!(*unread, NotReady::Unread { read: at, clock } if (at, clock) == (read, read + 301)), "{unread}");
}

/// Blocks go on and none becomes final: what was decided meanwhile is not read, so nothing is said.
#[tokio::test]
async fn n099_a_chain_of_which_nothing_becomes_final_is_not_answered_from() {
    let scene = Scene::new().await;
    let options = FollowOptions { final_behind: 60, ..FollowOptions::default() };
    let clock: Arc<dyn Clock> = Arc::clone(&scene.clock) as _;
    let mut follower = Follower::new(&scene.world.chain, &scene.world.deployment, options, clock).await.unwrap();
    let last = scene.world.chain.finalised_block().await.unwrap().time;
    scene.clock.0.store(last + 60, SeqCst);
    follower.look().await.unwrap();
    scene.clock.0.store(last + 61, SeqCst);
    let late = |found: Arc<NotReady>| matches!(*found, NotReady::NotFinal { block, clock } if (block, clock) == (last, last + 61));
    assert!(late(follower.followed().snapshot().unwrap_err()), "read in time, and asked late");
    assert!(late(follower.look().await.unwrap_err()), "read late");
    assert!(late(follower.followed().snapshot().unwrap_err()));
}
