//! One attempt at one request: fresh keys, attested, used once, gone.

use crate::config::{ConfigError, EnclaveConfig};
use ccc_core::{
    ciphertext::VerifiedCiphertext,
    enclave::{
        AttemptKeys,
        attestation::{self, AttestationProvider, EvidenceError, EvidenceList, ProviderError, ProviderKind},
        identity::{AttestedIdentity, IdentityKey, IdentityOver, IdentitySignature, Speaker},
        sealing::SealingKey,
    },
    envelope::Envelope,
    epoch::Epoch,
    keys::{Committee, MasterPublicKey},
    secret::RandomnessError,
    table::{Rotation, StructuralError},
    vault::{AttestedRecipient, CombineError, Combined, Culprit, Request},
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// The confidential program under one configuration and one attestation provider.
pub struct Enclave<'a> {
    config: EnclaveConfig,
    provider: &'a dyn AttestationProvider,
    identity: Option<&'a IdentityKey>,
}

/// Why an attempt cannot go on. The chain and the table are as they were.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttemptError {
    /// The request is for another contract or chain than the enclave is configured for.
    #[error("the request is for another {what} than this enclave serves")]
    Foreign {
        /// What differs.
        what: &'static str,
    },
    /// The ciphertexts are not those of the request, in its order.
    #[error("ciphertext {index} is not the one that the request names")]
    OtherCiphertext {
        /// Position in the request.
        index: usize,
    },
    /// More or fewer ciphertexts than the request names.
    #[error("{found} ciphertexts, where the request names {expected}")]
    CiphertextCount {
        /// The request's count.
        expected: usize,
        /// Ciphertexts given.
        found: usize,
    },
    /// The attestation provider failed.
    #[error("attestation: {0}")]
    Attestation(#[from] ProviderError),
    /// The configuration knows of no master public key before the present one.
    #[error("the configuration names no former master public key")]
    NoFormerKey,
    /// A rotation into an epoch that is not after the former committee's.
    #[error("a rotation into epoch {found} with shares of epoch {former}")]
    Epoch {
        /// The request's.
        former: Epoch,
        /// The one asked for.
        found: Epoch,
    },
    /// A rotation that the table does not take.
    #[error("rotation: {0}")]
    Rotation(#[from] StructuralError),
    /// The configuration.
    #[error("configuration: {0}")]
    Config(#[from] ConfigError),
    /// The provider's evidence does not say what runs here.
    #[error("the provider's evidence: {0}")]
    Evidence(#[from] EvidenceError),
    /// The enclave's identity has to be renewed and attested again first.
    #[error(transparent)]
    Identity(#[from] IdentityOver),
    /// The random generator is broken.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
    /// The shares do not open the ciphertexts.
    #[error("shares: {0}")]
    Shares(#[from] CombineError),
}

/// Fresh keys for one request, and the evidence that vouches for them.
pub struct Attempt<'a> {
    pub(crate) session: Session<'a>,
    pub(crate) keys: AttemptKeys,
    card: AttestedRecipient,
}

/// What stays after the keys are spent: enough to attest a result.
pub(crate) struct Session<'a> {
    pub(crate) config: &'a EnclaveConfig,
    provider: &'a dyn AttestationProvider,
    pub(crate) request: Request,
    /// What results name: the request's, or for a rotation the present committee's.
    pub(crate) epoch: Epoch,
    pub(crate) evidence: [u8; 32],
    pub(crate) speaker: Option<Speaker<'a>>,
    now: u64,
}

/// An attempt whose ciphertexts are open: plaintexts in the request's order, `None` where the author's
/// ciphertext holds nothing.
pub struct OpenedAttempt<'a> {
    pub(crate) session: Session<'a>,
    pub(crate) plaintexts: Vec<Option<Zeroizing<Vec<u8>>>>,
    /// The configured one, for which every version is wrapped.
    pub(crate) master: MasterPublicKey,
    culprits: Vec<Culprit>,
}

/// An attempt whose one ciphertext, the table's key, the committee before a rotation has opened. It makes the version of
/// that rotation and nothing else ([`Self::rotate_to`]).
pub struct FormerAttempt<'a> {
    pub(crate) opened: OpenedAttempt<'a>,
    pub(crate) rotation: Rotation,
}

impl<'a> Enclave<'a> {
    /// The program under a configuration.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(config: EnclaveConfig, provider: &'a dyn AttestationProvider) -> Result<Self, ConfigError> {
        config.validate()?;
        Ok(Self { config, provider, identity: None })
    }

    /// The same enclave, whose identity signs every result: who knows the identity needs one signature, and the rest of
    /// the evidence was judged at its admission.
    #[must_use]
    pub fn with_identity(mut self, identity: &'a IdentityKey) -> Self {
        self.identity = Some(identity);
        self
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &EnclaveConfig {
        &self.config
    }

    /// Generates keys for a request and attests them at time `now`.
    ///
    /// # Errors
    /// [`AttemptError::Foreign`], [`AttemptError::Attestation`]; [`AttemptError::Identity`] before any key is made.
    pub fn attempt(&self, request: Request, now: u64, rng: &mut impl CryptoRng) -> Result<Attempt<'_>, AttemptError> {
        self.resume(request, AttemptKeys::generate(rng)?, now)
    }

    /// As [`Self::attempt`], with keys that were generated and sealed earlier on this machine: the shell
    /// path spends an attempt in two commands.
    ///
    /// # Errors
    /// As [`Self::attempt`].
    pub fn resume(&self, request: Request, keys: AttemptKeys, now: u64) -> Result<Attempt<'_>, AttemptError> {
        if request.chain != self.config.chain {
            return Err(AttemptError::Foreign { what: "chain" });
        }
        if request.contract != self.config.pool {
            return Err(AttemptError::Foreign { what: "contract" });
        }
        let speaker = self.identity.map(|identity| identity.speak(now)).transpose()?;
        let digest = request.digest();
        let evidence = attest(&self.config, self.provider, &keys.user_data(&digest), &digest, now)?;
        let recipient = keys.recipient(self.measurement(&evidence)?);
        let card = AttestedRecipient { recipient, evidence };
        let session = Session {
            config: &self.config,
            provider: self.provider,
            epoch: request.epoch,
            request,
            evidence: attestation::evidence_digest(&card.evidence),
            speaker,
            now,
        };
        Ok(Attempt { session, keys, card })
    }

    /// Has an identity of this enclave attested for a verifier's challenge, under the enclave's own configuration.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub fn attest_identity(
        &self,
        key: &IdentityKey,
        challenge: &[u8; 64],
        now: u64,
    ) -> Result<AttestedIdentity, ProviderError> {
        key.attest(self.provider, &self.config.digest(), challenge, now)
    }

    /// The key that seals what this program keeps over a restart under its configuration.
    ///
    /// # Errors
    /// [`ProviderError::NoSealing`] where the provider has none.
    pub fn sealing_key(&self) -> Result<SealingKey, ProviderError> {
        self.provider.sealing_key(&self.config.digest())
    }

    /// What runs here: of the stand-in the program under its configuration, of hardware the registers in its own
    /// evidence, which no program knows beforehand.
    fn measurement(&self, evidence: &[u8]) -> Result<[u8; 32], EvidenceError> {
        match self.provider.kind() {
            ProviderKind::Simulated => Ok(self.config.measurement()),
            _ => Ok(attestation::stated(EvidenceList::from_bytes(evidence)?.first())?.measurement),
        }
    }
}

