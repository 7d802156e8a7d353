//! What to try next, and the stable code of each error.

use super::{Error, Exit, Parts, list};
use crate::network::of_tls;
use ccc_chain::ChainError;
use ccc_core::keys::KeyShareError;
use ccc_core::keys::repair::{RepairError, RepairSessionError};
use ccc_core::table::{ResultCode, StoreError};
use ccc_enclave::{
    attempt::AttemptError, config::ConfigError, intake::PlanError, query::QueryError, reserve::ReserveError,
    round::RoundError,
};
use ccc_node::{recovery::RecoveryError, scenario::ScenarioError, vault_node::Refusal};
use ccc_store::CollectError;
use std::borrow::Cow;

const OF_WHAT_KIND: &str = "the file is damaged or of another kind; `ccc inspect FILE` tells what it is";
const IN_PRODUCTION: (&str, &str) =
    ("production", "SECURITY.md lists what production refuses; without it simulated parts are used and named");
const OF_ACCOUNTS: &str = "leave accounts away for a table with room for every maker and the reserve";
/// What the messages of a board are held against.
pub(crate) const OF_BOARD: &str = "its session or the request of its repair";
const AGAIN: &str = "run `ccc fill prepare` again, into a new directory";

impl Error {
    /// The code, the exit code and the hint that go with the sentence.
    pub(crate) fn parts(&self) -> Parts {
        let (code, hint) = self.code_and_hint();
        let exit = if self.is_an_answer() { Exit::No } else { Exit::CouldNot };
        Parts { code, exit, hint: self.hint_of_case().map_or(Cow::Borrowed(hint), Cow::Owned) }
    }

    /// A hint that depends on more than the kind of the error.
    fn hint_of_case(&self) -> Option<String> {
        match self {
            Self::RepairEnded { helpers, .. } if !helpers.is_empty() => Some(format!(
                "request it again with --helpers {}, without those who were at fault in an earlier request",
                list(helpers).replace(", ", ",")
            )),
            _ => None,
        }
    }

    /// Whether the question was understood and the answer is no.
    fn is_an_answer(&self) -> bool {
        matches!(
            self,
            Self::NotVerified { .. }
                | Self::OtherTranscript { .. }
                | Self::NoRows { .. }
                | Self::NoDeficit
                | Self::NotAnswered { .. }
                | Self::AuditLog { .. }
        )
    }

    fn code_and_hint(&self) -> (&'static str, &'static str) {
        self.of_files()
            .or_else(|| self.of_secrets())
            .or_else(|| self.of_artifacts())
            .or_else(|| self.of_rounds())
            .or_else(|| self.of_pools())
            .or_else(|| self.of_messages())
            .or_else(|| self.of_attempts())
            .or_else(|| self.of_versions())
            .or_else(|| self.of_answers())
            .or_else(|| self.of_nodes())
            .unwrap_or_else(|| self.of_runs())
    }

