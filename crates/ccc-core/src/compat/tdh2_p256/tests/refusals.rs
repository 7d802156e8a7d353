//! Well-formed objects that do not hold.

use super::*;
use crate::secret::RandomnessError;
use crate::support::Replay;

/// A share under another index.
fn renumbered(share: &DecryptionShare, index: u16) -> DecryptionShare {
    let json = share.to_json().replacen(&format!("\"Index\":{}", share.index()), &format!("\"Index\":{index}"), 1);
    DecryptionShare::from_json(json.as_bytes()).unwrap()
}

/// The object with one field of another one.
fn exchanged(json: &str, other: &str, field: &str) -> String {
    let value =
        |json: &str| json.split(&format!("\"{field}\":\"")).nth(1).unwrap().split('"').next().unwrap().to_owned();
    json.replacen(&value(json), &value(other), 1)
}

#[test]
fn n026_a_ciphertext_with_a_field_of_another_does_not_verify() {
    let Fixture { dealt, ciphertext, message } = Fixture::new();
    let other = Ciphertext::encrypt(&dealt.public_key, &[8; INPUT_LEN], &[1; INPUT_LEN], &mut rng(50)).unwrap();
    assert!(ciphertext.clone().verify(&dealt.public_key).is_ok());
    for field in ["C", "Label", "U", "U_bar", "E", "F"] {
        let json = exchanged(&ciphertext.to_json(), &other.to_json(), field);
        let mixed = Ciphertext::from_json(json.as_bytes()).unwrap();
        assert_eq!(mixed.verify(&dealt.public_key), Err(CiphertextError::Proof), "{field}");
    }
    let ours = deal(Threshold::new(3, 5).unwrap(), &mut rng(51)).unwrap().public_key;
    for foreign in [cases()[0].key(), ours] {
        assert_eq!(ciphertext.clone().verify(&foreign).map(|_| ()), Err(CiphertextError::Proof), "another Ḡ");
    }
    assert_eq!(message, [0x5a; INPUT_LEN]);
}

#[test]
fn n037_altered_bodies_and_nonces_do_not_open() {
    let Fixture { dealt, .. } = Fixture::new();
    let key = &dealt.public_key;
    let ours = easy::Ciphertext::encrypt(key, &[0; INPUT_LEN], b"a message", &mut rng(4)).unwrap();
    let other = easy::Ciphertext::encrypt(key, &[0; INPUT_LEN], b"b message", &mut rng(5)).unwrap();
    for field in ["SymCtxt", "Nonce"] {
        let json = exchanged(&ours.to_json(), &other.to_json(), field);
        let mixed = easy::Ciphertext::from_json(json.as_bytes()).unwrap().verify(key).unwrap();
        let create = |private| DecryptionShare::create(private, mixed.wrapped(), &mut rng(6)).unwrap();
        let shares: Vec<_> = dealt.shares[..3].iter().map(create).collect();
        assert_eq!(mixed.open(key.threshold().unwrap(), &shares).err(), Some(CombineError::Decryption), "{field}");
    }
}

/// What the format does not refuse: shares are of the wrapped key, whatever body stands behind it.
#[test]
fn shares_of_a_wrapped_key_open_every_body_under_it() {
    let Fixture { dealt, .. } = Fixture::new();
    let key = &dealt.public_key;
    let ours = easy::Ciphertext::encrypt(key, &[0; INPUT_LEN], b"a message", &mut rng(4)).unwrap();
    let other = easy::Ciphertext::encrypt(key, &[0; INPUT_LEN], b"b message", &mut rng(5)).unwrap();
    let rebodied = exchanged(&ours.to_json(), &other.to_json(), "SymCtxt");
    let rebodied = easy::Ciphertext::from_json(rebodied.as_bytes()).unwrap();
    assert_ne!(rebodied, ours);
    let asked = rebodied.verify(key).unwrap();
    let create = |private| DecryptionShare::create(private, asked.wrapped(), &mut rng(6)).unwrap();
    let shares: Vec<_> = dealt.shares[..3].iter().map(create).collect();
    let opened = ours.verify(key).unwrap().open(key.threshold().unwrap(), &shares).unwrap();
    assert_eq!(opened.plaintext.as_slice(), b"a message");
}

