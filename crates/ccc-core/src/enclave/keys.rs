//! The enclave's keys of one attempt: made before the request is answered, spent by opening it.
//!
//! *Source*: X by DeriveKeyPair of RFC 9180, section 7.1.3; E = d_E·G in ristretto255 (RFC 9496).

use crate::ciphertext::VerifiedCiphertext;
use crate::encoding::{EncodingError, HEADER_LEN, Kind, Reader, header};
use crate::envelope::Envelope;
use crate::identifier::Identifier;
use crate::keys::Committee;
use crate::point::Encoded;
use crate::secret::{RandomnessError, SecretScalar, random_scalar, random64};
use crate::suite::{Hasher, domain, kdf};
use crate::vault::combine::{Candidate, CombineError, CulpritReason, Opened, Plain, run};
use crate::vault::compact::{self, Combined, Decryption, Directed};
use crate::vault::received::Received;
use crate::vault::recipient::{Recipient, user_data};
use crate::vault::request::{Mode, Request, RequestError};
use crate::vault::sealed::{PrivateKey, SealedShare};
use crate::vault::share::Shares;
use crate::vault::statement::Statement;
use alloc::vec::Vec;
use curve25519_dalek::{RistrettoPoint, Scalar};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, Serializable};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Bytes of encoded attempt keys.
pub const ATTEMPT_KEYS_LEN: usize = HEADER_LEN + 96;

/// An X25519 secret in the one form in which it is written: clamped (RFC 7748, section 5). 2^5 strings are one secret
/// otherwise.
pub(super) fn clamped_secret(bytes: &[u8]) -> Result<PrivateKey, EncodingError> {
    const NOT_CLAMPED: EncodingError = EncodingError::Scalar { what: "X25519 secret" };
    let x = PrivateKey::from_bytes(bytes).map_err(|_| NOT_CLAMPED)?;
    let canonical: Zeroizing<[u8; 32]> = Zeroizing::new(x.to_bytes().into());
    if bool::from(canonical.as_slice().ct_eq(bytes)) { Ok(x) } else { Err(NOT_CLAMPED) }
}

/// Opens what is no share: [`AttemptKeys::open_message`].
pub(super) fn open_message(x: &PrivateKey, info: &[u8], aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if info.starts_with(kdf::SEALED) {
        return None;
    }
    let (enc, ciphertext) = sealed.split_first_chunk::<32>()?;
    let enc = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(enc).ok()?;
    let mode = hpke::OpModeR::Base;
    hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(&mode, x, &enc, info, ciphertext, aad)
        .ok()
        .map(Zeroizing::new)
}

/// The secrets of X (X25519) and E (ristretto255), and a seed for the weights of batch verification.
///
/// Made by the enclave, fresh per attempt; its evidence vouches for the public part.
///
/// *Layout*, 104 bytes: header ‖ X25519 secret 32 ‖ ristretto255 secret 32 ‖ seed 32, only inside a sealed file: for
/// an attempt that is spread over several commands.
/// *Security*: consumed by opening. MUST NOT serve two requests.
pub struct AttemptKeys {
    x: PrivateKey,
    e: SecretScalar,
    seed: Zeroizing<[u8; 32]>,
    public_x: [u8; 32],
    public_e: Encoded,
}

impl AttemptKeys {
    /// Fresh keys.
    ///
    /// # Errors
    /// [`RandomnessError`].
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomnessError> {
        let random = random64(rng)?;
        let (ikm, rest) = random.split_at(32);
        let (x, _) = X25519HkdfSha256::derive_keypair(ikm);
        let mut seed = Zeroizing::new([0; 32]);
        seed.copy_from_slice(rest);
        let e = random_scalar(rng)?;
        if *e.expose() == Scalar::ZERO { Err(RandomnessError) } else { Ok(Self::new(x, e, seed)) }
    }

    fn new(x: PrivateKey, e: SecretScalar, seed: Zeroizing<[u8; 32]>) -> Self {
        let public_x = X25519HkdfSha256::sk_to_pk(&x).to_bytes().into();
        let public_e = Encoded::new(RistrettoPoint::mul_base(e.expose()));
        Self { x, e, seed, public_x, public_e }
    }

    /// X and E.
    pub(crate) fn public(&self) -> ([u8; 32], RistrettoPoint) {
        (self.public_x, *self.public_e.point())
    }

    /// The recipient that these keys make under a measurement.
    #[must_use]
    pub fn recipient(&self, measurement: [u8; 32]) -> Recipient {
        let (x, e) = self.public();
        Recipient { x, e, measurement }
    }

    /// H("user-data"; E, X, request): what the evidence for these keys carries.
    #[must_use]
    pub fn user_data(&self, request_digest: &[u8; 64]) -> [u8; 64] {
        let (x, e) = self.public();
        user_data(&x, &e, request_digest)
    }

