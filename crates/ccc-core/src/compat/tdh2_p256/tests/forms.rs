//! JSON that is not an object of the format, each with its error.

use super::*;
use crate::identifier::MAX_PARTICIPANTS;

type Edit<'a> = (&'a str, &'a str, FormatError);

fn key_json() -> String {
    compact(cases()[0].public_key)
}

fn share_json() -> String {
    compact(cases()[0].decryption_shares[0])
}

/// The value of a text field.
fn value_of<'a>(json: &'a str, field: &str) -> &'a str {
    json.split(&format!("\"{field}\":\"")).nth(1).and_then(|rest| rest.split('"').next()).unwrap()
}

fn raw_json() -> String {
    let text = compact(cases()[0].ciphertext);
    String::from_utf8(base64::decode(value_of(&text, "TDH2Ctxt")).unwrap().to_vec()).unwrap()
}

fn with(json: &str, field: &str, bytes: &[u8]) -> String {
    let mut text = String::new();
    base64::encode(bytes, &mut text);
    let (old, new) = (value_of(json, field), text);
    json.replacen(&format!("\"{field}\":\"{old}\""), &format!("\"{field}\":\"{new}\""), 1)
}

fn bytes_of(json: &str, field: &str) -> Vec<u8> {
    base64::decode(value_of(json, field)).unwrap().to_vec()
}

fn raw_error(json: &str) -> FormatError {
    Ciphertext::from_json(json.as_bytes()).unwrap_err()
}

#[test]
fn the_edits_start_from_objects_that_are_read() {
    assert!(PublicKey::from_json(key_json().as_bytes()).is_ok());
    assert!(DecryptionShare::from_json(share_json().as_bytes()).is_ok());
    assert!(Ciphertext::from_json(raw_json().as_bytes()).is_ok());
}

#[test]
fn unknown_fields_and_another_order_are_read() {
    let json = raw_json();
    let expected = Ciphertext::from_json(json.as_bytes()).unwrap();
    let inside = json.trim_start_matches('{').trim_end_matches('}');
    let mut fields: Vec<_> = inside.split(',').collect();
    fields.reverse();
    let extra = r#""note":{"deep":[1,null,{"E":"x"}]},"note":true"#;
    for text in [
        format!("{{{extra},{inside}}}"),
        format!("{{{inside},{extra}}}"),
        format!("{{{}}}", fields.join(" ,\n ")),
        format!(" {json}\n"),
        json.replacen("P256", "\\u0050256", 1),
    ] {
        assert_eq!(Ciphertext::from_json(text.as_bytes()), Ok(expected.clone()), "{text}");
    }
}

#[test]
fn fields_are_there_once_and_under_their_own_name() {
    let json = raw_json();
    for field in ["Group", "C", "Label", "U", "U_bar", "E", "F"] {
        let own = format!("\"{field}\":\"{}\"", value_of(&json, field));
        let twice = json.replacen(&own, &format!("{own},{own}"), 1);
        assert_eq!(raw_error(&twice), FormatError::Repeated { field });
        let other = own.replacen(field, &field.to_lowercase(), 1);
        assert_eq!(raw_error(&json.replacen(&own, &format!("{own},{other}"), 1)), FormatError::Spelling { field });
        let missing = json.replacen(&format!("\"{field}\":"), "\"other\":", 1);
        assert_eq!(raw_error(&missing), FormatError::Missing { field });
    }
    let folded = r#"{"Group":"P256","\u017f":"AA=="}"#;
    let refused = MasterSecret::from_json(folded.as_bytes()).map(|_| ());
    assert_eq!(refused, Err(FormatError::Spelling { field: "S" }));
}

