//! Everything that a recovery writes: each file verifies with what lies beside it, or says why it cannot.

use super::support::Scratch;
use std::fs;

/// Bytes of a sidecar before its entries: 38 and two times 1,024 nodes of 32 bytes but two.
const SIDECAR_TREE: usize = 38 + 32 * (2 * 1_024 - 2);
/// Header of the kind, hash of the table's header, count.
const RECEIPTS_HEAD: usize = 8 + 32 + 4;

/// A seeded run, its artifacts by name, and beside its directory a copy of what they are held against.
fn recovered() -> (Scratch, Vec<String>) {
    let scratch = Scratch::new();
    let run = scratch.done("--json recover --participants 4 --makers 8 --seed 5 --out run").json();
    let names = run["artifacts"].as_array().expect("a list").iter().map(|name| name.as_str().expect("text").to_owned());
    let names = names.collect();
    for name in ["committee.ccc", "deployment.json", "policy.json"] {
        fs::copy(scratch.path("run").join(name), scratch.path(name)).expect("copied");
    }
    (scratch, names)
}

/// The block's time of an attempt: its report is valid for 900 seconds.
fn time_of(scratch: &Scratch, stem: &str) -> u64 {
    let report = scratch.done(&format!("--json inspect run/{stem}.report")).json();
    report["valid_until"].as_u64().expect("a time") - 900
}

/// What the file is held against beside the run's own committee, deployment and policy.
fn beside(scratch: &Scratch, stem: &str, kind: &str) -> Option<String> {
    let attempt = stem.rsplit_once('-').filter(|_| kind == "share").map_or(stem, |(attempt, _)| attempt);
    let companion = match kind {
        "recipient" | "evidence" | "share" => format!("run/{attempt}.request"),
        "body" | "sidecar" | "receipts" => format!("run/{stem}.header"),
        "envelope" => format!("run/{stem}.report"),
        _ => return None,
    };
    scratch.path(&companion).exists().then_some(companion)
}

/// When the file was made, or for one without a time of its own, when the order was filled.
fn time_for(scratch: &Scratch, name: &str) -> u64 {
    let (stem, kind) = name.rsplit_once('.').expect("an ending");
    let attempt = if kind == "share" { stem.rsplit_once('-').expect("a participant").0 } else { stem };
    let known = scratch.path(&format!("run/{attempt}.report")).exists();
    time_of(scratch, if known { attempt } else { "round-3" })
}

fn verify(scratch: &Scratch, name: &str, at: u64) -> super::support::Run {
    let (stem, kind) = name.rsplit_once('.').expect("an ending");
    let held = "--committee committee.ccc --deployment deployment.json --policy policy.json";
    scratch.ccc(&format!("verify {held} --at {at} run/{name} {}", beside(scratch, stem, kind).unwrap_or_default()))
}

