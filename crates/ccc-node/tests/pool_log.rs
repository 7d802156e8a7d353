//! Which round follows from a pool's events, and what a log does not say.

#![allow(clippy::expect_used, clippy::panic, reason = "a helper that fails ends its test")]

use alloy::primitives::{Address, B256, Bytes, U256};
use ccc_chain::watch::{Event, Observed};
use ccc_core::report::{Accumulator, Binding, Payload, ReportError, Round, Statement};
use ccc_enclave::{
    intake::{Log, Submission},
    upkeep::{Duty, Upkeep},
};
use ccc_node::pool_log::{Former, PoolLog, PoolLogError, RoundAt, read_block};

const POOL: Address = Address::repeat_byte(0xC0);
const WHO: Address = Address::repeat_byte(7);
/// Blocks are a second apart, and the deadline of most requests is in block 77.
const WINDOW: u64 = 100;

/// A log that takes what a test emits.
struct Chain {
    log: PoolLog,
}

impl Chain {
    fn new() -> Self {
        Self { log: PoolLog::new(POOL, WINDOW) }
    }

    fn emit(&mut self, block: u64, event: Event) -> Result<(), PoolLogError> {
        let (log_index, transaction) = (0, B256::ZERO);
        self.log.take(&Observed { block, log_index, transaction, contract: POOL, event })
    }

    fn order(&mut self, block: u64, id: u8) {
        let (id, salt, ciphertext) = (B256::repeat_byte(id), B256::ZERO, Bytes::from(vec![id; 3]));
        self.emit(block, Event::StandingOrderSubmitted { id, maker: WHO, salt, ciphertext }).expect("taken");
    }

    fn deposit(&mut self, block: u64, index: u64, amount: U256) -> Result<(), PoolLogError> {
        let (id, salt, ciphertext) = (B256::repeat_byte(0xD0), B256::ZERO, Bytes::from(vec![1]));
        self.emit(block, Event::Deposited { id, index, from: WHO, asset: 0, amount, salt, ciphertext })
    }

    fn request(&mut self, block: u64, id: u8) {
        self.request_until(block, id, 77);
    }

    fn request_until(&mut self, block: u64, id: u8, deadline: u64) {
        let (id, salt, ciphertext) = (B256::repeat_byte(id), B256::ZERO, Bytes::from(vec![9]));
        let event = Event::CollateralRequested { id, requester: WHO, deadline, salt, ciphertext };
        self.emit(block, event).expect("taken");
    }

    fn ended(&mut self, block: u64, id: u8, success: bool) {
        let request = B256::repeat_byte(id);
        self.emit(block, Event::Fill { request, success, time: U256::ZERO }).expect("taken");
    }

    fn processed(&mut self, block: u64, receiver: Address, payload: &[u8], result: bool) {
        let execution_id = B256::from(ccc_core::report::keccak256(&[payload]));
        self.emit(block, Event::ReportProcessed { receiver, execution_id, report_id: 2, result }).expect("taken");
    }
}

/// The payload of the round that made `version`, read at `price_block`.
fn payload(version: u64, price_block: u64) -> Vec<u8> {
    let binding = Binding { chain: 1, receiver: POOL.0.0, epoch: 1, sequence: 1, valid_until: 9, attestation: [0; 32] };
    let round = Round {
        request_id: [0; 32],
        success: false,
        version,
        previous: [1; 32],
        header_hash: [2; 32],
        count: 0,
        accumulator: [0; 32],
        price_block,
        source: [3; 20],
        price_digest: [4; 32],
    };
    Payload { binding, statement: Statement::Round(round) }.to_bytes()
}

fn at(block: u64, version: u64, former: Option<&[u8]>) -> RoundAt<'_> {
    let time = |payload| read_block(payload).ok().flatten().unwrap_or_default();
    let former = former.map(|payload| Former { payload, time: time(payload) });
    let (header, consumed) = ([2; 32], Accumulator::default());
    RoundAt { block, time: block, header, version, consumed, former, request: None, opens: &|_| true }
}

fn ids(orders: &[ccc_enclave::intake::Submission]) -> Vec<u8> {
    orders.iter().map(|order| order.id[0]).collect()
}

#[test]
fn an_order_is_live_when_the_round_before_has_read_it() {
    let mut chain = Chain::new();
    let former = payload(5, 20);
    for (block, id) in [(10, 1), (20, 2), (21, 3), (30, 4), (31, 5)] {
        chain.order(block, id);
    }
    chain.processed(22, POOL, &former, true);
    let log = chain.log.round(&at(30, 5, Some(&former))).expect("a log");
    assert_eq!((ids(&log.live_orders), ids(&log.new_orders)), (vec![1, 2], vec![3, 4]));
    assert_eq!(log.live_orders[0].who, WHO.0.0);
    assert_eq!(log.live_orders[0].ciphertext, [1; 3]);
}

