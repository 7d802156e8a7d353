use super::*;
use rayon::prelude::*;

const TODAY: u64 = 1_795_305_600; // 2026-11-22
const DAY: u64 = 86_400;

fn other_root() -> &'static [u8] {
    crate::support::file("attestation/dcap/other-root.der")
}

struct Sample {
    quote: &'static [u8],
    collateral: &'static [u8],
    at: u64,
    kind: ProviderKind,
    status: DcapStatus,
}

macro_rules! vector {
    ($name:literal) => {
        crate::support::file(concat!("attestation/dcap/", $name))
    };
}

/// Every genuine quote whose platform Intel's collateral has a verdict over, at an hour of that collateral.
fn samples() -> [Sample; 3] {
    [
        Sample {
            quote: vector!("sgx_quote"),
            collateral: vector!("sgx_quote_collateral.json"),
            at: 1_750_334_400,
            kind: ProviderKind::Sgx,
            status: DcapStatus::ConfigurationAndSwHardeningNeeded,
        },
        Sample {
            quote: without_padding(vector!("tdx_quote")),
            collateral: vector!("tdx_quote_collateral.json"),
            at: 1_750_334_400,
            kind: ProviderKind::Tdx,
            status: DcapStatus::UpToDate,
        },
        Sample {
            quote: vector!("tdx_quote_td15ex"),
            collateral: vector!("tdx_quote_td15ex_collateral.json"),
            at: 1_791_450_000,
            kind: ProviderKind::Tdx,
            status: DcapStatus::UpToDate,
        },
    ]
}

impl Sample {
    fn verify(&self, quote: &[u8]) -> Result<Evidence, DcapError> {
        verify(quote, self.collateral, ROOT, self.at)
    }
}

#[test]
fn genuine_quotes_verify_at_the_time_of_their_collateral() {
    for sample in samples() {
        let found = sample.verify(sample.quote).expect("a genuine quote");
        assert_eq!((found.kind, found.debug, found.nonce, found.issued), (sample.kind, false, None, None));
        let Tcb::Dcap { status, evaluation, .. } = found.tcb else { panic!("a verdict") };
        assert_eq!(status, sample.status);
        assert!(evaluation >= 17 && found.not_before <= sample.at && sample.at <= found.not_after);
    }
}

#[test]
fn n103_advisories_are_told_with_the_verdict() {
    let [sgx, ..] = samples();
    let found = sgx.verify(sgx.quote).expect("a genuine quote");
    let Tcb::Dcap { advisories, .. } = found.tcb else { panic!("a verdict") };
    assert_eq!(advisories, ["INTEL-SA-00289", "INTEL-SA-00615"]);
}

#[test]
fn n103_a_quote_whose_platform_no_level_fits_is_refused() {
    let quote: &[u8] = vector!("tdx_quote_outdated");
    let collateral: &[u8] = vector!("tdx_quote_outdated_collateral.json");
    for at in [1_771_412_400, TODAY] {
        assert!(matches!(verify(quote, collateral, ROOT, at), Err(DcapError::Refused(_))));
    }
}

#[test]
fn n093_n094_n104_quotes_are_refused_today_and_a_day_before() {
    for sample in samples() {
        let genuine = sample.verify(sample.quote).expect("a genuine quote");
        for now in [sample.at - DAY, genuine.not_before - 1, genuine.not_after + 1, TODAY] {
            let refused = verify(sample.quote, sample.collateral, ROOT, now);
            assert!(matches!(refused, Err(DcapError::Refused(_) | DcapError::Validity { .. })), "{now}: {refused:?}");
        }
        assert!(verify(sample.quote, sample.collateral, ROOT, genuine.not_before).is_ok());
    }
}

