//! What leaves the enclave: a payload, the public inputs it rests on, and evidence over both.
//!
//! The report's signers accept a payload only with evidence for it, and only after they have read every
//! public input again themselves: the enclave must not believe its host, and the chain need not either.

use crate::attempt::Session;
use ccc_core::{
    enclave::{
        attestation::{Evidence, Policy, PolicyRefusal, ProviderError},
        identity::IdentitySignature,
    },
    suite::{self, domain},
};

/// The public facts that a program was told and used.
///
/// *Units*: `custody` in base units; times in Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicInputs {
    /// Block at which everything was read.
    pub block: u64,
    /// Its time.
    pub block_time: u64,
    /// The pool's balance of the base asset at that block.
    pub custody: u128,
    /// Boundary operations that the table had consumed before.
    pub consumed: u64,
    /// The accumulator after those.
    pub accumulator: [u8; 32],
}

impl PublicInputs {
    /// *Layout*: block u64 ‖ block time u64 ‖ custody u128 ‖ consumed u64 ‖ accumulator 32.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(72);
        out.extend_from_slice(&self.block.to_be_bytes());
        out.extend_from_slice(&self.block_time.to_be_bytes());
        out.extend_from_slice(&self.custody.to_be_bytes());
        out.extend_from_slice(&self.consumed.to_be_bytes());
        out.extend_from_slice(&self.accumulator);
        out
    }
}

/// A payload with the evidence that this enclave computed it for this request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestedResult {
    /// ABI words for the chain.
    pub payload: Vec<u8>,
    /// What it rests on.
    pub inputs: PublicInputs,
    /// The request that it answers.
    pub request: [u8; 64],
    /// The header that it rests on: the new one of a round and of its payouts, the one that a reserve check read. A
    /// payout counts only once this header is the chain's.
    pub header: [u8; 32],
    /// Digest of the log that the round was planned from ([`crate::intake::Log::digest`]); zero for a reserve check,
    /// which reads no log.
    pub log: [u8; 32],
    /// Evidence over the five above.
    pub evidence: Vec<u8>,
    /// The enclave's identity over the same; none of an enclave without one.
    pub identity: Option<IdentitySignature>,
}

impl AttestedResult {
    pub(crate) fn attest(
        session: &Session<'_>,
        payload: Vec<u8>,
        inputs: PublicInputs,
        header: [u8; 32],
        log: [u8; 32],
    ) -> Result<Self, ProviderError> {
        let request = session.request.digest();
        let mut result = Self { payload, inputs, request, header, log, evidence: Vec::new(), identity: None };
        let said = result.user_data();
        result.evidence = session.attest(&said)?;
        result.identity = session.speaker.map(|speaker| speaker.sign(&said));
        Ok(result)
    }

    /// What evidence and identity vouch for.
    ///
    /// *Layout*: H("result"; request digest 64, payload, public inputs 72, header hash 32, log digest 32).
    #[must_use]
    pub fn user_data(&self) -> [u8; 64] {
        let inputs = self.inputs.to_bytes();
        suite::hash(domain::RESULT, &[&self.request, &self.payload, &inputs, &self.header, &self.log])
    }

    /// Checks the evidence against a policy at time `now`.
    ///
    /// # Errors
    /// [`PolicyRefusal`].
    pub fn check(&self, policy: &Policy, now: u64) -> Result<Evidence, PolicyRefusal> {
        policy.check(&self.evidence, &self.user_data(), &self.request, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of the layouts above, field by field.
    #[test]
    fn inputs_and_user_data_are_the_written_layouts() {
        let (block, block_time, custody, consumed, accumulator) = (1, 2, 3, 4, [5; 32]);
        let inputs = PublicInputs { block, block_time, custody, consumed, accumulator };
        let word = |value: u64| value.to_be_bytes();
        let wire = [&word(1)[..], &word(2), &word(0), &word(3), &word(4), &[5; 32]].concat();
        assert_eq!(inputs.to_bytes(), wire);
        let (request, header, log, payload) = ([6; 64], [7; 32], [8; 32], vec![9; 10]);
        let result = AttestedResult { payload, inputs, request, header, log, evidence: Vec::new(), identity: None };
        let fields: [&[u8]; 5] = [&[6; 64], &[9; 10], &wire, &[7; 32], &[8; 32]];
        assert_eq!(result.user_data(), suite::hash("result", &fields));
    }
}
