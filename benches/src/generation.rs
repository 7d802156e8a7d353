//! One node of a key generation among honest ones, with what the board carried in each round. It is the last one: the
//! larger an identifier, the more it costs to check a share.

use crate::floor::{Floor, binomials, commitments, evaluate, evaluate_all};
use crate::world::roster;
use ccc_core::envelope::Envelope;
use ccc_core::identifier::Identifier;
use ccc_core::keys::dkg::{Committed, Gathered, Opened, Outcome, Participant, Unconfirmed};
use ccc_core::keys::{ParticipantKeys, Protocol, Session};
use curve25519_dalek::RistrettoPoint;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::hint::black_box;

/// The nodes, and the board's rounds, encoded.
pub struct Generation {
    nodes: Nodes,
    committed: Vec<Vec<u8>>,
    opened: Vec<Vec<u8>>,
    confirmed: Vec<Vec<u8>>,
}

struct Nodes {
    session: Session,
    keys: Vec<ParticipantKeys>,
}

fn id(at: usize) -> Identifier {
    Identifier::new(u16::try_from(at + 1).unwrap()).unwrap()
}

fn read(round: &[Vec<u8>]) -> Vec<Envelope> {
    round.iter().map(|bytes| Envelope::from_bytes(bytes).unwrap()).collect()
}

impl Generation {
    /// Runs a key generation up to its confirmations. Those are the last node's, signed by everybody: an honest run
    /// gives all the same.
    #[must_use]
    pub fn new(t: u16, n: u16) -> Self {
        let (roster, keys) = roster(t, n, &mut ChaCha20Rng::seed_from_u64(6));
        let nodes = Nodes { session: Session::new(Protocol::Dkg, None, roster, &[7; 32]), keys };
        let states: Vec<_> = (0..nodes.keys.len()).map(|at| nodes.commit(at)).collect();
        let committed = states.iter().map(|state| posted(state.outgoing())).collect::<Vec<_>>();
        let mut states: Vec<_> = states.into_iter().map(|state| open(state, &committed)).collect();
        let opened = states.iter().map(|state| posted(state.outgoing())).collect::<Vec<_>>();
        let last = finish(states.pop().unwrap(), &opened);
        let confirmed = nodes.signed_by_all(&last.outgoing()[0]);
        drop((states, last));
        Self { nodes, committed, opened, confirmed }
    }

    /// The state in which the last node has all dealings before it.
    #[must_use]
    pub fn before_dealings(&self) -> Opened<'_> {
        open(self.nodes.commit(self.nodes.keys.len() - 1), &self.committed)
    }

    /// The state in which the last node has read all dealings, their signatures checked.
    #[must_use]
    pub fn gathered(&self) -> Gathered<'_> {
        self.before_dealings().gather(&read(&self.opened))
    }

    /// Checks the dealings and the shares in them, and derives share and verification keys.
    #[must_use]
    pub fn conclude<'k>(&self, state: Gathered<'k>) -> Unconfirmed<'k> {
        conclude(state)
    }

    /// Reads all dealings, checks them and the shares in them, and derives share and verification keys.
    #[must_use]
    pub fn finish<'k>(&self, state: Opened<'k>) -> Unconfirmed<'k> {
        finish(state, &self.opened)
    }

    /// Everything that the last node does, from and to bytes.
    #[must_use]
    pub fn node(&self) -> Outcome {
        let state = self.nodes.commit(self.nodes.keys.len() - 1);
        black_box(posted(state.outgoing()));
        let state = open(state, &self.committed);
        black_box(posted(state.outgoing()));
        let state = finish(state, &self.opened);
        black_box(posted(state.outgoing()));
        state.confirm(&read(&self.confirmed)).unwrap()
    }
}

/// The one envelope of a state, encoded.
fn posted(outgoing: &[Envelope]) -> Vec<u8> {
    outgoing[0].to_bytes()
}

fn open<'k>(state: Committed<'k>, committed: &[Vec<u8>]) -> Opened<'k> {
    state.open(&read(committed)).unwrap()
}

