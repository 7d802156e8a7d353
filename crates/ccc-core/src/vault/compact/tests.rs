//! Partials and combinations against the recorded bytes.

use super::*;
use crate::point::Encoded;
use crate::polynomial::lagrange_at_zero;
use crate::support::{Replay, array, arrays, bytes, list, number, text, vectors};
use crate::vault::combine::{Candidate, CombineError, Pool, run};
use crate::vault::share::tests::{ciphertext, committee, key_share, request};
use serde_json::Value;

fn id(case: &Value) -> Identifier {
    Identifier::new(u16::try_from(number(case, "identifier")).unwrap()).unwrap()
}

fn point(case: &Value, key: &str) -> Encoded {
    Encoded::read_or_identity(&mut Reader::new(&bytes(case, key)), "point").unwrap()
}

fn secret(file: &Value) -> SecretScalar {
    SecretScalar::new(Reader::new(&bytes(file, "enclave_e_secret")).scalar("secret").unwrap())
}

/// What a recorded case is about. The recorded recipient has a measurement of 48 bytes, so it is known by its digest.
struct Recorded {
    committee: Committee,
    request: Request,
    ciphertexts: Vec<VerifiedCiphertext>,
    recipient: [u8; 64],
    e: Encoded,
}

impl Recorded {
    fn new(file: &Value, case: &Value) -> Self {
        let committee = committee();
        let digests: Vec<[u8; 32]> = arrays(case, "ct_digests");
        let ciphertexts = digests.iter().map(|d| ciphertext(&hex::encode(d), committee.master_public_key())).collect();
        let request = request(text(case, "request"));
        Self { committee, request, ciphertexts, recipient: array(file, "recipient"), e: point(file, "E") }
    }

    fn directed(&self) -> Directed<'_> {
        let statement = Statement::compact(&self.committee, &self.request, &self.recipient, &self.ciphertexts).unwrap();
        Directed { statement, e: self.e }
    }
}

#[test]
fn partials_reproduce_the_bytes() {
    let file = vectors("compact");
    for case in list(&file, "cases") {
        let recorded = Recorded::new(&file, case);
        let (directed, m) = (recorded.directed(), recorded.ciphertexts.len());
        let mut all = Vec::new();
        for answer in list(case, "answers") {
            let key = key_share(answer, &recorded.committee);
            let mut rng = Replay(bytes(answer, "random64"));
            let made = Partials::make(&key, &directed, recorded.recipient, &mut rng).unwrap();
            assert_eq!(hex::encode(made.to_bytes()), text(answer, "payload"));
            let read = Partials::from_bytes(&bytes(answer, "payload"), m).unwrap();
            assert!(read.examine(id(answer), &directed).unwrap().holds_vartime());
            all.push((id(answer), read));
        }
        let all: Vec<_> = all.iter().map(|(identifier, partials)| (*identifier, partials)).collect();
        assert_eq!(verdicts(&all, &directed, &[1; 64]), vec![true; all.len()]);
    }
}

fn pool(parts: impl Iterator<Item = (Identifier, Partials)>) -> Pool<Partials> {
    let mut pool = Pool::default();
    parts.for_each(|(identifier, part)| pool.put(Candidate { identifier, part: Ok(part) }));
    pool
}

