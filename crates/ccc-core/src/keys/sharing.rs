//! What qualified dealings add up to: committee and transcript, the same for everybody.
//!
//! *Source*: Pedersen 1991 for a key generation; Desmedt and Jajodia 1997 for a handover.

use super::committee::Committee;
use super::dealing::VerifiedDealing;
use super::master::MasterPublicKey;
use super::roster::MembershipError;
use super::session::Session;
use crate::encoding::EncodingError;
use crate::identifier::Identifier;
use crate::parallel::prelude::*;
use crate::point::Encoded;
use crate::polynomial::{Differences, Interpolation, evaluate_commitments_vartime, lagrange_at_zero};
use crate::suite::{Hasher, SUITE_BYTES, domain};
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use curve25519_dalek::{RistrettoPoint, Scalar};

/// The public result of a sharing.
pub(crate) struct Sharing {
    pub(crate) committee: Committee,
    pub(crate) transcript: [u8; 32],
}

impl Sharing {
    /// Adds up the dealings that count, ascending by dealer: Y = Σ w_i·C_i0, P_j = Σ_k (Σ w_i·C_ik)·j^k, where w_i is
    /// one in a key generation and the Lagrange coefficient λ_i in a handover.
    pub(crate) fn of(session: &Session, dealings: &[&VerifiedDealing]) -> Result<Self, MembershipError> {
        let roster = session.roster();
        let commitments = combine_vartime(session, dealings)?;
        let master = MasterPublicKey::new(commitments.first().copied().unwrap_or_default())?;
        let identifiers: Vec<_> = roster.members().iter().map(|member| member.identifier).collect();
        let keys = verification_keys_vartime(&commitments, &identifiers).into_iter().map(Encoded::new).collect();
        let committee = Committee::of_roster(roster.clone(), master, keys)?;
        let transcript = transcript(session, dealings, &committee);
        Ok(Self { committee, transcript })
    }
}

/// The qualified dealings that count: all of them in a key generation; in a handover those of the t dealers with the
/// smallest identifiers, t being the old committee's.
pub(crate) fn that_count<'a>(
    session: &Session,
    qualified: &'a BTreeMap<Identifier, VerifiedDealing>,
) -> Vec<&'a VerifiedDealing> {
    let most = session.old().map_or(qualified.len(), |old| usize::from(old.threshold().t()));
    qualified.values().take(most).collect()
}

/// w_i of every dealing that counts, in order.
pub(crate) fn weights(session: &Session, dealings: &[&VerifiedDealing]) -> Result<Vec<Scalar>, MembershipError> {
    if session.old().is_none() {
        return Ok(vec![Scalar::ONE; dealings.len()]);
    }
    lagrange_at_zero(&dealers(dealings)?).ok_or(MembershipError::VerificationKeys)
}

/// Σ w_i·C_ik for every k.
fn combine_vartime(session: &Session, dealings: &[&VerifiedDealing]) -> Result<Vec<RistrettoPoint>, MembershipError> {
    let t = usize::from(session.roster().threshold().t());
    if session.old().is_none() {
        return Ok(sum(t, dealings));
    }
    let lambdas = Interpolation::at_zero(&dealers(dealings)?).ok_or(MembershipError::VerificationKeys)?;
    let column = |k: usize| lambdas.combine_vartime(dealings.iter().map(|dealing| dealing.commitment(k)));
    let columns: Option<_> = (0..t).into_par_iter().map(column).collect();
    columns.ok_or(MembershipError::VerificationKeys)
}

fn dealers(dealings: &[&VerifiedDealing]) -> Result<Vec<Identifier>, EncodingError> {
    dealings.iter().map(|dealing| Identifier::new(dealing.dealer())).collect()
}

/// P_j for every identifier: by differences where all of them are small, else by Horner's rule.
fn verification_keys_vartime(commitments: &[RistrettoPoint], identifiers: &[Identifier]) -> Vec<RistrettoPoint> {
    let last = identifiers.last().map_or(0, |i| usize::from(i.get()));
    if last <= 3 * identifiers.len() {
        return Differences::of_vartime(commitments).values(identifiers);
    }
    identifiers.par_iter().map(|&i| evaluate_commitments_vartime(commitments, i)).collect()
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
    for (member, key) in committee.members().iter().zip(committee.verification_keys()) {
        hasher.field(&member.identifier.to_bytes()).field(key.bytes());
    }
    hasher.finish32()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slow(commitments: &[RistrettoPoint], identifiers: &[Identifier]) -> Vec<RistrettoPoint> {
        identifiers.iter().map(|&i| evaluate_commitments_vartime(commitments, i)).collect()
    }

    fn commitments(t: u64) -> Vec<RistrettoPoint> {
        (0..t).map(|k| RistrettoPoint::mul_base(&Scalar::from(k * k * 7919 + 3).invert())).collect()
    }

    fn ids(numbers: impl IntoIterator<Item = u16>) -> Vec<Identifier> {
        numbers.into_iter().map(|i| Identifier::new(i).unwrap()).collect()
    }

    #[test]
    fn n062_keys_at_the_maximum_and_with_gaps_are_the_polynomials_values() {
        let commitments = commitments(3);
        for numbers in [&[65_530, 65_531, 65_532, 65_533, 65_534, 65_535][..], &[1, 2, 4, 5, 6], &[7], &[1, 2]] {
            let identifiers = ids(numbers.iter().copied());
            assert_eq!(verification_keys_vartime(&commitments, &identifiers), slow(&commitments, &identifiers));
        }
        assert_eq!(verification_keys_vartime(&commitments, &[]), []);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn differences_agree_with_horners_rule(t in 1u64..9, first in 1u16..60_000, n in 1u16..20) {
            let (commitments, identifiers) = (commitments(t), ids(first..first + n));
            prop_assert_eq!(verification_keys_vartime(&commitments, &identifiers), slow(&commitments, &identifiers));
        }
    }
}
