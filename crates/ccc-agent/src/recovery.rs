//! The agent in a recovery: the same driver, guard and journal as elsewhere, on a market that is placed for it.
//!
//! A recovery runs on a chain for trying things out. Its policy follows from the run's contracts and sizes, and is as strict
//! as a file's: the caps are what the reserve has to pay with, and everything goes to the reserve.

use std::{
    fs,
    path::{Path, PathBuf},
};

use alloy::primitives::{Address, U256};
use ccc_chain::{
    Chain, ChainError, Deployment, Wallet,
    swap::{
        Pair, Parts, SwapError, Token, Venue,
        place::{self, Depth, Published},
    },
};
use ccc_core::keys::MasterPublicKey;
use ccc_node::{
    agent::Agent,
    recovery::{Evidence as Shown, Founding, Later, RecoveryError, Refill, Refilled},
    scenario::Market as Terms,
    seed::Generator,
};

use crate::{
    drive::{Book, Clock, DriveError, Driver, Means, Turn},
    evidence::Evidence,
    guard::Guard,
    journal::{Journal, JournalError},
    machine::Waiting,
    plan::{Action, Call},
    policy::{Buffer, Contracts, DOLLAR, Dark, Limits, Market, Policy, Route},
    signer::KeySigner,
    state::{End, Sent, State},
};

/// Seconds of the average price, and what a placed pool needs of its past.
const WINDOW: u32 = 600;
/// Observations that a placed pool keeps.
const KEPT: u16 = 8;
/// The most dollars for a bitcoin.
const DEAREST: u64 = 150_000;
/// The most gwei for a unit of gas.
const GAS_PRICE: u64 = 500;
/// Turns after which an agent that still finds something to do is at fault.
const MOST_TURNS: usize = 100;
/// Smallest units of a bitcoin.
const COIN: u64 = 100_000_000;
const BASE: usize = 0;
const QUOTE: usize = 1;

