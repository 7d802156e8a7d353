//! Flags of what participants do together by files: `keygen participant`, `keygen session`, `keygen dkg --session`,
//! `refresh`, `reshare`, `repair-share`.

use super::chain::{ChainArgs, KeyArgs};
use alloy::primitives::Address;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// The chain of a session whose board is a contract, and who posts there: flags that other verbs show, here out of sight so
/// that help stays on a screen.
#[derive(Args, Clone, Default)]
pub(crate) struct BoardChainArgs {
    /// The node [env: CCC_RPC_URL] [default: http://127.0.0.1:8545]
    #[arg(long, value_name = "URL", hide = true)]
    rpc_url: Option<String>,
    /// Who alone vouches for a node at https:// (PEM) [env: CCC_RPC_CA]
    #[arg(long, value_name = "FILE", hide = true)]
    rpc_ca: Option<PathBuf>,
    /// Refuse a node of another chain [env: CCC_CHAIN_ID]
    #[arg(long, value_name = "ID", hide = true)]
    chain_id: Option<u64>,
    /// Settings [env: CCC_CONFIG] [default: where the system keeps them]
    #[arg(long, value_name = "FILE", hide = true)]
    config: Option<PathBuf>,
    /// The sender's key, hexadecimal [env: CCC_PRIVATE_KEY_FILE]
    #[arg(long, value_name = "FILE", hide = true, conflicts_with = "keystore")]
    private_key_file: Option<PathBuf>,
    /// The sender's wallet file, version 3 [env: CCC_KEYSTORE]
    #[arg(long, value_name = "FILE", hide = true)]
    keystore: Option<PathBuf>,
    /// Send the transactions, on whatever chain
    #[arg(long, hide = true)]
    pub(crate) broadcast: bool,
    /// The most gwei for a unit of gas, a tenth of it as a tip (500)
    #[arg(long, hide = true, value_name = "GWEI")]
    pub(crate) most_fee: Option<u32>,
}

impl BoardChainArgs {
    /// Which chain.
    pub(crate) fn chain(&self) -> ChainArgs {
        let Self { rpc_url, rpc_ca, chain_id, config, .. } = self.clone();
        ChainArgs { rpc_url, rpc_ca, chain_id, config }
    }

    /// Whose transactions.
    pub(crate) fn key(&self) -> KeyArgs {
        let Self { private_key_file, keystore, .. } = self.clone();
        KeyArgs { private_key_file, keystore }
    }
}

/// Arguments of `keygen participant`.
#[derive(Args)]
#[command(after_help = "\
Writes FILE (secret) and FILE with the ending .pub: the public keys, for whoever makes the session.

Examples:
  ccc keygen participant --out alice.ccc
  ccc keygen participant --renew vault/participant-1.ccc --out alice-2.ccc   a new dealing key, for a refresh")]
pub(crate) struct ParticipantKeygen {
    /// The key file
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Keep the signing key of this participant and draw a new dealing key
    #[arg(long, value_name = "FILE")]
    pub(crate) renew: Option<PathBuf>,
    /// Replace existing files, but never a share
    #[arg(long)]
    pub(crate) force: bool,
}

/// Arguments of `keygen session`.
#[derive(Args)]
#[command(after_help = "\
Everybody must hold the same file: compare the session that this prints. Members count from 1 in the
order given. With --refresh, members without a .pub file keep their keys.
With --round-seconds the messages go over a chain, whose flags are those of `ccc deploy --help`.

Examples:
  ccc keygen session --out session.json alice.pub bob.pub carol.pub dave.pub
  ccc keygen session --committee vault/committee.ccc --refresh --out refresh.json
  ccc keygen session --round-seconds 3600 --accounts 0xa..,0xb..,0xc..,0xd.. --out s.json *.pub")]
