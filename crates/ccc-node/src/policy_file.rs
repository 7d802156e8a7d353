//! An attestation policy as a file: what somebody accepts as the enclave of a deployment.

#[path = "policy_file/hardware.rs"] // also where this file is compiled from another crate
mod hardware;

use ccc_core::enclave::attestation::{OperatingMode, Policy, simulated::SimulatedRoot};
use hardware::{DcapFile, NitroFile, SgxFile, SnpFile, SnpMinimumFile, TdxFile};
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

/// The file: JSON or TOML, byte strings in lower-case hexadecimal. `docs/spec/attestation.md` describes it.
///
/// *Units*: `max_age` in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyFile {
    mode: ModeName,
    #[serde(default)]
    measurements: Vec<String>,
    max_age: u64,
    #[serde(default)]
    simulated_roots: Vec<String>,
    /// Enclaves of how many makers have to vouch together.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    kinds: usize,
    /// Digests of the configurations that hardware may run its program under.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    configurations: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    nitro: Vec<NitroFile>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    snp: Vec<SnpFile>,
    #[serde(default, skip_serializing_if = "is_default")]
    snp_minimum: SnpMinimumFile,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tdx: Vec<TdxFile>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sgx: Vec<SgxFile>,
    #[serde(default, skip_serializing_if = "is_default")]
    dcap: DcapFile,
}

fn one() -> usize {
    1
}

fn is_one(kinds: &usize) -> bool {
    *kinds == 1
}