/// Evidence over what is said under a configuration.
fn attest(
    config: &EnclaveConfig,
    provider: &dyn AttestationProvider,
    said: &[u8; 64],
    nonce: &[u8; 64],
    now: u64,
) -> Result<Vec<u8>, ProviderError> {
    provider.attest(&provider.kind().user_data(said, &config.digest()), nonce, now)
}

impl<'a> Attempt<'a> {
    /// What participants seal to.
    #[must_use]
    pub fn card(&self) -> &AttestedRecipient {
        &self.card
    }

    /// What the enclave's identity signs of its keys and request, where it has one: participants that ask a registry of
    /// enclaves learn by it whom to ask for.
    #[must_use]
    pub fn identity(&self) -> Option<IdentitySignature> {
        let said = self.card.recipient.user_data(&self.session.request.digest());
        self.session.speaker.map(|speaker| speaker.sign(&said))
    }

    /// The keys, given up for storage in a sealed file.
    #[must_use]
    pub fn into_keys(self) -> AttemptKeys {
        self.keys
    }

    /// Opens the ciphertexts that the request names, once each, and erases the keys.
    ///
    /// # Errors
    /// [`AttemptError`]; shares that fail name their senders.
    pub fn open(
        self,
        committee: &Committee,
        ciphertexts: Vec<VerifiedCiphertext>,
        envelopes: Vec<Envelope>,
    ) -> Result<OpenedAttempt<'a>, AttemptError> {
        let key = self.session.config.master_public_key;
        self.open_as((committee, &key), ciphertexts, None, || envelopes)
    }

    /// Opens the table's key with shares of the committee before a rotation, for that rotation alone. The result is of
    /// `epoch`, that of the present committee.
    ///
    /// # Errors
    /// As [`Self::open`]; [`AttemptError::NoFormerKey`], [`AttemptError::Epoch`].
    ///
    /// *Security*: the host says the epoch. Signers sign, and the chain takes, only the registry's.
    pub fn open_former(
        mut self,
        (committee, epoch): (&Committee, Epoch),
        ciphertexts: Vec<VerifiedCiphertext>,
        envelopes: Vec<Envelope>,
    ) -> Result<FormerAttempt<'a>, AttemptError> {
        let [from, to] = self.session.config.rotation_keys()?.ok_or(AttemptError::NoFormerKey)?;
        let former = self.session.epoch;
        if epoch <= former {
            return Err(AttemptError::Epoch { former, found: epoch });
        }
        self.session.epoch = epoch;
        let opened = self.open_as((committee, &from.to_bytes()), ciphertexts, None, || envelopes)?;
        Ok(FormerAttempt { opened: OpenedAttempt { master: to, ..opened }, rotation: Rotation::new(epoch, from, to)? })
    }

    /// As [`Self::open`], of a request in mode compact, with what an untrusted host combined: one multiplication per
    /// ciphertext. The envelopes are asked for where that does not open, and only then.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_combined(
        self,
        committee: &Committee,
        ciphertexts: Vec<VerifiedCiphertext>,
        combined: &Combined,
        envelopes: impl FnOnce() -> Vec<Envelope>,
    ) -> Result<OpenedAttempt<'a>, AttemptError> {
        let key = self.session.config.master_public_key;
        self.open_as((committee, &key), ciphertexts, Some(combined), envelopes)
    }

    /// Opens under the committee, which must hold this master public key.
    fn open_as(
        self,
        (committee, key): (&Committee, &[u8; 32]),
        ciphertexts: Vec<VerifiedCiphertext>,
        combined: Option<&Combined>,
        envelopes: impl FnOnce() -> Vec<Envelope>,
    ) -> Result<OpenedAttempt<'a>, AttemptError> {
        self.session.check((committee, key), &ciphertexts)?;
        let (plaintexts, culprits) = if ciphertexts.is_empty() {
            (Vec::new(), Vec::new())
        } else {
            let measurement = self.card.recipient.measurement;
            let (keys, request) = (self.keys, &self.session.request);
            let opened = match combined {
                Some(all) => keys.open_combined(committee, request, measurement, &ciphertexts, all, envelopes)?,
                None => keys.open(committee, request, measurement, &ciphertexts, envelopes())?,
            };
            (opened.plaintexts, opened.culprits)
        };
        let master = *committee.master_public_key();
        Ok(OpenedAttempt { session: self.session, plaintexts, master, culprits })
    }
}

