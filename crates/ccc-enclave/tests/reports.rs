//! Reports: how a clearing went, for the requester, and what each fill was worth, for its maker; one for every slot in
//! every round.

mod support;

use ccc_core::table::{Execution, Markouts, ReceiptError, Receipts, SlotReport};
use ccc_enclave::round::RoundOutput;
use support::{BASE, Job, LOT, PRICE, QUOTE, World, owner::Owner};

fn file(output: &RoundOutput) -> Receipts {
    Receipts::new(output.table.header.hash(), output.receipts.clone()).expect("a round's")
}

fn reports(output: &RoundOutput, owner: &Owner) -> Vec<(u32, SlotReport)> {
    file(output).reports(&owner.reading_key(), &output.table.header)
}

/// The one report of the requester.
fn execution(world: &World, output: &RoundOutput) -> Execution {
    match reports(output, &world.reserve).as_slice() {
        [(slot, SlotReport::Request(execution))] if *slot == world.config.order_slots => execution.clone(),
        other => unreachable!("one report, of the last slot: {other:?}"),
    }
}

/// The one report of a maker's order.
fn markouts(output: &RoundOutput, maker: &Owner) -> (u32, Markouts) {
    match reports(output, maker).as_slice() {
        [(slot, SlotReport::Order(markouts))] => (*slot, markouts.clone()),
        other => unreachable!("one report: {other:?}"),
    }
}

/// A round that settles a request of this many lots, with what changes it beforehand.
fn settle(world: &mut World, lots: u64, change: impl FnOnce(&mut Job)) -> RoundOutput {
    let order = world.plain_order(lots * LOT);
    let request = world.request(&order);
    let mut job = world.job(Some(request));
    change(&mut job);
    let output = world.run(&job).expect("a round");
    world.accept(&job, &output);
    output
}

fn price() -> u64 {
    u64::try_from(PRICE).expect("a price")
}

/// What hundredths of a coin cost at a price, rounded up.
fn at(lots: u64, price: u64) -> i128 {
    (i128::from(lots) * i128::from(price) + 99) / 100
}

#[test]
fn the_requester_alone_hears_how_its_order_was_executed() {
    let (mut world, makers) = World::with_makers(1);
    let output = settle(&mut world, 25, |_| {});
    let found = execution(&world, &output);
    let [(_, receipt)] =
        file(&output).open(&world.reserve.reading_key(), &output.table.header).try_into().expect("one");
    // 10 lots at 10 basis points, 15 of 20 at 20
    let expected = Execution {
        outcome: 1,
        reason: 0,
        allocation: 1,
        pricing: 1,
        request: receipt.request,
        ordered: 25,
        filled: 25,
        average: price(),
        last: price(),
        total: receipt.notional,
        cost: receipt.notional.cast_signed() - at(25, price()),
        cost_rate: 1_600,
        over_last: 1_600,
        admitted: 10_000,
        premium: 1_600,
        ratio: 10_000,
        largest_share: 6_000,
        herfindahl: 5_200,
        makers: 2,
    };
    assert_eq!(found, expected);
    assert!(found.cost > 0 && found.request != [0; 32]);
    for maker in &makers {
        assert!(matches!(reports(&output, maker).as_slice(), [(_, SlotReport::Order(_))]));
    }
    assert!(reports(&output, &Owner::new(99)).is_empty());
}

#[test]
fn a_round_that_fills_nothing_reports_the_order_the_prices_and_zeros() {
    let (mut world, makers) = World::with_makers(2);
    let blank = Execution { allocation: 1, pricing: 1, average: price(), last: price(), ..Execution::default() };
    let idle = world.idle();
    assert_eq!(execution(&world, &idle), Execution { reason: 2, ..blank.clone() }, "nothing was asked for");
    let short = settle(&mut world, 1_000, |_| {});
    let found = execution(&world, &short);
    let expected = Execution { reason: 2, request: found.request, ordered: 1_000, admitted: 10_000, ..blank.clone() };
    assert_eq!(found, expected);
    let refused = settle(&mut world, 5, |job| job.observations.clear());
    let found = execution(&world, &refused);
    let expected = Execution { reason: 1, ordered: 5, average: 0, last: 0, ..expected };
    assert_eq!(found, Execution { request: found.request, ..expected });
    let unreadable = world.request_bytes(b"no order");
    let unread = world.round(Some(unreadable));
    let found = execution(&world, &unread);
    assert_eq!(found, Execution { reason: 2, request: found.request, ..blank });
    for output in [&idle, &short, &refused, &unread] {
        let (_, found) = markouts(output, &makers[0]);
        assert_eq!((found.outcome, found.lots, found.price, found.markouts, found.rates), (0, 0, 0, [0; 3], [0; 3]));
    }
}

#[test]
fn n129_a_batch_that_the_table_refuses_has_no_figures() {
    // the reserve's quote does not pay for what it ordered: insufficient, 4
    let mut world = World::new(5);
    let maker = Owner::new(2);
    world.deposit([1; 20], &maker, BASE, u128::from(30 * LOT));
    world.order([1; 20], &maker, 30, 1_000);
    let reserve = Owner::new(1);
    world.deposit(reserve.account(), &reserve, QUOTE, 5);
    world.idle();
    let output = settle(&mut world, 25, |_| {});
    let found = execution(&world, &output);
    assert_eq!((found.outcome, found.reason, found.ordered), (0, 16 + 4, 25));
    let figures = (found.filled, found.total, found.cost, found.herfindahl, found.largest_share, found.makers);
    assert_eq!(figures, (0, 0, 0, 0, 0, 0));
    let (_, found) = markouts(&output, &maker);
    assert_eq!((found.outcome, found.lots, found.markouts), (0, 0, [0; 3]));
}

