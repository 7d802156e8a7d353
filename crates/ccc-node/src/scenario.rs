//! A scenario: the sizes and the faults of one recovery, from a TOML file.
//!
//! *Units*: bitcoin amounts in whole coins unless a name says satoshi; ratios in basis points.

use ccc_core::{
    identifier::MAX_PARTICIPANTS,
    threshold::{Threshold, ThresholdError},
    vault,
};
use serde::{Deserialize, Serialize};

/// The scenarios that ship with the program, by name.
pub const BUILT_IN: [(&str, &str); 5] = [
    ("small-deficit", include_str!("../../../examples/scenarios/small-deficit.toml")),
    ("large-deficit", include_str!("../../../examples/scenarios/large-deficit.toml")),
    ("insufficient-liquidity", include_str!("../../../examples/scenarios/insufficient-liquidity.toml")),
    ("participant-lying", include_str!("../../../examples/scenarios/participant-lying.toml")),
    ("participant-silent", include_str!("../../../examples/scenarios/participant-silent.toml")),
];

/// Accounts of a table that nobody gave a size.
const DEFAULT_ACCOUNTS: u32 = 256;

/// How the vault's participants answer an enclave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// With shares that only the enclave opens and checks.
    #[default]
    Sealed,
    /// With partials that anybody can check.
    Compact,
}

impl From<Mode> for vault::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Sealed => Self::Sealed,
            Mode::Compact => Self::Compact,
        }
    }
}

/// Sizes and faults of one recovery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Name, for the report.
    pub name: String,
    /// One sentence for the reader.
    #[serde(default)]
    pub description: String,
    /// Vault participants.
    #[serde(default = "default_participants")]
    pub participants: u16,
    /// Shares that open; by default the greatest live threshold.
    #[serde(default)]
    pub threshold: Option<u16>,
    /// How participants answer the enclave; by default sealed.
    #[serde(default)]
    pub mode: Mode,
    /// Market makers.
    #[serde(default = "default_makers")]
    pub makers: u32,
    /// Accounts that the table has room for; by default 256, and more where the makers and the reserve need more.
    #[serde(default)]
    pub accounts: Option<u32>,
    /// The reserve.
    #[serde(default)]
    pub reserve: ReserveTerms,
    /// The makers' standing orders.
    #[serde(default)]
    pub liquidity: Liquidity,
    /// A public market, where the agent has one to swap at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<Market>,
    /// How an agent fills the rest of the aim, once the reserve is solvent; without it all of it comes at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffer: Option<Lots>,
    /// Who misbehaves, and how.
    #[serde(default)]
    pub faults: Faults,
}

/// Lots of a buffer, one after the other through the dark pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lots {
    /// The most of one lot, in bitcoin.
    pub lot_bitcoin: u64,
    /// Seconds between two: longer than the greatest age of a statement, a day, on which the agent rests after a swap.
    pub every_seconds: u64,
    /// After how many lots the run ends.
    pub most: u32,
}

impl Lots {
    fn validate(&self) -> Result<(), ScenarioError> {
        range("buffer.lot_bitcoin", self.lot_bitcoin, 1, 10_000_000, "1 to 10000000")?;
        range("buffer.every_seconds", self.every_seconds, 87_000, 604_800, "87000 to 604800")?;
        range("buffer.most", self.most.into(), 1, 16, "1 to 16")
    }
}

/// A public market of the asset that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Market {
    /// What its pool holds on each side, in dollars.
    pub depth_dollars: u64,
    /// What the agent holds to pay with, in dollars.
    pub agent_dollars: u64,
}

impl Market {
    fn validate(&self) -> Result<(), ScenarioError> {
        range("market.depth_dollars", self.depth_dollars, 1_000_000, 1_000_000_000_000, "1000000 to 1000000000000")?;
        range("market.agent_dollars", self.agent_dollars, 1, 1_000_000_000_000, "1 to 1000000000000")
    }
}

