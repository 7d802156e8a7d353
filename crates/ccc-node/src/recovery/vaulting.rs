//! From a request to an opened attempt: the participants are asked, each checks for itself.

use super::{RecoveryError, world::World};
use crate::{domain::stream, timeline::Timeline, vault_node::Ask};
use ccc_chain::read::BlockRef;
use ccc_core::{
    ciphertext::VerifiedCiphertext,
    envelope::Envelope,
    table::Header,
    vault::{Culprit, CulpritReason, Request},
};
use ccc_enclave::attempt::Attempt;

/// Seconds that a request to the vault stays open.
const REQUEST_LIFETIME: u64 = 300;

impl World {
    /// The request for these ciphertexts at a block.
    pub(super) fn request(
        &self,
        id: [u8; 32],
        block: &BlockRef,
        header: Option<&Header>,
        digests: &[[u8; 32]],
    ) -> Request {
        Request {
            chain: self.config.chain,
            contract: self.config.pool,
            id,
            table_header: header.map(Header::hash),
            block_hash: block.hash.0,
            deadline: block.time.saturating_add(REQUEST_LIFETIME),
            mode: self.mode,
            epoch: self.committee.epoch(),
            committee: self.committee.digest(),
            ciphertexts: digests.to_vec(),
        }
    }

    /// Asks every participant; at least the threshold must answer. Nothing to open needs nobody.
    pub(super) async fn ask_vault(
        &mut self,
        attempt: &Attempt<'_>,
        request: &Request,
        block: &BlockRef,
        ciphertexts: &[VerifiedCiphertext],
        timeline: &mut Timeline<'_>,
    ) -> Result<Vec<Envelope>, RecoveryError> {
        if ciphertexts.is_empty() {
            return Ok(Vec::new());
        }
        let ask = Ask {
            request: request.clone(),
            card: attempt.card().clone(),
            ciphertexts: ciphertexts.iter().map(|ciphertext| ciphertext.ciphertext().clone()).collect(),
            header: self.head.clone().filter(|_| request.table_header.is_some()),
        };
        let mut envelopes = Vec::new();
        let mut refusals = Vec::new();
        let asked = self.nodes.len();
        for (index, participant) in (0u64..).zip(&mut self.nodes) {
            let view = timeline.chain(participant.log.view(block)).await?;
            let mut rng = self.randomness.hidden(stream::PARTICIPANT, self.attempts << 16 | index);
            let identifier = participant.node.identifier().get();
            match participant.node.reencrypt(&view, &ask, block.time, &mut rng) {
                Ok(Some(envelope)) => envelopes.push(envelope),
                Ok(None) => drop(self.culprits.insert(identifier, "did not answer".to_owned())),
                Err(refusal) => refusals.push((identifier, refusal)),
            }
            timeline.advance(usize::try_from(index + 1).unwrap_or(asked), asked);
        }
        let need = self.committee.threshold().t();
        let answered = envelopes.len();
        match refusals.into_iter().next() {
            Some(refusal) if answered < usize::from(need) => {
                Err(RecoveryError::Vault { need, answered, refusal: Box::new(refusal) })
            }
            _ => Ok(envelopes),
        }
    }

    /// Keeps what went between enclave and vault; nothing did when there was nothing to open.
    pub(super) fn keep_attempt(
        &mut self,
        name: &str,
        request: &Request,
        attempt: &Attempt<'_>,
        envelopes: &[Envelope],
    ) {
        if request.ciphertexts.is_empty() {
            return;
        }
        self.keep(format!("{name}.request"), request.to_bytes());
        self.keep(format!("{name}.recipient"), attempt.card().to_bytes());
        for envelope in envelopes {
            self.keep(format!("{name}-{}.share", envelope.identifier()), envelope.to_bytes());
        }
    }

    /// Remembers who signed a share that is none.
    pub(super) fn name_culprits(&mut self, culprits: &[Culprit]) {
        for culprit in culprits {
            let reason = match culprit.reason {
                CulpritReason::Malformed => "sent a share that cannot be read",
                _ => "sent a share that fails its proof",
            };
            self.culprits.insert(culprit.identifier.get(), reason.to_owned());
        }
    }
}
