//! The chain's memory: state, blocks, clock, filters and snapshots.

use std::{borrow::Cow, collections::BTreeMap};

use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::{TxHash, U64, U256},
};

use super::{
    BASE_FEE, EmbeddedConfig,
    block::{Block, header},
    execute::Place,
    fault::{Answer, invalid, unavailable},
    filters::{Filters, resolve},
    recovery,
    state::{State, Undo},
};

const MOST_SNAPSHOTS: usize = 64;
const RICH_BALANCE_WEI: U256 = U256::from_limbs([1_864_712_049_423_024_128, 542, 0, 0]);

/// Everything that a snapshot keeps.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) chain_id: u64,
    pub(super) state: State,
    /// Never empty: block 0 stands first.
    pub(super) blocks: Vec<Block>,
    pub(super) by_transaction: BTreeMap<TxHash, usize>,
    pub(super) next_time: Option<u64>,
    pub(super) filters: Filters,
    /// Balances set since the newest block; they belong to the next one.
    pub(super) pending_undo: Undo,
}

/// A world and its snapshots.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) world: World,
    snapshots: Vec<World>,
}

impl Node {
    pub(super) fn new(config: &EmbeddedConfig) -> Self {
        recovery::install();
        let mut state = State::default();
        for address in &config.rich {
            state.set_balance(*address, RICH_BALANCE_WEI);
        }
        let header = header(None, config.genesis_time, None);
        let genesis = Block { hash: header.hash_slow(), header, mined: None, undo: Undo::default() };
        state.push_block_hash(genesis.hash);
        let world = World {
            chain_id: config.chain_id,
            state,
            blocks: vec![genesis],
            by_transaction: BTreeMap::new(),
            next_time: None,
            filters: Filters::default(),
            pending_undo: Undo::default(),
        };
        Self { world, snapshots: Vec::new() }
    }

    /// Keeps a copy; its number counts from one.
    pub(super) fn snapshot(&mut self) -> Answer<U64> {
        if self.snapshots.len() >= MOST_SNAPSHOTS {
            return Err(unavailable(format!("more than {MOST_SNAPSHOTS} snapshots")));
        }
        self.snapshots.push(self.world.clone());
        Ok(U64::from(self.snapshots.len()))
    }

    /// Returns to a snapshot, which is used up with all later ones.
    pub(super) fn revert(&mut self, id: U64) -> bool {
        let Some(index) = usize::try_from(id).ok().and_then(|id| id.checked_sub(1)) else { return false };
        let Some(world) = self.snapshots.get(index).cloned() else { return false };
        self.snapshots.truncate(index);
        self.world = world;
        true
    }
}

impl World {
    pub(super) fn head(&self) -> &Block {
        self.blocks.last().expect("the genesis block is never removed")
    }

    pub(super) fn height(&self) -> u64 {
        self.head().header.number
    }

    /// The time of the next block.
    pub(super) fn next_timestamp(&self) -> u64 {
        self.next_time.unwrap_or_else(|| self.head().header.timestamp.saturating_add(1))
    }

    /// Sets the time of the next block.
    ///
    /// # Errors
    /// A time that is not after the newest block's.
    pub(super) fn set_next_timestamp(&mut self, time: u64) -> Answer<()> {
        let newest = self.head().header.timestamp;
        if time <= newest {
            return Err(invalid(format!("time {time} is not after the newest block's {newest}")));
        }
        self.next_time = Some(time);
        Ok(())
    }

    /// Lets the next block be no earlier than `time`.
    pub(super) fn follow(&mut self, time: u64) {
        if time > self.next_timestamp() {
            self.next_time = Some(time);
        }
    }

    pub(super) fn block_by_tag(&self, tag: BlockNumberOrTag) -> Option<&Block> {
        usize::try_from(resolve(tag, self.height())).ok().and_then(|at| self.blocks.get(at))
    }

    pub(super) fn block(&self, id: BlockId) -> Option<&Block> {
        match id {
            BlockId::Number(tag) => self.block_by_tag(tag),
            BlockId::Hash(hash) => self.blocks.iter().rev().find(|block| block.hash == hash.block_hash),
        }
    }

    /// The state after a block.
    ///
    /// # Errors
    /// A block that does not exist.
    pub(super) fn state_at(&self, id: BlockId) -> Answer<Cow<'_, State>> {
        let number = self.number_of(id)?;
        if number == self.height() {
            return Ok(Cow::Borrowed(&self.state));
        }
        let later = self.blocks.iter().rev().take_while(|block| block.header.number > number);
        let undone = std::iter::once(&self.pending_undo).chain(later.map(|block| &block.undo));
        Ok(Cow::Owned(self.state.before(undone)))
    }

    /// Where a question about a block runs: the newest state is asked as the next block will see it.
    ///
    /// # Errors
    /// A block that does not exist.
    pub(super) fn place_at(&self, id: BlockId) -> Answer<Place> {
        let number = self.number_of(id)?;
        if number == self.height() {
            return Ok(self.next_place());
        }
        let block = self.block_by_tag(number.into()).ok_or_else(|| no_block(id))?;
        Ok(Place { chain_id: self.chain_id, number, timestamp: block.header.timestamp, base_fee: BASE_FEE })
    }

    pub(super) fn next_place(&self) -> Place {
        let number = self.height().saturating_add(1);
        Place { chain_id: self.chain_id, number, timestamp: self.next_timestamp(), base_fee: BASE_FEE }
    }

    fn number_of(&self, id: BlockId) -> Answer<u64> {
        self.block(id).map(|block| block.header.number).ok_or_else(|| no_block(id))
    }
}

fn no_block(id: BlockId) -> alloy::rpc::json_rpc::ErrorPayload {
    unavailable(format!("block {id} does not exist"))
}
