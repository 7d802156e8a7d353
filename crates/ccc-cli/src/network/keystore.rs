//! A wallet's keystore: Web3 Secret Storage, version 3, as geth, `cast wallet` and others write it.
//!
//! *Source*: Ethereum wiki, "Web3 Secret Storage Definition". The passphrase gives 32 bytes by scrypt or PBKDF2; the
//! second half with the ciphertext is hashed to the check value, the first half is the key of AES-128 in counter mode.
//!
//! *Security*: what the derivation may cost is bounded before any memory is taken.

use aes::cipher::{KeyIvInit, StreamCipher};
use alloy::primitives::keccak256;
use serde::Deserialize;
use zeroize::Zeroizing;

/// The longest file.
pub(super) const MAX_FILE: u64 = 1 << 14;

/// The most memory that scrypt may take, in bytes; geth's cost takes half of it.
const MAX_MEMORY: u64 = 1 << 29;
/// The most passes over that memory.
const MAX_PASSES: u32 = 16;
/// The most rounds of PBKDF2.
const MAX_ROUNDS: u32 = 10_000_000;
/// The longest salt.
const MAX_SALT: usize = 64;
const DERIVED: u32 = 32;

/// Why a keystore does not open; nothing that stands in the file is quoted, for it may be a key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeystoreError {
    #[error("not a keystore: line {line}, column {column}")]
    Json { line: usize, column: usize },
    #[error("version {found}, expected 3")]
    Version { found: u64 },
    #[error("another cipher, expected aes-128-ctr")]
    Cipher,
    #[error("another key derivation, expected scrypt or pbkdf2 with hmac-sha256")]
    Derivation,
    #[error("{what} has {found} bytes, expected {expected}")]
    Length { what: &'static str, expected: &'static str, found: usize },
    #[error("{what} of the key derivation is {found}, which is out of range")]
    Cost { what: &'static str, found: u64 },
    #[error("the passphrase is wrong, or the file was altered")]
    Passphrase,
    #[error("what it holds is no private key")]
    NotAKey,
}

impl KeystoreError {
    pub(super) fn parts(&self) -> (&'static str, &'static str) {
        match self {
            Self::Passphrase => ("keystore", "give the keystore's passphrase with --passphrase-file, or type it"),
            _ => {
                ("keystore", "a keystore of version 3 is read, as `geth account new` or `cast wallet import` write it")
            }
        }
    }
}

#[derive(Deserialize)]
struct Document {
    version: u64,
    #[serde(alias = "Crypto")]
    crypto: Crypto,
}

#[derive(Deserialize)]
struct Crypto {
    cipher: String,
    ciphertext: String,
    cipherparams: CipherParameters,
    kdf: String,
    kdfparams: DerivationParameters,
    mac: String,
}

#[derive(Deserialize)]
struct CipherParameters {
    iv: String,
}

/// Those of scrypt and those of PBKDF2.
#[derive(Deserialize)]
struct DerivationParameters {
    dklen: u32,
    salt: String,
    n: Option<u64>,
    r: Option<u32>,
    p: Option<u32>,
    c: Option<u32>,
    prf: Option<String>,
}

enum Derivation {
    Scrypt(scrypt::Params),
    Pbkdf2 { rounds: u32 },
}

/// A keystore whose numbers are in range, not yet opened.
pub(super) struct Keystore {
    ciphertext: [u8; 32],
    iv: [u8; 16],
    mac: [u8; 32],
    salt: Vec<u8>,
    derivation: Derivation,
}

impl Keystore {
    /// Reads the file.
    ///
    /// # Errors
    /// Everything but [`KeystoreError::Passphrase`] and [`KeystoreError::NotAKey`].
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, KeystoreError> {
        let Document { version, crypto } = serde_json::from_slice(bytes).map_err(malformed)?;
        if version != 3 {
            return Err(KeystoreError::Version { found: version });
        }
        if crypto.cipher != "aes-128-ctr" {
            return Err(KeystoreError::Cipher);
        }
        if crypto.kdfparams.dklen != DERIVED {
            return Err(KeystoreError::Cost { what: "dklen", found: crypto.kdfparams.dklen.into() });
        }
        Ok(Self {
            ciphertext: exactly("the ciphertext", "32", &crypto.ciphertext)?,
            iv: exactly("the initial counter", "16", &crypto.cipherparams.iv)?,
            mac: exactly("the check value", "32", &crypto.mac)?,
            salt: salt(&crypto.kdfparams.salt)?,
            derivation: derivation(&crypto.kdf, &crypto.kdfparams)?,
        })
    }

