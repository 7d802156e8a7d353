//! An agent of a crate above this one, in the place of the stand-in: what it is founded on, what it is shown, and what it did.
//!
//! This side does what is everybody else's part: it pays the agent's gas, lets it ask for the reserve, delivers the report
//! and the envelope, closes the rounds of its requests, and counts what reached the reserve's address.

use super::{
    Later, RecoveryError,
    check::Checked,
    setup::{self, BASE, QUOTE},
    statement::StatementFetcher,
    world::World,
};
use crate::{
    agent::Limits,
    domain::stream,
    leak::Secret,
    scenario::{Lots, Market, Scenario},
    seed::Generator,
    timeline::Timeline,
};
use alloy::{
    eips::BlockId,
    primitives::{Address, B256, U256},
};
use ccc_chain::{
    Actions, Chain, ChainError, Deployment, Wallet, read,
    submission::{self},
    watch::Event,
};
use ccc_core::{keys::MasterPublicKey, report::Verdict};
use ccc_enclave::{
    agent::{AgentKey, envelope_digest},
    intake::{CollateralRequest, Submission},
};
use serde::Serialize;

/// Millionths of a dollar in a dollar.
const DOLLAR: u64 = 1_000_000;

/// What an agent is founded on.
///
/// *Security*: the keys are its own, and nobody else of the run acts with them. The run reads the envelopes too, for what its search looks for.
pub struct Founding<'a> {
    /// The chain.
    pub chain: &'a Chain,
    /// The contracts. The reserve has approved the wallet's address as an operator for requests.
    pub deployment: &'a Deployment,
    /// What orders are encrypted to.
    pub master_key: MasterPublicKey,
    /// What opens the envelopes.
    pub envelope_key: AgentKey,
    /// Who sends; it has gas, and dollars where there is a market.
    pub wallet: Wallet,
    /// What an order may promise.
    pub limits: Limits,
    /// The most dollars that an action may move.
    pub most: u64,
    /// Seconds between the feed's price and a request's round, and those in which it may be settled.
    pub times: [u64; 2],
    /// The market to be placed, and the price of a bitcoin there in millionths of a dollar.
    pub market: Option<(Market, u64)>,
    /// How the rest of the aim comes.
    pub buffer: Option<Lots>,
    /// Where its randomness comes from.
    pub rng: Generator,
}

/// A reserve check as the agent sees it beside the chain.
pub struct Evidence<'a> {
    /// The report with the quorum's signatures.
    pub report: &'a [u8],
    /// The envelope that it names.
    pub envelope: &'a [u8],
}

/// Which way a hole was filled, as anybody can see it on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Route {
    /// A public swap.
    Direct,
    /// A request to the dark pool.
    Dark,
    /// Both.
    Split,
}

impl Route {
    /// None where neither happened.
    #[must_use]
    pub const fn of(direct: bool, dark: bool) -> Option<Self> {
        match (direct, dark) {
            (true, true) => Some(Self::Split),
            (true, false) => Some(Self::Direct),
            (false, true) => Some(Self::Dark),
            (false, false) => None,
        }
    }
}

/// What an agent did for a reserve check.
///
/// *Security*: the sizes are the agent's secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refilled {
    /// Whether it swapped in public.
    pub swapped: bool,
    /// Its requests at the pool, in order.
    pub requests: Vec<B256>,
    /// The sizes of all that it signed, landed or not, in base units.
    pub sizes: Vec<u64>,
    /// The seeds of all orders that it sealed.
    pub seeds: Vec<[u8; 32]>,
}

/// An agent that refills the reserve of a run.
pub trait Refill {
    /// Takes its keys, and places the market where there is one. Gives the market's contracts, whose calls are public too.
    fn found<'a>(&'a mut self, founding: Founding<'a>) -> Later<'a, Vec<Address>>;
    /// Acts on what the chain shows, until nothing more can be done now.
    fn answer<'a>(&'a mut self, evidence: Evidence<'a>) -> Later<'a, Refilled>;
    /// Sees how its requests ended.
    fn look(&mut self) -> Later<'_, ()>;
}

