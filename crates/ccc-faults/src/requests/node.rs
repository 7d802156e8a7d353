//! A participant as a host: the checks and the journal are those of `ccc-node`; some of them lie.

use super::{
    ASKER, BEGINS, Word,
    asks::{CHAIN, CONTRACT, Vault},
    journal::{SimulatedJournal, SimulatedMedium},
};
use crate::network::{Event, Outbox};
use ccc_core::{
    encoding::Kind,
    envelope::Envelope,
    identifier::Identifier,
    keys::{Committee, KeyShare, ParticipantKeys},
    vault::{CulpritReason, simulated::seal_wrong},
};
use ccc_node::vault_node::{Ask, ChainView, Refusal, VaultNode};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How a participant lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Wrong: a share whose proof does not verify, correctly sealed and signed.
    Wrong,
    /// Stale: signed for another request.
    Stale,
    /// Duplicated: everything five times.
    Duplicated,
    /// Oversized: a sealed share with more behind it.
    Oversized,
    /// Half-finished: a sealed share that was cut.
    HalfFinished,
    /// Equivocating: a wrong share and a right one.
    Equivocating,
}

impl Lie {
    pub(crate) const ALL: [Self; 6] =
        [Self::Wrong, Self::Stale, Self::Duplicated, Self::Oversized, Self::HalfFinished, Self::Equivocating];

    /// What the liar is named for; nothing where nothing of it is believed, or it did no harm.
    pub(crate) fn reason(self) -> Option<CulpritReason> {
        match self {
            Self::Wrong | Self::Equivocating => Some(CulpritReason::Proof),
            Self::Oversized | Self::HalfFinished => Some(CulpritReason::Malformed),
            Self::Stale | Self::Duplicated => None,
        }
    }
}

/// A participant of the vault.
pub(crate) struct Node {
    vault: VaultNode<SimulatedJournal>,
    pub(crate) medium: SimulatedMedium,
    view: Arc<ChainView>,
    identifier: Identifier,
    keys: ParticipantKeys,
    share: KeyShare,
    committee: Committee,
    lie: Option<Lie>,
    rng: ChaCha20Rng,
    /// Every digest that it answered, by request identifier: what the world saw survives a crash.
    pub(crate) sent: BTreeMap<[u8; 32], BTreeSet<[u8; 64]>>,
    /// How often its journal refused.
    pub(crate) refused_by_journal: u64,
    /// Every other refusal, by request identifier.
    pub(crate) refused: Vec<([u8; 32], Refusal)>,
}

fn twin(keys: &ParticipantKeys, share: &KeyShare) -> (ParticipantKeys, KeyShare) {
    let keys = ParticipantKeys::from_bytes(&keys.to_bytes()).expect("its own bytes");
    (keys, KeyShare::from_bytes(&share.to_bytes()).expect("its own bytes"))
}

impl Node {
    pub(crate) fn new(world: &Vault, at: usize, lie: Option<Lie>, seed: u64) -> Self {
        let (keys, share) = &world.members[at];
        let ((own_keys, own_share), (keys, share)) = (twin(keys, share), twin(keys, share));
        let medium = SimulatedMedium::default();
        let journal = SimulatedJournal(medium.clone());
        let committee = world.committee.clone();
        let vault = VaultNode::new(own_keys, own_share, committee.clone(), world.policy(), (CHAIN, CONTRACT), journal);
        let rng = ChaCha20Rng::seed_from_u64(seed.wrapping_mul(1_000).wrapping_add(at as u64));
        let (identifier, view) = (share.identifier(), Arc::clone(&world.view));
        let (sent, refused_by_journal, refused) = (BTreeMap::new(), 0, Vec::new());
        Self { vault, medium, view, identifier, keys, share, committee, lie, rng, sent, refused_by_journal, refused }
    }

    pub(crate) fn take(&mut self, event: Event<Word>, out: &mut Outbox<Word>) {
        let Event::Message(_, Word::Ask(ask)) = event else { return };
        let now = BEGINS.saturating_add_signed(out.clock / 1_000_000);
        match self.vault.reencrypt(&self.view, &ask, now, &mut self.rng) {
            Ok(Some(envelope)) => {
                self.sent.entry(ask.request.id).or_default().insert(ask.request.digest());
                let said = self.says(&ask, envelope);
                said.into_iter().for_each(|envelope| out.send(ASKER, Word::Answer(Arc::new(envelope))));
            }
            Err(Refusal::Journal { .. }) => self.refused_by_journal += 1,
            Err(refusal) => self.refused.push((ask.request.id, refusal)),
            Ok(None) => {}
        }
    }

    /// The journal is read again from its medium at the next start: it holds nothing else.
    pub(crate) fn crash(&mut self) {
        self.medium.cut();
    }

    fn says(&mut self, ask: &Ask, honest: Envelope) -> Vec<Envelope> {
        let digest = ask.request.digest();
        let sealed = payload_of(&honest);
        match self.lie {
            None => vec![honest],
            Some(Lie::Wrong) => vec![self.wrong(ask)],
            Some(Lie::Stale) => vec![self.sign(&[0x33; 64], sealed)],
            Some(Lie::Duplicated) => vec![honest; 5],
            Some(Lie::Oversized) => vec![self.sign(&digest, [sealed, vec![0; 64]].concat())],
            Some(Lie::HalfFinished) => vec![self.sign(&digest, sealed[..sealed.len() / 2].to_vec())],
            Some(Lie::Equivocating) => vec![self.wrong(ask), honest],
        }
    }

    fn wrong(&mut self, ask: &Ask) -> Envelope {
        let master = self.committee.master_public_key();
        let verified: Vec<_> = ask.ciphertexts.iter().filter_map(|c| c.clone().verify(master).ok()).collect();
        let (request, recipient) = (&ask.request, &ask.card.recipient);
        let sealed = seal_wrong(&self.share, &self.committee, request, recipient, &verified, &mut self.rng);
        self.sign(&request.digest(), sealed.expect("a checked request").to_bytes())
    }

    fn sign(&self, topic: &[u8], payload: Vec<u8>) -> Envelope {
        let (committee, epoch) = (self.committee.digest(), self.committee.epoch());
        let signed = Envelope::sign(&self.keys, &committee, epoch, self.identifier, topic, Kind::Sealed, payload);
        signed.expect("a payload within an envelope's bound")
    }
}

/// What an envelope of this process carries.
fn payload_of(envelope: &Envelope) -> Vec<u8> {
    let bytes = envelope.to_bytes();
    bytes[90 + envelope.topic().len()..bytes.len() - 64].to_vec()
}
