//! Secret files: a passphrase-sealed form and a form in the clear, told apart by one byte.
//!
//! *Layout* (integers big-endian), after the 8-byte header of kind 26:
//!
//! | field | bytes | |
//! |---|---|---|
//! | content | 1 | what the plaintext is, see [`Content`] |
//! | protection | 1 | 0 in the clear, 1 passphrase |
//! | reserved | 2 | zero |
//! | m, t, p | 12 | Argon2id: KiB of memory, passes, lanes; only with protection 1, as are the next two |
//! | salt | 32 | fresh per file |
//! | commitment | 32 | second half of the Argon2id output |
//! | body | rest | ChaCha20-Poly1305, zero nonce, everything before it as associated data |
//!
//! In the clear the body is the plaintext followed by the 32-byte digest of everything before it: it proves
//! nothing against a forger, and tells damage from a key.
//!
//! The key is the first half of a 64-byte Argon2id output under a fresh salt, so it is used once and the
//! nonce may be constant. The costs are bounded on both sides before any work is done: a huge cost would
//! stall the reader, a tiny one would give the passphrase away.

use argon2::{Algorithm, Argon2, ParamsBuilder, Version};
use ccc_core::{
    encoding::{EncodingError, HEADER_LEN, Kind, Reader, header},
    suite,
};
use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit,
    aead::{Aead, Payload},
};
use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

const CLEAR: u8 = 0;
const PASSPHRASE: u8 = 1;
const PREFIX_LEN: usize = HEADER_LEN + 4;
const SEALED_PREFIX_LEN: usize = PREFIX_LEN + 12 + 32 + 32;
const DIGEST_LEN: usize = 32;
/// The longest plaintext of any content.
pub(crate) const MAX_PLAIN: usize = 1 << 27;

/// What a secret file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Content {
    /// A vault participant's key share and its signing and dealing keys.
    Participant = 1,
    /// A table account's signing and reading keys.
    Account = 2,
    /// The recovery agent's envelope key.
    Agent = 3,
    /// The enclave's keys of one attempt.
    Attempt = 4,
    /// The key of one report signer.
    Signer = 5,
    /// The key that stands for the enclave's hardware in simulation.
    Hardware = 6,
    /// A tdh2 private share.
    Tdh2 = 7,
    /// A participant's signing and dealing keys, without a share.
    Keys = 8,
    /// A participant's place in a key generation, a refresh or a reshare.
    Rounds = 9,
    /// The key of somebody who reads answers: an owner's for one query, or an auditor's.
    Reader = 10,
}

impl Content {
    const ALL: [Self; 10] = [
        Self::Participant,
        Self::Account,
        Self::Agent,
        Self::Attempt,
        Self::Signer,
        Self::Hardware,
        Self::Tdh2,
        Self::Keys,
        Self::Rounds,
        Self::Reader,
    ];

    /// The longest plaintext: 1 MiB, or the dealings of 1024 dealers to 1024 participants.
    fn max_plain(self) -> usize {
        if self == Self::Rounds { MAX_PLAIN } else { 1 << 20 }
    }

    /// The content with this number.
    ///
    /// # Errors
    /// [`SealedError::Content`].
    pub(crate) fn from_byte(found: u8) -> Result<Self, SealedError> {
        Self::ALL.into_iter().find(|content| *content as u8 == found).ok_or(SealedError::Content { found })
    }

    /// The content in words, with its article.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Participant => "a participant's keys",
            Self::Account => "an account's keys",
            Self::Agent => "an agent's key",
            Self::Attempt => "an attempt's keys",
            Self::Signer => "a report signer's key",
            Self::Hardware => "a simulated hardware key",
            Self::Tdh2 => "a tdh2 private share",
            Self::Keys => "a participant's keys without a share",
            Self::Rounds => "a state of a key generation or handover",
            Self::Reader => "a reader's key",
        }
    }
}

/// Argon2id's costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Memory, KiB.
    pub(crate) memory: u32,
    /// Passes over it.
    pub(crate) passes: u32,
    /// Lanes.
    pub(crate) lanes: u32,
}

impl Cost {
    /// 64 MiB, three passes, one lane (RFC 9106 section 4, second choice, on one core).
    pub(crate) const DEFAULT: Self = Self { memory: 64 * 1024, passes: 3, lanes: 1 };
    const MEMORY: (u32, u32) = (19 * 1024, 1024 * 1024);
    const PASSES: (u32, u32) = (2, 16);
    const LANES: (u32, u32) = (1, 4);

