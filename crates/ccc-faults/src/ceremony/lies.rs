//! Participants of a session that lie in one way, and what everybody else has to say of them.

use super::board::Carried;
use ccc_core::{
    encoding::Kind,
    envelope::Envelope,
    identifier::Identifier,
    keys::{
        Dealing, DealingError, KeyShare, ParticipantKeys, Session, ShareFault,
        board::Round,
        rounds::{Fault, Role},
    },
    suite::{digest32, domain},
};
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_COMPRESSED;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::sync::Arc;

/// How a participant lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Wrong: a share that does not open.
    WrongShare,
    /// Wrong: a dealing whose proof does not verify.
    WrongProof,
    /// Wrong: another dealing than it committed to.
    OtherDealing,
    /// Wrong: a complaint without reason.
    FalseComplaint,
    /// Wrong: another transcript.
    OtherTranscript,
    /// Stale: its messages are those of another session.
    Stale,
    /// Duplicated: everything is said five times.
    Duplicated,
    /// Oversized: a dealing longer than any may be.
    Oversized,
    /// Half-finished: it commits, and opens nothing.
    HalfFinished,
    /// Malformed: bytes that are no dealing, as committed.
    Malformed,
    /// Equivocating: two digests in the commit round.
    TwoDigests,
    /// Equivocating: two dealings in the open round; the board has the one committed to first.
    TwoDealings,
    /// Equivocating: two transcripts in the confirm round.
    TwoTranscripts,
}

impl Lie {
    pub(crate) const ALL: [Self; 13] = [
        Self::WrongShare,
        Self::WrongProof,
        Self::OtherDealing,
        Self::FalseComplaint,
        Self::OtherTranscript,
        Self::Stale,
        Self::Duplicated,
        Self::Oversized,
        Self::HalfFinished,
        Self::Malformed,
        Self::TwoDigests,
        Self::TwoDealings,
        Self::TwoTranscripts,
    ];

    /// Whether it is told as a dealer; else as a receiver.
    pub(crate) fn role(self) -> Role {
        match self {
            Self::FalseComplaint | Self::OtherTranscript | Self::TwoTranscripts => Role::Receiver,
            _ => Role::Dealer,
        }
    }

    /// What the liar is named for; nothing where it did no harm.
    pub(crate) fn fault(self) -> Option<Fault> {
        match self {
            Self::WrongShare => Some(Fault::Share(ShareFault::Tag)),
            Self::WrongProof => Some(Fault::Dealing(DealingError::Proof)),
            Self::OtherDealing => Some(Fault::NotAsCommitted),
            Self::FalseComplaint => Some(Fault::FalseComplaint),
            Self::OtherTranscript => Some(Fault::Disagreement),
            Self::Stale | Self::Oversized | Self::HalfFinished => Some(Fault::Silent),
            Self::Duplicated => None,
            Self::Malformed => Some(Fault::Malformed),
            Self::TwoDigests | Self::TwoDealings | Self::TwoTranscripts => Some(Fault::Equivocation),
        }
    }
}

/// A liar, with what it signs with.
#[derive(Clone)]
pub(crate) struct Liar<'k> {
    lie: Lie,
    session: Session,
    identifier: Identifier,
    keys: &'k ParticipantKeys,
    /// A dealing in which one share does not open.
    wrong: Dealing,
    /// Whom a false complaint is about.
    accused: Identifier,
}

