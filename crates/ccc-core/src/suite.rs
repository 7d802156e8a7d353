//! The one ciphersuite and every domain label, in one place.
//!
//! *Source*: `docs/spec/encodings.md`. Every hash that the protocols take goes through [`hash`], so two
//! uses can collide only if they carry the same label and the same list of fields.

use alloc::vec::Vec;
use curve25519_dalek::{RistrettoPoint, Scalar};
use sha2::{Digest, Sha512};

/// Identifier of the native suite: ristretto255, SHA-512, HKDF-SHA-512, ChaCha20-Poly1305, X25519, Ed25519.
pub const SUITE: u16 = 1;

/// Two zero bytes would read as suite 0: `SUITE` as it is hashed.
pub const SUITE_BYTES: [u8; 2] = SUITE.to_be_bytes();

/// The prefix of every label that enters [`hash`].
const PREFIX: &[u8] = b"ccc/v1/";

/// The label of each hash, after the prefix `ccc/v1/`.
pub mod domain {
    /// Second generator Ḡ.
    pub const SECOND_GENERATOR: &str = "second generator";
    /// Encryption scalars r and s.
    pub const ENCRYPTION: &str = "enc";
    /// Proof nonces.
    pub const NONCE: &str = "nonce";
    /// Digest of a ciphertext body.
    pub const BODY: &str = "body";
    /// Associated data of a ciphertext body.
    pub const BODY_AAD: &str = "body-aad";
    /// Digest of a whole ciphertext.
    pub const CIPHERTEXT: &str = "ct";
    /// Ciphertext proof (TDH2).
    pub const TDH2: &str = "tdh2";
    /// Decryption-share proof, single and composite.
    pub const SHARE: &str = "share";
    /// Seed of the weights of a composite proof.
    pub const COMPOSITE: &str = "composite";
    /// One weight of a composite proof.
    pub const WEIGHT: &str = "weight";
    /// Compact re-encryption proof.
    pub const COMPACT: &str = "compact";
    /// Proof of possession of a dealing's constant term.
    pub const POSSESSION: &str = "pop";
    /// Proof of a dealing's ephemeral scalar.
    pub const DEALING: &str = "dealing";
    /// Digest under which a dealing is committed before it is opened.
    pub const DEALING_COMMITMENT: &str = "dealing-commitment";
    /// Complaint proof.
    pub const COMPLAINT: &str = "complaint";
    /// Transcript of a finished key generation.
    pub const TRANSCRIPT: &str = "transcript";
    /// Committee with its verification keys.
    pub const COMMITTEE: &str = "committee";
    /// Committee before its verification keys exist.
    pub const ROSTER: &str = "roster";
    /// Session of a key generation.
    pub const SESSION: &str = "session";
    /// Everything that one participant of a key generation draws.
    pub const ROUNDS: &str = "rounds";
    /// A request for re-encryption.
    pub const REQUEST: &str = "request";
    /// The recipient of a re-encryption.
    pub const RECIPIENT: &str = "recipient";
    /// User data of an attestation that vouches for attempt keys.
    pub const USER_DATA: &str = "user-data";
    /// User data of hardware's evidence: what it vouches for, under a configuration.
    pub const CONFIGURED: &str = "configured";
    /// User data of an attestation that vouches for an enclave's identity.
    pub const IDENTITY: &str = "identity";
    /// What a chain's verifiers ask to be in the evidence for an identity.
    pub const IDENTITY_CHALLENGE: &str = "identity-challenge";
    /// Key that what an enclave keeps is sealed under.
    pub const SEALING: &str = "sealing";
    /// What an enclave's identity signs.
    pub const IDENTITY_SIGNATURE: &str = "identity-signature";
    /// A signed envelope.
    pub const ENVELOPE: &str = "envelope";
    /// Simulated evidence, as it is signed.
    pub const EVIDENCE: &str = "evidence";
    /// Digest of bare bytes.
    pub const DIGEST: &str = "digest";
    /// Context of a table-key label.
    pub const TABLE: &str = "table";
    /// The operations and deltas of one table update.
    pub const UPDATE: &str = "update";
    /// Canonical order of standing orders.
    pub const ORDER: &str = "order";
    /// The dispersion draw of a request.
    pub const DISPERSION: &str = "dispersion";
    /// Configuration of an enclave.
    pub const ENCLAVE_CONFIG: &str = "enclave-config";
    /// What runs in an enclave: the configuration of a simulated one, the registers of hardware.
    pub const MEASUREMENT: &str = "measurement";
    /// User data of an attestation that vouches for a result.
    pub const RESULT: &str = "result";
    /// A table account's signature inside a ciphertext.
    pub const AUTHORISATION: &str = "authorisation";
    /// Set of auditors.
    pub const AUDITORS: &str = "auditors";
    /// User data of an attestation that vouches for answers to queries.
    pub const ANSWERS: &str = "answers";
    /// Seed of everything that a helper of a repair draws in one round.
    pub const REPAIR_SEED: &str = "repair-seed";
    /// One part of a helper's weighted share.
    pub const REPAIR_SPLIT: &str = "repair-split";
    /// Ephemeral scalar of a repair packet.
    pub const REPAIR_EPHEMERAL: &str = "repair-ephemeral";
    /// Proof of a repair packet's ephemeral scalar.
    pub const REPAIR: &str = "repair";
    /// What a repair packet's sender saw of the round before.
    pub const REPAIR_SEEN: &str = "repair-seen";
    /// Complaint proof of a repair.
    pub const REPAIR_COMPLAINT: &str = "repair-complaint";
    /// Board nonce of a group's key generation or handover.
    pub const GROUP_SESSION: &str = "group-session";
    /// Digest of a group's committee.
    pub const GROUP_COMMITTEE: &str = "group-committee";
    /// What a dealer of a group signs with its constant term.
    pub const GROUP_POSSESSION: &str = "group-possession";
    /// Proof of a group dealing's ephemeral point.
    pub const GROUP_DEALING: &str = "group-dealing";
    /// Transcript of a group's key generation or handover.
    pub const GROUP_TRANSCRIPT: &str = "group-transcript";
    /// Randomness and derived weights of `compat::tdh2_p256`.
    pub const TDH2_P256: &str = "tdh2-p256";
}

