//! The agent's envelope: the only way in which the size of a gap leaves the enclave.
//!
//! Every reserve check emits one, whatever the answer; its digest is in the signed report.
//!
//! *Layout*: header (kind 25) ‖ HPKE encapsulated key 32 ‖ HPKE ciphertext 80, of the plaintext
//! status u8 ‖ 7 zeros ‖ deficit u64 ‖ expiry u64 ‖ request id 32 ‖ buffer u64.
//! HPKE base mode, X25519 / HKDF-SHA-256 / ChaCha20-Poly1305, info `ccc/v1/agent`, associated data
//! chain u64 ‖ contract 20.
//! *Units*: deficit and buffer in base units of the reserve's asset, in whole lots.

use crate::key::{OpeningKey, SEAL_OVERHEAD, seal_message};
use ccc_core::{
    encoding::{EncodingError, HEADER_LEN, Kind, Reader, header},
    suite::{self, kdf},
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

const PLAIN_LEN: usize = 64;
/// The status of which the buffer is a part of the deficit.
const INSOLVENT: u8 = 2;
/// Bytes of an envelope, whatever it says.
pub const ENVELOPE_LEN: usize = HEADER_LEN + MESSAGE_LEN;
const MESSAGE_LEN: usize = PLAIN_LEN + SEAL_OVERHEAD;

/// What the enclave tells the agent.
///
/// *Security*: the deficit is secret; no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Notice {
    /// The status of the report: 0 unknown, 1 solvent, 2 insolvent.
    pub status: u8,
    /// What is missing to the recovery's aim; zero unless insolvent.
    pub deficit: u64,
    /// The agent must not act after this second.
    pub expiry: u64,
    /// The reserve check that produced it.
    pub request: [u8; 32],
    /// What is missing to the aim and not needed to be solvent: a part of the deficit where the reserve is insolvent, and all
    /// that is missing where it is solvent.
    pub buffer: u64,
}

/// The agent's secret key.
///
/// *Security*: no `Clone`, no `Debug`.
pub struct AgentKey(OpeningKey);

/// An envelope that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoticeError {
    /// Not an envelope.
    #[error("not an agent's envelope: {0}")]
    Encoding(#[from] EncodingError),
    /// Not a key.
    #[error("not an X25519 key")]
    Key,
    /// Sealed to another key, for another contract, or altered.
    #[error("the envelope does not open")]
    Closed,
    /// The random generator or the recipient's key failed.
    #[error("the envelope could not be sealed")]
    Seal,
}

impl AgentKey {
    /// A fresh key.
    #[must_use]
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(OpeningKey::generate(rng))
    }

    /// A key from its 32 bytes, clamped.
    ///
    /// # Errors
    /// [`NoticeError::Key`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NoticeError> {
        OpeningKey::from_bytes(bytes).map(Self).ok_or(NoticeError::Key)
    }

    /// The 32 secret bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.0.to_bytes()
    }

    /// The public key that the deployment registers.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.0.public()
    }

    /// Opens an envelope for one contract on one chain.
    ///
    /// # Errors
    /// [`NoticeError`].
    pub fn open(&self, chain: u64, contract: &[u8; 20], envelope: &[u8]) -> Result<Notice, NoticeError> {
        let mut reader = Reader::new(envelope);
        reader.header(Kind::AgentEnvelope)?;
        let message = reader.bytes("sealed notice", MESSAGE_LEN)?;
        reader.finish()?;
        let plain = self.0.open(kdf::AGENT, &associated_data(chain, contract), message).ok_or(NoticeError::Closed)?;
        Notice::from_plain(&plain)
    }
}

impl Notice {
    /// Seals a notice to the agent's public key.
    ///
    /// # Errors
    /// [`NoticeError::Seal`].
    pub fn seal(
        &self,
        agent: &[u8; 32],
        chain: u64,
        contract: &[u8; 20],
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, NoticeError> {
        let aad = associated_data(chain, contract);
        let message =
            seal_message(agent, kdf::AGENT, &aad, self.to_plain().as_slice(), rng).ok_or(NoticeError::Seal)?;
        Ok([&header(Kind::AgentEnvelope)[..], &message].concat())
    }

    fn to_plain(&self) -> Zeroizing<[u8; PLAIN_LEN]> {
        let mut plain = Zeroizing::new([0; PLAIN_LEN]);
        plain[0] = self.status;
        plain[8..16].copy_from_slice(&self.deficit.to_be_bytes());
        plain[16..24].copy_from_slice(&self.expiry.to_be_bytes());
        plain[24..56].copy_from_slice(&self.request);
        plain[56..].copy_from_slice(&self.buffer.to_be_bytes());
        plain
    }

    fn from_plain(plain: &[u8]) -> Result<Self, NoticeError> {
        let mut reader = Reader::new(plain);
        let status = reader.u8("status")?;
        let zeros = reader.bytes("padding", 7)?;
        let notice = Self {
            status,
            deficit: reader.u64("deficit")?,
            expiry: reader.u64("expiry")?,
            request: reader.array("request")?,
            buffer: reader.u64("buffer")?,
        };
        reader.finish()?;
        let whole = notice.status != INSOLVENT || notice.buffer <= notice.deficit;
        if status > 2 || !whole || zeros.iter().any(|byte| *byte != 0) {
            return Err(EncodingError::Reserved { what: "notice" }.into());
        }
        Ok(notice)
    }
}

/// The digest of an envelope, as the solvency report carries it: digest32 H("digest"; envelope).
#[must_use]
pub fn envelope_digest(envelope: &[u8]) -> [u8; 32] {
    suite::digest(envelope)
}

fn associated_data(chain: u64, contract: &[u8; 20]) -> [u8; 28] {
    let mut aad = [0; 28];
    aad[..8].copy_from_slice(&chain.to_be_bytes());
    aad[8..].copy_from_slice(contract);
    aad
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};
    use rand_chacha::ChaCha20Rng;

