#![allow(clippy::cast_possible_truncation, reason = "numbers of a few, and times on hosts of 64 bits")]

use super::super::forge::{bytes, certificate, head, key, replaced, revocation_list, sign1, text};
use super::super::{CborError, ChainError, MAX_CHAIN};
use super::*;
use p384::ecdsa::SigningKey;
use rayon::prelude::*;

fn real() -> &'static [u8] {
    crate::support::file("attestation/nitro/real-2025-01-06-eu-central-1.cose")
}
const REAL_AT: u64 = 1_736_179_625;

fn beta() -> &'static [u8] {
    crate::support::file("attestation/nitro/evervault-beta-valid-attestation-doc.cose")
}

fn beta_debug() -> &'static [u8] {
    crate::support::file("attestation/nitro/evervault-beta-debug-mode-attestation-doc.cose")
}

fn debug_base64() -> &'static str {
    core::str::from_utf8(crate::support::file("attestation/nitro/evervault-valid-attestation-doc.b64")).expect("text")
}

const TODAY: u64 = 1_795_305_600; // 2026-11-22
const DAY: u64 = 86_400;

/// Every genuine document with its own time and whether it is of an enclave in debug mode.
fn samples() -> [(Vec<u8>, u64, bool); 4] {
    [
        (real().to_vec(), REAL_AT, false),
        (beta().to_vec(), 1_665_651_482, false),
        (beta_debug().to_vec(), 1_665_582_606, true),
        (base64(debug_base64().trim()), 1_695_049_410, true),
    ]
}

fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter_map(|byte| ALPHABET.iter().position(|letter| *letter == byte));
    let digits: Vec<u32> = digits.map(|digit| digit as u32).collect();
    let groups = digits.chunks(4).flat_map(|group| {
        let word = (0..4).fold(0, |word, at| word << 6 | group.get(at).unwrap_or(&0));
        word.to_be_bytes()[1..group.len()].to_vec()
    });
    groups.collect()
}

/// A document under our own root with a genuine one's names: what would be accepted if the root were not pinned.
struct Forged {
    root: Vec<u8>,
    bundle: Vec<Vec<u8>>,
    leaf: Vec<u8>,
    signer: SigningKey,
}

impl Forged {
    /// `changes` of the certificate at a position, counted from the leaf.
    fn new(position: usize, changes: &[(&[u8], &[u8])]) -> Self {
        let genuine = Document::parse(real()).expect("a document");
        let names: Vec<&[u8]> = genuine.bundle.iter().copied().chain([genuine.certificate]).collect();
        let mut made: Vec<Vec<u8>> = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let (subject, issuer) = (key(at as u8 + 1), key((at as u8).max(1)));
            let own = if at + position + 1 == names.len() { changes } else { &[] };
            made.push(certificate(name, &subject, &issuer, own));
        }
        let leaf = made.pop().expect("a leaf");
        Self { root: made[0].clone(), bundle: made, leaf, signer: key(names.len() as u8) }
    }

    fn plain() -> Self {
        Self::new(0, &[])
    }

    fn fields(&self) -> Vec<(&'static str, Vec<u8>)> {
        let pcrs = (0..3).flat_map(|number| [head(0, number), bytes(&[number as u8 + 1; 48])].concat());
        let bundle = self.bundle.iter().flat_map(|one| bytes(one));
        vec![
            ("module_id", text("module")),
            ("digest", text("SHA384")),
            ("timestamp", head(0, REAL_AT as usize * 1000)),
            ("pcrs", head(5, 3).into_iter().chain(pcrs).collect()),
            ("certificate", bytes(&self.leaf)),
            ("cabundle", head(4, self.bundle.len()).into_iter().chain(bundle).collect()),
            ("public_key", vec![0xf6]),
            ("user_data", bytes(&[7; 64])),
            ("nonce", bytes(&[8; 64])),
        ]
    }

    fn payload(fields: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let pairs = fields.iter().flat_map(|(name, value)| [text(name), value.clone()].concat());
        head(5, fields.len()).into_iter().chain(pairs).collect()
    }

    fn document(&self) -> Vec<u8> {
        sign1(&Self::payload(&self.fields()), &self.signer)
    }

    /// The document with one field replaced.
    fn with(&self, name: &str, value: Vec<u8>) -> Result<Evidence, NitroError> {
        let mut fields = self.fields();
        for field in fields.iter_mut().filter(|field| field.0 == name) {
            field.1.clone_from(&value);
        }
        self.verify(&sign1(&Self::payload(&fields), &self.signer))
    }

    fn verify(&self, document: &[u8]) -> Result<Evidence, NitroError> {
        verify(document, &self.root, REAL_AT)
    }
}

