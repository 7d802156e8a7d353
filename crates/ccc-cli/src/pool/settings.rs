//! `pool.toml`: what a deployment fixes, readable by a person.

use super::hexed::Hex;
use ccc_core::{
    enclave::attestation::{Hardware, Policy, simulated::SimulatedRoot},
    report::{Origin, SignerSet},
    table::{AuditorSet, AuditorSetError, TableSuite},
};
use ccc_enclave::config::{Asset, EnclaveConfig, PriceBounds};
use ccc_node::policy_file::ModeName;
use serde::{Deserialize, Serialize};

/// Seconds for which evidence is fresh, and for which an attempt may be answered.
pub(crate) const ATTEMPT_LIFETIME: u64 = 3600;

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) pool: Pool,
    pub(crate) price: Price,
    pub(crate) solvency: Solvency,
    pub(crate) signers: Signers,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) auditors: Option<Auditors>,
    pub(crate) asset: Vec<AssetSettings>,
}

/// Names, addresses and sizes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pool {
    #[serde(default)]
    pub(crate) mode: ModeName,
    pub(crate) chain: u64,
    pub(crate) contract: Hex<20>,
    pub(crate) reserve_attestation: Hex<20>,
    pub(crate) reserve: Hex<20>,
    /// Who may freeze and force transfers, if anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) operator: Option<Hex<20>>,
    pub(crate) master_public_key: Hex<32>,
    /// The key before the last rotation, which the table may still be wrapped for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) former_master_public_key: Option<Hex<32>>,
    pub(crate) agent_key: Hex<32>,
    pub(crate) table: Hex<32>,
    pub(crate) tier: u8,
    /// The cipher of the table.
    #[serde(default, skip_serializing_if = "SuiteName::is_default")]
    pub(crate) suite: SuiteName,
    pub(crate) base: u32,
    pub(crate) quote: u32,
    pub(crate) slots: u16,
    pub(crate) order_slots: u32,
    pub(crate) simulated_hardware: Hex<32>,
}

/// A cipher of the table's body, as settings and arguments name it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SuiteName {
    /// In every build.
    #[default]
    #[serde(rename = "chacha20-poly1305")]
    ChaCha20Poly1305,
    /// By AWS-LC, in a build with the feature `suite-aes-gcm`.
    #[serde(rename = "aes-256-gcm")]
    Aes256Gcm,
}

impl SuiteName {
    /// Whether a pool is what it would be without this setting.
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl From<SuiteName> for TableSuite {
    fn from(name: SuiteName) -> Self {
        match name {
            SuiteName::ChaCha20Poly1305 => Self::ChaCha20Poly1305,
            SuiteName::Aes256Gcm => Self::Aes256Gcm,
        }
    }
}

/// The feed and its bounds, in seconds and basis points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Price {
    pub(crate) source: Hex<20>,
    pub(crate) decimals: u8,
    pub(crate) window: u64,
    pub(crate) max_gap: u64,
    pub(crate) max_stale: u64,
    pub(crate) collar: u16,
}

/// What solvent means, in basis points and seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Solvency {
    pub(crate) solvent_at: u32,
    pub(crate) recover_to: u32,
    pub(crate) custodian_account: String,
    pub(crate) max_statement_age: u64,
    pub(crate) envelope_lifetime: u64,
}

/// Who signs reports, and how they present themselves to the forwarder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signers {
    pub(crate) forwarder: Hex<20>,
    pub(crate) don_id: u32,
    pub(crate) config_version: u32,
    pub(crate) workflow_id: Hex<32>,
    pub(crate) workflow_owner: Hex<20>,
    pub(crate) f: u8,
    pub(crate) addresses: Vec<Hex<20>>,
}

/// Who may read summaries, with a version that counts up with every change of the keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "AuditorsText", into = "AuditorsText")]
pub(crate) struct Auditors(pub(crate) AuditorSet);

/// The set as it is written: the keys ascend.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuditorsText {
    version: u64,
    keys: Vec<Hex<32>>,
}

impl TryFrom<AuditorsText> for Auditors {
    type Error = AuditorSetError;

    fn try_from(text: AuditorsText) -> Result<Self, AuditorSetError> {
        AuditorSet::new(text.version, text.keys.iter().map(|key| key.0).collect()).map(Self)
    }
}

impl From<Auditors> for AuditorsText {
    fn from(Auditors(set): Auditors) -> Self {
        Self { version: set.version(), keys: set.keys().iter().copied().map(Hex).collect() }
    }
}

/// One asset; its position is its identifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssetSettings {
    pub(crate) token: Hex<20>,
    pub(crate) decimals: u8,
    pub(crate) lot: u64,
}

impl Settings {
    /// What the enclave is built for.
    pub(crate) fn enclave(&self) -> EnclaveConfig {
        let (pool, price, solvency) = (&self.pool, &self.price, &self.solvency);
        EnclaveConfig {
            chain: pool.chain,
            pool: pool.contract.0,
            reserve_attestation: pool.reserve_attestation.0,
            master_public_key: pool.master_public_key.0,
            reserve: pool.reserve.0,
            agent_key: pool.agent_key.0,
            table: pool.table.0,
            tier: pool.tier,
            assets: self.asset.iter().map(AssetSettings::asset).collect(),
            base: pool.base,
            quote: pool.quote,
            price_source: price.source.0,
            price_decimals: price.decimals,
            price: PriceBounds {
                window: price.window,
                max_gap: price.max_gap,
                max_stale: price.max_stale,
                collar: price.collar,
            },
            solvent_at: solvency.solvent_at,
            recover_to: solvency.recover_to,
            custodian_account: solvency.custodian_account.clone(),
            max_statement_age: solvency.max_statement_age,
            envelope_lifetime: solvency.envelope_lifetime,
            slots: pool.slots,
            order_slots: pool.order_slots,
            auditors: self.auditors.as_ref().map(|auditors| auditors.0.clone()),
            operator: pool.operator.map(|operator| operator.0),
            suite: pool.suite.into(),
            former_master_public_key: pool.former_master_public_key.map(|key| key.0),
        }
    }

    /// The file's text.
    ///
    /// # Errors
    /// What TOML cannot hold.
    pub(crate) fn to_text(&self) -> Result<String, toml::ser::Error> {
        toml::to_string_pretty(self)
    }

    /// Who may sign reports.
    pub(crate) fn signer_set(&self) -> SignerSet {
        SignerSet {
            don_id: self.signers.don_id,
            config_version: self.signers.config_version,
            f: self.signers.f,
            signers: self.signers.addresses.iter().map(|address| address.0).collect(),
        }
    }

    /// Where reports come from.
    pub(crate) fn origin(&self) -> Origin {
        Origin {
            don_id: self.signers.don_id,
            config_version: self.signers.config_version,
            workflow_id: self.signers.workflow_id.0,
            workflow_owner: self.signers.workflow_owner.0,
        }
    }

    /// What participants and signers accept as this pool's enclave: nothing, if the root is no key.
    pub(crate) fn policy(&self) -> Policy {
        let enclave = self.enclave();
        let mut hardware = Hardware::default();
        hardware.configurations.push(enclave.digest());
        Policy {
            mode: self.pool.mode.into(),
            measurements: vec![enclave.measurement()],
            max_age: ATTEMPT_LIFETIME,
            simulated_roots: SimulatedRoot::from_bytes(&self.pool.simulated_hardware.0).into_iter().collect(),
            hardware,
        }
    }
}

impl AssetSettings {
    fn asset(&self) -> Asset {
        Asset { token: self.token.0, decimals: self.decimals, lot: self.lot }
    }
}