#[test]
fn the_first_version_takes_nothing_and_the_second_round_finds_every_order_new() {
    let mut chain = Chain::new();
    chain.order(10, 1);
    chain.deposit(10, 0, U256::from(5)).expect("taken");
    let log = chain.log.round(&at(30, 0, None)).expect("a log");
    assert_eq!(log, ccc_enclave::intake::Log::default());
    let log = chain.log.round(&at(30, 1, None)).expect("a log");
    assert_eq!((ids(&log.live_orders), ids(&log.new_orders)), (vec![], vec![1]));
    assert_eq!(log.boundary.len(), 1);
}

#[test]
fn operations_follow_those_that_were_consumed_and_end_with_the_block() {
    let mut chain = Chain::new();
    for (index, block) in (0..).zip([10, 11, 12, 40]) {
        chain.deposit(block, index, U256::from(block)).expect("taken");
    }
    let consumed = |count| RoundAt { consumed: Accumulator::resume([0; 32], count), ..at(30, 1, None) };
    let log = chain.log.round(&consumed(1)).expect("a log");
    assert_eq!(log.boundary.iter().map(|event| event.amount).collect::<Vec<_>>(), [11, 12]);
    assert_eq!(chain.log.round(&consumed(3)).expect("a log").boundary, []);
    let refused = chain.log.round(&consumed(4)).err();
    assert_eq!(refused, Some(PoolLogError::Operations { consumed: 4, found: 3 }));
    let refused = chain.log.round(&consumed(u64::MAX)).err();
    assert_eq!(refused, Some(PoolLogError::Operations { consumed: u64::MAX, found: 3 }));
    let refused = chain.deposit(41, 4, U256::MAX).err();
    assert_eq!(refused, Some(PoolLogError::Amount { found: U256::MAX }));
}

#[test]
fn a_request_is_found_by_its_identifier_up_to_the_block() {
    let mut chain = Chain::new();
    chain.request(20, 0xAA);
    let asking = |block, id| RoundAt { request: Some([id; 32]), ..at(block, 1, None) };
    let log = chain.log.round(&asking(20, 0xAA)).expect("a log");
    assert_eq!(log.collateral.map(|request| (request.deadline, request.submission.id)), Some((77, [0xAA; 32])));
    for (block, id) in [(19, 0xAA), (20, 0xAB)] {
        let refused = chain.log.round(&asking(block, id)).err();
        assert_eq!(refused, Some(PoolLogError::Request { id: [id; 32], block }));
    }
}

#[test]
fn a_payload_that_the_pool_did_not_accept_says_nothing() {
    let accepted = payload(5, 20);
    let earlier = payload(5, 3);
    let refusal = |receiver, result, given: Option<&[u8]>| {
        let mut chain = Chain::new();
        chain.order(10, 1);
        chain.processed(22, POOL, &accepted, true);
        chain.processed(23, receiver, &earlier, result);
        chain.log.round(&at(30, 5, given)).err()
    };
    assert_eq!(refusal(POOL, true, Some(&accepted)), None);
    assert_eq!(refusal(POOL, true, None), Some(PoolLogError::NoFormer { version: 5 }));
    let elsewhere = Address::repeat_byte(0xEE);
    for (receiver, result) in [(elsewhere, true), (POOL, false)] {
        assert_eq!(refusal(receiver, result, Some(&earlier)), Some(PoolLogError::OtherFormer { version: 5 }));
    }
    let refused = refusal(POOL, true, Some(&accepted[..accepted.len() - 1]));
    assert!(matches!(refused, Some(PoolLogError::Former(ReportError::PayloadLength { .. }))), "{refused:?}");
}

#[test]
fn an_accepted_payload_of_another_version_or_header_says_nothing() {
    let mut chain = Chain::new();
    let (fourth, fifth) = (payload(4, 3), payload(5, 20));
    chain.processed(21, POOL, &fourth, true);
    chain.processed(22, POOL, &fifth, true);
    let refused = chain.log.round(&at(30, 5, Some(&fourth))).err();
    assert_eq!(refused, Some(PoolLogError::OtherFormer { version: 5 }));
    let branch = RoundAt { header: [9; 32], ..at(30, 5, Some(&fifth)) };
    assert_eq!(chain.log.round(&branch).err(), Some(PoolLogError::OtherFormer { version: 5 }));
    assert!(chain.log.round(&at(30, 5, Some(&fifth))).is_ok());
}