#[test]
fn combinations_reproduce_the_bytes_and_the_messages() {
    let file = vectors("compact");
    for case in list(&file, "cases") {
        let recorded = Recorded::new(&file, case);
        let (directed, m) = (recorded.directed(), recorded.ciphertexts.len());
        for combined in list(case, "combined") {
            let wanted: Vec<u64> = list(combined, "identifiers").iter().map(|i| i.as_u64().unwrap()).collect();
            let answers = list(case, "answers").iter().filter(|a| wanted.contains(&number(a, "identifier")));
            let parts = answers.map(|a| (id(a), Partials::from_bytes(&bytes(a, "payload"), m).unwrap()));
            let made = combination::combine_directed(&directed, pool(parts.clone()), &[1; 64]).unwrap();
            assert_eq!(hex::encode(made.combined.to_bytes()), text(combined, "wire"));
            assert_eq!(Combined::from_bytes(&bytes(combined, "wire"), m), Ok(made.combined.clone()));
            let secret = secret(&file);
            for ((a, b), pair) in made.combined.pairs().iter().zip(list(combined, "pairs")) {
                let k = combination::decrypt(&secret, a.point(), b.point()).unwrap();
                assert_eq!(hex::encode(k.compress().as_bytes()), text(pair, "K"));
            }
            let opened = made.combined.open(&directed.statement, &secret).unwrap();
            let candidates = parts.map(|(identifier, part)| Candidate { identifier, part: Ok(part) });
            let scheme = Decryption { directed: &directed, secret: &secret };
            let again = run(&scheme, candidates, &[1; 64]).unwrap().every(&recorded.ciphertexts).unwrap();
            assert_eq!(opened, again);
        }
    }
}

/// Whether the relation of a recorded partial holds under the recorded statement.
fn holds(case: &Value) -> Result<bool, EncodingError> {
    let wire = bytes(case, "wire");
    let mut reader = Reader::new(&wire);
    let partial = Partial::read(&mut reader)?;
    reader.finish()?;
    let opening = Opening {
        mode: [3],
        committee: array(case, "committee"),
        epoch: number(case, "epoch").to_be_bytes(),
        identifier: u16::try_from(number(case, "identifier")).unwrap().to_be_bytes(),
        verification_key: array(case, "P"),
        request: array(case, "request"),
        recipient: Some(array(case, "recipient")),
    };
    let (u, e, p) = (point(case, "U"), Encoded::read(&mut Reader::new(&bytes(case, "E")), "E")?, point(case, "P"));
    let subject = Subject { opening: &opening, digest: array(case, "ct_digest"), u: &u, e: &e };
    let relation = Relation {
        p: p.point(),
        u: u.point(),
        e: e.point(),
        a: partial.a.point(),
        b: partial.b.point(),
        proof: &partial.proof,
        challenge: partial.challenge(&subject),
    };
    let seed = [2; 64];
    let mut batch = Batch::new(e.point(), std::iter::once(u.point()), &seed);
    batch.add_vartime(0, &relation);
    let single = relation.holds_vartime();
    assert_eq!(batch.all_hold_vartime(), single, "one by one and in a batch");
    Ok(single)
}

#[test]
fn n043_a_partial_with_any_field_of_the_statement_changed_is_refused() {
    let file = vectors("compact");
    for case in list(&file, "refused") {
        let verdict = holds(case);
        let expected = match text(case, "reason") {
            "P" | "A" | "B" => verdict == Ok(false),
            "zero" => matches!(verdict, Err(EncodingError::Identity { what: "B" | "E" })),
            "scalar not canonical" => verdict == Err(EncodingError::Scalar { what: "z2" }),
            "length" => matches!(verdict, Err(EncodingError::Truncated { .. } | EncodingError::Trailing { .. })),
            _ => false,
        };
        assert!(expected, "{}: {verdict:?}", text(case, "name"));
    }
    let mut good = list(&file, "refused")[0].clone();
    good["committee"] = file["committee"].clone();
    assert_eq!(holds(&good), Ok(true), "what the changes started from");
}