#[test]
fn n104_n109_collateral_of_another_platform_and_without_its_lists_is_refused() {
    let [sgx, tdx, _] = samples();
    let other = verify(sgx.quote, tdx.collateral, ROOT, sgx.at);
    assert!(matches!(other, Err(DcapError::Refused(_))), "{other:?}");
    for list in ["root_ca_crl", "pck_crl"] {
        let mut value: serde_json::Value = serde_json::from_slice(sgx.collateral).expect("JSON");
        value[list] = "".into();
        let missing = verify(sgx.quote, value.to_string().as_bytes(), ROOT, sgx.at);
        assert!(matches!(missing, Err(DcapError::Refused(_))), "{missing:?}");
        value.as_object_mut().expect("an object").remove(list);
        let missing = verify(sgx.quote, value.to_string().as_bytes(), ROOT, sgx.at);
        assert!(matches!(missing, Err(DcapError::Collateral(_))), "{missing:?}");
    }
    let huge = vec![b' '; MAX_COLLATERAL + 1];
    let length = DcapError::Length { found: huge.len(), max: MAX_COLLATERAL };
    assert_eq!(verify(sgx.quote, &huge, ROOT, sgx.at), Err(length));
}

/// Bytes of the collateral that are signed: TCB information, QE identity, their signatures and the two lists.
#[test]
fn n104_altered_collateral_is_refused() {
    let [sgx, ..] = samples();
    let value: serde_json::Value = serde_json::from_slice(sgx.collateral).expect("JSON");
    for field in ["tcb_info", "qe_identity", "tcb_info_signature", "qe_identity_signature", "root_ca_crl", "pck_crl"] {
        let text = value[field].as_str().expect("text");
        for at in (0..text.len()).step_by(97) {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
            let mut bad = value.clone();
            bad[field] = String::from_utf8(bytes).expect("ASCII").into();
            assert!(verify(sgx.quote, bad.to_string().as_bytes(), ROOT, sgx.at).is_err(), "{field} {at}");
        }
    }
}

/// Every byte, also of the certificates' text, which stands in its one form. `CCC_FLIP_STRIDE` thins the text of the
/// certificates alone: what the quote's own keys sign is flipped byte by byte in any case.
#[test]
fn n095_a_quote_with_any_byte_flipped_is_refused() {
    let stride: usize = std::env::var("CCC_FLIP_STRIDE").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    for sample in samples() {
        let text = sample.quote.windows(5).position(|window| window == b"-----").expect("certificates");
        let bytes: Vec<usize> = (0..text).chain((text..sample.quote.len()).step_by(stride)).collect();
        let accepted = bytes.par_iter().filter(|byte| {
            let mut bad = sample.quote.to_vec();
            bad[**byte] ^= 1;
            sample.verify(&bad).is_ok()
        });
        let accepted: Vec<&usize> = accepted.collect();
        println!("dcap: {} of {} flips refused", bytes.len() - accepted.len(), bytes.len());
        assert_eq!(accepted, Vec::<&usize>::new());
    }
}

#[test]
fn n105_trailing_bytes_and_truncated_quotes_are_refused() {
    for sample in samples() {
        for found in [1, 64] {
            let long = [sample.quote, &vec![0; found]].concat();
            assert_eq!(sample.verify(&long), Err(EncodingError::Trailing { found }.into()));
        }
        for len in 0..sample.quote.len() {
            let refused = sample.verify(&sample.quote[..len]);
            assert!(matches!(refused, Err(DcapError::Encoding(EncodingError::Truncated { .. }))), "{len}: {refused:?}");
        }
    }
    let padded: &[u8] = vector!("tdx_quote");
    let [_, tdx, _] = samples();
    assert_eq!(tdx.verify(padded), Err(EncodingError::Trailing { found: 70 }.into()));
    assert_eq!(without_padding(padded).len() + 70, padded.len());
    let mut other = padded.to_vec();
    other[5005] = 1;
    assert_eq!(without_padding(&other), other);
}

