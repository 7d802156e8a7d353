//! Several requests over one pool, and counterparty lists.
#![allow(clippy::unwrap_used, reason = "a test may stop at a surprise")]

mod common;

use common::adversarial::{shaped_pool, size_for};
use common::batches::Owned;
use common::{
    DEADLINE, any_market, any_order, any_price, any_request, cases, in_order, lots, market, order, owner, priced,
    refused, request, run_with, sizes,
};
use darkpool_matcher::{
    Allocation, ClearError, CounterpartyList, Fill, Outcome, OwnerId, Pricing, Reason, Request, Rules, StandingOrder,
    SuccessRule, UnixSeconds, Workspace, clear_batch_in, reference,
};
use proptest::prelude::{Just, Strategy, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};

fn any_list() -> impl Strategy<Value = CounterpartyList> {
    let names = prop::collection::vec(prop_oneof![4 => 0u8..9, 1 => 250..=255u8].prop_map(owner), 0..=8);
    (names, proptest::bool::ANY).prop_map(|(names, allow)| {
        if allow { CounterpartyList::allow(&names) } else { CounterpartyList::deny(&names) }.unwrap()
    })
}

/// None at all, or as many as there are owners.
fn any_lists(number: usize) -> impl Strategy<Value = Vec<CounterpartyList>> {
    prop_oneof![Just(vec![]), prop::collection::vec(any_list(), number)]
}

fn any_pool() -> impl Strategy<Value = Vec<StandingOrder>> {
    prop_oneof![prop::collection::vec(any_order(), 0..25), shaped_pool()]
}

fn any_batch() -> impl Strategy<Value = Owned> {
    (any_pool(), 0usize..5).prop_flat_map(|(orders, number)| {
        let size = size_for(&orders);
        let request = (any_request(), size, 250u8..=255, proptest::bool::ANY).prop_map(|(request, size, who, near)| {
            Request { owner: owner(who), size: if near { size } else { request.size }, ..request }
        });
        let sequence: Vec<u32> = (0..u32::try_from(number).unwrap()).collect();
        (
            any_lists(orders.len()),
            Just(in_order(&orders)).prop_shuffle(),
            prop::collection::vec(request, number),
            any_lists(number),
            Just(sequence).prop_shuffle(),
            prop::collection::vec(any_price(), number),
            Just(orders),
        )
            .prop_map(|(order_lists, permutation, requests, request_lists, sequence, prices, orders)| Owned {
                orders,
                order_lists,
                permutation,
                requests,
                request_lists,
                sequence,
                prices,
            })
    })
}

proptest! {
    #![proptest_config(cases(3_000))]

    /// 13, for batches and lists.
    #[test]
    fn a_batch_refines_the_reference(owned in any_batch(), market in any_market()) {
        prop_assert_eq!(owned.clear(&market), reference::clear_batch(&owned.batch(), &market));
    }

    /// 12: over all requests nothing is filled twice; per request nobody gives more than the cap.
    #[test]
    fn a_batch_fills_nothing_twice(owned in any_batch(), market in any_market()) {
        let slots = owned.orders.len();
        let (_, fills) = owned.clear(&market).unwrap();
        for (slot, order) in owned.orders.iter().enumerate() {
            let given: Vec<_> = (0..owned.requests.len()).map(|at| fills[at * slots + slot].lots).collect();
            prop_assert!(given.iter().map(|fill| fill.get()).sum::<u64>() <= order.size.min(order.balance).get());
            prop_assert!(given.iter().all(|fill| *fill <= order.cap));
        }
    }

    /// 6, for batches: the order in which requests arrive changes nothing.
    #[test]
    fn arrival_of_requests_does_not_matter(owned in any_batch(), market in any_market()) {
        let (slots, number) = (owned.orders.len(), owned.requests.len());
        let turned = |at: usize| number - 1 - at;
        let last = u32::try_from(number).unwrap().wrapping_sub(1);
        let mut moved = owned.clone();
        moved.requests.reverse();
        moved.request_lists.reverse();
        moved.prices.reverse();
        moved.sequence.iter_mut().for_each(|at| *at = last - *at);
        let ((outcomes, fills), (found, moved)) = (owned.clear(&market).unwrap(), moved.clear(&market).unwrap());
        for at in 0..number {
            prop_assert_eq!(outcomes[at], found[turned(at)]);
            prop_assert_eq!(&fills[at * slots..][..slots], &moved[turned(at) * slots..][..slots]);
        }
    }

    /// A batch of one without lists is a clearing.
    #[test]
    fn a_batch_of_one_is_a_clearing(
        (orders, permutation) in common::any_pool(25), request in any_request(), at in any_price(), market in any_market(),
    ) {
        let owned = Owned { permutation, prices: vec![at], ..Owned::plain(&orders, &[request]) };
        let (outcome, fills) = run_with(&request, &orders, &owned.permutation, at, &market).unwrap();
        prop_assert_eq!(owned.clear(&market), Ok((vec![outcome], fills)));
    }

    /// Who does not admit the other side is left out, and nobody else.
    #[test]
    fn a_list_is_the_absence_of_those_it_refuses(owned in any_batch(), market in any_market()) {
        let admits = |list: Option<&CounterpartyList>, who: OwnerId| {
            list.is_none_or(|list| list.names().is_empty() || list.names().contains(&who) == list.is_allow())
        };
        for at in 0..owned.requests.len() {
            let one = Owned { requests: vec![owned.requests[at]], prices: vec![owned.prices[at]], sequence: vec![0],
                request_lists: owned.request_lists.get(at).copied().into_iter().collect(), ..owned.clone() };
            let mut bare = Owned { order_lists: vec![], request_lists: vec![], ..one.clone() };
            for (slot, order) in bare.orders.iter_mut().enumerate() {
                order.frozen |= !admits(owned.order_lists.get(slot), one.requests[0].owner)
                    || !admits(one.request_lists.first(), order.owner);
            }
            prop_assert_eq!(one.clear(&market), bare.clear(&market));
        }
    }
}