#[test]
fn n038_every_length_up_to_the_maximum_opens_and_no_more_is_taken() {
    let Fixture { dealt, .. } = Fixture::new();
    let key = &dealt.public_key;
    for length in [0, 1, 2, 3, 1 << 16, easy::MAX_MESSAGE] {
        let message = vec![0xa5; length];
        let json = easy::Ciphertext::encrypt(key, &[0; INPUT_LEN], &message, &mut rng(4)).unwrap().to_json();
        let verified = easy::Ciphertext::from_json(json.as_bytes()).unwrap().verify(key).unwrap();
        let create = |private| DecryptionShare::create(private, verified.wrapped(), &mut rng(6)).unwrap();
        let shares: Vec<_> = dealt.shares[..3].iter().map(create).collect();
        let opened = verified.open(key.threshold().unwrap(), &shares).unwrap();
        assert!(opened.plaintext.as_slice() == message, "{length}");
    }
    let (found, limit) = (easy::MAX_MESSAGE + 1, easy::MAX_MESSAGE);
    let refused = easy::Ciphertext::encrypt(key, &[0; INPUT_LEN], &vec![0; found], &mut rng(4));
    assert_eq!(refused.err(), Some(CiphertextError::MessageTooLong { found, limit }));
}

#[test]
fn n040_the_same_message_twice_gives_different_bytes() {
    let Fixture { dealt, .. } = Fixture::new();
    let mut rng = rng(4);
    let mut encrypt = || easy::Ciphertext::encrypt(&dealt.public_key, &[0; INPUT_LEN], b"same", &mut rng).unwrap();
    let (one, two) = (encrypt().to_json(), encrypt().to_json());
    for field in ["TDH2Ctxt", "SymCtxt", "Nonce"] {
        assert_ne!(exchanged(&one, &two, field), one, "{field}");
    }
}

#[test]
fn n042_a_share_under_another_index_does_not_verify() {
    let fixture = Fixture::new();
    let (verified, shares) = (fixture.verified(), fixture.shares());
    for index in [0, 2, 4] {
        assert_eq!(renumbered(&shares[1], index).verify(&verified), Err(ShareError::Proof { index }));
    }
    for index in [5, 1023] {
        assert_eq!(renumbered(&shares[1], index).verify(&verified), Err(ShareError::UnknownIndex { index, n: 5 }));
    }
}

#[test]
fn n041_n043_a_share_with_a_field_of_another_does_not_verify() {
    let fixture = Fixture::new();
    let (verified, shares) = (fixture.verified(), fixture.shares());
    for field in ["U_i", "E_i", "F_i"] {
        let json = exchanged(&shares[0].to_json(), &shares[1].to_json(), field);
        let mixed = DecryptionShare::from_json(json.as_bytes()).unwrap();
        assert_eq!(mixed.verify(&verified), Err(ShareError::Proof { index: 0 }), "{field}");
    }
    let message = [9; INPUT_LEN];
    let other = Ciphertext::encrypt(&fixture.dealt.public_key, &[7; INPUT_LEN], &message, &mut rng(30)).unwrap();
    let other = other.verify(&fixture.dealt.public_key).unwrap();
    assert_eq!(shares[2].verify(&other), Err(ShareError::Proof { index: 2 }));
}

#[test]
fn n055_fewer_than_k_shares_are_an_error_and_no_other_message() {
    let fixture = Fixture::new();
    let (verified, shares, threshold) = (fixture.verified(), fixture.shares(), fixture.threshold());
    for have in 0..3 {
        let refused = combine(&verified, threshold, &shares[..have]).err();
        assert_eq!(refused, Some(CombineError::NotEnoughShares { need: 3, have, refused: vec![], flooded: vec![] }));
    }
    assert_eq!(*combine(&verified, threshold, &shares[2..]).unwrap().message, fixture.message);
}

