//! A complaint: a recipient shows the Diffie–Hellman point of a packet, and anybody decides who is at fault.
//!
//! *Security*: the point is computed only for a packet whose sender has proved to know the logarithm of R. It opens
//! what that packet holds for the accuser's dealing key, in a run that ends here, and nothing else.

use super::RepairFault;
use super::packet::{RepairPacket, Stage};
use super::session::RepairSession;
use crate::encoding::{EncodingError, Reader};
use crate::identifier::Identifier;
use crate::keys::participant::ParticipantKeys;
use crate::point::{Claimed, Encoded};
use crate::proof::{Dleq, Equation};
use crate::secret::proof_nonce;
use crate::suite::{challenge, domain};
use alloc::vec::Vec;
use curve25519_dalek::{RistrettoPoint, Scalar};

/// DH = sk_j·R of one packet with the proof that it is.
///
/// *Layout*, 131 bytes: stage u8 ‖ sender of the packet u16 ‖ DH 32 ‖ A 32 ‖ B 32 ‖ z 32; the envelope's header names
/// the kind, its sender is the accuser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairComplaint {
    stage: Stage,
    sender: Identifier,
    shared: Encoded,
    proof: Dleq,
}

impl RepairComplaint {
    /// Complains about the scalar that a packet holds for this participant.
    ///
    /// The nonce is hashed from the dealing key and the statement: the same complaint has the same bytes.
    pub(super) fn create(
        session: &RepairSession,
        (stage, sender): (Stage, Identifier),
        packet: &RepairPacket,
        accuser: Identifier,
        keys: &ParticipantKeys,
    ) -> Self {
        let (secret, r) = (keys.dealing_secret(), packet.r());
        let shared = Encoded::new(r.point() * secret.expose());
        let statement = Statement::new(session, stage, sender, accuser, &keys.dealing_key(), r);
        let nonce = proof_nonce(&[0; 64], secret, &statement.fields(&shared), 0);
        let a = Claimed::of(&RistrettoPoint::mul_base(nonce.expose()));
        let b = Claimed::of(&(r.point() * nonce.expose()));
        let z = nonce.expose() + statement.challenge(&shared, &a, &b) * secret.expose();
        Self { stage, sender, shared, proof: Dleq { a, b, z } }
    }

    /// Encodes the complaint.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(131);
        out.push(self.stage as u8);
        out.extend_from_slice(&self.sender.to_bytes());
        out.extend_from_slice(self.shared.bytes());
        self.proof.write(&mut out);
        out
    }

    /// Reads a complaint.
    ///
    /// # Errors
    /// [`EncodingError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        let stage = Stage::from_byte(reader.u8("stage")?)?;
        let sender = Identifier::new(reader.u16("sender")?)?;
        let complaint =
            Self { stage, sender, shared: Encoded::read(&mut reader, "DH")?, proof: Dleq::read(&mut reader)? };
        reader.finish()?;
        Ok(complaint)
    }

    pub(super) fn stage(&self) -> Stage {
        self.stage
    }

    pub(super) fn sender(&self) -> Identifier {
        self.sender
    }

    /// Decides: a wrong proof is the accuser's fault; with a right one, a scalar that does not open or match is the
    /// sender's; else it is the accuser's.
    pub(super) fn judge(
        &self,
        session: &RepairSession,
        packet: &RepairPacket,
        (position, accuser): (usize, Identifier),
    ) -> (Identifier, RepairFault) {
        let false_complaint = (accuser, RepairFault::FalseComplaint);
        let Some(p) = session.dealing_key(accuser) else { return false_complaint };
        let statement = Statement::new(session, self.stage, self.sender, accuser, &p, packet.r());
        let challenge = statement.challenge(&self.shared, &self.proof.a, &self.proof.b);
        let (u, d) = (*packet.r().point(), *self.shared.point());
        if !(Equation { p, u, d, proof: &self.proof, challenge }).holds_vartime() {
            return false_complaint;
        }
        match packet.open(session, (position, accuser), &self.shared) {
            Ok(_) => false_complaint,
            Err(fault) => (self.sender, RepairFault::Scalar(fault)),
        }
    }
}

struct Statement {
    session: [u8; 32],
    stage: [u8; 1],
    sender: [u8; 2],
    accuser: [u8; 2],
    dealing_key: [u8; 32],
    r: [u8; 32],
}

impl Statement {
    fn new(
        session: &RepairSession,
        stage: Stage,
        sender: Identifier,
        accuser: Identifier,
        dealing_key: &RistrettoPoint,
        r: &Encoded,
    ) -> Self {
        Self {
            session: session.id(),
            stage: [stage as u8],
            sender: sender.to_bytes(),
            accuser: accuser.to_bytes(),
            dealing_key: dealing_key.compress().to_bytes(),
            r: *r.bytes(),
        }
    }

    fn fields<'a>(&'a self, shared: &'a Encoded) -> [&'a [u8]; 7] {
        let Self { session, stage, sender, accuser, dealing_key, r } = self;
        [session, stage, sender, accuser, dealing_key, r, shared.bytes()]
    }

    /// H("repair-complaint"; session, stage, sender, accuser, pk of the accuser, R, DH, A, B).
    fn challenge(&self, shared: &Encoded, a: &Claimed, b: &Claimed) -> Scalar {
        let mut fields = self.fields(shared).to_vec();
        fields.extend([a.bytes().as_slice(), b.bytes().as_slice()]);
        challenge(domain::REPAIR_COMPLAINT, &fields)
    }
}
