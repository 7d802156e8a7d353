//! Every call of the contracts on the embedded chain, above all what they refuse.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper that fails ends its test")]

mod common;

use alloy::{
    eips::BlockId,
    primitives::{B256, Bytes, U256, keccak256},
};
use ccc_chain::{
    ChainError, Deployment,
    act::submission_id,
    bindings::{CREDarkPool, TestToken},
    calls::{self, ExitProof},
    deploy::{self, Registries},
    permit::{self, Permission},
    read,
    read::RequestStatus,
    submit,
    watch::{Event, Watcher},
};
use ccc_core::report::{Accumulator, Binding, Payload, Report, ReportContext, Round, SignedReport, Statement, Verdict};
use common::{CHAIN_ID, USDC_LOT, World, refusal, report_signer, salt};
use sha2::{Digest, Sha256};

const LATEST: BlockId = BlockId::latest();

#[tokio::test]
async fn deployment_reads_back_as_planned_and_survives_its_file() {
    let world = World::new().await;
    let text = serde_json::to_string(&world.deployment).unwrap();
    assert_eq!(serde_json::from_str::<ccc_chain::Deployment>(&text).unwrap(), world.deployment);
    let asset = world.pool().asset(0, LATEST).await.unwrap();
    assert_eq!((asset.token, asset.decimals, asset.lot), (world.deployment.tokens[0].address, 6, USDC_LOT));
    let digest = ccc_chain::bindings::QuorumForwarder::new(world.deployment.forwarder, world.chain.provider());
    let on_chain = digest.configDigest(1, 1).call().await.unwrap();
    assert_eq!(on_chain.0, world.deployment.context(1).config_digest);
}

#[tokio::test]
async fn solvency_report_moves_the_status_from_unknown() {
    let world = World::new().await;
    let before = read::attestation(&world.chain, world.deployment.attestation, LATEST).await.unwrap();
    assert_eq!((before.verdict, before.solvent), (Verdict::Unknown, false));
    let solvency = world.solvency(Verdict::Solvent).await;
    world.deliver_statement(Statement::Solvency(solvency), 1).await.unwrap();
    let after = read::attestation(&world.chain, world.deployment.attestation, LATEST).await.unwrap();
    assert_eq!((after.verdict, after.solvent, after.stale), (Verdict::Solvent, true, false));
    assert_eq!((after.block, after.sequence), (solvency.block, 1));
    assert_eq!(after.envelope_digest.0, solvency.envelope_digest);
}

#[tokio::test]
async fn request_is_filled_by_its_round_and_the_table_moves() {
    let world = World::new().await;
    world.deposit(5 * USDC_LOT, 1).await;
    let (id, deadline) = world.request(2).await;
    assert_eq!(id, submission_id(CHAIN_ID, world.deployment.pool, world.reserve.address(), salt(2)));
    let pending = world.pool().request(id, LATEST).await.unwrap();
    assert_eq!((pending.status, pending.deadline), (RequestStatus::Pending, deadline));
    assert_eq!(pending.ciphertext_hash, keccak256(b"sealed order"));
    world.chain.advance_time(deadline).await.unwrap();
    let round = world.round(id, true).await;
    world.deliver_statement(Statement::Round(round), 1).await.unwrap();
    assert_eq!(world.pool().request(id, LATEST).await.unwrap().status, RequestStatus::Filled);
    let table = world.pool().table(LATEST).await.unwrap();
    assert_eq!((table.version, table.header_hash.0, table.consumed), (1, round.header_hash, 1));
}

#[tokio::test]
async fn accumulator_of_the_events_is_the_pools() {
    let world = World::new().await;
    world.deposit(USDC_LOT, 1).await;
    world.act().request_withdrawal(&world.maker, salt(2), Bytes::from_static(b"w")).await.unwrap();
    world.deposit(2 * USDC_LOT, 3).await;
    let mut watcher = Watcher::new(&world.chain, &world.deployment, 0);
    let mut accumulator = Accumulator::default();
    for observed in watcher.poll().await.unwrap() {
        accumulator = match observed.event {
            Event::Deposited { from, asset, amount, ciphertext, .. } => {
                let token = world.deployment.tokens[usize::try_from(asset).unwrap()].address;
                accumulator.deposit(from.0.0, token.0.0, amount.to(), &ciphertext).unwrap()
            }
            Event::WithdrawalRequested { from, ciphertext, .. } => {
                accumulator.withdrawal(from.0.0, &ciphertext).unwrap()
            }
            _ => accumulator,
        };
    }
    assert_eq!(accumulator.count(), 3);
    assert_eq!(world.pool().history(3, LATEST).await.unwrap().0, accumulator.value());
}

