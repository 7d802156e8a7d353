//! Shares against the recorded bytes, and the forgeries that a weaker challenge would accept.

use super::*;
use crate::ciphertext::Ciphertext;
use crate::keys::MasterPublicKey;
use crate::support::{Replay, array, arrays, bytes, list, number, text, vectors};
use crate::vault::Mode;
use serde_json::Value;

mod birthday;

pub(crate) fn committee() -> Committee {
    let file = vectors("committee");
    let case = &list(&file, "cases")[0];
    let committee = crate::keys::committee::tests::committee(case);
    assert_eq!(hex::encode(committee.digest()), text(case, "committee"));
    committee
}

pub(crate) fn key_share(case: &Value, committee: &Committee) -> KeyShare {
    let identifier = u16::try_from(number(case, "identifier")).unwrap();
    let mut wire = crate::encoding::header(crate::encoding::Kind::KeyShare).to_vec();
    wire.extend(committee.epoch().to_bytes());
    wire.extend(committee.digest());
    wire.extend(identifier.to_be_bytes());
    wire.extend(bytes(case, "share"));
    let share = KeyShare::from_bytes(&wire).unwrap();
    assert_eq!(share.to_bytes().as_slice(), wire);
    share
}

pub(crate) fn ciphertext(digest: &str, master: &MasterPublicKey) -> VerifiedCiphertext {
    let file = vectors("ciphertext");
    let case = list(&file, "cases").iter().find(|c| text(c, "ct_digest") == digest).unwrap().clone();
    Ciphertext::from_bytes(&bytes(&case, "wire")).unwrap().verify(master).unwrap()
}

pub(crate) fn request(digest: &str) -> Request {
    let file = vectors("request");
    let case = list(&file, "requests").iter().find(|r| text(r, "request") == digest).unwrap().clone();
    let table = bytes(&case, "table_header_hash");
    let request = Request {
        chain: number(&case, "chain"),
        contract: array(&case, "contract"),
        id: array(&case, "id"),
        table_header: table.try_into().ok(),
        block_hash: array(&case, "block_hash"),
        deadline: number(&case, "deadline"),
        mode: Mode::from_byte(u8::try_from(number(&case, "mode")).unwrap()).unwrap(),
        epoch: crate::epoch::Epoch(number(&case, "epoch")),
        committee: array(&case, "committee"),
        ciphertexts: arrays(&case, "ct_digests"),
    };
    assert_eq!(hex::encode(request.digest()), digest);
    assert_eq!(Request::from_bytes(&request.to_bytes()), Ok(request.clone()));
    request
}

fn recipient(case: &Value) -> Option<[u8; 64]> {
    bytes(case, "recipient").try_into().ok()
}

#[test]
fn shares_reproduce_the_bytes() {
    let (file, committee) = (vectors("share"), committee());
    for case in list(&file, "public").iter().chain(list(&file, "sealed")).chain(list(&file, "composite")) {
        let master = committee.master_public_key();
        let digests = match case.get("ct_digests") {
            Some(all) => all.as_array().unwrap().iter().map(|d| d.as_str().unwrap()).collect(),
            None => vec![text(case, "ct_digest")],
        };
        let ciphertexts: Vec<_> = digests.iter().map(|d| ciphertext(d, master)).collect();
        let (request, recipient) = (request(text(case, "request")), recipient(case));
        let key = key_share(case, &committee);
        let mut rng = Replay(bytes(case, "random64"));
        let shares = Shares::unsealed(&key, &committee, &request, recipient.as_ref(), &ciphertexts, &mut rng).unwrap();
        assert_eq!(hex::encode(shares.to_bytes()), text(case, "wire"));
        assert!(Shares::from_bytes(&bytes(case, "wire"), ciphertexts.len()).unwrap() == shares);
        let verified = shares.verify(key.identifier(), &committee, &request, recipient.as_ref(), &ciphertexts);
        assert_eq!(verified, Ok(()));
    }
}