    fn of_files(&self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::Read { .. } => ("read", "check the path and its permissions; `-` reads standard input"),
            Self::Write { .. } => ("write", "check that the directory exists and has room; nothing was replaced"),
            Self::TooLong { .. } => ("too-long", "this is not the file that the verb expects; see `ccc inspect FILE`"),
            Self::Exists { .. } => ("exists", "choose another name, or replace it with --force"),
            Self::NotEmpty { .. } => ("not-empty", "name a directory that does not exist yet"),
            Self::Symlink { .. } => ("symlink", "name the target itself: a link could lead the bytes elsewhere"),
            Self::NotRegular { .. } => ("not-regular", "name a file, or `-` for standard output"),
            Self::Readable { .. } => {
                ("readable-secret", "run `chmod 600` on it; if others may have read it, replace the key")
            }
            Self::Terminal => ("terminal", "name a file with --out FILE, or pipe the output"),
            Self::StandardInputTwice { .. } => ("stdin-twice", "use `-` once and name files for the rest"),
            Self::StandardOutputTwice { .. } => ("stdout-twice", "use `-` once and name files for the rest"),
            Self::OneTarget { .. } | Self::OverInput { .. } => ("one-target", "name another file for one of them"),
            Self::Orders { source, .. } => source.parts(),
            Self::Clearing { source, .. } => source.parts(),
            Self::NeedsFile => ("needs-file", "name the key file: the participant keeps its journal beside it"),
            Self::FileName { .. } => ("file-name", "this is a defect: please report it"),
            _ => return None,
        })
    }

    fn of_secrets(&self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::NoTerminal => ("no-terminal", "give --passphrase-file FILE or set CCC_PASSPHRASE_FILE"),
            Self::PassphrasesDiffer => ("passphrases-differ", "run the command again; nothing was written"),
            Self::PassphraseEmpty => {
                ("passphrase-empty", "use a passphrase of several words, or --no-passphrase to write in the clear")
            }
            Self::PassphraseNotText => {
                ("passphrase-not-text", "the first line of the file is the passphrase, in UTF-8")
            }
            Self::PassphraseInEnvironment => {
                ("passphrase-in-environment", "unset it; CCC_PASSPHRASE_FILE names a file that holds the passphrase")
            }
            Self::Sealed { source, .. } => source.parts(),
            Self::OtherContent { found: "a participant's keys without a share", .. } => {
                ("other-content", "name the participant-<i>.ccc of the vault: it holds share and keys")
            }
            Self::OtherContent { .. } => ("other-content", "`ccc inspect FILE` tells what a file holds"),
            Self::HoldsShare { .. } => {
                ("holds-share", "name another file; a share that serves no longer is removed by hand, not by --force")
            }
            Self::KeyShare { source: KeyShareError::Epoch { .. }, .. } => (
                "key-share",
                "a share serves the committee of its own epoch: name the share that the refresh or reshare wrote, or the old committee",
            ),
            Self::KeyShare { .. } => {
                ("key-share", "use the file that the last key generation, refresh, reshare or repair wrote for it")
            }
            Self::OtherKeys { .. } => ("other-keys", "one participant's share lies beside another one's keys"),
            Self::Token { .. } => ("token", "write the bearer token into the file's first line"),
            Self::AccountKey(_) => ("account-key", "make a new key with `ccc keygen account`"),
            Self::Notice(_) => ("notice", "use the key whose public part `ccc table init` was given"),
            _ => return None,
        })
    }

    fn of_artifacts(&self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::Encoding { .. } => ("encoding", OF_WHAT_KIND),
            Self::Artifact { .. } => ("unknown-file", "ccc reads the files that ccc writes, unaltered"),
            Self::Committee { .. } => ("committee", OF_WHAT_KIND),
            Self::NotVerified { .. } => ("not-verified", "do not use it; ask its author for another"),
            Self::Missing { what: OF_BOARD, .. } => (
                "missing-context",
                "name the session with --session, or the repair's request as FILE and its --committee",
            ),
            Self::Missing { .. } => {
                ("missing-context", "name it with --committee, --pool, --deployment or --policy, or beside the file")
            }
            Self::Unverifiable { .. } => ("unverifiable", "`ccc inspect FILE` shows its public fields"),
            Self::OtherReport { .. } => ("other-report", "name the directory of a reserve check"),
            #[cfg(unix)]
            Self::Dumps(_) => ("core-dumps", "a core dump would hold key shares; look at who limits this process"),
            Self::Randomness(_) | Self::NoRandomness(_) => {
                ("randomness", "without random bytes no key is safe; try again on a working system")
            }
            Self::Threshold(_) => ("threshold", "leave -t away for the default, n minus a third of n-1"),
            Self::Production(_) => IN_PRODUCTION,
            Self::Dealer(_) | Self::Dkg(_) | Self::Board(_) | Self::Membership(_) | Self::EmptyCommittee => {
                ("key-generation", "nothing was written; run it again")
            }
            _ => return None,
        })
    }

    fn of_rounds(&self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::OnChain(error) => error.parts(),
            Self::Session { .. } => ("session", "all participants need one and the same file of `ccc keygen session`"),
            Self::State { .. } => {
                ("state", "name the state that this participant stored in this session; it is unchanged")
            }
            Self::Rounds { .. } => (
                "rounds",
                "the state is unchanged: bring the missing messages, or begin a new session without the culprits",
            ),
            Self::NotAMember => ("not-a-member", "the session names the members' public keys; `ccc keygen session`"),
            Self::SeveralNumbers { .. } => ("several-numbers", "name one with --number, and run once for each"),
            Self::OtherMessage { .. } => {
                ("other-message", "restore the state that made it: two messages of one round count as a fault")
            }
            Self::StateLost { .. } => {
                ("state-lost", "restore it, or begin a new session: a second draw would contradict the first")
            }
            Self::OtherTranscript { .. } => (
                "other-transcript",
                "a message is missing, or came after its round: bring the one, or move the other away, and verify again",
            ),
            Self::NotCertified { .. } => ("not-certified", "let the rounds end first; nothing was removed"),
            Self::OldShare { .. } => {
                ("old-share", "name another directory with --out: the old share has to outlast them")
            }
            Self::NewShare { .. } => (
                "new-share",
                "restore it from a copy, or ask for it with `ccc repair-share request`; the old file holds the keys",
            ),
            _ => return self.of_repair(),
        })
    }

    fn of_repair(&self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::RepairRequest {
                source:
                    RepairSessionError::TooFewHelpers { .. }
                    | RepairSessionError::HelpsItself { .. }
                    | RepairSessionError::UnknownMember { .. }
                    | RepairSessionError::Order { .. },
                ..
            } => ("repair-request", "name with --helpers at least as many other members as shares open, each once"),
            Self::RepairRequest { .. } => ("repair-request", "ask the participant for its request, in this committee"),
            Self::Repair(RepairError::OtherBoard { .. }) => {
                ("repair", "the splits were changed after they had been added up: those helpers run assist again")
            }
            Self::Repair(RepairError::NotAHelper { .. }) => ("repair", "the helpers are those that the request names"),
            Self::Repair(RepairError::Keys { .. } | RepairError::KeyShare(_)) => {
                ("repair", "use the keys and the share that this committee knows the participant by")
            }
            Self::RepairEnded { .. } => {
                ("repair", "fewer members than shares open are left without a fault; who was silent may be asked again")
            }
            Self::Repair(_) => ("repair", "request it again, from other helpers than the culprits"),
            _ => return None,
        })
    }

    fn of_pools(&self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::PoolFile { .. } => ("malformed", "compare it with docs/spec/files.md; unknown keys are refused"),
            Self::PoolLog { .. } => ("pool-log", "the log only grows, one JSON object per line; restore that line"),
            Self::HeadBehind => ("head", "log.jsonl was altered or cut; restore it"),
            Self::OtherCommittee { .. } => {
                ("other-committee", "use the committee.ccc that `table init`, or the last `table rotate`, was given")
            }
            Self::Config(ConfigError::Suite { .. }) => {
                ("config", "build ccc with `--features suite-aes-gcm`, which needs a C compiler; or another pool")
            }
            Self::Config(_) => ("config", "restore pool.toml: its digest is part of the enclave's measurement"),
            Self::Store(StoreError::Suite { .. }) => {
                ("config", "build ccc with `--features suite-aes-gcm`, which needs a C compiler")
            }
            Self::Store(_) => (
                "table-store",
                "`ccc table restore` brings a lost version back; a missing version is never an empty table",
            ),
            Self::Halt(_) => (
                "table-halt",
                "`ccc table restore --from DIR` takes it from a copy of table/ or from an exported version",
            ),
            Self::Collect(error) => of_collection(error),
            Self::NoCopy { .. } | Self::Copy { .. } => {
                ("copy", "name a copy that was made after the current version, unaltered; the pool is as it was")
            }
            Self::Sidecar(_) => ("sidecar", "restore table/ from a copy"),
            Self::NoRows { .. } => ("no-rows", "a deposit is credited by the next round"),
            Self::NoVersion { .. } => ("no-version", "`ccc table history` lists the versions that the pool holds"),
            Self::Terms { .. } => ("terms", "sizes are in base units, 1 to 2^51-1; spreads in 1/100 basis point"),
            Self::Operator { .. } => {
                ("operator", "`ccc table init --operator ADDRESS` names it; use the key of that account")
            }
            Self::Encrypt(_) => ("encrypt", "check the committee and the expiry"),
            Self::Agent(_) => ("agent", "run a new reserve check and use its envelope soon"),
            Self::NoDeficit => ("no-deficit", "there is nothing to order"),
            _ => return None,
        })
    }

    fn of_messages(&self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::CiphertextFile { .. } => ("ciphertext", OF_WHAT_KIND),
            Self::Label { .. } => ("label", "`ccc help encrypt` tells the labels of both formats"),
            Self::Expired { .. } => ("expired", "its author must encrypt it again, with a longer --lifetime"),
            Self::NoShare(_) => {
                ("no-share", "plain shares are for ciphertexts with a public label; `ccc inspect FILE` shows the label")
            }
            Self::Combine(_) | Self::Tdh2Combine(_) => {
                ("shares", "the participants' shares do not open the ciphertext; ask its author for another")
            }
            Self::Tdh2Format { .. } => ("tdh2-format", "docs/spec/tdh2.md has the fields and what is refused"),
            Self::Tdh2Key(_) | Self::Tdh2Share(_) => {
                ("tdh2-key", "use the public key and the private share of one and the same dealing")
            }
            Self::Tdh2Ciphertext(_) => ("ciphertext", "check the public key, or ask its author for another"),
            _ => return None,
        })
    }

    fn of_attempts(&self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::Moved { .. } => ("moved", AGAIN),
            Self::Settled { .. } => ("settled", "a request is settled once; `ccc encrypt-order` makes another"),
            Self::UnknownBlock => ("unknown-block", AGAIN),
            Self::OtherEnclave { .. } | Self::OtherCard { .. } => ("other-enclave", AGAIN),
            Self::NotInLog { .. } => ("not-in-log", "the participants open what the log holds and nothing else"),
            Self::NoAttemptKeys { .. } => ("spent", AGAIN),
            Self::Refused(refusal) => of_refusal(refusal),
            Self::Journal { .. } => {
                ("journal", "restore it from a copy; without it the participant could answer one attempt twice")
            }
            Self::NoAnswer => ("no-answer", "run `ccc reencrypt` as another participant"),
            Self::TooFewShares { .. } => {
                ("too-few-shares", "further honest participants must answer, with `ccc reencrypt` or `ccc share`")
            }
            Self::Attempt(error) => of_attempt(error),
            Self::Ciphertext(_) => ("ciphertext", "ask its author for another"),
            Self::NoPrice => ("no-price", "give --price FILE; a list without observations closes the round unfilled"),
            Self::NotRead { .. } => ("not-read", "leave the option away, or name the other attempt"),
            Self::NoStatement => ("no-statement", "give --statement FILE"),
            Self::Reserve(ReserveError::Statement(_)) | Self::Statement { .. } => {
                ("statement", "ask the custodian for a statement in whole satoshi; see docs/spec/enclave.md")
            }
            Self::Reserve(_) => ("reserve-check", "nothing has changed; run `ccc verify --pool DIR`"),
            Self::Signer(_) => ("signer", "the signers read the log and the price again; give them the same files"),
            Self::NoSigners => ("no-signers", "restore pool.toml"),
            Self::Quorum(_) | Self::Report(_) => ("report", "f+1 distinct signers of the pool must sign it"),
            _ => return None,
        })
    }

    /// What keeps the table's next version from being made.
    fn of_versions(&self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::Plan(PlanError::NoFormerKey) => {
                ("plan", "`ccc table rotate` names the committee with the new key, and keeps the former one")
            }
            Self::Plan(_) => ("plan", "the log cannot be settled as it stands; `ccc verify --pool DIR` tells more"),
            Self::Round(RoundError::Deposit { code: ResultCode::Full, .. }) => (
                "round",
                "the table is full and keeps its version: `ccc fill prepare --upkeep growth`, then the round again",
            ),
            Self::Round(RoundError::Epoch { .. }) => (
                "round",
                "another epoch than the table's: `ccc fill prepare --upkeep epoch`, or `--upkeep rotation`, then again",
            ),
            Self::Round(RoundError::Config(ConfigError::OtherSuite { .. })) => {
                ("config", "restore pool.toml: a pool's suite is chosen by `table init`, and the measurement names it")
            }
            Self::NextEpoch { .. } => {
                ("next-epoch", "`ccc keygen session --epoch N` starts a key generation in an epoch after the pool's")
            }
            Self::Waiting { .. } => (
                "waiting",
                "close rounds until nothing waits and deliver their payouts; --leave-waiting gives up what waits",
            ),
            Self::SameKey => ("same-key", "after a refresh or a reshare it is `ccc fill prepare --upkeep epoch`"),
            Self::NotFollowed => (
                "not-followed",
                "the table follows a rotation in a version of its own: `ccc fill prepare --upkeep rotation` first",
            ),
            Self::EpochStands { .. } => ("epoch", "name the committee that the last refresh or reshare wrote"),
            Self::Round(_) => ("round", "the table keeps its version; run `ccc verify --pool DIR`"),
            _ => return None,
        })
    }

    fn of_answers(&self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::Query(QueryError::NoAuditors) => {
                ("auditors", "a pool has the auditors that `ccc table init --auditors` was given")
            }
            Self::Query(QueryError::Request) => ("query", "name an attempt of `ccc fill prepare --query` or --summary"),
            Self::Query(_) => ("query", "nothing has changed; run `ccc verify --pool DIR`"),
            Self::Auditors(_) => ("auditors", "name 1 to 64 keys of `ccc keygen auditor`, each once"),
            Self::NoQueries { .. } => {
                ("no-queries", "put the files of `ccc table ask` there as query-1.ccc, query-2.ccc and so on")
            }
            Self::Evidence { .. } => ("attestation", "trust the pool's own enclave only; do not lower the policy"),
            Self::OtherAttempt { .. } => ("other-attempt", "name the attempt for which it was made"),
            Self::ReaderKey { .. } => ("reader-key", "name the key that `ccc table ask` or `ccc keygen auditor` wrote"),
            Self::NotAnswered { .. } => (
                "not-answered",
                "name the key of this query; a query that the enclave could not read is answered to nobody",
            ),
            Self::NotAnAuditor { .. } => ("not-an-auditor", "pool.toml has the public keys of the auditors"),
            _ => return None,
        })
    }

    fn of_runs(&self) -> (&'static str, &'static str) {
        match self {
            Self::Network(error) => error.parts(),
            Self::Scenario(error) => of_scenario(error),
            Self::Recovery(error) => of_recovery(error),
            Self::Custodian(_) => ("custodian", "check the URL and the token; `ccc custodian` serves a statement"),
            Self::Leak { .. } => ("leak", "this is a defect: keep nothing of the run and please report it"),
            Self::Runtime(_) => ("runtime", "the system refused a thread or a socket; try again"),
            _ => ("internal", "this is a defect: please report it"),
        }
    }
}

