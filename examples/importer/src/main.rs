//! One message: encrypted to a committee of four, re-encrypted to one enclave, opened there.

use ccc_core::{ciphertext::*, enclave::AttemptKeys, envelope::Envelope, epoch::Epoch, keys::*};
use ccc_core::{identifier::Identifier, threshold::Threshold, vault::*};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::error::Error;

type Or<T> = Result<T, Box<dyn Error>>;

fn main() -> Or<()> {
    let mut rng = ChaCha20Rng::from_seed([1; 32]); // a demonstration: a user takes the system's generator
    let vault = Vault::deal(&mut rng)?;
    let master = vault.committee.master_public_key();
    let ciphertexts = [Ciphertext::encrypt(master, &label(), b"an order", &mut rng)?.verify(master)?];
    let (enclave, request) = (AttemptKeys::generate(&mut rng)?, request(&vault.committee, &ciphertexts));
    let recipient = enclave.recipient([6; 32]);
    let envelopes = vault.answers(&request, &recipient, &ciphertexts, &mut rng)?;
    let opened = enclave.open(&vault.committee, &request, recipient.measurement, &ciphertexts, envelopes)?;
    println!("opened: {}", String::from_utf8_lossy(&opened.every(&ciphertexts)?[0]));
    Ok(())
}

/// Four participants in one place, with what a dealer gave them.
struct Vault {
    keys: Vec<ParticipantKeys>,
    committee: Committee,
    shares: Vec<KeyShare>,
}

impl Vault {
    fn deal(rng: &mut ChaCha20Rng) -> Or<Self> {
        let keys = (0..4).map(|_| ParticipantKeys::generate(rng)).collect::<Result<Vec<_>, _>>()?;
        let members = (1..).zip(&keys).map(|(i, keys)| Ok(keys.public(Identifier::new(i)?))).collect::<Or<_>>()?;
        let (committee, shares) = dealer::deal(&Roster::new(Epoch(0), Threshold::default_for(4)?, members)?, rng)?;
        Ok(Self { keys, committee, shares })
    }

    /// What each of them signs: its share of every ciphertext, sealed to the enclave.
    fn answers(
        &self,
        request: &Request,
        recipient: &Recipient,
        ciphertexts: &[VerifiedCiphertext],
        rng: &mut ChaCha20Rng,
    ) -> Or<Vec<Envelope>> {
        let (committee, topic) = (&self.committee, request.digest());
        let answer = |(keys, share): (&ParticipantKeys, &KeyShare)| {
            let Answer { kind, payload } = answer(share, committee, request, recipient, ciphertexts, rng)?;
            let i = share.identifier();
            Ok(Envelope::sign(keys, &committee.digest(), committee.epoch(), i, &topic, kind, payload)?)
        };
        self.keys.iter().zip(&self.shares).map(answer).collect()
    }
}

/// For whom, on which contract, and until when.
fn label() -> Label {
    let (kind, version, context) = (LabelKind::Recipient, 1, [0; 32]);
    Label { kind, chain: 1, contract: [2; 20], id: [3; 32], version, requester: [4; 20], expiry: 9, context }
}

/// What the chain asks the participants for.
fn request(committee: &Committee, ciphertexts: &[VerifiedCiphertext]) -> Request {
    Request {
        chain: 1,
        contract: [2; 20],
        id: [3; 32],
        table_header: None,
        block_hash: [5; 32],
        deadline: 8,
        mode: Mode::Sealed,
        epoch: committee.epoch(),
        committee: committee.digest(),
        ciphertexts: ciphertexts.iter().map(VerifiedCiphertext::digest).collect(),
    }
}
