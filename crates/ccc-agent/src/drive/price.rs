//! Prices, quotes and the plan for an event.

use alloy::{
    eips::BlockId,
    primitives::{Address, U256},
};
use ccc_chain::{
    read,
    swap::{Market, Pair, Quote, SwapError, Token, Twap, Venue},
};
use ccc_enclave::agent::Notice;
use ccc_node::agent::AgentRefusal;

use super::{Driver, Refusal};
use crate::{
    evidence::EvidenceError,
    machine::Facts,
    plan::{Action, Event, Item},
    policy::{DOLLAR, Policy, QUOTE_DECIMALS},
    route::{self, Choice, Dollars, Point, Price, Terms, impact, worth},
};

/// Rounds of the feed that are read.
const FEED_ROUNDS: u64 = 1;
/// Quotes that are asked for until one gives all of the deficit.
const MOST_TRIES: u32 = 6;
/// Parts of a million in the whole: spreads are in 1/100 basis point.
const PARTS: u128 = 1_000_000;
/// The slippage is in 1/10,000.
const PARTS_OF_SLIPPAGE: u64 = 10_000;
const LATEST: BlockId = BlockId::latest();

/// A plan: actions, expiry, words.
pub(super) type Plan = (Vec<Item>, u64, Vec<String>);

impl Driver<'_> {
    /// Opens the envelope and chooses.
    pub(super) async fn plan(&self, event: &Event, facts: &Facts) -> Result<Plan, Refusal> {
        let notice = self.means.evidence.notice(event, facts.now)?;
        let deployment = self.means.deployment;
        let shown = read::attestation(self.means.chain, deployment.attestation, LATEST).await?;
        if shown.stale {
            let expected = format!("at most {} s old", deployment.max_age);
            return Err(value("the reserve check", expected, format!("of time {}", shown.block_time)));
        }
        if notice.expiry < facts.now {
            let expired = AgentRefusal::Expired { expiry: notice.expiry, now: facts.now };
            return Err(EvidenceError::Envelope(expired).into());
        }
        if event.status == Event::SOLVENT {
            return self.lot(event, &notice, facts).await;
        }
        let fair = self.feed_price(facts.now).await?;
        let later = self.means.policy.buffer.map_or(0, |_| notice.buffer);
        let needed = notice.deficit.saturating_sub(later);
        let wanted = with_margin(needed, self.means.policy.route.slippage).min(notice.deficit);
        let later = notice.deficit - wanted;
        let mut words = vec![format!("event {}: the envelope says {} units", event.sequence, notice.deficit)];
        words.extend((later > 0).then(|| format!("{later} of them are for the buffer, and come in lots")));
        let mut items = Vec::new();
        let held = self.held(self.means.policy.contracts.base).await?;
        let sent = held.min(wanted);
        let rest = wanted - sent;
        if rest > 0 {
            let (choice, lines) = self.choose(rest, fair).await?;
            words.extend(lines);
            items.extend(self.items(&choice, &fair)?);
        }
        // last: anybody may give the agent a few coins, and what comes after them would wait until they are deep
        if sent > 0 {
            words.push(format!("send {sent} units that the agent holds to the reserve"));
            items.push(Item { action: Action::Send { coins: sent }, value: narrow(worth(sent, &fair))? });
        }
        match items.is_empty() {
            true => Err(value("the deficit", "more than nothing".into(), "0".into())),
            false => Ok((items, notice.expiry, words)),
        }
    }

    /// The next lot of the buffer, or nothing where the aim is reached.
    async fn lot(&self, event: &Event, notice: &Notice, facts: &Facts) -> Result<Plan, Refusal> {
        let unit = self.means.deployment.tokens.first().map_or(1, |token| token.plan.lot.max(1));
        let coins = self.means.policy.buffer.map_or(0, |buffer| buffer.lot.min(notice.buffer)) / unit * unit;
        let missing = format!("event {}: the reserve is solvent, {} units to its aim", event.sequence, notice.buffer);
        if coins == 0 {
            return Ok((Vec::new(), notice.expiry, vec![missing]));
        }
        let fair = self.feed_price(facts.now).await?;
        let words = vec![missing, format!("a lot for the buffer: ask the dark pool for {coins} units")];
        Ok((vec![self.dark(coins, &fair)?], notice.expiry, words))
    }

    /// A request, worth what it costs at the dearest spread.
    fn dark(&self, coins: u64, fair: &Price) -> Result<Item, Refusal> {
        let worth = worth(coins, fair);
        let [first, last] = self.means.policy.dark.spread;
        let dearest = worth.saturating_add(worth.saturating_mul(first.max(last).into()).div_ceil(PARTS));
        Ok(Item { action: Action::Request { coins }, value: narrow(dearest)? })
    }

    fn items(&self, choice: &Choice, fair: &Price) -> Result<Vec<Item>, Refusal> {
        let swap =
            choice.direct.map(|Point { paid, got }| Item { action: Action::Swap { paid, quoted: got }, value: paid });
        let mut items: Vec<Item> = swap.into_iter().collect();
        if choice.dark > 0 {
            items.push(self.dark(choice.dark, fair)?);
        }
        Ok(items)
    }

    /// Without an exchange, or with one whose prices cannot be relied on, nothing is swapped in public.
    async fn choose(&self, deficit: u64, feed: Price) -> Result<(Choice, Vec<String>), Refusal> {
        let policy = self.means.policy;
        let lot = self.means.deployment.tokens.first().map_or(1, |token| token.plan.lot);
        let mut terms = terms(policy, feed, lot);
        let Some(market) = self.market().await? else {
            let choice = route::choose(&[], deficit, &terms);
            return Ok((choice, choice.words(deficit, &terms)));
        };
        let average = market.twap(policy.route.window).await?;
        self.check_average(&average)?;
        terms.fair = average_price(&average)?;
        let apart = impact(&terms.fair, &feed).max(impact(&feed, &terms.fair));
        if apart > policy.route.apart.into() {
            let expected = format!("at most {} bp from the feed's", policy.route.apart);
            return Err(value("the average price", expected, format!("{apart} bp from it")));
        }
        let paid = self.held(policy.contracts.quote).await?;
        let curve = self.curve(&market, deficit, &terms.fair).await?;
        let affordable: Vec<Point> = curve.iter().copied().filter(|point| point.paid <= paid).collect();
        let choice = route::choose(&affordable, deficit, &terms);
        let mut words = choice.words(deficit, &terms);
        words.push(format!("the agent holds {}; quotes:{}", Dollars(paid.into()), shown(&curve, &terms.fair)));
        Ok((choice, words))
    }

    fn check_average(&self, average: &Twap) -> Result<(), Refusal> {
        let most = self.means.policy.route.stale;
        if average.newest_age > most {
            return Err(SwapError::Stale { found: average.newest_age, most }.into());
        }
        Ok(())
    }

    /// Quotes of equal parts up to the one that gives all of the deficit.
    async fn curve(&self, market: &Market<'_>, deficit: u64, fair: &Price) -> Result<Vec<Point>, Refusal> {
        let mut points = Vec::new();
        let mut paid = worth(deficit, fair).max(1);
        for _ in 0..MOST_TRIES {
            let Some(point) = quoted(market, paid).await? else { break };
            points.push(point);
            if point.got >= deficit {
                break;
            }
            // as much more as is missing, and a little over
            let next = paid.saturating_mul(deficit.into()) / u128::from(point.got.max(1));
            paid = next.saturating_add(next / 5_000).max(paid + 1);
        }
        let whole = points.last().map_or(0, |point| point.paid);
        let parts = self.means.policy.route.points;
        for part in 1..parts {
            let paid = u128::from(whole) * u128::from(part) / u128::from(parts);
            if paid > 0 {
                points.extend(quoted(market, paid).await?);
            }
        }
        points.sort_unstable_by_key(|point| point.paid);
        Ok(points)
    }

    /// The market, where the policy names one.
    pub(super) async fn market(&self) -> Result<Option<Market<'_>>, Refusal> {
        let contracts = &self.means.policy.contracts;
        let Some(named) = contracts.exchange else { return Ok(None) };
        let (router, quoter) = (named.router, named.quoter);
        let venue = Venue { chain_id: self.means.policy.chain_id, router, quoter, pool: named.pool };
        let sell = Token { address: contracts.quote, decimals: QUOTE_DECIMALS };
        let buy = Token { address: contracts.base, decimals: contracts.base_decimals };
        let market = Market::open(self.means.chain, venue, Pair { sell, buy }, contracts.reserve, self.means.parts);
        Ok(Some(market.await?))
    }

    /// What the agent has of a token.
    pub(super) async fn held(&self, token: Address) -> Result<u64, Refusal> {
        let found = read::token_balance(self.means.chain, token, self.means.signer.address(), LATEST).await?;
        Ok(u64::try_from(found).unwrap_or(u64::MAX))
    }

    /// The feed's newest answer, fresh and in the deployment's decimals.
    async fn feed_price(&self, now: u64) -> Result<Price, Refusal> {
        let (chain, deployment) = (self.means.chain, self.means.deployment);
        let decimals = read::price_decimals(chain, deployment.feed, LATEST).await?;
        if decimals != deployment.feed_decimals {
            let expected = deployment.feed_decimals.to_string();
            return Err(value("the feed's number of decimals", expected, decimals.to_string()));
        }
        let rounds = read::price_observations(chain, deployment.feed, FEED_ROUNDS, LATEST).await?;
        let newest = rounds.last().ok_or_else(|| value("the feed", "an answer".into(), "none".into()))?;
        let most = self.means.policy.route.stale;
        let age = now.saturating_sub(newest.updated_at);
        if age > most {
            return Err(value("the age of the feed's answer", format!("at most {most} s"), format!("{age} s")));
        }
        price_of(newest.answer, decimals, self.means.policy.contracts.base_decimals)
    }
}

