//! Which enclaves a signer knows. It admits an identity by its evidence, under the signer's own policy, and signs the
//! report that puts it into `EnclaveRegistry`; from then on one signature of the identity vouches for a result, as long
//! as the registry says that it is current.

use super::{MAX_VALIDITY, SignerRefusal, WorkflowNode};
use ccc_chain::status::Standing;
use ccc_core::{
    enclave::{
        attestation::{Policy, evidence_digest},
        identity::{AttestedIdentity, Challenge, Identity, IdentityRefusal, IdentitySignature, KnownIdentities},
    },
    report::{Binding, EnclaveAdmission, Origin, Payload, Report, ReportContext, Signature65, Statement},
};
use ccc_enclave::result::AttestedResult;

/// Seconds that the block which an identity answers may be old: finality takes a chain up to three epochs of 384 seconds.
///
/// The evidence itself is bound by the policy's age, where it says when it was made.
pub const MAX_BLOCK_AGE: u64 = 1_800;
/// Most seconds ahead for which a signer lets a program be allowed: two years.
pub const MAX_PROGRAM_LIFETIME: u64 = 2 * 365 * 24 * 3_600;

/// What a signer reads for itself before it signs for the registry. The host says no more than which block.
///
/// *Units*: times in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistryView {
    /// Chain identifier.
    pub chain: u64,
    /// `EnclaveRegistry`.
    pub registry: [u8; 20],
    /// Its epoch.
    pub epoch: u64,
    /// Hash of a block that the signer knows to be final: what makes the evidence fresh.
    pub block_hash: [u8; 32],
    /// Its time, as the signer reads it.
    pub block_time: u64,
    /// Time of the latest block.
    pub now: u64,
    /// The last sequence number that the registry accepted.
    pub last_sequence: u64,
}

impl RegistryView {
    /// The sequence number of the next report.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.last_sequence.saturating_add(1)
    }

    /// What an identity's evidence has to answer for the next report.
    #[must_use]
    pub fn challenge(&self) -> Challenge {
        Challenge::of_block(self.chain, &self.registry, self.sequence(), &self.block_hash)
    }

    fn payload(&self, attestation: [u8; 32], statement: EnclaveAdmission) -> Payload {
        let binding = Binding {
            chain: self.chain,
            receiver: self.registry,
            epoch: self.epoch,
            sequence: self.sequence(),
            valid_until: self.block_time.saturating_add(MAX_VALIDITY),
            attestation,
        };
        Payload { binding, statement: Statement::Enclave(statement) }
    }
}

/// What a report of kind 3 is to say.
#[derive(Clone, Copy, Debug)]
pub enum Decision<'a> {
    /// The program of this enclave may run until a last second. The signer knows the identity from then on, as after an
    /// admission.
    Allow(&'a AttestedIdentity, u64),
    /// This enclave speaks until its identity's expiry; for one that is known, for longer.
    Admit(&'a AttestedIdentity),
    /// A program may run no longer, whoever runs it.
    Withdraw([u8; 32]),
    /// Whoever signs as this address speaks no more, ever.
    Revoke([u8; 20]),
}

const NOBODY: EnclaveAdmission =
    EnclaveAdmission { measurement: [0; 32], box_key: [0; 32], signer: [0; 20], expiry: 0 };

/// How the registry says that the enclave which signed a result stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Who was asked for; zero for a result that no identity signed.
    pub signer: [u8; 20],
    /// How it stands.
    pub standing: Standing,
}

/// Who signed a result; zero for nobody. It is what a signer asks the registry for.
#[must_use]
pub fn identity_of(result: &AttestedResult) -> [u8; 20] {
    let signer = |signed: &IdentitySignature| signed.signer(&result.user_data()).ok();
    result.identity.as_ref().and_then(signer).unwrap_or_default()
}

impl WorkflowNode {
    /// The same signer, which admits identities of an epoch for at most so many seconds ahead, and signs no result without
    /// the registry's word on whose it is.
    #[must_use]
    pub fn with_identities(mut self, epoch: u64, max_lifetime: u64) -> Self {
        self.identities = KnownIdentities::new(epoch, max_lifetime);
        self.asks_registry = true;
        self
    }

    /// Whom the signer knows.
    #[must_use]
    pub fn identities(&self) -> &KnownIdentities {
        &self.identities
    }

    /// Goes on to a later epoch: whoever was admitted has to be admitted again.
    ///
    /// # Errors
    /// [`IdentityRefusal::Epoch`].
    pub fn enter(&mut self, epoch: u64, now: u64) -> Result<(), IdentityRefusal> {
        self.identities.enter(epoch, now)
    }

