//! A participant that owns two numbers: a vault made, and a message opened, by files.

use super::support::{Run, Scratch, circle::Circle};

const NOTE: &[u8] = b"meet at the usual place\n";
/// Whose keys each number has, from 1.
const OWNERS: [&str; 5] = ["a", "a", "b", "c", "d"];

/// 3 of 5, of which two are `a`'s.
fn session() -> Circle {
    let circle = Circle { scratch: Scratch::new() };
    for name in ["a", "b", "c", "d"] {
        circle.participant(name);
    }
    let run = circle.done("keygen session --threshold 3 --out session.json a.pub a.pub b.pub c.pub d.pub");
    assert!(run.stderr.contains("numbers 1, 2 are one participant: it counts once for each"), "{}", run.stderr);
    circle
}

/// One run for one number: `a` runs once for each of its two.
fn dkg(circle: &Circle, i: u16) -> Run {
    let owner = OWNERS[usize::from(i) - 1];
    circle.ccc(&format!(
        "--json --no-passphrase keygen dkg --session session.json --keys {owner}.ccc --number {i} --state s{i} \
         --board board --out vault"
    ))
}

#[test]
fn a_participant_with_two_numbers_makes_a_vault_and_opens_with_one_other() {
    let circle = session();
    let unnamed = circle.ccc(
        "--json --no-passphrase keygen dkg --session session.json --keys a.ccc --state s --board board --out vault",
    );
    assert_eq!((unnamed.code, &unnamed.json_error()["code"]), (2, &"several-numbers".into()));
    circle.everybody(1..=5, dkg);
    circle.scratch.write("note.txt", NOTE);
    circle.done("encrypt --key vault/committee.ccc --out note.ccc note.txt");
    let opens = |who: &[u16]| circle.opens("vault", "note.ccc", who);
    assert_eq!(opens(&[1, 2, 3]).out, NOTE, "a with both numbers, and b");
    assert_eq!(opens(&[3, 4, 5]).out, NOTE, "the others without a");
    assert_eq!(opens(&[2, 4, 5]).out, NOTE, "a with one number");
    opens(&[1, 2]).fails(2, "2 of 3 needed shares are good");
    opens(&[1, 1, 3]).fails(2, "2 of 3 needed shares are good");
    circle.done("verify vault/committee.ccc");
}

/// A share is signed and proved under one number: under the other number of the same participant it is nobody's.
#[test]
fn a_share_of_one_number_does_not_count_for_the_other_of_the_same_participant() {
    let circle = session();
    circle.everybody(1..=5, dkg);
    circle.scratch.write("note.txt", NOTE);
    circle.done("encrypt --key vault/committee.ccc --out note.ccc note.txt");
    assert_eq!(circle.opens("vault", "note.ccc", &[1, 2, 3]).out, NOTE);
    // the sender's number stands after header 8, committee 64 and epoch 8
    let mut renumbered = circle.scratch.read("vault-share-1.ccc");
    assert_eq!(renumbered[80..82], [0, 1]);
    renumbered[81] = 2;
    circle.scratch.write("renumbered.ccc", renumbered);
    let run = circle.ccc("open --key vault/committee.ccc note.ccc vault-share-1.ccc renumbered.ccc vault-share-3.ccc");
    run.fails(2, "2 of 3 needed shares are good");
    assert!(run.stderr.contains("renumbered.ccc"), "{}", run.stderr);
}
