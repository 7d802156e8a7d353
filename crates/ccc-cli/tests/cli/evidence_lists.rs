//! Evidence of several makers in one file: what `ccc verify` makes of it, and `ccc inspect`.

use super::support::Scratch;
use ccc_core::enclave::attestation::{Body, EvidenceList, verify};
use std::{fs, path::PathBuf};

/// When the genuine document of Nitro was made; the certificate of the report is in date then.
const AT: u64 = 1_736_179_625;
/// When the collateral of the quotes is in date.
const IN_DATE: u64 = 1_750_334_400;
const STATUSES: &str = "[\"UpToDate\", \"SWHardeningNeeded\", \"ConfigurationAndSWHardeningNeeded\"]";
const NO_NONCE: &str = "nothing here binds it to the request";

fn sample(name: &str) -> Vec<u8> {
    let vectors = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/attestation"));
    fs::read(vectors.join(name)).expect("the sample")
}

fn nitro() -> Vec<u8> {
    let document = &sample("nitro/real-2025-01-06-eu-central-1.cose")[..];
    Body::Nitro { document }.to_bytes().expect("short")
}

fn snp() -> Vec<u8> {
    let report = hex::decode(sample("snp/report_milan.hex").trim_ascii()).expect("hexadecimal");
    let (report, vcek) = (report[..].try_into().expect("its length"), &sample("snp/vcek_milan.der")[..]);
    Body::Snp { report, vcek }.to_bytes().expect("short")
}

/// The two pieces alone and in lists, and policies of one maker and of two.
fn scene() -> Scratch {
    let scratch = Scratch::new();
    let (nitro, snp) = (nitro(), snp());
    let joined = |pieces: &[&[u8]]| EvidenceList::join(pieces).expect("a list");
    scratch.write("snp.evidence", &snp);
    scratch.write("snp-first.evidence", joined(&[&snp, &nitro]));
    scratch.write("nitro-first.evidence", joined(&[&nitro, &snp]));
    scratch.write("nitro-twice.evidence", joined(&[&nitro, &nitro]));
    let programs: Vec<String> =
        [&nitro, &snp].map(|bytes| hex::encode(verify(bytes, AT).expect("genuine").measurement)).into();
    for (name, kinds) in [("one.toml", 1), ("two.toml", 2)] {
        let text = format!("mode = \"production\"\nmax_age = 60\nkinds = {kinds}\nmeasurements = {programs:?}\n");
        scratch.write(name, format!("{text}[snp_minimum]\nsnp = 8\n"));
    }
    scratch.done("recover --participants 4 --makers 8 --seed 5 --out run");
    scratch
}

/// Evidence without a nonce is for no request that is named, alone and in whatever list.
#[test]
fn n108_a_list_says_no_more_of_a_request_than_its_pieces_do() {
    let scratch = scene();
    let ask = |policy: &str, files: &str| {
        scratch.ccc(&format!("verify --policy {policy} --committee run/committee.ccc --at {AT} {files}"))
    };
    let (one, two) = ("one.toml", "two.toml");
    for name in ["snp", "snp-first"] {
        let alone = ask(one, &format!("{name}.evidence"));
        assert_eq!(alone.code, 0, "{name}: {}", alone.stderr);
        assert!(alone.stdout.contains("age not stated"), "{name}: {}", alone.stdout);
        ask(one, &format!("{name}.evidence run/reserve-1.request")).fails(1, NO_NONCE);
        ask(one, &format!("{name}.evidence run/reserve-1.request run/reserve-2.request")).fails(1, NO_NONCE);
    }
    let named = ask(one, "nitro-first.evidence");
    assert!(named.stdout.contains("name the request to check its nonce"), "{}", named.stdout);
    ask(one, "nitro-first.evidence run/reserve-1.request").fails(1, "the nonce: the request");
    for name in ["snp-first", "nitro-first"] {
        for request in ["", " run/reserve-1.request"] {
            let refused = ask(two, &format!("{name}.evidence{request}"));
            refused.fails(1, "the AMD SEV-SNP evidence has no nonce, and nothing here ties it to the other pieces");
        }
    }
    ask(two, "nitro-twice.evidence").fails(1, "1");
    ask(two, "snp.evidence").fails(1, "of one maker, where the policy asks for 2 together");
}

