//! `ccc recover`: the timeline, the two columns, the object and its schema.

use super::support::Scratch;

const SMALL: &str = "--participants 4 --makers 8";
const SCHEMA: &str = include_str!("../../../../docs/spec/recover.schema.json");

#[test]
fn a_reserve_is_healed_and_shown_in_two_columns() {
    let run = Scratch::new().done(&format!("recover {SMALL}"));
    for text in ["key generation", "clearing", "what the chain saw", "what stayed private"] {
        assert!(run.stdout.contains(text), "{text}\n{}", run.stdout);
    }
    let shown = |name: &str| run.stdout.lines().any(|line| line.starts_with(&format!("{name} ")));
    assert!(shown("reserve check: insolvent") && shown("reserve check, again: solvent"), "{}", run.stdout);
    assert!(run.stdout.ends_with("the reserve was insolvent and is solvent\n"), "{}", run.stdout);
    assert!(!run.stdout.contains("FOUND"), "{}", run.stdout);
}

/// The same command with a market: the agent's own way is told, and Uniswap's packages are asked for where they must be.
#[test]
fn a_small_deficit_is_swapped_and_said() {
    let scratch = Scratch::new();
    let run = scratch.done(&format!("recover --scenario small-deficit {SMALL} --threshold 3"));
    assert!(
        run.stdout.ends_with("asked the dark pool for the rest\nthe reserve was insolvent and is solvent\n"),
        "{}",
        run.stdout
    );
    assert!(run.stderr.contains("simulated: the exchange"), "{}", run.stderr);
    let elsewhere =
        scratch.ccc(&format!("--json recover --scenario small-deficit {SMALL} --threshold 3 --uniswap none"));
    assert_eq!((elsewhere.code, &elsewhere.json_error()["code"]), (2, &"read".into()), "{}", elsewhere.stderr);
    assert_eq!(scratch.ccc("recover --uniswap none --devnet").code, 2);
}

#[test]
fn what_is_simulated_is_said_once() {
    let run = Scratch::new().done(&format!("recover {SMALL}"));
    let said = "note: simulated: the enclave's hardware, the custodian, the price feed and the tokens";
    assert_eq!(run.stderr.lines().filter(|line| *line == said).count(), 1, "{}", run.stderr);
}

#[test]
fn production_refuses_a_seed_and_simulated_parts() {
    let scratch = Scratch::new();
    for (flags, sentence) in [
        ("--production --seed 1", "a seed is refused in production mode"),
        ("--production", "simulated attestation is refused in production"),
        ("--production --participants 3", "3 participants tolerate no fault; production needs at least 4"),
    ] {
        scratch.ccc(&format!("recover {flags} --makers 8")).fails(2, sentence);
        let run = scratch.ccc(&format!("--json recover {flags} --makers 8 --out run"));
        assert_eq!((run.code, &run.json_error()["code"]), (2, &"production".into()));
        assert!(run.stdout.is_empty() && !scratch.path("run").exists(), "{}", run.stdout);
    }
}

#[test]
fn the_object_follows_its_schema() {
    let schema = serde_json::from_str(SCHEMA).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let scratch = Scratch::new();
    let run = scratch.done(&format!("--json recover {SMALL} --seed 5 --out run"));
    let object = run.json();
    let errors: Vec<String> = validator.iter_errors(&object).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!((&object["initial_status"], &object["final_status"]), (&"insolvent".into(), &"solvent".into()));
    let spans = object["spans"].as_array().expect("a list");
    let shown = spans.iter().filter(|span| span.get("status").is_some());
    let shown: Vec<_> = shown.map(|span| (span["name"].as_str(), span["status"].as_str())).collect();
    let expected = [("reserve check", "insolvent"), ("reserve check, again", "solvent")];
    assert_eq!(shown, expected.map(|(name, status)| (Some(name), Some(status))));
    for name in object["artifacts"].as_array().expect("a list") {
        assert!(scratch.path("run").join(name.as_str().expect("text")).exists(), "{name}");
    }
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&scratch.read("run/summary.json")).expect("JSON"), object);
    let mut broken = object.clone();
    broken["final_status"] = "rich".into();
    assert!(!validator.is_valid(&broken));
    scratch.ccc(&format!("recover {SMALL} --out run")).fails(2, "run is not empty");
}

#[test]
fn a_seed_gives_the_same_public_bytes() {
    let scratch = Scratch::new();
    for name in ["one", "two"] {
        scratch.done(&format!("--quiet recover {SMALL} --seed 9 --out {name}"));
    }
    assert_eq!(scratch.read("one/transcript.json"), scratch.read("two/transcript.json"));
    assert_eq!(scratch.read("one/committee.ccc"), scratch.read("two/committee.ccc"));
}