#[test]
fn genuine_documents_verify_at_their_own_time() {
    for (document, at, debug) in samples() {
        let found = verify(&document, ROOT_G1, at).expect("a genuine document");
        assert_eq!((found.kind, found.debug, found.issued), (ProviderKind::Nitro, debug, Some(at)));
        assert!(found.not_before <= at && at <= found.not_after && found.not_after - found.not_before <= 4 * 3600);
    }
    let real = verify(real(), ROOT_G1, REAL_AT).expect("a genuine document");
    let Registers::Nitro { pcrs } = &real.registers else { panic!("registers of Nitro") };
    assert_eq!((pcrs.len(), pcrs[&0][..4].to_vec()), (16, vec![0x8b, 0xb1, 0x59, 0xf2]));
    assert_eq!((real.user_data, real.nonce), (vec![], Some(vec![])));
}

#[test]
fn n093_n094_genuine_documents_are_refused_today_and_a_day_before() {
    for (document, at, _) in samples() {
        for now in [at - DAY, TODAY] {
            let refused = verify(&document, ROOT_G1, now);
            assert!(matches!(refused, Err(NitroError::Chain(ChainError::Validity { .. }))), "{now}: {refused:?}");
        }
    }
}

/// Every byte: under the signature are all but the heads, and of those each has one form.
#[test]
fn n095_a_document_with_any_byte_flipped_is_refused() {
    for (document, at, _) in samples() {
        let refused = (0..document.len()).into_par_iter().filter(|byte| {
            let mut bad = document.clone();
            bad[*byte] ^= 1;
            verify(&bad, ROOT_G1, at).is_err()
        });
        let refused = refused.count();
        println!("nitro: {refused} of {} flips refused", document.len());
        assert_eq!(refused, document.len());
    }
}

#[test]
fn n105_trailing_bytes_and_truncated_documents_are_refused() {
    for found in [1, 64] {
        let long = [real(), &vec![0; found]].concat();
        let expected = NitroError::Cbor(CborError::Trailing { found });
        assert_eq!(verify(&long, ROOT_G1, REAL_AT), Err(expected));
    }
    for len in 0..real().len() {
        assert!(verify(&real()[..len], ROOT_G1, REAL_AT).is_err(), "{len}");
    }
    let huge = vec![0; MAX_DOCUMENT + 1];
    let length = NitroError::Length { found: huge.len(), max: MAX_DOCUMENT };
    assert_eq!(verify(&huge, ROOT_G1, REAL_AT), Err(length));
}

#[test]
fn n100_a_root_of_our_own_with_the_same_names_is_refused() {
    let forged = Forged::plain();
    let document = forged.document();
    let accepted = forged.verify(&document).expect("genuine under its own root");
    assert_eq!((accepted.user_data, accepted.nonce), (vec![7; 64], Some(vec![8; 64])));
    assert_eq!(verify(&document, ROOT_G1, REAL_AT), Err(ChainError::Root.into()));
    assert_eq!(verify(real(), &forged.root, REAL_AT), Err(ChainError::Root.into()));
    let pinned = Forged { root: ROOT_G1.to_vec(), ..Forged::plain() };
    let pinned = Forged { bundle: [vec![ROOT_G1.to_vec()], pinned.bundle[1..].to_vec()].concat(), ..pinned };
    let expected = ChainError::Signature { position: 3 };
    assert_eq!(pinned.verify(&pinned.document()), Err(expected.into()));
}