    /// Encodes the secrets.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let x: Zeroizing<[u8; 32]> = Zeroizing::new(self.x.to_bytes().into());
        let mut out = Zeroizing::new(Vec::with_capacity(ATTEMPT_KEYS_LEN));
        out.extend_from_slice(&header(Kind::AttemptKeys));
        out.extend_from_slice(x.as_slice());
        out.extend_from_slice(self.e.to_bytes().as_slice());
        out.extend_from_slice(self.seed.as_slice());
        out
    }

    /// Reads the secrets.
    ///
    /// # Errors
    /// [`EncodingError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        reader.header(Kind::AttemptKeys)?;
        let x = clamped_secret(reader.bytes("X25519 secret", 32)?)?;
        let e = SecretScalar::new(reader.scalar("ristretto255 secret")?);
        let seed = Zeroizing::new(reader.array("seed")?);
        reader.finish()?;
        if *e.expose() == Scalar::ZERO {
            return Err(EncodingError::Range { what: "ristretto255 secret", found: 0, range: "non-zero scalars" });
        }
        Ok(Self::new(x, e, seed))
    }

    /// Opens what somebody sealed to X for another use than a share: HPKE base mode under an info of that use.
    ///
    /// `sealed` is the encapsulated key, 32 bytes, and the ciphertext. Nothing for bytes that do not open, and nothing
    /// where `info` begins with that of a sealed share, "ccc/v1/sealed": shares are opened by [`open`](Self::open), which
    /// checks them.
    #[must_use]
    pub fn open_message(&self, info: &[u8], aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        open_message(&self.x, info, aad, sealed)
    }

    /// Opens the ciphertexts of a request with the answers in the envelopes, sealed shares or compact partials as the
    /// request's mode says, and spends the keys.
    ///
    /// Envelopes may arrive in any order, repeated, forged or broken. What no member of the committee signed for this
    /// request is dropped; what was made for other keys is dropped too, since it may be an honest answer to an
    /// earlier attempt. Whoever signed something for these keys that is not a valid answer is named.
    ///
    /// *Security*: every error MUST leave the enclave without its detail.
    ///
    /// # Errors
    /// [`CombineError`]; the keys are gone in any case.
    pub fn open(
        self,
        committee: &Committee,
        request: &Request,
        measurement: [u8; 32],
        ciphertexts: &[VerifiedCiphertext],
        envelopes: Vec<Envelope>,
    ) -> Result<Opened, CombineError> {
        if request.mode == Mode::Compact {
            return self.open_partials(&self.directed(committee, request, measurement, ciphertexts)?, &envelopes);
        }
        let recipient = self.recipient(measurement).digest_with(&self.public_e);
        let statement = Statement::new(committee, request, Some(&recipient), ciphertexts)?;
        let payloads = Received::sort(&statement, Kind::Sealed, &envelopes);
        let seed = self.weights(&statement, &payloads);
        let candidates = payloads.iter().filter_map(|(i, payload)| self.unseal(&statement, i, payload, &measurement));
        run(&Plain(&statement), candidates, &seed)
    }

    /// Opens the ciphertexts of a request in mode compact with what an untrusted combiner made of the partials: one
    /// multiplication per ciphertext, whatever t is. Spends the keys.
    ///
    /// Where a pair does not open its ciphertext, the pair proves nothing against anybody: it may be the combiner's
    /// fault, a participant's or the ciphertext's author's. The envelopes are then asked for, and everything is opened
    /// from the partials, as [`Self::open`] does. So a combiner can neither make a ciphertext seem invalid nor have a
    /// participant blamed.
    ///
    /// *Security*: every error MUST leave the enclave without its detail. That the envelopes are asked for says that
    /// something did not open.
    ///
    /// # Errors
    /// [`CombineError`]; the keys are gone in any case. Without envelopes to fall back to:
    /// [`CombineError::NotEnoughShares`].
    pub fn open_combined(
        self,
        committee: &Committee,
        request: &Request,
        measurement: [u8; 32],
        ciphertexts: &[VerifiedCiphertext],
        combined: &Combined,
        envelopes: impl FnOnce() -> Vec<Envelope>,
    ) -> Result<Opened, CombineError> {
        let directed = self.directed(committee, request, measurement, ciphertexts)?;
        match combined.open(&directed.statement, &self.e) {
            Some(all) => Ok(Opened { plaintexts: all.into_iter().map(Some).collect(), culprits: Vec::new() }),
            None => self.open_partials(&directed, &envelopes()),
        }
    }

    fn directed<'a>(
        &self,
        committee: &'a Committee,
        request: &'a Request,
        measurement: [u8; 32],
        ciphertexts: &'a [VerifiedCiphertext],
    ) -> Result<Directed<'a>, RequestError> {
        let recipient = self.recipient(measurement).digest_with(&self.public_e);
        Directed::to(committee, request, recipient, self.public_e, ciphertexts)
    }

    fn open_partials(&self, directed: &Directed<'_>, envelopes: &[Envelope]) -> Result<Opened, CombineError> {
        let statement = &directed.statement;
        let payloads = Received::sort(statement, Kind::Compact, envelopes);
        let seed = self.weights(statement, &payloads);
        let candidates = payloads.iter().filter_map(|(i, payload)| compact::candidate(statement, i, payload));
        run(&Decryption { directed, secret: &self.e }, candidates, &seed)
    }

    fn unseal(
        &self,
        statement: &Statement<'_>,
        identifier: Identifier,
        payload: &[u8],
        measurement: &[u8; 32],
    ) -> Option<Candidate<Shares>> {
        let m = statement.ciphertexts.len();
        let Ok(sealed) = SealedShare::from_bytes(payload, m) else {
            return Some(Candidate { identifier, part: Err(CulpritReason::Malformed) });
        };
        let bytes = sealed.open(&self.x, statement, identifier, measurement)?;
        let part = Shares::from_bytes(&bytes, m).map_err(|_| CulpritReason::Malformed);
        Some(Candidate { identifier, part })
    }

    /// Weights that nobody outside knows, and that differ when the shares do.
    fn weights(&self, statement: &Statement<'_>, payloads: &Received<'_>) -> [u8; 64] {
        let mut hasher = Hasher::new(domain::WEIGHT, 2 + payloads.iter().count());
        hasher.field(self.seed.as_slice()).field(&statement.request_digest);
        for (_, payload) in payloads.iter() {
            hasher.field(payload);
        }
        hasher.finish()
    }
}
