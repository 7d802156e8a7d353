//! No share and no key is in what the command prints, whether a run succeeds, refuses or fails.

use super::support::{Run, circle::Circle};
use ccc_core::encoding::{Kind, header};

/// Bytes of a secret that are looked for together: by chance no output holds them.
const WINDOW: usize = 6;

/// Secrets of a file in the clear, by the objects in it: kind, place in the object, length.
const OBJECTS: [(Kind, usize, usize); 2] = [(Kind::KeyShare, 82, 32), (Kind::ParticipantKeys, 8, 64)];

fn secrets(file: &[u8]) -> Vec<Vec<u8>> {
    let objects = OBJECTS.iter().filter_map(|(kind, place, length)| {
        let at = file.windows(8).position(|window| window == header(*kind))? + place;
        Some(file.get(at..at + length)?.to_vec())
    });
    objects.collect()
}

/// Everything that was printed, and the secrets that must not be in it.
struct Record {
    secrets: Vec<Vec<u8>>,
    printed: Vec<u8>,
}

impl Record {
    fn hear(&mut self, run: &Run) {
        self.printed.extend_from_slice(&run.out);
        self.printed.extend_from_slice(run.stderr.as_bytes());
    }

    fn learn(&mut self, circle: &Circle, name: &str) {
        let found = secrets(&circle.scratch.read(name));
        assert!(!found.is_empty(), "{name} holds a secret");
        self.secrets.extend(found);
    }

    /// Raw, in hexadecimal of either case, and as a list of numbers, which is how `Debug` writes bytes.
    fn check(&self) {
        let printed: String = self.printed.iter().map(|byte| char::from(*byte)).collect();
        let lower = printed.to_lowercase();
        for window in self.secrets.iter().flat_map(|secret| secret.windows(WINDOW)) {
            let raw: String = window.iter().map(|byte| char::from(*byte)).collect();
            let list = window.iter().map(u8::to_string).collect::<Vec<_>>();
            assert!(!printed.contains(&raw) && !lower.contains(&hex::encode(window)));
            assert!(!printed.contains(&list.join(", ")) && !printed.contains(&list.join(",")));
        }
    }
}

/// Every command of a vault's life that reads or writes a share.
fn life(circle: &Circle, record: &mut Record) {
    circle.scratch.write("note.txt", "hello\n");
    for arguments in [
        "encrypt --key vault/committee.ccc --out note.ccc note.txt",
        "share --participant vault/participant-1.ccc --key vault/committee.ccc --out 1.ccc note.ccc",
        "--json share --participant vault/participant-2.ccc --key vault/committee.ccc --out 2.ccc note.ccc",
        "share --participant vault/participant-3.ccc --key vault/committee.ccc --out 3.ccc note.ccc",
        "open --key vault/committee.ccc note.ccc 1.ccc 2.ccc 3.ccc",
        "inspect vault/participant-1.ccc k1.ccc s1 1.ccc vault/committee.ccc",
        "--json inspect vault/participant-1.ccc",
        "verify vault/participant-1.ccc",
        "keygen session --committee vault/committee.ccc --refresh --out refresh.json",
        "repair-share request --committee vault/committee.ccc --keys k4.ccc --helpers 1,2,3 --out request.ccc",
    ] {
        record.hear(&circle.ccc(arguments));
    }
    for i in 1..=3 {
        let participant = format!("--participant vault/participant-{i}.ccc");
        let committee = "--committee vault/committee.ccc";
        let refresh =
            format!("refresh --session refresh.json {committee} {participant} --state r{i} --board rb --out new");
        let assist = format!("repair-share assist {committee} {participant} --request request.ccc --board repair");
        record.hear(&circle.ccc(&format!("--no-passphrase {refresh}")));
        record.hear(&circle.ccc(&assist));
    }
}

/// Altered, truncated and foreign key files: the run fails, and says nothing of what it read.
fn failures(circle: &Circle, record: &mut Record) {
    let file = circle.scratch.read("vault/participant-1.ccc");
    let share = "--json share --participant bad.ccc --key vault/committee.ccc --out bad-share.ccc --force note.ccc";
    let (mut bad, mut failed) = (Vec::new(), 0);
    for at in (0..file.len()).step_by(7) {
        let mut altered = file.clone();
        altered[at] ^= 0xff;
        bad.extend([altered, file[..at].to_vec()]);
    }
    bad.truncate(40);
    bad.push([file.as_slice(), &file].concat());
    bad.push(circle.scratch.read("k2.ccc"));
    for bytes in bad {
        circle.scratch.write_private("bad.ccc", "");
        circle.scratch.write("bad.ccc", bytes);
        let run = circle.scratch.ccc_with(share, &[], &[("RUST_BACKTRACE", "full")]);
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        failed += u32::from(run.code != 0);
        record.hear(&run);
    }
    assert!(failed > 30, "{failed} of them fail");
}

#[test]
fn n053_no_output_of_any_run_holds_a_byte_of_a_share() {
    let circle = Circle::with_vault(4);
    let mut record = Record { secrets: Vec::new(), printed: Vec::new() };
    for i in 1..=4 {
        record.learn(&circle, &format!("k{i}.ccc"));
        record.learn(&circle, &format!("vault/participant-{i}.ccc"));
        record.hear(&circle.dkg(i, ""));
    }
    assert_eq!(record.secrets.len(), 12);
    life(&circle, &mut record);
    failures(&circle, &mut record);
    record.check();
}
