//! The signer's own reading of a call: what the makers make passes, everything else is refused.

mod common;

use alloy::{
    primitives::{
        Address, B256, Bytes, U256,
        aliases::{U24, U160},
    },
    sol_types::SolCall,
};
use ccc_agent::{
    guard::{Forbidden, Guard, Permitted, Unsigned},
    policy::DOLLAR,
};
use ccc_chain::bindings::{
    CREDarkPool, TestToken,
    uniswap::IUniswapRouter::{ExactInputSingleParams, exactInputSingleCall},
};
use common::{CHAIN, address, policy};
use proptest::prelude::*;

const NOW: u64 = 1_700_000_000;

fn swap() -> ExactInputSingleParams {
    ExactInputSingleParams {
        tokenIn: address(4),
        tokenOut: address(5),
        fee: U24::from(3_000),
        recipient: address(3),
        deadline: U256::from(NOW + 300),
        amountIn: U256::from(1_000 * DOLLAR),
        amountOutMinimum: U256::from(1_000_000),
        sqrtPriceLimitX96: U160::ZERO,
    }
}

fn request(order: &[u8]) -> Vec<u8> {
    let encrypted = Bytes::copy_from_slice(order);
    let call = CREDarkPool::requestCollateralCall { salt: B256::ZERO, deadline: NOW + 60, encryptedOrder: encrypted };
    call.abi_encode()
}

/// Every call that the agent makes, and where it goes.
fn calls() -> [(Address, Vec<u8>, Permitted); 5] {
    let amount = U256::from(1_000 * DOLLAR);
    [
        (
            address(4),
            TestToken::approveCall { spender: address(7), value: amount }.abi_encode(),
            Permitted::Approve { amount: 1_000 * DOLLAR },
        ),
        (
            address(5),
            TestToken::transferCall { to: address(3), value: U256::from(77) }.abi_encode(),
            Permitted::Send { coins: 77 },
        ),
        (
            address(7),
            exactInputSingleCall { params: swap() }.abi_encode(),
            Permitted::Swap { paid: 1_000 * DOLLAR, deadline: NOW + 300 },
        ),
        (
            address(2),
            request(b"a sealed order that is no multiple of a word"),
            Permitted::Request { deadline: NOW + 60 },
        ),
        (address(2), CREDarkPool::cancelCall { requestId: B256::repeat_byte(1) }.abi_encode(), Permitted::Cancel),
    ]
}

fn to(contract: Address, data: Vec<u8>) -> Unsigned {
    Unsigned {
        chain_id: CHAIN,
        nonce: 0,
        to: contract,
        ether: U256::ZERO,
        data: data.into(),
        gas: 300_000,
        fee: 20_000_000_000,
        tip: 1_000_000_000,
    }
}

fn permit(transaction: &Unsigned) -> Result<Permitted, Forbidden> {
    Guard::new(policy()).permit(transaction, NOW)
}

#[test]
fn what_the_agent_makes_is_permitted_at_its_contract_alone() {
    for (contract, data, expected) in calls() {
        assert_eq!(permit(&to(contract, data.clone())), Ok(expected));
        for other in (1..=9).map(address).filter(|other| *other != contract) {
            let refused = permit(&to(other, data.clone()));
            assert!(matches!(refused, Err(Forbidden::Call { .. })), "{other}: {refused:?}");
        }
        for length in 0..data.len() {
            assert!(permit(&to(contract, data[..length].to_vec())).is_err(), "{length} bytes");
        }
        for more in [1, 31, 32, 64] {
            let long = [&data[..], &vec![0; more]].concat();
            assert!(matches!(permit(&to(contract, long)), Err(Forbidden::Layout { .. })), "{more} more");
        }
    }
}

#[test]
fn another_frame_is_refused() {
    let (contract, data, _) = calls()[2].clone();
    let good = to(contract, data);
    let other = Unsigned { chain_id: 1, ..good.clone() };
    assert_eq!(permit(&other), Err(Forbidden::Chain { expected: CHAIN, found: 1 }));
    let bent = [
        ("ether", Unsigned { ether: U256::from(1), ..good.clone() }),
        ("gas", Unsigned { gas: 3_000_001, ..good.clone() }),
        ("the gas price", Unsigned { fee: 500_000_000_001, ..good.clone() }),
        ("the tip", Unsigned { tip: 50_000_000_001, ..good }),
    ];
    for (name, transaction) in bent {
        let refused = permit(&transaction);
        assert!(matches!(&refused, Err(Forbidden::Bound { field, .. }) if *field == name), "{name}: {refused:?}");
    }
}