#[test]
fn n101_another_algorithm_and_one_that_nobody_signs_are_refused() {
    for protected in [&[0xa1, 0x01, 0x26][..], &[0xa0], &[], &[0xa2, 0x01, 0x38, 0x22, 0x04, 0x40]] {
        let bad = replaced(real(), &bytes(&[0xa1, 0x01, 0x38, 0x22]), &bytes(protected));
        assert_eq!(verify(&bad, ROOT_G1, REAL_AT), Err(NitroError::Algorithm), "{protected:02x?}");
    }
    let header = [&bytes(&[0xa1, 0x01, 0x38, 0x22])[..], &[0xa0]].concat();
    let unprotected = [&header[..5], &[0xa1, 0x01, 0x38, 0x22]].concat();
    let bad = replaced(real(), &header, &unprotected);
    assert_eq!(verify(&bad, ROOT_G1, REAL_AT), Err(NitroError::Unprotected { found: 1 }));
    let none = replaced(real(), &header, &[&[0x40, 0xa1, 0x01, 0x38, 0x22][..]].concat());
    assert_eq!(verify(&none, ROOT_G1, REAL_AT), Err(NitroError::Algorithm));
}

#[test]
fn n102_cbor_in_another_than_its_one_form_is_refused() {
    let forged = Forged::plain();
    let verify = |payload: &[u8]| forged.verify(&sign1(payload, &forged.signer));
    let fields = forged.fields();
    let good = Forged::payload(&fields);
    let indefinite = [&[0xbf][..], &good[1..], &[0xff]].concat();
    assert_eq!(verify(&indefinite), Err(CborError::Indefinite { what: "document" }.into()));
    let twice = [&[0xa9][..], &text("digest"), &text("SHA384"), &Forged::payload(&fields[..8])[1..]].concat();
    assert_eq!(verify(&twice), Err(NitroError::Repeated { what: "digest" }));
    let long_form = replaced(&good, &text("SHA384"), &[&[0x78, 6][..], b"SHA384"].concat());
    assert_eq!(verify(&long_form), Err(CborError::NotShortest { what: "digest" }.into()));
    assert_eq!(verify(&[&good[..], &[0]].concat()), Err(CborError::Trailing { found: 1 }.into()));
    let unknown = replaced(&good, &text("user_data"), &text("user-data"));
    assert_eq!(verify(&unknown), Err(NitroError::UnknownKey));
    let outer = forged.document();
    let outer = [&[0x9f][..], &outer[1..], &[0xff]].concat();
    assert_eq!(forged.verify(&outer), Err(CborError::Indefinite { what: "COSE_Sign1" }.into()));
    let tagged = [&[0xd2][..], &forged.document()].concat();
    assert!(forged.verify(&tagged).is_ok());
    let other = [&[0xd1][..], &forged.document()].concat();
    assert_eq!(forged.verify(&other), Err(CborError::Range { what: "tag", found: 17, min: 18, max: 18 }.into()));
}

#[test]
fn n098_registers_that_are_missing_unknown_or_of_another_length_are_refused() {
    let forged = Forged::plain();
    let pcrs = |all: &[(usize, usize)]| {
        let each = all.iter().flat_map(|(number, len)| [head(0, *number), bytes(&vec![1; *len])].concat());
        forged.with("pcrs", head(5, all.len()).into_iter().chain(each).collect())
    };
    let missing = Err(NitroError::Missing { what: "PCR 0, 1 or 2" });
    assert!(pcrs(&[(0, 48), (1, 48), (2, 48), (31, 48)]).is_ok());
    assert_eq!(pcrs(&[(0, 48), (1, 48)]), missing);
    assert_eq!(pcrs(&[(0, 48), (1, 48), (3, 48)]), missing);
    assert_eq!(pcrs(&[(0, 48), (0, 48), (2, 48)]), Err(NitroError::Repeated { what: "a PCR" }));
    let unknown = CborError::Range { what: "number of a PCR", found: 32, min: 0, max: 31 };
    assert_eq!(pcrs(&[(0, 48), (1, 48), (2, 48), (32, 48)]), Err(unknown.into()));
    let length = NitroError::Register { number: 1, expected: 48, found: 32 };
    assert_eq!(pcrs(&[(0, 48), (1, 32), (2, 48)]), Err(length));
}

