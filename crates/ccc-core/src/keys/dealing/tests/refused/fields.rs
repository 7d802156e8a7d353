//! Every field that the proofs of a dealing absorb, altered one at a time; and shares that change places.

use super::*;
use crate::keys::complaint::{Complaint, Verdict};
use crate::keys::dealing::forge::Lie;

/// The challenges of a dealing's two proofs.
fn challenges(dealing: &Dealing) -> [Scalar; 2] {
    let possession = dealing.context.possession_challenge(&dealing.commitments, &dealing.possession.t);
    [possession, dealing.proof_challenge(&dealing.proof.t)]
}

/// Whether they hold, the session's own checks aside.
fn hold(dealing: &Dealing) -> [bool; 2] {
    let [possession, proof] = challenges(dealing);
    let c0 = dealing.commitments[0].point();
    [dealing.possession.holds_vartime(c0, &possession), dealing.proof.holds_vartime(dealing.r.point(), &proof)]
}

type Alteration = (&'static str, Box<dyn Fn(&mut Dealing)>, [bool; 2]);

/// Every field, and which of the two proofs absorb it.
fn alterations(other: Encoded) -> Vec<Alteration> {
    const BOTH: [bool; 2] = [true, true];
    let mut all: Vec<Alteration> = vec![
        ("protocol", Box::new(|d| d.context.protocol = Protocol::Reshare), BOTH),
        ("session", Box::new(|d| d.context.session[31] ^= 1), BOTH),
        ("epoch", Box::new(|d| d.context.epoch.0 += 1), BOTH),
        ("roster", Box::new(|d| d.context.roster[63] ^= 1), BOTH),
        ("dealer", Box::new(|d| d.context.dealer = 2), BOTH),
        ("a commitment more", Box::new(move |d| d.commitments.push(other)), BOTH),
    ];
    for k in 0..3 {
        all.push(("C_k", Box::new(move |d| d.commitments[k] = other), BOTH));
    }
    all.push(("T of possession", Box::new(move |d| d.possession.t = other), [true, false]));
    all.push(("R", Box::new(move |d| d.r = other), [false, true]));
    for j in 0..4 {
        all.push(("a ciphertext's body", Box::new(move |d| d.shares[j][0] ^= 1), [false, true]));
        all.push(("a ciphertext's tag", Box::new(move |d| d.shares[j][47] ^= 1), [false, true]));
    }
    all.push(("a ciphertext less", Box::new(|d| d.shares.truncate(3)), [false, true]));
    all.push(("T", Box::new(move |d| d.proof.t = other), [false, true]));
    all
}

#[test]
fn n016_each_field_alone_is_under_its_proofs() {
    let mut cast = cast();
    let good = cast.deal();
    assert_eq!(hold(&good), [true, true]);
    let other = Encoded::new(RistrettoPoint::mul_base(&Scalar::from(77u8)));
    for (field, alter, absorbed) in alterations(other) {
        let mut bad = good.clone();
        alter(&mut bad);
        let (before, after) = (challenges(&good), challenges(&bad));
        assert_eq!([before[0] != after[0], before[1] != after[1]], absorbed, "{field}");
        assert_eq!(hold(&bad), absorbed.map(|absorbed| !absorbed), "{field}");
    }
}

/// z of either proof, and a proof in the other's place.
#[test]
fn n016_a_response_that_is_altered_or_of_the_other_proof_is_refused() {
    let mut cast = cast();
    let good = cast.deal();
    let with = |alter: &dyn Fn(&mut Dealing)| {
        let mut bad = good.clone();
        alter(&mut bad);
        cast.verdict(bad)
    };
    assert_eq!(with(&|d| d.possession.z += Scalar::ONE), Some(DealingError::Possession));
    assert_eq!(with(&|d| d.proof.z += Scalar::ONE), Some(DealingError::Proof));
    assert_eq!(with(&|d| d.possession = d.proof.clone()), Some(DealingError::Possession));
    assert_eq!(with(&|d| d.proof = d.possession.clone()), Some(DealingError::Proof));
}

/// A session knows its chain through its board's nonce, which a board on a chain derives from the chain: the same keys,
/// roster, epoch and protocol on two chains are two sessions.
#[test]
fn n015_a_proof_of_possession_from_another_chain_is_refused() {
    let mut cast = cast();
    let board = |chain: u64| crate::suite::digest(&[&chain.to_be_bytes()[..], &[1; 20]].concat());
    let [here, there] = [1, 31337].map(|chain| session_of(&cast.keys, 1, &board(chain)));
    assert_eq!(here.roster(), there.roster());
    cast.session = there;
    let dealing = cast.deal();
    assert_eq!(cast.verdict(dealing.clone()), None);
    assert_eq!(dealing.clone().verify(&here).err(), Some(DealingError::Session));
    let moved = Dealing { context: Context::new(&here, 1), ..dealing };
    assert_eq!(moved.verify(&here).err(), Some(DealingError::Possession));
}

/// The dealer itself gives 1 the share of 2 and the reverse, under a proof of its own: right in public, and open to
/// neither, since the key of a share is bound to its recipient. Both can show it, and nobody else is hurt.
#[test]
fn n017_shares_that_change_places_open_to_neither_and_convict_the_dealer() {
    let mut cast = cast();
    let lie = Lie::Swap(0, 1);
    let dealing = Dealing::forge(&cast.session, 3, Scalar::from(9u8), &lie, &mut cast.rng);
    let dealing = dealing.verify(&cast.session).unwrap();
    for (at, keys) in cast.keys.iter().enumerate() {
        let recipient = id(u16::try_from(at + 1).unwrap());
        let opened = dealing.open_share(recipient, keys).map(drop);
        assert_eq!(opened, if at < 2 { Err(ShareFault::Tag) } else { Ok(()) });
        let complaint = Complaint::create(&dealing, recipient, keys, &mut cast.rng).unwrap();
        let expected = if at < 2 { Verdict::Dealer(ShareFault::Tag) } else { Verdict::Accuser };
        assert_eq!(complaint.judge(&dealing, recipient), expected);
    }
}