#[test]
fn n056_a_participant_counts_once() {
    let fixture = Fixture::new();
    let (verified, shares, threshold) = (fixture.verified(), fixture.shares(), fixture.threshold());
    let repeated = [&shares[0], &shares[1], &shares[0], &shares[1]].map(Clone::clone);
    let refused = combine(&verified, threshold, &repeated).err();
    assert_eq!(refused, Some(CombineError::NotEnoughShares { need: 3, have: 2, refused: vec![], flooded: vec![] }));
    let again = DecryptionShare::create(&fixture.dealt.shares[0], &verified, &mut rng(99)).unwrap();
    assert_ne!(again, shares[0], "another nonce");
    let opened = combine(&verified, threshold, &[&repeated[..], &[again, shares[4].clone()]].concat()).unwrap();
    assert_eq!(*opened.message, fixture.message);
}

#[test]
fn n057_n061_bad_shares_are_left_out_and_told() {
    let fixture = Fixture::new();
    let (verified, shares, threshold) = (fixture.verified(), fixture.shares(), fixture.threshold());
    let bad = [renumbered(&shares[0], 3), renumbered(&shares[1], 2), renumbered(&shares[1], 9)];
    let all = [&bad[..], &shares[..3]].concat();
    let opened = combine(&verified, threshold, &all).unwrap();
    assert_eq!((*opened.message, opened.refused), (fixture.message, vec![2, 3, 9]));
    let refused = combine(&verified, threshold, &all[..5]).err();
    assert_eq!(
        refused,
        Some(CombineError::NotEnoughShares { need: 3, have: 2, refused: vec![2, 3, 9], flooded: vec![] })
    );
}

/// The proof binds neither ciphertext nor index, so a holder may have a valid proof for a wrong share. Here the shares
/// of another sharing stand for it, under a key that lists both.
#[test]
fn shares_that_contradict_each_other_are_refused_when_there_are_more_than_k() {
    let fixture = Fixture::new();
    let key = fixture.dealt.public_key.to_json();
    let (redealt, privates) =
        fixture.dealt.master_secret.redeal(&fixture.dealt.public_key, fixture.threshold(), &mut rng(70)).unwrap();
    let points = |json: &str| json.split("[\"").nth(1).unwrap().trim_end_matches("\"]}").to_owned();
    let last = |points: &str| points.rsplit("\",\"").next().unwrap().to_owned();
    let mixed = key.replacen(&last(&points(&key)), &last(&points(&redealt.to_json())), 1);
    let mixed = PublicKey::from_json(mixed.as_bytes()).unwrap();
    assert_eq!(mixed.threshold(), Err(KeyError::Inconsistent), "the key itself tells");
    let verified = fixture.ciphertext.clone().verify(&mixed).unwrap();
    let mut shares = fixture.shares();
    shares[4] = DecryptionShare::create(&privates[4], &verified, &mut rng(71)).unwrap();
    assert_eq!(combine(&verified, fixture.threshold(), &shares).err(), Some(CombineError::Contradiction));
    let opened = combine(&verified, fixture.threshold(), &shares[..4]).unwrap();
    assert_eq!(*opened.message, fixture.message);
}

#[test]
fn a_threshold_of_another_key_is_refused() {
    let fixture = Fixture::new();
    let other = Threshold::new(3, 4).unwrap();
    let refused = combine(&fixture.verified(), other, &fixture.shares()).err();
    assert_eq!(refused, Some(CombineError::Participants { expected: 5, found: 4 }));
}

