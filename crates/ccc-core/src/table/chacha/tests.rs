//! Beside the slow twin, the crate `chacha20poly1305`, and outside vectors.

use super::*;
use crate::support::outside;
use chacha20poly1305::{
    ChaCha20Poly1305,
    aead::{AeadInOut, inout::InOutBuf},
};
use proptest::prelude::*;
use serde_json::Value;

fn bytes(value: &Value, field: &str) -> Vec<u8> {
    hex::decode(value[field].as_str().expect("a string")).expect("hex")
}

fn sealed(key: &[u8; 32], nonce: &[u8; 12], aad: &[u8], plain: &[u8]) -> (Vec<u8>, [u8; TAG_LEN]) {
    let mut body = vec![0; plain.len()];
    let tag = ChaChaPoly::new(key).seal(nonce, aad, plain, &mut body);
    (body, tag)
}

fn opened(key: &[u8; 32], nonce: &[u8; 12], aad: &[u8], body: &[u8], tag: &[u8; TAG_LEN]) -> Option<Vec<u8>> {
    let mut plain = vec![0; body.len()];
    let opened = ChaChaPoly::new(key).open(nonce, aad, body, tag, &mut plain);
    assert!(opened.is_some() || plain.iter().all(|byte| *byte == 0), "written although the tag does not fit");
    opened.map(|()| plain)
}

fn twin(key: &[u8; 32], nonce: &[u8; 12], aad: &[u8], plain: &[u8]) -> (Vec<u8>, [u8; TAG_LEN]) {
    let mut body = vec![0; plain.len()];
    let buffer = InOutBuf::new(plain, &mut body).expect("as long");
    let tag = ChaCha20Poly1305::new(key.into()).encrypt_inout_detached(nonce.into(), aad, buffer).expect("short");
    (body, tag.into())
}

#[test]
fn n037_wycheproof_messages_are_sealed_alike_and_open_as_marked() {
    let file = outside("wycheproof/chacha20_poly1305_test.json");
    let groups = file["testGroups"].as_array().expect("groups");
    let (mut valid, mut invalid) = (0, 0);
    for case in groups.iter().flat_map(|group| group["tests"].as_array().expect("tests")) {
        let Ok(nonce) = <[u8; 12]>::try_from(bytes(case, "iv")) else { continue };
        let key = bytes(case, "key").try_into().expect("32 bytes");
        let (aad, plain, body) = (bytes(case, "aad"), bytes(case, "msg"), bytes(case, "ct"));
        let tag = bytes(case, "tag").try_into().expect("16 bytes");
        if case["result"] == "valid" {
            valid += 1;
            assert_eq!(sealed(&key, &nonce, &aad, &plain), (body.clone(), tag), "{}", case["tcId"]);
            assert_eq!(opened(&key, &nonce, &aad, &body, &tag), Some(plain), "{}", case["tcId"]);
        } else {
            invalid += 1;
            assert_eq!(opened(&key, &nonce, &aad, &body, &tag), None, "{}", case["tcId"]);
        }
    }
    assert!(valid > 200 && invalid > 50, "{valid} valid, {invalid} invalid");
}

#[test]
fn a_chunk_is_sealed_like_by_the_twin() {
    let plain: Vec<_> = (0..65_536u32).map(|i| i.to_le_bytes()[0] ^ i.to_le_bytes()[1]).collect();
    for len in [0, 1, 63, 64, 959, 960, 961, 8 * 1024 - 1, 8 * 1024, 8 * 1024 + 1, 16 * 1024 + 33, 65_536] {
        let expected = twin(&[5; 32], &[6; 12], &[7; 32], &plain[..len]);
        assert!(sealed(&[5; 32], &[6; 12], &[7; 32], &plain[..len]) == expected, "{len} bytes");
        let again = opened(&[5; 32], &[6; 12], &[7; 32], &expected.0, &expected.1);
        assert!(again.as_deref() == Some(&plain[..len]), "{len} bytes");
    }
}

proptest! {
    #[test]
    fn every_length_is_sealed_like_by_the_twin(
        key: [u8; 32],
        nonce: [u8; 12],
        aad in proptest::collection::vec(any::<u8>(), 0..200),
        plain in proptest::collection::vec(any::<u8>(), 0..700),
        flipped: usize,
    ) {
        let (body, tag) = twin(&key, &nonce, &aad, &plain);
        prop_assert_eq!(&sealed(&key, &nonce, &aad, &plain), &(body.clone(), tag));
        prop_assert_eq!(opened(&key, &nonce, &aad, &body, &tag), Some(plain));
        let mut altered = [aad, body, tag.to_vec()];
        let at = flipped % altered.concat().len();
        let lens = altered.each_ref().map(Vec::len);
        let part = if at < lens[0] { (0, at) } else if at < lens[0] + lens[1] { (1, at - lens[0]) } else { (2, at - lens[0] - lens[1]) };
        altered[part.0][part.1] ^= 1;
        let [aad, body, tag] = altered;
        prop_assert_eq!(opened(&key, &nonce, &aad, &body, &tag.try_into().expect("16 bytes")), None);
    }
}