    fn check(self) -> Result<Self, SealedError> {
        let bounds = [
            ("memory", self.memory, Self::MEMORY),
            ("passes", self.passes, Self::PASSES),
            ("lanes", self.lanes, Self::LANES),
        ];
        match bounds.into_iter().find(|(_, found, (least, most))| found < least || found > most) {
            Some((what, found, (least, most))) => Err(SealedError::Cost { what, found, least, most }),
            None => Ok(self),
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, SealedError> {
        Self { memory: reader.u32("memory")?, passes: reader.u32("passes")?, lanes: reader.u32("lanes")? }.check()
    }

    fn to_bytes(self) -> [u8; 12] {
        let mut out = [0; 12];
        out[..4].copy_from_slice(&self.memory.to_be_bytes());
        out[4..8].copy_from_slice(&self.passes.to_be_bytes());
        out[8..].copy_from_slice(&self.lanes.to_be_bytes());
        out
    }
}

/// A passphrase.
///
/// *Security*: no `Clone`, no `Debug`; erased on drop.
pub(crate) struct Passphrase(Zeroizing<String>);

impl Passphrase {
    pub(crate) fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// Its bytes, for the formats of others.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// A secret file that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum SealedError {
    #[error("not a secret file: {0}")]
    Encoding(#[from] EncodingError),
    #[error("content {found} is unknown")]
    Content { found: u8 },
    #[error("protection {found} is unknown")]
    Protection { found: u8 },
    #[error("key derivation cost: {what} {found}, where {least} to {most} are accepted")]
    Cost { what: &'static str, found: u32, least: u32, most: u32 },
    #[error("the passphrase is wrong, or the file was altered")]
    Passphrase,
    #[error("the file was altered")]
    Altered,
    #[error("{found} bytes of secrets, where at most {most} are sealed")]
    TooLong { found: usize, most: usize },
    #[error("the passphrase could not be turned into a key")]
    Derivation,
}

impl SealedError {
    /// Code and hint of [`crate::error::Error::Sealed`].
    pub(crate) fn parts(&self) -> (&'static str, &'static str) {
        match self {
            Self::Encoding(_) | Self::Content { .. } | Self::Protection { .. } => {
                ("secret-file", "the file is damaged or of another kind; `ccc inspect FILE` tells what it is")
            }
            Self::Cost { .. } => {
                ("secret-file-cost", "no file of ours has such a cost: somebody altered it; use a copy")
            }
            Self::Passphrase => ("passphrase", "try again; a sealed file does not tell a wrong passphrase from damage"),
            Self::Altered => ("secret-file-altered", "use a copy of the file, or repair the key from its peers"),
            Self::TooLong { .. } => ("secret-file-long", "this is not a key file"),
            Self::Derivation => ("key-derivation", "free some memory: the key derivation uses 64 MiB"),
        }
    }
}

/// A secret file as read, before its passphrase is known.
pub(crate) struct SecretFile<'a> {
    content: Content,
    body: Body<'a>,
}

enum Body<'a> {
    Clear(&'a [u8]),
    Sealed { cost: Cost, salt: [u8; 32], commitment: [u8; 32], prefix: &'a [u8], sealed: &'a [u8] },
}

impl<'a> SecretFile<'a> {
    /// Reads the layout above; costs are checked here, before anything is derived.
    ///
    /// # Errors
    /// [`SealedError`].
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, SealedError> {
        let mut reader = Reader::new(bytes);
        reader.header(Kind::SealedFile)?;
        let content = Content::from_byte(reader.u8("content")?)?;
        let protection = reader.u8("protection")?;
        if reader.u16("reserved")? != 0 {
            return Err(EncodingError::Reserved { what: "secret file" }.into());
        }
        let body = match protection {
            CLEAR => Self::clear_body(&mut reader, content, bytes)?,
            PASSPHRASE => Self::sealed_body(&mut reader, content, bytes)?,
            found => return Err(SealedError::Protection { found }),
        };
        Ok(Self { content, body })
    }

    fn clear_body(reader: &mut Reader<'a>, content: Content, bytes: &'a [u8]) -> Result<Body<'a>, SealedError> {
        let body = limited(reader.bytes("body", reader.remaining())?, content, DIGEST_LEN)?;
        let plain_len = body.len().checked_sub(DIGEST_LEN).ok_or(SealedError::Altered)?;
        let (plain, digest) = body.split_at(plain_len);
        if suite::digest(&bytes[..PREFIX_LEN + plain_len]) != digest {
            return Err(SealedError::Altered);
        }
        Ok(Body::Clear(plain))
    }

    fn sealed_body(reader: &mut Reader<'a>, content: Content, bytes: &'a [u8]) -> Result<Body<'a>, SealedError> {
        let cost = Cost::read(reader)?;
        let salt = reader.array("salt")?;
        let commitment = reader.array("commitment")?;
        let sealed = limited(reader.bytes("body", reader.remaining())?, content, 16)?;
        Ok(Body::Sealed { cost, salt, commitment, prefix: &bytes[..SEALED_PREFIX_LEN], sealed })
    }

    /// What it holds.
    pub(crate) fn content(&self) -> Content {
        self.content
    }

    /// The costs of its passphrase; nothing for a file in the clear.
    pub(crate) fn cost(&self) -> Option<Cost> {
        match self.body {
            Body::Clear(_) => None,
            Body::Sealed { cost, .. } => Some(cost),
        }
    }

    /// Opens it; `passphrase` is asked only for a sealed file.
    ///
    /// # Errors
    /// [`SealedError::Passphrase`], [`SealedError::Altered`], or what `passphrase` fails with.
    pub(crate) fn open<E: From<SealedError>>(
        &self,
        passphrase: impl FnOnce() -> Result<std::rc::Rc<Passphrase>, E>,
    ) -> Result<Zeroizing<Vec<u8>>, E> {
        match &self.body {
            Body::Clear(plain) => Ok(Zeroizing::new(plain.to_vec())),
            Body::Sealed { cost, salt, commitment, prefix, sealed } => {
                let derived = Derived::new(&*passphrase()?, *cost, salt)?;
                if !derived.commits_to(commitment) {
                    return Err(SealedError::Passphrase.into());
                }
                let plain = derived.cipher().decrypt(&[0; 12].into(), Payload { msg: sealed, aad: prefix });
                plain.map(Zeroizing::new).map_err(|_| SealedError::Altered.into())
            }
        }
    }
}

fn limited(body: &[u8], content: Content, overhead: usize) -> Result<&[u8], SealedError> {
    let most = content.max_plain();
    match body.len() {
        found if found > most + overhead => Err(SealedError::TooLong { found: found - overhead, most }),
        _ => Ok(body),
    }
}

fn prefix(content: Content, protection: u8) -> Vec<u8> {
    let mut out = header(Kind::SealedFile).to_vec();
    out.extend_from_slice(&[content as u8, protection, 0, 0]);
    out
}

/// The form in the clear.
pub(crate) fn clear(content: Content, plain: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(PREFIX_LEN + plain.len() + DIGEST_LEN));
    out.extend_from_slice(&prefix(content, CLEAR));
    out.extend_from_slice(plain);
    let digest = suite::digest(&out);
    out.extend_from_slice(&digest);
    out
}

