//! What their library wrote is read, written back byte for byte, and opened.

use super::*;

/// All subsets of `k` elements; for long lists every run of `k` neighbours instead, around the end too.
fn choices(n: usize, k: usize) -> Vec<Vec<usize>> {
    if n > 8 {
        return (0..n).map(|first| (0..k).map(|i| (first + i) % n).collect()).collect();
    }
    let chosen = |mask: u32| (0..n).filter(|i| mask >> i & 1 == 1).collect::<Vec<_>>();
    (0..1u32 << n).map(chosen).filter(|subset| subset.len() == k).collect()
}

#[test]
fn every_object_is_written_back_as_it_was() {
    for case in cases() {
        let key = compact(case.public_key);
        assert_eq!(PublicKey::from_json(key.as_bytes()).unwrap().to_json(), key, "{}", case.name);
        let hybrid = compact(case.ciphertext);
        assert_eq!(easy::Ciphertext::from_json(hybrid.as_bytes()).unwrap().to_json(), hybrid, "{}", case.name);
        for share in case.decryption_shares.iter().map(|raw| compact(raw)) {
            assert_eq!(DecryptionShare::from_json(share.as_bytes()).unwrap().to_json(), share);
        }
        for share in case.private_shares.iter().flatten().map(|raw| compact(raw)) {
            let private = PrivateShare::from_json(share.as_bytes()).unwrap();
            assert_eq!(private.to_json().as_str(), share);
            assert_eq!(private.matches(&case.key()), Ok(()));
        }
    }
}

#[test]
fn n060_every_ciphertext_opens_from_any_k_shares_in_any_order() {
    for case in cases() {
        let (key, shares) = (case.key(), case.shares());
        let verified = case.hybrid().verify(&key).unwrap();
        assert_eq!(hex::encode(verified.wrapped().ciphertext().label()), case.label_hex);
        for choice in choices(usize::from(case.n), usize::from(case.k)) {
            let mut chosen: Vec<_> = choice.iter().map(|i| shares[*i].clone()).collect();
            for _ in 0..2 {
                let opened = verified.open(case.threshold(), &chosen).unwrap();
                assert_eq!((opened.plaintext.to_vec(), opened.refused), (case.message(), vec![]), "{choice:?}");
                chosen.reverse();
            }
        }
    }
}

#[test]
fn all_shares_at_once_open_and_agree() {
    for case in cases() {
        let key = case.key();
        let opened = case.hybrid().verify(&key).unwrap().open(case.threshold(), &case.shares()).unwrap();
        assert_eq!(opened.plaintext.to_vec(), case.message(), "{}", case.name);
    }
}

#[test]
fn the_threshold_is_derived_from_the_verification_keys() {
    for case in cases() {
        assert_eq!(case.key().threshold(), Ok(case.threshold()), "{}", case.name);
    }
}

#[test]
fn our_shares_under_their_keys_open_their_ciphertexts() {
    for case in cases().iter().filter(|case| case.private_shares.is_some()) {
        let key = case.key();
        let verified = case.hybrid().verify(&key).unwrap();
        let create = |private| DecryptionShare::create(private, verified.wrapped(), &mut rng(9)).unwrap();
        let mut ours: Vec<_> = case.privates()[1..usize::from(case.k)].iter().map(create).collect();
        ours.push(case.shares()[0].clone());
        let opened = verified.open(case.threshold(), &ours).unwrap();
        assert_eq!(opened.plaintext.to_vec(), case.message(), "{}", case.name);
    }
}

#[test]
fn our_ciphertexts_have_the_shape_of_theirs() {
    let names = |json: &str| -> Vec<String> {
        json.split('"').skip(1).step_by(2).filter(|text| text.len() < 12 && *text != "P256").map(Into::into).collect()
    };
    for case in cases() {
        let (key, theirs) = (case.key(), compact(case.ciphertext));
        let label: [u8; INPUT_LEN] = hex::decode(&case.label_hex).unwrap().try_into().unwrap();
        let ours = easy::Ciphertext::encrypt(&key, &label, &case.message(), &mut rng(5)).unwrap().to_json();
        assert_eq!((ours.len(), names(&ours)), (theirs.len(), names(&theirs)), "{}", case.name);
        let inner = |json: &str| {
            let text = json.split('"').nth(3).unwrap().to_owned();
            String::from_utf8(base64::decode(&text).unwrap().to_vec()).unwrap()
        };
        assert_eq!(names(&inner(&ours)), names(&inner(&theirs)));
        assert_eq!(inner(&ours).len(), inner(&theirs).len());
    }
}

#[test]
fn our_ciphertexts_under_their_keys_open_with_their_private_shares() {
    for case in cases().iter().filter(|case| case.private_shares.is_some()) {
        let key = case.key();
        let ours = easy::Ciphertext::encrypt(&key, &[3; INPUT_LEN], b"from here", &mut rng(6)).unwrap();
        let read = easy::Ciphertext::from_json(ours.to_json().as_bytes()).unwrap();
        assert_eq!(read, ours);
        let verified = read.verify(&key).unwrap();
        let create = |private| DecryptionShare::create(private, verified.wrapped(), &mut rng(7)).unwrap();
        let shares: Vec<_> = case.privates().iter().rev().take(usize::from(case.k)).map(create).collect();
        assert_eq!(verified.open(case.threshold(), &shares).unwrap().plaintext.as_slice(), b"from here");
    }
}
