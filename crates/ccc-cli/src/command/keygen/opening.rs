//! The ceremony of a session on a chain: opened with the rounds' ends counted from the newest block.

use super::Context;
use crate::{
    cli::SessionArgs,
    error::Error,
    network::{Node, open_key, runtime},
    pool::random,
    rounds::{
        chain::{OnChainError, sending, settings},
        session::{SessionFile, What},
    },
};
use alloy::{
    eips::BlockId,
    primitives::{Address, B256},
};
use ccc_chain::{
    Chain, ChainError, Wallet,
    board::{self, Agreement},
    handover::{digest_of, entry, in_office},
};
use ccc_core::keys::Committee;
use ccc_node::ceremony::EntryError;

/// Opens the ceremony, on a new board where none is named.
///
/// # Errors
/// [`OnChainError`]; those of settings, key and node: nothing was sent but a new board.
pub(super) fn opened(
    arguments: &SessionArgs,
    (file, old): (&SessionFile, Option<&Committee>),
    seconds: u64,
    ctx: &Context<'_>,
) -> Result<Agreement, Error> {
    let (receivers, dealers) = accounts(arguments, file, old)?;
    let settings = settings(&arguments.on_chain)?;
    let wallet = open_key(settings.key()?, &ctx.passphrases)?;
    let seed = B256::from(random(&mut ctx.rng()?));
    runtime()?.block_on(async {
        let node = sending(&settings, &arguments.on_chain, None).await?;
        if let (Some(registry), Some(old)) = (arguments.registry, old) {
            check_office(&node, registry, (old, &dealers)).await?;
        }
        let lag = lag(&node.chain).await.map_err(|error| node.error(&error))?;
        check_seconds(seconds, lag)?;
        let place = (arguments.board, arguments.registry, seed);
        let made = open(&node, &wallet, place, (receivers, dealers), seconds).await;
        made.map_err(|error| node.error(&error).into())
    })
}

/// Accounts of the new roster and of the committee that hands over, one for each number.
fn accounts(
    arguments: &SessionArgs,
    file: &SessionFile,
    old: Option<&Committee>,
) -> Result<(Vec<Address>, Vec<Address>), OnChainError> {
    let receivers = arguments.accounts.clone();
    let dealers = match file.protocol {
        What::Refresh if arguments.dealers.is_empty() => receivers.clone(),
        _ => arguments.dealers.clone(),
    };
    let wanted = [(&receivers, file.members.len()), (&dealers, old.map_or(0, |old| old.members().len()))];
    for (found, expected) in wanted.map(|(accounts, expected)| (accounts.len(), expected)) {
        if found != expected {
            return Err(OnChainError::Accounts { path: arguments.out.clone(), expected, found });
        }
    }
    Ok((receivers, dealers))
}

/// The registry has the committee that hands over, under these accounts.
async fn check_office(node: &Node, registry: Address, (old, dealers): (&Committee, &[Address])) -> Result<(), Error> {
    let read =
        async { Ok((digest_of(&entry(old, dealers)?), in_office(&node.chain, registry, BlockId::latest()).await?)) };
    let (expected, office) = read.await.map_err(|error: ChainError| node.error(&error))?;
    if office.digest == expected {
        return Ok(());
    }
    let (epoch, found) = (office.epoch, office.digest);
    Err(OnChainError::from(EntryError::OtherCommittee { registry, epoch, expected, found }).into())
}

/// How much older the newest final block is than the newest one.
async fn lag(chain: &Chain) -> Result<u64, ChainError> {
    let newest = chain.block(BlockId::latest()).await?.time;
    Ok(newest.saturating_sub(chain.finalised_block().await?.time))
}

/// Nobody posts before the opening is final, and nobody goes on before a round's end is: of a shorter round everybody would
/// be silent.
fn check_seconds(found: u64, lag: u64) -> Result<(), OnChainError> {
    let expected = lag.saturating_mul(2);
    if found > expected { Ok(()) } else { Err(OnChainError::ShortRounds { expected, found, lag }) }
}

async fn open(
    node: &Node,
    wallet: &Wallet,
    (board, registry, seed): (Option<Address>, Option<Address>, B256),
    (receivers, dealers): (Vec<Address>, Vec<Address>),
    seconds: u64,
) -> Result<Agreement, ChainError> {
    let chain = &node.chain;
    let board = match board {
        Some(board) => board,
        None => board::create(chain, wallet).await?,
    };
    let now = chain.block(BlockId::latest()).await?.time;
    let ends = [1, 2, 3, 4].map(|round: u64| now.saturating_add(round.saturating_mul(seconds)));
    let (chain_id, opener) = (chain.chain_id(), wallet.address());
    let agreed = Agreement { chain_id, board, opener, first_block: 0, ends, seed, registry, dealers, receivers };
    let first_block = board::open(chain, wallet, board, &agreed.opening()).await?.first_block;
    Ok(Agreement { first_block, ..agreed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n083_a_round_outlasts_twice_what_a_block_takes_to_be_final() {
        let refused = |found, lag| match check_seconds(found, lag).err() {
            Some(OnChainError::ShortRounds { expected, found, lag }) => Some((expected, found, lag)),
            Some(other) => panic!("{other}"),
            None => None,
        };
        assert_eq!(refused(600, 780), Some((1560, 600, 780)));
        assert_eq!(refused(1560, 780), Some((1560, 1560, 780)));
        assert_eq!(refused(1561, 780), None);
        assert_eq!(refused(1, 0), None);
        assert_eq!(refused(u64::MAX, u64::MAX), Some((u64::MAX, u64::MAX, u64::MAX)));
    }
}
