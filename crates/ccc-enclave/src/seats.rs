//! Who sits in the order slots of a round, and which rows that takes out of the table.

use crate::{
    attempt::OpenedAttempt,
    cancellation::Cancelled,
    config::EnclaveConfig,
    instruction::StandingOrderTerms,
    intake::RoundPlan,
    planned::{Planned, operations},
    receipts::Slot,
    submission,
};
use ccc_core::table::{
    AccountId, AssetId, AssetRule, ChunkSource, FoundRows, Progress, RoundRows, Row, SealedBody, StreamError,
    StructuralError, Wanted, delta_capacity,
};

/// The live submissions that have a slot, in the plan's order.
pub(crate) struct Seats {
    /// The terms of a standing order that its account signed.
    pub(crate) terms: Vec<Option<StandingOrderTerms>>,
    /// An order that its account took back.
    pub(crate) cancelled: Vec<Option<Cancelled>>,
    pub(crate) digests: Vec<Option<[u8; 32]>>,
}

impl OpenedAttempt<'_> {
    pub(crate) fn seats(&self, plan: &RoundPlan) -> Seats {
        let slots = self.session.config.order_slots as usize;
        let taken = || plan.positions.live_orders.iter().copied().flatten().take(slots);
        let live = |index| {
            let (label, plain) = self.submission(plan, index)?;
            Some(submission::live(self.session.config, label, plain))
        };
        let live = taken().map(|index| live(index).unwrap_or_default());
        let (terms, cancelled) = live.map(|live| (live.terms, live.cancelled)).unzip();
        Seats { terms, cancelled, digests: taken().map(|index| plan.digests.get(index).copied()).collect() }
    }
}

impl Seats {
    /// The public number of delta slots: two for each order slot and two for the reserve.
    pub(crate) fn capacity(&self, config: &EnclaveConfig) -> Result<usize, StructuralError> {
        delta_capacity(config.slots.into(), config.order_slots as usize)
    }

    /// The first pass over the table, for everything that the round needs: the rows of its operations, those of every
    /// seat and of the reserve in base and quote asset, and the reading keys for the receipts.
    pub(crate) fn find<'a, S: ChunkSource>(
        &self,
        config: &EnclaveConfig,
        planned: &[Planned],
        assets: &[AssetRule],
        table: SealedBody<'a, S>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<FoundRows<'a, S>, StreamError> {
        let (boundary, owners) = (operations(planned), self.owners(config, planned));
        let rows: Vec<_> = [config.base, config.quote].into_iter().flat_map(|asset| in_asset(&owners, asset)).collect();
        let k = self.capacity(config)?;
        table.find(&Wanted { boundary: &boundary, rows: &rows, owners: &owners, k, assets }, progress)
    }

    /// The account of each seat and of each new submission's signer, nobody in an empty one, up to the public number,
    /// then the reserve.
    fn owners(&self, config: &EnclaveConfig, planned: &[Planned]) -> Vec<AccountId> {
        let new = planned.iter().filter_map(|planned| planned.submitted);
        let signers = new.map(|new| AccountId(new.signer.unwrap_or_default()));
        let mut owners: Vec<_> = self.accounts().chain(signers).collect();
        owners.resize(config.order_slots as usize, AccountId::NOBODY);
        owners.push(AccountId(config.reserve));
        owners
    }

    fn accounts(&self) -> impl Iterator<Item = AccountId> {
        self.terms.iter().map(|terms| AccountId(terms.as_ref().map_or([0; 20], |terms| terms.account)))
    }

    /// The rows of each seat's account in the base and in the quote asset.
    pub(crate) fn rows_in(&self, config: &EnclaveConfig, found: &RoundRows) -> Vec<(Option<Row>, Option<Row>)> {
        let accounts: Vec<_> = self.accounts().collect();
        let wanted = in_asset(&accounts, config.base).chain(in_asset(&accounts, config.quote));
        let mut base = found.find_many(&wanted.collect::<Vec<_>>());
        let quote = base.split_off(accounts.len());
        base.into_iter().zip(quote).collect()
    }

    /// Who gets a receipt: the seats, then the round's new submissions, which have the slots behind them.
    pub(crate) fn receivers(&self, planned: &[Planned]) -> Vec<Slot> {
        let seat = |(terms, digest): (&Option<StandingOrderTerms>, &Option<[u8; 32]>)| {
            Slot::taken(terms.as_ref().map(|terms| terms.account), digest.unwrap_or_default())
        };
        let new = planned.iter().enumerate().filter_map(|(at, planned)| Some(Slot::submitted(planned.submitted?, at)));
        self.terms.iter().zip(&self.digests).map(seat).chain(new).collect()
    }
}

fn in_asset(accounts: &[AccountId], asset: u32) -> impl Iterator<Item = (AccountId, AssetId)> {
    accounts.iter().map(move |account| (*account, AssetId(asset)))
}
