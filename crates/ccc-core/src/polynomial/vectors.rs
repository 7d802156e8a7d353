//! Polynomials against the shares of RFC 9591 and of the FROST implementation.

use super::*;
use crate::support::{Replay, array, list, number, outside, text};
use serde_json::Value;

fn scalar(bytes: [u8; 32]) -> Scalar {
    Scalar::from_canonical_bytes(bytes).unwrap()
}

fn item(value: &Value) -> [u8; 32] {
    hex::decode(value.as_str().unwrap()).unwrap().try_into().unwrap()
}

fn id(value: &Value) -> Identifier {
    Identifier::new(u16::try_from(number(value, "identifier")).unwrap()).unwrap()
}

/// The polynomial with these coefficients: scalars are drawn wide, so each is followed by zeros.
fn polynomial(coefficients: &[[u8; 32]]) -> SecretPolynomial {
    let constant = SecretScalar::new(scalar(coefficients[0]));
    let drawn = coefficients[1..].iter().flat_map(|c| [c.as_slice(), &[0; 32]].concat()).collect();
    let t = u16::try_from(coefficients.len()).unwrap();
    SecretPolynomial::with_constant(constant, t, &mut Replay(drawn)).unwrap()
}

fn points(polynomial: &SecretPolynomial) -> Vec<RistrettoPoint> {
    polynomial.commit().iter().map(|c| *c.point()).collect()
}

fn hex_of(point: &RistrettoPoint) -> String {
    hex::encode(point.compress().as_bytes())
}

fn combine(weights: &[Scalar], shares: &[Scalar]) -> Scalar {
    weights.iter().zip(shares).map(|(weight, share)| weight * share).sum()
}

/// Every share, every commitment to it, the secret from the participants of the run, and the other shares from theirs.
fn check(inputs: &Value, public_key: &str) -> usize {
    let secret = array(inputs, "group_secret_key");
    let coefficients: Vec<_> =
        std::iter::once(secret).chain(list(inputs, "share_polynomial_coefficients").iter().map(item)).collect();
    let polynomial = polynomial(&coefficients);
    let commitments = points(&polynomial);
    assert_eq!(hex_of(&commitments[0]), text(inputs, public_key));
    let lines = list(inputs, "participant_shares");
    let share = |line: &Value| scalar(array(line, "participant_share"));
    let present: Vec<_> = list(inputs, "participant_list").iter().map(|i| i.as_u64().unwrap()).collect();
    let (helpers, shares): (Vec<_>, Vec<_>) = lines
        .iter()
        .filter(|line| present.contains(&number(line, "identifier")))
        .map(|line| (id(line), share(line)))
        .unzip();
    assert_eq!(combine(&lagrange_at_zero(&helpers).unwrap(), &shares), scalar(secret));
    for line in lines {
        let (at, share) = (id(line), share(line));
        assert_eq!(polynomial.evaluate(at).expose(), &share);
        assert_eq!(evaluate_commitments_vartime(&commitments, at), RistrettoPoint::mul_base(&share));
        match lagrange_at(&helpers, at) {
            Some(weights) => assert_eq!(combine(&weights, &shares), share),
            None => assert!(helpers.contains(&at)),
        }
    }
    lines.len()
}

#[test]
fn shares_are_those_of_rfc_9591() {
    let file = outside("rfc9591-frost/frost-ristretto255-sha512.json");
    assert_eq!(check(&file["inputs"], "group_public_key"), 3);
}

#[test]
fn n062_shares_at_identifiers_above_one_byte_are_those_of_the_frost_vectors() {
    let file = outside("zcash-frost/frost-ristretto255-vectors-big-identifier.json");
    assert_eq!(check(&file["inputs"], "verifying_key_key"), 257);
}

#[test]
fn shares_of_257_participants_are_a_word_of_the_code() {
    let file = outside("zcash-frost/frost-ristretto255-vectors-big-identifier.json");
    let inputs = &file["inputs"];
    let lines = list(inputs, "participant_shares");
    let identifiers: Vec<_> = lines.iter().map(id).collect();
    let mask: Vec<_> = (1..=256u16).map(Scalar::from).collect();
    let word = dual_word(&identifiers, &mask).unwrap();
    let mut values = vec![scalar(array(inputs, "group_secret_key"))];
    values.extend(lines.iter().map(|line| scalar(array(line, "participant_share"))));
    assert_eq!(combine(&word, &values), Scalar::ZERO);
    values[100] += Scalar::ONE;
    assert_ne!(combine(&word, &values), Scalar::ZERO);
}

#[test]
fn three_dealers_add_up_to_the_keys_of_the_frost_vectors() {
    let file = outside("zcash-frost/frost-ristretto255-vectors_dkg.json");
    let inputs = &file["inputs"];
    let lines = ["1", "2", "3"].map(|i| (i, &inputs[i]));
    let dealers: Vec<_> =
        lines.iter().map(|(_, line)| polynomial(&[array(line, "signing_key"), array(line, "coefficient")])).collect();
    let mut total = vec![RistrettoPoint::default(); 2];
    for (polynomial, (_, line)) in dealers.iter().zip(&lines) {
        for (k, (made, recorded)) in points(polynomial).iter().zip(list(line, "vss_commitments")).enumerate() {
            assert_eq!(hex_of(made), recorded.as_str().unwrap());
            total[k] += made;
        }
    }
    assert_eq!(hex_of(&total[0]), text(inputs, "verifying_key"));
    for (_, line) in &lines {
        let at = id(line);
        let parts: Vec<_> = dealers.iter().map(|polynomial| polynomial.evaluate(at)).collect();
        for (part, (name, _)) in parts.iter().zip(&lines).filter(|(_, (name, _))| *name != at.to_string()) {
            assert_eq!(hex::encode(part.to_bytes().as_slice()), text(&line["signing_shares"], name));
        }
        let share = crate::secret::sum(&parts);
        assert_eq!(hex::encode(share.to_bytes().as_slice()), text(line, "signing_share"));
        assert_eq!(hex_of(&evaluate_commitments_vartime(&total, at)), text(line, "verifying_share"));
    }
}