#[tokio::test]
async fn payout_is_paid_once() {
    let world = World::new().await;
    world.deposit(5 * USDC_LOT, 1).await;
    let withdrawal = world.act().request_withdrawal(&world.maker, salt(2), Bytes::from_static(b"w")).await.unwrap().id;
    world.idle_round().await;
    let payout = Statement::Payout(world.payout(withdrawal, 2_000_000, 1));
    world.deliver_statement(payout, 1).await.unwrap();
    let token = world.deployment.tokens[0].address;
    let paid = read::token_balance(&world.chain, token, world.maker.address(), LATEST).await.unwrap();
    assert_eq!(paid, U256::from(2_000_000));
    assert!(world.pool().withdrawal(withdrawal, LATEST).await.unwrap().paid);
    let refused = refusal(world.deliver_statement(payout, 2).await);
    assert_eq!(refused, (world.deployment.pool, "AlreadyPaid".into()));
}

#[tokio::test]
async fn n146_second_fill_of_a_request_is_refused() {
    let world = World::new().await;
    let (id, deadline) = world.request(1).await;
    world.chain.advance_time(deadline).await.unwrap();
    world.deliver_statement(Statement::Round(world.round(id, true).await), 1).await.unwrap();
    let second = Statement::Round(world.round(id, true).await);
    let refused = refusal(world.deliver_statement(second, 2).await);
    assert_eq!(refused, (world.deployment.pool, "RequestNotPending".into()));
}

#[tokio::test]
async fn n146_unknown_early_and_late_requests_are_refused_and_expiry_stays_open() {
    let world = World::new().await;
    let unknown = Statement::Round(world.round(B256::repeat_byte(0xee), true).await);
    assert_eq!(refusal(world.deliver_statement(unknown, 1).await).1, "RequestNotPending");
    let (id, deadline) = world.request(1).await;
    let early = Statement::Round(world.round(id, true).await);
    assert_eq!(refusal(world.deliver_statement(early, 1).await).1, "DeadlineNotReached");
    assert_eq!(refusal(world.act().expire(&world.stranger, id).await).1, "FillWindowOpen");
    world.chain.advance_time(deadline + 301).await.unwrap();
    let late = Statement::Round(world.round(id, true).await);
    assert_eq!(refusal(world.deliver_statement(late, 1).await).1, "FillWindowClosed");
    world.act().expire(&world.stranger, id).await.unwrap();
    assert_eq!(world.pool().request(id, LATEST).await.unwrap().status, RequestStatus::Expired);
}

#[tokio::test]
async fn n147_wrong_previous_hash_or_version_is_refused() {
    let world = World::new().await;
    world.idle_round().await;
    let good = world.round(B256::ZERO, false).await;
    let previous = Round { previous: [0xee; 32], ..good };
    let refused = world.deliver_statement(Statement::Round(previous), 2).await.unwrap_err();
    let refused = refused.refusal().unwrap().clone();
    assert_eq!(refused.name, "PreviousHeaderMismatch");
    assert_eq!(refused.argument("found"), Some(B256::repeat_byte(0xee).to_string().as_str()));
    for version in [1, 3] {
        let skipped = Statement::Round(Round { version, ..good });
        assert_eq!(refusal(world.deliver_statement(skipped, 2).await).1, "VersionMismatch");
    }
}