fn of_refusal(refusal: &Refusal) -> (&'static str, &'static str) {
    match refusal {
        Refusal::Foreign { .. } => ("foreign-request", "the attempt belongs to another pool, committee or epoch"),
        Refusal::Rollback(_) | Refusal::Header => ("rollback", AGAIN),
        Refusal::Block => ("unknown-block", AGAIN),
        Refusal::Expired { .. } => ("expired", AGAIN),
        Refusal::TooEarly { .. } => ("too-early", "wait for the order's deadline"),
        Refusal::Policy(_) => ("attestation", "seal to the pool's own enclave only; do not lower the policy"),
        Refusal::Answered => {
            ("answered", "finish the attempt that it has answered: it opens a request at one block only")
        }
        Refusal::Recipients { .. } => ("answered", AGAIN),
        _ => ("refused", AGAIN),
    }
}

fn of_attempt(error: &AttemptError) -> (&'static str, &'static str) {
    match error {
        AttemptError::Shares(_) => {
            ("shares", "the participants' shares do not open a ciphertext; ask its author for another")
        }
        AttemptError::Foreign { .. } => ("foreign-request", "the attempt belongs to another pool"),
        _ => ("attempt", AGAIN),
    }
}

fn of_scenario(error: &ScenarioError) -> (&'static str, &'static str) {
    match error {
        ScenarioError::Accounts { .. } => ("scenario", OF_ACCOUNTS),
        ScenarioError::Threshold(_) => (
            "scenario",
            "give --threshold with --participants; without either key the default is n minus a third of n-1",
        ),
        _ => ("scenario", "see examples/scenarios/; unknown keys are refused"),
    }
}

