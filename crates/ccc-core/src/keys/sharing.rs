//! What qualified dealings add up to: committee and transcript, the same for everybody.
//!
//! *Source*: Pedersen 1991 for a key generation; Desmedt and Jajodia 1997 for a handover.

use super::committee::{Committee, Member};
use super::dealing::VerifiedDealing;
use super::master::MasterPublicKey;
use super::roster::MembershipError;
use super::session::Session;
use crate::identifier::Identifier;
use crate::parallel::prelude::*;
use crate::polynomial::{evaluate_commitments_vartime, lagrange_at_zero};
use crate::suite::{Hasher, SUITE_BYTES, domain};
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use curve25519_dalek::traits::VartimeMultiscalarMul;
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
        let keys = verification_keys_vartime(&commitments, &identifiers);
        let members = roster.members().iter().zip(keys).map(|(member, verification_key)| Member {
            identifier: member.identifier,
            verification_key,
            signing_key: member.signing_key,
            dealing_key: member.dealing_key,
        });
        let committee = Committee::from_parts(roster.epoch(), roster.threshold(), master, members.collect())?;
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
    let dealers: Vec<_> = dealings.iter().map(|d| Identifier::new(d.dealer())).collect::<Result<_, _>>()?;
    lagrange_at_zero(&dealers).ok_or(MembershipError::VerificationKeys)
}

/// Σ w_i·C_ik for every k.
fn combine_vartime(session: &Session, dealings: &[&VerifiedDealing]) -> Result<Vec<RistrettoPoint>, MembershipError> {
    let t = usize::from(session.roster().threshold().t());
    if session.old().is_none() {
        return Ok(sum(t, dealings));
    }
    let weights = weights(session, dealings)?;
    let column = |k: usize| dealings.iter().map(move |dealing| dealing.commitment(k));
    let combined = |k: usize| RistrettoPoint::vartime_multiscalar_mul(&weights, column(k));
    Ok((0..t).into_par_iter().map(combined).collect())
}

/// P_j for every identifier: by Horner's rule, and where the identifiers are consecutive, past the first t by their
/// differences, which are constant at order t − 1.
fn verification_keys_vartime(commitments: &[RistrettoPoint], identifiers: &[Identifier]) -> Vec<RistrettoPoint> {
    let consecutive = identifiers.windows(2).all(|pair| pair[0].get().checked_add(1) == Some(pair[1].get()));
    let alone = if consecutive { commitments.len().min(identifiers.len()) } else { identifiers.len() };
    let horner = |&i: &Identifier| evaluate_commitments_vartime(commitments, i);
    let mut keys: Vec<_> = identifiers[..alone].par_iter().map(horner).collect();
    let mut differences = backward_differences(&keys);
    for _ in alone..identifiers.len() {
        keys.push(next_value(&mut differences));
    }
    keys
}

/// The differences at the last of the values, that of the highest order first, the value itself last.
fn backward_differences(values: &[RistrettoPoint]) -> Vec<RistrettoPoint> {
    let mut differences = values.to_vec();
    for end in (1..values.len()).rev() {
        for i in 0..end {
            differences[i] = differences[i + 1] - differences[i];
        }
    }
    differences
}

/// Moves the differences one place on, and gives the value there.
fn next_value(differences: &mut [RistrettoPoint]) -> RistrettoPoint {
    let mut sum = RistrettoPoint::default();
    for difference in differences {
        sum += *difference;
        *difference = sum;
    }
    sum
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