#[test]
fn a_version_of_its_own_takes_nothing_and_keeps_where_orders_were_read_to() {
    let mut chain = Chain::new();
    chain.order(10, 1);
    chain.order(25, 2);
    chain.deposit(26, 0, U256::from(5)).expect("taken");
    let former = payload(5, 20);
    chain.processed(22, POOL, &former, true);
    let log = chain.log.upkeep(&at(30, 5, Some(&former)), Duty::Growth).expect("a log");
    assert_eq!(log, Log { upkeep: Some(Upkeep { duty: Duty::Growth, read: 20 }), ..Log::default() });
    // its report names block 20 again: the order of block 25 is new to the round after it
    let own = payload(6, 20);
    chain.processed(31, POOL, &own, true);
    let after = chain.log.round(&at(40, 6, Some(&own))).expect("a log");
    assert_eq!((ids(&after.live_orders), ids(&after.new_orders)), (vec![1], vec![2]));
    assert_eq!(after.boundary.len(), 1, "the deposit still waits");
}

#[test]
fn upkeep_of_the_first_version_has_read_nothing_and_of_none_is_refused() {
    let mut chain = Chain::new();
    chain.order(10, 1);
    let log = chain.log.upkeep(&at(30, 1, None), Duty::Epoch).expect("a log");
    assert_eq!(log.upkeep, Some(Upkeep { duty: Duty::Epoch, read: 0 }));
    let own = payload(2, 0);
    chain.processed(31, POOL, &own, true);
    let after = chain.log.round(&at(40, 2, Some(&own))).expect("a log");
    assert_eq!((ids(&after.live_orders), ids(&after.new_orders)), (vec![], vec![1]));
    assert_eq!(chain.log.upkeep(&at(30, 0, None), Duty::Growth), Err(PoolLogError::NoVersion));
    assert_eq!(chain.log.upkeep(&at(30, 5, None), Duty::Growth), Err(PoolLogError::NoFormer { version: 5 }));
}

/// What a round at `block` on top of the one that read `read` takes for live and for new.
fn taken(chain: &Chain, block: u64, read: u64) -> (Vec<u8>, Vec<u8>) {
    let former = payload(5, read);
    let log = chain.log.round(&at(block, 5, Some(&former))).expect("a log");
    (ids(&log.live_orders), ids(&log.new_orders))
}

/// The maker of order 1 sees request 0xAA and takes its order back with 3, another offers more with 4: neither is read
/// while the request waits, before its round or in it.
#[test]
fn n135_what_comes_after_a_request_is_read_when_the_request_has_ended() {
    let mut chain = Chain::new();
    chain.order(10, 1);
    chain.order(20, 2);
    chain.request(20, 0xAA);
    chain.order(20, 3);
    chain.order(21, 4);
    for (version, read) in [(5, 10), (5, 30)] {
        chain.processed(30, POOL, &payload(version, read), true);
    }
    assert_eq!(
        taken(&chain, 31, 10),
        (vec![1], vec![2]),
        "an idle round reads what came before, in the same block too"
    );
    assert_eq!(taken(&chain, 31, 30), (vec![1, 2], vec![]), "and the one after it nothing");
    let former = payload(5, 30);
    let own = RoundAt { request: Some([0xAA; 32]), ..at(32, 5, Some(&former)) };
    let log = chain.log.round(&own).expect("a log");
    assert_eq!((ids(&log.live_orders), ids(&log.new_orders)), (vec![1, 2], vec![]));
    chain.ended(33, 0xAA, true);
    assert_eq!(taken(&chain, 32, 30), (vec![1, 2], vec![]), "not at a block in which the request still waited");
    assert_eq!(taken(&chain, 33, 30), (vec![1, 2], vec![3, 4]), "now they are new, once");
    chain.processed(34, POOL, &payload(5, 33), true);
    assert_eq!(taken(&chain, 40, 33), (vec![1, 2, 3, 4], vec![]));
}

/// What request `id` is cleared against in a round at `block` on top of the one that read `read`.
fn cleared(chain: &Chain, block: u64, read: u64, id: u8) -> Result<Vec<u8>, PoolLogError> {
    let former = payload(5, read);
    let log = chain.log.round(&RoundAt { request: Some([id; 32]), ..at(block, 5, Some(&former)) })?;
    assert_eq!(log.new_orders, [], "a round that settles reads nothing");
    Ok(ids(&log.live_orders))
}

