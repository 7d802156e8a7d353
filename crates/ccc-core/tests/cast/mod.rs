//! One of everything that a snapshot fixes, from fixed seeds: a committee of four, an attempt, a report, and a run of a
//! key generation with a liar.

use ccc_core::enclave::AttemptKeys;
use ccc_core::enclave::attestation::{AttestationProvider, simulated};
use ccc_core::envelope::Envelope;
use ccc_core::epoch::Epoch;
use ccc_core::identifier::Identifier;
use ccc_core::keys::dkg::{Committed, Complained, Opened, Participant, Party, Unconfirmed};
use ccc_core::keys::{Committee, KeyShare, ParticipantKeys, Protocol, Roster, Session, dealer};
use ccc_core::report::{
    Binding, Origin, Payload, Report, ReportContext, ReportSigner, SignedReport, SignerSet, Solvency, Statement,
    Verdict,
};
use ccc_core::table::{Receipts, SEALED_RECEIPT_LEN};
use ccc_core::threshold::Threshold;
use ccc_core::vault::{AttestedRecipient, Mode, Request};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

const N: u16 = 4;

fn id(i: u16) -> Identifier {
    Identifier::new(i).unwrap()
}

fn keys(rng: &mut ChaCha20Rng) -> Vec<ParticipantKeys> {
    (0..N).map(|_| ParticipantKeys::generate(rng).unwrap()).collect()
}

fn roster(keys: &[ParticipantKeys]) -> Roster {
    let members = (1..).zip(keys).map(|(i, keys)| keys.public(id(i))).collect();
    Roster::new(Epoch(7), Threshold::default_for(N).unwrap(), members).unwrap()
}

pub(crate) struct Cast {
    pub(crate) keys: Vec<ParticipantKeys>,
    pub(crate) committee: Committee,
    pub(crate) shares: Vec<KeyShare>,
    pub(crate) attempt: AttemptKeys,
}

impl Cast {
    pub(crate) fn new() -> Self {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let keys = keys(&mut rng);
        let (committee, shares) = dealer::deal(&roster(&keys), &mut rng).unwrap();
        Self { keys, committee, shares, attempt: AttemptKeys::generate(&mut rng).unwrap() }
    }

    pub(crate) fn request(&self, table_header: Option<[u8; 32]>) -> Request {
        Request {
            chain: 31337,
            contract: [1; 20],
            id: [2; 32],
            table_header,
            block_hash: [4; 32],
            deadline: 1_800_000_000,
            mode: Mode::Compact,
            epoch: self.committee.epoch(),
            committee: self.committee.digest(),
            ciphertexts: vec![[8; 32], [9; 32]],
        }
    }

    pub(crate) fn evidence(&self) -> Vec<u8> {
        let provider = simulated::SimulatedProvider::new(simulated::SimulatedHardware::from_seed(&[5; 32]), [7; 32]);
        let user_data = self.attempt.user_data(&self.request(None).digest());
        let evidence = provider.attest(&user_data, &[3; 64], 1_700_000_000).unwrap();
        simulated::verify(&evidence, &provider.root(), 1_700_000_000).unwrap();
        evidence
    }

    pub(crate) fn recipient(&self) -> AttestedRecipient {
        AttestedRecipient { recipient: self.attempt.recipient([7; 32]), evidence: self.evidence() }
    }

    pub(crate) fn receipts(&self) -> Receipts {
        Receipts::new([5; 32], vec![[6; SEALED_RECEIPT_LEN], [7; SEALED_RECEIPT_LEN]]).unwrap()
    }

