//! Dealings with one thing wrong and everything else in order, as a dealer that cheats would make them.

use super::*;
use alloc::vec::Vec;

/// What is wrong.
#[derive(Clone)]
pub(crate) enum Lie {
    Nothing,
    /// Another number of coefficients.
    Degree(u16),
    /// A highest coefficient of zero.
    LastZero,
    /// Made for another session.
    Elsewhere,
    /// One share too few.
    Shares,
    Possession,
    Proof,
    /// Somebody else's ephemeral point.
    Copied(Encoded),
    /// The same, and for this member the ciphertext that the other dealer made for it.
    Stolen(Encoded, usize, [u8; SHARE_LEN]),
    /// A first commitment whose logarithm the dealer does not know.
    Rogue(Encoded),
    /// This member's share is off by so much.
    Shift(usize, Scalar),
    /// This member's share does not open.
    Tag(usize),
    /// This member's share is no canonical scalar.
    Scalar(usize),
    /// These members' shares have changed places.
    Swap(usize, usize),
}

impl Dealing {
    pub(crate) fn forge<R: CryptoRng + ?Sized>(
        session: &Session,
        dealer: u16,
        constant: Scalar,
        lie: &Lie,
        rng: &mut R,
    ) -> Self {
        let t = if let Lie::Degree(t) = lie { *t } else { session.roster().threshold().t() };
        let polynomial = SecretPolynomial::with_constant(SecretScalar::new(constant), t, rng).unwrap();
        let (u, mut context) = (random_scalar(rng).unwrap(), Context::new(session, dealer));
        if let Lie::Elsewhere = lie {
            context.session[0] ^= 1;
        }
        let mut commitments = polynomial.commit();
        match lie {
            Lie::LastZero => *commitments.last_mut().unwrap() = Encoded::new(RistrettoPoint::default()),
            Lie::Rogue(point) => commitments[0] = *point,
            _ => {}
        }
        let possession = context.prove_possession(&commitments, polynomial.constant(), &random64(rng).unwrap());
        let r = match lie {
            Lie::Copied(r) | Lie::Stolen(r, ..) => *r,
            _ => Encoded::new(RistrettoPoint::mul_base(u.expose())),
        };
        let shares = forge_shares(session, &context, &polynomial, &u, &r, lie);
        let proof = Schnorr { t: r, z: Scalar::ZERO };
        let mut dealing = Self { context, commitments, possession, r, shares, proof };
        dealing.proof = dealing.prove(&u, &random64(rng).unwrap());
        match lie {
            Lie::Possession => dealing.possession.z += Scalar::ONE,
            Lie::Proof => dealing.proof.z += Scalar::ONE,
            _ => {}
        }
        dealing
    }

    /// A dealing of a fresh secret with one share that is off by `shift`, or does not open without one.
    pub(crate) fn with_spoilt_share<R: CryptoRng + ?Sized>(
        session: &Session,
        dealer: u16,
        at: usize,
        shift: Option<Scalar>,
        rng: &mut R,
    ) -> Self {
        let constant = *random_scalar(rng).unwrap().expose();
        let lie = shift.map_or(Lie::Tag(at), |shift| Lie::Shift(at, shift));
        Self::forge(session, dealer, constant, &lie, rng)
    }

    pub(crate) fn ephemeral(&self) -> Encoded {
        self.r
    }

    /// The ciphertext for the member at this place.
    pub(crate) fn sealed_share(&self, at: usize) -> [u8; SHARE_LEN] {
        self.shares[at]
    }

    /// What a program would hold that checks no proof.
    pub(crate) fn unchecked(self, session: &Session) -> VerifiedDealing {
        let commitment_digest = self.commitment_digest();
        Digested { dealing: self, commitment_digest }.verified(session)
    }
}

fn forge_shares(
    session: &Session,
    context: &Context,
    polynomial: &SecretPolynomial,
    u: &SecretScalar,
    r: &Encoded,
    lie: &Lie,
) -> Vec<[u8; SHARE_LEN]> {
    let mut shares = encrypt_shares(session, context, polynomial, u, r);
    match *lie {
        Lie::Shares => drop(shares.pop()),
        Lie::Tag(at) => shares[at][0] ^= 1,
        Lie::Stolen(_, at, stolen) => shares[at] = stolen,
        Lie::Swap(one, other) => shares.swap(one, other),
        Lie::Shift(at, by) => {
            shares[at] = encrypt_shares(session, context, &polynomial.shifted(by), u, r).swap_remove(at);
        }
        Lie::Scalar(at) => {
            let member = &session.roster().members()[at];
            let shared = Encoded::new(member.dealing_key * u.expose());
            let key = share_key(context, member.identifier, r, member.dealing_key.compress().as_bytes(), &shared);
            shares[at] = encrypt_share(&key, &[0xff; 32]);
        }
        _ => {}
    }
    shares
}