/// What is wrong with a swap, by the name in its refusal.
type Bent = (&'static str, fn(&mut ExactInputSingleParams));

#[test]
fn a_swap_of_anything_else_is_refused() {
    let bent: [Bent; 10] = [
        ("what is sold", |swap| swap.tokenIn = address(5)),
        ("what is bought", |swap| swap.tokenOut = address(4)),
        ("the pool's fee", |swap| swap.fee = U24::from(500)),
        ("the recipient", |swap| swap.recipient = address(0xaa)),
        ("the deadline", |swap| swap.deadline = U256::from(NOW + 421)),
        ("the deadline", |swap| swap.deadline = U256::from(NOW - 1)),
        ("what is paid", |swap| swap.amountIn = U256::from(1_000 * DOLLAR + 1)),
        ("the least amount", |swap| swap.amountOutMinimum = U256::ZERO),
        // a thousand dollars at 100,000 for a coin are a hundredth of one
        ("the least amount", |swap| swap.amountOutMinimum = U256::from(999_999)),
        ("the price limit", |swap| swap.sqrtPriceLimitX96 = U160::from(1)),
    ];
    for (name, bend) in bent {
        let mut params = swap();
        bend(&mut params);
        let refused = permit(&to(address(7), exactInputSingleCall { params }.abi_encode()));
        let found = match &refused {
            Err(Forbidden::Bound { field, .. } | Forbidden::Address { field, .. }) => *field,
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(found, name);
    }
    let none = Guard::new(ccc_agent::policy::Policy {
        contracts: ccc_agent::policy::Contracts { exchange: None, ..policy().contracts },
        ..policy()
    });
    for (contract, data, _) in [calls()[0].clone(), calls()[2].clone()] {
        assert!(matches!(none.permit(&to(contract, data), NOW), Err(Forbidden::Call { .. })), "no exchange");
    }
}

#[test]
fn tokens_go_to_the_reserve_and_approvals_to_the_router() {
    let send = TestToken::transferCall { to: address(0xaa), value: U256::from(1) }.abi_encode();
    assert!(matches!(permit(&to(address(5), send)), Err(Forbidden::Address { field: "the recipient", .. })));
    let nothing = TestToken::transferCall { to: address(3), value: U256::ZERO }.abi_encode();
    assert!(matches!(permit(&to(address(5), nothing)), Err(Forbidden::Bound { field: "the amount", .. })));
    // a thousand dollars at 100,000 for a coin are a hundredth of one
    let send = |coins: u64| TestToken::transferCall { to: address(3), value: U256::from(coins) }.abi_encode();
    assert!(permit(&to(address(5), send(1_000_000))).is_ok());
    let large = permit(&to(address(5), send(1_000_001)));
    assert!(matches!(large, Err(Forbidden::Bound { field: "the amount", .. })), "{large:?}");
    let approve = TestToken::approveCall { spender: address(0xaa), value: U256::from(1) }.abi_encode();
    assert!(matches!(permit(&to(address(4), approve)), Err(Forbidden::Address { field: "the spender", .. })));
    let endless = TestToken::approveCall { spender: address(7), value: U256::MAX }.abi_encode();
    assert!(matches!(permit(&to(address(4), endless)), Err(Forbidden::Bound { field: "the approval", .. })));
    let from = TestToken::transferFromCall { from: address(3), to: address(3), value: U256::from(1) }.abi_encode();
    assert!(matches!(permit(&to(address(5), from)), Err(Forbidden::Call { .. })));
    let operator = CREDarkPool::approveOperatorCall { operator: address(0xaa), approved: true }.abi_encode();
    assert!(matches!(permit(&to(address(2), operator)), Err(Forbidden::Call { .. })));
}

#[test]
fn a_request_of_another_form_is_refused() {
    let good = request(b"order");
    let mut bent = good.clone();
    bent[4 + 95] = 0x80;
    assert_eq!(permit(&to(address(2), bent)), Err(Forbidden::Layout { field: "where the order begins" }));
    let mut padded = good.clone();
    *padded.last_mut().expect("bytes") = 1;
    assert_eq!(permit(&to(address(2), padded)), Err(Forbidden::Layout { field: "what follows the order" }));
    for order in [vec![], vec![1; 16_385]] {
        let refused = permit(&to(address(2), request(&order)));
        assert!(matches!(refused, Err(Forbidden::Bound { field: "the order's length", .. })), "{refused:?}");
    }
    let call = CREDarkPool::requestCollateralCall {
        salt: B256::ZERO,
        deadline: NOW + 181,
        encryptedOrder: Bytes::from_static(b"order"),
    };
    let refused = permit(&to(address(2), call.abi_encode()));
    assert!(matches!(refused, Err(Forbidden::Bound { field: "the deadline", .. })), "{refused:?}");
}

/// Whatever passes pays the reserve: read by another decoder than the guard's.
fn pays_the_reserve(transaction: &Unsigned) -> bool {
    let data = &transaction.data;
    match transaction.to {
        found if found == address(4) => {
            TestToken::approveCall::abi_decode(data).is_ok_and(|call| call.spender == address(7))
        }
        found if found == address(5) => {
            TestToken::transferCall::abi_decode(data).is_ok_and(|call| call.to == address(3))
        }
        found if found == address(7) => exactInputSingleCall::abi_decode(data).is_ok_and(|call| {
            let params = call.params;
            (params.recipient, params.tokenIn, params.tokenOut) == (address(3), address(4), address(5))
                && params.amountIn <= U256::from(1_000 * DOLLAR)
        }),
        found if found == address(2) => {
            CREDarkPool::requestCollateralCall::abi_decode(data).is_ok()
                || CREDarkPool::cancelCall::abi_decode(data).is_ok()
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn bent_calldata_is_refused_or_pays_the_reserve(
        which in 0usize..5, contract in 1u8..10,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        swapped in any::<bool>(),
    ) {
        let (own, mut data, _) = calls()[which].clone();
        for (at, byte) in edits {
            let at = at.index(data.len());
            data[at] = byte;
        }
        let transaction = to(if swapped { address(contract) } else { own }, data);
        if permit(&transaction).is_ok() {
            prop_assert!(pays_the_reserve(&transaction));
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(contract in 0u8..10, data in prop::collection::vec(any::<u8>(), 0..300)) {
        let transaction = to(address(contract), data);
        if permit(&transaction).is_ok() {
            prop_assert!(pays_the_reserve(&transaction));
        }
    }
}