#[test]
fn keys_that_do_not_belong_together_are_refused() {
    let fixture = Fixture::new();
    let (key, other) = (&fixture.dealt.public_key, deal(fixture.threshold(), &mut rng(8)).unwrap());
    assert_eq!(other.shares[1].matches(key), Err(KeyError::OtherShare { index: 1 }));
    let wide = deal(Threshold::new(5, 7).unwrap(), &mut rng(9)).unwrap();
    assert_eq!(wide.shares[6].matches(key), Err(KeyError::UnknownIndex { index: 6, n: 5 }));
    let refused = DecryptionShare::create(&other.shares[1], &fixture.verified(), &mut rng(1));
    assert_eq!(refused, Err(ShareError::Key(KeyError::OtherShare { index: 1 })));
    let refused = other.master_secret.redeal(key, fixture.threshold(), &mut rng(1)).err();
    assert_eq!(refused, Some(KeyError::OtherSecret));
    let mixed = exchanged(&key.to_json(), &other.public_key.to_json(), "H");
    let mixed = PublicKey::from_json(mixed.as_bytes()).unwrap();
    assert_eq!(mixed.threshold(), Err(KeyError::Inconsistent));
}

#[test]
fn a_new_dealing_opens_old_ciphertexts_and_never_with_old_shares() {
    let fixture = Fixture::new();
    let dealt = &fixture.dealt;
    let master = MasterSecret::from_json(dealt.master_secret.to_json().as_bytes()).unwrap();
    let threshold = Threshold::new(5, 7).unwrap();
    let (key, privates) = master.redeal(&dealt.public_key, threshold, &mut rng(20)).unwrap();
    assert_eq!(key.threshold(), Ok(threshold));
    let verified = fixture.ciphertext.clone().verify(&key).unwrap();
    let create = |private| DecryptionShare::create(private, &verified, &mut rng(21)).unwrap();
    let mut shares: Vec<_> = privates[2..].iter().map(create).collect();
    assert_eq!(*combine(&verified, threshold, &shares).unwrap().message, fixture.message);
    shares[0] = fixture.shares()[2].clone();
    let refused = combine(&verified, threshold, &shares).err();
    assert_eq!(refused, Some(CombineError::NotEnoughShares { need: 5, have: 4, refused: vec![2], flooded: vec![] }));
}

#[test]
fn every_threshold_is_found_and_one_key_is_its_own_secret() {
    for (k, n) in [(1, 1), (1, 2), (2, 2), (1, 6), (2, 6), (5, 6), (6, 6), (13, 20)] {
        let threshold = Threshold::unsafe_without_fault_bound(k, n).unwrap();
        assert_eq!(deal(threshold, &mut rng(u64::from(n))).unwrap().public_key.threshold(), Ok(threshold));
    }
}

#[test]
fn a_stuck_generator_is_refused_everywhere() {
    let fixture = Fixture::new();
    let stuck = || Replay(vec![7; 1 << 10]);
    let key = &fixture.dealt.public_key;
    let randomness = RandomnessError;
    assert_eq!(deal(fixture.threshold(), &mut stuck()).err(), Some(randomness.into()));
    let refused = Ciphertext::encrypt(key, &[0; INPUT_LEN], &[0; INPUT_LEN], &mut stuck());
    assert_eq!(refused, Err(randomness.into()));
    assert_eq!(easy::Ciphertext::encrypt(key, &[0; INPUT_LEN], b"", &mut stuck()), Err(randomness.into()));
    let refused = DecryptionShare::create(&fixture.dealt.shares[0], &fixture.verified(), &mut stuck());
    assert_eq!(refused, Err(randomness.into()));
}

/// Nothing of this format is signed: anybody can make wrong shares under any index, as many as it likes.
struct Forger<'f> {
    fixture: &'f Fixture,
    verified: VerifiedCiphertext<'f>,
}

impl Forger<'_> {
    /// Different shares under an index that are none of it.
    fn wrong(&self, index: u16, count: u64) -> Vec<DecryptionShare> {
        let private = &self.fixture.dealt.shares[usize::from(index) + 1];
        let wrong =
            |seed| renumbered(&DecryptionShare::create(private, &self.verified, &mut rng(seed)).unwrap(), index);
        (100..100 + count).map(wrong).collect()
    }

    /// The message with the refused and the flooded indices.
    fn opened(&self, shares: &[&[DecryptionShare]]) -> Result<(Vec<u16>, Vec<u16>), CombineError> {
        let opened = combine(&self.verified, self.fixture.threshold(), &shares.concat())?;
        assert_eq!(*opened.message, self.fixture.message);
        Ok((opened.refused, opened.flooded))
    }
}