/// The maker of order 1 takes it back with 2 while 0xAA waits and before it sees 0xBB. By which way and when 0xAA ends,
/// by its maker's `expire`, by a cancellation, by its round or not at all, 0xBB is cleared against the same. A version of
/// its own in between says where the round before it read, and its reader comes to the same.
#[test]
fn n135_the_end_of_an_older_request_moves_nothing_that_a_younger_one_is_cleared_against() {
    let mut chain = Chain::new();
    chain.order(10, 1);
    chain.request(11, 0xAA);
    chain.order(12, 2);
    chain.request(13, 0xBB);
    chain.order(14, 3);
    chain.processed(20, POOL, &payload(5, 20), true);
    assert_eq!(cleared(&chain, 80, 20, 0xBB), Ok(vec![1]));
    // settled, expired and cancelled look alike; an end that is told twice counts once
    chain.ended(21, 0xAA, false);
    chain.ended(24, 0xAA, false);
    assert_eq!(taken(&chain, 25, 20), (vec![1], vec![]), "nothing new before 0xBB has ended");
    assert_eq!(cleared(&chain, 80, 20, 0xBB), Ok(vec![1]), "and so nothing is unread");
    let own = payload(6, 20);
    chain.processed(26, POOL, &own, true);
    let log = chain.log.round(&at(27, 6, Some(&own))).expect("a log");
    assert_eq!((ids(&log.live_orders), ids(&log.new_orders)), (vec![1], vec![]));
    chain.ended(28, 0xBB, false);
    assert_eq!(taken(&chain, 28, 20), (vec![1], vec![2, 3]));
}

/// Nobody needs to call `expire`, and whoever does changes nothing.
#[test]
fn n135_a_request_ends_by_its_time_whether_or_not_somebody_expires_it() {
    let mut chain = Chain::new();
    chain.order(10, 1);
    chain.request_until(11, 0xAA, 30);
    chain.order(12, 2);
    chain.request_until(13, 0xBB, 131);
    chain.order(14, 3);
    for read in [20, 120, 131] {
        chain.processed(140, POOL, &payload(5, read), true);
    }
    for expired in [false, true] {
        if expired {
            chain.ended(141, 0xAA, false);
        }
        assert_eq!(taken(&chain, 130, 20), (vec![1], vec![]), "the last second in which it can be settled");
        assert_eq!(taken(&chain, 131, 120), (vec![1], vec![2]));
        assert_eq!(cleared(&chain, 131, 120, 0xBB), Err(PoolLogError::Unread { id: [0xBB; 32], waiting: 1 }));
        assert_eq!(cleared(&chain, 142, 131, 0xBB), Ok(vec![1, 2]));
        assert_eq!(taken(&chain, 231, 131), (vec![1, 2], vec![]));
        assert_eq!(taken(&chain, 232, 131), (vec![1, 2], vec![3]));
    }
    let refused = PoolLogError::Request { id: [0xAA; 32], block: 131 };
    assert_eq!(cleared(&chain, 131, 131, 0xAA), Err(refused), "too late to settle it");
}

/// Three that overlap: the third is cleared against more than the second, so it is settled after it.
#[test]
fn n135_a_request_is_not_settled_before_one_that_is_cleared_against_less() {
    let mut chain = Chain::new();
    chain.order(10, 1);
    chain.request(11, 0xAA);
    chain.order(12, 2);
    chain.request(13, 0xBB);
    chain.ended(15, 0xAA, false);
    chain.order(16, 3);
    chain.request(17, 0xCC);
    for read in [20, 82] {
        chain.processed(20, POOL, &payload(5, read), true);
    }
    let held = PoolLogError::Held { id: [0xCC; 32], other: [0xBB; 32] };
    assert_eq!(cleared(&chain, 80, 20, 0xCC), Err(held));
    assert_eq!(cleared(&chain, 80, 20, 0xBB), Ok(vec![1]));
    chain.ended(81, 0xBB, true);
    assert_eq!(cleared(&chain, 82, 20, 0xCC), Err(PoolLogError::Unread { id: [0xCC; 32], waiting: 1 }));
    assert_eq!(cleared(&chain, 83, 82, 0xCC), Ok(vec![1, 2]));
}