/// What the custodian owes and holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReserveTerms {
    /// Liabilities in bitcoin, before a secret fraction is added.
    pub liabilities_bitcoin: u64,
    /// Reserves as a share of the liabilities.
    pub covered_basis_points: u32,
    /// What the recovery aims for.
    pub recover_to_basis_points: u32,
    /// What the reserve deposits to pay with, in dollars.
    pub deposit_dollars: u64,
}

impl Default for ReserveTerms {
    fn default() -> Self {
        Self {
            liabilities_bitcoin: 124_800,
            covered_basis_points: 9_500,
            recover_to_basis_points: 10_500,
            deposit_dollars: 2_400_000_000,
        }
    }
}

impl ReserveTerms {
    /// What is missing to the recovery's aim by these terms alone, without the statement's secret fractions.
    ///
    /// *Units*: satoshi.
    #[must_use]
    pub fn nominal_gap(&self) -> u64 {
        let missing = self.recover_to_basis_points.saturating_sub(self.covered_basis_points);
        self.liabilities_bitcoin.saturating_mul(10_000).saturating_mul(missing.into())
    }
}

/// The makers' side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Liquidity {
    /// All standing orders together, as a share of the gap to the recovery's aim.
    pub cover_basis_points: u32,
    /// What the makers pay in, as a share of the gap that the reserve's terms suggest. It is public, so it says
    /// nothing of how much of it stands behind orders.
    pub deposit_basis_points: u32,
    /// Greatest spread that a maker asks, in 1/100 basis point.
    pub max_spread: u16,
    /// What the first maker submits once its order was read; nothing by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_thought: Option<SecondThought>,
}

/// What a maker submits after its standing order. Which of the two it is nobody sees from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecondThought {
    /// The same order at half the spread, in its place.
    Replace,
    /// The order's end.
    Cancel,
}

impl Default for Liquidity {
    fn default() -> Self {
        Self { cover_basis_points: 22_000, deposit_basis_points: 30_000, max_spread: 4_000, second_thought: None }
    }
}

impl Liquidity {
    /// Orders vary by 15 %, deposits by 5 %, and an order must be covered.
    fn validate(&self) -> Result<(), ScenarioError> {
        let [cover, deposit] = [self.cover_basis_points, self.deposit_basis_points].map(u64::from);
        range("liquidity.deposit_basis_points", deposit, 125, 125_000, "125 to 125000")?;
        let most = deposit * 4 / 5;
        range("liquidity.cover_basis_points", cover, 100, most, "100 to four fifths of deposit_basis_points")
    }
}

/// Participants that misbehave when asked for a share, by identifier.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// They send a share made with another secret.
    pub lying: Vec<u16>,
    /// They send nothing.
    pub silent: Vec<u16>,
}