#[test]
fn every_file_of_a_recovery_is_told_and_verified_or_says_why_not() {
    let (scratch, mut names) = recovered();
    names.push("summary.json".to_owned());
    let files = fs::read_dir(scratch.path("run")).expect("listed").count();
    assert_eq!(files, names.len(), "the object names every file");
    let mut kinds = std::collections::BTreeSet::new();
    for name in &names {
        let told = scratch.done(&format!("--json inspect run/{name}")).json();
        kinds.insert(told["file"].as_str().expect("text").to_owned());
        let run = verify(&scratch, name, time_for(&scratch, name));
        match name.as_str() {
            "transcript.json" => drop(run.fails(2, "its chain alone can confirm it")),
            "summary.json" => drop(run.fails(2, "the reports beside it are what was signed")),
            _ => assert_eq!(run.code, 0, "{name}: {}{}", run.stdout, run.stderr),
        }
    }
    let told: Vec<&str> = kinds.iter().map(String::as_str).collect();
    let expected = [
        "a ciphertext",
        "a committee",
        "a deployment",
        "a participant's re-encrypted share",
        "a recovery's summary",
        "a recovery's transcript",
        "a request for re-encryption",
        "a signed report",
        "a table header",
        "a table's body",
        "a table's sidecar",
        "an agent's envelope",
        "an attestation policy",
        "an enclave's attested keys",
        "attestation evidence",
        "the receipts of a round",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_body_is_a_body_whatever_byte_it_starts_with() {
    let (scratch, _) = recovered();
    let mut body = scratch.read("run/round-2.body");
    for first in [b'{', b'C', b' '] {
        body[0] = first;
        scratch.write("body", &body);
        assert_eq!(scratch.done("--json inspect body").json()["file"], "a table's body", "{first}");
    }
}

#[test]
fn an_altered_byte_anywhere_in_a_recoverys_file_is_noticed() {
    let (scratch, names) = recovered();
    let mut kinds = std::collections::BTreeSet::new();
    for name in names.iter().filter(|name| !name.ends_with(".json") && !name.starts_with("round-1.")) {
        let (_, kind) = name.rsplit_once('.').expect("an ending");
        if !kinds.insert(kind) {
            continue;
        }
        let path = scratch.path("run").join(name);
        let (good, at) = (fs::read(&path).expect("read"), time_for(&scratch, name));
        // the entries of a sidecar and the receipts are sealed to their owners: nobody else can check them
        let checked = match kind {
            "sidecar" => SIDECAR_TREE,
            "receipts" => RECEIPTS_HEAD,
            _ => good.len(),
        };
        for byte in (0..checked).step_by(checked.div_ceil(6)).chain([checked - 1]) {
            let mut bent = good.clone();
            bent[byte] ^= 1;
            fs::write(&path, bent).expect("written");
            // nobody signs a header or a request: what they name is held against them
            let held = match kind {
                "header" => name.replace(".header", ".body"),
                "request" => name.replace(".request", ".recipient"),
                _ => name.clone(),
            };
            let run = verify(&scratch, &held, at);
            assert!(matches!(run.code, 1 | 2), "{name}, byte {byte}: {}", run.stdout);
        }
        fs::write(&path, good).expect("restored");
    }
    assert_eq!(kinds.len(), 12, "{kinds:?}");
}

#[test]
fn what_a_file_is_held_against_is_asked_for_by_name() {
    let (scratch, _) = recovered();
    let committee = "--committee run/committee.ccc";
    // the same keys and contracts, other secrets in the table
    scratch.done("--quiet recover --participants 4 --makers 9 --seed 5 --out other");
    for (arguments, what) in [
        ("run/round-2.recipient", "a pool or a policy"),
        ("run/round-2.evidence", "a pool or a policy"),
        ("--policy run/policy.json run/round-2.recipient", "its request"),
        ("run/round-2.report", "a pool or a deployment"),
        ("run/round-2.header", "a committee"),
        ("run/round-2.body", "its header"),
        ("run/round-2.sidecar", "its header"),
        ("run/round-2.receipts", "its header"),
        ("run/reserve-1.envelope", "its solvency report"),
        ("run/order.ciphertext", "a committee"),
    ] {
        let run = scratch.ccc(&format!("verify {arguments}"));
        run.fails(2, &format!("cannot be checked without {what}"));
        assert!(
            run.stderr.contains("--committee, --pool, --deployment or --policy, or beside the file"),
            "{}",
            run.stderr
        );
    }
    scratch.ccc(&format!("verify {committee} run/round-2.header run/round-3.body")).fails(1, "the body root differs");
    let run = scratch.done(&format!("verify {committee} run/round-2.header run/round-3.header run/round-3.body"));
    assert!(run.stdout.contains("the body of table version 3"), "{}", run.stdout);
    let deployment = "--deployment run/deployment.json";
    let header = |report: &str| {
        let at = time_of(&scratch, report);
        scratch.ccc(&format!("verify {committee} {deployment} --at {at} run/round-2.header run/{report}.report"))
    };
    assert!(header("round-2").stdout.contains("which its round's report names"));
    assert!(header("round-3").stdout.contains("name the pool to check that it is current"));
    scratch.write("run/round-2.header", scratch.read("other/round-2.header"));
    header("round-2").fails(1, "the hash in its round's report differs");
    let at = time_of(&scratch, "reserve-2");
    let run = scratch.ccc(&format!("verify {deployment} --at {at} run/reserve-2.report run/reserve-1.envelope"));
    run.fails(1, "the digest in the report differs");
}

#[test]
fn evidence_is_held_against_the_policy_that_is_given() {
    let (scratch, _) = recovered();
    let at = time_of(&scratch, "reserve-1");
    let verify = |policy: &str, at: u64, rest: &str| {
        scratch.ccc(&format!("verify {policy} --committee run/committee.ccc --at {at} run/reserve-1.{rest}"))
    };
    let ours = "--policy run/policy.json";
    for (rest, sentence) in
        [("recipient run/reserve-2.request", "nonce"), ("evidence run/reserve-2.request", "the nonce")]
    {
        verify(ours, at, rest).fails(1, sentence);
    }
    verify(ours, at + 601, "recipient run/reserve-1.request").fails(1, "does not verify");
    let text = String::from_utf8(scratch.read("run/policy.json")).expect("text");
    let good: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let altered = |member: &str, value: serde_json::Value| {
        let mut other = good.clone();
        other[member] = value;
        scratch.write("other.json", other.to_string());
        verify("--policy other.json", at, "recipient run/reserve-1.request")
    };
    altered("measurements", serde_json::json!(["00".repeat(32)])).fails(1, "the measurement is not on the list of 1");
    altered("simulated_roots", serde_json::json!([])).fails(1, "no configured simulated root");
    let evidence = |policy: &str, at: u64| verify(policy, at, "evidence run/reserve-1.request");
    assert_eq!(evidence(ours, at).code, 0);
    altered("max_age", 5.into());
    evidence("--policy other.json", at + 6).fails(1, "seconds old, where 5 are accepted");
    altered("kinds", 2.into());
    evidence("--policy other.json", at).fails(1, "of one maker, where the policy asks for 2 together");
    altered("mode", "production".into());
    evidence("--policy other.json", at).fails(1, "simulated attestation is refused in production");
    altered("mode", "production".into()).fails(1, "simulated attestation is refused in production");
    altered("measurements", serde_json::json!(["00"])).fails(2, "measurement 0 is not 64 hexadecimal digits");
    altered("mode", "lax".into()).fails(2, "unknown variant");
    scratch.ccc("verify other.json").fails(1, "policy");
}

/// A genuine report of Milan: no time, no nonce, and nothing that binds it to a request that is named.
#[test]
fn evidence_without_a_nonce_is_not_taken_for_an_answer() {
    let (scratch, _) = recovered();
    let vectors = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/attestation");
    let text = fs::read_to_string(vectors.join("snp/report_milan.hex")).expect("the sample");
    let report = hex::decode(text.trim()).expect("hexadecimal");
    let launch = hex::encode(&report[0x90..0xc0]);
    scratch.write("report.bin", report);
    fs::copy(vectors.join("snp/vcek_milan.der"), scratch.path("vcek.der")).expect("copied");
    let policy = |rest: &str| {
        let program = format!("[[snp]]\nmeasurement = \"{launch}\"\n[snp_minimum]\nsnp = 8\n");
        scratch.write("snp.toml", format!("mode = \"production\"\nmax_age = 60\n{rest}{program}"));
    };
    let verify = |files: &str| {
        let at = 1_700_000_000;
        scratch.ccc(&format!("verify --policy snp.toml --committee committee.ccc --at {at} --beside vcek.der {files}"))
    };
    policy("");
    let done = verify("report.bin");
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stdout.contains("age not stated"), "{}", done.stdout);
    assert!(done.stdout.contains("its user data, and so its configuration, is not judged"), "{}", done.stdout);
    verify("report.bin run/reserve-1.request").fails(1, "nothing here binds it to the request");
    for list in ["nothing", "ask-revoked"] {
        fs::copy(vectors.join(format!("snp/revocation/{list}.crl")), scratch.path("list.crl")).expect("copied");
        verify("--crl list.crl report.bin").fails(1, "no revocation list of the chain's root is among the 1");
    }
    verify("--crl vcek.der report.bin").fails(1, "revocation list 0: not a list of version 2 in DER");
    policy("kinds = 2\n");
    verify("report.bin").fails(1, "of one maker, where the policy asks for 2 together");
}

/// Programs by their digests are hardware too: what else is held of it is shown, and needed.
#[test]
fn a_production_policy_says_its_configurations() {
    let (scratch, digest) = (Scratch::new(), "ab".repeat(32));
    let policy = |rest: &str| {
        let text = format!("mode = \"production\"\nmax_age = 60\nmeasurements = [\"{digest}\"]\n{rest}");
        scratch.write("digests.toml", text);
    };
    policy(&format!("configurations = [\"{digest}\"]\n"));
    let told = scratch.done("--json attest policy check digests.toml").json();
    assert_eq!(told["configurations"], digest.as_str());
    policy("");
    scratch.ccc("attest policy check digests.toml").fails(1, "the policy lists no configuration");
}

/// Zeros behind a received quote are bytes behind its end.
#[test]
fn n105_a_quote_with_padding_is_refused() {
    let scratch = Scratch::new();
    let vectors = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/attestation/dcap");
    for name in ["tdx_quote", "tdx_quote_collateral.json"] {
        fs::copy(vectors.join(name), scratch.path(name)).expect("copied");
    }
    scratch.write("none.toml", "mode = \"production\"\nmax_age = 60\n");
    let run = scratch.ccc("verify --policy none.toml --at 1750334400 --beside tdx_quote_collateral.json tdx_quote");
    run.fails(1, "70 bytes after the end");
}
