//! What the sources must not say: that a type which holds a secret is printed, copied or serialised, or that a key seals
//! by a counter.

#![allow(missing_docs, reason = "a test crate exports nothing")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a source that cannot be read fails the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What holds a secret by itself.
const SEEDS: [&str; 5] = ["SecretScalar", "Zeroizing", "SigningKey", "Private", "Hmac"];
/// What a secret type must not have.
const FORBIDDEN: [&str; 5] = ["Debug", "Display", "Clone", "Copy", "Serialize"];

/// What is right all the same, and why.
const ALLOWED: [(&str, &str); 5] = [
    // written by hand: the address alone, n053 of crates/ccc-core/src/report/tests.rs
    ("ReportSigner", "Debug"),
    // the custodian's bearer token, in the options of a run; every copy erases itself
    ("StatementSource", "Clone"),
    // written by hand: the address alone; every copy erases itself, as k256's keys do
    ("Wallet", "Debug"),
    ("Wallet", "Clone"),
    // what a journal shares with the record of what was seen; every copy erases itself
    ("JournalKey", "Clone"),
];

/// A type with what stands in it and what it derives.
struct Definition {
    name: String,
    body: String,
    has: BTreeSet<String>,
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && name != "tests" {
            sources(&path, found);
        } else if name.ends_with(".rs") && !matches!(name, "tests.rs" | "forge.rs" | "stage.rs") {
            found.push(path);
        }
    }
}

/// A file as far as its tests, without comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().take_while(|line| *line != "mod tests {").filter(|line| !line.trim().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The word after `struct` or `enum` at the start of a line.
fn defined(line: &str) -> Option<&str> {
    let line = line.strip_prefix("pub").map_or(line, |rest| {
        rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(rest, |(_, rest)| rest)
    });
    let rest = line.trim_start();
    let rest = rest.strip_prefix("struct ").or_else(|| rest.strip_prefix("enum "))?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// Every type of a file, with what is derived for it.
fn definitions(text: &str) -> Vec<Definition> {
    let lines: Vec<&str> = text.lines().collect();
    let define = |(at, line): (usize, &&str)| {
        let name = defined(line)?.to_owned();
        let end = lines[at..].iter().position(|line| line.ends_with(';') || *line == "}")?;
        let above = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
        let has = above.filter(|line| line.starts_with("#[derive")).flat_map(|line| words(line)).map(String::from);
        Some(Definition { name, body: lines[at..=at + end].join("\n"), has: has.collect() })
    };
    lines.iter().enumerate().filter_map(define).collect()
}

/// (type, trait) of every implementation that a file writes by hand.
fn implementations(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let headings = text.lines().filter(|line| line.starts_with("impl"));
    let parts = headings.filter_map(|line| line.split_once(" for "));
    parts.filter_map(|(what, of)| {
        let of = of.rsplit("::").next()?;
        Some((words(of).next()?, words(what).find(|word| FORBIDDEN.contains(word))?))
    })
}

/// Whether a secret stands in the type itself. What holds such a type in turn needs no look: a type that is not printed
/// keeps the compiler from printing what holds it.
fn holds_secret(body: &str) -> bool {
    SEEDS.iter().any(|seed| ["(", "<", ": ", "crate "].iter().any(|before| body.contains(&format!("{before}{seed}"))))
}

#[test]
fn n053_no_type_that_holds_a_secret_is_printed_copied_or_serialised() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for entry in fs::read_dir(crates).unwrap() {
        sources(&entry.unwrap().path().join("src"), &mut files);
    }
    let texts: Vec<String> = files.iter().map(|path| code(path)).collect();
    let mut holders: Vec<_> = texts.iter().flat_map(|text| definitions(text)).collect();
    holders.retain(|one| holds_secret(&one.body));
    for (of, what) in texts.iter().flat_map(|text| implementations(text)) {
        for one in holders.iter_mut().filter(|one| one.name == of) {
            one.has.insert(what.to_owned());
        }
    }
    for known in ["KeyShare", "ParticipantKeys", "AttemptKeys", "DataKey", "SecretPolynomial", "Passphrase", "Secrets"]
    {
        assert!(holders.iter().any(|one| one.name == known), "{known} is a secret that the search does not see");
    }
    let bad = |one: &Definition| {
        let name = one.name.clone();
        let found = FORBIDDEN.into_iter().filter(|what| one.has.contains(*what));
        found.map(move |what| (name.clone(), what)).collect::<Vec<_>>()
    };
    let mut wrong: Vec<_> = holders.iter().flat_map(bad).collect();
    wrong.retain(|(name, what)| !ALLOWED.contains(&(name.as_str(), what)));
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Sealing is single-shot: nothing keeps a context with a counter of messages that could wrap.
#[test]
fn n033_no_sealing_context_counts_messages() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let (mut files, mut single) = (Vec::new(), 0);
    for entry in fs::read_dir(crates).unwrap() {
        sources(&entry.unwrap().path().join("src"), &mut files);
    }
    for path in &files {
        let text = code(path);
        single += text.matches("hpke::single_shot_").count();
        for context in ["setup_sender", "setup_receiver", "AeadCtx", "StreamBE", "EncryptorBE"] {
            assert!(!text.contains(context), "{context} in {}", path.display());
        }
    }
    assert!(single >= 4, "{single} single-shot calls are seen");
}
