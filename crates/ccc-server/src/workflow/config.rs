//! The configuration of a workflow node.

use crate::config::{ConfigError, File, Kind, KindConfig, PeerSection, peers, unique};
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};

/// The longest cadence: a day.
const MAX_CADENCE: u64 = 24 * 3_600;

/// The file of a signer.
pub type WorkflowConfig = File<Workflow>;

/// What it has beside the head.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workflow {
    /// The sealed key that signs reports.
    pub signer: PathBuf,
    /// What it signed; by default beside the key that signs.
    #[serde(default)]
    pub signed: Option<PathBuf>,
    /// The key that pays for deliveries, in hexadecimal.
    pub wallet: PathBuf,
    /// What the enclave is built for.
    pub pool: PathBuf,
    /// When rounds and checks are run.
    #[serde(default)]
    pub schedule: ScheduleSection,
    /// How many enclaves have to say the same of the reserve; by default more than half of those configured.
    #[serde(default)]
    pub agree: Option<usize>,
    /// The enclaves' hosts.
    #[serde(rename = "enclave")]
    pub enclaves: Vec<PeerSection>,
    /// The other signers' nodes.
    #[serde(rename = "workflow")]
    pub workflow: Vec<PeerSection>,
}

/// *Units*: seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleSection {
    /// From one turn to the next.
    pub cadence: u64,
    /// After how long the next signer takes a turn over.
    pub takeover: u64,
}

impl Default for ScheduleSection {
    fn default() -> Self {
        Self { cadence: 60, takeover: 15 }
    }
}

impl KindConfig for Workflow {
    const KIND: Kind = Kind::Workflow;
    const REPLACED: &'static [&'static str] = &["signer", "signed", "wallet", "pool"];

    fn check(&self) -> Result<(), ConfigError> {
        self.known()?;
        let (enclaves, agree) = (peers(&self.enclaves)?.len(), self.agree());
        if enclaves == 0 {
            return Err(ConfigError::Missing { what: "enclave" });
        }
        let number = |what, found, expected| Err(ConfigError::Number { what, found, expected });
        if agree > enclaves || 2 * agree <= enclaves {
            return number(
                "agree",
                agree as u64,
                "more than half of the enclaves, and no more than there are, is possible",
            );
        }
        let ScheduleSection { cadence, takeover } = self.schedule;
        if !(1..=MAX_CADENCE).contains(&cadence) {
            return number("cadence", cadence, "1 to 86400 seconds are possible");
        }
        if !(1..=cadence).contains(&takeover) {
            return number("takeover", takeover, "1 second up to the cadence is possible");
        }
        Ok(())
    }
}

impl WorkflowConfig {
    /// What the signer signed.
    #[must_use]
    pub fn signed_path(&self) -> PathBuf {
        self.own.signed.clone().unwrap_or_else(|| self.own.signer.with_extension("signed"))
    }
}

impl Workflow {
    /// How many enclaves have to say the same.
    #[must_use]
    pub fn agree(&self) -> usize {
        self.agree.unwrap_or(self.enclaves.len() / 2 + 1)
    }

    /// From one turn to the next, and after how long it is taken over.
    pub(super) fn times(&self) -> [Duration; 2] {
        [self.schedule.cadence, self.schedule.takeover].map(Duration::from_secs)
    }

    /// The other signers and the enclaves' hosts.
    pub(super) fn everybody(&self) -> Result<Vec<([u8; 32], String)>, ConfigError> {
        let all: Vec<_> = self.workflow.iter().chain(&self.enclaves).cloned().collect();
        unique(peers(&all)?.into_iter().map(|(key, name, _)| (key, name)).collect())
    }

    /// The other signers, who may call.
    ///
    /// # Errors
    /// [`ConfigError::Client`], [`ConfigError::SameKey`].
    pub fn known(&self) -> Result<Vec<([u8; 32], String)>, ConfigError> {
        self.everybody()?;
        Ok(peers(&self.workflow)?.into_iter().map(|(key, name, _)| (key, name)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<WorkflowConfig, ConfigError> {
        let files = ["key", "signer", "wallet", "committee", "deployment", "policy", "pool", "rpc_url"];
        let files: String = files.iter().map(|name| format!("{name} = 'x'\n")).collect();
        WorkflowConfig::read(&format!("{files}{text}"), std::iter::empty())
    }

    fn peer(list: &str, name: &str, byte: &str) -> String {
        format!("[[{list}]]\nname = '{name}'\nkey = '{}'\naddress = '127.0.0.1:1'\n", byte.repeat(32))
    }

    #[test]
    fn numbers_and_peers_that_do_not_fit_are_named() {
        let three: String =
            [("a", "01"), ("b", "02"), ("c", "03")].map(|(name, key)| peer("enclave", name, key)).concat();
        let others = peer("workflow", "d", "04");
        let config = read(&format!("{three}{others}")).expect("a configuration");
        assert_eq!(config.signed_path(), PathBuf::from("x.signed"));
        let config = config.own;
        assert_eq!((config.agree(), config.times()[0]), (2, Duration::from_secs(60)));
        let number = |text: &str| match read(&format!("{text}\n{three}{others}")) {
            Err(ConfigError::Number { what, found, .. }) => (what, found),
            other => panic!("{other:?}"),
        };
        assert_eq!(number("agree = 0"), ("agree", 0));
        assert_eq!(number("agree = 4"), ("agree", 4));
        assert_eq!(number("agree = 1"), ("agree", 1), "two groups could reach it");
        assert_eq!(number("schedule = { cadence = 0 }"), ("cadence", 0));
        assert_eq!(number("schedule = { cadence = 5, takeover = 6 }"), ("takeover", 6));
        let twice = read(&format!("{three}{}", peer("workflow", "d", "01")));
        assert_eq!(twice.expect_err("a key twice"), ConfigError::SameKey { index: 1 });
        let none = read("enclave = []\nworkflow = []\n");
        assert_eq!(none.expect_err("no enclave"), ConfigError::Missing { what: "enclave" });
    }
}
