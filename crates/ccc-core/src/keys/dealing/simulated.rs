//! A dealer that lies, for simulations and tests. No honest dealer needs any of this.

use super::{Context, Dealing, encrypt_shares};
use crate::identifier::Identifier;
use crate::keys::session::Session;
use crate::keys::share::KeyShare;
use crate::point::Encoded;
use crate::polynomial::SecretPolynomial;
use crate::proof::Schnorr;
use crate::secret::{RandomnessError, SecretScalar, random_scalar, random64};
use curve25519_dalek::{RistrettoPoint, Scalar};
use rand_core::CryptoRng;

impl Dealing {
    /// A dealing in which everything public is right and the share of the member at `place` of the roster does not open: its
    /// receiver has to complain. In a handover it deals the dealer's own share, else a fresh secret.
    ///
    /// # Errors
    /// [`RandomnessError`].
    pub fn with_wrong_share<R: CryptoRng + ?Sized>(
        session: &Session,
        dealer: Identifier,
        own: Option<&KeyShare>,
        place: usize,
        rng: &mut R,
    ) -> Result<Self, RandomnessError> {
        let constant = match own {
            Some(share) => SecretScalar::new(*share.secret().expose()),
            None => random_scalar(rng)?,
        };
        let polynomial = SecretPolynomial::with_constant(constant, session.roster().threshold().t(), rng)?;
        let (u, context) = (random_scalar(rng)?, Context::new(session, dealer.get()));
        let commitments = polynomial.commit();
        let possession = context.prove_possession(&commitments, polynomial.constant(), &*random64(rng)?);
        let r = Encoded::new(RistrettoPoint::mul_base(u.expose()));
        let mut shares = encrypt_shares(session, &context, &polynomial, &u, &r);
        if let Some(share) = shares.get_mut(place) {
            share[0] ^= 1;
        }
        let unproven = Schnorr { t: r, z: Scalar::ZERO };
        let mut dealing = Self { context, commitments, possession, r, shares, proof: unproven };
        dealing.proof = dealing.prove(&u, &*random64(rng)?);
        Ok(dealing)
    }
}