#[tokio::test]
async fn invented_omitted_and_repeated_deposits_are_refused() {
    let world = World::new().await;
    world.deposit(USDC_LOT, 1).await;
    world.deposit(USDC_LOT, 2).await;
    let good = world.round(B256::ZERO, false).await;
    let one = world.pool().history(1, LATEST).await.unwrap().0;
    for round in
        [Round { accumulator: [0xee; 32], ..good }, Round { accumulator: one, ..good }, Round { count: 1, ..good }]
    {
        assert_eq!(refusal(world.deliver_statement(Statement::Round(round), 1).await).1, "AccumulatorMismatch");
    }
    let ahead = Statement::Round(Round { count: 3, ..good });
    assert_eq!(refusal(world.deliver_statement(ahead, 1).await).1, "CountOutOfRange");
}

#[tokio::test]
async fn price_from_the_future_or_another_feed_is_refused() {
    let world = World::new().await;
    let good = world.round(B256::ZERO, false).await;
    let future = Statement::Round(Round { price_block: u64::MAX, ..good });
    assert_eq!(refusal(world.deliver_statement(future, 1).await).1, "PriceBlockInFuture");
    let other = Statement::Round(Round { source: [1; 20], ..good });
    assert_eq!(refusal(world.deliver_statement(other, 1).await).1, "PriceSourceMismatch");
}

#[tokio::test]
async fn n115_f_signatures_are_refused() {
    let world = World::new().await;
    let report = world.report(Statement::Solvency(world.solvency(Verdict::Solvent).await), 1).await;
    for seeds in [&[101u8][..], &[], &[101, 102, 103]] {
        let refused = refusal(world.deliver(&world.signed_by(report.clone(), seeds)).await);
        assert_eq!(refused, (world.deployment.forwarder, "InvalidSignatureCount".into()));
    }
}

#[tokio::test]
async fn n113_repeated_signer_is_refused() {
    let world = World::new().await;
    let report = world.report(Statement::Solvency(world.solvency(Verdict::Solvent).await), 1).await;
    let refused = refusal(world.deliver(&world.signed_by(report, &[101, 101])).await);
    assert_eq!(refused, (world.deployment.forwarder, "DuplicateSigner".into()));
}

#[tokio::test]
async fn n114_foreign_signer_is_refused() {
    let world = World::new().await;
    let report = world.report(Statement::Solvency(world.solvency(Verdict::Solvent).await), 1).await;
    let refused = world.deliver(&world.signed_by(report, &[101, 99])).await.unwrap_err();
    let refused = refused.refusal().unwrap().clone();
    assert_eq!(refused.name, "InvalidSigner");
    let foreign = alloy::primitives::Address::from(report_signer(99).address());
    assert_eq!(refused.argument("signer"), Some(foreign.to_string().as_str()));
}

#[tokio::test]
async fn n120_expired_report_is_refused() {
    let world = World::new().await;
    let solvency = Statement::Solvency(world.solvency(Verdict::Solvent).await);
    let valid_until = world.now().await + 10;
    let signed = world.signed(world.report_until(solvency, 1, valid_until).await);
    world.chain.advance_time(valid_until).await.unwrap();
    let refused = world.deliver(&signed).await.unwrap_err();
    let refused = refused.refusal().unwrap().clone();
    assert_eq!(refused.name, "ReportExpired");
    assert_eq!(refused.argument("validUntil"), Some(valid_until.to_string().as_str()));
}

#[tokio::test]
async fn n116_replayed_report_is_refused_by_forwarder_and_receiver() {
    let world = World::new().await;
    let solvency = Statement::Solvency(world.solvency(Verdict::Solvent).await);
    let signed = world.signed(world.report(solvency, 1).await);
    world.deliver(&signed).await.unwrap();
    let (sender, forwarder) = (world.stranger.address(), world.deployment.forwarder);
    let again = refusal(submit::check(&world.chain, sender, forwarder, &signed).await);
    assert_eq!(again, (world.deployment.forwarder, "AlreadyAttempted".into()));
    let valid_until = world.now().await + 601;
    let same_sequence = world.signed(world.report_until(solvency, 1, valid_until).await);
    let again = refusal(world.deliver(&same_sequence).await);
    assert_eq!(again, (world.deployment.attestation, "StaleSequence".into()));
}

