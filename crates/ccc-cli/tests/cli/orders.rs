//! What an encrypted order shows, and what it does not.

use super::support::Story;

#[test]
fn an_order_on_standard_output_is_a_ciphertext_and_nothing_else() {
    let story = Story::funded();
    let run = story.done("encrypt-order --pool pool --size 123456789 --spread 7 --out -");
    assert_eq!(&run.out[..4], b"CC\x01\x01");
    let seen = story.scratch.ccc_stdin("--json verify --pool pool -", &run.out);
    assert_eq!(seen.code, 0, "{}", seen.stderr);
}

#[test]
fn the_log_holds_no_account_and_no_size_of_an_order() {
    let story = Story::funded();
    let (size, offer) = (271_828_182_845u64, 314_159_265_358u64);
    story.done(&format!("encrypt-order --pool pool --size {size} --spread 7"));
    let account = story.done("--no-passphrase keygen account --out second.ccc").stdout;
    story.done("table deposit --pool pool --account-key second.ccc --asset base --amount 1000000");
    story.done(&format!("encrypt-order --pool pool --standing --account-key second.ccc --size {offer} --spread 3"));
    let log = String::from_utf8(story.scratch.read("pool/log.jsonl")).expect("text").to_lowercase();
    let account = account.trim().trim_start_matches("0x").to_owned();
    let numbers = [size, offer].into_iter().flat_map(|number| [number.to_string(), format!("{number:x}")]);
    for secret in numbers.chain([account]) {
        assert!(!log.contains(&secret), "{secret}");
    }
    assert!(log.contains("\"amount\":\"1000000\""), "a deposit's amount is public");
}

#[test]
fn sizes_in_arguments_are_warned_about_and_files_are_not() {
    let story = Story::funded();
    let flags = story.done("encrypt-order --pool pool --size 1000000 --spread 7");
    assert!(flags.stderr.contains("--terms FILE hides them"));
    let terms = story.scratch.ccc_stdin("encrypt-order --pool pool --terms -", b"size = 1000000\nspread = [5, 9]\n");
    assert_eq!((terms.code, terms.stderr.as_str()), (0, ""));
}

#[test]
fn the_agent_orders_what_its_envelope_says_and_only_while_it_lasts() {
    let story = Story::stocked();
    story.statement(4_750_000_000, 4_900_000_000);
    story.attempt("check", "--reserve-check", &[1, 2, 3]);
    let run = story.ccc("fill run --pool pool --attempt check --statement statement.json");
    assert_eq!((run.code, run.stdout.contains("reserve: insolvent")), (1, true), "{}", run.stderr);
    story.done("encrypt-order --pool pool --check check --agent-key agent.ccc");
    story.done("--no-passphrase keygen agent --out other.ccc");
    story.ccc("encrypt-order --pool pool --check check --agent-key other.ccc").fails(2, "envelope does not open");
    let mut envelope = story.scratch.read("check/envelope.ccc");
    envelope[50] ^= 1;
    story.scratch.write("check/envelope.ccc", envelope);
    story
        .ccc("encrypt-order --pool pool --check check --agent-key agent.ccc")
        .fails(2, "not the one that the report names");
    story.ccc("verify --pool pool check/envelope.ccc check/report.ccc").fails(1, "differs");
}
