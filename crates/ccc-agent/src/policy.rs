//! What the operator allows: one TOML file. `docs/spec/agent.md` has every key.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256};
use ccc_chain::{
    Deployment,
    swap::{Exchange, LEAST_WINDOW, MOST_AGE, MOST_BASIS_POINTS, MOST_DEADLINE},
};
use ccc_core::suite;
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};

use crate::domain;

/// Millionths of a dollar in a dollar.
pub const DOLLAR: u64 = 1_000_000;
/// Decimal places of the quote asset: one unit is a millionth of a dollar.
pub const QUOTE_DECIMALS: u8 = 6;
/// The greatest age of a statement that is counted with where the policy names none: a day.
const STATEMENT_AGE: u64 = 86_400;
/// The most that a limit may allow, in dollars: sums stay far below 64 bits.
const MOST_DOLLARS: u64 = 1_000_000_000_000;
/// The most points of a quote curve.
const MOST_POINTS: u8 = 32;
/// The longest name of a person who approves.
const MOST_NAME: usize = 32;
/// The fewest persons who approve together.
const LEAST_PERSONS: u16 = 2;
/// The most 1/100 basis points of a spread.
const MOST_SPREAD: u16 = 16_383;
/// Seconds in which a check after a request's end should be final and deep.
const SEEN: u64 = 3_600;

/// The file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The chain, and no other.
    pub chain_id: u64,
    /// Blocks that must stand on an event's and on a transaction's, beside the chain's own finality.
    pub depth: u64,
    /// While this file is there, nothing is sent.
    pub kill_switch: String,
    /// The contracts, and no others.
    pub contracts: Contracts,
    /// How a route is chosen.
    #[serde(default)]
    pub route: Route,
    /// Terms of a request to the dark pool.
    #[serde(default)]
    pub dark: Dark,
    /// Caps, pauses, attempts.
    pub limits: Limits,
    /// How the rest of the aim comes; without it all of it comes at once, and nothing while the reserve is solvent.
    #[serde(default)]
    pub buffer: Option<Buffer>,
    /// Who approves what is large; nobody has to where it is missing.
    #[serde(default)]
    pub approval: Option<Approval>,
}

/// Every address that a call may go to or name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contracts {
    /// `ReserveAttestation`.
    pub attestation: Address,
    /// `CREDarkPool`.
    pub pool: Address,
    /// Who gets everything.
    pub reserve: Address,
    /// The quote asset, which is paid: 6 decimals.
    pub quote: Address,
    /// The base asset, which the reserve gets.
    pub base: Address,
    /// Its decimal places.
    pub base_decimals: u8,
    /// The exchange; without it there is no direct route.
    #[serde(default)]
    pub exchange: Option<Market>,
}

/// Where swaps go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Market {
    /// Uniswap's factory.
    pub factory: Address,
    /// `SwapRouter`.
    pub router: Address,
    /// `QuoterV2`.
    pub quoter: Address,
    /// The pool of both tokens.
    pub pool: Address,
    /// Its fee in parts of a million: it names the pool of both tokens in a call.
    pub fee: u32,
}

impl Market {
    /// The exchange's contracts.
    #[must_use]
    pub const fn exchange(&self) -> Exchange {
        Exchange { factory: self.factory, router: self.router, quoter: self.quoter }
    }
}

/// How a route is chosen.
///
/// *Units*: dollars; basis points; seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Route {
    /// A public swap pays less than this.
    pub ceiling: u64,
    /// A public swap costs less than this against the average price.
    pub impact: u16,
    /// What the dark pool is expected to cost against the average price.
    pub dark_cost: u16,
    /// Whether a part may be swapped in public and the rest asked for in the dark.
    pub split: bool,
    /// A split must be cheaper than the dark pool alone by so much.
    pub gain: u16,
    /// Quotes on the curve.
    pub points: u8,
    /// How far the price may move between quote and swap.
    pub slippage: u16,
    /// Length of the average price.
    pub window: u32,
    /// Greatest age of the newest price observation.
    pub stale: u64,
    /// How far the average price and the feed's answer may lie apart.
    pub apart: u16,
    /// For how long a swap holds.
    pub deadline: u64,
    /// The most dollars for a whole coin, ever. It has no default: it is what bounds a swap whatever the process says.
    pub price: u64,
}

impl Default for Route {
    fn default() -> Self {
        Self {
            ceiling: 50_000_000,
            impact: 100,
            dark_cost: 20,
            split: true,
            gain: 5,
            points: 8,
            slippage: 50,
            window: 600,
            stale: 3_600,
            apart: 200,
            deadline: 300,
            price: 0,
        }
    }
}

