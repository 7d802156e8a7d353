//! Every sentence that says what went wrong. What to try next, the stable code and the exit code stand in
//! [`hint`].

mod hint;
mod node;

pub(crate) use hint::OF_BOARD;

use crate::{
    artifact::ArtifactError,
    clearing::{OrdersError, RequestError},
    files::sealed::SealedError,
    network::NetworkError,
    rounds::{board::Twice, chain::OnChainError},
};
use ccc_core::{
    ciphertext::{CiphertextError, EncryptError},
    compat::tdh2_p256,
    enclave::attestation::PolicyRefusal,
    encoding::EncodingError,
    epoch::Epoch,
    keys::{
        KeyShareError, MembershipError,
        board::BoardError,
        dealer::DealerError,
        repair::{RepairError, RepairSessionError},
        rounds::{RoundsError, StateError},
    },
    report::{QuorumError, ReportError},
    secret::RandomnessError,
    table::{AuditorSetError, SidecarError, StoreError},
    threshold::ThresholdError,
    vault::{CombineError, ShareError},
};
use ccc_enclave::{
    agent::NoticeError, attempt::AttemptError, authorisation::AuthorisationError, config::ConfigError,
    intake::PlanError, query::QueryError, reader::ReaderError, reserve::ReserveError, round::RoundError,
    statement::StatementError,
};
use ccc_node::{
    agent::AgentRefusal, custodian::CustodianError, production::ProductionRefusal, recovery::RecoveryError,
    scenario::ScenarioError, vault_node::Refusal, workflow_node::SignerRefusal,
};
use ccc_server::{audit::AuditError, journal::JournalError, service::StartError};
use ccc_store::{CollectError, Halt};
use darkpool_matcher::ClearError;
use std::{borrow::Cow, fmt, io, path::PathBuf};

/// The exit code of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// The question was understood and the answer is no.
    No = 1,
    /// The work could not be done.
    CouldNot = 2,
}

/// What accompanies an error's sentence.
pub(crate) struct Parts {
    /// Stable name for programs.
    pub(crate) code: &'static str,
    /// Exit code.
    pub(crate) exit: Exit,
    /// What to try next.
    pub(crate) hint: Cow<'static, str>,
}