#[test]
fn n105_reserved_bytes_and_other_layouts_are_refused() {
    let [sgx, tdx, v5] = samples();
    let with = |sample: &Sample, at: usize, value: u8| {
        let mut bad = sample.quote.to_vec();
        bad[at] = value;
        sample.verify(&bad)
    };
    for at in [48 + 20, 48 + 96, 48 + 191, 48 + 303] {
        assert_eq!(with(&sgx, at, 1), Err(DcapError::Reserved { what: "report" }));
    }
    assert_eq!(with(&tdx, 8, 1), Err(DcapError::Reserved { what: "header" }));
    assert_eq!(with(&sgx, 0, 4), Err(DcapError::Version { version: 4, tee: 0 }));
    assert_eq!(with(&tdx, 0, 3), Err(DcapError::Version { version: 3, tee: 0x81 }));
    assert_eq!(with(&v5, 48, 3), Err(DcapError::Body { kind: 3, found: 885 }));
    let kind = sgx.quote.windows(5).position(|window| window == b"-----").expect("certificates") - 6;
    let certification = DcapError::Certification { expected: 5, found: 3 };
    assert_eq!(with(&sgx, kind, 3), Err(certification));
    let huge = vec![0; MAX_QUOTE + 1];
    assert_eq!(sgx.verify(&huge), Err(DcapError::Length { found: huge.len(), max: MAX_QUOTE }));
}

#[test]
fn n100_a_root_of_our_own_with_the_same_name_is_refused() {
    let [sgx, ..] = samples();
    assert_eq!(verify(sgx.quote, sgx.collateral, other_root(), TODAY), Err(DcapError::Root));
    // with our root in the place of the quote's last certificate, what it issued does not verify
    let text = core::str::from_utf8(&sgx.quote[sgx.quote.len() - 3548..]).expect("PEM");
    let ours = der::pem::encode_string("CERTIFICATE", der::pem::LineEnding::LF, other_root()).expect("PEM");
    let start = sgx.quote.len() - 3548 + text.rfind("-----BEGIN").expect("a certificate");
    let mut swapped = [&sgx.quote[..start], ours.as_bytes(), &[0]].concat();
    let shift = |at: usize, bytes: &mut Vec<u8>| {
        let len = u32::try_from(bytes.len() - at - 4).expect("a length").to_le_bytes();
        bytes[at..at + 4].copy_from_slice(&len);
    };
    shift(48 + 384, &mut swapped);
    shift(sgx.quote.len() - 3548 - 4, &mut swapped);
    let refused = verify(&swapped, sgx.collateral, other_root(), sgx.at);
    assert!(matches!(refused, Err(DcapError::Refused(_))), "{refused:?}");
    assert_eq!(verify(&swapped, sgx.collateral, ROOT, sgx.at), Err(DcapError::Root));
}

/// Quotes without collateral: their form is read, the padding of one is not zero, and nothing vouches for them.
#[test]
fn quotes_without_collateral_are_read_and_vouch_for_nothing() {
    let v5: &[u8] = vector!("go-tdx-guest-quote-v5-sample.dat");
    assert!(Quote::parse(v5, ROOT).is_ok());
    let text: &[u8] = vector!("go-tdx-guest-prod-quote-spr-e4.dat");
    assert!(matches!(Quote::parse(text, ROOT), Err(DcapError::Encoding(EncodingError::Trailing { found: 39 }))));
    assert!(Quote::parse(&text[..text.len() - 39], ROOT).is_ok());
    let [_, tdx, _] = samples();
    assert!(matches!(tdx.verify(v5), Err(DcapError::Refused(_))));
}

/// The report of a quote with bytes put in the places of others, as it is read.
fn read(quote: &[u8], changes: &[(usize, &[u8])]) -> (Registers, [u8; 64], bool) {
    let mut quote = quote.to_vec();
    for (at, bytes) in changes {
        quote[*at..at + bytes.len()].copy_from_slice(bytes);
    }
    report(&dcap_qvl::quote::Quote::parse(&quote).expect("a quote").report)
}

/// Where the body starts: behind the header, and in version 5 behind the body's kind and length.
fn body(sample: &Sample) -> usize {
    if sample.quote[0] == 5 { 54 } else { 48 }
}

#[test]
fn n097_debug_and_migration_are_told_bit_by_bit() {
    let [sgx, tdx, v5] = samples();
    for bit in [1, 4, 5, 7, 8, 9, 63] {
        let attributes = 0x05 | (1_u64 << bit);
        let (.., debug) = read(sgx.quote, &[(48 + 48, &attributes.to_le_bytes())]);
        assert_eq!(debug, bit == 1, "{bit}");
    }
    for (sample, bit) in [&tdx, &v5].into_iter().flat_map(|sample| (0..64).map(move |bit| (sample, bit))) {
        let (registers, _, debug) = read(sample.quote, &[(body(sample) + 120, &(1_u64 << bit).to_le_bytes())]);
        let Registers::Tdx { migratable, .. } = registers else { panic!("registers of TDX") };
        assert_eq!((debug, migratable), (bit < 8, bit == 29), "{bit}");
    }
}