impl Session<'_> {
    /// Evidence over what is said for the session's request.
    pub(crate) fn attest(&self, said: &[u8; 64]) -> Result<Vec<u8>, ProviderError> {
        attest(self.config, self.provider, said, &self.request.digest(), self.now)
    }

    fn check(
        &self,
        (committee, key): (&Committee, &[u8; 32]),
        ciphertexts: &[VerifiedCiphertext],
    ) -> Result<(), AttemptError> {
        if committee.master_public_key().to_bytes() != *key {
            return Err(AttemptError::Foreign { what: "master public key" });
        }
        let expected = self.request.ciphertexts.len();
        if ciphertexts.len() != expected {
            return Err(AttemptError::CiphertextCount { expected, found: ciphertexts.len() });
        }
        let named = self.request.ciphertexts.iter().zip(ciphertexts);
        match named.into_iter().position(|(digest, ciphertext)| *digest != ciphertext.digest()) {
            Some(index) => Err(AttemptError::OtherCiphertext { index }),
            None => Ok(()),
        }
    }
}

impl FormerAttempt<'_> {
    /// Participants of the former committee whose shares were bad.
    #[must_use]
    pub fn culprits(&self) -> &[Culprit] {
        &self.opened.culprits
    }
}

impl OpenedAttempt<'_> {
    /// Participants whose shares were bad.
    #[must_use]
    pub fn culprits(&self) -> &[Culprit] {
        &self.culprits
    }
}
