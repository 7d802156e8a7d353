//! Their vectors, and what must be refused.

mod forms;
mod refusals;
mod vectors;

use super::*;
use crate::threshold::Threshold;
use rand::{SeedableRng, rngs::StdRng};
use serde_json::value::RawValue;
use std::sync::LazyLock;

static FILE: LazyLock<String> = LazyLock::new(|| crate::support::outside_text("tdh2-p256/vectors.json"));

/// One case of the vectors, each object in its own bytes.
#[derive(serde::Deserialize)]
struct Case<'a> {
    name: String,
    k: u16,
    n: u16,
    #[serde(borrow)]
    public_key: &'a RawValue,
    #[serde(borrow)]
    private_shares: Option<Vec<&'a RawValue>>,
    label_hex: String,
    message_hex: String,
    #[serde(borrow)]
    ciphertext: &'a RawValue,
    #[serde(borrow)]
    decryption_shares: Vec<&'a RawValue>,
}

fn cases() -> Vec<Case<'static>> {
    serde_json::from_str(FILE.as_str()).unwrap()
}

/// The object as their encoder gives it: the file may indent, no text in it holds a space.
fn compact(raw: &RawValue) -> String {
    raw.get().split_whitespace().collect()
}

impl Case<'_> {
    fn key(&self) -> PublicKey {
        PublicKey::from_json(compact(self.public_key).as_bytes()).unwrap()
    }

    fn hybrid(&self) -> easy::Ciphertext {
        easy::Ciphertext::from_json(compact(self.ciphertext).as_bytes()).unwrap()
    }

    fn shares(&self) -> Vec<DecryptionShare> {
        let read = |raw: &&RawValue| DecryptionShare::from_json(compact(raw).as_bytes()).unwrap();
        self.decryption_shares.iter().map(read).collect()
    }

    /// They stand in the first case of each key alone.
    fn privates(&self) -> Vec<PrivateShare> {
        let read = |raw: &&RawValue| PrivateShare::from_json(compact(raw).as_bytes()).unwrap();
        self.private_shares.iter().flatten().map(read).collect()
    }

    fn message(&self) -> Vec<u8> {
        hex::decode(&self.message_hex).unwrap()
    }

    fn threshold(&self) -> Threshold {
        Threshold::unsafe_without_fault_bound(self.k, self.n).unwrap()
    }
}

fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// 3 of 5 with a ciphertext of 32 bytes and every share of it.
struct Fixture {
    dealt: Dealt,
    ciphertext: Ciphertext,
    message: [u8; INPUT_LEN],
}

impl Fixture {
    fn new() -> Self {
        let dealt = deal(Threshold::new(3, 5).unwrap(), &mut rng(1)).unwrap();
        let message = [0x5a; INPUT_LEN];
        let ciphertext = Ciphertext::encrypt(&dealt.public_key, &[7; INPUT_LEN], &message, &mut rng(2)).unwrap();
        Self { dealt, ciphertext, message }
    }

    fn verified(&self) -> VerifiedCiphertext<'_> {
        self.ciphertext.clone().verify(&self.dealt.public_key).unwrap()
    }

    fn threshold(&self) -> Threshold {
        self.dealt.public_key.threshold().unwrap()
    }

    fn shares(&self) -> Vec<DecryptionShare> {
        let create = |private: &PrivateShare| {
            DecryptionShare::create(private, &self.verified(), &mut rng(u64::from(private.index()) + 3)).unwrap()
        };
        self.dealt.shares.iter().map(create).collect()
    }
}
