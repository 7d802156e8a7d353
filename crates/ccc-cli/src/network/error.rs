//! What can go wrong between a command and a chain.

use super::keystore::KeystoreError;
use ccc_chain::{custody::PlanError, https::TlsError};
use std::path::PathBuf;

/// Why a command did not reach its chain, or was refused there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetworkError {
    #[error("{name} is set: an environment variable is visible to other programs")]
    KeyInEnvironment { name: &'static str },
    #[error("{name}: {reason}")]
    Environment { name: &'static str, reason: String },
    #[error("{}: {reason}", path.display())]
    File { path: PathBuf, reason: String },
    #[error("{from} names both a private key file and a keystore")]
    TwoKeys { from: &'static str },
    #[error("no key is named to send with")]
    NoKey,
    #[error("{}: the first line must be a private key of 64 hexadecimal digits", path.display())]
    Key { path: PathBuf },
    #[error("{}: {source}", path.display())]
    Keystore { path: PathBuf, source: KeystoreError },
    #[error("no table account's keys are named")]
    NoAccountKey,
    #[error("no committee is named to encrypt to")]
    NoCommittee,
    #[error("no deployment is named")]
    NoDeployment,
    #[error("{}: not a deployment: {reason}", path.display())]
    Deployment { path: PathBuf, reason: String },
    #[error("not the deployment of this pool: {reason}")]
    OtherPool { reason: String },
    #[error("{} ends in neither .json nor .toml", path.display())]
    Form { path: PathBuf },
    #[error("the node's address is neither https://HOST[:PORT][/PATH] nor http://HOST[:PORT][/PATH]")]
    Address,
    #[error("{}: no file of certificate authorities for this node: {reason}", path.display())]
    Authorities { path: PathBuf, reason: String },
    #[error("{node}: {source}")]
    Tls { node: String, source: TlsError },
    #[error("{node}: {reason}")]
    Node { node: String, reason: String },
    #[error("refused by {by}: {reason}")]
    Refused { by: String, reason: String },
    #[error("refused by {by} in {place}: {reason}")]
    RefusedInBlock { by: String, reason: String, place: String },
    #[error("{what} was sent as transaction {transaction} and may be mined yet{name}: {reason}")]
    PerhapsSent { what: &'static str, transaction: String, name: String, reason: String },
    #[error("the pool {pool} names no vault: nothing shows whose key the committee's is")]
    NoVault { pool: String },
    #[error("nothing would be sent to chain {chain_id} after the wait")]
    WaitForNothing { chain_id: u64 },
    #[error("the vault's master public key is {expected} on the chain, the committee's is {found}")]
    OtherVault { expected: String, found: String },
    #[error("{sender} has {found} wei, and the transactions may cost {needed}")]
    NoGas { sender: String, needed: String, found: String },
    #[error("{} has {} of {}, and {} are needed", .0.sender, .0.found, .0.token, .0.needed)]
    Balance(Box<Shortfall>),
    #[error("the pool may take {} of {} from {}, and {} are needed", .0.found, .0.token, .0.sender, .0.needed)]
    Allowance(Box<Shortfall>),
    #[error("{token} takes no permission by signature: {reason}")]
    NoPermit { token: String, reason: String },
    #[error("the pool has nothing under {id}")]
    UnknownSubmission { id: String },
    #[error("{id} is {found}, where {expected} is wanted")]
    OtherSubmission { id: String, expected: &'static str, found: &'static str },
    #[error("{id} expired at {expiry}, and it is {now}")]
    ExpiredSubmission { id: String, expiry: u64, now: u64 },
    #[error("{found} would send, and {expected} must")]
    OtherSender { expected: String, found: String },
    #[error("the pool's table is at version {expected}, header {hash}, and the files are of version {found}")]
    OtherVersion { expected: u64, hash: String, found: u64 },
    #[error("the pool never closed version {version} with the header {hash}")]
    NotClosed { version: u64, hash: String },
    #[error("the plan: {0}")]
    Plan(#[from] PlanError),
    #[error("{}: {reason}", path.display())]
    PlanFile { path: PathBuf, reason: String },
    #[error("chain {chain_id} at {node} is not local, and no plan is named")]
    NoPlan { chain_id: u64, node: String },
    #[error("chain {chain_id} at {node} is not local, and the plan has simulated parts")]
    SimulatedParts { chain_id: u64, node: String },
    #[error("chain {chain_id} at {node} is not local, and everybody knows {what} of the plan")]
    KnownAccounts { chain_id: u64, node: String, what: &'static str },
    #[error("{from} has a private key where the name of a file belongs")]
    KeyAsPath { from: &'static str },
    #[error("{step}, after {done} transactions: {reason}{made}")]
    Step { step: &'static str, done: usize, reason: String, made: String },
    #[error("the report is for {found}, and the deployment takes its kind at {expected}")]
    OtherReceiver { expected: String, found: String },
    #[error("the swap: {reason}")]
    Swap { reason: String },
    #[error("{}: not a market: {reason}", path.display())]
    Venue { path: PathBuf, reason: String },
    #[error(transparent)]
    Serve(#[from] ccc_chain::embedded::ServeError),
}

/// Too little of a token.
#[derive(Debug)]
pub(crate) struct Shortfall {
    pub(crate) sender: String,
    pub(crate) token: String,
    pub(crate) needed: String,
    pub(crate) found: String,
}

impl NetworkError {
    /// The stable code and the hint.
    pub(crate) fn parts(&self) -> (&'static str, &'static str) {
        match self {
            Self::KeyInEnvironment { .. } => {
                ("key-in-environment", "unset it; CCC_PRIVATE_KEY_FILE or CCC_KEYSTORE names a file")
            }
            Self::Environment { .. } => ("environment", "`ccc config show` tells what each variable may hold"),
            Self::File { .. } => ("config-file", "docs/spec/files.md has its keys; unknown ones are refused"),
            Self::TwoKeys { .. } => ("two-keys", "name one of them"),
            Self::NoKey => ("no-key", "give --private-key-file FILE or --keystore FILE, or name it in the settings"),
            Self::Key { .. } => ("key-file", "write the key into the file's first line, and `chmod 600` it"),
            Self::Keystore { source, .. } => source.parts(),
            Self::NoAccountKey => {
                ("no-account-key", "give --account-key FILE; `ccc keygen account --out FILE` makes one")
            }
            Self::NoCommittee => {
                ("no-committee", "give --committee FILE, the committee.ccc that the vault's operators publish")
            }
            Self::PerhapsSent { .. } => (
                "perhaps-sent",
                "`ccc order status ID` tells whether it came; to try again add the --salt that was told: the pool takes it once",
            ),
            Self::NoVault { .. } => (
                "no-vault",
                "name a deployment with registries, as `ccc deploy` makes it; without them only a local chain serves",
            ),
            Self::WaitForNothing { .. } => {
                ("no-broadcast", "add --broadcast, or leave --wait away to be told when it opens")
            }
            Self::OtherVault { .. } => (
                "other-committee",
                "ask the vault's operators for their committee.ccc: what is encrypted to another key is lost",
            ),
            Self::NoGas { .. } => {
                ("no-gas", "send ether to that address first; on a local chain `ccc chain --fund ADDRESS`")
            }
            Self::Balance(_) => ("balance", "bring the tokens to the sender first, or name a smaller --amount"),
            Self::Allowance(_) => {
                ("allowance", "leave --no-approve away, or let the pool take the amount from elsewhere")
            }
            Self::NoPermit { .. } => {
                ("no-permit", "leave --permit away: a transaction before the deposit lets the pool take it")
            }
            Self::UnknownSubmission { .. } => {
                ("unknown-submission", "check the id, and that --deployment and --rpc-url are those of the submission")
            }
            Self::OtherSubmission { .. } => ("other-submission", "`ccc order status ID` tells what an id stands for"),
            Self::ExpiredSubmission { .. } => ("expired", "nothing is left to do: no round to come reads it"),
            Self::OtherSender { .. } => ("other-sender", "use the key of that address"),
            Self::OtherVersion { .. } => {
                ("not-current", "ask the host for the current version, as `ccc table export` writes it")
            }
            Self::NotClosed { .. } => {
                ("not-closed", "do not trust these files; ask the host for those of a version on the chain")
            }
            Self::NoDeployment => ("no-deployment", "give --deployment FILE; `ccc deploy --out FILE` writes one"),
            Self::Deployment { .. } => ("deployment", "name the file that `ccc deploy` or `ccc recover --out` wrote"),
            Self::OtherPool { .. } => ("deployment", "name the file that `ccc deploy` wrote for this pool"),
            Self::Form { .. } => ("deployment", "name a file that ends in .json or .toml"),
            Self::Address => ("rpc-url", "name a node by --rpc-url, for example http://127.0.0.1:8545"),
            Self::Authorities { .. } => {
                ("rpc-ca", "--rpc-ca names a PEM file with the certificate of who vouches for a node at https://")
            }
            Self::Tls { source, .. } => ("tls", of_tls(source)),
            Self::Node { .. } => ("chain", "check --rpc-url; `ccc doctor` tells what is missing"),
            Self::Refused { .. } => ("contract-refused", "nothing was sent; `ccc status` shows what the chain holds"),
            Self::RefusedInBlock { .. } => (
                "refused-in-block",
                "the state moved while it was sent: its gas is spent and nothing else changed; ask `ccc status` before you try again",
            ),
            Self::Plan(_) | Self::PlanFile { .. } => {
                ("deploy-plan", "`ccc deploy --print-plan` shows a plan with every key")
            }
            Self::NoPlan { .. } | Self::SimulatedParts { .. } => {
                ("deploy-plan", "name --plan FILE with the addresses of real tokens and a real feed")
            }
            Self::KnownAccounts { .. } => {
                ("deploy-plan", "everything in the plan that `--print-plan` shows must be your own on another chain")
            }
            Self::KeyAsPath { .. } => {
                ("key-as-path", "the key was shown to other programs: take another, write it into a file and name that")
            }
            Self::Step { .. } => (
                "deploy-step",
                "what was made before stays and belongs to the deployer alone; run it again for a new set",
            ),
            Self::OtherReceiver { .. } => ("other-receiver", "name the deployment for which the report was signed"),
            Self::Swap { .. } => ("swap", "nothing was swapped; `ccc swap quote` shows price, average and cost"),
            Self::Venue { .. } => {
                ("venue", "a JSON object of chain_id, router, quoter and pool; `ccc swap place` writes one")
            }
            Self::Serve(_) => ("serve", "name another port, or 0 for a free one"),
        }
    }
}

/// What to try where a node behind TLS is not believed.
pub(crate) fn of_tls(error: &TlsError) -> &'static str {
    match error {
        TlsError::Name { .. } => "name the node by a name of its certificate, or ask who runs it for the right one",
        TlsError::UnknownAuthority => {
            "for a node of your own name its authority with --rpc-ca FILE; else do not trust it"
        }
        TlsError::NoAuthorities { .. } => {
            "install the system's ca-certificates, or name authorities with --rpc-ca FILE"
        }
        TlsError::Expired { .. } | TlsError::NotYet { .. } => {
            "check this machine's clock; if it is right, the node's certificate has to be renewed"
        }
        TlsError::Processor => "use a node of this machine or network at http://",
        TlsError::Handshake { .. } => "the node must speak TLS 1.3 at this port; without TLS it is an http:// address",
        _ => "ask who runs the node for a certificate that can be verified",
    }
}
