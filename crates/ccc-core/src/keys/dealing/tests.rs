//! Dealings against the recorded bytes.

use super::forge::Lie;
use super::*;
use crate::epoch::Epoch;
use crate::keys::committee::tests::roster_members;
use crate::keys::roster::Roster;
use crate::keys::session::Protocol;
use crate::keys::sharing::Sharing;
use crate::support::{Replay, array, arrays, bytes, list, number, text, vectors};
use crate::threshold::Threshold;
use rand::SeedableRng;
use serde_json::Value;

pub(crate) fn session(run: &Value) -> Session {
    let small = |key| u16::try_from(number(run, key)).unwrap();
    let members = roster_members(list(&vectors("committee")["cases"][0], "members"));
    let threshold = Threshold::new(small("t"), small("n")).unwrap();
    let roster = Roster::new(Epoch(number(run, "epoch")), threshold, members).unwrap();
    let protocol = Protocol::from_byte(u8::try_from(number(&run["session"], "protocol")).unwrap()).unwrap();
    let session = Session::new(protocol, None, roster, &array(&run["session"], "board_nonce"));
    assert_eq!(hex::encode(session.id()), text(&run["session"], "session"));
    session
}

/// The bytes from which `create` draws a recorded dealing: scalars are drawn wide, so each is followed by zeros.
pub(crate) fn recorded(case: &Value) -> (SecretScalar, Replay) {
    let mut coefficients = arrays::<32>(case, "coefficients");
    let constant = Scalar::from_canonical_bytes(coefficients.remove(0)).unwrap();
    coefficients.push(array(case, "u"));
    let mut drawn: Vec<u8> = coefficients.iter().flat_map(|c| [c.as_slice(), &[0; 32]].concat()).collect();
    drawn.extend(bytes(case, "pop_random64"));
    drawn.extend(bytes(case, "dealing_random64"));
    (SecretScalar::new(constant), Replay(drawn))
}