#[test]
fn requests_are_taken_in_their_sequence() {
    let orders = [order(1, 100, 10), order(2, 101, 10)];
    let mut owned = Owned::plain(&orders, &[request(15), request(8)]);
    assert_eq!(owned.rows(&market()), [(Reason::Ok, vec![10, 5]), (Reason::TooSmall, vec![0, 0])]);
    owned.sequence = vec![1, 0];
    assert_eq!(owned.rows(&market()), [(Reason::TooSmall, vec![0, 0]), (Reason::Ok, vec![8, 0])]);
    owned.requests[0] = request(12);
    assert_eq!(owned.rows(&market()), [(Reason::Ok, vec![2, 10]), (Reason::Ok, vec![8, 0])]);
}

#[test]
fn the_cap_is_per_request_and_size_and_balance_are_not() {
    let capped = StandingOrder { cap: lots(4), balance: lots(9), ..order(1, 100, 20) };
    let owned = Owned::plain(&[capped], &[request(4), request(5), request(4), request(2), request(1)]);
    let ok = |fill| (Reason::Ok, vec![fill]);
    let short = (Reason::TooSmall, vec![0]);
    assert_eq!(owned.rows(&market()), [ok(4), short.clone(), ok(4), short, ok(1)]);
}

#[test]
fn each_request_has_its_own_price_and_deadline() {
    let later = UnixSeconds(DEADLINE.0 + 1);
    let ending = StandingOrder { expiry: DEADLINE, ..order(1, 100, 10) };
    let mut owned = Owned::plain(&[ending, order(2, 200, 10)], &[request(3), request(3), request(3)]);
    owned.requests[1].deadline = later;
    owned.prices = vec![priced(60_000_000_000), priced(70_000_000_000), refused()];
    let (outcomes, fills) = owned.clear(&market()).unwrap();
    assert_eq!(outcomes.iter().map(|o| o.reason).collect::<Vec<_>>(), [Reason::Ok, Reason::Ok, Reason::Price]);
    assert_eq!(sizes(&fills), [3, 0, 0, 3, 0, 0]);
    assert_eq!(outcomes[1].total, market().notional(lots(3), owned.prices[1].unwrap().price(), common::spread(200)));
}

#[test]
fn both_sides_have_a_say() {
    let orders = [order(1, 100, 10), order(2, 101, 10), order(3, 102, 10)];
    let mut owned = Owned::plain(&orders, &[Request { success: SuccessRule::AtLeast(lots(1)), ..request(30) }]);
    let deny = |who| CounterpartyList::deny(&[owner(who)]).unwrap();
    let allow = |who| CounterpartyList::allow(&[owner(who)]).unwrap();
    owned.order_lists = vec![deny(255), allow(255), CounterpartyList::EMPTY];
    assert_eq!(owned.rows(&market())[0].1, [0, 10, 10]);
    owned.request_lists = vec![deny(3)];
    assert_eq!(owned.rows(&market())[0].1, [0, 10, 0]);
    owned.order_lists = vec![];
    assert_eq!(owned.rows(&market())[0].1, [10, 10, 0]);
    owned.request_lists = vec![allow(3)];
    assert_eq!(owned.rows(&market())[0].1, [0, 0, 10]);
    owned.requests[0].owner = owner(3);
    assert_eq!(owned.rows(&market()), [(Reason::TooSmall, vec![0, 0, 0])]);
}