fn of_recovery(error: &RecoveryError) -> (&'static str, &'static str) {
    match error {
        RecoveryError::Scenario(error) => of_scenario(error),
        RecoveryError::Capacity { .. } => ("scenario", OF_ACCOUNTS),
        RecoveryError::Production(_) => IN_PRODUCTION,
        RecoveryError::Chain(ChainError::Tls(error)) => ("tls", of_tls(error)),
        RecoveryError::Chain(_) => ("chain", "check --rpc-url; without it an embedded chain is used"),
        RecoveryError::Custodian(_) => ("custodian", "check the URL and the token; `ccc custodian` serves a statement"),
        RecoveryError::Reserve(_) => ("statement", "ask the custodian for a statement in whole satoshi"),
        RecoveryError::Vault { .. } => ("too-few-shares", "the threshold needs more honest participants"),
        _ => ("recovery", "what the chain accepted stays; run it again"),
    }
}

/// What to do after a collection that did not end.
fn of_collection(error: &CollectError) -> (&'static str, &'static str) {
    match error {
        CollectError::Unreadable(_) => (
            "collection",
            "nothing was removed; bring its file in table/versions/ back from a copy, or move that file away",
        ),
        CollectError::Stopped { .. } => {
            ("collection", "see to the medium and run it again: it goes on with those that are left")
        }
        _ => ("collection", "nothing was removed; restore head.json, or run it again"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// The first text of every `("code", hint)` pair in a source file.
    fn codes_of(source: &str) -> BTreeSet<&str> {
        let tuples = source.split("(\"").skip(1).chain(source.split("(\n").skip(1).map(|rest| {
            let rest = rest.trim_start();
            rest.strip_prefix('"').unwrap_or("")
        }));
        let codes = tuples.filter_map(|rest| {
            let (code, after) = rest.split_once('"')?;
            let pair = after.trim_start_matches(',').trim_start();
            let follows = pair.starts_with('"')
                || pair.starts_with("AGAIN")
                || pair.starts_with("OF_")
                || pair.starts_with("of_tls");
            let plain = !code.is_empty()
                && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            (follows && plain).then_some(code)
        });
        codes.collect()
    }

    #[test]
    fn every_code_is_written_down_and_none_has_vanished() {
        let (shown, _) = include_str!("hint.rs").split_once("#[cfg(test)]").expect("tests come last");
        let mut codes = codes_of(shown);
        let (sealed, _) = include_str!("../files/sealed.rs").split_once("#[cfg(test)]").expect("tests come last");
        codes.extend(codes_of(sealed));
        let (orders, _) = include_str!("../clearing/error.rs").split_once("#[cfg(test)]").expect("tests come last");
        codes.extend(codes_of(orders));
        codes.extend(codes_of(include_str!("../network/error.rs")));
        codes.extend(codes_of(include_str!("node.rs")));
        codes.extend(codes_of(include_str!("../rounds/chain.rs")));
        let (keystore, _) = include_str!("../network/keystore.rs").split_once("#[cfg(test)]").expect("tests come last");
        codes.extend(codes_of(keystore));
        codes.insert("usage");
        let (_, list) = include_str!("../../../../docs/spec/files.md").split_once("### Codes").expect("the list");
        let written: BTreeSet<&str> = list.split('`').skip(1).step_by(2).collect();
        assert_eq!(codes, written, "a code is part of the interface");
    }
}