/// The maker of an order that nobody has read sees the request, and takes its funds away or brings them.
#[test]
fn n135_operations_after_a_request_wait_for_the_orders_from_before_it() {
    let mut chain = Chain::new();
    let deposit = |chain: &mut Chain, block, index| chain.deposit(block, index, U256::from(block)).expect("taken");
    deposit(&mut chain, 10, 0);
    chain.order(20, 1);
    chain.request(20, 0xAA);
    deposit(&mut chain, 20, 1);
    chain.order(21, 2);
    chain.request_until(22, 0xBB, 200);
    deposit(&mut chain, 23, 2);
    for read in [10, 30, 180] {
        chain.processed(30, POOL, &payload(5, read), true);
    }
    let round = |block, read, count, opens: &dyn Fn(&Submission) -> bool| {
        let former = payload(5, read);
        let consumed = Accumulator::resume([0; 32], count);
        let log = chain.log.round(&RoundAt { consumed, opens, ..at(block, 5, Some(&former)) }).expect("a log");
        (ids(&log.new_orders), log.boundary.iter().map(|event| event.amount).collect::<Vec<_>>())
    };
    assert_eq!(round(30, 10, 0, &|_| true), (vec![1], vec![10]), "what came before 0xAA");
    assert_eq!(round(31, 30, 1, &|_| true), (vec![], vec![20]), "what came before 0xBB, which order 2 waits for");
    assert_eq!(round(178, 30, 2, &|_| true), (vec![2], vec![]), "0xAA is over");
    assert_eq!(round(181, 180, 2, &|_| true), (vec![], vec![23]));
    assert_eq!(round(30, 10, 0, &|_| false), (vec![1], vec![10, 20, 23]), "nothing waits for bytes");
    assert_eq!(round(31, 30, 3, &|_| true), (vec![], vec![]), "what has been consumed stays so");
}

/// A stranger pays for 32 bytes in front of every request.
#[test]
fn n135_bytes_that_no_plan_opens_cost_a_request_no_round() {
    let mut chain = Chain::new();
    chain.order(10, 1);
    chain.order(22, 2);
    chain.request(23, 0xAA);
    chain.processed(26, POOL, &payload(5, 20), true);
    let former = payload(5, 20);
    let settle = |opens: &dyn Fn(&Submission) -> bool| {
        let at = RoundAt { request: Some([0xAA; 32]), opens, ..at(80, 5, Some(&former)) };
        chain.log.round(&at).map(|log| (ids(&log.live_orders), ids(&log.new_orders)))
    };
    assert_eq!(settle(&|_| true), Err(PoolLogError::Unread { id: [0xAA; 32], waiting: 1 }));
    assert_eq!(settle(&|order| order.id[0] != 2), Ok((vec![1, 2], vec![])), "read in passing, and never again");
}

/// Otherwise a host could keep an order or a cancellation unread, and read it or not when the request is known.
#[test]
fn n135_a_request_is_not_settled_before_everything_older_has_been_read() {
    let mut chain = Chain::new();
    for (block, id) in [(10, 1), (20, 2), (22, 3)] {
        chain.order(block, id);
    }
    chain.request(23, 0xAA);
    chain.order(24, 4);
    let settle = |chain: &Chain, read| {
        let former = payload(5, read);
        chain
            .log
            .round(&RoundAt { request: Some([0xAA; 32]), ..at(30, 5, Some(&former)) })
            .map(|log| ids(&log.live_orders))
    };
    for (read, waiting) in [(10, 2), (20, 1)] {
        chain.processed(26, POOL, &payload(5, read), true);
        assert_eq!(settle(&chain, read), Err(PoolLogError::Unread { id: [0xAA; 32], waiting }));
    }
    chain.processed(26, POOL, &payload(5, 25), true);
    assert_eq!(settle(&chain, 25), Ok(vec![1, 2, 3]));
}

#[test]
fn requests_are_due_from_their_deadline_to_the_end_of_their_window_in_the_order_of_their_cuts() {
    let mut chain = Chain::new();
    chain.order(10, 1);
    chain.request_until(20, 9, 40);
    chain.order(21, 2);
    // it is made while the first may still wait, so its cut is the first one's own place
    chain.request_until(22, 3, 30);
    chain.request_until(200, 4, 210);
    let due = |chain: &Chain, block| -> Vec<u8> { chain.log.due(block, block).iter().map(|id| id[0]).collect() };
    assert_eq!(due(&chain, 29), Vec::<u8>::new());
    assert_eq!(due(&chain, 30), [3]);
    assert_eq!(due(&chain, 40), [9, 3], "of one cut the older first");
    chain.ended(50, 9, true);
    assert_eq!((due(&chain, 49), due(&chain, 50)), (vec![9, 3], vec![3]));
    assert_eq!(due(&chain, 131), Vec::<u8>::new(), "its window is over");
    assert_eq!(due(&chain, 210), [4]);
}