#[test]
fn no_requests_and_no_orders() {
    assert_eq!(Owned::plain(&[], &[]).clear(&market()), Ok((vec![], vec![])));
    assert_eq!(Owned::plain(&[order(1, 100, 1)], &[]).clear(&market()), Ok((vec![], vec![])));
    assert_eq!(Owned::plain(&[], &[request(1)]).rows(&market()), [(Reason::TooSmall, vec![])]);
}

#[test]
fn the_shape_of_a_batch_is_checked() {
    let whole = Owned::plain(&[order(1, 100, 5), order(2, 100, 5)], &[request(1), request(2), request(3)]);
    let refusal = |change: fn(&mut Owned)| {
        let mut owned = whole.clone();
        change(&mut owned);
        assert_eq!(reference::clear_batch(&owned.batch(), &market()).err(), owned.clear(&market()).err());
        owned.clear(&market()).unwrap_err()
    };
    let length = |what, expected, found| ClearError::Length { what, expected, found };
    assert_eq!(refusal(|b| b.permutation.truncate(1)), length("canonical order", 2, 1));
    assert_eq!(refusal(|b| b.sequence.truncate(2)), length("sequence", 3, 2));
    assert_eq!(refusal(|b| b.prices.truncate(0)), length("prices", 3, 0));
    assert_eq!(refusal(|b| b.order_lists = vec![CounterpartyList::EMPTY]), length("lists of makers", 2, 1));
    assert_eq!(refusal(|b| b.request_lists = vec![CounterpartyList::EMPTY; 4]), length("lists of requesters", 3, 4));
    assert_eq!(refusal(|b| b.permutation[1] = 2), ClearError::UnknownSlot { position: 1, slots: 2, found: 2 });
    assert_eq!(refusal(|b| b.permutation[1] = 0), ClearError::RepeatedSlot { position: 1, found: 0 });
    assert_eq!(refusal(|b| b.sequence[0] = 3), ClearError::UnknownRequest { position: 0, requests: 3, found: 3 });
    assert_eq!(refusal(|b| b.sequence[2] = 1), ClearError::RepeatedRequest { position: 2, found: 1 });
}

#[test]
fn the_memory_of_a_batch_is_checked() {
    let owned = Owned::plain(&[order(1, 100, 5), order(2, 100, 5)], &[request(1)]);
    let run = |slots: usize, standing: usize, fills: usize, outcomes: usize| {
        let (mut a, mut b, mut c, mut d) = (vec![0; slots], vec![0; slots], vec![0; slots], vec![0; slots]);
        let mut workspace = Workspace::new(&mut a, &mut b, &mut c, &mut d).unwrap();
        let (mut standing, mut fills) = (vec![order(9, 9, 9); standing], vec![Fill::default(); fills]);
        let mut outcomes = vec![Outcome::UNCLEARED; outcomes];
        clear_batch_in(&owned.batch(), &market(), &mut workspace, &mut standing, &mut fills, &mut outcomes)
    };
    let length = |what, expected, found| Err(ClearError::Length { what, expected, found });
    assert_eq!(run(2, 2, 2, 1), Ok(()));
    assert_eq!(run(3, 2, 2, 1), length("workspace", 2, 3));
    assert_eq!(run(2, 1, 2, 1), length("standing orders", 2, 1));
    assert_eq!(run(2, 2, 3, 1), length("rows of fills", 2, 3));
    assert_eq!(run(2, 2, 2, 2), length("outcomes", 1, 2));
}

#[test]
fn a_batch_under_rule_b_and_one_price() {
    let rules = Rules { allocation: Allocation::EqualSplit, pricing: Pricing::Uniform, ..Rules::default() };
    let orders = [order(1, 100, 4), order(2, 101, 10), order(3, 102, 10)];
    let owned = Owned::plain(&orders, &[request(9), request(9), request(7)]);
    let ok = |fills: [u64; 3]| (Reason::Ok, fills.to_vec());
    assert_eq!(owned.rows(&market().with_rules(rules)), [ok([3, 3, 3]), ok([1, 4, 4]), (Reason::TooSmall, vec![0; 3])]);
}
