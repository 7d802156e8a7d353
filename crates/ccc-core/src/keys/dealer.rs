//! One dealer that knows the master secret while it deals: for tests and for migration from another system.
//!
//! *Source*: Shamir 1979; Feldman 1987.

use super::committee::Committee;
use super::dealing::{Dealing, DealingError, VerifiedDealing};
use super::participant::ParticipantKeys;
use super::roster::{MembershipError, Roster};
use super::session::{Protocol, Session};
use super::share::{KeyShare, KeyShareError};
use super::sharing::Sharing;
use super::{MasterPublicKey, dealing::ShareFault};
use crate::identifier::Identifier;
use crate::point::Encoded;
use crate::polynomial::SecretPolynomial;
use crate::secret::{RandomnessError, SecretScalar, random_scalar};
use alloc::vec::Vec;
use curve25519_dalek::RistrettoPoint;
use rand_core::CryptoRng;

/// Why nothing was dealt, or a dealt share does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DealerError {
    /// The random generator is broken.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
    /// The members do not make a committee.
    #[error(transparent)]
    Membership(#[from] MembershipError),
    /// A share does not serve the committee.
    #[error(transparent)]
    KeyShare(#[from] KeyShareError),
    /// The dealing is wrong in public.
    #[error(transparent)]
    Dealing(#[from] DealingError),
    /// The dealing is wrong for this recipient: the dealer's fault.
    #[error(transparent)]
    Share(#[from] ShareFault),
}

/// Deals a fresh master secret to a roster and hands every share over in the clear, ascending by identifier.
///
/// *Security*: whoever calls this knows everything. Production generates keys with [`super::dkg`].
///
/// # Errors
/// [`DealerError`]; nothing has been dealt.
pub fn deal<R: CryptoRng + ?Sized>(roster: &Roster, rng: &mut R) -> Result<(Committee, Vec<KeyShare>), DealerError> {
    let secret = random_scalar(rng)?;
    let polynomial = SecretPolynomial::with_constant(secret, roster.threshold().t(), rng)?;
    let master = RistrettoPoint::mul_base(polynomial.constant().expose());
    let master = MasterPublicKey::new(master).map_err(MembershipError::from)?;
    let shares: Vec<_> = roster.members().iter().map(|member| polynomial.evaluate(member.identifier)).collect();
    let half = |share: &SecretScalar| RistrettoPoint::mul_base(SecretScalar::new(share.expose().div_by_2()).expose());
    let halves: Vec<_> = shares.iter().map(half).collect();
    let committee = Committee::of_roster(roster.clone(), master, Encoded::all_doubles(&halves))?;
    let members = committee.members().iter().zip(shares);
    let shares = members.map(|(member, share)| KeyShare::behind_its_key(member, share, &committee)).collect();
    Ok((committee, shares))
}

/// Deals a fresh master secret with the shares encrypted to the roster's dealing keys: one message for everybody.
///
/// # Errors
/// [`DealerError::Randomness`].
pub fn deal_encrypted<R: CryptoRng + ?Sized>(
    roster: Roster,
    board_nonce: &[u8; 32],
    rng: &mut R,
) -> Result<(Session, Dealing), DealerError> {
    let session = Session::new(Protocol::Dealer, None, roster, board_nonce);
    let dealing = Dealing::create(&session, 0, random_scalar(rng)?, rng)?;
    Ok((session, dealing))
}

/// Receives a dealing of [`deal_encrypted`].
///
/// # Errors
/// [`DealerError`].
pub fn receive(
    dealing: &VerifiedDealing,
    identifier: Identifier,
    keys: &ParticipantKeys,
) -> Result<(Committee, KeyShare, [u8; 32]), DealerError> {
    let share = dealing.open_share(identifier, keys)?;
    dealing.check_share_vartime(identifier, &share)?;
    let Sharing { committee, transcript } = Sharing::of(dealing.session(), &[dealing])?;
    let key_share = KeyShare::new(identifier, share, &committee)?;
    Ok((committee, key_share, transcript))
}
