//! The two ways in which decryption shares reach an enclave, behind one trait.

use super::compact::Partials;
use super::recipient::Recipient;
use super::request::{Mode, Request, RequestError};
use super::sealed::{SealError, SealedShare, seal};
use crate::ciphertext::VerifiedCiphertext;
use crate::encoding::{EncodingError, Kind};
use crate::keys::{Committee, KeyShare};
use alloc::vec::Vec;
use rand_core::CryptoRng;

/// What a participant answers to a request for re-encryption.
///
/// [`SealedShare`] is the default: a standard primitive, for any X25519 key. [`Partials`] can be checked before they
/// arrive, and combine to a size that does not depend on t. On the other side
/// [`AttemptKeys::open`](crate::enclave::AttemptKeys::open) takes the envelopes of either.
pub trait Reencryption: Sized {
    /// The mode of the requests that are answered so.
    const MODE: Mode;
    /// The kind of the envelopes in which it travels.
    const KIND: Kind;

    /// Makes one participant's answer for every ciphertext of the request.
    ///
    /// *Security*: the caller MUST have checked the recipient's evidence, the request and the labels, and MUST journal
    /// the result before it sends it: a repeat of the request returns the same bytes.
    ///
    /// # Errors
    /// [`SealError`]; nothing has been made.
    fn answer<R: CryptoRng + ?Sized>(
        key: &KeyShare,
        committee: &Committee,
        request: &Request,
        recipient: &Recipient,
        ciphertexts: &[VerifiedCiphertext],
        rng: &mut R,
    ) -> Result<Self, SealError>;

    /// The envelope's payload.
    fn to_payload(&self) -> Vec<u8>;

    /// Reads the payload of an answer for m ciphertexts.
    ///
    /// # Errors
    /// [`EncodingError`]; the length is compared with m before anything is allocated.
    fn from_payload(bytes: &[u8], m: usize) -> Result<Self, EncodingError>;
}

impl Reencryption for SealedShare {
    const MODE: Mode = Mode::Sealed;
    const KIND: Kind = Kind::Sealed;

    fn answer<R: CryptoRng + ?Sized>(
        key: &KeyShare,
        committee: &Committee,
        request: &Request,
        recipient: &Recipient,
        ciphertexts: &[VerifiedCiphertext],
        rng: &mut R,
    ) -> Result<Self, SealError> {
        seal(key, committee, request, recipient, ciphertexts, rng)
    }

    fn to_payload(&self) -> Vec<u8> {
        self.to_bytes()
    }

    fn from_payload(bytes: &[u8], m: usize) -> Result<Self, EncodingError> {
        Self::from_bytes(bytes, m)
    }
}

impl Reencryption for Partials {
    const MODE: Mode = Mode::Compact;
    const KIND: Kind = Kind::Compact;

    fn answer<R: CryptoRng + ?Sized>(
        key: &KeyShare,
        committee: &Committee,
        request: &Request,
        recipient: &Recipient,
        ciphertexts: &[VerifiedCiphertext],
        rng: &mut R,
    ) -> Result<Self, SealError> {
        Self::create(key, committee, request, recipient, ciphertexts, rng)
    }

    fn to_payload(&self) -> Vec<u8> {
        self.to_bytes()
    }

    fn from_payload(bytes: &[u8], m: usize) -> Result<Self, EncodingError> {
        Self::from_bytes(bytes, m)
    }
}

/// An answer as it goes into an envelope.
///
/// It may be built from its fields: kind and payload are all that an envelope takes from whoever answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The envelope's kind.
    pub kind: Kind,
    /// The envelope's payload.
    pub payload: Vec<u8>,
}

/// Answers a request in the mode that it asks for.
///
/// *Security*: as [`Reencryption::answer`].
///
/// # Errors
/// [`SealError`]; mode public is no re-encryption. Nothing has been made.
pub fn answer<R: CryptoRng + ?Sized>(
    key: &KeyShare,
    committee: &Committee,
    request: &Request,
    recipient: &Recipient,
    ciphertexts: &[VerifiedCiphertext],
    rng: &mut R,
) -> Result<Answer, SealError> {
    match request.mode {
        Mode::Public => Err(RequestError::Mode { expected: Mode::default(), found: request.mode }.into()),
        Mode::Sealed => SealedShare::answer(key, committee, request, recipient, ciphertexts, rng).map(encoded),
        Mode::Compact => Partials::create(key, committee, request, recipient, ciphertexts, rng).map(encoded),
    }
}

fn encoded<A: Reencryption>(answer: A) -> Answer {
    Answer { kind: A::KIND, payload: answer.to_payload() }
}