#[test]
fn values_have_their_type() {
    let text = "a text";
    let number = "a number that is a positive integer or zero";
    let share = share_json();
    for (old, new, error) in [
        ("\"Index\":0", "\"Index\":\"0\"", FormatError::Type { field: "Index", expected: number }),
        ("\"Index\":0", "\"Index\":-1", FormatError::Type { field: "Index", expected: number }),
        ("\"Index\":0", "\"Index\":0.5", FormatError::Type { field: "Index", expected: number }),
        ("\"Index\":0", "\"Index\":null", FormatError::Type { field: "Index", expected: number }),
        ("\"P256\"", "256", FormatError::Type { field: "Group", expected: text }),
        ("\"P256\"", "null", FormatError::Type { field: "Group", expected: text }),
        ("\"P256\"", "{}", FormatError::Type { field: "Group", expected: text }),
        ("\"P256\"", "[\"P256\"]", FormatError::Type { field: "Group", expected: text }),
        ("\"P256\"", "\"P384\"", FormatError::Group),
        ("\"P256\"", "\"p256\"", FormatError::Group),
    ] as [Edit<'_>; 10]
    {
        let refused = DecryptionShare::from_json(share.replacen(old, new, 1).as_bytes());
        assert_eq!(refused, Err(error), "{new}");
    }
    let list = FormatError::Type { field: "HArray", expected: "a list of texts" };
    for new in ["\"HArray\":\"x\"", "\"HArray\":[1]", "\"HArray\":[[]]", "\"HArray\":7"] {
        let json = format!("{}{new}}}", key_json().split("\"HArray\"").next().unwrap());
        assert_eq!(PublicKey::from_json(json.as_bytes()).err(), Some(list.clone()), "{new}");
    }
}

#[test]
fn n029_cut_and_extended_json_is_refused() {
    let (key, share, raw) = (key_json(), share_json(), raw_json());
    for length in 0..raw.len() {
        assert!(matches!(raw_error(&raw[..length]), FormatError::Json { .. }), "{length}");
    }
    for length in 0..share.len() {
        assert!(DecryptionShare::from_json(&share.as_bytes()[..length]).is_err(), "{length}");
    }
    for more in ["x", "{}", "\0", ",", "}", "\u{feff}"] {
        for json in [&key, &share, &raw] {
            let longer = format!("{json}{more}");
            assert!(matches!(raw_error(&longer), FormatError::Json { .. }), "{more}");
            assert!(PublicKey::from_json(longer.as_bytes()).is_err());
            assert!(DecryptionShare::from_json(longer.as_bytes()).is_err());
        }
    }
    for text in ["", "null", "[]", "7", "\"x\"", "{\"Group\":}", "\u{feff}{}"] {
        assert!(matches!(raw_error(text), FormatError::Json { .. }), "{text}");
    }
    assert!(matches!(Ciphertext::from_json(b"{\"Group\":\"\xff\"}"), Err(FormatError::Json { .. })));
}

#[test]
fn n030_lengths_are_bounded_before_anything_is_parsed() {
    let long = vec![b'['; 1 << 18];
    let too_long = |what, limit, found| FormatError::TooLong { what, limit, found };
    assert_eq!(Ciphertext::from_json(&long).unwrap_err(), too_long("ciphertext", 1 << 13, 1 << 18));
    assert_eq!(DecryptionShare::from_json(&long).unwrap_err(), too_long("decryption share", 1 << 12, 1 << 18));
    assert_eq!(PrivateShare::from_json(&long).err(), Some(too_long("private share", 1 << 12, 1 << 18)));
    assert!(matches!(PublicKey::from_json(&long), Err(FormatError::Json { .. })), "nesting is bounded");
    assert_eq!(
        PublicKey::from_json(&vec![b' '; (1 << 18) + 1]).err(),
        Some(too_long("public key", 1 << 18, (1 << 18) + 1))
    );
    let key = key_json();
    let point = value_of(&key, "H");
    let list = |n: u16| {
        let head = key.split("\"HArray\"").next().unwrap();
        format!("{head}\"HArray\":[{}]}}", vec![format!("\"{point}\""); usize::from(n)].join(","))
    };
    let range = "1 to 1024 entries";
    for n in [0, MAX_PARTICIPANTS + 1] {
        let refused = PublicKey::from_json(list(n).as_bytes()).err();
        assert_eq!(refused, Some(FormatError::Range { field: "HArray", found: n.into(), range }));
    }
    assert_eq!(PublicKey::from_json(list(MAX_PARTICIPANTS).as_bytes()).unwrap().participants(), MAX_PARTICIPANTS);
}

#[test]
fn malformed_base64_is_refused() {
    let json = raw_json();
    let old = value_of(&json, "C");
    for new in [
        old.trim_end_matches('=').to_owned(),
        format!("{old}=="),
        old.replacen(&old[..1], "-", 1),
        old.replacen(&old[..1], "\\n", 1),
        format!("{}\\u0000", &old[1..]),
        String::from("é"),
    ] {
        assert_eq!(raw_error(&json.replacen(old, &new, 1)), FormatError::Base64 { field: "C" }, "{new}");
    }
}

#[test]
fn fields_have_their_length() {
    let json = raw_json();
    for (field, expected) in [("C", 32), ("Label", 32), ("U", 65), ("U_bar", 65), ("E", 32), ("F", 32)] {
        let bytes = bytes_of(&json, field);
        for found in [0, 1, expected - 1, expected + 1, 2 * expected] {
            let other: Vec<u8> = bytes.iter().copied().cycle().take(found).collect();
            let refused = raw_error(&with(&json, field, &other));
            assert_eq!(refused, FormatError::Length { field, expected, found });
        }
    }
    let hybrid = compact(cases()[0].ciphertext);
    for found in [0, 11, 13] {
        let refused = easy::Ciphertext::from_json(with(&hybrid, "Nonce", &vec![0; found]).as_bytes());
        assert_eq!(refused, Err(FormatError::Length { field: "Nonce", expected: 12, found }));
    }
    let refused = easy::Ciphertext::from_json(with(&hybrid, "SymCtxt", &[0; 15]).as_bytes());
    let range = "16 bytes to 16 MiB";
    assert_eq!(refused, Err(FormatError::Range { field: "SymCtxt", found: 15, range }));
    let refused = easy::Ciphertext::from_json(with(&hybrid, "TDH2Ctxt", b"{}").as_bytes());
    assert_eq!(refused, Err(FormatError::Missing { field: "Group" }));
}

#[test]
fn n025_identity_and_points_off_the_curve_are_refused() {
    let json = raw_json();
    for field in ["U", "U_bar"] {
        let good = bytes_of(&json, field);
        let mut bent = good.clone();
        bent[64] ^= 1;
        assert_eq!(raw_error(&with(&json, field, &bent)), FormatError::Point { field });
        for prefix in [0, 2, 3, 5, 6, 0xff] {
            let mut other = good.clone();
            other[0] = prefix;
            assert_eq!(raw_error(&with(&json, field, &other)), FormatError::Point { field }, "{prefix}");
        }
        let mut beyond = [0xff; 65];
        beyond[0] = 4;
        assert_eq!(raw_error(&with(&json, field, &beyond)), FormatError::Point { field });
        for prefix in [0, 4] {
            let mut identity = [0; 65];
            identity[0] = prefix;
            assert_eq!(raw_error(&with(&json, field, &identity)), FormatError::Identity { field });
        }
    }
    let mut identity = [0; 65];
    identity[0] = 4;
    for field in ["G_bar", "H"] {
        let refused = PublicKey::from_json(with(&key_json(), field, &identity).as_bytes()).err();
        assert_eq!(refused, Some(FormatError::Identity { field }));
    }
    let mut text = String::new();
    base64::encode(&identity, &mut text);
    let json = format!("{}\"HArray\":[\"{text}\"]}}", key_json().split("\"HArray\"").next().unwrap());
    assert_eq!(PublicKey::from_json(json.as_bytes()).err(), Some(FormatError::Identity { field: "HArray" }));
}

#[test]
fn n044_a_share_that_is_the_identity_is_refused() {
    let mut identity = [0; 65];
    identity[0] = 4;
    let refused = DecryptionShare::from_json(with(&share_json(), "U_i", &identity).as_bytes());
    assert_eq!(refused, Err(FormatError::Identity { field: "U_i" }));
}

#[test]
fn n035_scalars_at_or_above_the_order_are_refused() {
    let order = hex::decode("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551").unwrap();
    for field in ["E", "F"] {
        for bytes in [&order[..], &[0xff; 32]] {
            assert_eq!(raw_error(&with(&raw_json(), field, bytes)), FormatError::Scalar { field });
        }
        let mut below = order.clone();
        below[31] -= 1;
        assert!(Ciphertext::from_json(with(&raw_json(), field, &below).as_bytes()).is_ok());
    }
    for field in ["E_i", "F_i"] {
        let refused = DecryptionShare::from_json(with(&share_json(), field, &order).as_bytes());
        assert_eq!(refused, Err(FormatError::Scalar { field }));
    }
    let private = compact(cases()[0].private_shares.as_ref().unwrap()[0]);
    for bytes in [&order[..], &[0; 32]] {
        let refused = PrivateShare::from_json(with(&private, "V", bytes).as_bytes()).err();
        assert_eq!(refused, Some(FormatError::Scalar { field: "V" }));
    }
}

#[test]
fn n042_an_index_beyond_any_committee_is_refused() {
    let share = share_json();
    for found in [1024, 65_536, u64::MAX] {
        let json = share.replacen("\"Index\":0", &format!("\"Index\":{found}"), 1);
        let range = "0 to 1023";
        assert_eq!(
            DecryptionShare::from_json(json.as_bytes()),
            Err(FormatError::Range { field: "Index", found, range })
        );
    }
}