/// Terms of a request.
///
/// *Units*: spread in 1/100 basis point, dispersion in basis points, seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dark {
    /// Spread admitted at the start and at the end of the sliding premium.
    pub spread: [u16; 2],
    /// Bounds of the largest share of one maker.
    pub dispersion: [u16; 2],
    /// Seconds until the round.
    pub opens_in: u64,
    /// Seconds for which the order may be opened after that.
    pub lifetime: u64,
}

impl Default for Dark {
    fn default() -> Self {
        Self { spread: [0, 100], dispersion: [10_000, 10_000], opens_in: 60, lifetime: 3_600 }
    }
}

/// The rest of the aim, once the reserve is solvent: a lot now and then, through the dark pool.
///
/// *Units*: smallest units of the base asset, seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buffer {
    /// The most of one request.
    pub lot: u64,
    /// Between two of them, whatever became of the first.
    pub every: u64,
}

/// Caps, pauses, attempts.
///
/// *Units*: dollars, seconds, gwei.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The most that one action moves.
    pub per_action: u64,
    /// The most within any 24 hours.
    pub per_day: u64,
    /// Between the actions of two events, and between two attempts.
    pub cooldown: u64,
    /// How often an action of one event is tried, and an event refused and looked at again.
    pub attempts: u32,
    /// How many requests the dark pool gets within any 24 hours: each tells something of its depth.
    pub requests_per_day: u32,
    /// The most for a unit of gas.
    pub gas_price: u64,
    /// How old a custodian's statement in a check may be, at least what the enclave's configuration allows, and for how long
    /// the custodian credits nothing: no check is acted on whose statement may be from before the last payment.
    #[serde(default = "statement_age")]
    pub max_statement_age: u64,
}

const fn statement_age() -> u64 {
    STATEMENT_AGE
}

/// Who approves what is large.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Actions that move more than this wait, in dollars.
    pub above: u64,
    /// For so many persons.
    pub persons: u16,
    /// Their Ed25519 keys by name, in hexadecimal.
    pub keys: BTreeMap<String, String>,
}

/// Why a file is no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Not TOML, or not these keys.
    #[error("{reason}")]
    Form {
        /// What the parser says.
        reason: String,
    },
    /// A value that guards nothing or cannot be.
    #[error("{key} is {found}, expected {expected}")]
    Value {
        /// Its key.
        key: &'static str,
        /// What stands there.
        found: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// Two addresses that must differ.
    #[error("{first} and {second} are both {found}")]
    Same {
        /// One key.
        first: &'static str,
        /// The other.
        second: &'static str,
        /// The address.
        found: Address,
    },
    /// Another deployment's contracts.
    #[error("{key} is {found}, the deployment has {expected}")]
    Deployment {
        /// The key.
        key: &'static str,
        /// The deployment's.
        expected: String,
        /// The policy's.
        found: String,
    },
    /// A key of a person that is none.
    #[error("the key of {name:?} is {reason}")]
    Key {
        /// The person.
        name: String,
        /// What is wrong.
        reason: &'static str,
    },
}