fn finish<'k>(state: Opened<'k>, opened: &[Vec<u8>]) -> Unconfirmed<'k> {
    conclude(state.gather(&read(opened)))
}

fn conclude(state: Gathered<'_>) -> Unconfirmed<'_> {
    let state = state.complain().unwrap();
    assert!(state.outgoing().is_empty());
    state.finish(&[]).unwrap()
}

impl Nodes {
    /// Deals and commits: a node's dealing is always the same, since its draws are.
    fn commit(&self, at: usize) -> Committed<'_> {
        let mut rng = ChaCha20Rng::seed_from_u64(1000 + at as u64);
        Participant::new(self.session.clone(), id(at), &self.keys[at], &mut rng).unwrap().commit().unwrap()
    }

    fn signed_by_all(&self, envelope: &Envelope) -> Vec<Vec<u8>> {
        let roster = self.session.roster();
        let payload = envelope.verify_roster(roster).unwrap();
        let sign = |(at, keys): (usize, &ParticipantKeys)| {
            let (kind, topic) = (envelope.kind(), self.session.id());
            Envelope::sign(keys, &roster.digest(), roster.epoch(), id(at), &topic, kind, payload.to_vec()).unwrap()
        };
        self.keys.iter().enumerate().map(|keys| sign(keys).to_bytes()).collect()
    }
}

/// The bare operations of a node's share in a key generation, on one core.
pub struct GenerationFloor {
    floor: Floor,
    commitments: Vec<RistrettoPoint>,
    t: u16,
    n: u16,
}

impl GenerationFloor {
    /// Operands for t of n.
    #[must_use]
    pub fn new(t: u16, n: u16) -> Self {
        let n_points = 4 * usize::from(n);
        Self { floor: Floor::new(n_points.max(usize::from(t))), commitments: commitments(t), t, n }
    }

    /// From n dealings in bytes to share and verification keys: the points, n signatures, and the part below.
    pub fn third_part(&self) {
        self.decoding();
        for _ in 0..self.n {
            self.floor.verify_signature();
        }
        self.from_decoded();
    }

    /// From n dealings in memory to share and verification keys: the shares against their commitments, all values, the
    /// sum that checks 2n proofs, and per dealing one Diffie–Hellman multiplication and the share's value from the scalar.
    pub fn from_decoded(&self) {
        self.evaluation();
        self.after_evaluation();
    }

    fn after_evaluation(&self) {
        black_box(self.floor.batch_of_knowledge(2 * usize::from(self.n)));
        for _ in 0..self.n {
            black_box([self.floor.variable(), self.floor.base()]);
        }
    }

    /// A handover to as many: the same with the sums of t dealings for each of t commitments, with the coefficients of the
    /// first t dealers.
    pub fn handover(&self) {
        self.third_part();
        self.sums();
    }

    /// t sums of t multiples by Lagrange coefficients.
    pub fn sums(&self) {
        let lambdas = binomials(self.t);
        for _ in 0..self.t {
            black_box(self.floor.sum_of(&lambdas));
        }
    }

    /// The points of n dealings: t commitments, R, and two of proofs.
    pub fn decoding(&self) {
        for _ in 0..self.n {
            self.floor.decode(usize::from(self.t));
            self.floor.decode(3);
        }
    }

    /// The node's share from the commitments of each dealing, and every member's from their sum.
    pub fn evaluation(&self) {
        for _ in 0..self.n {
            black_box(evaluate(&self.commitments, self.n));
        }
        black_box(evaluate_all(&self.commitments, self.n));
    }

    /// The above, the node's own dealing, and the signatures of the other two rounds.
    pub fn node(&self) {
        for _ in 0..self.t + 3 {
            black_box(self.floor.base());
        }
        for _ in 0..self.n {
            black_box(self.floor.variable());
            self.floor.verify_signature();
            self.floor.verify_signature();
        }
        self.third_part();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_ends_with_a_share_of_the_committee() {
        let outcome = Generation::new(3, 5).node();
        assert!(outcome.culprits.is_empty());
        assert_eq!(outcome.key_share.matches(&outcome.committee), Ok(()));
    }
}