pub(crate) struct SessionArgs {
    /// The members' public keys
    #[arg(value_name = "PUB", required_unless_present = "refresh")]
    pub(crate) members: Vec<PathBuf>,
    /// Shares that open [default: n - (n-1)/3; a refresh keeps it]
    #[arg(short = 't', long = "threshold", value_name = "T", conflicts_with = "refresh")]
    pub(crate) threshold: Option<u16>,
    /// The committee that hands over; without it a new vault is made
    #[arg(long, value_name = "FILE")]
    pub(crate) committee: Option<PathBuf>,
    /// The epoch of a new vault [default: 1]; a pool takes a new master key in an epoch after its own
    #[arg(long, value_name = "N", conflicts_with = "committee", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) epoch: Option<u64>,
    /// The same members keep the same threshold
    #[arg(long, requires = "committee")]
    pub(crate) refresh: bool,
    /// Open the ceremony on a chain, with rounds of so many seconds: more than twice what a block takes to be final
    #[arg(long, value_name = "SECONDS", requires = "accounts", value_parser = clap::value_parser!(u64).range(1..=2_592_000))]
    pub(crate) round_seconds: Option<u64>,
    /// Accounts with which the members post, in their order
    #[arg(long, value_name = "ADDRESS,...", value_delimiter = ',', requires = "round_seconds")]
    pub(crate) accounts: Vec<Address>,
    /// Accounts of the committee that hands over, in its order [default with --refresh: --accounts]
    #[arg(long, value_name = "ADDRESS,...", value_delimiter = ',', requires_all = ["round_seconds", "committee"])]
    pub(crate) dealers: Vec<Address>,
    /// The board's contract [default: a new one]
    #[arg(long, value_name = "ADDRESS", requires = "round_seconds")]
    pub(crate) board: Option<Address>,
    /// The VaultRegistry whose entry moves with the epoch
    #[arg(long, value_name = "ADDRESS", requires_all = ["round_seconds", "committee"])]
    pub(crate) registry: Option<Address>,
    #[command(flatten)]
    pub(crate) on_chain: BoardChainArgs,
    /// The session, or `-`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
}

/// Arguments of `keygen dkg`: one process for everybody, or one step of one participant.
#[derive(Args)]
#[command(after_help = "\
With -n, for trying out: DIR/committee.ccc (public) and DIR/participant-<i>.ccc (secret), all at once.
With --session, for one participant: the same command again and again. Each run reads the board, goes as
far as it can, stores its state, then posts; at the end it writes the committee and its own share.
The board is a directory of messages; copy them to one another however you like. Exit code 1: it waits.

Examples:
  ccc keygen dkg -n 16 -t 11 --out keys/
  ccc keygen dkg --session session.json --keys alice.ccc --state alice.state --board board/ --out vault/")]
pub(crate) struct DkgArgs {
    /// Participants, all in this process
    #[arg(short = 'n', long = "participants", value_name = "N", required_unless_present = "session")]
    pub(crate) participants: Option<u16>,
    /// Shares that open [default: n - (n-1)/3]
    #[arg(short = 't', long = "threshold", value_name = "T", conflicts_with = "session")]
    pub(crate) threshold: Option<u16>,
    /// The session, as `ccc keygen session` makes it
    #[arg(long, value_name = "FILE", conflicts_with = "participants", requires_all = ["keys", "state", "board"])]
    pub(crate) session: Option<PathBuf>,
    /// This participant's keys
    #[arg(long, value_name = "FILE", requires = "session")]
    pub(crate) keys: Option<PathBuf>,
    /// This participant's state (secret); the first run makes it, every step replaces it
    #[arg(long, value_name = "FILE", requires = "session")]
    pub(crate) state: Option<PathBuf>,
    /// Directory of messages, or the session's contract on a chain
    #[arg(long, value_name = "DIR|ADDRESS", requires = "session")]
    pub(crate) board: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) on_chain: BoardChainArgs,
    /// End the running round with what is there: all participants must have the same
    #[arg(long, requires = "session")]
    pub(crate) close: bool,
    /// This participant's number, where its keys have several
    #[arg(long, value_name = "I", requires = "session")]
    pub(crate) number: Option<u16>,
    /// Refuse what production must not run: all participants in one process, committees that tolerate no fault
    #[arg(long)]
    pub(crate) production: bool,
    /// Directory for the results
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Replace existing results
    #[arg(long)]
    pub(crate) force: bool,
}

/// Where the messages are.
#[derive(Args)]
pub(crate) struct OnBoard {
    /// Directory of everybody's messages
    #[arg(long, value_name = "DIR")]
    pub(crate) board: PathBuf,
    /// End the running round with what is there: all participants must have the same
    #[arg(long)]
    pub(crate) close: bool,
}

/// Which repair it is.
#[derive(Args)]
pub(crate) struct OfRepair {
    /// The vault's committee
    #[arg(long, value_name = "FILE")]
    pub(crate) committee: PathBuf,
    /// The request
    #[arg(long, value_name = "FILE")]
    pub(crate) request: PathBuf,
    #[command(flatten)]
    pub(crate) at: OnBoard,
    /// Where this participant keeps the messages that it has read [default: beside its file, ending in .seen]
    #[arg(long, value_name = "DIR")]
    pub(crate) seen: Option<PathBuf>,
}

