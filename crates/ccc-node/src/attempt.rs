//! What every host of an enclave does between its plan and the program: names the round, asks for the shares, opens.

use crate::domain;
use ccc_chain::read::BlockRef;
use ccc_core::{
    ciphertext::VerifiedCiphertext,
    envelope::Envelope,
    keys::Committee,
    suite,
    table::Header,
    vault::{Culprit, CulpritReason, Mode, Request, compact},
};
use ccc_enclave::{
    attempt::{Attempt, AttemptError, OpenedAttempt},
    config::EnclaveConfig,
};
use rand_core::CryptoRng;

/// Seconds that a request to the vault stays open.
pub const REQUEST_LIFETIME: u64 = 300;

/// The request for these ciphertexts at a block.
#[must_use]
pub fn request(
    config: &EnclaveConfig,
    (committee, mode): (&Committee, Mode),
    id: [u8; 32],
    block: &BlockRef,
    header: Option<&Header>,
    digests: &[[u8; 32]],
) -> Request {
    Request {
        chain: config.chain,
        contract: config.pool,
        id,
        table_header: header.map(Header::hash),
        block_hash: block.hash.0,
        deadline: block.time.saturating_add(REQUEST_LIFETIME),
        mode,
        epoch: committee.epoch(),
        committee: committee.digest(),
        ciphertexts: digests.to_vec(),
    }
}

/// The identifier of a round that settles nothing. `attempt` tells apart the rounds that a host tries for one version: a
/// participant answers one request under an identifier.
#[must_use]
pub fn idle_id(config: &EnclaveConfig, version: u64, attempt: u64) -> [u8; 32] {
    suite::digest32(domain::IDLE_ROUND, &[&config.pool, &version.to_be_bytes(), &attempt.to_be_bytes()])
}

/// The identifier of a reserve check at a block. The same for every host that is asked for it, so that their requests are
/// one; another for another block, so that a check which came to nothing can be tried again.
#[must_use]
pub fn check_id(config: &EnclaveConfig, sequence: u64, block: &BlockRef) -> [u8; 32] {
    let parts: [&[u8]; 3] = [&config.reserve_attestation, &sequence.to_be_bytes(), &block.hash.0];
    suite::digest32(domain::RESERVE_CHECK_AT, &parts)
}

/// An opened attempt, and everybody who signed a share that is none.
pub struct Opened<'a> {
    /// The attempt.
    pub opened: OpenedAttempt<'a>,
    /// Who.
    pub culprits: Vec<Culprit>,
}

/// Opens an attempt with what the vault answered. In mode compact the enclave gets one pair per ciphertext; it gets the
/// envelopes where the pairs do not open, or where there are none.
///
/// # Errors
/// [`AttemptError`].
pub fn open<'a>(
    attempt: Attempt<'a>,
    committee: &Committee,
    request: &Request,
    ciphertexts: Vec<VerifiedCiphertext>,
    envelopes: Vec<Envelope>,
    rng: &mut impl CryptoRng,
) -> Result<Opened<'a>, AttemptError> {
    let mut culprits = Vec::new();
    let combined = (request.mode == Mode::Compact && !ciphertexts.is_empty())
        .then(|| compact::combine(committee, request, &attempt.card().recipient, &ciphertexts, &envelopes, rng).ok())
        .flatten();
    let opened = match combined {
        // too few answers that verify say so inside
        None => attempt.open(committee, ciphertexts, envelopes)?,
        Some(made) => {
            culprits.extend(made.culprits);
            attempt.open_combined(committee, ciphertexts, &made.combined, || envelopes)?
        }
    };
    culprits.extend_from_slice(opened.culprits());
    Ok(Opened { opened, culprits })
}

/// What a participant did, in words.
#[must_use]
pub fn words(reason: CulpritReason) -> &'static str {
    match reason {
        CulpritReason::Malformed => "sent a share that cannot be read",
        CulpritReason::TooMany => "sent more different shares than are looked at, none of them right",
        _ => "sent a share that fails its proof",
    }
}