#[test]
fn n059_wrong_shares_under_an_index_do_not_shut_the_right_one_out() {
    let fixture = Fixture::new();
    let forger = Forger { fixture: &fixture, verified: fixture.verified() };
    let (flood, shares) = (forger.wrong(0, 20), fixture.shares());
    assert_eq!(forger.opened(&[&flood, &shares[..4]]), Ok((vec![0], vec![0])), "enough without it");
    assert_eq!(forger.opened(&[&flood[..7], &shares[..3]]), Ok((vec![0], vec![])), "the right one eighth");
    assert_eq!(forger.opened(&[&flood[..8], &shares[..3]]), Ok((vec![0], vec![0])), "ninth");
    assert_eq!(forger.opened(&[&flood, &shares[..3]]), Ok((vec![0], vec![0])), "last");
    assert_eq!(forger.opened(&[&shares[..3], &flood]), Ok((vec![0], vec![0])), "first");
    let same = vec![flood[0].clone(); 10_000];
    assert_eq!(forger.opened(&[&same, &shares[..3]]), Ok((vec![0], vec![])), "a repeated one takes no place");
}

/// 5 participants have 40 checks after the first 8 of each.
#[test]
fn n059_checks_are_bounded_and_shared_by_turns() {
    let fixture = Fixture::new();
    let forger = Forger { fixture: &fixture, verified: fixture.verified() };
    let (flood, shares) = (forger.wrong(0, 60), fixture.shares());
    let all_but_one = [&flood[..8 + 39], &shares[1..3], &shares[..1]];
    assert_eq!(forger.opened(&all_but_one), Ok((vec![0], vec![0])), "39 wrong ones and 2 right ones before it");
    let none_left = forger.opened(&[&flood[..8 + 40], &shares[1..3], &shares[..1]]);
    let expected = CombineError::NotEnoughShares { need: 3, have: 2, refused: vec![0], flooded: vec![0] };
    assert_eq!(none_left.as_ref(), Err(&expected));
    let told = "2 valid shares, where 3 are needed; refused: 0; too many of one participant: 0";
    assert_eq!(expected.to_string(), told);
    let by_turns = forger.opened(&[&flood, &forger.wrong(1, 8), &shares[1..4]]);
    assert_eq!(by_turns, Ok((vec![0, 1], vec![0, 1])), "the one flood leaves the other's right one its turn");
}

#[test]
fn n059_an_index_with_a_valid_share_uses_up_no_further_check() {
    let fixture = Fixture::new();
    let forger = Forger { fixture: &fixture, verified: fixture.verified() };
    let (of_one, of_other, shares) = (forger.wrong(0, 50), forger.wrong(1, 8 + 30), fixture.shares());
    let opened = forger.opened(&[&shares[..1], &of_one, &of_other, &shares[1..3]]);
    assert_eq!(opened, Ok((vec![0, 1], vec![0, 1])), "31 of 40 checks for the other's right one");
}

#[test]
fn n059_unknown_indices_and_repeated_shares_use_up_no_check() {
    let fixture = Fixture::new();
    let forger = Forger { fixture: &fixture, verified: fixture.verified() };
    let (flood, shares) = (forger.wrong(0, 9), fixture.shares());
    let unknown: Vec<_> =
        (5..9).flat_map(|index| forger.wrong(1, 10).into_iter().map(move |share| renumbered(&share, index))).collect();
    let opened = forger.opened(&[&flood[..8], &shares[..3], &unknown]);
    assert_eq!(
        opened,
        Ok((vec![0, 5, 6, 7, 8], vec![0])),
        "10 each of which 2 would have to wait, as of an index that exists"
    );
    let ninth = vec![flood[8].clone(); 40];
    assert_eq!(forger.opened(&[&flood[..8], &ninth, &shares[..3]]), Ok((vec![0], vec![0])));
    let first = vec![flood[0].clone(); 40];
    assert_eq!(forger.opened(&[&flood, &first, &shares[..3]]), Ok((vec![0], vec![0])));
}