    /// The private key.
    ///
    /// # Errors
    /// [`KeystoreError::Passphrase`].
    pub(super) fn open(&self, passphrase: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
        let derived = self.derive(passphrase)?;
        let checked = Zeroizing::new([&derived[16..], &self.ciphertext[..]].concat());
        // whoever can time this comparison holds the file, and with it the check value
        if keccak256(checked.as_slice()) != self.mac {
            return Err(KeystoreError::Passphrase);
        }
        let mut key = Zeroizing::new(self.ciphertext);
        let cipher_key: &[u8; 16] = derived.first_chunk().expect("32 bytes begin with 16");
        ctr::Ctr128BE::<aes::Aes128>::new(cipher_key.into(), (&self.iv).into()).apply_keystream(key.as_mut_slice());
        Ok(key)
    }

    fn derive(&self, passphrase: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
        let mut derived = Zeroizing::new([0; 32]);
        match &self.derivation {
            Derivation::Scrypt(cost) => scrypt::scrypt(passphrase, &self.salt, cost, derived.as_mut_slice())
                .map_err(|_| KeystoreError::Cost { what: "dklen", found: DERIVED.into() })?,
            Derivation::Pbkdf2 { rounds } => {
                pbkdf2::pbkdf2_hmac::<sha2::Sha256>(passphrase, &self.salt, *rounds, derived.as_mut_slice());
            }
        }
        Ok(derived)
    }
}

fn malformed(error: serde_json::Error) -> KeystoreError {
    KeystoreError::Json { line: error.line(), column: error.column() }
}

fn exactly<const N: usize>(what: &'static str, expected: &'static str, digits: &str) -> Result<[u8; N], KeystoreError> {
    let mut bytes = [0; N];
    let found = digits.len() / 2;
    hex::decode_to_slice(digits, &mut bytes).map_err(|_| KeystoreError::Length { what, expected, found })?;
    Ok(bytes)
}

fn salt(digits: &str) -> Result<Vec<u8>, KeystoreError> {
    let refused = KeystoreError::Length { what: "the salt", expected: "1 to 64", found: digits.len() / 2 };
    match hex::decode(digits) {
        Ok(salt) if (1..=MAX_SALT).contains(&salt.len()) => Ok(salt),
        _ => Err(refused),
    }
}

fn derivation(name: &str, parameters: &DerivationParameters) -> Result<Derivation, KeystoreError> {
    match (name, parameters.prf.as_deref()) {
        ("scrypt", _) => scrypt_cost(parameters).map(Derivation::Scrypt),
        ("pbkdf2", Some("hmac-sha256")) => match parameters.c.unwrap_or_default() {
            rounds @ 1..=MAX_ROUNDS => Ok(Derivation::Pbkdf2 { rounds }),
            found => Err(KeystoreError::Cost { what: "c", found: found.into() }),
        },
        _ => Err(KeystoreError::Derivation),
    }
}

