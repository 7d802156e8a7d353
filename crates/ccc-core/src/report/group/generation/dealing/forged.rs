//! Dealings that are wrong in one thing alone: the proof over the whole is made anew.

use super::*;

/// What is wrong with the share of one member.
pub(in super::super) enum Spoilt {
    /// It does not open.
    Tag,
    /// It opens to these bytes.
    Value([u8; 32]),
}

/// A dealing that is right in public, with a wrong share for the member at this place.
pub(in super::super) fn share(
    session: &GroupSession,
    dealer: Identifier,
    constant: Option<&SecretKeyShare>,
    at: usize,
    spoilt: &Spoilt,
) -> GroupDealing {
    let mut rng = HedgedRng::new("nonce", &[6; 64], &[]);
    let mut dealing = GroupDealing::create(session, dealer, constant, &mut rng).unwrap();
    let u = with_new_point(&mut dealing, &mut rng);
    // The same polynomial again: it is what the generator gives first.
    let polynomial = polynomial(session, constant, &mut HedgedRng::new("nonce", &[6; 64], &[])).unwrap();
    assert_eq!(polynomial.commitment().to_bytes(), dealing.commitments.concat());
    dealing.shares = dealing.encrypt_shares(session, &polynomial, &u);
    let member = &session.roster().members()[at];
    let (_, pk) = session.roster().encoded_dealing_key(member.identifier).unwrap();
    match spoilt {
        Spoilt::Tag => dealing.shares[at][SHARE_LEN - 1] ^= 1,
        Spoilt::Value(value) => {
            let shared = Zeroizing::new(Encoded::new(member.dealing_key * u.expose()));
            let key = dealing.share_key(member.identifier, pk, &shared);
            dealing.shares[at] = encrypt_share(&key, &Zeroizing::new(*value));
        }
    }
    dealing.proof = dealing.prove(&u, &[7; 64]);
    dealing
}

/// The commitments and the possession of another dealing, under this dealer's name.
pub(in super::super) fn possession(session: &GroupSession, dealer: Identifier, other: &GroupDealing) -> GroupDealing {
    let mut rng = HedgedRng::new("nonce", &[8; 64], &[]);
    let mut dealing = GroupDealing::create(session, dealer, None, &mut rng).unwrap();
    let u = with_new_point(&mut dealing, &mut rng);
    dealing.commitments.clone_from(&other.commitments);
    dealing.possession = other.possession;
    dealing.proof = dealing.prove(&u, &[7; 64]);
    dealing
}

/// The commitments of one's own, with the constant term and the possession for other commitments.
pub(in super::super) fn commitments(session: &GroupSession, dealer: Identifier) -> GroupDealing {
    let mut rng = HedgedRng::new("nonce", &[8; 64], &[]);
    let mut dealing = GroupDealing::create(session, dealer, None, &mut rng).unwrap();
    let u = with_new_point(&mut dealing, &mut rng);
    dealing.commitments[1] = dealing.commitments[0];
    dealing.proof = dealing.prove(&u, &[7; 64]);
    dealing
}

fn with_new_point(dealing: &mut GroupDealing, rng: &mut HedgedRng) -> SecretScalar {
    let u = random_scalar(rng).unwrap();
    dealing.r = Encoded::new(RistrettoPoint::mul_base(u.expose()));
    u
}