/// A re-randomised pair is another encryption of the same K. Everything else fails at the key commitment.
#[test]
fn n063_a_tweaked_pair_opens_to_the_same_message_or_not_at_all() {
    let file = vectors("compact");
    let recorded = Recorded::new(&file, &list(&file, "cases")[0]);
    let (directed, secret, tampered) = (recorded.directed(), secret(&file), &file["tampered"]);
    let mut opened = Vec::new();
    for case in list(tampered, "cases") {
        let combined = Combined::from_bytes(&bytes(case, "wire"), 1).unwrap();
        let (a, b) = combined.pairs()[0];
        let k = combination::decrypt(&secret, a.point(), b.point()).unwrap();
        assert_eq!(hex::encode(k.compress().as_bytes()), text(case, "K"), "{}", text(case, "name"));
        let plaintexts = combined.open(&directed.statement, &secret);
        assert_eq!(plaintexts.is_some(), case["opens"].as_bool().unwrap(), "{}", text(case, "name"));
        if let Some(plaintexts) = plaintexts {
            opened.push(text(case, "name"));
            assert_eq!(plaintexts[0].as_slice(), bytes(tampered, "message"));
        }
    }
    assert_eq!(opened, ["re-randomised"]);
    let zero = Combined::from_bytes(&bytes(tampered, "zero"), 1);
    assert_eq!(zero, Err(EncodingError::Identity { what: "B" }));
    let (a, zero) = (point(&file, "E"), RistrettoPoint::default());
    assert!(combination::decrypt(&secret, a.point(), &zero).is_none());
}

#[test]
fn n029_partials_and_pairs_of_another_length_are_refused() {
    let file = vectors("compact");
    let case = &list(&file, "cases")[1];
    let payload = bytes(&list(case, "answers")[0], "payload");
    let pairs = bytes(&list(case, "combined")[0], "wire");
    for n in 0..payload.len() {
        let expected = EncodingError::Truncated { what: "partials", expected: payload.len(), found: n };
        assert_eq!(Partials::from_bytes(&payload[..n], 3), Err(expected));
    }
    for n in 0..pairs.len() {
        let expected = EncodingError::Truncated { what: "combined pairs", expected: pairs.len(), found: n };
        assert_eq!(Combined::from_bytes(&pairs[..n], 3), Err(expected));
    }
    assert_eq!(Partials::from_bytes(&payload, 2), Err(EncodingError::Trailing { found: PARTIAL_LEN }));
    assert_eq!(Combined::from_bytes(&pairs, 2), Err(EncodingError::Trailing { found: COMBINED_LEN }));
    for m in [usize::MAX, usize::MAX / PARTIAL_LEN] {
        assert!(matches!(Partials::from_bytes(&payload, m), Err(EncodingError::Truncated { .. })));
        assert!(matches!(Combined::from_bytes(&pairs, m), Err(EncodingError::Truncated { .. })));
    }
}

/// t participants that work together can make their ρ cancel. They know K anyway; nobody else is to see it.
#[test]
fn a_combination_without_encryption_is_refused() {
    let file = vectors("compact");
    let case = &list(&file, "cases")[0];
    let recorded = Recorded::new(&file, case);
    let directed = recorded.directed();
    let keys: Vec<_> = list(case, "answers")[..3].iter().map(|a| key_share(a, &recorded.committee)).collect();
    let identifiers: Vec<_> = keys.iter().map(KeyShare::identifier).collect();
    let lambdas = lagrange_at_zero(&identifiers).unwrap();
    let (one, two) = (Scalar::from(3u8), Scalar::from(4u8));
    let three = -(lambdas[0] * one + lambdas[1] * two) * lambdas[2].invert();
    let parts = keys.iter().zip([one, two, three]).map(|(key, rho)| {
        let opening = directed.statement.opening(key.identifier(), directed.key(key.identifier()).unwrap());
        let subject = directed.subject(&opening, &recorded.ciphertexts[0]);
        let partial = Partial::make(&subject, key.secret(), &SecretScalar::new(rho), &[5; 64]);
        (key.identifier(), Partials { recipient: recorded.recipient, partials: vec![partial] })
    });
    let combined = combination::combine_directed(&directed, pool(parts), &[1; 64]);
    assert_eq!(combined, Err(CombineError::ZeroCombination { digest: recorded.ciphertexts[0].digest() }));
}

/// A proof whose author fixed everything but one point, took a challenge that does not cover that point, and solved
/// for it.
struct Forgery {
    p: RistrettoPoint,
    u: RistrettoPoint,
    e: RistrettoPoint,
    a: RistrettoPoint,
    proof: Representation,
}

const RHO_FORGED: u64 = 5;