/// A report whose binding was changed, signed properly for what it says.
async fn deliver_bound(world: &World, change: fn(&mut Binding)) -> Result<ccc_chain::Delivery, ChainError> {
    let good = world.report(Statement::Solvency(world.solvency(Verdict::Solvent).await), 1).await;
    let mut binding = good.payload().binding;
    change(&mut binding);
    let payload = Payload { binding, statement: good.payload().statement };
    let report = Report::new(world.deployment.origin(), 1, payload).unwrap();
    let config_digest = world.deployment.signer_set().config_digest(binding.chain, &world.deployment.forwarder.0.0);
    let context = ReportContext { config_digest, sequence: binding.sequence };
    let signatures = [101, 102].map(|seed| report_signer(seed).sign(&report, &context));
    let (set, forwarder) = (world.deployment.signer_set(), world.deployment.forwarder.0.0);
    let signed = SignedReport::assemble(report, context, &signatures, &set, &forwarder).unwrap();
    world.deliver(&signed).await
}

#[tokio::test]
async fn n116_report_for_another_chain_epoch_or_receiver_is_refused() {
    let world = World::new().await;
    let chain = refusal(deliver_bound(&world, |binding| binding.chain = 1).await);
    assert_eq!(chain, (world.deployment.forwarder, "ConfigDigestMismatch".into()));
    let epoch = refusal(deliver_bound(&world, |binding| binding.epoch += 1).await);
    assert_eq!(epoch, (world.deployment.attestation, "WrongEpoch".into()));
    let nobody = deliver_bound(&world, |binding| binding.receiver = [0x12; 20]).await;
    assert!(matches!(nobody, Err(ChainError::InvalidReceiver { .. })), "{nobody:?}");
}

#[tokio::test]
async fn n116_report_for_another_receiver_is_refused_by_the_one_that_gets_it() {
    let world = World::new().await;
    let report = world.report(Statement::Solvency(world.solvency(Verdict::Solvent).await), 1).await;
    let mut binding = report.payload().binding;
    binding.receiver = world.deployment.pool.0.0;
    let payload = Payload { binding, statement: report.payload().statement };
    let report = Report::new(world.deployment.origin(), 1, payload).unwrap();
    let refused = refusal(world.deliver(&world.signed(report)).await);
    assert_eq!(refused, (world.deployment.pool, "UnexpectedKind".into()));
}

#[tokio::test]
async fn n145_report_from_anybody_but_the_forwarder_is_refused() {
    let world = World::new().await;
    let receiver = ccc_chain::bindings::ReserveAttestation::new(world.deployment.attestation, world.chain.provider());
    let request = receiver.onReport(Bytes::new(), Bytes::new()).into_transaction_request();
    assert_eq!(refusal(world.chain.send(&world.stranger, request).await).1, "InvalidSender");
}

#[tokio::test]
async fn receivers_reason_is_recovered_when_the_forwarder_swallows_it() {
    let world = World::new().await;
    let round = Round { previous: [0xee; 32], ..world.round(B256::ZERO, false).await };
    let signed = world.signed(world.report(Statement::Round(round), 1).await);
    let sender = &world.stranger;
    let outcome = submit::deliver_unchecked(&world.chain, sender, world.deployment.forwarder, &signed).await;
    let refused = outcome.unwrap_err();
    assert_eq!(refused.refusal().unwrap().name, "PreviousHeaderMismatch");
    let mut watcher = Watcher::new(&world.chain, &world.deployment, 0);
    let seen = watcher.poll().await.unwrap();
    let reverted = seen.iter().find_map(|observed| match &observed.event {
        Event::DeliveryReverted { refusal, receiver, .. } => Some((refusal.name.clone(), *receiver)),
        _ => None,
    });
    assert_eq!(reverted, Some(("PreviousHeaderMismatch".into(), world.deployment.pool)));
    assert!(seen.iter().any(|observed| matches!(observed.event, Event::ReportProcessed { result: false, .. })));
}

#[tokio::test]
async fn deposits_that_are_no_whole_lots_and_used_ids_are_refused() {
    let world = World::new().await;
    world.deposit(USDC_LOT, 1).await;
    let amount = U256::from(USDC_LOT + 1);
    world.act().mint(&world.owner, 0, world.maker.address(), amount).await.unwrap();
    let odd = world.act().deposit(&world.maker, 0, amount, salt(2), Bytes::from_static(b"c")).await;
    assert_eq!(refusal(odd).1, "NotWholeLots");
    let used = world.act().submit_standing_order(&world.maker, salt(1), Bytes::from_static(b"c")).await;
    assert_eq!(refusal(used).1, "IdUsed");
    let poor = world.act().deposit(&world.stranger, 0, U256::from(USDC_LOT), salt(3), Bytes::from_static(b"c")).await;
    assert_eq!(refusal(poor).1, "ERC20InsufficientBalance");
}

