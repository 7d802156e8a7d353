//! A committee, its key shares and everything that is made with them.

use crate::{MEASUREMENT, MESSAGE};
use ccc_core::ciphertext::{Ciphertext, Label, LabelKind, VerifiedCiphertext};
use ccc_core::enclave::AttemptKeys;
use ccc_core::envelope::Envelope;
use ccc_core::epoch::Epoch;
use ccc_core::identifier::Identifier;
use ccc_core::keys::{Committee, KeyShare, MasterPublicKey, ParticipantKeys, Roster, dealer};
use ccc_core::threshold::Threshold;
use ccc_core::vault::compact::Partials;
use ccc_core::vault::sealed::seal;
use ccc_core::vault::{Answer, answer};
use ccc_core::vault::{Mode, Recipient, Request, SealedShare, Shares};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

/// A committee with all its secrets.
pub struct World {
    /// Draws for every party.
    pub rng: ChaCha20Rng,
    /// Signing and dealing keys, ascending by identifier.
    pub keys: Vec<ParticipantKeys>,
    /// The public side.
    pub committee: Committee,
    /// Key shares, ascending by identifier.
    pub shares: Vec<KeyShare>,
}

/// Participants 1 to n with fresh keys.
#[must_use]
pub fn roster(t: u16, n: u16, rng: &mut ChaCha20Rng) -> (Roster, Vec<ParticipantKeys>) {
    let keys: Vec<_> = (0..n).map(|_| ParticipantKeys::generate(rng).unwrap()).collect();
    let members = (1..=n).zip(&keys).map(|(i, keys)| keys.public(Identifier::new(i).unwrap())).collect();
    (Roster::new(Epoch(1), Threshold::new(t, n).unwrap(), members).unwrap(), keys)
}

/// A label of this kind.
#[must_use]
pub fn label(kind: LabelKind) -> Label {
    Label {
        kind,
        chain: 1,
        contract: [1; 20],
        id: [2; 32],
        version: 1,
        requester: [3; 20],
        expiry: 2_000_000_000,
        context: [0; 32],
    }
}

/// A ciphertext of 32 bytes.
pub fn encrypt_to(master: &MasterPublicKey, kind: LabelKind, rng: &mut ChaCha20Rng) -> Ciphertext {
    encrypt_bytes_to(master, kind, &MESSAGE, rng)
}

/// A ciphertext of these bytes.
pub fn encrypt_bytes_to(
    master: &MasterPublicKey,
    kind: LabelKind,
    message: &[u8],
    rng: &mut ChaCha20Rng,
) -> Ciphertext {
    Ciphertext::encrypt(master, &label(kind), message, rng).unwrap()
}

/// A request to a committee to open ciphertexts.
#[must_use]
pub fn request_to(committee: &Committee, mode: Mode, ciphertexts: &[VerifiedCiphertext]) -> Request {
    Request {
        chain: 1,
        contract: [1; 20],
        id: [2; 32],
        table_header: None,
        block_hash: [4; 32],
        deadline: 1_900_000_000,
        mode,
        epoch: committee.epoch(),
        committee: committee.digest(),
        ciphertexts: ciphertexts.iter().map(VerifiedCiphertext::digest).collect(),
    }
}

