//! Participants that make keys together by files: each run of each participant is a process of its own.

use super::{Run, Scratch};

/// Participants with keys, and the flags of their runs.
pub(crate) struct Circle {
    pub(crate) scratch: Scratch,
}

impl Circle {
    /// Participants 1 to `n` with keys `k<i>.ccc`, and the session of a key generation.
    pub(crate) fn new(n: u16) -> Self {
        let circle = Self { scratch: Scratch::new() };
        (1..=n).for_each(|i| circle.participant(&format!("k{i}")));
        let members: Vec<_> = (1..=n).map(|i| format!("k{i}.pub")).collect();
        circle.done(&format!("keygen session --out session.json {}", members.join(" ")));
        circle
    }

    /// As [`Self::new`], with a vault that all of them made.
    pub(crate) fn with_vault(n: u16) -> Self {
        let circle = Self::new(n);
        circle.everybody(1..=n, |circle, i| circle.dkg(i, ""));
        circle
    }

    pub(crate) fn participant(&self, name: &str) {
        self.done(&format!("--no-passphrase keygen participant --out {name}.ccc"));
    }

    pub(crate) fn done(&self, arguments: &str) -> Run {
        self.scratch.done(arguments)
    }

    pub(crate) fn ccc(&self, arguments: &str) -> Run {
        self.scratch.ccc(arguments)
    }

    /// One run of participant `i` of the key generation.
    pub(crate) fn dkg(&self, i: u16, flags: &str) -> Run {
        let files = format!("--session session.json --keys k{i}.ccc --state s{i} --board board --out vault");
        self.ccc(&format!("--json --no-passphrase keygen dkg {files} {flags}"))
    }

    /// Lets participants run, in turn, until all of them have finished.
    pub(crate) fn everybody(&self, who: impl IntoIterator<Item = u16> + Clone, run: impl Fn(&Self, u16) -> Run) {
        let mut finished = false;
        for _ in 0..6 {
            let runs: Vec<_> = who.clone().into_iter().map(|i| run(self, i)).collect();
            for run in &runs {
                assert!(run.code < 2, "{}{}", run.stdout, run.stderr);
            }
            finished = runs.iter().all(|run| run.code == 0);
            if finished {
                break;
            }
        }
        assert!(finished, "six runs of everybody are enough");
    }

    /// Shares of these participants open what is encrypted to the vault.
    pub(crate) fn opens(&self, vault: &str, ciphertext: &str, who: &[u16]) -> Run {
        let mut shares = String::new();
        for i in who {
            let share = format!("{vault}-share-{i}.ccc");
            let (keys, key) = (format!("{vault}/participant-{i}.ccc"), format!("{vault}/committee.ccc"));
            self.done(&format!("share --participant {keys} --key {key} --out {share} --force {ciphertext}"));
            shares.push_str(&format!(" {share}"));
        }
        self.ccc(&format!("open --key {vault}/committee.ccc {ciphertext}{shares}"))
    }
}
