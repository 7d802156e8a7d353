//! What the end of a run searches for: everything that somebody knew and nobody else may.

use super::{
    RecoveryError,
    setup::{BASE, BASE_LOT, QUOTE},
    statement::StatementFetcher,
    world::World,
};
use crate::{
    domain::stream,
    leak::{LEAST, Secret},
    maker::TableOwner,
};
use ccc_core::table::{Header, Receipts, Row, SealedTable, Sidecar, SlotReport, TableStore};
use ccc_enclave::{reserve::ReserveError, statement::Statement};
use rand::Rng;
use std::collections::BTreeSet;
use zeroize::Zeroizing;

/// Secrets of 32 bytes that are one generator's first draw: name, generator, how many.
const PUBLIC_STREAM_KEYS: [(&str, &str); 5] = [
    ("the operator's key", stream::OPERATOR),
    ("the reserve's key", stream::RESERVE),
    ("the agent's key for transactions", stream::AGENT_WALLET),
    ("a maker's key", stream::MAKER),
    ("the hardware's key", stream::HARDWARE),
];

/// One account's balances in one version: base held, base reserved in lots, quote held.
#[derive(Clone, Copy, Default)]
struct Balances {
    base: u128,
    reserved: u64,
    quote: u128,
}

impl World {
    /// The numbers of the statement, and what is missing to the recovery's aim.
    pub(super) async fn hide_books(&mut self, fetcher: &StatementFetcher, aim: u32) -> Result<(), RecoveryError> {
        let bytes = fetcher.fetch().await?;
        let statement = Statement::parse(&bytes).map_err(ReserveError::from)?;
        let [reserves, liabilities] = [statement.reserves(), statement.liabilities()].map(u128::from);
        self.hide("the custodian's reserves", reserves);
        self.hide("the custodian's liabilities", liabilities);
        self.hide("the gap between them", liabilities.abs_diff(reserves));
        self.hide("the gap to the aim", (liabilities * u128::from(aim) / 10_000).saturating_sub(reserves));
        Ok(())
    }

    /// The keys of wallets, hardware, custodian and table owners.
    pub(super) fn hide_keys(&mut self) {
        let first_draw = |mut rng: rand_chacha::ChaCha20Rng| {
            let mut key = Zeroizing::new([0; 32]);
            rng.fill_bytes(key.as_mut_slice());
            key
        };
        for (name, generator) in PUBLIC_STREAM_KEYS {
            let count = if generator == stream::MAKER { self.makers.len() as u64 } else { 1 };
            let keys = (0..count).map(|index| first_draw(self.randomness.generator(generator, index)));
            self.secrets.extend(keys.map(|key| Secret::bytes(name, &key)));
        }
        let token = first_draw(self.randomness.hidden(stream::CUSTODIAN_TOKEN, 0));
        self.secrets.push(Secret::bytes("the custodian's token", &token));
        let owners = self.makers.iter().map(|maker| &maker.owner).chain([&self.reserve_owner]);
        let reading_keys: Vec<Secret> =
            owners.map(|owner| Secret::bytes("a reading key", owner.reading_key())).collect();
        self.secrets.extend(reading_keys);
    }

    /// What the makers and the requester are told of a clearing; the requester keeps its own. A figure below what is
    /// searched in every form is the quotient of ones that are searched.
    pub(super) fn hide_reports(&mut self, receipts: &Receipts, header: &Header) {
        let owners = self.makers.iter().map(|maker| &maker.owner).chain([&self.reserve_owner]);
        let reports: Vec<_> = owners.flat_map(|owner| receipts.reports(owner.reading_key(), header)).collect();
        let hide = |name, value: i128| (name, value.unsigned_abs());
        let mut found = Vec::new();
        for (_, report) in reports {
            match report {
                SlotReport::Order(markouts) => found.extend(markouts.markouts.map(|value| hide("a markout", value))),
                SlotReport::Request(execution) if execution.request != [0; 32] => {
                    found.push(hide("the cost over the average price", execution.cost));
                    self.execution = Some(execution);
                }
                SlotReport::Request(_) => {}
            }
        }
        for (name, value) in found {
            self.figure(name, value);
            if value >= LEAST {
                self.search_for(name, value);
            }
        }
    }

    /// What each owner reads of its own rows in the last two versions: balances, fills and notionals. An amount
    /// that is some deposit's is public already and not searched; nor are a few whole lots, which other numbers are.
    pub(super) fn hide_balances(&mut self) -> Result<(), RecoveryError> {
        let Some(last) = self.table()? else { return Ok(()) };
        let former = match last.header.version() {
            1 => None,
            _ => Some(self.store.get(&last.header.previous())?),
        };
        let public: BTreeSet<u128> = self.log.seen.deposits().map(|deposit| deposit.amount).collect();
        let mut found = Vec::new();
        for maker in &self.makers {
            found.extend(history(&last, former.as_ref(), &maker.owner, &MAKER)?);
        }
        found.extend(history(&last, former.as_ref(), &self.reserve_owner, &RESERVE)?);
        let telling = |value: u128| value >= LEAST || !value.is_multiple_of(BASE_LOT.into());
        for (name, value) in found {
            // what is not searched is the owner's all the same
            self.figure(name, value);
            if telling(value) && !public.contains(&value) {
                self.search_for(name, value);
            }
        }
        Ok(())
    }
}

/// Names of one owner's secrets.
struct Names {
    base: &'static str,
    reserved: &'static str,
    quote: &'static str,
    base_moved: &'static str,
    quote_moved: &'static str,
}

const MAKER: Names = Names {
    base: "a maker's balance",
    reserved: "a maker's reservation",
    quote: "a maker's proceeds",
    base_moved: "a fill",
    quote_moved: "a fill's notional",
};
const RESERVE: Names = Names {
    base: "the reserve's row",
    reserved: "the reserve's reservation",
    quote: "the reserve's means of payment",
    base_moved: "the total fill",
    quote_moved: "the total notional",
};

fn history(
    last: &SealedTable,
    former: Option<&SealedTable>,
    owner: &TableOwner,
    names: &Names,
) -> Result<Vec<(&'static str, u128)>, RecoveryError> {
    let after = balances(last, owner)?;
    let mut found = named(after, names);
    if let Some(former) = former {
        let before = balances(former, owner)?;
        found.extend(named(before, names));
        found.push((names.base_moved, before.base.abs_diff(after.base)));
        found.push((names.quote_moved, before.quote.abs_diff(after.quote)));
    }
    found.retain(|(_, value)| *value != 0);
    Ok(found)
}

fn named(balances: Balances, names: &Names) -> Vec<(&'static str, u128)> {
    let reserved = u128::from(balances.reserved) * u128::from(BASE_LOT);
    vec![(names.base, balances.base), (names.reserved, reserved), (names.quote, balances.quote)]
}

fn balances(table: &SealedTable, owner: &TableOwner) -> Result<Balances, RecoveryError> {
    let sidecar = Sidecar::parse(&table.sidecar, &table.header).map_err(RecoveryError::Sidecar)?;
    let mut balances = Balances::default();
    for exit in sidecar.open_all(owner.reading_key()) {
        match exit.balance() {
            Ok(Row { asset, amount, reserved, .. }) if asset.0 == BASE => {
                (balances.base, balances.reserved) = (amount, reserved);
            }
            Ok(Row { asset, amount, .. }) if asset.0 == QUOTE => balances.quote = amount,
            _ => {}
        }
    }
    Ok(balances)
}
