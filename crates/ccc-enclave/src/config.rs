//! What the enclave is built for. Its digest is part of the measurement, so a host cannot swap the agent's
//! key, the pool or the price rules without becoming another, unlisted enclave.

use crate::key;
use ccc_core::{
    keys::MasterPublicKey,
    suite::{self, domain},
    table::{AuditorSet, Header, TableSuite, Tier},
};
use darkpool_matcher::{BasisPoints, OutOfRange, PriceRules};

/// Name and version of the program, as they enter the measurement.
pub const PROGRAM: &str = concat!("ccc-enclave ", env!("CARGO_PKG_VERSION"));

/// The longest name of a custodian's account, in bytes.
pub const MAX_ACCOUNT: usize = 256;

/// One asset of the pool.
///
/// *Units*: `lot` in base units of the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// The ERC-20 contract.
    pub token: [u8; 20],
    /// Decimals of the token.
    pub decimals: u8,
    /// Base units of one lot.
    pub lot: u64,
}

/// Bounds on the price observations.
///
/// *Units*: seconds; `collar` in basis points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceBounds {
    /// Length of the averaging window.
    pub window: u64,
    /// Longest interval without an observation inside the window.
    pub max_gap: u64,
    /// Greatest age of the last observation.
    pub max_stale: u64,
    /// Greatest deviation of the last observation from the average.
    pub collar: u16,
}

/// Everything that a deployment fixes for its enclave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnclaveConfig {
    /// Chain identifier.
    pub chain: u64,
    /// The `CREDarkPool` contract.
    pub pool: [u8; 20],
    /// The `ReserveAttestation` contract.
    pub reserve_attestation: [u8; 20],
    /// The master public key under which every ciphertext and table key is.
    pub master_public_key: [u8; 32],
    /// Account of the reserve, inside the table and on chain.
    pub reserve: [u8; 20],
    /// X25519 key of the agent's envelopes.
    pub agent_key: [u8; 32],
    /// The table's name.
    pub table: [u8; 32],
    /// log2 of the table's rows.
    pub tier: u8,
    /// The pool's assets; the index is the asset identifier.
    pub assets: Vec<Asset>,
    /// Index of the asset that the reserve holds.
    pub base: u32,
    /// Index of the asset that pays for it; 6 decimals, one unit is one micro-dollar.
    pub quote: u32,
    /// Feed whose observations a round may use.
    pub price_source: [u8; 20],
    /// Decimals of the feed's answers.
    pub price_decimals: u8,
    /// Bounds on the observations.
    pub price: PriceBounds,
    /// Assets must reach this share of the liabilities, in basis points, to be called solvent.
    pub solvent_at: u32,
    /// The share of the liabilities that a recovery aims for, in basis points.
    pub recover_to: u32,
    /// The account that a custodian's statement must be about, as the custodian names it.
    pub custodian_account: String,
    /// Greatest age of a custodian's statement, in seconds.
    pub max_statement_age: u64,
    /// Seconds for which the agent may act on an envelope.
    pub envelope_lifetime: u64,
    /// Request slots of one round.
    pub slots: u16,
    /// Standing-order slots of one round: the public N to which every round is padded.
    pub order_slots: u32,
    /// Who may read summaries, if anybody. Another set is another configuration, and so another measurement.
    pub auditors: Option<AuditorSet>,
    /// The account that may freeze, thaw and force transfers, if any may. Another one is another configuration, and so
    /// another measurement.
    pub operator: Option<[u8; 20]>,
    /// The cipher of the table's first version; each later version has that of the one before it.
    pub suite: TableSuite,
    /// The master public key before a rotation: the table's key is opened under it by the former committee for one version, of
    /// [`Duty::Rotation`](crate::upkeep::Duty::Rotation), and nothing else is.
    pub former_master_public_key: Option<[u8; 32]>,
}

