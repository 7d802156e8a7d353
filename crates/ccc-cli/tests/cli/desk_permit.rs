//! A deposit by one transaction: the pool's allowance is a signature within it.

use super::desk::{Desk, on, wallet};
use alloy::{eips::BlockId, primitives::U256};
use ccc_chain::{Actions, read};

#[test]
fn a_permit_takes_the_place_of_an_approval() {
    let desk = Desk::new();
    let dry = desk.done("deposit --asset base --amount 3000 --permit --dry-run");
    assert_eq!((dry["sent"].as_bool(), dry["transactions"].as_array().map(Vec::len)), (Some(false), Some(1)));
    assert_eq!(dry["transactions"][0]["what"], "the deposit with its permit");
    let sent = desk.done("deposit --asset base --amount 3000 --permit");
    assert_eq!(sent["transactions"].as_array().map(Vec::len), Some(1), "{sent}");
    on(async {
        let (chain, latest) = (desk.chain().await, BlockId::latest());
        let (token, pool) = (desk.deployment.tokens[0].address, desk.deployment.pool);
        let left = read::allowance(&chain, token, wallet().address(), pool, latest).await.expect("read");
        assert_eq!(left, U256::ZERO, "nothing stays behind");
        assert_eq!(read::token_balance(&chain, token, pool, latest).await.expect("read"), U256::from(3_000));
    });
    // an allowance that is there already is used
    on(async {
        let chain = desk.chain().await;
        Actions::new(&chain, &desk.deployment).approve(&wallet(), 0, U256::from(2_000)).await.expect("approved");
    });
    let sent = desk.done("deposit --asset base --amount 2000 --permit");
    assert_eq!(sent["transactions"][0]["what"], "the deposit");
    desk.refused("deposit --asset base --amount 9000000 --permit", "balance");
    desk.refused("deposit --asset base --amount 1000 --permit --no-approve", "usage");
}