/// Positions of a field of the challenge and of the hashes that contain it.
fn without(field: &str) -> &'static [usize] {
    match field {
        "U" => &[8, 7, 5],
        "E" => &[9, 6],
        _ => &[4, 1, 5],
    }
}

fn weak_challenge(subject: &Subject<'_>, field: &str, points: [&Encoded; 5]) -> Scalar {
    let fields = subject.fields();
    let kept = (0..fields.len()).filter(|k| !without(field).contains(k)).map(|k| fields[k]);
    challenge(domain::COMPACT, &kept.chain(points.map(|point| point.bytes().as_slice())).collect::<Vec<_>>())
}

fn forge(field: &str, subject: &Subject<'_>) -> Forgery {
    let base = |scalar: Scalar| RistrettoPoint::mul_base(&scalar);
    let [x, rho, s1, s2, alpha, tau] = [3, RHO_FORGED, 7, 11, 13, 17].map(Scalar::from);
    let (mut p, mut u, mut e) = (base(x), *subject.u.point(), *subject.e.point());
    // without E the author has no use for it: A and T_A are multiples of G alone
    let masked = |point: RistrettoPoint, by: Scalar| if field == "E" { point } else { point + e * by };
    let (of, of_u) = if field == "P" { (u * alpha, u * tau) } else { (base(alpha), base(tau)) };
    let [a, t_a] = [masked(of, rho), masked(of_u, s2)].map(Encoded::new);
    let [b, t_p, t_b] = [rho, s1, s2].map(|scalar| Encoded::new(base(scalar)));
    let ch = weak_challenge(subject, field, [&a, &b, &t_p, &t_a, &t_b]);
    let z1 = if field == "P" { tau + ch * alpha } else { s1 + ch * x };
    let z2 = s2 + ch * rho;
    match field {
        "U" => u = base((tau + ch * alpha) * z1.invert()),
        "E" => e = (base(tau + ch * alpha) - u * z1) * z2.invert(),
        _ => p = base((z1 - s1) * ch.invert()),
    }
    Forgery { p, u, e, a: *a.point(), proof: Representation { t_p, t_a, t_b, z1, z2 } }
}

/// Each forgery verifies under the challenge that leaves a point out, is wrong, and is refused under ours.
#[test]
fn n043_forgeries_against_a_challenge_without_u_e_or_p_are_refused() {
    let file = vectors("compact");
    let recorded = Recorded::new(&file, &list(&file, "cases")[0]);
    let directed = recorded.directed();
    let identifier = Identifier::new(2).unwrap();
    let opening = directed.statement.opening(identifier, directed.key(identifier).unwrap());
    let honest = directed.subject(&opening, &recorded.ciphertexts[0]);
    for field in ["U", "E", "P"] {
        let Forgery { p, u, e, a, proof } = forge(field, &honest);
        let rho = Scalar::from(RHO_FORGED);
        let b = RistrettoPoint::mul_base(&rho);
        let (u_bytes, e_bytes) = (Encoded::new(u), Encoded::new(e));
        let opening = directed.statement.opening(identifier, &Encoded::new(p));
        let subject = Subject { opening: &opening, digest: honest.digest, u: &u_bytes, e: &e_bytes };
        let points = [&Encoded::new(a), &Encoded::new(b), &proof.t_p, &proof.t_a, &proof.t_b];
        let holds =
            |challenge| Relation { p: &p, u: &u, e: &e, a: &a, b: &b, proof: &proof, challenge }.holds_vartime();
        assert!(holds(weak_challenge(&subject, field, points)), "{field}: the forgery is one");
        let [a_bytes, b_bytes, t @ ..] = points;
        assert!(!holds(subject.challenge(a_bytes, b_bytes, t)), "{field}");
        if field != "P" {
            assert_ne!(a, u * Scalar::from(3u8) + e * rho, "{field}: what it proves is false");
        } else {
            assert_ne!(p, RistrettoPoint::mul_base(&Scalar::from(13u8)), "{field}: what it proves is false");
        }
    }
}