/// A configuration that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// An asset index points nowhere.
    #[error("asset {index} of {count} does not exist")]
    Asset {
        /// The index.
        index: u32,
        /// Configured assets.
        count: usize,
    },
    /// The quote asset must count micro-dollars.
    #[error("the quote asset has {found} decimals, where 6 are needed")]
    QuoteDecimals {
        /// Decimals found.
        found: u8,
    },
    /// A lot of zero units.
    #[error("asset {index} has a lot of zero")]
    Lot {
        /// The index.
        index: u32,
    },
    /// The base asset must count satoshi-like units of 8 decimals.
    #[error("the base asset has {found} decimals, where 8 are needed")]
    BaseDecimals {
        /// Decimals found.
        found: u8,
    },
    /// A key to which no summary can be sealed.
    #[error("key {index} of the auditor set is not an X25519 key")]
    AuditorKey {
        /// Position in the set.
        index: usize,
    },
    /// A cipher that this build does not have.
    #[error("the table's suite {found} is not built in: it takes the feature suite-aes-gcm")]
    Suite {
        /// The number of the suite.
        found: u16,
    },
    /// The table is sealed with another cipher than the configuration, and so the measurement, says.
    #[error("the table is of suite {found}, the configuration says suite {expected}")]
    OtherSuite {
        /// The number of the configured suite.
        expected: u16,
        /// The number of the table's.
        found: u16,
    },
    /// The former master public key, or the one that follows it, cannot be used.
    #[error("the former master public key: {what}")]
    FormerKey {
        /// What is wrong.
        what: &'static str,
    },
    /// Bounds that no state could meet.
    #[error("{what} is outside its range")]
    Bound {
        /// The field.
        what: &'static str,
    },
}