#[test]
fn any_threshold_of_shares_combines_to_the_recorded_message() {
    let (file, committee) = (vectors("share"), committee());
    for case in list(&file, "combine") {
        let wanted: Vec<u64> = list(case, "identifiers").iter().map(|i| i.as_u64().unwrap()).collect();
        let cases = list(&file, "public");
        let request = request(text(&cases[0], "request"));
        let ciphertexts = [ciphertext(text(&cases[0], "ct_digest"), committee.master_public_key())];
        let chosen = cases.iter().filter(|c| wanted.contains(&number(c, "identifier"))).map(|c| {
            let identifier = Identifier::new(u16::try_from(number(c, "identifier")).unwrap()).unwrap();
            (identifier, Shares::from_bytes(&bytes(c, "wire"), 1).unwrap())
        });
        let mut rng = Replay((0..64).collect());
        let opened =
            crate::vault::combine::combine_public(&committee, &request, &ciphertexts, chosen.collect(), &mut rng)
                .unwrap();
        assert_eq!(opened.every(&ciphertexts).unwrap()[0].as_slice(), bytes(case, "message"));
    }
}

/// Whether the equation of a recorded share holds under the recorded statement.
fn holds(case: &Value, u: Encoded) -> Result<bool, EncodingError> {
    let shares = Shares::from_bytes(&bytes(case, "wire"), 1)?;
    let opening = Opening {
        mode: [u8::try_from(number(case, "mode")).unwrap()],
        committee: array(case, "committee"),
        epoch: number(case, "epoch").to_be_bytes(),
        identifier: u16::try_from(number(case, "identifier")).unwrap().to_be_bytes(),
        verification_key: array(case, "P"),
        request: array(case, "request"),
        recipient: case.get("recipient").and_then(|_| recipient(case)),
    };
    let target = Target { u, d: shares.points[0], names: vec![bytes(case, "ct_digest")] };
    let challenge = share_challenge(&opening, &target, &shares.proof.a, &shares.proof.b);
    let p = *point(case, "P").point();
    let (u, d) = (*u.point(), *target.d.point());
    Ok(Equation { p, u, d, proof: &shares.proof, challenge }.holds_vartime())
}

fn point(case: &Value, key: &str) -> Encoded {
    Encoded::read(&mut Reader::new(&bytes(case, key)), "point").unwrap()
}

#[test]
fn n043_a_proof_with_any_field_of_the_statement_changed_is_refused() {
    for case in list(&vectors("share_refused"), "changed") {
        let verdict = holds(case, point(case, "U"));
        let expected = match text(case, "reason") {
            "proof" => verdict == Ok(false),
            "zero" => verdict == Err(EncodingError::Identity { what: "D" }),
            "scalar not canonical" => verdict == Err(EncodingError::Scalar { what: "z" }),
            "not canonical" => verdict == Err(EncodingError::Point { what: "D" }),
            "length" => {
                matches!(verdict, Err(EncodingError::Truncated { .. } | EncodingError::Trailing { .. }))
            }
            _ => false,
        };
        assert!(expected, "{}: {verdict:?}", text(case, "name"));
    }
}

#[test]
fn n043_forgeries_against_a_challenge_without_u_or_p_are_refused() {
    for case in list(&vectors("share_refused"), "forgeries") {
        assert_eq!(holds(case, point(case, "U")), Ok(false), "{}", text(case, "name"));
    }
}

/// D is not x·U, and the proof is made so that one equation holds: for x the first, for D's logarithm the second.
#[test]
fn n043_a_share_of_which_one_equation_alone_holds_is_refused() {
    let (file, committee) = (vectors("share"), committee());
    let case = &list(&file, "public")[0];
    let (key, request) = (key_share(case, &committee), request(text(case, "request")));
    let ciphertexts = [ciphertext(text(case, "ct_digest"), committee.master_public_key())];
    let statement = Statement::new(&committee, &request, None, &ciphertexts).unwrap();
    let identifier = key.identifier();
    let opening = opening(&statement, identifier).unwrap();
    let (u, nonce) = (*ciphertexts[0].u().point(), Scalar::from(5u8));
    let other = key.secret().expose() + Scalar::ONE;
    let points = vec![Encoded::new(u * other)];
    let target = target(&statement, &opening, &points);
    let (a, b) = (Claimed::of(&RistrettoPoint::mul_base(&nonce)), Claimed::of(&(u * nonce)));
    let challenge = share_challenge(&opening, &target, &a, &b);
    for logarithm in [key.secret().expose(), &other] {
        let proof = Dleq { a, b, z: nonce + challenge * logarithm };
        let forged = Shares { points: points.clone(), proof };
        let verdict = forged.verify(identifier, &committee, &request, None, &ciphertexts);
        assert_eq!(verdict, Err(ShareError::Proof { identifier }));
        assert_eq!(verdicts([(identifier, &forged)].into_iter(), &statement, &[7; 64]), [false]);
    }
}