#[test]
fn fields_outside_their_bounds_are_refused() {
    let forged = Forged::plain();
    let range = |what, found, min, max| Err(NitroError::from(CborError::Range { what, found, min, max }));
    assert_eq!(forged.with("user_data", bytes(&[0; 513])), range("user_data", 513, 0, 512));
    assert_eq!(forged.with("nonce", bytes(&[0; 513])), range("nonce", 513, 0, 512));
    assert_eq!(forged.with("public_key", bytes(&[])), range("public_key", 0, 1, 1024));
    assert_eq!(forged.with("timestamp", head(0, 0)), range("timestamp", 0, 1, u64::MAX));
    assert_eq!(forged.with("digest", text("SHA256")), Err(NitroError::Digest));
    let late = forged.with("timestamp", head(0, TODAY as usize * 1000));
    assert!(matches!(late, Err(NitroError::Timestamp { made: TODAY, .. })));
    let fields: Vec<_> = forged.fields().into_iter().filter(|(name, _)| *name != "module_id").collect();
    let without = sign1(&Forged::payload(&fields), &forged.signer);
    assert_eq!(forged.verify(&without), Err(NitroError::Missing { what: "module_id" }));
}

#[test]
fn n111_pathological_chains_are_refused() {
    let many = |count: usize| {
        let forged = Forged::plain();
        let each = (0..count).flat_map(|at| bytes(&forged.bundle[at % 4]));
        forged.with("cabundle", head(4, count).into_iter().chain(each).collect())
    };
    let range = CborError::Range { what: "cabundle", found: 100, min: 1, max: MAX_CHAIN as u64 };
    let hundred = Forged::plain().with("cabundle", [head(4, 100), vec![0x40; 100]].concat());
    assert_eq!(hundred, Err(range.into()));
    // root, three authorities, and the same once more: a loop, in which each signature verifies
    assert_eq!(many(8), Err(ChainError::PathLength { position: 5, allowed: 0, found: 4 }.into()));
    let range = CborError::Range { what: "certificate of the bundle", found: 1025, min: 1, max: 1024 };
    let huge = Forged::plain().with("cabundle", [head(4, 1), bytes(&[0; 1025])].concat());
    assert_eq!(huge, Err(range.into()));
    let none = Forged::plain().with("cabundle", head(4, 0));
    assert_eq!(none, Err(CborError::Range { what: "cabundle", found: 0, min: 1, max: 8 }.into()));
}