/// Why the agent of a recovery cannot act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// A file of it.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The market.
    #[error("the market: {0}")]
    Market(#[from] SwapError),
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A turn.
    #[error(transparent)]
    Drive(#[from] DriveError),
    /// It waits for what does not come in a recovery.
    #[error("it waits: {0}")]
    Waits(Waiting),
    /// It does not come to rest.
    #[error("it finds more to do after {MOST_TURNS} turns")]
    Restless,
    /// Nothing to pay with, or nothing to buy.
    #[error("the deployment has no base and quote asset")]
    Assets,
    /// Nobody founded it.
    #[error("it was not founded")]
    Unfounded,
}

/// The agent of a recovery.
pub struct RecoveryAgent {
    folder: PathBuf,
    published: Option<Published>,
    founded: Option<(Founded, Generator)>,
}

/// What it has from its founding on.
struct Founded {
    chain: Chain,
    deployment: Deployment,
    policy: Policy,
    evidence: Evidence,
    signer: KeySigner,
    master_key: MasterPublicKey,
}

impl RecoveryAgent {
    /// One with its journal and evidence in a folder. Its market is Uniswap V3 where its code is given, and a simulated
    /// exchange otherwise.
    ///
    /// *Security*: the journal tells what was missing; the folder must be the caller's alone.
    #[must_use]
    pub const fn new(folder: PathBuf, published: Option<Published>) -> Self {
        Self { folder, published, founded: None }
    }

    async fn settle_in(&mut self, founding: Founding<'_>) -> Result<Vec<Address>, AgentError> {
        let venue = match founding.market {
            Some(market) => Some(self.place(&founding, market).await?),
            None => None,
        };
        let policy = policy(&founding, venue);
        let Founding { chain, deployment, master_key, envelope_key, wallet, limits, rng, .. } = founding;
        let folder = self.folder.join("evidence");
        fs::create_dir_all(&folder).map_err(|source| AgentError::File { path: folder.clone(), source })?;
        let evidence = Evidence::new(folder, Agent::new(envelope_key, limits), deployment.clone());
        let signer = KeySigner::new(wallet, Guard::new(policy.clone()));
        let (chain, deployment) = (chain.clone(), deployment.clone());
        self.founded = Some((Founded { chain, deployment, policy, evidence, signer, master_key }, rng));
        Ok(venue.map(|venue| vec![venue.router, venue.quoter, venue.pool]).unwrap_or_default())
    }

    /// The market, old enough to have an average price.
    async fn place(&self, founding: &Founding<'_>, (terms, price): (Terms, u64)) -> Result<Venue, AgentError> {
        let (chain, wallet): (&Chain, &Wallet) = (founding.chain, &founding.wallet);
        let (pair, depth) = (pair(founding.deployment)?, depth(terms, price));
        let venue = match &self.published {
            Some(code) => place::published(chain, wallet, code, &pair, depth).await?,
            None => place::simulated(chain, wallet, &pair, depth).await?,
        };
        place::remember(chain, wallet, &venue, KEPT).await?;
        let now = chain.finalised_block().await?.time;
        chain.advance_time(now.saturating_add(WINDOW.into()).saturating_add(1)).await?;
        Ok(venue)
    }

    async fn act(&mut self, shown: Shown<'_>) -> Result<Refilled, AgentError> {
        let (founded, rng) = self.founded.as_mut().ok_or(AgentError::Unfounded)?;
        for (name, bytes) in [("report", shown.report), ("envelope", shown.envelope)] {
            let path = self.folder.join("evidence").join(name);
            fs::write(&path, bytes).map_err(|source| AgentError::File { path, source })?;
        }
        let (waiting, refilled) = founded.rest(&self.folder, rng).await?;
        match waiting {
            // above a limit nothing is sent, and the hole stays; so it does where a check may not know of the last payment
            Waiting::Idle | Waiting::Limit(_) | Waiting::Older { .. } | Waiting::Statement { .. } => Ok(refilled),
            waiting => Err(AgentError::Waits(waiting)),
        }
    }

    async fn see(&mut self) -> Result<(), AgentError> {
        let (founded, rng) = self.founded.as_mut().ok_or(AgentError::Unfounded)?;
        founded.rest(&self.folder, rng).await.map(|_| ())
    }
}

impl Founded {
    /// Turns until it waits, in a process's life of its own: the journal is opened and closed.
    async fn rest(&self, folder: &Path, rng: &mut Generator) -> Result<(Waiting, Refilled), AgentError> {
        let book = Book::Journal(Box::new(Journal::open(&folder.join("journal"))?));
        let mut driver = Driver::new(self.means(folder.join("stop")), book);
        driver.begin().await?;
        let before = driver.state().sent.len();
        for _ in 0..MOST_TURNS {
            match driver.turn(rng).await? {
                Turn::Went(_) | Turn::Would(_) | Turn::Waits(Waiting::UnderWay { .. }) => {}
                Turn::Waits(waiting) => {
                    let seeds = driver.seeds().to_vec();
                    return Ok((waiting, Refilled { seeds, ..refilled(driver.state(), before) }));
                }
            }
        }
        Err(AgentError::Restless)
    }

    fn means(&self, kill_switch: PathBuf) -> Means<'_> {
        Means {
            chain: &self.chain,
            deployment: &self.deployment,
            policy: &self.policy,
            evidence: &self.evidence,
            signer: &self.signer,
            master_key: &self.master_key,
            parts: Parts::Any,
            kill_switch,
            approvals: None,
            clock: Clock::of(&self.chain),
        }
    }
}

impl Refill for RecoveryAgent {
    fn found<'a>(&'a mut self, founding: Founding<'a>) -> Later<'a, Vec<Address>> {
        Box::pin(async move { self.settle_in(founding).await.map_err(RecoveryError::refill) })
    }

