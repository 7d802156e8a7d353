//! The plan of a deployment, as a file.

use super::{NetworkError, known};
use crate::{error::Error, files};
use alloy::primitives::{Address, B256};
use ccc_chain::{
    custody::{CommitteePlan, CustodyPlan, Part, Roles, TokenPart},
    deploy::{FeedPlan, PoolTimes, Signers},
};
use serde::Deserialize;
use std::path::Path;

/// The plan of a local chain: its people are the accounts whose keys everybody knows.
pub(crate) const LOCAL: &str = include_str!("local-plan.toml");

const MAX_FILE: u64 = 1 << 18;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanFile {
    roles: Roles,
    committee: CommitteePlan,
    signers: SignersFile,
    workflow: WorkflowFile,
    reserve: Address,
    agent_key: B256,
    table_id: B256,
    #[serde(default)]
    times: TimesFile,
    feed: FeedFile,
    token: Vec<TokenFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignersFile {
    don_id: u32,
    config_version: u32,
    f: u8,
    addresses: Vec<Address>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkflowFile {
    id: B256,
    owner: Address,
}

/// Seconds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TimesFile {
    max_age: u64,
    max_lifetime: u64,
    fill_window: u64,
    max_delay: u64,
    exit_delay: u64,
}

impl Default for TimesFile {
    fn default() -> Self {
        Self { max_age: 3_600, max_lifetime: 2_592_000, fill_window: 600, max_delay: 86_400, exit_delay: 604_800 }
    }
}

/// An address, or what to simulate.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FeedFile {
    address: Option<Address>,
    simulated: Option<FeedPlan>,
}

/// An address, or a test token.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenFile {
    lot: u64,
    address: Option<Address>,
    simulated: Option<TestTokenFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TestTokenFile {
    name: String,
    symbol: String,
    decimals: u8,
}

impl PlanFile {
    /// The plan of a file; of a local chain without one.
    ///
    /// # Errors
    /// [`NetworkError::PlanFile`], and the errors of reading.
    pub(crate) fn read(path: Option<&Path>) -> Result<CustodyPlan, Error> {
        let Some(path) = path else { return Ok(Self::parse(Path::new("the plan of a local chain"), LOCAL)?) };
        let bytes = files::read(path, MAX_FILE)?;
        let malformed = NetworkError::PlanFile { path: path.into(), reason: "it is not UTF-8 text".into() };
        let text = std::str::from_utf8(&bytes).map_err(|_| malformed)?;
        Ok(Self::parse(path, text)?)
    }

    /// What of a plan is of the local one and known to everybody.
    ///
    /// # Errors
    /// None: the local plan is a plan.
    pub(crate) fn known_part(plan: &CustodyPlan) -> Result<Option<&'static str>, NetworkError> {
        let local = Self::parse(Path::new("the plan of a local chain"), LOCAL)?;
        Ok(known::known_part(plan, &local))
    }

    fn parse(path: &Path, text: &str) -> Result<CustodyPlan, NetworkError> {
        let malformed = |reason: String| NetworkError::PlanFile { path: path.into(), reason };
        let file: Self = toml::from_str(text).map_err(|error| malformed(error.message().to_owned()))?;
        file.plan().map_err(malformed)
    }

    fn plan(self) -> Result<CustodyPlan, String> {
        let TimesFile { max_age, max_lifetime, fill_window, max_delay, exit_delay } = self.times;
        let SignersFile { don_id, config_version, f, addresses } = self.signers;
        Ok(CustodyPlan {
            roles: self.roles,
            committee: self.committee,
            signers: Signers { don_id, config_version, f, addresses },
            workflow_id: self.workflow.id,
            workflow_owner: self.workflow.owner,
            agent_key: self.agent_key,
            max_age,
            max_lifetime,
            reserve: self.reserve,
            table_id: self.table_id,
            feed: part("feed", self.feed.address, self.feed.simulated)?,
            tokens: self.token.into_iter().map(TokenFile::part).collect::<Result<_, _>>()?,
            times: PoolTimes { fill_window, max_delay, exit_delay },
        })
    }
}

impl TokenFile {
    fn part(self) -> Result<TokenPart, String> {
        let simulated = self.simulated.map(|token| (token.name, token.symbol, token.decimals));
        Ok(TokenPart { contract: part("token", self.address, simulated)?, lot: self.lot })
    }
}

fn part<T>(what: &str, address: Option<Address>, simulated: Option<T>) -> Result<Part<T>, String> {
    match (address, simulated) {
        (Some(address), None) => Ok(Part::Standing(address)),
        (None, Some(simulated)) => Ok(Part::Simulated(simulated)),
        _ => Err(format!("`{what}` has either `address` or `simulated`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_plan_is_a_plan() {
        let plan = PlanFile::read(None).expect("a plan");
        assert!(plan.check(Address::ZERO).is_ok() && plan.is_simulated());
    }

    #[test]
    fn plans_are_read_strictly() {
        let reason = |text: &str| match PlanFile::parse(Path::new("p"), text) {
            Err(NetworkError::PlanFile { reason, .. }) => reason,
            other => panic!("expected a refusal, found {}", other.is_ok()),
        };
        assert!(reason("").contains("missing field"));
        assert!(reason(&LOCAL.replace("reserve =", "reserv =")).contains("unknown field `reserv`"));
        assert!(reason(&LOCAL.replace("delay = ", "delay = -")).contains("invalid"));
        let both = LOCAL.replace("[feed]", "[feed]\naddress = \"0x0101010101010101010101010101010101010101\"");
        assert!(reason(&both).contains("either `address` or `simulated`"));
    }
}