/// The seed covers every D: shifting two shares so that the old weighted sum stays changes the weights.
#[test]
fn n064_composite_shares_that_keep_an_old_weighted_sum_are_refused() {
    for case in list(&vectors("share_refused"), "composite") {
        let committee = committee();
        let master = committee.master_public_key();
        let digests: Vec<[u8; 32]> = arrays(case, "ct_digests");
        let ciphertexts: Vec<_> = digests.iter().map(|d| ciphertext(&hex::encode(d), master)).collect();
        let identifier = Identifier::new(u16::try_from(number(case, "identifier")).unwrap()).unwrap();
        let key = committee.verification_key(identifier).unwrap();
        let opening = Opening {
            mode: [2],
            committee: committee.digest(),
            epoch: committee.epoch().to_bytes(),
            identifier: identifier.to_bytes(),
            verification_key: *key.bytes(),
            request: array(case, "request"),
            recipient: recipient(case),
        };
        let holds = |wire: &str| {
            let shares = Shares::from_bytes(&bytes(case, wire), digests.len()).unwrap();
            let target = composite_vartime(&opening, &ciphertexts, &shares.points);
            let challenge = share_challenge(&opening, &target, &shares.proof.a, &shares.proof.b);
            let (u, d) = (*target.u.point(), *target.d.point());
            Equation { p: *key.point(), u, d, proof: &shares.proof, challenge }.holds_vartime()
        };
        assert!(holds("honest_wire"));
        assert!(!holds("wire"));
    }
}

/// A field of the opening, of the number of ciphertexts, or of one ciphertext or share.
#[test]
fn n043_every_field_of_a_composite_proof_moves_its_seed_and_its_challenge() {
    let (file, committee) = (vectors("share_refused"), committee());
    let case = &list(&file, "composite")[0];
    let digests: Vec<[u8; 32]> = arrays(case, "ct_digests");
    let ciphertexts: Vec<_> =
        digests.iter().map(|d| ciphertext(&hex::encode(d), committee.master_public_key())).collect();
    let shares = Shares::from_bytes(&bytes(case, "honest_wire"), digests.len()).unwrap();
    let opening = || Opening {
        mode: [2],
        committee: [1; 64],
        epoch: [2; 8],
        identifier: [3; 2],
        verification_key: [4; 32],
        request: [5; 64],
        recipient: Some([6; 64]),
    };
    let seen = |opening: &Opening, ciphertexts: &[VerifiedCiphertext], points: &[Encoded]| {
        let target = composite_vartime(opening, ciphertexts, points);
        let challenge = share_challenge(opening, &target, &shares.proof.a, &shares.proof.b);
        (composite_seed(opening, ciphertexts, points), challenge)
    };
    let good = seen(&opening(), &ciphertexts, &shares.points);
    let alterations: [fn(&mut Opening); 8] = [
        |o| o.mode[0] = 1,
        |o| o.committee[63] ^= 1,
        |o| o.epoch[7] ^= 1,
        |o| o.identifier[1] ^= 1,
        |o| o.verification_key[31] ^= 1,
        |o| o.request[63] ^= 1,
        |o| o.recipient = Some([7; 64]),
        |o| o.recipient = None,
    ];
    for (field, alter) in alterations.iter().enumerate() {
        let mut altered = opening();
        alter(&mut altered);
        let (seed, challenge) = seen(&altered, &ciphertexts, &shares.points);
        assert!(seed != good.0 && challenge != good.1, "{field}");
    }
    for j in 0..shares.points.len() {
        let (mut others, mut points) = (ciphertexts.clone(), shares.points.clone());
        others[j] = ciphertexts[(j + 1) % ciphertexts.len()].clone();
        points[j] = shares.points[(j + 1) % points.len()];
        for (seed, challenge) in [seen(&opening(), &others, &shares.points), seen(&opening(), &ciphertexts, &points)] {
            assert!(seed != good.0 && challenge != good.1, "{j}");
        }
    }
    let fewer = ciphertexts.len() - 1;
    assert_ne!(seen(&opening(), &ciphertexts[..fewer], &shares.points[..fewer]).0, good.0);
}