/// The values are read from the samples by their offsets in Intel's documents, by hand.
#[test]
fn registers_and_user_data_stand_where_intel_puts_them() {
    let [sgx, tdx, v5] = samples();
    let bytes = |text: &str| hex::decode(text).expect("hexadecimal");
    let numbers: [(usize, &[u8]); 2] = [(48 + 256, &[0x34, 0x12]), (48 + 258, &[0x78, 0x56])];
    let (registers, user_data, _) = read(sgx.quote, &numbers);
    let Registers::Sgx { mrenclave, mrsigner, product, version } = registers else { panic!("registers of SGX") };
    assert_eq!(mrenclave[..], bytes("33d8736db756ed4997e04ba358d27833188f1932ff7b1d156904d3f560452fbb"));
    assert_eq!(mrsigner[..], bytes("815f42f11cf64430c30bab7816ba596a1da0130c3b028b673133a66cf9a3e0e6"));
    assert_eq!((product, version), (0x1234, 0x5678));
    assert_eq!((&user_data[..13], &user_data[13..]), (&b"Hello, world!"[..], &[0; 51][..]));
    for (sample, expected) in [(tdx, TDX), (v5, V5)] {
        // the last register is zero in one of the samples
        let (registers, user_data, _) = read(sample.quote, &[(body(&sample) + 472, &[0x5a; 48])]);
        let Registers::Tdx { mrtd, rtmr: [r0, r1, r2, r3], .. } = registers else { panic!("registers of TDX") };
        for (found, expected) in [mrtd, r0, r1, r2].iter().zip(expected) {
            assert_eq!(found[..], bytes(expected));
        }
        assert_eq!(r3, [0x5a; 48]);
        assert_eq!(user_data[..], bytes(expected[4]));
    }
}

/// MRTD, RTMR0, RTMR1, RTMR2 at 136, 328, 376 and 424 of the body, and the report's data at 520.
const TDX: [&str; 5] = [
    "91eb2b44d141d4ece09f0c75c2c53d247a3c68edd7fafe8a3520c942a604a407de03ae6dc5f87f27428b2538873118b7",
    "44c0197b39157fdd7a4dcc44767f9d6b0bb3977c7a8e347b8492f827fe9d9e5c48aca29b220b80b6a540cf994b9bc9c0",
    "0084452c01668329d4bc06acdf58a7205c26743304509973949e5619bf81a6a7aea8c323c173019b3093d54e579e9378",
    "d833feef2cd945148aa38ead2c53e9b7f138190aaaebfc551dccd829fc207aa3ba80b70870d7330733642e01d48c3132",
    "9a9d48e7f6799642d3d1b34e1e5e1742d4bb02dd6ddd551862c1211d35c304f9eca3efdbb481601c163cf52493d6e44a\
     ed55d51ec39b7e518fadb92c2b523f20",
];
const V5: [&str; 5] = [
    "2a674327c50218dba880066b349b8d559d749ed68dce33fd651c184a877d084b07a9e583767a7ad5da13ed91deec2b70",
    "0345d2a146eec673fb3861a4d88c5093ef0934b142884294377628cf09fb21bfa979acec61e79f925f5fccaad0827165",
    "3484cd07ba093cede0938303617d6da58f3c6a895ddd5461b3bdd0b29f40e869d4c92642867b44bd3619451bd78ff2d0",
    "83b7a9a35ed613c17a8b9d36a49f28b095f54daa78b328c93eef10ae3e21094c1411467e3371157c4cde5e0beb72dcb8",
    "2945321c99222c3622a14cf7feaab073e799be14b5f3e73cd2e6cad64e5f062463ad204f33f0a39e47d098330db88ca5\
     b5d0a7afce540dfe4c4fe4a377190731",
];
