//! The vault of a seeded run with all its shares in one hand, as no participant has them.

use ccc_core::{
    epoch::Epoch,
    identifier::Identifier,
    keys::{Committee, ParticipantKeys, Roster, board::MemoryBoard, dkg},
    table::Header,
    threshold::Threshold,
};
use ccc_node::seed::Randomness;
use curve25519_dalek::{Scalar, ristretto::CompressedRistretto};
use rand::Rng;

const PARTICIPANTS: u16 = 16;
const THRESHOLD: u16 = 11;
/// Where U stands in a wrapped data key.
const U: std::ops::Range<usize> = 8..40;

/// The shares and what they make.
pub(crate) struct Vault {
    committee: Committee,
    pub(crate) shares: Vec<Scalar>,
    pub(crate) master: Scalar,
}

impl Vault {
    /// The key generation of a run with this seed, once more.
    pub(crate) fn of(seed: u64) -> Self {
        let randomness = Randomness::seeded(seed);
        let mut rng = randomness.generator("participant keys", 0);
        let identifiers = (1..=PARTICIPANTS).map(|number| Identifier::new(number).expect("not zero"));
        let keys: Vec<_> =
            identifiers.map(|identifier| (identifier, ParticipantKeys::generate(&mut rng).expect("keys"))).collect();
        let members = keys.iter().map(|(identifier, keys)| keys.public(*identifier)).collect();
        let threshold = Threshold::new(THRESHOLD, PARTICIPANTS).expect("a threshold");
        let roster = Roster::new(Epoch(1), threshold, members).expect("a roster");
        let mut nonce = [0; 32];
        rng.fill_bytes(&mut nonce);
        let mut board = MemoryBoard::new(nonce);
        let mut rng = randomness.generator("key generation", 0);
        let outcomes = dkg::run_in_process(&roster, &keys, &mut board, &mut rng).expect("a key generation");
        let outcomes: Vec<_> = outcomes.into_iter().map(|(_, outcome)| outcome.expect("an outcome")).collect();
        let scalar = |bytes: &[u8]| *bytes.last_chunk::<32>().expect("a share ends in its scalar");
        let shares = outcomes.iter().map(|outcome| scalar(&outcome.key_share.to_bytes()));
        let shares: Vec<Scalar> =
            shares.map(|bytes| Scalar::from_canonical_bytes(bytes).expect("a canonical scalar")).collect();
        let master = interpolate(&shares[..THRESHOLD.into()]);
        Self { committee: outcomes[0].committee.clone(), shares, master }
    }

    /// What the wrapped key of a header holds.
    pub(crate) fn data_key(&self, header: &Header) -> [u8; 32] {
        let wrapped = header.wrapped().to_wrapped().expect("a table key");
        let u = CompressedRistretto::from_slice(&wrapped[U]).expect("32 bytes").decompress().expect("a point");
        let verified = header.wrapped().clone().verify(self.committee.master_public_key()).expect("valid");
        let opened = verified.open_with((self.master * u).compress().as_bytes()).expect("the vault's key opens it");
        opened.as_slice().try_into().expect("a data key of 32 bytes")
    }
}

/// The value at zero of the polynomial through shares 1, 2, ….
fn interpolate(shares: &[Scalar]) -> Scalar {
    let points: Vec<Scalar> = (1u64..).take(shares.len()).map(Scalar::from).collect();
    let weight = |own: &Scalar| -> Scalar {
        let others = points.iter().filter(|other| *other != own);
        others.map(|other| other * (other - own).invert()).product()
    };
    points.iter().zip(shares).map(|(point, share)| weight(point) * share).sum()
}