/// A scenario that cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// Not TOML, or a key that no scenario has.
    #[error("{0}")]
    Parse(#[from] toml::de::Error),
    /// No built-in scenario has this name.
    #[error("no built-in scenario is called `{0}`")]
    Unknown(String),
    /// The committee's sizes.
    #[error("committee: {0}")]
    Threshold(#[from] ThresholdError),
    /// A number outside its range.
    #[error("{field} is {found}, where {range} is possible")]
    Range {
        /// The key.
        field: &'static str,
        /// The value.
        found: u64,
        /// The range.
        range: &'static str,
    },
    /// A table without room for everybody.
    #[error("accounts is {found}, where {makers} makers and the reserve need {least}")]
    Accounts {
        /// Accounts asked for.
        found: u32,
        /// The least that hold everybody.
        least: u32,
        /// Market makers.
        makers: u32,
    },
    /// A fault names somebody who is not there.
    #[error("participant {found} is not one of 1 to {participants}")]
    Participant {
        /// The identifier.
        found: u16,
        /// Participants.
        participants: u16,
    },
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            name: "large-deficit".into(),
            description: String::new(),
            participants: default_participants(),
            threshold: None,
            mode: Mode::default(),
            makers: default_makers(),
            accounts: None,
            reserve: ReserveTerms::default(),
            liquidity: Liquidity::default(),
            market: None,
            buffer: None,
            faults: Faults::default(),
        }
    }
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// [`ScenarioError::Parse`], and what [`Self::validate`] refuses.
    pub fn from_toml(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(text)?;
        scenario.validate()?;
        Ok(scenario)
    }

    /// The built-in scenario of this name.
    ///
    /// # Errors
    /// [`ScenarioError::Unknown`].
    pub fn built_in(name: &str) -> Result<Self, ScenarioError> {
        let found = BUILT_IN.iter().find(|(known, _)| *known == name);
        let (_, text) = found.ok_or_else(|| ScenarioError::Unknown(name.to_owned()))?;
        Self::from_toml(text)
    }

    /// Checks every range.
    ///
    /// # Errors
    /// [`ScenarioError`].
    pub fn validate(&self) -> Result<(), ScenarioError> {
        let threshold = self.threshold()?;
        if !threshold.protects_tables() {
            let found = threshold.t().into();
            return Err(ScenarioError::Range { field: "threshold", found, range: "more than twice the faults" });
        }
        range("participants", self.participants.into(), 1, MAX_PARTICIPANTS.into(), "1 to 1024")?;
        range("makers", self.makers.into(), 1, 4_096, "1 to 4096")?;
        self.check_accounts()?;
        let reserve = &self.reserve;
        range("reserve.liabilities_bitcoin", reserve.liabilities_bitcoin, 100, 10_000_000, "100 to 10000000")?;
        range("reserve.covered_basis_points", reserve.covered_basis_points.into(), 1, 20_000, "1 to 20000")?;
        range(
            "reserve.recover_to_basis_points",
            reserve.recover_to_basis_points.into(),
            10_000,
            20_000,
            "10000 to 20000",
        )?;
        range("reserve.deposit_dollars", reserve.deposit_dollars, 10_000, 100_000_000_000, "10000 to 100000000000")?;
        self.liquidity.validate()?;
        range("liquidity.max_spread", self.liquidity.max_spread.into(), 1, 16_383, "1 to 16383")?;
        self.market.map_or(Ok(()), |market| market.validate())?;
        self.buffer.map_or(Ok(()), |lots| lots.validate())?;
        let named = self.faults.lying.iter().chain(&self.faults.silent);
        match named.copied().find(|id| *id == 0 || *id > self.participants) {
            Some(found) => Err(ScenarioError::Participant { found, participants: self.participants }),
            None => Ok(()),
        }
    }

    /// The accounts that are asked for, or the default.
    #[must_use]
    pub fn accounts(&self) -> u32 {
        self.accounts.unwrap_or_else(|| self.least_accounts().max(DEFAULT_ACCOUNTS))
    }

    /// Order slots of the pool: one for each maker, and one for a second thought.
    #[must_use]
    pub fn order_slots(&self) -> u32 {
        self.makers.saturating_add(self.liquidity.second_thought.map_or(0, |_| 1))
    }

    /// One for each maker and one for the reserve.
    fn least_accounts(&self) -> u32 {
        self.makers.saturating_add(1)
    }

    fn check_accounts(&self) -> Result<(), ScenarioError> {
        let (found, least) = (self.accounts(), self.least_accounts());
        range("accounts", found.into(), 1, 1 << 22, "1 to 4194304")?;
        if found < least {
            return Err(ScenarioError::Accounts { found, least, makers: self.makers });
        }
        Ok(())
    }

    /// The threshold that is asked for, or the default.
    ///
    /// # Errors
    /// [`ThresholdError`].
    pub fn threshold(&self) -> Result<Threshold, ThresholdError> {
        match self.threshold {
            Some(t) => Threshold::new(t, self.participants),
            None => Threshold::default_for(self.participants),
        }
    }
}

