//! Logs by filter, and filters that remember where they were read to.

use std::collections::BTreeMap;

use super::{
    block::Block,
    fault::{Answer, Told, told, unavailable},
};
use alloy::{
    eips::BlockNumberOrTag,
    primitives::U64,
    rpc::types::{Filter, FilterBlockOption, Log},
};

const MOST_FILTERS: usize = 1024;

/// The installed filters.
#[derive(Clone, Debug, Default)]
pub(super) struct Filters {
    installed: BTreeMap<u64, Installed>,
    last_id: u64,
}

#[derive(Clone, Debug)]
struct Installed {
    /// `None` for a filter of block hashes.
    filter: Option<Box<Filter>>,
    /// The number of the first block that was not read.
    cursor: usize,
}

impl Filters {
    /// Installs a filter that reads from `cursor`.
    pub(super) fn install(&mut self, filter: Option<Filter>, cursor: usize) -> Answer<Told> {
        if self.installed.len() >= MOST_FILTERS {
            return Err(unavailable(format!("more than {MOST_FILTERS} filters")));
        }
        self.last_id = self.last_id.saturating_add(1);
        self.installed.insert(self.last_id, Installed { filter: filter.map(Box::new), cursor });
        told(&U64::from(self.last_id))
    }

    pub(super) fn uninstall(&mut self, id: U64) -> bool {
        self.installed.remove(&id.to()).is_some()
    }

    /// What happened since the last reading.
    pub(super) fn changes(&mut self, id: U64, blocks: &[Block]) -> Answer<Told> {
        let installed = self.installed.get_mut(&id.to()).ok_or_else(not_found)?;
        let fresh = blocks.get(installed.cursor..).unwrap_or(&[]);
        installed.cursor = blocks.len();
        match &installed.filter {
            Some(filter) => told(&select(filter, fresh, blocks.len())),
            None => told(&fresh.iter().map(|block| block.hash).collect::<Vec<_>>()),
        }
    }

    /// Everything that a filter matches.
    pub(super) fn all(&self, id: U64, blocks: &[Block]) -> Answer<Told> {
        let installed = self.installed.get(&id.to()).ok_or_else(not_found)?;
        let filter = installed.filter.as_ref().ok_or_else(not_found)?;
        told(&select(filter, blocks, blocks.len()))
    }
}

fn not_found() -> alloy::rpc::json_rpc::ErrorPayload {
    unavailable("filter not found")
}

/// The logs of `blocks` that `filter` matches; `length` is the number of blocks of the chain.
pub(super) fn select<'a>(filter: &Filter, blocks: &'a [Block], length: usize) -> Vec<&'a Log> {
    let newest = u64::try_from(length).unwrap_or(u64::MAX).saturating_sub(1);
    blocks
        .iter()
        .filter(|block| in_range(&filter.block_option, block, newest))
        .flat_map(Block::logs)
        .filter(|log| filter.matches_address(log.address()) && filter.matches_topics(log.topics()))
        .collect()
}

fn in_range(option: &FilterBlockOption, block: &Block, newest: u64) -> bool {
    match option {
        FilterBlockOption::AtBlockHash(hash) => block.hash == *hash,
        FilterBlockOption::Range { from_block, to_block } => {
            let number = block.header.number;
            from_block.is_none_or(|from| number >= resolve(from, newest))
                && to_block.is_none_or(|to| number <= resolve(to, newest))
        }
    }
}

/// The number of a tag: nothing is ever undone, so the newest block is safe and final.
pub(super) fn resolve(tag: BlockNumberOrTag, newest: u64) -> u64 {
    match tag {
        BlockNumberOrTag::Number(number) => number,
        BlockNumberOrTag::Earliest => 0,
        BlockNumberOrTag::Latest | BlockNumberOrTag::Finalized | BlockNumberOrTag::Safe | BlockNumberOrTag::Pending => {
            newest
        }
    }
}