/// Salts and infos of HKDF, complete as they enter it.
pub mod kdf {
    /// KEM of a ciphertext.
    pub const KEM: &[u8] = b"ccc/v1/kem";
    /// Key of one share inside a dealing.
    pub const DEAL: &[u8] = b"ccc/v1/deal";
    /// Key of one share inside a group's dealing.
    pub const GROUP_DEAL: &[u8] = b"ccc/v1/group-deal";
    /// HPKE info of a sealed share, before the request digest.
    pub const SEALED: &[u8] = b"ccc/v1/sealed";
    /// Body key and commitment of a table.
    pub const TABLE: &[u8] = b"ccc/v1/table";
    /// Fresh data key of a table.
    pub const TABLE_FRESH: &[u8] = b"ccc/v1/table-fresh";
    /// Salt key of a table's row commitments.
    pub const TABLE_SALT: &[u8] = b"ccc/v1/table-salt";
    /// Seeds of a scan's bins, from a data key. They stand in no bytes.
    pub const TABLE_SCAN: &[u8] = b"ccc/v1/table-scan";
    /// Epoch salt of the canonical order.
    pub const EPOCH_SALT: &[u8] = b"ccc/v1/epoch-salt";
    /// Key of an owner's sidecar entry.
    pub const OWNER: &[u8] = b"ccc/v1/owner";
    /// HPKE info of the agent's envelope.
    pub const AGENT: &[u8] = b"ccc/v1/agent";
    /// Key of an owner's receipt.
    pub const RECEIPT: &[u8] = b"ccc/v1/receipt";
    /// Key of an owner's report of a clearing.
    pub const EXECUTION: &[u8] = b"ccc/v1/execution";
    /// HPKE info of an owner's query, before the request digest.
    pub const QUERY: &[u8] = b"ccc/v1/query";
    /// HPKE info of an answer to an owner, before the request digest.
    pub const ANSWER: &[u8] = b"ccc/v1/answer";
    /// HPKE info of an auditor's summary, before the request digest.
    pub const SUMMARY: &[u8] = b"ccc/v1/summary";
    /// Key of one scalar inside a repair packet.
    pub const REPAIR: &[u8] = b"ccc/v1/repair";
}

/// H(l; x₁..x_k) = SHA-512(LP("ccc/v1/" ‖ l) ‖ u32be(k) ‖ LP(x₁) ‖ … ‖ LP(x_k)), LP(x) = u32be(len) ‖ x.
///
/// Lists are flattened by the caller, one field per element; an absent field is the empty slice.
#[must_use]
pub fn hash(label: &str, fields: &[&[u8]]) -> [u8; 64] {
    let mut hasher = Hasher::new(label, fields.len());
    for field in fields {
        hasher.field(field);
    }
    hasher.finish()
}