    /// Takes another policy, and forgets and names the identities that it no longer accepts. *Units*: now in Unix seconds.
    pub fn change_policy(&mut self, policy: Policy, now: u64) -> Vec<[u8; 20]> {
        self.policy = self.of_own_configuration(policy);
        self.identities.judge_again(&self.policy, now)
    }

    /// Judges a decision by itself and signs the report that carries it.
    ///
    /// An admission is known here from then on, whether its report is delivered or not; the registry has the last word
    /// over each result. Withdrawals and revocations are the operator's own: they need no evidence.
    ///
    /// # Errors
    /// [`SignerRefusal`]; who is known stays as it was.
    pub fn decide(
        &mut self,
        decision: Decision<'_>,
        view: &RegistryView,
        origin: Origin,
        context: &ReportContext,
    ) -> Result<(Report, Signature65), SignerRefusal> {
        let payload = match decision {
            Decision::Allow(attested, until) => self.admission(attested, Some(until), view)?,
            Decision::Admit(attested) => self.admission(attested, None, view)?,
            Decision::Withdraw(program) if program == NOBODY.measurement => return Err(SignerRefusal::Nobody),
            Decision::Revoke(signer) if signer == NOBODY.signer => return Err(SignerRefusal::Nobody),
            Decision::Withdraw(measurement) => view.payload([0; 32], EnclaveAdmission { measurement, ..NOBODY }),
            Decision::Revoke(signer) => view.payload([0; 32], EnclaveAdmission { signer, ..NOBODY }),
        };
        let report = Report::new(origin, view.block_time, payload)?;
        if let Decision::Revoke(signer) = decision {
            self.identities.revoke(signer);
        }
        let signature = self.signer.sign(&report, context);
        Ok((report, signature))
    }

    fn admission(
        &mut self,
        attested: &AttestedIdentity,
        until: Option<u64>,
        view: &RegistryView,
    ) -> Result<Payload, SignerRefusal> {
        let (age, max_age) = (view.now.saturating_sub(view.block_time), MAX_BLOCK_AGE);
        if age > max_age {
            return Err(SignerRefusal::StaleBlock { age, max_age });
        }
        let last = view.now.saturating_add(MAX_PROGRAM_LIFETIME);
        if let Some(found) = until.filter(|until| *until > last) {
            return Err(SignerRefusal::ProgramLifetime { last, found });
        }
        let measurement = self.identities.admit(attested, &self.policy, view.challenge(), view.now)?;
        let statement = match until {
            Some(expiry) => EnclaveAdmission { measurement, expiry, ..NOBODY },
            None => {
                let Identity { signer, box_key, not_after: expiry, .. } = attested.identity;
                EnclaveAdmission { measurement, box_key, signer, expiry }
            }
        };
        Ok(view.payload(evidence_digest(&attested.evidence), statement))
    }

    /// What vouches for a result: of an identity that is known here its one signature, of any other the evidence.
    pub(super) fn check_vouched(&self, result: &AttestedResult, now: u64) -> Result<(), SignerRefusal> {
        let known = result.identity.map(|signed| self.identities.check(&result.user_data(), &signed, now));
        match known {
            Some(Ok(_)) => Ok(()),
            None | Some(Err(IdentityRefusal::Unknown { .. })) => {
                result.check(&self.policy, now)?;
                Ok(())
            }
            Some(Err(refusal)) => Err(refusal.into()),
        }
    }

    /// The enclave that signed a result is current in the registry, and speaks in its epoch. A signer that admits
    /// identities does not go on without the registry's word.
    pub(super) fn check_current(
        &self,
        result: &AttestedResult,
        registered: Option<Registered>,
    ) -> Result<(), SignerRefusal> {
        let Some(Registered { signer: asked, standing }) = registered else {
            return if self.asks_registry { Err(SignerRefusal::NotAsked) } else { Ok(()) };
        };
        let signed = result.identity.as_ref().ok_or(SignerRefusal::Unsigned)?;
        let signer = signed.signer(&result.user_data()).map_err(IdentityRefusal::from)?;
        if asked != signer {
            return Err(SignerRefusal::Differs { what: "the enclave that the registry was asked for" });
        }
        let (expected, found) = (self.identities.epoch(), signed.epoch);
        if expected != found {
            return Err(IdentityRefusal::Epoch { expected, found }.into());
        }
        if standing == Standing::Current { Ok(()) } else { Err(SignerRefusal::NotCurrent { signer, standing }) }
    }
}