#[tokio::test]
async fn collateral_is_requested_by_the_reserve_and_its_operators_alone() {
    let world = World::new().await;
    let deadline = world.now().await + 100;
    let order = Bytes::from_static(b"o");
    let refused = world.act().request_collateral(&world.stranger, salt(1), deadline, order.clone()).await;
    assert_eq!(refusal(refused).1, "NotReserve");
    world.act().approve_operator(&world.reserve, world.stranger.address(), true).await.unwrap();
    world.act().request_collateral(&world.stranger, salt(1), deadline, order.clone()).await.unwrap();
    let refused = world.act().approve_operator(&world.stranger, world.maker.address(), true).await;
    assert_eq!(refusal(refused).1, "NotReserve");
    let past = world.act().request_collateral(&world.reserve, salt(2), 1, order).await;
    assert_eq!(refusal(past).1, "DeadlineOutOfRange");
}

#[tokio::test]
async fn prices_are_read_oldest_first_and_bounded() {
    let world = World::new().await;
    let none = read::price_observations(&world.chain, world.deployment.feed, 10, LATEST).await.unwrap();
    assert!(none.is_empty());
    let start = world.now().await;
    for step in 0..4u64 {
        let answer = i128::from(100 + step);
        world.act().push_price(&world.owner, answer, start + step).await.unwrap();
    }
    let three = read::price_observations(&world.chain, world.deployment.feed, 3, LATEST).await.unwrap();
    let answers: Vec<(u128, i128)> = three.iter().map(|observation| (observation.round, observation.answer)).collect();
    assert_eq!(answers, [(2, 101), (3, 102), (4, 103)]);
    let all = read::price_observations(&world.chain, world.deployment.feed, 10, LATEST).await.unwrap();
    assert_eq!(all.len(), 4);
    let refused = world.act().push_price(&world.stranger, 1, start).await;
    assert_eq!(refusal(refused).1, "OwnableUnauthorizedAccount");
}