    pub(crate) fn report(&self) -> SignedReport {
        let signers: Vec<_> = (1..=4).map(|i| ReportSigner::from_bytes(&[i; 32]).unwrap()).collect();
        let addresses = signers.iter().map(ReportSigner::address).collect();
        let set = SignerSet { don_id: 1, config_version: 1, f: 1, signers: addresses };
        let origin = Origin { don_id: 1, config_version: 1, workflow_id: [0; 32], workflow_owner: [2; 20] };
        let binding = Binding {
            chain: 31337,
            receiver: [3; 20],
            epoch: 7,
            sequence: 5,
            valid_until: 1_700_003_600,
            attestation: [4; 32],
        };
        let statement = Statement::Solvency(Solvency {
            verdict: Verdict::Insolvent,
            block: 9,
            block_time: 1_700_000_000,
            header_hash: [5; 32],
            envelope_digest: [6; 32],
        });
        let report = Report::new(origin, 1_700_000_000, Payload { binding, statement }).unwrap();
        let forwarder = [9; 20];
        let context = ReportContext { config_digest: set.config_digest(31337, &forwarder), sequence: 5 };
        let signatures: Vec<_> = signers.iter().map(|signer| signer.sign(&report, &context)).collect();
        SignedReport::assemble(report, context, &signatures, &set, &forwarder).unwrap()
    }
}

/// A key generation in which participant 4 says nothing, as participant 1 stores it: silence is in every later state.
pub(crate) struct Run {
    session: Session,
    keys: Vec<ParticipantKeys>,
}

impl Run {
    pub(crate) fn new() -> Self {
        let keys = keys(&mut ChaCha20Rng::from_seed([2; 32]));
        Self { session: Session::new(Protocol::Dkg, None, roster(&keys), &[9; 32]), keys }
    }

    fn party(&self, i: u16) -> Party<'_> {
        Party::new(self.session.clone(), id(i), &self.keys[usize::from(i) - 1]).unwrap()
    }

    /// The five states of participant 1.
    pub(crate) fn states(&self) -> [Vec<u8>; 5] {
        let (states, _) = self.walk();
        states
    }

    /// What participant 1 posts: its commitment, that it has no more complaints, its confirmation.
    pub(crate) fn messages(&self) -> [Envelope; 3] {
        let (_, messages) = self.walk();
        messages
    }

    fn walk(&self) -> ([Vec<u8>; 5], [Envelope; 3]) {
        let mut rng = ChaCha20Rng::from_seed([3; 32]);
        let joined: Vec<_> = (1..N).map(|i| Participant::join(self.party(i), &mut rng).unwrap()).collect();
        let first = joined[0].to_bytes().to_vec();
        let committed: Vec<_> = joined.into_iter().map(|state| state.commit().unwrap()).collect();
        let (second, seen) = (committed[0].to_bytes().to_vec(), said(&committed, Committed::outgoing));
        let commitment = committed[0].outgoing()[0].clone();
        let opened: Vec<_> = committed.into_iter().map(|state| state.open(&seen).unwrap()).collect();
        let (third, seen) = (opened[0].to_bytes().to_vec(), said(&opened, Opened::outgoing));
        let complained: Vec<_> = opened.into_iter().map(|state| state.complain(&seen).unwrap()).collect();
        let (fourth, seen) = (complained[0].to_bytes().to_vec(), said(&complained, Complained::outgoing));
        let no_more_complaints = complained[0].no_more_complaints().unwrap().remove(0);
        let unconfirmed: Vec<_> = complained.into_iter().map(|state| state.finish(&seen).unwrap()).collect();
        let confirmation = unconfirmed[0].outgoing()[0].clone();
        let states = [first, second, third, fourth, unconfirmed[0].to_bytes().to_vec()];
        (states, [commitment, no_more_complaints, confirmation])
    }

    /// The state at this place, read for participant 1 and written again.
    pub(crate) fn reread(&self, at: usize, bytes: &[u8]) -> Vec<u8> {
        let party = self.party(1);
        match at {
            0 => Participant::from_bytes(bytes, party).unwrap().to_bytes().to_vec(),
            1 => Committed::from_bytes(bytes, party).unwrap().to_bytes().to_vec(),
            2 => Opened::from_bytes(bytes, party).unwrap().to_bytes().to_vec(),
            3 => Complained::from_bytes(bytes, party).unwrap().to_bytes().to_vec(),
            _ => Unconfirmed::from_bytes(bytes, party).unwrap().to_bytes().to_vec(),
        }
    }
}

fn said<S>(states: &[S], outgoing: impl Fn(&S) -> &[Envelope]) -> Vec<Envelope> {
    states.iter().flat_map(|state| outgoing(state).to_vec()).collect()
}