/// The sealed form.
///
/// # Errors
/// [`SealedError::Cost`], [`SealedError::TooLong`], [`SealedError::Derivation`].
pub(crate) fn seal(
    content: Content,
    plain: &[u8],
    passphrase: &Passphrase,
    cost: Cost,
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, SealedError> {
    let (found, most) = (plain.len(), content.max_plain());
    if found > most {
        return Err(SealedError::TooLong { found, most });
    }
    let mut salt = [0; 32];
    rng.fill_bytes(&mut salt);
    let derived = Derived::new(passphrase, cost.check()?, &salt)?;
    let mut out = prefix(content, PASSPHRASE);
    out.extend_from_slice(&cost.to_bytes());
    out.extend_from_slice(&salt);
    out.extend_from_slice(&derived.0[32..]);
    let body = derived.cipher().encrypt(&[0; 12].into(), Payload { msg: plain, aad: &out });
    out.extend_from_slice(&body.map_err(|_| SealedError::TooLong { found, most })?);
    Ok(out)
}

/// Key ‖ commitment.
struct Derived(Zeroizing<[u8; 64]>);

impl Derived {
    fn new(passphrase: &Passphrase, cost: Cost, salt: &[u8; 32]) -> Result<Self, SealedError> {
        let params = ParamsBuilder::new()
            .m_cost(cost.memory)
            .t_cost(cost.passes)
            .p_cost(cost.lanes)
            .output_len(64)
            .build()
            .map_err(|_| SealedError::Derivation)?;
        let mut out = Zeroizing::new([0; 64]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.0.as_bytes(), salt, out.as_mut_slice())
            .map_err(|_| SealedError::Derivation)?;
        Ok(Self(out))
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        let mut key = [0; 32];
        key.copy_from_slice(&self.0[..32]);
        let cipher = ChaCha20Poly1305::new(&key.into());
        key.zeroize();
        cipher
    }

    /// Compares every byte, whatever the first difference.
    fn commits_to(&self, commitment: &[u8; 32]) -> bool {
        self.0[32..].iter().zip(commitment).fold(0, |acc, (a, b)| acc | (a ^ b)) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};
    use std::rc::Rc;

    const LEAST: Cost = Cost { memory: 19 * 1024, passes: 2, lanes: 1 };

    fn passphrase(text: &str) -> Rc<Passphrase> {
        Rc::new(Passphrase::new(Zeroizing::new(text.to_owned())))
    }

    fn sealed() -> Vec<u8> {
        seal(Content::Account, b"secret", &passphrase("right"), LEAST, &mut StdRng::seed_from_u64(1)).expect("sealed")
    }

    fn open(bytes: &[u8], text: &str) -> Result<Vec<u8>, SealedError> {
        SecretFile::parse(bytes)?.open(|| Ok(passphrase(text))).map(|plain| plain.to_vec())
    }

    /// Fixed byte for byte; the snapshots are named in `ccc-core`'s table of kinds.
    #[test]
    fn files_from_fixed_seeds_are_the_snapshots() {
        let mut rng = rand_chacha::ChaCha20Rng::from_seed([5; 32]);
        let sealed = seal(Content::Keys, b"secret", &passphrase("right"), LEAST, &mut rng).expect("sealed");
        for (made, snapshot) in [
            (
                clear(Content::Keys, b"secret").to_vec(),
                include_str!("../../../../vectors/snapshots/sealed_file_clear.hex"),
            ),
            (sealed, include_str!("../../../../vectors/snapshots/sealed_file_passphrase.hex")),
        ] {
            assert_eq!(hex::encode(&made), snapshot.lines().collect::<String>());
            assert_eq!(open(&made, "right"), Ok(b"secret".to_vec()));
        }
    }

    #[test]
    fn opens_with_the_passphrase_alone() {
        let bytes = sealed();
        assert_eq!(open(&bytes, "right"), Ok(b"secret".to_vec()));
        assert_eq!(open(&bytes, "wrong"), Err(SealedError::Passphrase));
        assert!(!bytes.windows(6).any(|window| window == b"secret"));
    }

    #[test]
    fn truncated_and_bent_files_are_refused() {
        let bytes = sealed();
        for length in [0, 7, 8, 11, 12, 23, 40, 87, 88, bytes.len() - 1] {
            assert!(open(&bytes[..length], "right").is_err(), "length {length}");
        }
        for byte in (0..24).chain([30, 60, 88, bytes.len() - 1]) {
            let mut bent = bytes.clone();
            bent[byte] ^= 1;
            assert!(open(&bent, "right").is_err(), "byte {byte}");
        }
        assert_eq!(open(&[bytes, vec![0]].concat(), "right"), Err(SealedError::Altered));
    }

    #[test]
    fn costs_are_bounded_before_any_work() {
        let with = |at: usize, value: u32| {
            let mut bytes = sealed();
            bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
            SecretFile::parse(&bytes).err()
        };
        let cost = |what, found, (least, most)| Some(SealedError::Cost { what, found, least, most });
        assert_eq!(with(12, u32::MAX), cost("memory", u32::MAX, Cost::MEMORY));
        assert_eq!(with(12, 8), cost("memory", 8, Cost::MEMORY));
        assert_eq!(with(16, 1), cost("passes", 1, Cost::PASSES));
        assert_eq!(with(16, 1 << 30), cost("passes", 1 << 30, Cost::PASSES));
        assert_eq!(with(20, 0), cost("lanes", 0, Cost::LANES));
        assert_eq!(with(20, 255), cost("lanes", 255, Cost::LANES));
        assert_eq!(with(12, 19 * 1024), None);
    }

    #[test]
    fn the_form_in_the_clear_needs_no_passphrase() {
        let bytes = clear(Content::Signer, b"key");
        let file = SecretFile::parse(&bytes).expect("a secret file");
        assert_eq!((file.content(), file.cost()), (Content::Signer, None));
        let plain = file.open::<SealedError>(|| panic!("no passphrase is asked"));
        assert_eq!(plain.map(|plain| plain.to_vec()), Ok(b"key".to_vec()));
        for byte in 0..bytes.len() {
            let mut bent = bytes.to_vec();
            bent[byte] ^= 1;
            assert!(SecretFile::parse(&bent).is_err(), "byte {byte}");
        }
    }

    #[test]
    fn unknown_contents_and_protections_are_refused() {
        let mut bytes = clear(Content::Signer, b"key").to_vec();
        bytes[8] = 99;
        assert_eq!(SecretFile::parse(&bytes).err(), Some(SealedError::Content { found: 99 }));
        bytes[8] = 1;
        bytes[9] = 2;
        assert_eq!(SecretFile::parse(&bytes).err(), Some(SealedError::Protection { found: 2 }));
        bytes[9] = 0;
        bytes[11] = 1;
        assert!(matches!(SecretFile::parse(&bytes).err(), Some(SealedError::Encoding(_))));
        bytes[11] = 0;
        bytes[8] = 2;
        assert_eq!(SecretFile::parse(&bytes).err(), Some(SealedError::Altered));
        let most = 1 << 20;
        let long = clear(Content::Signer, &vec![0; most + 1]);
        assert_eq!(SecretFile::parse(&long).err(), Some(SealedError::TooLong { found: most + 1, most }));
    }
}
