//! The files of an agent that runs elsewhere on this machine: its policy, its journal, its kill switch, its approvals.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use ccc_agent::{
    approval::{self, Approval},
    drive, journal,
    policy::Policy,
};
use serde_json::{Value, json};

/// Lines of the journal that are shown.
const MOST_LINES: usize = 200;

/// Why the desk cannot do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotDone {
    /// The journal.
    #[error("{0}")]
    Journal(#[from] journal::JournalError),
    /// No action of the journal's plans has this digest.
    #[error("no plan in the journal has the action {action}")]
    Action {
        /// The digest.
        action: String,
    },
    /// Nobody whom the policy names signed it.
    #[error("no person of the policy signed this approval")]
    Person,
    /// Approvals are not taken here.
    #[error("the page takes no approvals")]
    NoApprovals,
    /// A file.
    #[error("{what}: {source}")]
    File {
        /// Which.
        what: &'static str,
        /// Why.
        source: std::io::Error,
    },
}

/// The files.
pub struct AgentFiles {
    /// The policy that the agent runs under.
    pub policy: Policy,
    /// Its journal.
    pub journal: PathBuf,
    /// The file whose presence stops it.
    pub kill_switch: PathBuf,
    /// Where approvals lie.
    pub approvals: Option<PathBuf>,
}

impl AgentFiles {
    /// Whether the kill switch is there, by the agent's own rule: one that cannot be read counts as thrown.
    #[must_use]
    pub fn halted(&self) -> bool {
        drive::is_there(&self.kill_switch)
    }

    /// Puts the kill switch there, or takes it away.
    ///
    /// # Errors
    /// [`NotDone::File`].
    pub fn halt(&self, halted: bool) -> Result<(), NotDone> {
        let failed = |source| NotDone::File { what: "the kill switch", source };
        if halted {
            let thrown = OpenOptions::new().create(true).append(true).open(&self.kill_switch);
            return thrown.and_then(|file| file.sync_all()).and_then(|()| settle(&self.kill_switch)).map_err(failed);
        }
        match std::fs::remove_file(&self.kill_switch) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.and_then(|()| settle(&self.kill_switch)).map_err(failed),
        }
    }

    /// The journal's last lines, each as the agent wrote it.
    ///
    /// # Errors
    /// [`NotDone::Journal`]; what does not hold together is not shown.
    pub fn journal(&self) -> Result<Value, NotDone> {
        let mut lines: Vec<Value> = Vec::new();
        let (head, state) = journal::verify(&self.journal, |line| {
            lines.push(json!({ "sequence": line.sequence, "time": line.time, "what": line.entry() }));
            if lines.len() > MOST_LINES {
                lines.remove(0);
            }
        })?;
        let open = state.open().map(|sent| sent.intent.transaction);
        Ok(json!({ "lines": head.lines, "hash": hex::encode(head.hash), "open": open, "entries": lines }))
    }

    /// Puts an approval where the agent looks, once it holds: an action of the journal, signed by a person of the policy.
    ///
    /// # Errors
    /// [`NotDone`].
    pub fn approve(&self, approval: &Approval) -> Result<(), NotDone> {
        let folder = self.approvals.as_ref().ok_or(NotDone::NoApprovals)?;
        let (_, state) = journal::verify(&self.journal, |_| ())?;
        let action = approval.action;
        if approval::named(&state, &self.policy, &action).is_none() {
            return Err(NotDone::Action { action: action.to_string() });
        }
        let one = std::slice::from_ref(approval);
        if approval::persons(&self.policy, one, &action).len() != 1 {
            return Err(NotDone::Person);
        }
        let text = serde_json::to_vec(approval).map_err(|error| file(error.into()))?;
        // the name is of digests alone: nothing that was handed in becomes a path
        let name = hex::encode(&digest(&text)[..16]);
        put(&folder.join(format!("{name}.json")), &text).map_err(file)
    }
}

/// The whole file under its name or nothing: written beside it first, and in the place of what a crash left there.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("part");
    let mut out = File::create(&beside)?;
    out.write_all(bytes)?;
    out.sync_all()?;
    std::fs::rename(&beside, path)?;
    settle(path)
}

/// What its directory says of a file outlives a power cut.
fn settle(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

fn file(source: std::io::Error) -> NotDone {
    NotDone::File { what: "the approval", source }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_crash_left_under_the_name_is_replaced_by_the_whole() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("a.json");
        std::fs::write(&path, b"{\"na").expect("a torn file");
        put(&path, b"{\"name\":1}").expect("put");
        assert_eq!(std::fs::read(&path).expect("read"), b"{\"name\":1}");
        let names: Vec<_> = std::fs::read_dir(folder.path()).expect("a directory").flatten().collect();
        assert_eq!(names.len(), 1, "nothing is left beside it");
    }
}
