//! A committee, an attested recipient, and requests to it.

use super::BEGINS;
use ccc_core::{
    ciphertext::{Ciphertext, Label, LabelKind, VerifiedCiphertext},
    enclave::{
        AttemptKeys,
        attestation::{
            AttestationProvider, Hardware, OperatingMode, Policy,
            simulated::{SimulatedHardware, SimulatedProvider},
        },
    },
    epoch::Epoch,
    identifier::Identifier,
    keys::{Committee, KeyShare, ParticipantKeys, Roster, dealer},
    report::keccak256,
    threshold::Threshold,
    vault::{AttestedRecipient, Mode, Request},
};
use ccc_node::vault_node::{Ask, ChainView, OnChain};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::{collections::HashMap, sync::Arc};

const WORKS: &str = "a request can be made";
pub(crate) const CHAIN: u64 = 31_337;
pub(crate) const CONTRACT: [u8; 20] = [0xC0; 20];
const MEASUREMENT: [u8; 32] = [0x3E; 32];
const BLOCK: [u8; 32] = [0xB1; 32];
const MESSAGE: &[u8] = b"what the enclave reads";

/// A committee with its secrets, and the one ciphertext that everything is about.
pub(crate) struct Vault {
    pub(crate) committee: Committee,
    pub(crate) members: Vec<(ParticipantKeys, KeyShare)>,
    pub(crate) view: Arc<ChainView>,
    provider: SimulatedProvider,
    ciphertext: VerifiedCiphertext,
}

/// A request with everything that opens it.
pub(crate) struct Prepared {
    pub(crate) ask: Arc<Ask>,
    keys: AttemptKeys,
    ciphertext: VerifiedCiphertext,
    committee: Committee,
}

/// When a request was attested and when it ends. *Units*: seconds from the beginning.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    pub(crate) attested: i64,
    pub(crate) deadline: i64,
}

impl Times {
    /// Ten minutes from now.
    pub(crate) const AHEAD: Self = Self { attested: -1, deadline: 600 };
}

fn unix(seconds: i64) -> u64 {
    BEGINS.saturating_add_signed(seconds)
}

impl Vault {
    pub(crate) fn new(n: u16) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        let keys: Vec<_> = (1..=n).map(|_| ParticipantKeys::generate(&mut rng).expect(WORKS)).collect();
        let members = (1..=n).zip(&keys).map(|(i, keys)| keys.public(Identifier::new(i).expect(WORKS)));
        let threshold = Threshold::default_for(n).expect(WORKS);
        let roster = Roster::new(Epoch(1), threshold, members.collect()).expect(WORKS);
        let (committee, shares) = dealer::deal(&roster, &mut rng).expect(WORKS);
        let master = *committee.master_public_key();
        let label = Label {
            kind: LabelKind::Recipient,
            chain: CHAIN,
            contract: CONTRACT,
            id: [0x1D; 32],
            version: 1,
            requester: [0xA1; 20],
            expiry: unix(1_000_000),
            context: [0; 32],
        };
        let ciphertext = Ciphertext::encrypt(&master, &label, MESSAGE, &mut rng).expect(WORKS);
        let on_chain = OnChain { who: label.requester, hash: keccak256(&[&ciphertext.to_bytes()]), opens_at: 0 };
        let submissions = Arc::new(HashMap::from([(label.id, on_chain)]));
        let view = ChainView { block_hash: BLOCK, time: BEGINS, submissions, ..ChainView::default() };
        let provider = SimulatedProvider::new(SimulatedHardware::from_seed(&[9; 32]), MEASUREMENT);
        let ciphertext = ciphertext.verify(&master).expect(WORKS);
        let members = keys.into_iter().zip(shares).collect();
        Self { committee, members, view: Arc::new(view), provider, ciphertext }
    }

    pub(crate) fn threshold(&self) -> usize {
        usize::from(self.committee.threshold().t())
    }

    pub(crate) fn policy(&self) -> Policy {
        Policy {
            mode: OperatingMode::Simulation,
            measurements: vec![MEASUREMENT],
            max_age: 3_600,
            simulated_roots: vec![self.provider.root()],
            hardware: Hardware::default(),
        }
    }

    /// A request under this identifier; every one has keys of its own.
    pub(crate) fn prepare(&self, id: [u8; 32], times: Times, seed: u64) -> Prepared {
        let committee = self.committee.clone();
        let request = Request {
            chain: CHAIN,
            contract: CONTRACT,
            id,
            table_header: None,
            block_hash: BLOCK,
            deadline: unix(times.deadline),
            mode: Mode::Sealed,
            epoch: committee.epoch(),
            committee: committee.digest(),
            ciphertexts: vec![self.ciphertext.digest()],
        };
        let keys = AttemptKeys::generate(&mut ChaCha20Rng::seed_from_u64(seed)).expect(WORKS);
        let (recipient, digest) = (keys.recipient(MEASUREMENT), request.digest());
        let evidence = self.provider.attest(&recipient.user_data(&digest), &digest, unix(times.attested)).expect(WORKS);
        let card = AttestedRecipient { recipient, evidence };
        let ciphertexts = vec![self.ciphertext.ciphertext().clone()];
        let ask = Arc::new(Ask { request, card, identity: None, ciphertexts, header: None });
        Prepared { ask, keys, ciphertext: self.ciphertext.clone(), committee }
    }
}

impl Prepared {
    /// Opens with these answers, in a run of the enclave of its own.
    ///
    /// # Errors
    /// What the enclave says.
    pub(crate) fn open(
        &self,
        answers: Vec<ccc_core::envelope::Envelope>,
    ) -> Result<Vec<ccc_core::vault::Culprit>, ccc_core::vault::CombineError> {
        let keys = AttemptKeys::from_bytes(&self.keys.to_bytes()).expect("its own bytes");
        let ciphertexts = std::slice::from_ref(&self.ciphertext);
        let opened = keys.open(&self.committee, &self.ask.request, MEASUREMENT, ciphertexts, answers)?;
        let culprits = opened.culprits.clone();
        let plaintexts = opened.every(ciphertexts)?;
        assert_eq!(plaintexts[0].as_slice(), MESSAGE, "what was opened is not what was encrypted");
        Ok(culprits)
    }

    pub(crate) fn is_valid(&self, answer: &ccc_core::envelope::Envelope) -> bool {
        answer.topic() == self.ask.request.digest() && answer.verify(&self.committee).is_ok()
    }
}
