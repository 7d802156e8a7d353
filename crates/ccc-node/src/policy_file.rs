//! An attestation policy as a file: what somebody accepts as the enclave of a deployment.

use ccc_core::enclave::attestation::{OperatingMode, Policy, simulated::SimulatedRoot};
use serde::{Deserialize, Serialize};

/// The operating mode in a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModeName {
    /// Simulated parts, named so.
    #[default]
    Simulation,
    /// None.
    Production,
}

/// The file: JSON, byte strings in lower-case hexadecimal.
///
/// *Units*: `max_age` in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyFile {
    mode: ModeName,
    measurements: Vec<String>,
    max_age: u64,
    simulated_roots: Vec<String>,
}

/// Why a file is no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyFileError {
    /// A measurement is not 32 bytes in hexadecimal.
    #[error("measurement {index} is not 64 hexadecimal digits")]
    Measurement {
        /// Its position.
        index: usize,
    },
    /// A root is no Ed25519 public key in hexadecimal.
    #[error("simulated root {index} is not an Ed25519 public key of 64 hexadecimal digits")]
    Root {
        /// Its position.
        index: usize,
    },
}

impl From<ModeName> for OperatingMode {
    fn from(name: ModeName) -> Self {
        match name {
            ModeName::Simulation => Self::Simulation,
            ModeName::Production => Self::Production,
        }
    }
}

impl From<OperatingMode> for ModeName {
    fn from(mode: OperatingMode) -> Self {
        match mode {
            OperatingMode::Simulation => Self::Simulation,
            OperatingMode::Production => Self::Production,
        }
    }
}

impl From<&Policy> for PolicyFile {
    fn from(policy: &Policy) -> Self {
        Self {
            mode: policy.mode.into(),
            measurements: policy.measurements.iter().map(hex::encode).collect(),
            max_age: policy.max_age,
            simulated_roots: policy.simulated_roots.iter().map(|root| hex::encode(root.to_bytes())).collect(),
        }
    }
}

impl TryFrom<&PolicyFile> for Policy {
    type Error = PolicyFileError;

    fn try_from(file: &PolicyFile) -> Result<Self, PolicyFileError> {
        let measurement = |(index, text)| bytes(text).ok_or(PolicyFileError::Measurement { index });
        let root = |(index, text)| {
            let key = bytes(text).and_then(|key| SimulatedRoot::from_bytes(&key).ok());
            key.ok_or(PolicyFileError::Root { index })
        };
        Ok(Self {
            mode: file.mode.into(),
            measurements: file.measurements.iter().enumerate().map(measurement).collect::<Result<_, _>>()?,
            max_age: file.max_age,
            simulated_roots: file.simulated_roots.iter().enumerate().map(root).collect::<Result<_, _>>()?,
        })
    }
}

fn bytes(text: &String) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok().map(|()| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ccc_core::enclave::attestation::simulated::SimulatedHardware;

    fn policy() -> Policy {
        Policy {
            mode: OperatingMode::Simulation,
            measurements: vec![[1; 32], [2; 32]],
            max_age: 600,
            simulated_roots: vec![SimulatedHardware::from_seed(&[7; 32]).root()],
        }
    }

    #[test]
    fn a_policy_is_read_back() {
        let text = serde_json::to_string(&PolicyFile::from(&policy())).expect("JSON");
        let file: PolicyFile = serde_json::from_str(&text).expect("a policy file");
        assert_eq!(Policy::try_from(&file), Ok(policy()));
        assert!(serde_json::from_str::<PolicyFile>(&text.replace("max_age", "max_ages")).is_err());
        assert!(serde_json::from_str::<PolicyFile>(&text.replace("simulation", "lax")).is_err());
    }

    #[test]
    fn malformed_measurements_and_roots_are_named() {
        let file = PolicyFile::from(&policy());
        let short = PolicyFile { measurements: vec!["01".repeat(32), "01".repeat(31)], ..file.clone() };
        assert_eq!(Policy::try_from(&short), Err(PolicyFileError::Measurement { index: 1 }));
        let mut no_point = [0; 32];
        no_point[0] = 2;
        for root in [hex::encode(no_point), "zz".repeat(32), String::new()] {
            let bad = PolicyFile { simulated_roots: vec![root], ..file.clone() };
            assert_eq!(Policy::try_from(&bad), Err(PolicyFileError::Root { index: 0 }));
        }
    }
}
