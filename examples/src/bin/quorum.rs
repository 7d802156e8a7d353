//! An order is encrypted to a committee of seven, re-encrypted by its members to one attested enclave, and opened
//! there although one member signs something else.

use ccc_core::{
    ciphertext::{Ciphertext, Label, LabelKind},
    enclave::{
        AttemptKeys,
        attestation::{
            AttestationProvider, Hardware, OperatingMode, Policy,
            simulated::{SimulatedHardware, SimulatedProvider},
        },
    },
    encoding::Kind,
    envelope::Envelope,
    epoch::Epoch,
    identifier::Identifier,
    keys::{Committee, KeyShare, ParticipantKeys, Roster, dealer},
    threshold::Threshold,
    vault::{Mode, Request, sealed::seal},
};
use ccc_examples::{Anything, generator, holds};
use rand::{Rng, rngs::StdRng};

const PARTICIPANTS: u16 = 7;
const FAULTY: u16 = 2;
const MEASUREMENT: [u8; 32] = [0xE1; 32];
const NOW: u64 = 1_800_000_000;

struct Participant {
    keys: ParticipantKeys,
    share: KeyShare,
}

fn main() -> Result<(), Anything> {
    let mut rng = generator()?;
    let (committee, participants) = committee(&mut rng)?;
    println!("{} of {} shares open", committee.threshold().t(), committee.threshold().n());

    // the client: needs the master public key only
    let order = b"buy 624 BTC";
    let ciphertext = Ciphertext::encrypt(committee.master_public_key(), &label(), order, &mut rng)?;
    println!("the order of {} bytes is a ciphertext of {}", order.len(), ciphertext.to_bytes().len());
    let verified = [ciphertext.verify(committee.master_public_key())?];

    // the enclave: fresh keys, and evidence that they are its own for this request
    let request = request(&committee, verified[0].digest());
    let attempt = AttemptKeys::generate(&mut rng)?;
    let recipient = attempt.recipient(MEASUREMENT);
    let hardware = SimulatedProvider::new(SimulatedHardware::from_seed(&random32(&mut rng)), MEASUREMENT);
    let evidence = hardware.attest(&attempt.user_data(&request.digest()), &request.digest(), NOW)?;
    let policy = Policy {
        mode: OperatingMode::Simulation,
        measurements: vec![MEASUREMENT],
        max_age: 60,
        simulated_roots: vec![hardware.root()],
        hardware: Hardware::default(),
    };

    // the vault: each member checks the evidence, then seals its share to these keys
    let mut envelopes = Vec::new();
    for participant in &participants {
        let digest = request.digest();
        policy.check(&evidence, &recipient.user_data(&digest), &digest, NOW)?;
        let sealed = seal(&participant.share, &committee, &request, &recipient, &verified, &mut rng)?;
        let mut payload = sealed.to_bytes();
        if participant.share.identifier().get() == FAULTY {
            payload.pop();
        }
        envelopes.push(sign(participant, &committee, &request, payload)?);
    }

    let opened = attempt.open(&committee, &request, MEASUREMENT, &verified, envelopes)?;
    // one plaintext per ciphertext; none where the ciphertext's author is at fault
    let plaintext = opened.plaintexts[0].as_deref().ok_or("the ciphertext does not open")?;
    println!("opened: {}", String::from_utf8_lossy(plaintext));
    let culprits: Vec<u16> = opened.culprits.iter().map(|culprit| culprit.identifier.get()).collect();
    println!("named as faulty: {culprits:?}");
    holds("the plaintext is the order", plaintext == order)?;
    holds("the faulty member is named, and nobody else", culprits == [FAULTY])
}

fn committee(rng: &mut StdRng) -> Result<(Committee, Vec<Participant>), Anything> {
    let keys = (0..PARTICIPANTS).map(|_| ParticipantKeys::generate(rng)).collect::<Result<Vec<_>, _>>()?;
    let members = (1..=PARTICIPANTS)
        .zip(&keys)
        .map(|(number, keys)| Ok(keys.public(Identifier::new(number)?)))
        .collect::<Result<Vec<_>, Anything>>()?;
    let roster = Roster::new(Epoch(1), Threshold::default_for(PARTICIPANTS)?, members)?;
    let (committee, shares) = dealer::deal(&roster, rng)?;
    let participants = keys.into_iter().zip(shares).map(|(keys, share)| Participant { keys, share });
    Ok((committee, participants.collect()))
}

fn label() -> Label {
    Label {
        kind: LabelKind::Recipient,
        chain: 31_337,
        contract: [0xC0; 20],
        id: [7; 32],
        version: 0,
        requester: [0xA0; 20],
        expiry: NOW + 60,
        context: [0; 32],
    }
}

fn request(committee: &Committee, ciphertext: [u8; 32]) -> Request {
    Request {
        chain: 31_337,
        contract: [0xC0; 20],
        id: [7; 32],
        table_header: None,
        block_hash: [0xB0; 32],
        deadline: NOW + 60,
        mode: Mode::Sealed,
        epoch: committee.epoch(),
        committee: committee.digest(),
        ciphertexts: vec![ciphertext],
    }
}

fn sign(from: &Participant, committee: &Committee, request: &Request, payload: Vec<u8>) -> Result<Envelope, Anything> {
    let (digest, identifier) = (committee.digest(), from.share.identifier());
    let topic = request.digest();
    Ok(Envelope::sign(&from.keys, &digest, committee.epoch(), identifier, &topic, Kind::Sealed, payload)?)
}

fn random32(rng: &mut StdRng) -> [u8; 32] {
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    bytes
}