    /// Fixed byte for byte; the snapshot is named in `ccc-core`'s table of kinds.
    #[test]
    fn an_envelope_from_fixed_seeds_is_the_snapshot() {
        let mut rng = ChaCha20Rng::from_seed([4; 32]);
        let key = AgentKey::generate(&mut rng);
        let notice = Notice { status: 2, deficit: 1_234_567, expiry: 1_700_003_600, request: [6; 32], buffer: 0 };
        let made = notice.seal(&key.public(), 31337, &[2; 20], &mut rng).expect("sealed");
        let made_hex: String = made.iter().map(|byte| format!("{byte:02x}")).collect();
        let snapshot = include_str!("../../../vectors/snapshots/agent_envelope.hex");
        assert_eq!(made_hex, snapshot.lines().collect::<String>());
        assert!(key.open(31337, &[2; 20], &made).is_ok_and(|read| read == notice));
    }

    #[test]
    fn every_notice_has_one_length_and_opens_for_the_agent_alone() {
        let mut rng = StdRng::seed_from_u64(1);
        let key = AgentKey::generate(&mut rng);
        for (status, deficit, buffer) in [(0, 0, 0), (1, 0, u64::MAX), (2, u64::MAX, 7)] {
            let notice = Notice { status, deficit, expiry: 5, request: [6; 32], buffer };
            let envelope = notice.seal(&key.public(), 1, &[2; 20], &mut rng).expect("sealed");
            assert_eq!(envelope.len(), ENVELOPE_LEN);
            assert!(key.open(1, &[2; 20], &envelope).is_ok_and(|read| read == notice));
            assert_eq!(key.open(2, &[2; 20], &envelope).err(), Some(NoticeError::Closed));
            assert_eq!(key.open(1, &[3; 20], &envelope).err(), Some(NoticeError::Closed));
            let other = AgentKey::generate(&mut rng);
            assert_eq!(other.open(1, &[2; 20], &envelope).err(), Some(NoticeError::Closed));
            for byte in 0..envelope.len() {
                let mut bent = envelope.clone();
                bent[byte] ^= 1;
                assert!(key.open(1, &[2; 20], &bent).is_err(), "byte {byte}");
            }
        }
    }

    #[test]
    fn keys_survive_their_bytes() {
        let key = AgentKey::generate(&mut StdRng::seed_from_u64(2));
        let read = AgentKey::from_bytes(key.to_bytes().as_slice()).expect("a key");
        assert_eq!(read.public(), key.public());
        assert_eq!(AgentKey::from_bytes(&[0; 31]).err(), Some(NoticeError::Key));
    }

    #[test]
    fn n030_an_unclamped_secret_of_an_agent_is_refused() {
        let key = AgentKey::generate(&mut StdRng::seed_from_u64(2)).to_bytes();
        for (at, bit) in [(0, 0x01), (0, 0x02), (0, 0x04), (31, 0x40), (31, 0x80)] {
            let mut unclamped = *key;
            unclamped[at] ^= bit;
            assert_eq!(AgentKey::from_bytes(&unclamped).err(), Some(NoticeError::Key), "{at}, {bit}");
        }
    }

    #[test]
    fn a_part_that_is_more_than_the_whole_is_refused() {
        let mut rng = StdRng::seed_from_u64(2);
        let key = AgentKey::generate(&mut rng);
        let notice = |status, buffer| Notice { status, deficit: 5, expiry: 5, request: [6; 32], buffer };
        for (status, buffer, good) in [(2, 5, true), (2, 6, false), (1, 6, true)] {
            let envelope = notice(status, buffer).seal(&key.public(), 1, &[2; 20], &mut rng).expect("sealed");
            let opened = key.open(1, &[2; 20], &envelope);
            let refused = NoticeError::Encoding(EncodingError::Reserved { what: "notice" });
            assert_eq!(opened.err(), (!good).then_some(refused), "{status} {buffer}");
        }
    }
}