fn is_default<T: Default + PartialEq>(section: &T) -> bool {
    *section == T::default()
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
    /// A configuration's digest is not 32 bytes in hexadecimal.
    #[error("configuration {index} is not 64 hexadecimal digits")]
    Configuration {
        /// Its position.
        index: usize,
    },
    /// A root is no Ed25519 public key in hexadecimal.
    #[error("simulated root {index} is not an Ed25519 public key of 64 hexadecimal digits")]
    Root {
        /// Its position.
        index: usize,
    },
    /// A field of a program is not so many bytes in hexadecimal.
    #[error("{section} program {index}: {what} is not {digits} hexadecimal digits")]
    Field {
        /// The kind of enclave.
        section: &'static str,
        /// Its position.
        index: usize,
        /// The field.
        what: &'static str,
        /// Digits needed.
        digits: usize,
    },
    /// An SGX program that is named neither by its contents nor by signer and product, or by both.
    #[error("sgx program {index}: either mrenclave, or mrsigner with product and version")]
    Sgx {
        /// Its position.
        index: usize,
    },
    /// No verdict of Intel's has this name.
    #[error("dcap status {index} is no status of a platform")]
    Status {
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
            kinds: policy.hardware.kinds,
            configurations: policy.hardware.configurations.iter().map(hex::encode).collect(),
            nitro: policy.hardware.nitro.iter().map(NitroFile::from).collect(),
            snp: policy.hardware.snp.iter().map(SnpFile::from).collect(),
            snp_minimum: SnpMinimumFile::from(&policy.hardware),
            tdx: policy.hardware.tdx.iter().map(TdxFile::from).collect(),
            sgx: policy.hardware.sgx.iter().map(SgxFile::from).collect(),
            dcap: DcapFile::from(&policy.hardware),
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
            hardware: file.hardware()?,
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
    use ccc_core::enclave::attestation::{Hardware, SnpGeneration, SnpTcb, simulated::SimulatedHardware};
    use std::collections::BTreeMap;

    fn policy() -> Policy {
        Policy {
            mode: OperatingMode::Simulation,
            measurements: vec![[1; 32], [2; 32]],
            max_age: 600,
            simulated_roots: vec![SimulatedHardware::from_seed(&[7; 32]).root()],
            hardware: Hardware::default(),
        }
    }

    const WHOLE: &str = r#"
        mode = "production"
        max_age = 300
        kinds = 2
        configurations = ["M"]
        [[nitro]]
        pcr0 = "P"
        pcr1 = "P"
        pcr2 = "P"
        pcr8 = "P"
        [[snp]]
        measurement = "P"
        family_id = "S"
        id_key_digest = "P"
        [snp_minimum]
        snp = 8
        [snp_minimum.milan]
        snp = 9
        [snp_minimum.turin]
        fmc = 1
        [[tdx]]
        mrtd = "P"
        rtmr0 = "P"
        rtmr1 = "P"
        rtmr2 = "P"
        rtmr3 = "P"
        [[sgx]]
        mrenclave = "M"
        [[sgx]]
        mrsigner = "M"
        product = 1
        version = 2
        [dcap]
        statuses = ["UpToDate", "SWHardeningNeeded"]
        evaluation = 17
    "#;

    fn whole() -> String {
        let digits = |bytes: usize| format!("\"{}\"", "ab".repeat(bytes));
        WHOLE.replace("\"P\"", &digits(48)).replace("\"M\"", &digits(32)).replace("\"S\"", &digits(16))
    }

    #[test]
    fn a_policy_over_every_kind_is_read_from_toml_and_back() {
        let read = toml::from_str::<PolicyFile>(&whole()).expect("a policy file");
        let policy = Policy::try_from(&read).expect("a policy");
        assert_eq!(policy.check_configuration(), Ok(()));
        assert_eq!((policy.hardware.programs(), policy.hardware.kinds), (5, 2));
        assert_eq!(policy.hardware.nitro[0].pcrs.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 8]);
        assert_eq!(policy.hardware.snp[0].id_key_digest, Some([0xab; 48]));
        assert_eq!(policy.hardware.configurations, [[0xab; 32]]);
        let none = SnpTcb::default();
        assert_eq!(policy.hardware.snp_minimum, SnpTcb { snp: 8, ..none });
        let own =
            [(SnpGeneration::Milan, SnpTcb { snp: 9, ..none }), (SnpGeneration::Turin, SnpTcb { fmc: 1, ..none })];
        assert_eq!(policy.hardware.snp_generations, own.into());
        let again = toml::to_string(&PolicyFile::from(&policy)).expect("TOML");
        let again = toml::from_str::<PolicyFile>(&again).expect("a policy file");
        assert_eq!(Policy::try_from(&again), Ok(policy));
    }

    #[test]
    fn malformed_programs_are_named() {
        let refused = |from: &str, to: &str| {
            let text = whole().replacen(from, to, 1);
            Policy::try_from(&toml::from_str::<PolicyFile>(&text).expect("a policy file"))
        };
        let field = |section, what, digits| PolicyFileError::Field { section, index: 0, what, digits };
        let configuration = PolicyFileError::Configuration { index: 0 };
        assert_eq!(refused("configurations = [\"ab", "configurations = [\""), Err(configuration));
        assert_eq!(refused("pcr8 = \"ab", "pcr8 = \""), Err(field("nitro", "pcr8", 96)));
        assert_eq!(refused("family_id = \"ab", "family_id = \"zz"), Err(field("snp", "family_id", 32)));
        assert_eq!(refused("id_key_digest = \"ab", "id_key_digest = \""), Err(field("snp", "id_key_digest", 96)));
        assert_eq!(refused("rtmr3 = \"ab", "rtmr3 = \""), Err(field("tdx", "rtmr3", 96)));
        assert_eq!(refused("mrenclave = \"ab", "mrenclave = \""), Err(field("sgx", "mrenclave", 64)));
        assert_eq!(refused("product = 1", ""), Err(PolicyFileError::Sgx { index: 1 }));
        assert_eq!(refused("SWHardeningNeeded", "Revoked"), Err(PolicyFileError::Status { index: 1 }));
        assert!(toml::from_str::<PolicyFile>(&whole().replace("evaluation", "evaluations")).is_err());
    }

    /// A file from before hardware was read says what it said.
    #[test]
    fn an_older_file_reads_and_writes_as_it_did() {
        let text = serde_json::to_string(&PolicyFile::from(&policy())).expect("JSON");
        let keys = serde_json::from_str::<BTreeMap<String, serde_json::Value>>(&text).expect("an object");
        assert_eq!(keys.keys().collect::<Vec<_>>(), ["max_age", "measurements", "mode", "simulated_roots"]);
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