fn scrypt_cost(parameters: &DerivationParameters) -> Result<scrypt::Params, KeystoreError> {
    let (n, r, p) =
        (parameters.n.unwrap_or_default(), parameters.r.unwrap_or_default(), parameters.p.unwrap_or_default());
    // the memory of one pass, and of what stands between the passes
    let blocks = n.checked_add(p.into());
    let memory = blocks.and_then(|blocks| blocks.checked_mul(128)?.checked_mul(r.into()));
    if !n.is_power_of_two() || n < 2 || memory.is_none_or(|bytes| bytes > MAX_MEMORY) {
        return Err(KeystoreError::Cost { what: "n", found: n });
    }
    if p == 0 || p > MAX_PASSES {
        return Err(KeystoreError::Cost { what: "p", found: p.into() });
    }
    let log_n = u8::try_from(n.trailing_zeros()).expect("a number of 64 bits has at most 63 trailing zeros");
    scrypt::Params::new(log_n, r, p).map_err(|_| KeystoreError::Cost { what: "r", found: r.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two test vectors of the definition; passphrase `testpassword`.
    const SCRYPT: &str = r#"{"crypto":{"cipher":"aes-128-ctr",
        "cipherparams":{"iv":"83dbcc02d8ccb40e466191a123791e0e"},
        "ciphertext":"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c","kdf":"scrypt",
        "kdfparams":{"dklen":32,"n":262144,"p":8,"r":1,
        "salt":"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"},
        "mac":"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"},
        "id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;
    const PBKDF2: &str = r#"{"crypto":{"cipher":"aes-128-ctr",
        "cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2",
        "kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256",
        "salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
        "mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},
        "id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;
    const KEY: &str = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";

    fn refused(document: &str) -> KeystoreError {
        Keystore::parse(document.as_bytes()).err().expect("refused")
    }

    #[test]
    fn the_definitions_vectors_open() {
        for document in [SCRYPT, PBKDF2] {
            let keystore = Keystore::parse(document.as_bytes()).expect("a keystore");
            assert_eq!(hex::encode(keystore.open(b"testpassword").expect("opened").as_slice()), KEY);
        }
    }

    #[test]
    fn a_wrong_passphrase_and_an_altered_file_are_refused() {
        let keystore = Keystore::parse(PBKDF2.as_bytes()).expect("a keystore");
        assert!(matches!(keystore.open(b"testpasswore"), Err(KeystoreError::Passphrase)));
        let altered = PBKDF2.replace("5318b4d5", "5318b4d4");
        let keystore = Keystore::parse(altered.as_bytes()).expect("a keystore");
        assert!(matches!(keystore.open(b"testpassword"), Err(KeystoreError::Passphrase)));
    }

    #[test]
    fn costs_are_bounded_before_memory_is_taken() {
        for (what, n, r, p) in [
            ("n", 1u64 << 40, 8u32, 1u32),
            ("n", 1 << 22, 8, 1),
            ("n", 262_143, 8, 1),
            ("n", 0, 8, 1),
            ("n", u64::MAX, 8, 1),
            ("n", 262_144, u32::MAX, 1),
            ("n", 2, 1 << 21, 16),
            ("r", 262_144, 0, 1),
            ("p", 262_144, 8, 0),
            ("p", 262_144, 8, 17),
        ] {
            let document = SCRYPT.replace("\"n\":262144,\"p\":8,\"r\":1", &format!("\"n\":{n},\"p\":{p},\"r\":{r}"));
            match refused(&document) {
                KeystoreError::Cost { what: found, .. } => assert_eq!(found, what, "{n} {r} {p}"),
                other => panic!("expected a refusal of the cost, found {other}"),
            }
        }
        for c in ["0", "10000001"] {
            let document = PBKDF2.replace("\"c\":262144", &format!("\"c\":{c}"));
            assert!(matches!(refused(&document), KeystoreError::Cost { what: "c", .. }));
        }
    }

    #[test]
    fn a_refusal_quotes_nothing_of_the_file() {
        let texts = [format!("\"0x{KEY}\""), SCRYPT.replace("aes-128-ctr", KEY), SCRYPT.replace("scrypt", KEY)];
        for text in texts {
            assert!(!refused(&text).to_string().contains(KEY), "{}", refused(&text));
        }
    }

    #[test]
    fn other_forms_are_refused() {
        assert!(matches!(refused("{}"), KeystoreError::Json { .. }));
        assert!(matches!(
            refused(&SCRYPT.replace("\"version\":3", "\"version\":1")),
            KeystoreError::Version { found: 1 }
        ));
        assert!(matches!(refused(&SCRYPT.replace("aes-128-ctr", "aes-256-gcm")), KeystoreError::Cipher));
        assert!(matches!(refused(&PBKDF2.replace("hmac-sha256", "hmac-sha1")), KeystoreError::Derivation));
        assert!(matches!(
            refused(&SCRYPT.replace("\"dklen\":32", "\"dklen\":16")),
            KeystoreError::Cost { what: "dklen", .. }
        ));
        assert!(matches!(refused(&SCRYPT.replace("83dbcc02", "")), KeystoreError::Length { found: 12, .. }));
        assert!(matches!(refused(&SCRYPT.replace("2103ac29", "zz03ac29")), KeystoreError::Length { .. }));
        let long = SCRYPT.replace("ab0c7876", &"ab".repeat(65));
        assert!(matches!(refused(&long), KeystoreError::Length { what: "the salt", .. }));
    }
}