/// The requester's report is told to the file that was asked for, and to nothing that is public.
#[cfg(unix)]
#[test]
fn the_requesters_report_goes_to_its_own_file_alone() {
    use super::support::mode;
    let scratch = Scratch::new();
    let run =
        scratch.done("recover --seed 7 --scenario large-deficit --makers 8 --out run --requester-report own.json");
    assert_eq!(mode(&scratch.path("own.json")), 0o600);
    let report: serde_json::Value = serde_json::from_slice(&scratch.read("own.json")).expect("JSON");
    assert_eq!((&report["kind"], &report["filled"]), (&"execution".into(), &true.into()));
    let secrets = ["cost", "total"].map(|field| report[field].as_str().expect("digits").to_owned());
    for file in std::fs::read_dir(scratch.path("run")).expect("the run's files") {
        let bytes = std::fs::read(file.expect("a file").path()).expect("read");
        let text = String::from_utf8_lossy(&bytes);
        assert!(secrets.iter().all(|secret| !text.contains(secret.as_str()) && !run.stdout.contains(secret.as_str())));
    }
}

#[test]
fn a_reserve_that_stays_insolvent_is_a_no() {
    let run = Scratch::new().ccc(&format!("--json recover --scenario insufficient-liquidity {SMALL} --threshold 3"));
    assert_eq!((run.code, &run.json()["final_status"]), (1, &"insolvent".into()), "{}", run.stderr);
}

#[test]
fn misbehaving_participants_are_named() {
    for scenario in ["participant-lying", "participant-silent"] {
        let run = Scratch::new().done(&format!("--json recover --scenario {scenario} --makers 8"));
        assert_eq!(run.json()["final_status"], "solvent", "{scenario}");
        assert!(!run.json()["culprits"].as_array().expect("a list").is_empty(), "{scenario}");
    }
}

#[test]
fn fewer_than_t_good_shares_end_the_run() {
    let scratch = Scratch::new();
    for (faults, sentence) in [
        ("silent = [1, 2]", "2 of 3 needed shares are good"),
        ("lying = [2, 4]", "2 of 3 needed shares are good; bad shares from participant 2, 4"),
    ] {
        let text = format!("name = \"faults\"\nparticipants = 4\nmakers = 8\n[faults]\n{faults}\n");
        scratch.write("faults.toml", text);
        let before = scratch.snapshot();
        let run = scratch.ccc("--quiet recover --scenario faults.toml --out run");
        run.fails(2, sentence);
        assert!(run.stderr.contains("hint: further honest participants must answer"), "{}", run.stderr);
        assert_eq!(scratch.snapshot(), before);
    }
}

#[test]
fn scenarios_are_read_strictly() {
    let scratch = Scratch::new();
    scratch.write("typo.toml", "name = \"typo\"\nmakerz = 3\n");
    let before = scratch.snapshot();
    scratch.ccc("recover --scenario typo.toml --out run").fails(2, "unknown field `makerz`");
    assert_eq!(scratch.snapshot(), before);
    scratch.ccc("recover --scenario no-such-name").fails(2, "no built-in scenario is called `no-such-name`");
    scratch.ccc("recover --scenario missing/file.toml").fails(2, "cannot read");
    scratch.ccc("recover --participants 4 --threshold 4").fails(2, "threshold 4 of 4");
    scratch.ccc("recover --participants 0").fails(2, "0 participants");
    scratch.ccc("recover --makers 0").fails(2, "scenario");
    let run = scratch.ccc("recover --makers 99999999999");
    assert_eq!(run.code, 2);
}

#[test]
fn sizes_are_never_adjusted() {
    let scratch = Scratch::new();
    let recover = |flags: &str| scratch.ccc(&format!("recover {flags} --out run"));
    let run = recover("--makers 64 --accounts 64");
    run.fails(2, "accounts is 64, where 64 makers and the reserve need 65");
    assert!(run.stderr.contains("hint: leave accounts away"), "{}", run.stderr);
    recover("--makers 8 --accounts 0").fails(2, "accounts is 0, where 1 to 4194304 is possible");
    recover("--accounts 4194305").fails(2, "accounts is 4194305, where 1 to 4194304 is possible");
    let run = recover("--scenario large-deficit --participants 4");
    run.fails(2, "threshold 11 of 4, where 2 to 3 are safe");
    assert!(run.stderr.contains("hint: give --threshold with --participants"), "{}", run.stderr);
    assert!(!scratch.path("run").exists());
    scratch.done("--quiet recover --participants 4 --makers 8 --accounts 9");
}

#[test]
fn progress_is_for_terminals_alone() {
    let run = Scratch::new().done(&format!("recover {SMALL}"));
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert!(lines.len() == 1 && lines[0].starts_with("note: simulated"), "{}", run.stderr);
    let run = Scratch::new().done(&format!("--quiet recover {SMALL}"));
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
}

#[test]
fn a_node_that_is_not_there_is_told() {
    Scratch::new().ccc(&format!("recover {SMALL} --rpc-url http://127.0.0.1:9")).fails(2, "chain");
}

#[test]
fn a_statement_file_takes_the_custodians_place() {
    let scratch = Scratch::new();
    scratch.write("statement.json", r#"{"account":"a","unit":"satoshi","time":1,"reserves":-1,"liabilities":5}"#);
    scratch.ccc(&format!("recover {SMALL} --statement statement.json")).fails(2, "`reserves` is negative");
    let time = super::support::now() - 10;
    let text = format!(
        r#"{{"account":"a","unit":"satoshi","time":{time},"reserves":1185600000000,"liabilities":1248000000000}}"#
    );
    scratch.write("statement.json", text);
    let run = scratch.done(&format!("--json recover {SMALL} --statement statement.json"));
    assert_eq!(run.json()["final_status"], "solvent");
}
