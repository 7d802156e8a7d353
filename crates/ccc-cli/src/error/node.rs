//! Codes and hints of the nodes that keep running.

use super::Error;
use ccc_page::server::ServeError;
use ccc_server::{follow::NotReady, journal::JournalError, service::StartError};

impl Error {
    pub(super) fn of_nodes(&self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::JournalFile(error) => of_journal(error),
            Self::NodeConfig { .. } => {
                ("node-config", "docs/spec/node.md has every key; `ccc node check-config FILE` reads it again")
            }
            Self::NodeStart(error) => of_start(error),
            Self::SourceAuthorities(_) => {
                ("source-authorities", "name a PEM file of certificates in the source's `authorities`, or leave it out")
            }
            Self::AuditLog { .. } => {
                ("audit-log", "lines before the one named hold together; compare with a copy kept elsewhere")
            }
            Self::AgentPolicy { .. } => {
                ("agent-policy", "docs/spec/agent.md has every key; `ccc agent check-policy FILE` reads it again")
            }
            Self::AgentJournal { .. } => (
                "agent-journal",
                "keep the file; `ccc agent journal FILE` names the line, docs/spec/agent.md what to do",
            ),
            Self::AgentAction { .. } => (
                "agent-action",
                "take the agent's own journal, and the policy that it runs under; then ask who named the action",
            ),
            Self::AgentKey { .. } => ("agent-key", "name the file that `ccc keygen agent` wrote for this deployment"),
            Self::AgentRun(_) => {
                ("agent-run", "nothing was sent that the journal does not have; run it again against another node")
            }
            Self::Page(ServeError::NotLoopback(_)) => (
                "page-loopback",
                "listen on 127.0.0.1; a proxy on this machine has the public address and TLS, and --name tells its name",
            ),
            Self::Page(ServeError::Listen { .. }) => {
                ("port", "another process has the port: name another with --listen")
            }
            Self::DeskToken(_) => ("desk-token", "name a file that is not there yet: a token is made in it"),
            Self::Feed { .. } => {
                ("feed", "say what the feed's contract says with --feed-decimals, or name another feed")
            }
            Self::Webhook(_) => ("webhook", "docs/spec/page.md says how notices are signed and where they may go"),
            Self::LogFilter { .. } => {
                ("log-filter", "say error, warn, info, debug or trace, or a directive as ccc_server=debug")
            }
            _ => return None,
        })
    }
}

fn of_journal(error: &JournalError) -> (&'static str, &'static str) {
    match error {
        JournalError::Busy { .. } => {
            ("node-runs", "one process answers for a participant: stop the other, or leave it")
        }
        JournalError::Behind { .. } => (
            "journal-behind",
            "put the newest journal back; a participant that forgot answers could give one request twice",
        ),
        JournalError::NoCounter { .. } => (
            "no-counter",
            "at the first start say --begin-counter; later an old journal may have been put back: find the counter first",
        ),
        JournalError::CounterExists { .. } => {
            ("counter-exists", "leave --begin-counter out: it is for the first start")
        }
        JournalError::Counter { .. } => (
            "counter",
            "another participant's, or damaged: never put back an older one; see docs/spec/node.md before beginning another",
        ),
        JournalError::TwoJournals { .. } => (
            "two-journals",
            "an older copy of the file was put back, or an older release ran: move it away, never the answers",
        ),
        _ => ("journal", "restore it from a copy; without it the participant could answer one attempt twice"),
    }
}

fn of_start(error: &StartError) -> (&'static str, &'static str) {
    match error {
        StartError::Keys { .. } | StartError::Encoding(_) => {
            ("node-keys", "`ccc inspect FILE` tells what the key file is")
        }
        StartError::Staged { .. } => {
            ("staged", "name what `ccc refresh` wrote for this participant; or leave [staged] out until it is there")
        }
        StartError::StagedDealingKey => {
            ("staged", "refresh with the dealing keys that the committee has; a node goes over to no renewed one yet")
        }
        StartError::Share(_) | StartError::OtherKeys { .. } => (
            "other-keys",
            "key file and committee belong to different participants or epochs: name the pair that belongs together",
        ),
        StartError::OthersKeys { .. } => (
            "other-keys",
            "a configuration or a key file was copied from another node: name this node's own, which no other has",
        ),
        StartError::Records { .. } => (
            "node-records",
            "one process runs a node; where none does, the file is damaged: moved away, the node begins without what it made last",
        ),
        StartError::Journal(error) => of_journal(error),
        StartError::Production(_) => ("production", "SECURITY.md lists what production refuses"),
        StartError::Audit(_) => {
            ("audit-log", "somebody altered it: keep it, then name another file in `audit` to begin anew")
        }
        StartError::Chain(_) => ("chain", "check rpc_url and deployment; `ccc doctor` asks the chain"),
        StartError::NotReady(reason) => of_not_ready(reason),
        StartError::Listen { .. } => ("port", "another process has the port: name another in `listen` or `operations`"),
        _ => ("node-start", "`ccc node check-config FILE` checks the configuration alone"),
    }
}

fn of_not_ready(reason: &NotReady) -> (&'static str, &'static str) {
    match reason {
        NotReady::ClockBehind { .. } | NotReady::Stale { .. } => (
            "clock",
            "set the clock by a time service, or name an endpoint that follows the chain; see [chain] in the file",
        ),
        NotReady::OtherEpoch { .. } | NotReady::OtherCommittee { .. } => {
            ("other-epoch", "name the new share with [staged] or as key, or have it repaired: `ccc repair-share`")
        }
        NotReady::OtherVault { .. } => {
            ("other-vault", "name the registry of this vault in `registry`, or its deployment")
        }
        NotReady::WentBack { .. } | NotReady::OlderTable { .. } => (
            "chain-went-back",
            "the endpoint is behind what this node has seen, or on another chain: let it catch up or name another in rpc_url; if what was seen was a lie: --forget-chain",
        ),
        NotReady::Memory { .. } => ("journal", "the file of answers holds it too: look at the disk, then restart"),
        _ => ("chain", "the endpoint does not answer as a chain does: name another in rpc_url"),
    }
}
