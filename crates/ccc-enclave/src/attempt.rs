//! One attempt at one request: fresh keys, attested, used once, gone.

use crate::config::{ConfigError, EnclaveConfig};
use ccc_core::{
    ciphertext::VerifiedCiphertext,
    enclave::{
        attestation::{self, AttestationError, AttestationProvider},
        keys::{AttemptKeys, CombineError, Culprit},
    },
    encoding::{EncodingError, Kind, Reader, header},
    envelope::Envelope,
    keys::Committee,
    suite,
    vault::{recipient::Recipient, request::Request},
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// The longest evidence that a card may carry.
const MAX_EVIDENCE: usize = 64 * 1024;

/// The confidential program under one configuration and one attestation provider.
pub struct Enclave<'a> {
    config: EnclaveConfig,
    provider: &'a dyn AttestationProvider,
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
    Attestation(#[from] AttestationError),
    /// The shares do not open the ciphertexts.
    #[error("shares: {0}")]
    Shares(#[from] CombineError),
}

/// What participants need in order to seal to an attempt: keys and the evidence that vouches for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientCard {
    /// X25519 key.
    pub x: [u8; 32],
    /// ristretto255 key, encoded.
    pub e: [u8; 32],
    /// The measurement that the evidence must show.
    pub measurement: [u8; 32],
    /// Evidence over the keys and the request digest.
    pub evidence: Vec<u8>,
}

impl RecipientCard {
    /// *Layout*: header (kind 23) ‖ X 32 ‖ E 32 ‖ measurement 32 ‖ LP(evidence).
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = header(Kind::Recipient).to_vec();
        out.extend_from_slice(&self.x);
        out.extend_from_slice(&self.e);
        out.extend_from_slice(&self.measurement);
        suite::length_prefixed(&mut out, &self.evidence);
        out
    }

    /// Reads the layout of [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`EncodingError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        reader.header(Kind::Recipient)?;
        let card = Self {
            x: reader.array("X")?,
            e: reader.array("E")?,
            measurement: reader.array("measurement")?,
            evidence: reader.length_prefixed("evidence", MAX_EVIDENCE)?.to_vec(),
        };
        reader.finish()?;
        Ok(card)
    }

    /// The recipient to seal to.
    ///
    /// # Errors
    /// [`EncodingError`] for a key that is not canonical, or the identity.
    pub fn recipient(&self) -> Result<Recipient, EncodingError> {
        Ok(Recipient { x: self.x, e: Reader::new(&self.e).point("E")?, measurement: self.measurement })
    }
}

/// Fresh keys for one request, and the evidence that vouches for them.
pub struct Attempt<'a> {
    session: Session<'a>,
    keys: AttemptKeys,
    card: RecipientCard,
}

/// What stays after the keys are spent: enough to attest a result.
pub(crate) struct Session<'a> {
    pub(crate) config: &'a EnclaveConfig,
    pub(crate) provider: &'a dyn AttestationProvider,
    pub(crate) request: Request,
    pub(crate) evidence: [u8; 32],
    pub(crate) now: u64,
}

/// An attempt whose ciphertexts are open: plaintexts in the request's order, `None` where the author's
/// ciphertext holds nothing.
pub struct OpenedAttempt<'a> {
    pub(crate) session: Session<'a>,
    pub(crate) plaintexts: Vec<Option<Zeroizing<Vec<u8>>>>,
    culprits: Vec<Culprit>,
}

impl<'a> Enclave<'a> {
    /// The program under a configuration.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(config: EnclaveConfig, provider: &'a dyn AttestationProvider) -> Result<Self, ConfigError> {
        config.validate()?;
        Ok(Self { config, provider })
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &EnclaveConfig {
        &self.config
    }

    /// Generates keys for a request and attests them at time `now`.
    ///
    /// # Errors
    /// [`AttemptError::Foreign`], [`AttemptError::Attestation`].
    pub fn attempt(&self, request: Request, now: u64, rng: &mut impl CryptoRng) -> Result<Attempt<'_>, AttemptError> {
        self.resume(request, AttemptKeys::generate(rng), now)
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
        let measurement = self.config.measurement();
        let (x, e) = keys.public();
        let recipient = Recipient { x, e, measurement };
        let digest = request.digest();
        let evidence = self.provider.attest(&recipient.user_data(&digest), &digest, now)?;
        let card = RecipientCard { x, e: e.compress().to_bytes(), measurement, evidence };
        let session = Session {
            config: &self.config,
            provider: self.provider,
            request,
            evidence: attestation::evidence_digest(&card.evidence),
            now,
        };
        Ok(Attempt { session, keys, card })
    }
}

impl<'a> Attempt<'a> {
    /// What participants seal to.
    #[must_use]
    pub fn card(&self) -> &RecipientCard {
        &self.card
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
        self.session.check(committee, &ciphertexts)?;
        let (plaintexts, culprits) = if ciphertexts.is_empty() {
            (Vec::new(), Vec::new())
        } else {
            let measurement = self.card.measurement;
            let opened = self.keys.open(committee, &self.session.request, measurement, &ciphertexts, envelopes)?;
            (opened.plaintexts, opened.culprits)
        };
        Ok(OpenedAttempt { session: self.session, plaintexts, culprits })
    }
}

impl Session<'_> {
    fn check(&self, committee: &Committee, ciphertexts: &[VerifiedCiphertext]) -> Result<(), AttemptError> {
        if committee.master_public_key().to_bytes() != self.config.master_public_key {
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

impl OpenedAttempt<'_> {
    /// Participants whose shares were bad.
    #[must_use]
    pub fn culprits(&self) -> &[Culprit] {
        &self.culprits
    }
}
