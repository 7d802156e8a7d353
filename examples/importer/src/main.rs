//! One message: encrypted to a committee of four, re-encrypted to one enclave, opened there.

use ccc_core::{ciphertext::*, enclave::AttemptKeys, encoding::Kind, envelope::Envelope, epoch::Epoch, keys::*};
use ccc_core::{identifier::Identifier, threshold::Threshold, vault::*};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut rng = ChaCha20Rng::from_seed([1; 32]); // a demonstration: a user takes the system's generator
    let keys = (0..4).map(|_| ParticipantKeys::generate(&mut rng)).collect::<Result<Vec<_>, _>>()?;
    let members =
        (1..).zip(&keys).map(|(i, k)| Ok(k.public(Identifier::new(i)?))).collect::<Result<_, Box<dyn Error>>>()?;
    let (committee, shares) = dealer::deal(&Roster::new(Epoch(0), Threshold::default_for(4)?, members)?, &mut rng)?;
    let (master, chain, contract, id) = (*committee.master_public_key(), 1, [2; 20], [3; 32]);
    let label = Label {
        kind: LabelKind::Recipient,
        chain,
        contract,
        id,
        version: 1,
        requester: [4; 20],
        expiry: 9,
        context: [0; 32],
    };
    let ciphertexts = [Ciphertext::encrypt(&master, &label, b"an order", &mut rng)?.verify(&master)?];
    let (epoch, digest, names) = (committee.epoch(), committee.digest(), vec![ciphertexts[0].digest()]);
    let request = Request {
        chain,
        contract,
        id,
        table_header: None,
        block_hash: [5; 32],
        deadline: 8,
        mode: Mode::Sealed,
        epoch,
        committee: digest,
        ciphertexts: names,
    };
    let enclave = AttemptKeys::generate(&mut rng)?;
    let recipient = enclave.recipient([6; 32]);
    let mut envelopes = Vec::new();
    for (keys, share) in keys.iter().zip(&shares) {
        let sealed = sealed::seal(share, &committee, &request, &recipient, &ciphertexts, &mut rng)?.to_bytes();
        envelopes.push(Envelope::sign(
            keys,
            &digest,
            epoch,
            share.identifier(),
            &request.digest(),
            Kind::Sealed,
            sealed,
        )?);
    }
    let opened =
        enclave.open(&committee, &request, recipient.measurement, &ciphertexts, envelopes)?.every(&ciphertexts)?;
    println!("opened: {}", String::from_utf8_lossy(&opened[0]));
    Ok(())
}
