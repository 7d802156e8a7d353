//! A pool directory: the path by hand without a chain, file by file.
//!
//! `pool.toml` settings · `committee.ccc` and those of former epochs · `log.jsonl` the stand-in for the chain's events ·
//! `head.json` the stand-in for the chain's state · `table/` sealed versions · `rounds/` what each version left in public ·
//! `signers/` report signers' keys · `enclave.key` the stand-in for the hardware.

pub(crate) mod account;
pub(crate) mod attempt;
pub(crate) mod head;
pub(crate) mod history;
pub(crate) mod log;
pub(crate) mod reading;
pub(crate) mod record;
pub(crate) mod round;
pub(crate) mod settings;
pub(crate) mod sign;
pub(crate) mod table;
pub(crate) mod terms;
pub(crate) mod view;

pub(crate) use ccc_server::hexed;

use crate::{
    artifact::instead,
    cli::AssetName,
    error::Error,
    files::{self, Audience, Replace, passphrase::Passphrases, sealed::Content, secret},
};
use ccc_core::{
    enclave::attestation::simulated::{SimulatedHardware, SimulatedProvider},
    epoch::Epoch,
    keys::{Committee, MasterPublicKey},
    table::Header,
};
use ccc_enclave::config::EnclaveConfig;
use ccc_node::production::{Configuration, Sharing};
use head::Head;
use log::{ChainLog, Event};
use rand_core::CryptoRng;
use settings::Settings;
use std::{
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

const MAX_SETTINGS: u64 = 1 << 20;
const MAX_COMMITTEE: u64 = 1 << 20;
/// Seconds for which the ciphertext of a deposit or a withdrawal may be opened.
pub(crate) const BOUNDARY_LIFETIME: u64 = 30 * 24 * 3600;
/// What a pool directory stands for, whatever its settings say of the enclave's root.
const SIMULATED: &[&str] = &["the enclave's hardware", "the chain"];

/// Where the parts of a pool are.
#[derive(Clone, Debug)]
pub(crate) struct Paths(PathBuf);

impl Paths {
    pub(crate) fn new(directory: &Path) -> Self {
        Self(directory.into())
    }

    pub(crate) fn settings(&self) -> PathBuf {
        self.0.join("pool.toml")
    }

    pub(crate) fn committee(&self) -> PathBuf {
        self.0.join("committee.ccc")
    }

    /// The committee of an epoch that the pool has left.
    pub(crate) fn former_committee(&self, epoch: Epoch) -> PathBuf {
        self.0.join(format!("committee-{epoch}.ccc"))
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.0.join("log.jsonl")
    }

    pub(crate) fn head(&self) -> PathBuf {
        self.0.join("head.json")
    }

    pub(crate) fn table(&self) -> PathBuf {
        self.0.join("table")
    }

    /// From which version on collections have kept all.
    pub(crate) fn collected(&self) -> PathBuf {
        self.0.join("collected.json")
    }

    pub(crate) fn rounds(&self) -> PathBuf {
        self.0.join("rounds")
    }

    /// The signed report of the version with this header hash.
    pub(crate) fn round_report(&self, header: &[u8; 32]) -> PathBuf {
        self.rounds().join(format!("{}.report", hex::encode(header)))
    }

    /// The sealed receipts of the version with this header hash.
    pub(crate) fn round_receipts(&self, header: &[u8; 32]) -> PathBuf {
        self.rounds().join(format!("{}.receipts", hex::encode(header)))
    }

    pub(crate) fn signers(&self) -> PathBuf {
        self.0.join("signers")
    }

    pub(crate) fn signer(&self, i: usize) -> PathBuf {
        self.signers().join(format!("signer-{i}.ccc"))
    }

    pub(crate) fn hardware(&self) -> PathBuf {
        self.0.join("enclave.key")
    }
}

/// A pool as it stands.
pub(crate) struct Pool {
    pub(crate) paths: Paths,
    pub(crate) settings: Settings,
    pub(crate) config: EnclaveConfig,
    pub(crate) committee: Committee,
    pub(crate) head: Head,
    pub(crate) log: ChainLog,
}

impl Pool {
    /// Reads a pool directory and checks that its parts belong together.
    ///
    /// # Errors
    /// [`Error::PoolFile`], [`Error::PoolLog`], [`Error::Config`], [`Error::OtherCommittee`], [`Error::Production`].
    pub(crate) fn open(directory: &Path) -> Result<Self, Error> {
        let paths = Paths::new(directory);
        let (settings, settings_bytes) = read_settings(&paths)?;
        let config = settings.enclave();
        config.validate()?;
        let committee = read_committee(&paths.committee())?;
        if committee.master_public_key().to_bytes() != config.master_public_key {
            return Err(Error::OtherCommittee { path: paths.committee() });
        }
        let policy = settings.policy();
        let (mode, sharing) = (policy.mode, Sharing::Roster(committee.roster()));
        Configuration { mode, seeded: false, dealt: false, sharing, policy: Some(&policy), simulated: SIMULATED }
            .check()?;
        let head = parse_json(&paths.head(), &files::read(&paths.head(), MAX_SETTINGS)?)?;
        let log = ChainLog::read(&paths.log(), &settings_bytes)?;
        Ok(Self { paths, settings, config, committee, head, log })
    }

    /// The committee of an epoch: the pool's own, or the one that it kept when it left that epoch.
    ///
    /// # Errors
    /// [`Error::OtherCommittee`] where the file kept is of another epoch, or of a master public key that the pool never had;
    /// [`Error::Committee`], and [`Error::Read`] where there is none.
    pub(crate) fn committee_of(&self, epoch: Epoch) -> Result<Committee, Error> {
        if epoch == self.committee.epoch() {
            return Ok(self.committee.clone());
        }
        let path = self.paths.former_committee(epoch);
        let kept = read_committee(&path)?;
        let key = kept.master_public_key().to_bytes();
        let own = key == self.config.master_public_key || Some(key) == self.config.former_master_public_key;
        if own && kept.epoch() == epoch { Ok(kept) } else { Err(Error::OtherCommittee { path }) }
    }

    /// The committee before the last rotation, which opens the table for that rotation: that of the table's epoch.
    ///
    /// # Errors
    /// As [`Self::committee_of`]; [`Error::OtherCommittee`] where that epoch has the pool's master public key.
    fn former_committee(&self, epoch: Epoch) -> Result<Committee, Error> {
        let former = self.committee_of(epoch)?;
        let key = Some(former.master_public_key().to_bytes());
        if key == self.config.former_master_public_key {
            return Ok(former);
        }
        Err(Error::OtherCommittee { path: self.paths.former_committee(epoch) })
    }

    /// Refuses a table that has not followed the last rotation: its key is wrapped for the master public key before.
    ///
    /// # Errors
    /// [`Error::NotFollowed`].
    pub(crate) fn check_followed(&self, header: &Header) -> Result<(), Error> {
        let former = self.config.former_master_public_key.and_then(|key| MasterPublicKey::from_bytes(&key).ok());
        let left = former.is_some_and(|key| header.wrapped().clone().verify(&key).is_ok());
        if left { Err(Error::NotFollowed) } else { Ok(()) }
    }

    /// Takes the pool's directory to the committee that this pool is under; the one that it leaves stays beside it.
    ///
    /// # Errors
    /// As [`read_committee`] and [`files::write`].
    pub(crate) fn set_committee(&self) -> Result<(), Error> {
        let left = read_committee(&self.paths.committee())?;
        // a run that is made again after a stop may have written both already
        if left.epoch() != self.committee.epoch() {
            let path = self.paths.former_committee(left.epoch());
            files::write(&path, &left.to_bytes(), Audience::Everyone, Replace::Force)?;
        }
        files::write(&self.paths.committee(), &self.committee.to_bytes(), Audience::Everyone, Replace::Force)
    }

    /// Appends an event to the log, after whatever others have appended meanwhile.
    ///
    /// # Errors
    /// As [`log::append`].
    pub(crate) fn append(&mut self, event: &Event) -> Result<(), Error> {
        let settings = files::read(&self.paths.settings(), MAX_SETTINGS)?;
        self.log = log::append(&self.paths.log(), &settings, event)?;
        Ok(())
    }

    /// The identifier of one of the pool's two assets.
    pub(crate) fn asset(&self, name: AssetName) -> u32 {
        match name {
            AssetName::Base => self.config.base,
            AssetName::Quote => self.config.quote,
        }
    }

    /// The clock, never before the last block.
    pub(crate) fn now(&self) -> u64 {
        now().max(self.log.time())
    }

    /// Whether a header is the head's. Two branches have the same numbers.
    pub(crate) fn is_current(&self, header_hash: &[u8; 32]) -> bool {
        self.head.header_hash.0 == *header_hash
    }

    /// Replaces the head, atomically: the last step of every round.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub(crate) fn set_head(&self, head: &Head) -> Result<(), Error> {
        write_head(&self.paths.head(), head, Replace::Force)
    }

    /// The stand-in for the enclave's hardware.
    ///
    /// # Errors
    /// Those of opening the key file.
    pub(crate) fn hardware(&self, passphrases: &Passphrases) -> Result<SimulatedProvider, Error> {
        let path = self.paths.hardware();
        let secrets = secret::open(&path, Content::Hardware, passphrases)?;
        let key = secrets.split::<1>().and_then(|[key]| account::key(key));
        let key = key.map_err(|source| Error::Sealed { path, source })?;
        Ok(SimulatedProvider::new(SimulatedHardware::from_seed(&key), self.config.measurement()))
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

/// Reads the settings; with the bytes, which block 0 of the log is made from.
///
/// # Errors
/// [`Error::PoolFile`].
pub(crate) fn read_settings(paths: &Paths) -> Result<(Settings, Vec<u8>), Error> {
    let bytes = files::read(&paths.settings(), MAX_SETTINGS)?;
    Ok((parse_toml(&paths.settings(), &bytes)?, bytes))
}

/// Reads a committee.
///
/// # Errors
/// [`Error::Committee`].
pub(crate) fn read_committee(path: &Path) -> Result<Committee, Error> {
    let bytes = files::read(path, MAX_COMMITTEE)?;
    let committee = Committee::from_bytes(&bytes);
    committee.map_err(|source| instead(path, bytes, "a committee", Error::Committee { path: path.into(), source }))
}

pub(crate) fn write_head(path: &Path, head: &Head, replace: Replace) -> Result<(), Error> {
    let failed = |error: serde_json::Error| Error::Write { path: path.into(), source: error.into() };
    let mut text = serde_json::to_vec_pretty(head).map_err(failed)?;
    text.push(b'\n');
    files::write(path, &text, Audience::Everyone, replace)
}

/// The text of `pool.toml`.
///
/// # Errors
/// [`Error::PoolFile`] for what TOML cannot hold.
pub(crate) fn settings_text(paths: &Paths, settings: &Settings) -> Result<String, Error> {
    let refused = |error: toml::ser::Error| Error::PoolFile { path: paths.settings(), reason: error.to_string() };
    settings.to_text().map_err(refused)
}

/// Reads TOML strictly.
///
/// # Errors
/// [`Error::PoolFile`].
pub(crate) fn parse_toml<T: serde::de::DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, Error> {
    let refused = |reason: String| Error::PoolFile { path: path.into(), reason };
    let text = std::str::from_utf8(bytes).map_err(|_| refused("it is not UTF-8 text".into()))?;
    toml::from_str(text).map_err(|error| refused(error.message().to_owned()))
}

/// Reads JSON strictly.
///
/// # Errors
/// [`Error::PoolFile`].
pub(crate) fn parse_json<T: serde::de::DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| Error::PoolFile { path: path.into(), reason: error.to_string() })
}

/// 20 or 32 fresh bytes: names that a chain would have given.
pub(crate) fn random<const N: usize>(rng: &mut impl CryptoRng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}
