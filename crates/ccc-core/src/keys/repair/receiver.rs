//! The participant whose share is repaired.

use super::complaint::RepairComplaint;
use super::packet::{RepairPacket, Stage};
use super::round::{FirstRound, SecondRound};
use super::session::RepairSession;
use super::{RepairCulprit, RepairError, RepairFault};
use crate::encoding::{EncodingError, Kind};
use crate::envelope::Envelope;
use crate::identifier::Identifier;
use crate::keys::participant::ParticipantKeys;
use crate::keys::share::{KeyShare, KeyShareError};
use crate::point::Encoded;
use crate::secret::{SecretScalar, sum};
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// The participant whose share is repaired. Like a helper it has no state but the session.
pub struct Receiver<'k> {
    session: RepairSession,
    keys: &'k ParticipantKeys,
}

impl<'k> Receiver<'k> {
    /// The receiver of this session: with the keys that the committee knows it by.
    ///
    /// # Errors
    /// [`RepairError::Keys`].
    pub fn new(session: RepairSession, keys: &'k ParticipantKeys) -> Result<Self, RepairError> {
        let identifier = session.lost();
        if session.owns(keys, identifier) { Ok(Self { session, keys }) } else { Err(RepairError::Keys { identifier }) }
    }

    /// The signed request that opens the session: helpers read it with [`RepairSession::requested`].
    ///
    /// # Errors
    /// [`EncodingError`].
    pub fn request(&self) -> Result<Envelope, EncodingError> {
        let payload = self.session.request().to_bytes()?;
        self.session.sign(self.keys, self.session.lost(), Kind::RepairRequest, payload)
    }

    /// Opens every sum and adds them up to the share.
    ///
    /// # Errors
    /// [`RepairError::Ended`] with complaints to be posted, if a sum does not open or match;
    /// [`RepairError::OtherBoard`], if helpers read other splits and have to help again;
    /// [`RepairError::KeyShare`], if the share is not the one of the committee's table, which the checks before
    /// exclude.
    pub fn finish(&self, first_round: &[Envelope], second_round: &[Envelope]) -> Result<KeyShare, RepairError> {
        let first = FirstRound::read(&self.session, first_round)?;
        let second = SecondRound::read(&self.session, &first, second_round)?;
        let mut sums = Vec::with_capacity(self.session.helpers().len());
        let (mut culprits, mut complaints) = (Vec::new(), Vec::new());
        for (sender, packet) in second.packets() {
            match self.open(packet) {
                Ok(sum) => sums.push(sum),
                Err(fault) => {
                    culprits.push(RepairCulprit { identifier: sender, fault });
                    complaints.push(self.complain(sender, packet)?);
                }
            }
        }
        if !culprits.is_empty() {
            return Err(RepairError::Ended { culprits, complaints });
        }
        Ok(assemble(&self.session, &sums)?)
    }

    fn open(&self, packet: &RepairPacket) -> Result<SecretScalar, RepairFault> {
        let shared = Zeroizing::new(Encoded::new(packet.r().point() * self.keys.dealing_secret().expose()));
        packet.open(&self.session, (0, self.session.lost()), &shared).map_err(RepairFault::Scalar)
    }

    fn complain(&self, sender: Identifier, packet: &RepairPacket) -> Result<Envelope, EncodingError> {
        let (session, accuser) = (&self.session, self.session.lost());
        let complaint = RepairComplaint::create(session, (Stage::Sum, sender), packet, accuser, self.keys);
        session.sign(self.keys, accuser, Kind::RepairComplaint, complaint.to_bytes())
    }
}

/// x_ℓ = Σ_j σ_j, compared with P_ℓ.
pub(super) fn assemble(session: &RepairSession, sums: &[SecretScalar]) -> Result<KeyShare, KeyShareError> {
    KeyShare::new(session.lost(), sum(sums), session.committee())
}
