//! A policy for tests.

#![allow(dead_code, reason = "each test file uses a part")]

use alloy::primitives::{Address, B256};
use ccc_agent::{
    plan::Event,
    policy::{Contracts, Dark, Limits, Market, Policy, Route},
};

pub(crate) const CHAIN: u64 = 31337;
pub(crate) const SIGNER: Address = Address::repeat_byte(0xaa);

pub(crate) fn address(byte: u8) -> Address {
    Address::repeat_byte(byte)
}

pub(crate) fn policy() -> Policy {
    let exchange = Market { factory: address(6), router: address(7), quoter: address(8), pool: address(9), fee: 3_000 };
    Policy {
        chain_id: CHAIN,
        depth: 2,
        kill_switch: "agent.stop".into(),
        contracts: Contracts {
            attestation: address(1),
            pool: address(2),
            reserve: address(3),
            quote: address(4),
            base: address(5),
            base_decimals: 8,
            exchange: Some(exchange),
        },
        route: Route { price: 100_000, ..Route::default() },
        dark: Dark::default(),
        limits: Limits {
            per_action: 1_000,
            per_day: 2_500,
            cooldown: 600,
            attempts: 3,
            requests_per_day: 2,
            gas_price: 500,
            max_statement_age: 600,
        },
        buffer: None,
        approval: None,
    }
}

pub(crate) fn event(sequence: u64, fork: u8, status: u8) -> Event {
    Event {
        sequence,
        block: 10 * sequence,
        block_hash: B256::repeat_byte(fork),
        transaction: B256::repeat_byte(fork ^ 0x55),
        log_index: 0,
        status,
        about: 10 * sequence,
        about_time: 100 * sequence,
        envelope: B256::repeat_byte(7),
    }
}