/// Everything that can go wrong in a verb.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    // files
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is longer than {limit} bytes", path.display())]
    TooLong { path: PathBuf, limit: u64 },
    #[error("{} exists", path.display())]
    Exists { path: PathBuf },
    #[error("{} is not empty", path.display())]
    NotEmpty { path: PathBuf },
    #[error("{} is a symbolic link", path.display())]
    Symlink { path: PathBuf },
    #[error("{} is not a regular file", path.display())]
    NotRegular { path: PathBuf },
    #[error("{} can be read by other users (mode {mode:04o})", path.display())]
    Readable { path: PathBuf, mode: u32 },
    #[error("standard output is a terminal, and the result is not text")]
    Terminal,
    #[error("standard input is named {count} times")]
    StandardInputTwice { count: usize },
    #[error("a participant's keys are read from a file, not from standard input")]
    NeedsFile,
    #[error("`{name}` is no plain file name")]
    FileName { name: String },

    // passphrases and secret files
    #[error("a passphrase is needed, and there is no terminal to ask on")]
    NoTerminal,
    #[error("the two passphrases differ")]
    PassphrasesDiffer,
    #[error("the passphrase is empty")]
    PassphraseEmpty,
    #[error("the passphrase is not UTF-8 text")]
    PassphraseNotText,
    #[error("CCC_PASSPHRASE is set: an environment variable is visible to other programs")]
    PassphraseInEnvironment,
    #[error("{}: {source}", path.display())]
    Sealed { path: PathBuf, source: SealedError },
    #[error("{} holds {found}, where {expected} is wanted", path.display())]
    OtherContent { path: PathBuf, expected: &'static str, found: &'static str },
    #[error("{} holds a participant's share, which only a share may replace", path.display())]
    HoldsShare { path: PathBuf },
    #[error("{}: {source}", path.display())]
    KeyShare { path: PathBuf, source: KeyShareError },
    #[error("{}: the signing key is not that of participant {identifier}", path.display())]
    OtherKeys { path: PathBuf, identifier: u16 },
    #[error("{}: the first line must be a token of visible ASCII characters", path.display())]
    Token { path: PathBuf },
    #[error("the account's key: {0}")]
    AccountKey(#[from] AuthorisationError),
    #[error("the agent's key or envelope: {0}")]
    Notice(#[from] NoticeError),

    // artifacts
    #[error("{}: {source}", path.display())]
    Encoding { path: PathBuf, source: EncodingError },
    #[error("{}: {source}", path.display())]
    Artifact { path: PathBuf, source: ArtifactError },
    #[error("{}: {source}", path.display())]
    Committee { path: PathBuf, source: MembershipError },
    #[error("{} does not verify: {reason}", path.display())]
    NotVerified { path: PathBuf, reason: String },
    #[error("{} cannot be checked without {what}", path.display())]
    Missing { path: PathBuf, what: &'static str },
    #[error("{} is {what}, which nothing can be held against: {why}", path.display())]
    Unverifiable { path: PathBuf, what: &'static str, why: &'static str },
    #[error("{} is another kind of report than wanted", path.display())]
    OtherReport { path: PathBuf },

    // keys
    #[cfg(unix)]
    #[error("memory cannot be kept out of core dumps: {0}")]
    Dumps(std::io::Error),
    #[error("the operating system gave no random bytes: {0}")]
    Randomness(String),
    #[error(transparent)]
    NoRandomness(#[from] RandomnessError),
    #[error("{0}")]
    Threshold(#[from] ThresholdError),
    #[error("dealing: {0}")]
    Dealer(#[from] DealerError),
    #[error("key generation: {0}")]
    Dkg(#[from] RoundsError),
    #[error("key generation: {0}")]
    Board(#[from] BoardError),
    #[error("committee: {0}")]
    Membership(#[from] MembershipError),
    #[error("the key generation left no participant")]
    EmptyCommittee,

    #[error(transparent)]
    Production(#[from] ProductionRefusal),
    // key generation, handover and repair by files
    #[error(transparent)]
    OnChain(Box<OnChainError>),
    #[error("{}: {reason}", path.display())]
    Session { path: PathBuf, reason: String },
    #[error("{}: {source}", path.display())]
    State { path: PathBuf, source: StateError },
    #[error("the rounds ended: {reason}")]
    Rounds { reason: String },
    #[error("these keys are not on the roster")]
    NotAMember,
    #[error("these keys have the numbers {}", list(numbers))]
    SeveralNumbers { numbers: Vec<u16> },
    #[error("{} holds another message than this participant's", path.display())]
    OtherMessage { path: PathBuf },
    #[error("{} does not exist, and the board holds a message of this participant", path.display())]
    StateLost { path: PathBuf },
    /// `twice` has who said two things where one is said.
    #[error("{}: {members} members confirm another result than these messages give: {transcript}{}", path.display(),
        said_twice(twice))]
    OtherTranscript { path: PathBuf, members: usize, transcript: String, twice: Vec<Twice> },
    #[error("{} is not certified: the old share still serves", path.display())]
    NotCertified { path: PathBuf },
    #[error("{} lies where the results go: {}", path.display(), out.display())]
    OldShare { path: PathBuf, out: PathBuf },
    #[error("{} does not serve, the old share stays: {reason}", path.display())]
    NewShare { path: PathBuf, reason: String },
    #[error("{}: {source}", path.display())]
    RepairRequest { path: PathBuf, source: RepairSessionError },
    #[error("{0}")]
    Repair(#[from] RepairError),
    /// With the helpers to name in the next request; none where too few are left.
    #[error("{source}")]
    RepairEnded { source: RepairError, helpers: Vec<u16> },

    // the pool directory
    #[error("{}: {reason}", path.display())]
    PoolFile { path: PathBuf, reason: String },
    #[error("log.jsonl, line {line}: {reason}")]
    PoolLog { line: usize, reason: String },
    #[error("head.json has consumed what log.jsonl does not hold")]
    HeadBehind,
    #[error("{} is not the committee of this pool", path.display())]
    OtherCommittee { path: PathBuf },
    #[error("pool.toml: {0}")]
    Config(#[from] ConfigError),
    #[error("the table: {0}")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Halt(Box<Halt>),
    #[error("the collection: {0}")]
    Collect(Box<CollectError>),
    #[error("{} holds neither an exported version nor a copy of table/", path.display())]
    NoCopy { path: PathBuf },
    #[error("{}: {source}", path.display())]
    Copy { path: PathBuf, source: Box<StoreError> },
    #[error("the table: {0}")]
    Sidecar(#[from] SidecarError),
    #[error("no row of table version {version} belongs to this account")]
    NoRows { version: u64 },
    #[error("the table's versions are {oldest} to {newest} here, and version {version} is none of them")]
    NoVersion { version: u64, oldest: u64, newest: u64 },
    #[error("{what}: {reason}")]
    Terms { what: &'static str, reason: &'static str },
    #[error("the pool's operator: {reason}")]
    Operator { reason: &'static str },
    #[error("encryption: {0}")]
    Encrypt(#[from] EncryptError),
    #[error("the agent does not act: {0}")]
    Agent(#[from] AgentRefusal),
    #[error("{purpose} reads no {what}")]
    NotRead { purpose: &'static str, what: &'static str },
    #[error("the reserve check found no deficit")]
    NoDeficit,

    // messages by hand
    #[error("{}: {source}", path.display())]
    CiphertextFile { path: PathBuf, source: CiphertextError },
    #[error("the label: {reason}")]
    Label { reason: &'static str },
    #[error("the ciphertext expired at {expiry}, it is {at}")]
    Expired { expiry: u64, at: u64 },
    #[error("the participant makes no share: {0}")]
    NoShare(#[from] ShareError),
    #[error("the shares do not open it: {0}")]
    Combine(CombineError),
    #[error("{}: {source}", path.display())]
    Tdh2Format { path: PathBuf, source: tdh2_p256::FormatError },
    #[error("the tdh2 key: {0}")]
    Tdh2Key(#[from] tdh2_p256::KeyError),
    #[error("the tdh2 ciphertext: {0}")]
    Tdh2Ciphertext(#[from] tdh2_p256::CiphertextError),
    #[error("the participant makes no share: {0}")]
    Tdh2Share(#[from] tdh2_p256::ShareError),
    #[error("the shares do not open it: {0}")]
    Tdh2Combine(tdh2_p256::CombineError),

    // attempts
    #[error("the table is at version {version} now, and the attempt was prepared on another")]
    Moved { version: u64 },
    #[error("this request has been settled by version {version}")]
    Settled { version: u64 },
    #[error("the attempt names a block that log.jsonl does not hold")]
    UnknownBlock,
    #[error("{} names another program than this pool's enclave", path.display())]
    OtherEnclave { path: PathBuf },
    #[error("{} is not what the attempt's keys were attested as", path.display())]
    OtherCard { path: PathBuf },
    #[error("ciphertext {index} of the request is neither in log.jsonl nor the table's key")]
    NotInLog { index: usize },
    #[error("{} does not exist: the attempt's keys were spent", path.display())]
    NoAttemptKeys { path: PathBuf },
    #[error("the participant refuses: {0}")]
    Refused(#[from] Refusal),
    #[error("{}, answer {number}: not as this participant wrote it", path.display())]
    Journal { path: PathBuf, number: u64 },
    #[error("the journal: {0}")]
    JournalFile(JournalError),
    #[error("{}: {source}", path.display())]
    NodeConfig { path: PathBuf, source: Box<ccc_server::config::ConfigError> },
    #[error("the node does not start: {0}")]
    NodeStart(Box<StartError>),
    /// Who vouches for a source of the statement.
    #[error("a source's authorities: {0}")]
    SourceAuthorities(ccc_chain::https::TlsError),
    #[error("the page: {0}")]
    Page(#[from] ccc_page::server::ServeError),
    #[error("{0}")]
    DeskToken(#[from] ccc_page::session::ShortToken),
    #[error("{reason}")]
    Feed { reason: String },
    #[error("{0}")]
    Webhook(#[from] ccc_page::webhook::NoWebhook),
    #[error("{}: {source}", path.display())]
    AuditLog { path: PathBuf, source: Box<AuditError> },
    #[error("{}: {source}", path.display())]
    AgentPolicy { path: PathBuf, source: Box<ccc_agent::policy::PolicyError> },
    #[error("{}: {source}", path.display())]
    AgentJournal { path: PathBuf, source: Box<ccc_agent::journal::JournalError> },
    #[error("{}: no plan there has the action {action}", path.display())]
    AgentAction { path: PathBuf, action: alloy::primitives::B256 },
    #[error("{}: not the key that the deployment's envelopes are sealed to", path.display())]
    AgentKey { path: PathBuf },
    #[error("the agent: {0}")]
    AgentRun(Box<ccc_agent::drive::DriveError>),
    #[error("log filter `{filter}`: {reason}")]
    LogFilter { filter: String, reason: String },
    #[error("the participant gave no answer")]
    NoAnswer,
    #[error("{have} of {need} needed shares are good{}{}", named(culprits), left_out(not_shares))]
    TooFewShares { need: usize, have: usize, culprits: Vec<u16>, not_shares: Vec<NotShare> },
    #[error("the enclave: {0}")]
    Attempt(#[from] AttemptError),
    #[error("the plan: {0}")]
    Plan(#[from] PlanError),
    #[error("a ciphertext: {0}")]
    Ciphertext(#[from] CiphertextError),
    #[error("the round: {0}")]
    Round(#[from] RoundError),
    #[error("the round fills a request for collateral and needs --price")]
    NoPrice,
    #[error("the table is of epoch {table} already, the committee of epoch {committee}")]
    EpochStands { table: Epoch, committee: Epoch },
    #[error("a committee of epoch {found}, where epoch {expected} or a later one follows")]
    NextEpoch { expected: Epoch, found: Epoch },
    #[error("the committee has the pool's own master public key")]
    SameKey,
    #[error("the table is still wrapped for the master public key before the pool's")]
    NotFollowed,
    #[error(
        "{operations} deposits and withdrawal requests, {new} new and {live} live orders and {requests} requests wait that \
         only the pool's present committee opens"
    )]
    Waiting { operations: usize, new: usize, live: usize, requests: usize },
    #[error("a reserve check needs the custodian's statement")]
    NoStatement,
    #[error("the reserve check: {0}")]
    Reserve(#[from] ReserveError),
    #[error("{}: {source}", path.display())]
    Statement { path: PathBuf, source: StatementError },
    #[error("a report signer refuses: {0}")]
    Signer(#[from] SignerRefusal),
    #[error("the pool has no report signers")]
    NoSigners,
    #[error("the report: {0}")]
    Quorum(#[from] QuorumError),
    #[error("the report: {0}")]
    Report(#[from] ReportError),

    // attempts that answer
    #[error("the table's reader: {0}")]
    Query(#[from] QueryError),
    #[error("the auditors: {0}")]
    Auditors(#[from] AuditorSetError),
    #[error("the attempt's directory holds no query of this attempt{}", left_out(not_shares))]
    NoQueries { not_shares: Vec<NotShare> },
    #[error("{}: {source}", path.display())]
    Evidence { path: PathBuf, source: PolicyRefusal },
    #[error("{} answers another request than the attempt's", path.display())]
    OtherAttempt { path: PathBuf },
    #[error("{}: {source}", path.display())]
    ReaderKey { path: PathBuf, source: ReaderError },
    #[error("no answer in {} opens under this key", path.display())]
    NotAnswered { path: PathBuf },
    #[error("the pool's auditors do not include the key in {}", path.display())]
    NotAnAuditor { path: PathBuf },

    // clearing in the clear
    #[error("{}: {source}", path.display())]
    Orders { path: PathBuf, source: OrdersError },
    #[error("{}: {source}", path.display())]
    Clearing { path: PathBuf, source: RequestError },
    #[error("the clearing: {0}")]
    Clear(#[from] ClearError),
    #[error("standard output is named {count} times")]
    StandardOutputTwice { count: usize },
    #[error("{} is named for two results", path.display())]
    OneTarget { path: PathBuf },
    #[error("{} is read, and named for a result", path.display())]
    OverInput { path: PathBuf },

    // chains
    #[error(transparent)]
    Network(#[from] NetworkError),

    // recovery
    #[error("scenario: {0}")]
    Scenario(#[from] ScenarioError),
    #[error("recovery: {0}")]
    Recovery(RecoveryError),
    #[error("custodian: {0}")]
    Custodian(#[from] CustodianError),
    #[error("found in what the run made public: {}", kinds.join(", "))]
    Leak { kinds: Vec<&'static str> },
    #[error("the program's event loop: {0}")]
    Runtime(io::Error),
}

/// A file that lies where a share belongs, and why it counts for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotShare {
    /// The file.
    pub(crate) path: PathBuf,
    /// Why.
    pub(crate) reason: String,
}

impl fmt::Display for NotShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is left out: {}", self.path.display(), self.reason)
    }
}

impl Error {
    /// Why a message did not open, with missing shares told apart and the files left out named.
    pub(crate) fn combine(error: CombineError, not_shares: Vec<NotShare>) -> Self {
        match error {
            CombineError::NotEnoughShares { .. } => Self::shares(error, not_shares),
            other => Self::Combine(other),
        }
    }

    /// An attempt's failure, with missing shares told apart, their senders and the files left out named.
    pub(crate) fn attempt(error: AttemptError, not_shares: Vec<NotShare>) -> Self {
        match error {
            AttemptError::Shares(error) => Self::shares(error, not_shares),
            other => Self::Attempt(other),
        }
    }

    fn shares(error: CombineError, not_shares: Vec<NotShare>) -> Self {
        match error {
            CombineError::NotEnoughShares { need, have, culprits } => {
                let culprits = culprits.iter().map(|culprit| culprit.identifier.get()).collect();
                Self::TooFewShares { need, have, culprits, not_shares }
            }
            other => Self::Attempt(AttemptError::Shares(other)),
        }
    }
}

impl From<OnChainError> for Error {
    fn from(error: OnChainError) -> Self {
        Self::OnChain(Box::new(error))
    }
}

impl From<Halt> for Error {
    fn from(halt: Halt) -> Self {
        Self::Halt(halt.into())
    }
}

impl From<CollectError> for Error {
    fn from(error: CollectError) -> Self {
        match error {
            CollectError::Head(halt) => halt.into(),
            CollectError::Store(error) => error.into(),
            other => Self::Collect(other.into()),
        }
    }
}

impl From<RecoveryError> for Error {
    fn from(error: RecoveryError) -> Self {
        match error {
            RecoveryError::Attempt(AttemptError::Shares(error @ CombineError::NotEnoughShares { .. })) => {
                Self::shares(error, Vec::new())
            }
            other => Self::Recovery(other),
        }
    }
}

fn named(culprits: &[u16]) -> String {
    if culprits.is_empty() {
        return String::new();
    }
    let names: Vec<String> = culprits.iter().map(u16::to_string).collect();
    format!("; bad shares from participant {}", names.join(", "))
}

fn list(numbers: &[u16]) -> String {
    numbers.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

fn said_twice(twice: &[Twice]) -> String {
    twice.iter().map(|twice| format!("; {twice}")).collect()
}

fn left_out(files: &[NotShare]) -> String {
    files.iter().map(|file| format!("; {file}")).collect()
}

impl From<JournalError> for Error {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Read { path, source } => Self::Read { path, source },
            JournalError::Write { path, source } => Self::Write { path, source },
            JournalError::Answer { path, number } => Self::Journal { path, number },
            other => Self::JournalFile(other),
        }
    }
}

impl From<StartError> for Error {
    fn from(error: StartError) -> Self {
        Self::NodeStart(Box::new(error))
    }
}
