//! The old share of a refresh: it goes when the new one serves under a certificate, and not before.

use super::support::{Run, circle::Circle};
use std::fs;

const NOTE: &[u8] = b"still readable\n";

fn refused(run: &Run, code: &str) {
    assert_eq!(run.code, 2, "{}{}", run.stdout, run.stderr);
    assert_eq!(run.json_error()["code"], code, "{}", run.stderr);
}

/// A vault with a note, and the sessions of two refreshes.
fn vault() -> Circle {
    let circle = Circle::with_vault(4);
    circle.scratch.write("note.txt", NOTE);
    circle.done("encrypt --key vault/committee.ccc --out note.ccc note.txt");
    for name in ["refresh", "again"] {
        circle.done(&format!("keygen session --committee vault/committee.ccc --refresh --out {name}.json"));
    }
    circle
}

/// One run of a refresh of the vault into `out`, whose old share is at `old`.
fn refresh(circle: &Circle, session: &str, i: u16, old: &str, out: &str, flags: &str) -> Run {
    circle.ccc(&format!(
        "--json --no-passphrase refresh --session {session}.json --committee vault/committee.ccc --participant {old} \
         --state {session}-{i} --board board-{session} --out {out} {flags}"
    ))
}

fn share(i: u16) -> String {
    format!("vault/participant-{i}.ccc")
}

/// A refresh of all four, each into a directory of its own, with the old shares kept.
fn refreshed(circle: &Circle, session: &str) {
    circle.everybody(1..=4, |circle, i| refresh(circle, session, i, &share(i), &format!("{session}-out-{i}"), ""));
}

#[test]
fn an_old_share_among_the_results_is_refused_before_anything_is_said() {
    let circle = vault();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(circle.scratch.path("vault"), circle.scratch.path("link")).expect("linked");
        std::os::unix::fs::symlink(circle.scratch.path(&share(1)), circle.scratch.path("one.ccc")).expect("linked");
    }
    let before = circle.scratch.snapshot();
    let mut ways = vec![("vault/participant-1.ccc", "vault"), ("./vault/../vault/participant-1.ccc", "vault/.")];
    if cfg!(unix) {
        ways.extend([("link/participant-1.ccc", "vault"), ("vault/participant-1.ccc", "link"), ("one.ccc", "vault")]);
    }
    for (old, out) in ways {
        refused(&refresh(&circle, "refresh", 1, old, out, "--force --erase-old"), "old-share");
        refused(&refresh(&circle, "refresh", 1, old, out, ""), "old-share");
        assert!(circle.scratch.snapshot() == before, "{old} into {out} changed files");
    }
    // the share of another number would be replaced as well
    refused(&refresh(&circle, "refresh", 4, &share(4), "vault", "--force --erase-old"), "old-share");
    circle.done("share --participant vault/participant-1.ccc --key vault/committee.ccc --out one-share.ccc note.ccc");
}

#[test]
fn the_old_share_goes_only_beside_a_new_one_that_serves() {
    let circle = vault();
    refreshed(&circle, "refresh");
    let path = |name: &str| circle.scratch.path(name);
    let erase = |i: u16| refresh(&circle, "refresh", i, &share(i), &format!("refresh-out-{i}"), "--erase-old");
    let new = "refresh-out-3/participant-3.ccc";
    let kept = circle.scratch.read(new);
    let put = |bytes: &[u8]| {
        circle.scratch.write(new, bytes);
        super::support::set_mode(&path(new), 0o600);
    };
    fs::remove_file(path(new)).expect("lost");
    for wrong in [None, Some(share(3)), Some("refresh-out-2/participant-2.ccc".to_owned()), Some("k3.ccc".to_owned())] {
        if let Some(other) = &wrong {
            put(&circle.scratch.read(other));
        }
        refused(&erase(3), "new-share");
        refused(&refresh(&circle, "refresh", 3, &share(3), "refresh-out-3", ""), "new-share");
        assert!(path(&share(3)).exists(), "{wrong:?}: no share would be left");
    }
    put(&kept);
    circle.scratch.write("refresh-out-3/committee.ccc", circle.scratch.read("vault/committee.ccc"));
    refused(&erase(3), "new-share");
    circle.scratch.write("refresh-out-3/committee.ccc", circle.scratch.read("refresh-out-1/committee.ccc"));
    assert_eq!(erase(3).code, 0);
    assert!(!path(&share(3)).exists() && path(new).exists());
}

#[test]
fn without_a_certificate_of_the_session_the_old_share_stays() {
    let circle = vault();
    refreshed(&circle, "refresh");
    refreshed(&circle, "again");
    let erase = || refresh(&circle, "refresh", 2, &share(2), "refresh-out-2", "--erase-old");
    let certificate = "refresh-out-2/certificate.ccc";
    let good = circle.scratch.read(certificate);
    fs::remove_file(circle.scratch.path(certificate)).expect("lost");
    refused(&erase(), "not-certified");
    let other = circle.scratch.read("again-out-2/certificate.ccc");
    circle.scratch.write(certificate, other);
    refused(&erase(), "not-certified");
    circle.scratch.write(certificate, &good[..good.len() - 1]);
    refused(&erase(), "not-certified");
    assert!(circle.scratch.path(&share(2)).exists());
    circle.scratch.write(certificate, good);
    assert_eq!(erase().code, 0);
    assert!(!circle.scratch.path(&share(2)).exists());
}