impl Policy {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let policy: Self = toml::from_str(text).map_err(|error| PolicyError::Form { reason: error.to_string() })?;
        policy.check()?;
        Ok(policy)
    }

    /// What names a policy in the journal: digest32 H("agent-policy"; its JSON).
    #[must_use]
    pub fn digest(&self) -> B256 {
        let text = serde_json::to_vec(self).expect("numbers, addresses and names always serialise");
        suite::digest32(domain::POLICY, &[&text]).into()
    }

    /// The approvers' keys.
    ///
    /// # Errors
    /// [`PolicyError::Key`].
    pub fn persons(&self) -> Result<BTreeMap<&str, VerifyingKey>, PolicyError> {
        let keys = self.approval.iter().flat_map(|approval| &approval.keys);
        keys.map(|(name, text)| Ok((name.as_str(), person(name, text)?))).collect()
    }

    /// Whether the contracts are those of a deployment.
    ///
    /// # Errors
    /// [`PolicyError::Deployment`].
    pub fn check_deployment(&self, deployment: &Deployment) -> Result<(), PolicyError> {
        let differs = |key, expected: String, found: String| PolicyError::Deployment { key, expected, found };
        if self.chain_id != deployment.chain_id {
            return Err(differs("chain_id", deployment.chain_id.to_string(), self.chain_id.to_string()));
        }
        let token = |at: usize| deployment.tokens.get(at).map_or(Address::ZERO, |token| token.address);
        let pairs = [
            ("contracts.attestation", deployment.attestation, self.contracts.attestation),
            ("contracts.pool", deployment.pool, self.contracts.pool),
            ("contracts.reserve", deployment.reserve, self.contracts.reserve),
            ("contracts.base", token(BASE), self.contracts.base),
            ("contracts.quote", token(QUOTE), self.contracts.quote),
        ];
        if let Some((key, expected, found)) = pairs.into_iter().find(|(_, expected, found)| expected != found) {
            return Err(differs(key, expected.to_string(), found.to_string()));
        }
        let decimals = |at: usize| deployment.tokens.get(at).map_or(0, |token| token.plan.decimals);
        let counted = [
            ("contracts.base_decimals", decimals(BASE), self.contracts.base_decimals),
            ("the quote asset's decimals", decimals(QUOTE), QUOTE_DECIMALS),
        ];
        if let Some((key, expected, found)) = counted.into_iter().find(|(_, expected, found)| expected != found) {
            return Err(differs(key, expected.to_string(), found.to_string()));
        }
        let lot = deployment.tokens.get(BASE).map_or(1, |token| token.plan.lot.max(1));
        match self.buffer.filter(|buffer| buffer.lot % lot != 0) {
            Some(buffer) => Err(differs("buffer.lot", format!("lots of {lot}"), buffer.lot.to_string())),
            None => self.check_pause(deployment.times.fill_window),
        }
    }

    /// A lot must have ended, filled or not, before the next one's time: who asks later after one of the two tells which it was.
    fn check_pause(&self, fill_window: u64) -> Result<(), PolicyError> {
        let least = self.dark.opens_in.saturating_add(fill_window).saturating_add(SEEN);
        let Some(Buffer { every, .. }) = self.buffer.filter(|buffer| buffer.every < least) else { return Ok(()) };
        let (expected, found) =
            (format!("at least {least} s, by dark.opens_in and the fill window"), every.to_string());
        Err(PolicyError::Deployment { key: "buffer.every", expected, found })
    }

    fn check(&self) -> Result<(), PolicyError> {
        self.check_contracts()?;
        self.check_route()?;
        self.check_dark()?;
        self.check_limits()?;
        self.check_buffer()?;
        self.check_approval()
    }

    fn check_contracts(&self) -> Result<(), PolicyError> {
        let Contracts { attestation, pool, reserve, quote, base, base_decimals, exchange } = self.contracts;
        let mut named = vec![
            ("contracts.attestation", attestation),
            ("contracts.pool", pool),
            ("contracts.reserve", reserve),
            ("contracts.quote", quote),
            ("contracts.base", base),
        ];
        if let Some(Market { factory, router, quoter, pool, fee }) = exchange {
            between("contracts.exchange.fee", fee.into(), 1, 999_999, "1 to 999999")?;
            named.extend([
                ("contracts.exchange.factory", factory),
                ("contracts.exchange.router", router),
                ("contracts.exchange.quoter", quoter),
                ("contracts.exchange.pool", pool),
            ]);
        }
        if let Some((key, _)) = named.iter().find(|(_, address)| address.is_zero()) {
            return Err(PolicyError::Value { key, found: "zero".into(), expected: "an address" });
        }
        check_distinct(&named)?;
        between("contracts.base_decimals", base_decimals.into(), 1, 18, "1 to 18")?;
        between("chain_id", self.chain_id, 1, u64::MAX, "the number of a chain")?;
        match self.kill_switch.trim().is_empty() || self.kill_switch.contains('\0') {
            true => Err(PolicyError::Value { key: "kill_switch", found: "nothing".into(), expected: "a file's name" }),
            false => Ok(()),
        }
    }

    fn check_route(&self) -> Result<(), PolicyError> {
        let most = u64::from(MOST_BASIS_POINTS);
        let Route { ceiling, impact, dark_cost, gain, points, slippage, window, stale, .. } = self.route;
        let Route { apart, deadline, price, .. } = self.route;
        between("route.ceiling", ceiling, 0, MOST_DOLLARS, "at most 10^12 dollars")?;
        between("route.impact", impact.into(), 1, most, "1 to 1000 basis points")?;
        between("route.dark_cost", dark_cost.into(), 0, most, "at most 1000 basis points")?;
        between("route.gain", gain.into(), 0, most, "at most 1000 basis points")?;
        between("route.points", points.into(), 1, MOST_POINTS.into(), "1 to 32")?;
        between("route.slippage", slippage.into(), 0, most, "at most 1000 basis points")?;
        between("route.window", window.into(), LEAST_WINDOW.into(), 86_400, "300 to 86400 s")?;
        between("route.stale", stale, 1, MOST_AGE, "1 to 86400 s")?;
        between("route.apart", apart.into(), 0, most, "at most 1000 basis points")?;
        between("route.deadline", deadline, 1, MOST_DEADLINE, "1 to 3600 s")?;
        between("route.price", price, 1, MOST_DOLLARS, "1 to 10^12 dollars")
    }

    fn check_dark(&self) -> Result<(), PolicyError> {
        let Dark { spread: [first, last], dispersion: [low, high], opens_in, lifetime } = self.dark;
        between("dark.spread", first.max(last).into(), 0, MOST_SPREAD.into(), "at most 16383")?;
        between("dark.dispersion", high.into(), low.max(1).into(), 10_000, "two ascending numbers up to 10000")?;
        between("dark.opens_in", opens_in, 1, 86_400, "1 to 86400 s")?;
        between("dark.lifetime", lifetime, 1, 86_400, "1 to 86400 s")
    }

    fn check_limits(&self) -> Result<(), PolicyError> {
        let Limits { per_action, per_day, cooldown, attempts, requests_per_day, gas_price, max_statement_age } =
            self.limits;
        between("limits.per_day", per_day, 1, MOST_DOLLARS, "1 to 10^12 dollars")?;
        between("limits.per_action", per_action, 1, per_day, "1 dollar to limits.per_day")?;
        between("limits.cooldown", cooldown, 0, 30 * 86_400, "at most 30 days")?;
        between("limits.attempts", attempts.into(), 1, 100, "1 to 100")?;
        between("limits.requests_per_day", requests_per_day.into(), 0, 1_000, "at most 1000")?;
        between("limits.gas_price", gas_price, 1, 100_000, "1 to 100000 gwei")?;
        between("limits.max_statement_age", max_statement_age, 1, 30 * 86_400, "1 s to 30 days")?;
        between("depth", self.depth, 0, 100_000, "at most 100000 blocks")
    }

    fn check_buffer(&self) -> Result<(), PolicyError> {
        let Some(Buffer { lot, every }) = self.buffer else { return Ok(()) };
        between("buffer.lot", lot, 1, u64::MAX / 2, "1 to 2^63 units")?;
        between("buffer.every", every, 60, 30 * 86_400, "60 s to 30 days")
    }

    fn check_approval(&self) -> Result<(), PolicyError> {
        let Some(approval) = &self.approval else { return Ok(()) };
        let persons = self.persons()?;
        let keys = persons.len() as u64;
        between("approval.persons", approval.persons.into(), LEAST_PERSONS.into(), keys, "2 to the number of keys")?;
        between("approval.above", approval.above, 0, MOST_DOLLARS, "at most 10^12 dollars")?;
        let mut seen = BTreeMap::new();
        for (name, key) in persons {
            if seen.insert(key.to_bytes(), name).is_some() {
                return Err(PolicyError::Key { name: name.to_owned(), reason: "another person's too" });
            }
        }
        Ok(())
    }
}

