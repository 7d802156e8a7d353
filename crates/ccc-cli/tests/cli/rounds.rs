//! A key generation, a refresh, a reshare and a repair, by files.

use super::support::{Run, circle::Circle, mode};
use std::fs;

const NOTE: &[u8] = b"meet at the usual place\n";

fn code(run: &Run, exit: i32) -> String {
    assert_eq!(run.code, exit, "{}{}", run.stdout, run.stderr);
    run.json_error()["code"].as_str().expect("a code").to_owned()
}

fn encrypted(circle: &Circle) {
    circle.scratch.write("note.txt", NOTE);
    circle.done("encrypt --key vault/committee.ccc --out note.ccc note.txt");
}

#[test]
fn four_processes_make_a_vault_and_three_shares_open() {
    let circle = Circle::new(4);
    let first = circle.dkg(1, "");
    assert_eq!((first.code, &first.json()["waiting"]["missing"]), (1, &serde_json::json!([2, 3, 4])));
    assert_eq!(first.json()["posted"], serde_json::json!(["board/commit-1.ccc"]));
    #[cfg(unix)]
    assert_eq!(mode(&circle.scratch.path("s1")), 0o600);
    circle.everybody(1..=4, |circle, i| circle.dkg(i, ""));
    encrypted(&circle);
    assert_eq!(circle.opens("vault", "note.ccc", &[1, 3, 4]).out, NOTE);
    let digests = |i| circle.dkg(i, "").json()["closed"].clone();
    assert_eq!(digests(1).as_object().expect("four rounds").len(), 4);
    assert!((2..=4).all(|i| digests(i) == digests(1)), "everybody closed the same rounds");
    circle.done("verify vault/committee.ccc");
    circle.done("verify --committee vault/committee.ccc board/commit-2.ccc board/open-2.ccc board/confirm-2.ccc");
}

#[test]
fn a_repeated_step_posts_the_same_bytes() {
    let circle = Circle::new(4);
    for _ in 0..4 {
        for i in 1..=4 {
            circle.dkg(i, "");
            let board = || {
                circle
                    .scratch
                    .snapshot()
                    .into_iter()
                    .filter(|(path, _)| path.parent().is_some_and(|p| p.ends_with("board")))
                    .collect::<Vec<_>>()
            };
            let before = board();
            for (path, _) in before.iter().filter(|(path, _)| path.to_string_lossy().ends_with(&format!("-{i}.ccc"))) {
                fs::remove_file(path).expect("removed");
            }
            // what the state still posts comes back as it was; rounds that are closed are not posted again
            circle.dkg(i, "");
            for (path, bytes) in board() {
                let earlier = before.iter().find(|(known, _)| *known == path);
                assert!(earlier.is_none_or(|(_, known)| *known == bytes), "{}", path.display());
            }
            for (path, bytes) in before {
                fs::write(path, bytes).expect("restored");
            }
        }
    }
    circle.everybody(1..=4, |circle, i| circle.dkg(i, ""));
}