    fn answer<'a>(&'a mut self, evidence: Shown<'a>) -> Later<'a, Refilled> {
        Box::pin(async move { self.act(evidence).await.map_err(RecoveryError::refill) })
    }

    fn look(&mut self) -> Later<'_, ()> {
        Box::pin(async move { self.see().await.map_err(RecoveryError::refill) })
    }
}

fn pair(deployment: &Deployment) -> Result<Pair, AgentError> {
    let token = |asset: usize| {
        let token = deployment.tokens.get(asset)?;
        Some(Token { address: token.address, decimals: token.plan.decimals })
    };
    let (sell, buy) = token(QUOTE).zip(token(BASE)).ok_or(AgentError::Assets)?;
    Ok(Pair { sell, buy })
}

/// As many coins as the dollars buy.
fn depth(terms: Terms, price: u64) -> Depth {
    let sell = U256::from(terms.depth_dollars) * U256::from(DOLLAR);
    Depth { sell, buy: sell * U256::from(COIN) / U256::from(price.max(1)) }
}

fn policy(founding: &Founding<'_>, venue: Option<Venue>) -> Policy {
    let deployment = founding.deployment;
    let token = |asset: usize| deployment.tokens.get(asset).map(|token| token.address).unwrap_or_default();
    let exchange = venue.map(|Venue { router, quoter, pool, .. }| Market {
        // the market was placed a moment ago: nobody has to vouch for its parts
        factory: Address::ZERO,
        router,
        quoter,
        pool,
        fee: place::FEE,
    });
    let [opens_in, lifetime] = founding.times;
    Policy {
        chain_id: deployment.chain_id,
        depth: 0,
        kill_switch: "stop".into(),
        contracts: Contracts {
            attestation: deployment.attestation,
            pool: deployment.pool,
            reserve: deployment.reserve,
            quote: token(QUOTE),
            base: token(BASE),
            base_decimals: deployment.tokens.get(BASE).map_or(0, |token| token.plan.decimals),
            exchange,
        },
        route: Route { window: WINDOW, price: DEAREST, ..Route::default() },
        dark: Dark { spread: founding.limits.spread, dispersion: founding.limits.dispersion, opens_in, lifetime },
        limits: Limits {
            per_action: founding.most,
            per_day: founding.most,
            cooldown: 0,
            attempts: 1,
            requests_per_day: 1,
            gas_price: GAS_PRICE,
            max_statement_age: 24 * 3_600,
        },
        buffer: founding
            .buffer
            .map(|terms| Buffer { lot: terms.lot_bitcoin.saturating_mul(COIN), every: terms.every_seconds }),
        approval: None,
    }
}

/// What the journal says was done after so many transactions, in its order.
fn refilled(state: &State, before: usize) -> Refilled {
    let action = |sent: &Sent| {
        let items = &state.decisions.get(&sent.intent.sequence)?.items;
        items.get(usize::try_from(sent.intent.index).ok()?).map(|item| (item.action, sent.intent.request))
    };
    let new = state.sent.iter().skip(before);
    let mut refilled = Refilled::default();
    for sent in new.filter(|sent| sent.intent.call == Call::Principal) {
        let landed = sent.end == Some(End::Done);
        match action(sent) {
            Some((Action::Swap { .. }, _)) => refilled.swapped |= landed,
            Some((Action::Request { coins }, request)) => {
                refilled.sizes.push(coins);
                refilled.requests.extend(request.filter(|_| landed));
            }
            _ => {}
        }
    }
    refilled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_market_has_as_many_coins_as_its_dollars_buy() {
        let Depth { sell, buy } = depth(Terms { depth_dollars: 4_000_000_000, agent_dollars: 1 }, 97_000_000_000);
        assert_eq!(sell, U256::from(4_000_000_000_000_000_u64));
        assert_eq!(buy, U256::from(4_123_711_340_206_u64), "41,237 bitcoin");
    }
}