/// Kind, the device's file, what is beside it, when it is in date and when no more, and what is said then.
type Sample = (&'static str, Vec<u8>, Option<&'static str>, u64, u64, &'static str);

/// Each genuine sample as its device gives it, judged as a user would: under a policy of its program at its own time, a day
/// later, under a policy of another program, and without a time.
#[test]
fn every_genuine_sample_is_verified_and_shown_from_its_files() {
    let scratch = Scratch::new();
    let milan = hex::decode(sample("snp/report_milan.hex").trim_ascii()).expect("hexadecimal");
    let tdx = ccc_core::enclave::attestation::dcap::without_padding(&sample("dcap/tdx_quote")).to_vec();
    let samples: [Sample; 4] = [
        ("AWS Nitro", sample("nitro/real-2025-01-06-eu-central-1.cose"), None, AT, AT + 86_400, "certificate"),
        ("AMD SEV-SNP", milan, Some("snp/vcek_milan.der"), 1_700_000_000, 1_910_000_000, "certificate"),
        ("Intel TDX", tdx, Some("dcap/tdx_quote_collateral.json"), IN_DATE, IN_DATE + 40 * 86_400, "expired"),
        (
            "Intel SGX",
            sample("dcap/sgx_quote"),
            Some("dcap/sgx_quote_collateral.json"),
            IN_DATE,
            IN_DATE + 40 * 86_400,
            "expired",
        ),
    ];
    for (kind, file, beside, at, late, why) in samples {
        scratch.write("evidence", &file);
        let more = beside.map_or_else(String::new, |name| {
            scratch.write("beside", sample(name));
            "--beside beside ".to_owned()
        });
        let shown = scratch.done(&format!("--json inspect {more}evidence")).json();
        assert_eq!((&shown["file"], &shown["provider"]), (&"attestation evidence".into(), &kind.into()), "{shown}");
        let program = shown["measurement"].as_str().unwrap_or_else(|| panic!("{shown}"));
        let policy = |program: &str| {
            let text = format!("mode = \"production\"\nmax_age = 60\nmeasurements = [\"{program}\"]\n");
            scratch.write("policy.toml", format!("{text}[snp_minimum]\nsnp = 8\n[dcap]\nstatuses = {STATUSES}\n"));
        };
        let verify = |at: u64| scratch.ccc(&format!("verify --policy policy.toml --at {at} {more}evidence"));
        policy(program);
        let done = verify(at);
        assert_eq!(done.code, 0, "{kind}: {}", done.stderr);
        assert!(done.stdout.contains("attestation evidence"), "{kind}: {}", done.stdout);
        verify(late).fails(1, why);
        policy(&"ab".repeat(32));
        verify(at).fails(1, &format!("the measurement is not on the list of 1; it is {program}"));
    }
}

#[test]
fn a_list_is_shown_piece_by_piece_and_what_is_none_says_why() {
    let scratch = scene();
    let shown = scratch.done("--json inspect nitro-first.evidence").json();
    assert_eq!((&shown["pieces"], &shown["1_provider"]), (&2.into(), &"AWS Nitro".into()), "{shown}");
    assert_eq!(shown["2_provider"], "AMD SEV-SNP", "{shown}");
    let mut bytes = scratch.read("nitro-first.evidence");
    bytes[9] = 9;
    scratch.write("nine.evidence", &bytes);
    let shown = scratch.done("--json inspect nine.evidence").json();
    assert!(shown["malformed"].as_str().expect("why").contains("pieces of evidence"), "{shown}");
}