fn node(left: &[u8], right: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// A header of a table with four rows whose first row is the maker's, and the proof of that row.
fn table_of_one(world: &World, amount: u128) -> ExitProof {
    let mut row = vec![0; 64];
    row[..20].copy_from_slice(world.maker.address().as_slice());
    row[24..40].copy_from_slice(&amount.to_be_bytes());
    let row_salt = [0x5a; 32];
    let leaf: [u8; 32] = Sha256::new().chain_update([0]).chain_update(row_salt).chain_update(&row).finalize().into();
    let path = [[1u8; 32], [2; 32]];
    let root = node(&node(&leaf, &path[0]), &path[1]);
    let mut header = vec![0; 435];
    header[..4].copy_from_slice(b"CCTB");
    header[4..6].copy_from_slice(&1u16.to_be_bytes());
    header[8..16].copy_from_slice(&CHAIN_ID.to_be_bytes());
    header[16..36].copy_from_slice(world.deployment.pool.as_slice());
    header[36..68].copy_from_slice(world.deployment.table_id.as_slice());
    header[76..84].copy_from_slice(&1u64.to_be_bytes());
    header[116] = 2;
    header[117..119].copy_from_slice(&64u16.to_be_bytes());
    header[187..219].copy_from_slice(&root);
    ExitProof {
        header: header.into(),
        index: 0,
        row: row.into(),
        salt: row_salt.into(),
        path: path.map(B256::from).to_vec(),
    }
}

/// A gas limit of its own skips the question that would have cost nothing.
#[tokio::test]
async fn what_is_refused_in_a_block_names_its_transaction() {
    let world = World::new().await;
    let token = world.deployment.tokens[0].address;
    let mut request = calls::reclaim(world.deployment.pool, 0, token, U256::from(1), B256::ZERO);
    assert_eq!(refusal(world.chain.send(&world.maker, request.clone()).await).1, "ExitNotOpen");
    let before = world.chain.block(BlockId::latest()).await.unwrap().number;
    request.gas = Some(500_000);
    match world.chain.send(&world.maker, request).await {
        Err(ChainError::RefusedInBlock { refusal, block, .. }) => {
            assert_eq!((refusal.name.as_str(), block), ("ExitNotOpen", before + 1));
        }
        other => panic!("expected a refusal in a block, found {other:?}"),
    }
}

/// Another contract, another table and other tokens than the deployment's are noticed before anything is sent there.
#[tokio::test]
async fn a_pool_that_is_not_the_deployments_is_refused() {
    let world = World::new().await;
    let check = async |deployment: Deployment| deploy::check_pool(&world.chain, &deployment).await;
    check(world.deployment.clone()).await.unwrap();
    let token = world.deployment.tokens[0].address;
    let other = Deployment { pool: token, ..world.deployment.clone() };
    assert!(matches!(check(other).await, Err(ChainError::OtherPool { what: "code", .. })));
    let other = Deployment { table_id: B256::ZERO, ..world.deployment.clone() };
    assert!(matches!(check(other).await, Err(ChainError::OtherPool { what: "table", .. })));
    let other = Deployment { forwarder: token, ..world.deployment.clone() };
    assert!(matches!(check(other).await, Err(ChainError::OtherPool { what: "forwarder", .. })));
    let other = Deployment { reserve: token, ..world.deployment.clone() };
    assert!(matches!(check(other).await, Err(ChainError::OtherPool { what: "reserve", .. })));
    let registries = Registries { manager: token, vault: token, enclaves: token };
    let other = Deployment { registries: Some(registries), ..world.deployment.clone() };
    assert!(matches!(check(other).await, Err(ChainError::OtherPool { what: "vault", .. })));
    let mut other = world.deployment.clone();
    other.tokens.reverse();
    assert!(matches!(check(other).await, Err(ChainError::OtherPool { what: "token", .. })));
    let mut other = world.deployment.clone();
    other.tokens[0].plan.lot += 1;
    assert!(matches!(check(other).await, Err(ChainError::OtherPool { what: "lot", .. })));
}

#[tokio::test]
async fn owner_leaves_with_a_proof_when_no_round_closes_any_more() {
    let world = World::new().await;
    world.deposit(3 * USDC_LOT, 1).await;
    let proof = table_of_one(&world, u128::from(3 * USDC_LOT));
    let header_hash = keccak256(&proof.header).0;
    let round = Round { header_hash, ..world.round(B256::ZERO, false).await };
    world.deliver_statement(Statement::Round(round), 1).await.unwrap();
    assert_eq!(refusal(world.act().exit(&world.maker, &proof).await).1, "ExitNotOpen");
    let last = world.pool().table(LATEST).await.unwrap().last_round;
    world.chain.advance_time(last + 86_400).await.unwrap();
    assert_eq!(refusal(world.act().exit(&world.stranger, &proof).await).1, "NotAccount");
    let forged = ExitProof { salt: B256::ZERO, ..proof.clone() };
    assert_eq!(refusal(world.act().exit(&world.maker, &forged).await).1, "StateRootMismatch");
    world.act().exit(&world.maker, &proof).await.unwrap();
    assert_eq!(refusal(world.act().exit(&world.maker, &proof).await).1, "AlreadyExited");
    assert!(world.pool().table(LATEST).await.unwrap().halted);
    let next = Statement::Round(world.round(B256::ZERO, false).await);
    assert_eq!(refusal(world.deliver_statement(next, 2).await).1, "Halted");
}

#[tokio::test]
async fn deposit_that_no_round_consumed_is_taken_back() {
    let world = World::new().await;
    world.deposit(USDC_LOT, 1).await;
    let hash = keccak256(b"sealed account");
    let amount = U256::from(USDC_LOT);
    assert_eq!(refusal(world.act().reclaim(&world.maker, 0, 0, amount, hash).await).1, "ExitNotOpen");
    let last = world.pool().table(LATEST).await.unwrap().last_round;
    world.chain.advance_time(last + 86_400).await.unwrap();
    assert_eq!(refusal(world.act().reclaim(&world.stranger, 0, 0, amount, hash).await).1, "UnknownDeposit");
    world.act().reclaim(&world.maker, 0, 0, amount, hash).await.unwrap();
    let token = world.deployment.tokens[0].address;
    assert_eq!(world.pool().token_balance(token, LATEST).await.unwrap(), U256::ZERO);
}

#[tokio::test]
async fn balance_of_the_pool_is_read_at_an_earlier_block() {
    let world = World::new().await;
    world.deposit(USDC_LOT, 1).await;
    let before = world.chain.finalised_block().await.unwrap();
    world.deposit(2 * USDC_LOT, 2).await;
    let token = world.deployment.tokens[0].address;
    assert_eq!(world.pool().token_balance(token, before.id()).await.unwrap(), U256::from(USDC_LOT));
    assert_eq!(world.pool().token_balance(token, LATEST).await.unwrap(), U256::from(3 * USDC_LOT));
    assert_eq!(world.pool().count(before.id()).await.unwrap(), 1);
}

/// What a maker signs, and who may take what by it.
async fn permit(world: &World, amount: u64) -> CREDarkPool::Permit {
    let token = world.deployment.tokens[0].address;
    world.act().mint(&world.owner, 0, world.maker.address(), U256::from(amount)).await.unwrap();
    let (spender, deadline) = (world.deployment.pool, world.now().await + 600);
    let permission = Permission { spender, amount: U256::from(amount), deadline };
    permit::sign(&world.chain, &world.maker, token, &permission).await.unwrap()
}

async fn deposit_with(world: &World, amount: u64, permit: CREDarkPool::Permit) -> Result<ccc_chain::Sent, ChainError> {
    let sealed = (salt(1), Bytes::from_static(b"sealed"));
    let call = calls::deposit_with_permit(world.deployment.pool, 0, U256::from(amount), sealed, permit);
    world.chain.send(&world.maker, call).await
}

#[tokio::test]
async fn a_permit_is_worth_one_deposit() {
    let world = World::new().await;
    let permit = permit(&world, USDC_LOT).await;
    deposit_with(&world, USDC_LOT, permit.clone()).await.unwrap();
    let (token, pool) = (world.deployment.tokens[0].address, world.deployment.pool);
    let left = read::allowance(&world.chain, token, world.maker.address(), pool, LATEST).await.unwrap();
    assert_eq!(
        (left, read::token_balance(&world.chain, token, pool, LATEST).await.unwrap()),
        (U256::ZERO, U256::from(USDC_LOT))
    );
    world.act().mint(&world.owner, 0, world.maker.address(), U256::from(USDC_LOT)).await.unwrap();
    let sealed = (salt(2), Bytes::from_static(b"sealed"));
    let again = calls::deposit_with_permit(pool, 0, U256::from(USDC_LOT), sealed, permit);
    assert_eq!(refusal(world.chain.send(&world.maker, again).await).1, "ERC20InsufficientAllowance");
}

#[tokio::test]
async fn a_permit_that_somebody_hands_in_first_blocks_no_deposit() {
    let world = World::new().await;
    let found = permit(&world, USDC_LOT).await;
    let token = TestToken::new(world.deployment.tokens[0].address, world.chain.provider());
    let CREDarkPool::Permit { deadline, v, r, s } = found.clone();
    let (owner, spender) = (world.maker.address(), world.deployment.pool);
    let first = token.permit(owner, spender, U256::from(USDC_LOT), deadline, v, r, s).into_transaction_request();
    world.chain.send(&world.stranger, first).await.unwrap();
    deposit_with(&world, USDC_LOT, found).await.unwrap();
}

#[tokio::test]
async fn what_has_no_permits_is_refused_before_anything_is_signed() {
    let world = World::new().await;
    let (spender, amount) = (world.deployment.pool, U256::from(1));
    let permission = Permission { spender, amount, deadline: world.now().await + 600 };
    for contract in [world.deployment.pool, world.deployment.feed, world.stranger.address()] {
        let refused = permit::sign(&world.chain, &world.maker, contract, &permission).await;
        assert!(matches!(refused, Err(ChainError::NoPermit { token, .. }) if token == contract), "{refused:?}");
    }
}