/// An agent's failure, under the recovery's.
impl RecoveryError {
    /// What an agent could not do.
    pub fn refill(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Refill(Box::new(error))
    }
}

impl World {
    /// Gives an agent what it needs, and keeps it.
    pub(super) async fn hire(
        &mut self,
        mut agent: Box<dyn Refill>,
        scenario: &Scenario,
        timeline: &mut Timeline<'_>,
    ) -> Result<(), RecoveryError> {
        let wallet = timeline.chain(setup::wallet(&self.chain, &self.randomness, stream::AGENT_WALLET, 0)).await?;
        timeline.chain(self.equip(&wallet, scenario.market)).await?;
        let founding = Founding {
            chain: &self.chain,
            deployment: &self.deployment,
            master_key: *self.committee.master_public_key(),
            envelope_key: AgentKey::generate(&mut self.randomness.generator(stream::AGENT, 0)),
            wallet,
            limits: setup::limits(scenario),
            most: scenario.reserve.deposit_dollars,
            times: [super::check::ORDER_DELAY, setup::FILL_WINDOW],
            market: scenario.market.map(|market| (market, super::submissions::PRICE.unsigned_abs())),
            buffer: scenario.buffer,
            rng: self.randomness.hidden(stream::ORDER, 1),
        };
        self.market = timeline.chain(agent.found(founding)).await?;
        self.refill = Some(agent);
        Ok(())
    }

    async fn equip(&self, wallet: &Wallet, market: Option<Market>) -> Result<(), ChainError> {
        let actions = Actions::new(&self.chain, &self.deployment);
        actions.approve_operator(&self.reserve, wallet.address(), true).await?;
        if let Some(market) = market {
            let dollars = U256::from(market.agent_dollars) * U256::from(DOLLAR);
            actions.mint(&self.operator, QUOTE, wallet.address(), dollars).await?;
        }
        Ok(())
    }

    /// Shows the agent a check, closes the rounds of what it asks for, and has the custodian count what came in. Gives whether
    /// it asked for something.
    pub(super) async fn be_refilled(
        &mut self,
        mut agent: Box<dyn Refill>,
        checked: &Checked,
        fetcher: &StatementFetcher,
        timeline: &mut Timeline<'_>,
    ) -> Result<bool, RecoveryError> {
        timeline.step("price observations");
        self.push_prices(timeline).await?;
        timeline.step("the agent decides, signs and sends");
        let before = self.reserve_coins().await?;
        let evidence = Evidence { report: &checked.report, envelope: &checked.envelope };
        let refilled = agent.answer(evidence).await?;
        self.remember(&refilled);
        self.hide_answer(checked, &refilled)?;
        for id in &refilled.requests {
            let request = timeline.chain(self.requested(*id)).await?;
            self.keep_order(request.submission.ciphertext.clone());
            self.settle(request, timeline).await?;
        }
        agent.look().await?;
        self.refill = Some(agent);
        let came = self.reserve_coins().await?.saturating_sub(before);
        if came > 0 {
            let now = self.chain.finalised_block().await?.time;
            let reserves = fetcher.credit(came, now)?;
            self.hide("the custodian's reserves, again", u128::from(reserves));
        }
        Ok(!refilled.requests.is_empty())
    }

    /// Shows the agent a last check that found the reserve insolvent still. What it may ask for again is its policy's matter, and
    /// would be the next round's.
    pub(super) async fn show_again(
        &mut self,
        mut agent: Box<dyn Refill>,
        checked: &Checked,
        timeline: &mut Timeline<'_>,
    ) -> Result<(), RecoveryError> {
        timeline.step("the agent sees the last check");
        let refilled = agent.answer(Evidence { report: &checked.report, envelope: &checked.envelope }).await?;
        self.remember(&refilled);
        self.hide_answer(checked, &refilled)
    }