impl<'k> Liar<'k> {
    pub(crate) fn new(
        lie: Lie,
        session: Session,
        identifier: Identifier,
        keys: &'k ParticipantKeys,
        own: Option<&KeyShare>,
        accused: Identifier,
    ) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(7_777);
        let wrong = Dealing::with_wrong_share(&session, identifier, own, 0, &mut rng);
        Self { lie, session, identifier, keys, wrong: wrong.expect("a generator that works"), accused }
    }

    /// What the liar posts in the place of what its program would.
    pub(crate) fn says(&self, round: Round, honest: Vec<Envelope>) -> Vec<Envelope> {
        match (self.lie, round) {
            (Lie::WrongShare | Lie::WrongProof | Lie::Malformed, Round::Commit) => vec![self.digest_of(&self.dealt())],
            (Lie::WrongShare | Lie::WrongProof | Lie::Malformed, Round::Open) => vec![self.deals(self.dealt())],
            (Lie::OtherDealing, Round::Open) => vec![self.deals(self.wrong.to_bytes())],
            (Lie::FalseComplaint, Round::Complain) => [vec![self.complains()], honest].concat(),
            (Lie::OtherTranscript, Round::Confirm) => vec![self.confirms([0x55; 32])],
            (Lie::Stale, _) => honest.iter().map(|envelope| self.replayed(envelope)).collect(),
            (Lie::Duplicated, _) => (0..5).flat_map(|_| honest.clone()).collect(),
            (Lie::Oversized, Round::Open) => honest.iter().map(|envelope| self.longer(envelope)).collect(),
            (Lie::HalfFinished, Round::Open) => Vec::new(),
            _ => {
                let second = self.second().filter(|(of, _)| *of == round).map(|(_, second)| second);
                honest.into_iter().chain(second).collect()
            }
        }
    }

    /// The second of two things that it says in one round.
    fn second(&self) -> Option<(Round, Envelope)> {
        match self.lie {
            Lie::TwoDigests => Some((Round::Commit, self.digest_of(&[1, 2, 3]))),
            Lie::TwoDealings => Some((Round::Open, self.deals(self.wrong.to_bytes()))),
            Lie::TwoTranscripts => Some((Round::Confirm, self.confirms([0x55; 32]))),
            _ => None,
        }
    }

    /// Whether the lie reached the board: five copies in every round, or two things of which this is the second.
    pub(crate) fn was_carried(&self, rounds: &[Arc<Carried>]) -> bool {
        let of = |carried: &Carried| -> Vec<_> {
            let own = carried.envelopes.iter().filter(|envelope| envelope.identifier() == self.identifier);
            own.map(payload_of).collect()
        };
        if self.lie == Lie::Duplicated {
            return rounds
                .iter()
                .map(|round| of(round))
                .all(|own| own.len() >= 5 && own.iter().all(|one| *one == own[0]));
        }
        let Some((round, second)) = self.second() else { return true };
        let (own, second) =
            (rounds.get(round as usize).map(|round| of(round)).unwrap_or_default(), payload_of(&second));
        own.first().is_some_and(|first| *first != second) && own.last() == Some(&second)
    }

    fn dealt(&self) -> Vec<u8> {
        let mut wire = self.wrong.to_bytes();
        match self.lie {
            Lie::Malformed => wire.truncate(60),
            // the lowest byte of z of the proof of the ephemeral point, which ends a dealing
            Lie::WrongProof => {
                let z = wire.len() - 32;
                wire[z] ^= 1;
            }
            _ => {}
        }
        wire
    }

    fn digest_of(&self, wire: &[u8]) -> Envelope {
        let digest = digest32(domain::DEALING_COMMITMENT, &[wire]);
        self.sign(Kind::Dealing, [&[1][..], &digest].concat())
    }

    fn deals(&self, wire: Vec<u8>) -> Envelope {
        self.sign(Kind::Dealing, wire)
    }

    fn confirms(&self, transcript: [u8; 32]) -> Envelope {
        self.sign(Kind::Dealing, [&[3][..], &transcript].concat())
    }

    /// A complaint in its form whose proof does not verify.
    fn complains(&self) -> Envelope {
        let point = RISTRETTO_BASEPOINT_COMPRESSED.to_bytes();
        let z = curve25519_dalek::Scalar::ONE.to_bytes();
        let payload = [&self.accused.to_bytes()[..], &point, &point, &point, &z].concat();
        self.sign(Kind::Complaint, payload)
    }

    fn longer(&self, envelope: &Envelope) -> Envelope {
        let longest = 279 + 80 * self.session.roster().members().len();
        let mut payload = payload_of(envelope);
        payload.resize(longest + 1, 0);
        self.sign(envelope.kind(), payload)
    }

    /// The same message, signed for another session.
    fn replayed(&self, envelope: &Envelope) -> Envelope {
        self.sign_for(&[0x33; 32], envelope.kind(), payload_of(envelope))
    }

    fn sign(&self, kind: Kind, payload: Vec<u8>) -> Envelope {
        self.sign_for(&self.session.id(), kind, payload)
    }

    fn sign_for(&self, topic: &[u8], kind: Kind, payload: Vec<u8>) -> Envelope {
        let roster = self.session.roster();
        let signed = Envelope::sign(self.keys, &roster.digest(), roster.epoch(), self.identifier, topic, kind, payload);
        signed.expect("a payload within an envelope's bound")
    }
}

/// What an envelope of this process carries: behind header 8, committee 64, epoch 8, number 2 and the two lengths, before the
/// signature.
fn payload_of(envelope: &Envelope) -> Vec<u8> {
    let bytes = envelope.to_bytes();
    bytes[90 + envelope.topic().len()..bytes.len() - 64].to_vec()
}
