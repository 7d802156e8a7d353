//! A helper: splits its weighted share, and adds up the parts that it receives.

use super::complaint::RepairComplaint;
use super::packet::{RepairPacket, Stage, seen};
use super::round::FirstRound;
use super::session::RepairSession;
use super::{RepairCulprit, RepairError, RepairFault};
use crate::encoding::{EncodingError, Kind};
use crate::envelope::Envelope;
use crate::identifier::Identifier;
use crate::keys::participant::ParticipantKeys;
use crate::keys::share::KeyShare;
use crate::point::Encoded;
use crate::secret::{SecretScalar, hedged_scalar, sum};
use crate::suite::{domain, hash};
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// A helper of a repair.
///
/// It has no state: [`Helper::split`] and [`Helper::sum`] give the same envelopes whenever they are called again.
pub struct Helper<'k> {
    session: RepairSession,
    position: usize,
    share: &'k KeyShare,
    keys: &'k ParticipantKeys,
}

impl<'k> Helper<'k> {
    /// A helper that the session names, with its share and keys.
    ///
    /// # Errors
    /// [`RepairError::NotAHelper`], [`RepairError::KeyShare`], [`RepairError::Keys`].
    pub fn new(session: RepairSession, share: &'k KeyShare, keys: &'k ParticipantKeys) -> Result<Self, RepairError> {
        let identifier = share.identifier();
        let position = session.position(identifier).ok_or(RepairError::NotAHelper { identifier })?;
        share.matches(session.committee())?;
        if !session.owns(keys, identifier) {
            return Err(RepairError::Keys { identifier });
        }
        Ok(Self { session, position, share, keys })
    }

    /// λ_i·x_i = Σ_j δ_ij, one part sealed to each helper.
    ///
    /// # Errors
    /// [`RepairError::Encoding`].
    pub fn split(&self) -> Result<Envelope, RepairError> {
        let before = seen(&self.session, core::iter::empty());
        let seed = self.seed(Stage::Split, &before);
        let parts = self.parts(&seed);
        Ok(self.post(Stage::Split, before, &parts, &seed)?)
    }

    /// Opens its part of every split, and seals their sum to the lost participant.
    ///
    /// *Security*: the round MUST be over, so that everybody reads the same.
    ///
    /// # Errors
    /// [`RepairError::Ended`] with complaints to be posted, if a part does not open or match.
    pub fn sum(&self, first_round: &[Envelope]) -> Result<Envelope, RepairError> {
        let first = FirstRound::read(&self.session, first_round)?;
        let mut parts = Vec::with_capacity(self.session.helpers().len());
        let (mut culprits, mut complaints) = (Vec::new(), Vec::new());
        for (sender, packet) in first.packets() {
            match self.open(packet) {
                Ok(part) => parts.push(part),
                Err(fault) => {
                    culprits.push(RepairCulprit { identifier: sender, fault });
                    complaints.push(self.complain(sender, packet)?);
                }
            }
        }
        if !culprits.is_empty() {
            return Err(RepairError::Ended { culprits, complaints });
        }
        let seed = self.seed(Stage::Sum, &first.seen());
        Ok(self.post(Stage::Sum, first.seen(), &[(self.session.lost(), sum(&parts))], &seed)?)
    }

    fn identifier(&self) -> Identifier {
        self.share.identifier()
    }

    fn open(&self, packet: &RepairPacket) -> Result<SecretScalar, RepairFault> {
        let shared = Zeroizing::new(Encoded::new(packet.r().point() * self.keys.dealing_secret().expose()));
        packet.open(&self.session, (self.position, self.identifier()), &shared).map_err(RepairFault::Scalar)
    }

    fn complain(&self, sender: Identifier, packet: &RepairPacket) -> Result<Envelope, EncodingError> {
        let (session, accuser) = (&self.session, self.identifier());
        let complaint = RepairComplaint::create(session, (Stage::Split, sender), packet, accuser, self.keys);
        session.sign(self.keys, accuser, Kind::RepairComplaint, complaint.to_bytes())
    }

    fn post(
        &self,
        stage: Stage,
        seen: [u8; 32],
        scalars: &[(Identifier, SecretScalar)],
        seed: &[u8; 64],
    ) -> Result<Envelope, EncodingError> {
        let packet = RepairPacket::create(&self.session, (stage, self.identifier(), seen), scalars, seed);
        self.session.sign(self.keys, self.identifier(), Kind::RepairPacket, packet.to_bytes())
    }

    /// δ_ij = H("repair-split"; seed, j, u8 0) for every other helper; its own part is what is left of λ_i·x_i.
    fn parts(&self, seed: &[u8; 64]) -> Vec<(Identifier, SecretScalar)> {
        let draw = |j: Identifier| hedged_scalar(domain::REPAIR_SPLIT, seed, &[&j.to_bytes()], 0);
        let mut parts: Vec<_> = self.session.helpers().iter().map(|&j| (j, draw(j))).collect();
        let weighted = self.session.weight(self.position) * self.share.secret().expose();
        let others = parts.iter().filter(|(j, _)| *j != self.identifier());
        let rest = others.fold(weighted, |rest, (_, part)| rest - part.expose());
        parts[self.position].1 = SecretScalar::new(rest);
        parts
    }

    /// H("repair-seed"; x_i, session, i, stage, seen): whoever does not know the share cannot guess it.
    fn seed(&self, stage: Stage, seen: &[u8; 32]) -> Zeroizing<[u8; 64]> {
        let (secret, identifier) = (self.share.secret().to_bytes(), self.identifier().to_bytes());
        let fields: [&[u8]; 5] = [secret.as_slice(), &self.session.id(), &identifier, &[stage as u8], seen];
        Zeroizing::new(hash(domain::REPAIR_SEED, &fields))
    }
}