    /// A lot at a time, with a check before each, until the agent asks for no more; then the last check.
    pub(super) async fn fill_buffer(
        &mut self,
        lots: Lots,
        mut last: Checked,
        fetcher: &StatementFetcher,
        timeline: &mut Timeline<'_>,
    ) -> Result<Checked, RecoveryError> {
        for _ in 0..lots.most {
            if last.verdict != Verdict::Solvent {
                break;
            }
            let Some(agent) = self.refill.take() else { break };
            timeline.step("a lot's time comes");
            let next = self.chain.finalised_block().await?.time.saturating_add(lots.every_seconds);
            timeline.chain(self.chain.advance_time(next)).await?;
            fetcher.credit(0, next)?;
            timeline.step("reserve check, before a lot");
            last = self.check_reserve(fetcher, timeline).await?;
            if !self.be_refilled(agent, &last, fetcher, timeline).await? {
                break;
            }
            timeline.step("reserve check, after a lot");
            last = self.check_reserve(fetcher, timeline).await?;
        }
        Ok(last)
    }

    /// What the envelope says, and what the agent sealed. A swap tells by itself what is missing to be solvent, within the margin
    /// that it leaves.
    fn hide_answer(&mut self, checked: &Checked, refilled: &Refilled) -> Result<(), RecoveryError> {
        let reported = (envelope_digest(&checked.envelope), checked.verdict);
        let notice = self.agent.read(&self.config, &checked.envelope, reported, 0)?;
        self.hide("the agent's deficit", u128::from(notice.deficit));
        self.hide("the agent's buffer", u128::from(notice.buffer));
        if !refilled.swapped && checked.verdict == Verdict::Insolvent {
            self.hide("what is missing to be solvent", u128::from(notice.deficit.saturating_sub(notice.buffer)));
        }
        refilled.sizes.iter().for_each(|size| self.hide("the order's size", u128::from(*size)));
        self.secrets.extend(refilled.seeds.iter().map(|seed| Secret::bytes("the order's seed", seed)));
        Ok(())
    }

    /// The first order under its plain name, those of lots with their number.
    fn keep_order(&mut self, ciphertext: Vec<u8>) {
        let kept = self.artifacts.iter().filter(|artifact| artifact.name.starts_with("order")).count();
        let name = if kept == 0 { "order.ciphertext".to_owned() } else { format!("order-{}.ciphertext", kept + 1) };
        self.keep(name, ciphertext);
    }

    fn remember(&mut self, refilled: &Refilled) {
        let (direct, dark) = match self.route {
            Some(Route::Split) => (true, true),
            Some(Route::Direct) => (true, false),
            Some(Route::Dark) => (false, true),
            None => (false, false),
        };
        self.route = Route::of(direct || refilled.swapped, dark || !refilled.requests.is_empty());
    }

    /// What the reserve's address holds outside of the pool.
    async fn reserve_coins(&self) -> Result<u64, RecoveryError> {
        let token = Address::from(self.config.asset(BASE)?.token);
        let held = read::token_balance(&self.chain, token, self.deployment.reserve, BlockId::latest()).await?;
        u64::try_from(held).map_err(|_| RecoveryError::Range { what: "the reserve's balance" })
    }

    /// A request as the chain has it.
    async fn requested(&self, id: B256) -> Result<CollateralRequest, RecoveryError> {
        let found = submission::find(&self.chain, &self.deployment, id).await?;
        let Some(Event::CollateralRequested { requester, deadline, ciphertext, .. }) = found.map(|found| found.event)
        else {
            return Err(RecoveryError::NotShown { what: "the agent's request" });
        };
        let submission = Submission { id: id.0, who: requester.0.0, ciphertext: ciphertext.to_vec() };
        Ok(CollateralRequest { deadline, submission })
    }
}