/// Arguments of `refresh` and `reshare`.
#[derive(Args)]
#[command(after_help = "\
The same command again and again, as with `ccc keygen dkg --session`. Old holders deal
(--participant), new members receive (--keys, or the keys beside the old share). On a chain, with
the flags of `ccc deploy --help`, the old share serves until a final block has the registry's entry.

Examples:
  ccc reshare --session reshare.json --committee vault/committee.ccc \\
    --participant vault/participant-1.ccc --state alice.state --board board/ --out vault-2/
  ccc reshare --session reshare.json --committee vault/committee.ccc --keys erin.ccc \\
    --state erin.state --board board/ --out vault-2/")]
pub(crate) struct HandoverArgs {
    /// The session, as `ccc keygen session --committee` makes it
    #[arg(long, value_name = "FILE")]
    pub(crate) session: PathBuf,
    /// The committee that hands over
    #[arg(long, value_name = "FILE")]
    pub(crate) committee: PathBuf,
    /// This participant's old share
    #[arg(long, value_name = "FILE", required_unless_present = "keys")]
    pub(crate) participant: Option<PathBuf>,
    /// This participant's keys on the new roster
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
    /// This participant's state (secret), which each step replaces
    #[arg(long, value_name = "FILE")]
    pub(crate) state: PathBuf,
    /// Directory of messages, or the session's contract on a chain
    #[arg(long, value_name = "DIR|ADDRESS")]
    pub(crate) board: PathBuf,
    /// End the running round with what is there: all participants must have the same
    #[arg(long)]
    pub(crate) close: bool,
    #[command(flatten)]
    pub(crate) on_chain: BoardChainArgs,
    /// This participant's number on the new roster, where its keys have several
    #[arg(long, value_name = "I")]
    pub(crate) number: Option<u16>,
    /// Directory for the results
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Refuse what production must not run: committees that tolerate no fault, a participant with too much weight
    #[arg(long)]
    pub(crate) production: bool,
    /// The vault's registry by its deployment, where --erase-old asks it
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) registry: Option<Address>,
    /// Remove the old share, certified, and final at a --registry
    #[arg(long, requires = "participant")]
    pub(crate) erase_old: bool,
    /// Replace existing results
    #[arg(long)]
    pub(crate) force: bool,
}

/// The steps of a repair.
#[derive(Subcommand)]
pub(crate) enum RepairShare {
    /// Ask, as the participant that lost its share, at least t helpers for it
    Request(RepairRequestArgs),
    /// Help, as one that the request names: first a split, then a sum
    Assist(RepairAssistArgs),
    /// Put the share together from the helpers' sums
    Finish(RepairFinishArgs),
}

/// Arguments of `repair-share request`.
#[derive(Args)]
#[command(after_help = "\
Example:
  ccc repair-share request --committee vault/committee.ccc --keys dave.ccc --helpers 1,2,3 --out request.ccc")]
pub(crate) struct RepairRequestArgs {
    /// The vault's committee
    #[arg(long, value_name = "FILE")]
    pub(crate) committee: PathBuf,
    /// The participant's keys, which it has not lost
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: PathBuf,
    /// Numbers of the helpers, at least as many as shares open
    #[arg(long, value_name = "I,I,...", value_delimiter = ',', required = true)]
    pub(crate) helpers: Vec<u16>,
    /// This participant's number, where its keys have several
    #[arg(long, value_name = "I")]
    pub(crate) number: Option<u16>,
    /// The request, or `-`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
}

/// Arguments of `repair-share assist`.
#[derive(Args)]
#[command(after_help = "\
Twice the same command: the first posts the split, the second the sum, once all splits are on the board.

Example:
  ccc repair-share assist --committee vault/committee.ccc --participant vault/participant-1.ccc \\
    --request request.ccc --board board/")]
pub(crate) struct RepairAssistArgs {
    #[command(flatten)]
    pub(crate) repair: OfRepair,
    /// The helper's share and keys
    #[arg(long, value_name = "FILE")]
    pub(crate) participant: PathBuf,
}

/// Arguments of `repair-share finish`.
#[derive(Args)]
#[command(after_help = "\
Example:
  ccc repair-share finish --committee vault/committee.ccc --keys dave.ccc --request request.ccc \\
    --board board/ --out vault/participant-4.ccc")]
pub(crate) struct RepairFinishArgs {
    #[command(flatten)]
    pub(crate) repair: OfRepair,
    /// The participant's keys
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: PathBuf,
    /// The repaired key file (secret)
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
}
