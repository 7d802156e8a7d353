//! From a request to an opened attempt: the participants are asked, each checks for itself.

use super::{RecoveryError, world::World};
use crate::{attempt, domain::stream, reading::enclaves, timeline::Timeline, vault_node::Ask};
use ccc_chain::read::BlockRef;
use ccc_core::{
    ciphertext::VerifiedCiphertext,
    envelope::Envelope,
    table::Header,
    vault::{Culprit, Request},
};
use ccc_enclave::attempt::{Attempt, AttemptError, OpenedAttempt};

impl World {
    /// The request for these ciphertexts at a block.
    pub(super) fn request(
        &self,
        id: [u8; 32],
        block: &BlockRef,
        header: Option<&Header>,
        digests: &[[u8; 32]],
    ) -> Request {
        attempt::request(&self.config, (&self.committee, self.mode), id, block, header, digests)
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
            identity: attempt.identity(),
            ciphertexts: ciphertexts.iter().map(|ciphertext| ciphertext.ciphertext().clone()).collect(),
            header: self.head.clone().filter(|_| request.table_header.is_some()),
        };
        let mut envelopes = Vec::new();
        let mut refusals = Vec::new();
        let asked = self.nodes.len();
        for (index, participant) in (0u64..).zip(&mut self.nodes) {
            let mut view = timeline.chain(participant.log.view(block)).await?;
            view.enclaves = timeline.chain(enclaves(&self.chain, &self.deployment)).await?;
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

    /// Opens an attempt with what the vault answered, and remembers who answered wrongly. In mode compact the enclave gets
    /// one pair per ciphertext; it gets the envelopes where the pairs do not open, or where there are none.
    pub(super) fn open<'a>(
        &mut self,
        attempt: Attempt<'a>,
        request: &Request,
        ciphertexts: Vec<VerifiedCiphertext>,
        envelopes: Vec<Envelope>,
    ) -> Result<OpenedAttempt<'a>, AttemptError> {
        let mut rng = self.randomness.hidden(stream::COMBINER, self.attempts);
        let opened = attempt::open(attempt, &self.committee, request, ciphertexts, envelopes, &mut rng)?;
        self.name_culprits(&opened.culprits);
        Ok(opened.opened)
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
    fn name_culprits(&mut self, culprits: &[Culprit]) {
        for culprit in culprits {
            self.culprits.insert(culprit.identifier.get(), attempt::words(culprit.reason).to_owned());
        }
    }
}