/// So much that what is needed still comes where the price moves by the slippage before the swap is signed, and again after.
fn with_margin(needed: u64, slippage: u16) -> u64 {
    let left = PARTS_OF_SLIPPAGE - u64::from(slippage).min(PARTS_OF_SLIPPAGE - 1);
    let more = |coins: u128| (coins * u128::from(PARTS_OF_SLIPPAGE)).div_ceil(left.into());
    u64::try_from(more(more(needed.into()))).unwrap_or(u64::MAX)
}

fn terms(policy: &Policy, fair: Price, lot: u64) -> Terms {
    let route = &policy.route;
    Terms {
        fair,
        ceiling: route.ceiling.saturating_mul(DOLLAR),
        impact: route.impact,
        dark_cost: route.dark_cost,
        gain: route.split.then_some(route.gain),
        lot,
    }
}

/// Dollars for a coin become millionths for smallest units.
fn price_of(answer: i128, decimals: u8, base_decimals: u8) -> Result<Price, Refusal> {
    let wrong = || value("the feed's answer", "a price".into(), answer.to_string());
    let scale = |places: u8| 10u128.checked_pow(places.into()).ok_or_else(wrong);
    let dollars = u128::try_from(answer).map_err(|_| wrong())?;
    let paid = dollars.checked_mul(DOLLAR.into()).ok_or_else(wrong)? / scale(decimals)?;
    let price = Point { paid: u64::try_from(paid).map_err(|_| wrong())?, got: narrow(scale(base_decimals)?)? };
    if price.paid == 0 { Err(wrong()) } else { Ok(price) }
}

