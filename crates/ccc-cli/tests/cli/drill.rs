//! What docs/operating.md says that one does when a share is gone, as a drill.

use super::support::circle::Circle;
use std::fs;

const NOTE: &str = "sell 25\n";

/// Participants 2, 3 and 4 open the note; 4 is needed.
fn opens(circle: &Circle) {
    let run = circle.opens("vault", "note.ccc", &[2, 3, 4]);
    assert_eq!(run.stdout, NOTE);
}

fn vault() -> Circle {
    let circle = Circle::with_vault(4);
    circle.scratch.write("note", NOTE);
    circle.done("encrypt --key vault/committee.ccc --out note.ccc note");
    opens(&circle);
    circle
}

/// The copy of the key file comes back, and with it the share.
#[test]
fn a_key_file_is_restored_from_its_backup() {
    let circle = vault();
    let [share, backup] = ["vault/participant-4.ccc", "backup.ccc"].map(|name| circle.scratch.path(name));
    fs::copy(&share, &backup).expect("backed up");
    fs::remove_file(&share).expect("lost");
    let refused =
        circle.ccc("share --participant vault/participant-4.ccc --key vault/committee.ccc --out s.ccc note.ccc");
    refused.fails(2, "cannot read vault/participant-4.ccc");
    fs::copy(&backup, &share).expect("restored");
    opens(&circle);
}

/// No copy of the share, but the keys: three others put it together again, and nobody sees it.
#[test]
fn a_share_without_a_backup_is_repaired_by_the_others() {
    let circle = vault();
    fs::remove_file(circle.scratch.path("vault/participant-4.ccc")).expect("lost");
    let committee = "--committee vault/committee.ccc";
    circle.done(&format!("repair-share request {committee} --keys k4.ccc --helpers 1,2,3 --out request.ccc"));
    for i in [1, 2, 3, 1, 2, 3] {
        let participant = format!("--participant vault/participant-{i}.ccc");
        let run =
            circle.ccc(&format!("repair-share assist {committee} {participant} --request request.ccc --board repair"));
        assert!(run.code < 2, "{}", run.stderr);
    }
    circle.done(&format!(
        "--no-passphrase repair-share finish {committee} --keys k4.ccc --request request.ccc --board repair \
         --out vault/participant-4.ccc"
    ));
    opens(&circle);
}

/// Fewer than the threshold are left: nothing opens, and nobody can be repaired.
#[test]
fn with_too_few_shares_nothing_opens_and_nothing_is_repaired() {
    let circle = vault();
    for lost in [3, 4] {
        fs::remove_file(circle.scratch.path(&format!("vault/participant-{lost}.ccc"))).expect("lost");
    }
    circle.opens("vault", "note.ccc", &[1, 2]).fails(2, "2 of 3 needed shares are good");
    let request = "repair-share request --committee vault/committee.ccc --keys k4.ccc --helpers 1,2 --out request.ccc";
    circle.ccc(request).fails(2, "2 helpers, where 3 are needed");
}