/// The pool's assets, as a deployment lists its tokens.
const BASE: usize = 0;
const QUOTE: usize = 1;

fn between(key: &'static str, found: u64, least: u64, most: u64, expected: &'static str) -> Result<(), PolicyError> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(PolicyError::Value { key, found: found.to_string(), expected })
}

/// A reserve that is a token, or a router that is the pool, would let one call pass for another. An exchange may be one
/// contract in several parts, as the simulated one is.
fn check_distinct(named: &[(&'static str, Address)]) -> Result<(), PolicyError> {
    let mut seen = BTreeMap::new();
    for (key, address) in named {
        let first = seen.entry(*address).or_insert(*key);
        let of_exchange = |key: &str| key.starts_with(EXCHANGE);
        if first != key && !(of_exchange(first) && of_exchange(key)) {
            return Err(PolicyError::Same { first, second: key, found: *address });
        }
    }
    Ok(())
}

/// How the keys of the exchange's parts begin.
const EXCHANGE: &str = "contracts.exchange.";

fn person(name: &str, text: &str) -> Result<VerifyingKey, PolicyError> {
    let wrong = |reason| PolicyError::Key { name: name.chars().take(MOST_NAME).collect(), reason };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > MOST_NAME || !name.chars().all(plain) {
        return Err(wrong("of a name that is not 1 to 32 letters, digits, -, _ or ."));
    }
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| wrong("not 64 hexadecimal digits"))?;
    let key = VerifyingKey::from_bytes(&bytes).map_err(|_| wrong("not an Ed25519 key"))?;
    if key.is_weak() { Err(wrong("of small order")) } else { Ok(key) }
}