#[test]
fn n100_certificates_that_may_not_do_what_they_do_are_refused() {
    let refused = |position, changes: &[(&[u8], &[u8])]| {
        let forged = Forged::new(position, changes);
        match forged.verify(&forged.document()) {
            Err(NitroError::Chain(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    // the second authority allows one below it, where there is one: with none allowed it is refused
    let none = refused(2, &[(&[1, 1, 0xff, 2, 1, 1], &[1, 1, 0xff, 2, 1, 0])]);
    assert_eq!(none, ChainError::PathLength { position: 2, allowed: 0, found: 1 });
    let usage = refused(1, &[(&[0x03, 0x02, 0x02, 0x04], &[0x03, 0x02, 0x07, 0x80])]);
    assert_eq!(usage, ChainError::Usage { position: 1, expected: "signatures of certificates" });
    let leaf_usage = refused(0, &[(&[0x03, 0x02, 0x06, 0xc0], &[0x03, 0x02, 0x02, 0x04])]);
    assert_eq!(leaf_usage, ChainError::Usage { position: 0, expected: "digital signatures" });
    let extension = refused(1, &[(&[0x55, 0x1d, 0x13, 0x01, 0x01, 0xff], &[0x55, 0x1d, 0x1e, 0x01, 0x01, 0xff])]);
    assert_eq!(extension, ChainError::Extension { position: 1 });
    let weaker = refused(1, &[(&[0xce, 0x3d, 0x04, 0x03, 0x03], &[0xce, 0x3d, 0x04, 0x03, 0x02])]);
    assert_eq!(weaker, ChainError::Algorithm { position: 1, expected: "ECDSA with SHA-384" });
    let curve = refused(0, &[(&[0x2b, 0x81, 0x04, 0x00, 0x22], &[0x2b, 0x81, 0x04, 0x00, 0x23])]);
    assert_eq!(curve, ChainError::Key { position: 0, expected: "P-384" });
    let authority = Forged::plain();
    let (leaf, bundle) = authority.bundle.split_last().expect("a bundle");
    let own = Forged { leaf: leaf.clone(), bundle: bundle.to_vec(), signer: key(4), root: authority.root };
    let expected = ChainError::Authority { position: 0, expected: false, found: true };
    assert_eq!(own.verify(&own.document()), Err(expected.into()));
}

#[test]
fn a_leaf_that_signs_certificates_is_no_authority() {
    let forged = Forged::plain();
    let genuine = Document::parse(real()).expect("a document");
    // issued by the leaf, in the leaf's own name
    let issuer = key(5);
    let below = certificate(genuine.certificate, &key(9), &issuer, &[]);
    let bundle = [forged.bundle.clone(), vec![forged.leaf.clone()]].concat();
    let longer = Forged { leaf: below, bundle, signer: key(9), root: forged.root };
    let expected = ChainError::Authority { position: 1, expected: true, found: false };
    assert_eq!(longer.verify(&longer.document()), Err(expected.into()));
}

#[test]
fn a_verified_chain_serves_documents_under_it_and_no_others() {
    let verified = chain(real(), ROOT_G1, REAL_AT).expect("a genuine chain");
    let found = verify_under(real(), ROOT_G1, &verified, REAL_AT);
    assert_eq!(found, verify(real(), ROOT_G1, REAL_AT));
    assert_eq!(verify_under(beta(), ROOT_G1, &verified, REAL_AT), Err(ChainError::OtherChain.into()));
    let late = verify_under(real(), ROOT_G1, &verified, TODAY);
    assert!(matches!(late, Err(NitroError::Chain(ChainError::Validity { position: 0, .. }))));
    let mut bad = real().to_vec();
    let last = bad.len() - 1;
    bad[last] ^= 1;
    assert_eq!(verify_under(&bad, ROOT_G1, &verified, REAL_AT), Err(NitroError::Signature));
}

/// The certificates of a document under our own root, from the leaf upwards, and what a list of each issuer's refuses.
#[test]
fn n109_a_certificate_that_its_issuer_took_back_is_refused() {
    let forged = Forged::plain();
    let document = forged.document();
    let dates = (REAL_AT - 60, REAL_AT + 60);
    let checked = |made: &[Vec<u8>], now| {
        let mut lists = RevocationLists::default();
        for list in made {
            lists.add(list.clone()).expect("a list");
        }
        check_revocation(&document, &forged.root, &lists, now)
    };
    let of_root = revocation_list(&forged.root, &key(1), &[], dates);
    assert_eq!(checked(std::slice::from_ref(&of_root), REAL_AT), Ok(()));
    let refused = |error| Err(NitroError::Revocation(error));
    assert_eq!(checked(&[], REAL_AT), refused(RevocationError::Missing { given: 0 }));
    // from the root downwards each is signed by the key before it, the root by its own
    let below: Vec<&[u8]> = forged.bundle.iter().chain([&forged.leaf]).map(Vec::as_slice).collect();
    for (at, certificate) in below.iter().enumerate() {
        let issuer = at.max(1) - 1;
        let list = revocation_list(below[issuer], &key(issuer as u8 + 1), &[*certificate], dates);
        let position = below.len() - 1 - at;
        let found = checked(&[of_root.clone(), list], REAL_AT);
        // the instance's own authority signs certificates and no lists
        let expected = if position == 0 {
            RevocationError::Usage { list: 1 }
        } else {
            RevocationError::Revoked { position, list: 1 }
        };
        assert_eq!(found, refused(expected), "{at}");
    }
    let stranger = revocation_list(&forged.root, &key(9), &[], dates);
    assert_eq!(checked(&[stranger], REAL_AT), refused(RevocationError::Signature { list: 0 }));
    for now in [dates.0 - 1, dates.1 + 1] {
        let (not_before, not_after) = dates;
        let over = RevocationError::Validity { list: 0, not_before, not_after, now };
        assert_eq!(checked(std::slice::from_ref(&of_root), now), refused(over));
    }
}
