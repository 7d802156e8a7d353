//! What qualified dealings add up to: committee and transcript, the same for everybody.

use super::committee::{Committee, Member};
use super::dealing::VerifiedDealing;
use super::master::MasterPublicKey;
use super::roster::MembershipError;
use super::session::Session;
use crate::polynomial::evaluate_commitments_vartime;
use crate::suite::{Hasher, SUITE_BYTES, domain};
use curve25519_dalek::RistrettoPoint;
use crate::parallel::*;

/// The public result of a sharing.
pub(crate) struct Sharing {
    pub(crate) committee: Committee,
    pub(crate) transcript: [u8; 32],
}

impl Sharing {
    /// Adds up dealings, ascending by dealer: Y = Σ C_0, P_j = Σ_k (Σ C_k)·j^k.
    pub(crate) fn of(session: &Session, dealings: &[&VerifiedDealing]) -> Result<Self, MembershipError> {
        let roster = session.roster();
        let commitments = sum(usize::from(roster.threshold().t()), dealings);
        let master = MasterPublicKey::new(commitments.first().copied().unwrap_or_default())?;
        let members = roster.members().par_iter().map(|member| Member {
            identifier: member.identifier,
            verification_key: evaluate_commitments_vartime(&commitments, member.identifier),
            signing_key: member.signing_key,
            dealing_key: member.dealing_key,
        });
        let committee = Committee::from_parts(roster.epoch(), roster.threshold(), master, members.collect())?;
        let transcript = transcript(session, dealings, &committee);
        Ok(Self { committee, transcript })
    }
}

fn sum(t: usize, dealings: &[&VerifiedDealing]) -> Vec<RistrettoPoint> {
    let mut total = vec![RistrettoPoint::default(); t];
    for dealing in dealings {
        total.iter_mut().zip(dealing.commitments()).for_each(|(sum, commitment)| *sum += commitment);
    }
    total
}

/// digest32 H("transcript"; S, protocol, session, ε, roster, count, (dealer, dealing commitment)…, Y, (j, P_j)…).
fn transcript(session: &Session, dealings: &[&VerifiedDealing], committee: &Committee) -> [u8; 32] {
    let count = u16::try_from(dealings.len()).expect("at most one dealing per member");
    let mut hasher = Hasher::new(domain::TRANSCRIPT, 7 + 2 * dealings.len() + 2 * committee.members().len());
    hasher.field(&SUITE_BYTES).field(&[session.protocol() as u8]).field(&session.id());
    hasher.field(&committee.epoch().to_bytes()).field(&session.roster().digest()).field(&count.to_be_bytes());
    for dealing in dealings {
        hasher.field(&dealing.dealer().to_be_bytes()).field(&dealing.commitment_digest());
    }
    hasher.field(committee.master_public_key().bytes());
    for member in committee.members() {
        hasher.field(&member.identifier.to_bytes()).field(member.verification_key.compress().as_bytes());
    }
    hasher.finish32()
}