fn range(field: &'static str, found: u64, least: u64, most: u64, range: &'static str) -> Result<(), ScenarioError> {
    if (least..=most).contains(&found) { Ok(()) } else { Err(ScenarioError::Range { field, found, range }) }
}

fn default_participants() -> u16 {
    16
}

fn default_makers() -> u32 {
    64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_scenarios_are_valid_and_bear_their_names() {
        for (name, _) in BUILT_IN {
            assert_eq!(Scenario::built_in(name).expect("valid").name, name);
        }
        assert!(matches!(Scenario::built_in("x"), Err(ScenarioError::Unknown(_))));
    }

    #[test]
    fn the_table_has_room_for_every_maker_and_the_reserve() {
        let accounts = |text: &str| Scenario::from_toml(text).map(|scenario| scenario.accounts()).expect("valid");
        assert_eq!(accounts("name = 'a'\nmakers = 64\naccounts = 65"), 65);
        assert_eq!(accounts("name = 'a'\nmakers = 64"), 256);
        assert_eq!(accounts("name = 'a'\nmakers = 4096"), 4_097);
    }

    #[test]
    fn a_second_thought_has_a_slot_of_its_own() {
        let read = |thought: &str| Scenario::from_toml(&format!("name = 'a'\nmakers = 8\n[liquidity]\n{thought}"));
        let thought = |text: &str| read(text).map(|read| (read.liquidity.second_thought, read.order_slots()));
        assert_eq!(thought("").expect("valid"), (None, 8));
        for (text, expected) in [("replace", SecondThought::Replace), ("cancel", SecondThought::Cancel)] {
            assert_eq!(thought(&format!("second_thought = '{text}'")).expect("valid"), (Some(expected), 9));
        }
        assert!(matches!(read("second_thought = 'none'"), Err(ScenarioError::Parse(_))));
    }

    #[test]
    fn unknown_keys_and_wild_numbers_are_refused() {
        assert!(matches!(Scenario::from_toml("name = 'a'\nmaker = 3"), Err(ScenarioError::Parse(_))));
        assert!(matches!(
            Scenario::from_toml("name = 'a'\nparticipants = 16\nthreshold = 12"),
            Err(ScenarioError::Threshold(_))
        ));
        assert!(matches!(
            Scenario::from_toml("name = 'a'\nparticipants = 16\nthreshold = 6"),
            Err(ScenarioError::Range { field: "threshold", .. })
        ));
        assert!(matches!(
            Scenario::from_toml("name = 'a'\nmakers = 0"),
            Err(ScenarioError::Range { field: "makers", .. })
        ));
        assert!(matches!(
            Scenario::from_toml("name = 'a'\nmakers = 64\naccounts = 64"),
            Err(ScenarioError::Accounts { found: 64, least: 65, makers: 64 })
        ));
        let market = |text: &str| Scenario::from_toml(&format!("name = 'a'\n{text}")).err();
        assert!(matches!(
            market("[market]\ndepth_dollars = 999999\nagent_dollars = 1"),
            Some(ScenarioError::Range { field: "market.depth_dollars", found: 999_999, .. })
        ));
        assert!(matches!(
            market("[buffer]\nlot_bitcoin = 1\nevery_seconds = 86400\nmost = 1"),
            Some(ScenarioError::Range { field: "buffer.every_seconds", found: 86_400, .. })
        ));
        let uncovered = "name = 'a'\n[liquidity]\ncover_basis_points = 30000";
        assert!(matches!(
            Scenario::from_toml(uncovered),
            Err(ScenarioError::Range { field: "liquidity.cover_basis_points", found: 30_000, .. })
        ));
        assert!(matches!(
            Scenario::from_toml("name = 'a'\nparticipants = 4\n[faults]\nlying = [5]"),
            Err(ScenarioError::Participant { found: 5, participants: 4 })
        ));
    }
}