#[test]
fn a_maker_hears_what_its_fill_was_worth_then_and_at_the_block() {
    let (mut world, makers) = World::with_makers(3);
    let deadline = world.time - 100;
    let mut order = world.plain_order(25 * LOT);
    order.times = [deadline - 10, deadline];
    let mut request = world.request(&order);
    request.deadline = deadline;
    let mut job = world.job(Some(request));
    // 200 seconds ago the last before the deadline, 5 seconds ago one after it
    job.observations[3].answer += PRICE / 10;
    job.observations[4].answer -= PRICE;
    let given = job.observations[4].updated_at;
    let output = world.run(&job).expect("a round");
    world.accept(&job, &output);
    let found = execution(&world, &output);
    let references = [found.average, price() + price() / 1_000, price() - price() / 100];
    assert_eq!(found.last, references[1]);
    assert!(found.average > price() && found.average < references[1], "an average of both");
    for (number, lots, maker) in [(0, 10, &makers[0]), (1, 15, &makers[1]), (2, 0, &makers[2])] {
        let (slot, report) = markouts(&output, maker);
        let [(_, receipt)] = file(&output).open(&maker.reading_key(), &output.table.header).try_into().expect("one");
        let notional = receipt.notional.cast_signed();
        assert_eq!((slot, report.lots, receipt.lots, report.references), (number, lots, lots, references));
        assert_eq!(report.reference_time, given);
        assert_eq!(report.outcome == 1, lots != 0);
        assert_eq!(report.markouts, references.map(|price| notional - at(lots, price)), "{lots} lots");
        let signs = report.rates.map(i32::signum);
        assert_eq!(signs, if lots == 0 { [0; 3] } else { [1, 1, 1] }, "{report:?}");
    }
    // the average price is within the spread of what was paid, the price at the block one hundredth below
    let (_, first) = markouts(&output, &makers[0]);
    assert_eq!(first.rates[0], 1_000);
    assert!(first.rates[2] > 11_000, "{first:?}");
}

#[test]
fn the_prices_of_a_later_round_measure_an_earlier_fill() {
    let (mut world, makers) = World::with_makers(4);
    let filled = settle(&mut world, 25, |_| {});
    let mut job = world.job(None);
    job.observations[4].answer += PRICE;
    let later = world.run(&job).expect("a round");
    world.accept(&job, &later);
    let ((_, then), (_, now)) = (markouts(&filled, &makers[0]), markouts(&later, &makers[0]));
    assert_eq!((now.outcome, now.lots, now.references[2]), (0, 0, price() + price() / 100));
    assert_eq!(then.price, price() + price() / 1_000);
    assert!(then.price < now.references[2], "sold below what a later round says");
}

/// What the receipts and reports of a round say to these makers.
fn heard(output: &RoundOutput, makers: &[&Owner]) -> String {
    let (file, header) = (file(output), &output.table.header);
    let heard = makers.iter().map(|maker| (file.open(&maker.reading_key(), header), reports(output, maker)));
    format!("{:?}", heard.collect::<Vec<_>>())
}

/// Sizes of 20, 21 and 22 lots under a limit of two fifths each have 8 lots as the limit, one of 23 has 9.
#[test]
fn capped_makers_that_collude_hear_the_same_of_every_size_with_one_limit() {
    let views = [20, 21, 22, 23].map(|lots| {
        let (mut world, makers) = World::with_makers(8);
        let mut order = world.plain_order(lots * LOT);
        order.dispersion = [4_000, 4_000];
        let request = world.request(&order);
        let output = world.round(Some(request));
        let [first, second, third] = &makers;
        let alone = [first, second, third].map(|maker| heard(&output, &[maker]));
        let fills = makers.each_ref().map(|maker| markouts(&output, maker).1.lots);
        (fills, heard(&output, &[first, second]), alone)
    });
    let fills = views.each_ref().map(|(fills, ..)| *fills);
    assert_eq!(fills, [[8, 8, 4], [8, 8, 5], [8, 8, 6], [9, 9, 5]]);
    let [twenty, one, two, three] = views.each_ref().map(|(_, joint, _)| joint);
    assert!(twenty == one && one == two, "two at the limit hear nothing of the size but the limit");
    assert_ne!(two, three);
    for maker in 0..2 {
        let alone = views.each_ref().map(|(.., alone)| &alone[maker]);
        assert!(alone[..3].windows(2).all(|pair| pair[0] == pair[1]), "and each of them as much alone");
        assert_ne!(alone[2], alone[3]);
    }
    let third = views.each_ref().map(|(.., alone)| &alone[2]);
    assert_ne!(third[0], third[1], "who is below the limit hears its own fill");
}

#[test]
fn a_report_opens_at_its_place_under_its_header_and_is_no_receipt() {
    let (mut world, makers) = World::with_makers(6);
    let (first, second) = (world.idle(), world.idle());
    let (key, header) = (makers[0].reading_key(), &first.table.header);
    let place = usize::try_from(world.config.order_slots).expect("small") + 1;
    let sealed = &first.receipts[place];
    let open =
        |sealed: &[u8], place: usize| SlotReport::open(sealed, &key, header, u32::try_from(place).expect("small"));
    assert!(open(sealed, place).is_ok());
    assert_eq!(open(sealed, place + 1), Err(ReceiptError::Sealed));
    assert_eq!(open(&second.receipts[place], place), Err(ReceiptError::Sealed), "of the next round");
    assert_eq!(open(&first.receipts[0], 0), Err(ReceiptError::Sealed), "a receipt");
    let mut dropped = first.receipts.clone();
    dropped.remove(place);
    let left = Receipts::new(header.hash(), dropped).expect("some");
    assert!(left.reports(&key, header).is_empty() && left.reports(&world.reserve.reading_key(), header).is_empty());
}