impl EnclaveConfig {
    /// Checks indices, decimals, suite, auditors' keys and bounds.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn validate(&self) -> Result<(), ConfigError> {
        let base = self.asset(self.base)?;
        let quote = self.asset(self.quote)?;
        if quote.decimals != 6 {
            return Err(ConfigError::QuoteDecimals { found: quote.decimals });
        }
        if base.decimals != 8 {
            return Err(ConfigError::BaseDecimals { found: base.decimals });
        }
        if let Some(index) = self.assets.iter().position(|asset| asset.lot == 0) {
            return Err(ConfigError::Lot { index: u32::try_from(index).unwrap_or(u32::MAX) });
        }
        self.suite.built_in().map_err(|_| ConfigError::Suite { found: self.suite as u16 })?;
        self.validate_auditors()?;
        self.rotation_keys()?;
        self.validate_bounds()
    }

    /// Compares the configured cipher with a table's.
    ///
    /// # Errors
    /// [`ConfigError::OtherSuite`].
    pub(crate) fn check_suite(&self, table: &Header) -> Result<(), ConfigError> {
        let (expected, found) = (self.suite as u16, table.suite() as u16);
        if expected == found { Ok(()) } else { Err(ConfigError::OtherSuite { expected, found }) }
    }

    /// The former and the present master public key, where a rotation is configured.
    ///
    /// # Errors
    /// [`ConfigError::FormerKey`].
    pub(crate) fn rotation_keys(&self) -> Result<Option<[MasterPublicKey; 2]>, ConfigError> {
        let Some(former) = &self.former_master_public_key else { return Ok(None) };
        let read = |bytes, what| MasterPublicKey::from_bytes(bytes).map_err(|_| ConfigError::FormerKey { what });
        let from = read(former, "it is no ristretto255 element but zero")?;
        let to = read(&self.master_public_key, "the one that follows it is no ristretto255 element but zero")?;
        if from == to {
            return Err(ConfigError::FormerKey { what: "it is the present one" });
        }
        Ok(Some([from, to]))
    }

    /// One key that cannot be sealed to would stop the summary of all.
    fn validate_auditors(&self) -> Result<(), ConfigError> {
        let mut keys = self.auditors.iter().flat_map(AuditorSet::keys);
        match keys.position(|key| !key::takes_messages(key)) {
            Some(index) => Err(ConfigError::AuditorKey { index }),
            None => Ok(()),
        }
    }

    fn validate_bounds(&self) -> Result<(), ConfigError> {
        let bounds = [
            ("base and quote", self.base != self.quote),
            ("price_decimals", self.price_decimals <= 18),
            ("price.window", self.price.window > 0),
            ("price.collar", self.price.collar <= 10_000),
            ("solvent_at", (1..=1_000_000).contains(&self.solvent_at)),
            ("recover_to", (self.solvent_at..=1_000_000).contains(&self.recover_to)),
            ("custodian_account", (1..=MAX_ACCOUNT).contains(&self.custodian_account.len())),
            ("operator", self.operator != Some([0; 20])),
            ("tier", Tier::new(self.tier).is_some()),
            ("slots", self.slots == 1),
            ("order_slots", (1..=65_536).contains(&self.order_slots)),
        ];
        match bounds.into_iter().find(|(_, holds)| !holds) {
            Some((what, _)) => Err(ConfigError::Bound { what }),
            None => Ok(()),
        }
    }

    /// The asset with this index.
    ///
    /// # Errors
    /// [`ConfigError::Asset`].
    pub fn asset(&self, index: u32) -> Result<&Asset, ConfigError> {
        self.assets.get(index as usize).ok_or(ConfigError::Asset { index, count: self.assets.len() })
    }

    /// digest32 H("enclave-config"; every field, integers big-endian, assets flattened in order, then the digest of the
    /// auditor set and the operator, each if there is one, the suite u16, unless it is ChaCha20-Poly1305, and 1 u8 ‖ the
    /// former master public key, if there is one).
    ///
    /// An asset is three fields of 20, 1 and 8 bytes, so those after them, of 32, 20, 2 and 33, cannot be read as an asset
    /// or as each other.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut fields: Vec<Vec<u8>> = vec![
            self.chain.to_be_bytes().to_vec(),
            self.pool.to_vec(),
            self.reserve_attestation.to_vec(),
            self.master_public_key.to_vec(),
            self.reserve.to_vec(),
            self.agent_key.to_vec(),
            self.table.to_vec(),
            vec![self.tier],
            self.base.to_be_bytes().to_vec(),
            self.quote.to_be_bytes().to_vec(),
            self.price_source.to_vec(),
            vec![self.price_decimals],
            self.price.window.to_be_bytes().to_vec(),
            self.price.max_gap.to_be_bytes().to_vec(),
            self.price.max_stale.to_be_bytes().to_vec(),
            self.price.collar.to_be_bytes().to_vec(),
            self.solvent_at.to_be_bytes().to_vec(),
            self.recover_to.to_be_bytes().to_vec(),
            self.custodian_account.as_bytes().to_vec(),
            self.max_statement_age.to_be_bytes().to_vec(),
            self.envelope_lifetime.to_be_bytes().to_vec(),
            self.slots.to_be_bytes().to_vec(),
            self.order_slots.to_be_bytes().to_vec(),
        ];
        for asset in &self.assets {
            fields.push(asset.token.to_vec());
            fields.push(vec![asset.decimals]);
            fields.push(asset.lot.to_be_bytes().to_vec());
        }
        fields.extend(self.auditors.iter().map(|set| set.digest().to_vec()));
        fields.extend(self.operator.map(|operator| operator.to_vec()));
        if self.suite != TableSuite::ChaCha20Poly1305 {
            fields.push((self.suite as u16).to_be_bytes().to_vec());
        }
        fields.extend(self.former_master_public_key.map(|key| [&[1], &key[..]].concat()));
        let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        suite::digest32(domain::ENCLAVE_CONFIG, &fields)
    }

    /// digest32 H("measurement"; program name and version, configuration digest): what the simulated
    /// provider reports in place of a hardware measurement of the image.
    #[must_use]
    pub fn measurement(&self) -> [u8; 32] {
        suite::digest32(domain::MEASUREMENT, &[PROGRAM.as_bytes(), &self.digest()])
    }

    /// The matcher's price rules.
    ///
    /// # Errors
    /// A collar above 10 000 basis points.
    pub(crate) fn price_rules(&self) -> Result<PriceRules, OutOfRange> {
        Ok(PriceRules {
            window: self.price.window,
            max_gap: self.price.max_gap,
            max_stale: self.price.max_stale,
            collar: BasisPoints::new(self.price.collar)?,
            minimum_observations: 2,
        })
    }
}