/// The streaming form of [`hash`]: the number of fields is fixed at the start.
pub struct Hasher {
    state: Sha512,
    remaining: usize,
}

impl Hasher {
    /// Starts H(label; …) over exactly `fields` fields.
    #[must_use]
    pub fn new(label: &str, fields: usize) -> Self {
        let mut state = Sha512::new();
        state.update(length(PREFIX.len() + label.len()));
        state.update(PREFIX);
        state.update(label.as_bytes());
        state.update(length(fields));
        Self { state, remaining: fields }
    }

    /// Absorbs one field.
    ///
    /// # Panics
    /// When more fields arrive than were announced: a defect of the calling code, never of its input.
    pub fn field(&mut self, field: &[u8]) -> &mut Self {
        self.remaining = self.remaining.checked_sub(1).expect("as many fields as were announced");
        self.state.update(length(field.len()));
        self.state.update(field);
        self
    }

    /// The 64 bytes of H.
    ///
    /// # Panics
    /// When fewer fields arrived than were announced: a defect of the calling code.
    #[must_use]
    pub fn finish(self) -> [u8; 64] {
        assert_eq!(self.remaining, 0, "as many fields as were announced");
        self.state.finalize().into()
    }

    /// The first 32 bytes of H.
    #[must_use]
    pub fn finish32(self) -> [u8; 32] {
        first_half(self.finish())
    }
}

/// The first 32 bytes of [`hash`].
#[must_use]
pub fn digest32(label: &str, fields: &[&[u8]]) -> [u8; 32] {
    first_half(hash(label, fields))
}

/// digest32 of bare bytes: digest32 H("digest"; x).
#[must_use]
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    digest32(domain::DIGEST, &[bytes])
}

/// H read little-endian and reduced mod ℓ.
pub(crate) fn challenge(label: &str, fields: &[&[u8]]) -> Scalar {
    Scalar::from_bytes_mod_order_wide(&hash(label, fields))
}

/// Ḡ, a second generator whose logarithm nobody knows: hashed to the group.
///
/// *Source*: the element derivation of RFC 9496, section 4.3.4, as RFC 9380, appendix B, prescribes it; the 64 uniform
/// bytes are those of H in the place of `expand_message`.
pub(crate) fn second_generator() -> RistrettoPoint {
    let hashed = || RistrettoPoint::from_uniform_bytes(&hash(domain::SECOND_GENERATOR, &[&SUITE_BYTES]));
    #[cfg(feature = "std")]
    {
        static POINT: std::sync::OnceLock<RistrettoPoint> = std::sync::OnceLock::new();
        *POINT.get_or_init(hashed)
    }
    #[cfg(not(feature = "std"))]
    hashed()
}

/// LP(x) = u32be(len) ‖ x, appended to `out`.
pub fn length_prefixed(out: &mut Vec<u8>, field: &[u8]) {
    out.extend_from_slice(&length(field.len()));
    out.extend_from_slice(field);
}

fn length(n: usize) -> [u8; 4] {
    u32::try_from(n).expect("fields are bounded far below 4 GiB").to_be_bytes()
}

fn first_half(wide: [u8; 64]) -> [u8; 32] {
    let mut half = [0; 32];
    half.copy_from_slice(&wide[..32]);
    half
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::{list, text, vectors};

    #[test]
    fn challenges_and_the_second_generator_are_the_recorded_ones() {
        let file = vectors("encoding");
        for case in list(&file, "hash") {
            let inputs: Vec<_> =
                list(case, "inputs").iter().map(|i| hex::decode(i.as_str().unwrap()).unwrap()).collect();
            let fields: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
            assert_eq!(hex::encode(challenge(text(case, "label"), &fields).as_bytes()), text(case, "scalar"));
        }
        let point = second_generator().compress();
        assert_eq!(hex::encode(point.as_bytes()), text(&file["second_generator"], "point"));
    }

    #[test]
    fn fields_cannot_be_shifted() {
        assert_ne!(hash("a", &[b"bc", b"d"]), hash("a", &[b"b", b"cd"]));
        assert_ne!(hash("a", &[b"b", b""]), hash("a", &[b"b"]));
        assert_ne!(hash("ab", &[b"c"]), hash("a", &[b"bc"]));
    }

    #[test]
    fn streaming_form_is_the_same_hash() {
        let mut hasher = Hasher::new("x", 2);
        hasher.field(b"one").field(b"two");
        assert_eq!(hasher.finish(), hash("x", &[b"one", b"two"]));
    }
}
