//! What qualified dealings add up to: committee, shares and transcript.
//!
//! *Source*: Pedersen 1991 for a key generation; Desmedt and Jajodia 1997 for a handover, weights by Lagrange.

use super::dealing::{VerifiedGroupDealing, coordinate, point_of, scalar_of};
use super::{GroupCommittee, GroupSession};
use crate::identifier::Identifier;
use crate::keys::MembershipError;
use crate::keys::rounds::RoundsError;
use crate::report::group::{GroupError, GroupShare};
use crate::suite::{Hasher, SUITE_BYTES, domain};
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use blsttc::group::Curve;
use blsttc::group::ff::Field;
use blsttc::poly::Commitment;
use blsttc::{Fr, G1Affine, G1Projective, SecretKeyShare};

/// The qualified dealings that count: all in a key generation, in a handover those of the t smallest numbers.
pub(super) fn that_count<'a>(
    session: &GroupSession,
    qualified: &'a BTreeMap<Identifier, VerifiedGroupDealing>,
) -> Vec<&'a VerifiedGroupDealing> {
    let most = session.old().map_or(qualified.len(), |old| usize::from(old.roster().threshold().t()));
    qualified.values().take(most).collect()
}

/// The weight of each dealing that counts: one, in a handover λ_i at zero.
pub(super) fn weights(session: &GroupSession, counted: &[&VerifiedGroupDealing]) -> Result<Vec<Fr>, RoundsError> {
    if session.old().is_none() {
        return Ok(vec![Fr::one(); counted.len()]);
    }
    let places: Vec<Fr> = counted.iter().map(|dealing| coordinate(dealing.dealer())).collect();
    let lambda = |at: usize| {
        let others = places.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, x)| x);
        let product = others.fold((Fr::one(), Fr::one()), |(over, under), x| (over * x, under * (x - places[at])));
        Option::<Fr>::from(product.1.invert()).map(|inverse| product.0 * inverse)
    };
    let all: Option<Vec<Fr>> = (0..places.len()).map(lambda).collect();
    all.ok_or(RoundsError::Membership(MembershipError::VerificationKeys))
}

/// The committee of Σ w_i·C_ik.
pub(super) fn committee(
    session: &GroupSession,
    counted: &[&VerifiedGroupDealing],
    weights: &[Fr],
) -> Result<GroupCommittee, RoundsError> {
    let commitment = match session.old() {
        None => plain_sum(counted),
        Some(_) => weighted_sum(counted, weights),
    };
    let wrong = |_: GroupError| RoundsError::Membership(MembershipError::VerificationKeys);
    let commitment = commitment.ok_or(RoundsError::Membership(MembershipError::VerificationKeys))?;
    let committee = GroupCommittee::of(Arc::new(session.roster().clone()), commitment).map_err(wrong)?;
    if session.old().is_some_and(|old| old.key() != committee.key()) {
        return Err(RoundsError::MasterKey);
    }
    Ok(committee)
}

fn plain_sum(counted: &[&VerifiedGroupDealing]) -> Option<Commitment> {
    let (first, rest) = counted.split_first()?;
    let sum = |total: Commitment, dealing: &&VerifiedGroupDealing| total + dealing.commitment();
    Some(rest.iter().fold(first.commitment().clone(), sum))
}

fn weighted_sum(counted: &[&VerifiedGroupDealing], weights: &[Fr]) -> Option<Commitment> {
    let mut total = vec![G1Projective::from(G1Affine::default()); counted.first()?.commitments().len()];
    for (dealing, weight) in counted.iter().zip(weights) {
        for (sum, point) in total.iter_mut().zip(dealing.commitments()) {
            *sum += G1Projective::from(point_of(point)?) * weight;
        }
    }
    Some(Commitment::from(total.iter().map(Curve::to_affine).collect::<Vec<_>>()))
}

/// Σ w_i·x_ij over the dealings that count.
pub(super) fn add_up(
    counted: &[&VerifiedGroupDealing],
    weights: &[Fr],
    shares: &BTreeMap<Identifier, SecretKeyShare>,
    receiver: Identifier,
    committee: &GroupCommittee,
) -> Result<GroupShare, RoundsError> {
    let mut sum = Fr::zero();
    for (dealing, weight) in counted.iter().zip(weights) {
        let dealer = dealing.dealer();
        let share = shares.get(&dealer).ok_or(RoundsError::ComplaintMissing { dealer })?;
        sum += scalar_of(&share.to_bytes()).ok_or(RoundsError::ComplaintMissing { dealer })? * weight;
    }
    GroupShare::new(receiver, SecretKeyShare::from_mut(&mut sum), committee)
        .map_err(|_| RoundsError::Membership(MembershipError::VerificationKeys))
}

/// digest32 H("group-transcript"; S, session, roster, count, (dealer, dealing commitment)…, committee).
pub(super) fn transcript(
    session: &GroupSession,
    counted: &[&VerifiedGroupDealing],
    digests: &BTreeMap<Identifier, [u8; 32]>,
    committee: &GroupCommittee,
) -> [u8; 32] {
    let count = u16::try_from(counted.len()).expect("at most one dealing per member");
    let mut hasher = Hasher::new(domain::GROUP_TRANSCRIPT, 5 + 2 * counted.len());
    hasher.field(&SUITE_BYTES).field(&session.id()).field(&session.roster().digest()).field(&count.to_be_bytes());
    for dealing in counted {
        let digest = digests.get(&dealing.dealer()).copied().unwrap_or_default();
        hasher.field(&dealing.dealer().to_bytes()).field(&digest);
    }
    hasher.field(&committee.digest());
    hasher.finish32()
}
