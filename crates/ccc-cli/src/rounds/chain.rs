//! A session whose board is a contract: who may post there, one run of one participant, and the registry's entry.

use super::{
    outcome::{Finished, Results},
    session::SessionFile,
    state::StateFile,
    walk::{End, Walk},
};
use crate::{
    cli::{BoardChainArgs, ReadArgs, SettingsArgs, SpendArgs},
    command::Context,
    error::Error,
    network::{Node, Settings, open_key, runtime},
    pool::read_committee,
    ui::Answer,
};
use alloy::primitives::{Address, B256};
use ccc_chain::{
    Wallet,
    board::{Agreement, CheckedCeremony},
};
use ccc_core::{
    identifier::Identifier,
    keys::{
        Roster, Session,
        board::BoardError,
        rounds::{Party, Run},
    },
};
use ccc_node::ceremony::{self, CeremonyError, Entered, EntryError, Handing, Kept, Stand};
use rand_core::CryptoRng;
use serde_json::json;
use std::path::{Path, PathBuf};
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

/// Why nothing is done over a contract.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OnChainError {
    #[error("{} is on no chain, and --board names a contract", path.display())]
    Directory { path: PathBuf },
    #[error("{} is on a chain, its board is {expected}, found {}", path.display(), found.display())]
    OtherBoard { path: PathBuf, expected: Address, found: PathBuf },
    #[error("{}: its nonce is not that of its ceremony, {expected}", path.display())]
    OtherNonce { path: PathBuf, expected: B256 },
    #[error("{}: {found} accounts for {expected} members", path.display())]
    Accounts { path: PathBuf, expected: usize, found: usize },
    #[error("the session is of chain {expected}, the node of chain {found}")]
    OtherChain { expected: u64, found: u64 },
    #[error("participant {number} posts with {expected}, the key is that of {found}")]
    OtherAccount { number: Identifier, expected: Address, found: Address },
    #[error("--close ends no round on a chain: its clock does")]
    Close,
    #[error("nothing is sent to chain {chain_id} without --broadcast")]
    NothingSent { chain_id: u64 },
    #[error("the session moves the entry of {}, --registry names {expected}", found.map_or("no registry".to_owned(), |found| found.to_string()))]
    OtherRegistry { expected: Address, found: Option<Address> },
    #[error(
        "the session moves the entry of the registry {found}, and nobody but the session says that it is the vault's"
    )]
    UnnamedRegistry { found: Address },
    #[error(
        "a round of {found} s ends before it is known: the newest final block is {lag} s older than the newest, more than {expected} s are wanted"
    )]
    ShortRounds { expected: u64, found: u64, lag: u64 },
    #[error(transparent)]
    Board(#[from] BoardError),
    #[error(transparent)]
    Entry(#[from] EntryError),
}

impl OnChainError {
    /// Code and hint.
    pub(crate) fn parts(&self) -> (&'static str, &'static str) {
        match self {
            Self::Directory { .. } | Self::OtherBoard { .. } => {
                ("other-board", "name with --board what the session was made for, `ccc keygen session`")
            }
            Self::OtherNonce { .. } | Self::Accounts { .. } => {
                ("session", "all participants need one and the same file of `ccc keygen session`")
            }
            Self::OtherChain { .. } => ("other-chain", "name a node of the session's chain with --rpc-url"),
            Self::OtherAccount { .. } => {
                ("other-account", "use the key of the account that the session names; --private-key-file, --keystore")
            }
            Self::Close => ("close", "leave --close out, and run the command again after the round's end"),
            Self::OtherRegistry { .. } => {
                ("other-registry", "keep the old share; make a session with the --registry of the vault's deployment")
            }
            Self::UnnamedRegistry { .. } => (
                "other-registry",
                "name the vault's registry with --registry, from its deployment and not from the session",
            ),
            Self::ShortRounds { .. } => ("short-rounds", "name more seconds with --round-seconds; nothing was sent"),
            Self::NothingSent { .. } => ("no-broadcast", "say --broadcast to send the transactions"),
            Self::Board(_) => ("board", "the state is unchanged: run it again, or against another node"),
            Self::Entry(EntryError::OtherContract { .. }) => {
                ("other-registry", "keep the old share; make a session with the --registry of the vault's deployment")
            }
            Self::Entry(EntryError::Expired { .. }) => {
                ("handover-expired", "the old committee is in office: begin a new session of the same epoch")
            }
            Self::Entry(EntryError::OtherCommittee { .. }) => {
                ("in-office", "keep the old share; compare session and registry with the other participants")
            }
            Self::Entry(_) => ("registry", "the old share serves: run it again, or against another node"),
        }
    }
}

/// A session's ceremony, held against the chain, and the account that posts.
pub(crate) struct OnChain {
    agreement: Agreement,
    ceremony: CheckedCeremony,
    node: Node,
    wallet: Wallet,
    runtime: Runtime,
}

/// The settings of a chain's flags.
pub(crate) fn settings(flags: &BoardChainArgs) -> Result<Settings, Error> {
    let read = ReadArgs { chain: flags.chain(), ..ReadArgs::default() };
    Settings::read(&SettingsArgs { read, key: flags.key(), ..SettingsArgs::default() })
}

/// The node of the settings, to which transactions are sent; where a session names one, of its chain.
///
/// # Errors
/// Those of connecting; [`OnChainError::OtherChain`], [`OnChainError::NothingSent`].
pub(crate) async fn sending(settings: &Settings, flags: &BoardChainArgs, of: Option<u64>) -> Result<Node, Error> {
    let spend = SpendArgs { dry_run: false, broadcast: flags.broadcast, most_fee: flags.most_fee };
    let node = Node::connect(settings).await?.within(spend);
    let chain_id = node.chain.chain_id();
    match of {
        Some(expected) if expected != chain_id => Err(OnChainError::OtherChain { expected, found: chain_id }.into()),
        _ if node.sends(spend) => Ok(node),
        _ => Err(OnChainError::NothingSent { chain_id }.into()),
    }
}

impl OnChain {
    /// The ceremony of a session, or nothing for a session whose board is a directory.
    ///
    /// # Errors
    /// [`OnChainError`]; those of settings, key and node.
    pub(crate) fn of(
        file: &SessionFile,
        (path, board): (&Path, &Path),
        close: bool,
        flags: &BoardChainArgs,
        ctx: &Context<'_>,
    ) -> Result<Option<Self>, Error> {
        let named: Option<Address> = board.to_str().and_then(|text| text.parse().ok());
        let Some(agreement) = file.ceremony.clone() else {
            return named.map_or(Ok(None), |_| Err(OnChainError::Directory { path: path.into() }.into()));
        };
        check(file, &agreement, path)?;
        if named != Some(agreement.board) {
            let (expected, found) = (agreement.board, board.into());
            return Err(OnChainError::OtherBoard { path: path.into(), expected, found }.into());
        }
        if close {
            return Err(OnChainError::Close.into());
        }
        let settings = settings(flags)?;
        let wallet = open_key(settings.key()?, &ctx.passphrases)?;
        let runtime = runtime()?;
        let (node, ceremony) = runtime.block_on(async {
            let node = sending(&settings, flags, Some(agreement.chain_id)).await?;
            let ceremony = CheckedCeremony::agreed(node.chain.clone(), &agreement).await.map_err(OnChainError::from)?;
            Ok::<_, Error>((node, ceremony))
        })?;
        Ok(Some(Self { agreement, ceremony, node, wallet, runtime }))
    }

    /// Goes as far as final blocks let it, from the stored state or from the beginning.
    ///
    /// # Errors
    /// [`OnChainError`], [`Error::State`], [`Error::StateLost`], [`Error::Rounds`] and those of files.
    pub(crate) fn walk<P: Run>(
        &self,
        party: &Party<'_, P>,
        state: &StateFile<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<Walk, Error>
    where
        Finished: From<P::Outcome>,
    {
        let session = party.session();
        if let Some(old) = session.old() {
            self.check_account(party.dealer(), (old.roster(), &self.agreement.dealers))?;
        }
        self.check_account(party.receiver(), (session.roster(), &self.agreement.receivers))?;
        let (closed, moved, posted, notes, sent) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut walk = Walk { closed, moved, posted, notes, sent, end: End::WasFinished };
        let state_bytes = match state.read()? {
            Some(stored) => match stored.into_bytes() {
                None => return Ok(walk),
                bytes => bytes,
            },
            None => None,
        };
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let mut kept = KeptFile { state, read: state_bytes, rng: rand_of(seed), failed: None };
        let run = ceremony::walk(party, &self.ceremony, &self.wallet, &mut kept, rng);
        let walked = self.runtime.block_on(run);
        let walked = walked.map_err(|error| kept.failed.take().unwrap_or_else(|| ended(error, state.path())))?;
        walk.sent = walked.posted;
        let over = |round| format!("the {round} round was over before this participant could post to it");
        walk.notes = walked.missed.into_iter().map(over).collect();
        walk.end = match walked.stand {
            Stand::Waits { round, end } => End::Until { round, end },
            Stand::Finished(outcome) => End::Finished(Box::new((*outcome).into())),
        };
        Ok(walk)
    }

    /// The account that posts is the one that the session names for this number.
    fn check_account(
        &self,
        number: Option<Identifier>,
        (roster, accounts): (&Roster, &[Address]),
    ) -> Result<(), OnChainError> {
        let Some(number) = number else { return Ok(()) };
        let mut all = roster.members().iter().zip(accounts);
        let expected = all.find(|(member, _)| member.identifier == number).map(|(_, account)| *account);
        let (expected, found) = (expected.unwrap_or_default(), self.wallet.address());
        if expected == found { Ok(()) } else { Err(OnChainError::OtherAccount { number, expected, found }) }
    }

    /// Moves the registry's entry to the committee that the results hold, where the session names a registry: once this
    /// participant's new share lies there and opens.
    ///
    /// # Errors
    /// [`OnChainError`]; those of reading the results.
    pub(crate) fn enter(
        &self,
        (session, receiver): (&Session, Option<Identifier>),
        results: &Results,
        (lines, object): (&mut Vec<String>, &mut serde_json::Value),
        ctx: &Context<'_>,
    ) -> Result<Answer, Error> {
        let Some(registry) = self.agreement.registry else { return Ok(Answer::Done) };
        if let Some(number) = receiver {
            results.check_share(number, session, &ctx.passphrases)?;
        }
        let next = read_committee(&results.committee())?;
        let handing = Handing { agreement: &self.agreement, session, next: &next };
        let entered = self.runtime.block_on(ceremony::enter(&handing, &self.ceremony, &self.wallet));
        let entered = entered.map_err(|error| match error {
            EntryError::Chain(error) => Error::from(self.node.error(&error)),
            other => OnChainError::from(other).into(),
        })?;
        let (answer, line) = match entered {
            Entered::Final => (Answer::Done, format!("has epoch {}, in a final block", next.epoch())),
            Entered::Delivered => (Answer::No, format!("has epoch {}, in a block that is not final", next.epoch())),
            Entered::Waits { have, need } => (Answer::No, format!("waits: {have} of {need} signatures are there")),
        };
        if answer == Answer::No {
            ctx.ui.note("the old share serves; run the same command again until a final block has the new epoch");
        }
        lines.push(format!("registry {registry} {line}"));
        object["registry"] = json!({ "address": registry, "final": answer == Answer::Done, "state": line });
        object["finished"] = (answer == Answer::Done).into();
        Ok(answer)
    }
}

/// The registry on whose word an old share goes is the one that this participant names, not the session alone.
///
/// # Errors
/// [`OnChainError::OtherRegistry`], [`OnChainError::UnnamedRegistry`].
pub(crate) fn check_registry(file: &SessionFile, named: Option<Address>, erases: bool) -> Result<(), OnChainError> {
    let found = file.ceremony.as_ref().and_then(|agreement| agreement.registry);
    match (named, found) {
        (Some(expected), found) if found != Some(expected) => Err(OnChainError::OtherRegistry { expected, found }),
        (None, Some(found)) if erases => Err(OnChainError::UnnamedRegistry { found }),
        _ => Ok(()),
    }
}

/// The session and its ceremony belong together.
fn check(file: &SessionFile, agreement: &Agreement, path: &Path) -> Result<(), OnChainError> {
    let expected = agreement.ceremony().nonce;
    if file.nonce.0 != expected.0 {
        return Err(OnChainError::OtherNonce { path: path.into(), expected });
    }
    let (expected, found) = (file.members.len(), agreement.receivers.len());
    let handing = file.committee.is_some();
    if expected != found || handing == agreement.dealers.is_empty() {
        return Err(OnChainError::Accounts { path: path.into(), expected, found });
    }
    Ok(())
}

fn rand_of(seed: [u8; 32]) -> rand::rngs::StdRng {
    rand::SeedableRng::from_seed(seed)
}

fn ended(error: CeremonyError, path: &Path) -> Error {
    match error {
        CeremonyError::Board(error) => OnChainError::from(error).into(),
        CeremonyError::State(source) => Error::State { path: path.into(), source },
        CeremonyError::StateLost => Error::StateLost { path: path.into() },
        CeremonyError::Rounds(error) => Error::Rounds { reason: super::sentence(&error) },
        other => Error::Rounds { reason: other.to_string() },
    }
}

/// A state file that is read once and written at every step.
struct KeptFile<'a> {
    state: &'a StateFile<'a>,
    read: Option<Zeroizing<Vec<u8>>>,
    rng: rand::rngs::StdRng,
    /// What the file's writing failed with, whole.
    failed: Option<Error>,
}

impl Kept for KeptFile<'_> {
    fn read(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        Ok(self.read.take())
    }

    fn write(&mut self, state: &[u8], first: bool) -> Result<(), String> {
        self.state.write_bytes(state, first, &mut self.rng).map_err(|error| {
            let sentence = error.to_string();
            self.failed = Some(error);
            sentence
        })
    }
}