#[test]
fn dealings_reproduce_the_bytes() {
    let file = vectors("dealing");
    for name in ["dealer", "dkg"] {
        let run = &file[name];
        let session = session(run);
        let mut verified = Vec::new();
        for case in list(run, "dealings") {
            let (constant, mut rng) = recorded(case);
            let dealer = u16::try_from(number(case, "dealer")).unwrap();
            let dealing = Dealing::create(&session, dealer, constant, &mut rng).unwrap();
            assert_eq!(hex::encode(dealing.to_bytes()), text(case, "wire"), "{name}");
            assert_eq!(hex::encode(dealing.commitment_digest()), text(case, "commitment_digest"), "{name}");
            assert_eq!(Dealing::from_bytes(&bytes(case, "wire")), Ok(dealing.clone()));
            verified.push(dealing.verify(&session).unwrap());
        }
        let sharing = Sharing::of(&session, &verified.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!(hex::encode(sharing.transcript), text(run, "transcript"), "{name}");
        assert_eq!(hex::encode(sharing.committee.master_public_key().to_bytes()), text(run, "Y"), "{name}");
    }
}

#[test]
fn recipients_open_the_recorded_shares() {
    let file = vectors("dealing");
    let run = &file["dkg"];
    let session = session(run);
    for case in list(run, "dealings") {
        let dealing = Dealing::from_bytes(&bytes(case, "wire")).unwrap().verify(&session).unwrap();
        for line in list(case, "recipients") {
            let identifier = Identifier::new(u16::try_from(number(line, "identifier")).unwrap()).unwrap();
            let shared = Encoded::read(&mut Reader::new(&bytes(line, "DH")), "DH").unwrap();
            let share = dealing.open_share_with(identifier, &shared).unwrap();
            assert_eq!(hex::encode(share.to_bytes().as_slice()), text(line, "share"));
            assert_eq!(dealing.check_share_vartime(identifier, &share), Ok(()));
        }
    }
}

/// The recorded reasons name the check of the twin, which proves first and compares fields later.
#[test]
fn refused_dealings_are_refused() {
    let file = vectors("dealing");
    let session = session(&file["dealer"]);
    for case in list(&file, "refused") {
        let (name, reason) = (text(case, "name"), text(case, "reason"));
        let error = Dealing::from_bytes(&bytes(case, "wire"))
            .map_err(DealingError::from)
            .and_then(|d| d.verify(&session))
            .unwrap_err();
        let expected = match reason {
            "header" | "length" => matches!(error, DealingError::Encoding(_)),
            "dealing proof" => error == DealingError::Proof,
            "degree" => error == DealingError::ZeroCommitment { index: 2 },
            "pop" if name == "protocol changed" => matches!(error, DealingError::Encoding(_)),
            "pop" if name == "dealer changed" => error == DealingError::Dealer { found: 1 },
            "pop" => matches!(error, DealingError::Possession | DealingError::Session),
            _ => false,
        };
        assert!(expected, "{name}: {reason}: {error:?}");
    }
}

mod refused {
    use super::*;
    use crate::keys::ParticipantKeys;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    mod fields;

    struct Cast {
        session: Session,
        keys: Vec<ParticipantKeys>,
        rng: ChaCha20Rng,
    }

    fn id(i: u16) -> Identifier {
        Identifier::new(i).unwrap()
    }

    fn cast() -> Cast {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let keys: Vec<_> = (0..4).map(|_| ParticipantKeys::generate(&mut rng).unwrap()).collect();
        let session = session_of(&keys, 1, &[1; 32]);
        Cast { session, keys, rng }
    }

    fn session_of(keys: &[ParticipantKeys], epoch: u64, nonce: &[u8; 32]) -> Session {
        let members = (1..=4).zip(keys).map(|(i, k)| k.public(id(i))).collect();
        let roster = Roster::new(Epoch(epoch), Threshold::default_for(4).unwrap(), members).unwrap();
        Session::new(Protocol::Dkg, None, roster, nonce)
    }

    impl Cast {
        fn deal(&mut self) -> Dealing {
            let constant = random_scalar(&mut self.rng).unwrap();
            Dealing::create(&self.session, 1, constant, &mut self.rng).unwrap()
        }

        fn verdict(&self, dealing: Dealing) -> Option<DealingError> {
            dealing.verify(&self.session).err()
        }
    }

    /// A dealing of zero has an empty proof of possession, and with u = 0 everybody reads the shares.
    #[test]
    fn nobody_deals_zero_or_seals_under_zero() {
        let mut cast = cast();
        let zero = SecretScalar::new(Scalar::ZERO);
        let dealt = Dealing::create(&cast.session, 1, zero, &mut cast.rng);
        assert_eq!(dealt.err(), Some(RandomnessError));
        let order = (-Scalar::ONE).to_bytes(); // ℓ − 1; ℓ itself is one more, and its lowest byte carries nothing over
        let mut u = [[order[0] + 1].as_slice(), &order[1..], &[0; 32]].concat();
        let coefficients = [[1; 32], [0; 32], [2; 32], [0; 32]].concat();
        let drawn = |u: &[u8]| Replay([&coefficients, u, &[[3; 32], [4; 32], [5; 32], [6; 32]].concat()].concat());
        let one = || SecretScalar::new(Scalar::ONE);
        assert_eq!(Dealing::create(&cast.session, 1, one(), &mut drawn(&u)).err(), Some(RandomnessError));
        u[0] += 1;
        assert!(Dealing::create(&cast.session, 1, one(), &mut drawn(&u)).is_ok());
    }

    #[test]
    fn n005_n006_another_number_of_commitments_is_refused() {
        let mut cast = cast();
        let good = cast.deal();
        for found in [2, 4] {
            let mut bad = good.clone();
            bad.commitments.resize(found, good.r);
            assert_eq!(cast.verdict(bad), Some(DealingError::Degree { expected: 3, found }));
        }
        let n = good.shares.len();
        for found in [n - 1, n + 1] {
            let mut bad = good.clone();
            bad.shares.resize(found, good.shares[0]);
            let expected = u16::try_from(n).unwrap();
            assert_eq!(cast.verdict(bad), Some(DealingError::Shares { expected, found }));
        }
        let mut wire = good.to_bytes();
        let (what, expected, found) = ("T", 32, 0);
        let without_proof = Dealing::from_bytes(&wire[..wire.len() - 64]);
        assert_eq!(without_proof, Err(EncodingError::Truncated { what, expected, found }));
        let (what, found) = ("number of commitments", wire.len() - 117);
        let mut count = |n: u16| {
            wire[115..117].copy_from_slice(&n.to_be_bytes());
            Dealing::from_bytes(&wire)
        };
        for n in [0, 1025, u16::MAX] {
            assert_eq!(count(n), Err(EncodingError::Range { what, found: n.into(), range: "1 to 1024" }));
        }
        assert_eq!(count(1024), Err(EncodingError::Truncated { what, expected: 32 * 1024, found }));
    }

    #[test]
    fn n007_n008_a_zero_first_or_last_commitment_is_refused() {
        let mut cast = cast();
        let good = cast.deal();
        for index in [0, 2] {
            let mut bad = good.clone();
            bad.commitments[index] = Encoded::new(RistrettoPoint::default());
            assert_eq!(cast.verdict(bad), Some(DealingError::ZeroCommitment { index }));
        }
    }

    #[test]
    fn n009_n010_commitments_that_are_no_canonical_points_are_refused() {
        let mut cast = cast();
        let mut wire = cast.deal().to_bytes();
        wire[117..149].fill(0xff);
        assert_eq!(Dealing::from_bytes(&wire), Err(EncodingError::Point { what: "commitment" }));
    }

    #[test]
    fn n015_a_proof_of_possession_from_elsewhere_is_refused() {
        let mut cast = cast();
        let dealing = cast.deal();
        let moved = |session: &Session, dealer| {
            let context = Context { dealer, ..Context::new(session, dealer) };
            Dealing { context, ..dealing.clone() }.verify(session).err()
        };
        assert_eq!(moved(&cast.session, 1), None);
        assert_eq!(moved(&cast.session, 2), Some(DealingError::Possession));
        assert_eq!(moved(&session_of(&cast.keys, 1, &[2; 32]), 1), Some(DealingError::Possession));
        assert_eq!(moved(&session_of(&cast.keys, 2, &[1; 32]), 1), Some(DealingError::Possession));
        let others: Vec<_> = (0..4).map(|_| ParticipantKeys::generate(&mut cast.rng).unwrap()).collect();
        assert_eq!(moved(&session_of(&others, 1, &[1; 32]), 1), Some(DealingError::Possession));
    }

    /// Context by context, with the session's own check out of the way: every field is under both proofs.
    #[test]
    fn n016_every_field_is_under_the_proofs() {
        let mut cast = cast();
        let good = cast.deal();
        let challenges = |d: &Dealing| {
            let possession = d.context.possession_challenge(&d.commitments, &d.possession.t);
            (possession, d.proof_challenge(&d.proof.t))
        };
        let context = good.context;
        let contexts = [
            Context { protocol: Protocol::Dealer, ..context },
            Context { session: [0; 32], ..context },
            Context { epoch: Epoch(9), ..context },
            Context { roster: [0; 64], ..context },
            Context { dealer: 3, ..context },
        ];
        for context in contexts {
            let (possession, proof) = challenges(&Dealing { context, ..good.clone() });
            assert!(possession != challenges(&good).0 && proof != challenges(&good).1);
        }
        for at in 0..3 {
            let mut bad = good.clone();
            bad.commitments[at] = good.r;
            let (possession, proof) = challenges(&bad);
            assert!(possession != challenges(&good).0 && proof != challenges(&good).1);
        }
        for at in 0..4 {
            let mut bad = good.clone();
            bad.shares[at][47] ^= 1;
            assert_eq!(cast.verdict(bad), Some(DealingError::Proof));
        }
        let mut bad = good.clone();
        bad.r = bad.commitments[0];
        assert_eq!(cast.verdict(bad), Some(DealingError::Proof));
    }

    #[test]
    fn n017_a_share_for_another_recipient_does_not_open() {
        let mut cast = cast();
        let dealing = cast.deal().verify(&cast.session).unwrap();
        assert!(dealing.open_share(id(2), &cast.keys[1]).is_ok());
        assert_eq!(dealing.open_share(id(3), &cast.keys[1]).err(), Some(ShareFault::Tag));
        assert_eq!(dealing.open_share(id(9), &cast.keys[1]).err(), Some(ShareFault::NotARecipient));
    }

    #[test]
    fn n018_a_dealer_from_outside_is_refused() {
        let mut cast = cast();
        let mut dealing = cast.deal();
        dealing.context.dealer = 9;
        assert_eq!(cast.verdict(dealing.clone()), Some(DealingError::Dealer { found: 9 }));
        dealing.context.dealer = 0;
        assert_eq!(cast.verdict(dealing), Some(DealingError::Dealer { found: 0 }));
    }

    #[test]
    fn n029_truncated_and_extended_dealings_are_refused() {
        let mut cast = cast();
        let wire = cast.deal().to_bytes();
        for n in 0..wire.len() {
            assert!(matches!(Dealing::from_bytes(&wire[..n]), Err(EncodingError::Truncated { .. })), "{n}");
        }
        let long = [wire.as_slice(), &[0]].concat();
        assert_eq!(Dealing::from_bytes(&long), Err(EncodingError::Trailing { found: 1 }));
    }
}

fn digested(dealings: Vec<Dealing>) -> Vec<Digested> {
    let digest = |dealing: Dealing| {
        let commitment_digest = dealing.commitment_digest();
        Digested { dealing, commitment_digest }
    };
    dealings.into_iter().map(digest).collect()
}

/// Dealings of members 1 to 4 with one thing wrong in some of them, verified together.
fn verdicts(alter: impl FnOnce(&mut [Dealing])) -> Vec<Result<(), DealingError>> {
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(11);
    let session = session(&vectors("dealing")["dkg"]);
    let mut deal = |dealer| Dealing::forge(&session, dealer, Scalar::from(5u8), &Lie::Nothing, &mut rng);
    let mut dealings: Vec<_> = (1..=4).map(&mut deal).collect();
    alter(&mut dealings);
    verify_all(digested(dealings), &session, &[3; 64]).into_iter().map(|verdict| verdict.map(drop)).collect()
}

#[test]
fn dealings_that_are_right_verify_together() {
    assert_eq!(verdicts(|_| {}), [Ok(()), Ok(()), Ok(()), Ok(())]);
}

/// In a sum without weights of their own the two errors would cancel.
#[test]
fn n064_proofs_of_two_dealings_whose_errors_cancel_are_both_refused() {
    let possession = verdicts(|all| {
        all[1].possession.z += Scalar::ONE;
        all[2].possession.z -= Scalar::ONE;
    });
    assert_eq!(possession, [Ok(()), Err(DealingError::Possession), Err(DealingError::Possession), Ok(())]);
    let both = verdicts(|all| {
        all[0].proof.z += Scalar::ONE;
        all[3].possession.z -= Scalar::ONE;
    });
    assert_eq!(both, [Err(DealingError::Proof), Ok(()), Ok(()), Err(DealingError::Possession)]);
}

#[test]
fn a_dealing_out_of_form_does_not_hide_a_wrong_proof() {
    let mixed = verdicts(|all| {
        all[0].context.session[0] ^= 1;
        all[3].proof.z += Scalar::ONE;
    });
    assert_eq!(mixed, [Err(DealingError::Session), Ok(()), Ok(()), Err(DealingError::Proof)]);
}

/// Who changes one proof changes the weights of all.
#[test]
fn n064_the_weights_of_a_round_cover_every_proof_and_the_secret() {
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(12);
    let session = session(&vectors("dealing")["dkg"]);
    let mut deal = |dealer| Dealing::forge(&session, dealer, Scalar::from(5u8), &Lie::Nothing, &mut rng);
    let dealings: Vec<_> = (1..=3).map(&mut deal).collect();
    let seed = |dealings: &[Dealing], secret| verified::weights_seed(&digested(dealings.to_vec()), &session, &secret);
    let honest = seed(&dealings, [0; 64]);
    assert_ne!(honest, seed(&dealings, [1; 64]));
    assert_ne!(honest, seed(&dealings[..2], [0; 64]));
    let elsewhere = Session::new(Protocol::Dkg, None, session.roster().clone(), &[1; 32]);
    assert_ne!(honest, verified::weights_seed(&digested(dealings.clone()), &elsewhere, &[0; 64]));
    for at in 0..dealings.len() {
        let mut changed = dealings.clone();
        changed[at].possession.z += Scalar::ONE;
        assert_ne!(honest, seed(&changed, [0; 64]));
        changed[at] = dealings[at].clone();
        changed[at].proof.z += Scalar::ONE;
        assert_ne!(honest, seed(&changed, [0; 64]));
    }
}