/// What a million dollars give at the average.
fn average_price(average: &Twap) -> Result<Price, Refusal> {
    let paid = 1_000_000 * DOLLAR;
    let got = average.value(U256::from(paid)).and_then(|got| u64::try_from(got).ok()).filter(|got| *got > 0);
    let got =
        got.ok_or_else(|| value("the average price", "one that can be counted with".into(), average.tick.to_string()))?;
    Ok(Point { paid, got })
}

/// None where the exchange cannot take so much: then there is no such point.
async fn quoted(market: &Market<'_>, paid: u128) -> Result<Option<Point>, Refusal> {
    let Ok(paid) = u64::try_from(paid) else { return Ok(None) };
    match market.quote(U256::from(paid)).await {
        Ok(Quote { amount_out, .. }) => {
            let got = u64::try_from(amount_out).ok().filter(|got| *got > 0);
            Ok(got.map(|got| Point { paid, got }))
        }
        Err(SwapError::Chain(ccc_chain::ChainError::Refused(_))) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn shown(curve: &[Point], fair: &Price) -> String {
    let points = curve
        .iter()
        .map(|point| format!(" {} give {} ({} bp)", Dollars(point.paid.into()), point.got, impact(point, fair)));
    points.collect::<Vec<_>>().join(",")
}

fn narrow(amount: u128) -> Result<u64, Refusal> {
    u64::try_from(amount).map_err(|_| value("an amount", format!("at most {}", u64::MAX), amount.to_string()))
}

pub(super) fn value(what: &'static str, expected: String, found: String) -> Refusal {
    Refusal::Value { what, expected, found }
}