impl World {
    /// A dealt committee; the same for the same seed.
    #[must_use]
    pub fn new(t: u16, n: u16) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (roster, keys) = roster(t, n, &mut rng);
        let (committee, shares) = dealer::deal(&roster, &mut rng).unwrap();
        Self { rng, keys, committee, shares }
    }

    /// t.
    #[must_use]
    pub fn t(&self) -> usize {
        usize::from(self.committee.threshold().t())
    }

    /// Y.
    #[must_use]
    pub fn master(&self) -> MasterPublicKey {
        *self.committee.master_public_key()
    }

    /// A ciphertext of 32 bytes.
    pub fn encrypt(&mut self, kind: LabelKind) -> Ciphertext {
        encrypt_to(self.committee.master_public_key(), kind, &mut self.rng)
    }

    /// m ciphertexts, their proofs checked.
    pub fn verified(&mut self, kind: LabelKind, m: usize) -> Vec<VerifiedCiphertext> {
        let master = self.master();
        (0..m).map(|_| self.encrypt(kind).verify(&master).unwrap()).collect()
    }

    /// A request to open them.
    #[must_use]
    pub fn request(&self, mode: Mode, ciphertexts: &[VerifiedCiphertext]) -> Request {
        request_to(&self.committee, mode, ciphertexts)
    }

    /// The encoded plain shares of the first t participants.
    pub fn plain_shares(
        &mut self,
        request: &Request,
        ciphertexts: &[VerifiedCiphertext],
    ) -> Vec<(Identifier, Vec<u8>)> {
        self.plain_shares_of(0, request, ciphertexts)
    }

    /// The encoded plain shares of t participants after the first `skipped`.
    pub fn plain_shares_of(
        &mut self,
        skipped: usize,
        request: &Request,
        ciphertexts: &[VerifiedCiphertext],
    ) -> Vec<(Identifier, Vec<u8>)> {
        let t = self.t();
        let Self { shares, committee, rng, .. } = self;
        let one = |key: &KeyShare| {
            let shares = Shares::create(key, committee, request, ciphertexts, rng).unwrap();
            (key.identifier(), shares.to_bytes())
        };
        shares[skipped..skipped + t].iter().map(one).collect()
    }

    /// What the first participant does with ciphertexts that it sees for the first time: checks, shares and seals.
    pub fn node_step(&mut self, request: &Request, to: &Recipient, ciphertexts: Vec<Ciphertext>) -> SealedShare {
        let Self { shares, committee, rng, .. } = self;
        let master = committee.master_public_key();
        let verified: Vec<_> = ciphertexts.into_iter().map(|c| c.verify(master).unwrap()).collect();
        seal(&shares[0], committee, request, to, &verified, rng).unwrap()
    }

    /// What the first participant does in mode compact with ciphertexts that it sees for the first time: checks them and
    /// encrypts its shares in the exponent.
    pub fn compact_step(&mut self, request: &Request, to: &Recipient, ciphertexts: Vec<Ciphertext>) -> Partials {
        let Self { shares, committee, rng, .. } = self;
        let master = committee.master_public_key();
        let verified: Vec<_> = ciphertexts.into_iter().map(|c| c.verify(master).unwrap()).collect();
        Partials::create(&shares[0], committee, request, to, &verified, rng).unwrap()
    }

    /// The encoded envelopes of the first t participants, with answers to these keys in the
    /// request's mode.
    pub fn envelopes(
        &mut self,
        keys: &AttemptKeys,
        request: &Request,
        ciphertexts: &[VerifiedCiphertext],
    ) -> Vec<Vec<u8>> {
        let (to, topic) = (keys.recipient(MEASUREMENT), request.digest());
        let t = self.t();
        let Self { shares, committee, rng, keys } = self;
        let one = |(share, keys): (&KeyShare, &ParticipantKeys)| {
            let Answer { kind, payload } = answer(share, committee, request, &to, ciphertexts, rng).unwrap();
            let (digest, epoch, i) = (committee.digest(), committee.epoch(), share.identifier());
            Envelope::sign(keys, &digest, epoch, i, &topic, kind, payload).unwrap().to_bytes()
        };
        shares[..t].iter().zip(keys.iter()).map(one).collect()
    }
}

/// Reads encoded shares of m ciphertexts.
#[must_use]
pub fn read_shares(wire: &[(Identifier, Vec<u8>)], m: usize) -> Vec<(Identifier, Shares)> {
    wire.iter().map(|(i, bytes)| (*i, Shares::from_bytes(bytes, m).unwrap())).collect()
}
